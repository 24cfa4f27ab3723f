"""Whether an entry says that the user is active: in words, in a bit, in a lock."""

from __future__ import annotations

import pytest

from ldap2mailcow.model import Code

from .builders import Values, ask, codes, entry, make_config, user_of

CONTROL, LOCK = make_config({"active": "UserAccountControl"}), make_config({"active": "nsaccountlock"})


@pytest.mark.parametrize(
    ("value", "active"),
    [("512", 1), ("514", 0), ("2", 0), ("0", 1), ("66048", 1), ("66050", 0), ("-2147483646", 0), (" 514 ", 0)],
)
def test_active_directory_says_it_in_a_bit(value: str, active: int) -> None:
    assert user_of(entry("ann", userAccountControl=value), CONTROL).attributes["active"] == active


@pytest.mark.parametrize("value", ["TRUE", "5a", "0x2", "٣", "1.5", "9" * 12])
def test_what_is_no_number_can_not_be_read(value: str) -> None:
    asked = ask(entry("ann", userAccountControl=value), config=CONTROL)
    assert codes(asked) == [Code.ACTIVE_INVALID]
    assert asked.users[0].unreadable == {"active"}


@pytest.mark.parametrize(("value", "active"), [("TRUE", 0), ("true", 0), ("FALSE", 1)])
def test_389_says_that_an_account_is_locked(value: str, active: int) -> None:
    assert user_of(entry("ann", nsAccountLock=value), LOCK).attributes["active"] == active


@pytest.mark.parametrize("name", ["UserAccountControl", "nsaccountlock"])
@pytest.mark.parametrize("value", [None, ""])
def test_without_a_value_nothing_is_said(name: str, value: str | None) -> None:
    user = user_of(entry("ann", **{name: value}), make_config({"active": name}))
    assert ("active" in user.attributes, user.unreadable) == (False, frozenset())


@pytest.mark.parametrize(("value", "active"), [("TRUE", 1), ("no", 0), (["0", "FALSE"], 0)])
def test_another_attribute_says_it_in_words(value: Values, active: int) -> None:
    assert user_of(entry("ann", mailActive=value), make_config({"active": "mailActive"})).attributes["active"] == active


def test_a_number_is_none_of_the_words() -> None:
    assert codes(ask(entry("ann", mailActive="512"), config=make_config({"active": "mailActive"}))) == [
        Code.ACTIVE_INVALID
    ]
