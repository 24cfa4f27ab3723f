"""Processes that are killed at a step of a run: SIGKILL, as `kill -9` and the kernel's own killer send it.

`python -m tests.faults.doomed` has imported everything already and forks for each line it reads, so that such a process
costs a few hundredths of a second instead of one. A line is a JSON object (see `Request`); the answer is one line with
the status that the kernel gives of the child.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Self, TypeVar

import pytest

from ldap2mailcow import cli

from .steps import hooked, ordered

T = TypeVar("T")

_HERE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Request:
    """A run that is to be killed.

    config: its config file.
    moment: what its clock says, in ISO 8601.
    step: before which of its steps it is killed, 1 being the first; past the last one it comes to its end.
    order: in which order it sends its calls, a name of `ORDERS`; "" = as it likes, in threads.
    """

    config: str
    moment: str
    step: int
    order: str = "in turn"


class Executioner:
    """Starts runs and kills them; used in a `with`.

    They run without coverage, which would only slow them: who is killed doesn't write down what it covered.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.doomed"],
            cwd=_HERE,
            env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, request: Request) -> int:
        """Let a run begin and be killed; return its exit code, -9 where it was killed."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(f"{json.dumps(asdict(request))}\n")
        asked.flush()
        return os.waitstatus_to_exitcode(int(answered.readline()))


def main() -> None:
    """Fork for each line of stdin."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(Request(**json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(status, flush=True)  # noqa: T201 - the protocol


def _run(request: Request) -> None:
    """Do a run in this process, which ends here."""
    sink = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(sink, descriptor)
    moment = datetime.fromisoformat(request.moment)
    pytest.MonkeyPatch().setattr(cli, "datetime", SimpleNamespace(now=lambda _zone: moment))
    left = request.step

    def step(_name: str, act: Callable[[], T]) -> T:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act()

    code: object = 1
    try:
        with ExitStack() as stack:
            stack.enter_context(hooked(step))
            if request.order:
                stack.enter_context(ordered(request.order))
            cli.main(["--config", request.config])
    except SystemExit as end:
        code = end.code
    finally:
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
