"""Whether a mailbox's password is written: mailcow never shows it, so this rests on digests and time stamps."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import AUTHSOURCE, Existing, Origin, Patch, Remembered, Rule, Say
from ldap2mailcow.plan.matching import Match

from .making import Making


@dataclass(frozen=True, slots=True)
class Password:
    """What happens to the password of a mailbox that is there."""

    write: SecretStr | None = None
    rule: Rule = Rule.PASSWORD
    digest: str | None = None
    """To be remembered; None leaves what is remembered."""
    seen: str | None = None
    """mailcow's stamp, to be remembered as the one of our own last write; None leaves it."""
    kept: bool = False
    """Whether the password in mailcow stays its own, and the digest is only of what the directory had then."""

    @property
    def after(self) -> Patch:
        """What is remembered of it."""
        digest: Patch = {"digest": self.digest} if self.digest else {}
        is_stamped = self.write is not None or self.seen is not None
        return {**digest, "passwd_update": self.seen, "kept": self.kept} if is_stamped else digest


LEAVE = Password()


def password_of(making: Making, match: Match, existing: Existing) -> Password:
    """Decide about the password of a mailbox that is ours or becomes ours; a switch of login brings its own."""
    memory, row = making.case.memory, match.row
    if match.user.password is None:
        _tell_vanished(making, match)
        return LEAVE
    if existing.attributes[AUTHSOURCE.key] != "mailcow":
        return LEAVE  # another provider checks it; mailcow would ignore ours
    password, digest = match.user.password, memory.seal(match.user.password)
    if row is None or row.digest is None:
        return _first_look(making, row, existing, password, digest)
    if not memory.is_comparable(row.digest):
        return _after_lost_key(making, row, existing, password, digest)
    if row.digest != digest:
        return Password(password, Rule.PASSWORD, digest)
    return LEAVE if _is_kept(making, row) else _written_again(making, match, row, existing, password)


def _first_look(
    making: Making, row: Remembered | None, existing: Existing, password: SecretStr, digest: str
) -> Password:
    """Decide about the first usable password that we see for a mailbox which was there before."""
    if row is not None and row.origin in {Origin.ADOPTED, Origin.CREATED}:
        return Password(password, Rule.PASSWORD, digest)  # there was none when it became ours
    policy = making.case.config.adopt_mailboxes
    if policy == "overwrite" or (policy == "refuse" and making.case.options.reassert):
        return Password(password, Rule.ADOPTED, digest)
    return Password(digest=digest, seen=existing.passwd_update, kept=True)


def _after_lost_key(making: Making, row: Remembered, existing: Existing, password: SecretStr, digest: str) -> Password:
    """Decide about a password of which nothing tells whether it changed: what is there is taken as ours."""
    if making.case.options.reassert and not _is_kept(making, row):
        return Password(password, Rule.REASSERT, digest)
    return Password(digest=digest, seen=existing.passwd_update, kept=row.kept)


def _is_kept(making: Making, row: Remembered) -> bool:
    """Tell whether the password in mailcow is its own, and stays until the directory's changes."""
    return row.kept and making.case.config.adopt_mailboxes == "keep_password"


def _written_again(making: Making, match: Match, row: Remembered, existing: Existing, password: SecretStr) -> Password:
    """Decide about a password that is as it was in the directory, but may have been changed in mailcow."""
    drifted = row.passwd_update is not None and existing.passwd_update > row.passwd_update
    if drifted and making.case.config.password_drift == "report":  # noqa: S105 - a setting
        user, stamp = match.user, existing.passwd_update
        making.say(Say.PASSWORD_DRIFT, user.dn, user.id, address=existing.address, stamp=stamp)
        return LEAVE
    if making.case.options.reassert:
        return Password(password, Rule.REASSERT, row.digest)
    if drifted:
        return Password(password, Rule.DRIFT, row.digest)
    return Password(seen=existing.passwd_update) if row.passwd_update is None else LEAVE


def _tell_vanished(making: Making, match: Match) -> None:
    """Say that a password we once had is gone; one that is there but unusable has its own finding already."""
    row, mapping = match.row, making.source(match.user.id).user_mapping
    if row is None or row.digest is None or "password" in match.user.present:
        return
    is_ours_to_set = bool(mapping.password) and mapping.authsource == "mailcow"
    if not is_ours_to_set or row.digest == making.case.memory.seal(NOBODY):
        return
    user, attribute = match.user, mapping.password
    making.say(Say.PASSWORD_VANISHED, user.dn, user.id, attribute=attribute, address=row.address)
