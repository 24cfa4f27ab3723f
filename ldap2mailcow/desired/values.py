"""The values of one entry: texts, addresses and flags, and a finding for each that can't be used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ldap2mailcow.config import Config, Source
from ldap2mailcow.model import (
    LONGEST,
    SOGO_VISIBLE,
    Address,
    AddressError,
    Code,
    Entry,
    Finding,
    UnusableValueError,
    decoded,
    is_too_long,
    normal_domain,
    read_flag,
    shortened,
)

RESERVED = frozenset(
    {
        "abuse",
        "admin",
        "administrator",
        "hostmaster",
        "mailer-daemon",
        "noreply",
        "postmaster",
        "root",
        "security",
        "ssladmin",
        "webmaster",
    },
)
"""Names by which others reach a domain's keepers or prove that they own it (RFC 2142, CA/Browser Forum 3.2.2.4.4)."""

_MAX_NAMED = 3
"""DNs or addresses that a sentence names before it says how many more there are."""

_MAX_TOLD = 10
"""Findings of one kind about one entry that are told one by one: an entry can have any number of odd values."""

_SMTP = re.compile(r"^\s*smtp:", re.IGNORECASE)
_TARGET = re.compile(r"^\s*(?:smtp|mailto):", re.IGNORECASE)
_OTHER_KIND = re.compile(r"\s*(?!smtp:)[a-z][a-z0-9-]*:", re.IGNORECASE)
_WITH_KINDS = "proxyaddresses"


@dataclass(slots=True)
class Reader:
    """Reads entries of one source and collects what is odd about them."""

    source: Source
    config: Config
    findings: list[Finding] = field(default_factory=list)
    found: int = 0
    """How many odd things were noted, those included that are only counted."""
    _told: Counter[tuple[str, Code]] = field(default_factory=Counter)
    _directory: str = field(init=False)

    def __post_init__(self) -> None:
        self._directory = self.source.name if len(self.config.sources) > 1 else ""

    def find(self, code: Code, entry: Entry, sentence: str) -> None:
        """Note what is odd about an entry."""
        self.found += 1
        self._told[entry.dn, code] += 1
        if self._told[entry.dn, code] <= _MAX_TOLD:
            self.findings.append(Finding(code, entry.dn, sentence, self._directory))

    def sorted_findings(self) -> tuple[Finding, ...]:
        """Return all findings, each once, in an order that doesn't depend on that of the entries and their values."""
        more = (
            Finding(code, dn, f"it has {count - _MAX_TOLD:,} more odd values of this kind", self._directory)
            for (dn, code), count in self._told.items()
            if count > _MAX_TOLD
        )
        return tuple(sorted({*self.findings, *more}, key=lambda one: (one.where, one.code, one.sentence)))

    def texts(self, entry: Entry, attribute: str) -> tuple[str, ...]:
        """Return the values of an attribute that are UTF-8, not blank and not too long."""
        values = entry.values(attribute) if attribute else ()
        long = sum(map(is_too_long, values))
        if long:
            self.find(
                Code.VALUE_TOO_LONG,
                entry,
                f"a value of {attribute} has more than {LONGEST:,} bytes and is left out; correct it in the directory",
            )
        texts = tuple(text for value in values if (text := decoded(value)) is not None)
        if len(texts) + long < len(values):
            self.find(
                Code.NOT_UTF8,
                entry,
                f"a value of {attribute} is not UTF-8 and is left out; write it again in the directory",
            )
        return tuple(text for text in texts if text.strip())

    def addresses(self, entry: Entry, attribute: str, parse: Callable[[str], Address | None]) -> dict[Address, None]:
        """Return the addresses in an attribute, each once; `parse` gives None for what is none of them."""
        found: dict[Address, None] = {}
        for text in self.texts(entry, attribute):
            try:
                address = parse(text)
            except AddressError as error:
                # quoted only if it can't be a hash: somebody may have mapped the wrong attribute
                shown = f" {shortened(text)!r}" if "@" in text and not text.startswith(("{", "$")) else ""
                self.find(
                    Code.BAD_ADDRESS,
                    entry,
                    f"its {attribute}{shown} {shortened(str(error))}; correct it in the directory",
                )
            else:
                if address is not None:
                    found[address] = None
        return found

    def is_allowed(self, entry: Entry, address: Address, *, is_group: bool = False) -> bool:
        """Tell whether an entry may give an address: no reserved name, no catch-all, but what the config allows.

        is_group: a group, or an entry that only forwards.
        """
        names = {address.local, address, f"@{address.domain}"}
        config = self.config
        allowed = {*config.allow_reserved, *(config.allow_reserved_groups if is_group else ())}
        if address.local not in {"", *RESERVED} or not names.isdisjoint(allowed):
            return True
        key = "allow_reserved_groups" if is_group else "allow_reserved"
        words = " or ".join(repr(str(name)) for name in dict.fromkeys((address.local, address)) if name)
        self.find(
            Code.RESERVED_ADDRESS,
            entry,
            f"{address} {'is a name that ' if address.local else ''}stands for the whole domain; "
            f"if this entry shall have it, put {words} into {key}",
        )
        return False

    def flag(self, entry: Entry, attribute: str, default: int | None) -> int | None:
        """Return what a flag says, or the default where it says nothing; None, with a finding, for what is unclear."""
        try:
            flags = {read_flag(text) for text in self.texts(entry, attribute)}
            if len(flags) > 1:
                raise UnusableValueError("has several values")
        except UnusableValueError as problem:
            self.find(
                Code.FLAG_INVALID,
                entry,
                f"its {attribute} {problem}; correct it in the directory; until then a list that is there keeps its "
                "setting",
            )
            return None
        return next(iter(flags), None if is_garbled(entry, attribute) else default)


def is_empty(entry: Entry, attribute: str) -> bool:
    """Tell whether an entry says nothing in an attribute; a value that can't be read says something, whatever it is."""
    texts = map(decoded, entry.values(attribute))
    return not any(text is None or text.strip() for text in texts)


def is_garbled(entry: Entry, attribute: str) -> bool:
    """Tell whether an attribute has a value that can't be read (`decoded`)."""
    return any(decoded(value) is None for value in entry.values(attribute))


def default_flags(*, visible: bool) -> dict[str, int]:
    """Return the flags of an alias where its entry tells none: `visible` is what `sogo_visible` says in the config."""
    return {SOGO_VISIBLE: int(visible)}


def parse_alias(attribute: str) -> Callable[[str], Address | None]:
    """Return what reads the values of an attribute as aliases; `@domain` is a catch-all.

    A prefix `smtp:` in any case is cut off. Active Directory's proxyAddresses has addresses of other kinds, with other
    prefixes (X400:, x500:, sip:, EUM:, SPO:): those are None. What reads them raises AddressError.
    """
    has_kinds = attribute.lower() == _WITH_KINDS

    def parse(text: str) -> Address | None:
        if has_kinds and _OTHER_KIND.match(text):
            return None
        return _address_or_domain(_SMTP.sub("", text, count=1))

    return parse


def parse_target(text: str) -> Address:
    """Read the address that mail goes to: a prefix `smtp:` or `mailto:` is cut off. Raises AddressError."""
    return Address.parse(_TARGET.sub("", text, count=1))


def parse_sender(text: str) -> Address:
    """Read an address, or `@domain`, that a user may send as. Raises AddressError."""
    return _address_or_domain(_TARGET.sub("", text, count=1))


def _address_or_domain(text: str) -> Address:
    text = text.strip()
    if text.startswith("@") and not text[1:2].isspace():
        return Address(f"@{normal_domain(text[1:])}")
    return Address.parse(text)


def some_of(names: Collection[str], *, by: str = ", ") -> str:
    """Name the first few, and say how many more there are: `a, b, c and 2 more`."""
    some, more = map(shortened, sorted(names)[:_MAX_NAMED]), len(names) - _MAX_NAMED
    return by.join(some) + (f" and {more} more" if more > 0 else "")
