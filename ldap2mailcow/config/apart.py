"""Files that a run writes are no other file of it: else the log would end in the config, or the key in the log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations
from pathlib import Path

from ldap2mailcow.files import JOURNALS

from .draft import LDAP, Draft, Place
from .schema import Config

BESIDE_STATE = (".key", ".key.new", ".lock", *JOURNALS)
"""How the names end of what a run, or sqlite, keeps beside a state file."""

_WRITTEN = ("log_file", "state_file")


def check_apart(draft: Draft, config: Config, path: Path | None) -> None:
    """Note a mistake for each file that a run would write and that is another one of its files too."""
    files = [(place, file, _identities(file)) for place, file in _files(config, path)]
    for (place, file, identities), (_, other, others) in combinations(files, 2):
        if place[-1] in _WRITTEN and identities & others:
            draft.blame(place, f"{file} is the same file as {other}; name another one")


def _files(config: Config, path: Path | None) -> Iterator[tuple[Place, Path]]:
    """Walk all files with the keys that name them, those first that a run writes."""
    state = config.state_file
    if config.log_file:
        yield ("log_file",), config.log_file
    for end in ("", *BESIDE_STATE):
        yield ("state_file",), state.with_name(state.name + end)
    read = [path, config.mailcow_api_key_file, config.mailcow_verify]
    read += [file for source in config.sources for file in (source.bind_pw_file, source.ca_file)]
    yield from (((LDAP,), file) for file in read if isinstance(file, Path))


def _identities(file: Path) -> set[object]:
    """Return what tells a file: where it is and, if it is there, its number; it may have several names."""
    found: set[object] = {os.path.realpath(file)}
    with suppress(OSError):
        status = file.stat()
        found.add((status.st_dev, status.st_ino))
    return found
