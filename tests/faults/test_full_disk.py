"""No room for the state file, at any step of a run: one sentence, and the next run gets to the same end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from ldap2mailcow.state import file as state_file
from ldap2mailcow.state.schema import MIGRATIONS
from tests.directory_server import Slapd, group
from tests.integration.sync.installation import DOMAIN, STATE, Done, Installation, address, after_write
from tests.mailcow_server import MailcowServer

from .disks import Disk, Held, Memory, SizeLimit, at_request, freed, held, mounted
from .share import paired
from .test_files import downgrade
from .world import contents, made_twice

NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"
ROOM = "make room on its disk, or see whether that disk is sound"
HELD = "another program holds it; end that one, and run again"
WRITES = 9
"""How often the run of these tests writes to mailcow."""


DISKS = ("size limit", "memory", "held")


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A disk that can be filled, with room at first."""
    monkeypatch.setattr(state_file, "PATIENCE", 0)
    folder = tmp_path / "disturbed"
    folder.mkdir()
    found: Disk
    match request.param:
        case "size limit":
            found = SizeLimit()
        case "memory":
            found = Memory(folder)
        case _:
            found = Held(folder / STATE)
    with mounted(folder) if isinstance(found, Memory) else nullcontext():
        try:
            yield found
        finally:
            found.free()


@pytest.fixture
def house(tmp_path: Path, disk: Disk, slapd: Slapd, mailcow: MailcowServer) -> Installation:
    """An installation on that disk, with nobody in its directory."""
    assert disk
    return Installation(tmp_path / "disturbed", slapd, mailcow)


def prepare(house: Installation, twin: Installation) -> None:
    """Give both mailcows the same people, a list and an alias; then let all kinds of changes be due."""
    house.people(1, 2, 3, 4, 5, 6)
    house.change(1, mailAlias=f"boss@{DOMAIN}")
    house.slapd.add(*group("team", [house.dn(number) for number in (1, 2, 3)]))
    for each in (house, twin):
        each.config(
            mailcow_connections=1,
            ldap__user_mapping__aliases=["mailAlias"],
            ldap__user_mapping__send_as="mailSendAs",
            ldap__group_search_base=each.slapd.groups_dn,
        )
        assert each.at_clock().code == 0
        each.writes()
    house.people(7, 8)
    house.change(1, mailAlias=[])
    house.change(2, mailAlias=f"boss@{DOMAIN}")
    house.change(3, givenName="Zoë", tlsIn="TRUE", userPassword=NEWER)
    house.change(4, mailSendAs=address(1))
    house.change(5, MailQuota="300")
    house.change(6, mailActive="FALSE")
    house.slapd.modify(f"cn=team,{house.slapd.groups_dn}", {"member": [house.dn(number) for number in (1, 2, 7)]})


def ends(done: Done, house: Installation, disk: Disk) -> None:
    """Check that a run ended with the one sentence."""
    sentence = f"{house.state_file} can't be used ({disk.sentence}); {HELD if isinstance(disk, Held) else ROOM}\n"
    assert (done.code, done.err) == (1, sentence)


def converges(house: Installation, twin: Installation) -> None:
    """Check that the next run gets where an undisturbed one is, and that nothing was done twice on the way."""
    assert (house.again(minutes=5).code, twin.again(minutes=5).code) == (0, 0)
    assert contents(house.mailcow) == contents(twin.mailcow)
    assert house.mailcow.snapshot()["sender_acl"] == twin.mailcow.snapshot()["sender_acl"]
    assert made_twice(house.mailcow) == []
    aliases = [row.address for row in house.mailcow.state.aliases.values()]
    assert len(aliases) == len(set(aliases))
    assert house.rows("PRAGMA integrity_check") == [("ok",)]
    done = "SELECT address, kind FROM change WHERE done = 1"
    assert set(house.rows(done)) <= set(twin.rows(done)) | {(address(number), "adopt") for number in (7, 8)}
    house.writes()
    again = house.again(minutes=5)
    assert (again.code, again.said) == (0, "")
    assert house.writes() == []
    house.change(6, mailActive="TRUE")
    assert (house.again(minutes=5).code, twin.again(minutes=5).code) == (0, 0)
    assert contents(house.mailcow) == contents(twin.mailcow)
    assert house.mailbox(6).active == 1


def test_the_run_of_these_tests_is_as_long_as_they_say(
    twin: Installation, slapd: Slapd, mailcow: MailcowServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    prepare(twin, Installation(tmp_path / "other", slapd, mailcow))
    assert twin.again(minutes=5).code == 0
    assert len(twin.writes()) == WRITES


@pytest.mark.parametrize(("disk", "number"), paired(DISKS, range(1, WRITES + 1)), indirect=["disk"])
def test_no_room_for_the_nth_outcome_ends_the_run_and_the_next_one_finishes_it(
    house: Installation, twin: Installation, disk: Disk, number: int
) -> None:
    prepare(house, twin)
    with freed(disk), after_write(number, house.mailcow, disk.fill):
        done = house.again(minutes=5)
    ends(done, house, disk)
    assert len(house.mailcow.log.writes()) >= number
    converges(house, twin)


@pytest.mark.parametrize(("path", "written"), [("get/domain/all", 0), (f"get/mailbox/{address(3)}", WRITES)])
def test_no_room_before_the_first_write_or_after_the_last(
    house: Installation, twin: Installation, disk: Disk, path: str, written: int
) -> None:
    prepare(house, twin)
    with freed(disk), at_request(path, house.mailcow, disk.fill):
        done = house.again(minutes=5)
    ends(done, house, disk)
    assert len(house.mailcow.log.writes()) == written
    converges(house, twin)


def test_no_room_from_the_start_asks_nobody(house: Installation, twin: Installation, disk: Disk) -> None:
    prepare(house, twin)
    house.mailcow.log.clear()
    before = held(house.folder)
    with freed(disk):
        disk.fill()
        done = house.again(minutes=5)
    ends(done, house, disk)
    assert len(house.mailcow.log) == 0
    assert held(house.folder) == before
    converges(house, twin)


@pytest.mark.parametrize("disk", ["size limit", "memory"], indirect=True)
def test_no_room_at_the_very_first_run_leaves_nothing(house: Installation, disk: Disk) -> None:
    house.people(1)
    before = held(house.folder)
    with freed(disk):
        disk.fill()
        done = house.at_clock()
    ends(done, house, disk)
    assert held(house.folder) == before
    assert len(house.mailcow.log) == 0
    assert house.at_clock().code == 0
    assert house.has_mailbox(1)


def test_no_room_for_a_new_schema_leaves_the_old_file_whole(house: Installation, disk: Disk) -> None:
    house.people(1)
    assert house.at_clock().code == 0
    house.mailcow.log.clear()
    old = downgrade(house)
    before = held(house.folder)
    with freed(disk):
        disk.fill()
        done = house.again(minutes=5)
    assert (done.code, done.out) == (1, "")
    if isinstance(disk, Held):
        ends(done, house, disk)
    else:
        assert done.err.startswith(f"{house.state_file}.v1 can't be written: ")
        assert done.err.endswith("; make room there\n")
    assert held(house.folder) == before
    assert len(house.mailcow.log) == 0
    assert house.again(minutes=5).code == 0
    assert house.state_file.with_name(f"{STATE}.v1").read_bytes() == old
    assert house.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert house.writes() == []


@pytest.mark.parametrize("disk", ["memory"], indirect=True)
def test_room_for_the_copy_but_not_for_the_new_schema_leaves_the_old_file_whole(
    house: Installation, disk: Disk
) -> None:
    """The copy stays: it is the very same, and the next run writes it again."""
    house.people(1)
    assert house.at_clock().code == 0
    house.mailcow.log.clear()
    old = downgrade(house)
    assert isinstance(disk, Memory)
    with freed(disk):
        disk.fill()
        os.truncate(disk.filler, disk.filler.stat().st_size - len(old) - 4096)
        done = house.again(minutes=5)
    ends(done, house, disk)
    assert house.state_file.read_bytes() == old
    assert held(house.folder).keys() == {"config.yaml", *(f"{STATE}{end}" for end in ("", ".key", ".lock", ".v1"))}
    assert house.again(minutes=5).code == 0
    assert house.state_file.with_name(f"{STATE}.v1").read_bytes() == old


def test_what_was_done_before_the_disk_was_full_stands_in_the_document(
    house: Installation, twin: Installation, disk: Disk
) -> None:
    prepare(house, twin)
    with freed(disk), after_write(3, house.mailcow, disk.fill):
        done = house.again("--output", "json", minutes=5)
    document = done.document
    assert (done.code, done.err, document["exit_code"]) == (1, "", 1)
    assert disk.sentence in document["error"]
    outcomes = [change["outcome"] for change in document["changes"]]
    assert house.rows("SELECT count(*) FROM change WHERE run = 2 AND done = 1") == [(outcomes.count("done") - 1,)]
    assert set(outcomes) == {"done", "not_tried"}
    converges(house, twin)
