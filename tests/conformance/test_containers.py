"""What a container that is down means for renames and deletions; the mail on disk is the stand-in's own.

A real server's containers aren't stopped for a case: these hold what was measured on one whose container API was told
how to fail (mailcow API facts §20).
"""

import pytest

from tests.mailcow_server import MailcowServer

from .client import Answer
from .place import Place

DOMAIN, DOVECOT = "example.org", "dovecot-mailcow"
ANN, ANNA, BEN = f"ann@{DOMAIN}", f"anna@{DOMAIN}", f"ben@{DOMAIN}"
STAYS = "Could not move maildir to garbage collector: "


@pytest.fixture
def server(own_place: Place) -> MailcowServer:
    for local_part in ("ann", "ben"):
        own_place.mailbox(DOMAIN, local_part)
    server = own_place.own_server()
    server.state.mail = {ANN: "mail of ann"}
    return server


def rename(place: Place, old: str = "ann", new: str = "anna", create_alias: int = 0) -> Answer:
    fields = {"domain": DOMAIN, "old_local_part": old, "new_local_part": new, "create_alias": create_alias}
    return place.api.edit("rename-mbox", f"{old}@{DOMAIN}", **fields)


def delete(place: Place, address: str = ANN) -> Answer:
    return place.api.post("delete/mailbox", [address])


def break_containers(server: MailcowServer, how: str) -> None:
    if how == "null":
        server.state.containers_answer = False
    elif how == "move":
        server.state.mail_stays = True
    else:
        server.state.container_states[DOVECOT] = how


def test_states_in_the_list(own_place: Place, server: MailcowServer) -> None:
    """'one that was removed isn't there'; 'null where the container API answers an error' (facts §20)."""
    states = server.state.container_states
    for state in ("exited", "restarting", "paused"):
        states[DOVECOT] = state
        assert own_place.api.get("get/status/containers").json[DOVECOT]["state"] == state
    states[DOVECOT] = "missing"
    assert DOVECOT not in own_place.api.get("get/status/containers").json
    server.state.containers_answer = False
    answer = own_place.api.get("get/status/containers")
    assert (answer.status, answer.content_type, answer.text) == (200, "application/json", "null")


def test_mail_is_moved(own_place: Place, server: MailcowServer) -> None:
    """'running: mail moved; mail to the garbage' (mailcow API facts §20)."""
    rename(own_place)
    assert server.state.mail == {ANNA: "mail of ann"}
    assert delete(own_place, ANNA).said == [("success", ["mailbox_removed", ANNA])]
    assert (server.state.mail, server.state.garbage) == ({}, ["mail of ann"])


@pytest.mark.parametrize("how", ["exited", "missing", "null", "move"])
def test_rename_says_nothing_of_mail_that_stays(own_place: Place, server: MailcowServer, how: str) -> None:
    """'success, the mail stays under the old name' (mailcow API facts §20)."""
    break_containers(server, how)
    assert [kind for kind, _ in rename(own_place, create_alias=1).said] == ["success", "success"]
    assert own_place.read(ANNA)["username"] == ANNA
    assert server.state.mail == {ANN: "mail of ann"}


@pytest.mark.parametrize("how", ["restarting", "paused"])
def test_rename_dies_at_a_busy_container(own_place: Place, server: MailcowServer, how: str) -> None:
    """'restarting, paused: empty body, nothing changed' (mailcow API facts §20)."""
    break_containers(server, how)
    before = server.snapshot()
    answer = rename(own_place, create_alias=1)
    assert (answer.status, answer.text) == (200, "")
    assert server.snapshot() == before


@pytest.mark.parametrize(
    ("how", "reason"),
    [("exited", ""), ("missing", ""), ("null", ""), ("restarting", "Container "), ("move", "command ")],
)
def test_deletion_warns_of_mail_that_stays(own_place: Place, server: MailcowServer, how: str, reason: str) -> None:
    """'warning with an empty reason, then success; the mail stays' (mailcow API facts §20)."""
    break_containers(server, how)
    (kind, message), done = delete(own_place).said
    assert (kind, done) == ("warning", ("success", ["mailbox_removed", ANN]))
    assert message.startswith(STAYS + reason)
    assert bool(message.removeprefix(STAYS)) is bool(reason)
    assert (server.state.mail, server.state.garbage) == ({ANN: "mail of ann"}, [])


def test_mail_lands_within_a_folder_that_is_there(own_place: Place, server: MailcowServer) -> None:
    """'isn't replaced: the mail lands within it (new/old/)' (mailcow API facts §20)."""
    server.state.mail[ANNA] = "somebody else's"
    rename(own_place)
    assert server.state.mail == {ANNA: "somebody else's", f"{ANNA}/ann": "mail of ann"}


def test_folder_is_found_by_the_text_that_was_sent(own_place: Place, server: MailcowServer) -> None:
    """'the folder of its mail is looked for by the very text that was sent' (mailcow API facts §20)."""
    rename(own_place, "Ann")
    assert server.state.mail == {ANN: "mail of ann"}


def test_failed_move_is_mended_by_going_back_and_again(own_place: Place, server: MailcowServer) -> None:
    """'mended by a rename back and again, if nothing made a folder at the new name meanwhile' (facts §20)."""
    server.state.mail_stays = True
    rename(own_place)
    server.state.mail_stays = False
    rename(own_place, "anna", "ann")
    rename(own_place)
    assert server.state.mail == {ANNA: "mail of ann"}


def test_folder_left_behind_goes_by_a_mailbox_that_goes(own_place: Place, server: MailcowServer) -> None:
    """'goes to the garbage by add/mailbox and delete/mailbox at its address, dovecot running' (facts §20)."""
    break_containers(server, "exited")
    delete(own_place)
    server.state.container_states.clear()
    own_place.mailbox(DOMAIN)
    assert server.state.mail == {ANN: "mail of ann"}
    delete(own_place)
    assert (server.state.mail, server.state.garbage) == ({}, ["mail of ann"])


def test_swapped_mail(own_place: Place, server: MailcowServer) -> None:
    """'A swap through a third address works' (mailcow API facts §20)."""
    server.state.mail[BEN] = "mail of ben"
    for old, new in (("ann", "ldap-sync-renaming.ann"), ("ben", "ann"), ("ldap-sync-renaming.ann", "ben")):
        rename(own_place, old, new)
    assert server.state.mail == {ANN: "mail of ben", BEN: "mail of ann"}


def test_same_folder_again_stays(own_place: Place, server: MailcowServer) -> None:
    """'old = new: success, nothing changes' (mailcow API facts §20)."""
    rename(own_place, "ann", "ann")
    assert server.state.mail == {ANN: "mail of ann"}


def test_older_version_has_no_rename(own_place: Place, server: MailcowServer) -> None:
    """'It exists since 2024-11 ... else 404 route not found' (mailcow API facts §20)."""
    server.state.version = "2024-08a"
    answer = rename(own_place)
    assert (answer.status, answer.json) == (404, {"type": "error", "msg": "route not found"})
    server.state.version = "2024-11"
    assert rename(own_place).said[-1][0] == "success"
