"""Matching: which entry, which remembered row and which mailbox belong together.

A user is its stable id, never its DN and never its address. So a user's row is found by the id, and by the DN only
where no id is known yet. The mailbox of a user is where the row says, and the address that the entry asks for is
where it should be. What is left over has no entry: it is gone, or its directory can't tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from ldap2mailcow.desired import User
from ldap2mailcow.model import (
    ACTIVE,
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
from .takeover import is_same_user, last_seen, moved, sightings, was_there


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
    taken_over: Mapping[EntryId, EntryId] = field(default_factory=dict)
    """By the entry that had a mailbox: the one that has it now."""
    sightings: tuple[Note, ...] = ()
    """What rows learn of whether their entries are there."""

    def owner_of(self, row: RememberedAlias) -> EntryId:
        """Return the entry that an alias belongs to, by its present id."""
        return self.taken_over.get(row.entry, row.entry)

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


class _Rows:
    """Which row is which user's."""

    def __init__(self, case: Case, whole: frozenset[str]) -> None:
        self.case, self.whole = case, whole
        self.by_id: defaultdict[EntryId, list[Remembered]] = defaultdict(list)
        self.loose: defaultdict[str, list[Remembered]] = defaultdict(list)
        """By id or, without one, by DN: rows of directories that the config calls otherwise, or of none."""
        self.unnamed: dict[Address, Remembered] = {}
        """Rows that an address alone makes a user's: only as long as there was no whole answer."""
        for row in case.rows.values():
            if row.id is None:
                self.sort_in(row)
            elif case.is_of_unknown(row):
                self.loose[row.id].append(row)
            else:
                self.by_id[row.entry].append(row)

    def sort_in(self, row: Remembered) -> None:
        """Take in a row without an id."""
        if was_there(row):
            self.loose[row.dn.lower()].append(row)
        if self.is_first and self.case.is_unclaimed(row) and self.is_no_entrys(row.dn):
            self.unnamed[row.address] = row

    @cached_property
    def is_first(self) -> bool:
        """Whether there was no whole answer yet."""
        return not any(one.answered for one in self.case.memory.sources.values())

    def own(self) -> dict[EntryId, Remembered]:
        """Return the row of each user."""
        found = ((user.id, self.own_row(user)) for user in self.case.asked.users)
        return {user_id: row for user_id, row in found if row}

    def own_row(self, user: User) -> Remembered | None:
        """Return what is remembered of a user's mailbox: by its id, else by its DN, else by its address.

        Of several mailboxes it is the one in use.
        """
        wanted = user.addresses[0] if len(user.addresses) == 1 else None
        for rows in (self.by_id.get(user.id), list(self.loose_rows(user)), self.unnamed_rows(user)):
            if rows:
                return max(rows, key=lambda row: self.use(row, wanted))
        return None

    def use(self, row: Remembered, wanted: Address | None) -> tuple[bool, bool, bool, bool]:
        """Rank the rows of one user: its address, there, its domain, not out of service."""
        is_there = row.address in self.case.actual.mailboxes
        is_near = row.address.domain == (wanted.domain if wanted else None)
        return row.address == wanted, is_there, is_near, row.disabled is not Cause.MISSING

    def loose_rows(self, user: User) -> Iterator[Remembered]:
        """Give the rows that may be a user's although no directory of the config says so: an id alone isn't enough."""
        yield from (row for row in self.loose.get(user.id.id, ()) if row.address in user.addresses)
        homes = (None, user.id.source)
        yield from (row for row in self.loose.get(user.dn.lower(), ()) if self.case.home(row) in homes)

    def unnamed_rows(self, user: User) -> list[Remembered]:
        """Return the rows that are a user's by its addresses; none if the entry was seen without them before."""
        if user.id in self.case.memory.bystanders:
            return []
        return [self.unnamed[one] for one in user.addresses if one in self.unnamed]

    def is_no_entrys(self, dn: str) -> bool:
        """Tell whether a DN is surely no entry's: only whole answers of all tell, whatever `--only` names."""
        if not dn:
            return True
        return self.case.names <= self.whole and dn.lower() not in self.case.asked.dns


@dataclass
class _Matcher:
    case: Case
    known: Mapping[str, Knowledge]
    findings: list[Finding] = field(default_factory=list)
    taken_over: dict[EntryId, EntryId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        case = self.case
        whole = [name for name, one in self.known.items() if one.answers_whole]
        self.rows = _Rows(case, frozenset(() if case.options.overridden_filter else whole))
        self.certain = {name for name in self.rows.whole if not self.known[name].doubt}
        self.silent = {row.address: row for row in case.rows.values() if case.not_read(row)}
        self.own = self.rows.own()
        self.claims = decide_claims(case, self.own, self.known)
        self.owner = {row.address: user_id for user_id, row in self.own.items()}

    def match(self) -> Matches:
        rows, there = self.case.rows, self.case.actual.mailboxes
        users = {user.id: self.of_user(user) for user in self.case.asked.users}
        placed = {found.at: found for found in users.values()}
        at = {address: placed[address] for address in there if address in placed}
        missing = {one.existing.address: one for one in self.missing(users, at)}
        gone = tuple(row for row in rows.values() if row.address not in there and self.is_gone_for_good(row, users))
        findings = (*self.claims.findings, *self.findings)
        seen = tuple(sightings(self.case, self.known, self.own))
        return Matches(self.claims, self.known, users, at, missing, findings, gone, self.taken_over, seen)

    # users

    def of_user(self, user: User) -> Match:
        """Return where a user's mailbox is, and where it should be."""
        row, wants = self.own.get(user.id), self.claims.mailboxes.get(user.id)
        at = self.place_of(user, row)
        if wants is None:
            if at:
                self.tell_no_address(user, at)
            return self.stays(user, at, row)
        if wants == at:
            return Match(user, State.SAME, at, at, row)
        if holder := self.silent.get(wants):
            self.refuse(Say.HOLDER_NOT_READ, user, wants, holder=holder.dn, other=holder.source)
            return self.stays(user, at, row)
        if wants.domain == (at.domain if at else None):
            return Match(user, State.RENAMED, at, wants, row)
        existing = self.case.actual.mailboxes.get(wants)
        if existing is None:
            return self.made(user, row, at, wants)
        if row is not None:
            self.refuse(Say.HAS_ONE_ALREADY, user, wants, own=row.address)
            return self.stays(user, at, row)
        return self.handed_over(user, existing)

    def place_of(self, user: User, row: Remembered | None) -> Address | None:
        """Return where a user's mailbox is, if the user's directory is for that domain."""
        if row is None or row.address not in self.case.actual.mailboxes:
            return None
        return row.address if self.case.looks_at(self.case.by_name[user.id.source].source, row.address) else None

    def made(self, user: User, row: Remembered | None, at: Address | None, wants: Address) -> Match:
        """Return that a mailbox is to be made; where there is one in another domain, only for an active user."""
        is_inactive = user.attributes.get(ACTIVE.key) == 0
        if at and is_inactive and self.case.config.create_mailboxes:
            self.refuse(Say.INACTIVE_NEW, user, wants)  # so the one that is there is what the status is about
            return self.stays(user, at, row)
        return Match(user, State.NEW, wants, wants, row)

    def stays(self, user: User, at: Address | None, row: Remembered | None) -> Match:
        return Match(user, State.STAYS if at else State.NONE, at, None, row)

    def handed_over(self, user: User, existing: Existing) -> Match:
        """Return what becomes of a user without a mailbox, where there is one at the address that is asked for.

        That the user never had another is known before this is asked.
        """
        at = existing.address
        holder = self.case.rows.get(at)
        if holder is None:
            state = State.BY_MARK if self.case.marks.claims(existing.tags) else State.ADOPTED
            return Match(user, state, at, at, None)
        if self.may_take_over(user, holder, existing):
            if holder.id is not None:
                self.taken_over[holder.entry] = user.id
            return Match(user, State.TAKEN_OVER, at, at, holder)
        return self.stays(user, None, None)

    def may_take_over(self, user: User, holder: Remembered, existing: Existing) -> bool:
        """Tell whether an entry may have the mailbox of another one; a finding says why not."""
        address, known = holder.address, self.known[user.id.source]
        if address in known.replaced:
            return False  # told once for all of them
        if address in known.again and self.is_absent(holder, user):
            return True  # a word was said, which also holds where the new server has another search base
        if not self.is_gone(holder, user):
            return self.refuse(Say.HOLDER_THERE, user, address, holder=holder.dn or "an entry that isn't known")
        if holder.entry not in self.moved and is_same_user(self.case, user, holder, existing):
            return True
        return self.refuse(Say.HOLDER_GONE, user, address, holder=holder.dn or "an entry that isn't known")

    @cached_property
    def moved(self) -> frozenset[EntryId]:
        """The entries that left a mailbox for another one."""
        return moved(self.case)

    def is_absent(self, holder: Remembered, user: User) -> bool:
        """Tell whether a whole answer doesn't have the entry that has a mailbox, if it isn't the user's."""
        if holder.id is None:
            return holder.dn.lower() == user.dn.lower() or self.rows.is_no_entrys(holder.dn)
        return holder.source in self.rows.whole and holder.entry not in self.case.users

    def is_gone(self, holder: Remembered, user: User) -> bool:
        """Tell whether the entry that has a mailbox is surely gone: the accepted search doesn't find it."""
        is_certain = holder.id is None or holder.source in self.certain
        return is_certain and self.is_absent(holder, user)

    # mailboxes without an entry

    def missing(self, users: Mapping[EntryId, Match], at: Mapping[Address, Match]) -> Iterator[Missing]:
        """Give our mailboxes that no user is matched with."""
        first = self.case.config.sources[0].name
        boxes = self.case.actual.mailboxes
        for address in sorted(boxes.keys() - at.keys()):
            if self.case.is_ours(boxes[address]):
                marked = Remembered(address, source=first, id=None, dn="", origin=Origin.MARK)
                row = self.case.rows.get(address, marked)
                yield Missing(boxes[address], row, self.why_missing(row, users))

    def why_missing(self, row: Remembered, users: Mapping[EntryId, Match]) -> Rule:
        """Tell whether the absence of a row's entry is believed, and if not, why."""
        names = self.case.names if self.case.is_unclaimed(row) else {row.source}  # of the first all have a say
        if unseen := self.why_unseen(row, names):
            return unseen
        rule = self.why_unmatched(self.user_of(row, users))
        doubted = [name for name in names if not self.known[name].users]
        return Rule.NOT_WHOLE if doubted and rule in BELIEVED else rule

    def why_unseen(self, row: Remembered, names: Collection[str]) -> Rule | None:
        """Return why the answers of the directories that have a say don't tell; None where they do."""
        if self.case.is_of_unknown(row):
            return Rule.UNKNOWN_DIRECTORY
        if row.id is None and self.is_asked_for(row):
            return Rule.UNREADABLE
        if not self.case.by_name.keys() >= {*names}:
            return Rule.NOT_READ
        sources = [self.case.by_name[name].source for name in names]
        return None if any(self.case.looks_at(one, row.address) for one in sources) else Rule.OUT_OF_SCOPE

    def why_unmatched(self, user: Match | None) -> Rule:
        """Tell the same where the answers are whole, given the user whose mailbox it was."""
        if user:
            return Rule.MOVED if user.state is State.SAME else Rule.UNREADABLE
        return Rule.OUT_OF_SCOPE if self.case.options.scoped else Rule.MISSING

    def is_asked_for(self, row: Remembered) -> bool:
        """Tell whether an entry may be that of a row without an id."""
        return row.address in self.claims.asked or row.dn.lower() in self.case.asked.dns

    def user_of(self, row: Remembered, users: Mapping[EntryId, Match]) -> Match | None:
        return users.get(self.owner.get(row.address, row.entry))

    def is_gone_for_good(self, row: Remembered, users: Mapping[EntryId, Match]) -> bool:
        """Tell whether a row without a mailbox is about nothing any more: no user is to get it again."""
        if row.address.domain not in self.case.actual.domains:
            return False
        if user := self.user_of(row, users):
            return user.state is State.SAME
        return self.known.get(row.source, NOTHING).users

    # what is said

    def tell_no_address(self, user: User, at: Address) -> None:
        """Say that a mailbox stays without an address; one that another has, and a forwarding, are told elsewhere."""
        if user.forward is None and user.id not in self.claims.lost:
            self.findings.append(Say.NO_ADDRESS.at(user.dn, self.case.directory_of(user.id), address=at))

    def refuse(self, what: Say, user: User, address: Address, **values: object) -> bool:
        """Say why a user doesn't get a mailbox, or an address."""
        self.findings.append(what.at(user.dn, self.case.directory_of(user.id), address=address, **values))
        return False


def since_missing(case: Case, missing: Missing) -> Mapping[str, object]:
    """Return what is remembered of the absence of an entry, this answer counted."""
    row = missing.row
    gone = absence(row, case.config.removed_users, case.now)
    return {**gone.patch, "last_seen": last_seen(case, row)}
