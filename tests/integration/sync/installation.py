"""One installation as an administrator has it: a folder with a config, a directory, a mailcow, and the command."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import ldap.controls
import pytest
import stamina
import yaml
from click.testing import CliRunner

from ldap2mailcow import cli
from tests.directory_server import Slapd, person
from tests.logs import log_of_its_own
from tests.mailcow_server import LoggedRequest, Mailbox, MailcowServer

COMMAND = Path(__file__).parents[3] / "mailcow_ldap_sync.py"
STATE = "mailcow_ldap_sync.sqlite3"
DOMAIN = "example.org"
MAPPING = {"quota": "MailQuota", "active": "mailActive", "tls_enforce_in": "tlsIn", "tls_enforce_out": "tlsOut"}

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Done:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that cron would mail."""
        return self.out + self.err

    @property
    def document(self) -> dict[str, Any]:
        """What `--output json` printed."""
        return cast("dict[str, Any]", json.loads(self.out))


class Hands:
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

    def now(self, _zone: object = None) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


class Installation:
    """A folder with a config for one slapd and one mailcow; `run` is what cron does, `at_clock` the same in here."""

    def __init__(self, folder: Path, slapd: Slapd, mailcow: MailcowServer, hands: Hands | None = None) -> None:
        self.folder, self.slapd, self.mailcow = folder, slapd, mailcow
        self.hands = hands or Hands()
        self.config_file = folder / "config.yaml"
        self.settings: dict[str, Any] = {
            "ldap": {
                "uri": slapd.uri,
                "bind_dn": slapd.reader_dn,
                "bind_pw": slapd.reader_password,
                "user_search_base": slapd.people_dn,
                "user_mapping": dict(MAPPING),
            },
            "mailcow_host": mailcow.url,
            "mailcow_api_key": mailcow.api_key,
            "update_only_on_change_by_ldap": True,
            "adopt_mailboxes": "keep_password",
        }
        self.write_config()

    # the config

    def config(self, **changes: object) -> None:
        """Change keys, `ldap__bind_pw=...` being those below; None takes a key out."""
        for path, value in changes.items():
            *blocks, key = path.split("__")
            block = self.settings
            for name in blocks:
                block = block.setdefault(name, {})
            if value is None:
                block.pop(key, None)
            else:
                block[key] = value
        self.write_config()

    def write_config(self) -> None:
        """Write the config, readable by its owner only."""
        self.config_file.touch(mode=0o600)
        self.config_file.write_text(yaml.safe_dump(self.settings), encoding="utf-8")

    # the directory

    def people(self, *numbers: int, **attributes: str) -> None:
        """Add people by number, with attributes of their own where given."""
        for number in numbers:
            dn, known = person(number, suffix=self.slapd.suffix)
            self.slapd.add(dn, {**known, **attributes})

    def change(self, number: int, **attributes: str | list[str]) -> None:
        """Replace attributes of a person; [] removes one."""
        self.slapd.modify(self.dn(number), attributes)

    def remove(self, *numbers: int) -> None:
        """Take people out of the directory."""
        for number in numbers:
            self.slapd.delete(self.dn(number))

    def entry(self, number: int) -> tuple[str, dict[str, list[bytes]]]:
        """Return a person's entry whole, entryUUID included, as a backup of the directory would hold it."""
        ((dn, found),) = self.slapd.admin.search_s(self.dn(number), 0, attrlist=["*", "entryUUID"])
        return dn, found

    def restore(self, dn: str, entry: Mapping[str, list[bytes]]) -> None:
        """Put an entry back as it was, entryUUID included, which takes OpenLDAP's control "relax rules"."""
        relax = ldap.controls.RequestControl("1.3.6.1.4.1.4203.666.5.12", criticality=True)
        self.slapd.admin.add_ext_s(dn, list(entry.items()), serverctrls=[relax])

    def dn(self, number: int) -> str:
        return person(number, suffix=self.slapd.suffix)[0]

    # the command

    def run(
        self, *options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, script: Path = COMMAND
    ) -> Done:
        """Run the command as cron does, in a process of its own, and wait for it."""
        with self.started(*options, env=env, cwd=cwd, script=script) as process:
            out, err = process.communicate()
        return Done(process.returncode, out, err)

    def started(
        self, *options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, script: Path = COMMAND
    ) -> subprocess.Popen[str]:
        """Start the command as cron does."""
        return subprocess.Popen(
            [sys.executable, script, *options],
            cwd=cwd or self.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def at_clock(self, *options: str) -> Done:
        """Run the command in this process, at the time of `hands`."""
        with at_clock(self.hands):
            found = CliRunner().invoke(cli.main, ["--config", str(self.config_file), *options])
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Done(found.exit_code, found.stdout, found.stderr)

    def again(self, *options: str, minutes: float = 0) -> Done:
        """Run at the clock, some minutes after the last time."""
        self.hands.forward(minutes=minutes)
        return self.at_clock(*options)

    # mailcow

    def mailbox(self, number: int) -> Mailbox:
        """Return a person's mailbox as mailcow's database holds it."""
        row = self.mailcow.state.mailbox(address(number))
        assert row is not None
        return row

    def has_mailbox(self, number: int) -> bool:
        return self.mailcow.state.mailbox(address(number)) is not None

    def has_password_of_directory(self, number: int) -> bool:
        """Tell whether mailcow holds the very hash that slapd holds."""
        ((_, found),) = self.slapd.admin.search_s(self.dn(number), 0, attrlist=["userPassword"])
        held: list[bytes] = found["userPassword"]
        return held == [self.mailbox(number).password.encode()]

    def by_hand(self, path: str, body: object) -> None:
        """Do something in mailcow as its administrator would, a minute later; the journal is empty then."""
        self.mailcow.clock.advance(60)
        host = self.mailcow.url.removeprefix("http://")
        headers = {"X-API-Key": self.mailcow.api_key, "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(host)) as connection:
            connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
            said = connection.getresponse().read()
        assert b'"success"' in said
        self.mailcow.log.clear()

    def edit_by_hand(self, number: int, **attr: object) -> None:
        """Edit a mailbox as mailcow's administrator would."""
        self.by_hand("edit/mailbox", {"items": [address(number)], "attr": attr})

    def make_by_hand(self, number: int, password: str, **attr: object) -> None:
        """Make a mailbox as mailcow's administrator would."""
        local, _, domain = address(number).partition("@")
        named = {"local_part": local, "domain": domain, "name": "By Hand", "quota": "100", "active": "1"}
        self.by_hand("add/mailbox", {**named, "password": password, "password2": password, **attr})

    def writes(self) -> list[LoggedRequest]:
        """Return what was written to mailcow since the last look."""
        written = self.mailcow.log.writes()
        self.mailcow.log.clear()
        return written

    # the state file

    @property
    def state_file(self) -> Path:
        return self.folder / STATE

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock as another run does."""
        with (self.folder / f"{STATE}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def rows(self, query: str) -> Rows:
        """Ask the state file."""
        with closing(sqlite3.connect(f"{self.state_file.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()


def address(number: int) -> str:
    """Return a person's address."""
    return f"user{number:06}@{DOMAIN}"


@contextmanager
def at_clock(hands: Hands) -> Iterator[None]:
    """Let the command look at these hands, and leave the process's logging and retries as they were."""
    with (
        log_of_its_own(),
        pytest.MonkeyPatch.context() as patch,
        stamina.set_testing(True, attempts=3, cap=True),
    ):
        patch.setattr(cli, "datetime", SimpleNamespace(now=hands.now))
        yield


@contextmanager
def after_write(number: int, mailcow: MailcowServer, act: Callable[[], object]) -> Iterator[None]:
    """Let something happen when mailcow has written for the nth time from now on, before it answers."""
    add, seen = mailcow.log.add, len(mailcow.log.writes())

    def note(request: LoggedRequest) -> None:
        add(request)
        if request.is_write and len(mailcow.log.writes()) == seen + number:
            act()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailcow.log, "add", note)
        yield


def paths(writes: Sequence[LoggedRequest]) -> list[str]:
    """Return where writes went."""
    return [write.path for write in writes]


def attributes_of(write: LoggedRequest) -> dict[str, Any]:
    """Return what an edit sent."""
    return cast("dict[str, dict[str, Any]]", write.body)["attr"]
