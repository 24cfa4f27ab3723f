"""The requests that make one change, in order, each with how to see in mailcow that it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ldap2mailcow.model import (
    ATTRIBUTES,
    AUTHSOURCE,
    EDIT,
    Address,
    AliasChange,
    Call,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    MailboxChange,
    RenameChange,
    Value,
)
from ldap2mailcow.plan import NOT_YET

_MODIFIED = "mailbox_modified"


class Live(Protocol):
    """mailcow as it is now."""

    def has_mailbox(self, address: Address) -> bool:
        """Tell whether there is a mailbox, whole or half-deleted."""

    def mailbox(self, address: Address) -> Existing | None:
        """Return a mailbox; None where there is none, or only half of it."""

    def alias(self, address: Address) -> ExistingAlias | None:
        """Return an alias; None where there is none."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a change."""

    call: Call
    is_done: Callable[[Live], bool]
    """Tells whether mailcow shows everything that the call was to do."""


def requests_of(change: Change) -> tuple[Request, ...]:
    """Return the requests of a change, in order: each needs those before it."""
    if isinstance(change, AliasChange):
        return tuple(_alias_requests(change))
    if isinstance(change, RenameChange):
        return tuple(_rename_requests(change))
    if isinstance(change, MailboxChange):
        return tuple(_mailbox_requests(change))
    raise TypeError(type(change))  # pragma: no cover - there are no others


def is_done(change: Change, live: Live) -> bool:
    """Tell whether mailcow shows everything that a change was to do."""
    return all(request.is_done(live) for request in requests_of(change))


# aliases


def _alias_requests(change: AliasChange) -> Iterator[Request]:
    """Give the request of an alias, none for one that is taken over as it is.

    It is named by its address only while it has no number (docs/mailcow-api.md section 0, rule 6).
    """
    item, called = (str(change.number),), (change.address,)

    def is_gone(live: Live) -> bool:
        found = live.alias(change.address)
        return found is None or found.number != change.number

    def is_written(live: Live) -> bool:
        found = live.alias(change.address)
        return found is not None and all(found.values[key] == value for key, value in change.writes.items())

    if change.kind is Kind.REMOVE:
        yield Request(Call("delete/alias", item, {}, "alias_removed", called), is_gone)
    elif change.writes and change.number is None:
        yield Request(Call("add/alias", called, change.writes, "alias_added"), is_written)
    elif change.writes:
        yield Request(Call("edit/alias", item, change.writes, "alias_modified", called), is_written)


# renames (docs/mailcow-api.md section 15)


def _rename_requests(change: RenameChange) -> Iterator[Request]:
    attr = {
        "domain": change.former.domain,
        "old_local_part": change.former.local,
        "new_local_part": change.address.local,
        "create_alias": 1,
    }

    def is_renamed(live: Live) -> bool:
        return live.has_mailbox(change.address) and not live.has_mailbox(change.former)

    if change.gives_way is not None:
        yield from _alias_requests(AliasChange(Kind.REMOVE, change.address, change.why, number=change.gives_way))
    yield Request(Call("edit/rename-mbox", (change.former,), attr, "mailbox_renamed"), is_renamed)
    yield from _alias_requests(alias_left(change, NOT_YET))


def alias_left(change: RenameChange, number: int | None) -> AliasChange:
    """Return what becomes of the alias at the old address, once its number is known; None: mailcow made none.

    mailcow makes it with a comment and flags of its own.
    """
    return AliasChange(Kind.UPDATE, change.former, change.why, change.dn, writes=change.left, number=number)


# mailboxes


def _mailbox_requests(change: MailboxChange) -> Iterator[Request]:
    if change.kind is Kind.DELETE:
        call = Call("delete/mailbox", (change.address,), {}, "mailbox_removed")
        yield Request(call, lambda live: not live.has_mailbox(change.address))
    elif change.kind is Kind.CREATE:
        # mailcow writes a new mailbox with its password in one statement: section 4
        yield Request(_add(change), _shown(replace(change, password=None)))
    else:
        yield from _edits(change)


def as_edit(change: MailboxChange, existing: Existing) -> MailboxChange:
    """Return what makes a new mailbox whole that mailcow made in part: it has its password, and isn't made twice."""
    return replace(change, kind=Kind.UPDATE, password=None, attribute_hash=existing.attribute_hash)


def _add(change: MailboxChange) -> Call:
    attr = {
        "local_part": change.address.local,
        "domain": change.address.domain,
        **{ATTRIBUTES[key].field: value for key, value in change.writes.items()},
        **_secrets(change),
        "tags": list(change.add_tags),
        "force_pw_update": 0,
    }
    return Call("add/mailbox", (change.address,), attr, "mailbox_added")


def _edits(change: MailboxChange) -> Iterator[Request]:
    """Give an edit as parts, each of which is one request."""
    nothing = replace(change, writes={}, password=None, add_tags=(), remove_tags=(), senders=None, foreign_senders=None)
    by_endpoint: dict[str, dict[str, Value]] = {}
    for key, value in change.writes.items():
        by_endpoint.setdefault(ATTRIBUTES[key].endpoint, {})[key] = value
    edited = by_endpoint.pop(EDIT, {})
    edit = replace(change, writes=edited, remove_tags=())
    if AUTHSOURCE.key in edited and change.password:
        # mailcow ignores a password that comes with the switch to its own passwords: section 5
        yield _request(replace(edit, password=None), EDIT, _edit_attr(replace(edit, password=None)))
        edit = replace(nothing, password=change.password)
    if attr := _edit_attr(edit):
        yield _request(edit, EDIT, attr)
    for endpoint, writes in by_endpoint.items():
        fields = {ATTRIBUTES[key].field: value for key, value in writes.items()}
        yield _request(replace(nothing, writes=writes), endpoint, fields)
    if change.remove_tags:
        part = replace(nothing, remove_tags=change.remove_tags)
        yield _request(part, "delete/mailbox/tag", {"tags": list(change.remove_tags)})


def _edit_attr(change: MailboxChange) -> dict[str, object]:
    """Return what `edit/mailbox` is sent; empty where it has nothing to do."""
    attr: dict[str, object] = {ATTRIBUTES[key].field: value for key, value in change.writes.items()}
    attr |= _secrets(change)
    if change.add_tags:
        attr["tags"] = list(change.add_tags)
    if change.senders is not None:
        attr["sender_acl"] = list(change.senders)
    if change.foreign_senders is not None:
        attr["extended_sender_acl"] = ",".join(change.foreign_senders)
    if attr and change.attribute_hash:
        attr["attribute_hash"] = change.attribute_hash
    return attr


def _secrets(change: MailboxChange) -> dict[str, object]:
    return {"password": change.password, "password2": change.password} if change.password else {}


def _request(part: MailboxChange, endpoint: str, attr: Mapping[str, object]) -> Request:
    return Request(Call(endpoint, (part.address,), attr, _MODIFIED), _shown(part))


def _shown(part: MailboxChange) -> Callable[[Live], bool]:
    """Return what tells whether a mailbox shows all that one request writes.

    A changed password shows by mailcow's stamp, which has moved on. `foreign_senders` mailcow never shows.
    """

    def is_shown(live: Live) -> bool:
        found = live.mailbox(part.address)
        return found is not None and (
            all(found.attributes[key] == value for key, value in part.writes.items())
            and found.tags.issuperset(part.add_tags)
            and found.tags.isdisjoint(part.remove_tags)
            and (part.password is None or found.passwd_update != part.passwd_update)
            and (part.senders is None or found.senders == frozenset(part.senders))
            and part.foreign_senders is None
        )

    return is_shown
