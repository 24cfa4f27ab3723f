"""The knobs, the journal, the costs and the command line of our own server; nothing here is asked of a real one."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from http.client import RemoteDisconnected
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.mailcow_server import Clock, DomainLimits, FaultKind, MailcowServer, State

from .client import Answer, Client
from .place import HASH, Place, alias_fields, mailbox_fields

DEADLOCK = (
    "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock; try restarting transaction"
)
LOCK_WAIT = "SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded; try restarting transaction"
DOMAIN = "example.org"
ANN, BEN, LIST = f"ann@{DOMAIN}", f"ben@{DOMAIN}", f"list@{DOMAIN}"


@pytest.fixture
def server(own_place: Place) -> MailcowServer:
    return own_place.own_server()


@pytest.fixture
def add(own_place: Place) -> Callable[[str], Answer]:
    return lambda local_part: own_place.api.post("add/mailbox", mailbox_fields(DOMAIN, local_part))


@pytest.mark.parametrize(
    ("kind", "status", "text", "is_written"),
    [
        (FaultKind.EMPTY_BODY, 200, "", False),
        (FaultKind.EMPTY_BODY_AFTER, 200, "", True),
        (FaultKind.HTTP_500, 500, None, False),
        (FaultKind.HTTP_502, 502, None, False),
    ],
)
def test_fault_with_an_answer(
    server: MailcowServer,
    add: Callable[[str], Answer],
    kind: FaultKind,
    status: int,
    text: str | None,
    *,
    is_written: bool,
) -> None:
    server.faults.add(kind)
    answer = add("ann")
    assert (answer.status, answer.text if text is not None else None) == (status, text)
    assert (ANN in server.state.mailboxes) is is_written


@pytest.mark.parametrize(("kind", "is_written"), [(FaultKind.DROP_BEFORE, False), (FaultKind.DROP_AFTER, True)])
def test_fault_without_an_answer(
    server: MailcowServer, add: Callable[[str], Answer], kind: FaultKind, *, is_written: bool
) -> None:
    server.faults.add(kind)
    with pytest.raises(RemoteDisconnected):
        add("ann")
    assert (ANN in server.state.mailboxes, server.log[-1].status) == (is_written, None)


def test_hanging_call_ends_with_the_server() -> None:
    with MailcowServer([DOMAIN]) as server:
        server.faults.add("hang", "get/status")
        client = Client(server.url, server.api_key)
        broken: list[BaseException] = []

        def ask() -> None:
            try:
                client.get("get/status/version")
            except RemoteDisconnected as error:
                broken.append(error)

        waiting = Thread(target=ask)
        waiting.start()
        while not len(server.log):
            waiting.join(0.001)
    waiting.join()
    client.close()
    assert len(broken) == 1


@pytest.mark.parametrize(("kind", "text"), [(FaultKind.DEADLOCK, DEADLOCK), (FaultKind.LOCK_WAIT, LOCK_WAIT)])
def test_database_error_saves_the_items_before_and_skips_those_after(
    own_place: Place, server: MailcowServer, add: Callable[[str], Answer], kind: FaultKind, text: str
) -> None:
    for name in ("ann", "ben", "cat"):
        add(name)
    server.faults.add(kind, "edit/mailbox", BEN)
    answer = own_place.api.edit("mailbox", [ANN, BEN, f"cat@{DOMAIN}"], name="New")
    assert answer.said == [("success", ["mailbox_modified", ANN]), ("danger", text)]
    assert [server.state.mailboxes[f"{name}@{DOMAIN}"].name for name in ("ann", "ben", "cat")] == [
        "New",
        "Ann Other",
        "Ann Other",
    ]


def test_fault_waits_for_its_call_and_ends(server: MailcowServer, add: Callable[[str], Answer]) -> None:
    server.faults.add("empty_body", "add/mailbox", nth=2, times=2)
    assert [bool(add(name).text) for name in ("a", "b", "c", "d")] == [True, False, False, True]


def test_fault_of_one_address_spares_the_others(server: MailcowServer, add: Callable[[str], Answer]) -> None:
    server.faults.add("empty_body", "add/mailbox", BEN, times=None)
    assert [bool(add(name).text) for name in ("ann", "ben", "BEN", "cat")] == [True, False, False, True]
    server.faults.clear()
    assert add("ben").text


def test_fault_without_a_path_is_for_writes_only(
    own_place: Place, server: MailcowServer, add: Callable[[str], Answer]
) -> None:
    server.faults.add("http_500")
    assert own_place.api.get("get/status/version").status == 200
    assert add("ann").status == 500


def test_short_list_disagrees_with_the_count(
    own_place: Place, server: MailcowServer, add: Callable[[str], Answer]
) -> None:
    add("ann")
    add("ben")
    server.faults.short_list = 1
    server.faults.short_list_times = 1
    path = f"get/mailbox/reduced/{DOMAIN}"
    assert [len(own_place.api.get(path).json) for _ in range(2)] == [1, 2]
    assert own_place.api.get(f"get/domain/{DOMAIN}").json["mboxes_in_domain"] == 2


def test_older_version_has_no_reduced_list(
    own_place: Place, server: MailcowServer, add: Callable[[str], Answer]
) -> None:
    """'get/mailbox/reduced doesn't exist on older versions: read as the name of a mailbox' (mailcow API facts §15)."""
    add("ann")
    server.faults.no_reduced = True
    assert own_place.api.get("get/mailbox/reduced").json == {}
    assert len(own_place.api.get("get/mailbox/all").json) == 1


def edit(place: Place, endpoint: str, item: object, **attr: object) -> Answer:
    return place.api.edit(endpoint, item, **attr)


def number_of(place: Place) -> int:
    (row,) = place.api.get(f"get/alias/all/{DOMAIN}").json
    return int(row["id"])


def rename(place: Place, new: str, *, create_alias: int) -> Answer:
    fields = {"domain": DOMAIN, "old_local_part": "ann", "new_local_part": new, "create_alias": create_alias}
    return place.api.edit("rename-mbox", ANN, **fields)


def rename_barred(place: Place) -> Answer:
    edit(place, "mailbox", ANN, active=2)
    place.own_server().costs.reset()
    return rename(place, "anna", create_alias=1)


def edit_list_after_rename(place: Place) -> Answer:
    edit(place, "alias", number_of(place), goto=f"{ANN},{BEN}")
    number = number_of(place)
    rename(place, "anna", create_alias=1)
    place.own_server().costs.reset()
    return edit(place, "alias", number, goto=f"anna@{DOMAIN},{BEN}")


def write(place: Place, path: str, body: Any) -> Answer:  # noqa: ANN401 - any JSON
    return place.api.post(path, body)


@pytest.mark.parametrize(
    ("call", "full", "incremental"),
    [
        (lambda place: write(place, "add/mailbox", mailbox_fields(DOMAIN, "new")), 0, 1),
        (lambda place: write(place, "add/mailbox", mailbox_fields(DOMAIN, "new", active=0)), 1, 0),
        (lambda place: write(place, "add/mailbox", mailbox_fields(DOMAIN, "ann")), 0, 0),
        (lambda place: edit(place, "mailbox", [ANN, BEN], name="x"), 0, 2),
        (lambda place: edit(place, "mailbox", ANN, active=0), 1, 0),
        (lambda place: edit(place, "mailbox", f"no@{DOMAIN}", name="x"), 1, 0),
        (lambda place: edit(place, "tls_policy", ANN, tls_enforce_in=1), 0, 0),
        (lambda place: edit(place, "rl-mbox", ANN, rl_value=1, rl_frame="m"), 0, 0),
        (lambda place: write(place, f"delete/mailbox/tag/{ANN}", ["x"]), 0, 0),
        (lambda place: write(place, "delete/mailbox", [ANN, BEN]), 2, 0),
        (lambda place: write(place, "add/alias", alias_fields(f"l@{DOMAIN}", f"{ANN},{BEN}")), 0, 2),
        (lambda place: write(place, "add/alias", alias_fields(f"l@{DOMAIN}", f"x@y.test,{ANN}")), 1, 1),
        (lambda place: write(place, "add/alias", alias_fields(ANN, BEN)), 1, 0),
        (lambda place: write(place, "add/alias", alias_fields(f"k@{DOMAIN},l@{DOMAIN}", ANN)), 0, 1),
        (lambda place: write(place, "add/alias", alias_fields(f"k@{DOMAIN},l@{DOMAIN}", "x@y.test")), 1, 0),
        (lambda place: write(place, "add/alias", alias_fields(f"k@{DOMAIN}", f"k@{DOMAIN}")), 1, 0),
        (lambda place: write(place, "add/alias", alias_fields(f"k@{DOMAIN}", "", goto_null=1)), 1, 0),
        (lambda place: edit(place, "alias", number_of(place), private_comment="x"), 0, 1),
        (lambda place: edit(place, "alias", number_of(place), goto=BEN), 0, 2),
        (lambda place: edit(place, "alias", number_of(place), goto="x@y.test"), 1, 1),
        (lambda place: edit(place, "alias", 999, active=0), 1, 0),
        (lambda place: write(place, "delete/alias", [number_of(place)]), 0, 1),
        (lambda place: write(place, "delete/alias", [999]), 1, 0),
        (lambda place: edit(place, "mailbox", ANN, sender_acl=[BEN]), 0, 1),
        (lambda place: write(place, "add/domain", {"domain": "new.test", "key_size": 0}), 0, 0),
        (lambda place: edit(place, "domain", DOMAIN, description="x"), 1, 0),
        (lambda place: rename(place, "anna", create_alias=0), 0, 0),
        (lambda place: rename(place, "anna", create_alias=1), 0, 1),
        (lambda place: rename(place, "ben", create_alias=1), 0, 0),
        (lambda place: rename(place, "list", create_alias=1), 0, 0),
        (lambda place: rename(place, "ann", create_alias=1), 1, 0),
        (lambda place: rename(place, "Ann", create_alias=1), 1, 0),
        (lambda place: rename(place, "", create_alias=1), 0, 0),
        (rename_barred, 1, 0),
        (edit_list_after_rename, 1, 2),
        (lambda place: write(place, "delete/mailbox", [f"no@{DOMAIN}"]), 1, 0),
        (lambda place: write(place, "delete/mailbox", []), 1, 0),
    ],
)
def test_cost_of_a_call(
    own_place: Place, add: Callable[[str], Answer], call: Callable[[Place], Answer], full: int, incremental: int
) -> None:
    """'incremental per affected active mailbox; FULL whenever …' (mailcow API facts §12, 20)."""
    server = own_place.own_server()
    add("ann")
    add("ben")
    own_place.alias(LIST, ANN)
    server.costs.reset()
    call(own_place)
    assert server.costs.as_json() == {"full": full, "incremental": incremental}
    assert (server.log[-1].full, server.log[-1].incremental) == (full, incremental)


def test_journal_tells_each_request_without_passwords(
    own_place: Place, server: MailcowServer, add: Callable[[str], Answer]
) -> None:
    add("ann")
    add("ann")
    own_place.api.get("get/domain/all")
    assert [(entry.number, entry.path, entry.is_write, entry.key) for entry in server.log] == [
        (1, "add/mailbox", True, "rw"),
        (2, "add/mailbox", True, "rw"),
        (3, "get/domain/all", False, "rw"),
    ]
    assert [entry.codes for entry in server.log.writes("add/mailbox", ANN)] == [
        ("rl_saved", "mailbox_added"),
        ("object_exists",),
    ]
    assert HASH not in str(list(server.log))


def test_state_survives_in_a_file(tmp_path: Path) -> None:
    state_file, log_file = tmp_path / "state.json", tmp_path / "log.jsonl"
    with MailcowServer([DomainLimits(DOMAIN, mailboxes=3)], state_file=state_file, log_file=log_file) as server:
        client = Client(server.url, server.api_key)
        client.post("add/mailbox", mailbox_fields(DOMAIN))
        client.edit("mailbox", ANN, sender_acl=[f"@{DOMAIN}"])
        client.close()
        before = server.snapshot()
    with MailcowServer([DOMAIN], state_file=state_file) as server:
        assert server.snapshot() == before
        assert server.state.mailboxes[ANN].password == HASH
    assert HASH in state_file.read_text(encoding="utf-8")
    assert [json.loads(line)["path"] for line in log_file.read_text(encoding="utf-8").splitlines()] == [
        "add/mailbox",
        "edit/mailbox",
    ]
    assert HASH not in log_file.read_text(encoding="utf-8")


def test_snapshot_is_a_state_again() -> None:
    clock = Clock("2026-11-21 01:00:40")
    state = State(clock)
    state.add_domain(DomainLimits(DOMAIN))
    assert State.from_snapshot(clock, state.snapshot()).snapshot() == state.snapshot()


def test_command_prints_its_url_and_takes_knobs(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "tests.mailcow_server", "--domain", f"{DOMAIN}:mailboxes=1,quota=2000", "--control",
        "--clock", "2026-11-21 01:00:40", "--api-key", "KEY", "--log", str(tmp_path / "log.jsonl"),
    ]  # fmt: skip
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            client = Client(process.stdout.readline().strip(), "KEY")
            knobs = {"faults": [{"kind": "empty_body", "path": "add/mailbox"}], "advance": 60}
            client.send("POST", "/_control", json.dumps(knobs).encode(), {"Content-Type": "application/json"})
            assert client.post("add/mailbox", mailbox_fields(DOMAIN)).text == ""
            client.post("add/mailbox", mailbox_fields(DOMAIN))
            assert client.get(f"get/mailbox/{ANN}").json["created"] == "2026-11-21 01:01:40"
            assert [entry["fault"] for entry in client.get("/_control/log").json["log"]] == ["empty_body", "", ""]
            assert client.get("/_control/state").json["state"]["mailboxes"][ANN]["password"] == "*"
            client.close()
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert len((tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()) == 3
