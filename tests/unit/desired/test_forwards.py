"""Users who have mail forwarded, and entries that only forward."""

from __future__ import annotations

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import Address, Code, Entry, Role

from .builders import LISTS, Values, ask, codes, dn_of, entry, goto_of, group, make_config, only

ANN, BOB, CAT = "ann@example.org", "bob@example.org", "cat@example.org"
USERS = {"forward_to": "mailForward", "aliases": ["mailAlternateAddress"]}
FORWARDS = {"alias_search_filter": "(objectClass=nisMailAlias)"}


def user_config(**settings: object) -> Config:
    return make_config(USERS, {}, **settings)


def config(**settings: object) -> Config:
    return make_config({"aliases": ["mailAlternateAddress"]}, {**FORWARDS, **LISTS}, **settings)


# Users


def test_a_user_s_mail_goes_where_the_entry_says() -> None:
    wishes = ask(entry("ann", mailForward=[" smtp:Bob@example.org ", "mailto:cat@example.org"]), config=user_config())
    alias = wishes.aliases[Address(ANN)]
    assert (alias.owner, alias.dn, alias.role, alias.goto) == ("id-ann", dn_of("ann"), Role.FORWARD, (BOB, CAT))
    assert alias.flags == {"sogo_visible": 1}
    assert wishes.unreadable == set()
    assert wishes.findings == ()


def test_a_user_may_not_forward_to_strangers_unless_the_config_allows_it() -> None:
    ann = entry("ann", mailForward=[BOB, "ann@elsewhere.test"])
    refused = ask(ann, config=user_config(external_goto={"users": "refuse", "groups": "allow"}))
    assert goto_of(refused) == {ANN: (BOB,)}
    finding = only(refused, Code.FOREIGN_GOTO)
    assert finding.where == dn_of("ann")
    assert "ann@elsewhere.test" in finding.sentence
    assert "external_goto.users: allow" in finding.sentence
    allowed = ask(ann, config=user_config(external_goto={"users": "allow", "groups": "refuse"}))
    assert goto_of(allowed) == {ANN: ("ann@elsewhere.test", BOB)}
    assert allowed.findings == ()


@pytest.mark.parametrize("value", ["nobody", b"\xff"])
def test_a_user_whose_target_can_not_be_read_keeps_what_there_is(value: Values) -> None:
    wishes = ask(entry("ann", mailForward=value, mailAlternateAddress="a@example.org"), config=user_config())
    assert wishes.aliases == {}
    assert wishes.unreadable == {"id-ann"}


@pytest.mark.parametrize("value", ["ann@elsewhere.test", ANN, "ann@alias.example"])
def test_a_user_who_forwards_to_nobody_has_aliases_that_lead_nowhere(value: Values) -> None:
    wishes = ask(entry("ann", mailForward=value, mailAlternateAddress="a@example.org"), config=user_config())
    assert goto_of(wishes) == {ANN: (), "a@example.org": ()}
    assert wishes.unreadable == set()


def test_further_addresses_of_a_user_who_forwards_go_there_too() -> None:
    wishes = ask(
        entry("ann", mailForward=BOB, mailAlternateAddress=["a@example.org", "ann@alias.example"]), config=user_config()
    )
    assert goto_of(wishes) == {ANN: (BOB,), "a@example.org": (BOB,), "ann@alias.example": (BOB,)}
    assert wishes.aliases[Address("a@example.org")].role is Role.USER


def test_a_forwarding_to_somebody_s_alias_goes_to_the_mailbox() -> None:
    wishes = ask(
        entry("ann", mailForward=["b@example.org", "bob@alias.example", "c@alias.example"]),
        entry("bob", mailAlternateAddress="b@example.org"),
        entry("cat", mailAlternateAddress="c@example.org"),
        config=user_config(),
    )
    assert wishes.aliases[Address(ANN)].goto == (BOB, CAT)


def test_users_who_forward_to_each_other_keep_each_other_s_addresses() -> None:
    wishes = ask(
        entry("ann", mailForward="b@example.org"),
        entry("bob", mailForward=ANN, mailAlternateAddress="b@example.org"),
        config=user_config(),
    )
    assert wishes.aliases[Address(ANN)].goto == (BOB,)


def test_an_alias_that_would_go_to_itself_is_none() -> None:
    ann = entry("ann", mailForward=BOB, mailAlternateAddress=BOB)
    assert goto_of(ask(ann, entry("bob"), config=user_config())) == {ANN: (BOB,)}


def test_a_mailbox_that_is_there_forwards_nothing() -> None:
    assert ask(entry("ann", mailForward=BOB), config=user_config(), has_mailbox=[ANN]).aliases == {}


# Entries that only forward


def forward(uid: str, /, **attributes: Values | None) -> Entry:
    given = {"mail": "info@example.org", "mailForwardingAddress": BOB, **attributes}
    return entry(uid, **given)


def test_an_entry_that_only_forwards_is_an_alias_for_each_of_its_addresses() -> None:
    mail = ["info@example.org", "SMTP:Postmaster@example.org", "@example.org"]
    wishes = ask(forwards=[forward("f", mail=mail)], config=config())
    assert goto_of(wishes) == {"@example.org": (BOB,), "info@example.org": (BOB,), "postmaster@example.org": (BOB,)}
    alias = wishes.aliases[Address("info@example.org")]
    assert (alias.owner, alias.dn, alias.role) == ("id-f", dn_of("f"), Role.FORWARD)
    assert alias.flags == {"sogo_visible": 0}
    assert wishes.owners[Role.FORWARD] == {"id-f"}
    assert wishes.findings == ()


def test_forwardings_are_shown_in_sogo_as_lists_are() -> None:
    wishes = ask(forwards=[forward("f")], config=config(sogo_visible={"users": False, "lists": True}))
    assert wishes.aliases[Address("info@example.org")].flags["sogo_visible"] == 1


def test_strangers_are_allowed_as_for_groups() -> None:
    one = forward("f", mailForwardingAddress=["x@elsewhere.test", BOB])
    allowed = ask(forwards=[one], config=config())
    assert goto_of(allowed) == {"info@example.org": (BOB, "x@elsewhere.test")}
    refused = ask(forwards=[one], config=config(external_goto={"groups": "refuse", "users": "allow"}))
    assert goto_of(refused) == {"info@example.org": (BOB,)}
    assert "external_goto.groups: allow" in only(refused, Code.FOREIGN_GOTO).sentence


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"mail": None}, [Code.NO_MAIL]),
        ({"mail": " "}, [Code.NO_MAIL]),
        ({"mail": "nobody"}, [Code.BAD_ADDRESS]),
        ({"mail": b"\xff"}, [Code.NOT_UTF8]),
        ({"mail": "x@example.net"}, [Code.DOMAIN_NOT_HOSTED]),
        ({"mailForwardingAddress": "nobody"}, [Code.BAD_ADDRESS]),
    ],
)
def test_an_entry_that_can_not_be_used_keeps_what_there_is(
    attributes: dict[str, Values | None], found: list[Code]
) -> None:
    wishes = ask(forwards=[forward("f", **attributes)], config=config())
    assert wishes.aliases == {}
    assert codes(wishes) == found
    assert wishes.unreadable == {"id-f"}
    assert wishes.owners[Role.FORWARD] == {"id-f"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"mailForwardingAddress": None},
        {"mailForwardingAddress": "info@example.org"},
        {"mail": ["info@example.org", "i@example.org"], "mailForwardingAddress": "i@example.org"},
    ],
)
def test_an_entry_that_forwards_to_nobody_has_aliases_that_lead_nowhere(attributes: dict[str, Values | None]) -> None:
    """What it forwarded to before must not get its mail for ever."""
    wishes = ask(forwards=[forward("f", **attributes)], config=config())
    assert set(goto_of(wishes).values()) == {()}
    assert wishes.unreadable == set()


def test_an_entry_that_is_a_user_with_a_mailbox_too_can_not_forward() -> None:
    ann = entry("ann", mailForwardingAddress=BOB)
    wishes = ask(ann, forwards=[ann], config=config())
    assert wishes.aliases == {}
    assert "narrow user_search_filter or alias_search_filter" in only(wishes, Code.FORWARD_BESIDE_MAILBOX).sentence


def test_an_entry_that_forwards_for_somebody_else_s_mailbox_is_the_plan_s_business() -> None:
    wishes = ask(entry("ann"), forwards=[forward("f", mail=ANN)], config=config())
    assert goto_of(wishes) == {ANN: (BOB,)}


def test_a_forwarding_to_a_list_goes_to_everybody_on_it() -> None:
    staff = group("staff", member=[dn_of("ann"), "info@example.org"])
    wishes = ask(
        entry("ann"),
        forwards=[forward("f", mailForwardingAddress=["staff@alias.example", CAT])],
        groups=[staff],
        config=config(),
    )
    assert goto_of(wishes) == {"info@example.org": (ANN, CAT), "staff@example.org": (ANN, "info@example.org")}
