"""YAML and JSON texts to raw values, with the line of every key, and a mistake for each key that stands twice.

YAML is read from its node tree and not by a loader: a loader takes the last of two equal keys, and makes numbers and
dates of what was meant as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from .draft import Block, Draft, Place
from .values import Odd

_YAML = "tag:yaml.org,2002:"
_PLAIN_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})")
_WORDS = yaml.SafeLoader.bool_values
_HINT = "; put values with : # & * ! % @ or a backquote in quotes, and indent with blanks"
_TOO_DEEP = "blocks stand in blocks too many times over"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')

_OPEN_BLOCK, _OPEN_LIST, _COMMA = "{[,"


class NotReadable(Exception):  # noqa: N818 - it says what the text is
    """A text that isn't YAML or JSON; the message quotes nothing of it."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        self.sentence = sentence
        self.line = line
        super().__init__(sentence)


def read_document(text: str, *, as_json: bool) -> Draft:
    """Read the text of a config file. Raises NotReadable."""
    draft = Draft()
    as_json = as_json and bool(text.strip())  # an empty file is told as such, not as broken JSON
    data = _read_json(text, draft) if as_json else _read_yaml(text, draft)
    if data is None:
        raise NotReadable("there are no keys in the file; delete it, and the next run writes an example")
    if not isinstance(data, dict):
        raise NotReadable("the file must be a block of keys, such as mailcow_host: followed by a value")
    draft.data = data
    return draft


def read_value(text: str) -> object:
    """Read one YAML value, as an environment variable holds it. Raises NotReadable."""
    return _read_yaml(text, Draft())


def _put(draft: Draft, block: Block, place: Place, value: object, line: int) -> None:
    """Set a key of a block, unless it has that key."""
    key = str(place[-1])
    if key in block:
        draft.blame(place, f"this key stands here and in line {line}; delete one of them")
        return
    block[key] = value


def _read_yaml(text: str, draft: Draft) -> object:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return _YamlTree(text, draft).value(node, ()) if node else None
    except yaml.MarkedYAMLError as error:
        problem = _not_yaml(error.problem_mark)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = NotReadable("there is a control character in the file; delete it", line)
    except RecursionError:
        problem = NotReadable(_TOO_DEEP)
    raise problem  # out here, so that the parser's error, which may quote a secret, isn't its context


def _not_yaml(mark: yaml.Mark | None) -> NotReadable:
    where = f" from column {mark.column + 1} on" if mark else ""
    return NotReadable(f"this is not valid YAML{where}{_HINT}", mark.line + 1 if mark else None)


@dataclass(slots=True)
class _YamlTree:
    """Turns nodes into values, each node once."""

    text: str
    draft: Draft
    seen: set[int] = field(default_factory=set)

    def value(self, node: yaml.Node, place: Place) -> object:
        mark = node.start_mark
        # An anchor or a tag would be cut off a value that was meant whole, such as a password that begins with & or !.
        if id(node) in self.seen or self.text[mark.index : mark.index + 1] in {"&", "!"}:
            raise _not_yaml(mark)
        self.seen.add(id(node))
        self.draft.lines.setdefault(place, mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.block(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, index)) for index, child in enumerate(node.value)]
        return _scalar(node.tag, node.value)

    def block(self, node: yaml.MappingNode, place: Place) -> Block:
        block: Block = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _not_yaml(key.start_mark)
            here, line = (*place, key.value), key.start_mark.line + 1
            self.draft.lines.setdefault(here, line)
            _put(self.draft, block, here, self.value(child, here), line)
        return block


def _scalar(tag: str, text: str) -> object:
    match tag.removeprefix(_YAML):
        case "null":
            return None
        case "bool":
            return _WORDS[text.lower()]
        case "int" if _PLAIN_NUMBER.fullmatch(text):
            return int(text)
        case "int" | "float":
            return Odd.NUMBER
        case "timestamp":
            return Odd.DATE
        case _:
            return text


def _read_json(text: str, draft: Draft) -> object:
    try:
        json.loads(text)
        tokens = _tokens(text)
        first, _ = next(tokens)
        return _JsonTree(draft, tokens).value((), first)
    except json.JSONDecodeError as error:
        problem = NotReadable(f"this is not valid JSON from column {error.colno} on", error.lineno)
    except ValueError:
        problem = NotReadable("there is a number in it that is too long")
    except RecursionError:
        problem = NotReadable(_TOO_DEEP)
    raise problem  # out here, for JSONDecodeError holds the whole text


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Cut valid JSON into tokens with their lines."""
    line, place = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", place, match.start())
        place = match.start()
        yield match[0], line


@dataclass(slots=True)
class _JsonTree:
    """Turns the tokens of valid JSON into values."""

    draft: Draft
    tokens: Iterator[tuple[str, int]]

    def value(self, place: Place, token: str) -> object:
        """Read the value that begins with a token."""
        if token == _OPEN_BLOCK:
            return self.block(place)
        if token == _OPEN_LIST:
            return self.list(place)
        value = json.loads(token)
        return Odd.NUMBER if isinstance(value, float) else value

    def block(self, place: Place) -> Block:
        block: Block = {}
        for token, line in self.until("}"):
            here = (*place, json.loads(token))
            self.draft.lines.setdefault(here, line)
            next(self.tokens)  # the colon
            first, _ = next(self.tokens)
            _put(self.draft, block, here, self.value(here, first), line)
        return block

    def list(self, place: Place) -> list[object]:
        values: list[object] = []
        for token, line in self.until("]"):
            here = (*place, len(values))
            self.draft.lines.setdefault(here, line)
            values.append(self.value(here, token))
        return values

    def until(self, end: str) -> Iterator[tuple[str, int]]:
        """Walk the items of a block or list: what reads an item takes all its tokens."""
        token, line = next(self.tokens)
        while token != end:
            if token != _COMMA:
                yield token, line
            token, line = next(self.tokens)
