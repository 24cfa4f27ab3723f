"""Text from LDAP or mailcow: read from bytes, made safe to show."""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from collections.abc import Callable
from itertools import takewhile
from urllib.parse import quote, quote_plus

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


_HIDDEN = "(hidden)"
_SHORT = 8
"""Letters of a secret that are blanked though the rest isn't there, since texts are cut; what is shorter is blanked
only where it stands alone: a weak password would blank half of all words."""
_LEAST = 6
"""What has fewer letters is no secret, and may be a word of ours."""


def hiding(secrets: tuple[str, ...]) -> Callable[[str], str]:
    """Return what blanks secrets in a text, in whatever form a server says them back, or we show that."""
    forms = {form for secret in secrets if len(secret) >= _LEAST for form in _forms(secret)}
    beginnings = {_beginning(form) for form in forms}
    if not beginnings:
        return str
    found = re.compile("|".join(sorted(beginnings, key=len, reverse=True)), re.IGNORECASE)

    def hide(text: str) -> str:
        shown, place = "", 0
        for match in found.finditer(text):
            if match.start() >= place:
                shown += text[place : match.start()] + _HIDDEN
                rest = text[match.start() :]
                place = max(match.end(), *(match.start() + _in_common(form, rest) for form in forms))
        return shown + text[place:]

    return hide


def _beginning(form: str) -> str:
    return re.escape(form[:_SHORT]) if len(form) >= _SHORT else rf"(?<!\w){re.escape(form)}(?!\w)"


def _in_common(form: str, text: str) -> int:
    """Return how many letters two texts begin with in common, small or large: a host name comes back in small ones."""
    return sum(1 for _ in takewhile(lambda pair: pair[0].lower() == pair[1].lower(), zip(form, text, strict=False)))


def _forms(secret: str) -> set[str]:
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    in_urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_base64 = base64.b64encode(secret.encode()).decode()
    return {secret, escaped(secret), repr(secret)[1:-1], html.escape(secret), in_base64, *in_json, *in_urls}


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
