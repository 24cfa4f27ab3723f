"""The requests that rename a mailbox, in order; the alias that stays is known by its number only after the second."""

from __future__ import annotations

from collections.abc import Iterator

from ldap2mailcow.model import ACTIVE, EDIT, Address, Call, RenameChange, Stage

RENAME = "edit/rename-mbox"
BARRED = 2
"""What `active` is while an inactive mailbox is renamed: it takes mail, and nobody logs in."""


def rename_calls(change: RenameChange) -> Iterator[Call]:
    """Give the requests of a rename, with a number to be put in where it isn't known yet."""
    if change.stage is Stage.BACK:
        yield set_active(change, change.address, change.active)
        return
    if change.gives_way is not None:
        yield give_way(change, change.gives_way)
    if change.active == 0:
        yield set_active(change, change.former, BARRED)
    yield rename_call(change)
    if change.left is not None:
        yield keep_alias(change, 0)
    if change.active == 0:
        yield set_active(change, change.address, 0)


def rename_call(change: RenameChange) -> Call:
    """Return the request that renames."""
    attr = {
        "domain": change.former.domain,
        "old_local_part": change.former.local,
        "new_local_part": change.address.local,
        "create_alias": int(change.left is not None),
    }
    return Call(RENAME, (change.former,), attr, "mailbox_renamed")


def give_way(change: RenameChange, number: int) -> Call:
    """Return the request that deletes the alias at the new address."""
    return Call("delete/alias", (str(number),), {}, "alias_removed", (change.address,))


def set_active(change: RenameChange, address: Address, value: int) -> Call:
    """Return the request that sets the status for the time of the renaming, or puts it back."""
    kept = {"attribute_hash": change.attribute_hash} if change.attribute_hash else {}
    return Call(EDIT, (address,), {ACTIVE.field: value, **kept}, "mailbox_modified")


def keep_alias(change: RenameChange, number: int) -> Call:
    """Return the request that makes the alias at the old address ours: mailcow makes it with a comment of its own."""
    return Call("edit/alias", (str(number),), dict(change.left or {}), "alias_modified", (change.former,))


def make_alias(change: RenameChange) -> Call:
    """Return the request that makes the alias at the old address, where mailcow hasn't."""
    return Call("add/alias", (change.former,), dict(change.left or {}), "alias_added")
