"""How the web API reads what it is sent: a language without types meets JSON; what counts as an address."""

import html
import math
import re
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

SEPARATORS = re.compile(r"[ ,;\n]")
_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)")
_LABEL = r"[a-z0-9](?:-*[a-z0-9])*"
_DOMAIN_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTED = re.compile(r'"[\x21\x23-\x5b\x5d-\x7e]+"')
_MAIL_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z][a-z0-9]*|xn--[a-z0-9]+)(?:-+[a-z0-9]+)*", re.IGNORECASE)
_SMALLEST_FLAG, _LARGEST_FLAG = -128, 127
_LONGEST_LOCAL_PART, _LONGEST_LABEL, _LONGEST_DOMAIN, _LONGEST_ADDRESS = 64, 63, 253, 254


class UncaughtError(Exception):
    """An exception that nobody catches: the answer is 200 with an empty body, whatever was written so far stays.

    The text is what a client that sends its cookie back is told at the head of its next answer.
    """

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


def integer(value: Json) -> int:
    """The number in a value: ``"10x"`` is 10, ``"yes"`` is 0, a fraction loses its rest, true is 1."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        return int(float(found[1])) if found else 0
    if isinstance(value, list | dict):
        return 1 if value else 0
    return int(value or 0)


def rounded(value: Json) -> int:
    """A number as the database takes it: fractions are rounded, a text that is none ends the call."""
    found = _NUMBER.fullmatch(text(value))
    if found is None:
        raise UncaughtError("Incorrect integer value at row 1", 1366)
    return math.floor(float(found[1]) + 0.5)


def flag(value: Json) -> int:
    """A number for a column of one byte; one that does not fit ends the call."""
    number = integer(value)
    if not _SMALLEST_FLAG <= number <= _LARGEST_FLAG:
        raise UncaughtError("Out of range value at row 1", 1264)
    return number


def is_empty(value: Json) -> bool:
    """Whether a value counts as nothing: null, false, 0, ``""``, ``"0"``, an empty list or object."""
    return not value or value == "0"


def text(value: Json) -> str:
    """A value used as a text; a list or an object there ends the call (mailcow API facts §7)."""
    if isinstance(value, list | dict):
        raise UncaughtError("Array to string conversion")
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return str(value)


def listed(value: Json) -> list[Json]:
    """A value used as a list: nothing is none, a single one is a list of one."""
    if value is None:
        return []
    if isinstance(value, list):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    return [value]


def given(data: JsonObject, name: str) -> bool:
    """Whether a field was sent with something other than null."""
    return data.get(name) is not None


def split_list(value: Json) -> list[str]:
    """The parts of a text separated by comma, semicolon, blank or newline; empty ones included."""
    return [part.strip() for part in SEPARATORS.split(text(value))]


def distinct(values: Iterable[str]) -> list[str]:
    """The values without empty ones and without later copies, in order."""
    return [value for value in dict.fromkeys(values) if not is_empty(value)]


def shown(value: str) -> str:
    """A value as the API puts it into some of its messages: quoted for HTML."""
    return html.escape(value).replace("&#x27;", "&#039;")


def fold(value: str) -> str:
    """The key under which the database finds a text: case and accents do not matter."""
    if value.isascii():
        return value.lower()
    letters = unicodedata.normalize("NFD", value)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).lower()


def order(value: str) -> str:
    """The key by which the database sorts a text: as if written in capitals, so that a digit comes before an @."""
    return fold(value).upper()


def domain_of(address: str) -> str:
    """What follows the first @, in ASCII form; nothing when there is none."""
    return to_ascii(address.partition("@")[2])


def local_part_of(address: str) -> str:
    """What stands before the first @; nothing when there is none."""
    local_part, at, _ = address.partition("@")
    return local_part if at else ""


def to_ascii(domain: str) -> str:
    """A domain name in its ASCII (punycode) form, lower case; empty when it has none."""
    if domain.isascii():
        return domain.lower() if all(len(label) <= _LONGEST_LABEL for label in domain.split(".")) else ""
    try:
        return domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def to_unicode(domain: str) -> str:
    """A domain name as people write it."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def is_domain_name(domain: str) -> bool:
    """Whether it can be a domain's name; one label is enough."""
    name = to_ascii(domain)
    return (
        0 < len(name) <= _LONGEST_DOMAIN
        and all(0 < len(label) <= _LONGEST_LABEL for label in name.split("."))
        and bool(_DOMAIN_NAME.fullmatch(name))
    )


def is_address(value: Json) -> bool:
    """Whether it passes the API's test for a mail address: ASCII, a dotted domain, at most 64 before the @."""
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
        return False
    local_part, at, domain = value.rpartition("@")
    return (
        bool(at)
        and len(local_part) <= _LONGEST_LOCAL_PART
        and all(len(label) <= _LONGEST_LABEL for label in domain.split("."))
        and bool(_LOCAL_PART.fullmatch(local_part) or _QUOTED.fullmatch(local_part))
        and bool(_MAIL_DOMAIN.fullmatch(domain))
    )
