"""Entries that only forward: users without a mailbox, and entries that are nothing else."""

from __future__ import annotations

from collections.abc import Collection

from ldap2mailcow.model import Address, Code, Entry, Role

from .askers import Forward, default_flags
from .people import Desired
from .reading import Reader, is_blank, parse_alias, parse_target, some_of
from .scope import Scope


def read_forwarder(reader: Reader, scope: Scope, entry: Entry, owner: str, address: Address) -> Forward:
    """Read where mail to a user without a mailbox goes."""
    config = reader.config
    before = len(reader.findings)
    stated = reader.addresses(entry, reader.source.user_mapping.forward_to, parse_target)
    is_clear = len(reader.findings) == before
    allowed = config.external_goto.users == "allow"
    return Forward(
        owner,
        entry.dn,
        Role.FORWARD,
        frozenset({address}),
        default_flags(visible=config.sogo_visible.users),
        stated=_permitted(reader, scope, entry, stated, "users", allowed=allowed),
        is_clear=is_clear,
    )


def read_forward(reader: Reader, scope: Scope, entry: Entry, owner: str, people: Desired) -> Forward:
    """Read an entry that is nothing but a forwarding; without an address that can be used it asks for nothing."""
    mapping, config = reader.source.alias_mapping, reader.config
    wanted = reader.addresses(entry, mapping.mail, parse_alias(mapping.mail))
    if all(map(is_blank, entry.values(mapping.mail))):
        reader.find(
            Code.NO_MAIL,
            entry,
            f"it has no {mapping.mail}; give it an address, or narrow alias_search_filter to entries with one",
        )
    own = {one for one in wanted if one in people.mailboxes and people.mailboxes[one].id == owner}
    if own:
        reader.find(
            Code.FORWARD_BESIDE_MAILBOX,
            entry,
            f"it is a user with the mailbox {', '.join(sorted(own))} and an entry that only forwards, and mailcow "
            "can't do both; narrow user_search_filter or alias_search_filter",
        )
    before = len(reader.findings)
    stated = reader.addresses(entry, mapping.goto, parse_target)
    is_clear = len(reader.findings) == before
    allowed = config.external_goto.groups == "allow"
    return Forward(
        owner,
        entry.dn,
        Role.FORWARD,
        frozenset(one for one in wanted if one not in own and scope.has(one, entry.dn)),
        default_flags(visible=config.sogo_visible.lists),
        stated=_permitted(reader, scope, entry, stated, "groups", allowed=allowed),
        is_clear=is_clear,
    )


def _permitted(
    reader: Reader, scope: Scope, entry: Entry, stated: Collection[Address], whose: str, *, allowed: bool
) -> frozenset[Address]:
    """Return the targets that an entry may have."""
    refused = set() if allowed else {one for one in stated if scope.is_foreign(one)}
    if refused:
        reader.find(
            Code.FOREIGN_GOTO,
            entry,
            f"mail shall go to {some_of(refused)}, which mailcow doesn't host; take that out of the directory, "
            f"or set external_goto.{whose}: allow",
        )
    return frozenset(stated).difference(refused)
