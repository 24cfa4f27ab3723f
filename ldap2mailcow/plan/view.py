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
    Alias,
    AliasChange,
    Answers,
    Change,
    ExistingAlias,
    Finding,
    Mailbox,
    MailboxChange,
    Memory,
    Note,
    RenameChange,
    SourceMemory,
    Subject,
)

from .room import Room


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


@dataclass(frozen=True, slots=True)
class Tally:
    """How many removals of a kind a plan counts, and of how many: what a limit is compared with."""

    count: int = 0
    """Those that somebody's word could let through."""
    certain: int = 0
    """Those of them that no doubt about the search withholds."""
    managed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, self.certain + other.certain, self.managed + other.managed)


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
    directory: str = ""
    """Which it is about, where there are several and it is about one of them alone."""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Whose mailboxes they are, or which aliases."""
        return tuple(change.address for change in self.changes)

    @property
    def name(self) -> str:
        """What it is known by from run to run."""
        return f"{self.what} {self.reason}" + (f" {self.directory}" if self.directory else "")


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
    counted: Mapping[What, Tally] = field(default_factory=dict, compare=False)
    """How many were compared with the limit."""

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
class Doing:
    """What the plan of one directory does, as far as that of another has to know it."""

    counted: Mapping[What, Tally] = field(default_factory=dict)
    """What was compared with a limit: one limit is for all directories together."""
    mailboxes: tuple[MailboxChange, ...] = ()
    aliases: tuple[AliasChange, ...] = ()
    lost: frozenset[Address] = frozenset()
    """Aliases that it wants and that will not be, or will lead to nobody."""


@dataclass(frozen=True, slots=True)
class Others:
    """The other directories of a run; nothing where there is but one."""

    answered: frozenset[str] = frozenset()
    """The names of those that could be read."""
    are_whole: bool = True
    """Whether all that the config has could be read, and absence from their answers is believed."""
    found_somebody: bool = False
    addresses: frozenset[Address] = frozenset()
    """Every address that an entry of theirs carries or has, whoever gets it in the end."""
    dns: frozenset[str] = frozenset()
    """The lower-case DNs of all their entries."""
    mailboxes: Mapping[Address, Mailbox] = field(default_factory=dict)
    """Those that they want."""
    aliases: Mapping[Address, Alias] = field(default_factory=dict)
    """Those that they want."""
    contested: frozenset[Address] = frozenset()
    """Addresses that entries of several directories want, and nobody has."""
    before: tuple[Source, ...] = ()
    """Those whose plans are made before: what is nobody's is decided by the first that looks at its domain."""
    doing: Doing = field(default_factory=Doing)
    """What their plans do, together, by the last round."""
    rounds: int = 0
    """How many rounds of plans were made before this one."""


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
    notes: tuple[Note, ...] = ()
    """What the state file learns before anything is planned, as `memory` has it already."""
    settled: Settled = field(default_factory=Settled)
    """What an earlier run left behind, done already in `actual` and `memory` likewise."""
    others: Others = field(default_factory=Others)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    """What the plans of other directories leave of each domain; where one isn't told, it is as mailcow has it."""

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
    doing: Doing = field(default_factory=Doing, compare=False)
    """What the plans of other directories have to know of it."""
    rooms: Mapping[str, Room] = field(default_factory=dict, compare=False)
    """What it leaves of each domain."""
