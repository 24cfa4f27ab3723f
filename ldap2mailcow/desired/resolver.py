"""Which entry a DN or a name means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ldap2mailcow.config import MEMBER_NAMES, Source
from ldap2mailcow.model import Address, AddressError, Entry, EntryId, decoded, normal_dn, rdn_values

from .asked import Meant
from .identity import Identified
from .values import parse_target


class Resolver:
    """All entries that were read, by DN and by name.

    `outside` are entries that are in none of the answers, or in one of them too.
    """

    def __init__(self, source: Source, known: Identified, outside: Iterable[Entry]) -> None:
        self._source = source
        self._by_dn: dict[str, Meant | None] = {normal_dn(entry.dn): None for entry in known.without_id}
        # groups last: a user filter that is too wide finds them too
        for answer in (known.users, known.forwards, known.groups):
            self._by_dn |= {normal_dn(entry.dn): entry_id for entry, entry_id in answer}
        self.groups: dict[EntryId, Entry] = {group_id: entry for entry, group_id in known.groups}
        """All groups, those outside the answers included: the entries whose members can be read."""
        strangers = {dn: entry for entry in outside if (dn := normal_dn(entry.dn)) not in self._by_dn}
        for dn, entry in strangers.items():
            self._add_stranger(dn, entry)
        self._named = (*(entry for entry, _ in known.users), *known.without_id, *strangers.values())

    def at(self, dn: str) -> Meant | None:
        """Return what a DN (in any form) means; None for a user without an id, who is known and means nothing.

        A group or a person outside the answers has no id: a group is known by its DN, a person by the address. Raises
        LookupError where there is no entry, or one outside the answers that has no members and not just one address.
        """
        return self._by_dn[normal_dn(dn)]

    def called(self, name: str) -> Meant | None:
        """Return what a name (in any case) means, that of a user or of an entry outside the answers; else as `at`.

        A name that two entries have means the one whose RDN has it; where that is none or several it means none of
        them, and raises LookupError too.
        """
        bearers = self._bearers[name.lower()]
        return self.at(_meant_by(name.lower(), bearers).dn)

    def names_of_others(self) -> Iterator[tuple[Entry, str, Entry]]:
        """Give each entry that has a name which means another, the name, and that other."""
        for name, bearers in self._bearers.items():
            if len(bearers) > 1 and (own := _with_rdn(name, bearers)):
                yield from ((entry, name, own[0]) for entry in bearers if len(own) == 1 and entry is not own[0])

    @cached_property
    def _bearers(self) -> Mapping[str, list[Entry]]:
        """By name: the entries that have it."""
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in {entry.dn: entry for entry in self._named}.values():
            for name in _names(entry):
                found[name].append(entry)
        return dict(found)

    def _add_stranger(self, dn: str, entry: Entry) -> None:
        """Note an entry that is in none of the answers: a group if it has members, else a person with an address."""
        if any(map(entry.values, self._source.group_mapping.member)):
            self._by_dn[dn] = group_id = EntryId(self._source.name, dn)
            self.groups[group_id] = entry
        elif len(addresses := _addresses(entry.values(self._source.user_mapping.mail))) == 1:
            self._by_dn[dn] = addresses.pop()


def _meant_by(name: str, bearers: list[Entry]) -> Entry:
    """Return the entry that a name means; raise LookupError where several have as good a right to it."""
    found = bearers if len(bearers) == 1 else _with_rdn(name, bearers)
    if len(found) != 1:
        raise LookupError(name)
    return found[0]


def _with_rdn(name: str, bearers: Iterable[Entry]) -> list[Entry]:
    """Return the entries whose RDN has a name: people can add values to an attribute, but not change their RDN."""
    return [entry for entry in bearers if name in rdn_values(entry.dn, MEMBER_NAMES)]


def _names(entry: Entry) -> set[str]:
    """Return the names by which groups may name an entry."""
    return {(decoded(value) or "").strip().lower() for name in MEMBER_NAMES for value in entry.values(name)}


def _addresses(values: Iterable[bytes]) -> set[Address]:
    """Return the addresses that can be used."""
    found: set[Address] = set()
    for value in values:
        try:
            found.add(parse_target(decoded(value) or ""))
        except AddressError:
            continue
    return found
