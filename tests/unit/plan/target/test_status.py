"""Active or not: `active` goes from 0 to 1 only where we set the 0, and a status that can't be read changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import Cause, Change, Code, Existing, FieldChange, Kind, Remembered, Rule
from ldap2mailcow.plan import Plan
from tests.unit.plan.builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    DISABLED_TAG,
    MARK,
    NAMED,
    Scene,
    codes,
    existing,
    kinds,
    make_config,
    of_mailboxes,
    only,
    patch_of,
    people,
    quiet,
    remembered,
    row,
    wanted,
)

MAPPED = make_config(mapping={"active": "mailActive"})
BARS = make_config(removed_users={"action": "disallow_login"})
BARS_MAPPED = make_config(removed_users={"action": "disallow_login"}, mapping={"active": "mailActive"})


def box(active: int, *, tagged: bool = False) -> Existing:
    """Ann's mailbox."""
    return existing(ANN, active=active, tags=(MARK, DISABLED_TAG) if tagged else (MARK,))


def ours(cause: Cause | None, barred: int = 0, **columns: object) -> Remembered:
    """What is remembered of Ann's mailbox that we took out of service."""
    return row(ANN, disabled=cause, barred=barred, **columns)


def scene(told: int | None, there: Existing, known: Remembered | None = None, **more: Any) -> Scene:  # noqa: ANN401
    """A scene in which Ann's entry tells a status, or none."""
    return quiet([ANN], **{"wants": [wanted(ANN, active=told)], "has": [there], "rows": [known or row(ANN)], **more})


def statuses(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.kind in (Kind.ENABLE, Kind.DISABLE)]


# inactive


@pytest.mark.parametrize("before", [1, 2])
def test_an_inactive_entry_disables_its_mailbox_and_what_it_was_is_kept(before: int) -> None:
    change = only(scene(0, box(before)).plan().changes)
    assert (change.kind, change.why, change.fields) == (Kind.DISABLE, Rule.STATUS, (FieldChange("active", before, 0),))
    assert (change.writes, change.add_tags, change.rebuilds) == ({"active": 0}, (DISABLED_TAG,), 1)
    assert {"disabled": Cause.STATUS, "was_active": before, "barred": 0}.items() <= patch_of(change).items()


def test_attributes_and_status_are_two_changes_in_two_steps() -> None:
    plan = scene(0, box(1), wants=[wanted(ANN, active=0, name="A")]).plan()
    assert [(change.kind, change.writes) for change in of_mailboxes(plan.changes)] == [
        (Kind.UPDATE, {"name": "A"}),
        (Kind.DISABLE, {"active": 0}),
    ]


@pytest.mark.parametrize(
    ("there", "known", "cause"),
    [
        pytest.param(box(0), [row(ANN)], None, id="by hand"),
        pytest.param(box(0, tagged=True), [row(ANN)], Cause.STATUS, id="by us, as its tag says"),
        pytest.param(box(0), [], None, id="not remembered"),
        pytest.param(box(0, tagged=True), [ours(Cause.MISSING, 2)], None, id="by hand, where we had barred the login"),
    ],
)
def test_a_mailbox_that_is_inactive_as_its_entry_is_stays_whosever_doing_it_is(
    there: Existing, known: list[Remembered], cause: Cause | None
) -> None:
    plan = scene(0, there, rows=known).plan()
    assert (statuses(plan), plan.findings) == ([], ())
    assert remembered(plan, ANN).get("disabled") is cause


def test_what_was_activated_by_hand_against_the_directory_is_disabled_again() -> None:
    change = only(scene(0, box(1, tagged=True), ours(Cause.STATUS)).plan().changes)
    assert (change.kind, change.add_tags) == (Kind.DISABLE, ())


def test_a_mailbox_that_is_inactive_for_its_absence_is_inactive_for_its_status_from_now_on() -> None:
    """Else it would be activated as back as soon as its status isn't told any more."""
    plan = scene(0, box(0, tagged=True), ours(Cause.MISSING)).plan()
    assert (plan.changes, remembered(plan, ANN)["disabled"]) == ((), Cause.STATUS)


def test_a_mailbox_that_we_barred_becomes_inactive_and_what_it_was_before_is_kept() -> None:
    change = only(scene(0, box(2, tagged=True), ours(Cause.MISSING, 2), config=BARS).plan().changes)
    assert (change.kind, change.writes) == (Kind.DISABLE, {"active": 0})
    assert {"disabled": Cause.STATUS, "was_active": 1, "barred": 0}.items() <= patch_of(change).items()


# held


def test_a_status_over_the_limit_is_held_and_the_rest_of_the_mailbox_follows() -> None:
    everybody = (ANN, BOB, CAT, DAN)
    wants = [wanted(one, active=0, name="New") if one in (ANN, BOB) else wanted(one) for one in everybody]
    plan = quiet(everybody, wants=wants, config=make_config(limits={"removals": 1})).plan()
    assert [one.addresses for one in plan.withheld] == [(ANN, BOB)]
    assert [(change.kind, change.writes) for change in of_mailboxes(plan.changes)] == [
        (Kind.UPDATE, {"name": "New"})
    ] * 2


@pytest.mark.parametrize(
    ("known", "barred"),
    [
        pytest.param(ours(Cause.MISSING, 2), {}, id="by the state file"),
        pytest.param(row(ANN), {"barred": 2}, id="by the tag"),
    ],
)
def test_a_barred_mailbox_whose_inactive_status_is_held_is_barred_for_its_status_from_now_on(
    known: Remembered, barred: dict[str, object]
) -> None:
    """Else its user could log in as soon as the status isn't told any more."""
    plan = scene(0, box(2, tagged=True), known, config=BARS_MAPPED, doubts=(CUT_SHORT,)).plan()
    assert (plan.changes, [one.addresses for one in plan.withheld]) == ((), [(ANN,)])
    assert ({"disabled": Cause.STATUS} | barred).items() <= remembered(plan, ANN).items()
    untold = scene(None, box(2, tagged=True), ours(Cause.STATUS, 2), config=BARS_MAPPED).plan()
    assert (untold.changes, codes(untold)) == ((), [Code.STATUS_UNTOLD])


def test_a_stale_memory_of_our_doing_goes_though_the_status_is_held() -> None:
    plan = scene(0, box(1), ours(Cause.STATUS), doubts=(CUT_SHORT,)).plan()
    assert (plan.changes, remembered(plan, ANN)["disabled"]) == ((), None)


# active again


@pytest.mark.parametrize(
    ("tagged", "known"),
    [
        pytest.param(False, ours(Cause.STATUS), id="by the state file"),
        pytest.param(True, row(ANN), id="by the tag"),
    ],
)
def test_an_active_entry_enables_what_we_disabled(tagged: bool, known: Remembered) -> None:  # noqa: FBT001 - pytest gives it by name
    change = only(scene(1, box(0, tagged=tagged), known, config=MAPPED).plan().changes)
    assert (change.kind, change.why, change.writes) == (Kind.ENABLE, Rule.STATUS_BACK, {"active": 1})
    assert (change.remove_tags, change.rebuilds) == ((DISABLED_TAG,) * tagged, 0)
    assert {"disabled": None, "barred": 0}.items() <= patch_of(change).items()


def test_an_active_entry_that_is_back_is_enabled_because_it_is_back() -> None:
    assert only(scene(1, box(0, tagged=True), ours(Cause.MISSING)).plan().changes).why is Rule.BACK


def test_what_was_barred_by_hand_before_we_disabled_it_is_barred_again() -> None:
    change = only(scene(1, box(0, tagged=True), ours(Cause.STATUS, was_active=2)).plan().changes)
    assert (change.kind, change.writes, change.rebuilds) == (Kind.ENABLE, {"active": 2}, 1)
    assert change.remove_tags == (DISABLED_TAG,)


@pytest.mark.parametrize("config", [make_config(), MAPPED], ids=["no status is mapped", "mapped and untold"])
@pytest.mark.parametrize(("active", "barred"), [(0, 0), (2, 2)])
def test_a_user_whose_entry_is_back_is_let_in_without_a_status_too(config: Config, active: int, barred: int) -> None:
    """Being gone was the only cause."""
    plan = scene(None, box(active, tagged=True), ours(Cause.MISSING, barred), config=config).plan()
    change = only(plan.changes)
    assert (change.kind, change.why, change.writes) == (Kind.ENABLE, Rule.BACK, {"active": 1})
    assert plan.findings == ()


@pytest.mark.parametrize("known", [[], [row(ANN, was_active=2)]], ids=["no row", "a row without a cause"])
@pytest.mark.parametrize("config", [BARS_MAPPED, MAPPED], ids=["bars", "disables"])
def test_the_tag_alone_claims_a_barred_login_where_the_config_bars_logins(
    config: Config, known: list[Remembered]
) -> None:
    """A status is always an inactive mailbox, so a user who is back and untold may log in."""
    plan = scene(None, box(2, tagged=True), rows=known, config=config).plan()
    assert [change.writes for change in of_mailboxes(statuses(plan))] == [{"active": 1}] * (config is BARS_MAPPED)
    assert DISABLED_TAG in {tag for change in of_mailboxes(plan.changes) for tag in change.remove_tags}


@pytest.mark.parametrize("known", [[], [row(ANN)]], ids=["no row", "a row without a cause"])
def test_a_lost_state_file_enables_a_user_who_is_back_where_no_status_is_mapped(known: list[Remembered]) -> None:
    plan = scene(None, box(0, tagged=True), rows=known).plan()
    assert [change.why for change in statuses(plan)] == [Rule.BACK]


# untold


@pytest.mark.parametrize(
    ("known", "config", "attribute"),
    [
        pytest.param([ours(Cause.STATUS)], MAPPED, "mailActive", id="by the state file"),
        pytest.param([ours(Cause.STATUS)], make_config(), "status", id="mapped no more"),
        pytest.param([], MAPPED, "mailActive", id="by the tag"),
        pytest.param([row(ANN)], MAPPED, "mailActive", id="by the tag beside a row without a cause"),
    ],
)
def test_a_status_that_is_no_longer_told_is_not_an_active_one(
    known: list[Remembered], config: Config, attribute: str
) -> None:
    """A lost right to read the attribute would let all users log in whom the directory had locked."""
    plan = scene(None, box(0, tagged=True), rows=known, config=config).plan()
    assert (statuses(plan), codes(plan)) == ([], [Code.STATUS_UNTOLD])
    assert f"shows no {attribute} now" in plan.findings[0].sentence


def test_a_status_that_is_not_managed_changes_nothing() -> None:
    for active in (0, 2):
        plan = scene(None, box(active)).plan()
        assert (plan.changes, plan.findings) == ((), ())


# a status that can't be read


@pytest.mark.parametrize(
    ("there", "known"),
    [
        pytest.param(box(1), row(ANN), id="active"),
        pytest.param(box(0, tagged=True), ours(Cause.STATUS), id="inactive for its status"),
        pytest.param(box(0, tagged=True), ours(Cause.MISSING), id="inactive for its absence"),
        pytest.param(box(2, tagged=True), ours(Cause.MISSING, 2), id="barred for its absence"),
    ],
)
def test_a_mailbox_whose_status_can_t_be_read_stays_as_it_is(there: Existing, known: Remembered) -> None:
    """What is odd about the value is told where the entry is read."""
    plan = scene(None, there, known, wants=[wanted(ANN, unreadable=("active",))], config=BARS_MAPPED).plan()
    assert (plan.changes, plan.findings) == ((), ())


def test_a_user_whose_status_can_t_be_read_gets_no_mailbox() -> None:
    plan = Scene(wants=[wanted(ANN, unreadable=("active",)), wanted(BOB)], config=MAPPED).plan()
    assert (kinds(plan.changes), plan.findings) == ([(Kind.CREATE, BOB)], ())


def test_a_status_that_vanished_from_most_entries_can_t_be_read() -> None:
    *known, new, told = people(6)
    had = NAMED | {"password", "active"}
    plan = Scene(
        wants=[
            *(wanted(one) for one in known),
            wanted(new),
            wanted(told, active=1),
        ],
        has=[existing(known[0], active=0, tags=(MARK, DISABLED_TAG)), *map(existing, known[1:])],
        rows=[row(one, present=had, disabled=Cause.MISSING if one == known[0] else None) for one in known],
        config=MAPPED,
    ).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.CREATE, told)], [Code.ATTRIBUTE_VANISHED])


# by hand


@pytest.mark.parametrize(
    ("active", "how"),
    [(0, "set inactive in mailcow by hand"), (2, "barred from logging in in mailcow by hand")],
)
def test_what_was_disabled_by_hand_stays_so_and_is_told(active: int, how: str) -> None:
    plan = scene(1, box(active)).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DISABLED_BY_HAND])
    assert how in plan.findings[0].sentence


@pytest.mark.parametrize("active", [0, 2])
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (wanted(ANN, active=1), "its entry is active, but"),
        (wanted(ANN), "its entry is in the directory, but"),
        (wanted(ANN, unreadable=("active",)), "its entry is in the directory, but"),
    ],
    ids=["active", "untold", "unreadable"],
)
def test_a_mailbox_that_is_adopted_inactive_stays_so_and_is_told_with_the_way_out(
    entry: Any,  # noqa: ANN401
    said: str,
    active: int,
) -> None:
    there = existing(ANN, active=active, tags=())
    plan = scene(None, there, wants=[entry], rows=[], sources={}).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.ADOPT, ANN)], [Code.DISABLED_BY_HAND])
    assert "active" not in only(plan.changes).writes
    assert said in plan.findings[0].sentence
    assert "activate it in mailcow" in plan.findings[0].sentence


@pytest.mark.parametrize(
    ("active", "told", "found"),
    [(1, 1, []), (1, None, []), (2, 1, [Code.DISABLED_BY_HAND]), (0, 1, [Code.DISABLED_BY_HAND]), (0, None, [])],
)
def test_what_was_given_another_status_by_hand_loses_the_tag_and_the_memory_of_our_doing(
    active: int, told: int | None, found: list[Code]
) -> None:
    """Left there, they would claim the next inactive state, which may be made by hand, too."""
    barred = 2 if active == 0 else 0
    plan = scene(told, box(active, tagged=True), ours(Cause.MISSING, barred)).plan()
    change = only(plan.changes)
    assert (change.kind, change.why, change.writes) == (Kind.UPDATE, Rule.MAILCOW, {})
    assert (change.remove_tags, remembered(plan, ANN)["disabled"], codes(plan)) == ((DISABLED_TAG,), None, found)


def test_the_memory_of_our_doing_goes_without_a_tag_too() -> None:
    plan = scene(None, box(1), ours(Cause.MISSING)).plan()
    assert (plan.changes, remembered(plan, ANN)["disabled"]) == ((), None)


def test_a_tag_that_mailcow_has_in_other_case_is_not_added_again() -> None:
    there = existing(ANN, active=0, tags=("paris", "ldap-sync:paris", "Paris:disabled"))
    assert scene(0, there, ours(Cause.STATUS), config=make_config(mark="paris")).plan().changes == ()


def test_the_tag_of_our_doing_that_was_taken_away_is_put_back() -> None:
    change = only(scene(0, box(0), ours(Cause.STATUS)).plan().changes)
    assert (change.kind, change.add_tags) == (Kind.UPDATE, (DISABLED_TAG,))
