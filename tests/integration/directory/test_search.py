"""Whether the answer is whole: pages, limits, lost connections, references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from ldap2mailcow.directory import BadFilter, Unreachable, read
from ldap2mailcow.model import Code, Entry, Finding
from tests.directory_server import Slapd, ldif, person
from tests.directory_server.scripted import (
    PAGED_RESULTS,
    Done,
    End,
    Found,
    Reference,
    Reply,
    Script,
    ScriptedServer,
    Search,
    Unbind,
    pages,
)

from .sources import SOON, reader_of, scripted

DOMAIN_SCOPE = "1.2.840.113556.1.4.1339"
PEOPLE = [Found(f"uid=user{number:03},dc=example,dc=org", {"mail": [b"x@example.org"]}) for number in range(120)]


def cut_short(reason: str, *, entries: int) -> tuple[Finding, ...]:
    """Return the one doubt of a reading that isn't whole."""
    sentence = (
        f"it sent {entries} entries, which may not be all: {reason}; "
        "raise the bind DN's limits in the directory, or look at the server if it was cut off"
    )
    return (Finding(Code.ANSWER_CUT_SHORT, "default", sentence),)


def replying(*replies: Reply) -> Script:
    """Return the script that answers every search alike."""
    return lambda _: replies


# What is asked, and how values come


def test_only_the_mapped_attributes_are_asked_for(slapd: Slapd) -> None:
    seen = len(slapd.log)

    read(reader_of(slapd, user_mapping={"quota": "MailQuota", "id": "entryUUID"}))

    assert "SRCH attr=entryUUID mail givenName sn userPassword MailQuota\n" in slapd.log[seen:]


def test_the_filter_and_its_override(slapd: Slapd) -> None:
    for number in (1, 2, 3):
        slapd.add(*person(number))
    source = reader_of(slapd, user_search_filter="(&(mail=*)(!(uid=user000001)))")

    assert [entry.dn for entry in read(source).users.entries] == [person(2)[0], person(3)[0]]
    assert [entry.dn for entry in read(source, filter_override="(uid=user000003)").users.entries] == [person(3)[0]]


def test_nobody_found_is_an_answer(slapd: Slapd) -> None:
    answer = read(reader_of(slapd)).users

    assert (answer.entries, answer.doubts) == ((), ())


def test_the_server_is_set_no_time_limit() -> None:
    """The timeout is for silence: a big directory may take longer than that."""
    with ScriptedServer(pages(PEOPLE)) as server:
        read(scripted(server))

    assert [search.time_limit for search in server.searches] == [0]


def test_values_are_bytes_and_names_lower_case_without_options(slapd: Slapd) -> None:
    photo, guid = bytes(range(256)), bytes(range(16))
    dn, attributes = person(1)
    slapd.add(dn, {**attributes, "jpegPhoto": [photo], "objectGUID": [guid], "sn;lang-en": ["English"]})
    mapping = {"id": "objectGUID", "firstname": "JPEGPHOTO", "lastname": "SN"}

    (entry,) = read(reader_of(slapd, user_mapping=mapping)).users.entries

    assert entry.attributes["objectguid"] == (guid,)
    assert entry.values("jpegPhoto") == (photo,)
    assert entry.attributes["sn"] == (attributes["sn"][0], b"English")


def test_values_without_an_option_come_first() -> None:
    sent = Found("uid=a", {"sn;lang-ja": [b"2"], "sn;lang-en": [b"3"], "SN": [b"1"], "userCertificate;binary": [b"\0"]})
    with ScriptedServer(replying(sent, Done())) as server:
        answer = read(scripted(server)).users

    assert answer.entries == (Entry("uid=a", {"sn": (b"1", b"2", b"3"), "usercertificate": (b"\0",)}),)


def test_a_range_of_values_makes_the_answer_doubtful() -> None:
    """Active Directory sends no more than 1,500 values of an attribute at once (docs/directories.md section 9)."""
    first = Found("uid=a", {"memberOf;range=0-1499": [b"x"], "description;range=0-*": [b"y"]})
    with ScriptedServer(replying(first, Done())) as server:
        answer = read(scripted(server)).users

    assert answer.entries == (Entry("uid=a", {"memberof": (b"x",), "description": (b"y",)}),)
    reason = "not all values of an attribute were sent (memberOf;range=0-1499)"
    assert answer.doubts == cut_short(reason, entries=1)


# Pages


def test_three_pages(slapd: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for number in range(7):
        slapd.add(*person(number))

    answer = read(reader_of(slapd, page_size=3)).users

    assert [entry.dn for entry in answer.entries] == [person(number)[0] for number in range(7)]
    assert answer.doubts == ()
    assert "7 entries in 3 pages" in caplog.text


def test_a_server_that_gives_everything_in_pages_only() -> None:
    """The way Active Directory is: 1,000 entries at most for who doesn't ask for pages."""
    with Slapd(page_limits="size.soft=50 size.hard=50 size.prtotal=unlimited") as server:
        server.load(ldif(person(number) for number in range(130)))
        answer = read(reader_of(server, page_size=50)).users

    assert (len(answer.entries), answer.doubts) == (130, ())


def test_smaller_pages_where_the_server_refuses_the_size() -> None:
    with Slapd(page_limits="size.pr=200") as server:
        server.load(ldif(person(number) for number in range(450)))
        answer = read(reader_of(server, page_size=1000)).users
        asked = server.log.count("SRCH base=")

    assert (len(answer.entries), answer.doubts) == (450, ())
    # The root DSE; 1000, 500 and 250 are refused; four pages of 125.
    assert asked == 1 + 3 + 4


def test_no_pages_where_the_server_forbids_them() -> None:
    with Slapd(page_limits="size.prtotal=disabled") as server:
        server.load(ldif(person(number) for number in range(60)))
        answer = read(reader_of(server)).users

    assert (len(answer.entries), answer.doubts) == (60, ())


def test_the_page_size_goes_down_step_by_step() -> None:
    def script(search: Search) -> Iterable[Reply]:
        if search.page_size is None or search.page_size > 80:
            return [Done(11, "too many")]
        return pages(PEOPLE)(search)

    with ScriptedServer(script) as server:
        answer = read(scripted(server, page_size=300)).users

    assert (len(answer.entries), answer.doubts) == (120, ())
    assert [search.page_size for search in server.searches] == [300, 150, 75, 75]


def test_a_limit_that_no_page_size_helps_against_keeps_the_fullest_reading() -> None:
    def script(search: Search) -> Iterator[Reply]:
        yield from PEOPLE[: {200: 2, 100: 7, 50: 5, None: 3}[search.page_size]]
        yield Done(11, "lookthrough limit")

    with ScriptedServer(script) as server:
        answer = read(scripted(server, page_size=200)).users

    assert [search.page_size for search in server.searches] == [200, 100, 50, None]
    assert len(answer.entries) == 7
    remedy = "let bind_dn read more entries in the server's limits"
    assert answer.doubts == cut_short(f"Administrative limit exceeded (lookthrough limit); {remedy}", entries=7)


def test_a_server_without_pages_is_asked_for_none() -> None:
    def script(search: Search) -> Iterable[Reply]:
        return [Done(12)] if search.page_size else [*PEOPLE, Done()]

    with ScriptedServer(script) as server:
        answer = read(scripted(server)).users

    assert (len(answer.entries), answer.doubts) == (120, ())
    assert [search.page_size for search in server.searches] == [1000, None]


def test_a_server_that_ignores_the_paging_control_has_sent_everything() -> None:
    with ScriptedServer(replying(*PEOPLE, Done())) as server:
        answer = read(scripted(server, page_size=10)).users

    assert (len(answer.entries), answer.doubts) == (120, ())
    assert len(server.searches) == 1


def test_pages_that_go_round_in_circles_end() -> None:
    with ScriptedServer(replying(*PEOPLE[:3], Done(cookie=b"again"))) as server:
        answer = read(scripted(server)).users

    assert len(answer.entries) == 3
    reason = f"{PEOPLE[2].dn!r} came twice, so that the server's pages can't be relied on"
    assert answer.doubts == cut_short(reason, entries=3)


def test_empty_pages_end() -> None:
    with ScriptedServer(replying(Done(cookie=b"more"))) as server:
        answer = read(scripted(server)).users

    assert answer.doubts == cut_short("100 pages in a row brought nothing new", entries=0)
    assert len(server.searches) == 100


def test_some_empty_pages_are_no_harm() -> None:
    def script(search: Search) -> Iterable[Reply]:
        number = int(search.cookie or b"0")
        return [*PEOPLE[number : number + number % 2], Done(cookie=str(number + 1).encode() if number < 9 else b"")]

    with ScriptedServer(script) as server:
        answer = read(scripted(server)).users

    assert (len(answer.entries), answer.doubts) == (5, ())


# Cut short


def test_a_size_limit_keeps_what_came_and_says_so() -> None:
    with Slapd(size_limit=5) as server:
        server.load(ldif(person(number) for number in range(9)))
        answer = read(reader_of(server)).users

    assert len(answer.entries) == 5
    remedy = "let bind_dn read more entries in the server's limits"
    assert answer.doubts == cut_short(f"Size limit exceeded; {remedy}", entries=5)


def test_a_server_that_stops_in_every_first_page_is_not_asked_for_ever() -> None:
    with ScriptedServer(replying(*PEOPLE[:3], Done(4))) as server:
        answer = read(scripted(server)).users

    assert [doubt.code for doubt in answer.doubts] == [Code.ANSWER_CUT_SHORT]
    assert [search.page_size for search in server.searches] == [1000, 2]


def test_a_size_limit_of_each_page_is_met_by_smaller_pages() -> None:
    """389-ds stops a page at its limit with result 4, and takes pages that are smaller than it."""

    def script(search: Search) -> Iterable[Reply]:
        if search.page_size is not None and search.page_size > 2:
            return [*PEOPLE[:3], Done(4)]
        return pages(PEOPLE)(search)

    with ScriptedServer(script) as server:
        answer = read(scripted(server)).users

    assert (len(answer.entries), answer.doubts) == (len(PEOPLE), ())
    assert {search.page_size for search in server.searches} == {1000, 2}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (3, "Time limit exceeded (so); let bind_dn search longer in the server's limits, or narrow user_search_filter"),
        (51, "Server is busy (so)"),
        (52, "Server is unavailable (so)"),
        (80, "Other (e.g., implementation specific) error (so)"),
        (32, "No such object (so)"),
    ],
)
def test_an_error_after_some_entries_is_a_doubt(code: int, reason: str) -> None:
    with ScriptedServer(replying(*PEOPLE[:4], Done(code, "so"))) as server:
        answer = read(scripted(server)).users

    assert len(answer.entries) == 4
    assert answer.doubts == cut_short(reason, entries=4)


@pytest.mark.parametrize(
    ("end", "reason"), [(End.DROP, "the connection was lost"), (End.SILENCE, f"no answer within {SOON} seconds")]
)
def test_a_connection_that_ends_within_a_page(end: End, reason: str) -> None:
    def script(search: Search) -> Iterator[Reply]:
        if not search.cookie:
            yield from PEOPLE[:10]
            yield Done(cookie=b"10")
        else:
            yield from PEOPLE[10:14]
            yield end

    with ScriptedServer(script) as server:
        answer = read(scripted(server, canary_dns=["dc=example,dc=org"])).users

    assert len(answer.entries) == 14
    assert answer.doubts[:1] == cut_short(reason, entries=14)
    assert answer.doubts[1].code == Code.CANARY_MISSING
    assert "the connection was lost" in answer.doubts[1].sentence
    assert len(server.searches) == 2
    assert server.binds == 1


@pytest.mark.parametrize(
    ("end", "reason"), [(End.DROP, "the connection was lost"), (End.SILENCE, f"no answer within {SOON} seconds")]
)
def test_a_connection_that_ends_before_any_entry(end: End, reason: str) -> None:
    with ScriptedServer(replying(end)) as server, pytest.raises(Unreachable, match=f"can't be read: {reason}"):
        read(scripted(server))

    assert len(server.searches) == 1


def test_a_connection_that_ends_at_the_root_dse() -> None:
    class Dropping(ScriptedServer):
        def replies(self, request: object) -> Iterable[Reply]:
            return [End.DROP] if isinstance(request, Search) else [Done()]

    with Dropping(pages(PEOPLE)) as server, pytest.raises(Unreachable, match="the connection was lost"):
        read(scripted(server))

    assert server.searches == []
    assert server.binds == 1


# Refused searches


def test_a_search_base_that_does_not_exist(slapd: Slapd) -> None:
    missing = f"ou=staff,{slapd.suffix}"

    with pytest.raises(Unreachable) as caught:
        read(reader_of(slapd, user_search_base=missing))

    expected = (
        f"user_search_base '{missing}' does not exist, or bind_dn may not see it (what exists is '{slapd.suffix}')"
    )
    assert expected in str(caught.value)


def test_a_reader_without_rights(slapd: Slapd) -> None:
    with pytest.raises(Unreachable, match=r"bind_dn may not search .*: give it the right to read there"):
        read(reader_of(slapd, bind_dn="", bind_pw=""))


def test_active_directory_without_a_bind() -> None:
    text = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be"
    with ScriptedServer(replying(Done(1, text))) as server, pytest.raises(Unreachable, match="set bind_dn and bind_pw"):
        read(scripted(server, bind_dn="", bind_pw=""))


def test_a_base_on_another_server() -> None:
    with ScriptedServer(replying(Done(10))) as server, pytest.raises(Unreachable, match="refers to another server"):
        read(scripted(server))


def test_another_error_is_told_in_the_server_s_words() -> None:
    with ScriptedServer(replying(Done(80, "out of memory"))) as server, pytest.raises(Unreachable) as caught:
        read(scripted(server))

    assert "the search failed; the server says: Other (e.g., implementation specific) error (out of mem" in str(
        caught.value
    )


def test_a_filter_that_is_none(slapd: Slapd) -> None:
    with pytest.raises(BadFilter, match=r"'\(uid=anna' of the directory 'default' is not valid"):
        read(reader_of(slapd), filter_override="(uid=anna")


# References


@pytest.mark.parametrize(
    "url",
    [
        "ldaps://ad.example.org/CN=Configuration,DC=ad,DC=example,DC=org",
        "ldap://DomainDnsZones.ad.example.org/DC=DomainDnsZones,DC=ad,DC=example,DC=org",
        "ldap://ForestDnsZones.ad.example.org/DC%3DForestDnsZones,DC=ad,DC=example,DC=org??sub",
    ],
)
def test_references_to_partitions_without_people_are_no_doubt(url: str) -> None:
    with ScriptedServer(replying(*PEOPLE, Reference((url,)), Done())) as server:
        answer = read(scripted(server)).users

    assert (len(answer.entries), answer.doubts) == (120, ())


def test_a_reference_to_another_place_is_a_doubt_and_is_not_followed() -> None:
    with ScriptedServer(pages(PEOPLE)) as elsewhere:
        url = f"{elsewhere.uri}/DC=child,DC=example,DC=org"
        with ScriptedServer(replying(*PEOPLE[:2], Reference((url,)), Done())) as server:
            answer = read(scripted(server)).users

    assert len(answer.entries) == 2
    assert answer.doubts == cut_short(f"a part of the directory is on another server ({url})", entries=2)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("supported", "sent"),
    [
        ((PAGED_RESULTS, DOMAIN_SCOPE), {PAGED_RESULTS, DOMAIN_SCOPE}),
        ((PAGED_RESULTS,), {PAGED_RESULTS}),
        (None, {PAGED_RESULTS}),
    ],
)
def test_the_domain_scope_control_goes_where_it_is_known(supported: tuple[str, ...] | None, sent: set[str]) -> None:
    with ScriptedServer(pages(PEOPLE), supported=supported) as server:
        read(scripted(server))

    assert [search.controls for search in server.searches] == [frozenset(sent)]
    assert server.requests[-1] == Unbind()
