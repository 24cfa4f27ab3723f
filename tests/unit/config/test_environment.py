"""The environment over the file: names, kinds of values, files, precedence."""

from __future__ import annotations

import json

import pytest

from .conftest import LDAP, REQUIRED, Folder

PREFIX = "MAILCOW_LDAP_SYNC__"


def test_variables_beat_the_file_and_are_read_by_kind(folder: Folder) -> None:
    folder.environ |= {
        f"{PREFIX}MARK": "0123",
        f"{PREFIX}ldap__BIND_DN": "cn=x: y",
        f"{PREFIX}LDAP__BIND_PW": "no",
        f"{PREFIX}LDAP__URI": "[ldaps://a, ldaps://b]",
        f"{PREFIX}LDAP__DOMAINS": "[corp.test]",
        f"{PREFIX}LDAP__START_TLS": "no",
        f"{PREFIX}LDAP__USER_MAPPING__MAIL": "mailbox",
        f"{PREFIX}LDAP__CA_FILE": "",
        f"{PREFIX}LIMITS__REMOVALS": "5, 20%",
        f"{PREFIX}HISTORY_DAYS": "7",
        f"{PREFIX}MAILCOW_VERIFY": "false",
        f"{PREFIX}PROXY": "null",
        f"{PREFIX}REMOVED_USERS": "keep",
        f"{PREFIX}STATE_FILE": "state",
        f"{PREFIX}PING_URL": "",
        f"{PREFIX}CREATE_MAILBOXES": "true",
        "MAILCOW_LDAP_SYNC": "not ours",
    }
    config = folder.config("mark: file\nproxy: http://proxy:1", "timeout: 5")
    (source,) = config.sources
    assert (config.mark, config.history_days, config.mailcow_verify, config.proxy) == ("0123", 7, False, None)
    assert (source.bind_dn, source.bind_pw.get_secret_value()) == ("cn=x: y", "no")
    assert (source.uri, source.domains, source.start_tls) == (("ldaps://a", "ldaps://b"), ("corp.test",), False)
    assert (source.user_mapping.mail, source.ca_file, source.timeout) == ("mailbox", None, 5)
    assert config.limits.removals.percent == 20
    assert config.removed_users.action == "keep"
    assert config.state_file == folder.path / "state"


def test_a_variable_with_file_at_its_end_names_a_file(folder: Folder) -> None:
    folder.write("ldaps://other.test\n", "uri")
    folder.write("pass\n", "password")
    folder.environ |= {
        f"{PREFIX}LDAP__URI_FILE": "uri",
        f"{PREFIX}LDAP__BIND_DN": "cn=x",
        f"{PREFIX}LDAP__BIND_PW_FILE": str(folder.path / "password"),
    }
    (source,) = folder.config().sources
    assert source.uri == ("ldaps://other.test",)
    assert source.bind_pw.get_secret_value() == "pass"
    assert source.bind_pw_file == folder.path / "password"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"LDAP__BIND_PWD": "s3cret"},
            f"At '{PREFIX}LDAP__BIND_PWD': there is no such key; did you mean {PREFIX}LDAP__BIND_PW?",
        ),
        ({"LDAP": "{}"}, f"At '{PREFIX}LDAP': there is no such key"),
        ({"QUX": "1"}, "unset it, or look it up in docs/configuration.md"),
        ({"HISTORY_DAYS": "x"}, f"At 'history_days' ({PREFIX}HISTORY_DAYS): this must be a plain whole number"),
        ({"LDAP__DOMAINS": "[a"}, f"At 'ldap.domains' ({PREFIX}LDAP__DOMAINS): this is not valid YAML"),
        ({"MARK": "a", "mark": "b"}, f"At 'mark' ({PREFIX}mark): {PREFIX}MARK sets it too; unset one of them"),
        ({"MARK_FILE": "nowhere"}, f"At 'mark' ({PREFIX}MARK_FILE): "),
        ({"METRICS_FILE": "x"}, f"At 'metrics_file' ({PREFIX}METRICS_FILE): metrics are not built yet"),
        ({"LDAP__BIND_PW": "a", "LDAP__BIND_PW_FILE": "b", "LDAP__BIND_DN": "c=d"}, "bind_pw is there too"),
        ({"MAILCOW_TIMEOUT__READ": "0"}, f"At 'mailcow_timeout.read' ({PREFIX}MAILCOW_TIMEOUT__READ): "),
    ],
)
def test_mistakes_name_the_variable(folder: Folder, environ: dict[str, str], expected: str) -> None:
    folder.environ = {PREFIX + name: value for name, value in environ.items()}
    mistake = folder.mistake()
    assert expected in mistake
    assert "s3cret" not in mistake


def test_where_ldap_is_a_list_the_variables_are_for_the_one_that_is_enabled(folder: Folder) -> None:
    folder.name = "config.json"
    folder.environ = {f"{PREFIX}LDAP__TIMEOUT": "7"}
    blocks: list[dict[str, object]] = [{**LDAP, "name": "a", "enabled": False}, {**LDAP, "name": "b"}]
    config = folder.load(json.dumps(REQUIRED | {"ldap": blocks})).config
    assert [source.timeout for source in config.ldap] == [10, 7]

    del blocks[0]["enabled"]
    (mistake,) = folder.mistakes(json.dumps(REQUIRED | {"ldap": blocks}))
    assert mistake.startswith(f"At 'ldap.timeout' ({PREFIX}LDAP__TIMEOUT): several directories are enabled, and this ")

    for block in blocks:
        block["enabled"] = False
    (mistake,) = folder.mistakes(json.dumps(REQUIRED | {"ldap": blocks}))
    assert "no directory is enabled" in mistake


def test_variables_do_not_hide_that_a_block_is_none(folder: Folder) -> None:
    environ = {
        f"{PREFIX}LDAP__TIMEOUT": "7",
        f"{PREFIX}LDAP__BIND_PW_FILE": "x",
        f"{PREFIX}LDAP__USER_MAPPING__ID": "dn",
    }
    text = "ldap: {ldap}\nmailcow_host: mail.corp.test\nmailcow_api_key: x\n"
    assert folder.mistaken_keys(text.format(ldap=5), environ) == ["ldap"]


def test_credentials_lie_between_the_environment_and_the_file(folder: Folder) -> None:
    credentials = folder.path / "credentials"
    credentials.mkdir()
    for name in ("bind_pw", "ldap.bind_pw", "mailcow_api_key"):
        folder.write(f"{name}-credential\n", f"credentials/{name}", mode=0o440)
    folder.environ = {
        "CREDENTIALS_DIRECTORY": str(credentials),
        f"{PREFIX}LDAP__BIND_DN": "cn=x",
        f"{PREFIX}MAILCOW_API_KEY": "variable",
    }
    loaded = folder.load(folder.good(ldap="bind_pw_file: nowhere"))
    assert loaded.config.sources[0].bind_pw.get_secret_value() == "ldap.bind_pw-credential"
    assert loaded.config.sources[0].bind_pw_file is None
    assert loaded.config.mailcow_api_key.get_secret_value() == "variable"
    assert loaded.findings == ()

    (credentials / "ldap.bind_pw").unlink()
    assert folder.load().config.sources[0].bind_pw.get_secret_value() == "bind_pw-credential"
    folder.write("", "credentials/bind_pw")
    (mistake,) = folder.mistakes(folder.good(ldap="bind_pw: x"))
    assert mistake == f"At 'ldap.bind_pw': {credentials}/bind_pw is empty; write the secret into it"
