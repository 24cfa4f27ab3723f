"""Whatever a directory, an administrator, a crash or a clock does, in any order: the promises hold."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.mailcow_server import MailcowServer

from .model.machine import Model
from .world import TickingClock

EXAMPLES = int(os.environ.get("RELIABILITY_EXAMPLES", "0"))
"""How many to try, always new ones; 0 for the few that every run of the tests tries."""
FEW = 25


def test_the_promises_hold_in_any_order_of_events(stories: Counter[str]) -> None:
    with MailcowServer(clock=TickingClock()) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "server", server, raising=False)
        patch.setattr(Model, "counted", stories, raising=False)
        run_state_machine_as_test(
            Model,
            settings=settings(
                max_examples=EXAMPLES or FEW,
                stateful_step_count=30,
                deadline=None,
                derandomize=not EXAMPLES,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert stories["stories"] >= (EXAMPLES or FEW)
    assert stories["runs"] > stories["stories"]
