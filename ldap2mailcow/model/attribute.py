"""The attribute table: everything of a mailbox that we write, apart from its password.

One row says from which keys of `user_mapping` a value comes, how mailcow stores it, where mailcow's answers carry it,
and by which endpoint and field it is written. Mapping, comparing and calling all go by this table.
Facts: docs/mailcow-api.md sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from .finding import Code
from .stored import MIB, read_flag, read_name, read_quota


class Part(StrEnum):
    """What is decided and written by itself of a mailbox, so that one part can be held while the others go on."""

    VALUES = "values"  # name, quota, TLS, tags, password
    LOGIN = "login"  # who checks the password
    STATUS = "status"  # active
    RIGHTS = "rights"  # to send as others


Value = str | int
"""A value as mailcow stores it and as plans show it: names are text, quotas MiB (0 = unlimited), flags 0 or 1."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table."""

    key: str
    """Its name in plans and in the state file."""
    mapped: tuple[str, ...]
    """The keys of `user_mapping` whose attributes make it; the first that an entry has, or all parts in a row."""
    store: Callable[[str], Value]
    """Makes what mailcow will store of a text, or raises UnusableValueError."""
    unusable: Code
    """The finding for a text that can't be stored."""
    endpoint: str
    """The call that really writes it on an existing mailbox; `add/mailbox` takes every row."""
    field: str
    """Its name in that call and in `add/mailbox`."""
    read: Callable[[Mapping[str, object]], Value]
    """Takes it out of a row of `get/mailbox/...`."""
    part: Part = Part.VALUES
    """With what it is decided and written."""


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


def _tls(key: str) -> Attribute:
    return Attribute(key, (key,), read_flag, Code.TLS_INVALID, "edit/tls_policy", key, _inner_flag(key))


EDIT = "edit/mailbox"
NAME = Attribute("name", ("name", "firstname", "lastname"), read_name, Code.NAME_INVALID, EDIT, "name", _name)
QUOTA = Attribute("quota", ("quota",), read_quota, Code.QUOTA_INVALID, EDIT, "quota", _quota)
ACTIVE = Attribute("active", ("active",), read_flag, Code.ACTIVE_INVALID, EDIT, "active", _active, Part.STATUS)
TLS_IN = _tls("tls_enforce_in")
TLS_OUT = _tls("tls_enforce_out")
AUTHSOURCE = Attribute("authsource", (), str, Code.PROVIDER_NOT_SET_UP, EDIT, "authsource", _authsource, Part.LOGIN)
"""Not an entry's: the config says it for all."""

ATTRIBUTES: dict[str, Attribute] = {row.key: row for row in (NAME, QUOTA, ACTIVE, AUTHSOURCE, TLS_IN, TLS_OUT)}
