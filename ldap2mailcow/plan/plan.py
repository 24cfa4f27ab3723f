"""One plan from top to bottom; the order of the rules is the order of the calls here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from ldap2mailcow.model import (
    Address,
    Change,
    EntryId,
    Finding,
    MailboxChange,
    Note,
    Role,
    Rule,
    Say,
    SourceMemory,
    Subject,
)

from .case import Case
from .diff import Difference, compare, deletion
from .limits import judge
from .matching import Matches, match
from .order import in_order
from .pending import Pending
from .renames import Renames, after_renames, decide_renames, with_aliases_left
from .takeover import first_seen
from .target import AliasTarget, Held, MailboxTarget, Targets, make_targets
from .withheld import Guarded, Reason, Withheld


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run means to do, in order, and everything it has to say."""

    changes: tuple[Change, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    pending: tuple[Pending, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    """What the state file learns without any change in mailcow."""
    sources: Mapping[str, SourceMemory] = field(default_factory=dict)
    """What to remember of each directory that answered."""
    bystanders: Mapping[EntryId, datetime] = field(default_factory=dict)
    """When an answer first had each entry, for those that weren't known yet."""
    whole: bool = True
    managed: int = 0
    """Mailboxes of mailcow that are ours, before the run."""
    wanted: int = 0
    """Mailboxes that the directories ask for."""
    unmanaged: tuple[Address, ...] = ()
    """Mailboxes in our domains that are neither ours nor in a directory."""
    orphans: tuple[Address, ...] = ()
    """Mailboxes that are ours and whose entry is gone, whatever becomes of them."""
    managed_aliases: int = 0
    wanted_aliases: int = 0
    unmanaged_aliases: tuple[Address, ...] = ()
    orphaned_aliases: tuple[Address, ...] = ()
    rules: Mapping[tuple[Subject, Address], Rule] = field(default_factory=dict, compare=False)
    """By which rule each mailbox and alias is to be as it is, also where nothing changes."""


@dataclass(frozen=True)
class _Draft:
    """One round: everything decided with what was held by then."""

    case: Case
    """After the renames."""
    matches: Matches
    renames: Renames
    targets: Targets

    @cached_property
    def difference(self) -> Difference:
        return compare(self.case, self.targets)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        return tuple(with_aliases_left(self.renames.changes, self.difference.changes))


def make_plan(case: Case) -> Plan:
    """Return what brings mailcow to what the directories ask for.

    Raises RuntimeError where a target doesn't heed what is held: planning would never end, and nothing is done.
    """
    before = match(case)
    held = Held()
    withheld: dict[str, Withheld] = {}  # each kind once: what a later round adds belongs to what the first one said
    findings: list[Finding] = []
    while True:
        draft = _round(case, before, held)
        verdict = judge(draft.case, draft.matches, draft.targets, draft.changes)
        withheld |= {one.name: one for one in verdict.withheld if one.name not in withheld}
        findings += verdict.findings
        if not verdict.held:
            return _plan(case, draft, tuple(withheld.values()), findings)
        grown = held.plus(verdict.held)
        if grown == held:
            raise RuntimeError(f"a change of {verdict.held} doesn't heed that it is held")
        held = grown


def senders_to_read(case: Case) -> frozenset[Address]:
    """Return the mailboxes whose rows of `sender_acl` must be known before the plan can be made, by present names."""
    if not case.manages_senders and not case.actual.aliases:
        return frozenset()  # only rights that are asked for, and edits of aliases, have to do with rows
    draft = _round(case, match(case), Held())
    former = {change.address: change.former for change in draft.renames.changes}
    return frozenset(former.get(address, address) for address in draft.targets.unread)


def _round(case: Case, before: Matches, held: Held) -> _Draft:
    renames = decide_renames(case, before, held.of(Guarded.RENAME))
    after = after_renames(case, renames.changes)
    matches = match(after) if renames.changes else before
    return _Draft(after, matches, renames, make_targets(after, matches, held))


def _plan(case: Case, draft: _Draft, withheld: tuple[Withheld, ...], findings: Iterable[Finding]) -> Plan:
    known, targets, claims = draft.matches.known, draft.targets, draft.matches.claims
    return Plan(
        changes=in_order(draft.case, (*draft.changes, *_halves(draft.case, targets))),
        withheld=withheld,
        pending=targets.pending,
        findings=_concerning(case, draft, (*_all_findings(case, draft), *findings)),
        notes=_notes(case, draft),
        sources={name: _source_memory(case, draft, name, withheld) for name in known},
        bystanders=first_seen(case),
        whole=case.all_answered and all(one.is_whole for one in known.values()),
        managed=sum(map(case.is_ours, case.actual.mailboxes.values())),
        wanted=len(claims.mailboxes),
        unmanaged=_unmanaged(draft, targets.mailboxes),
        orphans=_orphans(targets.mailboxes, draft.matches.missing),
        managed_aliases=sum(map(case.is_our_alias, case.actual.aliases.values())),
        wanted_aliases=len(claims.aliases),
        unmanaged_aliases=_unmanaged(draft, targets.aliases) if case.manages_aliases else (),
        orphaned_aliases=_orphans(targets.aliases, draft.case.actual.aliases),
        rules=_rules(targets),
    )


_ORPHANED = frozenset(
    {
        Rule.MISSING,
        Rule.MOVED,
        Rule.GRACE,
        Rule.RETIRED,
        Rule.EXPIRED,
        Rule.KEPT,
        Rule.NOT_WANTED,
        Rule.HELD,
        Rule.NO_ROOM,
        Rule.STILL_REACHED,
        Rule.KIND_NOT_MANAGED,
    }
)
"""The rules of what is ours and surely not asked for, whatever becomes of it."""

_NOT_OURS = frozenset({Rule.NOT_OURS, Rule.WAS_RELEASED, Rule.OTHER_INSTALLATION})

_Targets = Mapping[Address, MailboxTarget] | Mapping[Address, AliasTarget]


def _orphans(targets: _Targets, ours: Iterable[Address]) -> tuple[Address, ...]:
    return tuple(sorted(address for address in ours if targets[address].rule in _ORPHANED))


def _unmanaged(draft: _Draft, targets: _Targets) -> tuple[Address, ...]:
    """Return what is in mailcow and not ours; nothing where it isn't known whether an entry asks for it."""
    knows = draft.case.all_answered and all(one.users for one in draft.matches.known.values())
    strange = {address for address, target in targets.items() if target.rule in _NOT_OURS}
    return tuple(sorted(strange - draft.matches.claims.asked)) if knows else ()


def _rules(targets: Targets) -> dict[tuple[Subject, Address], Rule]:
    found = {(Subject.MAILBOX, address): target.rule for address, target in targets.mailboxes.items()}
    return found | {(Subject.ALIAS, address): target.rule for address, target in targets.aliases.items()}


def _halves(case: Case, targets: Targets) -> Iterator[MailboxChange]:
    """Give what deletes again what mailcow left half-deleted: it shows no field of it any more."""
    for address in sorted(case.begun.halves):
        row = case.memory.mailboxes.get(address)
        yield deletion(case, targets, address, Rule.UNFINISHED, row.dn if row else "")


# what is remembered


def _notes(case: Case, draft: _Draft) -> tuple[Note, ...]:
    """Return what the state file learns, without what is about something that a change is to do first."""
    matches = draft.matches
    gone = (Note(row.address, None) for row in matches.gone_rows)
    aliases = (Note(address, None, Subject.ALIAS) for address in _gone_aliases(draft))
    noted = (*matches.sightings, *draft.difference.notes)
    return (*case.forgotten, *_other_ids(case, draft), *noted, *gone, *aliases)


def _other_ids(case: Case, draft: _Draft) -> Iterator[Note]:
    """Forget the ids of another attribute, once: what isn't followed now would look missing by them ever after."""
    for directory in case.directories:
        fixed = case.source_memory(directory.name).id_attribute
        if fixed not in (None, directory.id_attribute) and draft.matches.known[directory.name].users:
            of_it = (row.address for row in case.rows.values() if row.source == directory.name)
            yield from (Note(address, {"id": None}) for address in sorted(of_it))


def _gone_aliases(draft: _Draft) -> Iterator[Address]:
    """Give the aliases that are gone from mailcow and that no entry asks for."""
    case = draft.case
    gone = (row for address, row in sorted(case.alias_rows.items()) if address not in draft.targets.aliases)
    in_scope = (row for row in gone if case.home_domain(row.address) in case.actual.domains)
    return (row.address for row in in_scope if not case.not_read(row))


def _source_memory(case: Case, draft: _Draft, name: str, withheld: Iterable[Withheld]) -> SourceMemory:
    known, remembered = draft.matches.known[name], case.source_memory(name)
    if not known.users:
        return remembered
    in_doubt = {one.directory for one in withheld if one.reason is Reason.SEARCH_CHANGED}
    accepts = known.knows(None) and in_doubt.isdisjoint(("", name))
    accepted = known.fingerprint if accepts else remembered.accepted
    return SourceMemory(case.by_name[name].id_attribute, accepted, answered=case.now)


# what is said


def _all_findings(case: Case, draft: _Draft) -> Iterator[Finding]:
    for directory in case.directories:
        yield from _of_directory(case, directory.name, draft.matches.known[directory.name].findings)
    yield from case.asked.findings
    yield from draft.matches.findings
    yield from draft.renames.findings
    yield from _domains(case)
    yield from _unknown_addresses(case, draft)
    yield from _lost_key(case)
    yield from _half_deleted(case)
    yield from _unknown_directories(draft)
    yield from draft.targets.findings


def _of_directory(case: Case, name: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Give findings about one answer with the name of its directory, unless that is the place already."""
    is_named = len(case.config.sources) > 1
    for one in findings:
        yield replace(one, directory=name) if is_named and one.where.partition(" ")[0] != name else one


def _concerning(case: Case, draft: _Draft, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are of interest to the run, each once: with `--only`, by what they are about."""
    only, said = case.options.only, dict.fromkeys(findings)
    if not only:
        return tuple(said)
    matches = draft.matches.users.values()
    dns = {one.user.dn for one in matches if not only.isdisjoint({one.at, one.wants, *one.user.addresses})}
    places = {*only, *case.names, *dns}
    return tuple(finding for finding in said if finding.where in places)


def _domains(case: Case) -> Iterator[Finding]:
    for directory in case.directories:
        for domain in directory.source.domains:
            if domain not in case.actual.domains:
                yield Say.NAMED_DOMAIN_MISSING.at(domain, domain=domain)


def _unknown_addresses(case: Case, draft: _Draft) -> Iterator[Finding]:
    known = draft.matches.claims.asked | draft.matches.at.keys()
    former = {one for one, row in case.alias_rows.items() if row.role is Role.FORMER}
    names = " or ".join(sorted(case.by_name))
    for address in sorted(case.options.only - known - former):
        yield Say.NOT_IN_DIRECTORY.at(address, address=address, names=names)


def _lost_key(case: Case) -> Iterator[Finding]:
    memory = case.memory
    lost = Counter(row.source for row in case.rows.values() if row.digest and not memory.is_comparable(row.digest))
    for name in case.by_name:
        if lost[name]:
            yield Say.KEY_LOST.at(name, count=lost[name])


def _half_deleted(case: Case) -> Iterator[Finding]:
    if number := case.actual.half_deleted - len(case.begun.halves):
        count = f"{number} mailbox{'es' * (number != 1)}"
        yield Say.HALF_DELETED.at("mailcow", count=count)


def _unknown_directories(draft: _Draft) -> Iterator[Finding]:
    """Say what is remembered of directories that the config doesn't have: nothing tells what of it is still there."""
    boxes, aliases = draft.targets.mailboxes.values(), draft.targets.aliases.values()
    targets: tuple[MailboxTarget | AliasTarget, ...] = (*boxes, *aliases)
    left = Counter(target.source for target in targets if target.rule is Rule.UNKNOWN_DIRECTORY)
    for name, number in sorted(left.items()):
        yield Say.DIRECTORY_UNKNOWN.at(name, count=number, name=name)
