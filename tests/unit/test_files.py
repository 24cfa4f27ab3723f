"""Opening files: plain ones, and none that another user of the machine can change."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from ldap2mailcow import files
from ldap2mailcow.files import OddFile, inspect, open_file
from tests.foreign import give_away

FLAGS = [os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_CREAT | os.O_APPEND]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "it's a file"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o777, 0o664])
def test_a_file_that_others_can_write_is_refused_with_the_command_that_mends_it(
    file: Path, mode: int, flags: int
) -> None:
    file.chmod(mode)
    with pytest.raises(OddFile, match="can be written by other users; run: chmod go-w") as caught:
        open_file(file, flags)
    assert os.system(str(caught.value).partition("run: ")[2]) == 0  # noqa: S605 - the sentence is to be followed
    os.close(open_file(file, flags))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400, 0o755])
def test_a_file_that_others_can_read_at_most_is_opened(file: Path, mode: int) -> None:
    file.chmod(mode)
    os.close(open_file(file, os.O_RDONLY, is_ours=True))


def test_what_is_mounted_read_only_nobody_can_write(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Kubernetes mounts a config, in a folder for everybody."""
    file.chmod(0o666)
    monkeypatch.setattr(os, "statvfs", lambda _: type("Mount", (), {"f_flag": os.ST_RDONLY}))
    os.close(open_file(file, os.O_RDONLY))


@pytest.mark.parametrize("flags", FLAGS)
def test_no_pipe_no_socket_and_no_device_is_opened(tmp_path: Path, flags: int) -> None:
    """None of them is waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "link", tmp_path / "socket", Path(os.devnull)):
            with pytest.raises(OddFile, match=f"{re.escape(str(path))} is a pipe, a socket or a device"):
                open_file(path, flags)


def test_a_device_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tape would be rewound, a watchdog started."""
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    with pytest.raises(OddFile):
        open_file(Path(os.devnull), os.O_RDWR)


def test_a_pipe_in_the_place_of_a_file_between_two_looks_is_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    opened = os.open
    monkeypatch.setattr(os, "open", lambda _, *more: opened(tmp_path / "pipe", *more))
    with pytest.raises(OddFile, match="is a pipe"):
        open_file(file, os.O_RDONLY)


def test_a_folder_is_told_as_open_tells_it(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path, os.O_RDONLY)


def test_a_foreign_file_is_refused_where_ours_is_meant(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(file, monkeypatch)
    os.close(open_file(file, os.O_RDONLY))
    for look in (lambda: open_file(file, os.O_RDONLY, is_ours=True), lambda: inspect(file, is_ours=True)):
        with pytest.raises(OddFile, match=r"belongs to user \d+, who can change it; run as that user, or run: chown"):
            look()


def test_a_file_of_roots_is_taken_for_ours(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid)
    os.close(open_file(file, os.O_RDONLY, is_ours=True))
    assert files.is_trusted(0)
    assert not files.is_trusted(file.stat().st_uid + 1)


def test_no_descriptor_is_left_open_by_a_refusal(file: Path) -> None:
    file.chmod(0o666)
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(3):
        with pytest.raises(OddFile):
            open_file(file, os.O_RDONLY)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
