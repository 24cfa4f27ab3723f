"""Spoiled files and hostile entries: a few by each run of the tests, and all of them where FUZZ=whole."""

from __future__ import annotations

import os


def trials(whole: int) -> int:
    """Return how many are tried, of so many."""
    return whole if os.environ.get("FUZZ") == "whole" else 60
