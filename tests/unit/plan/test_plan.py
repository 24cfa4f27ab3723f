"""The plan as a whole: what it says besides its changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ldap2mailcow.model import Address, Code, Finding, Kind
from ldap2mailcow.plan import Guarded, Options, make_plan
from ldap2mailcow.plan.limits import Verdict
from ldap2mailcow.plan.target import NoRoom

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DOMAIN,
    Scene,
    codes,
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

ONLY_ANN = Options(only=frozenset({ANN}))
ODD_BOB = Finding(Code.QUOTA_INVALID, dn_of(BOB), "its quota is not a number")


def test_a_plan_counts_what_is_ours_and_what_is_wanted() -> None:
    plan = quiet([ANN], wants=[wanted(ANN), wanted(BOB)], has=[existing(ANN), existing(CAT, tags=())]).plan()
    assert (plan.managed, plan.wanted, plan.unmanaged) == (1, 2, (CAT,))


def test_what_will_be_adopted_is_not_counted_as_unmanaged() -> None:
    assert quiet([ANN], has=[existing(ANN, tags=())], rows=[]).plan().unmanaged == ()


def test_the_findings_of_the_entries_are_the_plan_s() -> None:
    assert quiet([ANN], asked={"findings": (ODD_BOB,)}).plan().findings == (ODD_BOB,)


def test_one_odd_entry_does_not_stop_the_others() -> None:
    plan = Scene(wants=[wanted(ANN, password=None), wanted(BOB)], asked={"findings": (ODD_BOB,)}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, BOB)]


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        pytest.param(ODD_BOB, False, id="somebody else"),
        pytest.param(Finding(Code.QUOTA_INVALID, dn_of(ANN), "odd"), True, id="the DN of the address"),
        pytest.param(Finding(Code.DUPLICATE_ADDRESS, ANN, "odd"), True, id="the address"),
        pytest.param(Finding(Code.SEVERAL_MAILS, "uid=x", f"it has jo{ANN}"), False, id="only in the sentence"),
    ],
)
def test_a_run_for_some_addresses_tells_what_concerns_them(
    finding: Finding,
    told: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan = quiet([ANN, BOB], asked={"findings": (finding,)}, options=ONLY_ANN).plan()
    assert plan.findings == ((finding,) if told else ())


def test_an_address_that_no_entry_has_is_told() -> None:
    plan = quiet([ANN], options=Options(only=frozenset({ANN, BOB}))).plan()
    assert [(finding.code, finding.where) for finding in plan.findings] == [(Code.NOT_IN_DIRECTORY, BOB)]


def test_an_address_that_an_unreadable_entry_has_is_in_the_directory() -> None:
    plan = quiet([ANN], options=Options(only=frozenset({BOB})), wants=[wanted(ANN, addresses=(ANN, BOB))]).plan()
    assert Code.NOT_IN_DIRECTORY not in codes(plan)


HOSTED_ELSEWHERE = make_config(source={"domains": [DOMAIN, "elsewhere.org"]})


def test_a_domain_of_the_config_that_mailcow_does_not_have_is_told() -> None:
    plan = quiet([ANN], config=HOSTED_ELSEWHERE).plan()
    assert [(finding.code, finding.where) for finding in plan.findings] == [(Code.DOMAIN_NOT_HOSTED, "elsewhere.org")]


def test_a_domain_that_mailcow_does_not_have_is_no_matter_of_some_addresses() -> None:
    assert quiet([ANN], config=HOSTED_ELSEWHERE, options=ONLY_ANN).plan().findings == ()


@pytest.mark.parametrize(("number", "told"), [(1, "1 mailbox without"), (2, "2 mailboxes without")])
def test_half_deleted_mailboxes_are_told(number: int, told: str) -> None:
    plan = quiet([ANN], actual={"half_deleted": number}).plan()
    assert codes(plan) == [Code.HALF_DELETED]
    assert told in plan.findings[0].sentence


def test_a_plan_is_the_same_in_whatever_order_the_answers_came() -> None:
    wants = [wanted(ANN, quota=400), wanted(BOB, quota=400), wanted(CAT, quota=50)]
    has = [existing(CAT), existing(ANN, tags=())]
    rows = [row(CAT), row(BOB)]
    limits = {"max_quota": 700}
    one = Scene(wants=wants, has=has, rows=rows, limits=limits)
    other = Scene(wants=wants[::-1], has=has[::-1], rows=rows[::-1], limits=limits)
    assert one.plan() == other.plan()


def test_a_plan_that_was_carried_out_leaves_nothing_to_do() -> None:
    elsewhere = Address("eve@example.com")
    has = [existing(BOB, active=0, tags=("ldap-sync", "ldap-sync:disabled")), existing(CAT, tags=(), quota=900)]
    scene = Scene(
        wants=[
            wanted(ANN, quota=500, tls_enforce_out=1),
            wanted(BOB, active=1, quota=700, name="Robert"),
            wanted(CAT, active=0, quota=100),
            wanted(elsewhere, active=0),
        ],
        has=has,
        domains=(make_domain(has, max_quota=2000), make_domain((), "example.com")),
        sources={},
    )
    plan = scene.plan()
    assert len(plan.changes) == 5
    again = make_plan(simulate(plan, scene.case()))
    assert (again.changes, codes(again)) == ((), [Code.INACTIVE_NEW])


def test_a_doubtful_answer_doubts_nothing_of_what_it_has() -> None:
    plan = replace(quiet([ANN]), doubts=(CUT_SHORT,)).plan()
    assert (plan.changes, plan.notes, plan.findings) == ((), (), (CUT_SHORT,))


def test_a_target_that_does_not_heed_what_is_held_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    held: dict[Guarded | NoRoom, frozenset[Address]] = {Guarded.DELETE: frozenset({ANN})}
    monkeypatch.setattr("ldap2mailcow.plan.plan.judge", lambda *_: Verdict(held))
    with pytest.raises(RuntimeError, match="doesn't heed that it is held"):
        quiet([ANN]).plan()
