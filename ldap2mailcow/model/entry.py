"""What an LDAP server said about one entry, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .finding import Finding

ID_CANDIDATES = ("entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID")
"""What `id: auto` looks for: RFC 4530, MS-ADTS 3.1.1.1.4, 389-ds, FreeIPA."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its DN and the values of the attributes that were asked for.

    `attributes` maps lower-case attribute names (options such as `;binary` cut off) to raw values; an attribute
    that the server did not send is not a key.
    """

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def values(self, attribute: str) -> tuple[bytes, ...]:
        """Return the values of an attribute (any case), empty where the entry has none."""
        return self.attributes.get(attribute.lower(), ())


@dataclass(frozen=True, slots=True)
class Answer:
    """What one directory said: the entries, and every reason why they may not be all there are."""

    source: str
    entries: tuple[Entry, ...]
    doubts: tuple[Finding, ...] = field(default=())
