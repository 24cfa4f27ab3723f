"""The difference: what is there against what should be there, by two tables. No rule is decided here.

A mailbox has parts that are written by themselves (the table of attributes says which field is of which part), and the
state file has columns that belong to each part: they are remembered once the change of that part is confirmed. What is
remembered of a thing that needs no change is a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr

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
    Existing,
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
from .target import AliasTarget, MailboxTarget, RightsTarget, Targets
from .target.aliases import NEW as NEW_ALIAS

COLUMNS: Mapping[Part, frozenset[str]] = {
    Part.VALUES: frozenset({"applied", "digest", "passwd_update", "kept"}),
    Part.LOGIN: frozenset({"applied", "digest", "passwd_update", "kept"}),
    Part.STATUS: frozenset({"disabled", "was_active", "barred", "retired_since"}),
    Part.RIGHTS: frozenset({"senders", "foreign_senders"}),
}
"""The columns of a mailbox's row that are true once a part is written; all others are its identity."""

PARTS = {Kind.SWITCH: Part.LOGIN, Kind.ENABLE: Part.STATUS, Kind.DISABLE: Part.STATUS, Kind.GRANT: Part.RIGHTS}
"""The part of a mailbox that a kind of change writes; all others write its values."""

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
    for box in targets.mailboxes.values():
        if box.values is not None:
            found, noted = _mailbox(case, box, targets.rights.get(box.address))
            changes += found
            notes += noted
        elif box.there is not None:
            changes.append(deletion(case, targets, box.address, box.rule, box.dn))
    for alias in targets.aliases.values():
        change = _alias_change(alias)
        after = alias.after if change is None and alias.values is not None else {}
        changes += [change] if change else []
        notes += _note(alias.address, Subject.ALIAS, alias.row, after)
    return Difference(tuple(changes), tuple(notes))


def _note(
    address: Address, subject: Subject, row: Remembered | RememberedAlias | None, after: Patch
) -> tuple[Note, ...]:
    """Return the note of what isn't remembered yet; none where all is."""
    changed = {column: value for column, value in after.items() if row is None or getattr(row, column) != value}
    return (Note(address, changed, subject),) if changed else ()


# mailboxes


def _mailbox(
    case: Case, box: MailboxTarget, rights: RightsTarget | None
) -> tuple[Sequence[MailboxChange], Sequence[Note]]:
    """Return the changes of a mailbox, each with the columns that are true after it, and what is noted at once."""
    grants = _grant(box, rights) if rights else ()
    if box.there is None:
        return (_creation(case, box), *grants), ()
    found = [*_edits(box, box.there, case.marks.disabled), *grants]
    after = {**box.after, **(rights.after if rights else {})}
    written = frozenset().union(*(COLUMNS[_part_of(change)] for change in found))
    others = {column: value for column, value in after.items() if column not in written}
    notes = _note(box.address, Subject.MAILBOX, box.row, others)
    changes = [_with(change, _columns(after, COLUMNS[_part_of(change)])) for change in found]
    if box.row is None and changes:  # the row begins with any of the changes: those before it may fail
        changes, notes = [_with(change, others) for change in changes], ()
    return changes, notes


def _columns(after: Patch, columns: frozenset[str]) -> Patch:
    return {column: value for column, value in after.items() if column in columns}


def _with(change: MailboxChange, more: Patch) -> MailboxChange:
    return replace(change, remember={**(change.remember or {}), **more})


def _part_of(change: MailboxChange) -> Part:
    """Return the part of a mailbox that a change writes."""
    return PARTS.get(change.kind, Part.VALUES)


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


def _edits(box: MailboxTarget, there: Existing, disabled_tag: str) -> Iterator[MailboxChange]:
    """Give the changes of a mailbox that is there: each part by itself.

    The tag that says who set it inactive goes with the status, if that changes.
    """
    values, login, status = (_changed_fields(box, there, part) for part in (Part.VALUES, Part.LOGIN, Part.STATUS))
    of_status = {disabled_tag} & (box.tags ^ there.tags) if status else set()
    added, removed = box.tags - there.tags - of_status, there.tags - box.tags - of_status
    password = None if login else box.password
    if values or added or removed or password:
        kind = _kind_of_update(box, is_same=not (values or added or removed))
        yield _edit(box, there, kind, values, password=password, add_tags=added, remove_tags=removed)
    if login:
        yield _edit(box, there, Kind.SWITCH, login, password=box.password)
    for field in status:
        kind = Kind.ENABLE if field.before == 0 or field.after == 1 else Kind.DISABLE
        yield _edit(box, there, kind, status, add_tags=of_status & box.tags, remove_tags=of_status & there.tags)


def _kind_of_update(box: MailboxTarget, *, is_same: bool) -> Kind:
    if box.is_adopted:
        return Kind.ADOPT
    return Kind.REASSERT if is_same and box.rules.get(Part.VALUES) is Rule.REASSERT else Kind.UPDATE


def _changed_fields(box: MailboxTarget, there: Existing, part: Part) -> tuple[FieldChange, ...]:
    wanted = box.values or {}
    keys = (key for key, row in ATTRIBUTES.items() if row.part is part and wanted[key] != there.attributes[key])
    return tuple(FieldChange(key, there.attributes[key], wanted[key]) for key in keys)


def _edit(
    box: MailboxTarget,
    there: Existing,
    kind: Kind,
    fields: Sequence[FieldChange],
    *,
    password: SecretStr | None = None,
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
) -> MailboxChange:
    writes = {field.key: field.after for field in fields}
    active = writes.get(ACTIVE.key, there.attributes[ACTIVE.key])
    return MailboxChange(
        kind,
        box.address,
        box.rules.get(PARTS.get(kind, Part.VALUES), box.rule),
        box.dn,
        fields=tuple(fields),
        writes=writes,
        password=password,
        add_tags=tuple(sorted(add_tags)),
        remove_tags=tuple(sorted(remove_tags)),
        attribute_hash=there.attribute_hash,
        passwd_update=there.passwd_update,
        rebuilds=0 if active == 1 else 1,
    )


def _grant(box: MailboxTarget, rights: RightsTarget) -> tuple[MailboxChange, ...]:
    """Return the one edit of rights, none where they are as they should be."""
    senders = None if rights.rows == rights.there else tuple(sorted(rights.rows))
    foreign = None if rights.foreign == rights.foreign_there else tuple(sorted(rights.foreign))
    if senders is None and foreign is None:
        return ()
    before, after = sorted(rights.there | rights.foreign_there), sorted(rights.rows | rights.foreign)
    there = box.there
    change = MailboxChange(
        Kind.GRANT,
        rights.address,
        rights.rule,
        rights.dn,
        fields=(FieldChange("send_as", ", ".join(before) or None, ", ".join(after)),),
        remember=rights.after,
        senders=senders,
        foreign_senders=foreign,
    )
    if there is None:
        return (change,)
    rebuilds, stamp = 0 if there.attributes[ACTIVE.key] == 1 else 1, there.passwd_update
    return (replace(change, rebuilds=rebuilds, attribute_hash=there.attribute_hash, passwd_update=stamp),)


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


def _removal(alias: AliasTarget, there: ExistingAlias) -> AliasChange:
    return AliasChange(Kind.REMOVE, alias.address, alias.rule, alias.dn, remember=None, number=there.number)


def _alias_change(alias: AliasTarget) -> AliasChange | None:
    """Return the one change of an alias; None for none."""
    if alias.there is None:
        return _alias_creation(alias, alias.values) if alias.values else None
    return _removal(alias, alias.there) if alias.values is None else _alias_edit(alias, alias.there, alias.values)


def _alias_creation(alias: AliasTarget, values: Mapping[str, Value]) -> AliasChange:
    unusual = [key for key in COMPARED_FIELDS if values[key] != NEW_ALIAS.get(key)]
    return AliasChange(
        Kind.CREATE,
        alias.address,
        alias.rule,
        alias.dn,
        fields=tuple(FieldChange(key, None, values[key]) for key in unusual),
        rebuilds=alias.rebuilds,
        remember=alias.after,
        writes=values,
    )


def _alias_edit(alias: AliasTarget, there: ExistingAlias, values: Mapping[str, Value]) -> AliasChange | None:
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
