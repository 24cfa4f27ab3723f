"""Reading and writing the config's files."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ldap2mailcow.files import OddFile, is_trusted, open_file, others_write
from ldap2mailcow.model import Code, Finding

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


class FileProblem(Exception):  # noqa: N818 - it says what is wrong with a file
    """A file that can't be read or written; the message says what to do and quotes nothing of the content."""


_LARGEST = 1024 * 1024
"""Bytes of a config or secret; reading YAML takes ten seconds for as many."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, whose it is, and whether others than its owner can read it."""

    text: str
    exposed: bool
    owner: int


def read_file(path: Path) -> Content:
    """Read a text file. Raises FileProblem."""
    try:
        with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig") if len(content) <= _LARGEST else None
    except UnicodeDecodeError as error:
        problem = f"{path} is not UTF-8 (byte {error.start + 1}); save it again in that encoding"
    except IsADirectoryError:
        problem = f"{path} is a directory; write the path of a file"
    except OddFile as error:
        problem = str(error)
    except OSError as error:
        problem = f"{path} can't be read ({error.strerror}); correct the path, or let this user read the file"
    else:
        if text is not None:
            return Content(text, bool(status.st_mode & _OTHERS_READ), status.st_uid)
        problem = f"{path} is larger than 1 MiB, which no config and no secret is; name another file"
    raise FileProblem(problem)  # out here, so that no content hangs on it as its context


def read_config(path: Path, *, is_named: bool) -> Content:
    """Read a config file that no other user can have put there or can put another in the place of.

    `is_named`: its place says that it is meant; then its owner may be anybody, as in a container. Raises FileProblem.
    """
    content = read_file(path)
    try:
        open_folder = next(filter(_is_open, (path.parent, *path.resolve().parents)), None)
        owners = {content.owner, path.lstat().st_uid, path.parent.stat().st_uid}
    except OSError as error:
        raise FileProblem(f"{path} can't be read ({error.strerror}); let this user look at its folders") from None
    if open_folder:
        raise FileProblem(f"{path} can be replaced by other users; run: chmod o-w {shlex.quote(str(open_folder))}")
    if not is_named and not all(map(is_trusted, owners)):
        raise FileProblem(
            f"{path} belongs to another user or lies in another user's folder; if it is meant, name it with --config"
        )
    return content


def _is_open(folder: Path) -> bool:
    """Tell whether everybody can replace the files of a folder."""
    return others_write(folder, stat.S_IWOTH) and not folder.stat().st_mode & stat.S_ISVTX


def read_secret(path: Path) -> Content:
    """Read a file whose only content is a secret; the line break at its end is none of it. Raises FileProblem."""
    content = read_file(path)
    secret = content.text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise FileProblem(f"{path} is empty; write the secret into it")
    return replace(content, text=secret)


def write_new_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, never over one that is there. Raises FileProblem."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        problem = f"{path} is there already and is left as it is"
    except OSError as error:
        problem = f"{path} can't be written ({error.strerror}); give the path of another file with --config"
    else:
        problem = _fill(number, path, text)
    if problem:
        raise FileProblem(problem)


def _fill(number: int, path: Path, text: str) -> str:
    """Write and close a new file; return what went wrong, after which nothing half-written is left."""
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        return f"{path} can't be written ({error.strerror}); make room for it"
    return ""


def exposure(path: Path) -> Finding:
    """Say that others can read a secret."""
    return Finding(
        Code.SECRET_READABLE,
        str(path),
        f"{path} holds a secret, and not only its owner can read it; run: chmod 600 {shlex.quote(str(path))}",
    )
