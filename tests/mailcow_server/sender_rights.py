"""Who may send as whom (mailcow API facts §5, ``sender_acl`` and ``extended_sender_acl``)."""

import re

from .call import Call
from .state import SenderAcl, State
from .values import (
    Json,
    distinct,
    domain_of,
    fold,
    is_address,
    is_domain_name,
    is_empty,
    listed,
    shown,
    split_list,
    text,
)

EVERYBODY = "*"


def edit_senders(call: Call, username: str) -> None:
    """Replace the addresses and domains of this server that a mailbox may send as; ``default`` and none clear."""
    state = call.state
    wanted = listed(call.data["sender_acl"])
    if EVERYBODY in wanted:
        wanted = [EVERYBODY]
    elif "default" in wanted:
        wanted.remove("default")
    granted = []
    for value in wanted:
        if _is_grantable(state, text(value)):
            granted.append(text(value))
        else:
            call.danger("sender_acl_invalid", value)
    _replace_rights(state, username, granted + _unreachable_rights(state, username), external=False)


def edit_external_senders(call: Call, username: str) -> None:
    """Replace the foreign addresses and domains that a mailbox may send as; a list instead of a text ends the call."""
    granted = []
    last_domain: Json = None
    for part in split_list(call.data["extended_sender_acl"]):
        if is_empty(part):
            continue
        value = part.lstrip("@") if part.startswith("@") else part
        if is_address(value):
            last_domain = domain_of(value)
            hosted = _is_written_like_a_domain_here(call.state, domain_of(value))
        elif is_domain_name(value):
            hosted = _is_written_like_a_domain_here(call.state, value)
        else:
            call.danger("extra_acl_invalid", shown(value))
            continue
        if hosted:
            call.danger("extra_acl_invalid_domain", last_domain)
            continue
        granted.append(value if is_address(value) else f"@{value}")
    _replace_rights(call.state, username, distinct(granted), external=True)


def _is_grantable(state: State, value: str) -> bool:
    if value == EVERYBODY:
        return True
    if is_address(value):
        alias = state.alias_at(value)
        return alias is not None and state.hosts(alias.domain)
    return _is_written_like_a_domain_here(state, value.lstrip("@"))


def _is_written_like_a_domain_here(state: State, name: str) -> bool:
    """Unlike everywhere else upper case matters in these lists."""
    return name in state.domains or name in state.alias_domains


def _unreachable_rights(state: State, username: str) -> list[str]:
    """Rights for what is no longer hosted here: they outlive every change."""
    own = [row.send_as for row in state.sender_acl if not row.external and fold(row.mailbox) == fold(username)]
    gone = [value for value in own if not _is_grantable(state, value)]
    return [value for value in gone if value.startswith("@")] + [value for value in gone if not value.startswith("@")]


def _replace_rights(state: State, username: str, granted: list[str], *, external: bool) -> None:
    state.sender_acl = [
        row for row in state.sender_acl if row.external is not external or fold(row.mailbox) != fold(username)
    ]
    already = [] if external else _allowed_without_right(state, username)
    for value in granted:
        send_as = value
        if not external and is_domain_name(value.lstrip("@")):
            send_as = "@" + value.lstrip("@")
        if send_as not in already:
            state.sender_acl.append(SenderAcl(username, send_as, external))


def _allowed_without_right(state: State, username: str) -> list[str]:
    member = re.compile(rf"(^|,){re.escape(username)}($|,)", re.IGNORECASE)
    return [
        row.address
        for row in state.aliases.values()
        if row.sender_allowed == 1 and not row.address.startswith("@") and member.search(row.goto)
    ]
