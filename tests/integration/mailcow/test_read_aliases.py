"""Reading aliases, alias domains and senders: what is taken of a row, and when a list is believed."""

from __future__ import annotations

import pytest

from ldap2mailcow.mailcow import (
    Mailcow,
    NotWhole,
    Unreadable,
    read_actual,
    read_aliases,
    read_every_alias,
    read_mailbox,
    read_senders,
    with_aliases,
)
from ldap2mailcow.model import Actual, Address, Existing, ExistingAlias, Value

from .scripted import Answer, Asked, Say, as_json, by_path, mailcow
from .test_read import NULLS, domain_row, mailbox_row

INFO = Address("info@a.org")
TWIN = {"alias_domain": "Twin.org", "target_domain": "a.org", "active": 1}


def alias_row(address: str, number: int | str = 26, **fields: object) -> dict[str, object]:
    return {
        "id": number,
        "address": address,
        "domain": address.partition("@")[2],
        "goto": "ann@a.org",
        "active": 1,
        "internal": 0,
        "sender_allowed": 1,
        "sogo_visible": 0,
        "private_comment": "ldap-sync",
        "public_comment": None,
        **fields,
    }


def one_domain(aliases: object, count: int, **more: object) -> dict[str, object]:
    return {"get/domain/all": [domain_row("a.org", 0, aliases_in_domain=count)], "get/alias/all/a.org": aliases, **more}


def read(client: Mailcow, *wanted: str) -> Actual:
    return with_aliases(client, read_actual(client, frozenset(wanted) or None, with_provider=False))


def test_an_alias_is_read_as_it_is_compared() -> None:
    row = alias_row("MiXed@A.org", "26", goto="Zed@a.org,ann@a.org,ANN@a.org", sogo_visible="1", private_comment=None)
    with mailcow(by_path(one_domain([row], 1))) as (_, client):
        actual = read(client)
    values: dict[str, Value] = {
        "goto": "ann@a.org,zed@a.org",
        "active": 1,
        "internal": 0,
        "sender_allowed": 1,
        "sogo_visible": 1,
    }
    values |= {"private_comment": "", "public_comment": ""}
    address = Address("mixed@a.org")
    assert actual.aliases == {address: ExistingAlias(address, 26, values)}
    assert (actual.domains["a.org"].aliases, actual.domains["a.org"].max_aliases) == (1, 400)


def test_every_alias_is_read_of_whatever_domain() -> None:
    with mailcow(by_path({"get/alias/all": [alias_row("info@a.org"), alias_row("Info@other.org", 27)]})) as (_, client):
        assert read_every_alias(client).keys() == {INFO, Address("info@other.org")}


@pytest.mark.parametrize("address", ["@a.org", 'o"dd@a.org', "a/b@a.org", "0@a.org"])
def test_no_alias_is_too_odd_to_be_kept(address: str) -> None:
    with mailcow(by_path(one_domain([alias_row(address)], 1))) as (_, client):
        assert read(client).aliases.keys() == {address}


def test_an_older_mailcow_has_fewer_flags() -> None:
    row = alias_row("info@a.org")
    del row["internal"], row["sender_allowed"]
    with mailcow(by_path({"get/alias/all/a.org": [row]})) as (_, client):
        values = read_aliases(client, ["a.org"])[INFO].values
    assert (values["internal"], values["sender_allowed"]) == (0, 1)


@pytest.mark.parametrize(
    "row",
    [
        7,
        alias_row("info@a.org", id=None),
        alias_row("info@a.org", id=True),
        alias_row("info@a.org", domain=None),
        alias_row("info@a.org", goto=None),
        alias_row("info@a.org", goto=["ann@a.org"]),
        alias_row("info@a.org", active=None),
        alias_row("info@a.org", internal=None),
        alias_row("info@a.org", sogo_visible="yes"),
        alias_row("info@a.org", private_comment=7),
        {"id": 26, "domain": "a.org"},
    ],
)
def test_an_alias_of_another_form_is_not_guessed(row: object) -> None:
    with mailcow(by_path({"get/alias/all/a.org": [row]})) as (_, client), pytest.raises(Unreadable, match="version"):
        read_aliases(client, ["a.org"])


def test_aliases_of_alias_domains_in_scope_are_read_with_them() -> None:
    answers = {
        "get/domain/all": [domain_row("a.org", 0, aliases_in_domain=2), domain_row("b.org", 0)],
        "get/alias-domain/all": [TWIN, {"alias_domain": "other.org", "target_domain": "b.org", "active": 1}],
        "get/alias/all/a.org,twin.org": [alias_row("info@a.org", 1), alias_row("info@twin.org", 2)],
    }
    with mailcow(by_path(answers)) as (_, client):
        actual = read(client, "a.org")
    assert actual.alias_domains == {"twin.org": "a.org"}
    assert actual.hosted == {"a.org", "b.org", "twin.org", "other.org"}
    assert actual.aliases.keys() == {"info@a.org", "info@twin.org"}


def test_an_inactive_alias_domain_is_one_too() -> None:
    """mailcow counts its aliases and refuses its twins all the same."""
    answers = one_domain([], 0, **{"get/alias-domain/all": [{**TWIN, "active": 0}]})
    with mailcow(by_path(answers)) as (_, client):
        assert read(client).alias_domains == {"twin.org": "a.org"}


def test_without_aliases_alias_domains_are_not_asked_for() -> None:
    """A run that only looks after mailboxes makes no request more than it needs."""
    with mailcow(by_path(one_domain([], 0, **{"get/alias-domain/all": [TWIN]}))) as (server, client):
        actual = read_actual(client, None, with_provider=False)
    assert (actual.alias_domains, actual.aliases) == ({}, {})
    assert actual.hosted == {"a.org"}
    assert server.paths == ["get/domain/all", "get/mailbox/reduced/a.org"]


@pytest.mark.parametrize("answer", ["text", [7], [{"alias_domain": "x.org"}], [{"target_domain": "a.org"}]])
def test_alias_domains_of_another_form_are_not_guessed(answer: object) -> None:
    with (
        mailcow(by_path(one_domain([], 0, **{"get/alias-domain/all": answer}))) as (_, client),
        pytest.raises(Unreadable),
    ):
        read(client)


def test_aliases_of_other_domains_are_dropped() -> None:
    rows = [alias_row("info@a.org"), alias_row("info@c.org", 27)]
    with mailcow(by_path(one_domain(rows, 1))) as (_, client):
        assert read(client).aliases.keys() == {INFO}


def test_no_domain_asks_for_no_aliases() -> None:
    """Without a domain in the path mailcow would answer with all of them."""
    with mailcow(by_path({})) as (server, client):
        assert read_aliases(client, []) == {}
    assert server.asked == []


def test_many_domains_are_asked_for_in_several_requests() -> None:
    names = [f"d{number:02}.org" for number in range(51)]

    def answer(asked: Asked) -> Say:
        listed = asked.path.rpartition("/")[2].split(",")
        return as_json([alias_row(f"info@{name}", names.index(name)) for name in listed])

    with mailcow(answer) as (server, client):
        assert len(read_aliases(client, names)) == 51
    assert len(server.asked) == 2


def in_two_readings(counts: tuple[int, int], lists: tuple[object, object], *mailboxes: str) -> Answer:
    """Answer the count and the list of aliases first the one way, then the other."""
    domains: list[object] = [[domain_row("a.org", len(mailboxes), aliases_in_domain=count)] for count in counts]
    left = {"get/domain/all": domains, "get/alias/all/a.org": list(lists)}
    always = {"get/mailbox/reduced/a.org": [mailbox_row(address) for address in mailboxes]}

    def answer(asked: Asked) -> Say:
        path = asked.path.removeprefix("/api/v1/")
        return as_json(left[path].pop(0) if path in left else always.get(path, {}))

    return answer


ONE, TWO = [alias_row("info@a.org")], [alias_row("info@a.org"), alias_row("sales@a.org", 27)]


def test_an_alias_deleted_between_two_requests_is_settled_by_a_second_reading() -> None:
    with mailcow(in_two_readings((2, 1), (ONE, ONE))) as (server, client):
        assert read(client).aliases.keys() == {INFO}
    ends = ["get/domain/all", "get/alias/all/a.org"]
    assert [path for path in server.paths if path in ends] == ends * 2


def test_a_list_cut_short_once_is_read_again() -> None:
    with mailcow(in_two_readings((2, 2), (ONE, TWO))) as (_, client):
        assert len(read(client).aliases) == 2


def test_a_list_that_is_short_in_two_ways_is_not_believed() -> None:
    with (
        mailcow(in_two_readings((3, 3), (ONE, TWO))) as (_, client),
        pytest.raises(NotWhole, match=r"not whole, twice in a row \(a\.org lacks 1\); nothing"),
    ):
        read(client)
    with mailcow(in_two_readings((3, 2), (ONE, ONE))) as (_, client), pytest.raises(NotWhole):
        read(client)
    with mailcow(in_two_readings((2, 2), (ONE, [TWO[1]]))) as (_, client), pytest.raises(NotWhole):
        read(client)


def test_an_alias_to_itself_is_counted_and_never_shown() -> None:
    """It stays so for ever and must not hold up everybody else."""
    with mailcow(in_two_readings((2, 2), (ONE, ONE))) as (_, client):
        assert read(client).aliases.keys() == {INFO}


def test_an_alias_at_the_address_of_a_mailbox_does_not_stand_in_for_a_missing_one() -> None:
    """It is shown and not counted."""
    answers = {
        "get/domain/all": [domain_row("a.org", 1, aliases_in_domain=1)],
        "get/mailbox/reduced/a.org": [mailbox_row("ann@a.org")],
        "get/alias/all/a.org": [alias_row("ann@a.org")],
    }
    with mailcow(by_path(answers)) as (server, client):
        assert read(client).aliases.keys() == {"ann@a.org"}
    assert server.paths.count("get/alias/all/a.org") == 2
    with_ann = [*ONE, alias_row("ann@a.org", 28)]
    with mailcow(in_two_readings((2, 2), (ONE, with_ann), "ann@a.org")) as (_, client), pytest.raises(NotWhole):
        read(client)


def test_a_domain_that_goes_between_the_readings_is_no_lack() -> None:
    domains = [[domain_row("a.org", 0, aliases_in_domain=2)], []]

    def answer(asked: Asked) -> Say:
        return as_json(domains.pop(0) if asked.path.endswith("/domain/all") else {})

    with mailcow(answer) as (_, client):
        assert read(client).aliases == {}


def test_senders_are_read_in_lower_case() -> None:
    row = mailbox_row("ann@a.org", sender_acl=["Info@a.org", "@b.org", "*"])
    with mailcow(by_path({"get/mailbox/ann@a.org": row})) as (_, client):
        found = read_mailbox(client, Address("ann@a.org"))
    assert isinstance(found, Existing)
    assert found.senders == frozenset({"info@a.org", "@b.org", "*"})


def test_whose_senders_are_not_told_is_left_out() -> None:
    """Gone, half-deleted, or of an older mailcow."""
    answers = {
        "get/mailbox/ann@a.org": mailbox_row("ann@a.org", sender_acl=[]),
        "get/mailbox/bob@a.org": mailbox_row("bob@a.org"),
        "get/mailbox/half@a.org": {**NULLS, "sender_acl": []},
    }
    addresses = [Address(f"{name}@a.org") for name in ("ann", "bob", "half", "gone")]
    with mailcow(by_path(answers)) as (_, client):
        assert read_senders(client, addresses) == {addresses[0]: frozenset()}


@pytest.mark.parametrize("senders", [None, {"0": "x@a.org"}, "x@a.org"])
def test_senders_of_another_form_are_not_guessed(senders: object) -> None:
    answers = {"get/mailbox/ann@a.org": mailbox_row("ann@a.org", sender_acl=senders)}
    with mailcow(by_path(answers)) as (_, client), pytest.raises(Unreadable, match="sender_acl"):
        read_senders(client, [Address("ann@a.org")])
