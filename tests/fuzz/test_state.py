"""Odd cells and flipped bits in the state file: a run ends as always, or says that the file is damaged."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import EntryId, Note, Notice, SourceMemory, Subject
from ldap2mailcow.state import State, StateError
from tests.counting import FUZZED
from tests.directory_server import Slapd
from tests.integration.sync.installation import DOMAIN, Installation
from tests.mailcow_server import Clock, DomainLimits, MailcowServer
from tests.unit.state.builders import ALIAS_CHANGE, ANN, BOB, CHANGE, LIST, NEW, NEW_ALIAS, NOW, RENAME, outcome
from tests.unit.state.test_rows import EVERYTHING

from . import trials

TRIALS = trials(1200)

ODD_TEXTS = (
    *("", " ", "\0", "[]", "{}", "[1]", "[[]]", "{", "null", "1", "true", '"a"', '{"name": []}', '{"name": null}'),
    *('{"goto": 1}', '{"quota": "a"}', '{"quota": 1e400}', '{"": ""}', '["a", 1]', "[" * 100_000, "\ud800"),
    *("yesterday", "2026-06-01", "2026-06-01T12:00:00", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"),
    *("2026-06-01T12:00:00+23:59", "ann@example.org", "@", "a@b@c", "*", "ann@example.org,", "9" * 5000, "\x1b[31m"),
    *('{"is": "AliasChange"}', '{"kind": "create"}', "x" * 100_000),
)
ODD_NUMBERS = (-(2**63), -1, 0, 1, 2, 3, 2**31, 2**53, 2**63 - 1)


@pytest.fixture
def mailcow() -> Iterator[MailcowServer]:
    with MailcowServer([DomainLimits(DOMAIN)], clock=Clock("2026-11-21 11:00:00")) as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, mailcow: MailcowServer) -> Iterator[Installation]:
    """An installation that has run, with rows of all kinds and every column in its state file."""
    with Slapd() as slapd:
        house = Installation(tmp_path, slapd, mailcow)
        house.people(1, 2, 3)
        assert house.at_clock().code == 0
        house.people(4)
        house.remove(2)
        assert house.again(minutes=5).code == 0
        write_everything(house.state_file)
        yield house


def write_everything(path: Path) -> None:
    """Do all that a run does with the state file."""
    with State.open(path) as store:
        store.memory()
        store.notices()
        store.refused_at(SecretStr("wrong"))
        run = store.begin_run(NOW, "changes")
        store.intend([CHANGE, ALIAS_CHANGE, RENAME], NOW)
        store.record(run, outcome(), NOW)
        notes = [
            Note(ANN, {**NEW, **EVERYTHING[Subject.MAILBOX]}),
            Note(BOB, NEW),
            Note(LIST, {**NEW_ALIAS, **EVERYTHING[Subject.ALIAS]}, Subject.ALIAS),
        ]
        source = SourceMemory("entryUUID", {"user_search_base": "dc=example"}, NOW)
        store.note(notes, {"gone": source}, {EntryId("default", "id-eve"): NOW})
        store.save_notices([Notice("no_mail", "cn=x", "it has no mail", NOW)])
        store.record_refusal(SecretStr("wrong"), NOW)
        store.take_over([], "default")


def flip_bits(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 2, 8, 64])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def put_an_odd_cell(path: Path, chance: random.Random) -> None:
    """Write something into a cell that its column takes: sqlite itself finds it sound."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = [table for table in tables if connection.execute(f"SELECT 1 FROM {table}").fetchone()]  # noqa: S608
        table = chance.choice(rows)
        _, column, kind, *_ = chance.choice(connection.execute(f"PRAGMA table_info({table})").fetchall())
        odd = chance.choice(ODD_TEXTS if kind == "TEXT" else ODD_NUMBERS)
        value = odd.encode("utf-8", "surrogatepass") if isinstance(odd, str) else odd
        cast = "CAST(? AS TEXT)" if isinstance(odd, str) else "?"
        (row,) = connection.execute(f"SELECT rowid FROM {table} ORDER BY random() LIMIT 1").fetchone()  # noqa: S608
        connection.execute(f"UPDATE OR REPLACE {table} SET {column} = {cast} WHERE rowid = ?", (value, row))  # noqa: S608


@pytest.mark.parametrize("spoil", [flip_bits, put_an_odd_cell])
def test_a_spoiled_state_file_ends_in_a_plan_or_as_damaged(
    house: Installation,
    spoil: Callable[[Path, random.Random], None],
    record_property: Callable[[str, object], None],
) -> None:
    sound = house.folder / "sound"
    shutil.copy(house.state_file, sound)
    before, ends, odd = house.mailcow.snapshot(), Counter[str](), list[tuple[int, str]]()
    for number in range(TRIALS // 2):
        shutil.copy(sound, house.state_file)
        spoil(house.state_file, random.Random(number))  # noqa: S311 - the same spoiling everywhere
        done = house.at_clock("--dry-run")
        is_told = done.code == 1 and done.err.startswith(str(house.folder))
        if done.code not in {0, 3, 4} and not is_told:
            odd.append((number, f"{done.code} {done.err}"))
        try:
            write_everything(house.state_file)
        except StateError as error:
            assert str(error).startswith(str(house.folder))  # noqa: PT017 - in some trials
        except Exception as error:  # noqa: BLE001 - all of them are shown at the end
            odd.append((number, repr(error)))
        ends["damaged" if is_told else "planned"] += 1
    assert not odd, "\n".join(map(str, odd))
    assert house.mailcow.snapshot() == before
    assert min(ends.values()) > 0
    record_property(FUZZED, {f"state files ({spoil.__name__})": ends.total()})
