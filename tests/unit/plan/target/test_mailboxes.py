"""The mailbox of a user: made, adopted, brought to what the entry says, or left as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from ldap2mailcow.desired import User
from ldap2mailcow.model import (
    Address,
    Code,
    Existing,
    ExistingAlias,
    FieldChange,
    Kind,
    MailboxChange,
    Origin,
    Remembered,
    RememberedAlias,
    Rule,
    Subject,
)
from ldap2mailcow.plan import Begun, Guarded, Options, Plan, needs_intent
from tests.unit.plan.builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    INFO,
    MARK,
    NAMED,
    NOW,
    PASSWORD,
    STAMP,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    dn_of,
    existing,
    id_of,
    kinds,
    make_config,
    of_mailboxes,
    only,
    patch_of,
    people,
    quiet,
    remembered,
    row,
    seal,
    settled,
    wanted,
    wish,
)

PARIS = make_config(mark="paris")


def rule_of(plan: Plan, address: Address = ANN) -> Rule:
    return plan.rules[Subject.MAILBOX, address]


def test_where_all_agree_nothing_is_done_and_nothing_is_said() -> None:
    plan = quiet([ANN, BOB, CAT]).plan()
    assert (plan.changes, plan.notes, plan.findings, plan.pending) == ((), (), (), ())


# new ones


def test_a_new_entry_gets_a_mailbox() -> None:
    change = only(Scene(wants=[wanted(ANN, quota=500, tls_enforce_in=1)]).plan().changes)
    assert (change.kind, change.address, change.why, change.dn) == (Kind.CREATE, ANN, Rule.NEW, dn_of(ANN))
    assert change.writes == {"authsource": "mailcow", "name": "Ann", "quota": 500, "tls_enforce_in": 1, "active": 1}
    assert (change.password, change.add_tags, change.rebuilds) == (SecretStr(PASSWORD), (MARK,), 0)
    assert FieldChange("quota", None, 500) in change.fields


def test_a_new_mailbox_without_a_quota_gets_the_domain_s_default_which_is_not_managed() -> None:
    """add/mailbox itself would take 0, which is unlimited."""
    change = only(Scene(wants=[wanted(ANN)]).plan().changes)
    assert (change.writes["quota"], patch_of(change)["applied"]) == (300, {"name": "Ann"})


def test_a_new_mailbox_is_remembered_whole() -> None:
    user = wanted(ANN)
    assert only(Scene(wants=[user]).plan().changes).remember == {
        "source": "default",
        "id": id_of(ANN),
        "dn": dn_of(ANN),
        "origin": Origin.CREATED,
        "applied": user.attributes,
        "digest": seal(SecretStr(PASSWORD)),
        "passwd_update": None,
        "kept": False,
        "was_active": 1,
        "barred": 0,
        "disabled": None,
        "senders": frozenset(),
        "foreign_senders": frozenset(),
        "missing_since": None,
        "missed": 0,
        "last_missed": None,
        "last_seen": None,
        "retired_since": None,
        "present": user.present,
    }


def test_a_mailbox_that_was_deleted_in_mailcow_by_hand_is_made_again() -> None:
    """Nothing is left of what was kept in the old one, or of what it was set to by hand."""
    plan = quiet([ANN], has=[], rows=[row(ANN, missed=2, kept=True, was_active=2)]).plan()
    change = only(plan.changes)
    assert (change.kind, plan.notes) == (Kind.CREATE, ())
    assert {"kept": False, "was_active": 1, "missed": 0}.items() <= patch_of(change).items()


def test_a_mark_of_another_form_has_its_signature_beside_it() -> None:
    change = only(Scene(wants=[wanted(ANN)], config=PARIS).plan().changes)
    assert change.add_tags == ("paris", "ldap-sync:paris")


# that are not made


def test_the_mailbox_of_an_inactive_entry_is_not_made_until_it_is_active() -> None:
    plan = Scene(wants=[wanted(ANN, active=0), wanted(BOB, active=1)], limits={"max_mailboxes": 1}).plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.CREATE, BOB)], [Code.INACTIVE_NEW])
    assert (rule_of(plan), plan.findings[0].level.value) == (Rule.INACTIVE, "info")


@pytest.mark.parametrize(
    ("there", "known", "remedy"),
    [
        pytest.param(alias(BOB, ANN, mark=""), [], "delete that alias in mailcow", id="by hand"),
        pytest.param(alias(BOB, ANN, mark="ldap-sync:released"), [], "delete that alias in mailcow", id="released"),
        pytest.param(
            alias(BOB, ANN, mark="ldap-sync-berlin"), [], "is the mark of another installation", id="another's"
        ),
        pytest.param(
            alias(BOB, ANN),
            [alias_row(wish(BOB, ANN), owner="id of one who is gone")],
            "goes once its entry has been gone for as long",
            id="ours",
        ),
    ],
)
def test_a_mailbox_is_not_made_where_an_alias_stays(
    there: ExistingAlias, known: list[RememberedAlias], remedy: str
) -> None:
    plan = settled([ANN], wants=[wanted(ANN), wanted(BOB)], aliases=[there], alias_rows=known).plan()
    assert (plan.changes, codes(plan), rule_of(plan, BOB)) == ((), [Code.ADDRESS_IS_ALIAS], Rule.ALIAS_THERE)
    assert remedy in plan.findings[0].sentence


def test_a_mailbox_is_made_where_an_alias_goes_in_the_same_run() -> None:
    no_more = wish(BOB, ANN)
    plan = settled([ANN], wants=[wanted(ANN), wanted(BOB)], aliases=[alias(BOB, ANN)], alias_rows=[alias_row(no_more)])
    assert kinds(plan.plan().changes) == [(Kind.REMOVE, BOB), (Kind.CREATE, BOB)]


def test_a_mailbox_is_not_made_where_another_entry_keeps_its_alias() -> None:
    of_ann = wish(INFO, ANN)
    plan = settled([ANN], [of_ann], wants=[wanted(ANN), wanted(INFO)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_IS_ALIAS])
    assert f"{dn_of(ANN)} keeps it until" in plan.findings[0].sentence


def test_no_mailbox_is_made_where_half_of_one_is_deleted_first() -> None:
    plan = Scene(wants=[wanted(ANN)], begun=Begun(halves=frozenset({ANN}))).plan()
    assert (kinds(plan.changes), rule_of(plan)) == ([(Kind.DELETE, ANN)], Rule.UNFINISHED)


def test_no_mailbox_is_made_where_mailboxes_come_from_elsewhere() -> None:
    plan = Scene(wants=[wanted(ANN)], config=make_config(create_mailboxes=False)).plan()
    assert (plan.changes, plan.findings, rule_of(plan)) == ((), (), Rule.ELSEWHERE)


@pytest.mark.parametrize(("there", "found"), [([], Rule.PROTECTED), ([existing(ANN)], Rule.PROTECTED)])
def test_a_protected_address_is_not_touched_and_told_by_itself(there: list[Existing], found: Rule) -> None:
    config = make_config(protected=["Ann@Example.org"])
    plan = Scene(wants=[wanted(ANN, name="Annie", active=0)], has=there, config=config).plan()
    assert (plan.changes, plan.notes, rule_of(plan)) == ((), (), found)
    assert [(one.code, one.where) for one in plan.findings] == [(Code.PROTECTED, ANN)]


def test_a_run_for_some_addresses_touches_no_other_mailbox() -> None:
    wants = [wanted(one, name="New") for one in (ANN, BOB, CAT)]
    plan = quiet([ANN, BOB], wants=wants, options=Options(only=frozenset({BOB}))).plan()
    assert (kinds(plan.changes), rule_of(plan)) == ([(Kind.UPDATE, BOB)], Rule.OUT_OF_SCOPE)


# adopted ones


def by_hand(**more: Any) -> Scene:  # noqa: ANN401
    """A scene in which Ann's mailbox was in mailcow before we were, and no run was accepted yet."""
    return quiet([ANN], **{"rows": [], "has": [existing(ANN, tags=("staff",))], "sources": {}, **more})


def test_a_mailbox_of_the_directory_that_is_not_ours_is_adopted() -> None:
    change = only(by_hand(wants=[wanted(ANN, name="Ann Other")]).plan().changes)
    assert (change.kind, change.why, change.dn, change.add_tags) == (Kind.ADOPT, Rule.ADOPTED, dn_of(ANN), (MARK,))
    assert change.fields == (FieldChange("name", "Ann", "Ann Other"),)
    assert {"origin": Origin.ADOPTED, "id": id_of(ANN), "disabled": None}.items() <= patch_of(change).items()


@pytest.mark.parametrize(
    ("policy", "password", "patch"),
    [
        ("overwrite", SecretStr(PASSWORD), {"passwd_update": None, "kept": False}),
        ("keep_password", None, {"passwd_update": STAMP, "kept": True}),
    ],
)
def test_adoption_overwrites_or_keeps_the_password(
    policy: str, password: SecretStr | None, patch: dict[str, object]
) -> None:
    change = only(by_hand(config=make_config(adopt_mailboxes=policy)).plan().changes)
    assert change.password == password
    assert ({"digest": seal(SecretStr(PASSWORD))} | patch).items() <= patch_of(change).items()


def test_a_refused_adoption_leaves_all_as_it_is_and_is_told_by_the_address() -> None:
    plan = by_hand(config=make_config(adopt_mailboxes="refuse"), wants=[wanted(ANN, active=0)]).plan()
    assert (plan.changes, plan.notes, rule_of(plan)) == ((), (), Rule.ADOPTION_REFUSED)
    assert [(one.code, one.where) for one in plan.findings] == [(Code.ADOPTION_REFUSED, ANN)]
    assert (plan.managed, plan.unmanaged) == (0, ())


def test_refusing_adoption_touches_nothing_that_is_ours_already() -> None:
    config = make_config(adopt_mailboxes="refuse")
    assert by_hand(config=config, has=[existing(ANN)]).plan().findings == ()
    assert by_hand(config=config, rows=[row(ANN)]).plan().findings == ()


def test_after_the_first_accepted_run_an_adoption_waits_for_a_word_of_its_own() -> None:
    """An entry that appears later with the address of a mailbox made by hand may be a namesake's."""
    later = by_hand(wants=[wanted(ANN, active=0)], sources=None)
    others = Options(approved={kind: 9 for kind in Guarded if kind is not Guarded.ADOPT})
    plan = replace(later, options=others).plan()
    assert (plan.changes, rule_of(plan)) == ((), Rule.HELD)
    assert [(one.kind, one.addresses) for one in plan.withheld] == [(Guarded.ADOPT, (ANN,))]
    assert "--approve adopt:1" in plan.withheld[0].sentence
    approved = replace(later, options=Options(approved={Guarded.ADOPT: 1})).plan()
    assert kinds(approved.changes) == [(Kind.ADOPT, ANN), (Kind.DISABLE, ANN)]


def test_the_config_may_let_some_adoptions_through() -> None:
    at = by_hand(sources=None, config=make_config(limits={"adoptions": 1}))
    assert kinds(at.plan().changes) == [(Kind.ADOPT, ANN)]


def test_a_mailbox_that_can_t_be_adopted_now_is_not_remembered_as_ours() -> None:
    plan = by_hand(limits={"max_mailbox_quota": 50}).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.NO_ROOM_FOR_QUOTA])


def test_each_change_of_a_mailbox_that_is_not_remembered_yet_begins_its_row() -> None:
    """The first of them may fail in mailcow."""
    adopt, disable = of_mailboxes(by_hand(wants=[wanted(ANN, active=0)]).plan().changes)
    row_of_it = {"source": "default", "id": id_of(ANN), "dn": dn_of(ANN), "origin": Origin.ADOPTED}
    assert row_of_it.items() <= patch_of(adopt).items() & patch_of(disable).items()
    assert needs_intent(disable)


def test_everything_else_in_mailcow_is_left_alone_and_counted() -> None:
    plan = quiet([ANN], has=[existing(ANN), existing(CAT, tags=()), existing(BOB, tags=("staff",))]).plan()
    assert (plan.changes, plan.pending, plan.notes, plan.unmanaged) == ((), (), (), (BOB, CAT))


# known again by the mark


@pytest.mark.parametrize("tags", [(MARK,), ("paris", "ldap-sync:paris"), ("ldap-sync:paris",)])
def test_a_lost_state_file_loses_nothing_where_the_mark_is(tags: tuple[str, ...]) -> None:
    config = make_config(adopt_mailboxes="refuse", mark=MARK if MARK in tags else "paris")
    plan = quiet([ANN], rows=[], has=[existing(ANN, tags=tags)], config=config).plan()
    known = {"origin": Origin.MARK, "id": id_of(ANN), "present": wanted(ANN).present}
    assert (rule_of(plan), plan.withheld, plan.managed) == (Rule.KNOWN_AGAIN, (), 1)
    assert known.items() <= remembered(plan, ANN).items()


@pytest.mark.parametrize(
    ("tags", "added"),
    [
        ((), ("ldap-sync:paris", "paris")),
        (("paris",), ("ldap-sync:paris",)),
        (("ldap-sync:paris",), ("paris",)),
        (("Paris", "ldap-sync:paris"), ()),
    ],
)
def test_a_mailbox_of_ours_gets_the_tags_that_it_lacks(tags: tuple[str, ...], added: tuple[str, ...]) -> None:
    plan = quiet([ANN], has=[existing(ANN, tags=tags)], config=PARIS).plan()
    found = [(change.kind, change.why, change.password, change.add_tags) for change in of_mailboxes(plan.changes)]
    assert found == [(Kind.UPDATE, Rule.MAILCOW, None, added)] * bool(added)


# values


@pytest.mark.parametrize(
    ("user", "key", "value"),
    [
        (wanted(ANN, name="Ann Other"), "name", "Ann Other"),
        (wanted(ANN, quota=200), "quota", 200),
        (wanted(ANN, tls_enforce_in=1), "tls_enforce_in", 1),
        (wanted(ANN, tls_enforce_out=1), "tls_enforce_out", 1),
    ],
)
def test_an_attribute_that_differs_is_updated(user: User, key: str, value: str | int) -> None:
    change = only(quiet([ANN], wants=[user]).plan().changes)
    assert (change.kind, change.why, change.writes, change.rebuilds) == (Kind.UPDATE, Rule.LDAP, {key: value}, 0)
    assert (change.dn, change.fields) == (dn_of(ANN), (FieldChange(key, existing(ANN).attributes[key], value),))
    assert patch_of(change)["applied"] == user.attributes


def test_an_attribute_that_is_not_managed_is_left_as_it_is() -> None:
    has = [existing(ANN, name="By hand", quota=7, tls_enforce_in=1, tls_enforce_out=1)]
    assert quiet([ANN], wants=[wanted(ANN, name=None)], has=has).plan().changes == ()


def test_a_value_that_was_changed_in_mailcow_is_put_back_and_called_so() -> None:
    change = only(quiet([ANN], has=[existing(ANN, name="By hand")]).plan().changes)
    assert (change.why, change.writes) == (Rule.MAILCOW, {"name": "Ann"})


def test_a_value_that_became_managed_is_remembered_though_nothing_is_written() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, quota=100)]).plan()
    assert (plan.changes, remembered(plan, ANN)["applied"]) == ((), {"name": "Ann", "quota": 100})


def test_editing_an_inactive_mailbox_rebuilds_the_address_book() -> None:
    assert only(quiet([ANN], wants=[wanted(ANN, name="A")], has=[existing(ANN, active=0)]).plan().changes).rebuilds == 1


def test_edits_send_back_the_mark_of_a_template() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, name="A", active=0)], has=[existing(ANN, template="abc")]).plan()
    assert [change.attribute_hash for change in of_mailboxes(plan.changes)] == ["abc", "abc"]


@pytest.mark.parametrize(("mapping", "key"), [({}, "firstname"), ({}, "lastname"), ({"name": "displayName"}, "name")])
def test_a_name_is_not_changed_when_a_part_of_it_vanished_from_most_entries(mapping: dict[str, str], key: str) -> None:
    """Half a name is a lost right to read, and not another name."""
    everybody, had = people(5), NAMED | {"name", "password"}
    plan = quiet(
        everybody,
        wants=[
            wanted(one, name="Half", quota=200, present=had - {key} if number < 3 else had)
            for number, one in enumerate(everybody)
        ],
        rows=[row(one, present=had) for one in everybody],
        config=make_config(mapping={"quota": "mailQuota", **mapping}),
    ).plan()
    assert codes(plan) == [Code.ATTRIBUTE_VANISHED]
    assert [change.writes for change in of_mailboxes(plan.changes)] == [{"quota": 200}] * 5


# quotas


def test_a_quota_may_grow_to_all_that_is_left() -> None:
    plan = quiet([ANN, BOB], wants=[wanted(ANN, quota=900), wanted(BOB)], limits={"max_quota": 1000}).plan()
    assert only(plan.changes).writes == {"quota": 900}


def test_a_quota_that_does_not_fit_stays_and_the_rest_of_the_mailbox_follows() -> None:
    wants = [wanted(ANN, quota=901, name="Ann Other"), wanted(BOB)]
    plan = quiet([ANN, BOB], wants=wants, limits={"max_quota": 1000}).plan()
    assert (only(plan.changes).writes, codes(plan)) == ({"name": "Ann Other"}, [Code.NO_ROOM_FOR_QUOTA])
    assert "stays at 100 MiB" in plan.findings[0].sentence
    assert "901 MiB don't fit" in plan.findings[0].sentence


@pytest.mark.parametrize("there", [[], [existing(ANN)]], ids=["new", "there"])
def test_a_quota_over_the_limit_of_one_mailbox_is_left_out_and_told(there: list[Existing]) -> None:
    plan = Scene(
        wants=[wanted(ANN, quota=501)],
        has=there,
        rows=[row(ANN)] if there else [],
        limits={"max_mailbox_quota": 500},
    ).plan()
    assert [change.writes["quota"] for change in of_mailboxes(plan.changes)] == [300] * (not there)
    assert codes(plan) == [Code.QUOTA_OVER_LIMIT]


def test_a_quota_may_be_as_large_as_the_domain_allows_one_mailbox_and_one_that_is_larger_already_may_stay() -> None:
    wants = [wanted(ANN, quota=500), wanted(BOB, quota=600)]
    has = [existing(ANN), existing(BOB, quota=600)]
    plan = quiet([ANN, BOB], wants=wants, has=has, limits={"max_mailbox_quota": 500}).plan()
    assert (only(plan.changes).writes, plan.findings) == ({"quota": 500}, ())


def test_an_unlimited_quota_stays_where_the_wanted_one_does_not_fit() -> None:
    has = [existing(ANN, quota=0), existing(BOB)]
    plan = quiet([ANN, BOB], wants=[wanted(ANN, quota=400), wanted(BOB)], has=has, limits={"max_quota": 50}).plan()
    assert plan.changes == ()
    assert "stays at unlimited: example.org has 0 MiB left and 400 MiB don't fit" in plan.findings[0].sentence


def test_what_has_no_room_is_told_with_its_directory_where_there_are_several() -> None:
    ldap = {"uri": "ldaps://ldap.example.org", "user_search_base": "dc=x"}
    config = make_config(ldap=[{"name": "default", **ldap}, {"name": "branch", **ldap}])
    small = {"max_mailbox_quota": 500, "max_mailboxes": 2}
    wants = [wanted(ANN, quota=501), wanted(BOB, quota=501), wanted(CAT, source="branch")]
    plan = Scene(wants=wants, has=[existing(ANN)], rows=[row(ANN)], config=config, limits=small).plan()
    told = {(one.code, one.directory) for one in plan.findings}
    assert told == {(Code.QUOTA_OVER_LIMIT, "default"), (Code.NO_ROOM_FOR_MAILBOX, "branch")}


# the login


def moving(to: str, **more: Any) -> Scene:  # noqa: ANN401
    """A scene in which Ann shall log in elsewhere than now."""
    fields = {
        "wants": [wanted(ANN, authsource=to, password=None if to == "ldap" else PASSWORD)],
        "has": [existing(ANN, authsource="ldap" if to == "mailcow" else "mailcow", template="abc")],
        "config": make_config(mapping={"authsource": to, "password": ""}),
        "actual": {"provider": "ldap"},
    }
    return quiet([ANN], **{**fields, **more})


def switch_of(at: Scene) -> MailboxChange:
    """Return the last change, which moves Ann's login."""
    change = of_mailboxes(at.plan().changes)[-1]
    assert change.kind is Kind.SWITCH
    return change


@pytest.mark.parametrize("to", ["ldap", "mailcow"])
def test_another_login_is_a_change_of_its_own_after_the_others(to: str) -> None:
    password = None if to == "ldap" else PASSWORD
    at = moving(to, wants=[wanted(ANN, authsource=to, password=password, name="A")])
    update, switch = of_mailboxes(at.plan().changes)
    assert (update.kind, update.writes, update.password) == (Kind.UPDATE, {"name": "A"}, None)
    assert (switch.kind, switch.why, switch.writes) == (Kind.SWITCH, Rule.LDAP, {"authsource": to})
    assert switch.password == (SecretStr(PASSWORD) if password else None)
    assert (switch.attribute_hash, patch_of(switch)["applied"]) == ("abc", {"authsource": to, "name": "A"})


def test_a_value_that_was_changed_by_hand_is_called_so_beside_another_login() -> None:
    there = existing(ANN, name="By hand", authsource="ldap")
    update, _ = of_mailboxes(moving("mailcow", has=[there]).plan().changes)
    assert (update.why, update.writes) == (Rule.MAILCOW, {"name": "Ann"})


@pytest.mark.parametrize("known", [row(ANN), row(ANN, digest=None), row(ANN, kept=True)])
def test_a_password_that_comes_with_the_login_is_written_whatever_is_remembered(known: Remembered) -> None:
    """Nothing says what the provider's mailbox holds."""
    switch = switch_of(moving("mailcow", rows=[known]))
    assert switch.password == SecretStr(PASSWORD)
    written = {"digest": seal(SecretStr(PASSWORD)), "kept": False, "passwd_update": None}
    assert written.items() <= patch_of(switch).items()


def test_going_to_a_provider_leaves_what_is_remembered_of_the_password() -> None:
    assert not {"digest", "kept", "passwd_update"} & patch_of(switch_of(moving("ldap"))).keys()


@pytest.mark.parametrize(("active", "rebuilds"), [(1, 0), (0, 1), (2, 1)])
def test_another_login_of_an_inactive_mailbox_rebuilds_the_address_book(active: int, rebuilds: int) -> None:
    assert switch_of(moving("ldap", has=[existing(ANN, active=active)])).rebuilds == rebuilds


@pytest.mark.parametrize(("provider", "told"), [("mailcow", "not set up"), ("keycloak", "is keycloak")])
def test_a_provider_that_is_not_set_up_is_told_once_and_not_tried(provider: str, told: str) -> None:
    """mailcow ignores it on an edit, and takes its own passwords for a new mailbox."""
    wants = [wanted(one, authsource="ldap", password=None) for one in (ANN, BOB)]
    plan = moving("ldap", wants=wants, actual={"provider": provider}).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.PROVIDER_NOT_SET_UP])
    assert told in plan.findings[0].sentence
    assert rule_of(plan, BOB) is Rule.NO_PROVIDER


def test_a_mailbox_without_a_password_stays_with_its_provider() -> None:
    wants = [wanted(ANN, authsource="mailcow", password=None)]
    plan = moving("mailcow", wants=wants, rows=[row(ANN, digest=None)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_PASSWORD])


def test_a_login_that_the_config_says_nothing_about_is_left_as_it_is() -> None:
    plan = quiet([ANN], has=[existing(ANN, authsource="ldap")], wants=[wanted(ANN, name="A")]).plan()
    assert only(plan.changes).writes == {"name": "A"}


@pytest.mark.parametrize(
    ("rows", "has"),
    [
        pytest.param([], existing(ANN, tags=(), authsource="ldap"), id="new to us"),
        pytest.param([row(ANN, kept=True)], existing(ANN, authsource="ldap"), id="kept"),
        pytest.param([row(ANN, digest=None)], existing(ANN, authsource="ldap"), id="no password was ever seen"),
    ],
)
def test_keep_password_keeps_the_login_of_another_provider(rows: list[Remembered], has: Existing) -> None:
    config = make_config(mapping={"authsource": "mailcow"}, adopt_mailboxes="keep_password")
    plan = moving("mailcow", rows=rows, has=[has], config=config, sources={}).plan()
    assert not [change for change in of_mailboxes(plan.changes) if change.kind is Kind.SWITCH or change.password]
    assert plan.findings == ()


@pytest.mark.parametrize(("to", "known"), [("mailcow", row(ANN)), ("ldap", row(ANN, kept=True))])
def test_keep_password_keeps_no_login_that_is_ours_and_none_of_mailcow_s_own(to: str, known: Remembered) -> None:
    config = make_config(mapping={"authsource": to}, adopt_mailboxes="keep_password")
    assert switch_of(moving(to, rows=[known], config=config)).writes == {"authsource": to}


def test_logins_over_the_limit_are_held_and_the_rest_of_the_mailbox_follows() -> None:
    everybody = people(4)
    plan = moving(
        "ldap",
        wants=[wanted(one, authsource="ldap", password=None, name="New") for one in everybody],
        has=[existing(one) for one in everybody],
        rows=[row(one) for one in everybody],
        config=make_config(mapping={"authsource": "ldap"}, limits={"removals": 1}),
    ).plan()
    assert [change.writes for change in of_mailboxes(plan.changes)] == [{"name": "New"}] * 4
    assert [one.kind for one in plan.withheld] == [Guarded.DISABLE]


# what is remembered


@pytest.mark.parametrize("limits", [{}, {"max_mailbox_quota": 50}], ids=["quiet", "it can't be edited"])
def test_the_absence_of_a_user_who_is_back_is_forgotten(limits: dict[str, int]) -> None:
    absent = {"missed": 1, "missing_since": NOW, "last_missed": NOW, "last_seen": NOW, "retired_since": NOW}
    name = "Ann" if not limits else "Ann Other"
    known = row(ANN, dn="uid=old", **absent)
    plan = quiet([ANN], wants=[wanted(ANN, name=name)], rows=[known], limits=limits).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN) == {"dn": dn_of(ANN), **dict.fromkeys(absent), "missed": 0}


def test_an_id_is_remembered_only_once_the_attribute_that_it_is_from_is_fixed() -> None:
    doubtful = quiet([ANN], rows=[row(ANN, id=None)], id_attribute="other", doubts=(CUT_SHORT,)).plan()
    assert remembered(doubtful, ANN) == {}
    assert remembered(quiet([ANN], rows=[row(ANN, id=None)], doubts=(CUT_SHORT,)).plan(), ANN) == {"id": id_of(ANN)}
    assert remembered(quiet([ANN], rows=[row(ANN, id=None)]).plan(), ANN) == {"id": id_of(ANN)}


def test_a_doubtful_answer_makes_nothing_poorer_of_what_an_entry_showed() -> None:
    poor = [wanted(ANN, present={"mail"})]
    doubtful = quiet([ANN], wants=poor, doubts=(CUT_SHORT,)).plan()
    assert "present" not in remembered(doubtful, ANN)
    assert remembered(quiet([ANN], wants=poor).plan(), ANN)["present"] == {"mail"}


@pytest.mark.parametrize(
    ("key", "approved", "kept"),
    [
        pytest.param("firstname", {Guarded.ALIAS: 9, Guarded.RIGHTS: 9}, True, id="of a mailbox"),
        pytest.param("aliases:proxyAddresses", {}, True, id="of aliases"),
        pytest.param("aliases:proxyAddresses", {Guarded.RIGHTS: 9}, True, id="of aliases, with another word"),
        pytest.param("aliases:proxyAddresses", {Guarded.ALIAS: 1}, True, id="of aliases, with a word for too few"),
        pytest.param("aliases:proxyAddresses", {Guarded.ALIAS: 9}, False, id="of aliases, with a word"),
        pytest.param("send_as", {}, True, id="of rights"),
        pytest.param("send_as", {Guarded.RIGHTS: 9}, False, id="of rights, with a word"),
    ],
)
def test_what_an_entry_showed_of_a_vanished_attribute_is_remembered_until_a_word_lets_go_what_it_made(
    key: str,
    approved: dict[str, int],
    kept: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    everybody, had = people(3), NAMED | {"password", "aliases:proxyAddresses", "send_as"}
    further = [wish(Address(f"x-{one}"), one) for one in everybody]
    plan = quiet(
        everybody,
        wants=[wanted(one, present=had - {key}) for one in everybody],
        has=map(existing, everybody),
        rows=[row(one, present=had) for one in everybody],
        aliases=[alias(one.address, *one.goto) for one in further],
        alias_rows=map(alias_row, further),
        config=alias_config(mapping={"send_as": "mailSendAs"}),
        options=Options(approved=approved),
    ).plan()
    found = {frozenset(had if "present" not in remembered(plan, one) else had - {key}) for one in everybody}
    assert found == {had if kept else had - {key}}


# where mailboxes come from elsewhere


@pytest.mark.parametrize(
    ("settings", "changes", "rule"),
    [
        pytest.param({}, [], Rule.ELSEWHERE, id="nothing is decided"),
        pytest.param({"removed_users": {"action": "disable"}}, [(Kind.DISABLE, ANN)], Rule.ADOPTED, id="the status is"),
        pytest.param(
            {"removed_users": {"action": "disable"}, "adopt_mailboxes": "refuse"},
            [(Kind.DISABLE, ANN)],
            Rule.ADOPTED,
            id="nothing is adopted that could be refused",
        ),
    ],
)
def test_a_mailbox_from_elsewhere_gets_no_mark_and_only_its_status_may_be_decided(
    settings: dict[str, Any], changes: list[tuple[Kind, Address]], rule: Rule
) -> None:
    user = wanted(ANN, name=None, password=None, active=0)
    config = alias_config(create_mailboxes=False, **settings)
    plan = quiet([ANN], wants=[user], has=[existing(ANN, tags=())], rows=[], config=config).plan()
    assert (kinds(plan.changes), rule_of(plan)) == (changes, rule)
    assert {tag for change in of_mailboxes(plan.changes) for tag in change.add_tags} <= {"ldap-sync:disabled"}
