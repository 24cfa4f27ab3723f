"""Which server is asked, as whom, and what is said where none answers."""

from __future__ import annotations

import logging
import socket
import traceback

import ldap
import pytest

from ldap2mailcow.directory import Refused, Unreachable, read
from tests.directory_server import Slapd, person
from tests.directory_server.scripted import Bind, Done, End, Found, ScriptedServer, Unbind, pages

from .sources import SOON, impatient, reader_of, scripted

NOBODY = "ldap://127.0.0.1:1"  # tcpmux; nothing listens there
SOMEBODY = pages([Found("uid=anna,dc=example,dc=org", {"mail": [b"anna@example.org"]})])


def test_reads_as_the_reader(slapd: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    slapd.add(*person(1))

    answer = read(reader_of(slapd)).users

    assert [entry.dn for entry in answer.entries] == [person(1)[0]]
    assert answer.doubts == ()
    assert f"{slapd.uri}: bound as {slapd.reader_dn}; 1 entries in 1 pages" in caplog.text
    assert slapd.reader_password not in caplog.text


def test_reads_over_the_unix_socket(slapd: Slapd) -> None:
    slapd.add(*person(1))

    assert len(read(reader_of(slapd, uri=[slapd.ldapi_uri])).users.entries) == 1


def test_binds_as_nobody_without_bind_dn(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Slapd(anonymous_read=True) as server:
        server.add(*person(1))
        answer = read(reader_of(server, bind_dn="", bind_pw="")).users

    assert len(answer.entries) == 1
    assert answer.entries[0].values("userPassword") == ()
    assert "bound as nobody (anonymous)" in caplog.text


def test_a_wrong_password_is_tried_once_and_nowhere_else() -> None:
    with (
        ScriptedServer(SOMEBODY, bind=Done(49)) as first,
        ScriptedServer(SOMEBODY) as second,
        pytest.raises(Refused, match="bind_dn or bind_pw is wrong"),
    ):
        read(scripted(first, uri=[first.uri, second.uri]))

    assert first.requests == [Bind("cn=reader", b"secret"), Unbind()]
    assert second.requests == []


def test_slapd_refuses_a_wrong_password_and_the_error_does_not_hold_it(slapd: Slapd) -> None:
    wrong = slapd.reader_password[::-1]
    with pytest.raises(Refused) as caught:
        read(reader_of(slapd, bind_pw=wrong))

    assert "Invalid credentials" in str(caught.value)
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_a_bind_dn_without_a_password_is_never_sent() -> None:
    """Some servers take it for an anonymous bind, which would look like a directory with fewer people."""
    with ScriptedServer(SOMEBODY) as server, pytest.raises(Refused, match="bind_pw is empty"):
        read(scripted(server, bind_pw=""))

    assert server.requests == []


@pytest.mark.parametrize(
    ("code", "text", "sentence"),
    [
        (
            49,
            "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 52e, v4563",
            "password is wrong",
        ),
        (49, "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 532, v4563", "has expired"),
        (49, "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 533, v4563", "is disabled"),
        (
            49,
            "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 701, v4563",
            "account has exp",
        ),
        (
            49,
            "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 773, v4563",
            "changed first",
        ),
        (49, "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 775, v4563", "is locked"),
        (
            49,
            "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data fff, v4563",
            "bind_pw is wrong",
        ),
        (48, "anonymous bind disallowed", "an anonymous one may be forbidden"),
        (8, "BindSimple: Transport encryption required.", "in TLS only: use ldaps:// or start_tls"),
        (13, "", "in TLS only: use ldaps:// or start_tls"),
        (19, "Exceed password retry limit. Please try later.", "locked after too many wrong passwords"),
        (53, "Account inactivated. Contact system administrator.", "may be locked or inactive"),
    ],
)
def test_a_refused_bind_is_explained(code: int, text: str, sentence: str) -> None:
    with ScriptedServer(SOMEBODY, bind=Done(code, text)) as server, pytest.raises(Refused) as caught:
        read(scripted(server))

    assert sentence in str(caught.value)
    assert text in str(caught.value)
    assert server.binds == 1


def test_the_second_uri_is_used_where_the_first_is_down(slapd: Slapd) -> None:
    slapd.add(*person(1))

    assert len(read(reader_of(slapd, uri=[NOBODY, slapd.uri])).users.entries) == 1


@pytest.mark.parametrize("code", [51, 52])
def test_the_second_uri_is_used_where_the_first_is_busy_or_unavailable(code: int) -> None:
    with ScriptedServer(SOMEBODY, bind=Done(code)) as first, ScriptedServer(SOMEBODY) as second:
        answer = read(scripted(first, uri=[first.uri, second.uri])).users

    assert len(answer.entries) == 1
    assert first.requests[-1] == Unbind()


def test_every_uri_is_named_with_its_reason_where_none_answers() -> None:
    with (
        ScriptedServer(SOMEBODY, bind=Done(52, "shutting down")) as first,
        ScriptedServer(SOMEBODY, bind=End.DROP) as second,
        ScriptedServer(SOMEBODY, bind=End.SILENCE) as third,
        pytest.raises(Unreachable) as caught,
    ):
        read(scripted(first, uri=[NOBODY, first.uri, second.uri, third.uri]))

    expected = (
        "No server of the directory 'default' can be used:"
        f" {NOBODY}: no connection (Connection refused);"
        f" {first.uri}: Server is unavailable (shutting down);"
        f" {second.uri}: no connection (the server hung up);"
        f" {third.uri}: no answer within {SOON} seconds."
    )
    assert expected == str(caught.value)


def test_a_stopped_server_is_unreachable_also_through_its_socket() -> None:
    with Slapd() as server:
        source = reader_of(server, uri=[server.ldapi_uri])
        server.kill()
        with pytest.raises(Unreachable, match=r"no connection \(Connection refused\)"):
            read(source)


@pytest.mark.parametrize("uri", ["ldap://ldap.example.org", "ldap://192.0.2.1:389"])
def test_clear_ldap_is_not_used_where_tls_is_required(slapd: Slapd, uri: str) -> None:
    with pytest.raises(Unreachable, match="require_tls is on"):
        read(reader_of(slapd, uri=[uri], require_tls=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_clear_ldap_to_this_machine_is_used_though_tls_is_required(slapd: Slapd, host: str) -> None:
    uris = [slapd.uri.replace("127.0.0.1", host)]

    assert read(reader_of(slapd, uri=uris, require_tls=True)).users.entries == ()
    assert read(reader_of(slapd, uri=[slapd.ldapi_uri], require_tls=True)).users.entries == ()


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"ldap://127.0.0.1:{listener.getsockname()[1]}"
        with ScriptedServer(SOMEBODY) as other, pytest.raises(Unreachable, match=f"no answer within {SOON} seconds"):
            read(scripted(other, uri=[uri]))


def test_options_stay_with_the_connection(slapd: Slapd) -> None:
    before = ldap.get_option(ldap.OPT_NETWORK_TIMEOUT), ldap.get_option(ldap.OPT_X_TLS_REQUIRE_CERT)

    read(reader_of(slapd, uri=[slapd.ldaps_uri], allow_self_signed=True))

    assert (ldap.get_option(ldap.OPT_NETWORK_TIMEOUT), ldap.get_option(ldap.OPT_X_TLS_REQUIRE_CERT)) == before


def test_every_connection_is_ended_with_an_unbind() -> None:
    with ScriptedServer(lambda _: [Done(50)]) as server, pytest.raises(Unreachable):
        read(impatient(scripted(server)))

    assert server.requests[-1] == Unbind()
