"""Room: what a domain's limits in mailcow still take, counted down in the order in which changes will run."""

from __future__ import annotations

from dataclasses import dataclass

from ldap2mailcow.model import Address, Code, Domain, Existing, Finding


@dataclass(slots=True)
class Room:
    """What is left in one domain, in mailboxes, MiB and aliases.

    mailcow checks a quota on *every* `edit/mailbox`, sent or not: a mailbox whose present quota no longer fits its
    domain can't be edited at all, not even be set inactive (docs/mailcow-api.md section 5).
    """

    domain: Domain
    mailboxes: int
    quota: int
    aliases: int = 0

    @classmethod
    def of(cls, domain: Domain) -> Room:
        """Return the room that a domain has before the run."""
        mailboxes, quota = domain.max_mailboxes - domain.mailboxes, domain.max_quota - domain.used_quota
        return cls(domain, mailboxes, quota, domain.max_aliases - domain.aliases)

    def at_most(self, other: Room) -> Room:
        """Return the room that both have."""
        mailboxes, quota = min(self.mailboxes, other.mailboxes), min(self.quota, other.quota)
        return Room(self.domain, mailboxes, quota, min(self.aliases, other.aliases))

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

    def take_quota(self, address: Address, before: int, after: int, dn: str) -> Finding | None:
        """Take the room of a changed quota (or give some back), or say why there is none."""
        if after > self.quota + before:
            return Finding(
                Code.NO_ROOM_FOR_QUOTA,
                dn,
                f"the quota of {address} stays at {shown(before)}: {self.domain.name} has {max(self.quota, 0)} MiB "
                f"left and {shown(after)} don't fit; raise 'Domain quota' of the domain in mailcow",
            )
        self.quota += before - after
        return None

    def over_limit(self, address: Address, quota: int, dn: str) -> Finding | None:
        """Say that a quota is above what one mailbox of the domain may have."""
        if quota <= self.domain.max_mailbox_quota:
            return None
        return Finding(
            Code.QUOTA_OVER_LIMIT,
            dn,
            f"{address} can't have {quota} MiB: {self.domain.name} allows a mailbox {self.domain.max_mailbox_quota} "
            "MiB, so the directory's quota is left out; raise 'Max. quota per mailbox' of the domain in mailcow",
        )

    def blocks_edits(self, existing: Existing, quota: int, dn: str) -> Finding | None:
        """Say that mailcow refuses to edit a mailbox because the quota it has, or gets in that edit, doesn't fit.

        `quota` is the one that is counted in the room already.
        """
        limit = min(self.domain.max_mailbox_quota, self.quota + quota)
        if quota <= limit:
            return None
        return Finding(
            Code.NO_ROOM_FOR_QUOTA,
            dn,
            f"mailcow refuses every change of {existing.address} while its quota of {quota} MiB is above the "
            f"{max(limit, 0)} MiB that {self.domain.name} allows it; raise the domain's quotas in mailcow, or lower it",
        )


def shown(quota: int) -> str:
    """Return a quota for people."""
    return f"{quota} MiB" if quota else "unlimited"
