"""A plain HTTP client for the web API: what it sends is what the case says, no more."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

SECONDS = 900


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    text: str
    cookie: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - the shape is what the case looks at
        """The body as JSON; None when it is empty."""
        return json.loads(self.text) if self.text else None

    @property
    def said(self) -> list[tuple[str, Any]]:
        """Type and message of each entry of a list."""
        return [(entry["type"], entry["msg"]) for entry in self.json]


class Client:
    """Speaks to one server with one key over one connection; proxies of the environment are not used.

    Args:
        url: ``http://127.0.0.1:8080`` or ``https://mail.example.org``.
        key: sent as ``X-API-Key``; None sends none.
    """

    def __init__(self, url: str, key: str | None) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.netloc, timeout=SECONDS)
        self.key = key
        self.paths: list[str] = []

    def get(self, path: str) -> Answer:
        """Read."""
        return self.send("GET", path)

    def post(self, path: str, body: object) -> Answer:
        """Write, the body as JSON."""
        return self.send("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def edit(self, path: str, item: object, **attr: object) -> Answer:
        """``edit/{path}`` of one item, or of each of a list."""
        return self.post(f"edit/{path}", {"items": item if isinstance(item, list) else [item], "attr": attr})

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Any request; a path that doesn't begin with a slash is below ``/api/v1/``."""
        self.paths.append(path)
        key = {} if self.key is None else {"X-API-Key": self.key}
        target = path if path.startswith("/") else f"/api/v1/{path}"
        self._connection.request(method, target, body, {**key, **(headers or {})})
        response = self._connection.getresponse()
        text = response.read().decode()
        content_type = response.headers.get("Content-Type", "").partition(";")[0]
        return Answer(response.status, content_type, text, response.headers.get("Set-Cookie", ""))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
