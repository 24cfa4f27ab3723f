"""After a call whose outcome is unknown: whether the change is done, and if not, what is left to do."""

from __future__ import annotations

from dataclasses import replace

from ldap2mailcow.model import ATTRIBUTES, Change, Existing, Kind


def is_done(change: Change, existing: Existing) -> bool:
    """Tell whether a mailbox, read again, shows everything that a change was to do.

    A new mailbox got its password in the statement that made it; a changed password shows by mailcow's stamp, which
    has moved on.
    """
    password_written = change.kind is Kind.CREATE or existing.passwd_update != change.passwd_update
    return (
        all(existing.attributes[key] == value for key, value in change.writes.items() if key in ATTRIBUTES)
        and existing.tags.issuperset(change.add_tags)
        and existing.tags.isdisjoint(change.remove_tags)
        and (change.password is None or password_written)
    )


def remainder(change: Change, existing: Existing) -> Change:
    """Return the change to send again: a mailbox that was made, but not whole, is edited and not made twice."""
    if change.kind is not Kind.CREATE:
        return change
    return replace(
        change,
        kind=Kind.UPDATE,
        attribute_hash=existing.attribute_hash,
        passwd_update=existing.passwd_update,
        writes={key: value for key, value in change.writes.items() if existing.attributes[key] != value},
    )
