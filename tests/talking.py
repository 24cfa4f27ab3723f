"""Servers that talk to a client byte by byte, for what no server that speaks a protocol would say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket, threading.Event], None]
"""Is given a client, and an event that is set once the test is over."""

_DRIP = 0.01  # seconds between two bytes


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """Have each client talked to by `talk`; give the port."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            client, _ = listener.accept()
            with client:
                talk(client, over)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join()


def drip_a_handshake(client: socket.socket, over: threading.Event) -> None:
    """Send a TLS record of 16 KiB byte by byte."""
    drip(client, over, b"\x16\x03\x03\x40\x00", b"\x02")


def say_nothing(_client: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def drip(client: socket.socket, over: threading.Event, begin: bytes, drop: bytes) -> None:
    """Send a beginning, and then the same again and again until the client has had enough."""
    with suppress(OSError):
        client.sendall(begin)
        while not over.wait(_DRIP):
            client.sendall(drop)
