"""Whose users may send as anyone: what a filter finds, or a group with all that its members lead to."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.directory import read
from ldap2mailcow.model import Answers, AnySenders
from tests.directory_server import Slapd, group, ldif, person
from tests.directory_server.scripted import Done, ScriptedServer

from .sources import reader_of, scripted


def reading(slapd: Slapd, send_as_any: str, **settings: Any) -> tuple[Answers, str]:  # noqa: ANN401 - any key
    before = len(slapd.log)
    answers = read(reader_of(slapd, send_as_any=send_as_any, **settings))
    return answers, slapd.log[before:]


@pytest.fixture(autouse=True)
def people(slapd: Slapd) -> list[str]:
    """Add three people; return their DNs."""
    found = [person(number) for number in (1, 2, 3)]
    slapd.load(ldif(found))
    return [dn for dn, _ in found]


def test_whom_a_filter_finds(slapd: Slapd, people: list[str]) -> None:
    answers, log = reading(slapd, "(|(uid=USER000001)(uid=user000003))")

    assert answers.send_as_any == AnySenders(dns=(people[0], people[2]))
    assert answers.users.doubts == ()
    assert "SRCH attr=1.1\n" in log


def found(answers: Answers) -> tuple[str, list[str]]:
    """Return the DNs of the group and of what was found of its members outside the answers."""
    assert answers.send_as_any.group is not None
    return answers.send_as_any.group.dn, sorted(entry.dn for entry in answers.send_as_any.outside)


@pytest.mark.parametrize("is_read", [True, False])
def test_a_group_with_the_groups_in_it(slapd: Slapd, people: list[str], *, is_read: bool) -> None:
    """Whether groups are read, and these are among them, or not; a group that holds itself ends."""
    chiefs, inner = group("chiefs"), group("inner")
    url = f"ldap:///{slapd.people_dn}??sub?(uid=user000003)"
    held = {"objectClass": ["mailGroup"], "member": [inner[0], people[0].upper()], "memberURL": [url]}
    slapd.add(chiefs[0], {**held, "cn": "chiefs"})
    slapd.add(*group("inner", [inner[0], chiefs[0], people[1], "cn=gone,dc=example,dc=org"]))
    mapping = {"member": ["member", "memberURL"]}
    settings = {"group_search_base": slapd.groups_dn, "group_search_filter": "(cn=*)"} if is_read else {}

    answers, log = reading(slapd, chiefs[0].upper(), group_mapping=mapping, **settings)

    outside = [] if is_read else sorted([inner[0], chiefs[0]])  # the group itself, as a member of the one in it
    assert found(answers) == (chiefs[0], outside)
    assert [entry.dn for entry in answers.send_as_any.selected[url]] == [people[2]]
    assert answers.users.doubts == ()
    assert log.lower().count(f'srch base="{chiefs[0]}" scope=0') == (0 if is_read else 1)


def test_a_group_in_it_is_found_though_the_member_filter_leaves_it_out(slapd: Slapd, people: list[str]) -> None:
    """The filter is for lists: there it stays left out."""
    slapd.add(*group("inner", [people[1]]))
    slapd.add(*group("chiefs", [f"cn=inner,{slapd.groups_dn}"]))

    answers, _ = reading(
        slapd,
        f"cn=chiefs,{slapd.groups_dn}",
        group_search_base=slapd.groups_dn,
        group_search_filter="(cn=chiefs)",
        group_member_filter="(&(objectClass=person)(entryDN={MEMBER_CN}))",
    )

    assert found(answers) == (f"cn=chiefs,{slapd.groups_dn}", [f"cn=inner,{slapd.groups_dn}"])
    assert answers.outside == ()


def test_a_group_is_found_by_way_of_one_that_was_read(slapd: Slapd, people: list[str]) -> None:
    slapd.add(*group("deep", [people[1]]))
    slapd.add(*group("read", [f"cn=deep,{slapd.groups_dn}"]))
    slapd.add(*group("chiefs", [f"cn=read,{slapd.groups_dn}"]))

    answers, _ = reading(
        slapd,
        f"cn=chiefs,{slapd.groups_dn}",
        group_search_base=slapd.groups_dn,
        group_search_filter="(cn=read)",
        group_member_filter="(&(objectClass=person)(entryDN={MEMBER_CN}))",
    )

    assert found(answers) == (f"cn=chiefs,{slapd.groups_dn}", [f"cn=deep,{slapd.groups_dn}"])


def test_users_have_their_names_though_groups_are_not_read(slapd: Slapd) -> None:
    slapd.add(*group("chiefs", ["user000002"], kind="memberUid"))

    answers, _ = reading(slapd, f"cn=chiefs,{slapd.groups_dn}", group_mapping={"member": "memberUid"})

    assert found(answers) == (f"cn=chiefs,{slapd.groups_dn}", [])
    assert [entry.values("uid") for entry in answers.users.entries][1] == (b"user000002",)


@pytest.mark.parametrize("reads_groups", [True, False])
def test_a_group_that_is_not_there_is_a_doubt(slapd: Slapd, *, reads_groups: bool) -> None:
    settings = {"group_search_base": slapd.groups_dn} if reads_groups else {}

    answers, _ = reading(slapd, f"cn=gone,{slapd.groups_dn}", **settings)

    assert answers.send_as_any == AnySenders()
    doubtful = answers.groups if reads_groups else answers.users
    assert doubtful is not None
    (doubt,) = doubtful.doubts
    assert doubt.where == "default (send_as_any)"
    assert doubt.sentence == (
        "who may send as anyone is not known for certain: No such object; see send_as_any, and what bind_dn may read"
    )
    assert not reads_groups or answers.users.doubts == ()


def test_a_group_hidden_by_an_empty_answer_is_a_doubt() -> None:
    with ScriptedServer(lambda _: [Done()]) as server:
        answers = read(scripted(server, send_as_any="cn=chiefs,dc=example,dc=org"))

    assert "'cn=chiefs,dc=example,dc=org' does not exist" in answers.users.doubts[0].sentence


def test_a_filter_that_is_cut_short_is_a_doubt() -> None:
    with Slapd(page_limits="size.soft=1 size.hard=1 size.prtotal=1") as server:
        server.add(*person(1))
        server.add(*person(2))
        answers, _ = reading(server, "(mail=*)", user_search_filter="(uid=user000001)")

    assert len(answers.send_as_any.dns) == 1
    assert "Size limit exceeded" in answers.users.doubts[0].sentence
