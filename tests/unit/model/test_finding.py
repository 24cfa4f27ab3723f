"""Findings: each has a level, from one table."""

from __future__ import annotations

import pytest

from ldap2mailcow.model import LEVELS, Code, Finding, Level, Say


def test_every_code_has_a_level() -> None:
    assert set(LEVELS) == set(Code)


def test_a_finding_has_the_level_of_its_code() -> None:
    assert Finding(Code.NO_MAIL, "uid=ann", "it has no mail").level is Level.WARNING


@pytest.mark.parametrize(
    ("code", "level"),
    [
        (Code.ADDRESS_LOST, Level.ERROR),
        (Code.STATUS_UNTOLD, Level.WARNING),
        (Code.IDS_REPLACED, Level.WARNING),
    ],
)
def test_who_is_not_served_is_an_error_and_what_is_worth_a_look_is_not(code: Code, level: Level) -> None:
    assert LEVELS[code] is level


def test_codes_are_words_that_a_config_can_hold() -> None:
    assert all(code.replace("_", "").isalnum() and code.islower() for code in Code)


def test_what_a_finding_quotes_is_never_long() -> None:
    """It goes into cron's mail, the JSON and the state file; a value of the directory may have megabytes."""
    long = "x" * 10_000_000
    found = Finding(Code.NO_MAIL, f"uid={long},dc=example", f"it has {long}; correct it")
    said = Say.ALIAS_IS_MAILBOX.at(long, address=long, box=long)

    assert len(found.where) < 500
    assert len(found.sentence) < 2_000
    assert found.sentence.endswith("; correct it")
    assert len(said.sentence) < 2_000
    assert said.sentence.endswith("move the mailbox away")
