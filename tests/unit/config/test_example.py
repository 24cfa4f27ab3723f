"""The example and the documentation say what the schema says."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from ldap2mailcow.config import Config, ConfigError, example_text, load_config, write_first_config
from ldap2mailcow.config.keys import BUILT, KNOWN, SECRETS, UNBUILT

from .conftest import REQUIRED

TOP = Path(__file__).parents[3]
ROW = re.compile(r"^\| `([a-z_.]+)` \| (required|`[^|]*`) \| .+ \|$", re.MULTILINE)
REQUIRED_KEYS = ["ldap.uri", "ldap.user_search_base", "mailcow_host", "mailcow_api_key"]
CHOSEN = {"ldap.require_tls": True, "update_only_on_change_by_ldap": True, "adopt_mailboxes": "keep_password"}


def leaves(block: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in block.items():
        if isinstance(value, dict) and prefix + key not in KNOWN:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def nested(values: dict[str, object]) -> dict[str, object]:
    data: dict[str, object] = {}
    for path, value in values.items():
        *blocks, key = path.split(".")
        block = data
        for name in blocks:
            block = block.setdefault(name, {})  # type: ignore[assignment]
        block[key] = value
    return data


def with_required(values: dict[str, object]) -> Config:
    required = dict(leaves(REQUIRED))  # type: ignore[arg-type]
    return Config.model_validate(nested(values | required))


def documented() -> dict[str, object]:
    rows = ROW.findall((TOP / "docs/configuration.md").read_text(encoding="utf-8"))
    assert len(rows) == len({key for key, _ in rows})
    return {key: None if default == "required" else yaml.safe_load(default.strip("`")) for key, default in rows}


def mistaken(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ={}, cwd=TOP, script_dir=None)
    return [mistake.path for mistake in caught.value.mistakes]


def test_the_package_carries_the_file_at_the_top() -> None:
    assert example_text() == (TOP / "config.example.yaml").read_text(encoding="utf-8")


def test_the_example_has_every_key_that_is_built_and_no_other() -> None:
    assert {key for key, _ in leaves(yaml.safe_load(example_text()))} == set(BUILT)


def test_the_examples_values_are_the_defaults_but_for_three() -> None:
    example = dict(leaves(yaml.safe_load(example_text())))
    assert with_required(example) == with_required(CHOSEN)


def test_only_what_is_required_is_left_to_fill_in(tmp_path: Path) -> None:
    for name in ("config.yaml", "config.json"):
        write_first_config(tmp_path / name)
        assert sorted(mistaken(tmp_path / name)) == sorted(REQUIRED_KEYS)


def test_the_first_run_writes_the_example_for_its_owner_alone(tmp_path: Path) -> None:
    write_first_config(tmp_path / "config.yaml")
    write_first_config(tmp_path / "config.json")
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == example_text()
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8")) == yaml.safe_load(example_text())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.symlink_to("elsewhere")
    with pytest.raises(ConfigError, match="is there already and is left as it is"):
        write_first_config(path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be written"):
        write_first_config(tmp_path / "nowhere" / "config.yaml")


@contextmanager
def room_for(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_nothing_is_left_of_a_file_for_which_there_is_no_room(tmp_path: Path) -> None:
    """The next run would take half an example for a config."""
    with room_for(100), pytest.raises(ConfigError, match=r"File too large.*make room"):
        write_first_config(tmp_path / "config.yaml")
    assert list(tmp_path.iterdir()) == []


def test_the_documentation_has_every_key() -> None:
    assert set(documented()) == set(KNOWN)


def test_the_documentation_has_the_defaults() -> None:
    rows = documented()
    assert [key for key in rows if key in REQUIRED_KEYS] == REQUIRED_KEYS
    assert with_required({key: default for key, default in rows.items() if key in BUILT}) == with_required({})
    assert {key: rows[key] for key in UNBUILT} == {key: row.default for key, row in UNBUILT.items()}


def test_secrets_are_keys() -> None:
    assert set(SECRETS) <= set(KNOWN)
