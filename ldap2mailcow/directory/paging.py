"""The control that a page of entries ends with (RFC 2696), decoded here.

python-ldap 3.4.8 leaves that to libldap, which crashes the interpreter where the control's value is empty.
"""

from __future__ import annotations

from typing import ClassVar

from ldap.controls import ResponseControl, SimplePagedResultsControl

_INTEGER, _OCTET_STRING, _SEQUENCE = 0x02, 0x04, 0x30
_LONG = 0x80  # X.690 section 8.1.3: a first octet of that or more tells how many octets the length has


class PageAnswer(ResponseControl):  # type: ignore[misc]  # python-ldap has no types
    """What a server sends: `cookie` is empty on the last page."""

    controlType = SimplePagedResultsControl.controlType  # noqa: N815 - python-ldap's name
    TABLE: ClassVar[dict[str, type]] = {}
    """The controls that are understood in answers: this one alone."""

    def __init__(self) -> None:
        super().__init__(self.controlType)
        self.cookie = b""

    def decodeControlValue(self, encodedControlValue: bytes | None) -> None:  # noqa: N802, N803 - python-ldap's names
        """Take the cookie from `SEQUENCE { size INTEGER, cookie OCTET STRING }`. Raises ValueError for another form."""
        inside, _ = _element(encodedControlValue or b"", _SEQUENCE)
        _, rest = _element(inside, _INTEGER)
        self.cookie, _ = _element(rest, _OCTET_STRING)


PageAnswer.TABLE[PageAnswer.controlType] = PageAnswer


def _element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the contents of the BER element at the head of some bytes, and what comes after it."""
    if len(data) < 2 or data[0] != tag:  # noqa: PLR2004 - tag and length
        raise ValueError("not the value of a paging control")
    start, length = 2, data[1]
    if length >= _LONG:
        start += length - _LONG
        length = int.from_bytes(data[2:start])
    if len(data) < start + length:
        raise ValueError("the value of a paging control is cut off")
    return data[start : start + length], data[start + length :]
