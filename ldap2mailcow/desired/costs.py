"""What it costs to check a password against a hash: mailcow does that at every login, so there is a limit.

Each row names a parameter as hashes write it, with the least and the most that is taken. The limits are above what
directories and their tools set by themselves (passlib: 656,000 rounds of SHA-512; OpenLDAP: 64 MiB of Argon2), and
below what keeps a processor busy for more than about two seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COLUMN = 255
"""Characters of mailcow's column for a password, its scheme included; what is longer is cut off or refused."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One parameter of a hash that decides what a check costs."""

    name: str
    pattern: re.Pattern[str]
    least: int
    most: int


LIMITS: tuple[Limit, ...] = (
    Limit("bcrypt's cost", re.compile(r"\$2[aby]\$([0-9]+)\$"), 4, 14),
    Limit("rounds", re.compile(r"\$[56]\$rounds=([0-9]+)\$"), 1_000, 1_000_000),
    Limit("Argon2's memory in KiB", re.compile(r"\$argon2id?\$v=[0-9]+\$m=([0-9]+),"), 8, 262_144),
    Limit("Argon2's passes", re.compile(r"\$argon2id?\$v=[0-9]+\$m=[0-9]+,t=([0-9]+),"), 1, 10),
    Limit("Argon2's lanes", re.compile(r"\$argon2id?\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=([0-9]+)\$"), 1, 16),
)
_DIGITS = 12  # of a number; Python refuses to read very long ones


def too_costly(sent: str) -> str:
    """Say why a hash, as it would be sent to mailcow, is refused: the end of a sentence; empty where it isn't."""
    if len(sent) > COLUMN:
        return f"is longer than the {COLUMN} characters that mailcow keeps"
    for limit in LIMITS:
        found = limit.pattern.search(sent)
        if found and not (len(found[1]) <= _DIGITS and limit.least <= int(found[1]) <= limit.most):
            return f"is beyond what one login may cost: {limit.name} must be from {limit.least:,} to {limit.most:,}"
    return ""
