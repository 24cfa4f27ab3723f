"""The difference: what is there against what should be there, by two tables. No rule is decided here.

A mailbox has parts that are written by themselves (the table of attributes says which field is of which part), and the
state file has columns that belong to each part: they are remembered once the change of that part is confirmed. What is
remembered of a thing that needs no change is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
from .target import BARRED, AliasTarget, MailboxTarget, RightsTarget, Targets
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

_KEYS = {part: [key for key, row in ATTRIBUTES.items() if row.part is part] for part in Part}
"""The attributes of each part."""


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
        if change is not None:
            changes.append(change)
        else:
            notes += _note(alias.address, Subject.ALIAS, alias.row, alias.after)
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
    changes = [*_edits(box, box.there, case.marks.disabled), *grants]
    after = {**box.after, **(rights.after if rights else {})}
    written = frozenset().union(*map(_columns, changes))
    others = _part(after, after.keys() - written)
    begun = frozenset[str]() if box.row else others.keys()  # by any of the changes: those before it may fail
    changes = [replace(change, remember=_part(after, _columns(change) | begun)) for change in changes]
    notes = () if begun and changes else _note(box.address, Subject.MAILBOX, box.row, others)
    return changes, notes


def _columns(change: MailboxChange) -> frozenset[str]:
    """Return the columns that are true after a change."""
    return COLUMNS[PARTS.get(change.kind, Part.VALUES)]


def _part(after: Patch, columns: AbstractSet[str]) -> Patch:
    return {column: value for column, value in after.items() if column in columns}


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

    A password goes with the login, and the tag that says who set it inactive with the status, if those change.
    """
    values, login, status = (_changed_fields(box, there, part) for part in (Part.VALUES, Part.LOGIN, Part.STATUS))
    tags = box.tags ^ there.tags
    of_status = tags & {disabled_tag} if status else frozenset[str]()
    tags -= of_status
    password = None if login else box.password
    is_same = not values and not tags
    if password or not is_same:
        kind = _kind_of_update(box, is_same=is_same)
        yield _edit(box, there, kind, values, tags, password)
    if login:
        yield _edit(box, there, Kind.SWITCH, login, password=box.password)
    for field in status:
        is_more = _SERVICE.get(field.after, 0) > _SERVICE.get(field.before, 0)
        yield _edit(box, there, Kind.ENABLE if is_more else Kind.DISABLE, status, of_status)


_SERVICE: Mapping[Value | None, int] = {BARRED: 1, 1: 2}
"""How much a user can do, by what `active` is; nothing where it is anything else."""


def _kind_of_update(box: MailboxTarget, *, is_same: bool) -> Kind:
    if box.is_adopted:
        return Kind.ADOPT
    return Kind.REASSERT if is_same and box.rules.get(Part.VALUES) is Rule.REASSERT else Kind.UPDATE


def _changed_fields(box: MailboxTarget, there: Existing, part: Part) -> tuple[FieldChange, ...]:
    wanted = box.values or {}
    changed = (key for key in _KEYS[part] if wanted[key] != there.attributes[key])
    return tuple(FieldChange(key, there.attributes[key], wanted[key]) for key in changed)


def _edit(
    box: MailboxTarget,
    there: Existing,
    kind: Kind,
    fields: tuple[FieldChange, ...],
    tags: frozenset[str] = frozenset(),
    password: SecretStr | None = None,
) -> MailboxChange:
    """Return one edit; `tags` are all that come or go."""
    change = MailboxChange(
        kind,
        box.address,
        box.rules.get(PARTS.get(kind, Part.VALUES), box.rule),
        box.dn,
        fields=fields,
        writes={field.key: field.after for field in fields},
        password=password,
        add_tags=tuple(sorted(tags & box.tags)),
        remove_tags=tuple(sorted(tags & there.tags)),
    )
    return _of_one_there(change, there)


def _of_one_there(change: MailboxChange, there: Existing) -> MailboxChange:
    """Return a change with what follows from the mailbox as it is; it rebuilds the address book unless it is active."""
    active = change.writes.get(ACTIVE.key, there.attributes[ACTIVE.key])
    return replace(
        change,
        attribute_hash=there.attribute_hash,
        passwd_update=there.passwd_update,
        rebuilds=0 if active == 1 else 1,
    )


def _grant(box: MailboxTarget, rights: RightsTarget) -> tuple[MailboxChange, ...]:
    """Return the one edit of rights, none where they are as they should be."""
    if (rights.rows, rights.foreign) == (rights.there, rights.foreign_there):
        return ()
    before, after = sorted(rights.there | rights.foreign_there), sorted(rights.rows | rights.foreign)
    change = MailboxChange(
        Kind.GRANT,
        rights.address,
        rights.rule,
        rights.dn,
        fields=(FieldChange("send_as", ", ".join(before) or None, ", ".join(after)),),
        remember=rights.after,
        senders=None if rights.rows == rights.there else tuple(sorted(rights.rows)),
        foreign_senders=None if rights.foreign == rights.foreign_there else tuple(sorted(rights.foreign)),
    )
    return (_of_one_there(change, box.there) if box.there else change,)


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


def _alias_change(alias: AliasTarget) -> AliasChange | None:
    """Return the one change of an alias; None for none."""
    if alias.there is None:
        return _alias_creation(alias, alias.values) if alias.values else None
    return _removal(alias, alias.there) if alias.values is None else _alias_edit(alias, alias.there, alias.values)


def _removal(alias: AliasTarget, there: ExistingAlias) -> AliasChange:
    return AliasChange(Kind.REMOVE, alias.address, alias.rule, alias.dn, remember=None, number=there.number)


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
    shown = [key for key in (*COMPARED_FIELDS, ALIAS_ACTIVE) if values[key] != there.values[key]]
    comment = [PRIVATE_COMMENT] if values[PRIVATE_COMMENT] != there.values[PRIVATE_COMMENT] else []
    writes = {key: values[key] for key in (*shown, *comment)}
    if not writes and not alias.is_adopted:
        return None
    kind = Kind.ADOPT if alias.is_adopted else _ALIAS_KINDS.get(writes.get(ALIAS_ACTIVE), Kind.ENABLE)
    return AliasChange(
        kind,
        alias.address,
        alias.rule,
        alias.dn,
        fields=tuple(FieldChange(key, there.values[key], values[key]) for key in shown),
        rebuilds=alias.rebuilds if writes else 0,
        remember=alias.after,
        writes=writes,
        number=there.number,
    )


_ALIAS_KINDS: Mapping[Value | None, Kind] = {None: Kind.UPDATE, 0: Kind.DISABLE}
"""The kind of an edit by what `active` becomes, None where it stays; all others enable it."""
