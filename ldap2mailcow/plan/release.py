"""Releases: a mailbox or an alias of ours stays as it is, is marked as released, and nobody here touches it again."""

from __future__ import annotations

from dataclasses import dataclass

from ldap2mailcow.config import Config
from ldap2mailcow.model import (
    ACTIVE,
    PRIVATE_COMMENT,
    Address,
    AliasChange,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    MailboxChange,
    Memory,
    Remembered,
    RememberedAlias,
    Rule,
)

from .case import mark_against
from .marks import Marks


@dataclass(frozen=True, slots=True)
class NotReleased:
    """Why there is nothing to do."""

    sentence: str
    is_released: bool = False
    """Whether that is because it was released before."""


def release(
    address: Address, there: Existing | ExistingAlias | None, memory: Memory, config: Config
) -> Change | NotReleased:
    """Return the change that releases what mailcow has at an address, or why there is none.

    A release that was cut short is finished: what is left of it is in the change.
    """
    if address in config.protected:
        return NotReleased(f"{address} is protected by the config and left alone; take it out of `protected` first")
    if there is None:
        return NotReleased(
            f"mailcow has no mailbox and no alias {address}, so there is nothing to release; to keep one from being "
            "made, list it in `protected`"
        )
    marks = Marks(config.mark)
    left = mark_against(marks, there)
    rule = left.rule if left else None
    if left and rule is Rule.OTHER_INSTALLATION:
        return NotReleased(left.sentence)
    is_released = rule is Rule.WAS_RELEASED
    if isinstance(there, Existing):
        return _release_mailbox(there, memory, marks, is_released=is_released)
    return _release_alias(there, memory, marks, is_released=is_released)


def _release_mailbox(existing: Existing, memory: Memory, marks: Marks, *, is_released: bool) -> Change | NotReleased:
    row = memory.mailboxes.get(existing.address)
    ours = tuple(tag for tag in (*marks.tags, marks.disabled) if tag in existing.tags)
    if row is None and not ours:
        return _not_ours(existing.address, is_released=is_released)
    is_active = existing.attributes[ACTIVE.key] == 1
    return MailboxChange(
        Kind.RELEASE,
        existing.address,
        Rule.RELEASED,
        _dn(row),
        add_tags=() if is_released else marks.tags_of_released,  # first: whatever happens then, it isn't adopted again
        remove_tags=ours,
        attribute_hash=existing.attribute_hash,
        passwd_update=existing.passwd_update,
        rebuilds=0 if is_released or is_active else 1,
        remember=None,
    )


def _release_alias(existing: ExistingAlias, memory: Memory, marks: Marks, *, is_released: bool) -> Change | NotReleased:
    row, comment = memory.aliases.get(existing.address), str(existing.values[PRIVATE_COMMENT])
    number = row.number if row else None
    if comment not in marks.of_aliases and number != existing.number:
        return _not_ours(existing.address, is_released=is_released)
    if comment not in ("", marks.released, *marks.of_aliases):
        return NotReleased(
            f'the alias {existing.address} has a private comment of its own, "{comment}", in the place of which the '
            "mark of its release would be; clear it in mailcow, then release it again"
        )
    return AliasChange(
        Kind.RELEASE,
        existing.address,
        Rule.RELEASED,
        _dn(row),
        remember=None,
        writes={} if is_released else {PRIVATE_COMMENT: marks.released},
        number=existing.number,
    )


def _dn(row: Remembered | RememberedAlias | None) -> str:
    return row.dn if row else ""


def _not_ours(address: Address, *, is_released: bool) -> NotReleased:
    if is_released:
        return NotReleased(f"{address} was released before", is_released=True)
    return NotReleased(f"{address} is in mailcow and not managed from here, so there is nothing to release")
