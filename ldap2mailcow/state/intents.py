"""Intents as text and back: what a run is about to do, as far as the next one must know it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import SecretStr

from ldap2mailcow.model import (
    AliasChange,
    Change,
    FieldChange,
    Kind,
    MailboxChange,
    Note,
    Patch,
    RenameChange,
    Rule,
    Subject,
)

from . import cells
from .rows import TABLES, stored

_NUMBER, _VALUE = cells.optional(cells.number(0, 2**63 - 1)), cells.optional(cells.value)
_LEFT_OUT = SecretStr("")
"""Stands for a password that was written: the history says that there was one, and nothing says which."""


def packed(change: Change) -> str:
    """Return a change as JSON; a password in it is left out."""
    own: dict[str, object] = {}
    if isinstance(change, RenameChange):
        own = {"former": change.former}
    elif isinstance(change, AliasChange):
        own = {"number": change.number}
    elif isinstance(change, MailboxChange):
        own = {"tags": change.add_tags, "password": change.password is not None}
    return json.dumps(
        {
            "is": type(change).__name__,
            "kind": change.kind,
            "address": change.address,
            "why": change.why,
            "dn": change.dn,
            "fields": [asdict(field) for field in change.fields],
            "remember": _packed_patch(change.remember),
            "notes": [[note.address, _packed_patch(note.remember), note.subject] for note in change.notes],
            **own,
        },
        sort_keys=True,
    )


def unpacked(text: str) -> Change:
    """Return the change of an intent; what only an older version knew of it is left out."""
    found = json.loads(text)
    subject = Subject.ALIAS if found["is"] == AliasChange.__name__ else Subject.MAILBOX
    shared: dict[str, Any] = {
        "kind": Kind(found["kind"]),
        "address": cells.address(found["address"]),
        "why": Rule.of(found["why"]),
        "dn": cells.text(found["dn"]),
        "fields": tuple(map(_unpacked_field, found["fields"])),
        "remember": _unpacked_patch(found["remember"], subject),
        "notes": tuple(
            Note(cells.address(address), _unpacked_patch(patch, Subject(of)), Subject(of))
            for address, patch, of in found["notes"]
        ),
    }
    if found["is"] == RenameChange.__name__:
        return RenameChange(**shared, former=cells.address(found["former"]))
    if subject is Subject.ALIAS:
        return AliasChange(**shared, number=_NUMBER(found["number"]))
    tags = tuple(map(cells.text, found["tags"]))
    return MailboxChange(**shared, add_tags=tags, password=_LEFT_OUT if found["password"] else None)


def _unpacked_field(field: Mapping[str, Any]) -> FieldChange:
    return FieldChange(cells.text(field["key"]), _VALUE(field["before"]), cells.value(field["after"]))


def _packed_patch(patch: Patch | None) -> dict[str, object] | None:
    return None if patch is None else {column: stored(value) for column, value in patch.items()}


def _unpacked_patch(patch: Mapping[str, Any] | None, subject: Subject) -> Patch | None:
    return None if patch is None else TABLES[subject].patch(patch)
