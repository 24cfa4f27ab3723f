"""The demo shows what it announces, all of it, and no secret."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from contrib.demo.directory import CLEAR_TEXT, STAFF
from ldap2mailcow.model import LEVELS, Code
from tests.directory_server import Slapd
from tests.mailcow_server import API_KEY

TOP = Path(__file__).parents[2]
FINDING = re.compile(r"^ +(error|warning|info) +(\w+)  ", re.MULTILINE)
SCENE = re.compile(r"^ ?(\d+)\. ", re.MULTILINE)
HASH = re.compile(r"\{[A-Z0-9-]+\}[A-Za-z0-9+/$.]|\$(?:[0-9a-z]{1,2}|argon2\w+)\$")


def play(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "contrib.demo", *options]
    return subprocess.run(command, cwd=TOP, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def demo() -> subprocess.CompletedProcess[str]:
    """Everything that the demo has."""
    return play("--all")


def test_everything_is_as_announced(demo: subprocess.CompletedProcess[str]) -> None:
    assert "NOT AS ANNOUNCED" not in demo.stdout
    assert demo.stderr == ""
    assert demo.returncode == 0


def test_the_story_alone_has_twelve_scenes_and_then_says_what_to_do_next() -> None:
    finished = play()
    story, _, after = finished.stdout.partition("\nWhat next, ")
    assert SCENE.findall(story) == [str(number) for number in range(1, 13)]
    assert "NOT AS ANNOUNCED" not in story
    assert "mailcow_ldap_sync.py --dry-run " in after
    assert "`make demo-all`" in after.splitlines()[-1]
    assert finished.stderr == ""
    assert finished.returncode == 0


def test_every_finding_is_shown_with_its_level(demo: subprocess.CompletedProcess[str]) -> None:
    assert {(level, code) for level, code in FINDING.findall(demo.stdout)} == {
        (LEVELS[code].value, code.value) for code in Code
    }


def test_it_ends_with_a_count(demo: subprocess.CompletedProcess[str]) -> None:
    last = demo.stdout.splitlines()[-1]
    assert last == f"Shown: {len(Code)} of {len(Code)} findings, {len(STAFF) + 2} mailboxes."


def test_no_secret_is_shown(demo: subprocess.CompletedProcess[str], shared_slapd: Slapd) -> None:
    """The demo's slapd has the passwords that every one has."""
    secrets = (API_KEY, shared_slapd.reader_password, shared_slapd.admin_password, CLEAR_TEXT, "made-by-hand")
    assert [secret for secret in secrets if secret in demo.stdout] == []
    assert HASH.search(demo.stdout) is None


def test_the_people_are_about_forty_in_two_domains() -> None:
    assert len({person.uid for person in STAFF}) == 40
    assert len({person.mail.partition("@")[2] for person in STAFF}) == 2
    kinds = {str(person.attributes["userPassword"]).partition("}")[0] for person in STAFF}
    assert kinds == {"{SSHA512", "{SSHA256", "{SSHA", "{CRYPT", "{ARGON2"}
