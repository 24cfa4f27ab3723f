"""Stands between a client and a real LDAP server, and breaks off after so many of the server's messages.

with Relay(slapd.uri) as relay:
    relay.break_after(7)
    ...
assert relay.has_broken
"""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

from .scripted import Done, encoded

_OPERATIONS = {0x61: "bind", 0x64: "entry", 0x65: "end", 0x73: "reference"}  # RFC 4511 section 4
_SEARCHES = frozenset({"entry", "end", "reference"})
_SEARCH, _END_OF_SEARCH = 0x63, 0x65
_SHORT_LENGTHS = 0x80  # X.690 section 8.1.3: a first octet below it is the length, else tells how many octets it has
_CHUNK = 65536


class Relay:
    """Answers on a loopback port until its `with` block ends.

    messages: what the server has sent through it since `begin`: the operation, and where a search looks.
    has_broken: whether it broke off since then.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self.server = parts.hostname or "", parts.port or 389
        self.messages: list[str] = []
        self.has_broken = False
        self._break_after: int | None = None
        self._code: int | None = None
        self._listener = _Listener(self)
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"ldap://127.0.0.1:{self._listener.server_address[1]}"

    def begin(self) -> None:
        """Let everything through from now on, and count from nought."""
        self.messages, self.has_broken, self._break_after, self._code = [], False, None, None

    def break_after(self, number: int, code: int | None = None) -> None:
        """Break off once after so many messages: close the connection, or end that search with a result code."""
        self.begin()
        self._break_after, self._code = number, code

    def instead_of(self, message: bytes, base: str) -> bytes | None:
        """Return what goes to the client in the place of a message of the server's; None ends the connection.

        `base` is where the search looks that is going on.
        """
        operation = _OPERATIONS.get(_operation(message), "other")
        if self._break_after is not None and len(self.messages) == self._break_after and not self.has_broken:
            self.has_broken = True
            if self._code is None or operation not in _SEARCHES:
                return None
            return encoded(_number(message), Done(self._code), _END_OF_SEARCH)
        self.messages.append(f"{operation} {base}".strip())
        return message


class _Listener(socketserver.ThreadingTCPServer):
    def __init__(self, owner: Relay) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.owner = owner


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        owner = cast("_Listener", self.server).owner
        client = cast("socket.socket", self.request)
        with socket.create_connection(owner.server) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            buffer, base = b"", ""
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    asked = _received(client)
                    if not asked:
                        return
                    base = _base(asked) if _operation(asked) == _SEARCH else base
                    server.sendall(asked)
                if server in ready:
                    answered = _received(server)
                    if not answered:
                        return
                    buffer += answered
                    whole = [*_messages(buffer)]
                    buffer = buffer[sum(map(len, whole)) :]
                    for message in whole:
                        passed = owner.instead_of(message, base)
                        if passed is None:
                            return
                        client.sendall(passed)
                        if passed is not message:
                            break


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_CHUNK)
    except OSError:
        return b""


def _messages(buffer: bytes) -> Iterator[bytes]:
    """Give the whole messages at the head of a buffer."""
    while len(buffer) >= 2:
        start, length = _contents(buffer)
        if start is None or len(buffer) < start + length:
            return
        yield buffer[: start + length]
        buffer = buffer[start + length :]


def _contents(element: bytes) -> tuple[int | None, int]:
    """Return where the contents of a BER element begin and how long they are; None where that isn't there yet."""
    first = element[1]
    if first < _SHORT_LENGTHS:
        return 2, first
    octets = first - _SHORT_LENGTHS
    return (2 + octets if len(element) >= 2 + octets else None), int.from_bytes(element[2 : 2 + octets])


def _number(message: bytes) -> int:
    """Return the number of the request, or of the request that is answered."""
    start, _ = _contents(message)
    assert start is not None
    return int.from_bytes(_value(message[start:]))


def _operation(message: bytes) -> int:
    """Return the tag of what is asked or answered, which comes after the number."""
    return _after_number(message)[0]


def _base(search: bytes) -> str:
    """Return where a search looks: the first thing in it."""
    operation = _after_number(search)
    start, _ = _contents(operation)
    return _value(operation[start:]).decode()


def _after_number(message: bytes) -> bytes:
    start, _ = _contents(message)
    assert start is not None
    number = message[start:]
    return number[len(_value(number)) + 2 :]


def _value(element: bytes) -> bytes:
    """Return the contents of the BER element at the head of some bytes."""
    start, length = _contents(element)
    assert start is not None
    return element[start : start + length]
