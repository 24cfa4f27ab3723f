"""Who is in a directory, and what it says to one run: all of it, or not.

A few names only, so that everybody is in everybody's way.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count

from ldap2mailcow.model import Answer, Answers, Code, Entry, Finding

ORG, NET = "example.org", "example.net"
"""The two mail domains."""
SUFFIX = "dc=example,dc=org"

PEOPLE = ("ann", "ben", "cat", "dan", "eve")
KEEPER = "zoe"
"""Always there: an answer without anybody isn't believed."""
LISTS = ("team", "board")
STAFF = frozenset({"ann", "ben", "cat", KEEPER})
"""Whom the narrower of the two filters finds."""

MAILS = (*(f"{name}@{ORG}" for name in (*PEOPLE, "info")), f"ann@{NET}", f"info@{NET}")
"""What a person's own address may be."""
ALIASES = (f"ann@{ORG}", f"ben@{ORG}", f"info@{ORG}", f"sales@{ORG}", f"info@{NET}")
LIST_MAILS = (*(f"{name}@{ORG}" for name in LISTS), f"info@{ORG}")

PASSWORD, STATUS, MAIL, ALIAS, ID = "userpassword", "mailactive", "mail", "mailalias", "entryuuid"
"""Names of attributes, as an entry has them."""


def ssha(number: int) -> str:
    """Return a hash that nobody else has; what password it is of doesn't matter, mailcow stores it as it is."""
    return "{SSHA}" + base64.b64encode(number.to_bytes(24, "big")).decode("ascii")


@dataclass(frozen=True)
class Person:
    """Somebody's entry."""

    name: str
    id: str
    mail: str
    password: str
    active: bool = True
    aliases: tuple[str, ...] = ()
    unit: str = "people"

    @property
    def dn(self) -> str:
        """Where the entry is."""
        return f"uid={self.name},ou={self.unit},{SUFFIX}"

    def entry(self, hidden: frozenset[str] = frozenset()) -> Entry:
        """Return the entry without the attributes that the server hides."""
        texts = {
            ID: (self.id,),
            "uid": (self.name,),
            MAIL: (self.mail,),
            "givenname": (self.name.title(),),
            "sn": ("Model",),
            PASSWORD: (self.password,),
            STATUS: ("TRUE" if self.active else "FALSE",),
            ALIAS: self.aliases,
        }
        shown = {name: values for name, values in texts.items() if values and name not in hidden}
        return Entry(self.dn, {name: tuple(text.encode() for text in values) for name, values in shown.items()})


@dataclass(frozen=True)
class List:
    """A group with an address."""

    name: str
    mail: str
    members: tuple[str, ...]
    """The names of people, whether they are there or not."""

    @property
    def dn(self) -> str:
        """Where the entry is."""
        return f"cn={self.name},ou=groups,{SUFFIX}"

    def entry(self, dns: dict[str, str]) -> Entry:
        """Return the entry; `dns` has where the entries of people are."""
        members = tuple(dns.get(name, f"uid={name},ou=people,{SUFFIX}").encode() for name in self.members)
        rest = {"cn": self.name, MAIL: self.mail, ID: f"list {self.name}"}
        return Entry(self.dn, {**{name: (text.encode(),) for name, text in rest.items()}, "member": members})


class Trust(StrEnum):
    """How much of a directory a run gets to see, and how it can know that this isn't all."""

    WHOLE = "whole"
    CUT_SHORT = "cut short"
    NO_CANARY = "no canary"
    NOBODY = "nobody"  # an answer without a user, and without an error
    NO_LISTS = "no lists"  # the search for groups was cut short
    NO_MAILS = "no mails"  # the right to read an attribute is lost
    NO_STATUS = "no status"
    NO_PASSWORDS = "no passwords"
    NO_IDS = "no ids"


HIDDEN = {
    Trust.NO_MAILS: MAIL,
    Trust.NO_STATUS: STATUS,
    Trust.NO_PASSWORDS: PASSWORD,
    Trust.NO_IDS: ID,
}


@dataclass(frozen=True)
class Told:
    """What a directory says to one run."""

    people: tuple[Person, ...]
    lists: tuple[List, ...]
    trust: Trust = Trust.WHOLE
    at: dict[str, str] = field(default_factory=dict)
    """Where the entries of all people are, told or not."""

    @property
    def is_whole(self) -> bool:
        """Whether it says of everybody whom it doesn't name that they aren't there."""
        return self.trust in {Trust.WHOLE, Trust.NO_LISTS}

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all people in it."""
        return frozenset(person.id for person in self.people)

    def whose(self, address: str) -> list[Person]:
        """Return those who want an address as their own."""
        return [person for person in self.people if person.mail == address]

    def by_dn(self, dn: str) -> Person | None:
        """Return whose entry is at a DN."""
        return next((person for person in self.people if person.dn == dn), None)

    def answers(self) -> Answers:
        """Return it as the package's own reading of LDAP would."""
        doubt = {
            Trust.CUT_SHORT: (Finding(Code.ANSWER_CUT_SHORT, "default", "it was cut short"),),
            Trust.NO_CANARY: (Finding(Code.CANARY_MISSING, "default", "the canary is missing"),),
        }
        hidden = frozenset({HIDDEN[self.trust]} if self.trust in HIDDEN else ())
        list_doubt = (Finding(Code.ANSWER_CUT_SHORT, "default (groups)", "it was cut short"),)
        return Answers(
            users=Answer(tuple(one.entry(hidden) for one in self.people), doubt.get(self.trust, ())),
            groups=Answer(
                tuple(one.entry(self.at) for one in self.lists),
                list_doubt if self.trust is Trust.NO_LISTS else (),
            ),
        )


@dataclass
class Directory:
    """The truth about everybody."""

    people: dict[str, Person] = field(default_factory=dict)
    lists: dict[str, List] = field(default_factory=dict)
    left: dict[str, Person] = field(default_factory=dict)
    """Those who are gone, as they were."""
    numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.people[KEEPER] = self.person(KEEPER, f"{KEEPER}@{ORG}")
        self.lists[KEEPER] = List(KEEPER, f"keepers@{ORG}", (KEEPER,))

    def person(self, name: str, mail: str) -> Person:
        """Return a new entry, with an id and a password that nobody ever had."""
        number = next(self.numbers)
        return Person(name, f"{name}-{number}", mail, ssha(number))

    def change(self, name: str, **values: object) -> None:
        """Edit an entry."""
        self.people[name] = replace(self.people[name], **values)  # type: ignore[arg-type]

    def new_password(self, name: str) -> None:
        """Give somebody a password that nobody ever had."""
        self.change(name, password=ssha(next(self.numbers)))

    def new_id(self, name: str) -> None:
        """Make somebody's entry anew: another id, all else the same."""
        self.change(name, id=f"{name}-{next(self.numbers)}")

    def set_list(self, name: str, mail: str, members: tuple[str, ...]) -> None:
        """Make a list, or write it anew."""
        self.lists[name] = List(name, mail, members)

    def tell(self, trust: Trust, unseen: Iterable[str], *, staff_only: bool) -> Told:
        """Return what it says; `unseen` are the people or lists that a doubtful answer doesn't have."""
        partial = trust in {Trust.CUT_SHORT, Trust.NO_CANARY}
        hidden = frozenset(unseen) if partial else frozenset()
        people = [
            person
            for name, person in sorted(self.people.items())
            if name not in hidden and (not staff_only or name in STAFF)
        ]
        no_list = frozenset(unseen) if trust is Trust.NO_LISTS else frozenset()
        lists = [one for name, one in sorted(self.lists.items()) if name not in no_list]
        at = {name: person.dn for name, person in self.people.items()}
        return Told(() if trust is Trust.NOBODY else tuple(people), tuple(lists), trust, at)
