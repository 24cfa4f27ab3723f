"""A user's entry: address, what is managed of the mailbox, further addresses, and whatever else it asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.desired import RESERVED, EntryId, Forward, User
from ldap2mailcow.model import Address, Code, Entry, Value

from .builders import Values, ask, codes, dn_of, entry, group, id_of, make_config, only, user_of

ANN, BOB = Address("ann@example.org"), Address("bob@example.org")
CRYPT = "{CRYPT}$1$rasmusle$rISCgZzpwk3UhDidwXvin0"
EVERYTHING = {
    "name": "displayName",
    "quota": "mailQuota",
    "active": "mailActive",
    "tls_enforce_in": "tlsIn",
    "tls_enforce_out": "tlsOut",
    "aliases": ["proxyAddresses", "mailAlternateAddress"],
    "forward_to": "mailForward",
    "send_as": "mailSendAs",
}


def test_all_that_an_entry_asks_for() -> None:
    ann = entry(
        "ann",
        displayName="Ann O.",
        mailQuota="2G",
        mailActive="FALSE",
        tlsIn="1",
        tlsOut="0",
        userPassword=CRYPT,
        proxyAddresses="smtp:anna@example.org",
        mailForward="ann@elsewhere.test",
        mailSendAs="bob@example.org",
    )
    asked = ask(ann, config=make_config(EVERYTHING))
    (user,) = asked.users
    assert asked.findings == ()
    assert user.password is not None
    assert user.password.get_secret_value() == CRYPT
    assert user == User(
        id=EntryId("default", "id-ann"),
        dn=dn_of("ann"),
        addresses=(ANN,),
        attributes={"name": "Ann O.", "quota": 2048, "active": 0, "tls_enforce_in": 1, "tls_enforce_out": 0},
        unreadable=frozenset(),
        password=user.password,
        present=frozenset({*EVERYTHING, "mail", "firstname", "lastname", "password", "aliases:proxyAddresses"})
        - {"aliases"},
        aliases=frozenset({Address("anna@example.org")}),
        flags={"sogo_visible": 1},
        forward=Forward(
            id=id_of("ann"),
            dn=dn_of("ann"),
            addresses=frozenset({ANN}),
            stated=frozenset({Address("ann@elsewhere.test")}),
            flags={"sogo_visible": 1},
            is_user=True,
        ),
        senders=frozenset({BOB}),
    )


def test_nothing_is_asked_for_where_there_are_no_entries() -> None:
    asked = ask()
    assert (asked.users, asked.dns, asked.without_id, asked.findings) == ((), frozenset(), (), ())


# Ids


def test_an_entry_without_an_id_can_not_be_told_apart() -> None:
    asked = ask(entry("ann", entryUUID=None), entry("bob"))
    assert asked.without_id == (dn_of("ann"),)
    assert [user.id for user in asked.users] == [id_of("bob")]
    assert asked.dns == {dn_of("ann"), dn_of("bob")}


def test_two_entries_with_one_id_can_not_be_told_apart() -> None:
    asked = ask(entry("ann", entryUUID="1"), entry("eve", entryUUID="1"), entry("bob"))
    assert asked.without_id == (dn_of("ann"), dn_of("eve"))
    assert [user.id for user in asked.users] == [id_of("bob")]


# Addresses


def test_an_address_is_compared_in_its_one_form() -> None:
    assert user_of(entry("ann", mail=" Ann@MÜNCHEN.example ")).addresses == ("ann@xn--mnchen-3ya.example",)


def test_two_values_that_are_one_address_are_one() -> None:
    assert user_of(entry("ann", mail=["ann@example.org", "Ann@Example.org"])).addresses == (ANN,)


def test_of_several_addresses_all_are_handed_on_in_the_entry_s_order() -> None:
    """Which of them is the mailbox can't be told from the entry."""
    assert user_of(entry("ann", mail=["anna@example.org", ANN])).addresses == ("anna@example.org", ANN)


def test_two_entries_may_ask_for_one_address() -> None:
    asked = ask(entry("ann"), entry("bob", mail=ANN))
    assert [user.addresses for user in asked.users] == [(ANN,), (ANN,)]
    assert asked.findings == ()


@pytest.mark.parametrize("mail", [None, "", " "])
def test_an_entry_without_an_address_is_there_and_told(mail: str | None) -> None:
    asked = ask(entry("ann", mail=mail))
    assert "it has no mail; give it an address, or narrow user_search_filter" in only(asked, Code.NO_MAIL).sentence
    assert [(user.id, user.addresses) for user in asked.users] == [(id_of("ann"), ())]


def test_a_bad_address_is_quoted_with_what_is_wrong() -> None:
    asked = ask(entry("ann", mail="ann other@example.org"))
    assert "its mail 'ann other@example.org' has characters" in only(asked, Code.BAD_ADDRESS).sentence
    assert asked.users[0].addresses == ()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("hunter2", id="no @"),
        pytest.param("{CLEAR}p@ss word", id="a scheme"),
        pytest.param("$6$s@lt$hash of it", id="crypt"),
    ],
)
def test_a_bad_address_that_may_be_a_secret_is_not_quoted(value: str) -> None:
    """The administrator may have mapped the wrong attribute."""
    sentence = only(ask(entry("ann", mail=value)), Code.BAD_ADDRESS).sentence
    assert value not in sentence
    assert sentence.startswith("its mail ")


def test_a_bad_address_beside_a_good_one_is_told_and_the_good_one_is_taken() -> None:
    asked = ask(entry("ann", mail=["nobody", ANN]))
    assert codes(asked) == [Code.BAD_ADDRESS]
    assert asked.users[0].addresses == (ANN,)


def test_an_address_that_is_not_utf8_is_told_and_left_out() -> None:
    asked = ask(entry("ann", mail=b"\xff@example.org"))
    assert codes(asked) == [Code.NOT_UTF8]
    assert asked.users[0].addresses == ()


# Reserved names


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_stands_for_the_domain_is_refused(name: str) -> None:
    """Such an address is enough to have certificates made for the domain."""
    asked = ask(entry("ann", mail=[f"{name.title()}@example.org", ANN]))
    sentence = only(asked, Code.RESERVED_ADDRESS).sentence
    assert f"put '{name}' or '{name}@example.org' into allow_reserved" in sentence
    assert asked.users[0].addresses == (ANN,)


@pytest.mark.parametrize("allowed", ["postmaster", "Postmaster", "postmaster@example.org", "@Example.org"])
def test_a_reserved_name_can_be_allowed(allowed: str) -> None:
    user = user_of(entry("ann", mail="postmaster@example.org"), make_config(allow_reserved=[allowed]))
    assert user.addresses == ("postmaster@example.org",)


@pytest.mark.parametrize("allowed", ["root", "postmaster@example.net", "@example.net"])
def test_another_permission_does_not_allow_it(allowed: str) -> None:
    asked = ask(entry("ann", mail="postmaster@example.org"), config=make_config(allow_reserved=[allowed]))
    assert codes(asked) == [Code.RESERVED_ADDRESS]


def test_a_name_that_only_begins_like_a_reserved_one_is_a_name() -> None:
    assert user_of(entry("ann", mail="rootsy@example.org")).addresses == ("rootsy@example.org",)


# Further addresses

CONFIG: Any = make_config(EVERYTHING)


def aliases_of(values: Values, allow_reserved: tuple[str, ...] = ()) -> set[str]:
    """Return the further addresses in proxyAddresses, nothing being odd about them."""
    return set(
        user_of(entry("ann", proxyAddresses=values), make_config(EVERYTHING, allow_reserved=allow_reserved)).aliases
    )


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ("smtp:a@example.org", {"a@example.org"}),
        ("SMTP:A@example.org", {"a@example.org"}),
        ("sMtP:a@example.org", {"a@example.org"}),
        (" smtp: a@example.org ", {"a@example.org"}),
        ("a@example.org", {"a@example.org"}),
        (["smtp:a@example.org", "a@example.org", "smtp:b@example.org"], {"a@example.org", "b@example.org"}),
        ("x500:/o=Example/cn=ann", set()),
        ("X400:C=US;A= ;P=Example", set()),
        (["sip:ann@example.org", "EUM:123;phone-context=x", "SPO:SPO_1@SPO_2", "eum:", "http://x"], set()),
        (["", " "], set()),
    ],
)
def test_proxy_addresses_are_told_apart_by_their_prefix(values: Values, wanted: set[str]) -> None:
    assert aliases_of(values) == wanted


@pytest.mark.parametrize("mail", [[ANN], [ANN, "anna@example.org"]])
def test_the_values_of_mail_are_no_further_addresses(mail: list[str]) -> None:
    """proxyAddresses has them too."""
    ann = entry("ann", mail=mail, proxyAddresses=[*(f"SMTP:{one}" for one in mail), "smtp:a@example.org"])
    assert user_of(ann, CONFIG).aliases == {"a@example.org"}


def test_a_refused_value_of_mail_is_told_once() -> None:
    ann = entry("ann", mail="root@example.org", proxyAddresses="SMTP:root@example.org")
    assert codes(ask(ann, config=CONFIG)) == [Code.RESERVED_ADDRESS]


def test_another_attribute_knows_only_the_one_prefix() -> None:
    ann = entry("ann", mailAlternateAddress=["smtp:a@example.org", "sip:b@example.org"])
    asked = ask(ann, config=CONFIG)
    assert asked.users[0].aliases == {"a@example.org"}
    assert "its mailAlternateAddress 'sip:b@example.org' has characters" in only(asked, Code.BAD_ADDRESS).sentence


@pytest.mark.parametrize("value", ["nobody", "@", "@ example.org", "@nodot", "smtp:", "a b@example.org"])
def test_what_is_no_address_is_told_and_the_others_are_taken(value: str) -> None:
    asked = ask(entry("ann", proxyAddresses=[value, "a@example.org"]), config=CONFIG)
    assert only(asked, Code.BAD_ADDRESS).where == dn_of("ann")
    assert asked.users[0].aliases == {"a@example.org"}


def test_what_is_not_utf8_is_told_and_the_others_are_taken() -> None:
    asked = ask(entry("ann", proxyAddresses=[b"\xff@example.org", b"\xfe", "a@example.org"]), config=CONFIG)
    assert "proxyAddresses" in only(asked, Code.NOT_UTF8).sentence
    assert asked.users[0].aliases == {"a@example.org"}


@pytest.mark.parametrize(
    ("value", "word"),
    [("smtp:Postmaster@example.org", "'postmaster' or 'postmaster@example.org'"), ("@example.org", "'@example.org'")],
)
def test_a_further_address_that_stands_for_the_domain_is_refused(value: str, word: str) -> None:
    asked = ask(entry("ann", proxyAddresses=value), config=CONFIG)
    assert f"put {word} into allow_reserved" in only(asked, Code.RESERVED_ADDRESS).sentence
    assert asked.users[0].aliases == frozenset()


@pytest.mark.parametrize(
    ("value", "allowed"), [("postmaster@example.org", "postmaster"), ("@example.org", "@example.org")]
)
def test_a_further_address_that_stands_for_the_domain_can_be_allowed(value: str, allowed: str) -> None:
    assert aliases_of(value, (allowed,)) == {value}


@pytest.mark.parametrize("allowed", ["postmaster", "@example.net"])
def test_a_catch_all_is_allowed_by_nothing_else(allowed: str) -> None:
    asked = ask(entry("ann", proxyAddresses="@example.org"), config=make_config(EVERYTHING, allow_reserved=[allowed]))
    assert codes(asked) == [Code.RESERVED_ADDRESS]


def test_further_addresses_are_shown_in_sogo_as_the_config_says() -> None:
    config = make_config(EVERYTHING, sogo_visible={"users": False, "lists": True})
    assert user_of(entry("ann"), config).flags == {"sogo_visible": 0}


# Passwords


def test_a_hash_that_mailcow_can_not_verify_is_told_by_its_scheme_only() -> None:
    asked = ask(entry("ann", userPassword="{PBKDF2-SHA512}10000$c2FsdA==$a2V5"))
    sentence = only(asked, Code.PASSWORD_UNUSABLE).sentence
    assert "({PBKDF2-SHA512})" in sentence
    assert "10000" not in sentence
    assert asked.users[0].password is None
    assert "password" in asked.users[0].present


def test_clear_text_is_told_without_the_password() -> None:
    asked = ask(entry("ann", userPassword="hunter2"))
    assert "hunter2" not in only(asked, Code.CLEAR_TEXT_PASSWORD).sentence
    assert asked.users[0].password is None


def test_clear_text_is_taken_where_the_config_allows_it() -> None:
    password = user_of(entry("ann", userPassword="hunter2"), make_config(clear_text_passwords="allow")).password
    assert password is not None
    assert password.get_secret_value() == "hunter2"


def test_an_entry_without_a_password_has_none() -> None:
    assert user_of(entry("ann")).password is None


@pytest.mark.parametrize("config", [make_config({"authsource": "ldap"}), make_config(create_mailboxes=False)])
def test_a_password_that_is_not_checked_by_mailcow_or_not_ours_is_not_read(config: Any) -> None:  # noqa: ANN401 - a config
    assert user_of(entry("ann", userPassword="{SASL}ann@EXAMPLE.ORG"), config).password is None


def test_a_password_is_not_in_any_text_of_what_is_asked_for() -> None:
    assert "rasmusle" not in repr(ask(entry("ann", userPassword=CRYPT), entry("bob", userPassword="{NT}rasmusle")))


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


def odd_entry(attributes: dict[str, list[bytes]]) -> Entry:
    return Entry("cn=odd", {name.lower(): tuple(values) for name, values in attributes.items()})


def is_storable(key: str, value: Value) -> bool:
    match key:
        case "name":
            return isinstance(value, str) and 0 < len(value) <= 255
        case "quota":
            return isinstance(value, int) and value >= 0
        case _:
            return value in {0, 1}


@settings(derandomize=True, deadline=None, max_examples=150)
@given(odd=ODD)
def test_whatever_an_entry_holds_its_values_can_be_stored_or_there_is_a_finding(odd: dict[str, list[bytes]]) -> None:
    asked = ask(odd_entry({"entryUUID": [b"1"], **odd}), config=CONFIG)
    for user in asked.users:
        assert all(Address.parse(address) == address for address in user.addresses)
        assert user.attributes.keys().isdisjoint(user.unreadable)
        assert all(is_storable(key, value) for key, value in user.attributes.items())
        assert asked.findings or (user.addresses and not user.unreadable)
    assert asked.users or asked.without_id


def test_a_value_that_is_too_long_is_left_out_and_told_without_it() -> None:
    asked = ask(entry("ann", mail=["ann@example.org", "x" * 10_000_000 + "@example.org"]))
    assert asked.users[0].addresses == ("ann@example.org",)
    found = only(asked, Code.VALUE_TOO_LONG)
    assert found.sentence == "a value of mail has more than 8,192 bytes and is left out; correct it in the directory"


def test_a_value_that_is_too_long_is_told_apart_from_one_that_is_not_utf8() -> None:
    asked = ask(entry("ann", mail=["ann@example.org", b"\xff", b"\xff" * 9_000]))
    assert codes(asked) == [Code.NOT_UTF8, Code.VALUE_TOO_LONG]


def test_a_status_that_is_too_long_is_unreadable_and_not_gone() -> None:
    config = make_config({"active": "mailActive"})
    asked = ask(entry("ann", mailActive="0" * 9_000), config=config)
    assert asked.users[0].unreadable == {"active"}
    assert asked.users[0].present >= {"active"}


def test_an_entry_with_a_dn_that_is_too_long_is_left_out() -> None:
    long = replace(entry("bob"), dn=dn_of("b" * 9_000))
    asked = ask(entry("ann"), long, groups=[replace(group("staff"), dn=long.dn)])
    assert [user.id for user in asked.users] == [id_of("ann")]
    assert (asked.groups, asked.without_id) == ((), ())
    assert {(one.code, len(one.where) < 500) for one in asked.findings} == {(Code.VALUE_TOO_LONG, True)}


def test_of_many_odd_values_of_an_entry_some_are_told() -> None:
    """Each would be a line of cron's mail, and a row of the state file."""
    asked = ask(entry("ann", mail=["ann@example.org", *(f"{number}@" for number in range(100_000))]))
    assert len(asked.findings) == 11
    assert "it has 99,990 more odd values of this kind" in {one.sentence for one in asked.findings}
