"""One run at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from . import cells
from .errors import LockedError, StateError
from .file import open_or_make

LONG = timedelta(hours=3)
"""How long a run may hold the lock before that is told: even a first run over thousands of mailboxes is shorter."""

_AGAIN_AFTER = timedelta(hours=23)
_LARGEST = 4096  # bytes of a lock file that are read


@dataclass(frozen=True, slots=True)
class _Holder:
    """What the lock file says of the run that holds it."""

    process: int
    since: datetime
    told: datetime
    """When that was last told; `since` where it wasn't."""

    def is_news(self, now: datetime) -> bool:
        """Tell whether it holds the lock for long, and that wasn't told within a day; a stamp to come is none."""
        is_long = not timedelta() <= now - self.since < LONG
        return is_long and not (self.told > self.since and timedelta() <= now - self.told < _AGAIN_AFTER)

    def sentence(self, now: datetime) -> str:
        """Say which run it is, and what to do."""
        hours = (now - self.since) // timedelta(hours=1)
        since = f"for {hours} hours" if hours >= 0 else f"since {self.since:%Y-%m-%d %H:%M} UTC, by its own clock"
        return (
            f"another run, process {self.process}, holds the lock of the state file {since}, and no other run does "
            f"anything meanwhile; see what it waits for, and end it if it hangs: kill {self.process}"
        )


@contextmanager
def lock(state_file: Path, now: datetime) -> Iterator[None]:
    """Hold the lock of a state file; the kernel lets go of it when the process ends, however it ends.

    The file stays for the next run, but for one that was made in vain: where the state file can't be used. It says
    which process holds it, since when, and when a run that found it held has told that.

    Raises LockedError at once where another run holds it, StateError where the file can't be made.
    """
    path = state_file.with_name(f"{state_file.name}.lock")
    descriptor, is_new = open_or_make(path)
    try:
        _take(descriptor, path, now)
        try:
            yield
        except StateError:
            if is_new:
                path.unlink(missing_ok=True)
            raise
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, now: datetime) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _refusal(descriptor, now) from None
    except OSError as error:
        raise StateError(f"{path} can't be locked: {error.strerror}; keep the state file on a local disk") from None
    if not os.fstat(descriptor).st_nlink:  # taken away between our opening it and our locking it
        raise LockedError
    with suppress(OSError):  # a full disk costs no more than the number of the process
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {now.isoformat()}\n".encode(), 0)


def _refusal(descriptor: int, now: datetime) -> LockedError:
    """Return what to raise where another run holds the lock; note it there if that is told."""
    found = os.pread(descriptor, _LARGEST, 0)
    try:
        process, since, *told = found.decode("ascii").split()
        holder = _Holder(int(process), cells.moment(since), cells.moment((told or [since])[-1]))
    except ValueError:  # from an older version, or on a full disk
        return LockedError()
    if not holder.is_news(now):
        return LockedError()
    with suppress(OSError):
        os.pwrite(descriptor, f"{process} {since} {now.isoformat()}\n".encode(), 0)
    return LockedError(holder.sentence(now), is_news=True)
