"""One mailbox gets another name: several requests, each of them certain before the next.

Whatever ends this in the middle, the intent that was written before it lets the next run go on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ldap2mailcow.calls import Request, alias_left, requests_of
from ldap2mailcow.mailcow import Mailcow, Sent, mail_store_trouble, tries
from ldap2mailcow.model import Outcome, RenameChange

from .live import Now
from .sending import NotDoneError, send_unless_refused

_LOG = logging.getLogger(__name__)


def rename(client: Mailcow, change: RenameChange) -> Outcome:
    """Rename a mailbox, the alias at its old address included.

    Raises what `Mailcow.get` raises, Unreadable.
    """
    if trouble := mail_store_trouble(client):
        return Outcome(change, done=False, detail=trouble)
    made: dict[str, int] = {}
    try:
        for request in requests_of(change)[:-1]:
            made |= _ensure(client, request, lambda: mail_store_trouble(client)).made
    except NotDoneError as error:
        return Outcome(change, done=False, detail=str(error))
    _keep_alias(client, change, made.get(change.former))
    return Outcome(change, done=True)


def _keep_alias(client: Mailcow, change: RenameChange, number: int | None) -> None:
    """Make the alias at the old address ours, or make it where mailcow hasn't."""
    if number is None:
        found = Now(client).alias(change.former)
        number = found.number if found else None
    try:
        for request in requests_of(alias_left(change, number)):
            _ensure(client, request)
    except NotDoneError as error:  # the mailbox has its name: what is left of it is an alias like any other
        _LOG.warning("%s was renamed, but %s is no alias as it should be: %s", change.address, change.former, error)


def _ensure(client: Mailcow, request: Request, precheck: Callable[[], str] = lambda: "") -> Sent:
    """Send a request until it is certain that it is done, a few times at most, and return the last answer.

    `precheck` is asked before it is sent again, for the reason why it can't be just now.
    Raises NotDoneError for one that is refused or stays unknown, and what `Mailcow.get` raises.
    """
    sent = send_unless_refused(client, request.call)
    if not sent.unknown:
        return sent
    for attempt in tries(lambda error: isinstance(error, NotDoneError)):
        with attempt:
            if request.is_done(Now(client)):
                return sent
            if trouble := precheck():
                raise NotDoneError(trouble)
            sent = send_unless_refused(client, request.call)
            if sent.unknown and not request.is_done(Now(client)):
                raise NotDoneError(sent.why)
            return sent
    raise AssertionError  # pragma: no cover - the loop returns or raises
