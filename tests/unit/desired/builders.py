"""Entries, a config and what is desired from them, with sensible defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Desired, desire
from ldap2mailcow.model import Address, Code, Entry, Mailbox

HOSTED = frozenset({"example.org", "xn--mnchen-3ya.example"})

Values = str | bytes | list[str | bytes]


def make_config(
    mapping: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    **settings: object,
) -> Config:
    """Return a config whose only source maps what the tests give."""
    ldap = {
        "uri": "ldaps://ldap.example.org",
        "user_search_base": "ou=people,dc=example,dc=org",
        "user_mapping": dict(mapping or {}),
        **(source or {}),
    }
    return Config.model_validate(
        {"ldap": ldap, "mailcow_host": "mail.example.org", "mailcow_api_key": "AB12", **settings}
    )


def dn_of(uid: str) -> str:
    return f"uid={uid},ou=people,dc=example,dc=org"


def entry(uid: str, /, **attributes: Values | None) -> Entry:
    """Return a person's entry: an id, a mail address, first and last name, unless told otherwise (None: without)."""
    given: dict[str, Values | None] = {
        "entryUUID": f"id-{uid}",
        "mail": f"{uid}@example.org",
        "givenName": uid.title(),
        "sn": "Other",
        **attributes,
    }
    return Entry(
        dn_of(uid),
        {
            name.lower(): tuple(
                value.encode() if isinstance(value, str) else value
                for value in (values if isinstance(values, list) else [values])
            )
            for name, values in given.items()
            if values is not None
        },
    )


def wish(
    *entries: Entry,
    config: Config | None = None,
    holders: Mapping[str, Address] | None = None,
    by_dn: Mapping[str, Address] | None = None,
    hosted: Iterable[str] = HOSTED,
) -> Desired:
    """Return what entries ask for; `holders` are by uid, `by_dn` those known by it only."""
    config = config or make_config()
    return desire(
        entries,
        config.sources[0],
        config,
        id_attribute="entryUUID",
        hosted=frozenset(hosted),
        holders={f"id-{uid}": address for uid, address in (holders or {}).items()} | dict(by_dn or {}),
    )


def mailbox_of(found: Entry, config: Config | None = None) -> Mailbox:
    """Return the mailbox that one entry asks for, nothing being odd about it."""
    desired = wish(found, config=config)
    assert desired.findings == ()
    (mailbox,) = desired.mailboxes.values()
    return mailbox


def codes(desired: Desired) -> list[Code]:
    return [finding.code for finding in desired.findings]
