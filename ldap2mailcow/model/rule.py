"""Rules: why a mailbox, an alias or a right is to be as it is.

Every target of a plan names the rule that it follows, also where nothing changes. A change carries the rule of its
target: the plan shows it, and the history keeps it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Rule(StrEnum):
    """All rules, each with the sentence that people read."""

    # it follows the directory
    FOLLOWED = "it is what the directory asks for"
    NEW = "it is new in the directory"
    ADOPTED = "it was in mailcow before we were"
    KNOWN_AGAIN = "it is known again by the mark in mailcow"
    TAKEN_OVER = "its entry was made anew in the directory"
    LDAP = "the directory changed"
    MAILCOW = "it was changed in mailcow"
    PASSWORD = "its password changed in the directory"  # noqa: S105 - a sentence
    DRIFT = "its password was changed in mailcow"
    REASSERT = "every run writes it again"
    RENAMED = "its address changed in the directory"
    STATUS = "the directory says it is inactive"
    STATUS_BACK = "the directory says it is active again"
    BACK = "its entry is back in the directory"
    NO_TARGET = "it has no address left that takes mail"
    TARGET_BACK = "it has an address again that takes mail"
    FORMER = "it is the former address of a mailbox"
    DROPPED = "a change of an alias would take it away"
    UNFINISHED = "an earlier run began it"
    # it goes
    MISSING = "its entry is gone from the directory"
    MOVED = "its user has a mailbox in another domain now"
    EXPIRED = "its entry has been gone from the directory for as long as the config says"
    NOT_WANTED = "the directory no longer asks for it"
    RELEASED = "a release was asked for"
    # it stays as it is
    NOT_OURS = "it is not managed from here"
    PROTECTED = "the config protects it"
    WAS_RELEASED = "it was released"
    OTHER_INSTALLATION = "another installation manages it"
    ELSEWHERE = "mailboxes come from elsewhere (create_mailboxes: false)"
    OUT_OF_SCOPE = "this run looks at other addresses"
    NOT_READ = "its directory can't be read now"
    UNKNOWN_DIRECTORY = "its directory is not in the config"
    NOT_WHOLE = "the directory's answer is not whole"
    GRACE = "its entry is gone, and the grace is not over"
    RETIRED = "its entry is gone, and it is out of service"
    KEPT = "its entry is gone, and the config keeps it"
    UNREADABLE = "its entry can't be read now"
    HELD = "it waits for a word"
    STILL_REACHED = "it goes to a mailbox that stays active"
    KIND_NOT_MANAGED = "the config asks for no aliases of its kind"
    # it is not made
    ALIAS_THERE = "an alias has its address"
    ADOPTION_REFUSED = "the config refuses to adopt it"
    INACTIVE = "its entry is inactive, so no mailbox is made yet"
    NOT_LOGGABLE = "it has no password that mailcow can check"
    NO_PROVIDER = "the identity provider is not set up in mailcow"
    NO_ROOM = "its domain has no room for it"
    TOO_LONG = "it has more members than mailcow can serve"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the rule of a sentence that an earlier version may have written."""
        try:
            return cls(text)
        except ValueError:
            return cls(cls.UNFINISHED)
