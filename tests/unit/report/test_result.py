"""How a run ended: findings that are accepted, and the exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.model import Code, Kind
from ldap2mailcow.report import ExitCode, Result
from ldap2mailcow.report.result import shown_changes

from .builders import ANN, change, done, failed, finding, result, withheld

ERROR, WARNING = finding(Code.QUOTA_INVALID), finding(Code.NO_MAIL)


def test_a_run_that_did_everything_ends_with_0() -> None:
    assert result(change(), outcomes=done(change())).judge() is ExitCode.DONE


def test_a_warning_does_not_change_the_exit_code() -> None:
    assert result(findings=(WARNING,)).judge() is ExitCode.DONE


def test_a_finding_of_level_error_ends_with_3() -> None:
    assert result(findings=(WARNING, ERROR)).judge() is ExitCode.NOT_ALL


def test_a_failed_change_ends_with_3() -> None:
    assert result(change(), outcomes=failed(change())).judge() is ExitCode.NOT_ALL


def test_withheld_changes_end_with_4() -> None:
    assert result(withheld=(withheld(ANN),)).judge() is ExitCode.WITHHELD


def test_withheld_changes_go_before_failures_and_findings() -> None:
    this = result(change(), outcomes=failed(change()), findings=(ERROR,), withheld=(withheld(ANN),))
    assert this.judge() is ExitCode.WITHHELD


def test_an_answer_that_is_not_whole_ends_with_4() -> None:
    assert result(whole=False).judge() is ExitCode.WITHHELD


def test_a_run_that_looks_at_some_people_only_needs_no_whole_answer() -> None:
    this = result(whole=False)
    this.scoped = True
    assert this.judge() is ExitCode.DONE


def test_a_dry_run_is_judged_like_the_run_it_shows() -> None:
    assert result(change(), dry_run=True, findings=(ERROR,)).judge() is ExitCode.NOT_ALL
    assert result(dry_run=True, withheld=(withheld(ANN),)).judge() is ExitCode.WITHHELD


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("quota_invalid", ExitCode.DONE),
        ("quota_invalid:uid=ann", ExitCode.DONE),
        ("quota_invalid:uid=bob", ExitCode.NOT_ALL),
        ("no_mail", ExitCode.NOT_ALL),
        ("no_mail:uid=ann", ExitCode.NOT_ALL),
    ],
)
def test_an_accepted_finding_does_not_count(accept: str, code: ExitCode) -> None:
    this = result(findings=(ERROR,))
    this.accept = frozenset({accept})
    assert this.judge() is code
    assert this.open_findings == ((ERROR,) if code else ())


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("quota_invalid:uid=ann", True),
        ("quota_invalid:uid=ann of berlin", True),
        ("quota_invalid:uid=ann of paris", False),
    ],
)
def test_a_finding_may_be_accepted_in_one_directory(accept: str, accepted: bool) -> None:  # noqa: FBT001 - pytest's
    this = result(findings=(replace(ERROR, directory="berlin"),))
    this.accept = frozenset({accept})
    assert bool(this.open_findings) is not accepted


def test_a_result_without_a_plan_is_that_of_a_run_that_found_nothing_to_do() -> None:
    assert Result(dry_run=False).judge() is ExitCode.DONE


def test_what_is_only_written_again_is_not_shown_as_a_change() -> None:
    update = change()
    assert shown_changes([change(Kind.REASSERT), update]) == (update,)
