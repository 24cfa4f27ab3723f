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
    """What makes a column's value of what sqlite has; a column without a reader is kept as it is, NULL is None."""

    def read(self, connection: sqlite3.Connection) -> dict[Address, Row]:
        """Return all rows."""
        readers = [self.readers.get(column, _as_it_is) for column in self._columns]
        found = connection.execute(f"SELECT {', '.join(self._columns)} FROM {self.name}")  # noqa: S608 - our own names
        rows = (self.row(*map(value_of, cells, readers)) for cells in found)
        return {row.address: row for row in rows}

    def patch(self, cells: Mapping[str, Any]) -> Patch:
        """Return a patch that was stored as JSON, without the columns that only an older version had."""
        return {
            column: value_of(cells[column], self.readers.get(column, _as_it_is))
            for column in self._columns
            if column in cells
        }

    @property
    def _columns(self) -> list[str]:
        return [field.name for field in fields(self.row)]

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
    """Return a value as sqlite keeps it: mappings and sets as JSON, sorted; moments in ISO 8601, to the second."""
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


def value_of(cell: object, reader: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - of the column's type
    """Return what a reader makes of what sqlite has in a column; None of NULL."""
    return None if cell is None else reader(cell)


def _as_it_is(cell: object) -> object:
    return cell


def _set(cell: str) -> frozenset[str]:
    return frozenset(json.loads(cell))


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
        "last_seen": datetime.fromisoformat,
        "retired_since": datetime.fromisoformat,
        "present": _set,
        "senders": _set,
        "foreign_senders": _set,
    },
)
ALIASES = Table(Subject.ALIAS.value, RememberedAlias, {**_IN_BOTH, "role": Role, "disabled": bool})
TABLES: Mapping[Subject, Table[Any]] = {Subject.MAILBOX: MAILBOXES, Subject.ALIAS: ALIASES}
