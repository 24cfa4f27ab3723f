"""Several directories in one run: whose a thing is, a plan for each, and all of them as one."""

from __future__ import annotations

from .contests import settle_mailboxes
from .merging import merged
from .rounds import make_plans, renamed_all, with_all_wishes

__all__ = [
    "make_plans",
    "merged",
    "renamed_all",
    "settle_mailboxes",
    "with_all_wishes",
]
