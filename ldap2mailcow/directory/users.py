"""What a directory says about its users."""

from __future__ import annotations

import logging
from typing import Any

import ldap

from ldap2mailcow.config import Source, user_attributes
from ldap2mailcow.model import Answer, Code, Finding

from .connection import connected
from .errors import BadFilter, Unreachable, described, search_failure
from .search import LOST, Query, Reading, search

_log = logging.getLogger(__name__)

_REMEDIES: dict[type[ldap.LDAPError], str] = {
    ldap.SIZELIMIT_EXCEEDED: "let bind_dn read more entries in the server's limits",
    ldap.ADMINLIMIT_EXCEEDED: "let bind_dn read more entries in the server's limits",
    ldap.TIMELIMIT_EXCEEDED: "let bind_dn search longer in the server's limits, or narrow user_search_filter",
}


def read_users(source: Source, *, filter_override: str | None = None) -> Answer:
    """Read the users of one directory: entries below user_search_base with the mapped attributes.

    The answer carries a doubt for each reason why it may not be whole: cut short, referred elsewhere, a canary entry
    that isn't there. No entries at all is an answer like any other.

    Raises Refused, Unreachable (also for a search that brings nothing but an error) and BadFilter.
    """
    query = Query(
        base=source.user_search_base,
        filter=source.search_filter if filter_override is None else filter_override,
        attributes=user_attributes(source),
        timeout=source.timeout,
    )
    with connected(source) as (connection, uri):
        reading = _searched(connection, query, source)
        doubts = [*_cut_short(source, reading), *_missing_canaries(connection, source, reading)]
    _log.info(
        "%s: bound as %s; %s entries in %s pages",
        uri,
        source.bind_dn or "nobody (anonymous)",
        f"{len(reading.entries):,}",
        f"{reading.pages:,}",
    )
    return Answer(source.name, tuple(reading.entries), tuple(doubts))


def _searched(connection: Any, query: Query, source: Source) -> Reading:  # noqa: ANN401 - python-ldap has no types
    """Search; raise where the answer says nothing about anybody."""
    try:
        reading = search(connection, query, source.page_size)
    except ldap.LDAPError as error:
        reading = Reading(error=error)
    if reading.error is None or reading.entries:
        return reading
    if isinstance(reading.error, ldap.FILTER_ERROR):
        raise BadFilter(f"The search filter {query.filter!r} of the directory {source.name!r} is not valid.") from None
    failure = _words(reading.error, query.timeout) or search_failure(reading.error, query.base)
    raise Unreachable(f"The directory {source.name!r} can't be read: {failure}.") from None


def _words(error: ldap.LDAPError, timeout: int) -> str:
    """Return what a lost connection is called; "" for an error that a server sent."""
    if isinstance(error, ldap.TIMEOUT):
        return f"no answer within {timeout} seconds"
    return "the connection was lost" if isinstance(error, LOST) else ""


def _cut_short(source: Source, reading: Reading) -> list[Finding]:
    """Return a doubt where the entries may not be all there are."""
    reasons = list(reading.oddities)
    if reading.error is not None:
        words = _words(reading.error, source.timeout) or described(reading.error)
        remedy = _REMEDIES.get(type(reading.error))
        reasons.append(f"{words}; {remedy}" if remedy else words)
    if not reasons:
        return []
    many = f"{len(reading.entries):,}"
    sentence = (
        f"it sent {many} entries, which may not be all: {'; '.join(reasons)}; "
        "raise the bind DN's limits in the directory, or look at the server if it was cut off"
    )
    return [Finding(Code.ANSWER_CUT_SHORT, source.name, sentence)]


def _missing_canaries(connection: Any, source: Source, reading: Reading) -> list[Finding]:  # noqa: ANN401 - the same
    """Return a doubt for each canary entry that can't be read; without a connection none can."""
    doubts = []
    lost = isinstance(reading.error, LOST)
    for dn in source.canary_dns:
        problem = "the connection was lost"
        if not lost:
            problem, lost = _canary_problem(connection, dn, source.timeout)
        if problem:
            sentence = (
                f"this canary entry of {source.name} can't be read: {problem}; let the bind DN read it, or take it out "
                "of canary_dns if it is meant to be gone"
            )
            doubts.append(Finding(Code.CANARY_MISSING, dn, sentence))
    return doubts


def _canary_problem(connection: Any, dn: str, timeout: int) -> tuple[str, bool]:  # noqa: ANN401 - the same
    """Return what is wrong with a canary entry ("" = it is there), and whether the connection is lost."""
    try:
        number = connection.search_ext(dn, ldap.SCOPE_BASE, attrlist=["1.1"])
        _, found, _, _ = connection.result3(number, all=1, timeout=timeout)
    except ldap.NO_SUCH_OBJECT:
        return "it does not exist", False
    except ldap.LDAPError as error:
        return _words(error, timeout) or described(error), isinstance(error, LOST)
    # A server may also hide an entry by an empty success.
    return ("" if any(name is not None for name, _ in found) else "it does not exist"), False
