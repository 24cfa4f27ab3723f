"""What each wanted mailbox needs: creation, adoption, updates, status, and whose it may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ldap2mailcow.model import Address, Cause, Code, FieldChange, Kind, Origin, Why
from ldap2mailcow.plan import Options, make_plan

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DISABLED_TAG,
    DOMAIN,
    MARK,
    NOW,
    STAMP,
    Scene,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    make_config,
    make_domain,
    only,
    quiet,
    remembered,
    row,
    seal,
    simulate,
    wanted,
)

AGREES = ((), (), (), ())


# creation


def test_a_new_entry_gets_a_mailbox() -> None:
    change = only(Scene(wants=[wanted(ANN, quota=500, tls_enforce_in=1)]).plan().changes)
    assert (change.kind, change.address, change.why, change.dn) == (Kind.CREATE, ANN, Why.NEW, dn_of(ANN))
    assert change.writes == {"authsource": "mailcow", "name": "Ann", "quota": 500, "tls_enforce_in": 1, "active": 1}
    assert change.add_tags == (MARK,)
    assert change.rebuilds == 0
    assert FieldChange("quota", None, 500) in change.fields


def test_a_new_mailbox_without_a_quota_gets_the_domain_s_default() -> None:
    """add/mailbox itself would take 0, which is unlimited."""
    assert only(Scene(wants=[wanted(ANN)]).plan().changes).writes["quota"] == 300


def test_what_was_filled_in_at_creation_is_not_managed() -> None:
    patch = only(Scene(wants=[wanted(ANN)]).plan().changes).remember
    assert patch["applied"] == {"authsource": "mailcow", "name": "Ann"}


def test_a_new_mailbox_is_remembered_whole() -> None:
    mailbox = wanted(ANN)
    assert mailbox.password
    assert only(Scene(wants=[mailbox]).plan().changes).remember == {
        "source": "default",
        "id": id_of(ANN),
        "dn": dn_of(ANN),
        "origin": Origin.CREATED,
        "applied": mailbox.attributes,
        "digest": seal(mailbox.password),
        "passwd_update": None,
        "disabled": None,
        "missing_since": None,
        "missed": 0,
        "present": mailbox.present,
    }


def test_a_new_mailbox_of_an_inactive_entry_is_made_inactive_by_us() -> None:
    change = only(Scene(wants=[wanted(ANN, active=0)]).plan().changes)
    assert change.writes["active"] == 0
    assert change.add_tags == (MARK, DISABLED_TAG)
    assert change.remember["disabled"] is Cause.STATUS
    assert change.rebuilds == 1


def test_a_mailbox_that_somebody_deleted_in_mailcow_is_made_again() -> None:
    plan = quiet([ANN], has=[], rows=[row(ANN, disabled=Cause.MISSING, missed=2)]).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN)]
    assert remembered(plan, ANN)["disabled"] is None


def test_an_alias_in_the_way_is_told_and_nothing_is_made() -> None:
    plan = Scene(wants=[wanted(ANN), wanted(BOB)], actual={"aliases": frozenset({ANN})}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, BOB)]
    assert codes(plan) == [Code.ADDRESS_IS_ALIAS]


def test_protected_addresses_are_not_touched() -> None:
    config = make_config(protected=["Ann@Example.org", BOB])
    plan = Scene(
        wants=[wanted(ANN), wanted(BOB, name="Robert", active=0)],
        has=[existing(BOB)],
        config=config,
    ).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert codes(plan) == [Code.PROTECTED, Code.PROTECTED]


# the room of a domain


@pytest.mark.parametrize(
    ("limits", "code", "told"),
    [
        ({"mailboxes": 5, "max_mailboxes": 5}, Code.NO_ROOM_FOR_MAILBOX, "all of its 5 mailboxes"),
        ({"mailboxes": 5, "max_mailboxes": 5, "max_quota": 0}, Code.NO_ROOM_FOR_MAILBOX, "mailboxes"),
        ({"used_quota": 600, "max_quota": 1000}, Code.NO_ROOM_FOR_QUOTA, "400 MiB of its 1000 MiB left"),
    ],
)
def test_a_mailbox_that_does_not_fit_is_told_and_not_made(limits: dict[str, int], code: Code, told: str) -> None:
    plan = Scene(wants=[wanted(ANN, quota=500)], limits=limits).plan()
    assert plan.changes == ()
    assert codes(plan) == [code]
    assert told in plan.findings[0].sentence


def test_a_quota_over_the_limit_of_one_mailbox_is_left_out() -> None:
    plan = Scene(wants=[wanted(ANN, quota=5000)], limits={"max_mailbox_quota": 4000}).plan()
    assert only(plan.changes).writes["quota"] == 300
    assert codes(plan) == [Code.QUOTA_OVER_LIMIT]


def test_a_quota_that_was_left_out_is_told_on_each_run_and_never_tried() -> None:
    scene = Scene(wants=[wanted(ANN, quota=5000)], limits={"max_mailbox_quota": 4000})
    again = make_plan(simulate(scene.plan(), scene.view()))
    assert (again.changes, codes(again)) == ((), [Code.QUOTA_OVER_LIMIT])


def test_limits_are_counted_down_in_address_order() -> None:
    scene = Scene(
        wants=[wanted(CAT, quota=400), wanted(BOB, quota=400), wanted(ANN, quota=400)],
        limits={"max_quota": 1000},
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB)]
    assert [finding.where for finding in plan.findings] == [dn_of(CAT)]
    simulate(plan, scene.view())


def test_a_mailbox_that_does_not_fit_leaves_room_for_a_smaller_one() -> None:
    plan = Scene(wants=[wanted(ANN, quota=400), wanted(BOB, quota=200)], limits={"max_quota": 300}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, BOB)]


def test_places_are_counted_down() -> None:
    plan = Scene(wants=[wanted(ANN), wanted(BOB), wanted(CAT)], limits={"max_mailboxes": 2}).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB)]
    assert codes(plan) == [Code.NO_ROOM_FOR_MAILBOX]


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
    simulate(scene.plan(), scene.view())


def test_a_quota_may_grow_to_all_that_is_left() -> None:
    scene = quiet([ANN, BOB], wants=[wanted(ANN, quota=900), wanted(BOB)], limits={"max_quota": 1000})
    assert only(scene.plan().changes).writes == {"quota": 900}
    simulate(scene.plan(), scene.view())


def test_a_quota_that_does_not_fit_stays_and_the_rest_of_the_mailbox_follows() -> None:
    plan = quiet(
        [ANN, BOB],
        wants=[wanted(ANN, quota=901, name="Ann Other"), wanted(BOB)],
        limits={"max_quota": 1000},
    ).plan()
    assert only(plan.changes).writes == {"name": "Ann Other"}
    assert codes(plan) == [Code.NO_ROOM_FOR_QUOTA]
    assert "stays at 100 MiB" in plan.findings[0].sentence
    assert "901 MiB don't fit" in plan.findings[0].sentence


def test_a_quota_that_grows_beyond_one_mailbox_s_limit_stays() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, quota=501)], limits={"max_mailbox_quota": 500}).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.QUOTA_OVER_LIMIT])


def test_an_unlimited_mailbox_counts_nothing() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, quota=0)], limits={"max_quota": 100}).plan()
    assert only(plan.changes).writes == {"quota": 0}


OVERFULL = {"max_quota": 150}


@pytest.mark.parametrize(
    "ann",
    [wanted(ANN, name="Ann Other"), wanted(ANN, active=0), wanted(ANN, password="{CRYPT}$6$new")],
)
@pytest.mark.parametrize("limits", [OVERFULL, {"max_mailbox_quota": 50}])
def test_a_mailbox_that_mailcow_refuses_to_edit_is_told_and_not_tried(ann: object, limits: dict[str, int]) -> None:
    plan = quiet([ANN, BOB], wants=[ann, wanted(BOB)], limits=limits).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])
    assert "refuses every change of ann@example.org" in plan.findings[0].sentence


def test_an_overfull_domain_holds_up_only_who_has_something_to_change() -> None:
    plan = quiet([ANN, BOB], limits=OVERFULL).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_even_an_unlimited_mailbox_can_t_be_edited_where_the_others_alone_are_too_large() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, name="Ann Other")], has=[existing(ANN, quota=0), existing(BOB)])
    assert codes(replace(scene, limits={"max_quota": 99}).plan()) == [Code.NO_ROOM_FOR_QUOTA]
    assert codes(replace(scene, limits={"max_quota": 100}).plan()) == []


def test_lowering_its_own_quota_frees_a_mailbox_for_edits() -> None:
    scene = quiet(
        [ANN, BOB],
        wants=[wanted(ANN, name="Ann Other", quota=50, active=0), wanted(BOB, name="Robert")],
        limits=OVERFULL,
    )
    plan = scene.plan()
    assert codes(plan) == []
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.UPDATE, BOB), (Kind.DISABLE, ANN)]
    simulate(plan, scene.view())


def test_a_lower_quota_that_is_still_too_large_stays() -> None:
    plan = quiet([ANN, BOB], wants=[wanted(ANN, quota=60), wanted(BOB)], limits=OVERFULL).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])


# adoption and ownership


def unknown(**more: object) -> Scene:
    """A scene in which Ann's mailbox was in mailcow before we were."""
    return quiet([ANN], **{"rows": [], "has": [existing(ANN, tags=("staff",))], **more})


def test_a_mailbox_of_the_directory_that_is_not_ours_is_adopted() -> None:
    change = only(unknown(wants=[wanted(ANN, name="Ann Other")]).plan().changes)
    assert (change.kind, change.why) == (Kind.ADOPT, Why.UNKNOWN_HERE)
    assert change.add_tags == (MARK,)
    assert change.remember["origin"] is Origin.ADOPTED
    assert change.fields == (FieldChange("name", "Ann", "Ann Other"),)


def test_adoption_overwrites_the_password_by_default() -> None:
    plan = unknown().plan()
    change = only(plan.changes)
    assert change.password == wanted(ANN).password
    assert change.remember["passwd_update"] is None


def test_adoption_may_keep_the_password() -> None:
    change = only(unknown(config=make_config(adopt_mailboxes="keep_password")).plan().changes)
    assert change.password is None
    assert change.remember["digest"] == row(ANN).digest
    assert change.remember["passwd_update"] == STAMP


def test_adoption_may_be_refused() -> None:
    plan = unknown(config=make_config(adopt_mailboxes="refuse"), wants=[wanted(ANN, active=0)]).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.ADOPTION_REFUSED])
    assert (plan.managed, plan.unmanaged) == (0, ())


def test_refusing_adoption_touches_nothing_that_is_ours_already() -> None:
    config = make_config(adopt_mailboxes="refuse")
    assert unknown(config=config, has=[existing(ANN)]).plan().findings == ()
    assert unknown(config=config, rows=[row(ANN)]).plan().findings == ()


def test_an_inactive_mailbox_is_adopted_but_not_activated() -> None:
    plan = unknown(has=[existing(ANN, tags=(), active=0)], wants=[wanted(ANN, active=1)]).plan()
    assert kinds(plan.changes) == [(Kind.ADOPT, ANN)]
    assert codes(plan) == [Code.DISABLED_BY_HAND]
    assert only(plan.changes).rebuilds == 1


def test_everything_else_in_mailcow_is_left_alone_and_counted() -> None:
    plan = quiet([ANN], has=[existing(ANN), existing(CAT, tags=()), existing(BOB, tags=("staff",))]).plan()
    assert (plan.changes, plan.pending, plan.notes) == ((), (), ())
    assert plan.unmanaged == (BOB, CAT)


def test_a_lost_state_file_loses_nothing_where_the_mark_is() -> None:
    scene = quiet([ANN, BOB], rows=[], sources={}, config=make_config(adopt_mailboxes="keep_password"))
    plan = scene.plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["origin"] is Origin.MARK
    view = simulate(plan, scene.view())
    assert view.memory.mailboxes[BOB] == row(BOB, origin=Origin.MARK)


def test_a_lost_state_file_with_overwrite_writes_the_passwords_once_more() -> None:
    scene = quiet([ANN], rows=[], sources={})
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN)]
    assert make_plan(simulate(plan, scene.view())).changes == ()


def test_a_mark_that_somebody_took_away_is_put_back() -> None:
    change = only(quiet([ANN], has=[existing(ANN, tags=())]).plan().changes)
    assert (change.kind, change.why, change.add_tags) == (Kind.UPDATE, Why.MAILCOW, (MARK,))
    assert change.password is None


# identity


def test_an_entry_that_moved_changes_nothing_but_what_is_remembered() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, dn="uid=ann,ou=elsewhere,dc=example,dc=org")]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["dn"] == "uid=ann,ou=elsewhere,dc=example,dc=org"


def renamed(**more: object) -> Scene:
    """A scene in which Ann's entry has another address than before."""
    mailbox = wanted(BOB, id=id_of(ANN), dn=dn_of(ANN), name="Ann Other")
    return quiet([ANN], **{"wants": [mailbox], "rows": [row(ANN, missed=9, missing_since=NOW)], **more})


def test_a_changed_address_is_told_and_neither_mailbox_is_touched() -> None:
    plan = renamed().plan()
    assert (plan.changes, plan.pending, codes(plan)) == ((), (), [Code.RENAMED])
    assert ANN in plan.findings[0].sentence
    assert BOB in plan.findings[0].sentence


def test_a_changed_address_touches_no_mailbox_that_has_it() -> None:
    plan = renamed(has=[existing(ANN), existing(BOB, tags=())]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])


def test_a_changed_address_of_a_row_without_an_id_is_known_by_its_dn() -> None:
    plan = renamed(rows=[row(ANN, id=None, dn=dn_of(ANN).upper())]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])


def test_once_the_mailbox_was_renamed_in_mailcow_the_entry_follows_it() -> None:
    scene = renamed(has=[existing(BOB, name="Ann")])
    plan = scene.plan()
    assert codes(plan) == []
    assert kinds(plan.changes) == [(Kind.UPDATE, BOB)]
    view = simulate(plan, scene.view())
    assert set(view.memory.mailboxes) == {BOB}
    assert make_plan(view).changes == ()


def test_a_mailbox_in_a_domain_that_was_not_read_is_not_thought_gone() -> None:
    elsewhere = Address("ann@elsewhere.org")
    plan = renamed(has=[], rows=[row(elsewhere, id=id_of(ANN), dn=dn_of(ANN))]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.RENAMED])


def test_two_entries_that_swap_their_addresses_are_both_told() -> None:
    wants = [wanted(ANN, id=id_of(BOB), dn=dn_of(BOB)), wanted(BOB, id=id_of(ANN), dn=dn_of(ANN))]
    plan = quiet([ANN, BOB], wants=wants).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.RENAMED, Code.RENAMED])


def recreated(**more: object) -> Scene:
    """A scene in which Ann's entry is a new one with the old address."""
    return quiet([ANN], **{"wants": [wanted(ANN, id="id-new", name="Ann Other")], **more})


@pytest.mark.parametrize("gone_for", [None, timedelta(0), timedelta(minutes=30)])
def test_a_new_entry_takes_the_mailbox_over_within_the_grace(gone_for: timedelta | None) -> None:
    since = None if gone_for is None else NOW - gone_for
    plan = recreated(rows=[row(ANN, missing_since=since)]).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN)]
    assert remembered(plan, ANN)["id"] == "id-new"
    assert remembered(plan, ANN)["missing_since"] is None


def test_a_new_entry_after_the_grace_gets_nothing_of_the_old_mailbox() -> None:
    since = NOW - timedelta(minutes=30, seconds=1)
    plan = recreated(
        rows=[row(ANN, missing_since=since, missed=1)], config=make_config(limits={"removals": "1"})
    ).plan()
    assert codes(plan) == [Code.ADDRESS_REUSED]
    assert kinds(plan.changes) == [(Kind.DISABLE, ANN)]
    assert remembered(plan, ANN)["id"] == id_of(ANN)


def test_an_address_whose_holder_is_still_in_the_directory_is_not_given_away() -> None:
    plan = recreated(desired={"ids": frozenset({"id-new", id_of(ANN)})}).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.ADDRESS_REUSED])
    assert dn_of(ANN) in plan.findings[0].sentence


def test_an_address_whose_mailbox_is_gone_from_mailcow_is_free() -> None:
    """There is nothing of the holder's left to protect."""
    scene = recreated(has=[], rows=[row(ANN, missing_since=NOW - timedelta(days=9), missed=3)])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, ANN)]
    assert simulate(scene.plan(), scene.view()).memory.mailboxes[ANN].id == "id-new"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"doubts": (CUT_SHORT,)}, id="a doubtful answer"),
        pytest.param({"options": Options(overridden_filter=True)}, id="another filter"),
    ],
)
def test_a_holder_who_may_only_be_unseen_keeps_the_address(more: dict[str, object]) -> None:
    """Else a cut short answer would write somebody else's password into the mailbox."""
    plan = recreated(**more).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert Code.ADDRESS_REUSED in codes(plan)


def test_only_sees_the_whole_answer_and_so_that_the_holder_is_gone() -> None:
    plan = recreated(options=Options(only=frozenset({ANN}))).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN)]


def test_a_holder_from_another_directory_keeps_the_address() -> None:
    branch = {"name": "branch", "uri": "ldaps://branch.example.org", "user_search_base": "dc=branch"}
    own = {"name": "default", "uri": "ldaps://ldap.example.org", "user_search_base": "dc=example,dc=org"}
    plan = recreated(config=make_config(ldap=[own, branch]), rows=[row(ANN, source="branch")]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED])


@pytest.mark.parametrize("dn", [dn_of(ANN).upper(), "uid=ann,ou=old,dc=example,dc=org", ""])
def test_a_row_without_an_id_is_taken_over_by_the_entry_with_its_dn_or_its_address(dn: str) -> None:
    """The ancestor's rows have a DN, the ones that the mark makes not even that."""
    plan = quiet([ANN], rows=[row(ANN, id=None, dn=dn, origin=Origin.ANCESTOR)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["id"] == id_of(ANN)
    assert remembered(plan, ANN)["dn"] == dn_of(ANN)
    assert "origin" not in remembered(plan, ANN)


def test_a_row_without_an_id_whose_entry_has_another_address_now_is_nobody_else_s() -> None:
    wants = [wanted(CAT, dn=dn_of(ANN)), wanted(ANN, id="id-new", dn="uid=new")]
    plan = quiet([ANN], wants=wants, rows=[row(ANN, id=None)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED, Code.RENAMED])


# attributes


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "Ann Other"), ("quota", 200), ("tls_enforce_in", 1), ("tls_enforce_out", 1)],
)
def test_an_attribute_that_differs_is_updated(key: str, value: str | int) -> None:
    mailbox = replace(wanted(ANN), attributes={"authsource": "mailcow", "name": "Ann", key: value})
    scene = quiet([ANN], wants=[mailbox])
    change = only(scene.plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, Why.LDAP)
    assert change.writes == {key: value}
    assert change.fields == (FieldChange(key, existing(ANN).attributes[key], value),)
    assert change.rebuilds == 0
    assert change.remember["applied"] == mailbox.attributes
    assert make_plan(simulate(scene.plan(), scene.view())).changes == ()


def test_an_attribute_that_is_not_managed_is_left_as_it_is() -> None:
    has = [existing(ANN, name="By hand", quota=7, tls_enforce_in=1, tls_enforce_out=1)]
    assert quiet([ANN], wants=[wanted(ANN, name=None)], has=has).plan().changes == ()


def test_a_value_that_somebody_changed_in_mailcow_is_put_back_and_called_so() -> None:
    change = only(quiet([ANN], has=[existing(ANN, name="By hand")]).plan().changes)
    assert (change.why, change.writes) == (Why.MAILCOW, {"name": "Ann"})


def test_a_value_that_became_managed_is_remembered_though_nothing_is_written() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, quota=100)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["applied"] == {"authsource": "mailcow", "name": "Ann", "quota": 100}


def test_editing_an_inactive_mailbox_rebuilds_the_address_book() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, name="A")], has=[existing(ANN, active=0)]).plan().changes)
    assert change.rebuilds == 1


def test_edits_send_back_the_mark_of_a_template() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, name="A", active=0)], has=[existing(ANN, template="abc")])
    assert [change.attribute_hash for change in scene.plan().changes] == ["abc", "abc"]
    assert simulate(scene.plan(), scene.view()).actual.mailboxes[ANN].attribute_hash == "abc"


# authsource


LDAP = make_config(mapping={"authsource": "ldap"})


def test_a_mailbox_moves_to_the_directory_s_own_logins() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, authsource="ldap", password=None, present={"firstname", "lastname", "password"})],
        config=LDAP,
        actual={"provider": "ldap"},
    )
    change = only(scene.plan().changes)
    assert (change.writes, change.password) == ({"authsource": "ldap"}, None)
    view = simulate(scene.plan(), scene.view())
    assert view.actual.mailboxes[ANN].attributes["authsource"] == "ldap"
    assert make_plan(view).changes == ()


@pytest.mark.parametrize(("provider", "told"), [("mailcow", "not set up"), ("keycloak", "keycloak")])
def test_a_provider_that_is_not_set_up_is_told_and_not_tried(provider: str, told: str) -> None:
    """mailcow ignores it on an edit, and takes its own passwords for a new mailbox."""
    plan = quiet(
        [ANN],
        wants=[wanted(ANN, authsource="ldap", password=None), wanted(BOB, authsource="ldap", password=None)],
        config=LDAP,
        actual={"provider": provider},
    ).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.PROVIDER_NOT_SET_UP])  # one cause, said once
    assert told in plan.findings[0].sentence


def test_a_new_mailbox_of_a_provider_needs_no_password() -> None:
    scene = Scene(
        wants=[wanted(ANN, authsource="ldap", password=None)],
        config=LDAP,
        actual={"provider": "ldap"},
    )
    change = only(scene.plan().changes)
    assert (change.password, change.remember["digest"]) == (None, None)
    assert make_plan(simulate(scene.plan(), scene.view())).changes == ()


def test_a_mailbox_comes_back_to_mailcow_s_own_passwords_with_one() -> None:
    scene = quiet([ANN], has=[existing(ANN, authsource="ldap")], rows=[row(ANN, digest=None)])
    change = only(scene.plan().changes)
    assert (change.writes, change.password) == ({"authsource": "mailcow"}, wanted(ANN).password)
    view = simulate(scene.plan(), scene.view())
    assert view.actual.mailboxes[ANN].attributes["authsource"] == "mailcow"
    assert view.actual.mailboxes[ANN].passwd_update != STAMP
    assert make_plan(view).changes == ()


def test_a_mailbox_without_a_password_stays_with_its_provider() -> None:
    plan = quiet(
        [ANN],
        wants=[wanted(ANN, password=None)],
        has=[existing(ANN, authsource="ldap")],
        rows=[row(ANN, digest=None)],
    ).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_PASSWORD])


# status


def test_an_inactive_entry_disables_its_mailbox() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)]).plan()
    change = only(plan.changes)
    assert (change.kind, change.why, change.writes) == (Kind.DISABLE, Why.STATUS, {"active": 0})
    assert change.add_tags == (DISABLED_TAG,)
    assert change.remember["disabled"] is Cause.STATUS


def test_attributes_and_status_are_two_changes_in_two_steps() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0, name="A")]).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.DISABLE, ANN)]
    assert plan.changes[0].writes == {"name": "A"}


def test_an_inactive_entry_of_an_inactive_mailbox_has_what_it_wants() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)], has=[existing(ANN, active=0)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])
    assert "disabled" not in remembered(plan, ANN)


@pytest.mark.parametrize("ours", ["state file", "tag"])
def test_an_active_entry_enables_what_we_disabled(ours: str) -> None:
    tags = (MARK, DISABLED_TAG) if ours == "tag" else (MARK,)
    cause = Cause.STATUS if ours == "state file" else None
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=1)],
        has=[existing(ANN, active=0, tags=tags)],
        rows=[row(ANN, disabled=cause)],
    )
    change = only(scene.plan().changes)
    assert (change.kind, change.why, change.writes) == (Kind.ENABLE, Why.STATUS_BACK, {"active": 1})
    assert change.remember["disabled"] is None
    assert change.rebuilds == 0
    view = simulate(scene.plan(), scene.view())
    assert view.actual.mailboxes[ANN].tags == {MARK}
    assert make_plan(view).changes == ()


def test_an_entry_that_is_back_enables_what_we_disabled_also_without_a_status() -> None:
    plan = quiet([ANN], has=[existing(ANN, active=0)], rows=[row(ANN, disabled=Cause.MISSING)]).plan()
    assert only(plan.changes).why is Why.BACK


def test_a_status_that_vanished_is_not_an_active_one() -> None:
    """A lost right to read the attribute would let everybody log in again whom the directory had locked."""
    plan = quiet([ANN], has=[existing(ANN, active=0)], rows=[row(ANN, disabled=Cause.STATUS)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])


@pytest.mark.parametrize(("active", "told"), [(0, "set inactive"), (2, "barred from logging in")])
def test_what_somebody_disabled_by_hand_stays_so_and_is_told(active: int, told: str) -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=1)], has=[existing(ANN, active=active)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DISABLED_BY_HAND])
    assert told in plan.findings[0].sentence


@pytest.mark.parametrize("active", [0, 2])
def test_a_status_that_is_not_managed_is_nobody_s_business(active: int) -> None:
    plan = quiet([ANN], has=[existing(ANN, active=active)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_an_inactive_entry_disables_also_who_was_only_barred_from_logging_in() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, active=0)], has=[existing(ANN, active=2)]).plan()
    assert only(plan.changes).fields == (FieldChange("active", 2, 0),)


@pytest.mark.parametrize("active", [1, None])
def test_what_somebody_activated_by_hand_loses_the_tag_and_the_memory_of_our_doing(active: int | None) -> None:
    """Left there, they would claim the next inactive state, which may be a person's, too."""
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=active)],
        has=[existing(ANN, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.MISSING)],
    )
    change = only(scene.plan().changes)
    assert (change.kind, change.why, change.remove_tags) == (Kind.UPDATE, Why.MAILCOW, (DISABLED_TAG,))
    assert change.remember["disabled"] is None
    assert make_plan(simulate(scene.plan(), scene.view())).changes == ()


def test_the_memory_of_our_doing_goes_without_a_tag_too() -> None:
    plan = quiet([ANN], rows=[row(ANN, disabled=Cause.MISSING)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["disabled"] is None


def test_a_stale_tag_can_be_removed_though_edits_are_refused() -> None:
    plan = quiet([ANN], has=[existing(ANN, tags=(MARK, DISABLED_TAG))], limits={"max_quota": 50}).plan()
    assert only(plan.changes).remove_tags == (DISABLED_TAG,)


def test_a_lost_state_file_leaves_whose_status_is_no_longer_told_inactive() -> None:
    """Only the tag is left: it may have been the status, and a lost right to read it mustn't let everybody in."""
    scene = quiet(
        [ANN],
        has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))],
        rows=[],
        config=make_config(mapping={"active": "mailActive"}),
    )
    assert Kind.ENABLE not in {change.kind for change in scene.plan().changes}


def test_a_lost_state_file_enables_who_is_back_where_no_status_is_mapped() -> None:
    scene = quiet([ANN], has=[existing(ANN, active=0, tags=(MARK, DISABLED_TAG))], rows=[])
    assert Kind.ENABLE in {change.kind for change in scene.plan().changes}


def test_who_was_barred_from_logging_in_by_hand_is_no_longer_our_doing() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=1)],
        has=[existing(ANN, active=2, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.STATUS)],
    )
    change = only(scene.plan().changes)
    assert (change.remove_tags, change.remember["disabled"]) == ((DISABLED_TAG,), None)
    assert codes(scene.plan()) == [Code.DISABLED_BY_HAND]


def test_what_was_activated_by_hand_against_the_directory_is_disabled_again() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, active=0)],
        has=[existing(ANN, tags=(MARK, DISABLED_TAG))],
        rows=[row(ANN, disabled=Cause.STATUS)],
    )
    assert kinds(scene.plan().changes) == [(Kind.DISABLE, ANN)]
    assert only(scene.plan().changes).add_tags == ()


def test_where_all_agree_nothing_is_done_and_nothing_is_said() -> None:
    plan = quiet([ANN, BOB, CAT]).plan()
    assert (plan.changes, plan.notes, plan.findings, plan.pending) == AGREES
