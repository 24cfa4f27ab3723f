"""Whose mail lies in which mailbox: what no look at addresses alone could tell.

A mailbox of the stand-in is one object for as long as it lives, whatever it is called, and so is the mail in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Self

from tests.mailcow_server import Alias, Mailbox, State

US, HAND = "us", "hand"
_letters = count(1)


@dataclass(eq=False)
class Store:
    """The mail in one mailbox."""

    box: Mailbox
    mark: str
    """Of the installation that it belongs to; empty where somebody made it by hand."""
    owner: str = ""
    """The id of the entry whose mail it is; empty where no entry ever had it."""
    is_loose: bool = False
    """Whether only the address tells whose it is: the state file was lost, or somebody moved it by hand."""
    dn: str = ""
    """Where its owner's entry was, while that alone tells whose it is: no id could be remembered yet."""
    shut_by: frozenset[str] = frozenset()
    """Who may have made it inactive, or barred its login: us, somebody by hand, or either of both."""
    is_noted_shut: bool = False
    """Whether the state file may still say that we did, whatever it was given since."""
    was_active: int = 1
    """What it was before we did."""
    doomed: list[datetime] = field(default_factory=list)
    """When whole answers in a row didn't have its owner, while it was inactive and such mailboxes are deleted."""
    absences: list[datetime] = field(default_factory=list)
    """When whole answers in a row didn't have its owner; runs that were killed may not have noted it."""
    last_seen: datetime | None = None
    """When a whole answer last had its owner."""
    was_employed: bool = True
    """Whether its owner was active then."""
    passwords: set[str] = field(default_factory=set)
    """All that it may rightly have: those of its owner, and those set by hand."""
    letter: str = field(default_factory=lambda: f"letter {next(_letters)}")
    """What lies in its folder."""

    @property
    def address(self) -> str:
        """What it is called now."""
        return self.box.username

    def is_seen(self) -> None:
        """Start counting afresh: its owner is there."""
        self.absences.clear()
        self.doomed.clear()


@dataclass(frozen=True)
class Snapshot:
    """What mailcow held at some moment: copies, by what tells the rows apart for good."""

    boxes: Mapping[int, Mailbox]
    aliases: Mapping[int, Alias]

    @classmethod
    def of(cls, state: State) -> Self:
        """Copy the mailboxes and aliases of a mailcow."""
        rows = {number: row for number, row in state.aliases.items() if not row.is_self_row}
        boxes = {id(row): deepcopy(row) for row in state.mailboxes.values() if not row.half_deleted}
        return cls(boxes, deepcopy(rows))

    def boxes_at(self, row: Alias) -> set[int]:
        """Return the mailboxes that an alias goes to."""
        at = {box.username: number for number, box in self.boxes.items()}
        return {at[target] for target in row.goto.split(",") if target in at}


@dataclass
class Mail:
    """All mail of one mailcow, and whose the aliases are."""

    state: State
    claims: Callable[[str], str]
    """Returns the mark of the installation whose state file has an address; empty for none."""
    marks: tuple[str, ...]
    stores: dict[int, Store] = field(default_factory=dict)
    """By the identity of the mailbox."""
    aliases: dict[int, str] = field(default_factory=dict)
    """By number, of those that belong to an installation: its mark."""
    granted: set[tuple[str, str]] = field(default_factory=set)
    """Each address with each entry that a directory, or an administrator, ever gave it to."""
    answers: list[frozenset[str]] = field(default_factory=list)
    """The ids in each answer to a run that surely noted it."""

    def at(self, address: str) -> Store | None:
        """Return the store that is at an address now."""
        box = self.state.mailbox(address)
        return self.stores.get(id(box)) if box is not None else None

    def add(self, store: Store) -> None:
        """Take up a new mailbox, and put something into it."""
        self.stores[id(store.box)] = store
        self.state.mail[store.address] = store.letter

    def of(self, owner: str) -> list[Store]:
        """Return the stores of one entry."""
        return [store for store in self.stores.values() if store.owner == owner]

    def mark_in(self, box: Mailbox) -> str:
        """Return whose mark a mailbox carries."""
        return next((mark for mark in self.marks if mark in box.tags and f"{mark}:released" not in box.tags), "")

    @contextmanager
    def changed_by_hand(self) -> Iterator[None]:
        """Follow what an administrator does in the block."""
        before = Snapshot.of(self.state)
        yield
        after = Snapshot.of(self.state)
        for gone in before.boxes.keys() - after.boxes.keys():
            del self.stores[gone]
        for row in [self.state.mailboxes[box.username] for box in after.boxes.values()]:
            if id(row) in self.stores:
                self._follow(self.stores[id(row)], before.boxes[id(row)], row)
            else:
                mark = self.mark_in(row) or self.claims(row.username)
                self.add(Store(row, mark, is_loose=True, shut_by=_by(HAND, row), passwords={row.password}))
        for number, alias in after.aliases.items():
            if number not in before.aliases or before.aliases[number] != alias:
                self._follow_alias(alias)

    def _follow(self, store: Store, before: Mailbox, after: Mailbox) -> None:
        if after.password != before.password:
            store.passwords.add(after.password)
        if after.active != before.active:
            store.shut_by = _by(HAND, after)
            store.doomed.clear()
        if after.active != 1 and (store.is_noted_shut or _claims_inactive(after, self.marks)):
            store.shut_by |= {US}
        if after.username != before.username:
            store.is_loose = True
        if after.tags != before.tags or after.username != before.username:
            known = self.claims(after.username)
            is_released = any(f"{mark}:released" in after.tags for mark in self.marks)
            store.mark = "" if is_released else self.mark_in(after) or known
            store.is_loose |= is_released

    def _follow_alias(self, alias: Alias) -> None:
        for mark in self.marks:
            if alias.private_comment in _comments(mark):
                self.aliases[alias.id] = mark
        for target in alias.goto.split(","):
            store = self.at(target)
            if store:
                self.granted.add((alias.address, store.owner))

    def forget(self, mark: str) -> None:
        """Follow the loss of a state file: only marks in mailcow tell what is whose."""
        self.answers.clear()
        for store in self.stores.values():
            if store.mark == mark:
                store.mark = self.mark_in(store.box)
                store.is_loose = True
                store.is_seen()
                store.is_noted_shut = False
                store.was_active = 1
                if store.shut_by:
                    store.shut_by = store.shut_by | {US} if f"{mark}:disabled" in store.box.tags else frozenset({HAND})
        for number in [number for number, whose in self.aliases.items() if whose == mark]:
            row = self.state.aliases.get(number)
            if row is None or row.private_comment not in _comments(mark):
                del self.aliases[number]


def _by(who: str, box: Mailbox) -> frozenset[str]:
    return frozenset({who}) if box.active != 1 else frozenset()


def _comments(mark: str) -> tuple[str, ...]:
    return mark, f"{mark}:disabled", f"{mark}:renamed"


def _claims_inactive(box: Mailbox, marks: tuple[str, ...]) -> bool:
    return any(f"{mark}:disabled" in box.tags for mark in marks)
