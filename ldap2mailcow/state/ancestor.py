"""The ancestor's database, mailcow.sqlite3: its rows tell which mailboxes it made or took over."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ldap2mailcow.model import Address, AddressError

from .errors import StateError
from .file import see_that_it_is_ours

FILE_NAME = "mailcow.sqlite3"


def read_ancestor(path: Path) -> tuple[tuple[str, Address], ...]:
    """Return the (DN, address) pairs of the ancestor's table `user`; rows without a usable address are left out.

    Raises StateError where the file isn't the ancestor's database.
    """
    see_that_it_is_ours(path)
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT uid, mail FROM user ORDER BY id").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StateError(f"{path} is not the database of mailcow-ldap-sync ({error}); move it elsewhere") from None
    pairs = []
    for dn, mail in rows:
        try:
            pairs.append((str(dn), Address.parse(str(mail))))
        except AddressError:
            continue
    return tuple(pairs)
