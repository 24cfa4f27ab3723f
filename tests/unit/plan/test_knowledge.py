"""Knowledge: absence is believed only from a whole answer to an accepted search."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ldap2mailcow.model import ACTIVE, Address, Cause, Code, Finding, Kind, Remembered, SourceMemory
from ldap2mailcow.plan import Guarded, Options, Reason, fingerprint, make_plan

from .builders import (
    ANN,
    BOB,
    CANARY,
    CAT,
    CUT_SHORT,
    DAN,
    NAMED,
    NOW,
    Scene,
    codes,
    dn_of,
    existing,
    kinds,
    make_config,
    only,
    people,
    quiet,
    remembered,
    remembered_source,
    row,
    wanted,
)
from .simulated import simulate

OVERDUE = {"missing_since": NOW - timedelta(days=3), "missed": 9}
"""A grace that is over for long, so that only doubt keeps a removal away."""


def overdue(address: Address) -> Remembered:
    return row(address, **OVERDUE)


def gone(**more: object) -> Scene:
    """A scene in which Bob would be disabled now, and everybody else agrees."""
    return quiet([ANN, CAT], **{"has": [existing(ANN), existing(BOB), existing(CAT)], **more})


def test_somebody_missing_from_a_whole_answer_is_disabled() -> None:
    plan = gone(rows=[row(ANN), overdue(BOB), row(CAT)]).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)]
    assert plan.whole


@pytest.mark.parametrize("doubt", [CUT_SHORT, CANARY])
def test_a_doubtful_answer_removes_nobody_and_is_said(doubt: Finding) -> None:
    plan = gone(rows=[row(ANN), overdue(BOB), row(CAT)], doubts=(doubt,)).plan()
    assert (plan.changes, plan.pending, plan.whole) == ((), (), False)
    assert doubt in plan.findings


def test_an_answer_with_nobody_in_it_is_doubtful() -> None:
    plan = Scene(has=[existing(ANN)], rows=[overdue(ANN)], empty=True).plan()
    assert (plan.changes, plan.whole, codes(plan)) == ((), False, [Code.NO_USERS])
    assert "(objectClass=person)" in plan.findings[0].sentence


def test_entries_without_the_id_attribute_make_an_answer_doubtful() -> None:
    plan = gone(
        rows=[row(ANN), overdue(BOB), row(CAT)],
        asked={"without_id": (dn_of(BOB), dn_of(DAN))},
    ).plan()
    assert (plan.changes, plan.whole, codes(plan)) == ((), False, [Code.ID_MISSING])
    assert "2 entries" in plan.findings[0].sentence
    assert dn_of(BOB) in plan.findings[0].sentence


def test_no_force_lifts_a_doubtful_answer() -> None:
    scene = gone(
        rows=[row(ANN), overdue(BOB), row(CAT)],
        doubts=(CUT_SHORT,),
        options=Options(approved=dict.fromkeys(Guarded, 99)),
    )
    assert scene.plan().changes == ()


def test_no_force_lets_a_status_through_a_doubtful_answer() -> None:
    scene = quiet(
        [ANN, BOB],
        wants=[wanted(ANN, active=0), wanted(BOB)],
        doubts=(CUT_SHORT,),
        options=Options(approved=dict.fromkeys(Guarded, 99)),
    )
    plan = scene.plan()
    assert plan.changes == ()
    assert plan.withheld[0].reason is Reason.NOT_WHOLE
    assert plan.withheld[0].addresses == (ANN,)
    assert "nothing lifts this but a whole answer" in plan.withheld[0].sentence
    assert "--approve" not in plan.withheld[0].sentence


def test_a_doubtful_answer_still_adds_updates_and_enables() -> None:
    plan = Scene(
        wants=[wanted(ANN, name="Ann Other"), wanted(BOB), wanted(CAT)],
        has=[existing(ANN), existing(CAT, active=0)],
        rows=[row(ANN), row(CAT, disabled=Cause.MISSING)],
        doubts=(CUT_SHORT,),
    ).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.CREATE, BOB), (Kind.ENABLE, CAT)]


def test_a_doubtful_answer_counts_no_miss() -> None:
    plan = gone(rows=[row(ANN), overdue(BOB), row(CAT)], doubts=(CUT_SHORT,)).plan()
    assert remembered(plan, BOB) == {}


def test_a_doubtful_answer_forgets_no_row() -> None:
    scene = quiet([ANN], rows=[row(ANN), row(BOB)])
    assert [note.remember for note in scene.plan().notes] == [None]
    assert replace(scene, doubts=(CUT_SHORT,)).plan().notes == ()


def lost_quota(lost: int, kept: int) -> Scene:
    """A scene in which some entries no longer show their quota, which all of them had."""
    everybody = people(lost + kept)
    return quiet(
        everybody,
        wants=[
            wanted(address, quota=100 if number >= lost else None, present={"quota"} if number >= lost else ())
            for number, address in enumerate(everybody)
        ],
        rows=[row(address, present=frozenset({"quota"})) for address in everybody],
        config=make_config(mapping={"quota": "mailQuota"}),
    )


@pytest.mark.parametrize(
    ("lost", "kept", "whole"),
    [
        pytest.param(3, 2, False, id="more than half"),
        pytest.param(3, 3, True, id="half"),
        pytest.param(3, 9, True, id="less"),
        pytest.param(2, 0, True, id="two are somebody's edit"),
        pytest.param(3, 0, False, id="three are a lost right"),
    ],
)
def test_an_attribute_that_vanished_from_more_than_half_makes_an_answer_doubtful(
    lost: int,
    kept: int,
    whole: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan = lost_quota(lost, kept).plan()
    assert plan.whole is whole
    assert codes(plan) == ([] if whole else [Code.ATTRIBUTE_VANISHED])


def test_the_finding_names_the_vanished_attribute_as_the_directory_does() -> None:
    finding = lost_quota(3, 2).plan().findings[0]
    assert finding.where == "mailQuota"
    assert "3 of the 5 entries" in finding.sentence


def test_a_vanished_attribute_is_not_cleared() -> None:
    assert lost_quota(3, 2).plan().changes == ()


def test_a_vanished_attribute_stays_vanished_on_the_next_run() -> None:
    """What entries once had isn't forgotten on a doubtful answer, else the second run would believe it."""
    scene = lost_quota(3, 2)
    assert not scene.plan().whole
    assert "present" not in remembered(scene.plan(), people(1)[0])

    named = replace(scene, wants=[replace(mailbox, dn="uid=moved") for mailbox in scene.wants])
    assert remembered(named.plan(), people(1)[0]) == {"dn": "uid=moved"}


def test_an_attribute_that_is_no_longer_mapped_has_not_vanished() -> None:
    plan = replace(lost_quota(3, 2), config=make_config()).plan()
    assert plan.whole


def test_entries_that_are_new_to_us_never_had_an_attribute() -> None:
    plan = replace(lost_quota(3, 2), rows=[]).plan()
    assert plan.whole


def changed_search(**more: object) -> Scene:
    """A scene whose search base isn't the accepted one any more; Bob, whose grace has not even begun, is missing."""
    accepted = {**fingerprint(make_config().sources[0]), "user_search_base": "dc=example,dc=org"}
    rows = [row(ANN), row(BOB), row(CAT)]
    return gone(**{"rows": rows, "sources": {"default": SourceMemory("entryUUID", accepted)}, **more})


def test_a_changed_search_withholds_all_removals_without_a_grace_that_would_hide_them() -> None:
    plan = changed_search().plan()
    assert plan.changes == ()
    assert plan.pending == ()
    assert plan.withheld[0].reason is Reason.SEARCH_CHANGED
    assert plan.withheld[0].addresses == (BOB,)
    assert "user_search_base changed since the last accepted run" in plan.withheld[0].sentence
    assert "--approve disable:1" in plan.withheld[0].sentence


def test_a_changed_search_withholds_a_status_too() -> None:
    scene = changed_search(wants=[wanted(ANN, active=0), wanted(BOB), wanted(CAT)])
    plan = scene.plan()
    assert plan.withheld[0].addresses == (ANN,)


def test_a_changed_search_is_not_accepted_while_removals_are_withheld() -> None:
    scene = changed_search()
    assert scene.plan().sources["default"].accepted == scene.case().memory.sources["default"].accepted


def test_a_changed_search_stays_withheld_on_every_further_run() -> None:
    view = changed_search().case()
    for _ in range(3):
        plan = make_plan(view)
        assert plan.withheld[0].addresses == (BOB,)
        view = simulate(plan, view)


def test_a_changed_search_is_accepted_once_a_run_would_remove_nothing() -> None:
    scene = changed_search(has=[existing(ANN), existing(CAT)], rows=[row(ANN), row(CAT)])
    plan = scene.plan()
    assert plan.withheld == ()
    assert plan.sources["default"].accepted == fingerprint(scene.config.sources[0])


def test_a_forced_run_lets_a_changed_search_through_and_accepts_it() -> None:
    scene = changed_search(options=Options(approved=dict.fromkeys(Guarded, 1)))
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, BOB)]
    assert plan.sources["default"].accepted == fingerprint(scene.config.sources[0])


def test_a_force_for_fewer_lifts_no_changed_search() -> None:
    assert changed_search(options=Options(approved=dict.fromkeys(Guarded, 0))).plan().withheld


def test_a_doubtful_answer_accepts_no_search() -> None:
    scene = changed_search(has=[existing(ANN), existing(CAT)], rows=[row(ANN), row(CAT)], doubts=(CUT_SHORT,))
    assert scene.plan().sources["default"] == scene.case().memory.sources["default"]


@pytest.mark.parametrize(
    ("source", "mapping", "key"),
    [
        ({"user_search_base": "dc=example,dc=org"}, {}, "user_search_base"),
        ({"user_search_filter": "(mail=*)"}, {}, "user_search_filter"),
        ({"domains": ["example.org"]}, {}, "domains"),
        ({}, {"id": "employeeNumber"}, "user_mapping.id"),
        ({}, {"mail": "mailPrimaryAddress"}, "user_mapping.mail"),
    ],
)
def test_each_setting_that_decides_who_is_in_the_answer_is_in_the_fingerprint(
    source: dict[str, object],
    mapping: dict[str, object],
    key: str,
) -> None:
    config = make_config(source=source, mapping=mapping)
    accepted = {"default": SourceMemory("entryUUID", fingerprint(make_config().sources[0]))}
    plan = gone(config=config, rows=[row(ANN), row(BOB), row(CAT)], sources=accepted).plan()
    assert plan.withheld[0].reason is Reason.SEARCH_CHANGED
    assert key in plan.withheld[0].sentence


def test_the_order_of_domains_is_no_other_search() -> None:
    one, two = (
        make_config(source={"domains": names}) for names in (["a.org", "example.org"], ["example.org", "a.org"])
    )
    assert fingerprint(one.sources[0]) == fingerprint(two.sources[0])


def test_other_settings_are_no_other_search() -> None:
    config = make_config(mapping={"quota": "mailQuota", "name": "cn"}, source={"timeout": 20})
    assert fingerprint(config.sources[0]) == fingerprint(make_config().sources[0])


@pytest.mark.parametrize("key", ["group_mapping", "alias_mapping"])
def test_settings_of_a_search_that_is_not_made_are_no_other_search(key: str) -> None:
    config = make_config(source={key: {"mail": "mailPrimaryAddress"}})
    assert fingerprint(config.sources[0]) == fingerprint(make_config().sources[0])


def test_the_first_search_ever_is_doubted_where_somebody_is_missing() -> None:
    """The state file was lost, or came from the ancestor: this search may be a mistake, and nothing says it isn't."""
    plan = gone(rows=[row(ANN), overdue(BOB), row(CAT)], sources={}).plan()
    assert plan.changes == ()
    assert plan.withheld[0].reason is Reason.SEARCH_CHANGED
    assert "no run was accepted yet" in plan.withheld[0].sentence
    assert plan.sources["default"].accepted is None


def test_the_first_search_ever_is_accepted_where_nobody_is_missing() -> None:
    scene = quiet([ANN], sources={})
    assert scene.plan().sources["default"] == remembered_source(scene.config.sources[0], answered=NOW)


def test_the_first_search_ever_may_disable_by_status() -> None:
    plan = quiet([ANN, BOB], wants=[wanted(ANN, active=0), wanted(BOB)], sources={}).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, ANN)]


def test_the_first_search_ever_is_accepted_where_the_missing_are_inactive_already() -> None:
    scene = gone(has=[existing(ANN), existing(BOB, active=0), existing(CAT)], rows=[row(BOB)], sources={})
    plan = scene.plan()
    assert plan.withheld == ()
    assert plan.sources["default"].accepted is not None


SCOPED = [
    pytest.param(Options(only=frozenset({ANN})), id="--only"),
    pytest.param(Options(overridden_filter=True), id="--override-filter"),
]


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_removes_nobody_who_is_missing_and_counts_no_miss(options: Options) -> None:
    plan = gone(rows=[row(ANN), overdue(BOB), row(CAT)], options=options).plan()
    assert (plan.changes, plan.pending, plan.notes, plan.withheld) == ((), (), (), ())


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_is_not_forced_to_remove_the_missing(options: Options) -> None:
    options = replace(options, approved=dict.fromkeys(Guarded, 9))
    assert gone(rows=[row(ANN), overdue(BOB), row(CAT)], options=options).plan().changes == ()


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_accepts_no_search_and_fixes_no_id_attribute(options: Options) -> None:
    assert quiet([ANN], options=options, sources={}).plan().sources["default"] == SourceMemory(None, None)


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_leaves_the_accepted_search_as_it_is(options: Options) -> None:
    scene = changed_search(options=options)
    assert scene.plan().sources["default"] == scene.case().memory.sources["default"]


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_forgets_no_row(options: Options) -> None:
    assert quiet([ANN], rows=[row(ANN), row(BOB)], options=options).plan().notes == ()


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_follows_the_status_of_those_it_looks_at(options: Options) -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)], options=options).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, ANN)]


@pytest.mark.parametrize("options", SCOPED)
def test_a_scoped_run_follows_a_status_also_where_the_answer_is_doubtful(options: Options) -> None:
    """The status is told by an entry that is there, and not by who is missing."""
    plan = quiet([ANN], wants=[wanted(ANN, active=0)], options=options, doubts=(CUT_SHORT,)).plan()
    assert kinds(plan.changes) == [(Kind.DISABLE, ANN)]


def test_only_touches_the_named_addresses() -> None:
    scene = quiet(
        [ANN, BOB],
        wants=[wanted(ANN, name="Ann Other"), wanted(BOB, name="Bob Other"), wanted(CAT)],
        options=Options(only=frozenset({BOB})),
    )
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, BOB)]


def test_the_misses_of_whoever_is_back_are_forgotten() -> None:
    plan = quiet([ANN], rows=[overdue(ANN)]).plan()
    assert remembered(plan, ANN)["missed"] == 0
    assert remembered(plan, ANN)["missing_since"] is None


def test_the_misses_of_whoever_is_back_but_unreadable_are_forgotten() -> None:
    """Misses count in a row: an entry that is there ends the row, also when it can't be read as a mailbox."""
    unreadable = wanted(BOB, addresses=())
    scene = gone(rows=[row(ANN), overdue(BOB), row(CAT)], wants=[wanted(ANN), unreadable, wanted(CAT)])
    plan = scene.plan()
    assert plan.changes == ()
    assert remembered(plan, BOB) == {"missing_since": None, "missed": 0}


def test_the_misses_of_another_directory_stay_as_they_are() -> None:
    config = make_config(ldap=[two_source("default"), two_source("branch")])
    scene = quiet([ANN], has=[existing(ANN), existing(BOB)], rows=[row(ANN), row(BOB, source="branch", **OVERDUE)])
    assert remembered(replace(scene, config=config, silent=frozenset({"branch"})).plan(), BOB) == {}


def two_source(name: str) -> dict[str, object]:
    source = make_config().sources[0]
    return {
        "name": name,
        "uri": list(source.uri),
        "user_search_base": source.user_search_base,
        "user_search_filter": source.user_search_filter,
    }


def test_the_mailboxes_of_another_directory_are_left_alone() -> None:
    config = make_config(ldap=[two_source("default"), two_source("branch")])
    scene = gone(rows=[row(ANN), replace(overdue(BOB), source="branch"), row(CAT)])
    plan = replace(scene, config=config, silent=frozenset({"branch"})).plan()
    assert (plan.changes, plan.withheld, plan.pending, plan.notes) == ((), (), (), ())


def test_the_mailboxes_of_a_directory_that_the_config_no_longer_names_are_left_alone_and_told() -> None:
    """Nothing tells who of them is still there."""
    plan = gone(rows=[row(ANN), replace(overdue(BOB), source="old name"), row(CAT)]).plan()
    assert (plan.changes, plan.withheld, plan.pending, plan.notes) == ((), (), (), ())
    assert [(finding.code, finding.where) for finding in plan.findings] == [(Code.DIRECTORY_UNKNOWN, "old name")]


def test_ids_are_not_remembered_before_the_id_attribute_is_fixed() -> None:
    scene = Scene(wants=[wanted(ANN)], sources={}, doubts=(CUT_SHORT,))
    plan = scene.plan()
    assert remembered(plan, ANN)["id"] is None
    assert plan.sources["default"].id_attribute is None


def test_the_first_whole_answer_fixes_the_id_attribute() -> None:
    plan = Scene(wants=[wanted(ANN)], sources={}).plan()
    assert remembered(plan, ANN)["id"] == "id-ann"
    assert plan.sources["default"].id_attribute == "entryUUID"


def test_a_fixed_id_attribute_stays_on_a_doubtful_answer() -> None:
    plan = quiet([ANN], doubts=(CUT_SHORT,)).plan()
    assert plan.sources["default"].id_attribute == "entryUUID"


@pytest.mark.parametrize("options", SCOPED)
def test_another_id_attribute_is_not_taken_over_by_a_scoped_run(options: Options) -> None:
    """All rows but a few would keep ids of the old attribute, and so look missing ever after."""
    plan = quiet([ANN], wants=[wanted(ANN, id="4711")], rows=[row(ANN, id=None)], options=options, id_attribute="uid")
    assert plan.plan().sources["default"].id_attribute == "entryUUID"
    assert remembered(plan.plan(), ANN) == {}


def test_another_id_attribute_is_not_taken_over_from_a_doubtful_answer() -> None:
    scene = quiet([ANN], rows=[row(ANN, id=None)], id_attribute="uid", doubts=(CUT_SHORT,))
    assert scene.plan().sources["default"].id_attribute == "entryUUID"


def test_the_ids_of_the_old_attribute_are_forgotten_with_it() -> None:
    """An entry that isn't served on that very run would look missing from then on, and be disabled."""
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, id="4711"), wanted(BOB, id="4712", addresses=())],
        has=[existing(ANN), existing(BOB)],
        rows=[row(ANN, id=None), row(BOB, id=None)],
        id_attribute="uid",
    )
    plan = scene.plan()
    assert plan.sources["default"].id_attribute == "uid"
    assert (remembered(plan, ANN)["id"], remembered(plan, BOB)["id"]) == ("4711", "4712")
    assert next(note.remember for note in plan.notes if note.address == BOB) == {"id": None}


def test_ids_stay_where_no_attribute_was_fixed_yet() -> None:
    """The config gave the directory another name: the ids are as good as before."""
    plan = quiet([ANN, BOB], sources={}).plan()
    assert remembered(plan, BOB) == {}


def test_the_ids_of_another_directory_stay_when_this_one_s_attribute_changes() -> None:
    config = make_config(ldap=[two_source("default"), two_source("branch")])
    scene = quiet([ANN], has=[existing(ANN)], rows=[row(ANN), row(BOB, source="branch")], id_attribute="uid")
    assert remembered(replace(scene, config=config, silent=frozenset({"branch"})).plan(), BOB) == {}


def test_a_disable_names_its_mailbox_as_it_was() -> None:
    change = only(gone(rows=[row(ANN), overdue(BOB), row(CAT)]).plan().changes)
    assert [(field.key, field.before, field.after) for field in change.fields] == [(ACTIVE.key, 1, 0)]
    assert change.dn == dn_of(BOB)


@pytest.mark.parametrize(
    ("lost", "whole"),
    [pytest.param(3, False, id="more than half"), pytest.param(2, True, id="less")],
)
def test_an_address_that_vanished_from_most_entries_makes_an_answer_doubtful(
    lost: int,
    whole: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    """Entries without an address ask for no mailbox, and are measured all the same."""
    everybody = people(5)
    had = NAMED | {"password"}
    unreadable = [wanted(address, addresses=(), present=had - {"mail"}) for address in everybody[:lost]]
    scene = quiet(everybody, wants=[*unreadable, *map(wanted, everybody[lost:])])
    plan = scene.plan()
    assert (plan.changes, plan.whole) == ((), whole)
    assert codes(plan) == [Code.ATTRIBUTE_VANISHED] * (not whole) + [Code.ADDRESS_LOST] * lost
    again = make_plan(simulate(plan, scene.case()))
    assert again.whole is whole
    assert whole or plan.findings[0].where == "mail"
