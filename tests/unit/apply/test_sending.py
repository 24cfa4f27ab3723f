"""What surely did nothing is sent again."""

from __future__ import annotations

import pytest

from ldap2mailcow.apply.sending import NotDoneError, send_safely, send_unless_refused
from ldap2mailcow.http import Unreachable
from ldap2mailcow.mailcow import Mailcow, Sent
from ldap2mailcow.model import Call
from tests.unit.plan.builders import ANN

CALL = Call("edit/mailbox", (ANN,), {"name": "Ann"}, "mailbox_modified")
DONE = Sent(done=frozenset({ANN}))


class Sender:
    """Says these things one after the other, the last one for ever."""

    def __init__(self, *said: Sent | Exception) -> None:
        self.said = list(said)
        self.asked = 0

    def __call__(self, _client: Mailcow, _call: Call) -> Sent:
        self.asked += 1
        found = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_it_is_sent_again_while_no_connection_comes_about(
    client: Mailcow, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    sender = Sender(*[Unreachable("no connection")] * failures, DONE)
    monkeypatch.setattr("ldap2mailcow.apply.sending.send", sender)
    assert send_safely(client, CALL) == DONE
    assert sender.asked == failures + 1


def test_it_is_given_up_after_a_few_times(client: Mailcow, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(Unreachable("no connection"))
    monkeypatch.setattr("ldap2mailcow.apply.sending.send", sender)
    with pytest.raises(Unreachable):
        send_safely(client, CALL)
    assert sender.asked == 4


@pytest.mark.parametrize("failures", [0, 1])
def test_what_lasts_is_not_tried_again(client: Mailcow, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    sender = Sender(*[Unreachable("no connection")] * failures, Unreachable("a wrong certificate", lasting=True))
    monkeypatch.setattr("ldap2mailcow.apply.sending.send", sender)
    with pytest.raises(Unreachable, match="a wrong certificate"):
        send_safely(client, CALL)
    assert sender.asked == failures + 1


def test_a_refusal_of_the_only_item_is_an_error(client: Mailcow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ldap2mailcow.apply.sending.send", Sender(Sent(refused={ANN: "mailcow says no"})))
    with pytest.raises(NotDoneError, match="mailcow says no"):
        send_unless_refused(client, CALL)
