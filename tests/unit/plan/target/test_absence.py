"""A mailbox of ours whose entry is gone: its grace, out of service, deleted in the end; what is counted as orphaned."""

from __future__ import annotations

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
    FieldChange,
    Kind,
    Note,
    Origin,
    Remembered,
    Role,
    Rule,
    Subject,
)
from ldap2mailcow.plan import Begun, Fate, Guarded, Options, Pending, Reason
from tests.unit.plan.builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    DISABLED_TAG,
    DOUBTED,
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
    kinds,
    listing,
    make_config,
    make_domain,
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

SECOND, DAY, HALF_AN_HOUR = timedelta(seconds=1), timedelta(days=1), timedelta(minutes=30)
SEEN = NOW - timedelta(minutes=5)
"""When the last whole answer was given."""
LONG_AGO = NOW - DAY
BARS = make_config(removed_users={"action": "disallow_login"})
DELETES = make_config(removed_users={"action": "delete", "delete_after": "10d"})
KEEPS = make_config(removed_users={"action": "keep"})
DISABLES = make_config()


def gone(times: int = 5, since: datetime = LONG_AGO, **columns: object) -> Remembered:
    """What is remembered of Bob, whose entry has been gone for some time."""
    return row(BOB, **{"missed": times, "missing_since": since, "last_missed": SEEN, **columns})


def retired(days: float, **columns: object) -> Remembered:
    """The same, his mailbox being inactive for that."""
    return gone(**{"retired_since": NOW - days * DAY, "disabled": Cause.MISSING, **columns})  # type: ignore[arg-type]


def box(active: int, *, tagged: bool = False) -> Existing:
    """Bob's mailbox."""
    return existing(BOB, active=active, tags=(MARK, DISABLED_TAG) if tagged else (MARK,))


def scene(bob: Remembered | None, mailbox: Existing | None = None, **more: Any) -> Scene:  # noqa: ANN401
    """A scene in which Ann and Cat are in the directory, and Bob isn't."""
    rows = [row(ANN), row(CAT), *([bob] if bob else [])]
    has = [existing(ANN), mailbox or box(1), existing(CAT)]
    return quiet([ANN, CAT], **{"rows": rows, "has": has, **more})


# the grace


def test_the_first_miss_is_counted_and_pending() -> None:
    plan = scene(row(BOB)).plan()
    assert (plan.changes, plan.pending) == ((), (Pending(BOB, dn_of(BOB), NOW + HALF_AN_HOUR, 1),))
    assert remembered(plan, BOB) == {"missed": 1, "missing_since": NOW, "last_missed": NOW, "last_seen": SEEN}
    assert plan.rules[Subject.MAILBOX, BOB] is Rule.GRACE


def test_a_further_miss_keeps_the_time_of_the_first_and_when_the_entry_was_last_seen() -> None:
    since = NOW - timedelta(minutes=10)
    plan = scene(gone(1, since, last_seen=LONG_AGO)).plan()
    assert plan.pending == (Pending(BOB, dn_of(BOB), since + HALF_AN_HOUR, 0),)
    assert remembered(plan, BOB) == {"missed": 2, "last_missed": NOW}


@pytest.mark.parametrize(
    ("times", "since", "disabled"),
    [
        pytest.param(1, NOW - HALF_AN_HOUR, True, id="both are just over"),
        pytest.param(1, NOW - HALF_AN_HOUR + SECOND, False, id="a second too early"),
        pytest.param(50, SEEN, False, id="many runs in a short time"),
        pytest.param(0, LONG_AGO, False, id="one run only"),
    ],
)
def test_the_grace_is_over_after_enough_runs_and_enough_time(
    times: int,
    since: datetime,
    disabled: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan = scene(gone(times, since)).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)] * disabled
    assert len(plan.pending) == (not disabled)


def test_the_grace_is_the_config_s() -> None:
    config = make_config(removed_users={"missing_runs": 4, "missing_for": "2h"})
    plan = scene(gone(1, NOW - timedelta(hours=1)), config=config).plan()
    assert plan.pending == (Pending(BOB, dn_of(BOB), NOW + timedelta(hours=1), 2),)


def test_without_any_grace_the_first_miss_disables() -> None:
    config = make_config(removed_users={"missing_runs": 1, "missing_for": "0s"})
    assert kinds(scene(row(BOB), config=config).plan().changes) == [(Kind.DISABLE, BOB)]


# out of service


@pytest.mark.parametrize(
    ("config", "active", "value"),
    [(DISABLES, 1, 0), (DISABLES, 2, 0), (BARS, 1, 2), (DELETES, 1, 0), (DELETES, 2, 0)],
)
def test_after_the_grace_a_mailbox_goes_out_of_service(config: Config, active: int, value: int) -> None:
    plan = scene(gone(), box(active), config=config).plan()
    change = only(plan.changes)
    assert (change.kind, change.why, change.dn, change.writes) == (
        Kind.DISABLE,
        Rule.MISSING,
        dn_of(BOB),
        {"active": value},
    )
    assert (change.fields, change.add_tags) == ((FieldChange("active", active, value),), (DISABLED_TAG,))
    assert change.rebuilds == 1
    patch = {"disabled": Cause.MISSING, "was_active": active, "barred": value}
    assert patch.items() <= patch_of(change).items()
    assert patch_of(change)["retired_since"] == (NOW if config is DELETES else None)
    assert remembered(plan, BOB)["missed"] == 6


def test_the_disabled_tag_is_not_added_twice() -> None:
    assert only(scene(gone(), box(1, tagged=True)).plan().changes).add_tags == ()


def test_from_barring_to_disabling_sets_0_and_what_it_was_is_kept() -> None:
    change = only(scene(gone(disabled=Cause.MISSING, barred=2), box(2, tagged=True)).plan().changes)
    assert change.fields == (FieldChange("active", 2, 0),)
    assert {"disabled": Cause.MISSING, "was_active": 1, "barred": 0}.items() <= patch_of(change).items()


def test_what_the_grace_will_bring_is_pending() -> None:
    (pending,) = scene(row(BOB), config=BARS).plan().pending
    assert pending == Pending(BOB, dn_of(BOB), NOW + HALF_AN_HOUR, 1, Fate.BARRED)


@pytest.mark.parametrize(
    ("config", "active", "rule"),
    [
        pytest.param(DISABLES, 0, Rule.RETIRED, id="inactive already"),
        pytest.param(BARS, 0, Rule.RETIRED, id="inactive, to be barred"),
        pytest.param(BARS, 2, Rule.RETIRED, id="barred already"),
        pytest.param(KEEPS, 1, Rule.KEPT, id="kept"),
    ],
)
def test_a_mailbox_that_is_out_of_service_or_kept_stays_as_it_is(config: Config, active: int, rule: Rule) -> None:
    """Nothing says that an inactive state is our doing, so that a user who is back isn't activated."""
    plan = scene(gone(), box(active), config=config).plan()
    assert (plan.changes, plan.pending, plan.rules[Subject.MAILBOX, BOB]) == ((), (), rule)
    assert (remembered(plan, BOB)["missed"], "disabled" in remembered(plan, BOB)) == (6, False)


def test_removals_are_in_address_order() -> None:
    rows = [replace(gone(), address=one, id=one) for one in (CAT, BOB, ANN)]
    plan = quiet([DAN], rows=[row(DAN), *rows], has=[box(1), *map(existing, (CAT, ANN, DAN))], options=ANY).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, ANN), (Kind.DISABLE, BOB), (Kind.DISABLE, CAT)]


# that are not missed


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        pytest.param({"config": make_config(protected=[BOB])}, Rule.PROTECTED, id="protected"),
        pytest.param({"doubts": (CUT_SHORT,)}, Rule.NOT_WHOLE, id="an answer that isn't whole"),
        pytest.param({"options": Options(only=frozenset({BOB}))}, Rule.OUT_OF_SCOPE, id="--only"),
        pytest.param({"options": Options(overridden_filter=True)}, Rule.OUT_OF_SCOPE, id="--override-filter"),
        pytest.param({"config": make_config(create_mailboxes=False)}, Rule.ELSEWHERE, id="from elsewhere"),
    ],
)
def test_a_mailbox_whose_absence_is_not_believed_stays_and_is_not_counted(more: dict[str, Any], rule: Rule) -> None:
    plan = scene(gone(), **more).plan()
    assert (plan.changes, plan.pending, plan.orphans) == ((), (), ())
    assert remembered(plan, BOB).keys() <= {"last_seen"}
    assert plan.rules[Subject.MAILBOX, BOB] is rule


def test_a_mailbox_that_is_not_ours_is_not_missed() -> None:
    plan = scene(None, existing(BOB, tags=["staff"])).plan()
    assert (plan.changes, plan.pending, plan.notes, plan.unmanaged, plan.managed) == ((), (), (), (BOB,), 2)


def test_an_entry_that_is_there_and_can_t_be_read_ends_the_absence() -> None:
    """It has no address that can be used, and the mailbox that is remembered is not the one it left."""
    other = replace(retired(11), address=DAN, last_seen=LONG_AGO)
    at = quiet([ANN, BOB, DAN], rows=[row(ANN), row(BOB), other], has=[existing(ANN), box(1), existing(DAN, active=0)])
    plan = replace(at, wants=[wanted(ANN), wanted(BOB, addresses=())], config=DELETES).plan()
    assert (kinds(plan.changes), plan.pending) == ([], ())
    assert {"missed": 0, "last_seen": None, "retired_since": None}.items() <= remembered(plan, DAN).items()


@pytest.mark.parametrize("tags", [(MARK,), ("ldap-sync:paris",)])
def test_the_mark_alone_makes_a_mailbox_ours_and_gets_a_row_at_the_first_miss(tags: tuple[str, ...]) -> None:
    config = make_config(mark=MARK if MARK in tags else "paris")
    plan = scene(None, existing(BOB, tags=tags), config=config).plan()
    (pending,) = (one for one in plan.pending if one.address == BOB)
    assert pending == Pending(BOB, "", NOW + HALF_AN_HOUR, 1)
    known = {"origin": Origin.MARK, "id": None, "dn": "", "source": "default", "missed": 1}
    assert known.items() <= remembered(plan, BOB).items()


def test_a_row_alone_makes_a_mailbox_ours() -> None:
    assert kinds(scene(gone(), existing(BOB, tags=())).plan().changes) == [(Kind.DISABLE, BOB)]


# without room


@pytest.mark.parametrize(("bob", "where"), [(gone(), dn_of(BOB)), (gone(id=None, dn="", origin=Origin.MARK), BOB)])
def test_a_mailbox_that_mailcow_refuses_to_edit_is_told_and_not_tried(bob: Remembered, where: str) -> None:
    plan = scene(bob, limits={"max_quota": 250, "max_mailbox_quota": 200}).plan()
    assert (plan.changes, [(one.code, one.where) for one in plan.findings]) == ((), [(Code.NO_ROOM_FOR_QUOTA, where)])
    assert (plan.rules[Subject.MAILBOX, BOB], plan.orphans) == (Rule.NO_ROOM, (BOB,))


def test_what_was_activated_by_hand_and_can_t_be_disabled_now_is_no_longer_retired() -> None:
    plan = scene(retired(11), config=DELETES, limits={"max_mailbox_quota": 50}).plan()
    assert (plan.changes, remembered(plan, BOB)["retired_since"]) == ((), None)


def test_a_first_search_stays_doubtful_though_mailcow_would_refuse_the_removal() -> None:
    plan = scene(gone(), limits={"max_mailbox_quota": 50}, sources={}).plan()
    assert [one.addresses for one in plan.withheld] == [(BOB,)]
    assert plan.sources["default"].accepted is None


def test_a_quota_that_is_lowered_before_lets_a_removal_fit() -> None:
    plan = scene(gone(), wants=[wanted(ANN, quota=40), wanted(CAT)], limits={"max_quota": 250}).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.DISABLE, BOB)]


# the guard

ANY = Options(approved=dict.fromkeys(Guarded, 99))


def crowd(total: int, expired: int, *, going: int = 0, **more: Any) -> Scene:  # noqa: ANN401
    """A scene of many: some mailboxes are to be deleted, some of the others are to go out of service."""
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


@pytest.mark.parametrize(
    ("config", "fates"),
    [(BARS, "be barred from logging in"), (DISABLES, "be disabled"), (DELETES, "be disabled")],
)
def test_going_out_of_service_is_counted_whatever_becomes_of_the_mailbox(config: Config, fates: str) -> None:
    plan = crowd(20, 0, going=6, config=config).plan()
    (withheld,) = plan.withheld
    assert (plan.changes, withheld.kind, len(withheld.addresses)) == ((), Guarded.DISABLE, 6)
    assert f"6 of 20 managed mailboxes would {fates}, and limits" in withheld.sentence
    assert plan.rules[Subject.MAILBOX, withheld.addresses[0]] is Rule.HELD
    assert plan.orphans == withheld.addresses


def test_disabling_and_barring_are_counted_together_and_both_named() -> None:
    at = crowd(20, 0, going=4, config=BARS)
    wants = [wanted(user.addresses[0], active=int(place >= 2)) for place, user in enumerate(at.wants)]
    (withheld,) = replace(at, wants=wants).plan().withheld
    assert "6 of 20 managed mailboxes would be barred from logging in or be disabled," in withheld.sentence


def test_deletions_are_counted_apart_from_disablings_and_among_all_that_is_managed() -> None:
    assert len(crowd(20, 5, going=5).plan().changes) == 10
    plan = crowd(20, 6, going=5).plan()
    (withheld,) = plan.withheld
    assert {change.kind for change in plan.changes} == {Kind.DISABLE}
    assert (withheld.kind, withheld.reason, withheld.managed, withheld.limit) == (
        Guarded.DELETE,
        Reason.OVER_LIMIT,
        20,
        5,
    )


def test_disablings_and_deletions_may_both_be_withheld() -> None:
    plan = crowd(20, 6, going=6).plan()
    found = [(one.kind, len(one.addresses)) for one in plan.withheld]
    assert (plan.changes, found) == ((), [(Guarded.DISABLE, 6), (Guarded.DELETE, 6)])
    assert len(crowd(20, 6, going=6, options=ANY).plan().changes) == 12


def test_while_the_search_is_in_doubt_all_removals_are_due_and_wait_for_a_word() -> None:
    plan = crowd(20, 1, going=1, sources={}).plan()
    assert (plan.changes, [one.reason for one in plan.withheld]) == ((), [Reason.SEARCH_CHANGED] * 2)
    approved = crowd(20, 1, going=1, sources={}, options=ANY).plan()
    assert [change.kind for change in approved.changes] == [Kind.DISABLE, Kind.DELETE]
    first = scene(row(BOB), sources={}).plan()
    assert (first.pending, [one.addresses for one in first.withheld]) == ((), [(BOB,)])


def test_while_the_search_is_in_doubt_no_time_begins_and_nothing_is_promised() -> None:
    plan = scene(gone(since=NOW - 20 * DAY), box(0), config=DELETES, sources={}).plan()
    assert (plan.changes, plan.pending, plan.withheld) == ((), (), ())
    assert remembered(plan, BOB).get("retired_since") is None
    retiring = scene(retired(3), box(0, tagged=True), config=DELETES, sources={}).plan()
    assert "retired_since" not in remembered(retiring, BOB)


# retired


@pytest.mark.parametrize("active", [1, 2])
def test_what_was_activated_by_hand_is_disabled_again_and_the_time_starts_anew(active: int) -> None:
    """So even with `delete_after: 0s` nothing is disabled and deleted in one run."""
    config = make_config(removed_users={"action": "delete", "delete_after": "0s"})
    change = only(scene(retired(11), box(active, tagged=True), config=config).plan().changes)
    assert (change.kind, patch_of(change)["retired_since"]) == (Kind.DISABLE, NOW)


def test_a_mailbox_that_was_inactive_before_is_retired_once_the_grace_is_over() -> None:
    early = scene(row(BOB), box(0), config=DELETES).plan()
    assert early.pending == (Pending(BOB, dn_of(BOB), NOW + HALF_AN_HOUR + 10 * DAY, 1, Fate.DELETED),)
    assert "retired_since" not in remembered(early, BOB)
    over = scene(gone(), box(0), config=DELETES).plan()
    assert over.pending == (Pending(BOB, dn_of(BOB), NOW + 10 * DAY, 0, Fate.DELETED),)
    assert (over.changes, remembered(over, BOB)["retired_since"]) == ((), NOW)


def test_a_lost_state_file_makes_the_time_begin_anew() -> None:
    plan = scene(None, box(0, tagged=True), config=DELETES).plan()
    assert (plan.changes, remembered(plan, BOB)["retired_since"]) == ((), None)


@pytest.mark.parametrize("config", [DISABLES, BARS, KEEPS])
def test_where_nothing_is_deleted_no_mailbox_is_retired(config: Config) -> None:
    """Once deletion is turned on, there is all of `delete_after` to look."""
    plan = scene(retired(100), box(0, tagged=True), config=config).plan()
    assert (plan.changes, plan.pending, remembered(plan, BOB)["retired_since"]) == ((), (), None)


def test_the_time_of_a_user_who_is_back_is_over() -> None:
    at = scene(retired(9.9), box(0, tagged=True), config=DELETES)
    plan = replace(at, wants=[*at.wants, wanted(BOB)]).plan()
    assert kinds(plan.changes) == [(Kind.ENABLE, BOB)]
    assert {"missed": 0, "retired_since": None, "disabled": None}.items() <= remembered(plan, BOB).items()


# deleted


def test_after_its_time_a_mailbox_is_deleted_and_forgotten() -> None:
    plan = scene(retired(10), box(0, tagged=True), config=DELETES).plan()
    change = only(plan.changes)
    assert (change.kind, change.why, change.dn) == (Kind.DELETE, Rule.EXPIRED, dn_of(BOB))
    assert plan.orphans == (BOB,)
    assert (change.remember, change.rebuilds, change.fields, change.notes) == (None, 1, (), ())


@pytest.mark.parametrize(
    ("bob", "due"),
    [
        pytest.param(retired(10 - 1 / 86_400), NOW + SECOND, id="a second before its time"),
        pytest.param(retired(11, missed=0), LONG_AGO + HALF_AN_HOUR, id="not missed often enough"),
        pytest.param(retired(11, missing_since=SEEN), NOW + timedelta(minutes=25), id="in its grace"),
    ],
)
def test_before_its_time_a_mailbox_stays(bob: Remembered, due: datetime) -> None:
    plan = scene(bob, box(0, tagged=True), config=DELETES).plan()
    assert (plan.changes, [one.due for one in plan.pending]) == ((), [due])
    assert plan.rules[Subject.MAILBOX, BOB] is Rule.RETIRED


def test_time_that_is_not_believed_moves_the_time_of_deletion() -> None:
    """The clock jumped ten years ahead, or back: one day of ten was over, and a jump counts eight, or none."""
    for jump, counted in ((3_650 * DAY, 8 * DAY), (-3_650 * DAY, timedelta())):
        now = NOW + jump
        bob = retired(1, missing_since=NOW - 2 * DAY, last_missed=NOW)
        plan = scene(bob, box(0, tagged=True), config=DELETES, now=now).plan()
        assert (plan.changes, [one.due for one in plan.pending]) == ((), [now + 9 * DAY - counted])
        assert remembered(plan, BOB)["retired_since"] == now - DAY - counted


def test_a_mailbox_that_only_the_mark_makes_ours_is_deleted_like_any_other() -> None:
    bob = retired(11, id=None, dn="", origin=Origin.MARK)
    assert kinds(scene(bob, box(0, tagged=True), config=DELETES).plan().changes) == [(Kind.DELETE, BOB)]


def test_the_address_is_free_for_another_entry_in_the_next_run() -> None:
    at = scene(retired(11), box(0, tagged=True), config=DELETES)
    plan = replace(at, wants=[*at.wants, wanted(BOB, id="id-of-another", dn="uid=bob2,dc=x")]).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.DELETE, BOB)], [Code.ADDRESS_REUSED])


# what goes with it

DELETES_ONLY = {"removed_users": {"action": "delete", "delete_after": "10d"}, "removed_aliases": "keep"}


def with_aliases(*more: Any, **settings: Any) -> Scene:  # noqa: ANN401
    """A scene in which Bob's mailbox is deleted, with an alias of ours that is all for him, and some more."""
    at = settled(
        [ANN],
        [],
        aliases=[alias(INFO, BOB, active=0, mark=DISABLED_TAG), *more],
        alias_rows=[alias_row(wish(INFO, BOB), disabled=True)],
        config=alias_config(**{**DELETES_ONLY, **settings}),
    )
    return replace(at, rows=[row(ANN), retired(11)], has=[existing(ANN), box(0, tagged=True)])


def test_the_aliases_that_go_to_it_alone_go_with_it_and_are_forgotten_whoever_made_them() -> None:
    at = with_aliases(alias(HELP, BOB, mark=""), alias(TEAM, ANN, BOB, mark=""), alias(DAN, ANN, mark=""))
    change = only(at.plan().changes)
    assert change.fields == (FieldChange("aliases", f"{HELP}, {INFO}", ""),)
    assert change.notes == (Note(HELP, None, Subject.ALIAS), Note(INFO, None, Subject.ALIAS))


def test_an_alias_that_is_removed_before_does_not_go_with_it() -> None:
    at = with_aliases(removed_aliases="delete")
    rows = [replace(one, missed=9, missing_since=LONG_AGO, last_missed=SEEN) for one in at.alias_rows]
    plan = replace(at, alias_rows=rows).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO), (Kind.DELETE, BOB)]
    assert plan.changes[-1].fields == ()


def test_an_alias_that_gets_other_targets_before_does_not_go_with_it() -> None:
    of_bob, of_ann = alias_row(listing(TEAM, BOB), disabled=True), listing(TEAM, ANN)
    at = with_aliases(alias(TEAM, BOB, active=0, mark=DISABLED_TAG))
    plan = replace(at, wishes=[of_ann], alias_rows=[*at.alias_rows, of_bob]).plan()
    assert kinds(plan.changes) == [(Kind.ENABLE, TEAM), (Kind.DELETE, BOB)]
    assert plan.changes[-1].fields == (FieldChange("aliases", INFO, ""),)


def test_aliases_of_domains_that_are_not_looked_at_are_named_too() -> None:
    elsewhere = alias(Address("bob@elsewhere.org"), BOB, mark="")
    at = scene(retired(11), box(0, tagged=True), config=DELETES, every_alias={elsewhere.address: elsewhere})
    assert only(at.plan().changes).fields == (FieldChange("aliases", "bob@elsewhere.org", ""),)


def test_members_stay_on_lists_as_long_as_their_mailbox_takes_mail() -> None:
    """A directory takes a user who is deleted out of its groups at once."""
    for since, action in ((NOW, "disable"), (LONG_AGO, "disallow_login")):
        at = settled([ANN, BOB], [listing(TEAM, ANN)], aliases=[alias(TEAM, ANN, BOB)])
        plan = replace(
            at,
            alias_rows=[alias_row(listing(TEAM, ANN, BOB))],
            wants=[wanted(ANN)],
            rows=[row(ANN), gone(since=since)],
            config=alias_config(removed_users={"action": action}),
        ).plan()
        assert kinds(plan.changes) == [(Kind.DISABLE, BOB)] * (since == LONG_AGO)


# half-deleted


def halved(*bob: Remembered, **more: Any) -> Scene:  # noqa: ANN401
    """A scene in which an earlier run began to delete Bob's mailbox, and mailcow holds half of it."""
    begun = Begun(halves=frozenset({BOB}))
    return quiet([ANN], **{"rows": [row(ANN), *bob], "actual": {"half_deleted": 1}, "begun": begun, **more})


@pytest.mark.parametrize(("bob", "dn"), [([], ""), ([retired(11)], dn_of(BOB))])
def test_what_was_left_half_deleted_is_deleted_again(bob: list[Remembered], dn: str) -> None:
    plan = halved(*bob).plan()
    change = only(plan.changes)
    assert (change.kind, change.address, change.why, change.dn) == (Kind.DELETE, BOB, Rule.UNFINISHED, dn)
    assert (change.remember, plan.findings, plan.withheld) == (None, (), ())


def test_the_aliases_that_a_half_still_has_go_with_it() -> None:
    change = only(halved(aliases=[alias(HELP, BOB, mark="")]).plan().changes)
    assert change.fields == (FieldChange("aliases", HELP, ""),)
    assert change.notes == (Note(HELP, None, Subject.ALIAS),)


@pytest.mark.parametrize(("number", "said"), [(2, "1 mailbox without"), (3, "2 mailboxes without")])
def test_halves_that_no_run_of_ours_left_are_told(number: int, said: str) -> None:
    plan = halved(actual={"half_deleted": number}).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.DELETE, BOB)], [Code.HALF_DELETED])
    assert said in plan.findings[0].sentence


# moved to another domain


def moved(bob: Remembered, mailbox: Existing, *, doubts: Any = ()) -> Scene:  # noqa: ANN401
    """A scene in which Bob has a mailbox in another domain now."""
    there = Address("bob@elsewhere.org")
    at = scene(bob, mailbox, config=DELETES, doubts=doubts)
    return replace(
        at,
        wants=[wanted(ANN), wanted(CAT), wanted(there)],
        has=[*at.has, existing(there)],
        rows=[*at.rows, row(there)],
        domains=(make_domain(at.has), make_domain([existing(there)], there.domain)),
    )


@pytest.mark.parametrize(
    ("bob", "mailbox", "kind"),
    [(gone(), box(1), Kind.DISABLE), (retired(11), box(0, tagged=True), Kind.DELETE)],
)
def test_the_mailbox_that_a_user_left_for_another_domain_retires_too_and_says_why(
    bob: Remembered, mailbox: Existing, kind: Kind
) -> None:
    plan = moved(bob, mailbox).plan()
    change = only(plan.changes)
    assert (change.kind, change.address, change.why, plan.orphans) == (kind, BOB, Rule.MOVED, (BOB,))
    doubtful = moved(bob, mailbox, doubts=(CUT_SHORT,)).plan()
    assert (doubtful.changes, doubtful.orphans) == ((), ())


# orphans: what is ours and no entry asks for, whatever becomes of it

OF_ANN = wish(INFO, ANN)


@pytest.mark.parametrize(
    ("more", "orphans"),
    [
        pytest.param({}, (BOB,), id="known"),
        pytest.param({"rows": [row(ANN)]}, (BOB,), id="by its mark"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=[], active=0)]}, (BOB,), id="by the state file"),
        pytest.param({"has": [existing(ANN), box(1, tagged=True)]}, (BOB,), id="disabled"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=["ldap-sync:released"])]}, (), id="released"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=["ldap-sync-berlin"])]}, (), id="another's"),
        pytest.param({"has": [existing(ANN), existing(CAT, tags=[])]}, (), id="not ours"),
        pytest.param({"config": make_config(protected=[BOB])}, (), id="protected"),
        pytest.param({"doubts": (CUT_SHORT,)}, (), id="not known"),
        pytest.param({"options": Options(only=frozenset({ANN}))}, (), id="not looked at"),
        pytest.param({"config": alias_config(create_mailboxes=False)}, (), id="from elsewhere"),
    ],
)
def test_orphaned_mailboxes(more: dict[str, Any], orphans: tuple[Address, ...]) -> None:
    assert quiet([ANN, BOB], **{"wants": [wanted(ANN)], **more}).plan().orphans == orphans


def orphaned(role: Role | None = Role.USER, **more: Any) -> Scene:  # noqa: ANN401
    """Return a scene with an alias of ours that no entry asks for."""
    fields = {"aliases": [alias(INFO, ANN)], "alias_rows": [alias_row(OF_ANN, role=role)], **more}
    return settled([ANN], [], **fields)


@pytest.mark.parametrize(
    ("at", "orphans"),
    [
        pytest.param(orphaned(), (INFO,), id="known"),
        pytest.param(orphaned(alias_rows=[]), (INFO,), id="by its mark"),
        pytest.param(orphaned(config=alias_config(removed_aliases="keep")), (INFO,), id="kept"),
        pytest.param(orphaned(Role.LIST, config=alias_config(source={"group_search_base": ""})), (INFO,), id="off"),
        pytest.param(orphaned(alias_rows=[alias_row(OF_ANN, owner="gone")]), (INFO,), id="in its grace"),
        pytest.param(orphaned(aliases=[alias(INFO, ANN, mark="")], alias_rows=[]), (), id="not ours"),
        pytest.param(orphaned(config=alias_config(protected=[INFO])), (), id="protected"),
        pytest.param(orphaned(wants=[wanted(ANN, addresses=())]), (), id="of an unreadable entry"),
        pytest.param(orphaned(doubts=(CUT_SHORT,)), (), id="not known"),
        pytest.param(orphaned(Role.LIST, answers={"groups": DOUBTED}), (), id="not known of lists"),
        pytest.param(orphaned(options=Options(overridden_filter=True)), (), id="not looked at"),
    ],
)
def test_orphaned_aliases(at: Scene, orphans: tuple[Address, ...]) -> None:
    assert at.plan().orphaned_aliases == orphans


def test_what_is_asked_for_is_no_orphan() -> None:
    plan = settled([ANN], [OF_ANN, listing(TEAM, ANN), wish(HELP, ANN)]).plan()
    assert (plan.orphans, plan.orphaned_aliases, plan.managed_aliases) == ((), (), 3)
