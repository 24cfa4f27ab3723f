"""Whom users may send as besides."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.model import Code

from .builders import LISTS, Values, ask, codes, dn_of, entry, group, group_dn, make_config

ANN, BOB, CAT, STAFF = "ann@example.org", "bob@example.org", "cat@example.org", "staff@example.org"
FORWARDS = {"alias_search_filter": "(objectClass=nisMailAlias)"}
CONFIG: Any = make_config(
    {"send_as": "mailSendAs", "forward_to": "mailForward"},
    {**LISTS, **FORWARDS, "group_mapping": {"send_as": "mailSendAs"}},
)


@pytest.mark.parametrize(
    ("value", "here", "foreign"),
    [
        (" Bob@Example.org ", {BOB}, set()),
        ("smtp:bob@example.org", {BOB}, set()),
        ("@Example.org", {"@example.org"}, set()),
        ("@alias.example", {"@alias.example"}, set()),
        ("x@alias.example", {"x@alias.example"}, set()),
        ("bob@alias.example", {BOB}, set()),
        ("x@elsewhere.test", set(), {"x@elsewhere.test"}),
        ("@elsewhere.test", set(), {"@elsewhere.test"}),
        (["x@elsewhere.test", BOB, STAFF], {BOB, STAFF}, {"x@elsewhere.test"}),
        (dn_of("BOB"), {BOB}, set()),
        (dn_of("fay"), {"fay@example.org"}, set()),
        (dn_of("info"), {"info@example.org"}, set()),
        (dn_of("eve"), set(), {"eve@elsewhere.test"}),
        (group_dn("staff"), {STAFF}, set()),
        ([ANN, dn_of("ann"), "ann@alias.example"], set(), set()),
        (dn_of("nil"), set(), set()),
    ],
)
def test_a_user_may_send_as_whom_the_entry_names(value: Values, here: set[str], foreign: set[str]) -> None:
    wishes = ask(
        entry("ann", mailSendAs=value),
        entry("bob"),
        entry("fay", mailForward=BOB),
        entry("nil", mail=None),
        groups=[group("staff")],
        forwards=[entry("info", mailForwardingAddress=BOB)],
        outside=[entry("eve", mail="eve@elsewhere.test")],
        config=CONFIG,
    )
    assert wishes.findings == ()
    assert wishes.senders == ({ANN: here} if here else {})
    assert wishes.foreign_senders == ({ANN: foreign} if foreign else {})


@pytest.mark.parametrize("value", ["*", "bob", dn_of("nobody"), group_dn("silent"), "@", "@nodot"])
def test_whom_nobody_knows_is_told_once_for_each_entry(value: str) -> None:
    wishes = ask(
        entry("ann", mailSendAs=[value, "ghost", BOB]), entry("bob"), groups=[group("silent", mail=None)], config=CONFIG
    )
    (finding,) = (finding for finding in wishes.findings if finding.code is Code.SEND_AS_NOT_FOUND)
    assert finding.where == dn_of("ann")
    assert value in finding.sentence
    assert "ghost" in finding.sentence
    assert wishes.senders == {ANN: {BOB}}


def test_what_is_not_utf8_is_told() -> None:
    assert codes(ask(entry("ann", mailSendAs=b"\xff"), config=CONFIG)) == [Code.NOT_UTF8]


def test_who_has_no_mailbox_may_send_as_nobody() -> None:
    wishes = ask(entry("ann", mailForward=BOB, mailSendAs=CAT), entry("bob", mail=None, mailSendAs=CAT), config=CONFIG)
    assert (wishes.senders, wishes.foreign_senders) == ({}, {})


def test_nothing_is_read_where_nothing_is_mapped() -> None:
    config = make_config(source=LISTS)
    staff = group("staff", member=dn_of("ann"), mailSendAs=CAT)
    assert ask(entry("ann", mailSendAs=BOB), groups=[staff], config=config).senders == {}


@pytest.mark.parametrize("mail", [STAFF, None])
def test_everybody_in_a_group_may_send_as_whom_it_names(mail: str | None) -> None:
    """Also where the group is no list, and whoever is in it by way of another group."""
    staff = group("staff", mail=mail, mailSendAs=[CAT, BOB, "@elsewhere.test"], member=[dn_of("ann"), group_dn("crew")])
    crew = group("crew", mail=None, member=[dn_of("bob"), dn_of("fay"), "x@elsewhere.test", "nobody@example.org"])
    wishes = ask(
        entry("ann", mailSendAs="@example.org"),
        entry("bob"),
        entry("fay", mailForward=BOB),
        groups=[staff, crew],
        config=CONFIG,
    )
    assert wishes.senders == {ANN: {CAT, BOB, "@example.org"}, BOB: {CAT}}
    assert wishes.foreign_senders == {ANN: {"@elsewhere.test"}, BOB: {"@elsewhere.test"}}


def test_who_names_a_list_is_in_its_group() -> None:
    config = make_config({"group_addresses": "mailGroup"}, {**LISTS, "group_mapping": {"send_as": "mailSendAs"}})
    wishes = ask(
        entry("ann", mailGroup=[STAFF, "sales@example.org"]), groups=[group("staff", mailSendAs=STAFF)], config=config
    )
    assert wishes.senders == {ANN: {STAFF}}


def test_some_may_send_as_anyone() -> None:
    wishes = ask(
        entry("ann", mailSendAs=BOB),
        entry("bob"),
        entry("fay", mailForward=BOB),
        groups=[group("staff", member=dn_of("bob"))],
        anyone=[dn_of("ann"), dn_of("fay"), dn_of("ghost"), group_dn("staff")],
        config=CONFIG,
    )
    assert wishes.senders == {ANN: {"*", BOB}}
    assert wishes.findings == ()
