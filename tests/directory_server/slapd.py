"""A real slapd in a folder of its own, on ports of its own (docs/directories.md section 2)."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import ldap
import ldap.dn
import ldap.ldapobject

from .certificates import DEFAULT_NAMES, make_certificates
from .configuration import Configuration
from .people import ldif

_BINARY = Path("/usr/sbin/slapd")
_APPARMOR_PROFILE = Path("/etc/apparmor.d/usr.sbin.slapd")
_START_SECONDS = 20.0
_PORT_ATTEMPTS = 5  # another process may take a free port between our look and slapd's

Text = str | bytes
Values = Text | Sequence[Text]


class Slapd:
    """A slapd that lives as long as its `with` block.

    It has `suffix`, `ou=people`, `ou=groups`, an administrator (also of cn=config) and a reader. Classes beyond the
    usual ones: `mailPerson` (auxiliary), `mailGroup` and `mailForward`, see schema.ldif.

    size_limit: entries that one search may return; it also ends a paged one (None = no limit).
    page_limits: an olcLimits value for the reader alone, such as
        "size.soft=500 size.hard=500 size.prtotal=unlimited" (only paged searches get it all) or "size.pr=200" (larger
        pages are refused with result 11).
    overlays: any of memberof, ppolicy, dynlist.
    schema: LDIF of further schemas for cn=config.
    certificate_names: the server certificate's alternative names, as openssl writes them.
    anonymous_read: everybody may read everything but passwords.

    slapd is killed by the kernel when the thread that started it ends, so that none is left behind.
    """

    def __init__(
        self,
        *,
        suffix: str = "dc=example,dc=org",
        size_limit: int | None = None,
        page_limits: str = "",
        overlays: Collection[str] = (),
        schema: str = "",
        certificate_names: Sequence[str] = DEFAULT_NAMES,
        anonymous_read: bool = False,
    ) -> None:
        self.suffix = suffix
        self.admin_password = "admin-secret"
        self.reader_password = "reader-secret"
        self._configuration = Configuration(
            suffix=suffix,
            admin_password=self.admin_password,
            size_limit=size_limit,
            page_limits=page_limits,
            overlays=tuple(overlays),
            schema=schema,
            anonymous_read=anonymous_read,
        )
        self._certificate_names = certificate_names
        self._temporary = tempfile.TemporaryDirectory(prefix="slapd-")
        self._folder = Path(self._temporary.name)
        self._binary = self._folder / "slapd" if _APPARMOR_PROFILE.exists() else _BINARY
        self._process: subprocess.Popen[bytes] | None = None
        self._admin: Any = None
        self._ports = (0, 0)
        with contextlib.ExitStack() as undo:
            undo.callback(self._temporary.cleanup)
            self._prepare()
            undo.pop_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._temporary.cleanup()

    @property
    def uri(self) -> str:
        """Clear LDAP, and StartTLS."""
        return f"ldap://127.0.0.1:{self._ports[0]}"

    @property
    def ldaps_uri(self) -> str:
        """LDAP in TLS."""
        return f"ldaps://127.0.0.1:{self._ports[1]}"

    @property
    def ldapi_uri(self) -> str:
        """LDAP over a Unix socket."""
        return f"ldapi://{quote(str(self._folder / 'ldapi'), safe='')}"

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that signed the server's."""
        return self._folder / "ca.pem"

    @property
    def admin_dn(self) -> str:
        """Who may do everything, in the data and in cn=config; the password is `admin_password`."""
        return self._configuration.admin_dn

    @property
    def reader_dn(self) -> str:
        """Who may read everything, under `page_limits`; the password is `reader_password`."""
        return self._configuration.reader_dn

    @property
    def people_dn(self) -> str:
        """Where people belong."""
        return f"ou=people,{self.suffix}"

    @property
    def groups_dn(self) -> str:
        """Where groups belong."""
        return f"ou=groups,{self.suffix}"

    @property
    def log(self) -> str:
        """What slapd has logged since it was made: connections, binds, searches and results (level `stats`)."""
        return (self._folder / "slapd.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start it and wait until it answers; on the ports it had before, where it ran before."""
        fixed = any(self._ports)
        for _ in range(1 if fixed else _PORT_ATTEMPTS):
            if not fixed:
                self._ports = _free_ports()
            self._process = self._launch()
            if _answers(self._process, self._ports[0], self._folder / "ldapi"):
                return
            self.kill()
        raise RuntimeError(f"slapd did not start:\n{self.log}")

    def stop(self) -> None:
        """End it in good order; the data stays."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End it at once (SIGKILL); the data stays."""
        self._end(subprocess.Popen.kill)

    def load(self, text: str) -> None:
        """Add many entries as LDIF with slapadd, slapd being stopped meanwhile: 100,000 in about two seconds."""
        running = self._process is not None
        self.stop()
        self._slapadd(1, text)
        if running:
            self.start()

    def add(self, dn: str, attributes: Mapping[str, Values]) -> None:
        """Add an entry."""
        self.admin.add_s(dn, [(name, _as_list(values)) for name, values in attributes.items()])

    def modify(self, dn: str, attributes: Mapping[str, Values]) -> None:
        """Replace the values of attributes; an empty list removes the attribute. Works on cn=config too."""
        changes = [(ldap.MOD_REPLACE, name, _as_list(values) or None) for name, values in attributes.items()]
        self.admin.modify_s(dn, changes)

    def rename(self, dn: str, new_dn: str) -> None:
        """Give an entry another DN; it keeps its entryUUID."""
        rdn, superior = ldap.dn.explode_dn(new_dn)[0], ",".join(ldap.dn.explode_dn(new_dn)[1:])
        self.admin.rename_s(dn, rdn, superior, delold=1)

    def delete(self, dn: str) -> None:
        """Remove an entry."""
        self.admin.delete_s(dn)

    def clear(self) -> None:
        """Remove everything that was added, so that it is as it started; meant for a few hundred entries at most."""
        kept = {dn for dn, _ in self._first_entries()}
        found = [dn for dn, _ in self.admin.search_s(self.suffix, ldap.SCOPE_SUBTREE, attrlist=["1.1"])]
        for dn in sorted(set(found) - kept, key=len, reverse=True):
            self.delete(dn)

    @property
    def admin(self) -> Any:  # noqa: ANN401 - python-ldap has no types
        """A python-ldap connection bound as the administrator, for what the other methods don't do."""
        if self._admin is None:
            self._admin = ldap.ldapobject.SimpleLDAPObject(self.ldapi_uri)
            self._admin.simple_bind_s(self.admin_dn, self.admin_password)
        return self._admin

    def _prepare(self) -> None:
        for name in ("config", "data"):
            (self._folder / name).mkdir()
        if self._binary != _BINARY:
            # Ubuntu's AppArmor profile hangs on the path: a copy is not confined to /var/lib/ldap.
            shutil.copy(_BINARY, self._binary)
        make_certificates(self._folder, self._certificate_names)
        self._slapadd(0, self._configuration.as_ldif(self._folder))
        self._slapadd(1, ldif(self._first_entries()))

    def _first_entries(self) -> list[tuple[str, dict[str, list[bytes]]]]:
        kind, _, name = self.suffix.partition(",")[0].partition("=")
        organization = {
            "objectClass": [b"extensibleObject", b"organization"],
            "o": [name.encode()],
            kind: [name.encode()],
        }
        unit = [b"organizationalUnit"]
        reader = {
            "objectClass": [b"applicationProcess", b"simpleSecurityObject"],
            "cn": [b"reader"],
            "userPassword": [self.reader_password.encode()],
        }
        return [
            (self.suffix, organization),
            (self.people_dn, {"objectClass": unit, "ou": [b"people"]}),
            (self.groups_dn, {"objectClass": unit, "ou": [b"groups"]}),
            (self.reader_dn, reader),
        ]

    def _slapadd(self, database: int, text: str) -> None:
        """Fill a database with slapd's own tool; -q leaves out the checks that make it slow."""
        command: list[str | Path] = [self._binary, "-Tadd", "-q", "-n", str(database), "-F", self._folder / "config"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"slapadd refused the LDIF:\n{done.stderr.decode()}")

    def _launch(self) -> subprocess.Popen[bytes]:
        uris = f"{self.uri} {self.ldaps_uri} {self.ldapi_uri}"
        command: list[str | Path] = [self._binary, "-F", self._folder / "config", "-h", uris, "-d", "stats"]
        with (self._folder / "slapd.log").open("ab") as log:
            return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log)

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._admin is not None:
            with contextlib.suppress(ldap.LDAPError):
                self._admin.unbind_s()
            self._admin = None
        if self._process is not None:
            how(self._process)
            self._process.wait()
            self._process = None


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for candidate in (first, second):
            candidate.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _answers(process: subprocess.Popen[bytes], port: int, path: Path) -> bool:
    """Tell whether the port and the socket take connections before the process ends or its time is up.

    The socket is this slapd's alone, and opened after the port, which may be another process's.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=1),
            socket.socket(socket.AF_UNIX) as local,
        ):
            local.connect(str(path))
            return True
        try:
            process.wait(timeout=0.002)  # the pause between two looks, cut short where slapd gave up
        except subprocess.TimeoutExpired:
            continue
        return False
    return False


def _as_list(values: Values) -> list[bytes]:
    several = [values] if isinstance(values, str | bytes) else values
    return [value.encode() if isinstance(value, str) else value for value in several]
