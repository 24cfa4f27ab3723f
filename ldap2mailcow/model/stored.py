"""How mailcow stores each kind of value: text from an entry becomes that, or an error, never a guess."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_CEILING, Decimal

MIB = 1024 * 1024

_NAME_MAX = 255  # characters in mailcow's column; beyond, the call ends in an empty answer (docs/mailcow-api.md 4)
_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})
_QUOTA = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(?:i?b)?)", re.IGNORECASE)
_QUOTA_MAX_MIB = 2**63 // MIB - 1  # mailcow keeps bytes in a signed 64-bit column
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class UnusableValueError(ValueError):
    """A value that can't be used; the message is the end of a sentence about it and doesn't quote it."""


def read_flag(text: str) -> int:
    """Read 1/0, TRUE/FALSE, yes/no in any case.

    Raises UnusableValueError for anything else.
    """
    word = text.strip().lower()
    if word in _TRUE:
        return 1
    if word in _FALSE:
        return 0
    raise UnusableValueError("is none of 1, 0, TRUE, FALSE, yes, no")


def read_quota(text: str) -> int:
    """Read a quota with its unit and return MiB, rounded up; 0 is 0, which mailcow takes as unlimited.

    A suffix (`500M`, `2G`, `2 GiB`, `512 B`) counts in powers of 1024; a bare number counts in MiB.
    Rounding up matters: 0.4 MiB rounded down would be unlimited.

    Raises UnusableValueError for what isn't a number from 0 on.
    """
    match = _QUOTA.fullmatch(text.strip())
    if not match:
        raise UnusableValueError("is not a number from 0 on, with a suffix such as M or G or without one")
    number, suffix = Decimal(match[1]), match[2].lower()
    has_suffix = text.strip()[-1:].isalpha()
    size = 1024 ** _POWERS[suffix] if has_suffix else MIB
    # Too much in any unit goes first: Decimal raises over an integral value of more digits than its precision.
    if number > _QUOTA_MAX_MIB * MIB or (mib := number * size / MIB) > _QUOTA_MAX_MIB:
        raise UnusableValueError("is larger than mailcow can store")
    return int(mib.to_integral_value(ROUND_CEILING))


def read_name(text: str) -> str:
    """Return a display name as mailcow stores it: single blanks, no blanks around, no `<` or `>` around.

    Raises UnusableValueError for a name that is too long or has control characters; an empty one comes back empty.
    """
    name = " ".join(text.split()).strip("<> ")
    if len(name) > _NAME_MAX:
        raise UnusableValueError(f"has more than {_NAME_MAX} characters")
    if name == "0":
        raise UnusableValueError("is 0, which mailcow takes for none")
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise UnusableValueError("has control characters")
    return name
