"""Capacity: what mailcow's limits of a domain still take, and who gets it."""

from __future__ import annotations

import pytest

from ldap2mailcow.model import Address, Code, Kind
from ldap2mailcow.plan.capacity import Room

from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    HELP,
    INFO,
    TEAM,
    Scene,
    codes,
    dn_of,
    existing,
    forward,
    kinds,
    listing,
    make_domain,
    only,
    only_alias,
    quiet,
    row,
    settled,
    wanted,
)

DN = dn_of(ANN)
HAS = [existing(ANN, quota=400), existing(BOB, quota=100)]
OVERFULL = {"max_quota": 150}


def room(**limits: int) -> Room:
    return Room.of(make_domain(HAS, **limits))


# what is left


def test_the_room_is_what_is_there_less_what_is_given_out() -> None:
    found = room(max_mailboxes=7, max_quota=800, aliases=3, max_aliases=4)
    assert (found.mailboxes, found.quota, found.aliases) == (5, 300, 1)


def test_a_new_mailbox_takes_a_place_and_its_quota() -> None:
    left = room(max_mailboxes=7, max_quota=800)
    assert left.take_mailbox(ANN, 300, DN) is None
    assert (left.mailboxes, left.quota) == (4, 0)


@pytest.mark.parametrize(
    ("limits", "quota", "code", "said"),
    [
        pytest.param(
            {"max_quota": 800}, 301, Code.NO_ROOM_FOR_QUOTA, "300 MiB of its 800 MiB left", id="a mebibyte too much"
        ),
        pytest.param({"max_quota": 499}, 0, Code.NO_ROOM_FOR_QUOTA, "0 MiB of its 499 MiB left", id="overfull"),
        pytest.param({"max_mailboxes": 2}, 1, Code.NO_ROOM_FOR_MAILBOX, "all of its 2 mailboxes", id="no place"),
        pytest.param(
            {"max_mailboxes": 2, "max_quota": 0},
            1,
            Code.NO_ROOM_FOR_MAILBOX,
            "mailboxes",
            id="places first, as mailcow",
        ),
    ],
)
def test_a_mailbox_that_does_not_fit_is_told_and_takes_nothing(
    limits: dict[str, int], quota: int, code: Code, said: str
) -> None:
    left, before = room(**limits), room(**limits)
    finding = left.take_mailbox(ANN, quota, DN)
    assert finding
    assert (finding.code, finding.where, left) == (code, DN, before)
    assert said in finding.sentence


def test_a_changed_quota_counts_the_mailbox_s_own_as_free() -> None:
    left = room(max_quota=800)
    assert (left.take_quota(400, 701), left.quota) == (False, 300)
    assert (left.take_quota(400, 700), left.quota) == (True, 0)


def test_a_lowered_quota_gives_room_back() -> None:
    left = room(max_quota=500)
    assert (left.take_quota(400, 150), left.quota) == (True, 250)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        pytest.param({}, None, id="room for all"),
        pytest.param({"max_quota": 500}, None, id="just full"),
        pytest.param({"max_quota": 499}, 399, id="a mebibyte too full"),
        pytest.param({"max_quota": 50}, 0, id="far too full"),
        pytest.param({"max_mailbox_quota": 400}, None, id="just as large as one may be"),
        pytest.param({"max_mailbox_quota": 399}, 399, id="too large for one"),
    ],
)
def test_edits_are_refused_where_the_present_quota_does_not_fit(limits: dict[str, int], left: int | None) -> None:
    finding = room(**limits).blocks_edits(ANN, 400, DN)
    assert (finding is None) is (left is None)
    assert finding is None or f"its quota of 400 MiB is above the {left} MiB" in finding.sentence


def test_a_grown_quota_is_counted_once() -> None:
    """Counted twice, every growth by more than half of what is left would be refused."""
    left = room(max_quota=800)
    assert left.take_quota(400, 700)
    assert left.blocks_edits(ANN, 700, DN) is None


def test_aliases_take_the_places_that_are_left() -> None:
    left = room(aliases=3, max_aliases=4)
    assert left.take_alias(INFO, DN) is None
    finding = left.take_alias(TEAM, DN)
    assert finding
    assert (finding.code, finding.where, left.aliases) == (Code.NO_ROOM_FOR_ALIAS, DN, 0)


def test_a_domain_with_more_aliases_than_it_may_have_takes_none() -> None:
    """mailcow itself would take any number then, until it counts again."""
    finding = room(aliases=5, max_aliases=4).take_alias(INFO, "")
    assert finding
    assert finding.where == INFO


# who gets it


def test_places_and_quotas_are_counted_down_in_address_order() -> None:
    wants = [wanted(DAN, quota=400), wanted(CAT, quota=100), wanted(BOB, quota=400), wanted(ANN, quota=400)]
    plan = Scene(wants=wants, limits={"max_quota": 900}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB), (Kind.CREATE, CAT)]
    assert [(one.code, one.where) for one in plan.findings] == [(Code.NO_ROOM_FOR_QUOTA, dn_of(DAN))]
    few = Scene(wants=wants, limits={"max_mailboxes": 2}).plan()
    assert kinds(few.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB)]
    assert codes(few) == [Code.NO_ROOM_FOR_MAILBOX] * 2


def test_quota_that_is_given_back_is_there_for_others() -> None:
    wants = [wanted(ANN, quota=900), wanted(BOB, quota=100)]
    plan = Scene(wants=wants, has=[existing(BOB, quota=600)], rows=[row(BOB)], limits={"max_quota": 1000}).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, BOB), (Kind.CREATE, ANN)]


def test_room_goes_to_active_mailboxes_first() -> None:
    """An inactive one takes no mail, so its larger quota can wait."""
    wants = [wanted(ANN, quota=300, active=0), wanted(BOB, quota=200), wanted(CAT, quota=100)]
    has = [existing(ANN, active=0), existing(CAT)]
    plan = Scene(wants=wants, has=has, rows=[row(ANN), row(CAT)], limits={"max_quota": 450}).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.CREATE, BOB)], [Code.NO_ROOM_FOR_QUOTA])
    assert plan.findings[0].where == dn_of(ANN)


@pytest.mark.parametrize(
    "ann",
    [
        wanted(ANN, name="Ann Other"),
        wanted(ANN, active=0),
        wanted(ANN, password="{CRYPT}$6$new"),
        wanted(ANN, tls_enforce_in=1),
    ],
    ids=["name", "status", "password", "TLS, though it has a call of its own"],
)
@pytest.mark.parametrize("limits", [OVERFULL, {"max_mailbox_quota": 50}], ids=["the domain", "one mailbox"])
def test_a_mailbox_that_mailcow_refuses_to_edit_is_told_and_not_tried(ann: object, limits: dict[str, int]) -> None:
    plan = quiet([ANN, BOB], wants=[ann, wanted(BOB)], limits=limits).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])
    assert "refuses every change of ann@example.org" in plan.findings[0].sentence


def test_an_overfull_domain_holds_up_only_what_has_something_to_change() -> None:
    plan = quiet([ANN, BOB], limits=OVERFULL).plan()
    assert (plan.changes, plan.findings) == ((), ())


@pytest.mark.parametrize(("most", "found"), [(99, [Code.NO_ROOM_FOR_QUOTA]), (100, [])])
def test_even_an_unlimited_mailbox_can_t_be_edited_where_the_others_alone_are_too_large(
    most: int, found: list[Code]
) -> None:
    has = [existing(ANN, quota=0), existing(BOB)]
    plan = quiet([ANN], wants=[wanted(ANN, name="Ann Other")], has=has, limits={"max_quota": most}).plan()
    assert codes(plan) == found


def test_lowering_its_own_quota_frees_a_mailbox_for_edits() -> None:
    wants = [wanted(ANN, name="Ann Other", quota=50, active=0), wanted(BOB, name="Robert")]
    plan = quiet([ANN, BOB], wants=wants, limits=OVERFULL).plan()
    assert (kinds(plan.changes), plan.findings) == ([(Kind.UPDATE, ANN), (Kind.UPDATE, BOB), (Kind.DISABLE, ANN)], ())


def test_a_lower_quota_that_is_still_too_large_stays() -> None:
    plan = quiet([ANN, BOB], wants=[wanted(ANN, quota=60), wanted(BOB)], limits=OVERFULL).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])


def test_a_status_beside_a_quota_that_stays_is_judged_by_the_quota_that_stays() -> None:
    plan = quiet([ANN, BOB], wants=[wanted(ANN, quota=60, active=0), wanted(BOB)], limits=OVERFULL).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])
    assert "while its quota of 100 MiB is above the 50 MiB" in plan.findings[0].sentence


def test_each_domain_has_its_own_room() -> None:
    elsewhere = Address("ann@example.com")
    domains = (make_domain((), max_mailboxes=0), make_domain((), "example.com", max_mailboxes=1))
    plan = Scene(wants=[wanted(ANN), wanted(elsewhere)], domains=domains).plan()
    assert only(plan.changes).address == elsewhere


def test_mail_goes_to_no_alias_that_there_is_no_room_for() -> None:
    wishes = [listing(HELP, ANN, TEAM), forward(TEAM, BOB)]
    plan = settled([ANN, BOB], wishes, aliases=[], alias_rows=[], limits={"max_aliases": 1}).plan()
    change = only_alias(plan.changes)
    assert (change.address, change.writes["goto"]) == (HELP, ANN)
    assert {Code.NO_ROOM_FOR_ALIAS, Code.MEMBER_UNREACHABLE} == {*codes(plan)}
