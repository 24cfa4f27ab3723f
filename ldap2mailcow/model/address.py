"""E-mail addresses: lower-cased and IDNA-encoded once, at the edge, and compared that way only."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Self

import idna

_ATEXT = r"[a-z0-9!#$%&'*+=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_LOCAL_MAX = 64  # octets, RFC 5321 section 4.5.3.1.1; mailcow's `mailbox_invalid` beyond
_ADDRESS_MAX = 254  # octets of the whole, which PHP's FILTER_VALIDATE_EMAIL checks; mailcow asks that
_DOMAIN_MAX = 253  # octets of a domain name in text form, RFC 1035 section 2.3.4


class AddressError(ValueError):
    """A text that is not an address mailcow would take; the message says what is wrong with it."""


class Address(str):
    """An address as mailcow stores it: `local@domain`, lower case, the domain in its ASCII form."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address as people write it.

        `/` is refused in the local part although RFC 5322 has it: mailcow's API can't be asked about such a
        mailbox (docs/mailcow-api.md section 1, path quoting).

        Raises AddressError, whose message is the end of a sentence about the text.
        """
        local, at, domain = text.strip().rpartition("@")
        if not at or not local or not domain:
            raise AddressError("is not of the form name@domain")
        if not local.isascii():  # asked before lower(), which makes a k of the Kelvin sign
            raise AddressError("has letters outside ASCII before the @, which mailcow refuses")
        local = local.lower()
        if len(local) > _LOCAL_MAX:
            raise AddressError(f"has more than {_LOCAL_MAX} characters before the @")
        if not _LOCAL.fullmatch(local) or local == "0":  # PHP takes "0" for nothing
            raise AddressError("has characters or dots before the @ that mailcow refuses")
        if domain[0].isspace():
            raise AddressError("has a blank after the @")
        address = cls(f"{local}@{normal_domain(domain)}")
        if len(address) > _ADDRESS_MAX:
            raise AddressError(f"has more than {_ADDRESS_MAX} characters")
        return address

    @property
    def local(self) -> str:
        """What stands before the @."""
        return self.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands after the @, in ASCII form."""
        return self.rpartition("@")[2]


@lru_cache(maxsize=4096)  # people share a few domains, and each reading costs as much as all else about an address
def normal_domain(text: str) -> str:
    """Return a domain in the one form that is compared: UTS 46, lower case, ASCII (`xn--`).

    Raises AddressError for what is not a domain name with at least two labels.
    """
    try:
        domain = idna.encode(text.strip(), uts46=True).decode("ascii").lower().removesuffix(".")
    except idna.IDNAError as error:
        raise AddressError(f"has a domain that is not valid ({error})") from error
    if "." not in domain or len(domain) > _DOMAIN_MAX or domain.rpartition(".")[2].isdigit():
        raise AddressError("has a domain that is not a full domain name")
    return domain
