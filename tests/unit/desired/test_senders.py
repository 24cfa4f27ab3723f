"""Whom users and the members of groups may send as besides, and who may send as anyone."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Meant
from ldap2mailcow.model import Address, AnySenders, Code, Entry

from .builders import LISTS, Values, ask, codes, dn_of, entry, group, group_dn, group_of, id_of, make_config

BOB = Address("bob@example.org")
FORWARDS = {"alias_search_filter": "(objectClass=nisMailAlias)"}
CONFIG: Any = make_config({"send_as": "mailSendAs"}, {**LISTS, **FORWARDS, "group_mapping": {"send_as": "mailSendAs"}})


@pytest.mark.parametrize(
    ("value", "senders"),
    [
        (" Bob@Example.org ", {BOB}),
        ("smtp:bob@example.org", {BOB}),
        ("@Example.org", {Address("@example.org")}),
        (["x@elsewhere.test", BOB], {Address("x@elsewhere.test"), BOB}),
        (dn_of("BOB"), {id_of("bob")}),
        (dn_of("info"), {id_of("info")}),
        (group_dn("staff"), {id_of("staff")}),
        (dn_of("eve"), {Address("eve@elsewhere.test")}),
        (dn_of("nil"), set()),
    ],
)
def test_a_user_may_send_as_whom_the_entry_names(value: Values, senders: set[Meant]) -> None:
    asked = ask(
        entry("ann", mailSendAs=value),
        entry("bob"),
        entry("nil", entryUUID=None),
        groups=[group("staff")],
        forwards=[entry("info", mailForwardingAddress=BOB)],
        outside=[entry("eve", mail="eve@elsewhere.test")],
        config=CONFIG,
    )
    assert asked.findings == ()
    assert asked.users[0].senders == senders


@pytest.mark.parametrize("value", ["*", "bob", dn_of("nobody"), group_dn("silent"), group_dn("outside"), "@", "@nodot"])
def test_what_nothing_is_meant_by_is_told_once_for_each_entry(value: str) -> None:
    asked = ask(
        entry("ann", mailSendAs=[value, "ghost", BOB]),
        groups=[group("silent", mail=None)],
        outside=[group("outside", member=BOB)],
        config=CONFIG,
    )
    (finding,) = (finding for finding in asked.findings if finding.code is Code.SEND_AS_NOT_FOUND)
    assert finding.where == dn_of("ann")
    assert f"names {', '.join(sorted([value, 'ghost']))}, which is no address and nobody's DN" in finding.sentence
    assert asked.users[0].senders == {BOB}


def test_what_is_not_utf8_is_told() -> None:
    assert codes(ask(entry("ann", mailSendAs=b"\xff"), config=CONFIG)) == [Code.NOT_UTF8]


def test_nothing_is_read_where_nothing_is_mapped() -> None:
    asked = ask(entry("ann", mailSendAs=BOB), groups=[group("staff", mailSendAs=BOB)])
    assert asked.users[0].senders == group_of(asked).senders == frozenset()


def test_the_members_of_a_group_may_send_as_whom_it_names_though_it_is_no_list() -> None:
    crew = group("crew", mail=None, mailSendAs=[BOB, group_dn("staff")], member=dn_of("ann"))
    asked = ask(entry("ann"), groups=[crew, group("staff")], config=CONFIG)
    assert group_of(asked, "crew").senders == {BOB, id_of("staff")}
    assert group_of(asked, "crew").members == {id_of("ann")}


# As anyone


def config(send_as_any: str, **settings: Any) -> Config:  # noqa: ANN401 - any key of the block
    return make_config(source={**LISTS, "send_as_any": send_as_any, **settings})


def test_users_whom_a_filter_finds_may_send_as_anyone() -> None:
    dns = (dn_of("ann"), dn_of("ghost"), group_dn("staff"), dn_of("nil"))
    asked = ask(
        entry("ann"),
        entry("bob"),
        entry("nil", entryUUID=None),
        groups=[group("staff", member=dn_of("bob"))],
        anyone=AnySenders(dns),
        config=config("(title=chief)"),
    )
    assert asked.any_senders == {id_of("ann")}
    assert asked.findings == ()


def test_only_whose_senders_could_not_be_looked_up_is_in_doubt() -> None:
    odd = "uid=odd,ou=secret,dc=example,dc=org"
    asked = ask(
        entry("ann", mailSendAs=[odd, "uid=gone,dc=x", "bob@example.org"]),
        entry("bob", mailSendAs="uid=gone,dc=x"),
        groups=[group("staff", mailSendAs=odd.upper()), group("crew", mailSendAs="ann@example.org")],
        config=CONFIG,
        unsure={odd: "Insufficient access"},
    )
    assert [user.senders_known for user in asked.users] == [False, True]
    assert {one.dn: one.senders_known for one in asked.groups} == {group_dn("staff"): False, group_dn("crew"): True}
    assert asked.users[0].senders == {"bob@example.org"}
    assert [(one.code, one.where) for one in asked.findings] == [
        (Code.NOT_LOOKED_UP, group_dn("staff")),
        (Code.NOT_LOOKED_UP, dn_of("ann")),
        (Code.SEND_AS_NOT_FOUND, dn_of("ann")),
        (Code.SEND_AS_NOT_FOUND, dn_of("bob")),
    ]
    assert "Insufficient access" in asked.findings[0].sentence


def test_who_may_send_as_anyone_is_not_known_where_a_member_could_not_be_looked_up() -> None:
    asked = ask(
        entry("ann"),
        anyone=AnySenders(group=group("chiefs", member=[dn_of("ann"), URL]), unsure={URL: "no"}),
        config=config(group_dn("chiefs"), group_search_base=""),
    )
    assert asked.any_senders == {id_of("ann")}
    assert not asked.any_senders_known
    assert [(one.code, one.where) for one in asked.findings] == [(Code.NOT_LOOKED_UP, group_dn("chiefs"))]


URL = "ldap:///ou=people,dc=example,dc=org??sub?(title=chief)"


@pytest.mark.parametrize("reads_groups", [True, False])
def test_users_in_a_group_and_in_the_groups_in_it_may_send_as_anyone(*, reads_groups: bool) -> None:
    """Groups count that are no members of lists, because `group_member_filter` leaves them out; a loop ends."""
    chiefs = group("chiefs", mail=None, member=[dn_of("ann"), group_dn("inner"), dn_of("ghost"), b"\xff"])
    inner = group("inner", mail=None, member=["bob", group_dn("chiefs"), group_dn("deep"), URL, "x@example.org"])
    deep = group("deep", member=dn_of("cat"))
    asked = ask(
        *(entry("ann"), entry("bob", uid="bob"), entry("cat"), entry("dan"), entry("eve")),
        groups=[deep, group("staff", member=group_dn("inner"))],
        anyone=AnySenders(
            group=chiefs,
            outside=(inner, *(() if reads_groups else (deep,))),
            selected={URL: (entry("dan"), entry("fay"))},
        ),
        config=config(group_dn("chiefs"), group_search_base=LISTS["group_search_base"] if reads_groups else ""),
    )
    assert asked.any_senders == {id_of("ann"), id_of("bob"), id_of("cat"), id_of("dan")}
    assert [(finding.code, finding.where) for finding in asked.findings] == (
        [(Code.MEMBER_NOT_FOUND, group_dn("staff"))] if reads_groups else []
    )


def test_a_group_that_lists_lead_to_counts_there_too() -> None:
    asked = ask(
        entry("ann"),
        groups=[group("staff", member=group_dn("crew"))],
        outside=[group("crew", member=dn_of("ann"))],
        anyone=AnySenders(group=group("chiefs", member=group_dn("staff"))),
        config=config(group_dn("chiefs")),
    )
    assert asked.any_senders == {id_of("ann")}


def test_a_name_is_that_of_the_user_whose_rdn_has_it() -> None:
    """A user with the name of another, or the cn of a user who has left, would have the other's rights."""
    users: list[Entry] = [
        entry("ann", uid="ann", sAMAccountName="CAT", cn="leaver"),
        entry("bob", uid="bob", sAMAccountName="chief"),
        entry("cat", uid="cat"),
    ]
    chiefs = group("chiefs", member=["Chief", "leaver", "cat"])
    asked = ask(*users, anyone=AnySenders(group=chiefs), config=config(group_dn("chiefs")))
    assert asked.any_senders == {id_of("bob"), id_of("cat")}


def test_without_a_group_that_could_be_read_no_user_may() -> None:
    assert ask(entry("ann"), anyone=AnySenders(), config=config(group_dn("chiefs"))).any_senders == frozenset()
