from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directory_server import Slapd
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import DOMAIN, Installation


@pytest.fixture
def mailcow() -> Iterator[MailcowServer]:
    """A mailcow whose clock stands, with one domain."""
    with MailcowServer([DomainLimits(DOMAIN)], clock=Clock("2026-11-21 11:00:00")) as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, slapd: Slapd, mailcow: MailcowServer) -> Installation:
    """An installation with nobody in its directory."""
    return Installation(tmp_path, slapd, mailcow)
