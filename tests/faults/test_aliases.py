"""mailcow fails at calls about aliases and rights: this run or the next gets there, and nothing is done twice."""

from __future__ import annotations

import pytest

from tests.directory_server import group
from tests.integration.sync.installation import DOMAIN, Installation, address
from tests.mailcow_server import FaultKind, MailcowServer

from .share import paired
from .test_mailcow import FAULTS, Call, named
from .world import contents

PEOPLE = range(1, 7)
TEAM = f"team@{DOMAIN}"


def members(house: Installation, *numbers: int) -> None:
    """Replace the members of the team."""
    house.slapd.modify(f"cn=team,{house.slapd.groups_dn}", {"member": [house.dn(number) for number in numbers]})


def new_aliases(house: Installation) -> None:
    house.change(3, mailAlias=[f"{name}@{DOMAIN}" for name in ("one", "two", "three")])


def new_member(house: Installation) -> None:
    members(house, 1, 2, 3, 4)


def aliases_gone(house: Installation) -> None:
    house.change(1, mailAlias=[])


def alias_moved(house: Installation) -> None:
    house.change(1, mailAlias=[])
    house.change(2, mailAlias=f"boss@{DOMAIN}")


def new_right(house: Installation) -> None:
    house.change(4, mailSendAs=address(1))


CALLS: tuple[Call, ...] = (
    ("add/alias", new_aliases),
    ("edit/alias", new_member),
    ("edit/alias", alias_moved),
    ("delete/alias", aliases_gone),
    ("edit/mailbox", new_right),
)


def prepare(house: Installation, twin: Installation) -> None:
    """Give both mailcows the same people, a list and an alias."""
    house.people(*PEOPLE)
    house.change(1, mailAlias=f"boss@{DOMAIN}")
    house.slapd.add(*group("team", [house.dn(number) for number in (1, 2, 3)]))
    for each in (house, twin):
        each.config(
            mailcow_connections=1,
            ldap__user_mapping__aliases=["mailAlias"],
            ldap__user_mapping__send_as="mailSendAs",
            ldap__group_search_base=each.slapd.groups_dn,
        )
        assert each.at_clock().code == 0
    house.writes()


def made_twice(mailcow: MailcowServer) -> bool:
    """Tell whether two rows have one address."""
    addresses = [row.address for row in mailcow.state.aliases.values()]
    return len(addresses) != len(set(addresses))


@pytest.mark.parametrize(("call", "kind"), paired(CALLS, FAULTS), ids=named)
def test_a_fault_at_a_call_about_aliases_is_got_over(
    house: Installation, twin: Installation, kind: FaultKind, call: Call
) -> None:
    path, change = call
    prepare(house, twin)
    change(house)
    house.mailcow.faults.add(kind, path)
    first = house.again(minutes=5)
    assert any(request.fault for request in house.mailcow.log)
    done = house.again(minutes=5) if first.code else first
    assert (done.code, twin.again(minutes=5).code) == (0, 0)
    assert contents(house.mailcow) == contents(twin.mailcow)
    assert house.mailcow.snapshot()["sender_acl"] == twin.mailcow.snapshot()["sender_acl"]
    assert not made_twice(house.mailcow)
    house.writes()
    assert house.again("-q", minutes=5).said == ""
    assert house.writes() == []


def test_a_mailbox_that_can_not_be_made_is_left_out_of_lists_until_it_is(
    house: Installation, twin: Installation
) -> None:
    prepare(house, twin)
    house.people(7)
    house.change(7, mailAlias=f"seven@{DOMAIN}")
    members(house, 1, 2, 3, 7)
    house.mailcow.faults.add(FaultKind.EMPTY_BODY, "add/mailbox", times=None)
    done = house.again(minutes=5)
    assert done.code == 3
    assert "failed    create alias seven@" in done.out
    team = house.mailcow.state.alias_at(TEAM)
    assert team is not None
    assert team.goto == ",".join(map(address, (1, 2, 3)))
    house.mailcow.faults.clear()
    assert house.again(minutes=5).code == 0
    assert team.goto == ",".join(map(address, (1, 2, 3, 7)))


def test_an_alias_that_is_gone_meanwhile_is_told(house: Installation, twin: Installation) -> None:
    prepare(house, twin)
    new_member(house)
    house.mailcow.faults.add(FaultKind.EMPTY_BODY, "edit/alias", times=None)
    before = house.mailcow.log.add

    def vanish(request: object) -> None:
        before(request)  # type: ignore[arg-type]
        alias = house.mailcow.state.alias_at(TEAM)
        if alias and getattr(request, "path", "") == "edit/alias":
            house.mailcow.state.remove_alias(alias)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.mailcow.log, "add", vanish)
        done = house.again(minutes=5)
    assert done.code == 3
    assert f"failed    update alias {TEAM}: it is no longer in mailcow" in done.out


def test_an_alias_that_somebody_made_meanwhile_is_left_alone(house: Installation, twin: Installation) -> None:
    prepare(house, twin)
    new_aliases(house)
    made = {"address": f"two@{DOMAIN}", "goto": address(6), "active": 1}
    before = house.mailcow.log.add
    done_by_hand: list[bool] = []

    def hurry(request: object) -> None:
        before(request)  # type: ignore[arg-type]
        if getattr(request, "path", "").startswith("get/alias/all") and not done_by_hand:
            done_by_hand.append(True)
            house.mailcow.log.add = before  # type: ignore[method-assign]
            house.by_hand("add/alias", made)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.mailcow.log, "add", hurry)
        done = house.again(minutes=5)
    assert done.code == 3
    alias = house.mailcow.state.alias_at(f"two@{DOMAIN}")
    assert alias is not None
    assert alias.goto == address(6)
