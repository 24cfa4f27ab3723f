"""Schema versions: older files are brought up, with a copy kept; newer ones are refused."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ldap2mailcow.model import (
    Address,
    AliasChange,
    Cause,
    EntryId,
    MailboxChange,
    Notice,
    Origin,
    Remembered,
    RememberedAlias,
    RenameChange,
    Role,
    Rule,
    SourceMemory,
)
from ldap2mailcow.state import State, StateError
from ldap2mailcow.state.schema import MIGRATIONS, migrate, version_of

from .builders import ANN, BOB, LIST, NOW, alias_outcome, contents, remember

CAT, DAN = Address("cat@example.org"), Address("dan@example.org")
ANN_OF_1 = Remembered(
    ANN,
    "default",
    "id-ann",
    "uid=ann,dc=example",
    Origin.ADOPTED,
    {"active": 0, "name": "Ann"},
    "0123abcd:ff",
    "2026-05-01 08:00:00",
    kept=True,
    disabled=Cause.MISSING,
    was_active=2,
    missing_since=NOW,
    missed=2,
    present=frozenset({"name"}),
)
ANN_OF_3 = replace(
    ANN_OF_1,
    barred=2,
    last_missed=NOW.replace(hour=14),
    retired_since=NOW.replace(hour=15),
    senders=frozenset({LIST}),
    foreign_senders=frozenset({"@example.net"}),
)
BOB_OF_BOTH = Remembered(BOB, "default", None, "uid=bob,dc=example", Origin.ANCESTOR)
LIST_OF_3 = RememberedAlias(
    LIST,
    "default",
    "id-all",
    "cn=all,dc=example",
    Role.LIST,
    Origin.CREATED,
    7,
    {"goto": ANN},
    disabled=True,
    missing_since=NOW,
    missed=1,
    last_missed=NOW.replace(hour=14),
)
MAILBOXES = {1: {ANN: ANN_OF_1, BOB: BOB_OF_BOTH}, 3: {ANN: ANN_OF_3, BOB: BOB_OF_BOTH}}
"""What the file of each version says of mailboxes."""
ALIASES = {1: {}, 3: {LIST: LIST_OF_3}}

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
        migrate(memory, path, steps=(FIRST, SECOND), keep_copy=False)
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


# From an older version


@pytest.fixture(params=[1, 3])
def version(request: pytest.FixtureRequest) -> int:
    """An older version of the schema, of which a file is kept in this folder."""
    return int(request.param)


@pytest.fixture
def old(path: Path, version: int) -> Path:
    """A file that this version of the schema left."""
    script = Path(__file__).with_name(f"version_{version}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(script)
    path.chmod(0o600)
    return path


def schema(connection: sqlite3.Connection) -> set[str]:
    """Return what makes each table and index, whatever the blanks."""
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {" ".join(sql.split()).replace("( ", "(").replace(" )", ")").replace(" ,", ",") for (sql,) in found}


def test_the_steps_to_an_older_version_stay_as_they_were(old: Path, version: int, tmp_path: Path) -> None:
    """A step that is out there is never edited: files that took it would lack the edit."""
    with closing(sqlite3.connect(old)) as opened, closing(sqlite3.connect(tmp_path / "new")) as new:
        migrate(new, tmp_path, steps=MIGRATIONS[:version])
        assert schema(opened) == schema(new)


@pytest.mark.parametrize("read_only", [False, True])
def test_nothing_of_an_older_file_is_lost(old: Path, version: int, *, read_only: bool) -> None:
    with State.open(old, read_only=read_only) as store:
        memory = store.memory()
        assert version_of(store.connection) == len(MIGRATIONS)
        assert memory.mailboxes == MAILBOXES[version]
        assert memory.aliases == ALIASES[version]
        assert memory.sources == {"default": SourceMemory("entryUUID", {"base": "dc=example"})}
        assert memory.bystanders == {}
        assert store.notices() == (Notice("no_mail", "uid=eve,dc=example", "it has none", NOW),)
        assert store.has_ancestor
        refusals, runs = (store.connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("refusal", "run"))  # noqa: S608
        assert refusals == [("0123abcd:ee", NOW.isoformat())]
        assert runs == [(1, NOW.isoformat(), "changes", "2026-06-01T12:00:05+00:00", 0, '{"changes": 1}')]


def test_the_history_of_an_older_file_goes_on(old: Path) -> None:
    with State.open(old) as store:
        store.record(1, alias_outcome(), NOW)
        found = store.connection.execute("SELECT id, run, at, address, kind, done, subject FROM change").fetchall()
    assert found == [
        (1, 1, "2026-06-01T12:00:01+00:00", ANN, "adopt", 1, "mailbox"),
        (2, 1, "2026-06-01T12:00:00+00:00", LIST, "create", 1, "alias"),
    ]


def test_an_older_file_is_kept_beside_the_one_it_becomes(old: Path, version: int) -> None:
    before = old.read_bytes()
    with State.open(old) as store:
        remember(store, BOB, {"senders": frozenset({LIST}), "last_seen": NOW})
        store.note([], {"default": SourceMemory(answered=NOW)}, {EntryId("default", "id-eve"): NOW})
    assert copy_of(old, version).read_bytes() == before
    with State.open(old) as store:
        memory = store.memory()
    assert memory.mailboxes[BOB].senders == {LIST}
    assert memory.mailboxes[BOB].last_seen == NOW
    assert memory.sources["default"].answered == memory.bystanders[EntryId("default", "id-eve")] == NOW


def test_a_dry_run_brings_an_older_file_up_in_memory_only(old: Path) -> None:
    before = contents(old.parent)
    with State.open(old, read_only=True) as store:
        assert version_of(store.connection) == len(MIGRATIONS)
        assert set(store.memory().mailboxes) == {ANN, BOB}
        during = contents(old.parent)
    assert during == before
    assert contents(old.parent) == before


def test_a_file_from_an_older_version_is_the_same_as_a_new_one(old: Path, tmp_path: Path) -> None:
    with State.open(old) as store, State.open(tmp_path / "new.sqlite3") as new:
        assert schema(store.connection) == schema(new.connection)


@pytest.mark.parametrize("version", [3], indirect=True)
def test_what_an_older_version_was_about_to_do_can_be_settled(old: Path) -> None:
    with State.open(old) as store:
        creation, rename, back, silence = intents = store.memory().intents
        assert [(type(one), one.address, one.why) for one in intents] == [
            (MailboxChange, CAT, Rule.NEW),
            (RenameChange, DAN, Rule.RENAMED),
            (RenameChange, BOB, Rule.RENAMED),
            (AliasChange, LIST, Rule.UNFINISHED),
        ]
        assert isinstance(back, RenameChange)
        assert back.former == BOB
        store.settle([creation, rename, silence], NOW, store.begin_run(NOW, "changes"))
        memory = store.memory()
    assert memory.intents == ()
    assert memory.mailboxes == {
        BOB: BOB_OF_BOTH,
        CAT: Remembered(
            CAT,
            "default",
            "id-cat",
            "uid=cat,dc=example",
            Origin.CREATED,
            {"name": "Cat"},
            "0123abcd:ff",
            present=frozenset({"name"}),
        ),
        DAN: replace(ANN_OF_3, address=DAN),
    }
    assert memory.aliases == {
        ANN: RememberedAlias(ANN, "default", "id-ann", "uid=ann,dc=example", Role.FORMER, Origin.CREATED),
        LIST: LIST_OF_3,
    }
