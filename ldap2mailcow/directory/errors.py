"""How a directory fails, and the words for it. No sentence holds a password."""

from __future__ import annotations

import re

import ldap

from ldap2mailcow.model import shortened

LOST = (ldap.SERVER_DOWN, ldap.TIMEOUT, ldap.CONNECT_ERROR)
"""After these nothing more is asked: a connection that came back would be one without the bind."""


class DirectoryError(Exception):
    """A directory that could not be read; the message is a sentence for the administrator."""


class Refused(DirectoryError):  # noqa: N818 - it reads as what happened
    """The server answered the bind with a no; asking again may lock the account."""


class Unreachable(DirectoryError):  # noqa: N818 - the same
    """No server gave an answer that says anything about who is in the directory."""


class Malformed(Unreachable):
    """A server sent what is not LDAP."""


class BadFilter(DirectoryError):  # noqa: N818 - the same
    """The search filter is not one (RFC 4515): a mistake in the config."""


REFUSALS: dict[type[ldap.LDAPError], str] = {
    ldap.INVALID_CREDENTIALS: "bind_dn or bind_pw is wrong",
    ldap.INAPPROPRIATE_AUTH: "this kind of bind is not allowed for bind_dn; an anonymous one may be forbidden",
    ldap.STRONG_AUTH_REQUIRED: "the server takes passwords in TLS only: use ldaps:// or start_tls",
    ldap.CONFIDENTIALITY_REQUIRED: "the server takes passwords in TLS only: use ldaps:// or start_tls",
    ldap.AUTH_METHOD_NOT_SUPPORTED: "the server doesn't take a simple bind",
    ldap.CONSTRAINT_VIOLATION: "the account may be locked after too many wrong passwords",  # 389-ds
    ldap.INVALID_DN_SYNTAX: "bind_dn is not a DN",
    ldap.INSUFFICIENT_ACCESS: "bind_dn may not bind here",
    ldap.UNWILLING_TO_PERFORM: "the account may be locked or inactive",
}
"""What a server's no to a bind means (RFC 4511 section 4.1.9; docs/directories.md sections 2, 4 and 5)."""

# MS-ADTS has the codes as Windows errors (MS-ERREF section 2.2); Active Directory puts them into result 49's text.
_AD_REASONS = {
    "525": "there is no such user",
    "52e": "the password is wrong, or there is no such user",
    "530": "the account may not log in at this hour",
    "531": "the account may not log in from this machine",
    "532": "its password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "its password must be changed first",
    "775": "the account is locked",
}

_BEFORE_ANY_ENTRY: dict[type[ldap.LDAPError], str] = {
    ldap.NO_SUCH_OBJECT: "{key} {base!r} does not exist, or bind_dn may not see it{matched}",
    ldap.INVALID_DN_SYNTAX: "{key} {base!r} is not a DN",
    ldap.INSUFFICIENT_ACCESS: "bind_dn may not search {base!r}: give it the right to read there",
    ldap.OPERATIONS_ERROR: "it refused the search (Active Directory does so without a bind: set bind_dn and bind_pw)",
    ldap.REFERRAL: "it has no {base!r} itself and refers to another server: set uri to that one",
}


def details(error: ldap.LDAPError) -> dict[str, str]:
    """Return what python-ldap says about an error: `desc`, `info`, `matched`; nothing for some of libldap's own."""
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def described(error: ldap.LDAPError) -> str:
    """Return an error in the server's own words, its result code before them where it sent one."""
    said = details(error)
    words = said.get("desc") or type(error).__name__.replace("_", " ").capitalize()
    return f"{words} ({shortened(said['info'])})" if said.get("info") else words


def refusal(error: ldap.LDAPError) -> str:
    """Return why a bind was refused: one of REFUSALS, or more exactly where Active Directory says more."""
    found = re.search(r"\bdata ([0-9a-f]{3})\b", details(error).get("info", ""))
    exact = _AD_REASONS.get(found[1]) if found else None
    return f"{exact or REFUSALS[type(error)]}; the server says: {described(error)}"


def words(error: ldap.LDAPError, timeout: int) -> str:
    """Return an error in the server's own words, and a lost connection in ours; `timeout` is the session's."""
    if isinstance(error, ldap.TIMEOUT):
        return f"no answer within {timeout} seconds"
    return "the connection was lost" if isinstance(error, LOST) else described(error)


def search_failure(error: ldap.LDAPError, base: str, key: str, timeout: int) -> str:
    """Return why a search brought nothing at all, and what to do about it; `key` is where the config has the base."""
    if isinstance(error, LOST):
        return words(error, timeout)
    matched = details(error).get("matched")
    there = f" (what exists is {shortened(matched)!r})" if matched else ""
    meaning = _BEFORE_ANY_ENTRY.get(type(error), "the search failed").format(base=base, key=key, matched=there)
    return f"{meaning}; the server says: {described(error)}"
