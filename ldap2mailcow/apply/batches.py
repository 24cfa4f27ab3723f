"""One batch: its calls are sent, and every change of it comes to a certain end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ldap2mailcow.calls import Batch
from ldap2mailcow.mailcow import TRY_LATER, Mailcow, Refused
from ldap2mailcow.model import Call, Change, Outcome, RenameChange

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
    sending = _Sending(client, {change.name: change for change in batch.changes})
    trouble: Trouble | None = None
    try:
        sending.carry_out(batch)
    except (Refused, *TRY_LATER) as error:
        sending.give_up(str(error))
        trouble = error
    return Ended(tuple(sending.outcomes), trouble)


@dataclass
class _Sending:
    """A batch on its way."""

    client: Mailcow
    open: dict[str, Change]
    """By name: the changes without an outcome yet."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Those of them of which a request may or may not be done, and why; what is left of them waits."""
    outcomes: list[Outcome] = field(default_factory=list)

    def carry_out(self, batch: Batch) -> None:
        first = batch.changes[0]
        if isinstance(first, RenameChange):
            self.end(rename(self.client, first))
        elif why := precheck(self.client, first):
            self.give_up(why)
        else:
            for call in batch.calls:
                self.send(call, batch.changes)
            self.find_out()

    def send(self, call: Call, changes: Sequence[Change]) -> None:
        """Send a call for those whose requests before it are done."""
        names = [change.name for change in changes]
        left = [place for place, name in enumerate(names) if name in self.open and name not in self.unknown]
        if not left:
            return
        of_item = dict(zip(call.items, names, strict=True))
        sent = send_safely(self.client, _part(call, left))
        for item, sentence in sent.refused.items():
            self.end(Outcome(self.open[of_item[item]], done=False, detail=sentence))
        self.unknown |= {of_item[item]: sent.why for item in sent.unknown}

    def find_out(self) -> None:
        """End what is certain, and then, which may fail, what isn't."""
        for name in [name for name in self.open if name not in self.unknown]:
            self.end(Outcome(self.open[name], done=True))
        for name, why in self.unknown.items():
            self.end(again(self.client, self.open[name], why))

    def give_up(self, why: str) -> None:
        for change in list(self.open.values()):
            self.end(Outcome(change, done=False, detail=why))

    def end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        del self.open[outcome.change.name]


def _part(call: Call, places: Sequence[int]) -> Call:
    """Return a call for some of its items only, told by their places."""
    called = tuple(call.called[place] for place in places) if call.called else ()
    return replace(call, items=tuple(call.items[place] for place in places), called=called)
