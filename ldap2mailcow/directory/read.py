"""All that one directory says in a run: one connection, one bind."""

from __future__ import annotations

import logging
from dataclasses import replace

from ldap2mailcow.config import Source
from ldap2mailcow.model import Answers, Finding

from .allowance import Allowance
from .answer import Question, answer_to, users_of
from .connection import connected
from .members import Members, member_doubt
from .senders import any_senders
from .session import Session

_log = logging.getLogger(__name__)


def read(source: Source, *, filter_override: str | None = None) -> Answers:
    """Read one directory: its users, and as far as the config asks for them groups and entries that only forward.

    Members that are in none of the answers are looked up, in a number of searches that doesn't grow with theirs. Each
    answer carries a doubt for each reason why it may not be whole: cut short, referred elsewhere, a canary entry that
    isn't there. No entries at all is an answer like any other. Only the users have to be readable: groups that are not
    are an empty answer with a doubt.

    Raises Refused, Unreachable (also for a search for users that brings nothing but an error, where all of this takes
    longer than the deadline, and for what is not LDAP) and BadFilter.
    """
    allowance = Allowance(source)
    with connected(source, allowance) as (wire, uri):
        session = Session(wire, source, allowance)
        users = users_of(session, source, uri, filter_override)
        groups = answer_to(session, source, Question.about_groups(source)) if source.reads_groups else None
        forwards = answer_to(session, source, Question.about_forwards(source)) if source.reads_forwards else None
        answers = Answers(users, groups, forwards)
        senders, doubts = any_senders(session, source, answers)
        members = Members(session, source, answers, source.group_member_filter)
        members.follow_answers()
    _log.info("%s: %s searches", uri, f"{session.searches:,}")
    answers = _doubting(answers, [*member_doubt(source, members.problems), *doubts])
    outside, selected = tuple(members.outside), members.selected
    return replace(answers, outside=outside, selected=selected, unsure=members.unsure, send_as_any=senders)


def _doubting(answers: Answers, doubts: list[Finding]) -> Answers:
    """Return the answers with doubts about members: those of the groups, without groups those of the users.

    Who may send as whom is part of what users have, so that without groups theirs is the answer that isn't whole.
    """
    if not doubts:
        return answers
    if answers.groups is None:
        return replace(answers, users=replace(answers.users, doubts=(*answers.users.doubts, *doubts)))
    return replace(answers, groups=replace(answers.groups, doubts=(*answers.groups.doubts, *doubts)))
