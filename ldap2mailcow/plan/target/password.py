"""Whether a mailbox's password is written: mailcow never shows it, so this rests on digests and time stamps."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import AUTHSOURCE, Existing, Origin, Patch, Remembered, Rule, Say, Value
from ldap2mailcow.plan.matching import Match

from .making import Making


@dataclass(frozen=True, slots=True)
class Password:
    """What happens to the password of a mailbox that is there."""

    write: SecretStr | None = None
    rule: Rule = Rule.MAILCOW
    after: Patch = field(default_factory=dict)
    """What is remembered of it."""


LEAVE = Password()


def _write(password: SecretStr, rule: Rule, digest: str) -> Password:
    """Return a password to be written; mailcow's stamp of that is read back after the run."""
    return Password(password, rule, {"digest": digest, "passwd_update": None, "kept": False})


def _look(existing: Existing, digest: str, *, kept: bool) -> Password:
    """Take what mailcow has as ours; `kept`: it stays the user's own until the directory's changes."""
    return Password(after={"digest": digest, "passwd_update": existing.passwd_update, "kept": kept})


def password_of(making: Making, match: Match, existing: Existing, login: Value) -> Password:
    """Decide about the password of a mailbox that is ours or becomes ours, given who will check it."""
    memory, row, password = making.case.memory, match.row, match.user.password
    if login != "mailcow":
        return LEAVE  # mailcow would ignore ours
    if password is None:
        _tell_vanished(making, match)
        return LEAVE
    digest = memory.seal(password)
    if existing.attributes[AUTHSOURCE.key] != "mailcow":
        return _write(password, Rule.LDAP, digest)  # nothing tells what it has
    if row is None or row.digest is None:
        return _first_look(making, row, existing, password)
    if not memory.is_comparable(row.digest):
        return _look(existing, digest, kept=row.kept)  # nothing tells whether it changed
    if row.digest != digest:
        return _write(password, Rule.PASSWORD, digest)
    is_kept = row.kept and making.case.config.adopt_mailboxes == "keep_password"
    return LEAVE if is_kept else _again(making, match, row, existing, password)


def _first_look(making: Making, row: Remembered | None, existing: Existing, password: SecretStr) -> Password:
    """Decide about the first usable password that we see for a mailbox which was there before."""
    digest = making.case.memory.seal(password)
    if row and row.origin in {Origin.ADOPTED, Origin.CREATED}:
        return _write(password, Rule.PASSWORD, digest)  # there was none when it became ours
    if making.case.config.adopt_mailboxes == "overwrite":
        return _write(password, Rule.ADOPTED, digest)
    return _look(existing, digest, kept=True)


def _again(making: Making, match: Match, row: Remembered, existing: Existing, password: SecretStr) -> Password:
    """Decide about a password that is as it was in the directory, but may have been changed in mailcow."""
    config, digest = making.case.config, making.case.memory.seal(password)
    drifted = existing.passwd_update > (row.passwd_update or existing.passwd_update)
    if drifted and config.password_drift == "report":  # noqa: S105 - a setting
        user, stamp = match.user, existing.passwd_update
        making.say(Say.PASSWORD_DRIFT, user.dn, user.id, address=existing.address, stamp=stamp)
        return LEAVE
    if making.case.options.reassert:
        return _write(password, Rule.REASSERT, digest)
    if drifted:
        return _write(password, Rule.DRIFT, digest)
    return LEAVE if row.passwd_update else _look(existing, digest, kept=False)


def _tell_vanished(making: Making, match: Match) -> None:
    """Say that a password we once had is gone; one that is there but unusable has its own finding already."""
    user, row, attribute = match.user, match.row, making.source(match.user.id).user_mapping.password
    if row is None or "password" in user.present:
        return
    if attribute and row.digest not in {None, making.case.memory.seal(NOBODY)}:
        making.say(Say.PASSWORD_VANISHED, user.dn, user.id, attribute=attribute, address=row.address)
