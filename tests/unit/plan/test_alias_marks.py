"""Whose an alias is: the state file or the mark says that it is ours, and only then it is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.model import (
    INTERNAL,
    PRIVATE_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Address,
    Code,
    ExistingAlias,
    FieldChange,
    Kind,
    Origin,
    RememberedAlias,
    Role,
    Rule,
    Subject,
)
from ldap2mailcow.plan import Options

from .builders import (
    ANN,
    BOB,
    DISABLED_TAG,
    INFO,
    MARK,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    existing,
    forward,
    kinds,
    listing,
    make_plan,
    number_of,
    only_alias,
    patch_of,
    remembered,
    settled,
    wish,
)
from .simulated import simulate

OF_ANN = wish(INFO, ANN)
OTHER_NUMBER = 7
NO_SEARCH = {"group_search_base": "", "alias_search_base": ""}


def found(existing: ExistingAlias, *rows: RememberedAlias, **more: object) -> Scene:
    """A scene in which Ann's alias is wanted, and mailcow has one at its address."""
    fields: dict[str, Any] = {"wishes": [OF_ANN], "aliases": [existing], "alias_rows": rows}
    return settled([ANN, BOB], **{**fields, **more})


@pytest.mark.parametrize(
    ("policy", "goto", "taken"),
    [
        ("same_goto", ANN, True),
        ("same_goto", BOB, False),
        ("overwrite", ANN, True),
        ("overwrite", BOB, True),
        ("refuse", ANN, False),
        ("refuse", BOB, False),
    ],
)
def test_what_somebody_made_in_mailcow_is_taken_over_as_the_config_says(
    policy: str,
    goto: Address,
    taken: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = found(alias(INFO, goto, mark=""), config=alias_config(adopt_aliases=policy))
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.ADOPT, INFO)] * taken
    assert codes(plan) == [Code.ALIAS_NOT_OURS] * (not taken)
    after = simulate(plan, scene.case())
    assert after.actual.aliases[INFO].goto == ({ANN} if taken else {goto})
    assert make_plan(after).changes == ()
    if not taken:
        assert plan.notes == ()


@pytest.mark.parametrize(
    ("policy", "remedy"),
    [("same_goto", "adopt_aliases to overwrite"), ("refuse", "adopt_aliases to same_goto")],
)
def test_a_refused_adoption_says_what_would_allow_it(policy: str, remedy: str) -> None:
    (finding,) = found(alias(INFO, BOB, mark=""), config=alias_config(adopt_aliases=policy)).plan().findings
    assert finding.where == INFO
    assert remedy in finding.sentence


def test_an_adopted_alias_is_marked_and_remembered() -> None:
    plan = found(alias(INFO, ANN, mark="")).plan()
    change = only_alias(plan.changes)
    assert (change.why, change.writes, change.number) == (Rule.ADOPTED, {PRIVATE_COMMENT: MARK}, number_of(INFO))
    assert patch_of(change)["origin"] is Origin.ADOPTED
    assert patch_of(change)["number"] == number_of(INFO)


def test_an_adopted_alias_keeps_a_comment_of_its_own_and_is_ours_by_the_state_file() -> None:
    scene = found(alias(INFO, ANN, mark="for the press"))
    plan = scene.plan()
    change = only_alias(plan.changes)
    assert (change.kind, change.writes, calls_of(change)) == (Kind.ADOPT, {}, ())
    assert remembered(plan, INFO, Subject.ALIAS)["origin"] is Origin.ADOPTED
    assert (make_plan(simulate(plan, scene.case())).changes, plan.managed_aliases) == ((), 0)
    assert make_plan(simulate(plan, scene.case())).managed_aliases == 1


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


@pytest.mark.parametrize("mark", [MARK, DISABLED_TAG])
def test_the_mark_alone_makes_an_alias_ours(mark: str) -> None:
    plan = found(alias(INFO, BOB, mark=mark)).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, INFO)]
    assert remembered(plan, INFO, Subject.ALIAS)["origin"] is Origin.MARK


def test_a_lost_state_file_is_written_anew_from_the_marks() -> None:
    scene = settled([ANN], [OF_ANN], alias_rows=[])
    plan = scene.plan()
    assert (plan.changes, plan.managed_aliases) == ((), 1)
    assert simulate(plan, scene.case()).memory.aliases == {INFO: alias_row(OF_ANN, origin=Origin.MARK)}


@pytest.mark.parametrize(
    ("number", "ours"),
    [pytest.param(number_of(INFO), True, id="its own"), (None, False), pytest.param(OTHER_NUMBER, False, id="another")],
)
def test_an_alias_of_another_number_is_somebody_else_s(number: int | None, ours: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """Ours was deleted, and somebody made another one at its address."""
    plan = found(alias(INFO, BOB, mark=""), alias_row(OF_ANN, number=number)).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, INFO)] * ours
    assert codes(plan) == [Code.ALIAS_NOT_OURS] * (not ours)
    assert plan.managed_aliases == ours


def test_a_number_that_was_not_read_back_yet_is_remembered() -> None:
    plan = found(alias(INFO, ANN), alias_row(OF_ANN, number=None)).plan()
    assert plan.changes == ()
    assert remembered(plan, INFO, Subject.ALIAS)["number"] == number_of(INFO)


def test_another_alias_at_the_address_of_one_that_we_disabled_is_not_ours_to_enable() -> None:
    scene = found(alias(INFO, ANN, mark="", active=0), alias_row(OF_ANN, number=OTHER_NUMBER, disabled=True))
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.ADOPT, INFO)]
    assert codes(plan) == [Code.ALIAS_DISABLED_BY_HAND]
    assert not simulate(plan, scene.case()).actual.aliases[INFO].is_active


def test_what_is_neither_ours_nor_wanted_is_never_touched_but_counted() -> None:
    plan = settled([ANN], [OF_ANN], aliases=[alias(INFO, ANN), alias(TEAM, ANN, mark="their own")]).plan()
    assert (plan.changes, plan.notes, plan.findings) == ((), (), ())
    assert plan.unmanaged_aliases == (TEAM,)
    assert (plan.managed_aliases, plan.wanted_aliases) == (1, 1)


def test_nothing_is_unmanaged_where_no_aliases_are_managed_or_little_is_known() -> None:
    foreign = {"aliases": [alias(TEAM, ANN, mark="")], "alias_rows": []}
    assert settled([ANN], [], **foreign, config=alias_config(source=NO_SEARCH, mapping={"aliases": []})).plan() == (
        settled([ANN], [], config=alias_config(source=NO_SEARCH, mapping={"aliases": []})).plan()
    )
    assert settled([ANN], [], **foreign, options=Options(overridden_filter=True)).plan().unmanaged_aliases == ()


@pytest.mark.parametrize(
    ("wanted", "config", "managed"),
    [
        (OF_ANN, {}, True),
        (OF_ANN, {"mapping": {"aliases": []}}, False),
        (listing(TEAM, ANN), {}, True),
        (listing(TEAM, ANN), {"source": {"group_search_base": ""}}, False),
        (listing(TEAM, ANN), {"source": {"group_search_base": ""}, "mapping": {"group_addresses": "memberOf"}}, True),
        (forward(TEAM, ANN), {}, True),
        (forward(TEAM, ANN), {"source": {"alias_search_base": ""}}, False),
        (forward(TEAM, ANN), {"source": {"alias_search_base": ""}, "mapping": {"forward_to": "forward"}}, True),
        (None, {}, True),
        (None, {"source": NO_SEARCH, "mapping": {"aliases": []}}, False),
    ],
)
def test_aliases_of_a_kind_that_was_turned_off_stay_as_they_are(
    wanted: Alias | None,
    config: Mapping[str, Mapping[str, object]],
    managed: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    address = wanted.address if wanted else INFO
    rows = [alias_row(wanted, owner="id-ann")] if wanted else [alias_row(OF_ANN, role=None, owner="id-ann")]
    scene = settled(
        [ANN],
        [],
        aliases=[alias(address, ANN)],
        alias_rows=rows,
        config=alias_config(**config),
    )
    assert kinds(scene.plan().changes) == [(Kind.REMOVE, address)] * managed


def test_protected_addresses_are_not_touched() -> None:
    config = alias_config(protected=[INFO, TEAM])
    plan = settled([ANN], [OF_ANN], aliases=[alias(INFO, BOB), alias(TEAM, ANN)], config=config).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert [(one.code, one.where) for one in plan.findings] == [(Code.PROTECTED, INFO)]


@pytest.mark.parametrize(
    ("only", "touched"),
    [({INFO}, [INFO]), ({ANN}, [INFO]), ({BOB}, []), ({TEAM}, [TEAM])],
)
def test_a_run_for_some_addresses_touches_their_aliases_only(only: set[Address], touched: list[Address]) -> None:
    """A user's aliases go with the user; a list is touched for its own address only, and not for its members'."""
    scene = settled([ANN, BOB], [OF_ANN, listing(TEAM, ANN, BOB)], aliases=[], options=Options(only=frozenset(only)))
    plan = scene.plan()
    assert [change.address for change in plan.changes] == touched
    assert plan.wanted_aliases == len(touched)


@pytest.mark.parametrize("role", [Role.USER, Role.LIST])
def test_the_fields_of_an_adopted_alias_are_shown(role: Role) -> None:
    scene = found(alias(INFO, BOB, mark=""), wishes=[wish(INFO, ANN, role=role)])
    change = only_alias(replace(scene, config=alias_config(adopt_aliases="overwrite")).plan().changes)
    assert change.fields == (FieldChange("goto", BOB, ANN),)


# what a rename of ours left, where the run ended before it could mark it

LEFT = alias(
    INFO, ANN, mark=f"User was renamed from {INFO} to {ANN}", **{SENDER_ALLOWED: 0, SOGO_VISIBLE: 1, INTERNAL: 0}
)
"""As mailcow makes it, not as we want it."""
FORMER = replace(alias_row(OF_ANN), role=Role.FORMER, number=None)


def left(*rows: RememberedAlias, **more: object) -> Scene:
    """A scene in which mailcow has made an alias at Ann's old address."""
    fields: dict[str, Any] = {"aliases": [LEFT], "alias_rows": rows}
    return settled([ANN, BOB], **{**fields, **more})


@pytest.mark.parametrize("number", [None, 0])
def test_an_alias_that_a_rename_left_unmarked_is_marked_by_the_next_run(number: int | None) -> None:
    scene = left(replace(FORMER, number=number))
    change = only_alias(scene.plan().changes)
    assert (change.kind, change.why, change.number) == (Kind.UPDATE, Rule.UNFINISHED, LEFT.number)
    assert change.writes == {SENDER_ALLOWED: 1, SOGO_VISIBLE: 0, PRIVATE_COMMENT: "ldap-sync:renamed"}
    assert patch_of(change)["number"] == LEFT.number
    after = simulate(scene.plan(), scene.case())
    assert make_plan(after).changes == ()


def test_a_flag_of_a_former_address_that_somebody_ticks_in_mailcow_stays() -> None:
    there = alias(INFO, ANN, mark="ldap-sync:renamed", **{SOGO_VISIBLE: 1})
    assert left(replace(FORMER, number=there.number), aliases=[there]).plan().changes == ()


@pytest.mark.parametrize(
    "rows",
    [[], [replace(FORMER, number=OTHER_NUMBER)], [replace(FORMER, role=Role.USER)]],
    ids=["none", "other", "user"],
)
def test_an_alias_that_somebody_elses_rename_left_is_left_alone(rows: list[RememberedAlias]) -> None:
    assert left(*rows).plan().changes == ()


def test_what_a_rename_left_is_marked_as_any_alias_where_the_directory_wants_it() -> None:
    change = only_alias(left(FORMER, wishes=[OF_ANN]).plan().changes)
    assert (change.kind, change.writes[PRIVATE_COMMENT]) == (Kind.UPDATE, MARK)


def test_what_somebody_elses_rename_left_keeps_its_comment_where_it_is_taken_over() -> None:
    change = only_alias(left(wishes=[OF_ANN]).plan().changes)
    assert change.kind is Kind.ADOPT
    assert PRIVATE_COMMENT not in change.writes
