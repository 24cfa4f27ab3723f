"""What mailcow says and does: reading it, sending it a call, telling what became of the call.

Facts about its API, with their sources: docs/mailcow-api.md.
"""

from ldap2mailcow.http import NoAnswer, Unreachable

from .about import CONTAINERS, VERSION, can_rename, mail_store_trouble
from .aliases import read_aliases, read_every_alias
from .client import Mailcow
from .errors import TRY_LATER, MailcowError, NotWhole, Refused, Unavailable, Unreadable
from .read import READS, HalfDeleted, read_actual, read_mailbox, read_senders, with_aliases
from .retries import tries
from .send import WRITES, Sent, send

ENDPOINTS: frozenset[str] = READS | WRITES | {CONTAINERS, VERSION}
"""Every endpoint that is ever called; each has a case in tests/conformance."""

__all__ = [
    "ENDPOINTS",
    "TRY_LATER",
    "HalfDeleted",
    "Mailcow",
    "MailcowError",
    "NoAnswer",
    "NotWhole",
    "Refused",
    "Sent",
    "Unavailable",
    "Unreachable",
    "Unreadable",
    "can_rename",
    "mail_store_trouble",
    "read_actual",
    "read_aliases",
    "read_every_alias",
    "read_mailbox",
    "read_senders",
    "send",
    "tries",
    "with_aliases",
]
