"""One installation of the sync: its config, its state file, its directory; and one run of it, as data."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ldap2mailcow import directory, sync
from ldap2mailcow.config import Config, Loaded
from ldap2mailcow.model import Address
from ldap2mailcow.plan import Guarded
from ldap2mailcow.report import Due, Result
from ldap2mailcow.state import StateError
from tests.mailcow_server import MailcowServer

from .mail import Snapshot
from .people import SUFFIX, Directory, Told
from .troubles import Killed, Trouble, happening

STAFF_ONLY = "(employeeType=staff)"


class Silent:
    """A screen that nobody looks at."""

    def plan(self, result: Result, notices: Due) -> None:
        pass

    @contextmanager
    def progress(self, _total: int) -> Iterator[Any]:
        yield lambda: None


@dataclass(frozen=True)
class Ran:
    """One run: what it was given, what mailcow held before and after it, and what it said."""

    house: Installation
    config: Config
    told: Told
    request: sync.Request
    now: datetime
    before: Snapshot
    after: Snapshot
    rows: Mapping[str, str | None]
    """The ids that the state file had by address, before the run."""
    result: Result | None
    """None where it was killed."""
    trouble: Trouble

    @property
    def is_complete(self) -> bool:
        """Whether it came to its end, and did all that it meant to do."""
        return self.result is not None and not self.result.error and not self.result.failed

    def approved(self, kind: Guarded) -> int:
        """How many changes of a kind a word lets through."""
        return self.request.options.approved.get(kind, 0)


@dataclass
class Installation:
    """What one administrator has installed."""

    mailcow: MailcowServer
    folder: Path
    mark: str = "ldap-sync"
    directory: Directory = field(default_factory=Directory)
    settings: dict[str, Any] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    """The filters whose absences may be believed; none before the first run that removed nothing."""
    has_ids: bool = False
    """Whether a run was surely accepted, and so settled by which attribute people are known."""

    @property
    def state_file(self) -> Path:
        return self.folder / "state.sqlite3"

    @property
    def staff_only(self) -> bool:
        """Whether the narrower filter is set."""
        return bool(self.settings.get("filter"))

    @property
    def config(self) -> Config:
        """The config as it is now."""
        values = {key: value for key, value in self.settings.items() if key != "filter"}
        return Config.model_validate(
            {
                "ldap": {
                    "uri": "ldap://127.0.0.1",
                    "user_search_base": SUFFIX,
                    "user_search_filter": STAFF_ONLY if self.staff_only else "",
                    "user_mapping": {"active": "mailActive", "aliases": ["mailAlias"]},
                    "group_search_base": f"ou=groups,{SUFFIX}",
                },
                "mailcow_host": self.mailcow.url,
                "mailcow_api_key": self.mailcow.api_key,
                "update_only_on_change_by_ldap": True,
                "mailcow_connections": 1,
                "mark": self.mark,
                "state_file": str(self.state_file),
                **values,
            },
        )

    def run(self, told: Told, request: sync.Request, now: datetime, trouble: Trouble = None) -> Ran:
        """Do one run."""
        config, rows = self.config, self.rows()
        before = Snapshot.of(self.mailcow.state)
        result = None
        with pytest.MonkeyPatch.context() as patch, happening(trouble, self.mailcow):
            patch.setattr(directory, "read", lambda *_args, **_options: told.answers())
            try:
                result, _ = sync.run(Loaded(config, None), request, Silent(), lambda: now)
            except (Killed, StateError):
                assert trouble is not None
        after = Snapshot.of(self.mailcow.state)
        return Ran(self, config, told, request, now, before, after, rows, result, trouble)

    def release(self, address: Address, now: datetime) -> Result:
        """Let go of a mailbox, with the command for that."""
        return sync.release(Loaded(self.config, None), sync.Request(), address, Silent(), lambda: now)

    def rows(self) -> dict[str, str | None]:
        """Return the ids that the state file has by address."""
        return self._select("SELECT address, id FROM mailbox")

    def dns(self) -> dict[str, str]:
        """Return the DNs that it has by address, of those that it knows without an id."""
        return self._select("SELECT address, dn FROM mailbox WHERE id IS NULL")

    def aliases(self) -> set[str]:
        """Return the addresses of the aliases that it has."""
        return set(self._select("SELECT address, number FROM alias"))

    def _select(self, query: str) -> dict[str, Any]:
        if not self.state_file.exists():
            return {}
        with closing(sqlite3.connect(self.state_file)) as connection:
            try:
                return dict(connection.execute(query).fetchall())
            except sqlite3.OperationalError:  # no table yet: the first run was killed before it made one
                return {}

    def files(self) -> dict[str, bytes]:
        """Return what is in the folder."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def lose_state(self) -> None:
        """Lose the state file; its key stays."""
        for path in self.folder.glob("state.sqlite3*"):
            if path.suffix not in {".key", ".lock"}:
                path.unlink()
        self.accepted.clear()
        self.has_ids = False

    def lose_key(self) -> None:
        """Lose the key that passwords are remembered with."""
        self.folder.joinpath("state.sqlite3.key").unlink(missing_ok=True)
