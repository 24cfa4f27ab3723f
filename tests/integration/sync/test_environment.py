"""Settings from outside the file: variables, files of secrets, systemd's credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from .installation import STATE, Installation

PREFIX = "MAILCOW_LDAP_SYNC__"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "without a config"
    path.mkdir()
    return path


def variables(house: Installation) -> dict[str, str]:
    """Return the whole config as variables."""
    ldap = house.settings["ldap"]
    return {
        **{f"{PREFIX}LDAP__{key.upper()}": value for key, value in ldap.items() if key != "user_mapping"},
        f"{PREFIX}LDAP__USER_MAPPING__QUOTA": "MailQuota",
        f"{PREFIX}MAILCOW_HOST": house.settings["mailcow_host"],
        f"{PREFIX}MAILCOW_API_KEY": house.settings["mailcow_api_key"],
    }


def secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def test_the_environment_alone_is_enough(house: Installation, folder: Path) -> None:
    house.people(1)
    done = house.run(env=variables(house), cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert house.mailbox(1).quota == 1024 * 1024 * 1024
    assert {path.name for path in folder.iterdir()} == {STATE, f"{STATE}.key", f"{STATE}.lock"}


def test_an_incomplete_environment_is_no_config(house: Installation, folder: Path) -> None:
    given = variables(house)
    del given[f"{PREFIX}MAILCOW_HOST"]
    done = house.run(env=given, cwd=folder)
    assert done.code == 78
    assert "fill in at least mailcow_host," in done.err
    assert (folder / "config.yaml").exists()


def test_a_variable_goes_before_the_file_and_an_option_before_the_variable(house: Installation) -> None:
    house.people(1)
    house.run()
    house.writes()
    given = {f"{PREFIX}UPDATE_ONLY_ON_CHANGE_BY_LDAP": "false"}
    house.run(env=given)
    assert len(house.writes()) == 1
    house.run("--update-only-on-change-by-ldap", env=given)
    assert house.writes() == []


def test_an_unknown_variable_is_a_mistake(house: Installation) -> None:
    done = house.run(env={f"{PREFIX}MAILCOW_HOTS": "mail.example.org"})
    assert done.code == 78
    assert f"did you mean {PREFIX}MAILCOW_HOST?" in done.err


def test_secrets_come_from_files_beside_the_config(house: Installation) -> None:
    house.people(1)
    secret(house.folder / "bind", house.settings["ldap"]["bind_pw"])
    secret(house.folder / "key", house.settings["mailcow_api_key"])
    house.config(ldap__bind_pw=None, ldap__bind_pw_file="bind", mailcow_api_key=None, mailcow_api_key_file="key")
    house.config_file.chmod(0o644)  # no secret is in it any more
    done = house.run("--config", str(house.config_file), cwd=house.folder.parent)
    assert (done.code, "secret_readable" in done.out) == (0, False)


def test_a_secret_that_others_can_read_is_told(house: Installation) -> None:
    secret(house.folder / "bind", house.settings["ldap"]["bind_pw"]).chmod(0o640)
    house.config(ldap__bind_pw=None, ldap__bind_pw_file="bind")
    done = house.run()
    assert f"secret_readable  {house.folder / 'bind'}" in done.out


def test_variables_can_name_files_of_secrets(house: Installation, folder: Path) -> None:
    house.people(1)
    given = variables(house)
    for name in (f"{PREFIX}LDAP__BIND_PW", f"{PREFIX}MAILCOW_API_KEY"):
        given[f"{name}_FILE"] = str(secret(folder / name, given.pop(name)))
    assert house.run(env=given, cwd=folder).code == 0
    assert house.has_mailbox(1)


@pytest.mark.parametrize("name", ["bind_pw", "ldap.bind_pw"])
def test_secrets_come_from_systemds_credentials(house: Installation, folder: Path, name: str) -> None:
    house.people(1)
    secret(folder / name, house.settings["ldap"]["bind_pw"])
    secret(folder / "mailcow_api_key", house.settings["mailcow_api_key"])
    house.config(ldap__bind_pw=None, mailcow_api_key=None)
    assert house.run(env={"CREDENTIALS_DIRECTORY": str(folder)}).code == 0
    assert house.has_mailbox(1)


def test_a_proxy_of_the_environment_is_not_used(house: Installation) -> None:
    house.people(1)
    proxy = "http://127.0.0.1:1"
    assert house.run(env={"HTTP_PROXY": proxy, "http_proxy": proxy, "ALL_PROXY": proxy}).code == 0
