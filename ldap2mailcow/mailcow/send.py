"""Writes: sends a call and tells, item by item, what became of it.

HTTP 200 proves nothing, and one answer may hold several messages per item, some without its name. So an item is done
only when mailcow confirms it by the call's own code and the item's own name; it is refused only when it surely wasn't
changed; everything between is unknown and has to be read again (docs/mailcow-api.md sections 0, 1, 11 and 19).
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import SecretStr

from ldap2mailcow.http import NoAnswer, Reply
from ldap2mailcow.model import Call

from .client import Mailcow, complaint, parsed, trouble
from .codes import BESIDE_HALF, BESIDE_SUCCESS, ENDS_THE_CALL, Meaning, meaning
from .path import quoted
from .rows import whole_number


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
    made: Mapping[str, int] = field(default_factory=dict)
    """The numbers of aliases that mailcow made besides, by address."""


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    body: object


def _whole(call: Call) -> _Request:
    """`add/…`: the body is the attributes; the item only says what they describe."""
    return _Request(call.endpoint, call.attr)


def _items_and_attr(call: Call) -> _Request:
    return _Request(call.endpoint, {"items": call.items, "attr": call.attr})


def _addresses_and_attr(call: Call) -> _Request:
    """`add/alias`: one alias per address, all with the same attributes."""
    return _Request(call.endpoint, {"address": ",".join(call.items), **call.attr})


def _numbers_and_attr(call: Call) -> _Request:
    return _Request(call.endpoint, {"items": _numbers(call), "attr": call.attr})


def _only_numbers(call: Call) -> _Request:
    """`delete/alias`: the body is the list."""
    return _Request(call.endpoint, _numbers(call))


def _only_items(call: Call) -> _Request:
    """`delete/mailbox`: the body is the list."""
    return _Request(call.endpoint, call.items)


def _numbers(call: Call) -> list[int]:
    """Return the items as numbers; anything else fails, for an address may find another alias (section 0, rule 6)."""
    return [int(item) for item in call.items]


def _tags_of_one(call: Call) -> _Request:
    """`delete/…/tag/…`: the path names the item, the body lists its tags."""
    (item,) = call.items
    return _Request(f"{call.endpoint}/{quoted(item)}", call.attr["tags"])


_FORMS: dict[str, Callable[[Call], _Request]] = {
    "add/alias": _addresses_and_attr,
    "add/mailbox": _whole,
    "edit/mailbox": _items_and_attr,
    "edit/tls_policy": _items_and_attr,
    "delete/alias": _only_numbers,
    "delete/mailbox": _only_items,
    "delete/mailbox/tag": _tags_of_one,
    "edit/alias": _numbers_and_attr,
    "edit/rename-mbox": _items_and_attr,
}
"""How each endpoint wants its request."""

WRITES: frozenset[str] = frozenset(_FORMS)

_BAD = frozenset({"danger", "error"})
_ALIAS_MADE = "alias_added"
_NOT_CONFIRMED = "mailcow didn't confirm it"
_SENDERS = frozenset({"sender_acl", "extended_sender_acl"})
_AFTER_SENDERS = frozenset({"password_complexity", "password_mismatch", "password_empty"})
"""What edit/mailbox checks after it has saved the senders of the same call (docs/mailcow-api.md section 5)."""
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
    """One entry of mailcow's answer to a call."""

    call: Call
    kind: str
    code: str
    arguments: tuple[object, ...]

    @property
    def bad(self) -> bool:
        """True for what keeps an item from being written."""
        return self.kind in _BAD and self.code not in BESIDE_SUCCESS

    @property
    def certain(self) -> bool:
        """True where what it refuses surely wasn't changed."""
        late = self.code in _AFTER_SENDERS and not _SENDERS.isdisjoint(self.call.attr)
        return self.meaning.certain and not late

    @property
    def meaning(self) -> Meaning:
        return meaning(self.code, self.arguments, self.call.endpoint)

    def confirms(self, name: str) -> bool:
        return self.kind == "success" and self.code == self.call.confirms and _is_first(self.arguments, name)

    def names(self, name: str) -> bool:
        return any(_same(argument, name) for argument in self.arguments)


def _is_first(arguments: Sequence[object], name: str) -> bool:
    return bool(arguments) and _same(arguments[0], name)


def _same(argument: object, name: str) -> bool:
    """Tell whether a message names an item; many write `&` and quotes as HTML does (sections 17 h and 18)."""
    return isinstance(argument, str) and name.lower() in {argument.lower(), html.unescape(argument).lower()}


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
    return _told(call, [_message(call, entry) for entry in answer])


def _names(call: Call) -> dict[str, str]:
    """Return what mailcow's messages call each item."""
    return dict(zip(call.items, call.called or call.items, strict=True))


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an answer tells of one item."""

    confirmed: bool
    against: Sequence[_Message]
    """What keeps it from being written whole."""

    @property
    def is_done(self) -> bool:
        return self.confirmed and not self.against

    @property
    def is_refused(self) -> bool:
        return not self.confirmed and bool(self.against) and all(message.certain for message in self.against)


def _told(call: Call, messages: Sequence[_Message]) -> Sent:
    """Tell what became of each item of a call."""
    names = _names(call)
    about = _about_the_only_one if len(names) == 1 else _about_one_of_several
    told = {item: about(name, messages) for item, name in names.items()}
    done = frozenset(item for item, one in told.items() if one.is_done)
    refused = {item: _sentences(one.against) for item, one in told.items() if one.is_refused}
    unknown = frozenset(told).difference(done, refused)
    why = _why_unknown(messages, [names[item] for item in refused]) if unknown else ""
    return Sent(done, refused, unknown, why, _made(call, messages) if done else {})


def _about_the_only_one(name: str, messages: Sequence[_Message]) -> _Verdict:
    """Every message is about the only item, named or not."""
    return _Verdict(_is_confirmed(name, messages), [message for message in messages if message.bad])


def _about_one_of_several(name: str, messages: Sequence[_Message]) -> _Verdict:
    """Of several items only a message that names one is surely about it.

    Where a danger says without a name that something was left out, no success of the call is taken as whole; where one
    ended the call, what isn't told of wasn't written.
    """
    confirmed, bad = _is_confirmed(name, messages), [message for message in messages if message.bad]
    of_all = BESIDE_HALF if confirmed else ENDS_THE_CALL
    named = [message for message in bad if message.names(name)]
    return _Verdict(confirmed, named or [message for message in bad if message.code in of_all])


def _is_confirmed(name: str, messages: Iterable[_Message]) -> bool:
    return any(message.confirms(name) for message in messages)


def _why_unknown(messages: Iterable[_Message], refused: Sequence[str]) -> str:
    """Return what may be about the items that nothing is known of: all that isn't about one that was refused."""
    bad = (message for message in messages if message.bad)
    return _sentences(message for message in bad if not any(map(message.names, refused)))


def _made(call: Call, messages: Iterable[_Message]) -> dict[str, int]:
    """Return the numbers of aliases that were made beside what was asked for: renaming a mailbox does that."""
    if call.confirms == _ALIAS_MADE:
        return {}
    return {
        html.unescape(address).lower(): number
        for message in messages
        if message.kind == "success" and message.code == _ALIAS_MADE
        for address, number in [_alias_made(message.arguments)]
        if number is not None
    }


def _alias_made(arguments: Sequence[object]) -> tuple[str, int | None]:
    """Return the address and the number of an alias that a message tells of; None as the number where it doesn't."""
    address, number, *_ = (*arguments, None, None)
    made = whole_number(number)
    return (address, made) if isinstance(address, str) and made is not None and made > 0 else ("", None)


def _all_unknown(call: Call, why: str) -> Sent:
    return Sent(unknown=frozenset(call.items), why=why)


def _sentences(messages: Iterable[_Message]) -> str:
    return "; ".join(dict.fromkeys(message.meaning.sentence for message in messages)) or _NOT_CONFIRMED


def _bare(answer: object, status: int) -> str:
    """Return what an answer says that isn't a list of messages: mailcow didn't get as far as the items."""
    if isinstance(answer, Mapping) and isinstance(answer.get("msg"), str):
        return meaning(cast("str", answer["msg"])).sentence
    return f"mailcow's answer (HTTP {status}) has a form that is not known"


def _message(call: Call, entry: object) -> _Message:
    """Read one entry; what isn't one becomes a message that confirms nothing."""
    if not isinstance(entry, Mapping):
        return _Message(call, "", "", ())
    said = entry.get("msg")
    parts = tuple(said) if isinstance(said, list) and said else (said,)
    kind, code = entry.get("type"), parts[0]
    return _Message(call, kind if isinstance(kind, str) else "", code if isinstance(code, str) else "", parts[1:])
