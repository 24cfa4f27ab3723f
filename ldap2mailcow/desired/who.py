"""Whom a DN or a name in an entry means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ldap2mailcow.config import MEMBER_NAMES, Source
from ldap2mailcow.model import Address, AddressError, Answers, Entry, Role, normal_dn

from .askers import Group
from .reading import decoded, parse_target

Found = Address | Group | None
"""An address, or a group; None for an entry that is there and has no usable address just now, which is told already."""


class Who:
    """All entries that were read, by DN and by name.

    `users` and `forwards` have the address of each entry, None where it has no usable one; `groups` are by normal DN.
    """

    def __init__(
        self,
        answers: Answers,
        source: Source,
        users: Mapping[str, Address | None],
        forwards: Mapping[str, Address | None],
        groups: Mapping[str, Group],
    ) -> None:
        self._source = source
        selected = (entry for entries in answers.selected.values() for entry in entries)
        known = {*users, *forwards, *groups}
        self._outside = {
            dn: entry for entry in (*selected, *answers.outside) if (dn := normal_dn(entry.dn)) not in known
        }
        self._users = answers.users.entries
        self._by_dn: dict[str, Found] = {}
        for dn, entry in self._outside.items():
            outside = self._read(entry)
            if outside is not None:
                self._by_dn[dn] = outside
        self._by_dn |= {**users, **forwards, **groups}  # groups last: a user filter that is too wide finds them too

    def is_at(self, dn: str) -> Found:
        """Return what is at a DN (any form). Raises LookupError where nothing is that could get mail."""
        return self._by_dn[normal_dn(dn)]

    def is_called(self, name: str) -> Found:
        """Return the one whom a name means: as it is in `uid`, else in `sAMAccountName`, in any case.

        Raises LookupError for nobody, and for a name that several have.
        """
        for dns in self._dns_by_name:
            if name.lower() in dns:
                return self.is_at(dns[name.lower()])
        raise LookupError(name)

    @cached_property
    def _dns_by_name(self) -> list[dict[str, str]]:
        """By attribute: the DN of whoever has a name there, and nobody's where several have it."""
        entries = (*self._users, *self._outside.values())
        return [_unique(entries, attribute) for attribute in MEMBER_NAMES]

    def _read(self, entry: Entry) -> Found:
        """Return what an entry is that is in none of the answers: a group if it has members."""
        if any(map(entry.values, self._source.group_mapping.member)):
            return Group(normal_dn(entry.dn), entry.dn, Role.LIST, frozenset(), {}, entry=entry)
        found = set(_addresses(entry.values(self._source.user_mapping.mail)))
        return found.pop() if len(found) == 1 else None


def _addresses(values: Iterable[bytes]) -> Iterator[Address]:
    for value in values:
        try:
            yield parse_target(decoded(value) or "")
        except AddressError:
            continue


def _unique(entries: Iterable[Entry], attribute: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        for value in entry.values(attribute):
            name = (decoded(value) or "").strip().lower()
            found[name] = entry.dn if found.get(name, entry.dn) == entry.dn else ""
    return found
