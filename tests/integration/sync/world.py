"""What mailcow has, as plainly as the reading of a directory needs it: mailboxes, aliases, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .delivery import BOUNCE, Tables
from .directories import NET, ORG, TWIN, Forward, Group

HOSTED = frozenset({ORG, NET, TWIN})
RESERVED = frozenset({"postmaster"})
"""Of the names that stand for a domain, those that the directories here have."""


@dataclass(frozen=True)
class Box:
    """A mailbox."""

    owner: str
    """The id of its entry; empty for one that somebody made by hand."""
    active: int = 1
    disabled_by_us: bool = False

    @property
    def receives(self) -> bool:
        return self.active != 0


@dataclass(frozen=True)
class Row:
    """An alias."""

    owner: str
    """The id of its entry, the address of a list that only users name, empty for one that somebody made by hand."""
    goto: frozenset[str]
    sender_allowed: bool = True
    active: bool = True


@dataclass(frozen=True)
class World:
    """What mailcow has."""

    boxes: Mapping[str, Box] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict)
    send_as: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def tables(self) -> Tables:
        """Return what postfix would find."""
        return Tables(
            domains=HOSTED - {TWIN},
            alias_domains={TWIN: ORG},
            boxes=frozenset(address for address, box in self.boxes.items() if box.receives),
            gotos={address: row.goto for address, row in self.rows.items() if row.active},
            send_as=self.send_as,
        )

    def without_dead_ends(self) -> World:
        """Return the same without targets that nobody gets mail at; an alias of ours without any is inactive.

        Whom only a catch-all would find is nobody.
        """
        tables = self.tables().with_living({address for address, row in self.rows.items() if not row.owner})
        tables = replace(tables, gotos={one: goto for one, goto in tables.gotos.items() if not one.startswith("@")})
        alive = {address: tables.ends(address) for row in self.rows.values() for address in row.goto}
        reached = {address for address, ends in alive.items() if any(BOUNCE not in end for end in ends)}
        rows = {
            address: replace(row, goto=row.goto & reached, active=bool(row.goto & reached)) if row.owner else row
            for address, row in self.rows.items()
        }
        return self if rows == self.rows else replace(self, rows=rows).without_dead_ends()


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def is_here(address: str) -> bool:
    """Tell whether a text is an address, or a catch-all, of one of mailcow's domains."""
    return domain_of(address) in HOSTED


def is_reserved(address: str) -> bool:
    """Tell whether no user may give an address to themselves."""
    return address.partition("@")[0] in RESERVED | {""}


def twin(address: str) -> str | None:
    """Return the address that one in the alias domain stands for."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{ORG}" if domain == TWIN and local else None


def disabled(box: Box) -> Box:
    """Return a mailbox that takes no more mail; what is inactive already isn't our doing."""
    return replace(box, active=0, disabled_by_us=box.disabled_by_us or box.receives)


def group_id(group: Group) -> str:
    return f"group {group.name}"


def forward_id(forward: Forward) -> str:
    return f"forward {forward.name}"


def group_addresses(group: Group) -> tuple[str, ...]:
    """Return the addresses of a list; none for a group without an address, which only serves others."""
    if group.mail is None:
        return ()
    catch_all = (f"@{domain_of(group.mail)}",) if group.catch_all else ()
    return tuple(address for address in (group.mail, *group.aliases, *catch_all) if is_here(address))
