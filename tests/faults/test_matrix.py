"""Every step of a mixed run, disturbed in every way: plain runs afterwards get to where an undisturbed one does.

One test is a row of the matrix: a way to disturb, at each step in turn. The number of cases is told at the end of the
tests. `FAULT_MATRIX=whole` adds what is much like another: steps of a kind that came before, more errors of each kind,
other orders of the calls, and the statements within a transaction, where everything stands as it does before its end.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import TypeVar

import pytest

from tests.directory_server import Slapd
from tests.integration.sync.story import SCHEMA
from tests.mailcow_server import Fault, FaultKind

from .doomed import Executioner, Request
from .matrix import KILLED, At, Course, Ground, Then, ground
from .share import WHOLE, few, first_of_each
from .steps import full_disk, hooked, ordered
from .world import folder_in_memory

T = TypeVar("T")

READS = (FaultKind.EMPTY_BODY, FaultKind.HTTP_500, FaultKind.HTTP_502, FaultKind.DROP_BEFORE)
WRITES = (*READS, FaultKind.EMPTY_BODY_AFTER, FaultKind.DROP_AFTER, FaultKind.DEADLOCK, FaultKind.LOCK_WAIT)
DATABASE = (FaultKind.DEADLOCK, FaultKind.LOCK_WAIT)
TIME_LIMIT, SIZE_LIMIT, ADMIN_LIMIT, BUSY = 3, 4, 11, 51  # RFC 4511 section 4.1.9

KILLS = few(1, ["in turn", "ahead", ""])
ONCE = WRITES if WHOLE else (FaultKind.EMPTY_BODY, FaultKind.DROP_AFTER)
LASTING = WRITES if WHOLE else (FaultKind.HTTP_502,)
HALVES = few(1, [FaultKind.HALF_DONE, FaultKind.DEADLOCK])
BREAKS = few(1, [None, BUSY, TIME_LIMIT, SIZE_LIMIT, ADMIN_LIMIT])
DISKS = few(2, ["error", "full from then on", "full once"])

Case = tuple[str, Callable[[], int]]


@pytest.fixture(scope="module")
def place() -> Iterator[Ground]:
    with (
        Slapd(schema=SCHEMA) as slapd,
        folder_in_memory() as path,
        ground(path, slapd) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def executioner() -> Iterator[Executioner]:
    with Executioner() as found:
        yield found


def survey(
    place: Ground,
    cases: Iterable[Case],
    *,
    is_recorded: bool,
    more: Callable[[str, Course], Iterator[str]] = lambda _name, _course: iter(()),
    tally: Counter[str],
    row: str,
) -> None:
    """Do each case, of which there must be one at least; fail with all that is wrong.

    `is_recorded`: all that was done must stand in the history, and the state file be the undisturbed run's.
    `more` tells what else is wrong with a case.
    """
    wrong = []
    for name, disturbed in cases:
        course = place.course(disturbed)
        problems = [*place.problems(course, is_recorded=is_recorded)]
        wrong += [f"{row}, {name}: {problem}" for problem in (*problems, *more(name, course))]
        tally[row] += 1
    assert not wrong, "\n".join(wrong)
    assert tally[row], f"there is no case of {row}"


def steps_of(place: Ground) -> list[tuple[int, str]]:
    """Return the steps at which to disturb, with their places: the first of each kind.

    Writes to mailcow and ends of transactions are of different kinds where the last request before them is.
    """
    asked = "nothing"
    found: list[tuple[int, str, str]] = []
    for number, name in enumerate(place.steps, 1):
        if WHOLE or name.startswith(("GET", "POST", "BEGIN", "COMMIT")):
            found.append((number, name, nameless(asked) if name.startswith(("POST", "COMMIT")) else ""))
        if name.startswith(("GET", "POST")):
            asked = name
    steps = first_of_each(found, lambda step: (nameless(step[1]), step[2]))
    return [(number, name) for number, name, _ in steps]


def nameless(step: str) -> str:
    """Return what kind of step it is, whoever it is about."""
    return re.sub(r"\S+@\S+", "ADDRESS", step)


def ended_with(*codes: int) -> Callable[[str, Course], Iterator[str]]:
    """Return what tells that the disturbed run ended with another exit code."""

    def told(_name: str, course: Course) -> Iterator[str]:
        if course.codes[0] not in codes:
            yield f"exit code {course.codes[0]}: {course.said[0]}"

    return told


# nothing happens


def test_the_mixed_run_has_every_kind_of_step(place: Ground) -> None:
    """Else the matrix would be smaller than it says."""
    assert {step.split()[1] for step in place.steps if step.startswith("POST") and "/tag/" not in step} == {
        "add/alias",
        "add/mailbox",
        "delete/alias",
        "delete/mailbox",
        "edit/alias",
        "edit/mailbox",
        "edit/rename-mbox",
        "edit/tls_policy",
    }
    assert {entry.kind for entry in place.twin.done} == {
        "create",
        "update",
        "enable",
        "grant",
        "disable",
        "remove",
        "rename",
        "delete",
    }
    assert place.twin.is_quiet
    assert place.twin.codes == [0, 0, 0]


def test_the_order_of_calls_makes_no_difference(place: Ground) -> None:
    def plain() -> int:
        return place.run().code

    def ahead() -> int:
        with ordered("ahead"):
            return place.run().code

    cases = [("two connections", plain), ("recorded late", ahead)]
    survey(place, cases, is_recorded=True, more=ended_with(0), tally=Counter(), row="undisturbed")


# kill -9


@pytest.mark.parametrize("order", KILLS)
def test_killed_before_each_step(place: Ground, executioner: Executioner, tally: Counter[str], order: str) -> None:
    def killed_at(step: int) -> Callable[[], int]:
        return lambda: executioner.run(
            Request(str(place.house.config_file), place.start.moment.isoformat(), step, order)
        )

    cases = [(f"{number} {name}", killed_at(number)) for number, name in steps_of(place)]
    survey(place, cases, is_recorded=False, more=ended_with(KILLED), tally=tally, row=f"kill -9, {order or 'threads'}")


# mailcow


def failing(place: Ground, number: int, fault: Fault, *, lasts: bool = False) -> Callable[[], int]:
    """Return the run in which the nth request fails, and all after it where that `lasts`."""

    def disturbed() -> int:
        place.mailcow.faults = At(number, fault, lasts=lasts)
        with ordered("in turn"):
            return place.run().code

    return disturbed


def at_each_request(place: Ground, kind: FaultKind, *, lasts: bool = False) -> list[Case]:
    """Return a case for each request that can fail so."""
    requests = first_of_each(enumerate(place.requests, 1), lambda request: nameless(request[1].path))
    return [
        (f"{number} {request.path} {', '.join(request.items)}", failing(place, number, Fault(kind), lasts=lasts))
        for number, request in requests
        if request.is_write or kind in READS
    ]


@pytest.mark.parametrize("kind", ONCE)
def test_mailcow_fails_once_at_each_request(place: Ground, tally: Counter[str], kind: FaultKind) -> None:
    """The run gets over it by itself: it reads what is uncertain, and tries again what isn't done."""
    cases = at_each_request(place, kind)
    survey(place, cases, is_recorded=True, more=ended_with(0), tally=tally, row=f"once {kind}")


@pytest.mark.parametrize("kind", LASTING)
def test_mailcow_fails_from_each_request_on(place: Ground, tally: Counter[str], kind: FaultKind) -> None:
    """What mailcow did and couldn't say any more is on record as failed; the next run finds it done."""
    cases = at_each_request(place, kind, lasts=True)
    ended = ended_with(3 if kind in DATABASE else 75)
    survey(place, cases, is_recorded=False, more=ended, tally=tally, row=f"lasting {kind}")


@pytest.mark.parametrize("kind", HALVES)
def test_a_call_for_several_is_half_done(place: Ground, tally: Counter[str], kind: FaultKind) -> None:
    """The items before one are done, and that one and the later ones are not."""
    several = [
        (number, request.path, items)
        for number, request in enumerate(place.requests, 1)
        if request.is_write and request.path != "add/mailbox" and len(items := ",".join(request.items).split(",")) > 1
    ]
    cases = [
        (f"{number} {path} before {item}", failing(place, number, Fault(kind, item=item)))
        for number, path, items in first_of_each(several, lambda call: call[1])
        for item in items
    ]
    survey(place, cases, is_recorded=True, more=ended_with(0), tally=tally, row=f"half done, {kind}")


@pytest.mark.parametrize("lasts", [False, True])
def test_a_deletion_leaves_half_a_mailbox(place: Ground, tally: Counter[str], lasts: bool) -> None:  # noqa: FBT001
    cases = [
        (f"{number} {request.path}", failing(place, number, Fault(FaultKind.HALF_DELETED), lasts=lasts))
        for number, request in enumerate(place.requests, 1)
        if request.path == "delete/mailbox"
    ]
    survey(place, cases, is_recorded=not lasts, tally=tally, row="half deleted")


def test_dovecot_stops_just_before_mail_would_be_moved(place: Ground, tally: Counter[str]) -> None:
    """What can't be renamed or deleted now is so later; what needs it waits, and nothing else does.

    Each renaming and each deletion looks just before it whether dovecot runs.
    """

    def stopping_at(number: int) -> Callable[[], int]:
        def disturbed() -> int:
            stop = partial(place.mailcow.state.container_states.update, {"dovecot-mailcow": "exited"})
            place.mailcow.faults = Then(number, stop)
            with ordered("in turn"):
                return place.run().code

        return disturbed

    cases = [
        (f"{number} {request.path}", stopping_at(number))
        for number, request in enumerate(place.requests, 1)
        if request.path == "get/status/containers"
    ]
    assert len(cases) == sum(request.path in {"edit/rename-mbox", "delete/mailbox"} for request in place.requests)
    survey(place, cases, is_recorded=True, more=ended_with(3), tally=tally, row="dovecot stops")


# the directory


@pytest.mark.parametrize("code", BREAKS)
def test_ldap_breaks_off_after_each_message(place: Ground, tally: Counter[str], code: int | None) -> None:
    """The connection ends, or the search does with an error, in the users' answer, the groups' or the forwardings'.

    Nobody is taken away from on half of the users, no list by half of the groups; the rest goes on.
    """
    ends = [number for number, message in enumerate(place.messages) if message.startswith("end")]
    people = max(number for number in ends if "ou=people" in place.messages[number])
    groups = next(number for number in ends if "ou=groups" in place.messages[number])

    def broken_after(number: int) -> Callable[[], int]:
        def disturbed() -> int:
            place.relay.break_after(number, code)
            with ordered("in turn"):
                return place.run().code

        return disturbed

    def more(name: str, course: Course) -> Iterator[str]:
        number = int(name.split(maxsplit=1)[0])
        lost = {fact for fact in course.lost_at_once if course.codes[0]}
        lists = {fact for fact in lost if fact[:2] in {("alias", "closed@example.org"), ("alias", "team@example.org")}}
        if number <= people and lost:
            yield f"on half an answer {lost} were taken away"
        elif number <= groups and not {fact[3] for fact in lists} <= {"leaver@example.org", "missing@example.org"}:
            yield f"on half an answer {lists} were taken away"
        is_over = number > max(ends)
        is_asked_again = code in {SIZE_LIMIT, ADMIN_LIMIT}  # for smaller pages
        is_about_server = code and number < people and "ou=" not in place.messages[number]  # which no server must tell
        if course.codes[0] not in {4, 75} and not (
            is_over or is_about_server or (is_asked_again and not course.codes[0])
        ):
            yield f"exit code {course.codes[0]}: {course.said[0]}"
        if course.codes[0] == 75 and course.writes[0]:
            yield f"{course.writes[0]} writes without an answer"

    messages = ["nothing", *place.messages, "nothing"]
    numbers = first_of_each(range(len(messages) - 1), lambda number: (messages[number], messages[number + 1]))
    cases = [(f"{number} messages, then {messages[number + 1]}", broken_after(number)) for number in numbers]
    survey(place, cases, is_recorded=True, more=more, tally=tally, row=f"LDAP ends with {code or 'the line'}")


# the state file


@pytest.mark.parametrize("kind", DISKS)
def test_the_state_file_fails_at_each_statement(place: Ground, tally: Counter[str], kind: str) -> None:
    """sqlite raises an error, or the kernel really writes nothing more, as where the disk is full.

    The run stops at what it can't record, says so, and sends nothing more.
    """
    sent: list[str] = []

    def failing_at(number: int) -> Callable[[], int]:
        def disturbed() -> int:
            seen = 0
            sent.clear()

            def step(name: str, act: Callable[[], T]) -> T:
                nonlocal seen
                seen += 1
                if name.startswith(("GET", "POST")):
                    if seen > number:
                        sent.append(name)
                    return act()
                if kind == "error" and seen == number:
                    raise sqlite3.OperationalError("disk I/O error")
                is_full = seen == number if kind == "full once" else seen >= number and kind != "error"
                with full_disk() if is_full else nullcontext():
                    return act()

            with hooked(step), ordered("in turn"):
                return place.run().code

        return disturbed

    def more(_name: str, course: Course) -> Iterator[str]:
        if course.codes[0] != 1 and not (kind == "full once" and course.codes[0] == 0):
            yield f"exit code {course.codes[0]}"
        if kind == "error" and sent:
            yield f"sent all the same: {sent}"
        if course.codes[0] and "mailcow_ldap_sync.sqlite3 can't be used" not in course.said[0]:
            yield f"it says {course.said[0]!r}"

    cases = [
        (f"{number} {name}", failing_at(number))
        for number, name in steps_of(place)
        if not name.startswith(("GET", "POST")) and (WHOLE or kind == "error" or name == "COMMIT")
    ]
    survey(place, cases, is_recorded=False, more=more, tally=tally, row=f"state file: {kind}")
