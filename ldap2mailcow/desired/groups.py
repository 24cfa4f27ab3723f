"""A group's own values: addresses, flags, the comment. Its members are read apart (`members.py`, `memberships.py`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ldap2mailcow.model import INTERNAL, SENDER_ALLOWED, SOGO_VISIBLE, Address, Code, Entry, EntryId

from .asked import Group
from .values import Reader, default_flags, is_empty, parse_alias

COMMENT_MAX = 160
"""Bytes of a comment that mailcow takes (docs/mailcow-api.md section 7)."""


@dataclass(frozen=True, slots=True)
class _Names:
    """What a group may have of what it asks for, and whether that is all."""

    addresses: tuple[Address, ...]
    further: frozenset[Address]
    catches_all: bool | None
    is_all: bool


def read_group(reader: Reader, entry: Entry, group_id: EntryId) -> Group:
    """Read a group, without its members and without whom they may send as."""
    mapping = reader.source.group_mapping
    without_mail = is_empty(entry, mapping.mail)
    if without_mail:
        reader.find(
            Code.LIST_WITHOUT_MAIL,
            entry,
            f"it has no {mapping.mail}, so it is no list; it only serves other groups",
        )
    names = _names(reader, entry)
    return Group(
        id=group_id,
        dn=entry.dn,
        addresses=names.addresses,
        further=names.further,
        catches_all=names.catches_all,
        flags=_flags(reader, entry),
        comment=_comment(reader, entry),
        is_clear=without_mail or (bool(names.addresses) and names.is_all),
    )


def _names(reader: Reader, entry: Entry) -> _Names:
    """Return a group's addresses, without those that only the config can give, which is told."""
    mapping = reader.source.group_mapping
    stated = reader.addresses(entry, mapping.mail, parse_alias(mapping.mail))
    further = _further(reader, entry) - stated.keys() if stated else frozenset[Address]()
    catches_all = reader.flag(entry, mapping.catch_all, 0)
    catch_alls = sorted({Address(f"@{one.domain}") for one in stated}) if catches_all else []
    refused = _refused(reader, entry, [*stated, *sorted(further), *catch_alls])
    addresses = tuple(one for one in stated if one not in refused)
    return _Names(
        addresses,
        further - refused if addresses else frozenset(),
        None if catches_all is None else bool(catches_all) and refused.isdisjoint(catch_alls),
        is_all=not refused,
    )


def _refused(reader: Reader, entry: Entry, asked: Iterable[Address]) -> frozenset[Address]:
    """Return the addresses that only the config can give, which is told."""
    return frozenset(one for one in dict.fromkeys(asked) if not reader.is_allowed(entry, one, is_group=True))


def own_addresses(group: Group) -> frozenset[Address]:
    """Return all that a group asks to have: its addresses, further ones, catch-alls."""
    catch_alls = {Address(f"@{one.domain}") for one in group.addresses} if group.catches_all else set()
    return frozenset({*group.addresses, *group.further, *catch_alls})


def _further(reader: Reader, entry: Entry) -> frozenset[Address]:
    return frozenset(
        address
        for attribute in reader.source.group_mapping.aliases
        for address in reader.addresses(entry, attribute, parse_alias(attribute))
    )


def _flags(reader: Reader, entry: Entry) -> dict[str, int]:
    """Return the flags of a list; one that isn't told, or is unclear, is missing."""
    mapping = reader.source.group_mapping
    attributes = {
        INTERNAL: mapping.internal,
        SENDER_ALLOWED: mapping.sender_allowed,
        SOGO_VISIBLE: mapping.sogo_visible,
    }
    defaults = default_flags(visible=reader.config.sogo_visible.lists)
    flags = {key: reader.flag(entry, name, defaults.get(key)) for key, name in attributes.items()}
    return {key: value for key, value in flags.items() if value is not None}


def _comment(reader: Reader, entry: Entry) -> str | None:
    """Return mailcow's public comment; None for none, and for one that it can't hold."""
    attribute = reader.source.group_mapping.comment
    texts = {" ".join(text.split()) for text in reader.texts(entry, attribute)}
    problem = _comment_problem(texts)
    if problem:
        reader.find(
            Code.COMMENT_INVALID,
            entry,
            f"its {attribute} {problem}; correct it in the directory; until then a list that is there keeps its "
            "comment",
        )
        return None
    return next(iter(texts), None)


def _comment_problem(texts: set[str]) -> str:
    """Say why mailcow can't hold a comment; empty where it can."""
    if len(texts) > 1:
        return "has several values"
    comment = "".join(texts)
    if any(unicodedata.category(char) == "Cc" for char in comment):
        return "has control characters"
    return f"has more than {COMMENT_MAX} bytes" if len(comment.encode()) > COMMENT_MAX else ""
