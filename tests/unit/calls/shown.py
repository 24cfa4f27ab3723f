"""What mailcow shows, without a mailcow."""

from __future__ import annotations

from collections.abc import Iterable

from ldap2mailcow.model import Address, Existing, ExistingAlias


class Shown:
    """Mailboxes, halves of mailboxes and aliases; nothing else is there."""

    def __init__(self, *there: Existing | ExistingAlias, halves: Iterable[Address] = ()) -> None:
        self._mailboxes = {one.address: one for one in there if isinstance(one, Existing)}
        self._aliases = {one.address: one for one in there if isinstance(one, ExistingAlias)}
        self._halves = frozenset(halves)

    def has_mailbox(self, address: Address) -> bool:
        return address in self._mailboxes or address in self._halves

    def mailbox(self, address: Address) -> Existing | None:
        return self._mailboxes.get(address)

    def alias(self, address: Address) -> ExistingAlias | None:
        return self._aliases.get(address)
