"""The case: everything that a plan is made from, read before and never changed; and whose a thing in mailcow is.

Ownership stands here in one place. A mailbox or an alias is ours if the state file or our mark in mailcow says so. It
is left alone if the config protects it, if it was released, or if another installation's mark is on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from ldap2mailcow.config import Config, Source
from ldap2mailcow.desired import Asked, User, merged
from ldap2mailcow.model import (
    PRIVATE_COMMENT,
    Actual,
    Address,
    Answers,
    Change,
    EntryId,
    Existing,
    ExistingAlias,
    Finding,
    Memory,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    Role,
    Rule,
    Say,
    SourceMemory,
    Subject,
)

from .marks import Marks, installation


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked of this run."""

    reassert: bool = False
    """Write every managed password again, changed or not."""
    only: frozenset[Address] = frozenset()
    overridden_filter: bool = False
    approved: Mapping[str, int] = field(default_factory=dict)
    """By kind (`Guarded`): up to how many changes of it are let through."""

    @property
    def scoped(self) -> bool:
        """Whether the run looks at some addresses only, and so knows nothing about the rest."""
        return bool(self.only) or self.overridden_filter


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory that could be read."""

    source: Source
    search_filter: str
    """The filter that was really searched with."""
    answers: Answers
    id_attribute: str
    asked: Asked

    @property
    def name(self) -> str:
        """What the config calls it."""
        return self.source.name


@dataclass(frozen=True, slots=True)
class Begun:
    """What became of the changes that an earlier run began and didn't see the end of."""

    done: tuple[Change, ...] = ()
    """mailcow did them: all that is left is to write that down."""
    halves: frozenset[Address] = frozenset()
    """Mailboxes of which mailcow holds only half, because deleting them crashed."""


class Standing(StrEnum):
    """How the directory that a row is of stands to a run."""

    READ = "read"  # it answered
    NOT_READ = "not_read"  # it can't be read just now
    UNKNOWN = "unknown"  # the config doesn't have it
    UNCLAIMED = "unclaimed"  # none is known to have the entry: only a mark, or the ancestor, made it ours


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Why a mailbox or an alias is neither adopted nor changed nor removed."""

    rule: Rule
    finding: Finding

    @property
    def sentence(self) -> str:
        """Why, in words."""
        return self.finding.sentence


@dataclass(frozen=True)
class Case:
    """All that a plan follows from."""

    config: Config
    directories: tuple[Directory, ...]
    """Those that answered, in the order of the config."""
    actual: Actual
    memory: Memory
    now: datetime
    options: Options = field(default_factory=Options)
    senders: Mapping[Address, frozenset[str] | None] = field(default_factory=dict)
    """Of the mailboxes that were asked for: mailcow's rows of whom its user may send as; None where it didn't tell."""
    every_alias: Mapping[Address, ExistingAlias] = field(default_factory=dict)
    """Those of mailcow's domains that no directory is for; read only where a mailbox may be deleted."""
    can_rename: bool = True
    """Whether this mailcow is new enough to rename mailboxes."""
    begun: Begun = field(default_factory=Begun)

    # what the directories ask for

    @cached_property
    def asked(self) -> Asked:
        """What all directories ask for together."""
        return merged(directory.asked for directory in self.directories)

    @cached_property
    def users(self) -> dict[EntryId, User]:
        """The users of all directories."""
        return {user.id: user for user in self.asked.users}

    @cached_property
    def by_name(self) -> dict[str, Directory]:
        """The directories that answered."""
        return {directory.name: directory for directory in self.directories}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all directories of the config."""
        return frozenset(source.name for source in self.config.sources)

    @property
    def all_answered(self) -> bool:
        """Whether every directory of the config could be read."""
        return self.names == self.by_name.keys()

    @cached_property
    def manages_aliases(self) -> bool:
        """Whether the config has aliases made, or rights given."""
        return self.manages_senders or any(source.manages_aliases for source in self.config.sources)

    @cached_property
    def manages_senders(self) -> bool:
        """Whether the config has rights given."""
        return any(source.manages_senders for source in self.config.sources)

    def named(self, directory: str) -> str:
        """Return the name of a directory as findings tell it: empty where there is one directory only."""
        return directory if len(self.config.sources) > 1 else ""

    def directory_of(self, entry: EntryId) -> str:
        """Return the name of an entry's directory as findings tell it."""
        return self.named(entry.source)

    def source_memory(self, name: str) -> SourceMemory:
        """Return what is remembered of a directory itself."""
        return self.memory.sources.get(name, SourceMemory())

    def in_scope(self, address: Address) -> bool:
        """Tell whether `--only` leaves an address to this run."""
        return not self.options.only or address in self.options.only

    def home_domain(self, address: Address) -> str:
        """Return the mail domain in which mailcow counts an address: an alias domain counts in its target."""
        return self.actual.alias_domains.get(address.domain, address.domain)

    def looks_at(self, source: Source, address: Address) -> bool:
        """Tell whether an address is in one of the domains that a directory is for."""
        return not source.domains or self.home_domain(address) in source.domains

    # what is remembered

    @cached_property
    def marks(self) -> Marks:
        """The words that say in mailcow itself what is ours."""
        return Marks(self.config.mark)

    @cached_property
    def rows(self) -> dict[Address, Remembered]:
        """What is remembered of mailboxes, without those that carry a mark against it."""
        lost = self._lost(self.memory.mailboxes, self.actual.mailboxes)
        return {address: row for address, row in self.memory.mailboxes.items() if address not in lost}

    @cached_property
    def alias_rows(self) -> dict[Address, RememberedAlias]:
        """What is remembered of aliases, without those that carry a mark against it."""
        lost = self._lost(self.memory.aliases, self.actual.aliases)
        return {address: row for address, row in self.memory.aliases.items() if address not in lost}

    @property
    def forgotten(self) -> tuple[Note, ...]:
        """Rows to forget: of what was released, and of what carries another installation's mark and not ours."""
        boxes = sorted(self.memory.mailboxes.keys() - self.rows.keys())
        aliases = sorted(self.memory.aliases.keys() - self.alias_rows.keys())
        return (*(Note(one, None) for one in boxes), *(Note(one, None, Subject.ALIAS) for one in aliases))

    def _lost(
        self, rows: Mapping[Address, object], there: Mapping[Address, Existing | ExistingAlias]
    ) -> frozenset[Address]:
        return frozenset(one for one in rows.keys() & there.keys() if self._is_lost(there[one]))

    def _is_lost(self, existing: Existing | ExistingAlias) -> bool:
        left = mark_against(self.marks, existing)
        if left is None or left.rule is Rule.WAS_RELEASED:
            return left is not None
        return not self.marks.claims(_words(existing))

    def standing(self, row: Remembered | RememberedAlias) -> Standing:
        """Return how the directory that a row is of stands to this run."""
        entry = row.owner if isinstance(row, RememberedAlias) else row.id
        dn = "" if row.origin is Origin.ANCESTOR else row.dn
        if not (entry or dn):
            return Standing.UNCLAIMED
        if row.source in self.by_name:
            return Standing.READ
        return Standing.NOT_READ if row.source in self.names else Standing.UNKNOWN

    def home(self, row: Remembered | RememberedAlias) -> str | None:
        """Return the directory of the config that a row is of."""
        return row.source if self.standing(row) in (Standing.READ, Standing.NOT_READ) else None

    def is_unclaimed(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether no directory is known to have the entry of a row: only a mark, or the ancestor, made it ours."""
        return self.standing(row) is Standing.UNCLAIMED

    def not_read(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether a row is of a directory that can't be read just now."""
        return self.standing(row) is Standing.NOT_READ

    def is_of_unknown(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether a row is of a directory that the config doesn't have."""
        return self.standing(row) is Standing.UNKNOWN

    # whose is it

    def is_ours(self, existing: Existing) -> bool:
        """Tell whether a mailbox is ours: the state file or the mark in mailcow says so, and no mark against it."""
        if mark_against(self.marks, existing):
            return False
        return existing.address in self.rows or self.marks.claims(existing.tags)

    def is_our_alias(self, existing: ExistingAlias) -> bool:
        """Tell whether an alias is ours: its mark or the state file says so."""
        return existing.values[PRIVATE_COMMENT] in self.marks.of_aliases or self._row_about(existing) is not None

    def alias_row(self, existing: ExistingAlias) -> RememberedAlias:
        """Return what we remember of an alias that is ours; a fresh row where only its mark says so."""
        comment = existing.values[PRIVATE_COMMENT]
        fresh = RememberedAlias(
            existing.address,
            source=self.config.sources[0].name,
            owner="",
            dn="",
            role=Role.FORMER if comment == self.marks.renamed else None,
            origin=Origin.MARK,
            disabled=comment == self.marks.disabled,
        )
        return self.alias_rows.get(existing.address, fresh)

    def disabled_alias(self, existing: ExistingAlias) -> bool:
        """Tell whether the inactive state of an alias is our doing."""
        row = self._row_about(existing)
        by_row = row.disabled if row else False
        return by_row or existing.values[PRIVATE_COMMENT] == self.marks.disabled

    def _row_about(self, existing: ExistingAlias) -> RememberedAlias | None:
        """Return the row that is about this very alias.

        A remembered number that differs tells of another alias, which somebody made after ours was gone. One that was
        made and not read back yet has no number, but our mark; nor has one that a rename of ours left, where the run
        ended before it could mark it.
        """
        row = self.alias_rows.get(existing.address)
        if row is None or row.number == existing.number:
            return row
        is_left = row.role is Role.FORMER and not row.number
        return row if is_left and is_as_renaming_left_it(existing) else None

    def left_alone(self, address: Address) -> LeftAlone | None:
        """Return why a mailbox is left alone; None where it needn't be."""
        return self._left_alone(address, self.actual.mailboxes.get(address))

    def alias_left_alone(self, address: Address) -> LeftAlone | None:
        """Return why an alias is left alone; None where it needn't be."""
        return self._left_alone(address, self.actual.aliases.get(address))

    def _left_alone(self, address: Address, existing: Existing | ExistingAlias | None) -> LeftAlone | None:
        if address in self.config.protected:
            return LeftAlone(Rule.PROTECTED, Say.PROTECTED.at(address, address=address))
        return mark_against(self.marks, existing) if existing else None


_SAID = {
    Existing: (Say.MAILBOX_OF_ANOTHER, Say.MAILBOX_RELEASED),
    ExistingAlias: (Say.ALIAS_OF_ANOTHER, Say.ALIAS_RELEASED),
}


def mark_against(marks: Marks, existing: Existing | ExistingAlias) -> LeftAlone | None:
    """Return why the tags of a mailbox, or the private comment of an alias, forbid touching it; None if they don't."""
    address, words = existing.address, _words(existing)
    of_another, released = _SAID[type(existing)]
    if foreign := marks.foreign(words):
        both = "our mark and that" if marks.claims(words) else "the mark"
        whose = ", ".join(sorted(set(map(installation, foreign))))
        said = of_another.at(address, address=address, marks=both, whose=whose, words=", ".join(foreign))
        return LeftAlone(Rule.OTHER_INSTALLATION, said)
    if marks.released in words:
        return LeftAlone(Rule.WAS_RELEASED, released.at(address, address=address, tag=marks.released))
    return None


def _words(existing: Existing | ExistingAlias) -> frozenset[str]:
    """Return where marks are: the tags of a mailbox, the private comment of an alias."""
    if isinstance(existing, Existing):
        return existing.tags
    return frozenset({str(existing.values[PRIVATE_COMMENT])})


def is_as_renaming_left_it(existing: ExistingAlias) -> bool:
    """Tell whether an alias is as mailcow makes it for the old address of a mailbox (docs/mailcow-api.md section 15).

    Its comment alone doesn't tell who renamed that mailbox.
    """
    return str(existing.values[PRIVATE_COMMENT]).startswith(f"Mailbox was renamed from {existing.address} to ")
