"""The difference: what is there against what should be there, by two tables. No rule is decided here.

A mailbox has parts that are written by themselves (the table of attributes says which field is of which part), and the
state file has columns that belong to each part: they are remembered once the change of that part is confirmed. What is
remembered of a thing that needs no change is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ldap2mailcow.model import (
    ACTIVE,
    ALIAS_ACTIVE,
    ATTRIBUTES,
    COMPARED_FIELDS,
    GOTO,
    PRIVATE_COMMENT,
    Address,
    AliasChange,
    Change,
    ExistingAlias,
    FieldChange,
    Kind,
    MailboxChange,
    Note,
    Part,
    Patch,
    Remembered,
    RememberedAlias,
    Rule,
    Subject,
    Value,
)

from .case import Case
from .target import BARRED, AliasTarget, MailboxTarget, RightsTarget, Targets
from .target.aliases import NEW as NEW_ALIAS

COLUMNS: Mapping[Part, frozenset[str]] = {
    Part.VALUES: frozenset({"applied", "digest", "passwd_update", "kept"}),
    Part.LOGIN: frozenset({"applied", "digest", "passwd_update", "kept"}),
    Part.STATUS: frozenset({"disabled", "was_active", "barred", "retired_since"}),
    Part.RIGHTS: frozenset({"senders", "foreign_senders"}),
}
"""The columns of a mailbox's row that are true once a part is written; all others are its identity."""

_ALIAS_FIELDS = (*COMPARED_FIELDS, ALIAS_ACTIVE)


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done, and what is to be remembered without doing anything."""

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]


def compare(case: Case, targets: Targets) -> Difference:
    """Return what makes mailcow and the state file what the targets say."""
    changes: list[Change] = []
    notes: list[Note] = []
    gone = [box for box in targets.mailboxes.values() if box.there is not None and box.values is None]
    for box in targets.mailboxes.values():
        _mailbox(case, box, targets.rights.get(box.address), changes, notes)
    for alias in targets.aliases.values():
        _alias(alias, changes, notes)
    changes += (deletion(case, targets, box.address, box.rule, box.dn) for box in gone)
    return Difference(tuple(changes), tuple(notes))


# mailboxes


def _mailbox(
    case: Case, box: MailboxTarget, rights: RightsTarget | None, changes: list[Change], notes: list[Note]
) -> None:
    if box.values is None:
        if box.there is None and box.after:
            notes.append(Note(box.address, box.after))
        return
    found = [_creation(case, box)] if box.there is None else list(_edits(box, case.marks.disabled))
    if rights and (grant := _grant(box, rights)):
        found.append(grant)
    after = {**box.after, **(rights.after if rights else {})}
    if box.there is None:
        changes += found
        return
    written = frozenset().union(*(COLUMNS[_part_of(change)] for change in found))
    changed = {column: value for column, value in after.items() if _differs(box.row, column, value)}
    noted = {column: value for column, value in changed.items() if column not in written}
    if box.row is None and found:  # the row begins with any of the changes: those before it may fail
        found = [_with(change, {column: after[column] for column in after.keys() - written}) for change in found]
    elif noted:
        notes.append(Note(box.address, noted))
    changes += [_with(change, _columns(after, COLUMNS[_part_of(change)])) for change in found]


def _columns(after: Patch, columns: frozenset[str]) -> Patch:
    return {column: value for column, value in after.items() if column in columns}


def _differs(row: Remembered | None, column: str, value: object) -> bool:
    return row is None or getattr(row, column) != value


def _with(change: MailboxChange, more: Patch) -> MailboxChange:
    return replace(change, remember={**(change.remember or {}), **more})


def _part_of(change: MailboxChange) -> Part:
    """Return the part of a mailbox that a change writes."""
    return {Kind.SWITCH: Part.LOGIN, Kind.ENABLE: Part.STATUS, Kind.DISABLE: Part.STATUS, Kind.GRANT: Part.RIGHTS}.get(
        change.kind, Part.VALUES
    )


def _creation(case: Case, box: MailboxTarget) -> MailboxChange:
    values = box.values or {}
    return MailboxChange(
        Kind.CREATE,
        box.address,
        box.rule,
        box.dn,
        fields=tuple(FieldChange(key, None, values[key]) for key in ATTRIBUTES if key in values),
        writes=values,
        password=box.password,
        add_tags=tuple(tag for tag in case.marks.tags if tag in box.tags),
        remember=box.after,
    )


def _edits(box: MailboxTarget, disabled_tag: str) -> Iterator[MailboxChange]:
    """Give the changes of a mailbox that is there: each part by itself.

    The tag that says who set it inactive goes with the status, if that changes.
    """
    fields = {part: tuple(_changed_fields(box, part)) for part in Part}
    status = fields[Part.STATUS]
    there = box.there.tags if box.there else frozenset()
    disabled = {disabled_tag} & (box.tags ^ there) if status else set()
    added = tuple(sorted(box.tags - there - disabled))
    removed = tuple(sorted(there - box.tags - disabled))
    password = None if fields[Part.LOGIN] else box.password
    if fields[Part.VALUES] or added or removed or password:
        is_again = not (fields[Part.VALUES] or added or removed) and box.rules.get(Part.VALUES) is Rule.REASSERT
        kind = Kind.ADOPT if box.is_adopted else Kind.REASSERT if is_again else Kind.UPDATE
        yield _edit(box, kind, fields[Part.VALUES], Part.VALUES, password=password, add_tags=added, remove_tags=removed)
    if fields[Part.LOGIN]:
        yield _edit(box, Kind.SWITCH, fields[Part.LOGIN], Part.LOGIN, password=box.password)
    if status:
        kind = Kind.DISABLE if status[0].after in (0, BARRED) and status[0].before != 0 else Kind.ENABLE
        yield _edit(
            box,
            kind,
            status,
            Part.STATUS,
            add_tags=tuple(sorted(disabled & box.tags)),
            remove_tags=tuple(sorted(disabled & there)),
        )


def _changed_fields(box: MailboxTarget, part: Part) -> Iterator[FieldChange]:
    if box.there is None or box.values is None:
        return
    for key, row in ATTRIBUTES.items():
        before, after = box.there.attributes[key], box.values[key]
        if row.part is part and before != after:
            yield FieldChange(key, before, after)


def _edit(box: MailboxTarget, kind: Kind, fields: tuple[FieldChange, ...], part: Part, **more: object) -> MailboxChange:
    there = box.there
    after = next(
        (field.after for field in fields if field.key == ACTIVE.key), there.attributes[ACTIVE.key] if there else 1
    )
    return MailboxChange(
        kind,
        box.address,
        box.rules.get(part, box.rule),
        box.dn,
        fields=fields,
        writes={field.key: field.after for field in fields},
        attribute_hash=there.attribute_hash if there else "",
        passwd_update=there.passwd_update if there else "",
        rebuilds=0 if after == 1 else 1,
        **more,  # type: ignore[arg-type]
    )


def _grant(box: MailboxTarget, rights: RightsTarget) -> MailboxChange | None:
    """Return the one edit of rights, None where they are as they should be."""
    is_same = rights.rows == rights.there and not rights.is_rewritten
    if is_same and rights.foreign == rights.foreign_there:
        return None
    before, after = sorted(rights.there | rights.foreign_there), sorted(rights.rows | rights.foreign)
    existing = box.there
    return MailboxChange(
        Kind.GRANT,
        rights.address,
        rights.rule,
        rights.dn,
        fields=(FieldChange("send_as", ", ".join(before) or None, ", ".join(after)),),
        rebuilds=0 if existing is None or existing.attributes[ACTIVE.key] == 1 else 1,
        remember=rights.after,
        attribute_hash=existing.attribute_hash if existing else "",
        passwd_update=existing.passwd_update if existing else "",
        senders=None if is_same else tuple(sorted(rights.rows)),
        foreign_senders=tuple(sorted(rights.foreign)) if rights.foreign != rights.foreign_there else None,
    )


def deletion(case: Case, targets: Targets, address: Address, rule: Rule, dn: str) -> MailboxChange:
    """Return a deletion, with the aliases that mailcow deletes with it; it rebuilds the address book (section 12)."""
    aliases = _going_with(case, targets, address)
    return MailboxChange(
        Kind.DELETE,
        address,
        rule,
        dn,
        fields=(FieldChange("aliases", ", ".join(aliases), ""),) if aliases else (),
        rebuilds=1,
        remember=None,
        notes=tuple(Note(one, None, Subject.ALIAS) for one in aliases),
    )


def _going_with(case: Case, targets: Targets, mailbox: Address) -> list[Address]:
    """Return the aliases that go to a mailbox alone after this run's changes of aliases."""
    goto = {address: str(alias.values[GOTO]) for address, alias in case.every_alias.items()}
    goto |= {address: str(alias.values[GOTO]) for address, alias in targets.aliases.items() if alias.values}
    return sorted(address for address, text in goto.items() if text == mailbox)


# aliases


def _alias(alias: AliasTarget, changes: list[Change], notes: list[Note]) -> None:
    if alias.values is None:
        if alias.there is not None:
            changes.append(_removal(alias, alias.there))
        return
    change = _alias_change(alias)
    if change is not None:
        changes.append(change)
        return
    noted = {column: value for column, value in alias.after.items() if _alias_differs(alias.row, column, value)}
    if noted:
        notes.append(Note(alias.address, noted, Subject.ALIAS))


def _alias_differs(row: RememberedAlias | None, column: str, value: object) -> bool:
    return row is None or getattr(row, column) != value


def _removal(alias: AliasTarget, there: ExistingAlias) -> AliasChange:
    return AliasChange(Kind.REMOVE, alias.address, alias.rule, alias.dn, remember=None, number=there.number)


def _alias_change(alias: AliasTarget) -> AliasChange | None:
    values, there = alias.values or {}, alias.there
    if there is None:
        unusual = [key for key in COMPARED_FIELDS if values[key] != NEW_ALIAS.get(key)]
        fields = tuple(FieldChange(key, None, values[key]) for key in unusual)
        return AliasChange(
            Kind.CREATE,
            alias.address,
            alias.rule,
            alias.dn,
            fields=fields,
            rebuilds=alias.rebuilds,
            remember=alias.after,
            writes=values,
        )
    fields = tuple(FieldChange(key, there.values[key], values[key]) for key in _changed_alias_fields(there, values))
    writes = {change.key: change.after for change in fields}
    if values[PRIVATE_COMMENT] != there.values[PRIVATE_COMMENT]:
        writes[PRIVATE_COMMENT] = values[PRIVATE_COMMENT]
    if not writes and not alias.is_adopted:
        return None
    return AliasChange(
        _alias_kind(alias, fields),
        alias.address,
        alias.rule,
        alias.dn,
        fields=fields,
        rebuilds=alias.rebuilds if writes else 0,
        remember=alias.after,
        writes=writes,
        number=there.number,
    )


def _changed_alias_fields(there: ExistingAlias, values: Mapping[str, Value]) -> Iterator[str]:
    return (key for key in _ALIAS_FIELDS if values[key] != there.values[key])


def _alias_kind(alias: AliasTarget, fields: tuple[FieldChange, ...]) -> Kind:
    if alias.is_adopted:
        return Kind.ADOPT
    active = next((change.after for change in fields if change.key == ALIAS_ACTIVE), None)
    if active is None:
        return Kind.UPDATE
    return Kind.ENABLE if active else Kind.DISABLE
