"""One address wanted by several: its holder keeps it, and without one nobody gets it."""

from __future__ import annotations

from collections.abc import Iterable

from ldap2mailcow.model import Address, Code, Finding

from .reading import some_of


def duplicate(address: Address, dns: Iterable[str], holder: str | None) -> Finding:
    """Return what is said of entries that want one address; `holder` is the DN of the one that keeps it."""
    named = some_of(tuple(dns), by=" and ")
    result = f"{holder} keeps it" if holder else "nobody gets it"
    return Finding(
        Code.DUPLICATE_ADDRESS,
        address,
        f"{named} want the same address; {result} until one of them has another in the directory",
    )
