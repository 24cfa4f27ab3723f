"""Schema versions: older files are brought up, with a copy kept; newer ones are refused."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ldap2mailcow.state import State, StateError
from ldap2mailcow.state.schema import MIGRATIONS, migrate, version_of

from .builders import ANN, contents, remember

FIRST, SECOND, THIRD = (
    "CREATE TABLE mailbox (address TEXT)",
    "ALTER TABLE mailbox ADD COLUMN dn TEXT",
    "UPDATE mailbox SET dn = 'uid=' || address",
)


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A file of version 1 with a row."""
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        migrate(opened, path, steps=(FIRST,))
        opened.execute("INSERT INTO mailbox VALUES ('ann')")
        yield opened


def copy_of(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.v{version}")


def test_an_empty_file_becomes_the_newest_without_a_copy(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        migrate(opened, path)
        assert version_of(opened) == len(MIGRATIONS)
    assert list(path.parent.iterdir()) == [path]


def test_another_program_s_database_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE user (uid TEXT)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(StateError, match="another program's database"), State.open(path):
        pass
    assert path.read_bytes() == before


def test_an_older_file_goes_through_every_step_that_it_lacks(connection: sqlite3.Connection, path: Path) -> None:
    migrate(connection, path, steps=(FIRST, SECOND, THIRD))
    assert version_of(connection) == 3
    assert connection.execute("SELECT * FROM mailbox").fetchall() == [("ann", "uid=ann")]


def test_the_older_file_is_kept_beside_for_its_owner_alone(connection: sqlite3.Connection, path: Path) -> None:
    before = path.read_bytes()
    migrate(connection, path, steps=(FIRST, SECOND))
    assert copy_of(path, 1).read_bytes() == before
    assert stat.S_IMODE(copy_of(path, 1).stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy_of(path, 1))) as copy:
        assert version_of(copy) == 1
        assert copy.execute("SELECT * FROM mailbox").fetchall() == [("ann",)]


def test_the_newest_file_is_left_as_it_is(connection: sqlite3.Connection, path: Path) -> None:
    before = contents(path.parent)
    migrate(connection, path, steps=(FIRST,))
    assert contents(path.parent) == before


def test_a_step_that_fails_changes_nothing(connection: sqlite3.Connection, path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, steps=(FIRST, SECOND, "UPDATE nothing SET a = 1"))
    connection.close()  # as State.open does
    with closing(sqlite3.connect(path)) as again:
        assert version_of(again) == 1
        assert again.execute("SELECT * FROM mailbox").fetchall() == [("ann",)]


def test_a_file_in_memory_is_brought_up_without_a_copy(connection: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        connection.backup(memory)
        migrate(memory, None, steps=(FIRST, SECOND))
        assert version_of(memory) == 2
    assert list(path.parent.iterdir()) == [path]


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    with State.open(path) as store:
        remember(store, ANN)
        store.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = contents(path.parent)
    with pytest.raises(StateError, match="was written by a newer version; run that one, or restore the copy"):
        State.open(path).__enter__()
    assert contents(path.parent) == before


def test_a_dry_run_refuses_a_newer_version_too(path: Path) -> None:
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA user_version = 99")
    with pytest.raises(StateError, match="has schema version 99 and this program knows"):
        State.open(path, read_only=True).__enter__()
