"""What cron's mail says: news at once, the same old things once a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ldap2mailcow.model import Code, Notice
from ldap2mailcow.report import Result, due, notices_of

from .builders import NOW, address_of, change, failed, finding, result, withheld

ANN = ("no_mail", "uid=ann")
PRESENT = (*ANN, "it has no mail")


def said(ago: timedelta, sentence: str = "it has no mail") -> Notice:
    return Notice(*ANN, sentence, NOW - ago)


def test_news_is_shown_and_remembered() -> None:
    news = due([PRESENT], [], NOW, complete=True)
    assert news.is_news(*ANN)
    assert news.remember == (Notice(*PRESENT, NOW),)
    assert news.gone == ()


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(minutes=5), timedelta(hours=22, minutes=59, seconds=59)])
def test_what_was_shown_less_than_a_day_ago_is_not_shown(ago: timedelta) -> None:
    news = due([PRESENT], [said(ago)], NOW, complete=True)
    assert not news.is_news(*ANN)
    assert news.remember == (said(ago),)


@pytest.mark.parametrize("ago", [timedelta(days=1), timedelta(days=400)])
def test_what_was_shown_a_day_ago_is_shown_again(ago: timedelta) -> None:
    news = due([PRESENT], [said(ago)], NOW, complete=True)
    assert news.is_news(*ANN)
    assert news.remember == (said(timedelta(0)),)


def test_another_sentence_about_the_same_thing_is_no_news() -> None:
    """The code and the place tell things apart: a count in a sentence may change on every run."""
    old = said(timedelta(hours=1), "it has still no mail")
    news = due([PRESENT], [old], NOW, complete=True)
    assert not news.is_news(*ANN)
    assert news.remember == (said(timedelta(hours=1)),)


@pytest.mark.parametrize("code", ["withheld", "failed"])
def test_another_sentence_about_what_is_not_done_is_news(code: str) -> None:
    """Other users, or another reason."""
    old = Notice(code, "disable over_limit", "5 of 40", NOW - timedelta(hours=1))
    assert due([(code, "disable over_limit", "6 of 40")], [old], NOW, complete=True).is_news(code, "disable over_limit")


def test_the_same_code_elsewhere_is_news() -> None:
    news = due([PRESENT, ("no_mail", "uid=bob", "it has no mail")], [said(timedelta(hours=1))], NOW, complete=True)
    assert news.shown == {("no_mail", "uid=bob")}


def test_what_is_no_longer_so_is_gone_and_forgotten() -> None:
    news = due([], [said(timedelta(hours=1))], NOW, complete=True)
    assert news.gone == (said(timedelta(hours=1)),)
    assert news.remember == ()


def test_a_run_that_did_not_see_everything_forgets_nothing() -> None:
    old = said(timedelta(days=2))
    news = due([("LDAP unreachable", "", "it is down")], [old], NOW, complete=False)
    assert news.gone == ()
    assert set(news.remember) == {old, Notice("LDAP unreachable", "", "it is down", NOW)}
    assert not news.is_news(*ANN)


def test_a_run_that_did_not_see_everything_shows_what_it_saw() -> None:
    news = due([PRESENT], [said(timedelta(days=1))], NOW, complete=False)
    assert news.is_news(*ANN)
    assert news.remember == (said(timedelta(0)),)


def test_what_is_said_twice_is_remembered_once() -> None:
    news = due([PRESENT, PRESENT], [], NOW, complete=True)
    assert news.remember == (Notice(*PRESENT, NOW),)


def test_what_no_run_said_is_unsaid() -> None:
    news = due([], [said(timedelta(hours=1))], NOW, complete=False)
    assert not news.is_unsaid(*ANN)
    assert news.is_unsaid("failed", "ann@example.org")


def test_all_that_is_not_said_on_every_run_is_told_by_code_and_place() -> None:
    this = result(
        change(),
        outcomes=failed(change(), detail="no room"),
        findings=(finding(), finding(Code.DOMAIN_NOT_OURS), finding(Code.TLS_INVALID, "uid=bob")),
        withheld=(withheld(address_of(1), address_of(2)),),
    )
    this.accept = frozenset({"tls_invalid"})
    this.what, this.error = "LDAP unreachable", "it is down"
    assert notices_of(this) == [
        PRESENT,
        ("withheld", "disable over_limit", "too many: user01@example.org, user02@example.org"),
        ("failed", "update ann@example.org", "no room"),
        ("LDAP unreachable", "", "it is down"),
    ]


def test_a_run_without_anything_odd_has_no_notice() -> None:
    assert notices_of(Result(dry_run=False)) == []
