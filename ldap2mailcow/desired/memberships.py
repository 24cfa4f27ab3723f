"""The lists that a user's own entry names (`group_addresses`): groups, and lists that only their members name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Self

from ldap2mailcow.model import Address, Code, Entry, EntryId, is_dn, normal_dn

from .asked import Group
from .groups import own_addresses
from .values import Reader, default_flags, parse_alias


class Memberships:
    """Collects by group the users who name it."""

    def __init__(self, reader: Reader, groups: Iterable[Group]) -> None:
        self._reader = reader
        self._by_dn: dict[str, EntryId] = {}
        self._by_address: defaultdict[Address, set[EntryId]] = defaultdict(set)
        self._members: defaultdict[EntryId, set[EntryId]] = defaultdict(set)
        self._lists: dict[Address, EntryId] = {}
        for group in groups:
            addresses = own_addresses(group)
            if addresses:  # others are no lists; memberOf names all groups
                self._by_dn[normal_dn(group.dn)] = group.id
            for address in addresses:
                self._by_address[address].add(group.id)

    @classmethod
    def of(cls, reader: Reader, groups: Iterable[Group], users: Iterable[tuple[Entry, EntryId]]) -> Self:
        """Return what the entries of all users name."""
        memberships = cls(reader, groups)
        for entry, user in users:
            memberships.read(entry, user)
        return memberships

    def read(self, entry: Entry, user: EntryId) -> None:
        """Read which lists one user's entry names, by DN or by address; an address that is no group's makes a list.

        Of an address that several groups want it is not known yet which of them gets it: the user is in all of them.
        """
        attribute = self._reader.source.user_mapping.group_addresses
        parse = parse_alias(attribute)
        for text in filter(is_dn, self._reader.texts(entry, attribute)):
            if group := self._by_dn.get(normal_dn(text)):
                self._members[group].add(user)
        named = self._reader.addresses(entry, attribute, lambda text: None if is_dn(text) else parse(text))
        for address in named.keys() & self._by_address.keys():
            for group in self._by_address[address]:
                self._members[group].add(user)
        for address in self._few(entry, sorted(named.keys() - self._by_address.keys())):
            if self._reader.is_allowed(entry, address):
                made = self._lists.setdefault(address, EntryId(self._reader.source.name, address))
                self._members[made].add(user)

    def _few(self, entry: Entry, made: Sequence[Address]) -> Sequence[Address]:
        """Return no more of the lists that only their members name than one entry may ask for; others are told."""
        most = self._reader.config.limits.entry_aliases
        if len(made) > most:
            self._reader.find(
                Code.TOO_MANY_ALIASES,
                entry,
                f"it names {len(made):,} lists that no group is, and limits.entry_aliases is {most}; the others are "
                "left out; take some from the entry, or raise the limit",
            )
        return made[:most]

    def members_of(self, group: EntryId) -> frozenset[EntryId]:
        """Return the users who name a group."""
        return frozenset(self._members.get(group, ()))

    def lists(self) -> list[Group]:
        """Return the lists that only their members name."""
        flags = default_flags(visible=self._reader.config.sogo_visible.lists)
        return [
            Group(list_id, dn="", addresses=(address,), members=self.members_of(list_id), flags=flags)
            for address, list_id in self._lists.items()
        ]
