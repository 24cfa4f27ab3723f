"""Options to name a real server, and the place in which each case runs."""

from collections.abc import Iterator

import pytest

from tests.mailcow_server import Clock, MailcowServer

from .client import Client
from .endpoints import endpoint_of
from .place import Place

MOST_MAILBOXES = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mailcow")
    group.addoption("--mailcow-url", help="a real mailcow to hold the cases against")
    group.addoption("--mailcow-api-key", help="its key that may write")
    group.addoption("--mailcow-read-only-key", help="its key that may only read")
    group.addoption(
        "--i-accept-address-book-rebuilds", action="store_true", help="each write may block that server for a while"
    )


@pytest.fixture(scope="session")
def real_server(pytestconfig: pytest.Config) -> tuple[str, str, str | None] | None:
    """URL and keys of a real server that may be used, None for the stand-in."""
    url = pytestconfig.getoption("--mailcow-url", default=None)
    key = pytestconfig.getoption("--mailcow-api-key", default=None)
    if url is None:
        return None
    if key is None:
        pytest.exit("--mailcow-url needs --mailcow-api-key", returncode=4)
    if not pytestconfig.getoption("--i-accept-address-book-rebuilds", default=False):
        pytest.exit("the cases write; say --i-accept-address-book-rebuilds", returncode=4)
    client = Client(url, key)
    domains = client.get("get/domain/all").json or []
    client.close()
    mailboxes = sum(domain["mboxes_in_domain"] for domain in domains)
    if mailboxes > MOST_MAILBOXES:
        pytest.exit(f"{mailboxes} mailboxes there; the cases are for servers with up to {MOST_MAILBOXES}", returncode=4)
    return url, key, pytestconfig.getoption("--mailcow-read-only-key", default=None)


@pytest.fixture(scope="session")
def shared_stand_in() -> Iterator[MailcowServer]:
    """One stand-in for all cases; each makes domains of its own there."""
    with MailcowServer(clock=Clock("2026-11-21 01:00:40")) as server:
        yield server


@pytest.fixture
def place(
    request: pytest.FixtureRequest,
    real_server: tuple[str, str, str | None] | None,
) -> Iterator[Place]:
    """A server for one case; checks that the case called what it says it exercises, and removes what it made."""
    stand_in = None
    if real_server is None:
        stand_in = request.getfixturevalue("shared_stand_in")
        url, key, read_only_key = stand_in.url, stand_in.api_key, stand_in.read_only_key
    else:
        url, key, read_only_key = real_server
    api = Client(url, key)
    reader = None if read_only_key is None else Client(url, read_only_key)
    place = Place(api, reader, stand_in)
    yield place
    called = place.paths()
    place.clean_up()
    place.close()
    if called or real_server is None:  # a case that is not for a real server asks it nothing
        check_exercised(request, called)


@pytest.fixture
def own_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A stand-in of the case's own, hosting example.org, also when a real server is named."""
    with MailcowServer(["example.org"]) as server:
        place = Place(Client(server.url, server.api_key), None, server)
        yield place
        place.close()
        check_exercised(request, place.paths())


def check_exercised(request: pytest.FixtureRequest, paths: list[str]) -> None:
    """Fail a case that does not call what it says it exercises."""
    assert set(vars(request.function).get("endpoints", ())) <= {endpoint_of(path) for path in paths}


@pytest.fixture
def nobody(place: Place, real_server: tuple[str, str, str | None] | None) -> Iterator[Client]:
    """A client without a key."""
    stand_in_url = "" if place.stand_in is None else place.stand_in.url
    client = Client(stand_in_url if real_server is None else real_server[0], None)
    yield client
    client.close()
