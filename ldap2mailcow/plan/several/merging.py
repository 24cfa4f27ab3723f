"""The plans of several directories as one: one order, one list of everything there is to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain

from ldap2mailcow.model import Change, Finding, RenameChange
from ldap2mailcow.plan.order import place_of
from ldap2mailcow.plan.view import Plan, Reason, What, Withheld


def merged(plans: Mapping[str, Plan], *, of: int) -> Plan:
    """Return the plans of directories, by name, as one; `of` is how many directories there are.

    Where there are several, what is about one of them says so.
    """
    if of == 1:
        return next(iter(plans.values()))
    each = plans.values()
    return Plan(
        changes=tuple(sorted(_changes(plans), key=place_of)),
        withheld=tuple(_withheld(plans)),
        pending=tuple(chain.from_iterable(plan.pending for plan in each)),
        findings=tuple(_findings(plans)),
        whole=len(plans) == of and all(plan.whole for plan in each),
        managed=sum(plan.managed for plan in each),
        wanted=sum(plan.wanted for plan in each),
        unmanaged=tuple(sorted({address for plan in each for address in plan.unmanaged})),
        orphans=tuple(sorted({address for plan in each for address in plan.orphans})),
        managed_aliases=sum(plan.managed_aliases for plan in each),
        wanted_aliases=sum(plan.wanted_aliases for plan in each),
        unmanaged_aliases=tuple(sorted({address for plan in each for address in plan.unmanaged_aliases})),
        orphaned_aliases=tuple(sorted({address for plan in each for address in plan.orphaned_aliases})),
        unread=frozenset().union(*(plan.unread for plan in each)),
    )


def _changes(plans: Mapping[str, Plan]) -> Iterator[Change]:
    """Give all changes; the renames of one plan were planned for a mailcow in which those of the plans before are."""
    turns = 0
    for plan in plans.values():
        for change in plan.changes:
            yield replace(change, turn=change.turn + turns) if isinstance(change, RenameChange) else change
        turns += sum(isinstance(change, RenameChange) for change in plan.changes)


def _findings(plans: Mapping[str, Plan]) -> Iterator[Finding]:
    """Give each finding once; one that only one plan has is about its directory."""
    said = [(finding, name) for name, plan in plans.items() for finding in dict.fromkeys(plan.findings)]
    names: dict[Finding, list[str]] = {}
    for finding, name in said:
        names.setdefault(finding, []).append(name)
    for finding, of in names.items():
        yield replace(finding, directory=of[0]) if len(of) == 1 else finding


def _withheld(plans: Mapping[str, Plan]) -> Iterator[Withheld]:
    """Give what is withheld: what is over a limit counts together, all else is about one directory."""
    over: dict[What, Withheld] = {}
    for name, plan in plans.items():
        for one in plan.withheld:
            if one.reason is not Reason.OVER_LIMIT:
                yield replace(one, directory=name, sentence=f"{name}: {one.sentence}")
            elif one.what in over:
                first = over[one.what]
                over[one.what] = replace(first, changes=(*first.changes, *one.changes))
            else:
                over[one.what] = one
    yield from over.values()
