"""Whether an entry says that its person is active: an attribute of ours, or one in which a directory says it itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ldap2mailcow.model import UnusableValueError, read_flag

_NUMBER = re.compile(r"-?[0-9]{1,11}")  # 32 bits, written with a sign
_ACCOUNTDISABLE = 0x2  # ADS_UF_ACCOUNTDISABLE, MS-ADTS 2.2.16


def _of_account_control(text: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise UnusableValueError("is not a number")
    return 0 if int(text) & _ACCOUNTDISABLE else 1


def _of_lock(text: str) -> int:
    return 1 - read_flag(text)


_READERS: Mapping[str, Callable[[str], int]] = {
    "useraccountcontrol": _of_account_control,  # Active Directory
    "nsaccountlock": _of_lock,  # 389-ds, FreeIPA
}


def read_active(attribute: str, text: str) -> int:
    """Return 1 for active, 0 for inactive, as the attribute of that name (any case) says it.

    Raises UnusableValueError for what can't be read.
    """
    return _READERS.get(attribute.lower(), read_flag)(text)
