"""Rows: what is common to all of mailcow's lists, whose form is checked before anything is taken from them.

mailcow writes 'nothing' as `{}` or `[]`, and numbers as numbers or as texts (docs/mailcow-api.md sections 0 and 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from .errors import Unreadable

Row = Mapping[str, object]


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


def number_in(row: Row, field: str) -> int:
    """Return a whole number, which mailcow writes as one or as text. Raises Unreadable for anything else."""
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise unreadable(field, value)
    try:
        return int(value)
    except ValueError:
        raise unreadable(field, value) from None


def unreadable(field: str, value: object) -> Unreadable:
    """Return the error for a field of another form; the value itself may be a secret and isn't told."""
    kind = "missing" if value is None else f"a {type(value).__name__}"
    return Unreadable(f"a row of mailcow's has an odd {field} ({kind}); is this version of mailcow supported?")
