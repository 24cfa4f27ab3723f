"""What cron's mail says again: news at once, the same old things once a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ldap2mailcow.model import Level, Notice

from .result import Result

WITHHELD, FAILED = "withheld", "failed"
"""The codes of what is said beside findings."""

BY_SENTENCE = frozenset({WITHHELD, FAILED})
"""Codes that are news again when their sentence is another one: other people, another reason."""

AGAIN_AFTER = timedelta(hours=23)
"""A day, less what a daily cron job may start earlier than the day before."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be shown now, and what is to be remembered."""

    shown: frozenset[tuple[str, str]]
    """(code, place) of everything that is new, or was last shown a day ago."""
    gone: tuple[Notice, ...]
    """Said before, and no longer so."""
    remember: tuple[Notice, ...]

    def is_news(self, code: str, place: str) -> bool:
        """Tell whether something is to be shown now."""
        return (code, place) in self.shown

    def is_unsaid(self, code: str, place: str) -> bool:
        """Tell whether no earlier run said something."""
        return (code, place) not in {(old.code, old.place) for old in self.remember}


EVERYTHING = Due(frozenset(), (), ())
"""No earlier run said anything: what a user asked for is told in full."""


def notices_of(result: Result) -> list[tuple[str, str, str]]:
    """Return all there is to say that isn't said on every run, as (code, place, sentence)."""
    said: list[tuple[str, str, str]] = [
        (finding.code, finding.place, finding.sentence)
        for finding in result.open_findings
        if finding.level is not Level.INFO
    ]
    said += [(WITHHELD, one.name, f"{one.sentence}: {', '.join(one.addresses)}") for one in result.plan.withheld]
    said += [(FAILED, outcome.change.name, outcome.detail) for outcome in result.failed]
    return said + [(result.what, "", result.error)] * bool(result.error)


def due(
    present: Iterable[tuple[str, str, str]],
    known: Iterable[Notice],
    now: datetime,
    *,
    complete: bool,
) -> Due:
    """Compare what is so now, as (code, place, sentence), with what earlier runs said.

    `complete`: the run saw everything; else what isn't present may still be so, and stays remembered.
    """
    before = {(notice.code, notice.place): notice for notice in known}
    shown: set[tuple[str, str]] = set()
    remember: dict[tuple[str, str], Notice] = {} if complete else dict(before)
    for code, place, sentence in present:
        key = code, place
        old = before.get(key)
        if old is None or _is_due(old, sentence, now):
            shown.add(key)
            remember[key] = Notice(code, place, sentence, now)
        else:
            remember[key] = replace(old, sentence=sentence)
    gone = tuple(notice for key, notice in before.items() if key not in remember)
    return Due(frozenset(shown), gone, tuple(remember.values()))


def _is_due(old: Notice, sentence: str, now: datetime) -> bool:
    """Tell whether what was said before is to be said again."""
    is_another = old.code in BY_SENTENCE and old.sentence != sentence
    is_recent = timedelta() <= now - old.shown < AGAIN_AFTER  # a moment to come is that of a clock that was ahead
    return is_another or not is_recent
