"""Entries that must be there for an answer to count as whole."""

from __future__ import annotations

import ldap

from ldap2mailcow.config import Source
from ldap2mailcow.model import Code, Finding

from .errors import words
from .session import Session


def missing_canaries(session: Session, source: Source) -> list[Finding]:
    """Return a doubt for each canary entry that can't be read; without a connection none can."""
    doubts = []
    for dn in source.canary_dns:
        problem = _problem(session, dn)
        if problem:
            sentence = (
                f"this canary entry of {source.name} can't be read: {problem}; let the bind DN read it, or take it out "
                "of canary_dns if it is meant to be gone"
            )
            doubts.append(Finding(Code.CANARY_MISSING, dn, sentence))
    return doubts


def _problem(session: Session, dn: str) -> str:
    """Return what is wrong with a canary entry; "" where it is there."""
    try:
        found = session.look_at(dn, ("1.1",))
    except ldap.NO_SUCH_OBJECT:
        return "it does not exist"
    except ldap.LDAPError as error:
        return words(error, session.timeout)
    return "" if found else "it does not exist"
