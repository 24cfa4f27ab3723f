"""Sending limits of mailboxes and domains."""

from .call import Call, End
from .state import State, by_name
from .values import Json, JsonObject, integer, order, text

FRAMES = ("s", "m", "h", "d")


def limit_of(state: State, name: str) -> JsonObject | None:
    """The limit of a mailbox or domain, None when it has none."""
    saved = state.rate_limits.get(name)
    if saved is None:
        return None
    value, _, frame = saved.partition(" / 1")
    return {"value": value, "frame": frame}


def edit_mailbox_limit(call: Call, objects: list[Json], value: Json, frame: Json, data: JsonObject) -> None:
    """Set (0: drop) the limit of mailboxes."""
    log: list[Json] = ["ratelimit", "edit", "mailbox", data]
    for item in objects:
        if frame not in FRAMES:
            call.say("danger", "rl_timeframe", log=log)
        elif call.state.accessible_mailbox(text(item)) is None:
            call.say("danger", "access_denied", log=log)
        else:
            _save(call.state, text(item), integer(value), text(frame))
            call.say("success", "rl_saved", item, log=log)


def edit_domain_limit(call: Call, objects: list[Json], value: Json, frame: Json, data: JsonObject) -> None:
    """Set (0: drop) the limit of domains."""
    log: list[Json] = ["ratelimit", "edit", "domain", data]
    for item in objects:
        if frame not in FRAMES:
            call.say("danger", "rl_timeframe", log=log)
        elif not call.state.hosts(text(item)):
            call.say("danger", "access_denied", log=log)
        else:
            _save(call.state, text(item), integer(value), text(frame))
            call.say("success", "rl_saved", item, log=log)


def edit_rl_mbox(call: Call) -> End:
    """``edit/rl-mbox``."""
    edit_mailbox_limit(call, call.items, call.data.get("rl_value"), call.data.get("rl_frame"), call.data)
    return End.REACHED


def edit_rl_domain(call: Call) -> End:
    """``edit/rl-domain``."""
    edit_domain_limit(call, call.items, call.data.get("rl_value"), call.data.get("rl_frame"), call.data)
    return End.REACHED


def get_rl_mbox(call: Call) -> Json:
    """``get/rl-mbox/all`` or that of one mailbox."""
    if call.object != "all":
        return limit_of(call.state, call.object) or {}
    found: list[Json] = []
    for domain in sorted(call.state.domains, key=order):
        for row in by_name(call.state.mailboxes_in(domain)):
            limit = limit_of(call.state, row.username)
            if limit is not None:
                found.append({**limit, "mailbox": row.username})
    return found


def get_rl_domain(call: Call) -> Json:
    """``get/rl-domain/all`` or that of one domain."""
    if call.object != "all":
        return limit_of(call.state, call.object) or {}
    hosted = [*sorted(call.state.domains, key=order), *sorted(call.state.alias_domains, key=order)]
    limits = {name: limit_of(call.state, name) for name in hosted}
    return [{**limit, "domain": name} for name, limit in limits.items() if limit is not None]


def _save(state: State, name: str, value: int, frame: str) -> None:
    if value:
        state.rate_limits[name] = f"{value} / 1{frame}"
    else:
        state.rate_limits.pop(name, None)
