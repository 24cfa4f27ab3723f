"""Who holds an address: a person is a stable id, and an address doesn't go from one to another by itself."""

from __future__ import annotations

from ldap2mailcow.config import Config, Source
from ldap2mailcow.model import (
    ACTIVE,
    Address,
    Cause,
    Code,
    Kind,
    Mailbox,
    MailboxChange,
    Memory,
    Note,
    Remembered,
    Why,
)
from ldap2mailcow.plan.draft import Draft, is_unclaimed
from ldap2mailcow.plan.grace import absence
from ldap2mailcow.plan.guard import guard_others
from ldap2mailcow.plan.ownership import mailbox_left_alone
from ldap2mailcow.plan.view import What, Withheld

from .status import status_change

SILENT = "which {0.dn} has in the directory {0.source}, and that can't be read now; it has to wait until it can"

REPLACED_AT_LEAST = 3
"""Fewer entries than this with new ids are people who were made anew, not a new directory server."""


def may_have(draft: Draft, mailbox: Mailbox) -> bool:
    """Tell whether an entry may have its address: not where it had another one, or where another entry has it."""
    address = mailbox.address
    own = draft.known(mailbox)
    if own and own.address != address and _is_gone_from_mailcow(draft, own.address):
        draft.notes.append(Note(own.address, None))  # renamed or deleted there by hand: nothing is left to hold on to
    if address in draft.view.renames.held:
        _tell_held(draft, mailbox, draft.view.renames.held[address])
        return False
    holder = draft.view.memory.mailboxes.get(address)
    if holder is None or _is_entry_of(mailbox, holder, draft):
        return True
    if draft.is_silent(holder):
        draft.find(Code.ADDRESS_REUSED, mailbox.dn, f"it wants {address}, {SILENT.format(holder)}")
        return False
    if _is_gone_from_mailcow(draft, address):
        return True
    if not _is_gone(draft, holder):
        draft.find(
            Code.ADDRESS_REUSED,
            mailbox.dn,
            f"it wants {address}, which is still the mailbox of {holder.dn}; first that one must give it up",
        )
        return False
    if not _is_just_gone(draft, holder):
        draft.find(
            Code.ADDRESS_REUSED,
            mailbox.dn,
            f"it wants {address}, the mailbox of {holder.dn}, which is gone from the directory for too long to be the "
            "same person; move the old mailbox away in mailcow, or give the new entry another address",
        )
        return False
    draft.taken_over.add(address)
    return True


def _tell_held(draft: Draft, mailbox: Mailbox, reason: str) -> None:
    """Say why a mailbox keeps its address; nothing where it is told otherwise."""
    if reason:
        draft.find(
            Code.RENAMED,
            mailbox.dn,
            f"its address changed from {draft.view.desired.held[mailbox.address]} to {mailbox.address}, and neither "
            f"is touched: {reason}",
        )


def holders(memory: Memory, source: Source, config: Config) -> dict[str, Address]:
    """Return the address that each known id of a directory (where none is known, each lower-case DN) holds.

    Of somebody who has moved to another domain, it is the mailbox that is not out of service. Rows of a name that the
    config doesn't have may be this directory's, under the name that it had before.
    """
    others = {one.name for one in config.sources} - {source.name}
    rows = [row for row in memory.mailboxes.values() if row.source not in others or is_unclaimed(row)]
    rows.sort(key=lambda row: (row.source == source.name, row.disabled is not Cause.MISSING))
    return {row.id or row.dn.lower(): row.address for row in rows}


def _is_gone_from_mailcow(draft: Draft, address: Address) -> bool:
    """Tell whether mailcow surely has no such mailbox: its domain was read, and it isn't in there."""
    return address.domain in draft.view.actual.domains and address not in draft.view.actual.mailboxes


def _is_entry_of(mailbox: Mailbox, holder: Remembered, draft: Draft) -> bool:
    """Tell whether a row may be the entry's own: by its id, or without one, unless its DN is another entry's.

    A DN that isn't there may have moved; that it isn't there only an answer about everybody tells.
    """
    if holder.source != mailbox.source and not is_unclaimed(holder):
        return False
    if holder.id is not None:
        return holder.id == mailbox.id
    if holder.dn.lower() in ("", mailbox.dn.lower()):
        return True
    others = draft.view.others
    return draft.sees_all and others.are_whole and holder.dn.lower() not in draft.view.desired.dns | others.dns


def _is_gone(draft: Draft, holder: Remembered) -> bool:
    """Tell whether the entry that has a mailbox is surely no longer in the directory."""
    absence_is_known = draft.sees_all and draft.is_of_source(holder)
    return holder.id is not None and holder.id not in draft.view.desired.ids and absence_is_known


def _is_just_gone(draft: Draft, holder: Remembered) -> bool:
    """Tell whether it has been gone for so short a time that an entry with its address is the same person."""
    policy, now = draft.view.config.removed_users, draft.view.now
    return now - absence(holder, policy, now).since <= policy.missing_for


def guard_ids(draft: Draft) -> Withheld | None:
    """Leave everybody as they are where most people have another id at once, until somebody has said a word.

    A new directory server does that; so does the wrong one.
    """
    view = draft.view
    known = _known_by_id(draft)
    again = [
        mailbox
        for address, mailbox in sorted(view.desired.mailboxes.items())
        if (holder := view.memory.mailboxes.get(address))
        and holder.id != mailbox.id
        and address in view.actual.mailboxes
        and draft.in_scope(address)
        and _is_gone(draft, holder)
        and _is_just_gone(draft, holder)
    ]
    if len(again) < REPLACED_AT_LEAST or len(again) * 2 <= known:
        return None
    withheld = guard_others(
        draft,
        [MailboxChange(Kind.ADOPT, one.address, Why.UNKNOWN_HERE, one.dn) for one in again],
        What.IDS,
        managed=known,
        limit=view.config.limits.renames.allows,
        search_doubt="",
    )
    if withheld:
        draft.waiting = frozenset(withheld.addresses)
    return withheld


def _known_by_id(draft: Draft) -> int:
    """Return how many people of the directory are remembered with an id."""
    return sum(row.id is not None and draft.is_of_source(row) for row in draft.view.memory.mailboxes.values())


def tell_replaced_ids(draft: Draft) -> None:
    """Say that more than half of the people were matched by their address alone, as on another directory server."""
    known = _known_by_id(draft)
    if len(draft.taken_over) >= REPLACED_AT_LEAST and len(draft.taken_over) * 2 > known:
        draft.find(
            Code.IDS_REPLACED,
            draft.view.source.name,
            f"{len(draft.taken_over)} of {known} people have another {draft.view.id_attribute} and the same address, "
            "as on a new directory server; they are matched by their addresses, so see that it is the right server",
        )


def decide_left_behind(draft: Draft) -> None:
    """Decide about our mailboxes whose entry is there and no longer gives them an address that can be used.

    The mailbox stays as it is, with a finding; an entry that says inactive disables it all the same.
    """
    readable = {mailbox.id for mailbox in draft.view.desired.mailboxes.values()}
    for address, row in sorted(draft.view.memory.mailboxes.items()):
        existing = draft.view.actual.mailboxes.get(address)
        if existing is None or address in draft.served or row.id not in draft.view.desired.ids or draft.has_moved(row):
            continue
        if not draft.is_of_source(row) or mailbox_left_alone(draft, address) or not draft.in_scope(address):
            continue
        if row.id not in readable:  # another address is told as a rename
            draft.find(
                Code.ADDRESS_LOST,
                row.dn,
                f"it no longer has an address that can be used, so {address} isn't followed any more and stays as it "
                "is; correct the address in the directory",
            )
        if row.id in draft.view.desired.inactive and existing.attributes[ACTIVE.key] != 0:
            if blocked := draft.blocked(existing, row.dn):
                draft.findings.append(blocked)
                continue
            patch = {"disabled": Cause.STATUS}
            draft.changes.append(status_change(draft, Kind.DISABLE, Why.STATUS, existing, row.dn, 0, patch))
