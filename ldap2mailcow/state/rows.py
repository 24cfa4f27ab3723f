"""Rows of the state file as values and back: one table of columns for mailboxes, one for aliases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from ldap2mailcow.model import Address, Cause, Origin, Patch, Remembered, RememberedAlias, Role, Subject

Row = TypeVar("Row", bound=Remembered | RememberedAlias)


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table whose columns are the fields of a dataclass, one row for each address."""

    name: str
    row: type[Row]
    readers: Mapping[str, Callable[[Any], Any]]
    """What makes a column's value of what sqlite holds; a column without a reader is held as it is, NULL is None."""

    def read(self, connection: sqlite3.Connection) -> dict[Address, Row]:
        """Return all rows."""
        columns = [field.name for field in fields(self.row)]
        readers = [self.readers.get(column, _as_it_is) for column in columns]
        found = connection.execute(f"SELECT {', '.join(columns)} FROM {self.name}")  # noqa: S608 - our own names
        rows = (self.row(*map(_value, readers, values)) for values in found)
        return {row.address: row for row in rows}

    def columns(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of some columns of what sqlite holds."""
        return {column: _value(self.readers.get(column, _as_it_is), value) for column, value in held.items()}

    def move(self, connection: sqlite3.Connection, former: Address, address: Address) -> None:
        """Give a row another address, whatever was known of that one; where there is no row, nothing changes."""
        update = f"UPDATE OR REPLACE {self.name} SET address = ? WHERE address = ?"  # noqa: S608 - our own name
        connection.execute(update, (address, former))

    def remember(self, connection: sqlite3.Connection, address: Address, patch: Patch | None) -> None:
        """Write a patch over a row, made first where there is none; None forgets the row, {} leaves all as it is."""
        if patch is None:
            connection.execute(f"DELETE FROM {self.name} WHERE address = ?", (address,))  # noqa: S608 - our own name
        elif patch:
            self._write(connection, address, {"address": address, **patch})

    def _write(self, connection: sqlite3.Connection, address: Address, patch: Patch) -> None:
        values = [stored(value) for value in patch.values()]
        settings = ", ".join(f"{column} = ?" for column in patch)
        update = f"UPDATE {self.name} SET {settings} WHERE address = ?"  # noqa: S608 - our own names
        if connection.execute(update, (*values, address)).rowcount:
            return
        columns, marks = ", ".join(patch), ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {self.name} ({columns}) VALUES ({marks})", values)  # noqa: S608 - our own names


def stored(value: object) -> object:
    """Return a value as sqlite holds it: mappings and sets as JSON, sorted; moments in ISO 8601, to the second."""
    match value:
        case Mapping():
            return json.dumps(dict(value), sort_keys=True)
        case AbstractSet() | tuple():
            return json.dumps(sorted(set(value)))
        case datetime():
            return value.isoformat(timespec="seconds")
        case Enum():
            return value.value
        case _:
            return value


def _value(reader: Callable[[Any], Any], held: object) -> Any:  # noqa: ANN401 - of the column's type
    return None if held is None else reader(held)


def _as_it_is(held: object) -> object:
    return held


def _set(held: str) -> frozenset[str]:
    return frozenset(json.loads(held))


_IN_BOTH: Mapping[str, Callable[[Any], Any]] = {
    "address": Address,
    "origin": Origin,
    "applied": json.loads,
    "missing_since": datetime.fromisoformat,
    "last_missed": datetime.fromisoformat,
}
MAILBOXES = Table(
    Subject.MAILBOX.value,
    Remembered,
    {
        **_IN_BOTH,
        "kept": bool,
        "disabled": Cause,
        "retired_since": datetime.fromisoformat,
        "present": _set,
        "senders": _set,
        "foreign_senders": _set,
        "senders_checked": datetime.fromisoformat,
    },
)
ALIASES = Table(Subject.ALIAS.value, RememberedAlias, {**_IN_BOTH, "role": Role, "disabled": bool})
TABLES: Mapping[Subject, Table[Any]] = {Subject.MAILBOX: MAILBOXES, Subject.ALIAS: ALIASES}
