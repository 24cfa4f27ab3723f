"""In which order changes run; each step ends before the next begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import IntEnum

from ldap2mailcow.model import QUOTA, Address, AliasChange, Change, Kind, Subject, Value

from .case import Case


class Step(IntEnum):
    """The steps of a run, first to last."""

    RENAME = 0  # all else knows a mailbox by its new address
    FREE_ADDRESSES = 1  # and places: what a mailbox or another alias waits for
    FREE_QUOTA = 2
    MAILBOXES = 3
    ENABLE = 4
    ALIASES = 5  # after the mailboxes they go to, before those are disabled: else mailcow rebuilds its address book
    REMOVE_ALIASES = 6
    SENDERS = 7
    SWITCH = 8
    DISABLE = 9  # late: whatever goes wrong before it, nobody has lost anything yet
    DELETE = 10


_STEPS: Mapping[tuple[Subject, Kind], Step] = {
    (Subject.MAILBOX, Kind.RENAME): Step.RENAME,
    (Subject.MAILBOX, Kind.ENABLE): Step.ENABLE,
    (Subject.MAILBOX, Kind.GRANT): Step.SENDERS,
    (Subject.MAILBOX, Kind.SWITCH): Step.SWITCH,
    (Subject.MAILBOX, Kind.DISABLE): Step.DISABLE,
    (Subject.MAILBOX, Kind.DELETE): Step.DELETE,
    (Subject.ALIAS, Kind.REMOVE): Step.REMOVE_ALIASES,
}
_USUAL = {Subject.MAILBOX: Step.MAILBOXES, Subject.ALIAS: Step.ALIASES}
"""The steps of all other kinds."""


def step_of(change: Change) -> Step:
    """Return the step in which a change runs.

    Two changes of one mailbox are never in the same step: `edit/mailbox` writes back what it has read, so that two at
    once would lose one of them.
    """
    if isinstance(change, AliasChange) and change.is_first:
        return Step.FREE_ADDRESSES
    if any(lowers_quota(field.key, field.before, field.after) for field in change.fields):
        return Step.FREE_QUOTA
    return _STEPS.get((change.subject, change.kind), _USUAL[change.subject])


def place_of(change: Change) -> tuple[Step, Address]:
    """Return what changes are sorted by: their step, then the address, so that plans are the same each time."""
    return step_of(change), change.address


def in_order(case: Case, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes in the order in which they run.

    An alias is removed before everything else where a mailbox waits for its address, or a new alias for its place.
    """
    changes = tuple(changes)
    made = frozenset(_created(changes, Subject.MAILBOX))
    full = _full_domains(case, _created(changes, Subject.ALIAS))
    removals = [change for change in changes if isinstance(change, AliasChange) and change.kind is Kind.REMOVE]
    first = [
        replace(change, is_first=True)
        for change in removals
        if change.address in made or case.home_domain(change.address) in full
    ]
    placed = {change.name: change for change in (*changes, *first)}
    return tuple(sorted(placed.values(), key=place_of))


def _created(changes: Iterable[Change], subject: Subject) -> Iterator[Address]:
    """Give the addresses of new mailboxes, or of new aliases."""
    return (change.address for change in changes if change.kind is Kind.CREATE and change.subject is subject)


def _full_domains(case: Case, aliases: Iterable[Address]) -> frozenset[str]:
    """Return the domains that are too full for new aliases unless others go first."""
    count = Counter(map(case.home_domain, aliases))
    domains = case.actual.domains
    return frozenset(name for name, more in count.items() if more > domains[name].max_aliases - domains[name].aliases)


def lowers_quota(key: str, before: Value | None, after: Value) -> bool:
    """Tell whether a change of an attribute gives quota back to its domain."""
    return key == QUOTA.key and before is not None and int(after) < int(before)
