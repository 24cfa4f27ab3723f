"""A test that takes long is named while it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.silence import Silence

TOP = Path(__file__).parents[2]
CONFTEST = """
from tests import silence
from tests.conftest import pytest_sessionstart

silence.PATIENCE = 0.01
"""
TESTS = """
import os
import select


def test_short():
    pass


def test_long():
    gate = os.open("gate", os.O_RDWR)
    assert select.select([gate], [], [], 60)[0]
"""


def test_what_is_running_is_named_with_its_time() -> None:
    times = iter([100.0, 110.0, 175.0])
    silence = Silence(print, lambda: next(times))
    silence.pytest_runtest_logstart("test_a.py::test_a")
    silence.pytest_runtest_logstart("test_b.py::test_b")
    silence.pytest_runtest_logfinish("test_a.py::test_a")
    assert silence.lines() == ["running for 65 s: test_b.py::test_b"]


def test_a_long_test_in_another_process_is_named_while_it_runs(tmp_path: Path) -> None:
    """It ends only after it was named, or fails after a minute."""
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_two.py").write_text(TESTS, encoding="utf-8")
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    command = [sys.executable, "-m", "pytest", "--numprocesses=1", "--rootdir=.", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
    ) as running:
        assert running.stdout is not None
        named = next((line for line in running.stdout if "test_long" in line), "")
        os.write(gate, b"go")
        rest = running.stdout.read()
    os.close(gate)
    assert re.fullmatch(r"running for \d+ s: test_two\.py::test_long\n", named)
    assert "2 passed" in rest
    assert running.returncode == 0
