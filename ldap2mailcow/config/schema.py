"""The schema: every key that is built, its type and its default. What isn't built yet stands in `unbuilt`.

What one value alone can't tell (a password without a DN, the example's hosts) is in `checks`, which looks at the whole
before the schema does, so that all mistakes are told at once.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from ldap2mailcow.model import ID_CANDIDATES, Address, attribute_names

from . import values
from .urls import read_ldap_uri, read_mailcow_url


def _ldap_uri(value: object) -> str:
    return read_ldap_uri(values.read_text(value))


def _mailcow_host(value: object) -> str:
    text = values.read_text(value)
    if text:  # an empty one is told as a required key that is empty
        read_mailcow_url(text)
    return text


def _blocks(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Word = Annotated[str, BeforeValidator(values.read_word)]
Mark = Annotated[str, BeforeValidator(values.read_mark)]
Flag = Annotated[bool, BeforeValidator(values.read_flag)]
Secret = Annotated[SecretStr, BeforeValidator(values.read_secret)]
ApiKey = Annotated[SecretStr, BeforeValidator(values.read_api_key)]
Dn = Annotated[str, BeforeValidator(values.read_dn)]
BindName = Annotated[str, BeforeValidator(values.read_bind_name)]
NeededDn = Annotated[str, BeforeValidator(values.read_needed_dn)]
Filter = Annotated[str, BeforeValidator(values.read_filter)]
MemberFilter = Annotated[str, BeforeValidator(values.read_member_filter)]
DnOrFilter = Annotated[str, BeforeValidator(values.read_dn_or_filter)]
Name = Annotated[str, BeforeValidator(values.read_attribute)]
NeededName = Annotated[str, BeforeValidator(values.read_needed_attribute)]
LdapUri = Annotated[str, BeforeValidator(_ldap_uri)]
MailcowHost = Annotated[str, BeforeValidator(_mailcow_host)]
MailDomain = Annotated[str, BeforeValidator(values.read_domain)]
MailAddress = Annotated[Address, BeforeValidator(values.read_address)]
Reserved = Annotated[str, BeforeValidator(values.read_reserved)]
Accepted = Annotated[str, BeforeValidator(values.read_accept)]
Proxy = Annotated[str, BeforeValidator(values.read_proxy)]
FilePath = Annotated[Path, BeforeValidator(values.read_path)]
ReadablePath = Annotated[Path, BeforeValidator(values.read_readable)]
Verify = Annotated[bool | Path, BeforeValidator(values.read_verify)]
Duration = Annotated[timedelta, BeforeValidator(values.read_duration)]
Seconds = Annotated[int, BeforeValidator(values.whole_number(1, 600))]
LongSeconds = Annotated[int, BeforeValidator(values.whole_number(1, 3600))]
Connections = Annotated[int, BeforeValidator(values.whole_number(1, 16))]
Adoptions = Annotated[int, BeforeValidator(values.whole_number(0, 1_000_000))]
Mebibytes = Annotated[int, BeforeValidator(values.whole_number(1, 4096))]
Count = Annotated[int, BeforeValidator(values.whole_number(1, 1_000_000))]
PageSize = Annotated[int, BeforeValidator(values.whole_number(1, 2**31 - 1))]  # RFC 2696: INTEGER (0..maxInt)
AsList = BeforeValidator(values.read_list)


class _Block(BaseModel):
    """Settings that can't change; a key that isn't known or a value of another type is refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )


class Limit(_Block):
    """How much one run may take away: "5, 10%" is the larger of the two."""

    count: int = 0
    percent: int = 0

    def allows(self, total: int) -> int:
        """Return how many of `total` may go: never more than half of them, and at least one."""
        return max(1, min(max(self.count, total * self.percent // 100), total // 2))


_AnyLimit = Annotated[Limit, BeforeValidator(values.read_limit)]


class UserMapping(_Block):
    """Which attribute of an entry is what of a mailbox; an empty name: not managed."""

    id: NeededName = "auto"
    """An attribute that stays with a person for good, `auto` to find one, or `dn`."""
    mail: NeededName = "mail"
    firstname: Name = "givenName"
    lastname: Name = "sn"
    name: Name = ""
    """The display name whole; where it is empty or missing, first and last name make it."""
    password: Name = "userPassword"  # noqa: S105 - the name of an attribute
    quota: Name = ""
    quota_unit: Literal["B", "KiB", "MiB", "GiB", "TiB"] = "MiB"
    """What a quota without a suffix counts in."""
    active: Name = ""
    tls_enforce_in: Name = ""
    tls_enforce_out: Name = ""
    aliases: Annotated[tuple[NeededName, ...], AsList] = ()
    """Attributes with further addresses of a user; `proxyAddresses` is understood."""
    group_addresses: Name = ""
    """An attribute that names the lists a user is on, by address or by DN."""
    forward_to: Name = ""
    """Where mail goes of a user who has no mailbox."""
    send_as: Name = ""
    """Whom a user may send as besides: addresses, `@domain`, DNs of users or groups."""
    authsource: Literal["mailcow", "ldap"] = "mailcow"


class GroupMapping(_Block):
    """Which attribute of a group is what of a list; an empty name: not managed."""

    mail: NeededName = "mail"
    member: Annotated[tuple[NeededName, ...], BeforeValidator(values.read_one_or_more)] = ("member",)
    """Members by DN, name, address, or LDAP URL: told apart by how a value reads."""
    aliases: Annotated[tuple[NeededName, ...], AsList] = ()
    """Attributes with further addresses of the list."""
    send_as: Name = ""
    """Whom its members may send as besides."""
    internal: Name = ""
    sender_allowed: Name = ""
    sogo_visible: Name = ""
    catch_all: Name = ""
    """TRUE: what comes to unknown addresses of its domain goes to the list too."""
    comment: Name = ""


class AliasMapping(_Block):
    """Which attribute of an entry that only forwards is what."""

    mail: NeededName = "mail"
    goto: NeededName = "mailForwardingAddress"


class Source(_Block):
    """One directory: how it is reached and what is read from it."""

    name: Word = "default"
    enabled: Flag = True
    uri: Annotated[tuple[LdapUri, ...], BeforeValidator(values.read_one_or_more)]
    """In the order in which they are tried."""
    start_tls: Flag = False
    ca_file: ReadablePath | None = None
    allow_self_signed: Flag = False
    require_tls: Flag = False
    timeout: Seconds = 10
    """The longest silence, in seconds."""
    deadline: LongSeconds = 600
    """How long all that is read of the directory may take, in seconds."""
    max_entries: Count = 200_000
    """Of all searches together; the limits for bytes and for pages follow from it."""
    page_size: PageSize = 1000
    bind_dn: BindName = ""
    """A DN or, for Active Directory, `name@domain` or `DOMAIN\\name`."""
    bind_pw: Secret = SecretStr("")
    bind_pw_file: FilePath | None = None
    """Where `bind_pw` was read from."""
    domains: Annotated[tuple[MailDomain, ...], AsList] = ()
    """Empty: those that mailcow hosts."""
    canary_dns: Annotated[tuple[NeededDn, ...], AsList] = ()
    user_search_base: Dn
    user_search_filter: Filter = ""
    user_mapping: UserMapping = UserMapping()
    group_search_base: Dn = ""
    """Empty: that of the users."""
    group_search_filter: Filter = ""
    group_member_filter: MemberFilter = ""
    """How members outside the users' and groups' filters are found; `{MEMBER_CN}` stands for what the group holds."""
    group_mapping: GroupMapping = GroupMapping()
    alias_search_base: Dn = ""
    """Empty: that of the users."""
    alias_search_filter: Filter = ""
    alias_mapping: AliasMapping = AliasMapping()
    send_as_any: DnOrFilter = ""
    """The DN of a group, or a filter: those whose users may send as anyone."""

    @property
    def search_filter(self) -> str:
        """The filter to search with: whoever has an address, where the config has none."""
        return self.user_search_filter or f"({self.user_mapping.mail}=*)"

    @property
    def reads_groups(self) -> bool:
        """Whether groups are made into lists."""
        return bool(self.group_search_base or self.group_search_filter)

    @property
    def group_base(self) -> str:
        """Where groups are searched for."""
        return self.group_search_base or self.user_search_base

    @property
    def group_filter(self) -> str:
        """The filter to search groups with: what has an address and members, where the config has none."""
        # in pages slapd's dynlist answers (member=*) without the groups whose members it makes up
        members = "".join(f"({name}=*)" for name in self.group_mapping.member) + "(objectClass=groupOfURLs)"
        return self.group_search_filter or f"(&({self.group_mapping.mail}=*)(|{members}))"

    @property
    def reads_forwards(self) -> bool:
        """Whether there are entries that only forward."""
        return bool(self.alias_search_base or self.alias_search_filter)

    @property
    def alias_base(self) -> str:
        """Where entries that only forward are searched for."""
        return self.alias_search_base or self.user_search_base

    @property
    def alias_filter(self) -> str:
        """The filter to search entries with that only forward: what has both attributes, where the config has none."""
        return self.alias_search_filter or f"(&({self.alias_mapping.mail}=*)({self.alias_mapping.goto}=*))"

    @property
    def manages_aliases(self) -> bool:
        """Whether anything in the directory makes an alias."""
        mapping = self.user_mapping
        mapped = mapping.aliases or mapping.group_addresses or mapping.forward_to
        return bool(mapped) or self.reads_groups or self.reads_forwards

    @property
    def manages_senders(self) -> bool:
        """Whether the directory says who may send as whom, beyond what aliases allow by themselves."""
        return bool(self.user_mapping.send_as or self.group_mapping.send_as or self.send_as_any)


class Timeouts(_Block):
    """How long mailcow may take, in seconds."""

    connect: Seconds = 10
    read: LongSeconds = 30
    """For the answer to a question, and for each part of it."""
    whole: LongSeconds = 300
    """For a question with all of its answer."""
    write: LongSeconds = 900
    """For the answer to a change: mailcow may rebuild its whole address book before it answers."""


class Removal(_Block):
    """What happens to the mailbox of somebody who is gone from the directory, and after how much patience."""

    action: Literal["keep", "disable", "disallow_login", "delete"] = "disable"
    missing_runs: Count = 2
    """Whole answers in a row without the entry."""
    missing_for: Duration = timedelta(minutes=30)
    delete_after: Duration = timedelta(days=30)
    """How long a mailbox has been inactive for that, before it is deleted."""


class Limits(_Block):
    """How much one run may take away before somebody is asked."""

    removals: _AnyLimit = Limit(count=5, percent=10)
    """Mailboxes, and aliases, each by themselves."""
    renames: _AnyLimit = Limit(count=5)
    """Mailboxes that get another address."""
    adoptions: Adoptions = 0
    """Mailboxes made by hand that are taken over after the first accepted run."""
    list_shrink: _AnyLimit = Limit(percent=50)
    """Members of one list."""
    list_members: Count = 1000
    """postfix's virtual_alias_expansion_limit: a larger list isn't delivered at all."""
    entry_aliases: Count = 50
    """Addresses of one entry besides that of its mailbox or list. mailcow gives a new domain 400 places for aliases, so
    that one entry can't take more than an eighth of them; people have a dozen."""


class ForeignGoto(_Block):
    """Who may have mail go to addresses that mailcow doesn't host."""

    users: Literal["refuse", "allow"] = "refuse"
    """What users' own attributes say."""
    groups: Literal["refuse", "allow"] = "allow"
    """What groups and entries that only forward say."""


class Visible(_Block):
    """What is shown in SOGo's shared address book; every visible alias makes mailcow slower."""

    users: Flag = True
    """Further addresses of users."""
    lists: Flag = False


class Config(_Block):
    """All settings. Paths are absolute, addresses and domains in the form in which they are compared."""

    ldap: Annotated[tuple[Source, ...], BeforeValidator(_blocks)]
    mailcow_host: MailcowHost
    mailcow_api_key: ApiKey
    mailcow_api_key_file: FilePath | None = None
    """Where `mailcow_api_key` was read from."""
    mailcow_verify: Verify = True
    """Whether to trust the system's authorities, nobody at all (False: no check), or only those in a file."""
    mailcow_connections: Connections = 2
    mailcow_timeout: Timeouts = Timeouts()
    mailcow_max_answer: Mebibytes = 128
    """How large one answer of mailcow's may be, unpacked, in MiB."""
    proxy: Proxy | None = Field(default=None, repr=False)  # may hold a password
    update_only_on_change_by_ldap: Flag = False
    password_drift: Literal["overwrite", "report"] = "overwrite"  # noqa: S105 - a setting
    missing_password: Literal["skip", "random"] = "skip"  # noqa: S105 - a setting
    clear_text_passwords: Literal["refuse", "allow"] = "refuse"
    create_mailboxes: Flag = True
    """False: mailboxes come from elsewhere, and only aliases are made."""
    adopt_mailboxes: Literal["overwrite", "keep_password", "refuse"] = "overwrite"
    adopt_aliases: Literal["same_goto", "overwrite", "refuse"] = "same_goto"
    mark: Mark = "ldap-sync"
    renames: Literal["rename", "hold"] = "rename"
    removed_users: Removal = Removal()
    removed_aliases: Literal["delete", "disable", "keep"] = "delete"
    external_goto: ForeignGoto = ForeignGoto()
    sogo_visible: Visible = Visible()
    limits: Limits = Limits()
    protected: Annotated[tuple[MailAddress, ...], AsList] = ()
    allow_reserved: Annotated[tuple[Reserved, ...], AsList] = ()
    """Names before the @, whole addresses, and `@domain` for every name in a domain: any entry may have them."""
    allow_reserved_groups: Annotated[tuple[Reserved, ...], AsList] = ()
    """Likewise what groups, and entries that only forward, may have."""
    accept: Annotated[tuple[Accepted, ...], AsList] = ()
    """Findings not to mention: `code`, or `code:where`."""
    state_file: FilePath = Field(default=Path("mailcow_ldap_sync.sqlite3"), validate_default=True)
    log_file: FilePath | None = None
    history_days: Count = 365

    @property
    def sources(self) -> tuple[Source, ...]:
        """The directories that are enabled."""
        return tuple(source for source in self.ldap if source.enabled)

    @property
    def decides_status(self) -> bool:
        """Whether mailboxes are disabled from here; where they come from elsewhere, only if `removed_users` says so."""
        is_asked_for = "action" in self.removed_users.model_fields_set and self.removed_users.action != "keep"
        return self.create_mailboxes or is_asked_for

    @property
    def mailcow_url(self) -> str:
        """Where mailcow is, without a slash at the end: `https://mail.example.com`."""
        return read_mailcow_url(self.mailcow_host)


MEMBER_NAMES = ("uid", "sAMAccountName")
"""Attributes by which a group may name a member (`memberUid`: RFC 2307 section 3). Not `cn`: people can often change
their own, and would put themselves on lists."""


def group_attributes(source: Source) -> tuple[str, ...]:
    """Return the names of the attributes to ask for of groups and of members that are no users."""
    mapping = source.group_mapping
    return attribute_names(
        *_id_attributes(source),
        mapping.mail,
        *mapping.member,
        *mapping.aliases,
        mapping.send_as,
        mapping.internal,
        mapping.sender_allowed,
        mapping.sogo_visible,
        mapping.catch_all,
        mapping.comment,
        *MEMBER_NAMES,
    )


def forward_attributes(source: Source) -> tuple[str, ...]:
    """Return the names of the attributes to ask for of entries that only forward."""
    return attribute_names(*_id_attributes(source), source.alias_mapping.mail, source.alias_mapping.goto)


def user_attributes(source: Source) -> tuple[str, ...]:
    """Return the names of the attributes to ask the directory for, each once whatever its case."""
    mapping = source.user_mapping
    return attribute_names(
        *_id_attributes(source),
        mapping.mail,
        mapping.firstname,
        mapping.lastname,
        mapping.name,
        mapping.password,
        mapping.quota,
        mapping.active,
        mapping.tls_enforce_in,
        mapping.tls_enforce_out,
        *mapping.aliases,
        mapping.group_addresses,
        mapping.forward_to,
        mapping.send_as,
        *(MEMBER_NAMES if source.reads_groups or source.send_as_any else ()),
    )


def _id_attributes(source: Source) -> tuple[str, ...]:
    name = source.user_mapping.id
    return {"auto": ID_CANDIDATES, "dn": ()}.get(name.lower(), (name,))
