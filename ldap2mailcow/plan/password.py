"""Whether a mailbox's password is written: mailcow never shows it, so this rests on digests and time stamps."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import Code, Existing, Mailbox, Origin, Remembered, Why

from .draft import Draft


@dataclass(frozen=True, slots=True)
class PasswordDecision:
    """What happens to the password of an existing mailbox."""

    write: SecretStr | None = None
    why: Why = Why.PASSWORD
    digest: str | None = None
    """To be remembered; None leaves what is remembered."""
    seen: str | None = None
    """mailcow's stamp, to be remembered as the one of our own last write; None leaves it."""


LEAVE = PasswordDecision()


def decide_password(
    draft: Draft,
    mailbox: Mailbox,
    row: Remembered | None,
    existing: Existing,
    *,
    switching: bool,
) -> PasswordDecision:
    """Decide about the password of a mailbox that is ours or becomes ours.

    `switching`: it comes from another identity provider to mailcow's own passwords, where it has none, so that it must
    get one now.
    """
    memory, password = draft.view.memory, mailbox.password
    if password is None:
        _tell_vanished(draft, mailbox, row)
        return LEAVE
    digest = memory.seal(password)
    if switching:
        return PasswordDecision(password, Why.LDAP, digest)
    if row is None or row.digest is None:
        return _first_look(draft, row, existing, password, digest)
    if not memory.is_comparable(row.digest) and not draft.view.options.reassert:
        return PasswordDecision(digest=digest, seen=existing.passwd_update)
    if memory.is_comparable(row.digest) and row.digest != digest:
        return PasswordDecision(password, Why.PASSWORD, digest)
    if draft.view.options.reassert:
        return PasswordDecision(password, Why.REASSERT, digest)
    return _look_for_drift(draft, mailbox, row, existing, PasswordDecision(password, Why.DRIFT, digest))


def _first_look(
    draft: Draft,
    row: Remembered | None,
    existing: Existing,
    password: SecretStr,
    digest: str,
) -> PasswordDecision:
    """Decide about the first usable password that we see for a mailbox which was there before."""
    if row is not None and row.origin is not Origin.ANCESTOR:
        return PasswordDecision(password, Why.PASSWORD, digest)  # there was none when it became ours
    if draft.view.options.reassert or draft.view.config.adopt_mailboxes == "overwrite":
        return PasswordDecision(password, Why.UNKNOWN_HERE, digest)
    return PasswordDecision(digest=digest, seen=existing.passwd_update)


def _look_for_drift(
    draft: Draft,
    mailbox: Mailbox,
    row: Remembered,
    existing: Existing,
    overwrite: PasswordDecision,
) -> PasswordDecision:
    """Decide about a password that is as it was in the directory, but may have been changed in mailcow."""
    if row.passwd_update is None:
        return PasswordDecision(seen=existing.passwd_update)
    if existing.passwd_update <= row.passwd_update:
        return LEAVE
    if draft.view.config.password_drift == "overwrite":  # noqa: S105 - a setting
        return overwrite
    draft.find(
        Code.PASSWORD_DRIFT,
        mailbox.dn,
        f"the password of {mailbox.address} was changed in mailcow at {existing.passwd_update} (its own time) and "
        "stays; set password_drift: overwrite to have the directory's back",
    )
    return LEAVE


def _tell_vanished(draft: Draft, mailbox: Mailbox, row: Remembered | None) -> None:
    """Say that a password we once had is gone; one that is there but unusable has its own finding already."""
    if row is None or row.digest is None or "password" in mailbox.present:
        return
    if mailbox.attributes.get("authsource") != "mailcow" or row.digest == draft.view.memory.seal(NOBODY):
        return
    attribute = draft.view.source.user_mapping.password
    draft.find(
        Code.PASSWORD_VANISHED,
        mailbox.dn,
        f"it no longer shows {attribute}; {mailbox.address} keeps its old password in mailcow; "
        f"let the bind DN read {attribute}, or set a password in the directory",
    )
