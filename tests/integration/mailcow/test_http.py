"""The transport: what is sent, and which failures mean that nothing was processed."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from pathlib import Path

import pytest

from ldap2mailcow.http import NoAnswer, Reply, Unreachable

from .scripted import KEY, Say, in_turn, make_certificate, openssl, scripted, transport


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_reply_is_status_media_type_and_text() -> None:
    with (
        scripted(in_turn(Say('"ö"', 404, "Text/HTML; charset=utf-8"))) as server,
        transport(server.url) as http,
    ):
        assert http.get("get/nothing") == Reply(404, "text/html", '"ö"')


def test_the_key_goes_into_the_header_and_json_into_the_body() -> None:
    with scripted(in_turn(Say("{}"))) as server, transport(server.url) as http:
        http.post("add/mailbox", '{"a": "ö"}')
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/api/v1/add/mailbox", '{"a": "ö"}')
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["content-type"] == "application/json"
    assert "gzip" in asked.headers["accept-encoding"]


def test_a_compressed_answer_is_read() -> None:
    said = Say(gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"})
    with scripted(in_turn(said)) as server, transport(server.url) as http:
        assert http.get("x").text == "[1]"


def test_a_cookie_never_goes_back() -> None:
    """With one, the error of a crashed call would show up in the answer of the next."""
    said = Say("{}", headers={"Set-Cookie": "MCSESSID=abc; path=/"})
    with scripted(in_turn(said)) as server, transport(server.url) as http:
        http.get("x")
        http.get("x")
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]


def test_a_redirect_is_an_error_that_names_the_host() -> None:
    said = Say(status=301, headers={"Location": "https://mail.example.com/api/v1/x?y=z"})
    with (
        scripted(in_turn(said)) as server,
        transport(server.url) as http,
        pytest.raises(Unreachable) as caught,
    ):
        http.get("x")
    assert caught.value.sentence == (
        "mailcow_host answers with a redirect to https://mail.example.com; write the host it points to"
    )
    assert caught.value.lasting
    assert len(server.asked) == 1


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{_closed_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{_closed_port()}")
    with scripted(in_turn(Say("{}"))) as server, transport(server.url) as http:
        assert http.get("x").status == 200


def test_the_proxy_of_the_config_is_used() -> None:
    with (
        scripted(in_turn(Say('"proxied"'))) as server,
        transport("http://mail.example.com", proxy=server.url) as http,
    ):
        assert http.get("x").text == '"proxied"'
    assert server.asked[0].path == "http://mail.example.com/api/v1/x"


def test_a_proxy_that_lets_nobody_through_is_told() -> None:
    with (
        scripted(in_turn(Say(status=407))) as server,
        transport("https://mail.example.com", proxy=server.url) as http,
        pytest.raises(Unreachable, match=r"the proxy lets nobody through to mail\.example\.com") as caught,
    ):
        http.get("x")
    assert caught.value.lasting


@pytest.mark.parametrize("proxy", ["nonsense", "ftp://user:secret@proxy", "socks5://proxy:1", "http://proxy:port"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(proxy: str) -> None:
    with pytest.raises(Unreachable, match="proxy is not a URL that can be used") as caught:
        transport("http://127.0.0.1", proxy=proxy)
    assert "secret" not in str(caught.value)


def test_a_closed_port_is_unreachable() -> None:
    with (
        transport(f"http://127.0.0.1:{_closed_port()}") as http,
        pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1:\d+ \(Connection refused\)") as caught,
    ):
        http.get("x")
    assert not caught.value.lasting


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with (
        transport("http://mail.invalid") as http,
        pytest.raises(Unreachable, match=r"mail\.invalid can't be resolved"),
    ):
        http.get("x")


def test_a_port_that_takes_no_connection_in_time_is_unreachable() -> None:
    """A full queue of connections leaves the next one waiting."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003 - the socket's own form
            one.connect_ex(("127.0.0.1", port))
        with (
            transport(f"http://127.0.0.1:{port}", connect=0.1) as http,
            pytest.raises(Unreachable, match="in time; check mailcow_host and the firewalls"),
        ):
            http.get("x")
        for one in waiting:
            one.close()


def test_an_answer_that_takes_too_long_leaves_the_outcome_open() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with (
            transport(f"http://127.0.0.1:{silent.getsockname()[1]}", read=0.05) as http,
            pytest.raises(NoAnswer, match="didn't answer in time"),
        ):
            http.post("x", "{}")


def test_a_connection_dropped_after_sending_leaves_the_outcome_open() -> None:
    with (
        scripted(in_turn(None)) as server,
        transport(server.url) as http,
        pytest.raises(NoAnswer, match="broke before the answer was there"),
    ):
        http.post("x", "{}")
    assert len(server.asked) == 1


def test_a_header_that_cannot_be_sent_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{transport.__module__}.KEY", "secret\n")
    with (
        scripted(in_turn(Say("{}"))) as server,
        transport(server.url) as http,
        pytest.raises(Unreachable, match="no valid request") as caught,
    ):
        http.get("x")
    assert "secret" not in str(caught.value)
    assert server.asked == []


def test_nothing_of_a_request_is_logged_by_the_library(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted(in_turn(Say("{}"))) as server, transport(server.url) as http:
        http.get("x")
    assert [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))] == []


def test_a_self_signed_certificate_is_refused_with_a_remedy(certificate: tuple[Path, Path]) -> None:
    with (
        scripted(in_turn(Say("{}")), certificate=certificate) as server,
        transport(server.url) as http,
        pytest.raises(Unreachable, match=r"self-signed certificate.*; set mailcow_verify to the file") as caught,
    ):
        http.get("x")
    assert caught.value.lasting
    assert server.asked == []


@pytest.mark.parametrize("trusted", [True, False])
def test_a_self_signed_certificate_is_taken_with_its_file_or_unseen(
    certificate: tuple[Path, Path], *, trusted: bool
) -> None:
    with (
        scripted(in_turn(Say("{}")), certificate=certificate) as server,
        transport(server.url, verify=certificate[0] if trusted else False) as http,
    ):
        assert http.get("x").status == 200


def test_a_certificate_of_another_host_is_refused_with_a_remedy(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "DNS:mail.example.com")
    with (
        scripted(in_turn(Say("{}")), certificate=certificate) as server,
        transport(server.url, verify=certificate[0]) as http,
        pytest.raises(Unreachable, match="write a name that stands in the certificate as mailcow_host"),
    ):
        http.get("x")


def test_an_expired_certificate_is_refused_with_a_remedy(tmp_path: Path) -> None:
    file, key = make_certificate(tmp_path, "IP:127.0.0.1")
    ended = tmp_path / "ended.pem"
    openssl("x509", "-in", file, "-signkey", key, "-days", "0", "-out", ended)
    with (
        scripted(in_turn(Say("{}")), certificate=(ended, key)) as server,
        transport(server.url, verify=ended) as http,
        pytest.raises(Unreachable, match="renew it, or correct the clock"),
    ):
        http.get("x")


def test_a_port_without_tls_is_told() -> None:
    with (
        scripted(in_turn(Say("{}"))) as server,
        transport(server.url.replace("http:", "https:")) as http,
        pytest.raises(Unreachable, match="check that mailcow_host names an HTTPS port"),
    ):
        http.get("x")


def test_a_ca_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"mailcow_verify names .*No such file"):
        transport("https://127.0.0.1", verify=tmp_path / "none.pem")


def test_a_ca_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text(json.dumps({}))
    with pytest.raises(Unreachable, match="no certificates in it"):
        transport("https://127.0.0.1", verify=tmp_path / "empty.pem")
