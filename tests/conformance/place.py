"""Where the cases run: a server, clients for it, and what was made there so that it can be removed."""

import secrets
from itertools import count
from typing import Any

import pytest

from tests.mailcow_server import MailcowServer

from .client import Client

HASH = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"
OTHER_HASH = "{SHA512-CRYPT}$6$salt$0123456789"
MIB = 1024 * 1024


class Place:
    """One server during one case.

    Attributes:
        api: the client with the key that may write.
        reader: the client with the key that may only read, None where there is no such key.
        stand_in: our own server, None on a real one.
    """

    _numbers = count(1)

    def __init__(self, api: Client, reader: Client | None, stand_in: MailcowServer | None) -> None:
        self.api = api
        self.reader = reader
        self.stand_in = stand_in
        self._domains: list[str] = []
        self._alias_domains: list[str] = []
        self._templates: list[int] = []

    def name(self) -> str:
        """A domain name that nobody else uses; it is not made yet."""
        own = f"c{next(self._numbers)}" if self.stand_in is not None else f"c{secrets.token_hex(6)}"
        return f"{own}.test"

    def domain(self, **limits: object) -> str:
        """A new domain; quotas in MiB, no DKIM key."""
        name = self.name()
        self._domains.append(name)
        fields = {"mailboxes": 20, "aliases": 20, "defquota": 50, "maxquota": 500, "quota": 2000, "active": 1}
        answer = self.api.post("add/domain", {"domain": name, **fields, "key_size": 0, "dkim_selector": "", **limits})
        assert answer.said == [("success", ["domain_added", name])]
        return name

    def alias_domain(self, target: str, **fields: object) -> str:
        """A new alias domain."""
        name = self.name()
        self._alias_domains.append(name)
        usual = {"alias_domain": name, "target_domain": target, "active": 1, "key_size": 0, "dkim_selector": ""}
        assert self.api.post("add/alias-domain", {**usual, **fields}).said == [("success", ["aliasd_added", name])]
        return name

    def mailbox(self, domain: str, local_part: str = "ann", **fields: object) -> str:
        """A new mailbox; a field that is None is not sent."""
        answer = self.api.post("add/mailbox", mailbox_fields(domain, local_part, **fields))
        address = f"{local_part}@{domain}"
        assert answer.said == [("success", ["rl_saved", address]), ("success", ["mailbox_added", address])]
        return address

    def alias(self, address: str, goto: str, **fields: object) -> int:
        """A new alias; its number."""
        answer = self.api.post("add/alias", alias_fields(address, goto, **fields))
        ((kind, (code, said, number)),) = answer.said
        assert (kind, code, said) == ("success", "alias_added", address)
        return int(number)

    def template(self, **fields: object) -> int:
        """A new mailbox template; its number."""
        name = f"template {self.name()}"
        answer = self.api.post("add/mailbox/template", {"template": name, **fields})
        assert answer.said == [("success", ["template_added", name])]
        rows = self.api.get("get/mailbox/template/all").json
        number = next(int(row["id"]) for row in rows if row["template"] == name)
        self._templates.append(number)
        return number

    def read(self, address: str) -> dict[str, Any]:
        """A mailbox as the API shows it."""
        found: dict[str, Any] = self.api.get(f"get/mailbox/{address}").json
        return found

    def read_alias(self, number: int) -> dict[str, Any]:
        """An alias as the API shows it."""
        found: dict[str, Any] = self.api.get(f"get/alias/{number}").json
        return found

    def goto_of(self, address: str, domain: str) -> str | None:
        """Where an alias goes, None when there is no such alias."""
        rows = self.api.get(f"get/alias/all/{domain}").json or []
        return next((str(row["goto"]) for row in rows if row["address"] == address), None)

    def own_server(self) -> MailcowServer:
        """Our stand-in, for what no client may ask or what would disturb a real server."""
        if self.stand_in is None:
            pytest.skip("not done to a real server")
        return self.stand_in

    def paths(self) -> list[str]:
        """What was asked so far."""
        return [*self.api.paths, *(self.reader.paths if self.reader is not None else [])]

    def close(self) -> None:
        """End the connections."""
        self.api.close()
        if self.reader is not None:
            self.reader.close()

    def clean_up(self) -> None:
        """Remove what was made, by the recorded names only."""
        for name in self._alias_domains:
            self.api.post("delete/alias-domain", [name])
        for domain in self._domains:
            rows = self.api.get(f"get/mailbox/reduced/{domain}").json or []
            for row in rows:
                if row["domain"] == domain:
                    self.api.post("delete/mailbox", [row["username"]])
            self.api.post("delete/domain", [domain])
        if self._templates:
            self.api.post("delete/mailbox/template", self._templates)


def mailbox_fields(domain: str, local_part: str = "ann", **fields: object) -> dict[str, object]:
    """The body of an add/mailbox; a field that is None is not sent."""
    usual: dict[str, object] = {
        "local_part": local_part, "domain": domain, "name": "Ann Other", "quota": 10, "active": 1,
        "password": HASH, "password2": HASH,
    }  # fmt: skip
    return {name: value for name, value in (usual | fields).items() if value is not None}


def alias_fields(address: str, goto: str, **fields: object) -> dict[str, object]:
    """The body of an add/alias with all four flags."""
    usual: dict[str, object] = {"active": 1, "sogo_visible": 0, "sender_allowed": 1, "internal": 0}
    return {"address": address, "goto": goto, **usual, **fields}
