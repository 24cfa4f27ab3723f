"""Groups to lists: their addresses, flags and comments; who is in them is told elsewhere."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ldap2mailcow.model import (
    INTERNAL,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Address,
    Code,
    Entry,
    Role,
    is_dn,
    normal_dn,
)

from .askers import Group, default_flags
from .reading import Reader, is_blank, parse_alias
from .scope import Scope

COMMENT_MAX = 160
"""Bytes of a comment that mailcow takes (docs/mailcow-api.md section 7)."""


@dataclass(slots=True)
class Lists:
    """All groups, the lists that only their members name, and what can't be read just now."""

    reader: Reader
    scope: Scope
    holders: Mapping[Address, str]
    groups: dict[str, Group] = field(default_factory=dict)
    """By normal DN."""
    named: dict[Address, Group] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    _at: defaultdict[Address, list[Group]] = field(default_factory=lambda: defaultdict(list))

    def add(self, entry: Entry, owner: str) -> None:
        """Read a group."""
        addresses, address = self._addresses(entry, owner)
        flags = self._flags(entry)
        attribute = self.reader.source.group_mapping.catch_all
        catches_all = self.reader.flag(entry, attribute, 0)
        if catches_all is None:
            self.unreadable.add(owner)
        elif catches_all and address:
            addresses.add(Address(f"@{address.domain}"))
        group = Group(
            owner,
            entry.dn,
            Role.LIST,
            frozenset(addresses),
            flags,
            self._comment(entry),
            entry=entry,
            address=address,
        )
        self.groups[normal_dn(entry.dn)] = group
        for one in addresses:
            self._at[one].append(group)

    def _addresses(self, entry: Entry, owner: str) -> tuple[set[Address], Address | None]:
        """Return all addresses of a group, and the one it is known by."""
        mapping = self.reader.source.group_mapping
        found = self.reader.addresses(entry, mapping.mail, parse_alias(mapping.mail))
        if all(map(is_blank, entry.values(mapping.mail))):
            self.reader.find(
                Code.LIST_WITHOUT_MAIL,
                entry,
                f"it has no {mapping.mail}, so it is no list; it only serves other groups",
            )
            return set(), None
        address = self._main(entry, owner, sorted(found))
        if address is None:
            self.unreadable.add(owner)
            return set(), None
        further = {
            one
            for attribute in mapping.aliases
            for one in self.reader.addresses(entry, attribute, parse_alias(attribute))
            if self.scope.has(one, entry.dn)
        }
        if self.scope.has(address, entry.dn):
            return {address, *further}, address
        self.unreadable.add(owner)
        return further, None

    def _main(self, entry: Entry, owner: str, found: list[Address]) -> Address | None:
        """Return the one of several addresses that a list has already; None where that can't be told."""
        if len(found) <= 1:
            return next(iter(found), None)
        mail = self.reader.source.group_mapping.mail
        held = next((one for one in found if self.holders.get(one) == owner), None)
        self.reader.find(
            Code.SEVERAL_MAILS,
            entry,
            f"it has several values in {mail} ({', '.join(found)}), and only one can be the list; "
            + (f"{held} stays" if held else "it gets none")
            + f"; leave one value in {mail}, and put the others into an attribute of group_mapping.aliases",
        )
        return held

    def _flags(self, entry: Entry) -> dict[str, int]:
        """Return the flags of a list; one that isn't told, or is unclear, is missing: mailcow's value stays."""
        mapping, config = self.reader.source.group_mapping, self.reader.config
        attributes = {
            INTERNAL: mapping.internal,
            SENDER_ALLOWED: mapping.sender_allowed,
            SOGO_VISIBLE: mapping.sogo_visible,
        }
        defaults = default_flags(visible=config.sogo_visible.lists)
        told = {key: self.reader.flag(entry, name, defaults.get(key)) for key, name in attributes.items()}
        return {key: value for key, value in told.items() if value is not None}

    def _comment(self, entry: Entry) -> str | None:
        """Return mailcow's public comment; None for none, and for one that it can't hold."""
        attribute = self.reader.source.group_mapping.comment
        texts = {" ".join(text.split()) for text in self.reader.texts(entry, attribute)}
        if not texts:
            return None
        comment = min(texts)
        problem = ""
        if len(texts) > 1:
            problem = "has several values"
        elif any(unicodedata.category(char) == "Cc" for char in comment):
            problem = "has control characters"
        elif len(comment.encode()) > COMMENT_MAX:
            problem = f"has more than {COMMENT_MAX} bytes"
        if not problem:
            return comment
        self.reader.find(
            Code.COMMENT_INVALID,
            entry,
            f"its {attribute} {problem}; correct it in the directory, until then mailcow's comment stays",
        )
        return None

    def join(self, entry: Entry, member: Address | None) -> None:
        """Put a user on the lists that the own entry names; `member` is None where the user has no usable address.

        A list that is no group is made of those who name it. Groups that are no lists are left out: memberOf names all.
        """
        attribute = self.reader.source.user_mapping.group_addresses
        parse = parse_alias(attribute)

        def to_list(text: str) -> Address | None:
            if not is_dn(text):
                return parse(text)
            group = self.groups.get(normal_dn(text))
            if group and group.address and member:
                group.joined.add(member)
            return None

        for address in sorted(self.reader.addresses(entry, attribute, to_list)):
            if wanting := self._at.get(address):
                for group in wanting:
                    if member and (len(wanting) == 1 or self.holders.get(address) == group.owner):
                        group.joined.add(member)
            elif self.scope.has(address, entry.dn) and self.reader.is_allowed(entry, address):
                self._make(address).joined.update({member} if member else ())

    def _make(self, address: Address) -> Group:
        flags = default_flags(visible=self.reader.config.sogo_visible.lists)
        new = Group(address, "", Role.LIST, frozenset({address}), flags, address=address)
        return self.named.setdefault(address, new)

    def made(self) -> list[Group]:
        """Return the lists that only people name, without those that nobody with a usable address names just now."""
        return [group for group in self.named.values() if group.joined]
