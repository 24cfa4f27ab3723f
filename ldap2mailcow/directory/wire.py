"""The bytes between libldap and a server. They pass through our hands, so that libldap never waits.

libldap gets one end of a pair of sockets that don't block; what it writes there is sent to the server, and what the
server sends is handed to it. All waiting is done here, within an allowance, and so is TLS: libldap has no limit for
bytes, none for a message that comes drop by drop, and with GnuTLS (Debian, Ubuntu) none for the TLS handshake, in
which it also doesn't say why it trusts no certificate (docs/directories.md section 2).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import ldap
import ldap.ldapobject
from ldap.controls import LDAPControl
from ldap.extop import ExtendedRequest

from ldap2mailcow.deadline import within

from .allowance import Allowance
from .messages import Messages
from .paging import PageAnswer

_DEFAULT_PORTS = {"ldap": 389, "ldaps": 636}
_START_TLS = "1.3.6.1.4.1.1466.20037"  # RFC 4511 section 4.14.1
_CHUNK = 65536
_GOODBYE = 1.0  # seconds for the unbind request to leave
_NOWHERE = "ldapi://%2Fdev%2Fnull"  # libldap wants a URI, and must not connect by itself


class Wire:
    """A connection to a server; `library` is python-ldap's object on this side of it."""

    def __init__(self, uri: str, allowance: Allowance) -> None:
        """Connect. Raises OSError, of which TimeoutError is one, and what the allowance raises."""
        self._allowance = allowance
        self._parts = urlsplit(uri)
        self._server = _connection(uri, allowance)
        self._messages = Messages()
        self._held = memoryview(b"")  # from the server, and not with libldap yet
        self._ours, self._theirs, self.library = _pair()

    def start_tls(self) -> None:
        """Have the server begin with TLS (RFC 4511 section 4.14). Raises LDAPError where it doesn't.

        What it sent in clear is forgotten, for it might have been put in on the way: libldap begins anew.
        """
        self.answer(self.library.extop(ExtendedRequest(_START_TLS, None)))
        self.library.unbind_s()
        self._end_pair()
        self._messages, self._held = Messages(), memoryview(b"")
        self._ours, self._theirs, self.library = _pair()

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Do the TLS handshake. Raises OSError (ssl.SSLError is one), and what the allowance raises."""
        self._server.settimeout(self._allowance.wait())  # for the handshake as a whole
        self._server = context.wrap_socket(self._server, server_hostname=self._parts.hostname or "localhost")

    def answer(self, number: int) -> tuple[int, Sequence[Any], Sequence[LDAPControl]]:
        """Return the next message that answers a request: what kind, what is in it, the controls with it.

        Raises LDAPError, Malformed, and what the allowance raises.
        """
        while True:
            try:
                kind, data, _, controls = self.library.result3(
                    number, all=0, timeout=0, resp_ctrl_classes=PageAnswer.TABLE
                )
            except (ValueError, TypeError, MemoryError):  # python-ldap's, for what it can't decode
                raise self._allowance.malformed() from None
            if kind is not None:
                return kind, data, controls
            self._exchange()

    def close(self) -> None:
        """Say good-bye and hang up."""
        with contextlib.suppress(ldap.LDAPError, OSError):
            self.library.unbind_s()
            self._forward(_GOODBYE)
        self._end_pair()
        self._server.close()

    def _end_pair(self) -> None:
        self._ours.close()
        self._theirs.close()

    def _exchange(self) -> None:
        """Send what libldap has for the server, and hand it some of what the server says."""
        seconds = self._allowance.wait()
        try:
            self._forward(seconds)
            if not self._held and self._is_drained():
                self._held = memoryview(self._messages.whole(self._received(seconds)))
            self._held = self._held[self._ours.send(self._held) :]
        except TimeoutError:
            self._allowance.wait()
            raise ldap.TIMEOUT from None
        except OSError:
            raise ldap.SERVER_DOWN from None
        except ValueError:
            raise self._allowance.malformed() from None

    def _is_drained(self) -> bool:
        """Tell whether libldap has read all it was given: it reads no further after what answers no request."""
        try:
            return not self._theirs.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True

    def _forward(self, seconds: float) -> None:
        self._server.settimeout(seconds)
        while data := self._from_library():
            self._server.sendall(data)

    def _from_library(self) -> bytes:
        try:
            return self._ours.recv(_CHUNK)
        except BlockingIOError:
            return b""

    def _received(self, seconds: float) -> bytes:
        self._server.settimeout(seconds)
        data = self._server.recv(_CHUNK)
        if not data:
            raise ConnectionResetError
        if isinstance(self._server, ssl.SSLSocket):
            data += self._more(self._server)
        self._allowance.received(len(data))
        return data

    def _more(self, server: ssl.SSLSocket) -> bytes:
        """Return what is there already: some servers put each entry into a TLS record of its own."""
        server.settimeout(0)
        more = bytearray()
        with contextlib.suppress(OSError):  # nothing more just now; whatever else it is comes again
            while len(more) < _CHUNK and (part := server.recv(_CHUNK)):
                more += part
        return bytes(more)


def trust(ca_file: Path | None, *, verify: bool) -> ssl.SSLContext:
    """Return what decides which certificates are trusted; no environment has a say in it.

    Raises OSError (ssl.SSLError is one) for a file that can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    elif verify:
        _trust_system(context)
    return context


def _trust_system(context: ssl.SSLContext) -> None:
    paths = ssl.get_default_verify_paths()
    file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    if file.is_file() or folder.is_dir():
        context.load_verify_locations(file if file.is_file() else None, folder if folder.is_dir() else None)


def _pair() -> tuple[socket.socket, socket.socket, Any]:
    """Return both ends of a pair of sockets, and a python-ldap object that has the second."""
    ours, theirs = socket.socketpair()
    for each in (ours, theirs):
        each.settimeout(0)
    library = ldap.ldapobject.SimpleLDAPObject(_NOWHERE, fileno=theirs.dup().detach())
    library.set_option(ldap.OPT_REFERRALS, 0)
    return ours, theirs, library


def _connection(uri: str, allowance: Allowance) -> socket.socket:
    seconds = allowance.wait()
    parts = urlsplit(uri)
    if parts.scheme == "ldapi":
        return _local(unquote(parts.netloc), seconds)
    address = parts.hostname or "localhost", parts.port or _DEFAULT_PORTS[parts.scheme]
    # A name server may never end, and a name may have many addresses, each with a timeout of its own.
    server = within(seconds, lambda: socket.create_connection(address, timeout=seconds))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def _local(path: str, seconds: float) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    try:
        server.settimeout(seconds)
        server.connect(path)
    except OSError:
        server.close()
        raise
    return server
