"""The properties are tried with the same examples wherever the project lies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

CONSTANTS = "WORDS, NUMBERS, OCTETS, PARTS = {'words'}, {n * 1009 for n in range(99)}, {b'octets'}, {0.125}\n"
"""A module of the project, with a constant of each kind that Hypothesis collects."""

DRAWING = """
from pathlib import Path
from hypothesis import given, strategies as st
import constants

@given(st.lists(st.text() | st.integers() | st.binary() | st.floats() | st.sampled_from(range(99_999))))
def test_that_draws(drawn):
    with Path("drawn").open("a") as file:
        print(ascii(drawn), file=file)
"""


def drawn_in(project: Path) -> str:
    """Return the examples of a project with our settings that lies in a folder."""
    (project / "tests").mkdir(parents=True)
    for path in TESTS.glob("*.py"):
        shutil.copy(path, project / "tests")
    (project / "constants.py").write_text(CONSTANTS, encoding="utf-8")
    (project / "tests" / "test_drawing.py").write_text(DRAWING, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], cwd=project, check=True)
    return (project / "drawn").read_text(encoding="utf-8")


def test_the_examples_are_the_same_whatever_the_folder_is_called(tmp_path: Path) -> None:
    drawn, drawn_below_tests = drawn_in(tmp_path / "elsewhere" / "project"), drawn_in(tmp_path / "tests" / "project")
    assert len(drawn.splitlines()) >= 100
    assert drawn == drawn_below_tests
