"""What is left of a change once a mailbox that it needs could not be made or renamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.apply.dependents import touches, without
from ldap2mailcow.model import Address, AliasChange, Change, FieldChange, Kind, MailboxChange, Rule
from tests.unit.plan.builders import ANN, BOB, CAT, DAN, INFO

UPDATE = MailboxChange(Kind.UPDATE, ANN, Rule.LDAP, writes={"name": "A"})
TO_ANN_AND_BOB = AliasChange(
    Kind.CREATE,
    INFO,
    Rule.NEW,
    fields=(FieldChange("goto", None, f"{ANN},{BOB}"), FieldChange("sogo_visible", None, 1)),
    writes={"goto": f"{ANN},{BOB}", "sogo_visible": 1},
    remember={"applied": {"goto": f"{ANN},{BOB}", "sogo_visible": 1}, "disabled": False},
)


@pytest.mark.parametrize(
    ("change", "about"),
    [
        pytest.param(UPDATE, {ANN}, id="a mailbox"),
        pytest.param(replace(UPDATE, senders=(BOB, "*")), {ANN, BOB}, id="rights"),
        pytest.param(TO_ANN_AND_BOB, {INFO, ANN, BOB}, id="an alias"),
        pytest.param(AliasChange(Kind.UPDATE, INFO, Rule.LDAP, writes={"active": 0}), {INFO}, id="an alias' status"),
        pytest.param(AliasChange(Kind.REMOVE, INFO, Rule.NOT_WANTED), {INFO}, id="a removal"),
    ],
)
def test_a_change_touches_what_it_is_about_and_what_it_names(change: Change, about: set[Address]) -> None:
    assert {one for one in (ANN, BOB, CAT, INFO) if touches(change, {one, DAN})} == about
    assert not touches(change, set())


def test_an_alias_does_not_go_to_a_mailbox_that_could_not_be_made() -> None:
    assert without(TO_ANN_AND_BOB, {BOB}) == replace(
        TO_ANN_AND_BOB,
        fields=(FieldChange("goto", None, ANN), FieldChange("sogo_visible", None, 1)),
        writes={"goto": ANN, "sogo_visible": 1},
        remember={"applied": {"goto": ANN, "sogo_visible": 1}, "disabled": False},
    )


@pytest.mark.parametrize(
    ("change", "not_made", "left"),
    [
        pytest.param(TO_ANN_AND_BOB, set(), True, id="all were made"),
        pytest.param(TO_ANN_AND_BOB, {CAT}, True, id="another"),
        pytest.param(TO_ANN_AND_BOB, {ANN, BOB}, False, id="no target is left"),
        pytest.param(replace(TO_ANN_AND_BOB, writes={"active": 0}), {ANN}, True, id="it goes where it went"),
        pytest.param(MailboxChange(Kind.GRANT, ANN, Rule.LDAP), {ANN}, False, id="rights of one that wasn't made"),
        pytest.param(MailboxChange(Kind.GRANT, ANN, Rule.LDAP), {BOB}, True, id="rights of another"),
    ],
)
def test_what_needs_no_mailbox_that_could_not_be_made_stays_whole(
    change: Change,
    not_made: set[Address],
    left: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    assert without(change, not_made) == (change if left else None)
