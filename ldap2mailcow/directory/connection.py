"""A bound connection to the first server of a directory that answers."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import ldap

from ldap2mailcow.config import Source, is_loopback

from .allowance import Allowance
from .errors import LOST, REFUSALS, Malformed, Refused, Unreachable, described, refusal
from .wire import Wire, trust

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
def connected(source: Source, allowance: Allowance) -> Iterator[tuple[Wire, str]]:
    """Connect and bind; give the connection and its URI, and unbind at the end.

    Raises Refused where a server says no to the bind (no other URI is tried: each try counts towards a lock-out), and
    Unreachable, with a reason for each URI, where none can be used, and where the allowance is used up.
    """
    if source.bind_dn and not source.bind_pw.get_secret_value():
        # RFC 4513 section 5.1.2: a server may take this for an anonymous bind, and answer with less.
        raise Refused(f"The directory {source.name!r} was not asked: bind_dn is set, but bind_pw is empty.")
    reasons = []
    for uri in source.uri:
        try:
            wire = _bound(source, uri, allowance)
        except _NoAnswer as reason:
            reasons.append(f"{uri}: {reason}")
            continue
        with contextlib.closing(wire):
            yield wire, uri
        return
    raise Unreachable(f"No server of the directory {source.name!r} can be used: {'; '.join(reasons)}.")


def _bound(source: Source, uri: str, allowance: Allowance) -> Wire:
    """Return a connection that is bound; raise _NoAnswer, Refused or Unreachable, with nothing left open."""
    is_encrypted = _is_encrypted(source, uri)
    with contextlib.ExitStack() as undo:
        try:
            wire = undo.enter_context(contextlib.closing(_wire(source, uri, allowance)))
            if is_encrypted:
                _encrypt(wire, source, uri)
            _bind(wire, source, uri)
        except ldap.LDAPError as error:
            raise _NoAnswer(_reason(error, source)) from None
        except Malformed:
            raise _NoAnswer("it sends what is not LDAP") from None
        undo.pop_all()
        return wire


def _is_encrypted(source: Source, uri: str) -> bool:
    """Tell whether TLS comes before the bind; raise _NoAnswer where it has to and doesn't."""
    parts = urlsplit(uri)
    is_clear = parts.scheme == "ldap" and not source.start_tls
    if source.require_tls and is_clear and not is_loopback(parts.hostname or ""):
        raise _NoAnswer("not used, because it is not encrypted and require_tls is on: use ldaps:// or start_tls")
    return parts.scheme != "ldapi" and not is_clear


def _wire(source: Source, uri: str, allowance: Allowance) -> Wire:
    try:
        return Wire(uri, allowance)
    except TimeoutError:
        raise _NoAnswer(_silence(source)) from None
    except OSError as error:
        raise _NoAnswer(f"no connection ({error.strerror or error})") from None


def _encrypt(wire: Wire, source: Source, uri: str) -> None:
    """Begin with TLS, or raise _NoAnswer; nothing but StartTLS was sent then."""
    try:
        context = trust(source.ca_file, verify=not source.allow_self_signed)
    except OSError as error:
        why = "holds no certificates" if isinstance(error, ssl.SSLError) else "can't be read"
        raise _NoAnswer(f"the CA file {source.ca_file} {why}") from None
    if urlsplit(uri).scheme == "ldap":
        _start_tls(wire)
    try:
        wire.encrypt(context)
    except TimeoutError:
        raise _NoAnswer(_silence(source)) from None
    except ssl.SSLCertVerificationError as error:
        raise _NoAnswer(_DISTRUST.format(why=f" ({error.verify_message})")) from None
    except OSError:
        raise _NoAnswer(_DISTRUST.format(why="")) from None


def _start_tls(wire: Wire) -> None:
    try:
        wire.start_tls()
    except ldap.TIMEOUT:
        raise
    except LOST:
        raise _NoAnswer(_DISTRUST.format(why="")) from None
    except ldap.LDAPError as error:
        raise _NoAnswer(f"the server did not start TLS, and the password was not sent ({described(error)})") from None


def _bind(wire: Wire, source: Source, uri: str) -> None:
    """Send one simple bind, an anonymous one without bind_dn. The cause is cut off: it might carry the password."""
    try:
        wire.answer(wire.library.simple_bind(source.bind_dn, source.bind_pw.get_secret_value()))
    except tuple(REFUSALS) as error:
        who = source.bind_dn or "an anonymous bind"
        raise Refused(f"{uri} refused {who}: {refusal(error)}.") from None


def _reason(error: ldap.LDAPError, source: Source) -> str:
    """Say why a URI gave no connection, in words that help where libldap's don't."""
    if isinstance(error, ldap.TIMEOUT):
        return _silence(source)
    return "no connection (the server hung up)" if isinstance(error, LOST) else described(error)


def _silence(source: Source) -> str:
    return f"no answer within {source.timeout} seconds"
