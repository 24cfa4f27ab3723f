"""After a call whose outcome is unknown: whether the change is done, and if not, what is left to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

from ldap2mailcow.model import (
    ATTRIBUTES,
    GOTO,
    Address,
    AliasChange,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    MailboxChange,
    RenameChange,
    Value,
    joined,
    split,
)


def is_done(change: MailboxChange, existing: Existing) -> bool:
    """Tell whether a mailbox, read again, shows everything that a change was to do: one to be deleted never does.

    A new mailbox got its password in the statement that made it; a changed password shows by mailcow's stamp, which
    has moved on.
    """
    password_written = change.kind is Kind.CREATE or existing.passwd_update != change.passwd_update
    return change.kind is not Kind.DELETE and (
        all(existing.attributes[key] == value for key, value in change.writes.items() if key in ATTRIBUTES)
        and existing.tags.issuperset(change.add_tags)
        and existing.tags.isdisjoint(change.remove_tags)
        and (change.password is None or password_written)
        and (change.senders is None or existing.senders == frozenset(change.senders))
        and change.foreign_senders is None  # which mailcow doesn't show
    )


def is_alias_done(change: AliasChange, existing: ExistingAlias | None) -> bool:
    """Tell whether an alias, read again, shows everything that a change was to do; None for one that isn't there."""
    if existing is None or change.kind is Kind.REMOVE:
        return existing is None and change.kind is Kind.REMOVE
    return is_same_alias(change.writes, existing)


def is_same_alias(values: Mapping[str, Value], existing: ExistingAlias) -> bool:
    """Tell whether an alias has these values."""
    return all(existing.values[key] == value for key, value in values.items())


def touches(change: Change, addresses: Collection[Address]) -> bool:
    """Tell whether a change is about one of some addresses, or names one."""
    named: set[str] = {change.address}
    if isinstance(change, RenameChange):
        named.add(change.former)
    elif isinstance(change, MailboxChange):
        named |= {*(change.senders or ())}
    elif isinstance(change, AliasChange) and GOTO in change.writes:
        named |= split(str(change.writes[GOTO]))
    return not named.isdisjoint(addresses)


def without(change: Change, failed: Collection[Address]) -> Change | None:
    """Return what is left of a change where mailboxes could not be made; None for nothing.

    An alias must not go to somebody who isn't there; the next run makes both.
    """
    if isinstance(change, MailboxChange | RenameChange):
        return None if change.address in failed else change
    if not isinstance(change, AliasChange) or GOTO not in change.writes or not failed:
        return change
    goto = split(str(change.writes[GOTO])) - frozenset(failed)
    if not goto:
        return None
    applied = {**cast("Mapping[str, Value]", (change.remember or {})["applied"]), GOTO: joined(goto)}
    fields = tuple(replace(one, after=joined(goto)) if one.key == GOTO else one for one in change.fields)
    remember = {**(change.remember or {}), "applied": applied}
    return replace(change, fields=fields, writes={**change.writes, GOTO: joined(goto)}, remember=remember)


def remainder(change: MailboxChange, existing: Existing) -> MailboxChange:
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
