"""One run at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LockedError, StateError
from .file import open_or_make


@contextmanager
def lock(state_file: Path) -> Iterator[None]:
    """Hold the lock of a state file; the kernel lets go of it when the process ends, however it ends.

    The file stays for the next run, but for one that was made in vain: where the state file can't be used.

    Raises LockedError at once where another run holds it, StateError where the file can't be made.
    """
    path = state_file.with_name(f"{state_file.name}.lock")
    descriptor, is_new = open_or_make(path)
    try:
        _take(descriptor, path)
        try:
            yield
        except StateError:
            if is_new:
                path.unlink(missing_ok=True)
            raise
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError from None
    except OSError as error:
        raise StateError(f"{path} can't be locked: {error.strerror}; keep the state file on a local disk") from None
    if not os.fstat(descriptor).st_nlink:  # taken away between our opening it and our locking it
        raise LockedError
