"""Entries as somebody writes them who means harm, or who has no idea: always the same one for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

SUFFIX = "dc=example,dc=org"
DOMAIN = "example.org"
EVIL = f"uid=evil,ou=people,{SUFFIX}"

Attributes = Mapping[str, Sequence[bytes]]

_TEXTS = (
    "",
    " ",
    "0",
    "*",
    "@",
    "@@",
    "a\0b",
    "\r\nX: y",
    "\x1b[2J",
    "\u202ejpg.exe",
    "{0}{address}%s%n",
    "'; drop table mailbox; --",
    "<script>",
    "../../etc/passwd",
    "{CRYPT}!",
    "\ufdfa" * 2_000,
    "\u0301" * 3_000,
    "9" * 5_000,
    "-1",
    "1e999",
    "0x7f",
    "\u0661\u0662",
    "TRUE\0",
    "TRUE",
    "FALSE",
    "ldap",
    "ann",
    "bob",
    "cat",
)
_ADDRESSES = (
    f"evil@{DOMAIN}",
    f"evil+x@{DOMAIN}",
    f"postmaster@{DOMAIN}",
    f"abuse@{DOMAIN}",
    f"@{DOMAIN}",
    "@",
    f"ann@{DOMAIN}",
    f"bob@{DOMAIN}",
    f"staff@{DOMAIN}",
    "x@elsewhere.example",
    f"{'a' * 70}@{DOMAIN}",
    f"a/b@{DOMAIN}",
    f"a,b@{DOMAIN}",
    f"é@{DOMAIN}",
    f"evil@{'x' * 300}.org",
    "evil@xn--a.org",
    f"evil@{'é' * 3_000}.org",
    f"smtp:evil2@{DOMAIN}",
    f"x500:/o=x{DOMAIN}",
    f"evil@{DOMAIN}\0",
    f"EVIL@{DOMAIN.upper()}.",
)
_DNS = (
    EVIL,
    f"uid=ann,ou=people,{SUFFIX}",
    f"cn=staff,ou=groups,{SUFFIX}",
    f"cn=evil,ou=groups,{SUFFIX}",
    f"nosuch=a,ou=people,{SUFFIX}",
    f"uid=x,ou=secret,{SUFFIX}",
    f"uid=a\0b,ou=people,{SUFFIX}",
    f"uid=a\\00b,ou=people,{SUFFIX}",
    f"uid=a\\,b,ou=people,{SUFFIX}",
    f"uid=x{' ' * 8_000}y,ou=people,{SUFFIX}",
    f"uid={'*' * 8_000},ou=people,{SUFFIX}",
    f"{'ou=a,' * 1_600}{SUFFIX}",
    f"{'ou=a,' * 20_000}{SUFFIX}",
    "uid=",
    "=",
    "cn=a+cn=b+",
    "cn=\\",
    "cn=#04",
    "2.5.4.35=x",
    "cn=config",
    "cn=Monitor",
    f"uid=ann,ou=people,{SUFFIX}#'0101'B",
)
_FILTERS = (
    "(userPassword={SSHA512}a*)",
    "(userPassword:2.5.13.18:={SSHA512}a)",
    "(!(userPassword=*))",
    "(2.5.4.35=*)",
    "(userPassword;x-a=*)",
    "(\\75serPassword=*)",
    "(ou=a\0b)",
    "(ou=\\00)",
    "(objectClass=*)",
    "(mail=*)",
    "(&(ou=*a*)(memberOf=cn=x))",
    "(" * 2_000,
    "(!" * 2_000,
    "(|" + "(ou=a)" * 500 + ")",
    "(ou=",
    "()",
    "x",
    "(a=\ufdfa)",
)
_SCHEMES = (
    "{CRYPT}$2y$31$" + "a" * 53,
    "{CRYPT}$6$rounds=999999999$salt$" + "a" * 86,
    "{CRYPT}$6$rounds=" + "9" * 5_000 + "$salt$" + "a" * 86,
    "{ARGON2}$argon2id$v=19$m=4294967295,t=1,p=1$c29t$c29t",
    "{SSHA}" + "A" * 7_000,
    "{SSHA512}" + "A" * 100_000,
    "{PBKDF2}1000000000$a$a",
    "{X-UNKNOWN}secret",
    "clear text",
    "{",
    "{}",
    "$",
    "{CRYPT}",
    "{CLEARTEXT}{CLEARTEXT}x",
)


class Hostile:
    """Makes one entry."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing secret
        self._kinds: tuple[Callable[[], bytes], ...] = (
            lambda: self._one(_TEXTS).encode(),
            lambda: self._one(_ADDRESSES).encode(),
            lambda: self._one(_DNS).encode(),
            self._url,
            lambda: self._one(_SCHEMES).encode(),
            lambda: self._random.randbytes(self._random.choice((1, 20, 300, 9_000))),
            lambda: b"x" * self._random.choice((8_192, 8_193, 200_000)),
            lambda: "".join(chr(self._random.randrange(0x3000)) for _ in range(30)).encode(),
        )

    def person(self) -> tuple[str, Attributes]:
        """Return an entry that the search for users finds."""
        dn = self._random.choice((EVIL, EVIL, EVIL, f"uid={'e' * 9_000},ou=people,{SUFFIX}", "uid=e\\00,ou=people"))
        names = ("mail", "uid", "sn", "givenName", "userPassword", "MailQuota", "mailActive", "tlsIn", "mailAlias")
        more = ("proxyAddresses", "mailOnList", "mailForwardingAddress", "mailSendAs", "sAMAccountName")
        return dn, self._attributes((*names, *more), "evil", mail=f"evil@{DOMAIN}")

    def group(self) -> tuple[str, Attributes]:
        """Return an entry that the search for groups finds."""
        names = ("mail", "member", "memberUid", "memberURL", "rfc822MailMember", "mailAlias", "mailSendAs", "internal")
        more = ("catchAll", "description", "visible", "uid")
        return f"cn=evil,ou=groups,{SUFFIX}", self._attributes((*names, *more), "evil-group", mail=f"evils@{DOMAIN}")

    def forward(self) -> tuple[str, Attributes]:
        """Return an entry that the search for entries that only forward finds."""
        names = ("mail", "mailForwardingAddress")
        return f"cn=evil,ou=forwards,{SUFFIX}", self._attributes(names, "evil-forward", mail=f"evilf@{DOMAIN}")

    def _attributes(self, names: Sequence[str], entry_id: str, *, mail: str) -> Attributes:
        found: dict[str, Sequence[bytes]] = {"entryUUID": [entry_id.encode()]}
        for name in names:
            if self._random.random() < 0.6:
                found[name] = [self._value() for _ in range(self._random.choice((1, 1, 1, 2, 5, 40)))]
        if "mail" not in found or self._random.random() < 0.5:
            found["mail"] = [mail.encode()]
        if self._random.random() < 0.05:
            found["mailAlias"] = [f"{number}@{DOMAIN}".encode() for number in range(2_000)]
        return found

    def _value(self) -> bytes:
        return self._random.choice(self._kinds)()

    def _url(self) -> bytes:
        base, scope, text = self._one(_DNS), self._one(("sub", "one", "base", "", "subtree")), self._one(_FILTERS)
        if self._random.random() < 0.7:
            base, text = quote(base, safe="=,"), quote(text, safe="()=*&|!")
        return f"ldap:///{base}??{scope}?{text}".encode()

    def _one(self, values: Sequence[str]) -> str:
        return self._random.choice(values)
