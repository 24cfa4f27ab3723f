"""`release ADDRESS`: what it does, what it refuses, and that no run takes anything of it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.directory_server import Slapd
from tests.mailcow_server import MailcowServer

from .installation import DOMAIN, Installation, address, after_write

RELEASED = "ldap-sync:released"
INFO = f"info@{DOMAIN}"


@pytest.fixture
def managed(house: Installation) -> Installation:
    """An installation with two people, one of whom has a further address."""
    house.people(1, 2)
    house.change(1, mailAlias=INFO)
    house.config(ldap__user_mapping={"aliases": ["mailAlias"], "active": "mailActive"})
    assert house.at_clock().code == 0
    house.writes()
    return house


def tags(house: Installation, number: int) -> set[str]:
    return set(house.mailbox(number).tags)


def comment(house: Installation) -> str | None:
    row = house.mailcow.state.alias_at(INFO)
    assert row is not None
    return row.private_comment


def loses_state(house: Installation) -> None:
    for path in house.folder.glob("mailcow_ldap_sync.sqlite3*"):
        path.unlink()


def released(house: Installation) -> list[tuple[object, ...]]:
    """Return the releases in the history: what, why, whether it was done."""
    return house.rows("SELECT subject, address, why, done FROM change WHERE kind = 'release'")


def codes(house: Installation, *options: str) -> list[str]:
    return [finding["code"] for finding in house.again("--output", "json", *options, minutes=1).document["findings"]]


def test_a_released_mailbox_stays_as_it_is_and_is_never_touched_again(managed: Installation) -> None:
    before = managed.mailbox(1)
    done = managed.again("release", address(1), minutes=1)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"release   {address(1)}  +tag {RELEASED}; -tag ldap-sync  (a release was asked for)",
        "2 writes to mailcow",
        f"{address(1)} is released and stays in mailcow as it is",
    ]
    assert tags(managed, 1) == {RELEASED}
    assert (managed.mailbox(1).password, managed.mailbox(1).name) == (before.password, before.name)
    assert managed.rows("SELECT address FROM mailbox") == [(address(2),)]
    assert released(managed) == [("mailbox", address(1), "a release was asked for", 1)]
    managed.writes()
    managed.change(1, givenName="Other", mailActive="FALSE")
    for lose in (False, True):
        if lose:
            loses_state(managed)
        for options in ((), ("--reassert",)):
            done = managed.again("-v", *options, minutes=60)
            assert done.code == 0
            assert f"info      released  {address(1)}: {address(1)} was released" in done.out
    assert [write.path for write in managed.writes() if address(1) in str(write.body)] == []
    managed.remove(1)
    for _ in range(3):
        assert managed.again("-v", "--force-removals", "9", minutes=60).code == 0
    assert (managed.mailbox(1).active, tags(managed, 1)) == (1, {RELEASED})


def test_released_again_it_is_said_and_nothing_is_written(managed: Installation) -> None:
    managed.at_clock("release", address(1))
    managed.writes()
    done = managed.at_clock("release", address(1))
    assert (done.code, done.out) == (0, f"{address(1)} was released before\n")
    assert managed.at_clock("release", "-q", address(1)).said == ""
    assert managed.at_clock("release", "--output", "json", address(1)).document["remarks"] == [
        f"{address(1)} was released before"
    ]
    assert managed.writes() == []
    assert len(released(managed)) == 1


def test_without_its_tag_it_is_adopted_by_the_config_s_policy(managed: Installation) -> None:
    managed.at_clock("release", address(1))
    managed.by_hand(f"delete/mailbox/tag/{address(1)}", [RELEASED])
    done = managed.again("--approve", "adopt:1", minutes=1)
    assert f"adopt     {address(1)}" in done.out
    assert tags(managed, 1) == {"ldap-sync"}


def test_a_disabled_mailbox_is_released_disabled(managed: Installation) -> None:
    managed.change(1, mailActive="FALSE")
    managed.again(minutes=1)
    assert tags(managed, 1) == {"ldap-sync", "ldap-sync:disabled"}
    assert managed.again("release", address(1)).code == 0
    assert (tags(managed, 1), managed.mailbox(1).active) == ({RELEASED}, 0)
    managed.change(1, mailActive="TRUE")
    managed.again(minutes=1)
    assert managed.mailbox(1).active == 0


def test_a_released_alias_stays_as_it_is(managed: Installation) -> None:
    done = managed.at_clock("release", INFO)
    assert (done.code, comment(managed)) == (0, RELEASED)
    assert f"release   alias {INFO}  (a release was asked for)" in done.out
    assert managed.rows("SELECT address FROM alias") == []
    assert released(managed) == [("alias", INFO, "a release was asked for", 1)]
    managed.change(1, mailAlias=[])
    managed.config(adopt_aliases="overwrite")
    managed.writes()
    assert managed.again("--force-removals", "9", minutes=60).code == 0
    managed.change(2, mailAlias=INFO)
    assert codes(managed) == ["released"]
    loses_state(managed)
    assert codes(managed) == ["released"]
    assert managed.writes() == []


def test_the_command_s_options_may_stand_before_it(managed: Installation) -> None:
    done = managed.run("--output", "json", "-v", "release", address(1))
    assert (done.code, done.document["changes"][0]["outcome"]) == (0, "done")
    assert done.document["changes"][0]["kind"] == "release"
    assert done.err != ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", address(1), "release", address(1)], "--only is for a run; release doesn't have it"),
        (["--reassert", "release", address(1)], "is for a run; release doesn't have it"),
        (["release"], "Missing argument 'ADDRESS'"),
        (["release", "nobody"], "it is not of the form name@domain"),
        (["release", "@nobody"], "it has a domain that is not a full domain name"),
        (["release", "-v", "-q", address(1)], "-v and -q contradict each other"),
        (["let-go", address(1)], "No such command 'let-go'"),
    ],
)
def test_other_command_lines_are_wrong(house: Installation, options: list[str], says: str) -> None:
    done = house.at_clock(*options)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not house.state_file.exists()


def test_what_there_is_not_or_is_not_ours_is_not_released(managed: Installation) -> None:
    managed.make_by_hand(3, "secret secret")
    managed.make_by_hand(4, "secret secret", tags=["ldap-sync-berlin"])
    managed.by_hand("add/alias", {"address": f"hand@{DOMAIN}", "goto": address(1), "active": "1"})
    managed.by_hand("add/alias", {"address": f"@{DOMAIN}", "goto": address(1), "active": "1"})
    for wrong, says in (
        (address(3), "is in mailcow and not managed from here"),
        (address(4), "carries the mark of another installation, ldap-sync-berlin,"),
        (address(5), "mailcow has no mailbox and no alias"),
        ("ann@not-hosted.example", "mailcow has no mailbox and no alias"),
        (f"hand@{DOMAIN}", "is in mailcow and not managed from here"),
        (f"@{DOMAIN}", f"@{DOMAIN} is in mailcow and not managed from here"),
    ):
        done = managed.at_clock("release", wrong)
        assert done.code == 3
        assert done.out.startswith("not released: ")
        assert says in done.out
    assert managed.writes() == []
    managed.config(protected=[address(1)])
    assert "protected by the config" in managed.at_clock("release", address(1)).out
    assert released(managed) == []


def test_an_alias_with_a_comment_of_its_own_is_released_once_that_is_cleared(managed: Installation) -> None:
    row = managed.mailcow.state.alias_at(INFO)
    assert row is not None
    assert managed.at_clock().code == 0  # reads back its number, by which it is ours without the mark
    managed.by_hand("edit/alias", {"items": [row.id], "attr": {"private_comment": "for the press"}})
    done = managed.at_clock("release", INFO)
    assert done.code == 3
    assert 'a private comment of its own, "for the press"' in done.out
    assert len(managed.rows("SELECT address FROM alias")) == 1
    managed.by_hand("edit/alias", {"items": [row.id], "attr": {"private_comment": ""}})
    assert managed.at_clock("release", INFO).code == 0
    assert comment(managed) == RELEASED


def test_a_dry_run_shows_it_and_writes_nothing(managed: Installation) -> None:
    before = managed.mailcow.snapshot(), managed.rows("SELECT * FROM mailbox"), managed.rows("SELECT * FROM run")
    with managed.locked():
        done = managed.at_clock("release", "--dry-run", address(1))
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert done.out.startswith(f"release   {address(1)}")
    after = managed.mailcow.snapshot(), managed.rows("SELECT * FROM mailbox"), managed.rows("SELECT * FROM run")
    assert after == before


def test_a_run_at_work_is_said_to_whoever_asks(managed: Installation) -> None:
    with managed.locked():
        done = managed.at_clock("release", address(1))
    assert (done.code, done.said) == (75, "another run holds the lock of the state file\n")


def test_the_directory_is_not_asked(managed: Installation) -> None:
    managed.config(ldap__bind_pw="wrong", ldap__uri="ldap://127.0.0.1:1")
    assert managed.at_clock("release", address(1)).code == 0


def test_a_key_that_mailcow_refuses_is_sent_once(managed: Installation) -> None:
    managed.config(mailcow_api_key="XXXXXX-XXXXXX-XXXXXX-XXXXXX-XXXXXX")
    managed.mailcow.log.clear()
    first, second = (managed.again("release", address(1), minutes=1) for _ in range(2))
    assert (first.code, second.code) == (77, 77)
    assert "mailcow refused: " in first.out
    assert "nothing is asked again for 15 minutes" in second.out
    assert len(managed.mailcow.log) == 1
    assert managed.again("-v", minutes=1).code == 77


def test_a_mailcow_that_is_not_there_is_told(managed: Installation) -> None:
    managed.config(mailcow_host="http://127.0.0.1:1")
    done = managed.at_clock("release", address(1))
    assert done.code == 75
    assert done.out.startswith("mailcow unreachable: ")


def test_what_a_run_has_said_before_is_neither_gone_nor_new_after_a_release(managed: Installation) -> None:
    managed.people(3, userPassword="clear text")
    assert "clear_text_password" in managed.again(minutes=1).out
    managed.again("release", address(1), minutes=1)
    assert managed.again(minutes=1).out == ""


def test_what_mailcow_refuses_is_not_released(managed: Installation) -> None:
    """A mailbox over its domain's limit can't be edited at all, not even its tags."""
    managed.mailcow.state.domains[DOMAIN].maxquota = 10
    done = managed.at_clock("release", address(1))
    assert done.code == 3
    assert f"failed    release {address(1)}: " in done.out
    assert "is released" not in done.out
    assert tags(managed, 1) == {"ldap-sync"}
    assert len(managed.rows("SELECT address FROM mailbox")) == 2


@pytest.mark.parametrize(
    "kind", ["empty_body", "empty_body_after", "drop_before", "drop_after", "deadlock", "http_502"]
)
@pytest.mark.parametrize("path", ["edit/mailbox", "delete/mailbox/tag", "edit/alias"])
def test_what_mailcow_did_not_confirm_is_read_and_sent_again(managed: Installation, kind: str, path: str) -> None:
    managed.mailcow.faults.add(kind, path)
    what = INFO if path == "edit/alias" else address(1)
    assert managed.at_clock("release", what).code == 0
    assert ({comment(managed)} if what == INFO else tags(managed, 1)) == {RELEASED}


@pytest.mark.parametrize("moment", [1, 2])
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("before", [False, True], ids=["released again", "after a run"])
def test_one_that_is_killed_is_finished_by_the_next_and_no_run_takes_it_back(
    managed: Installation,
    moment: int,
    lost: bool,  # noqa: FBT001 - pytest gives it by name
    before: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    with (
        managed.started("release", address(1)) as process,
        after_write(moment, managed.mailcow, process.kill),
    ):
        process.communicate()
    assert process.returncode == -9
    for thread in list(managed.mailcow._listener._connections):
        thread.join()
    assert len(managed.rows("SELECT address FROM mailbox")) == 2
    if lost:
        loses_state(managed)
    managed.writes()
    if before:
        assert managed.again(minutes=1).code == 0
        assert managed.writes() == []
        assert managed.rows("SELECT address FROM mailbox") == [(address(2),)]
    assert managed.again("release", address(1), minutes=1).code == 0
    assert tags(managed, 1) == {RELEASED}
    assert (address(1),) not in managed.rows("SELECT address FROM mailbox")


def test_a_mark_that_shows_nothing_has_its_signature_taken_away_too(
    tmp_path: Path, slapd: Slapd, mailcow: MailcowServer
) -> None:
    house = Installation(tmp_path, slapd, mailcow)
    house.config(mark="paris")
    house.people(1)
    house.at_clock()
    assert tags(house, 1) == {"paris", "ldap-sync:paris"}
    assert house.at_clock("release", address(1)).code == 0
    assert tags(house, 1) == {"paris:released", "ldap-sync:paris:released"}
    loses_state(house)
    house.writes()
    assert codes(house) == ["released"]
    assert house.writes() == []
