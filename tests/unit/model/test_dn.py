"""DNs: equal where the directory would find the same entry by them."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ldap2mailcow.model import is_dn, is_ldap_url, normal_dn, rdn_values, rdns

SPECIAL = ',+;"\\<>=#'
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.text(
    SPECIAL + " aB7é", min_size=1, max_size=6
)
NAMES = st.sampled_from(["cn", "uid", "ou", "dc", "mail", "sAMAccountName", "1.2.3"])
RDNS = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=2)
DNS = st.lists(RDNS, min_size=1, max_size=4)


def escaped(value: str, data: st.DataObject) -> str:
    """Write a value in one of the ways that RFC 4514 allows."""
    written = []
    for position, char in enumerate(value):
        must = char in SPECIAL or char == "\0" or (char == " " and position in (0, len(value) - 1))
        how = data.draw(st.sampled_from(["hex", "plain"]))
        if how == "hex" or char == "\0":
            written.append("".join(f"\\{octet:02X}" for octet in char.encode()))
        else:
            written.append(f"\\{char}" if must else char)
    return "".join(written)


def written(dn: list[list[tuple[str, str]]], data: st.DataObject) -> str:
    """Write a DN in one of the ways that servers and people do."""

    def blanks() -> str:
        return data.draw(st.sampled_from(["", " "]))

    parts = []
    for rdn in dn:
        pairs = data.draw(st.permutations(rdn))
        texts = []
        for name, value in pairs:
            cased = data.draw(st.sampled_from([name.lower(), name.upper()]))
            texts.append(f"{blanks()}{cased}{blanks()}={blanks()}{escaped(value, data)}{blanks()}")
        parts.append("+".join(texts))
    return ",".join(parts)


@given(st.data(), DNS)
def test_every_way_to_write_a_dn_is_the_same_dn(data: st.DataObject, dn: list[list[tuple[str, str]]]) -> None:
    assert normal_dn(written(dn, data)) == normal_dn(written(dn, data))


@given(st.data(), DNS)
def test_the_normal_form_is_a_dn_and_its_own_normal_form(data: st.DataObject, dn: list[list[tuple[str, str]]]) -> None:
    normal = normal_dn(written(dn, data))

    assert normal_dn(normal) == normal
    assert len(rdns(normal)) == len(dn)


@given(st.text(string.ascii_lowercase + SPECIAL, max_size=6), st.text(string.ascii_lowercase + SPECIAL, max_size=6))
@example("a,dc=b", "a")
@example("a\\", "a")
def test_values_that_differ_are_different_dns(one: str, other: str) -> None:
    def dn(value: str) -> str:
        return "cn=" + "".join(f"\\{char}" if char in SPECIAL else char for char in value) + ",dc=x"

    assert (normal_dn(dn(one)) == normal_dn(dn(other))) == (one == other)


@given(st.text(max_size=12) | st.text("cn=,+\\# aé\"'01B", max_size=12))
@example("cn=a\\")
@example("cn=a,")
@example("\u212an=\u212a")
def test_any_text_has_a_form_that_stays(text: str) -> None:
    assert normal_dn(normal_dn(text)) == normal_dn(text)
    normal_dn(text).encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("UID=Ann, OU=People,DC=Example", "uid=ann,ou=people,dc=example"),
        ("cn=Zoë", "cn=Zoe\u0308"),
        ("cn=Zo\\C3\\AB", "cn=zoë"),
        ("cn=ΟΔΟΣ", "cn=οδοσ"),
        ("cn=a\u00a0b", "cn=a b"),
        ("cn=a   b", "cn=a b"),
        ("cn=\\ a\\20", "cn=a"),
        ("cn=a\\\\ ,dc=x", "cn=a\\5c,dc=x"),
        ("cn=\\ ", "cn=\\20\\20"),
        ("cn=a\\#b", "cn=a#b"),
        ("cn=Doe\\, Ann,dc=x", "CN=doe\\2c ann,dc=x"),
        ("cn=a+sn=b,dc=x", "SN=B + cn=a,dc=x"),
        ("cn=a;dc=x", "cn=a,dc=x"),
        ("commonName=a,domainComponent=x", "2.5.4.3=a,0.9.2342.19200300.100.1.25=x"),
        ("OID.2.5.4.3=a", "cn=a"),
        ("cn=a,dc=x#'0101'B", "cn=a,dc=x"),
        ("cn=#04024869", "cn= #04024869 "),
    ],
)
def test_the_same_entry(one: str, other: str) -> None:
    assert normal_dn(one) == normal_dn(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=a\\,dc=x", "cn=a,dc=x"),
        ("cn=a\\+sn=b", "cn=a+sn=b"),
        ("cn=a\\\\5c", "cn=a\\5c5c5c"),
        ("cn=Groß", "cn=Gross"),
        ("cn=#04024869", "cn=\\#04024869"),
        ("cn=\\ff", "cn=\\fe"),
        ("cn=ab", "cn=a b"),
        ("cn=a,", "cn=a"),
        ("", "cn="),
        ("cn=\\ ", "cn="),
    ],
)
def test_different_entries(one: str, other: str) -> None:
    assert normal_dn(one) != normal_dn(other)


@pytest.mark.parametrize("octets", ["\\00", "\\ff", "\\c3"])
def test_the_form_can_be_sent_to_a_server(octets: str) -> None:
    assert normal_dn(f"cn=a{octets}b,dc=x") == f"cn=a{octets}b,dc=x"


def test_parts_are_kept_as_they_are_written() -> None:
    dn = "CN=Doe\\, Ann+uid=A, OU=a\\\\,dc=X#'01'B"

    assert rdns(dn) == ("CN=Doe\\, Ann+uid=A", " OU=a\\\\", "dc=X")
    assert rdns("") == rdns("ann") == rdns("cn=a,") == rdns("cn=a,dc=b+") == rdns("cn=a\\") == ()


@pytest.mark.parametrize("text", ["cn=a", " CN = a", "1.2.3=x", "oid.1.2=x", "s-n="])
def test_texts_that_can_be_dns(text: str) -> None:
    assert is_dn(text)


@pytest.mark.parametrize("text", ["", "ann", "ann@example.org", "=a", "ldap:///dc=x??sub?(mail=*)", "a.b=c", "1a=c"])
def test_texts_that_can_not(text: str) -> None:
    assert not is_dn(text)


@pytest.mark.parametrize("text", ["ldap:///dc=x??sub", "LDAPS://server/dc=x", "ldapi://%2frun"])
def test_texts_that_are_meant_as_ldap_urls(text: str) -> None:
    assert is_ldap_url(text)


@pytest.mark.parametrize("text", ["", "ldap:/dc=x", "https://server", "ldapx://server", "cn=ldap://x"])
def test_texts_that_are_not(text: str) -> None:
    assert not is_ldap_url(text)


def test_what_is_too_long_for_a_dn_is_not_taken_apart() -> None:
    """One of 10 MB took 40 seconds and 1.8 GB; it is equal to nothing but itself."""
    assert normal_dn(f"CN=x,{'ou=a , ' * 1_500}dc=example") == f"cn=x,{'ou=a , ' * 1_500}dc=example"


@pytest.mark.parametrize(
    ("dn", "values"),
    [
        ("uid=Ann,dc=x", {"ann"}),
        ("UserId = Ann\\2CB +cn=c, dc=x", {"ann,b"}),
        ("cn=c+0.9.2342.19200300.100.1.1=ann,uid=bob", {"ann"}),
        ("cn=ann,uid=bob", set()),
        ("nonsense", set()),
        ("", set()),
    ],
)
def test_the_values_in_an_rdn(dn: str, values: set[str]) -> None:
    assert rdn_values(dn, ["uid", "sAMAccountName"]) == values
