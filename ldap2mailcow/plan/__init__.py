"""What to do: desired, remembered and actual become changes, guarded, in order. Pure: no I/O, the clock is given."""

from .calls import Batch, Cost, Phase, calls_of, cost, phases
from .knowledge import fingerprint
from .plan import make_plan, wants_new_mailboxes
from .verify import is_done, remainder
from .view import Options, Pending, Plan, Reason, View, Withheld

__all__ = [
    "Batch",
    "Cost",
    "Options",
    "Pending",
    "Phase",
    "Plan",
    "Reason",
    "View",
    "Withheld",
    "calls_of",
    "cost",
    "fingerprint",
    "is_done",
    "make_plan",
    "phases",
    "remainder",
    "wants_new_mailboxes",
]
