"""What each alias should be, once it is known what becomes of the mailboxes: where it goes, and whether it is active.

A goto holds only what takes mail. What was in it stays where it isn't known to be gone: where an answer isn't whole,
and for mailboxes whose entry is gone as long as they take mail. An alias without a goto left becomes inactive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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
from ldap2mailcow.plan.case import is_as_renaming_left_it
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


@dataclass(frozen=True, slots=True)
class Wish:
    """What an entry asks an alias to be, in mailcow's terms."""

    address: Address
    owner: EntryId
    dn: str
    role: Role
    goto: frozenset[Address]
    """Where it should go, lists replaced by their members; whether that takes mail is another question."""
    flags: Mapping[str, int]
    comment: str | None = None
    claim: Claim | None = None
    """None for a former address."""

    @property
    def told(self) -> dict[str, Value]:
        """What is told of it besides where it goes."""
        return {**self.flags, **({PUBLIC_COMMENT: self.comment} if self.comment is not None else {})}


@dataclass
class AliasMaker:
    """Makes the targets of aliases."""

    making: Making
    delivery: Delivery
    existence: Mapping[Address, Existence]
    targets: dict[Address, AliasTarget] = field(default_factory=dict)

    def make(self) -> dict[Address, AliasTarget]:
        """Return what each alias should be, those that are there and those to be made, by address."""
        wishes = {wish.address: wish for wish in self.wishes()}
        self.find_lost(wishes)
        for address, one in self.existence.items():
            wish = wishes.get(address)
            self.targets[address] = self.of_existing(one, wish) if self.is_in_scope(one, wish) else self.as_it_is(one)
        for address, wish in wishes.items():
            if address not in self.existence:
                self.targets[address] = self.of_new(wish)
        return self.targets

    # what is asked for

    def wishes(self) -> Iterable[Wish]:
        """Give what entries ask for, former addresses among them, in address order."""
        claims = self.making.matches.claims.aliases
        for address, claim in sorted(claims.items()):
            if address in self.existence or self.concerns(address, claim):
                yield self.wish(claim)
        for address, one in self.existence.items():
            if one.former_of and (home := self.delivery.home(one.former_of)):
                flags = FLAGS_OF_FORMER if is_as_renaming_left_it(one.existing) else {}
                dn = self.making.matches.users[one.former_of].user.dn
                yield Wish(address, one.former_of, dn, Role.FORMER, frozenset({home}), flags)  # type: ignore[arg-type]

    def wish(self, claim: Claim) -> Wish:
        """Return what an entry asks an alias to be."""
        visible, entry = self.making.case.config.sogo_visible, claim.entry
        flags = {SOGO_VISIBLE: int(visible.users if isinstance(entry, User) else visible.lists), **entry.flags}
        comment = entry.comment if isinstance(entry, Group) else None
        goto = self.delivery.targets(claim.owner, claim.address)
        return Wish(claim.address, claim.owner, claim.dn, claim.role or Role.USER, goto, flags, comment, claim)

    def concerns(self, address: Address, claim: Claim) -> bool:
        """Tell whether `--only` leaves an alias to this run: its own address, or that of the user it belongs to."""
        is_users = claim.role in OF_ONE_USER and self.is_users_in_scope(claim.owner)
        return self.making.case.in_scope(address) or is_users

    def is_users_in_scope(self, owner: EntryId) -> bool:
        """Tell whether `--only` names the mailbox of a user, or the address that it should have."""
        match = self.making.matches.users.get(owner)
        return match is not None and any(self.making.case.in_scope(one) for one in (match.at, match.wants) if one)

    def is_in_scope(self, one: Existence, wish: Wish | None) -> bool:
        """Tell whether `--only` leaves an alias that is there to this run."""
        owned = wish.owner if wish and wish.role in OF_ONE_USER else None
        return self.making.case.in_scope(one.existing.address) or (owned is not None and self.is_users_in_scope(owned))

    def find_lost(self, wishes: Mapping[Address, Wish]) -> None:
        """Find the aliases that take no mail, or lead only to one another."""
        goto: dict[Address, frozenset[Address]] = {}
        for address, one in self.existence.items():
            wish, existing = wishes.get(address), one.existing
            if not existing.is_active and not self.making.case.disabled_alias(existing):
                self.delivery.lost.add(address)  # by hand, and so it stays
            elif one.ends is None:
                goto[address] = self.delivery.present(existing) | (wish.goto if wish else frozenset())
        new = {address: wish.goto for address, wish in wishes.items() if address not in self.existence}
        goto |= {address: targets for address, targets in new.items() if self.may_be_made(address)}
        self.delivery.lost |= {*goto, *new}
        while found := {address for address, targets in goto.items() if self.delivery.reachable(targets)}:
            self.delivery.lost -= found
            goto = {address: targets for address, targets in goto.items() if address not in found}

    def may_be_made(self, address: Address) -> bool:
        """Tell whether an alias that isn't there is to be made."""
        is_held = self.making.held.has(NoRoom.ALIAS, address)
        return not is_held and self.making.case.alias_left_alone(address) is None

    # one that is there

    def of_existing(self, one: Existence, wish: Wish | None) -> AliasTarget:
        """Return what an alias that is there should be."""
        existing = one.existing
        if wish is not None and one.rule in (Rule.FOLLOWED, Rule.FORMER):
            if self.making.case.is_our_alias(existing) or self.may_adopt(wish, existing):
                return self.followed(one, wish)
            return self.as_it_is(one, Rule.NOT_OURS)
        if one.claim and (left := self.making.case.alias_left_alone(existing.address)):
            self.making.say_left_alone(left)
        if one.ends is Kind.REMOVE:
            return replace(self.as_it_is(one), values=None)
        if one.ends is Kind.DISABLE:
            return self.inactive(self.as_it_is(one), existing)
        return self.kept(one) if self.is_kept_by_us(one) else self.as_it_is(one)

    def is_kept_by_us(self, one: Existence) -> bool:
        """Tell whether an alias is ours to keep clean: of what takes no mail, and of former addresses."""
        elsewhere = (Rule.NOT_OURS, Rule.NOT_READ, Rule.UNKNOWN_DIRECTORY)
        is_free = self.making.case.alias_left_alone(one.existing.address) is None
        return is_free and one.existing.is_active and one.rule not in elsewhere

    def as_it_is(self, one: Existence, rule: Rule | None = None) -> AliasTarget:
        """Return the target of an alias that nothing is decided about."""
        return AliasTarget(
            one.existing.address,
            rule or one.rule,
            one.existing,
            one.existing.values,
            dn=one.row.dn,
            source=one.row.source,
            role=one.row.role,
            row=self.making.case.alias_rows.get(one.existing.address),
            after=one.after,
        )

    def kept(self, one: Existence) -> AliasTarget:
        """Return the target of an alias that stays: its goto by the present names, without what takes no mail."""
        existing, target = one.existing, self.as_it_is(one)
        goto = self.delivery.reachable(self.delivery.present(existing))
        if goto == existing.goto - {existing.address}:
            return target
        applied = {**one.row.applied, **({GOTO: joined(goto)} if goto else {})}
        after = {**one.row.identity, **one.after, "applied": applied, "number": existing.number, "disabled": False}
        target = replace(target, after=after, rebuilds=self.delivery.rebuilds(existing.goto | goto))
        if not goto and self.making.held.has(Guarded.ALIAS, existing.address):
            return self.as_it_is(one, Rule.HELD)
        if not goto:
            return replace(self.inactive(target, existing), rule=Rule.NO_TARGET)
        return replace(target, values={**existing.values, GOTO: joined(goto)})

    def inactive(self, target: AliasTarget, existing: ExistingAlias) -> AliasTarget:
        """Return the target of an alias that is set inactive."""
        comment = self.comment(existing, disabled=True)
        row = self.making.case.alias_row(existing)
        return replace(
            target,
            values={**existing.values, ALIAS_ACTIVE: 0, PRIVATE_COMMENT: comment},
            after={**row.identity, **target.after, "number": existing.number, "disabled": True},
        )

    def comment(self, existing: ExistingAlias, *, disabled: bool, former: bool = False) -> str:
        """Return what the private comment should be: ours, unless somebody's own words are there."""
        case, there = self.making.case, str(existing.values[PRIVATE_COMMENT])
        ours = case.marks.of_aliases
        is_free = there in ("", *ours) or (is_as_renaming_left_it(existing) and case.is_our_alias(existing))
        return ours[1 if disabled else 2 if former else 0] if is_free else there

    def may_adopt(self, wish: Wish, existing: ExistingAlias) -> bool:
        """Tell whether an alias that was made by hand in mailcow is taken over; a finding says why not."""
        policy = self.making.case.config.adopt_aliases
        same = existing.goto in (wish.goto, self.delivery.reachable(wish.goto))
        if policy == "overwrite" or (policy == "same_goto" and same):
            return True
        reason = "goes elsewhere" if policy == "same_goto" else "isn't taken over with adopt_aliases: refuse"
        other = "overwrite" if policy == "same_goto" else "same_goto"
        self.making.say(Say.ALIAS_BY_HAND, wish.address, wish.owner, reason=reason, policy=other)
        return False

    def followed(self, one: Existence, wish: Wish) -> AliasTarget:
        """Return the target of an alias that is there and asked for."""
        existing = one.existing
        if self.making.held.has(Guarded.LIST, existing.address):
            return self.kept(replace(one, rule=Rule.HELD))
        wanted = self.delivery.reachable(wish.goto)
        self.tell_unreachable(wish)
        goto, lost, before = self.goto(one, wish, wanted)
        if self.is_too_long(wish, goto):
            goto, lost = self.delivery.reachable(self.delivery.present(existing)), frozenset[Address]()
        if not goto and self.making.held.has(Guarded.ALIAS, existing.address):
            return self.as_it_is(one, Rule.HELD)
        if not goto:
            self.tell_empty(wish)
        active = self.active(wish, existing, goto)
        is_ours = self.making.case.is_our_alias(existing)
        disabled = active == 0 and (bool(existing.is_active) or self.making.case.disabled_alias(existing))
        values: dict[str, Value] = {
            **existing.values,
            **wish.told,
            **({GOTO: joined(goto)} if goto else {}),
            ALIAS_ACTIVE: active,
            PRIVATE_COMMENT: self.comment(existing, disabled=disabled, former=wish.role is Role.FORMER),
        }
        origin: Patch = {} if one.existing.address in self.making.case.alias_rows else _origin(is_ours=is_ours)
        return AliasTarget(
            existing.address,
            self.why(one, wish, values),
            existing,
            values,
            dn=wish.dn,
            source=wish.owner.source,
            role=wish.role,
            row=self.making.case.alias_rows.get(existing.address),
            after={
                **self.known(wish, values),
                "number": existing.number or None,
                "disabled": disabled,
                **origin,
            },
            is_adopted=not is_ours,
            lost=lost,
            before=before,
            rebuilds=self.delivery.rebuilds(existing.goto | goto),
        )

    def goto(
        self, one: Existence, wish: Wish, wanted: frozenset[Address]
    ) -> tuple[frozenset[Address], frozenset[Address], int]:
        """Return where an alias should go; which members that take mail it loses by that; of how many."""
        existing = one.existing
        present = self.delivery.reachable(self.delivery.present(existing))
        if not existing.is_active and self.making.case.disabled_alias(existing):
            present = frozenset()  # it takes no mail, whatever its goto says
        leaving = present - wanted
        if not self.knows(wish):
            return wanted | leaving, frozenset(), 0
        stays = frozenset(filter(self.delivery.is_of_no_user, leaving))
        if not wanted and wish.role in OF_ONE_USER and wish.owner not in self.delivery.forwards:
            stays = leaving  # the user was made anew, and may not have the old mailbox
        lost = leaving - stays
        before = self.before(one, wish, present)
        if not lost & before or not {wish.role, one.row.role} & {Role.LIST, Role.FORWARD}:
            lost = frozenset()
        return wanted | stays, lost & before, len(before)

    def knows(self, wish: Wish) -> bool:
        """Tell whether all is known that an alias should go to."""
        is_read = self.making.known(wish.owner.source).knows(wish.role)
        return is_read and not self.delivery.is_doubtful(wish.owner)

    def before(self, one: Existence, wish: Wish, present: frozenset[Address]) -> frozenset[Address]:
        """Return the members that count as what a list had: those that we last applied.

        Those added while a loss is held would else make the list longer, and the same loss less of it.
        """
        applied = one.row.applied.get(GOTO)
        names = self.delivery.present_names(split(str(applied))) if applied else wish.goto | present
        return present & names

    def active(self, wish: Wish, existing: ExistingAlias, goto: frozenset[Address]) -> int:
        """Return what `active` should be: 0 for nothing to reach, 1 again where the 0 was our doing."""
        if not goto:
            return 0
        if existing.is_active or self.making.case.disabled_alias(existing):
            return 1
        self.making.say_once(Say.ALIAS_DISABLED_BY_HAND, wish.address, wish.owner)
        return 0

    def why(self, one: Existence, wish: Wish, values: Mapping[str, Value]) -> Rule:
        """Name the rule that an alias follows."""
        existing, case = one.existing, self.making.case
        if wish.role is Role.FORMER:
            return Rule.UNFINISHED if is_as_renaming_left_it(existing) else Rule.FORMER
        if not case.is_our_alias(existing):
            return Rule.ADOPTED
        if values[ALIAS_ACTIVE] != existing.values[ALIAS_ACTIVE]:
            return Rule.TARGET_BACK if values[ALIAS_ACTIVE] else Rule.NO_TARGET
        changed = [key for key in (GOTO, *FLAGS, PUBLIC_COMMENT) if values[key] != existing.values[key]]
        if not changed:
            return Rule.FOLLOWED
        applied = dict(one.row.applied)
        if GOTO in applied:
            applied[GOTO] = joined(self.delivery.present_names(split(str(applied[GOTO]))))
        if any(applied.get(key) != values[key] for key in changed):
            return Rule.LDAP
        return Rule.RENAMED if one.row.applied != applied else Rule.MAILCOW

    # a new one

    def of_new(self, wish: Wish) -> AliasTarget:
        """Return a new alias, or the rule by which it isn't made."""
        case, address = self.making.case, wish.address
        if left := case.alias_left_alone(address):
            self.making.say_left_alone(left)
            return self.not_made(wish, left.rule)
        if self.making.held.has(NoRoom.ALIAS, address):
            return self.not_made(wish, Rule.NO_ROOM)
        goto = self.delivery.reachable(wish.goto)
        self.tell_unreachable(wish)
        if not goto:
            self.tell_empty(wish)
            return self.not_made(wish, Rule.NO_TARGET)
        if self.is_too_long(wish, goto):
            return self.not_made(wish, Rule.TOO_LONG)
        values: dict[str, Value] = {GOTO: joined(goto), ALIAS_ACTIVE: 1, **NEW, **wish.told}
        return replace(
            self.not_made(wish, Rule.NEW),
            values={**values, PRIVATE_COMMENT: case.config.mark},
            after={**self.known(wish, values), "origin": Origin.CREATED, "number": None, "disabled": False},
            rebuilds=self.delivery.rebuilds(goto),
        )

    def not_made(self, wish: Wish, rule: Rule) -> AliasTarget:
        """Return the target of an alias that is not there and is not made."""
        return AliasTarget(
            wish.address,
            rule,
            None,
            None,
            dn=wish.dn,
            source=wish.owner.source,
            role=wish.role,
            row=self.making.case.alias_rows.get(wish.address),
        )

    def known(self, wish: Wish, values: Mapping[str, Value]) -> dict[str, object]:
        """Return what is remembered of an alias whatever happens to it."""
        return {
            "source": wish.owner.source,
            "owner": wish.owner.id,
            "dn": wish.dn,
            "role": wish.role,
            "applied": {key: values[key] for key in (GOTO, *wish.told)},
            **SEEN,
        }

    # what is said

    def tell_unreachable(self, wish: Wish) -> None:
        """Say what can't be reached, unless that is told already: of users whose mailbox can't be made."""
        config, claims = self.making.case.config, self.making.matches.claims
        nowhere = sorted(one for one in wish.goto if self.delivery.reach(one) is Reach.NOWHERE)
        if wish.role in OF_ONE_USER:
            self.tell_no_mailbox(wish, nowhere)
            return
        told = set(claims.mailboxes.values()) if config.create_mailboxes else set()
        strange = [address for address in nowhere if address not in told]
        if strange:
            self.making.say(Say.UNREACHABLE, wish.address, wish.owner, addresses=some_of(strange))

    def tell_no_mailbox(self, wish: Wish, nowhere: list[Address]) -> None:
        """Say that a further address has no mailbox to go to, where mailboxes come from elsewhere."""
        match = self.making.matches.users.get(wish.owner)
        if self.making.case.config.create_mailboxes or wish.goto - set(nowhere) or match is None:
            return
        mailbox = match.wants or "its user"
        self.making.say(Say.NO_MAILBOX, wish.dn, wish.owner, address=wish.address, mailbox=mailbox)

    def tell_empty(self, wish: Wish) -> None:
        """Say that a list has no member, or that a forwarding leads nowhere."""
        if wish.role is Role.LIST:
            self.making.say_once(Say.EMPTY_LIST, wish.address, wish.owner)
        elif wish.role is Role.FORWARD and not wish.goto:
            self.making.say_once(Say.EMPTY_FORWARD, wish.address, wish.owner, dn=wish.dn)

    def is_too_long(self, wish: Wish, goto: frozenset[Address]) -> bool:
        """Tell whether there are more targets than postfix delivers to or mailcow can store; a finding says so."""
        most, size = self.making.case.config.limits.list_members, len(joined(goto))
        if len(goto) <= most and size <= GOTO_MAX:
            return False
        told = f"{len(goto)} members and limits.list_members is {most}"
        if len(goto) <= most:
            told = f"{size} bytes of addresses and mailcow stores {GOTO_MAX}"
        self.making.say(Say.TOO_LONG, wish.address, wish.owner, size=told)
        return True


def _origin(*, is_ours: bool) -> Patch:
    """Return how an alias became ours, for a row that is new."""
    return {"origin": Origin.MARK if is_ours else Origin.ADOPTED}
