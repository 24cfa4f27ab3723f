"""What mailcow holds, as facts; what each write makes appear or vanish; and what the state file says of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.sync.installation import Installation
from tests.mailcow_server import LoggedRequest, MailcowServer, State

Fact = tuple[str, ...]
"""What it is about (mailbox, alias), its address, and where it says more a key and a value, named as in the history."""
Event = tuple[str, Fact]
"""`+` and a fact that was not so before a write, or `-` and one that is no longer so."""

_TIMES = frozenset({"passwd_update", "recovery_email"})
_OF_MAILBOX = ("name", "password", "active", "authsource", "messages")
_OF_ALIAS = ("active", "internal", "sogo_visible", "sender_allowed", "public_comment", "private_comment")
_MIB = 1024 * 1024
_SEVERAL = {"goto": ",", "send_as": ", "}
"""The keys of the history whose values are several addresses, and what stands between them."""


def facts(state: State) -> frozenset[Fact]:
    """Return everything that a mailcow holds, in pieces; no times, no numbers."""
    return frozenset(_facts(state))


def _facts(state: State) -> Iterator[Fact]:
    for box in state.mailboxes.values():
        if box.half_deleted:
            continue  # nobody reaches it, and all that was in it is gone
        about = "mailbox", box.username
        yield about
        yield from ((*about, name, str(getattr(box, name))) for name in _OF_MAILBOX)
        yield (*about, "quota", str(box.quota // _MIB))
        yield from ((*about, name, str(value)) for name, value in box.attributes.items() if name not in _TIMES)
        yield (*about, "acl", str(box.acl))
        yield from ((*about, "tag", tag) for tag in box.tags)
    for alias in state.aliases.values():
        about = "alias", alias.address
        yield about
        values = ((name, getattr(alias, name)) for name in _OF_ALIAS)
        yield from ((*about, name, "" if value is None else str(value)) for name, value in values)
        yield from ((*about, "goto", target) for target in alias.goto.split(","))
    for right in state.sender_acl:
        yield "mailbox", right.mailbox, "send_as", right.send_as


class Watch:
    """Notes what each write makes appear or vanish, at once."""

    def __init__(self, mailcow: MailcowServer) -> None:
        self.mailcow = mailcow
        self.events: Counter[Event] = Counter()
        self.known = facts(mailcow.state)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look after every write in here."""
        add = self.mailcow.log.add

        def note(request: LoggedRequest) -> None:
            add(request)
            if request.is_write:
                self.look()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.mailcow.log, "add", note)
            yield

    def look(self) -> None:
        """Compare what is with what was."""
        now = facts(self.mailcow.state)
        self.events.update(("+", fact) for fact in now - self.known)
        self.events.update(("-", fact) for fact in self.known - now)
        self.known = now


# the state file

_MOMENTS = frozenset(
    {"missing_since", "last_missed", "last_seen", "retired_since", "answered", "passwd_update", "missed"}
)
"""Columns of which only whether they say something is compared: when it happened, or how often, may differ."""
_OF_THE_WAY = frozenset({"origin", "number"})
"""Columns that tell how a row came about."""


def remembered(house: Installation) -> dict[str, dict[str, Any]]:
    """Return what the state file remembers of mailboxes, aliases, directories and intents, by table and address."""
    found: dict[str, dict[str, Any]] = {"mailbox": {}, "alias": {}, "source": {}, "intent": {}}
    for table, rows in found.items():
        columns = [name for _, name, *_ in house.rows(f"PRAGMA table_info({table})")]
        for values in house.rows(f"SELECT * FROM {table}"):  # noqa: S608 - the four names above
            row = dict(zip(columns, values, strict=True))
            rows[str(values[0])] = {
                name: bool(value) if name in _MOMENTS else value
                for name, value in row.items()
                if name not in _OF_THE_WAY
            }
    return found


# the history


@dataclass(frozen=True)
class Entry:
    """A change on record."""

    subject: str
    address: str
    kind: str
    fields: tuple[Mapping[str, Any], ...]
    has_password: bool
    is_done: bool

    def claims(self) -> Iterator[Event]:
        """Give the events that must have happened if this was done."""
        about = self.subject, self.address
        if self.kind == "create" or any(field["key"] == "address" for field in self.fields):
            yield "+", about
        if self.kind in {"remove", "delete"}:
            yield "-", about
        for field in self.fields:
            key, before, after = field["key"], field["before"], field["after"]
            if key in _SEVERAL:
                was, is_now = (frozenset((text or "").split(_SEVERAL[key])) - {""} for text in (before, after))
                yield from (("+", (*about, key, one)) for one in is_now - was)
                yield from (("-", (*about, key, one)) for one in was - is_now)
            elif key not in {"address", "aliases"} and self.kind not in {"remove", "delete"}:
                yield "+", (*about, key, str(after))


def history(house: Installation) -> list[Entry]:
    """Return the changes on record."""
    return [
        Entry(subject, address, kind, tuple(json.loads(fields)), bool(password), bool(done))
        for subject, address, kind, fields, password, done in house.rows(
            "SELECT subject, address, kind, fields, password, done FROM change ORDER BY id"
        )
    ]
