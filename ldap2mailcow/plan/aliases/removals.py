"""Aliases that nobody asks for any more, and what becomes of them."""

from __future__ import annotations

from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    Address,
    AliasChange,
    ExistingAlias,
    FieldChange,
    Kind,
    Note,
    RememberedAlias,
    Subject,
    Value,
    Why,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.grace import absence
from ldap2mailcow.plan.knowledge import Knowledge
from ldap2mailcow.plan.ownership import alias_left_alone
from ldap2mailcow.plan.view import Fate, Pending

from .marks import comment, is_managed, is_our_alias, row_of


def decide_alias_removals(draft: Draft, knowledge: Knowledge) -> None:
    """Decide about every alias that is ours and that the directory doesn't ask for.

    One that its entry no longer lists goes at once; one whose entry is gone waits as long as a mailbox does, so that
    both go in the same run.
    """
    others = draft.view.others
    for address, existing in sorted(draft.view.actual.aliases.items()):
        if address in draft.view.wishes.aliases or alias_left_alone(draft, address):
            continue
        if address in others.aliases or address in others.contested or not draft.looks_at(address):
            continue
        if not is_our_alias(draft, existing):
            continue
        if existing.goto == {draft.view.desired.held.get(address)}:
            continue  # what its owner's mailbox will be called: until then it is reached here
        row = row_of(draft, existing)
        if not draft.is_of_source(row) or not is_managed(draft, row.role) or not knowledge.knows(row.role):
            continue
        if row.owner in draft.view.wishes.unreadable:
            continue  # its entry has a finding of its own, and keeps what it has until it can be read
        if _is_there(draft, row):
            _remove(draft, existing, row, Why.NOT_WANTED)
        else:
            _count_miss(draft, existing, row, skip_grace=bool(knowledge.doubt(row.role)))


def forget_departed_aliases(draft: Draft) -> None:
    """Forget the aliases that are gone from mailcow and that nobody asks for."""
    actual = draft.view.actual
    if not draft.view.reads_aliases:
        return
    for address, row in sorted(draft.view.memory.aliases.items()):
        is_in_scope = address.domain in actual.domains or address.domain in actual.alias_domains
        if (
            is_in_scope
            and draft.is_of_source(row)
            and address not in actual.aliases
            and address not in draft.view.wishes.aliases
        ):
            draft.notes.append(Note(address, None, Subject.ALIAS))


def _is_there(draft: Draft, row: RememberedAlias) -> bool:
    return any(row.owner in owners for owners in draft.view.wishes.owners.values())


def _count_miss(draft: Draft, existing: ExistingAlias, row: RememberedAlias, *, skip_grace: bool) -> None:
    gone = absence(row, draft.view.config.removed_users, draft.view.now)
    draft.note_alias(existing.address, **_known(row), **gone.patch)
    if skip_grace or gone.is_over:
        _remove(draft, existing, row, Why.MISSING)
    elif kind := _would(draft, existing, gives_way=_gives_way(draft, existing.address)):
        fate = Fate.DISABLED if kind is Kind.DISABLE else Fate.REMOVED
        draft.pending.append(Pending(existing.address, row.dn, gone.due, gone.answers, fate, Subject.ALIAS))


def _known(row: RememberedAlias) -> dict[str, object]:
    """Return what says whose an alias is, for a row that may be new."""
    return {"source": row.source, "owner": row.owner, "dn": row.dn, "role": row.role, "origin": row.origin}


def stays_after_all(draft: Draft, change: AliasChange) -> AliasChange | None:
    """Return what becomes of an alias that was to make room for a mailbox which isn't made: what the config wants."""
    existing = draft.view.actual.aliases[change.address]
    return _removal(draft, existing, row_of(draft, existing), change.why, gives_way=False)


def _would(draft: Draft, existing: ExistingAlias, *, gives_way: bool) -> Kind | None:
    """Return what the config wants done with an alias that nobody asks for; None: nothing."""
    if gives_way:
        return Kind.REMOVE
    match draft.view.config.removed_aliases:
        case "delete":
            return Kind.REMOVE
        case "disable":
            return Kind.DISABLE if existing.is_active else None
        case _:
            return None


def _gives_way(draft: Draft, address: Address) -> bool:
    """Tell whether a directory wants a mailbox where an alias is: then the alias goes, whatever the policy."""
    wanted = address in draft.view.desired.mailboxes or address in draft.view.others.mailboxes
    return wanted and draft.view.config.create_mailboxes


def _remove(draft: Draft, existing: ExistingAlias, row: RememberedAlias, why: Why) -> None:
    change = _removal(draft, existing, row, why, gives_way=_gives_way(draft, existing.address))
    if change:
        draft.alias_removals.append(change)


def _removal(
    draft: Draft, existing: ExistingAlias, row: RememberedAlias, why: Why, *, gives_way: bool
) -> AliasChange | None:
    kind = _would(draft, existing, gives_way=gives_way)
    if kind is None:
        return None
    disables = kind is Kind.DISABLE
    writes: dict[str, Value] = {ALIAS_ACTIVE: 0, **comment(draft, existing, disabled=True)} if disables else {}
    return AliasChange(
        kind,
        existing.address,
        why,
        row.dn,
        fields=(FieldChange(ALIAS_ACTIVE, existing.values[ALIAS_ACTIVE], 0),) if disables else (),
        remember={**_known(row), "number": existing.number, "disabled": True} if disables else None,
        writes=writes,
        number=existing.number,
        is_first=gives_way,
    )
