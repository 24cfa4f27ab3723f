"""Values as people write them in a config, made into values as the program uses them.

Each reader raises ValueError, whose message is a whole remark with what to write instead; none quotes a value that
could be a secret. Readers take their own results too, so that the schema can be filled from Python.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from pathlib import Path

from pydantic import SecretStr, ValidationInfo

from ldap2mailcow.files import OddFile, open_file
from ldap2mailcow.model import Address, AddressError, Code, normal_domain

from .urls import PROXY_SCHEMES, split_url

FOLDER = "folder"
"""The key of the validation context under which relative paths find what they are relative to."""

LONGEST = timedelta(days=3650)
HIGHEST_PERCENT = 50

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+")  # RFC 4512 section 1.4: descr or numericoid
_DURATION = re.compile(r"(\d{1,9})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LIMIT = re.compile(r"(?P<count>[1-9]\d{0,8})|(?P<percent>[1-9]\d{0,2})%")
_UNPRINTABLE = frozenset({"Cc", "Cs"})  # control characters, and halves of characters
_WORD = re.compile(r"[A-Za-z0-9._-]{1,50}")
_API_KEY = re.compile(r"[!-~]*")  # what a header carries without quoting, RFC 9110 section 5.5


class Odd(Enum):
    """A bare word that YAML takes for something that no key holds."""

    NUMBER = "a number"  # octal, base 60, with a fraction: whoever wrote it meant something else
    DATE = "a date"


def _kind(value: object) -> str:
    """Name what a value is read as, without the value."""
    match value:
        case Odd():
            return value.value
        case bool():
            return "yes or no"
        case int():
            return "a number"
        case list() | tuple():
            return "a list"
        case _:
            return "a block of keys"


def read_text(value: object) -> str:
    """Read a text; a number, a date or a yes is not taken for one, since quoting it would give another text."""
    if value is None:
        raise ValueError('there is nothing after the key; write a value, "" for none, or take the key out')
    if isinstance(value, dict | list | tuple):
        raise ValueError(f"this must be text and not {_kind(value)}; write one value")  # noqa: TRY004 - pydantic wants it
    if not isinstance(value, str):
        raise ValueError(f"this value reads as {_kind(value)}; put it in quotes")  # noqa: TRY004 - the same
    if any(unicodedata.category(char) in _UNPRINTABLE for char in value):
        raise ValueError("there is a line break or another character in it that can't be printed; write it again")
    return value


def read_secret(value: object) -> SecretStr:
    """Read a secret text."""
    return value if isinstance(value, SecretStr) else SecretStr(read_text(value))


def read_api_key(value: object) -> SecretStr:
    """Read a key that travels in a header."""
    secret = read_secret(value)
    if not _API_KEY.fullmatch(secret.get_secret_value()):
        raise ValueError("there are blanks or letters in it that no API key has; copy it from mailcow again")
    return secret


def read_flag(value: object) -> bool:
    """Read true or false; YAML's yes and no are these too."""
    if not isinstance(value, bool):
        raise ValueError("this must be true or false, without quotes")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def whole_number(lowest: int, highest: int) -> Callable[[object], int]:
    """Make the reader of a whole number in a range, both ends included."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError(f"this must be a plain whole number from {lowest} to {highest}, without quotes")
        return value

    return read


def read_list(value: object) -> tuple[object, ...]:
    """Read a list, of whatever is in it."""
    if not isinstance(value, list | tuple):
        raise ValueError("this must be a list; write [first, second], or one value a line after a dash")  # noqa: TRY004
    return tuple(value)


def read_one_or_more(value: object) -> tuple[object, ...]:
    """Read a list that may be written as its only value, and can't be empty."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values:
        raise ValueError("the list is empty; write at least one value")
    return values


def read_word(value: object) -> str:
    """Read a name that goes into other systems: mailcow's tags, a table's key."""
    text = read_text(value)
    if not _WORD.fullmatch(text):
        raise ValueError("this must be 1 to 50 of the letters A to Z, digits, dot, dash and underscore")
    return text


MARK_STATES = frozenset({"disabled", "released", "renamed"})
"""What is written behind a mark and a colon; as a mark, its signature would read like the state of another mark."""


def read_mark(value: object) -> str:
    """Read what says in mailcow whose a mailbox or an alias is."""
    text = read_word(value)
    if text.lower() in MARK_STATES:
        raise ValueError(f"{text} is what this tool writes behind a mark; write another, such as ldap-sync-berlin")
    return text


def read_attribute(value: object) -> str:
    """Read the name of an LDAP attribute, or nothing."""
    text = read_text(value)
    if text and not _ATTRIBUTE.fullmatch(text):
        raise ValueError('this is not the name of one LDAP attribute; write one such as mail, or "" for none')
    return text


def read_needed_attribute(value: object) -> str:
    """Read the name of an LDAP attribute."""
    text = read_attribute(value)
    if not text:
        raise ValueError("this can't be empty; write the name of an LDAP attribute, or take the key out")
    return text


def read_dn(value: object) -> str:
    """Read a DN, or nothing; only its look is checked."""
    text = read_text(value)
    if text and "=" not in text:
        raise ValueError("this is not a DN; write one such as ou=people,dc=example,dc=com")
    return text


def read_bind_name(value: object) -> str:
    """Read the name of an account: a DN or one of the forms that Active Directory takes (MS-ADTS 5.1.1.1.1)."""
    text = read_text(value)
    if text and not any(sign in text for sign in "=@\\"):
        raise ValueError(
            "this is not the name of an account; write a DN such as cn=reader,dc=example,dc=com, or name@domain for "
            "Active Directory"
        )
    return text


def read_needed_dn(value: object) -> str:
    """Read a DN."""
    text = read_dn(value)
    if not text:
        raise ValueError("this can't be empty; write a DN, or take it out")
    return text


def read_filter(value: object) -> str:
    """Read an LDAP filter in the form of RFC 4515, or nothing; its brackets are checked."""
    text = read_text(value).strip()
    if text and not text.startswith("("):
        raise ValueError(f"a filter stands in brackets; write ({text})")
    depth = 0
    for position, char in enumerate(text, start=1):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0 and position < len(text):
            raise ValueError(f"the filter ends at character {position} and more follows; write (&(first)(second))")
    if depth:
        raise ValueError(f"the filter has more opening brackets than closing ones; {depth} to close")
    return text


MEMBER = "{MEMBER_CN}"
"""What a filter for members has in the place of a member's DN or name."""


def read_member_filter(value: object) -> str:
    """Read a filter that finds members, or nothing."""
    text = read_filter(value)
    if text and MEMBER not in text:
        raise ValueError(f"this doesn't say who is looked for; write {MEMBER} where the member's DN or name belongs")
    return text


def read_dn_or_filter(value: object) -> str:
    """Read the DN of a group or a filter, or nothing."""
    text = read_text(value).strip()
    return read_filter(text) if text.startswith("(") else read_dn(text)


def read_duration(value: object) -> timedelta:
    """Read a time with its unit: 45s, 30m, 2h, 30d; at most ten years, so that a date can always be added."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("this must be a time with its unit, such as 45s, 30m, 2h or 30d")
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > LONGEST:
        raise ValueError(f"this is too long; write at most {LONGEST.days}d")
    return duration


def read_limit(value: object) -> object:
    """Read "5, 10%", "5", 5 or "10%" into the fields of a Limit."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        parts = [_LIMIT.fullmatch(part.strip()) for part in str(value).split(",")]
        found = {part.lastgroup: int(part[part.lastgroup]) for part in parts if part and part.lastgroup}
        if len(found) != len(parts):
            raise ValueError('this must be a number from 1, a percentage, or both, such as "5, 10%"')
        if found.get("percent", 0) > HIGHEST_PERCENT:
            raise ValueError(f"one run never removes more than half; write at most {HIGHEST_PERCENT}%")
        return found
    return value


def read_domain(value: object) -> str:
    """Read a mail domain into the form in which domains are compared."""
    text = read_text(value)
    try:
        return normal_domain(text)
    except AddressError as error:
        raise ValueError(f"{text} {error}; write one such as example.com") from None


def read_address(value: object) -> Address:
    """Read an address into the form in which addresses are compared."""
    text = read_text(value)
    try:
        return Address.parse(text)
    except AddressError as error:
        raise ValueError(f"{text} {error}") from None


def read_reserved(value: object) -> str:
    """Read what `allow_reserved` lists: a name before the @, a whole address, or @domain."""
    text = read_text(value).strip()
    if text.startswith("@"):
        return f"@{read_domain(text[1:])}"
    if "@" in text:
        return read_address(text)
    try:
        return Address.parse(f"{text}@example.com").local
    except AddressError as error:
        raise ValueError(f"{text} {error}; write a name, an address or @domain") from None


def read_accept(value: object) -> str:
    """Read `code` or `code:where` of a finding to be silent about."""
    text = read_text(value)
    code, colon, where = text.partition(":")
    known = [str(known) for known in Code]
    if code not in known:
        close = difflib.get_close_matches(code, known, n=1)
        raise ValueError(f"there is no finding {code}; " + (f"did you mean {close[0]}?" if close else _codes(known)))
    if colon and not where.strip():
        raise ValueError(f"there is nothing after the colon; write {code}:DN, or {code} alone for all of them")
    return f"{code}:{where.strip()}" if colon else code


def _codes(known: list[str]) -> str:
    return f"write one of {', '.join(sorted(known))}"


def read_proxy(value: object) -> str:
    """Read the URL of a proxy; what it says of a mistake doesn't quote it, for there may be a password in it."""
    text = read_text(value)
    url = split_url(text)
    if url is None or url.scheme not in PROXY_SCHEMES or not url.host or url.tail:
        raise ValueError("this must be http://host:port or https://host:port, or null for none")
    return text


def read_path(value: object, info: ValidationInfo) -> Path:
    """Read a path, absolute after this: relative ones begin at the folder of the config."""
    text = str(value) if isinstance(value, Path) else read_text(value)
    if not text:
        raise ValueError("this can't be empty; write a path, or take the key out")
    folder: Path = info.context[FOLDER] if info.context else Path.cwd()
    return folder.absolute() / text


def read_readable(value: object, info: ValidationInfo) -> Path:
    """Read the path of a file that must be there."""
    path = read_path(value, info)
    try:
        os.close(open_file(path, os.O_RDONLY))
    except OddFile as error:
        raise ValueError(str(error)) from None
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror}); correct the path, or the file's rights") from None
    return path


def read_verify(value: object, info: ValidationInfo) -> bool | Path:
    """Read true, false or the path of a CA file."""
    return value if isinstance(value, bool) else read_readable(value, info)
