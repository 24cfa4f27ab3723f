"""For any directory: plan, apply, plan again is empty; and mailcow delivers as the directory reads plainly."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mailcow_server import Clock, MailcowServer

from .delivery_house import HandMade, live_through
from .directories import (
    ADDRESSES,
    FOREIGN,
    KEEPER,
    NET,
    ORG,
    TWIN,
    Directory,
    Forward,
    Group,
    User,
    group_dn,
    histories,
    user_dn,
)

EXAMPLES = int(os.environ.get("DELIVERY_EXAMPLES", "0"))
"""How many to try, always new ones; 0 for the few that every run of the tests tries."""


@pytest.fixture(scope="module")
def server() -> Iterator[MailcowServer]:
    with MailcowServer(clock=Clock("2026-11-21 11:00:00")) as server:
        yield server


hand_made = st.builds(
    HandMade,
    mailboxes=st.lists(
        st.tuples(
            st.sampled_from([f"hand@{ORG}", f"ann@{ORG}", f"info@{ORG}", f"info@{NET}"]), st.sampled_from([1, 1, 2, 0])
        ),
        max_size=2,
        unique_by=lambda one: one[0],
    ).map(tuple),
    aliases=st.lists(
        st.tuples(
            st.sampled_from(ADDRESSES), st.sampled_from([f"hand@{ORG}", f"ann@{ORG}", f"x@{FOREIGN}", f"info@{ORG}"])
        ),
        max_size=1,
    ).map(tuple),
)


@given(made=hand_made, told=histories())
@settings(
    max_examples=EXAMPLES or 60,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_mailcow_delivers_as_the_directory_reads_plainly(
    server: MailcowServer, made: HandMade, told: Sequence[Directory]
) -> None:
    live_through(server, made, told)


# what went wrong once


def at(local: str, domain: str = ORG) -> str:
    return f"{local}@{domain}"


def person(name: str, mail: str | None = "", *, active: bool = True, **more: tuple[str, ...]) -> User:
    return User(name, name, at(name) if mail == "" else mail, active, **more)


def said(*entries: User | Group | Forward) -> Directory:
    """A directory of these, and of those who are always there."""
    keepers = (person(KEEPER), Group(KEEPER, at("keepers"), members=(user_dn(KEEPER),)))
    every = (*entries, *keepers, Forward(KEEPER, at("keep"), (at(KEEPER),)))
    return Directory(
        {one.name: one for one in every if isinstance(one, User)},
        {one.name: one for one in every if isinstance(one, Group)},
        {one.name: one for one in every if isinstance(one, Forward)},
    )


ANN, BEN, EVE = (person(name) for name in ("ann", "ben", "eve"))
ALL = Group("all", at("all"), members=(user_dn("ann"),))
FORWARDER = person("eve", forward_to=(at("all"),), aliases=(at("sales"),))
OUTSIDE = f"x@{FOREIGN}"
NOBODY = Group("board", at("board"), aliases=(at("eve"),))
"""It wants Eve's address too, so that neither has it."""

SCENES = {
    "a mailbox and two aliases want one address": (
        said(ANN, person("ben", aliases=(at("ann"),)), Group("board", at("board"), aliases=(at("ann"),))),
    ),
    "two mailboxes and an alias want one address": (
        said(person("ann", at("info")), person("ben", at("info")), person("eve", aliases=(at("info"),))),
    ),
    "an alias of somebody whose address nobody gets": (said(person("eve", aliases=(at("sales"),)), NOBODY),),
    "an alias of somebody whose address is another's": (
        said(ANN, EVE),
        said(person("ann", None), person("eve", at("eve")), User("ben", "ben", at("ann"), aliases=(at("sales"),))),
    ),
    "an alias leads to one that isn't made": (
        said(EVE, NOBODY, Forward("old", at("old"), (at("shop"),)), Forward("shop", at("shop"), (at("eve"),))),
    ),
    "aliases lead to one another": (
        said(Forward("old", at("old"), (at("shop"),)), Forward("shop", at("shop"), (at("old"),))),
    ),
    "who can't be reached is on an alias whose group is in its grace": (
        said(ANN, BEN, ALL),
        said(person("ann", None, active=False, aliases=(at("info"),)), BEN, ALL),
    ),
    "a list is gone": (said(ANN, ALL), said(ANN)),
    "an entry loses its address, and is inactive": (
        said(person("ann", aliases=(at("info"),))),
        said(person("ann", None, active=False, aliases=(at("info"),))),
    ),
    "a mailbox comes to where an alias of the alias domain has its name": (
        said(ANN, Group("board", at("board"), aliases=(at("ben", TWIN),), members=(user_dn("ann"),))),
        said(ANN, BEN, Group("board", at("board"), aliases=(at("ben", TWIN),), members=(user_dn("ben"),))),
    ),
    "the only member is another, who can't be reached": (
        said(Group("all", at("all"), members=(OUTSIDE,))),
        said(Group("all", at("all"), members=(at("ann"),))),
    ),
    "an alias comes to somebody who can't be reached": (
        said(BEN, EVE, NOBODY, Group("team", at("info"), members=(user_dn("ben"),))),
        said(BEN, person("eve", aliases=(at("info"),)), NOBODY),
    ),
    "somebody forwards to a list that has another address now": (
        said(FORWARDER, Group("all", at("all"), members=(OUTSIDE,))),
        said(FORWARDER, Group("all", at("everybody"), members=(OUTSIDE,))),
    ),
    "an alias in the alias domain beside the one in its target": (
        said(person("ann", aliases=(at("info"), at("info", TWIN), at("ann", TWIN)))),
    ),
    "a right to send as a list whose address somebody wants": (
        said(person("eve", send_as=(group_dn("board"),)), Group("board", at("ann"), members=(OUTSIDE,))),
        said(person("eve", send_as=(group_dn("board"),)), Group("board", at("ann"), members=(OUTSIDE,)), ANN),
    ),
    "a right to send as somebody whose address a list has": (
        said(EVE, Group("board", at("ann"), members=(OUTSIDE,))),
        said(person("eve", send_as=(user_dn("ann"),)), Group("board", at("ann"), members=(OUTSIDE,)), ANN),
    ),
}


@pytest.mark.parametrize("told", SCENES.values(), ids=SCENES)
def test_what_went_wrong_once_is_right(server: MailcowServer, told: Sequence[Directory]) -> None:
    live_through(server, HandMade(), told)


def test_no_right_to_send_as_somebody_whose_address_was_given_by_hand(server: MailcowServer) -> None:
    made = HandMade(mailboxes=((at("hand"), 1),), aliases=((at("ann"), at("hand")),))
    asking = person("eve", send_as=(user_dn("ann"),))
    live_through(server, made, (said(asking), said(asking, ANN), said(EVE, ANN)))
