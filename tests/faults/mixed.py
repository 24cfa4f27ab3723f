"""A run in which everything happens that a run can do: what comes before it, and what it finds changed."""

from __future__ import annotations

from tests.directory_server import forward
from tests.integration.sync.installation import DOMAIN, Installation
from tests.integration.sync.story import (
    Act,
    alias_by_hand,
    by_hand,
    config,
    full,
    group,
    group_dn,
    members,
    of_user,
    user,
    user_dn,
)

NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"


def leave(*dns: str) -> Act:
    """Entries leave the directory; a name is a user's, `cn=` before it a group's."""

    def act(house: Installation) -> None:
        for name in dns:
            house.slapd.delete(dn_of(house, name))

    return act


def dn_of(house: Installation, name: str) -> str:
    return group_dn(house, name.removeprefix("cn=")) if name.startswith("cn=") else user_dn(house, name)


def forwarding(name: str, *targets: str) -> Act:
    """An entry that only forwards enters the directory."""
    return lambda house: house.slapd.add(*forward(name, map(full, targets), suffix=house.slapd.suffix))


def redirected(name: str, *targets: str) -> Act:
    """An entry that only forwards gets other targets."""
    return lambda house: house.slapd.modify(
        group_dn(house, name), {"mailForwardingAddress": [full(target) for target in targets]}
    )


def hidden(name: str) -> Act:
    """An entry moves to where no search looks; it keeps its entryUUID."""
    return lambda house: house.slapd.rename(user_dn(house, name), _aside(house, name))


def shown(name: str) -> Act:
    """An entry that was hidden comes back."""
    return lambda house: house.slapd.rename(_aside(house, name), user_dn(house, name))


def _aside(house: Installation, name: str) -> str:
    return f"uid={name},{house.slapd.suffix}"


def renamed(name: str, address: str, **attributes: str | list[str]) -> Act:
    """Somebody gets another address; the entry keeps its DN."""
    return of_user(name, mail=full(address), **attributes)


def mail_comes(house: Installation) -> None:
    """Each mailbox has its own number of messages, by which it is known wherever it goes."""
    for number, box in enumerate(house.mailcow.state.mailboxes.values(), 1):
        box.messages = box.messages or number


def searched(house: Installation) -> None:
    """The config names where people, groups and forwardings are."""
    house.config(
        ldap__group_search_base=house.slapd.groups_dn,
        ldap__alias_search_base=house.slapd.groups_dn,
        ldap__alias_search_filter="(objectClass=mailForward)",
    )


SETTINGS: tuple[Act, ...] = (
    searched,
    config(
        ldap__user_mapping__aliases=["mailAlias"],
        ldap__user_mapping__send_as="mailSendAs",
        ldap__page_size=7,  # so that there are several pages
        limits={"removals": "20", "renames": "20"},
        removed_users={"action": "delete", "delete_after": "2d"},
        mailcow_connections=2,
    ),
)

STEP = 40.0
"""Minutes between two runs: longer than the grace of whoever is gone."""
LONG = 3 * 24 * 60.0
"""Minutes after which whoever is gone is deleted."""

BEFORE: tuple[tuple[float, tuple[Act, ...]], ...] = (
    (
        STEP,
        (
            user("stays", mailAlias=full("staying"), MailQuota="1000"),
            user("named", MailQuota="1000"),
            *(user(name, MailQuota="1000") for name in ("grows1", "grows2", "grows3")),
            user("shrinks", MailQuota="2000"),
            user("rekeyed"),
            user("policed", tlsIn="FALSE"),
            user("leaver", mailAlias=full("leaving"), mailSendAs=full("stays")),
            user("returner", mailActive="FALSE"),
            user("back", mailAlias=full("backing")),
            user("missing", mailAlias=full("missed")),
            user("going", mailAlias=full("gone")),
            user("expired", mailAlias=full("expiring")),
            user("boss1", mailAlias=[full("boss"), full("first")]),
            user("boss2"),
            user("clerk", mailAlias=full("released")),
            user("deputy", mailSendAs=full("boss1")),
            user("novice"),
            user("maiden", mailAlias=full("maidens")),
            user("sleeper", mailActive="FALSE"),
            user("known", mailAlias=full("known-as")),
            user("swap1"),
            user("swap2"),
            user("chain1"),
            user("chain2"),
            user("agent", mailSendAs=[full("maiden"), full("swap1")]),
            group("team", "stays", "leaver", "missing", "boss1", "clerk", "maiden", "swap1"),
            group("crew", "stays", "boss2", "chain1"),
            group("closed", "stays", "boss2"),
            forwarding("outpost", "stays", "swap2"),
            by_hand(
                "add/mailbox",
                {
                    "local_part": "hand",
                    "domain": DOMAIN,
                    "name": "By Hand",
                    "quota": "100",
                    "active": "1",
                    "password": "by-hand-1234",
                    "password2": "by-hand-1234",
                },
            ),
            alias_by_hand("handmade", "hand stays"),
            mail_comes,
        ),
    ),
    (STEP, (mail_comes, alias_by_hand("follower", "expired"), leave("expired"))),
    (STEP, ()),
    (STEP, (hidden("back"),)),
    (STEP, ()),
    (STEP, (leave("missing", "cn=closed"),)),
)
"""What happens before each of the runs before, and how long after the last one that is."""

MIXED: tuple[Act, ...] = (
    # mailboxes
    *(user(name, MailQuota="500") for name in ("new1", "new2")),
    user("new3", mailAlias=[full("third"), full("thirdly")], MailQuota="500"),
    of_user("named", cn="Another Name", sn="Name", givenName="Another"),
    *(of_user(name, MailQuota="1500") for name in ("grows1", "grows2", "grows3")),
    of_user("shrinks", MailQuota="1000"),
    of_user("rekeyed", userPassword=NEWER),
    of_user("policed", tlsIn="TRUE", givenName="Strict", userPassword=NEWER),
    of_user("leaver", mailActive="FALSE"),
    of_user("returner", mailActive="TRUE"),
    shown("back"),
    leave("going"),
    # aliases and lists
    of_user("boss1", mailAlias=full("first")),
    of_user("boss2", mailAlias=full("boss")),
    of_user("stays", mailAlias=[full(name) for name in ("staying", "one", "two", "three")]),
    of_user("clerk", mailAlias=[]),
    user("released"),  # has a mailbox where somebody else had an alias
    members("team", "stays", "leaver", "boss1", "boss2", "new1", "swap1"),
    group("fresh", "new1", "new2", "stays"),
    redirected("outpost", "stays", "boss2"),
    # addresses
    renamed("maiden", "married"),
    renamed("known", "known-as", mailAlias=[]),
    renamed("chain2", "chain3"),
    of_user("agent", mailSendAs=[full("married"), full("swap1"), full("chain3")]),
    # rights
    of_user("deputy", mailSendAs=[]),
    of_user("novice", mailSendAs=full("boss1")),
)
"""What changes before the mixed run, `LONG` after the last one: somebody else is deleted by it."""
