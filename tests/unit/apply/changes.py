"""Changes, and a mailcow that they fit."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from ldap2mailcow.apply.live import Now
from ldap2mailcow.calls import requests_of
from ldap2mailcow.mailcow import Mailcow, send
from ldap2mailcow.model import (
    Address,
    AliasChange,
    Change,
    Existing,
    ExistingAlias,
    FieldChange,
    Kind,
    MailboxChange,
    RenameChange,
    Rule,
    Value,
)
from tests.unit.plan.builders import MARK

SECRET = SecretStr("{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc")
NEWER = SecretStr("{SSHA}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
VALUES: dict[str, Value] = {
    "name": "Some Body",
    "quota": 100,
    "active": 1,
    "authsource": "mailcow",
    "tls_enforce_in": 1,
    "tls_enforce_out": 0,
}
ALIAS: dict[str, Value] = {
    "active": 1,
    "internal": 0,
    "sender_allowed": 1,
    "sogo_visible": 0,
    "public_comment": "",
    "private_comment": MARK,
}


def create(address: Address, **more: Any) -> MailboxChange:  # noqa: ANN401 - of any field
    fields: dict[str, Any] = {"writes": VALUES, "password": SECRET, "add_tags": (MARK,), **more}
    return MailboxChange(Kind.CREATE, address, Rule.NEW, **fields)


def make_alias(address: Address, *goto: Address, **more: Value) -> AliasChange:
    writes: dict[str, Value] = {"goto": ",".join(sorted(goto)), **ALIAS, **more}
    fields = (FieldChange("goto", None, writes["goto"]),)
    return AliasChange(Kind.CREATE, address, Rule.NEW, fields=fields, writes=writes, remember={"applied": writes})


def rename(former: Address, address: Address, gives_way: int | None = None) -> RenameChange:
    left: dict[str, Value] = {"goto": address, **ALIAS, "private_comment": f"{MARK}:renamed"}
    return RenameChange(Kind.RENAME, address, Rule.RENAMED, former=former, left=left, gives_way=gives_way)


def do(client: Mailcow, *changes: Change) -> None:
    """Make changes without any care, so that there is something to work on."""
    for change in changes:
        for request in requests_of(change):
            assert not send(client, request.call).refused


def mailbox(client: Mailcow, address: Address) -> Existing:
    found = Now(client).mailbox(address)
    assert found is not None
    return found


def alias(client: Mailcow, address: Address) -> ExistingAlias:
    found = Now(client).alias(address)
    assert found is not None
    return found
