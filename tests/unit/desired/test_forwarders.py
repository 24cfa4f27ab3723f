"""Users whose mail goes elsewhere, and who have no mailbox for that reason."""

from __future__ import annotations

import pytest

from ldap2mailcow.desired import Forwarder
from ldap2mailcow.model import Address, Code

from .builders import Values, codes, dn_of, entry, make_config, only, wish

ANN = Address("ann@example.org")
CONFIG = make_config({"forward_to": "mailForward"})


def test_who_has_mail_forwarded_has_no_mailbox() -> None:
    desired = wish(entry("ann", mailForward="ann@elsewhere.test", userPassword="clear"), config=CONFIG)
    assert desired.mailboxes == {}
    assert desired.forwarders == {ANN: Forwarder("id-ann", dn_of("ann"), ANN)}
    assert desired.findings == ()
    assert desired.ids == {"id-ann"}


@pytest.mark.parametrize("value", [None, "", "  ", ["", " "]])
def test_a_blank_forwards_nothing(value: Values | None) -> None:
    assert wish(entry("ann", mailForward=value), config=CONFIG).mailboxes.keys() == {ANN}


@pytest.mark.parametrize("value", [["", "x"], "no address", b"\xff"])
def test_what_can_not_be_read_makes_no_mailbox_either(value: Values) -> None:
    desired = wish(entry("ann", mailForward=value), config=CONFIG)
    assert desired.mailboxes == {}
    assert desired.forwarders.keys() == {ANN}


def test_an_attribute_that_is_not_mapped_forwards_nothing() -> None:
    assert wish(entry("ann", mailForward="bob@example.org")).mailboxes.keys() == {ANN}


def test_a_mailbox_that_is_there_stays_and_is_told() -> None:
    desired = wish(entry("ann", mailForward="ann@elsewhere.test"), config=CONFIG, has_mailbox=[ANN])
    assert desired.mailboxes.keys() == {ANN}
    assert desired.forwarders == {}
    finding = only(desired, Code.FORWARD_BESIDE_MAILBOX)
    assert finding.where == dn_of("ann")
    assert "sieve" in finding.sentence


def test_an_address_that_can_not_be_used_forwards_nothing() -> None:
    desired = wish(
        entry("ann", mail="postmaster@example.org", mailForward="x@elsewhere.test"),
        entry("bob", mail="bob@elsewhere.test", mailForward="x@elsewhere.test"),
        config=CONFIG,
    )
    assert codes(desired) == [Code.RESERVED_ADDRESS, Code.DOMAIN_NOT_HOSTED]
    assert desired.forwarders == {}


def test_an_address_that_a_mailbox_and_a_forwarding_want_is_nobody_s() -> None:
    desired = wish(entry("ann"), entry("bob", mail=ANN, mailForward="x@elsewhere.test"), config=CONFIG)
    assert codes(desired) == [Code.DUPLICATE_ADDRESS]
    assert (desired.mailboxes, desired.forwarders) == ({}, {})


def test_an_address_that_a_mailbox_and_a_forwarding_want_stays_with_its_holder() -> None:
    entries = entry("ann"), entry("bob", mail=ANN, mailForward="x@elsewhere.test")
    assert wish(*entries, config=CONFIG, holders={"ann": ANN}).mailboxes.keys() == {ANN}
    desired = wish(*entries, config=CONFIG, holders={"bob": ANN})
    assert desired.mailboxes == {}
    assert desired.forwarders[ANN].id == "id-bob"
