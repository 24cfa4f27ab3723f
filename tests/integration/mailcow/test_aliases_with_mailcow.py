"""Client and stand-in together, about aliases and senders: what is sent arrives, and comes back as it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from ldap2mailcow.mailcow import Mailcow, read_actual, read_aliases, read_senders, send, with_aliases
from ldap2mailcow.model import Actual, Address, Call, ExistingAlias
from tests.mailcow_server import DomainLimits, FaultKind, MailcowServer

from .test_with_mailcow import ANN, BOB, connect, create, edit

INFO, SALES = Address("info@a.test"), Address("sales@a.test")
FLAGS = {"active": 1, "internal": 0, "sender_allowed": 1, "sogo_visible": 0}


@pytest.fixture
def server() -> Iterator[MailcowServer]:
    with MailcowServer([DomainLimits("a.test", aliases=3), "b.test"]) as server:
        yield server


@pytest.fixture
def client(server: MailcowServer) -> Iterator[Mailcow]:
    with connect(server) as client:
        for address in (ANN, BOB):
            send(client, create(address))
        yield client


def add(*addresses: str, **attr: object) -> Call:
    return Call("add/alias", addresses, {"goto": ANN, **FLAGS, **attr}, "alias_added")


def change(*aliases: ExistingAlias, **attr: object) -> Call:
    return of("edit/alias", aliases, attr, "alias_modified")


def remove(*aliases: ExistingAlias) -> Call:
    return of("delete/alias", aliases, {}, "alias_removed")


def of(endpoint: str, aliases: tuple[ExistingAlias, ...], attr: Mapping[str, object], confirms: str) -> Call:
    numbers = tuple(str(alias.number) for alias in aliases)
    return Call(endpoint, numbers, attr, confirms, tuple(alias.address for alias in aliases))


def read(client: Mailcow) -> Actual:
    return with_aliases(client, read_actual(client, None, with_provider=False))


def test_an_alias_is_created_changed_read_and_removed(client: Mailcow) -> None:
    new = add("Info@a.test", goto=f"{BOB},{ANN},x@ext.test", private_comment="ldap-sync")
    assert send(client, new).done == {"Info@a.test"}
    found = read(client).aliases[INFO]
    assert found.values["goto"] == "ann@a.test,bob@a.test,x@ext.test"
    assert (found.values["private_comment"], found.values["public_comment"]) == ("ldap-sync", "")
    assert send(client, change(found, goto=BOB, active=0, sogo_visible=1)).done == {str(found.number)}
    assert read_aliases(client, ["a.test"])[INFO].values == {
        **found.values,
        "goto": BOB,
        "active": 0,
        "sogo_visible": 1,
    }
    assert send(client, remove(found)).done == {str(found.number)}
    assert read(client).aliases == {}


@pytest.mark.parametrize("local", ["o'b", "x&y", "p+q", "a%b", "a/b", "0", ""])
def test_odd_names_and_catch_alls_are_confirmed(client: Mailcow, local: str) -> None:
    address = Address(f"{local}@a.test")
    assert send(client, add(address)).done == {address}
    found = read(client).aliases[address]
    assert send(client, change(found, active=0)).done == {str(found.number)}
    assert send(client, remove(found)).done == {str(found.number)}


def test_twenty_addresses_are_one_call(server: MailcowServer, client: Mailcow) -> None:
    addresses = [Address(f"m{number:02}@b.test") for number in range(20)]
    assert send(client, add(*addresses)).done == set(addresses)
    aliases = read_aliases(client, ["b.test"])
    assert aliases.keys() == set(addresses)
    assert len(send(client, change(*aliases.values(), active=0)).done) == 20
    assert len(send(client, remove(*aliases.values())).done) == 20
    assert len(server.log.writes("add/alias") + server.log.writes("edit/alias")) == 2


def test_a_full_domain_refuses_what_follows(client: Mailcow) -> None:
    outcome = send(client, add("one@a.test", "two@a.test", "three@a.test", "four@a.test", "five@b.test"))
    assert outcome.done == {"one@a.test", "two@a.test", "three@a.test"}
    assert outcome.refused.keys() == {"four@a.test", "five@b.test"}
    domain = read(client).domains["a.test"]
    assert (domain.aliases, domain.max_aliases) == (3, 3)


def test_what_is_there_is_refused_and_the_rest_added(client: Mailcow) -> None:
    outcome = send(client, add(BOB, INFO))
    assert outcome.done == {INFO}
    assert outcome.refused.keys() == {BOB}


def test_an_alias_to_itself_is_left_open(client: Mailcow) -> None:
    assert send(client, add(INFO, goto=INFO)).unknown == {INFO}
    assert INFO not in read(client).aliases


def test_an_alias_of_a_sink_is_not_taken_as_changed(client: Mailcow) -> None:
    """edit/alias says success and writes nothing where it doesn't take what the alias goes to."""
    client.post("add/alias", '{"address": "gone@a.test", "goto": "", "goto_null": 1, "active": 1}')
    found = read(client).aliases[Address("gone@a.test")]
    assert send(client, change(found, active=0)).unknown == {str(found.number)}
    assert read(client).aliases[found.address].is_active


def test_a_number_that_is_gone_is_left_open(client: Mailcow) -> None:
    send(client, add(INFO))
    found = read(client).aliases[INFO]
    send(client, remove(found))
    assert send(client, remove(found)).unknown == {str(found.number)}
    assert send(client, change(found, active=0)).unknown == {str(found.number)}


@pytest.mark.parametrize("kind", [FaultKind.EMPTY_BODY_AFTER, FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
def test_an_unknown_outcome_is_settled_by_the_list(server: MailcowServer, client: Mailcow, kind: FaultKind) -> None:
    server.faults.add(kind, "add/alias")
    assert send(client, add(INFO)).unknown == {INFO}
    assert (INFO in read_aliases(client, [INFO.domain])) is (kind is not FaultKind.DROP_BEFORE)


def test_an_alias_to_itself_made_by_hand_does_not_stop_the_reading(client: Mailcow) -> None:
    send(client, add(INFO))
    client.post("add/alias", '{"address": "ghost@a.test", "goto": "Ghost@a.test", "active": 1}')
    actual = read(client)
    assert actual.aliases.keys() == {INFO}
    assert actual.domains["a.test"].aliases == 2


def test_alias_domains_are_read_with_their_aliases(client: Mailcow) -> None:
    client.post("add/alias-domain", '{"alias_domain": "twin.test", "target_domain": "a.test", "active": 0}')
    send(client, add("info@twin.test"))
    actual = read(client)
    assert actual.alias_domains == {"twin.test": "a.test"}
    assert actual.hosted == {"a.test", "b.test", "twin.test"}
    assert actual.aliases.keys() == {"info@twin.test"}
    assert actual.domains["a.test"].aliases == 1
    assert send(client, add("ann@twin.test", goto=BOB)).refused.keys() == {"ann@twin.test"}
    assert actual.twin(Address("ann@twin.test")) == ANN


def test_senders_are_written_and_read(client: Mailcow) -> None:
    send(client, add(INFO, goto=BOB))
    assert send(client, edit(ANN, sender_acl=[INFO, "b.test"], extended_sender_acl="x@ext.test")).done == {ANN}
    assert read_senders(client, [ANN, BOB, Address("gone@a.test")]) == {
        ANN: frozenset({INFO, "@b.test"}),
        BOB: frozenset(),
    }


def test_a_refused_sender_leaves_the_rest_to_be_read(client: Mailcow) -> None:
    assert send(client, edit(ANN, sender_acl=[BOB, "x@ext.test"])).unknown == {ANN}
    assert read_senders(client, [ANN]) == {ANN: frozenset({BOB})}
