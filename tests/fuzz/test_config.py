"""Configs with something changed in them: a config, or a sentence for each mistake, and no secret in any of them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ldap2mailcow.config import ConfigError, example_text, load_config
from tests.counting import FUZZED

from . import trials

TRIALS = trials(2000)
API_KEY, PASSWORD = "K3Y-OF-THE-API", "pass-of-the-bind"
ENVIRONMENT = {
    "MAILCOW_LDAP_SYNC__MAILCOW_API_KEY": API_KEY,
    "MAILCOW_LDAP_SYNC__LDAP__BIND_PW": PASSWORD,
}
FILLED_IN = {
    "mailcow_api_key": API_KEY,
    "bind_pw": PASSWORD,
    "bind_dn": "cn=reader,dc=corp,dc=test",
    "user_search_base": "dc=corp,dc=test",
}
ODD_BYTES = b"\0\x01\x1b\x7f\xff\xc3\xe2\x80\xa8&*!|>%@`#:-?,[]{}\"'\\\n\r\t 0~\xef\xbb\xbf"
ODD_VALUES: tuple[Any, ...] = (
    *("", " ", "\0", "\u2028", "\u202e", "\ud800", "x" * 10_000, "(" * 5000, "9" * 500, "-1", "1:30", "0x10", "null"),
    *(None, True, 0, -1, 2**70, 1.5, float("nan"), float("inf"), [], {}, [[]], [{}], {"": ""}, [None], {"a": {"b": 1}}),
    *("ldap://", "ldaps://[", "ldap://[::1", "http://x:99999", "https://u:p@h/", "//", "ldapi://%00", "ldap://\u0130"),
    *(
        "(a=b)(c=d)",
        "(&)",
        "cn=x,",
        "=",
        "@",
        "a@b@c",
        "5, 10%, 5%",
        "999999999d",
        "1e9s",
        "٣d",
        "%",
        "../..",
        "/",
        "\n",
    ),
)


def with_odd_bytes(text: str, chance: random.Random) -> bytes:
    """Take bytes out, double them, or put others in."""
    data = bytearray(text.encode())
    for _ in range(chance.choice([1, 1, 2, 5, 40])):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                del data[place : place + chance.choice([1, 3, 100])]
            case 1:
                data[place:place] = data[place : place + chance.choice([1, 10, 500])]
            case 2:
                data[place] = chance.choice(ODD_BYTES)
            case _:
                data[place:place] = bytes(chance.choices(ODD_BYTES, k=3))
    return bytes(data)


def with_odd_values(text: str, chance: random.Random) -> bytes:
    """Put other values, keys and kinds in the places of those that are there."""
    document = yaml.safe_load(text)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        block = document
        while True:
            key = chance.choice(list(block))
            if not isinstance(block[key], dict) or not block[key] or chance.random() < 0.1:
                break
            block = block[key]
        if chance.random() < 0.2:
            block[str(chance.choice(ODD_VALUES))] = block.pop(key) if len(block) > 1 else 0
        else:
            block[key] = deepcopy(chance.choice(ODD_VALUES))
    return json.dumps(document).encode() if chance.random() < 0.5 else yaml.safe_dump(document).encode()


def filled_in() -> str:
    """Return the example with what an installation needs."""
    text = example_text().replace("example.com", "corp.test")
    for key, value in FILLED_IN.items():
        assert f'{key}: ""' in text
        text = text.replace(f'{key}: ""', f"{key}: {value}")
    return text


@pytest.mark.parametrize("spoil", [with_odd_bytes, with_odd_values])
def test_a_spoiled_config_loads_or_is_told(
    tmp_path: Path,
    spoil: Callable[[str, random.Random], bytes],
    record_property: Callable[[str, object], None],
) -> None:
    good, ends = filled_in(), Counter[str]()
    for number in range(TRIALS // 2):
        chance = random.Random(number)  # noqa: S311 - the same spoiling everywhere
        path = tmp_path / chance.choice(["config.yaml", "config.json"])
        path.touch(mode=0o600)
        path.write_bytes(spoil(good, chance))
        try:
            load_config(path, environ=chance.choice([{}, ENVIRONMENT]), cwd=tmp_path, script_dir=None)
            ends["loads"] += 1
        except ConfigError as error:
            ends["is told"] += 1
            said = f"{error} {error!r} {error.__context__!r}"
            assert API_KEY not in said, number
            assert PASSWORD not in said, number
            assert len(said) < 100_000, number
    assert min(ends["loads"], ends["is told"]) > 0
    record_property(FUZZED, {f"configs ({spoil.__name__})": ends.total()})
