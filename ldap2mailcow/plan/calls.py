"""Changes to calls: which requests do a change, and which changes share a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from ldap2mailcow.model import (
    ATTRIBUTES,
    AUTHSOURCE,
    EDIT,
    AliasChange,
    Call,
    Change,
    Kind,
    MailboxChange,
    RenameChange,
)

from .order import Step, step_of
from .rename_calls import rename_calls

ITEMS_A_CALL = 10
"""mailcow echoes the whole request for each item, and a failing item can end the call: docs/mailcow-api.md 1 and 11."""
ALIASES_A_CALL = 20
"""The fastest way to make aliases with the same targets: docs/mailcow-api.md section 14."""

ADD = "add/mailbox"
DELETE = "delete/mailbox"
REMOVE_TAG = "delete/mailbox/tag"
MODIFIED = "mailbox_modified"
ADDED = "mailbox_added"


SERIAL = frozenset({Step.RENAME, Step.DISABLE, Step.DELETE})
"""What is done one by one: each blocks all other writes anyway, or waits for the one before; and deletions side by
side leave halves (docs/mailcow-api.md section 11)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that are done by the same calls: one change, or several that are alike."""

    changes: tuple[Change, ...]
    calls: tuple[Call, ...]
    """The items of each are the changes' own, in the same order."""

    @property
    def rebuilds(self) -> int:
        """Full rebuilds of the address book: new aliases with the same targets have them together."""
        each = [change.rebuilds for change in self.changes]
        return max(each) if _is_new_alias(self.changes[0]) else sum(each)


@dataclass(frozen=True, slots=True)
class Phase:
    """Batches that may run side by side; every one of them ends before the next phase begins."""

    batches: tuple[Batch, ...]
    serial: bool
    """One at a time: what rebuilds mailcow's address book blocks every other write anyway."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a plan asks of mailcow."""

    calls: int
    rebuilds: int
    """Full rebuilds of the address book: a second each on a server of 1,000 mailboxes, two minutes on one of 10,000."""


def calls_of(change: Change) -> tuple[Call, ...]:
    """Return the requests that do one change, in order."""
    if isinstance(change, AliasChange):
        nothing = change.kind is not Kind.REMOVE and not change.writes  # taken over as it is
        return () if nothing else (_alias_call(change),)
    if isinstance(change, RenameChange):
        return tuple(rename_calls(change))
    if not isinstance(change, MailboxChange):
        raise TypeError(type(change))  # pragma: no cover - there are no others
    if change.kind is Kind.CREATE:
        return (_add(change),)
    if change.kind is Kind.DELETE:
        return (Call(DELETE, (change.address,), {}, "mailbox_removed"),)
    return (*_edits(change), *_tag_removal(change))


def _alias_call(change: AliasChange) -> Call:
    """Return the one request of an alias: by its address only while it has no number (section 0, rule 6)."""
    if change.number is None:
        return Call("add/alias", (change.address,), change.writes, "alias_added")
    item, called = (str(change.number),), (change.address,)
    if change.kind is Kind.REMOVE:
        return Call("delete/alias", item, {}, "alias_removed", called)
    return Call("edit/alias", item, change.writes, "alias_modified", called)


def _add(change: MailboxChange) -> Call:
    fields = {ATTRIBUTES[key].field: value for key, value in change.writes.items()}
    secrets = {"password": change.password, "password2": change.password} if change.password else {}
    attr = {
        "local_part": change.address.local,
        "domain": change.address.domain,
        **fields,
        **secrets,
        "tags": list(change.add_tags),
        "force_pw_update": 0,
    }
    return Call(ADD, (change.address,), attr, ADDED)


def _edits(change: MailboxChange) -> Iterable[Call]:
    by_endpoint: dict[str, dict[str, object]] = {EDIT: {}}
    for key, value in change.writes.items():
        row = ATTRIBUTES[key]
        by_endpoint.setdefault(row.endpoint, {})[row.field] = value
    edit = by_endpoint[EDIT]
    secrets: dict[str, object] = {}
    if change.password:
        secrets = {"password": change.password, "password2": change.password}
    if change.add_tags:
        edit["tags"] = list(change.add_tags)
    if change.senders is not None:
        edit["sender_acl"] = list(change.senders)
    if change.foreign_senders is not None:
        edit["extended_sender_acl"] = ",".join(change.foreign_senders)
    kept = {"attribute_hash": change.attribute_hash} if change.attribute_hash else {}
    if AUTHSOURCE.field in edit and secrets:
        # mailcow ignores a password that comes with the switch to its own passwords: section 5
        yield Call(EDIT, (change.address,), {**edit, **kept}, MODIFIED)
        edit = {}
    if edit or secrets:
        yield Call(EDIT, (change.address,), {**edit, **secrets, **kept}, MODIFIED)
    for endpoint, attr in by_endpoint.items():
        if endpoint != EDIT:
            yield Call(endpoint, (change.address,), attr, MODIFIED)


def _tag_removal(change: MailboxChange) -> Iterable[Call]:
    if change.remove_tags:
        yield Call(REMOVE_TAG, (change.address,), {"tags": list(change.remove_tags)}, MODIFIED)


def phases(changes: Iterable[Change]) -> tuple[Phase, ...]:
    """Arrange changes, already in order, into phases of batches."""
    return tuple(
        Phase(_batches(group, alone=step in SERIAL), serial=step in SERIAL)
        for step, group in groupby(changes, key=step_of)
    )


def _batches(changes: Iterable[Change], *, alone: bool) -> tuple[Batch, ...]:
    """Put changes that ask for the same values into shared calls; what is one mailbox's own stays alone."""
    alike: dict[object, list[Change]] = {}
    for change in changes:
        key = change.name if alone or _is_own(change) else _values(change)
        alike.setdefault(key, []).append(change)
    return tuple(_batch(group[start : start + size]) for group in alike.values() for start, size in _cuts(group))


def _cuts(group: list[Change]) -> Iterable[tuple[int, int]]:
    """Return where to cut a group of changes that are alike into calls, and how many each takes at most."""
    size = ALIASES_A_CALL if _is_new_alias(group[0]) else ITEMS_A_CALL
    return ((start, size) for start in range(0, len(group), size))


def _is_new_alias(change: Change) -> bool:
    return isinstance(change, AliasChange) and change.number is None


def _is_own(change: Change) -> bool:
    """Tell whether a change carries what is one mailbox's alone: a password, a tag to remove, its own rights."""
    if not isinstance(change, MailboxChange):
        return False
    own = change.kind in (Kind.CREATE, Kind.GRANT)
    return own or change.password is not None or bool(change.remove_tags)


def _values(change: Change) -> object:
    """Return what makes changes alike: everything their calls carry, apart from the mailbox or alias."""
    if isinstance(change, AliasChange):
        return change.number is None, change.kind is Kind.REMOVE, tuple(sorted(change.writes.items()))
    if not isinstance(change, MailboxChange):
        raise TypeError(type(change))  # pragma: no cover - there are no others
    return tuple(sorted(change.writes.items())), change.add_tags, change.attribute_hash


def _batch(changes: list[Change]) -> Batch:
    """Return one batch: the calls of the first change, for all of them."""
    each = [calls_of(change) for change in changes]
    calls = tuple(
        replace(
            first,
            items=tuple(calls[position].items[0] for calls in each),
            called=tuple(name for calls in each for name in calls[position].called),
        )
        for position, first in enumerate(each[0])
    )
    return Batch(tuple(changes), calls)


def cost(changes: Iterable[Change]) -> Cost:
    """Return what a plan asks of mailcow."""
    batches = [batch for phase in phases(tuple(changes)) for batch in phase.batches]
    return Cost(sum(len(batch.calls) for batch in batches), sum(batch.rebuilds for batch in batches))
