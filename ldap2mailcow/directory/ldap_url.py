"""LDAP URLs (RFC 4516): how a dynamic group says who is in it, in `memberURL`.

The owner of a group writes them, and they are searched for with the rights of the bind DN. So they reach no further
than the searches of the config do, and their filters name attributes of a short list only (`filters.py` says why).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import ldap

from ldap2mailcow.config import MEMBER_NAMES, Source
from ldap2mailcow.model import Entry, normal_dn, rdns

from .filters import checked
from .session import Query

_BEGINNING = re.compile(r"ldap[is]?://[^/?]*", re.IGNORECASE)
_SCOPES = {"": ldap.SCOPE_BASE, "base": ldap.SCOPE_BASE, "one": ldap.SCOPE_ONELEVEL, "sub": ldap.SCOPE_SUBTREE}

_ALWAYS = ("objectClass", "ou", "memberOf", "department")
_NEVER = frozenset({"userpassword", "2.5.4.35", "unicodepwd", "authpassword", "1.3.6.1.4.1.4203.1.3.4"})
"""Passwords by their names and OIDs (RFC 4519 section 2.41, RFC 3112, MS-ADTS 3.1.1.3.1.5), whatever is mapped."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The search that a URL stands for, and the places that its entries may be in."""

    query: Query
    places: frozenset[tuple[str, ...]]

    def has(self, entry: Entry) -> bool:
        """Tell whether an entry that the search found is selected."""
        parts = _parts(entry.dn)
        return any(_is_below(parts, place) for place in self.places)


def selection_of(url: str, source: Source, attributes: Sequence[str]) -> Selection:
    """Return what a URL selects, on the server that is asked anyway: its host is left out.

    Raises ValueError, which says what is wrong with it.
    """
    parts = _BEGINNING.sub("", url, count=1).removeprefix("/").split("?")
    if len(parts) > 5:  # noqa: PLR2004 - RFC 4516 section 2: dn, attributes, scope, filter, extensions
        raise ValueError("there is a question mark too many in it")
    base, _, scope, text, extensions = (unquote(part, errors="strict") for part in [*parts, *[""] * (5 - len(parts))])
    if scope.lower() not in _SCOPES:
        raise ValueError(f"its scope {scope!r} is none of base, one and sub")
    if any(extension.startswith("!") for extension in extensions.split(",")):
        raise ValueError("it has a critical extension, which is not known here")
    wanted = checked(text or "(objectClass=*)", filter_attributes(source))
    return Selection(Query(base, wanted, attributes, _SCOPES[scope.lower()]), _places(base, source))


def filter_attributes(source: Source) -> frozenset[str]:
    """Return the lower-case names of the attributes that the filter of a URL may name.

    They are those by which groups are commonly made, and those that say in this config who is reached at what address;
    never that of the password, even if it is mapped as something else too.
    """
    users, groups = source.user_mapping, source.group_mapping
    mapped = (users.mail, *users.aliases, users.group_addresses, groups.mail, *groups.aliases, *groups.member)
    names = {name.lower() for name in (*_ALWAYS, *MEMBER_NAMES, *mapped, source.alias_mapping.mail) if name}
    return frozenset(names - _NEVER - {users.password.lower()})


def _places(base: str, source: Source) -> frozenset[tuple[str, ...]]:
    """Return the bases of the config that a URL's base is below, or that are below it.

    Raises ValueError where there are none: what lies elsewhere is not for this tool, whatever bind_dn may read.
    """
    if "\0" in base or not _parts(base):
        raise ValueError(f"its base {base!r} is not a DN")
    parts = _parts(base)
    bases = {_parts(one) for one in (source.user_search_base, source.group_base, source.alias_base)}
    found = frozenset(one for one in bases if _is_below(parts, one) or _is_below(one, parts))
    if not found:
        raise ValueError(f"its base {base!r} is neither below nor above one that the config searches")
    return found


def _parts(dn: str) -> tuple[str, ...]:
    return rdns(normal_dn(dn))


def _is_below(dn: tuple[str, ...], place: tuple[str, ...]) -> bool:
    """Tell whether a DN is a place or below it."""
    return len(place) <= len(dn) and dn[len(dn) - len(place) :] == place
