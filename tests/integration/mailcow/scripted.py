"""A server that answers what a test tells it to: for what the stand-in for mailcow can't or won't say."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pydantic import SecretStr

from ldap2mailcow.http import Http, Limits
from ldap2mailcow.mailcow import Mailcow

KEY = "AAAAAA-BBBBBB-CCCCCC"


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Say:
    """One answer."""

    body: str | bytes = ""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[Asked], Say | None]
"""Given a request, what to say; None drops the connection without a word."""


class Scripted:
    """A running server: its URL, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []

    @property
    def paths(self) -> list[str]:
        return [asked.path.removeprefix("/api/v1/") for asked in self.asked]


def as_json(value: object) -> Say:
    return Say(json.dumps(value))


def in_turn(*answers: Say | None) -> Answer:
    """Give these answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]


def by_path(answers: Mapping[str, object]) -> Answer:
    """Answer JSON by path; what isn't in the table is unknown to mailcow."""
    return lambda asked: as_json(answers.get(asked.path.removeprefix("/api/v1/"), {}))


@contextmanager
def scripted(answer: Answer, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Scripted]:
    """Run a server on a free port of the loopback interface, with TLS where a certificate and its key are given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: two would wait for an acknowledgement between them

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.asked.append(asked)
            said = answer(asked)
            if said is None:
                self.close_connection = True
                return
            data = said.body if isinstance(said.body, bytes) else said.body.encode()
            self.send_response(said.status)
            headers = {"Content-Type": said.content_type, "Content-Length": str(len(data)), **said.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_CONNECT = _serve  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing on stderr."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    server = Scripted(f"{scheme}://127.0.0.1:{listener.server_address[1]}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def transport(
    url: str,
    *,
    verify: bool | Path = True,
    proxy: str | None = None,
    read: float = 5,
    connect: float = 5,
    whole: float = 10,
    largest: int = 1_000_000,
) -> Http:
    return Http(
        f"{url}/api/v1/",
        headers={"X-API-Key": SecretStr(KEY)},
        verify=verify,
        proxy=proxy,
        limits=Limits(connect, read, read, whole, connections=2, largest=largest),
    )


@contextmanager
def mailcow(answer: Answer) -> Iterator[tuple[Scripted, Mailcow]]:
    """Run a server with these answers and a client for it."""
    with scripted(answer) as server, Mailcow(transport(server.url)) as client:
        yield server, client


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for a name, signed by itself, and its key."""
    file, key = folder / "cert.pem", folder / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    use = "keyUsage=critical,digitalSignature,keyCertSign"  # Python 3.13 asks for it
    names = ["-subj", "/CN=mailcow", "-addext", f"subjectAltName={name}", "-addext", use]
    openssl("req", "-x509", *kind, *names, "-keyout", key, "-out", file)
    return file, key


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
