"""Who is gone from the directory: the grace, the disabling, and what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ldap2mailcow.model import Address, Cause, Code, Kind, Origin, Remembered, Rule
from ldap2mailcow.plan import Guarded, Options, Pending

from .builders import (
    ANN,
    BOB,
    CAT,
    DISABLED_TAG,
    NOW,
    Scene,
    codes,
    dn_of,
    existing,
    kinds,
    make_config,
    make_plan,
    only,
    quiet,
    remembered,
    row,
    wanted,
)
from .simulated import simulate

HALF_AN_HOUR = timedelta(minutes=30)
LONG_AGO = NOW - timedelta(days=1)


def without_bob(bob: Remembered | None, **more: object) -> Scene:
    """A scene in which Ann and Cat are in the directory, and Bob isn't."""
    rows = [row(ANN), row(CAT), *([bob] if bob else [])]
    has = [existing(ANN), existing(BOB), existing(CAT)]
    return quiet([ANN, CAT], **{"rows": rows, "has": has, **more})


def missed(times: int, since: datetime) -> Remembered:
    return row(BOB, missed=times, missing_since=since)


def test_the_first_miss_is_counted_and_pending() -> None:
    plan = without_bob(row(BOB)).plan()
    assert plan.changes == ()
    assert plan.pending == (Pending(BOB, dn_of(BOB), NOW + HALF_AN_HOUR, 1),)
    assert remembered(plan, BOB)["missed"] == 1
    assert remembered(plan, BOB)["missing_since"] == NOW


def test_a_further_miss_keeps_the_time_of_the_first() -> None:
    since = NOW - timedelta(minutes=10)
    plan = without_bob(missed(1, since)).plan()
    assert plan.pending == (Pending(BOB, dn_of(BOB), since + HALF_AN_HOUR, 0),)
    assert remembered(plan, BOB)["missed"] == 2
    assert remembered(plan, BOB)["missing_since"] == since


@pytest.mark.parametrize(
    ("times", "since", "disabled"),
    [
        pytest.param(1, NOW - HALF_AN_HOUR, True, id="both are just over"),
        pytest.param(1, NOW - HALF_AN_HOUR + timedelta(seconds=1), False, id="a second too early"),
        pytest.param(50, NOW - timedelta(minutes=5), False, id="many runs in a short time"),
        pytest.param(0, LONG_AGO, False, id="one run only"),
    ],
)
def test_the_grace_is_over_after_enough_runs_and_enough_time(
    times: int,
    since: datetime,
    disabled: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan = without_bob(missed(times, since)).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)] * disabled
    assert len(plan.pending) == (not disabled)


def test_the_grace_is_the_config_s() -> None:
    config = make_config(removed_users={"missing_runs": 4, "missing_for": "2h"})
    pending = without_bob(missed(1, NOW - timedelta(hours=1)), config=config).plan().pending
    assert pending == (Pending(BOB, dn_of(BOB), NOW + timedelta(hours=1), 2),)


def test_without_any_grace_the_first_miss_disables() -> None:
    config = make_config(removed_users={"missing_runs": 1, "missing_for": "0s"})
    assert kinds(without_bob(row(BOB), config=config).plan().changes) == [(Kind.DISABLE, BOB)]


def test_a_disabled_mailbox_says_so_in_mailcow_and_in_the_state_file() -> None:
    plan = without_bob(missed(5, LONG_AGO)).plan()
    change = only(plan.changes)
    assert change.why is Rule.MISSING
    assert change.writes == {"active": 0}
    assert change.add_tags == (DISABLED_TAG,)
    assert remembered(plan, BOB)["disabled"] is Cause.MISSING
    assert change.rebuilds == 1


def test_the_disabled_tag_is_not_added_twice() -> None:
    has = [existing(ANN), existing(BOB, tags=["ldap-sync", DISABLED_TAG]), existing(CAT)]
    assert only(without_bob(missed(5, LONG_AGO), has=has).plan().changes).add_tags == ()


def test_a_mailbox_that_is_barred_from_logging_in_still_receives_and_is_disabled() -> None:
    has = [existing(ANN), existing(BOB, active=2), existing(CAT)]
    change = only(without_bob(missed(5, LONG_AGO), has=has).plan().changes)
    assert change.fields[0].before == 2


def test_an_inactive_mailbox_of_somebody_missing_is_left_as_it_is() -> None:
    """Nothing says that its state is our doing, so that nobody's return activates it."""
    plan = without_bob(missed(5, LONG_AGO), has=[existing(ANN), existing(BOB, active=0), existing(CAT)]).plan()
    assert (plan.changes, plan.pending) == ((), ())
    assert "disabled" not in remembered(plan, BOB)


def test_keep_removes_nobody_and_promises_nothing() -> None:
    config = make_config(removed_users={"action": "keep"})
    plan = without_bob(missed(5, LONG_AGO), config=config).plan()
    assert (plan.changes, plan.pending) == ((), ())
    assert remembered(plan, BOB)["missed"] == 6


def test_a_protected_mailbox_is_not_missed() -> None:
    plan = without_bob(missed(5, LONG_AGO), config=make_config(protected=[BOB])).plan()
    assert (plan.changes, plan.pending, plan.notes) == ((), (), ())


def test_what_is_not_ours_is_not_missed_but_counted() -> None:
    plan = without_bob(None, has=[existing(ANN), existing(BOB, tags=["staff"]), existing(CAT)]).plan()
    assert (plan.changes, plan.pending, plan.notes) == ((), (), ())
    assert plan.unmanaged == (BOB,)
    assert plan.managed == 2


def test_the_mark_alone_makes_a_mailbox_ours_and_gets_a_row_at_the_first_miss() -> None:
    plan = without_bob(None).plan()
    assert plan.pending == (Pending(BOB, "", NOW + HALF_AN_HOUR, 1),)
    patch = remembered(plan, BOB)
    assert (patch["origin"], patch["id"], patch["dn"], patch["source"]) == (Origin.MARK, None, "", "default")


def test_a_row_alone_makes_a_mailbox_ours() -> None:
    has = [existing(ANN), existing(BOB, tags=()), existing(CAT)]
    assert kinds(without_bob(missed(5, LONG_AGO), has=has).plan().changes) == [(Kind.DISABLE, BOB)]


def test_another_mark_is_somebody_else_s() -> None:
    config = make_config(mark="branch-sync")
    assert without_bob(None, config=config).plan().pending == ()


def test_an_entry_that_is_there_but_unreadable_is_not_missing() -> None:
    plan = without_bob(missed(5, LONG_AGO), desired={"ids": frozenset({"id-ann", "id-bob", "id-cat"})}).plan()
    assert (plan.changes, plan.pending) == ((), ())


@pytest.mark.parametrize(
    "there",
    [
        pytest.param({"addresses": frozenset({ANN, BOB, CAT})}, id="by its address"),
        pytest.param({"dns": frozenset({dn_of(ANN), dn_of(BOB)})}, id="by its DN"),
    ],
)
def test_a_row_without_an_id_is_there_by_address_or_dn(there: dict[str, object]) -> None:
    bob = replace(missed(5, LONG_AGO), id=None, dn=dn_of(BOB).upper())
    assert without_bob(bob, desired=there).plan().changes == ()
    assert kinds(without_bob(bob).plan().changes) == [(Kind.DISABLE, BOB)]


def test_the_address_of_a_row_with_an_id_says_nothing() -> None:
    """Another entry that carries the address too is not the person who had the mailbox."""
    plan = without_bob(missed(5, LONG_AGO), desired={"addresses": frozenset({ANN, BOB, CAT})}).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)]


def test_a_mailbox_that_mailcow_refuses_to_edit_is_told_and_not_tried() -> None:
    plan = without_bob(missed(5, LONG_AGO), limits={"max_quota": 250, "max_mailbox_quota": 200}).plan()
    assert plan.changes == ()
    assert codes(plan) == [Code.NO_ROOM_FOR_QUOTA]
    assert plan.findings[0].where == dn_of(BOB)


def test_a_mailbox_without_a_dn_that_can_t_be_edited_is_told_by_its_address() -> None:
    bob = replace(missed(5, LONG_AGO), id=None, dn="")
    assert without_bob(bob, limits={"max_mailbox_quota": 50}).plan().findings[0].where == BOB


def test_a_first_search_stays_doubtful_though_mailcow_would_refuse_the_removal() -> None:
    plan = without_bob(missed(5, LONG_AGO), limits={"max_mailbox_quota": 50}, sources={}).plan()
    assert kinds(plan.withheld[0].addresses) == [(Kind.DISABLE, BOB)]
    assert plan.source.accepted is None


def test_a_quota_that_is_lowered_before_lets_a_removal_fit() -> None:
    scene = without_bob(
        missed(5, LONG_AGO),
        wants=[wanted(ANN, quota=40), wanted(CAT)],
        limits={"max_quota": 250},
    )
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, ANN), (Kind.DISABLE, BOB)]
    simulate(scene.plan(), scene.case())


def test_whoever_is_back_within_the_grace_is_as_if_never_gone() -> None:
    scene = quiet([ANN, BOB], rows=[row(ANN), missed(1, LONG_AGO)])
    view = simulate(scene.plan(), scene.case())
    assert view.memory.mailboxes[BOB] == row(BOB)


def test_whoever_is_back_after_the_grace_is_enabled() -> None:
    scene = without_bob(missed(5, LONG_AGO))
    gone = simulate(scene.plan(), scene.case())
    assert gone.actual.mailboxes[BOB].attributes["active"] == 0
    desired = quiet([ANN, BOB, CAT]).case().desired
    plan = make_plan(replace(gone, desired=desired))
    change = only(plan.changes)
    assert (change.kind, change.why, change.remove_tags) == (Kind.ENABLE, Rule.BACK, (DISABLED_TAG,))
    back = simulate(plan, replace(gone, desired=desired))
    assert back.actual.mailboxes[BOB] == existing(BOB)
    assert back.memory.mailboxes[BOB] == row(BOB)


def test_a_row_without_mailbox_and_entry_is_forgotten() -> None:
    plan = quiet([ANN], rows=[row(ANN), row(BOB)]).plan()
    assert [(note.address, note.remember) for note in plan.notes] == [(BOB, None)]


def test_a_row_without_mailbox_whose_entry_is_there_stays() -> None:
    plan = quiet([ANN], rows=[row(ANN), row(BOB)], desired={"ids": frozenset({"id-ann", "id-bob"})}).plan()
    assert plan.notes == ()


def test_a_row_of_a_domain_that_was_not_read_stays() -> None:
    assert quiet([ANN], rows=[row(ANN), row(Address("bob@elsewhere.org"))]).plan().notes == ()


def test_removals_are_in_address_order() -> None:
    scene = Scene(
        wants=[wanted(BOB)],
        has=[existing(CAT), existing(BOB), existing(ANN)],
        rows=[row(address, missed=5, missing_since=LONG_AGO) for address in (CAT, ANN)],
        options=Options(approved=dict.fromkeys(Guarded, 2)),
    )
    assert [change.address for change in scene.plan().changes if change.kind is Kind.DISABLE] == [ANN, CAT]
