"""The words by which mailcow itself tells whose a mailbox or an alias is: tags, and private comments.

A mailbox can have many tags, an alias has one private comment. Another installation's words are told by their beginning
alone, because nothing else is known of it: so a mark that doesn't begin so gets a signature beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ldap2mailcow.config import MARK_STATES

FAMILY = "ldap-sync"
"""What the marks of all installations begin with, or the signatures beside them."""

_OF_FAMILY = re.compile(rf"{FAMILY}(?:[-._:].*)?", re.IGNORECASE | re.DOTALL)
_STATE = rf":(?:{'|'.join(sorted(MARK_STATES))})"
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
        """The comment of an alias that stands where a mailbox was before."""
        return f"{self.mark}:renamed"

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of a mailbox of ours: the mark, and a signature where others wouldn't know it for one."""
        return self.signed(self.mark)

    @cached_property
    def tags_of_released(self) -> tuple[str, ...]:
        """The tags of a mailbox that was released: no installation adopts it."""
        return self.signed(self.released)

    @staticmethod
    def signed(word: str) -> tuple[str, ...]:
        """Return a word, with its signature where others wouldn't know it for an installation's."""
        return (word,) if _OF_FAMILY.fullmatch(word) else (word, f"{FAMILY}:{word}")

    @property
    def of_aliases(self) -> tuple[str, str, str]:
        """The private comments of aliases of ours: of any, of one that we set inactive, of a former address."""
        return self.mark, self.disabled, self.renamed

    @cached_property
    def own(self) -> frozenset[str]:
        """All words that are ours."""
        return frozenset({*self.tags, *self.tags_of_released, self.disabled, self.renamed})

    def claims(self, tags: Iterable[str]) -> bool:
        """Tell whether the tags of a mailbox say that it is ours."""
        return not set(tags).isdisjoint(self.tags)

    def foreign(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return the tags that are other installations'."""
        return tuple(sorted(tag for tag in tags if self.is_foreign(tag)))

    def is_foreign(self, word: str) -> bool:
        """Tell whether a tag or a private comment is another installation's."""
        return word not in self.own and _OF_FAMILY.fullmatch(word.strip()) is not None


def lacking(wanted: Iterable[str], tags: Iterable[str]) -> frozenset[str]:
    """Return the wanted tags that a mailbox lacks; mailcow doesn't tell a from A (docs/mailcow-api.md 17 e)."""
    there = {tag.lower() for tag in tags}
    return frozenset(tag for tag in wanted if tag.lower() not in there)


def installation(word: str) -> str:
    """Return the mark that a tag or comment of an installation is made from."""
    return _SIGNED.sub("", _LAST_STATE.sub("", word.strip()))
