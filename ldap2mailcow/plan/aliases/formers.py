"""Former addresses: where somebody's mailbox was before it was renamed, an alias stays as long as they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ldap2mailcow.model import INTERNAL, SENDER_ALLOWED, SOGO_VISIBLE, Address, Alias, Role
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.view import View

from .marks import is_as_renaming_left_it, is_our_alias, row_of

FLAGS_OF_FORMER = {INTERNAL: 0, SENDER_ALLOWED: 1, SOGO_VISIBLE: 0}
"""What an alias at a former address is at first; mailcow makes it otherwise."""


def with_formers(view: View) -> View:
    """Return the view with the former addresses among the aliases that are wanted.

    Whoever wants such an address in the directory goes before: as a mailbox, or as an alias.
    """
    aliases = {**dict(formers(Draft(view, whole=True))), **view.wishes.aliases}
    return replace(view, wishes=replace(view.wishes, aliases=dict(sorted(aliases.items()))))


def formers(draft: Draft) -> Iterator[tuple[Address, Alias]]:
    """Give the former addresses of those who have a mailbox, as the aliases that they should be.

    Where somebody else is to have a mailbox, it goes; whoever is held elsewhere doesn't have it yet.
    """
    desired = draft.view.desired
    homes = {mailbox.id: desired.held.get(address, address) for address, mailbox in desired.mailboxes.items()}
    for address, existing in draft.view.actual.aliases.items():
        if (address in desired.mailboxes and address not in desired.held) or not is_our_alias(draft, existing):
            continue
        if address in draft.view.others.mailboxes:
            continue
        row = row_of(draft, existing)
        if row.role is Role.FORMER and (home := homes.get(row.owner)) and draft.is_of_source(row):
            flags = FLAGS_OF_FORMER if is_as_renaming_left_it(existing) else {}
            yield address, Alias(row.source, row.owner, row.dn, Role.FORMER, address, (home,), flags)
