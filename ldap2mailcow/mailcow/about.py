"""What mailcow tells of itself: its version, and the container that moves mail when a mailbox is renamed or deleted."""

from __future__ import annotations

import re

from .client import Mailcow
from .codes import plain
from .rows import row_of, text_in

CONTAINERS, VERSION = "get/status/containers", "get/status/version"
_DOVECOT = "dovecot-mailcow"
_RUNNING = "running"


_RELEASE = re.compile(r"(\d{4})-(\d{2})")
_FIRST_TO_RENAME = ("2024", "11")  # docs/mailcow-api.md section 15


def can_rename(client: Mailcow) -> bool:
    """Tell whether mailcow is new enough to rename mailboxes; one whose version is no release is believed to be.

    Raises what `Mailcow.get` raises, Unreadable.
    """
    release = _RELEASE.match(text_in(row_of(client.get(VERSION), "its version"), "version"))
    return release is None or release.groups() >= _FIRST_TO_RENAME


def mail_store_trouble(client: Mailcow) -> str:
    """Return why mail can't be moved just now, a sentence; empty where it can.

    mailcow renames and deletes in its database first and ignores what its container of dovecot says to the move of
    the mail: with dovecot down the mail stays under the old name, where the next mailbox of that name finds it
    (docs/mailcow-api.md section 15). Raises what `Mailcow.get` raises, Unreadable.
    """
    answer = client.get(CONTAINERS)
    if answer is None:
        return (
            "mailcow can't see its containers, and without dovecot it would leave the mail behind; look at "
            "dockerapi-mailcow, the next run tries again"
        )
    row = row_of(answer, "its containers").get(_DOVECOT)
    state = row.get("state") if isinstance(row, dict) else None
    if state == _RUNNING:
        return ""
    said = f"is {plain(state)}" if state else "isn't there"
    return (
        f"the container {_DOVECOT} {said}, and without it mailcow would leave the mail behind; start it, the next run "
        "tries again"
    )
