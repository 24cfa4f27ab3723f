"""What becomes of the alias that a rename leaves is in the rename: before it, the alias has no number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.model import (
    GOTO,
    PRIVATE_COMMENT,
    SOGO_VISIBLE,
    Address,
    AliasChange,
    Kind,
    RenameChange,
    Role,
    Rule,
    Subject,
)
from ldap2mailcow.plan.renames import NOT_YET, with_aliases_left

from .builders import ANN, BOB, INFO, MARK, Wish, alias_config, dn_of, id_of, listing, number_of, quiet, wanted, wish

RENAMED = quiet([ANN], config=alias_config(), wants=[wanted(BOB, id=id_of(ANN), dn=dn_of(ANN), name="Ann")])
"""Ann's entry has Bob's address now."""


def rename_of(*wishes: Wish) -> RenameChange:
    (change,) = replace(RENAMED, wishes=wishes).plan().changes
    assert isinstance(change, RenameChange)
    return change


def remembered_of(change: RenameChange, address: Address) -> dict[str, object]:
    found: dict[str, object] = {}
    for note in change.notes:
        if (note.address, note.subject) == (address, Subject.ALIAS):
            found |= note.remember or {}
    return found


def test_an_old_address_that_no_entry_asks_for_is_a_former_one() -> None:
    change = rename_of()
    assert (change.left[GOTO], change.left[PRIVATE_COMMENT]) == (BOB, f"{MARK}:renamed")
    assert remembered_of(change, ANN)["role"] is Role.FORMER


@pytest.mark.parametrize(
    ("asked", "role"),
    [
        pytest.param(wish(ANN, BOB, owner=id_of(ANN), flags={SOGO_VISIBLE: 1}), Role.USER, id="a further address"),
        pytest.param(listing(ANN, BOB, flags={SOGO_VISIBLE: 1}), Role.LIST, id="a list"),
    ],
)
def test_an_old_address_that_an_entry_asks_for_is_written_as_that_at_once(asked: Wish, role: Role) -> None:
    change = rename_of(asked)
    assert (change.left[PRIVATE_COMMENT], change.left[SOGO_VISIBLE]) == (MARK, 1)
    remembered = remembered_of(change, ANN)
    assert (remembered["role"], remembered["number"]) == (role, None)


RENAME = RenameChange(Kind.RENAME, BOB, Rule.RENAMED, former=ANN, left={GOTO: BOB}, rebuilds=1)
LEFT = AliasChange(
    Kind.UPDATE,
    ANN,
    Rule.LDAP,
    writes={PRIVATE_COMMENT: MARK},
    number=NOT_YET,
    rebuilds=2,
    remember={"number": NOT_YET, "role": Role.USER},
)
OTHER = AliasChange(Kind.UPDATE, INFO, Rule.LDAP, writes={GOTO: BOB}, number=number_of(INFO))


def test_a_rename_costs_what_its_alias_costs_too() -> None:
    (whole, other) = with_aliases_left([RENAME], [OTHER, LEFT])
    assert (whole.rebuilds, other) == (3, OTHER)
    (alone,) = with_aliases_left([RENAME], [])
    assert alone.rebuilds == 2, "the alias is edited, and goes to a mailbox that isn't active"
    (active,) = with_aliases_left([replace(RENAME, rebuilds=0)], [])
    assert active.rebuilds == 0


def test_the_alias_is_remembered_without_a_number() -> None:
    (change,) = with_aliases_left([RENAME], [LEFT])
    assert [note.remember for note in change.notes] == [{"number": None, "role": Role.USER}]
