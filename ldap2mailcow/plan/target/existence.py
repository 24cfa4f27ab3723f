"""Which aliases stay and which go: decided before mailboxes are made, because one may wait for the address of another.

An alias that its entry no longer asks for goes at once. One whose entry is gone waits as long as a mailbox does, so
that both go in the same run. Where it can't be told, it stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ldap2mailcow.config import Source
from ldap2mailcow.model import Address, EntryId, ExistingAlias, Kind, Patch, RememberedAlias, Role, Rule, Subject
from ldap2mailcow.plan.grace import absence
from ldap2mailcow.plan.matching import State
from ldap2mailcow.plan.pending import Fate, Pending
from ldap2mailcow.plan.renames import NOT_YET
from ldap2mailcow.plan.withheld import Guarded

from .making import MailboxTarget, Making


@dataclass(frozen=True, slots=True)
class Existence:
    """Whether an alias that is there stays, and by which rule."""

    existing: ExistingAlias
    rule: Rule
    row: RememberedAlias
    former_of: EntryId | None = None
    """The user whose former address it is, who has a mailbox."""
    ends: Kind | None = None
    """REMOVE or DISABLE where it goes."""
    after: Patch = field(default_factory=dict)
    """What is remembered of it where it stays as it is."""

    @property
    def frees(self) -> bool:
        """Whether its address is free for a mailbox in this run."""
        return self.ends is Kind.REMOVE


@dataclass
class AliasKeeper:
    """Decides which of mailcow's aliases stay."""

    making: Making
    boxes: Mapping[Address, MailboxTarget]
    """The targets of the mailboxes that are there."""

    @cached_property
    def wanted_as_mailbox(self) -> Collection[Address]:
        """The addresses at which a mailbox is to be made, whatever stands there now."""
        if not self.making.case.config.create_mailboxes:
            return frozenset()
        users = self.making.matches.users.values()
        return frozenset(match.at for match in users if match.state is State.NEW and match.at)

    @cached_property
    def waiting(self) -> Mapping[Address, Address]:
        """By the address that a mailbox will have once it can be renamed: the one that it has."""
        renamed = (one for one in self.making.matches.users.values() if one.state is State.RENAMED)
        return {one.wants: one.at for one in renamed if one.wants and one.at}

    def decide(self) -> dict[Address, Existence]:
        """Return what becomes of each alias that is there, by address."""
        return {one.address: self.one(one) for _, one in sorted(self.making.case.actual.aliases.items())}

    def one(self, existing: ExistingAlias) -> Existence:
        """Return what becomes of one alias."""
        case, address = self.making.case, existing.address
        row = case.alias_row(existing)
        is_asked = address in self.making.matches.claims.aliases
        if left := case.alias_left_alone(address):
            if is_asked:
                self.making.say_left_alone(left)
            return Existence(existing, left.rule, row)
        if is_asked:
            return Existence(existing, Rule.FOLLOWED, row)
        if not case.is_our_alias(existing):
            return Existence(existing, Rule.NOT_OURS, row)
        if owner := self.former_of(existing, row):
            return Existence(existing, Rule.FORMER, row, former_of=owner)
        if rule := self.why_kept(existing, row):
            return Existence(existing, rule, row)
        return self.unwanted(existing, row)

    def former_of(self, existing: ExistingAlias, row: RememberedAlias) -> EntryId | None:
        """Return the user whose former address an alias is, as long as there is a mailbox and no other claim to it.

        What a rename of this run leaves can't go in the same run: it isn't there yet.
        """
        if existing.address in self.wanted_as_mailbox and existing.number != NOT_YET:
            return None
        owner = self.making.matches.former_owner(existing, row)
        match = self.making.matches.users.get(owner) if owner else None
        return owner if match and match.at in self.boxes else None

    def why_kept(self, existing: ExistingAlias, row: RememberedAlias) -> Rule | None:
        """Return why an alias of ours that no entry asks for stays as it is; None where that is believed."""
        case = self.making.case
        if case.is_of_unknown(row):
            return Rule.UNKNOWN_DIRECTORY
        if case.not_read(row):
            return Rule.NOT_READ
        if existing.goto == {self.waiting.get(existing.address)}:
            return Rule.FOLLOWED  # the mailbox that it goes to will have its address
        sources = [one.source for one in case.directories] if case.is_unclaimed(row) else [self.source(row)]
        if not any(case.looks_at(source, existing.address) for source in sources):
            return Rule.OUT_OF_SCOPE
        if not any(self.is_managed(source, row.role) for source in sources):
            return Rule.KIND_NOT_MANAGED
        if self.is_unclear(existing, row) or self.is_contested(existing, row):
            return Rule.UNREADABLE
        if case.options.scoped:
            return Rule.OUT_OF_SCOPE
        known = all(self.making.known(source.name).knows(row.role) for source in sources)
        return None if known and (case.all_answered or not case.is_unclaimed(row)) else Rule.NOT_WHOLE

    def source(self, row: RememberedAlias) -> Source:
        """Return the directory of an alias."""
        return self.making.case.by_name[row.source].source

    def is_managed(self, source: Source, role: Role | None) -> bool:
        """Tell whether the config has such aliases made; those of a kind that was turned off stay as they are."""
        mapping = source.user_mapping
        made = {
            Role.USER: bool(mapping.aliases),
            Role.LIST: source.reads_groups or bool(mapping.group_addresses),
            Role.FORWARD: source.reads_forwards or bool(mapping.forward_to),
        }
        if role is Role.FORMER:
            return self.making.case.config.create_mailboxes
        return any(made.values()) if role is None else made[role]

    def is_unclear(self, existing: ExistingAlias, row: RememberedAlias) -> bool:
        """Tell whether its entry can't be read as what it asks for, or names the alias among several."""
        owner = EntryId(row.source, row.owner)
        user = self.making.case.users.get(owner)
        is_one_of_several = user is not None and len(user.addresses) > 1 and existing.address in user.addresses
        return is_one_of_several or owner in self.making.matches.claims.unclear

    def is_contested(self, existing: ExistingAlias, row: RememberedAlias) -> bool:
        """Tell whether entries ask for an alias and none of them gets it, so that nothing is decided about it."""
        is_asked = existing.address in self.making.matches.claims.asked
        return is_asked and existing.address not in self.wanted_as_mailbox and not self.is_there(row)

    def is_there(self, row: RememberedAlias) -> bool:
        """Tell whether the entry that an alias belongs to is in the answers."""
        return EntryId(row.source, row.owner) in self.entries

    @cached_property
    def entries(self) -> frozenset[EntryId]:
        """All entries that may ask for aliases. A group that shows no address counts as gone.

        With the grace of those, its list outlives a lost right to read.
        """
        asked = self.making.case.asked
        groups = (group.id for group in asked.groups if group.addresses or not group.is_clear)
        return frozenset((*self.making.case.users, *groups, *(forward.id for forward in asked.forwards)))

    def unwanted(self, existing: ExistingAlias, row: RememberedAlias) -> Existence:
        """Return what becomes of an alias that no entry asks for."""
        ends = self.ends(existing)
        if self.is_there(row):
            return self.ended(existing, row, Rule.NOT_WANTED, ends)
        gone = absence(row, self.making.case.config.removed_users, self.making.case.now)
        after = {**row.identity, **gone.patch}
        in_doubt = bool(self.making.known(row.source).why_not(row.role))
        if in_doubt or gone.is_over:
            return self.ended(existing, row, Rule.MISSING, ends, after)
        if ends is not None:
            fate = Fate.DISABLED if ends is Kind.DISABLE else Fate.REMOVED
            self.making.pending.append(Pending(existing.address, row.dn, gone.due, gone.answers, fate, Subject.ALIAS))
        return Existence(existing, Rule.GRACE, row, after=after)

    def ends(self, existing: ExistingAlias) -> Kind | None:
        """Return how an alias goes by the config; None where it stays. For a mailbox it always goes."""
        if existing.address in self.wanted_as_mailbox:
            return Kind.REMOVE
        match self.making.case.config.removed_aliases:
            case "delete":
                return Kind.REMOVE
            case "disable":
                return Kind.DISABLE if existing.is_active else None
            case _:
                return None

    def ended(
        self, existing: ExistingAlias, row: RememberedAlias, rule: Rule, ends: Kind | None, after: Patch | None = None
    ) -> Existence:
        """Return an alias that goes, unless the config keeps it or it is held."""
        if ends is None:
            return Existence(existing, Rule.KEPT, row, after=after or {})
        if self.making.held.has(Guarded.ALIAS, existing.address):
            return Existence(existing, Rule.HELD, row, after=after or {})
        if rule is Rule.MISSING and self.belongs_to_held(row):
            return Existence(existing, Rule.STILL_REACHED, row, after=after or {})
        return Existence(existing, rule, row, ends=ends, after=after or {})

    def belongs_to_held(self, row: RememberedAlias) -> bool:
        """Tell whether the mailbox of the entry that an alias belongs to is held: both stay together."""
        box = self.box_of.get(EntryId(row.source, row.owner))
        return box is not None and self.boxes[box].rule is Rule.HELD

    @cached_property
    def box_of(self) -> Mapping[EntryId, Address]:
        """By entry that is gone: its mailbox."""
        found = self.making.matches.missing.items()
        return {EntryId(one.row.source, one.row.id or ""): address for address, one in found if address in self.boxes}
