"""Filters that an entry of the directory holds (RFC 4515): read, checked, and written anew.

Such a filter runs with the rights of the bind DN, and whether it finds anything can be seen from outside: a comparison
with an attribute that its author may not read tells that attribute, bit by bit. So it may compare with attributes of a
short list only, and what is sent is written from what was understood: it can't mean anything else to the server.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection

DEEPEST = 10
"""How far a filter may be nested."""
MOST = 50
"""How many comparisons it may have."""

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+")  # no options, no matching rules
_OPERATOR = re.compile(r"[~<>]?=")
_PART = re.compile(r"(?:[^()*\\\0]|\\[0-9a-fA-F]{2})*")
_PLAIN = frozenset(string.ascii_letters + string.digits)


def checked(text: str, allowed: Collection[str]) -> str:
    """Return a filter written anew, which compares with `allowed` attributes (lower-case names) only.

    Raises ValueError, which says what is wrong with it.
    """
    return _Filter(text, allowed).read()


class _Filter:
    """Reads from the left to the right; `position` is how far it got."""

    def __init__(self, text: str, allowed: Collection[str]) -> None:
        self.text, self.allowed = text, allowed
        self.position = self.comparisons = 0

    def read(self) -> str:
        whole = self.one(depth=1)
        if self.position < len(self.text):
            raise ValueError("its filter goes on after its end")
        return whole

    def one(self, depth: int) -> str:
        """Read one filter in its brackets."""
        if depth > DEEPEST:
            raise ValueError(f"its filter is nested more than {DEEPEST} deep")
        self.expect("(")
        sign = self.text[self.position : self.position + 1]
        if sign in {"&", "|", "!"}:
            self.position += 1
            found = sign + (self.one(depth + 1) if sign == "!" else self.several(depth + 1))
        else:
            found = self.comparison()
        self.expect(")")
        return f"({found})"

    def several(self, depth: int) -> str:
        found = self.one(depth)
        while self.text.startswith("(", self.position):
            found += self.one(depth)
        return found

    def comparison(self) -> str:
        self.comparisons += 1
        if self.comparisons > MOST:
            raise ValueError(f"its filter has more than {MOST} comparisons")
        attribute, operator = self.take(_ATTRIBUTE), self.take(_OPERATOR)
        if not attribute or not operator:
            raise ValueError("its filter compares in another way than attribute=value and the like")
        if attribute.lower() not in self.allowed:
            raise ValueError(f"its filter asks for {attribute}, and may ask for {', '.join(sorted(self.allowed))} only")
        parts = [self.take(_PART)]
        while operator == "=" and self.text.startswith("*", self.position):
            self.position += 1
            parts.append(self.take(_PART))
        return f"{attribute}{operator}{'*'.join(map(_written, parts))}"

    def take(self, pattern: re.Pattern[str]) -> str:
        """Take what a pattern matches here; "" where it doesn't match."""
        found = pattern.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[0]

    def expect(self, sign: str) -> None:
        if not self.text.startswith(sign, self.position):
            raise ValueError(f"its filter has no {sign!r} at character {self.position + 1}")
        self.position += 1


def _written(part: str) -> str:
    """Return a part of a value with everything escaped that isn't a letter or a digit of ASCII."""
    octets = re.sub(rb"\\(..)", lambda found: bytes.fromhex(found[1].decode()), part.encode())
    return "".join(chr(octet) if chr(octet) in _PLAIN else f"\\{octet:02x}" for octet in octets)
