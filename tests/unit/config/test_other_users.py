"""A config is read only where no other user of the machine can have put it, or put another in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ldap2mailcow.config import ConfigError, Loaded, load, load_config
from ldap2mailcow.config.apart import BESIDE_STATE
from tests.foreign import give_away

from .conftest import Folder


def named(path: Path) -> Loaded:
    return load_config(path, environ={}, cwd=path.parent, script_dir=None)


def found(path: Path) -> Loaded:
    return load_config(None, environ={}, cwd=path.parent, script_dir=None)


def beside_the_script(path: Path) -> Loaded:
    return load_config(None, environ={}, cwd=path.parent / "elsewhere", script_dir=path.parent)


EVERY_WAY = pytest.mark.parametrize("way", [named, found, beside_the_script])
Way = Callable[[Path], Loaded]


def refusal(way: Way, path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        way(path)
    (mistake,) = caught.value.mistakes
    return str(mistake)


@EVERY_WAY
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_config_that_others_can_write_is_refused(folder: Folder, way: Way, mode: int) -> None:
    path = folder.write(folder.good(), mode=mode)
    assert refusal(way, path) == f"{path} can be written by other users; run: chmod go-w {path}"


@EVERY_WAY
def test_a_config_in_a_folder_where_everybody_can_replace_it_is_refused(folder: Folder, way: Way) -> None:
    path = folder.write(folder.good())
    folder.path.chmod(0o777)
    assert refusal(way, path) == f"{path} can be replaced by other users; run: chmod o-w {folder.path}"
    folder.path.chmod(0o1777)  # as /tmp is
    assert way(path).path == path


def test_a_link_to_a_place_where_everybody_can_replace_the_config_is_refused(folder: Folder) -> None:
    place = folder.path / "shared" / "deeper"
    place.mkdir(parents=True)
    folder.write(folder.good(), "shared/deeper/config.yaml")
    (folder.path / "config.yaml").symlink_to("shared/deeper/config.yaml")
    place.parent.chmod(0o777)
    assert "can be replaced by other users" in refusal(named, folder.path / "config.yaml")
    place.parent.chmod(0o755)
    assert named(folder.path / "config.yaml").config


@pytest.mark.parametrize("way", [found, beside_the_script])
def test_a_config_of_another_user_that_was_merely_found_is_refused(
    folder: Folder, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a file in /tmp would have a run there send a secret to its author."""
    path = folder.write(folder.good(), mode=0o644)
    give_away(path, monkeypatch)
    assert refusal(way, path) == (
        f"{path} belongs to another user or lies in another user's folder; if it is meant, name it with --config"
    )
    assert named(path).path == path


@pytest.mark.parametrize("what", ["link", "folder"])
def test_what_leads_to_a_found_config_is_no_other_users_either(
    folder: Folder, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder.path / "place"
    place.mkdir(mode=0o755)
    folder.write(folder.good())
    link = place / "config.yaml"
    link.symlink_to("../config.yaml")
    assert found(link).path == link
    give_away(link if what == "link" else place, monkeypatch)
    assert "belongs to another user" in refusal(found, link)


def test_a_config_of_another_user_at_the_documented_place_is_that_of_a_container(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write(folder.good(), mode=0o644)
    give_away(path, monkeypatch)
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder.path)
    elsewhere = folder.path / "elsewhere"
    elsewhere.mkdir()
    assert load_config(None, environ={}, cwd=elsewhere, script_dir=None).path == path


def test_a_config_that_is_mounted_read_only_may_be_everybodys(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.write(folder.good(), mode=0o666)
    folder.path.chmod(0o777)
    give_away(path, monkeypatch)
    monkeypatch.setattr(os, "statvfs", lambda _: type("Mount", (), {"f_flag": os.ST_RDONLY}))
    assert named(path).path == path


def test_a_folder_that_can_not_be_looked_at_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.write(folder.good())
    monkeypatch.setattr(Path, "lstat", lambda _: Path("/nowhere").stat())
    assert refusal(named, path).endswith("can't be read (No such file or directory); let this user look at its folders")


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("mailcow_api_key_file", {"mailcow": "mailcow_api_key_file: other"}),
        ("ldap.bind_pw_file", {"ldap": "bind_dn: cn=x\nbind_pw_file: other"}),
        ("ldap.ca_file", {"ldap": "ca_file: other"}),
        ("mailcow_verify", {"more": "mailcow_verify: other"}),
    ],
)
def test_no_file_that_the_config_names_may_be_written_by_others_or_be_a_pipe(
    folder: Folder, key: str, more: dict[str, str]
) -> None:
    text = folder.good(**more)
    path = folder.write("AB12", "other", mode=0o622)
    assert [mistake.partition("): ")[2] for mistake in folder.mistakes(text) if f"'{key}'" in mistake] == [
        f"{path} can be written by other users; run: chmod go-w {path}"
    ]
    path.unlink()
    os.mkfifo(path)
    assert any("is a pipe, a socket or a device" in mistake for mistake in folder.mistakes(text) if key in mistake)
    path.unlink()
    folder.write("AB12", "other", mode=0o600)
    assert folder.load(text).config


@EVERY_WAY
def test_a_pipe_is_no_config_and_not_waited_for(folder: Folder, way: Way) -> None:
    os.mkfifo(folder.path / "config.yaml")
    assert refusal(way, folder.path / "config.yaml").endswith("is a pipe, a socket or a device; name a plain file")


# how large a config may be


@pytest.mark.parametrize("name", ["config.yaml", "config.json"])
def test_a_file_over_a_mebibyte_is_no_config(folder: Folder, name: str) -> None:
    text = folder.good()
    text += "#" * (1024 * 1024 - len(text))
    path = folder.write(text)
    assert found(path).config
    (folder.path / "config.yaml").unlink()
    path = folder.write(text + "#", name)
    assert refusal(found, path) == f"{path} is larger than 1 MiB, which no config and no secret is; name another file"


def test_a_secret_is_not_that_large_either(folder: Folder) -> None:
    folder.write("k" * (1024 * 1024 + 1), "key")
    (mistake,) = folder.mistakes(folder.good(mailcow="mailcow_api_key_file: key"))
    assert "is larger than 1 MiB" in mistake


def test_aliases_of_yaml_are_not_followed(folder: Folder) -> None:
    """A billion of values in 20 lines."""
    lines = [f"k{number}: &k{number} [*k{number - 1}, *k{number - 1}]" for number in range(1, 31)]
    assert "this is not valid YAML" in folder.mistakes("\n".join(["k0: &k0 [x, x]", *lines]))[0]


def test_a_hundred_mistakes_are_told_and_the_rest_counted(folder: Folder) -> None:
    with pytest.raises(ConfigError) as caught:
        folder.load(folder.good("".join(f"key{number}: 1\n" for number in range(1000))))
    assert len(caught.value.mistakes) == 1000
    lines = str(caught.value).splitlines()
    assert len(lines) == 102
    assert lines[-1] == "and 900 more mistakes; correct these first"


# no file is two


def links(folder: Folder) -> None:
    folder.write("AB12", "key")
    folder.write("pem", "ca")
    (folder.path / "link").symlink_to("config.yaml")
    (folder.path / "second").hardlink_to(folder.path / "key")


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("log_file", "log_file: config.yaml"),
        ("log_file", "log_file: ../{here}/link"),
        ("log_file", "log_file: key"),
        ("log_file", "log_file: second"),
        ("log_file", "log_file: ca"),
        ("log_file", "log_file: mailcow_ldap_sync.sqlite3"),
        *(("log_file", f"log_file: mailcow_ldap_sync.sqlite3{end}") for end in BESIDE_STATE),
        ("state_file", "state_file: config.yaml"),
        ("state_file", "state_file: key"),
        ("state_file", "state_file: ca"),
        ("state_file", "state_file: second"),
    ],
)
def test_a_file_that_is_written_is_no_other_one(folder: Folder, key: str, more: str) -> None:
    links(folder)
    text = folder.good(more.format(here=folder.path.name), ldap="ca_file: ca", mailcow="mailcow_api_key_file: key")
    assert all(
        mistake.startswith(f"At '{key}' (") and mistake.endswith("; name another one")
        for mistake in folder.mistakes(text)
    )


def test_a_file_beside_the_state_file_is_no_link_to_it(folder: Folder) -> None:
    state = folder.write("", "mailcow_ldap_sync.sqlite3")
    (folder.path / "mailcow_ldap_sync.sqlite3.key").hardlink_to(state)
    assert folder.mistakes(folder.good()) == [
        f"At 'state_file': {state} is the same file as {state}.key; name another one"
    ]


def test_files_that_are_read_may_be_the_same(folder: Folder) -> None:
    shutil.copy(__file__, folder.path / "ca")
    (folder.path / "ca").chmod(0o600)
    assert folder.config("mailcow_verify: ca", "ca_file: ca")
