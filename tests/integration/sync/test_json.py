"""`--output json`: one document, whatever happens, as docs/operations.md describes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .installation import Installation, address

DOCS = Path(__file__).parents[3] / "docs/operations.md"
HAND = "{SSHA}r1NBy3jzPDHtP3cQp8CY4Xf0p0lcmVEe"


def documented() -> set[str]:
    """Return the names of the fields in the table of the docs."""
    section = DOCS.read_text(encoding="utf-8").partition("## JSON")[2].partition("## ")[0]
    rows = (line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    return {name for row in rows for name in re.findall(r"`(\w+)", row)}


def test_the_document_has_the_documented_fields(house: Installation) -> None:
    assert house.run("--output", "json").document.keys() == documented()


def test_a_run_is_told_whole(house: Installation) -> None:
    house.people(1)
    house.people(2, MailQuota="plenty")
    house.make_by_hand(7, HAND)
    done = house.run("--output", "json")
    told = done.document
    assert (done.code, told["exit_code"], told["error"], told["dry_run"]) == (3, 3, None, False)
    assert told["answer_whole"] is True
    first, second = told["changes"]
    assert first == {
        "kind": "create",
        "subject": "mailbox",
        "address": address(1),
        "dn": house.dn(1),
        "why": "it is new in the directory",
        "rule": "new",
        "fields": [
            {"key": "name", "before": None, "after": "Björn Ahmed"},
            {"key": "quota", "before": None, "after": 1024},
            {"key": "active", "before": None, "after": 1},
            {"key": "authsource", "before": None, "after": "mailcow"},
        ],
        "password": True,
        "outcome": "done",
        "detail": "",
    }
    assert (second["address"], second["outcome"]) == (address(2), "done")
    (finding,) = told["findings"]
    assert (finding["code"], finding["level"], finding["where"]) == ("quota_invalid", "error", house.dn(2))
    assert finding["accepted"] is False
    assert told["not_in_directory"] == [address(7)]
    assert told["counts"] == {"wanted": 2, "managed": 0, "wanted_aliases": 0, "managed_aliases": 0}
    assert told["cost"] == {"calls": 2, "rebuilds": 0}


def test_a_dry_run_plans_and_tells_what_is_pending(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.remove(2)
    house.people(4)
    told = house.again("--dry-run", "--output", "json", minutes=5).document
    assert told["dry_run"] is True
    assert [(change["address"], change["outcome"]) for change in told["changes"]] == [(address(4), "planned")]
    (waiting,) = told["pending"]
    assert waiting == {
        "subject": "mailbox",
        "address": address(2),
        "dn": house.dn(2),
        "due": "2026-11-21T10:35:00+00:00",
        "answers": 1,
        "fate": "disabled",
    }


def test_what_is_withheld_is_told_with_its_numbers(house: Installation) -> None:
    house.people(1, 2, 3, 4, 5)
    house.at_clock()
    house.config(limits={"removals": "1"})
    for number in (1, 2):
        house.change(number, mailActive="FALSE")
    (withheld,) = house.again("--output", "json", minutes=5).document["withheld"]
    assert withheld["reason"] == "over_limit"
    assert (withheld["count"], withheld["managed"], withheld["limit"]) == (2, 5, 1)
    assert withheld["addresses"] == [address(1), address(2)]


def test_passwords_written_again_are_counted(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    told = house.again("--reassert", "--output", "json", minutes=5).document
    assert told["changes"] == []
    assert told["reasserted"] == {"planned": 2, "done": 2, "failed": []}


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"mark": "two words"}, 78, "At 'mark'"),
        ({"ldap__uri": "ldap://127.0.0.1:1"}, 75, "No server of the directory"),
        ({"ldap__bind_pw": "not-this-one"}, 77, "bind_dn or bind_pw is wrong"),
        ({"mailcow_host": "http://127.0.0.1:1", "mailcow_timeout": {"connect": 1}}, 75, "no connection to 127.0.0.1:1"),
        ({"mailcow_api_key": "XXXXXX-XXXXXX"}, 77, "doesn't accept mailcow_api_key"),
        ({"log_file": "no/such/folder/log"}, 78, "can't be written"),
    ],
)
def test_a_run_that_ends_early_is_a_document_too(
    house: Installation, changes: dict[str, object], code: int, sentence: str
) -> None:
    house.config(**changes)
    done = house.at_clock("--output", "json")
    assert (done.code, done.document["exit_code"]) == (code, code)
    assert sentence in done.document["error"]
    assert done.document.keys() == documented()


def test_a_first_run_without_a_config_is_a_document_too(house: Installation) -> None:
    folder = house.folder / "empty"
    folder.mkdir()
    done = house.run("--output", "json", cwd=folder)
    assert (done.code, done.document["exit_code"]) == (78, 78)
    assert "config.yaml was written" in done.document["error"]


def test_a_second_run_at_the_same_time_is_a_document_too(house: Installation) -> None:
    with house.locked():
        done = house.run("--output", "json")
    assert (done.code, done.document["exit_code"]) == (75, 75)


def test_the_document_is_all_there_is_on_stdout_and_in_ascii(house: Installation) -> None:
    house.people(1)
    done = house.run("--output", "json", "-vv")
    assert done.out.isascii()
    assert json.loads(done.out)["exit_code"] == 0
