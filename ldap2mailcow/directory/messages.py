"""Messages of a server, looked at before libldap gets them: only whole ones, none too large, none that harms it."""

from __future__ import annotations

from .ber import bounds, elements

_MESSAGE, _ENTRY, _REFERRAL = 0x30, 0x64, 0xA3  # RFC 4511 sections 4.1.1, 4.5.2 and 4.1.10
_LARGEST = 64 * 2**20  # bytes; a group of 500,000 members has 40 MB


class Messages:
    """What came of a message so far."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def whole(self, data: bytes) -> bytes:
        """Take what came, and return the messages that it completes. Raises ValueError for what is no LDAP message."""
        begun = self._begun
        begun += data
        end = 0
        while (following := _end(begun, end)) is not None and following <= len(begun):
            _look_at(begun, end, following)
            end = following
        done = bytes(begun[:end])
        del begun[:end]
        return done


def _end(data: bytearray, at: int) -> int | None:
    """Return where a message ends, None where that can't be told yet."""
    if len(data) > at and data[at] != _MESSAGE:
        raise ValueError("not a message")
    found = bounds(data, at)
    if found is None:
        return None
    if found[1] - at > _LARGEST:
        raise ValueError("a message that is too large")
    return found[1]


def _look_at(data: bytearray, at: int, end: int) -> None:
    """Raise ValueError for a referral that isn't ASCII, as URLs are.

    python-ldap 3.4.8 crashes the interpreter for one that isn't UTF-8 or, long enough, is cut within a character.
    """
    message = bounds(data, at)
    number = bounds(data, message[0]) if message else None
    if number is None or number[1] >= end:
        raise ValueError("a message without an operation")
    if data[number[1]] == _ENTRY:
        return
    ((_, operation), *_) = elements(data[number[1] : end])
    for tag, value in elements(operation):
        if tag == _REFERRAL and not all(url.isascii() for _, url in elements(value)):
            raise ValueError("a referral that is no URL")
