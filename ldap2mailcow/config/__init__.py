"""The config: what can be set, where it is read from, and what the first run writes."""

from .checks import NOT_VERIFIED
from .example import example_text, write_first_config
from .load import Loaded, load_config
from .mistakes import ConfigError, Mistake, NoConfig
from .schema import (
    MEMBER_NAMES,
    AliasMapping,
    Config,
    ForeignGoto,
    GroupMapping,
    Limit,
    Limits,
    Removal,
    Source,
    Timeouts,
    UserMapping,
    Visible,
    forward_attributes,
    group_attributes,
    user_attributes,
)
from .urls import is_loopback
from .values import MARK_STATES

__all__ = [
    "MARK_STATES",
    "MEMBER_NAMES",
    "NOT_VERIFIED",
    "AliasMapping",
    "Config",
    "ConfigError",
    "ForeignGoto",
    "GroupMapping",
    "Limit",
    "Limits",
    "Loaded",
    "Mistake",
    "NoConfig",
    "Removal",
    "Source",
    "Timeouts",
    "UserMapping",
    "Visible",
    "example_text",
    "forward_attributes",
    "group_attributes",
    "is_loopback",
    "load_config",
    "user_attributes",
    "write_first_config",
]
