"""What the state file holds, as the other rooms see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from .address import Address
from .alias import RememberedAlias
from .change import Change
from .entry import EntryId
from .mailbox import Remembered

Fingerprint = Mapping[str, str]
"""How a directory was searched: each setting that decides who is in the answer, and its value."""


@dataclass(frozen=True, slots=True)
class SourceMemory:
    """What is remembered of one directory."""

    id_attribute: str | None = None
    """Fixed at the first whole answer."""
    accepted: Fingerprint | None = None
    """The search whose absences are believed."""
    answered: datetime | None = None
    """When it last gave a whole answer."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The state file, read once."""

    mailboxes: Mapping[Address, Remembered]
    sources: Mapping[str, SourceMemory]
    seal: Callable[[SecretStr], str]
    """Makes the digest of a password: the name of the key, a colon, and an HMAC with it."""
    aliases: Mapping[Address, RememberedAlias] = field(default_factory=dict)
    bystanders: Mapping[EntryId, datetime] = field(default_factory=dict)
    """Every entry that was ever in an answer, with the moment at which one first had it."""
    intents: tuple[Change, ...] = ()
    """What an earlier run was about to do, and died before it could write down how that ended."""

    def is_comparable(self, digest: str) -> bool:
        """Tell whether a stored digest was made with the present key; one of a lost key says nothing."""
        return digest.partition(":")[0] == self.seal(SecretStr("")).partition(":")[0]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was said on an earlier run: what, about what, and when it was last shown."""

    code: str
    place: str
    sentence: str
    shown: datetime
