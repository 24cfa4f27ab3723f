"""Active or not, by the rule of two masters: `active` goes from 0 to 1 only where we set the 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from ldap2mailcow.desired import User
from ldap2mailcow.model import ACTIVE, Cause, Existing, Patch, Remembered, Rule, Say
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.matching import Match
from ldap2mailcow.plan.withheld import Guarded

from .making import Making

BARRED = 2
"""What `active` is of a mailbox that takes mail and lets its user not log in."""

OUT_OF_SERVICE: Mapping[str, int] = {"disable": 0, "disallow_login": BARRED, "delete": 0}
"""What `active` becomes after the grace, by `removed_users.action`; `delete` deletes what is inactive already."""


class Told(Enum):
    """What an entry tells of the status of its mailbox."""

    ACTIVE = auto()
    INACTIVE = auto()
    NOTHING = auto()
    UNREADABLE = auto()  # its value can't be used, or the attribute vanished from most entries


def told(making: Making, user: User) -> Told:
    """Return what the entry of a user tells of the status."""
    if ACTIVE.key in user.unreadable:
        return Told.UNREADABLE
    if ACTIVE.key in user.attributes:
        return Told.ACTIVE if user.attributes[ACTIVE.key] else Told.INACTIVE
    is_there = making.known(user.id.source).vanished.isdisjoint(ACTIVE.mapped)
    return Told.NOTHING if is_there else Told.UNREADABLE


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
    says, is_ours = told(making, match.user), is_our_doing(making.case, existing, match.row)
    if says is Told.INACTIVE:
        return _inactive(making, existing, match.row, is_ours=is_ours)
    if is_ours:
        return _back(making, match, existing, says)
    now = int(existing.attributes[ACTIVE.key])
    if now != 1 and (says is Told.ACTIVE or match.row is None):
        entry = "active" if says is Told.ACTIVE else "in the directory"
        how = "set inactive" if now == 0 else "barred from logging in"
        user = match.user
        making.say(Say.DISABLED_BY_HAND, user.dn, user.id, entry=entry, address=existing.address, how=how)
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
    return case.marks.disabled in existing.tags and now in (0, OUT_OF_SERVICE.get(case.config.removed_users.action))


def _inactive(making: Making, existing: Existing, row: Remembered | None, *, is_ours: bool) -> Status:
    """Return the status of a mailbox whose entry calls it inactive; from now on that is the cause, if it is ours."""
    now = int(existing.attributes[ACTIVE.key])
    is_held = making.held.has(Guarded.DISABLE, existing.address)
    if now == 0 or is_held:
        after: Patch = {"disabled": Cause.STATUS, "barred": now} if is_ours else {"disabled": None}
        return Status(now, Rule.HELD if is_held else Rule.STATUS, is_ours, after)
    return Status(0, Rule.STATUS, is_ours=True, after=out_of_service(making.case, existing, row, 0, Cause.STATUS))


def _back(making: Making, match: Match, existing: Existing, says: Told) -> Status:
    """Return the status of a mailbox that we took out of service and whose entry doesn't call it inactive.

    Nothing told is not the same as active: what is out of service for its status stays so.
    """
    cause, was = _cause(making, match, existing)
    if says is Told.NOTHING and cause is Cause.STATUS:
        says, user = Told.UNREADABLE, match.user
        attribute = making.source(user.id).user_mapping.active or "status"
        making.say(Say.STATUS_UNTOLD, user.dn, user.id, address=existing.address, attribute=attribute)
    if says is Told.UNREADABLE:  # why has a finding
        return Status(int(existing.attributes[ACTIVE.key]), Rule.UNREADABLE, is_ours=True)
    rule = Rule.STATUS_BACK if cause is Cause.STATUS else Rule.BACK
    return Status(was, rule, is_ours=False, after={"disabled": None, "barred": 0})


def _cause(making: Making, match: Match, existing: Existing) -> tuple[Cause, int]:
    """Return why we took a mailbox out of service, and what `active` was before.

    Where only a tag says that we did, it may have been for the status if one is mapped; that never just bars a login.
    """
    if match.row and match.row.disabled:
        return match.row.disabled, match.row.was_active
    may_be_status = making.source(match.user.id).user_mapping.active and existing.attributes[ACTIVE.key] == 0
    return Cause.STATUS if may_be_status else Cause.MISSING, 1
