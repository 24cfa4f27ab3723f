"""Aliases and send-as, from the mailboxes' changes on: what is removed, kept, made and withheld, in one piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ldap2mailcow.model import Address, AliasChange, ExistingAlias, Kind, MailboxChange, Role
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.guard import guard_others
from ldap2mailcow.plan.knowledge import Knowledge
from ldap2mailcow.plan.mailboxes import with_aliases
from ldap2mailcow.plan.ownership import alias_left_alone
from ldap2mailcow.plan.view import Doing, What, Withheld

from .delivery import Delivery
from .keeping import AliasKeeper
from .marks import is_managed, is_our_alias, row_of
from .removals import forget_departed_aliases, stays_after_all
from .senders import Senders

UNTIL_HEEDED = 2
"""In the first round the others don't know yet that an address becomes free, in the second they make use of it."""


@dataclass(frozen=True, slots=True)
class MailboxPlan:
    """The changes of mailboxes that may run, and those that may not."""

    changes: tuple[MailboxChange, ...]
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class RightsPlan:
    """The changes of rights that may run, those that may not, and whose rights must be known first."""

    changes: tuple[MailboxChange, ...]
    withheld: tuple[Withheld, ...]
    unread: frozenset[Address]


@dataclass(frozen=True, slots=True)
class AliasPlan:
    """What happens to aliases and send-as rights, and which mailbox changes are left."""

    mailboxes: tuple[MailboxChange, ...]
    """Without those that wait for an alias which may not go; with the send-as rights."""
    changes: tuple[AliasChange, ...]
    withheld: tuple[Withheld, ...]
    """Those of mailboxes too, and what waits for them."""
    unread: frozenset[Address]
    managed: int
    unmanaged: tuple[Address, ...]
    orphans: tuple[Address, ...]
    doing: Doing


def plan_aliases(draft: Draft, mailboxes: MailboxPlan, knowledge: Knowledge) -> AliasPlan:
    """Return what happens to aliases once it is certain what happens to mailboxes."""
    view = draft.view
    disabling = [one for one in mailboxes.withheld if one.what is What.MAILBOXES]
    removals = _settled(draft, _without_those_of(draft, disabling), mailboxes.changes)
    ours = [alias for alias in view.actual.aliases.values() if is_our_alias(draft, alias)]
    managed = [alias for alias in ours if draft.is_of_source(row_of(draft, alias))]
    leaving = {change.address for change in removals}
    active = sum(alias.is_active or alias.address in leaving for alias in managed)
    withheld = list(mailboxes.withheld)
    if too_many := guard_others(
        draft,
        removals,
        What.ALIASES,
        managed=active,
        limit=view.config.limits.removals.allows,
        search_doubt=_doubt(draft, removals, knowledge),
    ):
        withheld.append(too_many)
        removals = ()
    going = frozenset(change.address for change in removals)
    free = going | draft.freed_elsewhere
    kept = tuple(change for change in mailboxes.changes if not _waits(draft, change, free))
    waiting = tuple(change for change in mailboxes.changes if _waits(draft, change, free))
    if waiting:
        withheld[-1] = replace(withheld[-1], changes=(*withheld[-1].changes, *waiting))

    for change in removals:
        if change.kind is Kind.REMOVE:
            draft.room_of(change.address).aliases += 1
    delivery = Delivery(view, kept, going | _leaving(view.others.doing.aliases), draft.refused)
    keeper = AliasKeeper(draft, delivery, knowledge, _retained(draft, disabling))
    keeper.decide()
    withheld += _withheld_silence(draft, keeper, active)
    lists = [alias for alias in managed if alias.address in view.wishes.aliases]
    shrunk, small = tuple(big for big, _ in keeper.shrunk), [less for _, less in keeper.shrunk if less]
    if shrinking := guard_others(
        draft,
        shrunk,
        What.LISTS,
        managed=len(lists),
        limit=lambda _: 0,
        search_doubt=knowledge.doubt(Role.LIST),
    ):
        withheld.append(shrinking)
        keeper.changes += small
    else:
        keeper.changes += shrunk
    forget_departed_aliases(draft)
    changes = (*_first_where_needed(draft, removals, keeper.changes), *keeper.changes)
    rights = _plan_rights(draft, delivery, changes, knowledge)
    withheld += rights.withheld
    return AliasPlan(
        mailboxes=(*(with_aliases(draft, change, changes) for change in kept), *rights.changes),
        changes=changes,
        withheld=tuple(withheld),
        unread=rights.unread,
        managed=len(managed),
        unmanaged=tuple(
            sorted(
                address
                for address, alias in view.actual.aliases.items()
                if is_managed(draft, None) and not is_our_alias(draft, alias)
                if address not in view.wishes.aliases and address not in view.others.aliases
            ),
        ),
        orphans=tuple(sorted(alias.address for alias in managed if _is_orphan(draft, alias, knowledge))),
        doing=Doing(mailboxes=kept, aliases=changes, lost=frozenset(delivery.lost)),
    )


def _leaving(changes: Iterable[AliasChange]) -> frozenset[Address]:
    """Return the aliases that take no mail any more after some changes."""
    return frozenset(change.address for change in changes if change.kind in (Kind.REMOVE, Kind.DISABLE))


def _is_orphan(draft: Draft, existing: ExistingAlias, knowledge: Knowledge) -> bool:
    """Tell whether no entry asks for an alias of ours, as far as that is known."""
    row, wishes = row_of(draft, existing), draft.view.wishes
    if {existing.address} & {*wishes.aliases, *draft.view.others.aliases} or row.owner in wishes.unreadable:
        return False
    return draft.is_of_source(row) and knowledge.knows(row.role) and not alias_left_alone(draft, existing.address)


def _withheld_silence(draft: Draft, keeper: AliasKeeper, active: int) -> list[Withheld]:
    """Take back that aliases become inactive where too many would, because their people are inactive in the directory.

    Only where mailboxes come from elsewhere: else disabling those is counted, and their aliases follow.
    """
    if draft.view.config.decides_status:
        return []
    aliases = draft.view.actual.aliases
    silenced = [
        change
        for change in keeper.changes
        if change.kind is Kind.DISABLE and keeper.delivery.barred(aliases[change.address])
    ]
    withheld = guard_others(
        draft,
        silenced,
        What.ALIASES,
        managed=active,
        limit=draft.view.config.limits.removals.allows,
        search_doubt="",
    )
    if withheld is None:
        return []
    keeper.changes = [change for change in keeper.changes if change not in silenced]
    return [withheld]


def _plan_rights(draft: Draft, delivery: Delivery, changes: Iterable[AliasChange], knowledge: Knowledge) -> RightsPlan:
    """Return what happens to rights to send as others; where too many would be lost, none is."""
    changes, whole = tuple(changes), knowledge.knows(None)
    rights = Senders(draft, delivery, changes, whole=whole).decide()
    rows = filter(draft.is_of_source, draft.view.memory.mailboxes.values())
    holders = sum(bool(row.senders or row.foreign_senders) for row in rows)
    withheld = guard_others(
        draft,
        rights.losing,
        What.RIGHTS,
        managed=holders,
        limit=draft.view.config.limits.removals.allows,
        search_doubt=knowledge.doubt_of_rights,
    )
    if withheld:
        rights = Senders(draft, delivery, changes, whole=False).decide()
    draft.notes += rights.notes
    draft.findings += rights.findings
    return RightsPlan(rights.changes, (withheld,) if withheld else (), rights.unread)


def _without_those_of(draft: Draft, withheld: Iterable[Withheld]) -> tuple[AliasChange, ...]:
    """Return the removals without those of people whose mailboxes may not be touched: they stay together."""
    rows = draft.view.memory.mailboxes
    staying = {change.address for one in withheld for change in one.changes}
    owners = {row.id for address in staying if (row := rows.get(address))}
    aliases = draft.view.actual.aliases
    return tuple(
        change for change in draft.alias_removals if row_of(draft, aliases[change.address]).owner not in owners
    )


def _settled(
    draft: Draft, removals: Iterable[AliasChange], mailboxes: Iterable[MailboxChange]
) -> tuple[AliasChange, ...]:
    """Return the removals, without those that were to make room for a mailbox which isn't made."""
    others = draft.view.others
    made = {change.address for change in (*mailboxes, *others.doing.mailboxes) if change.kind is Kind.CREATE}
    if others.rounds < UNTIL_HEEDED:
        made |= others.mailboxes.keys()
    settled = (
        stays_after_all(draft, change) if change.is_first and change.address not in made else change
        for change in removals
    )
    return tuple(change for change in settled if change)


def _doubt(draft: Draft, removals: Sequence[AliasChange], knowledge: Knowledge) -> str:
    """Return why these removals wait for somebody's word, by the kinds of aliases among them."""
    aliases = draft.view.actual.aliases
    roles = [row_of(draft, aliases[change.address]).role for change in removals]
    return next(filter(None, (knowledge.doubt(role) for role in roles)), "")


def _waits(draft: Draft, change: MailboxChange, going: frozenset[Address]) -> bool:
    """Tell whether a mailbox can't be made because the alias at its address may not go."""
    return change.kind is Kind.CREATE and change.address in draft.freed and change.address not in going


def _retained(draft: Draft, withheld: Iterable[Withheld]) -> frozenset[Address]:
    """Return the mailboxes that stay although their people are gone or can't be read just now: they stay on lists."""
    rows = filter(draft.is_of_source, draft.view.memory.mailboxes.values())
    unreadable = {row.address for row in rows if row.id in draft.view.wishes.unreadable}
    return frozenset(draft.staying | unreadable | {change.address for one in withheld for change in one.changes})


def _first_where_needed(
    draft: Draft, removals: Iterable[AliasChange], changes: Iterable[AliasChange]
) -> tuple[AliasChange, ...]:
    """Put removals before everything else in domains that are too full for the new aliases without them."""
    actual = draft.view.actual
    new = Counter(_domain(draft, change) for change in changes if change.kind is Kind.CREATE)
    full = {
        name for name, count in new.items() if count > actual.domains[name].max_aliases - actual.domains[name].aliases
    }
    return tuple(
        replace(change, is_first=True) if change.kind is Kind.REMOVE and _domain(draft, change) in full else change
        for change in removals
    )


def _domain(draft: Draft, change: AliasChange) -> str:
    domain = change.address.domain
    return draft.view.actual.alias_domains.get(domain, domain)
