"""A plan's changes, step by step: what fails keeps only what needs it from being done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ldap2mailcow.apply import Applied, apply, read_stamps, steps, writes_password
from ldap2mailcow.apply.live import Now
from ldap2mailcow.mailcow import Mailcow, Refused, Unreachable
from ldap2mailcow.model import Address, AliasChange, Change, Kind, MailboxChange, Outcome, Rule
from tests.mailcow_server import FaultKind, MailcowServer
from tests.unit.plan.builders import ANN, BOB, CAT, DAN, INFO, TEAM

from . import changes
from .changes import NEWER, alias, create, do, mailbox, make_alias


@dataclass
class Diary:
    """What a run writes down, in order."""

    server: MailcowServer
    intended: list[tuple[int, list[str]]] = field(default_factory=list)
    """With how many requests had been sent by then."""
    recorded: list[Outcome] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def intend(self, planned: Sequence[Change]) -> None:
        self.intended.append((len(self.server.log.writes()), [change.name for change in planned]))
        self.told.append("intended")

    def record(self, outcome: Outcome) -> None:
        self.recorded.append(outcome)
        self.told.append("recorded")

    def progress(self) -> None:
        self.told.append("shown")


@pytest.fixture
def diary(server: MailcowServer) -> Diary:
    return Diary(server)


@pytest.fixture
def run(client: Mailcow, diary: Diary) -> Callable[..., Applied]:
    def applied(*planned: Change, connections: int = 2) -> Applied:
        return apply(
            planned,
            client,
            connections=connections,
            intend=diary.intend,
            record=diary.record,
            progress=diary.progress,
        )

    return applied


def ends(outcomes: Iterable[Outcome]) -> dict[str, bool]:
    return {outcome.change.name: outcome.done for outcome in outcomes}


def details(outcomes: Iterable[Outcome]) -> dict[Address, str]:
    return {outcome.change.address: outcome.detail for outcome in outcomes if not outcome.done}


def disable(address: Address) -> MailboxChange:
    return MailboxChange(Kind.DISABLE, address, Rule.MISSING, writes={"active": 0}, rebuilds=1)


def update(address: Address, name: str = "New") -> MailboxChange:
    return MailboxChange(Kind.UPDATE, address, Rule.LDAP, writes={"name": name})


def test_everything_is_done_recorded_and_then_shown(run: Callable[..., Applied], client: Mailcow, diary: Diary) -> None:
    do(client, create(ANN), create(CAT))
    planned = [create(BOB), make_alias(INFO, BOB), disable(CAT), MailboxChange(Kind.DELETE, ANN, Rule.EXPIRED)]
    applied = run(*planned)
    assert ends(applied.outcomes) == {change.name: True for change in planned}
    assert (applied.outcomes, applied.trouble) == (diary.recorded, None)
    assert applied.done(planned)
    assert not applied.done([*planned, update(BOB)])
    assert [word for word in diary.told if word != "intended"] == ["recorded", "shown"] * 4


def test_what_mailcow_alone_would_not_tell_is_written_down_before(
    run: Callable[..., Applied], server: MailcowServer, client: Mailcow, diary: Diary
) -> None:
    """All of a step that runs side by side at once, each of one that runs one by one before it is sent."""
    do(client, create(ANN), create(CAT))
    server.log.clear()
    run(create(BOB), create(DAN), update(CAT), disable(ANN), disable(CAT))
    assert diary.intended == [
        (0, [f"create {BOB}", f"create {DAN}"]),
        (3, [f"disable {ANN}"]),
        (4, [f"disable {CAT}"]),
    ]


def test_an_alias_goes_only_to_mailboxes_that_could_be_made(
    run: Callable[..., Applied], server: MailcowServer, client: Mailcow
) -> None:
    do(client, create(ANN))
    server.faults.add(FaultKind.EMPTY_BODY, "add/mailbox", times=None)
    applied = run(create(BOB), make_alias(INFO, ANN, BOB), make_alias(TEAM, BOB))
    assert applied.not_made == {BOB}
    assert ends(applied.outcomes) == {
        f"create {BOB}": False,
        f"create alias {INFO}": True,
        f"create alias {TEAM}": False,
    }
    assert "could not be made" in details(applied.outcomes)[TEAM]
    assert alias(client, INFO).goto == {ANN}
    (made,) = (outcome.change for outcome in applied.outcomes if outcome.done)
    assert (made.remember or {})["applied"]["goto"] == ANN  # type: ignore[index]


def test_what_names_a_mailbox_that_could_not_be_renamed_waits(
    run: Callable[..., Applied], server: MailcowServer, client: Mailcow
) -> None:
    """By its old name or its new one; everything else is done."""
    do(client, create(ANN), create(CAT))
    server.faults.add(FaultKind.EMPTY_BODY, "edit/rename-mbox", times=None)
    grant = MailboxChange(Kind.GRANT, CAT, Rule.LDAP, senders=(BOB,))
    applied = run(
        changes.rename(ANN, BOB), update(BOB), update(CAT), make_alias(INFO, BOB), make_alias(TEAM, CAT), grant
    )
    assert applied.not_renamed == {ANN, BOB}
    assert {name for name, done in ends(applied.outcomes).items() if done} == {f"update {CAT}", f"create alias {TEAM}"}
    waits = "it waits for a mailbox that could not be renamed; the next run tries both again"
    found = details(applied.outcomes)
    assert [found[one] for one in (INFO, CAT)] == [waits, waits]


def test_one_failed_change_stops_no_other(run: Callable[..., Applied], client: Mailcow) -> None:
    do(client, create(ANN))
    assert ends(run(update(ANN), update(BOB, "Other")).outcomes) == {f"update {ANN}": True, f"update {BOB}": False}


def test_trouble_with_mailcow_stops_all_that_comes_later(
    run: Callable[..., Applied], server: MailcowServer, client: Mailcow, diary: Diary
) -> None:
    do(client, create(ANN), create(CAT))
    server.stop()
    applied = run(update(ANN), disable(ANN), disable(CAT), connections=1)
    assert isinstance(applied.trouble, Unreachable)
    assert ends(applied.outcomes) == {f"update {ANN}": False}
    assert diary.intended == []


def test_trouble_stops_what_is_done_one_by_one(
    run: Callable[..., Applied], client: Mailcow, server: MailcowServer
) -> None:
    do(client, create(ANN), create(CAT))
    server.stop()
    assert ends(run(disable(ANN), disable(CAT)).outcomes) == {f"disable {ANN}": False}


def test_trouble_leaves_the_rest_of_a_step_untried(
    run: Callable[..., Applied], client: Mailcow, server: MailcowServer
) -> None:
    do(client, create(ANN), create(CAT))
    server.stop()
    applied = run(update(ANN, "A"), update(CAT, "C"), connections=1)
    assert ends(applied.outcomes) == {f"update {ANN}": False}


def test_a_refused_key_is_trouble(run: Callable[..., Applied], server: MailcowServer) -> None:
    server._keys = replace(server._keys, read_write="another")
    assert isinstance(run(create(ANN)).trouble, Refused)


# passwords


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        (create(ANN), True),
        (create(ANN, password=None), False),
        (update(ANN), False),
        (replace(update(ANN), password=NEWER), True),
        (make_alias(INFO, ANN), False),
    ],
)
def test_only_some_changes_write_a_password(change: Change, writes: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert writes_password(change) is writes


@pytest.mark.parametrize("most", [0, 25], ids=["by list", "one by one"])
def test_stamps_are_read_of_the_passwords_that_were_written(
    server: MailcowServer, client: Mailcow, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(steps, "SINGLE_READS", most)
    do(client, create(ANN), create(CAT))
    written, not_done, gone = create(ANN), create(CAT), create(DAN)
    outcomes = [Outcome(written, done=True), Outcome(not_done, done=False), Outcome(gone, done=True)]
    assert read_stamps(client, outcomes) == {ANN: mailbox(client, ANN).passwd_update}
    assert any(request.path.startswith("get/mailbox/reduced") for request in server.log) is (most == 0)


def test_an_alias_of_a_mailbox_that_is_there_is_removed_though_another_failed(
    run: Callable[..., Applied], server: MailcowServer, client: Mailcow
) -> None:
    do(client, create(ANN), make_alias(INFO, ANN))
    remove = AliasChange(Kind.REMOVE, INFO, Rule.NOT_WANTED, number=alias(client, INFO).number)
    server.faults.add(FaultKind.EMPTY_BODY, "add/mailbox", times=None)
    assert ends(run(create(BOB), remove).outcomes) == {f"create {BOB}": False, f"remove alias {INFO}": True}
    assert Now(client).alias(INFO) is None
