"""The state file: what we manage, what we last applied, the history, and the lock."""

from .ancestor import FILE_NAME as ANCESTOR_FILE
from .ancestor import read_ancestor
from .errors import LockedError, StateError
from .lock import lock
from .store import State

__all__ = ["ANCESTOR_FILE", "LockedError", "State", "StateError", "lock", "read_ancestor"]
