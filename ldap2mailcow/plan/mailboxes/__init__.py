"""What becomes of each mailbox: made, kept, disabled, enabled, deleted; who may have its address."""

from __future__ import annotations

from .deciding import decide_mailboxes
from .holders import SILENT, decide_left_behind, guard_ids, holders, tell_replaced_ids
from .removals import decide_removals, forget_departed, forget_misses, missing_mailboxes, repeat_deletion, with_aliases

__all__ = [
    "SILENT",
    "decide_left_behind",
    "decide_mailboxes",
    "decide_removals",
    "forget_departed",
    "forget_misses",
    "guard_ids",
    "holders",
    "missing_mailboxes",
    "repeat_deletion",
    "tell_replaced_ids",
    "with_aliases",
]
