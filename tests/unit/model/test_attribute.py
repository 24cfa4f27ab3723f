"""The attribute table: what mailcow answers, read into the values that plans compare."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.config import UserMapping
from ldap2mailcow.model import ATTRIBUTES, MIB, Code, UnusableValueError, Value

ROW: dict[str, Any] = {
    "username": "ann@example.org",
    "name": "Ann Other",
    "quota": 1024 * MIB,
    "active": 2,
    "authsource": "ldap",
    "attributes": {"tls_enforce_in": "1", "tls_enforce_out": "0"},
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("name", "Ann Other", id="name"),
        pytest.param("quota", 1024, id="quota, of which mailcow answers bytes"),
        pytest.param("active", 2, id="active, which has three values"),
        pytest.param("authsource", "ldap", id="authsource"),
        pytest.param("tls_enforce_in", 1, id="a flag that is text in mailcow"),
        pytest.param("tls_enforce_out", 0, id="a flag that isn't set"),
    ],
)
def test_an_attribute_is_read_from_mailcow_s_answer(key: str, value: Value) -> None:
    assert ATTRIBUTES[key].read(ROW) == value


@pytest.mark.parametrize("inner", [{}, {"tls_enforce_in": ""}, {"tls_enforce_in": None}])
def test_a_flag_that_mailcow_left_out_is_not_set(inner: dict[str, object]) -> None:
    """Mailboxes of old mailcow versions lack some of the flags until they are edited."""
    assert ATTRIBUTES["tls_enforce_in"].read({**ROW, "attributes": inner}) == 0


def test_no_quota_is_unlimited() -> None:
    assert ATTRIBUTES["quota"].read({**ROW, "quota": 0}) == 0


def test_tls_is_written_where_mailcow_takes_it() -> None:
    """`edit/mailbox` answers success for these two and ignores them."""
    assert {row.key for row in ATTRIBUTES.values() if row.endpoint != "edit/mailbox"} == {
        "tls_enforce_in",
        "tls_enforce_out",
    }


@pytest.mark.parametrize(
    ("key", "text", "stored"),
    [
        ("name", " Ann  Other ", "Ann Other"),
        ("quota", "2G", 2048),
        ("active", "FALSE", 0),
        ("tls_enforce_in", "yes", 1),
        ("tls_enforce_out", "0", 0),
    ],
)
def test_an_attribute_says_how_mailcow_stores_a_text(key: str, text: str, stored: Value) -> None:
    assert ATTRIBUTES[key].store(text) == stored


@pytest.mark.parametrize(
    ("key", "text", "code"),
    [
        ("name", "0", Code.NAME_INVALID),
        ("quota", "lots", Code.QUOTA_INVALID),
        ("active", "maybe", Code.ACTIVE_INVALID),
        ("tls_enforce_in", "2", Code.TLS_INVALID),
        ("tls_enforce_out", "", Code.TLS_INVALID),
    ],
)
def test_an_attribute_says_what_a_text_is_that_can_not_be_stored(key: str, text: str, code: Code) -> None:
    with pytest.raises(UnusableValueError):
        ATTRIBUTES[key].store(text)
    assert ATTRIBUTES[key].unusable is code


def test_each_attribute_comes_from_its_own_keys_of_the_mapping() -> None:
    """Who checks the password is the config's to say, and no entry's."""
    mapped = {row.key: row.mapped for row in ATTRIBUTES.values()}
    assert mapped.pop("name") == ("name", "firstname", "lastname")
    assert mapped.pop("authsource") == ()
    assert mapped == {key: (key,) for key in ("quota", "active", "tls_enforce_in", "tls_enforce_out")}
    keys = [key for row in ATTRIBUTES.values() for key in row.mapped]
    assert len(keys) == len(set(keys))
    assert set(keys) <= UserMapping.model_fields.keys()
