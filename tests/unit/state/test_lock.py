"""The lock: one run at a time, and no lock outlives its run."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ldap2mailcow.state import LockedError, StateError, lock

from .builders import NOW, in_another_process

HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ldap2mailcow.state import lock
with lock(Path(sys.argv[1]), datetime.now(UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""
TRY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ldap2mailcow.state import LockedError, lock
try:
    with lock(Path(sys.argv[1]), datetime.now(UTC)):
        print("taken")
except LockedError:
    print("refused")
"""


def test_a_second_run_in_another_process_is_refused_at_once(path: Path) -> None:
    with lock(path, NOW):
        assert in_another_process(TRY, path).stdout == "refused\n"
    assert in_another_process(TRY, path).stdout == "taken\n"


def test_a_second_lock_in_the_same_process_is_refused_too(path: Path) -> None:
    with lock(path, NOW), pytest.raises(LockedError):
        lock(path, NOW).__enter__()


def test_a_refused_run_does_not_free_the_lock(path: Path) -> None:
    with lock(path, NOW):
        for _ in range(2):
            with pytest.raises(LockedError):
                lock(path, NOW).__enter__()


def test_a_file_system_without_locks_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StateError, match="No locks available; keep the state file on a local disk"):
        lock(path, NOW).__enter__()


def test_a_sigkill_frees_the_lock(path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError):
            lock(path, NOW).__enter__()
        holder.kill()
    with lock(path, NOW):
        pass


def test_the_lock_is_freed_when_the_run_fails(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(path, NOW):
        raise ZeroDivisionError
    with lock(path, NOW):
        pass


def test_a_lock_that_was_made_in_vain_is_taken_away(path: Path) -> None:
    with pytest.raises(StateError), lock(path, NOW):
        raise StateError
    assert list(path.parent.iterdir()) == []


def test_a_lock_that_was_there_stays(path: Path) -> None:
    with lock(path, NOW):
        pass
    with pytest.raises(StateError), lock(path, NOW):
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
        lock(path, NOW).__enter__()


def test_the_lock_of_another_state_file_is_another_one(path: Path) -> None:
    with lock(path, NOW), lock(path.with_name("other.sqlite3"), NOW):
        pass


def test_a_place_where_no_lock_can_be_made_is_told(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(StateError, match=r"state\.sqlite3\.lock can't be written: Not a directory"):
        lock(path / "state.sqlite3", NOW).__enter__()


# a lock that is held for long


def told(path: Path, now: datetime) -> str:
    """Return what a run says that finds the lock held, "" for what is no news."""
    with pytest.raises(LockedError) as caught:
        lock(path, now).__enter__()
    return str(caught.value) if caught.value.is_news else ""


def test_a_lock_held_for_hours_is_told_once_a_day_with_its_process(path: Path) -> None:
    with lock(path, NOW):
        assert told(path, NOW + timedelta(hours=2, minutes=59)) == ""
        first = told(path, NOW + timedelta(hours=3))
        assert f"process {os.getpid()}, holds the lock of the state file for 3 hours" in first
        assert first.endswith(f"end it if it hangs: kill {os.getpid()}")
        assert told(path, NOW + timedelta(hours=3, minutes=10)) == ""
        assert told(path, NOW + timedelta(hours=25)) == ""
        assert "for 26 hours" in told(path, NOW + timedelta(hours=26))
        assert told(path, NOW + timedelta(hours=27)) == ""
    with lock(path, NOW + timedelta(hours=30)):
        assert told(path, NOW + timedelta(hours=31)) == ""


def test_a_lock_taken_while_the_clock_was_ahead_is_told(path: Path) -> None:
    with lock(path, NOW + timedelta(days=9999)):
        assert "since 2053-10-16 12:00 UTC, by its own clock" in told(path, NOW)
        assert "by its own clock" in told(path, NOW + timedelta(days=2))


@pytest.mark.parametrize(
    "text", ["", "4711\n", "a b\n", "1 yesterday\n", "\xff", "1 2026-06-01T12:00:00\n", "[" * 9999]
)
def test_a_lock_file_that_says_nothing_of_use_is_held_all_the_same(path: Path, text: str) -> None:
    with lock(path, NOW):
        path.with_name("state.sqlite3.lock").write_text(text, encoding="latin-1")
        assert told(path, NOW + timedelta(days=9)) == ""


def test_a_full_disk_hinders_no_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with lock(path, NOW):
        assert told(path, NOW + timedelta(days=9)) == ""


def test_a_lock_file_is_empty_once_its_run_is_over(path: Path) -> None:
    with lock(path, NOW):
        assert path.with_name("state.sqlite3.lock").read_text(encoding="ascii").split()[0] == str(os.getpid())
    assert path.with_name("state.sqlite3.lock").read_bytes() == b""
