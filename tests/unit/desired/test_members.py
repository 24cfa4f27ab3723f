"""Who is a member of a group, as its entry states it."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Asked, EntryId, Group, Meant
from ldap2mailcow.model import Address, Code, Entry

from .builders import LISTS, Values, ask, codes, dn_of, entry, group, group_dn, group_of, id_of, make_config, only

CAT, STAFF = Address("cat@example.org"), Address("staff@example.org")
FORWARDS = {"alias_search_filter": "(objectClass=nisMailAlias)"}
URL = "ldap:///ou=people,dc=example,dc=org??sub?(l=here)"


def config(**group_mapping: Any) -> Config:  # noqa: ANN401 - any key of the block
    return make_config(source={**LISTS, **FORWARDS, "group_mapping": group_mapping})


def members(asked: Asked) -> frozenset[Meant]:
    """Return who is a member of the staff, nothing being odd."""
    assert asked.findings == ()
    return group_of(asked).members


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
    assert members(ask(entry("ann"), groups=[group("staff", member=member)])) == {id_of("ann")}


def test_a_dn_may_have_an_address_in_it() -> None:
    ann = Entry("mail=ann@example.org,dc=example,dc=org", entry("ann").attributes)
    staff = group("staff", member="mail=Ann@Example.org, dc=example, dc=org")
    assert members(ask(ann, groups=[staff])) == {id_of("ann")}


def test_members_of_all_mapped_attributes_count_once() -> None:
    staff = group(
        "staff", uniqueMember=dn_of("ann"), memberUid=["ann", "bob"], mailMember=[CAT, CAT.upper()], member=dn_of("x")
    )
    users = entry("ann", uid="ann"), entry("bob", uid="bob")
    asked = ask(*users, groups=[staff], config=config(member=["uniqueMember", "memberUid", "mailMember"]))
    assert members(asked) == {id_of("ann"), id_of("bob"), CAT}


def test_groups_forwards_and_users_of_any_kind_are_named_by_their_ids() -> None:
    """Whether they can be reached, the plan knows."""
    staff = group("staff", member=[dn_of("ann"), group_dn("crew"), dn_of("info")])
    crew, info = group("crew"), entry("info", mail=None, mailForwardingAddress=CAT)
    asked = ask(entry("ann", mail=None), groups=[staff, crew], forwards=[info], config=config())
    assert group_of(asked).members == {id_of("ann"), id_of("crew"), id_of("info")}
    assert codes(asked) == [Code.NO_MAIL, Code.NO_MAIL]


def test_a_user_without_an_id_is_known_and_means_nothing() -> None:
    asked = ask(entry("ann", entryUUID=None), groups=[group("staff", member=dn_of("ann"))])
    assert members(asked) == frozenset()


@pytest.mark.parametrize("crew_id", [None, "shared"])
def test_a_group_that_the_user_filter_finds_too_is_a_group(crew_id: str | None) -> None:
    """Also where groups are told apart by less than users."""
    crew = group("crew", entryUUID=crew_id, member=dn_of("ann"))
    groups = [group("staff", member=group_dn("crew")), crew, group("deep", entryUUID=crew_id)]
    asked = ask(entry("ann"), crew, groups=groups)
    assert members(asked) == {EntryId("default", group_dn("crew"))}


# Entries outside the answers


@pytest.mark.parametrize("mail", ["Eve@elsewhere.test", ["SMTP:eve@elsewhere.test", "Eve@Elsewhere.test", "nobody"]])
def test_a_person_outside_the_answers_is_a_member_by_mail(mail: Values) -> None:
    asked = ask(groups=[group("staff", member=dn_of("eve"))], outside=[entry("eve", mail=mail)])
    assert members(asked) == {"eve@elsewhere.test"}


@pytest.mark.parametrize("mail", [None, "nobody", b"\xff", ["eve@example.org", "eva@example.org"]])
def test_a_person_outside_the_answers_without_just_one_address_is_not_found(mail: Values | None) -> None:
    asked = ask(groups=[group("staff", member=dn_of("eve"))], outside=[entry("eve", mail=mail)])
    assert dn_of("eve") in only(asked, Code.MEMBER_NOT_FOUND).sentence
    assert group_of(asked).members == frozenset()


def test_a_group_outside_the_answers_is_known_by_its_dn_and_followed() -> None:
    crew, deep = group("crew", member=[dn_of("ann"), group_dn("deep")]), group("deep", mail=None, member=[CAT, "ghost"])
    asked = ask(
        entry("ann"),
        groups=[group("staff", member=group_dn("crew"))],
        outside=[Entry(crew.dn.upper(), crew.attributes), deep],
    )
    crew_id, deep_id = EntryId("default", group_dn("crew")), EntryId("default", group_dn("deep"))
    assert asked.groups == (
        group_of(asked),
        Group(crew_id, crew.dn.upper(), members=frozenset({id_of("ann"), deep_id})),
        Group(deep_id, deep.dn, members=frozenset({CAT})),
    )
    assert group_of(asked).members == {crew_id}
    assert only(asked, Code.MEMBER_NOT_FOUND).where == deep.dn


def test_an_entry_of_the_answers_that_was_found_outside_too_is_that_of_the_answers() -> None:
    asked = ask(entry("ann"), groups=[group("staff", member=dn_of("ann"))], outside=[entry("ann", mail=CAT)])
    assert members(asked) == {id_of("ann")}


# Names


@pytest.mark.parametrize("name", ["ann", "ANN", "a.other"])
def test_a_member_by_name(name: str) -> None:
    ann = entry("ann", uid="ann", sAMAccountName="A.Other", cn="Ann Other")
    asked = ask(ann, groups=[group("staff", memberUid=name)], config=config(member="memberUid"))
    assert members(asked) == {id_of("ann")}


def test_a_name_that_people_can_often_change_is_none() -> None:
    """A user with the name of a member who has left would be a member."""
    asked = ask(entry("ann", cn="gone"), groups=[group("staff", memberUid="gone")], config=config(member="memberUid"))
    assert only(asked, Code.MEMBER_NOT_FOUND).where == group_dn("staff")
    assert group_of(asked).members == frozenset()


@pytest.mark.parametrize(
    "users",
    [
        (entry("ann", uid="x"), entry("bob", uid="X")),
        (entry("ann", uid="x"), entry("bob", uid="bob", sAMAccountName="x")),
        (entry("ann", uid="x"), entry("bob", entryUUID=None, uid=[b"\xff", b"x"])),
    ],
)
def test_a_name_that_two_have_means_none_of_them(users: tuple[Entry, ...]) -> None:
    asked = ask(*users, groups=[group("staff", memberUid="x")], config=config(member="memberUid"))
    assert "or without an address: x;" in only(asked, Code.MEMBER_NOT_FOUND).sentence
    assert group_of(asked).members == frozenset()


def test_who_adds_another_s_name_takes_nobody_off_a_list() -> None:
    """People can often add values to their own `uid`: the entry whose RDN has the name is meant, and it is told."""
    eve, ann = entry("eve", uid=["eve", "ANN", "bob"]), entry("ann", uid="ann")
    outside = entry("bob", uid="bob")
    asked = ask(
        eve,
        ann,
        groups=[group("staff", memberUid=["ann", "Bob"])],
        outside=[outside],
        config=config(member="memberUid"),
    )
    assert group_of(asked).members == {id_of("ann"), Address("bob@example.org")}
    assert [(one.code, one.where) for one in asked.findings] == [(Code.NAME_OF_ANOTHER, dn_of("eve"))] * 2
    assert asked.findings[0].sentence == (
        f"its uid or sAMAccountName has 'ann', which is the name of {dn_of('ann')}; groups that name it mean that "
        "other entry; take the value from this one"
    )


def test_two_names_are_told_only_where_groups_are_read() -> None:
    asked = ask(entry("eve", uid=["eve", "ann"]), entry("ann", uid="ann"), config=make_config())
    assert asked.findings == ()


def test_a_name_that_two_have_as_their_rdn_means_none_of_them() -> None:
    twin = Entry("uid=ann,ou=berlin,dc=example,dc=org", entry("twin", uid="ann").attributes)
    asked = ask(
        *(entry("ann", uid="ann"), twin), groups=[group("staff", memberUid="ann")], config=config(member="memberUid")
    )
    assert group_of(asked).members == frozenset()
    assert codes(asked) == [Code.MEMBER_NOT_FOUND]


def test_one_entry_may_have_a_name_twice() -> None:
    ann = entry("ann", uid="ann", sAMAccountName="Ann")
    asked = ask(ann, groups=[group("staff", memberUid="ann")], config=config(member="memberUid"))
    assert members(asked) == {id_of("ann")}


def test_a_name_may_be_that_of_an_entry_outside_the_answers() -> None:
    asked = ask(
        groups=[group("staff", memberUid="eve")], outside=[entry("eve", uid="eve")], config=config(member="memberUid")
    )
    assert members(asked) == {"eve@example.org"}


# Addresses


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("Ann@Example.org", "ann@example.org"),
        ("mailto:ann@example.org", "ann@example.org"),
        ("SMTP:ann@example.org", "ann@example.org"),
        ("x@elsewhere.test", "x@elsewhere.test"),
    ],
)
def test_an_address_is_a_member_as_it_is_written(member: str, expected: str) -> None:
    """Whose it is, the plan knows."""
    asked = ask(entry("ann"), groups=[group("staff", mailMember=member)], config=config(member="mailMember"))
    assert members(asked) == {Address(expected)}


def test_the_own_addresses_are_no_members() -> None:
    own = [STAFF, "s@example.org", dn_of("eve"), dn_of("dan")]
    asked = ask(
        groups=[group("staff", mailAlternateAddress="s@example.org", member=[*own, CAT])],
        outside=[entry("eve", mail=STAFF), entry("dan", mail="s@example.org")],
        config=config(aliases=["mailAlternateAddress"]),
    )
    assert members(asked) == {CAT}


# LDAP URLs


def test_a_dynamic_group_has_the_members_that_its_url_selects() -> None:
    eve, ann = entry("eve", mail="eve@elsewhere.test"), entry("ann")
    asked = ask(
        ann,
        groups=[group("staff", memberURL=f" {URL}"), group("crew", memberURL=dn_of("eve"))],
        selected={URL: (Entry(ann.dn.upper(), ann.attributes), eve)},
        config=config(member="memberURL"),
    )
    assert members(asked) == {id_of("ann"), "eve@elsewhere.test"}
    assert group_of(asked, "crew").members == {"eve@elsewhere.test"}


def test_a_url_that_could_not_be_followed_is_told_elsewhere() -> None:
    asked = ask(groups=[group("staff", memberURL="LDAPS://x/???")], config=config(member="memberURL"))
    assert members(asked) == frozenset()


# Members who aren't there


def test_members_who_are_not_found_are_counted_and_some_are_named() -> None:
    values = [*(dn_of(f"x{number}") for number in range(4)), "nobody@", "ghost", "a=b@c", dn_of("ann")]
    asked = ask(entry("ann"), groups=[group("staff", member=values)])
    finding = only(asked, Code.MEMBER_NOT_FOUND)
    assert finding.where == group_dn("staff")
    assert finding.sentence.startswith("7 of its members are not found")
    assert "and 4 more" in finding.sentence
    assert group_of(asked).members == {id_of("ann")}


def test_one_member_who_is_not_found() -> None:
    asked = ask(groups=[group("staff", member="ghost")])
    assert only(asked, Code.MEMBER_NOT_FOUND).sentence.startswith("1 of its members is not found")


def test_a_member_that_is_not_utf8_is_told() -> None:
    asked = ask(groups=[group("staff", member=[b"\xff", CAT])])
    assert only(asked, Code.NOT_UTF8).where == group_dn("staff")
    assert group_of(asked).members == {CAT}


def test_a_group_that_no_list_leads_to_is_not_looked_at() -> None:
    asked = ask(groups=[group("crew", mail=None, member="ghost")])
    assert codes(asked) == [Code.LIST_WITHOUT_MAIL]
    assert group_of(asked, "crew").members == frozenset()


def test_a_group_without_an_address_is_looked_at_where_a_list_leads_to_it() -> None:
    crew = group("crew", mail=None, member=[CAT, "ghost"])
    asked = ask(groups=[group("staff", member=group_dn("crew")), crew])
    assert codes(asked) == [Code.LIST_WITHOUT_MAIL, Code.MEMBER_NOT_FOUND]
    assert group_of(asked).members == {id_of("crew")}
    assert group_of(asked, "crew").members == {CAT}


def test_groups_that_hold_each_other_and_themselves_are_members_like_others() -> None:
    """The plan cuts the loop, and tells it."""
    groups = [group("staff", member=[group_dn("staff"), group_dn("crew")]), group("crew", member=group_dn("staff"))]
    asked = ask(groups=groups)
    assert members(asked) == {id_of("staff"), id_of("crew")}
    assert group_of(asked, "crew").members == {id_of("staff")}


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (URL, URL),
        (f" {URL} ", URL),
        ("UID=Odd, ou=secret,dc=example,dc=org", "uid=odd,ou=secret,dc=example,dc=org"),
    ],
)
def test_a_group_with_a_member_that_could_not_be_looked_up_is_in_doubt_alone(value: str, key: str) -> None:
    asked = ask(
        entry("ann"),
        groups=[group("staff", member=[value, dn_of("ann")]), group("crew", member=[dn_of("ann"), dn_of("x")])],
        config=config(),
        unsure={key: "its filter asks for userPassword"},
    )
    assert group_of(asked).members == {id_of("ann")}
    assert (group_of(asked).members_known, group_of(asked, "crew").members_known) == (False, True)
    told, _ = sorted(asked.findings, key=lambda one: one.code, reverse=True)
    assert (told.code, told.where) == (Code.NOT_LOOKED_UP, group_dn("staff"))
    assert told.sentence == (
        f"its member {value.strip()!r} can't be looked up: its filter asks for userPassword; correct it in the "
        "directory; until then what follows from it stays as it is in mailcow"
    )


def test_a_member_with_a_nul_is_not_found() -> None:
    asked = ask(groups=[group("staff", member="uid=a\0b,dc=x")], config=config())
    assert only(asked, Code.MEMBER_NOT_FOUND).where == group_dn("staff")
    assert group_of(asked).members_known
