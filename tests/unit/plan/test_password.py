"""Passwords: written when the directory's changed, and only then, though mailcow never shows one."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from pydantic import SecretStr

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import Code, Kind, MailboxChange, Origin, Rule
from ldap2mailcow.plan import Options

from .builders import (
    ANN,
    BOB,
    LATER_STAMP,
    NAMED,
    PASSWORD,
    STAMP,
    Scene,
    codes,
    existing,
    kinds,
    make_config,
    make_plan,
    make_seal,
    of_mailboxes,
    only,
    patch_of,
    quiet,
    remembered,
    row,
    seal,
    wanted,
)
from .simulated import WRITTEN_STAMP, simulate

NEW = "{CRYPT}$6$salt$another-one"
REASSERT = Options(reassert=True)
KEEP = make_config(adopt_mailboxes="keep_password")
UNREADABLE = NAMED | {"password"}
"""What an entry shows whose password is there, but in no form that mailcow can verify."""


def test_a_password_that_did_not_change_is_not_written() -> None:
    assert quiet([ANN]).plan().changes == ()


def test_a_password_that_changed_in_the_directory_is_written() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, password=NEW)])
    change = only(scene.plan().changes)
    assert (change.kind, change.why, change.fields) == (Kind.UPDATE, Rule.PASSWORD, ())
    assert change.password == SecretStr(NEW)
    assert patch_of(change)["digest"] == seal(SecretStr(NEW))
    assert patch_of(change)["passwd_update"] is None
    view = simulate(scene.plan(), scene.case())
    assert view.memory.mailboxes[ANN].passwd_update == WRITTEN_STAMP
    assert make_plan(view).changes == ()


def test_a_changed_attribute_and_a_changed_password_are_one_change() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, password=NEW, name="A")]).plan().changes)
    assert (change.why, change.writes, change.password) == (Rule.LDAP, {"name": "A"}, SecretStr(NEW))


def test_the_password_is_the_reason_where_the_attribute_was_changed_by_hand() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, password=NEW)], has=[existing(ANN, name="A")]).plan().changes)
    assert change.why is Rule.PASSWORD


def drifted(**more: object) -> Scene:
    """A scene in which somebody wrote Ann's password in mailcow."""
    return quiet([ANN], has=[existing(ANN, stamp=LATER_STAMP)], **more)


def test_a_password_changed_in_mailcow_is_overwritten() -> None:
    scene = drifted()
    change = only(scene.plan().changes)
    assert (change.why, change.password) == (Rule.DRIFT, SecretStr(PASSWORD))
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


def test_a_password_changed_in_mailcow_may_be_left_and_told_on_every_run() -> None:
    scene = drifted(config=make_config(password_drift="report"))
    plan = scene.plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.PASSWORD_DRIFT])
    assert codes(make_plan(simulate(plan, scene.case()))) == [Code.PASSWORD_DRIFT]


def test_a_changed_password_of_the_directory_ends_a_reported_drift() -> None:
    config = make_config(password_drift="report")
    assert only(drifted(config=config, wants=[wanted(ANN, password=NEW)]).plan().changes).why is Rule.PASSWORD


def test_a_reported_drift_stays_with_reassert_too() -> None:
    plan = drifted(config=make_config(password_drift="report"), options=REASSERT).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.PASSWORD_DRIFT])


def test_an_older_stamp_is_no_drift() -> None:
    """mailcow's clock was put back, or its database came from a copy."""
    assert quiet([ANN], has=[existing(ANN, stamp="2026-01-01 00:00:00")]).plan().changes == ()


def test_a_stamp_that_could_not_be_read_back_is_taken_as_ours() -> None:
    plan = drifted(rows=[row(ANN, passwd_update=None)]).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["passwd_update"] == LATER_STAMP


@pytest.mark.parametrize("password_drift", ["overwrite", "report"])
def test_reassert_writes_every_password_again(password_drift: str) -> None:
    scene = quiet([ANN, BOB], options=REASSERT, config=make_config(password_drift=password_drift))
    plan = scene.plan()
    assert [(change.kind, change.why) for change in plan.changes] == [(Kind.REASSERT, Rule.REASSERT)] * 2
    assert {change.password for change in of_mailboxes(plan.changes)} == {SecretStr(PASSWORD)}
    assert len(make_plan(simulate(plan, scene.case())).changes) == 2


def test_reassert_writes_no_attribute_that_is_there_already() -> None:
    assert only(quiet([ANN], options=REASSERT).plan().changes).writes == {}


@pytest.mark.parametrize(
    ("ann", "why"),
    [(existing(ANN, name="A"), Rule.MAILCOW), (existing(ANN, tags=()), Rule.MAILCOW)],
)
def test_what_reassert_finds_to_change_is_an_update(ann: object, why: Rule) -> None:
    change = only(quiet([ANN], has=[ann], options=REASSERT).plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, why)


def test_reassert_tells_a_changed_password_apart() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, password=NEW)], options=REASSERT).plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, Rule.PASSWORD)


def test_reassert_writes_no_password_to_who_logs_in_elsewhere() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, authsource="ldap", password=None)],
        has=[existing(ANN, authsource="ldap")],
        config=make_config(mapping={"authsource": "ldap"}),
        actual={"provider": "ldap"},
        options=REASSERT,
    )
    assert scene.plan().changes == ()


# vanished, unusable, missing


def test_a_password_that_vanished_stays_in_mailcow_and_is_told() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, password=None)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.PASSWORD_VANISHED])
    assert "digest" not in remembered(plan, ANN)


def test_a_password_that_is_mapped_no_more_has_not_vanished() -> None:
    config = make_config(mapping={"password": ""})
    plan = quiet([ANN], wants=[wanted(ANN, password=None)], config=config).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_a_password_that_vanished_is_told_on_the_next_run_too() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, password=None)])
    assert codes(make_plan(simulate(scene.plan(), scene.case()))) == [Code.PASSWORD_VANISHED]


def test_a_password_that_came_back_unchanged_is_not_written() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, password=None)])
    view = simulate(scene.plan(), scene.case())
    assert make_plan(replace(view, desired=quiet([ANN]).case().desired)).changes == ()


def test_an_unusable_password_has_its_own_finding_already() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, password=None, present=UNREADABLE)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])


@pytest.mark.parametrize("digest", [None, seal(NOBODY)])
def test_a_password_that_never_was_has_not_vanished(digest: str | None) -> None:
    plan = quiet([ANN], wants=[wanted(ANN, password=None)], rows=[row(ANN, digest=digest)]).plan()
    assert codes(plan) == []


def test_a_mailbox_that_moved_to_a_provider_has_not_lost_its_password() -> None:
    scene = quiet(
        [ANN],
        wants=[wanted(ANN, authsource="ldap", password=None)],
        has=[existing(ANN, authsource="ldap")],
        config=make_config(mapping={"authsource": "ldap"}),
        actual={"provider": "ldap"},
    )
    assert codes(scene.plan()) == []


def test_a_mailbox_without_a_password_is_not_made() -> None:
    plan = Scene(wants=[wanted(ANN, password=None)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_PASSWORD])
    assert "userPassword" in plan.findings[0].sentence


def test_a_mailbox_with_an_unusable_password_is_not_made_and_not_told_twice() -> None:
    plan = Scene(wants=[wanted(ANN, password=None, present=UNREADABLE)]).plan()
    assert (plan.changes, codes(plan)) == ((), [])


def test_no_mapped_password_is_told_in_words() -> None:
    plan = Scene(wants=[wanted(ANN, password=None)], config=make_config(mapping={"password": ""})).plan()
    assert "shows no password" in plan.findings[0].sentence


RANDOM = make_config(missing_password="random")


@pytest.mark.parametrize("present", [None, UNREADABLE])
def test_a_mailbox_without_a_password_may_be_made_locked(present: frozenset[str] | None) -> None:
    scene = Scene(wants=[wanted(ANN, password=None, present=present)], config=RANDOM)
    assert only(scene.plan().changes).password == NOBODY
    again = make_plan(simulate(scene.plan(), scene.case()))
    assert (again.changes, codes(again)) == ((), [])


def test_a_locked_mailbox_gets_its_first_password() -> None:
    scene = Scene(wants=[wanted(ANN, password=None)], config=RANDOM)
    view = simulate(scene.plan(), scene.case())
    plan = make_plan(replace(view, desired=quiet([ANN]).case().desired))
    assert only(plan.changes).password == SecretStr(PASSWORD)


# adoption, the ancestor, a lost state file


@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
def test_what_the_ancestor_or_the_mark_made_ours_gets_the_directory_s_password(origin: Origin) -> None:
    scene = quiet([ANN], rows=[row(ANN, digest=None, passwd_update=None, origin=origin)])
    change = only(scene.plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, Rule.ADOPTED)
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


@pytest.mark.parametrize("origin", [Origin.ADOPTED, Origin.CREATED])
def test_a_password_that_appears_after_adoption_is_the_first_change(origin: Origin) -> None:
    """The directory had no password to show when the mailbox became ours."""
    scene = quiet([ANN], rows=[row(ANN, digest=None, passwd_update=None, origin=origin)], config=KEEP)
    change = only(scene.plan().changes)
    assert (change.password, change.why) == (SecretStr(PASSWORD), Rule.PASSWORD)


@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
def test_keep_password_only_looks_at_the_first_one(origin: Origin) -> None:
    first = row(ANN, digest=None, passwd_update=None, origin=origin)
    plan = quiet([ANN], rows=[first], config=KEEP).plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["kept"] is True
    assert remembered(plan, ANN)["digest"] == seal(SecretStr(PASSWORD))
    assert remembered(plan, ANN)["passwd_update"] == STAMP


def test_keep_password_writes_at_the_first_change_in_the_directory() -> None:
    scene = quiet([ANN], rows=[], has=[existing(ANN, tags=())], config=KEEP)
    assert only(scene.plan().changes).password is None
    view = simulate(scene.plan(), scene.case())
    assert make_plan(view).changes == ()
    changed = quiet([ANN], wants=[wanted(ANN, password=NEW)]).case().desired
    assert only(make_plan(replace(view, desired=changed)).changes).password == SecretStr(NEW)


@pytest.mark.parametrize("key", ["key1", "lost"])
def test_a_password_that_was_kept_stays_also_with_reassert_and_a_lost_key(key: str) -> None:
    scene = quiet([ANN], rows=[row(ANN, kept=True)], config=KEEP, options=REASSERT, key=key)
    plan = scene.plan()
    assert plan.changes == ()
    view = simulate(plan, scene.case())
    assert view.memory.mailboxes[ANN].kept
    assert view.memory.mailboxes[ANN].digest == make_seal(key)(SecretStr(PASSWORD))
    assert make_plan(view).changes == ()


def test_keep_password_does_not_keep_reassert_from_what_we_wrote_ourselves() -> None:
    assert only(quiet([ANN], config=KEEP, options=REASSERT).plan().changes).kind is Kind.REASSERT


@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
def test_the_first_look_under_keep_password_writes_nothing_with_reassert_either(origin: Origin) -> None:
    plan = quiet([ANN], rows=[row(ANN, digest=None, origin=origin)], config=KEEP, options=REASSERT).plan()
    assert plan.changes == ()


def test_a_kept_password_has_not_drifted() -> None:
    """It is somebody's own, whenever it was changed."""
    plan = drifted(rows=[row(ANN, kept=True)], config=KEEP).plan()
    assert (plan.changes, plan.notes, plan.findings) == ((), (), ())


def test_a_kept_password_is_written_at_the_first_change_and_is_kept_no_more() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, password=NEW)], rows=[row(ANN, kept=True)], config=KEEP)
    change = only(scene.plan().changes)
    assert (change.password, change.why, patch_of(change)["kept"]) == (SecretStr(NEW), Rule.PASSWORD, False)
    view = simulate(scene.plan(), scene.case())
    assert kinds(make_plan(replace(view, options=REASSERT)).changes) == [(Kind.REASSERT, ANN)]


@pytest.mark.parametrize("policy", ["overwrite", "refuse"])
@pytest.mark.parametrize(
    ("stamp", "options", "why"),
    [(LATER_STAMP, Options(), Rule.DRIFT), (STAMP, REASSERT, Rule.REASSERT)],
)
def test_a_kept_password_is_like_any_other_once_the_policy_changed(
    policy: str,
    stamp: str,
    options: Options,
    why: Rule,
) -> None:
    change = only(
        quiet(
            [ANN],
            has=[existing(ANN, stamp=stamp)],
            rows=[row(ANN, kept=True)],
            config=make_config(adopt_mailboxes=policy),
            options=options,
        )
        .plan()
        .changes
    )
    assert (change.password, change.why, patch_of(change)["kept"]) == (SecretStr(PASSWORD), why, False)


@pytest.mark.parametrize(("options", "writes"), [(Options(), False), (REASSERT, True)])
def test_refusing_adoption_looks_at_what_the_mark_makes_ours_unless_asked(
    options: Options,
    writes: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan = quiet([ANN], rows=[], config=make_config(adopt_mailboxes="refuse"), options=options).plan()
    assert [change.password for change in of_mailboxes(plan.changes)] == [SecretStr(PASSWORD)] * writes
    assert remembered(plan, ANN)["digest"] == seal(SecretStr(PASSWORD))


def test_a_mailbox_that_comes_back_from_a_provider_gets_the_password_we_wrote_before() -> None:
    """Whatever is remembered: nothing says what the provider's mailbox holds."""
    there = [existing(ANN, authsource="ldap")]
    change = only(quiet([ANN], wants=[wanted(ANN, authsource="mailcow")], has=there, config=KEEP).plan().changes)
    assert change.password == SecretStr(PASSWORD)


# a lost key


def test_digests_of_a_lost_key_are_taken_afresh_and_nothing_is_written() -> None:
    scene = quiet([ANN, BOB], wants=[wanted(ANN, password=NEW), wanted(BOB)], key="key2")
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DIGEST_KEY_LOST])
    assert "2 passwords" in plan.findings[0].sentence
    assert remembered(plan, ANN)["digest"] == make_seal("key2")(SecretStr(NEW))
    assert codes(make_plan(simulate(plan, scene.case()))) == []


def test_a_lost_key_takes_the_present_stamp_as_ours() -> None:
    plan = quiet([ANN], has=[existing(ANN, stamp=LATER_STAMP)], key="key2").plan()
    assert plan.changes == ()
    assert remembered(plan, ANN)["passwd_update"] == LATER_STAMP


def test_reassert_after_a_lost_key_writes() -> None:
    change = only(quiet([ANN], key="key2", options=REASSERT).plan().changes)
    assert (change.kind, patch_of(change)["digest"]) == (Kind.REASSERT, make_seal("key2")(SecretStr(PASSWORD)))


def test_rows_without_a_digest_lost_nothing_with_the_key() -> None:
    assert codes(quiet([ANN], rows=[row(ANN, digest=None)], key="key2").plan()) == []


# secrets


SECRET = "{CRYPT}$6$salt$not-for-your-eyes"


@pytest.mark.parametrize(
    "scene",
    [
        Scene(wants=[wanted(ANN, password=SECRET)]),
        quiet([ANN], wants=[wanted(ANN, password=SECRET, name="A", tls_enforce_in=1)]),
        quiet(
            [ANN], wants=[wanted(ANN, password=SECRET, authsource="mailcow")], has=[existing(ANN, authsource="ldap")]
        ),
        quiet([ANN], wants=[wanted(ANN, password=SECRET)], has=[existing(ANN, tags=())], rows=[]),
    ],
)
def test_no_password_is_in_the_text_of_a_plan_or_its_calls(scene: Scene) -> None:
    plan = scene.plan()
    change = only(plan.changes)
    assert change.password == SecretStr(SECRET)
    calls = calls_of(change)
    assert any("password" in call.attr for call in calls)
    shown = [
        repr(plan),
        str(plan),
        repr(calls),
        _json(change),
        json.dumps([asdict(call) for call in calls], default=str),
    ]
    assert not [text for text in shown if "not-for-your-eyes" in text]


def _json(change: MailboxChange) -> str:
    return json.dumps(asdict(change), default=str)
