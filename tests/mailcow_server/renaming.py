"""``edit/rename-mbox``: a mailbox gets another local part (mailcow API facts §20)."""

from .aliases import add_alias
from .call import Call, End
from .containers import dovecot_refusal, move_mail
from .state import Alias, Mailbox, SenderAcl, State
from .values import UncaughtError, fold, integer, is_address, text

MAY_BE_RENAMED = (1, 2)
SINCE = "2024-11"
NOBODY = ""  # no mailbox: an alias that wasn't made costs a full rebuild


def rename_mailbox(call: Call) -> End:
    """Rename in one transaction; only gotos equal to the old address follow, lists keep it.

    The new address is neither trimmed nor lower-cased. Whether the mail could be moved isn't looked at.
    """
    state, data = call.state, call.data
    domain, new_local_part = text(data.get("domain")), text(data.get("new_local_part"))
    old, new = f"{text(data.get('old_local_part'))}@{domain}", f"{new_local_part}@{domain}"
    for address in (old, new):
        if not is_address(address):
            call.danger("username_invalid", address)
            return End.GIVEN_UP
    row = state.accessible_mailbox(old)
    if row is None or row.half_deleted or row.active not in MAY_BE_RENAMED:
        call.danger("access_denied")
        return End.GIVEN_UP
    refusal = dovecot_refusal(state)
    if refusal:
        # The rights on folders are asked for first, and an error in their place is taken for a list of them.
        raise UncaughtError(refusal)
    key = _occupied_key(state, old, new)
    if key is not None:
        call.danger(f"SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry '{new}' for key '{key}'")
        return End.GIVEN_UP
    _move(state, row, old, new, new_local_part)
    move_mail(state, old, new)
    if integer(data.get("create_alias")) == 1:
        comment = f"Mailbox was renamed from {old} to {new}"
        inner = call.nested(
            ("mailbox", "add", "alias"),
            {"address": old, "goto": new, "active": 1, "sogo_visible": 1, "private_comment": comment},
        )
        if add_alias(inner) is End.REACHED:
            call.touched_within.extend(inner.touched or [NOBODY])
    call.success("mailbox_renamed", old, new)
    return End.REACHED


def _occupied_key(state: State, old: str, new: str) -> str | None:
    if fold(old) == fold(new):
        return None
    if state.mailbox(new) is not None:
        return "PRIMARY"
    return "address" if state.alias_at(new) is not None else None


def _move(state: State, row: Mailbox, old: str, new: str, new_local_part: str) -> None:
    state.remove_mailbox(old)

    def change() -> None:
        row.username, row.local_part = new, new_local_part

    state.touch(row, change)
    state.insert_mailbox(row)
    for alias in list(state.aliases.values()):
        if fold(alias.address) == fold(old) or fold(alias.goto) == fold(old):
            state.touch(alias, lambda alias=alias: _follow(state, alias, old, new))  # type: ignore[misc]
    state.sender_acl = [
        SenderAcl(
            new if fold(right.mailbox) == fold(old) else right.mailbox,
            new if fold(right.send_as) == fold(old) else right.send_as,
            right.external,
        )
        for right in state.sender_acl
    ]


def _follow(state: State, alias: Alias, old: str, new: str) -> None:
    if fold(alias.address) == fold(old):
        state.move_alias(alias, new, alias.domain)
    alias.goto = new
