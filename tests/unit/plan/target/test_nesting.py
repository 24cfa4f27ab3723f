"""Groups in groups: everybody in them, and where they go round in circles."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.plan.target.nesting import components, flatten, loop_through

GRAPHS = (
    st.integers(1, 9)
    .flatmap(lambda size: st.lists(st.sets(st.integers(0, size - 1)), min_size=size, max_size=size))
    .map(lambda lists: dict(enumerate(lists)))
)
"""Groups by number, each with the groups in it."""


def reached(start: int, nested: dict[int, set[int]]) -> set[int]:
    """Return all groups that one leads to, found by going from each to the next until nothing is new."""
    found: set[int] = set()
    while (more := found | set().union(*(nested[one] for one in {start, *found}))) != found:
        found = more
    return found


@settings(derandomize=True, deadline=None, max_examples=100)
@given(nested=GRAPHS)
def test_everybody_in_a_group_is_in_it_or_in_one_that_it_leads_to(nested: dict[int, set[int]]) -> None:
    members = {number: {f"m{number}", f"n{number % 3}"} for number in nested}
    expected = {number: members[number].union(*(members[one] for one in reached(number, nested))) for number in nested}
    assert flatten(members, nested) == expected


@settings(derandomize=True, deadline=None, max_examples=100)
@given(nested=GRAPHS)
def test_a_component_is_who_leads_to_each_other_and_comes_after_what_it_leads_to(nested: dict[int, set[int]]) -> None:
    seen: set[int] = set()
    for component in components(nested):
        for one in component:
            mutual = {one} | {other for other in reached(one, nested) if one in reached(other, nested)}
            assert set(component) == mutual
            assert reached(one, nested) <= seen | mutual
        assert len(component) == len(set(component))
        seen |= set(component)
    assert seen == set(nested)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(nested=GRAPHS)
def test_a_loop_is_a_way_back_and_there_is_one_for_whoever_leads_to_itself(nested: dict[int, set[int]]) -> None:
    for start in nested:
        way = loop_through(start, nested)
        assert bool(way) == (start in reached(start, nested))
        if way:
            assert way[0] == way[-1] == start
            assert all(after in nested[before] for before, after in pairwise(way))
            assert len(set(way)) == len(way) - 1


def test_a_chain_may_be_of_any_length() -> None:
    size = 20_000
    nested = {number: [number + 1] if number + 1 < size else [] for number in range(size)}
    members: dict[int, set[int]] = {number: {number} if number == size - 1 else set() for number in range(size)}
    assert flatten(members, nested)[0] == {size - 1}
    nested[size - 1] = [0]
    assert len(loop_through(0, nested)) == size + 1
    assert len(next(components(nested))) == size
