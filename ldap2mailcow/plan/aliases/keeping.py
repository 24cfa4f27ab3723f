"""What each wanted alias needs: to be made, taken over, changed, set inactive or active again, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    COMPARED_FIELDS,
    FLAGS,
    GOTO,
    INTERNAL,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Address,
    Alias,
    AliasChange,
    Code,
    ExistingAlias,
    FieldChange,
    Kind,
    Origin,
    Role,
    Value,
    Why,
    joined,
    split,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.knowledge import Knowledge
from ldap2mailcow.plan.ownership import alias_left_alone
from ldap2mailcow.plan.remembering import SEEN

from .delivery import Delivery, Reach
from .marks import OF_ONE_PERSON, comment, concerns, is_as_renaming_left_it, is_disabled_by_us, is_our_alias
from .pruning import prune, staying

NEW: dict[str, Value] = {INTERNAL: 0, SENDER_ALLOWED: 1, SOGO_VISIBLE: 0, PUBLIC_COMMENT: ""}
"""What a new alias is where the directory doesn't say it: as one made in mailcow's UI, but not in the address book."""

GOTO_MAX = 65_000
"""Bytes of a goto: mailcow's column holds 64 KiB and loses what is longer (docs/mailcow-api.md section 15)."""

MAX_NAMED = 3
"""Addresses that a sentence names before it says how many more there are."""


@dataclass
class AliasKeeper:
    """Decides about the aliases that the directory wants, once the fate of all mailboxes is known."""

    draft: Draft
    delivery: Delivery
    knowledge: Knowledge
    retained: frozenset[Address]
    """Mailboxes whose entry is gone, and which stay for now: they stay in their lists, too."""
    changes: list[AliasChange] = field(default_factory=list)
    shrunk: list[tuple[AliasChange, AliasChange | None]] = field(default_factory=list)
    """Changes by which a list loses more members than one run may take, each with what is left of it without that."""

    def decide(self) -> None:
        """Decide about every alias that the directory asks for, in address order."""
        wishes = self.wishes()
        rest = staying(self.draft, self.delivery, {wish.address for wish in wishes})
        self.find_lost(wishes, rest)
        self.changes += prune(self.draft, self.delivery, self.knowledge, rest)
        for wish in wishes:
            existing = self.draft.view.actual.aliases.get(wish.address)
            if existing is None:
                self.create(wish)
            elif is_our_alias(self.draft, existing) or self.may_adopt(wish, existing):
                self.keep(wish, existing)

    def wishes(self) -> list[Alias]:
        """Return the aliases to make or to keep, in address order; a finding says why not the others."""
        found = []
        for _, wish in sorted(self.draft.view.wishes.aliases.items()):
            if not concerns(self.draft, wish):
                continue
            if left := alias_left_alone(self.draft, wish.address):
                self.draft.find_once(left.code, wish.address, left.sentence)
                existing = self.draft.view.actual.aliases.get(wish.address)
                if existing is None or not existing.is_active:
                    self.delivery.lost.add(wish.address)
            elif self.is_anothers_for_all_we_know(wish):
                continue
            elif self.may_have(wish):
                found.append(wish)
            else:
                self.delivery.lost.add(wish.address)
        return found

    def find_lost(self, wishes: Iterable[Alias], rest: Iterable[ExistingAlias]) -> None:
        """Find the aliases that lead to nobody, or only to one another."""
        aliases = self.draft.view.actual.aliases
        goto = {existing.address: existing.goto - {existing.address} for existing in rest}
        for wish in wishes:
            existing = aliases.get(wish.address)
            if existing is None:
                goto[wish.address] = frozenset(wish.goto)
            elif not existing.is_active and not is_disabled_by_us(self.draft, existing):
                self.delivery.lost.add(wish.address)  # by hand, and so it stays
            elif is_our_alias(self.draft, existing):
                goto[wish.address] = self.at_most(wish, existing) - {wish.address}
        self.delivery.lost |= goto.keys()
        while found := {address for address, targets in goto.items() if self.delivery.reachable(targets)}:
            self.delivery.lost -= found
            goto = {address: targets for address, targets in goto.items() if address not in found}

    def at_most(self, wish: Alias, existing: ExistingAlias) -> frozenset[Address]:
        """Return where an alias of ours may go after the run: where it should, and whom it keeps."""
        if not self.knowledge.knows(wish.role) or self.still_is_where_it_was(wish, existing):
            return existing.goto.union(wish.goto)
        return (existing.goto & self.retained).union(wish.goto)

    def may_have(self, wish: Alias) -> bool:
        """Tell whether an alias may have its address: not where a mailbox has it or gets it."""
        view, address = self.draft.view, wish.address
        twin = None if address in view.actual.aliases else view.actual.twin(address)  # one that is there goes first
        taken = next((box for box in (address, twin) if box and box in self.delivery.is_active), None)
        if taken:
            self.draft.find(
                Code.ALIAS_IS_MAILBOX,
                wish.dn or address,
                f"{address} can't be an alias, for {'it' if taken == address else taken} is a mailbox in mailcow; "
                "take the address from the entry, or move the mailbox away",
            )
            return False
        mailbox = view.desired.mailboxes.get(address) or view.others.mailboxes.get(address)
        if mailbox and view.config.create_mailboxes and address not in view.actual.aliases:
            self.draft.find(
                Code.DUPLICATE_ADDRESS,
                address,
                f"{mailbox.dn} wants it as a mailbox and {wish.dn or 'a list'} as an alias; nobody gets it until one "
                "of them has another in the directory",
            )
            return False
        contested = view.desired.contested | view.others.contested
        if address in contested and address not in view.actual.aliases:
            self.draft.find(
                Code.DUPLICATE_ADDRESS,
                wish.dn or address,
                f"it wants {address} as an alias and several others want it as their own; nobody gets it until only "
                "one of them has it in the directory",
            )
            return False
        return True

    def targets(self, wish: Alias) -> tuple[frozenset[Address], tuple[Address, ...]]:
        """Return whom an alias can reach after this run, and who of those it should is nowhere."""
        reaches = {address: self.delivery.reach(address) for address in map(self.delivery.home, wish.goto)}
        return (
            frozenset(address for address, reach in reaches.items() if reach is Reach.DELIVERED),
            tuple(sorted(address for address, reach in reaches.items() if reach is Reach.NOWHERE)),
        )

    def tell_unreachable(self, wish: Alias, nowhere: tuple[Address, ...]) -> None:
        """Say who can't be reached, unless that is told already: of people whose mailbox can't be made."""
        view = self.draft.view
        if wish.role in OF_ONE_PERSON:
            if nowhere and not view.config.create_mailboxes:
                self.draft.find(
                    Code.ALIAS_WITHOUT_MAILBOX,
                    wish.dn,
                    f"{wish.address} is not made, for {nowhere[0]} has no mailbox in mailcow; make that first",
                )
            return
        told = view.desired.mailboxes if view.config.create_mailboxes else {}
        strange = [address for address in nowhere if address not in told]
        if strange:
            more = f" and {len(strange) - MAX_NAMED} more" if len(strange) > MAX_NAMED else ""
            self.draft.find(
                Code.MEMBER_UNREACHABLE,
                wish.address,
                f"it should go to {', '.join(strange[:MAX_NAMED])}{more}, which mailcow doesn't have; correct the "
                "entry, or make the mailbox",
            )

    def create(self, wish: Alias) -> None:
        """Plan a new alias, or say why it can't be made."""
        targets, nowhere = self.targets(wish)
        self.tell_unreachable(wish, nowhere)
        if not targets:
            self.tell_empty(wish)
            return
        if self.is_too_long(wish, targets):
            return
        if problem := self.draft.room_of(wish.address).take_alias(wish.address, wish.dn):
            self.draft.findings.append(problem)
            return
        values = {GOTO: joined(targets), ALIAS_ACTIVE: 1, **NEW, **self.told(wish)}
        writes = {**values, PRIVATE_COMMENT: self.draft.view.config.mark}
        unusual = [key for key in (GOTO, *FLAGS, PUBLIC_COMMENT) if values[key] != NEW.get(key)]
        self.changes.append(
            AliasChange(
                Kind.CREATE,
                wish.address,
                Why.NEW,
                wish.dn,
                fields=tuple(FieldChange(key, None, values[key]) for key in unusual),
                rebuilds=self.delivery.rebuilds(targets),
                remember={**self.known(wish, values), "origin": Origin.CREATED, "number": None, "disabled": False},
                writes=writes,
            ),
        )

    def told(self, wish: Alias) -> dict[str, Value]:
        """Return what the directory or the config says of an alias besides where it goes."""
        return {**wish.flags, **({PUBLIC_COMMENT: wish.comment} if wish.comment is not None else {})}

    def tell_empty(self, wish: Alias) -> None:
        """Say that a list has nobody, or that a forwarding leads nowhere."""
        if wish.role is Role.LIST:
            self.draft.find_once(
                Code.LIST_EMPTY,
                wish.address,
                "nobody is on it who can be reached, so it takes no mail; add members to it in the directory",
            )
        elif wish.role is Role.FORWARD and not wish.goto:
            self.draft.find_once(
                Code.MEMBER_UNREACHABLE,
                wish.address,
                f"{wish.dn} says nowhere to go, so it takes no mail; give it a target, or take the entry away",
            )

    def is_too_long(self, wish: Alias, targets: frozenset[Address]) -> bool:
        """Tell whether there are more targets than postfix delivers to or mailcow can store; a finding says so."""
        most, size = self.draft.view.config.limits.list_members, len(joined(targets))
        if len(targets) <= most and size <= GOTO_MAX:
            return False
        what = f"{len(targets)} members and limits.list_members is {most}"
        if len(targets) <= most:
            what = f"{size} bytes of addresses and mailcow stores {GOTO_MAX}"
        self.draft.find(
            Code.LIST_TOO_LONG,
            wish.address,
            f"it has {what}, so it keeps the members that it had; split it into lists that aren't nested in one "
            "another",
        )
        return True

    def may_adopt(self, wish: Alias, existing: ExistingAlias) -> bool:
        """Tell whether an alias that somebody made in mailcow is taken over; a finding says why not."""
        policy = self.draft.view.config.adopt_aliases
        same = existing.goto in (frozenset(wish.goto), self.targets(wish)[0])
        if policy == "overwrite" or (policy == "same_goto" and same):
            return True
        reason = "goes elsewhere" if policy == "same_goto" else "isn't taken over with adopt_aliases: refuse"
        self.draft.find(
            Code.ALIAS_NOT_OURS,
            wish.address,
            f"it was in mailcow before and {reason}, so it is left alone; delete it in mailcow, or set adopt_aliases "
            f"to {'overwrite' if policy == 'same_goto' else 'same_goto'}",
        )
        return False

    def keep(self, wish: Alias, existing: ExistingAlias) -> None:
        """Plan what brings an alias that mailcow has to what the directory wants."""
        targets, nowhere = self.targets(wish)
        self.tell_unreachable(wish, nowhere)
        knows = self.knowledge.knows(wish.role)
        there = self.delivery.reached(existing, whoever=not knows)
        leaving = there - targets
        stays = leaving & self.retained if knows else leaving
        goto = targets | stays
        if nowhere and not goto and self.still_is_where_it_was(wish, existing):
            goto = there
        if self.is_too_long(wish, goto):
            goto = there
        change = self.change(wish, existing, goto)
        leaving = self.not_renamed(existing, self.losing(existing) - goto)
        if change and is_our_alias(self.draft, existing) and self.shrinks_too_much(wish, existing, leaving):
            less = self.change(wish, existing, goto | leaving)
            self.shrunk.append((change, self.not_counting(less, existing) if less else None))
            if existing.address not in self.draft.view.memory.aliases:
                self.remember(wish, existing, there)
            return
        if not goto:
            self.tell_empty(wish)
        if change:
            self.changes.append(change)
        else:
            self.remember(wish, existing, goto)

    def is_anothers_for_all_we_know(self, wish: Alias) -> bool:
        """Tell whether an alias is that of an entry which isn't in the answers, without being gone for certain."""
        existing = self.draft.view.actual.aliases.get(wish.address)
        row = self.draft.view.memory.aliases.get(wish.address)
        if existing is None or row is None or row.owner in ("", wish.owner) or not is_our_alias(self.draft, existing):
            return False
        is_there = any(row.owner in owners for owners in self.draft.view.wishes.owners.values())
        return not is_there and not self.knowledge.knows(row.role)

    def losing(self, existing: ExistingAlias) -> frozenset[Address]:
        """Return whom an alias reaches and may lose: not those whose mailbox is disabled, which is counted there.

        One that we set inactive since it had nobody reaches nobody, whatever its goto says.
        """
        if not existing.is_active and is_disabled_by_us(self.draft, existing):
            return frozenset()
        reached = self.delivery.reached(existing)
        return reached if self.draft.view.config.decides_status else reached | self.delivery.barred(existing)

    def not_renamed(self, existing: ExistingAlias, leaving: frozenset[Address]) -> frozenset[Address]:
        """Return those of the leaving whom an alias really loses.

        A run that was killed may have renamed people and not come to their lists: the state file has the new names.
        """
        row = self.draft.view.memory.aliases.get(existing.address)
        if row is None or GOTO not in row.applied:
            return leaving
        known = split(str(row.applied[GOTO]))
        were_renamed = len(known - self.delivery.goto(existing)) >= len(leaving - known)
        return leaving & known if were_renamed else leaving

    def still_is_where_it_was(self, wish: Alias, existing: ExistingAlias) -> bool:
        """Tell whether a further address went to the same person before, who can't be reached at the new place yet.

        Not of lists, nor of whoever forwards: who was reached by them needn't be meant any more.
        """
        row = self.draft.view.memory.aliases.get(existing.address)
        is_the_same = row is not None and row.owner == wish.owner and is_our_alias(self.draft, existing)
        forwards = any(one.id == wish.owner for one in self.draft.view.desired.forwarders.values())
        return is_the_same and existing.is_active and wish.role in OF_ONE_PERSON and not forwards

    def shrinks_too_much(self, wish: Alias, existing: ExistingAlias, leaving: frozenset[Address]) -> bool:
        """Tell whether a list loses more members than one run may take, those aside whose mailbox is disabled."""
        row = self.draft.view.memory.aliases.get(existing.address)
        roles = {wish.role, row.role if row else None}
        if roles <= {*OF_ONE_PERSON, None} or not leaving:
            return False
        known = split(str(row.applied[GOTO])) if row and GOTO in row.applied else frozenset(wish.goto)
        before = self.delivery.goto(existing) - (frozenset(wish.goto) - known)
        allowed = self.draft.view.config.limits.list_shrink.allows(len(before))
        is_much = Role.LIST in roles and len(leaving) > allowed
        return is_much or bool(self.knowledge.doubt(wish.role))

    def not_counting(self, change: AliasChange, existing: ExistingAlias) -> AliasChange:
        """Return a change after which a list is remembered with the members that it had, since it couldn't lose any.

        Else those who are added now would make the list longer, and the same loss less of it, at the next run.
        """
        row, known = self.draft.view.memory.aliases.get(existing.address), dict(change.remember or {})
        applied = {**cast("Mapping[str, Value]", known["applied"]), GOTO: existing.values[GOTO]}
        if row and GOTO in row.applied:
            applied[GOTO] = row.applied[GOTO]
        return replace(change, remember={**known, "applied": applied})

    def change(self, wish: Alias, existing: ExistingAlias, goto: frozenset[Address]) -> AliasChange | None:
        """Return the one change that an alias needs, None for none."""
        wanted: dict[str, Value] = self.told(wish)
        if goto:
            wanted[GOTO] = joined(goto)
        active = self.active(wish, existing, goto)
        if active is not None:
            wanted[ALIAS_ACTIVE] = active
        fields = tuple(
            FieldChange(key, existing.values[key], wanted[key])
            for key in (*COMPARED_FIELDS, ALIAS_ACTIVE)
            if key in wanted and wanted[key] != existing.values[key]
        )
        inactive = wanted.get(ALIAS_ACTIVE, existing.values[ALIAS_ACTIVE]) == 0
        disabled = inactive and (active == 0 or is_disabled_by_us(self.draft, existing))
        mark = comment(self.draft, existing, disabled=disabled, former=wish.role is Role.FORMER)
        writes = {change.key: change.after for change in fields} | mark
        adopting = not is_our_alias(self.draft, existing)
        if not writes and not adopting:
            return None
        kind = _kind(fields, adopting=adopting)
        return AliasChange(
            kind,
            wish.address,
            self.why(kind, wish, existing, fields),
            wish.dn,
            fields=fields,
            rebuilds=self.delivery.rebuilds(existing.goto | goto),
            remember={
                **self.known(wish, {**existing.values, **wanted}),
                "number": existing.number,
                "disabled": disabled,
                **self.origin(existing),
            },
            writes=writes,
            number=existing.number,
        )

    def active(self, wish: Alias, existing: ExistingAlias, goto: frozenset[Address]) -> int | None:
        """Return what `active` should become: 0 for nobody to reach, 1 again where the 0 was our doing."""
        if not goto:
            return 0 if existing.is_active else None
        if existing.is_active:
            return None
        if is_disabled_by_us(self.draft, existing):
            return 1
        self.draft.find_once(
            Code.ALIAS_DISABLED_BY_HAND,
            wish.address,
            "somebody set it inactive in mailcow, and so it stays; activate it in mailcow if that is no longer meant",
        )
        return None

    def why(self, kind: Kind, wish: Alias, existing: ExistingAlias, fields: tuple[FieldChange, ...]) -> Why:
        """Name the rule that a change follows."""
        if wish.role is Role.FORMER and is_as_renaming_left_it(existing):
            return Why.UNFINISHED
        match kind:
            case Kind.ADOPT:
                return Why.UNKNOWN_HERE
            case Kind.DISABLE:
                return Why.NO_TARGET
            case Kind.ENABLE:
                return Why.TARGET_BACK
        row = self.draft.view.memory.aliases.get(wish.address)
        applied = row.applied if row else {}
        if any(applied.get(change.key) != change.after for change in fields):
            return Why.LDAP
        return Why.RENAMED if existing.address in self.draft.view.renames.meant else Why.MAILCOW

    def remember(self, wish: Alias, existing: ExistingAlias, goto: frozenset[Address]) -> None:
        """Note what is known of an alias that needs no change."""
        row = self.draft.view.memory.aliases.get(wish.address)
        known = self.known(wish, {**existing.values, GOTO: joined(goto) or existing.values[GOTO]})
        patch = {
            **known,
            "number": existing.number,
            "disabled": not existing.is_active and is_disabled_by_us(self.draft, existing),
            **self.origin(existing),
        }
        if row is None or any(getattr(row, key) != value for key, value in patch.items()):
            self.draft.note_alias(wish.address, **patch)

    def origin(self, existing: ExistingAlias) -> dict[str, object]:
        """Return how an alias became ours, for a row that is new."""
        row = self.draft.view.memory.aliases.get(existing.address)
        if is_our_alias(self.draft, existing):
            return {} if row else {"origin": Origin.MARK}
        return {"origin": Origin.ADOPTED}

    def known(self, wish: Alias, values: dict[str, Value]) -> dict[str, object]:
        """Return what is remembered of an alias whatever happens to it."""
        return {
            "source": wish.source,
            "owner": wish.owner,
            "dn": wish.dn,
            "role": wish.role,
            "applied": {key: values[key] for key in (GOTO, *self.told(wish))},
            **SEEN,
        }


def _kind(fields: tuple[FieldChange, ...], *, adopting: bool) -> Kind:
    if adopting:
        return Kind.ADOPT
    for change in fields:
        if change.key == ALIAS_ACTIVE:
            return Kind.ENABLE if change.after else Kind.DISABLE
    return Kind.UPDATE
