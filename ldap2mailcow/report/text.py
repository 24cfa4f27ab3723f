"""The report for people: lines of text, every value from LDAP or mailcow escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ldap2mailcow.calls import cost
from ldap2mailcow.model import (
    GOTO,
    Address,
    Change,
    FieldChange,
    Finding,
    Kind,
    Level,
    MailboxChange,
    Notice,
    Outcome,
    RenameChange,
    Subject,
    Value,
    escaped,
)
from ldap2mailcow.plan import Pending, Withheld

from .result import Result, count, shown_changes

NAMED = 10
"""How many findings of one code, or addresses of one list, are shown before 'and N more'."""

VERBS = {
    Kind.RENAME: ("to rename", "renamed"),
    Kind.CREATE: ("to create", "created"),
    Kind.ADOPT: ("to adopt", "adopted"),
    Kind.UPDATE: ("to update", "updated"),
    Kind.ENABLE: ("to enable", "enabled"),
    Kind.GRANT: ("to give other send-as rights", "given other send-as rights"),
    Kind.SWITCH: ("to switch", "switched"),
    Kind.DISABLE: ("to disable", "disabled"),
    Kind.REMOVE: ("to remove", "removed"),
    Kind.DELETE: ("to delete", "deleted"),
}


AWAY = frozenset({Kind.REMOVE, Kind.DELETE})
"""The kinds of change after which something is no longer there."""


def change_lines(changes: Iterable[Change]) -> list[str]:
    """Return one line for each change that people are shown."""
    return [_change_line(change) for change in shown_changes(changes)]


def withheld_lines(withheld: Iterable[Withheld]) -> list[str]:
    """Return what isn't done, why, and to whom."""
    return [line for one in withheld for line in _withheld_lines(one)]


def pending_lines(pending: Sequence[Pending]) -> list[str]:
    """Return what a grace will bring later."""
    return [
        f"pending   {_named(pend.subject, pend.address)}  would be {pend.fate} from {pend.due:%Y-%m-%d %H:%M} UTC on"
        + (f", after {pend.answers} more run{'s' * (pend.answers != 1)} without its entry" if pend.answers else "")
        for pend in pending
    ]


def finding_lines(findings: Iterable[Finding], *, everything: bool) -> list[str]:
    """Return findings, the graver first, those of one code together; some of each, or all."""
    order = {Level.ERROR: 0, Level.WARNING: 1, Level.INFO: 2}
    ranked = sorted(findings, key=lambda finding: (order[finding.level], finding.code, finding.place))
    lines = []
    for (level, code), group in groupby(ranked, key=lambda finding: (finding.level, finding.code)):
        of_code = list(group)
        named = of_code if everything else of_code[:NAMED]
        lines += [f"{level:<9} {code}  {escaped(finding.place)}: {escaped(finding.sentence)}" for finding in named]
        if len(of_code) > len(named):
            lines.append(f"{level:<9} {code}  and {len(of_code) - len(named)} more of these (-v shows all)")
    return lines


def gone_lines(gone: Iterable[Notice]) -> list[str]:
    """Return what was said before and is no longer so."""
    return [f"gone      {notice.code}  {escaped(notice.place)}" for notice in gone]


def failure_lines(failed: Iterable[Outcome]) -> list[str]:
    """Return the changes that failed, with mailcow's reason."""
    return [f"failed    {escaped(outcome.change.name)}: {escaped(outcome.detail)}" for outcome in failed]


def orphan_lines(result: Result) -> list[str]:
    """Return the mailboxes and aliases of ours that no entry asks for and that this run doesn't take away."""
    plan = result.plan
    leaving = {(change.subject, change.address) for change in plan.changes if change.kind in AWAY}
    orphans = [(Subject.MAILBOX, address) for address in plan.orphans]
    orphans += [(Subject.ALIAS, address) for address in plan.orphaned_aliases]
    return [f"orphan    {_named(*one)}  is managed, and no entry asks for it" for one in orphans if one not in leaving]


def unmanaged_lines(result: Result) -> list[str]:
    """Return the mailboxes and aliases in our domains that are nobody's concern here."""
    plan = result.plan
    named = [_named(Subject.MAILBOX, address) for address in plan.unmanaged]
    named += [_named(Subject.ALIAS, address) for address in plan.unmanaged_aliases]
    return [f"not ours  {name}  is in mailcow and not in the directory" for name in named]


def summary_line(result: Result) -> str:
    """Return one line that says what the run did, or would do."""
    changes = result.plan.changes if result.dry_run else [outcome.change for outcome in result.outcomes if outcome.done]
    parts = _done(changes, dry_run=result.dry_run)
    parts += [f"{number} {words}" for number, words in _not_done(result) if number]
    head = "Dry run: " if result.dry_run else ""
    return f"{head}{', '.join(parts) or 'nothing to do'}{_standing(result, changes)}."


def _done(changes: Sequence[Change], *, dry_run: bool) -> list[str]:
    """Return what is done, or would be: mailboxes, passwords that are written again, aliases."""
    parts = _counted(changes, Subject.MAILBOX, dry_run=dry_run)
    if again := count(changes, Kind.REASSERT):
        parts.append(f"{again} {'to write again' if dry_run else 'written again'} unchanged")
    if aliases := _counted(changes, Subject.ALIAS, dry_run=dry_run):
        parts += [f"aliases: {aliases[0]}", *aliases[1:]]
    return parts


def _not_done(result: Result) -> Iterator[tuple[int, str]]:
    """Give how much there is of what isn't done, or is odd."""
    plan, findings = result.plan, len(result.open_findings)
    yield len(result.failed), "failed"
    yield 0 if result.dry_run else len(plan.changes) - len(result.outcomes), "not tried"
    yield sum(len(withheld.addresses) for withheld in plan.withheld), "withheld"
    yield len(plan.pending), "pending"
    yield findings, f"finding{'s' * (findings != 1)}"


def _counted(changes: Iterable[Change], subject: Subject, *, dry_run: bool) -> list[str]:
    """Return how many changes of each kind there are."""
    of_subject = [change for change in changes if change.subject is subject]
    tense = 0 if dry_run else 1
    return [f"{number} {words[tense]}" for kind, words in VERBS.items() if (number := count(of_subject, kind))]


def _standing(result: Result, changes: Iterable[Change]) -> str:
    """Return what there is: what the directory asks for, and what is managed."""
    plan = result.plan
    done = [] if result.dry_run else [*changes]
    mailboxes = [change for change in done if change.subject is Subject.MAILBOX]
    text = f"; {plan.wanted} mailbox{'es' * (plan.wanted != 1)} in the directory"
    text += _managed(plan.managed, plan.orphans, mailboxes)
    text += f", {len(plan.unmanaged)} more in your domains" if plan.unmanaged else ""
    if plan.wanted_aliases or plan.managed_aliases:
        aliases = [change for change in done if change.subject is Subject.ALIAS]
        text += f"; {plan.wanted_aliases} alias{'es' * (plan.wanted_aliases != 1)} in the directory"
        text += _managed(plan.managed_aliases, plan.orphaned_aliases, aliases)
        text += f", {len(plan.unmanaged_aliases)} more" if plan.unmanaged_aliases else ""
    return text


def _managed(before: int, orphans: Iterable[Address], done: Sequence[Change]) -> str:
    """Say how many are managed now, and how many of them no entry asks for."""
    came = count(done, Kind.CREATE) + count(done, Kind.ADOPT)
    left = {change.address for change in done if change.kind in AWAY}
    strays = sum(address not in left for address in orphans)
    return f", {before + came - len(left)} managed" + (f", {strays} of them no longer asked for" if strays else "")


def cost_lines(result: Result) -> list[str]:
    """Return what the plan asks of mailcow; nothing for nothing."""
    price = cost(result.plan.changes)
    if not price.calls:
        return []
    line = f"{price.calls} write{'s' * (price.calls != 1)} to mailcow"
    if grants := count(result.plan.changes, Kind.GRANT):
        line += f", {grants} of them send-as rights (slow where there are many aliases)"
    if price.rebuilds:
        times = "a rebuild" if price.rebuilds == 1 else f"{price.rebuilds} rebuilds"
        line += f", with {times} of its whole address book (slow on large servers)"
    kept = ["the mail of deleted mailboxes is kept by mailcow for some days (docs/operations.md)"]
    return [line, *kept * bool(count(result.plan.changes, Kind.DELETE))]


def _change_line(change: Change) -> str:
    if isinstance(change, RenameChange):
        names = f"{escaped(change.former)} -> {escaped(change.address)}"
        return f"{change.kind:<9} {names}; the old address stays as an alias  ({change.why})"
    parts = [_field(field) for field in change.fields if field.before is not None or not _is_usual(field)]
    if isinstance(change, MailboxChange):
        parts += ["calendars, contacts and filters too"] * (change.kind is Kind.DELETE)
        parts += ["password"] * (change.password is not None)
        parts += [f"+tag {tag}" for tag in change.add_tags] + [f"-tag {tag}" for tag in change.remove_tags]
    told = f"{'; '.join(parts)}  " if parts else ""
    return f"{change.kind:<9} {_named(change.subject, change.address)}  {told}({change.why})"


def _named(subject: Subject, address: str) -> str:
    return escaped(address) if subject is Subject.MAILBOX else f"alias {escaped(address)}"


def _is_usual(field: FieldChange) -> bool:
    """Tell whether a new mailbox has this value unless something special was asked for."""
    return (field.key, field.after) in {("active", 1), ("authsource", "mailcow")}


_LISTED = (GOTO, "send_as", "aliases")
"""Fields that list addresses."""


def _field(field: FieldChange) -> str:
    if field.key in _LISTED:
        return f"{field.key} {_difference(str(field.before or ''), str(field.after))}"
    after = _value(field.key, field.after)
    return (
        f"{field.key} {after}" if field.before is None else f"{field.key} {_value(field.key, field.before)} -> {after}"
    )


def _difference(before: str, after: str) -> str:
    """Return which addresses come and go, of two texts that list some; all of them where there were none."""
    old, new = ({part.strip() for part in text.split(",") if part.strip()} for text in (before, after))
    signs = [*(f"+{part}" for part in sorted(new - old)), *(f"-{part}" for part in sorted(old - new))]
    if not old:
        signs = sorted(new)
    more = f" and {len(signs) - NAMED} more" if len(signs) > NAMED else ""
    return escaped(", ".join(signs[:NAMED])) + more


def _value(key: str, value: Value) -> str:
    if key == "quota":
        return f"{value} MiB" if value else "unlimited"
    return f'"{escaped(value)}"' if isinstance(value, str) else str(value)


def _withheld_lines(withheld: Withheld) -> list[str]:
    addresses = [escaped(address) for address in withheld.addresses]
    more = f" and {len(addresses) - NAMED} more" if len(addresses) > NAMED else ""
    return [f"withheld  {escaped(withheld.sentence)}", f"          {', '.join(addresses[:NAMED])}{more}"]
