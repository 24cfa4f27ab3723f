"""Runs the command with a clock at its parts, and prints what a run took as a line of a table."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mailcow_server import MailcowServer

from .timed import APPLY, LDAP, MAILCOW, PLAN

TOP = Path(__file__).parents[1]
HEADER = f"{'':<24}{LDAP:>11}{MAILCOW:>14}{PLAN:>7}{APPLY:>8}{'whole':>8}{'CPU':>8}{'memory':>9}  requests"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds of its parts and as a whole, the processor's seconds, bytes, requests."""

    parts: dict[str, float]
    whole: float
    cpu: float
    memory: int
    reads: int
    writes: int

    @property
    def figures(self) -> str:
        """The columns of HEADER."""
        part = {name: f"{self.parts.get(name, 0):.2f} s" for name in (LDAP, MAILCOW, PLAN, APPLY)}
        return (
            f"{part[LDAP]:>11}{part[MAILCOW]:>14}{part[PLAN]:>7}{part[APPLY]:>8}{self.whole:>6.2f} s{self.cpu:>6.2f} s"
            f"{self.memory / 1024**2:>6.0f} MB  {self.reads} reads, {self.writes:,} writes"
        )


def write_config(folder: Path, text: str) -> None:
    """Write the config that `run` uses, readable by its owner only."""
    path = folder / "config.yaml"
    path.touch(0o600)
    path.write_text(text, encoding="utf-8")


def run(folder: Path, mailcow: MailcowServer, options: Iterable[str] = ()) -> Cost:
    """Run the command once. Raises RuntimeError where it doesn't end with 0."""
    mailcow.log.clear()
    figures = folder / "figures.json"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "bench.timed",
        figures,
        "--config",
        folder / "config.yaml",
        *options,
    ]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=TOP, capture_output=True, encoding="utf-8", check=False)
    whole = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"the command ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    found = json.loads(figures.read_text(encoding="utf-8"))
    writes = len(mailcow.log.writes())
    return Cost(found["seconds"], whole, found["cpu"], found["memory"], len(mailcow.log) - writes, writes)
