"""The requests of one change: what mailcow is asked, and how to see that it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from ldap2mailcow.calls import as_edit, is_done, requests_of
from ldap2mailcow.model import (
    ATTRIBUTES,
    Address,
    AliasChange,
    Call,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    MailboxChange,
    Rule,
    Value,
)
from tests.unit.plan.builders import (
    ANN,
    BOB,
    CAT,
    DISABLED_TAG,
    INFO,
    LATER_STAMP,
    MARK,
    STAMP,
    alias,
    existing,
    number_of,
)

from .shown import Shown

SECRET = SecretStr("{CRYPT}$6$salt$x")
WITH_SECRET = {"password": SECRET, "password2": SECRET}


def update(address: Address = ANN, /, **writes: Value) -> MailboxChange:
    return MailboxChange(Kind.UPDATE, address, Rule.LDAP, writes=writes, passwd_update=STAMP)


def make(address: Address, goto: str = ANN) -> AliasChange:
    return AliasChange(Kind.CREATE, address, Rule.NEW, writes={"goto": goto, "active": 1})


def edit(address: Address, kind: Kind = Kind.UPDATE, /, **writes: Value) -> AliasChange:
    return AliasChange(kind, address, Rule.LDAP, writes=writes, number=number_of(address))


def calls_of(change: Change) -> tuple[Call, ...]:
    return tuple(request.call for request in requests_of(change))


# what is asked


def test_a_mailbox_is_made_by_one_call_with_everything() -> None:
    """A second call could fail, and would cost a mailbox half made."""
    writes: dict[str, Value] = {
        "name": "Ann",
        "quota": 500,
        "active": 1,
        "authsource": "mailcow",
        "tls_enforce_in": 1,
        "tls_enforce_out": 0,
    }
    assert writes.keys() == ATTRIBUTES.keys()
    change = MailboxChange(Kind.CREATE, ANN, Rule.NEW, writes=writes, password=SECRET, add_tags=(MARK, DISABLED_TAG))
    attr = {
        "local_part": "ann",
        "domain": "example.org",
        **writes,
        **WITH_SECRET,
        "tags": [MARK, DISABLED_TAG],
        "force_pw_update": 0,
    }
    assert calls_of(change) == (Call("add/mailbox", (ANN,), attr, "mailbox_added"),)


def test_a_mailbox_of_a_provider_is_made_without_a_password() -> None:
    change = MailboxChange(Kind.CREATE, ANN, Rule.NEW, writes={"authsource": "ldap"})
    assert calls_of(change)[0].attr.keys() == {"local_part", "domain", "authsource", "tags", "force_pw_update"}


def test_an_update_is_one_call_with_what_changed() -> None:
    assert calls_of(update(name="A", quota=5)) == (
        Call("edit/mailbox", (ANN,), {"name": "A", "quota": 5}, "mailbox_modified"),
    )


def test_a_password_goes_with_the_other_values() -> None:
    (call,) = calls_of(replace(update(name="A"), password=SECRET))
    assert call.attr == {"name": "A", **WITH_SECRET}


def test_a_password_alone_is_one_call() -> None:
    (call,) = calls_of(replace(update(), password=SECRET))
    assert call.attr == WITH_SECRET


def test_a_deletion_is_one_call_that_names_the_mailbox_alone() -> None:
    assert calls_of(MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED)) == (
        Call("delete/mailbox", (ANN,), {}, "mailbox_removed"),
    )


def test_a_switch_to_mailcow_s_passwords_is_followed_by_the_password() -> None:
    """mailcow ignores a password that comes with the switch."""
    switch, password = calls_of(replace(update(authsource="mailcow", name="A"), password=SECRET, attribute_hash="abc"))
    assert switch.attr == {"authsource": "mailcow", "name": "A", "attribute_hash": "abc"}
    assert password.attr == {**WITH_SECRET, "attribute_hash": "abc"}


def test_a_switch_to_a_provider_is_one_call() -> None:
    (call,) = calls_of(update(authsource="ldap"))
    assert call.attr == {"authsource": "ldap"}


def test_tls_is_written_by_its_own_endpoint() -> None:
    """edit/mailbox answers with success, and does nothing of it."""
    assert calls_of(update(tls_enforce_in=1, tls_enforce_out=0)) == (
        Call("edit/tls_policy", (ANN,), {"tls_enforce_in": 1, "tls_enforce_out": 0}, "mailbox_modified"),
    )


def test_tls_and_other_values_are_two_calls() -> None:
    assert [call.endpoint for call in calls_of(update(name="A", tls_enforce_in=1))] == [
        "edit/mailbox",
        "edit/tls_policy",
    ]


def test_the_mark_of_a_template_is_sent_back_with_edits_only() -> None:
    edit, tls = calls_of(replace(update(name="A", tls_enforce_in=1), attribute_hash="abc"))
    assert edit.attr == {"name": "A", "attribute_hash": "abc"}
    assert tls.attr == {"tls_enforce_in": 1}


def test_tags_are_added_by_the_edit() -> None:
    (call,) = calls_of(replace(update(), add_tags=(MARK,)))
    assert call.attr == {"tags": [MARK]}


def test_tags_are_removed_by_a_call_of_their_own_after_the_edit() -> None:
    edit, tag = calls_of(replace(update(active=1), remove_tags=(DISABLED_TAG,)))
    assert edit.attr == {"active": 1}
    assert tag == Call("delete/mailbox/tag", (ANN,), {"tags": [DISABLED_TAG]}, "mailbox_modified")


def test_a_tag_that_is_only_removed_needs_no_edit() -> None:
    (call,) = calls_of(replace(update(), remove_tags=(DISABLED_TAG,), attribute_hash="abc"))
    assert call.endpoint == "delete/mailbox/tag"


@pytest.mark.parametrize(
    ("change", "call"),
    [
        (make(INFO), Call("add/alias", (INFO,), {"goto": ANN, "active": 1}, "alias_added")),
        (
            edit(INFO, goto=ANN),
            Call("edit/alias", (str(number_of(INFO)),), {"goto": ANN}, "alias_modified", (INFO,)),
        ),
        (
            edit(INFO, Kind.ADOPT, private_comment=MARK),
            Call("edit/alias", (str(number_of(INFO)),), {"private_comment": MARK}, "alias_modified", (INFO,)),
        ),
        (edit(INFO, Kind.REMOVE), Call("delete/alias", (str(number_of(INFO)),), {}, "alias_removed", (INFO,))),
    ],
)
def test_an_alias_is_one_call_by_its_number_once_it_has_one(change: AliasChange, call: Call) -> None:
    """By address, mailcow would find the alias whose number the address begins with."""
    assert calls_of(change) == (call,)


@pytest.mark.parametrize(
    ("senders", "foreign", "attr"),
    [
        ((BOB, ANN), None, {"sender_acl": [BOB, ANN]}),
        ((), None, {"sender_acl": []}),
        (None, ("@x.test", "eve@y.test"), {"extended_sender_acl": "@x.test,eve@y.test"}),
        ((BOB,), (), {"sender_acl": [BOB], "extended_sender_acl": ""}),
    ],
)
def test_rights_are_one_edit_of_all_rows(
    senders: tuple[str, ...] | None,
    foreign: tuple[str, ...] | None,
    attr: dict[str, object],
) -> None:
    change = MailboxChange(Kind.GRANT, ANN, Rule.LDAP, senders=senders, foreign_senders=foreign, attribute_hash="abc")
    assert calls_of(change) == (Call("edit/mailbox", (ANN,), {**attr, "attribute_hash": "abc"}, "mailbox_modified"),)


def test_an_alias_that_is_taken_over_as_it_is_needs_no_request() -> None:
    adopted = edit(INFO, Kind.ADOPT)
    assert requests_of(adopted) == ()
    assert is_done(adopted, Shown())


# whether it is done

TWO_REQUESTS = update(name="A", quota=5, tls_enforce_in=1)


@pytest.mark.parametrize(
    ("found", "done"),
    [
        (existing(ANN, name="A", quota=5, tls_enforce_in=1), [True, True]),
        (existing(ANN, name="A", quota=5), [True, False]),
        (existing(ANN, name="A", tls_enforce_in=1), [False, True]),
        (existing(ANN), [False, False]),
        (existing(BOB, name="A", quota=5, tls_enforce_in=1), [False, False]),
    ],
)
def test_a_request_is_done_once_all_its_values_show(found: Existing, done: list[bool]) -> None:
    assert [request.is_done(Shown(found)) for request in requests_of(TWO_REQUESTS)] == done
    assert is_done(TWO_REQUESTS, Shown(found)) is all(done)


def test_nothing_shows_of_half_a_mailbox() -> None:
    assert not is_done(update(name="A"), Shown(halves=[ANN]))


@pytest.mark.parametrize(("tags", "done"), [((MARK,), True), ((MARK, "staff"), True), ((), False)])
def test_an_added_tag_must_show(tags: tuple[str, ...], done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert is_done(replace(update(), add_tags=(MARK,)), Shown(existing(ANN, tags=tags))) is done


@pytest.mark.parametrize(("tags", "done"), [((MARK,), [True, True]), ((MARK, DISABLED_TAG), [True, False])])
def test_a_removed_tag_must_be_gone(tags: tuple[str, ...], done: list[bool]) -> None:
    """Its request comes last, and the one before it doesn't count as undone for it."""
    change = replace(update(), add_tags=(MARK,), remove_tags=(DISABLED_TAG,))
    assert [request.is_done(Shown(existing(ANN, tags=tags))) for request in requests_of(change)] == done


@pytest.mark.parametrize(("stamp", "done"), [(LATER_STAMP, True), (STAMP, False)])
def test_a_written_password_shows_by_mailcow_s_stamp(stamp: str, done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert is_done(replace(update(), password=SECRET), Shown(existing(ANN, stamp=stamp))) is done


def test_a_switch_is_done_before_the_password_that_follows_it() -> None:
    change = replace(update(authsource="mailcow"), password=SECRET)
    assert [request.is_done(Shown(existing(ANN))) for request in requests_of(change)] == [True, False]


@pytest.mark.parametrize(
    ("shown", "done"), [(Shown(), True), (Shown(existing(ANN, active=0)), False), (Shown(halves=[ANN]), False)]
)
def test_a_mailbox_is_deleted_once_nothing_of_it_shows(shown: Shown, done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert is_done(MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED), shown) is done


NEW = MailboxChange(
    Kind.CREATE, ANN, Rule.NEW, writes={"quota": 500, "tls_enforce_in": 1}, password=SECRET, add_tags=(MARK,)
)


@pytest.mark.parametrize("stamp", ["", STAMP])
def test_a_new_mailbox_has_its_password_from_the_start(stamp: str) -> None:
    assert is_done(NEW, Shown(existing(ANN, quota=500, tls_enforce_in=1, stamp=stamp)))
    assert not is_done(NEW, Shown(existing(ANN, quota=500, stamp=stamp)))
    assert not is_done(NEW, Shown())


def test_a_mailbox_that_was_made_in_part_is_edited_and_not_made_twice() -> None:
    found = existing(ANN, quota=500, tls_enforce_in=0, template="abc", stamp=LATER_STAMP)
    left = as_edit(NEW, found)
    assert calls_of(left) == (
        Call("edit/mailbox", (ANN,), {"quota": 500, "tags": [MARK], "attribute_hash": "abc"}, "mailbox_modified"),
        Call("edit/tls_policy", (ANN,), {"tls_enforce_in": 1}, "mailbox_modified"),
    )
    assert [request.is_done(Shown(found)) for request in requests_of(left)] == [True, False]
    assert left.remember == NEW.remember


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
    assert is_done(change, Shown(existing(ANN, senders=[BOB]))) is done


@pytest.mark.parametrize(
    ("kind", "found", "done"),
    [
        (Kind.CREATE, [alias(INFO, ANN)], True),
        (Kind.UPDATE, [alias(INFO, ANN)], True),
        (Kind.UPDATE, [alias(INFO, BOB)], False),
        (Kind.UPDATE, [alias(INFO, ANN, mark="")], False),
        (Kind.CREATE, [], False),
        (Kind.REMOVE, [], True),
        (Kind.REMOVE, [alias(INFO, ANN)], False),
        pytest.param(Kind.REMOVE, [alias(INFO, ANN, number=7)], True, id="another alias of that address"),
    ],
)
def test_an_alias_is_done_once_all_its_values_show(kind: Kind, found: list[ExistingAlias], done: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    writes: dict[str, Value] = {"goto": ANN, "private_comment": MARK}
    number = None if kind is Kind.CREATE else number_of(INFO)
    assert is_done(AliasChange(kind, INFO, Rule.LDAP, writes=writes, number=number), Shown(*found)) is done
