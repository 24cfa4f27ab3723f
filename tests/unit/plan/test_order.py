"""Order: what frees quota, then mailboxes, then enabling, then disabling."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ldap2mailcow.model import Cause, Change, FieldChange, Kind, Value, Why
from ldap2mailcow.plan import Options
from ldap2mailcow.plan.order import Step, lowers_quota, step_of

from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    NOW,
    existing,
    kinds,
    person,
    quiet,
    row,
    wanted,
)


def test_the_steps_of_a_run() -> None:
    plan = quiet(
        [],
        wants=[wanted(ANN, active=0, name="A"), wanted(BOB), wanted(CAT), wanted(DAN, quota=50), wanted(person(1))],
        has=[existing(ANN), existing(BOB, active=0), existing(CAT, tags=()), existing(DAN), existing(person(0))],
        rows=[
            row(ANN),
            row(BOB, disabled=Cause.MISSING),
            row(DAN),
            row(person(0), missed=5, missing_since=NOW - timedelta(days=1)),
        ],
        options=Options(force_removals=2),
    ).plan()
    assert kinds(plan.changes) == [
        (Kind.UPDATE, DAN),
        (Kind.UPDATE, ANN),
        (Kind.ADOPT, CAT),
        (Kind.CREATE, person(1)),
        (Kind.ENABLE, BOB),
        (Kind.DISABLE, ANN),
        (Kind.DISABLE, person(0)),
    ]


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (Kind.CREATE, Step.MAILBOXES),
        (Kind.ADOPT, Step.MAILBOXES),
        (Kind.UPDATE, Step.MAILBOXES),
        (Kind.REASSERT, Step.MAILBOXES),
        (Kind.ENABLE, Step.ENABLE),
        (Kind.DISABLE, Step.DISABLE),
    ],
)
def test_each_kind_has_its_step(kind: Kind, step: Step) -> None:
    assert step_of(Change(kind, ANN, Why.LDAP)) is step


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.ADOPT])
def test_what_lowers_a_quota_comes_before_all_else(kind: Kind) -> None:
    change = Change(kind, ANN, Why.LDAP, fields=(FieldChange("name", "A", "B"), FieldChange("quota", 100, 50)))
    assert step_of(change) is Step.FREE_QUOTA


@pytest.mark.parametrize(
    ("key", "before", "after", "frees"),
    [
        ("quota", 100, 50, True),
        ("quota", 100, 0, True),
        ("quota", 100, 100, False),
        ("quota", 0, 100, False),
        ("quota", None, 100, False),
        ("active", 1, 0, False),
    ],
)
def test_only_a_smaller_quota_frees_something(
    key: str,
    before: Value | None,
    after: Value,
    frees: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    """An unlimited mailbox counts as 0 in mailcow's sums, so becoming unlimited frees what it had."""
    assert lowers_quota(key, before, after) is frees
