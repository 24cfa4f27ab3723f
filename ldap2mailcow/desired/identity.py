"""Which attribute tells entries apart for good, its value in one text form, and the ids of all entries of an answer."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ldap2mailcow.model import ID_CANDIDATES, Answer, Answers, Entry, EntryId, is_too_long

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

    objectGUID is 16 bytes, the first three fields little-endian (MS-DTYP 2.3.4.2). Of a value that is too long it is a
    digest: without an id one such entry would put the whole answer in doubt.
    """
    if attribute.lower() == DN:
        return entry.dn.lower()
    values = entry.values(attribute)
    if not values or not values[0]:
        return None
    value = values[0]
    if attribute.lower() == "objectguid" and len(value) == _GUID_SIZE:
        return str(uuid.UUID(bytes_le=value))
    if is_too_long(value):
        return hashlib.sha256(value).hexdigest()
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
    return text.lower() if text.isprintable() else value.hex()  # lower() would make two binary ids one


@dataclass(frozen=True, slots=True)
class Identified:
    """The entries of all answers of one directory, each with its id."""

    users: tuple[tuple[Entry, EntryId], ...]
    without_id: tuple[Entry, ...]
    """Those of users that lack the id attribute, or share its value with another."""
    groups: tuple[tuple[Entry, EntryId], ...]
    forwards: tuple[tuple[Entry, EntryId], ...]
    too_long: tuple[Entry, ...] = ()
    """Those with a DN that is too long: they are left out."""


def identify(answers: Answers, source: str, attribute: str) -> Identified:
    """Return the entries of all answers with their ids.

    A group or an entry that only forwards is known by its DN where it lacks the id attribute, or shares its value.
    """
    answered = (answers.users, answers.groups, answers.forwards)
    too_long = tuple(entry for answer in answered if answer for entry in answer.entries if is_too_long(entry.dn))
    users = _with_ids(answers.users, attribute)
    return Identified(
        tuple((entry, EntryId(source, entry_id)) for entry, entry_id in users if entry_id is not None),
        tuple(entry for entry, entry_id in users if entry_id is None),
        _with_ids_or_dns(answers.groups, source, attribute),
        _with_ids_or_dns(answers.forwards, source, attribute),
        too_long,
    )


def _with_ids_or_dns(answer: Answer | None, source: str, attribute: str) -> tuple[tuple[Entry, EntryId], ...]:
    return tuple(
        (entry, EntryId(source, entry_id or str(stable_id(entry, DN))))
        for entry, entry_id in _with_ids(answer, attribute)
    )


def _with_ids(answer: Answer | None, attribute: str) -> list[tuple[Entry, str | None]]:
    """Return the entries of an answer, each with an id that no other has, or None."""
    entries = (entry for entry in (answer.entries if answer else ()) if not is_too_long(entry.dn))
    found = [(entry, stable_id(entry, attribute)) for entry in entries]
    bearers = Counter(entry_id for _, entry_id in found)
    return [(entry, entry_id if bearers[entry_id] == 1 else None) for entry, entry_id in found]
