"""The schema: every key that is built, its type and its default. What isn't built yet stands in `unbuilt`.

What one value alone can't tell (a password without a DN, the example's hosts) is in `checks`, which looks at the whole
before the schema does, so that all mistakes are told at once.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from ldap2mailcow.model import ID_CANDIDATES, Address

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


Text = Annotated[str, BeforeValidator(values.read_text)]
Word = Annotated[str, BeforeValidator(values.read_word)]
Flag = Annotated[bool, BeforeValidator(values.read_flag)]
Secret = Annotated[SecretStr, BeforeValidator(values.read_secret)]
ApiKey = Annotated[SecretStr, BeforeValidator(values.read_api_key)]
Dn = Annotated[str, BeforeValidator(values.read_dn)]
BindName = Annotated[str, BeforeValidator(values.read_bind_name)]
NeededDn = Annotated[str, BeforeValidator(values.read_needed_dn)]
Filter = Annotated[str, BeforeValidator(values.read_filter)]
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
    authsource: Literal["mailcow", "ldap"] = "mailcow"


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

    @property
    def search_filter(self) -> str:
        """The filter to search with: whoever has an address, where the config has none."""
        return self.user_search_filter or f"({self.user_mapping.mail}=*)"


class Timeouts(_Block):
    """How long mailcow may take, in seconds."""

    connect: Seconds = 10
    read: LongSeconds = 30
    """For the answer to a question."""
    write: LongSeconds = 900
    """For the answer to a change: mailcow may rebuild its whole address book before it answers."""


class Removal(_Block):
    """What happens to the mailbox of somebody who is gone from the directory, and after how much patience."""

    action: Literal["keep", "disable"] = "disable"
    missing_runs: Count = 2
    """Whole answers in a row without the entry."""
    missing_for: Duration = timedelta(minutes=30)


class Limits(_Block):
    """How much one run may take away before somebody is asked."""

    removals: _AnyLimit = Limit(count=5, percent=10)


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
    proxy: Proxy | None = Field(default=None, repr=False)  # may hold a password
    update_only_on_change_by_ldap: Flag = False
    password_drift: Literal["overwrite", "report"] = "overwrite"  # noqa: S105 - a setting
    missing_password: Literal["skip", "random"] = "skip"  # noqa: S105 - a setting
    clear_text_passwords: Literal["refuse", "allow"] = "refuse"
    adopt_mailboxes: Literal["overwrite", "keep_password", "refuse"] = "overwrite"
    mark: Word = "ldap-sync"
    removed_users: Removal = Removal()
    limits: Limits = Limits()
    protected: Annotated[tuple[MailAddress, ...], AsList] = ()
    allow_reserved: Annotated[tuple[Reserved, ...], AsList] = ()
    """Names before the @, whole addresses, and `@domain` for every name in a domain."""
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
    def mailcow_url(self) -> str:
        """Where mailcow is, without a slash at the end: `https://mail.example.com`."""
        return read_mailcow_url(self.mailcow_host)


def user_attributes(source: Source) -> tuple[str, ...]:
    """Return the names of the attributes to ask the directory for, each once whatever its case."""
    mapping = source.user_mapping
    names: dict[str, str] = {}
    for name in (
        *{"auto": ID_CANDIDATES, "dn": ()}.get(mapping.id.lower(), (mapping.id,)),
        mapping.mail,
        mapping.firstname,
        mapping.lastname,
        mapping.name,
        mapping.password,
        mapping.quota,
        mapping.active,
        mapping.tls_enforce_in,
        mapping.tls_enforce_out,
    ):
        if name:
            names.setdefault(name.lower(), name)
    return tuple(names.values())
