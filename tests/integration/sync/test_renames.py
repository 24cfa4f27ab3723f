"""Somebody's address changes in the directory: the mailbox gets the name, and all that is in it stays."""

from __future__ import annotations

from itertools import count

import pytest

from tests.directory_server import group
from tests.mailcow_server import DomainLimits

from .installation import DOMAIN, Installation, address

NEW = f"new@{DOMAIN}"


@pytest.fixture
def office(house: Installation) -> Installation:
    """Five people of whom the first two are on a list; the first may be written to as boss, too."""
    house.people(*range(1, 6))
    house.change(1, mailAlias=f"boss@{DOMAIN}")
    house.change(3, mailSendAs=address(1))
    house.slapd.add(*group("team", [house.dn(number) for number in (1, 2)]))
    house.config(
        ldap__user_mapping__aliases=["mailAlias"],
        ldap__user_mapping__send_as="mailSendAs",
        ldap__group_search_base=house.slapd.groups_dn,
    )
    assert house.at_clock().code == 0
    house.writes()
    return house


def goto(house: Installation, alias: str) -> str:
    row = house.mailcow.state.alias_at(f"{alias}@{DOMAIN}")
    assert row is not None
    return row.goto


def settles(house: Installation) -> None:
    """Check that nothing is left to do at the same clock."""
    house.writes()
    assert house.at_clock("-q").said == ""
    assert house.writes() == []


def test_a_mailbox_is_renamed_with_all_that_belongs_to_it(office: Installation) -> None:
    mailbox = office.mailbox(1)
    office.change(1, mail=NEW)
    done = office.again(minutes=5)
    assert (done.code, done.err) == (0, ""), done.said
    assert office.mailcow.state.mailbox(NEW) is mailbox
    old = office.mailcow.state.alias_at(address(1))
    assert old is not None
    assert (old.goto, old.private_comment, old.sogo_visible, old.sender_allowed) == (NEW, "ldap-sync:renamed", 0, 1)
    assert goto(office, "boss") == NEW
    assert goto(office, "team") == f"{NEW},{address(2)}"
    settles(office)


def test_a_right_that_names_the_old_address_means_the_same_person(office: Installation) -> None:
    office.change(1, mail=NEW)
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert "grant" not in done.out
    assert office.mailcow.snapshot()["sender_acl"] == [{"mailbox": address(3), "send_as": NEW, "external": False}]
    settles(office)


def test_two_people_who_swap_their_addresses_stay_until_one_has_a_free_one(office: Installation) -> None:
    first, second = office.mailbox(1), office.mailbox(2)
    office.change(1, mail=f"between@{DOMAIN}")
    office.change(2, mail=address(1))
    office.change(1, mail=address(2))
    done = office.again(minutes=5)
    assert done.code == 3
    assert done.out.count("give one of them a free address first") == 2
    assert (office.mailbox(1), office.mailbox(2)) == (first, second)
    office.change(1, mail=f"between@{DOMAIN}")
    assert office.again(minutes=5).code == 0
    assert office.again(minutes=5).code == 0
    office.change(1, mail=address(2))
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert (office.mailbox(2), office.mailbox(1)) == (first, second)
    settles(office)


def test_people_move_up_one_in_each_run(office: Installation) -> None:
    boxes = {number: office.mailbox(number) for number in (1, 2, 3)}
    office.change(3, mail=NEW)
    office.change(2, mail=address(3))
    office.change(1, mail=address(2))
    for _ in boxes:
        done = office.again("-v", minutes=5)
        assert (done.code, done.out.count("rename ")) == (0, 1), done.said
    assert [office.mailcow.state.mailbox(one) for one in (address(2), address(3), NEW)] == list(boxes.values())
    settles(office)


@pytest.mark.parametrize("by", ["directory", "hand"])
def test_an_inactive_mailbox_is_renamed_once_it_is_active(office: Installation, by: str) -> None:
    if by == "hand":
        office.edit_by_hand(1, active=0)
    else:
        office.change(1, mailActive="FALSE")
        office.again(minutes=5)
    mailbox = office.mailbox(1)
    assert mailbox.active == 0
    office.change(1, mail=NEW)
    done = office.again("-v", minutes=5)
    assert done.code == 0, done.said
    assert "so it is renamed once it is active again" in done.out
    assert (office.mailbox(1), mailbox.active) == (mailbox, 0)
    if by == "hand":
        office.edit_by_hand(1, active=1)
    else:
        office.change(1, mailActive="TRUE")
        office.again(minutes=5)
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert office.mailcow.state.mailbox(NEW) is mailbox
    old = office.mailcow.state.alias_at(address(1))
    assert old is not None
    assert (old.active, old.goto, old.private_comment) == (1, NEW, "ldap-sync:renamed")
    settles(office)


def test_a_further_address_becomes_the_first_and_the_other_way_round(office: Installation) -> None:
    """What Active Directory does when somebody marries: proxyAddresses swap SMTP: and smtp:."""
    office.change(1, mail=f"boss@{DOMAIN}", mailAlias=address(1))
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert office.mailcow.state.mailbox(f"boss@{DOMAIN}") is not None
    old = office.mailcow.state.alias_at(address(1))
    assert old is not None
    assert (old.goto, old.private_comment, old.sogo_visible) == (f"boss@{DOMAIN}", "ldap-sync", 1)
    settles(office)
    office.change(1, mail=address(1), mailAlias=f"boss@{DOMAIN}")
    assert office.again(minutes=5).code == 0
    assert goto(office, "boss") == address(1)
    settles(office)


def test_a_former_address_goes_to_whoever_gets_it(office: Installation) -> None:
    office.change(1, mail=NEW)
    office.again(minutes=5)
    office.people(6, mail=address(1))
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert office.has_mailbox(1)
    settles(office)


def test_a_former_address_goes_with_its_person(office: Installation) -> None:
    office.change(1, mail=NEW)
    office.again(minutes=5)
    office.remove(1)
    for _ in range(3):
        assert office.again("--force-removals", "9", minutes=20).code == 0
    assert office.mailcow.state.alias_at(address(1)) is None
    assert office.mailcow.state.mailbox(NEW).active == 0  # type: ignore[union-attr]
    settles(office)


def test_renamed_twice_and_back(office: Installation) -> None:
    mailbox = office.mailbox(1)
    for mail in (NEW, f"newer@{DOMAIN}", address(1)):
        office.change(1, mail=mail)
        done = office.again(minutes=5)
        assert done.code == 0, done.said
        assert office.mailcow.state.mailbox(mail) is mailbox
        settles(office)
    assert [goto(office, name) for name in ("new", "newer")] == [address(1)] * 2


def test_dovecot_that_is_down_is_told_and_waited_for(office: Installation) -> None:
    office.mailcow.state.container_states["dovecot-mailcow"] = "exited"
    office.change(1, mail=NEW, givenName="Zoë")
    done = office.again(minutes=5)
    assert done.code == 3
    assert "dovecot-mailcow is exited" in done.out
    assert office.has_mailbox(1)
    assert office.mailbox(1).name != "Zoë Ahmed"
    office.mailcow.state.container_states.clear()
    assert office.again(minutes=5).code == 0
    assert office.mailcow.state.mailbox(NEW).name == "Zoë Ahmed"  # type: ignore[union-attr]
    settles(office)


class DownAfterOneLook(dict[str, str]):
    """The states of containers of which dovecot goes down once somebody has looked."""

    looks = count()

    def get(self, name: str, default: object = None, /) -> str:
        is_down = name == "dovecot-mailcow" and next(self.looks) > 0
        return "restarting" if is_down else str(default)


def test_a_rename_is_not_sent_again_where_dovecot_went_down_meanwhile(office: Installation) -> None:
    office.mailcow.state.container_states = DownAfterOneLook()
    office.mailcow.faults.add("deadlock", "edit/rename-mbox")
    office.change(1, mail=NEW)
    done = office.again(minutes=5)
    assert done.code == 3
    assert "dovecot-mailcow is restarting" in done.out
    assert [call.path for call in office.writes()] == ["edit/rename-mbox"]
    office.mailcow.state.container_states = {}
    assert office.again(minutes=5).code == 0
    assert office.mailcow.state.mailbox(NEW) is not None
    settles(office)


@pytest.mark.parametrize(("active", "rebuilds"), [(1, 0), (2, 2)])
def test_what_it_costs_is_what_was_told(office: Installation, active: int, rebuilds: int) -> None:
    office.edit_by_hand(4, active=active)
    office.change(4, mail=NEW)
    told = office.again("--dry-run", "--output", "json", minutes=5).document["cost"]["rebuilds"]
    office.writes()
    assert office.again(minutes=5).code == 0
    assert sum(call.full for call in office.writes()) == told == rebuilds


def test_a_dry_run_shows_it_and_does_nothing(office: Installation) -> None:
    office.change(1, mail=NEW)
    done = office.again("--dry-run", minutes=5)
    assert f"rename    {address(1)} -> {NEW}; the old address stays as an alias" in done.out
    assert office.writes() == []


def test_renames_can_be_held(office: Installation) -> None:
    office.config(renames="hold")
    office.change(1, mail=NEW)
    done = office.again(minutes=5)
    assert done.code == 3
    assert "the config says renames: hold" in done.out
    assert office.writes() == []


def test_a_mailcow_that_can_not_rename_is_told_and_nothing_is_touched(office: Installation) -> None:
    office.mailcow.state.version = "2024-08a"
    office.change(1, mail=NEW, mailAlias=NEW)
    for _ in range(3):
        done = office.again(minutes=31)
        assert done.code == 3
    assert "older than 2024-11" in office.at_clock("-v").out
    assert office.mailbox(1).active == 1
    assert [write.path for write in office.writes() if "mailbox" in write.path] == []


def test_too_many_at_once_wait_for_a_word(office: Installation) -> None:
    office.config(limits={"renames": 2})
    for number in (1, 2, 3):
        office.change(number, mail=f"new{number}@{DOMAIN}")
    done = office.again(minutes=5)
    assert done.code == 4
    assert "3 of 5 managed mailboxes would be renamed, and limits.renames lets 2 through" in done.out
    assert "--approve rename:3" in done.out
    assert office.again("--force-removals", "3", minutes=5).code == 4
    assert office.writes() == []
    assert office.again("--approve", "rename:3", minutes=5).code == 0
    assert office.mailcow.state.mailbox(f"new3@{DOMAIN}") is not None
    settles(office)


# another domain


@pytest.fixture
def two_domains(office: Installation) -> Installation:
    office.mailcow.state.add_domain(DomainLimits("example.net"))
    return office


def test_in_another_domain_there_is_a_new_mailbox_and_the_old_one_retires(two_domains: Installation) -> None:
    office, old = two_domains, two_domains.mailbox(1)
    office.config(limits={"removals": 5, "list_shrink": "50%"})
    office.change(1, mail="user1@example.net")
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert office.mailcow.state.mailbox("user1@example.net") is not None
    assert (goto(office, "boss"), goto(office, "team")) == ("user1@example.net", f"{address(2)},user1@example.net")
    assert old.active == 1
    settles(office)
    done = office.again(minutes=31)
    assert done.code == 0, done.said
    assert "its user has a mailbox in another domain now" in done.out
    assert old.active == 0
    settles(office)


def test_and_back_to_the_old_mailbox_with_what_was_in_it(two_domains: Installation) -> None:
    office, old = two_domains, two_domains.mailbox(1)
    office.change(1, mail="user1@example.net")
    for _ in range(3):
        assert office.again(minutes=31).code == 0
    assert old.active == 0
    office.change(1, mail=address(1))
    done = office.again(minutes=5)
    assert done.code == 0, done.said
    assert office.mailbox(1) is old
    assert old.active == 1
    assert goto(office, "boss") == address(1)
    settles(office)
    for _ in range(3):
        assert office.again(minutes=31).code == 0
    assert office.mailcow.state.mailbox("user1@example.net").active == 0  # type: ignore[union-attr]
    settles(office)


def test_where_the_new_mailbox_can_not_be_made_the_old_one_goes_on(two_domains: Installation) -> None:
    office = two_domains
    office.mailcow.state.domains["example.net"].mailboxes = 0
    office.change(1, mail="user1@example.net")
    for _ in range(3):
        done = office.again(minutes=31)
        assert done.code == 3
        assert "no_room_for_mailbox" in done.out or not done.out
    assert office.mailbox(1).active == 1
    assert (goto(office, "boss"), goto(office, "team")) == (address(1), f"{address(1)},{address(2)}")
    settles_but_for_findings(office)


def settles_but_for_findings(house: Installation) -> None:
    house.writes()
    house.at_clock("-q")
    assert house.writes() == []
