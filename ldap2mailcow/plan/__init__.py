"""What to do: desired, remembered and actual become changes, guarded, in order. Pure: no I/O, the clock is given."""

from .aliases import senders_due
from .calls import Batch, Cost, Phase, calls_of, cost, phases
from .intents import deletions_begun, needs_intent, remembered, settle
from .knowledge import fingerprint
from .mailboxes import holders
from .ownership import without_lost
from .plan import make_plan, wants_new_mailboxes
from .release import NotReleased, release
from .rename_calls import BARRED, give_way, keep_alias, make_alias, rename_call, set_active
from .renames import renamed
from .several import make_plans, merged, renamed_all, settle_mailboxes, with_all_wishes
from .verify import is_alias_done, is_done, is_same_alias, remainder, touches, without
from .view import Fate, Options, Others, Pending, Plan, Reason, Renames, Settled, View, What, Withheld, reads_aliases

__all__ = [
    "BARRED",
    "Batch",
    "Cost",
    "Fate",
    "NotReleased",
    "Options",
    "Others",
    "Pending",
    "Phase",
    "Plan",
    "Reason",
    "Renames",
    "Settled",
    "View",
    "What",
    "Withheld",
    "calls_of",
    "cost",
    "deletions_begun",
    "fingerprint",
    "give_way",
    "holders",
    "is_alias_done",
    "is_done",
    "is_same_alias",
    "keep_alias",
    "make_alias",
    "make_plan",
    "make_plans",
    "merged",
    "needs_intent",
    "phases",
    "reads_aliases",
    "release",
    "remainder",
    "remembered",
    "rename_call",
    "renamed",
    "renamed_all",
    "senders_due",
    "set_active",
    "settle",
    "settle_mailboxes",
    "touches",
    "wants_new_mailboxes",
    "with_all_wishes",
    "without",
    "without_lost",
]
