"""LDAP URLs (RFC 4516): how a dynamic group says who is in it, in `memberURL`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

import ldap

from .session import Query

_BEGINNING = re.compile(r"ldap[is]?://[^/?]*", re.IGNORECASE)
_SCOPES = {"": ldap.SCOPE_BASE, "base": ldap.SCOPE_BASE, "one": ldap.SCOPE_ONELEVEL, "sub": ldap.SCOPE_SUBTREE}


def query_of(url: str, attributes: Sequence[str]) -> Query:
    """Return the search that a URL stands for, on the server that is asked anyway: its host is left out.

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
    return Query(base, text or "(objectClass=*)", attributes, _SCOPES[scope.lower()])
