"""One plan from top to bottom; the order of the rules is the order of the calls here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from ldap2mailcow.desired import Desired
from ldap2mailcow.model import (
    ACTIVE,
    Actual,
    Address,
    AliasChange,
    Change,
    Code,
    Finding,
    Fingerprint,
    Kind,
    Note,
    Remembered,
    RememberedAlias,
    RenameChange,
    SourceMemory,
    Subject,
)

from .aliases import MailboxPlan, concerns, decide_alias_removals, plan_aliases, with_formers
from .draft import Draft, is_unclaimed
from .guard import guard, guard_others
from .knowledge import (
    SOFT,
    alias_doubts,
    alias_knowledge,
    differing,
    doubts,
    emptied_lists,
    fingerprint,
    kind_of,
    tell_vanished,
    vanished_keys,
)
from .mailboxes import (
    decide_left_behind,
    decide_mailboxes,
    decide_removals,
    forget_departed,
    forget_misses,
    guard_ids,
    missing_mailboxes,
    repeat_deletion,
    tell_replaced_ids,
    with_aliases,
)
from .order import place_of
from .ownership import without_lost
from .renames import NOT_YET
from .view import Plan, Reason, View, What

AnyChange = TypeVar("AnyChange", bound=Change)


def make_plan(view: View) -> Plan:
    """Return what brings mailcow to what the directory wants, by the rules of docs/architecture.md."""
    view = with_formers(without_lost(view))
    draft = Draft(view, whole=True, notes=[*view.notes])
    vanished = vanished_keys(view, draft.remembered_by_id)
    draft.vanished = frozenset(vanished)
    reasons = doubts(view, vanished)
    emptied = () if reasons or view.options.scoped else emptied_lists(view)  # of members who aren't looked at
    draft.whole = not reasons
    soft = {key: lost for key, lost in vanished.items() if kind_of(key) in SOFT}
    said = (
        *reasons,
        *tell_vanished(soft, view.source),
        *alias_doubts(view),
        *emptied,
        *view.desired.findings,
        *view.wishes.findings,
    )
    draft.findings.extend(finding for finding in said if _concerns(view, finding))
    _tell_domains(draft)
    _tell_unknown_addresses(draft)
    _tell_lost_key(draft)
    _tell_half_deleted(draft)
    _tell_unknown_directories(draft)
    _forget_old_ids(draft)

    knowledge = alias_knowledge(view, users_whole=draft.whole, emptied=bool(emptied), vanished=soft)
    decide_alias_removals(draft, knowledge)
    mailboxes = _plan_mailboxes(draft)
    aliases = plan_aliases(draft, mailboxes, knowledge)
    renames, alias_changes = _with_what_they_leave(view.renames.changes, aliases.changes)
    withheld = (*view.renames.withheld, *aliases.withheld)

    whole = draft.whole and all(knowledge.whole.values())
    knows_absence = draft.whole and not view.options.scoped
    accepts = whole and knows_absence and not any(one.reason is Reason.SEARCH_CHANGED for one in withheld)
    accepted = draft.remembered_source.accepted
    ours = [mailbox for mailbox in view.actual.mailboxes.values() if draft.is_managed(mailbox)]
    unfinished = () if view.others.before else view.settled.halves
    halves = [with_aliases(draft, repeat_deletion(draft, one), alias_changes) for one in unfinished]
    changes: Iterable[Change] = (*_repairs(view), *renames, *aliases.mailboxes, *alias_changes, *halves)
    return Plan(
        changes=_in_order(changes),
        withheld=withheld,
        pending=tuple(draft.pending),
        findings=tuple(draft.findings),
        notes=tuple(draft.notes),
        source=SourceMemory(
            id_attribute=view.id_attribute if draft.ids_hold else draft.remembered_source.id_attribute,
            accepted=fingerprint(view.source) if accepts else accepted,
        ),
        whole=whole or (draft.whole and view.options.scoped),
        managed=sum(map(draft.in_scope, (mailbox.address for mailbox in ours))),
        wanted=sum(map(draft.in_scope, view.desired.mailboxes)),
        unmanaged=_unmanaged(draft) if knows_absence and view.others.are_whole else (),
        orphans=_orphans(draft) if knows_absence else (),
        managed_aliases=aliases.managed,
        wanted_aliases=sum(concerns(draft, wish) for wish in view.wishes.aliases.values()),
        unmanaged_aliases=aliases.unmanaged if knows_absence and view.others.are_whole else (),
        orphaned_aliases=aliases.orphans,
        unread=aliases.unread,
        doing=replace(aliases.doing, counted={**view.renames.counted, **draft.counted}),
        rooms=draft.rooms,
    )


def _plan_mailboxes(draft: Draft) -> MailboxPlan:
    """Return the changes of mailboxes, guarded."""
    view = draft.view
    ids = guard_ids(draft) if view.config.decides_status else None
    decide_mailboxes(draft)
    if not view.config.decides_status:
        return MailboxPlan((), ())
    decide_left_behind(draft)
    tell_replaced_ids(draft)
    knows_absence = draft.whole and not view.options.scoped
    missing = missing_mailboxes(draft) if knows_absence else ()
    doubt = ""
    if knows_absence:
        accepted = draft.remembered_source.accepted
        doubt = _search_doubt(accepted, fingerprint(view.source), missing_any=bool(missing))
    decide_removals(draft, missing, skip_grace=bool(doubt))
    if knows_absence:
        forget_misses(draft)
        forget_departed(draft)
    adopted = {change.address for change in draft.changes if change.kind is Kind.ADOPT}
    active = sum(
        mailbox.attributes[ACTIVE.key] != 0
        for mailbox in view.actual.mailboxes.values()
        if draft.is_managed(mailbox) or mailbox.address in adopted
    )
    changes, withheld = guard(
        draft,
        _in_order(change for change in draft.changes if change.kind is not Kind.DELETE),
        managed=active,
        limit=view.config.limits.removals.allows,
        whole=draft.whole or view.options.scoped,
        search_doubt=doubt,
    )
    deletions = tuple(change for change in draft.changes if change.kind is Kind.DELETE)
    ours = sum(map(draft.is_managed, view.actual.mailboxes.values()))
    kept = guard_others(
        draft,
        deletions,
        What.DELETIONS,
        managed=ours,
        limit=view.config.limits.removals.allows,
        search_doubt=doubt,
    )
    return MailboxPlan((*changes, *(() if kept else deletions)), tuple(filter(None, (ids, withheld, kept))))


def _repairs(view: View) -> Iterable[Change]:
    """Return what is left to put right of an earlier run, apart from what this one's renames put right themselves."""
    renamed = {change.former for change in view.renames.changes}
    if view.others.before:
        return ()
    return (change for change in view.settled.repairs if change.address not in renamed)


def _with_what_they_leave(
    renames: Iterable[RenameChange], changes: Iterable[AliasChange]
) -> tuple[list[RenameChange], list[AliasChange]]:
    """Put what becomes of an alias that a rename leaves into the rename: only then its number is known."""
    of_renames = {change.address: change for change in changes if change.number == NOT_YET}
    return (
        [_leaving(change, of_renames.get(change.former)) for change in renames],
        [change for change in changes if change.number != NOT_YET],
    )


def _leaving(rename: RenameChange, alias: AliasChange | None) -> RenameChange:
    if rename.left is None:
        return rename
    if alias is None:  # its comment and flags are written all the same
        return replace(rename, rebuilds=rename.rebuilds + (rename.active != 1))
    remember = {**(alias.remember or {}), "number": None}
    return replace(
        rename,
        rebuilds=rename.rebuilds + alias.rebuilds,
        left={**rename.left, **alias.writes},
        notes=(*rename.notes, Note(alias.address, remember, Subject.ALIAS)),
    )


def _in_order(changes: Iterable[AnyChange]) -> tuple[AnyChange, ...]:
    """Return changes in the order in which they run."""
    return tuple(sorted(changes, key=place_of))


def _unmanaged(draft: Draft) -> tuple[Address, ...]:
    """Return the mailboxes that are neither ours nor in the directory."""
    view, desired = draft.view, draft.view.desired
    known = {*desired.mailboxes, *desired.held.values(), *view.others.addresses}
    strange = (box.address for box in view.actual.mailboxes.values() if not draft.is_ours(box))
    return tuple(sorted(one for one in strange if one not in known))


def _orphans(draft: Draft) -> tuple[Address, ...]:
    """Return the mailboxes that are ours and whose entry is gone; none where mailboxes come from elsewhere."""
    return tuple(box.address for box, _ in missing_mailboxes(draft)) if draft.view.config.decides_status else ()


def wants_new_mailboxes(desired: Desired, actual: Actual) -> frozenset[Address]:
    """Return the addresses that would be created: a plan must know mailcow's aliases there, which would forbid it."""
    return frozenset(desired.mailboxes) - frozenset(actual.mailboxes)


def _search_doubt(accepted: Fingerprint | None, present: Fingerprint, *, missing_any: bool) -> str:
    """Say how the search differs from the one whose absences are believed; empty where it doesn't."""
    if accepted is None:
        return "no run was accepted yet, so their absence may be a mistake in the search" if missing_any else ""
    changed = differing(accepted, present)
    return f"{' and '.join(changed)} changed since the last accepted run" if changed else ""


def _forget_old_ids(draft: Draft) -> None:
    """Forget the ids of another attribute, once: whoever isn't served now would look missing by them ever after."""
    if draft.ids_hold and draft.remembered_source.id_attribute not in (None, draft.view.id_attribute):
        for address, row in sorted(draft.view.memory.mailboxes.items()):
            if draft.is_of_source(row):
                draft.note(address, id=None)


def _concerns(view: View, finding: Finding) -> bool:
    """Tell whether a finding is of interest to a run that looks at some addresses only."""
    only = view.options.only
    return (
        not only
        or finding.where in only
        or any(mailbox.dn == finding.where for address in only if (mailbox := view.desired.mailboxes.get(address)))
        or any(address in finding.sentence for address in only)
    )


def _tell_domains(draft: Draft) -> None:
    for domain in draft.view.source.domains:
        if domain not in draft.view.actual.domains and not draft.view.options.only:
            draft.find(
                Code.DOMAIN_NOT_HOSTED,
                domain,
                f"`domains` names {domain}, which mailcow doesn't have; add it there, or correct the config",
            )


def _tell_unknown_addresses(draft: Draft) -> None:
    desired = draft.view.desired
    known = desired.addresses | draft.view.wishes.aliases.keys() | desired.renaming.keys() | desired.former.keys()
    names = " or ".join(sorted({draft.view.source.name, *draft.view.others.answered}))
    for address in sorted(draft.view.options.only - known - draft.view.others.addresses):
        draft.find(
            Code.NOT_IN_DIRECTORY,
            address,
            f"--only names {address}, which no entry of {names} has; correct it, or the filter",
        )


def _tell_lost_key(draft: Draft) -> None:
    memory = draft.view.memory
    rows = filter(draft.is_of_source, memory.mailboxes.values())
    lost = sum(row.digest is not None and not memory.is_comparable(row.digest) for row in rows)
    if lost:
        draft.find(
            Code.DIGEST_KEY_LOST,
            draft.view.source.name,
            f"the key of the state file is another one than before, so the digests of {lost} passwords are taken "
            "afresh; run once with --reassert if passwords may have changed in the directory meanwhile",
        )


def _tell_half_deleted(draft: Draft) -> None:
    if number := draft.view.actual.half_deleted - len(draft.view.settled.halves):
        draft.find(
            Code.HALF_DELETED,
            "mailcow",
            f"mailcow lists {number} mailbox{'es' * (number != 1)} without any field, which a crashed deletion leaves; "
            "delete them again in mailcow",
        )


def _tell_unknown_directories(draft: Draft) -> None:
    """Say what is remembered of directories that the config doesn't have: nothing tells who of them is still there."""
    view = draft.view
    if view.options.only:
        return
    names = {source.name for source in view.config.sources}
    wanted = {*view.wishes.aliases, *view.others.aliases}
    boxes = [row for row in view.memory.mailboxes.values() if row.address in view.actual.mailboxes]
    aliases = [row for row in view.memory.aliases.values() if row.address in view.actual.aliases.keys() - wanted]
    rows: list[Remembered | RememberedAlias] = [*boxes, *aliases]
    left = Counter(row.source for row in rows if row.source not in names and not is_unclaimed(row))
    for name, number in sorted(left.items()):
        draft.find(
            Code.DIRECTORY_UNKNOWN,
            name,
            f"{number} mailboxes and aliases are of the directory {name}, which the config doesn't have or leaves out, "
            "and are left alone; put it back, or release them",
        )
