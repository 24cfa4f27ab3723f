"""Which changes share a request, what runs side by side, and what all of it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from ldap2mailcow.model import AliasChange, Call, Change, Kind, MailboxChange
from ldap2mailcow.plan import Step, step_of

from .requests import requests_of

ITEMS_A_CALL = 10
"""mailcow echoes the whole request for each item, and a failing item can end the call: docs/mailcow-api.md 1 and 11."""
ALIASES_A_CALL = 20
"""The fastest way to make aliases with the same targets: docs/mailcow-api.md section 14."""

SERIAL = frozenset({Step.RENAME, Step.DISABLE, Step.DELETE})
"""What is done one by one: each blocks all other writes anyway; and deletions side by side leave halves
(docs/mailcow-api.md section 11)."""


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
    """One at a time, each a batch of one change."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a plan asks of mailcow."""

    calls: int
    rebuilds: int
    """Full rebuilds of the address book: a second each on a server of 1,000 mailboxes, two minutes on one of 10,000."""


def cost(changes: Iterable[Change]) -> Cost:
    """Return what a plan asks of mailcow."""
    batches = [batch for phase in phases(changes) for batch in phase.batches]
    return Cost(sum(len(batch.calls) for batch in batches), sum(batch.rebuilds for batch in batches))


def phases(changes: Iterable[Change]) -> tuple[Phase, ...]:
    """Arrange changes, already in order, into phases of batches."""
    return tuple(
        Phase(tuple(_batches(group, alone=step in SERIAL)), serial=step in SERIAL)
        for step, group in groupby(changes, key=step_of)
    )


def _batches(changes: Iterable[Change], *, alone: bool) -> Iterator[Batch]:
    """Put changes that ask for the same values into shared calls; what is one mailbox's own stays alone."""
    alike: dict[object, list[Change]] = {}
    for change in changes:
        alike.setdefault(change.name if alone else _values(change), []).append(change)
    for group in alike.values():
        size = ALIASES_A_CALL if _is_new_alias(group[0]) else ITEMS_A_CALL
        for start in range(0, len(group), size):
            yield _batch(group[start : start + size])


def _is_new_alias(change: Change) -> bool:
    return isinstance(change, AliasChange) and change.number is None


def _values(change: Change) -> object:
    """Return what makes changes alike: everything their calls carry, apart from the mailbox or alias."""
    if isinstance(change, AliasChange):
        return change.number is None, change.kind is Kind.REMOVE, tuple(sorted(change.writes.items()))
    if not isinstance(change, MailboxChange) or _is_own(change):
        return change.name
    return tuple(sorted(change.writes.items())), change.add_tags, change.attribute_hash


def _is_own(change: MailboxChange) -> bool:
    """Tell whether a change carries what is one mailbox's alone: a password, a tag to remove, its own rights."""
    own = change.kind in (Kind.CREATE, Kind.GRANT)
    return own or change.password is not None or bool(change.remove_tags)


def _batch(changes: list[Change]) -> Batch:
    """Return one batch: the calls of the first change, for all of them."""
    each = [[request.call for request in requests_of(change)] for change in changes]
    calls = tuple(
        replace(
            first,
            items=tuple(calls[position].items[0] for calls in each),
            called=tuple(name for calls in each for name in calls[position].called),
        )
        for position, first in enumerate(each[0])
    )
    return Batch(tuple(changes), calls)
