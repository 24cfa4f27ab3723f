"""What all tests say at their end; here, since only this file is read where several processes run them."""

from __future__ import annotations

import pytest

from .counting import CASES, STORIES, counted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how large the fault matrix was, and how long the stories of the model."""
    found = counted(terminalreporter)
    if cases := found[CASES]:
        rows = ", ".join(f"{row} {count}" for row, count in cases.items())
        terminalreporter.write_line(f"fault matrix: {cases.total()} cases ({rows})")
    if told := found[STORIES]:
        terminalreporter.write_line(f"model: {told['stories']} stories with {told['runs']} runs")
