"""Rows, changes and files with sensible defaults, and what a folder holds to the byte."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from ldap2mailcow.model import Address, Change, FieldChange, Kind, Note, Origin, Outcome, Patch, SourceMemory, Why
from ldap2mailcow.state import State

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANN, BOB = Address("ann@example.org"), Address("bob@example.org")
NEW: Patch = {"source": "default", "id": "id-ann", "dn": "uid=ann,dc=example", "origin": Origin.CREATED}
"""What is remembered of a mailbox that was made."""


def change(address: Address = ANN, remember: Patch = NEW, **more: object) -> Change:
    fields = (FieldChange("quota", None, 1024),)
    return Change(Kind.CREATE, address, Why.NEW, "uid=ann", fields, remember=remember, **more)  # type: ignore[arg-type]


def outcome(address: Address = ANN, remember: Patch = NEW, *, done: bool = True, **more: object) -> Outcome:
    return Outcome(change(address, remember, **more), done=done, detail="" if done else "no room")


def remember(store: State, address: Address = ANN, patch: Patch | None = NEW) -> None:
    """Remember something without a change."""
    store.note([Note(address, patch)], "default", SourceMemory())


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
