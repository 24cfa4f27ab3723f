"""A paged search (RFC 2696) that keeps what it got when it is cut short, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import ldap
from ldap.controls import LDAPControl, SimplePagedResultsControl

from ldap2mailcow.model import Entry, shortened

from .ranges import Cut, Part, complete
from .session import Query, Session

_SMALLEST_PAGE = 50
_SERVERS_TOLD = 3
_EMPTY_PAGES = 100  # in a row; Active Directory sends some while a search is slow, none sends so many

# A search at the root of an Active Directory domain always refers to these; no people are in them.
_PEOPLELESS = ("cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,")


@dataclass(slots=True)
class Reading:
    """What came of it; `error` ended it early, `oddities` are the other reasons why it may not be whole."""

    entries: list[Entry] = field(default_factory=list)
    pages: int = 0
    error: ldap.LDAPError | None = None
    oddities: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)


def search(session: Session, query: Query) -> Reading:
    """Read all entries, page by page, with all values of their attributes.

    A server that refuses the size of the pages (result 11) is asked for smaller ones, then for no pages; one that has
    no pages (result 12) for none at once (docs/directories.md section 2); one that stops in the first page (result 4)
    for pages below that limit (section 5). What helped is kept for later searches. The fullest reading counts where
    none is whole.
    """
    try:
        controls = session.scope_controls
    except ldap.LDAPError as error:
        return Reading(error=error)
    reading = _paged(session, query, controls)
    if reading.cuts:
        cut = complete(session, reading.entries, reading.cuts, controls)
        if cut:
            reading.oddities.append(f"not all values of an attribute were sent ({', '.join(cut)})")
    return reading


def _paged(session: Session, query: Query, controls: list[LDAPControl]) -> Reading:
    size = session.page_size
    readings: list[Reading] = []
    while True:
        reading = _read(session, query, controls, size)
        readings.append(reading)
        if reading.error is None:
            session.page_size = size
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


def _read(session: Session, query: Query, controls: list[LDAPControl], size: int | None) -> Reading:
    """Read page after page, or everything at once where `size` is None."""
    reading = Reading()
    collector = _Collector(reading)
    page = None if size is None else SimplePagedResultsControl(criticality=True, size=size, cookie="")
    empty = 0
    try:
        while True:
            before = len(reading.entries)
            cookie = _cookie(session.ask(query, collector.take, controls if page is None else [*controls, page]))
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
        self._names: dict[str, tuple[str, Part | None]] = {}
        self._repeated = ""

    def take(self, dn: str | None, sent: Any) -> None:  # noqa: ANN401 - python-ldap has no types
        """Take one message: an entry, or a reference to another server."""
        if dn is None:
            self._reading.references += sent
        elif dn in self._seen:
            self._repeated = dn
        else:
            self._seen.add(dn)
            self._reading.entries.append(Entry(dn, self._plain(sent)))

    def repeats(self, empty: int) -> bool:
        """Tell whether the pages go round in circles, after `empty` pages without a new entry."""
        if empty >= _EMPTY_PAGES:
            self._reading.oddities.append(f"{_EMPTY_PAGES} pages in a row brought nothing new")
        return bool(self._repeated) or empty >= _EMPTY_PAGES

    def finish(self) -> None:
        """Note what makes the answer doubtful though no error came."""
        oddities = self._reading.oddities
        if self._repeated:
            oddities.append(f"{shortened(self._repeated)!r} came twice, so that the server's pages can't be relied on")
        elsewhere = sorted({url for url in self._reading.references if not _is_peopleless(url)})
        if elsewhere:
            told = [*map(shortened, elsewhere[:_SERVERS_TOLD]), *(["..."] if elsewhere[_SERVERS_TOLD:] else [])]
            oddities.append(f"a part of the directory is on another server ({', '.join(told)})")

    def _plain(self, attributes: dict[str, list[bytes]]) -> dict[str, tuple[bytes, ...]]:
        """Return attributes by their lower-case names without options; values sent without an option come first."""
        names = self._names
        plain: dict[str, tuple[bytes, ...]] = {}
        for name, values in attributes.items():
            known = names.get(name)
            if known is None:
                known = names[name] = name.partition(";")[0].lower(), Part.of(name)
            key, part = known
            if part is not None and part.last is not None:
                self._reading.cuts.append(Cut(len(self._reading.entries), name, part))
            if key not in plain:
                plain[key] = tuple(values)
            elif ";" in name:
                plain[key] += tuple(values)
            else:
                plain[key] = (*values, *plain[key])
        return plain


def _cookie(controls: Sequence[LDAPControl]) -> bytes:
    """Return the cookie of the paging control; a server that ignored the control has sent everything."""
    pages: Iterable[LDAPControl] = (
        control for control in controls if control.controlType == SimplePagedResultsControl.controlType
    )
    return next((bytes(page.cookie) for page in pages), b"")


def _is_peopleless(url: str) -> bool:
    try:
        dn = unquote(urlsplit(url).path.removeprefix("/"))
    except ValueError:  # not a URL, and so a reference to some place
        return False
    return dn.lower().startswith(_PEOPLELESS)
