"""Limits: how much one run may take away, and what a domain has room for.

Neither edits a change. Both name addresses to be held, with a sentence, and then all targets are made again with what
is held as it is now. Of a kind over its limit everything is held, or nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ldap2mailcow.config import Limits
from ldap2mailcow.model import (
    ACTIVE,
    QUOTA,
    Address,
    AliasChange,
    Change,
    Existing,
    Finding,
    Kind,
    MailboxChange,
    RenameChange,
    Role,
    Rule,
    Value,
)

from .capacity import Room
from .case import Case
from .knowledge import NOTHING, Knowledge
from .matching import Matches
from .order import Step, step_of
from .target import BARRED, AliasTarget, NoRoom, Targets
from .withheld import Guarded, Reason, Withheld

Holds = Mapping[Guarded | NoRoom, frozenset[Address]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be held beyond what is held already."""

    held: Holds = field(default_factory=dict)
    withheld: tuple[Withheld, ...] = ()
    findings: tuple[Finding, ...] = ()


def judge(case: Case, matches: Matches, targets: Targets, changes: Sequence[Change]) -> Verdict:
    """Return what may not be done: guards first, and only if they hold nothing, what there is no room for."""
    counter = _Counter(case, matches, targets, changes)
    for kind, guard in _GUARDS.items():  # one kind at a time: what is held may be why there is less of the next
        counted = {one.address: one for one in guard.counts(counter)}  # each address once
        managed = len(guard.managed(counter) | counted.keys()) if counted else 0
        if withheld := tuple(_of_kind(case, kind, counted.values(), managed)):
            held = frozenset(counted[address].holds for one in withheld for address in one.addresses)
            return Verdict({kind: held}, withheld)
    return _Capacity(case, targets).judge(changes)


# what is counted


@dataclass(frozen=True, slots=True)
class _Counted:
    """One mailbox or alias that is counted."""

    address: Address
    directory: str
    doubt: str = ""
    """Why it waits for a word whatever the limit."""
    is_doubtful: bool = False
    """Whether the answer that it comes from isn't whole: no word lifts that."""
    fate: str = ""
    former: Address = field(default_factory=Address)
    """Where a mailbox is that is renamed."""

    @property
    def holds(self) -> Address:
        """The address to hold."""
        return self.former or self.address

    @property
    def reason(self) -> Reason:
        """Why it is withheld, if it is."""
        if self.is_doubtful:
            return Reason.NOT_WHOLE
        return Reason.SEARCH_CHANGED if self.doubt else Reason.OVER_LIMIT


class _Counter:
    """Tells for each kind what the changes take away, and what is ours of its sort."""

    def __init__(self, case: Case, matches: Matches, targets: Targets, changes: Sequence[Change]) -> None:
        self.case, self.matches, self.targets, self.changes = case, matches, targets, changes

    def known(self, directory: str) -> Knowledge:
        return self.matches.known.get(directory, NOTHING)

    def boxes(self, *kinds: Kind) -> Iterator[tuple[MailboxChange, str]]:
        """Give the changes of mailboxes of some kinds, each with the directory of its mailbox."""
        for change in self.changes:
            if isinstance(change, MailboxChange) and change.kind in kinds:
                yield change, self.targets.mailboxes[change.address].source

    def disabled(self) -> Iterator[_Counted]:
        """Give the mailboxes whose login or status changes; what becomes of the status comes last, and counts."""
        for change, directory in self.boxes(Kind.SWITCH, Kind.DISABLE):
            known, fate = self.known(directory), _FATES[change.writes.get(ACTIVE.key)]
            if change.why in (Rule.MISSING, Rule.MOVED):
                yield _Counted(change.address, directory, known.doubt, fate=fate)
            else:
                is_told = known.answers_whole or self.case.options.scoped
                yield _Counted(change.address, directory, known.doubt_of_status, is_doubtful=not is_told, fate=fate)

    def deleted(self) -> Iterator[_Counted]:
        for change, directory in self.boxes(Kind.DELETE):
            yield _Counted(change.address, directory, self.known(directory).doubt)

    def adopted(self) -> Iterator[_Counted]:
        for change, directory in self.boxes(Kind.ADOPT):
            if self.case.source_memory(directory).accepted is not None:
                yield _Counted(change.address, directory)

    def deprived(self) -> Iterator[_Counted]:
        """Give the mailboxes whose users lose rights."""
        doubt = next(filter(None, (known.doubt_of_rights for known in self.matches.known.values())), "")
        for change, directory in self.boxes(Kind.GRANT):
            if self.targets.rights[change.address].loses:
                yield _Counted(change.address, directory, doubt)

    def renamed(self) -> Iterator[_Counted]:
        for change in self.changes:
            if isinstance(change, RenameChange):
                directory = self.targets.mailboxes[change.address].source
                doubt = self.known(directory).doubt_of_names
                yield _Counted(change.address, directory, doubt, former=change.former)

    def leaving(self) -> Iterator[_Counted]:
        """Give the aliases that go."""
        for change in self.changes:
            if isinstance(change, AliasChange) and self.is_removal(change):
                target = self.targets.aliases[change.address]
                yield _Counted(change.address, target.source, self.known(target.source).why_not(target.role))

    def is_removal(self, change: AliasChange) -> bool:
        """Tell whether a change takes an alias away, be it by setting it inactive.

        One without a target is counted with the mailboxes that become inactive, if those are disabled from here.
        """
        if change.kind is Kind.DISABLE:
            return change.why is not Rule.NO_TARGET or not self.case.config.decides_status
        return change.kind is Kind.REMOVE

    def shrinking(self) -> Iterator[_Counted]:
        """Give the lists that lose more members than one run may take, or any while their search is in doubt."""
        for target in self.targets.aliases.values():
            doubt = self.doubt_of_members(target)
            if target.lost and (doubt or self.is_too_much(target)):
                yield _Counted(target.address, target.source, doubt)

    def doubt_of_members(self, target: AliasTarget) -> str:
        """Say why what a list loses waits for a word: by the entry that has it, or by the one that had it."""
        had = self.known(target.row.source).why_not(target.row.role) if target.row else ""
        return self.known(target.source).why_not(target.role) or had

    def is_too_much(self, target: AliasTarget) -> bool:
        return target.role is Role.LIST and len(target.lost) > self.case.config.limits.list_shrink.allows(target.before)

    # among what

    def ours(self) -> Iterator[Existing]:
        """Give the mailboxes that are ours, or become ours."""
        targets = self.targets.mailboxes
        for box in self.case.actual.mailboxes.values():
            if self.case.is_ours(box) or targets[box.address].is_adopted:
                yield box

    def managed_boxes(self) -> set[Address]:
        return {box.address for box in self.ours()}

    def active_boxes(self) -> set[Address]:
        return {box.address for box in self.ours() if box.attributes[ACTIVE.key] != 0}

    def active_aliases(self) -> set[Address]:
        ours = filter(self.case.is_our_alias, self.case.actual.aliases.values())
        return {one.address for one in ours if one.is_active}

    def lists(self) -> set[Address]:
        lists = {address for address, target in self.targets.aliases.items() if target.role is Role.LIST}
        return lists & self.case.actual.aliases.keys()

    def senders(self) -> set[Address]:
        return {address for address, row in self.case.rows.items() if row.senders | row.foreign_senders}


_FATES: Mapping[Value | None, str] = {
    None: "get another login",
    BARRED: "be barred from logging in",
    0: "be disabled",
}
"""What would happen to a mailbox, by what `active` becomes."""


@dataclass(frozen=True, slots=True)
class _Guard:
    """How changes of one kind are counted, and what is said of them."""

    counts: Callable[[_Counter], Iterator[_Counted]]
    managed: Callable[[_Counter], set[Address]]
    """Those of ours that they are counted among."""
    what: str


_GUARDS: Mapping[Guarded, _Guard] = {
    Guarded.DISABLE: _Guard(_Counter.disabled, _Counter.active_boxes, "managed mailboxes would {fates}"),
    Guarded.DELETE: _Guard(_Counter.deleted, _Counter.managed_boxes, "managed mailboxes would be deleted"),
    Guarded.ADOPT: _Guard(_Counter.adopted, _Counter.managed_boxes, "mailboxes made by hand would be adopted"),
    Guarded.RENAME: _Guard(_Counter.renamed, _Counter.managed_boxes, "managed mailboxes would be renamed"),
    Guarded.ALIAS: _Guard(_Counter.leaving, _Counter.active_aliases, "managed aliases would be removed"),
    Guarded.LIST: _Guard(
        _Counter.shrinking, _Counter.lists, "managed lists would lose too many of their members at once"
    ),
    Guarded.RIGHTS: _Guard(_Counter.deprived, _Counter.senders, "users would lose rights to send as others"),
}
"""All kinds that are counted; of takeovers it is known before there are changes."""


def _limit(kind: Guarded, limits: Limits, managed: int) -> tuple[int, str]:
    """Return how many of so many one run may change, and the setting that says so."""
    match kind:
        case Guarded.ADOPT:
            return limits.adoptions, "limits.adoptions"
        case Guarded.RENAME:
            return limits.renames.allows(managed), "limits.renames"
        case Guarded.LIST:
            return 0, "limits.list_shrink"
        case _:
            return limits.removals.allows(managed), "limits.removals"


# what stands against it

_NOT_WHOLE = "but the directory's answer is not whole; nothing lifts this but a whole answer"


def _of_kind(case: Case, kind: Guarded, counted: Collection[_Counted], managed: int) -> Iterator[Withheld]:
    """Give what of one kind is withheld."""
    limit, name = _limit(kind, case.config.limits, managed)
    lets = f"{name} lets {limit} through" if limit else f"{name} doesn't let that through"
    waiting = sum(not one.is_doubtful for one in counted)
    lifted = waiting if waiting <= case.options.approved.get(kind, 0) else 0
    through = {Reason.NOT_WHOLE: 0, Reason.SEARCH_CHANGED: lifted, Reason.OVER_LIMIT: max(limit, lifted)}
    for (reason, directory), found in _groups(case, counted).items():
        if len(found) > through[reason]:
            place = f"{directory}: " if directory else ""
            word = f"and {found[0].doubt or lets}; if that is meant, run once with --approve {kind}:{waiting}"
            against = _NOT_WHOLE if reason is Reason.NOT_WHOLE else word
            sentence = f"{place}{len(found)} of {managed} {_happens(kind, found)}, {against}"
            addresses = tuple(sorted(one.address for one in found))
            yield Withheld(kind, reason, addresses, managed, limit, sentence, directory)


def _happens(kind: Guarded, found: Iterable[_Counted]) -> str:
    """Say what would happen to what is counted."""
    return _GUARDS[kind].what.format(fates=" or ".join(dict.fromkeys(one.fate for one in found)))


def _groups(case: Case, counted: Iterable[_Counted]) -> Mapping[tuple[Reason, str], list[_Counted]]:
    """Sort what is counted by reason and, where there are several, directory; the limit is one for all of them."""
    groups: defaultdict[tuple[Reason, str], list[_Counted]] = defaultdict(list)
    for one in counted:
        groups[one.reason, "" if one.reason is Reason.OVER_LIMIT else case.named(one.directory)].append(one)
    return groups


# what there is room for


class _Capacity:
    """Counts down what each domain has room for, in the order in which the changes will run."""

    def __init__(self, case: Case, targets: Targets) -> None:
        self.case, self.targets = case, targets
        self.rooms = {name: Room.of(domain) for name, domain in case.actual.domains.items()}
        self.held: defaultdict[Guarded | NoRoom, frozenset[Address]] = defaultdict(frozenset)
        self.findings: list[Finding] = []
        self.turns: Mapping[Address, int] = {}
        """By address of a new alias: how many its entry has, or gets before it."""

    def judge(self, changes: Iterable[Change]) -> Verdict:
        changes = tuple(changes)
        self.turns = self.turns_of(changes)
        ordered = sorted(changes, key=self.place_of)
        aliases = [change for change in ordered if isinstance(change, AliasChange)]
        for change in aliases:
            if change.kind is Kind.REMOVE:  # first, where the place is needed
                self.rooms[self.case.home_domain(change.address)].aliases += 1
        for change in aliases:
            if change.kind is Kind.CREATE:
                room = self.rooms[self.case.home_domain(change.address)]
                self.hold(NoRoom.ALIAS, change, room.take_alias(change.address, change.dn))
        for box in ordered:
            if isinstance(box, MailboxChange):
                self.mailbox(box)
        return Verdict(dict(self.held), findings=tuple(self.findings))

    def turns_of(self, changes: Iterable[Change]) -> dict[Address, int]:
        """Return when each new alias gets a place, if there is one: no entry takes those that others need."""
        aliases = self.targets.aliases.values()
        has = Counter(target.dn or target.address for target in aliases if target.there is not None)
        turns: dict[Address, int] = {}
        for change in sorted(changes, key=lambda change: change.address):
            if isinstance(change, AliasChange) and change.kind is Kind.CREATE:
                owner = change.dn or change.address
                turns[change.address] = has[owner]
                has[owner] += 1
        return turns

    def place_of(self, change: Change) -> tuple[Step, bool, int, Address]:
        """Return what changes are sorted by: as they will run, but who gets room first is first.

        Those are active mailboxes, and the aliases of entries that have few.
        """
        box = self.case.actual.mailboxes.get(change.address)
        is_inactive = box is not None and box.attributes[ACTIVE.key] == 0
        turn = self.turns.get(change.address, 0) if isinstance(change, AliasChange) else 0
        return step_of(change), is_inactive, turn, change.address

    def mailbox(self, change: MailboxChange) -> None:
        there = self.case.actual.mailboxes.get(change.address)
        if change.kind is Kind.CREATE:
            quota = int(change.writes[QUOTA.key])
            full = self.rooms[change.address.domain].take_mailbox(change.address, quota, change.dn)
            self.hold(NoRoom.MAILBOX, change, full)
        elif there and change.kind is not Kind.DELETE:
            self.edit(change, int(there.attributes[QUOTA.key]))

    def edit(self, change: MailboxChange, before: int) -> None:
        """Judge the edit of a mailbox, given the quota that it has before the run."""
        address, room = change.address, self.rooms[change.address.domain]
        after = int((self.targets.mailboxes[address].values or {})[QUOTA.key])  # written before its status and rights
        if QUOTA.key in change.writes and not room.take_quota(before, after):
            self.held[NoRoom.QUOTA] |= {address}  # its target says so
        elif address not in self.held.get(NoRoom.QUOTA, ()):  # else it is judged with the quota that it keeps
            self.hold(NoRoom.EDIT, change, room.blocks_edits(address, after, change.dn or address))

    def hold(self, kind: NoRoom, change: Change, finding: Finding | None) -> None:
        """Hold what a finding says there is no room for."""
        if finding:
            targets = self.targets.aliases if isinstance(change, AliasChange) else self.targets.mailboxes
            self.held[kind] |= {change.address}
            self.findings.append(replace(finding, directory=self.case.named(targets[change.address].source)))
