"""Groups and entries that only forward: what is read of them, and that each answer has its own doubts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from ldap2mailcow.directory import BadFilter, Unreachable, read
from ldap2mailcow.model import AnySenders, Code, Entry
from tests.directory_server import Slapd, forward, group, person
from tests.directory_server.scripted import Bind, Done, End, Found, Reply, ScriptedServer, Search

from .sources import SOON, reader_of, scripted

USERS, GROUPS, FORWARDS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org", "ou=forwards,dc=example,dc=org"
ANN = Found(f"uid=ann,{USERS}", {"mail": [b"ann@example.org"]})
STAFF = Found(f"cn=staff,{GROUPS}", {"mail": [b"staff@example.org"], "member": [ANN.dn.encode()]})
INFO = Found(f"cn=info,{FORWARDS}", {"mail": [b"info@example.org"], "mailForwardingAddress": [b"ann@example.org"]})


def answering(**replies: Iterable[Reply]) -> ScriptedServer:
    """Return a server with one user, one group and one forward; by base, it answers otherwise."""
    usual: dict[str, Iterable[Reply]] = {
        "users": (ANN, Done()),
        "groups": (STAFF, Done()),
        "forwards": (INFO, Done()),
    }
    kinds = {USERS: "users", GROUPS: "groups", FORWARDS: "forwards"}

    def script(search: Search) -> Iterator[Reply]:
        yield from (usual | replies)[kinds[search.base]]

    return ScriptedServer(script)


def bases() -> dict[str, str]:
    return {"user_search_base": USERS, "group_search_base": GROUPS, "alias_search_base": FORWARDS}


# What is read


def test_groups_and_forwards_are_read_with_one_bind(slapd: Slapd) -> None:
    ann = person(1)
    slapd.add(*ann)
    slapd.add(*group("staff", [ann[0]]))
    slapd.add(*forward("info", ["ann@example.org", "bob@elsewhere.test"]))
    seen = len(slapd.log)

    answers = read(reader_of(slapd, group_search_base=slapd.groups_dn, alias_search_base=slapd.groups_dn))

    assert [entry.dn for entry in answers.users.entries] == [ann[0]]
    assert answers.groups is not None
    (staff,) = answers.groups.entries
    assert staff.dn == f"cn=staff,{slapd.groups_dn}"
    assert (staff.values("mail"), staff.values("member")) == ((b"staff@example.org",), (ann[0].encode(),))
    assert answers.forwards is not None
    (info,) = answers.forwards.entries
    assert info.values("mailForwardingAddress") == (b"ann@example.org", b"bob@elsewhere.test")
    assert answers.users.doubts == answers.groups.doubts == answers.forwards.doubts == ()
    assert (answers.outside, answers.selected, answers.send_as_any) == ((), {}, AnySenders())
    assert slapd.log[seen:].count(f'BIND dn="{slapd.reader_dn}" method=128') == 1


def test_only_what_is_mapped_is_asked_for(slapd: Slapd) -> None:
    seen = len(slapd.log)

    answers = read(reader_of(slapd))

    assert (answers.groups, answers.forwards) == (None, None)
    assert slapd.log[seen:].count("SRCH base=") == 2  # the root DSE and the users


def test_the_attributes_of_groups_and_forwards(slapd: Slapd) -> None:
    seen = len(slapd.log)

    read(
        reader_of(
            slapd,
            user_mapping={"id": "entryUUID"},
            group_search_base=slapd.groups_dn,
            group_mapping={"member": ["member", "memberUid"], "comment": "description"},
            alias_search_base=slapd.groups_dn,
        )
    )

    log = slapd.log[seen:]
    assert "SRCH attr=entryUUID mail member memberUid description uid sAMAccountName\n" in log
    assert "SRCH attr=entryUUID mail mailForwardingAddress\n" in log


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("member", f"uid=user000001,{USERS}"),
        ("uniqueMember", f"uid=user000001,{USERS}#'0101'B"),
        ("memberUid", "user000001"),
        ("rfc822MailMember", "ann@elsewhere.test"),
    ],
)
def test_every_kind_of_member_comes_as_it_is_stored(slapd: Slapd, kind: str, value: str) -> None:
    slapd.add(*person(1))
    slapd.add(*group("staff", [value], kind=kind))
    seen = len(slapd.log)

    answers = read(reader_of(slapd, group_search_base=slapd.groups_dn, group_mapping={"member": kind}))

    assert answers.groups is not None
    assert answers.groups.entries[0].values(kind) == (value.encode(),)
    assert answers.outside == ()
    assert slapd.log[seen:].count("SRCH base=") == 3  # nobody had to be looked up


def test_each_search_is_told_and_all_are_counted(slapd: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    slapd.add(*group("staff", [f"uid=gone,{slapd.people_dn}"]))
    seen = len(slapd.log)

    read(reader_of(slapd, group_search_base=slapd.groups_dn, alias_search_base=slapd.groups_dn, send_as_any="(cn=x)"))

    assert [record.getMessage() for record in caplog.records] == [
        f"{slapd.uri}: bound as {slapd.reader_dn}; 0 entries in 1 pages",
        "groups: 1 entries in 1 pages",
        "entries that only forward: 0 entries in 1 pages",
        "send_as_any: 0 entries in 1 pages",
        "members: 0 entries in 0 pages",  # the base, which is that one DN, does not exist
        f"{slapd.uri}: 6 searches",
    ]
    assert slapd.log[seen:].count("SRCH base=") == 6


# What can't be read


def test_a_group_base_that_does_not_exist_leaves_the_users(slapd: Slapd) -> None:
    slapd.add(*person(1))
    missing = f"ou=lists,{slapd.suffix}"

    answers = read(reader_of(slapd, group_search_base=missing))

    assert (len(answers.users.entries), answers.users.doubts) == (1, ())
    assert answers.groups is not None
    (doubt,) = answers.groups.doubts
    assert (doubt.code, doubt.where) == (Code.ANSWER_CUT_SHORT, "default (groups)")
    assert doubt.sentence == (
        f"the search for groups brought nothing: group_search_base '{missing}' does not exist, or bind_dn may not see "
        f"it (what exists is '{slapd.suffix}'); the server says: No such object"
    )


def test_groups_that_may_not_be_read_leave_the_users() -> None:
    with Slapd() as server:
        access = [
            f'to dn.subtree="{server.groups_dn}" by * auth',
            f'to * by dn.exact="{server.reader_dn}" read by * auth',
        ]
        server.modify("olcDatabase={1}mdb,cn=config", {"olcAccess": access})
        server.add(*person(1))
        server.add(*group("staff", [person(1)[0]]))
        answers = read(reader_of(server, group_search_base=server.groups_dn))

    assert len(answers.users.entries) == 1
    assert answers.groups is not None
    assert answers.groups.entries == ()
    assert "bind_dn may not search" in answers.groups.doubts[0].sentence


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("group_search_filter", "(&(mail=*)(=))"),
        ("alias_search_filter", "(&(mail=*)(=))"),
        ("send_as_any", "(&(mail=*)(=))"),
    ],
)
def test_a_filter_that_is_none_is_a_mistake_in_the_config(slapd: Slapd, key: str, value: str) -> None:
    with pytest.raises(BadFilter, match="is not valid"):
        read(reader_of(slapd, **{key: value}))


def test_users_that_can_not_be_read_end_it_before_groups_are_asked_for() -> None:
    with answering(users=[Done(50)]) as server, pytest.raises(Unreachable):
        read(scripted(server, **bases()))

    assert [search.base for search in server.searches] == [USERS]


def test_each_answer_has_its_own_doubts() -> None:
    with answering(groups=[STAFF, Done(3, "slow")], forwards=[INFO, Done(4)]) as server:
        answers = read(scripted(server, **bases()))

    assert answers.users.doubts == ()
    assert answers.groups is not None
    assert answers.forwards is not None
    (of_groups,), (of_forwards,) = answers.groups.doubts, answers.forwards.doubts
    assert (of_groups.where, of_forwards.where) == ("default (groups)", "default (forwards)")
    assert of_groups.sentence == (
        "the search for groups sent 1 entries, which may not be all: Time limit exceeded (slow); let bind_dn search "
        "longer in the server's limits, or narrow group_search_filter; raise the bind DN's limits in the directory, or "
        "look at the server if it was cut off"
    )
    assert of_forwards.sentence.startswith("the search for entries that only forward sent 1 entries, which may not be")


@pytest.mark.parametrize(
    ("end", "reason"), [(End.DROP, "the connection was lost"), (End.SILENCE, f"no answer within {SOON} seconds")]
)
def test_a_lost_connection_leaves_what_came_and_asks_no_more(end: End, reason: str) -> None:
    with answering(groups=[STAFF, end]) as server:
        answers = read(scripted(server, send_as_any="(title=chief)", **bases()))

    assert answers.users.entries == (Entry(ANN.dn, {"mail": (b"ann@example.org",)}),)
    assert answers.groups is not None
    assert answers.forwards is not None
    assert [entry.dn for entry in answers.groups.entries] == [STAFF.dn]
    assert reason in answers.groups.doubts[0].sentence
    assert answers.groups.doubts[1].where == "default (send_as_any)"
    (doubt,) = answers.forwards.doubts
    assert doubt.sentence == "the search for entries that only forward brought nothing: the connection was lost"
    assert [search.base for search in server.searches] == [USERS, GROUPS]
    assert sum(isinstance(request, Bind) for request in server.requests) == 1
