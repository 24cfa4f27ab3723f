"""Targets: what each mailbox, alias and right should be after this run, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ldap2mailcow.model import Address, Finding, Rule
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.matching import Matches
from ldap2mailcow.plan.pending import Pending

from .absence import target_of_missing
from .aliases import AliasMaker
from .delivery import Delivery
from .existence import AliasKeeper
from .mailboxes import kept, target_of_new, target_of_user
from .making import AliasTarget, Held, MailboxTarget, Making, NoRoom, RightsTarget
from .rights import RightsMaker
from .status import BARRED

__all__ = [
    "BARRED",
    "AliasTarget",
    "Held",
    "MailboxTarget",
    "NoRoom",
    "RightsTarget",
    "Targets",
    "make_targets",
]


@dataclass(frozen=True, slots=True)
class Targets:
    """What everything should be after this run."""

    mailboxes: Mapping[Address, MailboxTarget]
    aliases: Mapping[Address, AliasTarget]
    rights: Mapping[Address, RightsTarget]
    findings: tuple[Finding, ...]
    pending: tuple[Pending, ...]
    unread: frozenset[Address]
    """Mailboxes whose rows of `sender_acl` must be read before their rights can be decided."""


def make_targets(case: Case, matches: Matches, held: Held) -> Targets:
    """Return what everything should be; what is held is as it is now.

    Mailboxes that are there come first, then it is clear which aliases go, then which mailboxes can be made, then where
    each alias goes, and at last which rights no alias gives.
    """
    making = Making(case, matches, held)
    boxes = _there(making)
    existence = AliasKeeper(making, boxes).decide()
    freed = frozenset(address for address, one in existence.items() if one.frees)
    for match in matches.users.values():
        if match.at and match.at not in boxes and (target := target_of_new(making, match, match.at, freed)):
            boxes[match.at] = target
    delivery = Delivery(making, boxes)
    aliases = AliasMaker(making, delivery, existence).make()
    rights = RightsMaker(making, delivery, aliases)
    return Targets(
        boxes,
        aliases,
        rights.make(),
        unread=rights.unread() - case.senders.keys(),
        findings=tuple(making.findings),
        pending=tuple(making.pending),
    )


def _there(making: Making) -> dict[Address, MailboxTarget]:
    """Return the targets of the mailboxes that mailcow has."""
    matches = making.matches
    boxes: dict[Address, MailboxTarget] = {}
    for address, existing in sorted(making.case.actual.mailboxes.items()):
        if match := matches.at.get(address):
            boxes[address] = target_of_user(making, match, existing)
        elif missing := matches.missing.get(address):
            boxes[address] = target_of_missing(making, missing)
        else:
            boxes[address] = kept(existing, Rule.NOT_OURS)
    return boxes
