"""The straight road: what is in the directory comes to be in mailcow, once, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mailcow_server import MailcowServer

from .installation import Installation, address, attributes_of, paths

SSHA = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"
OTHER_SSHA = "{SSHA}r1NBy3jzPDHtP3cQp8CY4Xf0p0lcmVEe"


def holdings(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def by_hand(mailcow: MailcowServer, number: int, password: str = OTHER_SSHA) -> None:
    """Make a mailbox as mailcow's administrator does."""
    mailcow.state.insert_mailbox(_row(mailcow, number, password))


def _row(mailcow: MailcowServer, number: int, password: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    raise NotImplementedError(mailcow, number, password)
