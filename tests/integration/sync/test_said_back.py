"""Secrets that a server says back to us, and lines that a value would make: neither is shown or kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ldap2mailcow import directory, sync
from ldap2mailcow.apply import Applied
from ldap2mailcow.model import Change, Code, Finding, Outcome
from ldap2mailcow.plan import make_plan
from tests.integration.mailcow.scripted import Asked, Say, as_json, scripted
from tests.unit.report.builders import EVIL

from .installation import Installation
from .test_secrets import Vault

OPTIONS = pytest.mark.parametrize("options", [[], ["-vv"], ["--output", "json"], ["-q"], ["--dry-run"]])


@pytest.fixture
def vault(house: Installation) -> Vault:
    return Vault(house)


def says_key(asked: Asked) -> Say:
    return as_json([{"type": "danger", "log": [], "msg": ["access_denied", f"key {asked.headers['x-api-key']}"]}])


def redirects_to_key(asked: Asked) -> Say:
    return Say(status=302, headers={"Location": f"https://{asked.headers['x-api-key']}.example.org/"})


def is_a_page_with_the_key(asked: Asked) -> Say:
    return Say(f"<p>{asked.headers['x-api-key']}</p>", status=500, content_type="text/html")


@OPTIONS
@pytest.mark.parametrize("answer", [says_key, redirects_to_key, is_a_page_with_the_key])
def test_a_key_that_mailcow_says_back_is_nowhere(
    vault: Vault, options: list[str], answer: Callable[[Asked], Say]
) -> None:
    with scripted(answer) as server:
        vault.house.config(mailcow_host=server.url)
        done = vault.house.at_clock(*options)
    assert done.code in {75, 77}
    assert vault.leaks(done.said, *vault.files()) == []


@OPTIONS
def test_a_password_that_the_directory_says_back_is_nowhere(
    vault: Vault, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    password = vault.house.slapd.reader_password

    def say(*_: object, **__: object) -> None:
        raise directory.Refused(f"ldap://x refused us: wrong password {password}")

    monkeypatch.setattr(directory, "read", say)
    done = vault.house.at_clock(*options)
    assert done.code == 77
    assert "(hidden)" in done.said
    assert vault.leaks(done.said, *vault.files()) == []


@OPTIONS
def test_a_secret_in_an_outcome_or_a_finding_is_nowhere(
    vault: Vault, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, make = f"says {vault.house.mailcow.api_key}", make_plan

    def refuse(changes: Iterable[Change], *_: object, record: Callable[[Outcome], None], **__: object) -> Applied:
        for change in changes:
            record(Outcome(change, done=False, detail=secret))
        return Applied()

    def plan(case: Any) -> Any:  # noqa: ANN401 - what the rules make
        made = make(case)
        return replace(made, findings=(*made.findings, Finding(Code.NO_MAIL, secret, secret)))

    monkeypatch.setattr(sync, "apply", refuse)
    monkeypatch.setattr(sync, "make_plan", plan)
    done = vault.house.at_clock(*options)
    assert done.code == 3
    assert vault.leaks(done.said, *vault.files()) == []
    assert "says (hidden)" in done.said or options == ["-q"]
    if not options:
        assert "no_mail  says" not in vault.house.again(minutes=5).said


def test_every_line_of_the_log_is_a_record(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a value holds: a line break in it would make a line of its own, with any time and word."""
    house.people(1)
    house.config(log_file="sync.log")
    forged = f"x\r\n2026-11-21 10:00:00,000 WARNING forged\u2028{EVIL}\x85\x0b\x0c\x1c"

    def say(*_: object, **__: object) -> None:
        sync.log.warning("a value: %s", forged)
        raise RuntimeError(forged)

    monkeypatch.setattr(directory, "read", say)
    done = house.at_clock("-vv")
    log = (house.folder / "sync.log").read_text(encoding="utf-8")
    assert "forged" in log
    for text in (done.err, log):
        assert len(text.splitlines()) == text.count("\n")
    assert all(line.startswith("20") for line in log.splitlines())


def test_a_value_in_a_sentence_about_the_config_makes_no_line(house: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "a\nWARNING forged"
    folder.mkdir()
    house.config(state_file=str(folder / "state"))
    done = house.at_clock()
    assert done.code == 78
    assert len(done.err.splitlines()) == 2
