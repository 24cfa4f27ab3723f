"""A mailbox from its first day to its last: active, inactive, missed, retired, deleted, and back at any moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.directory_server import group
from tests.mailcow_server import DomainLimits, FaultKind

from .installation import DOMAIN, Done, Installation, address, after_write

SECOND = f"second@{DOMAIN}"
"""A further address of the second person."""
LETTERS = "letters of the second person"


@pytest.fixture
def office(house: Installation) -> Installation:
    """Five people; the second is on a list, has a further address, and the third may send as him."""
    house.people(*range(1, 6))
    house.change(2, mailAlias=SECOND)
    house.change(3, mailSendAs=address(2))
    house.slapd.add(*group("team", [house.dn(number) for number in (1, 2)]))
    house.config(
        ldap__user_mapping__aliases=["mailAlias"],
        ldap__user_mapping__send_as="mailSendAs",
        ldap__group_search_base=house.slapd.groups_dn,
        removed_users={"action": "delete", "delete_after": "10d"},
    )
    assert house.at_clock().code == 0
    house.mailcow.state.mail[address(2)] = LETTERS
    house.writes()
    return house


def told(done: Done) -> dict[str, Any]:
    """Return what a run plans and says, but for how its changes ended."""
    document = done.document
    changes = [{**change, "outcome": "", "detail": ""} for change in document["changes"]]
    kept = ("exit_code", "error", "withheld", "pending", "findings", "answer_whole", "cost")
    return {"changes": changes, **{key: document[key] for key in kept}}


def goes_on(house: Installation, *options: str, **later: float) -> Done:
    """Run some time later: a dry run predicts it and writes nothing, and one at the same clock finds nothing to do."""
    house.hands.forward(**later)
    before = (house.mailcow.snapshot(), house.state_file.read_bytes())
    house.writes()
    dry = house.at_clock("--dry-run", "--output", "json", *options)
    assert (house.mailcow.snapshot(), house.state_file.read_bytes()) == before
    assert house.writes() == []
    done = house.at_clock("--output", "json", *options)
    assert told(dry) == told(done)
    house.writes()
    again = house.at_clock("--output", "json", *options)
    assert again.document["changes"] == []
    assert house.writes() == []
    return done


def changes(done: Done) -> list[str]:
    """Return what happens to whom, without domains."""
    return [f"{one['kind']} {one['address'].partition('@')[0]}" for one in done.document["changes"]]


def pending(done: Done) -> list[tuple[str, str]]:
    """Return what will happen to whom, and when."""
    return [(one["fate"], one["due"]) for one in done.document["pending"]]


def goto(house: Installation, alias: str) -> str | None:
    row = house.mailcow.state.alias_at(alias)
    return row.goto if row else None


def team(house: Installation) -> str:
    return f"cn=team,{house.slapd.groups_dn}"


def leaves(house: Installation, number: int = 2) -> tuple[str, dict[str, list[bytes]]]:
    """Somebody leaves the directory and, as in most of them, every group in it; return the entry."""
    kept = house.entry(number)
    house.remove(number)
    if number == 2:
        house.slapd.modify(team(house), {"member": [house.dn(1)]})
    return kept


def comes_back(house: Installation, kept: tuple[str, dict[str, list[bytes]]]) -> None:
    """The same entry is in the directory again, and in its group."""
    house.restore(*kept)
    house.slapd.modify(team(house), {"member": [house.dn(1), house.dn(2)]})


def retires(house: Installation, number: int = 2) -> tuple[str, dict[str, list[bytes]]]:
    """Somebody leaves, and the grace passes; return the entry."""
    kept = leaves(house, number)
    house.again(minutes=1)
    assert house.again(minutes=40).code == 0
    assert house.mailbox(number).active == 0
    house.writes()
    return kept


def days(house: Installation, count: int) -> Done:
    """Run every day for so many days; return how the last run ended."""
    for _ in range(count):
        house.hands.forward(days=1)
        done = house.at_clock("--output", "json")
    return done


# the whole life


def test_a_deletion_is_told_with_what_goes_with_it(office: Installation) -> None:
    retires(office)
    office.by_hand("add/alias", {"address": f"byhand@{DOMAIN}", "goto": address(2), "active": "1"})
    due = (office.hands.moment + timedelta(days=10)).strftime("%Y-%m-%d %H:%M")
    assert f"pending   {address(2)}  would be deleted from {due} UTC on\n" in office.again("--dry-run", minutes=5).out
    days(office, 9)
    out = office.again("--dry-run", minutes=24 * 60).out
    assert f"delete    {address(2)}  aliases -byhand@{DOMAIN}; calendars, contacts and filters too  (its entry" in out
    assert "the mail of deleted mailboxes is kept by mailcow for some days" in out
    assert "Dry run: 1 to delete, 1 finding;" in out  # of the right to send as what goes
    assert "1 deleted, 1 finding; 4 mailboxes in the directory, 4 managed" in office.at_clock().out


def test_a_life_from_the_first_day_to_the_last(office: Installation) -> None:
    office.change(2, mailActive="FALSE")
    assert "disable user000002" in changes(goes_on(office, days=100))
    assert office.mailbox(2).active == 0
    office.change(2, mailActive="TRUE")
    assert "enable user000002" in changes(goes_on(office, days=1))
    assert (office.mailbox(2).active, goto(office, f"team@{DOMAIN}")) == (1, f"{address(1)},{address(2)}")

    leaves(office)
    missing = goes_on(office, minutes=5)
    assert missing.document["changes"] == []
    assert ("disabled", missing.document["pending"][0]["due"]) in pending(missing)
    assert goto(office, f"team@{DOMAIN}") == f"{address(1)},{address(2)}"

    retired = goes_on(office, minutes=31)
    assert changes(retired) == ["update team", "remove second", "disable user000002"]
    assert (office.mailbox(2).active, office.mailbox(2).tags) == (0, ["ldap-sync", "ldap-sync:disabled"])
    due = (office.hands.moment + timedelta(days=10)).isoformat()
    assert pending(goes_on(office, days=1)) == [("deleted", due)]

    for _ in range(8):
        assert goes_on(office, days=1).document["changes"] == []
    office.by_hand("add/alias", {"address": f"byhand@{DOMAIN}", "goto": address(2), "active": "1"})
    office.by_hand("add/alias", {"address": f"both@{DOMAIN}", "goto": f"{address(1)},{address(2)}", "active": "1"})
    last = goes_on(office, days=1)
    assert changes(last) == ["delete user000002"]
    (change,) = last.document["changes"]
    assert change["fields"] == [{"key": "aliases", "before": f"byhand@{DOMAIN}", "after": ""}]
    assert not office.has_mailbox(2)
    assert (office.mailcow.state.mail, office.mailcow.state.garbage) == ({}, [LETTERS])
    assert (goto(office, f"byhand@{DOMAIN}"), goto(office, f"both@{DOMAIN}")) == (None, address(1))
    assert (address(2),) not in office.rows("SELECT address FROM mailbox")
    assert office.rows("SELECT address, why FROM change WHERE kind = 'delete'") == [
        (address(2), "its entry has been gone from the directory for as long as the config says")
    ]
    assert [one["code"] for one in goes_on(office, days=1).document["findings"]] == ["send_as_not_found"]


@pytest.mark.parametrize("after", [1, 9])
def test_who_is_back_before_that_has_everything_again(office: Installation, after: int) -> None:
    rights, mailbox = office.mailcow.snapshot()["sender_acl"], office.mailbox(2)
    kept = retires(office)
    days(office, after)
    comes_back(office, kept)
    done = goes_on(office, minutes=5)
    assert done.code == 0
    assert office.mailbox(2) is mailbox
    assert (mailbox.active, mailbox.tags, office.mailcow.state.mail) == (1, ["ldap-sync"], {address(2): LETTERS})
    assert office.has_password_of_directory(2)
    assert goto(office, SECOND) == address(2)
    assert goto(office, f"team@{DOMAIN}") == f"{address(1)},{address(2)}"
    assert office.mailcow.snapshot()["sender_acl"] == rights
    assert days(office, 20).document["changes"] == []
    assert office.has_mailbox(2)


@pytest.mark.parametrize(
    ("action", "active", "receives"), [("keep", 1, True), ("disable", 0, False), ("disallow_login", 2, True)]
)
def test_each_action_leaves_the_mailbox_where_it_says(
    office: Installation,
    action: str,
    active: int,
    receives: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    office.config(removed_users={"action": action})
    leaves(office)
    goes_on(office, minutes=1)
    assert goes_on(office, minutes=40).code == 0
    for _ in range(6):
        assert goes_on(office, days=8).document["changes"] == []
    assert office.mailbox(2).active == active
    assert ("ldap-sync:disabled" in office.mailbox(2).tags) is (active != 1)
    is_on_list = address(2) in str(goto(office, f"team@{DOMAIN}"))
    assert is_on_list is receives


def test_a_barred_login_is_given_back_and_an_inactive_status_goes_before_it(office: Installation) -> None:
    office.config(removed_users="disallow_login")
    kept = leaves(office)
    office.again(minutes=1)
    office.again(minutes=40)
    assert office.mailbox(2).active == 2
    comes_back(office, kept)
    office.change(2, mailActive="FALSE")
    assert "disable user000002" in changes(goes_on(office, minutes=5))
    assert office.mailbox(2).active == 0
    office.change(2, mailActive="TRUE")
    goes_on(office, minutes=5)
    assert (office.mailbox(2).active, office.mailbox(2).tags) == (1, ["ldap-sync"])


def test_from_one_action_to_the_next(office: Installation) -> None:
    office.config(removed_users="disallow_login")
    kept = leaves(office)
    office.again(minutes=1)
    office.again(minutes=40)
    office.config(removed_users="disable")
    assert "disable user000002" in changes(goes_on(office, minutes=5))
    assert office.mailbox(2).active == 0
    office.config(removed_users="disallow_login")
    assert goes_on(office, minutes=5).document["changes"] == []
    assert office.mailbox(2).active == 0
    comes_back(office, kept)
    assert "enable user000002" in changes(goes_on(office, minutes=5))
    assert office.mailbox(2).active == 1


def test_a_lost_state_file_gives_a_barred_login_back(office: Installation) -> None:
    office.config(removed_users="disallow_login")
    kept = leaves(office)
    office.again(minutes=1)
    office.again(minutes=40)
    lose_state(office)
    comes_back(office, kept)
    office.again(minutes=5)
    assert (office.mailbox(2).active, office.mailbox(2).tags) == (1, ["ldap-sync"])


# entries made anew, and addresses that somebody else gets


def test_an_entry_that_was_made_anew_takes_the_mailbox_over_at_once(office: Installation) -> None:
    office.config(removed_users={"action": "delete", "delete_after": "10d", "missing_for": "2h"})
    mailbox = office.mailbox(2)
    leaves(office)
    goes_on(office, minutes=5)
    office.people(2, mailAlias=SECOND)
    assert goes_on(office, minutes=60).code == 0
    assert office.mailbox(2) is mailbox
    assert days(office, 15).document["changes"] == []
    assert mailbox.active == 1


def test_later_it_waits_until_the_old_mailbox_is_gone_and_gets_another(office: Installation) -> None:
    mailbox = office.mailbox(2)
    retires(office)
    office.people(2, givenName="Somebody", sn="Else")
    for day in range(9):
        done = days(office, 1)
        assert (done.code, changes(done)) == (3, ["grant user000003"] if day == 0 else [])  # a right to send as him
        assert "address_reused" in done.out
    done = days(office, 1)
    assert changes(done) == ["delete user000002"]
    done = goes_on(office, minutes=5)
    assert (done.code, changes(done)) == (0, ["create user000002", "grant user000003"])
    assert office.mailbox(2) is not mailbox
    assert (office.mailbox(2).name, office.mailbox(2).active) == ("Somebody Else", 1)
    assert (office.mailcow.state.mail, office.mailcow.state.garbage) == ({}, [LETTERS])


# what keeps a mailbox


def test_a_protected_mailbox_is_never_deleted(office: Installation) -> None:
    retires(office)
    office.config(protected=[address(2)])
    assert days(office, 30).document["changes"] == []
    assert office.has_mailbox(2)


def test_a_mailbox_that_somebody_else_made_is_never_deleted(office: Installation) -> None:
    office.make_by_hand(9, "a good password", active="0")
    assert days(office, 40).document["changes"] == []
    assert office.has_mailbox(9)


def test_who_was_activated_by_hand_is_disabled_again_and_the_time_starts_anew(office: Installation) -> None:
    retires(office)
    days(office, 8)
    office.edit_by_hand(2, active="1")
    assert changes(goes_on(office, days=1)) == ["disable user000002"]
    assert days(office, 9).document["changes"] == []
    assert changes(days(office, 1)) == ["delete user000002"]


def test_a_clock_that_jumped_ahead_deletes_nobody(office: Installation) -> None:
    retires(office)
    done = goes_on(office, days=3_650)
    assert done.document["changes"] == []
    assert pending(done)[0][0] == "deleted"
    assert days(office, 1).document["changes"] == []
    assert changes(days(office, 1)) == ["delete user000002"]


def test_a_clock_that_was_set_back_delays_nothing_for_ever(office: Installation) -> None:
    retires(office)
    days(office, 5)
    goes_on(office, days=-3_650)
    assert days(office, 4).document["changes"] == []
    assert changes(days(office, 1)) == ["delete user000002"]


def test_a_lost_state_file_makes_the_time_begin_anew(office: Installation) -> None:
    retires(office)
    days(office, 9)
    lose_state(office)
    office.again("--force-removals", "9", minutes=1)
    assert days(office, 10).document["changes"] == []  # the first of them is the second answer, which ends the grace
    assert changes(days(office, 1)) == ["delete user000002"]


def test_the_administrator_counts_deletions_apart_and_lets_them_through(office: Installation) -> None:
    office.config(limits={"removals": "1"})
    retires(office, 2)
    retires(office, 4)
    done = days(office, 11)
    assert done.code == 4
    (withheld,) = done.document["withheld"]
    assert (withheld["kind"], withheld["count"], withheld["managed"], withheld["limit"]) == ("delete", 2, 5, 1)
    assert sorted(withheld["addresses"]) == [address(2), address(4)]
    assert (office.has_mailbox(2), office.has_mailbox(4)) == (True, True)
    forced = goes_on(office, "--force-removals", "2", minutes=5)
    assert changes(forced) == ["delete user000002", "delete user000004"]


def test_a_changed_search_deletes_nobody_without_a_word(office: Installation) -> None:
    retires(office)
    days(office, 9)
    office.config(ldap__user_search_filter="(&(mail=*)(uid=*))")
    done = days(office, 1)
    assert (done.code, changes(done)) == (4, [])
    assert done.document["withheld"][0]["reason"] == "search_changed"
    assert changes(goes_on(office, "--force-removals", "1", minutes=5)) == ["delete user000002"]


def test_an_answer_that_is_not_whole_deletes_nobody(office: Installation) -> None:
    retires(office)
    days(office, 9)
    office.config(ldap__canary_dns=[f"uid=canary,{office.slapd.people_dn}"])
    done = days(office, 3)
    assert (done.code, changes(done)) == (4, [])
    office.config(ldap__canary_dns=None)
    assert changes(goes_on(office, minutes=5)) == ["delete user000002"]


# how it is done


def test_aliases_in_domains_that_are_not_looked_at_are_named(office: Installation) -> None:
    office.mailcow.state.add_domain(DomainLimits("other.example.org"))
    office.config(ldap__domains=[DOMAIN], ldap__user_mapping__aliases=None, ldap__user_mapping__send_as=None)
    office.again(minutes=1)
    office.by_hand("add/alias", {"address": "far@other.example.org", "goto": address(2), "active": "1"})
    retires(office)
    (change,) = days(office, 10).document["changes"]
    assert change["fields"][0]["before"] == f"far@other.example.org, {SECOND}"
    assert goto(office, "far@other.example.org") is None


def test_while_dovecot_is_down_nothing_is_deleted(office: Installation) -> None:
    """The mail would stay where it is, and the next mailbox of that name would find it."""
    retires(office)
    days(office, 9)
    office.mailcow.state.container_states["dovecot-mailcow"] = "exited"
    office.writes()
    done = days(office, 1)
    assert done.code == 3
    (change,) = done.document["changes"]
    assert (change["outcome"], "dovecot-mailcow is exited" in change["detail"]) == ("failed", True)
    assert office.writes() == []
    office.mailcow.state.container_states.clear()
    assert changes(goes_on(office, minutes=5)) == ["delete user000002"]
    assert office.mailcow.state.garbage == [LETTERS]


@pytest.mark.parametrize("times", [1, None])
@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.EMPTY_BODY,
        FaultKind.EMPTY_BODY_AFTER,
        FaultKind.HALF_DELETED,
        FaultKind.HTTP_500,
        FaultKind.HTTP_502,
        FaultKind.DROP_BEFORE,
        FaultKind.DROP_AFTER,
        FaultKind.DEADLOCK,
    ],
)
def test_a_fault_at_a_deletion_is_got_over(office: Installation, kind: FaultKind, times: int | None) -> None:
    office.by_hand("add/alias", {"address": f"byhand@{DOMAIN}", "goto": address(2), "active": "1"})
    retires(office)
    days(office, 9)
    office.mailcow.faults.add(kind, "delete/mailbox", times=times)
    done = days(office, 1)
    assert done.code in (0, 3, 75)
    assert office.rows("SELECT count(*) FROM mailbox")[0][0] == (5 if done.code else 4)
    office.mailcow.faults.clear()
    assert goes_on(office, minutes=5).code == 0
    assert not office.has_mailbox(2)
    assert office.mailcow.state.garbage == [LETTERS]
    assert office.rows("SELECT count(*) FROM mailbox") == [(4,)]
    assert office.rows("SELECT count(*) FROM intent") == [(0,)]
    assert goto(office, f"byhand@{DOMAIN}") is None
    assert goes_on(office, days=1).said.count("half_deleted") == 0


def test_what_a_run_left_half_deleted_is_deleted_again_by_the_next(office: Installation) -> None:
    retires(office)
    days(office, 9)
    office.mailcow.faults.add(FaultKind.HALF_DELETED, "delete/mailbox", times=None)
    assert days(office, 1).code == 3
    assert office.mailbox(2).half_deleted
    office.mailcow.faults.clear()
    done = goes_on(office, minutes=5)
    (change,) = done.document["changes"]
    assert (change["kind"], change["address"], change["why"]) == ("delete", address(2), "an earlier run began it")
    assert not office.has_mailbox(2)


def test_dovecot_that_stops_in_between_ends_the_second_try(office: Installation) -> None:
    retires(office)
    days(office, 9)
    office.mailcow.faults.add(FaultKind.EMPTY_BODY, "delete/mailbox")
    stopped = {"dovecot-mailcow": "exited"}
    with after_write(1, office.mailcow, lambda: office.mailcow.state.container_states.update(stopped)):
        done = days(office, 1)
    assert done.code == 3
    assert office.has_mailbox(2)
    assert office.mailcow.state.mail == {address(2): LETTERS}


def lose_state(house: Installation) -> None:
    """The state file and its key are lost."""
    for path in house.folder.glob("mailcow_ldap_sync.sqlite3*"):
        path.unlink()
