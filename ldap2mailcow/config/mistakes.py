"""What is wrong with a config, as sentences for the person who wrote it; none of them quotes a secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ldap2mailcow.model import escaped

_SHOWN = 100
"""As many mistakes are told at once; who has more has named another file."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to correct: where, and what to write instead."""

    path: str
    """The key, such as `ldap.user_mapping.mail`; empty for the file as a whole."""
    sentence: str
    line: int | None = None
    """In the config file, from 1; None for what isn't in it."""
    origin: str | None = None
    """What set the value instead of the file: an environment variable or a credential's file."""

    def __str__(self) -> str:
        place = ", ".join([f"line {self.line}"] * bool(self.line) + [self.origin or ""] * bool(self.origin))
        if not self.path:
            return f"At {place}: {self.sentence}" if place else self.sentence
        return f"At '{self.path}' ({place}): {self.sentence}" if place else f"At '{self.path}': {self.sentence}"


class ConfigError(Exception):
    """A config that can't be used, with all its mistakes in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake], path: Path | None) -> None:
        self.mistakes = tuple(sorted(mistakes, key=_place))
        self.path = path
        """The config file; None where there is only the environment."""
        name = str(path) if path else "the environment"
        shown = [f"The config in {name} can't be used:", *(escaped(str(one)) for one in self.mistakes[:_SHOWN])]
        if len(self.mistakes) > _SHOWN:
            shown.append(f"and {len(self.mistakes) - _SHOWN} more mistakes; correct these first")
        super().__init__("\n".join(shown))


class NoConfig(Exception):  # noqa: N818 - nobody made an error: it is the first run
    """There is no config file, and the environment doesn't hold what is required."""

    def __init__(self, looked: Iterable[Path], missing: Iterable[str]) -> None:
        self.looked = tuple(looked)
        """The files that would have been read, the first to be found."""
        self.missing = tuple(missing)
        """The required keys that the environment doesn't hold either."""
        super().__init__(f"There is no config; looked for {', '.join(map(str, self.looked))}.")


def _place(mistake: Mistake) -> tuple[float, str, str]:
    return (mistake.line or float("inf"), mistake.path, mistake.sentence)
