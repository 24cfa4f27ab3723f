"""What an entry shows of what is mapped: 'vanished' is measured by that."""

from __future__ import annotations

from collections.abc import Mapping

from ldap2mailcow.config import Source
from ldap2mailcow.model import ATTRIBUTES, Entry

_KEYS = (
    "mail",
    "password",
    *(key for row in ATTRIBUTES.values() for key in row.mapped),
    "group_addresses",
    "forward_to",
    "send_as",
)


def measured(source: Source) -> dict[str, str]:
    """Return the attributes that `user_mapping` names, by key; of several in one key each has a key of its own.

    That one is the key, a colon and the attribute: `aliases:proxyAddresses`.
    """
    mapping = source.user_mapping
    named = {key: str(getattr(mapping, key)) for key in _KEYS}
    named |= {f"aliases:{name}": name for name in mapping.aliases}
    return {key: name for key, name in named.items() if name}


def shown_by(entry: Entry, attributes: Mapping[str, str]) -> frozenset[str]:
    """Return the keys of `measured` for which an entry has a value, usable or not."""
    return frozenset(key for key, name in attributes.items() if entry.values(name))
