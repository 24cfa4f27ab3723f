"""An alias twice: as mailcow has it, and as we remember it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .address import Address
from .attribute import Value
from .entry import EntryId
from .mailbox import Origin

GOTO, ALIAS_ACTIVE = "goto", "active"
INTERNAL, SENDER_ALLOWED, SOGO_VISIBLE = "internal", "sender_allowed", "sogo_visible"
PRIVATE_COMMENT, PUBLIC_COMMENT = "private_comment", "public_comment"

FLAGS = (INTERNAL, SENDER_ALLOWED, SOGO_VISIBLE)
"""What an alias is apart from where it goes: only for our own people to write to, its targets may send as it, shown in
the shared address book. A new alias is sent all of them: a missing one is 0 there (docs/mailcow-api.md section 7)."""

COMPARED_FIELDS = (GOTO, *FLAGS, PUBLIC_COMMENT)
"""The fields that follow the directory as they are, named as in the API."""


class Role(StrEnum):
    """What kind of entry asks for an alias; each kind is searched for, and known to be whole, by itself."""

    USER = "user"  # a further address of somebody
    LIST = "list"  # an address of a group
    FORWARD = "forward"  # an entry that only forwards
    FORMER = "former"  # the address that somebody's mailbox had before it was renamed


@dataclass(frozen=True, slots=True)
class ExistingAlias:
    """An alias as mailcow has it."""

    address: Address
    number: int
    """mailcow's id: the only safe name of it (docs/mailcow-api.md section 0, rule 6)."""
    values: Mapping[str, Value]
    """By the API's names: `goto` as `joined` writes it, the flags, `active`, both comments ("" where there is none)."""

    @property
    def goto(self) -> frozenset[Address]:
        """Where it goes."""
        return split(str(self.values[GOTO]))

    @property
    def is_active(self) -> bool:
        """Whether mail to it is taken."""
        return self.values[ALIAS_ACTIVE] != 0


@dataclass(frozen=True, slots=True)
class RememberedAlias:
    """A row of the state file: an alias that is ours, and what we last did to it."""

    address: Address
    source: str
    owner: str
    dn: str
    role: Role | None
    """None for what only the mark made ours."""
    origin: Origin
    number: int | None = None
    """mailcow's id, once it was read back: an alias of another number is another one, made by somebody else."""
    applied: Mapping[str, Value] = field(default_factory=dict)
    """The managed fields as last confirmed."""
    disabled: bool = False
    """Whether the inactive state is our doing."""
    missing_since: datetime | None = None
    missed: int = 0
    """Whole answers in a row that didn't have the entry."""
    last_missed: datetime | None = None
    """When the last of them was given."""

    @property
    def entry(self) -> EntryId:
        """The entry whose alias it is; that of no entry where only the mark made it ours."""
        return EntryId(self.source, self.owner)

    @property
    def identity(self) -> Mapping[str, object]:
        """The columns that say whose it is, which a row begins with."""
        return {
            "source": self.source,
            "owner": self.owner,
            "dn": self.dn,
            "role": self.role,
            "origin": self.origin,
        }


def joined(addresses: Iterable[str]) -> str:
    """Return targets as one text, the same for the same targets: sorted, each once."""
    return ",".join(sorted(set(addresses)))


def split(goto: str) -> frozenset[Address]:
    """Return the targets in a text of `joined`."""
    return frozenset(map(Address, goto.split(","))) if goto else frozenset()
