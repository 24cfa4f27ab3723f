"""Which attribute tells entries apart for good, and its value in one text form."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from ldap2mailcow.model import ID_CANDIDATES, Entry

DN = "dn"
"""The id of last resort: it changes when an entry moves."""

_GUID_SIZE = 16


def choose_id_attribute(entries: Iterable[Entry]) -> str:
    """Return the first candidate that every entry has, else `dn`.

    The choice is made once, at the first whole answer, and kept in the state file.
    """
    entries = tuple(entries)
    for candidate in ID_CANDIDATES:
        if entries and all(stable_id(entry, candidate) for entry in entries):
            return candidate
    return DN


def stable_id(entry: Entry, attribute: str) -> str | None:
    """Return the entry's id in text form, None where it lacks the attribute.

    objectGUID is 16 bytes, the first three fields little-endian (MS-DTYP 2.3.4.2).
    """
    if attribute.lower() == DN:
        return entry.dn.lower()
    values = entry.values(attribute)
    if not values or not values[0]:
        return None
    value = values[0]
    if attribute.lower() == "objectguid" and len(value) == _GUID_SIZE:
        return str(uuid.UUID(bytes_le=value))
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
    return text.lower() if text.isprintable() else value.hex()  # lower() would make two binary ids one
