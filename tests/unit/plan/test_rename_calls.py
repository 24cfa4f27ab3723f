"""The requests of a rename: docs/mailcow-api.md section 15."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.model import Call, Kind, RenameChange, Rule, Value
from ldap2mailcow.plan import make_alias
from ldap2mailcow.plan.order import Step, step_of

from .builders import ANN, BOB, CAT, DOMAIN

LEFT: dict[str, Value] = {"goto": BOB, "active": 1, "private_comment": "ldap-sync:renamed"}
CHANGE = RenameChange(Kind.RENAME, BOB, Rule.RENAMED, former=ANN)
RENAME = Call(
    "edit/rename-mbox",
    (ANN,),
    {"domain": DOMAIN, "old_local_part": "ann", "new_local_part": "bob", "create_alias": 0},
    "mailbox_renamed",
)
WITH_ALIAS = replace(RENAME, attr={**RENAME.attr, "create_alias": 1})
GIVE_WAY = Call("delete/alias", ("7",), {}, "alias_removed", (BOB,))
KEEP = Call("edit/alias", ("0",), LEFT, "alias_modified", (ANN,))


def status(address: str, value: int, **more: object) -> Call:
    return Call("edit/mailbox", (address,), {"active": value, **more}, "mailbox_modified")


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        pytest.param(CHANGE, [RENAME], id="alone"),
        pytest.param(replace(CHANGE, active=2, attribute_hash="abc"), [RENAME], id="barred"),
        pytest.param(replace(CHANGE, left=LEFT), [WITH_ALIAS, KEEP], id="the old address stays"),
        pytest.param(replace(CHANGE, gives_way=7), [GIVE_WAY, RENAME], id="an alias gives way"),
        pytest.param(replace(CHANGE, active=0), [status(ANN, 2), RENAME, status(BOB, 0)], id="inactive"),
        pytest.param(
            replace(CHANGE, active=0, attribute_hash="abc", left=LEFT, gives_way=7),
            [
                GIVE_WAY,
                status(ANN, 2, attribute_hash="abc"),
                WITH_ALIAS,
                KEEP,
                status(BOB, 0, attribute_hash="abc"),
            ],
            id="all of it",
        ),
        pytest.param(
            replace(CHANGE, former=BOB, active=0, stage=Stage.BACK, gives_way=7, left=LEFT),
            [status(BOB, 0)],
            id="put back",
        ),
    ],
)
def test_each_rename_has_its_requests_in_order(change: RenameChange, calls: list[Call]) -> None:
    assert list(calls_of(change)) == calls


def test_an_alias_that_mailcow_has_not_made_is_made() -> None:
    assert make_alias(replace(CHANGE, left=LEFT)) == Call("add/alias", (ANN,), LEFT, "alias_added")


def test_renames_are_first_and_go_one_by_one() -> None:
    changes = [CHANGE, replace(CHANGE, former=CAT, address=ANN)]
    (phase,) = phases(changes)
    assert step_of(CHANGE) is Step.RENAME is min(Step)
    assert (phase.serial, [batch.changes for batch in phase.batches]) == (True, [(one,) for one in changes])


def test_a_rename_costs_its_requests_and_rebuilds() -> None:
    price = cost([replace(CHANGE, active=0, rebuilds=2)])
    assert (price.calls, price.rebuilds) == (3, 2)


def test_two_renames_of_one_mailbox_have_names_of_their_own() -> None:
    assert {CHANGE.name, replace(CHANGE, former=CAT).name} == {f"rename {ANN} to {BOB}", f"rename {CAT} to {BOB}"}
