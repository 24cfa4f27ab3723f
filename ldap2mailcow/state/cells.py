"""What a cell of the state file can hold: each reader returns its value, or raises ValueError for damage.

sqlite sees a flipped bit in the middle of a text no more than we see one in a name; but whatever is read from here has
the type and the range that the rules count on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from ldap2mailcow.model import Address

Reader = Callable[[Any], Any]

_YEARS = range(1970, 9000)  # with room for adding what a config can ask for
_ATTRIBUTE = re.compile(r"[A-Za-z0-9.-]+")


def text(cell: object) -> str:
    """Read a text."""
    if not isinstance(cell, str):
        raise ValueError("not a text")  # noqa: TRY004 - damage is one kind of error
    cell.encode()  # half of a character can't be sent, shown or written
    return cell


def optional(reader: Reader) -> Reader:
    """Make the reader of a cell that may be empty."""
    return lambda cell: None if cell is None else reader(cell)


def number(lowest: int, highest: int) -> Callable[[object], int]:
    """Make the reader of a whole number in a range, both ends included."""

    def read(cell: object) -> int:
        if not isinstance(cell, int) or not lowest <= cell <= highest:
            raise ValueError("not in its range")
        return cell

    return read


def flag(cell: object) -> bool:
    """Read a flag."""
    return bool(number(0, 1)(cell))


def address(cell: object) -> Address:
    """Read an address, that of a catch-all too."""
    found = text(cell)
    if "@" not in found or not found.isprintable():
        raise ValueError("not an address")
    return Address(found)


def moment(cell: object) -> datetime:
    """Read a moment, with its zone."""
    found = datetime.fromisoformat(text(cell))
    if found.tzinfo is None or found.year not in _YEARS:
        raise ValueError("not a moment of ours")
    return found


def attribute(cell: object) -> str:
    """Read the name of an LDAP attribute."""
    found = text(cell)
    if not _ATTRIBUTE.fullmatch(found):
        raise ValueError("not the name of an attribute")
    return found


_integer = number(-(2**63), 2**63 - 1)


def value(cell: object) -> str | int:
    """Read a value of an attribute, as mailcow stores it."""
    return _integer(cell) if isinstance(cell, int) else text(cell)


def values(cell: object) -> dict[str, str | int]:
    """Read a JSON object whose values are those of attributes."""
    return {text(key): value(one) for key, one in _of_json(cell, dict).items()}


def texts(cell: object) -> dict[str, str]:
    """Read a JSON object of texts."""
    return {text(key): text(one) for key, one in _of_json(cell, dict).items()}


@lru_cache  # most rows have the same few
def words(cell: object) -> frozenset[str]:
    """Read a JSON list of texts."""
    return frozenset(map(text, _of_json(cell, list)))


def _of_json(cell: object, kind: type) -> Any:  # noqa: ANN401 - of that kind
    found = json.loads(text(cell))
    if not isinstance(found, kind):
        raise ValueError("another kind of JSON")  # noqa: TRY004 - damage is one kind of error
    return found
