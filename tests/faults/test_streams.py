"""stdin, stdout and stderr: whatever becomes of them, the work is done, and the exit code is the command's own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE

import pytest

from ldap2mailcow.cli import PROGRESS_FROM
from tests.integration.sync.installation import COMMAND, Done, Installation, address, after_write

from .share import few, paired

SCRIPT = str(COMMAND)

CROWD = range(1, PROGRESS_FROM + 1)
"""People enough for a progress bar."""

STREAMS = {
    "full": (">/dev/full 2>&1", (False, False)),
    "closed": ("<&- >&- 2>&-", (False, False)),
    "unread stdout": (">&0", (False, True)),
    "unread stderr": ("2>&0", (True, False)),
    "full stdout": (">/dev/full", (False, True)),
    "full stderr": ("2>/dev/full", (True, False)),
    "closed stdin": ("<&-", (True, True)),
    "closed stdout": (">&-", (False, True)),
    "closed stderr": ("2>&-", (True, False)),
    "unread": (">&0 2>&0", (False, False)),
    "read-only": ("1</dev/null 2</dev/null", (False, False)),
}
"""What is wrong with them, by redirections of the shell, and whether stdout and stderr are heard then.

0 is a pipe that has no reader.
"""

ENCODINGS = {
    "locale C": ("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "ASCII": ("ascii", {"PYTHONIOENCODING": "ascii"}),
    "ISO 8859-1": ("iso-8859-1", {"PYTHONIOENCODING": "iso-8859-1:strict"}),
}
"""What a terminal can show, by the environment that says so: two of three lack the letters of Jürgen, all lack an Ł."""

FAULT = "from ldap2mailcow import cli; cli.load_config = None; cli.main()"
"""A program in which something goes wrong that isn't foreseen."""


def started(
    house: Installation,
    *arguments: str,
    redirections: str = "",
    env: Mapping[str, str] | None = None,
    stdout: int = PIPE,
    stderr: int = PIPE,
) -> subprocess.Popen[bytes]:
    """Start Python with other streams."""
    reader, nobody_reads = os.pipe()
    os.close(reader)
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, *arguments],
            cwd=house.folder,
            env={**os.environ, **(env or {})},
            stdin=nobody_reads,
            stdout=stdout,
            stderr=stderr,
        )
    finally:
        os.close(nobody_reads)


def ended(house: Installation, redirections: str, *arguments: str) -> Done:
    """Run the command, or another program, with other streams."""
    with started(house, *arguments, redirections=redirections) as process:
        out, err = process.communicate()
    return Done(process.returncode, out.decode(), err.decode())


def serves(house: Installation, numbers: Sequence[int]) -> bool:
    """Tell whether all of them have a mailbox, and the state file knows all of them."""
    kept = house.rows("SELECT address FROM mailbox ORDER BY address")
    return all(map(house.has_mailbox, numbers)) and kept == [(address(number),) for number in numbers]


# full, closed, or read by nobody


@pytest.mark.parametrize(("redirections", "heard"), few(4, STREAMS.values()), ids=few(4, STREAMS))
def test_a_run_does_its_work_whatever_becomes_of_its_streams(
    house: Installation, redirections: str, heard: tuple[bool, bool]
) -> None:
    house.people(*CROWD)
    house.config(log_file="sync.log")
    done = ended(house, redirections, SCRIPT)
    assert done.code == 0
    assert serves(house, CROWD)
    assert (house.folder / "sync.log").read_text(encoding="utf-8").count(": done\n") == len(CROWD)
    again = ended(house, redirections, SCRIPT, "-v")
    assert again.code == 0
    assert (f"{len(CROWD)} created" in done.out, "INFO ldap://" in again.err) == heard


@pytest.mark.parametrize(
    ("redirection", "why"),
    few(1, [(">&0", "Broken pipe"), (">/dev/full", "No space left on device"), ("1</dev/null", "Bad file descriptor")]),
)
def test_that_stdout_can_not_be_written_is_told_once(house: Installation, redirection: str, why: str) -> None:
    house.people(1, 2)
    sentence = f"stdout can't be written ({why}); the command goes on without it\n"
    assert ended(house, redirection, SCRIPT).err == f"WARNING {sentence}"
    assert ended(house, redirection, SCRIPT, "--output", "json", "-q").err == f"WARNING {sentence}"
    assert ended(house, redirection, SCRIPT, "--help").err == sentence


def helps(_house: Installation) -> tuple[int, Sequence[str]]:
    return 0, [SCRIPT, "--help"]


def looks_only(house: Installation) -> tuple[int, Sequence[str]]:
    house.people(1)
    return 0, [SCRIPT, "--dry-run"]


def tells_all(house: Installation) -> tuple[int, Sequence[str]]:
    house.people(1)
    return 0, [SCRIPT, "-vv"]


def is_read_by_programs(house: Installation) -> tuple[int, Sequence[str]]:
    house.people(1)
    return 0, [SCRIPT, "--output", "json"]


def lets_go(house: Installation) -> tuple[int, Sequence[str]]:
    house.people(1)
    assert house.at_clock().code == 0
    return 0, [SCRIPT, "release", address(1)]


def can_not_read_its_state(house: Installation) -> tuple[int, Sequence[str]]:
    house.state_file.write_bytes(b"garbage" * 1000)
    return 1, [SCRIPT]


def meets_what_is_not_foreseen(_house: Installation) -> tuple[int, Sequence[str]]:
    return 1, ["-c", FAULT, "-vv"]


def is_called_wrongly(_house: Installation) -> tuple[int, Sequence[str]]:
    return 2, [SCRIPT, "--no-such-option"]


def has_findings(house: Installation) -> tuple[int, Sequence[str]]:
    house.people(1, MailQuota="plenty")
    return 3, [SCRIPT]


def has_no_config(house: Installation) -> tuple[int, Sequence[str]]:
    house.config_file.unlink()
    return 78, [SCRIPT]


def has_a_wrong_config(house: Installation) -> tuple[int, Sequence[str]]:
    house.config(mark="two words")
    return 78, [SCRIPT]


ENDS = (
    helps,
    looks_only,
    tells_all,
    is_read_by_programs,
    lets_go,
    can_not_read_its_state,
    meets_what_is_not_foreseen,
    is_called_wrongly,
    has_findings,
    has_no_config,
    has_a_wrong_config,
)


@pytest.mark.parametrize(
    ("end", "wrong"), paired(ENDS, ["closed", "unread"]), ids=lambda value: getattr(value, "__name__", value)
)
def test_however_the_command_ends_the_exit_code_is_its_own(
    house: Installation, end: Callable[[Installation], tuple[int, Sequence[str]]], wrong: str
) -> None:
    code, arguments = end(house)
    assert ended(house, STREAMS[wrong][0], *arguments).code == code


@pytest.mark.parametrize("wrong", few(1, ["closed", "unread"]))
def test_a_second_run_leaves_with_its_own_exit_code(house: Installation, wrong: str) -> None:
    with house.locked():
        assert ended(house, STREAMS[wrong][0], SCRIPT, "-v").code == 75


def test_a_reader_that_goes_away_in_the_middle_stops_nothing(house: Installation) -> None:
    house.people(*CROWD)
    reader, writer = os.pipe()
    with started(house, SCRIPT, stdout=writer) as process:
        os.close(writer)
        with after_write(1, house.mailcow, lambda: os.close(reader)):
            _, err = process.communicate()
    assert process.returncode == 0
    assert err == b"WARNING stdout can't be written (Broken pipe); the command goes on without it\n"
    assert serves(house, CROWD)


def test_a_slow_reader_gets_all(house: Installation) -> None:
    """A pipe that doesn't wait for its reader, as programs leave it that read many of them."""
    house.people(*CROWD)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with started(house, SCRIPT, "--output", "json", stdout=writer) as process, os.fdopen(reader) as pipe:
        os.close(writer)
        select.select([reader], [], [])
        told = pipe.read()
    assert (process.returncode, json.loads(told)["exit_code"]) == (0, 0)
    assert len(told) > size


def test_a_descriptor_that_is_closed_at_the_start_never_becomes_another_file(house: Installation) -> None:
    """Else it would be the next file that is opened, and what is printed would be written into it."""
    house.people(1)
    house.config(log_file="sync.log")
    found: list[str] = []
    with started(house, SCRIPT, "-vv", redirections="<&- >&- 2>&-") as process:

        def look() -> None:
            found.extend(str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in (0, 1, 2))

        with after_write(1, house.mailcow, look):
            process.communicate()
    assert process.returncode == 0
    assert found == [os.devnull] * 3


# terminals


def terminal_of(house: Installation, act: Callable[[int], object]) -> int:
    """Return a terminal on which a run has drawn its bar; something happens to it while the run writes."""
    house.people(*CROWD)
    ours, theirs = pty.openpty()
    with started(house, SCRIPT, stderr=theirs) as process:
        os.close(theirs)
        with after_write(5, house.mailcow, lambda: act(ours)):
            out, _ = process.communicate()
    assert process.returncode == 0
    assert f"{len(CROWD)} created" in out.decode()
    assert serves(house, CROWD)
    return ours


def test_a_bar_is_drawn_on_a_terminal(house: Installation) -> None:
    ours = terminal_of(house, lambda _terminal: None)
    assert b"writing to mailcow" in os.read(ours, 65536)
    os.close(ours)


def test_a_terminal_that_goes_away_in_the_middle_stops_nothing(house: Installation) -> None:
    terminal_of(house, os.close)


# encodings


@pytest.mark.parametrize(("encoding", "env"), few(1, ENCODINGS.values()), ids=few(1, ENCODINGS))
def test_letters_that_can_not_be_shown_are_shown_with_escapes(
    house: Installation, encoding: str, env: Mapping[str, str]
) -> None:
    def said(*options: str) -> Done:
        """Run the command where no other letters can be shown."""
        with started(house, SCRIPT, *options, env=env) as process:
            out, err = process.communicate()
        return Done(process.returncode, out.decode(encoding), err.decode(encoding))

    def shown(text: str) -> str:
        return text.encode(encoding, "backslashreplace").decode(encoding)

    house.people(1, givenName="Łukasz", sn="Jürgens")
    dry = said("--dry-run", "--output", "json")
    assert dry.code == 0
    assert "Łukasz Jürgens" in [field["after"] for field in dry.document["changes"][0]["fields"]]
    done = said("-vv")
    assert done.code == 0
    assert f'name "{shown("Łukasz Jürgens")}"' in done.out
    assert house.mailbox(1).name == "Łukasz Jürgens"
    assert said("release", address(1)).code == 0
    wrong = said("--output", "Łukasz")
    assert wrong.code == 2
    assert "ukasz' is not one of" in wrong.err
    house.config(Łukasz=1)
    mistaken = said()
    assert mistaken.code == 78
    assert shown("At 'Łukasz'") in mistaken.err
