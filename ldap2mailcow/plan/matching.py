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
from .knowledge import Knowledge, learn
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
        return self.rule in (Rule.MISSING, Rule.MOVED)


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
            if row.id is not None and not self.case.is_of_unknown(row):
                self.by_id[EntryId(row.source, row.id)].append(row)
            elif row.id or row.dn:
                self.loose[row.id or row.dn.lower()].append(row)
        found = ((user.id, self.own_row(user)) for user in self.case.asked.users)
        self.own = own = {user_id: row for user_id, row in found if row}
        self.claims = decide_claims(self.case, own, self.known)
        self.row_owner = {row.address: user_id for user_id, row in own.items()}

    def match(self) -> Matches:
        users = {user.id: self.of_user(user) for user in self.case.asked.users}
        there = self.case.actual.mailboxes
        at = {found.at: found for found in users.values() if found.at and found.at in there}
        missing = {one.existing.address: one for one in self.missing(users, at)}
        gone = tuple(row for row in self.case.rows.values() if self.is_gone_for_good(row, users))
        findings = (*self.claims.findings, *self.findings)
        seen = tuple(sightings(self.case, self.known, self.own))
        return Matches(self.claims, self.known, users, at, missing, findings, gone, seen)

    # users

    def own_row(self, user: User) -> Remembered | None:
        """Return what is remembered of a user's mailbox; of several mailboxes the one in use."""
        rows = self.by_id.get(user.id) or list(self.loose_rows(user))
        wanted = user.addresses[0] if len(user.addresses) == 1 else None
        return max(rows, key=lambda row: self.use(row, wanted), default=None) or self.unnamed_row(wanted, user)

    def use(self, row: Remembered, wanted: Address | None) -> tuple[bool, bool, bool, bool]:
        """Rank the rows of one user: its address, its domain, not out of service, there."""
        same_domain = wanted is not None and wanted.domain == row.address.domain
        is_there = row.address in self.case.actual.mailboxes
        return row.address == wanted, same_domain and is_there, row.disabled is not Cause.MISSING, is_there

    def loose_rows(self, user: User) -> Iterator[Remembered]:
        """Give the rows that may be a user's although no directory of the config says so: an id alone isn't enough."""
        for row in self.loose.get(user.id.id, ()):
            if row.address in user.addresses or row.dn.lower() == user.dn.lower():
                yield row
        for row in self.loose.get(user.dn.lower(), ()):
            if row.id is None and was_there(row) and not self.belongs_elsewhere(row, user):
                yield row

    def belongs_elsewhere(self, row: Remembered, user: User) -> bool:
        """Tell whether a row is of another directory of the config than a user."""
        return row.source in self.case.names - {user.id.source} and not self.case.is_unclaimed(row)

    def unnamed_row(self, wanted: Address | None, user: User) -> Remembered | None:
        """Return the row at the address that a user asks for, where only a mark or the ancestor made it ours.

        That holds until there was a whole answer, or the entry was seen without it: then an address alone says nothing.
        """
        row = self.case.rows.get(wanted) if wanted else None
        if row is None or not self.case.is_unclaimed(row) or not was_there(row):
            return None
        is_first = self.case.source_memory(user.id.source).answered is None
        if not is_first or user.id in self.case.memory.bystanders:
            return None
        return row if not row.dn or self.is_no_entrys(row.dn) else None

    def is_no_entrys(self, dn: str) -> bool:
        """Tell whether a DN is surely no entry's: that it isn't there only whole answers about everything tell."""
        return self.all_known and dn.lower() not in self.case.asked.dns

    @property
    def all_known(self) -> bool:
        """Whether absence from all directories is believed, whatever `--only` names."""
        whole = all(one.answers_whole for one in self.known.values())
        return self.case.all_answered and whole and not self.case.options.overridden_filter

    def of_user(self, user: User) -> Match:
        """Return where a user's mailbox is, and where it should be."""
        row, there = self.own.get(user.id), self.case.actual.mailboxes
        wants = self.claims.mailboxes.get(user.id)
        at = row.address if row and row.address in there and self.is_looked_at(user, row) else None
        if user.forward is not None and wants is None:
            return Match(user, State.STAYS if at else State.NONE, at, None, row)
        if at is None:
            return self.without_mailbox(user, row, wants)
        if wants == at:
            return Match(user, State.SAME, at, at, row)
        if wants is None:
            self.tell_no_address(user, at)
            return Match(user, State.STAYS, at, None, row)
        if self.is_held_for_another(user, wants):
            return Match(user, State.STAYS, at, None, row)
        if wants.domain == at.domain:
            return Match(user, State.RENAMED, at, wants, row)
        if wants in there:
            self.refuse(Say.HAS_ONE_ALREADY, user, wants, own=at)
            return Match(user, State.STAYS, at, None, row)
        if self.case.config.create_mailboxes and user.attributes.get(ACTIVE.key) == 0:
            self.refuse(Say.INACTIVE_NEW, user, wants)  # so the one that is there is what the status is about
            return Match(user, State.STAYS, at, None, row)
        return Match(user, State.NEW, wants, wants, row)

    def is_looked_at(self, user: User, row: Remembered) -> bool:
        """Tell whether the user's directory is for the domain in which the mailbox is."""
        return self.case.looks_at(self.case.by_name[user.id.source].source, row.address)

    def without_mailbox(self, user: User, row: Remembered | None, wants: Address | None) -> Match:
        """Return what becomes of a user whose mailbox isn't there: made, or one that is there becomes its own."""
        if wants is None:
            return Match(user, State.NONE, None, None, row)
        existing = self.case.actual.mailboxes.get(wants)
        if existing is None:
            if self.is_held_for_another(user, wants):
                return Match(user, State.NONE, None, None, row)
            return Match(user, State.NEW, wants, wants, row)
        if row is not None and row.address != wants:
            self.refuse(Say.HAS_ONE_ALREADY, user, wants, own=row.address)
            return Match(user, State.NONE, None, None, row)
        holder = self.case.rows.get(wants)
        if holder is None:
            state = State.BY_MARK if self.case.marks.claims(existing.tags) else State.ADOPTED
            return Match(user, state, wants, wants, None)
        if self.may_take_over(user, holder, existing):
            return Match(user, State.TAKEN_OVER, wants, wants, holder)
        return Match(user, State.NONE, None, None, None)

    def is_held_for_another(self, user: User, wants: Address) -> bool:
        """Tell whether an address without a mailbox is that of an entry which may still be there; a finding says so.

        Its mailbox was deleted in mailcow, and is made again once the entry is seen.
        """
        holder = self.case.rows.get(wants)
        if holder is None or holder.id is None or wants in self.case.actual.mailboxes or self.is_gone(holder, user):
            return False
        entry = EntryId(holder.source, holder.id)
        if self.case.is_of_unknown(holder) or entry in self.case.users or self.own.get(user.id) is holder:
            return False
        self.refuse(Say.HOLDER_NOT_READ, user, wants, holder=holder.dn, other=holder.source)
        return True

    # whose entry has another id

    def may_take_over(self, user: User, holder: Remembered, existing: Existing) -> bool:
        """Tell whether an entry may have the mailbox of another one; a finding says why not.

        That the new id never had a mailbox is known before this is asked.
        """
        address, dn = holder.address, holder.dn or "an entry that isn't known"
        if self.case.not_read(holder):
            return self.refuse(Say.HOLDER_NOT_READ, user, address, holder=dn, other=holder.source)
        if address in self.known[user.id.source].replaced:
            return False  # told once for all of them
        if address in self.known[user.id.source].again and self.is_absent(holder, user):
            return True  # a word was said, which also holds where the new server has another search base
        if not self.is_gone(holder, user):
            return self.refuse(Say.HOLDER_THERE, user, address, holder=dn)
        if is_same_user(self.case, user, holder, existing):
            return True
        return self.refuse(Say.HOLDER_GONE, user, address, holder=dn)

    def is_absent(self, holder: Remembered, user: User) -> bool:
        """Tell whether a whole answer doesn't have the entry that has a mailbox, if it isn't the user's."""
        if holder.id is None:
            return holder.dn.lower() in ("", user.dn.lower()) or self.is_no_entrys(holder.dn)
        known = self.known.get(holder.source)
        is_known = known is not None and known.answers_whole and not self.case.options.overridden_filter
        return is_known and EntryId(holder.source, holder.id) not in self.case.users

    def is_gone(self, holder: Remembered, user: User) -> bool:
        """Tell whether the entry that has a mailbox is surely gone: the accepted search doesn't find it."""
        return self.is_absent(holder, user) and (holder.id is None or not self.known[holder.source].doubt)

    # mailboxes without an entry

    def missing(self, users: Mapping[EntryId, Match], at: Mapping[Address, Match]) -> Iterator[Missing]:
        """Give our mailboxes that no user is matched with."""
        for address, existing in sorted(self.case.actual.mailboxes.items()):
            if address in at or not self.case.is_ours(existing):
                continue
            row = self.case.rows.get(address) or Remembered(
                address, source=self.case.config.sources[0].name, id=None, dn="", origin=Origin.MARK
            )
            yield Missing(existing, row, self.why_missing(row, users))

    def why_missing(self, row: Remembered, users: Mapping[EntryId, Match]) -> Rule:
        """Tell whether the absence of a row's entry is believed, and if not, why."""
        if self.case.is_of_unknown(row):
            return Rule.UNKNOWN_DIRECTORY
        if self.case.not_read(row):
            return Rule.NOT_READ
        if self.case.is_unclaimed(row):
            return self.why_unclaimed(row)
        if not self.case.looks_at(self.case.by_name[row.source].source, row.address):
            return Rule.OUT_OF_SCOPE
        user = users.get(EntryId(row.source, row.id or ""))
        if user is not None:
            return self.why_left(row, user)
        if self.case.options.scoped:
            return Rule.OUT_OF_SCOPE
        if row.id is None and row.dn.lower() in self.case.asked.dns:
            return Rule.UNREADABLE
        return Rule.MISSING if self.known[row.source].users else Rule.NOT_WHOLE

    def why_unclaimed(self, row: Remembered) -> Rule:
        """Tell the same of a mailbox that only a mark, or the ancestor, made ours: all directories have a say."""
        if row.address in self.claims.asked or row.dn.lower() in self.case.asked.dns:
            return Rule.UNREADABLE
        if not any(self.case.looks_at(one.source, row.address) for one in self.case.directories):
            return Rule.OUT_OF_SCOPE
        if not self.case.all_answered:
            return Rule.NOT_READ
        if self.case.options.scoped:
            return Rule.OUT_OF_SCOPE
        return Rule.MISSING if all(one.users for one in self.known.values()) else Rule.NOT_WHOLE

    def why_left(self, row: Remembered, user: Match) -> Rule:
        """Tell the same of a mailbox whose user is there and has another one, or none."""
        has_other = user.at is not None and user.at != row.address and user.at in self.case.actual.mailboxes
        if has_other and user.state is State.SAME:
            return Rule.MOVED if self.known[row.source].users else Rule.NOT_WHOLE
        return Rule.UNREADABLE

    def is_gone_for_good(self, row: Remembered, users: Mapping[EntryId, Match]) -> bool:
        """Tell whether a row is about nothing any more: mailcow has no such mailbox, and no user is to get it again."""
        actual = self.case.actual
        if row.address.domain not in actual.domains or row.address in actual.mailboxes:
            return False
        user = users.get(self.row_owner.get(row.address) or EntryId(row.source, row.id or ""))
        if user is not None:
            return user.state is State.SAME and user.at != row.address
        known = self.known.get(row.source)
        return known is not None and known.users

    # what is said

    def tell_no_address(self, user: User, at: Address) -> None:
        if user.id not in self.claims.lost:  # an address that another has is told elsewhere
            self.findings.append(Say.NO_ADDRESS.at(user.dn, self.case.directory_of(user.id), address=at))

    def refuse(self, what: Say, user: User, address: Address, **values: object) -> bool:
        """Say why a user doesn't get a mailbox that is there."""
        self.findings.append(what.at(user.dn, self.case.directory_of(user.id), address=address, **values))
        return False


def since_missing(case: Case, missing: Missing) -> Mapping[str, object]:
    """Return what is remembered of the absence of an entry, this answer counted."""
    row = missing.row
    gone = absence(row, case.config.removed_users, case.now)
    return {**gone.patch, "last_seen": last_seen(case, row)}
