"""The command line as cron runs it: options, exit codes, files, and what stands on stdout and stderr."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import ssl
import stat
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml

from ldap2mailcow import cli
from tests.directory_server import Slapd
from tests.directory_server.certificates import make_certificates
from tests.foreign import give_away
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import COMMAND, DOMAIN, STATE, Installation, address, paths


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# options


def test_every_option_stands_in_the_help(house: Installation) -> None:
    done = house.run("--help")
    assert done.code == 0
    for option in cli.main.params:
        assert any(name in done.out for name in option.opts)
        assert any(name in done.out for name in option.secondary_opts or option.opts)


def test_the_version_is_told_where_nothing_is_installed_too(house: Installation) -> None:
    project = tomllib.loads(COMMAND.with_name("pyproject.toml").read_text(encoding="utf-8"))
    done = house.run("--version")
    assert (done.code, done.out) == (0, f"mailcow-ldap-sync, version {project['project']['version']}\n")


def test_a_bare_copy_of_the_program_works_and_finds_the_config_beside_it(house: Installation, tmp_path: Path) -> None:
    copy, elsewhere = tmp_path / "copy", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(COMMAND.with_name("ldap2mailcow"), copy / "ldap2mailcow")
    shutil.copy(COMMAND, copy)
    shutil.move(house.config_file, copy)
    house.people(1)
    script = copy / COMMAND.name
    installed = next((found.version for found in distributions(name="mailcow-ldap-sync")), "unknown")
    assert house.run("--version", cwd=elsewhere, script=script).out == f"mailcow-ldap-sync, version {installed}\n"
    assert house.run(cwd=elsewhere, script=script).code == 0
    assert house.has_mailbox(1)
    assert (copy / STATE).exists()
    assert list(elsewhere.iterdir()) == []


def test_the_installed_command_is_the_same_function() -> None:
    project = tomllib.loads(COMMAND.with_name("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"mailcow-ldap-sync": "ldap2mailcow.cli:main"}
    entry_point = importlib.metadata.EntryPoint("", project["project"]["scripts"]["mailcow-ldap-sync"], "")
    assert entry_point.load() is cli.main


@pytest.mark.parametrize(
    "options",
    [
        ["--no-such-option"],
        ["surplus"],
        ["-v", "-q"],
        ["--only", "not an address"],
        ["--force-removals", "-1"],
        ["--force-removals", "many"],
        ["--output", "xml"],
        ["--config"],
    ],
)
def test_a_wrong_command_line_ends_with_2_and_asks_nobody(house: Installation, options: list[str]) -> None:
    done = house.at_clock(*options) if options != ["--config"] else house.run(*options)
    assert (done.code, done.out) == (2, "")
    assert "Error:" in done.err
    assert len(house.mailcow.log) == 0
    assert not house.state_file.exists()


def test_a_wrong_filter_on_the_command_line_is_told_as_one(house: Installation) -> None:
    done = house.run("--override-filter", "(mail=*")
    assert done.code == 78
    assert "'(mail=*'" in done.out
    assert house.writes() == []


def test_only_touches_the_named_mailboxes(house: Installation) -> None:
    house.people(1, 2, 3, 4)
    assert house.run("--only", address(1), "--only", address(3).upper()).code == 0
    assert house.mailcow.state.mailboxes.keys() == {address(1), address(3)}


def test_only_removes_nobody_and_counts_no_miss(house: Installation) -> None:
    house.people(1, 2, 3, 4)
    house.at_clock()
    house.remove(2)
    for _ in range(3):
        assert house.again("--only", address(1), minutes=20).code == 0
    house.again(minutes=20)
    assert house.mailbox(2).active == 1


def test_only_writes_the_password_of_one_again(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.writes()
    house.again("--only", address(2), "--reassert", minutes=5)
    assert [write.items for write in house.writes()] == [(address(2),)]


def test_only_an_address_that_nobody_has_is_told(house: Installation) -> None:
    house.people(1)
    done = house.run("--only", "nobody@example.org")
    assert done.code == 3
    assert "not_in_directory" in done.out
    assert house.mailcow.state.mailboxes == {}


def test_another_filter_for_once_touches_only_those_and_removes_nobody(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.people(4, 5)
    house.remove(1)
    for _ in range(3):
        assert house.again("--override-filter", "(uid=user000004)", minutes=20).code == 0
    assert house.mailbox(1).active == 1
    assert house.has_mailbox(4)
    assert not house.has_mailbox(5)
    assert house.again(minutes=5).code == 0
    assert house.mailbox(1).active == 1


def test_verbose_says_what_quiet_leaves_out(house: Installation) -> None:
    house.people(1)
    assert house.run("-q").said == ""
    verbose = house.run("-v")
    assert "nothing to do; 1 mailbox in the directory" in verbose.out
    assert "INFO ldap://" in verbose.err
    assert "DEBUG" not in verbose.err
    assert "DEBUG GET get/domain/all" in house.run("-vv").err


def test_quiet_still_says_what_went_wrong(house: Installation) -> None:
    house.people(1, MailQuota="plenty")
    done = house.run("-q")
    assert done.code == 3
    assert "quota_invalid" in done.out
    assert "create" not in done.out
    house.config(ldap__uri="ldap://127.0.0.1:1")
    assert "LDAP unreachable" in house.run("-q").out


def test_the_plan_is_on_stdout_and_the_log_on_stderr(house: Installation) -> None:
    house.people(1)
    done = house.run("-v")
    assert done.out.startswith("create    user000001@example.org")
    assert all(line.startswith("INFO ") for line in done.err.splitlines())


def test_values_that_could_fool_a_terminal_are_shown_escaped(house: Installation) -> None:
    house.people(1, sn="Evil\u202eeman")
    house.people(2, mail="\x1b[31mred@example.org")
    done = house.run()
    assert "\u202e" not in done.said
    assert "\x1b" not in done.said
    assert "\\u202e" in done.out
    assert "x1b[31mred" in done.out


# mailcow's certificate


@pytest.fixture
def encrypted(tmp_path: Path, slapd: Slapd) -> Iterator[Installation]:
    """An installation whose mailcow has a certificate that no authority of this machine has signed."""
    (tmp_path / "certificates").mkdir()
    make_certificates(tmp_path / "certificates")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificates/server.pem", tmp_path / "certificates/server.key")
    server = MailcowServer([DomainLimits(DOMAIN)], clock=Clock("2026-11-21 11:00:00"))
    listener = server._listener
    listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    with server:
        house = Installation(tmp_path, slapd, server)
        house.config(mailcow_host=server.url.replace("http://", "https://"))
        house.people(1)
        yield house


def test_a_certificate_of_an_unknown_authority_is_not_trusted(encrypted: Installation) -> None:
    done = encrypted.run()
    assert done.code == 75
    assert "is not trusted" in done.out
    assert "set mailcow_verify to the file of the authority that signed it" in done.out
    assert len(encrypted.mailcow.log) == 0


def test_do_not_verify_looks_at_no_certificate(encrypted: Installation) -> None:
    assert encrypted.run("--do-not-verify").code == 0
    assert encrypted.has_mailbox(1)


def test_an_authority_of_our_own_is_trusted_where_the_config_names_it(encrypted: Installation) -> None:
    encrypted.config(mailcow_verify="certificates/ca.pem")
    assert encrypted.run().code == 0


# the config


def test_without_a_config_one_is_written_and_told(house: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    first = house.run(cwd=folder)
    assert first.code == 78
    written = folder / "config.yaml"
    assert mode(written) == 0o600
    assert f"{written} was written" in first.err
    for name in ("ldap.uri", "ldap.user_search_base", "mailcow_host", "mailcow_api_key"):
        assert name in first.err
    assert str(folder / "config.json") in first.err
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_placeholders_are_a_mistake_and_never_a_connection(house: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    house.run(cwd=folder)
    before = (folder / "config.yaml").read_bytes()
    second = house.run(cwd=folder)
    assert second.code == 78
    assert "At 'mailcow_host' (line " in second.err
    assert "At 'ldap.uri' (line " in second.err
    assert (folder / "config.yaml").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_a_config_that_is_named_and_missing_is_written_in_its_format(house: Installation, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    assert house.run("--config", str(path)).code == 78
    assert mode(path) == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["update_only_on_change_by_ldap"] is True


def test_the_written_config_works_once_it_is_filled_in(house: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    house.people(1)
    house.run(cwd=folder)
    settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    settings["ldap"] |= {key: value for key, value in house.settings["ldap"].items() if key != "user_mapping"}
    settings |= {key: house.settings[key] for key in ("mailcow_host", "mailcow_api_key")}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = house.run(cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert house.has_mailbox(1)


def test_every_mistake_is_listed_with_its_place(house: Installation) -> None:
    house.config(mark="two words", adopt_mailboxes="maybe", mailcow_api_key="", ldap__no_such_key=1)
    done = house.run()
    assert (done.code, done.out) == (78, "")
    for place in ("mark", "adopt_mailboxes", "mailcow_api_key", "ldap.no_such_key"):
        assert f"At '{place}' (line " in done.err
    assert len(house.mailcow.log) == 0


def test_json_is_a_config_too(house: Installation) -> None:
    house.people(1)
    path = house.folder / "own.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(house.settings), encoding="utf-8")
    house.config_file.unlink()
    assert house.run("--config", "own.json").code == 0
    assert house.has_mailbox(1)


def test_paths_in_the_config_begin_at_its_folder_wherever_cron_stands(house: Installation, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (house.folder / "state").mkdir()
    house.config(state_file="state/of.sqlite3", log_file="state/sync.log")
    house.people(1)
    assert house.run("--config", "../config.yaml", cwd=elsewhere).code == 0
    assert list(elsewhere.iterdir()) == []
    names = {path.name for path in (house.folder / "state").iterdir()}
    assert names == {"of.sqlite3", "of.sqlite3.key", "of.sqlite3.lock", "sync.log"}


def test_files_with_secrets_or_people_are_their_owners_alone(house: Installation) -> None:
    house.config(log_file="sync.log")
    house.people(1)
    house.run()
    files = [house.folder / name for name in ("sync.log", *(f"mailcow_ldap_sync.sqlite3{end}" for end in ("", ".key")))]
    assert [mode(path) for path in files] == [0o600] * 3


def test_the_log_file_tells_what_was_done_whatever_the_verbosity(house: Installation) -> None:
    house.config(log_file="sync.log")
    house.people(1)
    house.run("-q")
    house.run("-q")
    lines = (house.folder / "sync.log").read_text(encoding="utf-8").splitlines()
    assert sum("1 entries in 1 pages" in line for line in lines) == 2
    assert sum(line.endswith(f"INFO create {address(1)}: done") for line in lines) == 1


def test_a_log_file_that_others_can_write_is_refused(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    log = house.folder / "sync.log"
    log.touch()
    log.chmod(0o662)
    house.config(log_file="sync.log")
    done = house.at_clock()
    assert (done.code, log.read_bytes()) == (78, b"")
    assert f"At 'log_file': {log} can be written by other users; run: chmod go-w {log}" in done.err
    log.chmod(0o640)
    assert house.at_clock().code in {0, 4}
    give_away(log, monkeypatch)
    assert "who can change it; run as that user" in house.at_clock().said


def test_a_log_file_that_can_not_be_written_is_told(house: Installation) -> None:
    house.config(log_file="no/such/folder/sync.log")
    done = house.run()
    assert done.code == 78
    assert done.err.startswith(f"The config in {house.config_file} can't be used:\nAt 'log_file': ")
    assert "sync.log can't be written" in done.err


def test_a_config_that_others_can_read_is_told(house: Installation) -> None:
    house.config_file.chmod(0o644)
    done = house.run()
    assert "secret_readable" in done.out
    assert "chmod 600" in done.out


# two at once


def test_a_second_run_at_the_same_time_leaves_quietly(house: Installation) -> None:
    house.people(1)
    with house.locked():
        second = house.run()
        assert (second.code, second.said) == (75, "")
        assert "another run holds the lock" in house.run("-v").err
    assert len(house.mailcow.log) == 0
    assert house.run().code == 0


# a state file that can't be used


def test_a_damaged_state_file_is_told_and_nothing_is_written(house: Installation) -> None:
    house.people(1)
    house.state_file.write_bytes(b"this is not a database, and has never been one" * 100)
    done = house.run()
    assert done.code == 1
    assert "mailcow_ldap_sync.sqlite3 can't be used" in done.err
    assert house.writes() == []


def test_a_state_file_from_the_future_is_told_and_left_as_it_is(house: Installation) -> None:
    house.people(1)
    house.run()
    house.writes()
    with house.state_file.open("r+b") as file:  # user_version: four bytes at offset 60 of the header
        file.seek(60)
        file.write((99).to_bytes(4, "big"))
    before = house.state_file.read_bytes()
    done = house.run()
    assert done.code == 1
    assert "has schema version 99" in done.err
    assert house.state_file.read_bytes() == before
    assert paths(house.writes()) == []
