"""Aliases: how they are found, shown, made, changed and deleted (mailcow API facts §7)."""

import re

from .call import Call, End
from .domains import domain_details
from .state import Alias, State
from .values import (
    Json,
    JsonObject,
    UncaughtError,
    distinct,
    domain_of,
    flag,
    fold,
    given,
    integer,
    is_address,
    is_empty,
    local_part_of,
    order,
    shown,
    split_list,
    text,
)

LONGEST_COMMENT = 160
LONGEST_GOTO = 65535  # bytes of its column
SINKS = {"goto_null": "null@localhost", "goto_spam": "spam@localhost", "goto_ham": "ham@localhost"}
_LEADING_NUMBER = re.compile(r"\s*(\d+)")
_FLAGS = ("internal", "active", "sender_allowed", "sogo_visible")


def find_alias(state: State, key: Json) -> Alias | None:
    """The alias that a number or an address names.

    An address that begins with digits also names the alias with that number; the lower number is found first.
    """
    found = []
    number = _LEADING_NUMBER.match(str(key))
    if number is not None and int(number[1]) in state.aliases:
        found.append(state.aliases[int(number[1])])
    at_address = state.alias_at(str(key))
    if at_address is not None:
        found.append(at_address)
    rows = [row for row in found if not row.is_self_row and state.hosts(row.domain)]
    return min(rows, key=lambda row: row.id, default=None)


def alias_details(state: State, row: Alias) -> JsonObject:
    """An alias as it is shown."""
    alias_domain = state.alias_domains.get(row.domain)
    return {
        "in_primary_domain": "" if alias_domain is None else alias_domain.target,
        "id": row.id,
        "domain": row.domain,
        "public_comment": row.public_comment,
        "private_comment": row.private_comment,
        "goto": row.goto,
        "address": row.address,
        "is_catch_all": int(not is_address(row.address)),
        "internal": row.internal,
        "active": row.active,
        "active_int": row.active,
        "sogo_visible": row.sogo_visible,
        "sogo_visible_int": row.sogo_visible,
        "sender_allowed": row.sender_allowed,
        "created": row.created,
        "modified": row.modified,
    }


def get_alias(call: Call) -> Json:
    """``get/alias/all`` (of domains), or one by number or address."""
    state = call.state
    if call.object != "all":
        row = find_alias(state, call.object)
        return None if row is None else alias_details(state, row)
    hosted = [*sorted(state.domains, key=order), *sorted(state.alias_domains, key=order)]
    domains = call.extra.split(",") if call.extra else hosted
    rows: dict[str, list[Alias]] = {}
    for _, row in sorted(state.aliases.items()):
        if not row.is_self_row:
            rows.setdefault(fold(row.domain), []).append(row)
    return [
        alias_details(state, row) for domain in domains if state.hosts(domain) for row in rows.get(fold(domain), [])
    ]


def add_alias(call: Call) -> End:
    """``add/alias``: one row per address; flags that are not sent are 0."""
    state, data = call.state, call.data
    addresses, gotos = split_list(data.get("address")), split_list(data.get("goto"))
    if any(len(text(data.get(name)).encode()) > LONGEST_COMMENT for name in ("private_comment", "public_comment")):
        call.danger("comment_too_long")
        return End.GIVEN_UP
    if is_empty(addresses[0]):
        call.danger("alias_empty")
        return End.GIVEN_UP
    sink = _sink(data)
    if is_empty(gotos[0]) and sum(integer(data.get(name)) for name in SINKS) == 0:
        call.danger("goto_empty")
        return End.GIVEN_UP
    last = f"{local_part_of(gotos[-1])}@{domain_of(gotos[-1])}"
    repeated = last in [f"{local_part_of(goto)}@{domain_of(goto)}" for goto in gotos[:-1]]
    if sink is None:
        gotos = _valid_gotos(call, gotos)
        if not gotos:
            return End.GIVEN_UP
    goto = sink or ",".join(gotos)
    # The server's own loop leaves the joined list in the place of the last goto, if that one is valid and new, until
    # the first address is stored; an address that is missing there is not noticed as a loop.
    last_is_kept = sink is None and gotos[-1] == last and not repeated
    loops = [*gotos[:-1], goto] if last_is_kept else gotos
    for given_address in addresses:
        if is_empty(given_address) or given_address in loops:
            continue
        domain = domain_of(given_address)
        details = domain_details(state, domain)
        if details is not None and details["aliases_left"] == 0:
            call.danger("max_alias_exceeded")
            return End.GIVEN_UP
        local_part = local_part_of(given_address)
        address = f"{local_part}@{domain}"
        refusal = _address_refusal(state, local_part, domain)
        if refusal is not None:
            call.danger(*refusal)
            continue
        flags = {name: flag(data.get(name)) for name in _FLAGS}
        row = Alias(
            id=state.take_alias_id(),
            address=address,
            goto=_fitting(goto),
            domain=domain,
            created=state.clock.now(),
            public_comment=_comment(data, "public_comment"),
            private_comment=_comment(data, "private_comment"),
            internal=flags["internal"],
            active=flags["active"],
            sender_allowed=flags["sender_allowed"],
            sogo_visible=flags["sogo_visible"],
        )
        state.insert_alias(row)
        call.success("alias_added", address, str(row.id))
        _touch_gotos(call, goto)
        loops = goto.split(",")
    return End.REACHED


def edit_alias(call: Call) -> End:
    """``edit/alias`` by number: missing fields keep; where no goto is left nothing at all is written, with success."""
    last_address: str | None = None
    for item in call.items:
        row = find_alias(call.state, item)
        if row is None:
            call.danger("alias_invalid", last_address)
            continue
        last_address = row.address if is_empty(call.data.get("address")) else text(call.data["address"])
        if integer(call.data.get("expand_alias")) == 1:
            _expand(call, row, last_address)
            continue
        refusal = None
        if last_address != row.address:
            last_address = f"{local_part_of(last_address)}@{domain_of(last_address)}"
            refusal = _new_address_refusal(call.state, row, last_address)
        if refusal is not None:
            call.danger(*refusal)
            continue
        old_goto = row.goto
        goto = _edited_goto(call, row, last_address)
        if goto:
            _save(call, row, last_address, goto)
        call.success("alias_modified", shown(last_address))
        _touch_gotos(call, old_goto)
        _touch_gotos(call, goto)
    return End.REACHED


def delete_alias(call: Call) -> End:
    """``delete/alias`` by number; send-as rows for its address go too."""
    for item in call.items:
        row = find_alias(call.state, item)
        if row is None:
            call.danger("access_denied")
            continue
        _touch_gotos(call, row.goto)
        call.state.remove_alias(row)
        call.state.drop_rows_where(send_as=row.address)
        call.success("alias_removed", shown(row.address))
    return End.REACHED


def _sink(data: JsonObject) -> str | None:
    return next((goto for name, goto in SINKS.items() if integer(data.get(name)) == 1), None)


def _fitting(goto: str) -> str:
    if len(goto.encode()) > LONGEST_GOTO:
        raise UncaughtError("String data, right truncated: 1406 Data too long for column 'goto' at row 1", 1406)
    return goto


def _comment(data: JsonObject, name: str) -> str | None:
    return text(data[name]) if given(data, name) else None


def _valid_gotos(call: Call, gotos: list[str]) -> list[str]:
    valid = []
    for goto in gotos:
        if is_empty(goto):
            continue
        address = f"{local_part_of(goto)}@{domain_of(goto)}"
        if is_address(address):
            valid.append(address)
        else:
            call.danger("goto_invalid", shown(address))
    return distinct(valid)


def _address_refusal(state: State, local_part: str, domain: str) -> tuple[Json, ...] | None:
    address = f"{local_part}@{domain}"
    if _is_taken(state, local_part, domain):
        return ("is_alias_or_mailbox", shown(address))
    if not state.hosts(domain):
        return ("domain_not_found", shown(domain))
    if not is_address(address) and not is_empty(local_part):
        return ("alias_invalid", address)
    return None


def _is_taken(state: State, local_part: str, domain: str) -> bool:
    if state.alias_at(f"{local_part}@{domain}") is not None:
        return True
    alias_domain = state.alias_domains.get(fold(domain))
    twin = None if alias_domain is None else f"{local_part}@{alias_domain.target}"
    return twin is not None and state.mailbox(twin) is not None and state.alias_at(twin) is not None


def _new_address_refusal(state: State, row: Alias, address: str) -> tuple[Json, ...] | None:
    local_part, domain = local_part_of(address), domain_of(address)
    if not state.hosts(domain):
        return ("access_denied",)
    if not is_address(address) and not is_empty(local_part):
        return ("alias_invalid", address)
    if fold(address) != fold(row.address) and _is_taken(state, local_part, domain):
        return ("is_alias_or_mailbox", shown(address))
    return None


def _edited_goto(call: Call, row: Alias, address: str) -> str:
    sink = _sink(call.data)
    if sink is not None:
        return sink
    wanted = row.goto if is_empty(call.data.get("goto")) else text(call.data["goto"])
    gotos = []
    for goto in split_list(wanted):
        if is_empty(goto):
            continue
        if not is_address(goto):
            call.danger("goto_invalid", goto)
        elif goto == address:
            call.danger("alias_goto_identical")
        else:
            gotos.append(goto)
            call.state.sender_acl = [
                right
                for right in call.state.sender_acl
                if fold(right.mailbox) != fold(goto) or fold(right.send_as) != fold(address)
            ]
    return ",".join(distinct(gotos))


def _save(call: Call, row: Alias, address: str, goto: str) -> None:
    flags = {name: flag(call.data.get(name)) for name in _FLAGS}
    goto = _fitting(goto)

    def change() -> None:
        if address != row.address:
            call.state.move_alias(row, address, domain_of(address))
        row.goto = goto
        for name in _FLAGS:
            if given(call.data, name):
                setattr(row, name, flags[name])
        for name in ("public_comment", "private_comment"):
            if given(call.data, name):
                setattr(row, name, text(call.data[name]))

    call.state.touch(row, change)


def _expand(call: Call, row: Alias, address: str) -> None:
    """Add the same name in each alias domain of the alias's domain."""
    state = call.state
    if row.domain in state.alias_domains:
        call.say("warning", "is_not_primary_alias", shown(address))
        return
    names = [f"{local_part_of(row.address)}@{name}" for name in state.alias_domains_of(row.domain)]
    missing = [name for name in names if state.alias_at(name) is None]
    if missing:
        data: JsonObject = {"address": ",".join(missing), "goto": row.goto, "sogo_visible": 1, "active": 1}
        inner = call.nested(("mailbox", "add", "alias"), data)
        add_alias(inner)
        call.touched_within.extend(inner.touched)
    call.success("alias_modified", shown(address))


def _touch_gotos(call: Call, goto: str) -> None:
    call.touched.extend(part for part in goto.split(",") if is_address(part) and part not in SINKS.values())
