"""Whom a user, or the members of a group, may send as besides: by address, by domain, by DN."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ldap2mailcow.model import AddressError, Code, Entry, EntryId, is_dn

from .asked import Meant
from .resolver import Resolver
from .unsure import is_unsure, tell_unsure
from .values import Reader, parse_sender, some_of


@dataclass(frozen=True, slots=True)
class SenderReader:
    """Reads what `send_as` says."""

    reader: Reader
    resolver: Resolver
    lists: AbstractSet[EntryId]
    """The groups that have an address; no other group can be sent as."""
    unsure: Mapping[str, str]
    """By normal DN: why it could not be looked up."""

    def read(self, entry: Entry, attribute: str) -> tuple[frozenset[Meant], bool]:
        """Return whom an attribute names, and whether those are all; tell what it names that is nothing of the kind."""
        found: set[Meant] = set()
        unknown: set[str] = set()
        for text in map(str.strip, self.reader.texts(entry, attribute)):
            try:
                sender = self._meant(text)
            except (AddressError, LookupError):
                unknown |= set() if is_unsure(text, self.unsure) else {text}
            else:
                found |= {sender} if sender else set()
        if unknown:
            self.reader.find(
                Code.SEND_AS_NOT_FOUND,
                entry,
                f"its {attribute} names {some_of(unknown)}, which is no address and nobody's DN; correct it in the "
                "directory",
            )
        return frozenset(found), not tell_unsure(self.reader, entry, (attribute,), self.unsure)

    def _meant(self, text: str) -> Meant | None:
        if not is_dn(text):
            return parse_sender(text)
        found = self.resolver.at(text)
        if found in self.resolver.groups and found not in self.lists:
            raise LookupError(text)
        return found
