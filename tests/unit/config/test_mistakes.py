"""Every kind of mistake, as the administrator reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ldap2mailcow.config import ConfigError, Mistake

from .conftest import LDAP, REQUIRED, Folder

HERE = Path("config.yaml")


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        (Mistake("a.b", "do c", 3), "At 'a.b' (line 3): do c"),
        (Mistake("a.b", "do c", origin="VARIABLE"), "At 'a.b' (VARIABLE): do c"),
        (Mistake("a.b", "do c"), "At 'a.b': do c"),
        (Mistake("", "do c", 3), "At line 3: do c"),
        (Mistake("", "do c"), "do c"),
    ],
)
def test_a_mistake_says_where(mistake: Mistake, expected: str) -> None:
    assert expected == str(mistake)


def test_mistakes_come_in_the_order_of_the_file() -> None:
    error = ConfigError([Mistake("b", "x"), Mistake("a", "x"), Mistake("z", "x", 2), Mistake("y", "x", 1)], HERE)
    assert [mistake.path for mistake in error.mistakes] == ["y", "z", "a", "b"]
    assert str(error).splitlines()[0] == "The config in config.yaml can't be used:"
    assert "environment" in str(ConfigError([], None))


def test_all_mistakes_are_told_at_once(folder: Folder) -> None:
    text = "ldap:\n  uri: x\n  timout: 3\n  start_tls: 1\n  bind_dn: cn=x\nmailcow_host: a/b\nmark: ''\n"
    assert folder.mistaken_keys(text, {"MAILCOW_LDAP_SYNC__HISTORY_DAYS": "0"}) == [
        "ldap.bind_pw",
        "ldap.user_search_base",
        "ldap.uri",
        "ldap.timout",
        "ldap.start_tls",
        "mailcow_host",
        "mark",
        "history_days",
        "mailcow_api_key",
    ]


TEXT_KEYS = [
    ("0123", "a number"),
    ("1:30", "a number"),
    ("1:30.5", "a number"),
    ("12", "a number"),
    ("1.5", "a number"),
    ("0x1F", "a number"),
    ("2024-01-31", "a date"),
    ("2024-99-99", "a date"),
    ("no", "yes or no"),
    ("on", "yes or no"),
]


@pytest.mark.parametrize(("value", "kind"), TEXT_KEYS)
def test_what_yaml_takes_for_something_else_than_text_needs_quotes(folder: Folder, value: str, kind: str) -> None:
    expected = f"At 'ldap.bind_dn' (line 4): this value reads as {kind}; put it in quotes"
    assert expected == folder.mistake(ldap=f"bind_dn: {value}")


@pytest.mark.parametrize(("value", "kind"), TEXT_KEYS)
def test_a_secret_that_needs_quotes_is_not_shown(folder: Folder, value: str, kind: str) -> None:
    mistake = folder.mistake(ldap=f"bind_dn: cn=x\nbind_pw: {value}")
    assert mistake == f"At 'ldap.bind_pw' (line 5): this value reads as {kind}; put it in quotes"


@pytest.mark.parametrize(
    ("ldap", "expected"),
    [
        ("bind_dn:", "there is nothing after the key"),
        ("bind_dn: [a]", "this must be text and not a list"),
        ("bind_dn: {a: b}", "this must be text and not a block of keys"),
        ('bind_pw: p\nbind_dn: "cn=a\\nb"', "a line break or another character"),
        ("bind_pw: p\nbind_dn: somebody", "this is not the name of an account"),
        ('canary_dns: [""]', "can't be empty"),
        ("user_search_base: people", "this key stands here and in line 4"),
        ("start_tls: 1", "must be true or false"),
        ('start_tls: "yes"', "must be true or false"),
        ("timeout: 0", "from 1 to 600"),
        ("timeout: 601", "from 1 to 600"),
        ("timeout: 010", "from 1 to 600"),
        ('timeout: "10"', "from 1 to 600"),
        ("timeout: true", "from 1 to 600"),
        ("page_size: 0", "from 1 to"),
        ("domains: corp.test", "this must be a list"),
        ("domains: [corp]", "corp has a domain that is not a full domain name"),
        ("user_mapping: {mail: ''}", "can't be empty"),
        ("user_mapping: {aliases: mailAlias}", "this must be a list"),
        ("user_mapping: {aliases: ['']}", "can't be empty"),
        (
            "user_mapping: {aliases: [mailAlias, 'a b']}",
            "'ldap.user_mapping.aliases[1]' (line 4): this is not the name",
        ),
        ("user_mapping: {send_as: userpassword}", "for password names this attribute too; write another"),
        ("user_mapping: {aliases: [mailAlias, UserPassword]}", "for password names this attribute too; write another"),
        ("group_search_base: dc=x\ngroup_mapping: {member: []}", "the list is empty; write at least one value"),
        ("group_search_base: dc=x\ngroup_mapping: {comment: userPassword}", "for password names this attribute too"),
        ("group_search_base: groups", "this is not a DN"),
        ("group_search_filter: mail=*", "write (mail=*)"),
        ("group_search_base: dc=x\ngroup_mapping: member", "this must be a block of keys"),
        ("group_mapping: {member: uniqueMember}", "has no effect without group_search_base or group_search_filter"),
        ("send_as_any: (cn=x)\ngroup_mapping: {member: uniqueMember}", "has no effect without group_search_base"),
        ("send_as_any: cn=x\ngroup_mapping: {aliases: [mailAlias]}", "has no effect without group_search_base"),
        ("group_mapping: {mail: 5}", "'ldap.group_mapping.mail' (line 4): this value reads as a number"),
        ("alias_search_base: dc=x\nalias_mapping: {goto: userpassword}", "for password names this attribute too"),
        ("user_mapping: {password: mail}", "'ldap.user_mapping.password' (line 4): passwords would be shown in plans"),
        ("alias_mapping: {goto: maildrop}", "has no effect without alias_search_base or alias_search_filter"),
        ("group_member_filter: (cn=x)", "write {MEMBER_CN} where the member's DN or name belongs"),
        ("group_member_filter: cn={MEMBER_CN}", "a filter stands in brackets"),
        ("send_as_any: admins", "this is not a DN"),
        ("send_as_any: (cn=x", "1 to close"),
        ("user_mapping: {name: 'a b'}", "not the name of one LDAP attribute"),
        ("user_mapping: {name: 'userCertificate;binary'}", "not the name of one LDAP attribute"),
        ("user_mapping: {quota_unit: mb}", "this must be 'B', 'KiB', 'MiB', 'GiB' or 'TiB'"),
        ("user_mapping: mail", "this must be a block of keys"),
        ("user_search_filter: mail=*", "write (mail=*)"),
        ("user_search_filter: (&(mail=*)", "1 to close"),
        ("user_search_filter: (mail=*))", "ends at character 8"),
        ("user_search_filter: (mail=*)(cn=*)", "write (&(first)(second))"),
        ("name: a b", "1 to 50"),
        ("ca_file: nowhere.pem", "nowhere.pem can't be read (No such file or directory)"),
        ("ca_file: ''", "this can't be empty"),
        ("uid: x", "there is no such key"),
        ("serach_base: x", "there is no such key; did you mean 'ldap.user_search_base'?"),
        ("mailcow_host: x", "did you mean 'mailcow_host'?"),
        ("bind_pw: p", "this is empty beside a bind_pw"),
        ("bind_dn: cn=x", "this is empty beside a bind_dn"),
        ("bind_dn: cn=x\nbind_pw: ''", "this is empty beside a bind_dn"),
        ("start_tls: true", "ldaps:// is encrypted already"),
        ("bind_pw_file: nowhere", "nowhere can't be read (No such file or directory)"),
        ("bind_pw_file: .", "is a directory"),
        ("bind_dn: cn=x\nbind_pw: p\nbind_pw_file: nowhere", "bind_pw is there too"),
        ("bind_pw_file: 3", "this value reads as a number"),
    ],
)
def test_mistakes_in_a_directory(folder: Folder, ldap: str, expected: str) -> None:
    mistake = folder.mistake(ldap=ldap)
    assert mistake.startswith("At 'ldap.")
    assert "(line " in mistake
    assert expected in mistake


SHOWN = "passwords would be shown in plans and findings, for {} names this attribute too; write another"


@pytest.mark.parametrize("key", ["id", "mail", "firstname", "lastname", "name", "quota", "active", "tls_enforce_out"])
def test_nothing_else_is_read_from_the_passwords_attribute(folder: Folder, key: str) -> None:
    mistake = folder.mistake(ldap=f"user_mapping:\n  {key}: USERpassword")
    assert mistake == f"At 'ldap.user_mapping.{key}' (line 5): {SHOWN.format('password')}"


def test_the_password_is_not_read_from_another_keys_attribute(folder: Folder) -> None:
    mistake = folder.mistake(ldap="user_mapping:\n  password: SN")
    assert mistake == f"At 'ldap.user_mapping.password' (line 5): {SHOWN.format('lastname')}"


def test_an_attribute_that_is_not_text_is_one_mistake(folder: Folder) -> None:
    assert "there is nothing after the key" in folder.mistake(ldap="user_mapping: {name: null}")


def test_mailboxes_that_come_from_elsewhere_are_never_deleted(folder: Folder) -> None:
    more, ldap = "create_mailboxes: false\nremoved_users: ", "user_mapping: {aliases: [mailAlias]}"
    assert folder.mistake(f"{more}delete", ldap).endswith(
        "with create_mailboxes: false mailboxes come from elsewhere, and those are never deleted; write disable, "
        "disallow_login or keep"
    )
    assert folder.config(f"{more}disallow_login", ldap).decides_status


@pytest.mark.parametrize("mapping", ["{password: '', name: userPassword}", "{password: '', name: ''}", "{password: x}"])
def test_passwords_may_have_an_attribute_of_their_own_or_none(folder: Folder, mapping: str) -> None:
    assert folder.config(ldap=f"user_mapping: {mapping}").sources


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("bind_pw: s3cret", "At 'bind_pw' (line 6): there is no such key; did you mean 'ldap.bind_pw'?"),
        ("12: x", "At '12' (line 6): there is no such key; take it out"),
        ("mailcow_connections: 17", "from 1 to 16"),
        ("mailcow_timeout: 5", "this must be a block of keys"),
        ("mailcow_timeout: {write: 3601}", "from 1 to 3600"),
        ("mailcow_verify: nowhere.pem", "can't be read"),
        ("mailcow_verify: 1", "this value reads as a number"),
        ("proxy: socks5://proxy", "http://host:port"),
        ("proxy: http://", "http://host:port"),
        ("proxy: http://proxy/path", "http://host:port"),
        ("proxy: http://proxy:99999", "http://host:port"),
        ("password_drift: off", "this must be 'overwrite' or 'report'"),
        ("mark: a:b", "1 to 50"),
        (f"mark: {'a' * 51}", "1 to 50"),
        ("history_days: 0", "from 1 to"),
        ("removed_users: {missing_runs: 0}", "from 1 to"),
        ("removed_users: {missing_for: 30}", "time with its unit"),
        (
            "removed_users: forget",
            "At 'removed_users.action' (line 6): this must be 'keep', 'disable', 'disallow_login' or 'delete'",
        ),
        ("removed_users: {delete_after: 30}", "time with its unit"),
        ("removed_users: off", "this must be a block of keys"),
        ("limits: {removals: 60%}", "at most 50%"),
        ("limits: {list_shrink: 60%}", "at most 50%"),
        ("limits: {list_members: 0}", "from 1 to"),
        ("limits: {adoptions: -1}", "from 0 to"),
        ("limits: {adoptions: 10%}", "from 0 to"),
        ("create_mailboxes: 1", "must be true or false"),
        ("create_mailboxes: 0", "must be true or false"),
        ("create_mailboxes: 'no'", "must be true or false"),
        ("create_mailboxes: false", "nothing is left to do, for no alias is made either"),
        ("adopt_aliases: always", "this must be 'same_goto', 'overwrite' or 'refuse'"),
        ("removed_aliases: forget", "this must be 'delete', 'disable' or 'keep'"),
        ("external_goto: {users: maybe}", "this must be 'refuse' or 'allow'"),
        ("sogo_visible: {users: maybe}", "must be true or false"),
        ("protected: [ann]", "At 'protected[0]' (line 6): ann is not of the form name@domain"),
        ("allow_reserved: ['a b']", "has characters or dots before the @ that mailcow refuses"),
        ("allow_reserved: ['@corp']", "not a full domain name"),
        ("accept: [no_mial]", "there is no finding no_mial; did you mean no_mail?"),
        ("accept: [x]", "there is no finding x; write one of active_invalid, "),
        ("accept: ['no_mail:']", "there is nothing after the colon"),
        ("log_file: true", "reads as yes or no"),
        ("mailcow_api_key_file: nowhere", "mailcow_api_key is there too"),
    ],
)
def test_mistakes_at_the_top(folder: Folder, more: str, expected: str) -> None:
    assert expected in folder.mistake(more)


@pytest.mark.parametrize(
    ("key", "value", "feature"),
    [
        (
            "ldap.user_mapping",
            {"tags": "x"},
            "tags from the directory are not built yet in this version; take the",
        ),
        ("create_domains", 1, "new mail domains are not built yet"),
        ("templates", None, "mailbox templates are not built yet"),
        ("ping_url", "https://s3cret", "pings are not built yet"),
    ],
)
def test_what_is_not_built_yet_is_refused(folder: Folder, key: str, value: object, feature: str) -> None:
    folder.name = "config.json"
    block, _, name = key.rpartition(".")
    more = {"ldap": LDAP | {name: value}} if block else {name: value}
    (mistake,) = folder.mistakes(json.dumps(REQUIRED | more))
    assert feature in mistake
    assert "s3cret" not in mistake


def test_what_is_not_built_yet_may_stand_there_with_its_default(folder: Folder) -> None:
    ldap = "group_search_base: ''\ngroup_mapping: {mail: mail}\nuser_mapping: {aliases: []}"
    assert folder.config() == folder.config("templates: {map: {}}\nping_url: null\ncreate_domains: false", ldap)


def test_an_unknown_key_in_a_block_that_is_not_built_yet(folder: Folder) -> None:
    assert "did you mean 'ldap.group_mapping.member'?" in folder.mistake(ldap="group_mapping: {members: x}")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://ldap.corp.test", "not the URI of a directory"),
        ("ldap.corp.test", "not the URI of a directory"),
        ("ldaps://ldap_corp test", "holds a blank or a comma"),
        ("ldaps://a,ldaps://b", "holds a blank or a comma"),
        ("ldaps://ldap.corp.test/dc=x", "only scheme, host and port go here"),
        ("ldaps://cn=me:s3cret@ldap.corp.test", "only scheme, host and port go here"),
        ("ldaps://ldap.corp.test?", "only scheme, host and port go here"),
        ("ldaps://", "there is no host in it; write ldaps://host"),
        ("ldaps://a:b", "not the URI of a directory"),
        ("ldaps://a%20b", "not the URI of a directory"),
        ("ldapi:///run/slapd/ldapi", "write ldapi://%2Frun%2Fslapd%2Fldapi"),
        ("[]", "the list is empty"),
        ("[ldaps://a, 5]", "At 'ldap.uri[1]' (line 2): this value reads as a number"),
        ("''", "this is still empty; write where your directory is"),
        ("ldaps://ldap.example.org", "this still holds the example's value; write where your directory is"),
        ("[ldaps://a, ldaps://EXAMPLE.com]", "this still holds the example's value"),
    ],
)
def test_mistakes_in_the_uri(folder: Folder, uri: str, expected: str) -> None:
    (mistake,) = folder.mistakes(folder.good().replace(LDAP["uri"], uri))
    assert expected in mistake
    assert "s3cret" not in mistake


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("http://mail.corp.test", "http:// would send the API key in clear text"),
        ("ftp://mail.corp.test", "neither a host nor a URL"),
        ("a b", "neither a host nor a URL"),
        ("https://", "neither a host nor a URL"),
        ("mail:99999", "neither a host nor a URL"),
        ("https://mail.corp.test/api", "only the host and a port go here"),
        ("me:s3cret@mail.corp.test", "only the host and a port go here"),
        ("mail.example.com", "still holds the example's value; write the host name of your mailcow server"),
        ("https://mail.invalid:8443", "still holds the example's value"),
        ("''", "this is still empty"),
        ("1", "reads as a number"),
    ],
)
def test_mistakes_in_the_host(folder: Folder, host: str, expected: str) -> None:
    (mistake,) = folder.mistakes(folder.good().replace("mail.corp.test", host))
    assert expected in mistake
    assert "s3cret" not in mistake


def test_missing_keys(folder: Folder) -> None:
    assert folder.mistaken_keys("mark: x") == ["ldap.uri", "ldap.user_search_base", "mailcow_api_key", "mailcow_host"]


@pytest.mark.parametrize("value", ["", "5", "text", "[5]"])
def test_a_directory_that_is_no_block(folder: Folder, value: str) -> None:
    keys = folder.mistaken_keys(f"ldap: {value}\nmailcow_host: mail.corp.test\nmailcow_api_key: x")
    assert {"ldap", "ldap[0]"} & set(keys)


@pytest.mark.parametrize("key", ["s3cret key", "s3cr\u00e9t"])
def test_an_api_key_that_no_header_could_carry(folder: Folder, key: str) -> None:
    (mistake,) = folder.mistakes(folder.good(mailcow=f"mailcow_api_key: {key}"))
    assert mistake.startswith("At 'mailcow_api_key' (line 5): there are blanks or letters in it that no API key has")


def test_several_directories(folder: Folder) -> None:
    folder.name = "config.json"
    several = [LDAP, LDAP | {"name": "other"}]
    config = folder.load(json.dumps(REQUIRED | {"ldap": several})).config
    assert [source.name for source in config.sources] == ["default", "other"]
    several[1]["uri"] = "x://"
    (wrong,) = folder.mistakes(json.dumps(REQUIRED | {"ldap": several}))
    assert wrong.startswith("At 'ldap[1].uri' (line 1): this is not the URI")


def test_directories_with_one_name(folder: Folder) -> None:
    folder.name = "config.json"
    same = [LDAP, LDAP | {"enabled": False}]
    first, second = folder.mistakes(json.dumps(REQUIRED | {"ldap": same}))
    assert first.startswith("At 'ldap[0].name' (line 1): another directory has this name too")
    assert second.startswith("At 'ldap[1].name'")


@pytest.mark.parametrize("ldap", [[], [LDAP | {"enabled": False}]])
def test_no_directory_is_enabled(folder: Folder, ldap: object) -> None:
    folder.name = "config.json"
    (mistake,) = folder.mistakes(json.dumps(REQUIRED | {"ldap": ldap}))
    assert "no directory is enabled" in mistake


def test_a_directory_that_is_not_enabled_may_be_half_filled(folder: Folder) -> None:
    folder.name = "config.json"
    half = {"name": "half", "enabled": False, "uri": "ldaps://ldap.example.com", "user_search_base": "", "timout": 3}
    (mistake,) = folder.mistakes(json.dumps(REQUIRED | {"ldap": [LDAP, half]}))
    assert "At 'ldap[1].timout' (line 1): there is no such key; did you mean 'ldap.timeout'?" in mistake


def test_tls_that_is_required(folder: Folder) -> None:
    text = folder.good(ldap="require_tls: true").replace("ldaps:", "ldap:")
    (mistake,) = folder.mistakes(text)
    assert mistake.startswith("At 'ldap.uri' (line 2): with require_tls, ldap:// is refused")
    assert folder.load(f"{text}".replace("require_tls: true", "require_tls: true\n  start_tls: true")).findings == ()
