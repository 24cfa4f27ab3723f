"""Further addresses of users, and one address that several want."""

from __future__ import annotations

import pytest

from ldap2mailcow.desired import Wishes
from ldap2mailcow.model import Address, Alias, Code, Role

from .builders import LISTS, Values, ask, codes, dn_of, entry, goto_of, group, group_dn, make_config, only

ANN, BOB = "ann@example.org", "bob@example.org"
MAPPING = {"aliases": ["proxyAddresses", "mailAlternateAddress"]}
CONFIG = make_config(MAPPING)


def aliases_of(values: Values, config: object = CONFIG) -> set[str]:
    """Return the aliases that the values of proxyAddresses ask for, nothing being odd about them."""
    wishes = ask(entry("ann", proxyAddresses=values), config=make_config(MAPPING) if config is CONFIG else CONFIG)
    assert wishes.findings == ()
    return set(wishes.aliases)


def test_a_further_address_goes_to_the_user() -> None:
    wishes = ask(entry("ann", mailAlternateAddress="Anna@Example.org"), config=CONFIG)
    address = Address("anna@example.org")
    assert wishes.aliases == {
        address: Alias(
            source="default",
            owner="id-ann",
            dn=dn_of("ann"),
            role=Role.USER,
            address=address,
            goto=(Address(ANN),),
            flags={"sogo_visible": 1},
        )
    }
    assert wishes.findings == ()
    assert wishes.owners == {Role.USER: {"id-ann"}, Role.LIST: set(), Role.FORWARD: set()}
    assert wishes.unreadable == set()


def test_users_aliases_are_shown_in_sogo_as_the_config_says() -> None:
    config = make_config(MAPPING, sogo_visible={"users": False, "lists": True})
    wishes = ask(entry("ann", mailAlternateAddress="anna@example.org"), config=config)
    assert wishes.aliases[Address("anna@example.org")].flags["sogo_visible"] == 0


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ("smtp:a@example.org", {"a@example.org"}),
        ("SMTP:A@example.org", {"a@example.org"}),
        ("sMtP:a@example.org", {"a@example.org"}),
        (" smtp: a@example.org ", {"a@example.org"}),
        ("a@example.org", {"a@example.org"}),
        (["smtp:a@example.org", "a@example.org", "smtp:b@example.org"], {"a@example.org", "b@example.org"}),
        (["SMTP:ann@example.org", "smtp:Ann@Example.org"], set()),
        ("x500:/o=Example/cn=ann", set()),
        ("X400:C=US;A= ;P=Example", set()),
        (["sip:ann@example.org", "EUM:123;phone-context=x", "SPO:SPO_1@SPO_2", "eum:", "http://x"], set()),
        (["", " "], set()),
    ],
)
def test_proxy_addresses_are_told_apart_by_their_prefix(values: Values, wanted: set[str]) -> None:
    assert aliases_of(values) == wanted


def test_another_attribute_knows_only_the_one_prefix() -> None:
    wishes = ask(entry("ann", mailAlternateAddress=["smtp:a@example.org", "sip:b@example.org"]), config=CONFIG)
    assert goto_of(wishes) == {"a@example.org": (ANN,)}
    assert "its mailAlternateAddress 'sip:b@example.org' has characters" in only(wishes, Code.BAD_ADDRESS).sentence


@pytest.mark.parametrize("value", ["nobody", "@", "@ example.org", "@nodot", "smtp:", "a b@example.org"])
def test_what_is_no_address_is_told_and_the_others_are_taken(value: str) -> None:
    wishes = ask(entry("ann", proxyAddresses=[value, "a@example.org"]), config=CONFIG)
    assert only(wishes, Code.BAD_ADDRESS).where == dn_of("ann")
    assert goto_of(wishes) == {"a@example.org": (ANN,)}


def test_what_is_not_utf8_is_told_and_the_others_are_taken() -> None:
    wishes = ask(entry("ann", proxyAddresses=[b"\xff@example.org", b"\xfe", "a@example.org"]), config=CONFIG)
    assert "proxyAddresses" in only(wishes, Code.NOT_UTF8).sentence
    assert goto_of(wishes) == {"a@example.org": (ANN,)}


# Domains


def test_a_domain_that_mailcow_does_not_have_is_told_once() -> None:
    wishes = ask(
        entry("bob", proxyAddresses="smtp:b@example.net"),
        entry("ann", proxyAddresses=["smtp:a@example.net", "smtp:a2@example.net", "@other.test"]),
        config=CONFIG,
    )
    assert wishes.aliases == {}
    assert [(finding.code, finding.where) for finding in wishes.findings] == [
        (Code.DOMAIN_NOT_HOSTED, "example.net"),
        (Code.DOMAIN_NOT_HOSTED, "other.test"),
    ]
    assert f"3 addresses, a2@example.net of {dn_of('ann')} among them" in wishes.findings[0].sentence
    assert f"for @other.test of {dn_of('ann')};" in wishes.findings[1].sentence


def test_addresses_of_domains_that_are_not_in_the_config_are_left_out_and_told_once() -> None:
    config = make_config(MAPPING, {"domains": ["example.org"]})
    values = ["a@münchen.example", "b@münchen.example", "c@alias.example", "d@example.org", "e@example.net"]
    wishes = ask(entry("ann", mailAlternateAddress=values), config=config)
    assert set(wishes.aliases) == {"c@alias.example", "d@example.org"}
    assert [(finding.code, finding.where) for finding in wishes.findings] == [
        (Code.DOMAIN_NOT_OURS, "example.net"),
        (Code.DOMAIN_NOT_OURS, "xn--mnchen-3ya.example"),
    ]
    assert "2 addresses" in wishes.findings[1].sentence


def test_an_alias_domain_counts_as_its_target() -> None:
    config = make_config(MAPPING, {"domains": ["münchen.example", "alias.example"]})
    wishes = ask(entry("ann", mail="ann@münchen.example", mailAlternateAddress="a@alias.example"), config=config)
    assert only(wishes, Code.DOMAIN_NOT_OURS).where == "alias.example"


# Reserved names


@pytest.mark.parametrize(
    ("value", "word"),
    [("smtp:Postmaster@example.org", "'postmaster' or 'postmaster@example.org'"), ("@example.org", "'@example.org'")],
)
def test_what_stands_for_the_domain_is_refused(value: str, word: str) -> None:
    wishes = ask(entry("ann", proxyAddresses=value), config=CONFIG)
    assert f"put {word} into allow_reserved" in only(wishes, Code.RESERVED_ADDRESS).sentence
    assert wishes.aliases == {}


@pytest.mark.parametrize(
    ("value", "allowed", "wanted"),
    [
        ("postmaster@example.org", "postmaster", True),
        ("@example.org", "@example.org", True),
        ("@example.org", "postmaster", False),
        ("@example.org", "@example.net", False),
    ],
)
def test_what_stands_for_the_domain_can_be_allowed(value: str, allowed: str, *, wanted: bool) -> None:
    config = make_config(MAPPING, allow_reserved=[allowed])
    assert (value in ask(entry("ann", proxyAddresses=value), config=config).aliases) == wanted


# Alias domains


@pytest.mark.parametrize("value", ["ann@alias.example", "ANN@Alias.Example"])
def test_the_twin_of_the_own_address_is_mailcow_s_business(value: str) -> None:
    assert aliases_of(value) == set()


def test_the_twin_of_an_own_alias_is_an_alias_too() -> None:
    """mailcow takes an address in an alias domain for its twin only where that is a mailbox."""
    assert aliases_of(["a@example.org", "a@alias.example"]) == {"a@example.org", "a@alias.example"}


def test_an_address_in_an_alias_domain_whose_twin_is_nobody_s_is_wished_for() -> None:
    assert aliases_of("a@alias.example") == {"a@alias.example"}


def test_an_address_in_an_alias_domain_whose_twin_is_somebody_else_s_is_wished_for() -> None:
    """Whether it can be had is the plan's business."""
    wishes = ask(
        entry("ann", proxyAddresses=["bob@alias.example", "b@alias.example"]),
        entry("bob", proxyAddresses="b@example.org"),
        config=CONFIG,
    )
    assert goto_of(wishes) == {"b@alias.example": (ANN,), "b@example.org": (BOB,), "bob@alias.example": (ANN,)}


def test_a_catch_all_has_no_twin() -> None:
    config = make_config(MAPPING, allow_reserved=["@example.org", "@alias.example"])
    wishes = ask(entry("ann", proxyAddresses=["@example.org", "@alias.example"]), config=config)
    assert set(wishes.aliases) == {"@example.org", "@alias.example"}


# People


def test_an_inactive_person_keeps_the_aliases() -> None:
    config = make_config({**MAPPING, "active": "mailActive"})
    wishes = ask(entry("ann", mailActive="FALSE", proxyAddresses="a@example.org"), config=config)
    assert goto_of(wishes) == {"a@example.org": (ANN,)}


@pytest.mark.parametrize("mail", [None, "nobody", "ann@example.net", ["a1@example.org", "a2@example.org"], BOB])
def test_who_has_no_address_to_use_asks_for_nothing_and_keeps_what_there_is(mail: Values | None) -> None:
    wishes = ask(entry("ann", mail=mail, proxyAddresses="a@example.org"), entry("bob"), config=CONFIG)
    assert wishes.aliases == {}
    assert wishes.findings == ()
    assert wishes.unreadable == ({"id-ann", "id-bob"} if mail == BOB else {"id-ann"})
    assert wishes.owners[Role.USER] == {"id-ann", "id-bob"}


def test_who_can_not_be_told_apart_asks_for_nothing() -> None:
    wishes = ask(entry("ann", entryUUID=None, proxyAddresses="a@example.org"), config=CONFIG)
    assert wishes.aliases == {}
    assert wishes.unreadable == wishes.owners[Role.USER] == set()


def test_an_address_that_is_somebody_s_mailbox_is_wished_for_all_the_same() -> None:
    wishes = ask(entry("ann", proxyAddresses=BOB), entry("bob", proxyAddresses=f"SMTP:{BOB}"), config=CONFIG)
    assert goto_of(wishes) == {BOB: (ANN,)}
    assert wishes.findings == ()


# Several who want one alias


def test_an_alias_that_two_want_is_nobody_s_and_neither_is_unreadable() -> None:
    wishes = ask(
        entry("bob", proxyAddresses=["x@example.org", "b@example.org"]),
        entry("ann", proxyAddresses="x@example.org"),
        config=CONFIG,
    )
    finding = only(wishes, Code.DUPLICATE_ADDRESS)
    assert finding.where == "x@example.org"
    assert finding.sentence.startswith(f"{dn_of('ann')} and {dn_of('bob')} want the same address; nobody gets it")
    assert goto_of(wishes) == {"b@example.org": (BOB,)}
    assert wishes.unreadable == set()


@pytest.mark.parametrize(("holder", "goto"), [("id-ann", ANN), ("id-bob", BOB), ("id-eve", None)])
def test_an_alias_that_two_want_stays_with_its_holder(holder: str, goto: str | None) -> None:
    wishes = ask(
        entry("ann", proxyAddresses="x@example.org"),
        entry("bob", proxyAddresses="x@example.org"),
        config=CONFIG,
        holders={"x@example.org": holder},
    )
    assert codes(wishes) == [Code.DUPLICATE_ADDRESS]
    assert goto_of(wishes) == ({"x@example.org": (goto,)} if goto else {})
    assert (f"{goto.partition('@')[0]}," in wishes.findings[0].sentence) if goto else True


def test_an_alias_that_nobody_else_wants_passes_from_its_holder() -> None:
    wishes = ask(entry("ann", proxyAddresses="x@example.org"), config=CONFIG, holders={"x@example.org": "id-bob"})
    assert goto_of(wishes) == {"x@example.org": (ANN,)}
    assert wishes.findings == ()


def test_a_user_and_a_list_that_want_one_alias() -> None:
    config = make_config(MAPPING, {"group_search_filter": "(cn=*)"})
    ann = entry("ann", proxyAddresses="staff@example.org")
    wishes = ask(ann, groups=[group("staff", member=dn_of("ann"))], config=config)
    assert group_dn("staff") in only(wishes, Code.DUPLICATE_ADDRESS).sentence
    assert wishes.aliases == {}
    assert wishes.unreadable == set()
    held = ask(
        ann,
        groups=[group("staff", member=dn_of("ann"), internal="TRUE")],
        config=config,
        holders={"staff@example.org": "id-staff"},
    )
    assert held.aliases[Address("staff@example.org")].role is Role.LIST


def test_a_list_that_only_its_members_name_is_called_so_in_a_dispute() -> None:
    config = make_config({**MAPPING, "group_addresses": "mailGroup"})
    wishes = ask(entry("ann", proxyAddresses="x@example.org"), entry("bob", mailGroup="x@example.org"), config=config)
    assert f"a list that only its members name and {dn_of('ann')} want" in only(wishes, Code.DUPLICATE_ADDRESS).sentence


# An address that changed, while the mailbox still has the old one


def renamed(**attributes: Values | None) -> Wishes:
    """Ann's entry has the address neu@ now; her mailbox is still ann@."""
    ann = entry("ann", mail="neu@example.org", **attributes)
    return ask(
        ann,
        groups=[group("staff", member=[dn_of("ann"), "neu@example.org"])],
        config=make_config(MAPPING, source=LISTS),
        mailboxes={"id-ann": Address(ANN)},
        has_mailbox=[ANN],
    )


def test_until_the_mailbox_is_renamed_everything_goes_to_the_old_address() -> None:
    wishes = renamed(mailAlternateAddress=["a@example.org", ANN, "neu@example.org"])
    assert wishes.aliases[Address("a@example.org")].goto == (ANN,)
    assert wishes.aliases[Address("staff@example.org")].goto == (ANN,)
    assert set(wishes.aliases) == {"a@example.org", "staff@example.org"}
