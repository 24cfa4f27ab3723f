"""Files as they are opened here: plain ones, and none that another user of this machine can change.

What is read decides about everybody's mail, and what is written must not end in another file. root can change every
file, and is trusted.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

JOURNALS = ("-journal", "-wal", "-shm")
"""How the names end of what sqlite keeps beside a file: changes to undo, changes to do, and where those are."""

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class OddFile(Exception):  # noqa: N818 - it says what is wrong with a file
    """A file that is not to be used; the message is a whole sentence with a remedy."""


def open_file(path: Path, flags: int, *, is_ours: bool = False) -> int:
    """Open a file as `os.open` does, made with 0600 where `flags` say so, and return its descriptor.

    `is_ours` and what is raised: as `inspect` has it; OSError as `os.open` raises it.
    """
    with suppress(FileNotFoundError):
        _refuse_odd_kind(path, path.stat())  # first, because opening a device may do something
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    try:
        inspect(path, descriptor, is_ours=is_ours)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def inspect(path: Path, opened: int | None = None, *, is_ours: bool = False) -> None:
    """Look whether a file, open or not, may be used.

    `is_ours`: it was made by the user of this run, or by root for that user. Else a foreign owner is taken for the
    one who was meant, as in a container, where a mounted file has the owner that it has outside.

    Raises OddFile for what is no plain file, and for one that others can write; OSError where it can't be looked at.
    """
    file = path if opened is None else opened
    status = os.stat(file)  # noqa: PTH116 - of a descriptor, too
    _refuse_odd_kind(path, status)
    if is_ours and not is_trusted(status.st_uid):
        raise OddFile(
            f"{path} belongs to user {status.st_uid}, who can change it; run as that user, or run: "
            f"chown {os.geteuid()} {shlex.quote(str(path))}"
        )
    if others_write(file):
        raise OddFile(f"{path} can be written by other users; run: chmod go-w {shlex.quote(str(path))}")


def is_trusted(owner: int) -> bool:
    """Tell whether a user, by number, is the one of this run or root."""
    return owner in {0, os.geteuid()}


def others_write(file: int | Path, rights: int = _OTHERS_WRITE) -> bool:
    """Tell whether others than the owner can write a file or folder; what is mounted read-only nobody can.

    Kubernetes and Docker Desktop give files and folders to everybody, and mount them so.
    """
    mode = os.stat(file).st_mode  # noqa: PTH116 - of a descriptor, too
    return bool(mode & rights) and not os.statvfs(file).f_flag & os.ST_RDONLY


def _refuse_odd_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OddFile(f"{path} is a pipe, a socket or a device; name a plain file")
