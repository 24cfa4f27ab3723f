"""All answers of one directory, read in one go: users, groups, entries that only forward.

1. Each entry of the answers gets its id.
2. Groups are read first, because a user's entry may name the groups that the user is in.
3. Users and forwards are read.
4. Members are read of the groups that matter: those with an address, those whose members may send as others, and the
   groups in them. Nothing is flattened: a group in a group is a member like any other, named by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from ldap2mailcow.config import MEMBER_NAMES, Config, Source
from ldap2mailcow.model import Answers, Code, Entry, EntryId, normal_dn, shortened

from .asked import Asked, Group, Meant
from .forwards import read_forward
from .groups import own_addresses, read_group
from .identity import Identified, identify
from .members import MemberReader
from .memberships import Memberships
from .resolver import Resolver
from .senders import SenderReader
from .users import UserReader
from .values import Reader


def read_answers(answers: Answers, source: Source, config: Config, *, id_attribute: str) -> Asked:
    """Return what one directory asks for.

    `id_attribute` tells its entries apart (`choose_id_attribute`); `dn` is one too.
    """
    reader = Reader(source, config)
    known = _identified(answers, reader, id_attribute)
    resolver = Resolver(source, known, _besides(answers.outside, answers.selected))
    groups = [read_group(reader, entry, group_id) for entry, group_id in known.groups]
    lists = frozenset(group.id for group in groups if group.addresses)
    senders = SenderReader(reader, resolver, lists, answers.unsure)
    user_reader = UserReader(reader, senders)
    users = tuple(user_reader.read(entry, user_id) for entry, user_id in known.users)
    forwards = tuple(read_forward(reader, entry, forward_id) for entry, forward_id in known.forwards)
    memberships = Memberships.of(reader, groups, known.users)
    _tell_names(reader, resolver)
    member_reader = MemberReader(reader, resolver, answers.selected, answers.unsure)
    members = member_reader.read(_groups_that_matter(source, resolver, groups))
    groups = [_complete(group, resolver, members, memberships, senders) for group in groups]
    groups += [*memberships.lists(), *_outside_groups(resolver, members, groups)]
    any_senders, any_senders_known = _any_senders(answers, reader, known)
    return Asked(
        users=users,
        groups=tuple(replace(group, members_known=group.id not in member_reader.unclear) for group in groups),
        forwards=forwards,
        any_senders=any_senders,
        any_senders_known=any_senders_known,
        dns=frozenset(entry.dn.lower() for entry in answers.users.entries),
        without_id=tuple(entry.dn for entry in known.without_id),
        findings=reader.sorted_findings(),
    )


def _identified(answers: Answers, reader: Reader, id_attribute: str) -> Identified:
    """Return the entries with their ids, and tell of those that are left out."""
    known = identify(answers, reader.source.name, id_attribute)
    for entry in known.too_long:
        reader.find(Code.VALUE_TOO_LONG, entry, "its DN is too long, so it is left out; give it a shorter one")
    return known


def _tell_names(reader: Reader, resolver: Resolver) -> None:
    """Tell which entries have a name that is another's, where groups name their members."""
    if not reader.source.reads_groups:
        return
    for entry, name, other in resolver.names_of_others():
        reader.find(
            Code.NAME_OF_ANOTHER,
            entry,
            f"its {' or '.join(MEMBER_NAMES)} has {shortened(name)!r}, which is the name of {shortened(other.dn)}; "
            "groups that name it mean that other entry; take the value from this one",
        )


def _besides(entries: Iterable[Entry], selected: Mapping[str, tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """Return all entries that were found besides the answers."""
    return (*chain.from_iterable(selected.values()), *entries)


def _groups_that_matter(source: Source, resolver: Resolver, groups: Iterable[Group]) -> dict[EntryId, Entry]:
    """Return the groups whose members count by themselves; what is wrong in any other doesn't have to be told."""
    found: dict[EntryId, Entry] = {}
    for group in groups:
        entry = resolver.groups[group.id]
        if group.addresses or entry.values(source.group_mapping.send_as):
            found[group.id] = entry
    return found


def _complete(
    group: Group,
    resolver: Resolver,
    members: Mapping[EntryId, frozenset[Meant]],
    memberships: Memberships,
    senders: SenderReader,
) -> Group:
    """Return a group with its members, and whom they may send as."""
    stated = members.get(group.id, frozenset()) - own_addresses(group)
    attribute = senders.reader.source.group_mapping.send_as
    may_send_as, senders_known = senders.read(resolver.groups[group.id], attribute)
    return replace(
        group,
        members=stated | memberships.members_of(group.id),
        senders=may_send_as,
        senders_known=senders_known,
    )


def _outside_groups(
    resolver: Resolver, members: Mapping[EntryId, frozenset[Meant]], groups: Iterable[Group]
) -> Iterator[Group]:
    """Give the groups outside the answers that others lead to."""
    for group_id in sorted(members.keys() - {group.id for group in groups}):
        yield Group(group_id, resolver.groups[group_id].dn, members=members[group_id])


def _any_senders(answers: Answers, reader: Reader, known: Identified) -> tuple[frozenset[EntryId], bool]:
    """Return the users who may send as anyone, and whether those are all.

    They are those that a filter finds, or those in a group and the groups in it. Nothing is told of its other members:
    who has no mailbox needs no right.
    """
    source, found = reader.source, answers.send_as_any
    if not source.send_as_any:
        return frozenset(), True
    if found.group is None:
        named = set(found.dns)
        return frozenset(user_id for entry, user_id in known.users if normal_dn(entry.dn) in named), True
    outside = _besides(found.outside, found.selected) + _besides(answers.outside, answers.selected)
    silent, unsure = Reader(source, reader.config), {**answers.unsure, **found.unsure}
    member_reader = MemberReader(silent, Resolver(source, known, outside), found.selected, unsure)
    members = member_reader.read({EntryId(source.name, normal_dn(found.group.dn)): found.group})
    reader.findings += [one for one in silent.findings if one.code is Code.NOT_LOOKED_UP]
    users = {user_id for _, user_id in known.users}
    return frozenset(users.intersection(chain.from_iterable(members.values()))), not member_reader.unclear
