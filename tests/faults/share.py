"""How much of the faults is tried: a share by each run of the tests, and all of it where FAULT_MATRIX=whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import cycle, islice, product
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")

WHOLE = os.environ.get("FAULT_MATRIX") == "whole"


def few(count: int, cases: Iterable[T]) -> list[T]:
    """Return the first cases: so many, or all."""
    return list(cases if WHOLE else islice(cases, count))


def first_of_each(cases: Iterable[T], kind: Callable[[T], Hashable]) -> list[T]:
    """Return the first case of each kind, or all."""
    first: dict[Hashable, T] = {}
    found = list(cases)
    for case in found:
        first.setdefault(kind(case), case)
    return found if WHOLE else list(first.values())


def paired(ones: Sequence[T], others: Sequence[S]) -> list[tuple[T, S]]:
    """Return pairs in which each of both comes up, or all pairs."""
    pairs = zip(cycle(ones), cycle(others), strict=False)
    return list(product(ones, others)) if WHOLE else list(islice(pairs, max(len(ones), len(others))))
