"""The state file as a file: opened for a run, copied into memory for a dry run; sqlite's errors as sentences."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from ldap2mailcow.files import JOURNALS, OddFile, inspect, open_file

from .errors import StateError, unreadable, unwritable

PATIENCE = 5.0
"""Seconds that another program may hold the file before that is told."""

_RESTORE = (
    "restore it from a copy, or move it away: the mailboxes and aliases with our mark are taken over again then, and "
    "nothing is removed for it"
)
_RIGHTS = "let the user of this run write it and its folder"
_ROOM = "make room on its disk, or see whether that disk is sound"
_BUSY = "another program holds it; end that one, and run again"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_READONLY: _RIGHTS,
}
"""What to do, by sqlite's primary result codes (sqlite.org/rescode.html); else the file is damaged."""


def open_or_make(path: Path) -> tuple[int, bool]:
    """Open a file for reading and writing; return its descriptor, and whether it was made for that (0600).

    Raises StateError where it can't be written.
    """
    try:
        try:
            return open_file(path, os.O_RDWR, is_ours=True), False
        except FileNotFoundError:
            return open_file(path, os.O_RDWR | os.O_CREAT, is_ours=True), True
    except OddFile as error:
        raise StateError(str(error)) from None
    except OSError as error:
        raise unwritable(path, error) from None


def see_that_it_is_ours(path: Path) -> None:
    """Look at a file that sqlite opens by itself, and at what sqlite would take for its journals.

    A file that isn't there is none of anybody else. Raises StateError for one that others can write.
    """
    for end in ("", *JOURNALS):
        try:
            inspect(path.with_name(f"{path.name}{end}"), is_ours=True)
        except (FileNotFoundError, IsADirectoryError):
            continue  # told where it is opened
        except OddFile as error:
            raise StateError(str(error)) from None
        except OSError as error:
            raise unreadable(path, error) from None


def connect(path: Path) -> sqlite3.Connection:
    """Open a file for writing."""
    see_that_it_is_ours(path)
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def copy(path: Path, memory: sqlite3.Connection) -> None:
    """Take a file's content into memory; what a killed run left is put right there only.

    A file that isn't there is an empty one, but its folder has to be there, as for a run.
    """
    see_that_it_is_ours(path)
    try:
        path.stat()
    except FileNotFoundError as error:
        if not path.parent.exists():
            raise unwritable(path, error) from None
        return
    if _has_wal(path):  # sqlite would make files beside it, and leave them there
        _copy_and_roll_back(path, memory)
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=PATIENCE, uri=True)) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # waits for a writer, as backup does for ever
            connection.backup(memory)
    except sqlite3.OperationalError as error:
        if _primary_code(error) == sqlite3.SQLITE_BUSY:
            raise
        _copy_and_roll_back(path, memory)  # a journal to roll back, which sqlite doesn't do in a file it may not write


def check(connection: sqlite3.Connection, path: Path) -> None:
    """See that all of a file can be read, before a run writes anything anywhere.

    A tenth of a second for 40 MB. Raises StateError where it is damaged.
    """
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        what = " ".join(found.removeprefix("*** in database main ***").split())
        raise StateError(f"{path} is damaged ({what}); {_RESTORE}")


@contextmanager
def explain_errors(path: Path) -> Iterator[None]:
    """Turn sqlite's errors, and those of reading the file, into sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        remedy = _REMEDIES.get(_primary_code(error), _RESTORE)
        raise StateError(f"{path} can't be used ({error}); {remedy}") from None
    except UnicodeDecodeError:  # of what sqlite quotes in its own sentence, such as the name of a column
        raise StateError(f"{path} is damaged (a name in it is not UTF-8); {_RESTORE}") from None
    except OSError as error:
        raise unreadable(path, error) from None


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Turn errors about the values in a row, which sqlite doesn't look into, into a sentence; sqlite's errors too."""
    try:
        with explain_errors(path):
            yield
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise StateError(f"{path} is damaged (a row holds what no run has written); {_RESTORE}") from None


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """Write a file (0600): all of it or nothing, also where the disk is full or the run is killed.

    Raises StateError where it can't be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.unlink(missing_ok=True)  # of a killed run
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(Path(error.filename2 or error.filename or path), error) from None


def _primary_code(error: sqlite3.Error) -> int:
    """Return sqlite's result code without the details in its upper bytes; 0 for an error of Python's module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _has_wal(path: Path) -> bool:
    """Tell whether a file is in sqlite's write-ahead mode (its format, section 1.3.3), or has such a log beside it."""
    with path.open("rb") as file:
        header = file.read(20)
    log = path.with_name(f"{path.name}-wal")
    return header[18:20] == b"\x02\x02" or (log.exists() and log.stat().st_size > 0)


def _copy_and_roll_back(path: Path, memory: sqlite3.Connection) -> None:
    with tempfile.TemporaryDirectory() as folder:
        duplicate = Path(folder) / path.name
        for end in ("", *JOURNALS):
            source = path.with_name(f"{path.name}{end}")
            if not end or source.exists():
                shutil.copyfile(source, duplicate.with_name(source.name))
        with closing(sqlite3.connect(duplicate)) as connection:
            connection.backup(memory)
