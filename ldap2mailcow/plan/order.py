"""In which order changes run; each step ends before the next begins."""

from __future__ import annotations

from enum import IntEnum

from ldap2mailcow.model import QUOTA, Change, Kind, Value


class Step(IntEnum):
    """The steps of a run, first to last."""

    FREE_QUOTA = 0
    MAILBOXES = 1
    ENABLE = 2
    SWITCH = 3
    DISABLE = 4  # last: whatever goes wrong before it, nobody has lost anything yet


def step_of(change: Change) -> Step:
    """Return the step in which a change runs.

    Two changes of one mailbox are never in the same step: `edit/mailbox` writes back what it has read, so that two at
    once would lose one of them.
    """
    match change.kind:
        case Kind.DISABLE:
            return Step.DISABLE
        case Kind.ENABLE:
            return Step.ENABLE
        case Kind.SWITCH:
            return Step.SWITCH
        case _:
            frees = any(lowers_quota(field.key, field.before, field.after) for field in change.fields)
            return Step.FREE_QUOTA if frees else Step.MAILBOXES


def lowers_quota(key: str, before: Value | None, after: Value) -> bool:
    """Tell whether a change of an attribute gives quota back to its domain."""
    return key == QUOTA.key and before is not None and int(after) < int(before)
