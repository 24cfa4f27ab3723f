"""All of an outcome is in the file or nothing of it, whatever ends the run in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import Address, EntryId, Note, Notice, Outcome, SourceMemory, Subject
from ldap2mailcow.state import State, StateError

from .builders import (
    ANN,
    BOB,
    LIST,
    NEW,
    NEW_ALIAS,
    NOW,
    alias_outcome,
    change,
    in_another_process,
    outcome,
    remember,
    remember_alias,
)

ALIAS = Subject.ALIAS


class KilledError(BaseException):
    """Stands for whatever ends a run in the middle."""


def cut(*items: Any) -> Iterator[Any]:  # noqa: ANN401 - rows of any kind
    """Give items, and then end the run."""
    yield from items
    raise KilledError


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, as another program reads them."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda store: store.note(cut(Note(BOB, NEW), Note(ANN, None)), {}), id="notes"),
        pytest.param(
            lambda store: store.note(cut(Note(BOB, NEW_ALIAS, ALIAS), Note(LIST, None, ALIAS), Note(BOB, NEW)), {}),
            id="notes of aliases",
        ),
        pytest.param(lambda store: store.take_over(cut(("uid=bob", BOB)), "s"), id="the ancestor's rows"),
        pytest.param(lambda store: store.save_notices(cut(Notice("b", "b", "b", NOW))), id="notices"),
    ],
)
def test_a_run_that_ends_in_the_middle_leaves_nothing(path: Path, write: Callable[[State], None]) -> None:
    with State.open(path) as store:
        remember(store, ANN)
        remember_alias(store, LIST)
        store.save_notices([Notice("a", "a", "a", NOW)])
        before = everything(path)
        with pytest.raises(KilledError):
            write(store)
        assert everything(path) == before
        remember(store, BOB)  # and the file can still be written
        assert set(store.memory().mailboxes) == {ANN, BOB}


@pytest.mark.parametrize("table", ["mailbox", "source", "bystander"])
def test_what_a_run_learns_of_all_directories_is_noted_whole_or_not_at_all(path: Path, table: str) -> None:
    with State.open(path) as store:
        before = everything(path)
        store.connection.execute(
            f"CREATE TEMP TRIGGER no_end AFTER INSERT ON main.{table} BEGIN SELECT RAISE(ABORT, 'not now'); END"
        )
        sources = {"one": SourceMemory("dn"), "two": SourceMemory("dn")}
        with pytest.raises(StateError, match="not now"):
            store.note([Note(ANN, NEW)], sources, {EntryId("two", "id-bob"): NOW})
        assert everything(path) == before


@pytest.mark.parametrize("make", [outcome, alias_outcome])
def test_an_outcome_that_can_not_be_remembered_is_not_in_the_history_either(
    path: Path, make: Callable[..., Outcome]
) -> None:
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        before = everything(path)
        with pytest.raises(StateError):
            store.record(run, make(remember={"source": "default"}), NOW)  # a row needs a DN and an origin
        assert everything(path) == before


def test_a_removal_that_can_not_be_remembered_is_not_in_the_history_either(path: Path) -> None:
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        remember_alias(store)
        before = everything(path)
        store.connection.execute(
            "CREATE TEMP TRIGGER no_end BEFORE DELETE ON main.alias BEGIN SELECT RAISE(ABORT, 'not now'); END"
        )
        with pytest.raises(StateError, match="not now"):
            store.record(run, alias_outcome(remember=None), NOW)
        assert everything(path) == before


def test_each_outcome_is_there_for_others_as_soon_as_it_is_recorded(path: Path) -> None:
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        store.record(run, outcome(), NOW)
        assert len(everything(path)["change"]) == len(everything(path)["mailbox"]) == 1
        store.record(run, outcome(BOB), NOW)
        assert len(everything(path)["change"]) == len(everything(path)["mailbox"]) == 2
        store.record(run, alias_outcome(), NOW)
        assert (len(everything(path)["change"]), len(everything(path)["alias"])) == (3, 1)
        store.record(run, alias_outcome(remember=None), NOW)
        assert (len(everything(path)["change"]), len(everything(path)["alias"])) == (4, 0)


WRITE_AND_BE_KILLED = """
import os, signal, sys
from pathlib import Path
from ldap2mailcow.model import Address, Note, Origin, SourceMemory
from ldap2mailcow.state import State

def notes():
    for number in range(2000):
        patch = {"source": "s", "dn": "x" * 200, "origin": Origin.MARK}
        yield Note(Address(f"user{number}@example.org"), patch)
    os.kill(os.getpid(), signal.SIGKILL)

with State.open(Path(sys.argv[1])) as store:
    store.connection.execute("PRAGMA cache_size = 5")  # so that pages reach the file before the commit
    store.note(notes(), {"s": SourceMemory("dn")})
"""


def kill_a_writer(path: Path) -> None:
    """Leave the file as a SIGKILL in the middle of a transaction leaves it: half written, with its journal."""
    before = path.read_bytes()
    assert in_another_process(WRITE_AND_BE_KILLED, path).returncode == -9
    assert path.read_bytes() != before
    assert path.with_name(f"{path.name}-journal").stat().st_size


def test_the_run_after_a_sigkill_finds_what_was_there_before_the_transaction(path: Path) -> None:
    with State.open(path) as store:
        remember(store, ANN)
    kill_a_writer(path)
    with State.open(path) as store:
        assert set(store.memory().mailboxes) == {ANN}
        assert set(store.memory().sources) == {"default"}
    assert not path.with_name(f"{path.name}-journal").exists()


RECORD_AND_BE_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from ldap2mailcow.model import Address, AliasChange, Kind, Origin, Outcome, Role, Rule
from ldap2mailcow.state import State

event, address = sys.argv[2:]
patch = {"source": "s", "owner": "o", "dn": "x" * 20000, "role": Role.LIST, "origin": Origin.MARK}
kind, remember = {"INSERT": (Kind.CREATE, patch), "DELETE": (Kind.REMOVE, None)}[event]
change = AliasChange(kind, Address(address), Rule.LDAP, remember=remember)
with State.open(Path(sys.argv[1])) as store:
    store.connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    store.connection.execute("PRAGMA cache_size = 1")
    store.connection.execute(f"CREATE TEMP TRIGGER last AFTER {event} ON main.alias BEGIN SELECT die(); END")
    store.record(1, Outcome(change, done=True), datetime.now(UTC))
"""


@pytest.mark.parametrize(("event", "address"), [("INSERT", "new@example.org"), ("DELETE", LIST)])
def test_a_sigkill_in_the_middle_of_an_alias_s_outcome_leaves_nothing_of_it(
    path: Path, event: str, address: str
) -> None:
    with State.open(path) as store:
        store.record(store.begin_run(NOW, "changes"), alias_outcome(), NOW)
        before = everything(path)
    assert in_another_process(RECORD_AND_BE_KILLED, path, event, address).returncode == -9
    with State.open(path) as store:
        assert set(store.memory().aliases) == {LIST}
    assert everything(path) == before


# A full disk


def fill(store: State) -> None:
    """Let the file grow no further."""
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")


@pytest.mark.parametrize(
    "large",
    [outcome(remember={**NEW, "dn": "x" * 100_000}), alias_outcome(remember={**NEW_ALIAS, "dn": "x" * 100_000})],
    ids=["mailbox", "alias"],
)
def test_a_full_disk_is_told_as_such_and_leaves_nothing(path: Path, large: Outcome) -> None:
    with State.open(path) as store:
        run = store.begin_run(NOW, "changes")
        before = everything(path)
        fill(store)
        with pytest.raises(StateError, match=r"is full.*make room") as caught:
            store.record(run, large, NOW)
        assert str(path) in str(caught.value)
        assert everything(path) == before


def test_the_file_can_be_written_again_once_there_is_room(path: Path) -> None:
    with State.open(path) as store:
        fill(store)
        with pytest.raises(StateError):
            remember(store, ANN, {**NEW, "dn": "x" * 100_000})
        store.connection.execute("PRAGMA max_page_count = 1000000")
        remember(store, ANN, {**NEW, "dn": "x" * 100_000})
        assert set(store.memory().mailboxes) == {ANN}


# Others that use the file


def test_a_commit_that_another_reader_delays_too_long_leaves_nothing_and_can_be_done_again(path: Path) -> None:
    """A backup with a shell of sqlite3 may read for longer than we wait."""
    with State.open(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        store.connection.execute("PRAGMA busy_timeout = 0")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM mailbox").fetchone()
        with pytest.raises(StateError, match="locked"):
            remember(store, ANN)
        reader.execute("COMMIT")
        assert store.memory().mailboxes == {}
        remember(store, ANN)
        assert set(store.memory().mailboxes) == {ANN}


WRITES: list[Callable[[State], object]] = [
    lambda store: store.begin_run(NOW, "changes"),
    lambda store: store.record(1, outcome(), NOW),
    lambda store: store.intend([change()], NOW),
    lambda store: store.settle([], NOW, 1),
    lambda store: store.note([], {"s": SourceMemory()}),
    lambda store: store.note([], {}, {EntryId("s", "id-ann"): NOW}),
    lambda store: store.record(1, alias_outcome(), NOW),
    lambda store: store.note([Note(LIST, None, ALIAS)], {}),
    lambda store: store.saw_passwords({Address("ann@example.org"): "x"}),
    lambda store: store.finish_run(1, NOW, 0, {}, history=timedelta(days=1)),
    lambda store: store.save_notices([]),
    lambda store: store.record_refusal(SecretStr("x"), NOW),
    lambda store: store.forget_refusals(),
    lambda store: store.take_over([], "s"),
]
READS: list[Callable[[State], object]] = [
    lambda store: store.memory(),
    lambda store: store.notices(),
    lambda store: store.refused_at(SecretStr("x")),
    lambda store: store.has_ancestor,
]


@pytest.mark.parametrize("use", [*WRITES, *READS])
def test_what_sqlite_can_not_do_is_told_in_a_sentence(store: State, use: Callable[[State], object]) -> None:
    for (table,) in store.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        store.connection.execute(f"DROP TABLE {table}")
    with pytest.raises(StateError, match=r"can't be used .*no such table"):
        use(store)
