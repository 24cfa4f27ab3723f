"""Reads of aliases: by list only, because asking for one address may find another alias (section 0, rule 6).

mailcow counts a domain's aliases with those of its alias domains, but the list need not add up to the count: an alias
to itself is counted and never shown, and one at the address of a mailbox or a resource is shown and not counted
(docs/mailcow-api.md section 19).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    GOTO,
    INTERNAL,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Address,
    Domain,
    ExistingAlias,
    Value,
    joined,
)

from .client import Mailcow
from .domains import read_domains
from .errors import NotWhole
from .path import in_lists
from .rows import Row, number_in, rows_of, text_in, unreadable

ALIASES = "get/alias/all"

_WITHOUT_THE_FIELD = {INTERNAL: 0, SENDER_ALLOWED: 1}
"""How an older mailcow treats its aliases, whose rows lack these fields."""

_DOMAINS_TOLD = 5  # of those that don't add up


def read_aliases(client: Mailcow, domains: Iterable[str]) -> dict[Address, ExistingAlias]:
    """Read the aliases in these domains and alias domains, by lower-case address; catch-alls are `@domain`.

    Raises what `Mailcow.get` raises, Unreadable.
    """
    wanted = frozenset(domains)
    aliases = (
        _alias(row)
        for part in in_lists(wanted)
        for row in rows_of(client.get(f"{ALIASES}/{','.join(part)}"), "aliases")
        if text_in(row, "domain").lower() in wanted
    )
    return {alias.address: alias for alias in aliases}


def read_every_alias(client: Mailcow) -> dict[Address, ExistingAlias]:
    """Read all aliases of all domains, by lower-case address. Raises what `Mailcow.get` raises, Unreadable."""
    aliases = map(_alias, rows_of(client.get(ALIASES), "aliases"))
    return {alias.address: alias for alias in aliases}


def read_whole_aliases(
    client: Mailcow,
    domains: Mapping[str, Domain],
    alias_domains: Mapping[str, str],
    mailboxes: Collection[Address],
) -> dict[Address, ExistingAlias]:
    """Read the aliases in these domains and in their alias domains, and see that none is missing.

    `mailboxes` are all of these domains. A list that is short of mailcow's own count is read again, with the count.
    One that is short twice in the same way is believed: what is missing is aliases to themselves, which only
    mailcow's database shows. Raises NotWhole for one that is short twice in different ways, because something else
    is at work on it, and what `read_aliases` raises.
    """
    names = domains.keys() | alias_domains.keys()
    aliases = read_aliases(client, names)
    short = shortfall(domains, alias_domains, aliases.keys() - mailboxes)
    if not short:
        return aliases
    now = read_domains(client)
    again = read_aliases(client, names)
    still = shortfall({name: now[name] for name in domains.keys() & now}, alias_domains, again.keys() - mailboxes)
    if still and (still, again) != (short, aliases):
        raise NotWhole(_what_is_missing(still))
    return again


def shortfall(
    domains: Mapping[str, Domain], alias_domains: Mapping[str, str], addresses: Iterable[Address]
) -> dict[str, int]:
    """Return how many aliases of each domain (its alias domains' included) the addresses are short of its count."""
    found = Counter(alias_domains.get(address.domain, address.domain) for address in addresses)
    return {name: domain.aliases - found[name] for name, domain in domains.items() if domain.aliases > found[name]}


def _what_is_missing(short: Mapping[str, int]) -> str:
    told = [f"{name} lacks {count}" for name, count in sorted(short.items())[:_DOMAINS_TOLD]]
    return (
        f"mailcow's list of aliases is not whole, twice in a row ({', '.join(told)}); "
        "nothing is changed until it adds up"
    )


def _alias(row: Row) -> ExistingAlias:
    # Not Address.parse: an alias with a name that it refuses may exist, and has to be counted.
    row = {**_WITHOUT_THE_FIELD, **row}
    flags = {name: number_in(row, name) for name in (ALIAS_ACTIVE, INTERNAL, SENDER_ALLOWED, SOGO_VISIBLE)}
    comments = {name: _comment(row, name) for name in (PRIVATE_COMMENT, PUBLIC_COMMENT)}
    values: dict[str, Value] = {GOTO: _goto(text_in(row, GOTO)), **flags, **comments}
    return ExistingAlias(Address(text_in(row, "address").lower()), number_in(row, "id"), values)


def _goto(text: str) -> str:
    """Return the targets as `joined` writes them; mailcow keeps the case and the order in which they were sent."""
    return joined(part.strip().lower() for part in text.split(",") if part.strip())


def _comment(row: Row, field: str) -> str:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise unreadable(field, value)
    return value or ""
