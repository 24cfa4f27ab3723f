"""Reads: what mailcow has, and whether its lists are whole.

mailcow answers a question about a domain that it doesn't have with everything that it has, and shows a half-deleted
mailbox as a row of nulls. So only domains that it told are asked for, every row is checked, and the rows of each
domain must add up to its own count (docs/mailcow-api.md sections 0, 2, 3 and 15).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from ldap2mailcow.model import ATTRIBUTES, Actual, Address, Domain, Existing

from .aliases import ALIASES, read_whole_aliases
from .client import Mailcow
from .codes import plain
from .domains import ALIAS_DOMAINS, DOMAINS, read_alias_domains, read_domains
from .errors import NotWhole, Unreadable
from .path import in_lists, quoted
from .rows import Row, row_of, rows_of, text_in, texts_in, unreadable, whole_number

READS: frozenset[str] = frozenset(
    {
        ALIASES,
        ALIAS_DOMAINS,
        DOMAINS,
        "get/identity-provider",
        "get/mailbox/all",
        "get/mailbox/reduced",
        "get/mailbox",
    }
)
"""Every endpoint that is asked."""

_READINGS = 2  # a mailbox made or deleted between two requests is gone from the sum at the second reading

_DOMAINS_TOLD = 5  # of those that don't add up

_KINDS: Mapping[str, type] = {
    "name": str,
    "quota": int,
    "active": int,
    "authsource": str,
    "attributes": Mapping,
    "tags": list,
}
"""What a row must hold, so that the attribute table can read it without looking."""


@dataclass(frozen=True, slots=True)
class HalfDeleted:
    """mailcow has something of this name, and shows no field of it: what a crashed delete leaves (or a resource)."""

    address: Address


@dataclass(frozen=True, slots=True)
class _Lists:
    """One reading: all domains, the mailboxes of those in scope, and what doesn't belong to a domain."""

    domains: Mapping[str, Domain]
    scope: frozenset[str]
    mailboxes: Mapping[Address, Existing]
    nulls: int


def read_actual(client: Mailcow, wanted_domains: frozenset[str] | None, *, with_provider: bool) -> Actual:
    """Read what mailcow has: the domains wanted (None: all) that it hosts, and the mailboxes in them.

    The identity provider is read only when asked for; `hosted` holds the mail domains alone. Raises what `Mailcow.get`
    raises, Unreadable for an answer of another form, and NotWhole when the lists don't add up twice.
    """
    lists = _whole_lists(client, wanted_domains)
    return Actual(
        domains={name: lists.domains[name] for name in sorted(lists.scope)},
        mailboxes=lists.mailboxes,
        hosted=frozenset(lists.domains),
        provider=_read_provider(client) if with_provider else "mailcow",
        half_deleted=lists.nulls,
    )


def with_aliases(client: Mailcow, actual: Actual) -> Actual:
    """Return what mailcow has with the aliases of its domains and of their alias domains. Raises as `read_actual`."""
    every = read_alias_domains(client)
    alias_domains = {name: target for name, target in every.items() if target in actual.domains}
    return replace(
        actual,
        aliases=read_whole_aliases(client, actual.domains, alias_domains, actual.mailboxes.keys()),
        alias_domains=alias_domains,
        hosted=actual.hosted | every.keys(),
    )


def read_mailbox(client: Mailcow, address: Address) -> Existing | HalfDeleted | None:
    """Read one mailbox; None when mailcow has none of this address. Raises what `Mailcow.get` raises, Unreadable."""
    row = row_of(client.get(f"get/mailbox/{quoted(address)}"), "a mailbox")
    if not row:
        return None
    if _is_null(row):
        return HalfDeleted(address)
    found = _existing(row)
    if found.address != address:
        raise Unreadable(f"mailcow was asked for {address} and answered {plain(found.address)}; report this as a bug")
    return found


def read_senders(client: Mailcow, addresses: Iterable[Address]) -> dict[Address, frozenset[str]]:
    """Read whom the users of these mailboxes may send as besides, lower-cased: addresses, `@domain`, `*`.

    Those that are gone, or that mailcow doesn't tell about (before 2026-07), are left out. Raises what `read_mailbox`
    raises.
    """
    found = (read_mailbox(client, address) for address in addresses)
    return {one.address: one.senders for one in found if isinstance(one, Existing) and one.senders is not None}


def adds_up(counts: Mapping[str, int], rows: Mapping[str, int], nulls: int) -> bool:
    """Tell whether a list of mailboxes is whole.

    `counts` is `mboxes_in_domain` of each domain, `rows` the named rows of each, `nulls` the rows of half-deleted
    mailboxes, which are counted too but don't tell their domain. So no domain may have more named rows than its
    count, and what is missing to the counts must be exactly the null rows (docs/mailcow-api.md section 17 a).
    """
    missing = [count - rows.get(domain, 0) for domain, count in counts.items()]
    return min(missing, default=0) >= 0 and sum(missing) == nulls


def _whole_lists(client: Mailcow, wanted: frozenset[str] | None) -> _Lists:
    for _ in range(_READINGS):
        lists = _read_lists(client, wanted)
        counts = {name: lists.domains[name].mailboxes for name in lists.scope}
        rows = Counter(address.domain for address in lists.mailboxes)
        if adds_up(counts, rows, lists.nulls):
            return lists
    raise NotWhole(_what_is_missing(counts, rows, lists.nulls))


def _what_is_missing(counts: Mapping[str, int], rows: Mapping[str, int], nulls: int) -> str:
    odd = [f"{name} {rows.get(name, 0)} of {count}" for name, count in counts.items() if rows.get(name, 0) != count]
    told = [*sorted(odd)[:_DOMAINS_TOLD], f"{nulls} half-deleted"]
    return (
        f"mailcow's list of mailboxes is not whole, twice in a row ({', '.join(told)}); "
        "nothing is changed until it adds up"
    )


def _read_lists(client: Mailcow, wanted: frozenset[str] | None) -> _Lists:
    domains = read_domains(client)
    scope = frozenset(domains) if wanted is None else wanted & domains.keys()
    mailboxes: dict[Address, Existing] = {}
    nulls = 0
    for part in in_lists(scope):
        expected = sum(domains[name].mailboxes for name in part)
        for row in _mailbox_rows(client, part, expected):
            if _is_null(row):
                nulls += 1
            elif text_in(row, "domain").lower() in scope:
                mailbox = _existing(row)
                mailboxes[mailbox.address] = mailbox
    return _Lists(domains, scope, mailboxes, nulls)


def _mailbox_rows(client: Mailcow, domains: tuple[str, ...], expected: int) -> Iterator[Row]:
    """Return the rows of some domains; the slow way where an older mailcow takes 'reduced' for a mailbox's name."""
    listed = ",".join(domains)
    answer = client.get(f"get/mailbox/reduced/{listed}")
    if expected and not (isinstance(answer, list) and answer):
        answer = client.get(f"get/mailbox/all/{listed}")
    return rows_of(answer, "mailboxes")


def _read_provider(client: Mailcow) -> str:
    """Return the identity provider's name. The answer also holds its password in clear: nothing else is taken."""
    row = row_of(client.get("get/identity-provider"), "the identity provider")
    return text_in(row, "authsource") if "authsource" in row else "mailcow"


def _existing(row: Row) -> Existing:
    # Not Address.parse: a mailbox with a name that it refuses may exist, and has to be counted.
    address = Address(text_in(row, "username").lower())
    row = {**row, "name": row.get("name") or "", "tags": row.get("tags") or []}  # null in old rows; absent when none
    for field, kind in _KINDS.items():
        value = row.get(field)
        if not isinstance(value, kind) or (kind is int and whole_number(value) is None):
            raise unreadable(field, value)
    inner = cast("Row", row["attributes"])
    try:
        attributes = {key: attribute.read(row) for key, attribute in ATTRIBUTES.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"mailcow's row of {plain(address)} has an odd flag ({plain(error)})") from error
    return Existing(
        address=address,
        attributes=attributes,
        tags=texts_in(row, "tags"),
        passwd_update=_text_or_none(inner, "passwd_update"),
        attribute_hash=_text_or_none(inner, "attribute_hash"),
        senders=_senders(row),
    )


def _senders(row: Row) -> frozenset[str] | None:
    """Return the rows of `sender_acl`; None where the answer doesn't have them, as in lists and in older versions."""
    if "sender_acl" not in row:
        return None
    return frozenset(sender.lower() for sender in texts_in(row, "sender_acl"))


def _text_or_none(row: Row, field: str) -> str:
    return text_in(row, field) if row.get(field) else ""


def _is_null(row: Row) -> bool:
    return "username" in row and row["username"] is None and row.get("domain") is None
