"""When a list of mailboxes is believed to be whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldap2mailcow.mailcow.read import adds_up


@pytest.mark.parametrize(
    ("rows", "nulls"),
    [
        ({"a.org": 2, "b.org": 1}, 0),
        ({"a.org": 1, "b.org": 1}, 1),  # half-deleted ones are counted
        ({"b.org": 1}, 2),
    ],
)
def test_whole(rows: dict[str, int], nulls: int) -> None:
    assert adds_up({"a.org": 2, "b.org": 1, "empty.org": 0}, rows, nulls)


@pytest.mark.parametrize(
    ("rows", "nulls"),
    [
        ({"a.org": 1, "b.org": 1}, 0),
        ({"a.org": 3, "b.org": 1}, 0),
        ({"a.org": 1, "b.org": 2}, 0),  # one too few and one too many don't make up for each other
        ({"a.org": 1, "b.org": 1}, 2),
        ({"a.org": 2, "b.org": 1}, 1),  # one that half exists, and isn't counted: made meanwhile
        ({}, 1),
    ],
)
def test_not_whole(rows: dict[str, int], nulls: int) -> None:
    assert not adds_up({"a.org": 2, "b.org": 1, "empty.org": 0}, rows, nulls)


def test_no_domain_is_whole() -> None:
    assert adds_up({}, {}, 0)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(1, 5), min_size=1), st.data())
def test_a_lost_row_is_noticed(counts: dict[str, int], data: st.DataObject) -> None:
    poorer = data.draw(st.sampled_from(sorted(counts)))
    assert adds_up(counts, counts, 0)
    assert not adds_up(counts, {**counts, poorer: counts[poorer] - 1}, 0)
