"""Searches for members that are in no answer: in batches, so that their number doesn't grow with the members'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import ldap
from ldap.filter import escape_filter_chars

from ldap2mailcow.config import MEMBER_NAMES, Source, group_attributes
from ldap2mailcow.model import Entry, attribute_names, decoded, is_dn, is_ldap_url, normal_dn, rdn_values, rdns

from .session import Query, Session

_MANY = 500  # members; beyond that one search for everybody who may be meant costs less
_TERMS = 100  # of one filter
_LONGEST = 60_000  # characters of one filter; slapd hangs up over a request of some megabytes
_PLACEHOLDER = "{MEMBER_CN}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One search for members."""

    query: Query
    dns: tuple[str, ...] = ()
    """As they are written: the members that it is for, where the place to look in was taken from them."""

    @classmethod
    def of(cls, dn: str, attributes: Sequence[str]) -> Lookup:
        """Return the search for one member by its DN."""
        return cls(Query(dn, "(objectClass=*)", attributes, ldap.SCOPE_BASE), (dn,))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Members, told apart by how their values read. An address is no member to look for: it is one already."""

    dns: dict[str, str] = field(default_factory=dict)
    """By their normal form: as they are written."""
    names: dict[str, str] = field(default_factory=dict)
    """By their lower case: as they are written."""
    urls: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, values: Iterable[bytes]) -> Wanted:
        """Sort values by kind; what isn't UTF-8, too long or has a NUL is none."""
        wanted = cls()
        for value in values:
            text = _text(value)
            if is_ldap_url(text):
                wanted.urls.append(text)
            elif "\0" in text:
                continue  # python-ldap can't ask for it, and no entry has it
            elif is_dn(text):
                wanted.dns.setdefault(normal_dn(text), text)
            elif text and "@" not in text and "=" not in text:
                wanted.names.setdefault(text.lower(), text)
        return wanted

    def meets(self, entry: Entry) -> bool:
        """Tell whether an entry is one of those that are wanted."""
        return normal_dn(entry.dn) in self.dns or not self.names.keys().isdisjoint(names_of(entry))


def names_of(entry: Entry) -> Iterator[str]:
    """Give the names by which a group may name an entry, in lower case."""
    for attribute in MEMBER_NAMES:
        for value in entry.values(attribute):
            yield _text(value).lower()


def own_names(entry: Entry) -> Iterator[str]:
    """Give those of the names that are surely the entry's own: the only value, or that of the RDN.

    A further value may be the name of another entry.
    """
    in_rdn = rdn_values(entry.dn, MEMBER_NAMES)
    for attribute in MEMBER_NAMES:
        names = [_text(value).lower() for value in entry.values(attribute)]
        yield from names if len(names) == 1 else (name for name in names if name in in_rdn)


def member_attributes(source: Source) -> tuple[str, ...]:
    """Return the names of the attributes to ask for of members, who may be people or groups."""
    return attribute_names(*group_attributes(source), source.user_mapping.mail)


def lookups(session: Session, source: Source, wanted: Wanted, member_filter: str) -> Iterator[Lookup]:
    """Give the searches that find everybody wanted, and others too: `wanted.meets` tells them apart.

    member_filter: as group_member_filter; "" finds DNs wherever they are, and names below user_search_base.
    """
    mapping, mail = source.group_mapping, source.user_mapping.mail
    attributes = member_attributes(source)
    everybody = _any_of(f"({name}=*)" for name in attribute_names(mail, mapping.mail, *mapping.member))
    names = [*wanted.names.values()]
    if member_filter:
        members = [*map(_written, wanted.dns.values()), *names]
        everybody = member_filter.replace(_PLACEHOLDER, "*")
        for _, text in _filters(members, (member_filter,), everybody):
            yield Lookup(Query(source.user_search_base, text, attributes))
    else:
        by_dn = [f"({name}={_PLACEHOLDER})" for name in session.dn_attributes]
        by_name = [f"({name}={_PLACEHOLDER})" for name in MEMBER_NAMES]
        for base, dns in _places(wanted.dns, session.contexts):
            for batch, text in _filters(dns, by_dn, everybody):
                yield Lookup(Query(base, text, attributes), tuple(batch))
        for _, text in _filters(names, by_name, everybody):
            yield Lookup(Query(source.user_search_base, text, attributes))


def _filters(members: Sequence[str], terms: Sequence[str], everybody: str) -> Iterator[tuple[Sequence[str], str]]:
    """Give filters that find the members, with those each is for: with each of the terms, a hundred in one filter."""
    if len(members) > _MANY:
        yield members, everybody
        return
    batch: list[str] = []
    found: list[str] = []
    for member in members:
        escaped = escape_filter_chars(member)
        added = [term.replace(_PLACEHOLDER, escaped) for term in terms]
        if batch and (len(found) + len(added) > _TERMS or sum(map(len, found + added)) > _LONGEST):
            yield batch, _any_of(found)
            batch, found = [], []
        batch.append(member)
        found += added
    if batch:
        yield batch, _any_of(found)


def _places(dns: Mapping[str, str], contexts: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return where to look: the longest DN that a set of DNs has in common, with that set as it is written.

    One set for each naming context of the server; what is below none of them can't be there. Where the server doesn't
    name its contexts, one set for each last part of a DN.
    """
    ends = sorted((rdns(normal_dn(context)) for context in contexts), key=len, reverse=True)
    together: defaultdict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for normal, written in dns.items():
        parts = rdns(normal)
        end = next((end for end in ends if parts[len(parts) - len(end) :] == end), None) if contexts else parts[-1:]
        if parts and end is not None:
            together[end].append((parts, _written(written)))
    return [(_common_base(found), [dn for _, dn in found]) for found in together.values()]


def _common_base(found: Sequence[tuple[tuple[str, ...], str]]) -> str:
    """Return the end that all of the DNs have, as the first of them is written."""
    alike = zip(*(reversed(parts) for parts, _ in found), strict=False)
    depth = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, alike))
    first = rdns(found[0][1])
    return ",".join(first[len(first) - depth :])


def _written(dn: str) -> str:
    """Return a DN as it is written, without the unique identifier that `uniqueMember` allows."""
    return ",".join(rdns(dn)) or dn


def _text(value: bytes) -> str:
    """Return a value as text; "" for one that isn't UTF-8, which no name and no DN is."""
    return (decoded(value) or "").strip()


def _any_of(terms: Iterable[str]) -> str:
    return f"(|{''.join(terms)})"
