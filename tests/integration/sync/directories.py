"""Small directories with a few names, so that everybody is in everybody's way: as data, as entries, as strategies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from ldap2mailcow.model import Answer, Answers, Entry

ORG, NET, TWIN, FOREIGN = "example.org", "example.net", "twin.example", "elsewhere.example"
"""Two mail domains, an alias domain of the first, and one that mailcow doesn't have."""

PEOPLE = ("ann", "ben", "cat", "dan", "eve")
GROUPS = ("all", "team", "board")
FORWARDS = ("old", "shop")
KEEPER = "zoe"
"""A user, a group and a forward of this name are always there: an answer without any entry isn't believed."""

SUFFIX = "dc=example,dc=org"
PASSWORD = b"{SSHA}0x4vVJXZDBfGGaVLYfYJHn8OWnGvoGbpVHUBLg=="

LOCALS = ("ann", "ben", "info", "sales")
ADDRESSES = tuple(f"{local}@{domain}" for local in LOCALS for domain in (ORG, NET, TWIN))
SPECIAL = (f"postmaster@{ORG}", f"@{ORG}", f"info@{FOREIGN}", "no address")


@dataclass(frozen=True)
class User:
    """A person's entry."""

    name: str
    id: str
    mail: str | None
    active: bool = True
    aliases: tuple[str, ...] = ()
    forward_to: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Addresses or DNs of lists that it is on."""
    send_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A group's entry."""

    name: str
    mail: str | None
    aliases: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    send_as: tuple[str, ...] = ()
    sender_allowed: bool | None = None
    catch_all: bool = False


@dataclass(frozen=True)
class Forward:
    """An entry that only forwards."""

    name: str
    mail: str
    goto: tuple[str, ...]


@dataclass(frozen=True)
class Directory:
    """All of them, by name."""

    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    forwards: Mapping[str, Forward] = field(default_factory=dict)

    def answers(self) -> Answers:
        """Return what an LDAP server would have said to the searches of a run, whole."""
        return Answers(
            users=_answer(map(_user, self.users.values())),
            groups=_answer(map(_group, self.groups.values())),
            forwards=_answer(map(_forward, self.forwards.values())),
        )


Entries = User | Group | Forward


def user_dn(name: str) -> str:
    return f"uid={name},ou=people,{SUFFIX}"


def group_dn(name: str) -> str:
    return f"cn={name},ou=groups,{SUFFIX}"


def forward_dn(name: str) -> str:
    return f"cn={name},ou=forwards,{SUFFIX}"


def _answer(entries: Iterable[Entry]) -> Answer:
    return Answer(tuple(entries))


def _entry(dn: str, **attributes: str | Iterable[str] | None) -> Entry:
    values = {name: (value,) if isinstance(value, str) else tuple(value or ()) for name, value in attributes.items()}
    return Entry(dn, {name.lower(): tuple(text.encode() for text in texts) for name, texts in values.items() if texts})


def _user(user: User) -> Entry:
    entry = _entry(
        user_dn(user.name),
        entryUUID=user.id,
        uid=user.name,
        mail=user.mail,
        mailActive=_flag(user.active),
        mailAlias=user.aliases,
        mailForward=user.forward_to,
        mailList=user.lists,
        mailSendAs=user.send_as,
    )
    return Entry(entry.dn, {**entry.attributes, "userpassword": (PASSWORD,)})


def _group(group: Group) -> Entry:
    return _entry(
        group_dn(group.name),
        entryUUID=f"group {group.name}",
        cn=group.name,
        mail=group.mail,
        mailAlias=group.aliases,
        member=group.members,
        mailSendAs=group.send_as,
        mailSenderAllowed=_flag(group.sender_allowed),
        mailCatchAll=_flag(group.catch_all or None),
    )


def _forward(forward: Forward) -> Entry:
    dn = forward_dn(forward.name)
    return _entry(dn, entryUUID=f"forward {forward.name}", mail=forward.mail, mailForwardingAddress=forward.goto)


def _flag(value: object) -> str | None:
    return None if value is None else str(value).upper()


# strategies

addresses = st.sampled_from(ADDRESSES)
outside = st.sampled_from([f"x@{FOREIGN}", f"y@{FOREIGN}"])
dns = st.sampled_from(
    [*map(user_dn, (*PEOPLE, KEEPER)), *map(group_dn, GROUPS), forward_dn(FORWARDS[0]), user_dn("nobody")],
)


def some(values: st.SearchStrategy[str], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=most, unique=True).map(tuple)


def rarely(value: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([False, False, False, True]).flatmap(lambda is_there: value if is_there else st.just(()))


IDS = {name: (name, f"{name} again") for name in PEOPLE}
"""Somebody who comes back may come back as another entry."""

Mails = Mapping[str, str]
"""The address of each id, for life: renaming isn't built."""


def mails(name: str) -> st.SearchStrategy[str]:
    """What a person's own address may be: the usual one, mostly."""
    odd = [f"{name}@{NET}", f"{name}@{TWIN}", f"ann@{ORG}", f"info@{ORG}", f"info@{FOREIGN}", f"postmaster@{ORG}"]
    return st.sampled_from([f"{name}@{ORG}"] * 10 + odd)


every_mail: st.SearchStrategy[Mails] = st.fixed_dictionaries({one: mails(name) for name in PEOPLE for one in IDS[name]})


@st.composite
def users(draw: st.DrawFn, name: str, known: Mails) -> User:
    entry_id = draw(st.sampled_from([*IDS[name], name]))
    return User(
        name=name,
        id=entry_id,
        mail=draw(st.sampled_from([known[entry_id]] * 9 + [None])),
        active=draw(st.sampled_from([True, True, True, False])),
        aliases=draw(some(addresses | addresses | st.sampled_from(SPECIAL), 3)),
        forward_to=draw(rarely(some(addresses | outside))),
        lists=draw(rarely(some(addresses | st.sampled_from([group_dn("all"), f"lonely@{ORG}"])))),
        send_as=draw(rarely(some(addresses | dns | outside | st.just(f"@{NET}")))),
    )


def groups(name: str) -> st.SearchStrategy[Group]:
    return st.builds(
        Group,
        name=st.just(name),
        mail=st.sampled_from([f"{name}@{ORG}"] * 5 + [f"info@{ORG}", f"sales@{TWIN}", f"ann@{ORG}", None]),
        aliases=some(addresses, 1),
        members=some(dns | dns | addresses | outside | st.sampled_from(PEOPLE), 4),
        send_as=rarely(some(addresses | dns)),
        sender_allowed=st.sampled_from([None, None, True, False]),
        catch_all=st.sampled_from([False] * 9 + [True]),
    )


def forwards(name: str) -> st.SearchStrategy[Forward]:
    return st.builds(
        Forward,
        name=st.just(name),
        mail=addresses | st.just(f"{name}@{ORG}"),
        goto=st.lists(addresses | outside, min_size=1, max_size=2, unique=True).map(tuple),
    )


@st.composite
def directories(draw: st.DrawFn, known: Mails) -> Directory:
    """Any small directory."""
    return Directory(
        users={name: draw(users(name, known)) for name in PEOPLE if draw(st.sampled_from([True] * 4 + [False]))}
        | {KEEPER: User(KEEPER, KEEPER, f"{KEEPER}@{ORG}")},
        groups={name: draw(groups(name)) for name in GROUPS if draw(st.sampled_from([True] * 3 + [False]))}
        | {KEEPER: Group(KEEPER, f"keepers@{ORG}", members=(user_dn(KEEPER),))},
        forwards={name: draw(forwards(name)) for name in FORWARDS if draw(st.booleans())}
        | {KEEPER: Forward(KEEPER, f"keep@{ORG}", (f"{KEEPER}@{ORG}",))},
    )


@st.composite
def later(draw: st.DrawFn, directory: Directory, known: Mails) -> Directory:
    """What becomes of a directory: a few entries leave, come, or are written anew, whole or in part."""
    strategies: dict[str, st.SearchStrategy[Any]] = {
        **{name: users(name, known) for name in PEOPLE},
        **{name: groups(name) for name in GROUPS},
        **{name: forwards(name) for name in FORWARDS},
    }
    names = draw(st.lists(st.sampled_from([*strategies]), min_size=1, max_size=4, unique=True))
    found: dict[str, Any] = {**directory.users, **directory.groups, **directory.forwards}
    keepers = {kind: getattr(directory, kind)[KEEPER] for kind in ("users", "groups", "forwards")}
    for name in names:
        old, new = found.pop(name, None), draw(strategies[name])
        if old is None or draw(st.sampled_from([True, True, False])):
            found[name] = new if old is None else draw(_edited(old, new))
    return Directory(
        {name: found[name] for name in PEOPLE if name in found} | {KEEPER: keepers["users"]},
        {name: found[name] for name in GROUPS if name in found} | {KEEPER: keepers["groups"]},
        {name: found[name] for name in FORWARDS if name in found} | {KEEPER: keepers["forwards"]},
    )


@st.composite
def _edited(draw: st.DrawFn, old: Entries, new: Entries) -> Entries:
    """Take some attributes from the new entry; a user with another id is another entry."""
    if isinstance(new, User) and isinstance(old, User) and new.id != old.id:
        return new
    keys = draw(st.lists(st.sampled_from([key for key in vars(new) if key != "name"]), min_size=1, unique=True))
    return replace(old, **{key: getattr(new, key) for key in keys})


@st.composite
def histories(draw: st.DrawFn) -> tuple[Directory, ...]:
    """What a directory says at first, and what it says some time later."""
    known = draw(every_mail)
    found = [draw(directories(known))]
    for _ in range(draw(st.integers(1, 2))):
        found.append(draw(later(found[-1], known)))
    return tuple(found)
