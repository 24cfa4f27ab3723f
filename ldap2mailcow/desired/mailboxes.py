"""Entries to mailboxes: what the directory wants, and a finding for every entry that can't be read as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from ldap2mailcow.config import Config, Source, UserMapping
from ldap2mailcow.model import (
    ATTRIBUTES,
    AUTHSOURCE,
    NAME,
    QUOTA,
    Address,
    AddressError,
    Attribute,
    Code,
    Entry,
    Finding,
    Mailbox,
    UnusableValueError,
    Value,
    read_flag,
)

from .identity import stable_id
from .passwords import choose_password

RESERVED = frozenset(
    {
        "abuse",
        "admin",
        "administrator",
        "hostmaster",
        "mailer-daemon",
        "noreply",
        "postmaster",
        "root",
        "security",
        "ssladmin",
        "webmaster",
    },
)
"""Names by which others reach a domain's keepers or prove that they own it (RFC 2142, CA/Browser Forum 3.2.2.4.4)."""

MEASURED = ("mail", "password", *(key for row in ATTRIBUTES.values() for key in row.mapped))
"""The keys of `user_mapping` that name attributes of entries."""

MAX_NAMED = 3
"""DNs that a sentence names before it says how many more there are."""


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


@dataclass(slots=True)
class _Reader:
    """Reads entries of one source and collects what is odd about them."""

    source: Source
    config: Config
    id_attribute: str
    hosted: frozenset[str]
    holders: Mapping[str, Address]
    findings: list[Finding] = field(default_factory=list)
    addresses: set[Address] = field(default_factory=set)

    @property
    def mapping(self) -> UserMapping:
        return self.source.user_mapping

    def find(self, code: Code, entry: Entry, sentence: str) -> None:
        self.findings.append(Finding(code, entry.dn, sentence))

    def texts(self, entry: Entry, attribute: str) -> tuple[str, ...]:
        """Return the values of an attribute that are UTF-8 and not blank."""
        texts = []
        for value in entry.values(attribute) if attribute else ():
            try:
                text = value.decode("utf-8")
            except UnicodeDecodeError:
                self.find(
                    Code.NOT_UTF8,
                    entry,
                    f"a value of {attribute} is not UTF-8 and is left out; write it again in the directory",
                )
                continue
            if text.strip():
                texts.append(text)
        return tuple(texts)

    def mailbox(self, entry: Entry, entry_id: str) -> Mailbox | None:
        """Read one entry; None where it is nobody's mailbox."""
        address = self.address(entry, entry_id)
        if address is None or not self.in_scope(entry, address):
            return None
        return Mailbox(
            source=self.source.name,
            id=entry_id,
            dn=entry.dn,
            address=address,
            attributes=self.attributes(entry),
            password=self.password(entry),
            present=self.present(entry),
        )

    def held_by(self, entry: Entry, entry_id: str) -> Address | None:
        """Return the address that an entry's mailbox has now, known by the id or, without one yet, by the DN."""
        return self.holders.get(entry_id) or self.holders.get(entry.dn.lower())

    def address(self, entry: Entry, entry_id: str) -> Address | None:
        texts = self.texts(entry, self.mapping.mail)
        found: dict[Address, None] = {}
        for text in texts:
            try:
                found[Address.parse(text)] = None
            except AddressError as error:
                # quoted only if it can't be a hash: somebody may have mapped the wrong attribute
                shown = f" {text!r}" if "@" in text and not text.startswith(("{", "$")) else ""
                self.find(
                    Code.BAD_ADDRESS,
                    entry,
                    f"its {self.mapping.mail}{shown} {error}; correct it in the directory",
                )
        self.addresses.update(found)
        if len(found) > 1:
            held = self.held_by(entry, entry_id)
            listed = ", ".join(found)
            self.find(
                Code.SEVERAL_MAILS,
                entry,
                f"it has several values in {self.mapping.mail} ({listed}), and only one can be the mailbox; "
                + (f"{held} stays" if held in found else "it gets none")
                + f"; leave one value in {self.mapping.mail}",
            )
            return held if held in found else None
        if not texts:
            self.find(
                Code.NO_MAIL,
                entry,
                f"it has no {self.mapping.mail}; give it an address, or narrow user_search_filter to entries with one",
            )
        return next(iter(found), None)

    def in_scope(self, entry: Entry, address: Address) -> bool:
        if self.source.domains and address.domain not in self.source.domains:
            self.find(
                Code.DOMAIN_NOT_OURS, entry, f"{address} is in none of the `domains` of the config and is left out"
            )
            return False
        if address.domain not in self.hosted:
            self.find(
                Code.DOMAIN_NOT_HOSTED,
                entry,
                f"mailcow has no mail domain {address.domain} for {address}; add it there, or correct the address",
            )
            return False
        names = {address.local, address, f"@{address.domain}"}
        if address.local in RESERVED and names.isdisjoint(self.config.allow_reserved):
            self.find(
                Code.RESERVED_ADDRESS,
                entry,
                f"{address} is a name that stands for the whole domain; "
                f"if this entry shall have it, put {address.local!r} or {str(address)!r} into allow_reserved",
            )
            return False
        return True

    def attributes(self, entry: Entry) -> dict[str, Value]:
        """Return what is managed of the mailbox: by the attribute table, and only what the entry has a value for."""
        attributes: dict[str, Value] = {}
        if "authsource" in self.mapping.model_fields_set:
            attributes[AUTHSOURCE.key] = self.mapping.authsource
        for row in ATTRIBUTES.values():
            try:
                values = {row.store(text) for text in self.written(entry, row)} - {""}
                if len(values) > 1:
                    raise UnusableValueError("has several values")
            except UnusableValueError as problem:
                self.find(
                    row.unusable,
                    entry,
                    f"its {self.named(row)} {problem}; correct it in the directory, until then mailcow's value stays",
                )
            else:
                attributes.update((row.key, value) for value in values)
        return attributes

    def written(self, entry: Entry, row: Attribute) -> tuple[str, ...]:
        """Return the texts that an entry has for a row of the table: a name in one piece, a quota with its unit."""
        if row is NAME:
            whole = self.texts(entry, self.mapping.name)[:1]
            parts = [
                text for key in ("firstname", "lastname") for text in self.texts(entry, getattr(self.mapping, key))[:1]
            ]
            return whole or ((" ".join(parts),) if parts else ())
        texts = tuple(text for key in row.mapped for text in self.texts(entry, getattr(self.mapping, key)))
        if row is QUOTA:
            return tuple(text if text.strip()[-1:].isalpha() else f"{text} {self.mapping.quota_unit}" for text in texts)
        return texts

    def named(self, row: Attribute) -> str:
        """Return what a person calls a row: its attribute in the directory, or the name."""
        return "name" if row is NAME else str(getattr(self.mapping, row.key))

    def is_inactive(self, entry: Entry) -> bool:
        """Tell whether an entry says that its person is inactive; whatever is odd about it has a finding elsewhere."""
        try:
            values = {read_flag(value.decode("utf-8")) for value in entry.values(self.mapping.active or "")}
        except (UnicodeDecodeError, UnusableValueError):
            return False
        return values == {0}

    def password(self, entry: Entry) -> SecretStr | None:
        if self.mapping.authsource != "mailcow":
            return None
        choice = choose_password(
            self.texts(entry, self.mapping.password),
            allow_clear_text=self.config.clear_text_passwords == "allow",
        )
        if choice.password is None and choice.clear_text:
            self.find(
                Code.CLEAR_TEXT_PASSWORD,
                entry,
                f"its {self.mapping.password} is clear text; have the directory hash it, "
                "or set clear_text_passwords: allow",
            )
        elif choice.schemes:
            self.find(
                Code.PASSWORD_UNUSABLE,
                entry,
                f"its {self.mapping.password} is in a scheme or form that mailcow can't verify "
                f"({', '.join(choice.schemes)}); set the password again in one that it can, such as {{SSHA512}}",
            )
        return choice.password

    def present(self, entry: Entry) -> frozenset[str]:
        """Return the mapped keys for which an entry has a value: what 'vanished' is measured by."""
        return frozenset(key for key in MEASURED if (name := getattr(self.mapping, key)) and entry.values(name))


def desire(
    entries: Iterable[Entry],
    source: Source,
    config: Config,
    *,
    id_attribute: str,
    hosted: frozenset[str],
    holders: Mapping[str, Address],
) -> Desired:
    """Return the mailboxes that the entries of one source ask for.

    `hosted` are the mail domains that mailcow has, `holders` the address that each known id (where none is known, each
    lower-case DN) holds now: where two entries want one address, its holder keeps it, and without one nobody gets it.
    """
    reader = _Reader(source, config, id_attribute, hosted, holders)
    ids: set[str] = set()
    dns: set[str] = set()
    present: dict[str, frozenset[str]] = {}
    inactive: set[str] = set()
    without_id: list[str] = []
    wanted: dict[Address, list[Mailbox]] = defaultdict(list)
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
        mailbox = reader.mailbox(entry, entry_id)
        if mailbox:
            wanted[mailbox.address].append(mailbox)
    mailboxes = {}
    for address, claims in wanted.items():
        if len(claims) == 1:
            mailboxes[address] = claims[0]
            continue
        held = (claim for claim in claims if address in (holders.get(claim.id), holders.get(claim.dn.lower())))
        holder = next(held, None)
        reader.findings.append(_duplicate(address, claims, holder))
        if holder:
            mailboxes[address] = holder
    return Desired(
        mailboxes,
        frozenset(ids),
        frozenset(reader.addresses),
        frozenset(dns),
        present,
        frozenset(inactive),
        tuple(without_id),
        tuple(reader.findings),
    )


def _duplicate(address: Address, claims: list[Mailbox], holder: Mailbox | None) -> Finding:
    dns = sorted(claim.dn for claim in claims)
    named = " and ".join(dns[:MAX_NAMED]) + (f" and {len(dns) - MAX_NAMED} more" if len(dns) > MAX_NAMED else "")
    result = f"{holder.dn} keeps it" if holder else "nobody gets it"
    return Finding(
        Code.DUPLICATE_ADDRESS,
        address,
        f"{named} want the same address; {result} until one of them has another in the directory",
    )
