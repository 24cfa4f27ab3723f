"""What is left of a change once a mailbox that it needs could not be made or renamed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

from ldap2mailcow.model import (
    GOTO,
    Address,
    AliasChange,
    Change,
    MailboxChange,
    Value,
    joined,
    split,
)


def touches(change: Change, addresses: Collection[Address]) -> bool:
    """Tell whether a change is about one of some addresses, or names one."""
    named: set[str] = {change.address}
    if isinstance(change, MailboxChange):
        named.update(change.senders or ())
    elif isinstance(change, AliasChange) and GOTO in change.writes:
        named |= split(str(change.writes[GOTO]))
    return not named.isdisjoint(addresses)


def without(change: Change, not_made: Collection[Address]) -> Change | None:
    """Return what is left of a change where mailboxes could not be made; None for nothing.

    An alias must not go to an address that isn't there; the next run makes both.
    """
    if not isinstance(change, AliasChange):
        return None if change.address in not_made else change
    goto = split(str(change.writes.get(GOTO, "")))
    left = goto.difference(not_made)
    if left == goto:
        return change
    if not left:
        return None
    columns = change.remember or {}
    applied = {**cast("Mapping[str, Value]", columns["applied"]), GOTO: joined(left)}
    return replace(
        change,
        fields=tuple(replace(one, after=joined(left)) if one.key == GOTO else one for one in change.fields),
        writes={**change.writes, GOTO: joined(left)},
        remember={**columns, "applied": applied},
    )
