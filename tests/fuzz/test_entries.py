"""One entry of somebody who means harm: whatever is in it, no run breaks, and no other entry's plan changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.directory_server import Slapd
from tests.directory_server.scripted import Done, Found, Reply, ScriptedServer, Search
from tests.integration.sync.installation import Installation
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from . import trials
from .hostile import DOMAIN, SUFFIX, Attributes, Hostile

ENTRIES = trials(2000)
START = int(os.environ.get("FUZZ_START", "0"))
"""The first seed: what failed is tried again by it."""
PEOPLE, GROUPS, FORWARDS = (f"ou={name},{SUFFIX}" for name in ("people", "groups", "forwards"))
HASH = b"{SSHA}0x4vVJXZDBfGGaVLYfYJHn8OWnGvoGbpVHUBLg=="
OTHERS = frozenset(
    f"{name}@{DOMAIN}" for name in ("ann", "bob", "cat", "dan", "eve", "staff", "info", "ann.other", "bob.new")
)
"""What belongs to others: a change of any of these is theirs."""
MAPPING = {
    "quota": "MailQuota",
    "active": "mailActive",
    "tls_enforce_in": "tlsIn",
    "aliases": ["mailAlias", "proxyAddresses"],
    "group_addresses": "mailOnList",
    "forward_to": "mailForwardingAddress",
    "send_as": "mailSendAs",
}
GROUP_MAPPING = {
    "member": ["member", "memberUid", "memberURL", "rfc822MailMember"],
    "aliases": ["mailAlias"],
    "send_as": "mailSendAs",
    "internal": "internal",
    "sogo_visible": "visible",
    "catch_all": "catchAll",
    "comment": "description",
}


def person(name: str, **more: list[bytes]) -> tuple[str, Attributes]:
    attributes = {
        "entryUUID": [name.encode()],
        "uid": [name.encode()],
        "mail": [f"{name}@{DOMAIN}".encode()],
        "sn": [b"Other"],
        "userPassword": [HASH],
        "mailActive": [b"TRUE"],
        **more,
    }
    return f"uid={name},{PEOPLE}", attributes


def staff(*members: str) -> tuple[str, Attributes]:
    attributes = {
        "entryUUID": [b"staff"],
        "mail": [f"staff@{DOMAIN}".encode()],
        "member": [f"uid={name},{PEOPLE}".encode() for name in members],
        "memberUid": [b"bob"],
    }
    return f"cn=staff,{GROUPS}", attributes


def info(*targets: str) -> tuple[str, Attributes]:
    goto = [f"{target}@{DOMAIN}".encode() for target in targets]
    return f"cn=info,{FORWARDS}", {
        "entryUUID": [b"info"],
        "mail": [f"info@{DOMAIN}".encode()],
        "mailForwardingAddress": goto,
    }


class Directory:
    """What the server has: entries by the place that they are searched for in."""

    def __init__(self) -> None:
        self.places: dict[str, dict[str, Attributes]] = {PEOPLE: {}, GROUPS: {}, FORWARDS: {}}

    def put(self, place: str, *entries: tuple[str, Attributes]) -> None:
        self.places[place] = dict(entries)

    def script(self, search: Search) -> Iterable[Reply]:
        if "nosuch" in search.base or search.base.endswith(("\\", "=", "+")):
            return [Done(34, "invalid DN")]
        if "ou=secret" in search.base:
            return [Done(50)]
        if "entryDN" in search.compared or search.base not in self.places:
            return [Done(0 if search.base.endswith(SUFFIX) else 32)]
        return [*(Found(dn, attributes) for dn, attributes in self.places[search.base].items()), Done()]


@pytest.fixture
def directory() -> Directory:
    """Return a directory in which all are there."""
    found = Directory()
    names = ("ann", "bob", "cat", "dan")
    found.put(PEOPLE, *map(person, names), person("ann", mailAlias=[f"ann.other@{DOMAIN}".encode()]))
    found.put(GROUPS, staff("ann", "cat", "dan"))
    found.put(FORWARDS, info("ann"))
    return found


@pytest.fixture
def house(tmp_path: Path, directory: Directory) -> Iterator[Installation]:
    """An installation that has seen the directory as it was."""
    root = {"namingContexts": [SUFFIX.encode()]}
    limits = DomainLimits(DOMAIN, aliases=6)
    with (
        ScriptedServer(directory.script, root=root) as server,
        MailcowServer([limits], clock=Clock("2026-11-21 11:00:00")) as mailcow,
    ):
        place = SimpleNamespace(uri=server.uri, reader_dn="cn=reader", reader_password="secret", people_dn=PEOPLE)
        found = Installation(tmp_path, cast("Slapd", place), mailcow)
        found.config(
            ldap__user_mapping=MAPPING,
            ldap__group_search_base=GROUPS,
            ldap__group_mapping=GROUP_MAPPING,
            ldap__alias_search_base=FORWARDS,
        )
        assert found.at_clock().code == 0
        yield found


def plan_of_others(house: Installation) -> list[str]:
    """Return what a run would do to others, what it would hold, and whether it believes the answer."""
    done = house.at_clock("--dry-run", "--output", "json")
    assert done.code in {0, 3}, done.said
    assert len(done.said) < 500_000
    document = done.document
    changes = [plainly(change) for change in document["changes"] if change["address"] in OTHERS]
    return [
        *sorted(changes),
        *(f"{key}: {document[key]}" for key in ("withheld", "pending", "answer_whole", "reasserted")),
    ]


def is_gift(place: str, text: str) -> bool:
    """Tell whether a change is a right that a group gives to its members: that is what it is for."""
    return place == GROUPS and text.startswith("grant")


def plainly(change: Mapping[str, Any]) -> str:
    """Return a change without the members that the hostile entry added itself to a list as."""
    fields = {one["key"]: _without_evil(one["after"]) for one in change["fields"]}
    return f"{change['kind']} {change['address']} {change['dn']} {change['rule']} {fields} {change['password']}"


def _without_evil(value: object) -> object:
    return ",".join(one for one in value.split(",") if not one.startswith("evil")) if isinstance(value, str) else value


def change_something(house: Installation, directory: Directory) -> None:
    """Change everything a bit, so that each kind of change is due in the next run, for dan's mailbox too."""
    rest = [person("ann", mailAlias=[f"ann.other@{DOMAIN}".encode()]), person("bob"), person("cat")]
    directory.put(PEOPLE, *rest)
    assert house.again("-q", minutes=5).code == 0
    house.hands.forward(hours=1)
    send_as = [f"uid=ann,{PEOPLE}".encode(), f"staff@{DOMAIN}".encode()]
    directory.put(
        PEOPLE,
        person("ann", sn=[b"Changed"]),
        person("bob", mailAlias=[f"bob.new@{DOMAIN}".encode()], mailSendAs=send_as),
        person("cat"),
        person("eve"),
    )
    directory.put(GROUPS, staff("ann", "dan"))
    directory.put(FORWARDS, info("cat"))


def test_no_entry_harms_others(house: Installation, directory: Directory) -> None:
    """What is due for others stays due, removals too, and nothing waits for a word because of one odd entry."""
    change_something(house, directory)
    before = {place: dict(entries) for place, entries in directory.places.items()}
    expected = plan_of_others(house)
    assert {text.partition(" ")[0] for text in expected} >= {"create", "update", "disable", "remove", "grant"}
    for seed in range(START, START + ENTRIES):
        hostile = Hostile(seed)
        place, make = ((PEOPLE, hostile.person), (GROUPS, hostile.group), (FORWARDS, hostile.forward))[seed % 3]
        directory.places = {**before, place: {**before[place], **dict([make()])}}
        found = plan_of_others(house)
        assert [text for text in found if not is_gift(place, text)] == [
            text for text in expected if not is_gift(place, text)
        ], f"the entry of seed {seed}"
