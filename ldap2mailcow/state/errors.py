"""What can be wrong with the state file, and what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path


class StateError(Exception):
    """The state file can't be used; the message is a whole sentence with a remedy."""


class LockedError(Exception):
    """Another run holds the lock; the message says so."""

    def __init__(
        self, sentence: str = "another run holds the lock of the state file", *, is_news: bool = False
    ) -> None:
        super().__init__(sentence)
        self.is_news = is_news
        """Whether it holds it for so long that this is told, once a day."""


_REMEDIES = {
    errno.ENOENT: "make its folder, or correct state_file in the config",
    errno.ENOTDIR: "make its folder, or correct state_file in the config",
    errno.EISDIR: "move that folder away, or name another file in state_file",
    errno.ELOOP: "correct the symbolic link",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "make room there",
}


def unwritable(path: Path, error: OSError) -> StateError:
    """Return the sentence about a file that can't be written."""
    remedy = _REMEDIES.get(error.errno or 0, "let the user of this run write there")
    return StateError(f"{path} can't be written: {error.strerror}; {remedy}")


def unreadable(path: Path, error: OSError) -> StateError:
    """Return the sentence about a file that can't be read."""
    remedy = _REMEDIES.get(error.errno or 0, "let the user of this run read it")
    return StateError(f"{path} can't be read: {error.strerror}; {remedy}")
