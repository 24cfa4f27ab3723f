"""What users' own entries ask for: further addresses, and the lists they are on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ldap2mailcow.model import Address, Entry, Role

from .askers import Forward, Person, default_flags
from .identity import stable_id
from .people import Desired
from .reading import Reader, parse_alias
from .scope import Scope


def known_users(
    entries: Iterable[Entry], people: Desired, id_attribute: str
) -> Iterator[tuple[Entry, str, Address | None]]:
    """Give the users' entries with their ids and addresses; None for those who have none to use.

    That is what the mailbox is called, or will be, or what only forwards. An address at which somebody else is held
    is none to use: mail for the one who wants it would go to the other.

    Those that can't be told apart are left out.
    """
    others = people.renaming.keys() - people.held.keys()
    addresses = {one.id: one.address for one in people.mailboxes.values() if one.address not in others}
    addresses |= {one.id: one.address for one in people.forwarders.values()}
    for entry in entries:
        entry_id = stable_id(entry, id_attribute)
        if entry_id in people.ids:
            yield entry, entry_id, addresses.get(entry_id)


def read_person(
    reader: Reader, scope: Scope, entry: Entry, owner: str, own: Sequence[Address], forward: Forward | None
) -> Person:
    """Read the further addresses of a user; the own ones are none of them: the mailbox, and what it will be called.

    Nor is a mailbox's twin in an alias domain, which mailcow delivers to the mailbox; it does so for no alias.
    """
    wanted = {
        address
        for attribute in reader.source.user_mapping.aliases
        for address in reader.addresses(entry, attribute, parse_alias(attribute))
        if address not in own and (forward or scope.twin(address) not in own)
    }
    return Person(
        owner=owner,
        dn=entry.dn,
        role=Role.USER,
        addresses=frozenset(one for one in wanted if scope.has(one, entry.dn) and reader.is_allowed(entry, one)),
        flags=default_flags(visible=reader.config.sogo_visible.users),
        primary=own[0],
        forward=forward,
    )
