"""Locks and files: what is wrong with them is told in one sentence, and nothing is written anywhere."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ldap2mailcow.state import file as state_file
from ldap2mailcow.state.schema import MIGRATIONS
from tests.integration.sync.installation import STATE, Done, Installation, address, after_write
from tests.unit.state.test_atomicity import kill_a_writer

from .disks import (
    AS_ONE_WITHOUT_PRIVILEGES,
    fill,
    forbidding,
    held,
    mounted,
    run_read_only,
    run_without_privileges,
)
from .share import paired

RESTORE = (
    "restore it from a copy, or move it away: the mailboxes and aliases with our mark are taken over again then, and "
    "nothing is removed for it"
)
RIGHTS = "let the user of this run write it and its folder"
THERE = "let the user of this run write there"
FOLDER = "make its folder, or correct state_file in the config"
MOVE = "move that folder away, or name another file in state_file"
LINK = "correct the symbolic link"
KEY = "restore it, or delete it to have every password's digest taken afresh"
CORRUPT = "database disk image is malformed"
NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"

Run = Callable[..., Done]


@pytest.fixture
def used(house: Installation) -> Installation:
    """An installation that has run once, and has a mailbox to make."""
    house.people(1, 2, 3)
    assert house.at_clock().code == 0
    house.people(4)
    house.mailcow.log.clear()
    return house


def refuses(house: Installation, sentence: str, run: Run | None = None, *options: str) -> None:
    """Check that a run says this and no more, on stderr or in its document, and that nothing is written or asked."""
    run, before = run or house.at_clock, held(house.folder)
    done = run(*options)
    assert (done.code, done.out, done.err) == (1, "", f"{house.folder}/{STATE}{sentence}\n")
    document = run(*options, "--output", "json").document
    assert (document["exit_code"], document["error"]) == (1, f"{house.folder}/{STATE}{sentence}")
    assert len(house.mailcow.log) == 0
    assert held(house.folder) == before


def works_again(house: Installation) -> None:
    """Check that the next run does what was left to do."""
    assert house.again(minutes=5).code == 0
    assert house.has_mailbox(4)
    assert [write.items[-1] for write in house.writes()] == [address(4)]


# the lock


@contextmanager
def stopped(house: Installation) -> Iterator[subprocess.Popen[str]]:
    """Give a run that stands still at its first write, and lets go of nothing."""
    house.config(mailcow_connections=1)
    stands = threading.Event()
    with house.started() as process:

        def stop() -> None:
            """Stop the run before it hears of its write: else it might go on to the next one."""
            process.send_signal(signal.SIGSTOP)
            assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
            stands.set()

        with after_write(1, house.mailcow, stop):
            assert stands.wait(timeout=60)
        try:
            yield process
        finally:
            process.kill()  # where the test has failed: else it would stand still for ever


def test_runs_never_overlap_and_the_second_leaves_quietly(house: Installation) -> None:
    house.people(1, 2)
    with stopped(house) as first:
        house.mailcow.log.clear()
        before = held(house.folder)
        second = house.run()
        assert (second.code, second.said) == (75, "")
        assert house.run("-q").said == ""
        assert house.run("-v").err == "INFO another run holds the lock of the state file\n"
        told = house.run("--output", "json")
        assert (told.code, told.err) == (75, "")
        assert (told.document["exit_code"], told.document["changes"]) == (75, [])
        assert told.document["error"] == "another run holds the lock of the state file"
        assert len(house.mailcow.log) == 0
        assert held(house.folder) == before
        first.send_signal(signal.SIGCONT)
        first.communicate()
    assert first.returncode == 0
    assert house.has_mailbox(2)
    assert house.run("-q").code == 0


def test_a_dry_run_beside_a_run_needs_no_lock(house: Installation) -> None:
    house.people(1, 2)
    with stopped(house) as first:
        before = held(house.folder)
        dry = house.run("--dry-run")
        assert (dry.code, dry.err) == (0, "")
        assert f"create    {address(2)}" in dry.out
        assert held(house.folder) == before
        first.send_signal(signal.SIGCONT)
        first.communicate()
    assert first.returncode == 0


def test_a_second_run_is_noted_in_the_log_file(house: Installation) -> None:
    house.config(log_file="sync.log")
    with house.locked():
        assert house.run().said == ""
    assert "another run holds the lock" in (house.folder / "sync.log").read_text(encoding="utf-8")


def test_a_killed_run_holds_no_lock(house: Installation) -> None:
    house.people(1, 2)
    with stopped(house) as first:
        assert house.run().code == 75
        first.kill()
        first.communicate()
    assert first.returncode == -signal.SIGKILL
    assert (house.folder / f"{STATE}.lock").exists()
    assert house.run().code == 0
    assert house.has_mailbox(2)


def test_a_lock_file_of_a_run_long_ago_is_in_nobody_s_way(house: Installation) -> None:
    house.people(1)
    (house.folder / f"{STATE}.lock").write_text("4711\n", encoding="ascii")
    assert house.run().code == 0


# where files can't be made


def in_no_folder(path: Path) -> str:
    path.parent.rmdir()
    return f".lock can't be written: No such file or directory; {FOLDER}"


def in_a_file(path: Path) -> str:
    path.parent.rmdir()
    path.parent.write_bytes(b"")
    return f".lock can't be written: Not a directory; {FOLDER}"


def beside_a_folder_for_a_lock(path: Path) -> str:
    path.with_name(f"{path.name}.lock").mkdir()
    return f".lock can't be written: Is a directory; {MOVE}"


def beside_a_loop_for_a_lock(path: Path) -> str:
    path.with_name(f"{path.name}.lock").symlink_to(f"{path.name}.lock")
    return f".lock can't be written: Too many levels of symbolic links; {LINK}"


def as_a_folder(path: Path) -> str:
    path.mkdir()
    return f" can't be written: Is a directory; {MOVE}"


def as_a_loop(path: Path) -> str:
    path.symlink_to(path.name)
    return f" can't be written: Too many levels of symbolic links; {LINK}"


def as_a_link_to_nowhere(path: Path) -> str:
    path.symlink_to("no/such/disk")
    return f" can't be written: No such file or directory; {FOLDER}"


def beside_a_draft_of_a_key(path: Path) -> str:
    path.with_name(f"{path.name}.key.new").mkdir()
    return f".key.new can't be written: Is a directory; {MOVE}"


def beside_a_link_for_a_key(path: Path) -> str:
    path.with_name(f"{path.name}.key").symlink_to("no/such/disk")
    return f".key can't be read: No such file or directory; {FOLDER}"


PLACES = (
    in_no_folder,
    in_a_file,
    beside_a_folder_for_a_lock,
    beside_a_loop_for_a_lock,
    as_a_folder,
    as_a_loop,
    as_a_link_to_nowhere,
    beside_a_draft_of_a_key,
    beside_a_link_for_a_key,
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_first_run_that_can_not_keep_its_state_does_nothing(
    house: Installation, place: Callable[[Path], str]
) -> None:
    """The key, too, is there before anything is asked: what is written can be remembered."""
    (house.folder / "state").mkdir()
    house.config(state_file=f"state/{STATE}")
    house.people(1)
    sentence = place(house.folder / "state" / STATE)
    before = held(house.folder)
    done = house.at_clock()
    assert (done.code, done.out, done.err) == (1, "", f"{house.folder}/state/{STATE}{sentence}\n")
    assert len(house.mailcow.log) == 0
    assert held(house.folder) == before


@pytest.mark.parametrize("place", [in_no_folder, as_a_folder, as_a_loop], ids=lambda place: place.__name__)
def test_a_dry_run_tells_what_a_run_would_run_into(house: Installation, place: Callable[[Path], str]) -> None:
    (house.folder / "state").mkdir()
    house.config(state_file=f"state/{STATE}")
    place(house.folder / "state" / STATE)
    before = held(house.folder)
    done = house.at_clock("--dry-run")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{house.folder}/state/{STATE} can't be ")
    assert done.err.endswith((f"; {FOLDER}\n", f"; {MOVE}\n", f"; {LINK}\n"))
    assert held(house.folder) == before


def test_a_folder_without_the_right_to_write_is_told_at_the_first_run(house: Installation) -> None:
    house.people(1)
    with forbidding(house.folder, 0o500):
        refuses(
            house,
            f".lock can't be written: Permission denied; {THERE}",
            lambda *options: run_without_privileges(house, *options),
        )


def test_a_folder_that_lost_the_right_to_write_is_told(used: Installation) -> None:
    """sqlite needs the folder for its journal."""
    with forbidding(used.folder, 0o500):
        refuses(
            used,
            f" can't be used (attempt to write a readonly database); {RIGHTS}",
            lambda *options: run_without_privileges(used, *options),
        )
    works_again(used)


@pytest.mark.parametrize(
    ("end", "mode", "sentence"),
    [
        (".lock", 0o400, f" can't be written: Permission denied; {THERE}"),
        ("", 0o400, f" can't be written: Permission denied; {THERE}"),
        ("", 0o000, f" can't be written: Permission denied; {THERE}"),
        (".key", 0o000, " can't be read: Permission denied; let the user of this run read it"),
    ],
)
def test_a_file_without_the_right_to_it_is_told(used: Installation, end: str, mode: int, sentence: str) -> None:
    with forbidding(used.folder / f"{STATE}{end}", mode):
        done = run_without_privileges(used)
        assert (done.code, done.said) == (1, f"{used.state_file}{end}{sentence}\n")
        assert len(used.mailcow.log) == 0
    works_again(used)


def test_a_read_only_disk_is_told_at_the_first_run(house: Installation) -> None:
    house.people(1)
    refuses(
        house,
        f".lock can't be written: Read-only file system; {THERE}",
        lambda *options: run_read_only(house, *options),
    )


def test_a_disk_that_became_read_only_is_told(used: Installation) -> None:
    refuses(
        used,
        f".lock can't be written: Read-only file system; {THERE}",
        lambda *options: run_read_only(used, *options),
    )
    works_again(used)


def test_a_dry_run_needs_no_right_to_write(used: Installation) -> None:
    before = held(used.folder)
    with forbidding(used.folder, 0o500):
        done = run_without_privileges(used, "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert f"create    {address(4)}" in done.out
    assert held(used.folder) == before


def test_a_dry_run_works_on_a_read_only_disk(used: Installation) -> None:
    before = held(used.folder)
    done = run_read_only(used, "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert f"create    {address(4)}" in done.out
    assert held(used.folder) == before


# a state file that isn't one


def text(path: Path) -> str:
    path.write_text("ann@example.org\n" * 100, encoding="ascii")
    return f" can't be used (file is not a database); {RESTORE}"


def damaged_header(path: Path) -> str:
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)
    return f" can't be used (file is not a database); {RESTORE}"


def cut_in_half(path: Path) -> str:
    os.truncate(path, path.stat().st_size // 2)
    return f" can't be used ({CORRUPT}); {RESTORE}"


def cut_within_its_header(path: Path) -> str:
    os.truncate(path, 50)
    return f" can't be used ({CORRUPT}); {RESTORE}"


def another_program_s(path: Path) -> str:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmark (url TEXT)")
        other.commit()
    return " is another program's database; name another file in state_file"


def newer(path: Path) -> str:
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA user_version = 99")
    return (
        f" has schema version 99 and this program knows {len(MIGRATIONS)}: it was written by a newer version; run that "
        "one, or restore the copy kept beside it"
    )


WAYS: tuple[tuple[str, ...], ...] = ((), ("--dry-run",))
"""A run, and a dry one, by their options."""


def called(value: Callable[[Path], str] | bytes | tuple[str, ...]) -> str:
    """Return what the tests call a parameter."""
    if isinstance(value, bytes):
        return str(len(value))
    return ("dry run" if value else "run") if isinstance(value, tuple) else value.__name__


WRONG = (text, damaged_header, cut_in_half, cut_within_its_header, another_program_s, newer)


@pytest.mark.parametrize(("spoil", "options"), paired(WRONG, WAYS), ids=called)
def test_what_is_no_state_file_is_told_and_left_as_it_is(
    used: Installation, spoil: Callable[[Path], str], options: tuple[str, ...]
) -> None:
    refuses(used, spoil(used.state_file), None, *options)


@pytest.mark.parametrize("spoil", [text, another_program_s, newer], ids=lambda spoil: spoil.__name__)
def test_a_first_run_beside_a_wrong_file_leaves_nothing_there(
    house: Installation, spoil: Callable[[Path], str]
) -> None:
    house.people(1)
    house.state_file.touch()
    refuses(house, spoil(house.state_file))
    assert sorted(held(house.folder)) == ["config.yaml", STATE]


def test_a_damaged_page_is_told_wherever_it_is(used: Installation) -> None:
    """Also in the history, which is only written: it would be found after mailcow has been written."""
    data = used.state_file.read_bytes()
    size = int.from_bytes(data[16:18], "big")
    pages = range(size, len(data), size)
    assert len(pages) > 10
    for page, damage in paired(pages, (bytes(size), b"\xff" * size)):
        used.state_file.write_bytes(data[:page] + damage + data[page + size :])
        before = held(used.folder)
        done = used.at_clock()
        assert (done.code, done.out) == (1, ""), page
        assert done.err.startswith(f"{used.state_file} "), page
        assert done.err.endswith(f"; {RESTORE}\n"), page
        assert held(used.folder) == before, page
    assert len(used.mailcow.log) == 0
    used.state_file.write_bytes(data)
    works_again(used)


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE mailbox SET origin = 'nobody'",
        "UPDATE mailbox SET applied = '{'",
        "UPDATE mailbox SET applied = x'ff'",
        "UPDATE mailbox SET missing_since = 'yesterday'",
        "UPDATE source SET accepted = '{'",
    ],
)
def test_a_row_that_no_run_has_written_is_told(used: Installation, query: str) -> None:
    with closing(sqlite3.connect(used.state_file)) as other:
        other.execute("PRAGMA ignore_check_constraints = 1")
        other.execute(query.replace("x'ff'", "CAST(x'ff' AS TEXT)"))
        other.commit()
    for options in ((), ("--dry-run",)):
        done = used.at_clock(*options)
        assert (done.code, done.out) == (1, "")
        assert done.err.endswith(f"; {RESTORE}\n")
    assert used.writes() == []


def test_an_empty_file_is_as_good_as_none(used: Installation) -> None:
    """A lost state file loses nothing: what carries our mark is taken over."""
    used.state_file.write_bytes(b"")
    works_again(used)
    assert used.rows("SELECT origin, count(*) FROM mailbox GROUP BY origin ORDER BY 1") == [("created", 1), ("mark", 3)]


# what sqlite or another program left beside it


@pytest.mark.parametrize("data", [b"", b"garbage" * 1000], ids=["empty", "garbage"])
@pytest.mark.parametrize("end", ["-journal", "-wal"])
def test_what_lies_beside_the_state_file_is_in_nobody_s_way(used: Installation, end: str, data: bytes) -> None:
    used.state_file.with_name(f"{STATE}{end}").write_bytes(data)
    before = held(used.folder)
    dry = used.at_clock("--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert f"create    {address(4)}" in dry.out
    assert held(used.folder) == before
    used.writes()
    works_again(used)


def test_what_a_killed_run_left_half_written_is_undone(used: Installation) -> None:
    kill_a_writer(used.state_file)
    before = held(used.folder)
    dry = used.at_clock("--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert f"create    {address(4)}" in dry.out
    assert held(used.folder) == before
    used.writes()
    works_again(used)


def test_a_write_ahead_log_of_another_program_is_read_and_ended(used: Installation) -> None:
    """Who looks into the file with a tool that switches its journal leaves it so."""
    used.change(1, mail="somebody@else.example")
    with closing(sqlite3.connect(used.state_file)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("UPDATE mailbox SET kept = 1 WHERE address = ?", (address(1),))
        other.commit()
        for end in ("", "-wal"):
            path = used.state_file.with_name(f"{STATE}{end}")
            path.with_name(f"{path.name}.copy").write_bytes(path.read_bytes())
    for end in ("", "-wal"):  # as if that program had been killed
        used.state_file.with_name(f"{STATE}{end}.copy").rename(used.state_file.with_name(f"{STATE}{end}"))
    before = held(used.folder)
    assert used.at_clock("--dry-run").err == ""
    assert held(used.folder) == before
    used.at_clock()
    assert used.rows("SELECT kept FROM mailbox ORDER BY address LIMIT 1") == [(1,)]
    assert used.rows("PRAGMA journal_mode") == [("delete",)]
    assert not used.state_file.with_name(f"{STATE}-wal").exists()


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_a_file_that_another_program_holds_is_told(
    used: Installation, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(state_file, "PATIENCE", 0)
    with closing(sqlite3.connect(used.state_file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        sentence = " can't be used (database is locked); another program holds it; end that one, and run again"
        refuses(used, sentence, None, *options)
    works_again(used)


# versions


def downgrade(house: Installation) -> bytes:
    """Make the state file one of version 1, with all that this knew; return its bytes."""
    old = house.folder / "old"
    with closing(sqlite3.connect(old)) as opened:
        opened.executescript(MIGRATIONS[0])
        opened.execute("ATTACH ? AS new", (str(house.state_file),))
        for (table,) in opened.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in opened.execute(f"PRAGMA main.table_info({table})"))
            opened.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")  # noqa: S608
        opened.execute("PRAGMA main.user_version = 1")
        opened.commit()
    old.chmod(0o600)
    old.rename(house.state_file)
    return house.state_file.read_bytes()


def test_an_older_file_is_brought_up_and_a_copy_is_kept(used: Installation) -> None:
    before = downgrade(used)
    works_again(used)
    assert (used.folder / f"{STATE}.v1").read_bytes() == before
    assert used.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert used.rows("SELECT origin, count(*) FROM mailbox GROUP BY origin") == [("created", 4)]
    assert sorted(held(used.folder)) == sorted(
        ["config.yaml", STATE, *(f"{STATE}{end}" for end in (".key", ".lock", ".v1"))]
    )


def test_an_older_file_whose_copy_can_not_be_kept_stays_as_it_is(used: Installation) -> None:
    downgrade(used)
    (used.folder / f"{STATE}.v1.new").mkdir()
    refuses(used, f".v1.new can't be written: Is a directory; {MOVE}")


def test_an_older_file_is_brought_up_by_a_dry_run_in_memory_only(used: Installation) -> None:
    downgrade(used)
    before = held(used.folder)
    done = used.at_clock("--dry-run")
    assert (done.code, done.err) == (0, "")
    assert f"create    {address(4)}" in done.out
    assert held(used.folder) == before


# the key


@pytest.mark.parametrize(
    ("data", "options"), paired([b"", b"\n", b"00" * 31, b"00" * 33, b"xy" * 32, b"\xff" * 64], WAYS), ids=called
)
def test_what_is_no_key_is_told_and_left_as_it_is(used: Installation, data: bytes, options: tuple[str, ...]) -> None:
    used.state_file.with_name(f"{STATE}.key").write_bytes(data)
    refuses(used, f".key doesn't hold a key; {KEY}", None, *options)


def test_a_folder_in_place_of_the_key_is_told(used: Installation) -> None:
    key = used.state_file.with_name(f"{STATE}.key")
    key.unlink()
    key.mkdir()
    refuses(used, f".key can't be read: Is a directory; {MOVE}")


def test_an_older_file_without_a_good_key_is_not_brought_up(used: Installation) -> None:
    downgrade(used)
    used.state_file.with_name(f"{STATE}.key").write_bytes(b"")
    refuses(used, f".key doesn't hold a key; {KEY}")


def test_a_lost_key_is_told_and_nothing_is_written(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.writes()
    before = house.mailcow.snapshot()
    digests = "SELECT digest FROM mailbox ORDER BY address"
    lost = house.rows(digests)
    house.state_file.with_name(f"{STATE}.key").unlink()
    dry = house.again("--dry-run", minutes=5)
    assert "digest_key_lost" in dry.out
    assert house.rows(digests) == lost
    done = house.again(minutes=5)
    assert (done.code, done.err) == (0, "")
    assert "warning   digest_key_lost" in done.out
    afresh = house.rows(digests)
    assert set(afresh).isdisjoint(lost)
    assert "gone      digest_key_lost" in house.again(minutes=5).out
    assert house.again(minutes=5).said == ""
    assert house.rows(digests) == afresh
    assert house.writes() == []
    assert house.mailcow.snapshot() == before
    house.change(2, userPassword=NEWER)
    assert house.again(minutes=5).code == 0
    assert [write.items for write in house.writes()] == [(address(2),)]
    assert house.has_password_of_directory(2)


# the log file


@pytest.mark.parametrize(
    ("name", "why"),
    [("no/sync.log", "No such file or directory"), ("sync.log", "Is a directory"), ("loop", "Too many levels")],
)
def test_a_log_file_that_can_not_be_opened_is_a_mistake_of_the_config(house: Installation, name: str, why: str) -> None:
    house.people(1)
    (house.folder / "sync.log").mkdir()
    (house.folder / "loop").symlink_to("loop")
    house.config(log_file=name)
    before = held(house.folder)
    done = house.at_clock()
    assert (done.code, done.out) == (78, "")
    assert f"At 'log_file': {house.folder / name} can't be written: {why}" in done.err
    assert done.err.endswith("; correct the path, or the rights\n")
    assert len(house.mailcow.log) == 0
    assert held(house.folder) == before
    assert house.at_clock("--dry-run").code == 0
    assert held(house.folder) == before


def test_a_log_file_without_the_right_to_write_is_a_mistake_of_the_config(used: Installation) -> None:
    used.config(log_file="sync.log")
    log = used.folder / "sync.log"
    log.touch()
    before = held(used.folder)
    with forbidding(log, 0o400):
        done = run_without_privileges(used)
    assert (done.code, done.out) == (78, "")
    assert f"At 'log_file': {log} can't be written: Permission denied; correct the path, or the rights\n" in done.err
    assert len(used.mailcow.log) == 0
    assert held(used.folder) == before


def without_its_log(log: Path, why: str) -> str:
    """Return what is said of a log file that can't be written any more."""
    return f"WARNING the log file {log} can't be written ({why}); the command goes on without it\n"


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_log_file_that_is_a_pipe_or_a_device_is_a_mistake_of_the_config(house: Installation, kind: str) -> None:
    """A pipe would be waited for until somebody reads it."""
    os.mkfifo(house.folder / "pipe")
    log = Path("/dev/full") if kind == "device" else house.folder / "pipe"
    house.config(log_file=str(log))
    done = house.run()
    assert done.code == 78
    assert done.err.endswith(f"At 'log_file': {log} is a pipe, a socket or a device; name a plain file\n")


def goes_on_without_its_log(house: Installation, log: Path, why: str, done: Done) -> None:
    assert done.code == 0
    assert done.err == without_its_log(log, why)
    assert [house.has_mailbox(number) for number in (1, 2, 3)] == [True] * 3
    assert house.rows("SELECT count(*) FROM change WHERE done = 1") == [(3,)]
    assert house.again(minutes=5).code == 0


def test_a_log_file_whose_disk_gets_full_in_the_middle_stops_nothing(house: Installation) -> None:
    house.people(1, 2, 3)
    folder = house.folder / "log"
    folder.mkdir()
    with mounted(folder):
        log, filler = folder / "sync.log", folder / "filler"
        log.write_bytes(b"-" * 4095 + b"\n")
        house.config(log_file=str(log), mailcow_connections=1)

        def all_of_it() -> None:
            fill(filler, 4096)
            fill(log, 1)  # what is left of its last block

        with after_write(3, house.mailcow, all_of_it):
            done = house.at_clock()
        house.config(log_file=None)
        goes_on_without_its_log(house, log, "No space left on device", done)


# stdout and stderr


def test_a_sentence_that_nobody_can_hear_changes_no_exit_code(used: Installation) -> None:
    with Path("/dev/full").open("w", encoding="ascii") as full:
        text(used.state_file)
        with used.started() as process:
            process.communicate()
        assert process.returncode == 1
        command = process.args
        assert isinstance(command, list)
        assert subprocess.run(command, cwd=used.folder, stdout=full, stderr=full, check=False).returncode == 1
        used.config(mark="two words")
        assert subprocess.run(command, cwd=used.folder, stdout=full, stderr=full, check=False).returncode == 78


def test_rights_count_in_these_tests(tmp_path: Path) -> None:
    """Else the tests that take rights away could not fail."""
    with forbidding(tmp_path, 0o500):
        tried = subprocess.run(
            [*AS_ONE_WITHOUT_PRIVILEGES, "touch", str(tmp_path / "file")], capture_output=True, check=False
        )
    assert tried.returncode == 1
