"""The config: what can be set, where it is read from, and what the first run writes."""

from .schema import Config, Limit, Limits, Removal, Source, Timeouts, UserMapping, user_attributes

__all__ = [
    "Config",
    "Limit",
    "Limits",
    "Removal",
    "Source",
    "Timeouts",
    "UserMapping",
    "user_attributes",
]
