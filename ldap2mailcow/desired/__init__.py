"""What the directory wants: entries become mailboxes, aliases and rights to send as others. Pure: no I/O, no clock."""

from .claims import duplicate
from .identity import DN, choose_id_attribute, stable_id
from .mailboxes import Forwarder
from .measured import measured
from .passwords import NOBODY, SCHEMES, Choice, choose_password
from .people import Desired, desire
from .reading import RESERVED
from .wishes import Wishes, desire_aliases

__all__ = [
    "DN",
    "NOBODY",
    "RESERVED",
    "SCHEMES",
    "Choice",
    "Desired",
    "Forwarder",
    "Wishes",
    "choose_id_attribute",
    "choose_password",
    "desire",
    "desire_aliases",
    "duplicate",
    "measured",
    "stable_id",
]
