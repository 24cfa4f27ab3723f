"""Rows of mailboxes and of aliases: every column comes out as it went in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ldap2mailcow.model import Address, Cause, Origin, Remembered, RememberedAlias, Role, Subject
from ldap2mailcow.state import State

from .builders import ANN, BOB, LIST, NEW, NEW_ALIAS, NOW, remember, remember_alias

MAILBOX, ALIAS = Subject.MAILBOX, Subject.ALIAS
CLASSES = {MAILBOX: Remembered, ALIAS: RememberedAlias}
NEEDED = {MAILBOX: NEW, ALIAS: NEW_ALIAS}
EVERYTHING: dict[Subject, dict[str, Any]] = {
    MAILBOX: {
        "source": "default",
        "id": "id-ann",
        "dn": "uid=ann,dc=example",
        "origin": Origin.ADOPTED,
        "applied": {"name": "Ann Öther", "quota": 1024, "active": 0},
        "digest": "0123abcd:ff",
        "passwd_update": "2026-05-01 08:00:00",
        "kept": True,
        "disabled": Cause.MISSING,
        "was_active": 2,
        "barred": 2,
        "missing_since": NOW,
        "missed": 2,
        "last_missed": NOW.replace(hour=14),
        "last_seen": NOW.replace(hour=11),
        "retired_since": NOW.replace(hour=15),
        "present": frozenset({"name", "quota"}),
        "senders": frozenset({"all@example.org", "@example.com", "*"}),
        "foreign_senders": frozenset({"ann@example.net", "@example.net"}),
    },
    ALIAS: {
        "source": "default",
        "owner": "id-all",
        "dn": "cn=all,dc=example",
        "role": Role.FORWARD,
        "origin": Origin.ADOPTED,
        "number": 17,
        "applied": {"goto": "ann@example.org,bob@example.org", "internal": 1, "public_comment": "Överybody"},
        "disabled": True,
        "missing_since": NOW,
        "missed": 2,
        "last_missed": NOW.replace(hour=14),
    },
}
BOTH = pytest.mark.parametrize("subject", [MAILBOX, ALIAS])


def row(subject: Subject, address: Address, values: Mapping[str, Any]) -> object:
    return CLASSES[subject](address, **values)


def rows(store: State, subject: Subject) -> dict[Address, object]:
    memory = store.memory()
    return dict(memory.mailboxes if subject is MAILBOX else memory.aliases)


@BOTH
def test_a_table_has_a_column_for_each_field_and_no_other(store: State, subject: Subject) -> None:
    columns = {name for _, name, *_ in store.connection.execute(f"PRAGMA table_info({subject})")}
    assert columns == {field.name for field in fields(CLASSES[subject])}


@BOTH
def test_every_column_comes_back_in_the_next_run(path: Path, subject: Subject) -> None:
    values = EVERYTHING[subject]
    assert {field.name for field in fields(CLASSES[subject])} == {"address", *values}
    with State.open(path) as store:
        remember(store, ANN, values, subject)
    with State.open(path) as store:
        assert rows(store, subject) == {ANN: row(subject, ANN, values)}


@BOTH
def test_every_column_has_the_type_that_the_field_has(store: State, subject: Subject) -> None:
    """Values that are equal may be of other types: 1 and True, a text and an address."""
    remember(store, ANN, EVERYTHING[subject], subject)
    (found,) = rows(store, subject).values()
    assert type(found) is CLASSES[subject]
    expected = {"address": Address, **{column: type(value) for column, value in EVERYTHING[subject].items()}}
    assert {column: type(getattr(found, column)) for column in expected} == expected


@BOTH
def test_a_row_has_by_default_what_the_dataclass_has(store: State, subject: Subject) -> None:
    remember(store, ANN, NEEDED[subject], subject)
    (found,) = rows(store, subject).values()
    expected = row(subject, ANN, NEEDED[subject])
    assert found == expected
    for field in fields(CLASSES[subject]):
        assert type(getattr(found, field.name)) is type(getattr(expected, field.name)), field.name


def test_an_alias_that_only_its_mark_made_ours_has_no_role(store: State) -> None:
    patch = {**NEW_ALIAS, "owner": "", "dn": "", "role": None, "origin": Origin.MARK}
    remember_alias(store, LIST, patch)
    assert store.memory().aliases == {LIST: RememberedAlias(LIST, "default", "", "", None, Origin.MARK)}


def test_a_catch_all_is_remembered(store: State) -> None:
    remember_alias(store, Address("@example.org"))
    assert set(store.memory().aliases) == {"@example.org"}


def test_senders_may_be_given_as_they_are_sent(store: State) -> None:
    """A change carries them as a tuple, and any order is the same text in the file."""
    for senders in (("b@example.org", "a@example.org", "b@example.org"), frozenset({"a@example.org", "b@example.org"})):
        remember(store, ANN, {**NEW, "senders": senders, "foreign_senders": senders})
        held = store.connection.execute("SELECT senders, foreign_senders FROM mailbox").fetchone()
        assert held == ('["a@example.org", "b@example.org"]',) * 2
        assert store.memory().mailboxes[ANN].senders == frozenset(senders)


def test_what_was_applied_is_json(store: State) -> None:
    remember_alias(store, LIST, EVERYTHING[ALIAS])
    (held,) = store.connection.execute("SELECT applied FROM alias").fetchone()
    assert json.loads(held) == EVERYTHING[ALIAS]["applied"]


# Any values

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone comes here
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
IN_BOTH: dict[str, st.SearchStrategy[Any]] = {
    "source": TEXT,
    "dn": TEXT,
    "origin": st.sampled_from(Origin),
    "missing_since": st.none() | MOMENTS,
    "missed": st.integers(0, 2**31),
}


def applied(*keys: str) -> st.SearchStrategy[dict[str, str | int]]:
    return st.dictionaries(st.sampled_from(keys), st.text() | st.integers(0, 2**43))


MAILBOX_ROWS = st.fixed_dictionaries(
    {
        **IN_BOTH,
        "id": st.none() | TEXT,
        "applied": applied("name", "quota", "active"),
        "digest": st.none() | TEXT,
        "passwd_update": st.none() | TEXT,
        "kept": st.booleans(),
        "disabled": st.none() | st.sampled_from(Cause),
        "was_active": st.sampled_from([1, 2]),
        "present": st.frozensets(TEXT),
        "senders": st.frozensets(TEXT),
        "foreign_senders": st.frozensets(TEXT),
        "last_seen": st.none() | MOMENTS,
    }
)
ALIAS_ROWS = st.fixed_dictionaries(
    {
        **IN_BOTH,
        "owner": TEXT,
        "role": st.none() | st.sampled_from(Role),
        "number": st.none() | st.integers(1, 2**31),
        "applied": applied("goto", "internal", "public_comment"),
        "disabled": st.booleans(),
    }
)
ANY_ROWS = settings(
    derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ANY_ROWS
@given(first=MAILBOX_ROWS, second=MAILBOX_ROWS)
def test_any_mailbox_comes_back_and_a_second_patch_replaces_the_first(
    store: State, first: dict[str, Any], second: dict[str, Any]
) -> None:
    for patch in (first, second):
        remember(store, ANN, patch)
        assert store.memory().mailboxes == {ANN: Remembered(ANN, **patch)}


@ANY_ROWS
@given(first=ALIAS_ROWS, second=ALIAS_ROWS)
def test_any_alias_comes_back_and_a_second_patch_replaces_the_first(
    store: State, first: dict[str, Any], second: dict[str, Any]
) -> None:
    for patch in (first, second):
        remember_alias(store, LIST, patch)
        assert store.memory().aliases == {LIST: RememberedAlias(LIST, **patch)}


# Patches


@BOTH
def test_a_patch_changes_its_own_columns_only(store: State, subject: Subject) -> None:
    remember(store, ANN, EVERYTHING[subject], subject)
    remember(store, ANN, {"missed": 3, "missing_since": None}, subject)
    expected = {**EVERYTHING[subject], "missed": 3, "missing_since": None}
    assert rows(store, subject) == {ANN: row(subject, ANN, expected)}


@BOTH
def test_a_patch_changes_its_own_row_only(store: State, subject: Subject) -> None:
    remember(store, ANN, EVERYTHING[subject], subject)
    remember(store, BOB, NEEDED[subject], subject)
    remember(store, BOB, {"missed": 3}, subject)
    assert rows(store, subject)[ANN] == row(subject, ANN, EVERYTHING[subject])


@BOTH
def test_an_empty_patch_changes_nothing(store: State, subject: Subject) -> None:
    remember(store, ANN, EVERYTHING[subject], subject)
    for address in (ANN, BOB):
        remember(store, address, {}, subject)
    assert rows(store, subject) == {ANN: row(subject, ANN, EVERYTHING[subject])}


@BOTH
def test_a_row_moves_where_its_address_is_patched(store: State, subject: Subject) -> None:
    remember(store, ANN, EVERYTHING[subject], subject)
    remember(store, ANN, {"address": BOB}, subject)
    assert rows(store, subject) == {BOB: row(subject, BOB, EVERYTHING[subject])}


@BOTH
def test_a_row_can_be_forgotten(store: State, subject: Subject) -> None:
    remember(store, ANN, NEEDED[subject], subject)
    remember(store, BOB, NEEDED[subject], subject)
    remember(store, ANN, None, subject)
    assert set(rows(store, subject)) == {BOB}


@BOTH
def test_forgetting_what_is_not_there_is_no_mistake(store: State, subject: Subject) -> None:
    remember(store, ANN, None, subject)
    assert rows(store, subject) == {}


def test_a_mailbox_and_an_alias_of_one_address_are_two_rows(store: State) -> None:
    """An alias that becomes somebody's mailbox is both for a while."""
    remember(store, ANN, NEW)
    remember_alias(store, ANN)
    remember(store, ANN, {"missed": 1})
    assert (store.memory().mailboxes[ANN].missed, store.memory().aliases[ANN].missed) == (1, 0)
    remember_alias(store, ANN, None)
    assert (set(store.memory().mailboxes), set(store.memory().aliases)) == ({ANN}, set())
