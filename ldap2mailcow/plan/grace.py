"""How long an entry has been gone: only time in which directories were looked at counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ldap2mailcow.config import Removal
from ldap2mailcow.model import Patch, Remembered, RememberedAlias

BELIEVED = timedelta(days=8)
"""The most that counts between two answers: a week, so that a weekly cron job is believed in full, and a day.

More is a clock that jumped ahead, or a cron job that stood still: no entry is gone for long because of that.
"""

SEEN: Patch = {"missing_since": None, "missed": 0, "last_missed": None}
"""What is remembered of the absence of an entry that is in the answer."""


@dataclass(frozen=True, slots=True)
class Absence:
    """How long an entry has been gone, with this answer, which doesn't have it either."""

    since: datetime
    """Since when it counts as gone: before now by the time that is believed."""
    missed: int
    """Whole answers in a row without it."""
    shift: timedelta
    """By how much every earlier moment of this absence moves: what lies behind it and isn't believed."""
    due: datetime
    """When the grace ends, as far as time goes."""
    answers: int
    """How many more answers the grace takes."""
    is_over: bool
    """Whether the grace has ended."""
    now: datetime

    @property
    def patch(self) -> Patch:
        """What is remembered of it."""
        return {"missing_since": self.since, "missed": self.missed, "last_missed": self.now}


def absence(row: Remembered | RememberedAlias, policy: Removal, now: datetime) -> Absence:
    """Count an answer without an entry, given now, and return how its absence stands.

    What lies between two such answers counts up to BELIEVED, and never less than nothing: a clock that was set back
    makes no absence shorter.
    """
    last = row.last_missed or row.missing_since or now
    shift = (now - last) - min(max(now - last, timedelta()), BELIEVED)
    since, missed = (row.missing_since or now) + shift, row.missed + 1
    due = since + policy.missing_for
    return Absence(
        since=since,
        missed=missed,
        shift=shift,
        due=due,
        answers=max(policy.missing_runs - missed, 0),
        is_over=missed >= policy.missing_runs and now >= due,
        now=now,
    )
