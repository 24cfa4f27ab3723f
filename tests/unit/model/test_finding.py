"""Findings: each has a level, from one table."""

from __future__ import annotations

from ldap2mailcow.model import LEVELS, Code, Finding, Level


def test_every_code_has_a_level() -> None:
    assert set(LEVELS) == set(Code)


def test_a_finding_has_the_level_of_its_code() -> None:
    assert Finding(Code.NO_MAIL, "uid=ann", "it has no mail").level is Level.WARNING


def test_codes_are_words_that_a_config_can_hold() -> None:
    assert all(code.replace("_", "").isalnum() and code.islower() for code in Code)
