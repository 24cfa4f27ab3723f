"""One batch: whatever mailcow's answers, the end of every change is certain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ldap2mailcow.apply.batches import carry_out
from ldap2mailcow.apply.live import Now
from ldap2mailcow.calls import Batch, phases
from ldap2mailcow.mailcow import Mailcow, Refused, Unreachable
from ldap2mailcow.model import Address, AliasChange, Change, Kind, MailboxChange, Outcome, Rule, Value
from tests.mailcow_server import FaultKind, MailcowServer
from tests.unit.plan.builders import ANN, BOB, CAT, INFO, MARK, TEAM

from .changes import NEWER, VALUES, alias, create, do, mailbox, make_alias

UNKNOWN = [FaultKind.EMPTY_BODY, FaultKind.EMPTY_BODY_AFTER, FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER]
"""After each of these it must be read what was done."""
NOT_DONE = [FaultKind.EMPTY_BODY, FaultKind.DROP_BEFORE]


def batch_of(*changes: Change) -> Batch:
    ((batch,),) = (phase.batches for phase in phases(changes))
    return batch


def outcomes(client: Mailcow, *changes: Change) -> dict[Address, Outcome]:
    ended = carry_out(client, batch_of(*changes))
    assert ended.trouble is None
    return {outcome.change.address: outcome for outcome in ended.outcomes}


def detail(client: Mailcow, change: Change) -> str:
    (outcome,) = outcomes(client, change).values()
    assert not outcome.done
    return outcome.detail


def writes(server: MailcowServer) -> list[str]:
    return [request.path.removesuffix(f"/{ANN}") for request in server.log.writes()]


def update(address: Address, **writes: Value) -> MailboxChange:
    return MailboxChange(Kind.UPDATE, address, Rule.LDAP, writes=writes)


def remove(client: Mailcow, address: Address) -> AliasChange:
    return AliasChange(Kind.REMOVE, address, Rule.NOT_WANTED, number=alias(client, address).number)


CHANGES: dict[str, Callable[[Mailcow], Change]] = {
    "a new mailbox": lambda _: create(BOB),
    "an edit": lambda _: update(ANN, name="New"),
    "a deletion": lambda _: MailboxChange(Kind.DELETE, CAT, Rule.EXPIRED),
    "a new alias": lambda _: make_alias(TEAM, ANN),
    "a removal": lambda client: remove(client, INFO),
}


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_may_or_may_not_be_done_is_done_once(
    server: MailcowServer, client: Mailcow, change: Callable[[Mailcow], Change], kind: FaultKind
) -> None:
    do(client, create(ANN), create(CAT), make_alias(INFO, ANN))
    found = change(client)
    (call,) = batch_of(found).calls
    before = len(server.log.writes())
    server.faults.add(kind, call.endpoint)
    assert [outcome.done for outcome in outcomes(client, found).values()] == [True]
    assert len(server.log.writes()) - before == (2 if kind in NOT_DONE else 1)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_never_comes_to_an_end_is_given_up(
    server: MailcowServer, client: Mailcow, change: Callable[[Mailcow], Change]
) -> None:
    do(client, create(ANN), create(CAT), make_alias(INFO, ANN))
    found = change(client)
    before = len(server.log.writes())
    server.faults.add(FaultKind.EMPTY_BODY, times=None)
    assert detail(client, found)
    assert len(server.log.writes()) - before == 4


@pytest.mark.parametrize("kind", UNKNOWN)
def test_of_several_requests_those_that_show_are_not_sent_again(
    server: MailcowServer, client: Mailcow, kind: FaultKind
) -> None:
    do(client, create(ANN))
    server.clock.advance(60)
    change = replace(
        update(ANN, name="New", tls_enforce_out=1),
        password=NEWER,
        remove_tags=(MARK,),
        passwd_update=mailbox(client, ANN).passwd_update,
    )
    server.log.clear()
    server.faults.add(kind, "edit/tls_policy")
    assert outcomes(client, change)[ANN].done
    again = ["edit/tls_policy"] if kind in NOT_DONE else []
    assert writes(server) == ["edit/mailbox", "edit/tls_policy", *again, "delete/mailbox/tag"]


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_request_waits_until_the_one_before_it_is_certain(
    server: MailcowServer, client: Mailcow, kind: FaultKind
) -> None:
    """The mark of a release must be there before ours goes: without any, the mailbox would be adopted again."""
    do(client, create(ANN))
    change = MailboxChange(Kind.RELEASE, ANN, Rule.RELEASED, add_tags=("ldap-sync:released",), remove_tags=(MARK,))
    server.log.clear()
    server.faults.add(kind, "edit/mailbox")
    assert outcomes(client, change)[ANN].done
    again = ["edit/mailbox"] if kind in NOT_DONE else []
    assert writes(server) == ["edit/mailbox", *again, "delete/mailbox/tag"]
    assert mailbox(client, ANN).tags == {"ldap-sync:released"}


def test_of_a_batch_each_item_ends_by_itself(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN), create(CAT))
    domain = server.state.domains[ANN.domain]
    domain.maxquota = 150
    found = outcomes(client, *(update(one, quota=140) for one in (ANN, BOB, CAT)))
    assert {one: outcome.done for one, outcome in found.items()} == {ANN: True, BOB: False, CAT: True}
    assert found[BOB].detail == "it is no longer in mailcow"
    assert mailbox(client, CAT).attributes["quota"] == 140


def test_what_mailcow_refuses_is_told_in_its_words_and_not_sent_on(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN))
    server.log.clear()
    assert "the domain can give this mailbox" in detail(client, update(ANN, quota=10**6, tls_enforce_out=1))
    assert writes(server) == ["edit/mailbox"]


def test_what_mailcow_refuses_the_second_time_is_told_in_its_words(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN))
    server.faults.add(FaultKind.EMPTY_BODY, "edit/mailbox")
    assert "the domain can give this mailbox" in detail(client, update(ANN, quota=10**6))


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.REMOVE])
def test_an_alias_that_is_gone_is_not_made_anew(client: Mailcow, kind: Kind) -> None:
    do(client, create(ANN), make_alias(INFO, ANN))
    change = AliasChange(kind, INFO, Rule.LDAP, writes={"active": 0}, number=alias(client, INFO).number)
    do(client, remove(client, INFO))
    outcome = outcomes(client, change)[INFO]
    assert (outcome.done, outcome.detail) == (
        (True, "") if kind is Kind.REMOVE else (False, "it is no longer in mailcow")
    )
    assert Now(client).alias(INFO) is None


def test_an_alias_that_was_made_meanwhile_is_left_alone(client: Mailcow) -> None:
    do(client, create(ANN), create(CAT), make_alias(INFO, ANN))
    change = AliasChange(Kind.UPDATE, INFO, Rule.LDAP, writes={"active": 0}, number=alias(client, INFO).number)
    do(client, remove(client, INFO), make_alias(INFO, CAT))
    assert "somebody else made it meanwhile" in detail(client, change)
    assert alias(client, INFO).is_active


def test_an_alias_of_ours_that_was_made_otherwise_is_completed(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN), create(CAT))
    server.faults.add(FaultKind.EMPTY_BODY_AFTER, "add/alias")
    do(client, make_alias(INFO, CAT))
    server.faults.add(FaultKind.EMPTY_BODY, "add/alias")
    assert outcomes(client, make_alias(INFO, ANN))[INFO].done
    assert alias(client, INFO).goto == {ANN}


def test_an_alias_that_was_made_by_hand_meanwhile_is_not_taken(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN), create(CAT), make_alias(INFO, CAT, private_comment=""))
    server.faults.add(FaultKind.EMPTY_BODY, "add/alias")
    assert "somebody else made it meanwhile" in detail(client, make_alias(INFO, ANN))
    assert alias(client, INFO).goto == {CAT}


def test_a_mailbox_that_was_made_by_hand_meanwhile_is_not_taken(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN, add_tags=()))
    server.faults.add(FaultKind.EMPTY_BODY, "add/mailbox")
    assert "somebody else made it meanwhile" in detail(client, create(ANN, password=NEWER))
    assert mailbox(client, ANN).tags == set()


def test_a_mailbox_that_was_made_in_part_is_completed(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN, writes={**VALUES, "name": "", "tls_enforce_in": 0}))
    stored = server.state.mailbox(ANN)
    assert stored is not None
    stored.password = NEWER.get_secret_value()
    server.log.clear()
    server.faults.add(FaultKind.EMPTY_BODY, "add/mailbox")
    assert outcomes(client, create(ANN))[ANN].done
    assert writes(server) == ["add/mailbox", "edit/mailbox", "edit/tls_policy"]
    assert mailbox(client, ANN).attributes == VALUES
    assert stored.password == NEWER.get_secret_value(), "it has the password that it was made with"


@pytest.mark.parametrize("change", [create(ANN), update(ANN, name="New")], ids=["create", "update"])
def test_half_a_mailbox_is_told_and_left(server: MailcowServer, client: Mailcow, change: MailboxChange) -> None:
    do(client, create(ANN))
    stored = server.state.mailbox(ANN)
    assert stored is not None
    stored.half_deleted = True
    server.faults.add(FaultKind.EMPTY_BODY)
    assert "mailcow holds only half of it" in detail(client, change)


# deletions


def test_nothing_is_deleted_while_the_mail_would_stay(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN))
    server.state.container_states["dovecot-mailcow"] = "exited"
    server.log.clear()
    assert "dovecot-mailcow is exited" in detail(client, MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED))
    assert writes(server) == []


def test_a_deletion_of_which_half_is_left_is_sent_again(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN))
    server.faults.add(FaultKind.HALF_DELETED, "delete/mailbox")
    assert outcomes(client, MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED))[ANN].done
    assert not Now(client).has_mailbox(ANN)


def test_a_deletion_is_not_sent_again_once_the_mail_would_stay(
    server: MailcowServer, client: Mailcow, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(client, create(ANN))
    troubles = iter(["", "dovecot went away"])
    monkeypatch.setattr("ldap2mailcow.apply.again.mail_store_trouble", lambda _: next(troubles))
    server.faults.add(FaultKind.EMPTY_BODY, "delete/mailbox")
    assert detail(client, MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED)) == "dovecot went away"
    assert Now(client).has_mailbox(ANN)


# trouble


def test_trouble_ends_all_that_is_open(server: MailcowServer, client: Mailcow) -> None:
    do(client, create(ANN), create(CAT))
    server.stop()
    ended = carry_out(client, batch_of(update(ANN, name="New"), update(CAT, name="New")))
    assert isinstance(ended.trouble, Unreachable)
    assert [(outcome.change.address, outcome.done) for outcome in ended.outcomes] == [(ANN, False), (CAT, False)]
    assert {outcome.detail for outcome in ended.outcomes} == {str(ended.trouble)}


def test_a_key_that_is_refused_keeps_what_is_certain(server: MailcowServer, client: Mailcow) -> None:
    """One of two is certain when the other is read again, with a key that is no longer taken."""
    do(client, create(ANN), create(CAT))
    server.faults.add(FaultKind.DEADLOCK, "edit/mailbox", CAT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ldap2mailcow.apply.again.is_done", _refuse)
        ended = carry_out(client, batch_of(update(ANN, name="New"), update(CAT, name="New")))
    assert isinstance(ended.trouble, Refused)
    assert {outcome.change.address: outcome.done for outcome in ended.outcomes} == {ANN: True, CAT: False}


def _refuse(_change: Change, _now: Now) -> bool:
    raise Refused("the key is refused")
