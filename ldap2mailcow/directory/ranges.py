"""Values that come in parts: Active Directory sends 1,500 of an attribute at once (MS-ADTS section 3.1.1.3.1.3.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import ldap
from ldap.controls import LDAPControl

from ldap2mailcow.model import Entry

from .errors import words
from .session import Session

_RANGE = re.compile(r"(?P<attribute>[^;]+(?:;.+)?);range=(?P<first>[0-9]+)-(?P<last>[0-9]+|\*)", re.IGNORECASE)
_DIGITS = 18
_MOST_PARTS = 1_000  # a million and a half values; a server that goes on after that won't end


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the values of an attribute, as its name tells: `member;range=0-1499`, `member;range=1500-*`."""

    attribute: str
    first: int
    last: int | None
    """None: there are no more values."""

    @classmethod
    def of(cls, name: str) -> Self | None:
        """Read the name of an attribute; None where it isn't one of a part."""
        found = _RANGE.fullmatch(name)
        if found is None:
            return None
        last = None if found["last"] == "*" else _number(found["last"])
        return cls(found["attribute"], _number(found["first"]), last)


def _number(digits: str) -> int:
    """Return a place among values; one with more digits than any server counts to is nowhere, and cut short."""
    return int(digits[:_DIGITS])


@dataclass(frozen=True, slots=True)
class Cut:
    """An attribute whose first values only were sent."""

    position: int
    """Of its entry among those that were read."""
    name: str
    """As the server wrote it, its range included."""
    part: Part


def complete(
    session: Session, entries: list[Entry], cuts: Sequence[Cut], controls: Sequence[LDAPControl]
) -> tuple[str, ...]:
    """Ask for the values that are missing and put them into the entries; return what is still cut, each once.

    Values that came before a failure are kept: they are there.
    """
    problems: set[str] = set()
    for cut in cuts:
        entry = entries[cut.position]
        values: list[bytes] = []
        problem = _take_rest(session, entry.dn, cut, controls, values)
        if problem is not None:
            problems.add(f"{cut.name}: {problem}" if problem else cut.name)
        key = cut.part.attribute.partition(";")[0].lower()
        whole = (*entry.attributes[key], *values)
        entries[cut.position] = Entry(entry.dn, {**entry.attributes, key: whole})
    return tuple(sorted(problems))


def _take_rest(session: Session, dn: str, cut: Cut, controls: Sequence[LDAPControl], values: list[bytes]) -> str | None:
    """Take part after part until the server says that it was the last.

    Returns None for all of them, else why not in the server's words ("": it sent something else than was asked for).
    """
    part = cut.part
    for _ in range(_MOST_PARTS):
        if part.last is None:
            return None
        following = part.last + 1
        try:
            found = session.look_at(dn, (f"{part.attribute};range={following}-*",), controls)
        except ldap.LDAPError as error:
            return words(error, session.timeout)
        after = _part_from(following, {} if found is None else found[1])
        if after is None:
            return ""
        part, of_part = after
        values += of_part
    return ""


def _part_from(first: int, sent: Mapping[str, Sequence[bytes]]) -> tuple[Part, Sequence[bytes]] | None:
    """Return the part that begins with a position, and the values in it; None where none was sent, or an empty one."""
    for name, values in sent.items():
        part = Part.of(name)
        if part and part.first == first and values:
            return part, values
    return None
