"""Everybody who asks for aliases, read once, before it is known who gets which address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ldap2mailcow.model import Address, Answer, Answers, Entry, Role, normal_dn

from .askers import AnyAsker, Forward, Group, Person, owner_ids
from .forwards import read_forward, read_forwarder
from .lists import Lists
from .people import Desired
from .reading import Reader
from .scope import Scope
from .users import known_users, read_person


@dataclass
class Asking:
    """The entries of all answers, as what they ask for."""

    answers: Answers
    people: Desired
    id_attribute: str
    reader: Reader
    scope: Scope
    holders: Mapping[Address, str]
    lists: Lists = field(init=False)
    users: dict[str, Address | None] = field(default_factory=dict)
    """By normal DN: the address of every entry in the answer, None for one that has none to use."""
    forward_addresses: dict[str, Address | None] = field(default_factory=dict)
    """The same of entries that are nothing but forwardings."""
    with_mailbox: list[tuple[Entry, Address]] = field(default_factory=list)
    persons: list[Person] = field(default_factory=list)
    forwards: list[Forward] = field(default_factory=list)
    _forward_ids: set[str] = field(default_factory=set)
    _unreadable: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lists = Lists(self.reader, self.scope, self.holders)

    def read(self) -> None:
        """Read groups before users: those name the groups they are in."""
        for entry, owner in owner_ids(_entries(self.answers.groups), self.id_attribute):
            self.lists.add(entry, owner)
        self.users = {normal_dn(entry.dn): None for entry in self.answers.users.entries}
        for entry, owner, address in known_users(self.answers.users.entries, self.people, self.id_attribute):
            self._read_user(entry, owner, address)
        for entry, owner in owner_ids(_entries(self.answers.forwards), self.id_attribute):
            self._read_forward(entry, owner)

    def _read_user(self, entry: Entry, owner: str, address: Address | None) -> None:
        self.users[normal_dn(entry.dn)] = address
        self.lists.join(entry, address)
        if address is None:
            self._unreadable.add(owner)
            return
        forward = None
        if address in self.people.forwarders:
            forward = read_forwarder(self.reader, self.scope, entry, owner, address)
            self.forwards.append(forward)
        else:
            self.with_mailbox.append((entry, self.people.held.get(address, address)))
        own = (self.people.held.get(address, address), address)
        self.persons.append(read_person(self.reader, self.scope, entry, owner, own, forward))

    def _read_forward(self, entry: Entry, owner: str) -> None:
        forward = read_forward(self.reader, self.scope, entry, owner, self.people)
        self._forward_ids.add(owner)
        self.forward_addresses[normal_dn(entry.dn)] = min(forward.addresses, default=None)
        if forward.addresses:
            self.forwards.append(forward)
        else:
            self._unreadable.add(owner)

    def askers(self) -> Iterator[AnyAsker]:
        """Give everybody who asks for aliases."""
        yield from self.persons
        yield from self.forwards
        yield from self.lists.groups.values()
        yield from self.lists.made()

    def groups_that_matter(self) -> Iterator[Group]:
        """Give the groups whose members count: lists, and those whose members may send as somebody."""
        attribute = self.reader.source.group_mapping.send_as
        for group in self.lists.groups.values():
            if group.addresses or group.entry.values(attribute):
                yield group
        yield from self.lists.made()

    def owners(self) -> dict[Role, frozenset[str]]:
        """Return the ids of all entries that are there; of a list that only its members name, its address.

        A group that shows no address counts as gone: with the grace of those, its list outlives a lost right to read.
        """
        groups = {group.owner for group in self.lists.groups.values() if group.addresses} | self.lists.unreadable
        return {
            Role.USER: self.people.ids,
            Role.LIST: frozenset((*groups, *self.lists.named)),
            Role.FORWARD: frozenset(self._forward_ids),
        }

    @property
    def unreadable(self) -> frozenset[str]:
        """The ids of entries that are there and can't be read as what they ask for."""
        nobody_known = (address for address, group in self.lists.named.items() if not group.joined)
        return frozenset((*self._unreadable, *self.lists.unreadable, *nobody_known))


def _entries(answer: Answer | None) -> tuple[Entry, ...]:
    return answer.entries if answer else ()
