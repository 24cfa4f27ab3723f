"""What may or may not have been done: it is read, and what is left of it is sent again."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from ldap2mailcow.mailcow import HalfDeleted, Mailcow, mail_store_trouble, read_aliases, read_mailbox, tries
from ldap2mailcow.model import PRIVATE_COMMENT, AliasChange, Change, Kind, MailboxChange, Outcome
from ldap2mailcow.plan import calls_of, is_alias_done, is_done, remainder

from .sending import send_safely

_GONE = "it is no longer in mailcow"
_SOMEBODY_ELSE = "somebody else made it meanwhile; the next run decides about it"


class _UnsettledError(Exception):
    """The outcome is still unknown."""


def again(client: Mailcow, change: Change, why: str) -> Outcome:
    """Read what may or may not have been changed, and send what is left to do, a few times at most."""
    try:
        for attempt in tries(lambda error: isinstance(error, _UnsettledError)):
            with attempt:
                if isinstance(change, AliasChange):
                    return _alias_once_more(client, change)
                return _once_more(client, cast("MailboxChange", change))
    except _UnsettledError as error:
        why = str(error) or why
    return Outcome(change, done=False, detail=why)


def keeps_from_deleting(client: Mailcow, change: Change) -> str:
    """Return why a deletion can't be sent just now; empty where it can, and for every other change.

    Raises what `Mailcow.get` raises, Unreadable.
    """
    return mail_store_trouble(client) if change.kind is Kind.DELETE else ""


def _delete_once_more(client: Mailcow, change: MailboxChange) -> Outcome:
    """Delete again what is there, whole or half; mailcow answers for a half-deleted one as for any other."""
    if read_mailbox(client, change.address) is None:
        return Outcome(change, done=True)
    if trouble := keeps_from_deleting(client, change):
        return Outcome(change, done=False, detail=trouble)
    return _send_again(client, change, change)


def _once_more(client: Mailcow, change: MailboxChange) -> Outcome:
    if change.kind is Kind.DELETE:
        return _delete_once_more(client, change)
    found = read_mailbox(client, change.address)
    if isinstance(found, HalfDeleted):
        return Outcome(change, done=False, detail="mailcow holds only half of it; delete it there and run again")
    if found is None and change.kind is not Kind.CREATE:
        return Outcome(change, done=False, detail=_GONE)
    if found and change.kind is Kind.CREATE and not found.tags.issuperset(change.add_tags):
        # mailcow writes the tags before what makes a new mailbox readable: without them it isn't the one we made
        return Outcome(change, done=False, detail=_SOMEBODY_ELSE)
    if found and is_done(change, found):
        return Outcome(change, done=True)
    return _send_again(client, change, remainder(change, found) if found else change)


def _alias_once_more(client: Mailcow, change: AliasChange) -> Outcome:
    found = read_aliases(client, [change.address.domain]).get(change.address)
    if is_alias_done(change, found):
        return Outcome(change, done=True)
    if found is None:
        if change.kind is not Kind.CREATE:
            return Outcome(change, done=False, detail=_GONE)
    elif change.kind is Kind.CREATE and found.values[PRIVATE_COMMENT] == change.writes[PRIVATE_COMMENT]:
        return _send_again(client, change, replace(change, number=found.number))  # ours, and not whole
    elif found.number != change.number:
        return Outcome(change, done=False, detail=_SOMEBODY_ELSE)
    return _send_again(client, change, change)


def _send_again(client: Mailcow, change: Change, left: Change) -> Outcome:
    """Send what is left of a change."""
    for call in calls_of(left):
        sent = send_safely(client, call)
        if sent.refused:
            return Outcome(change, done=False, detail=next(iter(sent.refused.values())))
        if sent.unknown:
            raise _UnsettledError(sent.why)
    return Outcome(change, done=True)
