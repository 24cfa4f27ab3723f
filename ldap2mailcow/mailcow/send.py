"""Writes: sends a call and tells, item by item, what became of it.

HTTP 200 proves nothing, and one answer may hold several messages per item, some without its name. So an item is done
only when mailcow confirms it by the call's own code and the item's own name; it is refused only when it surely wasn't
changed; everything between is unknown and has to be read again (docs/mailcow-api.md sections 0, 1 and 11).
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import SecretStr

from ldap2mailcow.http import NoAnswer, Reply
from ldap2mailcow.model import Call

from .client import Mailcow, complaint, parsed, trouble
from .codes import BESIDE_SUCCESS, Meaning, meaning
from .path import quoted


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of each item of a call; every item is in exactly one of the three."""

    done: frozenset[str] = frozenset()
    """Confirmed by mailcow."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Surely not changed, each with a sentence that says why and what to do."""
    unknown: frozenset[str] = frozenset()
    """To be read again."""
    why: str = ""
    """What is known about the unknown ones, a sentence; empty where there are none."""


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    body: object


def _whole(call: Call) -> _Request:
    """`add/…`: the body is the attributes; the item only says what they describe."""
    return _Request(call.endpoint, call.attr)


def _items_and_attr(call: Call) -> _Request:
    return _Request(call.endpoint, {"items": call.items, "attr": call.attr})


def _tags_of_one(call: Call) -> _Request:
    """`delete/…/tag/…`: the path names the item, the body lists its tags."""
    (item,) = call.items
    return _Request(f"{call.endpoint}/{quoted(item)}", call.attr["tags"])


_FORMS: dict[str, Callable[[Call], _Request]] = {
    "add/mailbox": _whole,
    "edit/mailbox": _items_and_attr,
    "edit/tls_policy": _items_and_attr,
    "delete/mailbox/tag": _tags_of_one,
}
"""How each endpoint wants its request."""

WRITES: frozenset[str] = frozenset(_FORMS)

_BAD = frozenset({"danger", "error"})
_NOT_CONFIRMED = "mailcow didn't confirm it"
_NOT_PROCESSED = frozenset({400, 404, 405})  # with a bare error: mailcow answers so before it looks at an item


def send(client: Mailcow, call: Call) -> Sent:
    """Send a call, once, and tell what became of its items.

    Raises Refused (the key; the call did nothing) and Unreachable (it did nothing either). Everything else that can
    go wrong is in the result.
    """
    request = _FORMS[call.endpoint](call)
    try:
        reply = client.post(request.path, json.dumps(request.body, default=_revealed))
    except NoAnswer as error:
        return _all_unknown(call, error.sentence)
    return _outcome(call, reply)


def _revealed(value: object) -> object:
    """Take a secret out, for the request only."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(f"a {type(value).__name__} can't be sent to mailcow")


@dataclass(frozen=True, slots=True)
class _Message:
    """One entry of mailcow's answer."""

    kind: str
    code: str
    arguments: tuple[object, ...]

    @property
    def bad(self) -> bool:
        """True for what keeps an item from being written."""
        return self.kind in _BAD and self.code not in BESIDE_SUCCESS

    @property
    def meaning(self) -> Meaning:
        return meaning(self.code, self.arguments)

    def confirms(self, code: str, item: str) -> bool:
        return (
            self.kind == "success" and self.code == code and self.arguments[:1] != () and _same(self.arguments[0], item)
        )

    def names(self, item: str) -> bool:
        return any(_same(argument, item) for argument in self.arguments)


def _same(argument: object, item: str) -> bool:
    """Tell whether a message names an item; `mailbox_added` writes `&` and quotes as HTML does (section 17 h)."""
    return isinstance(argument, str) and item.lower() in {argument.lower(), html.unescape(argument).lower()}


def _outcome(call: Call, reply: Reply) -> Sent:
    sentence = trouble(reply)
    if sentence:
        return _all_unknown(call, sentence)
    answer = parsed(reply.text)
    complained = complaint(answer)
    if complained and reply.status in _NOT_PROCESSED:
        return Sent(refused=dict.fromkeys(call.items, meaning(complained).sentence))
    if not isinstance(answer, list):
        return _all_unknown(call, _bare(answer, reply.status))
    messages = [_message(entry) for entry in answer]
    return _of_one(call, messages) if len(call.items) == 1 else _of_several(call, messages)


def _of_one(call: Call, messages: Sequence[_Message]) -> Sent:
    """Tell the outcome of a call for one item: every message is about it, named or not."""
    (item,) = call.items
    confirmed = any(message.confirms(call.confirms, item) for message in messages)
    against = [message for message in messages if message.bad]
    if confirmed and not against:
        return Sent(done=frozenset(call.items))
    if not confirmed and against and all(message.meaning.certain for message in against):
        return Sent(refused={item: _sentences(against)})
    return _all_unknown(call, _sentences(against))


def _of_several(call: Call, messages: Sequence[_Message]) -> Sent:
    """Tell the outcomes of a call for several items: only a message that names an item is surely about it."""
    done = set()
    refused = {}
    for item in call.items:
        confirmed = any(message.confirms(call.confirms, item) for message in messages)
        against = [message for message in messages if message.bad and message.names(item)]
        if confirmed and not against:
            done.add(item)
        elif not confirmed and against and all(message.meaning.certain for message in against):
            refused[item] = _sentences(against)
    unknown = frozenset(item for item in call.items if item not in done and item not in refused)
    against = [message for message in messages if message.bad and not any(map(message.names, refused))]
    return Sent(frozenset(done), refused, unknown, _sentences(against) if unknown else "")


def _all_unknown(call: Call, why: str) -> Sent:
    return Sent(unknown=frozenset(call.items), why=why)


def _sentences(messages: Sequence[_Message]) -> str:
    return "; ".join(dict.fromkeys(message.meaning.sentence for message in messages)) or _NOT_CONFIRMED


def _bare(answer: object, status: int) -> str:
    """Return what an answer says that isn't a list of messages: mailcow didn't get as far as the items."""
    if isinstance(answer, Mapping) and isinstance(answer.get("msg"), str):
        return meaning(cast("str", answer["msg"])).sentence
    return f"mailcow's answer (HTTP {status}) has a form that is not known"


def _message(entry: object) -> _Message:
    """Read one entry; what isn't one becomes a message that confirms nothing."""
    if not isinstance(entry, Mapping):
        return _Message("", "", ())
    said = entry.get("msg")
    parts = tuple(said) if isinstance(said, list) and said else (said,)
    return _Message(str(entry.get("type")), str(parts[0]), parts[1:])
