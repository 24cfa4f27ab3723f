"""Who is renamed: the new address is free, chains go one link a run, exchanges stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.desired import User
from ldap2mailcow.model import (
    GOTO,
    PRIVATE_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Address,
    Code,
    Kind,
    RenameChange,
    Role,
    Rule,
    Subject,
    joined,
)
from ldap2mailcow.plan import Guarded, Options, Plan, make_plan

from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    DOMAIN,
    INFO,
    TEAM,
    Scene,
    Wish,
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
    name_of,
    people,
    row,
    settled,
    wanted,
    wish,
)
from .simulated import planned, simulate

NEW = Address(f"new@{DOMAIN}")
ANY = {"rename": 9}


def moved(address: Address, to: Address, **more: object) -> User:
    """Return a user whose address has changed."""
    return wanted(to, id=id_of(address), dn=dn_of(address), **{"name": name_of(address), **more})  # type: ignore[arg-type]


def scene(changed: dict[Address, Address], *others: Address, **more: object) -> Scene:
    """A scene in which the addresses of some users have changed and those of others haven't."""
    everybody = (*changed, *others)
    fields: dict[str, object] = {
        "wants": [*(moved(one, to) for one, to in changed.items()), *map(wanted, others)],
        "has": [existing(one) for one in everybody],
        "rows": [row(one) for one in everybody],
        "options": Options(approved=ANY),
    }
    return Scene(**{**fields, **more})  # type: ignore[arg-type]


def renames(plan: Plan) -> dict[Address, Address]:
    """Return by old address the new one."""
    return {change.former: change.address for change in plan.changes if isinstance(change, RenameChange)}


def until_quiet(of: Scene) -> tuple[list[dict[Address, Address]], Plan]:
    """Return the renames of each run until nothing changes any more, and the last plan."""
    found, (plan, case) = [], planned(of.case())
    while plan.changes:
        found.append(renames(plan))
        plan, case = planned(simulate(plan, case))
    return found, plan


def test_a_mailbox_takes_the_new_address_of_its_user_and_leaves_an_alias() -> None:
    of = scene({ANN: NEW}, BOB)
    plan = of.plan()
    (change,) = plan.changes
    assert isinstance(change, RenameChange)
    assert (change.former, change.address, change.why, change.dn) == (ANN, NEW, Rule.RENAMED, dn_of(ANN))
    expected = {GOTO: NEW, SENDER_ALLOWED: 1, SOGO_VISIBLE: 0, PRIVATE_COMMENT: "ldap-sync:renamed"}
    assert {key: change.left[key] for key in expected} == expected
    after = simulate(plan, of.case())
    assert after.memory.mailboxes.keys() == {NEW, BOB}
    assert after.memory.aliases[ANN].role is Role.FORMER
    assert until_quiet(of)[0] == [{ANN: NEW}]


def test_what_else_changed_is_written_under_the_new_name() -> None:
    of = scene({ANN: NEW}, wants=[moved(ANN, NEW, name="Ann New")])
    assert kinds(of.plan().changes) == [(Kind.RENAME, NEW), (Kind.UPDATE, NEW)]
    assert until_quiet(of)[0] == [{ANN: NEW}]


def test_a_chain_goes_one_link_a_run() -> None:
    found, last = until_quiet(scene({ANN: BOB, BOB: CAT, CAT: NEW}, DAN))
    assert found == [{CAT: NEW}, {BOB: CAT}, {ANN: BOB}]
    assert last.findings == ()


def test_who_waits_in_a_chain_is_told_and_costs_no_exit_code() -> None:
    plan = scene({ANN: BOB, BOB: NEW}).plan()
    assert codes(plan) == [Code.ADDRESS_WAITS]
    assert f"{BOB} is free once the mailbox that has it is renamed" in plan.findings[0].sentence


@pytest.mark.parametrize("circle", [{ANN: BOB, BOB: ANN}, {ANN: BOB, BOB: CAT, CAT: ANN}], ids=["two", "three"])
def test_an_exchange_of_addresses_is_told_and_not_done(circle: dict[Address, Address]) -> None:
    plan = scene(circle).plan()
    assert (plan.changes, set(codes(plan))) == ((), {Code.ADDRESS_EXCHANGE})
    assert len(plan.findings) == len(circle)
    assert "give one of them a free address first" in plan.findings[0].sentence


def test_an_address_that_two_ask_for_keeps_who_has_it_and_who_waits_for_them() -> None:
    plan = scene({ANN: BOB, BOB: ANN, CAT: DAN, DAN: BOB}).plan()
    assert plan.changes == ()
    assert codes(plan) == [Code.DUPLICATE_ADDRESS, Code.RENAMED, Code.RENAMED]


def test_a_mailbox_that_is_inactive_is_renamed_once_it_is_active() -> None:
    of = scene({ANN: NEW}, has=[existing(ANN, active=0)])
    plan = of.plan()
    assert (renames(plan), Code.ADDRESS_WAITS in codes(plan)) == ({}, True)
    active = replace(of, has=[existing(ANN, active=1)])
    assert renames(active.plan()) == {ANN: NEW}


def test_a_mailbox_that_lets_its_user_not_log_in_is_renamed() -> None:
    of = scene({ANN: NEW}, has=[existing(ANN, active=2)])
    assert renames(of.plan()) == {ANN: NEW}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"renames": "hold"}, "renames: hold"),
        ({"create_mailboxes": False, "removed_users": {"action": "disable"}}, "come from elsewhere"),
    ],
)
def test_the_config_may_hold_renames(settings: dict[str, Any], reason: str) -> None:
    plan = scene({ANN: NEW}, config=make_config(**settings)).plan()
    assert (renames(plan), codes(plan)) == ({}, [Code.RENAMED])
    assert reason in plan.findings[0].sentence


def test_an_old_mailcow_cannot_rename() -> None:
    plan = scene({ANN: NEW}, can_rename=False).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])


def test_a_user_who_waits_is_followed_at_the_present_address() -> None:
    of = scene({ANN: NEW}, config=make_config(renames="hold"), wants=[moved(ANN, NEW, name="Ann New")])
    assert kinds(of.plan().changes) == [(Kind.UPDATE, ANN)]


# what stands at the new address


BLOCK = {"uri": "ldaps://x", "user_search_base": "dc=x", "user_mapping": {}}


def at_new(goto: Address, **row_columns: object) -> Scene:
    """A scene in which Ann's new address is an alias of ours."""
    asked = Wish(NEW, (goto,), owner="id-x", dn="uid=x")
    return scene({ANN: NEW}, BOB, aliases=[alias(NEW, goto)], alias_rows=[alias_row(asked, **row_columns)])


@pytest.mark.parametrize(
    ("of", "is_free"),
    [
        pytest.param(at_new(ANN, role=Role.USER, owner=id_of(ANN)), True, id="its own further address"),
        pytest.param(at_new(BOB, role=Role.FORMER, owner=id_of(BOB)), True, id="a former address"),
        pytest.param(at_new(ANN, role=Role.LIST), False, id="a list"),
        pytest.param(at_new(BOB, role=Role.USER, owner=id_of(BOB)), False, id="another user's"),
        pytest.param(
            replace(
                at_new(BOB, role=Role.FORMER, source="branch"),
                config=make_config(ldap=[dict(BLOCK, name=name) for name in ("default", "branch")]),
                silent=frozenset({"branch"}),
            ),
            False,
            id="of a directory that can't be read",
        ),
        pytest.param(scene({ANN: NEW}, aliases=[alias(NEW, ANN, mark="")]), False, id="made by hand"),
        pytest.param(scene({ANN: NEW}, has=[existing(ANN), existing(NEW, tags=())]), False, id="a mailbox by hand"),
        pytest.param(scene({ANN: BOB}, BOB), False, id="another user's mailbox"),
        pytest.param(scene({ANN: NEW}, config=make_config(protected=[NEW])), False, id="protected"),
        pytest.param(scene({ANN: NEW}, config=make_config(protected=[ANN])), False, id="the old one protected"),
    ],
)
def test_the_new_address_must_be_free(of: Scene, is_free: bool) -> None:  # noqa: FBT001
    assert bool(renames(of.plan())) is is_free


def test_an_alias_that_gives_way_is_deleted_just_before() -> None:
    of = at_new(ANN, role=Role.USER, owner=id_of(ANN))
    (change,) = (one for one in of.plan().changes if isinstance(one, RenameChange))
    assert change.gives_way == alias(NEW, ANN).number
    assert NEW not in simulate(of.plan(), of.case()).memory.aliases


def test_a_new_user_gets_the_address_that_a_rename_sets_free_in_the_next_run() -> None:
    """The rename leaves an alias there, which must go first; mailcow would refuse the mailbox before that."""
    of = scene({ANN: NEW}, options=Options(approved={"rename": 9, "alias": 9}))
    of = replace(of, wants=[*of.wants, wanted(ANN, id="id-new", dn="uid=new")])
    plan = of.plan()
    assert kinds(plan.changes) == [(Kind.RENAME, NEW)]
    assert [(one.code, one.where) for one in plan.findings] == [(Code.ADDRESS_WAITS, "uid=new")]
    second = make_plan(simulate(plan, of.case()))
    assert kinds(second.changes) == [(Kind.REMOVE, ANN), (Kind.CREATE, ANN)]
    assert until_quiet(of)[0] == [{ANN: NEW}, {}]


def test_a_domain_without_room_for_the_alias_holds_a_rename() -> None:
    plan = scene({ANN: NEW}, limits={"max_aliases": 0}).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])
    assert "can't stay as an alias" in plan.findings[0].sentence


# what follows


def test_lists_and_aliases_follow_in_the_same_run() -> None:
    asked = [wish(INFO, ANN), listing(TEAM, ANN, BOB)]
    of = settled([ANN, BOB], asked, wants=[moved(ANN, NEW), wanted(BOB)], options=Options(approved=ANY))
    of = replace(of, wishes=[replace(asked[0], goto=(NEW,)), replace(asked[1], goto=(NEW, BOB))])
    found, last = until_quiet(of)
    assert (found[0], len(found), last.findings) == ({ANN: NEW}, 1, ())
    after = simulate(of.plan(), of.case())
    assert after.actual.aliases[INFO].values[GOTO] == NEW
    assert after.actual.aliases[TEAM].values[GOTO] == joined([BOB, NEW])


def test_a_list_that_is_not_known_resolves_former_addresses() -> None:
    asked = listing(TEAM, ANN, BOB)
    of = settled(
        [ANN, BOB],
        aliases=[alias(TEAM, ANN, BOB)],
        alias_rows=[alias_row(asked)],
        wants=[moved(ANN, NEW), wanted(BOB)],
        options=Options(approved=ANY),
        config=alias_config(removed_aliases="keep"),
    )
    after = simulate(of.plan(), of.case())
    assert after.actual.aliases[TEAM].values[GOTO] == joined([BOB, NEW])


def test_a_former_address_stays_as_long_as_its_user() -> None:
    case = simulate(scene({ANN: NEW}).plan(), scene({ANN: NEW}).case())
    plan, _ = planned(case)
    assert plan.changes == ()
    assert plan.rules[Subject.ALIAS, ANN] is Rule.FORMER


# limits and scope


def test_too_many_renames_wait_for_a_word() -> None:
    everybody = people(20)
    changed = {one: Address(f"new-{one}") for one in everybody[:8]}
    of = scene(changed, *everybody[8:], options=Options())
    (withheld,) = of.plan().withheld
    assert (withheld.kind, len(withheld.addresses), renames(of.plan())) == (Guarded.RENAME, 8, {})
    assert "--approve rename:8" in withheld.sentence
    assert renames(replace(of, options=Options(approved={"rename": 8})).plan()) == changed


@pytest.mark.parametrize(("only", "is_renamed"), [({ANN}, True), ({NEW}, True), ({BOB}, False)])
def test_a_run_for_some_addresses_renames_those(only: set[Address], is_renamed: bool) -> None:  # noqa: FBT001
    of = scene({ANN: NEW}, BOB, options=Options(only=frozenset(only), approved=ANY))
    assert bool(renames(of.plan())) is is_renamed


def test_rights_are_remembered_by_the_new_names_of_all_mailboxes_of_the_run() -> None:
    """Of both in one row, of its own mailbox, and of none that is gone: it has no row by then."""
    other = Address(f"other@{DOMAIN}")
    of = scene(
        {ANN: other, BOB: NEW},
        CAT,
        rows=[
            row(ANN, senders=frozenset({ANN, BOB})),
            row(BOB),
            row(CAT, senders=frozenset({ANN, BOB})),
            row(DAN, senders=frozenset({ANN})),
        ],
    )
    plan, case = planned(of.case())
    assert renames(plan) == {ANN: other, BOB: NEW}
    rows = simulate(plan, case).memory.mailboxes
    assert {one: row.senders for one, row in rows.items()} == {
        other: {other, NEW},
        NEW: frozenset(),
        CAT: {other, NEW},
    }
