"""Coming from mailcow-ldap-sync: its config.json as it is, its database beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from .installation import Installation, address

HAND = "{SSHA}r1NBy3jzPDHtP3cQp8CY4Xf0p0lcmVEe"
REMARK = "Three things are done otherwise here"
DATABASE = "mailcow.sqlite3"


@pytest.fixture
def heir(house: Installation) -> Installation:
    """An installation with the ancestor's config.json as its only config: its keys, its order, real values."""
    house.config_file.unlink()
    settings = {
        "ldap": {
            "uri": house.slapd.uri,
            "allow_self_signed": False,
            "bind_dn": house.slapd.reader_dn,
            "bind_pw": house.slapd.reader_password,
            "user_search_base": house.slapd.people_dn,
            "user_search_filter": "(objectClass=inetOrgPerson)",
            "user_mapping": {
                "mail": "mail",
                "firstname": "givenName",
                "lastname": "sn",
                "password": "userPassword",
                "quota": "MailQuota",
                "active": "",
                "tls_enforce_in": "",
                "tls_enforce_out": "",
            },
        },
        "mailcow_host": house.mailcow.url,
        "mailcow_api_key": house.mailcow.api_key,
    }
    house.config_file = house.folder / "config.json"
    house.config_file.touch(mode=0o600)
    house.config_file.write_text(json.dumps(settings), encoding="utf-8")
    return house


def database(house: Installation, numbers: Sequence[int]) -> None:
    """Write the ancestor's database: what it last sent to mailcow."""
    with closing(sqlite3.connect(house.folder / DATABASE)) as connection, connection:
        connection.execute(
            "CREATE TABLE user (id INTEGER NOT NULL PRIMARY KEY, uid VARCHAR, active BOOLEAN, mail VARCHAR, "
            "first_name VARCHAR, last_name VARCHAR, password VARCHAR, quota INTEGER, tls_enforce_in BOOLEAN, "
            "tls_enforce_out BOOLEAN)"
        )
        connection.executemany(
            "INSERT INTO user (uid, active, mail, first_name, last_name, password, quota, tls_enforce_in, "
            "tls_enforce_out) VALUES (?, 1, ?, 'By', 'Hand', ?, 100, 1, 1)",
            [(house.dn(number), address(number).upper(), HAND) for number in numbers],
        )


def test_its_config_makes_the_mailboxes_that_it_made(heir: Installation) -> None:
    heir.people(1, 2, 3)
    assert heir.run().code == 0
    for number, name, quota in ((1, "Björn Ahmed", 1024), (2, "Chloé Ahmed", 2048), (3, "David Ahmed", 4096)):
        row = heir.mailbox(number)
        assert (row.name, row.quota) == (name, quota * 1024 * 1024)
        assert heir.has_password_of_directory(number)


def test_its_config_writes_every_mailbox_on_every_run(heir: Installation) -> None:
    heir.people(1, 2)
    heir.run()
    heir.writes()
    heir.run()
    assert len(heir.writes()) == 2


def test_a_status_that_is_not_mapped_is_not_forced(heir: Installation) -> None:
    heir.people(1, mailActive="FALSE")
    heir.at_clock()
    assert heir.mailbox(1).active == 1
    heir.edit_by_hand(1, active="0")
    assert heir.again(minutes=5).code == 0
    assert heir.mailbox(1).active == 0


def test_a_tls_policy_that_is_not_mapped_is_mailcows_own(heir: Installation) -> None:
    heir.people(1)
    heir.run()
    attributes = heir.mailbox(1).attributes
    assert (attributes["tls_enforce_in"], attributes["tls_enforce_out"]) == ("0", "0")


def test_who_is_gone_is_disabled_and_not_deleted(heir: Installation) -> None:
    heir.people(1, 2, 3)
    heir.at_clock()
    heir.remove(2)
    heir.again(minutes=20)
    assert heir.mailbox(2).active == 1
    for _ in range(3):
        heir.again(minutes=40)
    assert heir.mailbox(2).active == 0
    assert [write.path for write in heir.writes() if write.path.startswith("delete")] == []


def test_the_differences_are_told_once(heir: Installation) -> None:
    heir.people(1)
    for option in ("--dry-run", "--dry-run", "-v"):
        assert heir.at_clock(option).out.startswith("This config is mailcow-ldap-sync's own.")
    assert REMARK not in heir.again("-v", minutes=5).said


def test_the_differences_are_told_by_the_first_run_that_gets_so_far(heir: Installation) -> None:
    heir.people(1)
    heir.slapd.stop()
    try:
        assert heir.at_clock().code == 75
    finally:
        heir.slapd.start()
    assert REMARK in heir.again(minutes=5).out


def test_the_differences_are_not_told_to_anybody_else(house: Installation) -> None:
    house.people(1)
    assert REMARK not in house.at_clock("-v").out


def test_the_mailboxes_of_its_database_are_managed(heir: Installation) -> None:
    heir.people(1, 2)
    heir.make_by_hand(1, HAND)
    heir.make_by_hand(7, HAND)
    database(heir, [1])
    done = heir.at_clock("-v")
    assert done.code == 0
    assert REMARK in done.out
    assert f"not ours  {address(7)}" in done.out
    assert (heir.mailbox(1).name, heir.mailbox(1).tags) == ("Björn Ahmed", ["ldap-sync"])
    assert heir.has_password_of_directory(1)
    assert heir.rows("SELECT address, origin FROM mailbox ORDER BY address") == [
        (address(1), "ancestor"),
        (address(2), "created"),
    ]


def test_its_database_is_to_be_deleted_and_is_read_once_only(heir: Installation) -> None:
    heir.people(1, 2)
    heir.make_by_hand(1, HAND)
    heir.make_by_hand(7, HAND)
    database(heir, [1])
    first = heir.at_clock()
    assert f"ancestor_state  {heir.folder / DATABASE}" in first.out
    assert "delete it, it holds password hashes" in first.out
    (heir.folder / DATABASE).unlink()
    database(heir, [7])
    assert heir.again(minutes=5).code == 0
    assert heir.rows("SELECT count(*) FROM mailbox") == [(2,)]
    (heir.folder / DATABASE).unlink()
    assert "gone      ancestor_state" in heir.again(minutes=5).out


def test_who_left_before_we_came_is_left_to_the_administrator(heir: Installation) -> None:
    heir.people(1, 2, 3)
    for number in (1, 2, 3, 9):
        heir.make_by_hand(number, HAND)
    database(heir, [1, 2, 3, 9])
    done = heir.at_clock()
    assert done.code == 4
    assert "1 of 4 managed mailboxes would be disabled, and no run was accepted yet" in done.out
    for _ in range(3):
        heir.again(minutes=40)
    assert heir.mailbox(9).active == 1
    assert heir.again("--force-removals", "1", minutes=5).code == 0
    assert heir.mailbox(9).active == 0


def test_a_dry_run_reads_its_database_and_leaves_no_trace(heir: Installation) -> None:
    heir.people(1)
    heir.make_by_hand(1, HAND)
    database(heir, [1])
    before = (heir.folder / DATABASE).read_bytes()
    done = heir.at_clock("--dry-run")
    assert f"update    {address(1)}" in done.out
    assert {path.name for path in heir.folder.iterdir()} == {"config.json", DATABASE}
    assert (heir.folder / DATABASE).read_bytes() == before


def test_another_file_of_that_name_is_told(heir: Installation) -> None:
    (heir.folder / DATABASE).write_text("something else", encoding="utf-8")
    done = heir.at_clock()
    assert done.code == 1
    assert "is not the database of mailcow-ldap-sync" in done.err
