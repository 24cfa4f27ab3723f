"""A thousand people: what a run costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directory_server import Slapd, ldif, person
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import DOMAIN, Installation, address

PEOPLE = range(1, 1001)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Installation]:
    """An installation with a thousand people, whom mailcow doesn't know yet."""
    limits = DomainLimits(DOMAIN, mailboxes=2000, quota=10_000_000)
    with Slapd() as slapd, MailcowServer([limits], clock=Clock("2026-11-21 11:00:00")) as mailcow:
        slapd.load(ldif(person(number) for number in PEOPLE))
        yield Installation(tmp_path, slapd, mailcow)


def test_a_thousand_mailboxes_are_made_once_and_then_left_in_peace(crowd: Installation) -> None:
    assert crowd.run().code == 0
    made = [write.items for write in crowd.mailcow.log.writes()]
    assert len(made) == len(set(made)) == len(PEOPLE)
    assert {address(number) for number in PEOPLE} == crowd.mailcow.state.mailboxes.keys()
    crowd.mailcow.log.clear()

    second = crowd.run()
    assert (second.code, second.said) == (0, "")
    asked = [request.path for request in crowd.mailcow.log]
    assert asked == ["get/domain/all", f"get/mailbox/reduced/{DOMAIN}"]


def test_one_change_among_a_thousand_is_one_write(crowd: Installation) -> None:
    crowd.run()
    crowd.mailcow.log.clear()
    crowd.change(500, givenName="Zoë")
    crowd.run()
    assert [(write.path, write.items) for write in crowd.mailcow.log.writes()] == [("edit/mailbox", (address(500),))]
    assert len(crowd.mailcow.log) == 3
