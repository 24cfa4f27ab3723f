"""Mailboxes that are there and wanted: adopted or ours, brought to what the directory says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import Code, Existing, FieldChange, Kind, Origin, Remembered, Rule
from ldap2mailcow.plan import Options

from .builders import (
    ANN,
    BOB,
    CAT,
    MARK,
    NAMED,
    STAMP,
    Scene,
    codes,
    existing,
    kinds,
    make_config,
    make_plan,
    of_mailboxes,
    only,
    patch_of,
    people,
    quiet,
    remembered,
    row,
    seal,
    wanted,
)
from .simulated import simulate

# adoption and ownership


def unknown(**more: object) -> Scene:
    """A scene in which Ann's mailbox was in mailcow before we were."""
    return quiet([ANN], **{"rows": [], "has": [existing(ANN, tags=("staff",))], **more})


def test_a_mailbox_of_the_directory_that_is_not_ours_is_adopted() -> None:
    change = only(unknown(wants=[wanted(ANN, name="Ann Other")]).plan().changes)
    assert (change.kind, change.why) == (Kind.ADOPT, Rule.ADOPTED)
    assert change.add_tags == (MARK,)
    assert patch_of(change)["origin"] is Origin.ADOPTED
    assert change.fields == (FieldChange("name", "Ann", "Ann Other"),)


def test_adoption_overwrites_the_password_by_default() -> None:
    plan = unknown().plan()
    change = only(plan.changes)
    assert change.password == wanted(ANN).password
    assert patch_of(change)["passwd_update"] is None


def test_adoption_may_keep_the_password() -> None:
    change = only(unknown(config=make_config(adopt_mailboxes="keep_password")).plan().changes)
    assert change.password is None
    assert patch_of(change)["digest"] == row(ANN).digest
    assert patch_of(change)["passwd_update"] == STAMP


def test_adoption_may_be_refused() -> None:
    plan = unknown(config=make_config(adopt_mailboxes="refuse"), wants=[wanted(ANN, active=0)]).plan()
    assert (plan.changes, plan.notes) == ((), ())
    assert [(one.code, one.where) for one in plan.findings] == [(Code.ADOPTION_REFUSED, ANN)]
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
    view = simulate(plan, scene.case())
    assert view.memory.mailboxes[BOB] == row(BOB, origin=Origin.MARK, kept=True)


def test_a_lost_state_file_with_overwrite_writes_the_passwords_once_more() -> None:
    scene = quiet([ANN], rows=[], sources={})
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN)]
    assert make_plan(simulate(plan, scene.case())).changes == ()


def test_a_mark_that_somebody_took_away_is_put_back() -> None:
    change = only(quiet([ANN], has=[existing(ANN, tags=())]).plan().changes)
    assert (change.kind, change.why, change.add_tags) == (Kind.UPDATE, Rule.MAILCOW, (MARK,))
    assert change.password is None


# attributes


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "Ann Other"), ("quota", 200), ("tls_enforce_in", 1), ("tls_enforce_out", 1)],
)
def test_an_attribute_that_differs_is_updated(key: str, value: str | int) -> None:
    mailbox = replace(wanted(ANN), attributes={"name": "Ann", key: value})
    scene = quiet([ANN], wants=[mailbox])
    change = only(scene.plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, Rule.LDAP)
    assert change.writes == {key: value}
    assert change.fields == (FieldChange(key, existing(ANN).attributes[key], value),)
    assert change.rebuilds == 0
    assert patch_of(change)["applied"] == mailbox.attributes
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


def test_an_attribute_that_is_not_managed_is_left_as_it_is() -> None:
    has = [existing(ANN, name="By hand", quota=7, tls_enforce_in=1, tls_enforce_out=1)]
    assert quiet([ANN], wants=[wanted(ANN, name=None)], has=has).plan().changes == ()


def test_a_value_that_somebody_changed_in_mailcow_is_put_back_and_called_so() -> None:
    change = only(quiet([ANN], has=[existing(ANN, name="By hand")]).plan().changes)
    assert (change.why, change.writes) == (Rule.MAILCOW, {"name": "Ann"})


def test_a_value_that_became_managed_is_remembered_though_nothing_is_written() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, quota=100)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["applied"] == {"name": "Ann", "quota": 100}


def test_editing_an_inactive_mailbox_rebuilds_the_address_book() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, name="A")], has=[existing(ANN, active=0)]).plan().changes)
    assert change.rebuilds == 1


def test_edits_send_back_the_mark_of_a_template() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, name="A", active=0)], has=[existing(ANN, template="abc")])
    assert [change.attribute_hash for change in of_mailboxes(scene.plan().changes)] == ["abc", "abc"]
    assert simulate(scene.plan(), scene.case()).actual.mailboxes[ANN].attribute_hash == "abc"


# the room of a domain


def test_a_quota_may_grow_to_all_that_is_left() -> None:
    scene = quiet([ANN, BOB], wants=[wanted(ANN, quota=900), wanted(BOB)], limits={"max_quota": 1000})
    assert only(scene.plan().changes).writes == {"quota": 900}
    simulate(scene.plan(), scene.case())


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
    simulate(plan, scene.case())


def test_a_lower_quota_that_is_still_too_large_stays() -> None:
    plan = quiet([ANN, BOB], wants=[wanted(ANN, quota=60), wanted(BOB)], limits=OVERFULL).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])


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
    view = simulate(scene.plan(), scene.case())
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


def test_a_mailbox_comes_back_to_mailcow_s_own_passwords_with_one() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, authsource="mailcow")],
        has=[existing(ANN, authsource="ldap")],
        rows=[row(ANN, digest=None)],
    )
    change = only(scene.plan().changes)
    assert (change.writes, change.password) == ({"authsource": "mailcow"}, wanted(ANN).password)
    view = simulate(scene.plan(), scene.case())
    assert view.actual.mailboxes[ANN].attributes["authsource"] == "mailcow"
    assert view.actual.mailboxes[ANN].passwd_update != STAMP
    assert make_plan(view).changes == ()


def test_a_mailbox_without_a_password_stays_with_its_provider() -> None:
    plan = quiet(
        [ANN],
        wants=[wanted(ANN, authsource="mailcow", password=None)],
        has=[existing(ANN, authsource="ldap")],
        rows=[row(ANN, digest=None)],
    ).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_PASSWORD])


def test_a_login_that_the_config_says_nothing_about_is_left_as_it_is() -> None:
    plan = quiet([ANN], has=[existing(ANN, authsource="ldap")], wants=[wanted(ANN, name="A")]).plan()
    assert only(plan.changes).writes == {"name": "A"}


def moving(to: str, **more: object) -> Scene:
    """A scene in which Ann shall log in elsewhere than now."""
    password = {"password": None} if to == "ldap" else {}
    fields = {
        "wants": [wanted(ANN, authsource=to, **password, name="A")],
        "has": [existing(ANN, authsource="ldap" if to == "mailcow" else "mailcow", template="abc")],
        "config": make_config(mapping={"authsource": to, "password": ""}),
        "actual": {"provider": "ldap"},
    }
    return quiet([ANN], **{**fields, **more})


@pytest.mark.parametrize("to", ["ldap", "mailcow"])
def test_another_login_is_a_change_of_its_own_after_the_others(to: str) -> None:
    scene = moving(to)
    update, switch = of_mailboxes(scene.plan().changes)
    assert (update.kind, update.writes, update.password) == (Kind.UPDATE, {"name": "A"}, None)
    assert (switch.kind, switch.why, switch.writes) == (Kind.SWITCH, Rule.LDAP, {"authsource": to})
    assert switch.password == (wanted(ANN).password if to == "mailcow" else None)
    assert switch.attribute_hash == "abc"
    assert patch_of(switch)["applied"] == {"authsource": to, "name": "A"}
    view = simulate(scene.plan(), scene.case())
    assert view.actual.mailboxes[ANN].attributes["authsource"] == to
    assert make_plan(view).changes == ()


def test_a_password_that_came_with_the_login_is_kept_no_more() -> None:
    scene = moving("mailcow", rows=[row(ANN, digest=seal(SecretStr("{CRYPT}$6$old")), kept=True, passwd_update=None)])
    switch = scene.plan().changes[-1]
    assert patch_of(switch)["kept"] is False
    assert patch_of(switch)["passwd_update"] is None
    assert patch_of(switch)["digest"] == row(ANN).digest


def test_going_to_a_provider_leaves_what_is_remembered_of_the_password() -> None:
    switch = moving("ldap").plan().changes[-1]
    assert not {"digest", "kept", "passwd_update"} & patch_of(switch).keys()


@pytest.mark.parametrize(("active", "rebuilds"), [(1, 0), (0, 1), (2, 1)])
def test_another_login_of_an_inactive_mailbox_rebuilds_the_address_book(active: int, rebuilds: int) -> None:
    switch = moving("ldap", has=[existing(ANN, active=active)]).plan().changes[-1]
    assert (switch.kind, switch.rebuilds) == (Kind.SWITCH, rebuilds)


@pytest.mark.parametrize(
    ("rows", "has"),
    [
        pytest.param([], existing(ANN, tags=(), authsource="ldap"), id="new to us"),
        pytest.param([row(ANN, kept=True)], existing(ANN, authsource="ldap"), id="kept"),
        pytest.param([row(ANN, digest=None)], existing(ANN, authsource="ldap"), id="no password was ever seen"),
    ],
)
def test_keep_password_keeps_who_logs_in_elsewhere_there(rows: list[Remembered], has: Existing) -> None:
    config = make_config(mapping={"authsource": "mailcow"}, adopt_mailboxes="keep_password")
    scene = moving("mailcow", rows=rows, has=[has], config=config)
    plan = scene.plan()
    assert Kind.SWITCH not in {change.kind for change in plan.changes}
    assert not [change for change in of_mailboxes(plan.changes) if change.password]
    assert codes(plan) == []
    assert make_plan(simulate(plan, scene.case())).changes == ()
    overwriting = replace(scene, config=make_config(mapping={"authsource": "mailcow"}))
    assert overwriting.plan().changes[-1].kind is Kind.SWITCH


def test_no_password_is_written_while_another_provider_checks_it() -> None:
    mailbox = wanted(ANN, password="{CRYPT}$6$new")
    for options in (Options(), Options(reassert=True)):
        plan = quiet([ANN], wants=[mailbox], has=[existing(ANN, authsource="ldap")], options=options).plan()
        assert (plan.changes, codes(plan)) == ((), [])


def test_a_switch_that_mailcow_refuses_is_told_and_not_tried() -> None:
    plan = moving(
        "ldap", wants=[wanted(ANN, authsource="ldap", password=None)], limits={"max_mailbox_quota": 50}
    ).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_QUOTA])


# what vanished


@pytest.mark.parametrize(
    ("mapping", "key"),
    [({}, "firstname"), ({}, "lastname"), ({"name": "displayName"}, "name")],
)
def test_a_name_is_not_changed_when_a_part_of_it_vanished_from_most_entries(mapping: dict[str, str], key: str) -> None:
    """Half a name is a lost right to read, and not another name."""
    everybody = people(5)
    had = NAMED | {"name", "password"}
    scene = quiet(
        everybody,
        wants=[
            wanted(address, name="Half", quota=200, present=had - {key} if number < 3 else had)
            for number, address in enumerate(everybody)
        ],
        rows=[row(address, present=had) for address in everybody],
        config=make_config(mapping={"quota": "mailQuota", **mapping}),
    )
    plan = scene.plan()
    assert codes(plan) == [Code.ATTRIBUTE_VANISHED]
    assert [change.writes for change in of_mailboxes(plan.changes)] == [{"quota": 200}] * 5
    whole = replace(scene, wants=[replace(mailbox, present=had) for mailbox in scene.wants])
    assert {"name": "Half", "quota": 200} in [change.writes for change in of_mailboxes(whole.plan().changes)]
