"""What each alias should be, once it is known what becomes of the mailboxes: where it goes, and whether it is active.

A goto holds only what takes mail. What was in it stays where it isn't known to be gone: where an answer isn't whole,
and for mailboxes whose entry is gone as long as they take mail. An alias without a goto left becomes inactive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from ldap2mailcow.desired import Group, User, some_of
from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    FLAGS,
    GOTO,
    INTERNAL,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Address,
    EntryId,
    ExistingAlias,
    Kind,
    Origin,
    Patch,
    Role,
    Rule,
    Say,
    Value,
    joined,
    split,
)
from ldap2mailcow.plan.case import Case, is_as_renaming_left_it
from ldap2mailcow.plan.claims import Claim
from ldap2mailcow.plan.grace import SEEN
from ldap2mailcow.plan.renames import FLAGS_OF_FORMER, OF_ONE_USER
from ldap2mailcow.plan.withheld import Guarded

from .delivery import Delivery, Reach
from .existence import Existence
from .making import AliasTarget, Making, NoRoom

NEW: Mapping[str, Value] = {INTERNAL: 0, SENDER_ALLOWED: 1, SOGO_VISIBLE: 0, PUBLIC_COMMENT: ""}
"""What a new alias is where the directory doesn't say it: as one made in mailcow's UI, but not in the address book."""

GOTO_MAX = 65_000
"""Bytes of a goto: mailcow's column holds 64 KiB and loses what is longer (docs/mailcow-api.md section 15)."""

OF_SEVERAL = frozenset({Role.LIST, Role.FORWARD})
"""The kinds of aliases whose targets are counted when they lose some."""

NOWHERE: frozenset[Address] = frozenset()

_NOT_CLEANED = frozenset(
    {
        Rule.PROTECTED,
        Rule.WAS_RELEASED,
        Rule.OTHER_INSTALLATION,
        Rule.NOT_READ,
        Rule.UNKNOWN_DIRECTORY,
    }
)
"""The rules by which an alias isn't ours to change, whatever it goes to."""


class Status(Enum):
    """Whether an alias that is there takes mail, before the run."""

    ACTIVE = auto()
    SILENCED = auto()  # we set it inactive
    BY_HAND = auto()  # it was set inactive in mailcow, and stays so


@dataclass(frozen=True, slots=True)
class Wish:
    """What an alias is asked to be, in mailcow's terms."""

    address: Address
    owner: EntryId
    dn: str
    role: Role | None
    goto: frozenset[Address]
    """Where it should go, lists replaced by their members; whether that takes mail is another question."""
    told: Mapping[str, Value] = field(default_factory=dict)
    """What is told of it besides where it goes."""


@dataclass
class AliasMaker:
    """Makes the targets of aliases."""

    making: Making
    delivery: Delivery
    existence: Mapping[Address, Existence]

    @property
    def case(self) -> Case:
        """What everything follows from."""
        return self.making.case

    def make(self) -> dict[Address, AliasTarget]:
        """Return what each alias should be, those that are there and those to be made, by address."""
        wishes = {wish.address: wish for wish in self.wishes() if self.is_in_scope(wish)}
        self.find_taking(wishes)
        there = {address: self.of_existing(one, wishes.get(address)) for address, one in self.existence.items()}
        new = {address: self.of_new(wish) for address, wish in wishes.items() if address not in there}
        return there | new

    # what is asked for

    def wishes(self) -> Iterator[Wish]:
        """Give what entries ask for, in address order, and what former addresses are for."""
        claims = self.making.matches.claims.aliases
        left_alone = {address for address, one in self.existence.items() if one.rule is not Rule.FOLLOWED}
        for address in sorted(claims.keys() - left_alone):
            yield self.wish(claims[address])
        for one in self.existence.values():
            if one.former_of:
                yield self.wish_of_former(one.existing, one.former_of)

    def wish_of_former(self, existing: ExistingAlias, owner: EntryId) -> Wish:
        """Return what a former address should be: it goes to the mailbox of its user."""
        goto = frozenset(filter(None, [self.delivery.home(owner)]))
        told = FLAGS_OF_FORMER if is_as_renaming_left_it(existing) else {}
        return Wish(existing.address, owner, self.making.matches.users[owner].user.dn, Role.FORMER, goto, told)

    def wish(self, claim: Claim) -> Wish:
        """Return what an entry asks an alias to be."""
        visible, entry = self.case.config.sogo_visible, claim.entry
        told: dict[str, Value] = {
            SOGO_VISIBLE: int(visible.users if isinstance(entry, User) else visible.lists),
            **entry.flags,
        }
        if isinstance(entry, Group) and entry.comment is not None:
            told[PUBLIC_COMMENT] = entry.comment
        goto = self.delivery.targets(claim.owner, claim.address)
        return Wish(claim.address, claim.owner, claim.dn, claim.role, goto, told)

    def is_in_scope(self, wish: Wish) -> bool:
        """Tell whether `--only` leaves an alias to this run: it names its address, or the mailbox of its one user."""
        match = self.making.matches.users.get(wish.owner) if wish.role in OF_ONE_USER else None
        named = {wish.address, *((match.at, match.wants) if match else ())}
        return any(self.case.in_scope(one) for one in named if one)

    def find_taking(self, wishes: Mapping[Address, Wish]) -> None:
        """Find the aliases that take mail: they lead, be it over others of them, to what takes it."""
        goto = {address: self.may_lead_to(one, wishes.get(address)) for address, one in self.existence.items()}
        for address, wish in wishes.items():
            goto.setdefault(address, NOWHERE if self.why_not_made(address) else wish.goto)
        while found := {address for address, targets in goto.items() if self.delivery.reachable(targets)}:
            self.delivery.taking |= found
            goto = {address: targets for address, targets in goto.items() if address not in found}

    def may_lead_to(self, one: Existence, wish: Wish | None) -> frozenset[Address]:
        """Return where an alias that is there may go after the run; nowhere if it is or becomes inactive."""
        status = self.status(one.existing)
        if one.ends or status is Status.BY_HAND:
            return NOWHERE
        present = self.delivery.present(one.existing) if status is Status.ACTIVE else NOWHERE
        if wish is None or not self.follows(one.existing):
            return present
        return wish.goto | self.stays(wish, present - wish.goto)

    def follows(self, existing: ExistingAlias) -> bool:
        """Tell whether an alias will go where its entry asks, and isn't held as it is, or made by hand and stays so."""
        if self.making.held.has(Guarded.LIST, existing.address):
            return False
        return self.case.is_our_alias(existing) or self.case.config.adopt_aliases == "overwrite"

    def status(self, existing: ExistingAlias) -> Status:
        """Return whether an alias takes mail now and, if not, by whose doing."""
        if existing.is_active:
            return Status.ACTIVE
        return Status.SILENCED if self.case.disabled_alias(existing) else Status.BY_HAND

    # one that is there

    def of_existing(self, one: Existence, wish: Wish | None) -> AliasTarget:
        """Return what an alias that is there should be."""
        if wish:
            return self.asked(one, wish)
        match one.ends:
            case Kind.REMOVE:
                return replace(self.as_it_is(one), values=None)
            case Kind.DISABLE:
                return self.edited(one, self.wish_of_row(one), NOWHERE, one.row.applied)
            case _:
                return self.kept(one)

    def as_it_is(self, one: Existence) -> AliasTarget:
        """Return the target of an alias that nothing is decided about."""
        return AliasTarget(
            one.existing.address,
            one.rule,
            one.existing,
            one.existing.values,
            dn=one.row.dn,
            source=one.row.source,
            role=one.row.role,
            row=self.case.alias_rows.get(one.existing.address),
            after=one.after,
        )

    def kept(self, one: Existence) -> AliasTarget:
        """Return the target of an alias that stays: its goto by the present names, without what takes no mail."""
        existing = one.existing
        goto = self.delivery.reachable(self.delivery.present(existing))
        if not self.is_cleaned(one) or goto == existing.goto - {existing.address}:
            return self.as_it_is(one)
        rule = one.rule if goto else Rule.NO_TARGET
        return self.edited(replace(one, rule=rule), self.wish_of_row(one), goto, one.row.applied)

    def is_cleaned(self, one: Existence) -> bool:
        """Tell whether an alias that stays is ours to clean of what takes no mail."""
        is_ours = self.case.is_our_alias(one.existing) and one.rule not in _NOT_CLEANED
        return is_ours and one.existing.is_active and self.case.in_scope(one.existing.address)

    def wish_of_row(self, one: Existence) -> Wish:
        """Return what is remembered of whose an alias is: no entry asks for it now."""
        row = one.row
        return Wish(one.existing.address, row.entry, row.dn, row.role, NOWHERE)

    def asked(self, one: Existence, wish: Wish) -> AliasTarget:
        """Return the target of an alias that is there and asked for."""
        existing, address = one.existing, wish.address
        if not self.case.is_our_alias(existing) and not self.may_adopt(wish, existing):
            return self.as_it_is(replace(one, rule=Rule.NOT_OURS))
        if self.making.held.has(Guarded.LIST, address):
            return self.kept(replace(one, rule=Rule.HELD))
        self.tell_unreachable(wish)
        present, wanted = self.taking(existing), self.delivery.reachable(wish.goto)
        goto = wanted | self.stays(wish, present - wanted)
        if self.is_too_long(wish, goto):
            return self.kept(replace(one, rule=Rule.TOO_LONG))
        if not goto:
            self.tell_empty(wish)
        target = self.edited(replace(one, after=SEEN), wish, goto, wish.told)
        if target.rule is Rule.HELD:
            return target
        members = self.members(one, wish, present)
        return replace(target, rule=self.why(one, wish, target), lost=members - goto, before=len(members))

    def may_adopt(self, wish: Wish, existing: ExistingAlias) -> bool:
        """Tell whether an alias that was made by hand in mailcow is taken over; a finding says why not."""
        match self.case.config.adopt_aliases:
            case "overwrite":
                return True
            case "same_goto":
                if existing.goto in (wish.goto, self.delivery.reachable(wish.goto)):
                    return True
                reason, other = "goes elsewhere", "overwrite"
            case _:
                reason, other = "isn't taken over with adopt_aliases: refuse", "same_goto"
        self.making.say(Say.ALIAS_BY_HAND, wish.address, wish.owner, reason=reason, policy=other)
        return False

    def taking(self, existing: ExistingAlias) -> frozenset[Address]:
        """Return the targets that an alias brings mail to now: none where we set it inactive, whatever it says."""
        if self.status(existing) is Status.SILENCED:
            return NOWHERE
        return self.delivery.reachable(self.delivery.present(existing))

    def stays(self, wish: Wish, leaving: frozenset[Address]) -> frozenset[Address]:
        """Return the targets that stay although the entry doesn't ask for them."""
        is_read = self.making.known(wish.owner.source).knows(wish.role)
        if not is_read or self.delivery.is_doubtful(wish.owner):
            return leaving
        is_users = wish.role in OF_ONE_USER and wish.owner not in self.delivery.forwards
        if is_users and not wish.goto:
            return leaving  # the user was made anew, and may not have the old mailbox
        return frozenset(filter(self.delivery.is_of_no_user, leaving))

    def members(self, one: Existence, wish: Wish, present: frozenset[Address]) -> frozenset[Address]:
        """Return the targets whose loss is counted: those that we last applied and that take mail."""
        if OF_SEVERAL.isdisjoint({wish.role, one.row.role}):
            return NOWHERE
        applied = self.applied_goto(one)
        return present & applied if applied else present

    def applied_goto(self, one: Existence) -> frozenset[Address]:
        """Return where we last made an alias go, by the present names."""
        return self.delivery.present_names(split(str(one.row.applied.get(GOTO, ""))))

    def edited(self, one: Existence, wish: Wish, goto: frozenset[Address], applied: Mapping[str, Value]) -> AliasTarget:
        """Return the target of an alias with another goto; without one it keeps what it has, and is inactive.

        `applied` is what is remembered beside the goto.
        """
        existing, row = one.existing, self.case.alias_rows.get(wish.address)
        is_ours = self.case.is_our_alias(existing)
        if not goto and self.making.held.has(Guarded.ALIAS, wish.address):
            return self.as_it_is(replace(one, rule=Rule.HELD))
        active, is_disabled = int(bool(goto)), not goto
        if self.status(existing) is Status.BY_HAND:
            self.making.say_once(Say.ALIAS_DISABLED_BY_HAND, wish.address, wish.owner)
            active, is_disabled = 0, False
        values = {
            **existing.values,
            **wish.told,
            GOTO: joined(goto) or existing.values[GOTO],
            ALIAS_ACTIVE: active,
            PRIVATE_COMMENT: self.comment(existing, wish.role, is_disabled=is_disabled),
        }
        origin: Patch = {} if row else {"origin": Origin.MARK if is_ours else Origin.ADOPTED}
        number: Patch = {"number": existing.number or None, "disabled": is_disabled}
        return AliasTarget(
            wish.address,
            one.rule,
            existing,
            values,
            dn=wish.dn,
            source=wish.owner.source,
            role=wish.role,
            row=row,
            after={
                **self.known(wish, {**applied, GOTO: values[GOTO]}),
                **number,
                **origin,
                **one.after,
            },
            is_adopted=not is_ours,
            rebuilds=self.delivery.rebuilds(existing.goto | goto),
        )

    def comment(self, existing: ExistingAlias, role: Role | None, *, is_disabled: bool) -> Value:
        """Return what the private comment should be: ours, unless somebody's own words are there."""
        there, marks = str(existing.values[PRIVATE_COMMENT]), self.case.marks
        is_left = is_as_renaming_left_it(existing) and self.case.is_our_alias(existing)
        if there not in ("", *marks.of_aliases) and not is_left:
            return there
        if is_disabled:
            return marks.disabled
        return marks.renamed if role is Role.FORMER else marks.mark

    def why(self, one: Existence, wish: Wish, target: AliasTarget) -> Rule:
        """Name the rule that an alias follows which is asked for."""
        existing, values = one.existing, target.values or {}
        if target.is_adopted:
            return Rule.ADOPTED
        if wish.role is Role.FORMER:
            return Rule.UNFINISHED if is_as_renaming_left_it(existing) else Rule.FORMER
        if existing.values[ALIAS_ACTIVE] != values[ALIAS_ACTIVE]:
            return Rule.TARGET_BACK if values[ALIAS_ACTIVE] else Rule.NO_TARGET
        fields = (GOTO, *FLAGS, PUBLIC_COMMENT)
        return self.why_changed(one, {key: values[key] for key in fields if values[key] != existing.values[key]})

    def why_changed(self, one: Existence, changed: Mapping[str, Value]) -> Rule:
        """Tell where the change of an alias comes from: the directory, a rename, or mailcow."""
        if not changed:
            return Rule.FOLLOWED
        before = one.row.applied
        applied = {**before, GOTO: joined(self.applied_goto(one))}
        if not changed.items() <= applied.items():
            return Rule.LDAP
        return Rule.MAILCOW if applied == before else Rule.RENAMED

    # a new one

    def why_not_made(self, address: Address) -> Rule | None:
        """Return why an alias isn't made, whatever it goes to."""
        if left := self.case.alias_left_alone(address):
            return left.rule
        return Rule.NO_ROOM if self.making.held.has(NoRoom.ALIAS, address) else None

    def of_new(self, wish: Wish) -> AliasTarget:
        """Return a new alias, or the rule by which it isn't made."""
        if left := self.case.alias_left_alone(wish.address):
            self.making.say_left_alone(left)
        if rule := self.why_not_made(wish.address):
            return self.not_made(wish, rule)
        goto = self.delivery.reachable(wish.goto)
        self.tell_unreachable(wish)
        if not goto:
            self.tell_empty(wish)
            return self.not_made(wish, Rule.NO_TARGET)
        if self.is_too_long(wish, goto):
            return self.not_made(wish, Rule.TOO_LONG)
        told: dict[str, Value] = {**wish.told, GOTO: joined(goto)}
        return replace(
            self.not_made(wish, Rule.NEW),
            values={ALIAS_ACTIVE: 1, **NEW, **told, PRIVATE_COMMENT: self.case.config.mark},
            after={**self.known(wish, told), **SEEN, "origin": Origin.CREATED, "number": None, "disabled": False},
            rebuilds=self.delivery.rebuilds(goto),
        )

    def not_made(self, wish: Wish, rule: Rule) -> AliasTarget:
        """Return the target of an alias that is not there and is not made."""
        row, source = self.case.alias_rows.get(wish.address), wish.owner.source
        return AliasTarget(wish.address, rule, None, None, dn=wish.dn, source=source, role=wish.role, row=row)

    def known(self, wish: Wish, applied: Mapping[str, Value]) -> dict[str, object]:
        """Return what is remembered of whose an alias is, and of what it was made."""
        owner = wish.owner
        return {"source": owner.source, "owner": owner.id, "dn": wish.dn, "role": wish.role, "applied": applied}

    # what is said

    def tell_unreachable(self, wish: Wish) -> None:
        """Say what can't be reached, unless that is told already: of users whose mailbox can't be made."""
        config, claims = self.case.config, self.making.matches.claims
        nowhere = {one for one in wish.goto if self.delivery.reach(one) is Reach.NOWHERE}
        if wish.role in OF_ONE_USER:
            if not config.create_mailboxes and nowhere == wish.goto:
                mailbox = self.making.matches.users[wish.owner].wants or "its user"
                self.making.say(Say.NO_MAILBOX, wish.dn, wish.owner, address=wish.address, mailbox=mailbox)
            return
        told = claims.mailboxes.values() if config.create_mailboxes else ()
        if strange := sorted(nowhere.difference(told)):
            self.making.say(Say.UNREACHABLE, wish.address, wish.owner, addresses=some_of(strange))

    def tell_empty(self, wish: Wish) -> None:
        """Say that a list has no member, or that a forwarding leads nowhere."""
        if wish.role is Role.LIST:
            self.making.say_once(Say.EMPTY_LIST, wish.address, wish.owner)
        elif wish.role is Role.FORWARD and not wish.goto:
            self.making.say_once(Say.EMPTY_FORWARD, wish.address, wish.owner, dn=wish.dn)

    def is_too_long(self, wish: Wish, goto: frozenset[Address]) -> bool:
        """Tell whether there are more targets than postfix delivers to or mailcow can store; a finding says so."""
        most, size = self.case.config.limits.list_members, len(joined(goto))
        if len(goto) > most:
            told = f"{len(goto)} members and limits.list_members is {most}"
        elif size > GOTO_MAX:
            told = f"{size} bytes of addresses and mailcow stores {GOTO_MAX}"
        else:
            return False
        self.making.say(Say.TOO_LONG, wish.address, wish.owner, size=told)
        return True
