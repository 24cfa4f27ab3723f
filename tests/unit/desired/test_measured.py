"""What an entry shows of what is mapped."""

from __future__ import annotations

from ldap2mailcow.desired import measured

from .builders import ask, entry, make_config

EVERYTHING = {
    "aliases": ["proxyAddresses", "mailAlternateAddress"],
    "group_addresses": "mailGroup",
    "forward_to": "mailForward",
    "send_as": "mailSendAs",
}


def test_every_attribute_that_is_mapped_has_a_key() -> None:
    assert measured(make_config(EVERYTHING).sources[0]) == {
        "mail": "mail",
        "firstname": "givenName",
        "lastname": "sn",
        "password": "userPassword",
        "aliases:proxyAddresses": "proxyAddresses",
        "aliases:mailAlternateAddress": "mailAlternateAddress",
        "group_addresses": "mailGroup",
        "forward_to": "mailForward",
        "send_as": "mailSendAs",
    }


def test_an_entry_shows_what_it_has_a_value_for_usable_or_not() -> None:
    ann = entry("ann", proxyAddresses="smtp:a@example.org", mailGroup="")
    bob = entry("bob", mail=None, mailForward="x", mailSendAs="y", mailAlternateAddress="z", givenName=None)
    asked = ask(ann, bob, config=make_config(EVERYTHING))
    assert [user.present for user in asked.users] == [
        {"mail", "firstname", "lastname", "aliases:proxyAddresses", "group_addresses"},
        {"lastname", "forward_to", "send_as", "aliases:mailAlternateAddress"},
    ]
