"""Nothing from LDAP or mailcow reaches a terminal that isn't seen as what it is."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.model import LONGEST, decoded, escaped, escaped_lines, hiding, shortened
from tests.unit.report.builders import EVIL, EVIL_SHOWN


@pytest.mark.parametrize(("value", "text"), [(b"", ""), (" Änn ".encode(), " Änn "), (b"\xff", None), (b"\xc3", None)])
def test_bytes_are_text_only_if_they_are_utf8(value: bytes, text: str | None) -> None:
    assert decoded(value) == text


@pytest.mark.parametrize("text", ["", "Ann Other", "uid=ann,dc=example", "Änn Öther", "李 明", "a\\b", "a\u00a0b"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[2J", "\\x1b[2J", id="terminal escape"),
        pytest.param("\x9b2J", "\\x9b2J", id="the one-character escape"),
        pytest.param("a\nb\r", "a\\nb\\r", id="line ends"),
        pytest.param("\0\x7f", "\\x00\\x7f", id="NUL and DEL"),
        pytest.param("\u202e\u2066", "\\u202e\\u2066", id="bidi override and isolate"),
        pytest.param("a\u200db\ufeff", "a\\u200db\\ufeff", id="characters of no width"),
        pytest.param("a\u2028b\u2029", "a\\u2028b\\u2029", id="line and paragraph separators"),
        pytest.param("\ud800", "\\ud800", id="half a character"),
        pytest.param("\ue000", "\\ue000", id="private use"),
        pytest.param("\U000e0041", "\\U000e0041", id="tag character"),
        pytest.param(EVIL, EVIL_SHOWN, id="all together"),
    ],
)
def test_what_fools_a_terminal_or_a_reader_is_shown_by_its_number(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_lines_stay_lines_where_they_are_meant() -> None:
    assert escaped_lines("first\x1b\nsecond\u202e") == "first\\x1b\nsecond\\u202e"


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text(alphabet=st.characters()))
def test_no_text_gets_a_control_or_format_character_through(text: str) -> None:
    shown = escaped(text)
    assert {unicodedata.category(char) for char in shown}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


def test_a_value_that_is_too_long_is_no_text() -> None:
    assert decoded(b"a" * LONGEST) == "a" * LONGEST
    assert decoded(b"a" * (LONGEST + 1)) is None


def test_a_long_text_keeps_its_ends() -> None:
    assert shortened("a" * 80 + "b" * 80) == "a" * 80 + "b" * 80
    assert shortened("a" * 80 + "x" * 8_000 + "b" * 80) == f"{'a' * 80}... (8,000 more) ...{'b' * 80}"


# secrets


SECRET = 'S3cr&t/of "älter" \\ people+key'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        escaped(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        html.escape(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.lower(),
        SECRET[:8] + "…",
        SECRET[:20] + "…",
    ],
)
def test_a_secret_is_blanked_in_every_form_that_it_is_said_back_in(form: str) -> None:
    hidden = hiding((SECRET, "another-one"))(f"the server says: {form}, and another-one")
    assert hidden.replace('"', "").replace("'", "") == "the server says: (hidden)" + ("…" if "…" in form else "") + (
        ", and (hidden)"
    )


def test_a_short_secret_is_blanked_where_it_stands_alone() -> None:
    assert hiding(("person",))("person: personal e-person persons") == "(hidden): personal e-(hidden) persons"


def test_a_secret_of_five_letters_is_none() -> None:
    assert hiding(("wrong", ""))("it is wrong") == "it is wrong"
    assert hiding(())("abc") == "abc"


def test_a_secret_without_end_is_blanked_whole() -> None:
    assert hiding(("k" * 5000,))("k" * 5000 + "!") == "(hidden)!"
