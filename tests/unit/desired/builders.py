"""Entries, a config and what the entries ask for, with sensible defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ldap2mailcow.config import Config
from ldap2mailcow.desired import Asked, EntryId, Group, User, read_answers
from ldap2mailcow.model import Answer, Answers, AnySenders, Code, Entry, Finding

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


def ask(
    *users: Entry,
    groups: Iterable[Entry] = (),
    forwards: Iterable[Entry] = (),
    outside: Iterable[Entry] = (),
    selected: Mapping[str, tuple[Entry, ...]] | None = None,
    unsure: Mapping[str, str] | None = None,
    anyone: AnySenders | None = None,
    config: Config | None = None,
) -> Asked:
    """Return what the entries of one directory ask for."""
    config = config or make_config(source=LISTS)
    source = config.sources[0]
    answers = Answers(
        Answer(users),
        Answer(tuple(groups)) if source.reads_groups else None,
        Answer(tuple(forwards)) if source.reads_forwards else None,
        tuple(outside),
        selected or {},
        unsure or {},
        anyone or AnySenders(),
    )
    return read_answers(answers, source, config, id_attribute="entryUUID")


def user_of(found: Entry, config: Config | None = None) -> User:
    """Return what the entry of one user asks for, nothing being odd about it."""
    asked = ask(found, config=config)
    assert asked.findings == ()
    (user,) = asked.users
    return user


def group_of(asked: Asked, cn: str = "staff") -> Group:
    """Return a group by the name in its DN or, outside the answers and for lists that only members name, in its id."""
    (found,) = (one for one in asked.groups if one.id.id in {f"id-{cn}", group_dn(cn), f"{cn}@example.org"})
    return found


def id_of(name: str) -> EntryId:
    """Return the id of an entry of these builders."""
    return EntryId("default", f"id-{name}")


def codes(asked: Asked) -> list[Code]:
    return [finding.code for finding in asked.findings]


def only(asked: Asked, code: Code) -> Finding:
    """Return the only finding, of that code."""
    (finding,) = asked.findings
    assert finding.code is code
    return finding
