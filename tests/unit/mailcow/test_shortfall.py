"""How many aliases a list lacks."""

from __future__ import annotations

from ldap2mailcow.mailcow.aliases import shortfall
from ldap2mailcow.model import Address, Domain


def domain(name: str, aliases: int) -> Domain:
    return Domain(name, 0, 10, 1, 10, 100, 0, aliases, 400)


DOMAINS = {"a.org": domain("a.org", 2), "b.org": domain("b.org", 0)}
ALIAS_DOMAINS = {"twin.org": "a.org"}


def short(*addresses: str) -> dict[str, int]:
    return shortfall(DOMAINS, ALIAS_DOMAINS, [Address(address) for address in addresses])


def test_aliases_of_an_alias_domain_are_counted_with_its_target() -> None:
    assert short("x@a.org", "@twin.org") == {}


def test_what_is_missing_is_told_by_domain() -> None:
    assert short() == {"a.org": 2}
    assert short("x@twin.org", "y@b.org") == {"a.org": 1}


def test_more_than_the_count_is_no_lack() -> None:
    """An alias at the address of a mailbox is shown and not counted; it doesn't make up for another domain's lack."""
    assert short("x@a.org", "y@a.org", "z@a.org", "x@b.org") == {}
