"""One run's result as data: what both shapes of the report, text and JSON, are made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ldap2mailcow.model import Change, Finding, Kind, Level, Outcome
from ldap2mailcow.plan import Plan

from .exit_code import ExitCode


@dataclass(slots=True)
class Result:
    """What a run planned, what became of it, and how it ended."""

    dry_run: bool
    plan: Plan = field(default_factory=Plan)
    outcomes: list[Outcome] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    """All of the run's findings, those of the config included."""
    accept: frozenset[str] = frozenset()
    """Codes, or `code:where`, that the config silences."""
    scoped: bool = False
    """Whether the run looked at some addresses only."""
    error: str = ""
    """Why the run ended early, a sentence."""
    what: str = ""
    """The same in a few words, by which it is known from run to run."""
    remarks: list[str] = field(default_factory=list)
    """What is said once, to users of the ancestor."""
    exit_code: ExitCode = ExitCode.DONE

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that the config doesn't accept."""
        return tuple(finding for finding in self.findings if not self.is_accepted(finding))

    def is_accepted(self, finding: Finding) -> bool:
        """Tell whether the config silences a finding."""
        places = {f"{finding.code}:{place}" for place in (finding.where, finding.place)}
        return finding.code in self.accept or not places.isdisjoint(self.accept)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The changes that mailcow refused, or whose outcome stayed unknown."""
        return tuple(outcome for outcome in self.outcomes if not outcome.done)

    def judge(self) -> ExitCode:
        """Return the exit code of a run that came to its end."""
        is_whole = self.plan.whole or self.scoped
        if self.plan.withheld or not is_whole:
            return ExitCode.WITHHELD
        if self.failed or any(finding.level is Level.ERROR for finding in self.open_findings):
            return ExitCode.NOT_ALL
        return ExitCode.DONE


def shown_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that are shown one by one: writing again what is there already isn't one."""
    return tuple(change for change in changes if change.kind is not Kind.REASSERT)


def count(changes: Iterable[Change], kind: Kind) -> int:
    """Return how many changes are of a kind."""
    return sum(change.kind is kind for change in changes)
