from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.counting import CASES, STORIES
from tests.directory_server import Slapd
from tests.integration.sync.installation import DOMAIN, Installation
from tests.mailcow_server import DomainLimits, MailcowServer

from .world import TickingClock


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """Count the cases of the fault matrix by their row; told at the end of the tests."""
    counter = Counter[str]()
    yield counter
    record_property(CASES, dict(counter))


@pytest.fixture
def stories(record_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """Count the stories of the model, and the runs of the command in them; told at the end of the tests."""
    counter = Counter[str]()
    yield counter
    record_property(STORIES, dict(counter))


@pytest.fixture(scope="session")
def shared_slapd() -> Iterator[Slapd]:
    with Slapd() as server:
        yield server


@pytest.fixture
def slapd(shared_slapd: Slapd) -> Iterator[Slapd]:
    """Give the session's slapd, empty but for its reader; what a test adds is gone after it."""
    yield shared_slapd
    shared_slapd.clear()


@pytest.fixture
def mailcow() -> Iterator[MailcowServer]:
    with MailcowServer([DomainLimits(DOMAIN)], clock=TickingClock()) as server:
        yield server


@pytest.fixture
def undisturbed() -> Iterator[MailcowServer]:
    """Another mailcow, to which nothing happens."""
    with MailcowServer([DomainLimits(DOMAIN)], clock=TickingClock()) as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, slapd: Slapd, mailcow: MailcowServer) -> Installation:
    """An installation with nobody in its directory."""
    (tmp_path / "disturbed").mkdir()
    return Installation(tmp_path / "disturbed", slapd, mailcow)


@pytest.fixture
def twin(tmp_path: Path, slapd: Slapd, undisturbed: MailcowServer) -> Installation:
    """An installation with the same directory and another mailcow."""
    (tmp_path / "undisturbed").mkdir()
    return Installation(tmp_path / "undisturbed", slapd, undisturbed)
