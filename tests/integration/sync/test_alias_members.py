"""Members of every kind, on a real slapd: who gets mail to the list, and how many searches that takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.directory_server import Slapd, group, ldif, person
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .active_directory import DISABLED, NORMAL, SCHEMA, ad_group, ad_user
from .delivery import Tables
from .installation import DOMAIN, Done, Installation, address

STAFF = f"staff@{DOMAIN}"
MANY = 500
OUTSIDE = "elsewhere.example"

Entries = Sequence[tuple[str, Mapping[str, Sequence[bytes]]]]


@dataclass(frozen=True)
class Kind:
    """One way in which a directory says who is on a list."""

    name: str
    entries: Callable[[int], Entries]
    """Everybody, and a group `staff` with so many members."""
    reach: Callable[[int], Collection[str]]
    """Who should get its mail."""
    member: str = "member"
    overlays: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    schema: str = ""
    sizes: tuple[int, int] = (5, MANY)
    """Numbers of members between which the number of searches is the same."""


def dn(number: int) -> str:
    return person(number)[0]


def people(count: int, **attributes: Sequence[bytes]) -> Entries:
    """Return people, and a few more who are on no list."""
    return [(name, {**known, **attributes}) for name, known in map(person, range(1, count + 1))]


def others() -> Entries:
    """Return two people who are on no list."""
    return [person(number) for number in (900, 901)]


def addresses(count: int) -> Collection[str]:
    return {address(number) for number in range(1, count + 1)}


def by_dn(count: int) -> Entries:
    return [*people(count), *others(), group("staff", map(dn, range(1, count + 1)))]


def as_typed(count: int) -> Entries:
    """Return members whose DNs are typed in other ways than those of their entries, half of them with a unique id."""
    typed = [dn(number).upper().replace(",", " , ") for number in range(1, count + 1)]
    members = [f"{member}#'0101'B" if place % 2 else member for place, member in enumerate(typed)]
    return [*people(count), *others(), group("staff", members, kind="uniqueMember")]


def by_name(count: int) -> Entries:
    names = [f"user{number:06}" for number in range(1, count + 1)]
    return [*people(count), *others(), group("staff", names, kind="memberUid")]


def by_address(count: int) -> Entries:
    members = [address(number).replace("user", "User") for number in range(1, count + 1)]
    return [*people(count), *others(), group("staff", [*members, f"guest@{OUTSIDE}"], kind="rfc822MailMember")]


def by_url(count: int) -> Entries:
    url = "ldap:///ou=people,dc=example,dc=org??one?(ou=staff)"
    return [*people(count, ou=[b"staff"]), *others(), group("staff", [url], kind="memberURL")]


def outside(count: int) -> Entries:
    """Return members who aren't among the users, for their addresses are elsewhere."""
    found = []
    for name, known in people(count):
        number = name.partition(",")[0].removeprefix("uid=user")
        found.append((name, {**known, "mail": [f"guest{number}@{OUTSIDE}".encode()], "title": [b"guest"]}))
    return [*found, *others(), group("staff", map(dn, range(1, count + 1)))]


USERS, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"


def as_in_active_directory(count: int) -> Entries:
    """Return users of whom the first is disabled, and a group within the group, which holds the last of them."""
    names = [f"user{number:06}" for number in range(1, count + 1)]
    users = [
        ad_user(name, base=USERS, control=NORMAL if place else DISABLED, proxies=[f"smtp:{name[4:]}@{DOMAIN}"])
        for place, name in enumerate(names)
    ]
    dns = [user for user, _ in users]
    inner = ad_group("inner", dns[-1:], base=GROUPS, mail="")
    return [*users, inner, ad_group("staff", [*dns[:-1], inner[0]], base=GROUPS, proxies=[f"SMTP:{STAFF}"])]


KINDS = (
    Kind(
        "member, users told by memberOf",
        by_dn,
        addresses,
        overlays=("memberof",),
        settings={"ldap__user_search_filter": f"(memberOf=cn=staff,{GROUPS})"},
    ),
    Kind("uniqueMember", as_typed, addresses, member="uniqueMember"),
    Kind("memberUid", by_name, addresses, member="memberUid"),
    Kind(
        "rfc822MailMember",
        by_address,
        lambda count: {*addresses(count), f"guest@{OUTSIDE}"},
        member="rfc822MailMember",
    ),
    Kind("memberURL as it stands", by_url, addresses, member="memberURL"),
    Kind(
        "memberURL with dynlist",
        by_url,
        addresses,
        overlays=("dynlist",),
        settings={"ldap__group_search_filter": "(objectClass=groupOfURLs)"},  # member in a filter finds none in pages
    ),
    Kind(
        "Active Directory",
        as_in_active_directory,
        lambda count: set(addresses(count)) - {address(1)},
        schema=SCHEMA,
        settings={
            "ldap__user_search_filter": "(&(objectClass=user)(objectCategory=person))",
            "ldap__user_mapping": {
                "id": "objectGUID",
                "active": "userAccountControl",
                "aliases": ["proxyAddresses"],
            },
            "ldap__group_search_filter": "(objectClass=group)",
            "ldap__group_member_filter": "(distinguishedName={MEMBER_CN})",
            "missing_password": "random",
        },
    ),
    Kind(
        "members who are no users",
        outside,
        lambda count: {f"guest{number:06}@{OUTSIDE}" for number in range(1, count + 1)},
        settings={"ldap__user_search_filter": "(&(mail=*)(!(title=guest)))"},
        sizes=(5, MANY + 100),  # up to 500 of them are asked for by name, a hundred at a time
    ),
    Kind(
        "members who are no users, found by a filter",
        outside,
        lambda count: {f"guest{number:06}@{OUTSIDE}" for number in range(1, count + 1)},
        settings={
            "ldap__user_search_filter": "(&(mail=*)(!(title=guest)))",
            "ldap__group_member_filter": "(&(title=guest)(entryDN={MEMBER_CN}))",
        },
        sizes=(5, MANY + 100),
    ),
)

each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


@contextmanager
def installed(kind: Kind, count: int, folder: Path) -> Iterator[Installation]:
    """Give an installation whose directory has a list with so many members."""
    folder.mkdir()
    clock, limits = Clock("2026-11-21 11:00:00"), DomainLimits(DOMAIN, quota=10_000_000)
    with Slapd(overlays=kind.overlays, schema=kind.schema) as slapd, MailcowServer([limits], clock=clock) as mailcow:
        entries = kind.entries(count)
        slapd.load(ldif(entries[:-1]))
        slapd.add(*entries[-1])  # through slapd itself, so that overlays see it
        house = Installation(folder, slapd, mailcow)
        house.config(
            ldap__group_search_base=slapd.groups_dn,
            ldap__group_mapping={"member": [kind.member]},
            **kind.settings,
        )
        yield house


def counted(house: Installation, *options: str) -> tuple[Done, int]:
    """Run the command; return how it ended, and how many searches slapd saw."""
    before = searches(house.slapd)
    done = house.at_clock("--output", "json", *options)
    return done, searches(house.slapd) - before


def searches(slapd: Slapd) -> int:
    return slapd.log.count(" SRCH base=")


def goto(done: Done, alias: str) -> set[str]:
    """Return where a new alias goes."""
    (change,) = [one for one in done.document["changes"] if (one["kind"], one["address"]) == ("create", alias)]
    return set(change["fields"][0]["after"].split(","))


@each_kind
def test_everybody_on_the_list_gets_its_mail_and_nobody_else(kind: Kind, tmp_path: Path) -> None:
    with installed(kind, 5, tmp_path / "house") as house:
        done = house.at_clock()
        assert (done.code, done.err) == (0, "")
        tables = Tables.of(house.mailcow.state)
        assert tables.deliveries([STAFF]) == {STAFF: sorted(kind.reach(5))}
        assert set(house.mailcow.state.alias_at(STAFF).goto.split(",")) == kind.reach(5)  # type: ignore[union-attr]
        house.writes()
        assert house.again("-q").said == ""
        assert house.writes() == []


@each_kind
def test_the_number_of_searches_does_not_grow_with_the_members(kind: Kind, tmp_path: Path) -> None:
    counts = {}
    for size in kind.sizes:
        with installed(kind, size, tmp_path / str(size)) as house:
            done, counts[size] = counted(house, "--dry-run")
            assert goto(done, STAFF) == kind.reach(size)
    few, many = counts.values()
    assert few == many


# people with aliases, and lists within lists


LEAVES, MIDDLES, IN_A_LEAF = 20, 5, 3


def nested(_: int) -> Entries:
    """Return sixty people with two aliases each, twenty lists of three of them, five of four lists, one of the five."""
    leaves = [group(f"leaf{leaf}", map(dn, in_leaf(leaf))) for leaf in range(LEAVES)]
    names = [leaf for leaf, _ in leaves]
    middles = [group(f"middle{middle}", names[middle * 4 : middle * 4 + 4]) for middle in range(MIDDLES)]
    everybody = group("staff", [middle for middle, _ in middles])
    return [*map(with_aliases, range(1, LEAVES * IN_A_LEAF + 1)), *leaves, *middles, everybody]


def with_aliases(number: int) -> tuple[str, Mapping[str, Sequence[bytes]]]:
    name, known = person(number)
    return name, {**known, "mailAlias": [f"{letter}{number}@{DOMAIN}".encode() for letter in "ab"]}


def in_leaf(leaf: int) -> range:
    return range(leaf * IN_A_LEAF + 1, (leaf + 1) * IN_A_LEAF + 1)


def test_lists_within_lists_are_written_once_and_then_only_where_somebody_comes_or_goes(tmp_path: Path) -> None:
    kind = Kind("lists within lists", nested, addresses, settings={"ldap__user_mapping__aliases": ["mailAlias"]})
    with installed(kind, 0, tmp_path / "house") as house:
        first, searched = counted(house)
        assert first.code == 0
        tables = Tables.of(house.mailcow.state)
        everybody = addresses(LEAVES * IN_A_LEAF)
        assert tables.gotos[STAFF] == everybody
        assert tables.gotos[f"middle1@{DOMAIN}"] == {
            address(number) for leaf in range(4, 8) for number in in_leaf(leaf)
        }
        assert len([row for row in house.mailcow.state.aliases.values() if not row.is_self_row]) == 120 + 26
        house.writes()

        second, again = counted(house)
        assert (second.document["changes"], house.writes(), again) == ([], [], searched)

        newcomer = dn(60)
        leaf, upwards = group("leaf0")[0], {f"leaf0@{DOMAIN}", f"middle0@{DOMAIN}"}
        for members in ([*map(dn, in_leaf(0)), newcomer], list(map(dn, in_leaf(0)))):
            house.slapd.modify(leaf, {"member": members})
            house.hands.forward(minutes=5)
            done, again = counted(house)
            assert {change["address"] for change in done.document["changes"]} == upwards
            assert [write.path for write in house.writes()] == ["edit/alias"] * 2
            assert again == searched
            assert counted(house)[0].document["changes"] == []
