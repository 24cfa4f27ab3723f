"""Matching: which entry, which remembered row and which mailbox belong together.

A user is its stable id, never its DN and never its address. So a user's row is found by the id, and by the DN only
where no id is known yet. The mailbox of a user is where the row says, and the address that the entry asks for is
where it should be. What is left over has no entry: it is gone, or its directory can't tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from ldap2mailcow.desired import User
from ldap2mailcow.model import (
    Address,
    Cause,
    EntryId,
    Existing,
    ExistingAlias,
    Finding,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    Role,
    Rule,
    Say,
)

from .case import Case
from .claims import Claims, decide_claims
from .grace import absence
from .knowledge import NOTHING, Knowledge, learn
from .takeover import is_same_user, last_seen, sightings, was_there


class State(StrEnum):
    """How a user and a mailbox stand to each other."""

    SAME = "same"  # the mailbox has the address that the entry asks for
    RENAMED = "renamed"  # it has another one in the same domain
    STAYS = "stays"  # it has another one, and the one that is asked for can't be had
    NEW = "new"  # there is none at the address that is asked for, and it may be made
    BY_MARK = "by_mark"  # there is one with our mark that the state file doesn't know
    ADOPTED = "adopted"  # there is one that was made by hand
    TAKEN_OVER = "taken_over"  # there is one whose entry is gone, and this entry stands for it
    NONE = "none"  # there is none, and none is made


@dataclass(frozen=True, slots=True)
class Match:
    """A user, with the mailbox that belongs to it."""

    user: User
    state: State
    at: Address | None
    """Where the mailbox is; of a new one where it is to be made; None where there is none."""
    wants: Address | None
    """The address that it should have, if it can be had."""
    row: Remembered | None
    """What is remembered of the mailbox."""


BELIEVED = frozenset({Rule.MISSING, Rule.MOVED})
"""Why a mailbox is without an entry, where that is for certain."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A mailbox of ours whose entry isn't in the answer, or that its user has left for one in another domain."""

    existing: Existing
    row: Remembered
    rule: Rule
    """MISSING or MOVED where the absence is believed; else why it isn't."""

    @property
    def is_believed(self) -> bool:
        """Whether its entry is surely gone."""
        return self.rule in BELIEVED


@dataclass(frozen=True)
class Matches:
    """Everything that belongs together, and what doesn't."""

    claims: Claims
    known: Mapping[str, Knowledge]
    users: Mapping[EntryId, Match]
    at: Mapping[Address, Match]
    """The same by the address of the mailbox, for those that are there."""
    missing: Mapping[Address, Missing]
    findings: tuple[Finding, ...] = ()
    gone_rows: tuple[Remembered, ...] = field(default=())
    """Rows whose mailbox is gone from mailcow and whose entry is gone, or has another mailbox."""
    sightings: tuple[Note, ...] = ()
    """What rows learn of whether their entries are there."""

    @cached_property
    def taken_over(self) -> Mapping[EntryId, EntryId]:
        """By the entry that had a mailbox: the one that has it now."""
        had = ((one.row, one.user.id) for one in self.users.values() if one.row and one.row.id)
        return {EntryId(row.source, row.id or ""): user for row, user in had if row.id != user.id}

    def owner_of(self, row: RememberedAlias) -> EntryId:
        """Return the entry that an alias belongs to, by its present id."""
        owner = EntryId(row.source, row.owner)
        return self.taken_over.get(owner, owner)

    def former_owner(self, existing: ExistingAlias, row: RememberedAlias) -> EntryId | None:
        """Return the user whose former address an alias is; where only its mark says that, the user it goes to."""
        if row.role is not Role.FORMER:
            return None
        if row.owner:
            return self.owner_of(row)
        match = self.at.get(min(existing.goto, default=existing.address))
        return match.user.id if match else None


def match(case: Case) -> Matches:
    """Return what belongs together."""
    known = learn(case)
    return _Matcher(case, known).match()


@dataclass
class _Matcher:
    case: Case
    known: Mapping[str, Knowledge]
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_id: defaultdict[EntryId, list[Remembered]] = defaultdict(list)
        self.loose: defaultdict[str, list[Remembered]] = defaultdict(list)
        """By id or, without one, by DN: rows of directories that the config calls otherwise, or of none."""
        for row in self.case.rows.values():
            if row.id is None:
                self.loose[row.dn.lower()].append(row)
            elif self.case.is_of_unknown(row):
                self.loose[row.id].append(row)
            else:
                self.by_id[EntryId(row.source, row.id)].append(row)
        found = ((user.id, self.own_row(user)) for user in self.case.asked.users)
        self.own = {user_id: row for user_id, row in found if row}
        self.claims = decide_claims(self.case, self.own, self.known)
        self.owner = {row.address: user_id for user_id, row in self.own.items()}

    def match(self) -> Matches:
        users = {user.id: self.of_user(user) for user in self.case.asked.users}
        placed = {found.at: found for found in users.values()}
        at = {address: placed[address] for address in self.case.actual.mailboxes if address in placed}
        missing = {one.existing.address: one for one in self.missing(users, at)}
        gone = tuple(row for row in self.case.rows.values() if self.is_gone_for_good(row, users))
        findings = (*self.claims.findings, *self.findings)
        seen = tuple(sightings(self.case, self.known, self.own))
        return Matches(self.claims, self.known, users, at, missing, findings, gone, seen)

    # the row of a user

    def own_row(self, user: User) -> Remembered | None:
        """Return what is remembered of a user's mailbox; of several mailboxes the one in use."""
        rows = self.by_id.get(user.id) or list(self.loose_rows(user))
        wanted = user.addresses[0] if len(user.addresses) == 1 else None
        return max(rows, key=lambda row: self.use(row, wanted), default=None) or self.unnamed_row(wanted, user)

    def use(self, row: Remembered, wanted: Address | None) -> tuple[bool, bool, bool, bool]:
        """Rank the rows of one user: its address, its domain, not out of service, there."""
        is_there = row.address in self.case.actual.mailboxes
        is_near = is_there and row.address.domain == (wanted.domain if wanted else None)
        return row.address == wanted, is_near, row.disabled is not Cause.MISSING, is_there

    def loose_rows(self, user: User) -> Iterator[Remembered]:
        """Give the rows that may be a user's although no directory of the config says so: an id alone isn't enough."""
        yield from (row for row in self.loose.get(user.id.id, ()) if row.address in user.addresses)
        for row in self.loose.get(user.dn.lower(), ()):
            if was_there(row) and not self.belongs_elsewhere(row, user):
                yield row

    def belongs_elsewhere(self, row: Remembered, user: User) -> bool:
        """Tell whether a row is of another directory of the config than a user."""
        return row.source in self.case.names - {user.id.source} and not self.case.is_unclaimed(row)

    def unnamed_row(self, wanted: Address | None, user: User) -> Remembered | None:
        """Return the row at the address that a user asks for, where only a mark or the ancestor made it ours.

        That holds until there was a whole answer, or the entry was seen without it: then an address alone says nothing.
        """
        memory = self.case.memory
        if user.id in memory.bystanders or any(one.answered for one in memory.sources.values()):
            return None
        row = self.case.rows.get(wanted) if wanted else None
        return row if row and self.case.is_unclaimed(row) and self.is_no_entrys(row.dn) else None

    def is_no_entrys(self, dn: str) -> bool:
        """Tell whether a DN is surely no entry's: only whole answers about everything tell, whatever `--only` names."""
        whole = all(one.answers_whole for one in self.known.values())
        all_known = self.case.all_answered and whole and not self.case.options.overridden_filter
        return not dn or (all_known and dn.lower() not in self.case.asked.dns)

    # users

    def of_user(self, user: User) -> Match:
        """Return where a user's mailbox is, and where it should be."""
        row, wants = self.own.get(user.id), self.claims.mailboxes.get(user.id)
        at = self.place_of(user, row)
        if wants is None:
            self.tell_no_address(user, at)
            return self.stays(user, at, row)
        if wants == at:
            return Match(user, State.SAME, at, at, row)
        holder = self.case.rows.get(wants)
        if holder and self.case.not_read(holder):
            self.refuse(Say.HOLDER_NOT_READ, user, wants, holder=holder.dn, other=holder.source)
            return self.stays(user, at, row)
        if at and at.domain == wants.domain:
            return Match(user, State.RENAMED, at, wants, row)
        existing = self.case.actual.mailboxes.get(wants)
        if existing is None:
            return Match(user, State.NEW, wants, wants, row)
        if row is not None:
            self.refuse(Say.HAS_ONE_ALREADY, user, wants, own=row.address)
            return self.stays(user, at, row)
        return self.handed_over(user, existing, holder)

    def place_of(self, user: User, row: Remembered | None) -> Address | None:
        """Return where a user's mailbox is, if the user's directory is for that domain."""
        if row is None or row.address not in self.case.actual.mailboxes:
            return None
        return row.address if self.case.looks_at(self.case.by_name[user.id.source].source, row.address) else None

    def stays(self, user: User, at: Address | None, row: Remembered | None) -> Match:
        return Match(user, State.STAYS if at else State.NONE, at, None, row)

    def handed_over(self, user: User, existing: Existing, holder: Remembered | None) -> Match:
        """Return what becomes of a user without a mailbox, where there is one at the address that is asked for.

        That the user never had another is known before this is asked.
        """
        at = existing.address
        if holder is None:
            state = State.BY_MARK if self.case.marks.claims(existing.tags) else State.ADOPTED
            return Match(user, state, at, at, None)
        known, name = self.known[user.id.source], holder.dn or "an entry that isn't known"
        if at in known.replaced:
            return self.stays(user, None, None)  # told once for all of them
        if not self.is_gone(holder, user):
            self.refuse(Say.HOLDER_THERE, user, at, holder=name)
        elif at in known.again or is_same_user(self.case, user, holder, existing):
            return Match(user, State.TAKEN_OVER, at, at, holder)
        else:
            self.refuse(Say.HOLDER_GONE, user, at, holder=name)
        return self.stays(user, None, None)

    def is_gone(self, holder: Remembered, user: User) -> bool:
        """Tell whether the entry that has a mailbox is surely no longer in its directory, if it isn't the user's."""
        if holder.id is None:
            return holder.dn.lower() == user.dn.lower() or self.is_no_entrys(holder.dn)
        if EntryId(holder.source, holder.id) in self.case.users or self.case.options.overridden_filter:
            return False
        return self.known.get(holder.source, NOTHING).is_certain

    # mailboxes without an entry

    def missing(self, users: Mapping[EntryId, Match], at: Mapping[Address, Match]) -> Iterator[Missing]:
        """Give our mailboxes that no user is matched with."""
        first = self.case.config.sources[0].name
        for address, existing in sorted(self.case.actual.mailboxes.items()):
            if address not in at and self.case.is_ours(existing):
                marked = Remembered(address, source=first, id=None, dn="", origin=Origin.MARK)
                row = self.case.rows.get(address, marked)
                yield Missing(existing, row, self.why_missing(row, users))

    def why_missing(self, row: Remembered, users: Mapping[EntryId, Match]) -> Rule:
        """Tell whether the absence of a row's entry is believed, and if not, why."""
        if self.case.is_of_unknown(row):
            return Rule.UNKNOWN_DIRECTORY
        if row.id is None and self.is_asked_for(row):
            return Rule.UNREADABLE
        names = self.case.names if self.case.is_unclaimed(row) else {row.source}  # of the first all have a say
        if names - self.case.by_name.keys():
            return Rule.NOT_READ
        if not any(self.case.looks_at(self.case.by_name[name].source, row.address) for name in names):
            return Rule.OUT_OF_SCOPE
        rule = self.why_unmatched(self.user_of(row, users))
        is_known = all(self.known[name].users for name in names)
        return Rule.NOT_WHOLE if rule in BELIEVED and not is_known else rule

    def why_unmatched(self, user: Match | None) -> Rule:
        """Tell the same where the answers are whole, given the user whose mailbox it was."""
        if user:
            return Rule.MOVED if user.state is State.SAME else Rule.UNREADABLE
        return Rule.OUT_OF_SCOPE if self.case.options.scoped else Rule.MISSING

    def is_asked_for(self, row: Remembered) -> bool:
        """Tell whether an entry may be that of a row without an id."""
        return row.address in self.claims.asked or row.dn.lower() in self.case.asked.dns

    def user_of(self, row: Remembered, users: Mapping[EntryId, Match]) -> Match | None:
        return users.get(self.owner.get(row.address, EntryId(row.source, row.id or "")))

    def is_gone_for_good(self, row: Remembered, users: Mapping[EntryId, Match]) -> bool:
        """Tell whether a row is about nothing any more: mailcow has no such mailbox, and no user is to get it again."""
        actual = self.case.actual
        if row.address.domain not in actual.domains or row.address in actual.mailboxes:
            return False
        if user := self.user_of(row, users):
            return user.state is State.SAME and user.at != row.address
        return self.known.get(row.source, NOTHING).users

    # what is said

    def tell_no_address(self, user: User, at: Address | None) -> None:
        """Say that a mailbox stays without an address; one that another has, and a forwarding, are told elsewhere."""
        if at and user.forward is None and user.id not in self.claims.lost:
            self.findings.append(Say.NO_ADDRESS.at(user.dn, self.case.directory_of(user.id), address=at))

    def refuse(self, what: Say, user: User, address: Address, **values: object) -> None:
        """Say why a user doesn't get a mailbox, or an address."""
        self.findings.append(what.at(user.dn, self.case.directory_of(user.id), address=address, **values))


def since_missing(case: Case, missing: Missing) -> Mapping[str, object]:
    """Return what is remembered of the absence of an entry, this answer counted."""
    row = missing.row
    gone = absence(row, case.config.removed_users, case.now)
    return {**gone.patch, "last_seen": last_seen(case, row)}
