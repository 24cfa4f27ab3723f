"""The report for people: lines of text, every value from LDAP or mailcow escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ldap2mailcow.model import Change, FieldChange, Finding, Kind, Level, Notice, Outcome, Value, escaped
from ldap2mailcow.plan import Pending, Withheld, cost

from .result import Result, count, shown_changes

NAMED = 10
"""How many findings of one code, or addresses of one list, are shown before 'and N more'."""

VERBS = {
    Kind.CREATE: ("to create", "created"),
    Kind.ADOPT: ("to adopt", "adopted"),
    Kind.UPDATE: ("to update", "updated"),
    Kind.ENABLE: ("to enable", "enabled"),
    Kind.SWITCH: ("to switch", "switched"),
    Kind.DISABLE: ("to disable", "disabled"),
}


def change_lines(changes: Iterable[Change]) -> list[str]:
    """Return one line for each change that people are shown."""
    return [_change_line(change) for change in shown_changes(changes)]


def withheld_lines(withheld: Iterable[Withheld]) -> list[str]:
    """Return what isn't done, why, and to whom."""
    return [line for one in withheld for line in _withheld_lines(one)]


def pending_lines(pending: Sequence[Pending]) -> list[str]:
    """Return what a grace will bring later."""
    return [
        f"pending   {escaped(pend.address)}  would be disabled from {pend.due:%Y-%m-%d %H:%M} UTC on"
        + (f", after {pend.answers} more run{'s' * (pend.answers != 1)} without its entry" if pend.answers else "")
        for pend in pending
    ]


def finding_lines(findings: Iterable[Finding], *, everything: bool) -> list[str]:
    """Return findings, the graver first, those of one code together; some of each, or all."""
    order = {Level.ERROR: 0, Level.WARNING: 1, Level.INFO: 2}
    ranked = sorted(findings, key=lambda finding: (order[finding.level], finding.code, finding.where))
    lines = []
    for (level, code), group in groupby(ranked, key=lambda finding: (finding.level, finding.code)):
        of_code = list(group)
        named = of_code if everything else of_code[:NAMED]
        lines += [f"{level:<9} {code}  {escaped(finding.where)}: {escaped(finding.sentence)}" for finding in named]
        if len(of_code) > len(named):
            lines.append(f"{level:<9} {code}  and {len(of_code) - len(named)} more of these (-v shows all)")
    return lines


def gone_lines(gone: Iterable[Notice]) -> list[str]:
    """Return what was said before and is no longer so."""
    return [f"gone      {notice.code}  {escaped(notice.place)}" for notice in gone]


def failure_lines(failed: Iterable[Outcome]) -> list[str]:
    """Return the changes that failed, with mailcow's reason."""
    return [f"failed    {escaped(outcome.change.name)}: {escaped(outcome.detail)}" for outcome in failed]


def unmanaged_lines(result: Result) -> list[str]:
    """Return the mailboxes in our domains that are nobody's concern here."""
    return [
        f"not ours  {escaped(address)}  is in mailcow and not in the directory" for address in result.plan.unmanaged
    ]


def summary_line(result: Result) -> str:
    """Return one line that says what the run did, or would do."""
    plan = result.plan
    changes = plan.changes if result.dry_run else [outcome.change for outcome in result.outcomes if outcome.done]
    tense = 0 if result.dry_run else 1
    parts = [f"{number} {words[tense]}" for kind, words in VERBS.items() if (number := count(changes, kind))]
    again = count(changes, Kind.REASSERT)
    parts += [f"{again} {'to write again' if result.dry_run else 'written again'} unchanged"] * bool(again)
    untried = 0 if result.dry_run else len(plan.changes) - len(result.outcomes)
    parts += [f"{len(result.failed)} failed"] * bool(result.failed)
    parts += [f"{untried} not tried"] * bool(untried)
    parts += [f"{sum(len(withheld.changes) for withheld in plan.withheld)} withheld"] * bool(plan.withheld)
    parts += [f"{len(plan.pending)} pending"] * bool(plan.pending)
    parts += [f"{len(result.open_findings)} finding{'s' * (len(result.open_findings) != 1)}"] * bool(
        result.open_findings
    )
    head = "Dry run: " if result.dry_run else ""
    body = ", ".join(parts) or "nothing to do"
    taken = 0 if result.dry_run else count(changes, Kind.CREATE) + count(changes, Kind.ADOPT)
    tail = f"; {plan.wanted} mailbox{'es' * (plan.wanted != 1)} in the directory, {plan.managed + taken} managed"
    if plan.unmanaged:
        tail += f", {len(plan.unmanaged)} more in your domains"
    return f"{head}{body}{tail}."


def cost_lines(result: Result) -> list[str]:
    """Return what the plan asks of mailcow; nothing for nothing."""
    price = cost(result.plan.changes)
    if not price.calls:
        return []
    line = f"{price.calls} write{'s' * (price.calls != 1)} to mailcow"
    if price.rebuilds:
        times = "a rebuild" if price.rebuilds == 1 else f"{price.rebuilds} rebuilds"
        line += f", with {times} of its whole address book (slow on large servers)"
    return [line]


def _change_line(change: Change) -> str:
    parts = [_field(field) for field in change.fields if field.before is not None or not _is_usual(field)]
    parts += ["password"] * (change.password is not None)
    parts += [f"+tag {tag}" for tag in change.add_tags] + [f"-tag {tag}" for tag in change.remove_tags]
    return f"{change.kind:<9} {escaped(change.address)}  {'; '.join(parts)}  ({change.why})"


def _is_usual(field: FieldChange) -> bool:
    """Tell whether a new mailbox has this value unless something special was asked for."""
    return (field.key, field.after) in {("active", 1), ("authsource", "mailcow")}


def _field(field: FieldChange) -> str:
    after = _value(field.key, field.after)
    return (
        f"{field.key} {after}" if field.before is None else f"{field.key} {_value(field.key, field.before)} -> {after}"
    )


def _value(key: str, value: Value) -> str:
    if key == "quota":
        return f"{value} MiB" if value else "unlimited"
    return f'"{escaped(value)}"' if isinstance(value, str) else str(value)


def _withheld_lines(withheld: Withheld) -> list[str]:
    addresses = [escaped(address) for address in withheld.addresses]
    more = f" and {len(addresses) - NAMED} more" if len(addresses) > NAMED else ""
    return [f"withheld  {escaped(withheld.sentence)}", f"          {', '.join(addresses[:NAMED])}{more}"]
