"""Whom a user may send as: the few rights that no alias gives by itself.

`sender_allowed` of an alias lets its targets send as it and costs nothing; a row of `sender_acl` costs a reading of all
of mailcow's aliases (docs/mailcow-api.md sections 5 and 15). So rows are wanted only where no alias does it, are
compared with what we last applied, and are written in one edit per mailbox, last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ldap2mailcow.model import (
    ACTIVE,
    GOTO,
    QUOTA,
    SENDER_ALLOWED,
    Address,
    AliasChange,
    Code,
    FieldChange,
    Finding,
    Kind,
    MailboxChange,
    Memory,
    Note,
    Origin,
    Remembered,
    Value,
    Why,
    split,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.ownership import mailbox_left_alone
from ldap2mailcow.plan.remembering import identity

from .delivery import Delivery

ANYBODY = "*"
CHECKED_AT_LEAST = 5
CHECKED_SHARE = 50
"""One in so many mailboxes with rows of ours is read back in each run: somebody may have dropped them."""


def senders_due(memory: Memory) -> frozenset[Address]:
    """Return the mailboxes whose rows are to be read back in this run: those that were looked at longest ago."""
    rows = [row for row in memory.mailboxes.values() if row.senders]
    share = max(CHECKED_AT_LEAST, -(-len(rows) // CHECKED_SHARE))
    never = datetime.min.replace(tzinfo=UTC)
    oldest = sorted(rows, key=lambda row: (row.senders_checked or never, row.address))
    return frozenset(row.address for row in oldest[:share])


@dataclass(frozen=True, slots=True)
class Rights:
    """What happens to rights to send as others."""

    changes: tuple[MailboxChange, ...]
    losing: tuple[MailboxChange, ...]
    """Those by which somebody loses a right that could stay."""
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...]
    unread: frozenset[Address]
    """Mailboxes whose present rows must be read before theirs can be planned."""


@dataclass
class Senders:
    """Decides who gets which rows of `sender_acl`, once mailboxes and aliases are decided."""

    draft: Draft
    delivery: Delivery
    aliases: Iterable[AliasChange]
    """The changes of aliases that will be made."""
    whole: bool
    """Whether a right that isn't there is believed to be gone: users and groups alike give rights."""

    def __post_init__(self) -> None:
        self.changes: list[MailboxChange] = []
        self.losing: list[MailboxChange] = []
        self.notes: list[Note] = []
        self.findings: list[Finding] = []
        values: dict[Address, dict[str, Value]] = {
            address: dict(alias.values) for address, alias in self.draft.view.actual.aliases.items()
        }
        self.edited: dict[Address, frozenset[Address]] = {}
        """Aliases that this run edits, and their targets after that."""
        for change in (*self.aliases, *self.draft.view.others.doing.aliases):
            if change.kind is Kind.REMOVE:
                values.pop(change.address, None)
                continue
            values.setdefault(change.address, {}).update(change.writes)
            if change.kind is not Kind.CREATE:
                self.edited[change.address] = split(str(values[change.address][GOTO]))
        self.after = values
        self.closed = self.closed_targets()
        self.changed: dict[Address, int | None] = {}
        """Mailboxes that other changes of this run are about, and the quotas that those leave them."""
        for other in self.draft.changes:
            quota = other.writes.get(QUOTA.key)
            self.changed[other.address] = self.changed.get(other.address) if quota is None else int(quota)

    def decide(self) -> Rights:
        """Plan the edits of all whom something is known, wished or changed about."""
        view = self.draft.view
        concerned = set(self.closed)
        if view.source.manages_senders:
            ours = {address for address, row in view.memory.mailboxes.items() if row.senders or row.foreign_senders}
            concerned |= {*view.wishes.senders, *view.wishes.foreign_senders, *ours}
        unread = {address for address in sorted(concerned) if self.may_edit(address) and not self.one(address)}
        return Rights(
            tuple(self.changes), tuple(self.losing), tuple(self.notes), tuple(self.findings), frozenset(unread)
        )

    def closed_targets(self) -> set[Address]:
        """Return the targets of edited aliases that don't let them send as it: an edit drops what rows they have."""
        closed = (address for address in self.edited if self.after[address][SENDER_ALLOWED] == 0)
        return {target for address in closed for target in self.edited[address]}

    def may_edit(self, address: Address) -> bool:
        """Tell whether a mailbox may get rows: it is there or is made, active, and none of our business otherwise."""
        draft = self.draft
        if not draft.in_scope(address) or not self.delivery.is_active.get(address):
            return False
        if mailbox_left_alone(draft, address):
            return False
        row = draft.view.memory.mailboxes.get(address)
        is_readable = address in draft.view.desired.mailboxes
        if row and row.id in draft.view.wishes.unreadable and not is_readable:
            return False  # what an entry that can't be read just now has stays as it is
        is_known = address in draft.served if is_readable else row is not None and draft.is_of_source(row)
        if not is_known:
            return False  # somebody else's, or of nobody whom the directory or we know
        existing = draft.view.actual.mailboxes.get(address)
        is_ours = existing is None or draft.is_ours(existing) or not draft.view.config.create_mailboxes
        return is_ours or address in self.changed

    def one(self, address: Address) -> bool:
        """Plan the edit of one mailbox, if it needs one; False where its present rows must be read first."""
        view = self.draft.view
        row = view.memory.mailboxes.get(address)
        made = address in self.delivery.made  # one of an old row was deleted, and its rights with it
        had = row.senders if row and not made else frozenset()
        had_foreign = row.foreign_senders if row and not made else frozenset()
        wanted = self.needed(address)
        foreign = view.wishes.foreign_senders.get(address, frozenset())
        if not self.whole:
            foreign |= had_foreign
            if ANYBODY not in wanted:
                wanted |= {sender for sender in had if self.is_there(sender) and not self.is_implied(address, sender)}
        told = frozenset() if made else view.senders.get(address)
        if told is None:
            is_right = wanted == had and foreign == had_foreign and address not in self.closed
            if address in view.senders and not is_right:
                self.tell_untold(address)
            return is_right or address in view.senders
        there = frozenset(filter(self.is_there, told))  # mailcow drops the others, or keeps them whatever comes
        rows = wanted | (there - had)
        if ANYBODY in rows:
            rows = frozenset({ANYBODY})  # mailcow keeps nothing beside it
        if rows != there or foreign != had_foreign or self.is_dropped(address, rows):
            self.grant(address, there, rows, wanted, foreign, had_foreign)
        elif not made:
            self.note(address, row, wanted, foreign)
        return True

    def find(self, code: Code, where: str, sentence: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, where, sentence))

    def note_about(self, address: Address, **patch: object) -> None:
        """Remember something that needs no change in mailcow."""
        self.notes.append(Note(address, patch))

    def tell_untold(self, address: Address) -> None:
        """Say that rows which somebody may have made can't be seen, so that none are written over them."""
        self.find(
            Code.SEND_AS_NOT_FOUND,
            address,
            "mailcow doesn't tell whom its user may send as, so that is left as it is; mailcow tells it since 2026-07",
        )

    def needed(self, address: Address) -> frozenset[str]:
        """Return the rows that a mailbox needs: what is wished, without what an alias allows already."""
        wished = self.draft.view.wishes.senders.get(address, frozenset())
        if ANYBODY in wished:
            return frozenset({ANYBODY})
        needed = {sender for sender in wished if not self.is_implied(address, sender)}
        unknown = sorted(sender for sender in needed if not self.is_there(sender) or self.is_strangers(sender))
        if unknown:
            self.find(
                Code.SEND_AS_NOT_FOUND,
                address,
                f"its user shall send as {', '.join(unknown)}, which mailcow doesn't have; correct the entry, or make "
                "the mailbox or alias",
            )
        return frozenset(needed.difference(unknown))

    def is_strangers(self, sender: str) -> bool:
        """Tell whether what is at an address belongs to nobody in the directory, who wants it for a mailbox."""
        address = Address(sender)
        return self.delivery.is_anothers(address) and address not in self.draft.view.wishes.aliases

    def is_implied(self, address: Address, sender: str) -> bool:
        """Tell whether a mailbox may send as its own address, or as an alias that lets its targets do so."""
        if sender == address:
            return True
        alias = self.after.get(Address(sender))
        return alias is not None and alias[SENDER_ALLOWED] == 1 and address in split(str(alias[GOTO]))

    def is_there(self, sender: str) -> bool:
        """Tell whether mailcow has an address, or a domain, after this run: it refuses rows for others."""
        actual, address = self.draft.view.actual, Address(sender)
        if sender == ANYBODY:
            return True
        if sender.startswith("@") or address.domain not in actual.hosted:
            return address.domain in actual.hosted
        is_looked_at = address.domain in actual.domains or address.domain in actual.alias_domains
        return address in self.delivery.is_active or address in self.after or not is_looked_at

    def note(self, address: Address, row: Remembered | None, wanted: frozenset[str], foreign: frozenset[str]) -> None:
        """Remember what is there already."""
        if row and (row.senders, row.foreign_senders) == (wanted, foreign):
            self.note_about(address, senders_checked=self.draft.view.now)
        elif row or address not in self.changed:
            self.note_about(address, **self.known(address, row, wanted, foreign))

    def known(
        self, address: Address, row: Remembered | None, wanted: frozenset[str], foreign: frozenset[str]
    ) -> dict[str, object]:
        """Return what is remembered of a mailbox's rights, and of whose it is where nothing else tells that."""
        known: dict[str, object] = {
            "senders": wanted,
            "foreign_senders": foreign,
            "senders_checked": self.draft.view.now,
        }
        if row is None and address not in self.changed:
            mailbox = self.draft.view.desired.mailboxes[address]
            known |= {**identity(self.draft, mailbox), "origin": Origin.ADOPTED}
        return known

    def grant(
        self,
        address: Address,
        there: frozenset[str],
        rows: frozenset[str],
        wanted: frozenset[str],
        foreign: frozenset[str],
        had_foreign: frozenset[str],
    ) -> None:
        """Plan one edit of all that differs."""
        view = self.draft.view
        existing = view.actual.mailboxes.get(address)
        row = view.memory.mailboxes.get(address)
        dn = row.dn if row else ""
        if existing and (blocked := self.draft.blocked(existing, dn or address, self.changed.get(address))):
            self.findings.append(blocked)
            return
        dropped = {one for one in rows if self.is_dropped(address, [one])}
        before, after = ", ".join(sorted((there - dropped) | had_foreign)), ", ".join(sorted(rows | foreign))
        change = MailboxChange(
            Kind.GRANT,
            address,
            self.why(row, wanted, foreign, dropped),
            dn,
            fields=(FieldChange("send_as", before or None, after),),
            rebuilds=0 if existing is None or existing.attributes[ACTIVE.key] == 1 else 1,
            remember=self.known(address, row, wanted, foreign),
            attribute_hash=existing.attribute_hash if existing else "",
            passwd_update=existing.passwd_update if existing else "",
            senders=tuple(sorted(rows)) if rows != there or dropped else None,
            foreign_senders=tuple(sorted(foreign)) if foreign != had_foreign else None,
        )
        self.changes.append(change)
        gone = (there | had_foreign) - rows - foreign
        if any(not self.is_implied(address, one) for one in gone):
            self.losing.append(change)

    def why(
        self, row: Remembered | None, wanted: frozenset[str], foreign: frozenset[str], dropped: Collection[str]
    ) -> Why:
        """Name the rule that a change of rights follows."""
        if row is None or row.senders != wanted or row.foreign_senders != foreign:
            return Why.LDAP
        return Why.DROPPED if dropped else Why.MAILCOW

    def is_dropped(self, address: Address, rows: Iterable[str]) -> bool:
        """Tell whether an edit of an alias in this run drops a row of this mailbox: `edit/alias` does (section 7)."""
        return any(address in self.edited.get(Address(sender), ()) for sender in rows)
