"""State, key, lock and what lies beside them are used only where no other user of the machine can write them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ldap2mailcow.config.apart import BESIDE_STATE
from ldap2mailcow.state import State, StateError, lock, read_ancestor
from tests.foreign import give_away

from .builders import ANN, NOW, contents, remember


@contextmanager
def a_run(path: Path) -> Iterator[State]:
    with lock(path, NOW), State.open(path) as store:
        yield store


@contextmanager
def a_dry_run(path: Path) -> Iterator[State]:
    with State.open(path, read_only=True) as store:
        yield store


Way = Callable[[Path], AbstractContextManager[State]]
ENDS = ["", ".key", "-journal", "-wal", "-shm"]
BOTH = pytest.mark.parametrize(
    ("way", "end"), [(way, end) for way in (a_run, a_dry_run) for end in ENDS] + [(a_run, ".lock")]
)


@pytest.fixture
def used(path: Path) -> Path:
    """A state file that a run has left, and empty ones in the place of sqlite's journals."""
    with a_run(path) as store:
        remember(store, ANN)
    return path


def beside(path: Path, end: str) -> Path:
    return path.with_name(f"{path.name}{end}")


def untouched(path: Path) -> dict[str, object]:
    """Return all that is beside a state file, but for the lock, which is taken first, and its folder's time."""
    found = contents(path.parent)
    return {name: what for name, what in found.items() if name not in {str(path.parent), f"{path}.lock"}}


def refuses(way: Way, path: Path, sentence: str) -> None:
    before = untouched(path)
    with pytest.raises(StateError, match=sentence):
        way(path).__enter__()
    assert untouched(path) == before


@BOTH
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(used: Path, way: Way, end: str, mode: int) -> None:
    file = beside(used, end)
    file.touch()
    file.chmod(mode)
    refuses(way, used, f"{file} can be written by other users; run: chmod go-w {file}")


@BOTH
def test_a_file_of_another_user_is_refused(used: Path, way: Way, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that another user made would be written into the file by sqlite."""
    beside(used, end).touch()
    give_away(beside(used, end), monkeypatch)
    refuses(way, used, r"belongs to user \d+, who can change it; run as that user, or run: chown")


@BOTH
def test_a_pipe_is_refused_and_not_waited_for(used: Path, way: Way, end: str) -> None:
    beside(used, end).unlink(missing_ok=True)
    os.mkfifo(beside(used, end))
    refuses(way, used, "is a pipe, a socket or a device; name a plain file")


@pytest.mark.parametrize("way", [a_run, a_dry_run])
def test_what_can_not_be_looked_at_is_told(used: Path, way: Way) -> None:
    beside(used, "-journal").symlink_to(beside(used, "-journal"))
    with pytest.raises(
        StateError, match=r"can't be read: Too many levels of symbolic links; correct the symbolic link"
    ):
        way(used).__enter__()


def test_the_database_of_the_tool_before_is_ours_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells which mailboxes are ours."""
    path = tmp_path / "mailcow.sqlite3"
    path.touch(mode=0o666)
    path.chmod(0o666)
    with pytest.raises(StateError, match="can be written by other users"):
        read_ancestor(path)
    path.chmod(0o644)
    give_away(path, monkeypatch)
    with pytest.raises(StateError, match="belongs to user"):
        read_ancestor(path)


def test_a_key_is_never_written_through_a_link(path: Path, tmp_path: Path) -> None:
    """`.key.new` may have been laid out by another user, to have a file of ours overwritten or to know the key."""
    precious = tmp_path / "precious"
    precious.write_text("ours", encoding="ascii")
    draft = beside(path, ".key.new")
    draft.symlink_to(precious)
    with a_run(path):
        pass
    assert precious.read_text(encoding="ascii") == "ours"
    assert not beside(path, ".key").is_symlink()
    assert not draft.is_symlink()


def test_a_key_is_never_written_into_a_file_that_is_there(path: Path, tmp_path: Path) -> None:
    draft, other = beside(path, ".key.new"), tmp_path / "other"
    draft.write_text("a killed run's", encoding="ascii")
    other.hardlink_to(draft)
    with a_run(path):
        pass
    assert other.read_text(encoding="ascii") == "a killed run's"


def test_a_draft_that_comes_back_at_once_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(path, ".key.new").touch()
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(StateError, match=r"\.key\.new can't be written: File exists"):
        State.open(path).__enter__()


def test_the_config_knows_all_that_lies_beside_a_state_file(path: Path) -> None:
    with a_run(path) as store:
        store.connection.execute("BEGIN IMMEDIATE")
        store.connection.execute("DELETE FROM meta")
        made = {file.name.removeprefix(path.name) for file in path.parent.iterdir()}
        store.connection.execute("ROLLBACK")
    assert made <= {"", *BESIDE_STATE}
