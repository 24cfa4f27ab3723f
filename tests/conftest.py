"""What all tests say, and at their end; here, since only this file is read where several processes run them."""

from __future__ import annotations

import pytest
from hypothesis import settings
from xdist import is_xdist_controller

from .counting import CASES, STORIES, counted
from .silence import Silence

# The same examples in every environment: hypothesis itself makes them at random, but not where CI is set.
settings.register_profile("everywhere", derandomize=True, deadline=None)
settings.load_profile("everywhere")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let long tests be named while other processes run them."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if is_xdist_controller(session) and isinstance(reporter, pytest.TerminalReporter):
        silence = Silence(lambda text: reporter.write(f"\n{text}\n", flush=True))
        session.config.pluginmanager.register(silence)
        silence.start()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how large the fault matrix was, and how long the stories of the model."""
    found = counted(terminalreporter)
    if cases := found[CASES]:
        rows = ", ".join(f"{row} {count}" for row, count in cases.items())
        terminalreporter.write_line(f"fault matrix: {cases.total()} cases ({rows})")
    if told := found[STORIES]:
        terminalreporter.write_line(f"model: {told['stories']} stories with {told['runs']} runs")
