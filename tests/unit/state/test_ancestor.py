"""The ancestor's database: read, never written, and not mistaken for anything else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from ldap2mailcow.state import ANCESTOR_FILE, State, StateError, read_ancestor

from .builders import contents


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The place of the ancestor's database."""
    return tmp_path / ANCESTOR_FILE


def make(file: Path, rows: Iterable[tuple[object, object]]) -> None:
    """Make a database as the ancestor made it."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "CREATE TABLE user (id INTEGER PRIMARY KEY, uid TEXT, mail TEXT, firstname TEXT, lastname TEXT,"
            " password TEXT, quota INTEGER, active INTEGER)"
        )
        connection.executemany("INSERT INTO user (uid, mail, password) VALUES (?, ?, '{SSHA}x')", rows)


def test_its_rows_are_read_in_their_order(file: Path) -> None:
    make(file, [("uid=bob,dc=example", "bob@example.org"), ("uid=ann,dc=example", "Ann@Example.org")])
    assert read_ancestor(file) == (
        ("uid=bob,dc=example", "bob@example.org"),
        ("uid=ann,dc=example", "ann@example.org"),
    )


@pytest.mark.parametrize("mail", ["", None, "ann", "ann other@example.org", b"ann@example.org", 7])
def test_a_row_without_a_usable_address_is_left_out(file: Path, mail: object) -> None:
    make(file, [("uid=ann", mail), ("uid=bob", "bob@example.org")])
    assert read_ancestor(file) == (("uid=bob", "bob@example.org"),)


def test_reading_it_writes_nothing(file: Path) -> None:
    make(file, [("uid=ann", "ann@example.org")])
    before = contents(file.parent)
    read_ancestor(file)
    assert contents(file.parent) == before


def test_a_path_of_odd_characters_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=rw#c%20ü"
    folder.mkdir()
    make(folder / ANCESTOR_FILE, [("uid=ann", "ann@example.org")])
    assert read_ancestor(folder / ANCESTOR_FILE) == (("uid=ann", "ann@example.org"),)


def test_a_file_that_is_not_there_is_told_and_not_made(file: Path) -> None:
    with pytest.raises(StateError, match="is not the database of mailcow-ldap-sync"):
        read_ancestor(file)
    assert not file.exists()


def test_what_is_no_database_is_told(file: Path) -> None:
    file.write_bytes(b"ann@example.org\n" * 100)
    with pytest.raises(StateError, match=r"file is not a database.*move it elsewhere"):
        read_ancestor(file)


def test_another_program_s_database_is_told(file: Path) -> None:
    with State.open(file):
        pass
    with pytest.raises(StateError, match="no such table: user"):
        read_ancestor(file)


def test_a_folder_in_its_place_is_told(file: Path) -> None:
    file.mkdir()
    with pytest.raises(StateError, match="is not the database of mailcow-ldap-sync"):
        read_ancestor(file)
