"""Loading: which file, what lies over it, what is said about its safety."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ldap2mailcow.config import Limit, NoConfig, load_config
from ldap2mailcow.model import Code

from .conftest import LDAP, Folder

ANCESTOR = """{"ldap": {"uri": "ldap://ldap.corp.test", "allow_self_signed": false, "bind_dn": "", "bind_pw": "",
  "user_search_base": "dc=corp,dc=test", "user_search_filter": "",
  "user_mapping": {"mail": "mail", "firstname": "givenName", "lastname": "sn", "password": "userPassword",
    "quota": "MailQuota", "active": "", "tls_enforce_in": "", "tls_enforce_out": ""}},
 "mailcow_host": "mail.corp.test", "mailcow_api_key": "AB12"}"""

WHOLE_ENVIRONMENT = {
    "MAILCOW_LDAP_SYNC__LDAP__URI": LDAP["uri"],
    "MAILCOW_LDAP_SYNC__LDAP__USER_SEARCH_BASE": LDAP["user_search_base"],
    "MAILCOW_LDAP_SYNC__MAILCOW_HOST": "mail.corp.test",
    "MAILCOW_LDAP_SYNC__MAILCOW_API_KEY": "AB12",
}


def test_the_ancestors_config_loads_unchanged(folder: Folder) -> None:
    folder.name = "config.json"
    config = folder.load(ANCESTOR).config
    (source,) = config.sources
    assert (source.user_mapping.quota, source.user_mapping.active) == ("MailQuota", "")
    assert (source.require_tls, config.update_only_on_change_by_ldap, config.adopt_mailboxes) == (
        False,
        False,
        "overwrite",
    )
    assert (config.removed_users.action, config.removed_users.missing_for) == ("disable", timedelta(minutes=30))


def test_all_kinds_of_values(folder: Folder) -> None:
    config = folder.config(
        "removed_users: keep\nlimits: {removals: 7}\nmailcow_verify: no\nproxy: http://proxy:3128\n"
        "protected: [Ann@BÜCHER.test]\nallow_reserved: [Postmaster, '@Corp.TEST', admin@corp.test]\n"
        "accept: [no_mail, 'no_mail: cn=x']\nlog_file: log/sync.log",
        "domains: [Corp.TEST]\ncanary_dns: ['cn=x,dc=y']\nbind_dn: ''\nca_file: null",
    )
    assert config.removed_users.action == "keep"
    assert config.limits.removals == Limit(count=7)
    assert config.mailcow_verify is False
    assert config.proxy == "http://proxy:3128"
    assert config.protected == ("ann@xn--bcher-kva.test",)
    assert config.allow_reserved == ("postmaster", "@corp.test", "admin@corp.test")
    assert config.accept == ("no_mail", "no_mail:cn=x")
    assert config.log_file == folder.path / "log/sync.log"
    assert config.state_file == folder.path / "mailcow_ldap_sync.sqlite3"
    assert config.sources[0].domains == ("corp.test",)


def test_files_are_found_from_the_configs_folder(folder: Folder) -> None:
    folder.write("pem", "ca.pem")
    config = folder.config(f"mailcow_verify: {folder.path}/ca.pem", "ca_file: ca.pem")
    assert config.mailcow_verify == config.sources[0].ca_file == folder.path / "ca.pem"


def test_the_order_in_which_files_are_looked_for(folder: Folder) -> None:
    here, script = folder.path / "here", folder.path / "script"
    here.mkdir()
    script.mkdir()
    with pytest.raises(NoConfig) as caught:
        load_config(None, environ={}, cwd=here, script_dir=script)
    names = ("config.yaml", "config.yml", "config.json")
    folders = (here, script, Path("/etc/mailcow-ldap-sync"))
    assert caught.value.looked == tuple(place / name for place in folders for name in names)
    assert caught.value.missing == ("ldap.uri", "ldap.user_search_base", "mailcow_host", "mailcow_api_key")
    assert str(here / "config.yaml") in str(caught.value)

    folder.write(folder.good("mark: there"), "script/config.yaml")
    assert load_config(None, environ={}, cwd=here, script_dir=script).path == script / "config.yaml"
    folder.write(ANCESTOR, "here/config.json")
    assert load_config(None, environ={}, cwd=here, script_dir=script).path == here / "config.json"
    folder.write(folder.good(), "here/config.yml")
    assert load_config(None, environ={}, cwd=here, script_dir=script).path == here / "config.yml"


def test_a_file_that_is_named_is_the_only_one_looked_for(folder: Folder) -> None:
    folder.write(folder.good())
    with pytest.raises(NoConfig) as caught:
        load_config(Path("other.json"), environ=WHOLE_ENVIRONMENT, cwd=folder.path, script_dir=None)
    assert caught.value.looked == (folder.path / "other.json",)
    folder.write(ANCESTOR, "other.json")
    loaded = load_config(Path("other.json"), environ={}, cwd=folder.path, script_dir=None)
    assert loaded.config.sources[0].user_mapping.quota == "MailQuota"


def test_the_environment_alone_is_enough(folder: Folder) -> None:
    folder.environ.update(WHOLE_ENVIRONMENT)
    loaded = folder.load()
    assert loaded.path is None
    assert loaded.config.mailcow_url == "https://mail.corp.test"
    assert loaded.config.state_file == folder.path / "mailcow_ldap_sync.sqlite3"
    assert loaded.hints == ()


def test_an_environment_that_lacks_something_is_no_config(folder: Folder) -> None:
    folder.environ.update(WHOLE_ENVIRONMENT)
    del folder.environ["MAILCOW_LDAP_SYNC__MAILCOW_HOST"]
    with pytest.raises(NoConfig) as caught:
        folder.load()
    assert caught.value.missing == ("mailcow_host",)


def test_the_containers_variables_do_not_matter_beside_a_file(folder: Folder) -> None:
    folder.environ["LDAP_MAILCOW_LDAP_URI"] = "ldap://x"
    loaded = folder.load(folder.good())
    assert loaded.config.sources[0].uri == (LDAP["uri"],)
    assert loaded.config.create_mailboxes


def test_a_config_that_others_can_read_is_a_finding_if_it_holds_a_secret(folder: Folder) -> None:
    path = folder.write(folder.good(), mode=0o640)
    (finding,) = folder.load().findings
    assert (finding.code, finding.where) == (Code.SECRET_READABLE, str(path))
    assert finding.sentence.endswith(f"run: chmod 600 {path}")

    folder.write(folder.good(mailcow="mailcow_api_key_file: key"), mode=0o644)
    folder.write("AB12\n", "key")
    assert folder.load().findings == ()


@pytest.mark.parametrize(
    ("proxy", "found"),
    [("http://me:s3cret@proxy:3128", True), ("http://proxy:3128", False), ("null", False)],
)
def test_a_proxy_with_a_password_is_a_secret_too(folder: Folder, proxy: str, found: bool) -> None:  # noqa: FBT001
    folder.write("AB12\n", "key")
    path = folder.write(folder.good(f"proxy: {proxy}", mailcow="mailcow_api_key_file: key"), mode=0o640)
    findings = folder.load().findings
    assert [(Code.SECRET_READABLE, str(path))] * found == [(finding.code, finding.where) for finding in findings]
    assert "s3cret" not in "".join(finding.sentence for finding in findings)


def test_secrets_in_files(folder: Folder) -> None:
    folder.write("pa ss\n", "password")
    folder.write("AB12\r\n", "key", mode=0o604)
    loaded = folder.load(folder.good(mailcow="mailcow_api_key_file: key", ldap="bind_dn: cn=x\nbind_pw_file: password"))
    assert loaded.config.sources[0].bind_pw.get_secret_value() == "pa ss"
    assert loaded.config.mailcow_api_key.get_secret_value() == "AB12"
    assert loaded.config.mailcow_api_key_file == folder.path / "key"
    assert [finding.where for finding in loaded.findings] == [str(folder.path / "key")]


def test_mistakes_in_secret_files(folder: Folder) -> None:
    folder.write("", "empty")
    folder.write("s3cret\x00key", "key")
    text = folder.good(mailcow="mailcow_api_key_file: key", ldap="bind_dn: cn=x\nbind_pw_file: empty")
    password, key = folder.mistakes(text)
    assert password == f"At 'ldap.bind_pw_file' (line 5): {folder.path}/empty is empty; write the secret into it"
    assert key.startswith(f"At 'mailcow_api_key' ({folder.path}/key): there is a line break or another character")


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("ldap://ldap.corp.test", True),
        ("[ldap://localhost, ldap://ldap.corp.test]", True),
        ("ldap://localhost:389", False),
        ("ldap://[::1]", False),
        ("ldapi:///", False),
    ],
)
def test_what_is_not_encrypted_is_a_finding(folder: Folder, uri: str, found: bool) -> None:  # noqa: FBT001
    findings = folder.load(folder.good().replace(LDAP["uri"], uri)).findings
    assert [(Code.LDAP_NOT_ENCRYPTED, "ldap.uri")] * found == [(finding.code, finding.where) for finding in findings]
