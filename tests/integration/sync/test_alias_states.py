"""One story of aliases, lists and rights, in states that follow one another, on a real slapd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directory_server import Slapd
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import DOMAIN, Installation
from .story import (
    SCHEMA,
    Act,
    Step,
    Story,
    alias_by_hand,
    by_hand,
    config,
    delete_by_hand,
    edit_by_hand,
    full,
    group,
    group_dn,
    members,
    of_group,
    of_user,
    user,
    user_dn,
    with_dn,
)

FORWARDS = "ou=forwards,dc=example,dc=org"
ELSEWHERE = "x@elsewhere.example"
MAPPED = {
    "quota": "MailQuota",
    "active": "mailActive",
    "aliases": ["mailAlias", "proxyAddresses"],
    "group_addresses": "mailOnList",
    "forward_to": "mailForwardingAddress",
    "send_as": "mailSendAs",
}
MAPPED_OF_GROUPS = {
    "member": ["member", "rfc822MailMember"],
    "aliases": ["mailAlias"],
    "send_as": "mailSendAs",
    "internal": "mailInternal",
    "sender_allowed": "mailSenderAllowed",
    "sogo_visible": "mailInAddressBook",
    "catch_all": "mailCatchAll",
    "comment": "description",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose config maps all there is of aliases, with nobody in its directory."""
    clock = Clock("2026-11-21 11:00:00")
    with Slapd(schema=SCHEMA) as slapd, MailcowServer([DomainLimits(DOMAIN)], clock=clock) as mailcow:
        slapd.add(FORWARDS, {"objectClass": "organizationalUnit", "ou": "forwards"})
        house = Installation(tmp_path, slapd, mailcow)
        house.config(
            ldap__user_mapping=MAPPED,
            ldap__group_search_base=slapd.groups_dn,
            ldap__group_search_filter="(objectClass=mailGroup)",
            ldap__group_mapping=MAPPED_OF_GROUPS,
            ldap__alias_search_base=FORWARDS,
            ldap__alias_search_filter="(objectClass=mailForward)",
            ldap__send_as_any="(title=director)",
            allow_reserved_groups=[f"@{DOMAIN}"],
        )
        yield house


kept: dict[str, tuple[str, dict[str, list[bytes]]]] = {}
"""Entries of people who have left, and come back."""


def leaves(name: str) -> Act:
    """Somebody leaves the directory."""

    def act(house: Installation) -> None:
        (kept[name],) = house.slapd.admin.search_s(user_dn(house, name), 0, attrlist=["*", "entryUUID"])
        house.slapd.delete(user_dn(house, name))

    return act


def comes_back(name: str) -> Act:
    """Somebody who had left is in the directory again, the same entry."""
    return lambda house: house.restore(*kept[name])


def forwards(name: str, *targets: str) -> Act:
    """An entry that only forwards enters the directory, or takes the place of what it was."""

    def act(house: Installation) -> None:
        dn = f"cn={name},{FORWARDS}"
        entry = {"objectClass": ["mailForward"], "cn": [name], "mail": [full(name)]}
        if house.slapd.admin.search_s(FORWARDS, 1, f"(cn={name})"):
            house.slapd.delete(dn)
        house.slapd.add(dn, {**entry, "mailForwardingAddress": [full(target) for target in targets]})

    return act


def groups_move(*, away: bool) -> Act:
    """The groups' branch gets another name, or its own again: the search for groups fails meanwhile."""

    def act(house: Installation) -> None:
        here, there = house.slapd.groups_dn, house.slapd.groups_dn.replace("ou=groups", "ou=elsewhere")
        house.slapd.rename(*((here, there) if away else (there, here)))

    return act


def loses_state(house: Installation) -> None:
    """The state file and its key are lost."""
    for path in house.folder.glob("mailcow_ldap_sync.sqlite3*"):
        path.unlink()


def room_for(more: int) -> Act:
    """The domain may have so many aliases more than it has."""

    def act(house: Installation) -> None:
        count = house.mailcow.state.count_aliases(DOMAIN) + more
        house.by_hand("edit/domain", {"items": [DOMAIN], "attr": {"aliases": count}})

    return act


STEPS = (
    # further addresses of people
    Step(
        "six people get their mailboxes",
        tuple(user(name) for name in ("ann", "ben", "cat", "dan", "eve", "fay")),
        mail={name: name for name in ("ann", "ben", "cat", "dan", "eve", "fay")},
    ),
    Step(
        "ann has further addresses in two attributes, one of them as in Active Directory",
        (
            of_user(
                "ann",
                mailAlias=full("info"),
                proxyAddresses=[f"SMTP:{full('ann')}", f"smtp:{full('sales')}", "x500:/o=Old/cn=ann"],
            ),
        ),
        mail={"info": "ann", "sales": "ann"},
        columns={"info": {"sogo_visible": 1, "sender_allowed": 1, "private_comment": "ldap-sync"}},
    ),
    Step(
        "ann gets another one, ben his first",
        (of_user("ann", mailAlias=[full("info"), full("help")]), of_user("ben", mailAlias=full("press"))),
        mail={"help": "ann", "press": "ben"},
    ),
    Step(
        "ann and ben swap addresses",
        (of_user("ann", mailAlias=[full("press"), full("help")]), of_user("ben", mailAlias=full("info"))),
        mail={"info": "ben", "press": "ann"},
    ),
    Step(
        "ann gives one up",
        (of_user("ann", mailAlias=full("help")),),
        mail={"press": ""},
    ),
    # lists
    Step(
        "a group appears",
        (group("team", "ann", "ben"),),
        mail={"team": "ann ben"},
        columns={"team": {"sogo_visible": 0, "sender_allowed": 1, "internal": 0}},
    ),
    Step(
        "a group with a group in it, and with an address elsewhere",
        (group("all", "cat", rfc822MailMember=ELSEWHERE), members("all", "cat", groups=("team",))),
        mail={"all": f"ann ben cat {ELSEWHERE}"},
        rebuilds=1,
    ),
    Step(
        "the two contain one another",
        (members("team", "ann", "ben", groups=("all",)),),
        mail={"team": f"ann ben cat {ELSEWHERE}"},
        says=("list_loop all",),
        rebuilds=1,
    ),
    Step(
        "the loop ends",
        (members("team", "ann", "ben"),),
        mail={"team": "ann ben"},
        rebuilds=1,
    ),
    Step(
        "ben is inactive",
        (of_user("ben", mailActive="FALSE"),),
        mail={"ben": "", "info": "", "team": "ann", "all": f"ann cat {ELSEWHERE}"},
        columns={"info": {"active": 0, "private_comment": "ldap-sync:disabled"}},
        rebuilds=2,
    ),
    Step(
        "ben is active again",
        (of_user("ben", mailActive="TRUE"),),
        mail={"ben": "ben", "info": "ben", "team": "ann ben", "all": f"ann ben cat {ELSEWHERE}"},
        columns={"info": {"active": 1, "private_comment": "ldap-sync"}},
        rebuilds=1,
    ),
    Step(
        "a list of one",
        (group("board", "dan"),),
        mail={"board": "dan"},
    ),
    Step(
        "the last member leaves it",
        (members("board"),),
        mail={"board": ""},
        columns={"board": {"active": 0}},
    ),
    Step(
        "somebody else joins it",
        (members("board", "eve"),),
        mail={"board": "eve"},
    ),
    Step(
        "a list changes its address",
        (of_group("team", mail=full("crew")),),
        mail={"team": "", "crew": "ann ben"},
    ),
    Step(
        "another list wants the same address",
        (group("rival", "cat", mail=full("crew")),),
        says=("duplicate_address crew",),
        code=3,
        is_quiet=True,
    ),
    Step(
        "it gets one of its own, and a second one",
        (of_group("rival", mail=full("rival"), mailAlias=full("rivals")),),
        mail={"rival": "cat", "rivals": "cat"},
    ),
    # people and their mailboxes
    Step(
        "somebody new has an address that is ann's alias",
        (user("help"),),
        says=("address_is_alias help",),
        code=3,
        is_quiet=True,
    ),
    Step(
        "ann gives it up",
        (of_user("ann", mailAlias=[]),),
        mail={"help": "help"},
    ),
    Step(
        "fay, who has a mailbox, wants her mail forwarded",
        (of_user("fay", mailForwardingAddress=full("eve")),),
        says=("forward_beside_mailbox fay",),
        is_quiet=True,
    ),
    Step(
        "her mailbox is removed by hand",
        (by_hand("delete/mailbox", [full("fay")]),),
        mail={"fay": "eve"},
    ),
    Step(
        "she wants a mailbox again",
        (of_user("fay", mailForwardingAddress=[]),),
        mail={"fay": "fay"},
    ),
    Step(
        "gus never has a mailbox; half of where he wants his mail is elsewhere",
        (user("gus", mailForwardingAddress=[full("dan"), ELSEWHERE]),),
        mail={"gus": "dan"},
        says=("foreign_goto gus",),
        code=3,
    ),
    Step(
        "users may forward to other servers",
        (config(external_goto={"users": "allow"}),),
        mail={"gus": f"dan {ELSEWHERE}"},
        rebuilds=1,
    ),
    Step(
        "an entry that only forwards",
        (forwards("old", "ann", ELSEWHERE),),
        mail={"old": f"ann {ELSEWHERE}"},
        rebuilds=1,
    ),
    Step(
        "it forwards to somebody else",
        (forwards("old", "y@elsewhere.example"),),
        mail={"old": "y@elsewhere.example"},
        rebuilds=2,
    ),
    # lists that users name
    Step(
        "dan and eve name a list by its address, cat names a group by its DN",
        (
            of_user("dan", mailOnList=full("choir"), mailAlias=full("dance")),
            of_user("eve", mailOnList=full("choir")),
            with_dn("cat", "mailOnList", of="team", kind=group_dn),
        ),
        mail={"choir": "dan eve", "dance": "dan", "crew": "ann ben cat"},
    ),
    # who may send as whom
    Step(
        "ben may send as fay, cat as eve by DN, eve as ann because she is on the board, fay as the board",
        (
            of_user("ben", mailSendAs=full("fay")),
            with_dn("cat", "mailSendAs", of="eve", kind=user_dn),
            of_group("board", mailSendAs=full("ann")),
            with_dn("fay", "mailSendAs", of="board", kind=group_dn),
        ),
        rights={"ben": "fay", "cat": "eve", "eve": "ann", "fay": "board"},
    ),
    Step(
        "eve is to send as herself and as the board, which she may anyway, and as somebody elsewhere",
        (of_user("eve", mailSendAs=[full("eve"), full("board"), ELSEWHERE]),),
        rights={"eve": f"ann {ELSEWHERE}"},
    ),
    Step(
        "that is no longer meant",
        (of_user("eve", mailSendAs=[]),),
        rights={"eve": "ann"},
    ),
    Step(
        "ann may send as anybody",
        (of_user("ann", title="director"),),
        rights={"ann": "*"},
    ),
    Step(
        "ann no longer may, nor ben as fay",
        (of_user("ann", title=[]), of_user("ben", mailSendAs=[])),
        rights={"ann": "", "ben": ""},
    ),
    Step(
        "cat's right is dropped by hand, and somebody gives her another: nobody looks",
        (by_hand("edit/mailbox", {"items": [full("cat")], "attr": {"sender_acl": [full("dan")]}}),),
        rights={"cat": "dan"},
        is_quiet=True,
    ),
    Step(
        "all that is managed is written again",
        (),
        rights={"cat": "dan eve"},
        options=("--reassert",),
    ),
    # what a list is besides its members
    Step(
        "flags and a comment",
        (
            of_group(
                "team",
                mailInternal="TRUE",
                mailSenderAllowed="FALSE",
                mailInAddressBook="TRUE",
                description="The crew",
            ),
        ),
        columns={
            "crew": {"internal": 1, "sender_allowed": 0, "sogo_visible": 1, "public_comment": "The crew", "active": 1}
        },
    ),
    Step(
        "they are changed by hand",
        (edit_by_hand("crew", internal="0", public_comment="By hand"),),
        columns={"crew": {"internal": 1, "sender_allowed": 0, "sogo_visible": 1, "public_comment": "The crew"}},
    ),
    Step(
        "the directory no longer says them",
        (
            of_group("team", mailInternal=[], mailSenderAllowed=[], mailInAddressBook=[], description=[]),
            members("team", "ann"),
        ),
        mail={"crew": "ann cat", "all": f"ann cat {ELSEWHERE}"},
        rebuilds=1,
    ),
    # aliases that somebody made or changed in mailcow
    Step(
        "of two aliases made by hand the one that goes to the right person is taken over",
        (
            alias_by_hand("kin", "ann", private_comment="their own"),
            alias_by_hand("odd", "ben"),
            of_user("ann", mailAlias=[full("kin"), full("odd")]),
        ),
        mail={"kin": "ann", "odd": "ben"},
        columns={"kin": {"private_comment": "their own"}, "odd": {"private_comment": None}},
        says=("alias_not_ours odd",),
        code=3,
        is_quiet=True,
    ),
    Step(
        "ann no longer wants the other",
        (of_user("ann", mailAlias=[full("kin"), full("info2")]),),
        mail={"info2": "ann"},
    ),
    Step(
        "one alias of ours is edited by hand, one set inactive, one deleted",
        (
            edit_by_hand("info", goto=full("dan")),
            edit_by_hand("sales", active="0"),
            delete_by_hand("choir"),
        ),
        mail={"sales": ""},
        says=("alias_disabled_by_hand sales",),
    ),
    Step(
        "the one is set active again, and goes to two",
        (edit_by_hand("sales", active="1", goto=f"{full('ann')},{full('ben')}"),),
        mail={"sales": "ann"},
    ),
    # people who leave
    Step(
        "dan leaves",
        (leaves("dan"),),
        is_quiet=True,
    ),
    Step(
        "half an hour later his mailbox, his aliases and his places on lists go in one run",
        (),
        minutes=31,
        mail={"dan": "", "dance": "", "choir": "eve", "gus": ELSEWHERE},
        rebuilds=2,
    ),
    Step(
        "he comes back",
        (comes_back("dan"),),
        mail={"dan": "dan", "dance": "dan", "choir": "dan eve", "gus": f"dan {ELSEWHERE}"},
        rebuilds=1,
    ),
    # an alias domain
    Step(
        "addresses in an alias domain: one that mailcow has by itself, one that it hasn't",
        (
            by_hand("add/alias-domain", {"alias_domain": "twin.example", "target_domain": DOMAIN, "active": "1"}),
            of_user("ben", mailAlias=[full("info"), "ben@twin.example", "info@twin.example"]),
        ),
        mail={"ben@twin.example": "ben", "info@twin.example": "ben"},
    ),
    # what isn't known, and what is too much
    Step(
        "the search for groups fails: nothing of theirs shrinks or goes, everything else goes on",
        (groups_move(away=True), of_user("eve", mailAlias=full("extra"), mailOnList=[])),
        mail={"extra": "eve"},
        says=("answer_cut_short default (groups)", "send_as_not_found fay"),
        code=4,
    ),
    Step(
        "it is there again",
        (groups_move(away=False), of_user("eve", mailAlias=[])),
        mail={"extra": "", "choir": "dan"},
    ),
    Step(
        "an entry is missing that is always there: nobody's aliases go, new ones come",
        (
            config(ldap__canary_dns=["uid=canary,ou=people,dc=example,dc=org"]),
            of_user("ben", mailAlias=[full("info"), full("bens")]),
        ),
        mail={"bens": "ben"},
        says=("canary_missing canary",),
        code=4,
    ),
    Step(
        "it is no longer asked for",
        (config(ldap__canary_dns=[]),),
        mail={"info@twin.example": ""},
    ),
    Step(
        "a list of five",
        (group("five", "ann", "ben", "cat", "dan", "eve"),),
        mail={"five": "ann ben cat dan eve"},
    ),
    Step(
        "four leave it at once, which is too many",
        (members("five", "fay", "ann"),),
        mail={"five": "ann ben cat dan eve"},
        code=4,
        is_quiet=True,
    ),
    Step(
        "that is meant",
        (),
        mail={"five": "ann fay"},
        options=("--force-removals", "1"),
    ),
    Step(
        "a list gets too long: it keeps whom it had",
        (config(limits={"list_members": 4}), members("five", "ann", "ben", "cat", "dan", "eve")),
        says=("list_too_long five",),
        code=3,
        is_quiet=True,
    ),
    Step(
        "it may be that long",
        (config(limits={"list_members": 5}),),
        mail={"five": "ann ben cat dan eve"},
    ),
    Step(
        "the state file is lost: all that is ours is taken over again, and nothing else",
        (loses_state,),
        is_quiet=True,
        columns={
            "kin": {"private_comment": "their own"},
            "odd": {"private_comment": None},
            "five": {"private_comment": "ldap-sync"},
        },
    ),
    Step(
        "it is lost again, and meanwhile an alias of ours was sent elsewhere by hand: its mark says that it is ours",
        (loses_state, edit_by_hand("info", goto=full("dan"))),
        mail={"info": "ben"},
    ),
    Step(
        "what was taken over is managed: it goes where the directory doesn't ask for it",
        (of_group("five", mail=full("quintet")), of_user("ann", mailAlias=[full("info2")])),
        mail={"five": "", "quintet": "ann ben cat dan eve", "kin": ""},
    ),
    Step(
        "mail to unknown addresses goes to a list",
        (of_group("rival", mailCatchAll="TRUE"),),
        mail={f"@{DOMAIN}": "cat"},
    ),
    Step(
        "it no longer does",
        (of_group("rival", mailCatchAll=[]),),
        mail={f"@{DOMAIN}": ""},
    ),
    Step(
        "the domain is full of aliases",
        (room_for(0), of_user("ann", mailAlias=[full("info2"), full("more")])),
        says=("no_room_for_alias ann",),
        code=3,
        is_quiet=True,
    ),
    Step(
        "one goes, and the other takes its place",
        (of_user("ann", mailAlias=[full("more")]),),
        mail={"info2": "", "more": "ann"},
    ),
)


def test_every_state_of_the_directory_comes_to_be_in_mailcow_and_one_more_run_does_nothing(
    house: Installation,
) -> None:
    story = Story(house)
    for step in STEPS:
        found, expected = story.goes_on(step)
        assert (step.title, found) == (step.title, expected)
