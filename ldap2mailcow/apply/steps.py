"""A plan's changes, step by step: one that fails stops no other but those that need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event

from ldap2mailcow.calls import Batch, phases
from ldap2mailcow.mailcow import HalfDeleted, Mailcow, read_actual, read_mailbox
from ldap2mailcow.model import Address, Change, Existing, Kind, MailboxChange, Outcome, RenameChange
from ldap2mailcow.plan import needs_intent

from .batches import Ended, Trouble, carry_out
from .dependents import touches, without

SINGLE_READS = 25
"""Up to so many mailboxes are read one by one; beyond, the list of their domains is cheaper."""

_NOT_MADE = "the mailbox that it is for could not be made; the next run tries both again"
_NOT_RENAMED = "it waits for a mailbox that could not be renamed; the next run tries both again"


@dataclass(slots=True)
class Applied:
    """How a plan ended."""

    outcomes: list[Outcome] = field(default_factory=list)
    trouble: Trouble | None = None
    """Why the rest wasn't tried: Refused, or one of TRY_LATER."""

    @property
    def not_made(self) -> frozenset[Address]:
        """The addresses whose mailboxes could not be made."""
        return frozenset(change.address for change in self._failed() if change.kind is Kind.CREATE)

    @property
    def not_renamed(self) -> frozenset[Address]:
        """The addresses, old and new, of mailboxes that could not be renamed, or not to the end."""
        renames = [change for change in self._failed() if isinstance(change, RenameChange)]
        return frozenset(address for change in renames for address in (change.former, change.address))

    def done(self, changes: Iterable[Change]) -> bool:
        """Tell whether all of some changes are done."""
        return {change.name for change in changes} <= {one.change.name for one in self.outcomes if one.done}

    def _failed(self) -> Iterator[Change]:
        return (
            outcome.change
            for outcome in self.outcomes
            if not outcome.done and isinstance(outcome.change, MailboxChange | RenameChange)
        )


def apply(
    changes: Iterable[Change],
    client: Mailcow,
    *,
    connections: int,
    intend: Callable[[Sequence[Change]], None],
    record: Callable[[Outcome], None],
    progress: Callable[[], None],
) -> Applied:
    """Carry out changes, already in order, and return how each ended.

    `intend` is called in this thread with the changes that mailcow alone wouldn't tell enough of, before they are sent;
    `record` for every outcome as soon as it is certain, `progress` after it. One failed change never stops the others,
    apart from those that need it: mail is sent to no mailbox that could not be made, and nothing is done to one that
    isn't called what it should be. A refused key or an unreachable mailcow stops them all.
    """
    applied = Applied()

    def end(outcome: Outcome) -> None:
        record(outcome)
        applied.outcomes.append(outcome)
        progress()

    for phase in phases(changes):
        batches = phase.batches
        if applied.not_made or applied.not_renamed:
            batches = _possible(batches, applied, end)
        for ended in (
            _one_by_one(client, batches, applied, intend)
            if phase.serial
            else _side_by_side(client, batches, connections, intend)
        ):
            for outcome in ended.outcomes:
                end(outcome)
            applied.trouble = applied.trouble or ended.trouble
        if applied.trouble:
            break
    return applied


def _possible(batches: Iterable[Batch], applied: Applied, end: Callable[[Outcome], None]) -> tuple[Batch, ...]:
    """Return the batches without what needs something that failed; that is ended here."""
    rest: list[Change] = []
    for change in (change for batch in batches for change in batch.changes):
        if touches(change, applied.not_renamed):
            end(Outcome(change, done=False, detail=_NOT_RENAMED))
        elif left := without(change, applied.not_made):
            rest.append(left)
        else:
            end(Outcome(change, done=False, detail=_NOT_MADE))
    return tuple(batch for again in phases(rest) for batch in again.batches)


def _one_by_one(
    client: Mailcow, batches: Iterable[Batch], applied: Applied, intend: Callable[[Sequence[Change]], None]
) -> Iterator[Ended]:
    """Carry out batches of one change each, in order; after trouble the remaining ones are left untried."""
    for batch in batches:
        intend(batch.changes)  # all that is done one by one needs it
        yield carry_out(client, batch)
        if applied.trouble:
            return


def _side_by_side(
    client: Mailcow, batches: Iterable[Batch], workers: int, intend: Callable[[Sequence[Change]], None]
) -> Iterator[Ended]:
    """Carry out batches side by side; after trouble, here or at the caller's, the remaining ones are left untried."""
    stop = Event()

    def work(batch: Batch) -> Ended:
        if stop.is_set():
            return Ended(())
        ended = carry_out(client, batch)
        if ended.trouble:
            stop.set()
        return ended

    if uncertain := [change for batch in batches for change in batch.changes if needs_intent(change)]:
        intend(uncertain)
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, batch) for batch in batches]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            stop.set()


def read_stamps(client: Mailcow, outcomes: Iterable[Outcome]) -> dict[Address, str]:
    """Read mailcow's own stamps of the passwords that were just written: a later one tells of a change in mailcow."""
    written = {outcome.change.address for outcome in outcomes if outcome.done and writes_password(outcome.change)}
    found: Iterable[Existing | HalfDeleted | None]
    if len(written) <= SINGLE_READS:
        found = [read_mailbox(client, address) for address in sorted(written)]
    else:
        domains = frozenset(address.domain for address in written)
        found = read_actual(client, domains, with_provider=False).mailboxes.values()
    return {
        mailbox.address: mailbox.passwd_update
        for mailbox in found
        if isinstance(mailbox, Existing) and mailbox.address in written
    }


def writes_password(change: Change) -> bool:
    """Tell whether a change writes a password."""
    return isinstance(change, MailboxChange) and change.password is not None
