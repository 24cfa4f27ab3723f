"""Every request shows in mailcow once it is sent, and not before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ldap2mailcow.apply.live import Now
from ldap2mailcow.calls import requests_of
from ldap2mailcow.mailcow import Mailcow, send
from ldap2mailcow.model import AliasChange, Change, Kind, MailboxChange, Rule
from tests.mailcow_server import MailcowServer
from tests.unit.plan.builders import ANN, BOB, CAT, DISABLED_TAG, INFO, MARK, TEAM

from .changes import NEWER, alias, create, do, mailbox, make_alias


def _edit(client: Mailcow) -> MailboxChange:
    return MailboxChange(
        Kind.UPDATE,
        ANN,
        Rule.LDAP,
        writes={"name": "New", "quota": 200, "tls_enforce_out": 1},
        password=NEWER,
        add_tags=(DISABLED_TAG,),
        remove_tags=(MARK,),
        passwd_update=mailbox(client, ANN).passwd_update,
    )


CHANGES: dict[str, Callable[[Mailcow], Change]] = {
    "a new mailbox": lambda _: create(BOB),
    "an edit of everything": _edit,
    "rights": lambda _: MailboxChange(Kind.GRANT, ANN, Rule.LDAP, senders=(CAT, INFO)),
    "a deletion": lambda _: MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED),
    "a new alias": lambda _: make_alias(TEAM, ANN, CAT),
    "an edit of an alias": lambda client: AliasChange(
        Kind.UPDATE, INFO, Rule.LDAP, writes={"goto": f"{ANN},{CAT}"}, number=alias(client, INFO).number
    ),
    "a removal": lambda client: AliasChange(Kind.REMOVE, INFO, Rule.NOT_WANTED, number=alias(client, INFO).number),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_request_is_done_after_it_is_sent_and_not_before(
    server: MailcowServer, client: Mailcow, change: Callable[[Mailcow], Change]
) -> None:
    do(client, create(ANN), create(CAT), make_alias(INFO, CAT))
    server.clock.advance(60)
    for request in requests_of(change(client)):
        assert not request.is_done(Now(client))
        assert send(client, request.call).done == set(request.call.items)
        assert request.is_done(Now(client))


def test_half_a_mailbox_is_there_and_shows_nothing(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN))
    found = server.state.mailbox(ANN)
    assert found is not None
    found.half_deleted = True
    assert (Now(client).has_mailbox(ANN), Now(client).mailbox(ANN)) == (True, None)
    assert (Now(client).has_mailbox(BOB), Now(client).mailbox(BOB)) == (False, None)


def test_what_was_read_is_not_read_again(server: MailcowServer, client: Mailcow) -> None:
    now = Now(client)
    for _ in range(2):
        assert not now.has_mailbox(ANN)
        assert now.mailbox(ANN) is None
        assert now.alias(INFO) is None
    assert len(server.log) == 2
