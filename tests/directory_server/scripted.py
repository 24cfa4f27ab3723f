"""An LDAP server that answers as a script says, for what no real server here does (docs/directories.md section 9).

def script(search: Search) -> Iterator[Reply]:
    yield Found("uid=anna,dc=example,dc=org", {"mail": [b"anna@example.org"]})
    yield End.DROP

with ScriptedServer(script) as server:
    ...
assert server.binds == 1
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self, cast

from pyasn1.codec.ber import decoder  # type: ignore[import-untyped]
from pyasn1.error import PyAsn1Error, SubstrateUnderrunError  # type: ignore[import-untyped]
from pyasn1.type import namedtype, univ  # type: ignore[import-untyped]
from pyasn1_modules import rfc2251  # type: ignore[import-untyped]

_INTEGER, _OCTET_STRING, _ENUMERATED, _SEQUENCE, _SET = 0x02, 0x04, 0x0A, 0x30, 0x31
PAGED_RESULTS = "1.2.840.113556.1.4.319"  # RFC 2696
MESSAGE_WITHOUT_END = b"\x30\x84\x03\xff\x00\x00"
"""The beginning of a message of 67 megabytes."""
_DRIP_SECONDS = 0.01
_CLIENT_SECONDS = 30.0  # a client that neither asks nor hangs up for so long has been forgotten by its test


@dataclass(frozen=True, slots=True)
class Bind:
    """A bind request."""

    dn: str
    password: bytes


@dataclass(frozen=True, slots=True)
class Search:
    """A search request; `page_size` is None where it doesn't ask for pages."""

    base: str
    scope: int
    compared: frozenset[str]
    """The attributes whose values its filter names."""
    attributes: tuple[str, ...]
    time_limit: int
    controls: frozenset[str]
    page_size: int | None
    cookie: bytes


@dataclass(frozen=True, slots=True)
class Extended:
    """An extended request such as StartTLS."""

    oid: str


@dataclass(frozen=True, slots=True)
class Unbind:
    """The client's good-bye."""


@dataclass(frozen=True, slots=True)
class Found:
    """Reply: an entry. A lone surrogate in a text of any reply stands for a byte that isn't UTF-8 (PEP 383)."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """Reply: look there too (RFC 4511 section 4.5.3)."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Reply: the end of an operation; a `cookie` adds the control of RFC 2696 (empty on the last page).

    `page` is that control's value as it stands, for one that isn't of its form.
    """

    code: int = 0
    text: str = ""
    matched: str = ""
    cookie: bytes | None = None
    page: bytes | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Reply: these bytes."""

    data: bytes


class End(Enum):
    """Reply: no proper end."""

    DROP = auto()  # close the connection
    SILENCE = auto()  # say nothing more, keep the connection
    DRIP = auto()  # a message without end, byte by byte


Request = Bind | Search | Extended | Unbind
Reply = Found | Reference | Done | Raw | End
_DONE_TAGS: Mapping[type[Request], int] = {Bind: 0x61, Search: 0x65, Extended: 0x78}  # RFC 4511 section 4

Script = Callable[[Search], Iterable[Reply]]


class ScriptedServer:
    """Answers on a loopback port until its `with` block ends; then `requests` is complete.

    script: given each search but the one for the root DSE, yields its replies.
    bind: the reply to every bind (None = success).
    extended: the reply to StartTLS and the like (None = protocolError, as from a server that doesn't know it).
    supported: what the root DSE says in supportedControl; None = there is no root DSE to be read.
    root: what else the root DSE says.
    """

    def __init__(
        self,
        script: Script,
        *,
        bind: Done | Raw | End | None = None,
        extended: Done | Raw | End | None = None,
        supported: Sequence[str] | None = (),
        root: Mapping[str, Sequence[bytes]] | None = None,
    ) -> None:
        self.script = script
        self.bind = bind or Done()
        self.extended = extended or Done(2, "unsupported extended operation")
        self.supported = supported
        self.root = root or {}
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._server = _Listener(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"ldap://127.0.0.1:{self._server.server_address[1]}"

    @property
    def binds(self) -> int:
        """How many binds it was sent."""
        return sum(isinstance(request, Bind) for request in self.requests)

    @property
    def searches(self) -> list[Search]:
        """The searches it was sent, but the one for the root DSE."""
        return [request for request in self.requests if isinstance(request, Search) and request.base]

    def replies(self, request: Bind | Search | Extended) -> Iterable[Reply]:
        """Return what is answered to a request."""
        if isinstance(request, Extended):
            return (self.extended,)
        if isinstance(request, Bind):
            return (self.bind,)
        if request.base:
            return self.script(request)
        if self.supported is None:
            return (Done(32),)
        controls = [name.encode() for name in self.supported]
        return (Found("", {"supportedControl": controls, **self.root}), Done())


def pages(entries: Sequence[Found]) -> Script:
    """Return the script of a server that does as RFC 2696 says; its cookie is the number of entries sent."""

    def script(search: Search) -> Iterator[Reply]:
        if search.page_size is None:
            yield from entries
            yield Done()
            return
        start = int(search.cookie or b"0")
        end = start + search.page_size
        yield from entries[start:end]
        yield Done(cookie=str(end).encode() if end < len(entries) else b"")

    return script


class _Listener(socketserver.ThreadingTCPServer):
    def __init__(self, owner: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.owner = owner


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        owner = cast("_Listener", self.server).owner
        self.request.settimeout(_CLIENT_SECONDS)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a reply is small, and sent by itself
        for number, request in self._requests():
            owner.requests.append(request)
            if isinstance(request, Unbind):
                return
            for reply in owner.replies(request):
                if reply is End.SILENCE:
                    owner.closing.wait(_CLIENT_SECONDS)
                if reply is End.DRIP:
                    self._drip(owner.closing)
                if isinstance(reply, End):
                    return
                try:
                    self.request.sendall(encoded(number, reply, _DONE_TAGS[type(request)]))
                except OSError:
                    return  # the client has had enough

    def _drip(self, closing: threading.Event) -> None:
        with contextlib.suppress(OSError):  # the client has had enough
            self.request.sendall(MESSAGE_WITHOUT_END)
            while not closing.wait(_DRIP_SECONDS):
                self.request.sendall(b"\0")

    def _requests(self) -> Iterator[tuple[int, Request]]:
        buffer = b""
        while received := self._receive():
            buffer += received
            while buffer:
                try:
                    message, buffer = decoder.decode(buffer, asn1Spec=rfc2251.LDAPMessage())
                except SubstrateUnderrunError:
                    break  # the rest of the message is still under way
                except PyAsn1Error:
                    return  # not LDAP: the beginning of a TLS handshake
                yield int(message["messageID"]), _understood(message)

    def _receive(self) -> bytes:
        try:
            return cast("bytes", self.request.recv(65536))
        except OSError:
            return b""


class _PageValue(univ.Sequence):  # type: ignore[misc]  # pyasn1 has no types
    componentType = namedtype.NamedTypes(  # noqa: N815 - pyasn1's name
        namedtype.NamedType("size", univ.Integer()), namedtype.NamedType("cookie", univ.OctetString())
    )


def _understood(message: Any) -> Request:  # noqa: ANN401 - pyasn1 has no types
    kind = message["protocolOp"].getName()
    body = message["protocolOp"].getComponent()
    if kind == "bindRequest":
        return Bind(str(body["name"]), bytes(body["authentication"]["simple"]))
    if kind == "searchRequest":
        return _search(body, message["controls"])
    if kind == "extendedReq":
        return Extended(str(body["requestName"]))
    return Unbind()


def _search(body: Any, controls: Any) -> Search:  # noqa: ANN401 - the same
    values = {str(control["controlType"]): control["controlValue"] for control in controls}
    size, cookie = None, b""
    if PAGED_RESULTS in values:
        page, _ = decoder.decode(bytes(values[PAGED_RESULTS]), asn1Spec=_PageValue())
        size, cookie = int(page["size"]), bytes(page["cookie"])
    return Search(
        base=str(body["baseObject"]),
        scope=int(body["scope"]),
        compared=frozenset(_compared(body["filter"])),
        attributes=tuple(str(name) for name in body["attributes"]),
        time_limit=int(body["timeLimit"]),
        controls=frozenset(values),
        page_size=size,
        cookie=cookie,
    )


def _compared(assertion: Any) -> Iterator[str]:  # noqa: ANN401 - the same
    kind, inner = assertion.getName(), assertion.getComponent()
    if kind in ("and", "or"):
        for each in inner:
            yield from _compared(each)
    elif kind == "equalityMatch":
        yield str(inner["attributeDesc"])


def encoded(number: int, reply: Found | Reference | Done | Raw, done_tag: int) -> bytes:
    """Return an LDAPMessage (RFC 4511 section 4.1.1)."""
    match reply:
        case Raw():
            return reply.data
        case Found():
            pairs = ((name, [_octets(value) for value in values]) for name, values in reply.attributes.items())
            attributes = [_tlv(_SEQUENCE, _octets(name), _tlv(_SET, *values)) for name, values in pairs]
            body = _tlv(0x64, _octets(reply.dn), _tlv(_SEQUENCE, *attributes))
        case Reference():
            body = _tlv(0x73, *(_octets(url) for url in reply.urls))
        case Done():
            body = _tlv(done_tag, _tlv(_ENUMERATED, bytes([reply.code])), _octets(reply.matched), _octets(reply.text))
    parts = [_tlv(_INTEGER, number.to_bytes(4)), body]
    page = reply.page if isinstance(reply, Done) else None
    if isinstance(reply, Done) and reply.cookie is not None:
        page = _tlv(_SEQUENCE, _tlv(_INTEGER, b"\0"), _octets(reply.cookie))
    if page is not None:
        parts.append(_tlv(0xA0, _tlv(_SEQUENCE, _octets(PAGED_RESULTS), _octets(page))))
    return _tlv(_SEQUENCE, *parts)


def _octets(value: str | bytes) -> bytes:
    return _tlv(_OCTET_STRING, value.encode(errors="surrogateescape") if isinstance(value, str) else value)


def _tlv(tag: int, *parts: bytes) -> bytes:
    """Return one BER element; the length always in the long form of four octets, which is allowed."""
    body = b"".join(parts)
    return bytes([tag, 0x84]) + len(body).to_bytes(4) + body
