"""Several directories in one run: one plan for each, made with what the others do, and all of them as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from ldap2mailcow.plan.aliases import UNTIL_HEEDED, with_formers
from ldap2mailcow.plan.ownership import without_lost
from ldap2mailcow.plan.plan import make_plan
from ldap2mailcow.plan.renames import renamed
from ldap2mailcow.plan.room import Room
from ldap2mailcow.plan.view import Doing, Plan, Tally, View, What

from .contests import Views, introduced, settle_aliases

ROUNDS = 10
"""How often plans are made at most until none has to heed anything new of another; three do as a rule."""


def renamed_all(views: Sequence[View]) -> Views:
    """Return the views of a mailcow in which everybody who may be renamed is, in whichever directory."""
    counted = [Doing(counted=renamed(without_lost(view)).renames.counted) for view in views] if len(views) > 1 else []
    found: list[View] = []
    last = views[0]
    for number, view in enumerate(views):
        doing = _together(counted[:number] + counted[number + 1 :])
        before = replace(view, others=replace(view.others, doing=doing))
        last = renamed(without_lost(_like(before, last)))
        found.append(last)
    return introduced([_like(view, last) for view in found], last.others.contested)


def _like(view: View, other: View) -> View:
    """Return a view of the mailcow and the memory that another one sees."""
    return replace(view, actual=other.actual, memory=other.memory, senders=other.senders)


def with_all_wishes(views: Sequence[View], wish: Callable[[View], View]) -> Views:
    """Return the views with their wishes, former addresses among them, each alias wanted by one at most."""
    return settle_aliases([with_formers(wish(view)) for view in views])


def make_plans(views: Sequence[View]) -> tuple[Plan, ...]:
    """Return one plan for each directory, in their order."""
    doing = [Doing()] * len(views)
    for number in range(ROUNDS):
        plans = _one_round(views, doing, number)
        found = [plan.doing for plan in plans]
        if len(views) == 1 or (found == doing and number >= UNTIL_HEEDED):
            break
        doing = found
    return plans


def _one_round(views: Sequence[View], doing: Sequence[Doing], rounds: int) -> tuple[Plan, ...]:
    """Return one plan for each directory, made with what the others did in the round before."""
    plans: list[Plan] = []
    rooms = {name: Room.of(domain) for name, domain in views[0].actual.domains.items()}
    for number, view in enumerate(views):
        others = replace(view.others, doing=_together([*doing[:number], *doing[number + 1 :]]), rounds=rounds)
        plan = make_plan(replace(view, others=others, rooms=rooms))
        plans.append(plan)
        rooms = {name: room.at_most(rooms[name]) for name, room in plan.rooms.items()}  # what is freed is free later
    return tuple(plans)


def _together(doing: Sequence[Doing]) -> Doing:
    """Return what some plans do, as one."""
    counted: dict[What, Tally] = {}
    for what, tally in chain.from_iterable(one.counted.items() for one in doing):
        counted[what] = counted.get(what, Tally()) + tally
    return Doing(
        counted=counted,
        mailboxes=tuple(chain.from_iterable(one.mailboxes for one in doing)),
        aliases=tuple(chain.from_iterable(one.aliases for one in doing)),
        lost=frozenset().union(*(one.lost for one in doing)),
    )
