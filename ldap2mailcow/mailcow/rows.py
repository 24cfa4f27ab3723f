"""Rows: what is common to all of mailcow's lists, whose form is checked before anything is taken from them.

mailcow writes 'nothing' as `{}` or `[]`, and numbers as numbers or as texts (docs/mailcow-api.md sections 0 and 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from .errors import Unreadable

Row = Mapping[str, object]

_LARGEST = 2**63 - 1  # of MySQL's BIGINT, and of sqlite's numbers


def rows_of(answer: object, what: str) -> Iterator[Row]:
    """Return the rows of a list; an empty one is `[]` or `{}`. Raises Unreadable for what is no list of objects."""
    if answer == {}:
        return
    if not isinstance(answer, list):
        raise Unreadable(f"mailcow's list of {what} is not a list; is this version of mailcow supported?")
    for row in answer:
        yield row_of(row, what)


def row_of(answer: object, what: str) -> Row:
    """Return one object; an empty one is `{}` or `[]`. Raises Unreadable for what is no object."""
    if answer == []:
        return {}
    if not isinstance(answer, Mapping):
        raise Unreadable(f"mailcow's answer about {what} is not an object; is this version of mailcow supported?")
    return cast("Row", answer)


def text_in(row: Row, field: str) -> str:
    """Return a text. Raises Unreadable for anything else."""
    value = row.get(field)
    if not isinstance(value, str):
        raise unreadable(field, value)
    return value


def texts_in(row: Row, field: str) -> frozenset[str]:
    """Return a list of texts. Raises Unreadable for anything else."""
    values = row.get(field)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise unreadable(field, values)
    return frozenset(values)


def number_in(row: Row, field: str) -> int:
    """Return a whole number, which mailcow writes as one or as text. Raises Unreadable for anything else."""
    number = whole_number(row.get(field))
    if number is None:
        raise unreadable(field, row.get(field))
    return number


def whole_number(value: object) -> int | None:
    """Return a number that mailcow writes as one or as text; None for anything else, or beyond its database's."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if abs(number) <= _LARGEST else None


def unreadable(field: str, value: object) -> Unreadable:
    """Return the error for a field of another form; the value itself may be a secret and isn't told."""
    kind = "missing" if value is None else f"a {type(value).__name__}"
    return Unreadable(f"a row of mailcow's has an odd {field} ({kind}); is this version of mailcow supported?")
