"""The server's clock: local time without a zone, one second the smallest step."""

from datetime import datetime, timedelta


class Clock:
    """Tells the time as the database writes it; stands still once it was set.

    Args:
        start: the time at which it stands, ``"2026-11-21 01:00:40"``; None follows the computer's clock.
    """

    def __init__(self, start: str | None = None) -> None:
        self._standing = None if start is None else datetime.fromisoformat(start)

    def set(self, time: str) -> None:
        """Stand still at this time from now on."""
        self._standing = datetime.fromisoformat(time)

    def advance(self, seconds: float) -> None:
        """Go on by this many seconds, then stand still."""
        self._standing = self._time() + timedelta(seconds=seconds)

    def now(self) -> str:
        """The time in the form of ``created``, ``modified`` and ``passwd_update``."""
        return self._time().strftime("%Y-%m-%d %H:%M:%S")

    def _time(self) -> datetime:
        return datetime.now() if self._standing is None else self._standing  # noqa: DTZ005 - mailcow gives local time
