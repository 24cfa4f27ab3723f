"""A mailbox twice: as mailcow has it, and as we remember it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .address import Address
from .attribute import Value
from .entry import EntryId


@dataclass(frozen=True, slots=True)
class Existing:
    """A mailbox as mailcow has it."""

    address: Address
    attributes: Mapping[str, Value]
    tags: frozenset[str]
    passwd_update: str
    """When its password was last written, in mailcow's local time without a zone: compared, never computed with."""
    attribute_hash: str
    """mailcow's mark of an applied template; an edit that doesn't send it back clears it."""
    senders: frozenset[str] | None = None
    """Whom its user may send as besides (`sender_acl`); None where it wasn't told: lists don't have it."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A mail domain of mailcow and its limits; quotas in MiB."""

    name: str
    mailboxes: int
    """Mailboxes in it now: what a list of them must add up to."""
    max_mailboxes: int
    default_quota: int
    max_mailbox_quota: int
    max_quota: int
    used_quota: int
    """The sum of the quotas given out (not of the mail stored)."""
    aliases: int = 0
    """Aliases in it and in its alias domains."""
    max_aliases: int = 0


class Origin(StrEnum):
    """How a mailbox became ours."""

    CREATED = "created"
    ADOPTED = "adopted"
    ANCESTOR = "ancestor"  # a row of the ancestor's mailcow.sqlite3
    MARK = "mark"  # it carried our mark, and the state file didn't know it


class Cause(StrEnum):
    """Why we set a mailbox inactive."""

    STATUS = "status"  # its entry says so
    MISSING = "missing"  # its entry is gone


@dataclass(frozen=True, slots=True)
class Remembered:
    """A row of the state file: a mailbox that is ours, and what we last did to it."""

    address: Address
    source: str
    id: str | None
    """The entry's stable id; None for what only the mark or the ancestor's file made ours."""
    dn: str
    origin: Origin
    applied: Mapping[str, Value] = field(default_factory=dict)
    """The attributes as last confirmed."""
    digest: str | None = None
    """HMAC of the directory's password as last applied or, on adoption, as first seen."""
    passwd_update: str | None = None
    """mailcow's own stamp after our last password write; None until it has been read back."""
    kept: bool = False
    """Whether mailcow's own password was kept when we adopted it: the digest is of one that we never wrote."""
    disabled: Cause | None = None
    """Set where the inactive state is our doing."""
    was_active: int = 1
    """What `active` was before we set it 0: 1, or 2 where somebody had barred the login."""
    barred: int = 0
    """What we set `active` to where `disabled` says that we did: 0, or 2 where only the login ended."""
    missing_since: datetime | None = None
    missed: int = 0
    """Whole answers in a row that didn't have the entry."""
    last_missed: datetime | None = None
    """When the last of them was given: what lies between two answers is only counted where it is believable."""
    last_seen: datetime | None = None
    """When the last whole answer with its entry, active, was given; None while that is the last whole answer.

    Long ago where that isn't known, and where the entry was inactive.
    """
    retired_since: datetime | None = None
    """Since when the mailbox has been out of service because its entry is gone."""
    present: frozenset[str] = frozenset()
    """The mapped keys for which the entry had a value in the last whole answer."""
    senders: frozenset[str] = frozenset()
    """The rows of `sender_acl` that are ours, as last confirmed."""
    foreign_senders: frozenset[str] = frozenset()
    """`extended_sender_acl` as last confirmed, which mailcow doesn't show."""

    @property
    def entry(self) -> EntryId:
        """The entry whose mailbox it is; without an id that of no entry."""
        return EntryId(self.source, self.id or "")
