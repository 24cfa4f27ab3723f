from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from ldap2mailcow.mailcow import Mailcow
from tests.mailcow_server import MailcowServer
from tests.unit.plan.builders import DOMAIN, make_config


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries happen, their waits don't."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[MailcowServer]:
    with MailcowServer([DOMAIN]) as server:
        yield server


@pytest.fixture
def client(server: MailcowServer) -> Iterator[Mailcow]:
    config = make_config(mailcow_host=server.url, mailcow_api_key=server.api_key)
    with Mailcow.connect(config) as client:
        yield client
