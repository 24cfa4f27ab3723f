"""mailcow as it is now, for those who look whether something is done."""

from __future__ import annotations

from ldap2mailcow.mailcow import HalfDeleted, Mailcow, read_aliases, read_mailbox
from ldap2mailcow.model import Address, Existing, ExistingAlias


class Now:
    """mailcow at one moment: each address is read once, when it is first asked for.

    Every question raises what `Mailcow.get` raises, and Unreadable.
    """

    def __init__(self, client: Mailcow) -> None:
        """Nothing is read yet."""
        self._client = client
        self._mailboxes: dict[Address, Existing | HalfDeleted | None] = {}
        self._aliases: dict[Address, ExistingAlias | None] = {}

    def has_mailbox(self, address: Address) -> bool:
        """Tell whether there is a mailbox, whole or half-deleted."""
        return self._mailbox(address) is not None

    def mailbox(self, address: Address) -> Existing | None:
        """Return a mailbox; None where there is none, or only half of it."""
        found = self._mailbox(address)
        return found if isinstance(found, Existing) else None

    def alias(self, address: Address) -> ExistingAlias | None:
        """Return an alias; None where there is none."""
        if address not in self._aliases:
            self._aliases[address] = read_aliases(self._client, [address.domain]).get(address)
        return self._aliases[address]

    def _mailbox(self, address: Address) -> Existing | HalfDeleted | None:
        if address not in self._mailboxes:
            self._mailboxes[address] = read_mailbox(self._client, address)
        return self._mailboxes[address]
