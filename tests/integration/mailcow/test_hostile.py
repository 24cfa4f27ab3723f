"""What answers is hostile or broken: a request ends in time and within limits, and the reason is told."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from pathlib import Path

import pytest

from ldap2mailcow.http import Http, NoAnswer, Unreachable
from ldap2mailcow.mailcow import TRY_LATER, send
from ldap2mailcow.mailcow.domains import ALIAS_DOMAINS, DOMAINS, read_alias_domains, read_domains
from ldap2mailcow.mailcow.errors import Unavailable, Unreadable
from ldap2mailcow.model import Call
from tests.talking import Talk, drip, drip_a_handshake, listening

from .scripted import Say, as_json, by_path, in_turn, mailcow, scripted, transport

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def hurried(url: str, *, verify: bool | Path = True) -> Http:
    """Return a transport whose requests are over soon, however little silence there is."""
    return transport(url, verify=verify, read=0.3, whole=0.3)


def dripping(begin: bytes, drop: bytes) -> Talk:
    def talk(client: socket.socket, over: threading.Event) -> None:
        client.recv(65536)
        drip(client, over, begin, drop)

    return talk


# Time


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        pytest.param(HEAD + b"Content-Length: 1000000\r\n\r\n", b" ", id="body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks"),
        pytest.param(HEAD + b"X-Long: ", b"x", id="header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="100 Continue"),
        pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", id="103 Early Hints"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff", id="gzip"),
    ],
)
def test_an_answer_without_end_is_given_up(begin: bytes, drop: bytes) -> None:
    """There is always a next byte before httpx's own limits, which are for each part alone."""
    with (
        listening(dripping(begin, drop)) as port,
        hurried(f"http://127.0.0.1:{port}") as http,
        pytest.raises(NoAnswer, match=r"127\.0\.0\.1:\d+ didn't end its answer in time") as caught,
    ):
        http.get("x")
    assert not caught.value.lasting


def test_a_change_whose_answer_has_no_end_is_given_up() -> None:
    with (
        listening(dripping(HEAD, b"x")) as port,
        transport(f"http://127.0.0.1:{port}", read=0.3, connect=0.1, whole=60) as http,
        pytest.raises(NoAnswer, match="didn't end its answer in time"),
    ):
        http.post("x", "{}")


def test_a_tls_handshake_without_end_is_given_up() -> None:
    with (
        listening(drip_a_handshake) as port,
        transport(f"https://127.0.0.1:{port}", connect=0.3) as http,
        pytest.raises(Unreachable, match=r"no connection to .* in time"),
    ):
        http.get("x")


def test_an_answer_within_tls_that_has_no_end_is_given_up(certificate: tuple[Path, Path]) -> None:
    import ssl  # noqa: PLC0415 - this test alone

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def talk(client: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(client, server_side=True) as encrypted:
            dripping(HEAD, b"x")(encrypted, over)

    with (
        listening(talk) as port,
        hurried(f"https://127.0.0.1:{port}", verify=certificate[0]) as http,
        pytest.raises(NoAnswer, match="didn't end its answer in time"),
    ):
        http.get("x")


def test_a_name_server_without_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30))
    try:
        with (
            hurried("http://mail.example.com") as http,
            pytest.raises(Unreachable, match=r"no connection to mail\.example\.com in time"),
        ):
            http.get("x")
    finally:
        over.set()


def test_the_next_request_has_a_connection_of_its_own() -> None:
    """What is left of an answer that was given up never becomes the answer of another request."""
    talks = [dripping(HEAD, b"x"), dripping(HEAD + b"Content-Length: 2\r\n\r\n[]", b"")]

    def talk(client: socket.socket, over: threading.Event) -> None:
        if talks:
            talks.pop(0)(client, over)

    with listening(talk) as port, hurried(f"http://127.0.0.1:{port}") as http:
        with pytest.raises(NoAnswer):
            http.get("x")
        assert http.get("x").text == "[]"


# Amounts


def bomb(size: int) -> bytes:
    return gzip.compress(b" " * size)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Say(" " * 1_000_001), id="plain"),
        pytest.param(Say(bomb(1_000_001), headers={"Content-Encoding": "gzip"}), id="gzip"),
        pytest.param(Say(bomb(50_000_000), headers={"Content-Encoding": "GZIP"}), id="large gzip"),
    ],
)
def test_an_answer_larger_than_the_limit_is_not_taken(said: Say) -> None:
    with (
        scripted(in_turn(said)) as server,
        transport(server.url) as http,
        pytest.raises(NoAnswer, match="larger than 1,000,000 bytes; raise mailcow_max_answer") as caught,
    ):
        http.get("x")
    assert caught.value.lasting


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_an_answer_as_large_as_the_limit_is_taken(encoding: str | None) -> None:
    said = Say(bomb(1_000_000), headers={"Content-Encoding": encoding}) if encoding else Say(" " * 1_000_000)
    with scripted(in_turn(said)) as server, transport(server.url) as http:
        assert len(http.get("x").text) == 1_000_000


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "deflate", "x" * 1000])
def test_what_is_packed_otherwise_is_not_unpacked(encoding: str) -> None:
    """Packed twice, a few bytes would become gigabytes at once."""
    with (
        scripted(in_turn(Say(bomb(10), headers={"Content-Encoding": encoding}))) as server,
        transport(server.url) as http,
        pytest.raises(NoAnswer, match="packed in a way that was not asked for"),
    ):
        http.get("x")


@pytest.mark.parametrize("body", [b"not gzip", zlib.compress(b"{}")])
def test_what_is_packed_in_a_broken_way_is_told(body: bytes) -> None:
    with (
        scripted(in_turn(Say(body, headers={"Content-Encoding": "gzip"}))) as server,
        transport(server.url) as http,
        pytest.raises(NoAnswer, match="packed in a broken way"),
    ):
        http.get("x")


# HTTP that is none


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 99999 What\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Content-Length: \xd9\xa3\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n",
        HEAD + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
        HEAD + b"\xff\xfe: x\r\n\r\n",
        b"\0" * 100,
    ],
)
def test_what_is_not_http_leaves_the_outcome_open(answer: bytes) -> None:
    def talk(client: socket.socket, _over: threading.Event) -> None:
        client.recv(65536)
        client.sendall(answer)

    with (
        listening(talk) as port,
        transport(f"http://127.0.0.1:{port}") as http,
        pytest.raises(NoAnswer, match="broke before the answer was there"),
    ):
        http.get("x")


@pytest.mark.parametrize(
    "location",
    [
        "javascript:alert(1)",
        "http://[",
        "http://",
        "https://exa mple/",
        "data:,x",
        "//",
        "http://a:99999/",
        "\xff",
        "file:///",
    ],
)
def test_a_redirect_to_no_web_address_is_told(location: str) -> None:
    said = Say(status=302, headers={"Location": location})
    with (
        scripted(in_turn(said)) as server,
        transport(server.url) as http,
        pytest.raises(Unreachable, match="mailcow_host answers with a redirect to ") as caught,
    ):
        http.get("x")
    assert caught.value.lasting


@pytest.mark.parametrize(
    "charset", ["rot13", "hex", "idna", "zlib", "utf-7", "unicode_escape", "punycode", "\xff", "x" * 1000]
)
def test_json_is_utf_8_whatever_charset_the_answer_names(charset: str) -> None:
    with (
        scripted(in_turn(Say('["ö"]', content_type=f"application/json; charset={charset}"))) as server,
        transport(server.url) as http,
    ):
        assert http.get("x").text == '["ö"]'


@pytest.mark.parametrize("path", ["x" * 70_000, "a\nb", "\ud800", "x\0"])
def test_a_path_that_is_none_is_never_sent(path: str) -> None:
    with (
        scripted(in_turn(Say("{}"))) as server,
        transport(server.url) as http,
        pytest.raises(Unreachable, match="no valid request"),
    ):
        http.get(path)
    assert server.asked == []


# JSON that is none


BROKEN = [
    pytest.param("[" * 100_000 + "]" * 100_000, id="deep lists"),
    pytest.param('{"a":' * 100_000 + "1" + "}" * 100_000, id="deep objects"),
    pytest.param("[" * 100_000, id="never closed"),
    pytest.param(r'[{"domain_name": "\ud800.test"}]', id="surrogate"),
    pytest.param(r'{"\udfff": 1}', id="surrogate as a key"),
    pytest.param("[" + "9" * 5000 + "]", id="a number of 5,000 digits"),
    pytest.param("\0", id="NUL"),
    pytest.param("\ufeff[]", id="byte order mark"),
]


@pytest.mark.parametrize("body", BROKEN)
def test_json_that_cannot_be_used_is_told(body: str) -> None:
    with mailcow(in_turn(Say(body))) as (_, client), pytest.raises(Unavailable, match="or its JSON is broken"):
        client.get("get/domain/all")


@pytest.mark.parametrize("body", BROKEN)
def test_a_change_with_such_an_answer_has_an_unknown_outcome(body: str) -> None:
    call = Call("edit/mailbox", ("anna@a.test",), {"active": "0"}, "mailbox_modified")
    with mailcow(in_turn(Say(body))) as (_, client):
        assert send(client, call).unknown == {"anna@a.test"}


@pytest.mark.parametrize("part", ["type", "msg", "argument"])
def test_a_message_of_an_odd_form_confirms_nothing(part: str) -> None:
    deep: object = "x"
    for _ in range(400):
        deep = [deep]
    message: dict[str, object] = {"type": "success", "msg": ["mailbox_modified", "anna@a.test"]}
    odd: dict[str, object] = {"type": deep, "msg": deep, "argument": ["mailbox_modified", deep, 10**400]}
    call = Call("edit/mailbox", ("anna@a.test",), {"active": "0"}, "mailbox_modified")
    with mailcow(in_turn(as_json([{**message, "type" if part == "type" else "msg": odd[part]}]))) as (_, client):
        assert send(client, call).unknown == {"anna@a.test"}


def test_two_surrogates_are_a_character() -> None:
    with mailcow(in_turn(Say(r'["\ud83d\ude00"]'))) as (_, client):
        assert client.get("x") == ["😀"]


ODD_NAMES = [
    "",
    ".",
    "a..b",
    "../../admin",
    "a/b",
    "a?b=c",
    "a,b",
    "a b",
    "a\nb",
    "ä.test",
    "x" * 300,
    "x." * 200 + "x",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_domain_of_an_absurd_name_is_told_and_never_asked_for(name: str) -> None:
    row = {"domain_name": name}
    with (
        mailcow(by_path({DOMAINS: [row]})) as (server, client),
        pytest.raises(Unreadable, match="of an odd name") as one,
    ):
        read_domains(client)
    assert server.paths == [DOMAINS]
    assert len(str(one.value)) < 500
    with (
        mailcow(by_path({ALIAS_DOMAINS: [{"alias_domain": name, "target_domain": "a.test"}]})) as (_, client),
        pytest.raises(Unreadable, match="of an odd name"),
    ):
        read_alias_domains(client)


@pytest.mark.parametrize("number", [2**63, -(2**64), "9" * 4000, 1e400, 1.5, True, None, [1], "x"])
def test_a_number_that_mailcow_cannot_have_is_told(number: object) -> None:
    row = {"domain_name": "a.test", "mboxes_in_domain": number}
    with (
        mailcow(in_turn(Say(json.dumps([row])))) as (_, client),
        pytest.raises(Unreadable, match="an odd mboxes_in_domain"),
    ):
        read_domains(client)


def test_every_such_error_is_one_to_try_later_for() -> None:
    assert all(issubclass(kind, TRY_LATER) for kind in (NoAnswer, Unreachable, Unavailable, Unreadable))
