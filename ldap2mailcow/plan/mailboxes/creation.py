"""New mailboxes: made whole in one call, or a finding that says why not."""

from __future__ import annotations

from ldap2mailcow.desired import NOBODY
from ldap2mailcow.model import (
    ACTIVE,
    ATTRIBUTES,
    AUTHSOURCE,
    QUOTA,
    Cause,
    Code,
    FieldChange,
    Kind,
    Mailbox,
    MailboxChange,
    Origin,
    Why,
)
from ldap2mailcow.plan.draft import Draft
from ldap2mailcow.plan.ownership import alias_left_alone
from ldap2mailcow.plan.remembering import applied, identity


def create(draft: Draft, mailbox: Mailbox) -> None:
    """Plan a new mailbox, whole in one call, or say why it can't be made."""
    view, address = draft.view, mailbox.address
    writes = {AUTHSOURCE.key: "mailcow", **mailbox.attributes}
    if address in view.settled.halves:
        return  # it is deleted again in this run: mailcow makes no other before that
    if address in view.actual.aliases and address not in draft.freed:
        draft.find(
            Code.ADDRESS_IS_ALIAS,
            mailbox.dn,
            f"{address} is an alias in mailcow, so no mailbox can be made; {_remedy(draft, mailbox)}",
        )
        return
    if address in view.wishes.aliases or address in view.others.aliases:
        return  # wanted as an alias too: nobody gets it, and the aliases tell
    if address in view.wishes.contested or address in view.others.contested:
        draft.find(
            Code.DUPLICATE_ADDRESS,
            mailbox.dn,
            f"it wants {address} as a mailbox and others want it as an alias; nobody gets it until only one of them "
            "has it in the directory",
        )
        return
    if not provider_ready(draft, mailbox):
        return
    password = mailbox.password
    if writes[AUTHSOURCE.key] == "mailcow" and password is None:
        if view.config.missing_password == "skip":  # noqa: S105 - a setting
            if "password" not in mailbox.present:
                draft.find(
                    Code.NO_PASSWORD,
                    mailbox.dn,
                    f"it shows no {view.source.user_mapping.password or 'password'}, so {address} is not created; let "
                    "the bind DN read it, or set missing_password: random for a mailbox that can't be logged in to yet",
                )
            return
        password = NOBODY
    room = draft.rooms[address.domain]
    if over := room.over_limit(address, int(writes.get(QUOTA.key, 0)), mailbox.dn):
        draft.findings.append(over)
        del writes[QUOTA.key]
    quota = int(writes.setdefault(QUOTA.key, room.domain.default_quota))
    if full := room.take_mailbox(address, quota, mailbox.dn):
        draft.findings.append(full)
        return
    inactive = writes.setdefault(ACTIVE.key, 1) == 0
    draft.changes.append(
        MailboxChange(
            Kind.CREATE,
            address,
            Why.NEW,
            mailbox.dn,
            fields=tuple(FieldChange(key, None, writes[key]) for key in ATTRIBUTES if key in writes),
            writes=writes,
            password=password,
            add_tags=(*draft.marks.tags, *([draft.disabled_tag] if inactive else [])),
            rebuilds=1 if inactive else 0,
            remember={
                **identity(draft, mailbox),
                "origin": Origin.CREATED,
                "applied": applied(mailbox, writes),
                "digest": view.memory.seal(password) if password else None,
                "passwd_update": None,
                "kept": False,
                "was_active": 1,
                "barred": 0,
                "disabled": Cause.STATUS if inactive else None,
                "senders": frozenset(),
                "foreign_senders": frozenset(),
                "senders_checked": None,
            },
        ),
    )


def _remedy(draft: Draft, mailbox: Mailbox) -> str:
    left = alias_left_alone(draft, mailbox.address)
    if left and left.code is Code.OTHER_INSTALLATION:
        return left.sentence
    wish = draft.view.wishes.aliases.get(mailbox.address) or draft.view.others.aliases.get(mailbox.address)
    row = draft.view.memory.aliases.get(mailbox.address)
    if wish:
        return f"{wish.dn or 'a list'} keeps it until one of them has another address in the directory"
    if row:
        return "it was made from here, and goes once its entry has been gone for as long as removed_users says"
    return "delete that alias in mailcow"


def provider_ready(draft: Draft, mailbox: Mailbox) -> bool:
    """Tell whether the identity provider a mailbox shall use is set up; mailcow would silently take its own."""
    wanted, there = mailbox.attributes.get(AUTHSOURCE.key, "mailcow"), draft.view.actual.provider
    if wanted in ("mailcow", there):
        return True
    draft.find_once(
        Code.PROVIDER_NOT_SET_UP,
        draft.view.source.name,
        f"its people shall log in through {wanted}, but mailcow's identity provider is "
        f"{'not set up' if there == 'mailcow' else there}, so none of them is moved there or created; set it up in "
        "mailcow, or set user_mapping.authsource: mailcow",
    )
    return False
