"""What mailcow and the state file become once a plan was carried out, by mailcow's own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ldap2mailcow.model import (
    ALIAS_ACTIVE,
    ATTRIBUTES,
    FLAGS,
    GOTO,
    PRIVATE_COMMENT,
    PUBLIC_COMMENT,
    SENDER_ALLOWED,
    SOGO_VISIBLE,
    Actual,
    Address,
    Call,
    Change,
    Existing,
    ExistingAlias,
    MailboxChange,
    Memory,
    Note,
    Remembered,
    RememberedAlias,
    RenameChange,
    Subject,
    Value,
    joined,
    split,
)
from ldap2mailcow.plan import Plan, Case, phases, remembered

from .builders import make_plan

WRITTEN_STAMP = "2026-06-01 14:00:00"
"""What mailcow's clock shows while a plan is carried out."""
GOTO_BYTES, COMMENT_BYTES = 65_535, 160


class RefusedError(AssertionError):
    """mailcow would refuse a call of the plan, or do nothing of what it asks for."""


def send(actual: Actual, call: Call) -> Actual:
    """Return what mailcow has after a call, by its own rules (docs/mailcow-api.md sections 4 to 7, 15 and 19).

    Raises RefusedError for what mailcow would refuse.
    """
    for item in call.items:
        if call.endpoint == "edit/rename-mbox":
            actual = _rename(actual, call.attr)
        elif call.endpoint == "delete/mailbox":
            actual = _delete(actual, Address(item))
        elif call.endpoint in _ALIAS_CALLS:
            actual = _ALIAS_CALLS[call.endpoint](actual, item, call.attr)
        else:
            actual = _with_mailbox(actual, _MAILBOX_CALLS[call.endpoint](actual, Address(item), call.attr))
    return actual


# mailboxes


def _with_mailbox(actual: Actual, after: Existing) -> Actual:
    before, domain = actual.mailboxes.get(after.address), actual.domains[after.address.domain]
    given = int(after.attributes["quota"]) - (int(before.attributes["quota"]) if before else 0)
    domain = replace(domain, mailboxes=domain.mailboxes + (before is None), used_quota=domain.used_quota + given)
    return replace(
        actual,
        domains={**actual.domains, domain.name: domain},
        mailboxes={**actual.mailboxes, after.address: after},
    )


def _add(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    domain, quota = actual.domains[address.domain], cast("int", attr["quota"])
    if address in actual.mailboxes or address in actual.aliases:
        raise RefusedError(f"object_exists or is_alias: {address}")
    source = attr["authsource"] if attr["authsource"] in ("mailcow", actual.provider) else "mailcow"
    if source == "mailcow" and not attr.get("password"):
        raise RefusedError("password_complexity")
    if domain.mailboxes >= domain.max_mailboxes:
        raise RefusedError("max_mailbox_exceeded")
    if quota > domain.max_mailbox_quota:
        raise RefusedError("mailbox_quota_exceeded")
    if domain.used_quota + quota > domain.max_quota:
        raise RefusedError("mailbox_quota_left_exceeded")
    values = {key: cast("Value", attr.get(key, 0)) for key in ATTRIBUTES}
    values |= {"name": cast("str", attr.get("name", "")), "authsource": source}
    tags = frozenset(cast("list[str]", attr["tags"]))
    return Existing(address, values, tags, WRITTEN_STAMP, "")


def _edit(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    mailbox, domain = actual.mailboxes[address], actual.domains[address.domain]
    own = int(mailbox.attributes["quota"])
    limit = min(domain.max_quota - (domain.used_quota - own), domain.max_mailbox_quota)
    if cast("int", attr.get("quota", own)) > limit:
        raise RefusedError(f"mailbox_quota_left_exceeded: {address}")
    values = {key: cast("Value", attr[key]) for key in ("name", "quota", "active", "authsource") if key in attr}
    if values.get("authsource") not in (None, "mailcow", actual.provider):
        del values["authsource"]
    writes = "password" in attr and mailbox.attributes["authsource"] == "mailcow"
    if "extended_sender_acl" in attr:
        _see_foreign(actual, cast("str", attr["extended_sender_acl"]))
    return Existing(
        address,
        {**mailbox.attributes, **values},
        mailbox.tags | set(cast("list[str]", attr.get("tags", []))),
        WRITTEN_STAMP if writes else mailbox.passwd_update,
        cast("str", attr.get("attribute_hash", "")),
        _senders(actual, mailbox, cast("list[str]", attr["sender_acl"])) if "sender_acl" in attr else mailbox.senders,
    )


def _senders(actual: Actual, mailbox: Existing, wanted: list[str]) -> frozenset[str]:
    """Return the rows of `sender_acl` after an edit: those of domains that are gone stay, own ones are dropped."""
    kept = {sender for sender in mailbox.senders or () if sender != "*" and not _is_known(actual, sender, old=True)}
    for sender in wanted:
        if sender != "*" and not _is_known(actual, sender):
            raise RefusedError(f"sender_acl_invalid: {sender} for {mailbox.address}")
    return frozenset(kept | {sender for sender in wanted if not _is_own(actual, mailbox.address, sender)})


def _is_known(actual: Actual, sender: str, *, old: bool = False) -> bool:
    address = Address(sender)
    if sender.startswith("@") or old:
        return address.domain in actual.hosted or address in actual.aliases
    looked_at = address.domain in actual.domains or address.domain in actual.alias_domains
    there = address in actual.mailboxes or address in actual.aliases
    return there or (not looked_at and address.domain in actual.hosted)


def _is_own(actual: Actual, mailbox: Address, sender: str) -> bool:
    found = actual.aliases.get(Address(sender))
    return sender == mailbox or (found is not None and found.values[SENDER_ALLOWED] == 1 and mailbox in found.goto)


def _see_foreign(actual: Actual, senders: str) -> None:
    for sender in filter(None, senders.split(",")):
        if sender.rpartition("@")[2] in actual.hosted:
            raise RefusedError(f"extra_acl_invalid_domain: {sender}")


def _edit_tls(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    mailbox = actual.mailboxes[address]
    return replace(mailbox, attributes={**mailbox.attributes, **cast("Mapping[str, Value]", attr)})


def _remove_tags(actual: Actual, address: Address, attr: Mapping[str, object]) -> Existing:
    mailbox = actual.mailboxes[address]
    return replace(mailbox, tags=mailbox.tags - set(cast("list[str]", attr["tags"])))


def _delete(actual: Actual, gone: Address) -> Actual:
    """Return mailcow without a mailbox, the aliases that go to it alone, its place in lists, and everybody's rights."""
    if gone not in actual.mailboxes:
        raise RefusedError(f"access_denied: {gone}")
    domain, quota = actual.domains[gone.domain], int(actual.mailboxes[gone].attributes["quota"])
    actual = _without_rows(actual, gone, actual.mailboxes)
    domain = replace(domain, mailboxes=domain.mailboxes - 1, used_quota=domain.used_quota - quota)
    mailboxes = {address: box for address, box in actual.mailboxes.items() if address != gone}
    actual = replace(actual, domains={**actual.domains, domain.name: domain}, mailboxes=mailboxes)
    for found in [found for found in actual.aliases.values() if gone in found.goto]:
        if found.goto == {gone}:
            actual = _delete_alias(actual, str(found.number), {})
        else:
            left = replace(found, values={**found.values, GOTO: joined(found.goto - {gone})})
            actual = replace(actual, aliases={**actual.aliases, found.address: left})
    return actual


_MAILBOX_CALLS: dict[str, Callable[[Actual, Address, Mapping[str, object]], Existing]] = {
    "add/mailbox": _add,
    "edit/mailbox": _edit,
    "edit/tls_policy": _edit_tls,
    "delete/mailbox/tag": _remove_tags,
}


def _rename(actual: Actual, attr: Mapping[str, object]) -> Actual:
    old, new = (Address(f"{attr[name]}@{attr['domain']}") for name in ("old_local_part", "new_local_part"))
    box = actual.mailboxes[old]
    if box.attributes["active"] not in (1, 2):
        raise RefusedError(f"access_denied: {old} is inactive")
    if new in actual.mailboxes or new in actual.aliases:
        raise RefusedError(f"Duplicate entry {new}")
    mailboxes = {one: there for one, there in actual.mailboxes.items() if one != old}
    mailboxes = {
        one: there if there.senders is None else replace(there, senders=frozenset(_renamed(there.senders, old, new)))
        for one, there in {**mailboxes, new: replace(box, address=new)}.items()
    }
    aliases = {
        one: replace(there, values={**there.values, GOTO: new}) if there.values[GOTO] == old else there
        for one, there in actual.aliases.items()
    }
    actual = replace(actual, mailboxes=mailboxes, aliases=aliases)
    if not attr["create_alias"]:
        return actual
    comment = f"Mailbox was renamed from {old} to {new}"
    values = {GOTO: str(new), ALIAS_ACTIVE: 1, SOGO_VISIBLE: 1, PRIVATE_COMMENT: comment}
    return _add_alias(actual, old, values)


def _renamed(senders: Iterable[str], old: Address, new: Address) -> Iterable[str]:
    return (str(new) if sender == old else sender for sender in senders)


# aliases


def _add_alias(actual: Actual, item: str, attr: Mapping[str, object]) -> Actual:
    address, goto = Address(item), cast("str", attr[GOTO])
    home = actual.alias_domains.get(address.domain, address.domain)
    if home not in actual.domains:
        raise RefusedError(f"domain_not_found: {address.domain}")
    if address in actual.aliases or address in actual.mailboxes or actual.twin(address) in actual.mailboxes:
        raise RefusedError(f"is_alias_or_mailbox: {address}")
    if not goto or address in split(goto):
        raise RefusedError(f"goto_empty, or silently skipped: {address}")
    domain = actual.domains[home]
    if domain.max_aliases == domain.aliases:
        raise RefusedError(f"max_alias_exceeded: {address}")
    comments = {key: cast("str", attr.get(key, "")) for key in (PRIVATE_COMMENT, PUBLIC_COMMENT)}
    if max(len(text.encode()) for text in comments.values()) > COMMENT_BYTES:
        raise RefusedError("comment_too_long")
    values = {key: cast("Value", attr.get(key, 0)) for key in (ALIAS_ACTIVE, *FLAGS)}
    number = max((found.number for found in actual.aliases.values()), default=0) + 1
    made = ExistingAlias(address, number, {GOTO: _stored(goto), **values, **comments})
    return _with_alias(actual, made)


def _edit_alias(actual: Actual, item: str, attr: Mapping[str, object]) -> Actual:
    before = _numbered(actual, item)
    after = replace(before, values={**before.values, **cast("Mapping[str, Value]", attr)})
    _stored(str(after.values[GOTO]))
    if before.address in split(str(attr.get(GOTO, ""))):
        raise RefusedError(f"alias_goto_identical: {before.address}")
    if GOTO in attr and not attr[GOTO]:
        raise RefusedError(f"goto_invalid: {before.address}")
    return _without_rows(_with_alias(actual, after), before.address, after.goto)


def _delete_alias(actual: Actual, item: str, attr: Mapping[str, object]) -> Actual:
    assert not attr
    gone = _numbered(actual, item)
    actual = _without_rows(actual, gone.address, actual.mailboxes)
    domain = actual.domains[actual.alias_domains.get(gone.address.domain, gone.address.domain)]
    return replace(
        actual,
        domains={**actual.domains, domain.name: replace(domain, aliases=domain.aliases - 1)},
        aliases={address: found for address, found in actual.aliases.items() if address != gone.address},
    )


def _stored(goto: str) -> str:
    if len(goto.encode()) > GOTO_BYTES:
        raise RefusedError("an empty answer: the goto is too long")
    return joined(split(goto))


def _numbered(actual: Actual, item: str) -> ExistingAlias:
    for found in actual.aliases.values():
        if str(found.number) == item:
            return found
    raise RefusedError(f"alias_invalid or access_denied: {item}")


def _with_alias(actual: Actual, after: ExistingAlias) -> Actual:
    is_new = after.address not in actual.aliases
    domain = actual.domains[actual.alias_domains.get(after.address.domain, after.address.domain)]
    return replace(
        actual,
        domains={**actual.domains, domain.name: replace(domain, aliases=domain.aliases + is_new)},
        aliases={**actual.aliases, after.address: after},
    )


def _without_rows(actual: Actual, sender: Address, mailboxes: Iterable[Address]) -> Actual:
    """Return mailcow without the rows of some mailboxes for an address: so edits and deletions of aliases end."""
    losing = {
        address: replace(found, senders=found.senders - {sender})
        for address in mailboxes
        if (found := actual.mailboxes.get(address)) and found.senders
    }
    return replace(actual, mailboxes={**actual.mailboxes, **losing})


_ALIAS_CALLS: dict[str, Callable[[Actual, str, Mapping[str, object]], Actual]] = {
    "add/alias": _add_alias,
    "edit/alias": _edit_alias,
    "delete/alias": _delete_alias,
}


# whole runs


def send_all(changes: Iterable[Change], actual: Actual) -> Actual:
    """Return what mailcow has after all calls of some changes."""
    for phase in phases(changes):
        for batch in phase.batches:
            for call in batch.calls:
                actual = send(actual, _numbered_call(actual, batch.changes[0], call))
    return actual


def _numbered_call(actual: Actual, change: Change, call: Call) -> Call:
    """Put in the number of the alias that a rename has left, which is known only now."""
    if isinstance(change, RenameChange) and call.endpoint == "edit/alias":
        return replace(call, items=(str(actual.aliases[change.former].number),))
    return call


def note_all(notes: Iterable[Note], rows: Mapping[Address, Remembered]) -> dict[Address, Remembered]:
    """Return the rows of the state file after some notes about mailboxes."""
    after = dict(rows)
    for note in notes:
        if note.remember is None:
            after.pop(note.address, None)
        elif note.address in after:
            after[note.address] = replace(after[note.address], **cast("Mapping[str, Any]", note.remember))
        else:
            after[note.address] = Remembered(note.address, **cast("Mapping[str, Any]", note.remember))
    return after


def note_aliases(notes: Iterable[Note], rows: Mapping[Address, RememberedAlias]) -> dict[Address, RememberedAlias]:
    """Return the rows of the state file after some notes about aliases."""
    after = dict(rows)
    for note in notes:
        if note.remember is None:
            after.pop(note.address, None)
        elif note.address in after:
            after[note.address] = replace(after[note.address], **cast("Mapping[str, Any]", note.remember))
        else:
            after[note.address] = RememberedAlias(note.address, **cast("Mapping[str, Any]", note.remember))
    return after


def planned(view: Case) -> tuple[Plan, Case]:
    """Return the plan as a run makes it: where it changes rights, the present rows are read, and it is made again."""
    plan = make_plan(view)
    if plan.unread:
        mailboxes = _with_senders(view).mailboxes
        read = {address: mailboxes[address].senders or frozenset() for address in plan.unread}
        view = replace(view, senders={**view.senders, **read})
        plan = make_plan(view)
    return plan, view


def simulate(plan: Plan, view: Case) -> Case:
    """Return the view of a second run at the same time, after every change of the plan was carried out.

    Raises RefusedError where mailcow would refuse one.
    """
    actual = send_all(plan.changes, _with_senders(view))
    named = {
        name for change in plan.changes if isinstance(change, RenameChange) for name in (change.former, change.address)
    }
    memory = _noted(view.memory, [note for note in plan.notes if note.address not in named])
    for change in plan.changes:
        memory = remembered(memory, change)
    stamps = [
        Note(change.address, {"passwd_update": actual.mailboxes[change.address].passwd_update})
        for change in plan.changes
        if isinstance(change, MailboxChange) and change.password
    ]
    memory = _noted(memory, [*(note for note in plan.notes if note.address in named), *stamps])
    memory = replace(memory, sources={**memory.sources, view.source.name: plan.source})
    return replace(view, actual=actual, memory=memory, senders={})


def _noted(memory: Memory, notes: Sequence[Note]) -> Memory:
    return replace(
        memory,
        mailboxes=note_all((note for note in notes if note.subject is Subject.MAILBOX), memory.mailboxes),
        aliases=note_aliases((note for note in notes if note.subject is Subject.ALIAS), memory.aliases),
    )


def _with_senders(view: Case) -> Actual:
    """Return mailcow with its rows of senders, as far as any are known of: from a reading, else by the state file."""
    found = dict(view.actual.mailboxes)
    for address, box in view.actual.mailboxes.items():
        row = view.memory.mailboxes.get(address)
        told = view.senders.get(address)
        rows = told if told is not None else row.senders if row else frozenset()
        if box.senders is None and rows:
            found[address] = replace(box, senders=rows)
    return replace(view.actual, mailboxes=found)
