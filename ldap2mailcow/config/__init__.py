"""The config: what can be set, where it is read from, and what the first run writes."""

from .example import example_text, write_first_config
from .load import Loaded, load_config
from .mistakes import ConfigError, Mistake, NoConfig
from .schema import Config, Limit, Limits, Removal, Source, Timeouts, UserMapping, user_attributes
from .urls import is_loopback

__all__ = [
    "Config",
    "ConfigError",
    "Limit",
    "Limits",
    "Loaded",
    "Mistake",
    "NoConfig",
    "Removal",
    "Source",
    "Timeouts",
    "UserMapping",
    "example_text",
    "is_loopback",
    "load_config",
    "user_attributes",
    "write_first_config",
]
