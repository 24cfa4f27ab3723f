"""Disks that can't be written: without room, read-only, without rights; each in a way that needs no patched code."""

from __future__ import annotations

import functools
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests.integration.sync.installation import COMMAND, Done, Installation
from tests.mailcow_server import LoggedRequest, MailcowServer

AS_ONE_WITHOUT_PRIVILEGES: tuple[str, ...] = (
    ("setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search,-fowner") if os.geteuid() == 0 else ()
)
"""What makes the rights of files count for root, too."""

_IN_A_READ_ONLY_MOUNT = ("unshare", "--map-root-user", "--mount", "sh", "-c")
_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'


class Disk(Protocol):
    """Where an installation lies."""

    sentence: str
    """What sqlite says of it when there is no room."""

    def fill(self) -> None:
        """Leave no room."""

    def free(self) -> None:
        """Make room again."""


class SizeLimit:
    """No file of this process may grow: a limit of the kernel's that every user may set, and that works anywhere."""

    sentence = "disk I/O error"

    def __init__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self.before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


class Memory:
    """A file system of one megabyte, which is full when another file has all that is left."""

    sentence = "database or disk is full"

    def __init__(self, folder: Path) -> None:
        self.filler = folder / "filler"

    def fill(self) -> None:
        fill(self.filler, 4096)

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)


class Held:
    """Room enough, but another program holds sqlite's own lock."""

    sentence = "database is locked"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.holder: sqlite3.Connection | None = None

    def fill(self) -> None:
        self.holder = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self.holder.execute("BEGIN EXCLUSIVE")

    def free(self) -> None:
        if self.holder:
            self.holder.close()
            self.holder = None


def fill(path: Path, step: int) -> None:
    """Let a file grow, by a number of bytes at a time, until its disk is full."""
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(bytes(step)):
            continue


@contextmanager
def freed(disk: Disk) -> Iterator[None]:
    """Make room at the end, however that comes: else pytest could not write its report either."""
    try:
        yield
    finally:
        disk.free()


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Mount a megabyte of memory at a folder; skips the test where that isn't allowed."""
    mount = shutil.which("mount")
    options = ("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
    if not mount or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here; the same cases run with a limit of the kernel's")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def forbidding(path: Path, mode: int) -> Iterator[None]:
    """Take rights away from a file or folder."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def run_without_privileges(house: Installation, *options: str) -> Done:
    """Run the command so that it can't write what the rights of a file forbid."""
    return _run(AS_ONE_WITHOUT_PRIVILEGES, house, options)


def run_read_only(house: Installation, *options: str) -> Done:
    """Run the command where its folder is mounted read-only; skips the test where that isn't allowed."""
    if not _may_mount_read_only():
        pytest.skip("no folder may be mounted read-only here; the same cases run with rights taken away")
    return _run((*_IN_A_READ_ONLY_MOUNT, _MOUNT, str(house.folder)), house, options)


@functools.cache
def _may_mount_read_only() -> bool:
    if not shutil.which("unshare"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = (*_IN_A_READ_ONLY_MOUNT, _MOUNT, folder, "true")
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(before: Sequence[str], house: Installation, options: Sequence[str]) -> Done:
    command = [*before, sys.executable, str(COMMAND), "--config", str(house.config_file), *options]
    done = subprocess.run(
        command, cwd=house.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def at_request(path: str, mailcow: MailcowServer, act: Callable[[], object]) -> Iterator[None]:
    """Let something happen when mailcow is asked for the first path that begins so, before it answers."""
    add, left = mailcow.log.add, [act]

    def note(request: LoggedRequest) -> None:
        add(request)
        if left and request.path.startswith(path):
            left.pop()()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailcow.log, "add", note)
        yield


def held(folder: Path) -> dict[str, bytes | str | None]:
    """Return all that a folder holds: the bytes of files, where links point to, None for folders."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.name] = str(path.readlink())
        else:
            found[path.name] = path.read_bytes() if path.is_file() else None
    return found
