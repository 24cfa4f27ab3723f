"""Who is gone from the directory, and what becomes of the mailbox after the grace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from ldap2mailcow.model import (
    ACTIVE,
    GOTO,
    Address,
    AliasChange,
    Cause,
    Existing,
    FieldChange,
    Kind,
    MailboxChange,
    Note,
    Origin,
    Patch,
    Remembered,
    Subject,
    Why,
    split,
)
from ldap2mailcow.plan.draft import Draft, is_unclaimed
from ldap2mailcow.plan.grace import Absence, absence
from ldap2mailcow.plan.ownership import mailbox_left_alone
from ldap2mailcow.plan.remembering import SEEN
from ldap2mailcow.plan.rename_calls import BARRED
from ldap2mailcow.plan.view import Fate, Pending

from .status import status_change


def missing_mailboxes(draft: Draft) -> tuple[tuple[Existing, Remembered], ...]:
    """Return the mailboxes that are ours and whose entry is not in the answer, in address order.

    A mailbox that only the mark makes ours comes with a fresh row.
    """
    found = []
    for address, existing in sorted(draft.view.actual.mailboxes.items()):
        if address in draft.served or mailbox_left_alone(draft, address) or not draft.is_ours(existing):
            continue
        if not draft.looks_at(address):
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
    is_others = is_unclaimed(row) and row.address in draft.view.others.addresses
    return row.address in desired.addresses or row.dn.lower() in desired.dns or is_others


OUT_OF_SERVICE: Mapping[str, int] = {"disable": 0, "disallow_login": BARRED, "delete": 0}
"""What `active` becomes after the grace, by `removed_users.action`; `delete` deletes what is inactive already."""


def decide_removals(
    draft: Draft,
    missing: tuple[tuple[Existing, Remembered], ...],
    *,
    skip_grace: bool,
) -> None:
    """Count the miss of every missing mailbox; after the grace it goes out of service, and is deleted much later.

    `skip_grace`: the search differs from the accepted one, so whoever is missing counts as a removal at once, which the
    guard withholds; counting down a grace would only hide it.
    """
    policy = draft.view.config.removed_users
    for existing, row in missing:
        gone = absence(row, policy, draft.view.now)
        retired = _retired_since(draft, existing, row, gone, skip_grace=skip_grace)
        patch = _missed(draft, existing, row, gone, retired)
        draft.note(existing.address, **patch)
        still_gets_mail = not gone.is_over or policy.action == "disallow_login"
        if still_gets_mail and not draft.has_moved(row):  # and so stays on lists; who moved is on them elsewhere
            draft.staying.add(existing.address)
        if _is_to_go(draft, existing):
            _take_out_of_service(draft, existing, row, gone, patch, skip_grace=skip_grace)
        elif policy.action == "delete":
            _delete_or_tell(draft, existing, row, gone, retired, skip_grace=skip_grace)


def _missed(
    draft: Draft, existing: Existing, row: Remembered, gone: Absence, retired: datetime | None
) -> dict[str, object]:
    """Return what is remembered of a mailbox whose entry is gone."""
    patch: dict[str, object] = {
        "source": row.source,
        "dn": row.dn,
        "id": row.id,
        "origin": row.origin,
        **gone.patch,
        "retired_since": retired,
    }
    sets_0 = OUT_OF_SERVICE.get(draft.view.config.removed_users.action) == 0
    if sets_0 and row.barred and row.disabled and _is_inactive(existing) and draft.disabled_tag in existing.tags:
        patch["barred"] = 0  # a run that set the 0 and was killed
    return patch


def _is_inactive(existing: Existing) -> bool:
    return existing.attributes[ACTIVE.key] == 0


def _is_to_go(draft: Draft, existing: Existing) -> bool:
    """Tell whether a mailbox still does what somebody who is gone shall no longer have."""
    after = OUT_OF_SERVICE.get(draft.view.config.removed_users.action)
    return after is not None and existing.attributes[ACTIVE.key] not in (0, after)


def _take_out_of_service(
    draft: Draft, existing: Existing, row: Remembered, gone: Absence, patch: Patch, *, skip_grace: bool
) -> None:
    """Plan that a mailbox goes out of service, or tell when it will."""
    policy = draft.view.config.removed_users
    value = OUT_OF_SERVICE[policy.action]
    if not (skip_grace or gone.is_over):
        fate = Fate.DISABLED if value == 0 else Fate.BARRED
        draft.pending.append(Pending(existing.address, row.dn, gone.due, gone.answers, fate))
        return
    blocked = draft.blocked(existing, row.dn or existing.address)
    if blocked and not skip_grace:  # a doubtful search stays doubtful, whatever mailcow would take
        draft.findings.append(blocked)
        draft.staying.add(existing.address)
        return
    retired = draft.view.now if policy.action == "delete" else None
    remember = {**patch, "disabled": Cause.MISSING, "retired_since": retired}
    why = Why.MOVED if draft.has_moved(row) else Why.MISSING
    draft.changes.append(status_change(draft, Kind.DISABLE, why, existing, row.dn, value, remember))


# deletions


def _retired_since(
    draft: Draft, existing: Existing, row: Remembered, gone: Absence, *, skip_grace: bool
) -> datetime | None:
    """Return since when a mailbox has been inactive with its entry gone; from now on where nothing says it yet.

    Nothing counts while the search is in doubt, nor where nothing is to be deleted: who turns that on later has all
    of `delete_after` to look.
    """
    if draft.view.config.removed_users.action != "delete" or not _is_inactive(existing):
        return None
    if row.retired_since is not None:
        return row.retired_since + gone.shift
    return draft.view.now if gone.is_over and not skip_grace else None


def _delete_or_tell(
    draft: Draft, existing: Existing, row: Remembered, gone: Absence, retired: datetime | None, *, skip_grace: bool
) -> None:
    """Plan that a mailbox is deleted, or tell when it will be."""
    due = (gone.due if retired is None else retired) + draft.view.config.removed_users.delete_after
    if retired is not None and gone.is_over and draft.view.now >= due:
        why = Why.MOVED if draft.has_moved(row) else Why.EXPIRED
        draft.changes.append(_deletion(existing.address, why, row.dn))
    elif not skip_grace:
        due = max(due, gone.due)
        draft.pending.append(Pending(existing.address, row.dn, due, gone.answers, Fate.DELETED))


def repeat_deletion(draft: Draft, address: Address) -> MailboxChange:
    """Return the change that deletes again what mailcow left half-deleted: it shows no field of it any more."""
    row = draft.view.memory.mailboxes.get(address)
    return _deletion(address, Why.UNFINISHED, row.dn if row else "")


def _deletion(address: Address, why: Why, dn: str) -> MailboxChange:
    """Return a deletion; a mailbox that goes costs a rebuild of the address book (docs/mailcow-api.md section 12)."""
    return MailboxChange(Kind.DELETE, address, why, dn, rebuilds=1, remember=None)


def with_aliases(draft: Draft, change: MailboxChange, aliases: Iterable[AliasChange]) -> MailboxChange:
    """Return a deletion with the aliases that mailcow deletes with it: those that go to this mailbox alone.

    `aliases` are the changes that this run makes to them before. Every other change comes back as it is.
    """
    if change.kind is not Kind.DELETE:
        return change
    there = {**draft.view.every_alias, **draft.view.actual.aliases}
    goto = {address: alias.goto for address, alias in there.items()}
    for other in aliases:
        if other.kind is Kind.REMOVE:
            goto.pop(other.address, None)
        elif GOTO in other.writes:
            goto[other.address] = split(str(other.writes[GOTO]))
    going = sorted(address for address, targets in goto.items() if targets == {change.address})
    if not going:
        return change
    fields = (FieldChange("aliases", ", ".join(going), ""),)
    return replace(change, fields=fields, notes=tuple(Note(one, None, Subject.ALIAS) for one in going))


# whoever is back, and whatever is gone


def forget_misses(draft: Draft) -> None:
    """Count afresh for whoever is in the answer, also where something keeps the mailbox from following it."""
    for address in sorted(draft.view.actual.mailboxes):
        row = draft.view.memory.mailboxes.get(address)
        if row and (row.missed or row.retired_since) and draft.is_of_source(row) and _is_there(draft, row):
            draft.note(address, **SEEN, retired_since=None)


def forget_departed(draft: Draft) -> None:
    """Forget the rows whose mailbox is gone from mailcow and whose entry is gone from the directory."""
    actual = draft.view.actual
    for address, row in sorted(draft.view.memory.mailboxes.items()):
        if address.domain in actual.domains and address not in actual.mailboxes and not _is_there(draft, row):
            draft.notes.append(Note(address, None))
