"""Who is gone from the directory, and what becomes of the mailbox after the grace."""

from __future__ import annotations

from ldap2mailcow.model import ACTIVE, Cause, Existing, Kind, MailboxChange, Note, Origin, Remembered, Why

from .draft import Draft
from .ownership import mailbox_left_alone
from .status import status_change
from .view import Pending


def missing_mailboxes(draft: Draft) -> tuple[tuple[Existing, Remembered], ...]:
    """Return the mailboxes that are ours and whose entry is not in the answer, in address order.

    A mailbox that only the mark makes ours comes with a fresh row.
    """
    found = []
    for address, existing in sorted(draft.view.actual.mailboxes.items()):
        if address in draft.served or mailbox_left_alone(draft, address) or not draft.is_ours(existing):
            continue
        row = draft.view.memory.mailboxes.get(address) or Remembered(
            address,
            source=draft.view.source.name,
            id=None,
            dn="",
            origin=Origin.MARK,
        )
        if not _is_there(draft, row):
            found.append((existing, row))
    return tuple(found)


def _is_there(draft: Draft, row: Remembered) -> bool:
    """Tell whether the answer has the entry, usable or not."""
    desired = draft.view.desired
    if not draft.is_of_source(row):
        return True  # another directory's: this answer says nothing about it
    if draft.has_moved(row):
        return False
    if row.id is not None:
        return row.id in desired.ids
    return row.address in desired.addresses or row.dn.lower() in desired.dns


def decide_removals(
    draft: Draft,
    missing: tuple[tuple[Existing, Remembered], ...],
    *,
    skip_grace: bool,
) -> None:
    """Count the miss of every missing mailbox; disable it once the grace is over, or tell when that will be.

    `skip_grace`: the search differs from the accepted one, so whoever is missing counts as a removal at once, which the
    guard withholds; counting down a grace would only hide it.
    """
    policy, now = draft.view.config.removed_users, draft.view.now
    for existing, row in missing:
        address = existing.address
        since, missed = row.missing_since or now, row.missed + 1
        patch: dict[str, object] = {
            "source": row.source,
            "dn": row.dn,
            "id": row.id,
            "origin": row.origin,
            "missing_since": since,
            "missed": missed,
        }
        draft.note(address, **patch)
        due = since + policy.missing_for
        is_over = missed >= policy.missing_runs and now >= due
        if not is_over:
            draft.staying.add(address)
        if policy.action == "keep" or existing.attributes[ACTIVE.key] == 0:
            continue
        if skip_grace or is_over:
            blocked = draft.blocked(existing, row.dn or address)
            if blocked and not skip_grace:  # a doubtful search stays doubtful, whatever mailcow would take
                draft.findings.append(blocked)
                draft.staying.add(address)
                continue
            draft.changes.append(_disable(draft, existing, row, patch))
        else:
            draft.pending.append(Pending(address, row.dn, due, max(policy.missing_runs - missed, 0)))


def _disable(draft: Draft, existing: Existing, row: Remembered, patch: dict[str, object]) -> MailboxChange:
    return status_change(
        draft,
        Kind.DISABLE,
        Why.MISSING,
        existing,
        row.dn,
        0,
        {**patch, "disabled": Cause.MISSING},
    )


def forget_misses(draft: Draft) -> None:
    """Count afresh for whoever is in the answer, also where something keeps the mailbox from following it."""
    for address in sorted(draft.view.actual.mailboxes):
        row = draft.view.memory.mailboxes.get(address)
        if row and row.missed and draft.is_of_source(row) and _is_there(draft, row):
            draft.note(address, missing_since=None, missed=0)


def forget_departed(draft: Draft) -> None:
    """Forget the rows whose mailbox is gone from mailcow and whose entry is gone from the directory."""
    actual = draft.view.actual
    for address, row in sorted(draft.view.memory.mailboxes.items()):
        if address.domain in actual.domains and address not in actual.mailboxes and not _is_there(draft, row):
            draft.notes.append(Note(address, None))
