"""Files as they are: YAML and JSON that is broken, odd, or says a thing twice."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldap2mailcow.config.document import NotReadable, read_document, read_value

from .conftest import REQUIRED, Folder


@pytest.mark.parametrize("name", ["config.yaml", "config.json"])
@pytest.mark.parametrize("text", ["", " \n", "null"])
def test_an_empty_file(folder: Folder, name: str, text: str) -> None:
    folder.name = name
    assert folder.mistakes(text) == ["there are no keys in the file; delete it, and the next run writes an example"]


def test_a_file_with_nothing_but_comments(folder: Folder) -> None:
    assert "there are no keys" in folder.mistakes("# mailcow_host: x\n")[0]


@pytest.mark.parametrize(("name", "text"), [("config.yaml", "- a"), ("config.yml", "a"), ("config.json", "[1]")])
def test_a_file_that_is_no_block(folder: Folder, name: str, text: str) -> None:
    folder.name = name
    assert "must be a block of keys" in folder.mistakes(text)[0]


def test_a_file_that_is_not_utf8(folder: Folder) -> None:
    folder.write("mark: é".encode("latin-1"))
    (mistake,) = folder.mistakes()
    assert mistake == f"{folder.path}/config.yaml is not UTF-8 (byte 7); save it again in that encoding"


def test_a_byte_order_mark_is_fine(folder: Folder) -> None:
    folder.write(b"\xef\xbb\xbf" + folder.good().encode())
    assert folder.load().config.mark == "ldap-sync"


def test_a_directory(folder: Folder) -> None:
    (folder.path / "config.yaml").mkdir()
    assert "config.yaml is a directory; write the path of a file" in folder.mistakes()[0]


def test_a_file_that_cannot_be_read(folder: Folder) -> None:
    (folder.path / "config.yaml").symlink_to("nowhere")
    assert "config.yaml can't be read (No such file or directory)" in folder.mistakes()[0]


BROKEN_YAML = [
    ("mark: x\nbind_pw: %s3cret", 2, 10),
    ("bind_pw: *s3cret", 1, 10),
    ("bind_pw: @s3cret", 1, 10),
    ("bind_pw: 's3cret", 1, 17),
    ("a: s3cret: b", 1, 10),
    ("a: b\n\tc: s3cret", 2, 1),
    ("a: b\n---\nc: s3cret", 2, 1),
    ("? [s3cret]\n: b", 1, 3),
    ("bind_pw: &s3cret", 1, 10),
    ("bind_pw: !s3cret", 1, 10),
    ("a: &b [s3cret]\nc: *b", 1, 4),
    ("bind_pw: !<tag:yaml.org,2002:str> s3cret", 1, 10),
]


@pytest.mark.parametrize(("text", "line", "column"), BROKEN_YAML)
def test_broken_yaml_is_one_mistake_that_quotes_nothing(folder: Folder, text: str, line: int, column: int) -> None:
    (mistake,) = folder.mistakes(text)
    assert mistake.startswith(f"At line {line}: this is not valid YAML from column {column} on; put values with")
    assert "s3cret" not in mistake


def test_a_control_character(folder: Folder) -> None:
    assert folder.mistakes("a: b\nc: \x01s3cret") == ["At line 2: there is a control character in the file; delete it"]


@pytest.mark.parametrize("name", ["config.yaml", "config.json"])
def test_blocks_in_blocks_without_end(folder: Folder, name: str) -> None:
    folder.name = name
    assert "too many times" in folder.mistakes('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "s3cret"\n "b": 1}', "At line 2: this is not valid JSON from column 2 on"),
        ('{"a": s3cret}', "At line 1: this is not valid JSON from column 7 on"),
        ('{"a": ' + "1" * 5000 + "}", "there is a number in it that is too long"),
    ],
)
def test_broken_json_is_one_mistake_that_quotes_nothing(folder: Folder, text: str, expected: str) -> None:
    folder.name = "config.json"
    assert folder.mistakes(text) == [expected]


def test_a_key_that_stands_twice_in_yaml(folder: Folder) -> None:
    mistake = folder.mistake("mark: a\nmark: s3cret")
    assert mistake == "At 'mark' (line 6): this key stands here and in line 7; delete one of them"


def test_a_key_that_stands_twice_in_json(folder: Folder) -> None:
    folder.name = "config.json"
    text = json.dumps(REQUIRED)[:-1] + ',\n"mark": "a",\n\n"mark": "s3cret"}'
    expected = ["At 'mark' (line 2): this key stands here and in line 4; delete one of them"]
    assert expected == folder.mistakes(text)


def test_numbers_with_a_fraction_and_half_characters_in_json(folder: Folder) -> None:
    folder.name = "config.json"
    text = json.dumps(REQUIRED)[:-1] + ',\n"history_days": 1e2,\n"mark": "\\ud800"}'
    days, mark = folder.mistakes(text)
    assert days.startswith("At 'history_days' (line 2): this must be a plain whole number")
    assert mark.startswith("At 'mark' (line 3): there is a line break or another character")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=5), st.sampled_from([None, 1, "\t"]))
def test_json_reads_as_python_reads_it(data: dict[str, object], indent: int | str | None) -> None:
    assert data == read_document(json.dumps(data, indent=indent), as_json=True).data


@given(st.dictionaries(st.text(), JSON_VALUES, min_size=1, max_size=5))
def test_the_lines_of_json_are_those_of_its_keys(data: dict[str, object]) -> None:
    text = json.dumps(data, indent=1)
    draft = read_document(text, as_json=True)
    for key in data:
        assert text.splitlines()[draft.lines[key,] - 1].startswith(f" {json.dumps(key)}:")


def test_lines_of_yaml_lists() -> None:
    draft = read_document("a:\n- b\n- c: d\n", as_json=False)
    assert draft.data == {"a": ["b", {"c": "d"}]}
    assert draft.lines["a", 1, "c"] == 3


@given(st.text(), st.booleans())
def test_a_text_can_be_read_or_is_told_to_be_unreadable(text: str, as_json: bool) -> None:  # noqa: FBT001
    with suppress(NotReadable):
        read_document(text, as_json=as_json)


def test_values_of_variables() -> None:
    assert read_value("[a, yes, -5, ~, 99999999999999999999]")[:4] == ["a", True, -5, None]  # type: ignore[index]
