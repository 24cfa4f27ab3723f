"""Guards: how many mailboxes one run may take out of service."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ldap2mailcow.model import Kind
from ldap2mailcow.plan import Guarded, Options, Reason

from .builders import (
    ANN,
    CUT_SHORT,
    NOW,
    Scene,
    existing,
    kinds,
    make_config,
    people,
    quiet,
    row,
    wanted,
)

LONG_AGO = NOW - timedelta(days=1)


def scene(total: int, gone: int, *, by_status: int = 0, **more: object) -> Scene:
    """A scene of many mailboxes: some are missing for long, some of the others are inactive in the directory."""
    everybody = people(total)
    inactive = everybody[gone : gone + by_status]
    return quiet(
        everybody,
        wants=[wanted(address, active=int(address not in inactive)) for address in everybody[gone:]],
        rows=[
            row(address, missed=9, missing_since=LONG_AGO) if number < gone else row(address)
            for number, address in enumerate(everybody)
        ],
        **more,
    )


@pytest.mark.parametrize(
    ("total", "allowed"),
    [
        pytest.param(1, 1, id="at least one"),
        pytest.param(3, 1, id="never more than half"),
        pytest.param(8, 4, id="half is less than five"),
        pytest.param(20, 5, id="five is more than ten percent"),
        pytest.param(80, 8, id="ten percent is more than five"),
    ],
)
def test_the_limit_is_the_larger_of_both_but_at_most_half_and_at_least_one(total: int, allowed: int) -> None:
    assert len(scene(total, allowed).plan().changes) == allowed

    more = scene(total + (total == 1), allowed + 1).plan()
    assert more.changes == ()
    assert more.withheld[0].reason is Reason.OVER_LIMIT
    assert more.withheld[0].limit == allowed
    assert len(more.withheld[0].addresses) == allowed + 1


def test_the_limit_is_the_config_s() -> None:
    config = make_config(limits={"removals": "2"})
    assert len(scene(20, 2, config=config).plan().changes) == 2
    assert scene(20, 3, config=config).plan().changes == ()


def test_missing_and_status_count_together() -> None:
    assert len(scene(20, 3, by_status=2).plan().changes) == 5

    plan = scene(20, 3, by_status=3).plan()
    assert kinds(plan.changes) == []
    assert len(plan.withheld[0].addresses) == 6


def test_a_refusal_carries_the_numbers_and_the_word_that_lifts_it() -> None:
    withheld = scene(20, 6).plan().withheld[0]
    assert (withheld.managed, withheld.limit) == (20, 5)
    assert withheld.sentence == (
        "6 of 20 managed mailboxes would be disabled, and limits.removals lets 5 through; "
        "if that is meant, run once with --force-removals 6"
    )


@pytest.mark.parametrize(("force", "through"), [(5, 0), (6, 6), (7, 6)])
def test_force_lets_as_many_through_as_it_says(force: int, through: int) -> None:
    plan = scene(20, 6, options=Options(force_removals=force)).plan()
    assert len(plan.changes) == through
    assert bool(plan.withheld) is (through == 0)


def test_a_force_for_fewer_takes_nothing_from_the_limit() -> None:
    assert len(scene(20, 4, options=Options(approved=dict.fromkeys(Guarded, 0))).plan().changes) == 4


def test_force_skips_no_grace() -> None:
    plan = quiet(
        [], wants=[], has=[existing(ANN)], rows=[row(ANN)], options=Options(approved=dict.fromkeys(Guarded, 9))
    ).plan()
    assert (plan.changes, len(plan.pending)) == ((), 1)


def test_mailboxes_that_are_adopted_count_as_managed() -> None:
    """On a first run nothing is ours yet, and people who are inactive are nothing out of the ordinary."""
    everybody = people(20)
    plan = quiet(
        everybody,
        wants=[wanted(address, active=int(number >= 5)) for number, address in enumerate(everybody)],
        has=[existing(address, tags=()) for address in everybody],
        rows=[],
        sources={},
    ).plan()
    assert plan.withheld == ()
    assert [change.kind for change in plan.changes] == [Kind.ADOPT] * 20 + [Kind.DISABLE] * 5


def moving(number: int, *, asleep: int = 0, **more: object) -> Scene:
    """A scene in which many people shall log in through the directory, and some others are inactive."""
    everybody = people(20)
    return quiet(
        everybody,
        wants=[
            wanted(address, authsource="ldap", password=None, active=int(place >= asleep))
            for place, address in enumerate(everybody)
        ],
        has=[
            existing(address, authsource="mailcow" if asleep <= place < asleep + number else "ldap")
            for place, address in enumerate(everybody)
        ],
        config=make_config(mapping={"authsource": "ldap", "password": ""}),
        actual={"provider": "ldap"},
        **more,
    )


def test_another_login_is_counted_and_withheld_like_a_disabling() -> None:
    assert [change.kind for change in moving(5).plan().changes] == [Kind.SWITCH] * 5
    plan = moving(6).plan()
    assert plan.changes == ()
    assert plan.withheld[0].reason is Reason.OVER_LIMIT
    assert plan.withheld[0].sentence == (
        "6 of 20 managed mailboxes would get another login, and limits.removals lets 5 through; "
        "if that is meant, run once with --force-removals 6"
    )
    assert len(moving(6, options=Options(approved=dict.fromkeys(Guarded, 6))).plan().changes) == 6


def test_another_login_and_a_disabling_count_together() -> None:
    assert len(moving(3, asleep=2).plan().changes) == 5
    withheld = moving(3, asleep=3).plan().withheld[0]
    assert [change.kind for change in withheld.addresses] == [Kind.SWITCH] * 3 + [Kind.DISABLE] * 3
    assert "6 of 20 managed mailboxes would be disabled or get another login, and" in withheld.sentence


def test_a_doubtful_answer_gives_nobody_another_login() -> None:
    plan = moving(1, doubts=(CUT_SHORT,), options=Options(approved=dict.fromkeys(Guarded, 9))).plan()
    assert (plan.changes, plan.withheld[0].reason) == ((), Reason.NOT_WHOLE)


def test_what_is_pending_is_not_counted() -> None:
    everybody = people(20)
    rows = [
        row(address, missed=9, missing_since=LONG_AGO if number < 5 else NOW)
        for number, address in enumerate(everybody)
    ]
    plan = quiet(everybody, wants=[wanted(address) for address in everybody[10:]], rows=rows).plan()
    assert (len(plan.changes), len(plan.pending), plan.withheld) == (5, 5, ())


def test_the_limit_is_a_part_of_the_active_mailboxes_that_are_ours() -> None:
    everybody = people(20)
    has = [
        existing(address, active=int(number < 8), tags=("ldap-sync",) if number < 12 else ())
        for number, address in enumerate(everybody)
    ]
    rows = [row(address, missed=9, missing_since=LONG_AGO) for address in everybody[:5]]
    plan = quiet(everybody, wants=[], has=has, rows=rows).plan()
    assert plan.withheld[0].managed == 8
    assert plan.withheld[0].limit == 4
    assert plan.managed == 12


def test_all_removals_are_withheld_or_none_and_all_else_goes_on() -> None:
    base = scene(20, 6)
    wants = [*base.wants, wanted(ANN)]
    plan = scene(20, 6).plan()
    assert plan.changes == ()
    plan = quiet([], wants=wants, has=base.has, rows=base.rows).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN)]
    assert len(plan.withheld) == 1


def test_an_enabled_mailbox_is_no_removal() -> None:
    everybody = people(20)
    plan = quiet(
        everybody,
        has=[existing(address, active=0, tags=("ldap-sync", "ldap-sync:disabled")) for address in everybody],
    ).plan()
    assert len(plan.changes) == 20
    assert plan.withheld == ()
