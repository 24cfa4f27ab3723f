"""Where mail goes instead of to a mailbox: users with `forward_to`, and entries that only forward."""

from __future__ import annotations

import pytest

from ldap2mailcow.desired import Asked, Forward
from ldap2mailcow.model import Address, Code, Entry

from .builders import Values, ask, codes, dn_of, entry, id_of, make_config, only

ANN, BOB, INFO = Address("ann@example.org"), Address("bob@example.org"), Address("info@example.org")
USERS = {"forward_to": "mailForward"}
FORWARDS = {"alias_search_filter": "(objectClass=nisMailAlias)"}


# Users


def forward_of(value: Values | None) -> Forward | None:
    """Return where the mail of Ann goes."""
    return ask(entry("ann", mailForward=value), config=make_config(USERS)).users[0].forward


def test_a_user_s_mail_goes_where_the_entry_says() -> None:
    forward = forward_of([" smtp:Bob@example.org ", "mailto:ann@elsewhere.test"])
    assert forward == Forward(
        id_of("ann"),
        dn_of("ann"),
        addresses=frozenset({ANN}),
        stated=frozenset({BOB, Address("ann@elsewhere.test")}),
        flags={"sogo_visible": 1},
        is_clear=True,
        is_user=True,
    )


def test_all_values_of_mail_are_forwarded() -> None:
    (user,) = ask(entry("ann", mail=[ANN, BOB], mailForward=INFO), config=make_config(USERS)).users
    assert user.forward is not None
    assert user.forward.addresses == {ANN, BOB}


def test_a_user_s_forward_is_shown_in_sogo_as_the_user_s_aliases_are() -> None:
    config = make_config(USERS, sogo_visible={"users": False, "lists": True})
    (user,) = ask(entry("ann", mailForward=BOB), config=config).users
    assert user.forward is not None
    assert user.forward.flags == {"sogo_visible": 0}


@pytest.mark.parametrize("value", [None, "", "  ", ["", " "]])
def test_a_blank_forwards_nothing(value: Values | None) -> None:
    assert forward_of(value) is None


def test_an_attribute_that_is_not_mapped_forwards_nothing() -> None:
    assert ask(entry("ann", mailForward=BOB)).users[0].forward is None


@pytest.mark.parametrize(
    ("value", "stated"), [(["", "x"], set()), ("no address", set()), (b"\xff", set()), ([BOB, "x"], {BOB})]
)
def test_what_can_not_be_read_whole_forwards_and_is_not_clear(value: Values, stated: set[Address]) -> None:
    forward = forward_of(value)
    assert forward is not None
    assert forward.stated == stated
    assert not forward.is_clear


# Entries that only forward


def forward(**attributes: Values | None) -> Entry:
    return entry("f", **{"mail": INFO, "mailForwardingAddress": BOB, **attributes})


def ask_forward(**attributes: Values | None) -> tuple[Forward, Asked]:
    asked = ask(forwards=[forward(**attributes)], config=make_config(source=FORWARDS))
    (found,) = asked.forwards
    return found, asked


def test_an_entry_that_only_forwards() -> None:
    found, asked = ask_forward(mail=[INFO, "SMTP:Sales@example.org"])
    assert found == Forward(
        id_of("f"),
        dn_of("f"),
        addresses=frozenset({INFO, Address("sales@example.org")}),
        stated=frozenset({BOB}),
        flags={"sogo_visible": 0},
    )
    assert asked.findings == ()


@pytest.mark.parametrize(("allowed", "addresses"), [((), {INFO}), (("postmaster", "@example.org"), None)])
def test_it_gets_reserved_names_and_catch_alls_by_the_config_only(
    allowed: tuple[str, ...], addresses: set[Address] | None
) -> None:
    every = {INFO, Address("postmaster@example.org"), Address("@example.org")}
    config = make_config(source=FORWARDS, allow_reserved_groups=list(allowed))
    asked = ask(forwards=[forward(mail=sorted(every))], config=config)
    (found,) = asked.forwards
    assert found.addresses == (addresses or every)
    assert found.is_clear == (addresses is None)
    assert codes(asked) == [Code.RESERVED_ADDRESS] * (2 if addresses else 0)


def test_it_is_shown_in_sogo_as_lists_are() -> None:
    config = make_config(source=FORWARDS, sogo_visible={"users": False, "lists": True})
    assert ask(forwards=[forward()], config=config).forwards[0].flags == {"sogo_visible": 1}


def test_entries_are_not_read_as_forwards_where_the_config_reads_none() -> None:
    assert ask(forwards=[forward()]).forwards == ()


def test_an_entry_without_an_id_of_its_own_is_known_by_its_dn() -> None:
    asked = ask(forwards=[forward(entryUUID=None)], config=make_config(source=FORWARDS))
    assert asked.forwards[0].id.id == dn_of("f")
    assert asked.without_id == ()


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        (None, Code.NO_MAIL),
        (" ", Code.NO_MAIL),
        ("nobody", Code.BAD_ADDRESS),
        (b"\xff", Code.NOT_UTF8),
    ],
)
def test_an_entry_without_an_address_that_can_be_used_is_there_and_told(mail: Values | None, code: Code) -> None:
    found, asked = ask_forward(mail=mail)
    assert only(asked, code).where == dn_of("f")
    assert (found.addresses, found.is_clear) == (frozenset(), True)


def test_without_an_address_the_other_filter_is_named() -> None:
    _, asked = ask_forward(mail=None)
    assert only(asked, Code.NO_MAIL).sentence.endswith("or narrow alias_search_filter to entries with one")


@pytest.mark.parametrize("goto", ["nobody", b"\xff"])
def test_a_target_that_can_not_be_read_is_told_and_not_clear(goto: Values) -> None:
    found, asked = ask_forward(mailForwardingAddress=goto)
    assert codes(asked) == [Code.BAD_ADDRESS if goto == "nobody" else Code.NOT_UTF8]
    assert (found.stated, found.is_clear) == (frozenset(), False)


def test_an_entry_without_a_target_is_clear_and_goes_nowhere() -> None:
    found, asked = ask_forward(mailForwardingAddress=None)
    assert (found.stated, found.is_clear, asked.findings) == (frozenset(), True, ())


def test_an_entry_that_is_a_user_too_asks_as_both() -> None:
    ann = entry("ann", mailForwardingAddress=BOB)
    asked = ask(ann, forwards=[ann], config=make_config(source=FORWARDS))
    assert asked.users[0].id == asked.forwards[0].id
    assert asked.users[0].addresses == (ANN,)
    assert asked.forwards[0].addresses == {ANN}
    assert asked.findings == ()
