"""Entries, a config and what is desired from them, with sensible defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Desired, Wishes, desire, desire_aliases
from ldap2mailcow.model import Address, Answer, Answers, Code, Entry, Finding, Mailbox

HOSTED = frozenset({"example.org", "xn--mnchen-3ya.example"})
ALIAS_DOMAINS = {"alias.example": "example.org"}
LISTS = {"group_search_base": "ou=groups,dc=example,dc=org"}
"""Settings of a source that make groups into lists."""

Values = str | bytes | Sequence[str | bytes]


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


def group_dn(cn: str) -> str:
    return f"cn={cn},ou=groups,dc=example,dc=org"


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
                for value in ([values] if isinstance(values, str | bytes) else values)
            )
            for name, values in given.items()
            if values is not None
        },
    )


def group(cn: str, /, **attributes: Values | None) -> Entry:
    """Return a group's entry: an id, a name and a mail address, unless told otherwise (None: without)."""
    return replace(entry(cn, **{"cn": cn, "givenName": None, "sn": None, **attributes}), dn=group_dn(cn))


def ask(  # noqa: PLR0913 - all that a directory may say
    *users: Entry,
    groups: Iterable[Entry] = (),
    forwards: Iterable[Entry] = (),
    outside: Iterable[Entry] = (),
    selected: Mapping[str, tuple[Entry, ...]] | None = None,
    anyone: Iterable[str] = (),
    config: Config | None = None,
    holders: Mapping[str, str] | None = None,
    mailboxes: Mapping[str, Address] | None = None,
    has_mailbox: Iterable[str] = (),
    former: Mapping[Address, Address] | None = None,
) -> Wishes:
    """Return what the entries of one directory ask for besides mailboxes.

    `holders` are owners by alias, `mailboxes` addresses by id: who has what now; `former` addresses, whose they were.
    """
    config = config or make_config(source=LISTS)
    source = config.sources[0]
    people = desire(
        users,
        source,
        config,
        id_attribute="entryUUID",
        hosted=HOSTED,
        holders=mailboxes or {},
        has_mailbox=[Address(address) for address in has_mailbox],
    )
    people = replace(people, former=former or {})
    answers = Answers(
        Answer("default", users),
        Answer("default", tuple(groups)) if source.reads_groups else None,
        Answer("default", tuple(forwards)) if source.reads_forwards else None,
        tuple(outside),
        selected or {},
        tuple(anyone),
    )
    return desire_aliases(
        answers,
        people,
        source,
        config,
        id_attribute="entryUUID",
        hosted=HOSTED | ALIAS_DOMAINS.keys(),
        alias_domains=ALIAS_DOMAINS,
        holders={Address(address): owner for address, owner in (holders or {}).items()},
    )


def goto_of(wishes: Wishes) -> dict[str, tuple[str, ...]]:
    """Return by alias where it goes."""
    return {str(address): tuple(map(str, alias.goto)) for address, alias in wishes.aliases.items()}


def only(found: Desired | Wishes, code: Code) -> Finding:
    """Return the only finding, of that code."""
    (finding,) = found.findings
    assert finding.code is code
    return finding


def wish(
    *entries: Entry,
    config: Config | None = None,
    holders: Mapping[str, Address] | None = None,
    by_dn: Mapping[str, Address] | None = None,
    hosted: Iterable[str] = HOSTED,
    has_mailbox: Iterable[Address] = (),
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
        has_mailbox=tuple(has_mailbox),
    )


def mailbox_of(found: Entry, config: Config | None = None) -> Mailbox:
    """Return the mailbox that one entry asks for, nothing being odd about it."""
    desired = wish(found, config=config)
    assert desired.findings == ()
    (mailbox,) = desired.mailboxes.values()
    return mailbox


def codes(desired: Desired | Wishes) -> list[Code]:
    return [finding.code for finding in desired.findings]
