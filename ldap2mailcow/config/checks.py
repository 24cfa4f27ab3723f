"""What one value alone can't tell: keys that are required, that exclude or need each other, or are still the example's.

The checks look at raw values, so that they find their mistakes even where the schema finds some of its own; a value of
the wrong type is left to the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from ldap2mailcow.model import Code, Finding, is_dn

from .draft import LDAP, REMOVED_USERS, Block, Draft, Place, dotted, key_path
from .schema import AliasMapping, GroupMapping, UserMapping
from .secrets import secret_file
from .urls import Url, is_loopback, is_placeholder, split_mailcow_host, split_url

REQUIRED = {
    "ldap.uri": "write where your directory is: ldaps:// and its host name",
    "ldap.user_search_base": "write the DN below which your people are, in the form ou=people,dc=example,dc=com",
    "mailcow_host": "write the host name of your mailcow server",
    "mailcow_api_key": "write the read-write key that mailcow shows under System, Configuration, Access",
}
"""What there is no default for, and what to write there."""

NOT_VERIFIED = (
    "no certificate is looked at, so whoever stands between can read and change everything, passwords too; name the "
    "authority's file in ca_file or mailcow_verify instead"
)
"""The sentence about a setting by which any server is believed."""

_USER, _GROUP, _FORWARD = "user_mapping", "group_mapping", "alias_mapping"
_MODELS: dict[str, type[BaseModel]] = {_USER: UserMapping, _GROUP: GroupMapping, _FORWARD: AliasMapping}
_CHOICES = {"quota_unit", "authsource"}
"""Keys of a mapping that name no attribute."""

_MAKES_ALIASES = ("aliases", "group_addresses", "forward_to", "send_as")
"""Keys of `user_mapping` that make aliases or rights."""

_SEARCHES = ("group_search_base", "group_search_filter", "alias_search_base", "alias_search_filter", "send_as_any")


def check(draft: Draft) -> None:
    """Note every mistake and finding that the values show together."""
    _check_required(draft, ("mailcow_host",))
    _check_required(draft, ("mailcow_api_key",))
    _check_placeholder(draft, ("mailcow_host",), split_mailcow_host)
    _check_trust(draft, ("mailcow_verify",), trusts_all=draft.get(("mailcow_verify",)) is False)
    _check_directories(draft)
    for place, _ in draft.blocks():
        _check_required(draft, (*place, "uri"))
        _check_required(draft, (*place, "user_search_base"))
    for place, block in draft.enabled():
        _check_placeholder(draft, (*place, "uri"), split_url)
        _check_bind(draft, place, block)
        _check_encryption(draft, place, block)
        _check_trust(draft, (*place, "allow_self_signed"), trusts_all=block.get("allow_self_signed") is True)
        _check_mapping(draft, place, block)
        _check_groups(draft, place, block)
    _check_aliases_alone(draft)
    _check_deletions(draft)


def _check_required(draft: Draft, place: Place) -> None:
    what, key = REQUIRED[key_path(place)], str(place[-1])
    block = draft.get(place[:-1]) or {}
    if not isinstance(block, dict) or block.get(secret_file(key)):
        return
    if key not in block:
        draft.blame(place, f"this key is missing; {what}")
    elif block[key] == "" and block.get("enabled") is not False:
        draft.blame(place, f"this is still empty; {what}")


def _check_placeholder(draft: Draft, place: Place, split: Callable[[str], Url | None]) -> None:
    urls = (split(text) for text in _texts(draft.get(place)))
    if any(url and is_placeholder(url.host) for url in urls):
        draft.blame(place, f"this still holds the example's value; {REQUIRED[key_path(place)]}")


def _check_directories(draft: Draft) -> None:
    if not isinstance(draft.get((LDAP,)), list):
        return
    names = [block.get("name", "default") for _, block in draft.blocks()]
    for place, block in draft.blocks():
        if names.count(block.get("name", "default")) > 1:
            draft.blame((*place, "name"), "another directory has this name too; give each a name of its own")
    if not draft.enabled():
        draft.blame((LDAP,), "no directory is enabled; write enabled: true in one of the blocks")


def _check_bind(draft: Draft, place: Place, block: Block) -> None:
    dn, password = block.get("bind_dn", ""), block.get("bind_pw", "")
    if isinstance(dn, str) and dn and password == "" and not block.get(secret_file("bind_pw")):
        # RFC 4513 section 5.1.2: servers take it as an anonymous bind and say that it went well.
        draft.blame((*place, "bind_pw"), "this is empty beside a bind_dn; write its password, or empty bind_dn too")
    if password and dn == "":
        draft.blame((*place, "bind_dn"), "this is empty beside a bind_pw; write the DN that the password belongs to")


def _check_encryption(draft: Draft, place: Place, block: Block) -> None:
    urls = list(filter(None, map(split_url, _texts(block.get("uri")))))
    if block.get("start_tls") is True:
        if any(url.scheme == "ldaps" for url in urls):
            draft.blame((*place, "start_tls"), "ldaps:// is encrypted already; take start_tls out, or write ldap://")
        return
    clear = sorted({url.host for url in urls if url.scheme == "ldap" and not is_loopback(url.host)})
    if not clear:
        return
    remedy = f"is not encrypted between here and {', '.join(clear)}; write ldaps://, or start_tls: true"
    if block.get("require_tls") is True:
        draft.blame((*place, "uri"), f"with require_tls, ldap:// is refused: what it carries {remedy}")
    else:
        sentence = f"what is read from the directory, password hashes among it, {remedy}"
        draft.findings.append(Finding(Code.LDAP_NOT_ENCRYPTED, dotted((*place, "uri")), sentence))


def _check_trust(draft: Draft, place: Place, *, trusts_all: bool) -> None:
    if trusts_all:
        draft.findings.append(Finding(Code.NOT_VERIFIED, dotted(place), NOT_VERIFIED))


def _check_mapping(draft: Draft, place: Place, block: Block) -> None:
    """Nothing but the password may be read from its attribute: all other values are shown in plans and findings."""
    named = {where: set(map(str.lower, names)) for where, names in _named(block)}
    passwords = named.pop((_USER, "password"))
    same = [where for where, names in named.items() if passwords & names]
    told = {where: "password" for where in same if where[1] in _mapping(block, where[0])}
    if same and not told:  # defaults, told once, whatever their number
        told = {(_USER, "password"): same[0][1]}
    for where, other in told.items():
        sentence = f"passwords would be shown in plans and findings, for {other} names this attribute too"
        draft.blame((*place, *where), f"{sentence}; write another")


def _named(block: Block) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Walk the keys that name attributes, each with the names, its defaults where it isn't set."""
    for part, model in _MODELS.items():
        given = _mapping(block, part)
        for key, field in model.model_fields.items():
            if key not in _CHOICES:
                value = given.get(key, field.default)
                yield (part, key), _texts(list(value) if isinstance(value, tuple) else value)


def _mapping(block: Block, part: str) -> Block:
    mapping = block.get(part, {})
    return mapping if isinstance(mapping, dict) else {}


def _check_groups(draft: Draft, place: Place, block: Block) -> None:
    """What says how groups are read does nothing without a search for them; forwardings likewise."""
    named, defaults = dict(_named(block)), dict(_named({}))
    for part, searches in (
        (_GROUP, ("group_search_base", "group_search_filter")),
        (_FORWARD, ("alias_search_base", "alias_search_filter")),
    ):
        if any(block.get(search) for search in searches):
            continue
        for (where, key), names in named.items():
            if where == part and names and names != defaults[where, key] and not _is_for_senders(block, where, key):
                what = " or ".join(searches)
                draft.blame((*place, part, key), f"this has no effect without {what}; write one, or take this out")


def _is_for_senders(block: Block, part: str, key: str) -> bool:
    """Tell whether a key says who is in the group of those who may send as anyone: that one is read by its DN."""
    senders = block.get("send_as_any")
    return (part, key) == (_GROUP, "member") and isinstance(senders, str) and is_dn(senders.strip())


def _check_aliases_alone(draft: Draft) -> None:
    """A run that makes no mailboxes and no aliases would silently do nothing."""
    if draft.get(("create_mailboxes",)) is not False:
        return
    for _, block in draft.enabled():
        mapping = _mapping(block, _USER)
        if any(mapping.get(key) for key in _MAKES_ALIASES) or any(block.get(search) for search in _SEARCHES):
            return
    draft.blame(
        ("create_mailboxes",),
        "nothing is left to do, for no alias is made either; write user_mapping.aliases or group_search_base, or true",
    )


def _check_deletions(draft: Draft) -> None:
    """Only what came from here is ever deleted."""
    place = (REMOVED_USERS, "action")
    if draft.get(("create_mailboxes",)) is False and draft.get(place) == "delete":
        draft.blame(
            place,
            "with create_mailboxes: false mailboxes come from elsewhere, and those are never deleted; write disable, "
            "disallow_login or keep",
        )


def _texts(value: object) -> list[str]:
    """Return the texts in a value that is one or a list of them, but for empty ones."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text]
