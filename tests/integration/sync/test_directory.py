"""What the directory's answer is believed: nobody is disabled because of an answer that isn't whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.directory_server import Slapd, ldif, person
from tests.directory_server.scripted import Done as EndOfSearch
from tests.directory_server.scripted import End, Found, Reply, ScriptedServer, Search
from tests.mailcow_server import MailcowServer

from .installation import Done, Installation, address

STAFF = range(1, 11)


@pytest.fixture
def staff(house: Installation) -> Installation:
    """Ten people, who have their mailboxes."""
    house.people(*STAFF)
    assert house.at_clock().code == 0
    house.writes()
    return house


def patiently(house: Installation, *options: str) -> Done:
    """Run until every grace would be over, and return how the last run ended."""
    for _ in range(3):
        done = house.again(*options, minutes=40)
    return done


def active(house: Installation) -> list[int]:
    """Return who has an active mailbox."""
    return [number for number in STAFF if house.mailbox(number).active == 1]


def found(number: int) -> Found:
    dn, attributes = person(number)
    return Found(dn, {**attributes, "entryUUID": [b"%032d" % number]})


@pytest.mark.parametrize("end", [EndOfSearch(4, "size limit exceeded"), EndOfSearch(51, "busy"), End.DROP])
def test_an_answer_that_is_cut_short_removes_nobody_and_still_brings_in_the_new(
    tmp_path: Path, slapd: Slapd, mailcow: MailcowServer, end: Reply
) -> None:
    sent: list[Reply] = [*map(found, STAFF), EndOfSearch()]

    def script(_search: Search) -> Iterator[Reply]:
        yield from sent

    house = Installation(tmp_path, slapd, mailcow)
    with ScriptedServer(script) as server:
        house.config(ldap__uri=server.uri)
        assert house.at_clock().code == 0
        sent[:] = [found(1), found(99), end]
        done = patiently(house, "-v")
    assert done.code == 4
    assert "sent 2 entries, which may not be all" in done.out
    assert active(house) == list(STAFF)
    assert house.has_mailbox(99)


def test_nobody_at_all_is_not_believed(staff: Installation) -> None:
    staff.remove(*STAFF)
    done = patiently(staff, "-v")
    assert done.code == 4
    assert "no_users" in done.out
    assert f"the search below {staff.slapd.people_dn} with (mail=*) found nobody" in done.out
    assert active(staff) == list(STAFF)


def test_a_missing_canary_makes_the_answer_doubtful(staff: Installation) -> None:
    staff.config(ldap__canary_dns=[staff.dn(7)])
    assert staff.again(minutes=5).code == 0
    staff.remove(6, 7)
    staff.people(11)
    done = patiently(staff, "-v")
    assert done.code == 4
    assert "canary_missing" in done.out
    assert staff.dn(7) in done.out
    assert active(staff) == list(STAFF)
    assert staff.has_mailbox(11)


def test_an_attribute_that_vanished_from_most_entries_is_a_lost_right(staff: Installation) -> None:
    for number in STAFF[:6]:
        staff.change(number, MailQuota=[])
    staff.remove(10)
    staff.people(11)
    done = patiently(staff, "-v")
    assert done.code == 4
    assert "attribute_vanished" in done.out
    assert "6 of the 10 entries that had MailQuota no longer show it" in done.out
    assert active(staff) == list(STAFF)
    assert staff.mailbox(1).quota == 1024 * 1024 * 1024
    assert staff.has_mailbox(11)


def test_entries_without_the_id_that_they_were_known_by_are_not_told_apart(staff: Installation) -> None:
    staff.slapd.admin.modify_s(
        "olcDatabase={1}mdb,cn=config",
        [(0, "olcAccess", [b"{0}to attrs=entryUUID by * none"])],
    )
    try:
        done = patiently(staff, "-v")
    finally:
        staff.slapd.admin.modify_s("olcDatabase={1}mdb,cn=config", [(1, "olcAccess", [b"{0}"])])
    assert done.code == 4
    assert "id_missing" in done.out
    assert "10 entries have no entryUUID" in done.out
    assert active(staff) == list(STAFF)
    assert staff.again(minutes=5).code == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ldap__user_search_filter", "(&(mail=*)(!(|(uid=user000006)(uid=user000007)(uid=user000008))))"),
        ("ldap__user_search_base", "ou=half,ou=people,dc=example,dc=org"),
    ],
)
def test_another_search_removes_nobody_until_it_is_accepted(staff: Installation, key: str, value: str) -> None:
    staff.slapd.add("ou=half,ou=people,dc=example,dc=org", {"objectClass": "organizationalUnit", "ou": "half"})
    for number in (1, 2, 3, 4, 5, 9, 10):
        staff.slapd.rename(staff.dn(number), staff.dn(number).replace("ou=people", "ou=half,ou=people"))
    staff.slapd.add(
        "uid=eleven,ou=half,ou=people,dc=example,dc=org",
        {**person(11)[1], "uid": "eleven"},
    )
    staff.config(**{key: value})
    done = patiently(staff, "-v")
    assert done.code == 4
    name = key.partition("__")[2]
    assert f"3 of 11 managed mailboxes would be disabled, and {name} changed since the last accepted run" in done.out
    assert "--approve disable:3" in done.out
    assert active(staff) == list(STAFF)
    assert staff.has_mailbox(11)

    assert staff.again("--force-removals", "3", minutes=5).code == 0
    assert active(staff) == [1, 2, 3, 4, 5, 9, 10]
    assert staff.again(minutes=5).said == ""


def test_a_wider_search_is_accepted_by_itself(staff: Installation) -> None:
    staff.config(ldap__user_search_filter="(&(mail=*)(uid=*))")
    assert staff.again(minutes=5).code == 0
    staff.remove(3)
    assert patiently(staff).code == 0
    assert staff.mailbox(3).active == 0


def test_more_than_the_limit_at_once_are_withheld_with_their_numbers(staff: Installation) -> None:
    staff.config(limits={"removals": "2"})
    staff.remove(1, 2, 3)
    staff.people(11)
    done = patiently(staff, "-v")
    assert done.code == 4
    assert (
        "3 of 11 managed mailboxes would be disabled, and limits.removals lets 2 through; "
        "if that is meant, run once with --approve disable:3"
    ) in done.out
    assert f"{address(1)}, {address(2)}, {address(3)}" in done.out
    assert active(staff) == list(STAFF)
    assert staff.has_mailbox(11)


def test_force_lets_as_many_through_as_it_says(staff: Installation) -> None:
    staff.config(limits={"removals": "2"})
    staff.remove(1, 2, 3)
    patiently(staff)
    assert staff.again("--force-removals", "2", minutes=5).code == 4
    assert active(staff) == list(STAFF)
    assert staff.again("--force-removals", "3", minutes=5).code == 0
    assert active(staff) == list(STAFF)[3:]


def test_as_many_as_the_limit_go(staff: Installation) -> None:
    staff.config(limits={"removals": "2"})
    staff.remove(1, 2)
    assert patiently(staff).code == 0
    assert active(staff) == list(STAFF)[2:]


def test_never_more_than_half_go_whatever_the_limit(staff: Installation) -> None:
    staff.config(limits={"removals": "100"})
    staff.remove(1, 2, 3, 4, 5, 6)
    assert patiently(staff).code == 4
    assert active(staff) == list(STAFF)


def test_a_status_counts_against_the_limit_like_an_absence(staff: Installation) -> None:
    staff.config(limits={"removals": "2"})
    for number in (1, 2, 3):
        staff.change(number, mailActive="FALSE")
    assert staff.again(minutes=5).code == 4
    assert active(staff) == list(STAFF)


def test_no_force_lifts_an_answer_that_is_not_whole(staff: Installation) -> None:
    staff.config(ldap__canary_dns=["uid=nobody,dc=example,dc=org"])
    staff.remove(1)
    staff.change(2, mailActive="FALSE")
    done = patiently(staff, "-v", "--force-removals", "10")
    assert done.code == 4
    assert "nothing lifts this but a whole answer" in done.out
    assert active(staff) == list(STAFF)


@pytest.mark.parametrize("mend", [lambda house: house.again(minutes=5), patiently])
def test_when_the_answer_is_whole_again_everything_goes_on(
    staff: Installation, mend: Callable[[Installation], Done]
) -> None:
    staff.config(ldap__canary_dns=[staff.dn(7)])
    dn, entry = staff.entry(7)
    staff.remove(7)
    patiently(staff)
    staff.restore(dn, entry)
    assert mend(staff).code == 0
    assert active(staff) == list(STAFF)


def test_an_unreachable_directory_is_for_later_and_mailcow_is_not_asked(staff: Installation) -> None:
    staff.config(ldap__uri="ldap://127.0.0.1:1")
    done = staff.run()
    assert done.code == 75
    assert "LDAP unreachable: No server of the directory 'default' can be used" in done.out
    assert len(staff.mailcow.log) == 0


def test_an_unreachable_directory_counts_nobody_as_missing(staff: Installation) -> None:
    uri = staff.settings["ldap"]["uri"]
    staff.remove(1)
    staff.config(ldap__uri="ldap://127.0.0.1:1")
    patiently(staff)
    staff.config(ldap__uri=uri)
    staff.again(minutes=5)
    assert active(staff) == list(STAFF)


def test_the_second_server_stands_in_for_the_first(staff: Installation) -> None:
    staff.config(ldap__uri=["ldap://127.0.0.1:1", staff.slapd.uri])
    done = staff.again(minutes=5)
    assert (done.code, done.said) == (0, "")


@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_pages_of_any_size_bring_everybody(tmp_path: Path, mailcow: MailcowServer, page_size: int) -> None:
    with Slapd() as slapd:
        slapd.load(ldif(person(number) for number in range(1, 22)))
        house = Installation(tmp_path, slapd, mailcow)
        house.config(ldap__page_size=page_size)
        assert house.at_clock().code == 0
    assert len(mailcow.state.mailboxes) == 21


def test_a_server_that_gives_out_less_than_it_has_is_not_believed(tmp_path: Path, mailcow: MailcowServer) -> None:
    with Slapd(size_limit=5) as slapd:
        slapd.load(ldif(person(number) for number in range(1, 11)))
        house = Installation(tmp_path, slapd, mailcow)
        done = house.at_clock()
    assert done.code == 4
    assert "answer_cut_short" in done.out
    assert len(mailcow.state.mailboxes) == 5


def test_one_odd_entry_stops_nobody_else(house: Installation) -> None:
    house.people(1, 2)
    house.people(3, mail="two words@example.org")
    house.people(4, MailQuota="plenty")
    house.people(5, mail="somebody@elsewhere.test")
    house.people(6, mail=address(2))
    house.people(7, userPassword="clear text")
    house.people(8, mail="postmaster@example.org")
    done = house.at_clock()
    assert done.code == 3
    for code in ("bad_address", "quota_invalid", "domain_not_hosted", "duplicate_address", "clear_text_password"):
        assert code in done.out
    assert "reserved_address" in done.out
    assert house.mailcow.state.mailboxes.keys() == {address(1), address(4)}
