"""The words by which mailcow itself tells whose a mailbox or an alias is: tags, and private comments.

A mailbox can have many tags, an alias has one private comment. Another installation's words are told by their form
alone, because nothing else is known of it: so a mark that doesn't show by itself what it is gets a signature beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ldap2mailcow.config import MARK_STATES

FAMILY = "ldap-sync"
"""What the marks of all installations begin with, unless somebody chose others."""

_MARK = r"[A-Za-z0-9._-]{1,50}"
_OF_FAMILY = re.compile(rf"{FAMILY}(?:[-._:].*)?", re.IGNORECASE | re.DOTALL)
_STATE_TAG = re.compile(rf"{_MARK}:(?:disabled|released)", re.IGNORECASE)
_STATE = rf":(?:{'|'.join(sorted(MARK_STATES))})"
_LIKE_A_MARK = re.compile(rf"{_MARK}(?:{_STATE})?", re.IGNORECASE)
_LAST_STATE = re.compile(rf"{_STATE}\Z", re.IGNORECASE)
_SIGNED = re.compile(rf"{FAMILY}:(?=.)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Marks:
    """The words of one installation, and how it tells those of others."""

    mark: str

    @property
    def disabled(self) -> str:
        """What says that the inactive state is our doing."""
        return f"{self.mark}:disabled"

    @property
    def released(self) -> str:
        """What says that it was ours once, and shall not be adopted again."""
        return f"{self.mark}:released"

    @property
    def renamed(self) -> str:
        """The comment of an alias that stands where somebody's mailbox was before."""
        return f"{self.mark}:renamed"

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of a mailbox of ours: the mark, and a signature where others wouldn't know it for one."""
        return (self.mark,) if _OF_FAMILY.fullmatch(self.mark) else (self.mark, f"{FAMILY}:{self.mark}")

    @cached_property
    def own(self) -> frozenset[str]:
        """All words that are ours."""
        return frozenset({*self.tags, self.disabled, self.released, self.renamed})

    def claims(self, tags: Iterable[str]) -> bool:
        """Tell whether the tags of a mailbox say that it is ours."""
        return not set(tags).isdisjoint(self.tags)

    def missing(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return the tags that a mailbox of ours lacks; mailcow doesn't tell a from A (docs/mailcow-api.md 17 e)."""
        there = {tag.lower() for tag in tags}
        return tuple(tag for tag in self.tags if tag.lower() not in there)

    def foreign(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return the tags that are other installations'."""
        return tuple(sorted(tag for tag in tags if tag not in self.own and _is_foreign_tag(tag)))

    def is_foreign(self, comment: str) -> bool:
        """Tell whether the private comment of an alias is another installation's, or may be."""
        text = comment.strip()
        if not text or comment in self.own:
            return False
        return text.lower().startswith(FAMILY) or _LIKE_A_MARK.fullmatch(text) is not None


def installation(word: str) -> str:
    """Return the mark that a tag or comment of an installation is made from."""
    return _SIGNED.sub("", _LAST_STATE.sub("", word.strip()))


def _is_foreign_tag(tag: str) -> bool:
    return bool(_OF_FAMILY.fullmatch(tag) or _STATE_TAG.fullmatch(tag))
