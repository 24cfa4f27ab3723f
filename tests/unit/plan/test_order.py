"""Order: what frees quota, then mailboxes, then enabling, then other logins, then disabling, then deletions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ldap2mailcow.model import AliasChange, Cause, FieldChange, Kind, MailboxChange, Rule, Value
from ldap2mailcow.plan import Guarded, Options, make_plan
from ldap2mailcow.plan.order import Step, lowers_quota, step_of

from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    NOW,
    existing,
    kinds,
    make_config,
    person,
    quiet,
    row,
    wanted,
)
from .simulated import simulate


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
        options=Options(approved=dict.fromkeys(Guarded, 2)),
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
        (Kind.GRANT, Step.SENDERS),
        (Kind.SWITCH, Step.SWITCH),
        (Kind.DISABLE, Step.DISABLE),
        (Kind.DELETE, Step.DELETE),
    ],
)
def test_each_kind_has_its_step(kind: Kind, step: Step) -> None:
    assert step_of(MailboxChange(kind, ANN, Rule.LDAP)) is step


def test_another_login_comes_after_what_is_enabled_and_before_what_is_disabled() -> None:
    scene = quiet(
        [ANN, BOB],
        wants=[
            wanted(ANN, name="A", active=1, authsource="ldap", password=None),
            wanted(BOB, active=0, authsource="ldap", password=None),
        ],
        has=[existing(ANN, active=0), existing(BOB)],
        rows=[row(ANN, disabled=Cause.STATUS), row(BOB)],
        config=make_config(mapping={"authsource": "ldap", "password": ""}),
        actual={"provider": "ldap"},
        options=Options(approved=dict.fromkeys(Guarded, 3)),
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [
        (Kind.UPDATE, ANN),
        (Kind.ENABLE, ANN),
        (Kind.SWITCH, ANN),
        (Kind.SWITCH, BOB),
        (Kind.DISABLE, BOB),
    ]
    assert make_plan(simulate(plan, scene.case())).changes == ()


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.ADOPT])
def test_what_lowers_a_quota_comes_before_all_else(kind: Kind) -> None:
    change = MailboxChange(kind, ANN, Rule.LDAP, fields=(FieldChange("name", "A", "B"), FieldChange("quota", 100, 50)))
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


@pytest.mark.parametrize(
    ("kind", "is_first", "step"),
    [
        (Kind.CREATE, False, Step.ALIASES),
        (Kind.ADOPT, False, Step.ALIASES),
        (Kind.UPDATE, False, Step.ALIASES),
        (Kind.ENABLE, False, Step.ALIASES),
        (Kind.DISABLE, False, Step.ALIASES),
        (Kind.REMOVE, False, Step.REMOVE_ALIASES),
        (Kind.REMOVE, True, Step.FREE_ADDRESSES),
    ],
)
def test_each_kind_of_an_alias_has_its_step(kind: Kind, is_first: bool, step: Step) -> None:  # noqa: FBT001 - pytest gives it by name
    assert step_of(AliasChange(kind, ANN, Rule.LDAP, is_first=is_first)) is step


def test_aliases_come_after_the_mailboxes_they_go_to_and_before_those_are_disabled() -> None:
    assert Step.FREE_ADDRESSES < Step.FREE_QUOTA < Step.MAILBOXES < Step.ENABLE < Step.ALIASES
    assert Step.ALIASES < Step.REMOVE_ALIASES < Step.SENDERS < Step.SWITCH < Step.DISABLE < Step.DELETE
