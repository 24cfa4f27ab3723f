"""Who can be reached after a run: what a goto may hold."""

from __future__ import annotations

import pytest
from ldap2mailcow.plan.aliases.delivery import Delivery, Reach

from ldap2mailcow.model import Address, Kind, MailboxChange, Rule

from .builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    DAN,
    DOMAIN,
    HELP,
    INFO,
    OUTSIDE,
    TEAM,
    alias,
    existing,
    settled,
    wish,
)

CHANGES = (
    MailboxChange(Kind.DISABLE, BOB, Rule.STATUS, writes={"active": 0}),
    MailboxChange(Kind.ENABLE, CAT, Rule.STATUS_BACK, writes={"active": 2}),
    MailboxChange(Kind.CREATE, DAN, Rule.NEW, writes={"active": 1}),
    MailboxChange(Kind.UPDATE, ANN, Rule.LDAP, writes={"name": "A"}),
)


def delivery(*leaving: Address) -> Delivery:
    scene = settled(
        [ANN],
        [wish(INFO, ANN)],
        has=[existing(ANN), existing(BOB), existing(CAT, active=0)],
        aliases=[alias(TEAM, ANN, mark=""), alias(HELP, ANN, active=0)],
        alias_domains={ALIAS_DOMAIN: DOMAIN},
    )
    return Delivery(scene.case(), CHANGES, frozenset(leaving))


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        (ANN, Reach.DELIVERED),
        pytest.param(BOB, Reach.INACTIVE, id="becomes inactive"),
        pytest.param(CAT, Reach.DELIVERED, id="becomes active, if only for mail"),
        pytest.param(DAN, Reach.DELIVERED, id="is made"),
        pytest.param(Address(f"nobody@{DOMAIN}"), Reach.NOWHERE, id="nobody"),
        pytest.param(OUTSIDE, Reach.DELIVERED, id="outside"),
        pytest.param(INFO, Reach.DELIVERED, id="a wanted alias"),
        pytest.param(TEAM, Reach.DELIVERED, id="an alias of somebody's"),
        pytest.param(HELP, Reach.NOWHERE, id="an inactive alias"),
        pytest.param(Address(f"ann@{ALIAS_DOMAIN}"), Reach.DELIVERED, id="the twin of a mailbox"),
        pytest.param(Address(f"bob@{ALIAS_DOMAIN}"), Reach.INACTIVE, id="the twin of one that becomes inactive"),
        pytest.param(Address(f"nobody@{ALIAS_DOMAIN}"), Reach.NOWHERE, id="the twin of nobody"),
    ],
)
def test_what_becomes_of_mail(address: Address, reach: Reach) -> None:
    assert delivery().reach(address) is reach


def test_an_alias_that_goes_is_nobody() -> None:
    assert delivery(TEAM).reach(TEAM) is Reach.NOWHERE


@pytest.mark.parametrize(
    ("targets", "rebuilds"),
    [((), 0), ((ANN, BOB), 0), ((DAN,), 0), ((CAT,), 1), ((OUTSIDE, TEAM), 2), ((ANN, OUTSIDE), 1)],
)
def test_targets_that_are_no_active_mailbox_rebuild_the_address_book(
    targets: tuple[Address, ...],
    rebuilds: int,
) -> None:
    assert delivery().rebuilds(targets) == rebuilds
