"""kill -9 at any point: the next run gets to the same end, nothing is done twice, nothing is lost, history is true."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.directory_server import Slapd, ldif, person
from tests.integration.sync.installation import DOMAIN, Installation, address, after_write
from tests.mailcow_server import DomainLimits, MailcowServer

from .share import WHOLE, few
from .world import TickingClock, contents, last_words, made_twice

PEOPLE = range(1, 1001 if WHOLE else 201)
SOME = range(1, 61)
MOMENTS = sorted(random.Random(2026).sample(PEOPLE, 10 if WHOLE else 2))  # noqa: S311 - the same on every run of the tests
SIGKILL = -9
NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"


@pytest.fixture(scope="module")
def crowd() -> Iterator[Slapd]:
    """A directory of many people."""
    with Slapd() as slapd:
        slapd.load(ldif(person(number) for number in PEOPLE))
        yield slapd


def large_mailcow() -> MailcowServer:
    return MailcowServer([DomainLimits(DOMAIN, mailboxes=2000, quota=10_000_000)], clock=TickingClock())


@pytest.fixture
def hit(tmp_path: Path, crowd: Slapd) -> Iterator[Installation]:
    """An installation whose first run will be killed."""
    with large_mailcow() as server:
        yield Installation(tmp_path, crowd, server)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory, crowd: Slapd) -> dict[str, Any]:
    """What mailcow holds after a run that nothing happened to."""
    with large_mailcow() as server:
        assert Installation(tmp_path_factory.mktemp("undisturbed"), crowd, server).at_clock().code == 0
        return contents(server)


def run_and_kill(house: Installation, number: int) -> None:
    """Start a run and kill it when mailcow has written for the nth time, before it hears of that."""
    with house.started() as process, after_write(number, house.mailcow, process.kill):
        process.communicate()
    assert process.returncode == SIGKILL
    last_words(house.mailcow)


def tells_the_truth(house: Installation, people: Iterable[int]) -> None:
    """Check that the state file tells what happened: every mailbox is ours, made by a run or found with our mark."""
    assert house.rows("PRAGMA integrity_check") == [("ok",)]
    origins: dict[str, str] = dict(house.rows("SELECT address, origin FROM mailbox"))
    assert origins.keys() == {address(number) for number in people}
    recorded = [name for (name,) in house.rows("SELECT address FROM change WHERE kind = 'create' AND done = 1")]
    assert len(recorded) == len(set(recorded))
    assert {name for name, origin in origins.items() if origin == "created"} == set(recorded)
    assert {origins[name] for name in origins.keys() - set(recorded)} <= {"mark"}
    digests = house.rows("SELECT count(*) FROM mailbox WHERE digest IS NULL OR id IS NULL")
    assert digests == [(0,)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_first_run_that_is_killed_is_finished_by_the_next(
    hit: Installation, wanted: dict[str, Any], moment: int
) -> None:
    run_and_kill(hit, moment)
    assert len(hit.mailcow.state.mailboxes) < len(PEOPLE) or moment >= len(PEOPLE) - 1
    assert hit.at_clock().code == 0
    assert contents(hit.mailcow) == wanted
    assert made_twice(hit.mailcow) == []
    tells_the_truth(hit, PEOPLE)
    hit.mailcow.log.clear()
    assert hit.again(minutes=5).said == ""
    assert hit.mailcow.log.writes() == []


def test_a_run_may_be_killed_over_and_over(house: Installation, twin: Installation) -> None:
    house.people(*SOME)
    for _ in range(4):
        run_and_kill(house, 10)
    converges(house, twin)


@pytest.mark.parametrize("adopt", few(1, ["keep_password", "overwrite", "refuse"]))
def test_what_mailcow_confirmed_and_nobody_wrote_down_was_written_down_before(
    house: Installation, twin: Installation, adopt: str
) -> None:
    """The run has mailcow's answers and can't commit them, since the test holds sqlite's own lock; then it dies."""
    house.people(*SOME)
    house.config(adopt_mailboxes=adopt)
    with house.started() as process, closing(sqlite3.connect(house.state_file, check_same_thread=False)) as holder:

        def hold() -> None:
            holder.execute("BEGIN IMMEDIATE")

        with after_write(20, house.mailcow, hold), after_write(40, house.mailcow, process.kill):
            process.communicate()
        holder.rollback()
    assert process.returncode == SIGKILL
    last_words(house.mailcow)
    made = len(house.mailcow.state.mailboxes)
    ((committed,),) = house.rows("SELECT count(*) FROM change")
    assert committed < 20 <= made - 20
    converges(house, twin)
    assert house.rows("SELECT DISTINCT origin, kept FROM mailbox") == [("created", 0)]


def converges(house: Installation, twin: Installation) -> None:
    """Check that the next run brings everything to where an undisturbed one does."""
    assert house.at_clock().code == 0
    assert twin.at_clock().code == 0
    assert contents(house.mailcow) == contents(twin.mailcow)
    assert made_twice(house.mailcow) == []
    tells_the_truth(house, SOME)


@pytest.mark.parametrize("moment", few(2, [60, 88, 1, 8, 23, 83]))
def test_changes_that_are_killed_are_finished_by_the_next_run(
    house: Installation, twin: Installation, moment: int
) -> None:
    """Names, passwords, policies and statuses of forty people in two calls each, and one who is gone."""
    people = range(1, 41)
    house.people(*people, tlsIn="FALSE")
    for each in (house, twin):
        each.hands.moment = datetime.now(UTC)  # the process that will be killed has this clock
        each.config(limits={"removals": "20"})
        assert each.at_clock().code == 0
    for number in people:
        house.change(number, givenName=f"Zoë{number}", userPassword=NEWER, tlsIn="TRUE")
        house.change(number, mailActive="TRUE" if number % 4 else "FALSE")
    house.remove(39)
    house.writes()
    run_and_kill(house, moment)
    for _ in range(3):
        assert house.again(minutes=20).code == 0
        assert twin.again(minutes=20).code == 0
    assert contents(house.mailcow) == contents(twin.mailcow)
    assert house.mailbox(39).active == 0
    history = house.rows("SELECT address, kind FROM change WHERE done = 1")
    assert len(history) == len(set(history))
    assert house.again(minutes=5).said == ""


def test_a_run_that_was_killed_stands_in_the_history_without_an_end(house: Installation) -> None:
    house.people(*SOME)
    run_and_kill(house, 5)
    house.at_clock()
    runs = house.rows("SELECT finished IS NULL, exit_code FROM run ORDER BY id")
    assert runs == [(1, None), (0, 0)]


def test_a_run_that_was_killed_leaves_no_lock(house: Installation) -> None:
    house.people(*SOME)
    run_and_kill(house, 5)
    assert house.run("-q").code == 0
