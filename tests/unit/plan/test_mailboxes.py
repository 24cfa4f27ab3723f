"""What each wanted mailbox needs: the order in which limits are counted, and whom nobody touches."""

from __future__ import annotations

from ldap2mailcow.model import Address, Code, Kind

from .builders import (
    ANN,
    BOB,
    CAT,
    DOMAIN,
    Scene,
    dn_of,
    existing,
    kinds,
    make_config,
    make_domain,
    quiet,
    row,
    wanted,
)
from .simulated import simulate

AGREES = ((), (), (), ())


def test_protected_addresses_are_not_touched() -> None:
    config = make_config(protected=["Ann@Example.org", BOB])
    plan = Scene(
        wants=[wanted(ANN), wanted(BOB, name="Robert", active=0)],
        has=[existing(BOB)],
        config=config,
    ).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert [(one.code, one.where) for one in plan.findings] == [(Code.PROTECTED, ANN), (Code.PROTECTED, BOB)]


def test_limits_are_counted_down_in_address_order() -> None:
    scene = Scene(
        wants=[wanted(CAT, quota=400), wanted(BOB, quota=400), wanted(ANN, quota=400)],
        limits={"max_quota": 1000},
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB)]
    assert [finding.where for finding in plan.findings] == [dn_of(CAT)]
    simulate(plan, scene.case())


def test_each_domain_has_its_own_room() -> None:
    elsewhere = Address("ann@example.com")
    domains = (make_domain((), DOMAIN, max_mailboxes=0), make_domain((), "example.com", max_mailboxes=1))
    plan = Scene(wants=[wanted(ANN), wanted(elsewhere)], domains=domains).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, elsewhere)]


def test_quota_that_somebody_gives_back_is_there_for_others() -> None:
    scene = Scene(
        wants=[wanted(ANN, quota=900), wanted(BOB, quota=100)],
        has=[existing(BOB, quota=600)],
        rows=[row(BOB)],
        limits={"max_quota": 1000},
    )
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, BOB), (Kind.CREATE, ANN)]
    simulate(scene.plan(), scene.case())


def test_where_all_agree_nothing_is_done_and_nothing_is_said() -> None:
    plan = quiet([ANN, BOB, CAT]).plan()
    assert (plan.changes, plan.notes, plan.findings, plan.pending) == AGREES
