"""DNs in the one form in which they are compared; how a DN and an LDAP URL are told from other texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from .text import is_too_long

# Most DNs: nothing escaped, nothing beyond ASCII, no blanks to take out, no attribute with a second name.
_SIGN = r"[!$-*\-./:?@\[\]^-~\w]"
_PLAIN_PART = rf"(?:cn|uid|ou|dc|o|c|l|st|mail)={_SIGN}+(?: {_SIGN}+)*"
_PLAIN = re.compile(rf"{_PLAIN_PART}(?:,{_PLAIN_PART})*", re.ASCII)

_NAME = r" *([a-zA-Z][a-zA-Z0-9-]*|(?:[oO][iI][dD]\.)?[0-9]+(?:\.[0-9]+)*) *="
_BEGINNING = re.compile(_NAME)
_PART = re.compile(_NAME + r"((?:[^\\,;+]|\\.)*)([,;+]|\Z)", re.DOTALL)
_UNIQUE_ID = re.compile(r"#'[01]*'B\Z")
_URL = re.compile(r"ldap[is]?://", re.IGNORECASE)  # RFC 4516
_HEX_STRING = re.compile(r" *#(?:[0-9a-fA-F]{2})+ *")
_ESCAPED = re.compile(r"((?:\\[0-9a-fA-F]{2})+)|\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile('[,+;\\\\"<>=#\0\udc80-\udcff]')

_SHORT_NAMES = {
    "commonname": "cn",
    "2.5.4.3": "cn",
    "countryname": "c",
    "2.5.4.6": "c",
    "localityname": "l",
    "2.5.4.7": "l",
    "stateorprovincename": "st",
    "2.5.4.8": "st",
    "streetaddress": "street",
    "2.5.4.9": "street",
    "organizationname": "o",
    "2.5.4.10": "o",
    "organizationalunitname": "ou",
    "2.5.4.11": "ou",
    "userid": "uid",
    "0.9.2342.19200300.100.1.1": "uid",
    "domaincomponent": "dc",
    "0.9.2342.19200300.100.1.25": "dc",
}
"""The other names of the attributes in RFC 4514 section 3 (RFC 4519 has them)."""


def is_dn(text: str) -> bool:
    """Tell whether a text can be a DN: a name, an equals sign."""
    return _BEGINNING.match(text) is not None


def is_ldap_url(text: str) -> bool:
    """Tell whether a text is meant as an LDAP URL, which stands for the entries that it selects."""
    return _URL.match(text) is not None


def normal_dn(text: str) -> str:
    r"""Return a DN as it is compared: lower case, no blanks that don't count, escapes and names written in one way.

    Servers write the DNs of members as they were typed, and the entries' own DNs in their own way (RFC 4514). Values
    are taken as if all of them were matched by caseIgnoreMatch (RFC 4518, as slapd does it; docs/directories.md section
    2). The unique identifier of RFC 4517 section 3.3.21 (`#'0101'B` at the end, in `uniqueMember`) is cut off. The
    form holds no NUL and no surrogate: both are `\00` and the like.

    What isn't a DN comes back lower-cased, and equal to nothing but itself; quoted values (RFC 2253 section 4) are not
    told apart from that. Nor is what is too long (`is_too_long`): it is costly to read, and no entry has it.
    """
    lower = text.lower()
    return lower if is_too_long(text) or _PLAIN.fullmatch(lower) else _normal(text)


def rdns(dn: str) -> tuple[str, ...]:
    """Return the parts of a DN between its commas as they are written, the entry's own first; none of what isn't one.

    The unique identifier at the end of `uniqueMember` is no part of it.
    """
    if unique := _UNIQUE_ID.search(dn):
        dn = dn[: unique.start()].rstrip(" ")
    found: list[str] = []
    start = position = 0
    while part := _PART.match(dn, position):
        position = part.end()
        if part[3] != "+":
            found.append(dn[start : part.end(2)])
            start = position
        if not part[3]:
            return tuple(found)
    return ()


def rdn_values(dn: str, attributes: Iterable[str]) -> frozenset[str]:
    """Return the values in the first part of a DN (its RDN) of some attributes, in their normal form, unescaped."""
    wanted = {_short_name(name) for name in attributes}
    parts = _PART.finditer(next(iter(rdns(dn)), ""))
    return frozenset(_folded_value(part[2]) for part in parts if _short_name(part[1]) in wanted)


@lru_cache(maxsize=65536)  # the same people are members of many groups
def _normal(text: str) -> str:
    return ",".join(map(_normal_rdn, rdns(text))) or text.lower()


@lru_cache(maxsize=4096)  # most entries of a directory are in a few places
def _normal_rdn(rdn: str) -> str:
    return "+".join(sorted(_normal_part(part[1], part[2]) for part in _PART.finditer(rdn)))


def _normal_part(name: str, value: str) -> str:
    return f"{_short_name(name)}={_normal_value(value)}"


def _short_name(name: str) -> str:
    name = name.lower().removeprefix("oid.")
    return _SHORT_NAMES.get(name, name)


def _normal_value(value: str) -> str:
    """Return a value folded, and escaped wherever one has to be: two that differ stay different."""
    if _HEX_STRING.fullmatch(value):  # BER (RFC 4514 section 2.4): equal to nothing but itself
        return value.strip(" ").lower()
    blank = "\\20" if value.strip(" ") else ""  # a value of nothing but blanks is one blank (RFC 4518 section 2.6.1)
    return _TO_ESCAPE.sub(_escape, _folded_value(value)) or blank


def _folded_value(value: str) -> str:
    """Return a value folded, without its escapes and the blanks that don't count."""
    return " ".join(filter(None, _folded(_ESCAPED.sub(_unescaped, value)).split(" ")))


def _folded(value: str) -> str:
    """Return a value without case and without the two ways to write an accent, character by character.

    `ß` stays different from `ss`, as slapd has it: casefold() would make one of two people.
    """
    if value.isascii():
        return value.lower()
    composed = unicodedata.normalize("NFKC", value)
    return unicodedata.normalize("NFKC", "".join(char.lower() for char in composed))


def _unescaped(match: re.Match[str]) -> str:
    """Return what stands behind a backslash: octets of UTF-8, or a character."""
    if match[1]:
        return bytes.fromhex(match[1].replace("\\", "")).decode("utf-8", "surrogateescape")
    return match[2]


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\0":
        return "\\00"
    return f"\\{char}" if char.isascii() else f"\\{ord(char) - 0xDC00:02x}"
