"""Former addresses: an alias where somebody's mailbox was before, as long as they have one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import GOTO, Address, Alias, AliasChange, Kind, Mailbox, Role, Subject, Why
from ldap2mailcow.plan import Options, Plan
from ldap2mailcow.plan.aliases import formers, with_formers
from ldap2mailcow.plan.draft import Draft

from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    DISABLED_TAG,
    HELP,
    INFO,
    MARK,
    NOW,
    Scene,
    alias,
    alias_config,
    alias_row,
    dn_of,
    existing,
    id_of,
    kinds,
    listing,
    make_config,
    of_aliases,
    quiet,
    remembered,
    row,
    wanted,
    wish,
)
from .simulated import simulate

LONG_AGO: dict[str, Any] = {"missing_since": NOW - timedelta(days=9), "missed": 9}
OLD = HELP
RENAMED_MARK = "ldap-sync:renamed"


def former(address: Address, home: Address, **more: object) -> Alias:
    """Return a former address as the alias that it should be."""
    return wish(address, home, role=Role.FORMER, **{"owner": id_of(home), "dn": dn_of(home), "flags": {}, **more})


WISH = former(OLD, ANN)
HOLD = alias_config(renames="hold")


def scene(**more: object) -> Scene:
    """Return a scene in which Ann's mailbox was called otherwise before, and all agree."""
    fields: dict[str, Any] = {
        "config": alias_config(),
        "aliases": [alias(OLD, ANN, mark=RENAMED_MARK)],
        "alias_rows": [alias_row(WISH)],
    }
    return quiet([ANN, BOB, CAT], **{**fields, **more})


def found(of: Scene) -> list[Alias]:
    return [one for _, one in formers(Draft(of.view(), whole=True))]


def test_a_former_address_is_wanted_as_long_as_its_person_has_a_mailbox() -> None:
    assert found(scene()) == [WISH]
    assert scene().plan().changes == ()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"alias_rows": [alias_row(wish(OLD, ANN))]}, id="a further address"),
        pytest.param({"alias_rows": [alias_row(former(OLD, DAN))]}, id="of somebody without a mailbox"),
        pytest.param({"aliases": [alias(OLD, ANN, mark="", number=7)]}, id="of a stranger"),
        pytest.param({"aliases": []}, id="not in mailcow"),
        pytest.param(
            {"wants": [wanted(ANN), wanted(BOB), wanted(OLD)]}, id="of somebody else, who is to have a mailbox there"
        ),
    ],
)
def test_nothing_else_is_a_former_address(more: dict[str, Any]) -> None:
    assert found(scene(**more)) == []


def test_a_former_address_of_another_directory_is_no_wish_of_this_one() -> None:
    ldap = [
        {"name": name, "uri": "ldaps://ldap.example.org", "user_search_base": "dc=example,dc=org"}
        for name in ("default", "other")
    ]
    config = Config.model_validate({"mailcow_host": "mail.example.org", "mailcow_api_key": "key", "ldap": ldap})
    assert found(scene(config=config, alias_rows=[alias_row(former(OLD, ANN, source="other"))])) == []
    assert found(scene(config=config)) == [WISH]


def test_without_a_row_its_comment_and_its_target_tell_whose_it_is() -> None:
    lost = scene(alias_rows=[])
    assert found(lost) == [WISH]
    (note,) = lost.plan().notes
    assert note.remember is not None
    assert (lost.plan().changes, note.address, note.remember["role"]) == ((), OLD, Role.FORMER)


@pytest.mark.parametrize("target", [DAN, Address("eve@elsewhere.test")])
def test_without_a_row_and_with_another_target_it_is_nobody_s(target: Address) -> None:
    assert found(scene(alias_rows=[], aliases=[alias(OLD, target, mark=RENAMED_MARK)])) == []


@pytest.mark.parametrize("ann", [[wanted(DAN, id=id_of(ANN), dn=dn_of(ANN))], []], ids=["has another", "is gone"])
def test_without_a_row_it_is_not_of_a_user_who_shall_get_the_address_it_goes_to(ann: list[Mailbox]) -> None:
    """Bob's entry has Ann's address now, and his mailbox can't be renamed."""
    known = scene(wants=[*ann, wanted(ANN, id=id_of(BOB), dn=dn_of(BOB)), wanted(CAT)], config=HOLD)
    lost = replace(known, alias_rows=[])
    assert [(one.address, one.kind, one.writes) for one in of_aliases(lost.plan().changes)] == [
        (one.address, one.kind, one.writes) for one in of_aliases(known.plan().changes)
    ]
    assert remembered(lost.plan(), OLD, Subject.ALIAS)["owner"] == id_of(ANN)


def test_who_is_held_is_reached_where_the_mailbox_is() -> None:
    moved = wanted(INFO, id=id_of(ANN), dn=dn_of(ANN), name="Ann")
    held = scene(wants=[moved, wanted(BOB), wanted(CAT)], config=alias_config(renames="hold"))
    assert held.plan().changes == ()
    everybody = replace(held.view().desired, held={INFO: ANN})
    assert [one.goto for _, one in formers(Draft(replace(held.view(), desired=everybody), whole=True))] == [(ANN,)]


def test_an_address_that_somebody_wants_who_is_held_stays_a_former_one() -> None:
    wants = [wanted(ANN), wanted(CAT), wanted(OLD, id=id_of(BOB), dn=dn_of(BOB), name="Bob")]
    held = scene(wants=wants, config=alias_config(renames="hold"))
    assert held.plan().changes == ()


def test_who_wants_it_in_the_directory_goes_before() -> None:
    theirs = listing(OLD, BOB)
    view = scene(wishes=[theirs, wish(INFO, CAT)]).view()
    assert with_formers(view).wishes.aliases == {OLD: theirs, INFO: wish(INFO, CAT)}
    assert list(with_formers(view).wishes.aliases) == sorted([OLD, INFO])


def test_a_target_that_somebody_changed_by_hand_is_put_right() -> None:
    (change,) = of_aliases(scene(aliases=[alias(OLD, BOB, mark=RENAMED_MARK)]).plan().changes)
    assert (change.kind, change.why, change.writes) == (Kind.UPDATE, Why.MAILCOW, {GOTO: ANN})


def test_flags_that_somebody_changed_by_hand_stay() -> None:
    """What mailcow shows of it is nobody's wish."""
    theirs = alias(OLD, ANN, mark=RENAMED_MARK, sogo_visible=1, sender_allowed=0, public_comment="before the wedding")
    assert scene(aliases=[theirs]).plan().changes == ()


@pytest.mark.parametrize("mark", [MARK, DISABLED_TAG])
def test_its_comment_says_what_it_is(mark: str) -> None:
    (change,) = of_aliases(scene(aliases=[alias(OLD, ANN, mark=mark)]).plan().changes)
    assert change.writes == {"private_comment": RENAMED_MARK}


def plan_without(gone: Iterable[Address], **more: object) -> Plan:
    there = [one for one in (ANN, BOB, CAT) if one not in gone]
    return scene(wants=[wanted(one) for one in there], **more).plan()


def test_it_goes_in_the_same_run_as_its_person() -> None:
    waiting = plan_without([ANN])
    assert (waiting.changes, [one.address for one in waiting.pending]) == ((), [OLD, ANN])
    over = plan_without(
        [ANN], rows=[row(ANN, **LONG_AGO), row(BOB), row(CAT)], alias_rows=[alias_row(WISH, **LONG_AGO)]
    )
    assert kinds(over.changes) == [(Kind.REMOVE, OLD), (Kind.DISABLE, ANN)]


@pytest.mark.parametrize(("only", "changes"), [(ANN, [(Kind.DISABLE, OLD)]), (OLD, [(Kind.DISABLE, OLD)]), (BOB, [])])
def test_it_is_looked_at_where_only_names_its_user(only: Address, changes: list[tuple[Kind, Address]]) -> None:
    """Ann's mailbox was set inactive by hand, so mail to her former address would be lost."""
    inactive = [existing(ANN, active=0), existing(BOB), existing(CAT)]
    assert kinds(scene(has=inactive, options=Options(only=frozenset({only}))).plan().changes) == changes


def test_where_mailboxes_come_from_elsewhere_it_stays_as_it_is() -> None:
    plan = plan_without([ANN], config=alias_config(create_mailboxes=False), alias_rows=[alias_row(WISH, **LONG_AGO)])
    assert plan.changes == ()


def test_it_is_looked_after_without_any_mapping_of_aliases() -> None:
    (change,) = scene(config=make_config(), aliases=[alias(OLD, BOB, mark=RENAMED_MARK)]).plan().changes
    assert isinstance(change, AliasChange)
    assert change.writes == {GOTO: ANN}


def test_a_list_that_gets_it_is_remembered_as_a_list() -> None:
    own = scene(wishes=[listing(OLD, BOB)])
    plan = own.plan()
    (change,) = of_aliases(plan.changes)
    assert (change.writes["goto"], change.writes["private_comment"]) == (BOB, MARK)
    view = own.view()
    assert simulate(plan, view).memory.aliases[OLD].role is Role.LIST
    assert remembered(plan, OLD, change.subject)["owner"] == id_of(OLD)
