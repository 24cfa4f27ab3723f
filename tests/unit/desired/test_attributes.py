"""What a mailbox is to be like: values by the attribute table, and those that can't be used."""

from __future__ import annotations

import pytest

from ldap2mailcow.model import Code

from .builders import Values, ask, codes, entry, make_config, only, user_of

EVERYTHING = {
    "name": "displayName",
    "quota": "mailQuota",
    "active": "mailActive",
    "tls_enforce_in": "tlsIn",
    "tls_enforce_out": "tlsOut",
}
CONFIG = make_config(EVERYTHING)


def test_an_attribute_that_is_not_mapped_is_not_managed() -> None:
    user = user_of(entry("ann", mailQuota="2G", mailActive="FALSE", tlsIn="1"))
    assert user.attributes == {"name": "Ann Other"}


def test_a_mapped_attribute_that_the_entry_lacks_is_not_managed() -> None:
    user = user_of(entry("ann", givenName=None, sn=None), CONFIG)
    assert (user.attributes, user.unreadable) == ({}, frozenset())
    assert user.present == {"mail"}


def test_an_attribute_of_blanks_is_present_and_not_managed() -> None:
    """The key counts as there, so that a blank isn't taken for half of a vanished attribute."""
    user = user_of(entry("ann", mailQuota=" "), CONFIG)
    assert "quota" not in user.attributes
    assert "quota" not in user.unreadable
    assert "quota" in user.present


# The name


def test_the_whole_name_goes_before_first_and_last_name() -> None:
    assert user_of(entry("ann", displayName="Dr. Ann"), CONFIG).attributes["name"] == "Dr. Ann"


@pytest.mark.parametrize(
    ("given_name", "surname", "name"),
    [("Ann", "Other", "Ann Other"), ("Ann", None, "Ann"), (None, "Other", "Other"), (["Ann", "Anna"], "O", "Ann O")],
)
def test_first_and_last_name_make_the_name(given_name: Values | None, surname: Values | None, name: str) -> None:
    assert user_of(entry("ann", givenName=given_name, sn=surname), CONFIG).attributes["name"] == name


def test_a_name_of_nothing_but_signs_that_mailcow_cuts_off_is_not_managed() -> None:
    user = user_of(entry("ann", displayName="<>"), CONFIG)
    assert (user.attributes, user.unreadable) == ({}, frozenset())


# The quota


def test_a_quota_counts_in_the_unit_of_the_config() -> None:
    user = user_of(entry("ann", mailQuota="3"), make_config({"quota": "mailQuota", "quota_unit": "GiB"}))
    assert user.attributes["quota"] == 3 * 1024


def test_a_quota_of_zero_is_managed_and_an_empty_one_is_not() -> None:
    assert user_of(entry("ann", mailQuota="0"), CONFIG).attributes["quota"] == 0
    assert "quota" not in user_of(entry("ann", mailQuota=""), CONFIG).attributes


def test_several_values_that_mean_the_same_are_one() -> None:
    assert user_of(entry("ann", mailQuota=["1G", "1024M"]), CONFIG).attributes["quota"] == 1024


# Values that can't be used


@pytest.mark.parametrize(
    ("attribute", "value", "code", "key"),
    [
        ("mailQuota", "lots", Code.QUOTA_INVALID, "quota"),
        ("mailQuota", "9" * 40, Code.QUOTA_INVALID, "quota"),
        ("mailQuota", ["1G", "2G"], Code.QUOTA_INVALID, "quota"),
        ("mailActive", "maybe", Code.ACTIVE_INVALID, "active"),
        ("mailActive", ["TRUE", "FALSE"], Code.ACTIVE_INVALID, "active"),
        ("tlsIn", "2", Code.TLS_INVALID, "tls_enforce_in"),
        ("tlsOut", "x", Code.TLS_INVALID, "tls_enforce_out"),
    ],
)
def test_a_value_that_can_not_be_used_is_told_and_known_to_be_unreadable(
    attribute: str, value: Values, code: Code, key: str
) -> None:
    asked = ask(entry("ann", **{attribute: value}), config=CONFIG)
    assert f"its {attribute} " in only(asked, code).sentence
    (user,) = asked.users
    assert user.unreadable == {key}
    assert user.attributes == {"name": "Ann Other"}
    assert key in user.present


def test_a_name_that_mailcow_can_not_hold_is_told_as_such() -> None:
    asked = ask(entry("ann", givenName="A" * 255))
    assert only(asked, Code.NAME_INVALID).sentence == (
        "its name has more than 255 characters; correct it in the directory; until then an existing mailbox keeps its "
        "value"
    )
    assert asked.users[0].attributes == {}
    assert asked.users[0].unreadable == {"name"}


def test_a_status_that_can_not_be_used_makes_no_new_mailbox_and_the_sentence_says_so() -> None:
    asked = ask(entry("ann", mailActive="maybe"), config=CONFIG)
    assert only(asked, Code.ACTIVE_INVALID).sentence == (
        "its mailActive is none of 1, 0, TRUE, FALSE, yes, no; correct it in the directory; until then an existing "
        "mailbox keeps its status, and a new one is not created"
    )


@pytest.mark.parametrize(
    ("attribute", "key"), [("mailActive", "active"), ("mailQuota", "quota"), ("tlsIn", "tls_enforce_in")]
)
def test_a_value_that_is_not_utf8_is_unreadable_too(attribute: str, key: str) -> None:
    asked = ask(entry("ann", **{attribute: b"\xff"}), config=CONFIG)
    assert codes(asked) == [Code.NOT_UTF8]
    assert asked.users[0].unreadable == {key}


def test_beside_a_value_that_is_not_utf8_the_others_are_taken() -> None:
    asked = ask(entry("ann", givenName=[b"\xff", "Ann"], mailActive=[b"\xff", "FALSE"]), config=CONFIG)
    assert codes(asked) == [Code.NOT_UTF8, Code.NOT_UTF8]
    assert asked.users[0].attributes == {"name": "Ann Other", "active": 0}
    assert asked.users[0].unreadable == frozenset()


# Who checks the password


@pytest.mark.parametrize(
    ("mapping", "managed"),
    [({}, None), ({"authsource": "mailcow"}, "mailcow"), ({"authsource": "ldap"}, "ldap")],
)
def test_what_checks_the_password_is_managed_only_where_the_config_says_it(
    mapping: dict[str, str],
    managed: str | None,
) -> None:
    assert user_of(entry("ann"), make_config(mapping)).attributes.get("authsource") == managed


# Mailboxes that come from elsewhere


def test_of_mailboxes_from_elsewhere_only_the_status_is_read() -> None:
    config = make_config({**EVERYTHING, "authsource": "mailcow"}, create_mailboxes=False)
    odd = entry("ann", mailActive="FALSE", mailQuota="lots", userPassword="clear", sn="x" * 300)
    assert user_of(odd, config).attributes == {"active": 0}


def test_of_mailboxes_from_elsewhere_nothing_is_read_without_a_status() -> None:
    assert user_of(entry("ann"), make_config(create_mailboxes=False)).attributes == {}
