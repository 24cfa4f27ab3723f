"""A server that does what no LDAP server should: it is given up in time and within limits, with a sentence."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator

import ldap
import pytest

from ldap2mailcow.config import Source
from ldap2mailcow.directory import Unreachable, allowance, read
from tests.directory_server import Slapd
from tests.directory_server.scripted import (
    Done,
    End,
    Extended,
    Found,
    Raw,
    Reference,
    Reply,
    ScriptedServer,
    Search,
    Unbind,
    encoded,
)
from tests.talking import Talk, drip_a_handshake, listening, say_nothing

from .sources import impatient, reader_of, scripted

ANNA = Found("uid=anna,dc=example,dc=org", {"mail": [b"anna@example.org"]})
NOT_LDAP = r"The directory 'default' can't be read: it sends what is not LDAP.*; look at what answers at ldap\.uri\."
LONG = "ldap://" + "ö" * 2000  # python-ldap cuts it at 1,023 bytes
END_OF_SEARCH, END_OF_BIND, END_OF_EXTENDED = 0x65, 0x61, 0x78
SOON = {"timeout": 60, "deadline": 0.3}


def hurried(server: ScriptedServer, **settings: object) -> Source:
    """Return a block with a deadline that comes long before the timeout."""
    return scripted(server, **settings).model_copy(update=SOON)


def element(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([tag, 0x84]) + len(body).to_bytes(4) + body


def message(operation: bytes, *controls: bytes, number: int = 3) -> Raw:
    """Return a message; the first search is the third request, after the bind and the root DSE."""
    with_them = [element(0xA0, *controls)] if controls else []
    return Raw(element(0x30, element(0x02, bytes([number])), operation, *with_them))


def end_of_search(*more: bytes, code: int = 0) -> bytes:
    return element(END_OF_SEARCH, element(0x0A, bytes([code])), element(0x04), element(0x04), *more)


def control(name: bytes, *value: bytes) -> bytes:
    return element(0x30, element(0x04, name), *value)


# What is not LDAP


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param([ANNA, Found("uid=\udcff,dc=example,dc=org"), Done()], id="DN that isn't UTF-8"),
        pytest.param([Found("uid=a", {"m\udcff": [b"x"]}), Done()], id="attribute that isn't UTF-8"),
        pytest.param([Found("uid=a", {"": [b"x"]}), Done()], id="attribute without a name"),
        pytest.param([ANNA, Reference(("ldap://\udcff",)), Done()], id="reference that isn't UTF-8"),
        pytest.param([ANNA, Reference(("",)), Done()], id="reference to nowhere"),
        pytest.param([message(end_of_search(element(0xA3, element(4, b"ldap://\xff")), code=10))], id="referral"),
        pytest.param([message(end_of_search(element(0xA3, element(4, LONG.encode())), code=10))], id="long referral"),
        pytest.param([message(end_of_search(element(0xA3, b"\x04\x7f"), code=10))], id="referral that is cut off"),
        pytest.param([ANNA, Done(page=b"")], id="paging control that is empty"),
        pytest.param([ANNA, Done(page=b"\x30\x05\x02\x01\x00")], id="paging control that is cut off"),
        pytest.param([ANNA, Done(page=b"\x30\x84\xff\xff\xff\xff\x02\x01")], id="paging control that is too long"),
        pytest.param([ANNA, Done(page=b"\x30\x80\x00\x00")], id="paging control without an end"),
        pytest.param([ANNA, Done(page=b"\x04\x00")], id="paging control of another type"),
        pytest.param([ANNA, Done(page=b"\x30\x04\x04\x00\x04\x00")], id="paging control without a size"),
        pytest.param(
            [message(end_of_search(), control(b"1.2.840.113556.1.4.319"))], id="paging control without a value"
        ),
        pytest.param([message(end_of_search(), control(b"\xff", element(4)))], id="control that isn't UTF-8"),
        pytest.param([message(element(0x64, element(4), element(0x30)), control(b"\xff"))], id="control of an entry"),
        pytest.param([Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), End.DROP], id="HTTP"),
        pytest.param([Raw(b"\x30\x00"), ANNA, Done()], id="message that is empty"),
        pytest.param([Raw(b"\x30\x03\x02\x01\x03"), ANNA, Done()], id="message without an operation"),
        pytest.param([Raw(b"\x30\x80\x00\x00"), ANNA, Done()], id="message of unknown length"),
        pytest.param([Raw(b"\x30\x88" + b"\xff" * 8), ANNA, Done()], id="message of 16 exabytes"),
        pytest.param([Raw(b"\x30\x84\x7f\xff\xff\xff"), End.SILENCE], id="message of two gigabytes"),
    ],
)
def test_what_is_not_ldap_is_told_and_nothing_of_it_is_used(replies: list[Reply]) -> None:
    with ScriptedServer(lambda _: replies) as server, pytest.raises(Unreachable, match=NOT_LDAP):
        read(scripted(server))


def test_the_next_uri_is_used_where_the_first_answers_the_bind_with_what_is_not_ldap() -> None:
    odd = element(END_OF_BIND, element(0x0A, b"\x0a"), element(4), element(4), element(0xA3, element(4, b"\xff")))
    with (
        ScriptedServer(lambda _: [ANNA, Done()], bind=message(odd, number=1)) as first,
        ScriptedServer(lambda _: [ANNA, Done()]) as second,
    ):
        assert len(read(scripted(first, uri=[first.uri, second.uri])).users.entries) == 1
        with pytest.raises(Unreachable, match=rf"{first.uri}: it sends what is not LDAP\.$"):
            read(scripted(first))


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param(
            [message(element(0x79)), message(element(0x79, element(0x80, b"\xff")))], id="intermediate answers"
        ),
        pytest.param([message(end_of_search(), number=77)], id="an answer to what wasn't asked"),
        pytest.param(
            [message(element(0x64, element(4, b"uid=b"), element(0x30)), number=77)], id="an entry of no search"
        ),
        pytest.param([Raw(element(0x30, element(2, b"\x00"), end_of_search()))], id="a notice without a meaning"),
    ],
)
def test_what_is_said_besides_is_left_out(replies: list[Raw]) -> None:
    at_once = Raw(
        b"".join([*(reply.data for reply in replies), *(encoded(3, one, END_OF_SEARCH) for one in (ANNA, Done()))])
    )
    with ScriptedServer(lambda _: [at_once]) as server:
        answer = read(scripted(server)).users

    assert ([entry.dn for entry in answer.entries], answer.doubts) == ([ANNA.dn], ())


@pytest.mark.parametrize("url", ["ldap://[x", "javascript:alert(1)", "//", "ldap:///%ff"])
def test_a_reference_that_is_no_url_is_one_to_another_server(url: str) -> None:
    with ScriptedServer(lambda _: [ANNA, Reference((url,)), Done()]) as server:
        (doubt,) = read(scripted(server)).users.doubts

    assert "a part of the directory is on another server" in doubt.sentence


def test_of_many_references_three_are_told() -> None:
    references = [Reference((f"ldap://{number}.example.org/",)) for number in range(1000)]
    with ScriptedServer(lambda _: [ANNA, *references, Done()]) as server:
        (doubt,) = read(scripted(server)).users.doubts

    assert "(ldap://0.example.org/, ldap://1.example.org/, ldap://10.example.org/, ...)" in doubt.sentence


def test_a_range_beyond_all_numbers_is_cut_short() -> None:
    sent = Found("uid=a", {"member;range=0-" + "9" * 5000: [b"x"]})
    with ScriptedServer(lambda _: [sent, Done()]) as server:
        (doubt,) = read(scripted(server)).users.doubts

    assert "not all values of an attribute were sent (member;range=0-999" in doubt.sentence


@pytest.mark.parametrize("code", [200, 4])
def test_an_error_is_told_in_short_whatever_its_code(code: int) -> None:
    with ScriptedServer(lambda _: [Done(code, "x" * 100_000)]) as server, pytest.raises(Unreachable) as caught:
        read(scripted(server))

    assert len(str(caught.value)) < 1000


# Time


@pytest.mark.parametrize("reply", [End.SILENCE, End.DRIP])
def test_an_answer_that_never_ends_is_given_up_at_the_deadline(reply: End) -> None:
    """Drop by drop there is never a silence that the timeout could end."""
    with ScriptedServer(lambda _: [ANNA, reply]) as server, pytest.raises(Unreachable) as caught:
        read(hurried(server))

    assert str(caught.value) == (
        "The directory 'default' can't be read: it wasn't read after 0.3 seconds; "
        "raise ldap.deadline if it needs longer."
    )


def one_by_one(closing: threading.Event) -> Iterator[Reply]:
    for number in itertools.count():
        closing.wait(0.01)
        yield Found(f"uid={number},dc=example,dc=org", {"mail": [b"x@example.org"]})


def page_after_page(search: Search) -> Iterator[Reply]:
    number = int(search.cookie or b"0")
    yield Found(f"uid={number},dc=example,dc=org", {"mail": [b"x@example.org"]})
    yield Done(cookie=b"%d" % (number + 1))


def test_entries_that_come_one_by_one_for_ever_end_at_the_deadline() -> None:
    with (
        ScriptedServer(lambda _: one_by_one(server.closing)) as server,
        pytest.raises(Unreachable, match=r"0\.3 seconds"),
    ):
        read(hurried(server))


def test_pages_without_end_end_at_the_deadline() -> None:
    with ScriptedServer(page_after_page) as server, pytest.raises(Unreachable, match=r"0\.3 seconds"):
        read(hurried(server))


@pytest.mark.parametrize("reply", [End.SILENCE, End.DRIP])
@pytest.mark.parametrize("place", ["bind", "extended"])
def test_the_deadline_holds_before_the_first_search_too(place: str, reply: End) -> None:
    bind, extended = (reply, None) if place == "bind" else (None, reply)
    with (
        ScriptedServer(lambda _: [], bind=bind, extended=extended) as server,
        pytest.raises(Unreachable, match=r"0\.3 seconds"),
    ):
        read(hurried(server, start_tls=place == "extended"))


@pytest.mark.parametrize("talk", [drip_a_handshake, say_nothing])
def test_a_handshake_without_end_is_given_up(slapd: Slapd, talk: Talk) -> None:
    """libldap with GnuTLS has no end of its own for it."""
    with listening(talk) as port:
        source = impatient(reader_of(slapd, uri=[f"ldaps://127.0.0.1:{port}"]))
        with pytest.raises(Unreachable, match=r"no answer within 0\.3 seconds"):
            read(source)


def test_a_name_server_without_an_answer_is_given_up(slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: over.wait(30))
    try:
        with pytest.raises(Unreachable, match=r"no answer within 0\.3 seconds"):
            read(impatient(reader_of(slapd)))
    finally:
        over.set()


# Amounts


def test_more_entries_than_the_limit_are_not_believed() -> None:
    with ScriptedServer(page_after_page) as server, pytest.raises(Unreachable) as caught:
        read(scripted(server, max_entries=5))

    assert str(caught.value) == (
        "The directory 'default' can't be read: it sends more than 5 entries; raise ldap.max_entries if it has so many."
    )
    assert len(server.searches) == 5  # the root DSE is an entry, too


def test_as_many_entries_as_the_limit_are_read() -> None:
    with ScriptedServer(lambda _: [*(Found(f"uid={number}") for number in range(4)), Done()]) as server:
        assert len(read(scripted(server, max_entries=5)).users.entries) == 4


def test_references_without_end_are_counted_as_entries() -> None:
    def script(_: Search) -> Iterator[Reply]:
        while True:
            yield Reference(("ldap://elsewhere.example.org/",))

    with ScriptedServer(script) as server, pytest.raises(Unreachable, match="it sends more than 50 entries"):
        read(scripted(server, max_entries=50))


def test_searches_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page brings isn't always new: the limit for entries alone would let some servers go on."""
    monkeypatch.setattr(allowance, "_SEARCHES", 3)
    with ScriptedServer(page_after_page) as server, pytest.raises(Unreachable, match="4 searches didn't bring all"):
        read(scripted(server, max_entries=10))

    assert len(server.searches) == 3  # and one for the root DSE


def test_bytes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "_BYTES", 100_000)
    heavy = Found("uid=a", {"mail": [b"x" * 200_000]})
    with ScriptedServer(lambda _: [heavy, Done()]) as server, pytest.raises(Unreachable, match="far more bytes"):
        read(scripted(server, max_entries=1))


# StartTLS


def test_what_came_in_clear_is_forgotten_once_tls_begins() -> None:
    """Who stands on the way could put answers behind the one to StartTLS that libldap would take for the server's."""
    forged = [
        message(element(END_OF_BIND, element(0x0A, b"\0"), element(4), element(4)), number=n).data for n in (1, 2)
    ]
    begin = encoded(1, Done(), END_OF_EXTENDED)
    with (
        ScriptedServer(lambda _: [ANNA, Done()], extended=Raw(b"".join([begin, *forged]))) as server,
        pytest.raises(Unreachable, match="TLS failed"),
    ):
        read(scripted(server, start_tls=True))

    assert not any(isinstance(request, Search | Unbind) for request in server.requests)
    assert any(isinstance(request, Extended) for request in server.requests)


def test_the_environment_has_no_say_in_trust(slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(slapd.ca_file))
    monkeypatch.setenv("LDAPTLS_CACERT", str(slapd.ca_file))
    monkeypatch.setenv("LDAPTLS_REQCERT", "never")
    with pytest.raises(Unreachable, match="TLS failed"):
        read(reader_of(slapd, uri=[slapd.ldaps_uri]))


def test_libldap_never_connects_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection of its own would be in clear, without the bind and without an end."""
    uris: list[str] = []
    original = ldap.ldapobject.SimpleLDAPObject.__init__

    def noting(self: object, uri: str, **more: object) -> None:
        uris.append(uri)
        original(self, uri, **more)

    monkeypatch.setattr(ldap.ldapobject.SimpleLDAPObject, "__init__", noting)
    with ScriptedServer(lambda _: [ANNA, End.DROP]) as server:
        read(scripted(server))

    assert set(uris) == {"ldapi://%2Fdev%2Fnull"}
