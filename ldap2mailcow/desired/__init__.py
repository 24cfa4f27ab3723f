"""What the directory wants: entries become mailboxes. Pure: no I/O, no clock."""

from .identity import DN, choose_id_attribute, stable_id
from .mailboxes import RESERVED, Desired, desire
from .passwords import NOBODY, SCHEMES, Choice, choose_password

__all__ = [
    "DN",
    "NOBODY",
    "RESERVED",
    "SCHEMES",
    "Choice",
    "Desired",
    "choose_id_attribute",
    "choose_password",
    "desire",
    "stable_id",
]
