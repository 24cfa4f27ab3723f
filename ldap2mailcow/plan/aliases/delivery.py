"""Who can be reached once the mailboxes' changes are made: what a goto may hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from ldap2mailcow.model import ACTIVE, Address, ExistingAlias, Kind, MailboxChange
from ldap2mailcow.plan.view import View


class Reach(Enum):
    """What becomes of mail to an address."""

    DELIVERED = auto()
    INACTIVE = auto()
    """Its mailbox is or becomes inactive: postfix refuses such mail (docs/mailcow-api.md section 15)."""
    NOWHERE = auto()
    """mailcow hosts its domain and has nobody of that name."""


@dataclass
class Delivery:
    """What mailcow does with mail after this run, as far as its mailboxes and aliases are known."""

    view: View
    changes: Iterable[MailboxChange]
    """The changes of mailboxes that will be made."""
    leaving: frozenset[Address] = frozenset()
    """Aliases that are removed or set inactive."""
    refused: Collection[Address] = ()
    """Addresses that an entry can't have: who means that entry must not reach whoever else has them."""
    lost: set[Address] = field(default_factory=set)
    """Aliases that the directory wants and that will not be, or will lead to nobody."""

    @property
    def all_changes(self) -> Iterator[MailboxChange]:
        """The changes of mailboxes, with those that the plans of other directories make."""
        yield from self.changes
        yield from self.view.others.doing.mailboxes

    @cached_property
    def is_active(self) -> dict[Address, bool]:
        """Every mailbox in scope after the run, and whether it takes mail.

        Where mailboxes come from elsewhere, who is inactive in the directory counts as inactive: they stay as they are.
        """
        found = {address: box.attributes[ACTIVE.key] != 0 for address, box in self.view.actual.mailboxes.items()}
        if not self.view.config.decides_status:
            wanted = {**self.view.others.mailboxes, **self.view.desired.mailboxes}.items()
            found |= {one: False for one, box in wanted if one in found and box.attributes.get(ACTIVE.key) == 0}
        for change in self.all_changes:
            if ACTIVE.key in change.writes:
                found[change.address] = change.writes[ACTIVE.key] != 0
        return found

    @cached_property
    def made(self) -> frozenset[Address]:
        """The mailboxes that this run makes."""
        return frozenset(change.address for change in self.all_changes if change.kind is Kind.CREATE)

    @cached_property
    def enabled(self) -> frozenset[Address]:
        """The mailboxes that this run makes active, before it comes to aliases."""
        return frozenset(change.address for change in self.all_changes if change.writes.get(ACTIVE.key) == 1)

    def is_anothers(self, address: Address) -> bool:
        """Tell whether whoever wants a mailbox doesn't get it: what is at the address, if anything, isn't theirs."""
        if address in self.view.desired.renaming:
            return False  # whoever is held at it has it
        is_made_here = self.view.config.create_mailboxes and address in self.view.desired.mailboxes
        return address in self.refused or (is_made_here and address not in self.is_active)

    def reach(self, address: Address) -> Reach:
        """Return what becomes of mail to an address."""
        if self.is_anothers(address):
            return Reach.NOWHERE
        active = self.is_active.get(address)
        if active is not None:
            return Reach.DELIVERED if active else Reach.INACTIVE
        actual = self.view.actual
        twin = actual.twin(address)
        if twin in self.is_active and address not in actual.aliases:
            return Reach.DELIVERED if self.is_active[twin] else Reach.INACTIVE
        if address.domain not in actual.domains and twin is None:
            return Reach.DELIVERED  # foreign, or of a domain that is not looked at here
        return Reach.DELIVERED if self.has_alias(address) else Reach.NOWHERE

    def home(self, address: Address) -> Address:
        """Return where somebody is reached: at the mailbox in their old domain, while the new one can't be made."""
        old = self.view.renames.moving.get(address)
        return old if old and address not in self.is_active and self.is_active.get(old) else address

    def goto(self, existing: ExistingAlias) -> frozenset[Address]:
        """Return whom an alias that is there means, by the names that they have after the run's renames.

        Without itself, which mailcow takes out of every edit.
        """
        return self.view.renames.meant.get(existing.address, existing.goto) - {existing.address}

    def reached(self, existing: ExistingAlias, *, whoever: bool = False) -> frozenset[Address]:
        """Return whom an alias that is there goes on to reach.

        With `whoever` mailboxes count whose address is wanted by an entry that can't have it: somebody has them, and
        where absence isn't known they may be on the list.
        """
        goto = self.goto(existing)
        found = self.reachable(goto)
        return found | {address for address in goto if self.is_active.get(address)} if whoever else found

    def reachable(self, addresses: Iterable[Address]) -> frozenset[Address]:
        """Return those of some addresses at which somebody gets mail."""
        return frozenset(address for address in addresses if self.reach(address) is Reach.DELIVERED)

    def barred(self, existing: ExistingAlias) -> frozenset[Address]:
        """Return the targets that take mail, and that the directory calls inactive where that disables no mailbox."""
        boxes = self.view.actual.mailboxes
        return frozenset(
            one
            for one in self.goto(existing)
            if one in boxes and boxes[one].attributes[ACTIVE.key] != 0 and self.reach(one) is Reach.INACTIVE
        )

    def has_alias(self, address: Address) -> bool:
        """Tell whether an address is an alias after the run that takes mail."""
        others = self.view.others
        if address in self.view.wishes.aliases and address not in self.lost:
            return True
        if address in others.aliases and address not in others.doing.lost:
            return True
        there = self.view.actual.aliases.get(address)
        return there is not None and there.is_active and address not in self.leaving | self.lost

    def is_local(self, address: Address) -> bool:
        """Tell whether an address is an active mailbox: any other target makes mailcow rebuild its address book."""
        box = self.view.actual.mailboxes.get(address)
        is_new = address in self.made or address in self.enabled
        return is_new or (box is not None and box.attributes[ACTIVE.key] == 1)

    def rebuilds(self, goto: Iterable[Address]) -> int:
        """Return how often mailcow rebuilds its whole address book for an alias with these targets."""
        return sum(not self.is_local(address) for address in goto)
