"""A server that refuses us is asked once: mailcow bans the address, Active Directory locks the account."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.directory_server import Slapd
from tests.directory_server.scripted import Done as Reply
from tests.directory_server.scripted import ScriptedServer, pages
from tests.mailcow_server import READ_ONLY_KEY, MailcowServer
from tests.mailcow_server.api import Keys

from .installation import Installation, after_write

WRONG_KEY = "XXXXXX-XXXXXX-XXXXXX-XXXXXX-XXXXXX"
INVALID_CREDENTIALS = Reply(
    49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563"
)


def test_a_wrong_bind_password_is_one_bind_and_nothing_for_a_quarter_of_an_hour(
    tmp_path: Path, slapd: Slapd, mailcow: MailcowServer
) -> None:
    house = Installation(tmp_path, slapd, mailcow)
    with ScriptedServer(pages([]), bind=INVALID_CREDENTIALS) as directory:
        house.config(ldap__uri=[directory.uri, slapd.uri])
        refused = house.at_clock()
        assert (refused.code, directory.binds) == (77, 1)
        assert "LDAP refused" in refused.out
        assert "the password is wrong" in refused.out
        requests = len(directory.requests)

        soon = house.again("-v", minutes=14)
        assert soon.code == 77
        assert "LDAP refused these credentials at 10:00 UTC, and nothing is asked again for 15 minutes" in soon.out
        assert len(directory.requests) == requests

        directory.bind = Reply()
        assert house.again(minutes=1).code == 4  # it answers now, and has nobody
        assert directory.binds == 2
    assert len(mailcow.log.writes()) == 0


def test_a_corrected_password_is_tried_at_once(house: Installation) -> None:
    house.people(1)
    house.config(ldap__bind_pw="wrong")
    assert house.run().code == 77
    assert house.run().code == 77
    house.config(ldap__bind_pw=house.slapd.reader_password)
    assert house.run().code == 0
    assert house.has_mailbox(1)


def test_the_old_password_is_still_not_tried_after_another_wrong_one(house: Installation) -> None:
    house.config(ldap__bind_pw="wrong")
    house.at_clock()
    house.config(ldap__bind_pw="wrong too")
    house.again(minutes=1)
    house.config(ldap__bind_pw="wrong")
    assert "refused these credentials at 10:00 UTC" in house.again("-v", minutes=1).out


def test_a_wrong_key_is_one_request_and_nothing_for_a_quarter_of_an_hour(house: Installation) -> None:
    house.people(1)
    house.config(mailcow_api_key=WRONG_KEY)
    refused = house.at_clock()
    assert refused.code == 77
    assert "mailcow refused: mailcow doesn't accept mailcow_api_key" in refused.out
    assert [request.status for request in house.mailcow.log] == [401]
    assert house.again(minutes=14).code == 77
    assert len(house.mailcow.log) == 1
    assert house.again(minutes=1).code == 77
    assert len(house.mailcow.log) == 2


def test_a_corrected_key_is_tried_at_once(house: Installation) -> None:
    house.people(1)
    house.config(mailcow_api_key=WRONG_KEY)
    house.run()
    house.config(mailcow_api_key=house.mailcow.api_key)
    assert house.run().code == 0


def test_a_key_that_may_only_read_is_refused_at_the_first_write(house: Installation) -> None:
    house.people(1, 2, 3, 4, 5)
    house.config(mailcow_api_key=READ_ONLY_KEY, mailcow_connections=1)
    done = house.run()
    assert done.code == 77
    assert "may only read" in done.out
    assert len(house.mailcow.log.writes()) == 1
    assert house.mailcow.state.mailboxes == {}


def test_a_key_that_is_refused_in_the_middle_ends_the_run_at_once(house: Installation) -> None:
    house.people(*range(1, 11))
    house.config(mailcow_connections=1)

    def revoke() -> None:
        house.mailcow._keys = Keys("another", "another still")

    with after_write(4, house.mailcow, revoke):
        done = house.at_clock("--output", "json")
    assert done.code == 77
    assert [write.status for write in house.mailcow.log.writes()] == [200] * 4 + [401]
    outcomes = [change["outcome"] for change in done.document["changes"]]
    assert outcomes == ["done"] * 4 + ["failed"] + ["not_tried"] * 5
    assert not house.mailcow.log[-1].path.startswith("get")


def test_a_dry_run_that_is_refused_leaves_no_trace(house: Installation) -> None:
    house.config(ldap__bind_pw="wrong")
    assert house.run("--dry-run").code == 77
    assert not house.state_file.exists()


@pytest.mark.parametrize("key", ["ldap__bind_pw", "mailcow_api_key"])
def test_a_refusal_that_was_written_while_the_clock_was_ahead_counts_as_past(house: Installation, key: str) -> None:
    """Else a year of a wrong clock would be a year without a run."""
    house.config(**{key: "wrong"})
    house.hands.forward(days=73 * 365)
    assert house.at_clock().code == 77
    assert "nothing is asked again" in house.again("-v", minutes=1).out
    house.hands.forward(days=-73 * 365)
    asked = house.at_clock("-v")
    assert asked.code == 77
    assert "nothing is asked again" not in asked.out
    assert "nothing is asked again" in house.again("-v", minutes=1).out
