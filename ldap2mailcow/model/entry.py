"""What an LDAP server said about one entry, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .finding import Finding

ID_CANDIDATES = ("entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID")
"""What `id: auto` looks for: RFC 4530, MS-ADTS 3.1.1.1.4, 389-ds, FreeIPA."""


class EntryId(NamedTuple):
    """What tells an entry from all others, of whatever directory."""

    source: str
    """The name of its directory in the config."""
    id: str
    """Its stable id; the normal DN of an entry that has none, the address of a list that only its members name."""


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


def attribute_names(*names: str) -> tuple[str, ...]:
    """Return the names of attributes each once, whatever their case, without empty ones."""
    unique: dict[str, str] = {}
    for name in filter(None, names):
        unique.setdefault(name.lower(), name)
    return tuple(unique.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a directory said to one search: the entries, and every reason why they may not be all there are."""

    entries: tuple[Entry, ...]
    doubts: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class AnySenders:
    """Whose users may send as anyone: the entries that a filter finds, or the members of a group."""

    dns: tuple[str, ...] = ()
    """The normal DNs of the entries that the filter finds."""
    group: Entry | None = None
    outside: tuple[Entry, ...] = ()
    """Its members that are in none of the answers, and those of groups in it, as in `Answers`.

    They are apart because `group_member_filter` is for lists: here a group counts that it leaves out there.
    """
    selected: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    unsure: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """All that one directory said in a run; what wasn't asked for is None or empty."""

    users: Answer
    groups: Answer | None = None
    forwards: Answer | None = None
    """Entries that only forward."""
    outside: tuple[Entry, ...] = ()
    """Members that are in none of the answers, as far as they were found, and the members of groups among them."""
    selected: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """By LDAP URL (`memberURL` of a dynamic group): the entries that it selects."""
    unsure: Mapping[str, str] = field(default_factory=dict)
    """By LDAP URL or normal DN: the values that could not be looked up, and why. Who is meant isn't known."""
    send_as_any: AnySenders = AnySenders()
