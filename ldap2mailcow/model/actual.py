"""What mailcow has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .address import Address
from .alias import ExistingAlias
from .mailbox import Domain, Existing


@dataclass(frozen=True, slots=True)
class Actual:
    """What mailcow has: the domains in scope, what is in them, and what else plans need to know of it."""

    domains: Mapping[str, Domain]
    mailboxes: Mapping[Address, Existing]
    aliases: Mapping[Address, ExistingAlias] = field(default_factory=dict)
    """Those of the domains in scope and of their alias domains; empty where the run didn't need them."""
    alias_domains: Mapping[str, str] = field(default_factory=dict)
    """Alias domains in scope, each with the domain in which its addresses are looked up."""
    hosted: frozenset[str] = frozenset()
    """Every mail domain and alias domain of mailcow, in scope or not: all others are foreign."""
    provider: str = "mailcow"
    """The identity provider that is set up: mailcow (none), ldap, keycloak or generic-oidc."""
    half_deleted: int = 0
    """Rows that mailcow answers with every field null: what a crashed delete leaves."""

    def twin(self, address: Address) -> Address | None:
        """Return the address that mailcow takes one in an alias domain for; None for any other."""
        target = self.alias_domains.get(address.domain)
        return Address(f"{address.local}@{target}") if target else None
