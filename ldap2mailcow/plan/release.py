"""Releases: a mailbox or an alias of ours stays as it is, is marked as released, and nobody here touches it again."""

from __future__ import annotations

from collections.abc import Mapping
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
    Rule,
    Value,
)

from .case import alias_mark_against, mark_against
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
    marks = Marks(config.mark)
    match there:
        case Existing():
            return _release_mailbox(there, memory, marks)
        case ExistingAlias():
            return _release_alias(there, memory, marks)
    return NotReleased(
        f"mailcow has no mailbox and no alias {address}, so there is nothing to release; to keep one from being made, "
        "list it in `protected`"
    )


def _release_mailbox(existing: Existing, memory: Memory, marks: Marks) -> Change | NotReleased:
    address, row = existing.address, memory.mailboxes.get(existing.address)
    if marks.foreign(existing.tags) and (left := mark_against(marks, existing)):
        return NotReleased(left.sentence)
    is_released = marks.released in existing.tags
    ours = tuple(tag for tag in (*marks.tags, marks.disabled) if tag in existing.tags)
    if row is None and not marks.claims(existing.tags) and not (is_released and ours):
        return _not_ours(address, is_released=is_released)
    return MailboxChange(
        Kind.RELEASE,
        address,
        Rule.RELEASED,
        row.dn if row else "",
        add_tags=() if is_released else (marks.released,),  # first: whatever happens then, it isn't adopted again
        remove_tags=ours,
        attribute_hash=existing.attribute_hash,
        passwd_update=existing.passwd_update,
        rebuilds=0 if is_released or existing.attributes[ACTIVE.key] == 1 else 1,
        remember=None,
    )


def _release_alias(existing: ExistingAlias, memory: Memory, marks: Marks) -> Change | NotReleased:
    address, comment = existing.address, str(existing.values[PRIVATE_COMMENT])
    if marks.is_foreign(comment) and (left := alias_mark_against(marks, existing)):
        return NotReleased(left.sentence)
    row = memory.aliases.get(address)
    is_released, is_marked = comment == marks.released, comment in marks.own
    is_remembered = row is not None and (row.number == existing.number or is_marked)
    if not is_remembered and (is_released or not is_marked):
        return _not_ours(address, is_released=is_released)
    if comment and not is_marked:
        return NotReleased(
            f'the alias {address} has a private comment of its own, "{comment}", in the place of which the mark of its '
            "release would be; clear it in mailcow, then release it again"
        )
    writes: Mapping[str, Value] = {} if is_released else {PRIVATE_COMMENT: marks.released}
    return AliasChange(
        Kind.RELEASE,
        address,
        Rule.RELEASED,
        row.dn if row else "",
        remember=None,
        writes=writes,
        number=existing.number,
    )


def _not_ours(address: Address, *, is_released: bool) -> NotReleased:
    if is_released:
        return NotReleased(f"{address} was released before", is_released=True)
    return NotReleased(f"{address} is in mailcow and not managed from here, so there is nothing to release")
