"""Sending what may be sent again: while no connection comes about, nothing was done."""

from __future__ import annotations

from ldap2mailcow.mailcow import Mailcow, Sent, Unreachable, send, tries
from ldap2mailcow.model import Call


class NotDoneError(Exception):
    """Something was refused, or can't be done now, or its outcome stayed unknown; the message says why."""


def send_unless_refused(client: Mailcow, call: Call) -> Sent:
    """Send a call for one item. Raises NotDoneError where mailcow refuses it."""
    sent = send_safely(client, call)
    for sentence in sent.refused.values():
        raise NotDoneError(sentence)
    return sent


def send_safely(client: Mailcow, call: Call) -> Sent:
    """Send a call; again, a few times at most, while no connection comes about: then nothing was done."""
    try:
        return send(client, call)
    except Unreachable as error:
        if error.lasting:
            raise
    for attempt in tries(lambda error: isinstance(error, Unreachable) and not error.lasting):
        with attempt:
            return send(client, call)
    raise AssertionError  # pragma: no cover - the loop returns or raises
