"""Knowledge: for each directory and kind of thing, whether absence is believed, and if not, why.

An answer is believed to be whole, or not. A whole answer to a search that differs from the accepted one is believed
too, but what it would take away waits for a word: that is a doubt, a part of a sentence that says what differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter

from ldap2mailcow.config import Source
from ldap2mailcow.desired import measured
from ldap2mailcow.model import (
    Address,
    Finding,
    Fingerprint,
    Remembered,
    RememberedAlias,
    Role,
    Say,
)

from .case import Case, Directory
from .withheld import Guarded

AT_LEAST = 3
"""Fewer than this losing an attribute, or an id, is an edit of those entries, not a lost right or a new server."""

USER_KEYS = ("user_search_base", "user_search_filter", "domains", "user_mapping.id", "user_mapping.mail")
KEYS: dict[Role, tuple[str, ...]] = {
    Role.USER: (*USER_KEYS, "user_mapping.aliases"),
    Role.LIST: (
        *USER_KEYS,
        "group_search_base",
        "group_search_filter",
        "group_member_filter",
        "group_mapping.mail",
        "group_mapping.member",
        "group_mapping.aliases",
        "user_mapping.group_addresses",
    ),
    Role.FORWARD: (
        *USER_KEYS,
        "user_mapping.forward_to",
        "alias_search_base",
        "alias_search_filter",
        "alias_mapping.mail",
        "alias_mapping.goto",
    ),
    Role.FORMER: USER_KEYS,
}
"""The settings that decide which aliases of each kind there are, besides those that decide who is in the answer."""
NAME_KEYS = ("user_mapping.mail", "user_mapping.id")
"""The settings that decide which address a user has."""
SENDER_KEYS = ("user_mapping.send_as", "group_mapping.send_as", "send_as_any")
"""The settings that decide who may send as whom, besides those that decide which users and groups there are."""

SOFT: dict[str, Role | None] = {
    "aliases": Role.USER,
    "group_addresses": Role.LIST,
    "forward_to": Role.FORWARD,
    "send_as": None,
}
"""Keys of `user_mapping` that say nothing about mailboxes: where such an attribute vanishes, only what it makes waits
for a word, aliases of a kind or (None) rights."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of what isn't in the answers of one directory; of one that couldn't be read: nothing."""

    users: bool = False
    """Whether a user whose entry isn't in the answer is believed to be gone."""
    doubt: str = ""
    """Why the removal of such a mailbox waits for a word; empty where it doesn't."""
    doubt_of_status: str = ""
    """The same of a mailbox whose entry is there and inactive."""
    doubt_of_names: str = ""
    """The same of a rename."""
    kinds: Mapping[Role, bool] = field(default_factory=lambda: dict.fromkeys(Role, False))
    """The same of aliases, by kind: users, groups and entries that only forward are searched for apart."""
    doubts: Mapping[Role, str] = field(default_factory=lambda: dict.fromkeys(Role, ""))
    doubt_of_rights: str = ""
    vanished: frozenset[str] = frozenset()
    """The keys of `user_mapping` whose attributes vanished from most entries: what they make is left as it is."""
    replaced: tuple[Address, ...] = ()
    """The addresses of users who have another id than before, where that is most of them and no word was said."""
    again: tuple[Address, ...] = ()
    """The same where a word was said: they are known again by their addresses."""
    fingerprint: Fingerprint = field(default_factory=dict)
    is_whole: bool = False
    """Whether all that was searched for is whole, whatever the run looks at."""
    answers_whole: bool = False
    """Whether the answer about users is whole, whatever the run looks at."""
    findings: tuple[Finding, ...] = ()

    def knows(self, role: Role | None) -> bool:
        """Tell whether absence is believed; of an alias of unknown kind only where it is for all kinds."""
        return all(self.kinds.values()) if role is None else self.kinds[role]

    def why_not(self, role: Role | None) -> str:
        """Say why the removal of an alias waits for a word; empty where it doesn't."""
        return first(self.doubts.values()) if role is None else self.doubts[role]


NOTHING = Knowledge()


def learn(case: Case) -> dict[str, Knowledge]:
    """Return what is known of each directory that answered, by name."""
    return {directory.name: _Reader(case, directory).knowledge() for directory in case.directories}


class _Reader:
    """Looks at the answers of one directory."""

    def __init__(self, case: Case, directory: Directory) -> None:
        self.case, self.directory, self.source, self.asked = case, directory, directory.source, directory.asked
        self.fingerprint = fingerprint(directory.source)
        self.accepted = case.source_memory(directory.name).accepted
        self.rows = [row for row in case.rows.values() if row.source == directory.name and row.id is not None]
        self.ids = {user.id.id for user in self.asked.users}
        answers = {Role.LIST: directory.answers.groups, Role.FORWARD: directory.answers.forwards}
        self.searched = {role: answer for role, answer in answers.items() if answer is not None}
        """By kind of alias: the answer of a search of its own, where there was one."""
        self.vanished = self.find_vanished()
        self.lost = {SOFT[key]: f"most users lost {one.where} at once" for key, one in self.vanished if key in SOFT}

    def knowledge(self) -> Knowledge:
        replaced, again = self.replaced()
        reasons = tuple(self.reasons(replaced))
        users = not reasons and not self.case.options.scoped
        whole = {role: not answer.doubts for role, answer in self.searched.items()}
        doubts = {role: first(self.doubts_of(role)) for role in Role}
        rights = (self.unaccepted(SENDER_KEYS), self.lost.get(None, ""), doubts[Role.USER], doubts[Role.LIST])
        return Knowledge(
            users=users,
            doubt=self.unaccepted(USER_KEYS),
            doubt_of_status=self.changed(USER_KEYS),
            doubt_of_names=self.changed(NAME_KEYS),
            kinds={role: users and whole.get(role, True) for role in Role},
            doubts=doubts,
            doubt_of_rights=first(rights),
            vanished=frozenset(key for key, _ in self.vanished),
            replaced=replaced,
            again=again,
            fingerprint=self.fingerprint,
            is_whole=not reasons and all(whole.values()),
            answers_whole=not reasons,
            findings=(*reasons, *self.besides()),
        )

    # users

    def reasons(self, replaced: tuple[Address, ...]) -> Iterator[Finding]:
        """Give every reason why the answer about users isn't believed to be whole."""
        name, attribute, without_id = self.directory.name, self.directory.id_attribute, self.asked.without_id
        yield from self.directory.answers.users.doubts
        if self.has_nobody():
            yield Say.NO_USERS.at(name, base=self.source.user_search_base, filter=self.directory.search_filter)
        if without_id:
            yield Say.WITHOUT_ID.at(name, count=len(without_id), attribute=attribute, dn=without_id[0])
        yield from (finding for key, finding in self.vanished if key not in SOFT)
        if replaced:
            count, had = len(replaced), len(self.current)
            yield Say.REPLACED.at(name, count=count, had=had, attribute=attribute, kind=Guarded.TAKEOVER)

    def has_nobody(self) -> bool:
        """Tell whether the search found no user; with another filter they may all be in another directory."""
        directories = self.case.directories if self.case.options.overridden_filter else (self.directory,)
        return not any(one.answers.users.entries for one in directories)

    def find_vanished(self) -> list[tuple[str, Finding]]:
        """Return the keys of `user_mapping` whose attributes most entries that had them no longer show."""
        remembered = {row.id: row for row in self.rows}
        had: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        for user in self.asked.users:
            if row := remembered.get(user.id.id):
                had.update(row.present)
                lost.update(row.present - user.present)
        named = {key: name for key, name in sorted(measured(self.source).items()) if is_most(lost[key], had[key])}
        return [
            (kind_of(key), Say.VANISHED.at(name, lost=lost[key], had=had[key], attribute=name, key=kind_of(key)))
            for key, name in named.items()
        ]

    def replaced(self) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
        """Return the addresses whose user has another id than before, where that is most of them.

        A new directory server does that, and so does the wrong one: first without a word, then with one. An address
        that several ask for counts once.
        """
        asked = {user.addresses for user in self.asked.users}
        found = sorted(row.address for row in self.current if row.id not in self.ids and (row.address,) in asked)
        if not is_most(len(found), len(self.current)):
            return (), ()
        has_word = len(found) <= self.case.options.approved.get(Guarded.TAKEOVER, 0)
        return ((), tuple(found)) if has_word else (tuple(found), ())

    @cached_property
    def current(self) -> list[Remembered]:
        """The rows of users who were there lately, when an answer was last believed: a leaver has no other id."""
        answered, patience = self.case.source_memory(self.directory.name).answered, self.case.config.removed_users
        since = (answered or self.case.now) - patience.missing_for
        return [row for row in self.rows if not row.missed or (row.last_seen and row.last_seen >= since)]

    def besides(self) -> Iterator[Finding]:
        """Give what is said and lets the answer about users be whole."""
        yield from (finding for key, finding in self.vanished if key in SOFT)
        for answer in self.searched.values():
            yield from answer.doubts

    # settings of the search

    def unaccepted(self, keys: Iterable[str]) -> str:
        """Say why a search that depends on some settings isn't the accepted one."""
        return _NONE_ACCEPTED if self.accepted is None else self.changed(keys)

    def changed(self, keys: Iterable[str]) -> str:
        """Say which of some settings differ from those of the last accepted run."""
        accepted = self.fingerprint if self.accepted is None else self.accepted
        differing = [key for key in keys if accepted.get(key, "") != self.fingerprint.get(key, "")]
        return f"{' and '.join(differing)} changed since the last accepted run" if differing else ""

    # aliases

    def doubts_of(self, role: Role) -> Iterator[str]:
        """Give every reason why the removal of aliases of a kind waits for a word."""
        yield self.unaccepted(KEYS[role])
        if role in self.searched:
            yield self.dropped(role)
        yield self.lost.get(role, "")

    def dropped(self, role: Role) -> str:
        """Say that most lists, or forwardings, lost their addresses or targets at once: a right to read may be lost."""
        rows = self.of_entries(role)
        gone = self.case.actual.aliases.keys() & {row.address for row in rows} - self.asked_for(role)
        if gone and not self.searched[role].entries:
            return "the search for them found nothing"
        if not is_most(len(gone), len(rows)):
            return ""
        return f"{len(gone)} of {len(rows)} lost their addresses or targets at once"

    def of_entries(self, role: Role) -> list[RememberedAlias]:
        """Return what is remembered of the aliases that entries of a kind made, and not users' own attributes."""
        of_here = (row for row in self.case.alias_rows.values() if row.source == self.directory.name and row.dn)
        return [row for row in of_here if row.role is role and row.owner not in self.ids and not row.disabled]

    def asked_for(self, role: Role) -> set[Address]:
        """Return the addresses that entries of a kind ask for, if they name targets or what they name can't be read."""
        if role is Role.LIST:
            groups = [group for group in self.asked.groups if group.members or not group.members_known]
            return {one for group in groups for one in (*group.addresses, *group.further)}
        return {one for forward in self.asked.forwards if forward.stated for one in forward.addresses}


_NONE_ACCEPTED = "no run was accepted yet, so their absence may be a mistake in the search"


def first(reasons: Iterable[str]) -> str:
    """Return the first of some reasons; empty for none."""
    return next(filter(None, reasons), "")


def is_most(count: int, total: int) -> bool:
    """Tell whether so many are more than half, and more than a few edits."""
    return count >= AT_LEAST and count * 2 > total


def kind_of(key: str) -> str:
    """Return the key of `user_mapping` that a measured key belongs to."""
    return key.partition(":")[0]


_READ_AS = {
    "user_search_filter": "search_filter",
    "group_search_base": "group_base",
    "group_search_filter": "group_filter",
    "alias_search_base": "alias_base",
    "alias_search_filter": "alias_filter",
}
"""Where what is searched with, defaults included, has another name than the setting."""


def fingerprint(source: Source) -> Fingerprint:
    """Return the settings that decide who is in the answer, and which aliases and rights follow from it."""
    unused = {"group": not source.reads_groups, "alias": not source.reads_forwards}
    keys = dict.fromkeys(key for keys in (*KEYS.values(), SENDER_KEYS) for key in keys)
    found = {key: attrgetter(_READ_AS.get(key, key))(source) for key in keys if not unused.get(key.partition("_")[0])}
    found["domains"] = sorted(source.domains)
    return {key: value if isinstance(value, str) else ",".join(value) for key, value in found.items()}
