"""Paths of the API: how addresses and lists of domains are written into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

_DECODED_TWICE = frozenset("+&%#?")
_DOMAINS_MOST = 50
_LENGTH_MOST = 4000  # of the list; nginx takes 8 KiB for the whole request line


def quoted(address: str) -> str:
    """Return an address as it must stand in a path.

    nginx decodes the path and pastes it into a query string that PHP decodes once more, so the characters that mean
    something in a query string are encoded twice (docs/mailcow-api.md section 1, URL path quoting).
    """
    return "".join(quote(quote(c, safe="")) if c in _DECODED_TWICE else quote(c, safe="@") for c in address)


def in_lists(domains: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Cut domains, sorted, into lists short enough for one path each; never an empty one, which would mean 'all'."""
    part: list[str] = []
    length = 0
    for domain in sorted(domains):
        if part and (len(part) == _DOMAINS_MOST or length + 1 + len(domain) > _LENGTH_MOST):
            yield tuple(part)
            part, length = [], 0
        part.append(domain)
        length += len(domain) + 1
    if part:
        yield tuple(part)
