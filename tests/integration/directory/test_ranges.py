"""Values that come in parts, as Active Directory sends them (docs/directories.md section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from ldap2mailcow.directory import read
from tests.directory_server.scripted import Done, End, Found, Reply, ScriptedServer, Search

from .sources import SOON, scripted

USERS, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"
STAFF = f"cn=staff,{GROUPS}"
PEOPLE = [Found(f"uid=user{number:04},{USERS}", {"mail": [b"x@example.org"]}) for number in range(4_000)]
MEMBERS = [person.dn.encode() for person in PEOPLE]


def part(values: Sequence[bytes], first: int, size: int = 1_500) -> dict[str, Sequence[bytes]]:
    """Return some of the values of `member`, as Active Directory does it: beside them, the attribute without any."""
    last = "*" if first + size >= len(values) else str(first + size - 1)
    return {"member": [], f"member;range={first}-{last}": values[first : first + size]}


def following(search: Search) -> int:
    """Return the first of the values that a search asks for."""
    (attribute,) = search.attributes
    return int(attribute.removeprefix("member;range=").removesuffix("-*"))


def serving(more: Callable[[Search], Iterable[Reply]]) -> ScriptedServer:
    """Return a server with 4,000 people, and a group of all of them of which it sends the first 1,500 unasked."""

    def script(search: Search) -> Iterable[Reply]:
        if search.base == USERS:
            return [*PEOPLE, Done()]
        if search.base == GROUPS:
            return [Found(STAFF, {"mail": [b"staff@example.org"]} | part(MEMBERS, 0)), Done()]
        return more(search)

    return ScriptedServer(script)


def reading(server: ScriptedServer) -> tuple[tuple[bytes, ...], str]:
    """Return the members of the group and the doubt about the groups."""
    answers = read(scripted(server, user_search_base=USERS, group_search_base=GROUPS))
    assert answers.groups is not None
    assert (answers.users.doubts, answers.outside) == ((), ())
    return answers.groups.entries[0].values("member"), " ".join(doubt.sentence for doubt in answers.groups.doubts)


def test_all_values_are_asked_for() -> None:
    with serving(lambda search: [Found(STAFF, part(MEMBERS, following(search))), Done()]) as server:
        members, doubt = reading(server)

    assert (members, doubt) == (tuple(MEMBERS), "")
    asked = [(search.base, search.scope, search.attributes) for search in server.searches[2:]]
    assert asked == [(STAFF, 0, ("member;range=1500-*",)), (STAFF, 0, ("member;range=3000-*",))]


def test_values_of_users_are_asked_for_too() -> None:
    user = f"uid=ann,{USERS}"

    def script(search: Search) -> Iterable[Reply]:
        if search.base == user:
            return [Found(user, {"proxyAddresses;Range=2-*": [b"c"]}), Done()]
        return [Found(user, {"proxyAddresses;Range=0-1": [b"a", b"b"]}), Done()]

    with ScriptedServer(script) as server:
        answer = read(scripted(server, user_search_base=USERS, user_mapping={"aliases": ["proxyAddresses"]})).users

    assert answer.entries[0].values("proxyAddresses") == (b"a", b"b", b"c")
    assert answer.doubts == ()


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([Done(32)], "member;range=0-1499: No such object"),
        ([Done()], "member;range=0-1499"),
        ([Found(STAFF, {"member": []}), Done()], "member;range=0-1499"),
        ([Found(STAFF, {"member;range=1500-*": []}), Done()], "member;range=0-1499"),
        ([Found(STAFF, part(MEMBERS, 0)), Done()], "member;range=0-1499"),
        ([End.DROP], "member;range=0-1499: the connection was lost"),
        ([End.SILENCE], f"member;range=0-1499: no answer within {SOON} seconds"),
    ],
)
def test_values_that_do_not_come_are_a_doubt(replies: Iterable[Reply], reason: str) -> None:
    with serving(lambda _: replies) as server:
        members, doubt = reading(server)

    assert members == tuple(MEMBERS[:1_500])
    assert f"may not be all: not all values of an attribute were sent ({reason});" in doubt
    assert len(server.searches) == 3


def test_values_that_came_before_a_failure_are_kept() -> None:
    def more(search: Search) -> Iterable[Reply]:
        first = following(search)
        return [Found(STAFF, part(MEMBERS, first)), Done()] if first == 1_500 else [Done(51)]

    with serving(more) as server:
        members, doubt = reading(server)

    assert members == tuple(MEMBERS[:3_000])
    assert "(member;range=0-1499: Server is busy)" in doubt


def test_a_server_that_never_ends_is_given_up() -> None:
    def more(search: Search) -> Iterable[Reply]:
        first = following(search)
        return [Found(STAFF, {f"member;range={first}-{first}": MEMBERS[:1]}), Done()]

    with serving(more) as server:
        members, doubt = reading(server)

    assert len(members) == 1_500 + 1_000
    assert "not all values of an attribute were sent (member;range=0-1499)" in doubt
    assert len(server.searches) == 2 + 1_000
