"""Domains: which aliases are asked for where mailcow has none, and what an alias domain stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ldap2mailcow.config import Source
from ldap2mailcow.model import Address, Code, Finding


@dataclass(slots=True)
class Scope:
    """Which addresses are aliases here; one finding tells of all addresses of a domain that is left out."""

    source: Source
    hosted: frozenset[str]
    """Every mail domain and alias domain of mailcow."""
    alias_domains: Mapping[str, str]
    _left_out: dict[tuple[Code, str], set[tuple[str, Address]]] = field(default_factory=lambda: defaultdict(set))

    def has(self, address: Address, dn: str) -> bool:
        """Tell whether an address is to be an alias; one that isn't is counted, with the DN of who asks for it."""
        domain = address.domain
        if self.source.domains and self.alias_domains.get(domain, domain) not in self.source.domains:
            self._left_out[Code.DOMAIN_NOT_OURS, domain].add((dn, address))
        elif domain not in self.hosted:
            self._left_out[Code.DOMAIN_NOT_HOSTED, domain].add((dn, address))
        else:
            return True
        return False

    def is_foreign(self, address: Address) -> bool:
        """Tell whether mailcow doesn't host an address."""
        return address.domain not in self.hosted

    def twin(self, address: Address) -> Address | None:
        """Return the address that mailcow takes one in an alias domain for; None for any other, and for a catch-all."""
        target = self.alias_domains.get(address.domain)
        return Address(f"{address.local}@{target}") if target and address.local else None

    def findings(self) -> list[Finding]:
        """Return one finding for each domain that is left out."""
        return [_finding(code, domain, sorted(asked)) for (code, domain), asked in self._left_out.items()]


def _finding(code: Code, domain: str, asked: list[tuple[str, Address]]) -> Finding:
    (dn, address), count = asked[0], len(asked)
    what = f"{address} of {dn}" if count == 1 else f"{count} addresses, {address} of {dn} among them"
    if code is Code.DOMAIN_NOT_OURS:
        return Finding(code, domain, f"it is none of the `domains` of the config, so {what} can't be an alias")
    return Finding(code, domain, f"mailcow has no such mail domain for {what}; add it there, or correct the directory")
