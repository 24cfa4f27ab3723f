"""One plan from top to bottom; the order of the rules is the order of the calls here."""

from __future__ import annotations

from ldap2mailcow.desired import Desired
from ldap2mailcow.model import ACTIVE, Actual, Address, Code, Finding, Fingerprint, Kind, SourceMemory

from .draft import Draft
from .guard import guard
from .holders import decide_left_behind, tell_replaced_ids
from .knowledge import differing, doubts, fingerprint, vanished_keys
from .mailboxes import decide_mailboxes
from .order import step_of
from .removals import decide_removals, forget_departed, forget_misses, missing_mailboxes
from .view import Plan, View


def make_plan(view: View) -> Plan:
    """Return what brings mailcow to what the directory wants, by the rules of docs/architecture.md."""
    draft = Draft(view, whole=True)
    vanished = vanished_keys(view, draft.remembered_by_id)
    draft.vanished = frozenset(vanished)
    reasons = doubts(view, vanished)
    draft.whole = not reasons
    draft.findings.extend(finding for finding in (*reasons, *view.desired.findings) if _concerns(view, finding))
    _tell_domains(draft)
    _tell_unknown_addresses(draft)
    _tell_lost_key(draft)
    _tell_half_deleted(draft)
    _forget_old_ids(draft)
    decide_mailboxes(draft)
    decide_left_behind(draft)
    tell_replaced_ids(draft)

    accepted, present = draft.remembered_source.accepted, fingerprint(view.source)
    knows_absence = draft.whole and not view.options.scoped
    missing = missing_mailboxes(draft) if knows_absence else ()
    doubt = _search_doubt(accepted, present, missing_any=bool(missing)) if knows_absence else ""
    decide_removals(draft, missing, skip_grace=bool(doubt))
    if knows_absence:
        forget_misses(draft)
        forget_departed(draft)

    ours = [mailbox for mailbox in view.actual.mailboxes.values() if draft.is_ours(mailbox)]
    adopted = {change.address for change in draft.changes if change.kind is Kind.ADOPT}
    active = sum(
        mailbox.attributes[ACTIVE.key] != 0
        for mailbox in view.actual.mailboxes.values()
        if draft.is_ours(mailbox) or mailbox.address in adopted
    )
    changes, withheld = guard(
        sorted(draft.changes, key=lambda change: (step_of(change), change.address)),
        managed=active,
        allowed=view.config.limits.removals.allows(active),
        whole=draft.whole or view.options.scoped,
        search_doubt=doubt,
        options=view.options,
    )
    accepts = knows_absence and not (doubt and withheld)
    return Plan(
        changes=changes,
        withheld=(withheld,) if withheld else (),
        pending=tuple(draft.pending),
        findings=tuple(draft.findings),
        notes=tuple(draft.notes),
        source=SourceMemory(
            id_attribute=view.id_attribute if draft.ids_hold else draft.remembered_source.id_attribute,
            accepted=present if accepts else accepted,
        ),
        whole=draft.whole,
        managed=sum(map(draft.in_scope, (mailbox.address for mailbox in ours))),
        wanted=sum(map(draft.in_scope, view.desired.mailboxes)),
        unmanaged=_unmanaged(draft) if knows_absence else (),
    )


def _unmanaged(draft: Draft) -> tuple[Address, ...]:
    """Return the mailboxes that are neither ours nor in the directory."""
    desired, actual = draft.view.desired.mailboxes, draft.view.actual.mailboxes
    return tuple(
        sorted(box.address for box in actual.values() if not draft.is_ours(box) and box.address not in desired)
    )


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
    for address in sorted(draft.view.options.only - draft.view.desired.addresses):
        draft.find(
            Code.NOT_IN_DIRECTORY,
            address,
            f"--only names {address}, which no entry of {draft.view.source.name} has; correct it, or the filter",
        )


def _tell_lost_key(draft: Draft) -> None:
    memory = draft.view.memory
    lost = sum(row.digest is not None and not memory.is_comparable(row.digest) for row in memory.mailboxes.values())
    if lost:
        draft.find(
            Code.DIGEST_KEY_LOST,
            draft.view.source.name,
            f"the key of the state file is another one than before, so the digests of {lost} passwords are taken "
            "afresh; run once with --reassert if passwords may have changed in the directory meanwhile",
        )


def _tell_half_deleted(draft: Draft) -> None:
    if number := draft.view.actual.half_deleted:
        draft.find(
            Code.HALF_DELETED,
            "mailcow",
            f"mailcow lists {number} mailbox{'es' * (number != 1)} without any field, which a crashed deletion leaves; "
            "delete them again in mailcow",
        )
