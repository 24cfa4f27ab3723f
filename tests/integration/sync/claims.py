"""Who wants which address, and who has it: mailboxes first, then aliases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from .directories import NET, ORG, Directory, User
from .world import Box, World, disabled, domain_of, forward_id, group_addresses, group_id, is_here, is_reserved, twin


@dataclass
class Claims:
    """A directory, and what mailcow had before."""

    directory: Directory
    before: World
    gone_for_long: frozenset[str] = frozenset()
    """The ids that were not in the directory of before either."""

    # mailboxes

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(user.id for user in self.directory.users.values())

    @cached_property
    def candidates(self) -> dict[str, list[User]]:
        """Who wants an address as their own, be it for a mailbox or a forwarding."""
        wanted: dict[str, list[User]] = {}
        for user in self.directory.users.values():
            if user.mail and domain_of(user.mail) in {ORG, NET} and not is_reserved(user.mail):
                wanted.setdefault(user.mail, []).append(user)
        return wanted

    @cached_property
    def winners(self) -> dict[str, User]:
        """Who may have it as far as people go: the only one, or the one who has it."""
        found = {}
        for address, users in self.candidates.items():
            present = self.before.boxes.get(address) or self.before.rows.get(address)
            holders = [user for user in users if present and present.owner == user.id]
            if len(users) == 1 or holders:
                found[address] = (holders or users)[0]
        return found

    def forwards(self, user: User) -> bool:
        """Tell whether somebody's mail is forwarded: not where a mailbox is there."""
        return bool(user.forward_to) and user.mail not in self.before.boxes

    @cached_property
    def boxes(self) -> dict[str, Box]:
        """Return the mailboxes: those that are there, and those that are made."""
        found = {address: self.kept(address, box) for address, box in self.before.boxes.items()}
        for address, user in self.winners.items():
            if address not in found and not self.forwards(user) and self.is_free(address):
                found[address] = Box(user.id, int(user.active), disabled_by_us=not user.active)
        return found

    def kept(self, address: str, box: Box) -> Box:
        """Return what becomes of a mailbox that is there."""
        user = self.winners.get(address)
        if user and (box.owner in ("", user.id) or self.is_taken_over(box)):
            box = replace(box, owner=user.id)
            if not user.active:
                return disabled(box)
            return Box(user.id) if box.disabled_by_us else box
        if not box.owner:
            return box
        entry = next((user for user in self.directory.users.values() if user.id == box.owner), None)
        return box if entry and entry.active else disabled(box)

    def is_taken_over(self, box: Box) -> bool:
        """Tell whether a mailbox goes to a new entry: if the one that had it has just gone."""
        return box.owner not in self.ids and box.owner not in self.gone_for_long

    def is_free(self, address: str) -> bool:
        """Tell whether a new mailbox may have an address: nobody wants it as an alias, and no alias stays there."""
        row = self.before.rows.get(address)
        goes = row is None or (bool(row.owner) and row.owner not in self.unreadable)
        return goes and address not in self.claimants

    # who is whom

    def address_of(self, user: User) -> str | None:
        """Return where a person gets mail: at the mailbox that is theirs, or at the address that forwards."""
        if user.mail is None or self.winners.get(user.mail) is not user:
            return None
        if self.forwards(user):
            return user.mail
        box = self.boxes.get(user.mail)
        return user.mail if box and box.owner == user.id else None

    @cached_property
    def served(self) -> dict[str, str]:
        """The addresses of those who have one, by name."""
        found = {name: self.address_of(user) for name, user in self.directory.users.items()}
        return {name: address for name, address in found.items() if address}

    @cached_property
    def people(self) -> set[str]:
        """The addresses at which somebody in the directory should have a mailbox."""
        return {address for address, user in self.winners.items() if not self.forwards(user)}

    # aliases

    @cached_property
    def claimants(self) -> dict[str, frozenset[str]]:
        """Who wants an address as an alias."""
        wanted: dict[str, set[str]] = {}
        for owner, addresses in self.wanted.items():
            for address in addresses:
                wanted.setdefault(address, set()).add(owner)
        return {address: frozenset(owners) for address, owners in wanted.items()}

    @cached_property
    def wanted(self) -> dict[str, frozenset[str]]:
        """The aliases that each entry wants, and each list that only users name, by the owner's id."""
        found: dict[str, set[str]] = {}
        for user in self.directory.users.values():
            if user.mail and self.winners.get(user.mail) is user:
                found.setdefault(user.id, set()).update(self.further(user))
                if self.forwards(user):
                    found[user.id].add(user.mail)
        for group in self.directory.groups.values():
            found[group_id(group)] = set(group_addresses(group))
        for forward in self.directory.forwards.values():
            found[forward_id(forward)] = {forward.mail}
        found |= {address: {address} for address, names in self.lists_of_users.items() if names}
        return {owner: frozenset(addresses) for owner, addresses in found.items()}

    def further(self, user: User) -> Iterator[str]:
        """Give the further addresses of a user; the own one in an alias domain works by itself."""
        for address in user.aliases:
            is_own = user.mail == address or (user.mail == twin(address) and not self.forwards(user))
            if is_here(address) and not is_reserved(address) and not is_own:
                yield address

    @cached_property
    def holders(self) -> dict[str, str]:
        """Who has each alias: the only one who wants it or, of several, the one who has it."""
        found = {}
        for address, owners in self.claimants.items():
            present = self.before.rows.get(address)
            if len(owners) == 1:
                found[address] = min(owners)
            elif present and present.owner in owners:
                found[address] = present.owner
        return found

    @cached_property
    def lists_of_users(self) -> dict[str, frozenset[str]]:
        """Lists that no group is: who is on them, by their own word."""
        groups = {address for group in self.directory.groups.values() for address in group_addresses(group)}
        found: dict[str, set[str]] = {}
        for user in self.directory.users.values():
            for address in user.lists:
                if is_here(address) and address not in groups and not is_reserved(address):
                    found.setdefault(address, set()).update({user.name} & self.listable)
        return {address: frozenset(names) for address, names in found.items()}

    @cached_property
    def listable(self) -> frozenset[str]:
        """The names of those whose address can be read."""
        users = self.directory.users.values()
        return frozenset(user.name for user in users if user.mail and self.winners.get(user.mail) is user)

    @cached_property
    def unreadable(self) -> frozenset[str]:
        """The ids of entries that are there and say nothing that can be used: what they have stays."""
        users = self.directory.users.values()
        return frozenset(
            {user.id for user in users if user.name not in self.listable}
            | {
                user.id
                for user in users
                if self.forwards(user) and not set(filter(is_here, user.forward_to)) - {user.mail}
            }
            | {group_id(one) for one in self.directory.groups.values() if one.mail and not is_here(one.mail)}
            | {address for address, names in self.lists_of_users.items() if not names}
        )
