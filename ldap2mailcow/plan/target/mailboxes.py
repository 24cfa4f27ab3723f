"""What each mailbox of a user should be: made, brought to what the entry says, or left as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ldap2mailcow.desired import NOBODY, User
from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    QUOTA,
    Address,
    Existing,
    ExistingAlias,
    Finding,
    Origin,
    Part,
    Patch,
    Remembered,
    Rule,
    Say,
    Value,
)
from ldap2mailcow.plan.capacity import no_room_for_quota, over_limit
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.grace import SEEN
from ldap2mailcow.plan.knowledge import SOFT, Knowledge
from ldap2mailcow.plan.marks import lacking
from ldap2mailcow.plan.matching import Match, State
from ldap2mailcow.plan.renames import NOT_YET
from ldap2mailcow.plan.withheld import Guarded

from .making import MailboxTarget, Making, NoRoom
from .password import Password, password_of
from .status import Status, is_unreadable, status_of

_COMPARED = tuple(key for key, row in ATTRIBUTES.items() if row.part is Part.VALUES)
"""The attributes that follow the directory as they are."""


def kept(existing: Existing, rule: Rule, row: Remembered | None = None, after: Patch | None = None) -> MailboxTarget:
    """Return the target of a mailbox that stays as it is."""
    return MailboxTarget(
        existing.address,
        rule,
        existing,
        existing.attributes,
        dn=row.dn if row else "",
        source=row.source if row else "",
        tags=existing.tags,
        row=row,
        after=after or {},
    )


# new ones


def target_of_new(making: Making, match: Match, address: Address, going: Collection[Address]) -> MailboxTarget | None:
    """Return the target of a mailbox that is to be made, or the rule by which it isn't; None where it isn't looked at.

    `going` are the aliases that are removed in this run, before mailboxes are made.
    """
    if not _is_in_scope(making, match):
        return None
    if left := making.case.left_alone(address):
        making.say_left_alone(left)
        return MailboxTarget(address, left.rule, None, None)
    rule = _why_not_made(making, match, address, going)
    return MailboxTarget(address, rule, None, None) if rule else _made(making, match, address)


def _is_in_scope(making: Making, match: Match) -> bool:
    return any(making.case.in_scope(one) for one in (match.at, match.wants) if one)


def _why_not_made(making: Making, match: Match, address: Address, going: Collection[Address]) -> Rule | None:
    """Return the rule by which a mailbox isn't made now; a finding says what to do, unless it is said elsewhere."""
    case, user = making.case, match.user
    if not case.config.create_mailboxes:
        return Rule.ELSEWHERE
    if address in case.begun.halves:
        return Rule.UNFINISHED  # it is deleted again in this run: mailcow makes no other before that
    if making.held.has(NoRoom.MAILBOX, address):
        return Rule.NO_ROOM
    if is_unreadable(making, user):
        return Rule.UNREADABLE
    if user.attributes.get(ACTIVE.key) == 0:
        making.say(Say.INACTIVE_NEW, user.dn, user.id, address=address)
        return Rule.INACTIVE
    if (alias := case.actual.aliases.get(address)) and address not in going:
        _tell_alias(making, user, alias)
        return Rule.ALIAS_THERE
    if not provider_ready(making, user):
        return Rule.NO_PROVIDER
    return None if _can_log_in(making, user, address) else Rule.NOT_LOGGABLE


def _tell_alias(making: Making, user: User, alias: ExistingAlias) -> None:
    """Say that an alias is in the way of a new mailbox."""
    address = alias.address
    if alias.number == NOT_YET:
        making.say(Say.NEW_WAITS, user.dn, user.id, address=address)
    else:
        making.say(Say.ADDRESS_IS_ALIAS, user.dn, user.id, address=address, remedy=_alias_remedy(making, address))


def _alias_remedy(making: Making, address: Address) -> str:
    case = making.case
    claim, left = making.matches.claims.aliases.get(address), case.alias_left_alone(address)
    if left and left.rule is Rule.OTHER_INSTALLATION:
        return left.sentence
    if claim:
        return f"{claim.name} keeps it until one of them has another address in the directory"
    if address in case.alias_rows:
        return "it was made from here, and goes once its entry has been gone for as long as removed_users says"
    return "delete that alias in mailcow"


def provider_ready(making: Making, user: User) -> bool:
    """Tell whether the identity provider a mailbox shall use is set up; mailcow would silently take its own."""
    wanted, there = user.attributes.get(AUTHSOURCE.key, "mailcow"), making.case.actual.provider
    if wanted in ("mailcow", there):
        return True
    source, named = user.id.source, "not set up" if there == "mailcow" else there
    making.say_once(Say.PROVIDER_NOT_SET_UP, source, wanted=wanted, there=named)
    return False


def _needs_password(user: User) -> bool:
    return user.attributes.get(AUTHSOURCE.key, "mailcow") == "mailcow" and user.password is None


def _can_log_in(making: Making, user: User, address: Address) -> bool:
    """Tell whether a new mailbox has a password, or needs none; a finding says so where the entry shows none."""
    if not _needs_password(user) or making.case.config.missing_password == "random":  # noqa: S105 - a setting
        return True
    if "password" not in user.present:  # one that can't be used has a finding of its own
        attribute = making.source(user.id).user_mapping.password or "password"
        making.say(Say.NO_PASSWORD, user.dn, user.id, attribute=attribute, address=address)
    return False


def _made(making: Making, match: Match, address: Address) -> MailboxTarget:
    """Return a new mailbox, whole: all that mailcow would choose by itself is chosen here."""
    case, user = making.case, match.user
    domain = case.actual.domains[address.domain]
    values: dict[str, Value] = {AUTHSOURCE.key: "mailcow", ACTIVE.key: 1, **user.attributes}
    if too_much := over_limit(domain, address, int(values.get(QUOTA.key, 0)), user.dn):
        making.findings.append(replace(too_much, directory=case.directory_of(user.id)))
        del values[QUOTA.key]
    values.setdefault(QUOTA.key, domain.default_quota)
    password = NOBODY if _needs_password(user) else user.password
    return MailboxTarget(
        address,
        Rule.NEW,
        None,
        values,
        dn=user.dn,
        source=user.id.source,
        tags=frozenset(case.marks.tags),
        password=password,
        after={
            **identity(making, match, None),
            "origin": Origin.CREATED,
            "applied": _applied(user, values),
            "digest": case.memory.seal(password) if password else None,
            "passwd_update": None,
            "kept": False,
            "was_active": 1,
            "barred": 0,
            "disabled": None,
            "senders": frozenset[str](),
            "foreign_senders": frozenset[str](),
        },
    )


# those that are there


def target_of_user(making: Making, match: Match, existing: Existing) -> MailboxTarget:
    """Return what the mailbox that a user has should be."""
    case = making.case
    if left := case.left_alone(existing.address):
        if case.config.decides_status or match.user.senders:
            making.say_left_alone(left)
        return kept(existing, left.rule, match.row)
    if not _is_in_scope(making, match):
        return kept(existing, Rule.OUT_OF_SCOPE, match.row)
    if not case.config.decides_status:
        return kept(existing, Rule.ELSEWHERE, match.row)
    return _brought(making, match, existing)


def _brought(making: Making, match: Match, existing: Existing) -> MailboxTarget:
    """Return a mailbox brought to what its entry says, each part by its own rule."""
    case, user = making.case, match.user
    is_adopted = match.state is State.ADOPTED and case.config.create_mailboxes
    if is_adopted and case.config.adopt_mailboxes == "refuse":
        making.say(Say.ADOPTION_REFUSED, existing.address, address=existing.address)
        return kept(existing, Rule.ADOPTION_REFUSED)
    if making.held.has(Guarded.ADOPT, existing.address):
        return kept(existing, Rule.HELD)
    if making.held.has(NoRoom.EDIT, existing.address):
        return kept(existing, Rule.NO_ROOM, match.row, identity(making, match, match.row) if match.row else None)
    values, password = _values(making, match, existing), password_of(making, match, existing)
    why = _why(making, match, existing, values, password)
    login, login_rule = _login(making, match, existing)
    status = status_of(making, match, existing)
    if login == "mailcow" != existing.attributes[AUTHSOURCE.key] and user.password is not None:
        password = Password(user.password, Rule.LDAP, case.memory.seal(user.password))
    values = {**values, AUTHSOURCE.key: login, ACTIVE.key: status.value}
    return MailboxTarget(
        existing.address,
        _RULES.get(match.state, Rule.FOLLOWED),
        existing,
        values,
        dn=user.dn,
        source=user.id.source,
        tags=_tags(case, existing, status),
        password=password.write,
        row=match.row,
        after={
            **identity(making, match, match.row),
            "applied": _applied(user, values),
            **password.after,
            **status.after,
        },
        rules={
            Part.VALUES: why,
            Part.LOGIN: login_rule,
            Part.STATUS: status.rule,
        },
        is_adopted=is_adopted,
    )


_RULES = {State.ADOPTED: Rule.ADOPTED, State.BY_MARK: Rule.KNOWN_AGAIN, State.TAKEN_OVER: Rule.TAKEN_OVER}


def _tags(case: Case, existing: Existing, status: Status) -> frozenset[str]:
    """Return the tags: who manages it, and whether we took it out of service."""
    disabled = frozenset({case.marks.disabled})
    tags = existing.tags | _marks_to_add(case, existing)
    return tags | lacking(disabled, tags) if status.is_ours else tags - disabled


def _marks_to_add(case: Case, existing: Existing) -> frozenset[str]:
    """Return the tags that say who manages a mailbox, where it lacks them and doesn't come from elsewhere."""
    return lacking(case.marks.tags if case.config.create_mailboxes else (), existing.tags)


def _values(making: Making, match: Match, existing: Existing) -> dict[str, Value]:
    """Return the attributes that follow the directory as they are, without those that mailcow can't be given."""
    wanted = match.user.attributes
    told = {key for key in wanted if making.known(match.user.id.source).vanished.isdisjoint(ATTRIBUTES[key].mapped)}
    values = {**existing.attributes, **{key: wanted[key] for key in told}}
    if values[QUOTA.key] != existing.attributes[QUOTA.key] and (problem := _no_quota(making, match, existing)):
        making.findings.append(replace(problem, directory=making.case.directory_of(match.user.id)))
        values[QUOTA.key] = existing.attributes[QUOTA.key]
    return values


def _no_quota(making: Making, match: Match, existing: Existing) -> Finding | None:
    """Return why a quota can't be given."""
    domain, quota = making.case.actual.domains[existing.address.domain], int(match.user.attributes[QUOTA.key])
    if too_much := over_limit(domain, existing.address, quota, match.user.dn):
        return too_much
    if making.held.has(NoRoom.QUOTA, existing.address):
        before = int(existing.attributes[QUOTA.key])
        return no_room_for_quota(domain, existing.address, before, quota, match.user.dn)
    return None


def _login(making: Making, match: Match, existing: Existing) -> tuple[Value, Rule]:
    """Return who should check the password, and by which rule."""
    user, now = match.user, existing.attributes[AUTHSOURCE.key]
    wanted = user.attributes.get(AUTHSOURCE.key, now)
    if wanted == now:
        return now, Rule.FOLLOWED
    if making.held.has(Guarded.DISABLE, existing.address):
        return now, Rule.HELD
    if not provider_ready(making, user):
        return now, Rule.NO_PROVIDER
    if wanted == "mailcow" and _keeps_its_login(making, match):
        return now, Rule.ADOPTED
    if wanted == "mailcow" and user.password is None:
        making.say(Say.NO_PASSWORD_TO_MOVE, user.dn, user.id, address=existing.address, login=now)
        return now, Rule.NOT_LOGGABLE
    return wanted, Rule.LDAP


def _keeps_its_login(making: Making, match: Match) -> bool:
    """Tell whether a mailbox of another identity provider stays there: `keep_password` keeps how a user logs in."""
    row = match.row
    is_new_here = row is None or row.digest is None or row.kept
    return is_new_here and making.case.config.adopt_mailboxes == "keep_password"


def _why(making: Making, match: Match, existing: Existing, values: Mapping[str, Value], password: Password) -> Rule:
    """Name the rule of the values: the directory's doing if one isn't what we last applied, else mailcow's."""
    if match.state is State.ADOPTED:
        return Rule.ADOPTED
    applied = match.row.applied if match.row else {}
    changed = {(key, values[key]) for key in _COMPARED if values[key] != existing.attributes[key]}
    if changed - applied.items():
        return Rule.LDAP
    is_again = password.rule is Rule.REASSERT and bool(changed or _marks_to_add(making.case, existing))
    return password.rule if password.write and not is_again else Rule.MAILCOW


# what is remembered


def identity(making: Making, match: Match, row: Remembered | None) -> Patch:
    """Return what is remembered of a mailbox whose entry is there, whatever else happens to it."""
    user, known = match.user, making.known(match.user.id.source)
    had = frozenset[str]()
    if row and not known.answers_whole:
        had = row.present  # a doubtful answer makes no row poorer
    elif row:
        had = frozenset(key for key in row.present if _waits(making, known, key.partition(":")[0]))
    origin: Patch = {} if row else {"origin": Origin.MARK if match.state is State.BY_MARK else Origin.ADOPTED}
    return {
        "source": user.id.source,
        "id": user.id.id if ids_hold(making, user.id.source) else None,
        "dn": user.dn,
        **origin,
        **SEEN,
        "last_seen": None,
        "retired_since": None,
        "present": user.present | had,
    }


def _waits(making: Making, known: Knowledge, key: str) -> bool:
    """Tell whether what a key of `user_mapping` made is left as it is, because the attribute vanished.

    For aliases and rights that ends with a word that lets all of it go.
    """
    if key not in known.vanished:
        return False
    kinds = {Guarded.RIGHTS} if SOFT.get(key) is None else {Guarded.ALIAS, Guarded.LIST}
    is_said = key in SOFT and any(making.case.options.approved.get(kind) for kind in kinds)
    is_done = known.users and known.is_whole and not any(making.held.of(kind) for kind in kinds)
    return not (is_said and is_done)


def ids_hold(making: Making, source: str) -> bool:
    """Tell whether the ids of an answer may be remembered: only once the attribute they come from is fixed."""
    directory = making.case.by_name[source]
    fixed = making.case.source_memory(source).id_attribute == directory.id_attribute
    return fixed or making.known(source).users


def _applied(user: User, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return what is remembered as applied: the managed attributes only, so not what was filled in at creation."""
    return {key: values[key] for key in user.attributes if key in values}
