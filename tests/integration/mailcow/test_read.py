"""Reading: only whole, well-formed lists become what mailcow has."""

from __future__ import annotations

import logging

import pytest

from ldap2mailcow.mailcow import (
    HalfDeleted,
    Mailcow,
    NotWhole,
    Unreadable,
    read_actual,
    read_mailbox,
    with_aliases,
)
from ldap2mailcow.model import Actual, Address, Domain, Existing, Value

from .scripted import Asked, Say, as_json, by_path, mailcow

MIB = 1024 * 1024
ANN, BOB = Address("ann@a.org"), Address("bob@b.org")
NULLS: dict[str, object] = {"username": None, "domain": None, "name": None, "attributes": None, "authsource": "mailcow"}


def domain_row(name: str, mailboxes: int, **fields: object) -> dict[str, object]:
    return {
        "domain_name": name,
        "mboxes_in_domain": mailboxes,
        "max_num_mboxes_for_domain": 10,
        "def_quota_for_mbox": 3072 * MIB,
        "max_quota_for_mbox": 10240 * MIB,
        "max_quota_for_domain": 20480 * MIB,
        "quota_used_in_domain": str(30 * MIB),
        "aliases_in_domain": 0,
        "max_num_aliases_for_domain": 400,
        **fields,
    }


def mailbox_row(address: str, **fields: object) -> dict[str, object]:
    return {
        "username": address,
        "domain": address.partition("@")[2],
        "name": "Some Body",
        "quota": 1024 * MIB,
        "active": 1,
        "authsource": "mailcow",
        "attributes": {
            "tls_enforce_in": "1",
            "tls_enforce_out": "0",
            "passwd_update": "2026-11-20 23:26:57",
            "attribute_hash": "",
        },
        **fields,
    }


def existing(address: str) -> Existing:
    """What `mailbox_row` of this address is read as."""
    attributes: dict[str, Value] = {"name": "Some Body", "quota": 1024, "active": 1, "authsource": "mailcow"}
    flags = {"tls_enforce_in": 1, "tls_enforce_out": 0}
    return Existing(Address(address), {**attributes, **flags}, frozenset(), "2026-11-20 23:26:57", "")


TWO_DOMAINS = {
    "get/domain/all": [domain_row("a.org", 1), domain_row("b.org", 1)],
    "get/mailbox/reduced/a.org,b.org": [mailbox_row("ann@a.org"), mailbox_row("bob@b.org")],
    "get/mailbox/reduced/a.org": [mailbox_row("ann@a.org")],
}


def read(client: Mailcow, wanted: frozenset[str] | None = None) -> Actual:
    return read_actual(client, wanted, with_provider=False)


def test_domains_and_mailboxes_are_read() -> None:
    with mailcow(by_path(TWO_DOMAINS)) as (server, client):
        actual = read(client)
    assert actual.domains["a.org"] == Domain("a.org", 1, 10, 3072, 10240, 20480, 30, 0, 400)
    assert actual.mailboxes == {ANN: existing("ann@a.org"), BOB: existing("bob@b.org")}
    assert (actual.aliases, actual.alias_domains, actual.provider, actual.half_deleted) == ({}, {}, "mailcow", 0)
    assert actual.hosted == {"a.org", "b.org"}
    assert server.paths == ["get/domain/all", "get/mailbox/reduced/a.org,b.org"]


def test_tags_hash_and_stamp_are_read() -> None:
    inner = {"tls_enforce_in": None, "passwd_update": None, "attribute_hash": "abc"}
    row = mailbox_row("ANN@a.org", tags=["ldap-sync", "x"], attributes=inner, name="", active=2, quota=0)
    with mailcow(by_path({"get/mailbox/ann@a.org": row})) as (_, client):
        found = read_mailbox(client, ANN)
    assert isinstance(found, Existing)
    assert found.tags == {"ldap-sync", "x"}
    assert (found.attribute_hash, found.passwd_update) == ("abc", "")
    assert found.attributes == {
        "name": "",
        "quota": 0,
        "active": 2,
        "authsource": "mailcow",
        "tls_enforce_in": 0,
        "tls_enforce_out": 0,
    }


def test_only_hosted_domains_that_are_wanted_are_asked_for() -> None:
    """A domain that mailcow doesn't have would be answered with all mailboxes of all domains."""
    with mailcow(by_path(TWO_DOMAINS)) as (server, client):
        actual = read(client, frozenset({"a.org", "elsewhere.org"}))
    assert actual.mailboxes.keys() == {ANN}
    assert actual.domains.keys() == {"a.org"}
    assert actual.hosted == {"a.org", "b.org"}
    assert server.paths == ["get/domain/all", "get/mailbox/reduced/a.org"]


@pytest.mark.parametrize("empty", [{}, []])
def test_no_domain_is_no_mailbox_and_no_second_request(empty: object) -> None:
    with mailcow(by_path({"get/domain/all": empty})) as (server, client):
        actual = with_aliases(client, read_actual(client, None, with_provider=False))
    assert actual == Actual({}, {})
    assert server.paths == ["get/domain/all", "get/alias-domain/all"]


@pytest.mark.parametrize("empty", [{}, []])
def test_an_empty_domain_is_whole(empty: object) -> None:
    answers = {"get/domain/all": [domain_row("a.org", 0)], "get/mailbox/reduced/a.org": empty}
    with mailcow(by_path(answers)) as (server, client):
        assert read(client).mailboxes == {}
    assert server.paths == ["get/domain/all", "get/mailbox/reduced/a.org"]


def test_rows_of_other_domains_and_doubles_are_dropped() -> None:
    rows = [mailbox_row("ann@a.org"), mailbox_row("bob@b.org"), mailbox_row("ann@a.org")]
    answers = {**TWO_DOMAINS, "get/mailbox/reduced/a.org": rows}
    with mailcow(by_path(answers)) as (_, client):
        assert read(client, frozenset({"a.org"})).mailboxes.keys() == {ANN}


def test_half_deleted_mailboxes_are_counted_and_left_out() -> None:
    answers = {
        "get/domain/all": [domain_row("a.org", 2)],
        "get/mailbox/reduced/a.org": [mailbox_row("ann@a.org"), NULLS],
    }
    with mailcow(by_path(answers)) as (_, client):
        actual = read(client)
    assert actual.half_deleted == 1
    assert actual.mailboxes.keys() == {ANN}


def test_a_list_that_does_not_add_up_is_read_again_once_and_then_told() -> None:
    answers = {**TWO_DOMAINS, "get/domain/all": [domain_row("a.org", 2), domain_row("b.org", 1)]}
    with (
        mailcow(by_path(answers)) as (server, client),
        pytest.raises(NotWhole, match=r"twice in a row \(a\.org 1 of 2, 0 half-deleted\); nothing"),
    ):
        read(client)
    assert server.paths == ["get/domain/all", "get/mailbox/reduced/a.org,b.org"] * 2


def test_a_list_that_adds_up_at_the_second_reading_is_taken() -> None:
    """A mailbox was made between the two requests."""
    domains = [[domain_row("a.org", 0)], [domain_row("a.org", 1)]]

    def answer(asked: Asked) -> Say:
        return as_json(domains.pop(0) if asked.path.endswith("domain/all") else [mailbox_row("ann@a.org")])

    with mailcow(answer) as (server, client):
        assert read(client).mailboxes.keys() == {ANN}
    assert len(server.asked) == 4


@pytest.mark.parametrize("answer", [{}, [], {"username": None}])
def test_an_older_mailcow_is_asked_the_slow_way(answer: object) -> None:
    answers = {
        "get/domain/all": [domain_row("a.org", 1)],
        "get/mailbox/reduced/a.org": answer,
        "get/mailbox/all/a.org": [mailbox_row("ann@a.org")],
    }
    with mailcow(by_path(answers)) as (_, client):
        assert read(client).mailboxes.keys() == {ANN}


def test_many_domains_are_asked_for_in_several_requests() -> None:
    names = [f"d{number:02}.org" for number in range(51)]

    def answer(asked: Asked) -> Say:
        if asked.path.endswith("domain/all"):
            return as_json([domain_row(name, 1) for name in names])
        return as_json([mailbox_row(f"ann@{name}") for name in asked.path.rpartition("/")[2].split(",")])

    with mailcow(answer) as (server, client):
        assert len(read(client).mailboxes) == 51
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "row",
    [
        7,
        mailbox_row("ann@a.org", domain=None),
        mailbox_row("ann@a.org", name=7),
        mailbox_row("ann@a.org", quota="1024"),
        mailbox_row("ann@a.org", active=None),
        mailbox_row("ann@a.org", authsource=None),
        mailbox_row("ann@a.org", attributes=[]),
        mailbox_row("ann@a.org", attributes={"tls_enforce_in": "yes"}),
        mailbox_row("ann@a.org", attributes={"tls_enforce_in": ["1"]}),
        mailbox_row("ann@a.org", attributes={"tls_enforce_in": float("inf")}),
        mailbox_row("ann@a.org", attributes={"passwd_update": ["2026"]}),
        mailbox_row("ann@a.org", quota=2**63),
        mailbox_row("ann@a.org", tags="ldap-sync"),
        mailbox_row("ann@a.org", tags=[["ldap-sync"]]),
        mailbox_row("ann@a.org", sender_acl=[None]),
        {"domain": "a.org"},
    ],
)
def test_a_mailbox_of_another_form_is_not_guessed(row: object) -> None:
    answers = {"get/domain/all": [domain_row("a.org", 1)], "get/mailbox/reduced/a.org": [row]}
    with mailcow(by_path(answers)) as (_, client), pytest.raises(Unreadable):
        read(client)


@pytest.mark.parametrize(
    "answer",
    [
        {"domain_name": "a.org"},
        "text",
        [domain_row("a.org", 1, domain_name=None)],
        [domain_row("a.org", 1, quota_used_in_domain="much")],
        [domain_row("a.org", 1, quota_used_in_domain=None)],
        [domain_row("a.org", 1, mboxes_in_domain=True)],
        [domain_row("a.org", 1, max_quota_for_domain=1.5)],
        [domain_row("a.org", 1, aliases_in_domain=None)],
        [domain_row("a.org", 1, max_num_aliases_for_domain="many")],
    ],
)
def test_domains_of_another_form_are_not_guessed(answer: object) -> None:
    with mailcow(by_path({"get/domain/all": answer})) as (_, client), pytest.raises(Unreadable, match="version"):
        read(client)


@pytest.mark.parametrize(
    ("answer", "provider"),
    [({"login_provisioning": 1}, "mailcow"), ([], "mailcow"), ({"authsource": "ldap", "bindpass": "secret"}, "ldap")],
)
def test_of_the_identity_provider_only_its_name_is_taken(
    answer: object, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer carries the bind password in clear."""
    caplog.set_level(logging.DEBUG)
    with mailcow(by_path({**TWO_DOMAINS, "get/identity-provider": answer})) as (_, client):
        actual = read_actual(client, None, with_provider=True)
    assert actual.provider == provider
    assert "secret" not in caplog.text + repr(actual)


def test_an_identity_provider_of_another_form_is_not_guessed() -> None:
    answers = {**TWO_DOMAINS, "get/identity-provider": {"authsource": None, "bindpass": "secret"}}
    with mailcow(by_path(answers)) as (_, client), pytest.raises(Unreadable, match="authsource") as caught:
        read_actual(client, None, with_provider=True)
    assert "secret" not in str(caught.value)


def test_a_mailbox_without_a_name_has_an_empty_one() -> None:
    """The column of an old row may be NULL; it must not hold up everybody else."""
    with mailcow(by_path({"get/mailbox/ann@a.org": mailbox_row("ann@a.org", name=None)})) as (_, client):
        found = read_mailbox(client, ANN)
    assert isinstance(found, Existing)
    assert found.attributes["name"] == ""


def test_one_mailbox_is_read_by_its_quoted_address() -> None:
    answers = {"get/mailbox/p%252Bq@a.org": mailbox_row("p+q@a.org")}
    with mailcow(by_path(answers)) as (_, client):
        assert read_mailbox(client, Address("p+q@a.org")) == existing("p+q@a.org")


@pytest.mark.parametrize("answer", [{}, []])
def test_a_mailbox_that_is_not_there_is_none(answer: object) -> None:
    with mailcow(by_path({"get/mailbox/ann@a.org": answer})) as (_, client):
        assert read_mailbox(client, ANN) is None


def test_a_half_deleted_mailbox_is_told_from_none() -> None:
    with mailcow(by_path({"get/mailbox/ann@a.org": NULLS})) as (_, client):
        assert read_mailbox(client, ANN) == HalfDeleted(ANN)


@pytest.mark.parametrize("answer", [mailbox_row("bob@b.org"), [mailbox_row("ann@a.org")]])
def test_an_answer_about_something_else_is_not_taken(answer: object) -> None:
    with mailcow(by_path({"get/mailbox/ann@a.org": answer})) as (_, client), pytest.raises(Unreadable):
        read_mailbox(client, ANN)
