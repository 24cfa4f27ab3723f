"""Capacity: what a domain of mailcow has room for, counted down in the order in which changes will run.

mailcow checks a quota on *every* `edit/mailbox`, sent or not: a mailbox whose present quota no longer fits its domain
can't be edited at all, not even be set inactive (docs/mailcow-api.md section 5).
"""

from __future__ import annotations

from dataclasses import dataclass

from ldap2mailcow.model import Address, Domain, Finding, Say


@dataclass(slots=True)
class Room:
    """What is left in one domain, in mailboxes, MiB and aliases."""

    domain: Domain
    mailboxes: int
    quota: int
    aliases: int

    @classmethod
    def of(cls, domain: Domain) -> Room:
        """Return the room that a domain has before the run."""
        mailboxes, quota = domain.max_mailboxes - domain.mailboxes, domain.max_quota - domain.used_quota
        return cls(domain, mailboxes, quota, domain.max_aliases - domain.aliases)

    def take_alias(self, address: Address, dn: str) -> Finding | None:
        """Take the room of a new alias, or say why there is none."""
        if self.aliases <= 0:
            domain, most = self.domain.name, self.domain.max_aliases
            return Say.NO_ROOM_FOR_ALIAS.at(dn or address, address=address, domain=domain, most=most)
        self.aliases -= 1
        return None

    def take_mailbox(self, address: Address, quota: int, dn: str) -> Finding | None:
        """Take the room of a new mailbox, or say why there is none; then nothing is taken."""
        name = self.domain.name
        if self.mailboxes <= 0:
            return Say.NO_ROOM_FOR_MAILBOX.at(dn, address=address, domain=name, most=self.domain.max_mailboxes)
        if quota > self.quota:
            left, most = max(self.quota, 0), self.domain.max_quota
            return Say.NO_QUOTA_FOR_MAILBOX.at(dn, address=address, quota=quota, domain=name, left=left, most=most)
        self.mailboxes -= 1
        self.quota -= quota
        return None

    def take_quota(self, before: int, after: int) -> bool:
        """Take the room of a changed quota, or give some back; tell whether there is enough."""
        if after > self.quota + before:
            return False
        self.quota += before - after
        return True

    def blocks_edits(self, address: Address, quota: int, dn: str) -> Finding | None:
        """Say that mailcow refuses to edit a mailbox because the quota it has, or gets in that edit, doesn't fit.

        `quota` is the one that is counted in the room already.
        """
        limit = min(self.domain.max_mailbox_quota, self.quota + quota)
        if quota <= limit:
            return None
        left, domain = max(limit, 0), self.domain.name
        return Say.QUOTA_BLOCKS_EDITS.at(dn, address=address, quota=quota, left=left, domain=domain)
