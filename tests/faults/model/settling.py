"""What all comes to in the end: once nothing fails any more, everybody is served as the directory says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from tests.integration.sync.delivery import Tables

from .installation import Ran
from .mail import HAND, Mail, Store
from .people import Person
from .promises import domain_of


@dataclass
class Settled:
    """The last of some undisturbed runs, with time and every word given."""

    ran: Ran
    mail: Mail

    def check(self) -> None:
        """Compare what mailcow has with what the directory says."""
        for person in self.ran.told.people:
            if self.may_have(person):
                self.is_served(person)
        for store in self.mail.stores.values():
            self.is_out_of_service_if_nobodys(store)
        self.mail_goes_where_it_should()

    @cached_property
    def claims(self) -> Counter[str]:
        """How many want each address, in whatever way."""
        told = self.ran.told
        return Counter(
            address for wanted in ({one.mail, *one.aliases} for one in told.people) for address in wanted
        ) + Counter(one.mail for one in told.lists)

    def may_have(self, person: Person, before: frozenset[str] = frozenset()) -> bool:
        """Tell whether nothing is in the way of somebody's mailbox: nobody who stays there, and nothing made by hand.

        Whoever moves on makes room; who moves in a circle doesn't. `before` are those who wait for this one.
        """
        if self.claims[person.mail] > 1 or person.id in before or not self.can_be_made_or_renamed(person):
            return False
        store, alias = self.mail.at(person.mail), self.mail.state.alias_at(person.mail)
        if store is None:
            return alias is None or self.mail.aliases.get(alias.id) == self.ran.house.mark
        if f"{self.ran.house.mark}:released" in store.box.tags:
            return False
        if store.is_loose or not store.owner:
            return not self.has_another(person)
        if store.owner == person.id:
            return True
        other = next((one for one in self.ran.told.people if one.id == store.owner), None)
        if other is None or domain_of(other.mail) != domain_of(person.mail):
            return False
        return self.may_have(other, before | {person.id})

    def can_be_made_or_renamed(self, person: Person) -> bool:
        """Tell whether somebody has the mailbox already, or one that is active, or is active and has none."""
        own = [store for store in self.mail.of(person.id) if domain_of(store.address) == domain_of(person.mail)]
        if any(store.address == person.mail for store in own):
            return True
        return all(store.box.active for store in own) if own else person.active

    def has_another(self, person: Person) -> bool:
        """Tell whether somebody has, or had, another mailbox already, so that one of unknown origin isn't theirs."""
        house = self.ran.house
        own = [address for address, entry_id in house.rows().items() if entry_id == person.id]
        own += [address for address, dn in house.dns().items() if dn == person.dn]
        return any(one != person.mail for one in own)

    def is_served(self, person: Person) -> None:
        store = self.mail.at(person.mail)
        assert store, f"{person.dn} has no mailbox {person.mail}"
        assert store.owner == person.id, f"{person.mail} is {store.owner}'s"
        assert store.box.password == person.password, f"{person.mail} has another password"
        wanted = int(person.active)
        if store.box.active != wanted:
            by_hand = store.box.active == 2 or HAND in store.shut_by
            assert by_hand, f"{person.mail} has active={store.box.active}, and should have {wanted}"

    def is_out_of_service_if_nobodys(self, store: Store) -> None:
        is_wanted = store.is_loose and self.claims[store.address] > 0  # by a list too: nothing is decided about it
        is_employed = any(person.id == store.owner and person.active for person in self.ran.told.people)
        if store.mark == self.ran.house.mark and not is_employed and not is_wanted:
            assert store.box.active == 0, f"{store.address} is active, and {store.owner} is gone or inactive"

    def mail_goes_where_it_should(self) -> None:
        """Mail to an address that only one wants, and that is no hand-made one, goes to that one."""
        tables = Tables.of(self.mail.state)
        served = {
            person.name: person.mail
            for person in self.ran.told.people
            if self.may_have(person) and (store := self.mail.at(person.mail)) and store.box.active
        }
        for person in self.ran.told.people:
            if person.name in served:
                for address in person.aliases:
                    if self.is_free_for(address):
                        assert tables.ends(address) == {person.mail}, f"{address} goes to {tables.ends(address)}"
        for group in self.ran.told.lists:
            if self.is_free_for(group.mail):
                members = {served[name] for name in group.members if name in served}
                reached = {end for end in tables.ends(group.mail) if "nobody:" not in end}
                assert reached >= members, f"{group.mail} reaches {reached}, not {members}"

    def is_free_for(self, address: str) -> bool:
        """Tell whether only one wants an address, and nothing by hand is there."""
        row = self.mail.state.alias_at(address)
        mark = self.ran.house.mark
        is_ours = row is None or self.mail.aliases.get(row.id) == mark
        is_former = row is not None and row.private_comment == f"{mark}:renamed"
        return self.claims[address] == 1 and self.mail.at(address) is None and is_ours and not is_former
