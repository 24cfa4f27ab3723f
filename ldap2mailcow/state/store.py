"""Reading and writing the sqlite3 file: what we manage, what we last applied, and the history of runs."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from ldap2mailcow.model import (
    Address,
    Cause,
    Memory,
    Note,
    Notice,
    Origin,
    Outcome,
    Patch,
    Remembered,
    SourceMemory,
)

from .errors import StateError
from .key import Key, load_key
from .schema import migrate

_COLUMNS = tuple(field.name for field in fields(Remembered))
_ANCESTOR_READ = "ancestor_read"


@dataclass
class State:
    """An open state file.

    Every writing method is one transaction; all raise StateError where sqlite can't do it.
    """

    connection: sqlite3.Connection
    key: Key
    path: Path

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, read_only: bool = False) -> Iterator[Self]:
        """Open the state file, made first where it isn't there yet (0600), brought to the newest schema.

        With `read_only` nothing is written anywhere: the file is read into memory, an older schema is migrated there,
        and a file that isn't there is an empty one.

        Raises StateError for a file that can't be read, is damaged, or comes from a newer version.
        """
        with _told(path):
            connection = sqlite3.connect(":memory:", isolation_level=None) if read_only else _on_disk(path)
        try:
            with _told(path):
                if read_only:
                    _copy(path, connection)
                migrate(connection, None if read_only else path)
            yield cls(connection, load_key(path, create=not read_only), path)
        finally:
            connection.close()

    def memory(self) -> Memory:
        """Read everything that a plan follows from."""
        with _told(self.path):
            rows = self.connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM mailbox").fetchall()  # noqa: S608
            sources = self.connection.execute("SELECT name, id_attribute, accepted FROM source").fetchall()
        return Memory(
            mailboxes={row.address: row for row in map(_remembered, rows)},
            sources={
                name: SourceMemory(attribute, json.loads(accepted) if accepted else None)
                for name, attribute, accepted in sources
            },
            seal=self.key.seal,
        )

    def begin_run(self, started: datetime, mode: str) -> int:
        """Record that a run began and return its number."""
        with self._transaction():
            cursor = self.connection.execute("INSERT INTO run (started, mode) VALUES (?, ?)", (_text(started), mode))
        return int(cursor.lastrowid or 0)

    def record(self, run: int, outcome: Outcome, at: datetime) -> None:
        """Record how a change ended and, where mailcow has confirmed it, what is true from now on."""
        change = outcome.change
        row = (
            run,
            _text(at),
            change.address,
            change.dn,
            change.kind.value,
            change.why.value,
            json.dumps([asdict(field) for field in change.fields]),
            int(change.password is not None),
            int(outcome.done),
            outcome.detail,
        )
        with self._transaction():
            self.connection.execute(
                "INSERT INTO change (run, at, address, dn, kind, why, fields, password, done, detail)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            if outcome.done and change.remember:
                self._remember(change.address, change.remember)

    def note(self, notes: Iterable[Note], source: str, memory: SourceMemory) -> None:
        """Remember what needs no change in mailcow, and what is known of the directory itself."""
        with self._transaction():
            for note in notes:
                if note.remember is None:
                    self.connection.execute("DELETE FROM mailbox WHERE address = ?", (note.address,))
                else:
                    self._remember(note.address, note.remember)
            accepted = json.dumps(dict(memory.accepted)) if memory.accepted is not None else None
            self.connection.execute(
                "INSERT OR REPLACE INTO source (name, id_attribute, accepted) VALUES (?, ?, ?)",
                (source, memory.id_attribute, accepted),
            )

    def saw_passwords(self, stamps: Mapping[Address, str]) -> None:
        """Remember mailcow's own stamps of the passwords that we have just written."""
        with self._transaction():
            self.connection.executemany(
                "UPDATE mailbox SET passwd_update = ? WHERE address = ?",
                [(stamp, address) for address, stamp in stamps.items()],
            )

    def finish_run(
        self,
        run: int,
        finished: datetime,
        exit_code: int,
        summary: Mapping[str, object],
        *,
        history: timedelta,
    ) -> None:
        """Record how a run ended, and forget the runs that are older than the history."""
        with self._transaction():
            self.connection.execute(
                "UPDATE run SET finished = ?, exit_code = ?, summary = ? WHERE id = ?",
                (_text(finished), exit_code, json.dumps(summary), run),
            )
            self.connection.execute("DELETE FROM run WHERE started < ?", (_text(finished - history),))

    def runs(self) -> int:
        """Return how many runs are on record."""
        with _told(self.path):
            return int(self.connection.execute("SELECT count(*) FROM run").fetchone()[0])

    def notices(self) -> tuple[Notice, ...]:
        """Return what earlier runs said and what was still so at the last one."""
        with _told(self.path):
            rows = self.connection.execute("SELECT code, place, sentence, shown FROM notice").fetchall()
        return tuple(Notice(code, place, text, datetime.fromisoformat(shown)) for code, place, text, shown in rows)

    def save_notices(self, notices: Iterable[Notice]) -> None:
        """Replace what is remembered as said."""
        with self._transaction():
            self.connection.execute("DELETE FROM notice")
            self.connection.executemany(
                "INSERT OR REPLACE INTO notice (code, place, sentence, shown) VALUES (?, ?, ?, ?)",
                [(notice.code, notice.place, notice.sentence, _text(notice.shown)) for notice in notices],
            )

    def refused_at(self, credential: SecretStr) -> datetime | None:
        """Return when a server last refused a credential, None if it never did or has taken it since."""
        with _told(self.path):
            row = self.connection.execute(
                "SELECT at FROM refusal WHERE credential = ?",
                (self.key.seal(credential),),
            ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def record_refusal(self, credential: SecretStr, at: datetime) -> None:
        """Remember that a server refused a credential; only its digest is kept."""
        with self._transaction():
            self.connection.execute(
                "INSERT OR REPLACE INTO refusal (credential, at) VALUES (?, ?)",
                (self.key.seal(credential), _text(at)),
            )

    def forget_refusals(self) -> None:
        """Forget all refusals: both servers have taken our credentials."""
        with self._transaction():
            self.connection.execute("DELETE FROM refusal")

    @property
    def has_ancestor(self) -> bool:
        """Whether the ancestor's rows were read already."""
        return self._meta(_ANCESTOR_READ) is not None

    def take_over(self, rows: Iterable[tuple[str, Address]], source: str) -> None:
        """Make the ancestor's mailboxes ours, once; rows that are ours already stay as they are."""
        with self._transaction():
            for dn, address in rows:
                self.connection.execute(
                    "INSERT OR IGNORE INTO mailbox (address, source, dn, origin) VALUES (?, ?, ?, ?)",
                    (address, source, dn, Origin.ANCESTOR.value),
                )
            self._set_meta(_ANCESTOR_READ, "yes")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _told(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # sqlite rolls back by itself where the disk is full
                    self.connection.execute("ROLLBACK")
                raise

    def _remember(self, address: Address, patch: Patch) -> None:
        values = {"address": address, **{column: _stored(column, value) for column, value in patch.items()}}
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        known = self.connection.execute("SELECT 1 FROM mailbox WHERE address = ?", (address,)).fetchone()
        if known:
            settings = ", ".join(f"{column} = ?" for column in values)
            statement = f"UPDATE mailbox SET {settings} WHERE address = ?"  # noqa: S608 - our own column names
            self.connection.execute(statement, (*values.values(), address))
        else:
            statement = f"INSERT INTO mailbox ({columns}) VALUES ({marks})"  # noqa: S608 - our own column names
            self.connection.execute(statement, tuple(values.values()))

    def _meta(self, key: str) -> str | None:
        with _told(self.path):
            row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _set_meta(self, key: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def _on_disk(path: Path) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StateError(f"{path} can't be written: {error.strerror}; let the user of this run write there") from None
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _copy(path: Path, memory: sqlite3.Connection) -> None:
    """Take a file's content into memory; a transaction that a killed run left open is rolled back there only."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.backup(memory)
    except sqlite3.OperationalError:  # a journal to roll back, which sqlite doesn't do in a file it may not write
        _copy_and_roll_back(path, memory)


def _copy_and_roll_back(path: Path, memory: sqlite3.Connection) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for name in (path.name, f"{path.name}-journal"):
            source = path.with_name(name)
            if source.exists():
                (copy.with_name(name)).write_bytes(source.read_bytes())
        with closing(sqlite3.connect(copy)) as connection:
            connection.backup(memory)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn sqlite's errors into sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StateError(
            f"{path} can't be used ({error}); make room, or let the user of this run write it, or restore it from a "
            "copy; without it the mailboxes with our mark are taken over again",
        ) from None
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror}; let the user of this run read it") from None


def _remembered(row: tuple[object, ...]) -> Remembered:
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    since, disabled = values["missing_since"], values["disabled"]
    return Remembered(
        **{
            **values,
            "address": Address(values["address"]),
            "origin": Origin(values["origin"]),
            "applied": json.loads(str(values["applied"])),
            "kept": bool(values["kept"]),
            "disabled": Cause(disabled) if disabled else None,
            "missing_since": datetime.fromisoformat(str(since)) if since else None,
            "present": frozenset(json.loads(str(values["present"]))),
        },
    )


def _stored(column: str, value: object) -> object:
    match column, value:
        case "applied", Mapping():
            return json.dumps(dict(value), sort_keys=True)
        case "present", frozenset():
            return json.dumps(sorted(value))
        case "missing_since", datetime():
            return _text(value)
        case "origin" | "disabled", Origin() | Cause():
            return value.value
        case _:
            return value


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
