"""Filters that entries of the directory hold: what they may ask for, and that nothing else is asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldap2mailcow.directory.filters import checked

ALLOWED = frozenset({"objectclass", "ou", "mail", "memberof"})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("(ou=Sales)", "(ou=Sales)"),
        ("(OU=Sales)", "(OU=Sales)"),
        ("(&(objectClass=person)(|(ou=a)(ou=b))(!(mail=*)))", "(&(objectClass=person)(|(ou=a)(ou=b))(!(mail=*)))"),
        ("(mail=a*b*)", "(mail=a*b*)"),
        ("(ou>=a)", "(ou>=a)"),
        ("(ou~=a)", "(ou~=a)"),
        ("(memberOf=cn=a b,dc=x)", "(memberOf=cn\\3da\\20b\\2cdc\\3dx)"),
        ("(ou=é)", "(ou=\\c3\\a9)"),
        ("(ou=\\28\\2a\\0a\\61)", "(ou=\\28\\2a\\0aa)"),
        ("(ou=)", "(ou=)"),
    ],
)
def test_a_filter_is_written_anew(text: str, written: str) -> None:
    assert checked(text, ALLOWED) == written


@pytest.mark.parametrize(
    "text",
    [
        "(userPassword={SSHA512}a*)",
        "(userPassword=*)",
        "(!(userPassword=*))",
        "(&(ou=a)(|(ou=b)(!(USERPASSWORD>=x))))",
        "(2.5.4.35=*)",
        "(oid.2.5.4.35=*)",
        "(userPassword;x-foo=*)",
        "(ou;x-foo=a)",
        "(ou;binary=a)",
        "(userPassword:octetStringOrderingMatch:={SSHA512}vX)",
        "(userPassword:2.5.13.18:=a)",
        "(ou:caseExactMatch:=a)",
        "(ou:=a)",
        "(ou:dn:=a)",
        "(:dn:2.5.13.5:=a)",
        "(:2.5.13.18:=a)",
        "(\\75serPassword=*)",
        "(o\\75=*)",
        "( userPassword=*)",
        "(ou =a)",
        "((userPassword=*))",
        "(ou=a)(userPassword=*)",
        "(ou=a))(userPassword=*",
        "(&(ou=a)userPassword=*)",
        "(& (ou=a))",
        "(ou=a",
        "(ou=a(b)",
        "(ou=\\2)",
        "(ou=\\zz)",
        "(ou=a\0b)",
        "(ou\0=a)",
        "(ou>=a*)",
        "(ou<a)",
        "(ou)",
        "(=a)",
        "(&)",
        "(!(ou=a)(ou=b))",
        "()",
        "",
        "ou=a",
        "(cn=a)",
        "(name=*)",
        "(*=a)",
        "(1.1=a)",
        "(" * 8_000,
        "(!" * 3_000,
        "(&" * 11 + "(ou=a)" + ")" * 11,
        "(|" + "(ou=a)" * 51 + ")",
    ],
)
def test_what_asks_for_something_else_is_refused(text: str) -> None:
    """It would be searched for with the rights of the bind DN, which reads every hash."""
    with pytest.raises(ValueError, match="its filter"):
        checked(text, ALLOWED)


@given(st.text(st.sampled_from("()&|!=*~<>:;\\ aou0é\0\n-."), max_size=40))
def test_what_is_written_compares_with_allowed_attributes_only(text: str) -> None:
    try:
        written = checked(text, ALLOWED)
    except ValueError:
        return
    assert re.fullmatch(r"(?:[()&|!]|\((?i:ou|mail)[~<>]?=(?:[0-9A-Za-z*]|\\[0-9a-f]{2})*\))+", written)
    assert checked(written, ALLOWED) == written
