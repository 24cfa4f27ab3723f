"""Whether a mailbox's password is written: mailcow never shows it, so this rests on digests and time stamps."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import AUTHSOURCE, Code, Existing, Mailbox, Origin, Remembered, Why
from ldap2mailcow.plan.draft import Draft


@dataclass(frozen=True, slots=True)
class PasswordDecision:
    """What happens to the password of an existing mailbox."""

    write: SecretStr | None = None
    why: Why = Why.PASSWORD
    digest: str | None = None
    """To be remembered; None leaves what is remembered."""
    seen: str | None = None
    """mailcow's stamp, to be remembered as the one of our own last write; None leaves it."""
    kept: bool = False
    """Whether the password in mailcow stays its own, and the digest is only of what the directory had then."""


LEAVE = PasswordDecision()


def decide_password(
    draft: Draft,
    mailbox: Mailbox,
    row: Remembered | None,
    existing: Existing,
) -> PasswordDecision:
    """Decide about the password of a mailbox that is ours or becomes ours; a switch of login brings its own."""
    memory, password = draft.view.memory, mailbox.password
    if password is None:
        _tell_vanished(draft, mailbox, row)
        return LEAVE
    digest = memory.seal(password)
    if existing.attributes[AUTHSOURCE.key] != "mailcow":
        return LEAVE  # somebody else checks it; mailcow would ignore ours
    if row is None or row.digest is None:
        return _first_look(draft, row, existing, password, digest)
    kept = row.kept and draft.view.config.adopt_mailboxes == "keep_password"
    if not memory.is_comparable(row.digest) and (kept or not draft.view.options.reassert):
        return PasswordDecision(digest=digest, seen=existing.passwd_update, kept=row.kept)
    if memory.is_comparable(row.digest) and row.digest != digest:
        return PasswordDecision(password, Why.PASSWORD, digest)
    if kept:
        return LEAVE
    return _written_again(draft, mailbox, row, existing, password, digest)


def _first_look(
    draft: Draft,
    row: Remembered | None,
    existing: Existing,
    password: SecretStr,
    digest: str,
) -> PasswordDecision:
    """Decide about the first usable password that we see for a mailbox which was there before."""
    if row is not None and row.origin in {Origin.ADOPTED, Origin.CREATED}:
        return PasswordDecision(password, Why.PASSWORD, digest)  # there was none when it became ours
    policy = draft.view.config.adopt_mailboxes
    if policy == "overwrite" or (policy == "refuse" and draft.view.options.reassert):
        return PasswordDecision(password, Why.UNKNOWN_HERE, digest)
    return PasswordDecision(digest=digest, seen=existing.passwd_update, kept=True)


def _written_again(
    draft: Draft,
    mailbox: Mailbox,
    row: Remembered,
    existing: Existing,
    password: SecretStr,
    digest: str,
) -> PasswordDecision:
    """Decide about a password that is as it was in the directory, but may have been changed in mailcow."""
    drifted = row.passwd_update is not None and existing.passwd_update > row.passwd_update
    if drifted and draft.view.config.password_drift == "report":  # noqa: S105 - a setting
        draft.find(
            Code.PASSWORD_DRIFT,
            mailbox.dn,
            f"the password of {mailbox.address} was changed in mailcow at {existing.passwd_update} (its own time) and "
            "stays; set password_drift: overwrite to have the directory's back",
        )
        return LEAVE
    if draft.view.options.reassert:
        return PasswordDecision(password, Why.REASSERT, digest)
    if drifted:
        return PasswordDecision(password, Why.DRIFT, digest)
    return PasswordDecision(seen=existing.passwd_update) if row.passwd_update is None else LEAVE


def _tell_vanished(draft: Draft, mailbox: Mailbox, row: Remembered | None) -> None:
    """Say that a password we once had is gone; one that is there but unusable has its own finding already."""
    mapping = draft.view.source.user_mapping
    if row is None or row.digest is None or "password" in mailbox.present or not mapping.password:
        return
    if mapping.authsource != "mailcow" or row.digest == draft.view.memory.seal(NOBODY):
        return
    attribute = mapping.password
    draft.find(
        Code.PASSWORD_VANISHED,
        mailbox.dn,
        f"it no longer shows {attribute}; {mailbox.address} keeps its old password in mailcow; "
        f"let the bind DN read {attribute}, or set a password in the directory",
    )
