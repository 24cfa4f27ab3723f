"""What becomes of a mailbox of ours whose entry is gone: it waits for its grace, is disabled, is deleted later."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ldap2mailcow.model import ACTIVE, Cause, Patch, Rule
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.grace import SEEN, Absence, absence
from ldap2mailcow.plan.matching import Missing, since_missing
from ldap2mailcow.plan.pending import Fate, Pending
from ldap2mailcow.plan.withheld import Guarded

from .mailboxes import kept
from .making import MailboxTarget, Making, NoRoom
from .status import OUT_OF_SERVICE, out_of_service

_BACK: Patch = {**SEEN, "retired_since": None}
"""What is remembered where an entry is there after all."""


def target_of_missing(making: Making, missing: Missing) -> MailboxTarget:
    """Return what a mailbox should be that no user of the answers has."""
    if rule := _why_kept(making.case, missing):
        return kept(missing.existing, rule, missing.row, _BACK if rule is Rule.UNREADABLE else {})
    return _Leaver(making, missing).target()


def _why_kept(case: Case, missing: Missing) -> Rule | None:
    """Return the rule by which nothing follows from an absence."""
    if left := case.left_alone(missing.existing.address):
        return left.rule
    if not missing.is_believed:
        return missing.rule
    return None if case.config.decides_status else Rule.ELSEWHERE


class _Leaver:
    """One mailbox whose entry is surely gone."""

    def __init__(self, making: Making, missing: Missing) -> None:
        self.making, self.missing = making, missing
        self.case, self.existing, self.row = making.case, missing.existing, missing.row
        self.policy = self.case.config.removed_users
        self.gone: Absence = absence(self.row, self.policy, self.case.now)
        self.in_doubt = bool(making.known(self.row.source).doubt)
        """A search that differs from the accepted one: then every removal is due at once, and is held for a word.

        Counting down a grace would only hide it.
        """
        self.retired = self.retired_since()
        self.value = OUT_OF_SERVICE.get(self.policy.action)

    def target(self) -> MailboxTarget:
        """Return what the mailbox should be."""
        if self.value is None:
            return self.stays(Rule.KEPT)
        if self.existing.attributes[ACTIVE.key] not in (0, self.value):
            return self.out_of_service(self.value)
        return self.deleted() if self.policy.action == "delete" else self.stays(Rule.RETIRED)

    def stays(self, rule: Rule) -> MailboxTarget:
        target = kept(self.existing, rule, self.row, self.after)
        return replace(target, row=self.case.rows.get(self.existing.address))  # none where only the mark makes it ours

    @property
    def after(self) -> Patch:
        """What is remembered of its absence."""
        row = self.row
        known = {"source": row.source, "dn": row.dn, "id": row.id, "origin": row.origin}
        return {**known, **since_missing(self.case, self.missing), "retired_since": self.retired}

    def retired_since(self) -> datetime | None:
        """Return since when it has been inactive with its entry gone; from now on where nothing says it yet.

        Nothing counts while the search is in doubt, nor where nothing is to be deleted: that may be turned on later,
        and then there is all of `delete_after` left.
        """
        if self.policy.action != "delete" or self.existing.attributes[ACTIVE.key] != 0:
            return None
        if self.row.retired_since is not None:
            return self.row.retired_since + self.gone.shift
        return self.case.now if self.gone.is_over and not self.in_doubt else None

    def out_of_service(self, value: int) -> MailboxTarget:
        """Return the target of a mailbox that goes out of service once the grace is over."""
        address = self.existing.address
        if not (self.in_doubt or self.gone.is_over):
            fate = Fate.DISABLED if value == 0 else Fate.BARRED
            self.making.pending.append(Pending(address, self.row.dn, self.gone.due, self.gone.answers, fate))
            return self.stays(Rule.GRACE)
        if self.making.held.has(Guarded.DISABLE, address):
            return self.stays(Rule.HELD)
        if self.making.held.has(NoRoom.EDIT, address):
            return self.stays(Rule.NO_ROOM)
        patch = out_of_service(self.case, self.existing, self.row, value, Cause.MISSING)
        retired = self.case.now if self.policy.action == "delete" else None
        return replace(
            self.stays(self.missing.rule),
            values={**self.existing.attributes, ACTIVE.key: value},
            tags=self.existing.tags | {self.case.marks.disabled},
            after={**self.after, **patch, "retired_since": retired},
        )

    def deleted(self) -> MailboxTarget:
        """Return the target of a mailbox that is out of service: gone, if that has been so for long enough."""
        address = self.existing.address
        due = (self.gone.due if self.retired is None else self.retired) + self.policy.delete_after
        if self.retired is None or not self.gone.is_over or self.case.now < due:
            if not self.in_doubt:
                due = max(due, self.gone.due)
                self.making.pending.append(Pending(address, self.row.dn, due, self.gone.answers, Fate.DELETED))
            return self.stays(Rule.RETIRED)
        if self.making.held.has(Guarded.DELETE, address):
            return self.stays(Rule.HELD)
        rule = Rule.MOVED if self.missing.rule is Rule.MOVED else Rule.EXPIRED
        return replace(self.stays(rule), values=None)
