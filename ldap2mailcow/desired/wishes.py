"""What one directory wants besides mailboxes: aliases, lists, forwardings, and whom users may send as."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from ldap2mailcow.config import Config, Source
from ldap2mailcow.model import Address, Alias, Answers, Finding, Role

from .askers import AnyAsker, Forward, Group, Person, settle
from .asking import Asking
from .goto import Addressees, Goto
from .members import Members
from .people import Desired
from .reading import Reader
from .scope import Scope
from .sendas import Rights, Senders
from .who import Who


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one directory wants besides mailboxes."""

    aliases: Mapping[Address, Alias]
    """Of several entries that want one address, the one that has it; whether a mailbox is in the way, the plan says."""
    owners: Mapping[Role, frozenset[str]]
    """The ids of all entries in each answer, readable or not: none of them is gone."""
    unreadable: frozenset[str] = frozenset()
    """The ids of entries that can't be read just now: what they have stays as it is."""
    senders: Rights = field(default_factory=dict)
    """By mailbox, whom its user may send as besides: addresses and `@domain` that mailcow hosts, `*` for anyone."""
    foreign_senders: Rights = field(default_factory=dict)
    """The same with addresses and `@domain` of foreign domains."""
    findings: tuple[Finding, ...] = ()
    contested: frozenset[Address] = frozenset()
    """Addresses that somebody wants as an alias and nobody gets: nobody gets them as a mailbox neither."""


def desire_aliases(
    answers: Answers,
    people: Desired,
    source: Source,
    config: Config,
    *,
    id_attribute: str,
    hosted: frozenset[str],
    alias_domains: Mapping[str, str],
    holders: Mapping[Address, str],
) -> Wishes:
    """Return the aliases, and the rights to send as others, that one directory asks for.

    `people` is what `desire` made of the same answers; `hosted` are all mail domains and alias domains of mailcow,
    `alias_domains` those of the latter that are in scope, each with its target; `holders` by address the owner that
    has the alias now.
    """
    reader, scope = Reader(source, config), Scope(source, hosted, alias_domains)
    asking = Asking(answers, people, id_attribute, reader, scope, holders)
    asking.read()
    settled, disputes = settle(asking.askers(), holders)
    who = Who(answers, source, asking.users, asking.forward_addresses, asking.lists.groups)
    addressees = Addressees(people, settled, scope)
    everybody = Members(reader, scope, answers, who, addressees).everybody(asking.groups_that_matter())
    goto = Goto(addressees, everybody)
    taken = {one for one, asker in settled.items() if one in people.mailboxes and holders.get(one) == asker.owner}
    asking.people = without_taken(people, settled)
    senders, foreign_senders = _rights(asking, who, everybody, taken)
    findings = (*reader.findings, *disputes, *scope.findings())
    aliases = {
        address: _alias(source, address, asker, targets)
        for address, asker in sorted(settled.items())
        if (targets := goto.of(asker, address)) or _may_be_empty(asker, goto)
    }
    return Wishes(
        aliases=aliases,
        owners=asking.owners(),
        unreadable=asking.unreadable
        | {one.owner for one in asking.forwards if not one.is_clear and goto.is_nowhere(one)},
        senders=senders,
        foreign_senders=foreign_senders,
        findings=tuple(sorted(findings, key=lambda finding: (finding.where, finding.code, finding.sentence))),
        contested=frozenset().union(*(asker.addresses for asker in asking.askers())).difference(aliases),
    )


def without_taken(people: Desired, settled: Mapping[Address, AnyAsker]) -> Desired:
    """Return the people without the former addresses that somebody has as an alias now: those mean the alias."""
    former = {address: home for address, home in people.former.items() if address not in settled}
    return replace(people, former=former)


def _may_be_empty(asker: AnyAsker, goto: Goto) -> bool:
    """Tell whether an alias without targets is a wish: of a list without members, of a forwarding to nowhere."""
    forward = asker.forward if isinstance(asker, Person) else asker
    return asker.role is Role.LIST or (isinstance(forward, Forward) and forward.is_clear and goto.is_nowhere(forward))


def _alias(source: Source, address: Address, asker: AnyAsker, targets: frozenset[Address]) -> Alias:
    return Alias(
        source=source.name,
        owner=asker.owner,
        dn=asker.dn,
        role=asker.role,
        address=address,
        goto=tuple(sorted(targets, key=str)),  # plain texts are compared four times as fast as a class of our own
        flags=asker.flags,
        comment=asker.comment,
    )


def _rights(
    asking: Asking, who: Who, everybody: Mapping[Group, frozenset[Address]], taken: AbstractSet[Address]
) -> tuple[Rights, Rights]:
    """Return by mailbox whom its user may send as: whom mailcow hosts, and foreign ones."""
    senders = Senders(asking.reader, asking.scope, who, asking.people, taken)
    for entry, address in asking.with_mailbox:
        senders.grant_user(entry, address)
    for group in asking.lists.groups.values():
        senders.grant_group(group, everybody.get(group, ()))
    senders.grant_any(asking.answers.send_as_any)
    return senders.rights()
