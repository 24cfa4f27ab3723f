"""The attribute table: everything of a mailbox that we write, apart from its password.

One row says how a mapped value is called in the config, where mailcow's answers carry it, by which endpoint and
field it is written, and how mailcow stores it. Mapping, comparing and calling all read this table.
Facts: docs/mailcow-api.md sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

MIB = 1024 * 1024

Value = str | int
"""A value as mailcow stores it and as plans show it: names are text, quotas MiB (0 = unlimited), flags 0 or 1."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table."""

    key: str
    """Its name in `user_mapping`, in plans and in the state file."""
    unit: str
    """What a value counts, for people."""
    endpoint: str
    """The call that really writes it on an existing mailbox; `add/mailbox` takes every row."""
    field: str
    """Its name in that call and in `add/mailbox`."""
    read: Callable[[Mapping[str, object]], Value]
    """Takes it out of a row of `get/mailbox/...`."""


def _name(row: Mapping[str, object]) -> Value:
    return str(row["name"])


def _quota(row: Mapping[str, object]) -> Value:
    return cast("int", row["quota"]) // MIB


def _active(row: Mapping[str, object]) -> Value:
    return cast("int", row["active"])


def _authsource(row: Mapping[str, object]) -> Value:
    return str(row["authsource"])


def _inner_flag(field: str) -> Callable[[Mapping[str, object]], Value]:
    """Read a flag that mailcow keeps as the text "0" or "1" inside `attributes`."""

    def read(row: Mapping[str, object]) -> Value:
        return int(cast("Mapping[str, str]", row["attributes"]).get(field) or 0)

    return read


NAME = Attribute("name", "text", "edit/mailbox", "name", _name)
QUOTA = Attribute("quota", "MiB", "edit/mailbox", "quota", _quota)
ACTIVE = Attribute("active", "0, 1 or 2", "edit/mailbox", "active", _active)
AUTHSOURCE = Attribute("authsource", "provider", "edit/mailbox", "authsource", _authsource)
TLS_IN = Attribute("tls_enforce_in", "0 or 1", "edit/tls_policy", "tls_enforce_in", _inner_flag("tls_enforce_in"))
TLS_OUT = Attribute("tls_enforce_out", "0 or 1", "edit/tls_policy", "tls_enforce_out", _inner_flag("tls_enforce_out"))

ATTRIBUTES: dict[str, Attribute] = {row.key: row for row in (NAME, QUOTA, ACTIVE, AUTHSOURCE, TLS_IN, TLS_OUT)}
