"""Groups in groups: everybody in them at any depth, and where they go round in circles.

Chains may be of any length, so nothing here recurses on Python's stack.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

G = TypeVar("G", bound=Hashable)
M = TypeVar("M")


def components(nested: Mapping[G, Collection[G]]) -> Iterator[list[G]]:
    """Give the strongly connected components of a graph, each after all that it leads to (Tarjan 1972).

    `nested` has every group as a key, and the groups in it as the value.
    """
    number: dict[G, int] = {}
    lowest: dict[G, int] = {}
    waiting: dict[G, None] = {}  # a stack of which it is quick to tell who is on it

    def enter(group: G) -> tuple[G, Iterator[G]]:
        number[group] = lowest[group] = len(number)
        waiting[group] = None
        return group, iter(nested[group])

    for root in nested:
        path = [enter(root)] if root not in number else []
        while path:
            group, ahead = path[-1]
            for other in ahead:
                if other not in number:
                    path.append(enter(other))
                    break
                if other in waiting:
                    lowest[group] = min(lowest[group], number[other])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[group])
                if lowest[group] == number[group]:
                    yield _popped(waiting, group)


def _popped(waiting: dict[G, None], last: G) -> list[G]:
    """Take groups from the top of the stack, down to one of them."""
    component: list[G] = []
    while last in waiting:
        component.append(waiting.popitem()[0])
    return component


def flatten(members: Mapping[G, AbstractSet[M]], nested: Mapping[G, Collection[G]]) -> dict[G, frozenset[M]]:
    """Return everybody in each group, those in nested groups included. Both mappings have every group as a key."""
    everybody: dict[G, frozenset[M]] = {}
    for component in components(nested):
        found: set[M] = set()
        for group in component:
            found |= members[group]
            for other in nested[group]:
                found |= everybody.get(other, frozenset())  # those of the component itself have none yet
        shared = frozenset(found)
        everybody.update(dict.fromkeys(component, shared))
    return everybody


def loop_through(start: G, nested: Mapping[G, Collection[G]]) -> list[G]:
    """Return a shortest way from a group back to itself, the group at both ends; empty where there is none."""
    came_from: dict[G, G] = {}
    ahead = deque([start])
    while ahead:
        group = ahead.popleft()
        for other in nested[group]:
            if other == start:
                way = [start, group]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if other not in came_from:
                came_from[other] = group
                ahead.append(other)
    return []
