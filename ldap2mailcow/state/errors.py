"""What can be wrong with the state file."""

from __future__ import annotations


class StateError(Exception):
    """The state file can't be used; the message is a whole sentence with a remedy."""


class LockedError(Exception):
    """Another run holds the lock."""
