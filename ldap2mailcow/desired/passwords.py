"""Password schemes: one table says what a directory's hash becomes in mailcow, if it can become anything.

mailcow stores a `{SCHEME}` that it does not know as the *clear-text password* of the mailbox, so what isn't in this
table never reaches it, and neither does a hash whose form is wrong. Facts: docs/directories.md section 7.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import SecretStr

from .costs import too_costly

NOBODY = SecretStr("{CRYPT}!Locked0-the-directory-holds-no-password")
"""What a mailbox gets under `missing_password: random`: no crypt(3) output starts with `!`, so no password fits it."""

_CRYPT64 = r"[./0-9A-Za-z]"
_SALT = r"[!-#%-9;-~]"  # glibc refuses a colon and what can't be printed
_BCRYPT = re.compile(rf"\$2[aby]\$[0-9][0-9]\${_CRYPT64}{{53}}")
_SHA512_CRYPT = re.compile(rf"\$6\$(?:rounds=[0-9]+\$)?{_SALT}{{0,16}}\${_CRYPT64}{{86}}")
_SHA256_CRYPT = re.compile(rf"\$5\$(?:rounds=[0-9]+\$)?{_SALT}{{0,16}}\${_CRYPT64}{{43}}")
_MD5_CRYPT = re.compile(rf"\$1\${_SALT}{{0,8}}\${_CRYPT64}{{22}}")
_DES_CRYPT = re.compile(rf"{_CRYPT64}{{13}}")
_ARGON2_REST = r"\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"
_ARGON2ID = re.compile(rf"\$argon2id{_ARGON2_REST}")
_ARGON2I = re.compile(rf"\$argon2i{_ARGON2_REST}")
_HEX_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_PREFIXED = re.compile(r"\{([^{}]+)\}(.*)", re.DOTALL)

Form = Callable[[str], bool]


def _matches(pattern: re.Pattern[str]) -> Form:
    return lambda text: pattern.fullmatch(text) is not None


def _digest(size: int, *, salted: bool = False) -> Form:
    """Tell base64 of a digest of `size` bytes, with a salt behind it or without."""

    def has_form(text: str) -> bool:
        try:
            length = len(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            return False
        return length > size if salted else length == size

    return has_form


@dataclass(frozen=True, slots=True)
class Scheme:
    """One row: a hash called so in the directory, with this form, is sent to mailcow under that prefix."""

    names: tuple[str, ...]
    form: Form
    send_as: str


# The best first: of several values of an entry the one that stands highest here is taken.
SCHEMES: tuple[Scheme, ...] = (
    Scheme(("ARGON2", "ARGON2ID"), _matches(_ARGON2ID), "ARGON2ID"),
    Scheme(("ARGON2", "ARGON2I"), _matches(_ARGON2I), "ARGON2I"),
    Scheme(("CRYPT",), _matches(_BCRYPT), "CRYPT"),
    Scheme(("BCRYPT", "BLF-CRYPT"), _matches(_BCRYPT), "BLF-CRYPT"),
    Scheme(("CRYPT",), _matches(_SHA512_CRYPT), "CRYPT"),
    Scheme(("SHA512-CRYPT",), _matches(_SHA512_CRYPT), "SHA512-CRYPT"),
    Scheme(("CRYPT",), _matches(_SHA256_CRYPT), "CRYPT"),
    Scheme(("SHA256-CRYPT",), _matches(_SHA256_CRYPT), "SHA256-CRYPT"),
    Scheme(("SSHA512",), _digest(64, salted=True), "SSHA512"),
    Scheme(("SSHA256",), _digest(32, salted=True), "SSHA256"),
    Scheme(("SHA512",), _digest(64), "SHA512"),
    Scheme(("SHA256",), _digest(32), "SHA256"),
    Scheme(("SSHA",), _digest(20, salted=True), "SSHA"),
    Scheme(("SHA", "SHA1"), _digest(20), "SHA"),
    Scheme(("CRYPT",), _matches(_MD5_CRYPT), "CRYPT"),
    Scheme(("MD5-CRYPT", "MD5"), _matches(_MD5_CRYPT), "MD5-CRYPT"),
    Scheme(("SMD5",), _digest(16, salted=True), "SMD5"),
    Scheme(("MD5", "LDAP-MD5"), _digest(16), "LDAP-MD5"),
    Scheme(("PLAIN-MD5",), _matches(_HEX_MD5), "PLAIN-MD5"),
    Scheme(("CRYPT",), _matches(_DES_CRYPT), "CRYPT"),
    Scheme(("DES-CRYPT",), _matches(_DES_CRYPT), "DES-CRYPT"),
)

CLEAR_TEXT_NAMES = frozenset({"CLEAR", "CLEARTEXT", "PLAIN"})

UNVERIFIABLE_NAMES = frozenset(
    {
        "AES",
        "APR1",
        "BSDMD5",
        "CRAM-MD5",
        "DIGEST-MD5",
        "GOST_YESCRYPT",
        "KERBEROS",
        "LANMAN",
        "NS-MTA-MD5",
        "NT",
        "NTLM",
        "PBKDF2",
        "PBKDF2-SHA1",
        "PBKDF2-SHA256",
        "PBKDF2-SHA512",
        "PBKDF2_SHA256",
        "SASL",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "SHA384",
        "SSHA384",
    },
)
"""Schemes that directories store and mailcow can't verify, by the names under which people are told of them."""

_TOLD_NAMES = UNVERIFIABLE_NAMES | CLEAR_TEXT_NAMES | {name for scheme in SCHEMES for name in scheme.names}
_CRYPT_METHOD = re.compile(r"\$(?:1|2[abxy]?|3|5|6|7|gy|y|md5|sha1|sm3|sm3y|argon2(?:i|d|id))\$")  # crypt(5)


@dataclass(frozen=True, slots=True)
class Choice:
    """The password of an entry: what to send, or why nothing of it can be sent."""

    password: SecretStr | None
    clear_text: bool = False
    """A clear-text value is there, and nothing better; it was refused if `password` is None."""
    schemes: tuple[str, ...] = ()
    """The names of the schemes that mailcow can't verify or whose form is wrong, for the finding; never a hash."""
    refused: tuple[str, ...] = ()
    """Of hashes that mailcow could verify and that aren't sent: the scheme and why, for the finding; never a hash."""


def choose_password(values: Iterable[str], *, allow_clear_text: bool) -> Choice:
    """Choose among the values of a password attribute what mailcow can verify, the best scheme first.

    Clear text is sent without a prefix, so that mailcow hashes it, and only where `allow_clear_text` says so. A value
    that begins with `{` or `$` is never taken for clear text.
    """
    ranked: list[tuple[int, str]] = []
    clear: list[str] = []
    unusable: set[str] = set()
    refused: set[str] = set()
    for value in values:
        name, rest = _split(value)
        row = _row(name, rest)
        if name is None:
            clear.append(rest)
        elif row is None:
            unusable.add(_told(name, rest))
        elif problem := too_costly(sent := f"{{{SCHEMES[row].send_as}}}{rest}"):
            refused.add(f"{_told(name, rest)} {problem}")
        else:
            ranked.append((row, sent))
    if ranked:
        return Choice(SecretStr(min(ranked)[1]))
    if clear:
        return Choice(SecretStr(min(clear)) if allow_clear_text else None, clear_text=True)
    return Choice(None, schemes=tuple(sorted(unusable)), refused=tuple(sorted(refused)))


def _row(name: str | None, rest: str) -> int | None:
    """Return the position in the table of the scheme with this name and form; None where there is none."""
    return next((i for i, scheme in enumerate(SCHEMES) if name in scheme.names and scheme.form(rest)), None)


def _split(value: str) -> tuple[str | None, str]:
    """Return the scheme's name in upper case and the rest; None and the password itself for clear text."""
    if value.lstrip().startswith(("{", "$")):
        value = value.strip()  # blanks around a hash are a slip; around clear text they are the password
    prefixed = _PREFIXED.fullmatch(value)
    if prefixed:
        name = prefixed[1].upper()
        if name not in CLEAR_TEXT_NAMES:
            return name, prefixed[2]
        inner = prefixed[2]
        return (None, inner) if inner and not inner.startswith(("{", "$")) else ("CLEARTEXT", "")
    if value.startswith(("$", "{")):
        return "CRYPT", value
    return (None, value) if value else ("CLEARTEXT", "")


def _told(name: str, rest: str) -> str:
    """Name a scheme for people, telling crypt(3)'s methods apart.

    A name that nobody knows isn't shown: it may be the beginning of somebody's password.
    """
    if name not in _TOLD_NAMES:
        return "an unknown scheme"
    method = _CRYPT_METHOD.match(rest) if name == "CRYPT" else None
    return f"{{{name}}}{method[0]}" if method else f"{{{name}}}"
