"""Whose users may send as anyone: the entries that a filter finds, or one group."""

from __future__ import annotations

import ldap

from ldap2mailcow.config import Source, group_attributes
from ldap2mailcow.model import Answers, AnySenders, Code, Entry, Finding, normal_dn

from .answer import bad_filter, log_reading, troubles
from .members import Members
from .search import search
from .session import Query, Session


def any_senders(session: Session, source: Source, answers: Answers) -> tuple[AnySenders, list[Finding]]:
    """Return whose users may send as anyone, and a doubt about it. Raises BadFilter."""
    if not source.send_as_any:
        return AnySenders(), []
    if source.send_as_any.startswith("("):
        found, problems = _by_filter(session, source)
    else:
        found, problems = _by_group(session, source, answers)
    if not problems:
        return found, []
    sentence = (
        f"who may send as anyone is not known for certain: {'; '.join(problems)}; "
        "see send_as_any, and what bind_dn may read"
    )
    return found, [Finding(Code.ANSWER_CUT_SHORT, f"{source.name} (send_as_any)", sentence)]


def _by_filter(session: Session, source: Source) -> tuple[AnySenders, list[str]]:
    reading = search(session, Query(source.user_search_base, source.send_as_any, ("1.1",)))
    if isinstance(reading.error, ldap.FILTER_ERROR):
        raise bad_filter(source.send_as_any, source) from None
    log_reading("send_as_any", reading)
    dns = tuple(normal_dn(entry.dn) for entry in reading.entries)
    return AnySenders(dns), list(troubles(reading, session.timeout))


def _by_group(session: Session, source: Source, answers: Answers) -> tuple[AnySenders, list[str]]:
    group, problems = _group(session, source, answers)
    if group is None:
        return AnySenders(), problems or [f"{source.send_as_any!r} does not exist"]
    members = Members(session, source, answers, "")
    members.follow(group)
    outside, selected = tuple(members.outside), members.selected
    found = AnySenders(group=group, outside=outside, selected=selected, unsure=members.unsure)
    return found, [*problems, *members.problems]


def _group(session: Session, source: Source, answers: Answers) -> tuple[Entry | None, list[str]]:
    """Return the group, as it is in the answer or looked up, and what went wrong with that."""
    wanted = normal_dn(source.send_as_any)
    for entry in answers.groups.entries if answers.groups else ():
        if normal_dn(entry.dn) == wanted:
            return entry, []
    query = Query(source.send_as_any, "(objectClass=*)", group_attributes(source), ldap.SCOPE_BASE)
    reading = search(session, query)
    log_reading("send_as_any", reading)
    return next(iter(reading.entries), None), list(troubles(reading, session.timeout))
