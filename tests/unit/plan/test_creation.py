"""New mailboxes: made whole, or told why not."""

from __future__ import annotations

import pytest

from ldap2mailcow.model import Cause, Code, FieldChange, Kind, Origin, Rule

from .builders import (
    ANN,
    BOB,
    CAT,
    DISABLED_TAG,
    MARK,
    Scene,
    alias,
    codes,
    dn_of,
    id_of,
    kinds,
    make_config,
    make_plan,
    only,
    patch_of,
    quiet,
    row,
    seal,
    wanted,
)
from .simulated import simulate


def test_a_new_entry_gets_a_mailbox() -> None:
    change = only(Scene(wants=[wanted(ANN, quota=500, tls_enforce_in=1)]).plan().changes)
    assert (change.kind, change.address, change.why, change.dn) == (Kind.CREATE, ANN, Rule.NEW, dn_of(ANN))
    assert change.writes == {"authsource": "mailcow", "name": "Ann", "quota": 500, "tls_enforce_in": 1, "active": 1}
    assert change.add_tags == (MARK,)
    assert change.rebuilds == 0
    assert FieldChange("quota", None, 500) in change.fields


def test_a_new_mailbox_without_a_quota_gets_the_domain_s_default() -> None:
    """add/mailbox itself would take 0, which is unlimited."""
    assert only(Scene(wants=[wanted(ANN)]).plan().changes).writes["quota"] == 300


def test_what_was_filled_in_at_creation_is_not_managed() -> None:
    patch = patch_of(only(Scene(wants=[wanted(ANN)]).plan().changes))
    assert patch["applied"] == {"name": "Ann"}


def test_a_new_mailbox_is_remembered_whole() -> None:
    mailbox = wanted(ANN)
    assert mailbox.password
    assert only(Scene(wants=[mailbox]).plan().changes).remember == {
        "source": "default",
        "id": id_of(ANN),
        "dn": dn_of(ANN),
        "origin": Origin.CREATED,
        "applied": mailbox.attributes,
        "digest": seal(mailbox.password),
        "passwd_update": None,
        "kept": False,
        "was_active": 1,
        "barred": 0,
        "disabled": None,
        "senders": frozenset(),
        "foreign_senders": frozenset(),
        "senders_checked": None,
        "missing_since": None,
        "missed": 0,
        "last_missed": None,
        "retired_since": None,
        "present": mailbox.present,
    }


def test_a_new_mailbox_of_an_inactive_entry_is_made_inactive_by_us() -> None:
    change = only(Scene(wants=[wanted(ANN, active=0)]).plan().changes)
    assert change.writes["active"] == 0
    assert change.add_tags == (MARK, DISABLED_TAG)
    assert patch_of(change)["disabled"] is Cause.STATUS
    assert change.rebuilds == 1


def test_a_mailbox_that_somebody_deleted_in_mailcow_is_made_again() -> None:
    """Nothing is left of what was kept in the old one, or of what it was set to by hand."""
    scene = quiet([ANN], has=[], rows=[row(ANN, disabled=Cause.MISSING, missed=2, kept=True, was_active=2)])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN)]
    made = simulate(plan, scene.case()).memory.mailboxes[ANN]
    assert (made.disabled, made.kept, made.was_active) == (None, False, 1)


def test_an_alias_in_the_way_is_told_and_nothing_is_made() -> None:
    plan = Scene(wants=[wanted(ANN), wanted(BOB)], aliases=[alias(ANN, BOB, mark="")]).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, BOB)]
    assert codes(plan) == [Code.ADDRESS_IS_ALIAS]


# the room of a domain


@pytest.mark.parametrize(
    ("limits", "code", "told"),
    [
        ({"mailboxes": 5, "max_mailboxes": 5}, Code.NO_ROOM_FOR_MAILBOX, "all of its 5 mailboxes"),
        ({"mailboxes": 5, "max_mailboxes": 5, "max_quota": 0}, Code.NO_ROOM_FOR_MAILBOX, "mailboxes"),
        ({"used_quota": 600, "max_quota": 1000}, Code.NO_ROOM_FOR_QUOTA, "400 MiB of its 1000 MiB left"),
    ],
)
def test_a_mailbox_that_does_not_fit_is_told_and_not_made(limits: dict[str, int], code: Code, told: str) -> None:
    plan = Scene(wants=[wanted(ANN, quota=500)], limits=limits).plan()
    assert plan.changes == ()
    assert codes(plan) == [code]
    assert told in plan.findings[0].sentence


def test_a_quota_over_the_limit_of_one_mailbox_is_left_out() -> None:
    plan = Scene(wants=[wanted(ANN, quota=5000)], limits={"max_mailbox_quota": 4000}).plan()
    assert only(plan.changes).writes["quota"] == 300
    assert codes(plan) == [Code.QUOTA_OVER_LIMIT]


def test_a_quota_that_was_left_out_is_told_on_each_run_and_never_tried() -> None:
    scene = Scene(wants=[wanted(ANN, quota=5000)], limits={"max_mailbox_quota": 4000})
    again = make_plan(simulate(scene.plan(), scene.case()))
    assert (again.changes, codes(again)) == ((), [Code.QUOTA_OVER_LIMIT])


def test_a_mailbox_that_does_not_fit_leaves_room_for_a_smaller_one() -> None:
    plan = Scene(wants=[wanted(ANN, quota=400), wanted(BOB, quota=200)], limits={"max_quota": 300}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, BOB)]


def test_places_are_counted_down() -> None:
    plan = Scene(wants=[wanted(ANN), wanted(BOB), wanted(CAT)], limits={"max_mailboxes": 2}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB)]
    assert codes(plan) == [Code.NO_ROOM_FOR_MAILBOX]


def test_a_new_mailbox_of_a_provider_needs_no_password() -> None:
    scene = Scene(
        wants=[wanted(ANN, authsource="ldap", password=None)],
        config=make_config(mapping={"authsource": "ldap"}),
        actual={"provider": "ldap"},
    )
    change = only(scene.plan().changes)
    assert (change.password, patch_of(change)["digest"]) == (None, None)
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()
