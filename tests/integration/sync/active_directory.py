"""slapd made to look like Active Directory, as far as our searches can tell (docs/directories.md section 6)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from .installation import DOMAIN

SCHEMA = """\
dn: cn=lookalike,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: lookalike
olcAttributeTypes: ( 1.2.840.113556.1.4.782 NAME 'objectCategory'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
olcObjectClasses: ( 1.2.840.113556.1.5.9 NAME 'user'
  SUP inetOrgPerson STRUCTURAL
  MAY ( objectCategory $ sAMAccountName $ userAccountControl $ objectGUID $ proxyAddresses $ distinguishedName ) )
olcObjectClasses: ( 1.2.840.113556.1.5.8 NAME 'group'
  SUP top STRUCTURAL
  MUST cn
  MAY ( mail $ member $ description $ objectCategory $ sAMAccountName $ objectGUID $ proxyAddresses
  $ distinguishedName ) )
"""

NORMAL, DISABLED = "512", "514"
"""userAccountControl of an ordinary account, and of one that is disabled (MS-ADTS section 2.2.16)."""

Attributes = dict[str, Sequence[bytes]]


def ad_user(name: str, *, base: str, control: str = NORMAL, proxies: Iterable[str] = ()) -> tuple[str, Attributes]:
    """Return the DN and the attributes of a user; the DN begins with CN, and there is no password to be seen."""
    dn = f"CN={name},{base}"
    return dn, _encoded(
        objectClass=["user"],
        objectCategory=["person"],
        cn=[name],
        sn=[name],
        sAMAccountName=[name],
        mail=[f"{name}@{DOMAIN}"],
        userAccountControl=[control],
        objectGUID=[_guid(dn)],
        proxyAddresses=list(proxies),
        distinguishedName=[dn],
    )


def ad_group(
    name: str, members: Iterable[str], *, base: str, proxies: Iterable[str] = (), mail: str | None = None
) -> tuple[str, Attributes]:
    """Return the DN and the attributes of a group, members by DN; it may be empty, and without an address (mail="")."""
    dn = f"CN={name},{base}"
    address = f"{name}@{DOMAIN}" if mail is None else mail
    return dn, _encoded(
        objectClass=["group"],
        objectCategory=["group"],
        cn=[name],
        sAMAccountName=[name],
        mail=[address] if address else [],
        objectGUID=[_guid(dn)],
        proxyAddresses=list(proxies),
        member=list(members),
        distinguishedName=[dn],
    )


def _guid(dn: str) -> bytes:
    """Return 16 octets, the first three groups little-endian (MS-DTYP section 2.3.4.2)."""
    return uuid.uuid5(uuid.NAMESPACE_X500, dn).bytes_le


def _encoded(**attributes: Sequence[str | bytes]) -> Attributes:
    return {
        name: [value.encode() if isinstance(value, str) else value for value in values]
        for name, values in attributes.items()
        if values
    }
