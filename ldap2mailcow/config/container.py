"""The variables of the container tool LDAP_MAILCOW: they work alone, without a config file.

That tool makes aliases from `proxyAddresses` and from groups, for mailboxes that come from elsewhere. Its names and
defaults are facts of its source; `{MEMBER_CN}` in its filter stands for the whole DN of a member.
"""

from __future__ import annotations

from collections.abc import Mapping

from .draft import REMOVED_USERS
from .environment import Layer, Setting
from .mistakes import Mistake

PREFIX = "LDAP_MAILCOW_"

_KEYS = {
    "LDAP_URI": "ldap.uri",
    "LDAP_BASE_DN": "ldap.user_search_base",
    "LDAP_BIND_DN": "ldap.bind_dn",
    "LDAP_BIND_DN_PASSWORD": "ldap.bind_pw",
    "LDAP_FILTER": "ldap.user_search_filter",
    "LDAP_GROUP_FILTER": "ldap.group_search_filter",
    "LDAP_GROUP_MEMBER_FILTER": "ldap.group_member_filter",
    "API_HOST": "mailcow_host",
    "API_KEY": "mailcow_api_key",
}
"""What is a key of ours by another name."""

_DEFAULTS: dict[str, object] = {
    "ldap.user_search_filter": "(&(objectClass=user)(objectCategory=person))",
    "ldap.group_search_filter": "(&(objectClass=group)(mail=*))",
    "ldap.group_member_filter": "(&(objectClass=person)(mail=*)(distinguishedName={MEMBER_CN}))",
    "ldap.user_mapping.aliases": ["proxyAddresses"],
    "ldap.user_mapping.active": "userAccountControl",
    "create_mailboxes": False,
}
"""What that tool does without being told."""

_DISABLE = "DISABLE_DELETED_USERS"

_IDLE = {
    "SYNC_INTERVAL": "one run is one run; cron, or the scheduler of your containers, says how often",
    "API_QUOTA": "no mailbox is made; set create_mailboxes and user_mapping.quota in a config file for that",
    "LDAP_GC_URI": "mailcow's own login is not set up from here",
    "LDAP_DOMAIN": "mailcow's own login is not set up from here",
    "SOGO_LDAP_FILTER": "mailcow's own address book is not set up from here",
}
"""Variables of that tool, or of its older versions, that have no effect here, and why."""


def is_used(environ: Mapping[str, str]) -> bool:
    """Tell whether any variable of that tool is set."""
    return any(name.startswith(PREFIX) for name in environ)


def read_container(environ: Mapping[str, str]) -> Layer:
    """Return what the variables of that tool set, its own defaults below them."""
    given = _given(environ)
    unknown = sorted(given.keys() - _KEYS.keys() - _IDLE.keys() - {_DISABLE})
    mistakes = [
        Mistake(PREFIX + name, "there is no such variable; unset it, or look it up in docs/configuration.md")
        for name in unknown
    ]
    settings = {path: Setting(path, value, f"{PREFIX}...") for path, value in _DEFAULTS.items()}
    for name, path in _KEYS.items():
        # What has no default is told as empty, by the variable's name.
        if name in given or path not in _DEFAULTS:
            settings[path] = Setting(path, given.get(name, ""), PREFIX + name)
    word = given.get(_DISABLE, "false").strip().lower()
    if word not in ("true", "false"):
        mistakes.append(Mistake(PREFIX + _DISABLE, "this must be true or false"))
    action = "disable" if word == "true" else "keep"
    settings[REMOVED_USERS] = Setting(REMOVED_USERS, action, PREFIX + _DISABLE)
    return Layer(tuple(settings.values()), tuple(mistakes))


def hints(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each variable that is set and has no effect."""
    given = _given(environ)
    return tuple(f"{PREFIX}{name} has no effect: {why}." for name, why in _IDLE.items() if name in given)


def unread(environ: Mapping[str, str], first: str) -> tuple[str, ...]:
    """Return a sentence about that tool's variables where they aren't read, for `first` goes before them."""
    return (f"The variables {PREFIX}... are not read: {first} goes before them.",) if _given(environ) else ()


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without their beginning; an empty one is what compose files make of one that isn't set."""
    return {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX) and value}
