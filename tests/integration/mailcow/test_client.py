"""What counts as an answer of mailcow's, what is asked again, and what ends everything."""

from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.mailcow import Mailcow, NoAnswer, Refused, Unavailable, Unreachable

from .scripted import KEY, Say, as_json, in_turn, mailcow, scripted

WRONG_KEY = Say('{"type":"error","msg":"authentication failed"}', 401, "text/html")
FOREIGN_IP = Say('{"type":"error","msg":"api access denied for ip 192.0.2.7"}', 401, "text/html")
READ_ONLY = Say('{"type":"error","msg":"API read/write access denied"}', 403)
GOOD = as_json({"version": "2026-07a"})
PREPARING = Say("<title>Preparing</title>", 502, "text/html")


def test_an_answer_is_read_from_json() -> None:
    with mailcow(in_turn(GOOD)) as (server, client):
        assert client.get("get/status/version") == {"version": "2026-07a"}
    assert server.paths == ["get/status/version"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (WRONG_KEY, "mailcow doesn't accept mailcow_api_key"),
        (FOREIGN_IP, "mailcow doesn't let 192.0.2.7 use its API"),
        (READ_ONLY, "mailcow_api_key may only read"),
        (Say('{"type":"error","msg":"no"}', 403), r"refuses us with HTTP 403 \(no\)"),
        (Say("", 403), r"refuses us with HTTP 403; check"),
        (Say("<html>", 401, "text/html"), "or a proxy before it, refuses us with HTTP 401"),
    ],
)
def test_a_refusal_ends_everything_with_one_request(said: Say, sentence: str) -> None:
    """Failed keys are counted by mailcow's netfilter, which bans the address."""
    with mailcow(in_turn(said)) as (server, client):
        with pytest.raises(Refused, match=sentence) as caught:
            client.get("get/domain/all")
        with pytest.raises(Refused, match=sentence):
            client.get("get/domain/all")
        with pytest.raises(Refused, match=sentence):
            client.post("edit/mailbox", "{}")
    assert len(server.asked) == 1
    assert KEY not in caught.value.sentence


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (PREPARING, "mailcow is starting"),
        (Say("<center>Connection to database failed.", 500, "text/html"), "mysql-mailcow"),
        (Say("<center>Connection to Redis failed.", 500, "text/html"), "Redis doesn't answer"),
        (Say("<center>Connection to dockerapi container failed.", 500, "text/html"), "dockerapi-mailcow"),
        (Say("", 503), "HTTP 503; see the logs"),
        (Say(""), "empty answer"),
        (Say(" \n"), "empty answer"),
    ],
)
def test_a_broken_mailcow_is_asked_three_times(said: Say, sentence: str) -> None:
    with mailcow(in_turn(said)) as (server, client):
        with pytest.raises(Unavailable, match=sentence) as caught:
            client.get("get/domain/all")
        assert not caught.value.lasting
    assert len(server.asked) == 3


def test_an_answer_at_the_last_try_is_taken() -> None:
    with mailcow(in_turn(PREPARING, None, GOOD)) as (server, client):
        assert client.get("get/status/version") == {"version": "2026-07a"}
    assert len(server.asked) == 3


def test_a_refusal_at_the_second_try_ends_it() -> None:
    with mailcow(in_turn(Say(""), WRONG_KEY)) as (server, client), pytest.raises(Refused):
        client.get("get/domain/all")
    assert len(server.asked) == 2


def test_a_dropped_connection_is_tried_again_and_then_told() -> None:
    with mailcow(in_turn(None)) as (server, client), pytest.raises(NoAnswer):
        client.get("get/domain/all")
    assert len(server.asked) == 3


def test_trying_again_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with mailcow(in_turn(PREPARING, GOOD)) as (_, client):
        client.get("get/status/version")
    (record,) = caplog.records
    assert record.getMessage().startswith("trying again, for the last try ended so: mailcow is starting")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Say("<html>Welcome", 200, "text/html"), r"not mailcow's API \(HTTP 200, text/html\)"),
        (Say("<html>none", 404, "text/html"), r"not mailcow's API \(HTTP 404, text/html\)"),
        (Say('{"type":"error","msg":"route not found"}', 404), "this mailcow doesn't know the call"),
        (Say('{"type":"error","msg":"only POST method is allowed"}', 405), "mailcow says: only POST method"),
        (Say("[]", 400), "mailcow answers with HTTP 400"),
    ],
)
def test_what_is_not_an_answer_of_the_api_is_asked_once(said: Say, sentence: str) -> None:
    with mailcow(in_turn(said)) as (server, client):
        with pytest.raises(Unavailable, match=sentence) as caught:
            client.get("get/domain/all")
        assert caught.value.lasting
    assert len(server.asked) == 1


def test_a_redirect_is_asked_once() -> None:
    said = Say(status=302, headers={"Location": "/login"})
    with mailcow(in_turn(said)) as (server, client), pytest.raises(Unreachable, match="redirect"):
        client.get("get/domain/all")
    assert len(server.asked) == 1


def test_threads_share_a_client() -> None:
    """More threads than connections: each request goes out once, and none breaks another's connection."""
    with mailcow(in_turn(GOOD)) as (server, client), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.get, ["get/status/version"] * 200))
    assert answers == [{"version": "2026-07a"}] * 200
    assert len(server.asked) == 200


@pytest.mark.parametrize("said", [PREPARING, Say(""), Say("[]", 400)])
def test_a_write_is_never_sent_twice(said: Say) -> None:
    with mailcow(in_turn(said)) as (server, client):
        assert client.post("edit/mailbox", "{}").status == said.status
    assert len(server.asked) == 1


def test_the_log_names_the_request_and_not_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with mailcow(in_turn(GOOD)) as (_, client):
        client.get("get/status/version")
        client.post("edit/mailbox", '{"password": "secret"}')
    assert "GET get/status/version: 200, 23 characters" in caplog.text
    assert "POST edit/mailbox: 200" in caplog.text
    assert KEY not in caplog.text
    assert "secret" not in caplog.text


def test_a_run_without_trouble_does_not_load_the_retries() -> None:
    code = "import sys, ldap2mailcow.mailcow; sys.exit('stamina' in sys.modules or 'tenacity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def config(url: str, **values: object) -> Config:
    return Config.model_validate(
        {
            "ldap": {"uri": "ldaps://ldap.example.test", "user_search_base": "dc=example,dc=test"},
            "mailcow_host": url,
            "mailcow_api_key": KEY,
            **values,
        }
    )


def test_a_client_is_made_from_the_config() -> None:
    with scripted(in_turn(GOOD)) as server, Mailcow.connect(config(server.url)) as client:
        assert client.get("get/status/version") == {"version": "2026-07a"}
    (asked,) = server.asked
    assert asked.path == "/api/v1/get/status/version"
    assert asked.headers["x-api-key"] == KEY


def test_the_key_is_sent_as_mailcow_reads_it() -> None:
    """mailcow strips everything but letters, digits and hyphens before it compares."""
    with scripted(in_turn(GOOD)) as server, Mailcow.connect(config(server.url, mailcow_api_key="<A_B-1>")) as client:
        client.get("get/status/version")
    assert server.asked[0].headers["x-api-key"] == "AB-1"


def test_a_key_without_letters_and_digits_is_refused_without_a_request() -> None:
    """mailcow would take it for no key at all, and answer every question with an empty page."""
    with scripted(in_turn(GOOD)) as server:
        with pytest.raises(Refused, match="no letter and no digit"):
            Mailcow.connect(config(server.url, mailcow_api_key="-_-"))
        assert server.asked == []


@pytest.mark.parametrize(("setting", "override"), [(True, False), (False, None)])
def test_an_unknown_certificate_is_taken_when_told_so(
    certificate: tuple[Path, Path], *, setting: bool, override: bool | None
) -> None:
    with scripted(in_turn(GOOD), certificate=certificate) as server:
        settings = config(server.url, mailcow_verify=setting)
        with Mailcow.connect(settings, verify=override) as client:
            assert client.get("get/status/version") == {"version": "2026-07a"}


@pytest.mark.parametrize("override", [None, True])
def test_an_unknown_certificate_is_refused_with_one_try(
    certificate: tuple[Path, Path], *, override: bool | None
) -> None:
    with scripted(in_turn(GOOD), certificate=certificate) as server:
        settings = config(server.url, mailcow_verify=override is None)
        with (
            Mailcow.connect(settings, verify=override) as client,
            pytest.raises(Unreachable, match="not trusted"),
        ):
            client.get("get/status/version")
    assert server.asked == []
