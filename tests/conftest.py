"""What holds for all tests: where they stand, and what they say at their end.

Here, since only this file is read where several processes run them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .counting import CASES, STORIES, counted


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """Take away what a shell may have set for Python: cron sets none of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("PYTHON"):
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
