"""The lock: one run at a time, and no lock outlives its run."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from ldap2mailcow.state import LockedError, StateError, lock

from .builders import in_another_process

HOLD = """
import sys
from pathlib import Path
from ldap2mailcow.state import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
TRY = """
import sys
from pathlib import Path
from ldap2mailcow.state import LockedError, lock
try:
    with lock(Path(sys.argv[1])):
        print("taken")
except LockedError:
    print("refused")
"""


def test_a_second_run_in_another_process_is_refused_at_once(path: Path) -> None:
    with lock(path):
        assert in_another_process(TRY, path).stdout == "refused\n"
    assert in_another_process(TRY, path).stdout == "taken\n"


def test_a_second_lock_in_the_same_process_is_refused_too(path: Path) -> None:
    with lock(path), pytest.raises(LockedError):
        lock(path).__enter__()


def test_a_refused_run_does_not_free_the_lock(path: Path) -> None:
    with lock(path):
        for _ in range(2):
            with pytest.raises(LockedError):
                lock(path).__enter__()


def test_a_file_system_without_locks_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StateError, match="No locks available; keep the state file on a local disk"):
        lock(path).__enter__()


def test_a_sigkill_frees_the_lock(path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError):
            lock(path).__enter__()
        holder.kill()
    with lock(path):
        pass


def test_the_lock_is_freed_when_the_run_fails(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(path):
        raise ZeroDivisionError
    with lock(path):
        pass


def test_a_lock_that_was_made_in_vain_is_taken_away(path: Path) -> None:
    with pytest.raises(StateError), lock(path):
        raise StateError
    assert list(path.parent.iterdir()) == []


def test_a_lock_that_was_there_stays(path: Path) -> None:
    with lock(path):
        pass
    with pytest.raises(StateError), lock(path):
        raise StateError
    assert [file.name for file in path.parent.iterdir()] == ["state.sqlite3.lock"]


def test_a_lock_that_is_taken_away_before_it_is_held_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else two runs would hold two files of one name."""
    flock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        path.with_name("state.sqlite3.lock").unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(LockedError):
        lock(path).__enter__()


def test_the_lock_of_another_state_file_is_another_one(path: Path) -> None:
    with lock(path), lock(path.with_name("other.sqlite3")):
        pass


def test_a_place_where_no_lock_can_be_made_is_told(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(StateError, match=r"state\.sqlite3\.lock can't be written: Not a directory"):
        lock(path / "state.sqlite3").__enter__()
