"""Mailboxes that mailcow has and the directory wants: adopted or ours, brought to what the directory says."""

from __future__ import annotations

from dataclasses import dataclass

from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    QUOTA,
    Cause,
    Code,
    Existing,
    FieldChange,
    Kind,
    Mailbox,
    MailboxChange,
    Origin,
    Patch,
    Remembered,
    Value,
    Why,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.remembering import applied, identity

from .creation import provider_ready
from .password import PasswordDecision, decide_password
from .status import decide_status, is_over

COMPARED = tuple(key for key in ATTRIBUTES if key not in (ACTIVE.key, AUTHSOURCE.key))
"""The attributes that follow the directory as they are; `active` and `authsource` have rules of their own."""


@dataclass
class Keeper:
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
                self.mailbox.address,
                f"{self.mailbox.address} was in mailcow before and is left alone; set adopt_mailboxes to keep_password "
                "or overwrite to have it managed",
            )
            return
        fields, switch = self.differing(), self.switch()
        password = decide_password(draft, self.mailbox, row, self.existing)
        known = identity(draft, self.mailbox)
        if row is None:
            known["origin"] = Origin.MARK if ours else Origin.ADOPTED
        patch = {**known, "applied": applied(self.mailbox, {**self.existing.attributes, **_after(fields)})}
        if password.digest:
            patch["digest"] = password.digest
        if password.write or password.seen:
            patch |= {"passwd_update": password.seen, "kept": password.kept}
        patch |= self.doing
        status = decide_status(draft, self.mailbox, self.existing, row, known)
        quota = int({**self.existing.attributes, **_after(fields)}[QUOTA.key])
        edits = fields or self.tags or password.write or status or switch
        if edits and (blocked := draft.blocked(self.existing, self.mailbox.dn, quota)):
            draft.findings.append(blocked)
            return
        if fields or self.tags or self.stale_tags or password.write:
            draft.changes.append(self.update(fields, password, patch, adopting=not ours))
        elif row is None or any(getattr(row, key) != value for key, value in patch.items()):
            draft.note(self.mailbox.address, **patch)
        if switch:
            draft.changes.append(self.switching(switch, known, _after((*fields, switch))))
        if status:
            draft.changes.append(status)

    @property
    def row(self) -> Remembered | None:
        """What we remember of it."""
        return self.draft.view.memory.mailboxes.get(self.mailbox.address)

    def differing(self) -> tuple[FieldChange, ...]:
        """Return the managed attributes that differ, without those that mailcow can't be given."""
        wanted, now = self.mailbox.attributes, self.existing.attributes
        return tuple(
            FieldChange(key, now[key], wanted[key])
            for key in COMPARED
            if key in wanted and wanted[key] != now[key] and self.is_told(key) and self.possible(key)
        )

    def is_told(self, key: str) -> bool:
        """Tell whether a value is believed: not where an attribute that makes it has vanished from most entries."""
        return self.draft.vanished.isdisjoint(ATTRIBUTES[key].mapped)

    def possible(self, key: str) -> bool:
        """Tell whether an attribute can take its wanted value; a finding says why not."""
        if key != QUOTA.key:
            return True
        room = self.draft.rooms[self.mailbox.address.domain]
        before, after = int(self.existing.attributes[key]), int(self.mailbox.attributes[key])
        address, dn = self.mailbox.address, self.mailbox.dn
        problem = room.over_limit(address, after, dn) or room.take_quota(address, before, after, dn)
        if problem:
            self.draft.findings.append(problem)
        return problem is None

    def switch(self) -> FieldChange | None:
        """Return the change of who checks the password, if there is one to make and it can be made."""
        wanted, now = self.mailbox.attributes.get(AUTHSOURCE.key), self.existing.attributes[AUTHSOURCE.key]
        if wanted in (None, now) or not provider_ready(self.draft, self.mailbox):
            return None
        if wanted == "mailcow" and self.keeps_its_login:
            return None
        if wanted == "mailcow" and self.mailbox.password is None:
            self.draft.find(
                Code.NO_PASSWORD,
                self.mailbox.dn,
                f"{self.mailbox.address} can't be moved from {now} to mailcow's own passwords without one; set one in "
                "the directory",
            )
            return None
        return FieldChange(AUTHSOURCE.key, now, str(wanted))

    def switching(self, switch: FieldChange, known: Patch, after: dict[str, Value]) -> MailboxChange:
        """Return the change of who checks the password; to mailcow's own, the password comes with it."""
        password = self.mailbox.password if switch.after == "mailcow" else None
        patch = {**known, "applied": applied(self.mailbox, {**self.existing.attributes, **after})}
        if password:
            patch |= {"digest": self.draft.view.memory.seal(password), "passwd_update": None, "kept": False}
        return MailboxChange(
            Kind.SWITCH,
            self.mailbox.address,
            Why.LDAP,
            self.mailbox.dn,
            fields=(switch,),
            writes={switch.key: switch.after},
            password=password,
            attribute_hash=self.existing.attribute_hash,
            passwd_update=self.existing.passwd_update,
            rebuilds=0 if self.existing.attributes[ACTIVE.key] == 1 else 1,
            remember=patch,
        )

    @property
    def keeps_its_login(self) -> bool:
        """Whether a mailbox of another identity provider stays there: `keep_password` keeps how somebody logs in."""
        is_new_here = self.row is None or self.row.digest is None or self.row.kept
        return is_new_here and self.draft.view.config.adopt_mailboxes == "keep_password"

    @property
    def tags(self) -> tuple[str, ...]:
        """The mark, where mailcow doesn't show it; mailboxes that come from elsewhere don't get one."""
        draft = self.draft
        return draft.marks.missing(self.existing.tags) if draft.view.config.create_mailboxes else ()

    @property
    def is_over(self) -> bool:
        """Whether the state that we once set is over."""
        return is_over(self.draft, self.mailbox, self.existing, self.row)

    @property
    def doing(self) -> Patch:
        """What is remembered of an inactive state that is or was our doing, where no change of it does that."""
        if self.is_over:
            return {"disabled": None}
        if self.mailbox.attributes.get(ACTIVE.key) != 0 or not (self.row and self.row.disabled):
            return {}
        is_inactive = self.existing.attributes[ACTIVE.key] == 0  # back, and for another reason
        return {"disabled": Cause.STATUS, **({"barred": 0} if is_inactive else {})}

    @property
    def stale_tags(self) -> tuple[str, ...]:
        """The tag that claims an inactive state which is over: left there, it would claim the next one too."""
        tag = self.draft.disabled_tag
        return (tag,) if self.is_over and tag in self.existing.tags else ()

    def update(
        self,
        fields: tuple[FieldChange, ...],
        password: PasswordDecision,
        patch: Patch,
        *,
        adopting: bool,
    ) -> MailboxChange:
        """Return the one change of the attributes, tags and password."""
        again = password.write and password.why is Why.REASSERT and not (fields or self.tags or self.stale_tags)
        kind = Kind.ADOPT if adopting else Kind.REASSERT if again else Kind.UPDATE
        return MailboxChange(
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


def _after(fields: tuple[FieldChange, ...]) -> dict[str, Value]:
    return {field.key: field.after for field in fields}
