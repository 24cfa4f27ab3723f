"""One entry to a mailbox, or to nothing but a forwarding; a finding for whatever can't be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from ldap2mailcow.config import UserMapping
from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    NAME,
    QUOTA,
    Address,
    Attribute,
    Code,
    Entry,
    Mailbox,
    UnusableValueError,
    Value,
)

from .measured import measured, shown_by
from .passwords import choose_password
from .reading import Reader, is_blank
from .status import read_active


@dataclass(frozen=True, slots=True)
class Forwarder:
    """Somebody without a mailbox: what comes to the address goes elsewhere."""

    id: str
    dn: str
    address: Address


@dataclass(slots=True)
class MailboxReader(Reader):
    """Reads the entries of users."""

    hosted: frozenset[str] = frozenset()
    holders: Mapping[str, Address] = field(default_factory=dict)
    has_mailbox: Collection[Address] = ()
    addresses_seen: set[Address] = field(default_factory=set)
    measured: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.measured = measured(self.source)

    @property
    def mapping(self) -> UserMapping:
        """Which attribute is what."""
        return self.source.user_mapping

    def read(self, entry: Entry, entry_id: str) -> Mailbox | Forwarder | None:
        """Read one entry; None where it is nobody's mailbox and forwards nothing."""
        address = self.address(entry, entry_id)
        if address is None or not self.in_scope(entry, address):
            return None
        if not all(map(is_blank, entry.values(self.mapping.forward_to))):
            if address not in self.has_mailbox:
                return Forwarder(entry_id, entry.dn, address)
            self.find(
                Code.FORWARD_BESIDE_MAILBOX,
                entry,
                f"its {self.mapping.forward_to} says where mail to {address} goes, and mailcow can't forward what has "
                "a mailbox; set a sieve filter in the mailbox, or remove the mailbox in mailcow",
            )
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
        """Return the one address of an entry, as far as it can be told which it is."""
        found = self.addresses(entry, self.mapping.mail, Address.parse)
        self.addresses_seen.update(found)
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
        if all(map(is_blank, entry.values(self.mapping.mail))):
            self.find(
                Code.NO_MAIL,
                entry,
                f"it has no {self.mapping.mail}; give it an address, or narrow user_search_filter to entries with one",
            )
        return next(iter(found), None)

    def in_scope(self, entry: Entry, address: Address) -> bool:
        """Tell whether an entry may have an address here."""
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
        return self.is_allowed(entry, address)

    def attributes(self, entry: Entry) -> dict[str, Value]:
        """Return what is managed of the mailbox: by the attribute table, and only what the entry has a value for.

        Of mailboxes that come from elsewhere nothing but whether they are active.
        """
        attributes: dict[str, Value] = {}
        whole = self.config.create_mailboxes
        if whole and "authsource" in self.mapping.model_fields_set:
            attributes[AUTHSOURCE.key] = self.mapping.authsource
        for row in ATTRIBUTES.values() if whole else (ACTIVE,):
            store = partial(read_active, self.mapping.active) if row is ACTIVE else row.store
            try:
                values = {store(text) for text in self.written(entry, row)} - {""}
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
        name = self.mapping.active
        try:
            values = {read_active(name, value.decode("utf-8")) for value in entry.values(name)}
        except (UnicodeDecodeError, UnusableValueError):
            return False
        return values == {0}

    def password(self, entry: Entry) -> SecretStr | None:
        """Return what to send as the password, as far as there is anything that mailcow can verify."""
        if self.mapping.authsource != "mailcow" or not self.config.create_mailboxes:
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
        return shown_by(entry, self.measured)
