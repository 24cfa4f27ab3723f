"""The command line: what the options ask of a run, and how the command ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ldap2mailcow import cli
from ldap2mailcow.config import Loaded
from ldap2mailcow.model import Address
from ldap2mailcow.plan import REMOVING, Guarded
from ldap2mailcow.report import Due, ExitCode, due
from ldap2mailcow.report import Result as Outcome
from ldap2mailcow.state import LockedError, StateError
from ldap2mailcow.sync import Request, Screen

CONFIG = """
ldap:
  uri: ldaps://ldap.corp.test
  user_search_base: dc=corp,dc=test
mailcow_host: mail.corp.test
mailcow_api_key: not-a-real-key
"""
NOTHING = due((), (), datetime.fromisoformat("2026-06-01T12:00:00+00:00"), complete=True)

Invoke = Callable[..., Result]


class Runs:
    """In place of the run: takes down what is asked of it, and ends as it is told to."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.outcome = Outcome(dry_run=False)
        self.error: Exception | None = None

    def run(
        self, _loaded: Loaded, request: Request, screen: Screen, _clock: Callable[[], datetime]
    ) -> tuple[Outcome, Due]:
        self.requests.append(request)
        screen.plan(self.outcome, NOTHING)
        if self.error:
            raise self.error
        return self.outcome, NOTHING

    def release(
        self, _loaded: Loaded, request: Request, address: Address, _screen: Screen, _clock: Callable[[], datetime]
    ) -> Outcome:
        self.requests.append(request)
        if self.error:
            raise self.error
        self.outcome.remarks.append(f"{address} was released before")
        return self.outcome


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    runs = Runs()
    monkeypatch.setattr(cli, "run", runs.run)
    monkeypatch.setattr(cli, "release", runs.release)
    return runs


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    path = tmp_path / "config.yaml"
    path.touch(mode=0o600)
    path.write_text(CONFIG, encoding="utf-8")

    def call(*options: str) -> Result:
        return CliRunner().invoke(cli.main, [*options, "--config", str(path)])

    return call


# what waits for a word


@pytest.mark.parametrize(
    ("options", "approved"),
    [
        pytest.param("", {}, id="no word"),
        pytest.param("--approve disable:12", {Guarded.DISABLE: 12}, id="one kind and no other"),
        pytest.param(
            "--approve disable:12 --approve takeover:300", {Guarded.DISABLE: 12, Guarded.TAKEOVER: 300}, id="two kinds"
        ),
        pytest.param("--approve alias:3 --approve alias:7 --approve alias:5", {Guarded.ALIAS: 7}, id="one kind thrice"),
        pytest.param("--force-removals 4", dict.fromkeys(REMOVING, 4), id="each kind that removes"),
        pytest.param(
            "--force-removals 4 --approve list:9 --approve rights:2 --approve adopt:1",
            dict.fromkeys(REMOVING, 4) | {Guarded.LIST: 9, Guarded.ADOPT: 1},
            id="the larger of both",
        ),
        pytest.param("--approve delete:0", {Guarded.DELETE: 0}, id="none"),
    ],
)
def test_what_is_let_through(runs: Runs, invoke: Invoke, options: str, approved: dict[Guarded, int]) -> None:
    assert invoke(*options.split()).exit_code == 0
    assert [request.options.approved for request in runs.requests] == [approved]


@pytest.mark.parametrize("kind", list(Guarded))
def test_each_kind_can_be_approved(runs: Runs, invoke: Invoke, kind: Guarded) -> None:
    invoke("--approve", f"{kind}:1")
    assert runs.requests[0].options.approved == {kind: 1}


@pytest.mark.parametrize(
    "word",
    [
        *("", "disable", "disable:", ":3", "3", "disable:1:2", "mailboxes:1", "Disable:1"),
        *("disable:-1", "disable:+1", "disable:1.5", "disable:1_0", "disable:٣", "disable:1000000000"),
        *(" disable:1", "disable: 1", "disable:1\n"),
    ],
)
def test_a_word_that_can_not_be_understood_lists_the_kinds(runs: Runs, invoke: Invoke, word: str) -> None:
    done = invoke("--approve", "alias:1", "--approve", word)
    assert done.exit_code == ExitCode.USAGE
    assert f"{word!r} is not KIND:N" in done.stderr
    assert ", ".join(Guarded) in done.stderr
    assert runs.requests == []


def test_a_word_for_a_command_that_does_no_run_is_refused(runs: Runs, invoke: Invoke) -> None:
    done = invoke("--approve", "alias:1", "release", "ann@corp.test")
    assert done.exit_code == ExitCode.USAGE
    assert "--approve is for a run; release doesn't have it" in done.stderr
    assert runs.requests == []


# how it ends


@pytest.mark.parametrize("code", list(ExitCode))
def test_the_exit_code_is_that_of_the_run(runs: Runs, invoke: Invoke, code: ExitCode) -> None:
    runs.outcome.exit_code = code
    assert invoke().exit_code == code
    assert invoke("release", "ann@corp.test").exit_code == code


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (StateError("the state file can't be used"), ExitCode.UNEXPECTED, "the state file can't be used"),
        (RuntimeError("a secret"), ExitCode.UNEXPECTED, "unexpected error: RuntimeError; run again with -vv"),
        (LockedError(), ExitCode.TRY_LATER, ""),
    ],
)
def test_what_ends_a_run_has_a_code_and_a_sentence(
    runs: Runs, invoke: Invoke, error: Exception, code: ExitCode, sentence: str
) -> None:
    runs.error = error
    done = invoke()
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith(sentence)
    assert bool(done.stderr) is bool(sentence)
    assert "secret" not in done.output


def test_a_lock_is_told_to_a_user_who_asked_for_something(runs: Runs, invoke: Invoke) -> None:
    runs.error = LockedError()
    assert invoke("release", "ann@corp.test").stderr == "another run holds the lock of the state file\n"


def test_an_error_is_in_the_json_with_what_was_planned(runs: Runs, invoke: Invoke) -> None:
    runs.error, runs.outcome.remarks = StateError("the disk is full"), ["a remark"]
    done = invoke("--output", "json")
    document = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (ExitCode.UNEXPECTED, "")
    assert (document["error"], document["exit_code"]) == ("the disk is full", ExitCode.UNEXPECTED)
    assert document["remarks"] == ["a remark"]


def test_a_wrong_config_ends_before_any_run(runs: Runs, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.main, ["--config", str(tmp_path / "none.yaml")])
    assert done.exit_code == ExitCode.CONFIG
    assert runs.requests == []


def test_an_answer_is_shown(runs: Runs, invoke: Invoke) -> None:
    assert invoke("release", "Ann@corp.test").stdout == "ann@corp.test was released before\n"
    assert len(runs.requests) == 1


def test_the_help_names_every_exit_code_with_its_meaning() -> None:
    shown = " ".join(CliRunner().invoke(cli.main, ["--help"]).output.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in shown


@pytest.mark.parametrize(
    ("options", "shows"),
    [("", False), ("-q", False), ("-v", True), ("-vv", True), ("-vvvv", True), ("--dry-run", False)],
)
def test_the_more_is_asked_for_the_more_is_said(runs: Runs, invoke: Invoke, options: str, shows: bool) -> None:  # noqa: FBT001 - pytest's
    done = invoke(*options.split())
    assert bool(done.stdout) is shows
    assert runs.requests[0].dry_run is (options == "--dry-run")
