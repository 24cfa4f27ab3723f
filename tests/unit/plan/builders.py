"""Cases with sensible defaults."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from pydantic import SecretStr

from ldap2mailcow.config import Config, Source
from ldap2mailcow.desired import Asked, EntryId, Forward, Group, Meant, User
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
from ldap2mailcow.plan import Begun, Case, Directory, Options, Plan, fingerprint, make_plan

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


def wanted(  # noqa: PLR0913 - each is a field of its own
    address: Address,
    *,
    id: str | None = None,  # noqa: A002 - the field's own name
    dn: str | None = None,
    source: str = "default",
    password: str | None = PASSWORD,
    present: Iterable[str] | None = None,
    addresses: Iterable[Address] | None = None,
    aliases: Iterable[Address] = (),
    senders: Iterable[Meant] = (),
    forward: Forward | None = None,
    unreadable: Iterable[str] = (),
    **attributes: Value | None,
) -> User:
    """Return a user who asks for a mailbox; an attribute that is None isn't managed."""
    managed = {"name": name_of(address), **attributes}
    there = {*NAMED, *(["password"] if password else []), *attributes.keys() - {"name", "authsource"}}
    return User(
        id=EntryId(source, id or id_of(address)),
        dn=dn or dn_of(address),
        addresses=(address,) if addresses is None else tuple(addresses),
        attributes={key: value for key, value in managed.items() if value is not None},
        unreadable=frozenset(unreadable),
        password=SecretStr(password) if password else None,
        present=frozenset(there if present is None else present),
        aliases=frozenset(aliases),
        flags={SOGO_VISIBLE: 0},
        forward=forward,
        senders=frozenset(senders),
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


@dataclass(frozen=True)
class Wish:
    """An alias that an entry asks for: a further address of the first user it goes to, a list, or a forwarding."""

    address: Address
    goto: tuple[Address, ...]
    role: Role = Role.USER
    owner: str = ""
    dn: str | None = None
    """None: that of the entry; empty for a list that only its members name."""
    source: str = "default"
    flags: Mapping[str, int] = field(default_factory=lambda: {SOGO_VISIBLE: 0})
    comment: str | None = None
    is_clear: bool = True
    known: bool = True
    """Whether all its members could be looked up."""

    def owned(self) -> Wish:
        """Return it with the id and the DN that follow from its role, where none are given."""
        of = self.goto[0] if self.role is Role.USER else self.address
        return replace(self, owner=self.owner or id_of(of), dn=dn_of(of) if self.dn is None else self.dn)


def wish(address: Address, *goto: Address, role: Role = Role.USER, **more: Any) -> Wish:  # noqa: ANN401
    """Return an alias that is asked for: another address of the first user it goes to, by default."""
    return Wish(address, tuple(sorted(goto)) if role is not Role.USER else goto, role, **more).owned()


def listing(address: Address, *members: Address, **more: object) -> Wish:
    """Return a list that is asked for."""
    return wish(address, *members, role=Role.LIST, **more)


def forward(address: Address, *goto: Address, **more: object) -> Wish:
    """Return an entry that only forwards."""
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


def alias_row(of: Wish, **columns: object) -> RememberedAlias:
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
    """What a case is made of; every entry that asks for something is in a whole answer."""

    wants: Iterable[User] = ()
    has: Iterable[Existing] = ()
    rows: Iterable[Remembered] = ()
    config: Config = field(default_factory=make_config)
    options: Options = field(default_factory=Options)
    now: datetime = NOW
    sources: Mapping[str, SourceMemory] | None = None
    """None: each search is the accepted one, the id attribute is fixed, and a whole answer came five minutes ago."""
    limits: Mapping[str, int] = field(default_factory=dict)
    domains: tuple[Domain, ...] | None = None
    doubts: tuple[Finding, ...] = ()
    key: str = "key1"
    asked: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Asked that aren't as they follow from what entries ask for."""
    actual: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Actual that aren't as they follow from what mailcow has."""
    id_attribute: str = "entryUUID"
    empty: bool = False
    """Whether the search found nobody at all."""
    wishes: Iterable[Wish] = ()
    groups: Iterable[Group] = ()
    forwards: Iterable[Forward] = ()
    aliases: Iterable[ExistingAlias] = ()
    alias_rows: Iterable[RememberedAlias] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    """Of groups and forwards, where they aren't whole and with somebody in them."""
    senders: Mapping[Address, frozenset[str] | None] = field(default_factory=dict)
    alias_domains: Mapping[str, str] = field(default_factory=dict)
    bystanders: Mapping[EntryId, datetime] = field(default_factory=dict)
    begun: Begun = field(default_factory=Begun)
    can_rename: bool = True
    silent: frozenset[str] = frozenset()
    """The names of directories that can't be read."""
    every_alias: Mapping[Address, ExistingAlias] = field(default_factory=dict)

    def case(self) -> Case:
        """Return the case."""
        sources = [source for source in self.config.sources if source.name not in self.silent]
        return Case(
            self.config,
            tuple(self._directory(source) for source in sources),
            self._actual(),
            Memory(
                {row.address: row for row in self.rows},
                {one.name: remembered_source(one) for one in self.config.sources}
                if self.sources is None
                else self.sources,
                make_seal(self.key),
                {row.address: row for row in self.alias_rows},
                bystanders=self.bystanders,
            ),
            self.now,
            self.options,
            senders=self.senders,
            every_alias=self.every_alias,
            can_rename=self.can_rename,
            begun=self.begun,
        )

    def plan(self) -> Plan:
        """Return the plan."""
        return make_plan(self.case())

    def _directory(self, source: Source) -> Directory:
        asked = self._asked(source.name)
        entries = tuple(Entry(user.dn, {}) for user in asked.users) or (Entry("cn=somebody", {}),)
        users = Answer(() if self.empty else entries, self.doubts)
        groups = Answer((Entry("cn=some group", {}),)) if source.reads_groups else None
        forwards = Answer((Entry("cn=some forward", {}),)) if source.reads_forwards else None
        answers = replace(Answers(users, groups, forwards), **self.answers)
        return Directory(source, source.search_filter, answers, self.id_attribute, asked)

    def _asked(self, name: str) -> Asked:
        wishes = [one for one in self.wishes if one.source == name]
        users = tuple(with_aliases(user, wishes) for user in self.wants if user.id.source == name)
        found: dict[str, Any] = {
            "users": users,
            "groups": (*(_group(one) for one in wishes if one.role is Role.LIST), *self.groups),
            "forwards": (*(_forward(one) for one in wishes if one.role is Role.FORWARD), *self.forwards),
            "dns": frozenset(user.dn.lower() for user in users),
        }
        return Asked(**{**found, **self.asked})

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


def remembered_source(source: Source, **columns: Any) -> SourceMemory:  # noqa: ANN401
    """Return what is remembered of a directory after a quiet run five minutes ago."""
    return replace(SourceMemory("entryUUID", fingerprint(source), NOW - timedelta(minutes=5)), **columns)


def with_aliases(user: User, wishes: Iterable[Wish]) -> User:
    """Return a user with the further addresses that are its own."""
    own = [one for one in wishes if one.role is Role.USER and one.owner == user.id.id]
    if not own:
        return user
    return replace(user, aliases=user.aliases | {one.address for one in own}, flags=own[0].flags)


def _group(of: Wish) -> Group:
    return Group(
        EntryId(of.source, of.owner),
        of.dn or "",
        (of.address,),
        members=frozenset(of.goto),
        members_known=of.known,
        flags=of.flags,
        comment=of.comment,
        is_clear=of.is_clear,
    )


def _forward(of: Wish) -> Forward:
    return Forward(
        EntryId(of.source, of.owner),
        of.dn or "",
        frozenset({of.address}),
        frozenset(of.goto),
        of.flags,
        is_clear=of.is_clear,
    )


CUT_SHORT = Finding(Code.ANSWER_CUT_SHORT, "default", "the server stopped after 500 entries")
CANARY = Finding(Code.CANARY_MISSING, "uid=canary,dc=example,dc=org", "the canary is missing")
DOUBTED = Answer((Entry("cn=one of them", {}),), (CUT_SHORT,))
"""An answer that isn't whole."""
NONE_FOUND = Answer(())


def quiet(addresses: Iterable[Address], **more: object) -> Scene:
    """Return a scene in which everybody is in the directory, in mailcow and in the state file, and all agree."""
    addresses = tuple(addresses)
    fields: dict[str, Any] = {
        "wants": [wanted(address) for address in addresses],
        "has": [existing(address) for address in addresses],
        "rows": [row(address) for address in addresses],
    }
    return Scene(**{**fields, **more})


def settled(addresses: Iterable[Address], wishes: Iterable[Wish] = (), **more: object) -> Scene:
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
