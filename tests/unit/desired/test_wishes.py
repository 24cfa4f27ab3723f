"""What must hold whatever a directory says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.desired import Wishes
from ldap2mailcow.model import FLAGS, Address, Entry, Role

from .builders import LISTS, ask, dn_of, entry, goto_of, group, group_dn, make_config

GROUP_MAPPING = {
    "member": ["member", "memberUid", "memberURL"],
    "aliases": ["proxyAddresses"],
    "send_as": "sendAs",
    "internal": "flag",
    "catch_all": "flag",
    "comment": "description",
}
MAPPING = {"aliases": ["proxyAddresses"], "group_addresses": "mailGroup", "forward_to": "forward", "send_as": "sendAs"}
CONFIG: Any = make_config(MAPPING, {**LISTS, "alias_search_filter": "(mail=*)", "group_mapping": GROUP_MAPPING})
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


def ask_all(
    places: dict[str, list[Entry]],
    holders: Mapping[str, str] | None = None,
    mailboxes: Mapping[str, Address] | None = None,
) -> Wishes:
    """Return what entries in some answers ask for."""
    return ask(
        *places.get("users", ()),
        groups=places.get("groups", ()),
        forwards=places.get("forwards", ()),
        outside=places.get("outside", ()),
        selected={URL: tuple(places.get("selected", ()))},
        anyone=["cn=odd", dn_of("ann")],
        config=CONFIG,
        holders=holders,
        mailboxes=mailboxes,
    )


def ordinary() -> dict[str, list[Entry]]:
    """Return entries about which nothing is odd."""
    return {
        "users": [entry("ann", proxyAddresses="a@example.org"), entry("bob", sendAs="ann@example.org")],
        "groups": [group("staff", member=[dn_of("ann"), group_dn("crew")]), group("crew", member=dn_of("bob"))],
        "forwards": [entry("info", mailForwardingAddress="ann@example.org")],
    }


@settings(derandomize=True, deadline=None, max_examples=600)
@given(odd=st.lists(st.tuples(PLACES, ODD), max_size=3))
def test_whatever_entries_hold_only_usable_aliases_come_of_it(odd: list[tuple[str, dict[str, list[bytes]]]]) -> None:
    places = ordinary()
    for number, (place, attributes) in enumerate(odd):
        places.setdefault(place, []).append(odd_entry(attributes, number))
    wishes = ask_all(places)
    for address, alias in wishes.aliases.items():
        assert address == alias.address
        assert alias.owner in wishes.owners[alias.role] | wishes.owners[Role.USER]
        assert address not in alias.goto
        assert list(alias.goto) == sorted(set(alias.goto))
        assert all(Address.parse(one) == one for one in alias.goto if one.local)
        assert alias.flags.keys() <= set(FLAGS)
        assert alias.comment is None or 0 < len(alias.comment.encode()) <= 160
    for rights in (wishes.senders, wishes.foreign_senders):
        assert all(senders and mailbox not in senders for mailbox, senders in rights.items())
    everybody: frozenset[str] = frozenset().union(*wishes.owners.values())
    assert wishes.unreadable <= everybody


@settings(derandomize=True, deadline=None, max_examples=400)
@given(place=PLACES, odd=ODD)
def test_an_odd_entry_takes_nothing_from_the_others(place: str, odd: dict[str, list[bytes]]) -> None:
    alone = ask_all(ordinary())
    places = ordinary()
    places.setdefault(place, []).append(odd_entry(odd))
    together = ask_all(
        places,
        holders={address: alias.owner for address, alias in alone.aliases.items()},
        mailboxes={f"id-{uid}": Address(f"{uid}@example.org") for uid in ("ann", "bob")},
    )
    for address, alias in alone.aliases.items():
        assert together.aliases[address].owner == alias.owner
        assert set(alias.goto) <= set(together.aliases[address].goto)
    assert all(senders <= together.senders[mailbox] for mailbox, senders in alone.senders.items())


@settings(derandomize=True, deadline=None, max_examples=300)
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
    assert ask_all(shuffled) == ask_all(places)


def shuffled_values(found: Entry, data: st.DataObject) -> Entry:
    """Return an entry with its values in any order, but for the id, which has one."""
    return Entry(
        found.dn,
        {
            name: values if name == "entryuuid" else tuple(data.draw(st.permutations(values)))
            for name, values in found.attributes.items()
        },
    )


def test_of_what_is_ordinary_everything_is_wished_for() -> None:
    wishes = ask_all(ordinary())
    ann, bob = "ann@example.org", "bob@example.org"
    assert goto_of(wishes) == {
        "a@example.org": (ann,),
        "staff@example.org": (ann, bob),
        "crew@example.org": (bob,),
        "info@example.org": (ann,),
    }
    assert wishes.senders == {ann: {"*"}, bob: {ann}}
    assert wishes.findings == ()
