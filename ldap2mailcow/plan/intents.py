"""What an earlier run began and didn't see the end of: mailcow tells how far it came.

A run writes down what it is about to do wherever mailcow alone wouldn't tell afterwards all that has to be remembered.
It takes that out again once the end is recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, cast

from ldap2mailcow.model import (
    ACTIVE,
    Actual,
    Address,
    AliasChange,
    Change,
    Existing,
    Kind,
    MailboxChange,
    Memory,
    Note,
    Remembered,
    RememberedAlias,
    RenameChange,
    Subject,
)

from .case import Begun

_NEEDED: Mapping[type[Change], frozenset[Kind]] = {
    MailboxChange: frozenset({Kind.CREATE, Kind.DISABLE, Kind.DELETE}),
    RenameChange: frozenset({Kind.RENAME}),
    AliasChange: frozenset({Kind.DISABLE}),  # an adopted alias keeps its comment: nothing says who set it inactive
}


def needs_intent(change: Change) -> bool:
    """Tell whether mailcow alone wouldn't show afterwards that a change was ours, or why, or how far it came."""
    return change.kind in _NEEDED[type(change)]


def deletions_begun(memory: Memory, actual: Actual) -> frozenset[Address]:
    """Return the mailboxes that an earlier run was about to delete and that mailcow no longer lists."""
    begun = (change.address for change in memory.intents if change.kind is Kind.DELETE)
    return frozenset(address for address in begun if _is_gone(address, actual))


def _is_gone(address: Address, actual: Actual) -> bool:
    """Tell whether mailcow surely lists no such mailbox: its domain was read, and it isn't in there."""
    return address.domain in actual.domains and address not in actual.mailboxes


def settle(memory: Memory, actual: Actual, halves: Collection[Address] = ()) -> tuple[Memory, Begun]:
    """Return the state file as it is once what was begun is written down.

    `halves` are those of `deletions_begun` of which mailcow still holds a half.
    """
    done: list[Change] = []
    for change in memory.intents:
        if _is_done(change, actual, halves):
            done.append(_applicable(change, memory))
            memory = remembered(memory, done[-1])
    return memory, Begun(tuple(done), frozenset(halves))


def _is_done(change: Change, actual: Actual, halves: Collection[Address]) -> bool:
    """Tell whether mailcow did what was begun; what is neither done nor begun is simply planned again."""
    if isinstance(change, RenameChange):
        return {change.former, change.address} & actual.mailboxes.keys() == {change.address}
    if isinstance(change, AliasChange):
        alias = actual.aliases.get(change.address)
        return alias is not None and (alias.number, bool(alias.is_active)) == (change.number, False)
    if change.kind is Kind.DELETE:
        return change.address not in halves and _is_gone(change.address, actual)
    box = actual.mailboxes.get(change.address)
    return _has_become(box, cast("MailboxChange", change)) if box else False


def _has_become(box: Existing, change: MailboxChange) -> bool:
    """Tell whether a mailbox was made, or disabled, by a change of ours: nobody else sets our tags."""
    if not box.tags.issuperset(change.add_tags):
        return False
    return change.kind is Kind.CREATE or box.attributes[ACTIVE.key] == (change.remember or {}).get("barred")


def _applicable(change: Change, memory: Memory) -> Change:
    """Return a change without what it says of rows that are gone: they were released since it was begun."""
    there = {*((Subject.MAILBOX, one) for one in memory.mailboxes), *((Subject.ALIAS, one) for one in memory.aliases)}
    notes = []
    for note in change.notes:
        if _is_about(note, there):
            notes.append(note)
            there.add((note.subject, note.address))
    is_about = _is_about(Note(change.address, change.remember, change.subject), there)
    return replace(change, notes=tuple(notes), remember=change.remember if is_about else {})


def _is_about(note: Note, there: Collection[tuple[Subject, Address]]) -> bool:
    """Tell whether there is a row that a note is about, or it makes one: then it says how that became ours."""
    return note.remember is None or (note.subject, note.address) in there or "origin" in note.remember


def remembered(memory: Memory, change: Change) -> Memory:
    """Return the state file as it is once a change is recorded as done."""
    mailboxes, aliases = dict(memory.mailboxes), dict(memory.aliases)
    if isinstance(change, RenameChange) and (row := mailboxes.pop(change.former, None)):
        mailboxes[change.address] = replace(row, address=change.address)
    for note in (*change.notes, Note(change.address, change.remember, change.subject)):
        if note.subject is Subject.MAILBOX:
            _note(mailboxes, Remembered, note)
        else:
            _note(aliases, RememberedAlias, note)
    return replace(memory, mailboxes=mailboxes, aliases=aliases)


def _note(rows: dict[Address, Any], row: type[Remembered | RememberedAlias], note: Note) -> None:
    if note.remember is None:
        rows.pop(note.address, None)
    elif note.address in rows:
        rows[note.address] = replace(rows[note.address], **cast("Mapping[str, Any]", note.remember))
    elif note.remember:
        rows[note.address] = row(note.address, **cast("Mapping[str, Any]", note.remember))
