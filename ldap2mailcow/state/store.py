"""Reading and writing the sqlite3 file: what we manage, what we last applied, and the history of runs."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Self

from pydantic import SecretStr

from ldap2mailcow.model import (
    Address,
    Change,
    EntryId,
    MailboxChange,
    Memory,
    Note,
    Notice,
    Origin,
    Outcome,
    RenameChange,
    SourceMemory,
)

from . import cells
from .errors import StateError
from .file import check, connect, copy, explain_damage, explain_errors, open_or_make
from .intents import packed, unpacked
from .key import Key, load_key
from .rows import ALIASES, MAILBOXES, TABLES, stored
from .schema import migrate

_ANCESTOR_READ = "ancestor_read"
_ATTRIBUTE, _SEARCH, _MOMENT = map(cells.optional, (cells.attribute, cells.texts, cells.moment))
_FOUND_DONE = "an earlier run did it, and ended before it could write that down"


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
        with _copied(path) if read_only else _migrated(path) as connection:
            yield cls(connection, load_key(path, create=False), path)

    def memory(self) -> Memory:
        """Read everything that a plan follows from."""
        with explain_damage(self.path):
            mailboxes, aliases = MAILBOXES.read(self.connection), ALIASES.read(self.connection)
            sources, bystanders = self._sources(), self._bystanders()
            begun = self.connection.execute("SELECT change FROM intent ORDER BY at, name").fetchall()
            intents = tuple(unpacked(text) for (text,) in begun)
        return Memory(
            mailboxes=mailboxes,
            sources=sources,
            seal=self.key.seal,
            aliases=aliases,
            bystanders=bystanders,
            intents=intents,
        )

    def _sources(self) -> dict[str, SourceMemory]:
        rows = self.connection.execute("SELECT name, id_attribute, accepted, answered FROM source")
        return {
            cells.text(name): SourceMemory(_ATTRIBUTE(attribute), _SEARCH(accepted), _MOMENT(answered))
            for name, attribute, accepted, answered in rows
        }

    def _bystanders(self) -> dict[EntryId, datetime]:
        rows = self.connection.execute("SELECT source, id, first_seen FROM bystander")
        return {
            EntryId(cells.text(source), cells.text(own)): cells.moment(first_seen) for source, own, first_seen in rows
        }

    def begin_run(self, started: datetime, mode: str) -> int:
        """Record that a run began and return its number."""
        with self._transaction():
            cursor = self.connection.execute("INSERT INTO run (started, mode) VALUES (?, ?)", (stored(started), mode))
        return int(cursor.lastrowid or 0)

    def record(self, run: int, outcome: Outcome, at: datetime) -> None:
        """Record how a change ended and, where mailcow has confirmed it, what is true from now on."""
        change = outcome.change
        row = (
            run,
            stored(at),
            change.subject.value,
            change.address,
            change.dn,
            change.kind.value,
            change.why.value,
            json.dumps([asdict(field) for field in change.fields]),
            int(isinstance(change, MailboxChange) and change.password is not None),
            int(outcome.done),
            outcome.detail,
        )
        with self._transaction():
            self.connection.execute(
                "INSERT INTO change (run, at, subject, address, dn, kind, why, fields, password, done, detail)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            if outcome.done:
                if isinstance(change, RenameChange):
                    MAILBOXES.move(self.connection, change.former, change.address)
                self._remember((*change.notes, Note(change.address, change.remember, change.subject)))
            if outcome.done or not isinstance(change, MailboxChange | RenameChange):
                self.connection.execute("DELETE FROM intent WHERE name = ?", (change.name,))

    def intend(self, changes: Iterable[Change], at: datetime) -> None:
        """Write down what is about to be done, until the end of each is recorded.

        That of a mailbox stays where it failed, too: how far mailcow came is seen by the next run.
        """
        with self._transaction():
            self.connection.executemany(
                "INSERT OR REPLACE INTO intent (name, at, change) VALUES (?, ?, ?)",
                ((change.name, stored(at), packed(change)) for change in changes),
            )

    def settle(self, done: Iterable[Change], at: datetime, run: int) -> None:
        """Record what an earlier run had done, and forget everything that it meant to do."""
        for change in done:
            self.record(run, Outcome(change, done=True, detail=_FOUND_DONE), at)
        with self._transaction():
            self.connection.execute("DELETE FROM intent")

    def _remember(self, notes: Iterable[Note]) -> None:
        for note in notes:
            TABLES[note.subject].remember(self.connection, note.address, note.remember)

    def note(
        self,
        notes: Iterable[Note],
        sources: Mapping[str, SourceMemory],
        bystanders: Mapping[EntryId, datetime] = MappingProxyType({}),
    ) -> None:
        """Remember what needs no change in mailcow, what is known of directories, and entries seen for the first time.

        All of it or nothing. A directory that is not among `sources` stays as it is remembered.
        """
        with self._transaction():
            self._remember(notes)
            self.connection.executemany(
                "INSERT OR REPLACE INTO source (name, id_attribute, accepted, answered) VALUES (?, ?, ?, ?)",
                (
                    (name, memory.id_attribute, stored(memory.accepted), stored(memory.answered))
                    for name, memory in sources.items()
                ),
            )
            # The earliest moment stays. An entry stays, too, once it has a mailbox or is gone: it is a short row, and
            # forgetting it would let its id take over a mailbox.
            self.connection.executemany(
                "INSERT INTO bystander (source, id, first_seen) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET first_seen = min(first_seen, excluded.first_seen)",
                ((entry.source, entry.id, stored(moment)) for entry, moment in bystanders.items()),
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
                (stored(finished), exit_code, json.dumps(summary), run),
            )
            self.connection.execute("DELETE FROM run WHERE started < ?", (stored(finished - history),))

    def notices(self) -> tuple[Notice, ...]:
        """Return what earlier runs said and what was still so at the last one."""
        with explain_damage(self.path):
            rows = self.connection.execute("SELECT code, place, sentence, shown FROM notice").fetchall()
            return tuple(
                Notice(cells.text(code), cells.text(place), cells.text(sentence), cells.moment(shown))
                for code, place, sentence, shown in rows
            )

    def save_notices(self, notices: Iterable[Notice]) -> None:
        """Replace what is remembered as said."""
        with self._transaction():
            self.connection.execute("DELETE FROM notice")
            self.connection.executemany(
                "INSERT OR REPLACE INTO notice (code, place, sentence, shown) VALUES (?, ?, ?, ?)",
                [(notice.code, notice.place, notice.sentence, stored(notice.shown)) for notice in notices],
            )

    def refused_at(self, credential: SecretStr) -> datetime | None:
        """Return when a server last refused a credential, None if it never did or has taken it since."""
        with explain_damage(self.path):
            row = self.connection.execute(
                "SELECT at FROM refusal WHERE credential = ?",
                (self.key.seal(credential),),
            ).fetchone()
            return cells.moment(row[0]) if row else None

    def record_refusal(self, credential: SecretStr, at: datetime) -> None:
        """Remember that a server refused a credential; only its digest is kept."""
        with self._transaction():
            self.connection.execute(
                "INSERT OR REPLACE INTO refusal (credential, at) VALUES (?, ?)",
                (self.key.seal(credential), stored(at)),
            )

    def forget_refusals(self, *, but: Iterable[SecretStr] = ()) -> None:
        """Forget all refusals `but` those of some credentials: the servers have taken the others."""
        kept = [(self.key.seal(credential),) for credential in but]
        with self._transaction():
            rows = self.connection.execute("SELECT credential, at FROM refusal").fetchall()
            self.connection.execute("DELETE FROM refusal")
            self.connection.executemany(
                "INSERT INTO refusal (credential, at) VALUES (?, ?)", [row for row in rows if row[:1] in kept]
            )

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
        with explain_errors(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # sqlite rolls back by itself where the disk is full
                    self.connection.execute("ROLLBACK")
                raise

    def _meta(self, key: str) -> str | None:
        with explain_errors(self.path):
            row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _set_meta(self, key: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


@contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """Give what a state file holds, in memory and of the newest schema."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with explain_errors(path):
            copy(path, connection)
            check(connection, path)
            migrate(connection, path, keep_copy=False)
        yield connection


@contextmanager
def _migrated(path: Path) -> Iterator[sqlite3.Connection]:
    """Give the state file, of the newest schema, with its key beside it; where that fails no new file is left."""
    descriptor, is_new = open_or_make(path)
    os.close(descriptor)  # before sqlite locks the file: closing any descriptor of it takes the process's locks away
    try:
        with explain_errors(path):
            connection = connect(path)
        with closing(connection):
            with explain_errors(path):
                load_key(path, create=False)  # a damaged one is told before anything is written
                check(connection, path)
                migrate(connection, path)
                connection.execute("PRAGMA journal_mode = DELETE")  # whatever another program has set
                load_key(path, create=True)
            is_new = False
            yield connection
    except StateError:
        if is_new:
            path.resolve().unlink()
        raise
