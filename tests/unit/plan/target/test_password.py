"""Passwords: written when the directory's changed, and only then, though mailcow never shows one."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from pydantic import SecretStr

from ldap2mailcow.calls import requests_of
from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import Code, Existing, Kind, MailboxChange, Origin, Rule
from ldap2mailcow.plan import Options
from tests.unit.plan.builders import (
    ANN,
    BOB,
    LATER_STAMP,
    NAMED,
    PASSWORD,
    STAMP,
    Scene,
    codes,
    existing,
    make_config,
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

NEW = "{CRYPT}$6$salt$another-one"
REASSERT = Options(reassert=True)
KEEP = make_config(adopt_mailboxes="keep_password")
RANDOM = make_config(missing_password="random")
REPORT = make_config(password_drift="report")
UNUSABLE = NAMED | {"password"}
"""What an entry shows whose password is there, but in no form that mailcow can verify."""


def drifted(**more: object) -> Scene:
    """A scene in which Ann's password was written in mailcow by hand."""
    return quiet([ANN], **{"has": [existing(ANN, stamp=LATER_STAMP)], **more})


# changed in the directory


def test_a_password_that_did_not_change_is_not_written() -> None:
    plan = quiet([ANN]).plan()
    assert (plan.changes, plan.notes) == ((), ())


def test_a_password_that_changed_in_the_directory_is_written() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, password=NEW)]).plan().changes)
    assert (change.kind, change.why, change.fields) == (Kind.UPDATE, Rule.PASSWORD, ())
    assert change.password == SecretStr(NEW)
    written = {"digest": seal(SecretStr(NEW)), "passwd_update": None, "kept": False}
    assert written.items() <= patch_of(change).items()


@pytest.mark.parametrize(
    ("name", "there", "why"),
    [
        pytest.param("A", existing(ANN), Rule.LDAP, id="both of the directory"),
        pytest.param("Ann", existing(ANN, name="By hand"), Rule.MAILCOW, id="the attribute by hand"),
        pytest.param("Ann", existing(ANN, tags=()), Rule.MAILCOW, id="the mark by hand"),
    ],
)
def test_a_changed_attribute_and_a_changed_password_are_one_change(name: str, there: Existing, why: Rule) -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, password=NEW, name=name)], has=[there]).plan().changes)
    assert (change.why, change.password) == (why, SecretStr(NEW))


def test_no_password_is_written_while_another_provider_checks_it() -> None:
    for options in (Options(), REASSERT):
        there = [existing(ANN, authsource="ldap")]
        plan = quiet([ANN], wants=[wanted(ANN, password=NEW)], has=there, options=options).plan()
        assert (plan.changes, plan.findings) == ((), ())


# changed in mailcow


def test_a_password_changed_in_mailcow_is_overwritten() -> None:
    change = only(drifted().plan().changes)
    assert (change.why, change.password) == (Rule.DRIFT, SecretStr(PASSWORD))


@pytest.mark.parametrize("options", [Options(), REASSERT])
def test_a_password_changed_in_mailcow_may_be_left_and_told(options: Options) -> None:
    plan = drifted(config=REPORT, options=options).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.PASSWORD_DRIFT])


def test_a_changed_password_of_the_directory_ends_a_reported_drift() -> None:
    assert only(drifted(config=REPORT, wants=[wanted(ANN, password=NEW)]).plan().changes).why is Rule.PASSWORD


def test_an_older_stamp_is_no_drift() -> None:
    """mailcow's clock was put back, or its database came from a copy."""
    plan = quiet([ANN], has=[existing(ANN, stamp="2026-01-01 00:00:00")]).plan()
    assert (plan.changes, plan.notes) == ((), ())


def test_a_stamp_that_could_not_be_read_back_is_taken_as_ours() -> None:
    plan = drifted(rows=[row(ANN, passwd_update=None)]).plan()
    assert (plan.changes, remembered(plan, ANN)["passwd_update"]) == ((), LATER_STAMP)


# with --reassert


@pytest.mark.parametrize("config", [make_config(), REPORT, KEEP], ids=["overwrite", "report", "keep"])
def test_reassert_writes_every_password_again_and_no_attribute(config: object) -> None:
    plan = quiet([ANN, BOB], options=REASSERT, config=config).plan()
    assert [(change.kind, change.why) for change in plan.changes] == [(Kind.REASSERT, Rule.REASSERT)] * 2
    assert {(change.password, *change.writes) for change in of_mailboxes(plan.changes)} == {(SecretStr(PASSWORD),)}


@pytest.mark.parametrize("there", [existing(ANN, name="By hand"), existing(ANN, tags=())])
def test_what_reassert_finds_to_change_is_an_update(there: Existing) -> None:
    change = only(quiet([ANN], has=[there], options=REASSERT).plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, Rule.MAILCOW)


def test_reassert_tells_a_changed_password_apart() -> None:
    change = only(quiet([ANN], wants=[wanted(ANN, password=NEW)], options=REASSERT).plan().changes)
    assert (change.kind, change.why) == (Kind.UPDATE, Rule.PASSWORD)


# vanished


def test_a_password_that_vanished_stays_in_mailcow_and_is_told() -> None:
    plan = quiet([ANN], wants=[wanted(ANN, password=None)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.PASSWORD_VANISHED])
    assert "digest" not in remembered(plan, ANN)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"config": make_config(mapping={"password": ""})}, id="mapped no more"),
        pytest.param({"wants": [wanted(ANN, password=None, present=UNUSABLE)]}, id="unusable"),
        pytest.param({"rows": []}, id="not remembered"),
        pytest.param({"rows": [row(ANN, digest=None)]}, id="never seen"),
        pytest.param({"rows": [row(ANN, digest=seal(NOBODY))]}, id="random"),
        pytest.param(
            {
                "wants": [wanted(ANN, authsource="ldap", password=None)],
                "has": [existing(ANN, authsource="ldap")],
                "config": make_config(mapping={"authsource": "ldap"}),
                "actual": {"provider": "ldap"},
            },
            id="another provider's",
        ),
    ],
)
def test_what_is_no_vanished_password(more: dict[str, object]) -> None:
    plan = quiet([ANN], **{"wants": [wanted(ANN, password=None)], **more}).plan()
    assert (plan.changes, plan.findings) == ((), ())


# none for a new mailbox


@pytest.mark.parametrize(("attribute", "shown"), [("userPassword", "userPassword"), ("", "password")])
def test_a_mailbox_without_a_password_is_not_made(attribute: str, shown: str) -> None:
    config = make_config(mapping={"password": attribute})
    plan = Scene(wants=[wanted(ANN, password=None)], config=config).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_PASSWORD])
    assert f"shows no {shown}, so" in plan.findings[0].sentence


def test_a_mailbox_with_an_unusable_password_is_not_made_which_is_told_already() -> None:
    plan = Scene(wants=[wanted(ANN, password=None, present=UNUSABLE)]).plan()
    assert (plan.changes, plan.findings) == ((), ())


@pytest.mark.parametrize("present", [None, UNUSABLE])
def test_a_mailbox_without_a_password_may_be_made_locked(present: frozenset[str] | None) -> None:
    plan = Scene(wants=[wanted(ANN, password=None, present=present)], config=RANDOM).plan()
    change = only(plan.changes)
    assert (change.password, patch_of(change)["digest"]) == (NOBODY, seal(NOBODY))


def test_a_locked_mailbox_gets_its_first_password() -> None:
    plan = quiet([ANN], rows=[row(ANN, digest=seal(NOBODY))], config=RANDOM).plan()
    assert only(plan.changes).password == SecretStr(PASSWORD)


def test_a_new_mailbox_of_another_provider_needs_no_password() -> None:
    change = only(
        Scene(
            wants=[wanted(ANN, authsource="ldap", password=None)],
            config=make_config(mapping={"authsource": "ldap"}),
            actual={"provider": "ldap"},
        )
        .plan()
        .changes
    )
    assert (change.kind, change.password, patch_of(change)["digest"]) == (Kind.CREATE, None, None)


# the first look at a mailbox that was there


@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
def test_what_the_ancestor_or_the_mark_made_ours_gets_the_directory_s_password(origin: Origin) -> None:
    change = only(quiet([ANN], rows=[row(ANN, digest=None, origin=origin)]).plan().changes)
    assert (change.kind, change.why, change.password) == (Kind.UPDATE, Rule.ADOPTED, SecretStr(PASSWORD))


@pytest.mark.parametrize("origin", [Origin.MARK, Origin.ANCESTOR])
@pytest.mark.parametrize("options", [Options(), REASSERT])
def test_under_keep_password_the_first_one_is_only_looked_at(origin: Origin, options: Options) -> None:
    first = row(ANN, digest=None, passwd_update=None, origin=origin)
    plan = quiet([ANN], rows=[first], config=KEEP, options=options).plan()
    seen = {"digest": seal(SecretStr(PASSWORD)), "passwd_update": STAMP, "kept": True}
    assert plan.changes == ()
    assert seen.items() <= remembered(plan, ANN).items()


@pytest.mark.parametrize("origin", [Origin.ADOPTED, Origin.CREATED])
def test_a_password_that_appears_later_is_the_first_change(origin: Origin) -> None:
    """The directory had no password to show when the mailbox became ours."""
    change = only(quiet([ANN], rows=[row(ANN, digest=None, origin=origin)], config=KEEP).plan().changes)
    assert (change.password, change.why) == (SecretStr(PASSWORD), Rule.PASSWORD)


@pytest.mark.parametrize("options", [Options(), REASSERT])
def test_refusing_adoption_looks_at_what_the_mark_makes_ours(options: Options) -> None:
    plan = quiet([ANN], rows=[], config=make_config(adopt_mailboxes="refuse"), options=options).plan()
    assert (plan.changes, remembered(plan, ANN)["digest"]) == ((), seal(SecretStr(PASSWORD)))


# kept


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(drifted(rows=[row(ANN, kept=True)], config=KEEP), id="changed in mailcow"),
        pytest.param(quiet([ANN], rows=[row(ANN, kept=True)], config=KEEP, options=REASSERT), id="with --reassert"),
    ],
)
def test_a_kept_password_stays(at: Scene) -> None:
    """It is the user's own, whenever it was changed."""
    plan = at.plan()
    assert (plan.changes, plan.notes, plan.findings) == ((), (), ())


def test_a_kept_password_is_written_at_the_first_change_in_the_directory_and_kept_no_more() -> None:
    scene = quiet([ANN], wants=[wanted(ANN, password=NEW)], rows=[row(ANN, kept=True)], config=KEEP)
    change = only(scene.plan().changes)
    assert (change.password, change.why, patch_of(change)["kept"]) == (SecretStr(NEW), Rule.PASSWORD, False)


@pytest.mark.parametrize("policy", ["overwrite", "refuse"])
@pytest.mark.parametrize(
    ("stamp", "options", "why"), [(LATER_STAMP, Options(), Rule.DRIFT), (STAMP, REASSERT, Rule.REASSERT)]
)
def test_a_kept_password_is_like_any_other_once_the_policy_changed(
    policy: str, stamp: str, options: Options, why: Rule
) -> None:
    at = drifted(
        has=[existing(ANN, stamp=stamp)],
        rows=[row(ANN, kept=True)],
        config=make_config(adopt_mailboxes=policy),
        options=options,
    )
    change = only(at.plan().changes)
    assert (change.password, change.why, patch_of(change)["kept"]) == (SecretStr(PASSWORD), why, False)


# a lost key


@pytest.mark.parametrize("options", [Options(), REASSERT])
@pytest.mark.parametrize("kept", [False, True])
def test_digests_of_a_lost_key_are_taken_afresh_and_nothing_is_written(options: Options, kept: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """With --reassert the next run writes what isn't kept."""
    has = [existing(ANN, stamp=LATER_STAMP), existing(BOB)]
    wants, rows = [wanted(ANN, password=NEW), wanted(BOB)], [row(ANN, kept=kept), row(BOB)]
    plan = quiet([ANN, BOB], wants=wants, has=has, rows=rows, key="key2", options=options).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DIGEST_KEY_LOST])
    assert "2 passwords" in plan.findings[0].sentence
    afresh = {"digest": make_seal("key2")(SecretStr(NEW)), "passwd_update": LATER_STAMP}
    assert remembered(plan, ANN) == afresh


def test_rows_without_a_digest_lost_nothing_with_the_key() -> None:
    assert quiet([ANN], rows=[row(ANN, digest=None)], key="key2").plan().findings == ()


# secrets

SECRET = "{CRYPT}$6$salt$not-for-your-eyes"


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(Scene(wants=[wanted(ANN, password=SECRET)]), id="new"),
        pytest.param(quiet([ANN], wants=[wanted(ANN, password=SECRET, name="A", tls_enforce_in=1)]), id="changed"),
        pytest.param(
            quiet(
                [ANN],
                wants=[wanted(ANN, password=SECRET, authsource="mailcow")],
                has=[existing(ANN, authsource="ldap")],
            ),
            id="with another login",
        ),
        pytest.param(
            quiet([ANN], wants=[wanted(ANN, password=SECRET)], has=[existing(ANN, tags=())], rows=[], sources={}),
            id="adopted",
        ),
    ],
)
def test_no_password_is_in_the_text_of_a_plan_or_its_calls(scene: Scene) -> None:
    plan = scene.plan()
    change = only(plan.changes)
    calls = [request.call for request in requests_of(change)]
    assert change.password == SecretStr(SECRET)
    assert any("password" in call.attr for call in calls)
    shown = [
        repr(plan),
        str(plan),
        repr(calls),
        _json(change),
        *(json.dumps(asdict(one), default=str) for one in calls),
    ]
    assert not [text for text in shown if "not-for-your-eyes" in text]


def _json(change: MailboxChange) -> str:
    return json.dumps(asdict(change), default=str)
