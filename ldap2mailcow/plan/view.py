"""Everything a plan is made from, and what it is made into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ldap2mailcow.config import Config, Source
from ldap2mailcow.desired import Desired, Wishes
from ldap2mailcow.model import Actual, Address, Answers, Change, Finding, Memory, Note, SourceMemory, Subject


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
class View:
    """One directory, mailcow, the state file and the wish of the hour: all that a plan follows from."""

    config: Config
    source: Source
    search_filter: str
    """The filter that was really searched with."""
    answers: Answers
    desired: Desired
    wishes: Wishes
    id_attribute: str
    actual: Actual
    memory: Memory
    options: Options
    now: datetime
    senders: Mapping[Address, frozenset[str] | None] = field(default_factory=dict)
    """Of the mailboxes that were asked for: mailcow's rows of whom its user may send as; None where it didn't tell."""


class Reason(StrEnum):
    """Why removals are withheld."""

    NOT_WHOLE = "not_whole"  # nothing lifts it but a whole answer
    SEARCH_CHANGED = "search_changed"
    OVER_LIMIT = "over_limit"


class What(StrEnum):
    """The kinds of removals that are counted, each by itself."""

    MAILBOXES = "mailboxes"
    ALIASES = "aliases"
    LISTS = "lists"  # that lose members
    RIGHTS = "rights"  # to send as others


@dataclass(frozen=True, slots=True)
class Withheld:
    """Removals that this run does not carry out, and why."""

    reason: Reason
    changes: tuple[Change, ...]
    """In full for NOT_WHOLE by status; who is merely missing from a doubtful answer isn't even listed."""
    managed: int
    """Of how many active mailboxes or aliases that are ours."""
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


@dataclass(frozen=True, slots=True)
class Pending:
    """What a grace will bring later."""

    address: Address
    dn: str
    due: datetime
    """Not before this."""
    answers: int
    """How many more whole answers without the entry it takes, this one not counted."""
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
    managed_aliases: int = 0
    """Aliases of mailcow that are ours, before the run."""
    wanted_aliases: int = 0
    """Aliases that the directory asks for."""
    unmanaged_aliases: tuple[Address, ...] = ()
    """Aliases in our domains that are neither ours nor in the directory."""
    unread: frozenset[Address] = frozenset()
    """Mailboxes whose present rights to send as others must be known before theirs can be changed."""
