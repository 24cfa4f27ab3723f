"""Client and stand-in together: what is sent arrives, and comes back as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from ldap2mailcow.config import Config
from ldap2mailcow.mailcow import (
    HalfDeleted,
    Mailcow,
    NotWhole,
    Refused,
    read_actual,
    read_mailbox,
    send,
)
from ldap2mailcow.model import Actual, Address, AddressError, Call, Existing
from tests.mailcow_server import READ_ONLY_KEY, DomainLimits, FaultKind, MailcowServer

ANN, BOB = Address("ann@a.test"), Address("bob@a.test")
HASH = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"


def connect(server: MailcowServer, key: str = "") -> Mailcow:
    ldap = {"uri": "ldaps://ldap.example.test", "user_search_base": "dc=example,dc=test"}
    values = {"ldap": ldap, "mailcow_host": server.url, "mailcow_api_key": key or server.api_key}
    return Mailcow.connect(Config.model_validate(values))


def create(address: Address, **attr: object) -> Call:
    secret = SecretStr(HASH)
    named = {"local_part": address.local, "domain": address.domain, "name": "Some Body", "quota": 100, "active": 1}
    return Call("add/mailbox", (address,), {**named, "password": secret, "password2": secret, **attr}, "mailbox_added")


def edit(*items: Address, **attr: object) -> Call:
    return Call("edit/mailbox", items, attr, "mailbox_modified")


@pytest.fixture
def server() -> Iterator[MailcowServer]:
    with MailcowServer([DomainLimits("a.test", mailboxes=3), "b.test"]) as server:
        yield server


@pytest.fixture
def client(server: MailcowServer) -> Iterator[Mailcow]:
    with connect(server) as client:
        yield client


def read(client: Mailcow, *domains: str) -> Actual:
    return read_actual(client, frozenset(domains) or None, with_provider=True)


def test_a_mailbox_is_created_changed_and_read(client: Mailcow) -> None:
    assert send(client, create(ANN, tags=["ldap-sync", "x"], tls_enforce_in=1)).done == {ANN}
    assert send(client, edit(ANN, name="Ann", quota=200, attribute_hash="abc")).done == {ANN}
    assert send(client, Call("edit/tls_policy", (ANN,), {"tls_enforce_out": 1}, "mailbox_modified")).done == {ANN}
    assert send(client, Call("delete/mailbox/tag", (ANN,), {"tags": ["x"]}, "mailbox_modified")).done == {ANN}
    actual = read(client)
    found = actual.mailboxes[ANN]
    assert replace(found, senders=frozenset()) == read_mailbox(client, ANN)
    assert (found.attributes["name"], found.attributes["quota"], found.attributes["tls_enforce_out"]) == ("Ann", 200, 1)
    assert found.tags == {"ldap-sync"}
    assert found.attribute_hash == "abc"
    assert found.passwd_update
    assert actual.provider == "mailcow"
    domain = actual.domains["a.test"]
    assert (domain.mailboxes, domain.max_mailboxes, domain.used_quota) == (1, 3, 200)


def test_the_password_arrives_and_is_nowhere_else(server: MailcowServer, client: Mailcow) -> None:
    outcome = send(client, create(ANN))
    mailbox = server.state.mailbox(ANN)
    assert mailbox is not None
    assert mailbox.password == HASH
    assert HASH not in repr(outcome)


@given(local=st.text("abc01!#$%&'*+=?^_`{|}~-.", min_size=1, max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_address_that_we_take_is_created_read_and_untagged(
    server: MailcowServer, client: Mailcow, local: str
) -> None:
    try:
        address = Address.parse(f"{local}@b.test")
    except AddressError:
        return
    if read_mailbox(client, address) is None:
        assert send(client, create(address, tags=["t"])).done == {address}
    assert send(client, Call("delete/mailbox/tag", (address,), {"tags": ["t"]}, "mailbox_modified")).done == {address}
    found = read_mailbox(client, address)
    assert isinstance(found, Existing)
    assert (found.address, found.tags) == (address, frozenset())
    assert server.state.mailbox(address) is not None


def test_limits_of_the_domain_refuse_with_their_numbers(client: Mailcow) -> None:
    for name in ("one", "two", "three"):
        send(client, create(Address(f"{name}@a.test")))
    refused = send(client, create(ANN)).refused
    assert refused[ANN].startswith("the domain has 3 of its 3 mailboxes")
    outcome = send(client, edit(Address("one@a.test"), quota=99999999))
    assert "'Domain quota'" in outcome.refused["one@a.test"]


def test_of_several_items_one_may_be_unknown_to_mailcow(client: Mailcow) -> None:
    send(client, create(ANN))
    outcome = send(client, edit(ANN, BOB, name="New"))
    assert outcome.done == {ANN}
    assert outcome.unknown == {BOB}


def test_an_empty_answer_after_the_write_is_settled_by_reading(server: MailcowServer, client: Mailcow) -> None:
    server.faults.add(FaultKind.EMPTY_BODY_AFTER, "add/mailbox")
    assert send(client, create(ANN)).unknown == {ANN}
    assert isinstance(read_mailbox(client, ANN), Existing)


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.EMPTY_BODY,
        FaultKind.DEADLOCK,
        FaultKind.LOCK_WAIT,
        FaultKind.HTTP_500,
        FaultKind.HTTP_502,
        FaultKind.DROP_BEFORE,
        FaultKind.DROP_AFTER,
    ],
)
def test_every_fault_of_a_write_leaves_it_open_and_is_sent_once(
    server: MailcowServer, client: Mailcow, kind: FaultKind
) -> None:
    send(client, create(ANN))
    server.faults.add(kind, "edit/mailbox")
    outcome = send(client, edit(ANN, name="New"))
    assert outcome.unknown == {ANN}
    assert outcome.why
    assert len(server.log.writes("edit/mailbox")) == 1


def test_a_half_deleted_mailbox_is_counted_and_told(server: MailcowServer, client: Mailcow) -> None:
    send(client, create(ANN))
    send(client, create(BOB))
    mailbox = server.state.mailbox(BOB)
    assert mailbox is not None
    mailbox.half_deleted = True
    actual = read(client)
    assert actual.mailboxes.keys() == {ANN}
    assert actual.half_deleted == 1
    assert read_mailbox(client, BOB) == HalfDeleted(BOB)


def test_a_list_cut_short_once_is_read_again(server: MailcowServer, client: Mailcow) -> None:
    send(client, create(ANN))
    server.faults.short_list = 1
    server.faults.short_list_times = 1
    assert read(client).mailboxes.keys() == {ANN}


def test_a_list_that_stays_short_is_not_believed(server: MailcowServer, client: Mailcow) -> None:
    send(client, create(ANN))
    send(client, create(BOB))
    server.faults.short_list = 1
    with pytest.raises(NotWhole, match=r"a\.test 1 of 2"):
        read(client)


def test_an_older_mailcow_is_read_too(server: MailcowServer, client: Mailcow) -> None:
    send(client, create(ANN))
    server.faults.no_reduced = True
    assert read(client).mailboxes.keys() == {ANN}


def test_a_domain_that_mailcow_does_not_have_brings_no_foreign_mailboxes(client: Mailcow) -> None:
    send(client, create(ANN))
    assert read(client, "elsewhere.test").mailboxes == {}
    assert read(client, "b.test", "elsewhere.test").mailboxes == {}


def test_a_wrong_key_is_one_request(server: MailcowServer) -> None:
    with connect(server, key="WRONG-KEY") as client:
        with pytest.raises(Refused, match="doesn't accept mailcow_api_key"):
            read(client)
        with pytest.raises(Refused):
            send(client, create(ANN))
    assert len(server.log) == 1


def test_a_key_that_may_only_read_reads_and_does_not_write(server: MailcowServer) -> None:
    with connect(server, key=READ_ONLY_KEY) as client:
        assert read(client).domains.keys() == {"a.test", "b.test"}
        with pytest.raises(Refused, match="may only read"):
            send(client, create(ANN))
