"""The record of every request, in order."""

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from .values import Json, JsonObject


@dataclass(frozen=True)
class LoggedRequest:
    """One request as it came and how it was answered.

    Attributes:
        number: 1 is the first.
        method: ``GET``, ``POST``…
        path: below ``/api/v1/``, as the API reads it.
        body: what was sent, passwords as ``*``; text where it was no JSON.
        items: the addresses, domains and numbers it names.
        is_write: whether it is an add, edit or delete.
        key: ``rw``, ``ro``, ``none`` or ``wrong``.
        status: the HTTP status; None when the connection was closed without an answer.
        codes: the code of each entry of the answer.
        fault: the knob that hit it, empty when none did.
        full: full rebuilds of the address book that it cost.
        incremental: incremental ones.
    """

    number: int
    method: str
    path: str
    body: Json
    items: tuple[str, ...]
    is_write: bool
    key: str
    status: int | None
    codes: tuple[str, ...]
    fault: str
    full: int
    incremental: int

    def as_json(self) -> JsonObject:
        """The same as plain data."""
        return cast("JsonObject", asdict(self)) | {"items": list(self.items), "codes": list(self.codes)}


class Journal:
    """Requests in order, also written to a file line by line when one is given."""

    def __init__(self, file: Path | None = None) -> None:
        self._requests: list[LoggedRequest] = []
        self._lock = threading.Lock()
        self._file = None if file is None else file.open("a", encoding="utf-8")

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(list(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def __getitem__(self, index: int) -> LoggedRequest:
        return self._requests[index]

    def add(self, request: LoggedRequest) -> None:
        """Record a request; its number is set here."""
        with self._lock:
            numbered = replace(request, number=len(self._requests) + 1)
            self._requests.append(numbered)
            if self._file is not None:
                self._file.write(json.dumps(numbered.as_json()) + "\n")
                self._file.flush()

    def writes(self, path: str = "", item: str = "") -> list[LoggedRequest]:
        """The writes whose path begins so and that name this item."""
        return [
            request
            for request in self
            if request.is_write
            and request.path.startswith(path)
            and (not item or item.lower() in {name.lower() for name in request.items})
        ]

    def clear(self) -> None:
        """Forget what was recorded; the file stays."""
        with self._lock:
            self._requests.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def without_passwords(body: Json) -> Json:
    """A body with each field whose name has ``pass`` in it as ``*``."""
    if isinstance(body, dict):
        return {name: "*" if "pass" in name.lower() else without_passwords(value) for name, value in body.items()}
    if isinstance(body, list):
        return [without_passwords(value) for value in body]
    return body
