"""The table of mailcow's codes: sentences with a remedy, and what is certain."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldap2mailcow.mailcow.codes import BESIDE_HALF, BESIDE_SUCCESS, CODES, ENDS_THE_CALL, SHOWN, meaning, plain
from ldap2mailcow.model import escaped


def test_a_known_code_becomes_a_sentence_with_its_arguments() -> None:
    said = meaning("max_mailbox_exceeded", (6, 6))
    assert said.sentence.startswith("the domain has 6 of its 6 mailboxes; raise")
    assert said.certain


def test_an_argument_that_did_not_come_is_said_to_be_missing() -> None:
    assert "(not told)" in meaning("is_alias").sentence


def test_an_argument_is_never_taken_for_a_place() -> None:
    assert "{1} of its 7" in meaning("max_mailbox_exceeded", ("{1}", 7)).sentence


def test_an_unknown_code_is_shown_as_it_is_and_is_certain() -> None:
    said = meaning("something_new", ("ann@example.org", None))
    assert said.sentence == "mailcow says: something_new, ann@example.org, None"
    assert said.certain


@pytest.mark.parametrize(
    "text",
    [
        "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock; try again",
        "SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded; try restarting transaction",
    ],
)
def test_a_busy_database_leaves_the_outcome_open(text: str) -> None:
    said = meaning(text)
    assert "busy" in said.sentence
    assert not said.certain


@pytest.mark.parametrize(
    "text", ["SQLSTATE[23000]: Duplicate entry", "mysql_error", "redis_error", "", "Task completed"]
)
def test_what_does_not_come_from_a_check_before_the_write_is_not_certain(text: str) -> None:
    assert not meaning(text).certain


def test_control_and_bidi_characters_are_escaped() -> None:
    assert plain("a\x1b[31m\n\u202eb") == "a\\x1b[31m\\n\\u202eb"


@given(st.text())
def test_what_is_shown_is_escaped_and_short(text: str) -> None:
    shown = plain(text)
    assert shown == escaped(shown)
    assert shown.startswith(escaped(text)[:SHOWN])
    assert len(shown) <= SHOWN + 1


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_sentence_fits_the_others(code: str) -> None:
    """One line, no full stop, at most two arguments: it stands behind an address in a report."""
    sentence = CODES[code].sentence
    assert sentence == sentence.strip()
    assert not sentence.endswith(".")
    assert set(re.findall(r"\{(.*?)\}", sentence)) <= {"0", "1"}


def test_what_may_stand_beside_a_success_is_in_the_table() -> None:
    assert CODES.keys() >= BESIDE_SUCCESS | BESIDE_HALF
    assert not BESIDE_SUCCESS & BESIDE_HALF


def test_what_ends_a_call_is_in_the_table_and_certain() -> None:
    assert CODES.keys() >= ENDS_THE_CALL
    assert all(CODES[code].certain for code in ENDS_THE_CALL)


def test_a_code_may_mean_something_else_at_one_endpoint() -> None:
    assert "mailbox" in meaning("access_denied").sentence
    gone = meaning("access_denied", endpoint="delete/alias")
    assert "no such alias" in gone.sentence
    assert not gone.certain
    assert meaning("access_denied", endpoint="edit/mailbox") == meaning("access_denied")
