"""What must hold whatever a directory says."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.desired import Asked, EntryId, Forward, Group, User, read_answers
from ldap2mailcow.model import FLAGS, Address, Answer, Answers, AnySenders, Code, Entry

from .builders import LISTS, ask, dn_of, entry, group, group_dn, group_of, id_of, make_config

GROUP_MAPPING = {
    "member": ["member", "memberUid", "memberURL"],
    "aliases": ["proxyAddresses"],
    "send_as": "sendAs",
    "internal": "flag",
    "catch_all": "flag",
    "comment": "description",
}
MAPPING = {
    "aliases": ["proxyAddresses"],
    "group_addresses": "mailGroup",
    "forward_to": "forward",
    "send_as": "sendAs",
    "active": "flag",
}
CONFIG: Any = make_config(
    MAPPING,
    {**LISTS, "alias_search_filter": "(mail=*)", "group_mapping": GROUP_MAPPING, "send_as_any": "cn=odd"},
)
URL = "ldap:///dc=example,dc=org??sub"

ATTRIBUTES = (
    *("mail", "entryUUID", "proxyAddresses", "mailGroup", "forward", "sendAs", "member", "memberUid", "memberURL"),
    *("flag", "description", "uid", "cn", "mailForwardingAddress"),
)
BYTES = st.binary(max_size=12) | st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass"))
TYPICAL = st.sampled_from(
    [
        *(b"ann@example.org", b"x@example.org", b"staff@example.org", b"x@alias.example", b"@example.org", b"@", b""),
        *(b"x@elsewhere.test", b"smtp:y@example.org", b"x500:/o", b"TRUE", b"maybe", b"ann", b"*", b"ldap://", b"=,="),
        *(dn.encode() for dn in (dn_of("ann"), group_dn("staff"), "cn=odd", "cn=odd,cn=odd", f"{dn_of('bob')}#'01'B")),
        URL.encode(),
    ]
)
ODD = st.dictionaries(st.sampled_from(ATTRIBUTES), st.lists(BYTES | TYPICAL, max_size=4))
PLACES = st.sampled_from(["users", "groups", "forwards", "outside", "selected"])


def odd_entry(attributes: dict[str, list[bytes]], number: int = 0) -> Entry:
    dn = f"cn=odd{number or ''}"
    given: dict[str, list[bytes]] = {"entryUUID": [dn.encode()], **attributes}
    return Entry(dn, {name.lower(): tuple(values) for name, values in given.items()})


def ask_all(places: dict[str, list[Entry]]) -> Asked:
    """Return what entries in some answers ask for."""
    groups = places.get("groups", [])
    return ask(
        *places.get("users", ()),
        groups=groups,
        forwards=places.get("forwards", ()),
        outside=places.get("outside", ()),
        selected={URL: tuple(places.get("selected", ()))},
        anyone=AnySenders(group=next((one for one in groups if one.dn == "cn=odd"), None)),
        config=CONFIG,
    )


def ordinary() -> dict[str, list[Entry]]:
    """Return entries about which nothing is odd."""
    return {
        "users": [entry("ann", proxyAddresses="a@example.org"), entry("bob", sendAs="ann@example.org")],
        "groups": [group("staff", member=[dn_of("ann"), group_dn("crew")]), group("crew", member=dn_of("bob"))],
        "forwards": [entry("info", mailForwardingAddress="ann@example.org")],
    }


def test_of_what_is_ordinary_everything_is_asked_for() -> None:
    asked = ask_all(ordinary())
    ann, bob = asked.users
    assert ann.aliases == {"a@example.org"}
    assert bob.senders == {"ann@example.org"}
    assert group_of(asked).members == {id_of("ann"), id_of("crew")}
    assert group_of(asked, "crew").members == {id_of("bob")}
    assert asked.forwards[0].stated == {"ann@example.org"}
    assert asked.findings == ()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(odd=st.lists(st.tuples(PLACES, ODD), max_size=3))
def test_whatever_entries_hold_only_usable_values_come_of_it(odd: list[tuple[str, dict[str, list[bytes]]]]) -> None:
    places = ordinary()
    for number, (place, attributes) in enumerate(odd):
        places.setdefault(place, []).append(odd_entry(attributes, number))
    asked = ask_all(places)
    ids = {one.id for of_kind in (asked.users, asked.groups, asked.forwards) for one in of_kind}
    for named in (
        *(user.senders for user in asked.users),
        *(forward.stated for forward in asked.forwards),
        *(found.members | found.senders for found in asked.groups),
    ):
        assert {one for one in named if isinstance(one, EntryId)} <= ids
        assert all(is_usable(one) for one in named if isinstance(one, Address))
    for found in asked.groups:
        assert all(map(is_usable, {*found.addresses, *found.further}))
        assert found.members.isdisjoint({*found.addresses, *found.further})
        assert found.flags.keys() <= set(FLAGS)
        assert found.comment is None or 0 < len(found.comment.encode()) <= 160
    assert asked.any_senders <= {user.id for user in asked.users}
    assert len(asked.users) + len(asked.without_id) == len(places["users"])


def is_usable(address: Address) -> bool:
    return Address.parse(address if address.local else f"x{address}").domain == address.domain


@settings(derandomize=True, deadline=None, max_examples=100)
@given(place=PLACES, odd=ODD)
def test_an_odd_entry_changes_nothing_of_the_others(place: str, odd: dict[str, list[bytes]]) -> None:
    """Only members may be added; a list that only members name may come."""
    alone = ask_all(ordinary())
    places = ordinary()
    places.setdefault(place, []).append(odd_entry(odd))
    together = ask_all(places)
    assert [user for user in together.users if user.dn != "cn=odd"] == list(alone.users)
    assert [one for one in together.forwards if one.dn != "cn=odd"] == list(alone.forwards)
    for found in alone.groups:
        (same,) = (one for one in together.groups if one.id == found.id)
        assert (same.addresses, same.flags) == (found.addresses, found.flags)
        assert same.members >= found.members
    assert [one for one in together.findings if "odd" not in one.where] == []


@settings(derandomize=True, deadline=None, max_examples=100)
@given(odd=st.lists(st.tuples(PLACES, ODD), max_size=4), data=st.data())
def test_the_order_of_entries_and_values_is_all_one(
    odd: list[tuple[str, dict[str, list[bytes]]]], data: st.DataObject
) -> None:
    places = ordinary()
    for number, (place, attributes) in enumerate(odd):
        places.setdefault(place, []).append(odd_entry(attributes, number))
    shuffled = {
        place: [shuffled_values(one, data) for one in data.draw(st.permutations(entries))]
        for place, entries in places.items()
    }
    assert without_order(ask_all(shuffled)) == without_order(ask_all(places))


def shuffled_values(found: Entry, data: st.DataObject) -> Entry:
    """Return an entry with its values in any order, but for the id, which has one."""
    return Entry(
        found.dn,
        {
            name: values if name == "entryuuid" else tuple(data.draw(st.permutations(values)))
            for name, values in found.attributes.items()
        },
    )


def without_order(asked: Asked) -> object:
    """Return what is asked for without the orders of the answers, and of the values of `mail`."""
    things: tuple[User | Group | Forward, ...] = (*asked.users, *asked.groups, *asked.forwards)
    values = {
        (type(one), one.id, one.dn): {field.name: _unordered(getattr(one, field.name)) for field in fields(one)}
        for one in things
    }
    return values, asked.any_senders, asked.dns, set(asked.without_id), asked.findings


def _unordered(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value


def test_each_finding_is_told_once_and_names_the_directory_where_there_are_several() -> None:
    """A group that the user filter finds too is read twice."""
    one = CONFIG.sources[0]
    several = CONFIG.model_copy(update={"ldap": (one, one.model_copy(update={"name": "branch"}))})
    crew = Answer((group("crew", mail="nobody"),))
    for config, directory in ((CONFIG, ""), (several, "default")):
        asked = read_answers(Answers(crew, crew), one, config, id_attribute="entryUUID")
        assert [(finding.code, finding.directory) for finding in asked.findings] == [(Code.BAD_ADDRESS, directory)]
