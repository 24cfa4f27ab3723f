"""The case: everything that a plan is made from, read before and never changed; and whose a thing in mailcow is.

Ownership stands here in one place. A mailbox or an alias is ours if the state file or our mark in mailcow says so. It
is left alone if the config protects it, if it was released, or if another installation's mark is on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
        lost = {note.address for note in self.forgotten if note.subject is Subject.MAILBOX}
        return {address: row for address, row in self.memory.mailboxes.items() if address not in lost}

    @cached_property
    def alias_rows(self) -> dict[Address, RememberedAlias]:
        """What is remembered of aliases, without those that carry a mark against it."""
        lost = {note.address for note in self.forgotten if note.subject is Subject.ALIAS}
        return {address: row for address, row in self.memory.aliases.items() if address not in lost}

    @cached_property
    def forgotten(self) -> tuple[Note, ...]:
        """Rows to forget: of what was released, and of what carries another installation's mark and not ours."""
        boxes, aliases = self.actual.mailboxes, self.actual.aliases
        lost = sorted(one for one in self.memory.mailboxes if one in boxes and self._is_lost(boxes[one]))
        gone = sorted(one for one in self.memory.aliases if one in aliases and self._alias_mark(aliases[one]))
        return (*(Note(one, None) for one in lost), *(Note(one, None, Subject.ALIAS) for one in gone))

    def _is_lost(self, existing: Existing) -> bool:
        if self.marks.foreign(existing.tags):
            return not self.marks.claims(existing.tags)
        return self.marks.released in existing.tags

    def is_unclaimed(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether no directory is known to have the entry of a row: only a mark, or the ancestor, made it ours."""
        if isinstance(row, RememberedAlias):
            return not row.owner and not row.dn
        return row.id is None and (not row.dn or row.origin is Origin.ANCESTOR)

    def not_read(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether a row is of a directory that can't be read just now."""
        return not self.is_unclaimed(row) and row.source in self.names - self.by_name.keys()

    def is_of_unknown(self, row: Remembered | RememberedAlias) -> bool:
        """Tell whether a row is of a directory that the config doesn't have."""
        return not self.is_unclaimed(row) and row.source not in self.names

    # whose is it

    def is_ours(self, existing: Existing) -> bool:
        """Tell whether a mailbox is ours: the state file or the mark in mailcow says so, and no mark against it."""
        is_ours = existing.address in self.rows or self.marks.claims(existing.tags)
        return is_ours and self.mark_against(existing) is None

    def is_our_alias(self, existing: ExistingAlias) -> bool:
        """Tell whether an alias is ours.

        A remembered number that differs tells of another alias, which somebody made after ours was gone.
        """
        row = self.alias_rows.get(existing.address)
        is_marked = existing.values[PRIVATE_COMMENT] in self.marks.of_aliases
        return is_marked or (row is not None and _is_about(row, existing))

    def alias_row(self, existing: ExistingAlias) -> RememberedAlias:
        """Return what we remember of an alias that is ours; a fresh row where only its mark says so."""
        comment = existing.values[PRIVATE_COMMENT]
        return self.alias_rows.get(existing.address) or RememberedAlias(
            existing.address,
            source=self.config.sources[0].name,
            owner="",
            dn="",
            role=Role.FORMER if comment == self.marks.renamed else None,
            origin=Origin.MARK,
            disabled=comment == self.marks.disabled,
        )

    def disabled_alias(self, existing: ExistingAlias) -> bool:
        """Tell whether the inactive state of an alias is our doing."""
        row = self.alias_rows.get(existing.address)
        is_marked = existing.values[PRIVATE_COMMENT] == self.marks.disabled
        return is_marked or (row is not None and _is_about(row, existing) and row.disabled)

    def left_alone(self, address: Address) -> LeftAlone | None:
        """Return why a mailbox is left alone; None where it needn't be."""
        existing = self.actual.mailboxes.get(address)
        return self._protected(address) or (self.mark_against(existing) if existing else None)

    def alias_left_alone(self, address: Address) -> LeftAlone | None:
        """Return why an alias is left alone; None where it needn't be."""
        existing = self.actual.aliases.get(address)
        return self._protected(address) or (self._alias_mark(existing) if existing else None)

    def _protected(self, address: Address) -> LeftAlone | None:
        is_protected = address in self.config.protected
        return LeftAlone(Rule.PROTECTED, Say.PROTECTED.at(address, address=address)) if is_protected else None

    def mark_against(self, existing: Existing) -> LeftAlone | None:
        """Return why the tags of a mailbox forbid touching it; None where they don't."""
        return mark_against(self.marks, existing)

    def _alias_mark(self, existing: ExistingAlias) -> LeftAlone | None:
        return alias_mark_against(self.marks, existing)


def mark_against(marks: Marks, existing: Existing) -> LeftAlone | None:
    """Return why the tags of a mailbox forbid touching it; None where they don't."""
    address = existing.address
    if foreign := marks.foreign(existing.tags):
        both = "our mark and that" if marks.claims(existing.tags) else "the mark"
        tags, whose = ", ".join(foreign), _installations(foreign)
        said = Say.MAILBOX_OF_ANOTHER.at(address, address=address, marks=both, whose=whose, tags=tags)
        return LeftAlone(Rule.OTHER_INSTALLATION, said)
    if marks.released in existing.tags:
        said = Say.MAILBOX_RELEASED.at(address, address=address, tag=marks.released)
        return LeftAlone(Rule.WAS_RELEASED, said)
    return None


def alias_mark_against(marks: Marks, existing: ExistingAlias) -> LeftAlone | None:
    """Return why the private comment of an alias forbids touching it; None where it doesn't."""
    address, comment = existing.address, str(existing.values[PRIVATE_COMMENT])
    if marks.is_foreign(comment):
        said = Say.ALIAS_OF_ANOTHER.at(address, address=address, comment=comment)
        return LeftAlone(Rule.OTHER_INSTALLATION, said)
    if comment == marks.released:
        return LeftAlone(Rule.WAS_RELEASED, Say.ALIAS_RELEASED.at(address, address=address))
    return None


def _installations(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(map(installation, words))))


def _is_about(row: RememberedAlias, existing: ExistingAlias) -> bool:
    """Tell whether a row is about this very alias; one made and not read back yet has no number, but our mark.

    Nor has one that a rename of ours left, where the run ended before it could mark it.
    """
    is_left = row.role is Role.FORMER and not row.number and is_as_renaming_left_it(existing)
    return row.number == existing.number or is_left


def is_as_renaming_left_it(existing: ExistingAlias) -> bool:
    """Tell whether an alias is as mailcow makes it for the old address of a mailbox (docs/mailcow-api.md section 15).

    Its comment alone doesn't tell who renamed that mailbox.
    """
    return str(existing.values[PRIVATE_COMMENT]).startswith(f"Mailbox was renamed from {existing.address} to ")
