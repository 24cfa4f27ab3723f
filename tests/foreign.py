"""A file of another user, whether the tests are root's or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ANOTHER = 4711


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file belong to another user than the one who runs the tests.

    Only root can give files away; without root the user of this process is taken for another one, and then every file
    of the tests belongs to another user.
    """
    if os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: ANOTHER)
    else:
        os.chown(path, ANOTHER, -1, follow_symlinks=False)
