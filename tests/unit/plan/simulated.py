"""A plan carried out on the stand-in for mailcow, in this process: what mailcow and the state file become by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from ldap2mailcow import mailcow
from ldap2mailcow.apply import apply
from ldap2mailcow.http import Reply
from ldap2mailcow.mailcow import Mailcow
from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    GOTO,
    INTERNAL,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Actual,
    Address,
    Change,
    Domain,
    Existing,
    ExistingAlias,
    MailboxChange,
    Memory,
    Note,
    Outcome,
    Remembered,
    RememberedAlias,
    RenameChange,
    Subject,
)
from ldap2mailcow.plan import Case, Plan, make_plan, remembered, senders_to_read
from tests.mailcow_server.api import Keys, Request, respond
from tests.mailcow_server.clock import Clock
from tests.mailcow_server.faults import Faults
from tests.mailcow_server.state import Alias, AliasDomain, DomainLimits, Mailbox, SenderAcl, State

WRITTEN_STAMP = "2026-06-01 14:00:00"
"""What mailcow's clock shows while a plan is carried out."""
_KEY = "key-of-the-api"
_MIB = 1024 * 1024


class RefusedError(AssertionError):
    """mailcow refuses a call of the plan, or does nothing of what it asks for."""


class _InProcess:
    """What `Mailcow` takes for its HTTP: the stand-in's API, without a network."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self, path: str) -> Reply:
        return self._ask("GET", path, "")

    def post(self, path: str, body: str) -> Reply:
        return self._ask("POST", path, body)

    def close(self) -> None:
        """Nothing is open."""

    def _ask(self, method: str, path: str, body: str) -> Reply:
        headers = {"x-api-key": _KEY, "content-type": "application/json"}
        request = Request(method, f"/api/v1/{path}", headers, body.encode())
        answer = respond(self.state, Keys(_KEY, "another"), Faults(), request, None)
        return Reply(answer.status, answer.content_type, answer.body.decode())


def client_of(case: Case) -> Mailcow:
    """Return a client of a mailcow that has what a case says it has."""
    return Mailcow(cast("Any", _InProcess(_state_of(case))))


def _state_of(case: Case) -> State:
    state = State(Clock(WRITTEN_STAMP))
    if case.actual.provider != "mailcow":
        state.identity_provider = {"authsource": case.actual.provider}
    for domain in case.actual.domains.values():
        state.add_domain(_limits(case.actual, domain))
    for name in case.actual.hosted - case.actual.domains.keys() - case.actual.alias_domains.keys():
        state.add_domain(DomainLimits(name))
    for name, target in case.actual.alias_domains.items():
        state.alias_domains[name] = AliasDomain(name, target, 1, WRITTEN_STAMP)
    for alias in (*case.every_alias.values(), *case.actual.aliases.values()):
        if state.alias_at(alias.address) is None:
            state.insert_alias(_alias(alias))
    for box in case.actual.mailboxes.values():
        state.insert_mailbox(_mailbox(box))
        state.insert_alias(Alias(state.take_alias_id(), box.address, box.address, box.address.domain, WRITTEN_STAMP))
        for sender in _senders(case, box):
            state.sender_acl.append(SenderAcl(box.address, sender, external=False))
    return state


def _limits(actual: Actual, domain: Domain) -> DomainLimits:
    """Return limits that leave as much room as a domain says, whatever it counts beyond what is there."""
    boxes = [box for box in actual.mailboxes.values() if box.address.domain == domain.name]
    homes = [actual.alias_domains.get(one.domain, one.domain) for one in actual.aliases]
    quota = sum(int(box.attributes["quota"]) for box in boxes)
    return DomainLimits(
        domain.name,
        mailboxes=len(boxes) + domain.max_mailboxes - domain.mailboxes,
        aliases=homes.count(domain.name) + domain.max_aliases - domain.aliases,
        defquota=domain.default_quota,
        maxquota=domain.max_mailbox_quota,
        quota=quota + domain.max_quota - domain.used_quota,
    )


def _mailbox(box: Existing) -> Mailbox:
    values = box.attributes
    return Mailbox(
        username=box.address,
        local_part=box.address.local,
        domain=box.address.domain,
        name=str(values["name"]),
        password="{CRYPT}!",
        quota=int(values["quota"]) * _MIB,
        active=int(values["active"]),
        authsource=str(values["authsource"]),
        attributes={
            "tls_enforce_in": str(values["tls_enforce_in"]),
            "tls_enforce_out": str(values["tls_enforce_out"]),
            "passwd_update": box.passwd_update,
            "attribute_hash": box.attribute_hash,
        },
        created=WRITTEN_STAMP,
        tags=sorted(box.tags),
    )


def _alias(alias: ExistingAlias) -> Alias:
    values = cast("Mapping[str, Any]", alias.values)
    return Alias(
        alias.number,
        alias.address,
        values[GOTO],
        alias.address.domain,
        WRITTEN_STAMP,
        active=values[ALIAS_ACTIVE],
        internal=values[INTERNAL],
        sogo_visible=values[SOGO_VISIBLE],
        sender_allowed=values[SENDER_ALLOWED],
        public_comment=values[PUBLIC_COMMENT],
        private_comment=values[PRIVATE_COMMENT],
    )


def _senders(case: Case, box: Existing) -> frozenset[str]:
    """Return the rows of a mailbox, as far as any are known of: from a reading, else by the state file."""
    told, row = case.senders.get(box.address), case.memory.mailboxes.get(box.address)
    if told is not None:
        return told
    return box.senders or (row.senders if row else frozenset())


def _with_senders(client: Mailcow, case: Case, actual: Actual) -> Actual:
    """Return what mailcow has with the rows of those mailboxes that had some, or get some."""
    boxes = dict(actual.mailboxes)
    asked = [one for one, box in case.actual.mailboxes.items() if one in boxes and _senders(case, box)]
    for address, rows in mailcow.read_senders(client, {*asked, *(case.senders.keys() & boxes.keys())}).items():
        boxes[address] = replace(boxes[address], senders=rows)
    return replace(actual, mailboxes=boxes)


def planned(case: Case) -> tuple[Plan, Case]:
    """Return the plan as a run makes it: where it changes rights, the present rows are read first."""
    if unread := senders_to_read(case):
        found = mailcow.read_senders(client_of(case), unread)
        case = replace(case, senders={**case.senders, **dict.fromkeys(unread), **found})
    return make_plan(case), case


def simulate(plan: Plan, case: Case) -> Case:
    """Return the case of a second run at the same time, after every change of the plan was carried out.

    Raises RefusedError where mailcow would refuse one.
    """
    client, outcomes = client_of(case), list[Outcome]()
    apply(
        plan.changes,
        client,
        connections=1,
        intend=lambda _: None,
        record=outcomes.append,
        progress=lambda: None,
    )
    for outcome in outcomes:
        if not outcome.done:
            raise RefusedError(f"{outcome.change.name}: {outcome.detail}")
    actual = _with_senders(client, case, _read(client, case))
    renames = [change for change in plan.changes if isinstance(change, RenameChange)]
    named = {address for change in renames for address in (change.former, change.address)}
    memory = noted(case.memory, (note for note in plan.notes if note.address not in named))
    for change in plan.changes:
        memory = remembered(memory, change)
    memory = noted(memory, (note for note in plan.notes if note.address in named))
    memory = noted(memory, _stamps(plan.changes, actual))
    memory = replace(
        memory,
        sources={**memory.sources, **plan.sources},
        bystanders={**plan.bystanders, **memory.bystanders},
        intents=(),
    )
    return replace(case, actual=actual, memory=memory, senders={}, begun=replace(case.begun, halves=frozenset()))


def _read(client: Mailcow, case: Case) -> Actual:
    domains = frozenset(case.actual.domains)
    actual = mailcow.with_aliases(client, mailcow.read_actual(client, domains, with_provider=True))
    return replace(actual, provider=case.actual.provider)


def _stamps(changes: Iterable[Change], actual: Actual) -> Iterable[Note]:
    for change in changes:
        if isinstance(change, MailboxChange) and change.password:
            yield Note(change.address, {"passwd_update": actual.mailboxes[change.address].passwd_update})


def noted(memory: Memory, notes: Iterable[Note]) -> Memory:
    """Return the state file after some notes."""
    boxes: dict[Address, Remembered] = dict(memory.mailboxes)
    aliases: dict[Address, RememberedAlias] = dict(memory.aliases)
    for note in notes:
        rows: dict[Address, Any] = boxes if note.subject is Subject.MAILBOX else aliases
        row = Remembered if note.subject is Subject.MAILBOX else RememberedAlias
        if note.remember is None:
            rows.pop(note.address, None)
        else:
            before = rows.get(note.address)
            columns = cast("Mapping[str, Any]", note.remember)
            rows[note.address] = replace(before, **columns) if before else row(note.address, **columns)
    return replace(memory, mailboxes=boxes, aliases=aliases)
