"""Addresses: one form for each, made once, at the edge."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ldap2mailcow.model import Address, AddressError, normal_domain

LABEL_63 = "a" * 63


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("ann@example.org", "ann@example.org", id="as it is"),
        pytest.param("Ann.Other@Example.ORG", "ann.other@example.org", id="case"),
        pytest.param("  ann@example.org\n", "ann@example.org", id="blanks around"),
        pytest.param("ann@example.org.", "ann@example.org", id="the root's dot"),
        pytest.param("ann@münchen.example", "ann@xn--mnchen-3ya.example", id="IDN"),
        pytest.param("ann@MÜNCHEN.example", "ann@xn--mnchen-3ya.example", id="IDN in capitals"),
        pytest.param("ann@mu\u0308nchen.example", "ann@xn--mnchen-3ya.example", id="IDN, decomposed"),
        pytest.param("ann@xn--mnchen-3ya.example", "ann@xn--mnchen-3ya.example", id="IDN in ASCII form"),
        pytest.param("ann@XN--MNCHEN-3YA.example", "ann@xn--mnchen-3ya.example", id="ASCII form in capitals"),
        pytest.param("ann@straße.example", "ann@xn--strae-oqa.example", id="sharp s stays, UTS 46 non-transitional"),
        pytest.param("ann@\uff45xample\u3002org", "ann@example.org", id="full-width letters and stop"),
        pytest.param("a!#$%&'*+=?^_`{|}~-b@example.org", "a!#$%&'*+=?^_`{|}~-b@example.org", id="RFC 5322 atext"),
        pytest.param("00@example.org", "00@example.org", id="only zeros, but more than one"),
        pytest.param(f"{'a' * 64}@example.org", f"{'a' * 64}@example.org", id="64 before the @"),
        pytest.param(f"a@{LABEL_63}.org", f"a@{LABEL_63}.org", id="63 in a label"),
        pytest.param(
            f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.org",
            f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.org",
            id="254 in all",
        ),
    ],
)
def test_an_address_is_read_into_its_one_form(written: str, meant: str) -> None:
    address = Address.parse(written)
    assert address == meant
    assert type(address) is Address


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param("", "name@domain", id="nothing"),
        pytest.param("ann", "name@domain", id="no @"),
        pytest.param("@example.org", "name@domain", id="no name"),
        pytest.param("ann@", "name@domain", id="no domain"),
        pytest.param("änn@example.org", "outside ASCII", id="name outside ASCII"),
        pytest.param("\u212aate@example.org", "outside ASCII", id="Kelvin sign, which lower() makes a k"),
        pytest.param(f"{'a' * 65}@example.org", "more than 64", id="65 before the @"),
        pytest.param("ann other@example.org", "characters or dots", id="blank inside"),
        pytest.param("ann @example.org", "characters or dots", id="blank before the @"),
        pytest.param(".ann@example.org", "characters or dots", id="dot in front"),
        pytest.param("ann.@example.org", "characters or dots", id="dot at the end"),
        pytest.param("ann..other@example.org", "characters or dots", id="two dots"),
        pytest.param("ann@home@example.org", "characters or dots", id="two @"),
        pytest.param('"ann"@example.org', "characters or dots", id="quoted"),
        pytest.param("Ann <ann@example.org>", "characters or dots", id="with a name"),
        pytest.param("ann/bob@example.org", "characters or dots", id="slash"),
        pytest.param("ann\\bob@example.org", "characters or dots", id="backslash"),
        pytest.param("ann,bob@example.org", "characters or dots", id="comma"),
        pytest.param("ann\x1b[31m@example.org", "characters or dots", id="escape sequence"),
        pytest.param("ann\n@example.org", "characters or dots", id="newline inside"),
        pytest.param("ann\0@example.org", "characters or dots", id="NUL"),
        pytest.param("0@example.org", "characters or dots", id="0, which PHP takes for nothing"),
        pytest.param("ann@ example.org", "blank after the @", id="blank after the @"),
        pytest.param(f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 61}.org", "more than 254", id="255 in all"),
        pytest.param("ann@localhost", "not a full domain name", id="one label"),
        pytest.param("ann@example..org", "domain that is not valid", id="empty label"),
        pytest.param("ann@example.org..", "domain that is not valid", id="two dots at the end"),
        pytest.param("ann@-example.org", "domain that is not valid", id="hyphen in front"),
        pytest.param("ann@exa mple.org", "domain that is not valid", id="blank in the domain"),
        pytest.param("ann@exa_mple.org", "domain that is not valid", id="underscore in the domain"),
        pytest.param("ann@[192.0.2.1]", "domain that is not valid", id="address literal"),
        pytest.param("ann@xn--\u00e4.org", "domain that is not valid", id="broken ASCII form"),
        pytest.param("ann@exam\u202eple.org", "domain that is not valid", id="bidi override"),
        pytest.param("ann@\ud800.org", "domain that is not valid", id="half a character"),
        pytest.param(f"a@{LABEL_63}a.org", "domain that is not valid", id="64 in a label"),
        pytest.param(f"a@{'.'.join([LABEL_63] * 4)}", "domain that is not valid", id="domain of 255"),
    ],
)
def test_what_is_no_address_of_mailcow_is_refused_with_the_reason(written: str, told: str) -> None:
    with pytest.raises(AddressError, match=told):
        Address.parse(written)


def test_a_full_stop_of_another_script_at_the_end_is_the_root_s_dot_too() -> None:
    """Else the domain would be compared as `example.org.`, which mailcow doesn't host."""
    assert Address.parse("ann@example.org\u3002") == "ann@example.org"


def test_an_address_knows_its_two_parts() -> None:
    address = Address.parse("Ann@Example.org")
    assert (address.local, address.domain) == ("ann", "example.org")


def test_a_domain_is_read_like_that_of_an_address() -> None:
    assert normal_domain(" Bücher.Example. ") == "xn--bcher-kva.example"


def test_a_domain_in_text_form_has_253_characters_at_most() -> None:
    longest = ".".join(["a" * 61, *["a" * 63] * 3])
    assert normal_domain(longest) == longest
    with pytest.raises(AddressError):
        normal_domain(f"a{longest}")


ODD_TEXT = st.text() | st.text(alphabet="aA0.@-_ xn。.äß\u00ad\u200d\u212a\u0130/<>\"'\x00\n", max_size=20)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(local=st.text(max_size=8) | st.just("ann"), domain=ODD_TEXT | st.from_regex(r"[^@]{1,9}\.[a-zäß。.]{2,6}"))
@example(local="ann", domain="example.org\u3002")
@example(local="ann", domain="example.org\u3002.")
@example(local="I\u0307", domain="example.org")
def test_reading_an_address_again_changes_nothing(local: str, domain: str) -> None:
    try:
        address = Address.parse(f"{local}@{domain}")
    except AddressError:
        return
    assert Address.parse(address) == address
    assert address.isascii()
    assert address.isprintable()
    assert address == address.lower()
    assert " " not in address


@settings(derandomize=True, deadline=None, max_examples=500)
@given(ODD_TEXT)
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError:
        return
    assert f"{address.local}@{address.domain}" == address
