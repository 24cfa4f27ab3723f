"""LDAP URLs of groups: how far they reach."""

from __future__ import annotations

from typing import Any

import ldap
import pytest

from ldap2mailcow.config import Source
from ldap2mailcow.directory.ldap_url import filter_attributes, selection_of
from ldap2mailcow.model import Entry

PEOPLE, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"


def source(**settings: Any) -> Source:  # noqa: ANN401 - any key of the block
    return Source.model_validate(
        {"uri": "ldaps://x", "user_search_base": PEOPLE, "group_search_base": GROUPS, **settings}
    )


def test_a_url_is_the_search_it_stands_for() -> None:
    query = selection_of(f"LDAP://host:389/{PEOPLE}?cn?One?(ou=a%20b)", source(), ("mail",)).query
    assert (query.base, query.filter, query.scope) == (PEOPLE, "(ou=a\\20b)", ldap.SCOPE_ONELEVEL)
    assert query.attributes == ("mail",)


def test_without_a_filter_everything_is_selected() -> None:
    assert selection_of(f"ldap:///{PEOPLE}", source(), ()).query.filter == "(objectClass=*)"


@pytest.mark.parametrize(
    "base",
    [
        "cn=config",
        "cn=Monitor",
        "ou=secret,dc=example,dc=org",
        "",
        "nonsense",
        "people,dc=example,dc=org",
        "ou=people%00,dc=example,dc=org",
        "ou=peoples,dc=example,dc=org",
        "dc=org,ou=people",
    ],
)
def test_a_base_that_the_config_does_not_search_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="its base"):
        selection_of(f"ldap:///{base}??sub", source(), ())


@pytest.mark.parametrize("base", ["dc=example,dc=org", "DC=Example, DC=ORG", "dc=org"])
def test_a_base_above_selects_what_the_config_searches(base: str) -> None:
    selection = selection_of(f"ldap:///{base}??sub?(objectClass=*)", source(), ())
    there = [f"uid=ann,{PEOPLE}", f"uid=ann,ou=berlin,{PEOPLE.upper()}", f"cn=staff,{GROUPS}", PEOPLE]
    elsewhere = ["cn=x,ou=secret,dc=example,dc=org", "dc=example,dc=org", "uid=ann,ou=peoples,dc=example,dc=org"]
    assert [dn for dn in there + elsewhere if selection.has(Entry(dn, {}))] == there


def test_a_base_below_is_searched() -> None:
    selection = selection_of(f"ldap:///ou=berlin,{PEOPLE}??sub", source(), ())
    assert selection.has(Entry(f"uid=ann,ou=berlin,{PEOPLE}", {}))


def test_a_filter_names_what_groups_are_made_of_and_what_is_mapped() -> None:
    mapping = {"mail": "rfc822", "aliases": ["proxyAddresses"], "group_addresses": "mailGroup", "quota": "MailQuota"}
    found = filter_attributes(source(user_mapping=mapping, group_mapping={"member": ["uniqueMember"]}))
    assert found == {
        *("objectclass", "ou", "memberof", "department", "uid", "samaccountname"),
        *("rfc822", "proxyaddresses", "mailgroup", "mail", "uniquemember"),
    }


@pytest.mark.parametrize("name", ["userPassword", "USERPASSWORD", "2.5.4.35", "unicodePwd", "sambaNTPassword"])
def test_never_the_password_though_it_is_mapped_as_something_else(name: str) -> None:
    mapping = {"password": "sambaNTPassword", "aliases": [name], "group_addresses": name}
    found = filter_attributes(source(user_mapping=mapping, group_mapping={"mail": name}))
    assert name.lower() not in found
