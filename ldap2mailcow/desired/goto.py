"""Where mail to an alias goes: to somebody's mailbox, to everybody on a list, elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ldap2mailcow.model import Address

from .askers import AnyAsker, Forward, Group, Person
from .people import Desired
from .scope import Scope


@dataclass(slots=True)
class Addressees:
    """Whom an address stands for, once it is known who has which alias."""

    people: Desired
    settled: Mapping[Address, AnyAsker]
    scope: Scope

    def of(self, address: Address) -> Address | Group:
        """Return who gets mail to an address: somebody's mailbox, a list, or nobody but the address itself.

        One in an alias domain stands for its twin in the target, where that is known and it is nobody's by itself.
        """
        twin = self.scope.twin(address)
        return self._known(address) or (self._known(twin) if twin else None) or address

    def _known(self, address: Address) -> Address | Group | None:
        if self.people.has_mailbox(address):
            return self.people.held.get(address, address)
        match self.settled.get(address):
            case Group() as group:
                return group
            case Person() as person:
                return person.primary
            case Forward():
                return address
        return self.people.former.get(address)


@dataclass(slots=True)
class Goto:
    """The targets of aliases."""

    addressees: Addressees
    everybody: Mapping[Group, frozenset[Address]]
    """Who is in each group."""

    def of(self, asker: AnyAsker, address: Address) -> frozenset[Address]:
        """Return the targets of one alias: never the alias itself."""
        return self._all(asker) - {address}

    def is_nowhere(self, forward: Forward) -> bool:
        """Tell whether an entry forwards to nobody but itself."""
        return not self._all(forward)

    def _all(self, asker: AnyAsker) -> frozenset[Address]:
        if isinstance(asker, Group):
            return self.everybody[asker] - asker.addresses
        if isinstance(asker, Person):
            return self._all(asker.forward) if asker.forward else frozenset({asker.primary})
        found: set[Address] = set()
        for one in map(self.addressees.of, asker.stated):
            found |= self.everybody[one] if isinstance(one, Group) else {one}
        return frozenset(found - asker.addresses)
