"""Opening the state file: its rights, what is wrong with it, and that a dry run writes nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import EntryId, Note, Notice, Remembered, SourceMemory
from ldap2mailcow.state import State, StateError, lock

from .builders import ANN, NEW, NOW, contents, outcome, remember
from .test_atomicity import kill_a_writer

WRONG = SecretStr("wrong")


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Files


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_is_its_owner_s_alone(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with lock(path, NOW), State.open(path) as store:
            store.connection.execute("BEGIN IMMEDIATE")
            store.connection.execute("INSERT INTO meta VALUES ('a', 'b')")
            made = {file.name: rights(file) for file in path.parent.iterdir()}
            store.connection.execute("COMMIT")
    finally:
        os.umask(before)
    names = ("state.sqlite3", "state.sqlite3-journal", "state.sqlite3.key", "state.sqlite3.lock")
    assert made == dict.fromkeys(names, 0o600)


def test_a_file_is_closed_when_the_run_ends(path: Path) -> None:
    with State.open(path) as store:
        pass
    with pytest.raises(StateError, match="closed"):
        store.memory()


def test_an_error_of_the_run_itself_is_not_told_as_one_of_the_file(path: Path) -> None:
    """A broken pipe or a full log is no reason to restore the state file from a copy."""
    with pytest.raises(BrokenPipeError), State.open(path):
        raise BrokenPipeError


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_in_place_of_the_file_is_told(path: Path, *, read_only: bool) -> None:
    path.mkdir()
    with pytest.raises(StateError, match=r"state\.sqlite3 can't be .*: Is a directory"):
        State.open(path, read_only=read_only).__enter__()


def test_a_folder_that_is_not_there_is_told(path: Path) -> None:
    with pytest.raises(StateError, match="can't be written: No such file"):
        State.open(path / "state.sqlite3").__enter__()


def test_a_file_in_place_of_the_folder_is_told(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(StateError, match="can't be written: Not a directory"):
        State.open(path / "state.sqlite3").__enter__()


@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_database_is_told_and_left_as_it_is(path: Path, *, read_only: bool) -> None:
    path.write_bytes(b"ann@example.org\n" * 100)
    with pytest.raises(StateError, match=r"file is not a database.*restore it from a copy"):
        State.open(path, read_only=read_only).__enter__()
    assert path.read_bytes() == b"ann@example.org\n" * 100


@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_database_is_told(path: Path, *, read_only: bool) -> None:
    with State.open(path) as store:
        remember(store, ANN)
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))  # the header stays
    with pytest.raises(StateError, match="malformed"), State.open(path, read_only=read_only) as store:
        store.memory()


@pytest.mark.parametrize(
    ("spoil", "read"),
    [
        pytest.param("UPDATE mailbox SET origin = 'heaven'", State.memory, id="a word that means nothing"),
        pytest.param("UPDATE mailbox SET applied = '{'", State.memory, id="what is no JSON"),
        pytest.param("UPDATE source SET answered = 'yesterday'", State.memory, id="a directory's moment"),
        pytest.param("UPDATE bystander SET first_seen = 'once'", State.memory, id="a bystander's moment"),
        pytest.param("INSERT INTO intent VALUES ('a', '', '[]')", State.memory, id="an intent"),
        pytest.param("UPDATE mailbox SET applied = '[]'", State.memory, id="another kind of JSON"),
        pytest.param("UPDATE mailbox SET applied = '{\"name\": []}'", State.memory, id="a value that is a list"),
        pytest.param("UPDATE mailbox SET present = '[1]'", State.memory, id="a number for a name"),
        pytest.param("UPDATE mailbox SET present = replace(hex(zeroblob(9999)), '0', '[')", State.memory, id="depth"),
        pytest.param("UPDATE mailbox SET missed = 9223372036854775807", State.memory, id="a count without end"),
        pytest.param("UPDATE mailbox SET was_active = 3", State.memory, id="a flag of three"),
        pytest.param("UPDATE mailbox SET address = 'ann'", State.memory, id="no address"),
        pytest.param("UPDATE mailbox SET last_seen = '2026-06-01T12:00:00'", State.memory, id="no zone"),
        pytest.param("UPDATE mailbox SET last_seen = '9999-06-01T12:00:00Z'", State.memory, id="the end of time"),
        pytest.param("UPDATE mailbox SET dn = CAST(x'ff41' AS TEXT)", State.memory, id="no UTF-8"),
        pytest.param("UPDATE source SET accepted = '{\"a\": 1}'", State.memory, id="a search that is a number"),
        pytest.param("UPDATE source SET id_attribute = 'a b'", State.memory, id="no attribute"),
        pytest.param("UPDATE notice SET shown = ''", State.notices, id="a notice's moment"),
        pytest.param("UPDATE refusal SET at = ''", lambda store: store.refused_at(WRONG), id="a refusal's moment"),
    ],
)
def test_a_value_that_no_run_has_written_is_told_as_damage(
    store: State, spoil: str, read: Callable[[State], object]
) -> None:
    """sqlite finds such a file sound."""
    store.note([Note(ANN, NEW)], {"default": SourceMemory()}, {EntryId("default", "id-bob"): NOW})
    store.save_notices([Notice("a", "b", "c", NOW)])
    store.record_refusal(WRONG, NOW)
    read(store)
    store.connection.execute(spoil)
    with pytest.raises(StateError, match=r"a row holds what no run has written|Could not decode to UTF-8"):
        read(store)


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.write_bytes(b"")
    with State.open(path) as store:
        assert store.memory().mailboxes == {}


# Reading only


def test_a_dry_run_reads_what_a_run_reads(path: Path) -> None:
    with State.open(path) as store:
        store.record(store.begin_run(NOW, "changes"), outcome(), NOW)
        store.record_refusal(WRONG, NOW)
        digest = store.memory().seal(SecretStr("password"))
    with State.open(path, read_only=True) as store:
        assert store.memory().mailboxes == {ANN: Remembered(ANN, **NEW)}  # type: ignore[arg-type]
        assert store.refused_at(WRONG) == NOW
        assert store.memory().seal(SecretStr("password")) == digest
        assert store.connection.execute("SELECT id FROM run").fetchall() == [(1,)]


def test_a_dry_run_writes_nothing(path: Path) -> None:
    with State.open(path) as store:
        remember(store, ANN)
    before = contents(path.parent)
    with State.open(path, read_only=True) as store:
        store.memory()
        during = contents(path.parent)
    assert during == before
    assert contents(path.parent) == before


def test_a_dry_run_without_a_file_makes_none(path: Path) -> None:
    before = contents(path.parent)
    with State.open(path, read_only=True) as store:
        assert store.memory().mailboxes == {}
        assert store.notices() == ()
    assert contents(path.parent) == before


def test_a_dry_run_after_a_sigkill_reads_what_was_before_and_leaves_the_repair_to_the_next_run(path: Path) -> None:
    """A connection that only reads can't roll back, and one that can would write."""
    with State.open(path) as store:
        remember(store, ANN)
    kill_a_writer(path)
    before = contents(path.parent)
    with State.open(path, read_only=True) as store:
        assert set(store.memory().mailboxes) == {ANN}
    assert contents(path.parent) == before
    with State.open(path) as store:
        assert set(store.memory().mailboxes) == {ANN}


def test_a_dry_run_beside_a_run_reads_what_was_committed_last(path: Path) -> None:
    with State.open(path) as store:
        remember(store, ANN)
        store.connection.execute("BEGIN IMMEDIATE")
        store.connection.execute("DELETE FROM mailbox")
        with State.open(path, read_only=True) as dry:
            assert set(dry.memory().mailboxes) == {ANN}
        store.connection.execute("ROLLBACK")


def test_a_dry_run_does_not_mistake_an_older_schema(path: Path) -> None:
    """An empty database is version 0: it becomes the newest in memory only."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE gone (a); DROP TABLE gone;")
    before = contents(path.parent)
    with State.open(path, read_only=True) as store:
        assert store.memory().mailboxes == {}
    assert contents(path.parent) == before


def test_a_name_of_the_schema_that_is_no_utf_8_is_told(path: Path) -> None:
    """sqlite quotes it in its own sentence, which Python can't read then."""
    with State.open(path):
        pass
    path.write_bytes(path.read_bytes().replace(b"bystander", b"b\xffstander"))
    for read_only in (False, True):
        with pytest.raises(StateError, match="restore it from a copy"), State.open(path, read_only=read_only) as store:
            store.memory()
