"""How a plan and its outcome are shown: text for people, JSON for programs. Pure: returns text, prints nothing."""

from .document import document
from .notices import FAILED, WITHHELD, Due, due
from .result import Result, shown_changes
from .text import (
    change_lines,
    cost_lines,
    failure_lines,
    finding_lines,
    gone_lines,
    orphan_lines,
    pending_lines,
    summary_line,
    unmanaged_lines,
    withheld_lines,
)

__all__ = [
    "FAILED",
    "WITHHELD",
    "Due",
    "Result",
    "change_lines",
    "cost_lines",
    "document",
    "due",
    "failure_lines",
    "finding_lines",
    "gone_lines",
    "orphan_lines",
    "pending_lines",
    "shown_changes",
    "summary_line",
    "unmanaged_lines",
    "withheld_lines",
]
