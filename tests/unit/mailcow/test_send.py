"""Outcomes: an item is done only by its own code, refused only when it surely wasn't changed, else unknown."""

from __future__ import annotations

import json
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ldap2mailcow.http import Http, NoAnswer, Reply, Unreachable
from ldap2mailcow.mailcow import ENDPOINTS, Mailcow, Refused, Sent, send
from ldap2mailcow.model import Call

ANN, BOB, CAT = "ann@example.org", "bob@example.org", "cat@example.org"
DEADLOCK = "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock"
CREATE = Call("add/mailbox", (ANN,), {"local_part": "ann", "domain": "example.org"}, "mailbox_added")
EDIT = Call("edit/mailbox", (ANN,), {"name": "Ann"}, "mailbox_modified")
EDITS = Call("edit/mailbox", (ANN, BOB, CAT), {"active": 1}, "mailbox_modified")


class Server:
    """Stands where the transport does: says one thing, and keeps what it was sent."""

    def __init__(self, said: Reply | Exception) -> None:
        self.said = said
        self.sent: list[tuple[str, str]] = []

    def post(self, path: str, body: str) -> Reply:
        self.sent.append((path, body))
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def sent(call: Call, said: Reply | Exception) -> Sent:
    return send(Mailcow(cast("Http", Server(said))), call)


def said(*messages: tuple[str, object] | object) -> Reply:
    """An answer of mailcow's: a list of messages, given as (type, msg)."""
    entries = [{"type": m[0], "msg": m[1], "log": []} if isinstance(m, tuple) else m for m in messages]
    return Reply(200, "application/json", json.dumps(entries))


def ok(item: str, code: str = "mailbox_modified") -> tuple[str, object]:
    return "success", [code, item]


def test_an_item_is_done_by_its_own_code() -> None:
    answer = said(("success", ["rl_saved", ANN]), ok("ANN@example.org", "mailbox_added"))
    assert sent(CREATE, answer) == Sent(done=frozenset({ANN}))


@pytest.mark.parametrize("named", ["o&#039;neil&amp;son@example.org", "O'Neil&Son@example.org"])
def test_an_address_is_known_in_the_form_of_html_too(named: str) -> None:
    """mailbox_added carries it that way, mailbox_modified as it is."""
    address = "o'neil&son@example.org"
    call = Call("add/mailbox", (address,), {}, "mailbox_added")
    assert sent(call, said(ok(named, "mailbox_added"))).done == {address}


@pytest.mark.parametrize("code", ["mailbox_quota_exceeded", "something_new"])
def test_a_danger_of_a_check_refuses(code: str) -> None:
    outcome = sent(CREATE, said(("danger", [code, 500])))
    assert (outcome.done, outcome.unknown, outcome.why) == (frozenset(), frozenset(), "")
    assert "500" in outcome.refused[ANN]


def test_a_danger_without_a_name_belongs_to_the_only_item() -> None:
    outcome = sent(EDIT, said(("danger", "access_denied")))
    assert outcome.refused[ANN].startswith("mailcow knows no such mailbox")


def test_two_dangers_are_both_told() -> None:
    outcome = sent(EDIT, said(("danger", "access_denied"), ("error", "password_complexity")))
    assert "no such mailbox" in outcome.refused[ANN]
    assert "password policy" in outcome.refused[ANN]


def test_a_refused_rate_limit_takes_nothing_from_a_new_mailbox() -> None:
    answer = said(("danger", "rl_timeframe"), ok(ANN, "mailbox_added"))
    assert sent(CREATE, answer).done == {ANN}


@pytest.mark.parametrize("code", ["access_denied", "sender_acl_invalid", DEADLOCK])
def test_a_danger_before_a_success_leaves_it_open(code: str) -> None:
    outcome = sent(EDIT, said(("danger", code), ok(ANN)))
    assert outcome.unknown == {ANN}
    assert outcome.why


def test_a_warning_beside_a_success_does_no_harm() -> None:
    assert sent(EDIT, said(("warning", "Could not move maildir"), ok(ANN))).done == {ANN}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (said(("danger", DEADLOCK)), "busy"),
        (said(("danger", "access_denied"), ("danger", DEADLOCK)), "busy"),
        (said(("danger", ["mysql_error", {"errorInfo": ["23000", 1062, "Duplicate entry"]}])), "refused the call"),
        (said(("success", ["rl_saved", ANN])), "didn't confirm"),
        (said(("danger", "rl_timeframe")), "didn't confirm"),
        (said(("info", ["mailbox_modified", ANN])), "didn't confirm"),
        (said(("success", ["mailbox_modified", BOB])), "didn't confirm"),
        (said(("success", "mailbox_modified")), "didn't confirm"),
        (said(("success", ["mailbox_modified", None])), "didn't confirm"),
        (said(("success", [])), "didn't confirm"),
        (said(None, 7, {}), "didn't confirm"),
        (said(), "didn't confirm"),
        (Reply(200, "application/json", ""), "empty answer"),
        (Reply(200, "application/json", '{"type":"success","msg":"Task completed"}'), "nothing to do"),
        (Reply(200, "application/json", '{"type":"error","msg":"no"}'), "mailcow says: no"),
        (Reply(200, "application/json", "{}"), "a form that is not known"),
        (Reply(200, "text/html", "<html>"), "a form that is not known"),
        (Reply(413, "text/html", "<html>"), "(HTTP 413) has a form that is not known"),
        (Reply(500, "text/html", "Connection to Redis failed"), "Redis"),
        (Reply(502, "text/html", "Preparing"), "starting"),
        (NoAnswer("no answer in time"), "no answer in time"),
    ],
)
def test_what_proves_nothing_has_to_be_read_again(reply: Reply | Exception, why: str) -> None:
    outcome = sent(EDIT, reply)
    assert outcome == Sent(unknown=frozenset({ANN}), why=outcome.why)
    assert why in outcome.why


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_call_that_mailcow_does_not_take_is_refused_for_all(status: int) -> None:
    outcome = sent(EDITS, Reply(status, "application/json", '{"type":"error","msg":"route not found"}'))
    assert outcome.refused.keys() == {ANN, BOB, CAT}
    assert "update mailcow" in outcome.refused[ANN]


def test_of_several_items_each_is_told_by_its_name() -> None:
    outcome = sent(EDITS, said(ok(ANN), ("danger", ["username_invalid", BOB]), ok(CAT)))
    assert outcome.done == {ANN, CAT}
    assert outcome.refused.keys() == {BOB}
    assert not outcome.unknown


def test_of_several_items_a_danger_without_a_name_leaves_the_others_open() -> None:
    outcome = sent(EDITS, said(ok(ANN), ("danger", "access_denied"), ("danger", ["username_invalid", CAT])))
    assert outcome.done == {ANN}
    assert outcome.refused.keys() == {CAT}
    assert outcome.unknown == {BOB}
    assert outcome.why.startswith("mailcow knows no such mailbox")
    assert CAT not in outcome.why


def test_a_deadlock_ends_the_call_for_the_items_after_it() -> None:
    outcome = sent(EDITS, said(ok(ANN), ("danger", DEADLOCK)))
    assert outcome == Sent(frozenset({ANN}), {}, frozenset({BOB, CAT}), outcome.why)
    assert "busy" in outcome.why


def test_of_several_items_a_danger_that_names_one_takes_its_success() -> None:
    outcome = sent(EDITS, said(ok(ANN), ("danger", ["some_thing", BOB]), ok(BOB), ("danger", ["mysql_error", CAT])))
    assert outcome.done == {ANN}
    assert outcome.unknown == {BOB, CAT}


MESSAGE = st.tuples(
    st.sampled_from(["success", "danger", "warning", "error"]),
    st.one_of(
        st.sampled_from(["access_denied", DEADLOCK, "Task completed"]),
        st.tuples(
            st.sampled_from(["mailbox_modified", "rl_saved", "username_invalid"]),
            st.sampled_from([ANN, BOB, "x", None]),
        ).map(list),
    ),
)


@given(st.lists(MESSAGE, max_size=6), st.sampled_from([EDIT, EDITS]))
def test_every_item_has_exactly_one_outcome(messages: list[tuple[str, object]], call: Call) -> None:
    outcome = sent(call, said(*messages))
    assert isinstance(outcome.unknown, frozenset)
    told = [*outcome.done, *outcome.refused, *outcome.unknown]
    assert sorted(told) == sorted(call.items)
    for item in outcome.done:
        assert ("success", ["mailbox_modified", item]) in messages
    assert bool(outcome.why) == bool(outcome.unknown)


def test_a_refused_key_and_a_closed_door_end_the_run() -> None:
    with pytest.raises(Refused):
        sent(EDIT, Reply(403, "application/json", '{"type":"error","msg":"API read/write access denied"}'))
    with pytest.raises(Unreachable):
        sent(EDIT, Unreachable("no connection"))


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (CREATE, "add/mailbox", {"local_part": "ann", "domain": "example.org"}),
        (EDITS, "edit/mailbox", {"items": [ANN, BOB, CAT], "attr": {"active": 1}}),
        (
            Call("edit/tls_policy", (ANN,), {"tls_enforce_in": 1}, "mailbox_modified"),
            "edit/tls_policy",
            {"items": [ANN], "attr": {"tls_enforce_in": 1}},
        ),
        (
            Call("add/alias", (ANN, BOB), {"goto": CAT, "active": 1}, "alias_added"),
            "add/alias",
            {"address": f"{ANN},{BOB}", "goto": CAT, "active": 1},
        ),
        (
            Call("edit/alias", ("26", "27"), {"goto": CAT}, "alias_modified", (ANN, BOB)),
            "edit/alias",
            {"items": [26, 27], "attr": {"goto": CAT}},
        ),
        (Call("delete/alias", ("26", "27"), {}, "alias_removed", (ANN, BOB)), "delete/alias", [26, 27]),
        (
            Call("delete/mailbox/tag", ("p+q@example.org",), {"tags": ["a", "b"]}, "mailbox_modified"),
            "delete/mailbox/tag/p%252Bq@example.org",
            ["a", "b"],
        ),
    ],
)
def test_each_endpoint_has_its_form(call: Call, path: str, body: object) -> None:
    server = Server(said())
    send(Mailcow(cast("Http", server)), call)
    ((to, text),) = server.sent
    assert (to, json.loads(text)) == (path, body)


def test_secrets_are_taken_out_for_the_request_only() -> None:
    server = Server(NoAnswer("no answer"))
    call = Call("edit/mailbox", (ANN,), {"password": SecretStr("{SSHA}x"), "password2": SecretStr("{SSHA}x")}, "c")
    outcome = send(Mailcow(cast("Http", server)), call)
    assert json.loads(server.sent[0][1])["attr"] == {"password": "{SSHA}x", "password2": "{SSHA}x"}
    assert "SSHA" not in repr(outcome) + repr(call)


def test_what_json_does_not_know_is_not_sent() -> None:
    server = Server(said())
    with pytest.raises(TypeError, match="a frozenset can't be sent"):
        send(Mailcow(cast("Http", server)), Call("add/mailbox", (ANN,), {"tags": frozenset("a")}, "mailbox_added"))
    assert server.sent == []


def test_the_endpoints_are_told() -> None:
    assert {"add/mailbox", "edit/mailbox", "edit/tls_policy", "delete/mailbox/tag", "get/domain/all"} <= ENDPOINTS
    assert {"add/alias", "edit/alias", "delete/alias", "get/alias/all", "get/alias-domain/all"} <= ENDPOINTS
