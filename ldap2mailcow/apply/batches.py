"""One batch: its calls are sent, and every change of it comes to a certain end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ldap2mailcow.calls import Batch
from ldap2mailcow.mailcow import TRY_LATER, Mailcow, Refused
from ldap2mailcow.model import Call, Outcome, RenameChange

from .again import again, precheck
from .renaming import rename
from .sending import send_safely

Trouble = Exception


@dataclass(frozen=True, slots=True)
class Ended:
    """How the changes of a batch ended, and what keeps all further ones from being tried."""

    outcomes: tuple[Outcome, ...]
    trouble: Trouble | None = None


def carry_out(client: Mailcow, batch: Batch) -> Ended:
    """Send the calls of a batch; find out how every change of it ended."""
    open_changes = {change.name: change for change in batch.changes}
    outcomes: list[Outcome] = []
    unknown: dict[str, str] = {}
    try:
        if isinstance(batch.changes[0], RenameChange):
            return Ended((rename(client, batch.changes[0]),))
        if trouble := precheck(client, batch.changes[0]):
            return Ended(tuple(Outcome(change, done=False, detail=trouble) for change in batch.changes))
        for call in batch.calls:
            of_item = {item: change.name for item, change in zip(call.items, batch.changes, strict=True)}
            left = [place for place, name in enumerate(of_item.values()) if name in open_changes.keys() - unknown]
            if not left:
                break
            sent = send_safely(client, _part(call, left))
            for item, sentence in sent.refused.items():
                outcomes.append(Outcome(open_changes.pop(of_item[item]), done=False, detail=sentence))
            for item in sent.unknown:  # what is left of it waits until this is certain
                unknown[of_item[item]] = sent.why
        for name, why in unknown.items():
            outcomes.append(again(client, open_changes[name], why))
            del open_changes[name]
    except (Refused, *TRY_LATER) as trouble:
        untold = [Outcome(change, done=False, detail=str(trouble)) for change in open_changes.values()]
        return Ended((*outcomes, *untold), trouble)
    return Ended((*outcomes, *(Outcome(change, done=True) for change in open_changes.values())))


def _part(call: Call, places: Sequence[int]) -> Call:
    """Return a call for some of its items only, told by their places."""
    called = tuple(call.called[place] for place in places) if call.called else ()
    return replace(call, items=tuple(call.items[place] for place in places), called=called)
