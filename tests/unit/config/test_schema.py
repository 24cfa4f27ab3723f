"""The schema alone: values, their defaults, and what is computed from them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from ldap2mailcow.config import (
    Config,
    Limit,
    Limits,
    Removal,
    Source,
    UserMapping,
    forward_attributes,
    group_attributes,
    user_attributes,
)
from ldap2mailcow.model import read_quota

from .conftest import LDAP, REQUIRED, Folder


def limit(text: object) -> Limit:
    return Limits.model_validate({"removals": text}).removals


def source(**keys: object) -> Source:
    return Source.model_validate({**LDAP, **keys})


def removal(**keys: object) -> Removal:
    return Removal.model_validate(keys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5, 10%", Limit(count=5, percent=10)),
        ("10%,5", Limit(count=5, percent=10)),
        (" 50% ", Limit(percent=50)),
        ("5", Limit(count=5)),
        (5, Limit(count=5)),
        (Limit(count=5), Limit(count=5)),
    ],
)
def test_a_limit_is_a_number_a_percentage_or_both(text: object, expected: Limit) -> None:
    assert expected == limit(text)


@pytest.mark.parametrize("text", ["", "0", "0%", "-1", "5,", "5, 6", "10%, 20%", "5 %", "1.5%", "51%", True, None, [5]])
def test_other_limits_are_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        limit(text)


@given(st.integers(1, 10**6), st.integers(1, 50), st.integers(0, 10**6))
def test_a_limit_is_the_larger_of_the_two_never_more_than_half_and_at_least_one(
    count: int, percent: int, total: int
) -> None:
    allowed = limit(f"{count}, {percent}%").allows(total)
    assert 1 <= allowed <= max(1, total // 2)
    assert allowed >= min(count, total // 2)
    assert allowed >= total * percent // 100
    assert max(limit(f"{count}").allows(total), limit(f"{percent}%").allows(total)) == allowed


@pytest.mark.parametrize(("total", "expected"), [(0, 1), (1, 1), (2, 1), (8, 4), (40, 5), (100, 10), (50_000, 5000)])
def test_the_default_limit(total: int, expected: int) -> None:
    assert expected == Limits().removals.allows(total)


@given(st.integers(0, 3650), st.sampled_from("smhd"))
def test_a_duration_is_a_number_and_its_unit(number: int, unit: str) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    assert timedelta(seconds=number * seconds) == removal(missing_for=f"{number}{unit}").missing_for


@given(st.integers(1, 10**9).filter(lambda number: number > 3650))
def test_a_duration_over_ten_years_is_refused(number: int) -> None:
    with pytest.raises(ValidationError):
        removal(missing_for=f"{number}d")


@pytest.mark.parametrize("text", [30, "30", "", "m", "30 minutes", "1h30m", "-5m", None, True])
def test_a_duration_without_its_unit_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="45s, 30m, 2h or 30d"):
        removal(missing_for=text)


def test_durations_may_come_from_python() -> None:
    assert timedelta(hours=1) == Removal(missing_for=timedelta(hours=1)).missing_for


def test_the_filter_is_whoever_has_an_address_where_there_is_none() -> None:
    assert source(user_mapping={"mail": "mailPrimaryAddress"}).search_filter == "(mailPrimaryAddress=*)"
    assert source(user_search_filter="(&(a=b)(c=*))").search_filter == "(&(a=b)(c=*))"


def test_disabled_directories_are_no_sources() -> None:
    config = Config.model_validate(REQUIRED | {"ldap": [LDAP | {"name": "a"}, LDAP | {"name": "b", "enabled": False}]})
    assert [one.name for one in config.sources] == ["a"]


def test_a_config_can_be_made_in_python() -> None:
    ours = Source(
        uri=("ldapi:///",), user_search_base="dc=x", user_mapping=UserMapping(mail="m"), bind_pw=SecretStr("p")
    )
    config = Config(ldap=(ours,), mailcow_host="mail", mailcow_api_key=SecretStr("k"), state_file=Path("/x/state"))
    assert config.sources == (ours,)
    assert ours.uri == ("ldapi://",)
    assert config.state_file == Path("/x/state")


def test_relative_paths_without_a_config_file_begin_at_the_working_directory() -> None:
    assert Config.model_validate(REQUIRED).state_file == Path.cwd() / "mailcow_ldap_sync.sqlite3"


def test_no_secret_is_in_the_text_of_a_config() -> None:
    ldap = LDAP | {"bind_dn": "cn=x", "bind_pw": "s3cret"}
    more = {"ldap": ldap, "mailcow_api_key": "s3cret", "proxy": "http://me:s3cret@proxy:8080"}
    assert "s3cret" not in repr(Config.model_validate(REQUIRED | more))


def test_all_attributes_are_asked_for_once() -> None:
    mapping = {"name": "CN", "firstname": "cn", "quota": "mailQuota", "active": "on", "tls_enforce_in": "t"}
    assert user_attributes(source(user_mapping=mapping)) == (
        "entryUUID",
        "objectGUID",
        "nsUniqueId",
        "ipaUniqueID",
        "mail",
        "cn",
        "sn",
        "userPassword",
        "mailQuota",
        "on",
        "t",
    )


@pytest.mark.parametrize(("ident", "expected"), [("dn", ()), ("DN", ()), ("employeeNumber", ("employeeNumber",))])
def test_a_configured_id_is_the_only_one_asked_for(ident: str, expected: tuple[str, ...]) -> None:
    names = user_attributes(source(user_mapping={"id": ident}))
    assert (*expected, "mail", "givenName", "sn", "userPassword") == names


def test_the_units_are_those_that_the_model_reads() -> None:
    units = get_args(UserMapping.model_fields["quota_unit"].annotation)
    assert [read_quota(f"1024 {unit}") for unit in units] == [1, 1, 1024, 1024**2, 1024**3]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("mail.corp.test", "https://mail.corp.test"),
        ("Mail.Corp.TEST:8443", "https://mail.corp.test:8443"),
        ("https://mail.corp.test/", "https://mail.corp.test"),
        ("192.0.2.7", "https://192.0.2.7"),
        ("2001:db8::7", "https://[2001:db8::7]"),
        ("[2001:db8::7]:8443", "https://[2001:db8::7]:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.5", "http://127.0.0.5"),
        ("http://[::1]/", "http://[::1]"),
        ("bücher.test", "https://xn--bcher-kva.test"),
    ],
)
def test_mailcows_url(host: str, expected: str) -> None:
    assert expected == Config.model_validate(REQUIRED | {"mailcow_host": host}).mailcow_url


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("ldap://localhost", ("ldap://localhost",)),
        ("LDAPS://Ldap.Corp.TEST:636/", ("ldaps://ldap.corp.test:636",)),
        ("ldap://[::1]:389", ("ldap://[::1]:389",)),
        ("ldapi://%2Frun%2Fslapd%2Fldapi", ("ldapi://%2Frun%2Fslapd%2Fldapi",)),
        (["ldaps://a", "ldaps://b"], ("ldaps://a", "ldaps://b")),
    ],
)
def test_uris_of_a_directory(uri: object, expected: tuple[str, ...]) -> None:
    assert expected == source(uri=uri).uri


# lists, forwardings and rights


def test_groups_and_forwardings_are_read_only_where_a_search_is_named(folder: Folder) -> None:
    source = folder.config().sources[0]
    assert not source.reads_groups
    assert not source.reads_forwards
    assert not source.manages_aliases
    assert not source.manages_senders


@pytest.mark.parametrize(
    ("ldap", "base", "wanted"),
    [
        ("group_search_base: ou=g", "ou=g", "(&(mail=*)(|(member=*)(objectClass=groupOfURLs)))"),
        ("group_search_filter: (cn=*)", LDAP["user_search_base"], "(cn=*)"),
        (
            "group_search_base: ou=g\ngroup_mapping: {mail: mailList, member: [uniqueMember, memberUid]}",
            "ou=g",
            "(&(mailList=*)(|(uniqueMember=*)(memberUid=*)(objectClass=groupOfURLs)))",
        ),
    ],
)
def test_a_search_for_groups_has_what_it_needs(folder: Folder, ldap: str, base: str, wanted: str) -> None:
    source = folder.config(ldap=ldap).sources[0]
    assert source.reads_groups
    assert source.manages_aliases
    assert (source.group_base, source.group_filter) == (base, wanted)


@pytest.mark.parametrize(
    ("ldap", "base", "wanted"),
    [
        ("alias_search_base: ou=a", "ou=a", "(&(mail=*)(mailForwardingAddress=*))"),
        ("alias_search_filter: (cn=*)", LDAP["user_search_base"], "(cn=*)"),
    ],
)
def test_a_search_for_forwardings_has_what_it_needs(folder: Folder, ldap: str, base: str, wanted: str) -> None:
    source = folder.config(ldap=ldap).sources[0]
    assert source.reads_forwards
    assert source.manages_aliases
    assert (source.alias_base, source.alias_filter) == (base, wanted)


@pytest.mark.parametrize("key", ["aliases: [mailAlias]", "group_addresses: memberOf", "forward_to: maildrop"])
def test_an_attribute_of_people_is_enough_for_aliases(folder: Folder, key: str) -> None:
    assert folder.config(ldap=f"user_mapping: {{{key}}}").sources[0].manages_aliases


@pytest.mark.parametrize(
    "ldap",
    [
        "user_mapping: {send_as: mailSendAs}",
        "group_search_base: ou=g\ngroup_mapping: {send_as: mailSendAs}",
        "send_as_any: cn=admins,dc=x",
        "send_as_any: (cn=*)",
    ],
)
def test_rights_are_managed_where_something_names_them(folder: Folder, ldap: str) -> None:
    assert folder.config(ldap=ldap).sources[0].manages_senders


@pytest.mark.parametrize(
    ("more", "decides"),
    [
        ("", True),
        ("create_mailboxes: false", False),
        ("create_mailboxes: false\nremoved_users: disable", True),
        ("create_mailboxes: false\nremoved_users: keep", False),
        ("create_mailboxes: false\nremoved_users: {missing_runs: 3}", False),
        ("removed_users: keep", True),
    ],
)
def test_who_is_active_is_decided_here_unless_mailboxes_come_from_elsewhere(
    folder: Folder,
    more: str,
    decides: bool,  # noqa: FBT001
) -> None:
    assert folder.config(more, ldap="user_mapping: {aliases: [mailAlias]}").decides_status is decides


@pytest.mark.parametrize("key", ["active: userAccountControl", "active: nsAccountLock"])
def test_the_status_of_well_known_directories_is_understood(folder: Folder, key: str) -> None:
    assert folder.config(ldap=f"user_mapping: {{{key}}}").sources[0].user_mapping.active in key


def test_what_aliases_and_rights_are_made_of_is_asked_for_of_users() -> None:
    mapping = {"id": "dn", "aliases": ["mailAlias", "MAIL"], "group_addresses": "memberOf", "forward_to": "maildrop"}
    ours = source(user_mapping=mapping | {"send_as": "sendAs"}, group_search_base="dc=x")
    assert user_attributes(ours)[-6:] == ("mailAlias", "memberOf", "maildrop", "sendAs", "uid", "sAMAccountName")


def test_what_is_asked_for_of_groups() -> None:
    flags = {
        key: key.replace("_", "") for key in ("send_as", "internal", "sender_allowed", "sogo_visible", "catch_all")
    }
    mapping = flags | {"member": ["member", "memberUid"], "aliases": ["mailAlias"], "comment": "CN"}
    asked = group_attributes(source(user_mapping={"id": "dn"}, group_mapping=mapping))
    assert asked[:4] == ("mail", "member", "memberUid", "mailAlias")
    assert asked[4:] == (*flags.values(), "CN", "uid", "sAMAccountName")


def test_what_is_asked_for_of_entries_that_only_forward() -> None:
    ours = source(user_mapping={"id": "entryUUID"}, alias_mapping={"mail": "mailAlias", "goto": "maildrop"})
    assert forward_attributes(ours) == ("entryUUID", "mailAlias", "maildrop")


@pytest.mark.parametrize(
    "ldap",
    [
        "user_mapping: {aliases: [mailAlias]}",
        "user_mapping: {group_addresses: memberOf}",
        "user_mapping: {forward_to: maildrop}",
        "user_mapping: {send_as: mailSendAs}",
        "group_search_filter: (cn=*)",
        "alias_search_base: dc=x",
        "send_as_any: (cn=*)",
    ],
)
def test_without_mailboxes_one_thing_to_do_is_enough(folder: Folder, ldap: str) -> None:
    assert not folder.config("create_mailboxes: false", ldap).create_mailboxes


def test_the_members_of_the_group_that_may_send_as_anyone_are_read_without_lists(folder: Folder) -> None:
    """Its DN is enough to read it by, and its members may be in another attribute."""
    source = folder.config(ldap="send_as_any: cn=x,dc=y\ngroup_mapping: {member: uniqueMember}").sources[0]
    assert not source.reads_groups
    assert source.group_mapping.member == ("uniqueMember",)


def test_a_filter_for_members_says_where_they_belong(folder: Folder) -> None:
    assert folder.config(ldap="group_member_filter: (cn={MEMBER_CN})").sources[0].group_member_filter
    assert folder.config(ldap="group_member_filter: ''").sources[0].group_member_filter == ""


@pytest.mark.parametrize("mark", ["ldap-sync", "ldap-sync-berlin", "paris", "released-1"])
def test_marks(folder: Folder, mark: str) -> None:
    assert folder.config(f"mark: {mark}").mark == mark


@pytest.mark.parametrize("mark", ["disabled", "Released", "renamed"])
def test_what_stands_behind_a_mark_is_none(folder: Folder, mark: str) -> None:
    assert "what this tool writes behind a mark" in folder.mistake(f"mark: {mark}")


@pytest.mark.parametrize("action", ["keep", "disable", "disallow_login", "delete"])
def test_what_becomes_of_people_who_are_gone_is_one_word(folder: Folder, action: str) -> None:
    assert folder.config(f"removed_users: {action}").removed_users.action == action
    assert folder.config(f"removed_users: {{action: {action}}}").removed_users.action == action


def test_how_long_an_inactive_mailbox_waits_before_it_is_deleted(folder: Folder) -> None:
    assert folder.config().removed_users.delete_after == timedelta(days=30)
    assert folder.config("removed_users: {delete_after: 90d}").removed_users.delete_after == timedelta(days=90)
