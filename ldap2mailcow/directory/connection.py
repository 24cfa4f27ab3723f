"""A bound connection to the first server of a directory that answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import ldap
import ldap.ldapobject

from ldap2mailcow.config import Source, is_loopback

from .errors import REFUSALS, Refused, Unreachable, described, refusal
from .handshake import no_connection, try_handshake

# PYTHON_LDAP_TRACE_LEVEL in the environment would have python-ldap print its calls to stderr, the password of the bind
# among them, and its own argument for that can't say "never".
ldap._trace_level = 0  # noqa: SLF001

_DISTRUST = (
    "TLS failed{why}; likely causes: the server's certificate is not from an authority that this machine or ca_file"
    " knows, or it is for another host name than the one in uri"
)


class _NoAnswer(Exception):  # noqa: N818 - a turn of the loop over the URIs, not an error of its own
    """This URI can't be used; the next one may."""


@contextlib.contextmanager
def connected(source: Source) -> Iterator[tuple[Any, str]]:
    """Connect and bind; give the python-ldap connection and its URI, and unbind at the end.

    Raises Refused where a server says no to the bind (no other URI is tried: each try counts towards a lock-out), and
    Unreachable, with a reason for each URI, where none can be used.
    """
    if source.bind_dn and not source.bind_pw.get_secret_value():
        # RFC 4513 section 5.1.2: a server may take this for an anonymous bind, and answer with less.
        raise Refused(f"The directory {source.name!r} was not asked: bind_dn is set, but bind_pw is empty.")
    reasons = []
    for uri in source.uri:
        try:
            connection = _bound(source, uri)
        except _NoAnswer as reason:
            reasons.append(f"{uri}: {reason}")
            continue
        try:
            yield connection, uri
        finally:
            _unbind(connection)
        return
    raise Unreachable(f"No server of the directory {source.name!r} can be used: {'; '.join(reasons)}.")


def _bound(source: Source, uri: str) -> Any:  # noqa: ANN401 - python-ldap has no types
    """Return a connection that is bound; raise _NoAnswer or Refused, with nothing left open."""
    encrypted = _is_encrypted(source, uri)
    distrust = _tried_handshake(source, uri) if encrypted else ""
    with contextlib.ExitStack() as undo:
        try:
            connection = ldap.ldapobject.SimpleLDAPObject(uri)
            undo.callback(_unbind, connection)
            _set_options(connection, source, encrypted=encrypted)
            if encrypted and urlsplit(uri).scheme == "ldap":
                connection.start_tls_s()
            _bind(connection, source, uri)
        except ldap.LDAPError as error:
            raise _NoAnswer(_reason(error, source, uri, distrust)) from None
        undo.pop_all()
        return connection


def _is_encrypted(source: Source, uri: str) -> bool:
    """Tell whether TLS comes before the bind; raise _NoAnswer where it has to and doesn't."""
    parts = urlsplit(uri)
    is_clear = parts.scheme == "ldap" and not source.start_tls
    if source.require_tls and is_clear and not is_loopback(parts.hostname or ""):
        raise _NoAnswer("not used, because it is not encrypted and require_tls is on: use ldaps:// or start_tls")
    return parts.scheme != "ldapi" and not is_clear


def _tried_handshake(source: Source, uri: str) -> str:
    """Return why the server's certificate is not trusted ("" = it seems to be)."""
    try:
        return try_handshake(
            uri, ca_file=source.ca_file, verify=not source.allow_self_signed, seconds=float(source.timeout)
        )
    except TimeoutError:
        raise _NoAnswer(f"no answer within {source.timeout} seconds") from None
    except OSError as error:
        raise _NoAnswer(f"no connection ({error.strerror or error})") from None


def _set_options(connection: Any, source: Source, *, encrypted: bool) -> None:  # noqa: ANN401 - the same
    """Set what this connection needs, and nothing that holds for the whole process."""
    connection.timeout = source.timeout
    connection.set_option(ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, source.timeout)
    connection.set_option(ldap.OPT_TIMEOUT, source.timeout)
    if not encrypted:
        return
    if source.ca_file is not None:
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(source.ca_file))
    check = ldap.OPT_X_TLS_NEVER if source.allow_self_signed else ldap.OPT_X_TLS_DEMAND
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, check)
    try:
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # the last one: what comes later doesn't count
    except ValueError:  # it is not an LDAPError (docs/directories.md section 2)
        raise _NoAnswer(f"the CA file {source.ca_file} can't be read") from None


def _bind(connection: Any, source: Source, uri: str) -> None:  # noqa: ANN401 - the same
    """Send one simple bind, an anonymous one without bind_dn. The cause is cut off: it might carry the password."""
    try:
        connection.simple_bind_s(source.bind_dn, source.bind_pw.get_secret_value())
    except tuple(REFUSALS) as error:
        who = source.bind_dn or "an anonymous bind"
        raise Refused(f"{uri} refused {who}: {refusal(error)}.") from None


def _reason(error: ldap.LDAPError, source: Source, uri: str, distrust: str) -> str:
    """Say why a URI gave no connection, in words that help where libldap's don't."""
    scheme = urlsplit(uri).scheme
    start_tls = source.start_tls and scheme == "ldap"
    match error:
        case ldap.TIMEOUT():
            return f"no answer within {source.timeout} seconds"
        case ldap.PROTOCOL_ERROR() if start_tls:
            return f"the server did not start TLS, and the password was not sent ({described(error)})"
        case ldap.SERVER_DOWN() | ldap.CONNECT_ERROR() if start_tls or scheme == "ldaps":
            return _DISTRUST.format(why=f" ({distrust})" if distrust else "")
        case ldap.SERVER_DOWN() if scheme == "ldap":
            return f"no connection ({no_connection(uri, float(source.timeout))})"
    return described(error)


def _unbind(connection: Any) -> None:  # noqa: ANN401 - the same
    with contextlib.suppress(ldap.LDAPError):
        connection.unbind_s()
