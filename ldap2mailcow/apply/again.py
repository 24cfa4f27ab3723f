"""What may or may not have been done: it is read, and what is left of it is sent again."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from ldap2mailcow.calls import Live, as_edit, is_done, requests_of
from ldap2mailcow.mailcow import Mailcow, mail_store_trouble, tries
from ldap2mailcow.model import PRIVATE_COMMENT, AliasChange, Change, Kind, MailboxChange, Outcome

from .live import Now
from .sending import NotDoneError, send_unless_refused

_GONE = "it is no longer in mailcow"
_HALF = "mailcow holds only half of it; delete it there and run again"
_SOMEBODY_ELSE = "somebody else made it meanwhile; the next run decides about it"


class _UncertainError(Exception):
    """The outcome is still unknown."""


def again(client: Mailcow, change: Change, why: str) -> Outcome:
    """Read what may or may not have been changed, and send what is left to do, a few times at most.

    `why` says what is known about the first try. Raises what `Mailcow.get` raises, Unreadable.
    """
    try:
        for attempt in tries(lambda error: isinstance(error, _UncertainError)):
            with attempt:
                _once_more(client, change)
    except _UncertainError as error:
        return Outcome(change, done=False, detail=str(error) or why)
    except NotDoneError as error:
        return Outcome(change, done=False, detail=str(error))
    return Outcome(change, done=True)


def precheck(client: Mailcow, change: Change) -> str:
    """Return why a deletion can't be sent just now; empty where it can, and for every other change.

    Raises what `Mailcow.get` raises, Unreadable.
    """
    return mail_store_trouble(client) if change.kind is Kind.DELETE else ""


def _once_more(client: Mailcow, change: Change) -> None:
    now = Now(client)
    if is_done(change, now):
        return
    if trouble := precheck(client, change):
        raise NotDoneError(trouble)
    left = _alias_left(change, now) if isinstance(change, AliasChange) else _left(cast("MailboxChange", change), now)
    for request in [request for request in requests_of(left) if not request.is_done(now)]:
        sent = send_unless_refused(client, request.call)
        if sent.unknown:
            raise _UncertainError(sent.why)


def _left(change: MailboxChange, now: Live) -> MailboxChange:
    """Return what is left of a change of a mailbox. Raises NotDoneError where nothing more can be done."""
    if change.kind is Kind.DELETE:
        return change  # mailcow answers for a half-deleted one as for any other
    found = now.mailbox(change.address)
    if found is None:
        if now.has_mailbox(change.address):
            raise NotDoneError(_HALF)
        if change.kind is not Kind.CREATE:
            raise NotDoneError(_GONE)
        return change
    if change.kind is not Kind.CREATE:
        return change
    if not found.tags.issuperset(change.add_tags):
        # mailcow writes the tags before what makes a new mailbox readable: without them it isn't the one we made
        raise NotDoneError(_SOMEBODY_ELSE)
    return as_edit(change, found)


def _alias_left(change: AliasChange, now: Live) -> AliasChange:
    """Return what is left of a change of an alias. Raises NotDoneError where nothing more can be done."""
    found = now.alias(change.address)
    if found is None:
        if change.kind is not Kind.CREATE:
            raise NotDoneError(_GONE)
        return change
    if change.kind is Kind.CREATE and found.values[PRIVATE_COMMENT] == change.writes[PRIVATE_COMMENT]:
        return replace(change, number=found.number)  # ours, and not whole
    if found.number != change.number:
        raise NotDoneError(_SOMEBODY_ELSE)
    return change
