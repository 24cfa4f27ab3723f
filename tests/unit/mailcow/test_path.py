"""Paths: addresses come out of nginx's and PHP's decoding as they went in; lists of domains stay short."""

from __future__ import annotations

from urllib.parse import unquote, unquote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldap2mailcow.mailcow.path import in_lists, quoted

LOCAL = st.text("abcxyz019!#$%&'*+=?^_`{|}~-", min_size=1, max_size=64)
DOMAINS = st.frozensets(st.from_regex(r"[a-z]{1,60}(\.[a-z]{1,60}){1,3}", fullmatch=True), max_size=200)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("ann@example.org", "ann@example.org"),
        ("p+tag@example.org", "p%252Btag@example.org"),
        ("a&b%c#d?e@example.org", "a%2526b%2525c%2523d%253Fe@example.org"),
        ("o'neil@example.org", "o%27neil@example.org"),
    ],
)
def test_what_means_something_in_a_query_string_is_encoded_twice(address: str, path: str) -> None:
    assert quoted(address) == path


@given(LOCAL)
def test_an_address_survives_both_decodings(local: str) -> None:
    """nginx decodes the path, pastes it into a query string, and PHP decodes that."""
    address = f"{local}@example.org"
    sent = httpx.Request("GET", f"https://mail.example.com/api/v1/get/mailbox/{quoted(address)}").url.raw_path.decode()
    pasted = unquote(sent.removeprefix("/api/v1/get/mailbox/"))
    assert not set(pasted) & set("&#+?")
    assert unquote_plus(pasted) == address


@given(DOMAINS)
def test_lists_hold_every_domain_once_and_stay_short(domains: frozenset[str]) -> None:
    parts = list(in_lists(domains))
    assert sorted(domains) == [domain for part in parts for domain in part]
    assert all(0 < len(part) <= 50 for part in parts)
    assert all(len(",".join(part)) <= 4000 for part in parts)


def test_no_domain_makes_no_list() -> None:
    """An empty list in a path would ask for everything."""
    assert list(in_lists([])) == []
