"""Changes: what a run means to do to mailcow, the calls that do it, and how each ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pydantic import SecretStr

from .address import Address
from .attribute import Value
from .rule import Rule

Patch = Mapping[str, object]
"""Columns of a `Remembered` or `RememberedAlias` row and their new values."""


class Subject(StrEnum):
    """What a change is about, and in which table it is remembered."""

    MAILBOX = "mailbox"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered without any change in mailcow: columns of a row, or None to forget the row."""

    address: Address
    remember: Patch | None
    subject: Subject = Subject.MAILBOX


class Kind(StrEnum):
    """What a change does to a mailbox or an alias."""

    RENAME = "rename"  # mailboxes only
    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    REASSERT = "reassert"  # writes what is there already, because mailcow can't show all of it
    ENABLE = "enable"
    GRANT = "grant"  # whom its user may send as
    SWITCH = "switch"  # to another identity provider: who checks the password
    DISABLE = "disable"
    RELEASE = "release"  # ours no more, whatever it is
    REMOVE = "remove"  # aliases only
    DELETE = "delete"  # mailboxes only, with all that is in them


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
    """Addresses; an alias that is there already by its number (docs/mailcow-api.md section 0, rule 6)."""
    attr: Mapping[str, object]
    confirms: str
    """The message code that mailcow answers for each item once it is done."""
    called: tuple[str, ...] = ()
    """What mailcow's messages call each item, in the same order; empty where they call it as we do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happens to one mailbox or alias, whole: all its calls are done, or it is not."""

    kind: Kind
    address: Address
    why: Rule
    dn: str = ""
    fields: tuple[FieldChange, ...] = ()
    """What people are shown."""
    rebuilds: int = 0
    """How often mailcow rebuilds its whole address book for it (docs/mailcow-api.md section 12)."""
    remember: Patch | None = field(default_factory=dict)
    """What the state file holds once mailcow has confirmed it; None: nothing any more."""
    notes: tuple[Note, ...] = ()
    """What else is remembered with it."""
    subject: ClassVar[Subject]

    @property
    def name(self) -> str:
        """What tells it from the other changes of a run: its kind, and its mailbox or alias."""
        return f"{self.kind} {self.address}"


@dataclass(frozen=True, slots=True)
class MailboxChange(Change):
    """A change of a mailbox."""

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
    senders: tuple[str, ...] | None = None
    """All of `sender_acl` from now on, hand-made rows included; None: not written."""
    foreign_senders: tuple[str, ...] | None = None
    """All of `extended_sender_acl` from now on; None: not written."""
    subject: ClassVar[Subject] = Subject.MAILBOX


@dataclass(frozen=True, slots=True)
class RenameChange(Change):
    """A mailbox gets another address in its domain: `address`, from then on.

    mailcow takes mail, password, rights and tags along, and rewrites gotos that are nothing but the old address
    (docs/mailcow-api.md section 15).
    """

    former: Address = field(default_factory=Address)
    """The address that it has before."""
    left: Mapping[str, Value] = field(default_factory=dict)
    """The fields of the alias that stays at the old address."""
    gives_way: int | None = None
    """The number of the alias at the new address, which is deleted just before."""
    subject: ClassVar[Subject] = Subject.MAILBOX

    @property
    def name(self) -> str:
        """What tells it from the other changes of a run."""
        return f"{self.kind} {self.former} to {self.address}"


@dataclass(frozen=True, slots=True)
class AliasChange(Change):
    """A change of an alias."""

    writes: Mapping[str, Value] = field(default_factory=dict)
    """The fields to send, named as in the API."""
    number: int | None = None
    """mailcow's id of it; None for one that is not there yet."""
    is_first: bool = False
    """Whether something else of the run waits for it: for its address, or for its place in the domain."""
    subject: ClassVar[Subject] = Subject.ALIAS

    @property
    def name(self) -> str:
        """What tells it from the other changes of a run."""
        return f"{self.kind} alias {self.address}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a change ended."""

    change: Change
    done: bool
    detail: str = ""
    """Why it isn't done: a sentence with a remedy where there is one."""
