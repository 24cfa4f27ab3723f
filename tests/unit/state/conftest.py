"""An open state file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ldap2mailcow.state import State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The place of a state file that isn't there yet."""
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[State]:
    with State.open(path) as opened:
        yield opened
