"""The plan: what to do so that mailcow holds what the directories ask for. Pure: no I/O, the clock is given.

Terms
    The *case* is everything that was read: what the directories ask for, what mailcow has, what the state file
    remembers, the config, the time. It never changes.
    A *match* says which entry, which remembered row and which mailbox belong together.
    A *target* says what one mailbox, alias or right should be after the run, and by which *rule*.
    A *change* is what makes a thing what its target says.

Premise
    If something shall not be touched, its target is what is there now. It isn't ours, the config protects it, its
    grace isn't over, the answer about it is in doubt, a limit holds it: all of them are rules by which a target is a
    copy of what is there. So the difference has no special cases, and nothing that was decided is ever taken back.

Steps
    1. `knowledge`: for each directory and kind of thing, is absence believed?
    2. `claims`: who gets an address that entries ask for; `matching`: what belongs together.
    3. `renames`: which mailboxes get a new name now. From here on the case is the one after them.
    4. `target`: what everything should be, all directories together, and by which rule.
    5. `diff`: the targets against what is there, by two tables: the changes.
    6. `limits`: do the changes take away too much, or is there no room for them? What is too much is *held*: its
       address is noted, and steps 3 to 5 are made again with that. What is held only grows, so this ends.
    7. `order`: in which order the changes run.

One plan is made over all directories. What one of them frees is free in the next run.
"""

from .case import Begun, Case, Directory, Options
from .intents import deletions_begun, needs_intent, remembered, settle
from .knowledge import fingerprint
from .order import Step, step_of
from .pending import Fate, Pending
from .plan import Plan, make_plan, senders_to_read
from .release import NotReleased, release
from .renames import NOT_YET
from .withheld import REMOVING, Guarded, Reason, Withheld

__all__ = [
    "NOT_YET",
    "REMOVING",
    "Begun",
    "Case",
    "Directory",
    "Fate",
    "Guarded",
    "NotReleased",
    "Options",
    "Pending",
    "Plan",
    "Reason",
    "Step",
    "Withheld",
    "deletions_begun",
    "fingerprint",
    "make_plan",
    "needs_intent",
    "release",
    "remembered",
    "senders_to_read",
    "settle",
    "step_of",
]
