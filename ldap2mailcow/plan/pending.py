"""What a later run will bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ldap2mailcow.model import Address, Subject


class Fate(StrEnum):
    """What a grace will bring."""

    DISABLED = "disabled"
    BARRED = "barred from logging in"
    DELETED = "deleted"
    REMOVED = "removed"  # aliases only


@dataclass(frozen=True, slots=True)
class Pending:
    """What a grace will bring later."""

    address: Address
    dn: str
    due: datetime
    """Not before this."""
    answers: int
    """How many more whole answers without the entry it takes, this one not counted."""
    fate: Fate = Fate.DISABLED
    subject: Subject = Subject.MAILBOX
