"""What holds for all tests: where they stand, which examples they try, and what they say.

Here, since only this file is read where several processes run them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from xdist import is_xdist_controller

from .counting import CASES, FUZZED, STORIES, counted
from .logs import log_of_its_own
from .silence import Silence

# The same examples on every machine. Hypothesis also draws constants that it finds in the project's modules, and none
# below a folder `test` or `tests`. No setting turns that off, so this replaces a function of its own: pyproject.toml
# fixes the version, and unit/test_examples.py fails where this no longer helps. Where CI is set they differ, too.
providers._get_local_constants = Constants
settings.register_profile("the same everywhere", derandomize=True, database=None, deadline=None)
settings.load_profile("the same everywhere")

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


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Leave the logging of this process as it was, which a command that runs in a test sets up for itself."""
    with log_of_its_own():
        yield


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
    if trials := found[FUZZED]:
        terminalreporter.write_line(f"fuzz: {', '.join(f'{count} {what}' for what, count in sorted(trials.items()))}")
