"""A state file that is lost at any point: the next run owns what was owned, and nothing else, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from tests.directory_server import Slapd
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import DOMAIN, Installation
from .story import (
    SCHEMA,
    Act,
    alias_by_hand,
    by_hand,
    delete_by_hand,
    edit_by_hand,
    full,
    group,
    members,
    of_user,
    user,
    user_dn,
)

MAPPED = {"active": "mailActive", "aliases": ["mailAlias"], "group_addresses": "mailOnList"}
STORED = "{SSHA}0x4vVJXZDBfGGaVLYfYJHn8OWnGvoGbpVHUBLg=="
"""What `story.user` gives everybody, as a password that mailcow has too."""

TIMES = frozenset({"modified", "passwd_update", "recovery_email"})
"""`recovery_email` too: mailcow writes the key, without a value, at a mailbox's first edit."""


@pytest.fixture(params=[("keep_password", "paris"), ("overwrite", "ldap-sync")], ids="-".join)
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installation]:
    policy, mark = request.param
    clock = Clock("2026-11-21 11:00:00")
    with Slapd(schema=SCHEMA) as slapd, MailcowServer([DomainLimits(DOMAIN)], clock=clock) as mailcow:
        house = Installation(tmp_path, slapd, mailcow)
        house.config(
            ldap__user_mapping=MAPPED,
            ldap__group_search_base=slapd.groups_dn,
            ldap__group_search_filter="(objectClass=mailGroup)",
            adopt_mailboxes=policy,
            mark=mark,
            protected=[full("fort"), full("fortress")],
        )
        yield house


@dataclass(frozen=True)
class Step:
    title: str
    happens: tuple[Act, ...]
    ours: str = ""
    """What is ours from now on, beside what was: mailboxes, and aliases as `alias:name`; a minus for what isn't."""
    disputed: frozenset[str] = frozenset()
    """What carries both our mark and another's: nobody touches it, and only the state file says that it was ours."""


def box_by_hand(name: str, **attributes: object) -> Act:
    """Somebody makes a mailbox in mailcow, with the password that the directory has."""
    named = {"local_part": name, "domain": DOMAIN, "name": name, "quota": "100", "active": "1"}
    return by_hand("add/mailbox", {**named, "password": STORED, "password2": STORED, **attributes})


def edit_box(name: str, **attributes: object) -> Act:
    return by_hand("edit/mailbox", {"items": [full(name)], "attr": attributes})


def tag(name: str, kind: str) -> Act:
    """Somebody sees that a mailbox has a tag made of our mark."""

    def act(house: Installation) -> None:
        row = house.mailcow.state.mailbox(full(name))
        assert row is not None
        assert f"{house.settings['mark']}{kind}" in row.tags

    return act


def releases(name: str) -> Act:
    def act(house: Installation) -> None:
        assert house.at_clock("release", full(name)).code == 0

    return act


def leaves(name: str) -> Act:
    return lambda house: house.slapd.delete(user_dn(house, name))


def confirms(house: Installation) -> None:
    """The administrator says that removals are meant: with a lost state file no absence is believed without that."""
    house.again("--force-removals", "9", minutes=1)


def runs(times: int, minutes: float) -> Act:
    """So much time goes by, with a run at the end of each part of it."""

    def act(house: Installation) -> None:
        for _ in range(times):
            house.again(minutes=minutes)

    return act


STEPS = (
    Step(
        "people, an alias and a list are made",
        (
            *(user(name) for name in ("ann", "ben", "cat", "dan", "eve", "fay")),
            of_user("ann", mailAlias=full("info")),
            group("team", "ann", "ben", "cat"),
            group("board", "dan"),
        ),
        "ann ben cat dan eve fay alias:info alias:team alias:board",
    ),
    Step(
        "somebody makes mailboxes and aliases for nobody in the directory",
        (
            box_by_hand("printer", tags=["staff"]),
            box_by_hand("scanner"),
            alias_by_hand("odd", "ann"),
            alias_by_hand("even", "ben", private_comment="for the press"),
        ),
    ),
    Step(
        "somebody made a mailbox, two aliases and a list before the directory asked for them",
        (
            box_by_hand("gus"),
            alias_by_hand("kin", "ann"),
            alias_by_hand("kit", "ann", private_comment="for the press"),
            alias_by_hand("choir", "ann ben"),
            user("gus"),
            of_user("ann", mailAlias=[full("info"), full("kin"), full("kit")]),
            group("choir", "ann", "ben"),
        ),
        "gus alias:kin alias:kit alias:choir",
    ),
    Step(
        "an alias goes elsewhere, so it isn't taken over",
        (alias_by_hand("far", "ben"), of_user("cat", mailAlias=full("far"))),
    ),
    Step("one is inactive in the directory", (of_user("ben", mailActive="FALSE"),)),
    Step(
        "one is set inactive by hand, one barred from logging in",
        (edit_box("cat", active=0), edit_box("eve", active=2)),
    ),
    Step("the last who was on a list is inactive", (of_user("dan", mailActive="FALSE"),)),
    Step("an alias is set inactive by hand", (edit_by_hand("info", active=0),)),
    Step("both are active again", (of_user("ben", mailActive="TRUE"), of_user("dan", mailActive="TRUE"))),
    Step(
        "a mailbox and an alias are released",
        (releases("fay"), releases("kin"), tag("fay", ":released"), of_user("fay", cn="Other", sn="Other")),
        "-fay -alias:kin",
    ),
    Step(
        "protected ones are wanted",
        (box_by_hand("fort"), alias_by_hand("fortress", "ann"), user("fort", mailAlias=full("fortress"))),
    ),
    Step(
        "so are another installation's",
        (
            box_by_hand("their", tags=["ldap-sync-rome"]),
            box_by_hand("theirs", tags=["rome", "ldap-sync:rome", "rome:disabled"]),
            alias_by_hand("theirlist", "ann ben", private_comment="ldap-sync-rome"),
            alias_by_hand("theiralias", "their", private_comment="ldap-sync-rome:disabled", active="0"),
            user("their", mailAlias=full("theiralias")),
            user("theirs"),
            group("theirlist", "ann", "ben"),
        ),
    ),
    Step("another one takes one of ours", (edit_box("eve", tags=["ldap-sync-rome"]),), disputed=frozenset({"eve"})),
    Step("and leaves it again", (by_hand(f"delete/mailbox/tag/{full('eve')}", ["ldap-sync-rome"]),)),
    Step("somebody leaves, and half of the grace goes by", (leaves("gus"), runs(1, 1))),
    Step("the other half, too", (runs(3, 31), confirms)),
    Step("somebody's alias is gone", (delete_by_hand("info"), of_user("ann", mailAlias=full("kit"))), "-alias:info"),
    Step(
        "a list ends",
        (lambda house: house.slapd.delete(f"cn=board,{house.slapd.groups_dn}"), runs(3, 31)),
        "-alias:board",
    ),
    Step("a list has nobody", (members("choir"), confirms)),
    Step("and somebody again", (members("choir", "cat", "dan"), edit_box("cat", active=1))),
)


def loses_state(house: Installation) -> None:
    for path in house.folder.glob("mailcow_ldap_sync.sqlite3*"):
        path.unlink()


def owned(house: Installation) -> set[str]:
    """Return what the state file says is ours."""
    found = {f"alias:{address}" for (address,) in house.rows("SELECT address FROM alias")}
    found |= {address for (address,) in house.rows("SELECT address FROM mailbox")}
    return {address.removesuffix(f"@{DOMAIN}") for address in found}


def contents(house: Installation) -> dict[str, Any]:
    """Return what mailcow holds, without the times."""
    found = cast("dict[str, Any]", house.mailcow.snapshot())
    return {name: _timeless(found[name]) for name in ("mailboxes", "aliases")}


def _timeless(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in TIMES}
    return value


def story(house: Installation, check: Callable[[Step, set[str]], None]) -> None:
    """Let one step after the other happen, with a run after each."""
    ours: set[str] = set()
    for step in STEPS:
        for act in step.happens:
            act(house)
        house.again("--approve", "adopt:9", minutes=1)
        words = step.ours.split()
        ours = (ours | {word for word in words if word[0] != "-"}) - {word[1:] for word in words if word[0] == "-"}
        check(step, ours)


def test_a_state_file_that_is_lost_at_any_point_loses_nothing_and_takes_nothing(house: Installation) -> None:
    def check(step: Step, ours: set[str]) -> None:
        assert (step.title, owned(house)) == (step.title, ours)
        before = contents(house)
        loses_state(house)
        house.writes()
        codes = []
        for _ in range(3):
            codes.append(house.again("--output", "json", minutes=1).code)
            assert (step.title, owned(house)) == (step.title, ours - step.disputed)
            assert (step.title, contents(house)) == (step.title, before)
        assert set(codes) <= {0, 3, 4}
        house.writes()
        assert house.again(minutes=1).said == ""
        assert (step.title, house.writes()) == (step.title, [])

    story(house, check)
