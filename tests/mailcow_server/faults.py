"""The knobs: what may go wrong, when, and what the server is slow at."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .values import Json, JsonObject, fold, integer, is_empty, listed, text

DEADLOCK = (
    "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock; try restarting transaction"
)
LOCK_WAIT = "SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded; try restarting transaction"


class FaultKind(StrEnum):
    """What happens to a call."""

    EMPTY_BODY = "empty_body"  # nothing is written, 200 without a body
    EMPTY_BODY_AFTER = "empty_body_after"  # it is written, 200 without a body
    HALF_DELETED = "half_deleted"  # delete/mailbox dies midway: a row of nulls stays behind, 200 without a body
    HALF_DONE = "half_done"  # the items before this one are done, then the call dies: 200 without a body
    DEADLOCK = "deadlock"  # danger with the database's text; items before this one are saved, later ones skipped
    LOCK_WAIT = "lock_wait"  # the same after a time-out
    HTTP_500 = "http_500"  # nothing is written
    HTTP_502 = "http_502"  # nothing is written; the "Preparing" page
    DROP_BEFORE = "drop_before"  # the connection ends, nothing is written
    DROP_AFTER = "drop_after"  # it is written, the connection ends without an answer
    HANG = "hang"  # no answer until the server stops; nothing is written


@dataclass(frozen=True)
class Fault:
    """One thing to go wrong.

    Attributes:
        kind: what happens.
        path: only calls whose path (``edit/mailbox``) begins so; empty means every write.
        item: only calls that name this address, domain or number.
        nth: from which matching call on, 1 being the next.
        times: for how many calls; None for ever.
    """

    kind: FaultKind
    path: str = ""
    item: str = ""
    nth: int = 1
    times: int | None = 1

    def matches(self, path: str, items: Iterable[str], *, is_write: bool) -> bool:
        """Whether it is meant for this call."""
        right_call = path.startswith(self.path) if self.path else is_write
        return right_call and (not self.item or fold(self.item) in {fold(item) for item in items})


class Faults:
    """The knobs of one server; each may be set at any time.

    Attributes:
        latency: seconds before each call is looked at.
        seconds_per_full_rebuild: how long a full rebuild of the address book takes.
        seconds_per_incremental_rebuild: how long the refresh of one mailbox takes.
        short_list: how many rows are missing at the end of each get/mailbox/reduced.
        short_list_times: for how many such calls; None for ever.
        no_reduced: an older version, where get/mailbox/reduced is the name of a mailbox.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.seconds_per_full_rebuild = 0.0
        self.seconds_per_incremental_rebuild = 0.0
        self.short_list = 0
        self.short_list_times: int | None = None
        self.no_reduced = False
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def add(self, kind: FaultKind | str, path: str = "", item: str = "", nth: int = 1, times: int | None = 1) -> Fault:
        """Let something go wrong; see `Fault`."""
        fault = Fault(FaultKind(kind), path, item, nth, times)
        with self._lock:
            self._armed.append(_Armed(fault))
        return fault

    def clear(self) -> None:
        """Nothing goes wrong from now on; the other knobs stay."""
        with self._lock:
            self._armed.clear()

    def strike(self, path: str, items: Iterable[str], *, is_write: bool) -> Fault | None:
        """The fault that hits this call, if any; the first one that was added wins."""
        names = list(items)
        with self._lock:
            for armed in self._armed:
                if armed.fault.matches(path, names, is_write=is_write):
                    armed.seen += 1
                    if armed.is_due():
                        return armed.fault
        return None

    def rows_missing(self) -> int:
        """How many rows this get/mailbox/reduced loses."""
        with self._lock:
            if not self.short_list or self.short_list_times == 0:
                return 0
            if self.short_list_times is not None:
                self.short_list_times -= 1
            return self.short_list

    def set_from(self, knobs: JsonObject) -> None:
        """Set knobs by name, as the control path sends them; ``faults`` is a list of objects like `Fault`."""
        for name in ("latency", "seconds_per_full_rebuild", "seconds_per_incremental_rebuild"):
            if name in knobs:
                setattr(self, name, float(text(knobs[name])))
        if "short_list" in knobs:
            self.short_list = integer(knobs["short_list"])
            self.short_list_times = None
        if "short_list_times" in knobs:
            self.short_list_times = integer(knobs["short_list_times"])
        if "no_reduced" in knobs:
            self.no_reduced = not is_empty(knobs["no_reduced"])
        if "clear" in knobs:
            self.clear()
        for fault in listed(knobs.get("faults")):
            if isinstance(fault, dict):
                times = fault.get("times", 1)
                self.add(
                    text(fault["kind"]),
                    text(fault.get("path")),
                    text(fault.get("item")),
                    integer(fault.get("nth", 1)),
                    None if times is None else integer(times),
                )


class Costs:
    """How often the address book of the groupware was rebuilt (mailcow API facts §12)."""

    def __init__(self) -> None:
        self.full = 0
        self.incremental = 0

    def reset(self) -> None:
        """Count from nought."""
        self.full = self.incremental = 0

    def as_json(self) -> JsonObject:
        """Both counters."""
        return {"full": self.full, "incremental": self.incremental}


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0

    def is_due(self) -> bool:
        last = None if self.fault.times is None else self.fault.nth + self.fault.times - 1
        return self.seen >= self.fault.nth and (last is None or self.seen <= last)


def names_in(action: str, body: Json) -> list[str]:
    """The addresses, domains and numbers that a call's body names."""
    if action in {"edit", "delete"}:
        items = listed(body.get("items")) if action == "edit" and isinstance(body, dict) else listed(body)
        return [str(item) for item in items]
    if action == "add" and isinstance(body, dict):
        named = [
            str(body.get(name)) for name in ("address", "domain", "alias_domain") if isinstance(body.get(name), str)
        ]
        if isinstance(body.get("local_part"), str):
            named.append(f"{body['local_part']}@{body.get('domain')}")
        return named
    return []
