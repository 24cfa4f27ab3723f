"""Text from LDAP or mailcow: read from bytes, made safe to show."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Control characters (terminal escapes begin with one), format characters (bidi overrides among them), lone
surrogates, private use, line and paragraph separators: Unicode general categories."""


LONGEST = 8192
"""Bytes of a value, and characters of a DN, that are looked at: far beyond all that mailcow stores."""

QUOTED = 160
"""Characters of a value that a sentence quotes."""


def decoded(value: bytes) -> str | None:
    """Return a value as text, None for one that isn't UTF-8 or is longer than LONGEST: nothing is made of it."""
    if is_too_long(value):
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def is_too_long(value: bytes | str) -> bool:
    """Tell whether a value, or a DN, is longer than LONGEST."""
    return len(value) > LONGEST


def shortened(text: str, most: int = QUOTED) -> str:
    """Return a text of about `most` characters at the most, without its middle where it is longer."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}... ({len(text) - 2 * half:,} more) ...{text[-half:]}"


def escaped(text: str) -> str:
    r"""Return text with everything that a terminal or a reader could be fooled by as `\x1b`, `\u202e` and the like."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if unicodedata.category(char) in _UNSEEN else char for char in text)


def escaped_lines(text: str) -> str:
    """Return text of several lines, each of them escaped."""
    return "\n".join(map(escaped, text.split("\n")))


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
