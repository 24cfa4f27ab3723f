"""What plans follow from: mailcow, read once, the state file, and each directory's answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from ldap2mailcow import mailcow
from ldap2mailcow.config import Config, Source
from ldap2mailcow.desired import choose_id_attribute, desire, desire_aliases
from ldap2mailcow.mailcow import Mailcow
from ldap2mailcow.model import Actual, Address, Answer, Answers, Kind, Memory, SourceMemory
from ldap2mailcow.plan import (
    Options,
    Plan,
    Renames,
    Settled,
    View,
    deletions_begun,
    holders,
    make_plans,
    reads_aliases,
    renamed_all,
    senders_due,
    settle,
    settle_mailboxes,
    wants_new_mailboxes,
    with_all_wishes,
)


def look(
    client: Mailcow,
    config: Config,
    memory: Memory,
    answers: Mapping[str, Answers],
    *,
    options: Options,
    override_filter: str | None,
    now: datetime,
) -> tuple[View, ...]:
    """Return one view for each directory that answered, in the order of the config.

    `answers` are by the directories' names, one at least. Raises what reading mailcow raises.
    """
    sources = [source for source in config.sources if source.name in answers]
    memory, actual, settled = settle_begun(client, memory, read_actual(client, config, memory))
    views: list[View] = []
    for source in sources:
        id_attribute, memory = settle_id(source, answers[source.name].users, memory)
        view = View(
            config=config,
            source=source,
            search_filter=override_filter or source.search_filter,
            answers=answers[source.name],
            desired=desire(
                answers[source.name].users.entries,
                source,
                config,
                id_attribute=id_attribute,
                hosted=frozenset(actual.domains),
                holders=holders(memory, source, config),
                has_mailbox=actual.mailboxes.keys(),
            ),
            id_attribute=id_attribute,
            actual=actual,
            memory=memory,
            options=options,
            now=now,
            settled=settled,
        )
        views.append(view)
    if not any(reads_aliases(source, memory) for source in config.sources):
        wanted = frozenset().union(*(wants_new_mailboxes(view.desired, actual) for view in views))
        if wanted:
            aliases = mailcow.read_aliases(client, {address.domain for address in wanted})
            actual = replace(actual, aliases=aliases)
    senders: dict[Address, frozenset[str] | None] = {}
    if any(source.manages_senders for source in sources):
        senders = read_senders(client, senders_due(memory) & actual.mailboxes.keys())
    before = settle_mailboxes([replace(view, actual=actual, memory=memory, senders=senders) for view in views])
    after = renamed_all(before)
    if any(view.renames.changes for view in after) and not mailcow.can_rename(client):
        after = renamed_all([replace(view, can_rename=False) for view in before])
    return with_all_wishes(after, with_wishes)


def planned(client: Mailcow, views: Sequence[View]) -> tuple[Plan, ...]:
    """Return the plans; what only some plans need to know is read from mailcow first.

    Where they change whom somebody may send as, that is the present rows; where they delete a mailbox, all aliases.
    """
    plans = make_plans(views)
    more: dict[str, Any] = {}
    unread = frozenset().union(*(plan.unread for plan in plans))
    if unread:
        renames = Renames(changes=tuple(chain.from_iterable(view.renames.changes for view in views)))
        before = {renames.before(address): address for address in unread}
        found = read_senders(client, before.keys())
        now = {before[one]: renames.senders_after(rows) for one, rows in found.items()}
        more["senders"] = {**views[0].senders, **now}
    if any(change.kind is Kind.DELETE for plan in plans for change in plan.changes):
        more["every_alias"] = mailcow.read_every_alias(client)
    return make_plans([replace(view, **more) for view in views]) if more else plans


def read_actual(client: Mailcow, config: Config, memory: Memory) -> Actual:
    """Read what mailcow has in the domains of all directories, those too that can't be read just now."""
    named = [frozenset(source.domains) for source in config.sources]
    return mailcow.read_actual(
        client,
        frozenset().union(*named) if all(named) else None,
        with_aliases=any(reads_aliases(source, memory) for source in config.sources),
        with_provider=any(source.user_mapping.authsource != "mailcow" for source in config.sources),
    )


def settle_begun(client: Mailcow, memory: Memory, actual: Actual) -> tuple[Memory, Actual, Settled]:
    """Return the state file and mailcow with what an earlier run began written down, or put right."""
    halves = read_halves(client, deletions_begun(memory, actual)) if actual.half_deleted else frozenset[Address]()
    return settle(memory, actual, halves)


def settle_id(source: Source, answer: Answer, memory: Memory) -> tuple[str, Memory]:
    """Return the attribute that tells entries apart, and the memory without the ids that came from another one."""
    fixed = memory.sources.get(source.name, SourceMemory()).id_attribute
    configured = source.user_mapping.id
    attribute = configured if configured != "auto" else fixed or choose_id_attribute(answer.entries)
    if fixed is None or fixed == attribute:
        return attribute, memory
    rows = memory.mailboxes.values()
    forgotten = {row.address: replace(row, id=None) for row in rows if row.source == source.name}
    return attribute, replace(memory, mailboxes={**memory.mailboxes, **forgotten})


def with_wishes(view: View) -> View:
    """Return the view with the aliases and rights that the directory asks for, once it is known who is called what."""
    wishes = desire_aliases(
        view.answers,
        view.desired,
        view.source,
        view.config,
        id_attribute=view.id_attribute,
        hosted=view.actual.hosted,
        alias_domains=view.actual.alias_domains,
        holders=alias_holders(view),
    )
    return replace(view, wishes=wishes)


def alias_holders(view: View) -> dict[Address, str]:
    """Return who has each alias, apart from those of other directories; of a name that isn't known, it may be ours."""
    others = {source.name for source in view.config.sources} - {view.source.name}
    return {row.address: row.owner for row in view.memory.aliases.values() if row.source not in others}


def read_halves(client: Mailcow, addresses: Iterable[Address]) -> frozenset[Address]:
    """Return the mailboxes of which mailcow holds only half."""
    return frozenset(one for one in addresses if isinstance(mailcow.read_mailbox(client, one), mailcow.HalfDeleted))


def read_senders(client: Mailcow, addresses: AbstractSet[Address]) -> dict[Address, frozenset[str] | None]:
    """Return mailcow's rows of whom the users of some mailboxes may send as; None where it doesn't tell."""
    return {**dict.fromkeys(addresses), **mailcow.read_senders(client, addresses)}
