"""Renames: where somebody's address changed within its domain, the mailbox gets the new name and keeps what is in it.

The rest of a plan is made for a mailcow in which that is done already: `renamed` returns the view of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from ldap2mailcow.model import (
    ACTIVE,
    ALIAS_ACTIVE,
    GOTO,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    Address,
    Domain,
    Existing,
    ExistingAlias,
    FieldChange,
    Kind,
    Mailbox,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    RenameChange,
    Role,
    Subject,
    Value,
    Why,
    joined,
    split,
)

from .aliases import FLAGS_OF_FORMER, OF_ONE_PERSON, formers, is_our_alias, row_of
from .draft import Draft, is_unclaimed
from .guard import guard_others
from .knowledge import changed_settings
from .mailboxes import SILENT
from .marks import Marks
from .ownership import alias_left_alone, mailbox_left_alone
from .remembering import SEEN
from .room import Room
from .view import Renames, View, What, senders_after

TEMPORARY = "ldap-sync-renaming."
"""What a local part begins with while two mailboxes swap their addresses; the new local part follows."""
_LOCAL_MAX = 64  # octets, RFC 5321 section 4.5.3.1.1

NOT_YET = 0
"""The number of an alias that a rename of this run leaves: mailcow's own begin with 1."""

_IDENTITY = ("user_mapping.mail", "user_mapping.id")


def temporary(address: Address) -> Address:
    """Return where a mailbox is until its new address is free; from this name alone it is found again."""
    local = f"{TEMPORARY}{address.local}"
    if len(local) > _LOCAL_MAX:
        local = f"{TEMPORARY}{hashlib.sha256(address.local.encode()).hexdigest()[:32]}"
    return Address(f"{local}@{address.domain}")


def renamed(view: View) -> View:
    """Return the view of a mailcow in which everybody who may be renamed is, with the changes that do it.

    `view` needs no wishes yet: what they are depends on what is renamed.
    """
    candidates = Candidates(Draft(view, whole=True))
    going, renames = candidates.decide()
    after = After(view)
    changes = tuple(_steps(after, going, candidates.taken))
    held = {address: candidates.wanted[address] for address in renames.held}
    people = replace(view.desired, held=held, renaming={old: new for new, old in held.items()})
    renames = replace(renames, changes=changes, meant=after.meant())
    view = replace(after.view(), desired=people, renames=renames)
    former = {address: alias.goto[0] for address, alias in formers(Draft(view, whole=True))}
    return replace(view, desired=replace(people, former=former))


@dataclass
class Candidates:
    """Whose mailbox should get another name, and whose may not."""

    draft: Draft
    wanted: dict[Address, Address] = field(init=False)
    """By new address: the one that the mailbox has."""
    against: dict[Address, str] = field(default_factory=dict)
    """By new address: why the mailbox keeps its old one, a sentence; empty where that is told elsewhere."""

    def __post_init__(self) -> None:
        mailboxes = sorted(self.draft.view.desired.mailboxes.items())
        found = ((address, self.former(mailbox)) for address, mailbox in mailboxes)
        self.wanted = {address: former for address, former in found if former}

    def former(self, mailbox: Mailbox) -> Address | None:
        """Return where somebody's mailbox is now, if that is another address of the same domain."""
        there, address = self.draft.view.actual.mailboxes, mailbox.address
        row = self.draft.known(mailbox)
        if row and row.address in there:
            return row.address if row.address != address and row.address.domain == address.domain else None
        on_its_way = temporary(address)
        is_on_its_way = address not in there and on_its_way in there and self.draft.is_ours(there[on_its_way])
        return on_its_way if is_on_its_way else None

    def decide(self) -> tuple[dict[Address, Address], Renames]:
        """Return who is renamed, by new address, and what there is to say of the others."""
        view = self.draft.view
        for address in self.wanted:
            reason = self.reason(address)
            if reason is not None:
                self.against[address] = reason
        self._hold_who_waits()
        self._hold_who_finds_no_room()
        unfinished = self._unfinished()
        guarded = [one for one in self._going() if one not in unfinished]
        ours = sum(map(self.draft.is_managed, view.actual.mailboxes.values()))
        withheld = guard_others(
            self.draft,
            [self._announced(address) for address in guarded],
            What.RENAMES,
            managed=ours,
            limit=view.config.limits.renames.allows,
            search_doubt=changed_settings(view, _IDENTITY) if self.draft.remembered_source.accepted else "",
        )
        if withheld:
            self.against |= dict.fromkeys(guarded, "")
        return self._going(), Renames(
            held=dict(self.against),
            withheld=(withheld,) if withheld else (),
            moving=self._moving(),
            counted=dict(self.draft.counted),
        )

    def reason(self, address: Address) -> str | None:
        """Return why a mailbox can't get an address, whatever becomes of the others; None where it can."""
        view, former = self.draft.view, self.wanted[address]
        if not view.config.create_mailboxes:
            return "mailboxes come from elsewhere (create_mailboxes: false), so rename it there"
        if view.config.renames == "hold":
            return "the config says renames: hold; rename the mailbox in mailcow, or set renames: rename"
        if not view.can_rename:
            return "this mailcow is older than 2024-11 and can't rename mailboxes; update it"
        if not (self.draft.in_scope(address) or self.draft.in_scope(former)):
            return ""
        for one in (former, address):
            if alone := mailbox_left_alone(self.draft, one) or alias_left_alone(self.draft, one):
                return alone.sentence
        if address in view.actual.mailboxes and address not in self.wanted.values():
            return self._occupied(address)
        for row in (view.memory.mailboxes.get(address), view.memory.aliases.get(address)):
            if row and self.draft.is_silent(row):
                return f"its new address is one {SILENT.format(row)}"
        alias = view.actual.aliases.get(address)
        if alias and not self._gives_way(alias, former):
            return self._aliased(alias)
        existing = view.actual.mailboxes[former]
        blocked = self.draft.blocked(existing, former) if existing.attributes[ACTIVE.key] == 0 else None
        return blocked.sentence if blocked else self._no_way(address)

    def _occupied(self, address: Address) -> str:
        row = self.draft.view.memory.mailboxes.get(address)
        whose = f" of {row.dn}" if row and row.dn else ""
        return (
            f"{address} is a mailbox{whose} already; rename or delete that one in mailcow, or give one another address"
        )

    def _aliased(self, alias: ExistingAlias) -> str:
        if not is_our_alias(self.draft, alias):
            return f"{alias.address} is an alias that somebody made in mailcow; delete it there"
        whose = row_of(self.draft, alias).dn or "a list"
        return f"{alias.address} is an alias of {whose}; take it away there, and the next run renames the mailbox"

    def _gives_way(self, alias: ExistingAlias, former: Address) -> bool:
        """Tell whether an alias of ours may go for a mailbox: it led there already, or to whoever had it before.

        Not that of a list or of a forwarding, whoever it goes to: it keeps its address.
        """
        row = row_of(self.draft, alias)
        role, is_known = row.role, not is_unclaimed(row) or self.draft.has_unclaimed(alias.address)
        is_same = role is Role.FORMER or (alias.goto == {former} and role in {*OF_ONE_PERSON, None})
        return is_our_alias(self.draft, alias) and is_known and is_same

    def _no_way(self, address: Address) -> str | None:
        """Say that something stands where a mailbox may have to be for a moment, and stays there."""
        by, actual = temporary(address), self.draft.view.actual
        if by in actual.aliases or (by in actual.mailboxes and by not in self.wanted.values()):
            return f"{by} is needed for a moment and is taken; rename or delete it in mailcow"
        return None

    @property
    def taken(self) -> Collection[Address]:
        """The addresses at which somebody is to have a mailbox: no alias stays there."""
        view = self.draft.view
        return (view.desired.mailboxes.keys() - self.against.keys()) | view.others.mailboxes.keys()

    def _hold_who_finds_no_room(self) -> None:
        """Hold those whose old address can't stay as an alias.

        Whoever is held gets no old address of somebody else's, which then stays as an alias in its turn.
        """
        going: dict[Address, Address] = {}
        while going != self._going():
            going, taken = self._going(), self.taken
            rooms = {name: Room.of(domain) for name, domain in self.draft.view.actual.domains.items()}
            for address, former in going.items():
                if not _stays(former, taken) or address in self.draft.view.actual.aliases:
                    continue
                if full := rooms[address.domain].take_alias(former, former):
                    self.against[address] = f"its old address could not stay: {full.sentence}"

    def _going(self) -> dict[Address, Address]:
        return {address: former for address, former in self.wanted.items() if address not in self.against}

    def _hold_who_waits(self) -> None:
        """Hold those too whose new address, or the temporary one, is still somebody's who is held."""
        while waiting := [
            (address, by)
            for address in self._going()
            for by in (temporary(address), address)
            if self._holder(by) in self.against
        ]:
            for address, by in waiting:
                self.against[address] = f"{by} is a mailbox until that one is renamed, which can't be done now"

    def _holder(self, address: Address) -> Address | None:
        """Return what the mailbox at an address will be called."""
        return next((new for new, former in self.wanted.items() if former == address), None)

    def _unfinished(self) -> set[Address]:
        """Return those who are between two addresses, and those whom they wait for: no limit holds them there."""
        going = self._going()
        found = {address for address, former in going.items() if former.local.startswith(TEMPORARY)}
        todo = set(found)
        while todo:
            todo = {new for one in todo if (new := self._holder(one)) and new in going} - found
            found |= todo
        return found

    def _announced(self, address: Address) -> RenameChange:
        """Return a rename as the guard shows it."""
        mailbox = self.draft.view.desired.mailboxes[address]
        return RenameChange(Kind.RENAME, address, Why.RENAMED, mailbox.dn, former=self.wanted[address])

    def _moving(self) -> dict[Address, Address]:
        """Return who gets a new mailbox because the domain is another one: by new address the old one."""
        view = self.draft.view
        return {
            address: row.address
            for address, mailbox in view.desired.mailboxes.items()
            if (row := self.draft.known(mailbox))
            and row.address.domain != address.domain
            and row.address in view.actual.mailboxes
            and address not in view.actual.mailboxes
        }


def _steps(after: After, going: dict[Address, Address], taken: Collection[Address]) -> Iterator[RenameChange]:
    """Give the renames in an order in which each finds its address free; in a circle, one goes by a temporary address.

    An old address stays as an alias unless it is `taken`: somebody else's mailbox from now on.
    """
    todo = dict(sorted(going.items()))
    while todo:
        free = next((address for address in todo if address not in after.mailboxes), None)
        if free is None:
            first = next(iter(todo))
            yield after.rename(todo[first], temporary(first), first, leave=False)
            todo[first] = temporary(first)
        else:
            former = todo.pop(free)
            yield after.rename(former, free, free, leave=_stays(former, taken))


def _stays(former: Address, taken: Collection[Address]) -> bool:
    """Tell whether an old address stays as an alias."""
    return former not in taken and not former.local.startswith(TEMPORARY)


class After:
    """mailcow and the state file, as one rename after the other leaves them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.mailboxes: dict[Address, Existing] = dict(view.actual.mailboxes)
        self._aliases: dict[Address, ExistingAlias] = dict(view.actual.aliases)
        self._domains: dict[str, Domain] = dict(view.actual.domains)
        self._rows: dict[Address, Remembered] = dict(view.memory.mailboxes)
        self._alias_rows: dict[Address, RememberedAlias] = dict(view.memory.aliases)
        self._meant: dict[Address, frozenset[Address]] = {}
        self._draft = Draft(view, whole=True)
        self._senders = dict(view.senders)
        self._turn = 0

    def view(self) -> View:
        """Return the view of it."""
        actual = replace(self._view.actual, mailboxes=self.mailboxes, aliases=self._aliases, domains=self._domains)
        memory = replace(self._view.memory, mailboxes=self._rows, aliases=self._alias_rows)
        return replace(self._view, actual=actual, memory=memory, senders=self._senders)

    def meant(self) -> dict[Address, frozenset[Address]]:
        """Return the gotos of aliases of ours by the new names, where mailcow leaves them with the old ones."""
        return {one: goto for one, goto in self._meant.items() if goto != self._aliases[one].goto}

    def rename(self, former: Address, address: Address, wanted: Address, *, leave: bool) -> RenameChange:
        """Rename a mailbox and return the change that does it; `leave` an alias at the old address.

        `wanted` is what it is called in the end.
        """
        existing = self.mailboxes.pop(former)
        self.mailboxes[address] = replace(existing, address=address)
        active = int(existing.attributes[ACTIVE.key])
        gives_way = self._aliases.get(address)
        change = RenameChange(
            Kind.RENAME,
            address,
            Why.RENAMED,
            self._view.desired.mailboxes[wanted].dn,
            fields=(FieldChange("address", former, address),),
            rebuilds=(2 if active == 0 else 0) + (leave and active != 1),
            former=former,
            active=active,
            left=self._left(address) if leave else None,
            gives_way=gives_way.number if gives_way else None,
            turn=self._turn,
            attribute_hash=existing.attribute_hash,
        )
        self._turn += 1
        self._free(address)
        notes = (*self._move(change), *self._give_way(change), *self._follow(former, address), *self._leave(change))
        return replace(change, notes=notes)

    def _move(self, change: RenameChange) -> Iterator[Note]:
        """Move what is known of the mailbox itself, and what others' rights say of it."""
        former, address = change.former, change.address
        row = self._rows.pop(former, None)
        if row:
            self._rows[address] = replace(row, address=address)
        if former in self._senders:
            self._senders[address] = self._senders.pop(former)
        for one, told in self._senders.items():
            self._senders[one] = told if told is None else senders_after(change, told)
        for one, other in self._rows.items():
            senders = senders_after(change, other.senders)
            if senders != other.senders:
                self._rows[one] = replace(other, senders=senders)
                yield Note(one, {"senders": senders})

    def _free(self, address: Address) -> None:
        """Note that aliases of ours which still name a new address don't mean whoever gets it now.

        It was a former address, or a mailbox that is gone from mailcow.
        """
        there = self._aliases.get(address)
        meant = self._meant.get(address, there.goto) if there else frozenset[Address]()
        for one, alias in self._aliases.items():
            goto = self._meant.get(one, alias.goto)
            if one != address and address in goto and is_our_alias(self._draft, alias):
                self._meant[one] = goto - {address} | meant

    def _give_way(self, change: RenameChange) -> Iterator[Note]:
        """Forget the alias at the new address."""
        self._meant.pop(change.address, None)
        if self._aliases.pop(change.address, None):
            self._count(change.address.domain, -1)
            self._alias_rows.pop(change.address, None)
            yield Note(change.address, None, Subject.ALIAS)

    def _follow(self, former: Address, address: Address) -> Iterator[Note]:
        """Let the aliases follow that go to the mailbox alone, as mailcow does; of ours, note whom the others mean."""
        for one, alias in self._aliases.items():
            goto = self._meant.get(one, alias.goto)
            if alias.values[GOTO] == former:
                self._aliases[one] = replace(alias, values={**alias.values, GOTO: address})
            elif former in goto and is_our_alias(self._draft, alias):
                self._meant[one] = goto - {former} | {address}
            else:
                continue
            row = self._alias_rows.get(one)
            known = split(str(row.applied[GOTO])) if row and GOTO in row.applied else frozenset()
            if row and former in known:
                applied = {**row.applied, GOTO: joined(known - {former} | {address})}
                self._alias_rows[one] = replace(row, applied=applied)
                yield Note(one, {"applied": applied}, Subject.ALIAS)

    def _left(self, address: Address) -> dict[str, Value]:
        return {
            GOTO: address,
            ALIAS_ACTIVE: 1,
            **FLAGS_OF_FORMER,
            PUBLIC_COMMENT: "",
            PRIVATE_COMMENT: Marks(self._view.config.mark).renamed,
        }

    def _leave(self, change: RenameChange) -> Iterator[Note]:
        """Leave an alias at the old address."""
        if change.left is None:
            return
        mailbox, former = self._view.desired.mailboxes[change.address], change.former
        self._count(former.domain, 1)
        self._aliases[former] = ExistingAlias(former, NOT_YET, change.left)
        row = RememberedAlias(
            former,
            mailbox.source,
            mailbox.id,
            mailbox.dn,
            Role.FORMER,
            Origin.CREATED,
            applied={GOTO: change.address},
        )
        self._alias_rows[former] = row
        known = {key: getattr(row, key) for key in ("source", "owner", "dn", "role", "origin", "number", "applied")}
        yield Note(former, {**known, "disabled": False, **SEEN}, Subject.ALIAS)

    def _count(self, domain: str, more: int) -> None:
        found = self._domains[domain]
        self._domains[domain] = replace(found, aliases=found.aliases + more)
