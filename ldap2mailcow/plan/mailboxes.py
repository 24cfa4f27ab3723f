"""What each wanted mailbox needs: to be created, adopted, updated, enabled, disabled, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    NAME,
    QUOTA,
    TLS_IN,
    TLS_OUT,
    Address,
    Cause,
    Change,
    Code,
    Existing,
    FieldChange,
    Finding,
    Kind,
    Mailbox,
    Note,
    Origin,
    Patch,
    Remembered,
    Value,
    Why,
)

from .draft import Draft
from .order import lowers_quota
from .password import PasswordDecision, decide_password

COMPARED = (NAME.key, QUOTA.key, AUTHSOURCE.key, TLS_IN.key, TLS_OUT.key)
"""The attributes that follow the directory as they are; `active` has rules of its own."""


def decide_mailboxes(draft: Draft) -> None:
    """Decide about every mailbox that the directory wants.

    Those that free quota come first, as they will in the run; else in address order, so that plans are the same each
    time.
    """
    for address, mailbox in sorted(draft.view.desired.mailboxes.items(), key=lambda item: _turn(draft, item[1])):
        if not draft.in_scope(address):
            continue
        if draft.is_protected(address):
            draft.find(Code.PROTECTED, mailbox.dn, f"{address} is protected by the config and left alone")
            continue
        if _held_by_another(draft, mailbox):
            continue
        draft.served.add(address)
        existing = draft.view.actual.mailboxes.get(address)
        if existing is None:
            _create(draft, mailbox)
        else:
            _Keeper(draft, mailbox, existing).decide()


def _turn(draft: Draft, mailbox: Mailbox) -> tuple[bool, Address]:
    existing, wanted = draft.view.actual.mailboxes.get(mailbox.address), mailbox.attributes.get(QUOTA.key)
    if existing is None or wanted is None:
        return True, mailbox.address
    return not lowers_quota(QUOTA.key, existing.attributes[QUOTA.key], wanted), mailbox.address


def _held_by_another(draft: Draft, mailbox: Mailbox) -> bool:
    """Tell whether identity forbids touching the address: its entry had another one, or another entry has it."""
    address = mailbox.address
    own = draft.remembered_by_id.get(mailbox.id) or draft.remembered_by_dn.get(mailbox.dn.lower())
    if own and own.address != address and _is_gone_from_mailcow(draft, own.address):
        draft.notes.append(Note(own.address, None))  # renamed or deleted there by hand: nothing is left to hold on to
    elif own and own.address != address:
        draft.find(
            Code.RENAMED,
            mailbox.dn,
            f"its address changed from {own.address} to {address}; renaming is not built yet, so neither is touched; "
            "rename the mailbox in mailcow's UI or give the entry its old address back",
        )
        return True
    holder = draft.view.memory.mailboxes.get(address)
    if holder is None or _is_gone_from_mailcow(draft, address) or _is_entry_of(mailbox, holder, draft):
        return False
    absence_is_known = draft.sees_all and draft.is_of_source(holder)
    if holder.id is None or holder.id in draft.view.desired.ids or not absence_is_known:
        draft.find(
            Code.ADDRESS_REUSED,
            mailbox.dn,
            f"it wants {address}, which is still the mailbox of {holder.dn}; first that one must give it up",
        )
        return True
    gone_for = draft.view.now - (holder.missing_since or draft.view.now)
    if gone_for > draft.view.config.removed_users.missing_for:
        draft.find(
            Code.ADDRESS_REUSED,
            mailbox.dn,
            f"it wants {address}, the mailbox of {holder.dn}, which is gone from the directory for too long to be the "
            "same person; move the old mailbox away in mailcow, or give the new entry another address",
        )
        return True
    return False


def _is_gone_from_mailcow(draft: Draft, address: Address) -> bool:
    """Tell whether mailcow surely has no such mailbox: its domain was read, and it isn't in there."""
    return address.domain in draft.view.actual.domains and address not in draft.view.actual.mailboxes


def _is_entry_of(mailbox: Mailbox, holder: Remembered, draft: Draft) -> bool:
    """Tell whether a row may be the entry's own: by its id, or without one, unless its DN is another entry's."""
    if holder.id is not None:
        return holder.id == mailbox.id
    return holder.dn.lower() not in draft.view.desired.dns - {mailbox.dn.lower()}


def _create(draft: Draft, mailbox: Mailbox) -> None:
    """Plan a new mailbox, whole in one call, or say why it can't be made."""
    view, address = draft.view, mailbox.address
    writes = dict(mailbox.attributes)
    if address in view.actual.aliases:
        draft.find(
            Code.ADDRESS_IS_ALIAS,
            mailbox.dn,
            f"{address} is an alias in mailcow, so no mailbox can be made; delete that alias in mailcow",
        )
        return
    if not _provider_ready(draft, mailbox):
        return
    password = mailbox.password
    if writes[AUTHSOURCE.key] == "mailcow" and password is None:
        if view.config.missing_password == "skip":  # noqa: S105 - a setting
            if "password" not in mailbox.present:
                draft.find(
                    Code.NO_PASSWORD,
                    mailbox.dn,
                    f"it shows no {view.source.user_mapping.password or 'password'}, so {address} is not created; let "
                    "the bind DN read it, or set missing_password: random for a mailbox that can't be logged in to yet",
                )
            return
        password = NOBODY
    room = draft.rooms[address.domain]
    if over := room.over_limit(address, int(writes.get(QUOTA.key, 0)), mailbox.dn):
        draft.findings.append(over)
        del writes[QUOTA.key]
    quota = int(writes.setdefault(QUOTA.key, room.domain.default_quota))
    if full := room.take_mailbox(address, quota, mailbox.dn):
        draft.findings.append(full)
        return
    inactive = writes.setdefault(ACTIVE.key, 1) == 0
    draft.changes.append(
        Change(
            Kind.CREATE,
            address,
            Why.NEW,
            mailbox.dn,
            fields=tuple(FieldChange(key, None, writes[key]) for key in ATTRIBUTES if key in writes),
            writes=writes,
            password=password,
            add_tags=(view.config.mark, draft.disabled_tag) if inactive else (view.config.mark,),
            rebuilds=1 if inactive else 0,
            remember={
                **_identity(draft, mailbox),
                "origin": Origin.CREATED,
                "applied": _applied(mailbox, writes),
                "digest": view.memory.seal(password) if password else None,
                "passwd_update": None,
                "disabled": Cause.STATUS if inactive else None,
            },
        ),
    )


def _provider_ready(draft: Draft, mailbox: Mailbox) -> bool:
    """Tell whether the identity provider a mailbox shall use is set up; mailcow would silently take its own."""
    wanted, there = mailbox.attributes[AUTHSOURCE.key], draft.view.actual.provider
    if wanted in ("mailcow", there):
        return True
    draft.find_once(
        Code.PROVIDER_NOT_SET_UP,
        draft.view.source.name,
        f"its people shall log in through {wanted}, but mailcow's identity provider is "
        f"{'not set up' if there == 'mailcow' else there}, so none of them is moved there or created; set it up in "
        "mailcow, or set user_mapping.authsource: mailcow",
    )
    return False


def _identity(draft: Draft, mailbox: Mailbox) -> dict[str, object]:
    """Return what is remembered of a mailbox whose entry is there, whatever else happens to it."""
    row = draft.view.memory.mailboxes.get(mailbox.address)
    had = row.present if row and not draft.whole else frozenset()  # a doubtful answer makes nobody poorer
    return {
        "source": mailbox.source,
        "id": mailbox.id if draft.ids_hold else None,
        "dn": mailbox.dn,
        "missing_since": None,
        "missed": 0,
        "present": mailbox.present | had,
    }


def _applied(mailbox: Mailbox, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return what is remembered as applied: the managed attributes only, so not what was filled in at creation."""
    return {key: values[key] for key in mailbox.attributes if key in values}


@dataclass
class _Keeper:
    """Decides about one mailbox that mailcow has and the directory wants."""

    draft: Draft
    mailbox: Mailbox
    existing: Existing

    def decide(self) -> None:
        """Plan what brings the mailbox to what the directory wants, its attributes and its status apart."""
        draft, row = self.draft, self.row
        ours = draft.is_ours(self.existing)
        if not ours and draft.view.config.adopt_mailboxes == "refuse":
            draft.find(
                Code.ADOPTION_REFUSED,
                self.mailbox.dn,
                f"{self.mailbox.address} was in mailcow before and is left alone; set adopt_mailboxes to keep_password "
                "or overwrite to have it managed",
            )
            return
        fields = self.differing()
        password = decide_password(
            draft,
            self.mailbox,
            row,
            self.existing,
            switching=any(change.key == AUTHSOURCE.key and change.after == "mailcow" for change in fields),
        )
        identity = _identity(draft, self.mailbox)
        if row is None:
            identity["origin"] = Origin.MARK if ours else Origin.ADOPTED
        patch = {**identity, "applied": _applied(self.mailbox, {**self.existing.attributes, **_after(fields)})}
        if password.digest:
            patch["digest"] = password.digest
        if password.write or password.seen:
            patch["passwd_update"] = password.seen
        if self.is_active_again:
            patch["disabled"] = None
        status = self.status(identity)
        if blocked := self.blocked(fields) if fields or self.tags or password.write or status else None:
            draft.findings.append(blocked)
            return
        if fields or self.tags or self.stale_tags or password.write:
            draft.changes.append(self.update(fields, password, patch, adopting=not ours))
        elif row is None or any(getattr(row, key) != value for key, value in patch.items()):
            draft.note(self.mailbox.address, **patch)
        if status:
            draft.changes.append(status)

    @property
    def row(self) -> Remembered | None:
        return self.draft.view.memory.mailboxes.get(self.mailbox.address)

    def differing(self) -> tuple[FieldChange, ...]:
        """Return the managed attributes that differ, without those that mailcow can't be given."""
        wanted, now = self.mailbox.attributes, self.existing.attributes
        return tuple(
            FieldChange(key, now[key], wanted[key])
            for key in COMPARED
            if key in wanted and wanted[key] != now[key] and self.possible(key)
        )

    def possible(self, key: str) -> bool:
        """Tell whether an attribute can take its wanted value; a finding says why not."""
        if key == AUTHSOURCE.key:
            if self.mailbox.attributes[key] == "mailcow" and self.mailbox.password is None:
                self.draft.find(
                    Code.NO_PASSWORD,
                    self.mailbox.dn,
                    f"{self.mailbox.address} can't be moved from {self.existing.attributes[key]} to mailcow's own "
                    "passwords without one; set a password in the directory",
                )
                return False
            return _provider_ready(self.draft, self.mailbox)
        if key == QUOTA.key:
            room = self.draft.rooms[self.mailbox.address.domain]
            before, after = int(self.existing.attributes[key]), int(self.mailbox.attributes[key])
            address, dn = self.mailbox.address, self.mailbox.dn
            problem = room.over_limit(address, after, dn) or room.take_quota(address, before, after, dn)
            if problem:
                self.draft.findings.append(problem)
            return problem is None
        return True

    @property
    def tags(self) -> tuple[str, ...]:
        """The mark, where mailcow doesn't show it."""
        mark = self.draft.view.config.mark
        return () if mark in self.existing.tags else (mark,)

    @property
    def is_active_again(self) -> bool:
        """Whether somebody gave a mailbox another status in mailcow than the inactive one that we had set."""
        return self.existing.attributes[ACTIVE.key] != 0 and self.mailbox.attributes.get(ACTIVE.key) != 0

    @property
    def stale_tags(self) -> tuple[str, ...]:
        """The tag that claims an inactive state which is over: left there, it would claim the next one too."""
        tag = self.draft.disabled_tag
        return (tag,) if self.is_active_again and tag in self.existing.tags else ()

    def blocked(self, fields: tuple[FieldChange, ...]) -> Finding | None:
        """Say that mailcow would refuse the edit for a quota that no longer fits."""
        quota = int({**self.existing.attributes, **_after(fields)}[QUOTA.key])
        return self.draft.rooms[self.mailbox.address.domain].blocks_edits(self.existing, quota, self.mailbox.dn)

    def update(
        self,
        fields: tuple[FieldChange, ...],
        password: PasswordDecision,
        patch: Patch,
        *,
        adopting: bool,
    ) -> Change:
        """Return the one change of the attributes, tags and password."""
        again = password.write and password.why is Why.REASSERT and not (fields or self.tags or self.stale_tags)
        kind = Kind.ADOPT if adopting else Kind.REASSERT if again else Kind.UPDATE
        return Change(
            kind,
            self.mailbox.address,
            self.why(kind, fields, password),
            self.mailbox.dn,
            fields=fields,
            writes=_after(fields),
            password=password.write,
            add_tags=self.tags,
            remove_tags=self.stale_tags,
            attribute_hash=self.existing.attribute_hash,
            passwd_update=self.existing.passwd_update,
            rebuilds=0 if self.existing.attributes[ACTIVE.key] == 1 else 1,
            remember=patch,
        )

    def why(self, kind: Kind, fields: tuple[FieldChange, ...], password: PasswordDecision) -> Why:
        """Name the rule: the directory's doing if a wanted value isn't the one we last applied, else mailcow's."""
        if kind is Kind.ADOPT:
            return Why.UNKNOWN_HERE
        applied = self.row.applied if self.row else {}
        if any(applied.get(field.key) != field.after for field in fields):
            return Why.LDAP
        if password.write and password.why is not Why.REASSERT:
            return password.why
        return Why.REASSERT if kind is Kind.REASSERT else Why.MAILCOW

    def status(self, identity: Patch) -> Change | None:
        """Plan what the entry's status asks for, by the rule of two masters: 0 becomes 1 only where we set the 0."""
        wanted, now = self.mailbox.attributes.get(ACTIVE.key), self.existing.attributes[ACTIVE.key]
        cause = self.row.disabled if self.row else None
        if wanted == 0:
            if now == 0:
                return None
            return self.set_active(Kind.DISABLE, Why.STATUS, 0, {**identity, "disabled": Cause.STATUS})
        if wanted is None and self.may_be_locked(cause):
            return None  # its status isn't told any more, which is not the same as active
        if now == 0 and (cause or self.draft.disabled_tag in self.existing.tags):
            why = Why.BACK if cause is Cause.MISSING else Why.STATUS_BACK
            return self.set_active(Kind.ENABLE, why, 1, {**identity, "disabled": None})
        if now != 1 and wanted == 1:
            self.draft.find(
                Code.DISABLED_BY_HAND,
                self.mailbox.dn,
                f"the directory says that it is active, but {self.mailbox.address} was "
                f"{'set inactive' if now == 0 else 'barred from logging in'} in mailcow by somebody else; "
                "activate it in mailcow if that is no longer meant",
            )
        return None

    def may_be_locked(self, cause: Cause | None) -> bool:
        """Tell whether an inactive state may be its status' doing: surely, or because only the tag is left of it."""
        status_is_mapped = bool(self.draft.view.source.user_mapping.active)
        return cause is Cause.STATUS or (cause is None and status_is_mapped)

    def set_active(self, kind: Kind, why: Why, value: int, patch: Patch) -> Change:
        return status_change(self.draft, kind, why, self.existing, self.mailbox.dn, value, patch)


def _after(fields: tuple[FieldChange, ...]) -> dict[str, Value]:
    return {field.key: field.after for field in fields}


def status_change(
    draft: Draft,
    kind: Kind,
    why: Why,
    existing: Existing,
    dn: str,
    value: int,
    patch: Patch,
) -> Change:
    """Return the change that sets a mailbox active (1) or inactive (0), with the tag that says who did it."""
    tag = draft.disabled_tag
    before = cast("int", existing.attributes[ACTIVE.key])
    return Change(
        kind,
        existing.address,
        why,
        dn,
        fields=(FieldChange(ACTIVE.key, before, value),),
        writes={ACTIVE.key: value},
        add_tags=(tag,) if value == 0 and tag not in existing.tags else (),
        remove_tags=(tag,) if value == 1 and tag in existing.tags else (),
        attribute_hash=existing.attribute_hash,
        passwd_update=existing.passwd_update,
        rebuilds=1 if value == 0 else 0,
        remember=patch,
    )
