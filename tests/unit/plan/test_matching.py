"""Which entry, which remembered row and which mailbox belong together: an entry never gets another user's mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ldap2mailcow.desired import EntryId
from ldap2mailcow.model import Address, Cause, Code, Kind, Origin, Remembered, Rule, SourceMemory, Subject
from ldap2mailcow.plan import Guarded, Options, Plan, fingerprint
from ldap2mailcow.plan.takeover import LONG_AGO

from .builders import (
    ANN,
    BOB,
    CANARY,
    CAT,
    NOW,
    Scene,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    make_config,
    make_domain,
    of_mailboxes,
    patch_of,
    people,
    quiet,
    remembered,
    remembered_source,
    row,
    wanted,
)
from .simulated import simulate

MINUTE = timedelta(minutes=1)
NAMESAKE = EntryId("default", "id-namesake")


def namesake(address: Address = ANN, **more: object) -> Scene:
    """A scene in which Ann's entry is gone and another entry has her address, a namesake with another name."""
    fields: dict[str, object] = {
        "wants": [wanted(address, id=NAMESAKE.id, dn="uid=namesake", name="Name Sake"), wanted(BOB)],
        "has": [existing(ANN), existing(BOB)],
        "rows": [row(ANN), row(BOB)],
    }
    return Scene(**{**fields, **more})  # type: ignore[arg-type]


def refused(plan: Plan) -> None:
    """Check that nothing happens to Ann's mailbox, and that the namesake is told why."""
    assert [change for change in plan.changes if change.address == ANN] == []
    assert Code.ADDRESS_REUSED in codes(plan)
    (finding,) = (one for one in plan.findings if one.code is Code.ADDRESS_REUSED)
    assert (finding.where, dn_of(ANN) in finding.sentence) == ("uid=namesake", True)


# an entry that was made anew


def test_an_entry_that_was_made_anew_a_moment_ago_keeps_its_mailbox() -> None:
    scene = namesake()
    plan = scene.plan()
    assert [(one.kind, one.address, one.why) for one in plan.changes] == [(Kind.UPDATE, ANN, Rule.LDAP)]
    assert (remembered(plan, ANN)["id"], plan.rules[Subject.MAILBOX, ANN]) == (NAMESAKE.id, Rule.TAKEN_OVER)
    assert simulate(plan, scene.case()) is not None


def test_a_namesake_that_stood_beside_a_leaver_gets_nothing() -> None:
    """It was in an answer together with the leaver, without a mailbox: its address was contested, or another one."""
    refused(namesake(bystanders={NAMESAKE: NOW - timedelta(days=1)}).plan())


def test_two_runs_at_the_same_time_decide_alike_about_a_namesake() -> None:
    """The first notes that the leaver is missed; else the second would hand over what the first refused."""
    scene = namesake(bystanders={NAMESAKE: NOW})
    missed = row(ANN, missing_since=NOW, missed=1, last_missed=NOW, last_seen=NOW - 5 * MINUTE)
    for rows in ([row(ANN), row(BOB)], [missed, row(BOB)]):
        assert kinds(replace(scene, rows=rows).plan().changes) == [(Kind.UPDATE, ANN)]


def test_an_entry_that_came_after_the_leaver_was_missed_may_be_the_same_user() -> None:
    gone = row(
        ANN, missing_since=NOW - 10 * MINUTE, missed=1, last_missed=NOW - 10 * MINUTE, last_seen=NOW - 15 * MINUTE
    )
    scene = namesake(rows=[gone, row(BOB)])
    assert kinds(replace(scene, bystanders={NAMESAKE: NOW - 5 * MINUTE}).plan().changes) == [(Kind.UPDATE, ANN)]
    refused(replace(scene, bystanders={NAMESAKE: NOW - 12 * MINUTE}).plan())


@pytest.mark.parametrize(
    ("answered", "is_same"),
    [(NOW - 30 * MINUTE, True), (NOW - 31 * MINUTE, False), (NOW - timedelta(days=3), False), (None, False)],
)
def test_a_leaver_counts_from_when_its_entry_was_last_seen(answered: datetime | None, is_same: bool) -> None:  # noqa: FBT001
    """A sync that stood still over a weekend doesn't make a newcomer of Monday the leaver of Friday."""
    source = make_config().sources[0]
    scene = namesake(sources={"default": remembered_source(source, answered=answered)})
    if is_same:
        assert kinds(scene.plan().changes) == [(Kind.UPDATE, ANN)]
    else:
        refused(scene.plan())


def test_a_leaver_that_was_missed_counts_from_when_it_was_seen_too() -> None:
    long_ago = NOW - timedelta(hours=1)
    gone = row(ANN, missing_since=NOW - 5 * MINUTE, missed=1, last_missed=NOW - 5 * MINUTE, last_seen=long_ago)
    refused(namesake(rows=[gone, row(BOB)]).plan())


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            namesake(has=[existing(ANN, active=0), existing(BOB)], rows=[row(ANN, disabled=Cause.STATUS), row(BOB)]),
            id="by its entry",
        ),
        pytest.param(namesake(has=[existing(ANN, active=0), existing(BOB)]), id="by hand"),
    ],
)
def test_the_mailbox_of_an_inactive_leaver_goes_to_no_other_entry(scene: Scene) -> None:
    refused(scene.plan())


def test_the_same_mailbox_is_refused_on_every_run() -> None:
    scene = namesake(bystanders={NAMESAKE: NOW - timedelta(days=1)})
    case = scene.case()
    for _ in range(3):
        case = replace(simulate(scene.plan(), case), now=case.now + 5 * MINUTE)
        assert case.actual.mailboxes[ANN].attributes["name"] == "Ann"


# an entry with a mailbox of its own


def test_a_user_who_takes_the_address_of_a_leaver_keeps_the_own_mailbox() -> None:
    scene = Scene(
        wants=[wanted(ANN, id=id_of(BOB), dn=dn_of(BOB))], has=[existing(ANN), existing(BOB)], rows=[row(ANN), row(BOB)]
    )
    plan = scene.plan()
    assert [one for one in plan.changes if one.address == ANN] == []
    assert Code.RENAMED in codes(plan)
    assert plan.rules[Subject.MAILBOX, BOB] is Rule.FOLLOWED


OTHER = Address("ann@example.net")


def test_a_user_who_moves_to_another_domain_gets_no_mailbox_that_is_there() -> None:
    """A hand-made one would be handed to whoever writes its address into the own entry."""
    domains = (make_domain([existing(ANN)]), make_domain([existing(OTHER)], "example.net"))
    scene = Scene(
        wants=[wanted(OTHER, id=id_of(ANN), dn=dn_of(ANN))],
        has=[existing(ANN), existing(OTHER, tags=())],
        rows=[row(ANN)],
        domains=domains,
        sources={"default": replace(SourceMemory(), id_attribute="entryUUID")},
    )
    plan = scene.plan()
    assert [one for one in plan.changes if one.address == OTHER] == []
    assert codes(plan) == [Code.ADDRESS_REUSED]


def test_a_user_who_is_inactive_in_another_domain_is_inactive_where_the_mailbox_is() -> None:
    """No mailbox is made there yet, and the one that is there must not stay active."""
    scene = Scene(
        wants=[wanted(OTHER, id=id_of(ANN), dn=dn_of(ANN), name="New", active=0), wanted(BOB)],
        has=[existing(ANN), existing(BOB)],
        rows=[row(ANN), row(BOB)],
        domains=(make_domain([existing(ANN), existing(BOB)]), make_domain([], "example.net")),
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.DISABLE, ANN)]
    assert codes(plan) == [Code.INACTIVE_NEW]
    assert codes(replace(scene, config=make_config(create_mailboxes=False)).plan()) == []


def test_an_entry_that_had_a_mailbox_adopts_no_other() -> None:
    scene = Scene(
        wants=[wanted(CAT, id=id_of(ANN), dn=dn_of(ANN))], has=[existing(CAT, tags=())], rows=[row(ANN)], sources={}
    )
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED])


# a directory that can't tell


def test_the_mailbox_of_an_entry_that_is_there_goes_to_no_other() -> None:
    scene = quiet([ANN, BOB])
    again = replace(
        scene,
        wants=[wanted(CAT, id=id_of(ANN), dn=dn_of(ANN)), wanted(ANN, id=NAMESAKE.id, dn="uid=namesake"), wanted(BOB)],
    )
    plan = again.plan()
    assert (Kind.UPDATE, ANN) not in kinds(plan.changes)
    assert [one.where for one in plan.findings if one.code is Code.ADDRESS_REUSED] in ([], ["uid=namesake"])


def test_an_entry_that_left_the_search_base_is_not_known_to_be_gone() -> None:
    """Its answer isn't accepted: what the search no longer finds may have moved out of it."""
    source = make_config().sources[0]
    other = {**fingerprint(source), "user_search_base": "ou=all,dc=example,dc=org"}
    plan = namesake(sources={"default": remembered_source(source, accepted=other)}).plan()
    refused(plan)


# a new directory server


def replaced_server(count: int, total: int, **more: object) -> Scene:
    """A scene in which so many of all users have another id and the same address."""
    everybody = people(total)
    new = [wanted(one, id=f"new-{one.local}", name="New") for one in everybody[:count]]
    fields: dict[str, object] = {
        "wants": [*new, *map(wanted, everybody[count:])],
        "has": [existing(one) for one in everybody],
        "rows": [row(one) for one in everybody],
    }
    return Scene(**{**fields, **more})  # type: ignore[arg-type]


def test_most_ids_new_at_once_wait_for_a_word() -> None:
    plan = replaced_server(4, 6).plan()
    assert (plan.changes, plan.whole, plan.withheld, codes(plan)) == ((), False, (), [Code.IDS_REPLACED])
    assert "--approve takeover:4" in plan.findings[0].sentence


def test_an_address_that_two_new_ids_ask_for_counts_once() -> None:
    """Two mailboxes are no new server, however many want them."""
    scene = replaced_server(2, 3)
    first, *_ = people(3)
    plan = replace(scene, wants=[*scene.wants, wanted(first, id="id-other", dn="uid=other")]).plan()
    assert (Code.IDS_REPLACED in codes(plan), plan.withheld) == (False, ())


def test_a_word_lets_them_be_known_again_by_their_addresses() -> None:
    scene = replaced_server(4, 6, options=Options(approved={Guarded.TAKEOVER: 4}))
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, one) for one in people(4)]
    assert replaced_server(4, 6, options=Options(approved={Guarded.TAKEOVER: 3})).plan().changes == ()
    assert replaced_server(4, 6, options=Options(approved={Guarded.DISABLE: 9})).plan().changes == ()


@pytest.mark.parametrize("base", [None, "ou=all,dc=example,dc=org"])
def test_the_word_also_holds_where_the_search_is_not_the_accepted_one(base: str | None) -> None:
    """A new directory server often has another search base. Else the users would be disabled, and taken over later."""
    source = make_config().sources[0]
    accepted = {**fingerprint(source), "user_search_base": base} if base else None
    fields = {"sources": {"default": remembered_source(source, accepted=accepted)}}
    for kinds_said in ({Guarded.TAKEOVER}, set(Guarded)):
        plan = replaced_server(4, 4, options=Options(approved=dict.fromkeys(kinds_said, 4)), **fields).plan()
        assert (kinds(plan.changes), plan.withheld) == ([(Kind.UPDATE, one) for one in people(4)], ())
        assert plan.sources["default"].accepted == fingerprint(source)


def test_no_word_lets_a_mailbox_be_taken_over_by_an_answer_that_is_not_whole() -> None:
    options = Options(approved=dict.fromkeys(Guarded, 4))
    assert replaced_server(4, 4, options=options, doubts=(CANARY,)).plan().changes == ()


def test_a_few_new_ids_are_entries_made_anew() -> None:
    assert kinds(replaced_server(2, 3).plan().changes) == [(Kind.UPDATE, one) for one in people(2)]


# rows without an id


def test_a_row_without_an_id_is_known_by_its_dn() -> None:
    plan = quiet([ANN], rows=[row(ANN, id=None)]).plan()
    assert (plan.changes, remembered(plan, ANN)) == ((), {"id": id_of(ANN)})


def test_a_mailbox_with_our_mark_and_no_row_is_ours_again() -> None:
    plan = quiet([ANN], rows=[]).plan()
    (change,) = of_mailboxes(plan.changes)
    assert (change.kind, patch_of(change)["origin"]) == (Kind.UPDATE, Origin.MARK)


def test_an_entry_that_comes_back_is_counted_afresh() -> None:
    missed = row(ANN, missing_since=NOW - MINUTE, missed=1, last_missed=NOW - MINUTE, last_seen=NOW - 2 * MINUTE)
    plan = quiet([ANN], rows=[missed]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN) == {"missing_since": None, "missed": 0, "last_missed": None, "last_seen": None}


def test_a_row_of_a_mailbox_that_is_gone_with_its_entry_is_forgotten() -> None:
    plan = Scene(wants=[wanted(BOB)], has=[existing(BOB)], rows=[row(ANN), row(BOB)]).plan()
    assert [(note.address, note.remember) for note in plan.notes] == [(ANN, None)]
    assert EntryId("default", id_of(ANN)) in plan.bystanders


def test_a_row_of_a_domain_that_is_not_read_is_kept() -> None:
    """Whether its mailbox is gone nothing tells: no directory is for that domain any more."""
    elsewhere = Address("ann@example.com")
    plan = quiet([BOB], rows=[row(BOB), row(elsewhere)]).plan()
    assert plan.notes == ()


def test_every_entry_is_remembered_with_when_it_was_first_seen() -> None:
    """One with a row was there with any other; it has to be known by then if the row is gone."""
    there = wanted(CAT, password=None)
    scene = quiet([ANN])
    scene = replace(scene, wants=[*scene.wants, there], rows=[*scene.rows, row(BOB)])
    had = {EntryId("default", id_of(one)): LONG_AGO for one in (ANN, BOB)}
    assert scene.plan().bystanders == {there.id: NOW, **had}
    assert replace(scene, bystanders={there.id: NOW - MINUTE}).plan().bystanders == had


@pytest.fixture
def unknown() -> Remembered:
    return row(ANN, source="old name")


def test_a_directory_with_another_name_knows_its_rows_by_id_and_address(unknown: Remembered) -> None:
    plan = quiet([ANN], rows=[unknown]).plan()
    assert (plan.changes, remembered(plan, ANN)) == ((), {"source": "default"})


def test_a_row_of_a_directory_that_is_not_in_the_config_is_left_alone(unknown: Remembered) -> None:
    plan = Scene(wants=[wanted(BOB)], has=[existing(ANN), existing(BOB)], rows=[unknown, row(BOB)]).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.DIRECTORY_UNKNOWN])
    assert plan.rules[Subject.MAILBOX, ANN] is Rule.UNKNOWN_DIRECTORY
