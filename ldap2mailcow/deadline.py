"""An end in time for what has none of its own: a name server, and a server that sends a byte now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Attempt(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.result: T | None = None
        self.error: BaseException | None = None
        self.over = threading.Event()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the work was asked for
            self.error = error
        finally:
            self.over.set()


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises; TimeoutError where that takes longer than `seconds`.

    The work is then left to itself in a thread that doesn't keep the process from ending. Who needs it to end does
    what ends it, such as shutting a socket down.
    """
    attempt = _Attempt(work)
    threading.Thread(target=attempt.run, daemon=True).start()
    if not attempt.over.wait(seconds):
        raise TimeoutError(f"no end within {seconds:g} seconds")
    if attempt.error is not None:
        raise attempt.error
    return attempt.result  # type: ignore[return-value]  # without an error it is there
