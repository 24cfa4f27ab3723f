"""Trying again what failed in a way that may pass; loaded and used only once something has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

TRIES = 3
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 4.0  # seconds before the second try and before any, a second of jitter aside


def tries(on: Callable[[Exception], bool]) -> Iterator[AbstractContextManager[object]]:
    """Give a block to be run up to three times, with growing waits between, while it raises what `on` says yes to.

    The last such error is raised.
    """
    import stamina  # noqa: PLC0415 - a run without trouble doesn't load it
    from stamina.instrumentation import set_on_retry_hooks  # noqa: PLC0415

    set_on_retry_hooks(())  # who calls says in our words what is tried again
    return stamina.retry_context(
        on=on, attempts=TRIES, timeout=None, wait_initial=_FIRST_WAIT, wait_max=_LONGEST_WAIT
    ).__iter__()
