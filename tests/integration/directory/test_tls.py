"""TLS: what is trusted, and that nothing secret is sent before it stands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ldap2mailcow.config import Source
from ldap2mailcow.directory import Unreachable, read
from tests.directory_server import Slapd, person
from tests.directory_server.certificates import make_certificates
from tests.directory_server.scripted import Bind, Done, End, Extended, ScriptedServer

from .sources import SOON, impatient, reader_of, scripted


@pytest.fixture(params=["ldaps", "start_tls"])
def encrypted(request: pytest.FixtureRequest, slapd: Slapd) -> Source:
    """Give a block that reads the slapd in TLS, each way; it trusts the system's authorities."""
    slapd.add(*person(1))
    settings: dict[str, Any] = {"uri": [slapd.ldaps_uri]} if request.param == "ldaps" else {"start_tls": True}
    return reader_of(slapd, require_tls=True, **settings)


@pytest.fixture(scope="module")
def misnamed() -> Iterator[Slapd]:
    with Slapd(certificate_names=["DNS:elsewhere.example.org"]) as server:
        yield server


def test_a_certificate_of_our_own_authority_is_trusted(slapd: Slapd, encrypted: Source) -> None:
    seen = len(slapd.log)

    assert len(read(encrypted.model_copy(update={"ca_file": slapd.ca_file})).users.entries) == 1
    log = slapd.log[seen:]
    assert log.index("TLS established") < log.index("BIND")


def test_an_unknown_authority_is_not_trusted(slapd: Slapd, encrypted: Source) -> None:
    seen = len(slapd.log)

    with pytest.raises(Unreachable, match=r"TLS failed \(.*certificate.*\); likely causes: .* ca_file .* host name"):
        read(encrypted)
    assert "BIND" not in slapd.log[seen:]


def test_another_authority_is_not_trusted(tmp_path: Path, slapd: Slapd, encrypted: Source) -> None:
    make_certificates(tmp_path)
    seen = len(slapd.log)

    with pytest.raises(Unreachable, match="TLS failed"):
        read(encrypted.model_copy(update={"ca_file": tmp_path / "ca.pem"}))
    assert "BIND" not in slapd.log[seen:]


def test_any_certificate_is_taken_where_the_config_says_so(encrypted: Source) -> None:
    assert len(read(encrypted.model_copy(update={"allow_self_signed": True})).users.entries) == 1


def test_a_file_without_certificates_is_not_taken_for_no_check(tmp_path: Path, encrypted: Source) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate", encoding="utf-8")

    with pytest.raises(Unreachable):
        read(encrypted.model_copy(update={"ca_file": tmp_path / "ca.pem"}))


def test_a_ca_file_that_went_away_is_named(tmp_path: Path, encrypted: Source) -> None:
    with pytest.raises(Unreachable, match=rf"the CA file {tmp_path}/gone.pem can't be read"):
        read(encrypted.model_copy(update={"ca_file": tmp_path / "gone.pem"}))


@pytest.mark.parametrize("start_tls", [True, False])
def test_a_certificate_for_another_host_is_not_trusted(misnamed: Slapd, *, start_tls: bool) -> None:
    uri = misnamed.uri if start_tls else misnamed.ldaps_uri

    with pytest.raises(Unreachable, match=r"TLS failed \(.*127\.0\.0\.1.*\)"):
        read(reader_of(misnamed, uri=[uri], start_tls=start_tls, ca_file=misnamed.ca_file))


def test_the_password_is_not_sent_in_clear_where_start_tls_is_refused() -> None:
    with ScriptedServer(lambda _: [Done()]) as server, pytest.raises(Unreachable, match="did not start TLS"):
        read(scripted(server, start_tls=True))

    assert not any(isinstance(request, Bind) for request in server.requests)
    assert any(isinstance(request, Extended) for request in server.requests)


def test_a_clear_port_behind_ldaps_is_a_tls_failure(slapd: Slapd) -> None:
    with pytest.raises(Unreachable, match="TLS failed; likely causes"):
        read(reader_of(slapd, uri=[slapd.uri.replace("ldap:", "ldaps:")], ca_file=slapd.ca_file))


def test_a_tls_port_behind_ldap_is_not_reachable(slapd: Slapd) -> None:
    with pytest.raises(Unreachable, match="the server hung up"):
        read(reader_of(slapd, uri=[slapd.ldaps_uri.replace("ldaps:", "ldap:")]))


def test_nothing_listens_on_the_tls_port(slapd: Slapd) -> None:
    with pytest.raises(Unreachable, match=r"ldaps://127\.0\.0\.1:1: no connection \(Connection refused\)"):
        read(reader_of(slapd, uri=["ldaps://127.0.0.1:1"]))


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_server_that_is_silent_in_the_handshake_is_given_up(slapd: Slapd, scheme: str) -> None:
    """Debian's libldap would spin for ever on it (docs/directories.md section 2)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        source = impatient(reader_of(slapd, uri=[uri], start_tls=scheme == "ldap"))
        with pytest.raises(Unreachable, match=f"no answer within {SOON} seconds"):
            read(source)


def test_a_server_that_hangs_up_at_start_tls_is_a_tls_failure() -> None:
    with ScriptedServer(lambda _: [], extended=End.DROP) as server, pytest.raises(Unreachable, match="TLS failed"):
        read(scripted(server, start_tls=True))
