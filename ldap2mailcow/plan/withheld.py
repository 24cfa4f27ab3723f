"""What waits for a word: the kinds of changes that are counted, and what is said of those that a run holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ldap2mailcow.model import Address


class Guarded(StrEnum):
    """The kinds of changes that are counted, each by itself; what `--approve KIND:N` names."""

    DISABLE = "disable"  # mailboxes that take no more mail, or whose login changes
    DELETE = "delete"
    ADOPT = "adopt"  # mailboxes that were made by hand, after the first accepted run
    TAKEOVER = "takeover"  # mailboxes of which most have an entry with another id
    RENAME = "rename"
    ALIAS = "alias"  # aliases that go
    LIST = "list"  # lists that lose too many members
    RIGHTS = "rights"  # users who lose rights to send as others


REMOVING = (Guarded.DISABLE, Guarded.DELETE, Guarded.ALIAS, Guarded.LIST, Guarded.RIGHTS)
"""What `--force-removals N` lets through: up to N of each."""


class Reason(StrEnum):
    """Why changes are withheld."""

    NOT_WHOLE = "not_whole"  # nothing lifts it but a whole answer
    SEARCH_CHANGED = "search_changed"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class Withheld:
    """Changes of one kind that this run does not carry out, and why."""

    kind: Guarded
    reason: Reason
    addresses: tuple[Address, ...]
    """Whose mailboxes they are, or which aliases; sorted."""
    managed: int
    """Of how many that are ours."""
    limit: int
    sentence: str
    directory: str = ""
    """Which it is about, where there are several and it is about one of them alone."""

    @property
    def name(self) -> str:
        """What it is known by from run to run."""
        return f"{self.kind} {self.reason}" + (f" {self.directory}" if self.directory else "")
