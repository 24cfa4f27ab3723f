"""What LDAP says: connection, search; raw entries, and whether the answer is whole."""

from .errors import BadFilter, DirectoryError, Refused, Unreachable
from .users import read_users

__all__ = ["BadFilter", "DirectoryError", "Refused", "Unreachable", "read_users"]
