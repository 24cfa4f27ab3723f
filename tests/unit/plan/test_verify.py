"""After an unknown outcome: whether a change is done, and what is left of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import (
    Address,
    AliasChange,
    Change,
    Existing,
    ExistingAlias,
    FieldChange,
    Kind,
    MailboxChange,
    RenameChange,
    Rule,
)
from ldap2mailcow.plan import is_alias_done, is_done, is_same_alias, remainder, touches, without

from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    DISABLED_TAG,
    INFO,
    LATER_STAMP,
    MARK,
    STAMP,
    Scene,
    alias,
    existing,
    only,
    quiet,
    wanted,
)
from .simulated import simulate

SECRET = SecretStr("{CRYPT}$6$salt$x")
CHANGE = MailboxChange(Kind.UPDATE, ANN, Rule.LDAP, writes={"name": "A", "quota": 5}, passwd_update=STAMP)


@pytest.mark.parametrize(
    ("found", "done"),
    [
        (existing(ANN, name="A", quota=5), True),
        (existing(ANN, name="A"), False),
        (existing(ANN), False),
    ],
)
def test_a_change_is_done_once_all_its_values_show(found: Existing, done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert is_done(CHANGE, found) is done


@pytest.mark.parametrize(("tags", "done"), [((MARK,), True), ((MARK, "staff"), True), ((), False)])
def test_an_added_tag_must_show(tags: tuple[str, ...], done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    change = replace(CHANGE, writes={}, add_tags=(MARK,))
    assert is_done(change, existing(ANN, tags=tags)) is done


@pytest.mark.parametrize(("tags", "done"), [((MARK,), True), ((MARK, DISABLED_TAG), False)])
def test_a_removed_tag_must_be_gone(tags: tuple[str, ...], done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    change = replace(CHANGE, writes={}, remove_tags=(DISABLED_TAG,))
    assert is_done(change, existing(ANN, tags=tags)) is done


@pytest.mark.parametrize(("stamp", "done"), [(LATER_STAMP, True), (STAMP, False)])
def test_a_written_password_shows_by_mailcow_s_stamp(stamp: str, done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    change = replace(CHANGE, writes={}, password=SECRET)
    assert is_done(change, existing(ANN, stamp=stamp)) is done


def test_a_mailbox_that_shows_is_not_deleted() -> None:
    assert not is_done(MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED), existing(ANN, active=0))


def test_a_new_mailbox_has_its_password_from_the_start() -> None:
    change = only(Scene(wants=[wanted(ANN)]).plan().changes)
    assert change.password
    assert is_done(change, existing(ANN, quota=300))


def test_a_new_mailbox_needs_no_stamp() -> None:
    change = only(Scene(wants=[wanted(ANN)]).plan().changes)
    assert is_done(change, existing(ANN, quota=300, stamp=""))


@pytest.mark.parametrize(
    "scene",
    [
        Scene(wants=[wanted(ANN, active=0)]),
        quiet([ANN], wants=[wanted(ANN, name="A", tls_enforce_in=1, password="{CRYPT}$6$new")]),
        quiet([ANN], has=[existing(ANN, tags=(DISABLED_TAG,))]),
    ],
)
def test_a_change_is_not_done_before_and_done_after_its_calls(scene: Scene) -> None:
    view = scene.case()
    change = only(scene.plan().changes)
    before, after = view.actual.mailboxes.get(ANN), simulate(scene.plan(), view).actual.mailboxes[ANN]
    assert before is None or not is_done(change, before)
    assert is_done(change, after)


def test_a_change_that_is_not_done_is_sent_again_whole() -> None:
    """Its values are the same however often they are written."""
    assert remainder(CHANGE, existing(ANN, name="A")) == CHANGE


def test_a_mailbox_that_was_made_in_part_is_edited_and_not_made_twice() -> None:
    change = only(Scene(wants=[wanted(ANN, quota=500, tls_enforce_in=1)]).plan().changes)
    found = existing(ANN, quota=500, tls_enforce_in=0, template="abc", stamp=LATER_STAMP)
    left = remainder(change, found)
    assert (left.kind, left.writes) == (Kind.UPDATE, {"tls_enforce_in": 1})
    assert (left.attribute_hash, left.passwd_update) == ("abc", LATER_STAMP)
    assert left.remember == change.remember
    assert [call.endpoint for call in calls_of(left)] == ["edit/mailbox", "edit/tls_policy"]


@pytest.mark.parametrize(
    ("change", "done"),
    [
        (MailboxChange(Kind.GRANT, ANN, Rule.LDAP, senders=(BOB,)), True),
        (MailboxChange(Kind.GRANT, ANN, Rule.LDAP, senders=(BOB, CAT)), False),
        (MailboxChange(Kind.GRANT, ANN, Rule.LDAP, senders=()), False),
        pytest.param(MailboxChange(Kind.GRANT, ANN, Rule.LDAP, foreign_senders=()), False, id="what isn't shown"),
    ],
)
def test_rights_are_done_once_the_rows_show(change: MailboxChange, done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert is_done(change, existing(ANN, senders=[BOB])) is done


@pytest.mark.parametrize(
    ("kind", "found", "done"),
    [
        (Kind.CREATE, alias(INFO, ANN), True),
        (Kind.UPDATE, alias(INFO, ANN), True),
        (Kind.UPDATE, alias(INFO, BOB), False),
        (Kind.UPDATE, alias(INFO, ANN, mark=""), False),
        (Kind.CREATE, None, False),
        (Kind.REMOVE, None, True),
        (Kind.REMOVE, alias(INFO, ANN), False),
    ],
)
def test_an_alias_is_done_once_all_its_values_show(kind: Kind, found: ExistingAlias | None, done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    change = AliasChange(kind, INFO, Rule.LDAP, writes={"goto": ANN, "private_comment": MARK})
    assert is_alias_done(change, found) is done


TO_ANN_AND_BOB = AliasChange(
    Kind.CREATE,
    INFO,
    Rule.NEW,
    fields=(FieldChange("goto", None, f"{ANN},{BOB}"), FieldChange("sogo_visible", None, 1)),
    writes={"goto": f"{ANN},{BOB}", "sogo_visible": 1},
    remember={"applied": {"goto": f"{ANN},{BOB}", "sogo_visible": 1}, "disabled": False},
)


RENAME = RenameChange(Kind.RENAME, BOB, Rule.RENAMED, former=ANN)


@pytest.mark.parametrize(
    ("change", "about"),
    [
        pytest.param(RENAME, {ANN, BOB}, id="a renaming"),
        pytest.param(CHANGE, {ANN}, id="a mailbox"),
        pytest.param(replace(CHANGE, senders=(BOB, "*")), {ANN, BOB}, id="rights"),
        pytest.param(
            AliasChange(Kind.CREATE, INFO, Rule.NEW, writes={"goto": f"{ANN},{BOB}"}), {INFO, ANN, BOB}, id="alias"
        ),
        pytest.param(AliasChange(Kind.UPDATE, INFO, Rule.LDAP, writes={"active": 0}), {INFO}, id="an alias' status"),
        pytest.param(AliasChange(Kind.REMOVE, INFO, Rule.NOT_WANTED), {INFO}, id="a removal"),
    ],
)
def test_a_change_is_about_whom_it_names(change: Change, about: set[Address]) -> None:
    assert {one for one in (ANN, BOB, CAT, INFO) if touches(change, {one, DAN})} == about
    assert not touches(change, set())


def test_an_alias_is_as_it_should_be_where_all_its_values_show() -> None:
    assert is_same_alias({"goto": ANN, "active": 1}, alias(INFO, ANN))
    assert not is_same_alias({"goto": ANN, "active": 0}, alias(INFO, ANN))
    assert not is_same_alias({"goto": BOB, "active": 1}, alias(INFO, ANN))


def test_an_alias_does_not_go_to_a_mailbox_that_could_not_be_made() -> None:
    left = without(TO_ANN_AND_BOB, {BOB})
    assert isinstance(left, AliasChange)
    assert left.writes == {"goto": ANN, "sogo_visible": 1}
    assert left.fields == (FieldChange("goto", None, ANN), FieldChange("sogo_visible", None, 1))
    assert left.remember == {"applied": {"goto": ANN, "sogo_visible": 1}, "disabled": False}


@pytest.mark.parametrize(
    ("change", "failed", "left"),
    [
        pytest.param(TO_ANN_AND_BOB, set(), True, id="all were made"),
        pytest.param(TO_ANN_AND_BOB, {CAT}, True, id="somebody else"),
        pytest.param(TO_ANN_AND_BOB, {ANN, BOB}, False, id="nobody is left"),
        pytest.param(replace(TO_ANN_AND_BOB, writes={"active": 0}), {ANN}, True, id="it goes where it went"),
        pytest.param(MailboxChange(Kind.GRANT, ANN, Rule.LDAP), {ANN}, False, id="rights of one that wasn't made"),
        pytest.param(MailboxChange(Kind.GRANT, ANN, Rule.LDAP), {BOB}, True, id="rights of another"),
        pytest.param(RENAME, {BOB}, False, id="a renaming to one that wasn't made"),
        pytest.param(RENAME, {ANN}, True, id="a renaming"),
    ],
)
def test_what_needs_no_mailbox_that_could_not_be_made_stays_whole(
    change: Change,
    failed: set[Address],
    left: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    assert without(change, failed) == (change if left else None)


def test_an_alias_without_anything_remembered_can_lose_a_target_too() -> None:
    change = replace(TO_ANN_AND_BOB, remember={"applied": {}})
    assert without(change, {BOB}) == replace(
        change,
        writes={"goto": ANN, "sogo_visible": 1},
        fields=(FieldChange("goto", None, ANN), FieldChange("sogo_visible", None, 1)),
        remember={"applied": {"goto": ANN}},
    )
