"""Guards: how many mailboxes one run may take out of service, and what it takes to let more through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldap2mailcow.model import ACTIVE, Change, Kind, MailboxChange

from .rename_calls import BARRED
from .view import Options, Reason, What, Withheld

TAKING_AWAY = frozenset({Kind.DISABLE, Kind.SWITCH})
"""The kinds of change after which a mailbox no longer receives mail, or somebody can no longer log in as before."""

WORDS = {
    What.DELETIONS: (
        "{count} of {managed} managed mailboxes would be deleted",
        "limits.removals lets {allowed} through",
    ),
    What.RENAMES: ("{count} of {managed} managed mailboxes would be renamed", "limits.renames lets {allowed} through"),
    What.IDS: (
        "{count} of {managed} people have another id and the same address, as on a new directory server",
        "limits.renames lets {allowed} through",
    ),
    What.ALIASES: ("{count} of {managed} managed aliases would be removed", "limits.removals lets {allowed} through"),
    What.RIGHTS: (
        "{count} of {managed} people would lose rights to send as others",
        "limits.removals lets {allowed} through",
    ),
    What.LISTS: (
        "{count} of {managed} managed lists would lose too many of their members at once",
        "limits.list_shrink doesn't let that through",
    ),
}
"""What would happen, and which limit is in the way."""


def guard(
    changes: Sequence[MailboxChange],
    *,
    managed: int,
    allowed: int,
    whole: bool,
    search_doubt: str,
    options: Options,
) -> tuple[tuple[MailboxChange, ...], Withheld | None]:
    """Return the changes that may run, and the removals that may not.

    `managed` is the number of active mailboxes that are ours, `allowed` how many of them one run may remove,
    `search_doubt` says in words how the search differs from the accepted one, empty where it doesn't. All removals are
    let through, or none.
    """
    removals = tuple(change for change in changes if change.kind in TAKING_AWAY)
    rest = tuple(change for change in changes if change.kind not in TAKING_AWAY)
    reason = _reason(len(removals), allowed, whole=whole, search_doubt=search_doubt, options=options)
    if not removals or reason is None:
        return tuple(changes), None
    sentence = _sentence(reason, removals, managed, allowed, search_doubt)
    return rest, Withheld(reason, removals, managed, allowed, sentence)


def guard_others(
    changes: Sequence[Change],
    what: What,
    *,
    managed: int,
    allowed: int,
    search_doubt: str,
    options: Options,
) -> Withheld | None:
    """Return the deletions, removals of aliases, shrinking lists, or lost rights that may not run: all, or None.

    They were found in whole answers, so that only their number and a changed search stand against them.
    """
    reason = _reason(len(changes), allowed, whole=True, search_doubt=search_doubt, options=options)
    if not changes or reason is None:
        return None
    happens, limit = (words.format(count=len(changes), managed=managed, allowed=allowed) for words in WORDS[what])
    against = search_doubt if reason is Reason.SEARCH_CHANGED else limit
    force = f"if that is meant, run once with --force-removals {len(changes)}"
    return Withheld(reason, tuple(changes), managed, allowed, f"{happens}, and {against}; {force}", what)


def _reason(
    count: int,
    allowed: int,
    *,
    whole: bool,
    search_doubt: str,
    options: Options,
) -> Reason | None:
    if not whole:
        return Reason.NOT_WHOLE
    if options.force_removals is not None and count <= options.force_removals:
        return None
    if search_doubt:
        return Reason.SEARCH_CHANGED
    return Reason.OVER_LIMIT if count > allowed else None


def _sentence(reason: Reason, removals: Sequence[MailboxChange], managed: int, allowed: int, search_doubt: str) -> str:
    count = len(removals)
    what = f"{count} of {managed} managed mailboxes would {' or '.join(_fates(removals))}"
    force = f"if that is meant, run once with --force-removals {count}"
    if reason is Reason.NOT_WHOLE:
        return f"{what}, but the directory's answer is not whole; nothing lifts this but a whole answer"
    if reason is Reason.SEARCH_CHANGED:
        return f"{what}, and {search_doubt}; {force}"
    return f"{what}, and limits.removals lets {allowed} through; {force}"


def _fates(removals: Sequence[MailboxChange]) -> Iterator[str]:
    """Give in words what would happen to some mailboxes."""
    values = {change.writes.get(ACTIVE.key) for change in removals}
    if 0 in values:
        yield "be disabled"
    if BARRED in values:
        yield "be barred from logging in"
    if None in values:
        yield "get another login"
