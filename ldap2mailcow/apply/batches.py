"""One batch: its calls are sent, and every change of it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ldap2mailcow.mailcow import TRY_LATER, Mailcow, Refused
from ldap2mailcow.model import Call, Outcome, RenameChange
from ldap2mailcow.plan import Batch

from .again import again, keeps_from_deleting
from .renaming import rename
from .sending import send_safely

Trouble = Exception


@dataclass(frozen=True, slots=True)
class Settled:
    """How the changes of a batch ended, and what keeps all further ones from being tried."""

    outcomes: tuple[Outcome, ...]
    trouble: Trouble | None = None


def settle(client: Mailcow, batch: Batch) -> Settled:
    """Send the calls of a batch; decide about every change of it."""
    open_changes = {change.name: change for change in batch.changes}
    outcomes: list[Outcome] = []
    unknown: dict[str, str] = {}
    try:
        if isinstance(batch.changes[0], RenameChange):
            return Settled((rename(client, batch.changes[0]),))
        if trouble := keeps_from_deleting(client, batch.changes[0]):
            return Settled(tuple(Outcome(change, done=False, detail=trouble) for change in batch.changes))
        for call in batch.calls:
            of_item = {item: change.name for item, change in zip(call.items, batch.changes, strict=True)}
            left = [place for place, change in enumerate(batch.changes) if change.name in open_changes]
            if not left:
                break
            sent = send_safely(client, _part(call, left))
            for item, sentence in sent.refused.items():
                outcomes.append(Outcome(open_changes.pop(of_item[item]), done=False, detail=sentence))
            for item in sent.unknown:
                unknown[of_item[item]] = sent.why
        for name, why in unknown.items():
            if name in open_changes:
                outcomes.append(again(client, open_changes[name], why))
                del open_changes[name]
    except (Refused, *TRY_LATER) as trouble:
        untold = [Outcome(change, done=False, detail=str(trouble)) for change in open_changes.values()]
        return Settled((*outcomes, *untold), trouble)
    return Settled((*outcomes, *(Outcome(change, done=True) for change in open_changes.values())))


def _part(call: Call, places: Sequence[int]) -> Call:
    """Return a call for some of its items only, told by their places."""
    called = tuple(call.called[place] for place in places) if call.called else ()
    return replace(call, items=tuple(call.items[place] for place in places), called=called)
