"""What nobody touches, and why: one answer for mailboxes, one for aliases, whatever the policy is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ldap2mailcow.model import PRIVATE_COMMENT, Address, Code, Existing, ExistingAlias, Note, Subject

from .draft import Draft
from .marks import Marks, installation
from .view import View


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Why a mailbox or an alias is neither adopted nor changed nor removed."""

    code: Code
    sentence: str


def mailbox_left_alone(draft: Draft, address: Address) -> LeftAlone | None:
    """Return why a mailbox is left alone; None where it needn't be."""
    if address in draft.view.config.protected:
        return _protected(address)
    existing = draft.view.actual.mailboxes.get(address)
    return mailbox_mark(draft.marks, existing) if existing else None


def alias_left_alone(draft: Draft, address: Address) -> LeftAlone | None:
    """Return why an alias is left alone; None where it needn't be."""
    if address in draft.view.config.protected:
        return _protected(address)
    existing = draft.view.actual.aliases.get(address)
    return alias_mark(draft.marks, existing) if existing else None


def mailbox_mark(marks: Marks, existing: Existing) -> LeftAlone | None:
    """Return why the tags of a mailbox forbid touching it; None where they don't."""
    if foreign := marks.foreign(existing.tags):
        both = "our mark and that" if marks.claims(existing.tags) else "the mark"
        whose = ", ".join(sorted(set(map(installation, foreign))))
        return LeftAlone(
            Code.OTHER_INSTALLATION,
            f"{existing.address} carries {both} of another installation, {whose}, and is left alone; take it out of "
            f"one of the two directories or, if that installation is no more, delete the tag {', '.join(foreign)} in "
            "mailcow",
        )
    if marks.released in existing.tags:
        return LeftAlone(
            Code.RELEASED,
            f"{existing.address} was released and is left alone; delete the tag {marks.released} in mailcow to have it "
            "managed again",
        )
    return None


def alias_mark(marks: Marks, existing: ExistingAlias) -> LeftAlone | None:
    """Return why the private comment of an alias forbids touching it; None where it doesn't."""
    comment = str(existing.values[PRIVATE_COMMENT])
    if marks.is_foreign(comment):
        return LeftAlone(
            Code.OTHER_INSTALLATION,
            f'{existing.address} is left alone, for its private comment "{comment}" is the mark of another '
            "installation, or reads like one; take it out of one of the two directories or, if it isn't another "
            "installation's, clear that comment in mailcow",
        )
    if comment == marks.released:
        return LeftAlone(
            Code.RELEASED,
            f"{existing.address} was released and is left alone; clear its private comment in mailcow to have it "
            "managed again",
        )
    return None


def _protected(address: Address) -> LeftAlone:
    return LeftAlone(Code.PROTECTED, f"{address} is protected by the config and left alone")


def without_lost(view: View) -> View:
    """Return the view without what is remembered of others' things, with the notes that forget it.

    Such is what was released, and what carries another installation's mark and not ours.
    """
    marks, memory = Marks(view.config.mark), view.memory
    boxes, aliases = view.actual.mailboxes, view.actual.aliases
    lost = [address for address in memory.mailboxes if address in boxes and _is_lost(marks, boxes[address])]
    gone = [one for one in memory.aliases if one in aliases and alias_mark(marks, aliases[one])]
    if not lost and not gone:
        return view
    memory = replace(
        memory,
        mailboxes={address: row for address, row in memory.mailboxes.items() if address not in lost},
        aliases={address: row for address, row in memory.aliases.items() if address not in gone},
    )
    notes = (*_forget(lost, Subject.MAILBOX), *_forget(gone, Subject.ALIAS))
    return replace(view, memory=memory, notes=(*view.notes, *notes))


def _is_lost(marks: Marks, existing: Existing) -> bool:
    if marks.foreign(existing.tags):
        return not marks.claims(existing.tags)
    return marks.released in existing.tags


def _forget(addresses: Iterable[Address], subject: Subject) -> tuple[Note, ...]:
    return tuple(Note(address, None, subject) for address in sorted(addresses))
