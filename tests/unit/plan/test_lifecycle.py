"""What becomes of the mailbox of somebody who is gone: barred from logging in, or deleted in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import (
    Address,
    Cause,
    Code,
    Existing,
    ExistingAlias,
    FieldChange,
    Kind,
    Note,
    Origin,
    Remembered,
    Rule,
    Subject,
)
from ldap2mailcow.plan import Case, Fate, Guarded, Options, Pending, Reason, make_plan

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    DISABLED_TAG,
    HELP,
    INFO,
    MARK,
    NOW,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    listing,
    make_config,
    make_domain,
    of_mailboxes,
    only,
    patch_of,
    people,
    quiet,
    remembered,
    row,
    settled,
    wanted,
    wish,
)
from .simulated import planned, simulate

DAY, HALF_AN_HOUR = timedelta(days=1), timedelta(minutes=30)
LONG_AGO = NOW - DAY
BARS = make_config(removed_users={"action": "disallow_login"})
DELETES = make_config(removed_users={"action": "delete", "delete_after": "10d"})
DISABLES = make_config()


def gone(times: int = 5, since: datetime = LONG_AGO, **columns: object) -> Remembered:
    """What is remembered of Bob, whose entry has been gone for some time."""
    return row(BOB, **{"missed": times, "missing_since": since, "last_missed": NOW - timedelta(minutes=5), **columns})


def retired(days: float, **columns: object) -> Remembered:
    """The same, his mailbox being inactive for that."""
    known: dict[str, Any] = {"retired_since": NOW - days * DAY, "disabled": Cause.MISSING, **columns}
    return gone(**known)


def box(active: int, *, tagged: bool = False) -> Existing:
    """Bob's mailbox."""
    return existing(BOB, active=active, tags=(MARK, DISABLED_TAG) if tagged else (MARK,))


def scene(bob: Remembered | None, mailbox: Existing, **more: object) -> Scene:
    """A scene in which Ann and Cat are in the directory, and Bob isn't."""
    rows = [row(ANN), row(CAT), *([bob] if bob else [])]
    return quiet([ANN, CAT], **{"rows": rows, "has": [existing(ANN), mailbox, existing(CAT)], **more})


def back(view: Case, active: int | None = None) -> Case:
    """The same with Bob in the directory again."""
    desired = (
        quiet(
            [ANN, CAT], wants=[wanted(ANN), wanted(BOB) if active is None else wanted(BOB, active=active), wanted(CAT)]
        )
        .case()
        .desired
    )
    return replace(view, desired=desired)


# barred from logging in


def test_after_the_grace_the_login_ends_and_mail_is_still_taken() -> None:
    at = scene(gone(), box(1), config=BARS)
    change = only(at.plan().changes)
    assert (change.kind, change.why, change.writes) == (Kind.DISABLE, Rule.MISSING, {"active": 2})
    assert change.fields == (FieldChange("active", 1, 2),)
    assert (change.add_tags, change.rebuilds) == ((DISABLED_TAG,), 1)
    patch = patch_of(change)
    assert (patch["disabled"], patch["was_active"], patch["barred"]) == (Cause.MISSING, 1, 2)
    after = simulate(at.plan(), at.case())
    assert after.actual.mailboxes[BOB] == box(2, tagged=True)
    assert (make_plan(after).changes, make_plan(after).pending) == ((), ())


def test_what_the_grace_will_bring_is_pending() -> None:
    plan = scene(row(BOB), box(1), config=BARS).plan()
    assert plan.pending == (Pending(BOB, dn_of(BOB), NOW + HALF_AN_HOUR, 1, Fate.BARRED),)


@pytest.mark.parametrize("active", [0, 2])
def test_who_is_inactive_or_barred_by_hand_is_not_touched(active: int) -> None:
    plan = scene(gone(), box(active), config=BARS).plan()
    assert (plan.changes, plan.pending) == ((), ())
    assert remembered(plan, BOB).get("disabled") is None


def test_barring_counts_in_the_guard_like_disabling() -> None:
    everybody = people(20)
    rows = [
        row(one, missed=9 * (place < 6), missing_since=LONG_AGO if place < 6 else None)
        for place, one in enumerate(everybody)
    ]
    plan = quiet(everybody, wants=[wanted(one) for one in everybody[6:]], rows=rows, config=BARS).plan()
    assert plan.changes == ()
    assert plan.withheld[0].kind is Guarded.DISABLE
    assert plan.withheld[0].sentence.startswith("6 of 20 managed mailboxes would be barred from logging in, and limits")


def test_disabling_and_barring_are_counted_together_and_both_named() -> None:
    everybody = people(20)
    rows = [row(one, missed=9, missing_since=LONG_AGO, last_missed=LONG_AGO) for one in everybody[:4]]
    wants = [wanted(one, active=int(place >= 2)) for place, one in enumerate(everybody[4:])]
    plan = quiet(everybody, wants=wants, rows=rows, config=BARS).plan()
    assert "6 of 20 managed mailboxes would be disabled or be barred from logging in," in plan.withheld[0].sentence


@pytest.mark.parametrize("since", [LONG_AGO, NOW])
def test_who_still_gets_mail_stays_on_lists(since: datetime) -> None:
    """A directory takes who is deleted out of its groups at once."""
    config = alias_config(removed_users={"action": "disallow_login"})
    at = settled([ANN, BOB], [listing(TEAM, ANN)], aliases=[alias(TEAM, ANN, BOB)], config=config)
    at = replace(at, alias_rows=[alias_row(listing(TEAM, ANN, BOB))], wants=[wanted(ANN)])
    at = replace(at, rows=[row(ANN), gone(since=since)])
    assert kinds(at.plan().changes) == [(Kind.DISABLE, BOB)] * (since == LONG_AGO)
    after = replace(simulate(at.plan(), at.case()), now=NOW + DAY)
    assert after.actual.aliases[TEAM].goto == {ANN, BOB}
    assert make_plan(simulate(make_plan(after), after)).changes == ()


def test_who_is_back_may_log_in_again() -> None:
    at = scene(gone(), box(1), config=BARS)
    view = back(simulate(at.plan(), at.case()))
    change = only(make_plan(view).changes)
    assert (change.kind, change.why, change.writes) == (Kind.ENABLE, Rule.BACK, {"active": 1})
    assert (change.remove_tags, change.rebuilds) == ((DISABLED_TAG,), 0)
    again = simulate(make_plan(view), view)
    assert again.actual.mailboxes[BOB] == existing(BOB)
    assert again.memory.mailboxes[BOB] == row(BOB)
    assert make_plan(again).changes == ()


@pytest.mark.parametrize(("told", "active"), [(None, 0), (1, 0), (1, 1)])
def test_who_was_given_another_status_by_hand_meanwhile_is_no_longer_our_doing(told: int | None, active: int) -> None:
    at = scene(gone(disabled=Cause.MISSING, barred=2), box(active, tagged=True), config=BARS)
    plan = make_plan(back(at.case(), told))
    change = only(plan.changes)
    assert (change.kind, change.writes, change.remove_tags) == (Kind.UPDATE, {}, (DISABLED_TAG,))
    assert patch_of(change)["disabled"] is None
    assert codes(plan) == [Code.DISABLED_BY_HAND] * (active == 0 and bool(told))


@pytest.mark.parametrize("config", [BARS, DISABLES], ids=["bars", "disables"])
@pytest.mark.parametrize("bob", [None, gone(was_active=2)], ids=["no row", "a row without a cause"])
def test_the_tag_alone_claims_a_barred_login_where_the_config_bars_logins(
    config: Config,
    bob: Remembered | None,
) -> None:
    at = scene(bob, box(2, tagged=True), config=config)
    plan = make_plan(back(at.case(), active=1))
    changes = [change for change in plan.changes if change.address == BOB]
    if config is BARS:
        assert Kind.ENABLE in {change.kind for change in changes}
        assert codes(plan) == []
        after = simulate(plan, back(at.case(), active=1)).actual.mailboxes[BOB]
        assert (after.attributes["active"], sorted(after.tags)) == (1, [MARK])
    else:
        assert Kind.ENABLE not in {change.kind for change in changes}
        assert codes(plan) == [Code.DISABLED_BY_HAND]
        assert of_mailboxes(changes)[0].remove_tags == (DISABLED_TAG,)


def test_the_tag_of_a_barred_login_is_no_locked_status() -> None:
    """A status is always an inactive mailbox, so that who is back and untold may log in."""
    config = make_config(removed_users={"action": "disallow_login"}, mapping={"active": "mailActive"})
    plan = make_plan(back(scene(None, box(2, tagged=True), config=config).case()))
    assert Kind.ENABLE in {change.kind for change in plan.changes}
    assert codes(plan) == []


def test_an_inactive_status_sets_a_barred_mailbox_inactive_and_what_it_was_is_kept() -> None:
    at = scene(gone(disabled=Cause.MISSING, barred=2), box(2, tagged=True), config=BARS)
    view = back(at.case(), active=0)
    change = only(make_plan(view).changes)
    assert (change.kind, change.why, change.writes) == (Kind.DISABLE, Rule.STATUS, {"active": 0})
    patch = patch_of(change)
    assert (patch["disabled"], patch["was_active"], patch["barred"]) == (Cause.STATUS, 1, 0)
    asleep = simulate(make_plan(view), view)
    assert make_plan(asleep).changes == ()
    awake = make_plan(back(asleep, active=1))
    assert only(awake.changes).writes == {"active": 1}


def test_a_status_that_was_set_by_a_run_which_was_killed_is_ours_all_the_same() -> None:
    at = scene(gone(disabled=Cause.MISSING, barred=2), box(0, tagged=True), config=BARS)
    plan = make_plan(back(at.case(), active=0))
    assert plan.changes == ()
    assert (remembered(plan, BOB)["disabled"], remembered(plan, BOB)["barred"]) == (Cause.STATUS, 0)


def test_who_is_back_and_inactive_but_withheld_is_not_let_in_when_nothing_is_told_any_more() -> None:
    config = make_config(removed_users={"action": "disallow_login"}, mapping={"active": "mailActive"})
    at = scene(gone(disabled=Cause.MISSING, barred=2), box(2, tagged=True), config=config, doubts=(CUT_SHORT,))
    withheld = make_plan(back(at.case(), active=0))
    assert (withheld.addresses, len(withheld.withheld)) == ((), 1)
    after = simulate(withheld, back(at.case(), active=0))
    assert (after.memory.mailboxes[BOB].disabled, after.memory.mailboxes[BOB].barred) == (Cause.STATUS, 2)
    untold = make_plan(back(after))
    assert Kind.ENABLE not in {change.kind for change in untold.changes}
    assert Code.STATUS_UNTOLD in codes(untold)


# from one action to another


def test_from_barring_to_disabling_sets_0_and_what_it_was_is_kept() -> None:
    at = scene(gone(disabled=Cause.MISSING, barred=2), box(2, tagged=True))
    change = only(at.plan().changes)
    assert (change.kind, change.fields) == (Kind.DISABLE, (FieldChange("active", 2, 0),))
    patch = patch_of(change)
    assert (patch["disabled"], patch["was_active"], patch["barred"]) == (Cause.MISSING, 1, 0)
    assert only(make_plan(back(simulate(at.plan(), at.case()))).changes).writes == {"active": 1}


def test_from_barring_to_disabling_is_counted() -> None:
    everybody = people(20)
    rows = [
        row(one, missed=9, missing_since=LONG_AGO, last_missed=LONG_AGO, disabled=Cause.MISSING, barred=2)
        for one in everybody[:6]
    ]
    rows += map(row, everybody[6:])
    has = [existing(one, active=2 if place < 6 else 1) for place, one in enumerate(everybody)]
    plan = quiet(everybody, wants=[wanted(one) for one in everybody[6:]], rows=rows, has=has).plan()
    assert (plan.changes, len(plan.withheld[0].addresses)) == ((), 6)


def test_from_disabling_to_barring_leaves_0() -> None:
    at = scene(gone(disabled=Cause.MISSING), box(0, tagged=True), config=BARS)
    assert (at.plan().changes, at.plan().pending) == ((), ())
    assert only(make_plan(back(at.case())).changes).writes == {"active": 1}


@pytest.mark.parametrize(("config", "noted"), [(DISABLES, 0), (DELETES, 0), (BARS, None)])
def test_a_run_that_set_0_for_2_and_was_killed_is_remembered(config: Config, noted: int | None) -> None:
    """Else nobody's return would enable it, since it doesn't show the 2 any more."""
    at = scene(gone(disabled=Cause.MISSING, barred=2), box(0, tagged=True), config=config)
    assert remembered(at.plan(), BOB).get("barred") == noted
    if noted == 0:
        assert only(make_plan(back(simulate(at.plan(), at.case()))).changes).writes == {"active": 1}


@pytest.mark.parametrize(
    ("columns", "tagged"),
    [({"disabled": Cause.MISSING, "barred": 2}, False), ({"disabled": None, "barred": 2}, True), ({}, True)],
)
def test_an_inactive_state_that_says_nothing_of_us_is_not_remembered_as_ours(
    columns: Mapping[str, Any],
    tagged: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    assert "barred" not in remembered(scene(gone(**columns), box(0, tagged=tagged)).plan(), BOB)


# retired


def test_with_delete_the_mailbox_is_disabled_first_and_that_is_remembered() -> None:
    at = scene(gone(), box(1), config=DELETES)
    change = only(at.plan().changes)
    assert (change.kind, change.writes) == (Kind.DISABLE, {"active": 0})
    assert patch_of(change)["retired_since"] == NOW
    after = simulate(at.plan(), at.case())
    plan = make_plan(after)
    assert plan.changes == ()
    assert plan.pending == (Pending(BOB, dn_of(BOB), NOW + 10 * DAY, 0, Fate.DELETED),)


def test_even_at_once_nothing_is_disabled_and_deleted_in_one_run() -> None:
    config = make_config(removed_users={"action": "delete", "delete_after": "0s"})
    at = scene(gone(), box(1), config=config)
    assert kinds(at.plan().changes) == [(Kind.DISABLE, BOB)]
    assert kinds(make_plan(simulate(at.plan(), at.case())).changes) == [(Kind.DELETE, BOB)]


@pytest.mark.parametrize("active", [1, 2])
def test_what_was_activated_by_hand_is_disabled_again_and_the_time_starts_anew(active: int) -> None:
    at = scene(retired(11), box(active, tagged=True), config=DELETES)
    change = only(at.plan().changes)
    assert (change.kind, patch_of(change)["retired_since"]) == (Kind.DISABLE, NOW)


def test_what_was_activated_by_hand_and_may_not_be_disabled_now_is_no_longer_retired() -> None:
    at = scene(retired(11), box(1), config=DELETES, limits={"max_mailbox_quota": 50})
    assert (at.plan().changes, codes(at.plan())) == ((), [Code.NO_ROOM_FOR_QUOTA])
    assert remembered(at.plan(), BOB)["retired_since"] is None


def test_who_was_inactive_before_is_retired_once_the_grace_is_over() -> None:
    early = scene(row(BOB), box(0), config=DELETES).plan()
    assert remembered(early, BOB)["retired_since"] is None
    assert early.pending == (Pending(BOB, dn_of(BOB), NOW + HALF_AN_HOUR + 10 * DAY, 1, Fate.DELETED),)
    over = scene(gone(), box(0), config=DELETES).plan()
    assert over.changes == ()
    assert remembered(over, BOB)["retired_since"] == NOW
    assert "disabled" not in remembered(over, BOB)
    assert over.pending == (Pending(BOB, dn_of(BOB), NOW + 10 * DAY, 0, Fate.DELETED),)


def test_a_lost_state_file_makes_the_time_begin_anew() -> None:
    at = scene(None, box(0, tagged=True), config=DELETES)
    assert remembered(at.plan(), BOB)["retired_since"] is None
    assert at.plan().changes == ()


@pytest.mark.parametrize("config", [DISABLES, BARS, make_config(removed_users={"action": "keep"})])
def test_where_nothing_is_deleted_nobody_is_retired(config: Config) -> None:
    """Who turns deletion on later has all of `delete_after` to look."""
    plan = scene(retired(100), box(0, tagged=True), config=config).plan()
    assert (plan.changes, plan.pending) == ((), ())
    assert remembered(plan, BOB)["retired_since"] is None


def test_who_is_back_is_not_retired_any_more() -> None:
    at = scene(retired(9.9), box(0, tagged=True), config=DELETES)
    view = back(at.case())
    assert kinds(make_plan(view).changes) == [(Kind.ENABLE, BOB)]
    again = simulate(make_plan(view), view)
    assert again.memory.mailboxes[BOB] == row(BOB)


def test_who_is_back_and_can_not_be_read_is_not_retired_either() -> None:
    there = {"ids": frozenset({"id-ann", "id-bob", "id-cat"})}
    plan = scene(retired(11, missed=0), box(0, tagged=True), config=DELETES, desired=there).plan()
    assert plan.changes == ()
    assert remembered(plan, BOB)["retired_since"] is None


# deleted


def test_after_its_time_a_mailbox_is_deleted_and_forgotten() -> None:
    at = scene(retired(10), box(0, tagged=True), config=DELETES)
    change = only(at.plan().changes)
    assert (change.kind, change.why, change.dn) == (Kind.DELETE, Rule.EXPIRED, dn_of(BOB))
    assert (change.remember, change.rebuilds, change.fields, change.notes) == (None, 1, (), ())
    after = simulate(at.plan(), at.case())
    assert BOB not in after.actual.mailboxes
    assert BOB not in after.memory.mailboxes
    plan = make_plan(after)
    assert (plan.changes, plan.pending, plan.notes) == ((), (), ())


def test_a_second_before_its_time_it_is_not() -> None:
    plan = scene(retired(10 - 1 / 86_400), box(0, tagged=True), config=DELETES).plan()
    assert (plan.changes, plan.pending[0].due) == ((), NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("bob", "mailbox", "more"),
    [
        pytest.param(
            retired(11),
            box(0),
            {"config": make_config(protected=[BOB], removed_users={"action": "delete"})},
            id="protected",
        ),
        pytest.param(None, existing(BOB, active=0, tags=()), {}, id="made by hand"),
        pytest.param(retired(11), box(0), {"doubts": (CUT_SHORT,)}, id="an answer that isn't whole"),
        pytest.param(retired(11), box(0), {"options": Options(only=frozenset({BOB}))}, id="--only"),
        pytest.param(retired(11), box(0), {"options": Options(overridden_filter=True)}, id="--override-filter"),
        pytest.param(retired(11, source="branch"), box(0), {"config": None}, id="of another directory"),
        pytest.param(retired(11, missed=0), box(0), {}, id="not missed often enough"),
    ],
)
def test_what_keeps_a_mailbox_from_being_deleted(
    bob: Remembered | None, mailbox: Existing, more: Mapping[str, Any]
) -> None:
    config = more.get("config", DELETES) or make_config(
        removed_users={"action": "delete"},
        ldap=[
            {"name": name, "uri": "ldaps://ldap.example.org", "user_search_base": "dc=x"}
            for name in ("default", "branch")
        ],
    )
    plan = scene(bob, mailbox, **{**more, "config": config}).plan()
    assert plan.changes == ()
    assert not [one for one in plan.withheld if one.kind is Guarded.DELETE]


def test_a_mailbox_that_only_the_mark_makes_ours_is_deleted_like_any_other() -> None:
    bob = retired(11, id=None, origin=Origin.MARK)
    assert kinds(scene(bob, box(0, tagged=True), config=DELETES).plan().changes) == [(Kind.DELETE, BOB)]


def test_a_clock_that_jumps_ten_years_ahead_deletes_nobody() -> None:
    at = scene(retired(1, missing_since=NOW - 2 * DAY), box(0, tagged=True), config=DELETES)
    after = simulate(at.plan(), at.case())
    view = replace(after, now=NOW + 3_650 * DAY)
    plan = make_plan(view)
    assert plan.changes == ()
    assert plan.pending[0].due == view.now + 1 * DAY  # one day before the jump and eight of it are believed
    assert kinds(make_plan(replace(simulate(plan, view), now=view.now + DAY)).changes) == [(Kind.DELETE, BOB)]


def test_a_clock_that_is_set_back_neither_deletes_sooner_nor_never() -> None:
    at = scene(retired(9), box(0, tagged=True), config=DELETES)
    after = simulate(at.plan(), at.case())
    view = replace(after, now=NOW - 3_650 * DAY)
    plan = make_plan(view)
    assert (plan.changes, plan.pending[0].due) == ((), view.now + DAY)
    assert kinds(make_plan(replace(simulate(plan, view), now=view.now + DAY)).changes) == [(Kind.DELETE, BOB)]


def test_the_address_is_free_for_another_entry_in_the_next_run() -> None:
    at = scene(retired(11), box(0, tagged=True), config=DELETES)
    at = replace(at, wants=[wanted(ANN), wanted(CAT), wanted(BOB, id="id-of-another", dn="uid=bob2,dc=x")])
    plan = at.plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.DELETE, BOB)], [Code.ADDRESS_REUSED])
    after = simulate(plan, at.case())
    assert kinds(make_plan(after).changes) == [(Kind.CREATE, BOB)]


# the guard of deletions


def crowd(total: int, expired: int, *, going: int = 0, **more: object) -> Scene:
    """A scene of many: some mailboxes are to be deleted, some of the others are to be disabled."""
    everybody = people(total)
    old = {"missed": 9, "missing_since": LONG_AGO, "last_missed": NOW}
    rows = [
        row(one, **old, retired_since=NOW - 11 * DAY) if place < expired else row(one, **old)
        for place, one in enumerate(everybody[: expired + going])
    ]
    fields: dict[str, Any] = {
        "wants": [wanted(one) for one in everybody[expired + going :]],
        "rows": [*rows, *map(row, everybody[expired + going :])],
        "has": [existing(one, active=int(place >= expired)) for place, one in enumerate(everybody)],
        "config": DELETES,
    }
    return quiet(everybody, **{**fields, **more})


def test_deletions_are_counted_apart_from_disablings_and_among_all_that_is_managed() -> None:
    assert len(crowd(20, 5, going=5).plan().changes) == 10
    plan = crowd(20, 6, going=5).plan()
    assert {change.kind for change in plan.changes} == {Kind.DISABLE}
    (withheld,) = plan.withheld
    assert (withheld.kind, withheld.reason, withheld.managed, withheld.limit) == (
        Guarded.DELETE,
        Reason.OVER_LIMIT,
        20,
        5,
    )
    assert withheld.sentence == (
        "6 of 20 managed mailboxes would be deleted, and limits.removals lets 5 through; if that is meant, run once "
        "with --force-removals 6"
    )


def test_disablings_and_deletions_may_both_be_withheld() -> None:
    plan = crowd(20, 6, going=6).plan()
    assert plan.changes == ()
    assert [(one.kind, len(one.changes)) for one in plan.withheld] == [(Guarded.DISABLE, 6), (Guarded.DELETE, 6)]
    assert len(crowd(20, 6, going=6, options=Options(approved=dict.fromkeys(Guarded, 6))).plan().changes) == 12


def test_a_changed_search_withholds_every_deletion_and_is_not_accepted_until_then() -> None:
    at = crowd(20, 1, sources={})
    plan = at.plan()
    assert (plan.changes, plan.withheld[0].reason, plan.source.accepted) == ((), Reason.SEARCH_CHANGED, None)
    forced = crowd(20, 1, sources={}, options=Options(approved=dict.fromkeys(Guarded, 1))).plan()
    assert [change.kind for change in forced.changes] == [Kind.DELETE]
    assert forced.source.accepted


def test_while_the_search_is_in_doubt_nobody_is_retired_and_nothing_is_promised() -> None:
    plan = scene(gone(), box(0), config=DELETES, sources={}).plan()
    assert remembered(plan, BOB)["retired_since"] is None
    assert (plan.changes, plan.pending, plan.withheld) == ((), (), ())
    kept = scene(retired(3), box(0, tagged=True), config=DELETES, sources={}).plan()
    assert remembered(kept, BOB)["retired_since"] == NOW - 3 * DAY


# what goes with it


def owned(*addresses: Address) -> Scene:
    """A scene in which Bob's mailbox goes, and some aliases of ours are all for him."""
    wishes = [wish(address, BOB) for address in addresses]
    at = settled(
        [ANN, BOB],
        aliases=[alias(one.address, BOB, active=0, mark=DISABLED_TAG) for one in wishes],
        alias_rows=[alias_row(one, disabled=True) for one in wishes],
        config=alias_config(removed_users={"action": "delete", "delete_after": "10d"}, removed_aliases="keep"),
    )
    return replace(at, wants=[wanted(ANN)], rows=[row(ANN), retired(11)], has=[existing(ANN), box(0)])


def with_more(at: Scene, *more: ExistingAlias) -> Scene:
    """The same with more aliases."""
    return replace(at, aliases=[*at.aliases, *more])


def test_the_aliases_that_go_to_it_alone_go_with_it_and_are_forgotten_by_whomever_they_were_made() -> None:
    at = with_more(owned(INFO), alias(HELP, BOB, mark=""), alias(TEAM, ANN, BOB, mark=""), alias(DAN, ANN, mark=""))
    plan, view = planned(at.case())
    (change,) = plan.changes
    assert change.fields == (FieldChange("aliases", f"{HELP}, {INFO}", ""),)
    assert change.notes == (Note(HELP, None, Subject.ALIAS), Note(INFO, None, Subject.ALIAS))
    after = simulate(plan, view)
    assert {address: found.goto for address, found in after.actual.aliases.items()} == {TEAM: {ANN}, DAN: {ANN}}
    assert after.memory.aliases == {}
    assert make_plan(after).changes == ()


def test_what_this_run_does_to_aliases_before_is_seen() -> None:
    """One that is removed doesn't go with it, and one that gets somebody else stays."""
    at = with_more(owned(INFO), alias(TEAM, BOB, active=0, mark=DISABLED_TAG))
    at = replace(
        at,
        wishes=[listing(TEAM, ANN)],
        alias_rows=[*at.alias_rows, alias_row(listing(TEAM, BOB), disabled=True)],
        config=alias_config(removed_users={"action": "delete", "delete_after": "10d"}),
    )
    rows = [replace(one, missed=9, missing_since=LONG_AGO, last_missed=NOW) for one in at.alias_rows]
    plan = replace(at, alias_rows=rows).plan()
    assert kinds(plan.changes) == [(Kind.ENABLE, TEAM), (Kind.REMOVE, INFO), (Kind.DELETE, BOB)]
    assert plan.changes[-1].fields == ()


def test_an_alias_that_this_run_sets_inactive_goes_all_the_same() -> None:
    """Nothing had pruned it yet: somebody made it active, or a run was killed."""
    at = replace(owned(INFO), aliases=[alias(INFO, BOB)])
    plan, view = planned(at.case())
    assert kinds(plan.changes) == [(Kind.DISABLE, INFO), (Kind.DELETE, BOB)]
    assert plan.changes[-1].fields == (FieldChange("aliases", INFO, ""),)
    after = simulate(plan, view)
    assert (after.actual.aliases, after.memory.aliases) == ({}, {})


def test_aliases_of_domains_that_are_not_looked_at_are_named_too() -> None:
    elsewhere = alias(Address("bob@elsewhere.org"), BOB, mark="")
    view = replace(owned().case(), every_alias={elsewhere.address: elsewhere})
    assert make_plan(view).changes[0].fields == (FieldChange("aliases", "bob@elsewhere.org", ""),)


def test_a_withheld_deletion_keeps_no_alias_back() -> None:
    """Its person's mailbox is out of service already; only who would be disabled keeps everything."""
    everybody = people(20)
    base = crowd(20, 6)
    config = alias_config(removed_users={"action": "delete", "delete_after": "10d"})
    rows = [alias_row(wish(INFO, everybody[0]), missed=9, missing_since=LONG_AGO, last_missed=NOW)]
    at = replace(base, config=config, aliases=[alias(INFO, everybody[0])], alias_rows=rows)
    plan = at.plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO)]
    assert [one.kind for one in plan.withheld] == [Guarded.DELETE]


# half-deleted


def halved(*, bob: Iterable[Remembered] = (), **more: object) -> Case:
    """A view in which an earlier run began to delete Bob's mailbox, and mailcow holds half of it."""
    at = quiet([ANN], rows=[row(ANN), *bob], config=DELETES, actual={"half_deleted": 1}, **more)
    return replace(at.case(), settled=Settled(halves=frozenset({BOB})))


@pytest.mark.parametrize(("bob", "dn"), [([], ""), ([retired(11)], dn_of(BOB))])
def test_what_was_left_half_deleted_is_deleted_again(bob: Iterable[Remembered], dn: str) -> None:
    plan = make_plan(halved(bob=bob))
    change = only(plan.changes)
    assert (change.kind, change.address, change.why, change.dn) == (Kind.DELETE, BOB, Rule.UNFINISHED, dn)
    assert (change.remember, codes(plan)) == (None, [])


def test_halves_that_no_run_of_ours_left_are_told() -> None:
    assert codes(quiet([ANN], actual={"half_deleted": 1}).plan()) == [Code.HALF_DELETED]
    two = halved()
    plan = make_plan(replace(two, actual=replace(two.actual, half_deleted=2)))
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.DELETE, BOB)], [Code.HALF_DELETED])
    assert "mailcow lists 1 mailbox without" in plan.findings[0].sentence


def test_no_mailbox_is_made_where_half_of_one_is_deleted_first() -> None:
    assert kinds(make_plan(halved(wants=[wanted(ANN), wanted(BOB)])).changes) == [(Kind.DELETE, BOB)]


def test_the_aliases_that_a_half_still_has_go_with_it() -> None:
    change = only(make_plan(halved(aliases=[alias(HELP, BOB, mark="")])).changes)
    assert change.fields == (FieldChange("aliases", HELP, ""),)


# moved to another domain


def moved(bob: Remembered, mailbox: Existing) -> Scene:
    """A scene in which Bob has a mailbox in another domain now."""
    there = Address("bob@elsewhere.org")
    at = scene(bob, mailbox, config=DELETES)
    return replace(
        at,
        wants=[wanted(ANN), wanted(CAT), wanted(there)],
        has=[*at.has, existing(there)],
        rows=[*at.rows, row(there)],
        domains=(make_domain(at.has), make_domain([existing(there)], there.domain)),
    )


def test_the_mailbox_that_somebody_left_for_another_domain_retires_too_and_says_why() -> None:
    change = only(moved(gone(), box(1)).plan().changes)
    assert (change.kind, change.address, change.why) == (Kind.DISABLE, BOB, Rule.MOVED)
    change = only(moved(retired(11), box(0, tagged=True)).plan().changes)
    assert (change.kind, change.address, change.why) == (Kind.DELETE, BOB, Rule.MOVED)


def test_it_stays_where_the_entry_has_no_address_and_somebody_else_wants_the_new_one() -> None:
    """Bob's entry no longer says that he is there, so that nothing says that he needs only one of the two."""
    at = moved(gone(), box(1))
    wants = [wanted(ANN), wanted(CAT), wanted(list(at.wants)[2].address, id="id-dan", dn="uid=dan")]
    plan = replace(at, wants=wants, desired={"ids": frozenset({*map(id_of, (ANN, BOB, CAT)), "id-dan"})}).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED, Code.ADDRESS_LOST, Code.ADDRESS_LOST])
