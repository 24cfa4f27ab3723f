"""Sends a plan's calls and settles the outcome of each change; what isn't certain is read again, then decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from threading import Event

from ldap2mailcow.mailcow import (
    TRY_LATER,
    HalfDeleted,
    Mailcow,
    Refused,
    Sent,
    Unreachable,
    read_actual,
    read_mailbox,
    send,
    tries,
)
from ldap2mailcow.model import Address, Call, Change, Existing, Kind, Outcome
from ldap2mailcow.plan import Batch, calls_of, is_done, phases, remainder

SINGLE_READS = 25
"""Up to so many mailboxes are read one by one; beyond, the list of their domains is cheaper."""

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
    never stops the others; a refused key or an unreachable mailcow does.
    """
    applied = Applied()
    for phase in phases(changes):
        for settled in _run(client, phase.batches, 1 if phase.serial else connections):
            for outcome in settled.outcomes:
                record(outcome)
                applied.outcomes.append(outcome)
                progress()
            applied.trouble = applied.trouble or settled.trouble
        if applied.trouble:
            break
    return applied


def read_stamps(client: Mailcow, outcomes: Iterable[Outcome]) -> dict[Address, str]:
    """Read mailcow's own stamps of the passwords that were just written: a later one will be somebody else's doing."""
    written = {outcome.change.address for outcome in outcomes if outcome.done and outcome.change.password}
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
    open_changes = {change.address: change for change in batch.changes}
    outcomes: list[Outcome] = []
    unknown: dict[Address, str] = {}
    try:
        for call in batch.calls:
            items = tuple(item for item in call.items if item in open_changes)
            if not items:
                break
            sent = _send(client, replace(call, items=items))
            for item, sentence in sent.refused.items():
                outcomes.append(Outcome(open_changes.pop(Address(item)), done=False, detail=sentence))
            for item in sent.unknown:
                unknown[Address(item)] = sent.why
        for address, why in unknown.items():
            if address in open_changes:
                outcomes.append(_again(client, open_changes[address], why))
                del open_changes[address]
    except (Refused, *TRY_LATER) as trouble:
        untold = [Outcome(change, done=False, detail=str(trouble)) for change in open_changes.values()]
        return Settled((*outcomes, *untold), trouble)
    return Settled((*outcomes, *(Outcome(change, done=True) for change in open_changes.values())))


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
    """Read a mailbox whose change may or may not have been made, and send what is left of it, a few times at most."""
    try:
        for attempt in tries(lambda error: isinstance(error, _UnsettledError)):
            with attempt:
                return _once_more(client, change)
    except _UnsettledError as error:
        why = str(error) or why
    return Outcome(change, done=False, detail=why)


def _once_more(client: Mailcow, change: Change) -> Outcome:
    found = read_mailbox(client, change.address)
    if isinstance(found, HalfDeleted):
        return Outcome(change, done=False, detail="mailcow holds only half of it; delete it there and run again")
    if found is None and change.kind is not Kind.CREATE:
        return Outcome(change, done=False, detail="it is no longer in mailcow")
    if found and change.kind is Kind.CREATE and not found.tags.issuperset(change.add_tags):
        # mailcow writes the tags before what makes a new mailbox readable: without them it isn't the one we made
        return Outcome(change, done=False, detail="somebody else made it meanwhile; the next run decides about it")
    if found and is_done(change, found):
        return Outcome(change, done=True)
    left = remainder(change, found) if found else change
    for call in calls_of(left):
        sent = _send(client, call)
        if sent.refused:
            return Outcome(change, done=False, detail=next(iter(sent.refused.values())))
        if sent.unknown:
            raise _UnsettledError(sent.why)
    return Outcome(change, done=True)
