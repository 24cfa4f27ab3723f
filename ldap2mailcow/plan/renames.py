"""Renames: which mailboxes get a new name now, and the case after that.

A mailbox is renamed when its new address is free: no mailbox has it, and either no alias or one of ours that goes to
this very mailbox, or that is a former address. So a chain of renames goes one link a run, and a circle never: that is a
finding. The rest of the plan is made for the case after the renames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ldap2mailcow.desired import User
from ldap2mailcow.model import (
    ACTIVE,
    ALIAS_ACTIVE,
    GOTO,
    INTERNAL,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Actual,
    Address,
    AliasChange,
    Change,
    ExistingAlias,
    FieldChange,
    Finding,
    Kind,
    Note,
    Origin,
    Patch,
    RememberedAlias,
    RenameChange,
    Role,
    Rule,
    Say,
    Subject,
    Value,
    joined,
    split,
)

from .case import Case
from .grace import SEEN
from .intents import remembered
from .matching import Matches, State

FLAGS_OF_FORMER: Mapping[str, Value] = {INTERNAL: 0, SENDER_ALLOWED: 1, SOGO_VISIBLE: 0}
"""What an alias at a former address is at first; mailcow makes it otherwise."""

NOT_YET = 0
"""The number of an alias that a rename of this run leaves: mailcow's own begin with 1."""

OF_ONE_USER = frozenset({Role.USER, Role.FORMER})
"""The kinds of aliases that are further addresses of one mailbox."""


@dataclass(frozen=True, slots=True)
class Renames:
    """Which mailboxes get a new name now, and what there is to say of the others."""

    changes: tuple[RenameChange, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Against:
    """Why a mailbox keeps its name."""

    say: Say
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A mailbox that should have another address of its domain."""

    user: User
    former: Address
    """The one that it has."""
    address: Address


def decide_renames(case: Case, matches: Matches, held: Iterable[Address]) -> Renames:
    """Return the renames of this run; `held` are the present addresses of mailboxes that wait for a word."""
    wanted = (
        _Wanted(one.user, one.at, one.wants)
        for one in matches.users.values()
        if one.at and one.wants and one.state is State.RENAMED
    )
    return _Decider(case, {one.former: one for one in wanted}, frozenset(held)).decide()


@dataclass
class _Decider:
    case: Case
    wanted: Mapping[Address, _Wanted]
    """By present address."""
    held: frozenset[Address]
    places: dict[str, int] = field(default_factory=dict)
    """By domain: how many aliases it still takes."""
    renamed: dict[Address, Address] = field(default_factory=dict)
    """By old address: the new one."""

    def decide(self) -> Renames:
        changes: list[RenameChange] = []
        findings: list[Finding] = []
        for wanted in sorted(self.wanted.values(), key=lambda one: one.address):  # as they run
            if wanted.former in self.held or not self.is_in_scope(wanted):
                continue
            checks = (self.barred, self.occupied, self.aliased, self.inactive, self.no_place)
            if against := next(filter(None, (check(wanted) for check in checks)), None):
                findings.append(self.told(wanted, against))
            else:
                changes.append(self.change(wanted))
        return Renames(tuple(changes), tuple(findings))

    def is_in_scope(self, wanted: _Wanted) -> bool:
        return self.case.in_scope(wanted.former) or self.case.in_scope(wanted.address)

    def barred(self, wanted: _Wanted) -> _Against | None:
        """Return why a mailbox keeps its name, whatever there is at the new address."""
        config = self.case.config
        if not config.create_mailboxes:
            return _held("mailboxes come from elsewhere (create_mailboxes: false), so rename it there")
        if config.renames == "hold":
            return _held("the config says renames: hold; rename the mailbox in mailcow, or set renames: rename")
        if not self.case.can_rename:
            return _held("this mailcow is older than 2024-11 and can't rename mailboxes; update it")
        for one in (wanted.former, wanted.address):
            if alone := self.case.left_alone(one) or self.case.alias_left_alone(one):
                return _held(alone.sentence)
        return None

    def occupied(self, wanted: _Wanted) -> _Against | None:
        """Return why the new address isn't free of mailboxes."""
        address = wanted.address
        if address not in self.case.actual.mailboxes:
            return None
        if self.is_circle(wanted):
            return _Against(Say.EXCHANGE)
        if address in self.wanted:
            return _Against(Say.RENAME_WAITS, f"{address} is free once the mailbox that has it is renamed")
        dn = self.case.rows[address].dn if address in self.case.rows else ""
        whose = f" of {dn}" if dn else ""
        return _held(
            f"{address} is a mailbox{whose} already; rename or delete that one in mailcow, or give one another address"
        )

    def is_circle(self, wanted: _Wanted) -> bool:
        """Tell whether a mailbox waits, over any number of others, for itself."""
        seen: set[Address] = set()
        address = wanted.address
        while address in self.wanted and address not in seen:
            seen.add(address)
            address = self.wanted[address].address
        return wanted.former in seen

    def aliased(self, wanted: _Wanted) -> _Against | None:
        """Return why the new address isn't free of aliases."""
        alias = self.case.actual.aliases.get(wanted.address)
        if alias is None:
            return None
        if not self.case.is_our_alias(alias):
            return _held(f"{alias.address} is an alias that was made by hand in mailcow; delete it there")
        row = self.case.alias_row(alias)
        if self.gives_way(row, alias.goto, wanted):
            return None
        return _held(
            f"{alias.address} is an alias of {row.dn or 'a list'}; take it away there, and the next run renames the "
            "mailbox"
        )

    def gives_way(self, row: RememberedAlias, goto: frozenset[Address], wanted: _Wanted) -> bool:
        """Tell whether an alias of ours may go for a mailbox: it is a former address, or goes to this mailbox alone.

        Not that of a list or of a forwarding, whatever it goes to: it keeps its address.
        """
        if self.case.not_read(row):
            return False
        match row.role:
            case Role.FORMER:
                return True
            case Role.USER | None:
                return goto == {wanted.former}
            case _:
                return False

    def inactive(self, wanted: _Wanted) -> _Against | None:
        if self.case.actual.mailboxes[wanted.former].attributes[ACTIVE.key] != 0:
            return None
        return _Against(
            Say.RENAME_WAITS, "mailcow renames no inactive mailbox, so it is renamed once it is active again"
        )

    def no_place(self, wanted: _Wanted) -> _Against | None:
        """Take the place of the alias that stays at the old address, or return why there is none."""
        address = wanted.address
        domain = self.case.actual.domains[address.domain]
        left = self.places.setdefault(domain.name, domain.max_aliases - domain.aliases)
        if address in self.case.actual.aliases:
            return None  # the alias that gives way leaves its place
        if left <= 0:
            return _held(
                f"its old address can't stay as an alias: {domain.name} has all of its {domain.max_aliases} aliases; "
                "raise 'Max. possible aliases' of the domain"
            )
        self.places[domain.name] -= 1
        return None

    def told(self, wanted: _Wanted, against: _Against) -> Finding:
        directory, reason = self.case.directory_of(wanted.user.id), against.reason
        return against.say.at(wanted.user.dn, directory, former=wanted.former, address=wanted.address, reason=reason)

    def change(self, wanted: _Wanted) -> RenameChange:
        """Return the rename, with all that is remembered of it."""
        former, address = wanted.former, wanted.address
        existing, alias = self.case.actual.mailboxes[former], self.case.actual.aliases.get(address)
        self.renamed[former] = address
        known: Patch = {
            "source": wanted.user.id.source,
            "owner": wanted.user.id.id,
            "dn": wanted.user.dn,
            "role": Role.FORMER,
            "origin": Origin.CREATED,
            "number": None,
            "applied": {GOTO: address},
            "disabled": False,
            **SEEN,
        }
        forgotten = [Note(alias.address, None, Subject.ALIAS)] if alias else []
        return RenameChange(
            Kind.RENAME,
            address,
            Rule.RENAMED,
            wanted.user.dn,
            fields=(FieldChange("address", former, address),),
            rebuilds=0 if existing.attributes[ACTIVE.key] == 1 else 1,
            notes=(*self.renamed_rights(former), *forgotten, Note(former, known, Subject.ALIAS)),
            former=former,
            left={
                GOTO: address,
                ALIAS_ACTIVE: 1,
                **FLAGS_OF_FORMER,
                PUBLIC_COMMENT: "",
                PRIVATE_COMMENT: self.case.marks.renamed,
            },
            gives_way=alias.number if alias else None,
        )

    def renamed_rights(self, former: Address) -> Iterator[Note]:
        """Give what is remembered of rights to send as the mailbox: mailcow's rows follow it.

        By the names that mailboxes have by then: the renames before this one are done.
        """
        for one, row in self.case.rows.items():
            if former in row.senders and one in self.case.actual.mailboxes:
                senders = renamed_senders(row.senders, self.renamed)
                yield Note(self.renamed.get(one, one), {"senders": senders})


def _held(reason: str) -> _Against:
    return _Against(Say.NOT_RENAMED, reason)


def renamed_senders(rows: Iterable[str], names: Mapping[Address, Address]) -> frozenset[str]:
    """Return rows of `sender_acl` by the new names of mailboxes: mailcow renames them."""
    return frozenset(str(names.get(Address(one), one)) for one in rows)


def after_renames(case: Case, renames: Iterable[RenameChange]) -> Case:
    """Return the case in which some renames are done: in mailcow, and in the state file.

    mailcow rewrites a goto that is nothing but the old address; what else names it is left to the targets.
    """
    changes = tuple(renames)
    if not changes:
        return case
    names = {change.former: change.address for change in changes}
    memory, boxes = case.memory, dict(case.actual.mailboxes)
    for change in changes:
        memory = remembered(memory, change)
        boxes[change.address] = replace(boxes.pop(change.former), address=change.address)
    senders = {
        names.get(one, one): told if told is None else renamed_senders(told, names)
        for one, told in case.senders.items()
    }
    actual = replace(_actual(case, changes, names), mailboxes=boxes)
    return replace(case, actual=actual, memory=memory, senders=senders)


def with_aliases_left(renames: Iterable[RenameChange], changes: Iterable[Change]) -> Iterator[Change]:
    """Give all changes; what becomes of an alias that a rename leaves is in the rename: before it, there is none."""
    changes = tuple(changes)
    aliases = [change for change in changes if isinstance(change, AliasChange) and change.number == NOT_YET]
    left = {change.address: change for change in aliases}
    yield from (_with_alias_left(rename, left.get(rename.former)) for rename in renames)
    yield from (change for change in changes if change not in aliases)


def _with_alias_left(rename: RenameChange, alias: AliasChange | None) -> RenameChange:
    """Return a rename that writes the alias it leaves, which costs a rebuild where its mailbox isn't active."""
    if alias is None:
        return replace(rename, rebuilds=2 * rename.rebuilds)
    note = Note(alias.address, {**(alias.remember or {}), "number": None}, Subject.ALIAS)
    return replace(
        rename,
        rebuilds=rename.rebuilds + alias.rebuilds,
        left={**rename.left, **alias.writes},
        notes=(*rename.notes, note),
    )


def _actual(case: Case, changes: Iterable[RenameChange], names: Mapping[Address, Address]) -> Actual:
    """Return what mailcow has of aliases and domains after some renames."""
    domains = dict(case.actual.domains)
    gone = {change.address for change in changes}
    aliases = {one: _followed(alias, names) for one, alias in case.actual.aliases.items() if one not in gone}
    for change in changes:
        aliases[change.former] = ExistingAlias(change.former, NOT_YET, change.left)
        domain = domains[change.address.domain]
        more = 0 if change.gives_way is not None else 1
        domains[domain.name] = replace(domain, aliases=domain.aliases + more)
    return replace(case.actual, aliases=aliases, domains=domains)


def _followed(alias: ExistingAlias, names: Mapping[Address, Address]) -> ExistingAlias:
    goto = split(str(alias.values[GOTO]))
    if len(goto) != 1 or names.keys().isdisjoint(goto):
        return alias
    return replace(alias, values={**alias.values, GOTO: joined(names[one] for one in goto)})
