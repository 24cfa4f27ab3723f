"""What is shown, to what reader, at which moment of a run."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ldap2mailcow.model import Code, Kind, Notice
from ldap2mailcow.report import (
    EVERYTHING,
    Due,
    Reader,
    Result,
    Verbosity,
    due,
    notices_of,
    render_answer,
    render_end,
    render_plan,
)

from .builders import ANN, EVIL, EVIL_SHOWN, NOW, address_of, change, done, failed, finding, pending, result, withheld

QUIET, NORMAL, VERBOSE = (Reader(Verbosity.QUIET), Reader(), Reader(Verbosity.VERBOSE))
LOOKING = Reader(is_looking=True)
JSON = Reader(as_json=True)

CREATE = change(Kind.CREATE)
ERROR, WARNING, INFO = (finding(code) for code in (Code.TLS_INVALID, Code.NO_MAIL, Code.DOMAIN_NOT_OURS))


def first(this: Result) -> Due:
    """Return what is news of a result in the first run that has it."""
    return due(notices_of(this), (), NOW, complete=True)


def later(this: Result) -> Due:
    """Return the same in the next run, which has the same to say."""
    return due(notices_of(this), first(this).remember, NOW, complete=True)


def beginnings(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def planned(this: Result, reader: Reader, news: Callable[[Result], Due] = first) -> list[str]:
    return beginnings(render_plan(this, news(this), reader))


def full(*, dry_run: bool = False) -> Result:
    """Return a result that has something of everything."""
    this = result(
        CREATE,
        dry_run=dry_run,
        findings=(ERROR, WARNING, INFO),
        withheld=(withheld(address_of(1)),),
        pending=(pending(),),
        orphans=(address_of(2),),
        unmanaged=(address_of(3),),
    )
    this.remarks.append("remark")
    return this


# the plan


CHANGES = ["remark", "create", "withheld", "user01@example.org"]
DETAILS = ["pending", "orphan", "not"]


@pytest.mark.parametrize(
    ("reader", "shown"),
    [
        pytest.param(QUIET, ["withheld", "user01@example.org", "error"], id="quiet"),
        pytest.param(NORMAL, [*CHANGES, "error", "warning", "1"], id="normal"),
        pytest.param(VERBOSE, [*CHANGES, *DETAILS, "error", "warning", "info", "1"], id="verbose"),
        pytest.param(Reader(Verbosity.DEBUG), [*CHANGES, *DETAILS, "error", "warning", "info", "1"], id="debugging"),
        pytest.param(LOOKING, [*CHANGES, "error", "warning", "1"], id="at a terminal"),
        pytest.param(JSON, [], id="as JSON, which comes at the end"),
    ],
)
def test_a_plan_is_shown_with_what_the_reader_wants(reader: Reader, shown: list[str]) -> None:
    assert planned(full(), reader) == shown


@pytest.mark.parametrize(
    ("reader", "shown"),
    [
        pytest.param(QUIET, [], id="quiet"),
        pytest.param(NORMAL, ["remark", "create", "1"], id="normal"),
        pytest.param(VERBOSE, [*CHANGES, *DETAILS, "error", "warning", "info", "1"], id="verbose"),
        pytest.param(LOOKING, [*CHANGES, "error", "warning", "1"], id="at a terminal"),
    ],
)
def test_what_an_earlier_run_said_is_shown_to_a_reader_who_looks(reader: Reader, shown: list[str]) -> None:
    assert planned(full(), reader, later) == shown


def test_a_dry_run_shows_old_news_and_what_is_pending() -> None:
    assert planned(full(dry_run=True), NORMAL, later) == [*CHANGES, "pending", "error", "warning", "1"]


def test_a_plan_without_anything_to_say_is_silent() -> None:
    assert planned(result(change(Kind.REASSERT)), NORMAL) == []


def test_a_dry_run_tells_what_writing_again_costs() -> None:
    again = result(change(Kind.REASSERT, writes={"name": "Ann"}), dry_run=True)
    assert render_plan(again, first(again), NORMAL) == ["1 write to mailcow"]


def test_a_change_that_failed_before_is_not_shown_again() -> None:
    this = result(CREATE, outcomes=failed(CREATE))
    known = due([], first(this).remember, NOW, complete=False)
    assert render_plan(result(CREATE), known, NORMAL) == []
    assert beginnings(render_plan(result(CREATE), known, LOOKING)) == ["create", "1"]


def test_an_accepted_finding_is_not_shown() -> None:
    this = result(findings=(ERROR,))
    this.accept = frozenset({ERROR.code})
    assert planned(this, VERBOSE) == []


# the end


SUMMARY = "1 created; 40 mailboxes in the directory, 39 managed."


def ended(this: Result, reader: Reader, news: Callable[[Result], Due] = first, *, was_told: bool = False) -> list[str]:
    return render_end(this, news(this), reader, was_told=was_told)


def test_a_run_that_showed_a_plan_ends_with_a_summary() -> None:
    this = result(CREATE, outcomes=done(CREATE))
    assert ended(this, NORMAL, was_told=True) == [SUMMARY]
    assert ended(this, QUIET, was_told=True) == []


@pytest.mark.parametrize(
    ("reader", "dry_run", "has_summary"),
    [
        pytest.param(NORMAL, False, False, id="normal"),
        pytest.param(LOOKING, False, False, id="at a terminal"),
        pytest.param(VERBOSE, False, True, id="verbose"),
        pytest.param(NORMAL, True, True, id="dry run"),
        pytest.param(QUIET, True, False, id="quiet dry run"),
    ],
)
def test_a_run_without_changes_is_silent_unless_it_is_asked(
    reader: Reader,
    dry_run: bool,  # noqa: FBT001 - pytest gives it by name
    has_summary: bool,  # noqa: FBT001 - the same
) -> None:
    lines = ended(result(dry_run=dry_run), reader)
    assert bool(lines) is has_summary
    assert all("nothing to do" in line for line in lines)


def test_a_failure_is_told_and_then_once_a_day() -> None:
    this = result(CREATE, outcomes=failed(CREATE))
    assert beginnings(ended(this, NORMAL)) == ["failed", "1"]
    assert beginnings(ended(this, QUIET)) == ["failed"]
    assert ended(this, NORMAL, later) == []
    assert beginnings(ended(this, LOOKING, later)) == ["failed", "1"]


def test_what_is_no_longer_so_is_told_but_not_to_a_quiet_reader() -> None:
    news = due([], [Notice("no_mail", "uid=ann", "", NOW)], NOW, complete=True)
    gone, summary = render_end(result(), news, NORMAL, was_told=False)
    assert gone == "gone      no_mail  uid=ann"
    assert "nothing to do" in summary
    assert render_end(result(), news, QUIET, was_told=False) == []


@pytest.mark.parametrize("reader", [QUIET, NORMAL, VERBOSE, LOOKING])
def test_a_run_that_ended_early_says_why_and_has_no_summary(reader: Reader) -> None:
    this = Result(dry_run=False, what="LDAP unreachable", error=EVIL)
    assert ended(this, reader, was_told=True) == [f"LDAP unreachable: {EVIL_SHOWN}"]


def test_the_same_end_is_told_once_a_day() -> None:
    this = Result(dry_run=False, what="LDAP unreachable", error="it is down")
    assert ended(this, NORMAL, later) == []
    assert ended(this, LOOKING, later) == ["LDAP unreachable: it is down"]


def test_json_is_one_document_at_the_end() -> None:
    (text,) = ended(full(), JSON)
    assert json.loads(text)["counts"]["wanted"] == 40


# the answer to a user who asked for one thing


DONE = "ann@example.org is released"


@pytest.mark.parametrize(
    ("this", "shown"),
    [
        pytest.param(result(CREATE, outcomes=done(CREATE)), [DONE], id="done"),
        pytest.param(result(CREATE, dry_run=True), [], id="dry run"),
        pytest.param(
            result(CREATE, outcomes=failed(CREATE, detail="no")), ["failed    create ann@example.org: no"], id="failed"
        ),
        pytest.param(
            Result(dry_run=False, what="not released", error="it isn't ours"),
            ["not released: it isn't ours"],
            id="refused",
        ),
        pytest.param(Result(dry_run=False, remarks=["was released before"]), ["was released before"], id="a remark"),
    ],
)
def test_an_answer_says_what_became_of_it(this: Result, shown: list[str]) -> None:
    assert render_answer(this, DONE, LOOKING) == shown


def test_a_quiet_answer_says_only_what_went_wrong() -> None:
    assert render_answer(result(CREATE, outcomes=done(CREATE)), DONE, QUIET) == []
    assert beginnings(render_answer(result(CREATE, outcomes=failed(CREATE)), DONE, QUIET)) == ["failed"]


def test_an_answer_in_json_is_the_document_of_a_run() -> None:
    (text,) = render_answer(result(CREATE, outcomes=done(CREATE)), DONE, JSON)
    assert [one["outcome"] for one in json.loads(text)["changes"]] == ["done"]


def test_an_answer_is_escaped() -> None:
    assert render_answer(result(CREATE, outcomes=done(CREATE)), EVIL, LOOKING) == [EVIL_SHOWN]


def test_what_a_user_asked_for_is_told_whatever_was_said_before() -> None:
    assert beginnings(render_plan(result(CREATE, withheld=(withheld(ANN),)), EVERYTHING, LOOKING)) == [
        "create",
        "withheld",
        "ann@example.org",
        "1",
    ]
