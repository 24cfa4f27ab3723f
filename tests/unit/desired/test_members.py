"""Who is on a list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Wishes
from ldap2mailcow.model import Address, Code, Entry

from .builders import LISTS, Values, ask, codes, dn_of, entry, goto_of, group, group_dn, make_config, only

ANN, BOB, CAT, STAFF = "ann@example.org", "bob@example.org", "cat@example.org", "staff@example.org"
FORWARDS = {"alias_search_filter": "(objectClass=nisMailAlias)"}
URL = "ldap:///ou=people,dc=example,dc=org??sub?(l=here)"


def config(
    mapping: dict[str, Any] | None = None, group_mapping: dict[str, Any] | None = None, **settings: object
) -> Config:
    source = {**LISTS, **FORWARDS, "group_mapping": group_mapping or {}}
    return make_config({"aliases": ["mailAlternateAddress"], **(mapping or {})}, source, **settings)


def staff_of(wishes: Wishes) -> tuple[str, ...]:
    """Return who is on the list, nothing being odd."""
    assert wishes.findings == ()
    return goto_of(wishes)[STAFF]


def outside(cn: str, /, **attributes: Values | None) -> Entry:
    """Return an entry that is in none of the answers."""
    return entry(cn, **attributes)


# DNs


@pytest.mark.parametrize(
    "member",
    [
        dn_of("ann"),
        dn_of("ANN").upper(),
        "uid = ann , ou=people, dc=example,dc=org",
        f"{dn_of('ann')}#'0101'B",
        "0.9.2342.19200300.100.1.1=ann,ou=people,dc=example,dc=org",
        "uid=a\\6en,ou=people,dc=example,dc=org",
    ],
)
def test_a_member_by_dn_however_it_is_written(member: str) -> None:
    assert staff_of(ask(entry("ann"), groups=[group("staff", member=member)], config=config())) == (ANN,)


def test_members_of_all_mapped_attributes_are_on_the_list_once() -> None:
    mapping = {"member": ["uniqueMember", "memberUid", "mailMember"]}
    staff = group(
        "staff", uniqueMember=dn_of("ann"), memberUid=["ann", "bob"], mailMember=[CAT, ANN], member=dn_of("x")
    )
    users = entry("ann", uid="ann"), entry("bob", uid="bob"), entry("cat")
    assert staff_of(ask(*users, groups=[staff], config=config(group_mapping=mapping))) == (ANN, BOB, CAT)


def test_who_has_no_address_to_use_is_left_out_without_another_word() -> None:
    users = entry("ann", mail=None), entry("bob", mail="bob@example.net"), entry("cat"), entry("dan", entryUUID=None)
    staff = group("staff", member=[dn_of("ann"), dn_of("bob"), dn_of("cat"), dn_of("dan")])
    assert staff_of(ask(*users, groups=[staff], config=config())) == (CAT,)


def test_who_forwards_is_on_the_list_with_the_own_address() -> None:
    ann = entry("ann", mailForward=BOB)
    staff = group("staff", member=dn_of("ann"))
    assert staff_of(ask(ann, groups=[staff], config=config({"forward_to": "mailForward"}))) == (ANN,)


def test_an_entry_that_only_forwards_is_on_the_list_with_one_of_its_addresses() -> None:
    info = entry("info", mail=["info@example.org", "about@example.org"], mailForwardingAddress=BOB)
    staff = group("staff", member=dn_of("info"))
    assert staff_of(ask(forwards=[info], groups=[staff], config=config())) == ("about@example.org",)


def test_an_entry_that_only_forwards_and_has_no_address_is_left_out() -> None:
    info = entry("info", mail="nobody", mailForwardingAddress=BOB)
    wishes = ask(forwards=[info], groups=[group("staff", member=dn_of("info"))], config=config())
    assert codes(wishes) == [Code.BAD_ADDRESS]
    assert goto_of(wishes) == {STAFF: ()}


@pytest.mark.parametrize("mail", [None, "crew@example.org"])
def test_a_group_that_the_user_filter_finds_too_is_a_group(mail: str | None) -> None:
    crew = group("crew", mail=mail, member=dn_of("ann"))
    staff = group("staff", member=group_dn("crew"))
    wishes = ask(entry("ann"), crew, groups=[staff, crew], config=config())
    assert wishes.aliases[Address(STAFF)].goto == (ANN,)


# People outside the user filter


@pytest.mark.parametrize("mail", ["eve@elsewhere.test", "eve@example.org", ["SMTP:eve@example.org", "Eve@Example.org"]])
def test_who_is_outside_the_user_filter_is_on_the_list_by_mail(mail: Values) -> None:
    wishes = ask(groups=[group("staff", member=dn_of("eve"))], outside=[outside("eve", mail=mail)], config=config())
    assert staff_of(wishes) in {("eve@elsewhere.test",), ("eve@example.org",)}


@pytest.mark.parametrize("mail", [None, "nobody", b"\xff", ["eve@example.org", "eva@example.org"]])
def test_who_is_outside_and_has_no_one_address_is_not_found(mail: Values | None) -> None:
    wishes = ask(groups=[group("staff", member=dn_of("eve"))], outside=[outside("eve", mail=mail)], config=config())
    assert dn_of("eve") in only(wishes, Code.MEMBER_NOT_FOUND).sentence
    assert goto_of(wishes) == {STAFF: ()}


def test_a_group_outside_the_group_filter_is_followed() -> None:
    crew = replace_dn(group("crew", member=[dn_of("ann"), group_dn("deep")]))
    deep = group("deep", mail=None, member=dn_of("bob"))
    wishes = ask(
        entry("ann"),
        entry("bob"),
        groups=[group("staff", member=group_dn("crew"))],
        outside=[crew, deep],
        config=config(),
    )
    assert staff_of(wishes) == (ANN, BOB)


def replace_dn(found: Entry) -> Entry:
    """Return an entry whose DN is written in another way."""
    return Entry(found.dn.upper(), found.attributes)


# Names


@pytest.mark.parametrize("name", ["ann", "ANN", "a.other"])
def test_a_member_by_name(name: str) -> None:
    ann = entry("ann", uid="ann", sAMAccountName="A.Other", cn="Ann Other")
    wishes = ask(ann, groups=[group("staff", memberUid=name)], config=config(group_mapping={"member": "memberUid"}))
    assert staff_of(wishes) == (ANN,)


def test_a_name_that_people_can_often_change_is_none() -> None:
    """Whoever called themselves like a member that is gone would be on the list."""
    staff = group("staff", memberUid="gone")
    wishes = ask(entry("ann", cn="gone"), groups=[staff], config=config(group_mapping={"member": "memberUid"}))
    assert goto_of(wishes) == {STAFF: ()}
    assert only(wishes, Code.MEMBER_NOT_FOUND).where == group_dn("staff")


def test_a_name_is_first_of_all_a_uid() -> None:
    users = entry("ann", uid="x"), entry("bob", uid="bob", sAMAccountName="y"), entry("cat", sAMAccountName="x")
    staff = group("staff", memberUid=["x", "y"])
    wishes = ask(*users, groups=[staff], config=config(group_mapping={"member": "memberUid"}))
    assert staff_of(wishes) == (ANN, BOB)


def test_a_name_may_be_somebody_s_outside() -> None:
    wishes = ask(
        groups=[group("staff", memberUid="eve")],
        outside=[outside("eve", uid="eve")],
        config=config(group_mapping={"member": "memberUid"}),
    )
    assert staff_of(wishes) == ("eve@example.org",)


def test_a_name_that_two_have_is_nobody_s() -> None:
    users = entry("ann", cn="Ann Other"), entry("bob", cn="ann other", uid=b"\xff")
    staff = group("staff", memberUid="Ann Other")
    wishes = ask(*users, groups=[staff], config=config(group_mapping={"member": "memberUid"}))
    assert "Ann Other" in only(wishes, Code.MEMBER_NOT_FOUND).sentence
    assert goto_of(wishes) == {STAFF: ()}


# Addresses


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("Ann@Example.org", ANN),
        ("mailto:ann@example.org", ANN),
        ("SMTP:ann@example.org", ANN),
        ("a@example.org", ANN),
        ("ann@alias.example", ANN),
        ("a@alias.example", ANN),
        ("own@alias.example", BOB),
        ("info@alias.example", "info@example.org"),
        ("info@example.org", "info@example.org"),
        ("nobody@alias.example", "nobody@alias.example"),
        ("nobody@example.org", "nobody@example.org"),
        ("x@elsewhere.test", "x@elsewhere.test"),
    ],
)
def test_a_member_by_address_is_who_has_the_address(member: str, expected: str) -> None:
    wishes = ask(
        entry("ann", mailAlternateAddress=["a@example.org", "own@example.org"]),
        entry("bob", mailAlternateAddress="own@alias.example"),
        forwards=[entry("info", mailForwardingAddress=BOB)],
        groups=[group("staff", mailMember=member)],
        config=config(group_mapping={"member": "mailMember"}),
    )
    assert staff_of(wishes) == (expected,)


def test_an_alias_of_who_forwards_is_who_forwards() -> None:
    ann = entry("ann", mailForward=BOB, mailAlternateAddress="a@example.org")
    wishes = ask(ann, groups=[group("staff", member="a@example.org")], config=config({"forward_to": "mailForward"}))
    assert staff_of(wishes) == (ANN,)


@pytest.mark.parametrize("member", ["crew@example.org", "crew@alias.example", "c@example.org"])
def test_the_address_of_a_list_is_everybody_on_it(member: str) -> None:
    crew = group("crew", member=[dn_of("ann"), dn_of("bob")], mailAlternateAddress="c@example.org")
    staff = group("staff", member=[member, dn_of("bob")])
    mapping = {"aliases": ["mailAlternateAddress"]}
    wishes = ask(entry("ann"), entry("bob"), groups=[staff, crew], config=config(group_mapping=mapping))
    assert staff_of(wishes) == (ANN, BOB)


def test_the_address_of_a_list_that_only_members_name_is_everybody_on_it() -> None:
    wishes = ask(
        entry("ann", mailGroup="sales@example.org"),
        groups=[group("staff", member="sales@example.org")],
        config=config({"group_addresses": "mailGroup"}),
    )
    assert staff_of(wishes) == (ANN,)


def test_the_own_address_is_no_member() -> None:
    mapping = {"aliases": ["mailAlternateAddress"]}
    staff = group("staff", mailAlternateAddress="s@example.org", member=[STAFF, "s@example.org", dn_of("eve"), CAT])
    wishes = ask(groups=[staff], outside=[outside("eve", mail=STAFF)], config=config(group_mapping=mapping))
    assert wishes.findings == ()
    assert goto_of(wishes) == {STAFF: (CAT,), "s@example.org": (CAT,)}


def test_the_own_address_of_a_list_is_no_member_by_the_way_of_others() -> None:
    """Where a mailbox has it, and the plan tells who may stay."""
    users = entry("ann"), entry("staff"), entry("s")
    staff = group("staff", member=[dn_of("ann"), dn_of("staff"), dn_of("s")], mailAlternateAddress="s@example.org")
    wishes = ask(*users, groups=[staff], config=config(group_mapping={"aliases": ["mailAlternateAddress"]}))
    assert goto_of(wishes) == {STAFF: (ANN,), "s@example.org": (ANN,)}


def test_no_own_address_comes_back_by_way_of_a_nested_group() -> None:
    staff = group("staff", member=group_dn("crew"), mailAlternateAddress="s@example.org")
    crew = group("crew", mail=None, member=[dn_of("ann"), dn_of("staff"), dn_of("s")])
    wishes = ask(
        *(entry("ann"), entry("staff"), entry("s")),
        groups=[staff, crew],
        config=config(group_mapping={"aliases": ["mailAlternateAddress"]}),
    )
    assert goto_of(wishes) == {STAFF: (ANN,), "s@example.org": (ANN,)}


def test_strangers_are_left_out_where_the_config_says_so_and_told_once() -> None:
    crew = group("crew", mail=None, member=[f"x{number}@elsewhere.test" for number in range(5)])
    staff = group("staff", member=[group_dn("crew"), dn_of("eve"), CAT])
    wishes = ask(
        groups=[staff, crew],
        outside=[outside("eve", mail="eve@elsewhere.test")],
        config=config(external_goto={"groups": "refuse", "users": "allow"}),
    )
    assert goto_of(wishes) == {STAFF: (CAT,)}
    found = {finding.where: finding for finding in wishes.findings if finding.code is Code.FOREIGN_GOTO}
    assert found.keys() == {group_dn("staff"), group_dn("crew")}
    assert "x0@elsewhere.test, x1@elsewhere.test, x2@elsewhere.test and 2 more" in found[group_dn("crew")].sentence


def test_nothing_is_said_where_nobody_is_a_stranger() -> None:
    wishes = ask(
        groups=[group("staff", member=[CAT, "x@alias.example"])], config=config(external_goto={"groups": "refuse"})
    )
    assert staff_of(wishes) == (CAT, "x@alias.example")


# LDAP URLs


def test_a_dynamic_group_has_whom_its_url_selects() -> None:
    eve = outside("eve", mail="eve@elsewhere.test")
    wishes = ask(
        entry("ann"),
        entry("bob"),
        groups=[group("staff", memberURL=f" {URL}"), group("crew", memberURL=dn_of("eve"))],
        selected={URL: (entry("ann"), eve)},
        config=config(group_mapping={"member": "memberURL"}),
    )
    assert wishes.findings == ()
    assert goto_of(wishes) == {STAFF: (ANN, "eve@elsewhere.test"), "crew@example.org": ("eve@elsewhere.test",)}


def test_somebody_whom_a_url_selects_too_is_still_one_person() -> None:
    ann = entry("ann", uid="ann")
    wishes = ask(
        ann,
        groups=[group("staff", member=["ann", URL])],
        selected={URL: (replace_dn(ann),)},
        config=config(),
    )
    assert staff_of(wishes) == (ANN,)


def test_a_url_that_could_not_be_followed_is_told_elsewhere() -> None:
    wishes = ask(
        groups=[group("staff", memberURL="LDAPS://x/???")], config=config(group_mapping={"member": "memberURL"})
    )
    assert staff_of(wishes) == ()


# Members who aren't there


def test_members_who_are_not_found_are_counted_and_some_are_named() -> None:
    members = [dn_of(f"x{number}") for number in range(4)] + ["nobody@", "ghost", "a=b@c"]
    wishes = ask(entry("ann"), groups=[group("staff", member=[*members, dn_of("ann")])], config=config())
    finding = only(wishes, Code.MEMBER_NOT_FOUND)
    assert finding.where == group_dn("staff")
    assert finding.sentence.startswith("7 of its members are not found")
    assert "and 4 more" in finding.sentence
    assert goto_of(wishes) == {STAFF: (ANN,)}


def test_three_members_who_are_not_found_are_all_named() -> None:
    wishes = ask(groups=[group("staff", member=["x", "y", "z"])], config=config())
    assert "without an address: x, y, z; correct" in only(wishes, Code.MEMBER_NOT_FOUND).sentence


def test_a_dn_may_have_an_address_in_it() -> None:
    ann = entry("ann")
    by_mail = Entry("mail=ann@example.org,dc=example,dc=org", ann.attributes)
    staff = group("staff", member="mail=Ann@Example.org, dc=example, dc=org")
    assert staff_of(ask(by_mail, groups=[staff], config=config())) == (ANN,)


def test_one_member_who_is_not_found() -> None:
    wishes = ask(groups=[group("staff", member="ghost")], config=config())
    assert only(wishes, Code.MEMBER_NOT_FOUND).sentence.startswith("1 of its members is not found")


def test_a_member_that_is_not_utf8_is_told() -> None:
    wishes = ask(groups=[group("staff", member=[b"\xff", CAT])], config=config())
    assert only(wishes, Code.NOT_UTF8).where == group_dn("staff")
    assert goto_of(wishes) == {STAFF: (CAT,)}


def test_a_group_that_no_list_leads_to_is_not_looked_at() -> None:
    wishes = ask(groups=[group("crew", mail=None, member="ghost")], config=config())
    assert codes(wishes) == [Code.LIST_WITHOUT_MAIL]


# Groups in groups


def test_a_group_without_an_address_serves_others() -> None:
    crew = group("crew", mail=None, member=[dn_of("bob"), "ghost"])
    wishes = ask(
        entry("ann"),
        entry("bob"),
        groups=[group("staff", member=[dn_of("ann"), group_dn("crew")]), crew],
        config=config(),
    )
    assert goto_of(wishes) == {STAFF: (ANN, BOB)}
    assert {finding.code: finding.where for finding in wishes.findings} == {
        Code.LIST_WITHOUT_MAIL: group_dn("crew"),
        Code.MEMBER_NOT_FOUND: group_dn("crew"),
    }


def test_a_loop_is_cut_and_named_once() -> None:
    groups = [
        group("c", member=[dn_of("cat"), group_dn("a")]),
        group("a", member=[dn_of("ann"), group_dn("b")]),
        group("b", member=[dn_of("bob"), "c@example.org"]),
        group("staff", member=group_dn("b")),
    ]
    wishes = ask(entry("ann"), entry("bob"), entry("cat"), groups=groups, config=config())
    finding = only(wishes, Code.LIST_LOOP)
    assert finding.where == group_dn("a")
    assert f"{group_dn('a')} -> {group_dn('b')} -> {group_dn('c')} -> {group_dn('a')};" in finding.sentence
    assert set(goto_of(wishes).values()) == {(ANN, BOB, CAT)}
    assert len(wishes.aliases) == 4


def test_a_group_in_itself_is_a_loop() -> None:
    wishes = ask(entry("ann"), groups=[group("staff", member=[dn_of("ann"), group_dn("staff")])], config=config())
    assert only(wishes, Code.LIST_LOOP).where == group_dn("staff")
    assert goto_of(wishes) == {STAFF: (ANN,)}


GRAPHS = st.dictionaries(st.integers(0, 5), st.sets(st.integers(0, 8)), min_size=1)
"""Groups by number, each with members: groups up to 5 as far as they are there, people from 6 on."""


@settings(derandomize=True, deadline=None, max_examples=200)
@given(graph=GRAPHS)
def test_everybody_is_on_a_list_whom_a_way_of_members_leads_to(graph: dict[int, set[int]]) -> None:
    graph = {number: {one for one in members if one in graph or one > 5} for number, members in graph.items()}
    reached = {number: set(members) for number, members in graph.items()}
    for _ in graph:
        for number, members in reached.items():
            reached[number] = members.union(*(reached[one] for one in members if one in graph))
    groups = [
        group(f"g{number}", member=[group_dn(f"g{one}") if one in graph else dn_of(f"u{one}") for one in members])
        for number, members in graph.items()
    ]
    wishes = ask(*(entry(f"u{number}") for number in range(6, 9)), groups=groups, config=config())
    expected = {
        f"g{number}@example.org": tuple(f"u{one}@example.org" for one in sorted(members) if one > 5)
        for number, members in reached.items()
    }
    assert goto_of(wishes) == expected
    assert (Code.LIST_LOOP in codes(wishes)) == any(number in members for number, members in reached.items())


def test_an_address_that_a_list_lost_leads_nowhere_else() -> None:
    crew = group("crew", mail="x@example.org", member=dn_of("ann"))
    other = group("other", mail="x@example.org", member=dn_of("bob"))
    staff = group("staff", member=["x@example.org", group_dn("crew")])
    wishes = ask(entry("ann"), entry("bob"), groups=[crew, other, staff], config=config())
    assert codes(wishes) == [Code.DUPLICATE_ADDRESS]
    assert wishes.aliases[Address(STAFF)].goto == (ANN, "x@example.org")
