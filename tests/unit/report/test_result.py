"""How a run ended: findings that are accepted, and the exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.model import Code, Kind
from ldap2mailcow.report import Result, shown_changes

from .builders import change, done, failed, finding, result, withheld

ERROR, WARNING = finding(Code.QUOTA_INVALID), finding(Code.NO_MAIL)


def test_a_run_that_did_everything_ends_with_0() -> None:
    assert result(change(), outcomes=done(change())).judge() == 0


def test_a_warning_does_not_change_the_exit_code() -> None:
    assert result(findings=(WARNING,)).judge() == 0


def test_a_finding_of_level_error_ends_with_3() -> None:
    assert result(findings=(WARNING, ERROR)).judge() == 3


def test_a_failed_change_ends_with_3() -> None:
    assert result(change(), outcomes=failed(change())).judge() == 3


def test_withheld_removals_end_with_4() -> None:
    assert result(withheld=(withheld(change(Kind.DISABLE)),)).judge() == 4


def test_withheld_removals_go_before_failures_and_findings() -> None:
    this = result(change(), outcomes=failed(change()), findings=(ERROR,), withheld=(withheld(change(Kind.DISABLE)),))
    assert this.judge() == 4


def test_an_answer_that_is_not_whole_ends_with_4() -> None:
    assert result(whole=False).judge() == 4


def test_a_run_that_looks_at_some_people_only_needs_no_whole_answer() -> None:
    this = result(whole=False)
    this.scoped = True
    assert this.judge() == 0


def test_a_dry_run_is_judged_like_the_run_it_shows() -> None:
    assert result(change(), dry_run=True, findings=(ERROR,)).judge() == 3
    assert result(dry_run=True, withheld=(withheld(change(Kind.DISABLE)),)).judge() == 4


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("quota_invalid", 0),
        ("quota_invalid:uid=ann", 0),
        ("quota_invalid:uid=bob", 3),
        ("no_mail", 3),
        ("no_mail:uid=ann", 3),
    ],
)
def test_an_accepted_finding_does_not_count(accept: str, code: int) -> None:
    this = result(findings=(ERROR,))
    this.accept = frozenset({accept})
    assert this.judge() == code
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
    assert Result(dry_run=False).judge() == 0


def test_what_is_only_written_again_is_not_shown_as_a_change() -> None:
    update = change()
    assert shown_changes([change(Kind.REASSERT), update]) == (update,)
