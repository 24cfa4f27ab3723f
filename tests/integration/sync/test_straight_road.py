"""The straight road: what is in the directory comes to be in mailcow, once, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from .installation import Installation, address, attributes_of, paths

HAND = "{SSHA}r1NBy3jzPDHtP3cQp8CY4Xf0p0lcmVEe"
NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"


def holdings(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# dry runs


def test_a_dry_run_leaves_no_trace_anywhere(house: Installation) -> None:
    house.people(1, 2)
    before, in_mailcow = holdings(house.folder), house.mailcow.snapshot()
    done = house.run("--dry-run")
    assert done.code == 0
    assert "create    user000001@example.org" in done.out
    assert "Dry run: 2 to create" in done.out
    assert holdings(house.folder) == before
    assert house.writes() == []
    assert house.mailcow.snapshot() == in_mailcow


def test_a_dry_run_changes_no_byte_of_the_state_file(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.remove(2)
    house.writes()
    before = holdings(house.folder)
    assert "pending   user000002@example.org" in house.again("--dry-run", minutes=60).out
    assert holdings(house.folder) == before
    assert house.writes() == []


def test_a_dry_run_does_not_wait_for_the_lock(house: Installation) -> None:
    house.people(1)
    with house.locked():
        assert house.run("--dry-run").code == 0


def test_a_dry_run_counts_its_answer_as_the_real_run_would(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.remove(2)
    house.again(minutes=1)
    dry = house.again("--dry-run", minutes=40)
    assert f"disable   {address(2)}" in dry.out
    assert f"disable   {address(2)}" in house.at_clock().out


@pytest.mark.parametrize(
    ("case", "code"),
    [("nothing odd", 0), ("a finding", 3), ("withheld", 4), ("no directory", 75), ("refused", 77), ("config", 78)],
)
def test_a_dry_run_ends_with_the_exit_code_of_the_real_run(house: Installation, case: str, code: int) -> None:
    house.people(1, 2, 3, 4)
    house.at_clock()
    match case:
        case "a finding":
            house.change(1, MailQuota="plenty")
        case "withheld":
            house.config(ldap__user_search_filter="(mail=user000001@*)")
        case "no directory":
            house.config(ldap__uri="ldap://127.0.0.1:1")
        case "refused":
            house.config(ldap__bind_pw="wrong")
        case "config":
            house.config(mark="two words")
    dry = house.again("--dry-run", minutes=1)
    assert dry.code == code
    assert house.at_clock().code == code


# the first runs


def test_new_people_get_mailboxes_with_everything_that_the_directory_says(house: Installation) -> None:
    house.people(1, tlsIn="TRUE", tlsOut="0")
    done = house.run()
    assert done.code == 0
    row = house.mailbox(1)
    assert (row.name, row.quota, row.active) == ("Björn Ahmed", 1024 * 1024 * 1024, 1)
    assert (row.attributes["tls_enforce_in"], row.attributes["tls_enforce_out"]) == ("1", "0")
    assert row.attributes["force_pw_update"] == "0"
    assert row.tags == ["ldap-sync"]
    assert house.has_password_of_directory(1)
    assert "1 created; 1 mailbox in the directory, 1 managed." in done.out


def test_the_second_run_with_the_flag_is_silent_and_writes_nothing(house: Installation) -> None:
    house.people(1, 2, 3)
    house.run()
    house.writes()
    second = house.run("--update-only-on-change-by-ldap")
    assert (second.code, second.said) == (0, "")
    assert house.writes() == []


def test_the_second_run_without_the_flag_writes_every_password_again_and_says_so_in_one_line(
    house: Installation,
) -> None:
    house.config(update_only_on_change_by_ldap=False)
    house.people(1, 2, 3)
    house.run()
    house.writes()
    second = house.run("-v")
    assert second.code == 0
    assert second.out == "3 written again unchanged; 3 mailboxes in the directory, 3 managed.\n"
    written = house.writes()
    assert paths(written) == ["edit/mailbox"] * 3
    assert all(attributes_of(write).keys() == {"password", "password2"} for write in written)


def test_writing_again_unchanged_is_no_news_for_cron(house: Installation) -> None:
    house.people(1)
    house.run("--reassert")
    assert house.run("--reassert").said == ""


@pytest.mark.parametrize(
    ("config", "option", "written"),
    [(None, None, 1), (True, None, 0), (False, "--update-only-on-change-by-ldap", 0), (True, "--reassert", 1)],
)
def test_the_option_goes_before_the_config_and_the_default_is_to_write_again(
    house: Installation, config: object, option: str | None, written: int
) -> None:
    house.config(update_only_on_change_by_ldap=config)
    house.people(1)
    house.at_clock()
    house.writes()
    house.again(*[option] if option else [], minutes=5)
    assert len(house.writes()) == written


# changes in the directory


def test_a_password_that_changed_in_the_directory_is_written_once(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.writes()
    house.change(1, userPassword=NEWER)
    done = house.again(minutes=5)
    assert f"update    {address(1)}  password  (its password changed in the directory)" in done.out
    assert paths(house.writes()) == ["edit/mailbox"]
    assert house.mailbox(1).password == NEWER
    assert house.again(minutes=5).said == ""


def test_a_name_and_a_quota_go_through_edit_mailbox(house: Installation) -> None:
    house.people(1)
    house.at_clock()
    house.writes()
    house.change(1, givenName="Zoë", MailQuota="3G")
    house.again(minutes=5)
    (write,) = house.writes()
    assert write.path == "edit/mailbox"
    assert attributes_of(write) == {"name": "Zoë Ahmed", "quota": 3072}
    assert (house.mailbox(1).name, house.mailbox(1).quota) == ("Zoë Ahmed", 3072 * 1024 * 1024)


def test_a_tls_policy_goes_through_its_own_call(house: Installation) -> None:
    """edit/mailbox answers with success and leaves it (docs/mailcow-api.md section 5)."""
    house.people(1, tlsIn="FALSE")
    house.at_clock()
    house.writes()
    house.change(1, tlsIn="TRUE")
    house.again(minutes=5)
    (write,) = house.writes()
    assert write.path == "edit/tls_policy"
    assert attributes_of(write) == {"tls_enforce_in": 1}
    assert house.mailbox(1).attributes["tls_enforce_in"] == "1"


def test_the_hash_of_an_applied_template_outlives_an_edit(house: Installation) -> None:
    """An edit that doesn't send it back clears it (docs/mailcow-api.md section 5)."""
    house.people(1)
    house.at_clock()
    house.edit_by_hand(1, attribute_hash="of a template")
    house.change(1, givenName="Zoë")
    house.again(minutes=5)
    assert house.mailbox(1).name == "Zoë Ahmed"
    assert house.mailbox(1).attributes["attribute_hash"] == "of a template"


def test_an_attribute_that_is_taken_out_of_the_directory_is_not_managed_any_more(house: Installation) -> None:
    house.people(1)
    house.at_clock()
    house.writes()
    house.change(1, MailQuota=[], mailActive=[])
    assert house.again(minutes=5).code == 0
    assert house.writes() == []
    assert house.mailbox(1).quota == 1024 * 1024 * 1024


def test_many_that_change_alike_share_a_call(house: Installation) -> None:
    house.people(*range(1, 13), MailQuota="100")
    house.at_clock()
    house.writes()
    for number in range(1, 13):
        house.change(number, MailQuota="200")
    house.again(minutes=5)
    assert sorted(len(write.items) for write in house.writes()) == [2, 10]


def test_what_was_changed_by_hand_in_mailcow_is_put_right(house: Installation) -> None:
    house.people(1)
    house.at_clock()
    house.edit_by_hand(1, name="By Hand")
    done = house.again(minutes=5)
    assert 'name "By Hand" -> "Björn Ahmed"  (it was changed in mailcow)' in done.out
    assert house.mailbox(1).name == "Björn Ahmed"


@pytest.mark.parametrize(("drift", "winner"), [("overwrite", "directory"), ("report", "mailcow")])
def test_a_password_that_was_changed_in_mailcow_follows_the_config(
    house: Installation, drift: str, winner: str
) -> None:
    house.config(password_drift=drift)
    house.people(1)
    house.at_clock()
    house.edit_by_hand(1, password=HAND, password2=HAND)
    done = house.again(minutes=5)
    assert ("password_drift" in done.out) == (winner == "mailcow")
    assert (house.mailbox(1).password == HAND) == (winner == "mailcow")
    assert house.has_password_of_directory(1) == (winner == "directory")
    assert done.code == 0


# mailboxes that were there before


@pytest.mark.parametrize(
    ("adopt", "code", "name", "winner"),
    [
        ("overwrite", 0, "Björn Ahmed", "directory"),
        ("keep_password", 0, "Björn Ahmed", "mailcow"),
        ("refuse", 3, "By Hand", "mailcow"),
    ],
)
def test_a_mailbox_that_was_there_before_is_taken_over_as_the_config_says(
    house: Installation, adopt: str, code: int, name: str, winner: str
) -> None:
    house.config(adopt_mailboxes=adopt)
    house.people(1)
    house.make_by_hand(1, HAND)
    assert house.at_clock().code == code
    row = house.mailbox(1)
    assert row.name == name
    assert (row.password == HAND) == (winner == "mailcow")
    assert house.has_password_of_directory(1) == (winner == "directory")
    assert row.tags == ([] if adopt == "refuse" else ["ldap-sync"])


def test_a_kept_password_gives_way_to_the_directorys_first_change(house: Installation) -> None:
    house.people(1)
    house.make_by_hand(1, HAND)
    house.at_clock()
    assert house.again(minutes=5).said == ""
    assert house.mailbox(1).password == HAND
    house.change(1, userPassword=NEWER)
    house.again(minutes=5)
    assert house.mailbox(1).password == NEWER


def test_mailboxes_of_nobody_in_the_directory_are_left_alone_and_counted(house: Installation) -> None:
    house.people(1)
    house.make_by_hand(7, HAND)
    before = house.mailcow.snapshot()
    done = house.at_clock("-v")
    assert f"not ours  {address(7)}" in done.out
    assert "1 more in your domains" in done.out
    for _ in range(3):
        house.again(minutes=60)
    assert house.mailcow.snapshot()["mailboxes"][address(7)] == before["mailboxes"][address(7)]  # type: ignore[index,call-overload]


# status


def test_a_mailbox_follows_the_status_of_its_entry(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.change(1, mailActive="FALSE")
    done = house.again(minutes=5)
    assert f"disable   {address(1)}" in done.out
    assert "the directory says it is inactive" in done.out
    assert (house.mailbox(1).active, house.mailbox(1).tags) == (0, ["ldap-sync", "ldap-sync:disabled"])
    house.change(1, mailActive="TRUE")
    assert "the directory says it is active again" in house.again(minutes=5).out
    assert (house.mailbox(1).active, house.mailbox(1).tags) == (1, ["ldap-sync"])
    assert house.again(minutes=5).said == ""


def test_a_new_user_who_is_inactive_gets_a_mailbox_once_active(house: Installation) -> None:
    house.people(1, mailActive="FALSE")
    assert f"{address(1)} is made once it is active" in house.at_clock("-v").out
    assert house.writes() == []
    house.change(1, mailActive="TRUE")
    house.again(minutes=5)
    assert house.mailbox(1).active == 1


def test_a_mailbox_that_was_disabled_by_hand_stays_so(house: Installation) -> None:
    house.people(1)
    house.at_clock()
    house.edit_by_hand(1, active="0")
    done = house.again(minutes=5)
    assert done.code == 0
    assert "disabled_by_hand" in done.out
    for _ in range(3):
        house.again(minutes=60)
    assert house.mailbox(1).active == 0
    assert house.writes() == []


# people who are gone


def test_who_is_gone_is_disabled_after_two_runs_and_half_an_hour(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.remove(2)
    pending = house.again("-v", minutes=5)
    assert f"pending   {address(2)}  would be disabled from 2026-11-21 10:35 UTC on, after 1 more run" in pending.out
    assert house.again(minutes=29).said == ""
    assert house.mailbox(2).active == 1
    done = house.again(minutes=1)
    assert f"disable   {address(2)}" in done.out
    assert (house.mailbox(2).active, house.mailbox(2).tags) == (0, ["ldap-sync", "ldap-sync:disabled"])
    assert house.again(minutes=60).said == ""
    assert house.has_mailbox(2)


def test_half_an_hour_begins_when_the_absence_is_seen(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.remove(2)
    house.again(minutes=120)
    assert house.mailbox(2).active == 1
    house.again(minutes=31)
    assert house.mailbox(2).active == 0


def test_the_time_alone_is_not_enough_where_the_config_wants_more_runs(house: Installation) -> None:
    house.config(removed_users={"missing_runs": 4, "missing_for": "10m"})
    house.people(1, 2, 3)
    house.at_clock()
    house.remove(2)
    for active in (1, 1, 1, 0):
        house.again(minutes=20)
        assert house.mailbox(2).active == active


def test_a_short_absence_is_forgotten(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.remove(2)
    house.again(minutes=5)
    house.people(2)
    house.again(minutes=20)
    house.remove(2)
    house.again(minutes=20)
    assert house.mailbox(2).active == 1


def test_who_comes_back_is_enabled(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    dn, entry = house.entry(2)
    house.remove(2)
    for _ in range(3):
        house.again(minutes=20)
    assert house.mailbox(2).active == 0
    house.restore(dn, entry)
    done = house.again(minutes=5)
    assert f"enable    {address(2)}" in done.out
    assert (house.mailbox(2).active, house.mailbox(2).tags) == (1, ["ldap-sync"])
    assert house.again(minutes=5).said == ""


def test_who_is_entered_anew_after_the_grace_does_not_inherit_the_mailbox(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.remove(2)
    for _ in range(3):
        house.again(minutes=20)
    house.people(2, givenName="Somebody", sn="Else")
    done = house.again(minutes=5)
    assert done.code == 3
    assert "address_reused" in done.out
    assert (house.mailbox(2).active, house.mailbox(2).name) == (0, "Chloé Ahmed")


def test_moving_an_entry_to_another_place_changes_nothing(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.writes()
    house.slapd.add(f"ou=sales,{house.slapd.people_dn}", {"objectClass": "organizationalUnit", "ou": "sales"})
    house.slapd.rename(house.dn(1), house.dn(1).replace("ou=people", "ou=sales,ou=people"))
    for _ in range(3):
        assert house.again(minutes=20).said == ""
    assert house.writes() == []


def test_another_attribute_to_know_people_by_makes_nobody_new_and_nobody_missing(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.writes()
    house.config(ldap__user_mapping__id="uid")
    for _ in range(3):
        house.again(minutes=40)
    assert house.writes() == []
    assert house.rows("SELECT id FROM mailbox ORDER BY id") == [("user000001",), ("user000002",), ("user000003",)]


def test_a_lost_state_file_loses_nothing(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.writes()
    for path in house.folder.glob("mailcow_ldap_sync.sqlite3*"):
        path.unlink()
    assert house.again(minutes=5).code == 0
    assert house.writes() == []
    house.change(1, mailActive="FALSE")
    house.again(minutes=5)
    assert house.mailbox(1).active == 0
