"""One mailcow: asks it, and tells an answer from everything else that may come back with HTTP 200.

The cases and their texts: docs/mailcow-api.md sections 0 and 1.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from pydantic import SecretStr

from ldap2mailcow.config import Config
from ldap2mailcow.http import Http, Limits, NoAnswer, Reply, Unreachable
from ldap2mailcow.model import MIB

from .codes import meaning, plain
from .errors import Refused, Unavailable
from .retries import tries

_LOG = logging.getLogger(__name__)

_STRIPPED_FROM_KEY = re.compile(r"[^A-Za-z0-9-]")  # by mailcow, before it compares

_MAYBE_ALONE = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of a surrogate: two make a character, a single one is no text and can't be written anywhere."""

_BROKEN = (
    ("Connection to database failed", "mailcow's database doesn't answer; look at the container mysql-mailcow"),
    ("Connection to Redis failed", "mailcow's Redis doesn't answer; look at the container redis-mailcow"),
    ("Connection to dockerapi", "mailcow's dockerapi doesn't answer; look at the container dockerapi-mailcow"),
    ("Preparing", "mailcow is starting, or the container php-fpm-mailcow is down; wait, or look at it"),
)
"""What stands on mailcow's error pages (HTTP 500 and 502), and what it means."""

_SERVER_ERROR = 500
_REFUSALS = frozenset({401, 403})


class Mailcow:
    """A mailcow to ask and to write to; threads may share it. Used in a `with`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._refused = ""

    @classmethod
    def connect(cls, config: Config, *, verify: bool | Path | None = None) -> Self:
        """Make one from the config; nothing is sent yet. `verify` stands in for `mailcow_verify` unless None.

        Raises Refused for a key that can't be one, Unreachable for a CA file or a proxy that can't be used.
        """
        waits = config.mailcow_timeout
        http = Http(
            f"{config.mailcow_url}/api/v1/",
            headers={"X-API-Key": _key(config.mailcow_api_key)},
            verify=config.mailcow_verify if verify is None else verify,
            proxy=config.proxy,
            limits=Limits(
                waits.connect,
                waits.read,
                waits.write,
                waits.whole,
                config.mailcow_connections,
                config.mailcow_max_answer * MIB,
            ),
        )
        return cls(http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str) -> object:
        """Return what `path` (below `/api/v1/`, quoted) answers, read from JSON; tried up to three times.

        Raises Refused, Unavailable, Unreachable or NoAnswer. An empty body is never data: it is what a missing key
        and a crashed call look like.
        """
        try:
            return self._get_once(path)
        except (Unreachable, NoAnswer, Unavailable) as error:
            if error.lasting:
                raise
            failed = error
        return self._get_again(path, failed)

    def post(self, path: str, body: str) -> Reply:
        """Send JSON to `path`, once, and return whatever came back but a refusal.

        Raises Refused; Unreachable when nothing was processed; NoAnswer when that isn't known.
        """
        return self._ask(lambda: self._http.post(path, body), f"POST {path}")

    def _get_once(self, path: str) -> object:
        return _data(self._ask(lambda: self._http.get(path), f"GET {path}"))

    def _get_again(self, path: str, failed: Exception) -> object:
        untold = True
        for attempt in tries(_worth_another_try):
            with attempt:
                if untold:
                    untold = False
                    raise failed  # the try that has been made already
                _LOG.info("trying again, for the last try ended so: %s", failed)
                return self._get_once(path)
        raise AssertionError  # pragma: no cover - the context raises or returns

    def _ask(self, send: Callable[[], Reply], name: str) -> Reply:
        """Send unless we were refused before: who goes on with a wrong key is banned by mailcow's netfilter."""
        if self._refused:
            raise Refused(self._refused)
        reply = send()
        _LOG.debug("%s: %d, %d characters", name, reply.status, len(reply.text))
        if reply.status in _REFUSALS:
            self._refused = _refusal(reply)
            raise Refused(self._refused)
        return reply


def parsed(text: str) -> object:
    """Return JSON's value, or None for what isn't JSON, or holds text that isn't Unicode; so for `null`, too."""
    try:
        value = cast("object", json.loads(text))
        if _MAYBE_ALONE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def complaint(answer: object) -> str:
    """Return the `msg` of a bare `{"type": "error", "msg": …}`, mailcow's answer before it does anything, else ""."""
    if isinstance(answer, Mapping) and answer.get("type") == "error" and isinstance(answer.get("msg"), str):
        return cast("str", answer["msg"])
    return ""


def trouble(reply: Reply) -> str:
    """Return the sentence for a reply that holds no answer of the API, else ""."""
    if reply.status >= _SERVER_ERROR:
        for text, sentence in _BROKEN:
            if text in reply.text:
                return sentence
        return f"mailcow answers with HTTP {reply.status}; see the logs of nginx-mailcow and php-fpm-mailcow"
    if not reply.text.strip():
        return (
            "mailcow gave an empty answer: a call failed inside (see the log of php-fpm-mailcow), "
            "or a proxy before it takes the X-API-Key header away"
        )
    return ""


def _data(reply: Reply) -> object:
    sentence = trouble(reply)
    if sentence:
        raise Unavailable(sentence)
    answer = parsed(reply.text)
    if answer is None and reply.text.strip() != "null":
        raise Unavailable(
            f"what answers at mailcow_host is not mailcow's API (HTTP {reply.status}, {plain(reply.content_type)}), or "
            "its JSON is broken; write the host of mailcow's web interface",
            lasting=True,
        )
    message = complaint(answer)
    if message or reply.status != 200:  # noqa: PLR2004 - HTTP's OK
        said = meaning(message).sentence if message else f"mailcow answers with HTTP {reply.status}"
        raise Unavailable(said, lasting=True)
    return answer


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, Unreachable | NoAnswer | Unavailable) and not error.lasting


def _key(key: SecretStr) -> SecretStr:
    """Return the key as mailcow reads it, so that no stray blank or line end can break the request's header."""
    kept = _STRIPPED_FROM_KEY.sub("", key.get_secret_value())
    if not kept.strip("-"):
        raise Refused(
            "mailcow_api_key holds no letter and no digit; copy the read-write key from mailcow's web interface"
        )
    return SecretStr(kept)


def _refusal(reply: Reply) -> str:
    message = complaint(parsed(reply.text))
    if message.startswith("authentication failed"):
        return (
            "mailcow doesn't accept mailcow_api_key; copy it again and see that it is active there. "
            "Nothing more is sent now, because mailcow bans an address after a few wrong keys"
        )
    if message.startswith("api access denied for ip"):
        address = plain(message.rpartition(" ")[2])
        return f"mailcow doesn't let {address} use its API; add it to the addresses allowed there, beside the key"
    if "read/write" in message:
        return "mailcow_api_key may only read; copy the read-write key"
    said = f" ({plain(message)})" if message else ""
    return f"mailcow, or a proxy before it, refuses us with HTTP {reply.status}{said}; check mailcow_api_key"
