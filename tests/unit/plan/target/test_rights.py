"""Whom a user may send as: only what no alias allows already, beside what somebody gave by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ldap2mailcow.desired import ANYONE, EntryId, Group
from ldap2mailcow.model import Address, Code, FieldChange, Kind, MailboxChange, Origin, Rule
from ldap2mailcow.plan import Guarded, Options, Plan, Reason, fingerprint, senders_to_read
from tests.unit.plan.builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    DISABLED_TAG,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    NAMED,
    NONE_FOUND,
    NOW,
    OUTSIDE,
    STAMP,
    TEAM,
    Scene,
    Wish,
    alias,
    alias_config,
    alias_row,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    listing,
    make_config,
    of_mailboxes,
    only,
    patch_of,
    people,
    remembered_source,
    row,
    settled,
    wanted,
    wish,
)
from tests.unit.plan.simulated import planned, simulate

CONFIG = alias_config(mapping={"send_as": "mailSendAs"})
ELSEWHERE = alias_config(mapping={"send_as": "mailSendAs"}, create_mailboxes=False)
DAY = timedelta(days=1)
BY_HAND = [existing(ANN, tags=()), existing(BOB)]
UNCLEAR = [wanted(ANN, addresses=(), senders=[BOB]), wanted(BOB), wanted(CAT)]
DOMAIN_ITSELF = f"@{DOMAIN}"
OTHER = Address("x@other.test")


def asking(
    *senders: str,
    had: Iterable[str] = (),
    there: Iterable[str] | None = None,
    foreign: Iterable[str] = (),
    had_foreign: Iterable[str] = (),
    **more: object,
) -> Scene:
    """A scene in which Ann shall send as others; `had` is remembered, `there` is in mailcow, if it was read."""
    named = [Address(one) for one in (*senders, *foreign) if one != ANYONE]
    users = [wanted(ANN, senders=named), wanted(BOB), wanted(CAT)]
    fields: dict[str, Any] = {
        "wants": users,
        "asked": {"any_senders": frozenset({users[0].id})} if ANYONE in senders else {},
        "rows": [row(ANN, senders=frozenset(had), foreign_senders=frozenset(had_foreign)), row(BOB), row(CAT)],
        "senders": {} if there is None else {ANN: frozenset(there)},
        "config": CONFIG,
    }
    return settled([ANN, BOB, CAT], **{**fields, **more})


def again(scene: Scene) -> Plan:
    """Return the second run's plan."""
    return planned(simulate(scene.plan(), scene.case()))[0]


def grant(scene: Scene) -> MailboxChange:
    """Return the one right that is given."""
    change = only(scene.plan().changes)
    assert change.kind is Kind.GRANT
    return change


def test_a_right_is_one_edit_of_the_mailbox_and_remembered() -> None:
    scene = asking(BOB, there=())
    change = grant(scene)
    assert (change.address, change.why, change.dn) == (ANN, Rule.LDAP, dn_of(ANN))
    assert (change.senders, change.foreign_senders, change.rebuilds) == ((BOB,), None, 0)
    assert change.fields == (FieldChange("send_as", None, BOB),)
    assert change.passwd_update == STAMP
    assert change.remember == {"senders": frozenset({BOB}), "foreign_senders": frozenset()}
    assert again(scene).changes == ()


@pytest.mark.parametrize(
    ("asked", "had", "there", "rows"),
    [
        pytest.param((BOB,), (), (), (BOB,), id="new"),
        pytest.param((BOB, CAT), (BOB,), (BOB,), (BOB, CAT), id="one more"),
        pytest.param((), (BOB,), (BOB,), (), id="taken away"),
        pytest.param((BOB,), (BOB,), (BOB,), None, id="as it is"),
        pytest.param((BOB,), (BOB,), (), (BOB,), id="dropped by hand"),
        pytest.param((BOB,), (), (BOB,), None, id="given by hand before"),
        pytest.param((BOB,), (), (CAT,), (BOB, CAT), id="beside one of somebody's"),
        pytest.param((), (BOB,), (BOB, CAT), (CAT,), id="somebody's stays"),
        pytest.param((), (), (CAT,), None, id="somebody's alone"),
        pytest.param((), (BOB,), (), None, id="taken away by hand already"),
        pytest.param(("*",), (), (), ("*",), id="anybody"),
        pytest.param(("*", BOB), (BOB,), (BOB, CAT), ("*",), id="anybody is everybody"),
        pytest.param((BOB,), ("*",), ("*",), (BOB,), id="no longer anybody"),
        pytest.param((BOB,), (), ("*",), None, id="anybody by hand"),
        pytest.param((DOMAIN_ITSELF,), (), (), (DOMAIN_ITSELF,), id="a domain"),
        pytest.param((ANN,), (), (), None, id="its own address"),
        pytest.param((BOB,), (BOB,), (BOB, "x@gone.test"), None, id="a domain that is gone"),
        pytest.param((BOB,), (BOB,), (BOB, f"x@{DOMAIN}"), None, id="an address that is gone"),
        pytest.param((CAT,), (), (BOB, "x@gone.test", f"x@{DOMAIN}"), (BOB, CAT), id="what is gone is not sent back"),
    ],
)
def test_what_is_wanted_is_written_beside_what_others_gave(
    asked: tuple[str, ...],
    had: tuple[str, ...],
    there: tuple[str, ...],
    rows: tuple[str, ...] | None,
) -> None:
    scene = asking(*asked, had=had, there=there)
    plan = scene.plan()
    assert [change.senders for change in of_mailboxes(plan.changes)] == ([] if rows is None else [rows])
    after = simulate(plan, scene.case())
    expected = {sender for sender in asked if sender != ANN}
    assert after.memory.mailboxes[ANN].senders == (expected if "*" not in expected else {"*"})
    assert again(scene).changes == ()


@pytest.mark.parametrize(("had", "why"), [((BOB,), Rule.MAILCOW), ((), Rule.LDAP)])
def test_a_right_says_who_moved(had: tuple[str, ...], why: Rule) -> None:
    assert grant(asking(BOB, had=had, there=())).why is why


@pytest.mark.parametrize(
    ("asked", "had", "foreign", "had_foreign", "unread"),
    [
        pytest.param((BOB,), (), (), (), True, id="new"),
        pytest.param((), (BOB,), (), (), True, id="taken away"),
        pytest.param((BOB,), (BOB,), (), (), False, id="as it was"),
        pytest.param((), (), ("eve@elsewhere.test",), (), True, id="somebody outside"),
        pytest.param((), (), (), ("eve@elsewhere.test",), True, id="nobody outside any more"),
    ],
)
def test_what_is_there_is_read_before_anything_is_changed(
    asked: tuple[str, ...],
    had: tuple[str, ...],
    foreign: tuple[str, ...],
    had_foreign: tuple[str, ...],
    unread: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = asking(*asked, had=had, foreign=foreign, had_foreign=had_foreign)
    assert scene.plan().changes == ()
    assert senders_to_read(scene.case()) == frozenset({ANN} if unread else ())
    second, case = planned(scene.case())
    assert kinds(second.changes) == [(Kind.GRANT, ANN)] * unread
    assert planned(simulate(second, case))[0].changes == ()


def test_reassert_reads_the_rows_that_are_ours_and_writes_those_that_were_dropped_by_hand() -> None:
    scene = asking(BOB, had=[BOB], options=Options(reassert=True))
    assert senders_to_read(scene.case()) == {ANN}
    assert senders_to_read(asking(options=Options(reassert=True)).case()) == frozenset()
    plan = replace(scene, senders={ANN: frozenset()}).plan()
    assert [one.senders for one in of_mailboxes(plan.changes) if one.kind is Kind.GRANT] == [(BOB,)]


def test_a_new_mailbox_has_no_rows_that_could_be_read() -> None:
    scene = asking(BOB, has=[existing(BOB), existing(CAT)], rows=[row(BOB), row(CAT)])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.GRANT, ANN)]
    assert patch_of(plan.changes[1]).keys() == {"senders", "foreign_senders"}
    assert of_mailboxes(plan.changes)[1].senders == (BOB,)
    assert senders_to_read(scene.case()) == frozenset()
    assert again(scene).changes == ()


def test_a_mailbox_that_is_made_again_has_none_of_its_old_rights() -> None:
    """Somebody deleted it in mailcow, and its rows with it."""
    rows = [row(ANN, senders=frozenset({BOB, CAT}), foreign_senders=frozenset({OUTSIDE})), row(BOB), row(CAT)]
    scene = asking(BOB, foreign=[OUTSIDE], has=[existing(BOB), existing(CAT)], rows=rows)
    change = of_mailboxes(scene.plan().changes)[1]
    assert (change.kind, change.senders, change.foreign_senders) == (Kind.GRANT, (BOB,), (OUTSIDE,))
    assert again(scene).changes == ()
    doubtful = replace(scene, doubts=(CUT_SHORT,))
    assert of_mailboxes(doubtful.plan().changes)[1].senders == (BOB,)
    without = asking(has=[existing(BOB), existing(CAT)], rows=rows)
    assert kinds(without.plan().changes) == [(Kind.CREATE, ANN)]
    assert again(without).changes == ()


@pytest.mark.parametrize(
    ("had", "told"), [((BOB,), []), ((), [Code.SEND_AS_NOT_FOUND]), ((CAT,), [Code.SEND_AS_NOT_FOUND])]
)
def test_rows_that_mailcow_does_not_tell_are_left_as_they_are(had: tuple[str, ...], told: list[Code]) -> None:
    """Before 2026-07 nobody could see which of them somebody made by hand."""
    scene = asking(BOB, had=had, senders={ANN: None})
    plan = scene.plan()
    assert (plan.changes, senders_to_read(scene.case()), codes(plan)) == ((), frozenset(), told)
    assert not told or "mailcow tells it since 2026-07" in plan.findings[0].sentence


def test_a_new_mailbox_that_needs_no_row_gets_none() -> None:
    scene = asking(has=[existing(BOB), existing(CAT)], rows=[row(BOB), row(CAT)])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, ANN)]


@pytest.mark.parametrize(
    ("foreign", "had", "written"),
    [((OUTSIDE,), (), (OUTSIDE,)), ((), (OUTSIDE,), ()), ((OUTSIDE, "@x.test"), (OUTSIDE,), ("@x.test", OUTSIDE))],
)
def test_senders_outside_are_compared_with_what_is_remembered(
    foreign: tuple[str, ...],
    had: tuple[str, ...],
    written: tuple[str, ...],
) -> None:
    """mailcow doesn't show them."""
    scene = asking(foreign=foreign, had_foreign=had, there=[BOB])
    change = grant(scene)
    assert (change.senders, change.foreign_senders) == (None, written)
    assert change.fields[0].after == ", ".join(sorted((BOB, *foreign)))
    assert patch_of(change)["foreign_senders"] == frozenset(foreign)
    assert again(scene).changes == ()


# what aliases allow


def with_alias(of: Wish, there: Iterable[Address], **values: object) -> Scene:
    """A scene in which Ann shall send as an alias that mailcow has."""
    return asking(INFO, wishes=[of], aliases=[alias(INFO, *there, **cast("dict[str, Any]", values))], alias_rows=[])


@pytest.mark.parametrize(
    ("of", "there", "values", "needed"),
    [
        pytest.param(wish(INFO, ANN), (ANN,), {}, False, id="it goes to Ann"),
        pytest.param(wish(INFO, BOB), (BOB,), {}, True, id="it goes to Bob"),
        pytest.param(wish(INFO, ANN), (ANN,), {"sender_allowed": 0}, True, id="its targets may not"),
        pytest.param(listing(INFO, ANN, BOB), (BOB,), {}, False, id="Ann joins in this run"),
        pytest.param(listing(INFO, BOB), (ANN, BOB), {}, True, id="Ann leaves in this run"),
        pytest.param(wish(INFO, ANN, flags={"sender_allowed": 1}), (ANN,), {"sender_allowed": 0}, False, id="allowed"),
        pytest.param(wish(INFO, ANN, flags={"sender_allowed": 0}), (ANN,), {}, True, id="no longer allowed"),
    ],
)
def test_a_row_is_needed_only_where_no_alias_allows_it(
    of: Wish,
    there: tuple[Address, ...],
    values: Mapping[str, Any],
    needed: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan, view = planned(with_alias(of, there, **values).case())
    assert [change.senders for change in of_mailboxes(plan.changes)] == [(INFO,)] * needed
    assert planned(simulate(plan, view))[0].changes == ()


def test_a_new_alias_allows_it_too() -> None:
    scene = asking(INFO, wishes=[wish(INFO, ANN)], aliases=[], alias_rows=[])
    plan, view = planned(scene.case())
    assert kinds(plan.changes) == [(Kind.CREATE, INFO)]
    assert planned(simulate(plan, view))[0].changes == ()


@pytest.mark.parametrize(
    ("senders", "unknown"),
    [
        ((f"x@{DOMAIN}",), f"x@{DOMAIN}"),
        ((f"x@{ALIAS_DOMAIN}",), f"x@{ALIAS_DOMAIN}"),
        ((f"@{ALIAS_DOMAIN}", f"info@{ALIAS_DOMAIN}", "x@other.test", "@other.test"), ""),
    ],
)
def test_what_mailcow_does_not_have_is_told_and_not_asked_for(senders: tuple[str, ...], unknown: str) -> None:
    """What is in a domain that no directory is for isn't known: mailcow refuses it where it isn't there."""
    there = Address(f"info@{ALIAS_DOMAIN}")
    hosted = {"hosted": frozenset({DOMAIN, ALIAS_DOMAIN, "other.test"})}
    scene = asking(
        *senders,
        BOB,
        there=(),
        wishes=[wish(there, CAT)],
        aliases=[alias(there, CAT)],
        alias_domains={ALIAS_DOMAIN: DOMAIN},
        actual=hosted,
        every_alias={OTHER: alias(OTHER, CAT)},
    )
    plan = scene.plan()
    assert set(grant(replace(scene, alias_rows=[])).senders or ()) == {BOB, *(() if unknown else senders)}
    assert [(one.code, one.where) for one in plan.findings] == [(Code.SEND_AS_NOT_FOUND, ANN)] * bool(unknown)
    assert not unknown or unknown in plan.findings[0].sentence
    assert again(scene).changes == ()


def test_a_row_that_an_edit_of_its_alias_drops_is_written_again() -> None:
    """mailcow drops the rows of an alias's targets for its address whenever the alias is edited."""
    scene = asking(
        INFO,
        had=[INFO],
        there=[INFO],
        wishes=[listing(INFO, ANN, BOB, flags={"sender_allowed": 0})],
        aliases=[alias(INFO, ANN, sender_allowed=0)],
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, INFO), (Kind.GRANT, ANN)]
    after = simulate(plan, scene.case())
    assert after.actual.mailboxes[ANN].senders == frozenset({INFO})
    assert planned(after)[0].changes == ()


def test_a_row_that_will_be_dropped_is_read_first() -> None:
    scene = asking(
        INFO,
        had=[INFO],
        wishes=[listing(INFO, ANN, BOB, flags={"sender_allowed": 0})],
        aliases=[alias(INFO, ANN, sender_allowed=0)],
    )
    assert senders_to_read(scene.case()) == {ANN, BOB}
    allowed = replace(
        scene, wishes=[listing(INFO, ANN, BOB)], aliases=[alias(INFO, ANN)], wants=map(wanted, (ANN, BOB))
    )
    assert senders_to_read(replace(allowed, rows=[row(ANN), row(BOB)]).case()) == frozenset()


def test_a_row_made_by_hand_that_an_edit_drops_is_written_again_where_it_is_known() -> None:
    scene = asking(
        there=[INFO],
        wishes=[listing(INFO, ANN, BOB, flags={"sender_allowed": 0})],
        aliases=[alias(INFO, ANN, sender_allowed=0)],
    )
    plan = scene.plan()
    (change,) = of_mailboxes(plan.changes)
    assert (change.address, change.senders, change.fields[0].before) == (ANN, (INFO,), None)
    assert simulate(plan, scene.case()).actual.mailboxes[ANN].senders == frozenset({INFO})


def test_the_rows_of_an_alias_that_goes_are_mailcow_s_to_drop() -> None:
    scene = asking(INFO, had=[INFO], there=[INFO], aliases=[alias(INFO, CAT)], alias_rows=[])
    scene = replace(
        scene, alias_rows=[replace(one, owner=id_of(CAT)) for one in settled([], [wish(INFO, CAT)]).alias_rows]
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO)]
    assert codes(plan) == [Code.SEND_AS_NOT_FOUND]
    after = simulate(plan, scene.case())
    assert after.actual.mailboxes[ANN].senders == frozenset()
    assert after.memory.mailboxes[ANN].senders == frozenset()


# who gets none


@pytest.mark.parametrize(
    ("more", "given"),
    [
        pytest.param({}, True, id="all is well"),
        pytest.param({"config": alias_config()}, False, id="not managed"),
        pytest.param({"config": alias_config(mapping={"send_as": "x"}, protected=[ANN])}, False, id="protected"),
        pytest.param({"options": Options(only=frozenset({BOB}))}, False, id="--only somebody else"),
        pytest.param({"options": Options(only=frozenset({ANN}))}, True, id="--only"),
        pytest.param({"has": [existing(ANN, active=0), existing(BOB)]}, False, id="inactive"),
        pytest.param({"has": [existing(ANN, active=2), existing(BOB)]}, True, id="barred from logging in"),
        pytest.param({"wants": [wanted(ANN, active=0, senders=[BOB]), wanted(BOB)]}, False, id="becomes inactive"),
        pytest.param(
            {
                "has": [existing(ANN, active=0, tags=(MARK, DISABLED_TAG)), existing(BOB)],
                "wants": [wanted(ANN, active=1, senders=[BOB]), wanted(BOB)],
            },
            True,
            id="becomes active again",
        ),
        pytest.param(
            {"has": [existing(BOB)], "wants": [wanted(ANN, password=None, senders=[BOB]), wanted(BOB)]},
            False,
            id="is not made",
        ),
        pytest.param(
            {
                "has": [existing(ANN, tags=()), existing(BOB)],
                "rows": [],
                "config": alias_config(mapping={"send_as": "x"}, adopt_mailboxes="refuse"),
            },
            False,
            id="not ours",
        ),
        pytest.param({"has": BY_HAND, "rows": [], "sources": {}}, True, id="adopted in this run"),
        pytest.param({"has": BY_HAND, "rows": []}, False, id="its adoption waits for a word"),
        pytest.param({"wants": UNCLEAR}, False, id="its entry has no clear address"),
        pytest.param({"wants": UNCLEAR, "config": ELSEWHERE}, False, id="nor where mailboxes come from elsewhere"),
        pytest.param(
            {"wants": [wanted(ANN, active=0, senders=[BOB])], "config": ELSEWHERE}, False, id="inactive entry"
        ),
        pytest.param(
            {"rows": [row(ANN, id="another"), row(BOB)], "bystanders": {EntryId("default", id_of(ANN)): NOW - DAY}},
            False,
            id="another entry's",
        ),
        pytest.param({"wants": [wanted(BOB)], "rows": [row(BOB)]}, False, id="of no user"),
    ],
)
def test_rights_go_to_active_mailboxes_that_are_ours(more: Mapping[str, Any], given: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    plan = asking(BOB, there=(), **more).plan()
    assert [change.senders for change in of_mailboxes(plan.changes) if change.kind is Kind.GRANT] == [(BOB,)] * given


@pytest.mark.parametrize(("there", "changes"), [((), [(Kind.GRANT, ANN)]), ((BOB,), [])])
def test_where_mailboxes_come_from_elsewhere_they_get_rights_all_the_same(
    there: tuple[str, ...],
    changes: list[tuple[Kind, Address]],
) -> None:
    config = alias_config(mapping={"send_as": "x"}, create_mailboxes=False)
    scene = asking(BOB, there=there, has=[existing(ANN, tags=()), existing(BOB, tags=())], rows=[], config=config)
    plan = scene.plan()
    assert kinds(plan.changes) == changes
    found = simulate(plan, scene.case()).memory.mailboxes[ANN]
    assert (found.origin, found.id, found.dn) == (Origin.ADOPTED, id_of(ANN), dn_of(ANN))
    assert found.senders == {BOB}
    assert again(scene).changes == ()


def test_where_mailboxes_come_from_elsewhere_nobody_needs_a_row_who_may_send_as_nobody() -> None:
    config = alias_config(mapping={"send_as": "x"}, create_mailboxes=False)
    scene = asking(has=[existing(ANN, tags=()), existing(BOB, tags=())], rows=[], config=config, there=())
    assert scene.plan().changes == ()


def test_a_mailbox_that_is_adopted_with_its_rights_is_remembered_at_once() -> None:
    scene = asking(
        BOB, there=[BOB], has=[existing(ANN, tags=(), senders=[BOB]), existing(BOB), existing(CAT)], rows=[], sources={}
    )
    first = simulate(scene.plan(), scene.case())
    assert first.memory.mailboxes[ANN].senders == {BOB}
    assert planned(first)[0].changes == ()


# what is not whole


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        pytest.param({}, True, id="all is known"),
        pytest.param({"doubts": (CUT_SHORT,)}, False, id="users in doubt"),
        pytest.param({"answers": {"groups": DOUBTED}}, False, id="groups in doubt"),
        pytest.param({"options": Options(only=frozenset({ANN}))}, False, id="--only"),
    ],
)
def test_rights_are_taken_away_only_where_all_is_known(more: Mapping[str, Any], taken: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    scene = asking(CAT, had=[BOB], there=[BOB], had_foreign=[OUTSIDE], **more)
    change = grant(scene)
    assert change.senders == ((CAT,) if taken else (BOB, CAT))
    assert change.foreign_senders == (() if taken else None)
    assert again(scene).changes == ()


def test_what_is_kept_for_doubt_is_kept_only_as_long_as_it_is_there_and_needed() -> None:
    scene = asking(
        CAT,
        had=[f"gone@{DOMAIN}", HELP, TEAM],
        there=[TEAM],
        doubts=(CUT_SHORT,),
        wishes=[wish(HELP, ANN), wish(TEAM, BOB)],
        aliases=[alias(HELP, ANN), alias(TEAM, BOB)],
        alias_rows=[],
    )
    assert grant(scene).senders == (CAT, TEAM)
    assert again(scene).changes == ()


def test_rights_stay_where_it_is_not_known_whom_the_user_may_send_as() -> None:
    """Another user's don't, whose entry is as clear as ever."""
    users = [replace(wanted(ANN, senders=[CAT]), senders_known=False), wanted(BOB), wanted(CAT)]
    rows = [row(ANN, senders=frozenset({BOB})), row(BOB, senders=frozenset({CAT})), row(CAT)]
    scene = asking(wants=users, rows=rows, senders={ANN: frozenset({BOB}), BOB: frozenset({CAT})})
    found = {change.address: change.senders for change in of_mailboxes(scene.plan().changes)}
    assert found == {ANN: (BOB, CAT), BOB: ()}


@pytest.mark.parametrize(("members_known", "senders_known"), [(False, True), (True, False)])
def test_rights_by_a_group_stay_where_it_is_not_known_what_it_says(*, members_known: bool, senders_known: bool) -> None:
    """Of one whose members aren't known nobody loses what it gives; of one whose rights aren't, no member any."""
    member = EntryId("default", id_of(ANN))
    given = frozenset({Address(CAT)}) if senders_known else frozenset[Address]()
    members = frozenset({member}) if members_known else frozenset[EntryId]()
    group = Group(
        EntryId("default", "g"), "cn=g", members=members, senders=given,
        members_known=members_known, senders_known=senders_known,
    )  # fmt: skip
    rows = [row(ANN, senders=frozenset({CAT})), row(BOB, senders=frozenset({ANN})), row(CAT)]
    scene = asking(asked={"groups": (group,)}, rows=rows, senders={ANN: frozenset({CAT}), BOB: frozenset({ANN})})
    assert [(change.address, change.senders) for change in of_mailboxes(scene.plan().changes)] == [(BOB, ())]


def test_the_right_to_send_as_anybody_stays_where_it_is_not_known_who_has_it() -> None:
    scene = asking(had=["*"], there=["*"], asked={"any_senders_known": False})
    assert scene.plan().changes == ()
    assert grant(replace(scene, asked={})).senders == ()


def test_anybody_needs_nothing_beside_it_in_doubt() -> None:
    assert grant(asking("*", had=[BOB], there=[BOB], doubts=(CUT_SHORT,))).senders == ("*",)


# what mailcow refuses


@pytest.mark.parametrize(("quota", "told"), [(100, []), (700, [Code.NO_ROOM_FOR_QUOTA])])
def test_a_mailbox_that_cannot_be_edited_gets_no_rights(quota: int, told: list[Code]) -> None:
    has = [existing(ANN, quota=quota), existing(BOB), existing(CAT)]
    plan = asking(BOB, there=(), has=has, limits={"max_mailbox_quota": 500}).plan()
    assert codes(plan) == told
    assert len(plan.changes) == (not told)
    assert not told or plan.findings[0].where == dn_of(ANN)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"config": ELSEWHERE}, id="mailboxes come from elsewhere"),
        pytest.param({"wants": [wanted(BOB), wanted(CAT)]}, id="its entry is gone, and the grace is not over"),
    ],
)
def test_a_mailbox_that_cannot_be_edited_keeps_its_rights_by_whatever_rule_it_stays(more: dict[str, Any]) -> None:
    has = [existing(ANN, quota=700), existing(BOB), existing(CAT)]
    scene = asking(CAT, had=[BOB], there=[BOB], has=has, limits={"max_mailbox_quota": 500}, **more)
    plan = scene.plan()
    assert (plan.changes, codes(plan).count(Code.NO_ROOM_FOR_QUOTA)) == ((), 1)


def test_a_quota_that_is_lowered_in_the_same_run_is_in_nobody_s_way() -> None:
    scene = asking(
        BOB,
        there=(),
        wants=[wanted(ANN, quota=200, senders=[BOB]), wanted(BOB), wanted(CAT)],
        has=[existing(ANN, quota=700), existing(BOB), existing(CAT)],
        limits={"max_mailbox_quota": 500},
    )
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, ANN), (Kind.GRANT, ANN)]
    assert again(scene).changes == ()


@pytest.mark.parametrize(("active", "rebuilds"), [(1, 0), (2, 1)])
def test_an_edit_of_what_is_not_fully_active_rebuilds_the_address_book(active: int, rebuilds: int) -> None:
    scene = asking(BOB, there=(), has=[existing(ANN, active=active, template="abc"), existing(BOB), existing(CAT)])
    assert (grant(scene).rebuilds, grant(scene).attribute_hash) == (rebuilds, "abc")


def test_nobody_is_asked_about_where_no_rights_are_managed() -> None:
    scene = asking(BOB, had=[CAT], config=make_config())
    assert (scene.plan().changes, senders_to_read(scene.case())) == ((), frozenset())


def test_a_protected_mailbox_keeps_its_rights_when_its_entry_is_gone() -> None:
    wants = [wanted(BOB), wanted(CAT)]
    assert kinds(asking(had=[BOB], there=[BOB], wants=wants).plan().changes) == [(Kind.GRANT, ANN)]
    config = alias_config(mapping={"send_as": "x"}, protected=[ANN])
    assert asking(had=[BOB], there=[BOB], wants=wants, config=config).plan().changes == ()


def test_somebody_who_is_gone_keeps_what_is_there_until_the_grace_is_over() -> None:
    scene = asking(had=[], there=[BOB], wants=[wanted(BOB), wanted(CAT)])
    assert scene.plan().changes == ()


def test_a_mailbox_that_is_made_in_the_same_run_may_be_sent_as() -> None:
    scene = asking(DAN, there=())
    scene = replace(scene, wants=[*scene.wants, wanted(DAN)])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, DAN), (Kind.GRANT, ANN)]
    assert again(scene).changes == ()


# rights that would be lost: counted, and withheld like everything else that is taken away

MANY = people(20)
BOSS = MANY[0]


def rights(have: int, keep: int, **more: object) -> Scene:
    """A scene in which some users may send as the boss, and fewer of them still shall."""
    holders = MANY[1 : have + 1]
    fields: dict[str, Any] = {
        "wants": [wanted(one, senders=[BOSS] if one in holders[:keep] else []) for one in MANY],
        "rows": [row(one, senders=frozenset({BOSS} if one in holders else ())) for one in MANY],
        "senders": {one: frozenset({BOSS}) for one in holders},
        "config": CONFIG,
    }
    return settled(MANY, **{**fields, **more})


def granted(plan: Plan) -> list[Address]:
    return [change.address for change in of_mailboxes(plan.changes) if change.kind is Kind.GRANT]


def withheld(plan: Plan) -> list[tuple[Guarded, Reason]]:
    return [(one.kind, one.reason) for one in plan.withheld]


OVER_LIMIT, CHANGED = (Guarded.RIGHTS, Reason.OVER_LIMIT), (Guarded.RIGHTS, Reason.SEARCH_CHANGED)


@pytest.mark.parametrize(("have", "keep", "lost"), [(12, 7, 5), (12, 6, 0), (2, 1, 1), (2, 0, 0)])
def test_one_run_takes_rights_from_some_users_only(have: int, keep: int, lost: int) -> None:
    plan = rights(have, keep).plan()
    assert (len(granted(plan)), withheld(plan)) == (lost, [] if lost else [OVER_LIMIT])


def test_the_word_for_rights_lets_them_go() -> None:
    (one,) = rights(12, 6).plan().withheld
    assert one.addresses == MANY[7:13]
    assert one.sentence == (
        "6 of 12 users would lose rights to send as others, and limits.removals lets 5 through; if that is meant, run "
        "once with --approve rights:6"
    )
    assert len(granted(rights(12, 6, options=Options(approved={Guarded.RIGHTS: 6})).plan())) == 6
    assert granted(rights(12, 6, options=Options(approved={Guarded.ALIAS: 6})).plan()) == []


@pytest.mark.parametrize("key", ["user_mapping.send_as", "send_as_any", "user_search_filter", "group_search_base"])
def test_a_changed_search_takes_no_right(key: str) -> None:
    scene = rights(12, 11)
    source = scene.config.sources[0]
    other = {**fingerprint(source), key: "something else"}
    plan = replace(scene, sources={"default": remembered_source(source, accepted=other)}).plan()
    assert (granted(plan), withheld(plan)) == ([], [CHANGED])


def test_no_groups_where_there_were_some_takes_no_right() -> None:
    """The rights of groups look the same as if they were taken away."""
    lists: dict[str, Any] = {
        "aliases": [alias(TEAM, ANN)],
        "alias_rows": [alias_row(listing(TEAM, ANN))],
        "answers": {"groups": NONE_FOUND},
    }
    assert granted(rights(12, 11, **lists).plan()) == []


def test_what_is_new_is_given_while_losses_are_withheld() -> None:
    scene, new = rights(12, 6), MANY[15]
    wants = [wanted(new, senders=[BOSS]) if one.addresses == (new,) else one for one in scene.wants]
    plan = replace(scene, wants=wants, senders={**scene.senders, new: frozenset()}).plan()
    assert (granted(plan), withheld(plan)) == ([new], [OVER_LIMIT])


def test_users_who_may_send_as_anyone_lose_nothing() -> None:
    everybody = frozenset(EntryId("default", id_of(one)) for one in MANY[1:13])
    plan = rights(12, 0, asked={"any_senders": everybody}).plan()
    assert (len(granted(plan)), plan.withheld) == (12, ())


def test_a_right_that_an_alias_gives_from_now_on_is_not_lost() -> None:
    of = listing(INFO, *MANY[1:13])
    more: dict[str, Any] = {
        "wishes": [of],
        "aliases": [alias(INFO, *of.goto)],
        "alias_rows": [alias_row(of)],
        "rows": [row(one, senders=frozenset({INFO})) for one in MANY[:13]],
        "senders": {one: frozenset({INFO}) for one in of.goto},
    }
    plan = rights(12, 0, **more).plan()
    assert (len(granted(plan)), plan.withheld) == (12, ())


def test_half_an_answer_takes_no_right_and_asks_for_no_word() -> None:
    plan = rights(12, 6, doubts=(CUT_SHORT,)).plan()
    assert (granted(plan), plan.withheld) == ([], ())


def test_a_vanished_attribute_takes_no_right_until_a_word_is_said() -> None:
    scene = rights(19, 0)
    rows = [replace(one, present=NAMED | {"password", "send_as"}) for one in scene.rows]
    case = replace(scene, rows=rows).case()
    for _ in range(2):
        plan, read = planned(case)
        assert (plan.whole, Code.ATTRIBUTE_VANISHED in codes(plan), withheld(plan)) == (True, True, [CHANGED])
        case = simulate(plan, read)
    plan, read = planned(replace(case, options=Options(approved={Guarded.RIGHTS: 18})))
    case = replace(simulate(plan, read), options=Options())
    assert withheld(planned(case)[0]) == [CHANGED]
    plan, read = planned(replace(case, options=Options(approved={Guarded.RIGHTS: 19})))
    assert (len(granted(plan)), plan.withheld) == (19, ())
    assert codes(planned(replace(simulate(plan, read), options=Options()))[0]) == []


def test_a_vanished_attribute_of_rights_does_not_keep_leavers_active() -> None:
    scene, leaver = rights(19, 0), MANY[-1]
    rows = [replace(one, present=NAMED | {"password", "send_as"}) for one in scene.rows]
    rows[-1] = replace(rows[-1], missed=5, missing_since=NOW - DAY)
    plan = replace(scene, wants=map(wanted, MANY[:-1]), rows=rows).plan()
    assert (kinds(plan.changes), withheld(plan)) == ([(Kind.DISABLE, leaver)], [CHANGED])


def test_the_rights_of_an_entry_that_can_not_be_read_just_now_stay() -> None:
    scene = rights(1, 0)
    assert granted(scene.plan()) == [MANY[1]]
    wants = [replace(one, addresses=()) if one.addresses == (MANY[1],) else one for one in scene.wants]
    assert granted(replace(scene, wants=wants).plan()) == []


# names


def test_rights_follow_a_rename_in_the_same_run() -> None:
    """mailcow renames the rows, of the mailbox and for it."""
    new = Address(f"ann.new@{DOMAIN}")
    wants = [wanted(new, id=id_of(ANN), dn=dn_of(ANN), senders=[BOB, CAT]), wanted(BOB, senders=[new]), wanted(CAT)]
    rows = [row(ANN, senders=frozenset({BOB})), row(BOB, senders=frozenset({ANN})), row(CAT)]
    case = asking(wants=wants, rows=rows).case()
    assert senders_to_read(case) == {ANN}
    plan, read = planned(case)
    assert [(one.address, one.senders) for one in of_mailboxes(plan.changes) if one.kind is Kind.GRANT] == [
        (new, (BOB, CAT))
    ]
    after = simulate(plan, read)
    assert after.actual.mailboxes[BOB].senders == frozenset({str(new)})
    assert planned(after)[0].changes == ()


def test_a_right_for_a_user_or_a_twin_is_one_for_the_mailbox() -> None:
    twin = Address(f"bob@{ALIAS_DOMAIN}")
    scene = asking(there=(), alias_domains={ALIAS_DOMAIN: DOMAIN})
    for meant in (twin, BOB, EntryId("default", id_of(BOB))):
        wants = [wanted(ANN, senders=[meant]), wanted(BOB), wanted(CAT)]
        assert grant(replace(scene, wants=wants)).senders == (BOB,)


def test_the_members_of_a_group_get_its_rights_and_no_other_user() -> None:
    group = Group(EntryId("default", "staff"), "cn=staff", members=frozenset({ANN, OUTSIDE}), senders=frozenset({CAT}))
    plan = asking(there=(), groups=[group]).plan()
    assert [(one.address, one.senders) for one in of_mailboxes(plan.changes)] == [(ANN, (CAT,))]


def test_who_may_send_as_anyone_may_be_a_group() -> None:
    group = Group(EntryId("default", "staff"), "cn=staff", members=frozenset({ANN}))
    plan = asking(there=(), groups=[group], asked={"any_senders": frozenset({group.id})}).plan()
    assert [(one.address, one.senders) for one in of_mailboxes(plan.changes)] == [(ANN, (ANYONE,))]


def test_the_mailbox_of_a_leaver_is_not_what_a_right_for_a_namesake_means() -> None:
    other = wanted(BOB, id="namesake", dn="uid=namesake")
    wants = [wanted(ANN, senders=[BOB]), other, wanted(CAT)]
    plan = asking(there=(), wants=wants, bystanders={other.id: NOW - DAY}).plan()
    assert granted(plan) == []
    assert Code.SEND_AS_NOT_FOUND in codes(plan)
