"""What a directory says, read plainly: where mail goes and who may send as whom. It shares no code with the package.

The rules are those of docs/architecture.md. Times of grace are left out: this is what all comes to in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from .claims import Claims
from .directories import Forward, Group, User, forward_dn, group_dn, user_dn
from .world import Row, World, forward_id, group_addresses, group_id, is_here, twin


@dataclass
class Reading(Claims):
    """A directory, and what mailcow had before: what mailcow has after it."""

    def after(self) -> World:
        """Return what mailcow has in the end."""
        world = World(self.boxes, {**self.kept_rows(), **self.new_rows()}).without_dead_ends()
        made = {address: row for address, row in world.rows.items() if row.active or address in self.before.rows}
        world = replace(world, rows=made)
        return replace(world, send_as=self.rights(world))

    def kept_rows(self) -> dict[str, Row]:
        """Return what becomes of the aliases that are there."""
        found = {}
        for address, row in self.before.rows.items():
            owner = self.holders.get(address)
            if not row.owner:
                found[address] = self.row(owner, address) if owner and self.is_adopted(row, owner, address) else row
            elif owner:
                found[address] = self.row(owner, address)
            elif row.owner in self.unreadable:
                found[address] = row
        return found

    def is_adopted(self, row: Row, owner: str, address: str) -> bool:
        """Tell whether an alias that somebody made by hand is just what the directory wants."""
        wanted = World(self.boxes, {**self.before.rows, **self.new_rows(), address: self.row(owner, address)})
        return row.goto in (self.as_stated.goto(owner, address), wanted.without_dead_ends().rows[address].goto)

    @cached_property
    def as_stated(self) -> Reading:
        """The same as if everybody had the mailbox that their entry asks for."""
        stated = Reading(self.directory, self.before, self.gone_for_long)
        stated.__dict__["served"] = {user.name: address for address, user in self.winners.items()}
        return stated

    def new_rows(self) -> dict[str, Row]:
        """Return the aliases that are made: not where a mailbox has the address or somebody wants one there."""
        return {
            address: self.row(owner, address)
            for address, owner in self.holders.items()
            if address not in self.before.rows
            and address not in self.boxes
            and twin(address) not in self.boxes
            and all(user.id == owner for user in self.candidates.get(address, ()))
            and self.goto(owner, address)
        }

    def row(self, owner: str, address: str) -> Row:
        groups = {group_id(group): group for group in self.directory.groups.values()}
        allowed = groups[owner].sender_allowed if owner in groups else None
        if allowed is None:  # a flag that nobody tells is set once
            allowed = self.before.rows[address].sender_allowed if address in self.before.rows else True
        return Row(owner, self.goto(owner, address) | self.staying(address), sender_allowed=allowed)

    def staying(self, address: str) -> frozenset[str]:
        """Return who stays on a list: whose mailbox is there, and whose entry can't be read as its own just now."""
        there = self.before.rows[address].goto if address in self.before.rows else frozenset()
        return frozenset(one for one in there if one in self.boxes and self.boxes[one].owner in self.unreadable)

    # where mail goes

    def goto(self, owner: str, address: str) -> frozenset[str]:
        """Return where an alias of an owner goes."""
        return self.everywhere(owner) - {address}

    def everywhere(self, owner: str) -> frozenset[str]:
        for user in self.directory.users.values():
            if user.id == owner:
                if self.forwards(user):
                    return self.way(user)
                return frozenset(address for address in [self.served.get(user.name)] if address)
        for forward in self.directory.forwards.values():
            if forward_id(forward) == owner:
                return self.leads(forward)
        for group in self.directory.groups.values():
            if group_id(group) == owner:
                return self.everybody(group) - set(group_addresses(group))
        return self.flat(self.served[name] for name in self.lists_of_users[owner] if name in self.served)

    def way(self, user: User) -> frozenset[str]:
        """Return where a user has mail forwarded: not to other servers, unless the administrator allows it."""
        return self.flat(address for address in user.forward_to if is_here(address)) - {user.mail or ""}

    def leads(self, forward: Forward) -> frozenset[str]:
        """Return where an entry leads that only forwards."""
        return self.flat(forward.goto) - {forward.mail}

    def everybody(self, group: Group, above: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return everybody in a group and in the groups in it, once round each loop."""
        if group.name in above:
            return frozenset()
        above |= {group.name}
        found: set[str] = set()
        for member in set(group.members) - set(group_addresses(group)):
            found |= self.meant(member, above)
        found -= set(group_addresses(group))
        for user in self.directory.users.values():
            if user.name in self.served and self.is_on(user, group):
                found |= self.flat([self.served[user.name]], above)
        return frozenset(found)

    def is_on(self, user: User, group: Group) -> bool:
        """Tell whether a user's own entry says that they are on a group's list."""
        if group_dn(group.name) in user.lists and group.mail and is_here(group.mail):
            return True
        present = {address: self.before.rows.get(address) for address in user.lists}
        for address in {*user.lists} & {*group_addresses(group)}:
            others = [one for one in self.directory.groups.values() if address in group_addresses(one)]
            holder = present[address]
            if len(others) == 1 or (holder and holder.owner == group_id(group)):
                return True
        return False

    def meant(self, member: str, above: frozenset[str]) -> frozenset[str]:
        """Return whom a value of a group's member attribute means."""
        for user in self.directory.users.values():
            if member in (user.name, user_dn(user.name)):
                return self.flat([self.served[user.name]], above) if user.name in self.served else frozenset()
        for nested in self.directory.groups.values():
            if member == group_dn(nested.name):
                return self.everybody(nested, above)
        for forward in self.directory.forwards.values():
            if member == forward_dn(forward.name):
                return self.flat([forward.mail], above)
        return self.flat([member], above) if "@" in member else frozenset()

    def flat(self, addresses: Iterable[str], above: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return who gets mail to addresses: lists are flattened, further addresses are their owner's mailbox."""
        found: set[str] = set()
        for address in addresses:
            meant = [self.known(one, above) for one in (address, twin(address)) if one]
            found |= next((those for those in meant if those is not None), {address})
        return frozenset(found)

    def known(self, address: str, above: frozenset[str]) -> frozenset[str] | None:
        """Return who gets mail to an address that somebody in the directory has; None for any other."""
        winner = self.winners.get(address)
        if winner and not self.forwards(winner):
            return frozenset({address} & set(self.served.values()))
        owner = self.holders.get(address)
        for group in self.directory.groups.values():
            if owner == group_id(group):
                return self.everybody(group, above)
        for user in self.directory.users.values():
            if owner == user.id:
                return frozenset({user.mail or ""} & set(self.served.values()))
        if owner in self.lists_of_users:
            return self.everywhere(address)
        return frozenset({address}) if owner else None

    # who may send as whom

    def rights(self, world: World) -> dict[str, frozenset[str]]:
        """Return by mailbox, of those that are served: whom its user may send as."""
        found: dict[str, set[str]] = {}
        for user in self.directory.users.values():
            address = self.served.get(user.name, "")
            if address in world.boxes and world.boxes[address].receives:
                found[address] = {
                    sender for text in self.stated_senders(user) if (sender := self.sender(text, world)) != address
                }
                found[address] |= {
                    alias
                    for alias, row in world.rows.items()
                    if row.active and row.sender_allowed and address in row.goto
                }
        return {address: frozenset(senders - {""}) for address, senders in found.items() if senders - {""}}

    def stated_senders(self, user: User) -> Iterator[str]:
        """Give the values that name whom a user may send as: their own, and those of the groups they are in."""
        yield from user.send_as
        for group in self.directory.groups.values():
            if self.served[user.name] in self.everybody(group):
                yield from group.send_as

    def sender(self, text: str, world: World) -> str:
        """Return whom a value names, as mailcow takes it; nothing for what mailcow doesn't have."""
        if "@" in text:
            address: str | None = twin(text) if twin(text) in self.people else text
            if address in self.people - set(self.served.values()) - self.holders.keys():
                return ""  # somebody else's, if anybody's
        else:
            names: dict[str, str | None] = {
                user_dn(user.name): self.served.get(user.name) for user in self.directory.users.values()
            }
            names |= {group_dn(group.name): group.mail for group in self.directory.groups.values()}
            names |= {forward_dn(forward.name): forward.mail for forward in self.directory.forwards.values()}
            address = names.get(text)
        if address is None:
            return ""
        is_active = address in world.rows and world.rows[address].active
        is_there = address in world.boxes or is_active or address.startswith("@")
        return address if is_there or not is_here(address) else ""
