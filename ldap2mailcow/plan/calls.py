"""Changes to calls: which requests do a change, and which changes share a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from ldap2mailcow.model import ATTRIBUTES, AUTHSOURCE, EDIT, Call, Change, Kind

from .order import Step, step_of

ITEMS_A_CALL = 10
"""mailcow echoes the whole request for each item, and a failing item can end the call: docs/mailcow-api.md 1 and 11."""

ADD = "add/mailbox"
REMOVE_TAG = "delete/mailbox/tag"
MODIFIED = "mailbox_modified"
ADDED = "mailbox_added"


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that are done by the same calls: one change, or several that are alike."""

    changes: tuple[Change, ...]
    calls: tuple[Call, ...]


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
    if change.kind is Kind.CREATE:
        return (_add(change),)
    return (*_edits(change), *_tag_removal(change))


def _add(change: Change) -> Call:
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


def _edits(change: Change) -> Iterable[Call]:
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


def _tag_removal(change: Change) -> Iterable[Call]:
    if change.remove_tags:
        yield Call(REMOVE_TAG, (change.address,), {"tags": list(change.remove_tags)}, MODIFIED)


def phases(changes: Iterable[Change]) -> tuple[Phase, ...]:
    """Arrange changes, already in order, into phases of batches."""
    return tuple(
        Phase(_batches(group, alone=step is Step.DISABLE), serial=step is Step.DISABLE)
        for step, group in groupby(changes, key=step_of)
    )


def _batches(changes: Iterable[Change], *, alone: bool) -> tuple[Batch, ...]:
    """Put changes that ask for the same values into shared calls; a password or a tag removal is one mailbox's own."""
    alike: dict[object, list[Change]] = {}
    for change in changes:
        own = alone or change.kind is Kind.CREATE or change.password or change.remove_tags
        key = change.address if own else _values(change)
        alike.setdefault(key, []).append(change)
    return tuple(
        _batch(group[start : start + ITEMS_A_CALL])
        for group in alike.values()
        for start in range(0, len(group), ITEMS_A_CALL)
    )


def _values(change: Change) -> object:
    """Return what makes changes alike: everything their calls carry, apart from the mailbox."""
    return tuple(sorted(change.writes.items())), change.add_tags, change.attribute_hash


def _batch(changes: list[Change]) -> Batch:
    items = tuple(change.address for change in changes)
    calls = calls_of(changes[0])
    return Batch(tuple(changes), calls if len(items) == 1 else tuple(replace(call, items=items) for call in calls))


def cost(changes: Iterable[Change]) -> Cost:
    """Return what a plan asks of mailcow."""
    changes = tuple(changes)
    calls = sum(len(batch.calls) for phase in phases(changes) for batch in phase.batches)
    return Cost(calls, sum(change.rebuilds for change in changes))
