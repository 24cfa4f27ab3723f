"""Keys, methods, bodies: what happens before a call is looked at."""

import json
from urllib.parse import quote, urlencode

import pytest

from .client import Client
from .endpoints import exercises
from .place import Place

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@exercises("get/status/version")
def test_version_is_the_cheapest_probe(place: Place) -> None:
    """'get/status/version -> {"version":"2026-07a"}' (mailcow API facts §10)."""
    answer = place.api.get("get/status/version")
    assert (answer.status, answer.content_type, list(answer.json)) == (200, "application/json", ["version"])


@exercises("get/status/containers")
def test_containers_tell_their_state(place: Place) -> None:
    """'get/status/containers need dockerapi': name, state and start of each (mailcow API facts §10)."""
    found = place.api.get("get/status/containers").json
    assert {"type", "container", "state", "started_at"} <= set(found["dovecot-mailcow"])


@exercises("get/passwordpolicy")
def test_password_policy_is_texts(place: Place) -> None:
    """'get/passwordpolicy -> strings {"length":"6","chars":"0",…}' (mailcow API facts §4)."""
    policy = place.api.get("get/passwordpolicy").json
    assert set(policy) == {"length", "chars", "special_chars", "lowerupper", "numbers"}
    assert {type(value) for value in policy.values()} == {str}


def test_each_answer_sets_a_session_cookie(place: Place) -> None:
    """'Every response sets a MCSESSID cookie' (mailcow API facts §1)."""
    assert place.api.get("get/status/version").cookie.startswith("MCSESSID=")


def test_wrong_key_is_401_as_html_with_json_inside(place: Place, nobody: Client) -> None:
    """'wrong or inactive key: 401, text/html (JSON text inside), authentication failed' (mailcow API facts §1)."""
    place.own_server()  # a real one counts wrong keys and bans the address
    nobody.key = "wrong"
    answer = nobody.get("get/domain/all")
    assert (answer.status, answer.content_type) == (401, "text/html")
    assert answer.json == {"type": "error", "msg": "authentication failed"}


@pytest.mark.parametrize("path", ["get/domain/all", "get/nothing"])
def test_no_key_reads_nothing_with_200(nobody: Client, path: str) -> None:
    """'no key, GET (even an unknown route): 200, application/json, (empty)' (mailcow API facts §1)."""
    answer = nobody.get(path)
    assert (answer.status, answer.content_type, answer.text) == (200, "application/json", "")


def test_empty_key_counts_as_none(nobody: Client) -> None:
    """'Also empty with 200: a GET without (or with an empty) X-API-Key' (mailcow API facts §0.3)."""
    nobody.key = ""
    assert nobody.get("get/domain/all").text == ""


def test_no_key_adds_nothing(nobody: Client) -> None:
    """'no key, add/*: 200, [{"type":"danger",…,"msg":"access_denied"}]' (mailcow API facts §1)."""
    assert nobody.post("add/domain", {"domain": "c0.test"}).said == [("danger", "access_denied")]


@pytest.mark.parametrize("path", ["edit/mailbox", "delete/mailbox"])
def test_no_key_may_not_edit_or_delete(nobody: Client, path: str) -> None:
    """'no key, edit/* delete/*: 403, API read/write access denied' (mailcow API facts §1)."""
    answer = nobody.post(path, [])
    assert (answer.status, answer.json["msg"]) == (403, "API read/write access denied")


def test_case_and_odd_characters_of_the_key_do_not_matter(place: Place) -> None:
    """'Characters outside [A-Za-z0-9-] are stripped, the compare is case-insensitive' (mailcow API facts §1)."""
    assert place.api.key is not None
    place.api.key = f" {place.api.key.lower()}!"
    assert "version" in place.api.get("get/status/version").json


@pytest.mark.parametrize("path", ["add/domain", "edit/mailbox", "delete/mailbox"])
def test_read_only_key_may_not_write(place: Place, path: str) -> None:
    """'ro key on add/edit/delete: 403, API read/write access denied' (mailcow API facts §1)."""
    if place.reader is None:
        pytest.skip("no read-only key was given")
    answer = place.reader.post(path, {})
    assert (answer.status, answer.content_type) == (403, "application/json")
    assert answer.json == {"type": "error", "msg": "API read/write access denied"}


def test_read_only_key_may_read(place: Place) -> None:
    """Key rows have 'access ro|rw' (mailcow API facts §1)."""
    if place.reader is None:
        pytest.skip("no read-only key was given")
    assert "version" in place.reader.get("get/status/version").json


def test_empty_form_tells_whether_one_may_write(place: Place) -> None:
    """'A form POST without fields to edit/mailbox: 403 read-only, 200 Cannot find attributes…' (facts §15)."""
    answer = place.api.send("POST", "edit/mailbox", b"", FORM)
    assert (answer.status, answer.json["msg"]) == (200, "Cannot find attributes in post data")
    if place.reader is not None:
        assert place.reader.send("POST", "edit/mailbox", b"", FORM).status == 403


def test_json_without_its_header_is_not_seen(place: Place) -> None:
    """'Without that header a JSON body is ignored: Cannot find attributes in post data' (mailcow API facts §1)."""
    answer = place.api.send("POST", "add/domain", b'{"domain": "c0.test"}')
    assert (answer.status, answer.json["msg"]) == (200, "Cannot find attributes in post data")


def test_charset_in_the_header_is_fine(place: Place) -> None:
    """'a ; charset= suffix is fine' (mailcow API facts §1)."""
    answer = place.api.send("POST", "delete/alias", b"[]", {"Content-Type": "application/json; charset=utf-8"})
    assert answer.json == {"type": "success", "msg": "Task completed"}


def test_form_posts_work_too(place: Place) -> None:
    """'Form posts attr=<json>&items=<json> work too' (mailcow API facts §1)."""
    ann = place.mailbox(place.domain())
    body = urlencode({"items": json.dumps([ann]), "attr": json.dumps({"name": "By Form"})}).encode()
    assert place.api.send("POST", "edit/mailbox", body, FORM).said == [("success", ["mailbox_modified", ann])]
    assert place.read(ann)["name"] == "By Form"


@pytest.mark.parametrize("body", [b"", b"null", b"{nope"])
def test_no_json_is_400(place: Place, body: bytes) -> None:
    """'invalid / empty / null JSON body: 400, Request body doesn't contain valid json!' (mailcow API facts §1)."""
    answer = place.api.send("POST", "add/domain", body, JSON)
    assert (answer.status, answer.json["msg"]) == (400, "Request body doesn't contain valid json!")


def test_unknown_route_is_404(place: Place) -> None:
    """'unknown route: 404, route not found' (mailcow API facts §1)."""
    answer = place.api.get("get/nothing")
    assert (answer.status, answer.json) == (404, {"type": "error", "msg": "route not found"})


def test_put_is_405(place: Place) -> None:
    """'wrong method: 405, only POST method is allowed' (mailcow API facts §1)."""
    answer = place.api.send("PUT", "add/mailbox", b"{}", JSON)
    assert (answer.status, answer.json["msg"]) == (405, "only POST method is allowed")


def test_post_to_a_read_is_405(place: Place) -> None:
    """'POST on get: 405, only GET …' (mailcow API facts §1)."""
    answer = place.api.post("get/domain/all", {})
    assert (answer.status, answer.json["msg"]) == (405, "only GET method is allowed")


def test_get_of_a_write_is_200(place: Place) -> None:
    """'GET on add/edit: 200, Cannot find attributes in post data' (mailcow API facts §1)."""
    answer = place.api.get("add/mailbox")
    assert (answer.status, answer.json["msg"]) == (200, "Cannot find attributes in post data")


def test_browser_fetches_are_403(place: Place) -> None:
    """'header Sec-Fetch-Dest present and not empty: 403, (empty)' (mailcow API facts §1)."""
    answer = place.api.send("GET", "get/status/version", headers={"Sec-Fetch-Dest": "document"})
    assert (answer.status, answer.text) == (403, "")


def test_no_items_is_success_with_nothing_done(place: Place) -> None:
    """'{"type":"success","msg":"Task completed"} means nothing was done (empty items)' (mailcow API facts §0.4)."""
    assert place.api.edit("mailbox", [], name="x").json == {"type": "success", "msg": "Task completed"}


def test_entries_echo_the_request_with_passwords_as_stars(place: Place) -> None:
    """'log [function,action,type,<echo of the request, password(2) as "*">,null]' (mailcow API facts §1)."""
    ann = place.mailbox(place.domain())
    answer = place.api.edit("mailbox", ann, password="{CRYPT}!", password2="{CRYPT}!")
    echo = {"username": [ann], "password": "*", "password2": "*"}
    assert answer.json[0]["log"] == ["mailbox", "edit", "mailbox", echo, None]


def test_items_may_be_one_text(place: Place) -> None:
    """'items may be one string' (mailcow API facts §1)."""
    ann = place.mailbox(place.domain())
    answer = place.api.post("edit/mailbox", {"items": ann, "attr": {"name": "One"}})
    assert answer.said == [("success", ["mailbox_modified", ann])]


@pytest.mark.parametrize("local_part", ["p+tag", "p&q", "p%41"])
def test_path_is_decoded_twice(place: Place, local_part: str) -> None:
    """'nginx decodes the path once and PHP again: double-encode + & % # ?' (mailcow API facts §1)."""
    ann = place.mailbox(place.domain(), local_part) if local_part == "p+tag" else None
    if ann is None:
        domain = place.domain()
        place.api.post("add/mailbox", {"local_part": local_part, "domain": domain, "password": "{CRYPT}!",
                                       "password2": "{CRYPT}!", "active": 1})  # fmt: skip
        ann = f"{local_part}@{domain}"
    assert place.api.get(f"get/mailbox/{quote(ann)}").json == {}
    assert place.api.get(f"get/mailbox/{quote(quote(ann))}").json["username"] == ann


def test_a_crash_is_told_to_the_next_call_with_the_cookie(place: Place) -> None:
    """'with a cookie the error of a crashed call shows up at the head of the next call's list' (facts §1)."""
    domain = place.domain()
    cookie = {"Cookie": place.api.get("get/status/version").cookie.partition(";")[0]}
    body = json.dumps({"items": [domain], "attr": {"tags": ["x", "x"]}}).encode()
    assert place.api.send("POST", "edit/domain", body, JSON | cookie).text == ""
    told = place.api.send("POST", "edit/domain", b'{"items": ["c0.test"], "attr": {}}', JSON | cookie)
    assert [entry["msg"][0] if isinstance(entry["msg"], list) else entry["msg"] for entry in told.json] == [
        "mysql_error",
        "domain_invalid",
    ]
    assert told.json[0]["log"] == ["exception_handler"]


def test_a_crash_stands_alone_without_the_cookie(place: Place) -> None:
    """'Do not keep cookies (then each response stands alone)' (mailcow API facts §1)."""
    domain = place.domain()
    assert place.api.edit("domain", domain, tags=["x", "x"]).text == ""
    assert place.api.edit("domain", "c0.test").said == [("danger", "domain_invalid")]
