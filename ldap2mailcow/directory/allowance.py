"""What the reading of one directory may cost: time, entries, bytes and searches, each as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable

from ldap2mailcow.config import Source

from .errors import Malformed, Unreachable

_SEARCHES, _ENTRIES_OF_A_SEARCH = 1_000, 10  # a search brings fewer only where a server gives out tiny pages
_BYTES, _BYTES_OF_AN_ENTRY = 64 * 2**20, 2_048  # a group may have 100,000 members


class Allowance:
    """Counts down what is left of the settings; `clock` is in seconds. What goes beyond raises Unreachable.

    A directory that goes beyond isn't read at all: what it sent may be without end, or made up.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout = source.timeout
        """The longest silence, in seconds."""
        self._name, self._seconds, self._most = source.name, source.deadline, source.max_entries
        self._clock = clock
        self._end = clock() + source.deadline
        self._entries = self._most
        self._searches = _SEARCHES + self._most // _ENTRIES_OF_A_SEARCH
        self._bytes = _BYTES + self._most * _BYTES_OF_AN_ENTRY

    def wait(self) -> float:
        """Return for how many seconds the server may be waited for now: the timeout, or less near the end."""
        left = self._end - self._clock()
        if left <= 0:
            raise self._over(f"it wasn't read after {self._seconds} seconds; raise ldap.deadline if it needs longer")
        return min(self.timeout, left)

    def search(self) -> None:
        """Count a search, each page of one."""
        self._searches -= 1
        if self._searches < 0:
            raise self._over(f"{_SEARCHES + self._most // _ENTRIES_OF_A_SEARCH:,} searches didn't bring all of it")

    def entry(self) -> None:
        """Count an entry or a reference."""
        self._entries -= 1
        if self._entries < 0:
            raise self._over(f"it sends more than {self._most:,} entries; raise ldap.max_entries if it has so many")

    def received(self, count: int) -> None:
        """Count the bytes of answers."""
        self._bytes -= count
        if self._bytes < 0:
            raise self._over("it sends far more bytes than entries have; raise ldap.max_entries if it is so large")

    def malformed(self) -> Malformed:
        """Return the error for what no LDAP server may send."""
        return Malformed(
            f"The directory {self._name!r} can't be read: it sends what is not LDAP, such as a name that isn't UTF-8; "
            "look at what answers at ldap.uri."
        )

    def _over(self, why: str) -> Unreachable:
        return Unreachable(f"The directory {self._name!r} can't be read: {why}.")
