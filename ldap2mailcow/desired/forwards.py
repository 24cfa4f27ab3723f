"""Where mail goes instead of to a mailbox: users with `forward_to`, and entries that only forward."""

from __future__ import annotations

from ldap2mailcow.model import Address, Code, Entry, EntryId

from .asked import Forward
from .values import Reader, default_flags, is_empty, parse_alias, parse_target


def read_user_forward(reader: Reader, entry: Entry, user: EntryId, addresses: frozenset[Address]) -> Forward | None:
    """Read where mail to a user goes; None for a user who is to have a mailbox. `addresses` are the user's own."""
    attribute = reader.source.user_mapping.forward_to
    if is_empty(entry, attribute):
        return None
    stated, is_clear = _stated(reader, entry, attribute)
    flags = default_flags(visible=reader.config.sogo_visible.users)
    return Forward(user, entry.dn, addresses, stated, flags, is_clear, is_user=True)


def read_forward(reader: Reader, entry: Entry, forward_id: EntryId) -> Forward:
    """Read an entry that only forwards."""
    mapping = reader.source.alias_mapping
    asked = reader.addresses(entry, mapping.mail, parse_alias(mapping.mail))
    addresses = frozenset(one for one in asked if reader.is_allowed(entry, one, is_group=True))
    if is_empty(entry, mapping.mail):
        reader.find(
            Code.NO_MAIL,
            entry,
            f"it has no {mapping.mail}; give it an address, or narrow alias_search_filter to entries with one",
        )
    stated, is_clear = _stated(reader, entry, mapping.goto)
    return Forward(
        forward_id,
        entry.dn,
        addresses,
        stated,
        default_flags(visible=reader.config.sogo_visible.lists),
        is_clear and len(addresses) == len(asked),
    )


def _stated(reader: Reader, entry: Entry, attribute: str) -> tuple[frozenset[Address], bool]:
    """Return where an entry says that mail goes, and whether all of that could be read."""
    before = reader.found
    stated = frozenset(reader.addresses(entry, attribute, parse_target))
    return stated, reader.found == before
