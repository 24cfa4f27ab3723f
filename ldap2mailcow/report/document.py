"""The report for programs: one JSON document; its form is described in docs/operations.md."""

from __future__ import annotations

import json
from collections.abc import Callable

from ldap2mailcow.calls import cost
from ldap2mailcow.model import Change, Finding, Kind, MailboxChange, Outcome
from ldap2mailcow.plan import Pending, Withheld

from .result import Result, count, shown_changes

FORMAT = 2
"""Grows when a field changes its meaning or goes; a new field doesn't count."""


def document(result: Result, hide: Callable[[str], str] = str) -> str:
    """Return the whole result of a run as JSON text in ASCII; `hide` takes secrets out of each text."""
    plan = result.plan
    outcomes = {outcome.change.name: outcome for outcome in result.outcomes}
    price = cost(plan.changes)
    whole: object = {
        "format": FORMAT,
        "dry_run": result.dry_run,
        "exit_code": result.exit_code,
        "error": result.error or None,
        "remarks": result.remarks,
        "answer_whole": plan.whole,
        "changes": [
            _change(change, outcomes.get(change.name), dry_run=result.dry_run) for change in shown_changes(plan.changes)
        ],
        "reasserted": _reasserted(result),
        "withheld": [_withheld(withheld) for withheld in plan.withheld],
        "pending": [_pending(pending) for pending in plan.pending],
        "findings": [_finding(finding, accepted=result.is_accepted(finding)) for finding in result.findings],
        "not_in_directory": list(plan.unmanaged),
        "aliases_not_in_directory": list(plan.unmanaged_aliases),
        "orphans": list(plan.orphans),
        "orphaned_aliases": list(plan.orphaned_aliases),
        "counts": {
            "wanted": plan.wanted,
            "managed": plan.managed,
            "wanted_aliases": plan.wanted_aliases,
            "managed_aliases": plan.managed_aliases,
        },
        "cost": {"calls": price.calls, "rebuilds": price.rebuilds},
    }
    return json.dumps(_without_secrets(whole, hide), indent=2)


def _without_secrets(value: object, hide: Callable[[str], str]) -> object:
    """Return a value of JSON with all texts in it changed, but not the keys."""
    match value:
        case str():
            return hide(value)
        case dict():
            return {key: _without_secrets(one, hide) for key, one in value.items()}
        case list():
            return [_without_secrets(one, hide) for one in value]
        case _:
            return value


def _reasserted(result: Result) -> dict[str, object]:
    failed = (outcome for outcome in result.failed if outcome.change.kind is Kind.REASSERT)
    return {
        "planned": count(result.plan.changes, Kind.REASSERT),
        "done": count((outcome.change for outcome in result.outcomes if outcome.done), Kind.REASSERT),
        "failed": [{"address": outcome.change.address, "detail": outcome.detail} for outcome in failed],
    }


def _change(change: Change, outcome: Outcome | None, *, dry_run: bool) -> dict[str, object]:
    state = "planned" if dry_run else "not_tried"
    if outcome:
        state = "done" if outcome.done else "failed"
    return {
        "kind": change.kind,
        "subject": change.subject,
        "address": change.address,
        "dn": change.dn,
        "why": change.why,
        "rule": change.why.name.lower(),
        "fields": [{"key": field.key, "before": field.before, "after": field.after} for field in change.fields],
        "password": isinstance(change, MailboxChange) and change.password is not None,
        "outcome": state,
        "detail": outcome.detail if outcome else "",
    }


def _withheld(withheld: Withheld) -> dict[str, object]:
    return {
        "kind": withheld.kind,
        "reason": withheld.reason,
        "count": len(withheld.addresses),
        "managed": withheld.managed,
        "limit": withheld.limit,
        "sentence": withheld.sentence,
        "addresses": list(withheld.addresses),
        **({"directory": withheld.directory} if withheld.directory else {}),
    }


def _pending(pending: Pending) -> dict[str, object]:
    return {
        "subject": pending.subject,
        "address": pending.address,
        "dn": pending.dn,
        "due": pending.due.isoformat(timespec="seconds"),
        "answers": pending.answers,
        "fate": pending.fate,
    }


def _finding(finding: Finding, *, accepted: bool) -> dict[str, object]:
    return {
        "code": finding.code,
        "level": finding.level,
        "where": finding.where,
        "sentence": finding.sentence,
        "accepted": accepted,
        **({"directory": finding.directory} if finding.directory else {}),
    }
