"""Rows of the state file as values and back: one table of columns for mailboxes, one for aliases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from ldap2mailcow.model import Address, Cause, Origin, Patch, Remembered, RememberedAlias, Role, Subject

from .cells import Reader, address, flag, moment, number, optional, text, values, words

Row = TypeVar("Row", bound=Remembered | RememberedAlias)


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table whose columns are the fields of a dataclass, one row for each address."""

    name: str
    row: type[Row]
    readers: Mapping[str, Reader]
    """What makes a column's value of what sqlite has."""

    def read(self, connection: sqlite3.Connection) -> dict[Address, Row]:
        """Return all rows."""
        readers = [self.readers[column] for column in self._columns]
        found = connection.execute(f"SELECT {', '.join(self._columns)} FROM {self.name}")  # noqa: S608 - our own names
        rows = (self.row(*(reader(cell) for reader, cell in zip(readers, cells, strict=True))) for cells in found)
        return {row.address: row for row in rows}

    def patch(self, cells: Mapping[str, Any]) -> Patch:
        """Return a patch that was stored as JSON, without the columns that only an older version had."""
        return {column: self.readers[column](cells[column]) for column in self._columns if column in cells}

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


_MOMENT = optional(moment)
_IN_BOTH: Mapping[str, Reader] = {
    "address": address,
    "source": text,
    "dn": text,
    "origin": Origin,
    "applied": values,
    "missing_since": _MOMENT,
    "missed": number(0, 2**31),
    "last_missed": _MOMENT,
}
MAILBOXES = Table(
    Subject.MAILBOX.value,
    Remembered,
    {
        **_IN_BOTH,
        "id": optional(text),
        "digest": optional(text),
        "passwd_update": optional(text),
        "kept": flag,
        "disabled": optional(Cause),
        "was_active": number(0, 2),
        "barred": number(0, 2),
        "last_seen": _MOMENT,
        "retired_since": _MOMENT,
        "present": words,
        "senders": words,
        "foreign_senders": words,
    },
)
ALIASES = Table(
    Subject.ALIAS.value,
    RememberedAlias,
    {
        **_IN_BOTH,
        "owner": text,
        "role": optional(Role),
        "number": optional(number(0, 2**63 - 1)),
        "disabled": flag,
    },
)
TABLES: Mapping[Subject, Table[Any]] = {Subject.MAILBOX: MAILBOXES, Subject.ALIAS: ALIASES}
