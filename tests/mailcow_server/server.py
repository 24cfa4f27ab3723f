"""The server as a test uses it: a thread, a URL, its state, its knobs and its journal."""

import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from .address_book import rebuild
from .api import JSON_TYPE, WRITING, Answer, Keys, Request, error, respond
from .clock import Clock
from .faults import Costs, Faults, names_in
from .journal import Journal, LoggedRequest, without_passwords
from .state import DomainLimits, State
from .transport import Listener
from .values import Json, JsonObject, UncaughtError, text

API_KEY = "AAAAAA-BBBBBB-CCCCCC-DDDDDD-EEEEEE"
READ_ONLY_KEY = "RRRRRR-BBBBBB-CCCCCC-DDDDDD-EEEEEE"
CONTROL = "/_control"
LONGEST_TARGET = 8177  # the web server in front takes a request line of 8 KiB


class MailcowServer:
    """A mailcow web API on 127.0.0.1, running between ``start`` and ``stop`` or inside a ``with`` block.

    Args:
        domains: names, or `DomainLimits` where the limits matter.
        port: 0 takes a free one.
        api_key: the key that may write.
        read_only_key: the key that may only read.
        clock: the server's time.
        log_file: where the journal is also written, a JSON object per line.
        state_file: loaded at the start if it is there, saved after each write.
        control: whether ``/_control`` answers (see `__main__`).
    """

    def __init__(
        self,
        domains: Iterable[str | DomainLimits] = (),
        *,
        port: int = 0,
        api_key: str = API_KEY,
        read_only_key: str = READ_ONLY_KEY,
        clock: Clock | None = None,
        log_file: Path | None = None,
        state_file: Path | None = None,
        control: bool = False,
    ) -> None:
        self.api_key = api_key
        self.read_only_key = read_only_key
        self.clock = clock or Clock()
        self.state = State(self.clock)
        self.faults = Faults()
        self.costs = Costs()
        self.log = Journal(log_file)
        self._keys = Keys(api_key, read_only_key)
        self._state_file = state_file
        self._control = control
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._crashes: dict[str, UncaughtError] = {}
        if state_file is not None and state_file.exists():
            self.state = State.from_snapshot(self.clock, json.loads(state_file.read_text(encoding="utf-8")))
        for domain in domains:
            limits = domain if isinstance(domain, DomainLimits) else DomainLimits(domain)
            if limits.name not in self.state.domains:
                self.state.add_domain(limits)
        self._listener = Listener(port, self._answer)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, what a configuration calls the mailcow host."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and end the threads."""
        self._listener.stop()
        self._thread.join()
        self.log.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def snapshot(self, *, secrets: bool = True) -> JsonObject:
        """All that is held, as plain data to compare; see `State.snapshot`."""
        with self._lock:
            return self.state.snapshot(secrets=secrets)

    def _answer(self, request: Request) -> Answer:
        if request.target.startswith(CONTROL):
            return self._answer_control(request)
        if not request.target.startswith("/api/v1/"):
            return error("route not found", 404)
        if len(request.target) > LONGEST_TARGET:
            return Answer(414, "text/html", b"<html><body><h1>414 Request-URI Too Large</h1></body></html>")
        if self.faults.latency:
            time.sleep(self.faults.latency)
        if request.path.split("/")[0] in WRITING:
            with self._write_lock:
                return self._answer_api(request, is_write=True)
        return self._answer_api(request, is_write=False)

    def _answer_api(self, request: Request, *, is_write: bool) -> Answer:
        body = request.parsed() if request.is_json else request.form()
        items = tuple(names_in(request.path.split("/")[0], body))
        fault = self.faults.strike(request.path, items, is_write=is_write)
        with self._lock:
            answer = respond(self.state, self._keys, self.faults, request, fault)
            if is_write and self._state_file is not None:
                self._save(self._state_file)
        rebuild(self.costs, self.faults, answer.full, answer.incremental)
        self.log.add(
            LoggedRequest(
                number=0,
                method=request.method,
                path=request.path,
                body=without_passwords(body),
                items=items,
                is_write=is_write,
                key=self._keys.kind(request.header("X-API-Key")),
                status=None if answer.drop or answer.hang else answer.status,
                codes=answer.codes,
                fault="" if fault is None else fault.kind.value,
                full=answer.full,
                incremental=answer.incremental,
            )
        )
        return self._with_earlier_crash(request, answer)

    def _with_earlier_crash(self, request: Request, answer: Answer) -> Answer:
        """With the cookie sent back, a crash shows at the head of the next call's entries (mailcow API facts §1)."""
        if request.session is None:
            return answer
        crash = self._crashes.pop(request.session, None)
        if answer.crash is not None:
            self._crashes[request.session] = answer.crash
        if crash is None or not answer.body.startswith(b"["):
            return answer
        entry: Json = {
            "type": "danger",
            "log": ["exception_handler"],
            "msg": ["mysql_error", {"errorInfo": ["23000", crash.code, crash.reason]}],
        }
        entries = [entry, *json.loads(answer.body)]
        return Answer(answer.status, answer.content_type, json.dumps(entries).encode(), answer.codes)

    def _answer_control(self, request: Request) -> Answer:
        if not self._control:
            return error("route not found", 404)
        wanted = request.target.removeprefix(CONTROL).strip("/")
        if request.method == "POST":
            knobs = request.parsed()
            if not isinstance(knobs, dict):
                return error("Request body doesn't contain valid json!", 400)
            self._turn(knobs)
        found: dict[str, Json] = {"costs": self.costs.as_json()}
        if wanted == "log":
            found = {"log": [entry.as_json() for entry in self.log]}
        elif wanted == "state":
            found = {"state": self.snapshot(secrets=False)}
        return Answer(200, JSON_TYPE, json.dumps(found).encode())

    def _turn(self, knobs: JsonObject) -> None:
        self.faults.set_from(knobs)
        if "clock" in knobs:
            self.clock.set(text(knobs["clock"]))
        if "advance" in knobs:
            self.clock.advance(float(text(knobs["advance"])))
        if "reset" in knobs:
            self.costs.reset()
            self.log.clear()

    def _save(self, file: Path) -> None:
        unfinished = file.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(self.state.snapshot()), encoding="utf-8")
        os.replace(unfinished, file)  # noqa: PTH105 - the word says that it is one step
