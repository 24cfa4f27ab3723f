"""A config on its way: raw values, where each came from, and the mistakes found so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ldap2mailcow.model import Finding

from .mistakes import Mistake

Place = tuple[str | int, ...]
"""The way to a value: keys, and positions in lists."""

Block = dict[str, object]

LDAP = "ldap"
REMOVED_USERS = "removed_users"
"""May be a bare word, which is its action."""


def dotted(place: Place) -> str:
    """Write a place as mistakes show it: `ldap[0].user_mapping.mail`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def key_path(place: Place) -> str:
    """Write the key that a place belongs to, by which the schema knows it: `ldap.user_mapping.mail`."""
    return ".".join(part for part in place if isinstance(part, str))


@dataclass(slots=True)
class Draft:
    """Raw values of all layers, later ones over earlier ones."""

    data: Block = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)
    """What set a value instead of the config file."""
    mistakes: list[Mistake] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def get(self, place: Place) -> object:
        """Return the value at a place, None where there is none."""
        return self._reach(place)

    def put(self, place: Place, value: object, origin: str) -> None:
        """Set a value; where the file has something else than a block on the way, the schema refuses that."""
        block = self._reach(place[:-1], make=True)
        if isinstance(block, dict):
            block[place[-1]] = value
            self.origins[place] = origin

    def drop(self, place: Place) -> None:
        """Take a value out, if it is there."""
        block = self._reach(place[:-1])
        if isinstance(block, dict):
            block.pop(place[-1], None)

    def blocks(self) -> Iterator[tuple[Place, Block]]:
        """Walk the directories' blocks, one empty one where there is no `ldap`; what isn't a block is left out."""
        ldap = self.data.get(LDAP, {})
        listed = ldap if isinstance(ldap, list) else None
        for index, block in enumerate([ldap] if listed is None else listed):
            if isinstance(block, dict):
                yield ((LDAP,) if listed is None else (LDAP, index)), block

    def enabled(self) -> list[tuple[Place, Block]]:
        """Return the directories' blocks that aren't switched off."""
        return [(place, block) for place, block in self.blocks() if block.get("enabled") is not False]

    def blame(self, place: Place, sentence: str) -> None:
        """Note a mistake, with the line or the variable that comes nearest to it."""
        for size in range(len(place), 0, -1):
            near = place[:size]
            if near in self.origins or near in self.lines:
                origin = self.origins.get(near)
                line = None if origin else self.lines[near]
                self.mistakes.append(Mistake(dotted(place), sentence, line, origin))
                return
        self.mistakes.append(Mistake(dotted(place), sentence))

    def _reach(self, place: Place, *, make: bool = False) -> object:
        """Walk to a place; `make` sets an empty block wherever nothing is on the way."""
        value: object = self.data
        for part in place:
            if isinstance(value, dict):
                value = value.setdefault(part, {}) if make else value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value
