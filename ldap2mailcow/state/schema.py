"""The sqlite3 schema, by versions; `user_version` says which one a file has."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from .errors import StateError
from .file import write_atomically

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE source (name TEXT PRIMARY KEY, id_attribute TEXT, accepted TEXT) STRICT;
    CREATE TABLE mailbox (
        address TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        id TEXT,
        dn TEXT NOT NULL,
        origin TEXT NOT NULL,
        applied TEXT NOT NULL DEFAULT '{}',
        digest TEXT,
        passwd_update TEXT,
        kept INTEGER NOT NULL DEFAULT 0,
        disabled TEXT,
        was_active INTEGER NOT NULL DEFAULT 1,
        missing_since TEXT,
        missed INTEGER NOT NULL DEFAULT 0,
        present TEXT NOT NULL DEFAULT '[]'
    ) STRICT;
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        started TEXT NOT NULL,
        mode TEXT NOT NULL,
        finished TEXT,
        exit_code INTEGER,
        summary TEXT
    ) STRICT;
    CREATE TABLE change (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        at TEXT NOT NULL,
        address TEXT NOT NULL,
        dn TEXT NOT NULL,
        kind TEXT NOT NULL,
        why TEXT NOT NULL,
        fields TEXT NOT NULL,
        password INTEGER NOT NULL,
        done INTEGER NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX change_address ON change (address);
    CREATE INDEX change_run ON change (run);
    CREATE TABLE notice (
        code TEXT NOT NULL,
        place TEXT NOT NULL,
        sentence TEXT NOT NULL,
        shown TEXT NOT NULL,
        PRIMARY KEY (code, place)
    ) STRICT;
    CREATE TABLE refusal (credential TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT;
    """,
    """
    CREATE TABLE alias (
        address TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        owner TEXT NOT NULL,
        dn TEXT NOT NULL,
        role TEXT,
        origin TEXT NOT NULL,
        number INTEGER,
        applied TEXT NOT NULL DEFAULT '{}',
        disabled INTEGER NOT NULL DEFAULT 0,
        missing_since TEXT,
        missed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    ALTER TABLE mailbox ADD COLUMN senders TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE mailbox ADD COLUMN foreign_senders TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE mailbox ADD COLUMN senders_checked TEXT;
    ALTER TABLE change ADD COLUMN subject TEXT NOT NULL DEFAULT 'mailbox';
    """,
    """
    ALTER TABLE mailbox ADD COLUMN barred INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE mailbox ADD COLUMN last_missed TEXT;
    ALTER TABLE mailbox ADD COLUMN retired_since TEXT;
    ALTER TABLE alias ADD COLUMN last_missed TEXT;
    CREATE TABLE intent (name TEXT PRIMARY KEY, at TEXT NOT NULL, change TEXT NOT NULL) STRICT;
    """,
    """
    ALTER TABLE mailbox ADD COLUMN last_seen TEXT;
    ALTER TABLE mailbox DROP COLUMN senders_checked;
    ALTER TABLE source ADD COLUMN answered TEXT;
    CREATE TABLE bystander (
        source TEXT NOT NULL,
        id TEXT NOT NULL,
        first_seen TEXT NOT NULL,
        PRIMARY KEY (source, id)
    ) STRICT;
    """,
)
"""Each turns a file of one version into the next; the first makes an empty file into version 1."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema version of an open file; 0 for an empty one."""
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row[0])


def migrate(
    connection: sqlite3.Connection, path: Path, steps: Sequence[str] = MIGRATIONS, *, keep_copy: bool = True
) -> None:
    """Bring an open file to the newest version, in one transaction; a copy of the old one is kept beside it first.

    A database in memory needs no copy; `path` is where it comes from.

    Raises StateError for a file from a newer version of this program, or from another one, and where there is no room.
    """
    version = version_of(connection)
    if version > len(steps):
        raise StateError(
            f"{path} has schema version {version} and this program knows {len(steps)}: "
            "it was written by a newer version; run that one, or restore the copy kept beside it",
        )
    if version == len(steps):
        return
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StateError(f"{path} is another program's database; name another file in state_file")
    if keep_copy and version:
        with write_atomically(path.with_name(f"{path.name}.v{version}")) as file:
            file.write(connection.serialize())
    script = ";".join(steps[version:])
    connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {len(steps)};COMMIT;")
