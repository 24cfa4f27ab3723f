"""Who may have the mailbox of an entry that is gone, over several runs: a namesake never gets a leaver's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from ldap2mailcow.desired import EntryId, User
from ldap2mailcow.model import Address, Code, Kind, Origin, Remembered
from ldap2mailcow.plan import Case, Guarded, Options, Plan

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    NOW,
    Scene,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    make_config,
    make_domain,
    people,
    quiet,
    remembered_source,
    row,
    wanted,
)
from .simulated import planned, simulate

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NAMESAKE = EntryId("default", "id-namesake")
SOURCE = make_config().sources[0]
OTHERS = (wanted(BOB), wanted(CAT))


def namesake(*addresses: Address, **more: Any) -> User:  # noqa: ANN401
    """Return the entry of a namesake, who asks for Ann's address unless told otherwise."""
    return wanted(ANN, **{"id": NAMESAKE.id, "dn": "uid=namesake", "name": "Namesake", "addresses": addresses, **more})


@dataclass
class Story:
    """Runs one after another, each on what the one before left behind."""

    case: Case

    @classmethod
    def begins(cls, **more: object) -> Story:
        """Return one in which Ann, Bob and Cat are in the directory, in mailcow and in the state file."""
        return cls(quiet([ANN, BOB, CAT], **more).case())

    def run(self, *users: User, later: timedelta = 5 * MINUTE, **more: Any) -> Plan:  # noqa: ANN401
        """Run with some users, and Bob and Cat, in the answer."""
        scene = Scene(**{"wants": (*users, *OTHERS), "config": self.case.config, **more})
        found = scene.case().directories
        now = self.case.now + later
        case = replace(self.case, directories=found, config=scene.config, options=scene.options, now=now)
        plan, case = planned(case)
        self.case = simulate(plan, case)
        return plan

    @property
    def is_handed_over(self) -> bool:
        """Whether the namesake has Ann's mailbox."""
        known = self.case.memory.mailboxes.get(ANN)
        is_written = self.case.actual.mailboxes[ANN].attributes["name"] == "Namesake"
        return is_written or (known is not None and known.id == NAMESAKE.id)

    def ends_refused(self, user: User, **more: Any) -> None:  # noqa: ANN401
        """Check that an entry doesn't get Ann's mailbox now, is told, and doesn't get it in a later run either."""
        before = self.case.actual.mailboxes[ANN].attributes["name"]
        for time in range(3):
            plan = self.run(user, **(more if time == 0 or "wants" in more else {}))
            (finding,) = (one for one in plan.findings if one.where == user.dn)
            assert finding.code is Code.ADDRESS_REUSED
            assert "rename or delete" in finding.sentence or "must give it up" in finding.sentence
            assert [one for one in plan.changes if one.address == ANN and one.kind is not Kind.DISABLE] == []
            assert self.case.actual.mailboxes[ANN].attributes["name"] == before

    def forget(self, address: Address) -> None:
        """Take a row out of the state file, as a release or a deletion does."""
        rows = {one: row for one, row in self.case.memory.mailboxes.items() if one != address}
        self.case = replace(self.case, memory=replace(self.case.memory, mailboxes=rows))

    def retag(self, *tags: str) -> None:
        """Set the tags of Ann's mailbox in mailcow."""
        boxes = {**self.case.actual.mailboxes, ANN: existing(ANN, tags=tags)}
        self.case = replace(self.case, actual=replace(self.case.actual, mailboxes=boxes))


# every order of events: who is in the answer, and how the run went

WHO: Mapping[str, tuple[User, ...]] = {
    "Ann": (wanted(ANN),),
    "Ann inactive": (wanted(ANN, active=0),),
    "neither": (),
    "both": (wanted(ANN), namesake(ANN)),
    "namesake": (namesake(ANN),),
    "namesake without address": (namesake(),),
}
HOW: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "late": {"later": HOUR},
    "doubtful": {"doubts": (CUT_SHORT,)},
    "only Bob": {"options": Options(only=frozenset({BOB}))},
    "protected": {"config": make_config(protected=[ANN])},
}


def may_have(steps: Iterable[tuple[str, str]]) -> bool:
    """Tell whether the rule lets the namesake have the mailbox: never together, Ann active and seen lately."""
    unseen, was_active, were_together = timedelta(), True, False
    for who, how in steps:
        unseen += HOW[how].get("later", 5 * MINUTE)
        were_together |= who == "both"
        if who in ("Ann", "Ann inactive", "both"):
            unseen, was_active = timedelta(), who != "Ann inactive"
    return unseen <= 30 * MINUTE and was_active and not were_together


@pytest.mark.parametrize("first", [*product(WHO, HOW)], ids=" ".join)
def test_in_no_order_of_events_does_a_namesake_get_the_mailbox_of_a_leaver(first: tuple[str, str]) -> None:
    for second in product(WHO, ["", "doubtful"]):
        story, steps = Story.begins(), list[tuple[str, str]]()
        for who, how in [first, second, ("namesake", "")]:
            steps.append((who, how))
            story.run(*WHO[who], **HOW[how])
            if story.is_handed_over:
                assert may_have(steps), steps
                break


def test_an_entry_that_was_made_anew_gets_its_mailbox_also_after_a_run_without_it() -> None:
    story = Story.begins()
    story.run()
    story.run(namesake(ANN))
    assert story.is_handed_over


# (a) never together


@pytest.mark.parametrize("between", [[wanted(ANN)], []], ids=["contested", "at another time"])
def test_an_entry_that_was_seen_with_the_leaver_gets_nothing(between: list[User]) -> None:
    story = Story.begins()
    story.run(wanted(ANN), namesake(), options=Options(only=frozenset({BOB})))
    story.run(*between)
    story.ends_refused(namesake(ANN))


def test_a_return_in_an_answer_that_is_not_whole_counts_as_being_there() -> None:
    """Else the new entry, which came with it, would look younger than an absence that has ended."""
    story = Story.begins()
    story.run()
    story.run(wanted(ANN), namesake(), doubts=(CUT_SHORT,))
    story.ends_refused(namesake(ANN))


def test_an_entry_whose_row_was_forgotten_was_there_with_all_others() -> None:
    """Its mailbox was released, or deleted; it has no row, and asks for the address of a leaver the same moment."""
    story = Story.begins()
    story.run(wanted(ANN))
    story.forget(BOB)
    bob = wanted(ANN, id=id_of(BOB), dn=dn_of(BOB), name="Bob")
    story.ends_refused(bob, wants=(bob, wanted(CAT)))
    assert story.case.memory.mailboxes[ANN].id == id_of(ANN)


def test_an_entry_whose_mailbox_was_taken_over_takes_no_other() -> None:
    story = Story.begins()
    story.run(wanted(ANN), wants=(wanted(ANN), wanted(BOB, id="new-bob"), wanted(CAT)))
    assert story.case.memory.mailboxes[BOB].id == "new-bob"
    old = wanted(ANN, id=id_of(BOB), dn="uid=old", name="Bob")
    story.ends_refused(old, wants=(old, wanted(BOB, id="new-bob"), wanted(CAT)))


# (b) seen a short while ago


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param({"config": make_config(protected=[ANN])}, id="protected"),
        pytest.param({"config": make_config(create_mailboxes=False)}, id="mailboxes come from elsewhere"),
    ],
)
def test_a_leaver_that_was_not_looked_after_is_not_fresh_when_it_is_again(meanwhile: dict[str, Any]) -> None:
    story, config = Story.begins(), make_config()
    for _ in range(3):
        story.run(**{"later": HOUR, **meanwhile})
    story.ends_refused(namesake(ANN), config=config)


def test_nor_one_whose_mailbox_had_the_mark_of_another_installation_meanwhile() -> None:
    story = Story.begins()
    story.retag("ldap-sync", "ldap-sync-paris")
    story.run(later=HOUR)
    story.run(later=HOUR)
    story.retag("ldap-sync")
    story.ends_refused(namesake(ANN))


def test_nor_one_in_a_domain_that_the_directory_was_not_for() -> None:
    domains = (make_domain([existing(one) for one in (ANN, BOB, CAT)]), make_domain([], "example.net"))
    story, dan = Story.begins(domains=domains), (wanted(Address("dan@example.net")),)
    for _ in range(2):
        story.run(later=HOUR, config=make_config(source={"domains": ["example.net"]}), wants=dan)
    story.run(config=make_config())
    story.ends_refused(namesake(ANN))


def test_nor_one_whose_entry_has_moved_to_another_domain() -> None:
    """It has another mailbox since, so it wasn't made anew for the one that it left."""
    domains = (make_domain([existing(one) for one in (ANN, BOB, CAT)]), make_domain([], "example.net"))
    story, moved = Story.begins(domains=domains), wanted(Address("ann@example.net"), id=id_of(ANN), dn=dn_of(ANN))
    story.run(moved)
    assert Address("ann@example.net") in story.case.memory.mailboxes
    story.ends_refused(namesake(ANN))


@pytest.mark.parametrize("back", [-HOUR, timedelta(days=-30)])
def test_a_clock_that_was_set_back_makes_no_leaver_fresh(back: timedelta) -> None:
    story = Story.begins()
    story.run()
    story.ends_refused(namesake(ANN), later=back)


# (c) not inactive


@pytest.mark.parametrize(
    "more",
    [{"doubts": (CUT_SHORT,)}, {"config": make_config(protected=[ANN])}, {"options": Options(only=frozenset({BOB}))}],
    ids=["a doubtful answer", "protected", "--only"],
)
def test_the_mailbox_of_an_inactive_entry_is_not_taken_over_though_it_could_not_be_disabled(
    more: dict[str, Any],
) -> None:
    story, config = Story.begins(), make_config()
    story.run(wanted(ANN, active=0), **more)
    assert story.case.actual.mailboxes[ANN].attributes["active"] == 1
    story.ends_refused(namesake(ANN), config=config)


def test_a_status_that_can_t_be_read_says_nothing_about_it() -> None:
    story = Story.begins()
    story.run(wanted(ANN, unreadable={"active"}))
    story.run(namesake(ANN))
    assert story.is_handed_over


# rows without an id


def unnamed(**columns: object) -> Remembered:
    return row(ANN, **{"id": None, "dn": "", "origin": Origin.MARK, **columns})


def test_after_a_lost_state_file_the_mailbox_of_a_leaver_stays_its_own() -> None:
    """Only our mark says that it is ours: the first whole answer doesn't have its entry."""
    story = Story.begins(rows=(), sources={})
    story.run()
    assert story.case.memory.mailboxes[ANN].id is None
    story.ends_refused(namesake(ANN))


@pytest.mark.parametrize(
    ("answered", "seen"), [(None, {NAMESAKE: NOW}), (NOW - HOUR, {})], ids=["seen before", "answered before"]
)
@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
def test_an_address_alone_makes_no_mailbox_an_entrys(
    origin: Origin, answered: datetime | None, seen: dict[EntryId, datetime]
) -> None:
    ours = [unnamed(origin=origin), row(BOB), row(CAT)]
    source = {"default": remembered_source(SOURCE, answered=answered)}
    Story.begins(rows=ours, sources=source, bystanders=seen).ends_refused(namesake(ANN))


def test_an_entry_with_a_row_by_its_dn_may_be_made_anew_like_any_other() -> None:
    story = Story.begins(rows=[unnamed(dn=dn_of(ANN), origin=Origin.CREATED), row(BOB), row(CAT)])
    story.run(namesake(ANN))
    assert story.is_handed_over


@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
def test_before_any_whole_answer_it_does(origin: Origin) -> None:
    story = Story.begins(rows=[unnamed(origin=origin)], sources={})
    story.run(namesake(ANN))
    assert story.is_handed_over


def test_a_dn_is_no_leavers_any_more_once_it_was_missed() -> None:
    """The ancestor knew entries by their DN, which a namesake may have again."""
    ancestors = [unnamed(origin=Origin.ANCESTOR, dn=dn_of(ANN)), row(BOB), row(CAT)]
    story = Story.begins(rows=ancestors)
    story.run()
    story.run(later=HOUR)
    story.ends_refused(namesake(ANN, dn=dn_of(ANN)))


def test_a_row_whose_entry_may_be_there_is_nobody_elses() -> None:
    """An answer that isn't whole may lack it."""
    story = Story.begins(rows=[unnamed(dn="uid=of the ancestor", origin=Origin.ANCESTOR)], sources={})
    plan = story.run(namesake(ANN), doubts=(CUT_SHORT,))
    assert not story.is_handed_over
    assert Code.ADDRESS_REUSED in codes(plan)


# a new directory server


def test_leavers_whose_mailboxes_are_kept_make_no_fewer_ids_new() -> None:
    """All who are there have other ids: that waits for a word, however many leavers are remembered."""
    there, gone = people(8)[:3], people(8)[3:]
    long = {"missing_since": NOW - timedelta(days=90), "missed": 99, "last_missed": NOW, "last_seen": NOW - 90 * HOUR}
    rows = [*map(row, there), *(row(one, **long) for one in gone)]
    scene = Scene([wanted(one, id=f"new-{one.local}") for one in there], map(existing, people(8)), rows)
    plan = replace(scene, has=list(scene.has)).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.IDS_REPLACED])
    assert "--approve takeover:3" in plan.findings[0].sentence


def test_a_word_for_new_ids_gives_no_leavers_mailbox_away() -> None:
    leaver, *others = people(6)
    long = {"missing_since": NOW - timedelta(days=90), "missed": 99, "last_missed": NOW, "last_seen": NOW - 90 * HOUR}
    plan = Scene(
        [wanted(one, id=f"new-{one.local}", name="New") for one in people(6)],
        [existing(one) for one in people(6)],
        [row(leaver, **long), *map(row, others)],
        options=Options(approved={Guarded.TAKEOVER: 6}),
    ).plan()
    assert kinds(plan.changes) == [*((Kind.UPDATE, one) for one in others), (Kind.DISABLE, leaver)]
    assert codes(plan) == [Code.ADDRESS_REUSED]


def test_users_who_were_missed_once_before_their_ids_were_new_are_still_most_of_them() -> None:
    """The new server came up empty for a moment, and now has all of them again."""
    once = {"missing_since": NOW, "missed": 1, "last_missed": NOW - 5 * MINUTE, "last_seen": NOW - 10 * MINUTE}
    scene = Scene(
        [wanted(one, id=f"new-{one.local}") for one in people(4)],
        [existing(one) for one in people(4)],
        [row(one, **once) for one in people(4)],
    )
    assert codes(scene.plan()) == [Code.IDS_REPLACED]


# adoption


def test_a_hand_made_mailbox_is_adopted_in_no_later_run_without_a_word() -> None:
    story = Story.begins(rows=[row(BOB), row(CAT)], has=[existing(ANN, tags=()), existing(BOB), existing(CAT)])
    for _ in range(3):
        plan = story.run(namesake(ANN))
        assert [(one.kind, one.addresses) for one in plan.withheld] == [(Guarded.ADOPT, (ANN,))]
        assert not story.is_handed_over
    story.run(namesake(ANN), options=Options(approved={Guarded.ADOPT: 1}))
    assert story.is_handed_over
