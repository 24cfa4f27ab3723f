"""Room: what mailcow's limits of a domain still take."""

from __future__ import annotations

import pytest
from ldap2mailcow.plan.room import Room, shown

from ldap2mailcow.model import Code

from .builders import ANN, BOB, INFO, TEAM, dn_of, existing, make_domain

DN = dn_of(ANN)


def room(**limits: int) -> Room:
    return Room.of(make_domain([existing(ANN, quota=400), existing(BOB, quota=100)], **limits))


def test_the_room_is_what_the_present_mailboxes_leave() -> None:
    assert (room(max_mailboxes=7, max_quota=800).mailboxes, room(max_quota=800).quota) == (5, 300)


@pytest.mark.parametrize(
    ("quota", "code"),
    [(0, None), (300, None), (301, Code.NO_ROOM_FOR_QUOTA)],
)
def test_a_new_mailbox_fits_up_to_the_last_mebibyte(quota: int, code: Code | None) -> None:
    finding = room(max_quota=800).take_mailbox(ANN, quota, DN)
    assert (finding and finding.code) == code


def test_a_new_mailbox_takes_a_place_and_its_quota() -> None:
    left = room(max_mailboxes=7, max_quota=800)
    left.take_mailbox(ANN, 120, DN)
    assert (left.mailboxes, left.quota) == (4, 180)


@pytest.mark.parametrize("limits", [{"max_mailboxes": 2}, {"max_quota": 510}])
def test_a_mailbox_that_does_not_fit_takes_nothing(limits: dict[str, int]) -> None:
    left, before = room(**limits), room(**limits)
    assert left.take_mailbox(ANN, 120, DN)
    assert (left.mailboxes, left.quota) == (before.mailboxes, before.quota)


def test_the_number_of_mailboxes_is_checked_before_the_quota() -> None:
    """As mailcow does, so that both name the same cause."""
    finding = room(max_mailboxes=2, max_quota=0).take_mailbox(ANN, 1, DN)
    assert finding
    assert finding.code is Code.NO_ROOM_FOR_MAILBOX


def test_an_overfull_domain_takes_not_even_an_unlimited_mailbox() -> None:
    finding = room(max_quota=499).take_mailbox(ANN, 0, DN)
    assert finding
    assert "has 0 MiB of its 499 MiB left" in finding.sentence


def test_a_changed_quota_counts_the_mailbox_s_own_as_free() -> None:
    left = room(max_quota=800)
    assert left.take_quota(ANN, 400, 701, DN)
    assert left.quota == 300
    assert left.take_quota(ANN, 400, 700, DN) is None
    assert left.quota == 0


def test_a_lowered_quota_gives_room_back() -> None:
    left = room(max_quota=500)
    left.take_quota(ANN, 400, 150, DN)
    assert left.quota == 250


def test_an_unlimited_quota_is_told_in_words() -> None:
    assert (shown(0), shown(5)) == ("unlimited", "5 MiB")


@pytest.mark.parametrize(("quota", "fits"), [(0, True), (500, True), (501, False)])
def test_one_mailbox_may_have_as_much_as_the_domain_allows_it(quota: int, fits: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    finding = room(max_mailbox_quota=500).over_limit(ANN, quota, DN)
    assert (finding is None) is fits
    assert finding is None or finding.code is Code.QUOTA_OVER_LIMIT


@pytest.mark.parametrize(
    ("limits", "blocked"),
    [
        pytest.param({}, False, id="room for all"),
        pytest.param({"max_quota": 500}, False, id="just full"),
        pytest.param({"max_quota": 499}, True, id="a mebibyte too full"),
        pytest.param({"max_mailbox_quota": 400}, False, id="just as large as one may be"),
        pytest.param({"max_mailbox_quota": 399}, True, id="too large for one"),
    ],
)
def test_edits_are_refused_where_the_present_quota_does_not_fit(limits: dict[str, int], blocked: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert (room(**limits).blocks_edits(existing(ANN, quota=400), 400, DN) is not None) is blocked


def test_a_refused_edit_is_told_with_what_would_fit() -> None:
    finding = room(max_quota=450).blocks_edits(existing(ANN, quota=400), 400, DN)
    assert finding
    assert "its quota of 400 MiB is above the 350 MiB" in finding.sentence


def test_a_grown_quota_is_counted_once() -> None:
    """Counted twice, every growth by more than half of what is left would be refused."""
    left = room(max_quota=800)
    left.take_quota(ANN, 400, 700, DN)
    assert left.blocks_edits(existing(ANN, quota=400), 700, DN) is None


def test_aliases_take_the_places_that_are_left() -> None:
    left = room(aliases=3, max_aliases=4)
    assert left.take_alias(INFO, DN) is None
    finding = left.take_alias(TEAM, DN)
    assert finding
    assert (finding.code, finding.where) == (Code.NO_ROOM_FOR_ALIAS, DN)
    assert left.aliases == 0


def test_a_domain_with_more_aliases_than_it_may_have_takes_none() -> None:
    """mailcow itself would take any number then, until it counts again."""
    finding = room(aliases=5, max_aliases=4).take_alias(INFO, "")
    assert finding
    assert finding.where == INFO
