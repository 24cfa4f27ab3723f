"""The installation's key: made once, kept to its owner, and never guessed at."""

from __future__ import annotations

import hashlib
import hmac
import re
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from ldap2mailcow.state import StateError
from ldap2mailcow.state.key import load_key

from .builders import contents

PASSWORD = SecretStr("{SSHA}bm9ib2R5")


@pytest.fixture
def file(path: Path) -> Path:
    """The place of the key."""
    return path.with_name("state.sqlite3.key")


def test_a_key_is_made_once_and_read_ever_after(path: Path, file: Path) -> None:
    first = load_key(path, create=True)
    before = contents(path.parent)
    assert load_key(path, create=True) == load_key(path, create=False) == first
    assert contents(path.parent) == before
    assert re.fullmatch(r"[0-9a-f]{64}\n", file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [file]


def test_each_installation_has_a_key_of_its_own(path: Path) -> None:
    other = path.with_name("other.sqlite3")
    assert load_key(path, create=True).seal(PASSWORD) != load_key(other, create=True).seal(PASSWORD)


def test_a_key_that_may_not_be_made_is_in_no_file(path: Path) -> None:
    before = contents(path.parent)
    assert load_key(path, create=False).name != load_key(path, create=False).name
    assert contents(path.parent) == before


def test_a_digest_is_the_key_s_name_and_an_hmac(path: Path, file: Path) -> None:
    key = load_key(path, create=True)
    secret = bytes.fromhex(file.read_text())
    expected = hmac.new(secret, b"{SSHA}bm9ib2R5", hashlib.sha256).hexdigest()
    assert key.seal(PASSWORD) == f"{key.name}:{expected}"
    assert re.fullmatch(r"[0-9a-f]{8}", key.name)


def test_a_key_is_not_in_any_text(path: Path, file: Path) -> None:
    key = load_key(path, create=True)
    assert file.read_text().strip() not in f"{key} {key!r} {key.name} {key.seal(PASSWORD)}"


@pytest.mark.parametrize("text", ["00" * 32, f"  {'AB' * 32}  \n\n", "ab " * 32])
def test_a_key_may_be_written_by_hand(path: Path, file: Path, text: str) -> None:
    file.write_text(text)
    assert load_key(path, create=True).name


@pytest.mark.parametrize("data", [b"", b"\n", b"00" * 31, b"00" * 33, b"xy" * 32, b"0" * 63, b"\xff" * 64])
@pytest.mark.parametrize("create", [False, True])
def test_what_is_no_key_is_refused_and_left_as_it_is(path: Path, file: Path, data: bytes, *, create: bool) -> None:
    file.write_bytes(data)
    with pytest.raises(StateError, match="doesn't hold a key; restore it, or delete it"):
        load_key(path, create=create)
    assert file.read_bytes() == data


@pytest.mark.parametrize("create", [False, True])
def test_a_key_that_can_not_be_read_is_told(path: Path, file: Path, *, create: bool) -> None:
    file.mkdir()
    with pytest.raises(StateError, match="can't be read: Is a directory"):
        load_key(path, create=create)


def test_a_folder_that_is_not_there_is_no_place_for_a_key(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(StateError, match=r"key\.new can't be written: Not a directory; make its folder"):
        load_key(path / "state.sqlite3", create=True)


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow beyond a few bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_no_half_of_a_key(path: Path, file: Path) -> None:
    """Else every later run would refuse the half, though there is room again."""
    with no_room(), pytest.raises(StateError, match="can't be written: File too large; make room there"):
        load_key(path, create=True)
    assert not file.exists()
    assert load_key(path, create=True) == load_key(path, create=False)
    assert list(path.parent.iterdir()) == [file]
