"""What holds for all tests: where they stand, and what they say at their end.

Here, since only this file is read where several processes run them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .counting import CASES, STORIES, counted

OF_A_SHELL = ("PYTHON", "MAILCOW_LDAP_SYNC__", "LDAP_MAILCOW_", "CREDENTIALS_DIRECTORY")
"""How variables begin that a shell may have set for Python or for the command; cron sets none of them."""


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """Take them away: a test has what it sets itself."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OF_A_SHELL):
                patch.delenv(name)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how large the fault matrix was, and how long the stories of the model."""
    found = counted(terminalreporter)
    if cases := found[CASES]:
        rows = ", ".join(f"{row} {count}" for row, count in cases.items())
        terminalreporter.write_line(f"fault matrix: {cases.total()} cases ({rows})")
    if told := found[STORIES]:
        terminalreporter.write_line(f"model: {told['stories']} stories with {told['runs']} runs")
