"""Intents: what a run is about to do is in the file before it is done, and out of it once that is settled."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ldap2mailcow.model import (
    Address,
    AliasChange,
    Cause,
    Change,
    FieldChange,
    Kind,
    MailboxChange,
    Note,
    Origin,
    Outcome,
    Patch,
    RenameChange,
    Role,
    Rule,
    Subject,
)
from ldap2mailcow.state import State
from ldap2mailcow.state.intents import packed, unpacked

from .builders import ANN, BOB, LIST, NEW, NEW_ALIAS, NOW, remember, remember_alias

CAT = Address("cat@example.org")
SECRET = SecretStr("{SSHA}not-to-be-found")
KNOWN: Patch = {
    **NEW,
    "applied": {"name": "Ann Öther", "quota": 1024},
    "disabled": Cause.MISSING,
    "barred": 2,
    "kept": False,
    "missing_since": NOW,
    "retired_since": None,
    "present": frozenset({"name"}),
    "senders": frozenset({"*"}),
}
KNOWN_ALIAS: Patch = {**NEW_ALIAS, "number": None, "applied": {"goto": BOB}, "disabled": False, "missing_since": NOW}
NOTES = (Note(BOB, KNOWN), Note(ANN, KNOWN_ALIAS, Subject.ALIAS), Note(LIST, None, Subject.ALIAS), Note(CAT, {}))
RENAME = RenameChange(
    Kind.RENAME,
    BOB,
    Rule.RENAMED,
    "uid=ann,dc=example",
    (FieldChange("address", ANN, BOB),),
    former=ANN,
    notes=NOTES,
)
CREATION = MailboxChange(Kind.CREATE, ANN, Rule.NEW, "uid=ann", remember=KNOWN, add_tags=("ldap-sync",))
DELETION = MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED, "uid=ann", remember=None, notes=NOTES[2:])
SILENCE = AliasChange(
    Kind.DISABLE, LIST, Rule.NO_TARGET, fields=(FieldChange("active", 1, 0),), remember=KNOWN_ALIAS, number=7
)
CHANGES: tuple[Change, ...] = (
    RENAME,
    replace(RENAME, address=CAT, remember=KNOWN),
    CREATION,
    DELETION,
    SILENCE,
)


def intents(store: State) -> tuple[Change, ...]:
    return store.memory().intents


# as text


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_an_intent_comes_back_as_it_went_in(change: Change) -> None:
    found = unpacked(packed(change))
    assert found == change
    assert type(found) is type(change)
    assert [(type(note.address), type(note.subject)) for note in found.notes] == [(Address, Subject)] * len(found.notes)
    assert (type(found.address), type(found.kind), type(found.why)) == (Address, Kind, Rule)


def test_what_the_next_run_need_not_know_is_left_out() -> None:
    """What a rename sends follows from what mailcow has then."""
    change = replace(RENAME, left={"goto": BOB}, gives_way=7, rebuilds=2)
    assert unpacked(packed(change)) == RENAME
    sent = replace(SILENCE, writes={"active": 0}, is_first=True, rebuilds=1)
    assert unpacked(packed(sent)) == SILENCE
    edit = replace(DELETION, writes={"active": 0}, remove_tags=("b",), attribute_hash="abc", senders=())
    assert unpacked(packed(edit)) == DELETION


def test_of_a_password_only_that_there_was_one_is_in_it() -> None:
    text = packed(MailboxChange(Kind.CREATE, ANN, Rule.NEW, remember=KNOWN, password=SECRET))
    assert "not-to-be-found" not in text
    assert "**" not in text
    found = unpacked(text)
    assert isinstance(found, MailboxChange)
    assert found.password is not None
    assert found.password != SECRET


# as an older version wrote it


def older(change: Change, **more: object) -> str:
    """Return an intent with what only an older version wrote."""
    return json.dumps({**json.loads(packed(change)), **more})


def test_what_only_an_older_version_knew_of_a_rename_is_left_out() -> None:
    assert unpacked(older(RENAME, active=0, stage="whole", hash="abc")) == RENAME


def test_a_sentence_that_is_no_longer_used_is_what_an_earlier_run_began() -> None:
    assert unpacked(older(SILENCE, why="nobody is left whom it could go to")).why is Rule.UNFINISHED


def test_a_column_that_is_no_longer_there_is_not_remembered(store: State) -> None:
    patch = json.loads(packed(CREATION))["remember"]
    found = unpacked(
        older(
            CREATION,
            remember={**patch, "senders_checked": None},
            notes=[[BOB, {**patch, "senders_checked": NOW.isoformat()}, "mailbox"]],
        )
    )
    assert found == replace(CREATION, notes=(Note(BOB, KNOWN),))
    store.record(store.begin_run(NOW, "changes"), Outcome(found, done=True), NOW)
    assert set(store.memory().mailboxes) == {ANN, BOB}


# any


ADDRESSES = st.sampled_from([ANN, BOB, CAT, LIST, Address("@example.org")])
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=9)
VALUES = TEXTS | st.integers(-(2**40), 2**40)
FIELDS = st.lists(st.builds(FieldChange, TEXTS, st.none() | VALUES, VALUES), max_size=3).map(tuple)
PATCHES: Mapping[Subject, st.SearchStrategy[Patch | None]] = {
    Subject.MAILBOX: st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "dn": TEXTS,
            "id": st.none() | TEXTS,
            "origin": st.sampled_from(Origin),
            "applied": st.dictionaries(TEXTS, VALUES, max_size=3),
            "disabled": st.none() | st.sampled_from(Cause),
            "kept": st.booleans(),
            "missed": st.integers(0, 9),
            "last_missed": st.none() | st.just(NOW),
            "present": st.frozensets(TEXTS, max_size=3),
        },
    ),
    Subject.ALIAS: st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "owner": TEXTS,
            "role": st.none() | st.sampled_from(Role),
            "number": st.none() | st.integers(1, 99),
            "applied": st.dictionaries(TEXTS, VALUES, max_size=3),
            "disabled": st.booleans(),
            "missing_since": st.none() | st.just(NOW),
        },
    ),
}
ANY_NOTES = st.lists(
    st.sampled_from(Subject).flatmap(lambda of: st.builds(Note, ADDRESSES, PATCHES[of], st.just(of))), max_size=3
).map(tuple)


def shared(subject: Subject) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "kind": st.sampled_from(Kind),
        "address": ADDRESSES,
        "why": st.sampled_from(Rule),
        "dn": TEXTS,
        "fields": FIELDS,
        "remember": PATCHES[subject],
        "notes": ANY_NOTES,
    }


ANY = (
    st.builds(MailboxChange, **shared(Subject.MAILBOX), add_tags=st.lists(TEXTS, max_size=2).map(tuple))
    | st.builds(AliasChange, **shared(Subject.ALIAS), number=st.none() | st.integers(1, 99))
    | st.builds(
        RenameChange,
        **shared(Subject.MAILBOX),
        former=ADDRESSES,
    )
)


@given(ANY)
def test_any_intent_comes_back_as_it_went_in(change: Change) -> None:
    assert unpacked(packed(change)) == change


# in the file


def test_an_intent_is_there_for_the_next_run(path: Path) -> None:
    with State.open(path) as store:
        for change in CHANGES:
            store.intend([change], NOW)
    with State.open(path) as store:
        assert sorted(intents(store), key=lambda one: one.name) == sorted(CHANGES, key=lambda one: one.name)


def test_intents_come_in_the_order_in_which_they_were_written(store: State) -> None:
    later, earlier = replace(RENAME, former=CAT), RENAME
    store.intend([later], NOW + timedelta(seconds=1))
    store.intend([earlier], NOW)
    assert intents(store) == (earlier, later)


def test_the_same_intent_twice_is_one(store: State) -> None:
    store.intend([RENAME], NOW)
    store.intend([replace(RENAME, dn="uid=other")], NOW)
    assert [one.dn for one in intents(store)] == ["uid=other"]


def test_no_password_is_in_the_file(path: Path) -> None:
    with State.open(path) as store:
        store.intend([replace(DELETION, password=SECRET)], NOW)
    for file in path.parent.iterdir():
        assert b"not-to-be-found" not in file.read_bytes()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_is_done_is_meant_no_more(store: State, change: Change) -> None:
    remember_alias(store, LIST)
    for one in (change, replace(DELETION, address=CAT)):
        store.intend([one], NOW)
    store.record(store.begin_run(NOW, "changes"), Outcome(change, done=True), NOW)
    assert intents(store) == (replace(DELETION, address=CAT),)


@pytest.mark.parametrize(("change", "stays"), [(RENAME, True), (DELETION, True), (SILENCE, False)])
def test_what_failed_may_still_be_half_done_where_it_is_about_a_mailbox(
    store: State,
    change: Change,
    stays: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    """An alias that is set inactive by hand after it failed here is nobody's but theirs."""
    store.intend([change], NOW)
    store.record(store.begin_run(NOW, "changes"), Outcome(change, done=False, detail="no"), NOW)
    assert intents(store) == ((change,) if stays else ())


# what is remembered


def test_a_rename_moves_the_row_with_all_that_is_in_it(store: State) -> None:
    remember(store, ANN, KNOWN)
    before = store.memory().mailboxes[ANN]
    store.record(store.begin_run(NOW, "changes"), Outcome(replace(RENAME, notes=()), done=True), NOW)
    assert store.memory().mailboxes == {BOB: replace(before, address=BOB)}


def test_what_was_known_of_the_new_address_is_forgotten(store: State) -> None:
    remember(store, ANN, KNOWN)
    remember(store, BOB, {**NEW, "id": "id-bob"})
    store.record(store.begin_run(NOW, "changes"), Outcome(replace(RENAME, notes=()), done=True), NOW)
    assert [row.id for row in store.memory().mailboxes.values()] == ["id-ann"]


def test_without_a_row_to_move_the_one_that_is_there_stays(store: State) -> None:
    """A row that was forgotten since the rename was begun takes none away from another mailbox."""
    remember(store, BOB)
    before = store.memory().mailboxes
    store.record(store.begin_run(NOW, "changes"), Outcome(replace(RENAME, notes=()), done=True), NOW)
    assert store.memory().mailboxes == before


def test_a_rename_that_failed_moves_nothing(store: State) -> None:
    remember(store, ANN)
    before = store.memory().mailboxes
    store.record(store.begin_run(NOW, "changes"), Outcome(RENAME, done=False, detail="no"), NOW)
    assert (store.memory().mailboxes, store.memory().aliases) == (before, {})


def test_notes_are_remembered_with_the_change(store: State) -> None:
    remember(store, ANN)
    remember_alias(store, LIST)
    notes = (Note(BOB, {"missed": 3}), *NOTES[1:])
    store.record(store.begin_run(NOW, "changes"), Outcome(replace(RENAME, notes=notes), done=True), NOW)
    memory = store.memory()
    assert (list(memory.mailboxes), memory.mailboxes[BOB].missed) == ([BOB], 3)
    assert list(memory.aliases) == [ANN]
    assert memory.aliases[ANN].applied == {"goto": BOB}


def test_a_deletion_forgets_the_mailbox_and_its_aliases(store: State) -> None:
    remember(store, ANN)
    remember_alias(store, LIST)
    store.record(store.begin_run(NOW, "changes"), Outcome(DELETION, done=True), NOW)
    assert (store.memory().mailboxes, store.memory().aliases) == ({}, {})


# settled by the next run


def test_what_an_earlier_run_did_is_in_the_history_of_this_one_and_remembered(store: State) -> None:
    remember(store, ANN)
    store.intend([replace(RENAME, notes=())], NOW)
    run = store.begin_run(NOW, "changes")
    store.settle(intents(store), NOW + timedelta(minutes=5), run)
    assert (list(store.memory().mailboxes), intents(store)) == ([BOB], ())
    assert store.connection.execute("SELECT run, kind, address, done, detail FROM change").fetchall() == [
        (run, "rename", BOB, 1, "an earlier run did it, and ended before it could write that down"),
    ]


def test_what_it_did_not_do_is_meant_no_more(store: State) -> None:
    for change in CHANGES:
        store.intend([change], NOW)
    store.settle([], NOW, 1)
    assert intents(store) == ()
    assert store.connection.execute("SELECT count(*) FROM change").fetchone() == (0,)


# all of it, or nothing


class KilledError(BaseException):
    """Stands for whatever ends a run in the middle."""


def cut(*items: Change) -> Iterator[Change]:
    yield from items
    raise KilledError


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, as another program reads them."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608


def test_a_run_that_ends_while_it_settles_leaves_the_intents(path: Path) -> None:
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        remember(store, ANN)
        store.intend([RENAME], NOW)
        before = everything(path)
        with pytest.raises(KilledError):
            store.settle(cut(), NOW, run)
        assert everything(path) == before


def test_of_several_that_were_done_each_is_recorded_by_itself(path: Path) -> None:
    """Whatever ends the run after the first one: that one is remembered, and the second is still meant."""
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        remember(store, ANN)
        first, second = replace(RENAME, notes=()), replace(DELETION, address=CAT, notes=())
        store.intend([first], NOW)
        store.intend([second], NOW)
        with pytest.raises(KilledError):
            store.settle(cut(first), NOW, run)
        assert (list(store.memory().mailboxes), intents(store)) == ([BOB], (second,))


@pytest.mark.parametrize("table", ["mailbox", "alias", "intent"])
def test_a_rename_is_remembered_whole_or_not_at_all(path: Path, table: str) -> None:
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        remember(store, ANN)
        remember_alias(store, LIST)
        store.intend([RENAME], NOW)
        before = everything(path)
        what = "UPDATE" if table == "mailbox" else "DELETE"
        store.connection.execute(
            f"CREATE TEMP TRIGGER no_end BEFORE {what} ON main.{table} BEGIN SELECT RAISE(ABORT, 'not now'); END"
        )
        with pytest.raises(Exception, match="not now"):
            store.record(run, Outcome(RENAME, done=True), NOW)
        assert everything(path) == before


def test_an_intent_is_json(store: State) -> None:
    store.intend([RENAME], NOW)
    ((name, text),) = store.connection.execute("SELECT name, change FROM intent").fetchall()
    assert name == "rename ann@example.org to bob@example.org"
    assert json.loads(text)["former"] == ANN
