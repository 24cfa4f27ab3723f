"""What a run does to the world, step by step: each request to mailcow, each statement to the state file.

The hooks are laid where the run leaves Python: around httpx and around sqlite3. Nothing in between is changed, so that
a run under them does what it does without them.
"""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import pytest

from ldap2mailcow.apply import steps as apply_steps
from ldap2mailcow.http import Http, Reply

T = TypeVar("T")


class Step(Protocol):
    """Is given each step before it is done: its name, and what does it."""

    def __call__(self, name: str, act: Callable[[], T], /) -> T: ...


@contextmanager
def hooked(step: Step) -> Iterator[None]:
    """Let every step of the runs in here go through `step`."""
    ask = Http._ask

    def asked(self: Http, method: str, path: str, answer: float, body: str | None = None) -> Reply:
        reply = step(f"{method} {path}", lambda: ask(self, method, path, answer, body))
        return step(f"{method} {path} is answered", lambda: reply) if body is not None else reply

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401 - of any type
            return step(_named(sql), lambda: sqlite3.Connection.execute(self, sql, *values))

        def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401 - the same
            return step(_named(sql), lambda: sqlite3.Connection.executemany(self, sql, *values))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Http, "_ask", asked)
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Watched))
        yield


def _named(sql: str) -> str:
    """Return the beginning of a statement, up to where it becomes long."""
    return " ".join(sql.split()[:3])


class _Later:
    """A result that is worked out when somebody asks for it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.result = act


class _InTurn:
    """An executor for one thing at a time, each begun when the last one's result has been taken."""

    def __init__(self, _workers: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def submit(self, act: Callable[[Any], Any], argument: object) -> _Later:
        return _Later(lambda: act(argument))


class _Ahead(_InTurn):
    """An executor that has done everything before anybody takes a result."""

    def submit(self, act: Callable[[Any], Any], argument: object) -> _Later:
        done = act(argument)
        return _Later(lambda: done)


ORDERS = {"in turn": _InTurn, "ahead": _Ahead}
"""Between them lies all that two connections may do: an outcome is recorded at once, or as late as can be."""


@contextmanager
def ordered(order: str) -> Iterator[None]:
    """Let runs send their calls in an order that is always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apply_steps, "ThreadPoolExecutor", ORDERS[order])
        patch.setattr(apply_steps, "as_completed", _as_given)
        yield


def _as_given(futures: Iterable[_Later]) -> Iterable[_Later]:
    return futures


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the kernel refuse every write of this process to a file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
