"""What some tests count, added up at their end in whichever processes they ran."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest

CASES, STORIES, FUZZED = "fault matrix", "model", "fuzz"
"""The properties that tests record: numbers by name."""


def counted(terminalreporter: pytest.TerminalReporter) -> dict[str, Counter[str]]:
    """Add up what all tests have counted, in whichever process they ran."""
    found = {CASES: Counter[str](), STORIES: Counter[str](), FUZZED: Counter[str]()}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport) and report.when == "teardown":
            for name, counts in report.user_properties:
                found[name].update(cast("dict[str, int]", counts))
    return found
