"""Exit codes: what the command ends with, and when. They stand here and nowhere else.

docs/operations.md says what to do about each.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """All exit codes, in the order in which they apply: the first one that is true.

    A run that comes to its end has one of WITHHELD, NOT_ALL and DONE; what ends it before has one of the others.
    """

    CONFIG = 78, "the config is wrong"
    """Or what it names never answers by itself: a search base that isn't there, a certificate that doesn't fit."""

    REFUSED = 77, "LDAP or mailcow refused us"
    """The login of the bind DN, or the API key. The same credential isn't tried again for a while."""

    TRY_LATER = 75, "try later"
    """LDAP or mailcow can't be reached or answers in part, or another run holds the lock: what may pass by itself."""

    UNEXPECTED = 1, "unexpected error"
    """Or a state file that can't be used."""

    WITHHELD = 4, "changes wait for a word, or an answer was not whole"
    """Everything else was done. The same where one of several directories couldn't be read."""

    NOT_ALL = 3, "some changes failed, or findings of level error"
    """Everything else was done. The same where an address can't be released."""

    DONE = 0, "mailcow is as LDAP wants it"
    """Or a dry run found that it will be."""

    USAGE = 2, "wrong command line"
    """click ends the command with it before anything else is looked at."""

    meaning: str
    """For `--help`, in a few words."""

    def __new__(cls, number: int, meaning: str) -> Self:
        """Make a member that is its number."""
        member = int.__new__(cls, number)
        member._value_, member.meaning = number, meaning
        return member
