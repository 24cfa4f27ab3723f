"""The variables of the container tool: alone they make a config, beside a file they do nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ldap2mailcow.config import NoConfig, load_config

from .conftest import Folder

VARIABLES = {
    "LDAP_MAILCOW_LDAP_URI": "ldaps://dc.corp.test",
    "LDAP_MAILCOW_LDAP_BASE_DN": "DC=corp,DC=test",
    "LDAP_MAILCOW_LDAP_BIND_DN": "CN=reader,CN=Users,DC=corp,DC=test",
    "LDAP_MAILCOW_LDAP_BIND_DN_PASSWORD": "s3cret",
    "LDAP_MAILCOW_API_HOST": "https://mail.corp.test",
    "LDAP_MAILCOW_API_KEY": "AB12-CD34",
}


@pytest.fixture
def container(folder: Folder) -> Folder:
    """A folder without a config, with that tool's variables."""
    folder.environ.update(VARIABLES)
    return folder


def test_alone_they_are_a_config(container: Folder) -> None:
    config = container.load().config
    source = config.sources[0]
    assert source.uri == ("ldaps://dc.corp.test",)
    assert (source.user_search_base, source.group_base) == ("DC=corp,DC=test", "DC=corp,DC=test")
    assert (source.bind_dn, source.bind_pw.get_secret_value()) == ("CN=reader,CN=Users,DC=corp,DC=test", "s3cret")
    assert (config.mailcow_url, config.mailcow_api_key.get_secret_value()) == ("https://mail.corp.test", "AB12-CD34")


def test_they_imply_what_that_tool_does(container: Folder) -> None:
    config = container.load().config
    source = config.sources[0]
    assert not config.create_mailboxes
    assert source.user_mapping.aliases == ("proxyAddresses",)
    assert source.user_mapping.active == "userAccountControl"
    assert source.search_filter == "(&(objectClass=user)(objectCategory=person))"
    assert source.reads_groups
    assert source.group_filter == "(&(objectClass=group)(mail=*))"
    assert source.group_member_filter == "(&(objectClass=person)(mail=*)(distinguishedName={MEMBER_CN}))"
    assert config.removed_users.action == "keep"
    assert not config.decides_status


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("LDAP_FILTER", "user_search_filter", "(mail=*)"),
        ("LDAP_GROUP_FILTER", "group_search_filter", "(cn=*)"),
        ("LDAP_GROUP_MEMBER_FILTER", "group_member_filter", "(entryDN={MEMBER_CN})"),
    ],
)
def test_the_filters_can_be_others(container: Folder, name: str, key: str, value: str) -> None:
    container.environ[f"LDAP_MAILCOW_{name}"] = value
    assert getattr(container.load().config.sources[0], key) == value


@pytest.mark.parametrize(
    ("word", "action"),
    [("true", "disable"), ("True", "disable"), (" TRUE", "disable"), ("false", "keep"), ("", "keep")],
)
def test_people_who_are_gone_are_disabled_only_on_request(container: Folder, word: str, action: str) -> None:
    container.environ["LDAP_MAILCOW_DISABLE_DELETED_USERS"] = word
    config = container.load().config
    assert config.removed_users.action == action
    assert config.decides_status is (action == "disable")


@pytest.mark.parametrize("name", ["LDAP_FILTER", "LDAP_GROUP_FILTER", "LDAP_GROUP_MEMBER_FILTER", "SYNC_INTERVAL"])
def test_an_empty_variable_is_none(container: Folder, name: str) -> None:
    """Compose files pass on what isn't set as nothing; without their filter groups would no longer be lists."""
    expected = container.load()
    container.environ[f"LDAP_MAILCOW_{name}"] = ""
    assert container.load() == expected


def test_what_has_no_effect_is_said(container: Folder) -> None:
    assert container.load().hints == ()
    container.environ["LDAP_MAILCOW_SYNC_INTERVAL"] = "300"
    container.environ["LDAP_MAILCOW_API_QUOTA"] = "3072"
    interval, quota = container.load().hints
    assert interval.startswith("LDAP_MAILCOW_SYNC_INTERVAL has no effect: one run is one run; cron")
    assert quota.startswith("LDAP_MAILCOW_API_QUOTA has no effect: no mailbox is made")


@pytest.mark.parametrize("name", ["LDAP_GC_URI", "LDAP_DOMAIN", "SOGO_LDAP_FILTER"])
def test_variables_of_older_versions_have_no_effect(container: Folder, name: str) -> None:
    before = container.load().config
    container.environ[f"LDAP_MAILCOW_{name}"] = "x"
    loaded = container.load()
    assert loaded.config == before
    (hint,) = loaded.hints
    assert hint.startswith(f"LDAP_MAILCOW_{name} has no effect: mailcow's own ")


def test_our_own_variables_go_over_them(container: Folder) -> None:
    container.environ["MAILCOW_LDAP_SYNC__LDAP__USER_MAPPING__ALIASES"] = "[mailAlias]"
    container.environ["MAILCOW_LDAP_SYNC__MARK"] = "other"
    config = container.load().config
    assert (config.mark, config.sources[0].user_mapping.aliases) == ("other", ("mailAlias",))


def test_a_file_that_our_own_variable_names_goes_over_their_secret(container: Folder) -> None:
    container.write("other\n", "secret")
    container.environ["MAILCOW_LDAP_SYNC__LDAP__BIND_PW_FILE"] = "secret"
    container.environ["MAILCOW_LDAP_SYNC__MAILCOW_API_KEY_FILE"] = "secret"
    config = container.load().config
    assert config.sources[0].bind_pw.get_secret_value() == config.mailcow_api_key.get_secret_value() == "other"
    del container.environ["LDAP_MAILCOW_API_KEY"]
    assert container.load().config == config


def test_our_own_variables_alone_do_without_them(container: Folder) -> None:
    container.environ.update(
        {
            "MAILCOW_LDAP_SYNC__LDAP__URI": "ldaps://ldap.corp.test",
            "MAILCOW_LDAP_SYNC__LDAP__USER_SEARCH_BASE": "ou=people",
            "MAILCOW_LDAP_SYNC__MAILCOW_HOST": "mail.corp.test",
            "MAILCOW_LDAP_SYNC__MAILCOW_API_KEY": "AB12",
        },
    )
    loaded = container.load()
    assert loaded.config.create_mailboxes
    assert loaded.hints == ("The variables LDAP_MAILCOW_... are not read: MAILCOW_LDAP_SYNC__... goes before them.",)


def test_beside_a_file_they_do_nothing_which_is_said(container: Folder) -> None:
    loaded = container.load(container.good())
    assert loaded.config.sources[0].uri == ("ldaps://ldap.corp.test",)
    assert loaded.config.create_mailboxes
    assert loaded.hints == (f"The variables LDAP_MAILCOW_... are not read: {loaded.path} goes before them.",)


def test_every_variable_that_is_documented_is_known(container: Folder) -> None:
    text = (Path(__file__).parents[3] / "docs/configuration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(LDAP_MAILCOW_[A-Z_]+)`", text))
    assert documented > set(VARIABLES)
    container.environ.update(dict.fromkeys(documented, "(x={MEMBER_CN})"))
    assert [mistake for mistake in container.mistakes() if "there is no such variable" in mistake] == []


def test_they_do_not_stand_for_a_file_that_is_named(container: Folder) -> None:
    with pytest.raises(NoConfig):
        load_config(Path("other.yaml"), environ=container.environ, cwd=container.path, script_dir=None)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("LDAP_URI", "ldap.uri"),
        ("LDAP_BASE_DN", "ldap.user_search_base"),
        ("API_HOST", "mailcow_host"),
        ("API_KEY", "mailcow_api_key"),
    ],
)
def test_what_is_missing_is_named(container: Folder, name: str, key: str) -> None:
    del container.environ[f"LDAP_MAILCOW_{name}"]
    (mistake,) = container.mistakes()
    assert mistake.startswith(f"At '{key}' (LDAP_MAILCOW_{name}): this is still empty; ")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LDAP_URL", "ldap://x", "At 'LDAP_MAILCOW_LDAP_URL': there is no such variable"),
        ("DISABLE_DELETED_USERS", "maybe", "At 'LDAP_MAILCOW_DISABLE_DELETED_USERS': this must be true or false"),
        (
            "LDAP_FILTER",
            "mail=*",
            "'ldap.user_search_filter' (LDAP_MAILCOW_LDAP_FILTER): a filter stands in brackets",
        ),
        ("LDAP_GROUP_MEMBER_FILTER", "(cn=x)", "(LDAP_MAILCOW_LDAP_GROUP_MEMBER_FILTER): this doesn't say who"),
        ("LDAP_BIND_DN_PASSWORD", "", "'ldap.bind_pw' (LDAP_MAILCOW_LDAP_BIND_DN_PASSWORD): this is empty beside"),
        ("API_HOST", "http://mail.corp.test", "(LDAP_MAILCOW_API_HOST): http:// would send the API key in clear text"),
    ],
)
def test_a_mistake_names_the_variable(container: Folder, name: str, value: str, expected: str) -> None:
    container.environ[f"LDAP_MAILCOW_{name}"] = value
    (mistake,) = container.mistakes()
    assert expected in mistake
    assert "s3cret" not in mistake
