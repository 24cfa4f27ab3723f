"""Between directories: whose a row is, and who gets an address that entries of several want.

All of it is settled before anything is planned, so that each plan is about what is its directory's alone. With one
directory all of it leaves everything as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ldap2mailcow.desired import duplicate
from ldap2mailcow.model import (
    Address,
    Alias,
    Code,
    Finding,
    Mailbox,
    Memory,
    Note,
    Remembered,
    RememberedAlias,
)
from ldap2mailcow.plan.draft import Draft, is_unclaimed
from ldap2mailcow.plan.grace import absence
from ldap2mailcow.plan.knowledge import alias_doubts, changed_settings, doubts, fingerprint, vanished_keys
from ldap2mailcow.plan.view import Others, View

Views = tuple[View, ...]


def settle_mailboxes(views: Sequence[View]) -> Views:
    """Return the views of one mailcow and one memory with each mailbox wanted by one directory at most."""
    memory, claimed = views[0].memory, []
    for view in views:
        after = _claimed(memory, view)
        rows = after.mailboxes.values()
        notes = (Note(row.address, {"source": row.source}) for row in rows if row is not memory.mailboxes[row.address])
        claimed.append(replace(view, notes=(*view.notes, *notes)))
        memory = after
    views = _with_memory(claimed, memory)
    claims: defaultdict[Address, list[_Claim]] = defaultdict(list)
    for number, view in enumerate(views if len(views) > 1 else ()):
        for address in {*view.desired.mailboxes, *view.desired.forwarders, *view.desired.contested}:
            claims[address].append(_claim(number, view, address))
    views, contested = _decided(views, claims, _without_mailboxes)
    return introduced(_with_memory(views, _handed_over(views)), contested)


def settle_aliases(views: Sequence[View]) -> Views:
    """Return the views with each alias wanted by one directory at most, and by none where it is still another's."""
    views = tuple(_without_others(view, views) for view in views)
    claims: defaultdict[Address, list[_Claim]] = defaultdict(list)
    for number, view in enumerate(views if len(views) > 1 else ()):
        for address, wish in view.wishes.aliases.items():
            row = view.memory.aliases.get(address)
            has_it = row is not None and (row.source, row.owner) == (wish.source, wish.owner)
            claims[address].append(_Claim(number, _called(wish.dn, view), has_it))
    views, contested = _decided(views, claims, _without_aliases)
    return introduced(views, views[0].others.contested | contested)


def introduced(views: Sequence[View], contested: frozenset[Address] = frozenset()) -> Views:
    """Return the views, each with what the others say."""
    whole = [len(views) > 1 and _is_whole(view) for view in views]
    all_answered = len(views) == len(views[0].config.sources)
    return tuple(
        replace(
            view, others=_others(number, views, contested, all_answered and all(whole[:number] + whole[number + 1 :]))
        )
        for number, view in enumerate(views)
    )


def _others(number: int, views: Sequence[View], contested: frozenset[Address], are_whole: bool) -> Others:  # noqa: FBT001
    others = [view for at, view in enumerate(views) if at != number]
    return Others(
        answered=frozenset(view.source.name for view in others),
        are_whole=are_whole,
        found_somebody=any(view.answers.users.entries for view in others),
        addresses=frozenset(address for view in others for address in _addresses(view)),
        dns=frozenset().union(*(view.desired.dns for view in others)),
        mailboxes={address: box for view in others for address, box in view.desired.mailboxes.items()},
        aliases={address: wish for view in others for address, wish in view.wishes.aliases.items()},
        contested=contested,
        before=tuple(view.source for view in views[:number]),
    )


def _addresses(view: View) -> set[Address]:
    desired = view.desired
    return {*desired.addresses, *view.wishes.aliases, *desired.renaming, *desired.former}


def _is_whole(view: View) -> bool:
    """Tell whether absence from the answer about users is believed."""
    vanished = vanished_keys(view, Draft(view, whole=True).remembered_by_id)
    return not doubts(view, vanished) and not view.options.overridden_filter


def _is_certain(view: View) -> bool:
    """Tell whether who and what isn't in the answers is gone, so that somebody of another directory may have it."""
    is_accepted = not changed_settings(view, fingerprint(view.source))
    return is_accepted and _is_whole(view) and not alias_doubts(view)


def _called(dn: str, view: View) -> str:
    return f"{dn or 'a list'} of the directory {view.source.name}"


# addresses that several want


class _Claim:
    """What an entry of a directory wants."""

    def __init__(self, view: int, name: str, has_it: bool) -> None:  # noqa: FBT001 - one of three
        self.view, self.name, self.has_it = view, name, has_it


def _claim(number: int, view: View, address: Address) -> _Claim:
    found = view.desired.mailboxes.get(address) or view.desired.forwarders.get(address)
    if found is None:
        return _Claim(number, f"several entries of the directory {view.source.name}", has_it=False)
    row, alias = view.memory.mailboxes.get(address), view.memory.aliases.get(address)
    has_it = (row is not None and row.source == view.source.name and _is_same(row, found.id, found.dn)) or (
        alias is not None and (alias.source, alias.owner) == (view.source.name, found.id)
    )
    return _Claim(number, _called(found.dn, view), has_it)


def _is_same(row: Remembered, entry_id: str, dn: str) -> bool:
    return row.id == entry_id if row.id else row.dn.lower() == dn.lower()


def _decided(
    views: Views, claims: Mapping[Address, list[_Claim]], without: Callable[[View, set[Address]], View]
) -> tuple[Views, frozenset[Address]]:
    """Let the present holder of each address keep it, else nobody have it; tell both.

    `without` returns a view without what others have.
    """
    lost: defaultdict[int, set[Address]] = defaultdict(set)
    told: defaultdict[int, list[Finding]] = defaultdict(list)
    contested: set[Address] = set()
    for address, wanting in sorted(claims.items()):
        if len(wanting) == 1:
            continue
        holder = next((claim for claim in wanting if claim.has_it), None)
        finding = duplicate(address, [claim.name for claim in wanting], holder.name if holder else None)
        for claim in wanting:
            told[claim.view].append(finding)
            if claim is not holder:
                lost[claim.view].add(address)
        if holder is None:
            contested.add(address)
    if not told:
        return views, frozenset()
    found = (_told(without(view, lost[number]), told[number]) for number, view in enumerate(views))
    return tuple(found), frozenset(contested)


def _without_mailboxes(view: View, lost: set[Address]) -> View:
    """Return the view without people who don't get their address."""
    desired = view.desired
    held = {new: old for new, old in desired.held.items() if new not in lost}
    people = replace(
        desired,
        mailboxes={address: box for address, box in desired.mailboxes.items() if address not in lost},
        forwarders={address: one for address, one in desired.forwarders.items() if address not in lost},
        held=held,
        renaming={old: new for new, old in held.items()},
    )
    return replace(view, desired=people)


def _without_aliases(view: View, lost: set[Address]) -> View:
    """Return the view without aliases that go to nobody of this directory."""
    aliases = {address: wish for address, wish in view.wishes.aliases.items() if address not in lost}
    return replace(view, wishes=replace(view.wishes, aliases=aliases))


def _told(view: View, findings: Sequence[Finding]) -> View:
    return replace(view, desired=replace(view.desired, findings=(*view.desired.findings, *findings)))


def _without_others(view: View, views: Sequence[View]) -> View:
    """Return the view without wishes for aliases that are still another directory's, for all that is known."""
    lost: set[Address] = set()
    told: list[Finding] = []
    for address, wish in view.wishes.aliases.items():
        row = view.memory.aliases.get(address)
        if row and not _is_free(view, wish, row, views):
            lost.add(address)
            told.append(
                Finding(
                    Code.ADDRESS_REUSED,
                    wish.dn or address,
                    f"it wants {address} as an alias, which {row.dn or 'a list'} has in the directory {row.source}, as "
                    "far as is known; first that one must give it up",
                ),
            )
    return _told(_without_aliases(view, lost), told) if lost else view


def _is_free(view: View, wish: Alias, row: RememberedAlias, views: Sequence[View]) -> bool:
    """Tell whether a directory may want an alias of a row; where both do, that is decided later."""
    if row.source == view.source.name or row.owner == wish.owner or is_unclaimed(row):
        return True
    holder = next((one for one in views if one.source.name == row.source), None)
    return holder is not None and (row.address in holder.wishes.aliases or _is_certain(holder))


# rows


def _claimed(memory: Memory, view: View) -> Memory:
    """Return the memory with the rows of a directory that had another name, or none, which are this one's."""
    names = {source.name for source in view.config.sources}
    own = view.source.name
    rows = (row for row in memory.mailboxes.values() if row.source != own)
    loose = [row for row in rows if row.source not in names or is_unclaimed(row)]
    boxes = view.desired.mailboxes
    by_id = {box.id: box for box in boxes.values()} if loose else {}
    found = {
        row.address: replace(row, source=own)
        for row in loose
        if _is_entry(row, boxes.get(row.address)) or _is_entry(row, by_id.get(row.id or ""))
    }
    return replace(memory, mailboxes={**memory.mailboxes, **found}) if found else memory


def _is_entry(row: Remembered, box: Mailbox | None) -> bool:
    """Tell whether a row is about an entry: an id alone may be another one's in another directory."""
    if box is None or not _is_same(row, box.id, box.dn):
        return False
    return row.address == box.address or row.dn.lower() == box.dn.lower()


def _handed_over(views: Views) -> Memory:
    """Return the memory with the rows of people who moved from one directory to another and kept their address."""
    memory = views[0].memory
    certain = {view.source.name: view for view in views if len(views) > 1 and _is_certain(view)}
    found = {}
    for view in views:
        for address in view.desired.mailboxes.keys() & memory.mailboxes.keys():
            row = memory.mailboxes[address]
            former = certain.get(row.source)
            if former and former is not view and _is_just_gone(former, row):
                found[address] = replace(row, source=view.source.name, id=None, dn="")
    return replace(memory, mailboxes={**memory.mailboxes, **found}) if found else memory


def _is_just_gone(view: View, row: Remembered) -> bool:
    """Tell whether a directory no longer has the entry of a row, and for so short a time that it is the same person."""
    is_there = row.id in view.desired.ids if row.id else row.dn.lower() in view.desired.dns
    policy = view.config.removed_users
    return not is_there and view.now - absence(row, policy, view.now).since <= policy.missing_for


def _with_memory(views: Sequence[View], memory: Memory) -> Views:
    return tuple(replace(view, memory=memory) for view in views)
