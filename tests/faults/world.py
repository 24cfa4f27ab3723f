"""What the tests of faults compare: everything that mailcow holds, but for times and numbers."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tests.mailcow_server import Clock, MailcowServer

_TIMES = frozenset({"created", "modified", "passwd_update", "id", "recovery_email"})
"""`recovery_email` too: mailcow writes the key, without a value, at a mailbox's first edit."""


_MEMORY = Path("/dev/shm")  # noqa: S108 - only tests' own folders in it


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Give an empty folder; a state file in it costs no waiting for a disk, where the machine has such a place."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as path:
        yield Path(path)


class TickingClock(Clock):
    """Goes on by a second each time that somebody looks: what was written later has a later stamp."""

    def __init__(self) -> None:
        super().__init__("2026-11-21 11:00:00")

    def now(self) -> str:
        self.advance(1)
        return super().now()


def contents(mailcow: MailcowServer) -> dict[str, Any]:
    """Return what a mailcow holds; aliases by their address, since their numbers follow the order of events."""
    found = cast("dict[str, Any]", mailcow.snapshot())
    mailboxes = {name: _timeless(row) for name, row in found["mailboxes"].items()}
    for row in mailboxes.values():
        row["tags"] = sorted(row["tags"])
    return {"mailboxes": mailboxes, "aliases": {row["address"]: _timeless(row) for row in found["aliases"].values()}}


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _timeless(value) if isinstance(value, dict) else value
        for name, value in row.items()
        if name not in _TIMES
    }


def made_twice(mailcow: MailcowServer) -> list[str]:
    """Return the mailboxes that were created more than once, by what mailcow did and by what it was asked and took."""
    made = Counter(write.items[-1] for write in mailcow.log.writes("add/mailbox") if "mailbox_added" in write.codes)
    return [name for name, times in made.items() if times > 1]


def last_words(mailcow: MailcowServer) -> None:
    """Let mailcow end what a dead client had sent: the connections are closed, so their threads come to an end."""
    for thread in list(mailcow._listener._connections):
        thread.join()
