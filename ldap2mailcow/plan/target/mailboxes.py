"""What each mailbox of a user should be: made, brought to what the entry says, or left as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields

from ldap2mailcow.desired import NOBODY, User
from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    QUOTA,
    Address,
    Existing,
    ExistingAlias,
    Origin,
    Part,
    Patch,
    Remembered,
    Rule,
    Say,
    Value,
)
from ldap2mailcow.plan.case import Case
from ldap2mailcow.plan.knowledge import kind_of
from ldap2mailcow.plan.marks import lacking
from ldap2mailcow.plan.matching import Match, State
from ldap2mailcow.plan.renames import NOT_YET
from ldap2mailcow.plan.takeover import seen_as
from ldap2mailcow.plan.withheld import Guarded

from .making import MailboxTarget, Making, NoRoom
from .password import Password, password_of
from .status import Status, Told, status_of, told

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
    rule = _why_no_place(making, address) or _why_not_made(making, match.user, address, going)
    return MailboxTarget(address, rule, None, None) if rule else _made(making, match, address)


def _is_in_scope(making: Making, match: Match) -> bool:
    return any(making.case.in_scope(one) for one in (match.at, match.wants) if one)


def _why_no_place(making: Making, address: Address) -> Rule | None:
    """Return the rule by which no mailbox can be made at an address, whatever the entry says of it."""
    case = making.case
    if left := case.left_alone(address):
        making.say_left_alone(left)
        return left.rule
    if not case.config.create_mailboxes:
        return Rule.ELSEWHERE
    if address in case.begun.halves:
        return Rule.UNFINISHED  # it is deleted again in this run: mailcow makes no other before that
    return Rule.NO_ROOM if making.held.has(NoRoom.MAILBOX, address) else None


def _why_not_made(making: Making, user: User, address: Address, going: Collection[Address]) -> Rule | None:
    """Return the rule by which what an entry says makes no mailbox; a finding says what to do."""
    says = told(making, user)
    if says is Told.UNREADABLE:
        return Rule.UNREADABLE
    if says is Told.INACTIVE:
        making.say(Say.INACTIVE_NEW, user.dn, user.id, address=address)
        return Rule.INACTIVE
    if (alias := making.case.actual.aliases.get(address)) and address not in going:
        _tell_alias(making, user, alias)
        return Rule.ALIAS_THERE
    if not provider_ready(making, user):
        return Rule.NO_PROVIDER
    if _needs_password(user) and making.case.config.missing_password == "skip":  # noqa: S105 - a setting
        if "password" not in user.present:  # one that can't be used has a finding of its own
            attribute = making.source(user.id).user_mapping.password or "password"
            making.say(Say.NO_PASSWORD, user.dn, user.id, attribute=attribute, address=address)
        return Rule.NOT_LOGGABLE
    return None


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


def _made(making: Making, match: Match, address: Address) -> MailboxTarget:
    """Return a new mailbox, whole: all that mailcow would choose by itself is chosen here."""
    case, user = making.case, match.user
    domain = case.actual.domains[address.domain]
    default = domain.default_quota
    values: dict[str, Value] = {AUTHSOURCE.key: "mailcow", ACTIVE.key: 1, QUOTA.key: default, **user.attributes}
    values[QUOTA.key] = _quota(making, user, address, int(values[QUOTA.key]), default)
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
            **_NEW_ROW,
            **identity(making, match, None),
            "origin": Origin.CREATED,
            "applied": _applied(user, values),
            "digest": case.memory.seal(password) if password else None,
        },
    )


_NEW_ROW: Patch = {column.name: column.default for column in fields(Remembered) if column.default is not MISSING}
"""The columns of a new mailbox's row that nothing was written to yet: none is left of a former mailbox."""


# those that are there


def target_of_user(making: Making, match: Match, existing: Existing) -> MailboxTarget:
    """Return what the mailbox that a user has should be."""
    case = making.case
    if left := case.left_alone(existing.address):
        if case.config.decides_status or match.user.senders:
            making.say_left_alone(left)
        return kept(existing, left.rule, match.row)
    if rule := _why_kept(making, match, existing):
        is_known = rule is Rule.NO_ROOM and match.row is not None
        return kept(existing, rule, match.row, identity(making, match, match.row) if is_known else {})
    return _brought(making, match, existing)


def _why_kept(making: Making, match: Match, existing: Existing) -> Rule | None:
    """Return the rule by which a mailbox stays as it is, whatever its entry says."""
    config, address = making.case.config, existing.address
    if not _is_in_scope(making, match):
        return Rule.OUT_OF_SCOPE
    if not config.decides_status:
        return Rule.ELSEWHERE
    if _is_adopted(making, match) and config.adopt_mailboxes == "refuse":
        making.say(Say.ADOPTION_REFUSED, address, address=address)
        return Rule.ADOPTION_REFUSED
    if making.held.has(Guarded.ADOPT, address):
        return Rule.HELD
    return Rule.NO_ROOM if making.held.has(NoRoom.EDIT, address) else None


def _is_adopted(making: Making, match: Match) -> bool:
    """Tell whether a mailbox that was made by hand becomes ours."""
    return match.state is State.ADOPTED and making.case.config.create_mailboxes


def _brought(making: Making, match: Match, existing: Existing) -> MailboxTarget:
    """Return a mailbox brought to what its entry says, each part by its own rule."""
    case, user = making.case, match.user
    followed, status = _values(making, match, existing), status_of(making, match, existing)
    login, login_rule = _login(making, match, existing)
    password = password_of(making, match, existing, login)
    values = {**followed, AUTHSOURCE.key: login, ACTIVE.key: status.value}
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
            Part.VALUES: _why(case, match, existing, followed, password),
            Part.LOGIN: login_rule,
            Part.STATUS: status.rule,
        },
        is_adopted=_is_adopted(making, match),
    )


_RULES = {State.ADOPTED: Rule.ADOPTED, State.BY_MARK: Rule.KNOWN_AGAIN, State.TAKEN_OVER: Rule.TAKEN_OVER}


def _marks_to_add(case: Case, existing: Existing) -> frozenset[str]:
    """Return the tags that say who manages a mailbox, where it lacks them and doesn't come from elsewhere."""
    return lacking(case.marks.tags if case.config.create_mailboxes else (), existing.tags)


def _tags(case: Case, existing: Existing, status: Status) -> frozenset[str]:
    """Return the tags: who manages it, and whether we took it out of service."""
    disabled = frozenset({case.marks.disabled})
    tags = existing.tags | _marks_to_add(case, existing)
    return tags | lacking(disabled, tags) if status.is_ours else tags - disabled


def _values(making: Making, match: Match, existing: Existing) -> dict[str, Value]:
    """Return the attributes that follow the directory as they are, without those that mailcow can't be given."""
    wanted = match.user.attributes
    told = {key for key in wanted if making.known(match.user.id.source).vanished.isdisjoint(ATTRIBUTES[key].mapped)}
    values = {**existing.attributes, **{key: wanted[key] for key in told}}
    before = int(existing.attributes[QUOTA.key])
    values[QUOTA.key] = _quota(making, match.user, existing.address, int(values[QUOTA.key]), before)
    return values


def _quota(making: Making, user: User, address: Address, wanted: int, otherwise: int) -> int:
    """Return the quota that a mailbox can have: the wanted one or, with a finding, what it has otherwise."""
    domain = making.case.actual.domains[address.domain]
    name, most = domain.name, domain.max_mailbox_quota
    if wanted > most and wanted != otherwise:
        making.say(Say.QUOTA_OVER_LIMIT, user.dn, user.id, address=address, quota=wanted, domain=name, most=most)
        return otherwise
    if making.held.has(NoRoom.QUOTA, address):
        before, after = (f"{quota} MiB" if quota else "unlimited" for quota in (otherwise, wanted))
        left = max(domain.max_quota - domain.used_quota, 0)
        told = {"before": before, "after": after, "domain": name, "left": left}
        making.say(Say.NO_ROOM_FOR_QUOTA, user.dn, user.id, address=address, **told)
        return otherwise
    return wanted


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
    why = _why_with_provider(making, match, existing) if wanted == "mailcow" else None
    return (now, why) if why else (wanted, Rule.LDAP)


def _why_with_provider(making: Making, match: Match, existing: Existing) -> Rule | None:
    """Return the rule by which a mailbox of another identity provider stays there."""
    user, row = match.user, match.row
    is_its_own = row is None or row.digest is None or row.kept
    if is_its_own and making.case.config.adopt_mailboxes == "keep_password":
        return Rule.ADOPTED  # how a user logs in is kept, too
    if user.password is None:
        login = existing.attributes[AUTHSOURCE.key]
        making.say(Say.NO_PASSWORD_TO_MOVE, user.dn, user.id, address=existing.address, login=login)
        return Rule.NOT_LOGGABLE
    return None


def _why(case: Case, match: Match, existing: Existing, values: Mapping[str, Value], password: Password) -> Rule:
    """Name the rule of the values: the directory's doing if one isn't what we last applied, else mailcow's.

    That of the password is named where nothing else differs.
    """
    if match.state is State.ADOPTED:
        return Rule.ADOPTED
    changed = {(key, values[key]) for key in _COMPARED if values[key] != existing.attributes[key]}
    if not changed | _marks_to_add(case, existing):
        return password.rule
    applied = match.row.applied if match.row else {}
    return Rule.LDAP if changed - applied.items() else Rule.MAILCOW


# what is remembered


def identity(making: Making, match: Match, row: Remembered | None) -> Patch:
    """Return what is remembered of a mailbox whose entry is there, whatever else happens to it."""
    user = match.user
    shown = row.present if row else frozenset[str]()
    if making.known(user.id.source).answers_whole:  # a doubtful answer makes no row poorer
        shown = frozenset(key for key in shown if _waits(making, user, key))
    origin: Patch = {} if row else {"origin": Origin.MARK if match.state is State.BY_MARK else Origin.ADOPTED}
    return {
        "source": user.id.source,
        "id": user.id.id if ids_hold(making, user.id.source) else None,
        "dn": user.dn,
        **origin,
        **seen_as(user, row),
        "retired_since": None,
        "present": user.present | shown,
    }


def _waits(making: Making, user: User, measured: str) -> bool:
    """Tell whether what an attribute made is left as it is, because it vanished from most entries.

    For aliases and rights that ends with a word that lets all of it go.
    """
    key = kind_of(measured)
    if key not in making.known(user.id.source).vanished:
        return False
    kinds = _MADE.get(key, ())
    is_said = any(making.case.options.approved.get(kind) for kind in kinds)
    return not is_said or any(making.held.of(kind) for kind in kinds)


_MADE: Mapping[str, tuple[Guarded, ...]] = {
    **dict.fromkeys(("aliases", "group_addresses", "forward_to"), (Guarded.ALIAS, Guarded.LIST)),
    "send_as": (Guarded.RIGHTS,),
}
"""Of which kinds it is what a key of `user_mapping` makes, where it isn't mailboxes."""


def ids_hold(making: Making, source: str) -> bool:
    """Tell whether the ids of an answer may be remembered: only once the attribute they come from is fixed."""
    directory = making.case.by_name[source]
    fixed = making.case.source_memory(source).id_attribute == directory.id_attribute
    return fixed or making.known(source).users


def _applied(user: User, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return what is remembered as applied: the managed attributes only, so not what was filled in at creation."""
    return {key: values[key] for key in user.attributes if key in values}
