"""What to do: desired, remembered and actual become changes, guarded, in order. Pure: no I/O, the clock is given."""

from .calls import Batch, Cost, Phase, calls_of, cost, phases
from .knowledge import fingerprint
from .plan import make_plan, wants_new_mailboxes
from .senders import senders_due
from .verify import is_alias_done, is_done, remainder, without
from .view import Options, Pending, Plan, Reason, View, What, Withheld

__all__ = [
    "Batch",
    "Cost",
    "Options",
    "Pending",
    "Phase",
    "Plan",
    "Reason",
    "View",
    "What",
    "Withheld",
    "calls_of",
    "cost",
    "fingerprint",
    "is_alias_done",
    "is_done",
    "make_plan",
    "phases",
    "remainder",
    "senders_due",
    "wants_new_mailboxes",
    "without",
]
