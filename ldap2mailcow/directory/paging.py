"""The control that a page of entries ends with (RFC 2696), decoded here.

python-ldap 3.4.8 leaves that to libldap, which crashes the interpreter where the control's value is empty.
"""

from __future__ import annotations

from typing import ClassVar

from ldap.controls import ResponseControl, SimplePagedResultsControl

from .ber import elements

_INTEGER, _OCTET_STRING, _SEQUENCE = 0x02, 0x04, 0x30


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
        ((tag, inside),) = elements(encodedControlValue or b"")
        (size, _), (kind, self.cookie) = elements(inside)
        if (tag, size, kind) != (_SEQUENCE, _INTEGER, _OCTET_STRING):
            raise ValueError("not the value of a paging control")


PageAnswer.TABLE[PageAnswer.controlType] = PageAnswer
