"""All reading of mailcow and the state file, before any rule: with the directories' answers it makes the case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from ldap2mailcow import mailcow
from ldap2mailcow.config import Config, Source
from ldap2mailcow.desired import choose_id_attribute, read_answers
from ldap2mailcow.mailcow import Mailcow
from ldap2mailcow.model import Actual, Address, Answer, Answers, Memory
from ldap2mailcow.plan import Begun, Case, Directory, Options, deletions_begun, senders_to_read, settle


def gather(
    client: Mailcow,
    config: Config,
    memory: Memory,
    answers: Mapping[str, Answers],
    *,
    options: Options,
    override_filter: str | None,
    now: datetime,
) -> Case:
    """Return the case: what the directories ask for, what mailcow has, what is remembered.

    `answers` are by the directories' names, one at least. mailcow is asked two questions and, where aliases matter, two
    more. Raises what reading mailcow raises.
    """
    directories = tuple(
        read_directory(source, answers[source.name], config, memory, override_filter)
        for source in config.sources
        if source.name in answers
    )
    actual = read_actual(client, config)
    if needs_aliases(config, memory, directories, actual):
        actual = mailcow.with_aliases(client, actual)
    memory, begun = settle_begun(client, forget_other_ids(directories, memory), actual)
    case = Case(
        config,
        directories,
        actual,
        memory,
        now,
        options,
        every_alias=mailcow.read_every_alias(client) if may_delete(config, memory) else {},
        can_rename=not may_rename(directories, memory) or mailcow.can_rename(client),
        begun=begun,
    )
    unread = senders_to_read(case)
    return replace(case, senders=read_senders(client, unread)) if unread else case


def read_directory(
    source: Source, answers: Answers, config: Config, memory: Memory, override_filter: str | None
) -> Directory:
    """Return what one directory asks for."""
    id_attribute = id_attribute_of(source, answers.users, memory)
    asked = read_answers(answers, source, config, id_attribute=id_attribute)
    return Directory(source, override_filter or source.search_filter, answers, id_attribute, asked)


def id_attribute_of(source: Source, users: Answer, memory: Memory) -> str:
    """Return the attribute that tells entries apart: the config's, the one that was fixed, or the one that fits."""
    configured = source.user_mapping.id
    if configured != "auto":
        return configured
    remembered = memory.sources.get(source.name)
    fixed = remembered.id_attribute if remembered else None
    return fixed or choose_id_attribute(users.entries)


def forget_other_ids(directories: Iterable[Directory], memory: Memory) -> Memory:
    """Return the memory without the ids that came from another attribute than the present one."""
    rows = dict(memory.mailboxes)
    for directory in directories:
        remembered = memory.sources.get(directory.name)
        if remembered and remembered.id_attribute not in (None, directory.id_attribute):
            of_it = (row for row in memory.mailboxes.values() if row.source == directory.name)
            rows |= {row.address: replace(row, id=None) for row in of_it}
    return replace(memory, mailboxes=rows)


def read_actual(client: Mailcow, config: Config) -> Actual:
    """Read what mailcow has in the domains of all directories, those too that can't be read just now."""
    named = [frozenset(source.domains) for source in config.sources]
    return mailcow.read_actual(
        client,
        frozenset().union(*named) if all(named) else None,
        with_provider=any(source.user_mapping.authsource != "mailcow" for source in config.sources),
    )


def needs_aliases(config: Config, memory: Memory, directories: Iterable[Directory], actual: Actual) -> bool:
    """Tell whether a plan may have to do with aliases: some are made or ours, or a mailbox comes or goes."""
    if memory.aliases or any(source.manages_aliases or source.manages_senders for source in config.sources):
        return True
    return may_delete(config, memory) or may_create(directories, actual)


def may_create(directories: Iterable[Directory], actual: Actual) -> bool:
    """Tell whether an entry asks for an address that is no mailbox yet."""
    asked = (address for directory in directories for user in directory.asked.users for address in user.addresses)
    return any(address.domain in actual.domains for address in asked if address not in actual.mailboxes)


def may_delete(config: Config, memory: Memory) -> bool:
    """Tell whether a mailbox may be deleted in this run, whose aliases go with it."""
    retired = any(row.retired_since is not None for row in memory.mailboxes.values())
    return config.removed_users.action == "delete" and retired


def may_rename(directories: Iterable[Directory], memory: Memory) -> bool:
    """Tell whether a mailbox may be renamed in this run: an entry asks for an address that isn't the remembered one."""
    rows = {row.entry: row.address for row in memory.mailboxes.values() if row.id}
    for directory in directories:
        for user in directory.asked.users:
            remembered = rows.get(user.id)
            if remembered and remembered not in user.addresses:
                return True
    return False


def settle_begun(client: Mailcow, memory: Memory, actual: Actual) -> tuple[Memory, Begun]:
    """Return the state file with what an earlier run began and mailcow did written down."""
    halves = read_halves(client, deletions_begun(memory, actual)) if actual.half_deleted else frozenset[Address]()
    return settle(memory, actual, halves)


def read_halves(client: Mailcow, addresses: Iterable[Address]) -> frozenset[Address]:
    """Return the mailboxes of which mailcow holds only half."""
    return frozenset(one for one in addresses if isinstance(mailcow.read_mailbox(client, one), mailcow.HalfDeleted))


def read_senders(client: Mailcow, addresses: frozenset[Address]) -> dict[Address, frozenset[str] | None]:
    """Return mailcow's rows of whom the users of some mailboxes may send as; None where it doesn't tell."""
    return {**dict.fromkeys(addresses), **mailcow.read_senders(client, addresses)}
