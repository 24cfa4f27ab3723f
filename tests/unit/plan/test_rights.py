"""Rights that would be lost: counted and withheld like everything else that is taken away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ldap2mailcow.model import Address, Code, Kind, MailboxChange, Rule, SourceMemory
from ldap2mailcow.plan import Guarded, Options, Plan, Reason, fingerprint

from .builders import (
    ANN,
    BOB,
    CUT_SHORT,
    INFO,
    NAMED,
    NONE_FOUND,
    NOW,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    existing,
    id_of,
    listing,
    of_mailboxes,
    only,
    people,
    row,
    settled,
    wanted,
)
from .simulated import planned, simulate

CONFIG = alias_config(mapping={"send_as": "mailSendAs"})
EVERYBODY = people(20)
BOSS = EVERYBODY[0]
LONG_AGO = NOW - timedelta(days=1)


def rights(have: int, keep: int, **more: object) -> Scene:
    """A scene in which some people may send as the boss, and fewer of them still shall."""
    holders = EVERYBODY[1 : have + 1]
    fields: dict[str, Any] = {
        "rows": [row(one, senders=frozenset({BOSS} if one in holders else ())) for one in EVERYBODY],
        "senders": {one: frozenset({BOSS}) for one in holders},
        "wished": {"senders": {one: frozenset({BOSS}) for one in holders[:keep]}, "foreign_senders": {}},
        "config": CONFIG,
    }
    return settled(EVERYBODY, **{**fields, **more})


def losing(plan: Plan) -> list[Address]:
    return [change.address for change in of_mailboxes(plan.changes) if change.kind is Kind.GRANT]


@pytest.mark.parametrize(("have", "keep", "lost"), [(12, 7, 5), (12, 6, 0), (2, 1, 1), (2, 0, 0)])
def test_one_run_takes_rights_from_some_people_only(have: int, keep: int, lost: int) -> None:
    plan = rights(have, keep).plan()
    assert len(losing(plan)) == lost
    assert [(one.kind, one.reason) for one in plan.withheld] == [(Guarded.RIGHTS, Reason.OVER_LIMIT)] * (lost == 0)


def test_whoever_has_read_the_list_types_its_length() -> None:
    plan = rights(12, 6).plan()
    assert plan.withheld[0].sentence == (
        "6 of 12 people would lose rights to send as others, and limits.removals lets 5 through; if that is meant, run "
        "once with --force-removals 6"
    )
    assert plan.withheld[0].addresses == EVERYBODY[7:13]
    assert len(losing(rights(12, 6, options=Options(approved=dict.fromkeys(Guarded, 6))).plan())) == 6


@pytest.mark.parametrize("key", ["user_mapping.send_as", "send_as_any", "user_search_filter", "group_search_base"])
def test_a_changed_search_takes_no_right(key: str) -> None:
    scene = rights(12, 11)
    accepted = {**fingerprint(scene.config.sources[0]), key: "something else"}
    plan = replace(scene, sources={"default": SourceMemory("entryUUID", accepted)}).plan()
    assert losing(plan) == []
    assert [(one.kind, one.reason) for one in plan.withheld] == [(Guarded.RIGHTS, Reason.SEARCH_CHANGED)]


def test_what_is_new_is_given_while_losses_are_withheld() -> None:
    scene = rights(12, 6)
    wished = {**scene.wished["senders"], EVERYBODY[15]: frozenset({BOSS})}
    scene = replace(
        scene,
        wished={**scene.wished, "senders": wished},
        senders={**scene.senders, EVERYBODY[15]: frozenset()},
    )
    plan = scene.plan()
    assert losing(plan) == [EVERYBODY[15]]
    assert len(plan.withheld) == 1


def test_no_groups_where_there_were_some_takes_no_right() -> None:
    """The rights of groups look the same as if they were taken away."""
    lists = {
        "aliases": [alias(TEAM, ANN)],
        "alias_rows": [alias_row(listing(TEAM, ANN))],
        "answers": {"groups": NONE_FOUND},
    }
    assert losing(rights(12, 11, **lists).plan()) == []


def test_half_an_answer_takes_no_right_and_asks_nobody() -> None:
    plan = rights(12, 6, doubts=(CUT_SHORT,)).plan()
    assert losing(plan) == []
    assert all(one.kind is not Guarded.RIGHTS for one in plan.withheld)


def test_a_right_that_an_alias_gives_from_now_on_is_not_lost() -> None:
    wishes = [listing(INFO, *EVERYBODY[1:13])]
    more: dict[str, Any] = {
        "wishes": wishes,
        "aliases": [alias(INFO, *EVERYBODY[1:13])],
        "alias_rows": [alias_row(wishes[0])],
        "rows": [row(one, senders=frozenset({INFO})) for one in EVERYBODY[:13]],
        "senders": {one: frozenset({INFO}) for one in EVERYBODY[1:13]},
    }
    plan = rights(12, 0, **more).plan()
    assert len(losing(plan)) == 12
    assert plan.withheld == ()


# rows that an edit of ours would drop


def closed(there: Iterable[str], **more: object) -> Scene:
    """A list that doesn't let its members send as it, one of whom somebody allowed to; a third person joins."""
    fields: dict[str, Any] = {
        "wishes": [listing(TEAM, ANN, BOB, flags={"sender_allowed": 0})],
        "aliases": [alias(TEAM, ANN, sender_allowed=0)],
        "alias_rows": [alias_row(listing(TEAM, ANN))],
        "has": [existing(ANN, senders=frozenset(there)), existing(BOB)],
    }
    return settled([ANN, BOB], **{**fields, **more})


def test_a_row_made_by_hand_survives_our_edit_of_the_list() -> None:
    view = closed([TEAM]).case()
    plan, read = planned(view)
    change = next(one for one in of_mailboxes(plan.changes) if one.kind is Kind.GRANT)
    assert (change.address, change.senders, change.why) == (ANN, (TEAM,), Rule.DROPPED)
    assert (change.fields[0].before, change.fields[0].after) == (None, TEAM)
    after = simulate(plan, read)
    assert after.actual.mailboxes[ANN].senders == frozenset({TEAM})
    assert planned(after)[0].changes == ()


def test_nobody_is_asked_about_a_list_that_lets_its_members_send() -> None:
    wishes = [listing(TEAM, ANN, BOB)]
    plan = closed([], wishes=wishes, aliases=[alias(TEAM, ANN)]).plan()
    assert plan.unread == frozenset()


# an attribute that vanished


def vanished(key: str, mapping: dict[str, Any], **more: object) -> Scene:
    present = NAMED | {"password", key}
    fields: dict[str, Any] = {
        "rows": [row(one, present=present, senders=frozenset({BOSS})) for one in EVERYBODY],
        "config": alias_config(mapping=mapping),
        "senders": {one: frozenset({BOSS}) for one in EVERYBODY[1:]},
    }
    return settled(EVERYBODY, **{**fields, **more})


def test_an_attribute_that_makes_rights_vanishing_takes_none_and_leaves_mailboxes_alone() -> None:
    scene = vanished("send_as", {"send_as": "mailSendAs"})
    plan = scene.plan()
    assert plan.whole
    assert Code.ATTRIBUTE_VANISHED in codes(plan)
    assert [(one.kind, one.reason) for one in plan.withheld] == [(Guarded.RIGHTS, Reason.SEARCH_CHANGED)]


def test_it_stays_withheld_until_somebody_says_the_word() -> None:
    view = vanished("send_as", {"send_as": "mailSendAs"}).case()
    for _ in range(3):
        plan, read = planned(view)
        assert [one.kind for one in plan.withheld] == [Guarded.RIGHTS]
        view = simulate(plan, read)
    plan, read = planned(replace(view, options=Options(approved=dict.fromkeys(Guarded, 19))))
    assert plan.withheld == ()
    plan, _ = planned(replace(simulate(plan, read), options=Options()))
    assert Code.ATTRIBUTE_VANISHED not in codes(plan)


def test_a_vanished_attribute_of_aliases_does_not_keep_leavers_active() -> None:
    scene = vanished("aliases:mailAlias", {"aliases": ["mailAlias"]})
    gone = replace(
        scene,
        wants=[wanted(one) for one in EVERYBODY[:-1]],
        rows=[
            row(one, present=NAMED | {"password", "aliases:mailAlias"}, missed=5, missing_since=LONG_AGO)
            if one == EVERYBODY[-1]
            else row(one, present=NAMED | {"password", "aliases:mailAlias"})
            for one in EVERYBODY
        ],
    )
    change: MailboxChange = only(one for one in of_mailboxes(gone.plan().changes) if one.kind is Kind.DISABLE)
    assert change.address == EVERYBODY[-1]


def test_the_rights_of_an_entry_that_can_not_be_read_just_now_stay() -> None:
    scene = rights(1, 0)
    holder = EVERYBODY[1]
    gone = replace(scene, wants=[wanted(one) for one in EVERYBODY if one != holder])
    there = {"ids": frozenset(id_of(one) for one in EVERYBODY)}
    assert losing(replace(gone, desired=there).plan()) == [holder]
    wished = {**scene.wished, "unreadable": frozenset({id_of(holder)})}
    assert losing(replace(gone, desired=there, wished=wished).plan()) == []
