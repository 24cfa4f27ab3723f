"""The fault matrix: one mixed run, disturbed at each of its steps in every way, and what must be so afterwards.

The story before that run is told once and kept as a copy, from which each case begins. What the steps are is found by a
run that nothing disturbs, the twin of all others, so that the matrix grows by itself when the plan gets another step.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from tests.directory_server import Slapd
from tests.directory_server.relay import Relay
from tests.integration.sync.installation import DOMAIN, STATE, Done, Installation
from tests.mailcow_server import DomainLimits, Fault, Faults, LoggedRequest, MailcowServer, State

from .mixed import BEFORE, LONG, MIXED, SETTINGS, STEP
from .steps import hooked, ordered
from .watch import Entry, Event, Fact, Watch, history, remembered
from .world import TickingClock, last_words

T = TypeVar("T")

KEPT = (STATE, f"{STATE}.key")
MOST_RUNS = 8
"""After so many runs everything is as it should be, or never will be."""

KILLED = -9


class At(Faults):
    """Lets something happen to the nth request, and to all that follow where it `lasts`."""

    def __init__(self, number: int, fault: Fault, *, lasts: bool = False) -> None:
        super().__init__()
        self._number, self._fault, self._lasts, self._seen = number, fault, lasts, 0

    @property
    def struck(self) -> bool:
        """Whether it has happened."""
        return self._seen >= self._number

    def strike(self, path: str, items: Iterable[str], *, is_write: bool) -> Fault | None:  # noqa: ARG002 - any request
        self._seen += 1
        return self._fault if self._seen == self._number or (self._lasts and self.struck) else None


class Then(Faults):
    """Lets something else happen in mailcow just before it looks at the nth request."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        super().__init__()
        self._left, self._act = number, act

    def strike(self, path: str, items: Iterable[str], *, is_write: bool) -> None:  # noqa: ARG002 - any request
        self._left -= 1
        if self._left == 0:
            self._act()


@dataclass(frozen=True)
class Start:
    """Everything that a case begins with."""

    mailcow: str
    mailcow_time: str
    moment: datetime
    files: dict[str, bytes]
    changes: int


@dataclass
class Course:
    """What came of one disturbed run, or an undisturbed one, and the runs after it."""

    codes: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    events: list[Counter[Event]] = field(default_factory=list)
    """Of all runs so far, after each run."""
    writes: list[int] = field(default_factory=list)
    facts: frozenset[Fact] = frozenset()
    """What mailcow holds in the end."""
    remembered: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the state file holds in the end."""
    history: list[Entry] = field(default_factory=list)
    is_quiet: bool = False
    """Whether the last run had nothing to do and nothing to say."""

    @property
    def done(self) -> list[Entry]:
        """What the history says was done."""
        return [entry for entry in self.history if entry.is_done]

    @property
    def lost_at_once(self) -> frozenset[Fact]:
        """What the first run took away: mailboxes, aliases, their being active, targets and rights.

        What only goes by another name afterwards isn't lost.
        """
        return frozenset(
            fact
            for sign, fact in self.events[0]
            if sign == "-"
            and (fact[2:] in {(), ("active", "1")} or fact[2] in {"goto", "send_as"})
            and self.moved.isdisjoint((fact[1], *fact[3:]))
        )

    @property
    def moved(self) -> frozenset[str]:
        """The addresses, old and new, of everybody who was renamed."""
        fields = [field for entry in self.done if entry.kind == "rename" for field in entry.fields]
        return frozenset(address for field in fields for address in (field["before"], field["after"]))

    @property
    def claimed(self) -> Counter[Event]:
        """What must have happened in mailcow if the history is true."""
        return Counter(event for entry in self.done for event in entry.claims())


class Ground:
    """Where the cases take place: one directory, one mailcow, one folder, and the copy of the beginning."""

    def __init__(self, folder: Path, slapd: Slapd, relay: Relay, mailcow: MailcowServer) -> None:
        self.relay, self.mailcow = relay, mailcow
        self.house = Installation(folder, slapd, mailcow)
        self.house.config(ldap__uri=relay.uri)
        self.start = self._prepare()
        self.steps: list[str] = []
        self.requests: list[LoggedRequest] = []
        self.messages: list[str] = []
        self.twin = self.course(self._undisturbed)

    def _prepare(self) -> Start:
        house = self.house
        for act in SETTINGS:
            act(house)
        for minutes, acts in BEFORE:
            for act in acts:
                act(house)
            done = house.again(minutes=minutes)
            assert done.code == 0, done.said
        for act in MIXED:
            act(house)
        house.hands.forward(minutes=LONG)
        return Start(
            json.dumps(self.mailcow.snapshot()),
            self.mailcow.clock.now(),
            house.hands.moment,
            {name: (house.folder / name).read_bytes() for name in KEPT},
            len(history(house)),
        )

    def _undisturbed(self) -> int:
        """Do the mixed run, noting its steps."""

        def note(name: str, act: Callable[[], T]) -> T:
            self.steps.append(name)
            return act()

        with hooked(note), ordered("in turn"):
            code = self.run().code
        self.requests = list(self.mailcow.log)
        self.messages = self.relay.messages
        return code

    def restore(self) -> None:
        """Begin anew."""
        self.mailcow.state = State.from_snapshot(self.mailcow.clock, json.loads(self.start.mailcow))
        self.mailcow.clock.set(self.start.mailcow_time)
        self.mailcow.faults = Faults()
        self.mailcow.log.clear()
        self.relay.begin()
        self.house.hands.moment = self.start.moment
        for path in self.house.folder.glob(f"{STATE}*"):
            path.unlink()
        for name, content in self.start.files.items():
            (self.house.folder / name).write_bytes(content)

    def run(self) -> Done:
        """Do one run, as cron does."""
        self.last = self.house.at_clock()
        return self.last

    def course(self, disturbed: Callable[[], int]) -> Course:
        """Begin anew, do the disturbed run, and then plain ones until one has nothing to do and nothing to say."""
        self.restore()
        course, watch = Course(), Watch(self.mailcow)
        with watch.watching():
            self._seen(course, watch, disturbed())
            self.mailcow.faults = Faults()
            self.mailcow.state.container_states.clear()
            self.relay.begin()
            while not course.is_quiet and len(course.codes) < MOST_RUNS:
                self.house.hands.forward(minutes=STEP)
                self.mailcow.log.clear()
                done = self.run()
                self._seen(course, watch, done.code)
                course.is_quiet = done.said == "" and done.code == 0 and not course.writes[-1] and len(course.codes) > 2
        course.facts = watch.known
        course.remembered = remembered(self.house)
        course.history = history(self.house)[self.start.changes :]
        return course

    def _seen(self, course: Course, watch: Watch, code: int) -> None:
        last_words(self.mailcow)
        course.codes.append(code)
        course.said.append("" if code == KILLED else self.last.said)
        course.events.append(watch.events.copy())
        course.writes.append(len(self.mailcow.log.writes()))

    def numbers(self) -> dict[str, tuple[int | None, int]]:
        """Return the aliases whose number in the state file isn't mailcow's: both numbers, by address."""
        found = {}
        for address, number in self.house.rows("SELECT address, number FROM alias"):
            row = self.mailcow.state.alias_at(address)
            if row is None or (number is not None and number != row.id):
                found[address] = (number, 0 if row is None else row.id)
        return found

    # what must be so

    def problems(self, course: Course, *, is_recorded: bool) -> Iterator[str]:
        """Tell what is wrong after a disturbed run.

        `is_recorded`: all that was done must stand in the history.
        """
        twin = self.twin
        if not course.is_quiet:
            yield f"no run becomes quiet; exit codes {course.codes}, and the last one says {course.said[-1]!r}"
        yield from (f"not in mailcow: {fact}" for fact in twin.facts - course.facts)
        yield from (f"in mailcow: {fact}" for fact in course.facts - twin.facts)
        yield from self._early_or_twice(course)
        yield from (
            f"state file: {path}: {found!r}, not {wanted!r}"
            for path, found, wanted in differences(course.remembered, twin.remembered)
        )
        yield from (f"state file: number of {address} is {what}" for address, what in self._wrong_numbers())
        yield from self._untrue(course)
        if is_recorded:
            yield from (f"not in the history: {event}" for event in twin.claimed - course.claimed)

    def _early_or_twice(self, course: Course) -> Iterator[str]:
        """Tell what appeared or vanished in mailcow that never did without the fault, or not yet, or not so often.

        Only the status of whoever is being renamed may go to and fro: it is put back where the renaming failed. And
        where lists aren't known, who is on them stays there by the new name until it is known that they left.
        """
        for place, events in enumerate(course.events):
            most = self.twin.events[min(place, len(self.twin.events) - 1)]
            for event, times in (events - most).items():
                _, (_, address, *more) = event
                is_put_back = most[event] and more[:1] == ["active"] and address in self.twin.moved
                is_new_name = more[:1] == ["goto"] and more[1] in self.twin.moved and times == 1
                if not is_put_back and not is_new_name:
                    yield f"after run {place + 1}: {times} times too often {event}"

    def _wrong_numbers(self) -> Iterator[tuple[str, str]]:
        """Tell which aliases have another number in mailcow than in the state file."""
        for address, number in self.house.rows("SELECT address, number FROM alias"):
            row = self.mailcow.state.alias_at(address)
            if row is None or number not in {None, row.id}:
                yield address, f"{number}, not {row and row.id}"

    def _untrue(self, course: Course) -> Iterator[str]:
        """Tell what the history says was done and wasn't, or was done twice."""
        events = course.events[-1]
        yield from (f"the history says, and it wasn't so: {event}" for event in course.claimed - events)
        for entry in course.done:
            if not any(fact[:2] == (entry.subject, entry.address) for _, fact in events):
                yield f"the history says, and nothing happened to it: {entry}"
        passwords = Counter(entry.address for entry in course.done if entry.has_password)
        once = Counter(entry.address for entry in self.twin.done if entry.has_password)
        yield from (f"the history says, and it was written once: password of {name}" for name in passwords - once)


def differences(
    found: object, wanted: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object, object]]:
    """Tell where two trees of mappings differ: the path, and what is there."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted(found.keys() | wanted.keys()):
            yield from differences(found.get(key), wanted.get(key), (*path, key))
    elif found != wanted:
        yield path, found, wanted


@contextmanager
def ground(folder: Path, slapd: Slapd) -> Iterator[Ground]:
    """Prepare the ground."""
    with (
        Relay(slapd.uri) as relay,
        MailcowServer([DomainLimits(DOMAIN)], clock=TickingClock()) as mailcow,
    ):
        yield Ground(folder, slapd, relay, mailcow)
