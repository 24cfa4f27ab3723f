"""What one run asks of a directory: over one connection, counted, and nothing more once that is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ldap
from ldap.controls import LDAPControl

from ldap2mailcow.config import Source

from .allowance import Allowance
from .errors import LOST
from .wire import Wire

# MS-ADTS section 3.1.1.3.4.1.19, LDAP_SERVER_DOMAIN_SCOPE_OID: no references to other partitions.
_DOMAIN_SCOPE = "1.2.840.113556.1.4.1339"
# MS-ADTS section 3.1.1.3.4.3: LDAP_CAP_ACTIVE_DIRECTORY_OID, LDAP_CAP_ACTIVE_DIRECTORY_ADAM_OID.
_ACTIVE_DIRECTORY = {b"1.2.840.113556.1.4.800", b"1.2.840.113556.1.4.1851"}

RawAttributes = Mapping[str, list[bytes]]
Taker = Callable[[str | None, Any], None]
"""Is given each entry, as its DN and its attributes, or a reference: None and its URLs."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a filter below a base, and the attributes wanted."""

    base: str
    filter: str
    attributes: Sequence[str]
    scope: int = ldap.SCOPE_SUBTREE


class Session:
    """A bound connection. `searches` is how many searches were sent through it, each page counted."""

    def __init__(self, wire: Wire, source: Source, allowance: Allowance) -> None:
        self._wire, self._allowance = wire, allowance
        self.timeout = source.timeout
        """The longest silence, in seconds."""
        self.page_size: int | None = source.page_size
        """Goes down where the server refuses it; None: it takes no pages."""
        self.searches = 0
        self.is_lost = False

    def ask(self, query: Query, take: Taker, controls: Sequence[LDAPControl] = ()) -> list[LDAPControl]:
        """Send one search and hand over what comes; return the controls that came with its end.

        One message at a time, because python-ldap throws away the entries that came before an error otherwise. Raises
        LDAPError; one of LOST, with nothing sent, from the second time on. Raises Unreachable where the allowance is
        used up, or where the server sends what is not LDAP.
        """
        if self.is_lost:
            raise ldap.SERVER_DOWN
        self._allowance.search()
        try:
            number = self._wire.library.search_ext(
                query.base, query.scope, query.filter, list(query.attributes), serverctrls=list(controls)
            )
            self.searches += 1
            while True:
                kind, messages, answered = self._wire.answer(number)
                if kind == ldap.RES_SEARCH_RESULT:
                    return list(answered)
                for dn, attributes in messages:
                    self._allowance.entry()
                    if "" in attributes:  # an attribute without a name, or a reference to nowhere
                        raise self._allowance.malformed()
                    take(dn, attributes)
        except LOST:
            self.is_lost = True
            raise

    def look_at(
        self, dn: str, attributes: Sequence[str], controls: Sequence[LDAPControl] = ()
    ) -> tuple[str, RawAttributes] | None:
        """Return one entry; None where the server hides it by an empty success. Raises LDAPError as `ask` does."""
        found: list[tuple[str | None, Any]] = []
        query = Query(dn, "(objectClass=*)", attributes, ldap.SCOPE_BASE)
        self.ask(query, lambda name, sent: found.append((name, sent)), controls)
        return next(((name, sent) for name, sent in found if name is not None), None)

    @property
    def scope_controls(self) -> list[LDAPControl]:
        """The control that keeps Active Directory within its domain, where the root DSE lists it."""
        offered = self._root_dse.get("supportedControl", [])
        return [LDAPControl(_DOMAIN_SCOPE)] if _DOMAIN_SCOPE.encode() in offered else []

    @property
    def contexts(self) -> tuple[str, ...]:
        """The DNs below which this server has all it has (RFC 4512 section 5.1); empty where it doesn't say."""
        return tuple(context.decode(errors="replace") for context in self._root_dse.get("namingContexts", []))

    @property
    def dn_attributes(self) -> tuple[str, ...]:
        """The attributes to find an entry with by its own DN: Active Directory's, or RFC 5020's; both where untold.

        slapd would search for distinguishedName in all attributes derived from it, `member` too, without an index
        (docs/directories.md section 2).
        """
        if not self._root_dse:
            return ("entryDN", "distinguishedName")
        is_active_directory = not _ACTIVE_DIRECTORY.isdisjoint(self._root_dse.get("supportedCapabilities", []))
        return ("distinguishedName",) if is_active_directory else ("entryDN",)

    @cached_property
    def _root_dse(self) -> RawAttributes:
        """What the server says about itself; nothing where it doesn't: not every one shows it. Raises one of LOST."""
        try:
            found = self.look_at("", ("supportedControl", "supportedCapabilities", "namingContexts"))
        except LOST:
            raise
        except ldap.LDAPError:
            return {}
        return found[1] if found else {}
