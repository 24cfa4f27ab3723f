"""Members that are in no answer: who is found, by how many searches, and what is said where that fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ldap2mailcow.directory import read
from ldap2mailcow.model import Answers
from tests.directory_server import Slapd, forward, group, ldif, person
from tests.directory_server.scripted import Done, End, Found, Reply, ScriptedServer, Search

from .sources import reader_of, scripted

USERS_ONLY = "(&(mail=*)(mailActive=TRUE))"
ODD = 'Ann (Chief) *, "A\\B" <x> #1; a+b=c é'
ODD_ESCAPED = 'Ann (Chief) *\\, \\"A\\\\B\\" \\<x\\> #1\\; a\\+b\\=c é'


def reading(slapd: Slapd, **settings: Any) -> tuple[Answers, int, str]:  # noqa: ANN401 - any key of the block
    """Read; return the answers, the number of searches, and what slapd logged."""
    before = len(slapd.log)
    answers = read(reader_of(slapd, **({"group_search_base": slapd.groups_dn} | settings)))
    log = slapd.log[before:]
    return answers, log.count("SRCH base="), log


def outside(answers: Answers) -> list[str]:
    return sorted(entry.dn for entry in answers.outside)


def doubts(answers: Answers) -> list[str]:
    assert answers.groups is not None
    return [doubt.sentence for doubt in answers.groups.doubts]


def external(slapd: Slapd, numbers: Iterable[int]) -> list[str]:
    """Add people whom the filter for users leaves out; return their DNs."""
    people = [person(number) for number in numbers]
    slapd.load(ldif((dn, {**attributes, "mailActive": [b"FALSE"]}) for dn, attributes in people))
    return [dn for dn, _ in people]


# By DN


def test_members_outside_the_users_are_found_with_their_addresses(slapd: Slapd) -> None:
    (dn,) = external(slapd, [1])
    slapd.add(*group("staff", [dn, f"uid=gone,{slapd.people_dn}"]))

    answers, searches, log = reading(slapd, user_search_filter=USERS_ONLY)

    assert outside(answers) == [dn]
    assert answers.outside[0].values("mail") == (b"user000001@example.org",)
    assert answers.outside[0].values("userPassword") == ()
    assert doubts(answers) == []
    assert searches == 4  # the root DSE, users, groups, both members
    assert f'SRCH base="{slapd.people_dn}" scope=2 deref=0 filter="(|(entryDN=' in log


def test_known_members_are_not_looked_up_however_they_are_written(slapd: Slapd) -> None:
    ann, info = person(1), forward("info", ["x@example.org"])
    slapd.add(*ann)
    slapd.add(*info)
    slapd.add(*group("inner", [ann[0].upper().replace(",", " , ")]))
    slapd.add(*group("outer", [f"CN=Inner,{slapd.groups_dn}", info[0]], kind="uniqueMember"))

    answers, searches, _ = reading(
        slapd, group_mapping={"member": ["member", "uniqueMember"]}, alias_search_base=slapd.groups_dn
    )

    assert (outside(answers), searches) == ([], 4)


@pytest.mark.parametrize("many", [10, 3_000])
def test_the_number_of_searches_does_not_depend_on_the_number_of_members(many: int) -> None:
    with Slapd() as server:
        people = [person(number) for number in range(many)]
        server.load(ldif([*people, group("staff", [dn for dn, _ in people])]))
        _, searches, _ = reading(server, page_size=10_000)

    assert searches == 3


@pytest.mark.parametrize(("many", "expected"), [(10, 1), (500, 5), (501, 1), (3_000, 1)])
def test_unknown_members_are_looked_up_together(many: int, expected: int) -> None:
    with Slapd() as server:
        dns = external(server, range(many))
        server.add(*group("staff", dns))
        answers, searches, _ = reading(server, user_search_filter=USERS_ONLY, page_size=10_000)

    assert outside(answers) == dns
    assert searches == 3 + expected


def test_a_unique_identifier_is_no_part_of_the_dn(slapd: Slapd) -> None:
    (dn,) = external(slapd, [1])
    slapd.add(*group("staff", [f"{dn}#'0101'B"], kind="uniqueMember"))
    settings = {"user_search_filter": USERS_ONLY, "group_mapping": {"member": "uniqueMember"}}

    plain, _, _ = reading(slapd, **settings)
    filtered, _, _ = reading(slapd, **settings, group_member_filter="(entryDN={MEMBER_CN})")

    assert outside(plain) == outside(filtered) == [dn]


def test_the_page_size_that_the_server_takes_is_kept() -> None:
    with Slapd(page_limits="size.pr=200") as server:
        server.add(*group("staff", external(server, [1])))
        answers, searches, _ = reading(server, user_search_filter=USERS_ONLY, page_size=400)

    assert len(answers.outside) == 1
    assert searches == 5  # the users twice, because the first page is refused; groups and members once


def test_a_broad_search_brings_members_only(slapd: Slapd) -> None:
    dns = external(slapd, range(502))
    slapd.add(*group("staff", dns[1:]))

    answers, _, log = reading(slapd, user_search_filter=USERS_ONLY)

    assert outside(answers) == dns[1:]
    assert 'filter="(|(mail=*)(member=*))"' in log


def test_members_in_two_places_are_looked_for_below_what_they_have_in_common(slapd: Slapd) -> None:
    (dn,) = external(slapd, [1])
    admin = f"cn=reader,{slapd.suffix}"
    slapd.add(*group("staff", [dn, admin, "cn=ann,dc=elsewhere,dc=test", "mail=ann@example.org"]))

    answers, searches, log = reading(slapd, user_search_filter=USERS_ONLY)

    assert outside(answers) == sorted([admin, dn])
    assert (doubts(answers), searches) == ([], 4)
    assert f'SRCH base="{slapd.suffix}" scope=2' in log
    assert "elsewhere" not in log.partition("SRCH attr=entryUUID")[2]


def test_a_dn_that_dangles_is_no_doubt(slapd: Slapd) -> None:
    slapd.add(*group("staff", [f"uid=gone,ou=gone,{slapd.suffix}"]))

    answers, searches, _ = reading(slapd)

    assert (outside(answers), doubts(answers), searches) == ([], [], 4)


def test_groups_outside_the_filter_are_followed_and_loops_end(slapd: Slapd) -> None:
    dns = external(slapd, [1, 2])
    nest = f"cn=nest,{slapd.groups_dn}"
    slapd.add(*group("nest", [f"cn=deep,{slapd.groups_dn}", dns[0]]))
    slapd.add(*group("deep", [nest, f"cn=deep,{slapd.groups_dn}", f"cn=staff,{slapd.groups_dn}", dns[1]]))
    slapd.add(*group("staff", [nest]))

    answers, searches, _ = reading(slapd, user_search_filter=USERS_ONLY, group_search_filter="(cn=staff)")

    assert outside(answers) == sorted([nest, f"cn=deep,{slapd.groups_dn}", *dns])
    assert searches == 3 + 3  # one round for nest, one for what it holds, one for what that holds


def test_who_was_not_found_is_not_looked_up_again(slapd: Slapd) -> None:
    gone, nest = f"uid=gone,{slapd.people_dn}", f"cn=nest,{slapd.groups_dn}"
    slapd.add(*group("nest", [gone.upper()]))
    slapd.add(*group("staff", [gone, nest]))

    answers, searches, _ = reading(slapd, group_search_filter="(cn=staff)")

    assert (outside(answers), searches) == ([nest], 4)


def test_whom_users_and_groups_may_send_as_is_looked_up_where_it_is_a_dn(slapd: Slapd) -> None:
    dns = external(slapd, [1, 2])
    dn, attributes = person(3)
    slapd.add(dn, {**attributes, "mailSendAs": [dns[0].encode(), b"@example.org", b"somebody"]})
    slapd.add(*group("staff", [dn], more={"mailSendAs": [dns[1]]}))

    answers, searches, _ = reading(
        slapd,
        user_search_filter=USERS_ONLY,
        user_mapping={"send_as": "mailSendAs"},
        group_mapping={"send_as": "mailSendAs"},
    )

    assert (outside(answers), searches) == (dns, 4)


# By name, and others


def test_names_are_compared_in_any_case_with_those_of_users(slapd: Slapd) -> None:
    slapd.add(*person(1))
    dn, attributes = person(2)
    slapd.add(dn, {**attributes, "sAMAccountName": [b"Bob"]})
    slapd.add(*group("staff", ["USER000001", "bob", "USER000002"], kind="memberUid"))

    answers, searches, _ = reading(slapd, group_mapping={"member": "memberUid"})

    assert (outside(answers), searches) == ([], 3)


def test_a_name_that_a_user_added_is_still_looked_up(slapd: Slapd) -> None:
    """Else a user could take the place of somebody whom the user filter leaves out."""
    (dn,) = external(slapd, [1])
    eve, attributes = person(2)
    slapd.add(eve, {**attributes, "uid": [b"user000002", b"user000001"]})
    slapd.add(*group("staff", ["user000001", "user000002"], kind="memberUid"))

    answers, _, _ = reading(slapd, user_search_filter=USERS_ONLY, group_mapping={"member": "memberUid"})

    assert outside(answers) == [dn]


@pytest.mark.parametrize(("many", "expected"), [(3, 1), (40, 1), (60, 2), (501, 1)])
def test_unknown_names_are_looked_up_together(many: int, expected: int) -> None:
    with Slapd() as server:
        dns = external(server, range(many))
        names = [dn.partition(",")[0].removeprefix("uid=") for dn in dns]
        server.add(*group("staff", [*names, "nob)ody*"], kind="memberUid"))
        answers, searches, log = reading(
            server, user_search_filter=USERS_ONLY, group_mapping={"member": "memberUid"}, page_size=10_000
        )

    assert outside(answers) == dns
    assert searches == 3 + expected
    assert f'SRCH base="{server.people_dn}" scope=2' in log


def test_addresses_and_values_that_are_no_text_are_not_looked_up(slapd: Slapd) -> None:
    slapd.add(*group("staff", ["ann@example.org", "x=@y"], kind="rfc822MailMember"))
    found = Found(f"cn=staff,{slapd.groups_dn}", {"member": [b"\xff", b"", b"uid=\xff,dc=example"]})

    answers, searches, _ = reading(slapd, group_mapping={"member": "rfc822MailMember"})
    with ScriptedServer(lambda search: [found, Done()] if "groups" in search.base else [Done()]) as server:
        read(scripted(server, group_search_base=slapd.groups_dn))

    assert (outside(answers), searches) == ([], 3)
    assert len(server.searches) == 2


def test_who_is_a_member_by_dn_and_by_name_is_found_once(slapd: Slapd) -> None:
    (dn,) = external(slapd, [1])
    slapd.add(*group("staff", [dn]))
    slapd.add(*group("others", ["user000001", "staff"], kind="memberUid"))

    answers, searches, _ = reading(
        slapd,
        user_search_base=slapd.suffix,
        user_search_filter=USERS_ONLY,
        group_mapping={"member": ["member", "memberUid"]},
    )

    assert (outside(answers), searches) == ([dn], 5)


# LDAP URLs


def test_a_url_is_one_search_however_many_groups_have_it(slapd: Slapd) -> None:
    for number in (1, 2, 3):
        slapd.add(*person(number))
    url = f"ldap://ldap.example.org/{slapd.people_dn}?mail?SUB?(|(uid=user000001)(uid=user%30%30%30003))"
    for name in ("one", "two"):
        slapd.add(*group(name, [url], kind="memberURL"))

    answers, searches, _ = reading(slapd, group_mapping={"member": "memberURL"})

    assert {key: [entry.dn for entry in found] for key, found in answers.selected.items()} == {
        url: [person(1)[0], person(3)[0]]
    }
    assert answers.selected[url][0].values("mail") == (b"user000001@example.org",)
    assert (outside(answers), doubts(answers), searches) == ([], [], 4)


def test_members_of_groups_that_a_url_selects_are_looked_up(slapd: Slapd) -> None:
    (dn,) = external(slapd, [1])
    slapd.add(*group("inner", [dn]))
    slapd.add(*group("dynamic", [f"ldap:///cn=inner,{slapd.groups_dn}"], kind="memberURL"))

    answers, _, _ = reading(
        slapd,
        user_search_filter=USERS_ONLY,
        group_search_filter="(cn=dynamic)",
        group_mapping={"member": ["member", "memberURL"]},
    )

    assert outside(answers) == [dn]


HASH = "{SSHA512}vXlkJ0"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ldap:///dc=example,dc=org??deep?(mail=*)", "its scope 'deep' is none of base, one and sub"),
        ("ldap:///dc=example,dc=org??sub?(mail=*)?!bindname=cn=x", "it has a critical extension"),
        ("ldap:///dc=example,dc=org??sub?(mail=*)?x?y", "there is a question mark too many in it"),
        ("ldap:///dc=example%FF??sub?(mail=*)", "can't decode byte 0xff"),
        ("ldap:///dc=example,dc=org??sub?(mail=*", "its filter has no ')'"),
        ("ldap:///dc=example,dc=org??sub?(cn=a%00b)", "its filter asks for cn"),
        ("ldap:///dc=example,dc=org??sub?(mail=a%00b)", "its filter has no ')'"),
        (
            "ldap:///ou=people%00,dc=example,dc=org??sub?(mail=*)",
            "its base 'ou=people\\x00,dc=",
        ),
        ("ldap:///ou=gone,ou=people,dc=example,dc=org??sub?(mail=*)", "No such object"),
        ("ldap:///nosuch=a,ou=people,dc=example,dc=org??sub?(mail=*)", "Invalid DN syntax"),
        ("ldap:///cn=config??sub?(objectClass=*)", "its base 'cn=config' is neither below nor above"),
        ("ldap:///cn=reader,dc=example,dc=org??sub?(objectClass=*)", "is neither below nor above"),
        (
            "ldap:///dc=example,dc=org??sub?(userPassword=*)",
            "its filter asks for userPassword, and may",
        ),
        (
            f"ldap:///dc=example,dc=org??sub?(userPassword:octetStringOrderingMatch:={HASH})",
            "its filter compares in another way than attribute=value",
        ),
        (f"ldap:///dc=example,dc=org??sub?(userPassword>={HASH})", "its filter asks for userPassword"),
        (f"ldap:///dc=example,dc=org??sub?(&(mail=*)(!(2.5.4.35>={HASH})))", "its filter asks for 2.5.4.35"),
        (f"ldap:///dc=example,dc=org??sub?(userPassword;x-foo>={HASH})", "its filter compares in another way"),
        (f"ldap:///dc=example,dc=org??sub?(%75serPassword>={HASH})", "its filter asks for userPassword"),
        (f"ldap:///dc=example,dc=org??sub?(\\75serPassword>={HASH})", "its filter compares in another way"),
    ],
)
def test_a_url_that_can_not_be_followed_is_in_doubt_alone(slapd: Slapd, url: str, reason: str) -> None:
    """Its filter would run with the rights of the bind DN, and whether a list comes into being can be seen."""
    slapd.add(*person(1))
    slapd.add(*group("dynamic", [url], kind="memberURL"))
    slapd.add(*group("good", [f"ldap:///{slapd.people_dn}??sub?(uid=user000001)"], kind="memberURL"))

    answers, _, log = reading(slapd, group_mapping={"member": "memberURL"})

    assert answers.unsure.keys() == {url}
    assert reason in answers.unsure[url]
    assert doubts(answers) == []
    assert answers.users.doubts == ()
    assert len([entry for found in answers.selected.values() for entry in found]) == 1
    assert 'filter="(userPassword' not in log
    assert "2.5.4.35" not in log


def test_a_hash_can_not_be_read_by_where_it_stands_in_an_order(slapd: Slapd) -> None:
    """65 groups with one comparison each told a character of the hash in each run, by which became lists."""
    slapd.add(*person(1))
    signs = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    urls = [
        f"ldap:///{slapd.people_dn}??sub?(&(uid=user000001)(userPassword:2.5.13.18:={{SSHA512}}{sign}))"
        for sign in signs
    ]
    for number, url in enumerate(urls):
        slapd.add(*group(f"oracle{number}", [url], kind="memberURL"))

    answers, searches, _ = reading(slapd, group_mapping={"member": "memberURL"})

    assert answers.unsure.keys() == set(urls)
    assert answers.selected == {}
    assert searches == 3  # the root DSE, users, groups


def test_a_url_selects_nothing_outside_of_what_is_searched(slapd: Slapd) -> None:
    slapd.add(*person(1))
    url = f"ldap:///{slapd.suffix}??sub?(objectClass=*)"
    slapd.add(*group("all", [url], kind="memberURL"))

    answers, _, _ = reading(slapd, group_mapping={"member": "memberURL"})

    found = {entry.dn for entry in answers.selected[url]}
    assert person(1)[0] in found
    assert found.isdisjoint({slapd.suffix, slapd.reader_dn})


def test_dynlist_expands_members_itself() -> None:
    with Slapd(overlays=["dynlist"]) as server:
        server.load(ldif(person(number) for number in (1, 2)))
        server.add(*group("dynamic", [f"ldap:///{server.people_dn}??sub?(uid=user000002)"], kind="memberURL"))
        answers, searches, _ = reading(server, group_search_filter="(objectClass=groupOfURLs)")

    assert answers.groups is not None
    assert answers.groups.entries[0].values("member") == (person(2)[0].encode(),)
    assert searches == 3


# With group_member_filter


def test_the_member_filter_finds_odd_dns(slapd: Slapd) -> None:
    _, attributes = person(1)
    dn = f"cn={ODD_ESCAPED},{slapd.people_dn}"
    slapd.add(dn, {**attributes, "cn": [ODD.encode()], "mailActive": [b"FALSE"]})
    (plain,) = external(slapd, [2])
    slapd.add(*group("staff", [dn, plain]))
    settings = {"user_search_filter": USERS_ONLY}

    without, _, _ = reading(slapd, **settings)
    answers, searches, _ = reading(slapd, **settings, group_member_filter="(&(mail=*)(entryDN={MEMBER_CN}))")

    assert len(without.outside) == len(answers.outside) == 2
    assert {entry.dn for entry in answers.outside} == {entry.dn for entry in without.outside}
    assert (doubts(answers), searches) == ([], 4)


def test_a_member_that_the_member_filter_does_not_find_is_none(slapd: Slapd) -> None:
    dns = external(slapd, [1, 2])
    slapd.add(*group("staff", dns))

    answers, _, log = reading(
        slapd,
        user_search_filter=USERS_ONLY,
        group_member_filter="(&(uid=user000002)(|(entryDN={MEMBER_CN})(seeAlso={MEMBER_CN})))",
    )

    assert outside(answers) == dns[1:]
    assert f'SRCH base="{slapd.people_dn}" scope=2 deref=0 filter="(|(&(uid=user000002)' in log


def test_the_member_filter_is_given_names(slapd: Slapd) -> None:
    dns = external(slapd, [1, 2])
    slapd.add(*group("staff", ["user000001", "user*", "x)(uid=*"], kind="memberUid"))

    answers, _, _ = reading(
        slapd,
        user_search_filter=USERS_ONLY,
        group_mapping={"member": "memberUid"},
        group_member_filter="(uid={MEMBER_CN})",
    )

    assert outside(answers) == dns[:1]


def test_many_members_are_one_search_of_the_member_filter(slapd: Slapd) -> None:
    dns = external(slapd, range(600))
    slapd.add(*group("staff", dns[:501]))

    answers, searches, log = reading(
        slapd,
        user_search_filter=USERS_ONLY,
        group_member_filter="(&(mail=*)(uid=*)(entryDN={MEMBER_CN}))",
        page_size=10_000,
    )

    assert outside(answers) == dns[:501]
    assert searches == 4
    assert 'filter="(&(mail=*)(uid=*)(entryDN=*))"' in log


# Where it fails


def answering(*replies: Reply, root: dict[str, list[bytes]] | None = None) -> ScriptedServer:
    """Return a server with a group of one unknown member, which answers so when that is looked up."""
    staff = Found("cn=staff,ou=groups,dc=x", {"member": [b"uid=ann,ou=outside,dc=x"]})

    def script(search: Search) -> Iterable[Reply]:
        if search.base == "ou=groups,dc=x":
            return [staff, Done()]
        return replies if search.base == "uid=ann,ou=outside,dc=x" else [Done()]

    return ScriptedServer(script, supported=None if root is None else (), root=root or {})


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([Done(50, "no")], "Insufficient access (no)"),
        ([Done(32)], "No such object"),
        ([Done(3)], "Time limit exceeded"),
    ],
)
def test_a_member_that_can_not_be_looked_up_is_in_doubt(replies: list[Reply], reason: str) -> None:
    """No such object too, where the server doesn't name its contexts: the place may have been guessed wrong."""
    with answering(*replies) as server:
        answers = read(scripted(server, group_search_base="ou=groups,dc=x"))

    assert answers.unsure == {"uid=ann,ou=outside,dc=x": reason}
    assert doubts(answers) == []
    assert answers.users.doubts == ()
    assert server.binds == 1


def test_a_connection_that_is_lost_is_a_doubt_about_all_groups() -> None:
    with answering(End.DROP) as server:
        answers = read(scripted(server, group_search_base="ou=groups,dc=x"))

    (sentence,) = doubts(answers)
    assert sentence == (
        "not everybody could be looked up who is a member but not among the users: the connection was lost; see what "
        "bind_dn may read, and group_member_filter"
    )
    assert answers.users.doubts == ()


def test_a_url_that_takes_too_long_is_in_doubt_alone() -> None:
    """Its owner chose what to search for; all else has been read by then."""
    dynamic = Found("cn=dynamic,ou=groups,dc=example,dc=org", {"member": [b"ldap:///ou=groups,dc=example,dc=org??sub"]})
    staff = Found("cn=staff,ou=groups,dc=example,dc=org", {"member": [b"uid=ann,ou=outside,dc=example,dc=org"]})
    asked: list[str] = []

    def script(search: Search) -> Iterable[Reply]:
        asked.append(search.base)
        if search.base != "ou=groups,dc=example,dc=org":
            return [Found(search.base, {"mail": [b"ann@example.org"]}), Done()]
        return [dynamic, staff, Done()] if asked.count(search.base) == 1 else [End.SILENCE]

    with ScriptedServer(script, supported=(), root={"namingContexts": [b"dc=example,dc=org"]}) as server:
        answers = read(
            scripted(
                server, group_search_base="ou=groups,dc=example,dc=org", user_search_base="ou=people,dc=example,dc=org"
            )
        )

    assert outside(answers) == ["uid=ann,ou=outside,dc=example,dc=org"]
    assert answers.unsure.keys() == {"ldap:///ou=groups,dc=example,dc=org??sub"}
    assert doubts(answers) == []


def test_a_group_has_only_so_many_urls_that_are_followed(slapd: Slapd) -> None:
    """Each is a search. One that another group has among its first is followed all the same."""
    urls = [f"ldap:///{slapd.people_dn}??sub?(ou={number})" for number in range(500)]
    slapd.add(*group("many", urls, kind="memberURL"))
    slapd.add(*group("one", urls[-1:], kind="memberURL"))

    answers, searches, _ = reading(slapd, group_mapping={"member": "memberURL"})

    assert answers.unsure.keys() == set(urls[20:-1])
    assert set(answers.unsure.values()) == {"its group has more than 20 LDAP URLs"}
    assert searches == 3 + 21


def test_without_groups_a_lost_connection_makes_the_users_doubtful() -> None:
    ann = Found("uid=ann,ou=people,dc=x", {"send": [b"cn=staff,ou=groups,dc=x"]})

    def script(search: Search) -> Iterable[Reply]:
        return [ann, Done()] if search.base == "dc=example,dc=org" else [End.DROP]

    with ScriptedServer(script) as server:
        answers = read(scripted(server, user_mapping={"send_as": "send"}))

    assert [doubt.where for doubt in answers.users.doubts] == ["default (members)"]


@pytest.mark.parametrize("odd", ["nosuch=a,ou=people,dc=example,dc=org", "uid=a\0b,ou=people,dc=example,dc=org"])
@pytest.mark.parametrize("kind", ["send_as", "member"])
def test_a_value_that_no_server_takes_for_a_dn_is_no_doubt(slapd: Slapd, odd: str, kind: str) -> None:
    """One such value made every removal wait, and one with a NUL ended the run for everybody."""
    (dn,) = external(slapd, [1])
    found = {"mailSendAs": [odd.encode()]} if kind == "send_as" else {}
    slapd.add(person(2)[0], {**person(2)[1], **found})
    slapd.add(*group("odd", [odd] if kind == "member" else ["x"], kind="rfc822MailMember"))
    slapd.add(*group("staff", [dn]))

    answers, _, _ = reading(
        slapd,
        user_search_filter=USERS_ONLY,
        user_mapping={"send_as": "mailSendAs"},
        group_mapping={"member": ["member", "rfc822MailMember"]},
    )

    assert outside(answers) == [dn]
    assert (doubts(answers), answers.users.doubts, answers.unsure) == ([], (), {})


def test_only_the_member_that_can_not_be_looked_up_is_in_doubt() -> None:
    """It spoils the search for several, so each is searched for by itself."""
    members = [b"uid=ann,ou=outside,dc=x", b"uid=odd,ou=secret,dc=x", b"uid=bob,ou=outside,dc=x"]
    staff = Found("cn=staff,ou=groups,dc=x", {"member": members})

    def script(search: Search) -> Iterable[Reply]:
        if search.base == "ou=groups,dc=x":
            return [staff, Done()]
        if search.base == "uid=ann,ou=outside,dc=x":
            return [Found(search.base, {"mail": [b"ann@example.org"]}), Done()]
        return [Done(50 if search.base in {"dc=x", "uid=odd,ou=secret,dc=x"} else 0)]

    with ScriptedServer(script, supported=(), root={"namingContexts": [b"dc=x"]}) as server:
        answers = read(scripted(server, group_search_base="ou=groups,dc=x"))

    assert outside(answers) == ["uid=ann,ou=outside,dc=x"]
    assert answers.unsure == {"uid=odd,ou=secret,dc=x": "Insufficient access"}
    assert doubts(answers) == []


def test_members_are_not_looked_up_one_by_one_without_end() -> None:
    staff = Found("cn=staff,ou=groups,dc=x", {"member": [f"uid={number},dc=x".encode() for number in range(2_000)]})

    def script(search: Search) -> Iterable[Reply]:
        return [staff, Done()] if search.base == "ou=groups,dc=x" else [Done(11 if search.base == "dc=x" else 0)]

    with ScriptedServer(script, supported=(), root={"namingContexts": [b"dc=x"]}) as server:
        answers = read(scripted(server, group_search_base="ou=groups,dc=x"))

    assert len(answers.unsure) == 2_000
    assert len(server.searches) < 50


def test_a_filter_for_members_is_never_long() -> None:
    """slapd hangs up over a request of some megabytes, which would put everything in doubt."""
    with Slapd() as server:
        long = [f"uid={number}{'*' * 8_000},{server.people_dn}" for number in range(300)]
        server.add(*person(1))
        server.add(*group("staff", ["x"], kind="rfc822MailMember", more={"rfc822MailMember": long}))
        server.add(*group("good", external(server, [2])))
        answers, _, _ = reading(
            server, user_search_filter=USERS_ONLY, group_mapping={"member": ["member", "rfc822MailMember"]}
        )

    assert outside(answers) == [person(2)[0]]
    assert (doubts(answers), answers.unsure) == ([], {})


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ({"namingContexts": [b"dc=x"]}, {"entryDN"}),
        ({"supportedCapabilities": [b"1.2.840.113556.1.4.800"]}, {"distinguishedName"}),
        ({"supportedCapabilities": [b"1.2.840.113556.1.4.1851"]}, {"distinguishedName"}),
        (None, {"entryDN", "distinguishedName"}),
    ],
)
def test_the_attribute_that_names_an_entry_is_the_server_s(
    root: dict[str, list[bytes]] | None, expected: set[str]
) -> None:
    with answering(Done(), root=root) as server:
        read(scripted(server, group_search_base="ou=groups,dc=x"))

    assert server.searches[-1].base == "uid=ann,ou=outside,dc=x"
    assert server.searches[-1].compared == expected
