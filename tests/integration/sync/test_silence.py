"""What cron mails: news at once, the same old things once a day, and that they are over."""

from __future__ import annotations

import os

import pytest

from ldap2mailcow.state import lock

from .installation import Installation, address


def test_a_finding_is_told_when_it_is_new_then_once_a_day_then_when_it_is_gone(house: Installation) -> None:
    house.people(1, MailQuota="plenty")
    assert f"quota_invalid  {house.dn(1)}" in house.at_clock().out
    silent = house.again(minutes=5)
    assert (silent.code, silent.said) == (3, "")
    assert house.again(minutes=22 * 60).said == ""
    assert "quota_invalid" in house.again(minutes=2 * 60).out
    assert house.again(minutes=22 * 60).said == ""
    house.change(1, MailQuota="100")
    mended = house.again(minutes=5)
    assert mended.code == 0
    assert f"gone      quota_invalid  {house.dn(1)}" in mended.out
    assert house.again(minutes=5).said == ""


def test_a_dry_run_tells_everything_and_uses_nothing_up(house: Installation) -> None:
    house.people(1, MailQuota="plenty")
    for _ in range(2):
        assert "quota_invalid" in house.again("--dry-run", minutes=5).out
    assert "quota_invalid" in house.again(minutes=5).out


def test_verbose_tells_old_things_too(house: Installation) -> None:
    house.people(1, MailQuota="plenty")
    house.at_clock()
    assert "quota_invalid" in house.again("-v", minutes=5).out


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("ldap__uri", "ldap://127.0.0.1:1", "LDAP unreachable"),
        ("mailcow_host", "http://127.0.0.1:1", "mailcow unreach"),
    ],
)
def test_an_unreachable_server_is_told_once_a_day_and_when_it_is_back(
    house: Installation, key: str, value: str, what: str
) -> None:
    right = house.settings["mailcow_host"] if key == "mailcow_host" else house.settings["ldap"]["uri"]
    house.people(1)
    house.at_clock()
    house.config(**{key: value})
    assert what in house.again(minutes=5).out
    silent = house.again(minutes=5)
    assert (silent.code, silent.said) == (75, "")
    assert what in house.again(minutes=24 * 60).out
    house.config(**{key: right})
    assert f"gone      {what}" in house.again(minutes=5).out
    assert house.again(minutes=5).said == ""


def test_an_end_before_the_findings_are_known_does_not_call_them_gone(house: Installation) -> None:
    right = house.settings["ldap"]["uri"]
    house.people(1, MailQuota="plenty")
    house.at_clock()
    house.config(ldap__uri="ldap://127.0.0.1:1")
    assert "gone" not in house.again(minutes=5).out
    house.config(ldap__uri=right)
    assert "quota_invalid" not in house.again(minutes=5).out


def test_a_run_that_ends_before_its_plan_uses_no_finding_up(house: Installation) -> None:
    """It shows none, so the next run has to."""
    right = house.settings["ldap"]["uri"]
    house.config(ldap__uri="ldap://127.0.0.1:1")
    house.config_file.chmod(0o644)
    assert "secret_readable" not in house.at_clock().said
    house.config(ldap__uri=right)
    assert "secret_readable" in house.again(minutes=5).out


def test_withheld_removals_are_told_once_a_day(house: Installation) -> None:
    house.people(1, 2, 3, 4, 5)
    house.at_clock()
    house.config(limits={"removals": "1"})
    for number in (1, 2):
        house.change(number, mailActive="FALSE")
    assert "withheld  2 of 5" in house.again(minutes=5).out
    silent = house.again(minutes=5)
    assert (silent.code, silent.said) == (4, "")
    assert "withheld  2 of 5" in house.again(minutes=24 * 60).out
    house.config(limits={"removals": "2"})
    done = house.again(minutes=5)
    assert done.code == 0
    assert "gone      withheld" in done.out


def test_a_change_that_keeps_failing_is_told_once_a_day(house: Installation) -> None:
    house.people(1)
    house.mailcow.faults.add("http_500", "add/mailbox", times=None)
    first = house.at_clock()
    assert first.code == 3
    assert f"failed    create {address(1)}: " in first.out
    silent = house.again(minutes=5)
    assert (silent.code, silent.said) == (3, "")
    assert "failed    create" in house.again(minutes=24 * 60).out
    house.mailcow.faults.clear()
    done = house.again(minutes=5)
    assert done.code == 0
    assert done.out.startswith("gone      failed  ")
    assert address(1) in done.out
    assert "\n1 created; " in done.out


@pytest.mark.parametrize("place", ["", ":{dn}"])
def test_an_accepted_finding_is_silent_and_counts_no_more(house: Installation, place: str) -> None:
    house.people(1, MailQuota="plenty")
    house.config(accept=["quota_invalid" + place.format(dn=house.dn(1))])
    done = house.at_clock()
    assert done.code == 0
    assert "quota_invalid" not in done.out
    told = house.again("--output", "json", minutes=5).document
    assert [(finding["code"], finding["accepted"]) for finding in told["findings"]] == [("quota_invalid", True)]


def test_accepting_one_place_accepts_no_other(house: Installation) -> None:
    house.people(1, 2, MailQuota="plenty")
    house.config(accept=[f"quota_invalid:{house.dn(1)}"])
    done = house.at_clock()
    assert done.code == 3
    assert house.dn(2) in done.out
    assert house.dn(1) not in done.out


def test_many_findings_of_one_kind_are_told_shortly(house: Installation) -> None:
    house.people(*range(1, 14), MailQuota="plenty")
    done = house.at_clock()
    assert done.out.count("error     quota_invalid  uid=") == 10
    assert "quota_invalid  and 3 more of these (-v shows all)" in done.out
    assert house.again("-v", minutes=5).out.count("error     quota_invalid  uid=") == 13


def test_a_notice_of_a_clock_that_was_ahead_counts_as_past(house: Installation) -> None:
    house.people(1, MailQuota="plenty")
    assert "quota_invalid" in house.again(minutes=60 * 24 * 365).out
    house.hands.forward(days=-365)
    assert "quota_invalid" in house.at_clock().out
    assert house.again(minutes=5).said == ""


@pytest.mark.parametrize(
    ("settings", "options", "where"),
    [
        ({"mailcow_verify": False}, [], "mailcow_verify"),
        ({"ldap__allow_self_signed": True}, [], "ldap.allow_self_signed"),
        ({}, ["--do-not-verify"], "--do-not-verify"),
        ({"mailcow_verify": False}, ["--do-not-verify"], "mailcow_verify"),
    ],
)
def test_that_any_certificate_is_taken_is_told_once_a_day(
    house: Installation, settings: dict[str, object], options: list[str], where: str
) -> None:
    house.people(1)
    house.config(**settings)
    first = house.at_clock(*options)
    assert first.code == 0
    assert first.out.count("not_verified") == 1
    assert f"not_verified  {where}: no certificate is looked at" in first.out
    assert house.again(*options, minutes=5).said == ""
    assert "not_verified" in house.again(*options, minutes=24 * 60).out


def test_a_lock_that_is_held_for_hours_is_told_once_a_day(house: Installation) -> None:
    house.people(1)
    with lock(house.state_file, house.hands.now()):
        assert house.again(minutes=10).said == ""
        told = house.again(minutes=180)
        assert (told.code, told.out) == (75, "")
        assert f"process {os.getpid()}, holds the lock of the state file for 3 hours" in told.err
        assert house.again(minutes=10).said == ""
        assert "for 26 hours" in house.again(minutes=23 * 60).err
    assert house.again(minutes=10).code == 0
