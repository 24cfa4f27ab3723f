"""Limits: how much one run may take away, and what a domain has room for.

Neither edits a change. Both name addresses to be held, with a sentence, and then all targets are made again with what
is held as it is now. Of a kind over its limit everything is held, or nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    EDIT,
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
)

from .capacity import Room
from .case import Case
from .knowledge import NOTHING, Knowledge
from .matching import Matches
from .order import Step, step_of
from .target import BARRED, AliasTarget, NoRoom, Targets
from .withheld import Guarded, Reason, Withheld

Holds = Mapping[Guarded | NoRoom, frozenset[Address]]

_WORDS: Mapping[Guarded, tuple[str, str]] = {
    Guarded.DISABLE: ("{count} of {managed} managed mailboxes would {fates}", "limits.removals lets {limit} through"),
    Guarded.DELETE: ("{count} of {managed} managed mailboxes would be deleted", "limits.removals lets {limit} through"),
    Guarded.ADOPT: (
        "{count} mailboxes that were made by hand in mailcow would be adopted",
        "limits.adoptions lets {limit} through",
    ),
    Guarded.RENAME: ("{count} of {managed} managed mailboxes would be renamed", "limits.renames lets {limit} through"),
    Guarded.ALIAS: ("{count} of {managed} managed aliases would be removed", "limits.removals lets {limit} through"),
    Guarded.RIGHTS: (
        "{count} of {managed} users would lose rights to send as others",
        "limits.removals lets {limit} through",
    ),
    Guarded.LIST: (
        "{count} of {managed} managed lists would lose too many of their members at once",
        "limits.list_shrink doesn't let that through",
    ),
}
"""What would happen, and which limit is in the way."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be held beyond what is held already."""

    held: Holds = field(default_factory=dict)
    withheld: tuple[Withheld, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counted:
    """One change that is counted."""

    kind: Guarded
    address: Address
    directory: str
    doubt: str = ""
    """Why it waits for a word whatever the limit."""
    is_doubtful: bool = False
    """Whether the answer that it comes from isn't whole: no word lifts that."""
    fate: str = ""


def judge(case: Case, matches: Matches, targets: Targets, changes: Sequence[Change]) -> Verdict:
    """Return what may not be done: guards first, and only if they hold nothing, what there is no room for."""
    guards = _Guards(case, matches, targets, changes)
    held, withheld = guards.judge()
    if held:
        return Verdict(held, withheld)
    held, findings = _Capacity(case, targets).judge(changes)
    return Verdict(held, findings=findings)


class _Guards:
    def __init__(self, case: Case, matches: Matches, targets: Targets, changes: Sequence[Change]) -> None:
        self.case, self.matches, self.targets, self.changes = case, matches, targets, changes

    def judge(self) -> tuple[Holds, tuple[Withheld, ...]]:
        by_kind: defaultdict[Guarded, list[_Counted]] = defaultdict(list)
        for change in self.changes:
            for one in self.counted(change):
                by_kind[one.kind].append(one)
        for one in self.shrinking():
            by_kind[one.kind].append(one)
        for kind in Guarded:  # one kind at a time: what is held of one may be why there is less of the next
            if withheld := tuple(self.of_kind(kind, by_kind.get(kind, []))):
                return {kind: frozenset().union(*map(self.keys, withheld))}, withheld
        return {}, ()

    def keys(self, withheld: Withheld) -> frozenset[Address]:
        """Return the addresses to hold: of renames those that the mailboxes have now."""
        if withheld.kind is not Guarded.RENAME:
            return frozenset(withheld.addresses)
        renames = (change for change in self.changes if isinstance(change, RenameChange))
        return frozenset(change.former for change in renames if change.address in withheld.addresses)

    # what is counted

    def counted(self, change: Change) -> Iterator[_Counted]:
        if isinstance(change, RenameChange):
            source = self.source_of(change)
            yield _Counted(Guarded.RENAME, change.address, source, self.known(source).doubt_of_names)
        elif isinstance(change, AliasChange):
            yield from self.counted_alias(change)
        elif isinstance(change, MailboxChange):
            yield from self.counted_mailbox(change)

    def source_of(self, change: Change) -> str:
        match = self.matches.at.get(change.address)
        return match.user.id.source if match else ""

    def counted_mailbox(self, change: MailboxChange) -> Iterator[_Counted]:
        source = self.targets.mailboxes[change.address].source
        known = self.known(source)
        match change.kind:
            case Kind.DISABLE | Kind.SWITCH:
                by_entry = change.why is not Rule.MISSING and change.why is not Rule.MOVED
                doubtful = by_entry and not known.answers_whole and not self.case.options.scoped
                doubt = known.doubt_of_status if by_entry else known.doubt
                yield _Counted(Guarded.DISABLE, change.address, source, doubt, doubtful, _fate(change))
            case Kind.DELETE if change.why is not Rule.UNFINISHED:
                yield _Counted(Guarded.DELETE, change.address, source, known.doubt)
            case Kind.ADOPT if self.case.source_memory(source).accepted is not None:
                yield _Counted(Guarded.ADOPT, change.address, source)
            case Kind.GRANT if self.targets.rights[change.address].loses:
                doubts = (one.doubt_of_rights for one in self.matches.known.values())
                yield _Counted(Guarded.RIGHTS, change.address, source, next(filter(None, doubts), ""))

    def counted_alias(self, change: AliasChange) -> Iterator[_Counted]:
        target = self.targets.aliases[change.address]
        goes = change.kind is Kind.REMOVE or (change.kind is Kind.DISABLE and self.is_removal(target))
        if goes:
            doubt = self.known(target.source).why_not(target.role) if target.rule is not Rule.NO_TARGET else ""
            yield _Counted(Guarded.ALIAS, change.address, target.source, doubt)

    def is_removal(self, target: AliasTarget) -> bool:
        """Tell whether an alias becomes inactive because it isn't asked for.

        One without a target is counted with the mailboxes that become inactive, if those are disabled from here.
        """
        return target.rule in (Rule.NOT_WANTED, Rule.MISSING) or not self.case.config.decides_status

    def shrinking(self) -> Iterator[_Counted]:
        """Give the lists that lose more members than one run may take, or any while their search is in doubt."""
        for target in self.targets.aliases.values():
            if not target.lost:
                continue
            doubt = self.known(target.source).why_not(target.role)
            allowed = self.case.config.limits.list_shrink.allows(target.before)
            if doubt or (len(target.lost) > allowed and target.role is Role.LIST):
                yield _Counted(Guarded.LIST, target.address, target.source, doubt)

    def known(self, source: str) -> Knowledge:
        return self.matches.known.get(source, NOTHING)

    # what stands against it

    def of_kind(self, kind: Guarded, counted: list[_Counted]) -> Iterator[Withheld]:
        """Give what of one kind is withheld."""
        doubtful = [one for one in counted if one.is_doubtful]
        yield from self.by_directory(kind, Reason.NOT_WHOLE, doubtful, lambda _: _NOT_WHOLE)
        counted = [one for one in counted if not one.is_doubtful]
        if len(counted) <= self.case.options.approved.get(kind, 0):
            return
        word = f"if that is meant, run once with --approve {kind}:{len(counted)}"
        in_doubt = [one for one in counted if one.doubt]
        yield from self.by_directory(kind, Reason.SEARCH_CHANGED, in_doubt, lambda one: f"{one.doubt}; {word}")
        sure = [one for one in counted if not one.doubt]
        managed = self.managed(kind)
        limit = self.limit(kind)(managed)
        if len(sure) > limit:
            against = _WORDS[kind][1].format(limit=limit)
            yield self.withheld(kind, Reason.OVER_LIMIT, sure, f"{against}; {word}", managed, limit)

    def by_directory(
        self, kind: Guarded, reason: Reason, counted: Iterable[_Counted], against: Callable[[_Counted], str]
    ) -> Iterator[Withheld]:
        of_each: defaultdict[str, list[_Counted]] = defaultdict(list)
        for one in counted:
            of_each[one.directory].append(one)
        managed = self.managed(kind) if of_each else 0
        for directory, found in of_each.items():
            name = directory if len(self.case.config.sources) > 1 else ""
            yield self.withheld(kind, reason, found, against(found[0]), managed, self.limit(kind)(managed), name)

    def withheld(
        self,
        kind: Guarded,
        reason: Reason,
        counted: Sequence[_Counted],
        against: str,
        managed: int,
        limit: int,
        directory: str = "",
    ) -> Withheld:
        fates = " or ".join(dict.fromkeys(one.fate for one in counted))
        what = _WORDS[kind][0].format(count=len(counted), managed=managed, fates=fates)
        joint = ", but " if reason is Reason.NOT_WHOLE else ", and "
        sentence = f"{directory}: {what}{joint}{against}" if directory else f"{what}{joint}{against}"
        addresses = tuple(sorted(one.address for one in counted))
        return Withheld(kind, reason, addresses, managed, limit, sentence, directory)

    def limit(self, kind: Guarded) -> Callable[[int], int]:
        """Return what tells of so many how many one run may change."""
        limits = self.case.config.limits
        match kind:
            case Guarded.RENAME:
                return limits.renames.allows
            case Guarded.ADOPT:
                return lambda _: limits.adoptions
            case Guarded.LIST:
                return lambda _: 0
            case _:
                return limits.removals.allows

    def managed(self, kind: Guarded) -> int:
        """Return of how many things a kind is counted."""
        case = self.case
        match kind:
            case Guarded.DISABLE:
                return sum(box.attributes[ACTIVE.key] != 0 for box in self.ours())
            case Guarded.ALIAS:
                leaving = {change.address for change in self.changes if change.kind is Kind.REMOVE}
                ours = (one for one in case.actual.aliases.values() if case.is_our_alias(one))
                return sum(one.is_active or one.address in leaving for one in ours)
            case Guarded.LIST:
                targets = self.targets.aliases.values()
                return sum(one.there is not None and one.role is Role.LIST for one in targets)
            case Guarded.RIGHTS:
                return sum(bool(row.senders or row.foreign_senders) for row in case.rows.values())
            case _:
                return sum(1 for _ in self.ours())

    def ours(self) -> Iterator[Existing]:
        """Give the mailboxes that are ours, or become ours."""
        targets = self.targets.mailboxes
        for box in self.case.actual.mailboxes.values():
            if self.case.is_ours(box) or targets[box.address].is_adopted:
                yield box


_NOT_WHOLE = "the directory's answer is not whole; nothing lifts this but a whole answer"


def _fate(change: MailboxChange) -> str:
    """Say what would happen to a mailbox."""
    after = change.writes.get(ACTIVE.key)
    if after is None:
        return "get another login"
    return "be barred from logging in" if after == BARRED else "be disabled"


class _Capacity:
    """Counts down what each domain has room for, in the order in which the changes will run."""

    def __init__(self, case: Case, targets: Targets) -> None:
        self.case, self.targets = case, targets
        self.rooms = {name: Room.of(domain) for name, domain in case.actual.domains.items()}
        self.held: defaultdict[Guarded | NoRoom, set[Address]] = defaultdict(set)
        self.findings: list[Finding] = []
        self.turns: Mapping[Address, int] = {}
        """By address of a new alias: how many its entry has, or gets before it."""

    def judge(self, changes: Iterable[Change]) -> tuple[Holds, tuple[Finding, ...]]:
        changes = tuple(changes)
        self.turns = self.turns_of(changes)
        ordered = sorted(changes, key=self.place_of)
        for change in ordered:
            if isinstance(change, AliasChange) and change.kind is Kind.REMOVE:  # first, where the place is needed
                self.rooms[self.case.home_domain(change.address)].aliases += 1
        for change in ordered:
            if isinstance(change, AliasChange):
                self.alias(change)
            elif isinstance(change, MailboxChange) and change.kind is not Kind.DELETE:
                self.mailbox(change)
        return {kind: frozenset(addresses) for kind, addresses in self.held.items()}, tuple(self.findings)

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

    def alias(self, change: AliasChange) -> None:
        room = self.rooms[self.case.home_domain(change.address)]
        if change.kind is Kind.CREATE and (full := room.take_alias(change.address, change.dn)):
            self.hold(NoRoom.ALIAS, change, full)

    def mailbox(self, change: MailboxChange) -> None:
        room, quota = self.rooms[change.address.domain], change.writes.get(QUOTA.key)
        if change.kind is Kind.CREATE:
            if full := room.take_mailbox(change.address, int(quota or 0), change.dn):
                self.hold(NoRoom.MAILBOX, change, full)
            return
        if change.address not in self.case.actual.mailboxes:
            return  # rights of one that is made
        before = int(self.case.actual.mailboxes[change.address].attributes[QUOTA.key])
        is_held = change.address in self.held.get(NoRoom.QUOTA, ())
        after = before if is_held else self.quota_after(change.address)
        if quota is not None and after != before and not room.take_quota(before, after):
            self.held[NoRoom.QUOTA].add(change.address)  # its target says so
        elif _is_edit(change) and (blocked := room.blocks_edits(change.address, after, change.dn or change.address)):
            self.hold(NoRoom.EDIT, change, blocked)

    def quota_after(self, address: Address) -> int:
        """Return the quota that a mailbox should have: it is written before its status and its rights."""
        return int((self.targets.mailboxes[address].values or {})[QUOTA.key])

    def hold(self, kind: NoRoom, change: Change, finding: Finding) -> None:
        targets = self.targets.aliases if isinstance(change, AliasChange) else self.targets.mailboxes
        directory = targets[change.address].source if len(self.case.config.sources) > 1 else ""
        self.held[kind].add(change.address)
        self.findings.append(replace(finding, directory=directory))


def _is_edit(change: MailboxChange) -> bool:
    """Tell whether `edit/mailbox` writes a change: TLS, and tags that go, have other calls (section 17 c)."""
    is_written = any(ATTRIBUTES[key].endpoint == EDIT for key in change.writes)
    return is_written or change.kind is Kind.GRANT or bool(change.password or change.add_tags)
