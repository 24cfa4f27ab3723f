"""One run at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LockedError, StateError


@contextmanager
def lock(state_file: Path) -> Iterator[None]:
    """Hold the lock of a state file; the kernel lets go of it when the process ends, however it ends.

    Raises LockedError at once where another run holds it, StateError where the file can't be made.
    """
    path = state_file.with_name(f"{state_file.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{path} can't be written: {error.strerror}; let the user of this run write there") from None
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError from None
    except OSError as error:
        raise StateError(f"{path} can't be locked: {error.strerror}; keep the state file on a local disk") from None
