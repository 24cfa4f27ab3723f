"""Says which tests are running where none has ended for a minute, since several processes show nothing but dots."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

PATIENCE = 60.0
"""Seconds."""


class Silence:
    """Listens, as a plugin of pytest, to what starts and ends, and says what is running after a time without an end."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._started: dict[str, float] = {}
        self._ended = Event()

    def start(self) -> None:
        """Watch from now on, until the process ends."""
        Thread(target=self._watch, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test has started."""
        self._started[nodeid] = self._clock()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note that a test has ended."""
        self._started.pop(nodeid, None)
        self._ended.set()

    def lines(self) -> list[str]:
        """Return a line for each test that is running."""
        now = self._clock()
        return [f"running for {now - since:.0f} s: {nodeid}" for nodeid, since in self._started.copy().items()]

    def _watch(self) -> None:
        while True:
            if self._ended.wait(PATIENCE):
                self._ended.clear()
                continue
            if lines := self.lines():
                self._say("\n".join(lines))
