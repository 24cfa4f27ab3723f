"""What a mailbox is to be like: the rows of the attribute table, read from a user's entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    NAME,
    QUOTA,
    Attribute,
    Entry,
    UnusableValueError,
    Value,
)

from .status import read_active
from .values import Reader, is_garbled

_UNTIL_CORRECTED = {ACTIVE.key: "an existing mailbox keeps its status, and a new one is not created"}
"""What becomes of a mailbox as long as a value can't be used; where nothing is said here, it keeps the value."""


def read_attributes(reader: Reader, entry: Entry) -> tuple[dict[str, Value], frozenset[str]]:
    """Return what is managed of the mailbox, by the keys of the attribute table, and the keys that can't be read.

    Managed is only what the entry has a value for; where mailboxes come from elsewhere, only the status.
    """
    mapping = reader.source.user_mapping
    rows = ATTRIBUTES.values() if reader.config.create_mailboxes else (ACTIVE,)
    values = {row.key: _stored(reader, entry, row) for row in rows}
    attributes = {key: value for key, found in values.items() for value in found or ()}
    if AUTHSOURCE.key in values and "authsource" in mapping.model_fields_set:
        attributes[AUTHSOURCE.key] = mapping.authsource
    return attributes, frozenset(key for key, found in values.items() if found is None)


def _stored(reader: Reader, entry: Entry, row: Attribute) -> set[Value] | None:
    """Return the one value of a row as mailcow stores it, or none; None where it can't be used, which is told."""
    mapping = reader.source.user_mapping
    store = partial(read_active, mapping.active) if row is ACTIVE else row.store
    texts = _TEXTS.get(row.key, _plain)
    try:
        values = {store(text) for text in texts(reader, entry, row)} - {""}
        if len(values) > 1:
            raise UnusableValueError("has several values")
    except UnusableValueError as problem:
        what = "name" if row is NAME else getattr(mapping, row.key)
        kept = _UNTIL_CORRECTED.get(row.key, "an existing mailbox keeps its value")
        reader.find(row.unusable, entry, f"its {what} {problem}; correct it in the directory; until then {kept}")
        return None
    is_unreadable = not values and any(is_garbled(entry, getattr(mapping, key)) for key in row.mapped)
    return None if is_unreadable else values


def _plain(reader: Reader, entry: Entry, row: Attribute) -> tuple[str, ...]:
    mapping = reader.source.user_mapping
    return tuple(text for key in row.mapped for text in reader.texts(entry, getattr(mapping, key)))


def _name(reader: Reader, entry: Entry, row: Attribute) -> tuple[str, ...]:
    """Return the name in one piece: the whole one, else first and last name."""
    mapping = reader.source.user_mapping
    whole, *parts = (reader.texts(entry, getattr(mapping, key))[:1] for key in row.mapped)
    return whole or tuple(filter(None, [" ".join(text for part in parts for text in part)]))


def _quota(reader: Reader, entry: Entry, row: Attribute) -> tuple[str, ...]:
    """Return a quota with its unit."""
    unit = reader.source.user_mapping.quota_unit
    texts = _plain(reader, entry, row)
    return tuple(text if text.strip()[-1:].isalpha() else f"{text} {unit}" for text in texts)


_TEXTS: Mapping[str, Callable[[Reader, Entry, Attribute], tuple[str, ...]]] = {NAME.key: _name, QUOTA.key: _quota}
"""How the texts of a row are put together, where they aren't taken as they are."""
