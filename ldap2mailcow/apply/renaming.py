"""One mailbox gets another name: several requests, each of them certain before the next.

Whatever ends this in the middle, the intent that was written before it lets the next run go on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ldap2mailcow.mailcow import HalfDeleted, Mailcow, Sent, mail_store_trouble, read_aliases, read_mailbox, tries
from ldap2mailcow.model import ACTIVE, Address, Call, Outcome, RenameChange, Stage
from ldap2mailcow.plan import BARRED, give_way, is_same_alias, keep_alias, make_alias, rename_call, set_active

from .sending import send_safely

_LOG = logging.getLogger(__name__)


class _NotDoneError(Exception):
    """A request was refused, or its outcome stayed unknown; the message says why."""


def rename(client: Mailcow, change: RenameChange) -> Outcome:
    """Rename a mailbox, its status and the alias at its old address included.

    Raises what `Mailcow.get` raises.
    """
    try:
        if change.stage is Stage.BACK:
            _set_active(client, change, change.address, change.active)
        else:
            _rename(client, change)
    except _NotDoneError as error:
        return Outcome(change, done=False, detail=str(error))
    return Outcome(change, done=True)


def _rename(client: Mailcow, change: RenameChange) -> None:
    if trouble := mail_store_trouble(client):
        raise _NotDoneError(trouble)
    if change.gives_way is not None:
        _ensure(client, give_way(change, change.gives_way), lambda: not _is_there(client, change))
    if change.active == 0:
        _set_active(client, change, change.former, BARRED)
    try:
        sent = _ensure(
            client, rename_call(change), lambda: _is_renamed(client, change), lambda: mail_store_trouble(client)
        )
    except _NotDoneError:
        if change.active == 0:
            _set_active(client, change, change.former, 0)
        raise
    if change.left is not None:
        _keep_alias(client, change, sent.made.get(change.former))
    if change.active == 0:
        _set_active(client, change, change.address, 0)


def _is_there(client: Mailcow, change: RenameChange) -> bool:
    """Tell whether the alias that gives way is still there."""
    found = read_aliases(client, [change.address.domain]).get(change.address)
    return found is not None and found.number == change.gives_way


def _is_renamed(client: Mailcow, change: RenameChange) -> bool:
    """Tell whether mailcow has the mailbox under its new name, and no longer under the old one."""
    return read_mailbox(client, change.address) is not None and read_mailbox(client, change.former) is None


def _set_active(client: Mailcow, change: RenameChange, address: Address, value: int) -> None:
    def is_set() -> bool:
        found = read_mailbox(client, address)
        return found is not None and not isinstance(found, HalfDeleted) and found.attributes[ACTIVE.key] == value

    _ensure(client, set_active(change, address, value), is_set)


def _keep_alias(client: Mailcow, change: RenameChange, number: int | None) -> None:
    """Make the alias at the old address ours, or make it where mailcow hasn't."""

    def is_ours() -> bool:
        found = read_aliases(client, [change.former.domain]).get(change.former)
        return found is not None and is_same_alias(change.left or {}, found)

    if number is None:
        found = read_aliases(client, [change.former.domain]).get(change.former)
        number = found.number if found else None
    call = make_alias(change) if number is None else keep_alias(change, number)
    try:
        _ensure(client, call, is_ours)
    except _NotDoneError as error:  # the mailbox has its name: what is left of it is an alias like any other
        _LOG.warning("%s was renamed, but %s is no alias as it should be: %s", change.address, change.former, error)


def _ensure(
    client: Mailcow, call: Call, is_done: Callable[[], bool], hindrance: Callable[[], str] = lambda: ""
) -> Sent:
    """Send a request until it is certain that it is done, a few times at most, and return the last answer.

    `hindrance` is asked before it is sent again, for the reason why it can't be just now.
    Raises _NotDoneError for one that is refused or stays unknown, and what `Mailcow.get` raises.
    """
    sent = _sent(client, call)
    if not sent.unknown:
        return sent
    for attempt in tries(lambda error: isinstance(error, _NotDoneError)):
        with attempt:
            if is_done():
                return sent
            if trouble := hindrance():
                raise _NotDoneError(trouble)
            sent = _sent(client, call)
            if sent.unknown and not is_done():
                raise _NotDoneError(sent.why)
            return sent
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _sent(client: Mailcow, call: Call) -> Sent:
    """Send a request. Raises _NotDoneError for one that is refused."""
    sent = send_safely(client, call)
    for sentence in sent.refused.values():
        raise _NotDoneError(sentence)
    return sent
