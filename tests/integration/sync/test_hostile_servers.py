"""A run against servers that are hostile or broken: 75 and a sentence, whatever they do, and nothing is written."""

from __future__ import annotations

import pytest

from tests.directory_server.scripted import Done, Found, Reply, ScriptedServer
from tests.integration.mailcow.scripted import Answer, Say, by_path, in_turn, scripted

from .installation import Installation

MAIL = {"mail": [b"anna@example.org"]}


@pytest.mark.parametrize(
    ("replies", "sentence"),
    [
        ([Found("uid=anna,dc=example,dc=org", MAIL), Done(page=b"")], "sends what is not LDAP"),
        ([Found("uid=\udcff,dc=example,dc=org", MAIL), Done()], "sends what is not LDAP"),
        ([Found("uid=anna", MAIL), Found("uid=bert", MAIL), Done(cookie=b"more")], "more than 3 entries"),
    ],
)
def test_a_directory_that_is_no_directory(house: Installation, replies: list[Reply], sentence: str) -> None:
    with ScriptedServer(lambda _: replies) as server:
        house.config(ldap__uri=server.uri, ldap__max_entries=3)
        done = house.run()
    assert done.code == 75
    assert sentence in done.said
    assert "Traceback" not in done.said
    assert house.writes() == []


@pytest.mark.parametrize(
    "answer",
    [
        in_turn(Say("[" * 100_000)),
        in_turn(Say(r'["\ud800"]')),
        in_turn(Say(status=302, headers={"Location": "javascript:alert(1)"})),
        in_turn(Say("{}", headers={"Content-Encoding": "gzip, gzip"})),
        by_path({"get/domain/all": [{"domain_name": "../../x"}]}),
    ],
)
def test_a_mailcow_that_is_no_mailcow(house: Installation, answer: Answer) -> None:
    house.people(1)
    with scripted(answer) as server:
        house.config(mailcow_host=server.url)
        done = house.run()
    assert done.code == 75
    assert "mailcow" in done.said
    assert "Traceback" not in done.said
    assert not [asked for asked in server.asked if asked.method == "POST"]
