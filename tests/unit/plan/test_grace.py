"""How long an entry has been gone: what lies between two looks counts as far as it is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.config import Removal
from ldap2mailcow.plan.grace import BELIEVED, Absence, absence

from .builders import ANN, NOW, alias_row, row, wish

POLICY = Removal()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CENTURY = timedelta(days=36_525)


def gone(now: datetime = NOW, **columns: object) -> Absence:
    return absence(row(ANN, **columns), POLICY, now)


def test_a_first_miss_begins_now() -> None:
    found = gone()
    assert (found.since, found.missed, found.shift) == (NOW, 1, timedelta())
    assert (found.due, found.answers, found.is_over) == (NOW + POLICY.missing_for, 1, False)
    assert found.patch == {"missing_since": NOW, "missed": 1, "last_missed": NOW}


@pytest.mark.parametrize(
    ("last", "counted"),
    [
        pytest.param(HOUR, HOUR, id="cron as usual"),
        pytest.param(7 * DAY, 7 * DAY, id="a weekly cron job"),
        pytest.param(BELIEVED, BELIEVED, id="just believed"),
        pytest.param(BELIEVED + HOUR, BELIEVED, id="cron stood still"),
        pytest.param(3_650 * DAY, BELIEVED, id="the clock jumped ten years ahead"),
        pytest.param(timedelta(), timedelta(), id="twice in a second"),
        pytest.param(-HOUR, timedelta(), id="the clock was set back"),
        pytest.param(-3_650 * DAY, timedelta(), id="far back"),
    ],
)
def test_what_lies_between_two_looks_counts_as_far_as_it_is_believed(last: timedelta, counted: timedelta) -> None:
    found = gone(missed=3, missing_since=NOW - last - 2 * DAY, last_missed=NOW - last)
    assert NOW - found.since == 2 * DAY + counted
    assert found.shift == last - counted


@pytest.mark.parametrize(("since", "counted"), [(HOUR, HOUR), (3_650 * DAY, BELIEVED), (-3_650 * DAY, timedelta())])
def test_a_row_that_does_not_say_when_it_was_last_missed_counts_from_the_first_miss(
    since: timedelta, counted: timedelta
) -> None:
    assert NOW - gone(missed=1, missing_since=NOW - since).since == counted


def test_an_alias_counts_as_a_mailbox_does() -> None:
    columns: dict[str, Any] = {"missed": 3, "missing_since": NOW - 30 * DAY, "last_missed": NOW - 20 * DAY}
    assert absence(alias_row(wish(ANN, ANN), **columns), POLICY, NOW) == gone(**columns)


moments = st.lists(
    st.one_of(st.timedeltas(timedelta(), 20 * DAY), st.timedeltas(-CENTURY, CENTURY)), min_size=1, max_size=12
)


@given(moments)
@settings(max_examples=25)
def test_no_clock_makes_an_absence_longer_than_we_looked_nor_shorter_than_it_was(steps: list[timedelta]) -> None:
    known, now, age = row(ANN), NOW, timedelta()
    for number, step in enumerate(steps):
        now += step
        found = absence(known, POLICY, now)
        grown = (now - found.since) - age
        assert timedelta() <= grown <= BELIEVED
        assert grown == (0 * DAY if number == 0 else max(min(step, BELIEVED), timedelta()))
        known = replace(known, missing_since=found.since, missed=found.missed, last_missed=now)
        age += grown


@given(moments)
@settings(max_examples=25)
def test_a_clock_that_was_ever_wrong_blocks_nobody_for_ever(steps: list[timedelta]) -> None:
    """From wherever it stands, half an hour and two looks end the grace."""
    known, now = row(ANN), NOW
    for step in [*steps, POLICY.missing_for, POLICY.missing_for]:
        now += step
        found = absence(known, POLICY, now)
        known = replace(known, missing_since=found.since, missed=found.missed, last_missed=now)
    assert found.is_over
