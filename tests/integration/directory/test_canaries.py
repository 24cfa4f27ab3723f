"""Entries that must be there for an answer to count as whole."""

from __future__ import annotations

from collections.abc import Iterable

from ldap2mailcow.directory import read
from ldap2mailcow.model import Code
from tests.directory_server import Slapd
from tests.directory_server.scripted import Done, End, Found, Reply, ScriptedServer, Search, pages

from .sources import reader_of, scripted

CANARY = "uid=canary,dc=example,dc=org"
SOMEBODY = pages([Found("uid=anna,dc=example,dc=org", {"mail": [b"anna@example.org"]})])


def answering(*replies: Reply) -> ScriptedServer:
    """Return a server that answers so when the canary is asked for, and normally else."""

    def script(search: Search) -> Iterable[Reply]:
        return replies if search.base == CANARY else SOMEBODY(search)

    return ScriptedServer(script)


def test_a_canary_that_is_there_is_no_doubt(slapd: Slapd) -> None:
    seen = len(slapd.log)

    assert read(reader_of(slapd, canary_dns=[slapd.people_dn, slapd.groups_dn])).users.doubts == ()
    log = slapd.log[seen:]
    assert f'SRCH base="{slapd.groups_dn}" scope=0' in log
    assert "SRCH attr=1.1\n" in log


def test_a_missing_canary_is_a_doubt(slapd: Slapd) -> None:
    missing = f"uid=canary,{slapd.people_dn}"

    (doubt,) = read(reader_of(slapd, canary_dns=[slapd.people_dn, missing])).users.doubts

    assert (doubt.code, doubt.where) == (Code.CANARY_MISSING, missing)
    assert doubt.sentence == (
        "this canary entry of default can't be read: it does not exist; let the bind DN read it, or take it out of "
        "canary_dns if it is meant to be gone"
    )


def test_a_canary_hidden_by_an_empty_answer_is_a_doubt() -> None:
    with answering(Done()) as server:
        (doubt,) = read(scripted(server, canary_dns=[CANARY])).users.doubts

    assert (doubt.code, doubt.where) == (Code.CANARY_MISSING, CANARY)


def test_any_other_error_of_a_canary_is_a_doubt_too() -> None:
    with answering(Done(50, "no")) as server:
        (doubt,) = read(scripted(server, canary_dns=[CANARY])).users.doubts

    assert "can't be read: Insufficient access (no);" in doubt.sentence


def test_a_connection_lost_at_a_canary_ends_the_questions() -> None:
    with answering(End.DROP) as server:
        doubts = read(scripted(server, canary_dns=[CANARY, "dc=example,dc=org"])).users.doubts

    assert [doubt.code for doubt in doubts] == [Code.CANARY_MISSING, Code.CANARY_MISSING]
    assert [search.base for search in server.searches] == ["dc=example,dc=org", CANARY]
    assert server.binds == 1
