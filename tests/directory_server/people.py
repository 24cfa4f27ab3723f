"""People, groups and forwards for the directory: always the same ones, as many as are asked for."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence

_FIRST = ("Anna", "Björn", "Chloé", "David", "Elif", "Femke", "Goran", "Hana", "Igor", "Jana", "Łukasz")
_LAST = ("Ahmed", "Bergström", "Costa", "Dubois", "Eriksson", "Fischer", "García", "Horvat", "Ivanov", "Jansen")
_QUOTAS = ("512", "1024", "2048", "4096")

_GROUP_CLASSES = {
    "member": "groupOfNames",
    "uniqueMember": "groupOfUniqueNames",
    "memberUid": "posixGroup",
    "memberURL": "groupOfURLs",
    "rfc822MailMember": "nisMailAlias",
}

Attributes = Mapping[str, Sequence[bytes]]


def person(
    number: int,
    *,
    suffix: str = "dc=example,dc=org",
    domain: str = "example.org",
    password_hash: str | None = None,
) -> tuple[str, Attributes]:
    """Return the DN and the attributes of one person below `ou=people`, mail `user000042@domain`.

    The clear text of the password is `password-<number>`, kept as {SSHA512} unless a hash is given; the quota is in
    MiB. entryUUID is not among the attributes: slapd makes it, except in `ldif`, where it follows from the DN.
    """
    uid = f"user{number:06}"
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
    attributes = {
        "objectClass": ["inetOrgPerson", "mailPerson"],
        "uid": [uid],
        "cn": [f"{first} {last}"],
        "givenName": [first],
        "sn": [last],
        "mail": [f"{uid}@{domain}"],
        "userPassword": [password_hash or _ssha512(f"password-{number}", salt=uid)],
        "MailQuota": [_QUOTAS[number % len(_QUOTAS)]],
        "mailActive": ["TRUE"],
    }
    encoded = {name: [value.encode() for value in values] for name, values in attributes.items()}
    return f"uid={uid},ou=people,{suffix}", encoded


def group(
    name: str,
    members: Iterable[str | bytes] = (),
    *,
    kind: str = "member",
    suffix: str = "dc=example,dc=org",
    domain: str = "example.org",
    more: Mapping[str, Sequence[str]] | None = None,
) -> tuple[str, Attributes]:
    """Return the DN and the attributes of a group below `ou=groups`, mail `name@domain`, with its members as given.

    kind: the attribute that holds them, which decides the class; a group of none is a `mailGroup`, which may be empty.
    more: further attributes, in the place of those that are set here.
    """
    values = [member.encode() if isinstance(member, str) else member for member in members]
    structural = _GROUP_CLASSES[kind] if values else "mailGroup"
    attributes: dict[str, Sequence[str]] = {
        "objectClass": [structural, "mailPerson"],
        "cn": [name],
        "mail": [f"{name}@{domain}"],
        **({"gidNumber": ["1000"]} if structural == "posixGroup" else {}),
        **(more or {}),
    }
    encoded = {key: [value.encode() for value in each] for key, each in attributes.items()}
    return f"cn={name},ou=groups,{suffix}", {**encoded, **({kind: values} if values else {})}


def forward(
    name: str, targets: Iterable[str], *, suffix: str = "dc=example,dc=org", domain: str = "example.org"
) -> tuple[str, Attributes]:
    """Return the DN and the attributes of an entry below `ou=groups` that only forwards, mail `name@domain`."""
    attributes = {
        "objectClass": [b"mailForward"],
        "cn": [name.encode()],
        "mail": [f"{name}@{domain}".encode()],
        "mailForwardingAddress": [target.encode() for target in targets],
    }
    return f"cn={name},ou=groups,{suffix}", attributes


def ldif(entries: Iterable[tuple[str, Attributes]]) -> str:
    """Return entries as LDIF (RFC 2849) for `Slapd.load`; entryUUID follows from the DN, so it is always the same."""
    blocks = []
    for dn, attributes in entries:
        lines = [_line("dn", dn.encode()), f"entryUUID: {uuid.uuid5(uuid.NAMESPACE_X500, dn)}"]
        lines += [_line(name, value) for name, values in attributes.items() for value in values]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _line(name: str, value: bytes) -> str:
    """Write one value: in clear where RFC 2849 calls it a SAFE-STRING, else in base64."""
    plain = value.isascii() and value.decode().isprintable() and not value.startswith((b" ", b":", b"<"))
    if plain and not value.endswith(b" "):
        return f"{name}: {value.decode()}"
    return f"{name}:: {base64.b64encode(value).decode()}"


def _ssha512(password: str, *, salt: str) -> str:
    digest = hashlib.sha512((password + salt).encode()).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt.encode()).decode()
