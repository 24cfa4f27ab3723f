"""What the server holds: domains, mailboxes, aliases, alias domains, templates, send-as rows, rate limits."""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from .clock import Clock
from .values import Json, JsonObject, fold, is_domain_name, order, to_ascii

MIB = 1024 * 1024
ACL_NAMES = (
    "spam_alias", "tls_policy", "spam_score", "spam_policy", "delimiter_action", "syncjobs", "eas_reset",
    "sogo_profile_reset", "pushover", "quarantine", "quarantine_attachments", "quarantine_notification",
    "quarantine_category", "app_passwds", "pw_reset",
)  # fmt: skip
_DENIED = ("syncjobs", "sogo_profile_reset")
PROTOCOLS = ("imap", "pop3", "smtp", "sieve", "eas", "dav")


@dataclass(frozen=True)
class DomainLimits:
    """A domain to start with; quotas in MiB."""

    name: str
    mailboxes: int = 1000
    aliases: int = 1000
    defquota: int = 1024
    maxquota: int = 10240
    quota: int = 1024000


@dataclass(slots=True)
class Domain:
    """A row of the domain table; quotas in MiB."""

    name: str
    description: str
    aliases: int
    mailboxes: int
    defquota: int
    maxquota: int
    quota: int
    created: str
    active: int = 1
    gal: int = 1
    backupmx: int = 0
    relay_all_recipients: int = 0
    relay_unknown_only: int = 0
    relayhost: str = "0"
    modified: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Mailbox:
    """A row of the mailbox table with what belongs to it; the quota in bytes, the password as it was stored."""

    username: str
    local_part: str
    domain: str
    name: str
    password: str
    quota: int
    active: int
    authsource: str
    attributes: dict[str, str | None]
    created: str
    modified: str | None = None
    custom_attributes: JsonObject = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    acl: dict[str, int] = field(default_factory=dict)
    bytes_used: int = 0
    messages: int = 0
    half_deleted: bool = False


@dataclass(slots=True)
class Alias:
    """A row of the alias table; each mailbox has one whose address and goto are its own."""

    id: int
    address: str
    goto: str
    domain: str
    created: str
    active: int = 1
    internal: int = 0
    sogo_visible: int = 1
    sender_allowed: int = 1
    public_comment: str | None = None
    private_comment: str | None = None
    modified: str | None = None

    @property
    def is_self_row(self) -> bool:
        """Whether it only points to itself: such rows are hidden from every alias call."""
        return fold(self.address) == fold(self.goto)


@dataclass(slots=True)
class AliasDomain:
    """A domain whose addresses are those of another one."""

    name: str
    target: str
    active: int
    created: str
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class SenderAcl:
    """The right of a mailbox to send as an address, a domain (``@example.org``) or everybody (``*``)."""

    mailbox: str
    send_as: str
    external: bool


@dataclass(slots=True)
class Template:
    """Values that a new mailbox or domain takes where the call gives none."""

    id: int
    name: str
    type: str
    attributes: JsonObject
    created: str
    modified: str | None = None


class State:
    """All rows, found by the same rules as in the database (upper and lower case are the same).

    Attributes:
        version: what the server says it is; before 2024-11 it can't rename.
        container_states: of the containers that aren't running; ``missing`` takes one off the list.
        containers_answer: whether the container API gives the list of containers.
        mail: what is in the folder of an address, by the very text of the address.
        mail_stays: whether moving it fails.
        garbage: what was in the folders of deleted mailboxes.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.hostname = "mail.example.com"
        self.version = "2026-07a"
        self.container_states: dict[str, str] = {}
        self.containers_answer = True
        self.mail: dict[str, str] = {}
        self.mail_stays = False
        self.garbage: list[str] = []
        self.domains: dict[str, Domain] = {}
        self.mailboxes: dict[str, Mailbox] = {}
        self.aliases: dict[int, Alias] = {}
        self.alias_domains: dict[str, AliasDomain] = {}
        self.sender_acl: list[SenderAcl] = []
        self.rate_limits: dict[str, str] = {}
        self.delimiter_actions: dict[str, str] = {}
        self.dkim_selectors: dict[str, str] = {}
        self.identity_provider: JsonObject = {}
        self.password_policy = {"length": "6", "chars": "0", "special_chars": "0", "lowerupper": "0", "numbers": "0"}
        self.templates: dict[int, Template] = {}
        self.next_alias_id = 1
        self.next_template_id = 3
        self._mailboxes_in: dict[str, dict[str, Mailbox]] = {}
        self._alias_ids: dict[str, int] = {}
        self._alias_addresses_in: dict[str, set[str]] = {}
        for template in default_templates(clock.now()):
            self.templates[template.id] = template

    # domains

    def add_domain(self, limits: DomainLimits) -> Domain:
        """A hosted domain, without a call."""
        domain = Domain(
            name=to_ascii(limits.name), description=limits.name, aliases=limits.aliases, mailboxes=limits.mailboxes,
            defquota=limits.defquota, maxquota=limits.maxquota, quota=limits.quota, created=self.clock.now(),
        )  # fmt: skip
        self.domains[domain.name] = domain
        return domain

    def hosts(self, domain: str) -> bool:
        """Whether the name is that of a domain or an alias domain here."""
        name = fold(domain)
        return is_domain_name(domain) and (name in self.domains or name in self.alias_domains)

    def alias_domains_of(self, target: str) -> list[str]:
        """The alias domains that point to a domain."""
        return [name for name, row in self.alias_domains.items() if row.target == target]

    # mailboxes

    def mailbox(self, username: str) -> Mailbox | None:
        """The mailbox with this address."""
        return self.mailboxes.get(fold(username))

    def accessible_mailbox(self, username: str) -> Mailbox | None:
        """The mailbox with this address if its domain is hosted."""
        row = self.mailbox(username)
        return row if row is not None and self.hosts(row.domain) else None

    def mailboxes_in(self, domain: str) -> dict[str, Mailbox]:
        """The mailboxes of one domain, by address."""
        return self._mailboxes_in.get(fold(domain), {})

    def quota_used_in(self, domain: str) -> int:
        """The sum of the quotas given away in a domain, in bytes."""
        return sum(row.quota for row in self.mailboxes_in(domain).values())

    def insert_mailbox(self, row: Mailbox) -> None:
        """Store a new mailbox."""
        self.mailboxes[fold(row.username)] = row
        self._mailboxes_in.setdefault(fold(row.domain), {})[fold(row.username)] = row

    def remove_mailbox(self, username: str) -> None:
        """Drop the row of a mailbox; what else belongs to it is the caller's business."""
        row = self.mailboxes.pop(fold(username))
        del self._mailboxes_in[fold(row.domain)][fold(username)]

    # aliases

    def alias_at(self, address: str) -> Alias | None:
        """The alias row at an address, self rows included."""
        found = self._alias_ids.get(fold(address))
        return None if found is None else self.aliases[found]

    def insert_alias(self, row: Alias) -> None:
        """Store a new alias row."""
        self.aliases[row.id] = row
        self.next_alias_id = max(self.next_alias_id, row.id + 1)
        self._alias_ids[fold(row.address)] = row.id
        self._alias_addresses_in.setdefault(fold(row.domain), set()).add(fold(row.address))

    def remove_alias(self, row: Alias) -> None:
        """Drop an alias row."""
        del self.aliases[row.id]
        del self._alias_ids[fold(row.address)]
        self._alias_addresses_in[fold(row.domain)].discard(fold(row.address))

    def move_alias(self, row: Alias, address: str, domain: str) -> None:
        """Give an alias row another address."""
        del self._alias_ids[fold(row.address)]
        self._alias_addresses_in[fold(row.domain)].discard(fold(row.address))
        row.address, row.domain = address, domain
        self._alias_ids[fold(address)] = row.id
        self._alias_addresses_in.setdefault(fold(domain), set()).add(fold(address))

    def take_alias_id(self) -> int:
        """The next number for an alias row; numbers are never used twice."""
        number = self.next_alias_id
        self.next_alias_id += 1
        return number

    def count_aliases(self, domain: str, *, with_alias_domains: bool = True) -> int:
        """How many aliases count against a domain's limit: those at a mailbox's own address do not."""
        names = [domain, *(self.alias_domains_of(domain) if with_alias_domains else [])]
        return sum(len(self._alias_addresses_in.get(fold(name), set()) - self.mailboxes.keys()) for name in names)

    def drop_rows_where(self, *, mailbox: str | None = None, send_as: str | None = None) -> None:
        """Delete send-as rows of a mailbox, or for an address."""
        self.sender_acl = [
            row
            for row in self.sender_acl
            if not (mailbox is not None and fold(row.mailbox) == fold(mailbox))
            and not (send_as is not None and fold(row.send_as) == fold(send_as))
        ]

    # the whole

    def touch(self, row: Domain | Mailbox | Alias | AliasDomain, change: Callable[[], None]) -> None:
        """Change a row; ``modified`` moves only if a value of it did."""
        before = _values(row)
        change()
        if _values(row) != before:
            row.modified = self.clock.now()

    def snapshot(self, *, secrets: bool = True) -> JsonObject:
        """Everything as plain data that can be compared and saved; without ``secrets`` passwords are ``*``."""
        mailboxes = {name: asdict(row) for name, row in sorted(self.mailboxes.items())}
        if not secrets:
            for row in mailboxes.values():
                row["password"] = "*" if row["password"] else ""
        provider = dict(self.identity_provider)
        if not secrets and provider.get("bindpass"):
            provider["bindpass"] = "*"
        plain = {
            "domains": {name: asdict(row) for name, row in sorted(self.domains.items())},
            "mailboxes": mailboxes,
            "aliases": {str(number): asdict(row) for number, row in sorted(self.aliases.items())},
            "alias_domains": {name: asdict(row) for name, row in sorted(self.alias_domains.items())},
            "sender_acl": [asdict(row) for row in self.sender_acl],
            "rate_limits": dict(sorted(self.rate_limits.items())),
            "delimiter_actions": dict(sorted(self.delimiter_actions.items())),
            "dkim_selectors": dict(sorted(self.dkim_selectors.items())),
            "identity_provider": provider,
            "password_policy": self.password_policy,
            "templates": {str(number): asdict(row) for number, row in sorted(self.templates.items())},
            "mail": dict(sorted(self.mail.items())),
            "garbage": list(self.garbage),
            "next_alias_id": self.next_alias_id,
            "next_template_id": self.next_template_id,
        }
        return cast("JsonObject", copy.deepcopy(plain))

    @classmethod
    def from_snapshot(cls, clock: Clock, saved: JsonObject) -> "State":
        """What ``snapshot`` gave, as a state again."""
        state = cls(clock)
        rows = cast("dict[str, dict[str, dict[str, Any]]]", saved)
        state.domains = {name: Domain(**row) for name, row in rows["domains"].items()}
        for mailbox in rows["mailboxes"].values():
            state.insert_mailbox(Mailbox(**mailbox))
        for alias in rows["aliases"].values():
            state.insert_alias(Alias(**alias))
        state.alias_domains = {name: AliasDomain(**row) for name, row in rows["alias_domains"].items()}
        state.sender_acl = [SenderAcl(**row) for row in cast("list[dict[str, Any]]", saved["sender_acl"])]
        state.rate_limits = cast("dict[str, str]", saved["rate_limits"])
        state.delimiter_actions = cast("dict[str, str]", saved["delimiter_actions"])
        state.dkim_selectors = cast("dict[str, str]", saved["dkim_selectors"])
        state.identity_provider = cast("JsonObject", saved["identity_provider"])
        state.password_policy = cast("dict[str, str]", saved["password_policy"])
        state.templates = {int(number): Template(**row) for number, row in rows["templates"].items()}
        state.mail = cast("dict[str, str]", saved["mail"])
        state.garbage = cast("list[str]", saved["garbage"])
        state.next_alias_id = cast("int", saved["next_alias_id"])
        state.next_template_id = cast("int", saved["next_template_id"])
        return state


def by_name(rows: dict[str, Mailbox]) -> list[Mailbox]:
    """Mailboxes in the order in which the database gives them."""
    return sorted(rows.values(), key=lambda row: order(row.username))


def default_templates(created: str) -> list[Template]:
    """The two rows that a new server has."""
    domain: JsonObject = {
        "tags": [], "max_num_aliases_for_domain": 400, "max_num_mboxes_for_domain": 10,
        "def_quota_for_mbox": 3072 * MIB, "max_quota_for_mbox": 10240 * MIB, "max_quota_for_domain": 10240 * MIB,
        "rl_frame": "s", "rl_value": "", "active": 1, "gal": 1, "backupmx": 0, "relay_all_recipients": 0,
        "relay_unknown_only": 0, "dkim_selector": "dkim", "key_size": 2048,
    }  # fmt: skip
    mailbox: JsonObject = {
        "tags": [], "quota": 0, "quarantine_notification": "hourly", "quarantine_category": "reject",
        "rl_frame": "s", "rl_value": "", "force_pw_update": 0, "force_tfa": 0, "sogo_access": 1, "active": 1,
        "tls_enforce_in": 0, "tls_enforce_out": 0,
        **{f"{name}_access": 1 for name in PROTOCOLS},
        **{f"acl_{name}": int(name not in _DENIED) for name in ACL_NAMES if name != "pw_reset"},
    }  # fmt: skip
    return [
        Template(id=1, name="Default", type="domain", attributes=domain, created=created),
        Template(id=2, name="Default", type="mailbox", attributes=mailbox, created=created),
    ]


def _values(row: Domain | Mailbox | Alias | AliasDomain) -> dict[str, Json]:
    values = asdict(row)
    values.pop("modified")
    values.pop("tags", None)
    return values
