"""Views with sensible defaults."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from pydantic import SecretStr

from ldap2mailcow import plan as planning
from ldap2mailcow.config import Config
from ldap2mailcow.desired import Desired, Wishes
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
    Alias,
    AliasChange,
    Answer,
    Answers,
    Change,
    Code,
    Domain,
    Entry,
    Existing,
    ExistingAlias,
    Finding,
    Kind,
    Mailbox,
    MailboxChange,
    Memory,
    Note,
    Origin,
    Patch,
    Remembered,
    RememberedAlias,
    Role,
    SourceMemory,
    Subject,
    Value,
    joined,
)
from ldap2mailcow.plan import Options, Plan, View, fingerprint, renamed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
STAMP = "2026-05-01 08:00:00"
"""When the passwords of all mailboxes were last written."""
LATER_STAMP = "2026-05-20 09:30:00"
"""When somebody wrote one after that."""

DOMAIN = "example.org"
MARK, DISABLED_TAG = "ldap-sync", "ldap-sync:disabled"
ANN, BOB, CAT, DAN = (Address(f"{name}@{DOMAIN}") for name in ("ann", "bob", "cat", "dan"))
INFO, TEAM, HELP = (Address(f"{name}@{DOMAIN}") for name in ("info", "team", "help"))
"""Addresses for aliases."""
ALIAS_DOMAIN = "alias.example"
"""A domain whose addresses mailcow looks up in DOMAIN."""
OUTSIDE = Address("eve@elsewhere.test")
"""Somebody whom mailcow doesn't host."""
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
    senders: Iterable[str] | None = None,
    **attributes: Value,
) -> Existing:
    """Return a mailbox as mailcow has it: ours, active and of 100 MiB, unless told otherwise.

    `senders` is for a simulated mailcow: plans see them only where a view tells them.
    """
    values: dict[str, Value] = {
        "name": name_of(address),
        "quota": 100,
        "active": 1,
        "authsource": "mailcow",
        "tls_enforce_in": 0,
        "tls_enforce_out": 0,
    }
    rows = None if senders is None else frozenset(senders)
    return Existing(address, {**values, **attributes}, frozenset(tags), stamp, template, rows)


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


def alias_config(
    *,
    source: Mapping[str, object] | None = None,
    mapping: Mapping[str, object] | None = None,
    **settings: object,
) -> Config:
    """Return a config that makes aliases of every kind, apart from what is given."""
    searches = {
        "group_search_base": "ou=groups,dc=example,dc=org",
        "alias_search_base": "ou=forwards,dc=example,dc=org",
    }
    return make_config(
        source={**searches, **(source or {})},
        mapping={"aliases": ["proxyAddresses"], **(mapping or {})},
        **settings,
    )


def number_of(address: Address) -> int:
    """Return mailcow's number of an alias."""
    return crc32(address.encode())


def wish(address: Address, *goto: Address, role: Role = Role.USER, **more: object) -> Alias:
    """Return an alias as the directory wants it: another address of the first person it goes to, by default."""
    owner = goto[0] if role is Role.USER else address
    values: dict[str, Any] = {
        "source": "default",
        "owner": id_of(owner),
        "dn": dn_of(owner),
        "role": role,
        "flags": {SOGO_VISIBLE: 0},
    }
    return Alias(**{**values, "address": address, "goto": tuple(sorted(goto)), **more})


def listing(address: Address, *members: Address, **more: object) -> Alias:
    """Return a list as the directory wants it."""
    return wish(address, *members, role=Role.LIST, **more)


def forward(address: Address, *goto: Address, **more: object) -> Alias:
    """Return an entry that only forwards, as the directory wants it."""
    return wish(address, *goto, role=Role.FORWARD, **more)


def alias(
    address: Address, *goto: Address, number: int | None = None, mark: str = MARK, **values: Value
) -> ExistingAlias:
    """Return an alias as mailcow has it: ours by its mark, and as we make them, unless told otherwise."""
    basics: dict[str, Value] = {
        GOTO: joined(goto),
        ALIAS_ACTIVE: 1,
        INTERNAL: 0,
        SENDER_ALLOWED: 1,
        SOGO_VISIBLE: 0,
        PRIVATE_COMMENT: mark,
        PUBLIC_COMMENT: "",
    }
    return ExistingAlias(address, number_of(address) if number is None else number, {**basics, **values})


def alias_row(of: Alias, **columns: object) -> RememberedAlias:
    """Return a row of the state file as it is after a quiet run."""
    values: dict[str, Any] = {
        "source": of.source,
        "owner": of.owner,
        "dn": of.dn,
        "role": of.role,
        "origin": Origin.CREATED,
        "number": number_of(of.address),
        "applied": {GOTO: joined(of.goto), **of.flags},
    }
    return RememberedAlias(of.address, **{**values, **columns})


def make_domain(
    there: Iterable[Existing] = (),
    name: str = DOMAIN,
    /,
    **limits: int,
) -> Domain:
    """Return a domain of 1,000 mailboxes and aliases, 10 GiB each and 1 TiB together, with some mailboxes in it."""
    inside = [mailbox for mailbox in there if mailbox.address.domain == name]
    values = {
        "mailboxes": len(inside),
        "max_mailboxes": 1000,
        "default_quota": 300,
        "max_mailbox_quota": 10 * 1024,
        "max_quota": 1024 * 1024,
        "used_quota": sum(int(mailbox.attributes["quota"]) for mailbox in inside),
        "aliases": 0,
        "max_aliases": 1000,
    }
    return Domain(name, **{**values, **limits})


@dataclass(frozen=True)
class Scene:
    """What a view is made of; whoever and whatever is wanted is what the whole answers have."""

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
    wishes: Iterable[Alias] = ()
    aliases: Iterable[ExistingAlias] = ()
    alias_rows: Iterable[RememberedAlias] = ()
    wished: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Wishes that aren't as they follow from the aliases that are wanted."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """Of groups and forwards, where they aren't whole and with somebody in them."""
    senders: Mapping[Address, frozenset[str] | None] = field(default_factory=dict)
    alias_domains: Mapping[str, str] = field(default_factory=dict)

    def view(self) -> View:
        """Return the view."""
        source = self.config.sources[0]
        return View(
            config=self.config,
            source=source,
            search_filter=source.search_filter,
            answers=self._answers(),
            desired=self._desired(),
            wishes=self._wishes(),
            id_attribute=self.id_attribute,
            actual=self._actual(),
            memory=Memory(
                {row.address: row for row in self.rows},
                {source.name: SourceMemory("entryUUID", fingerprint(source))} if self.sources is None else self.sources,
                make_seal(self.key),
                {row.address: row for row in self.alias_rows},
            ),
            options=self.options,
            now=self.now,
            senders=self.senders,
        )

    def plan(self) -> Plan:
        """Return the plan."""
        return make_plan(self.view())

    def _answers(self) -> Answers:
        source = self.config.sources[0]
        entries = tuple(Entry(mailbox.dn, {}) for mailbox in self.wants) or (Entry("cn=somebody", {}),)
        users = Answer(source.name, () if self.empty else entries, self.doubts)
        groups = Answer(source.name, (Entry("cn=some group", {}),)) if source.reads_groups else None
        forwards = Answer(source.name, (Entry("cn=some forward", {}),)) if source.reads_forwards else None
        return replace(Answers(users, groups, forwards), **self.answers)

    def _desired(self) -> Desired:
        wants = tuple(self.wants)
        desired = Desired(
            {mailbox.address: mailbox for mailbox in wants},
            ids=frozenset(mailbox.id for mailbox in wants),
            addresses=frozenset(mailbox.address for mailbox in wants),
            dns=frozenset(mailbox.dn.lower() for mailbox in wants),
            present={mailbox.id: mailbox.present for mailbox in wants},
            inactive=frozenset(mailbox.id for mailbox in wants if mailbox.attributes.get("active") == 0),
        )
        return replace(desired, **self.desired)

    def _wishes(self) -> Wishes:
        wishes = tuple(self.wishes)
        owners = {role: frozenset(one.owner for one in wishes if one.role is role) for role in Role}
        owners[Role.USER] |= frozenset(mailbox.id for mailbox in self.wants)
        found: dict[str, Any] = {"aliases": {one.address: one for one in wishes}, "owners": owners}
        return Wishes(**{**found, **self.wished})

    def _actual(self) -> Actual:
        has, aliases = tuple(self.has), {one.address: one for one in self.aliases}
        homes = [self.alias_domains.get(address.domain, address.domain) for address in aliases]
        domains = self.domains or (make_domain(has, **{"aliases": homes.count(DOMAIN), **self.limits}),)
        names = {domain.name: domain for domain in domains}
        actual = Actual(
            names,
            {mailbox.address: mailbox for mailbox in has},
            aliases,
            self.alias_domains,
            hosted=frozenset(names) | frozenset(self.alias_domains),
        )
        return replace(actual, **self.actual)


def make_plan(view: View) -> Plan:
    """Return the plan of a view that is as mailcow and the state file are before any rename."""
    return planning.make_plan(renamed(view))


CUT_SHORT = Finding(Code.ANSWER_CUT_SHORT, "default", "the server stopped after 500 entries")
CANARY = Finding(Code.CANARY_MISSING, "uid=canary,dc=example,dc=org", "the canary is missing")
DOUBTED = Answer("default", (Entry("cn=one of them", {}),), (CUT_SHORT,))
"""An answer that isn't whole."""
NONE_FOUND = Answer("default", ())


def quiet(addresses: Iterable[Address], **more: object) -> Scene:
    """Return a scene in which everybody is in the directory, in mailcow and in the state file, and all agree."""
    addresses = tuple(addresses)
    fields: dict[str, Any] = {
        "wants": [wanted(address) for address in addresses],
        "has": [existing(address) for address in addresses],
        "rows": [row(address) for address in addresses],
    }
    return Scene(**{**fields, **more})


def settled(addresses: Iterable[Address], wishes: Iterable[Alias] = (), **more: object) -> Scene:
    """Return a quiet scene with aliases, about which all agree too."""
    wishes = tuple(wishes)
    fields: dict[str, Any] = {
        "wishes": wishes,
        "aliases": [alias(one.address, *one.goto) for one in wishes],
        "alias_rows": [alias_row(one) for one in wishes],
        "config": alias_config(),
    }
    return quiet(addresses, **{**fields, **more})


def codes(plan: Plan) -> list[Code]:
    """Return the codes of a plan's findings, in order."""
    return [finding.code for finding in plan.findings]


def kinds(changes: Iterable[Change]) -> list[tuple[Kind, Address]]:
    """Return what happens to whom, in order."""
    return [(change.kind, change.address) for change in changes]


def of_mailboxes(changes: Iterable[Change]) -> list[MailboxChange]:
    """Return the changes of mailboxes, in order."""
    return [change for change in changes if isinstance(change, MailboxChange)]


def of_aliases(changes: Iterable[Change]) -> list[AliasChange]:
    """Return the changes of aliases, in order."""
    return [change for change in changes if isinstance(change, AliasChange)]


def only(changes: Iterable[Change]) -> MailboxChange:
    """Return the only change there is, of a mailbox."""
    (change,) = changes
    assert isinstance(change, MailboxChange)
    return change


def only_alias(changes: Iterable[Change]) -> AliasChange:
    """Return the only change there is, of an alias."""
    (change,) = changes
    assert isinstance(change, AliasChange)
    return change


def patch_of(change: Change) -> Patch:
    """Return what a change is remembered by."""
    assert change.remember is not None
    return change.remember


def remembered(plan: Plan, address: Address, subject: Subject = Subject.MAILBOX) -> dict[str, object]:
    """Return all that a plan remembers of an address, if everything it does succeeds."""
    found: list[Note | Change] = [*plan.notes, *plan.changes]
    patches = [one.remember for one in found if (one.address, one.subject) == (address, subject) and one.remember]
    return {key: value for patch in patches for key, value in patch.items()}
