"""The users of one directory: whose mailboxes there should be, and who only has mail forwarded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ldap2mailcow.config import Config, Source
from ldap2mailcow.model import Address, Entry, Finding, Mailbox

from .claims import duplicate
from .identity import stable_id
from .mailboxes import Forwarder, MailboxReader


@dataclass(frozen=True, slots=True)
class Desired:
    """What one directory wants."""

    mailboxes: Mapping[Address, Mailbox]
    ids: frozenset[str]
    """The ids of all entries in the answer, readable as mailboxes or not: none of these people is gone."""
    addresses: frozenset[Address]
    """Every address an entry of the answer carries, whoever gets it in the end."""
    dns: frozenset[str] = frozenset()
    """The lower-case DNs of all entries."""
    present: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By id, for every entry: the mapped keys for which it has a value."""
    inactive: frozenset[str] = frozenset()
    """The ids of the entries that say their person is inactive, readable as mailboxes or not."""
    without_id: tuple[str, ...] = ()
    """The DNs of entries that lack the id attribute, or share its value, and so can't be told apart."""
    findings: tuple[Finding, ...] = ()
    forwarders: Mapping[Address, Forwarder] = field(default_factory=dict)
    """Who has no mailbox, because mail goes elsewhere."""
    contested: frozenset[Address] = frozenset()
    """Addresses that several want and nobody has: nobody gets them, as an alias neither."""
    held: Mapping[Address, Address] = field(default_factory=dict)
    """New addresses of people whose mailbox still has the old one: until it is renamed, they are reached there."""
    renaming: Mapping[Address, Address] = field(default_factory=dict)
    """The same the other way round: what a mailbox will be called."""
    former: Mapping[Address, Address] = field(default_factory=dict)
    """What mailboxes were called before they were renamed, and what they are called now: both mean the same person."""

    def home(self, address: Address) -> Address:
        """Return where the mailbox is of whoever an address means: under its old name, or its new one."""
        return self.held.get(address, self.former.get(address, address))

    def has_mailbox(self, address: Address) -> bool:
        """Tell whether an address is somebody's mailbox, by the directory or still."""
        return address in self.mailboxes or address in self.renaming


def desire(
    entries: Iterable[Entry],
    source: Source,
    config: Config,
    *,
    id_attribute: str,
    hosted: frozenset[str],
    holders: Mapping[str, Address],
    has_mailbox: Collection[Address] = (),
) -> Desired:
    """Return the mailboxes that the entries of one source ask for.

    `hosted` are the mail domains that mailcow has, `holders` the address that each known id (where none is known, each
    lower-case DN) holds now: where two entries want one address, its holder keeps it, and without one nobody gets it.
    `has_mailbox` are the mailboxes that mailcow has: what comes to one of them can't be forwarded.
    """
    reader = MailboxReader(source, config, hosted=hosted, holders=holders, has_mailbox=has_mailbox)
    ids: set[str] = set()
    dns: set[str] = set()
    present: dict[str, frozenset[str]] = {}
    inactive: set[str] = set()
    without_id: list[str] = []
    wanted: dict[Address, list[Mailbox | Forwarder]] = defaultdict(list)
    known_by = [(entry, stable_id(entry, id_attribute)) for entry in entries]
    bearers = Counter(entry_id for _, entry_id in known_by)
    for entry, entry_id in known_by:
        dns.add(entry.dn.lower())
        if entry_id is None or bearers[entry_id] > 1:
            without_id.append(entry.dn)
            continue
        ids.add(entry_id)
        present[entry_id] = reader.present(entry)
        if reader.is_inactive(entry):
            inactive.add(entry_id)
        found = reader.read(entry, entry_id)
        if found:
            wanted[found.address].append(found)
    winners = _settled(wanted, holders, reader.findings)
    mailboxes = {one.address: one for one in winners if isinstance(one, Mailbox)}
    held = {
        box.address: old
        for box in mailboxes.values()
        if (old := holders.get(box.id) or holders.get(box.dn.lower())) and old != box.address and old in has_mailbox
    }
    return Desired(
        mailboxes,
        frozenset(ids),
        frozenset(reader.addresses_seen),
        frozenset(dns),
        present,
        frozenset(inactive),
        tuple(without_id),
        tuple(reader.findings),
        {one.address: one for one in winners if isinstance(one, Forwarder)},
        frozenset(wanted).difference(one.address for one in winners),
        held,
        {old: new for new, old in held.items()},
    )


def _settled(
    wanted: Mapping[Address, list[Mailbox | Forwarder]],
    holders: Mapping[str, Address],
    findings: list[Finding],
) -> list[Mailbox | Forwarder]:
    """Return who gets an address, and note who else wanted it."""
    winners = []
    for address, claims in wanted.items():
        if len(claims) == 1:
            winners += claims
            continue
        held = (claim for claim in claims if address in (holders.get(claim.id), holders.get(claim.dn.lower())))
        holder = next(held, None)
        findings.append(duplicate(address, [claim.dn for claim in claims], holder.dn if holder else None))
        winners += [holder] if holder else []
    return winners
