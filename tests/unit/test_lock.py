"""requirements.lock fits requirements.txt, and fixes what is installed."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

TOP = Path(__file__).parents[2]
WANTED = [
    Requirement(line)
    for line in (TOP / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
LINES = [
    line
    for line in (TOP / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if not line.lstrip().startswith("#")
]
PIN = re.compile(r"([a-z0-9-]+)==(\S+) \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
LOCKED = {found[1]: found[2] for line in LINES if (found := PIN.fullmatch(line))}


def test_every_requirement_is_in_it_in_a_release_that_is_allowed() -> None:
    assert len(WANTED) > 0
    assert {asked.name.lower() for asked in WANTED} <= LOCKED.keys()
    assert [str(asked) for asked in WANTED if LOCKED[asked.name.lower()] not in asked.specifier] == []


def test_each_release_has_its_hashes_and_nothing_else_is_in_it() -> None:
    """A place to get packages from would be that of the machine where it was made."""
    assert [line for line in LINES if not (PIN.fullmatch(line) or HASH.fullmatch(line))] == []
    assert [
        pin for pin, after in zip(LINES, [*LINES[1:], ""], strict=True) if "==" in pin and "--hash" not in after
    ] == []
