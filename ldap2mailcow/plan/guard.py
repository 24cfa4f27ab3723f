"""Guards: how many mailboxes one run may take out of service, and what it takes to let more through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ldap2mailcow.model import ACTIVE, Change, Kind, MailboxChange

from .draft import Draft
from .rename_calls import BARRED
from .view import Reason, Tally, What, Withheld

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
    draft: Draft,
    changes: Sequence[MailboxChange],
    *,
    managed: int,
    limit: Callable[[int], int],
    whole: bool,
    search_doubt: str,
) -> tuple[tuple[MailboxChange, ...], Withheld | None]:
    """Return the changes that may run, and the removals that may not.

    `managed` is the number of active mailboxes that are ours, `limit` says of so many how many one run may remove,
    `search_doubt` says in words how the search differs from the accepted one, empty where it doesn't. All removals are
    let through, or none; those of the other directories count with them.
    """
    removals = tuple(change for change in changes if change.kind in TAKING_AWAY)
    rest = tuple(change for change in changes if change.kind not in TAKING_AWAY)
    count = _Count.of(draft, What.MAILBOXES, len(removals), managed, limit, whole=whole, search_doubt=search_doubt)
    if not removals or count.reason is None:
        return tuple(changes), None
    sentence = _sentence(count, removals)
    return rest, Withheld(count.reason, removals, count.managed, count.allowed, sentence)


def guard_others(
    draft: Draft,
    changes: Sequence[Change],
    what: What,
    *,
    managed: int,
    limit: Callable[[int], int],
    search_doubt: str,
) -> Withheld | None:
    """Return the deletions, removals of aliases, shrinking lists, or lost rights that may not run: all, or None.

    They were found in whole answers, so that only their number and a changed search stand against them.
    """
    count = _Count.of(draft, what, len(changes), managed, limit, whole=True, search_doubt=search_doubt)
    if not changes or count.reason is None:
        return None
    numbers = {"count": count.shown, "managed": count.managed, "allowed": count.allowed}
    happens, in_the_way = (words.format(**numbers) for words in WORDS[what])
    against = search_doubt if count.reason is Reason.SEARCH_CHANGED else in_the_way
    sentence = f"{happens}, and {against}; {count.force}"
    return Withheld(count.reason, tuple(changes), count.managed, count.allowed, sentence, what)


@dataclass(frozen=True, slots=True)
class _Count:
    """How many removals there are, of how many, and what stands against them; those of other directories included."""

    reason: Reason | None
    shown: int
    managed: int
    allowed: int
    search_doubt: str
    in_all: int

    @classmethod
    def of(
        cls,
        draft: Draft,
        what: What,
        count: int,
        managed: int,
        limit: Callable[[int], int],
        *,
        whole: bool,
        search_doubt: str,
    ) -> _Count:
        """Count, and leave in the draft what the plans of other directories have to know of it."""
        before = draft.counted.get(what, Tally())
        possible, certain = count if whole else 0, count if whole and not search_doubt else 0
        draft.counted[what] = Tally(before.count + possible, before.certain + certain, managed)
        elsewhere, force = draft.view.others.doing.counted.get(what, Tally()), draft.view.options.force_removals
        managed += elsewhere.managed
        allowed, in_all = limit(managed), count + elsewhere.count
        reason: Reason | None
        if not whole:
            reason = Reason.NOT_WHOLE
        elif force is not None and in_all <= force:
            reason = None
        elif search_doubt:
            reason = Reason.SEARCH_CHANGED
        else:
            reason = Reason.OVER_LIMIT if count + elsewhere.certain > allowed else None
        shown = count + elsewhere.certain if reason is Reason.OVER_LIMIT else count
        return cls(reason, shown, managed, allowed, search_doubt, in_all)

    @property
    def force(self) -> str:
        """The word that lets them through."""
        return f"if that is meant, run once with --force-removals {self.in_all}"


def _sentence(count: _Count, removals: Sequence[MailboxChange]) -> str:
    what = f"{count.shown} of {count.managed} managed mailboxes would {' or '.join(_fates(removals))}"
    if count.reason is Reason.NOT_WHOLE:
        return f"{what}, but the directory's answer is not whole; nothing lifts this but a whole answer"
    if count.reason is Reason.SEARCH_CHANGED:
        return f"{what}, and {count.search_doubt}; {count.force}"
    return f"{what}, and limits.removals lets {count.allowed} through; {count.force}"


def _fates(removals: Sequence[MailboxChange]) -> Iterator[str]:
    """Give in words what would happen to some mailboxes."""
    values = {change.writes.get(ACTIVE.key) for change in removals}
    if 0 in values:
        yield "be disabled"
    if BARRED in values:
        yield "be barred from logging in"
    if None in values:
        yield "get another login"
