"""Changes: what a run means to do to mailcow, the calls that do it, and how each ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import SecretStr

from .address import Address
from .attribute import Value

Patch = Mapping[str, object]
"""Columns of a `Remembered` row and their new values."""


class Kind(StrEnum):
    """What a change does to a mailbox."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    REASSERT = "reassert"  # writes what is there already, because mailcow can't show all of it
    ENABLE = "enable"
    SWITCH = "switch"  # to another identity provider: who checks the password
    DISABLE = "disable"


class Why(StrEnum):
    """The rule a change follows; what `history` tells."""

    NEW = "it is new in the directory"
    UNKNOWN_HERE = "it was in mailcow before we were"
    LDAP = "the directory changed"
    MAILCOW = "mailcow was changed by hand"
    PASSWORD = "its password changed in the directory"  # noqa: S105 - a sentence
    DRIFT = "its password was changed in mailcow"
    REASSERT = "every run writes it again"
    STATUS = "the directory says it is inactive"
    STATUS_BACK = "the directory says it is active again"
    MISSING = "its entry is gone from the directory"
    BACK = "its entry is back in the directory"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One attribute before and after; `before` is None where there was nothing."""

    key: str
    before: Value | None
    after: Value


@dataclass(frozen=True, slots=True)
class Call:
    """One request that writes: for one item, or for several that get the same values.

    `attr` may hold SecretStr values: only the mailcow room takes them out.
    """

    endpoint: str
    items: tuple[str, ...]
    attr: Mapping[str, object]
    confirms: str
    """The message code that mailcow answers for each item once it is done."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happens to one mailbox, whole: all its calls are done, or it is not."""

    kind: Kind
    address: Address
    why: Why
    dn: str = ""
    fields: tuple[FieldChange, ...] = ()
    """What people are shown."""
    writes: Mapping[str, Value] = field(default_factory=dict)
    """The attributes to send, by the keys of the attribute table."""
    password: SecretStr | None = None
    """The password it writes, if it writes one; shown only as 'password'."""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    attribute_hash: str = ""
    """Sent back with edits, as mailcow had it."""
    passwd_update: str = ""
    """mailcow's stamp before the change: a later one proves that the password was written."""
    rebuilds: int = 0
    """How often mailcow rebuilds its whole address book for it (docs/mailcow-api.md section 12)."""
    remember: Patch = field(default_factory=dict)
    """What the state file holds once mailcow has confirmed it."""

    @property
    def name(self) -> str:
        """What tells it from the other changes of a run: its kind and its mailbox."""
        return f"{self.kind} {self.address}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a change ended."""

    change: Change
    done: bool
    detail: str = ""
    """Why it isn't done: a sentence with a remedy where there is one."""
