"""The lists that users' own entries name."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.desired import EntryId, Group
from ldap2mailcow.model import Address, Code

from .builders import LISTS, Values, ask, codes, dn_of, entry, group, group_dn, group_of, id_of, make_config, only

STAFF, SALES = Address("staff@example.org"), Address("sales@example.org")
MAPPING: dict[str, Any] = {"aliases": ["proxyAddresses"], "catch_all": "mailCatchAll"}
CONFIG = make_config(
    {"group_addresses": "mailGroup"},
    {**LISTS, "group_mapping": MAPPING},
    allow_reserved_groups=["postmaster", "@example.org"],
)


def test_a_list_that_only_its_members_name() -> None:
    asked = ask(
        entry("ann", mailGroup=["Sales@Example.org", "it@example.org"]),
        entry("bob", mailGroup="smtp:sales@example.org"),
        config=make_config({"group_addresses": "mailGroup"}, sogo_visible={"users": False, "lists": True}),
    )
    assert group_of(asked, "sales") == Group(
        EntryId("default", SALES),
        dn="",
        addresses=(SALES,),
        members=frozenset({id_of("ann"), id_of("bob")}),
        flags={"sogo_visible": 1},
    )
    assert group_of(asked, "it").members == {id_of("ann")}
    assert asked.findings == ()


@pytest.mark.parametrize(
    "value",
    [STAFF, "s@example.org", "@example.org", group_dn("staff"), group_dn("STAFF").replace(",", " , ")],
)
def test_a_user_who_names_a_group_is_a_member(value: str) -> None:
    staff = group("staff", member=dn_of("bob"), proxyAddresses="s@example.org", mailCatchAll="TRUE")
    asked = ask(entry("ann", mailGroup=value), entry("bob"), groups=[staff], config=CONFIG)
    (found,) = asked.groups
    assert found.members == {id_of("ann"), id_of("bob")}
    assert asked.findings == ()


def test_a_user_who_names_an_address_of_two_groups_is_a_member_of_both() -> None:
    """Which of them gets the address isn't known here."""
    groups = [group("staff"), group("crew", proxyAddresses=STAFF)]
    asked = ask(entry("ann", mailGroup=STAFF), groups=groups, config=CONFIG)
    assert [one.members for one in asked.groups] == [{id_of("ann")}, {id_of("ann")}]


def test_a_dn_of_anything_but_a_list_says_nothing() -> None:
    """memberOf names all groups."""
    values = [group_dn("silent"), group_dn("nowhere"), dn_of("bob")]
    asked = ask(entry("ann", mailGroup=values), entry("bob"), groups=[group("silent", mail=None)], config=CONFIG)
    assert [one.members for one in asked.groups] == [frozenset()]
    assert codes(asked) == [Code.LIST_WITHOUT_MAIL]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("postmaster@example.org", Code.RESERVED_ADDRESS),
        ("@example.org", Code.RESERVED_ADDRESS),
        ("sales", Code.BAD_ADDRESS),
        (b"\xff", Code.NOT_UTF8),
    ],
)
def test_a_name_that_can_not_be_a_list_is_told(value: Values, code: Code) -> None:
    asked = ask(entry("ann", mailGroup=value), config=CONFIG)
    assert only(asked, code).where == dn_of("ann")
    assert asked.groups == ()


def test_a_user_who_names_a_reserved_group_is_a_member() -> None:
    """The group's entry says what the address is, the user's only that the user is a member."""
    staff = group("staff", mail="postmaster@example.org")
    asked = ask(entry("ann", mailGroup="postmaster@example.org"), groups=[staff], config=CONFIG)
    assert group_of(asked).members == {id_of("ann")}
    assert asked.findings == ()


def test_a_user_without_an_address_is_named_all_the_same() -> None:
    """Whether the user can be reached, the plan knows."""
    asked = ask(entry("ann", mail=None, mailGroup=[SALES, STAFF]), groups=[group("staff")], config=CONFIG)
    assert group_of(asked, "sales").members == group_of(asked).members == {id_of("ann")}


def test_a_user_without_an_id_names_no_list() -> None:
    asked = ask(entry("ann", entryUUID=None, mailGroup=[SALES, STAFF]), groups=[group("staff")], config=CONFIG)
    assert [one.members for one in asked.groups] == [frozenset()]


def test_one_entry_names_only_so_many_lists_that_no_group_is() -> None:
    """Each would take one of the domain's places for aliases."""
    named = [f"l{number:03}@example.org" for number in range(60)]
    asked = ask(entry("ann", mailGroup=[*named, STAFF]), groups=[group("staff")], config=CONFIG)
    assert [one.addresses[0] for one in asked.groups if not one.dn] == named[:50]
    assert group_of(asked).members == {id_of("ann")}
    assert only(asked, Code.TOO_MANY_ALIASES).where == dn_of("ann")
