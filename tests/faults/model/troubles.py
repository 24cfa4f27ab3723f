"""What may go wrong in a run: it is killed, the disk is full, mailcow fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

import pytest

from ldap2mailcow.mailcow import Mailcow
from ldap2mailcow.state import State, StateError
from tests.mailcow_server import FaultKind, MailcowServer


class Killed(BaseException):
    """The process is gone; nothing of it goes on."""


class Moment(StrEnum):
    """When a run ends, counted in writes to mailcow or in transactions of the state file."""

    BEFORE_WRITE = "before a write"
    AFTER_WRITE = "after a write"  # mailcow has done it, and nobody knows
    BEFORE_COMMIT = "before a commit"
    DISK_FULL = "disk full"  # every transaction fails from then on


@dataclass(frozen=True)
class Kill:
    """The run ends at its `at`-th write or transaction, the first being 1."""

    moment: Moment
    at: int


@dataclass(frozen=True)
class Fault:
    """mailcow fails at the `at`-th write, once or from then on."""

    kind: FaultKind
    at: int
    lasts: bool = False


@dataclass(frozen=True)
class Short:
    """mailcow's lists of mailboxes lack their last row."""


@dataclass(frozen=True)
class Down:
    """dovecot doesn't run: no mail can be moved."""

    state: str = "exited"


Trouble = Kill | Fault | Short | Down | None
DOVECOT = "dovecot-mailcow"


@contextmanager
def happening(trouble: Trouble, mailcow: MailcowServer) -> Iterator[None]:
    """Let something go wrong in the block, and only there."""
    with pytest.MonkeyPatch.context() as patch:
        match trouble:
            case Kill():
                _Death(trouble).lurk(patch)
            case Fault():
                path = "delete/mailbox" if trouble.kind is FaultKind.HALF_DELETED else ""
                mailcow.faults.add(trouble.kind, path, nth=trouble.at, times=None if trouble.lasts else 1)
            case Short():
                mailcow.faults.short_list = 1
            case Down():
                mailcow.state.container_states[DOVECOT] = trouble.state
        try:
            yield
        finally:
            mailcow.faults.clear()
            mailcow.faults.short_list = 0
            mailcow.state.container_states.clear()


class _Death:
    """Counts the steps of a run, and ends it at one of them; whatever its threads try later fails too."""

    def __init__(self, kill: Kill) -> None:
        self.kill = kill
        self.steps = count(1)
        self.came = False
        self.lock = threading.Lock()

    def comes(self, *moments: Moment) -> None:
        """Count a step if it is one of those that matter; raise Killed or StateError from the last one on."""
        with self.lock:
            if self.kill.moment in moments and next(self.steps) >= self.kill.at:
                self.came = True
            if not self.came:
                return
        if self.kill.moment is not Moment.DISK_FULL:
            raise Killed
        if Moment.DISK_FULL in moments:
            raise StateError("the state file can't be written: database or disk is full")

    def lurk(self, patch: pytest.MonkeyPatch) -> None:
        """Wait at every write to mailcow, and at every transaction."""
        post, transaction = Mailcow.post, State._transaction

        def posting(client: Mailcow, path: str, body: str) -> object:
            self.comes(Moment.BEFORE_WRITE)
            reply = post(client, path, body)
            self.comes(Moment.AFTER_WRITE)
            return reply

        @contextmanager
        def committing(store: State) -> Iterator[None]:
            self.comes(Moment.BEFORE_COMMIT, Moment.DISK_FULL)
            with transaction(store):
                yield

        patch.setattr(Mailcow, "post", posting)
        patch.setattr(State, "_transaction", committing)
