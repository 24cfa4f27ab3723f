"""Sends a plan's calls and settles the outcome of each change; what isn't certain is read again, then decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from threading import Event
from typing import cast

from ldap2mailcow.mailcow import (
    TRY_LATER,
    HalfDeleted,
    Mailcow,
    Refused,
    Sent,
    Unreachable,
    read_actual,
    read_aliases,
    read_mailbox,
    send,
    tries,
)
from ldap2mailcow.model import (
    PRIVATE_COMMENT,
    Address,
    AliasChange,
    Call,
    Change,
    Existing,
    Kind,
    MailboxChange,
    Outcome,
)
from ldap2mailcow.plan import Batch, calls_of, is_alias_done, is_done, phases, remainder, without

SINGLE_READS = 25
"""Up to so many mailboxes are read one by one; beyond, the list of their domains is cheaper."""

_GONE = "it is no longer in mailcow"
_SOMEBODY_ELSE = "somebody else made it meanwhile; the next run decides about it"
_NOT_MADE = "the mailbox that it is for could not be made; the next run tries both again"

Trouble = Exception


@dataclass(frozen=True, slots=True)
class Settled:
    """How the changes of a batch ended, and what keeps all further ones from being tried."""

    outcomes: tuple[Outcome, ...]
    trouble: Trouble | None = None


@dataclass(slots=True)
class Applied:
    """How a plan ended."""

    outcomes: list[Outcome] = field(default_factory=list)
    trouble: Trouble | None = None
    """Why the rest wasn't tried: Refused, or one of TRY_LATER."""


def apply(
    changes: Iterable[Change],
    client: Mailcow,
    *,
    connections: int,
    record: Callable[[Outcome], None],
    progress: Callable[[], None],
) -> Applied:
    """Carry out changes, already in order, and return how each ended.

    `record` is called in this thread for every outcome as soon as it is certain, `progress` after it. One failed change
    never stops the others, apart from those that would send mail to a mailbox that could not be made; a refused key or
    an unreachable mailcow stops them all.
    """
    applied = Applied()

    def end(outcome: Outcome) -> None:
        record(outcome)
        applied.outcomes.append(outcome)
        progress()

    for phase in phases(changes):
        failed = not_made(applied.outcomes)
        batches = phase.batches
        if failed:
            left = [(change, without(change, failed)) for batch in batches for change in batch.changes]
            for change, rest in left:
                if rest is None:
                    end(Outcome(change, done=False, detail=_NOT_MADE))
            batches = tuple(batch for again in phases([rest for _, rest in left if rest]) for batch in again.batches)
        for settled in _run(client, batches, 1 if phase.serial else connections):
            for outcome in settled.outcomes:
                end(outcome)
            applied.trouble = applied.trouble or settled.trouble
        if applied.trouble:
            break
    return applied


def not_made(outcomes: Iterable[Outcome]) -> frozenset[Address]:
    """Return the addresses whose mailboxes could not be made."""
    return frozenset(
        outcome.change.address
        for outcome in outcomes
        if not outcome.done and isinstance(outcome.change, MailboxChange) and outcome.change.kind is Kind.CREATE
    )


def read_stamps(client: Mailcow, outcomes: Iterable[Outcome]) -> dict[Address, str]:
    """Read mailcow's own stamps of the passwords that were just written: a later one will be somebody else's doing."""
    written = {outcome.change.address for outcome in outcomes if outcome.done and writes_password(outcome.change)}
    found: Iterable[Existing | HalfDeleted | None]
    if len(written) <= SINGLE_READS:
        found = [read_mailbox(client, address) for address in sorted(written)]
    else:
        domains = frozenset(address.domain for address in written)
        found = read_actual(client, domains, with_aliases=False, with_provider=False).mailboxes.values()
    return {
        mailbox.address: mailbox.passwd_update
        for mailbox in found
        if isinstance(mailbox, Existing) and mailbox.address in written
    }


def _run(client: Mailcow, batches: tuple[Batch, ...], workers: int) -> Iterator[Settled]:
    """Settle batches side by side; after trouble, here or at the caller's, the remaining ones are left untried."""
    stop = Event()

    def work(batch: Batch) -> Settled:
        if stop.is_set():
            return Settled(())
        settled = _settle(client, batch)
        if settled.trouble:
            stop.set()
        return settled

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, batch) for batch in batches]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            stop.set()


def _settle(client: Mailcow, batch: Batch) -> Settled:
    """Send the calls of a batch; decide about every change of it."""
    open_changes = {change.name: change for change in batch.changes}
    outcomes: list[Outcome] = []
    unknown: dict[str, str] = {}
    try:
        for call in batch.calls:
            of_item = {item: change.name for item, change in zip(call.items, batch.changes, strict=True)}
            left = [place for place, change in enumerate(batch.changes) if change.name in open_changes]
            if not left:
                break
            sent = _send(client, _part(call, left))
            for item, sentence in sent.refused.items():
                outcomes.append(Outcome(open_changes.pop(of_item[item]), done=False, detail=sentence))
            for item in sent.unknown:
                unknown[of_item[item]] = sent.why
        for name, why in unknown.items():
            if name in open_changes:
                outcomes.append(_again(client, open_changes[name], why))
                del open_changes[name]
    except (Refused, *TRY_LATER) as trouble:
        untold = [Outcome(change, done=False, detail=str(trouble)) for change in open_changes.values()]
        return Settled((*outcomes, *untold), trouble)
    return Settled((*outcomes, *(Outcome(change, done=True) for change in open_changes.values())))


def _part(call: Call, places: Sequence[int]) -> Call:
    """Return a call for some of its items only, told by their places."""
    called = tuple(call.called[place] for place in places) if call.called else ()
    return replace(call, items=tuple(call.items[place] for place in places), called=called)


def _send(client: Mailcow, call: Call) -> Sent:
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


class _UnsettledError(Exception):
    """The outcome is still unknown."""


def _again(client: Mailcow, change: Change, why: str) -> Outcome:
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


def _once_more(client: Mailcow, change: MailboxChange) -> Outcome:
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
        sent = _send(client, call)
        if sent.refused:
            return Outcome(change, done=False, detail=next(iter(sent.refused.values())))
        if sent.unknown:
            raise _UnsettledError(sent.why)
    return Outcome(change, done=True)


def writes_password(change: Change) -> bool:
    """Tell whether a change writes a password."""
    return isinstance(change, MailboxChange) and change.password is not None
