"""What is written into the state file comes out again, now and in the next run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import (
    Address,
    EntryId,
    Kind,
    MailboxChange,
    Note,
    Notice,
    Origin,
    Outcome,
    Patch,
    Remembered,
    RememberedAlias,
    Rule,
    SourceMemory,
    Subject,
)
from ldap2mailcow.state import State

from .builders import ANN, BOB, LIST, NEW, NEW_ALIAS, NOW, alias_outcome, outcome, remember, remember_alias

OTHER = SourceMemory("entryUUID")
ANN_FIRST = {EntryId("other", "id-ann"): NOW}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
HASH = "{SSHA}bm9ib2R5IGtub3dzIHRoaXM="


def again(path: Path) -> dict[Address, Remembered]:
    """Return the mailboxes that the next run reads."""
    with State.open(path) as store:
        return dict(store.memory().mailboxes)


# What is remembered


def test_an_empty_file_remembers_nothing(store: State) -> None:
    memory = store.memory()
    assert (memory.mailboxes, memory.aliases) == ({}, {})
    assert (memory.sources, memory.bystanders, memory.intents) == ({}, {}, ())
    assert (store.notices(), store.has_ancestor) == ((), False)


@pytest.mark.parametrize(
    "memory",
    [
        SourceMemory(),
        SourceMemory("entryUUID"),
        SourceMemory("objectGUID", {}),
        SourceMemory("dn", {"base": "dc=example", "filter": "(mail=*)"}),
        SourceMemory("dn", {"base": "dc=example"}, NOW),
    ],
)
def test_what_is_known_of_a_directory_comes_back(path: Path, memory: SourceMemory) -> None:
    with State.open(path) as store:
        store.note([], {"default": SourceMemory("x", {"base": "old"}, NOW - timedelta(days=1)), "other": OTHER})
        store.note([], {"default": memory})
    with State.open(path) as store:
        assert store.memory().sources == {"default": memory, "other": OTHER}


def test_all_directories_of_a_run_are_noted_together(store: State) -> None:
    sources = {"default": SourceMemory("dn", {"base": "dc=example"}, NOW), "other": OTHER}
    store.note([], sources)
    assert store.memory().sources == sources


def test_notes_of_a_later_moment_leave_the_directories_as_they_are(store: State) -> None:
    store.note([], {"other": OTHER}, {EntryId("other", "id-ann"): NOW})
    before = store.memory()
    store.note([Note(ANN, NEW)], {})
    after = store.memory()
    assert (after.sources, after.bystanders) == (before.sources, before.bystanders) == ({"other": OTHER}, ANN_FIRST)
    assert set(after.mailboxes) == {ANN}


# Bystanders


def test_a_bystander_comes_back_with_the_moment_at_which_it_was_first_seen(path: Path) -> None:
    """The same id in another directory is another entry."""
    bystanders = {
        EntryId("default", "id-ann"): NOW,
        EntryId("other", "id-ann"): NOW + timedelta(minutes=5),
        EntryId("default", "uid=öther,dc=example"): LONG_AGO,
    }
    with State.open(path) as store:
        store.note([], {}, bystanders)
    with State.open(path) as store:
        found = store.memory().bystanders
    assert found == bystanders
    assert {type(entry) for entry in found} == {EntryId}


@pytest.mark.parametrize(
    ("moments", "kept"),
    [
        ([NOW, NOW], NOW),
        ([NOW, NOW + timedelta(days=1)], NOW),
        ([NOW, LONG_AGO], LONG_AGO),
        ([NOW, LONG_AGO, NOW], LONG_AGO),
    ],
)
def test_the_first_moment_of_a_bystander_stays(store: State, moments: list[datetime], kept: datetime) -> None:
    """An entry whose row is forgotten counts as seen long ago, whatever was known of it."""
    for moment in moments:
        store.note([], {}, {EntryId("other", "id-ann"): moment})
    assert store.memory().bystanders == {EntryId("other", "id-ann"): kept}


def test_a_bystander_stays_when_it_is_in_no_later_note(store: State) -> None:
    store.note([], {}, ANN_FIRST)
    store.note([Note(ANN, {**NEW, "source": "other"})], {"other": OTHER}, {EntryId("other", "id-bob"): NOW})
    assert set(store.memory().bystanders) == {EntryId("other", "id-ann"), EntryId("other", "id-bob")}


# Outcomes


def changes_of(store: State) -> list[tuple[Any, ...]]:
    return store.connection.execute(
        "SELECT run, at, subject, address, dn, kind, why, fields, password, done, detail FROM change ORDER BY id"
    ).fetchall()


def test_a_confirmed_change_is_history_and_memory(store: State) -> None:
    run = store.begin_run(NOW, "changes")
    store.record(run, outcome(password=SecretStr(HASH)), NOW)
    fields = json.dumps([{"key": "quota", "before": None, "after": 1024}])
    why = "it is new in the directory"
    assert changes_of(store) == [
        (run, "2026-06-01T12:00:00+00:00", "mailbox", ANN, "uid=ann", "create", why, fields, 1, 1, ""),
    ]
    assert set(store.memory().mailboxes) == {ANN}
    assert store.memory().aliases == {}


def test_a_confirmed_change_of_an_alias_is_history_and_memory(store: State) -> None:
    run = store.begin_run(NOW, "changes")
    store.record(run, alias_outcome(), NOW)
    fields = json.dumps([{"key": "goto", "before": None, "after": "ann@example.org,bob@example.org"}])
    why = "it is new in the directory"
    assert changes_of(store) == [
        (run, "2026-06-01T12:00:00+00:00", "alias", LIST, "cn=all", "create", why, fields, 0, 1, ""),
    ]
    assert store.memory().aliases == {LIST: RememberedAlias(LIST, **NEW_ALIAS)}  # type: ignore[arg-type]
    assert store.memory().mailboxes == {}


def test_a_change_without_a_password_says_so(store: State) -> None:
    store.record(store.begin_run(NOW, "changes"), outcome(), NOW)
    assert store.connection.execute("SELECT password FROM change").fetchall() == [(0,)]


def test_a_confirmed_removal_is_history_and_forgets_the_row(store: State) -> None:
    remember_alias(store, LIST)
    remember_alias(store, ANN)
    remember(store, LIST)  # an alias alone was removed
    store.record(store.begin_run(NOW, "changes"), alias_outcome(remember=None), NOW)
    assert [(row[2], row[5]) for row in changes_of(store)] == [("alias", "remove")]
    assert set(store.memory().aliases) == {ANN}
    assert set(store.memory().mailboxes) == {LIST}


def test_a_mailbox_is_forgotten_where_its_change_says_so(store: State) -> None:
    remember(store, ANN)
    remember_alias(store, ANN)
    store.record(store.begin_run(NOW, "changes"), outcome(remember=None), NOW)
    assert store.memory().mailboxes == {}
    assert set(store.memory().aliases) == {ANN}


def test_a_removal_that_failed_forgets_nothing(store: State) -> None:
    remember_alias(store)
    store.record(store.begin_run(NOW, "changes"), alias_outcome(remember=None, done=False), NOW)
    assert [row[-2:] for row in changes_of(store)] == [(0, "no room")]
    assert set(store.memory().aliases) == {LIST}


def test_what_else_is_remembered_with_a_change_is_so_only_once_it_is_done(store: State) -> None:
    """A deleted mailbox takes aliases with it: all of them are forgotten, or none."""
    run = store.begin_run(NOW, "changes")
    store.record(run, outcome(), NOW)
    store.record(run, alias_outcome(), NOW)
    (address,), (alias,) = store.memory().mailboxes, store.memory().aliases
    gone = MailboxChange(Kind.DELETE, address, Rule.EXPIRED, remember=None, notes=(Note(alias, None, Subject.ALIAS),))
    store.record(run, Outcome(gone, done=False), NOW)
    assert (len(store.memory().mailboxes), len(store.memory().aliases)) == (1, 1)
    store.record(run, Outcome(gone, done=True), NOW)
    assert (store.memory().mailboxes, store.memory().aliases) == ({}, {})


def test_a_change_that_failed_is_history_only(store: State) -> None:
    store.record(store.begin_run(NOW, "changes"), outcome(done=False), NOW)
    assert [row[-2:] for row in changes_of(store)] == [(0, "no room")]
    assert store.memory().mailboxes == {}


def test_a_confirmed_change_may_have_nothing_to_remember(store: State) -> None:
    store.record(store.begin_run(NOW, "changes"), outcome(remember={}), NOW)
    assert len(changes_of(store)) == 1
    assert store.memory().mailboxes == {}


def test_the_stamps_of_passwords_are_remembered_where_a_mailbox_is_ours(store: State) -> None:
    remember(store, ANN)
    store.saw_passwords({ANN: "2026-06-01 14:00:00", BOB: "2026-06-01 14:00:01"})
    assert {address: row.passwd_update for address, row in store.memory().mailboxes.items()} == {
        ANN: "2026-06-01 14:00:00"
    }


def test_no_password_or_hash_is_in_the_file(path: Path) -> None:
    password = SecretStr(HASH)
    with State.open(path) as store:
        patch: Patch = {**NEW, "digest": store.memory().seal(password)}
        store.record(store.begin_run(NOW, "changes"), outcome(remember=patch, password=password), NOW)
        store.record_refusal(password, NOW)
        secret = store.key.secret.get_secret_value()
    data = path.read_bytes()
    assert b"id-ann" in data
    for hidden in (HASH, HASH.removeprefix("{SSHA}"), secret):
        assert hidden.encode() not in data


# Runs


def test_runs_are_numbered(store: State) -> None:
    assert [store.begin_run(NOW, "changes"), store.begin_run(NOW, "reassert")] == [1, 2]
    assert store.connection.execute("SELECT id, mode FROM run").fetchall() == [(1, "changes"), (2, "reassert")]


def test_the_end_of_a_run_is_recorded(store: State) -> None:
    run = store.begin_run(NOW, "changes")
    store.finish_run(run, NOW + timedelta(seconds=5), 3, {"changes": 1}, history=timedelta(days=365))
    assert store.connection.execute("SELECT started, mode, finished, exit_code, summary FROM run").fetchall() == [
        ("2026-06-01T12:00:00+00:00", "changes", "2026-06-01T12:00:05+00:00", 3, '{"changes": 1}'),
    ]


def test_runs_older_than_the_history_go_with_their_changes(store: State) -> None:
    ages = [timedelta(days=30, seconds=1), timedelta(days=30), timedelta(0)]
    runs = [store.begin_run(NOW - age, "changes") for age in ages]
    for run in runs:
        store.record(run, outcome(done=False), NOW)
    store.finish_run(runs[-1], NOW, 0, {}, history=timedelta(days=30))
    assert store.connection.execute("SELECT id FROM run").fetchall() == [(run,) for run in runs[1:]]
    assert [row[0] for row in changes_of(store)] == runs[1:]


def test_what_is_remembered_of_a_mailbox_outlives_the_history(store: State) -> None:
    store.record(store.begin_run(NOW - timedelta(days=400), "changes"), outcome(), NOW)
    store.finish_run(store.begin_run(NOW, "changes"), NOW, 0, {}, history=timedelta(days=30))
    assert set(store.memory().mailboxes) == {ANN}


# Notices


def test_notices_come_back_and_are_replaced_as_a_whole(path: Path) -> None:
    old, new = Notice("no_mail", "uid=ann", "it has none", NOW), Notice("LDAP unreachable", "", "it is down", NOW)
    with State.open(path) as store:
        store.save_notices([old])
        assert store.notices() == (old,)
        store.save_notices(iter([new, new]))
    with State.open(path) as store:
        assert store.notices() == (new,)


# Refused credentials


def test_a_refusal_is_remembered_for_its_own_credential(path: Path) -> None:
    with State.open(path) as store:
        store.record_refusal(SecretStr("wrong"), NOW - timedelta(hours=1))
        store.record_refusal(SecretStr("wrong"), NOW)
    with State.open(path) as store:
        assert store.refused_at(SecretStr("wrong")) == NOW
        assert store.refused_at(SecretStr("corrected")) is None


def test_refusals_are_forgotten_once_the_servers_take_us(store: State) -> None:
    store.record_refusal(SecretStr("wrong"), NOW)
    store.forget_refusals()
    assert store.refused_at(SecretStr("wrong")) is None


# The ancestor's rows


def test_the_ancestor_s_mailboxes_become_ours_once(path: Path) -> None:
    with State.open(path) as store:
        remember(store, BOB, {**NEW, "missed": 2})
        store.take_over([("uid=ann", ANN), ("uid=bob,ou=old", BOB), ("uid=again", ANN)], "default")
        assert store.has_ancestor
    assert again(path) == {
        ANN: Remembered(ANN, "default", None, "uid=ann", Origin.ANCESTOR),
        BOB: Remembered(BOB, **NEW, missed=2),  # type: ignore[arg-type]
    }


def test_notes_may_come_from_anywhere(store: State) -> None:
    store.note((Note(address, NEW) for address in (ANN, BOB)), {})
    assert set(store.memory().mailboxes) == {ANN, BOB}


def test_one_run_notes_mailboxes_and_aliases(store: State) -> None:
    remember_alias(store, BOB)
    notes = [Note(ANN, NEW), Note(LIST, NEW_ALIAS, Subject.ALIAS), Note(BOB, None, Subject.ALIAS)]
    store.note(notes, {})
    assert (set(store.memory().mailboxes), set(store.memory().aliases)) == ({ANN}, {LIST})
