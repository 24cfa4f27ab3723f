"""What the directory wants: entries become mailboxes. Pure: no I/O, no clock."""

from .identity import DN, ID_CANDIDATES, choose_id_attribute, stable_id
from .mailboxes import RESERVED, Desired, desire
from .passwords import NOBODY, SCHEMES, Choice, choose_password
from .values import UNITS

__all__ = [
    "DN",
    "ID_CANDIDATES",
    "NOBODY",
    "RESERVED",
    "SCHEMES",
    "UNITS",
    "Choice",
    "Desired",
    "choose_id_attribute",
    "choose_password",
    "desire",
    "stable_id",
]
