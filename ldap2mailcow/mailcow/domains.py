"""Domains and alias domains: which there are, and their limits (docs/mailcow-api.md sections 2, 7 and 19)."""

from __future__ import annotations

import re

from ldap2mailcow.model import MIB, Domain

from .client import Mailcow
from .codes import plain
from .errors import Unreadable
from .rows import Row, number_in, rows_of, text_in

DOMAINS, ALIAS_DOMAINS = "get/domain/all", "get/alias-domain/all"

_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_LONGEST = 253  # RFC 1035 section 2.3.4, without the root


def read_domains(client: Mailcow) -> dict[str, Domain]:
    """Read all mail domains. Raises what `Mailcow.get` raises, Unreadable."""
    return {domain.name: domain for domain in map(_domain, rows_of(client.get(DOMAINS), "domains"))}


def read_alias_domains(client: Mailcow) -> dict[str, str]:
    """Read all alias domains, each with its target. Raises what `Mailcow.get` raises, Unreadable.

    Inactive ones are among them: they take no mail, like an inactive domain, but mailcow's own checks make no
    difference. Their aliases count, and a name that is a mailbox of the target is taken in them (section 19).
    """
    return {
        _name(row, "alias_domain"): _name(row, "target_domain")
        for row in rows_of(client.get(ALIAS_DOMAINS), "alias domains")
    }


def _name(row: Row, field: str) -> str:
    """Return a domain in lower case, fit for a path. Raises Unreadable for what is none."""
    name = text_in(row, field).lower()
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise Unreadable(f"mailcow has a domain of an odd name ({plain(name)}); delete it there")
    return name


def _domain(row: Row) -> Domain:
    return Domain(
        name=_name(row, "domain_name"),
        mailboxes=number_in(row, "mboxes_in_domain"),
        max_mailboxes=number_in(row, "max_num_mboxes_for_domain"),
        default_quota=number_in(row, "def_quota_for_mbox") // MIB,
        max_mailbox_quota=number_in(row, "max_quota_for_mbox") // MIB,
        max_quota=number_in(row, "max_quota_for_domain") // MIB,
        used_quota=number_in(row, "quota_used_in_domain") // MIB,
        aliases=number_in(row, "aliases_in_domain"),
        max_aliases=number_in(row, "max_num_aliases_for_domain"),
    )
