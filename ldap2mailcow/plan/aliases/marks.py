"""Whose an alias is: the state file or the mark in its private comment says that it is ours."""

from __future__ import annotations

from ldap2mailcow.model import (
    PRIVATE_COMMENT,
    Address,
    Alias,
    ExistingAlias,
    Mailbox,
    Origin,
    Remembered,
    RememberedAlias,
    Role,
)
from ldap2mailcow.plan.draft import Draft


def marks(draft: Draft) -> tuple[str, ...]:
    """Return the private comments that are ours: of an alias, of one that we set inactive, of a former address."""
    return draft.view.config.mark, draft.disabled_tag, draft.marks.renamed


def is_our_alias(draft: Draft, existing: ExistingAlias) -> bool:
    """Tell whether we may touch an alias.

    A remembered number that differs tells of another alias, which somebody made after ours was gone.
    """
    row = draft.view.memory.aliases.get(existing.address)
    return existing.values[PRIVATE_COMMENT] in marks(draft) or (row is not None and _is_of(existing, row))


def _is_of(existing: ExistingAlias, row: RememberedAlias) -> bool:
    """Tell whether a row is about this very alias; one made and not read back yet has no number, but our mark.

    Nor has one that a rename of ours left, where the run ended before it could mark it.
    """
    return row.number == existing.number or (
        row.role is Role.FORMER and not row.number and is_as_renaming_left_it(existing)
    )


def is_as_renaming_left_it(existing: ExistingAlias) -> bool:
    """Tell whether an alias is as mailcow makes it for the old address of a mailbox (docs/mailcow-api.md section 15).

    Its comment alone doesn't tell who renamed that mailbox.
    """
    return str(existing.values[PRIVATE_COMMENT]).startswith(f"Mailbox was renamed from {existing.address} to ")


def row_of(draft: Draft, existing: ExistingAlias) -> RememberedAlias:
    """Return what we remember of an alias that is ours; a fresh row where only its mark says so.

    Of a former address the mark says whose it is, too: who has the mailbox that it goes to.
    """
    is_former = existing.values[PRIVATE_COMMENT] == draft.marks.renamed
    mailbox = _user_at(draft, min(existing.goto, default=existing.address)) if is_former else None
    return draft.view.memory.aliases.get(existing.address) or RememberedAlias(
        existing.address,
        source=draft.view.source.name,
        owner=(mailbox.id or "") if mailbox else "",
        dn=mailbox.dn if mailbox else "",
        role=Role.FORMER if is_former else None,
        origin=Origin.MARK,
        disabled=existing.values[PRIVATE_COMMENT] == draft.disabled_tag,
    )


def _user_at(draft: Draft, address: Address) -> Mailbox | Remembered | None:
    """Return the user who has a mailbox: not the one who shall get its address, and is held at another."""
    desired = draft.view.desired
    return draft.view.memory.mailboxes.get(address) if address in desired.held else desired.mailboxes.get(address)


def comment(draft: Draft, existing: ExistingAlias, *, disabled: bool, former: bool = False) -> dict[str, str]:
    """Return what to write as the private comment; nothing where it is right, or somebody's own words."""
    ours = marks(draft)
    there, wanted = existing.values[PRIVATE_COMMENT], ours[1 if disabled else 2 if former else 0]
    is_nobodys = there in ("", *ours) or (is_as_renaming_left_it(existing) and is_our_alias(draft, existing))
    return {PRIVATE_COMMENT: wanted} if is_nobodys and there != wanted else {}


def is_disabled_by_us(draft: Draft, existing: ExistingAlias) -> bool:
    """Tell whether an inactive state is our doing."""
    row = draft.view.memory.aliases.get(existing.address)
    return existing.values[PRIVATE_COMMENT] == draft.disabled_tag or (
        row is not None and _is_of(existing, row) and row.disabled
    )


def is_managed(draft: Draft, role: Role | None) -> bool:
    """Tell whether the config has such aliases made at all; those of a kind that was turned off stay as they are."""
    source = draft.view.source
    mapping = source.user_mapping
    made = {
        Role.USER: bool(mapping.aliases),
        Role.LIST: source.reads_groups or bool(mapping.group_addresses),
        Role.FORWARD: source.reads_forwards or bool(mapping.forward_to),
    }
    if role is Role.FORMER:
        return draft.view.config.create_mailboxes
    return any(made.values()) if role is None else made[role]


def concerns(draft: Draft, wish: Alias) -> bool:
    """Tell whether `--only` leaves an alias to this run: its own address, or that of the user whom it belongs to.

    Where it goes doesn't tell: the further addresses of a user without a mailbox go to others.
    """
    return draft.in_scope(wish.address) or (wish.role in OF_ONE_PERSON and wish.owner in draft.named)


OF_ONE_PERSON = frozenset({Role.USER, Role.FORMER})
"""The kinds of aliases that are further addresses of one mailbox."""
