"""The attribute table: what mailcow answers, read into the values that plans compare."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.model import ATTRIBUTES, MIB, Value

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
