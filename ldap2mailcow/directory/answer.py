"""What a directory says about its users, its groups and the entries that only forward, and whether that is all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import ldap

from ldap2mailcow.config import Source, forward_attributes, group_attributes, user_attributes
from ldap2mailcow.model import Answer, Code, Finding

from .canaries import missing_canaries
from .errors import BadFilter, Unreachable, search_failure, words
from .search import Reading, search
from .session import Query, Session

_log = logging.getLogger(__name__)

_REMEDIES: dict[type[ldap.LDAPError], str] = {
    ldap.SIZELIMIT_EXCEEDED: "let bind_dn read more entries in the server's limits",
    ldap.ADMINLIMIT_EXCEEDED: "let bind_dn read more entries in the server's limits",
    ldap.TIMELIMIT_EXCEEDED: "let bind_dn search longer in the server's limits, or narrow {key}",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One of the searches that the config describes."""

    about: str
    """What is searched for: a word for sentences."""
    where: str
    """What its doubts are filed under."""
    query: Query
    base_key: str
    filter_key: str
    """Where the config has base and filter."""

    @classmethod
    def about_users(cls, source: Source, filter_override: str | None) -> Self:
        """Return the search for users."""
        query = Query(
            source.user_search_base,
            source.search_filter if filter_override is None else filter_override,
            user_attributes(source),
        )
        return cls("users", source.name, query, "user_search_base", "user_search_filter")

    @classmethod
    def about_groups(cls, source: Source) -> Self:
        """Return the search for groups."""
        query = Query(source.group_base, source.group_filter, group_attributes(source))
        base = "group_search_base" if source.group_search_base else "user_search_base"
        return cls("groups", f"{source.name} (groups)", query, base, "group_search_filter")

    @classmethod
    def about_forwards(cls, source: Source) -> Self:
        """Return the search for entries that only forward."""
        query = Query(source.alias_base, source.alias_filter, forward_attributes(source))
        base = "alias_search_base" if source.alias_search_base else "user_search_base"
        return cls("entries that only forward", f"{source.name} (forwards)", query, base, "alias_search_filter")


def users_of(session: Session, source: Source, uri: str, filter_override: str | None) -> Answer:
    """Read the users, and look for the canary entries.

    Raises Unreachable where the search brings nothing but an error, and BadFilter.
    """
    question = Question.about_users(source, filter_override)
    reading = _searched(session, source, question)
    if reading.error is not None and not reading.entries:
        failure = search_failure(reading.error, question.query.base, question.base_key, session.timeout)
        raise Unreachable(f"The directory {source.name!r} can't be read: {failure}.") from None
    _log.info(
        "%s: bound as %s; %s entries in %s pages",
        uri,
        source.bind_dn or "nobody (anonymous)",
        f"{len(reading.entries):,}",
        f"{reading.pages:,}",
    )
    doubts = [*_cut_short(question, reading, "it", session.timeout), *missing_canaries(session, source)]
    return Answer(tuple(reading.entries), tuple(doubts))


def answer_to(session: Session, source: Source, question: Question) -> Answer:
    """Read groups or entries that only forward; nothing but an error is an empty answer that is doubtful.

    Raises BadFilter.
    """
    reading = _searched(session, source, question)
    log_reading(question.about, reading)
    subject = f"the search for {question.about}"
    if reading.error is not None and not reading.entries:
        failure = search_failure(reading.error, question.query.base, question.base_key, session.timeout)
        doubts = [Finding(Code.ANSWER_CUT_SHORT, question.where, f"{subject} brought nothing: {failure}")]
    else:
        doubts = _cut_short(question, reading, subject, session.timeout)
    return Answer(tuple(reading.entries), tuple(doubts))


def log_reading(about: str, reading: Reading) -> None:
    """Say how much a search brought."""
    _log.info("%s: %s entries in %s pages", about, f"{len(reading.entries):,}", f"{reading.pages:,}")


def troubles(reading: Reading, timeout: int) -> Sequence[str]:
    """Return every reason why a reading may not be whole."""
    ended = () if reading.error is None else (words(reading.error, timeout),)
    return (*reading.oddities, *ended)


def _searched(session: Session, source: Source, question: Question) -> Reading:
    reading = search(session, question.query)
    if isinstance(reading.error, ldap.FILTER_ERROR):
        raise bad_filter(question.query.filter, source) from None
    return reading


def bad_filter(text: str, source: Source) -> BadFilter:
    """Return the error for a filter of the config that isn't one."""
    return BadFilter(f"The search filter {text!r} of the directory {source.name!r} is not valid.")


def _cut_short(question: Question, reading: Reading, subject: str, timeout: int) -> list[Finding]:
    """Return a doubt where the entries may not be all there are."""
    reasons = list(troubles(reading, timeout))
    remedy = _REMEDIES.get(type(reading.error)) if reading.error is not None else None
    if remedy:
        reasons[-1] += f"; {remedy.format(key=question.filter_key)}"
    if not reasons:
        return []
    many = f"{len(reading.entries):,}"
    sentence = (
        f"{subject} sent {many} entries, which may not be all: {'; '.join(reasons)}; "
        "raise the bind DN's limits in the directory, or look at the server if it was cut off"
    )
    return [Finding(Code.ANSWER_CUT_SHORT, question.where, sentence)]
