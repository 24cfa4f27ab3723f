"""Where mail goes after the run: whom a value of the directory means, and what takes mail.

A value names an entry, or an address as it is written. An entry means its mailbox, wherever that is after this run. An
address means what has it: a mailbox, a list (and so its members), a further or former address (and so the mailbox), a
forwarding. An address that a user asks for and doesn't get means nothing: what has it isn't that user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from ldap2mailcow.desired import Forward, Group, Meant, User, some_of
from ldap2mailcow.model import ACTIVE, Address, EntryId, ExistingAlias, Say
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.claims import Claim
from ldap2mailcow.plan.matching import Match, State

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

    @property
    def case(self) -> Case:
        """What everything follows from."""
        return self.making.case

    # whom a value means

    @cached_property
    def homes(self) -> Mapping[EntryId, Address]:
        """By user: where the mailbox is after this run."""
        found = ((user_id, self.home_of(match)) for user_id, match in self.making.matches.users.items())
        return {user_id: home for user_id, home in found if home}

    def home_of(self, match: Match) -> Address | None:
        """Return where a user's mailbox is: in the old domain while the one in the new domain can't be made."""
        if match.at in self.is_active:
            return match.at
        old = self.boxes.get(match.row.address) if match.row else None
        if match.state is not State.NEW or old is None:
            return None
        return old.address if old.is_active else None

    def home(self, user_id: EntryId) -> Address | None:
        """Return where the mailbox of a user is after this run; None where there is none."""
        return self.homes.get(user_id)

    @cached_property
    def groups(self) -> dict[EntryId, Group]:
        """All groups."""
        return {group.id: group for group in self.case.asked.groups}

    @cached_property
    def forwards(self) -> dict[EntryId, Forward]:
        """All entries that only forward, users among them."""
        of_users = (user.forward for user in self.case.asked.users)
        return {forward.id: forward for forward in (*self.case.asked.forwards, *of_users) if forward}

    @cached_property
    def by_address(self) -> dict[Address, EntryId]:
        """By address that a user has as a mailbox: the user."""
        return {address: user_id for user_id, address in self.making.matches.claims.mailboxes.items()}

    @cached_property
    def former(self) -> Mapping[Address, Address | None]:
        """By former address: where the mailbox that had it is now."""
        ours = filter(self.case.is_our_alias, self.case.actual.aliases.values())
        owners = ((one.address, self.making.matches.former_owner(one, self.case.alias_row(one))) for one in ours)
        return {address: self.home(owner) for address, owner in owners if owner}

    @cached_property
    def moved(self) -> Mapping[Address, Address]:
        """By former address that is no mailbox again: where the mailbox that had it is now."""
        taken = self.by_address.keys() | self.making.matches.at.keys()
        found = ((address, self.former[address]) for address in self.former.keys() - taken)
        return {address: home for address, home in found if home}

    @cached_property
    def names(self) -> Mapping[Address, Address | Group | None]:
        """What addresses mean of which something is known: what comes later here counts for more."""
        matches, claims = self.making.matches, self.making.matches.claims
        means_box = self.case.config.create_mailboxes
        return {
            **dict.fromkeys(claims.lost.values()),
            **self.former,
            **{address: address for address in matches.at},
            **{address: self.meant_claim(claim) for address, claim in claims.aliases.items()},
            **{address: self.home(user) if means_box else address for address, user in self.by_address.items()},
        }

    def meant_claim(self, claim: Claim) -> Address | Group:
        """Return what an alias means that an entry gets: a list, the mailbox of its user, or itself."""
        match claim.entry:
            case Group():
                return claim.entry
            case User():
                return self.home(claim.owner) or claim.address
            case _:
                return claim.address

    def meant(self, value: Meant) -> Address | Group | None:
        """Return what a value means: an address that may take mail, a list, or nothing."""
        if isinstance(value, EntryId):
            return self.meant_entry(value)
        twin = self.case.actual.twin(value) if value.local else None
        for address in filter(None, (value, twin)):
            if address in self.names:
                return self.names[address]
        return value

    def meant_entry(self, entry: EntryId) -> Address | Group | None:
        """Return what an entry means: a list, its mailbox, or an address that forwards."""
        if entry in self.forwards and entry not in self.homes:
            aliases = self.making.matches.claims.aliases
            of_it = (one for one in self.forwards[entry].addresses if one in aliases and aliases[one].owner == entry)
            return min(of_it, default=None)
        return self.groups.get(entry) or self.home(entry)

    def meanings(self, values: Iterable[Meant]) -> tuple[frozenset[Address], frozenset[EntryId]]:
        """Return the addresses and the lists that values mean."""
        found = [self.meant(value) for value in values]
        lists = frozenset(one.id for one in found if isinstance(one, Group))
        return frozenset(one for one in found if isinstance(one, Address)), lists

    # lists

    @cached_property
    def nested(self) -> Mapping[EntryId, frozenset[EntryId]]:
        """By group: the groups in it."""
        return {group.id: self.meanings(group.members)[1] - {group.id} for group in self.groups.values()}

    @cached_property
    def members(self) -> Mapping[EntryId, frozenset[Address]]:
        """By group: everybody in it, and in all groups that it leads to."""
        direct: dict[EntryId, frozenset[Address]] = {}
        for group in self.groups.values():
            addresses = self.meanings(group.members)[0].difference(group.addresses, group.further)
            direct[group.id] = self.permitted(group.id, self.named(group.id), addresses)
        self.tell_loops()
        return flatten(direct, self.nested)

    @cached_property
    def doubtful(self) -> frozenset[EntryId]:
        """The groups whose members aren't all known, and those that lead to them."""
        unknown = {group.id: frozenset() if group.members_known else {group.id} for group in self.groups.values()}
        return frozenset(group for group, found in flatten(unknown, self.nested).items() if found)

    def is_doubtful(self, owner: EntryId) -> bool:
        """Tell whether it isn't known of all that an entry's aliases should go to: what they go to stays."""
        forward = self.forwards.get(owner)
        if forward is None:
            return owner in self.doubtful
        is_unread = owner in self.making.matches.claims.unclear
        return is_unread or not self.doubtful.isdisjoint(self.meanings(forward.stated)[1])

    def tell_loops(self) -> None:
        """Name each loop once, at the first of the groups in it."""
        for component in components(self.nested):
            if way := loop_through(min(component, key=self.named), self.nested):
                chain = " -> ".join(map(self.named, way))
                self.making.say_once(Say.LIST_LOOP, self.named(way[0]), way[0], way=chain)

    def named(self, group_id: EntryId) -> str:
        """Return what people call a group."""
        return self.groups[group_id].dn or group_id.id

    def targets(self, owner: EntryId, address: Address) -> frozenset[Address]:
        """Return where mail to an alias of an entry goes, lists replaced by their members: never to itself."""
        if group := self.groups.get(owner):
            return self.members[owner].difference(group.addresses, group.further, {address})
        home, forward = self.home(owner), self.forwards.get(owner)
        if home or not forward:
            return frozenset({home} if home else ())
        addresses, lists = self.meanings(forward.stated)
        addresses = self.permitted(owner, forward.dn, addresses)
        return addresses.union(*(self.members[one] for one in lists)) - {*forward.addresses, address}

    def permitted(self, owner: EntryId, place: str, addresses: frozenset[Address]) -> frozenset[Address]:
        """Return the targets that an entry may have: where the config says so, without those of other servers."""
        forward = self.forwards.get(owner)
        whose = "users" if forward and forward.is_user else "groups"
        foreign = {one for one in addresses if one.domain not in self.case.actual.hosted}
        if getattr(self.case.config.external_goto, whose) == "allow" or not foreign:
            return addresses
        beginning = "mail shall go to" if forward else "it has"
        values = {"beginning": beginning, "foreign": some_of(foreign), "whose": whose}
        self.making.say_once(Say.FOREIGN_GOTO, place, owner, **values)
        return addresses - foreign

    # what takes mail

    @cached_property
    def is_active(self) -> dict[Address, bool]:
        """Every mailbox in scope after the run, and whether it takes mail.

        Where mailboxes come from elsewhere, one whose entry is inactive counts as inactive: it stays as it is.
        """
        found = {address: box.is_active for address, box in self.boxes.items() if box.values is not None}
        if not self.case.config.decides_status:
            users = self.making.matches.users.values()
            inactive = {one.at for one in users if one.user.attributes.get(ACTIVE.key) == 0}
            found |= dict.fromkeys(found.keys() & inactive, False)
        return found

    def reach(self, address: Address) -> Reach:
        """Return what becomes of mail to an address."""
        actual = self.case.actual
        box = address if address in self.is_active or address in actual.aliases else actual.twin(address)
        if box in self.is_active:
            return Reach.DELIVERED if self.is_active[box] else Reach.INACTIVE
        is_looked_at = self.case.home_domain(address) in actual.domains
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
        return frozenset(map(self.present_name, addresses))

    def present_name(self, address: Address) -> Address:
        """Return the present address for a former one; any other stays as it is."""
        return self.moved.get(address, address)

    def is_of_no_user(self, address: Address) -> bool:
        """Tell whether a mailbox takes mail although no entry of the answers has it, or its entry can't be followed."""
        missing = self.making.matches.missing.get(address)
        if missing is None or not self.is_active.get(address):
            return False
        return self.home(missing.row.entry) in (None, address)

    def rebuilds(self, addresses: Iterable[Address]) -> int:
        """Return how often mailcow rebuilds its whole address book for an alias with these targets."""
        return sum(not self.is_local(address) for address in addresses)

    def is_local(self, address: Address) -> bool:
        """Tell whether an address is an active mailbox when aliases are written: before any is disabled."""
        if address not in self.boxes:
            return False
        box = self.boxes[address]
        before = box.there.attributes if box.there else {}
        return 1 in (before.get(ACTIVE.key), (box.values or {}).get(ACTIVE.key))
