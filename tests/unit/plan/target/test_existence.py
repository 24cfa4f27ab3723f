"""Which aliases stay and which go: the grace, the policy, what keeps them, and what frees an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    GOTO,
    PRIVATE_COMMENT,
    Address,
    Code,
    FieldChange,
    Kind,
    Note,
    Origin,
    Role,
    Rule,
    Subject,
)
from ldap2mailcow.plan import Fate, Guarded, Options, Pending, make_plan
from tests.unit.plan.builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    DISABLED_TAG,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    NOW,
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
    make_config,
    number_of,
    of_aliases,
    only_alias,
    quiet,
    remembered,
    row,
    settled,
    wanted,
    wish,
)
from tests.unit.plan.simulated import simulate

HALF_AN_HOUR = timedelta(minutes=30)
LONG_AGO = NOW - timedelta(days=1)
OF_ANN = wish(INFO, ANN)
OF_BOB = wish(INFO, BOB)


def unwanted(**more: object) -> Scene:
    """A scene in which Ann's entry no longer lists an alias."""
    fields: dict[str, Any] = {"aliases": [alias(INFO, ANN)], "alias_rows": [alias_row(OF_ANN)]}
    return settled([ANN], **{**fields, **more})


def orphaned(missed: int = 5, **more: object) -> Scene:
    """A scene in which Bob's entry is gone, and he has a mailbox and an alias."""
    since = {"missed": missed, "missing_since": LONG_AGO if missed else None}
    fields: dict[str, Any] = {
        "has": [existing(ANN), existing(BOB), existing(CAT)],
        "rows": [row(ANN), row(BOB, **since), row(CAT)],
        "aliases": [alias(INFO, BOB)],
        "alias_rows": [alias_row(OF_BOB, **since)],
    }
    return settled([ANN, CAT], **{**fields, **more})


def test_what_an_entry_no_longer_lists_goes_at_once() -> None:
    scene = unwanted()
    change = only_alias(scene.plan().changes)
    assert (change.kind, change.why, change.dn) == (Kind.REMOVE, Rule.NOT_WANTED, dn_of(ANN))
    assert (change.number, change.writes, change.fields, change.remember) == (number_of(INFO), {}, (), None)
    after = simulate(scene.plan(), scene.case())
    assert (after.actual.aliases, after.memory.aliases) == ({}, {})
    assert make_plan(after).changes == ()


@pytest.mark.parametrize(
    ("policy", "active", "kind"),
    [
        ("delete", 1, Kind.REMOVE),
        ("delete", 0, Kind.REMOVE),
        ("disable", 1, Kind.DISABLE),
        ("disable", 0, None),
        ("keep", 1, None),
    ],
)
def test_the_config_says_what_becomes_of_it(policy: str, active: int, kind: Kind | None) -> None:
    scene = unwanted(config=alias_config(removed_aliases=policy), aliases=[alias(INFO, ANN, active=active)])
    assert kinds(scene.plan().changes) == ([(kind, INFO)] if kind else [])
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


def test_a_disabled_alias_says_so_and_comes_back_when_it_is_wanted_again() -> None:
    scene = unwanted(config=alias_config(removed_aliases="disable"))
    change = only_alias(scene.plan().changes)
    assert change.writes == {ALIAS_ACTIVE: 0, PRIVATE_COMMENT: DISABLED_TAG}
    assert change.fields == (FieldChange(ALIAS_ACTIVE, 1, 0),)
    after = simulate(scene.plan(), scene.case())
    assert after.memory.aliases[INFO] == alias_row(OF_ANN, disabled=True)
    back = replace(after, directories=settled([ANN], [OF_ANN]).case().directories)
    assert kinds(make_plan(back).changes) == [(Kind.ENABLE, INFO)]


def test_a_comment_of_somebody_s_own_stays() -> None:
    scene = unwanted(config=alias_config(removed_aliases="disable"), aliases=[alias(INFO, ANN, mark="their own")])
    assert only_alias(scene.plan().changes).writes == {ALIAS_ACTIVE: 0}


@pytest.mark.parametrize(
    ("owner", "role"),
    [(id_of(ANN), Role.USER), (f"id-{TEAM.local}", Role.LIST), ("id-forward", Role.FORWARD)],
)
def test_an_entry_of_any_kind_that_is_there_asks_for_it_no_longer(owner: str, role: Role) -> None:
    scene = settled(
        [ANN],
        [listing(TEAM, ANN), forward(HELP, ANN, owner="id-forward")],
        aliases=[alias(INFO, ANN), alias(TEAM, ANN), alias(HELP, ANN)],
        alias_rows=[
            alias_row(OF_ANN, owner=owner, role=role),
            alias_row(listing(TEAM, ANN)),
            alias_row(forward(HELP, ANN, owner="id-forward")),
        ],
    )
    assert only_alias(scene.plan().changes).why is Rule.NOT_WANTED


# the grace


def test_an_alias_goes_in_the_same_run_as_its_owner_s_mailbox() -> None:
    scene = orphaned(0)
    view, done = scene.case(), []
    for minutes in (0, 20, 40):
        view = replace(view, now=NOW + timedelta(minutes=minutes))
        plan = make_plan(view)
        done.append(kinds(plan.changes))
        view = simulate(plan, view)
    assert done == [[], [], [(Kind.REMOVE, INFO), (Kind.DISABLE, BOB)]]


def test_the_first_miss_is_counted_and_pending() -> None:
    plan = orphaned(0).plan()
    assert plan.changes == ()
    assert Pending(INFO, dn_of(BOB), NOW + HALF_AN_HOUR, 1, Fate.REMOVED, Subject.ALIAS) in plan.pending
    assert remembered(plan, INFO, Subject.ALIAS)["missed"] == 1
    assert remembered(plan, INFO, Subject.ALIAS)["missing_since"] == NOW


@pytest.mark.parametrize(
    ("missed", "since", "gone"),
    [
        pytest.param(1, NOW - HALF_AN_HOUR, True, id="both are just over"),
        pytest.param(1, NOW - HALF_AN_HOUR + timedelta(seconds=1), False, id="a second too early"),
        pytest.param(0, LONG_AGO, False, id="one run only"),
    ],
)
def test_the_grace_is_that_of_mailboxes(missed: int, since: object, gone: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    rows = [alias_row(OF_BOB, missed=missed, missing_since=since)]
    plan = orphaned(0, alias_rows=rows).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO)] * gone
    assert {one.address for one in plan.pending} == {BOB, *[INFO] * (not gone)}


def test_what_the_config_keeps_is_not_pending() -> None:
    plan = orphaned(0, config=alias_config(removed_aliases="keep")).plan()
    assert [one.address for one in plan.pending] == [BOB]


def test_whoever_is_back_has_no_miss_any_more() -> None:
    scene = settled([BOB], [OF_BOB], alias_rows=[alias_row(OF_BOB, missed=2, missing_since=LONG_AGO)])
    assert simulate(scene.plan(), scene.case()).memory.aliases[INFO] == alias_row(OF_BOB)


def test_what_only_its_mark_makes_ours_has_a_grace_too_and_is_remembered_then() -> None:
    scene = settled([ANN], aliases=[alias(INFO, ANN, mark=DISABLED_TAG, active=0)])
    plan = scene.plan()
    assert plan.changes == ()
    found = simulate(plan, scene.case()).memory.aliases[INFO]
    assert (found.origin, found.owner, found.role, found.missed) == (Origin.MARK, "", None, 1)
    rows = [replace(found, missed=5, missing_since=LONG_AGO)]
    assert kinds(replace(scene, alias_rows=rows).plan().changes) == [(Kind.REMOVE, INFO)]


# what keeps them


@pytest.mark.parametrize(
    ("of", "more", "removed"),
    [
        pytest.param(OF_BOB, {}, True, id="all is known"),
        pytest.param(OF_BOB, {"doubts": (CUT_SHORT,)}, False, id="users in doubt"),
        pytest.param(OF_BOB, {"options": Options(only=frozenset({INFO}))}, False, id="--only"),
        pytest.param(OF_BOB, {"options": Options(overridden_filter=True)}, False, id="--override-filter"),
        pytest.param(OF_BOB, {"answers": {"groups": DOUBTED}}, True, id="groups in doubt"),
        pytest.param(OF_BOB, {"answers": {"forwards": DOUBTED}}, True, id="forwards in doubt"),
        pytest.param(listing(INFO, ANN), {}, True, id="a list"),
        pytest.param(listing(INFO, ANN), {"doubts": (CUT_SHORT,)}, False, id="a list, users in doubt"),
        pytest.param(listing(INFO, ANN), {"answers": {"groups": DOUBTED}}, False, id="a list, groups in doubt"),
        pytest.param(listing(INFO, ANN), {"answers": {"forwards": DOUBTED}}, True, id="a list, forwards in doubt"),
        pytest.param(forward(INFO, ANN), {"doubts": (CUT_SHORT,)}, False, id="a forward, users in doubt"),
        pytest.param(forward(INFO, ANN), {"answers": {"groups": DOUBTED}}, True, id="a forward, groups in doubt"),
        pytest.param(forward(INFO, ANN), {"answers": {"forwards": DOUBTED}}, False, id="a forward, forwards in doubt"),
        pytest.param(None, {"answers": {"groups": DOUBTED}}, False, id="of unknown kind, groups in doubt"),
        pytest.param(None, {"answers": {"forwards": DOUBTED}}, False, id="of unknown kind, forwards in doubt"),
        pytest.param(None, {}, True, id="of unknown kind"),
        pytest.param(OF_BOB, {"config": alias_config(protected=[INFO])}, False, id="protected"),
    ],
)
def test_absence_is_believed_only_where_it_is_known(
    of: Wish | None,
    more: Mapping[str, Any],
    removed: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    old = {"missed": 5, "missing_since": LONG_AGO}
    rows = [alias_row(of, **old) if of else alias_row(OF_BOB, role=None, owner="", **old)]
    scene = settled([ANN], **{"aliases": [alias(INFO, ANN)], "alias_rows": rows, **more})
    plan = scene.plan()
    assert [change.address for change in plan.changes] == [INFO] * removed
    assert remembered(plan, INFO, Subject.ALIAS) == {}


def test_answers_in_doubt_are_said_and_are_not_whole() -> None:
    plan = unwanted(answers={"groups": DOUBTED}).plan()
    assert (plan.findings, plan.whole) == ((CUT_SHORT,), False)


@pytest.mark.parametrize(("source", "removed"), [("default", True), ("branch", False), ("old name", False)])
def test_the_aliases_of_another_directory_are_left_alone(source: str, removed: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    base = make_config().sources[0]
    named = [
        {"name": name, "uri": list(base.uri), "user_search_base": "dc=x", "user_mapping": {"aliases": ["other"]}}
        for name in ("default", "branch")
    ]
    plan = unwanted(config=make_config(ldap=named), alias_rows=[alias_row(OF_ANN, source=source)]).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO)] * removed


# what is forgotten


@pytest.mark.parametrize(
    ("address", "forgotten"),
    [
        (INFO, True),
        (Address(f"info@{ALIAS_DOMAIN}"), True),
        pytest.param(Address("info@elsewhere.test"), False, id="a domain that isn't looked at"),
    ],
)
def test_what_is_gone_from_mailcow_and_not_wanted_is_forgotten(
    address: Address,
    forgotten: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    rows = [alias_row(wish(address, ANN))]
    scene = settled([ANN], alias_rows=rows, alias_domains={ALIAS_DOMAIN: DOMAIN})
    assert scene.plan().notes == (Note(address, None, Subject.ALIAS),) * forgotten


def test_what_is_gone_from_mailcow_and_wanted_is_not_forgotten() -> None:
    assert settled([ANN], [OF_ANN], aliases=[], limits={"max_aliases": 0}).plan().notes == ()


# an address that becomes a mailbox


def moving(policy: str = "delete", **more: object) -> Scene:
    """A scene in which Ann's entry gives up an alias, and Dan wants its address for his mailbox."""
    fields: dict[str, Any] = {
        "wants": [wanted(ANN), wanted(DAN)],
        "aliases": [alias(DAN, ANN)],
        "alias_rows": [alias_row(wish(DAN, ANN))],
        "config": alias_config(removed_aliases=policy),
    }
    return settled([ANN], **{**fields, **more})


@pytest.mark.parametrize("policy", ["delete", "disable", "keep"])
def test_an_alias_makes_room_for_a_mailbox_in_the_same_run_whatever_the_policy(policy: str) -> None:
    scene = moving(policy)
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, DAN), (Kind.CREATE, DAN)]
    assert make_plan(simulate(plan, scene.case())).changes == ()


def test_an_alias_makes_room_for_no_mailbox_that_comes_from_elsewhere() -> None:
    config = alias_config(removed_aliases="keep", create_mailboxes=False)
    assert moving(config=config).plan().changes == ()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        pytest.param({"aliases": [alias(DAN, ANN, mark="")], "alias_rows": []}, "delete that alias", id="not ours"),
        pytest.param(
            {"alias_rows": [alias_row(wish(DAN, BOB), missed=0)]}, "goes once its entry has been gone", id="the grace"
        ),
    ],
)
def test_an_alias_that_stays_for_now_is_told_with_what_will_free_it(more: Mapping[str, Any], told: str) -> None:
    plan = moving(**more).plan()
    assert plan.changes == ()
    assert told in plan.findings[0].sentence


def test_after_the_grace_an_alias_frees_its_address() -> None:
    rows = [alias_row(wish(DAN, BOB), missed=5, missing_since=LONG_AGO)]
    scene = moving(alias_rows=rows)
    assert kinds(scene.plan().changes) == [(Kind.REMOVE, DAN), (Kind.CREATE, DAN)]
    simulate(scene.plan(), scene.case())


def test_a_mailbox_waits_with_the_withheld_removal_of_an_alias() -> None:
    more = [wish(Address(f"x{number}@{DOMAIN}"), ANN) for number in range(5)]
    scene = moving(
        aliases=[alias(DAN, ANN), *(alias(one.address, ANN) for one in more)],
        alias_rows=[alias_row(wish(DAN, ANN)), *map(alias_row, more)],
    )
    plan = scene.plan()
    assert plan.changes == ()
    assert [len(one.addresses) for one in plan.withheld] == [len(more) + 1]
    assert codes(plan) == [Code.ADDRESS_IS_ALIAS]
    assert "6 of 6 managed aliases would be removed" in plan.withheld[0].sentence
    forced = replace(scene, options=Options(approved=dict.fromkeys(Guarded, 6)))
    assert (Kind.CREATE, DAN) in kinds(forced.plan().changes)
    simulate(forced.plan(), forced.case())


@pytest.mark.parametrize("policy", ["keep", "disable", "delete"])
def test_an_alias_makes_room_even_for_a_mailbox_that_waits(policy: str) -> None:
    """Dan can't have one without a password: the alias goes all the same, for no entry asks for it."""
    waiting = wanted(DAN, password=None, present=["mail"])
    plan = moving(policy, wants=[wanted(ANN), waiting]).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, DAN)]


# kinds that were turned off


@pytest.mark.parametrize(
    ("asked", "config", "managed"),
    [
        (OF_ANN, {}, True),
        (OF_ANN, {"mapping": {"aliases": []}}, False),
        (listing(INFO, ANN), {}, True),
        (listing(INFO, ANN), {"source": {"group_search_base": ""}}, False),
        (listing(INFO, ANN), {"source": {"group_search_base": ""}, "mapping": {"group_addresses": "memberOf"}}, True),
        (forward(INFO, ANN), {}, True),
        (forward(INFO, ANN), {"source": {"alias_search_base": ""}}, False),
        (forward(INFO, ANN), {"source": {"alias_search_base": ""}, "mapping": {"forward_to": "forward"}}, True),
        (None, {}, True),
        (None, {"source": {"group_search_base": "", "alias_search_base": ""}, "mapping": {"aliases": []}}, False),
    ],
)
def test_aliases_of_a_kind_that_was_turned_off_stay_as_they_are(
    asked: Wish | None,
    config: Mapping[str, Mapping[str, object]],
    managed: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    row = alias_row(asked or OF_ANN, owner=id_of(ANN), role=asked.role if asked else None)
    plan = unwanted(alias_rows=[row], config=alias_config(**config)).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO)] * managed


def test_an_alias_of_a_domain_that_no_directory_is_for_stays() -> None:
    assert unwanted(config=alias_config(source={"domains": ["example.net"]})).plan().changes == ()


# those that stay with a held mailbox


def test_the_aliases_of_a_gone_entry_stay_as_long_as_a_held_mailbox() -> None:
    old = {"missed": 5, "missing_since": LONG_AGO}
    others = [wish(Address(f"x{number}@{DOMAIN}"), ANN) for number in range(2)]
    scene = settled(
        [ANN],
        others,
        has=[existing(ANN), existing(BOB), existing(DAN)],
        rows=[row(ANN), row(BOB, **old), row(DAN, **old)],
        aliases=[alias(INFO, BOB), alias(HELP, ANN), *(alias(one.address, ANN) for one in others)],
        alias_rows=[alias_row(OF_BOB, **old), alias_row(wish(HELP, CAT), **old), *map(alias_row, others)],
    )
    plan = scene.plan()
    assert (kinds(plan.changes), [one.kind for one in plan.withheld]) == ([(Kind.REMOVE, HELP)], [Guarded.DISABLE])
    forced = replace(scene, options=Options(approved={Guarded.DISABLE: 2})).plan()
    assert kinds(of_aliases(forced.changes)) == [(Kind.REMOVE, HELP), (Kind.REMOVE, INFO)]


def test_a_new_address_that_works_as_an_alias_does_so_until_the_mailbox_is_renamed() -> None:
    moved = wanted(INFO, id=id_of(ANN), dn=dn_of(ANN), name=None)
    config = alias_config(renames="hold")
    assert unwanted(wants=[moved], rows=[row(ANN)], config=config).plan().changes == ()


# former addresses

RENAMED = "ldap-sync:renamed"
FORMER = wish(INFO, ANN, role=Role.FORMER, owner=id_of(ANN), dn=dn_of(ANN), flags={})


def renamed(**more: object) -> Scene:
    """A scene in which Ann's mailbox was called otherwise before, and all agree."""
    fields: dict[str, Any] = {
        "config": alias_config(),
        "aliases": [alias(INFO, ANN, mark=RENAMED)],
        "alias_rows": [alias_row(FORMER)],
    }
    return quiet([ANN, BOB, CAT], **{**fields, **more})


@pytest.mark.parametrize("config", [alias_config(), make_config()], ids=["aliases", "no mapping of aliases"])
def test_a_former_address_stays_as_long_as_its_user_has_a_mailbox(config: Config) -> None:
    plan = renamed(config=config).plan()
    assert (plan.changes, plan.notes, plan.rules[Subject.ALIAS, INFO]) == ((), (), Rule.FORMER)
    (change,) = of_aliases(renamed(config=config, aliases=[alias(INFO, BOB, mark=RENAMED)]).plan().changes)
    assert (change.kind, change.why, change.writes) == (Kind.UPDATE, Rule.FORMER, {GOTO: ANN})


def test_a_former_address_is_the_entry_s_that_took_the_mailbox_over() -> None:
    scene = renamed(wants=[wanted(ANN, id="id-made-anew"), wanted(BOB), wanted(CAT)])
    plan = scene.plan()
    assert (of_aliases(plan.changes), plan.rules[Subject.ALIAS, INFO]) == ([], Rule.FORMER)
    assert remembered(plan, INFO, Subject.ALIAS)["owner"] == "id-made-anew"


@pytest.mark.parametrize("mark", [MARK, DISABLED_TAG])
def test_the_comment_of_a_former_address_says_what_it_is(mark: str) -> None:
    assert only_alias(renamed(aliases=[alias(INFO, ANN, mark=mark)]).plan().changes).writes == {
        PRIVATE_COMMENT: RENAMED
    }


def test_what_was_changed_by_hand_of_a_former_address_stays_besides_its_target() -> None:
    theirs = alias(INFO, ANN, mark=RENAMED, sogo_visible=1, sender_allowed=0, public_comment="before the wedding")
    assert renamed(aliases=[theirs]).plan().changes == ()


def test_without_a_row_its_comment_and_its_target_tell_whose_it_is() -> None:
    lost = renamed(alias_rows=[])
    assert (lost.plan().changes, remembered(lost.plan(), INFO, Subject.ALIAS)["owner"]) == ((), id_of(ANN))


@pytest.mark.parametrize("target", [DAN, Address("eve@elsewhere.test")])
def test_without_a_row_and_with_another_target_it_is_no_user_s_and_goes(target: Address) -> None:
    plan = renamed(alias_rows=[], aliases=[alias(INFO, target, mark=RENAMED)]).plan()
    assert plan.rules[Subject.ALIAS, INFO] is not Rule.FORMER


def test_a_former_address_goes_in_the_same_run_as_its_user() -> None:
    gone = renamed(wants=[wanted(BOB), wanted(CAT)])
    assert (gone.plan().changes, {one.address for one in gone.plan().pending}) == ((), {ANN, INFO})
    old = {"missed": 9, "missing_since": NOW - timedelta(days=9)}
    over = replace(gone, rows=[row(ANN, **old), row(BOB), row(CAT)], alias_rows=[alias_row(FORMER, **old)])
    assert kinds(over.plan().changes) == [(Kind.REMOVE, INFO), (Kind.DISABLE, ANN)]
    elsewhere = replace(over, config=alias_config(create_mailboxes=False))
    assert elsewhere.plan().changes == ()


def test_a_former_address_gives_way_to_a_mailbox_that_is_made_there() -> None:
    plan = renamed(wants=[*map(wanted, (ANN, BOB, CAT, INFO))]).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO), (Kind.CREATE, INFO)]


def test_a_list_gets_no_former_address() -> None:
    """Rule 11 is for lists too: its members would get the user's mail."""
    plan = renamed(wishes=[listing(INFO, BOB)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.FORMER_ADDRESS])


@pytest.mark.parametrize("role", list(Role))
def test_an_alias_of_a_directory_that_can_not_be_read_stays(role: Role) -> None:
    blocks = [
        {"name": name, "uri": "ldaps://x", "user_search_base": "dc=x", "user_mapping": {"aliases": ["other"]}}
        for name in ("default", "branch")
    ]
    rows = [alias_row(OF_ANN, source="branch", role=role)]
    scene = unwanted(config=make_config(ldap=blocks), alias_rows=rows, silent=frozenset({"branch"}))
    assert (scene.plan().changes, scene.plan().rules[Subject.ALIAS, INFO]) == ((), Rule.NOT_READ)
    asked = replace(scene, wishes=[wish(INFO, ANN)])
    code = Code.FORMER_ADDRESS if role is Role.FORMER else Code.ADDRESS_REUSED
    assert (asked.plan().changes, codes(asked.plan())) == ((), [code])
