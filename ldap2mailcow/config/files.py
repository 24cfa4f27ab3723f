"""Reading and writing the config's files."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ldap2mailcow.model import Code, Finding

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


class FileProblem(Exception):  # noqa: N818 - it says what is wrong with a file
    """A file that can't be read or written; the message says what to do and quotes nothing of the content."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, and whether others than its owner can read it."""

    text: str
    exposed: bool


def read_file(path: Path) -> Content:
    """Read a text file. Raises FileProblem."""
    try:
        with path.open("rb") as file:
            exposed = bool(os.fstat(file.fileno()).st_mode & _OTHERS_READ)
            return Content(file.read().decode("utf-8-sig"), exposed)
    except UnicodeDecodeError as error:
        problem = f"{path} is not UTF-8 (byte {error.start + 1}); save it again in that encoding"
    except IsADirectoryError:
        problem = f"{path} is a directory; write the path of a file"
    except OSError as error:
        problem = f"{path} can't be read ({error.strerror}); correct the path, or let this user read the file"
    raise FileProblem(problem)  # out here, so that no content hangs on it as its context


def read_secret(path: Path) -> Content:
    """Read a file whose only content is a secret; the line break at its end is none of it. Raises FileProblem."""
    content = read_file(path)
    secret = content.text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise FileProblem(f"{path} is empty; write the secret into it")
    return Content(secret, content.exposed)


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
