"""Claims: who gets an address that entries ask for, as a mailbox or as an alias.

One rule for entries of one directory and of several: the present holder keeps the address, else no entry gets it. The
holder is the entry whose mailbox, or whose alias, has the address by the state file. A mailbox that is there goes
before any alias, an alias that is there before a new mailbox.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ldap2mailcow.config import Source
from ldap2mailcow.desired import Forward, Group, User, some_of
from ldap2mailcow.model import Address, EntryId, Finding, Remembered, RememberedAlias, Role, Say

from .case import Case
from .knowledge import Knowledge

_MAX_DOMAINS = 10
"""Domains that one entry is told of: it can ask for addresses in any number of them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry asks for one address."""

    address: Address
    owner: EntryId
    dn: str
    """Empty for a list that only its members name."""
    role: Role | None
    """None: as a mailbox."""
    entry: User | Group | Forward

    @property
    def name(self) -> str:
        """What people call the entry."""
        return self.dn or "a list that only its members name"

    @property
    def place(self) -> str:
        """Where its findings are."""
        return self.dn or self.address


@dataclass(frozen=True, slots=True)
class Claims:
    """Who gets which address."""

    mailboxes: Mapping[EntryId, Address]
    """By user: the address that the mailbox should have."""
    aliases: Mapping[Address, Claim]
    asked: frozenset[Address]
    """Every address that an entry asks for, whoever gets it."""
    lost: Mapping[EntryId, Address]
    """By user: the address that the mailbox should have and that another entry has, or no entry gets."""
    unclear: frozenset[EntryId]
    """Entries that can't be read just now as what they ask for: what they have stays as it is."""
    findings: tuple[Finding, ...]

    def is_lost(self, address: Address) -> bool:
        """Tell whether a user asks for an address as a mailbox and doesn't get it."""
        return address in self.lost.values()


def decide_claims(case: Case, own: Mapping[EntryId, Remembered], known: Mapping[str, Knowledge]) -> Claims:
    """Return who gets which address; `own` has by user what is remembered of the mailbox."""
    return _Decider(case, own, known).decide()


@dataclass
class _Decider:
    case: Case
    own: Mapping[EntryId, Remembered]
    known: Mapping[str, Knowledge]
    findings: list[Finding] = field(default_factory=list)
    unclear: set[EntryId] = field(default_factory=set)
    left_out: defaultdict[tuple[Say, str], set[tuple[str, Address]]] = field(default_factory=lambda: defaultdict(set))
    """By what is said, and by domain: the aliases that are left out, each with the DN that asks for it."""
    told_domains: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By DN: the domains that it is told of."""
    asked: set[Address] = field(default_factory=set)
    to_be: frozenset[Address] = frozenset()
    """The addresses that users get as mailboxes, those that aren't made yet included."""

    def decide(self) -> Claims:
        boxes: defaultdict[Address, list[Claim]] = defaultdict(list)
        aliases: defaultdict[Address, dict[EntryId, Claim]] = defaultdict(dict)
        for claim in self.claims():
            if claim.role is None:
                boxes[claim.address].append(claim)
            else:
                aliases[claim.address].setdefault(claim.owner, claim)
        mailboxes: dict[EntryId, Address] = {}
        lost: dict[EntryId, Address] = {}
        granted: dict[Address, Claim] = {}
        for address, wanting in boxes.items():
            winner = self.winner(address, wanting, aliases.get(address, {}).values())
            for claim in wanting:
                (mailboxes if claim is winner else lost)[claim.owner] = address
        self.to_be = frozenset(mailboxes.values()) if self.case.config.create_mailboxes else frozenset()
        for address, others in aliases.items():
            if holder := self.alias_winner(address, list(others.values()), boxes.get(address, [])):
                granted[address] = holder
        self.findings += [_left_out(said, domain, sorted(asked)) for (said, domain), asked in self.left_out.items()]
        return Claims(mailboxes, granted, frozenset(self.asked), lost, frozenset(self.unclear), tuple(self.findings))

    # who asks for what

    def claims(self) -> Iterator[Claim]:
        """Give every claim to an address that a directory may give here."""
        for user in self.case.asked.users:
            yield from self.of_user(user)
        for group in self.case.asked.groups:
            yield from self.of_group(group)
        for forward in self.case.asked.forwards:
            yield from self.of_forward(forward)

    def of_user(self, user: User) -> Iterator[Claim]:
        self.asked.update(user.addresses)
        address = self.main_address(user)
        if address is None:
            self.unclear.add(user.id)
            return
        if user.forward is not None and self.forwards(user, address):
            yield from self.of_forward(user.forward)
            if user.id in self.unclear:
                return
        else:
            self.tell_forward(user, address)
            yield Claim(address, user.id, user.dn, None, user)
        for one in self.few(user.id, user.dn, user.aliases - self.own_addresses(user, address)):
            yield Claim(one, user.id, user.dn, Role.USER, user)

    def forwards(self, user: User, address: Address) -> bool:
        """Tell whether mail to a user goes elsewhere: a mailbox that is there stays."""
        return user.forward is not None and address not in self.case.actual.mailboxes

    def own_addresses(self, user: User, address: Address) -> frozenset[Address]:
        """Return what is no further address: the mailbox, what it will be called, and their twins in alias domains.

        mailcow delivers to the twin of a mailbox; it does so for no alias.
        """
        row = self.own.get(user.id)
        own = {address, *([row.address] if row and row.address in self.case.actual.mailboxes else [])}
        if self.forwards(user, address):
            return frozenset(own)
        return frozenset(own | {one for one in user.aliases if self.case.actual.twin(one) in own})

    def main_address(self, user: User) -> Address | None:
        """Return the one address of a user, as far as it can be told which it is, and may be had here."""
        address = next(iter(user.addresses), None)
        if len(user.addresses) > 1:
            row = self.own.get(user.id)
            address = row.address if row and row.address in user.addresses else None
            self.tell_several(Say.SEVERAL_MAILBOXES, user, self.source(user.id).user_mapping.mail, address)
        return address if address and self.may_have(user, address) else None

    def may_have(self, user: User, address: Address) -> bool:
        source = self.source(user.id)
        if source.domains and address.domain not in source.domains:
            self.say(Say.NOT_OUR_DOMAIN, user.dn, user.id, address=address)
            return False
        if address.domain not in self.case.actual.domains:
            self.say(Say.NO_SUCH_DOMAIN, user.dn, user.id, domain=address.domain, address=address)
            return False
        return True

    def of_group(self, group: Group) -> Iterator[Claim]:
        if not group.is_clear:
            self.unclear.add(group.id)
        address = self.list_address(group)
        if address is None:
            return
        addresses = {address, *group.further}
        if group.catches_all is None:
            self.unclear.add(group.id)
        elif group.catches_all:
            addresses.add(Address(f"@{address.domain}"))
        found = self.few(group.id, group.dn, addresses - {address})
        if self.in_domains(group.id, address, group.dn):
            found = sorted([address, *found])
        else:
            self.unclear.add(group.id)
        for one in found:
            yield Claim(one, group.id, group.dn, Role.LIST, group)

    def list_address(self, group: Group) -> Address | None:
        """Return the one address of a list; of several the one that it has already."""
        if len(group.addresses) <= 1:
            return next(iter(group.addresses), None)
        held = next((one for one in group.addresses if self.holds(group.id, one)), None)
        mail = self.source(group.id).group_mapping.mail
        self.tell_several(Say.SEVERAL_LISTS, group, mail, held)
        if held is None:
            self.unclear.add(group.id)
        return held

    def of_forward(self, forward: Forward) -> Iterator[Claim]:
        addresses = self.addresses_of(forward)
        if not forward.is_clear and not forward.is_user:
            self.unclear.add(forward.id)
        if not addresses or (not forward.is_clear and not forward.stated):
            self.unclear.add(forward.id)
            return
        for one in addresses:
            self.asked.add(one)
            yield Claim(one, forward.id, forward.dn, Role.FORWARD, forward)

    def addresses_of(self, forward: Forward) -> list[Address]:
        """Return the addresses that an entry which forwards may ask for here."""
        addresses = self.few(forward.id, forward.dn, forward.addresses)
        return [one for one in addresses if forward.is_user or not self.is_own_mailbox(forward, one)]

    def few(self, owner: EntryId, dn: str, addresses: AbstractSet[Address]) -> list[Address]:
        """Return those of some addresses that can be aliases here, in order, and no more than one entry may have.

        It keeps those that it has; that there are others is told.
        """
        most = self.case.config.limits.entry_aliases
        addresses = {one for one in addresses if self.in_domains(owner, one, dn)}
        if len(addresses) <= most:
            return sorted(addresses)
        self.say(Say.TOO_MANY_ALIASES, dn, owner, count=len(addresses), most=most)
        held = {one for one in addresses if self.holds(owner, one)}
        return sorted([*held, *sorted(addresses - held)[: max(0, most - len(held))]])

    def is_own_mailbox(self, forward: Forward, address: Address) -> bool:
        """Tell whether an entry that only forwards is a user with a mailbox of this address too; a finding says so."""
        user = self.case.users.get(forward.id)
        if user is None or user.forward is not None or address not in user.addresses:
            return False
        self.say(Say.FORWARD_IS_USER, forward.dn, forward.id, address=address)
        return True

    def in_domains(self, owner: EntryId, address: Address, dn: str) -> bool:
        """Tell whether an address can be an alias here; one that can't is counted, with the DN that asks for it."""
        self.asked.add(address)
        said = None
        if not self.case.looks_at(self.source(owner), address):
            said = Say.NOT_OUR_ALIAS_DOMAIN
        elif address.domain not in self.case.actual.hosted:
            said = Say.NO_SUCH_ALIAS_DOMAIN
        if said is not None and len(self.told_domains[dn] | {address.domain}) <= _MAX_DOMAINS:
            self.told_domains[dn].add(address.domain)
            self.left_out[said, address.domain].add((dn, address))
        return said is None

    # who gets it

    def winner(self, address: Address, wanting: list[Claim], others: Iterable[Claim]) -> Claim | None:
        """Return the user who gets an address as a mailbox."""
        holder = next((claim for claim in wanting if self.has_mailbox(claim)), None)
        if len(wanting) > 1:
            self.tell_duplicate(address, wanting, holder)
            return holder
        others = list(others)
        is_there = address in self.case.actual.mailboxes or address in self.case.actual.aliases
        if others and not is_there and holder is None and self.case.config.create_mailboxes:
            self.tell_duplicate(address, [*wanting, *others], None)
            return None
        return wanting[0]

    def has_mailbox(self, claim: Claim) -> bool:
        row = self.own.get(claim.owner)
        return row is not None and row.address == claim.address

    def alias_winner(self, address: Address, wanting: list[Claim], boxes: list[Claim]) -> Claim | None:
        """Return the entry that gets an address as an alias."""
        if box := self.mailbox_at(address):
            for claim in wanting:
                self.tell_mailbox(claim, box)
            return None
        holder = next((claim for claim in wanting if self.holds(claim.owner, address)), None)
        if holder is None and boxes and address not in self.case.actual.aliases and self.case.config.create_mailboxes:
            return None  # wanted as a mailbox, too: no entry gets it, which is told there
        if len(wanting) > 1:
            self.tell_duplicate(address, wanting, holder)
            return holder
        if holder or self.is_free(wanting[0]):
            return wanting[0]
        return None

    def mailbox_at(self, address: Address) -> Address | None:
        """Return the mailbox that stands in the way of an alias: at its address, or at its twin's."""
        actual = self.case.actual
        if address in actual.mailboxes:
            return address
        twin = None if address in actual.aliases else actual.twin(address)
        return twin if twin in actual.mailboxes or twin in self.to_be else None

    def holds(self, owner: EntryId, address: Address) -> bool:
        """Tell whether an entry has an alias; of a directory that isn't in the config it may be under another name."""
        row = self.case.alias_rows.get(address)
        if row is None or row.owner != owner.id or row.role is Role.FORMER:
            return False
        return row.source == owner.source or self.case.is_of_unknown(row)

    def is_free(self, claim: Claim) -> bool:
        """Tell whether an entry may have an alias that another entry had; a finding says why not."""
        row, existing = self.case.alias_rows.get(claim.address), self.case.actual.aliases.get(claim.address)
        if row is None or existing is None or not self.case.is_our_alias(existing) or self.case.is_unclaimed(row):
            return True
        if row.role is Role.FORMER:
            return self.is_own_former(claim, row)
        if (row.source, row.owner) == claim.owner or self.is_given_up(row):
            return True
        if self.known[claim.owner.source].replaced:
            return False  # told once for all of them
        self.say(Say.ALIAS_IS_ANOTHERS, claim.place, claim.owner, address=claim.address, holder=row.dn or "a list")
        return False

    def is_own_former(self, claim: Claim, row: RememberedAlias) -> bool:
        if (row.source, row.owner) == claim.owner:
            return True
        holder = row.dn or "another user"
        self.say(Say.ALIAS_WAS_ANOTHERS, claim.place, claim.owner, address=claim.address, holder=holder)
        return False

    def is_given_up(self, row: RememberedAlias) -> bool:
        """Tell whether the entry that had an alias no longer asks for it, for certain.

        A search that changed is no doubt here: what a list would lose by it waits for a word (`limits`).
        """
        known = self.known.get(row.source)
        if known is None:
            return self.case.is_of_unknown(row)
        owner = EntryId(row.source, row.owner)
        is_there = owner in self.case.users or any(group.id == owner for group in self.case.asked.groups)
        return is_there or known.knows(row.role)

    # what is said

    def source(self, owner: EntryId) -> Source:
        return self.case.by_name[owner.source].source

    def say(self, what: Say, where: str, of: EntryId, **values: object) -> None:
        self.findings.append(what.at(where, self.case.directory_of(of), **values))

    def tell_several(self, what: Say, entry: User | Group, mail: str, held: Address | None) -> None:
        result = f"{held} stays" if held else "it gets none"
        self.say(what, entry.dn, entry.id, mail=mail, values=", ".join(entry.addresses), result=result)

    def tell_forward(self, user: User, address: Address) -> None:
        if user.forward is not None:
            attribute = self.source(user.id).user_mapping.forward_to
            self.say(Say.FORWARD_HAS_MAILBOX, user.dn, user.id, attribute=attribute, address=address)

    def tell_mailbox(self, claim: Claim, box: Address) -> None:
        taken = "it" if box == claim.address else box
        self.say(Say.ALIAS_IS_MAILBOX, claim.place, claim.owner, address=claim.address, box=taken)

    def tell_duplicate(self, address: Address, wanting: list[Claim], holder: Claim | None) -> None:
        of_several = len({claim.owner.source for claim in wanting}) > 1
        names = [f"{one.name} of the directory {one.owner.source}" if of_several else one.name for one in wanting]
        result = f"{holder.name} keeps it" if holder else "nobody gets it"
        self.findings.append(Say.WANTED_TWICE.at(address, names=some_of(names, by=" and "), result=result))


def _left_out(said: Say, domain: str, asked: list[tuple[str, Address]]) -> Finding:
    (dn, address), count = asked[0], len(asked)
    what = f"{address} of {dn}" if count == 1 else f"{count} addresses, {address} of {dn} among them"
    return said.at(domain, what=what)
