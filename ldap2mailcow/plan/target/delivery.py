"""Where mail goes after the run: whom a value of the directory means, and what takes mail.

A value names an entry, or an address as it is written. An entry means its mailbox, wherever that is after this run. An
address means what has it: a mailbox, a list (and so its members), a further or former address (and so the mailbox), a
forwarding. An address that a user asks for and doesn't get means nothing: what has it isn't that user's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from ldap2mailcow.desired import Forward, Group, Meant, User, some_of
from ldap2mailcow.model import ACTIVE, Address, EntryId, ExistingAlias, Rule, Say
from ldap2mailcow.plan.matching import State

from .making import MailboxTarget, Making
from .nesting import components, flatten, loop_through


class Reach(Enum):
    """What becomes of mail to an address."""

    DELIVERED = auto()
    INACTIVE = auto()
    """Its mailbox is or becomes inactive: postfix refuses such mail (docs/mailcow-api.md section 15)."""
    NOWHERE = auto()
    """mailcow hosts its domain and has nothing of that name."""


@dataclass
class Delivery:
    """What mailcow does with mail after this run."""

    making: Making
    boxes: Mapping[Address, MailboxTarget]
    taking: set[Address] = field(default_factory=set)
    """Aliases that take mail, as far as they are found already."""

    # whom a value means

    def home(self, user_id: EntryId) -> Address | None:
        """Return where the mailbox of a user is after this run; None where there is none."""
        match = self.making.matches.users.get(user_id)
        if match is None:
            return None
        box = self.boxes.get(match.at) if match.at else None
        if box is not None and box.values is not None:
            return box.address
        old = match.row.address if match.row else None
        return old if old is not None and self.is_in_use(old, match.state) else None

    def is_in_use(self, address: Address, state: State) -> bool:
        """Tell whether a user is reached at the mailbox in the old domain, while the new one can't be made."""
        box = self.boxes.get(address)
        return state is State.NEW and box is not None and box.is_active

    @cached_property
    def groups(self) -> dict[EntryId, Group]:
        """All groups."""
        return {group.id: group for group in self.making.case.asked.groups}

    @cached_property
    def forwards(self) -> dict[EntryId, Forward]:
        """All entries that only forward, users among them."""
        asked = self.making.case.asked
        of_users = (user.forward for user in asked.users if user.forward is not None)
        return {forward.id: forward for forward in (*asked.forwards, *of_users)}

    @cached_property
    def by_address(self) -> dict[Address, EntryId]:
        """By address that a user has as a mailbox: the user."""
        return {address: user_id for user_id, address in self.making.matches.claims.mailboxes.items()}

    @cached_property
    def former(self) -> dict[Address, EntryId]:
        """By former address: the user whose mailbox had it."""
        case, found = self.making.case, {}
        for address, existing in case.actual.aliases.items():
            owner = self.making.matches.former_owner(existing, case.alias_row(existing))
            if owner and case.is_our_alias(existing):
                found[address] = owner
        return found

    def meant(self, value: Meant) -> Address | Group | None:
        """Return what a value means: an address that may take mail, a list, or nothing."""
        if isinstance(value, EntryId):
            return self.meant_entry(value)
        twin = self.making.case.actual.twin(value) if value.local else None
        found = self.known(value)
        if found is value and twin is not None:
            twin_means = self.known(twin)
            return value if twin_means is twin else twin_means
        return found

    def meant_entry(self, entry: EntryId) -> Address | Group | None:
        """Return what an entry means: a list, its mailbox, or an address that forwards."""
        if group := self.groups.get(entry):
            return group
        if entry in self.making.matches.users and (home := self.home(entry)):
            return home
        forward = self.forwards.get(entry)
        return min(self.has_of(forward), default=None) if forward else None

    def has_of(self, forward: Forward) -> Iterator[Address]:
        """Give the addresses that an entry which only forwards gets."""
        aliases = self.making.matches.claims.aliases
        return (one for one in forward.addresses if one in aliases and aliases[one].owner == forward.id)

    def known(self, address: Address) -> Address | Group | None:
        """Return what an address means, its twin apart; the address itself where nothing is known of it."""
        claims = self.making.matches.claims
        if user_id := self.by_address.get(address):
            return self.home(user_id) if self.making.case.config.create_mailboxes else address
        if claim := claims.aliases.get(address):
            if isinstance(claim.entry, Group):
                return claim.entry
            return self.home(claim.owner) or address if isinstance(claim.entry, User) else address
        if address in self.making.matches.at:
            return address
        if user_id := self.former.get(address):
            return self.home(user_id)
        return None if claims.is_lost(address) else address

    # lists

    @cached_property
    def members(self) -> Mapping[EntryId, frozenset[Address]]:
        """By group: everybody in it, and in all groups that it leads to."""
        direct: dict[EntryId, set[Address]] = {}
        nested: dict[EntryId, tuple[EntryId, ...]] = {}
        for group in self.groups.values():
            found = [self.meant(value) for value in group.members]
            own = {*group.addresses, *group.further}
            addresses = {one for one in found if one is not None and not isinstance(one, Group) and one not in own}
            direct[group.id] = addresses - self.refused(group, addresses)
            inner = {one.id for one in found if isinstance(one, Group) and one.id != group.id}
            nested[group.id] = tuple(sorted(inner))
        self.tell_loops(nested)
        return flatten(direct, nested)

    @cached_property
    def doubtful(self) -> frozenset[EntryId]:
        """The groups whose members aren't all known, and those that lead to them."""
        found = {group.id for group in self.groups.values() if not group.members_known}
        around: defaultdict[EntryId, set[EntryId]] = defaultdict(set)
        for group in self.groups.values() if found else ():
            for inner in map(self.meant, group.members):
                if isinstance(inner, Group):
                    around[inner.id].add(group.id)
        ahead = list(found)
        while ahead:
            more = around[ahead.pop()] - found
            found |= more
            ahead += more
        return frozenset(found)

    def is_doubtful(self, owner: EntryId) -> bool:
        """Tell whether it isn't known of all that an entry's aliases should go to: what they go to stays."""
        forward = self.forwards.get(owner)
        leads_to = map(self.meant, forward.stated) if forward and self.doubtful else ()
        return owner in self.doubtful or any(isinstance(one, Group) and one.id in self.doubtful for one in leads_to)

    def refused(self, group: Group, addresses: Iterable[Address]) -> frozenset[Address]:
        """Return the members that may not be on a list, because mailcow doesn't host them."""
        if self.making.case.config.external_goto.groups == "allow":
            return frozenset()
        foreign = frozenset(one for one in addresses if one.domain not in self.making.case.actual.hosted)
        if foreign:
            self.tell_foreign(group.id, group.dn or group.id.id, "it has", foreign, "groups")
        return foreign

    def tell_loops(self, nested: Mapping[EntryId, tuple[EntryId, ...]]) -> None:
        """Name each loop once, at the first of the groups in it."""
        for component in components(nested):
            if way := loop_through(min(component, key=self.named), nested):
                chain = " -> ".join(map(self.named, way))
                self.making.say_once(Say.LIST_LOOP, self.named(way[0]), way[0], way=chain)

    def named(self, group_id: EntryId) -> str:
        """Return what people call a group."""
        return self.groups[group_id].dn or group_id.id

    def targets(self, owner: EntryId, address: Address) -> frozenset[Address]:
        """Return where mail to an alias of an entry goes, lists replaced by their members: never to itself."""
        return self.all_targets(owner) - {address}

    def all_targets(self, owner: EntryId) -> frozenset[Address]:
        """Return where mail to the aliases of an entry goes."""
        if owner in self.groups:
            return self.members[owner] - {*self.groups[owner].addresses, *self.groups[owner].further}
        forward = self.forwards.get(owner)
        home = self.home(owner)
        if forward is None or home is not None:
            return frozenset({home} if home else ())
        found: set[Address] = set()
        for one in map(self.meant, self.permitted(forward)):
            found |= self.members[one.id] if isinstance(one, Group) else {one} if one else set()
        return frozenset(found - forward.addresses)

    def permitted(self, forward: Forward) -> frozenset[Meant]:
        """Return the targets that an entry may have."""
        config = self.making.case.config.external_goto
        whose = "users" if forward.is_user else "groups"
        if getattr(config, whose) == "allow":
            return forward.stated
        hosted = self.making.case.actual.hosted
        foreign = {one for one in forward.stated if isinstance(one, Address) and one.domain not in hosted}
        if foreign:
            self.tell_foreign(forward.id, forward.dn, "mail shall go to", foreign, whose)
        return forward.stated - foreign

    def tell_foreign(self, of: EntryId, place: str, beginning: str, foreign: Collection[Address], whose: str) -> None:
        """Say that targets are not hosted by mailcow, and so are left out."""
        self.making.say_once(Say.FOREIGN_GOTO, place, of, beginning=beginning, foreign=some_of(foreign), whose=whose)

    # what takes mail

    @cached_property
    def is_active(self) -> dict[Address, bool]:
        """Every mailbox in scope after the run, and whether it takes mail.

        Where mailboxes come from elsewhere, one whose entry is inactive counts as inactive: it stays as it is.
        """
        found = {address: box.is_active for address, box in self.boxes.items() if box.values is not None}
        if not self.making.case.config.decides_status:
            inactive = (
                one.at for one in self.making.matches.users.values() if one.user.attributes.get(ACTIVE.key) == 0
            )
            found |= {address: False for address in inactive if address in found}
        return found

    def reach(self, address: Address) -> Reach:
        """Return what becomes of mail to an address."""
        actual = self.making.case.actual
        box = address if address in self.is_active or address in actual.aliases else actual.twin(address)
        if box in self.is_active:
            return Reach.DELIVERED if self.is_active[box] else Reach.INACTIVE
        is_looked_at = self.making.case.home_domain(address) in actual.domains
        return Reach.NOWHERE if is_looked_at and address not in self.taking else Reach.DELIVERED

    def reachable(self, addresses: Iterable[Address]) -> frozenset[Address]:
        """Return those of some addresses that take mail."""
        return frozenset(address for address in addresses if self.reach(address) is Reach.DELIVERED)

    def present(self, existing: ExistingAlias) -> frozenset[Address]:
        """Return where an alias that is there goes, former addresses in it replaced by the present ones.

        Without itself, which mailcow takes out of every edit.
        """
        return self.present_names(existing.goto) - {existing.address}

    def present_names(self, addresses: Iterable[Address]) -> frozenset[Address]:
        """Return addresses with the former ones among them replaced by the present ones."""
        return frozenset(self.present_name(address) for address in addresses)

    def present_name(self, address: Address) -> Address:
        """Return the present address for a former one; any other stays as it is."""
        user_id = self.former.get(address)
        is_taken = address in self.by_address or address in self.making.matches.at
        return (self.home(user_id) or address) if user_id and not is_taken else address

    def is_of_no_user(self, address: Address) -> bool:
        """Tell whether a mailbox takes mail although no entry of the answers has it, or its entry can't be followed."""
        missing = self.making.matches.missing.get(address)
        if missing is None or missing.rule is Rule.MOVED:
            return False
        has_another = self.home(EntryId(missing.row.source, missing.row.id or "")) not in (None, address)
        return self.is_active.get(address, False) and not has_another

    def rebuilds(self, addresses: Iterable[Address]) -> int:
        """Return how often mailcow rebuilds its whole address book for an alias with these targets."""
        return sum(not self.is_local(address) for address in addresses)

    def is_local(self, address: Address) -> bool:
        """Tell whether an address is an active mailbox when aliases are written: before any is disabled."""
        box = self.boxes.get(address)
        if box is None:
            return False
        was_active = box.there is not None and box.there.attributes[ACTIVE.key] == 1
        return was_active or (box.values is not None and box.values[ACTIVE.key] == 1)
