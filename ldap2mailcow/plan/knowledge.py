"""Knowledge: absence is believed only from a whole answer to an accepted search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ldap2mailcow.config import Source
from ldap2mailcow.model import Code, Finding, Fingerprint, Remembered

from .view import View

VANISHED_AT_LEAST = 3
"""Fewer entries than this losing an attribute is somebody's edit, not a lost right to read it."""


def fingerprint(source: Source) -> Fingerprint:
    """Return the settings that decide who is in the answer."""
    return {
        "user_search_base": source.user_search_base,
        "user_search_filter": source.search_filter,
        "domains": ",".join(sorted(source.domains)),
        "user_mapping.id": source.user_mapping.id,
        "user_mapping.mail": source.user_mapping.mail,
    }


def differing(accepted: Fingerprint, present: Fingerprint) -> tuple[str, ...]:
    """Return the names of the settings that differ."""
    return tuple(key for key in present if accepted.get(key) != present[key])


def doubts(view: View, vanished: Mapping[str, tuple[int, int]]) -> tuple[Finding, ...]:
    """Return every reason why an answer is not believed to be whole; none means that it is.

    `vanished` is what `vanished_keys` says.
    """
    source, found = view.source, list(view.answer.doubts)
    if not view.answer.entries:
        found.append(
            Finding(
                Code.NO_USERS,
                source.name,
                f"the search below {source.user_search_base} with {view.search_filter} found nobody; "
                "correct the base, the filter or the rights of the bind DN",
            ),
        )
    if view.desired.without_id:
        found.append(
            Finding(
                Code.ID_MISSING,
                source.name,
                f"{len(view.desired.without_id)} entries have no {view.id_attribute} of their own, to be known by, "
                f"{view.desired.without_id[0]} among them; let the bind DN read that attribute, or name one in "
                "user_mapping.id that is never shared",
            ),
        )
    found.extend(_vanished(vanished, view.source))
    return tuple(found)


def vanished_keys(view: View, remembered: Mapping[str, Remembered]) -> dict[str, tuple[int, int]]:
    """Return the mapped keys that more than half of the entries that had them no longer have: how many, of how many."""
    had: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for entry_id, present in view.desired.present.items():
        row = remembered.get(entry_id)
        if row:
            had.update(row.present)
            lost.update(row.present - present)
    return {
        key: (lost[key], had[key])
        for key in sorted(lost)
        if getattr(view.source.user_mapping, key) and lost[key] >= VANISHED_AT_LEAST and lost[key] * 2 > had[key]
    }


def _vanished(vanished: Mapping[str, tuple[int, int]], source: Source) -> Iterable[Finding]:
    for key, (lost, had) in vanished.items():
        attribute = getattr(source.user_mapping, key)
        yield Finding(
            Code.ATTRIBUTE_VANISHED,
            attribute,
            f"{lost} of the {had} entries that had {attribute} no longer show it; let the bind DN read "
            f"it again, or take it out of user_mapping.{key} if it is meant to be gone",
        )
