"""The members of groups, as a group's entry states them: by DN, by name, by address and by LDAP URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ldap2mailcow.model import AddressError, Code, Entry, EntryId, is_dn, is_ldap_url

from .asked import Meant
from .resolver import Resolver
from .unsure import is_unsure, tell_unsure
from .values import Reader, parse_target, some_of


@dataclass(frozen=True, slots=True)
class MemberReader:
    """Reads the members of groups."""

    reader: Reader
    resolver: Resolver
    selected: Mapping[str, tuple[Entry, ...]]
    """By LDAP URL: the entries that it selects."""
    unsure: Mapping[str, str]
    """By LDAP URL or normal DN: why it could not be looked up."""
    unclear: set[EntryId] = field(default_factory=set)
    """The groups with such a member, of those that were read."""

    def read(self, groups: Mapping[EntryId, Entry]) -> dict[EntryId, frozenset[Meant]]:
        """Return the members of some groups, and of all groups that are members of those, at any depth."""
        found: dict[EntryId, frozenset[Meant]] = {}
        ahead = dict(groups)
        while ahead:
            group_id, entry = ahead.popitem()
            members = found[group_id] = self._members(entry)
            if tell_unsure(self.reader, entry, self.reader.source.group_mapping.member, self.unsure):
                self.unclear.add(group_id)
            inner = {one for one in members if isinstance(one, EntryId)} & self.resolver.groups.keys() - found.keys()
            ahead |= {one: self.resolver.groups[one] for one in inner}
        return found

    def _members(self, entry: Entry) -> frozenset[Meant]:
        """Return what the values of one group mean, and tell which of them mean nothing."""
        unknown: set[str] = set()
        members = {
            one
            for attribute in self.reader.source.group_mapping.member
            for text in self.reader.texts(entry, attribute)
            if not is_unsure(text, self.unsure)
            for one in self._meant(text.strip(), unknown)
        }
        if unknown:
            count = f"{len(unknown)} of its members {'is' if len(unknown) == 1 else 'are'}"
            self.reader.find(
                Code.MEMBER_NOT_FOUND,
                entry,
                f"{count} not found in the directory, or without an address: {some_of(unknown)}; correct the group, "
                "or see what bind_dn may read",
            )
        return frozenset(members)

    def _meant(self, text: str, unknown: set[str]) -> Iterator[Meant]:
        """Give what one value means."""
        if is_ldap_url(text):
            for entry in self.selected.get(text, ()):
                yield from _found(self.resolver.at, entry.dn, unknown)
        elif is_dn(text):
            yield from _found(self.resolver.at, text, unknown)
        elif "@" in text:
            yield from _found(parse_target, text, unknown)
        else:
            yield from _found(self.resolver.called, text, unknown)


def _found(find: Callable[[str], Meant | None], text: str, unknown: set[str]) -> Iterator[Meant]:
    try:
        meant = find(text)
    except (AddressError, LookupError):
        unknown.add(text)
    else:
        if meant is not None:
            yield meant
