"""What mailcow does with mail, and whom it lets send as whom, read from its tables as postfix reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tests.mailcow_server import Alias, State

BOUNCE = "nobody:"
"""Before an address whose mail nobody takes."""

ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class Tables:
    """What postfix asks for: the stand-in's at some moment, or what the directory read plainly comes to."""

    domains: frozenset[str]
    alias_domains: Mapping[str, str]
    boxes: frozenset[str]
    """Mailboxes that take mail."""
    gotos: Mapping[str, frozenset[str]]
    """Active aliases, catch-alls as `@domain`; without the rows by which each mailbox goes to itself."""
    send_as: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By mailbox that takes mail: whom its user may send as besides; addresses, `@domain`, `*`.

    Rights for inactive aliases are left out: mailcow takes none for those that have the mailbox in their goto.
    """

    @classmethod
    def of(cls, state: State) -> Tables:
        """Read the tables of the stand-in."""
        boxes = frozenset(address for address, row in state.mailboxes.items() if row.active in (1, 2))
        active = [row for row in state.aliases.values() if row.active in (1, 2) and not row.is_self_row]
        send_as = {box: {row.address for row in active if row.sender_allowed and box in targets(row)} for box in boxes}
        closed = {row.address for row in state.aliases.values() if not row.active and not row.is_self_row}
        for right in state.sender_acl:
            if right.mailbox in boxes and right.send_as not in closed:
                send_as[right.mailbox].add(right.send_as)
        return cls(
            domains=frozenset(state.domains),
            alias_domains={name: row.target for name, row in state.alias_domains.items() if row.active},
            boxes=boxes,
            gotos={row.address.lower(): targets(row) for row in active},
            send_as={box: frozenset(senders) for box, senders in send_as.items() if senders},
        )

    def ends(self, address: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return where a mail to an address ends: in mailboxes, at addresses elsewhere, or nowhere.

        virtual_alias_maps is asked for the whole address and then for `@domain`, over and over until nothing changes
        (virtual(5)). mailcow's map of alias domains knows mailboxes only, not aliases.
        """
        local, _, domain = address.rpartition("@")
        if domain not in self.domains and domain not in self.alias_domains:
            return frozenset({address})
        if address in self.boxes and address not in self.gotos:
            return frozenset({address})
        twin = f"{local}@{self.alias_domains.get(domain)}"
        found = self.gotos.get(address) or ({twin} if twin in self.boxes else self.gotos.get(f"@{domain}"))
        if found is None:
            return frozenset({f"{BOUNCE}{address}"})
        ends = [self.ends(target, seen | {address}) for target in found if target not in seen]
        return frozenset().union(*ends)

    def with_living(self, aliases: Collection[str]) -> Tables:
        """Return the same where some aliases lead to somebody, whoever that is: what others made isn't judged."""
        gotos = {a: frozenset({"somebody@elsewhere"}) if a in aliases else goto for a, goto in self.gotos.items()}
        return replace(self, gotos=gotos)

    def deliveries(self, addresses: Iterable[str]) -> dict[str, list[str]]:
        """Return who gets mail to each of some addresses; those that nobody takes mail for aren't there."""
        reached = {address: sorted(end for end in self.ends(address) if BOUNCE not in end) for address in addresses}
        return {address: ends for address, ends in reached.items() if ends}


def targets(row: Alias) -> frozenset[str]:
    """Return where an alias goes."""
    return frozenset(row.goto.lower().split(","))
