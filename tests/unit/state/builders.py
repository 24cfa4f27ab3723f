"""Rows, changes and files with sensible defaults, and what a folder holds to the byte."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from ldap2mailcow.model import (
    Address,
    AliasChange,
    FieldChange,
    Kind,
    MailboxChange,
    Note,
    Origin,
    Outcome,
    Patch,
    RenameChange,
    Role,
    Rule,
    SourceMemory,
    Subject,
)
from ldap2mailcow.state import State

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANN, BOB = Address("ann@example.org"), Address("bob@example.org")
LIST = Address("all@example.org")
NEW: Patch = {"source": "default", "id": "id-ann", "dn": "uid=ann,dc=example", "origin": Origin.CREATED}
"""What is remembered of a mailbox that was made."""
NEW_ALIAS: Patch = {
    "source": "default",
    "owner": "id-all",
    "dn": "cn=all,dc=example",
    "role": Role.LIST,
    "origin": Origin.CREATED,
}
"""What is remembered of an alias that was made."""


def change(address: Address = ANN, remember: Patch | None = NEW, **more: object) -> MailboxChange:
    fields = (FieldChange("quota", None, 1024),)
    return MailboxChange(Kind.CREATE, address, Rule.NEW, "uid=ann", fields, remember=remember, **more)  # type: ignore[arg-type]


def outcome(address: Address = ANN, remember: Patch | None = NEW, *, done: bool = True, **more: object) -> Outcome:
    return Outcome(change(address, remember, **more), done=done, detail="" if done else "no room")


def alias_outcome(address: Address = LIST, remember: Patch | None = NEW_ALIAS, *, done: bool = True) -> Outcome:
    """Return how an alias was made or, with nothing to remember any more, removed."""
    kind, why = (Kind.CREATE, Rule.NEW) if remember is not None else (Kind.REMOVE, Rule.NOT_WANTED)
    fields = (FieldChange("goto", None, "ann@example.org,bob@example.org"),)
    change = AliasChange(kind, address, why, "cn=all", fields, remember=remember)
    return Outcome(change, done=done, detail="" if done else "no room")


def remember(
    store: State, address: Address = ANN, patch: Patch | None = NEW, subject: Subject = Subject.MAILBOX
) -> None:
    """Remember something without a change."""
    store.note([Note(address, patch, subject)], {"default": SourceMemory()})


def remember_alias(store: State, address: Address = LIST, patch: Patch | None = NEW_ALIAS) -> None:
    """Remember something of an alias without a change."""
    remember(store, address, patch, Subject.ALIAS)


def contents(folder: Path) -> dict[str, tuple[bytes | None, int, int]]:
    """Return all that is in a folder: names, bytes, rights and times of writing."""
    found: dict[str, tuple[bytes | None, int, int]] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.stat()
        data = path.read_bytes() if path.is_file() else None
        found[str(path)] = (data, status.st_mode, status.st_mtime_ns)
    return found


def in_another_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code that ends in whatever way, and wait for its end."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


CHANGE = change(BOB)
ALIAS_CHANGE = AliasChange(
    Kind.UPDATE, LIST, Rule.LDAP, "cn=all", (FieldChange("goto", "a@example.org", "b@example.org"),), remember={}
)
RENAME = RenameChange(
    Kind.RENAME,
    Address("new@example.org"),
    Rule.LDAP,
    "uid=new",
    remember={"dn": "uid=new"},
    notes=(Note(ANN, NEW),),
    former=Address("old@example.org"),
)
