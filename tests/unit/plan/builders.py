"""Views with sensible defaults, and what mailcow and the state file become once a plan was carried out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import SecretStr

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Desired
from ldap2mailcow.model import (
    ATTRIBUTES,
    Actual,
    Address,
    Answer,
    Call,
    Change,
    Code,
    Domain,
    Entry,
    Existing,
    Finding,
    Kind,
    Mailbox,
    Memory,
    Note,
    Origin,
    Patch,
    Remembered,
    SourceMemory,
    Value,
)
from ldap2mailcow.plan import Options, Plan, View, fingerprint, make_plan, phases

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
STAMP = "2026-05-01 08:00:00"
"""When the passwords of all mailboxes were last written."""
LATER_STAMP = "2026-05-20 09:30:00"
"""When somebody wrote one after that."""
WRITTEN_STAMP = "2026-06-01 14:00:00"
"""What mailcow's clock shows while a plan is carried out."""

DOMAIN = "example.org"
MARK, DISABLED_TAG = "ldap-sync", "ldap-sync:disabled"
ANN, BOB, CAT, DAN = (Address(f"{name}@{DOMAIN}") for name in ("ann", "bob", "cat", "dan"))
NAMED = frozenset({"mail", "firstname", "lastname"})
"""What every entry has a value for, unless a test says otherwise."""
PASSWORD = "{CRYPT}$6$salt$of-the-directory"  # what the directory has, unless a test says otherwise


def person(number: int) -> Address:
    """Return one of many addresses, in order."""
    return Address(f"user{number:03}@{DOMAIN}")


def people(count: int) -> tuple[Address, ...]:
    """Return the first of many addresses."""
    return tuple(person(number) for number in range(count))


def make_seal(key: str = "key1") -> Callable[[SecretStr], str]:
    """Return a function that seals passwords as the state file's key does."""

    def seal(password: SecretStr) -> str:
        return f"{key}:{hashlib.sha256(f'{key}{password.get_secret_value()}'.encode()).hexdigest()}"

    return seal


seal = make_seal()


def make_config(
    *,
    source: Mapping[str, object] | None = None,
    mapping: Mapping[str, object] | None = None,
    **settings: object,
) -> Config:
    """Return a config as a small installation has it, apart from what is given."""
    ldap = {
        "uri": "ldaps://ldap.example.org",
        "user_search_base": "ou=people,dc=example,dc=org",
        "user_search_filter": "(objectClass=person)",
        "user_mapping": dict(mapping or {}),
        **(source or {}),
    }
    basics = {"ldap": ldap, "mailcow_host": "mail.example.org", "mailcow_api_key": "key-of-the-api"}
    return Config.model_validate({**basics, **settings})


def dn_of(address: Address) -> str:
    """Return the DN of a person's entry."""
    return f"uid={address.local},ou=people,dc=example,dc=org"


def id_of(address: Address) -> str:
    """Return the stable id of a person's entry."""
    return f"id-{address.local}"


def name_of(address: Address) -> str:
    """Return a person's name."""
    return address.local.title()


def wanted(
    address: Address,
    *,
    id: str | None = None,  # noqa: A002 - the field's own name
    dn: str | None = None,
    password: str | None = PASSWORD,
    present: Iterable[str] | None = None,
    **attributes: Value | None,
) -> Mailbox:
    """Return a mailbox as the directory wants it; an attribute that is None isn't managed."""
    managed = {"name": name_of(address), **attributes}
    there = {*NAMED, *(["password"] if password else []), *attributes.keys() - {"name", "authsource"}}
    return Mailbox(
        source="default",
        id=id or id_of(address),
        dn=dn or dn_of(address),
        address=address,
        attributes={key: value for key, value in managed.items() if value is not None},
        password=SecretStr(password) if password else None,
        present=frozenset(there if present is None else present),
    )


def existing(
    address: Address,
    *,
    tags: Iterable[str] = (MARK,),
    stamp: str = STAMP,
    template: str = "",
    **attributes: Value,
) -> Existing:
    """Return a mailbox as mailcow has it: ours, active and of 100 MiB, unless told otherwise."""
    values: dict[str, Value] = {
        "name": name_of(address),
        "quota": 100,
        "active": 1,
        "authsource": "mailcow",
        "tls_enforce_in": 0,
        "tls_enforce_out": 0,
    }
    return Existing(address, {**values, **attributes}, frozenset(tags), stamp, template)


def row(address: Address, **columns: object) -> Remembered:
    """Return a row of the state file as it is after a quiet run."""
    values: dict[str, Any] = {
        "source": "default",
        "id": id_of(address),
        "dn": dn_of(address),
        "origin": Origin.CREATED,
        "applied": {"name": name_of(address)},
        "digest": seal(SecretStr(PASSWORD)),
        "passwd_update": STAMP,
        "present": NAMED | {"password"},
    }
    return Remembered(address, **{**values, **columns})


def make_domain(
    there: Iterable[Existing] = (),
    name: str = DOMAIN,
    /,
    **limits: int,
) -> Domain:
    """Return a domain of 1,000 mailboxes, 10 GiB each and 1 TiB together, with some mailboxes in it."""
    inside = [mailbox for mailbox in there if mailbox.address.domain == name]
    values = {
        "mailboxes": len(inside),
        "max_mailboxes": 1000,
        "default_quota": 300,
        "max_mailbox_quota": 10 * 1024,
        "max_quota": 1024 * 1024,
        "used_quota": sum(int(mailbox.attributes["quota"]) for mailbox in inside),
    }
    return Domain(name, **{**values, **limits})


@dataclass(frozen=True)
class Scene:
    """What a view is made of; whoever is wanted is what the whole answer has."""

    wants: Iterable[Mailbox] = ()
    has: Iterable[Existing] = ()
    rows: Iterable[Remembered] = ()
    config: Config = field(default_factory=make_config)
    options: Options = field(default_factory=Options)
    now: datetime = NOW
    sources: Mapping[str, SourceMemory] | None = None
    """None: the search is the accepted one, and the id attribute is fixed."""
    limits: Mapping[str, int] = field(default_factory=dict)
    domains: tuple[Domain, ...] | None = None
    doubts: tuple[Finding, ...] = ()
    key: str = "key1"
    desired: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Desired that aren't as they follow from who is wanted."""
    actual: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Actual that aren't as they follow from what mailcow has."""
    id_attribute: str = "entryUUID"
    empty: bool = False
    """Whether the search found nobody at all."""

    def view(self) -> View:
        """Return the view."""
        source = self.config.sources[0]
        wants, has = tuple(self.wants), tuple(self.has)
        domains = self.domains or (make_domain(has, **self.limits),)
        desired = Desired(
            {mailbox.address: mailbox for mailbox in wants},
            ids=frozenset(mailbox.id for mailbox in wants),
            addresses=frozenset(mailbox.address for mailbox in wants),
            dns=frozenset(mailbox.dn.lower() for mailbox in wants),
            present={mailbox.id: mailbox.present for mailbox in wants},
            inactive=frozenset(mailbox.id for mailbox in wants if mailbox.attributes.get("active") == 0),
        )
        accepted = {source.name: SourceMemory("entryUUID", fingerprint(source))}
        entries = tuple(Entry(mailbox.dn, {}) for mailbox in wants) or (Entry("cn=somebody", {}),)
        return View(
            config=self.config,
            source=source,
            search_filter=source.search_filter,
            answer=Answer(source.name, () if self.empty else entries, self.doubts),
            desired=replace(desired, **self.desired),
            id_attribute=self.id_attribute,
            actual=replace(
                Actual({domain.name: domain for domain in domains}, {mailbox.address: mailbox for mailbox in has}),
                **self.actual,
            ),
            memory=Memory(
                {row.address: row for row in self.rows},
                accepted if self.sources is None else self.sources,
                make_seal(self.key),
            ),
            options=self.options,
            now=self.now,
        )

    def plan(self) -> Plan:
        """Return the plan."""
        return make_plan(self.view())


CUT_SHORT = Finding(Code.ANSWER_CUT_SHORT, "default", "the server stopped after 500 entries")
CANARY = Finding(Code.CANARY_MISSING, "uid=canary,dc=example,dc=org", "the canary is missing")


def quiet(addresses: Iterable[Address], **more: object) -> Scene:
    """Return a scene in which everybody is in the directory, in mailcow and in the state file, and all agree."""
    addresses = tuple(addresses)
    fields: dict[str, Any] = {
        "wants": [wanted(address) for address in addresses],
        "has": [existing(address) for address in addresses],
        "rows": [row(address) for address in addresses],
    }
    return Scene(**{**fields, **more})


def codes(plan: Plan) -> list[Code]:
    """Return the codes of a plan's findings, in order."""
    return [finding.code for finding in plan.findings]


def kinds(changes: Iterable[Change]) -> list[tuple[Kind, Address]]:
    """Return what happens to whom, in order."""
    return [(change.kind, change.address) for change in changes]


def only(changes: Iterable[Change]) -> Change:
    """Return the only change there is."""
    (change,) = changes
    return change


def remembered(plan: Plan, address: Address) -> dict[str, object]:
    """Return all that a plan remembers of an address, if everything it does succeeds."""
    patches: list[Patch] = [note.remember for note in plan.notes if note.address == address and note.remember]
    patches += [change.remember for change in plan.changes if change.address == address]
    return {key: value for patch in patches for key, value in patch.items()}


class RefusedError(AssertionError):
    """mailcow would refuse a call of the plan."""


def send(actual: Actual, call: Call) -> Actual:
    """Return what mailcow has after a call, by its own rules (docs/mailcow-api.md sections 4, 5 and 15).

    Raises RefusedError for what mailcow would refuse.
    """
    for item in call.items:
        address = Address(item)
        after = _CALLS[call.endpoint](actual, address, call.attr)
        domain = actual.domains[address.domain]
        before = actual.mailboxes.get(address)
        domain = replace(
            domain,
            mailboxes=domain.mailboxes + (before is None),
            used_quota=domain.used_quota
            + int(after.attributes["quota"])
            - (int(before.attributes["quota"]) if before else 0),
        )
        actual = replace(
            actual,
            domains={**actual.domains, domain.name: domain},
            mailboxes={**actual.mailboxes, address: after},
        )
    return actual


def _add(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    domain, quota = actual.domains[address.domain], cast("int", attr["quota"])
    if address in actual.mailboxes or address in actual.aliases:
        raise RefusedError(f"object_exists or is_alias: {address}")
    source = attr["authsource"] if attr["authsource"] in ("mailcow", actual.provider) else "mailcow"
    if source == "mailcow" and not attr.get("password"):
        raise RefusedError("password_complexity")
    if domain.mailboxes >= domain.max_mailboxes:
        raise RefusedError("max_mailbox_exceeded")
    if quota > domain.max_mailbox_quota:
        raise RefusedError("mailbox_quota_exceeded")
    if domain.used_quota + quota > domain.max_quota:
        raise RefusedError("mailbox_quota_left_exceeded")
    values = {key: cast("Value", attr.get(key, 0)) for key in ATTRIBUTES}
    values |= {"name": cast("str", attr.get("name", "")), "authsource": source}
    return Existing(address, values, frozenset(cast("list[str]", attr["tags"])), WRITTEN_STAMP, "")


def _edit(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    mailbox, domain = actual.mailboxes[address], actual.domains[address.domain]
    own = int(mailbox.attributes["quota"])
    limit = min(domain.max_quota - (domain.used_quota - own), domain.max_mailbox_quota)
    if cast("int", attr.get("quota", own)) > limit:
        raise RefusedError(f"mailbox_quota_left_exceeded: {address}")
    values = {key: cast("Value", attr[key]) for key in ("name", "quota", "active", "authsource") if key in attr}
    if values.get("authsource") not in (None, "mailcow", actual.provider):
        del values["authsource"]
    writes = "password" in attr and mailbox.attributes["authsource"] == "mailcow"
    return Existing(
        address,
        {**mailbox.attributes, **values},
        mailbox.tags | set(cast("list[str]", attr.get("tags", []))),
        WRITTEN_STAMP if writes else mailbox.passwd_update,
        cast("str", attr.get("attribute_hash", "")),
    )


def _edit_tls(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    mailbox = actual.mailboxes[address]
    return replace(mailbox, attributes={**mailbox.attributes, **cast("Mapping[str, Value]", attr)})


def _remove_tags(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    mailbox = actual.mailboxes[address]
    return replace(mailbox, tags=mailbox.tags - set(cast("list[str]", attr["tags"])))


_CALLS = {
    "add/mailbox": _add,
    "edit/mailbox": _edit,
    "edit/tls_policy": _edit_tls,
    "delete/mailbox/tag": _remove_tags,
}


def send_all(changes: Iterable[Change], actual: Actual) -> Actual:
    """Return what mailcow has after all calls of some changes."""
    for phase in phases(changes):
        for batch in phase.batches:
            for call in batch.calls:
                actual = send(actual, call)
    return actual


def note_all(notes: Iterable[Note], rows: Mapping[Address, Remembered]) -> dict[Address, Remembered]:
    """Return the rows of the state file after some notes."""
    after = dict(rows)
    for note in notes:
        if note.remember is None:
            after.pop(note.address, None)
        elif note.address in after:
            after[note.address] = replace(after[note.address], **cast("Mapping[str, Any]", note.remember))
        else:
            after[note.address] = Remembered(note.address, **cast("Mapping[str, Any]", note.remember))
    return after


def simulate(plan: Plan, view: View) -> View:
    """Return the view of a second run at the same time, after every change of the plan was carried out.

    Raises RefusedError where mailcow would refuse one.
    """
    actual = send_all(plan.changes, view.actual)
    done = [Note(change.address, change.remember) for change in plan.changes]
    stamps = [
        Note(change.address, {"passwd_update": actual.mailboxes[change.address].passwd_update})
        for change in plan.changes
        if change.password
    ]
    rows = note_all((*plan.notes, *done, *stamps), view.memory.mailboxes)
    sources = {**view.memory.sources, view.source.name: plan.source}
    return replace(view, actual=actual, memory=replace(view.memory, mailboxes=rows, sources=sources))
