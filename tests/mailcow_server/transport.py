"""HTTP/1.1 on a loopback port: one thread per connection, connections kept open."""

import secrets
import socket
import sys
import threading
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .api import HTML_TYPE, Answer, Request

COOKIE = "MCSESSID"


class Listener(ThreadingHTTPServer):
    """Hands each request to ``answer`` and closes every connection when it stops."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, answer: Callable[[Request], Answer]) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.answer = answer
        self.stopping = threading.Event()
        self.mistakes: list[BaseException] = []
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve a connection in a thread of its own."""
        assert isinstance(request, socket.socket)
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def stop(self) -> None:
        """Stop listening, end what hangs, close every connection and wait for the threads."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            open_connections = dict(self._connections)
        for connection in open_connections.values():
            close_now(connection)
        for thread in open_connections:
            thread.join(timeout=10)
        self.server_close()
        if self.mistakes:
            raise self.mistakes[0]

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the library's names
        """A connection that broke is the client's business; anything else is a mistake of ours, raised by ``stop``."""
        mistake = sys.exception()
        if mistake is not None and not isinstance(mistake, OSError):
            self.mistakes.append(mistake)

    def _serve(self, connection: socket.socket, client_address: object) -> None:
        try:
            self.process_request_thread(connection, client_address)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def handle_any(self) -> None:
        request = Request(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self._read_body(),
            _session_in(self.headers.get("Cookie")),
        )
        answer = self.server.answer(request)
        if answer.hang:
            self.server.stopping.wait()
        if answer.hang or answer.drop:
            self.close_connection = True
            close_now(self.connection)
            return
        self._send(answer, request.session)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = handle_any  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Requests are recorded in the journal, not printed."""

    def version_string(self) -> str:
        return "nginx"

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, answer: Answer, session: str | None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type or HTML_TYPE)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Set-Cookie", f"{COOKIE}={session or secrets.token_hex(13)}; path=/; secure; HttpOnly")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()


def close_now(connection: socket.socket) -> None:
    """End a connection in both directions, whatever state it is in."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _session_in(header: str | None) -> str | None:
    if header is None:
        return None
    try:
        cookie = SimpleCookie(header)
    except CookieError:
        return None
    return cookie[COOKIE].value if COOKIE in cookie else None
