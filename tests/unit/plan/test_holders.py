"""Who holds an address, and what becomes of a mailbox whose entry lost it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from ldap2mailcow.model import Address, Cause, Code, Kind, Origin, Rule
from ldap2mailcow.plan import Guarded, Options, Reason

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DISABLED_TAG,
    DOMAIN,
    NOW,
    Scene,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    make_config,
    make_plan,
    only,
    people,
    quiet,
    remembered,
    row,
    wanted,
)
from .simulated import simulate


def test_an_entry_that_moved_changes_nothing_but_what_is_remembered() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, dn="uid=ann,ou=elsewhere,dc=example,dc=org")]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["dn"] == "uid=ann,ou=elsewhere,dc=example,dc=org"


def renamed(**more: object) -> Scene:
    """A scene in which Ann's entry has another address than before, and mailboxes keep theirs."""
    mailbox = wanted(BOB, id=id_of(ANN), dn=dn_of(ANN), name="Ann Other")
    held = {"config": make_config(renames="hold"), "rows": [row(ANN, missed=9, missing_since=NOW)]}
    return quiet([ANN], **{"wants": [mailbox], **held, **more})


def test_a_changed_address_is_told_and_neither_mailbox_is_touched() -> None:
    plan = renamed().plan()
    assert (plan.changes, plan.pending, codes(plan)) == ((), (), [Code.RENAMED])
    assert ANN in plan.findings[0].sentence
    assert BOB in plan.findings[0].sentence


def test_a_changed_address_touches_no_mailbox_that_has_it() -> None:
    plan = renamed(has=[existing(ANN), existing(BOB, tags=())]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])


def test_a_changed_address_of_a_row_without_an_id_is_known_by_its_dn() -> None:
    plan = renamed(rows=[row(ANN, id=None, dn=dn_of(ANN).upper())]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])


def test_once_the_mailbox_was_renamed_in_mailcow_the_entry_follows_it() -> None:
    scene = renamed(has=[existing(BOB, name="Ann")])
    plan = scene.plan()
    assert codes(plan) == []
    assert kinds(plan.changes) == [(Kind.UPDATE, BOB)]
    view = simulate(plan, scene.case())
    assert set(view.memory.mailboxes) == {BOB}
    assert make_plan(view).changes == ()


def test_a_mailbox_in_a_domain_that_was_not_read_is_not_thought_gone() -> None:
    elsewhere = Address("ann@elsewhere.org")
    plan = renamed(has=[], rows=[row(elsewhere, id=id_of(ANN), dn=dn_of(ANN))]).plan()
    assert (kinds(plan.changes), plan.notes) == ([(Kind.CREATE, BOB)], ())


def test_two_entries_that_swap_their_addresses_are_both_told() -> None:
    wants = [wanted(ANN, id=id_of(BOB), dn=dn_of(BOB)), wanted(BOB, id=id_of(ANN), dn=dn_of(ANN))]
    plan = quiet([ANN, BOB], wants=wants, config=make_config(renames="hold")).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.RENAMED, Code.RENAMED])


def recreated(**more: object) -> Scene:
    """A scene in which Ann's entry is a new one with the old address."""
    return quiet([ANN], **{"wants": [wanted(ANN, id="id-new", name="Ann Other")], **more})


@pytest.mark.parametrize("gone_for", [None, timedelta(0), timedelta(minutes=30)])
def test_a_new_entry_takes_the_mailbox_over_within_the_grace(gone_for: timedelta | None) -> None:
    since = None if gone_for is None else NOW - gone_for
    plan = recreated(rows=[row(ANN, missing_since=since)]).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN)]
    assert remembered(plan, ANN)["id"] == "id-new"
    assert remembered(plan, ANN)["missing_since"] is None


def test_a_new_entry_after_the_grace_gets_nothing_of_the_old_mailbox() -> None:
    since = NOW - timedelta(minutes=30, seconds=1)
    plan = recreated(
        rows=[row(ANN, missing_since=since, missed=1)], config=make_config(limits={"removals": "1"})
    ).plan()
    assert codes(plan) == [Code.ADDRESS_REUSED]
    assert kinds(plan.changes) == [(Kind.DISABLE, ANN)]
    assert remembered(plan, ANN)["id"] == id_of(ANN)


def test_an_address_whose_holder_is_still_in_the_directory_is_not_given_away() -> None:
    plan = recreated(desired={"ids": frozenset({"id-new", id_of(ANN)})}).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.ADDRESS_REUSED, Code.ADDRESS_LOST])
    assert dn_of(ANN) in plan.findings[0].sentence


def test_an_address_whose_mailbox_is_gone_from_mailcow_is_free() -> None:
    """There is nothing of the holder's left to protect."""
    scene = recreated(has=[], rows=[row(ANN, missing_since=NOW - timedelta(days=9), missed=3)])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, ANN)]
    assert simulate(scene.plan(), scene.case()).memory.mailboxes[ANN].id == "id-new"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"doubts": (CUT_SHORT,)}, id="a doubtful answer"),
        pytest.param({"options": Options(overridden_filter=True)}, id="another filter"),
    ],
)
def test_a_holder_who_may_only_be_unseen_keeps_the_address(more: dict[str, object]) -> None:
    """Else a cut short answer would write somebody else's password into the mailbox."""
    plan = recreated(**more).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert Code.ADDRESS_REUSED in codes(plan)


def test_only_sees_the_whole_answer_and_so_that_the_holder_is_gone() -> None:
    plan = recreated(options=Options(only=frozenset({ANN}))).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN)]


def test_a_holder_from_another_directory_keeps_the_address() -> None:
    branch = {"name": "branch", "uri": "ldaps://branch.example.org", "user_search_base": "dc=branch"}
    own = {"name": "default", "uri": "ldaps://ldap.example.org", "user_search_base": "dc=example,dc=org"}
    plan = recreated(config=make_config(ldap=[own, branch]), rows=[row(ANN, source="branch")]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED])


@pytest.mark.parametrize("dn", [dn_of(ANN).upper(), "uid=ann,ou=old,dc=example,dc=org", ""])
def test_a_row_without_an_id_is_taken_over_by_the_entry_with_its_dn_or_its_address(dn: str) -> None:
    """The ancestor's rows have a DN, the ones that the mark makes not even that."""
    plan = quiet([ANN], rows=[row(ANN, id=None, dn=dn, origin=Origin.ANCESTOR)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["id"] == id_of(ANN)
    assert remembered(plan, ANN)["dn"] == dn_of(ANN)
    assert "origin" not in remembered(plan, ANN)


def test_an_address_that_a_row_without_an_id_gives_up_goes_to_whoever_wants_it() -> None:
    wants = [wanted(CAT, dn=dn_of(ANN)), wanted(ANN, id="id-new", dn="uid=new")]
    plan = quiet([ANN], wants=wants, rows=[row(ANN, id=None)]).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.RENAME, CAT), (Kind.CREATE, ANN), (Kind.UPDATE, CAT)], [])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"doubts": (CUT_SHORT,)}, id="a doubtful answer"),
        pytest.param({"options": Options(overridden_filter=True)}, id="another filter"),
    ],
)
def test_a_row_without_an_id_is_nobody_else_s_while_its_entry_may_only_be_unseen(more: dict[str, object]) -> None:
    """Before the first whole answer no id is remembered, and two runs with two filters must not share a mailbox."""
    scene = quiet([ANN], rows=[row(ANN, id=None, dn=dn_of(BOB))], **more)
    assert (scene.plan().changes, Code.ADDRESS_REUSED in codes(scene.plan())) == ((), True)
    own = replace(scene, rows=[row(ANN, id=None)])
    assert Code.ADDRESS_REUSED not in codes(own.plan())


# an entry that is there without an address


def lost(**more: object) -> Scene:
    """A scene in which Bob's entry is there, and has no address that can be used."""
    desired = {"ids": frozenset({id_of(ANN), id_of(BOB)}), **cast("dict[str, object]", more.pop("desired", {}))}
    return quiet([ANN, BOB], **{"wants": [wanted(ANN)], "desired": desired, **more})


ASLEEP = {"inactive": frozenset({id_of(BOB)})}


def test_a_mailbox_whose_entry_lost_its_address_stays_as_it_is_and_is_told() -> None:
    plan = lost(has=[existing(ANN), existing(BOB, name="By hand", tags=())]).plan()
    assert (plan.changes, plan.pending, plan.notes, codes(plan)) == ((), (), (), [Code.ADDRESS_LOST])
    assert plan.findings[0].where == dn_of(BOB)
    assert BOB in plan.findings[0].sentence


def test_an_inactive_entry_without_an_address_disables_its_mailbox() -> None:
    scene = lost(desired=ASLEEP)
    plan = scene.plan()
    change = only(plan.changes)
    assert (change.kind, change.address, change.why, change.dn) == (Kind.DISABLE, BOB, Rule.STATUS, dn_of(BOB))
    assert (change.writes, change.add_tags) == ({"active": 0}, (DISABLED_TAG,))
    assert change.remember == {"disabled": Cause.STATUS, "was_active": 1, "barred": 0}
    assert codes(plan) == [Code.ADDRESS_LOST]
    assert make_plan(simulate(plan, scene.case())).changes == ()


def test_an_inactive_entry_with_another_address_disables_the_mailbox_that_it_had() -> None:
    mailbox = wanted(CAT, id=id_of(BOB), dn=dn_of(BOB), active=0)
    plan = quiet([ANN, BOB], wants=[wanted(ANN), mailbox], config=make_config(renames="hold")).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)]
    assert codes(plan) == [Code.RENAMED]


def test_an_active_entry_with_another_address_disables_nothing() -> None:
    mailbox = wanted(CAT, id=id_of(BOB), dn=dn_of(BOB), active=1)
    scene = quiet([ANN, BOB], wants=[wanted(ANN), mailbox], config=make_config(renames="hold"))
    assert scene.plan().changes == ()


def test_a_disabling_without_an_address_that_mailcow_refuses_is_told_and_not_tried() -> None:
    plan = lost(desired=ASLEEP, limits={"max_mailbox_quota": 50}).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_LOST, Code.NO_ROOM_FOR_QUOTA])


def test_a_refused_disabling_keeps_nobody_from_the_next() -> None:
    plan = quiet(
        [ANN, BOB],
        wants=[],
        has=[existing(ANN, quota=200), existing(BOB)],
        desired={"ids": frozenset({id_of(ANN), id_of(BOB)}), "inactive": frozenset({id_of(ANN), id_of(BOB)})},
        limits={"max_mailbox_quota": 150},
    ).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)]


def test_an_inactive_mailbox_of_an_entry_without_an_address_has_what_it_wants() -> None:
    plan = lost(desired=ASLEEP, has=[existing(ANN), existing(BOB, active=0)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_LOST])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"config": make_config(protected=[BOB])}, id="protected"),
        pytest.param({"options": Options(only=frozenset({ANN}))}, id="--only somebody else"),
        pytest.param({"has": [existing(ANN)]}, id="no mailbox is left"),
        pytest.param({"rows": [row(ANN), row(BOB, id=None)]}, id="no id says that it is the entry's"),
    ],
)
def test_what_is_nobody_s_business_is_left_alone_without_an_address_too(more: dict[str, object]) -> None:
    plan = lost(desired=ASLEEP, **more).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_an_entry_without_an_address_says_nothing_about_another_directory_s_mailbox() -> None:
    branch = {"name": "branch", "uri": "ldaps://branch.example.org", "user_search_base": "dc=branch"}
    own = {"name": "default", "uri": "ldaps://ldap.example.org", "user_search_base": "dc=example,dc=org"}
    config = make_config(ldap=[own, branch])
    plan = lost(desired=ASLEEP, config=config, rows=[row(ANN), row(BOB, source="branch")]).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_only_the_old_address_of_a_renamed_entry_has_not_lost_an_address() -> None:
    mailbox = wanted(CAT, id=id_of(BOB), dn=dn_of(BOB))
    only = Options(only=frozenset({BOB}))
    plan = quiet([BOB], wants=[mailbox], options=only, config=make_config(renames="hold")).plan()
    assert (plan.changes, codes(plan)) == ((), [])


# another directory server


def replaced(number: int, *, of: int, **more: object) -> Scene:
    """A scene in which some of all people have another id than they had."""
    everybody = people(of)
    wants = [
        wanted(address, id=f"new-{address.local}" if place < number else None)
        for place, address in enumerate(everybody)
    ]
    return quiet(everybody, **{"wants": wants, "options": Options(force_removals=of), **more})


@pytest.mark.parametrize(
    ("number", "of", "told"),
    [
        pytest.param(3, 5, True, id="more than half"),
        pytest.param(3, 3, True, id="all"),
        pytest.param(3, 6, False, id="half"),
        pytest.param(2, 2, False, id="two are people made anew"),
    ],
)
def test_many_people_with_other_ids_are_told_once_and_followed(
    number: int,
    of: int,
    told: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = replaced(number, of=of)
    plan = scene.plan()
    assert codes(plan) == [Code.IDS_REPLACED] * told
    assert remembered(plan, people(1)[0])["id"] == "new-user000"
    if told:
        assert plan.findings[0].where == "default"
        assert f"{number} of {of} people have another entryUUID" in plan.findings[0].sentence
    again = make_plan(simulate(plan, scene.case()))
    assert (again.changes, codes(again)) == ((), [])


def test_people_of_another_directory_count_for_nothing_there() -> None:
    branch = {"name": "branch", "uri": "ldaps://branch.example.org", "user_search_base": "dc=branch"}
    own = {"name": "default", "uri": "ldaps://ldap.example.org", "user_search_base": "ou=people,dc=example,dc=org"}
    others = [row(Address(f"other{number}@{DOMAIN}"), source="branch") for number in range(9)]
    scene = replaced(3, of=3, config=make_config(ldap=[own, branch]))
    assert codes(replace(scene, rows=[*scene.rows, *others]).plan()) == [Code.IDS_REPLACED]


def test_more_people_with_other_ids_than_the_limit_wait_for_a_word() -> None:
    """The wrong server has other people at the same addresses, perhaps."""
    scene = replaced(6, of=10, options=Options(), config=make_config(limits={"renames": 5}))
    scene = replace(scene, wants=[*list(scene.wants)[:6], *(wanted(one, name="New") for one in people(10)[6:])])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, address) for address in people(10)[6:]]
    assert [note for note in plan.notes if note.address in people(6)] == []
    assert (plan.pending, codes(plan)) == ((), [])
    (withheld,) = plan.withheld
    assert (withheld.kind, withheld.reason, withheld.managed, withheld.limit) == (
        Guarded.TAKEOVER,
        Reason.OVER_LIMIT,
        10,
        5,
    )
    assert withheld.addresses == people(6)
    assert {(change.kind, change.why) for change in withheld.addresses} == {(Kind.ADOPT, Rule.ADOPTED)}
    assert [change.dn for change in withheld.addresses] == [dn_of(address) for address in people(6)]
    assert withheld.sentence == (
        "6 of 10 people have another id and the same address, as on a new directory server, and limits.renames lets 5 "
        "through; if that is meant, run once with --force-removals 6"
    )
    again = make_plan(simulate(plan, scene.case()))
    assert (again.changes, again.withheld) == ((), plan.withheld)


def test_people_who_come_while_new_ids_wait_for_a_word_do_not_hide_them() -> None:
    """They are remembered by their DN alone until then; those who are known keep the ids that they have."""
    scene = replaced(6, of=10, options=Options(), config=make_config(limits={"renames": 5}))
    come = [wanted(Address(f"new{number}@{DOMAIN}")) for number in range(5)]
    known = [wanted(one, name="New") for one in people(10)[6:]]
    scene = replace(scene, wants=[*list(scene.wants)[:6], *known, *come])
    plan = scene.plan()
    assert {change.address for change in plan.changes if change.kind is Kind.CREATE} == {one.address for one in come}
    assert {remembered(plan, one.address)["id"] for one in come} == {None}
    assert {remembered(plan, one)["id"] for one in people(10)[6:]} == {id_of(one) for one in people(10)[6:]}
    again = make_plan(simulate(plan, scene.case()))
    assert (again.changes, again.withheld) == ((), plan.withheld)
    after = make_plan(replace(simulate(plan, scene.case()), options=Options(approved=dict.fromkeys(Guarded, 6))))
    assert {remembered(after, one.address)["id"] for one in come} == {one.id for one in come}


@pytest.mark.parametrize("number", [5, 6])
def test_a_limit_or_a_word_lets_new_ids_through(number: int) -> None:
    options = Options(approved=dict.fromkeys(Guarded, 6)) if number == 6 else Options()
    plan = replaced(number, of=10 if number == 6 else 9, options=options, config=make_config(limits={"renames": 4}))
    assert bool(plan.plan().withheld) is (number == 5)
    assert (remembered(plan.plan(), people(1)[0]).get("id") == "new-user000") is (number == 6)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"has": [existing(one) for one in people(9)[5:]]}, id="mailboxes that aren't there"),
        pytest.param({"options": Options(only=frozenset(people(2)))}, id="addresses that aren't looked at"),
        pytest.param({"rows": [row(one, id=None) for one in people(9)]}, id="rows without an id"),
        pytest.param(
            {"rows": [row(one, missing_since=NOW - timedelta(days=2)) for one in people(9)]}, id="gone for long"
        ),
        pytest.param({"desired": {"ids": frozenset(map(id_of, people(9)))}}, id="people who are still there"),
        pytest.param({"doubts": (CUT_SHORT,)}, id="an answer that isn't whole"),
        pytest.param({"config": make_config(create_mailboxes=False)}, id="mailboxes that come from elsewhere"),
    ],
)
def test_nobody_else_counts_as_one_with_a_new_id(more: dict[str, object]) -> None:
    limits = {"options": Options(), "config": make_config(limits={"renames": 1})}
    plan = replaced(9, of=9, **{**limits, **more}).plan()
    assert [one for one in plan.withheld if one.kind is Guarded.TAKEOVER] == []


def test_a_new_entry_does_not_get_the_mailbox_of_somebody_who_is_held_there() -> None:
    """Ann's entry has another address, her mailbox stays where it is; Bob's new entry asks for her old address."""
    wants = [wanted(CAT, id=id_of(ANN), dn=dn_of(ANN)), wanted(ANN, id="id-new", dn="uid=new")]
    plan = quiet([ANN], wants=wants, config=make_config(renames="hold")).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED, Code.RENAMED])
    assert plan.findings[0].where == "uid=new"
    assert f"it wants {ANN}, which is still the mailbox of {dn_of(ANN)}" in plan.findings[0].sentence
