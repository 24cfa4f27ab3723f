"""The ldap blocks that these tests read with."""

from __future__ import annotations

from typing import Any

from ldap2mailcow.config import Source
from tests.directory_server import Slapd
from tests.directory_server.scripted import ScriptedServer

SOON = 0.3  # seconds until a silent server is given up; the config has whole ones only


def reader_of(server: Slapd, **settings: Any) -> Source:  # noqa: ANN401 - any key of the block
    """Return the block that reads everything of a slapd, over clear LDAP unless told otherwise."""
    block = {
        "uri": [server.uri],
        "bind_dn": server.reader_dn,
        "bind_pw": server.reader_password,
        "user_search_base": server.people_dn,
    }
    return Source.model_validate(block | settings)


def scripted(server: ScriptedServer, **settings: Any) -> Source:  # noqa: ANN401 - any key of the block
    """Return the block that reads a scripted server, which doesn't care who asks; it is given up soon."""
    block = {"uri": [server.uri], "bind_dn": "cn=reader", "bind_pw": "secret", "user_search_base": "dc=example,dc=org"}
    return impatient(Source.model_validate(block | settings))


def impatient(source: Source) -> Source:
    """Return the block with a timeout that a test can wait for."""
    return source.model_copy(update={"timeout": SOON})
