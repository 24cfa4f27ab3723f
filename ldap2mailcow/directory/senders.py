"""Who may send as anyone: whom a filter finds, or the members of one group."""

from __future__ import annotations

from collections.abc import Iterator

import ldap

from ldap2mailcow.config import Source, group_attributes
from ldap2mailcow.model import Answers, Code, Entry, Finding, normal_dn

from .answer import bad_filter, log_reading, troubles
from .lookups import Wanted, names_of
from .members import Members
from .search import Reading, search
from .session import Query, Session

# Not cn: people can often change their own, and two of them may have the same.
_SURE_NAMES = ("uid", "sAMAccountName")


def senders_as_any(session: Session, source: Source, answers: Answers) -> tuple[tuple[str, ...], list[Finding]]:
    """Return the normal DNs of those who may send as anyone, groups in groups followed, and a doubt about it.

    Among them may be entries that are nobody's. Raises BadFilter.
    """
    if not source.send_as_any:
        return (), []
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


def _by_filter(session: Session, source: Source) -> tuple[tuple[str, ...], list[str]]:
    reading = search(session, Query(source.user_search_base, source.send_as_any, ("1.1",)))
    if isinstance(reading.error, ldap.FILTER_ERROR):
        raise bad_filter(source.send_as_any, source) from None
    log_reading("send_as_any", reading)
    return tuple(normal_dn(entry.dn) for entry in reading.entries), list(troubles(reading, session.timeout))


def _by_group(session: Session, source: Source, answers: Answers) -> tuple[tuple[str, ...], list[str]]:
    wanted = normal_dn(source.send_as_any)
    groups = answers.groups.entries if answers.groups else ()
    group = next((entry for entry in groups if normal_dn(entry.dn) == wanted), None)
    if group is not None:
        reading = Reading(entries=[group])
    else:
        reading = search(
            session, Query(source.send_as_any, "(objectClass=*)", group_attributes(source), ldap.SCOPE_BASE)
        )
        log_reading("send_as_any", reading)
    problems = list(troubles(reading, session.timeout))
    if not reading.entries:
        return (), problems or [f"{source.send_as_any!r} does not exist"]
    # Whom group_member_filter leaves out of lists may still be a group in this group.
    members = Members(session, source, answers, "")
    members.follow(reading.entries[0])
    found = tuple(dict.fromkeys(_people(reading.entries[0], source, answers, members)))
    return found, problems + members.problems


def _people(group: Entry, source: Source, answers: Answers, members: Members) -> Iterator[str]:
    """Give the DNs of a group's members; where one of them is a group, its members instead."""
    attributes = source.group_mapping.member
    groups = (*(answers.groups.entries if answers.groups else ()), *members.outside)
    holders = {normal_dn(entry.dn): entry for entry in groups if any(map(entry.values, attributes))}
    named = _by_name(answers)
    waiting, done = [group], {normal_dn(group.dn)}
    while waiting:
        holder = waiting.pop()
        wanted = Wanted.of(value for attribute in attributes for value in holder.values(attribute))
        dns = [*wanted.dns, *(named[name] for name in wanted.names if name in named)]
        dns += [normal_dn(entry.dn) for url in wanted.urls for entry in members.selected.get(url, ())]
        for dn in dns:
            if dn not in holders:
                yield dn
            elif dn not in done:
                done.add(dn)
                waiting.append(holders[dn])


def _by_name(answers: Answers) -> dict[str, str]:
    """Return users' DNs by the names that are theirs alone, in lower case."""
    named: dict[str, str] = {}
    shared: set[str] = set()
    for user in answers.users.entries:
        dn = normal_dn(user.dn)
        for name in set(names_of(user, _SURE_NAMES)):
            if named.setdefault(name, dn) != dn:
                shared.add(name)
    return {name: dn for name, dn in named.items() if name not in shared}
