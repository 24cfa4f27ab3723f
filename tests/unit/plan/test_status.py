"""Active or not: 0 becomes 1 only where we set the 0."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.model import Cause, Code, FieldChange, Kind, Rule

from .builders import (
    ANN,
    DISABLED_TAG,
    MARK,
    codes,
    existing,
    kinds,
    make_config,
    make_plan,
    of_mailboxes,
    only,
    patch_of,
    quiet,
    remembered,
    row,
    wanted,
)
from .simulated import simulate


def test_an_inactive_entry_disables_its_mailbox() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)]).plan()
    change = only(plan.changes)
    assert (change.kind, change.why, change.writes) == (Kind.DISABLE, Rule.STATUS, {"active": 0})
    assert change.add_tags == (DISABLED_TAG,)
    assert patch_of(change)["disabled"] is Cause.STATUS


def test_attributes_and_status_are_two_changes_in_two_steps() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0, name="A")]).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.DISABLE, ANN)]
    assert of_mailboxes(plan.changes)[0].writes == {"name": "A"}


def test_an_inactive_entry_of_an_inactive_mailbox_has_what_it_wants() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)], has=[existing(ANN, active=0)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])
    assert "disabled" not in remembered(plan, ANN)


@pytest.mark.parametrize("ours", ["state file", "tag"])
def test_an_active_entry_enables_what_we_disabled(ours: str) -> None:
    tags = (MARK, DISABLED_TAG) if ours == "tag" else (MARK,)
    cause = Cause.STATUS if ours == "state file" else None
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=1)],
        has=[existing(ANN, active=0, tags=tags)],
        rows=[row(ANN, disabled=cause)],
    )
    change = only(scene.plan().changes)
    assert (change.kind, change.why, change.writes) == (Kind.ENABLE, Rule.STATUS_BACK, {"active": 1})
    assert patch_of(change)["disabled"] is None
    assert change.rebuilds == 0
    view = simulate(scene.plan(), scene.case())
    assert view.actual.mailboxes[ANN].tags == {MARK}
    assert make_plan(view).changes == ()


def test_an_entry_that_is_back_enables_what_we_disabled_also_without_a_status() -> None:
    plan = quiet([ANN], has=[existing(ANN, active=0)], rows=[row(ANN, disabled=Cause.MISSING)]).plan()
    assert only(plan.changes).why is Rule.BACK


@pytest.mark.parametrize(("mapping", "told"), [({"active": "mailActive"}, "mailActive"), ({}, "status")])
def test_a_status_that_vanished_is_not_an_active_one(mapping: dict[str, str], told: str) -> None:
    """A lost right to read the attribute would let everybody log in again whom the directory had locked."""
    scene = quiet(
        [ANN],
        has=[existing(ANN, active=0)],
        rows=[row(ANN, disabled=Cause.STATUS)],
        config=make_config(mapping=mapping),
    )
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.STATUS_UNTOLD])
    assert f"shows no {told} now" in plan.findings[0].sentence
    again = make_plan(simulate(plan, scene.case()))
    assert (again.changes, codes(again)) == ((), [Code.STATUS_UNTOLD])


@pytest.mark.parametrize(("active", "told"), [(0, "set inactive"), (2, "barred from logging in")])
def test_what_somebody_disabled_by_hand_stays_so_and_is_told(active: int, told: str) -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=1)], has=[existing(ANN, active=active)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DISABLED_BY_HAND])
    assert told in plan.findings[0].sentence


@pytest.mark.parametrize("active", [0, 2])
def test_a_status_that_is_not_managed_is_nobody_s_business(active: int) -> None:
    plan = quiet([ANN], has=[existing(ANN, active=active)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_an_inactive_entry_disables_also_who_was_only_barred_from_logging_in() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)], has=[existing(ANN, active=2)]).plan()
    assert only(plan.changes).fields == (FieldChange("active", 2, 0),)


@pytest.mark.parametrize(("before", "rebuilds"), [(1, 0), (2, 1)])
def test_what_was_barred_from_logging_in_by_hand_is_barred_again_once_it_is_active(before: int, rebuilds: int) -> None:
    scene = quiet([ANN], wants=[wanted(ANN, active=0)], has=[existing(ANN, active=before)])
    plan = scene.plan()
    assert patch_of(only(plan.changes))["was_active"] == before
    disabled = simulate(plan, scene.case())
    back = make_plan(replace(disabled, desired=quiet([ANN], wants=[wanted(ANN, active=1)]).case().desired))
    change = only(back.changes)
    assert (change.kind, change.writes, change.rebuilds) == (Kind.ENABLE, {"active": before}, rebuilds)
    assert change.fields == (FieldChange("active", 0, before),)
    assert change.remove_tags == (DISABLED_TAG,)
    assert simulate(back, disabled).actual.mailboxes[ANN] == existing(ANN, active=before)


def test_an_entry_that_is_back_and_inactive_is_inactive_for_its_status_from_now_on() -> None:
    """Else it would be activated as back as soon as its status isn't told any more."""
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=0)],
        has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.MISSING)],
        config=make_config(mapping={"active": "mailActive"}),
    )
    plan = scene.plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["disabled"] is Cause.STATUS
    untold = replace(simulate(plan, scene.case()), desired=quiet([ANN]).case().desired)
    assert (make_plan(untold).changes, codes(make_plan(untold))) == ((), [Code.STATUS_UNTOLD])


@pytest.mark.parametrize("active", [1, None])
def test_what_somebody_activated_by_hand_loses_the_tag_and_the_memory_of_our_doing(active: int | None) -> None:
    """Left there, they would claim the next inactive state, which may be a person's, too."""
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=active)],
        has=[existing(ANN, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.MISSING)],
    )
    change = only(scene.plan().changes)
    assert (change.kind, change.why, change.remove_tags) == (Kind.UPDATE, Rule.MAILCOW, (DISABLED_TAG,))
    assert patch_of(change)["disabled"] is None
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


def test_the_memory_of_our_doing_goes_without_a_tag_too() -> None:
    plan = quiet([ANN], rows=[row(ANN, disabled=Cause.MISSING)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["disabled"] is None


def test_a_stale_tag_can_be_removed_though_edits_are_refused() -> None:
    plan = quiet([ANN], has=[existing(ANN, tags=(MARK, DISABLED_TAG))], limits={"max_quota": 50}).plan()
    assert only(plan.changes).remove_tags == (DISABLED_TAG,)


def test_a_lost_state_file_leaves_whose_status_is_no_longer_told_inactive() -> None:
    """Only the tag is left: it may have been the status, and a lost right to read it mustn't let everybody in."""
    scene = quiet(
        [ANN],
        has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))],
        rows=[],
        config=make_config(mapping={"active": "mailActive"}),
    )
    plan = scene.plan()
    assert Kind.ENABLE not in {change.kind for change in plan.changes}
    assert codes(plan) == [Code.STATUS_UNTOLD]
    again = make_plan(simulate(plan, scene.case()))
    assert (again.changes, codes(again)) == ((), [Code.STATUS_UNTOLD])


def test_a_tag_beside_a_row_without_a_cause_leaves_who_is_untold_inactive_too() -> None:
    plan = quiet(
        [ANN],
        has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))],
        config=make_config(mapping={"active": "mailActive"}),
    ).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.STATUS_UNTOLD])


def test_who_is_back_is_enabled_though_a_status_is_mapped_and_untold() -> None:
    """Being gone was the only cause."""
    plan = quiet(
        [ANN],
        has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.MISSING)],
        config=make_config(mapping={"active": "mailActive"}),
    ).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.ENABLE, ANN)], [])


def test_a_lost_state_file_enables_who_is_back_where_no_status_is_mapped() -> None:
    scene = quiet([ANN], has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))], rows=[])
    assert Kind.ENABLE in {change.kind for change in scene.plan().changes}


def test_who_was_barred_from_logging_in_by_hand_is_no_longer_our_doing() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=1)],
        has=[existing(ANN, active=2, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.STATUS)],
    )
    change = only(scene.plan().changes)
    assert (change.remove_tags, patch_of(change)["disabled"]) == ((DISABLED_TAG,), None)
    assert codes(scene.plan()) == [Code.DISABLED_BY_HAND]


def test_what_was_activated_by_hand_against_the_directory_is_disabled_again() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=0)],
        has=[existing(ANN, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.STATUS)],
    )
    assert kinds(scene.plan().changes) == [(Kind.DISABLE, ANN)]
    assert only(scene.plan().changes).add_tags == ()
