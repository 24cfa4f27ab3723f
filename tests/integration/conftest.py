"""Servers that the integration tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.directory_server import Slapd


@pytest.fixture(scope="session")
def shared_slapd() -> Iterator[Slapd]:
    with Slapd() as server:
        yield server


@pytest.fixture
def slapd(shared_slapd: Slapd) -> Iterator[Slapd]:
    """Give the session's slapd, empty but for its reader; what a test adds is gone after it."""
    yield shared_slapd
    shared_slapd.clear()
