"""A group's own values: addresses, flags, the comment."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Asked, Group
from ldap2mailcow.model import Address, Code, Entry

from .builders import LISTS, Values, ask, codes, dn_of, entry, group, group_dn, group_of, id_of, make_config, only

STAFF = Address("staff@example.org")
MAPPING = {
    "aliases": ["proxyAddresses"],
    "internal": "mailInternal",
    "sender_allowed": "mailSend",
    "sogo_visible": "mailVisible",
    "catch_all": "mailCatchAll",
    "comment": "description",
}


def config(mapping: dict[str, Any] | None = None, **settings: object) -> Config:
    """Return a config that maps everything of groups."""
    return make_config(mapping, {**LISTS, "group_mapping": MAPPING}, **settings)


def staff(**attributes: Values | None) -> Entry:
    return group("staff", **{"member": dn_of("ann"), **attributes})


def ask_group(*allowed: str, **attributes: Values | None) -> tuple[Group, Asked]:
    """Return what a group of Ann asks for, and all that was said about it."""
    asked = ask(entry("ann"), groups=[staff(**attributes)], config=config(allow_reserved_groups=list(allowed)))
    return group_of(asked), asked


def plain_group(**attributes: Values | None) -> Group:
    """Return what a group of Ann asks for, nothing being odd about it."""
    found, asked = ask_group("@example.org", **attributes)
    assert asked.findings == ()
    return found


def test_a_group_asks_for_a_list() -> None:
    assert plain_group() == Group(
        id=id_of("staff"),
        dn=group_dn("staff"),
        addresses=(STAFF,),
        further=frozenset(),
        catches_all=False,
        members=frozenset({id_of("ann")}),
        flags={"sogo_visible": 0},
        comment=None,
        senders=frozenset(),
        is_clear=True,
    )


def test_groups_are_no_lists_where_the_config_reads_none() -> None:
    assert ask(entry("ann"), groups=[staff()], config=make_config()).groups == ()


def test_a_group_without_an_id_of_its_own_is_known_by_its_dn() -> None:
    """Where users are known by a number of theirs, groups have none."""
    asked = ask(groups=[staff(entryUUID=None), group("a", entryUUID="x"), group("b", entryUUID="x")], config=config())
    assert [one.id.id for one in asked.groups] == [group_dn("staff"), group_dn("a"), group_dn("b")]


# Addresses


@pytest.mark.parametrize("mail", [None, "", " "])
def test_a_group_without_an_address_is_no_list(mail: Values | None) -> None:
    found, asked = ask_group(mail=mail, proxyAddresses="s@example.org")
    assert only(asked, Code.LIST_WITHOUT_MAIL).where == group_dn("staff")
    assert (found.addresses, found.further, found.is_clear) == ((), frozenset(), True)


@pytest.mark.parametrize(("mail", "code"), [("nobody", Code.BAD_ADDRESS), (b"\xff", Code.NOT_UTF8)])
def test_a_group_whose_address_can_not_be_used_is_not_clear(mail: Values, code: Code) -> None:
    found, asked = ask_group(mail=mail, proxyAddresses="s@example.org")
    assert codes(asked) == [code]
    assert (found.addresses, found.further, found.is_clear) == ((), frozenset(), False)


def test_of_several_addresses_all_are_handed_on_in_the_entry_s_order() -> None:
    """Which of them is the list can't be told from the entry."""
    assert plain_group(mail=["t@example.org", STAFF]).addresses == ("t@example.org", STAFF)


def test_an_address_that_can_not_be_used_leaves_the_others() -> None:
    found, asked = ask_group(mail=[STAFF, "nobody"])
    assert codes(asked) == [Code.BAD_ADDRESS]
    assert (found.addresses, found.is_clear) == ((STAFF,), True)


def test_further_addresses_are_those_that_are_no_first_ones() -> None:
    values = ["SMTP:staff@example.org", "smtp:s@example.org", "x500:x", "smtp:s@example.net"]
    assert plain_group(proxyAddresses=values).further == {"s@example.org", "s@example.net"}


POSTMASTER, ABUSE = Address("postmaster@example.org"), Address("abuse@example.org")


@pytest.mark.parametrize("key", ["allow_reserved", "allow_reserved_groups"])
def test_reserved_names_and_the_catch_all_are_for_groups_that_the_config_lets_have_them(key: str) -> None:
    settings: dict[str, Any] = {"allow_reserved_groups": [], key: ["postmaster", ABUSE, "@example.net"]}
    values: dict[str, Values] = {
        "mail": POSTMASTER,
        "proxyAddresses": [ABUSE, "@example.net", "root@example.net"],
        "mailCatchAll": "TRUE",
    }
    asked = ask(groups=[group("staff", **values)], config=config(**settings))
    (found,) = asked.groups
    assert found.addresses == (POSTMASTER,)
    assert found.further == {ABUSE, "@example.net", "root@example.net"}
    assert (found.catches_all, found.is_clear) == (False, False)
    told = only(asked, Code.RESERVED_ADDRESS)
    assert told.sentence == (
        "@example.org stands for the whole domain; if this entry shall have it, put '@example.org' into "
        "allow_reserved_groups"
    )


def test_without_a_word_in_the_config_a_group_gets_none_and_keeps_what_it_has() -> None:
    """An owner of a group would get the mail of the domain's keepers, and certificates for the domain."""
    values: dict[str, Values] = {
        "mail": ["STAFF@example.org", POSTMASTER],
        "proxyAddresses": [ABUSE, "@example.org", "s@example.org"],
    }
    found, asked = ask_group(**values)
    assert found.addresses == (STAFF,)
    assert found.further == {"s@example.org"}
    assert not found.is_clear
    assert codes(asked) == [Code.RESERVED_ADDRESS] * 3
    assert not ask_group(mail=POSTMASTER)[0].is_clear


def test_what_one_kind_of_entry_may_have_a_user_may_not() -> None:
    config = make_config(source=LISTS, allow_reserved_groups=["postmaster"])
    assert only(ask(entry("postmaster"), config=config), Code.RESERVED_ADDRESS).where == dn_of("postmaster")


# Flags


def test_flags_are_read() -> None:
    assert plain_group(mailInternal="TRUE", mailSend="no", mailVisible="1").flags == {
        "internal": 1,
        "sender_allowed": 0,
        "sogo_visible": 1,
    }


def test_a_blank_flag_says_nothing() -> None:
    assert plain_group(mailInternal=" ", mailSend="").flags == {"sogo_visible": 0}


def test_lists_are_shown_in_sogo_as_the_config_says() -> None:
    asked = ask(groups=[staff(member=None)], config=config(sogo_visible={"users": False, "lists": True}))
    assert group_of(asked).flags == {"sogo_visible": 1}


@pytest.mark.parametrize("value", ["maybe", ["TRUE", "FALSE"]])
@pytest.mark.parametrize(
    ("attribute", "flag"),
    [("mailInternal", "internal"), ("mailSend", "sender_allowed"), ("mailVisible", "sogo_visible")],
)
def test_an_unclear_flag_is_told_and_not_managed(attribute: str, flag: str, value: Values) -> None:
    found, asked = ask_group(**{"mailInternal": "TRUE", "mailSend": "TRUE", "mailVisible": "TRUE", attribute: value})
    sentence = only(asked, Code.FLAG_INVALID).sentence
    assert sentence.startswith(f"its {attribute} ")
    assert sentence.endswith("until then a list that is there keeps its setting")
    assert {"internal", "sender_allowed", "sogo_visible"} - found.flags.keys() == {flag}


@pytest.mark.parametrize(
    ("value", "catches_all"), [("TRUE", True), ("1", True), ("FALSE", False), ("", False), (None, False)]
)
def test_a_group_says_whether_it_catches_all(value: Values | None, *, catches_all: bool) -> None:
    assert plain_group(mailCatchAll=value).catches_all is catches_all


def test_whether_it_catches_all_may_be_unclear() -> None:
    found, asked = ask_group(mailCatchAll="maybe")
    assert codes(asked) == [Code.FLAG_INVALID]
    assert (found.catches_all, found.addresses, found.is_clear) == (None, (STAFF,), True)


@pytest.mark.parametrize("attribute", ["mailCatchAll", "mailInternal", "mailVisible"])
def test_a_flag_that_is_not_utf8_is_unclear(attribute: str) -> None:
    """Else a catch-all would go, or a default be written, for one broken value."""
    found, asked = ask_group(**{attribute: b"\xff"})
    assert codes(asked) == [Code.NOT_UTF8]
    assert (found.catches_all is None) == (attribute == "mailCatchAll")
    assert ("sogo_visible" in found.flags) == (attribute != "mailVisible")


# Comments


@pytest.mark.parametrize(
    ("value", "comment"),
    [
        ("All  of\tus\n", "All of us"),
        (["All of us", " All of us"], "All of us"),
        (" ", None),
        (None, None),
        ("x" * 160, "x" * 160),
        ("ü" * 80, "ü" * 80),
    ],
)
def test_a_comment_is_what_mailcow_holds(value: Values | None, comment: str | None) -> None:
    assert plain_group(description=value).comment == comment


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("x" * 161, "has more than 160 bytes"),
        ("ü" * 81, "has more than 160 bytes"),
        ("a\x00b", "has control characters"),
        ("a\x1bb", "has control characters"),
        (["one", "two"], "has several values"),
    ],
)
def test_a_comment_that_mailcow_can_not_hold_is_told_and_not_managed(value: Values, problem: str) -> None:
    found, asked = ask_group(description=value)
    assert only(asked, Code.COMMENT_INVALID).sentence == (
        f"its description {problem}; correct it in the directory; until then a list that is there keeps its comment"
    )
    assert found.comment is None
