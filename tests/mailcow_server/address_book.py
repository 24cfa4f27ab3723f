"""The groupware's address book: which calls refresh it, and how much of it (mailcow API facts §12)."""

import time

from .call import Call, End
from .faults import Costs, Faults
from .routes import Route

REFRESHING = ("domain", "alias", "alias_domain", "mailbox")
WHOLE = ("domain", "alias_domain")


def rebuilds_of(call: Call, route: Route, end: End) -> tuple[int, int]:
    """How many full and how many incremental rebuilds a write brings.

    Each touched address that is an active mailbox costs one incremental rebuild, each other one a full rebuild; a call
    that went through without touching any costs a full one, one that ended early costs none.
    """
    full, incremental = _rebuilds_of_addresses(call, call.touched_within)
    kind = route.echo[-1] if route.echo[0] == "mailbox" else ""
    if end is not End.REACHED or kind not in REFRESHING:
        return full, incremental
    if kind in WHOLE or not call.touched:
        return full + 1, incremental
    own_full, own_incremental = _rebuilds_of_addresses(call, call.touched)
    return full + own_full, incremental + own_incremental


def rebuild(costs: Costs, faults: Faults, full: int, incremental: int) -> None:
    """Count the rebuilds and take the time that the knobs say they take."""
    costs.full += full
    costs.incremental += incremental
    seconds = full * faults.seconds_per_full_rebuild + incremental * faults.seconds_per_incremental_rebuild
    if seconds:
        time.sleep(seconds)


def _rebuilds_of_addresses(call: Call, addresses: list[str]) -> tuple[int, int]:
    rows = [call.state.mailbox(address) for address in dict.fromkeys(addresses)]
    active = sum(row is not None and row.active == 1 for row in rows)
    return len(rows) - active, active
