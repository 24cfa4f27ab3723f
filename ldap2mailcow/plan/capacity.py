"""Capacity: what a domain of mailcow has room for, counted down in the order in which changes will run.

mailcow checks a quota on *every* `edit/mailbox`, sent or not: a mailbox whose present quota no longer fits its domain
can't be edited at all, not even be set inactive (docs/mailcow-api.md section 5).
"""

from __future__ import annotations

from dataclasses import dataclass

from ldap2mailcow.model import Address, Code, Domain, Finding


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
            return Finding(
                Code.NO_ROOM_FOR_ALIAS,
                dn or address,
                f"{address} is not made: {self.domain.name} has all of its {self.domain.max_aliases} aliases; raise "
                "'Max. possible aliases' of the domain in mailcow",
            )
        self.aliases -= 1
        return None

    def take_mailbox(self, address: Address, quota: int, dn: str) -> Finding | None:
        """Take the room of a new mailbox, or say why there is none; then nothing is taken."""
        name = self.domain.name
        if self.mailboxes <= 0:
            return Finding(
                Code.NO_ROOM_FOR_MAILBOX,
                dn,
                f"{address} is not created: {name} has all of its {self.domain.max_mailboxes} mailboxes; "
                "raise 'Max. possible mailboxes' of the domain in mailcow",
            )
        if quota > self.quota:
            return Finding(
                Code.NO_ROOM_FOR_QUOTA,
                dn,
                f"{address} is not created: it needs {quota} MiB and {name} has {max(self.quota, 0)} MiB of its "
                f"{self.domain.max_quota} MiB left; raise 'Domain quota' of the domain in mailcow",
            )
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
        return Finding(
            Code.NO_ROOM_FOR_QUOTA,
            dn,
            f"mailcow refuses every change of {address} while its quota of {quota} MiB is above the {max(limit, 0)} MiB "
            f"that {self.domain.name} allows it; raise the domain's quotas in mailcow, or lower it",
        )


def over_limit(domain: Domain, address: Address, quota: int, dn: str) -> Finding | None:
    """Say that a quota is above what one mailbox of the domain may have."""
    if quota <= domain.max_mailbox_quota:
        return None
    return Finding(
        Code.QUOTA_OVER_LIMIT,
        dn,
        f"{address} can't have {quota} MiB: {domain.name} allows a mailbox {domain.max_mailbox_quota} MiB, so the "
        "directory's quota is left out; raise 'Max. quota per mailbox' of the domain in mailcow",
    )


def no_room_for_quota(domain: Domain, address: Address, before: int, after: int, dn: str) -> Finding:
    """Say that a larger quota doesn't fit into its domain."""
    left = max(domain.max_quota - domain.used_quota, 0)
    return Finding(
        Code.NO_ROOM_FOR_QUOTA,
        dn,
        f"the quota of {address} stays at {_shown(before)}: {domain.name} has {left} MiB left and {_shown(after)} don't "
        "fit; raise 'Domain quota' of the domain in mailcow",
    )


def _shown(quota: int) -> str:
    return f"{quota} MiB" if quota else "unlimited"
