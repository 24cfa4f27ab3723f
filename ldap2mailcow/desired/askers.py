"""Whoever asks for aliases: users, groups and entries that only forward; and who gets an address that several want."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ldap2mailcow.model import SOGO_VISIBLE, Address, Entry, Finding, Role

from .claims import duplicate
from .identity import DN, stable_id

_NO_ENTRY = Entry("", {})


@dataclass(eq=False, slots=True)
class Asker:
    """Whoever asks for aliases; two are the same only if they are one."""

    owner: str
    """The id of the entry; for a list that only its members name, the list's address."""
    dn: str
    role: Role
    addresses: frozenset[Address]
    """All that should reach it, in scope."""
    flags: Mapping[str, int]
    comment: str | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class Person(Asker):
    """A user who has further addresses."""

    primary: Address
    """The mailbox, or the address that forwards."""
    forward: Forward | None = None
    """What takes the place of a mailbox."""


@dataclass(eq=False, slots=True)
class Forward(Asker):
    """An entry that only forwards."""

    stated: frozenset[Address] = frozenset()
    """Where it says that mail goes, without what isn't allowed."""
    is_clear: bool = True
    """Whether all that it says could be read."""


@dataclass(eq=False, slots=True)
class Group(Asker):
    """A list, or a group that only serves to nest others."""

    entry: Entry = _NO_ENTRY
    """One without anything for a list that only its members name."""
    address: Address | None = None
    """The one it is known by, if it has one."""
    joined: set[Address] = field(default_factory=set)
    """Those whose own entries say that they are on it."""

    @property
    def name(self) -> str:
        """What a person calls it, and where its findings are."""
        return self.dn or self.owner


AnyAsker = Person | Forward | Group


def default_flags(*, visible: bool) -> dict[str, int]:
    """Return what is told of an alias unless something says more: the config, who is in the shared address book."""
    return {SOGO_VISIBLE: int(visible)}


def owner_ids(entries: Iterable[Entry], id_attribute: str) -> list[tuple[Entry, str]]:
    """Return each entry with its id; one that lacks it, or shares it, is known by its DN."""
    known_by = [(entry, stable_id(entry, id_attribute)) for entry in entries]
    bearers: dict[str | None, int] = defaultdict(int)
    for _, entry_id in known_by:
        bearers[entry_id] += 1
    return [
        (entry, entry_id if entry_id is not None and bearers[entry_id] == 1 else str(stable_id(entry, DN)))
        for entry, entry_id in known_by
    ]


def settle(askers: Iterable[AnyAsker], holders: Mapping[Address, str]) -> tuple[dict[Address, AnyAsker], list[Finding]]:
    """Return who gets each address, and what is said where several want one.

    `holders` has by address the owner that has the alias now: it keeps it, and without one nobody gets it.
    """
    claims: defaultdict[Address, dict[str, AnyAsker]] = defaultdict(dict)
    for asker in askers:
        for address in asker.addresses:
            claims[address].setdefault(asker.owner, asker)
    settled: dict[Address, AnyAsker] = {}
    findings: list[Finding] = []
    for address, wanting in claims.items():
        holder = wanting.get(holders.get(address, ""))
        if len(wanting) > 1:
            dns = [_called(asker) for asker in wanting.values()]
            findings.append(duplicate(address, dns, _called(holder) if holder else None))
        else:
            (holder,) = wanting.values()
        if holder:
            settled[address] = holder
    return settled, findings


def _called(asker: Asker) -> str:
    return asker.dn or "a list that only its members name"
