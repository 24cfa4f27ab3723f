"""What shares a request, what runs side by side, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from ldap2mailcow.calls import Cost, Phase, cost, phases
from ldap2mailcow.model import Address, AliasChange, FieldChange, Kind, MailboxChange, Rule, Value
from tests.unit.plan.builders import ANN, BOB, DISABLED_TAG, HELP, INFO, MARK, TEAM, number_of, people, person

SECRET = SecretStr("{CRYPT}$6$salt$x")


def update(address: Address = ANN, /, **writes: Value) -> MailboxChange:
    return MailboxChange(Kind.UPDATE, address, Rule.LDAP, writes=writes)


def sizes(phase: Phase) -> list[int]:
    return [len(batch.changes) for batch in phase.batches]


def test_changes_that_are_alike_share_a_call_of_ten_at_most() -> None:
    (phase,) = phases([update(address, quota=5) for address in people(23)])
    assert sizes(phase) == [10, 10, 3]
    assert phase.batches[2].calls[0].items == (person(20), person(21), person(22))
    assert not phase.serial


def test_all_calls_of_a_batch_are_for_all_of_it() -> None:
    (phase,) = phases([update(address, name="A", tls_enforce_in=1) for address in people(2)])
    assert [call.items for call in phase.batches[0].calls] == [people(2), people(2)]


def test_changes_that_differ_share_nothing() -> None:
    (phase,) = phases([update(ANN, quota=5), update(BOB, quota=6)])
    assert sizes(phase) == [1, 1]


def test_the_order_of_the_values_makes_no_difference() -> None:
    (phase,) = phases([update(ANN, quota=5, name="A"), update(BOB, name="A", quota=5)])
    assert sizes(phase) == [2]


@pytest.mark.parametrize(
    "own",
    [
        pytest.param({"password": SECRET}, id="a password"),
        pytest.param({"remove_tags": (DISABLED_TAG,)}, id="a tag to remove"),
        pytest.param({"kind": Kind.CREATE}, id="a new mailbox"),
    ],
)
def test_what_is_one_mailbox_s_own_is_never_shared(own: dict[str, object]) -> None:
    (phase,) = phases([replace(update(address, name="A"), **own) for address in (ANN, BOB)])  # type: ignore[arg-type]
    assert sizes(phase) == [1, 1]


@pytest.mark.parametrize(("one", "other", "shared"), [("abc", "abc", [2]), ("abc", "def", [1, 1]), ("", "abc", [1, 1])])
def test_the_mark_of_a_template_is_shared_between_equals_only(one: str, other: str, shared: list[int]) -> None:
    changes = [replace(update(address, name="A"), attribute_hash=mark) for address, mark in ((ANN, one), (BOB, other))]
    assert sizes(phases(changes)[0]) == shared


def test_tags_are_shared_between_equals_only() -> None:
    changes = [replace(update(ANN, name="A"), add_tags=(MARK,)), update(BOB, name="A")]
    assert sizes(phases(changes)[0]) == [1, 1]


def test_deletions_are_calls_of_their_own_one_after_the_other() -> None:
    """Side by side they leave mailboxes half-deleted (docs/mailcow-api.md section 11)."""
    (phase,) = phases([MailboxChange(Kind.DELETE, one, Rule.EXPIRED, rebuilds=1) for one in people(12)])
    assert phase.serial
    assert sizes(phase) == [1] * 12


def disable(address: Address) -> MailboxChange:
    return MailboxChange(
        Kind.DISABLE, address, Rule.MISSING, writes={"active": 0}, add_tags=(DISABLED_TAG,), rebuilds=1
    )


def test_disabling_runs_last_one_by_one_and_each_in_a_call_of_its_own() -> None:
    """Each rebuilds mailcow's address book before the answer comes."""
    first, last = phases([update(ANN, name="A"), disable(ANN), disable(BOB)])
    assert (first.serial, last.serial) == (False, True)
    assert sizes(last) == [1, 1]


def test_two_changes_of_one_mailbox_are_in_two_phases() -> None:
    lower = MailboxChange(Kind.UPDATE, ANN, Rule.LDAP, fields=(FieldChange("quota", 100, 50),), writes={"quota": 50})
    enable = MailboxChange(Kind.ENABLE, ANN, Rule.BACK, writes={"active": 1})
    for changes in ([lower, enable], [update(ANN, name="A"), enable], [update(ANN, name="A"), disable(ANN)]):
        assert [len(phase.batches) for phase in phases(changes)] == [1, 1]


def test_nothing_to_do_has_no_phases_and_costs_nothing() -> None:
    assert phases([]) == ()
    assert cost([]) == Cost(0, 0)


def test_the_cost_is_in_calls_as_they_are_shared_and_in_rebuilds() -> None:
    changes = [
        *(update(address, name="A", tls_enforce_in=1) for address in people(12)),
        replace(update(ANN, name="B"), rebuilds=1),
        disable(BOB),
    ]
    assert cost(iter(changes)) == Cost(calls=6, rebuilds=2)


# aliases


def make(address: Address, goto: str = ANN, rebuilds: int = 0) -> AliasChange:
    return AliasChange(Kind.CREATE, address, Rule.NEW, writes={"goto": goto, "active": 1}, rebuilds=rebuilds)


def edit(address: Address, kind: Kind = Kind.UPDATE, /, rebuilds: int = 0, **writes: Value) -> AliasChange:
    return AliasChange(kind, address, Rule.LDAP, writes=writes, number=number_of(address), rebuilds=rebuilds)


def test_new_aliases_with_the_same_targets_share_a_call_of_twenty_and_its_rebuilds() -> None:
    (phase,) = phases([make(address, rebuilds=2) for address in people(45)])
    assert sizes(phase) == [20, 20, 5]
    assert phase.batches[2].calls[0].items == people(45)[40:]
    assert [batch.rebuilds for batch in phase.batches] == [2, 2, 2]
    assert not phase.serial


def test_edits_of_aliases_share_a_call_of_ten_and_no_rebuild() -> None:
    (phase,) = phases([edit(address, sogo_visible=1, rebuilds=2) for address in people(23)])
    assert sizes(phase) == [10, 10, 3]
    assert phase.batches[2].calls[0].items == tuple(str(number_of(one)) for one in people(23)[20:])
    assert phase.batches[2].calls[0].called == people(23)[20:]
    assert [batch.rebuilds for batch in phase.batches] == [20, 20, 6]
    assert cost(phase.batches[0].changes).rebuilds == 20


def test_removed_aliases_share_calls_of_their_own() -> None:
    (phase,) = phases([edit(address, Kind.REMOVE) for address in people(12)])
    assert sizes(phase) == [10, 2]
    assert {batch.calls[0].endpoint for batch in phase.batches} == {"delete/alias"}


def test_aliases_that_differ_share_nothing() -> None:
    same: dict[str, Any] = {"goto": ANN, "active": 1}
    changes = [make(INFO), make(TEAM, BOB), edit(HELP, **same), edit(BOB, goto=ANN)]
    assert sizes(phases(changes)[0]) == [1, 1, 1, 1]
    assert sizes(phases([edit(INFO, Kind.UPDATE, **same), edit(TEAM, Kind.ENABLE, **same)])[0]) == [2]


def test_a_removal_and_an_edit_of_nothing_are_two_things() -> None:
    first = replace(edit(INFO, Kind.REMOVE), is_first=True)
    other = replace(edit(TEAM, Kind.UPDATE), is_first=True)
    assert sizes(phases([first, other])[0]) == [1, 1]


def test_rights_are_one_mailbox_s_own() -> None:
    changes = [MailboxChange(Kind.GRANT, address, Rule.LDAP, senders=(BOB,)) for address in people(3)]
    assert sizes(phases(changes)[0]) == [1, 1, 1]
