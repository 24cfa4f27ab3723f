"""What directories ask for: users, groups and entries that only forward, read from their entries alone.

Nothing here says what becomes of it. Whom a value means is told as far as the directory alone tells it: an entry, or an
address as it is written. Who gets an address that several want, and where the mailbox of an entry is, says the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from ldap2mailcow.model import Address, EntryId, Finding, Value

ANYONE = "*"
"""mailcow's word for the right to send as anyone (docs/mailcow-api.md section 5)."""


Meant = Address | EntryId
"""Whom a value means: an entry, or an address (`@domain` for all of a domain, where rights are meant).

An entry that several searches find may have one id in all of them. Then a group is meant first, then an entry that
forwards, then a user: a user filter that is too wide must not make the members of a list disappear.
"""


@dataclass(frozen=True, slots=True)
class Forward:
    """Where mail goes that comes to an entry which only forwards, or to a user without a mailbox."""

    id: EntryId
    dn: str
    addresses: frozenset[Address]
    """What it asks to have; of a user the values of `mail`."""
    stated: frozenset[Meant]
    """Where it says that mail goes."""
    flags: Mapping[str, int]
    """By the names in FLAGS, those that are told; of the others mailcow's value stays."""
    is_clear: bool = True
    """Whether all that it says could be read, and may be had; else what it has stays."""
    is_user: bool = False
    """Whether it is a user's: then `external_goto.users` is for it, else `external_goto.groups`."""


@dataclass(frozen=True, slots=True)
class User:
    """An entry of the users' answer."""

    id: EntryId
    dn: str
    addresses: tuple[Address, ...]
    """The usable values of `mail`, in the entry's order, each once; of several only that of its mailbox counts."""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    """The managed ones that it has a usable value for, by the keys of the attribute table, as mailcow stores them."""
    unreadable: frozenset[str] = frozenset()
    """The keys of the attribute table whose value can't be used, and so isn't in `attributes`."""
    password: SecretStr | None = None
    """What to send to mailcow: a hash in a scheme that it verifies (or clear text, where the config allows it)."""
    present: frozenset[str] = frozenset()
    """The mapped keys for which the entry carries a value, usable or not: what 'vanished' is measured by."""
    aliases: frozenset[Address] = frozenset()
    """Further addresses, without the values of `mail`; those that a user may have (`allow_reserved`)."""
    flags: Mapping[str, int] = field(default_factory=dict)
    """Of its aliases."""
    forward: Forward | None = None
    """Set where `forward_to` has a value: such a user is to have no mailbox."""
    senders: frozenset[Meant] = frozenset()
    """Whom the user may send as besides."""
    senders_known: bool = True
    """False where one of these could not be looked up: the rights that the user has stay."""


@dataclass(frozen=True, slots=True)
class Group:
    """A list, or a group that only serves to nest others, or a list that only its members name."""

    id: EntryId
    dn: str
    """Empty for a list that only its members name."""
    addresses: tuple[Address, ...] = ()
    """The usable values of `mail`. Of several only the one that it has can be meant; without one it is no list."""
    further: frozenset[Address] = frozenset()
    """Its other addresses, of `group_mapping.aliases`."""
    catches_all: bool | None = False
    """Whether it gets what comes to unknown addresses of its domain; None where that can't be read."""
    members: frozenset[Meant] = frozenset()
    """Those whom it names, and those who name it; never its own addresses.

    Groups in it are named, not flattened. Whom it names is read only of groups with an address or with `send_as`, and
    of groups that are in them.
    """
    members_known: bool = True
    """False where one of these could not be looked up: those that the list has stay on it."""
    flags: Mapping[str, int] = field(default_factory=dict)
    comment: str | None = None
    """mailcow's public comment; None: not managed."""
    senders: frozenset[Meant] = frozenset()
    """Whom its members may send as besides."""
    senders_known: bool = True
    """False where one of these could not be looked up."""
    is_clear: bool = True
    """False where it has a value for `mail` and none that can be used, or asks for a reserved name.

    What it has stays.
    """


@dataclass(frozen=True, slots=True)
class Asked:
    """All that one directory asks for, or several together."""

    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    """Those of the answer, those that only members name, and groups outside the answer that others lead to.

    The last are known by their normal DN, have no addresses, and only serve to nest members.
    """
    forwards: tuple[Forward, ...] = ()
    """Entries that only forward; not those of users."""
    any_senders: frozenset[EntryId] = frozenset()
    """The users who may send as anyone."""
    any_senders_known: bool = True
    """False where one of these could not be looked up: those who may stay."""
    dns: frozenset[str] = frozenset()
    """The lower-case DNs of all users' entries, those without an id included."""
    without_id: tuple[str, ...] = ()
    """The DNs of users' entries that lack the id attribute, or share its value, and so can't be told apart."""
    findings: tuple[Finding, ...] = ()
    """What is odd in the entries, whatever becomes of them."""
