"""What each wanted alias needs: to be made, changed, set inactive or active again, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    GOTO,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    Address,
    Code,
    EntryId,
    ExistingAlias,
    FieldChange,
    Kind,
    Origin,
    RememberedAlias,
    Role,
    Rule,
    Subject,
    Value,
    joined,
)
from ldap2mailcow.plan import Guarded, Options, make_plan
from tests.unit.plan.builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    DAN,
    DISABLED_TAG,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    NOW,
    OUTSIDE,
    TEAM,
    Scene,
    Wish,
    alias,
    alias_config,
    alias_row,
    codes,
    dn_of,
    existing,
    forward,
    id_of,
    kinds,
    listing,
    number_of,
    of_aliases,
    only_alias,
    patch_of,
    people,
    remembered,
    row,
    settled,
    wanted,
    wish,
)
from tests.unit.plan.simulated import simulate

NOBODY_THERE = Address(f"nobody@{DOMAIN}")
TWIN = Address(f"{ANN.local}@{ALIAS_DOMAIN}")
AT_ALIAS_DOMAIN = Address(f"info@{ALIAS_DOMAIN}")
HAS_ALIAS_DOMAIN: dict[str, Any] = {"alias_domains": {ALIAS_DOMAIN: DOMAIN}}


def new(*wishes: Wish, **more: object) -> Scene:
    """A scene in which aliases are wanted that mailcow doesn't have."""
    return settled([ANN, BOB, CAT], wishes, **{"aliases": [], "alias_rows": [], **more})


def again(scene: Scene) -> list[tuple[Kind, Address]]:
    """Return what a second run does after the first."""
    return kinds(make_plan(simulate(scene.plan(), scene.case())).changes)


# new ones


def test_a_new_alias_is_made_whole_and_remembered() -> None:
    scene = new(wish(INFO, ANN))
    change = only_alias(scene.plan().changes)
    assert (change.kind, change.why, change.dn, change.number) == (Kind.CREATE, Rule.NEW, dn_of(ANN), None)
    assert change.writes == {
        "goto": ANN,
        "active": 1,
        "internal": 0,
        "sender_allowed": 1,
        "sogo_visible": 0,
        "public_comment": "",
        "private_comment": MARK,
    }
    assert change.fields == (FieldChange(GOTO, None, ANN),)
    assert change.remember == {
        "source": "default",
        "owner": id_of(ANN),
        "dn": dn_of(ANN),
        "role": "user",
        "origin": Origin.CREATED,
        "number": None,
        "applied": {"goto": ANN, "sogo_visible": 0},
        "disabled": False,
        "missing_since": None,
        "missed": 0,
        "last_missed": None,
    }
    assert again(scene) == []


@pytest.mark.parametrize(
    ("flags", "comment", "shown"),
    [
        pytest.param({"sogo_visible": 1}, None, {"sogo_visible": 1}, id="visible"),
        pytest.param(
            {"sogo_visible": 0, "internal": 1, "sender_allowed": 0}, None, {"internal": 1, "sender_allowed": 0}
        ),
        pytest.param({"sogo_visible": 0, "internal": 0, "sender_allowed": 1}, "", {}, id="as new ones are"),
        pytest.param({"sogo_visible": 0}, "Team", {"public_comment": "Team"}, id="comment"),
    ],
)
def test_a_new_alias_has_what_is_told_and_else_what_new_ones_have(
    flags: Mapping[str, int],
    comment: str | None,
    shown: Mapping[str, Value],
) -> None:
    scene = new(listing(TEAM, ANN, BOB, flags=flags, comment=comment))
    change = only_alias(scene.plan().changes)
    assert {one.key: one.after for one in change.fields} == {GOTO: joined([ANN, BOB]), **shown}
    assert patch_of(change)["applied"] == {
        GOTO: joined([ANN, BOB]),
        **flags,
        **({} if comment is None else {PUBLIC_COMMENT: comment}),
    }
    assert again(scene) == []


def test_an_alias_is_made_after_its_mailbox_in_the_same_run() -> None:
    scene = settled([], [wish(INFO, ANN)], wants=[wanted(ANN)], aliases=[], alias_rows=[])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, INFO)]
    assert again(scene) == []


@pytest.mark.parametrize(
    ("members", "goto"),
    [
        pytest.param((ANN, BOB), (ANN,), id="inactive"),
        pytest.param((ANN, NOBODY_THERE), (ANN,), id="nowhere"),
        pytest.param((ANN, OUTSIDE), (ANN, OUTSIDE), id="outside"),
        pytest.param((ANN, HELP), (ANN,), id="a further address of a user"),
        pytest.param((CAT, HELP), (ANN, CAT), id="a further address of another user"),
    ],
)
def test_a_goto_holds_who_can_be_reached(members: tuple[Address, ...], goto: tuple[Address, ...]) -> None:
    scene = new(listing(TEAM, *members), wish(HELP, ANN), has=[existing(ANN), existing(BOB, active=0), existing(CAT)])
    made = {change.address: change for change in map(only_alias, ([one] for one in scene.plan().changes))}
    assert made[TEAM].writes[GOTO] == joined(goto)
    assert again(scene) == []


def test_members_whom_nobody_knows_are_told() -> None:
    strangers = [Address(f"{name}@{DOMAIN}") for name in ("p", "q", "r", "s", "t")]
    plan = new(listing(TEAM, ANN, *strangers)).plan()
    assert [(one.code, one.where) for one in plan.findings] == [(Code.MEMBER_UNREACHABLE, TEAM)]
    assert "p@example.org, q@example.org, r@example.org and 2 more" in plan.findings[0].sentence
    assert " more" not in new(listing(TEAM, ANN, *strangers[:3])).plan().findings[0].sentence


def test_members_whose_mailbox_is_told_to_be_impossible_are_not_told_twice() -> None:
    scene = new(listing(TEAM, ANN, DAN), wants=[wanted(ANN), wanted(BOB), wanted(CAT), wanted(DAN, password=None)])
    assert codes(scene.plan()) == [Code.NO_PASSWORD]


def test_a_user_whose_mailbox_cannot_be_made_gets_no_alias_yet() -> None:
    scene = new(wish(INFO, DAN), wants=[wanted(DAN, password=None)])
    assert (scene.plan().changes, codes(scene.plan())) == ((), [Code.NO_PASSWORD])


def test_where_mailboxes_come_from_elsewhere_an_alias_without_one_is_told() -> None:
    plan = new(wish(INFO, DAN), wants=[wanted(DAN)], config=alias_config(create_mailboxes=False)).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ALIAS_WITHOUT_MAILBOX])
    assert DAN in plan.findings[0].sentence


def test_where_mailboxes_come_from_elsewhere_members_without_one_are_told() -> None:
    scene = new(listing(TEAM, ANN, DAN), config=alias_config(create_mailboxes=False))
    plan = replace(scene, wants=[*scene.wants, wanted(DAN)]).plan()
    assert codes(plan) == [Code.MEMBER_UNREACHABLE]


@pytest.mark.parametrize(
    ("empty", "code"),
    [(listing(TEAM), [Code.LIST_EMPTY]), (forward(TEAM, NOBODY_THERE), [Code.MEMBER_UNREACHABLE])],
)
def test_an_address_without_anybody_is_not_made(empty: Wish, code: list[Code]) -> None:
    assert (new(empty).plan().changes, codes(new(empty).plan())) == ((), code)


@pytest.mark.parametrize(("longest", "made"), [(2, True), (1, False)])
@pytest.mark.parametrize("kind", [listing, forward])
def test_a_list_that_postfix_would_not_deliver_is_not_made(
    longest: int,
    made: bool,  # noqa: FBT001 - pytest gives it by name
    kind: type,
) -> None:
    plan = new(kind(TEAM, ANN, BOB), config=alias_config(limits={"list_members": longest})).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, TEAM)] * made
    assert codes(plan) == [Code.LIST_TOO_LONG] * (not made)
    assert made or "2 members and limits.list_members is 1" in plan.findings[0].sentence


def test_a_list_that_mailcow_cannot_store_is_not_made() -> None:
    many = [Address(f"{'x' * 60}{number:04}@elsewhere.test") for number in range(900)]
    plan = new(listing(TEAM, *many)).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.LIST_TOO_LONG])
    assert "bytes of addresses" in plan.findings[0].sentence


# room


def test_aliases_that_do_not_fit_their_domain_are_told_and_not_made() -> None:
    scene = new(wish(HELP, ANN), wish(INFO, ANN), wish(TEAM, ANN), limits={"max_aliases": 2})
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, HELP), (Kind.CREATE, INFO)]
    assert [(one.code, one.where) for one in plan.findings] == [(Code.NO_ROOM_FOR_ALIAS, dn_of(ANN))]
    assert "all of its 2 aliases" in plan.findings[0].sentence
    assert again(scene) == []


def test_aliases_of_alias_domains_count_in_the_domain_they_stand_for() -> None:
    scene = new(wish(INFO, ANN), wish(AT_ALIAS_DOMAIN, ANN), limits={"max_aliases": 1}, **HAS_ALIAS_DOMAIN)
    assert len(scene.plan().changes) == 1
    simulate(scene.plan(), scene.case())


def test_a_list_that_only_its_members_name_is_told_by_its_address() -> None:
    plan = new(listing(TEAM, ANN, dn=""), limits={"max_aliases": 0}).plan()
    assert [(one.code, one.where) for one in plan.findings] == [(Code.NO_ROOM_FOR_ALIAS, TEAM)]


# those that are there


def kept(goto: Iterable[Address], asked: Wish, **values: object) -> Scene:
    """A scene in which an alias of ours is there, and something else is wanted of it."""
    return settled(
        [ANN, BOB, CAT, DAN], [asked], aliases=[alias(asked.address, *goto, **cast("dict[str, Any]", values))]
    )


def test_an_alias_that_agrees_needs_nothing() -> None:
    plan = settled([ANN, BOB], [wish(INFO, ANN), listing(TEAM, ANN, BOB)]).plan()
    assert (plan.changes, plan.notes, plan.findings) == ((), (), ())


@pytest.mark.parametrize(
    ("asked", "values", "writes"),
    [
        pytest.param(wish(INFO, BOB), {}, {GOTO: BOB}, id="goto"),
        pytest.param(listing(INFO, ANN, BOB), {}, {GOTO: joined([ANN, BOB])}, id="more"),
        pytest.param(wish(INFO, ANN, flags={"sogo_visible": 1}), {}, {"sogo_visible": 1}, id="flag"),
        pytest.param(
            listing(INFO, ANN, comment="New"), {"public_comment": "Old"}, {"public_comment": "New"}, id="comment"
        ),
        pytest.param(
            listing(INFO, ANN, comment=""), {"public_comment": "Old"}, {"public_comment": ""}, id="no comment"
        ),
        pytest.param(wish(INFO, ANN), {"public_comment": "Old"}, {}, id="a comment that isn't told"),
        pytest.param(wish(INFO, ANN), {"internal": 1, "sender_allowed": 0}, {}, id="flags that aren't told"),
        pytest.param(wish(INFO, ANN), {"mark": ""}, {PRIVATE_COMMENT: MARK}, id="the mark is gone"),
        pytest.param(wish(INFO, ANN), {"mark": DISABLED_TAG}, {PRIVATE_COMMENT: MARK}, id="active again by hand"),
        pytest.param(wish(INFO, ANN), {"mark": "their own"}, {}, id="a comment of their own"),
    ],
)
def test_what_differs_is_written_and_nothing_else(
    asked: Wish,
    values: Mapping[str, Value],
    writes: Mapping[str, Value],
) -> None:
    scene = kept([ANN], asked, **values)
    plan = scene.plan()
    assert [only_alias([change]).writes for change in plan.changes] == ([writes] if writes else [])
    assert [(change.kind, change.why) for change in plan.changes if GOTO in writes] in (
        [],
        [(Kind.UPDATE, Rule.MAILCOW)],
    )
    assert again(scene) == []


@pytest.mark.parametrize(("applied", "why"), [(ANN, Rule.LDAP), (BOB, Rule.MAILCOW)])
def test_a_change_says_who_moved(applied: Address, why: Rule) -> None:
    scene = kept([ANN], wish(INFO, BOB))
    rows = [alias_row(wish(INFO, BOB), applied={GOTO: applied})]
    assert only_alias(replace(scene, alias_rows=rows).plan().changes).why is why
    assert only_alias(replace(scene, alias_rows=[]).plan().changes).why is Rule.LDAP


def test_a_changed_owner_is_remembered_without_a_change() -> None:
    """A mailing list that was somebody's alias, for example."""
    scene = kept([ANN, BOB], listing(TEAM, ANN, BOB))
    rows = [alias_row(wish(TEAM, ANN, BOB), missed=3)]
    plan = replace(scene, alias_rows=rows).plan()
    assert plan.changes == ()
    assert remembered(plan, TEAM, Subject.ALIAS)["role"] == "list"
    assert remembered(plan, TEAM, Subject.ALIAS)["missed"] == 0


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param([listing(TEAM, CAT, known=False)], id="it"),
        pytest.param([listing(TEAM, CAT, HELP), listing(HELP, CAT, known=False)], id="a list in it"),
        pytest.param([forward(TEAM, CAT, HELP), listing(HELP, CAT, known=False)], id="a list that it forwards to"),
    ],
)
def test_a_list_of_which_not_all_members_are_known_loses_none(wishes: list[Wish]) -> None:
    """One value that can't be looked up puts in doubt that list alone: another loses whom it no longer has."""
    other = listing(INFO, CAT)
    scene = settled(
        [ANN, BOB, CAT], [*wishes, other], aliases=[alias(TEAM, ANN, BOB), alias(HELP, CAT), alias(INFO, ANN, BOB)]
    )
    writes = {change.address: change.writes for change in of_aliases(scene.plan().changes)}
    assert writes == {TEAM: {GOTO: joined([ANN, BOB, CAT])}, INFO: {GOTO: CAT}}


def test_an_alias_to_itself_and_others_is_put_right() -> None:
    scene = kept([ANN, INFO], listing(INFO, ANN))
    assert only_alias(scene.plan().changes).writes == {GOTO: ANN}
    assert again(scene) == []


def test_an_alias_to_itself_stays_no_member_of_itself_for_doubt() -> None:
    """mailcow refuses a goto with the own address."""
    scene = replace(kept([ANN, BOB, INFO], listing(INFO, ANN)), answers={"groups": DOUBTED})
    assert only_alias(scene.plan().changes).writes == {GOTO: joined([ANN, BOB])}
    assert again(scene) == []


# members who can't be reached


@pytest.mark.parametrize(
    "bob",
    [pytest.param((1, 0), id="becomes inactive"), pytest.param((0, 0), id="is inactive")],
)
def test_members_leave_before_their_mailbox_is_disabled(bob: tuple[int, int]) -> None:
    before, after = bob
    scene = settled(
        [ANN, BOB, CAT],
        [listing(TEAM, ANN, BOB, CAT)],
        wants=[wanted(ANN), wanted(BOB, active=after), wanted(CAT)],
        has=[existing(ANN), existing(BOB, active=before), existing(CAT)],
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, TEAM), *[(Kind.DISABLE, BOB)] * before]
    assert only_alias(plan.changes[:1]).writes == {GOTO: joined([ANN, CAT])}
    assert plan.withheld == ()
    assert again(scene) == []


def test_members_come_back_once_their_mailbox_is_active_again() -> None:
    scene = settled(
        [ANN, BOB],
        [listing(TEAM, ANN, BOB)],
        wants=[wanted(ANN), wanted(BOB, active=1)],
        has=[existing(ANN), existing(BOB, active=0, tags=(MARK, DISABLED_TAG))],
        aliases=[alias(TEAM, ANN)],
    )
    assert kinds(scene.plan().changes) == [(Kind.ENABLE, BOB), (Kind.UPDATE, TEAM)]
    assert again(scene) == []


@pytest.mark.parametrize("left", [pytest.param(1, id="inactive"), pytest.param(2, id="barred from logging in")])
def test_a_mailbox_that_only_bars_the_login_still_takes_mail(left: int) -> None:
    active = 0 if left == 1 else 2
    scene = settled([ANN, BOB], [listing(TEAM, ANN, BOB)], has=[existing(ANN), existing(BOB, active=active)])
    assert len(scene.plan().changes) == (left == 1)


def emptied(**more: object) -> Scene:
    """A scene in which nobody on a list can be reached any more."""
    fields = {"wants": [wanted(ANN, active=0)], "has": [existing(ANN, active=0)], **more}
    return settled([ANN], [listing(TEAM, ANN)], **fields)


def test_an_address_without_anybody_left_becomes_inactive() -> None:
    scene = emptied()
    plan = scene.plan()
    change = only_alias(plan.changes)
    assert (change.kind, change.why) == (Kind.DISABLE, Rule.NO_TARGET)
    assert change.writes == {ALIAS_ACTIVE: 0, PRIVATE_COMMENT: DISABLED_TAG}
    assert change.fields == (FieldChange(ALIAS_ACTIVE, 1, 0),)
    assert patch_of(change)["disabled"] is True
    assert patch_of(change)["applied"] == {GOTO: ANN, "sogo_visible": 0}
    assert codes(plan) == [Code.LIST_EMPTY]
    assert again(scene) == []


def test_an_address_is_active_again_once_somebody_is_there() -> None:
    asleep = emptied(aliases=[alias(TEAM, ANN, active=0, mark=DISABLED_TAG)])
    assert asleep.plan().changes == ()
    scene = settled([ANN], [listing(TEAM, ANN)], aliases=asleep.aliases)
    change = only_alias(scene.plan().changes)
    assert (change.kind, change.why) == (Kind.ENABLE, Rule.TARGET_BACK)
    assert change.writes == {ALIAS_ACTIVE: 1, PRIVATE_COMMENT: MARK}
    assert patch_of(change)["disabled"] is False
    assert again(scene) == []


def test_an_emptied_address_that_somebody_sets_active_is_set_inactive_again() -> None:
    scene = emptied(aliases=[alias(TEAM, ANN, mark=DISABLED_TAG)])
    assert only_alias(scene.plan().changes).writes == {ALIAS_ACTIVE: 0}


def test_what_somebody_set_inactive_in_mailcow_stays_so() -> None:
    scene = settled([ANN, BOB], [listing(TEAM, ANN, BOB)], aliases=[alias(TEAM, ANN, active=0)])
    plan = scene.plan()
    assert only_alias(plan.changes).writes == {GOTO: joined([ANN, BOB])}
    assert [(one.code, one.where) for one in plan.findings] == [(Code.ALIAS_DISABLED_BY_HAND, TEAM)]
    assert patch_of(plan.changes[0])["disabled"] is False
    assert again(scene) == []


def test_what_was_set_inactive_by_hand_and_is_empty_is_not_ours_to_enable_later() -> None:
    plan = emptied(aliases=[alias(TEAM, ANN, active=0)]).plan()
    assert (plan.changes, remembered(plan, TEAM, Subject.ALIAS)) == ((), {})


# the size of lists


def test_a_list_that_grew_too_long_keeps_the_members_that_it_had() -> None:
    config = alias_config(limits={"list_members": 2})
    scene = settled([ANN, BOB, CAT], [listing(TEAM, ANN, BOB, CAT)], aliases=[alias(TEAM, ANN, BOB)], config=config)
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.LIST_TOO_LONG])
    assert "keeps the members that it had" in plan.findings[0].sentence


@pytest.mark.parametrize("kind", [listing, forward])
def test_inactive_members_leave_a_list_that_is_too_long_all_the_same(kind: type) -> None:
    scene = settled(
        [ANN, BOB, CAT, DAN],
        [kind(TEAM, ANN, CAT, DAN)],
        has=[existing(ANN), existing(BOB, active=0), existing(CAT), existing(DAN)],
        aliases=[alias(TEAM, ANN, BOB)],
        config=alias_config(limits={"list_members": 2}),
    )
    assert only_alias(scene.plan().changes).writes == {GOTO: ANN}
    assert again(scene) == []


# rebuilds


@pytest.mark.parametrize(
    ("asked", "goto", "rebuilds"),
    [
        pytest.param(listing(TEAM, ANN, BOB), [ANN], 0, id="active mailboxes"),
        pytest.param(listing(TEAM, ANN, OUTSIDE), [ANN], 1, id="somebody outside comes"),
        pytest.param(listing(TEAM, ANN), [ANN, OUTSIDE], 1, id="somebody outside leaves"),
        pytest.param(listing(TEAM, ANN, HELP), [CAT], 1, id="a further address is its mailbox"),
        pytest.param(listing(TEAM, ANN), [ANN, CAT], 1, id="an inactive mailbox leaves"),
    ],
)
def test_each_target_that_is_no_active_mailbox_costs_a_rebuild(asked: Wish, goto: list[Address], rebuilds: int) -> None:
    scene = settled(
        [ANN, BOB, CAT],
        [asked, wish(HELP, ANN)],
        has=[existing(ANN), existing(BOB), existing(CAT, active=0)],
        aliases=[alias(TEAM, *goto), alias(HELP, ANN)],
    )
    assert only_alias(scene.plan().changes).rebuilds == rebuilds


def test_a_new_mailbox_costs_a_new_alias_no_rebuild() -> None:
    scene = settled([], [wish(INFO, ANN)], wants=[wanted(ANN)], aliases=[], alias_rows=[])
    assert [change.rebuilds for change in scene.plan().changes] == [0, 0]


def test_a_mailbox_that_is_enabled_before_costs_an_alias_no_rebuild() -> None:
    scene = settled(
        [ANN],
        [wish(INFO, ANN)],
        wants=[wanted(ANN, active=1)],
        has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))],
        aliases=[],
    )
    assert [(change.kind, change.rebuilds) for change in scene.plan().changes] == [(Kind.ENABLE, 0), (Kind.CREATE, 0)]


def test_aliases_are_decided_in_address_order() -> None:
    everybody = people(4)
    wishes = [wish(Address(f"x{number}@{DOMAIN}"), one) for number, one in enumerate(everybody)]
    one = settled(everybody, wishes, aliases=[], alias_rows=[], limits={"max_aliases": 2})
    other = replace(one, wishes=wishes[::-1])
    assert one.plan() == other.plan()


def test_an_alias_that_was_deleted_by_hand_is_made_again() -> None:
    scene = settled([ANN], [wish(INFO, ANN)], aliases=[], rows=[row(ANN)])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, INFO)]
    after = simulate(scene.plan(), scene.case())
    assert after.memory.aliases[INFO].number is None
    assert remembered(make_plan(after), INFO, Subject.ALIAS)["number"] == after.actual.aliases[INFO].number


# whose it is, and how a hand-made one is taken over


def found(existing_alias: ExistingAlias, *rows: RememberedAlias, **more: object) -> Scene:
    """A scene in which Ann's alias is wanted, and mailcow has one at its address."""
    fields: dict[str, Any] = {"wishes": [wish(INFO, ANN)], "aliases": [existing_alias], "alias_rows": rows}
    return settled([ANN, BOB], **{**fields, **more})


@pytest.mark.parametrize(
    ("policy", "goto", "taken", "remedy"),
    [
        ("same_goto", ANN, True, ""),
        ("same_goto", BOB, False, "adopt_aliases to overwrite"),
        ("overwrite", BOB, True, ""),
        ("refuse", ANN, False, "adopt_aliases to same_goto"),
    ],
)
def test_a_hand_made_alias_is_adopted_as_the_config_says(
    policy: str,
    goto: Address,
    taken: bool,  # noqa: FBT001 - pytest gives it by name
    remedy: str,
) -> None:
    scene = found(alias(INFO, goto, mark=""), config=alias_config(adopt_aliases=policy))
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.ADOPT, INFO)] * taken
    assert [(one.code, one.where, remedy in one.sentence) for one in plan.findings] == (
        [] if taken else [(Code.ALIAS_NOT_OURS, INFO, True)]
    )
    assert simulate(plan, scene.case()).actual.aliases[INFO].goto == ({ANN} if taken else {goto})
    assert again(scene) == []
    assert taken or plan.notes == ()


def test_an_adopted_alias_is_marked_and_remembered() -> None:
    change = only_alias(found(alias(INFO, ANN, mark="")).plan().changes)
    assert (change.why, change.writes, change.number) == (Rule.ADOPTED, {PRIVATE_COMMENT: MARK}, number_of(INFO))
    assert (patch_of(change)["origin"], patch_of(change)["number"]) == (Origin.ADOPTED, number_of(INFO))


def test_an_adopted_alias_keeps_a_comment_of_its_own_and_is_ours_by_the_state_file() -> None:
    scene = found(alias(INFO, ANN, mark="for the press"))
    change = only_alias(scene.plan().changes)
    assert (change.kind, change.writes, patch_of(change)["origin"]) == (Kind.ADOPT, {}, Origin.ADOPTED)
    after = make_plan(simulate(scene.plan(), scene.case()))
    assert (scene.plan().managed_aliases, after.changes, after.managed_aliases) == (0, (), 1)


@pytest.mark.parametrize(("goto", "taken"), [((ANN, BOB), True), ((ANN,), True), ((BOB,), False)])
def test_a_goto_is_the_same_with_and_without_inactive_members(
    goto: tuple[Address, ...],
    taken: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = settled(
        [ANN, BOB],
        [listing(TEAM, ANN, BOB)],
        has=[existing(ANN), existing(BOB, active=0)],
        aliases=[alias(TEAM, *goto, mark="")],
        alias_rows=[],
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.ADOPT, TEAM)] * taken
    assert not taken or simulate(plan, scene.case()).actual.aliases[TEAM].goto == {ANN}


def test_an_adopted_alias_of_a_user_without_a_mailbox_keeps_where_it_goes() -> None:
    """Rule 12: its target is an active mailbox, so it goes on to take mail."""
    config = alias_config(adopt_aliases="overwrite")
    scene = settled([BOB], [wish(INFO, ANN)], aliases=[alias(INFO, BOB, mark="")], alias_rows=[], config=config)
    plan = replace(scene, wants=[wanted(BOB), wanted(ANN, password=None)]).plan()
    assert (kinds(plan.changes), only_alias(plan.changes).writes) == ([(Kind.ADOPT, INFO)], {PRIVATE_COMMENT: MARK})


def test_a_lost_state_file_is_written_anew_from_the_marks() -> None:
    scene = settled([ANN], [wish(INFO, ANN)], alias_rows=[])
    plan = scene.plan()
    assert (plan.changes, plan.managed_aliases) == ((), 1)
    assert simulate(plan, scene.case()).memory.aliases == {INFO: alias_row(wish(INFO, ANN), origin=Origin.MARK)}


@pytest.mark.parametrize(
    ("number", "ours"),
    [pytest.param(number_of(INFO), True, id="its own"), (None, False), pytest.param(7, False, id="another")],
)
def test_an_alias_of_another_number_is_not_ours(
    number: int | None,
    ours: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    """Ours was deleted, and another one was made by hand at its address."""
    plan = found(alias(INFO, BOB, mark=""), alias_row(wish(INFO, ANN), number=number)).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, INFO)] * ours
    assert codes(plan) == [Code.ALIAS_NOT_OURS] * (not ours)


def test_a_number_that_was_not_read_back_yet_is_remembered() -> None:
    plan = found(alias(INFO, ANN), alias_row(wish(INFO, ANN), number=None)).plan()
    assert (plan.changes, remembered(plan, INFO, Subject.ALIAS)["number"]) == ((), number_of(INFO))


def test_another_alias_at_the_address_of_one_that_we_disabled_is_not_ours_to_enable() -> None:
    scene = found(alias(INFO, ANN, mark="", active=0), alias_row(wish(INFO, ANN), number=7, disabled=True))
    plan = scene.plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.ADOPT, INFO)], [Code.ALIAS_DISABLED_BY_HAND])
    assert not simulate(plan, scene.case()).actual.aliases[INFO].is_active


def test_an_adopted_address_with_a_comment_of_its_own_comes_back_by_the_state_file() -> None:
    scene = emptied(aliases=[alias(TEAM, ANN, mark="their own")])
    after = simulate(scene.plan(), scene.case())
    assert (after.actual.aliases[TEAM].values[PRIVATE_COMMENT], after.memory.aliases[TEAM].disabled) == (
        "their own",
        True,
    )
    rows, there = tuple(after.memory.aliases.values()), tuple(after.actual.aliases.values())
    back = settled([ANN], [listing(TEAM, ANN)], aliases=there, alias_rows=rows)
    assert kinds(back.plan().changes) == [(Kind.ENABLE, TEAM)]


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_a_protected_alias_that_is_asked_for_is_told_and_not_touched(there: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    config = alias_config(protected=[INFO, TEAM])
    aliases = [alias(INFO, BOB), alias(TEAM, BOB)] if there else []
    plan = found(alias(INFO, BOB), config=config, aliases=aliases).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert [(one.code, one.where) for one in plan.findings] == [(Code.PROTECTED, INFO)]


def test_neither_what_is_not_ours_nor_what_it_holds_is_touched() -> None:
    """A hand-made alias may name an inactive mailbox."""
    plan = found(alias(INFO, ANN), aliases=[alias(INFO, ANN), alias(TEAM, ANN, DAN, mark="their own")]).plan()
    assert (plan.changes, plan.findings, plan.unmanaged_aliases) == ((), (), (TEAM,))


@pytest.mark.parametrize(("only", "touched"), [({INFO}, [INFO]), ({ANN}, [INFO]), ({BOB}, []), ({TEAM}, [TEAM])])
@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_a_run_for_some_addresses_touches_their_aliases_only(
    only: set[Address],
    touched: list[Address],
    there: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    """A user's aliases go with the user; a list is touched for its own address only, and not for its members'."""
    aliases = [alias(INFO, ANN, sogo_visible=1), alias(TEAM, ANN)] if there else []
    wishes = [wish(INFO, ANN), listing(TEAM, ANN, BOB)]
    scene = settled([ANN, BOB], wishes, aliases=aliases, options=Options(only=frozenset(only)))
    assert [change.address for change in scene.plan().changes] == touched


# what a rename of ours left, where the run ended before it could mark it

LEFT = alias(INFO, ANN, mark=f"Mailbox was renamed from {INFO} to {ANN}", sender_allowed=0, sogo_visible=1)
"""As mailcow makes it, not as we want it."""
FORMER = replace(alias_row(wish(INFO, ANN)), role=Role.FORMER, number=None)


@pytest.mark.parametrize("number", [None, 0])
def test_an_alias_that_a_rename_left_unmarked_is_marked_by_the_next_run(number: int | None) -> None:
    scene = found(LEFT, replace(FORMER, number=number), wishes=[])
    change = only_alias(scene.plan().changes)
    assert (change.kind, change.why, change.number) == (Kind.UPDATE, Rule.UNFINISHED, LEFT.number)
    assert change.writes == {"sender_allowed": 1, "sogo_visible": 0, PRIVATE_COMMENT: "ldap-sync:renamed"}
    assert patch_of(change)["number"] == LEFT.number
    assert again(scene) == []


def test_what_a_rename_left_is_marked_as_any_alias_where_an_entry_asks_for_it() -> None:
    change = only_alias(found(LEFT, FORMER).plan().changes)
    assert (change.kind, change.writes[PRIVATE_COMMENT]) == (Kind.UPDATE, MARK)


@pytest.mark.parametrize("row", [None, replace(FORMER, number=7), replace(FORMER, role=Role.USER)])
def test_an_alias_that_another_rename_left_is_left_alone_or_keeps_its_comment(row: RememberedAlias | None) -> None:
    rows = [row] if row else []
    assert found(LEFT, *rows, wishes=[]).plan().changes == ()
    change = only_alias(found(LEFT, *rows).plan().changes)
    assert (change.kind, PRIVATE_COMMENT in change.writes) == (Kind.ADOPT, False)


# held, where mailboxes come from elsewhere: an alias that takes no more mail counts as a removal

EVERYBODY = people(10)


def silent(number: int, *, asked: bool, **more: object) -> Scene:
    """Everybody has an alias, and the directory calls all of them inactive; their mailboxes stay active."""
    wishes = [wish(Address(f"x{one}"), one) for one in EVERYBODY[:number]]
    return settled(
        EVERYBODY,
        wishes if asked else [],
        wants=[wanted(one, active=0) for one in EVERYBODY],
        aliases=[alias(one.address, *one.goto) for one in wishes],
        alias_rows=[alias_row(one, owner=one.owner if asked else "gone") for one in wishes],
        config=alias_config(create_mailboxes=False),
        **more,
    )


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "of entries that are gone"])
@pytest.mark.parametrize(("number", "approved", "silenced"), [(10, 0, 0), (1, 0, 1), (10, 10, 10)])
def test_one_run_silences_some_aliases_only(number: int, approved: int, silenced: int, *, asked: bool) -> None:
    plan = silent(number, asked=asked, options=Options(approved={Guarded.ALIAS: approved})).plan()
    assert [change.kind for change in plan.changes] == [Kind.DISABLE] * silenced
    assert [one.kind for one in plan.withheld] == [Guarded.ALIAS] * (not silenced)
    assert silenced or plan.findings == ()


def test_where_mailboxes_come_from_elsewhere_inactive_users_leave_the_lists() -> None:
    config = alias_config(create_mailboxes=False)
    scene = settled([ANN, BOB], [listing(TEAM, ANN, BOB)], wants=[wanted(ANN, active=0), wanted(BOB)], config=config)
    assert only_alias(scene.plan().changes).writes == {GOTO: BOB}


def test_an_alias_of_a_user_whose_mailbox_is_renamed_later_elsewhere_stays() -> None:
    config = alias_config(create_mailboxes=False)
    scene = settled([ANN], [wish(INFO, BOB)], aliases=[alias(INFO, ANN)], wants=[wanted(ANN), wanted(BOB)])
    plan = replace(scene, config=config).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ALIAS_WITHOUT_MAILBOX])


# members that stay


def departed(**more: object) -> Scene:
    """A scene in which Bob's entry is gone, and with it its place in the group."""
    return settled(
        [ANN, CAT],
        [listing(TEAM, ANN, CAT)],
        **{
            "has": [existing(ANN), existing(BOB), existing(CAT)],
            "rows": [row(ANN), row(BOB), row(CAT)],
            "aliases": [alias(TEAM, ANN, BOB, CAT)],
            "alias_rows": [alias_row(listing(TEAM, ANN, BOB, CAT))],
            **more,
        },
    )


def test_members_stay_as_long_as_their_mailbox_and_leave_with_it() -> None:
    case, done = departed().case(), []
    for minutes in (0, 20, 40, 60):
        case = replace(case, now=NOW + timedelta(minutes=minutes))
        plan = make_plan(case)
        done.append(kinds(plan.changes))
        case = simulate(plan, case)
    assert done == [[], [], [(Kind.UPDATE, TEAM), (Kind.DISABLE, BOB)], []]


def test_members_whose_entry_left_only_the_group_leave_the_list() -> None:
    scene = settled([ANN, BOB], [listing(TEAM, ANN)], aliases=[alias(TEAM, ANN, BOB)])
    assert only_alias(scene.plan().changes).writes == {GOTO: ANN}


def test_an_unwanted_list_is_kept_clean_too() -> None:
    """What it went to before is by another name now, or takes no mail."""
    scene = settled(
        [ANN, BOB],
        has=[existing(ANN), existing(BOB, active=0)],
        aliases=[alias(TEAM, ANN, BOB), alias(INFO, BOB)],
        alias_rows=[alias_row(listing(TEAM, ANN, BOB)), alias_row(listing(INFO, BOB))],
        answers={"groups": DOUBTED},
    )
    plan = scene.plan()
    assert [(one.kind, one.address, one.why, one.writes.get(GOTO)) for one in of_aliases(plan.changes)] == [
        (Kind.DISABLE, INFO, Rule.NO_TARGET, None),
        (Kind.UPDATE, TEAM, Rule.NOT_WHOLE, ANN),
    ]
    assert again(scene) == []


def test_the_aliases_of_users_who_were_made_anew_stay_with_the_mailboxes() -> None:
    """Rule 12: four came with other ids; none gets the old mailbox, and no alias of them goes inactive."""
    anew, others = EVERYBODY[:4], EVERYBODY[4:]
    wishes = [wish(Address(f"x{one}"), one, owner=f"new-{one.local}") for one in anew]
    scene = settled(
        EVERYBODY,
        wishes,
        wants=[*(wanted(one, id=f"new-{one.local}") for one in anew), *map(wanted, others)],
        bystanders={EntryId("default", f"new-{one.local}"): NOW - timedelta(days=1) for one in anew},
        alias_rows=[alias_row(wish(one.address, *one.goto)) for one in wishes],
    )
    plan = scene.plan()
    assert (of_aliases(plan.changes), codes(plan)) == ([], [Code.ADDRESS_REUSED] * 4)


@pytest.mark.parametrize(
    "wishes", [[listing(TEAM, ANN)], []], ids=["it is asked for, and loses nobody", "its group is not seen"]
)
def test_what_a_list_keeps_is_by_the_present_addresses(wishes: list[Wish]) -> None:
    """Rule 2: a former address in it would lead there too, but only as long as there is an alias."""
    former = wish(INFO, BOB, role=Role.FORMER, owner=id_of(BOB), dn=dn_of(BOB), flags={})
    scene = settled(
        [ANN, BOB],
        wishes,
        aliases=[alias(TEAM, ANN, INFO), alias(INFO, BOB, mark="ldap-sync:renamed")],
        alias_rows=[alias_row(listing(TEAM, ANN, INFO)), alias_row(former)],
        answers={"groups": DOUBTED},
    )
    assert only_alias(scene.plan().changes).writes == {GOTO: joined([ANN, BOB])}
    assert again(scene) == []


def test_what_goes_to_an_alias_does_not_count_on_targets_that_it_loses_in_this_run() -> None:
    """It would go to what is set inactive beside it, and the next run would take that out again."""
    scene = settled(
        [ANN, BOB],
        [forward(HELP), listing(TEAM, HELP, BOB)],
        aliases=[alias(HELP, ANN)],
        alias_rows=[alias_row(forward(HELP, ANN))],
    )
    plan = scene.plan()
    assert [(one.kind, one.address, one.writes.get(GOTO)) for one in of_aliases(plan.changes)] == [
        (Kind.DISABLE, HELP, None),
        (Kind.CREATE, TEAM, BOB),
    ]
    assert again(scene) == []


@pytest.mark.parametrize("policy", ["refuse", "overwrite"])
def test_what_goes_to_an_alias_that_was_made_by_hand_counts_on_what_becomes_of_that(policy: str) -> None:
    scene = settled(
        [ANN, BOB],
        [forward(HELP), listing(TEAM, HELP)],
        aliases=[alias(HELP, ANN, mark="")],
        alias_rows=[],
        config=alias_config(adopt_aliases=policy),
    )
    plan = scene.plan()
    assert [one.address for one in of_aliases(plan.changes)] == ([TEAM] if policy == "refuse" else [HELP])
    assert again(scene) == []
