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

from .draft import Draft


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
    if now == 0 and (cause or draft.disabled_tag in existing.tags):
        if wanted is None and _may_be_locked(draft, cause):
            _tell_untold(draft, mailbox)
            return None
        why = Why.STATUS_BACK if wanted == 1 and cause is not Cause.MISSING else Why.BACK
        was = row.was_active if row else 1
        return status_change(draft, Kind.ENABLE, why, existing, mailbox.dn, was, {**identity, "disabled": None})
    if now != 1 and wanted == 1:
        draft.find(
            Code.DISABLED_BY_HAND,
            mailbox.dn,
            f"the directory says that it is active, but {mailbox.address} was "
            f"{'set inactive' if now == 0 else 'barred from logging in'} in mailcow by somebody else; "
            "activate it in mailcow if that is no longer meant",
        )
    return None


def is_active_again(mailbox: Mailbox, existing: Existing) -> bool:
    """Tell whether a mailbox, if we ever set it inactive, was given another status in mailcow since."""
    return existing.attributes[ACTIVE.key] != 0 and mailbox.attributes.get(ACTIVE.key) != 0


def _may_be_locked(draft: Draft, cause: Cause | None) -> bool:
    """Tell whether an inactive state may be its status' doing: surely, or because only the tag is left of it."""
    return cause is Cause.STATUS or (cause is None and bool(draft.view.source.user_mapping.active))


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
    """Return the change that sets a mailbox inactive (0), or back to what it was, with the tag that says who did it."""
    tag = draft.disabled_tag
    before = cast("int", existing.attributes[ACTIVE.key])
    return MailboxChange(
        kind,
        existing.address,
        why,
        dn,
        fields=(FieldChange(ACTIVE.key, before, value),),
        writes={ACTIVE.key: value},
        add_tags=(tag,) if value == 0 and tag not in existing.tags else (),
        remove_tags=(tag,) if value != 0 and tag in existing.tags else (),
        attribute_hash=existing.attribute_hash,
        passwd_update=existing.passwd_update,
        rebuilds=0 if value == 1 else 1,
        remember={**patch, "was_active": before} if value == 0 else patch,
    )
