"""Knowledge: for each directory and kind of thing, whether absence is believed, and if not, why.

An answer is believed to be whole, or not. A whole answer to a search that differs from the accepted one is believed
too, but what it would take away waits for a word: that is a doubt, a part of a sentence that says what differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ldap2mailcow.config import Source
from ldap2mailcow.desired import Group, User, measured
from ldap2mailcow.model import (
    GOTO,
    Address,
    Answer,
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
        return next(filter(None, self.doubts.values()), "") if role is None else self.doubts[role]


NOTHING = Knowledge()


def learn(case: Case) -> dict[str, Knowledge]:
    """Return what is known of each directory that answered, by name."""
    return {directory.name: _Reader(case, directory).knowledge() for directory in case.directories}


class _Reader:
    """Looks at the answers of one directory."""

    def __init__(self, case: Case, directory: Directory) -> None:
        self.case, self.directory, self.source = case, directory, directory.source
        self.fingerprint = fingerprint(directory.source)
        self.accepted = case.source_memory(directory.name).accepted
        self.rows = [row for row in case.rows.values() if row.source == directory.name and row.id is not None]
        self.alias_rows = [row for row in case.alias_rows.values() if row.source == directory.name]
        self.groups = {group.id.id: group for group in directory.asked.groups}

    def knowledge(self) -> Knowledge:
        scoped, answers = self.case.options.scoped, self.directory.answers
        vanished = self.vanished()
        soft = {key: lost for key, lost in vanished.items() if kind_of(key) in SOFT}
        hard = {key: lost for key, lost in vanished.items() if key not in soft}
        replaced = self.replaced()
        again = replaced if len(replaced) <= self.case.options.approved.get(Guarded.TAKEOVER, 0) else ()
        replaced = () if again else replaced
        reasons = (*answers.users.doubts, *self.nobody(), *self.without_id(), *self.tell_vanished(hard))
        reasons = (*reasons, *self.tell_replaced(replaced))
        emptied = () if reasons or scoped else self.emptied_lists()
        users = not reasons and not scoped
        doubts = {role: self.alias_doubt(role) or _EMPTIED * bool(emptied and role is Role.LIST) for role in Role}
        lost = {SOFT[kind_of(key)]: f"most users lost {measured(self.source)[key]} at once" for key in soft}
        doubts = {role: doubt or lost.get(role, "") for role, doubt in doubts.items()}
        kinds = {Role.LIST: is_whole(answers.groups), Role.FORWARD: is_whole(answers.forwards)}
        return Knowledge(
            users=users,
            doubt=self.changed(USER_KEYS),
            doubt_of_status=self.changed(USER_KEYS) if self.accepted is not None else "",
            doubt_of_names=self.changed(NAME_KEYS) if self.accepted is not None else "",
            kinds={role: users and kinds.get(role, True) for role in Role},
            doubts=doubts,
            doubt_of_rights=self.changed(SENDER_KEYS) or lost.get(None) or doubts[Role.USER] or doubts[Role.LIST],
            vanished=frozenset(map(kind_of, vanished)),
            replaced=replaced,
            again=again,
            fingerprint=self.fingerprint,
            is_whole=not reasons and all(kinds.values()),
            answers_whole=not reasons,
            findings=(*reasons, *self.tell_vanished(soft), *self.alias_findings(), *emptied),
        )

    # users

    def nobody(self) -> tuple[Finding, ...]:
        """Say that the search found no user; in a run with another filter they may all be in another directory."""
        elsewhere = any(one.answers.users.entries for one in self.case.directories)
        if self.directory.answers.users.entries or (self.case.options.overridden_filter and elsewhere):
            return ()
        source, used = self.source, self.directory.search_filter
        return (Say.NO_USERS.at(self.directory.name, base=source.user_search_base, filter=used),)

    def without_id(self) -> tuple[Finding, ...]:
        lacking = self.directory.asked.without_id
        if not lacking:
            return ()
        attribute = self.directory.id_attribute
        return (Say.WITHOUT_ID.at(self.directory.name, count=len(lacking), attribute=attribute, dn=lacking[0]),)

    def vanished(self) -> dict[str, tuple[int, int]]:
        """Return the mapped keys that most entries which had them no longer have: how many, of how many."""
        remembered = {row.id: row for row in self.rows}
        had: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        for user in self.directory.asked.users:
            if row := remembered.get(user.id.id):
                had.update(row.present)
                lost.update(row.present - user.present)
        known = measured(self.source)
        return {key: (lost[key], had[key]) for key in sorted(lost) if key in known and is_most(lost[key], had[key])}

    def tell_vanished(self, vanished: Mapping[str, tuple[int, int]]) -> Iterable[Finding]:
        """Give a finding for each attribute that vanished: how many entries lost it, of how many."""
        for key, (lost, had) in vanished.items():
            attribute = measured(self.source)[key]
            yield Say.VANISHED.at(attribute, lost=lost, had=had, attribute=attribute, key=kind_of(key))

    def replaced(self) -> tuple[Address, ...]:
        """Return the addresses whose user has another id than before, where that is most of them.

        A new directory server does that, and so does the wrong one. One that several ask for counts once.
        """
        ids = {user.id.id for user in self.directory.asked.users}
        found = sorted({address for user in self.directory.asked.users for address in self.known_otherwise(user, ids)})
        return tuple(found) if is_most(len(found), len(self.current)) else ()

    @cached_property
    def current(self) -> dict[Address, Remembered]:
        """The rows of users who were there lately, when an answer was last believed: a leaver has no other id."""
        answered, patience = self.case.source_memory(self.directory.name).answered, self.case.config.removed_users
        since = (answered or self.case.now) - patience.missing_for
        return {row.address: row for row in self.rows if not row.missed or (row.last_seen and row.last_seen >= since)}

    def known_otherwise(self, user: User, ids: set[str]) -> Iterable[Address]:
        """Give the address of a user whose mailbox is remembered with an id that is gone."""
        row = self.current.get(user.addresses[0]) if len(user.addresses) == 1 else None
        if row and row.id not in ids:
            yield row.address

    def tell_replaced(self, replaced: tuple[Address, ...]) -> tuple[Finding, ...]:
        if not replaced:
            return ()
        count, had, attribute = len(replaced), len(self.current), self.directory.id_attribute
        name = self.directory.name
        return (Say.REPLACED.at(name, count=count, had=had, attribute=attribute, kind=Guarded.TAKEOVER),)

    # groups and entries that only forward

    def alias_findings(self) -> tuple[Finding, ...]:
        """Return every reason why the groups or the entries that only forward may not be all there are."""
        answers = (self.directory.answers.groups, self.directory.answers.forwards)
        return tuple(finding for answer in answers if answer for finding in answer.doubts)

    def alias_doubt(self, role: Role) -> str:
        """Say why the removal of aliases of a kind waits for a word."""
        if changed := self.changed(KEYS[role]):
            return changed
        answers, source = self.directory.answers, self.source
        searched = {Role.LIST: (source.group_base, answers.groups), Role.FORWARD: (source.alias_base, answers.forwards)}
        if role not in searched:
            return ""
        base, answer = searched[role]
        if answer is not None and not answer.entries and self.had_some(role):
            return f"the search for them below {base} found nothing"
        return self.dropped(role)

    def changed(self, keys: Iterable[str]) -> str:
        """Say which of some settings differ from those of the last accepted run."""
        if self.accepted is None:
            return _NONE_ACCEPTED
        accepted = self.accepted
        differing = [key for key in keys if accepted.get(key, "") != self.fingerprint.get(key, "")]
        return f"{' and '.join(differing)} changed since the last accepted run" if differing else ""

    def of_entries(self, role: Role) -> list[RememberedAlias]:
        """Return what is remembered of the aliases that entries of a kind made, and not users' own attributes."""
        users = {user.id.id for user in self.directory.asked.users}
        return [row for row in self.alias_rows if row.role is role and row.dn and row.owner not in users]

    def had_some(self, role: Role) -> bool:
        """Tell whether mailcow has aliases that entries of a kind made."""
        return any(row.address in self.case.actual.aliases for row in self.of_entries(role))

    def dropped(self, role: Role) -> str:
        """Say that most lists, or forwardings, lost their addresses or targets at once: a right to read may be lost."""
        rows = self.of_entries(role)
        asked = self.asked_for(role)
        dropped = sum(row.address in self.case.actual.aliases and row.address not in asked for row in rows)
        return (
            f"{dropped} of {len(rows)} lost their addresses or targets at once" if is_most(dropped, len(rows)) else ""
        )

    def asked_for(self, role: Role) -> set[Address]:
        """Return the addresses that entries of a kind ask for; of entries that only forward, only with a target."""
        asked = self.directory.asked
        if role is Role.LIST:
            return {one for group in asked.groups for one in (*group.addresses, *group.further)}
        return {one for forward in asked.forwards if forward.stated for one in forward.addresses}

    def emptied_lists(self) -> tuple[Finding, ...]:
        """Tell where most lists that had members lost all of them at once: that waits for a word."""
        groups = [self.groups[row.owner] for row in self.alias_rows if self.had_members(row)]
        groups = [group for group in groups if group.members_known]
        lost = sum(not has_members(group) for group in groups)
        if not is_most(lost, len(groups)):
            return ()
        attribute = ", ".join(self.source.group_mapping.member)
        return (Say.EMPTIED.at(attribute, lost=lost, had=len(groups), attribute=attribute),)

    def had_members(self, row: RememberedAlias) -> bool:
        """Tell whether an alias is of a list in the answer that went to members when it was last written."""
        is_list = row.role is Role.LIST and bool(row.dn) and row.owner in self.groups
        return is_list and bool(row.applied.get(GOTO)) and not row.disabled


_NONE_ACCEPTED = "no run was accepted yet, so their absence may be a mistake in the search"
_EMPTIED = "most lists lost all their members at once"


def is_most(count: int, total: int) -> bool:
    """Tell whether so many are more than half, and more than a few edits."""
    return count >= AT_LEAST and count * 2 > total


def is_whole(answer: Answer | None) -> bool:
    """Tell whether an answer is whole; one that wasn't asked for is."""
    return answer is None or not answer.doubts


def has_members(group: Group) -> bool:
    """Tell whether a group names anything as a member, or anything names the group."""
    return bool(group.members)


def kind_of(key: str) -> str:
    """Return the key of `user_mapping` that a measured key belongs to."""
    return key.partition(":")[0]


def fingerprint(source: Source) -> Fingerprint:
    """Return the settings that decide who is in the answer, and which aliases follow from it."""
    users, groups, forwards = source.user_mapping, source.group_mapping, source.alias_mapping
    found = {
        "user_search_base": source.user_search_base,
        "user_search_filter": source.search_filter,
        "domains": ",".join(sorted(source.domains)),
        "user_mapping.id": users.id,
        "user_mapping.mail": users.mail,
        "user_mapping.aliases": ",".join(users.aliases),
        "user_mapping.group_addresses": users.group_addresses,
        "user_mapping.forward_to": users.forward_to,
        "user_mapping.send_as": users.send_as,
        "send_as_any": source.send_as_any,
    }
    if source.reads_groups:
        found |= {
            "group_search_base": source.group_base,
            "group_search_filter": source.group_filter,
            "group_member_filter": source.group_member_filter,
            "group_mapping.mail": groups.mail,
            "group_mapping.member": ",".join(groups.member),
            "group_mapping.aliases": ",".join(groups.aliases),
            "group_mapping.send_as": groups.send_as,
        }
    if source.reads_forwards:
        found |= {
            "alias_search_base": source.alias_base,
            "alias_search_filter": source.alias_filter,
            "alias_mapping.mail": forwards.mail,
            "alias_mapping.goto": forwards.goto,
        }
    return found
