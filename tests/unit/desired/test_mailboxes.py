"""Entries to mailboxes: what each asks for, and what is odd about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.desired import RESERVED, Desired
from ldap2mailcow.model import Address, Code, Entry, Value

from .builders import Values, codes, dn_of, entry, mailbox_of, make_config, wish

ANN, BOB = Address("ann@example.org"), Address("bob@example.org")
CRYPT = "{CRYPT}$1$rasmusle$rISCgZzpwk3UhDidwXvin0"
EVERYTHING = {
    "name": "displayName",
    "quota": "mailQuota",
    "active": "mailActive",
    "tls_enforce_in": "tlsIn",
    "tls_enforce_out": "tlsOut",
}


def sentence(desired: Desired, code: Code) -> str:
    """Return the sentence of the only finding."""
    (finding,) = desired.findings
    assert finding.code is code
    return finding.sentence


# What an entry asks for


def test_an_entry_becomes_a_mailbox() -> None:
    desired = wish(
        entry(
            "ann",
            displayName="Ann O.",
            mailQuota="2G",
            mailActive="FALSE",
            tlsIn="1",
            tlsOut="0",
            userPassword=CRYPT,
        ),
        config=make_config(EVERYTHING),
    )
    assert desired.findings == ()
    mailbox = desired.mailboxes[ANN]
    assert (mailbox.source, mailbox.id, mailbox.dn, mailbox.address) == ("default", "id-ann", dn_of("ann"), ANN)
    assert mailbox.attributes == {
        "name": "Ann O.",
        "quota": 2048,
        "active": 0,
        "tls_enforce_in": 1,
        "tls_enforce_out": 0,
    }
    assert mailbox.password is not None
    assert mailbox.password.get_secret_value() == CRYPT
    assert mailbox.present == {*EVERYTHING, "mail", "firstname", "lastname", "password"}


def test_an_attribute_that_is_not_mapped_is_not_managed() -> None:
    mailbox = mailbox_of(entry("ann", mailQuota="2G", mailActive="FALSE", tlsIn="1"))
    assert mailbox.attributes == {"name": "Ann Other"}


def test_a_mapped_attribute_that_the_entry_lacks_is_not_managed() -> None:
    mailbox = mailbox_of(entry("ann", givenName=None, sn=None), make_config(EVERYTHING))
    assert mailbox.attributes == {}
    assert mailbox.password is None
    assert mailbox.present == {"mail"}


def test_an_attribute_of_blanks_is_present_and_not_managed() -> None:
    """The key counts as there, so that a blank isn't taken for half of a vanished attribute."""
    mailbox = mailbox_of(entry("ann", mailQuota=" "), make_config(EVERYTHING))
    assert "quota" not in mailbox.attributes
    assert "quota" in mailbox.present


def test_the_whole_name_goes_before_first_and_last_name() -> None:
    mailbox = mailbox_of(entry("ann", cn="Dr. Ann"), make_config({"name": "cn"}))
    assert mailbox.attributes["name"] == "Dr. Ann"


@pytest.mark.parametrize(
    ("given_name", "surname", "name"),
    [("Ann", "Other", "Ann Other"), ("Ann", None, "Ann"), (None, "Other", "Other"), (["Ann", "Anna"], "O", "Ann O")],
)
def test_first_and_last_name_make_the_name(given_name: Values | None, surname: Values | None, name: str) -> None:
    mailbox = mailbox_of(entry("ann", givenName=given_name, sn=surname), make_config({"name": "cn"}))
    assert mailbox.attributes["name"] == name


def test_a_quota_counts_in_the_unit_of_the_config() -> None:
    mailbox = mailbox_of(entry("ann", mailQuota="3"), make_config({"quota": "mailQuota", "quota_unit": "GiB"}))
    assert mailbox.attributes["quota"] == 3 * 1024


def test_a_quota_of_zero_is_managed_and_an_empty_one_is_not() -> None:
    config = make_config({"quota": "mailQuota"})
    assert mailbox_of(entry("ann", mailQuota="0"), config).attributes["quota"] == 0
    assert "quota" not in mailbox_of(entry("ann", mailQuota=""), config).attributes


def test_several_values_that_mean_the_same_are_one() -> None:
    mailbox = mailbox_of(entry("ann", mailQuota=["1G", "1024M"]), make_config({"quota": "mailQuota"}))
    assert mailbox.attributes["quota"] == 1024


def test_an_address_is_compared_in_its_one_form() -> None:
    assert mailbox_of(entry("ann", mail=" Ann@MÜNCHEN.example ")).address == "ann@xn--mnchen-3ya.example"


def test_two_values_that_are_one_address_are_one() -> None:
    assert mailbox_of(entry("ann", mail=["ann@example.org", "Ann@Example.org"])).address == ANN


# Values that can't be used


@pytest.mark.parametrize(
    ("attribute", "value", "code", "key"),
    [
        ("mailQuota", "lots", Code.QUOTA_INVALID, "quota"),
        ("mailQuota", "9" * 40, Code.QUOTA_INVALID, "quota"),
        ("mailQuota", ["1G", "2G"], Code.QUOTA_INVALID, "quota"),
        ("mailActive", "maybe", Code.ACTIVE_INVALID, "active"),
        ("mailActive", ["TRUE", "FALSE"], Code.ACTIVE_INVALID, "active"),
        ("tlsIn", "2", Code.TLS_INVALID, "tls_enforce_in"),
        ("tlsOut", "x", Code.TLS_INVALID, "tls_enforce_out"),
    ],
)
def test_a_value_that_can_not_be_used_leaves_mailcow_s_own(attribute: str, value: Values, code: Code, key: str) -> None:
    desired = wish(entry("ann", **{attribute: value}), config=make_config(EVERYTHING))
    assert f"its {attribute} " in sentence(desired, code)
    assert key not in desired.mailboxes[ANN].attributes
    assert key in desired.mailboxes[ANN].present


def test_a_name_that_mailcow_can_not_hold_leaves_mailcow_s_own() -> None:
    desired = wish(entry("ann", givenName="A" * 255))
    assert "255 characters" in sentence(desired, Code.NAME_INVALID)
    assert "name" not in desired.mailboxes[ANN].attributes


def test_a_value_that_is_not_utf8_is_left_out_and_the_others_are_taken() -> None:
    desired = wish(entry("ann", givenName=[b"\xff", "Ann"]))
    assert "a value of givenName is not UTF-8" in sentence(desired, Code.NOT_UTF8)
    assert desired.mailboxes[ANN].attributes["name"] == "Ann Other"


def test_an_address_that_is_not_utf8_is_told_and_makes_no_mailbox() -> None:
    desired = wish(entry("ann", mail=b"\xff@example.org"))
    assert desired.mailboxes == {}
    assert Code.NOT_UTF8 in codes(desired)


# Passwords


def test_a_hash_that_mailcow_can_not_verify_is_told_by_its_scheme_only() -> None:
    desired = wish(entry("ann", userPassword="{PBKDF2-SHA512}10000$c2FsdA==$a2V5"))
    told = sentence(desired, Code.PASSWORD_UNUSABLE)
    assert "({PBKDF2-SHA512})" in told
    assert "10000" not in told
    assert desired.mailboxes[ANN].password is None
    assert "password" in desired.mailboxes[ANN].present


def test_clear_text_is_told_without_the_password() -> None:
    desired = wish(entry("ann", userPassword="hunter2"))
    assert "hunter2" not in sentence(desired, Code.CLEAR_TEXT_PASSWORD)
    assert desired.mailboxes[ANN].password is None


def test_clear_text_is_taken_where_the_config_allows_it() -> None:
    mailbox = mailbox_of(entry("ann", userPassword="hunter2"), make_config(clear_text_passwords="allow"))
    assert mailbox.password is not None
    assert mailbox.password.get_secret_value() == "hunter2"


def test_the_password_of_another_provider_is_not_read() -> None:
    config = make_config({"authsource": "ldap"})
    mailbox = mailbox_of(entry("ann", userPassword="{SASL}ann@EXAMPLE.ORG"), config)
    assert mailbox.password is None
    assert mailbox.attributes["authsource"] == "ldap"


def test_a_password_is_not_in_any_text_of_what_is_desired() -> None:
    desired = wish(entry("ann", userPassword=CRYPT), entry("bob", userPassword="{NT}rasmusle"))
    assert "rasmusle" not in repr(desired)


# Addresses that nobody gets


def test_an_entry_without_an_address_makes_no_mailbox_and_is_not_gone() -> None:
    desired = wish(entry("ann", mail=None))
    assert "it has no mail" in sentence(desired, Code.NO_MAIL)
    assert desired.mailboxes == {}
    assert desired.ids == {"id-ann"}
    assert desired.dns == {dn_of("ann")}


def test_a_blank_address_is_none() -> None:
    assert codes(wish(entry("ann", mail=" "))) == [Code.NO_MAIL]


def test_a_bad_address_is_quoted_with_what_is_wrong() -> None:
    desired = wish(entry("ann", mail="ann other@example.org"))
    assert "its mail 'ann other@example.org' has characters" in sentence(desired, Code.BAD_ADDRESS)
    assert desired.mailboxes == {}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("hunter2", id="no @"),
        pytest.param("{CLEAR}p@ss word", id="a scheme"),
        pytest.param("$6$s@lt$hash of it", id="crypt"),
    ],
)
def test_a_bad_address_that_may_be_a_secret_is_not_quoted(value: str) -> None:
    """Somebody may have mapped the wrong attribute."""
    told = sentence(wish(entry("ann", mail=value)), Code.BAD_ADDRESS)
    assert value not in told
    assert told.startswith("its mail ")


def test_a_bad_address_beside_a_good_one_is_told_and_the_good_one_is_taken() -> None:
    desired = wish(entry("ann", mail=["nobody", ANN]))
    assert codes(desired) == [Code.BAD_ADDRESS]
    assert set(desired.mailboxes) == {ANN}


def test_of_several_addresses_nobody_can_tell_which_is_the_mailbox() -> None:
    desired = wish(entry("ann", mail=["ann@example.org", "anna@example.org"]))
    assert "(ann@example.org, anna@example.org)" in sentence(desired, Code.SEVERAL_MAILS)
    assert "it gets none" in sentence(desired, Code.SEVERAL_MAILS)
    assert desired.mailboxes == {}
    assert desired.addresses == {"ann@example.org", "anna@example.org"}


def test_of_several_addresses_the_one_that_is_held_stays() -> None:
    desired = wish(entry("ann", mail=["anna@example.org", "ann@example.org"]), holders={"ann": ANN})
    assert "ann@example.org stays" in sentence(desired, Code.SEVERAL_MAILS)
    assert set(desired.mailboxes) == {ANN}


def test_of_several_addresses_none_is_taken_where_another_one_is_held() -> None:
    desired = wish(entry("ann", mail=["anna@example.org", "ann@example.org"]), holders={"ann": BOB})
    assert codes(desired) == [Code.SEVERAL_MAILS]
    assert desired.mailboxes == {}


def test_a_domain_that_mailcow_does_not_have_is_told() -> None:
    desired = wish(entry("ann", mail="ann@example.net"))
    assert "no mail domain example.net" in sentence(desired, Code.DOMAIN_NOT_HOSTED)
    assert desired.mailboxes == {}
    assert desired.addresses == {"ann@example.net"}


def test_a_domain_that_is_not_in_the_config_is_told_as_such() -> None:
    config = make_config(source={"domains": ["München.example"]})
    desired = wish(entry("ann"), entry("bob", mail="bob@münchen.example"), config=config)
    assert "none of the `domains`" in sentence(desired, Code.DOMAIN_NOT_OURS)
    assert set(desired.mailboxes) == {"bob@xn--mnchen-3ya.example"}


# Reserved names


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_stands_for_the_domain_is_refused(name: str) -> None:
    """Whoever holds one of these can have certificates made for the domain."""
    desired = wish(entry("ann", mail=f"{name.title()}@example.org"))
    assert f"put '{name}' or '{name}@example.org' into allow_reserved" in sentence(desired, Code.RESERVED_ADDRESS)
    assert desired.mailboxes == {}


@pytest.mark.parametrize("allowed", ["postmaster", "Postmaster", "postmaster@example.org", "@Example.org"])
def test_a_reserved_name_can_be_allowed(allowed: str) -> None:
    mailbox = mailbox_of(entry("ann", mail="postmaster@example.org"), make_config(allow_reserved=[allowed]))
    assert mailbox.address == "postmaster@example.org"


@pytest.mark.parametrize("allowed", ["root", "postmaster@example.net", "@example.net"])
def test_another_permission_does_not_allow_it(allowed: str) -> None:
    desired = wish(entry("ann", mail="postmaster@example.org"), config=make_config(allow_reserved=[allowed]))
    assert codes(desired) == [Code.RESERVED_ADDRESS]


def test_a_name_that_only_begins_like_a_reserved_one_is_a_name() -> None:
    assert mailbox_of(entry("ann", mail="rootsy@example.org")).address == "rootsy@example.org"


# One address wanted by several


def test_an_address_that_two_entries_want_is_nobody_s() -> None:
    desired = wish(entry("bob", mail=ANN), entry("ann"), entry("cat"))
    told = sentence(desired, Code.DUPLICATE_ADDRESS)
    assert told.startswith(f"{dn_of('ann')} and {dn_of('bob')} want the same address; nobody gets it")
    assert desired.findings[0].where == ANN
    assert set(desired.mailboxes) == {"cat@example.org"}
    assert desired.ids == {"id-ann", "id-bob", "id-cat"}


def test_an_address_that_two_entries_want_stays_with_its_holder() -> None:
    desired = wish(entry("bob", mail=ANN), entry("ann"), holders={"ann": ANN, "bob": BOB})
    assert f"{dn_of('ann')} keeps it" in sentence(desired, Code.DUPLICATE_ADDRESS)
    assert desired.mailboxes[ANN].id == "id-ann"


def test_of_many_entries_that_want_one_address_some_are_named() -> None:
    told = sentence(wish(*(entry(f"u{number}", mail=ANN) for number in range(5))), Code.DUPLICATE_ADDRESS)
    assert told.startswith(" and ".join(dn_of(f"u{number}") for number in range(3)) + " and 2 more want")


# Holders without an id


def test_a_holder_that_is_known_by_its_dn_only_keeps_the_address() -> None:
    """The ancestor's rows have no id."""
    by_dn = {dn_of("ann"): ANN}
    desired = wish(entry("bob", mail=ANN), entry("ann"), by_dn=by_dn)
    assert desired.mailboxes[ANN].id == "id-ann"
    assert f"{dn_of('ann')} keeps it" in sentence(desired, Code.DUPLICATE_ADDRESS)


def test_a_holder_that_is_known_by_its_dn_only_keeps_one_of_several_addresses() -> None:
    desired = wish(entry("ann", mail=["anna@example.org", ANN]), by_dn={dn_of("ann"): ANN})
    assert set(desired.mailboxes) == {ANN}
    assert "ann@example.org stays" in sentence(desired, Code.SEVERAL_MAILS)


# What every entry of the answer tells


def test_what_each_entry_shows_is_known_by_its_id_also_where_it_is_no_mailbox() -> None:
    desired = wish(
        entry("ann", mail=None, userPassword=CRYPT),
        entry("bob", mail="bob@example.net"),
        entry("cat", entryUUID=None),
    )
    assert desired.present == {
        "id-ann": {"firstname", "lastname", "password"},
        "id-bob": {"mail", "firstname", "lastname"},
    }


@pytest.mark.parametrize(
    ("value", "inactive"),
    [
        ("FALSE", True),
        ("0", True),
        (["0", "FALSE"], True),
        ("TRUE", False),
        (None, False),
        (["TRUE", "FALSE"], False),
        ("maybe", False),
        (b"\xff", False),
    ],
)
@pytest.mark.parametrize("mail", [None, "nobody", "ann@example.net", ANN])
def test_who_is_inactive_is_known_whatever_address_the_entry_has(
    mail: str | None,
    value: Values | None,
    inactive: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    desired = wish(entry("ann", mail=mail, mailActive=value), config=make_config(EVERYTHING))
    assert desired.inactive == ({"id-ann"} if inactive else set())


def test_nobody_is_inactive_where_no_status_is_mapped() -> None:
    assert wish(entry("ann", mailActive="FALSE")).inactive == frozenset()


# Who checks the password


@pytest.mark.parametrize(
    ("mapping", "managed"),
    [({}, None), ({"authsource": "mailcow"}, "mailcow"), ({"authsource": "ldap"}, "ldap")],
)
def test_who_checks_the_password_is_managed_only_where_the_config_says_it(
    mapping: dict[str, str],
    managed: str | None,
) -> None:
    assert mailbox_of(entry("ann"), make_config(mapping)).attributes.get("authsource") == managed


# Ids


def test_an_entry_without_an_id_is_told_apart_by_nothing() -> None:
    desired = wish(entry("ann", entryUUID=None), entry("bob"))
    assert desired.without_id == (dn_of("ann"),)
    assert set(desired.mailboxes) == {BOB}
    assert desired.dns == {dn_of("ann"), dn_of("bob")}


def test_two_entries_with_one_id_can_t_be_told_apart() -> None:
    desired = wish(entry("ann", entryUUID="1"), entry("eve", entryUUID="1"), entry("bob"))
    assert desired.without_id == (dn_of("ann"), dn_of("eve"))
    assert set(desired.mailboxes) == {BOB}


def test_no_entries_want_nothing() -> None:
    assert wish() == Desired({}, frozenset(), frozenset())


# Any entry at all


ATTRIBUTES = (
    *("mail", "givenName", "sn", "displayName", "userPassword", "mailQuota", "mailActive", "tlsIn", "tlsOut"),
    "entryUUID",
)
BYTES = st.binary(max_size=12) | st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass"))
TYPICAL = st.sampled_from(
    [
        *(b"odd@example.org", b"Odd@Example.ORG", b"odd@example.net", b"postmaster@example.org", b"odd", b"@", b""),
        *(b"TRUE", b"0", b"9" * 50, b"-1", b"0.1G", b"{SSHA}x", b"{PLAIN}x", b"$6$a$b", b"secret"),
        "odd@例え.テスト".encode(),
    ]
)
ODD = st.dictionaries(st.sampled_from(ATTRIBUTES), st.lists(BYTES | TYPICAL, max_size=3))
CONFIG: Any = make_config(EVERYTHING)


def odd_entry(attributes: dict[str, list[bytes]]) -> Entry:
    return Entry("cn=odd", {name.lower(): tuple(values) for name, values in attributes.items()})


@settings(derandomize=True, deadline=None, max_examples=400)
@given(odd=ODD, place=st.integers(0, 2))
def test_an_odd_entry_never_changes_what_the_others_become(odd: dict[str, list[bytes]], place: int) -> None:
    others = [
        entry("ann", displayName="Ann", mailQuota="1G", userPassword=CRYPT),
        entry("bob", mailActive="FALSE", tlsIn="maybe"),
    ]
    alone = wish(*others, config=CONFIG)
    together = wish(*others[:place], odd_entry(odd), *others[place:], config=CONFIG)
    assert {address: together.mailboxes[address] for address in (ANN, BOB)} == alone.mailboxes
    assert [finding for finding in together.findings if finding.where != "cn=odd"] == list(alone.findings)
    assert together.ids >= alone.ids


KNOWN_KEYS = {"name", "quota", "active", "tls_enforce_in", "tls_enforce_out", "authsource"}


def is_storable(key: str, value: Value) -> bool:
    match key:
        case "name":
            return isinstance(value, str) and 0 < len(value) <= 255
        case "quota":
            return isinstance(value, int) and value >= 0
        case "authsource":
            return value == "mailcow"
        case _:
            return value in {0, 1}


@settings(derandomize=True, deadline=None, max_examples=400)
@given(odd=ODD)
def test_whatever_an_entry_holds_it_becomes_a_storable_mailbox_or_a_finding(odd: dict[str, list[bytes]]) -> None:
    desired = wish(odd_entry({"entryUUID": [b"1"], **odd}), config=CONFIG)
    for address, mailbox in desired.mailboxes.items():
        assert Address.parse(address) == address == mailbox.address
        assert mailbox.attributes.keys() <= KNOWN_KEYS
        assert all(is_storable(key, value) for key, value in mailbox.attributes.items())
    assert desired.mailboxes or desired.findings or desired.without_id
