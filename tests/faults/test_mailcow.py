"""mailcow fails in every way, at every kind of call: this run or the next gets there, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.sync.installation import Done, Installation, address, after_write
from tests.mailcow_server import FaultKind

from .share import few, paired
from .world import contents, made_twice

PEOPLE = range(1, 13)
NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"

FAULTS = (
    FaultKind.EMPTY_BODY,
    FaultKind.DROP_AFTER,
    FaultKind.HTTP_500,
    FaultKind.HTTP_502,
    FaultKind.DROP_BEFORE,
    FaultKind.EMPTY_BODY_AFTER,
    FaultKind.DEADLOCK,
    FaultKind.LOCK_WAIT,
)


def nothing(_house: Installation) -> None:
    """Leave the directory as it is."""


def new_name(house: Installation) -> None:
    house.change(3, givenName="Zoë")


def new_password(house: Installation) -> None:
    house.change(3, userPassword=NEWER)


def ten_new_quotas(house: Installation) -> None:
    for number in PEOPLE[:10]:
        house.change(number, MailQuota="300")


def new_policy(house: Installation) -> None:
    house.change(3, tlsIn="TRUE")


def name_and_policy(house: Installation) -> None:
    house.change(3, givenName="Zoë", tlsIn="TRUE", userPassword=NEWER)


def inactive(house: Installation) -> None:
    house.change(3, mailActive="FALSE")


def active_again(house: Installation) -> None:
    house.change(4, mailActive="TRUE")


READS = ("get/domain/all", "get/mailbox/reduced", "get/alias/all")

Call = tuple[str, Callable[[Installation], None]]
"""The path of a call, and the change of the directory that it comes from."""

CALLS: tuple[Call, ...] = (
    ("edit/mailbox", new_name),
    ("edit/mailbox", new_password),
    ("edit/mailbox", ten_new_quotas),
    ("edit/tls_policy", new_policy),
    ("edit/tls_policy", name_and_policy),
    ("edit/mailbox", inactive),
    ("edit/mailbox", active_again),
    ("delete/mailbox/tag", active_again),
)


def named(value: Call | FaultKind) -> str:
    """Return what the tests call a parameter."""
    return value if isinstance(value, FaultKind) else f"{value[0]}-{value[1].__name__}"


def prepare(house: Installation, twin: Installation) -> None:
    """Give both mailcows the same people: twelve, the fourth of them inactive."""
    house.people(*PEOPLE, tlsIn="FALSE")
    for each in (house, twin):
        each.config(mailcow_connections=1)
        assert each.at_clock().code == 0
    house.change(4, mailActive="FALSE")
    for each in (house, twin):
        assert each.again(minutes=5).code == 0
    house.writes()


def converges(house: Installation, twin: Installation) -> Done:
    """Run until nothing is left to do, once more at most; return how the first run ended."""
    first = house.again(minutes=5)
    assert not house.mailcow.faults._armed or any(request.fault for request in house.mailcow.log)
    done = house.again(minutes=5) if first.code else first
    assert done.code == 0
    assert twin.again(minutes=5).code == 0
    assert contents(house.mailcow) == contents(twin.mailcow)
    assert made_twice(house.mailcow) == []
    house.writes()
    assert house.again("-q", minutes=5).said == ""
    assert house.writes() == []
    return first


@pytest.mark.parametrize(("call", "kind"), paired(CALLS, FAULTS), ids=named)
def test_a_fault_at_any_kind_of_call_is_got_over(
    house: Installation, twin: Installation, kind: FaultKind, call: Call
) -> None:
    path, change = call
    prepare(house, twin)
    change(house)
    house.mailcow.faults.add(kind, path)
    converges(house, twin)


@pytest.mark.parametrize("kind", few(2, FAULTS))
def test_a_fault_at_a_creation_makes_no_mailbox_twice(house: Installation, twin: Installation, kind: FaultKind) -> None:
    house.people(*PEOPLE)
    house.mailcow.faults.add(kind, "add/mailbox", address(5))
    first = converges(house, twin)
    assert first.code == 0


@pytest.mark.parametrize("kind", few(2, FAULTS))
def test_an_unknown_outcome_is_read_again_before_anything_else_is_done_to_it(
    house: Installation, twin: Installation, kind: FaultKind
) -> None:
    prepare(house, twin)
    new_name(house)
    house.mailcow.faults.add(kind, "edit/mailbox")
    house.again(minutes=5)
    after = [request.path for request in house.mailcow.log]
    at = after.index("edit/mailbox")
    assert after[at + 1] == f"get/mailbox/{address(3)}"
    written = kind in {FaultKind.EMPTY_BODY_AFTER, FaultKind.DROP_AFTER}
    assert after[at + 2 :] == ([] if written else ["edit/mailbox"])


@pytest.mark.parametrize("kind", few(2, FAULTS))
def test_a_fault_that_lasts_fails_one_change_and_no_other(
    house: Installation, twin: Installation, kind: FaultKind
) -> None:
    prepare(house, twin)
    for number in (2, 3, 5):
        house.change(number, givenName=f"Zoë{number}")
    house.mailcow.faults.add(kind, "edit/mailbox", address(3), times=None)
    done = house.again(minutes=5)
    written = kind in {FaultKind.EMPTY_BODY_AFTER, FaultKind.DROP_AFTER}
    assert done.code == (0 if written else 3)
    assert (f"failed    update {address(3)}" in done.out) != written
    assert house.mailbox(2).name.startswith("Zoë2")
    assert house.mailbox(5).name.startswith("Zoë5")
    house.mailcow.faults.clear()
    converges(house, twin)


def test_of_a_batch_only_those_are_sent_again_that_were_not_written(house: Installation, twin: Installation) -> None:
    """The items before the deadlock are saved, the later ones never looked at (docs/mailcow-api.md section 11)."""
    prepare(house, twin)
    ten_new_quotas(house)
    house.mailcow.faults.add(FaultKind.DEADLOCK, "edit/mailbox", address(6))
    assert converges(house, twin).code == 0


def test_of_a_batch_those_before_the_deadlock_are_not_written_again(house: Installation, twin: Installation) -> None:
    prepare(house, twin)
    ten_new_quotas(house)
    house.mailcow.faults.add(FaultKind.DEADLOCK, "edit/mailbox", address(6))
    house.again(minutes=5)
    again = [write.items for write in house.mailcow.log.writes()[1:]]
    assert sorted(again) == [(address(number),) for number in range(6, 11)]


def test_a_mailbox_that_was_made_without_its_tag_is_somebody_elses(house: Installation) -> None:
    """It was made by hand between our reading and our writing: taking it over is the next run's decision."""
    house.make_by_hand(2, NEWER)
    theirs = replace(house.mailbox(2), username=address(1), local_part=address(1).partition("@")[0])
    house.people(1)
    house.mailcow.faults.add(FaultKind.EMPTY_BODY, "add/mailbox")
    with after_write(1, house.mailcow, lambda: house.mailcow.state.insert_mailbox(theirs)):
        done = house.at_clock()
    assert done.code == 3
    assert "somebody else made it meanwhile" in done.out
    assert house.mailbox(1).password == NEWER
    assert "adopt" in house.again(minutes=5).out


def test_a_mailbox_that_was_only_half_made_is_completed_and_not_made_twice(house: Installation) -> None:
    house.people(1)
    house.mailcow.faults.add(FaultKind.EMPTY_BODY_AFTER, "add/mailbox")
    with after_write(1, house.mailcow, lambda: setattr(house.mailbox(1), "name", "")):
        assert house.at_clock().code == 0
    assert [write.path for write in house.mailcow.log.writes()] == ["add/mailbox", "edit/mailbox"]
    assert house.mailbox(1).name == "Björn Ahmed"


def test_a_mailbox_of_which_half_is_left_is_told_and_not_tried_again(house: Installation) -> None:
    house.people(1)
    house.at_clock()
    house.change(1, givenName="Zoë")
    house.mailcow.faults.add(FaultKind.EMPTY_BODY, "edit/mailbox")
    with after_write(1, house.mailcow, lambda: setattr(house.mailbox(1), "half_deleted", True)):
        done = house.again(minutes=5)
    assert done.code == 3
    assert "mailcow holds only half of it" in done.out


def test_what_mailcow_refuses_the_second_time_is_told_in_its_words(house: Installation) -> None:
    house.people(1)
    house.at_clock()
    house.change(1, MailQuota="2G")
    house.mailcow.faults.add(FaultKind.EMPTY_BODY, "edit/mailbox")
    domain = house.mailcow.state.domains["example.org"]
    with after_write(1, house.mailcow, lambda: setattr(domain, "maxquota", 1500)):
        done = house.again(minutes=5)
    assert done.code == 3
    assert "the domain can give this mailbox 1500 MiB" in done.out
    assert len(house.mailcow.log.writes("edit/mailbox")) == 2


def test_a_mailbox_that_is_deleted_meanwhile_fails_and_is_made_anew_by_the_next_run(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.change(1, givenName="Zoë")
    house.mailcow.faults.add(FaultKind.EMPTY_BODY, "edit/mailbox")
    with after_write(1, house.mailcow, lambda: house.mailcow.state.remove_mailbox(address(1))):
        done = house.again(minutes=5)
    assert done.code == 3
    assert "it is no longer in mailcow" in done.out
    alias = house.mailcow.state.alias_at(address(1))
    assert alias is not None
    house.mailcow.state.remove_alias(alias)
    assert house.again(minutes=5).code == 0
    assert house.mailbox(1).name == "Zoë Ahmed"


def test_what_a_crashed_deletion_left_is_told_and_stops_nobody(house: Installation) -> None:
    house.people(1, 2)
    house.at_clock()
    house.mailbox(2).half_deleted = True
    house.people(3)
    done = house.again(minutes=5)
    assert "half_deleted" in done.out
    assert house.has_mailbox(3)
    assert house.mailbox(2).active == 1


def test_mailcow_that_goes_away_in_the_middle_ends_the_run(house: Installation, twin: Installation) -> None:
    house.people(*PEOPLE)
    house.config(mailcow_connections=1)

    def go_away() -> None:
        house.mailcow.faults.add(FaultKind.HTTP_502, "", times=None)
        house.mailcow.faults.add(FaultKind.HTTP_502, "get/", times=None)

    with after_write(4, house.mailcow, go_away):
        done = house.at_clock("--output", "json")
    assert done.code == 75
    assert "mailcow is starting" in done.document["error"]
    outcomes = [change["outcome"] for change in done.document["changes"]]
    assert outcomes == ["done"] * 4 + ["failed"] + ["not_tried"] * 7
    assert len(house.mailcow.log.writes()) == 5
    house.mailcow.faults.clear()
    converges(house, twin)


def test_an_end_in_the_middle_is_told_once_and_then_that_it_is_over(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.change(1, givenName="Zoë")
    for path in ("edit/", "get/mailbox/user"):
        house.mailcow.faults.add(FaultKind.HTTP_502, path, times=None)
    assert "mailcow unreachable" in house.again(minutes=5).out
    assert "mailcow unreachable" not in house.again(minutes=5).out
    house.mailcow.faults.clear()
    assert "gone      mailcow unreachable" in house.again(minutes=5).out


def test_a_list_that_is_short_once_is_read_again(house: Installation, twin: Installation) -> None:
    prepare(house, twin)
    house.mailcow.log.clear()
    house.mailcow.faults.short_list = 3
    house.mailcow.faults.short_list_times = 1
    converges(house, twin)


def test_a_list_that_stays_short_is_not_believed_and_nothing_is_written(house: Installation) -> None:
    house.people(1, 2, 3)
    house.at_clock()
    house.people(4)
    house.change(1, givenName="Zoë")
    house.writes()
    before = house.mailcow.snapshot()
    house.mailcow.faults.short_list = 1
    done = house.again(minutes=5)
    assert done.code == 75
    assert "example.org 2 of 3" in done.out
    assert house.writes() == []
    assert house.mailcow.snapshot() == before
    house.mailcow.faults.short_list = 0
    assert house.again(minutes=5).code == 0
    assert house.has_mailbox(4)


def test_an_older_mailcow_without_the_short_list_works(house: Installation, twin: Installation) -> None:
    house.mailcow.faults.no_reduced = True
    prepare(house, twin)
    name_and_policy(house)
    converges(house, twin)


@pytest.mark.parametrize(
    ("path", "kind"), paired(READS, [FaultKind.HTTP_500, FaultKind.EMPTY_BODY, FaultKind.DROP_BEFORE])
)
def test_a_read_that_fails_twice_is_got_over(
    house: Installation, twin: Installation, kind: FaultKind, path: str
) -> None:
    house.people(1, 2)
    house.mailcow.faults.add(kind, path, times=2)
    assert converges(house, twin).code == 0


@pytest.mark.parametrize("path", READS)
def test_a_read_that_keeps_failing_is_for_later_and_nothing_is_written(
    house: Installation, twin: Installation, path: str
) -> None:
    house.people(1, 2)
    house.mailcow.faults.add(FaultKind.HTTP_500, path, times=None)
    assert house.at_clock().code == 75
    assert house.writes() == []
    house.mailcow.faults.clear()
    converges(house, twin)
