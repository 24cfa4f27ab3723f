"""Active or not, by the rule of two masters: `active` goes from 0 to 1 only where we set the 0."""

from __future__ import annotations

from dataclasses import dataclass, field

from ldap2mailcow.desired import User
from ldap2mailcow.model import ACTIVE, Cause, Existing, Patch, Remembered, Rule, Say
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.matching import Match
from ldap2mailcow.plan.withheld import Guarded

from .making import Making

BARRED = 2
"""What `active` is of a mailbox that takes mail and lets its user not log in."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `active` should be, and by which rule."""

    value: int
    rule: Rule
    is_ours: bool
    """Whether it is out of service, and that is our doing."""
    after: Patch = field(default_factory=dict)


def status_of(making: Making, match: Match, existing: Existing) -> Status:
    """Return the status of a mailbox whose entry is there."""
    wanted, row, now = match.user.attributes.get(ACTIVE.key), match.row, int(existing.attributes[ACTIVE.key])
    ours = is_our_doing(making.case, existing, row)
    if wanted == 0:
        return _inactive(making, existing, row, is_ours=ours)
    if ours:
        return _back(making, match, existing)
    if now != 1 and (wanted == 1 or row is None):
        _tell_by_hand(making, match, existing)
    return Status(now, Rule.FOLLOWED, is_ours=False, after={"disabled": None})


def out_of_service(case: Case, existing: Existing, row: Remembered | None, value: int, cause: Cause) -> Patch:
    """Return what is remembered of a mailbox that we take out of service."""
    was = 1 if is_our_doing(case, existing, row) else existing.attributes[ACTIVE.key]
    return {"disabled": cause, "was_active": was, "barred": value}


def is_our_doing(case: Case, existing: Existing, row: Remembered | None) -> bool:
    """Tell whether it was us who set a mailbox inactive, or barred the login, and whether that is still so.

    The state file says so, or else the tag; a tag beside a barred login is ours only where the config bars logins.
    """
    now = existing.attributes[ACTIVE.key]
    if row and row.disabled:
        return now == row.barred
    bars = case.config.removed_users.action == "disallow_login"
    return case.marks.disabled in existing.tags and (now == 0 or (now == BARRED and bars))


def is_unreadable(making: Making, user: User) -> bool:
    """Tell whether a status can't be read: its value can't be used, or the attribute vanished from most entries."""
    has_vanished = not making.known(user.id.source).vanished.isdisjoint(ACTIVE.mapped)
    return ACTIVE.key in user.unreadable or (has_vanished and ACTIVE.key not in user.attributes)


def _inactive(making: Making, existing: Existing, row: Remembered | None, *, is_ours: bool) -> Status:
    now = int(existing.attributes[ACTIVE.key])
    if now == 0:  # set by us for this or another reason, or by hand
        is_known = row is not None and row.disabled is not None
        after: Patch = {"disabled": Cause.STATUS, "barred": 0} if is_known else {}
        return Status(0, Rule.STATUS, is_ours=is_ours or is_known, after=after)
    if making.held.has(Guarded.DISABLE, existing.address):  # a barred login is barred for its status from now on
        after = {"disabled": Cause.STATUS, "barred": now} if is_ours else {"disabled": None}
        return Status(now, Rule.HELD, is_ours=is_ours, after=after)
    return Status(0, Rule.STATUS, is_ours=True, after=out_of_service(making.case, existing, row, 0, Cause.STATUS))


def _back(making: Making, match: Match, existing: Existing) -> Status:
    """Return the status of a mailbox that we took out of service and whose entry doesn't call it inactive."""
    wanted, row, now = match.user.attributes.get(ACTIVE.key), match.row, int(existing.attributes[ACTIVE.key])
    cause = row.disabled if row else None
    if wanted is None and (is_unreadable(making, match.user) or _may_be_locked(making, match, cause, now)):
        _tell_untold(making, match, existing)
        return Status(now, Rule.UNREADABLE, is_ours=True)
    was = row.was_active if row and now == 0 else 1
    rule = Rule.STATUS_BACK if wanted == 1 and cause is not Cause.MISSING else Rule.BACK
    return Status(was, rule, is_ours=False, after={"disabled": None, "barred": 0})


def _may_be_locked(making: Making, match: Match, cause: Cause | None, now: int) -> bool:
    """Tell whether the entry's status may be why a mailbox is out of service; without a cause, only a tag tells."""
    is_mapped = bool(making.source(match.user.id).user_mapping.active)
    return cause is Cause.STATUS or (cause is None and now == 0 and is_mapped)


def _tell_by_hand(making: Making, match: Match, existing: Existing) -> None:
    user, how = match.user, "set inactive" if existing.attributes[ACTIVE.key] == 0 else "barred from logging in"
    entry = "active" if ACTIVE.key in user.attributes else "in the directory"
    making.say(Say.DISABLED_BY_HAND, user.dn, user.id, entry=entry, address=existing.address, how=how)


def _tell_untold(making: Making, match: Match, existing: Existing) -> None:
    """Say that a mailbox stays inactive because nothing tells its status: untold is not the same as active."""
    if is_unreadable(making, match.user):
        return  # why has a finding of its own
    attribute = making.source(match.user.id).user_mapping.active or "status"
    making.say(Say.STATUS_UNTOLD, match.user.dn, match.user.id, address=existing.address, attribute=attribute)
