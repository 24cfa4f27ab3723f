"""Which keys there are: those of the schema, and those that are known but not built yet."""

from __future__ import annotations

import difflib
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from .draft import LDAP, Block, Draft, Place, key_path
from .schema import Config, Limit, Source


@dataclass(frozen=True, slots=True)
class Key:
    """How the value of a key reads where it isn't in a file: in the environment."""

    text: bool
    """Whether it is taken as it stands; else as a YAML value."""
    optional: bool = False
    """Whether nothing is a value too."""


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """A key of a later version: the only value it can have today, and what it is for."""

    default: object
    feature: str


_DOMAINS, _TEMPLATES = "new mail domains", "mailbox templates"

UNBUILT: dict[str, Unbuilt] = {
    "ldap.user_mapping.tags": Unbuilt("", "tags from the directory"),
    "ldap.user_mapping.template": Unbuilt("", _TEMPLATES),
    "create_domains": Unbuilt(default=False, feature=_DOMAINS),
    "templates.default": Unbuilt(None, _TEMPLATES),
    "templates.map": Unbuilt({}, _TEMPLATES),
    "metrics_file": Unbuilt(None, "metrics"),
    "ping_url": Unbuilt(None, "pings"),
}

SECRETS = ("ldap.bind_pw", "mailcow_api_key", "ping_url")
"""Keys whose values are never shown, and that a credential's file may hold."""


def _strip(annotation: object) -> object:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _key(annotation: object) -> Key:
    parts = {annotation}
    if get_origin(annotation) in {Union, types.UnionType}:
        parts = {_strip(part) for part in get_args(annotation)}
    optional = types.NoneType in parts
    return Key(
        text=all(part in {str, SecretStr, Path} or get_origin(part) is Literal for part in parts - {types.NoneType}),
        optional=optional,
    )


def _keys(model: type[BaseModel], prefix: str = "") -> dict[str, Key]:
    """Walk the schema down to the keys that hold values; a Limit is a value."""
    found: dict[str, Key] = {}
    for name, field in model.model_fields.items():
        inner = Source if prefix + name == LDAP else field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not Limit:
            found |= _keys(inner, f"{prefix}{name}.")
        else:
            found[prefix + name] = _key(inner)
    return found


def _branches(paths: dict[str, Key]) -> frozenset[str]:
    """Return the blocks that some keys stand in."""
    return frozenset(
        ".".join(parts[:size]) for path in paths for parts in [path.split(".")] for size in range(1, len(parts))
    )


BUILT: dict[str, Key] = _keys(Config)
"""Every key that has an effect, by its path."""

KNOWN: dict[str, Key] = BUILT | {
    path: Key(text=row.default is None or isinstance(row.default, str), optional=row.default is None)
    for path, row in UNBUILT.items()
}
"""Every key there is."""

_BUILT_BRANCHES = _branches(BUILT)
_BRANCHES = _branches(KNOWN)


def settle_keys(draft: Draft) -> None:
    """Take out, each with its mistake, the keys that don't exist or aren't built yet."""
    _settle(draft, (), draft.data)


def _settle(draft: Draft, place: Place, block: Block) -> None:
    for key in list(block):
        here = (*place, key)
        path, value = key_path(here), block[key]
        if path in _BRANCHES:
            _settle_branch(draft, here, value)
            if path not in _BUILT_BRANCHES:
                del block[key]
        elif path in UNBUILT:
            _refuse_unbuilt(draft, here, value, UNBUILT[path])
            del block[key]
        elif path not in BUILT:
            draft.blame(here, f"there is no such key; {_advice(path)}")
            del block[key]


def _settle_branch(draft: Draft, place: Place, value: object) -> None:
    path = key_path(place)
    if isinstance(value, dict):
        _settle(draft, place, value)
    elif path == LDAP and isinstance(value, list):
        for index, block in enumerate(value):
            if isinstance(block, dict):
                _settle(draft, (*place, index), block)
    elif path not in _BUILT_BRANCHES:
        feature = next(row.feature for known, row in UNBUILT.items() if known.startswith(f"{path}."))
        draft.blame(place, _not_built(feature))


def _refuse_unbuilt(draft: Draft, place: Place, value: object, row: Unbuilt) -> None:
    if type(value) is not type(row.default) or value != row.default:
        draft.blame(place, _not_built(row.feature))


def _not_built(feature: str) -> str:
    return f"{feature} are not built yet in this version; take the key out"


def _advice(path: str) -> str:
    close = closest(path)
    return f"did you mean '{close}'?" if close else "take it out, or look it up in docs/configuration.md"


def closest(path: str) -> str | None:
    """Return the key that somebody who wrote `path` may have meant: in the same block first, then of that name."""
    block, _, name = path.rpartition(".")
    names = {known.rpartition(".")[2]: known for known in [*KNOWN, *_BRANCHES] if known.rpartition(".")[0] == block}
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return names[near[0]]
    return next((known for known in KNOWN if known.rpartition(".")[2] == name), None)
