"""The report for programs: one JSON document with the fields of docs/operations.md, and no secret in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import Kind, Outcome, Rule
from ldap2mailcow.report import ExitCode, Result, document

from .builders import (
    ANN,
    EVIL,
    RENAME,
    address_of,
    alias_change,
    change,
    done,
    failed,
    finding,
    pending,
    result,
    withheld,
)


def read(this: Result) -> dict[str, Any]:
    """Return a result as a program reads it."""
    text = document(this)
    assert text.isascii()
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_run_without_anything_has_every_field() -> None:
    assert read(result()) == {
        "format": 2,
        "dry_run": False,
        "exit_code": 0,
        "error": None,
        "remarks": [],
        "answer_whole": True,
        "changes": [],
        "reasserted": {"planned": 0, "done": 0, "failed": []},
        "withheld": [],
        "pending": [],
        "findings": [],
        "not_in_directory": [],
        "aliases_not_in_directory": [],
        "orphans": [],
        "orphaned_aliases": [],
        "counts": {"wanted": 40, "managed": 38, "wanted_aliases": 0, "managed_aliases": 0},
        "cost": {"calls": 0, "rebuilds": 0},
    }


def test_a_run_that_ended_early_says_why() -> None:
    this = Result(dry_run=False, error="LDAP is down; try later", exit_code=ExitCode.TRY_LATER, remarks=["once"])
    found = read(this)
    assert (found["error"], found["exit_code"], found["remarks"]) == ("LDAP is down; try later", 75, ["once"])


def test_a_change_has_what_happens_and_why() -> None:
    update = change(fields=[("quota", 1024, 2048), ("name", None, "Ann")], why=Rule.LDAP)
    assert read(result(update, outcomes=done(update)))["changes"] == [
        {
            "kind": "update",
            "subject": "mailbox",
            "address": ANN,
            "dn": "uid=ann,dc=example,dc=org",
            "why": "the directory changed",
            "rule": "ldap",
            "fields": [
                {"key": "quota", "before": 1024, "after": 2048},
                {"key": "name", "before": None, "after": "Ann"},
            ],
            "password": False,
            "outcome": "done",
            "detail": "",
        },
    ]


@pytest.mark.parametrize(
    ("dry_run", "outcomes", "outcome", "detail"),
    [
        pytest.param(True, [], "planned", "", id="dry run"),
        pytest.param(False, [], "not_tried", "", id="not tried"),
        pytest.param(False, done(change()), "done", "", id="done"),
        pytest.param(False, failed(change(), detail="no room"), "failed", "no room", id="failed"),
        pytest.param(False, done(change(Kind.ENABLE)), "not_tried", "", id="another change of the same mailbox"),
    ],
)
def test_a_change_has_what_became_of_it(*, dry_run: bool, outcomes: list[Outcome], outcome: str, detail: str) -> None:
    (found,) = read(result(change(), dry_run=dry_run, outcomes=outcomes))["changes"]
    assert (found["outcome"], found["detail"]) == (outcome, detail)


def test_what_is_written_again_is_counted_and_its_failures_are_named() -> None:
    again = [change(Kind.REASSERT, address_of(number)) for number in range(3)]
    found = read(result(*again, outcomes=[*done(*again[:2]), *failed(again[2], detail="no"), *failed(change())]))
    assert found["changes"] == []
    assert found["reasserted"] == {
        "planned": 3,
        "done": 2,
        "failed": [{"address": "user02@example.org", "detail": "no"}],
    }


def test_what_is_withheld_has_its_numbers() -> None:
    found = read(result(whole=False, withheld=(withheld(ANN, address_of(1)),)))
    assert found["answer_whole"] is False
    assert found["withheld"] == [
        {
            "kind": "disable",
            "reason": "over_limit",
            "count": 2,
            "managed": 40,
            "limit": 5,
            "sentence": "too many",
            "addresses": [ANN, "user01@example.org"],
        },
    ]


def test_what_is_pending_has_its_time_with_the_zone() -> None:
    assert read(result(pending=(pending(answers=1),)))["pending"] == [
        {
            "subject": "mailbox",
            "address": ANN,
            "dn": "uid=ann,dc=example,dc=org",
            "due": "2026-06-01T12:30:00+00:00",
            "answers": 1,
            "fate": "disabled",
        },
    ]


@pytest.mark.parametrize("rule", list(Rule))
def test_a_change_has_its_rule_as_a_sentence_and_as_a_word(rule: Rule) -> None:
    (found,) = read(result(change(why=rule)))["changes"]
    assert (found["why"], found["rule"]) == (rule.value, rule.name.lower())


def test_a_rename_names_both_addresses() -> None:
    (found,) = read(result(RENAME))["changes"]
    assert (found["kind"], found["address"], found["rule"]) == ("rename", "bob@example.org", "renamed")
    assert found["fields"] == [{"key": "address", "before": ANN, "after": "bob@example.org"}]


def test_a_change_of_an_alias_says_so() -> None:
    new = alias_change(fields=[("goto", None, "ann@example.org")])
    (found,) = read(result(new, outcomes=done(new)))["changes"]
    assert (found["subject"], found["kind"], found["password"], found["outcome"]) == ("alias", "create", False, "done")


def test_a_mailbox_and_an_alias_of_one_address_are_told_apart() -> None:
    alias, mailbox = alias_change(Kind.REMOVE, ANN), change(Kind.CREATE, ANN)
    found = read(result(alias, mailbox, outcomes=[*done(alias), *failed(mailbox)]))["changes"]
    assert [(one["subject"], one["outcome"]) for one in found] == [("alias", "done"), ("mailbox", "failed")]


def test_aliases_are_counted_and_those_of_nobody_here_are_listed() -> None:
    found = read(result(wanted_aliases=7, managed_aliases=5, unmanaged_aliases=(address_of(1),)))
    assert found["aliases_not_in_directory"] == ["user01@example.org"]
    assert found["counts"] == {"wanted": 40, "managed": 38, "wanted_aliases": 7, "managed_aliases": 5}


def test_a_finding_has_its_level_and_whether_it_is_accepted() -> None:
    this = result(findings=(finding(), finding(where="uid=bob")))
    this.accept = frozenset({"no_mail:uid=bob"})
    assert read(this)["findings"] == [
        {"code": "no_mail", "level": "warning", "where": "uid=ann", "sentence": "it has no mail", "accepted": False},
        {"code": "no_mail", "level": "warning", "where": "uid=bob", "sentence": "it has no mail", "accepted": True},
    ]


def test_what_is_about_one_of_several_directories_says_so() -> None:
    doubt = replace(withheld(ANN, address_of(1)), directory="berlin")
    found = read(result(findings=(replace(finding(), directory="berlin"), finding()), withheld=(doubt,)))
    assert [one.get("directory") for one in found["findings"]] == ["berlin", None]
    assert found["withheld"][0]["directory"] == "berlin"


def test_mailboxes_of_nobody_here_are_listed() -> None:
    assert read(result(unmanaged=(address_of(1),)))["not_in_directory"] == ["user01@example.org"]


def test_what_is_ours_and_nobody_asks_for_is_named() -> None:
    found = read(result(orphans=(address_of(1),), orphaned_aliases=(address_of(2),)))
    assert (found["orphans"], found["orphaned_aliases"]) == (["user01@example.org"], ["user02@example.org"])


def test_the_price_is_that_of_the_plan() -> None:
    update = change(Kind.DISABLE, writes={"active": 0}, rebuilds=1)
    assert read(result(update))["cost"] == {"calls": 1, "rebuilds": 1}


def test_a_value_of_any_characters_comes_back_as_it_was() -> None:
    update = change(fields=[("name", None, EVIL)])
    assert read(result(update))["changes"][0]["fields"][0]["after"] == EVIL


def test_a_password_is_told_and_not_shown() -> None:
    update = change(password=SecretStr("{SSHA}hunter2"), remember={"digest": "key1:abc"})
    text = document(result(update, outcomes=done(update)))
    assert json.loads(text)["changes"][0]["password"] is True
    assert "hunter2" not in text
    assert "SSHA" not in text
    assert "key1:abc" not in text
