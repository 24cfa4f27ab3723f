"""One API request from its bytes to its answer: key, method, body, call, entries."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import cast
from urllib.parse import parse_qsl, unquote, unquote_plus

from .address_book import rebuilds_of
from .call import Call, End
from .faults import Fault, FaultKind, Faults
from .mailboxes import get_mailboxes_by_tag
from .renaming import SINCE, rename_mailbox
from .routes import read_at, write_at
from .state import State
from .values import Json, JsonObject, UncaughtError, fold, is_empty, listed, split_list

PREFIX = "/api/v1/"
JSON_TYPE, HTML_TYPE = "application/json", "text/html; charset=UTF-8"
WRITING = ("add", "edit", "delete")
PREPARING = b"<html><head><title>Preparing</title></head><body><h1>Preparing</h1></body></html>"
_KEPT_IN_KEYS = re.compile(r"[^a-zA-Z0-9-]")
_FAILURES = {"add": "Cannot add item", "edit": "Cannot edit item", "delete": "Cannot delete item"}
_BEFORE = {
    FaultKind.EMPTY_BODY: (200, JSON_TYPE, b""),
    FaultKind.HTTP_500: (500, HTML_TYPE, b"<html><body><h1>500 Internal Server Error</h1></body></html>"),
    FaultKind.HTTP_502: (502, "text/html", PREPARING),
}
_DATABASE_FAULTS = {FaultKind.DEADLOCK, FaultKind.LOCK_WAIT}


@dataclass(frozen=True)
class Keys:
    """The API keys of a server, each active and from anywhere."""

    read_write: str
    read_only: str

    def kind(self, header: str) -> str:
        """``rw``, ``ro``, ``none`` (not sent or empty) or ``wrong``; odd characters and case do not matter."""
        if is_empty(header):
            return "none"
        key = _KEPT_IN_KEYS.sub("", header).lower()
        if key == self.read_write.lower():
            return "rw"
        return "ro" if key == self.read_only.lower() else "wrong"


@dataclass(frozen=True)
class Request:
    """What came over the wire; the names of the headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    session: str | None = None

    def header(self, name: str) -> str:
        """A header by its name in any case; empty when it was not sent."""
        return self.headers.get(name.lower(), "")

    @property
    def path(self) -> str:
        """The path below ``/api/v1/`` as the API reads it: decoded twice."""
        path = unquote(self.target.partition("?")[0]).removeprefix(PREFIX)
        return unquote_plus(path.partition("&")[0])

    @property
    def tags(self) -> list[str] | None:
        """``?tags=a,b``."""
        tags = dict(parse_qsl(self.target.partition("?")[2])).get("tags", "")
        return tags.split(",") if tags else None

    @property
    def is_json(self) -> bool:
        """Whether the body is declared as JSON; else it is not looked at as such."""
        return JSON_TYPE in self.header("Content-Type")

    def parsed(self) -> Json:
        """The body as JSON; null when it is none."""
        try:
            return cast("Json", json.loads(self.body))
        except ValueError:
            return None

    def form(self) -> JsonObject:
        """The fields ``attr`` and ``items`` of a form post, each JSON in itself."""
        if "application/x-www-form-urlencoded" not in self.header("Content-Type"):
            return {}
        fields = dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return {name: _json_or_none(value) for name, value in fields.items() if name in {"attr", "items"}}


@dataclass(frozen=True)
class Answer:
    """What goes back; ``drop`` closes the connection instead, ``hang`` leaves it silent."""

    status: int = 200
    content_type: str = JSON_TYPE
    body: bytes = b""
    codes: tuple[str, ...] = ()
    drop: bool = False
    hang: bool = False
    crash: UncaughtError | None = None
    full: int = 0
    incremental: int = 0


def respond(state: State, keys: Keys, faults: Faults, request: Request, fault: Fault | None) -> Answer:
    """The answer to one request, faults included; the caller holds the lock."""
    if fault is not None:
        before = _failed_before(fault)
        if before is not None:
            return before
    answer = _respond(state, keys, faults, request, fault)
    if fault is None:
        return answer
    if fault.kind in {FaultKind.EMPTY_BODY_AFTER, FaultKind.HALF_DONE}:
        return replace(answer, status=200, content_type=JSON_TYPE, body=b"", codes=())
    if fault.kind is FaultKind.DROP_AFTER:
        return replace(answer, drop=True)
    return answer


def error(message: str, status: int = 200, content_type: str = JSON_TYPE) -> Answer:
    """The object that the API sends when it does not even look at a call."""
    return _plain({"type": "error", "msg": message}, status, content_type)


def _failed_before(fault: Fault) -> Answer | None:
    if fault.kind in _BEFORE:
        status, content_type, body = _BEFORE[fault.kind]
        return Answer(status, content_type, body)
    if fault.kind is FaultKind.DROP_BEFORE:
        return Answer(drop=True)
    return Answer(hang=True) if fault.kind is FaultKind.HANG else None


def _respond(state: State, keys: Keys, faults: Faults, request: Request, fault: Fault | None) -> Answer:
    kind = keys.kind(request.header("X-API-Key"))
    if kind == "wrong":
        return error("authentication failed", 401, HTML_TYPE)
    if request.headers.get("sec-fetch-dest", "empty") != "empty":
        return Answer(403)
    action, category, obj, extra, *_ = [*request.path.split("/"), "", "", "", ""]
    if action != "get" and request.is_json and request.parsed() is None:
        return error("Request body doesn't contain valid json!", 400)
    if action in WRITING:
        return _write(state, kind, request, fault, (action, category, obj, extra))
    if action != "get":
        return error("route not found", 404)
    if request.method != "GET":
        return error("only GET method is allowed", 405)
    if kind == "none":
        return Answer()
    return _read(Call(state=state, object=obj, extra=extra, tags=request.tags), category, faults)


def _read(call: Call, category: str, faults: Faults) -> Answer:
    handler = read_at(category, call.object)
    if handler is None:
        return error("route not found", 404)
    nothing: Json = {}
    is_reduced = category == "mailbox" and call.object == "reduced"
    if is_reduced and faults.no_reduced:
        call.extra = ""
        return _plain({})
    if category == "mailbox" and call.tags is not None and call.object not in {"all", "reduced", "template"}:
        handler, nothing = get_mailboxes_by_tag, []
    found = handler(call)
    if category == "status" and found is None:
        return _plain(None) if call.object == "containers" else Answer()
    if is_reduced and isinstance(found, list):
        found = found[: max(0, len(found) - faults.rows_missing())]
    return _plain(found or nothing)


def _write(state: State, kind: str, request: Request, fault: Fault | None, path: tuple[str, str, str, str]) -> Answer:
    action, category, obj, extra = path
    if kind == "ro" or (kind == "none" and action != "add"):
        return error("API read/write access denied", 403)
    sent = _sent(request, action)
    if sent is None:
        return error("Cannot find attributes in post data")
    if request.method != "POST":
        return error("only POST method is allowed", 405)
    route = write_at(action, category, obj)
    if route is None or (route.handler is rename_mailbox and state.version < SINCE):
        return error("route not found", 404)
    attributes, items = _before(sent, fault.item) if fault and fault.kind is FaultKind.HALF_DONE else sent
    data = {route.items_as: cast("Json", items), **attributes} if route.items_as else attributes
    if route.items_as == "tags":
        data[route.echo[2].removeprefix("tags_").replace("mailbox", "username")] = extra or None
    call = Call(state=state, data=data, items=items, object=obj, extra=extra, echo=route.echo, fault=fault)
    if kind == "none":
        call.danger("access_denied")
        return _listed(call)
    if fault is not None and fault.kind in _DATABASE_FAULTS and route.handler.__name__ != "edit_mailbox":
        call.danger(call.database_error(fault.item) or "")
        return _listed(call)
    try:
        end = route.handler(call)
    except UncaughtError as crash:
        return Answer(crash=crash)
    full, incremental = rebuilds_of(call, route, end)
    if not call.entries:
        said = error(_FAILURES[action]) if end is End.GIVEN_UP else _plain({"type": "success", "msg": "Task completed"})
    else:
        said = _listed(call)
    return replace(said, full=full, incremental=incremental)


def _sent(request: Request, action: str) -> tuple[JsonObject, list[Json]] | None:
    """The attributes and the items of a write; None when the fields are not there."""
    if request.is_json:
        body = request.parsed()
        if action == "add":
            return (body if isinstance(body, dict) else {}), []
        if action == "delete":
            return {}, listed(body)
        fields = body if isinstance(body, dict) else {}
    else:
        fields = request.form()
        if ("items" if action == "delete" else "attr") not in fields:
            return None
        fields.setdefault("items", [None])
    attributes = fields.get("attr")
    return (dict(attributes) if isinstance(attributes, dict) else {}), listed(fields.get("items"))


def _before(sent: tuple[JsonObject, list[Json]], item: str) -> tuple[JsonObject, list[Json]]:
    """What a write was asked, without this item and those after it; an ``add/alias`` names its items as one text."""
    attributes, items = sent
    kept = list(takewhile(lambda name: fold(str(name)) != fold(item), items))
    if "address" in attributes:
        addresses = takewhile(lambda name: fold(name) != fold(item), split_list(attributes["address"]))
        attributes = {**attributes, "address": ",".join(addresses)}
    return attributes, kept


def _plain(body: Json, status: int = 200, content_type: str = JSON_TYPE) -> Answer:
    codes = (str(body.get("msg")),) if isinstance(body, dict) and "msg" in body and "type" in body else ()
    return Answer(status, content_type, json.dumps(body, ensure_ascii=False).encode(), codes)


def _listed(call: Call) -> Answer:
    entries = cast("list[JsonObject]", call.entries)
    codes = tuple(str(said[0] if isinstance(said, list) else said) for said in (entry["msg"] for entry in entries))
    return Answer(body=json.dumps(call.entries).encode(), codes=codes)


def _json_or_none(value: str) -> Json:
    try:
        return cast("Json", json.loads(value))
    except ValueError:
        return None
