"""Loading: find the file, lay the environment over it, check all of it, and only then make a Config."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ldap2mailcow.model import Finding, hiding

from . import container
from .apart import check_apart
from .checks import REQUIRED, check
from .document import NotReadable, read_document
from .draft import REMOVED_USERS, Draft, Place
from .environment import PREFIX, Layer, lay_over, read_credentials, read_variables
from .files import FileProblem, exposure, read_config
from .keys import settle_keys
from .mistakes import ConfigError, Mistake, NoConfig
from .schema import Config
from .secrets import holds_secret, read_secret_files, secret_file, secrets_of
from .values import FOLDER

NAMES = ("config.yaml", "config.yml", "config.json")
SYSTEM_FOLDER = Path("/etc/mailcow-ldap-sync")


@dataclass(frozen=True)
class Loaded:
    """A config that can be used, where it came from, and what is not right with its safety."""

    config: Config
    path: Path | None
    """None where everything came from the environment."""
    findings: tuple[Finding, ...] = ()
    hints: tuple[str, ...] = ()
    """What is said once: variables that have no effect here."""

    @cached_property
    def hide(self) -> Callable[[str], str]:
        """Takes the secrets of the config out of a text, should a server say them back to us."""
        return hiding(secrets_of(self.config))


def load_config(path: Path | None, *, environ: Mapping[str, str], cwd: Path, script_dir: Path | None) -> Loaded:
    """Read the config: `path`, else the first file there is in `cwd`, `script_dir` or the system's folder.

    Without a file the variables of the container tool will do, below our own. Raises ConfigError with every mistake
    there is, and NoConfig where there is neither a file nor, without a `path`, everything that is required in the
    environment.
    """
    looked = (cwd / path,) if path else _candidates(cwd, script_dir)
    found = next(filter(os.path.lexists, looked), None)
    if found:
        is_named = bool(path) or found.parent == SYSTEM_FOLDER
        draft, layers = _read(found, is_named=is_named), _over_a_file(environ, found.parent)
        config = _config(draft, layers, found, found.parent)
        return Loaded(config, found, tuple(draft.findings), container.unread(environ, str(found)))
    layers, hints = _over_a_file(environ, cwd), container.unread(environ, f"{PREFIX}...")
    missing = _missing(layers)
    if path or (missing and not container.is_used(environ)):
        raise NoConfig(looked, missing)
    if missing:
        layers, hints = (container.read_container(environ), *layers), container.hints(environ)
    return Loaded(_config(Draft(), layers, None, cwd), None, hints=hints)


def _over_a_file(environ: Mapping[str, str], folder: Path) -> tuple[Layer, ...]:
    return (read_credentials(environ), read_variables(environ, folder))


def _config(draft: Draft, layers: tuple[Layer, ...], path: Path | None, folder: Path) -> Config:
    """Return what a file and the layers over it make. Raises ConfigError."""
    for layer in layers:
        lay_over(draft, layer)
    settle_keys(draft)
    read_secret_files(draft, folder)
    check(draft)
    config = _make(draft, folder)
    if config:
        check_apart(draft, config, path)
    if config is None or draft.mistakes:
        raise ConfigError(draft.mistakes, path)
    return config


def _candidates(cwd: Path, script_dir: Path | None) -> tuple[Path, ...]:
    folders = dict.fromkeys(folder for folder in (cwd, script_dir, SYSTEM_FOLDER) if folder)
    return tuple(folder / name for folder in folders for name in NAMES)


def _missing(layers: tuple[Layer, ...]) -> tuple[str, ...]:
    """Return the required keys that no layer above the file sets, itself or by a file of its own."""
    given = frozenset().union(*(layer.paths for layer in layers))
    return tuple(key for key in REQUIRED if key not in given and secret_file(key) not in given)


def _read(path: Path, *, is_named: bool) -> Draft:
    """Read the file. Raises ConfigError where nothing of it can be understood."""
    try:
        content = read_config(path, is_named=is_named)
        draft = read_document(content.text, as_json=path.suffix.lower() == ".json")
    except FileProblem as problem:
        mistake = Mistake("", str(problem))
    except NotReadable as problem:
        mistake = Mistake("", problem.sentence, problem.line)
    else:
        action = draft.data.get(REMOVED_USERS)
        if isinstance(action, str):
            draft.data[REMOVED_USERS] = {"action": action}
        if content.exposed and holds_secret(draft):
            draft.findings.append(exposure(path))
        return draft
    raise ConfigError([mistake], path)


def _make(draft: Draft, folder: Path) -> Config | None:
    """Return the config, or note what the schema says against it."""
    try:
        return Config.model_validate(draft.data, context={FOLDER: folder})
    except ValidationError as error:
        # The error holds the values themselves, so it goes no further than this.
        for details in error.errors(include_url=False, include_input=False):
            _explain(draft, details)
        return None


def _explain(draft: Draft, details: ErrorDetails) -> None:
    place = _as_written(draft, details["loc"])
    match details["type"]:
        case "missing":
            pass  # told by the check of the required keys, with what to write
        case "value_error":
            draft.blame(place, str(details["ctx"]["error"]))
        case "literal_error":
            draft.blame(place, f"this must be {details['ctx']['expected']}")
        case _:
            draft.blame(place, "this must be a block of keys, each on a line of its own, or taken out")


def _as_written(draft: Draft, place: Place) -> Place:
    """Leave out positions in lists that were written as their only value."""
    written: Place = ()
    for part in place:
        if isinstance(part, str) or isinstance(draft.get(written), list):
            written = (*written, part)
    return written
