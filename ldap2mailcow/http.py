"""HTTP to mailcow: the one module that imports httpx.

It knows connections, certificates and time limits, and nothing of what the answers mean. What it raises tells the one
thing that matters to a caller who writes: was the request surely not processed (`Unreachable`), or may it have been
(`NoAnswer`)?
"""

from __future__ import annotations

import logging
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from ldap2mailcow.deadline import within

for _name in ("httpx", "httpcore"):  # httpx tells every URL at INFO, httpcore every step at DEBUG
    logging.getLogger(_name).setLevel(logging.WARNING)

_KEEP_ALIVE = 4.0  # seconds: shorter than the 5 after which Apache, often a proxy before mailcow, drops a connection

# X509_V_ERR_..., https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_OUT_OF_DATE = frozenset({9, 10})  # not yet valid, has expired
_OTHER_NAME = frozenset({62, 64})  # host name mismatch, IP address mismatch


class TransportError(Exception):
    """A request without an answer; the message is a sentence that says what to do, and holds no secret."""

    def __init__(self, sentence: str, *, lasting: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.lasting = lasting
        """True where trying again at once can't help: a certificate, a redirect, a proxy."""


class Unreachable(TransportError):  # noqa: N818 - a word of the design
    """The request was surely not processed: no connection, no trust in it, or a redirect instead of an answer."""


class NoAnswer(TransportError):  # noqa: N818 - a word of the design
    """Sent, and then nothing: whether the request was processed isn't known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the media type without parameters, and the body as text.

    JSON is UTF-8 (RFC 8259 section 8.1), so whatever charset the answer names isn't looked at.
    """

    status: int
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds, how many connections may be open at once, and how large an answer may be."""

    connect: float
    read: float
    """How long a GET may wait for its answer, and for each part of it."""
    write: float
    """How long a POST may wait for its answer."""
    whole: float
    """How long a GET may take from its beginning to the end of its answer."""
    connections: int
    largest: int
    """Bytes of an answer, unpacked."""


class Http:
    """Requests below one URL; threads may share it. Used in a `with`, or closed by hand."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, SecretStr],
        verify: bool | Path,
        proxy: str | None,
        limits: Limits,
    ) -> None:
        """Make the client; nothing is sent yet.

        `verify` is True (the authorities of the system and of certifi), False, or a file with the only authorities
        to trust. `proxy` is a URL: those of the environment are not used. Raises Unreachable for a CA file or a
        proxy that can't be used.
        """
        self._limits = limits
        uses_tls = "https:" in f"{base_url} {proxy}".lower()  # without it, loading authorities is time lost
        trust = _trust(verify) if uses_tls else False

        def client() -> httpx.Client:
            return httpx.Client(
                base_url=base_url,
                headers={
                    **{name: value.get_secret_value() for name, value in headers.items()},
                    "Accept-Encoding": "gzip",
                },
                verify=trust,
                proxy=proxy,
                # A cookie that goes back would show the errors of one call in the answer of the next
                # (docs/mailcow-api.md section 1), so none is kept.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                event_hooks={"response": [_refuse_redirect]},
                trust_env=False,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEEP_ALIVE),
            )

        with _usable_proxy():
            self._lines = [_Line(client) for _ in range(limits.connections)]
        # One client a connection, lent to one thread at a time: threads that share a client's pool now and then
        # close each other's connections in it (seen with httpcore 1.0.9: 'Bad file descriptor').
        self._free: LifoQueue[_Line] = LifoQueue()
        for line in self._lines:
            self._free.put(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            line.client.close()

    def get(self, path: str) -> Reply:
        """GET a path below the URL, already quoted. Raises Unreachable or NoAnswer."""
        return self._ask("GET", path, self._limits.read)

    def post(self, path: str, body: str) -> Reply:
        """POST JSON to a path below the URL, already quoted. Raises Unreachable or NoAnswer."""
        return self._ask("POST", path, self._limits.write, body)

    def _ask(self, method: str, path: str, answer: float, body: str | None = None) -> Reply:
        whole = max(self._limits.whole, answer) if body is None else self._limits.connect + answer
        timeout = httpx.Timeout(self._limits.read, connect=self._limits.connect, read=answer)
        headers = None if body is None else {"Content-Type": "application/json"}
        with self._lent() as line, _own_errors(line.host):
            request = line.client.build_request(
                method,
                path,
                content=None if body is None else body.encode(),
                headers=headers,
                timeout=timeout,
                extensions={"trace": line.trace},
            )
            try:
                return within(whole, lambda: _exchange(line.client, request, self._limits.largest))
            except TimeoutError:
                raise line.cut() from None

    @contextmanager
    def _lent(self) -> Iterator[_Line]:
        """Lend a client, after waiting for one where all are in use."""
        line = self._free.get()
        try:
            yield line
        finally:
            self._free.put(line)


class _Line:
    """A client with one connection, which can be cut from outside: httpx has time limits for each part alone."""

    def __init__(self, make: Callable[[], httpx.Client]) -> None:
        self._make = make
        self._stream: Any = None
        self.client = make()
        self.host = self.client.base_url.netloc.decode("ascii")

    def trace(self, event: str, details: Mapping[str, Any]) -> None:
        """Keep the stream of the present connection (httpcore's extension `trace`)."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = details["return_value"]

    def cut(self) -> TransportError:
        """End whatever the client does just now, take a new one, and return what to say."""
        stream, self._stream, self.client = self._stream, None, self._make()
        if stream is None:
            return Unreachable(_no_connection_in_time(self.host))
        with suppress(OSError):  # not SSLSocket's own, which another thread can't use
            socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)
        return NoAnswer(f"{self.host} didn't end its answer in time; mailcow may be busy, or mailcow_timeout too short")


def _exchange(client: httpx.Client, request: httpx.Request, largest: int) -> Reply:
    response = client.send(request, stream=True)
    try:
        body = _body(response, largest)
    finally:
        response.close()
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Reply(response.status_code, media_type, body.decode(errors="replace"))


def _body(response: httpx.Response, largest: int) -> bytes:
    """Return the body, unpacked; httpx's own unpacking has no limit."""
    unpacked = _unpacking(response.headers.get("Content-Encoding", "").strip().lower())
    body = bytearray()
    for chunk in response.iter_raw():
        body += unpacked(chunk, largest + 1 - len(body))
        if len(body) > largest:
            raise NoAnswer(
                f"mailcow's answer is larger than {largest:,} bytes; raise mailcow_max_answer if it has so much to say",
                lasting=True,
            )
    return bytes(body)


def _unpacking(encoding: str) -> Callable[[bytes, int], bytes]:
    """Return what unpacks a part of a body, to so many bytes at most."""
    if encoding in ("", "identity"):
        return lambda data, most: data[:most]
    if encoding == "gzip":
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress  # 16: with gzip's header
    raise NoAnswer(
        "mailcow's answer is packed in a way that was not asked for; look at the proxy before it", lasting=True
    )


def _trust(verify: bool | Path) -> ssl.SSLContext | bool:  # noqa: FBT001 - a setting of three kinds, not a flag
    if verify is False:
        return False
    if verify is True:
        context = httpx.create_ssl_context(trust_env=False)  # certifi's, for systems without a store
        context.load_default_certs()  # the system's, where a company's own authority is installed
        return context
    try:
        return ssl.create_default_context(cafile=verify)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no certificates in it"
        raise Unreachable(
            f"mailcow_verify names {verify}, which can't be used as a CA file ({reason}); "
            "it must be readable and hold certificates in PEM form",
            lasting=True,
        ) from error


@contextmanager
def _usable_proxy() -> Iterator[None]:
    """Turn what httpx says of a proxy URL into our words; its own could quote a password."""
    try:
        yield
    except (ValueError, ImportError, httpx.InvalidURL):
        raise Unreachable(
            "proxy is not a URL that can be used; write http://host:port or https://host:port", lasting=True
        ) from None


def _refuse_redirect(response: httpx.Response) -> None:
    """Raise Unreachable for a redirect, before httpx tries to understand it."""
    if not response.has_redirect_location:
        return
    try:
        target = response.request.url.join(response.headers["Location"])
    except (httpx.InvalidURL, ValueError):
        target = httpx.URL()
    if target.scheme in ("http", "https") and target.host:
        place, remedy = f"{target.scheme}://{target.netloc.decode('ascii')}", "write the host it points to"
    else:
        place, remedy = "what is no web address", "write the host of mailcow's web interface"
    raise Unreachable(f"mailcow_host answers with a redirect to {place}; {remedy}", lasting=True)


@contextmanager
def _own_errors(host: str) -> Iterator[None]:
    """Turn httpx's errors into the two of ours. Nothing of the request but its host and port is told."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _not_connected(error, host) from error
    except httpx.ProxyError as error:
        raise Unreachable(f"the proxy lets nobody through to {host} ({error}); check proxy", lasting=True) from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError):
        # its text quotes headers, the key among them
        raise Unreachable(f"no valid request to {host} could be made", lasting=True) from None
    except httpx.TimeoutException as error:
        raise NoAnswer(f"{host} didn't answer in time; mailcow may be busy, or mailcow_timeout too short") from error
    except zlib.error as error:
        raise NoAnswer(f"the answer of {host} is packed in a broken way; look at the proxy before it") from error
    except httpx.HTTPError as error:
        raise NoAnswer(f"the connection to {host} broke before the answer was there ({_reason(error)})") from error


def _not_connected(error: httpx.HTTPError, host: str) -> Unreachable:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(_distrusted(cause, host), lasting=True)
        if isinstance(cause, ssl.SSLError):
            return Unreachable(
                f"no TLS connection to {host} ({cause.reason or cause}); check that mailcow_host names an HTTPS port",
                lasting=True,
            )
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"{host} can't be resolved ({cause.strerror}); check mailcow_host and the DNS")
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(_no_connection_in_time(host))
    return Unreachable(f"no connection to {host} ({_reason(error)}); check mailcow_host and that mailcow is running")


def _no_connection_in_time(host: str) -> str:
    return f"no connection to {host} in time; check mailcow_host and the firewalls between"


def _distrusted(error: ssl.SSLCertVerificationError, host: str) -> str:
    start = f"the certificate of {host} is not trusted ({error.verify_message})"
    if error.verify_code in _OUT_OF_DATE:
        return f"{start}; renew it, or correct the clock of this machine"
    if error.verify_code in _OTHER_NAME:
        return f"{start}; write a name that stands in the certificate as mailcow_host"
    return f"{start}; set mailcow_verify to the file of the authority that signed it"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error to what it came from, httpx wrapping httpcore wrapping the socket's own."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _reason(error: httpx.HTTPError) -> str:
    """Return the innermost reason in the system's words, e.g. 'Connection refused'."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(error) or type(error).__name__
