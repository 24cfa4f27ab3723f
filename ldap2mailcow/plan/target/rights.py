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
from ldap2mailcow.model import GOTO, SENDER_ALLOWED, Address, EntryId, Origin, Patch, Rule, Say, split
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.matching import Match
from ldap2mailcow.plan.withheld import Guarded

from .delivery import Delivery
from .mailboxes import identity
from .making import AliasTarget, Making, NoRoom, RightsTarget

NO_ROWS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Rows:
    """What one mailbox should have, in mailcow's terms."""

    here: frozenset[str] = NO_ROWS
    """Addresses and `@domain` that mailcow hosts, or ANYONE."""
    foreign: frozenset[str] = NO_ROWS
    """Those of other domains (`extended_sender_acl`)."""


@dataclass
class RightsMaker:
    """Makes the targets of rights, once mailboxes and aliases are decided."""

    making: Making
    delivery: Delivery
    aliases: Mapping[Address, AliasTarget]
    _decided: dict[Address, _Rows] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """What everything follows from."""
        return self.making.case

    def make(self) -> dict[Address, RightsTarget]:
        """Return the rights of all mailboxes about which something is known, asked for or changed."""
        found = map(self.one, self.editable)
        return {target.address: target for target in found if target}

    def unread(self) -> frozenset[Address]:
        """Return the mailboxes whose present rows must be read before their rights can be decided."""
        there = (address for address in self.editable if not self.is_made(address))
        return frozenset(filter(self.must_be_read, there))

    # who is concerned

    @cached_property
    def concerned(self) -> frozenset[Address]:
        """The mailboxes about whose rights something is known, asked for or changed."""
        if not self.case.manages_senders:
            return frozenset(self.closed)
        rows = self.case.rows.items()
        ours = {address for address, row in rows if row.senders | row.foreign_senders}
        return frozenset({*self.closed, *self.wanted, *ours})

    @cached_property
    def editable(self) -> list[Address]:
        """Those of them that may get rows, in order."""
        return [one for one in sorted(self.concerned) if self.takes_edits(one) and self.is_followed(one)]

    def takes_edits(self, address: Address) -> bool:
        """Tell whether a mailbox is ours and takes mail after the run, and mailcow doesn't refuse every edit of it."""
        if self.making.held.has(NoRoom.EDIT, address) or not self.case.in_scope(address):
            return False
        is_active = self.delivery.is_active.get(address, False)
        return is_active and self.delivery.boxes[address].rule not in _LEFT_ALONE

    def is_followed(self, address: Address) -> bool:
        """Tell whether it is known what the entry of a mailbox asks for, or that it is gone."""
        if match := self.match_at.get(address):
            return match.user.id not in self.making.matches.claims.unclear
        missing = self.making.matches.missing.get(address)
        return missing.is_believed if missing else False

    @cached_property
    def match_at(self) -> dict[Address, Match]:
        """By address of a mailbox, there or made: its user."""
        return {match.at: match for match in self.making.matches.users.values() if match.at}

    def is_made(self, address: Address) -> bool:
        """Tell whether a mailbox is made in this run."""
        return self.delivery.boxes[address].there is None

    # what is asked for

    @cached_property
    def wanted(self) -> dict[Address, frozenset[Meant | str]]:
        """By mailbox: whom its user may send as by the directory."""
        found: defaultdict[Address, set[Meant | str]] = defaultdict(set)
        asked = self.case.asked
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
        named = frozenset(str(one) for one in map(self.name, wanted - {ANYONE}) if one)
        hosted = frozenset(filter(self.is_hosted, named))
        if ANYONE in wanted:
            return _Rows(frozenset({ANYONE}), named - hosted)
        needed = hosted - self.implied(address, hosted)
        known = frozenset(filter(self.is_there, needed)) - self.strangers
        if unknown := sorted(needed - known):
            self.making.say(Say.SENDER_NOT_FOUND, address, senders=", ".join(unknown))
        return _Rows(known, named - hosted)

    def name(self, value: Meant | str) -> Address | None:
        """Return the address that a value of `send_as` means."""
        if isinstance(value, EntryId):
            found = self.delivery.meant_entry(value)
            return self.list_address(found) if isinstance(found, Group) else found
        address = Address(value)
        twin = self.case.actual.twin(address) if address.local else None
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
        return Address(sender).domain in self.case.actual.hosted

    def implied(self, address: Address, rows: Iterable[str]) -> frozenset[str]:
        """Return the rows that a mailbox doesn't need: for itself, and for aliases that let their targets send."""
        return frozenset(one for one in rows if one == address or address in self.allowed.get(Address(one), ()))

    @cached_property
    def allowed(self) -> dict[Address, frozenset[Address]]:
        """By alias that lets its targets send as it: the targets."""
        values = {address: target.values for address, target in self.aliases.items() if target.values}
        return {address: split(str(one[GOTO])) for address, one in values.items() if one[SENDER_ALLOWED] == 1}

    @cached_property
    def addresses(self) -> frozenset[Address]:
        """All that mailcow has after this run, in the domains that are looked at."""
        aliases = (address for address, target in self.aliases.items() if target.values)
        return frozenset({*self.delivery.is_active, *aliases})

    def is_there(self, sender: str) -> bool:
        """Tell whether mailcow has an address, or a domain, after this run: it refuses rows for others."""
        address = Address(sender)
        if not self.is_hosted(sender):
            return sender == ANYONE
        is_looked_at = self.case.home_domain(address) in self.case.actual.domains
        return address in self.addresses or not (address.local and is_looked_at)

    @cached_property
    def strangers(self) -> frozenset[Address]:
        """The mailboxes that belong to none of those who ask for their addresses."""
        asked = {*self.delivery.by_address, *self.making.matches.claims.lost.values()}
        return frozenset(asked & self.delivery.is_active.keys() - self.match_at.keys())

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
        return frozenset(chain.from_iterable(self.edited[one] for one in self.edited.keys() - self.allowed.keys()))

    def dropped(self, address: Address, rows: Iterable[str]) -> frozenset[str]:
        """Return the rows of a mailbox that the edits of aliases in this run drop, before any row is written."""
        return frozenset(one for one in rows if address in self.edited.get(Address(one), ()))

    # one mailbox

    def had(self, address: Address) -> _Rows:
        """Return the rows that are ours; one of an old row was deleted, and its rights with it."""
        row = None if self.is_made(address) else self.case.rows.get(address)
        return _Rows(row.senders, row.foreign_senders) if row else _Rows()

    def should(self, address: Address) -> _Rows:
        """Return what is wanted, with what we granted where it isn't known to be gone or is held."""
        wanted, had = self.rows_for(address), self.had(address)
        if address in self.unsettled or not self.knows_all:
            here, foreign = had.here, had.foreign
        else:
            here, foreign = had.here & self.doubtful, had.foreign & self.doubtful
        here = frozenset(filter(self.is_there, here))
        return _Rows(_alone(wanted.here | (here - self.implied(address, here))), wanted.foreign | foreign)

    @cached_property
    def knows_all(self) -> bool:
        """Whether absence from all directories is believed, for each kind of entry."""
        return self.case.all_answered and all(one.knows(None) for one in self.making.matches.known.values())

    @cached_property
    def unsettled(self) -> frozenset[Address]:
        """The mailboxes for which it isn't known whom their users may send as, or whose loss of that is held."""
        asked = self.case.asked
        homes = {self.mailbox_of(user.id) for user in asked.users if not user.senders_known}
        groups = (group for group in asked.groups if not group.senders_known)
        members = chain.from_iterable(map(self.mailboxes_in, groups))
        return frozenset({*filter(None, homes), *members, *self.making.held.of(Guarded.RIGHTS)})

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """The rows for which it isn't known who has them by a group: those of the group's members stay."""
        asked = self.case.asked
        groups = (group for group in asked.groups if group.senders and group.id in self.delivery.doubtful)
        named = {self.name(one) for group in groups for one in group.senders}
        return frozenset(str(one) for one in named if one) | ({ANYONE} if not asked.any_senders_known else NO_ROWS)

    def must_be_read(self, address: Address) -> bool:
        """Tell whether the present rows of a mailbox must be known."""
        had = self.had(address)
        is_asserted = self.case.options.reassert and bool(had.here)
        return is_asserted or address in self.closed or self.should(address) != had

    def one(self, address: Address) -> RightsTarget | None:
        """Return the rights of one mailbox; None where mailcow's own rows weren't read, because nothing differs."""
        should, had, box = self.should(address), self.had(address), self.delivery.boxes[address]
        told = NO_ROWS if self.is_made(address) else self.case.senders.get(address)
        if told is None:
            if address in self.case.senders and self.must_be_read(address):  # there may be some that were made by hand
                self.making.say(Say.SENDERS_NOT_TOLD, address)
            return None
        there = frozenset(filter(self.is_there, told))  # mailcow drops the others, or keeps them whatever comes
        rows = _alone(should.here | (there - had.here))
        gone = (there | had.foreign) - rows - should.foreign - self.implied(address, there)
        dropped = self.dropped(address, there)
        rule = Rule.MAILCOW if dropped.isdisjoint(rows) else Rule.DROPPED
        return RightsTarget(
            address,
            rule if should == had else Rule.LDAP,
            there - dropped,
            rows,
            had.foreign,
            should.foreign,
            after=self.after(address, should),
            loses=bool(gone) and ANYONE not in rows,
            source=box.source,
            dn=box.dn,
        )

    def after(self, address: Address, should: _Rows) -> Patch:
        """Return what is remembered of the rights, and of whose the mailbox is where nothing else tells that."""
        known: Patch = {"senders": should.here, "foreign_senders": should.foreign}
        if address in self.case.rows or self.delivery.boxes[address].rule is not Rule.ELSEWHERE:
            return known
        return {**identity(self.making, self.match_at[address], None), "origin": Origin.ADOPTED, **known}


def _alone(rows: frozenset[str]) -> frozenset[str]:
    """Return the rows that mailcow keeps: nothing beside that which allows all."""
    return frozenset({ANYONE}) if ANYONE in rows else rows


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
