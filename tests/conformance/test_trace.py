"""The calls recorded on a real server, in order from an empty one, give the same answers here."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mailcow_server import MailcowServer

from .client import Client

TRACE = Path(__file__).with_name("mailcow-trace.jsonl")
TIMES = ("created", "modified", "passwd_update")
# Calls whose answer is not the recorded one, each with its reason; a call that matches again leaves the table.
DIFFERENT: dict[int, str] = {}


@dataclass(frozen=True)
class Recorded:
    """A call of the trace; ``key`` is ``rw``, ``ro``, ``bad`` or None."""

    n: int
    why: str
    method: str
    path: str
    body: Any
    key: str | None
    status: int
    type: str
    answer: Any


def recorded_calls() -> list[Recorded]:
    return [Recorded(**json.loads(line)) for line in TRACE.read_text(encoding="utf-8").splitlines()]


def without_times(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without ``log``; a time that is set reads ``(time)``, one that is not stays null."""
    if isinstance(value, dict):
        return {
            name: "(time)" if name in TIMES and inner is not None else without_times(inner)
            for name, inner in value.items()
            if name != "log"
        }
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def asked(client: Client, call: Recorded) -> tuple[int, str, Any]:
    """Status, content type and body of the answer to a recorded call, as its client sent it."""
    body, content_type = call.body, "application/json"
    if isinstance(body, dict) and "raw" in body:
        body, content_type = body["raw"].encode(), body["content_type"]
    elif body is not None:
        body = json.dumps(body).encode()
    answer = client.send(call.method, call.path, body, {"Content-Type": content_type})
    is_json = answer.text.startswith(("{", "["))
    return answer.status, answer.content_type, answer.json if is_json else {"text": answer.text}


@pytest.fixture(scope="module")
def answers() -> dict[int, tuple[int, str, Any]]:
    """The answers of a fresh stand-in to all calls, by number."""
    with MailcowServer() as server:
        keys = {"rw": server.api_key, "ro": server.read_only_key, "bad": "bad", None: None}
        client = Client(server.url, None)
        found = {}
        for call in recorded_calls():
            client.key = keys[call.key]
            found[call.n] = asked(client, call)
        client.close()
    return found


@pytest.mark.parametrize("call", recorded_calls(), ids=lambda call: f"{call.n} {call.why}")
def test_answers_as_recorded(call: Recorded, answers: dict[int, tuple[int, str, Any]]) -> None:
    status, content_type, body = answers[call.n]
    is_same = (status, content_type, without_times(body)) == (call.status, call.type, without_times(call.answer))
    if call.n in DIFFERENT:
        assert not is_same, f"{call.n} is as recorded now: take it out of DIFFERENT"
    else:
        assert (status, content_type, without_times(body)) == (call.status, call.type, without_times(call.answer))


def test_trace_is_whole() -> None:
    assert [call.n for call in recorded_calls()] == list(range(1, 159))


def test_trace_names_no_machine() -> None:
    text = TRACE.read_text(encoding="utf-8")
    assert re.findall(r"/(?:etc|home|opt|root|srv|tmp|usr|var)/|\\Users\\", text) == []
