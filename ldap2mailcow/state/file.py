"""The state file as a file: opened for a run, copied into memory for a dry run; sqlite's errors as sentences."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .errors import StateError


def connect(path: Path) -> sqlite3.Connection:
    """Open a file for writing, made first where it isn't there yet (0600).

    Raises StateError where it can't be written.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StateError(f"{path} can't be written: {error.strerror}; let the user of this run write there") from None
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def copy(path: Path, memory: sqlite3.Connection) -> None:
    """Take a file's content into memory; a transaction that a killed run left open is rolled back there only."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.backup(memory)
    except sqlite3.OperationalError:  # a journal to roll back, which sqlite doesn't do in a file it may not write
        _copy_and_roll_back(path, memory)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn sqlite's errors into sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StateError(
            f"{path} can't be used ({error}); make room, or let the user of this run write it, or restore it from a "
            "copy; without it the mailboxes and aliases with our mark are taken over again",
        ) from None
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror}; let the user of this run read it") from None


def _copy_and_roll_back(path: Path, memory: sqlite3.Connection) -> None:
    with tempfile.TemporaryDirectory() as folder:
        twin = Path(folder) / path.name
        for name in (path.name, f"{path.name}-journal"):
            source = path.with_name(name)
            if source.exists():
                (twin.with_name(name)).write_bytes(source.read_bytes())
        with closing(sqlite3.connect(twin)) as connection:
            connection.backup(memory)
