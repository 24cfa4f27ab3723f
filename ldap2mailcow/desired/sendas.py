"""Whom a user may send as besides: what users, groups and `send_as_any` say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ldap2mailcow.model import Address, AddressError, Code, Entry, is_dn

from .askers import Group
from .people import Desired
from .reading import Reader, parse_sender, some_of
from .scope import Scope
from .who import Who

ANYBODY = "*"
"""mailcow's word for the right to send as anyone (docs/mailcow-api.md section 5)."""

Rights = Mapping[Address, frozenset[str]]


@dataclass(slots=True)
class Senders:
    """Collects rights by mailbox."""

    reader: Reader
    scope: Scope
    who: Who
    people: Desired
    taken: AbstractSet[Address] = frozenset()
    """Where somebody should have a mailbox and an alias of somebody else stays."""
    _granted: defaultdict[Address, set[str]] = field(default_factory=lambda: defaultdict(set))

    def grant_user(self, entry: Entry, address: Address) -> None:
        """Read whom one user may send as; only who has a mailbox can."""
        self._grant([address], self._named(entry, self.reader.source.user_mapping.send_as))

    def grant_group(self, group: Group, members: Iterable[Address]) -> None:
        """Read whom everybody in a group may send as."""
        self._grant(members, self._named(group.entry, self.reader.source.group_mapping.send_as))

    def grant_any(self, dns: Iterable[str]) -> None:
        """Note who may send as anyone; what isn't a user has no mailbox and no rights."""
        for dn in dns:
            try:
                found = self.who.is_at(dn)
            except LookupError:
                continue
            if isinstance(found, Address):
                self._grant([self.people.held.get(found, found)], {ANYBODY})

    def rights(self) -> tuple[Rights, Rights]:
        """Return by mailbox whom its user may send as, those that mailcow hosts and foreign ones."""
        here: dict[Address, frozenset[str]] = {}
        foreign: dict[Address, frozenset[str]] = {}
        for mailbox, granted in self._granted.items():
            strange = {one for one in granted if one != ANYBODY and self.scope.is_foreign(Address(one))}
            if strange:
                foreign[mailbox] = frozenset(strange)
            if own := granted - strange - {mailbox}:
                here[mailbox] = frozenset(own)
        return here, foreign

    def _grant(self, mailboxes: Iterable[Address], senders: AbstractSet[str]) -> None:
        for mailbox in mailboxes if senders else ():
            if self.people.has_mailbox(mailbox):
                self._granted[mailbox] |= senders

    def _named(self, entry: Entry, attribute: str) -> set[str]:
        """Return whom an attribute names: an address, a domain, or the address of the entry at a DN."""
        found: set[str] = set()
        unknown: set[str] = set()
        for text in self.reader.texts(entry, attribute):
            try:
                sender = self._meant(text.strip())
            except (AddressError, LookupError):
                unknown.add(text.strip())
            else:
                found |= {sender} if sender else set()
        if unknown:
            self.reader.find(
                Code.SEND_AS_NOT_FOUND,
                entry,
                f"its {attribute} names {some_of(unknown)}, which is no address and nobody's DN; correct it in the "
                "directory",
            )
        return found

    def _meant(self, text: str) -> Address | None:
        """Return whom a value means; None for an entry that is told already to have no usable address.

        The twin of a mailbox in an alias domain is the mailbox itself: mailcow takes no right for it
        (docs/mailcow-api.md section 19).
        """
        if not is_dn(text):
            sender = parse_sender(text)
            twin = self.scope.twin(sender)
            return self.people.home(twin if twin and self.people.has_mailbox(twin) else sender)
        found = self.who.is_at(text)
        if isinstance(found, Group):
            if found.address is None:
                raise LookupError(text)
            return found.address
        if found in self.taken:
            return None
        return found if found is None else self.people.home(found)
