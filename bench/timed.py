"""The command with a clock at its parts: `python -m bench.timed FIGURES.json OPTION...`, options as the command's own.

What it measures is written as JSON when the command ends: seconds of each part, the processor's seconds and the memory
of the whole process, this module and the start of Python included.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from ldap2mailcow import cli, directory, gather, mailcow, sync

LDAP, MAILCOW, PLAN, APPLY = "LDAP read", "mailcow read", "plan", "apply"

PARTS: tuple[tuple[Any, str, str], ...] = (
    (directory, "read", LDAP),
    (mailcow, "read_actual", MAILCOW),
    (mailcow, "with_aliases", MAILCOW),
    (mailcow, "read_senders", MAILCOW),
    (gather, "read_answers", PLAN),
    (gather, "senders_to_read", PLAN),
    (sync, "make_plan", PLAN),
    (sync, "apply", APPLY),
    (sync, "read_stamps", APPLY),
)
"""Where the run calls them: who owns the name, the name, and the part that its time counts for."""


def main() -> None:
    """Run the command and write the figures, however it ends."""
    figures, options = Path(sys.argv[1]), sys.argv[2:]
    seconds: defaultdict[str, float] = defaultdict(float)
    for owner, name, part in PARTS:
        setattr(owner, name, _timed(getattr(owner, name), part, seconds))
    try:
        cli.main(options)
    finally:
        found = {"seconds": seconds, "cpu": time.process_time(), "memory": _peak_memory()}
        figures.write_text(json.dumps(found), encoding="utf-8")


def _timed(function: Callable[..., object], part: str, seconds: defaultdict[str, float]) -> Callable[..., object]:
    @wraps(function)
    def timed(*arguments: object, **named: object) -> object:
        start = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            seconds[part] += time.perf_counter() - start

    return timed


def _peak_memory() -> int:
    """Return the most memory that was in use, in bytes; getrusage(2) would count the parent's in."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
