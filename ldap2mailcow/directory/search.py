"""A paged search (RFC 2696) that keeps what it got when it is cut short, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import ldap
from ldap.controls import LDAPControl, SimplePagedResultsControl

from ldap2mailcow.model import Entry

_SMALLEST_PAGE = 50
_EMPTY_PAGES = 100  # in a row; Active Directory sends some while a search is slow, none sends so many

# MS-ADTS section 3.1.1.3.4.1.19, LDAP_SERVER_DOMAIN_SCOPE_OID: no references to other partitions.
_DOMAIN_SCOPE = "1.2.840.113556.1.4.1339"
# A search at the root of an Active Directory domain always refers to these; no people are in them.
_PEOPLELESS = ("cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,")

LOST = (ldap.SERVER_DOWN, ldap.TIMEOUT, ldap.CONNECT_ERROR)
"""After these nothing more is asked: a connection that came back would be one without the bind."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a subtree, a filter, and the attributes wanted; `timeout` is the longest silence, in seconds."""

    base: str
    filter: str
    attributes: Sequence[str]
    timeout: int


@dataclass(slots=True)
class Reading:
    """What came of it; `error` ended it early, `oddities` are the other reasons why it may not be whole."""

    entries: list[Entry] = field(default_factory=list)
    pages: int = 0
    error: ldap.LDAPError | None = None
    oddities: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)


def search(connection: Any, query: Query, page_size: int) -> Reading:  # noqa: ANN401 - python-ldap has no types
    """Read all entries, `page_size` at a time.

    A server that refuses the size (result 11) is asked for smaller pages, then for no pages; one that has no pages
    (result 12) for none at once (docs/directories.md section 2); one that stops in the first page (result 4) for pages
    below that limit (section 5). The fullest reading counts where none is whole.
    """
    controls = _scope_controls(connection, query.timeout)
    size: int | None = page_size
    readings: list[Reading] = []
    while True:
        reading = _read(connection, query, controls, size)
        readings.append(reading)
        if reading.error is None:
            return reading
        if size is not None and isinstance(reading.error, ldap.ADMINLIMIT_EXCEEDED):
            size = size // 2 if size // 2 >= _SMALLEST_PAGE else None
        elif size is not None and _is_limit_of_a_page(reading, size):
            size = len(reading.entries) - 1
        elif size is not None and isinstance(reading.error, ldap.UNAVAILABLE_CRITICAL_EXTENSION):
            size = None
        else:
            return max(readings, key=lambda each: len(each.entries))


def _is_limit_of_a_page(reading: Reading, size: int) -> bool:
    """Tell whether a size limit may be one of each page: 389-ds stops a page at its limit, and takes smaller ones.

    Only where the next page can be smaller than this one: a server that sends more than was asked for won't end.
    """
    stopped = isinstance(reading.error, ldap.SIZELIMIT_EXCEEDED) and reading.pages == 0
    return stopped and 1 < len(reading.entries) <= size


def _scope_controls(connection: Any, timeout: int) -> list[LDAPControl]:  # noqa: ANN401 - the same
    """Return the control that keeps Active Directory within its domain, where the root DSE lists it."""
    try:
        number = connection.search_ext("", ldap.SCOPE_BASE, attrlist=["supportedControl"])
        _, found, _, _ = connection.result3(number, all=1, timeout=timeout)
    except LOST:
        raise
    except ldap.LDAPError:
        return []  # not every server shows its root DSE
    offered = {name for _, attributes in found for name in attributes.get("supportedControl", ())}
    return [LDAPControl(_DOMAIN_SCOPE)] if _DOMAIN_SCOPE.encode() in offered else []


def _read(connection: Any, query: Query, controls: list[LDAPControl], size: int | None) -> Reading:  # noqa: ANN401
    """Read page after page, or everything at once where `size` is None."""
    reading = Reading()
    collector = _Collector(reading)
    page = None if size is None else SimplePagedResultsControl(criticality=True, size=size, cookie="")
    empty = 0
    try:
        while True:
            before = len(reading.entries)
            wanted = controls if page is None else [*controls, page]
            cookie = collector.take(connection, query, wanted)
            reading.pages += 1
            empty = empty + 1 if len(reading.entries) == before else 0
            if page is None or not cookie or collector.repeats(empty):
                break
            page.cookie = cookie
    except ldap.LDAPError as error:
        reading.error = error
    collector.finish()
    return reading


class _Collector:
    """Turns messages into entries; it knows which DNs came already and how attribute names are written plainly."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._seen: set[str] = set()
        self._names: dict[str, str] = {}
        self._repeated = ""

    def take(self, connection: Any, query: Query, controls: list[LDAPControl]) -> bytes:  # noqa: ANN401 - the same
        """Send one search and take its entries; return the cookie for the next page, empty after the last.

        One message at a time, because python-ldap throws away the entries that came before an error otherwise.
        """
        number = connection.search_ext(
            query.base, ldap.SCOPE_SUBTREE, query.filter, list(query.attributes), serverctrls=controls
        )
        entries, seen, result, timeout = self._reading.entries, self._seen, connection.result3, query.timeout
        while True:
            kind, messages, _, answered = result(number, all=0, timeout=timeout)
            if kind == ldap.RES_SEARCH_RESULT:
                return _cookie(answered)
            for dn, attributes in messages:
                if dn is None:
                    self._reading.references += attributes
                elif dn in seen:
                    self._repeated = dn
                else:
                    seen.add(dn)
                    entries.append(Entry(dn, self._plain(attributes)))

    def repeats(self, empty: int) -> bool:
        """Tell whether the pages go round in circles, after `empty` pages without a new entry."""
        if empty >= _EMPTY_PAGES:
            self._reading.oddities.append(f"{_EMPTY_PAGES} pages in a row brought nothing new")
        return bool(self._repeated) or empty >= _EMPTY_PAGES

    def finish(self) -> None:
        """Note what makes the answer doubtful though no error came."""
        oddities = self._reading.oddities
        if self._repeated:
            oddities.append(f"{self._repeated!r} came twice, so that the server's pages can't be relied on")
        elsewhere = sorted({url for url in self._reading.references if not _is_peopleless(url)})
        if elsewhere:
            oddities.append(f"a part of the directory is on another server ({', '.join(elsewhere)})")
        cut = sorted(name for name in self._names if ";range=" in name.lower() and not name.endswith("-*"))
        if cut:
            oddities.append(f"not all values of an attribute were sent ({', '.join(cut)})")

    def _plain(self, attributes: dict[str, list[bytes]]) -> dict[str, tuple[bytes, ...]]:
        """Return attributes by their lower-case names without options; values sent without an option come first."""
        names = self._names
        plain: dict[str, tuple[bytes, ...]] = {}
        for name, values in attributes.items():
            key = names.get(name)
            if key is None:
                key = names[name] = name.partition(";")[0].lower()
            if key not in plain:
                plain[key] = tuple(values)
            elif ";" in name:
                plain[key] += tuple(values)
            else:
                plain[key] = (*values, *plain[key])
        return plain


def _cookie(controls: Iterable[LDAPControl]) -> bytes:
    """Return the cookie of the paging control; a server that ignored the control has sent everything."""
    pages = (control for control in controls if control.controlType == SimplePagedResultsControl.controlType)
    return next((bytes(page.cookie) for page in pages), b"")


def _is_peopleless(url: str) -> bool:
    dn = unquote(urlsplit(url).path.removeprefix("/"))
    return dn.lower().startswith(_PEOPLELESS)
