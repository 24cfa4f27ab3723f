"""Which rows of `sender_acl` each mailbox should have: the few rights that no alias gives by itself.

`sender_allowed` of an alias lets its targets send as it and costs nothing; a row of `sender_acl` costs a reading of all
of mailcow's aliases (docs/mailcow-api.md sections 5 and 15). So rows are wanted only where no alias does it, are
compared with what we last applied, and are written in one edit per mailbox, last. mailcow's own rows are read only
where the wanted ones differ from what was last applied, where an edit of an alias can drop them, and with --reassert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from ldap2mailcow.desired import ANYONE, Group, Meant
from ldap2mailcow.model import GOTO, SENDER_ALLOWED, Address, EntryId, Origin, Patch, Remembered, Rule, Say, split
from ldap2mailcow.plan.matching import Match
from ldap2mailcow.plan.withheld import Guarded

from .delivery import Delivery
from .mailboxes import identity
from .making import AliasTarget, Making, NoRoom, RightsTarget

NO_ROWS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Rows:
    """What one mailbox should have, in mailcow's terms."""

    here: frozenset[str]
    """Addresses and `@domain` that mailcow hosts, or ANYONE."""
    foreign: frozenset[str]
    """Those of other domains (`extended_sender_acl`)."""


@dataclass
class RightsMaker:
    """Makes the targets of rights, once mailboxes and aliases are decided."""

    making: Making
    delivery: Delivery
    aliases: Mapping[Address, AliasTarget]
    _decided: dict[Address, _Rows] = field(default_factory=dict)

    def make(self) -> dict[Address, RightsTarget]:
        """Return the rights of all mailboxes about which something is known, asked for or changed."""
        found = (self.one(address) for address in sorted(self.concerned) if self.may_edit(address))
        return {target.address: target for target in found if target}

    def unread(self) -> frozenset[Address]:
        """Return the mailboxes whose present rows must be read before their rights can be decided."""
        return frozenset(
            address
            for address in self.concerned
            if self.may_edit(address) and not self.is_made(address) and self.must_be_read(address)
        )

    # who is concerned

    @cached_property
    def concerned(self) -> frozenset[Address]:
        """The mailboxes about whose rights something is known, asked for or changed."""
        if not self.making.case.manages_senders:
            return frozenset(self.closed)
        rows = self.making.case.rows.items()
        ours = {address for address, row in rows if row.senders or row.foreign_senders}
        return frozenset({*self.closed, *self.wanted, *ours})

    def may_edit(self, address: Address) -> bool:
        """Tell whether a mailbox may get rows.

        It takes mail after the run, is ours, its entry can be followed, and mailcow doesn't refuse every edit of it.
        """
        if self.making.held.has(NoRoom.EDIT, address):
            return False
        if not self.making.case.in_scope(address) or not self.delivery.is_active.get(address):
            return False
        if self.delivery.boxes[address].rule in _LEFT_ALONE:
            return False
        match = self.match_at.get(address)
        if match is not None:
            return match.user.id not in self.making.matches.claims.unclear
        missing = self.making.matches.missing.get(address)
        return missing is not None and missing.is_believed

    @cached_property
    def match_at(self) -> dict[Address, Match]:
        """By address of a mailbox, there or made: its user."""
        return {match.at: match for match in self.making.matches.users.values() if match.at}

    def is_made(self, address: Address) -> bool:
        """Tell whether a mailbox is made in this run."""
        box = self.delivery.boxes[address]
        return box.there is None

    # what is asked for

    @cached_property
    def wanted(self) -> dict[Address, frozenset[Meant | str]]:
        """By mailbox: whom its user may send as by the directory."""
        found: defaultdict[Address, set[Meant | str]] = defaultdict(set)
        asked = self.making.case.asked
        for user in asked.users:
            if user.senders and (home := self.mailbox_of(user.id)):
                found[home] |= user.senders
        for group in asked.groups:
            for home in self.mailboxes_in(group) if group.senders else ():
                found[home] |= group.senders
        for entry in asked.any_senders:
            for home in self.mailboxes_at(entry):
                found[home].add(ANYONE)
        return {address: frozenset(senders) for address, senders in found.items()}

    def mailbox_of(self, user_id: EntryId) -> Address | None:
        """Return the mailbox of a user."""
        home = self.delivery.home(user_id)
        return home if home in self.delivery.boxes else None

    def mailboxes_in(self, group: Group) -> Iterable[Address]:
        """Give the mailboxes of the users in a group."""
        return (one for one in self.delivery.members[group.id] if one in self.match_at)

    def mailboxes_at(self, entry: EntryId) -> Iterable[Address]:
        """Give the mailboxes that an entry stands for: its own or, of a group, those of its members."""
        group = self.delivery.groups.get(entry)
        if group is not None:
            return self.mailboxes_in(group)
        home = self.mailbox_of(entry)
        return (home,) if home else ()

    def rows_for(self, address: Address) -> _Rows:
        """Return what a mailbox should have: what is asked for, without what an alias allows already."""
        if address not in self._decided:
            self._decided[address] = self.decided(address)
        return self._decided[address]

    def decided(self, address: Address) -> _Rows:
        """Return the same, and say what can't be had."""
        wanted = self.wanted.get(address, frozenset())
        if ANYONE in wanted:
            return _Rows(frozenset({ANYONE}), self.foreign_of(wanted))
        named = {str(one) for one in map(self.name, wanted) if one is not None}
        hosted = set(filter(self.is_hosted, named))
        needed = hosted - self.implied(address, hosted)
        unknown = sorted(one for one in needed if not self.is_there(one) or self.is_strangers(Address(one)))
        if unknown:
            self.making.say(Say.SENDER_NOT_FOUND, address, senders=", ".join(unknown))
        return _Rows(frozenset(needed.difference(unknown)), frozenset(named - hosted))

    def foreign_of(self, wanted: Iterable[Meant | str]) -> frozenset[str]:
        """Return the addresses among some that mailcow doesn't host."""
        named = (self.name(one) for one in wanted if one != ANYONE)
        return frozenset(str(one) for one in named if one is not None and not self.is_hosted(one))

    def name(self, value: Meant | str) -> Address | None:
        """Return the address that a value of `send_as` means."""
        if isinstance(value, EntryId):
            found = self.delivery.meant_entry(value)
            return self.list_address(found) if isinstance(found, Group) else found
        address = Address(value)
        twin = self.making.case.actual.twin(address) if address.local else None
        if twin in self.delivery.by_address:  # mailcow takes no right for a twin (docs/mailcow-api.md section 19)
            address = twin
        if user_id := self.delivery.by_address.get(address):
            return self.delivery.home(user_id) or address
        is_alias = address in self.making.matches.claims.aliases
        return address if is_alias else self.delivery.present_name(address)

    def list_address(self, group: Group) -> Address | None:
        """Return the address that a list has."""
        claims = self.making.matches.claims.aliases
        held = (one for one in group.addresses if one in claims and claims[one].owner == group.id)
        return next(held, None)

    def is_hosted(self, sender: str) -> bool:
        """Tell whether mailcow hosts the domain of an address."""
        return Address(sender).domain in self.making.case.actual.hosted

    def is_implied(self, address: Address, sender: str) -> bool:
        """Tell whether a mailbox may send as its own address, or as an alias that lets its targets do so."""
        if sender == address:
            return True
        alias = self.aliases.get(Address(sender))
        if alias is None or alias.values is None or alias.values[SENDER_ALLOWED] != 1:
            return False
        return address in split(str(alias.values[GOTO]))

    def is_there(self, sender: str) -> bool:
        """Tell whether mailcow has an address, or a domain, after this run: it refuses rows for others."""
        address, actual = Address(sender), self.making.case.actual
        if sender == ANYONE:
            return True
        if not address.local or address.domain not in actual.hosted:
            return address.domain in actual.hosted
        alias = self.aliases.get(address)
        is_alias = alias is not None and alias.values is not None
        is_looked_at = address.domain in actual.domains or address.domain in actual.alias_domains
        return address in self.delivery.is_active or is_alias or not is_looked_at

    def is_strangers(self, address: Address) -> bool:
        """Tell whether the mailbox at an address belongs to none of those who ask for it."""
        is_asked_for = address in self.delivery.by_address or self.making.matches.claims.is_lost(address)
        return is_asked_for and address in self.delivery.is_active and address not in self.match_at

    # edits of aliases that drop rows

    @cached_property
    def edited(self) -> dict[Address, frozenset[Address]]:
        """Aliases that this run edits, and their targets after that: `edit/alias` drops the rows of those."""
        return {
            address: split(str(target.values[GOTO]))
            for address, target in self.aliases.items()
            if target.there is not None and target.values is not None and target.values != target.there.values
        }

    @cached_property
    def closed(self) -> frozenset[Address]:
        """The targets of edited aliases that don't let them send as it: what rows they have for it are dropped."""
        closed = (one for one in self.edited if (self.aliases[one].values or {})[SENDER_ALLOWED] == 0)
        return frozenset(target for one in closed for target in self.edited[one])

    def dropped(self, address: Address, rows: Iterable[str]) -> frozenset[str]:
        """Return the rows of a mailbox that the edits of aliases in this run drop, before any row is written."""
        return frozenset(one for one in rows if address in self.edited.get(Address(one), ()))

    # one mailbox

    def had(self, address: Address) -> _Rows:
        """Return the rows that are ours; one of an old row was deleted, and its rights with it."""
        row = self.making.case.rows.get(address)
        if row is None or self.is_made(address):
            return _Rows(NO_ROWS, NO_ROWS)
        return _Rows(row.senders, row.foreign_senders)

    def should(self, address: Address) -> _Rows:
        """Return what is wanted, with what we granted where it isn't known to be gone or is held."""
        wanted, had = self.rows_for(address), self.had(address)
        stay = self.in_doubt(address, had)
        here = {one for one in stay & had.here if self.is_there(one) and not self.is_implied(address, one)}
        here = set() if ANYONE in wanted.here else here
        return _Rows(wanted.here | here, wanted.foreign | (stay & had.foreign))

    def in_doubt(self, address: Address, had: _Rows) -> frozenset[str]:
        """Return those of the rows that we granted of which it isn't known, or is held, that they are gone."""
        known = all(one.knows(None) for one in self.making.matches.known.values()) and self.making.case.all_answered
        rows = had.here | had.foreign
        if not known or address in self.unsettled or self.making.held.has(Guarded.RIGHTS, address):
            return rows
        return rows & self.doubtful

    @cached_property
    def unsettled(self) -> frozenset[Address]:
        """The mailboxes for which it isn't known whom their users may send as."""
        asked = self.making.case.asked
        homes = {self.mailbox_of(user.id) for user in asked.users if not user.senders_known}
        groups = (group for group in asked.groups if not group.senders_known)
        return frozenset({*filter(None, homes), *chain.from_iterable(map(self.mailboxes_in, groups))})

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """The rows for which it isn't known who has them by a group: those of the group's members stay."""
        asked = self.making.case.asked
        groups = (group for group in asked.groups if group.senders and group.id in self.delivery.doubtful)
        named = {self.name(one) for group in groups for one in group.senders}
        return frozenset(str(one) for one in named if one) | ({ANYONE} if not asked.any_senders_known else NO_ROWS)

    def must_be_read(self, address: Address) -> bool:
        """Tell whether the present rows of a mailbox must be known."""
        is_asked = self.making.case.options.reassert and bool(self.had(address).here)
        return is_asked or address in self.closed or self.should(address) != self.had(address)

    def one(self, address: Address) -> RightsTarget | None:
        """Return the rights of one mailbox; None where mailcow's own rows weren't read, because nothing differs."""
        senders, should, had = self.making.case.senders, self.should(address), self.had(address)
        told = NO_ROWS if self.is_made(address) else senders.get(address)
        if told is None:
            if address in senders and self.must_be_read(address):
                self.tell_untold(address)
            return None
        there = frozenset(filter(self.is_there, told))  # mailcow drops the others, or keeps them whatever comes
        rows = should.here | (there - had.here)
        if ANYONE in rows:
            rows = frozenset({ANYONE})  # mailcow keeps nothing beside it, and it allows all
        gone = (there | had.foreign) - rows - should.foreign - self.implied(address, there)
        dropped = self.dropped(address, there)
        row = self.making.case.rows.get(address)
        return RightsTarget(
            address,
            self.why(row, should, is_dropped=not dropped.isdisjoint(rows)),
            there - dropped,
            rows,
            had.foreign,
            should.foreign,
            after=self.after(address, row, should),
            loses=ANYONE not in rows and bool(gone),
            source=self.delivery.boxes[address].source,
            dn=self.delivery.boxes[address].dn,
        )

    def implied(self, address: Address, rows: Iterable[str]) -> frozenset[str]:
        """Return the rows that aliases give without them."""
        return frozenset(one for one in rows if self.is_implied(address, one))

    def after(self, address: Address, row: Remembered | None, should: _Rows) -> Patch:
        """Return what is remembered of the rights, and of whose the mailbox is where nothing else tells that."""
        known: Patch = {"senders": should.here, "foreign_senders": should.foreign}
        match = self.match_at.get(address)
        if row is None and match is not None and self.delivery.boxes[address].rule is Rule.ELSEWHERE:
            return {**identity(self.making, match, None), "origin": Origin.ADOPTED, **known}
        return known

    def why(self, row: Remembered | None, should: _Rows, *, is_dropped: bool) -> Rule:
        """Name the rule that rights follow."""
        if row is None or row.senders != should.here or row.foreign_senders != should.foreign:
            return Rule.LDAP
        return Rule.DROPPED if is_dropped else Rule.MAILCOW

    def tell_untold(self, address: Address) -> None:
        """Say that rows which may have been made by hand can't be seen, so that none are written over them."""
        self.making.say(Say.SENDERS_NOT_TOLD, address)


_LEFT_ALONE = frozenset(
    {
        Rule.PROTECTED,
        Rule.WAS_RELEASED,
        Rule.OTHER_INSTALLATION,
        Rule.NOT_OURS,
        Rule.ADOPTION_REFUSED,
        Rule.HELD,
        Rule.OUT_OF_SCOPE,
    }
)
