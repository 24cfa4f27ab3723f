"""Aliases of ours that the run leaves as they are: who can't be reached any more goes, who is renamed gets the name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    GOTO,
    Address,
    AliasChange,
    ExistingAlias,
    FieldChange,
    Kind,
    RememberedAlias,
    Value,
    Why,
    joined,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.knowledge import Knowledge
from ldap2mailcow.plan.ownership import alias_left_alone

from .delivery import Delivery
from .marks import comment, is_our_alias, row_of


def staying(draft: Draft, delivery: Delivery, decided: Collection[Address]) -> list[ExistingAlias]:
    """Return the active aliases that nothing else is decided about: of entries that can't be read, or in a grace.

    `decided` are those that the directory wants and may have. A run that looks at some addresses only leaves all
    others as they are, but for the names of those whom it renames: their old one may be somebody else's from now on.
    """
    return [
        existing
        for address, existing in sorted(draft.view.actual.aliases.items())
        if address not in decided
        and address not in draft.view.others.aliases
        and address not in delivery.leaving
        and existing.is_active
        and (not draft.view.options.only or address in draft.view.renames.meant)
        and not alias_left_alone(draft, address)
        and is_our_alias(draft, existing)
        and draft.is_of_source(row_of(draft, existing))
    ]


def prune(
    draft: Draft, delivery: Delivery, knowledge: Knowledge, aliases: Iterable[ExistingAlias]
) -> Iterator[AliasChange]:
    """Give the changes of aliases that lose somebody, or in which somebody is called by an old name."""
    for existing in aliases:
        row = row_of(draft, existing)
        if change := _pruned(draft, delivery, existing, row, knows=draft.sees_all and knowledge.knows(row.role)):
            yield change


def _pruned(
    draft: Draft, delivery: Delivery, existing: ExistingAlias, row: RememberedAlias, *, knows: bool
) -> AliasChange | None:
    is_concerned = not draft.view.options.only
    goto = delivery.reached(existing, whoever=not knows) if is_concerned else delivery.goto(existing)
    if goto == existing.goto - {existing.address}:
        return None
    field = FieldChange(GOTO, existing.values[GOTO], joined(goto))
    writes: dict[str, Value] = {GOTO: joined(goto)}
    if not goto:
        field = FieldChange(ALIAS_ACTIVE, existing.values[ALIAS_ACTIVE], 0)
        writes = {ALIAS_ACTIVE: 0, **comment(draft, existing, disabled=True)}
    return AliasChange(
        Kind.UPDATE if goto else Kind.DISABLE,
        existing.address,
        Why.RENAMED if goto and existing.address in draft.view.renames.meant else Why.NO_TARGET,
        row.dn,
        fields=(field,),
        rebuilds=delivery.rebuilds(existing.goto | goto),
        remember={
            "source": row.source,
            "owner": row.owner,
            "dn": row.dn,
            "role": row.role,
            "origin": row.origin,
            "number": existing.number,
            "disabled": not goto,
            "applied": {**row.applied, **({GOTO: joined(goto)} if goto else {})},
        },
        writes=writes,
        number=existing.number,
    )
