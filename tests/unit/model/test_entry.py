"""Entries: attribute names have no case in LDAP."""

from __future__ import annotations

from ldap2mailcow.model import Entry, attribute_names

ENTRY = Entry("uid=ann,dc=example,dc=org", {"givenname": (b"Ann", b"Anna")})


def test_an_attribute_is_found_in_any_case() -> None:
    assert ENTRY.values("givenName") == (b"Ann", b"Anna")


def test_an_attribute_that_was_not_sent_has_no_values() -> None:
    assert ENTRY.values("sn") == ()


def test_the_names_of_attributes_are_asked_for_once_whatever_their_case() -> None:
    assert attribute_names("mail", "", "member", "Mail", "uid", "MEMBER") == ("mail", "member", "uid")
