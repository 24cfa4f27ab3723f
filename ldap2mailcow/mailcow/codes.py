"""What mailcow's message codes mean to an administrator: the one table of them.

mailcow names its messages by code (`mailbox_quota_exceeded`) and leaves the wording to its web interface. Where a
code and its remedy are the same for everybody they stand here; a code that isn't here is shown as it is.
Source: docs/mailcow-api.md sections 1 to 7, 17 and 19.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ldap2mailcow.model import escaped

SHOWN = 200
"""Characters of a text of mailcow's that are shown at most."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code says."""

    sentence: str
    """Whole, with a remedy. `{0}`, `{1}` are the arguments that came with the code."""
    certain: bool = True
    """True where the item surely wasn't changed; False where only reading it again tells."""


_COMPLEXITY = (
    "the password doesn't meet mailcow's password policy, which is applied to the text of a hash as well; "
    "relax the policy in mailcow (Configuration, Options, Password policy)"
)
_TAKEN_BY_ALIAS = "{0} is an alias in mailcow; delete the alias, or give the entry another address"

CODES: dict[str, Meaning] = {
    # the domain and its limits
    "domain_not_found": Meaning("mailcow doesn't host {0} as a domain of its own; an alias domain has no mailboxes"),
    "domain_invalid": Meaning("mailcow doesn't take the domain; check its spelling"),
    "max_mailbox_exceeded": Meaning(
        "the domain has {0} of its {1} mailboxes; raise 'Max. possible mailboxes' of the domain in mailcow"
    ),
    "mailbox_quota_exceeded": Meaning(
        "the quota is over the domain's limit of {0} MiB for one mailbox; "
        "lower it, or raise 'Max. quota per mailbox' of the domain in mailcow"
    ),
    "mailbox_quota_left_exceeded": Meaning(
        "the domain can give this mailbox {0} MiB, and mailcow refuses any change of one that has more; lower its "
        "quota, or raise 'Domain quota' or 'Max. quota per mailbox' of the domain in mailcow"
    ),
    "unlimited_quota_acl": Meaning("mailcow refuses an unlimited quota here; give the mailbox a quota above 0"),
    # the address
    "mailbox_invalid": Meaning("mailcow doesn't take the address; correct it in the directory"),
    "username_invalid": Meaning("{0} is not a mailbox address to mailcow; correct it in the directory"),
    "email invalid": Meaning("mailcow doesn't take the address in a path; change this mailbox by hand"),
    "object_exists": Meaning("{0} exists in mailcow already; the next run will see it"),
    "is_alias": Meaning(_TAKEN_BY_ALIAS),
    "is_alias_or_mailbox": Meaning(
        "{0} is an alias in mailcow already, or a mailbox, or means one in the domain behind its alias domain; "
        "give the entry another address, or delete what is there"
    ),
    "is_spam_alias": Meaning("{0} is a temporary alias in mailcow; wait until it ends, or delete it"),
    # the mailbox
    "access_denied": Meaning(
        "mailcow knows no such mailbox, or doesn't host its domain; if somebody deleted it, the next run will see it"
    ),
    "password_complexity": Meaning(_COMPLEXITY),
    "password_mismatch": Meaning("mailcow got two different passwords for the mailbox; report this as a bug"),
    "password_empty": Meaning("mailcow got an empty password; give the entry one"),
    "quarantine_category_invalid": Meaning("mailcow refuses the quarantine category; correct the template"),
    "invalid_authsource": Meaning("mailcow has no such identity provider; set it up in mailcow, or change authsource"),
    # the alias
    "alias_invalid": Meaning("mailcow doesn't take {0} as an alias; correct it in the directory"),
    "alias_empty": Meaning("mailcow got an alias without an address; report this as a bug"),
    "goto_empty": Meaning("mailcow got an alias without a target; report this as a bug"),
    "goto_invalid": Meaning("mailcow doesn't take {0} as a target; correct that address in the directory"),
    "alias_goto_identical": Meaning("mailcow doesn't let an alias go to itself; take its own address off its targets"),
    "max_alias_exceeded": Meaning(
        "the domain has all the aliases that it may have, those of its alias domains included; "
        "raise 'Max. possible aliases' of the domain in mailcow"
    ),
    "comment_too_long": Meaning("mailcow takes comments of up to 160 bytes; shorten it in the directory"),
    # whom a user may send as: each of them is left out, and the rest of the call is saved
    "sender_acl_invalid": Meaning(
        "mailcow lets nobody send as {0}, for it is no mailbox, alias or domain there; correct it in the directory",
        certain=False,
    ),
    "extra_acl_invalid": Meaning(
        "mailcow doesn't take {0} as a foreign sender; correct it in the directory", certain=False
    ),
    "extra_acl_invalid_domain": Meaning(
        "mailcow doesn't take one of its own domains as a foreign sender ({0}); the next run will see that domain",
        certain=False,
    ),
    "extended_sender_acl_denied": Meaning(
        "the API key may not set foreign senders; use the key of an administrator", certain=False
    ),
    # side effects that failed
    "rl_timeframe": Meaning("mailcow refused the rate limit; correct the default template of mailcow"),
    "mysql_error": Meaning("mailcow's database refused the call; see the log of php-fpm-mailcow", certain=False),
    "redis_error": Meaning("mailcow's Redis failed; see the log of redis-mailcow", certain=False),
    # the request itself
    "Task completed": Meaning("mailcow says that it had nothing to do", certain=False),
    "route not found": Meaning("this mailcow doesn't know the call; update mailcow"),
    "Cannot find attributes in post data": Meaning("mailcow didn't understand the call; report this as a bug"),
    "Request body doesn't contain valid json!": Meaning("mailcow didn't understand the call; report this as a bug"),
}

BESIDE_SUCCESS = frozenset({"rl_timeframe"})
"""Dangers that come before a success and take nothing from it: the mailbox is written all the same."""

BESIDE_HALF = frozenset(
    {
        "goto_invalid",
        "alias_goto_identical",
        "sender_acl_invalid",
        "extra_acl_invalid",
        "extra_acl_invalid_domain",
        "extended_sender_acl_denied",
    }
)
"""Dangers that come before a success without naming its item: a part of it wasn't written, or none of it at all."""

ENDS_THE_CALL = frozenset({"max_alias_exceeded", "comment_too_long", "alias_empty", "goto_empty"})
"""Dangers without a name after which nothing more is looked at: what isn't told of wasn't written."""

_GONE = Meaning("mailcow has no such alias any more; the next run will see it", certain=False)

_AT: dict[tuple[str, str], Meaning] = {
    ("edit/alias", "alias_invalid"): _GONE,  # and names the item before it
    ("delete/alias", "access_denied"): _GONE,
}
"""What a code means at one endpoint only, by endpoint and code."""

_BUSY = re.compile(r"\b(?:1213|1205)\b|deadlock|lock wait", re.IGNORECASE)
_BUSY_MEANING = Meaning(
    "mailcow's database was busy with other changes and gave up; the next run tries again", certain=False
)
_WORD = re.compile(r"[a-z0-9_]+")
_PLACE = re.compile(r"\{(\d)\}")


def meaning(code: str, arguments: Sequence[object] = (), endpoint: str = "") -> Meaning:
    """Return what a code says in the answer of an endpoint, its arguments filled in.

    Free text (mailcow passes on what its database says) is never certain; a code that looks like mailcow's own but
    isn't in the table is, because mailcow's own codes come from checks before anything is written.
    """
    known = _AT.get((endpoint, code)) or CODES.get(code)
    if known is not None:
        return Meaning(_filled(known.sentence, arguments), known.certain)
    if _BUSY.search(code):
        return _BUSY_MEANING
    shown = ", ".join(plain(part) for part in (code, *arguments))
    return Meaning(f"mailcow says: {shown}", certain=_WORD.fullmatch(code) is not None)


def plain(value: object) -> str:
    """Return a value of mailcow's for people to read: escaped, and short."""
    # A list in a list in a list could be too deep to be written down.
    text = escaped(str(value)) if isinstance(value, str | int | float | None) else f"(a {type(value).__name__})"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _filled(sentence: str, arguments: Sequence[object]) -> str:
    def argument(match: re.Match[str]) -> str:
        place = int(match[1])
        return plain(arguments[place]) if place < len(arguments) else "(not told)"

    return _PLACE.sub(argument, sentence)
