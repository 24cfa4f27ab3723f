"""The stage: a real slapd, the stand-in for mailcow, a folder with a config, and the command as a reader types it."""

from __future__ import annotations

import copy
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.directory_server import Slapd
from tests.mailcow_server import DomainLimits, MailcowServer, State

from .directory import BOOKSHOP, COMPANY, GROUPS, PEOPLE, SUFFIX, Directory

CHECKOUT = Path(__file__).parents[2]
CONFIG = """\
ldap:
  uri: {uri}
  ca_file: {ca_file}
  require_tls: true
  bind_dn: {bind_dn}
  bind_pw_file: ldap-password
  user_search_base: {base}
  user_search_filter: (objectClass=inetOrgPerson)
  user_mapping:
    {{quota: MailQuota, active: mailActive, tls_enforce_in: tlsIn, tls_enforce_out: tlsOut,
     aliases: [mailAlias], forward_to: mailForwardingAddress, send_as: mailSendAs}}
  group_search_base: {groups}
  group_search_filter: (objectClass=mailGroup)
  group_mapping: {{internal: mailTag, comment: description}}
  alias_search_base: {groups}
  alias_search_filter: (objectClass=mailForward)
mailcow_host: {mailcow}
mailcow_api_key_file: api-key
update_only_on_change_by_ldap: true
adopt_mailboxes: keep_password
removed_users: {{missing_runs: 2, missing_for: 0s}}
"""
_OURS = ("MAILCOW_LDAP_SYNC__", "LDAP_MAILCOW_", "CREDENTIALS_DIRECTORY")


@dataclass(frozen=True, slots=True)
class Finished:
    """What the command printed, stdout and stderr as they came, and how it ended."""

    lines: tuple[str, ...]
    exit_code: int


class Stage:
    """Everything that a scene needs, from `with` to its end; nothing of it is left behind."""

    def __init__(self) -> None:
        self._undo = ExitStack()
        self._folder = Path()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.slapd = undo.enter_context(Slapd(suffix=SUFFIX))
            self.directory = Directory(self.slapd)
            self.directory.fill()
            limits = [DomainLimits(name, mailboxes=100, quota=256_000) for name in (COMPANY, BOOKSHOP)]
            self.mailcow = undo.enter_context(MailcowServer(limits))
            self._folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="demo-")))
            self._write_files()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    @property
    def config(self) -> str:
        """The config that the demo wrote; the secrets in it are files."""
        return (self._folder / "config.yaml").read_text(encoding="utf-8")

    def run(self, line: str) -> Finished:
        """Run a line of shell in the folder of the config, where `python` and the script are found."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        environment["PYTHONUTF8"] = "1"
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return Finished(tuple(done.stdout.splitlines()), done.returncode)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Bring everything back at the end as it is now: directory, mailcow and files."""
        directory, mailcow = self.directory.snapshot(), copy.deepcopy(self.mailcow.snapshot())
        with tempfile.TemporaryDirectory(prefix="demo-") as kept:
            shutil.copytree(self._folder, kept, symlinks=True, dirs_exist_ok=True)
            try:
                yield
            finally:
                self.directory.restore(directory)
                self.mailcow.state = State.from_snapshot(self.mailcow.clock, mailcow)
                for path in self._folder.iterdir():
                    path.unlink()
                shutil.copytree(kept, self._folder, symlinks=True, dirs_exist_ok=True)

    def file(self, name: str) -> Path:
        """Return a file of the config's folder."""
        return self._folder / name

    def call_mailcow(self, path: str, body: object) -> None:
        """Write to mailcow's API past the command, as its web interface does."""
        connection = http.client.HTTPConnection(self.mailcow.url.removeprefix("http://"))
        headers = {"X-API-Key": self.mailcow.api_key, "Content-Type": "application/json"}
        connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
        connection.getresponse().read()
        connection.close()

    def _write_files(self) -> None:
        values = {
            "uri": self.slapd.ldaps_uri,
            "ca_file": self.slapd.ca_file,
            "bind_dn": self.slapd.reader_dn,
            "base": PEOPLE,
            "groups": GROUPS,
            "mailcow": self.mailcow.url,
        }
        self.file("mailcow_ldap_sync.py").symlink_to(CHECKOUT / "mailcow_ldap_sync.py")
        for name, text in {
            "config.yaml": CONFIG.format(**values),
            "ldap-password": self.slapd.reader_password,
            "api-key": self.mailcow.api_key,
        }.items():
            self.file(name).touch(0o600)
            self.file(name).write_text(f"{text}\n".replace("\n\n", "\n"), encoding="utf-8")
