"""What directories ask for: entries become users, groups and forwards. Pure: no I/O, no clock, nothing of mailcow.

`read_answers` reads all answers of one directory, `merged` makes those of several directories one. What becomes of it,
and who gets an address that several want, says the plan.
"""

from ldap2mailcow.model import EntryId

from .answers import read_answers
from .asked import ANYONE, Asked, Forward, Group, Meant, User
from .identity import DN, choose_id_attribute, stable_id
from .measured import measured
from .merge import merged
from .passwords import NOBODY, SCHEMES, Choice, choose_password
from .values import RESERVED, some_of

__all__ = [
    "ANYONE",
    "DN",
    "NOBODY",
    "RESERVED",
    "SCHEMES",
    "Asked",
    "Choice",
    "EntryId",
    "Forward",
    "Group",
    "Meant",
    "User",
    "choose_id_attribute",
    "choose_password",
    "measured",
    "merged",
    "read_answers",
    "some_of",
    "stable_id",
]
