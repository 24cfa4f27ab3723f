"""What the state file learns of a mailbox."""

from __future__ import annotations

from collections.abc import Mapping

from ldap2mailcow.model import Mailbox, Remembered, Value

from .draft import Draft

SEEN: Mapping[str, object] = {"missing_since": None, "missed": 0, "last_missed": None}
"""What is remembered of the absence of an entry that is in the answer."""


def identity(draft: Draft, mailbox: Mailbox) -> dict[str, object]:
    """Return what is remembered of a mailbox whose entry is there, whatever else happens to it."""
    row = draft.view.memory.mailboxes.get(mailbox.address)
    had = frozenset[str]()
    if row and not draft.whole:
        had = row.present  # a doubtful answer makes nobody poorer
    elif row and draft.view.options.force_removals is None:
        had = row.present & draft.vanished  # nor does what waits for somebody's word
    return {
        "source": mailbox.source,
        "id": _id(draft, mailbox, row),
        "dn": mailbox.dn,
        **SEEN,
        "retired_since": None,
        "present": mailbox.present | had,
    }


def _id(draft: Draft, mailbox: Mailbox, row: Remembered | None) -> str | None:
    """Return by which id a mailbox is remembered.

    None that nobody has had yet while most people have another one: whether they are believed is to be said first, and
    their number among those that are known mustn't shrink meanwhile.
    """
    is_new = row is None or row.id != mailbox.id
    return None if not draft.ids_hold or (draft.waiting and is_new) else mailbox.id


def applied(mailbox: Mailbox, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return what is remembered as applied: the managed attributes only, so not what was filled in at creation."""
    return {key: values[key] for key in mailbox.attributes if key in values}
