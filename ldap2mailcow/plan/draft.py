"""The plan while it is being made: the view, indexed, and what has been decided so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from ldap2mailcow.config import Source
from ldap2mailcow.model import (
    QUOTA,
    Address,
    AliasChange,
    Cause,
    Code,
    Existing,
    Finding,
    Mailbox,
    MailboxChange,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    SourceMemory,
    Subject,
)

from .marks import Marks
from .room import Room
from .view import Pending, Tally, View, What


@dataclass
class Draft:
    """Collects changes, notes, pending removals and findings."""

    view: View
    whole: bool
    """Whether absence from the users' answer is believed."""
    changes: list[MailboxChange] = field(default_factory=list)
    alias_removals: list[AliasChange] = field(default_factory=list)
    """Aliases that nobody asks for any more."""
    notes: list[Note] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    served: set[Address] = field(default_factory=set)
    """Addresses whose mailbox the directory wants, and which identity allows to follow it."""
    vanished: frozenset[str] = frozenset()
    """The keys of `user_mapping` whose attributes vanished from most entries: what they make is left as it is."""
    refused: set[Address] = field(default_factory=set)
    """Addresses whose mailbox the directory wants for an entry that may not have it: it is somebody else's."""
    staying: set[Address] = field(default_factory=set)
    """Mailboxes whose entry is gone and which stay as they are for now."""
    waiting: frozenset[Address] = frozenset()
    """Mailboxes whose people have another id, all at once: they stay as they are until somebody has said a word."""
    taken_over: set[Address] = field(default_factory=set)
    """Addresses that went to an entry with another id, since the one that held them is gone."""
    told: set[tuple[Code, str]] = field(default_factory=set)
    """What `find_once` has said."""
    counted: dict[What, Tally] = field(default_factory=dict)
    """What was compared with a limit."""

    @cached_property
    def remembered_by_id(self) -> dict[str, Remembered]:
        """The rows of this source that have an id; of somebody who moved to another domain, the one in use."""
        addresses = {mailbox.id: mailbox.address for mailbox in self.view.desired.mailboxes.values()}

        def use(row: Remembered) -> tuple[bool, bool, bool]:
            wanted = addresses.get(row.id or "")
            same_domain = wanted is not None and wanted.domain == row.address.domain
            return row.address == wanted, same_domain, row.disabled is not Cause.MISSING

        rows = [row for row in self.view.memory.mailboxes.values() if row.id and self.is_of_source(row)]
        return {row.id: row for row in sorted(rows, key=use) if row.id}

    @cached_property
    def remembered_by_dn(self) -> dict[str, Remembered]:
        """The rows of this source that have no id yet, by lower-case DN."""
        rows = self.view.memory.mailboxes.values()
        return {row.dn.lower(): row for row in rows if not row.id and row.dn and self.is_of_source(row)}

    def known(self, mailbox: Mailbox) -> Remembered | None:
        """Return the row of somebody's mailbox, whatever its address: by the id or, without one yet, by the DN."""
        return self.remembered_by_id.get(mailbox.id) or self.remembered_by_dn.get(mailbox.dn.lower())

    def has_moved(self, row: Remembered) -> bool:
        """Tell whether a mailbox is one that its person no longer uses: they have another one, in another domain."""
        current = self.remembered_by_id.get(row.id or "", row)
        has_other = current is not row and current.address.domain != row.address.domain
        wanted = self.view.desired.mailboxes.get(current.address)
        is_theirs = wanted is not None and wanted.id == row.id
        return has_other and is_theirs and current.address in self.view.actual.mailboxes

    @property
    def remembered_source(self) -> SourceMemory:
        """What is remembered of the directory itself."""
        return self.view.memory.sources.get(self.view.source.name, SourceMemory())

    @property
    def ids_hold(self) -> bool:
        """Whether the ids of this answer may be remembered: only once the attribute they come from is fixed."""
        fixed = self.remembered_source.id_attribute == self.view.id_attribute
        return fixed or (self.whole and not self.view.options.scoped)

    @property
    def sees_all(self) -> bool:
        """Whether who isn't in the answer isn't in the directory either."""
        return self.whole and not self.view.options.overridden_filter

    @cached_property
    def rooms(self) -> dict[str, Room]:
        """What each domain still takes; counted down as changes are decided."""
        left = self.view.rooms
        return {
            name: replace(left[name]) if name in left else Room.of(domain)
            for name, domain in self.view.actual.domains.items()
        }

    @cached_property
    def marks(self) -> Marks:
        """The words that say in mailcow itself what is ours."""
        return Marks(self.view.config.mark)

    @property
    def disabled_tag(self) -> str:
        """The tag that says in mailcow itself that the inactive state is our doing."""
        return self.marks.disabled

    def blocked(self, existing: Existing, where: str, quota: int | None = None) -> Finding | None:
        """Say that mailcow refuses to edit a mailbox for the quota that it has, or gets in the same edit."""
        quota = int(existing.attributes[QUOTA.key]) if quota is None else quota
        return self.rooms[existing.address.domain].blocks_edits(existing, quota, where)

    def is_ours(self, existing: Existing) -> bool:
        """Tell whether a mailbox is ours: the state file or the mark in mailcow says so, and no mark against it."""
        is_ours = existing.address in self.view.memory.mailboxes or self.marks.claims(existing.tags)
        return is_ours and self.marks.released not in existing.tags and not self.marks.foreign(existing.tags)

    @cached_property
    def freed(self) -> frozenset[Address]:
        """The addresses that an alias gives up in this run."""
        own = frozenset(change.address for change in self.alias_removals if change.is_first)
        return own | self.freed_elsewhere

    @cached_property
    def freed_elsewhere(self) -> frozenset[Address]:
        """Those of them that the plans of other directories free."""
        return frozenset(change.address for change in self.view.others.doing.aliases if change.is_first)

    def room_of(self, address: Address) -> Room:
        """Return the room of an address's domain; an alias domain's addresses count in the domain it stands for."""
        return self.rooms[self.view.actual.alias_domains.get(address.domain, address.domain)]

    def is_of_source(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether a row is this directory's; one that is nobody's is, where no other has a say in it."""
        return self.has_unclaimed(row.address) if is_unclaimed(row) else row.source == self.view.source.name

    def has_unclaimed(self, address: Address) -> bool:
        """Tell whether what is ours and of no entry is for this plan to decide: only if all directories know it gone.

        Then that is for the first directory that looks at its domain.
        """
        others = self.view.others
        return others.are_whole and not any(_looks_at(self.view, source, address) for source in others.before)

    def is_silent(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether a row is of another directory that can't be read just now."""
        elsewhere = {source.name for source in self.view.config.sources} - {self.view.source.name}
        return not is_unclaimed(row) and row.source in elsewhere - self.view.others.answered

    def looks_at(self, address: Address) -> bool:
        """Tell whether an address is in one of the domains that this directory is for."""
        return _looks_at(self.view, self.view.source, address)

    def is_managed(self, existing: Existing) -> bool:
        """Tell whether a mailbox is ours, and this directory's."""
        row = self.view.memory.mailboxes.get(existing.address)
        is_here = self.is_of_source(row) if row else self.has_unclaimed(existing.address)
        return is_here and self.is_ours(existing)

    def in_scope(self, address: Address) -> bool:
        """Tell whether `--only` leaves an address to this run."""
        return not self.view.options.only or address in self.view.options.only

    @cached_property
    def named(self) -> frozenset[str]:
        """The ids of the users whom `--only` names by their address, or by the one that their mailbox still has."""
        desired, only = self.view.desired, self.view.options.only
        addresses = {*only, *(desired.renaming[one] for one in only if one in desired.renaming)}
        users = [desired.mailboxes.get(one) or desired.forwarders.get(one) for one in addresses]
        return frozenset(user.id for user in users if user)

    def find_once(self, code: Code, where: str, sentence: str) -> None:
        """Add a finding unless it is there already: one cause that concerns many."""
        if (code, where) not in self.told:
            self.told.add((code, where))
            self.find(code, where, sentence)

    def find(self, code: Code, where: str, sentence: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, where, sentence))

    def note(self, address: Address, **patch: object) -> None:
        """Remember something about a mailbox that needs no change in mailcow."""
        self.notes.append(Note(address, patch))

    def note_alias(self, address: Address, **patch: object) -> None:
        """Remember something about an alias that needs no change in mailcow."""
        self.notes.append(Note(address, patch, Subject.ALIAS))


def is_unclaimed(row: Remembered | RememberedAlias) -> bool:
    """Tell whether no directory is known to have what a row is about: only a mark, or the ancestor, made it ours."""
    if isinstance(row, RememberedAlias):
        return not row.owner and not row.dn
    return row.id is None and (not row.dn or row.origin is Origin.ANCESTOR)


def _looks_at(view: View, source: Source, address: Address) -> bool:
    domain = view.actual.alias_domains.get(address.domain, address.domain)
    return not source.domains or domain in source.domains
