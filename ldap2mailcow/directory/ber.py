"""BER (X.690) as far as LDAP uses it (RFC 4511 section 5.1): definite lengths, tags of one octet."""

from __future__ import annotations

from collections.abc import Iterator

_LONG = 0x80  # X.690 section 8.1.3: a first octet of that or more tells how many octets the length has
_LENGTH_MOST = 4  # octets, as libldap takes them
_HEAD_LEAST = 2  # octets: a tag, a length


def bounds(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Return where the contents of an element begin and end; None where its length isn't there yet.

    The end may lie beyond the data. Raises ValueError for a length that LDAP doesn't allow.
    """
    if len(data) < at + _HEAD_LEAST:
        return None
    first = data[at + 1]
    start = at + _HEAD_LEAST
    if first < _LONG:
        return start, start + first
    octets = first - _LONG
    if not 0 < octets <= _LENGTH_MOST:
        raise ValueError("a length of a form that LDAP doesn't have")
    if len(data) < start + octets:
        return None
    start += octets
    return start, start + int.from_bytes(data[start - octets : start])


def elements(data: bytes | bytearray) -> Iterator[tuple[int, bytes]]:
    """Give tag and contents of each element. Raises ValueError for one that is cut off."""
    at = 0
    while at < len(data):
        found = bounds(data, at)
        if found is None or found[1] > len(data):
            raise ValueError("an element is cut off")
        yield data[at], bytes(data[found[0] : found[1]])
        at = found[1]
