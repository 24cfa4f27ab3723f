"""Digests of passwords: only those of one key can be compared."""

from __future__ import annotations

from pydantic import SecretStr

from ldap2mailcow.model import Memory


def seal(password: SecretStr) -> str:
    return f"key1:{len(password)}"


MEMORY = Memory(mailboxes={}, sources={}, seal=seal)


def test_a_digest_of_the_present_key_is_comparable() -> None:
    assert MEMORY.is_comparable(seal(SecretStr("a password")))


def test_a_digest_of_a_lost_key_says_nothing() -> None:
    assert not MEMORY.is_comparable("key2:10")
