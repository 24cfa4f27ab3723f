"""Active or not, by the rule of two masters: 0 becomes 1 only where we set the 0."""

from __future__ import annotations

from typing import cast

from ldap2mailcow.model import (
    ACTIVE,
    Cause,
    Code,
    Existing,
    FieldChange,
    Kind,
    Mailbox,
    MailboxChange,
    Patch,
    Remembered,
    Why,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.rename_calls import BARRED


def decide_status(
    draft: Draft,
    mailbox: Mailbox,
    existing: Existing,
    row: Remembered | None,
    identity: Patch,
) -> MailboxChange | None:
    """Return what an entry's status asks for; `identity` is what is remembered with it."""
    wanted, now = mailbox.attributes.get(ACTIVE.key), existing.attributes[ACTIVE.key]
    cause = row.disabled if row else None
    if wanted == 0:
        patch = {**identity, "disabled": Cause.STATUS}
        return status_change(draft, Kind.DISABLE, Why.STATUS, existing, mailbox.dn, 0, patch) if now != 0 else None
    if is_our_doing(draft, existing, row):
        may_be_locked = cause is Cause.STATUS or (cause is None and now == 0 and _is_status_mapped(draft))
        if wanted is None and may_be_locked:
            _tell_untold(draft, mailbox)
            return None
        why = Why.STATUS_BACK if wanted == 1 and cause is not Cause.MISSING else Why.BACK
        was = row.was_active if row and now == 0 else 1
        patch = {**identity, "disabled": None, "barred": 0}
        return status_change(draft, Kind.ENABLE, why, existing, mailbox.dn, was, patch)
    if now != 1 and wanted == 1:
        draft.find(
            Code.DISABLED_BY_HAND,
            mailbox.dn,
            f"the directory says that it is active, but {mailbox.address} was "
            f"{'set inactive' if now == 0 else 'barred from logging in'} in mailcow by somebody else; "
            "activate it in mailcow if that is no longer meant",
        )
    return None


def is_our_doing(draft: Draft, existing: Existing, row: Remembered | None) -> bool:
    """Tell whether it was us who set a mailbox inactive, or barred the login, and whether that is still so.

    The state file says so, or else the tag; a tag beside a barred login is ours only where the config bars logins.
    """
    now = existing.attributes[ACTIVE.key]
    if row and row.disabled:
        return now == row.barred
    bars = draft.view.config.removed_users.action == "disallow_login"
    return draft.disabled_tag in existing.tags and (now == 0 or (now == BARRED and bars))


def is_over(draft: Draft, mailbox: Mailbox, existing: Existing, row: Remembered | None) -> bool:
    """Tell whether a mailbox, if we ever set it inactive, was given another status in mailcow since."""
    return mailbox.attributes.get(ACTIVE.key) != 0 and not is_our_doing(draft, existing, row)


def _is_status_mapped(draft: Draft) -> bool:
    return bool(draft.view.source.user_mapping.active)


def _tell_untold(draft: Draft, mailbox: Mailbox) -> None:
    """Say that a mailbox stays inactive because nobody tells its status: untold is not the same as active."""
    attribute = draft.view.source.user_mapping.active or "status"
    draft.find(
        Code.STATUS_UNTOLD,
        mailbox.dn,
        f"{mailbox.address} was set inactive from here and stays so, because the entry shows no {attribute} now; "
        "let the bind DN read it or give it a value, or activate the mailbox in mailcow",
    )


def status_change(
    draft: Draft,
    kind: Kind,
    why: Why,
    existing: Existing,
    dn: str,
    value: int,
    patch: Patch,
) -> MailboxChange:
    """Return the change that takes a mailbox out of service, or sets it back to what it was.

    Out of service is inactive (0) or BARRED; a tag says in mailcow who did it.
    """
    tag, disables = draft.disabled_tag, kind is Kind.DISABLE
    before = cast("int", existing.attributes[ACTIVE.key])
    row = draft.view.memory.mailboxes.get(existing.address)
    was = 1 if is_our_doing(draft, existing, row) else before  # only an active one is ever barred from here
    return MailboxChange(
        kind,
        existing.address,
        why,
        dn,
        fields=(FieldChange(ACTIVE.key, before, value),),
        writes={ACTIVE.key: value},
        add_tags=(tag,) if disables and tag not in existing.tags else (),
        remove_tags=(tag,) if not disables and tag in existing.tags else (),
        attribute_hash=existing.attribute_hash,
        passwd_update=existing.passwd_update,
        rebuilds=0 if value == 1 else 1,
        remember={**patch, "was_active": was, "barred": value} if disables else patch,
    )
