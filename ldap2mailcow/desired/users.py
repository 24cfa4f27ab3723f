"""A user's entry: the address, what the mailbox is to be like, further addresses, forwarding, rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from ldap2mailcow.model import Address, Code, Entry, EntryId

from .asked import User
from .attributes import read_attributes
from .forwards import read_user_forward
from .measured import measured, shown_by
from .passwords import choose_password
from .senders import SenderReader
from .values import Reader, default_flags, is_empty, parse_alias


@dataclass(slots=True)
class UserReader:
    """Reads the entries of users."""

    reader: Reader
    senders: SenderReader
    _measured: Mapping[str, str] = field(init=False)
    _flags: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._measured = measured(self.reader.source)
        self._flags = default_flags(visible=self.reader.config.sogo_visible.users)

    def read(self, entry: Entry, user_id: EntryId) -> User:
        """Read one entry."""
        reader, mapping = self.reader, self.reader.source.user_mapping
        stated = reader.addresses(entry, mapping.mail, Address.parse)
        if is_empty(entry, mapping.mail):
            reader.find(
                Code.NO_MAIL,
                entry,
                f"it has no {mapping.mail}; give it an address, or narrow user_search_filter to entries with one",
            )
        addresses = tuple(address for address in stated if reader.is_allowed(entry, address))
        senders, senders_known = self.senders.read(entry, mapping.send_as)
        attributes, unreadable = read_attributes(reader, entry)
        return User(
            id=user_id,
            dn=entry.dn,
            addresses=addresses,
            attributes=attributes,
            unreadable=unreadable,
            password=self._password(entry),
            present=shown_by(entry, self._measured),
            aliases=self._aliases(entry, stated),
            flags=self._flags,
            forward=read_user_forward(reader, entry, user_id, frozenset(addresses)),
            senders=senders,
            senders_known=senders_known,
        )

    def _aliases(self, entry: Entry, stated: Mapping[Address, None]) -> frozenset[Address]:
        """Return the further addresses; the values of `mail` are none of them, although proxyAddresses has them too."""
        wanted = {
            address
            for attribute in self.reader.source.user_mapping.aliases
            for address in self.reader.addresses(entry, attribute, parse_alias(attribute))
        }
        return frozenset(one for one in wanted - stated.keys() if self.reader.is_allowed(entry, one))

    def _password(self, entry: Entry) -> SecretStr | None:
        """Return what to send as the password, as far as there is anything that mailcow can verify."""
        reader, mapping = self.reader, self.reader.source.user_mapping
        if mapping.authsource != "mailcow" or not reader.config.create_mailboxes:
            return None
        choice = choose_password(
            reader.texts(entry, mapping.password),
            allow_clear_text=reader.config.clear_text_passwords == "allow",
        )
        if choice.password is None and choice.clear_text:
            reader.find(
                Code.CLEAR_TEXT_PASSWORD,
                entry,
                f"its {mapping.password} is clear text; have the directory hash it, or set clear_text_passwords: allow",
            )
        elif choice.schemes or choice.refused:
            unverifiable = f"is in a scheme or form that mailcow can't verify ({', '.join(choice.schemes)})"
            problems = [unverifiable] * bool(choice.schemes) + list(choice.refused)
            reader.find(
                Code.PASSWORD_UNUSABLE,
                entry,
                f"its {mapping.password} {', '.join(problems)}; set the password again in a scheme and at a cost that "
                "mailcow takes, such as {SSHA512}",
            )
        return choice.password
