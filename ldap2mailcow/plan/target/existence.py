"""Which aliases stay and which go: decided before mailboxes are made, because one may wait for the address of another.

An alias that its entry no longer asks for goes at once. One whose entry is gone waits as long as a mailbox does, so
that both go in the same run. Where it can't be told, it stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ldap2mailcow.config import Source
from ldap2mailcow.model import Address, EntryId, ExistingAlias, Kind, Patch, RememberedAlias, Role, Rule, Subject
from ldap2mailcow.plan.case import Case
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

    @property
    def case(self) -> Case:
        """What everything follows from."""
        return self.making.case

    @cached_property
    def wanted_as_mailbox(self) -> frozenset[Address]:
        """The addresses at which a mailbox is to be made, whatever stands there now."""
        if not self.case.config.create_mailboxes:
            return frozenset()
        users = self.making.matches.users.values()
        return frozenset(match.at for match in users if match.state is State.NEW and match.at)

    @cached_property
    def contested(self) -> frozenset[Address]:
        """The addresses that entries ask for, apart from those at which a mailbox is to be made."""
        return self.making.matches.claims.asked - self.wanted_as_mailbox

    @cached_property
    def waiting(self) -> Mapping[Address, Address]:
        """By the address that a mailbox will have once it can be renamed: the one that it has."""
        renamed = (one for one in self.making.matches.users.values() if one.state is State.RENAMED)
        return {one.wants: one.at for one in renamed if one.wants and one.at}

    @cached_property
    def several(self) -> frozenset[tuple[EntryId, Address]]:
        """The users with several addresses, each with each of these: one of them may be an alias."""
        users = (user for user in self.case.asked.users if len(user.addresses) > 1)
        return frozenset((user.id, address) for user in users for address in user.addresses)

    @cached_property
    def entries(self) -> frozenset[EntryId]:
        """All entries that may ask for aliases. A group that shows no address counts as gone.

        With the grace of those, its list outlives a lost right to read.
        """
        asked = self.case.asked
        groups = (group.id for group in asked.groups if group.addresses or not group.is_clear)
        return frozenset((*self.case.users, *groups, *(forward.id for forward in asked.forwards)))

    @cached_property
    def held(self) -> frozenset[EntryId]:
        """The entries that are gone and whose mailboxes are held."""
        missing = self.making.matches.missing.items()
        return frozenset(one.row.entry for address, one in missing if self.boxes[address].rule is Rule.HELD)

    def decide(self) -> dict[Address, Existence]:
        """Return what becomes of each alias that is there, by address."""
        return {one.address: self.one(one) for _, one in sorted(self.case.actual.aliases.items())}

    def one(self, existing: ExistingAlias) -> Existence:
        """Return what becomes of one alias."""
        case, address = self.case, existing.address
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

    # one of ours that no entry asks for

    def why_kept(self, existing: ExistingAlias, row: RememberedAlias) -> Rule | None:
        """Return why an alias stays as it is; None where it is believed that no entry asks for it."""
        if self.case.is_of_unknown(row):
            return Rule.UNKNOWN_DIRECTORY
        names = self.case.names if self.case.is_unclaimed(row) else {row.source}  # of the first all have a say
        if not names <= self.case.by_name.keys():
            return Rule.NOT_READ
        sources = [self.case.by_name[name].source for name in names]
        return self.why_not_managed(existing, row, sources) or self.why_not_told(existing, row, names)

    def why_not_managed(
        self, existing: ExistingAlias, row: RememberedAlias, sources: Collection[Source]
    ) -> Rule | None:
        """Return why the directories that have a say don't decide about an alias; None where they do."""
        if existing.goto == {self.waiting.get(existing.address)}:
            return Rule.FOLLOWED  # the mailbox that it goes to will have its address
        if not any(self.case.looks_at(source, existing.address) for source in sources):
            return Rule.OUT_OF_SCOPE
        return None if any(self.is_managed(source, row.role) for source in sources) else Rule.KIND_NOT_MANAGED

    def is_managed(self, source: Source, role: Role | None) -> bool:
        """Tell whether the config has such aliases made; those of a kind that was turned off stay as they are."""
        mapping = source.user_mapping
        made = {
            Role.USER: bool(mapping.aliases),
            Role.LIST: source.reads_groups or bool(mapping.group_addresses),
            Role.FORWARD: source.reads_forwards or bool(mapping.forward_to),
        }
        if role is Role.FORMER:
            return self.case.config.create_mailboxes
        return made[role] if role else any(made.values())

    def why_not_told(self, existing: ExistingAlias, row: RememberedAlias, names: Collection[str]) -> Rule | None:
        """Return why the answers don't tell what an alias should be; None where they do."""
        if self.is_unclear(existing.address, row.entry):
            return Rule.UNREADABLE
        if self.case.options.scoped:
            return Rule.OUT_OF_SCOPE
        known = all(self.making.known(name).knows(row.role) for name in names)
        return None if known else Rule.NOT_WHOLE

    def is_unclear(self, address: Address, owner: EntryId) -> bool:
        """Tell whether its entry can't be read as what it asks for, or others ask for it and none of them gets it."""
        if owner in self.making.matches.claims.unclear or (owner, address) in self.several:
            return True
        return address in self.contested and owner not in self.entries

    def unwanted(self, existing: ExistingAlias, row: RememberedAlias) -> Existence:
        """Return what becomes of an alias that no entry asks for."""
        if row.entry in self.entries:
            return self.ended(existing, row, Rule.NOT_WANTED)
        gone = absence(row, self.case.config.removed_users, self.case.now)
        after = {**row.identity, **gone.patch}
        in_doubt = bool(self.making.known(row.source).why_not(row.role))
        if in_doubt or gone.is_over:
            return replace(self.ended(existing, row, Rule.MISSING), after=after)
        if ends := self.ends(existing):
            fate = _FATES[ends]
            self.making.pending.append(Pending(existing.address, row.dn, gone.due, gone.answers, fate, Subject.ALIAS))
        return Existence(existing, Rule.GRACE, row, after=after)

    def ended(self, existing: ExistingAlias, row: RememberedAlias, rule: Rule) -> Existence:
        """Return an alias that goes, unless the config keeps it, it is held, or the mailbox of its entry is."""
        ends = self.ends(existing)
        if ends is None:
            return Existence(existing, Rule.KEPT, row)
        if self.making.held.has(Guarded.ALIAS, existing.address):
            return Existence(existing, Rule.HELD, row)
        if row.entry in self.held:
            return Existence(existing, Rule.STILL_REACHED, row)
        return Existence(existing, rule, row, ends=ends)

    def ends(self, existing: ExistingAlias) -> Kind | None:
        """Return how an alias goes by the config; None where it stays. For a mailbox it always goes."""
        if existing.address in self.wanted_as_mailbox:
            return Kind.REMOVE
        match self.case.config.removed_aliases:
            case "delete":
                return Kind.REMOVE
            case "disable" if existing.is_active:
                return Kind.DISABLE
            case _:
                return None


_FATES = {Kind.REMOVE: Fate.REMOVED, Kind.DISABLE: Fate.DISABLED}
