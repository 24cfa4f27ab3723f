"""Everything a plan is made from, and what it is made into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ldap2mailcow.config import Config, Source
from ldap2mailcow.desired import Desired, Wishes
from ldap2mailcow.model import (
    Actual,
    Address,
    Answers,
    Change,
    ExistingAlias,
    Finding,
    Memory,
    Note,
    RenameChange,
    SourceMemory,
    Subject,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked of this run."""

    reassert: bool = False
    """Write every managed password again, changed or not."""
    only: frozenset[Address] = frozenset()
    overridden_filter: bool = False
    force_removals: int | None = None

    @property
    def scoped(self) -> bool:
        """Whether the run looks at some people only, and so knows nothing about the rest."""
        return bool(self.only) or self.overridden_filter


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the changes that an earlier run began and didn't see the end of."""

    done: tuple[Change, ...] = ()
    """mailcow did them: all that is left is to write that down."""
    repairs: tuple[Change, ...] = ()
    """What has to be done because of the others."""
    halves: frozenset[Address] = frozenset()
    """Mailboxes of which mailcow holds only half, because deleting them crashed."""


def reads_aliases(source: Source, memory: Memory) -> bool:
    """Tell whether a run reads all of mailcow's aliases: some may be wanted, or some are ours."""
    return source.manages_aliases or source.manages_senders or bool(memory.aliases)


class Reason(StrEnum):
    """Why removals are withheld."""

    NOT_WHOLE = "not_whole"  # nothing lifts it but a whole answer
    SEARCH_CHANGED = "search_changed"
    OVER_LIMIT = "over_limit"


class What(StrEnum):
    """The kinds of removals that are counted, each by itself."""

    MAILBOXES = "mailboxes"
    RENAMES = "renames"
    IDS = "ids"  # of people who are known again by their address alone
    ALIASES = "aliases"
    LISTS = "lists"  # that lose members
    RIGHTS = "rights"  # to send as others
    DELETIONS = "deletions"  # of mailboxes


@dataclass(frozen=True, slots=True)
class Withheld:
    """Removals that this run does not carry out, and why."""

    reason: Reason
    changes: tuple[Change, ...]
    """In full for NOT_WHOLE by status; who is merely missing from a doubtful answer isn't even listed."""
    managed: int
    """Of how many mailboxes (active ones, but for deletions) or aliases that are ours."""
    limit: int
    sentence: str
    what: What = What.MAILBOXES

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Whose mailboxes they are, or which aliases."""
        return tuple(change.address for change in self.changes)

    @property
    def name(self) -> str:
        """What it is known by from run to run."""
        return f"{self.what} {self.reason}"


def senders_after(change: RenameChange, rows: frozenset[str]) -> frozenset[str]:
    """Return what mailcow makes of rows of `sender_acl`: they follow, and go with the alias that gives way."""
    if change.gives_way is not None:
        rows -= {change.address}
    return frozenset(str(change.address) if sender == change.former else sender for sender in rows)


@dataclass(frozen=True, slots=True)
class Renames:
    """Whose mailbox gets another name, and whose doesn't although the directory says so."""

    changes: tuple[RenameChange, ...] = ()
    """In order."""
    held: Mapping[Address, str] = field(default_factory=dict)
    """By new address: why the mailbox keeps its old one, a sentence; empty where that is told elsewhere."""
    withheld: tuple[Withheld, ...] = ()
    moving: Mapping[Address, Address] = field(default_factory=dict)
    """By new address in another domain: where somebody's mailbox is until they get a new one there."""
    meant: Mapping[Address, frozenset[Address]] = field(default_factory=dict)
    """By alias of ours: the goto by the new names, where mailcow leaves it with the old ones."""

    def senders_after(self, rows: frozenset[str] | None) -> frozenset[str] | None:
        """Return what becomes of somebody's rows of `sender_acl`."""
        for change in self.changes:
            rows = rows if rows is None else senders_after(change, rows)
        return rows

    def before(self, address: Address) -> Address:
        """Return what a mailbox is called before this run."""
        for change in reversed(self.changes):
            if change.address == address:
                address = change.former
        return address


@dataclass(frozen=True, slots=True)
class View:
    """One directory, mailcow, the state file and the wish of the hour: all that a plan follows from."""

    config: Config
    source: Source
    search_filter: str
    """The filter that was really searched with."""
    answers: Answers
    desired: Desired
    id_attribute: str
    actual: Actual
    memory: Memory
    options: Options
    now: datetime
    wishes: Wishes = field(default_factory=lambda: Wishes({}, {}))
    """None before it is known who is called what."""
    senders: Mapping[Address, frozenset[str] | None] = field(default_factory=dict)
    """Of the mailboxes that were asked for: mailcow's rows of whom its user may send as; None where it didn't tell."""
    every_alias: Mapping[Address, ExistingAlias] = field(default_factory=dict)
    """All that mailcow has, in whatever domain; read only where a mailbox is deleted, whose aliases go with it."""
    can_rename: bool = True
    """Whether this mailcow is new enough to rename mailboxes."""
    renames: Renames = field(default_factory=Renames)
    """Done already in `actual` and `memory`, as far as they will be."""
    forgotten: tuple[Note, ...] = ()
    """What was remembered of things that are somebody else's now, and is not in `memory` any more."""
    settled: Settled = field(default_factory=Settled)
    """What an earlier run left behind, done already in `actual` and `memory` likewise."""

    @property
    def reads_aliases(self) -> bool:
        """Whether `actual` has all of mailcow's aliases."""
        return reads_aliases(self.source, self.memory)


class Fate(StrEnum):
    """What a grace will bring."""

    DISABLED = "disabled"
    BARRED = "barred from logging in"
    DELETED = "deleted"
    REMOVED = "removed"  # aliases only


@dataclass(frozen=True, slots=True)
class Pending:
    """What a grace will bring later."""

    address: Address
    dn: str
    due: datetime
    """Not before this."""
    answers: int
    """How many more whole answers without the entry it takes, this one not counted."""
    fate: Fate = Fate.DISABLED
    subject: Subject = Subject.MAILBOX


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run means to do, in order, and everything it has to say."""

    changes: tuple[Change, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    pending: tuple[Pending, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    source: SourceMemory = field(default_factory=SourceMemory)
    """What to remember of the directory."""
    whole: bool = True
    managed: int = 0
    """Mailboxes of mailcow that are ours, before the run."""
    wanted: int = 0
    """Mailboxes that the directory asks for."""
    unmanaged: tuple[Address, ...] = ()
    """Mailboxes in our domains that are neither ours nor in the directory."""
    orphans: tuple[Address, ...] = ()
    """Mailboxes that are ours and whose entry is gone, whatever becomes of them."""
    managed_aliases: int = 0
    """Aliases of mailcow that are ours, before the run."""
    wanted_aliases: int = 0
    """Aliases that the directory asks for."""
    unmanaged_aliases: tuple[Address, ...] = ()
    """Aliases in our domains that are neither ours nor in the directory."""
    orphaned_aliases: tuple[Address, ...] = ()
    """Aliases that are ours and that no entry asks for, whatever becomes of them."""
    unread: frozenset[Address] = frozenset()
    """Mailboxes whose present rights to send as others must be known before theirs can be changed."""
