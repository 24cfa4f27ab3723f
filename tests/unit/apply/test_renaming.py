"""A rename: each of its requests is certain before the next."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from ldap2mailcow.apply.batches import carry_out
from ldap2mailcow.apply.live import Now
from ldap2mailcow.calls import phases
from ldap2mailcow.mailcow import Mailcow
from ldap2mailcow.model import Outcome, RenameChange
from tests.mailcow_server import FaultKind, LoggedRequest, MailcowServer
from tests.unit.plan.builders import ANN, BOB, CAT

from . import changes
from .changes import alias, create, do, make_alias

FAULTS = [FaultKind.EMPTY_BODY, FaultKind.EMPTY_BODY_AFTER, FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER]


@pytest.fixture
def change(server: MailcowServer, client: Mailcow) -> RenameChange:
    """Ann's mailbox is to be Bob's address, where an alias of hers gives way."""
    do(client, create(ANN), make_alias(BOB, ANN))
    server.state.mail[ANN] = "her mail"
    found = changes.rename(ANN, BOB, gives_way=alias(client, BOB).number)
    server.log.clear()
    return found


def outcome(client: Mailcow, change: RenameChange) -> Outcome:
    ((batch,),) = (phase.batches for phase in phases([change]))
    (found,) = carry_out(client, batch).outcomes
    return found


def is_renamed(server: MailcowServer, client: Mailcow, change: RenameChange) -> bool:
    now = Now(client)
    assert server.state.mail == {BOB: "her mail"}
    left = now.alias(ANN)
    is_left = left is not None and all(left.values[key] == value for key, value in change.left.items())
    return is_left and now.has_mailbox(BOB) and not now.has_mailbox(ANN) and now.alias(BOB) is None


def test_a_rename_is_its_requests_and_no_reading_between(
    server: MailcowServer, client: Mailcow, change: RenameChange
) -> None:
    assert outcome(client, change) == Outcome(change, done=True)
    paths = ["get/status/containers", "delete/alias", "edit/rename-mbox", "edit/alias"]
    assert [request.path for request in server.log] == paths
    assert is_renamed(server, client, change)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("path", ["delete/alias", "edit/rename-mbox", "edit/alias"])
def test_a_request_that_may_or_may_not_be_done_is_done_once(
    server: MailcowServer, client: Mailcow, change: RenameChange, path: str, kind: FaultKind
) -> None:
    server.faults.add(kind, path)
    assert outcome(client, change).done
    assert is_renamed(server, client, change)
    sent_again = kind in (FaultKind.EMPTY_BODY, FaultKind.DROP_BEFORE)
    assert len(server.log.writes(path)) == (2 if sent_again else 1)


@pytest.mark.parametrize("path", ["delete/alias", "edit/rename-mbox"])
def test_what_never_comes_to_an_end_ends_the_rename(
    server: MailcowServer, client: Mailcow, change: RenameChange, path: str
) -> None:
    server.faults.add(FaultKind.EMPTY_BODY, path, times=None)
    found = outcome(client, change)
    assert not found.done
    assert found.detail
    assert server.log[-1].path != "edit/alias"
    assert Now(client).has_mailbox(ANN)


def test_what_mailcow_refuses_ends_the_rename(client: Mailcow, change: RenameChange) -> None:
    do(client, create(CAT))
    found = outcome(client, replace(change, address=CAT, gives_way=None))
    assert not found.done
    assert CAT in found.detail
    assert Now(client).has_mailbox(ANN)


def test_nothing_is_renamed_while_the_mail_would_stay(
    server: MailcowServer, client: Mailcow, change: RenameChange
) -> None:
    server.state.container_states["dovecot-mailcow"] = "exited"
    assert "dovecot-mailcow is exited" in outcome(client, change).detail
    assert server.log.writes() == []


def test_it_is_not_sent_again_once_the_mail_would_stay(
    server: MailcowServer, client: Mailcow, change: RenameChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = iter(["", "dovecot went away", "dovecot went away", "dovecot went away"])
    monkeypatch.setattr("ldap2mailcow.apply.renaming.mail_store_trouble", lambda _: next(troubles))
    server.faults.add(FaultKind.EMPTY_BODY, "edit/rename-mbox")
    assert outcome(client, change).detail == "dovecot went away"
    assert len(server.log.writes("edit/rename-mbox")) == 1


def test_an_alias_that_mailcow_has_not_left_is_made(
    server: MailcowServer, client: Mailcow, change: RenameChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain, add = server.state.domains[ANN.domain], server.log.add
    domain.aliases = 0

    def added(request: LoggedRequest) -> None:
        add(request)
        if request.path == "edit/rename-mbox":
            domain.aliases = 10

    monkeypatch.setattr(server.log, "add", added)
    assert outcome(client, change).done
    assert [request.path for request in server.log.writes()] == ["delete/alias", "edit/rename-mbox", "add/alias"]
    assert is_renamed(server, client, change)


def test_a_rename_is_done_though_its_alias_is_refused_and_the_log_says_so(
    server: MailcowServer, client: Mailcow, change: RenameChange, caplog: pytest.LogCaptureFixture
) -> None:
    """The mailbox has its name; the next run finds an alias that isn't as it should be."""
    server.state.domains[ANN.domain].aliases = 0
    with caplog.at_level(logging.WARNING):
        assert outcome(client, change).done
    assert f"{BOB} was renamed, but {ANN} is no alias as it should be" in caplog.text
    assert Now(client).has_mailbox(BOB)
