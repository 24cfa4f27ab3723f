"""The requests of a rename: docs/mailcow-api.md section 15."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.calls import alias_left, cost, is_done, phases, requests_of
from ldap2mailcow.model import Call, Kind, RenameChange, Rule, Value
from ldap2mailcow.plan import NOT_YET
from tests.unit.plan.builders import ANN, BOB, CAT, DAN, DOMAIN, alias, existing

from .shown import Shown

LEFT: dict[str, Value] = {"goto": BOB, "active": 1, "private_comment": "ldap-sync:renamed"}
CHANGE = RenameChange(Kind.RENAME, BOB, Rule.RENAMED, former=ANN, left=LEFT)
OVER_AN_ALIAS = replace(CHANGE, gives_way=7)
RENAME = Call(
    "edit/rename-mbox",
    (ANN,),
    {"domain": DOMAIN, "old_local_part": "ann", "new_local_part": "bob", "create_alias": 1},
    "mailbox_renamed",
)
GIVE_WAY = Call("delete/alias", ("7",), {}, "alias_removed", (BOB,))
KEEP = Call("edit/alias", (str(NOT_YET),), LEFT, "alias_modified", (ANN,))


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        pytest.param(CHANGE, [RENAME, KEEP], id="to a free address"),
        pytest.param(OVER_AN_ALIAS, [GIVE_WAY, RENAME, KEEP], id="an alias gives way"),
    ],
)
def test_each_rename_has_its_requests_in_order(change: RenameChange, calls: list[Call]) -> None:
    assert [request.call for request in requests_of(change)] == calls


@pytest.mark.parametrize(
    ("number", "call"),
    [(5, replace(KEEP, items=("5",))), (None, Call("add/alias", (ANN,), LEFT, "alias_added"))],
)
def test_the_alias_that_is_left_is_edited_by_its_number_and_made_where_mailcow_has_none(
    number: int | None, call: Call
) -> None:
    (request,) = requests_of(alias_left(CHANGE, number))
    assert request.call == call


BEFORE = existing(ANN), alias(BOB, ANN, number=7)
RENAMED = existing(BOB), alias(ANN, BOB, mark="Mailbox was renamed from ann@example.org to bob@example.org")
AFTER = existing(BOB), alias(ANN, BOB, mark="ldap-sync:renamed")


@pytest.mark.parametrize(
    ("shown", "done"),
    [
        pytest.param(Shown(*BEFORE), [False, False, False], id="before"),
        pytest.param(Shown(existing(ANN)), [True, False, False], id="the alias is gone"),
        pytest.param(Shown(existing(ANN), alias(BOB, ANN, number=8)), [True, False, False], id="another alias"),
        pytest.param(Shown(existing(ANN), existing(BOB)), [True, False, False], id="both are there"),
        pytest.param(Shown(existing(BOB), halves=[ANN]), [True, False, False], id="half of the old one is there"),
        pytest.param(Shown(), [True, False, False], id="none is there"),
        pytest.param(Shown(*RENAMED), [True, True, False], id="renamed"),
        pytest.param(Shown(*AFTER), [True, True, True], id="whole"),
    ],
)
def test_each_request_shows_by_itself(shown: Shown, done: list[bool]) -> None:
    assert [request.is_done(shown) for request in requests_of(OVER_AN_ALIAS)] == done
    assert is_done(OVER_AN_ALIAS, shown) is all(done)


def test_renames_are_first_and_go_one_by_one() -> None:
    changes = [CHANGE, replace(CHANGE, former=CAT, address=DAN)]
    (phase,) = phases(changes)
    assert (phase.serial, [batch.changes for batch in phase.batches]) == (True, [(one,) for one in changes])


def test_a_rename_costs_its_requests_and_rebuilds() -> None:
    price = cost([replace(OVER_AN_ALIAS, rebuilds=2)])
    assert (price.calls, price.rebuilds) == (3, 2)


def test_two_renames_of_one_mailbox_have_names_of_their_own() -> None:
    assert {CHANGE.name, replace(CHANGE, former=CAT).name} == {f"rename {ANN} to {BOB}", f"rename {CAT} to {BOB}"}
