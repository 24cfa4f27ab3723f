"""What LDAP says: connection, searches; raw entries, groups and their members, and whether the answers are whole."""

from .errors import BadFilter, DirectoryError, Refused, Unreachable
from .read import read

__all__ = ["BadFilter", "DirectoryError", "Refused", "Unreachable", "read"]
