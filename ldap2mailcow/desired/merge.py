"""Several directories as one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .asked import Asked


def merged(asked: Iterable[Asked]) -> Asked:
    """Return what several directories ask for as one, in their order; each id tells the directory.

    An address that two of them want is in both: who gets it is decided as between two entries of one directory.
    """
    each = tuple(asked)
    return Asked(
        users=tuple(chain.from_iterable(one.users for one in each)),
        groups=tuple(chain.from_iterable(one.groups for one in each)),
        forwards=tuple(chain.from_iterable(one.forwards for one in each)),
        any_senders=frozenset().union(*(one.any_senders for one in each)),
        any_senders_known=all(one.any_senders_known for one in each),
        dns=frozenset().union(*(one.dns for one in each)),
        without_id=tuple(chain.from_iterable(one.without_id for one in each)),
        findings=tuple(chain.from_iterable(one.findings for one in each)),
    )
