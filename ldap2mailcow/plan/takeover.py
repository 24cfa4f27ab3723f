"""Taking over: when an entry may have the mailbox of another one, and what has to be remembered to tell.

An entry with another id is the same user, made anew, only if both ids were never in one answer, and if the old entry
was in a whole answer a short while ago, active, and got no other mailbox since. So each row tells since when its entry
isn't there like that (`last_seen`), whatever else becomes of the mailbox, and of every entry it is remembered when an
answer first had it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ldap2mailcow.desired import User
from ldap2mailcow.model import ACTIVE, EntryId, Existing, Note, Patch, Remembered

from .case import Case
from .grace import SEEN
from .knowledge import Knowledge

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a moment that isn't known: it is before any other, and no time that is allowed reaches back to it."""


# what is remembered


def first_seen(case: Case) -> dict[EntryId, datetime]:
    """Return when an answer first had each entry, for those of which that isn't remembered yet.

    What has a row was there together with all others, and is known once the row is gone.
    """
    found = {user.id: case.now for user in case.asked.users}
    found |= {row.entry: LONG_AGO for row in case.memory.mailboxes.values() if row.id is not None}
    return {entry: moment for entry, moment in found.items() if entry not in case.memory.bystanders}


def sightings(case: Case, known: Mapping[str, Knowledge], own: Mapping[EntryId, Remembered]) -> Iterator[Note]:
    """Give what the rows of mailboxes learn of whether their entries are there; `own` has the row of each user."""
    owners = {row.address: case.users[user] for user, row in own.items()}
    whole = {name for name, one in known.items() if one.users}
    there = case.rows.keys() & case.actual.mailboxes.keys()
    for address, row in ((one, case.rows[one]) for one in sorted(there)):
        user = owners.get(address, case.users.get(row.entry))
        patch = seen_as(user, row) if user else _missed(case, whole, row)
        if changed := {column: value for column, value in patch.items() if getattr(row, column) != value}:
            yield Note(address, changed)


def seen_as(user: User, row: Remembered | None) -> Patch:
    """Return what is remembered of the absence of an entry that is in the answer; an inactive one is like one gone."""
    known = row.id if row else None
    if known != user.id.id:
        return {**SEEN, "last_seen": None}
    if ACTIVE.key in user.unreadable:
        return SEEN
    return {**SEEN, "last_seen": LONG_AGO if user.attributes.get(ACTIVE.key) == 0 else None}


def _missed(case: Case, whole: set[str], row: Remembered) -> Patch:
    names = case.names if row.id is None else {row.source}
    return {"last_seen": last_seen(case, row)} if names <= whole else {}


def last_seen(case: Case, row: Remembered) -> datetime:
    """Return when the last whole answer was given that had the entry of a row, active; it isn't in this one."""
    answered = None if row.missed else case.source_memory(row.source).answered
    return row.last_seen or answered or LONG_AGO


# who may have a mailbox


def was_there(row: Remembered) -> bool:
    """Tell whether nothing says that the last whole answer lacked the entry of a row."""
    return row.last_seen is None and not row.missed


def is_same_user(case: Case, user: User, holder: Remembered, existing: Existing) -> bool:
    """Tell whether an entry can be nothing but the one that had a mailbox, made anew."""
    is_fresh = timedelta() <= case.now - last_seen(case, holder) <= case.config.removed_users.missing_for
    active = existing.attributes[ACTIVE.key] if holder.disabled is None else 0
    return is_fresh and active != 0 and not _were_together(case, user, holder)


def moved(case: Case) -> frozenset[EntryId]:
    """Return the entries that got another mailbox beside the one that they had."""
    count = Counter(row.entry for row in case.memory.mailboxes.values() if row.id is not None)
    return frozenset(entry for entry, rows in count.items() if rows > 1)


def _were_together(case: Case, user: User, holder: Remembered) -> bool:
    """Tell whether an answer may have had both entries: the new one is older than the absence of the old one."""
    first = case.memory.bystanders.get(user.id)
    return first is not None and first < (holder.missing_since or case.now)
