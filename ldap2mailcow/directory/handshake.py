"""A TLS handshake of our own before libldap's, for what that one can't do.

Against a server that takes the connection and then stays silent, libldap built with GnuTLS (Debian, Ubuntu) never comes
back, whatever its timeouts are; and where it trusts no certificate it doesn't say why (docs/directories.md section 2).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"ldap": 389, "ldaps": 636}
# ExtendedRequest 1.3.6.1.4.1.1466.20037 with message number 1 (RFC 4511 section 4.14.1).
_START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"


def try_handshake(uri: str, *, ca_file: Path | None, verify: bool, seconds: float) -> str:
    """Do a TLS handshake, after StartTLS for ldap://, and hang up.

    Returns why the certificate isn't trusted, "" where nothing is wrong with it or the handshake failed in a way that
    libldap reports itself. Raises TimeoutError where the server doesn't answer within `seconds`, and another OSError
    where there is no connection.
    """
    with _connect(uri, seconds) as raw:
        try:
            _shake_hands(raw, uri, _context(ca_file, verify=verify))
        except TimeoutError:
            raise
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except OSError:  # SSLError is one too
            return ""
    return ""


def _shake_hands(raw: socket.socket, uri: str, context: ssl.SSLContext) -> None:
    parts = urlsplit(uri)
    if parts.scheme == "ldap":
        raw.sendall(_START_TLS)
        raw.recv(4096)
    with context.wrap_socket(raw, server_hostname=parts.hostname or "localhost"):
        pass  # it has been done; nothing is asked


def no_connection(uri: str, seconds: float) -> str:
    """Return why the host and port of an ldap:// URI take no connection, in the operating system's words."""
    try:
        _connect(uri, seconds).close()
    except OSError as error:
        return error.strerror or str(error)
    return "the server hung up"


def _connect(uri: str, seconds: float) -> socket.socket:
    parts = urlsplit(uri)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return socket.create_connection((parts.hostname or "localhost", port), timeout=seconds)


def _context(ca_file: Path | None, *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is None:
        context.load_default_certs()
    else:
        # A file that isn't one of certificates: libldap refuses it too.
        with contextlib.suppress(OSError):
            context.load_verify_locations(cafile=ca_file)
    return context
