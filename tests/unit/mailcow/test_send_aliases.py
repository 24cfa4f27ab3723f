"""Outcomes of calls about aliases and senders: what an item is called, and successes that wrote only a part."""

from __future__ import annotations

from typing import cast

import pytest

from ldap2mailcow.http import Http, Reply
from ldap2mailcow.mailcow import Mailcow, Sent, send
from ldap2mailcow.model import Call

from .test_send import Server, ok, said, sent

INFO, SALES, HELP = "info@example.org", "sales@example.org", "help@example.org"
ADD = Call("add/alias", (INFO,), {"goto": "ann@example.org"}, "alias_added")
ADDS = Call("add/alias", (INFO, SALES, HELP), {"goto": "ann@example.org"}, "alias_added")
EDIT = Call("edit/alias", ("26",), {"active": 0}, "alias_modified", (INFO,))
EDITS = Call("edit/alias", ("26", "27", "28"), {"active": 0}, "alias_modified", (INFO, SALES, HELP))
DELETE = Call("delete/alias", ("26",), {}, "alias_removed", (INFO,))
DELETES = Call("delete/alias", ("26", "27", "28"), {}, "alias_removed", (INFO, SALES, HELP))
SENDERS = Call("edit/mailbox", ("ann@example.org",), {"sender_acl": [INFO]}, "mailbox_modified")
NOTHING = Reply(200, "application/json", '{"type":"success","msg":"Task completed"}')


def added(address: str) -> tuple[str, object]:
    return "success", ["alias_added", address, "26"]


def test_a_new_alias_is_done_by_its_address() -> None:
    assert sent(ADD, said(added(INFO))) == Sent(done=frozenset({INFO}))
    assert sent(ADDS, said(added(HELP), added(INFO), added(SALES))).done == {INFO, SALES, HELP}


@pytest.mark.parametrize(("call", "code"), [(EDIT, "alias_modified"), (DELETE, "alias_removed")])
def test_a_number_is_done_by_the_address_that_mailcow_calls_it(call: Call, code: str) -> None:
    assert sent(call, said(ok(INFO, code))) == Sent(done=frozenset({"26"}))
    assert sent(call, said(ok("INFO@example.org", code))).done == {"26"}
    assert sent(call, said(ok(SALES, code))).unknown == {"26"}
    assert sent(call, said(ok("26", code))).unknown == {"26"}


def test_a_catch_all_and_an_address_in_the_form_of_html_are_known() -> None:
    call = Call("edit/alias", ("26", "27"), {"active": 0}, "alias_modified", ("@example.org", "o'b&c@example.org"))
    answer = said(ok("@example.org", "alias_modified"), ok("o&#039;b&amp;c@example.org", "alias_modified"))
    assert sent(call, answer).done == {"26", "27"}


@pytest.mark.parametrize("danger", [("danger", ["goto_invalid", "null@localhost"]), ("danger", "alias_goto_identical")])
def test_a_success_after_a_lost_target_proves_nothing(danger: tuple[str, object]) -> None:
    """edit/alias says alias_modified after it wrote nothing; add/alias adds without that target."""
    assert sent(EDIT, said(danger, ok(INFO, "alias_modified"))).unknown == {"26"}
    assert sent(ADD, said(danger, added(INFO))).unknown == {INFO}


def test_of_several_nobody_knows_who_lost_a_target() -> None:
    answers = [ok(name, "alias_modified") for name in (INFO, SALES, HELP)]
    outcome = sent(EDITS, said(("danger", ["goto_invalid", "null@localhost"]), *answers))
    assert outcome.unknown == {"26", "27", "28"}
    assert "null@localhost" in outcome.why
    assert sent(EDITS, said(*answers)).done == {"26", "27", "28"}
    assert sent(ADDS, said(("danger", ["goto_invalid", "x@y"]), added(INFO), added(SALES))).unknown == {
        INFO,
        SALES,
        HELP,
    }


def test_without_a_target_nothing_is_added() -> None:
    outcome = sent(ADD, said(("danger", ["goto_invalid", "nonsense"])))
    assert outcome.refused[INFO].startswith("mailcow doesn't take nonsense as a target")


def test_an_alias_that_only_goes_to_itself_is_left_open() -> None:
    """mailcow skips it without a word."""
    outcome = sent(ADD, NOTHING)
    assert outcome.unknown == {INFO}
    assert "nothing to do" in outcome.why


def test_of_several_addresses_each_is_told_by_its_name() -> None:
    answer = said(added(INFO), ("danger", ["is_alias_or_mailbox", SALES]))
    outcome = sent(ADDS, answer)
    assert outcome.done == {INFO}
    assert outcome.refused[SALES].startswith(f"{SALES} is an alias in mailcow already")
    assert outcome.unknown == {HELP}


def test_a_full_domain_ends_the_call_for_all_that_follow() -> None:
    outcome = sent(ADDS, said(added(INFO), ("danger", "max_alias_exceeded")))
    assert outcome.done == {INFO}
    assert outcome.refused.keys() == {SALES, HELP}
    assert "'Max. possible aliases'" in outcome.refused[HELP]
    assert not outcome.unknown


def test_a_full_domain_leaves_what_was_refused_before_its_own_reason() -> None:
    outcome = sent(ADDS, said(("danger", ["is_alias_or_mailbox", INFO]), ("danger", "max_alias_exceeded")))
    assert "already" in outcome.refused[INFO]
    assert "already" not in outcome.refused[SALES]


@pytest.mark.parametrize("code", ["comment_too_long", "alias_empty", "goto_empty"])
def test_what_is_checked_before_the_first_address_refuses_all(code: str) -> None:
    assert sent(ADDS, said(("danger", code))).refused.keys() == {INFO, SALES, HELP}


def test_only_a_danger_ends_a_call() -> None:
    assert sent(ADDS, said(added(INFO), ("warning", "max_alias_exceeded"))).unknown == {SALES, HELP}


@pytest.mark.parametrize(
    ("call", "danger"),
    [(EDIT, ("danger", ["alias_invalid", None])), (DELETE, ("danger", "access_denied"))],
)
def test_a_number_that_is_gone_has_to_be_read_again(call: Call, danger: tuple[str, object]) -> None:
    outcome = sent(call, said(danger))
    assert outcome.unknown == {"26"}
    assert outcome.why.startswith("mailcow has no such alias any more")


def test_of_several_a_number_that_is_gone_names_another_one() -> None:
    """The danger carries the address of the item before."""
    answer = said(ok(INFO, "alias_modified"), ("danger", ["alias_invalid", INFO]), ok(HELP, "alias_modified"))
    outcome = sent(EDITS, answer)
    assert outcome.done == {"28"}
    assert outcome.unknown == {"26", "27"}
    assert not outcome.refused
    deleted = sent(DELETES, said(ok(INFO, "alias_removed"), ("danger", "access_denied"), ok(HELP, "alias_removed")))
    assert deleted.done == {"26", "28"}
    assert deleted.unknown == {"27"}


def test_an_odd_address_refuses_a_new_alias() -> None:
    assert sent(ADD, said(("danger", ["alias_invalid", INFO]))).refused[INFO].startswith("mailcow doesn't take info@")


@pytest.mark.parametrize(
    "code", ["sender_acl_invalid", "extra_acl_invalid", "extra_acl_invalid_domain", "extended_sender_acl_denied"]
)
def test_a_refused_sender_leaves_it_open_for_the_rest_was_saved(code: str) -> None:
    danger = ("danger", [code, "x@elsewhere.org"])
    outcome = sent(SENDERS, said(danger, ok("ann@example.org")))
    assert outcome.unknown == {"ann@example.org"}
    assert sent(SENDERS, said(danger)).unknown == {"ann@example.org"}
    several = Call("edit/mailbox", ("ann@example.org", "bob@example.org"), SENDERS.attr, "mailbox_modified")
    assert sent(several, said(ok("ann@example.org"), danger, ok("bob@example.org"))).unknown == set(several.items)


@pytest.mark.parametrize("code", ["password_mismatch", "password_complexity", "password_empty"])
def test_a_refused_password_comes_after_the_senders_were_saved(code: str) -> None:
    answer = said(("danger", code))
    assert sent(SENDERS, answer).unknown == {"ann@example.org"}
    external = Call("edit/mailbox", SENDERS.items, {"extended_sender_acl": ""}, "mailbox_modified")
    assert sent(external, answer).unknown == {"ann@example.org"}
    assert sent(Call("edit/mailbox", SENDERS.items, {"name": "A"}, "mailbox_modified"), answer).refused
    assert sent(SENDERS, said(("danger", ["mailbox_quota_left_exceeded", 5]))).refused


@pytest.mark.parametrize("endpoint", ["edit/alias", "delete/alias"])
def test_an_alias_is_never_named_by_its_address(endpoint: str) -> None:
    """mailcow would take the digits at the front of one for the number of another alias."""
    server = Server(said())
    with pytest.raises(ValueError, match="26foo@"):
        send(Mailcow(cast("Http", server)), Call(endpoint, ("26foo@example.org",), {}, "alias_removed"))
    assert server.sent == []


# what a rename makes besides

RENAME = Call("edit/rename-mbox", ("ann@example.org",), {"create_alias": 1}, "mailbox_renamed")
RENAMED = ("success", ["mailbox_renamed", "ann@example.org", "bob@example.org"])


def made(address: object, *number: object) -> tuple[str, object]:
    return "success", ["alias_added", address, *number]


@pytest.mark.parametrize("number", ["26", 26])
def test_the_alias_that_a_rename_leaves_is_told_by_its_number(number: object) -> None:
    """It is named before the renaming itself (docs/mailcow-api.md section 15)."""
    outcome = sent(RENAME, said(made("Ann@example.org", number), RENAMED))
    assert outcome == Sent(done=frozenset({"ann@example.org"}), made={"ann@example.org": 26})


def test_an_alias_in_the_form_of_html_is_told_as_it_is() -> None:
    assert sent(RENAME, said(made("o&#039;b&amp;c@example.org", "26"), RENAMED)).made == {"o'b&c@example.org": 26}


@pytest.mark.parametrize(
    "message",
    [
        made("ann@example.org"),
        made("ann@example.org", None),
        made("ann@example.org", "-1"),
        ("success", ["alias_added"]),
        ("success", "alias_added"),
        ("info", ["alias_added", "ann@example.org", "26"]),
        ("success", ["alias_modified", "ann@example.org", "26"]),
    ],
)
def test_what_has_no_number_is_not_known_to_be_made(message: tuple[str, object]) -> None:
    assert sent(RENAME, said(message, RENAMED)) == Sent(done=frozenset({"ann@example.org"}))


def test_nothing_is_made_besides_what_an_alias_call_asks_for() -> None:
    assert sent(ADD, said(added(INFO))).made == {}


def test_a_rename_that_is_not_confirmed_made_nothing_for_certain() -> None:
    outcome = sent(RENAME, said(made("ann@example.org", "26")))
    assert (outcome.unknown, dict(outcome.made)) == (frozenset({"ann@example.org"}), {})
