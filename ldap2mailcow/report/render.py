"""What a run shows on stdout, and when: the plan before the first write, and at the end what became of it.

As JSON it is one document at the end. As text a run says what is new, and old news once a day; to a reader who looks at
it, and not at cron's mail, it says everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from ldap2mailcow.model import Finding, Level, escaped

from . import text
from .document import document
from .notices import FAILED, WITHHELD, Due
from .result import Result


class Verbosity(IntEnum):
    """How much is said."""

    QUIET = -1  # what went wrong
    NORMAL = 0
    VERBOSE = 1
    DEBUG = 2


@dataclass(frozen=True, slots=True)
class Reader:
    """For what reader something is shown."""

    verbosity: Verbosity = Verbosity.NORMAL
    as_json: bool = False
    is_looking: bool = False
    """Whether it is a person at a terminal, or one who asked for something."""
    hide: Callable[[str], str] = str
    """Takes the secrets of the config out of a text, should a server have said them back to us."""

    @property
    def is_normal(self) -> bool:
        """Whether more is told than what went wrong."""
        return self.verbosity > Verbosity.QUIET

    @property
    def is_verbose(self) -> bool:
        """Whether details are told."""
        return self.verbosity >= Verbosity.VERBOSE


def render_plan(result: Result, notices: Due, reader: Reader) -> list[str]:
    """Return the lines of what is going to happen, and of what there is to say about it."""
    if reader.as_json:
        return []
    shown = _Shown(result, notices, reader)
    lines = [
        *shown.changes(),
        *text.withheld_lines(one for one in result.plan.withheld if shown.is_news(WITHHELD, one.name)),
        *shown.what_waits(),
        *text.finding_lines(filter(shown.is_told, result.open_findings), everything=reader.is_verbose),
    ]
    has_price = reader.is_normal and bool(lines or result.dry_run)
    return list(map(reader.hide, [*lines, *text.cost_lines(result)] if has_price else lines))


def render_end(result: Result, notices: Due, reader: Reader, *, was_told: bool) -> list[str]:
    """Return the lines of how a run ended; `was_told`: its plan had lines."""
    if reader.as_json:
        return [document(result, reader.hide)]
    shown = _Shown(result, notices, reader)
    lines = shown.failures()
    if result.error:
        lines += [_ended(result)] * shown.is_news(result.what, "")
        return list(map(reader.hide, lines))
    has_summary = was_told or lines or result.dry_run or reader.is_verbose
    return list(map(reader.hide, [*lines, text.summary_line(result)] if has_summary and reader.is_normal else lines))


def render_answer(result: Result, done: str, reader: Reader) -> list[str]:
    """Return the lines of what became of the one thing that was asked for; `done` says that it is done."""
    if reader.as_json:
        return [document(result, reader.hide)]
    lines = text.failure_lines(result.failed)
    lines += [_ended(result)] * bool(result.error)
    if reader.is_normal:
        lines += map(escaped, result.remarks)
        lines += [escaped(done)] * any(outcome.done for outcome in result.outcomes)
    return list(map(reader.hide, lines))


def _ended(result: Result) -> str:
    return f"{result.what}: {escaped(result.error)}"


class _Shown:
    """What of a result one reader is shown."""

    def __init__(self, result: Result, notices: Due, reader: Reader) -> None:
        self.result, self.notices, self.reader = result, notices, reader
        self.sees_all = reader.is_looking or reader.is_verbose or result.dry_run

    def is_news(self, code: str, place: str) -> bool:
        """Tell whether something is said that isn't said on every run."""
        return self.sees_all or self.notices.is_news(code, place)

    def is_told(self, finding: Finding) -> bool:
        """Tell whether a finding is said."""
        least = {Level.ERROR: Verbosity.QUIET, Level.WARNING: Verbosity.NORMAL, Level.INFO: Verbosity.VERBOSE}
        return self.reader.verbosity >= least[finding.level] and self.is_news(finding.code, finding.place)

    def changes(self) -> list[str]:
        """Return the lines of the changes, without those that failed in an earlier run too."""
        if not self.reader.is_normal:
            return []
        changes = self.result.plan.changes
        told = (one for one in changes if self.sees_all or self.notices.is_unsaid(FAILED, one.name))
        return [*map(escaped, self.result.remarks), *text.change_lines(told)]

    def failures(self) -> list[str]:
        """Return the lines of the changes that failed, and of what is no longer so."""
        failed = (one for one in self.result.failed if self.is_news(FAILED, one.change.name))
        gone = self.notices.gone if self.reader.is_normal else ()
        return text.failure_lines(failed) + text.gone_lines(gone)

    def what_waits(self) -> list[str]:
        """Return the lines of what the run leaves as it is."""
        lines: list[str] = []
        if self.result.dry_run or self.reader.is_verbose:
            lines += text.pending_lines(self.result.plan.pending)
        if self.reader.is_verbose:
            lines += text.orphan_lines(self.result) + text.unmanaged_lines(self.result)
        return lines
