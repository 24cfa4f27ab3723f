"""Claims: who gets an address that entries ask for, as a mailbox or as an alias.

One rule for entries of one directory and of several: the present holder keeps the address, else no entry gets it. The
holder is the entry whose mailbox, or whose alias, has the address by the state file. A mailbox that is there goes
before any alias, an alias that is there before a new mailbox.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from ldap2mailcow.config import Source
from ldap2mailcow.desired import Forward, Group, User, some_of
from ldap2mailcow.model import Address, EntryId, Finding, Remembered, RememberedAlias, Role, Say

from .case import Case
from .knowledge import NOTHING, Knowledge

_MAX_DOMAINS = 10
"""Domains that one entry is told of: it can ask for addresses in any number of them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry asks for one address."""

    address: Address
    role: Role | None
    """None: as a mailbox."""
    entry: User | Group | Forward

    @property
    def owner(self) -> EntryId:
        """The id of the entry."""
        return self.entry.id

    @property
    def dn(self) -> str:
        """Empty for a list that only its members name."""
        return self.entry.dn

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


def decide_claims(case: Case, own: Mapping[EntryId, Remembered], known: Mapping[str, Knowledge]) -> Claims:
    """Return who gets which address; `own` has by user what is remembered of the mailbox."""
    held = {user: row.address for user, row in own.items()}
    return _Decider(case, held, known).decide()


@dataclass
class _Decider:
    case: Case
    held: Mapping[EntryId, Address]
    """By user: where the mailbox is, as remembered."""
    known: Mapping[str, Knowledge]
    findings: list[Finding] = field(default_factory=list)
    unclear: set[EntryId] = field(default_factory=set)
    left_out: defaultdict[tuple[Say, str], set[tuple[str, Address]]] = field(default_factory=lambda: defaultdict(set))
    """By what is said, and by domain: the aliases that are left out, each with the DN that asks for it."""
    told_domains: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By DN: the domains that it is told of."""
    asked: set[Address] = field(default_factory=set)
    told: set[Address] = field(default_factory=set)
    """The addresses of which it was said that several entries want them."""
    boxes: frozenset[Address] = frozenset()
    """The addresses of mailboxes, those included that users get and that aren't made yet."""

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
        for address, wanting in boxes.items():
            winner = self.winner(address, wanting, aliases.get(address, {}).values())
            for claim in wanting:
                (mailboxes if claim is winner else lost)[claim.owner] = address
        made = mailboxes.values() if self.case.config.create_mailboxes else ()
        self.boxes = frozenset({*self.case.actual.mailboxes, *made})
        granted = self.granted(aliases, boxes)
        self.findings += [_left_out(said, domain, sorted(asked)) for (said, domain), asked in self.left_out.items()]
        return Claims(mailboxes, granted, frozenset(self.asked), lost, frozenset(self.unclear), tuple(self.findings))

    def granted(
        self, aliases: Mapping[Address, Mapping[EntryId, Claim]], boxes: Mapping[Address, list[Claim]]
    ) -> dict[Address, Claim]:
        found = {one: self.alias_winner(one, list(each.values()), boxes.get(one, ())) for one, each in aliases.items()}
        return {address: winner for address, winner in found.items() if winner}

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
        forward = None if address in self.case.actual.mailboxes else user.forward  # a mailbox that is there stays
        if forward is None:
            self.tell_forward(user, address)
            yield Claim(address, None, user)
        else:
            yield from self.of_forward(forward)
        if user.id not in self.unclear:
            yield from self.of_aliases(user, user.aliases - self.own_addresses(user, address, forward), Role.USER)

    def own_addresses(self, user: User, address: Address, forward: Forward | None) -> set[Address]:
        """Return what is no further address: the mailbox, what it will be called, and their twins in alias domains.

        mailcow delivers to the twin of a mailbox; it does so for no alias.
        """
        own = {address} | ({self.held.get(user.id, address)} & self.case.actual.mailboxes.keys())
        return own if forward else own | {one for one in user.aliases if self.case.actual.twin(one) in own}

    def main_address(self, user: User) -> Address | None:
        """Return the one address of a user, as far as it can be told which it is, and may be had here."""
        address = next(iter(user.addresses), None)
        if len(user.addresses) > 1:
            held = self.held.get(user.id)
            address = held if held in user.addresses else None
            self.tell_several(Say.SEVERAL_MAILBOXES, user, self.source(user.id).user_mapping.mail, address)
        return address if address and self.may_have(user, address) else None

    def may_have(self, user: User, address: Address) -> bool:
        if not self.case.looks_at(self.source(user.id), address):
            self.say(Say.NOT_OUR_DOMAIN, user.dn, user.id, address=address)
            return False
        if address.domain not in self.case.actual.domains:
            self.say(Say.NO_SUCH_DOMAIN, user.dn, user.id, domain=address.domain, address=address)
            return False
        return True

    def of_aliases(self, entry: User | Group | Forward, addresses: AbstractSet[Address], role: Role) -> Iterator[Claim]:
        """Give the claims to those of some addresses that can be aliases here."""
        for one in self.few(entry, addresses):
            yield Claim(one, role, entry)

    def of_group(self, group: Group) -> Iterator[Claim]:
        address = self.list_address(group)
        if address is None:
            self.unclear |= set() if group.is_clear else {group.id}
            return
        further = set(group.further)
        if group.catches_all:
            further.add(Address(f"@{address.domain}"))
        claims = list(self.of_aliases(group, further - {address}, Role.LIST))
        if self.in_domains(group, address):
            claims.append(Claim(address, Role.LIST, group))
        else:
            self.unclear.add(group.id)
        if group.catches_all is None or not group.is_clear:
            self.unclear.add(group.id)
        yield from sorted(claims, key=lambda claim: claim.address)

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
        claims = [one for one in self.of_aliases(forward, forward.addresses, Role.FORWARD) if not self.is_user(one)]
        is_readable = forward.is_clear or (forward.is_user and bool(forward.stated))
        if not claims or not is_readable:
            self.unclear.add(forward.id)
        if forward.is_clear or forward.stated:
            yield from claims

    @cached_property
    def with_mailboxes(self) -> Mapping[EntryId, tuple[Address, ...]]:
        """The addresses of the users who ask for mailboxes."""
        return {user.id: user.addresses for user in self.case.asked.users if user.forward is None}

    def few(self, entry: User | Group | Forward, addresses: AbstractSet[Address]) -> list[Address]:
        """Return those of some addresses that can be aliases here, in order, and no more than one entry may have.

        It keeps those that it has; that there are others is told.
        """
        most = self.case.config.limits.entry_aliases
        addresses = {one for one in addresses if self.in_domains(entry, one)}
        if len(addresses) <= most:
            return sorted(addresses)
        self.say(Say.TOO_MANY_ALIASES, entry.dn, entry.id, count=len(addresses), most=most)
        held = {one for one in addresses if self.holds(entry.id, one)}
        return sorted([*held, *sorted(addresses - held)[: max(0, most - len(held))]])

    def is_user(self, claim: Claim) -> bool:
        """Tell whether an entry that only forwards is a user with a mailbox of this address too; a finding says so."""
        if claim.address not in self.with_mailboxes.get(claim.owner, ()):
            return False
        self.say(Say.FORWARD_IS_USER, claim.dn, claim.owner, address=claim.address)
        return True

    def in_domains(self, entry: User | Group | Forward, address: Address) -> bool:
        """Tell whether an address can be an alias here; one that can't is counted, with the DN that asks for it."""
        self.asked.add(address)
        if not self.case.looks_at(self.source(entry.id), address):
            return self.leave_out(Say.NOT_OUR_ALIAS_DOMAIN, entry.dn, address)
        if address.domain not in self.case.actual.hosted:
            return self.leave_out(Say.NO_SUCH_ALIAS_DOMAIN, entry.dn, address)
        return True

    def leave_out(self, said: Say, dn: str, address: Address) -> bool:
        domains = self.told_domains[dn] | {address.domain}
        if len(domains) <= _MAX_DOMAINS:
            self.told_domains[dn] = domains
            self.left_out[said, address.domain].add((dn, address))
        return False

    # who gets it

    def winner(self, address: Address, wanting: Sequence[Claim], others: Iterable[Claim]) -> Claim | None:
        """Return who of several gets an address; `others` want it as the other kind, which counts where it is new."""
        rivals = [*wanting, *others] if self.is_new(address) else wanting
        if len(rivals) == 1:
            return wanting[0]
        holder = next((claim for claim in rivals if self.has(claim)), None)
        self.tell_duplicate(address, rivals, holder)
        return holder

    @cached_property
    def there(self) -> frozenset[Address]:
        """The addresses at which mailcow has something."""
        return frozenset({*self.case.actual.mailboxes, *self.case.actual.aliases})

    def is_new(self, address: Address) -> bool:
        """Tell whether mailcow has nothing at an address, which may become a mailbox or an alias."""
        return address not in self.there and self.case.config.create_mailboxes

    def has(self, claim: Claim) -> bool:
        """Tell whether an entry has the mailbox or the alias that it asks for, by the state file."""
        if claim.role is None:
            return self.held.get(claim.owner) == claim.address
        return self.holds(claim.owner, claim.address)

    def holds(self, owner: EntryId, address: Address) -> bool:
        """Tell whether an entry has an alias; of a directory that isn't in the config it may be under another name."""
        row = self.case.alias_rows.get(address)
        if row is None or row.role is Role.FORMER:
            return False
        source = owner.source if self.case.is_of_unknown(row) else row.source
        return EntryId(source, row.owner) == owner

    def alias_winner(self, address: Address, wanting: Sequence[Claim], boxes: Iterable[Claim]) -> Claim | None:
        """Return the entry that gets an address as an alias."""
        if box := self.mailbox_at(address):
            for claim in wanting:
                self.tell_mailbox(claim, box)
            return None
        winner = self.winner(address, wanting, boxes)
        return winner if winner and self.is_free(winner) else None

    def mailbox_at(self, address: Address) -> Address | None:
        """Return the mailbox that stands in the way of an alias: at its address, or at its twin's."""
        actual = self.case.actual
        if address in actual.aliases:
            return address if address in actual.mailboxes else None
        return next((one for one in (address, actual.twin(address)) if one in self.boxes), None)

    def is_free(self, claim: Claim) -> bool:
        """Tell whether an entry may have an alias that another entry had; a finding says why not."""
        existing = self.case.actual.aliases.get(claim.address)
        if existing is None or not self.case.is_our_alias(existing):
            return True
        row = self.case.alias_row(existing)
        if row.entry == claim.owner or self.case.is_unclaimed(row):
            return True
        if row.role is Role.FORMER:
            holder = row.dn or "another user"
            self.say(Say.ALIAS_WAS_ANOTHERS, claim.place, claim.owner, address=claim.address, holder=holder)
            return False
        if self.is_given_up(row):
            return True
        if not self.known[claim.owner.source].replaced:  # else it is told once for all of them
            self.say(Say.ALIAS_IS_ANOTHERS, claim.place, claim.owner, address=claim.address, holder=row.dn or "a list")
        return False

    @cached_property
    def entries(self) -> frozenset[EntryId]:
        """The users and groups of the answers."""
        return frozenset({*self.case.users, *(group.id for group in self.case.asked.groups)})

    def is_given_up(self, row: RememberedAlias) -> bool:
        """Tell whether the entry that had an alias no longer asks for it, for certain.

        A search that changed is no doubt here: what a list would lose by it waits for a word (`limits`).
        """
        if self.case.is_of_unknown(row) or row.entry in self.entries:
            return True
        return self.known.get(row.source, NOTHING).knows(row.role)

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

    def tell_duplicate(self, address: Address, wanting: Sequence[Claim], holder: Claim | None) -> None:
        if address in self.told:
            return
        self.told.add(address)
        of_several = len({claim.owner.source for claim in wanting}) > 1
        names = [f"{one.name} of the directory {one.owner.source}" if of_several else one.name for one in wanting]
        result = f"{holder.name} keeps it" if holder else "nobody gets it"
        self.findings.append(Say.WANTED_TWICE.at(address, names=some_of(names, by=" and "), result=result))


def _left_out(said: Say, domain: str, asked: list[tuple[str, Address]]) -> Finding:
    (dn, address), count = asked[0], len(asked)
    what = f"{address} of {dn}" if count == 1 else f"{count} addresses, {address} of {dn} among them"
    return said.at(domain, what=what)
