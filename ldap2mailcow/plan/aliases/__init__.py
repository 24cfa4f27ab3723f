"""What becomes of each alias, list and right to send as others, once it is known what becomes of the mailboxes."""

from __future__ import annotations

from .deciding import UNTIL_HEEDED, MailboxPlan, plan_aliases
from .formers import FLAGS_OF_FORMER, formers, with_formers
from .marks import OF_ONE_PERSON, concerns, is_our_alias, row_of
from .removals import decide_alias_removals
from .senders import senders_due

__all__ = [
    "FLAGS_OF_FORMER",
    "OF_ONE_PERSON",
    "UNTIL_HEEDED",
    "MailboxPlan",
    "concerns",
    "decide_alias_removals",
    "formers",
    "is_our_alias",
    "plan_aliases",
    "row_of",
    "senders_due",
    "with_formers",
]
