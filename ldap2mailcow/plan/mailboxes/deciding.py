"""What each wanted mailbox needs: to be created, adopted, updated, enabled, disabled, or nothing."""

from __future__ import annotations

from ldap2mailcow.model import QUOTA, Address, Code, Mailbox
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.order import lowers_quota
from ldap2mailcow.plan.ownership import mailbox_left_alone

from .creation import create
from .holders import may_have
from .keeping import Keeper


def decide_mailboxes(draft: Draft) -> None:
    """Decide about every mailbox that the directory wants.

    Those that free quota come first, as they will in the run; else in address order, so that plans are the same each
    time.
    """
    for address, mailbox in sorted(draft.view.desired.mailboxes.items(), key=lambda item: _turn(draft, item[1])):
        if not draft.in_scope(address):
            continue
        if left := mailbox_left_alone(draft, address):
            if left.code is Code.PROTECTED or _is_decided(draft, address):
                draft.find_once(left.code, address, left.sentence)
            continue
        if address not in draft.waiting and not may_have(draft, mailbox):
            draft.refused.add(address)
            continue
        draft.served.add(address)
        if address in draft.waiting:
            continue
        existing = draft.view.actual.mailboxes.get(address)
        if existing is None and draft.view.config.create_mailboxes:
            create(draft, mailbox)
        elif existing is not None and draft.view.config.decides_status:
            Keeper(draft, mailbox, existing).decide()


def _is_decided(draft: Draft, address: Address) -> bool:
    """Tell whether anything is decided about a mailbox here: where mailboxes come from elsewhere, rights at most."""
    wishes = draft.view.wishes
    has_rights = address in wishes.senders or address in wishes.foreign_senders
    return draft.view.config.decides_status or has_rights


def _turn(draft: Draft, mailbox: Mailbox) -> tuple[bool, Address]:
    existing, wanted = draft.view.actual.mailboxes.get(mailbox.address), mailbox.attributes.get(QUOTA.key)
    if existing is None or wanted is None:
        return True, mailbox.address
    return not lowers_quota(QUOTA.key, existing.attributes[QUOTA.key], wanted), mailbox.address
