"""How much one run may take away, and the word that lets more through: all of a kind is held, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import ACTIVE, GOTO, Address, Code, Kind, Rule, Subject, joined
from ldap2mailcow.plan import Guarded, Options, Plan, Reason

from .builders import (
    ANN,
    BOB,
    CUT_SHORT,
    DISABLED_TAG,
    DOMAIN,
    MARK,
    NOW,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    existing,
    kinds,
    listing,
    make_config,
    make_domain,
    people,
    quiet,
    remembered_source,
    row,
    settled,
    wanted,
    wish,
)
from .simulated import planned, simulate

LONG = timedelta(days=2)


def leavers(count: int, total: int, **more: object) -> Scene:
    """A scene in which so many of all users are gone, and their grace is over."""
    everybody = people(total)
    gone = everybody[:count]
    missed = {"missing_since": NOW - LONG, "missed": 9, "last_missed": NOW - timedelta(minutes=5)}
    fields: dict[str, object] = {
        "wants": [wanted(one) for one in everybody[count:]],
        "has": [existing(one) for one in everybody],
        "rows": [*(row(one, **missed) for one in gone), *map(row, everybody[count:])],
    }
    return Scene(**{**fields, **more})  # type: ignore[arg-type]


def only(plan: Plan) -> tuple[Guarded, Reason, Sequence[Address]]:
    """Return the one thing that is withheld."""
    (withheld,) = plan.withheld
    return withheld.kind, withheld.reason, withheld.addresses


def limits(**values: str | int) -> Config:
    """Return a config with other limits."""
    return alias_config(limits=values)


# mailboxes


@pytest.mark.parametrize(
    ("removals", "total", "allowed"),
    [("5, 10%", 100, 10), ("5, 10%", 30, 5), ("5, 10%", 6, 3), ("1", 2, 1), ("100", 10, 5)],
    ids=["percent", "count", "at most half", "at least one", "never more than half"],
)
def test_a_run_takes_so_many_mailboxes_out_of_service_and_no_more(removals: str, total: int, allowed: int) -> None:
    config = make_config(limits={"removals": removals})
    assert len(leavers(allowed, total, config=config).plan().changes) == allowed
    more = leavers(allowed + 1, total, config=config).plan()
    assert (more.changes, only(more)) == ((), (Guarded.DISABLE, Reason.OVER_LIMIT, people(allowed + 1)))
    assert more.rules[Subject.MAILBOX, people(1)[0]] is Rule.HELD


def test_what_is_withheld_is_told_with_its_numbers_and_the_word() -> None:
    (withheld,) = leavers(8, 20).plan().withheld
    assert withheld.sentence == (
        "8 of 20 managed mailboxes would be disabled, and limits.removals lets 5 through; if that is meant, run once "
        "with --approve disable:8"
    )
    assert (withheld.managed, withheld.limit) == (20, 5)


def test_a_word_is_for_its_kind_and_number() -> None:
    approved = [
        ({"disable": 8}, True),
        ({"disable": 9}, True),
        ({"disable": 7}, False),
        ({"delete": 8, "alias": 8}, False),
    ]
    for words, is_done in approved:
        plan = leavers(8, 20, options=Options(approved=words)).plan()
        assert (len(plan.changes), bool(plan.withheld)) == ((8, False) if is_done else (0, True))


def test_a_status_counts_as_an_absence_does() -> None:
    everybody = people(12)
    scene = quiet(everybody, wants=[wanted(one, active=0) for one in everybody])
    assert only(scene.plan())[:2] == (Guarded.DISABLE, Reason.OVER_LIMIT)


def test_only_the_status_of_who_is_held_waits() -> None:
    everybody = people(12)
    plan = quiet(everybody, wants=[wanted(one, active=0, name="Other") for one in everybody]).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, one) for one in everybody]
    assert all(ACTIVE.key not in change.writes for change in plan.changes)  # type: ignore[attr-defined]


def test_a_mailbox_that_changes_its_login_and_is_disabled_counts_once() -> None:
    """Both are of one kind: counted twice, half of the limit would hold them."""
    everybody = people(12)
    both = [wanted(one, authsource="ldap", password=None, active=0) for one in everybody[:6]]
    scene = quiet(
        everybody,
        wants=[*both, *map(wanted, everybody[6:])],
        config=make_config(mapping={"authsource": "ldap"}, limits={"removals": 6}),
        actual={"provider": "ldap"},
    )
    assert len(scene.plan().changes) == 12
    fewer = replace(scene, config=make_config(mapping={"authsource": "ldap"}, limits={"removals": 5}))
    (withheld,) = fewer.plan().withheld
    assert withheld.addresses == everybody[:6]
    assert withheld.sentence.startswith("6 of 12 managed mailboxes would be disabled, and limits.removals lets 5")
    assert withheld.sentence.endswith("--approve disable:6")
    assert len(replace(fewer, options=Options(approved={"disable": 6})).plan().changes) == 12


def test_a_doubtful_answer_disables_no_one_and_no_word_lifts_that() -> None:
    scene = quiet([ANN, BOB], wants=[wanted(ANN, active=0), wanted(BOB)], doubts=(CUT_SHORT,))
    for options in (Options(), Options(approved={"disable": 9})):
        plan = replace(scene, options=options).plan()
        assert (plan.changes, only(plan)) == ((), (Guarded.DISABLE, Reason.NOT_WHOLE, (ANN,)))
        assert "nothing lifts this but a whole answer" in plan.withheld[0].sentence


def changed_search(scene: Scene, **settings: str) -> Scene:
    """A scene whose search differs from the accepted one."""
    source = scene.config.sources[0]
    remembered = remembered_source(source)
    return replace(
        scene, sources={"default": replace(remembered, accepted={**(remembered.accepted or {}), **settings})}
    )


def test_a_changed_search_withholds_what_would_go_at_once() -> None:
    scene = changed_search(quiet([ANN, BOB], wants=[wanted(BOB)]), user_search_base="ou=other")
    plan = scene.plan()
    assert (plan.changes, only(plan)) == ((), (Guarded.DISABLE, Reason.SEARCH_CHANGED, (ANN,)))
    assert (
        "user_search_base changed since the last accepted run; if that is meant, run once with --approve disable:1"
        in (plan.withheld[0].sentence)
    )
    assert kinds(replace(scene, options=Options(approved={"disable": 1})).plan().changes) == [(Kind.DISABLE, ANN)]


def test_a_changed_search_is_accepted_once_nothing_would_go() -> None:
    scene = changed_search(quiet([ANN]), user_search_base="ou=other")
    assert scene.plan().sources["default"].accepted == remembered_source(scene.config.sources[0]).accepted
    leaving = changed_search(quiet([ANN, BOB], wants=[wanted(BOB)]), user_search_base="ou=other")
    assert (leaving.plan().sources["default"].accepted or {})["user_search_base"] == "ou=other"


# deletions


def retired(count: int, total: int, **more: object) -> Scene:
    """A scene in which so many mailboxes are due to be deleted."""
    everybody = people(total)
    gone = {
        "missing_since": NOW - 90 * timedelta(days=1),
        "missed": 99,
        "last_missed": NOW - timedelta(minutes=5),
        "retired_since": NOW - 60 * timedelta(days=1),
        "disabled": "missing",
    }
    inactive = [existing(one, active=0, tags=(MARK, DISABLED_TAG)) for one in everybody[:count]]
    fields: dict[str, object] = {
        "wants": [wanted(one) for one in everybody[count:]],
        "has": [*inactive, *map(existing, everybody[count:])],
        "rows": [*(row(one, **gone) for one in everybody[:count]), *map(row, everybody[count:])],
        "config": make_config(removed_users={"action": "delete"}),
    }
    return Scene(**{**fields, **more})  # type: ignore[arg-type]


def test_deletions_have_a_limit_of_their_own() -> None:
    assert kinds(retired(2, 20).plan().changes) == [(Kind.DELETE, one) for one in people(2)]
    plan = retired(8, 20).plan()
    assert (plan.changes, only(plan)) == ((), (Guarded.DELETE, Reason.OVER_LIMIT, people(8)))


def test_each_kind_is_told_by_itself_also_where_an_address_of_one_is_wanted_as_a_mailbox() -> None:
    """Disablings and deletions over the limit at once, and an alias of a held user that a new mailbox waits for."""
    off, on, alias_there = people(8), [Address(f"leaver{n}@{DOMAIN}") for n in range(8)], Address(f"x@{DOMAIN}")
    base, leaving = retired(8, 20), leavers(8, 20)
    rows = [
        *base.rows,
        *(
            replace(one, address=at, id=f"id-{at.local}", dn=f"uid={at.local}")
            for one, at in zip(list(leaving.rows)[:8], on, strict=True)
        ),
    ]
    asked = wish(alias_there, on[0], owner=f"id-{on[0].local}", dn=f"uid={on[0].local}")
    new = wanted(alias_there)
    scene = replace(
        base,
        wants=[*base.wants, new],
        has=[*base.has, *map(existing, on)],
        rows=rows,
        aliases=[alias(alias_there, on[0])],
        alias_rows=[alias_row(asked, missing_since=NOW - LONG, missed=9, last_missed=NOW - timedelta(minutes=5))],
        config=alias_config(removed_users={"action": "delete"}),
        domains=(make_domain([*base.has, *map(existing, on)], aliases=1),),
    )
    plan = scene.plan()
    assert plan.changes == ()
    assert {one.kind: one.addresses for one in plan.withheld} == {
        Guarded.DISABLE: tuple(sorted(on)),
        Guarded.DELETE: off,
    }
    assert [one.code for one in plan.findings] == [Code.ADDRESS_IS_ALIAS]


# adoptions


def hand_made(**more: object) -> Scene:
    """A scene in which a user turns up whose address is a mailbox that was made by hand."""
    return quiet([ANN, BOB], has=[existing(ANN), existing(BOB, tags=())], rows=[row(ANN)], **more)


def test_a_mailbox_made_by_hand_is_adopted_later_only_by_a_word() -> None:
    plan = hand_made().plan()
    assert (plan.changes, only(plan)) == ((), (Guarded.ADOPT, Reason.OVER_LIMIT, (BOB,)))
    assert plan.rules[Subject.MAILBOX, BOB] is Rule.HELD
    assert kinds(hand_made(options=Options(approved={"adopt": 1})).plan().changes) == [(Kind.ADOPT, BOB)]
    assert kinds(hand_made(config=make_config(limits={"adoptions": 1})).plan().changes) == [(Kind.ADOPT, BOB)]


def test_the_first_accepted_run_adopts_freely() -> None:
    assert kinds(hand_made(sources={}).plan().changes) == [(Kind.ADOPT, BOB)]


# aliases, lists, rights


def test_aliases_that_go_have_a_limit_of_their_own() -> None:
    everybody = people(20)
    asked = [wish(Address(f"x{one}"), one) for one in everybody]
    scene = settled(everybody, asked)
    few, many = replace(scene, wishes=asked[4:]).plan(), replace(scene, wishes=asked[9:]).plan()
    assert kinds(few.changes) == [(Kind.REMOVE, one.address) for one in asked[:4]]
    assert (many.changes, only(many)[:2]) == ((), (Guarded.ALIAS, Reason.OVER_LIMIT))
    assert only(many)[2] == tuple(one.address for one in asked[:9])


def test_a_list_that_shrinks_too_much_stays_as_it_is_and_waits_for_its_new_members_too() -> None:
    everybody = people(8)
    before, after = listing(TEAM, *everybody[:6]), listing(TEAM, *everybody[4:])
    scene = replace(settled(everybody, [before]), wishes=[after])
    plan = scene.plan()
    assert only(plan) == (Guarded.LIST, Reason.OVER_LIMIT, (TEAM,))
    assert plan.changes == ()
    again, _ = planned(simulate(plan, scene.case()))
    assert (again.changes, only(again)) == ((), only(plan))
    approved = replace(scene, options=Options(approved={"list": 1})).plan()
    assert approved.changes[0].writes == {GOTO: joined(everybody[4:])}  # type: ignore[attr-defined]


def test_a_list_may_lose_as_many_members_as_the_limit_says() -> None:
    everybody = people(8)
    scene = settled(everybody, [listing(TEAM, *everybody)])
    assert not replace(scene, wishes=[listing(TEAM, *everybody[4:])]).plan().withheld
    assert replace(scene, wishes=[listing(TEAM, *everybody[5:])]).plan().withheld


def test_the_aliases_of_a_mailbox_that_is_held_stay_with_it() -> None:
    gone = people(8)
    asked = [wish(Address(f"x{one}"), one) for one in gone]
    missed = {"missing_since": NOW - LONG, "missed": 9, "last_missed": NOW - timedelta(minutes=5)}
    plan = leavers(
        8,
        20,
        aliases=[alias(one.address, *one.goto) for one in asked],
        alias_rows=[alias_row(one, **missed) for one in asked],
        config=alias_config(),
    ).plan()
    assert (plan.changes, only(plan)[0]) == ((), Guarded.DISABLE)
    assert {plan.rules[Subject.ALIAS, one.address] for one in asked} == {Rule.STILL_REACHED}
    assert set(plan.orphaned_aliases) == {one.address for one in asked}


def test_what_is_held_is_held_in_every_run() -> None:
    scene = leavers(8, 20)
    case = simulate(scene.plan(), scene.case())
    again, _ = planned(case)
    assert (again.changes, only(again)) == ((), only(scene.plan()))
