"""What targets are made with: the case, what belongs together, what is held, and the findings on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from pydantic import SecretStr

from ldap2mailcow.config import Source
from ldap2mailcow.model import (
    Address,
    EntryId,
    Existing,
    ExistingAlias,
    Finding,
    Part,
    Patch,
    Remembered,
    RememberedAlias,
    Role,
    Rule,
    Say,
    Value,
)
from ldap2mailcow.plan.case import Case, LeftAlone
from ldap2mailcow.plan.knowledge import NOTHING, Knowledge
from ldap2mailcow.plan.matching import Matches
from ldap2mailcow.plan.pending import Pending
from ldap2mailcow.plan.withheld import Guarded


class NoRoom(StrEnum):
    """What a domain of mailcow has no room for."""

    MAILBOX = "mailbox"
    QUOTA = "quota"  # a larger one, of a mailbox that is there
    EDIT = "edit"  # of a mailbox whose quota doesn't fit any more: mailcow refuses every edit of it
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Held:
    """What is held: the target of a held address is what is there now. It only grows, so that planning ends."""

    addresses: Mapping[Guarded | NoRoom, frozenset[Address]] = field(default_factory=dict)

    def has(self, kind: Guarded | NoRoom, address: Address) -> bool:
        """Tell whether changes of a kind are held at an address."""
        return address in self.addresses.get(kind, ())

    def of(self, kind: Guarded | NoRoom) -> frozenset[Address]:
        """Return the addresses at which changes of a kind are held."""
        return self.addresses.get(kind, frozenset())

    def plus(self, more: Mapping[Guarded | NoRoom, frozenset[Address]]) -> Self:
        """Return what is held with some more."""
        return replace(self, addresses={**self.addresses, **{kind: self.of(kind) | new for kind, new in more.items()}})


@dataclass(frozen=True, slots=True)
class MailboxTarget:
    """What one mailbox should be, and by which rule."""

    address: Address
    rule: Rule
    there: Existing | None
    values: Mapping[str, Value] | None
    """All attributes; None: there should be no mailbox."""
    dn: str = ""
    source: str = ""
    """The directory that decides about it."""
    tags: frozenset[str] = frozenset()
    password: SecretStr | None = None
    """The password to write; None: the one that it has stays."""
    row: Remembered | None = None
    """What is remembered of it now."""
    after: Patch = field(default_factory=dict)
    """The columns that should be remembered, all that may change."""
    rules: Mapping[Part, Rule] = field(default_factory=dict)
    """Why each part is as it should be, where that isn't the rule of the whole."""
    is_adopted: bool = False
    """Whether it was made by hand and becomes ours."""

    @property
    def is_active(self) -> bool:
        """Whether it takes mail."""
        return self.values is not None and self.values["active"] != 0


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """What one alias should be, and by which rule."""

    address: Address
    rule: Rule
    there: ExistingAlias | None
    values: Mapping[str, Value] | None
    """All fields; None: there should be no alias."""
    dn: str = ""
    source: str = ""
    role: Role | None = None
    row: RememberedAlias | None = None
    after: Patch = field(default_factory=dict)
    """The columns that should be remembered."""
    is_adopted: bool = False
    lost: frozenset[Address] = frozenset()
    """Members that a list loses, whose mailboxes stay active; not one that is replaced."""
    before: int = 0
    """How many members the list had, of which that many are lost."""
    rebuilds: int = 0
    """How often mailcow rebuilds its address book when it is written."""


@dataclass(frozen=True, slots=True)
class RightsTarget:
    """The rows of `sender_acl` that one mailbox should have, hand-made ones included, and by which rule."""

    address: Address
    rule: Rule
    there: frozenset[str]
    """The rows when rights are written: without those that an edit of an alias drops before."""
    rows: frozenset[str]
    foreign_there: frozenset[str]
    foreign: frozenset[str]
    after: Patch
    loses: bool = False
    """Whether a right goes that no alias gives."""
    source: str = ""
    dn: str = ""


@dataclass
class Making:
    """Collects findings and pending removals while targets are made."""

    case: Case
    matches: Matches
    held: Held
    findings: list[Finding] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    _told: set[tuple[Say, str]] = field(default_factory=set)

    def say(self, what: Say, where: str, of: EntryId | None = None, **values: object) -> None:
        """Add a finding; `of` tells the entry that it is about, where it is about one."""
        self.findings.append(what.at(where, self.case.directory_of(of) if of else "", **values))

    def say_once(self, what: Say, where: str, of: EntryId | None = None, **values: object) -> None:
        """Add a finding unless it is there already: one cause that concerns many."""
        if (what, where) not in self._told:
            self._told.add((what, where))
            self.say(what, where, of, **values)

    def say_left_alone(self, left: LeftAlone) -> None:
        """Say why something is left alone."""
        self.findings.append(left.finding)

    def known(self, source: str) -> Knowledge:
        """Return what is known of a directory; nothing of one that couldn't be read."""
        return self.matches.known.get(source, NOTHING)

    def source(self, entry: EntryId) -> Source:
        """Return the directory of an entry."""
        return self.case.by_name[entry.source].source
