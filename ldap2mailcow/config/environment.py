"""The layers above the file: environment variables, and the files of a credentials directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .document import NotReadable, read_value
from .draft import LDAP, REMOVED_USERS, Draft, Place
from .files import FileProblem, read_secret
from .keys import KNOWN, SECRETS, Key, closest
from .mistakes import Mistake

PREFIX = "MAILCOW_LDAP_SYNC__"

_FILE = "_file"
_EITHER = {
    "ldap.bind_pw": "ldap.bind_pw_file",
    "ldap.bind_pw_file": "ldap.bind_pw",
    "mailcow_api_key": "mailcow_api_key_file",
    "mailcow_api_key_file": "mailcow_api_key",
}
"""Keys that say the same thing: the one of a later layer takes the place of the other of an earlier one."""


_FOR_WHICH = (
    "several directories are enabled, and this doesn't say which one it is for; write it into their blocks, the file "
    "of a password as bind_pw_file"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a layer, and what set it."""

    path: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Everything that one place outside the file sets, and what is wrong there."""

    settings: tuple[Setting, ...]
    mistakes: tuple[Mistake, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """The keys it sets."""
        return frozenset(setting.path for setting in self.settings)


def variable(path: str) -> str:
    """Return the variable that sets a key."""
    return PREFIX + path.upper().replace(".", "__")


def read_variables(environ: Mapping[str, str], folder: Path) -> Layer:
    """Read the variables of the environment; paths in them begin at `folder`."""
    settings: dict[str, Setting] = {}
    mistakes: list[Mistake] = []
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        path, from_file = _path(name)
        if not _is_key(path):
            mistakes.append(Mistake(name, _unknown(path)))
        elif path in settings:
            mistakes.append(Mistake(path, f"{settings[path].origin} sets it too; unset one of them", origin=name))
        else:
            try:
                text = read_secret(folder / environ[name]).text if from_file else environ[name]
                settings[path] = Setting(path, _value(path, text), name)
            except (FileProblem, NotReadable) as problem:
                mistakes.append(Mistake(path, str(problem), origin=name))
    return Layer(tuple(settings.values()), tuple(mistakes))


def _path(name: str) -> tuple[str, bool]:
    """Return the key that a variable sets, and whether its value is the path of a file that holds the key's."""
    path = name.removeprefix(PREFIX).lower().replace("__", ".")
    bare = path.removesuffix(_FILE)
    return (bare, True) if bare != path and not _is_key(path) and _is_key(bare) else (path, False)


def _is_key(path: str) -> bool:
    return path in KNOWN or path == REMOVED_USERS


def _value(path: str, text: str) -> object:
    key = KNOWN.get(path, Key(text=True))
    if key.optional and text in {"", "null"}:
        return None
    return text if key.text else read_value(text)


def _unknown(path: str) -> str:
    close = closest(path)
    advice = f"did you mean {variable(close)}?" if close else "unset it, or look it up in docs/configuration.md"
    return f"there is no such key; {advice}"


def read_credentials(environ: Mapping[str, str]) -> Layer:
    """Read `$CREDENTIALS_DIRECTORY` (systemd.exec(5)): files named like a secret's key, whole or by its last part."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    settings: list[Setting] = []
    mistakes: list[Mistake] = []
    for path in SECRETS if directory else ():
        files = (Path(directory or "", name) for name in (path, path.rpartition(".")[2]))
        file = next((file for file in files if os.path.lexists(file)), None)
        if file:
            try:
                settings.append(Setting(path, read_secret(file).text, str(file)))
            except FileProblem as problem:
                mistakes.append(Mistake(path, str(problem)))
    return Layer(tuple(settings), tuple(mistakes))


def lay_over(draft: Draft, layer: Layer) -> None:
    """Let a layer's values take the place of what is there."""
    draft.mistakes.extend(layer.mistakes)
    for setting in sorted(layer.settings, key=lambda setting: setting.path):
        place = _place(draft, setting.path)
        if place is None:
            if len(draft.enabled()) > 1:
                draft.mistakes.append(Mistake(setting.path, _FOR_WHICH, origin=setting.origin))
            continue
        other = _EITHER.get(setting.path)
        if other and other not in layer.paths:
            draft.drop((*place[:-1], other.rpartition(".")[2]))
        draft.put(place, setting.value, setting.origin)


def _place(draft: Draft, path: str) -> Place | None:
    """Return where a value goes; None where it can't be told which of several directories is meant."""
    first, *rest = path.split(".")
    if path == REMOVED_USERS:
        return (REMOVED_USERS, "action")
    if first != LDAP or not isinstance(draft.get((LDAP,)), list):
        return (first, *rest)
    enabled = draft.enabled()
    return (*enabled[0][0], *rest) if len(enabled) == 1 else None
