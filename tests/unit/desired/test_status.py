"""Whether an entry says that its person is active."""

from __future__ import annotations

import pytest

from ldap2mailcow.model import Code

from .builders import codes, entry, mailbox_of, make_config, wish

CONTROL, LOCK = make_config({"active": "UserAccountControl"}), make_config({"active": "nsaccountlock"})


@pytest.mark.parametrize(
    ("value", "active"),
    [("512", 1), ("514", 0), ("2", 0), ("0", 1), ("66048", 1), ("66050", 0), ("-2147483646", 0), (" 514 ", 0)],
)
def test_active_directory_says_it_in_a_bit(value: str, active: int) -> None:
    assert mailbox_of(entry("ann", userAccountControl=value), CONTROL).attributes["active"] == active
    inactive = wish(entry("ann", userAccountControl=value), config=CONTROL).inactive
    assert inactive == (set() if active else {"id-ann"})


@pytest.mark.parametrize("value", ["TRUE", "", "5a", "0x2", "٣", "1.5", "9" * 12])
def test_what_is_no_number_says_nothing(value: str) -> None:
    desired = wish(entry("ann", userAccountControl=value), config=CONTROL)
    assert codes(desired) == ([Code.ACTIVE_INVALID] if value else [])
    assert "active" not in next(iter(desired.mailboxes.values())).attributes
    assert desired.inactive == set()


@pytest.mark.parametrize(("value", "active"), [("TRUE", 0), ("true", 0), ("FALSE", 1)])
def test_389_says_that_an_account_is_locked(value: str, active: int) -> None:
    assert mailbox_of(entry("ann", nsAccountLock=value), LOCK).attributes["active"] == active
    assert wish(entry("ann", nsAccountLock=value), config=LOCK).inactive == (set() if active else {"id-ann"})


def test_389_says_nothing_of_an_account_that_never_was_locked() -> None:
    assert "active" not in mailbox_of(entry("ann"), LOCK).attributes


def test_another_attribute_says_it_in_words() -> None:
    config = make_config({"active": "mailActive"})
    assert mailbox_of(entry("ann", mailActive="TRUE"), config).attributes["active"] == 1
    assert codes(wish(entry("ann", mailActive="512"), config=config)) == [Code.ACTIVE_INVALID]


# Mailboxes that come from elsewhere


def test_of_mailboxes_from_elsewhere_only_the_status_is_read() -> None:
    config = make_config(
        {"active": "mailActive", "quota": "mailQuota", "authsource": "mailcow"}, create_mailboxes=False
    )
    odd = entry("ann", mailActive="FALSE", mailQuota="lots", userPassword="clear", sn="x" * 300)
    mailbox = mailbox_of(odd, config)
    assert mailbox.attributes == {"active": 0}
    assert mailbox.password is None


def test_of_mailboxes_from_elsewhere_nothing_is_read_without_a_status() -> None:
    assert mailbox_of(entry("ann"), make_config(create_mailboxes=False)).attributes == {}
