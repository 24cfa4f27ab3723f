"""One run from top to bottom; the only module that knows the order of things."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from ldap2mailcow import directory, mailcow
from ldap2mailcow.apply import Applied, apply, read_stamps, writes_password
from ldap2mailcow.config import NOT_VERIFIED, Config, Loaded, Source
from ldap2mailcow.gather import gather
from ldap2mailcow.mailcow import Mailcow
from ldap2mailcow.model import (
    Address,
    Answers,
    Code,
    Existing,
    ExistingAlias,
    Finding,
    Memory,
    Note,
    Outcome,
    RenameChange,
)
from ldap2mailcow.plan import Case, NotReleased, Options, Plan, make_plan
from ldap2mailcow.plan import release as planned_release
from ldap2mailcow.report import EVERYTHING, Due, ExitCode, Result, due, notices_of
from ldap2mailcow.state import ANCESTOR_FILE, State, lock, read_ancestor

log = logging.getLogger(__name__)

REFUSED_FOR = timedelta(minutes=15)
"""How long a refused credential isn't tried again: mailcow bans the address, Active Directory locks the account."""

ANCESTOR_DIFFERENCES = (
    "This config is mailcow-ldap-sync's own. Three things are done otherwise here: an attribute that isn't mapped is "
    "left as it is (that tool set every mailbox active), new mailboxes get mailcow's own TLS policy (it enforced TLS), "
    "and a user gone from LDAP is disabled after a grace (it deleted the mailbox at once)."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks of a run."""

    options: Options = field(default_factory=Options)
    dry_run: bool = False
    override_filter: str | None = None
    verify: bool = True
    """False: mailcow's certificate isn't looked at, whatever the config says."""


class Screen(Protocol):
    """Where a run shows its plan before it writes, and how far the writes are."""

    def plan(self, result: Result, notices: Due) -> None:
        """Show the plan; called once, before the first write."""

    def progress(self, total: int) -> AbstractContextManager[Callable[[], None]]:
        """Return what is to be called after each of `total` changes."""


class EndedEarlyError(Exception):
    """A run can't go on: `sentence` says why and what to do, `exit_code` what the command ends with."""

    def __init__(self, exit_code: ExitCode, what: str, sentence: str) -> None:
        super().__init__(sentence)
        self.exit_code, self.what, self.sentence = exit_code, what, sentence


@dataclass
class Run:
    """One run: what it is given, and what it has found out so far."""

    loaded: Loaded
    request: Request
    store: State
    screen: Screen
    clock: Callable[[], datetime]
    result: Result
    number: int = 0
    """Its number in the history; 0 in a dry run, which leaves no trace."""
    is_planned: bool = False
    """Whether it came as far as its plan, with which all findings are shown; else nothing but its end is."""
    left_out: dict[str, EndedEarlyError] = field(default_factory=dict)
    """By name of each directory that can't be read in this run: why."""
    refused: dict[SecretStr, datetime] = field(default_factory=dict)
    """The credentials that were refused in this run, and when."""

    def sync(self) -> None:
        """Read all, plan all, show, and only then write."""
        self.stop_if_refused()
        self.tell_trust()
        self.take_over_ancestor()
        answers = self.read_directories()
        with self.connected() as client:
            case = self.gather(client, answers)
            self.tell_differences(case.memory)
            self.result.plan = make_plan(case)
            self.result.findings += self.result.plan.findings
            self.result.findings = tuple(map(self.without_secrets, self.result.findings))
            self.is_planned = True
            self.screen.plan(self.result, self.due(complete=False))
            if not self.request.dry_run:
                self.store.forget_refusals(but=map(self.login, self.left_out))
                self.carry_out(client, case)
        self.result.exit_code = self.result.judge()

    def release(self, address: Address) -> None:
        """Have a mailbox or an alias marked as released, then forget it."""
        self.stop_if_refused()
        with self.connected() as client:
            found = planned_release(address, look_at(client, address), self.store.memory(), self.config)
            if isinstance(found, NotReleased):
                if not found.is_released:
                    raise EndedEarlyError(ExitCode.NOT_ALL, "not released", found.sentence)
                self.result.remarks.append(found.sentence)
                return
            self.result.plan = Plan(changes=(found,))
            self.screen.plan(self.result, EVERYTHING)
            if not self.request.dry_run:
                self.write(client, self.result.plan)
        self.result.exit_code = self.result.judge()

    @property
    def config(self) -> Config:
        """All settings."""
        return self.loaded.config

    def stop_if_refused(self) -> None:
        """End the run if mailcow refused our key a short while ago."""
        if end := self.refused_lately("mailcow", self.key):
            raise end

    def refused_lately(self, what: str, credential: SecretStr) -> EndedEarlyError | None:
        """Return what ends the run where a credential was refused a short while ago."""
        refused = self.refused.get(credential) or self.refused_before(credential)
        if refused is None:
            return None
        return EndedEarlyError(
            ExitCode.REFUSED,
            f"{what} refused",
            f"{what} refused these credentials at {refused:%H:%M} UTC, and nothing is asked again for "
            f"{REFUSED_FOR // timedelta(minutes=1)} minutes, so that no account or address is locked; "
            "correct them in the config, which ends the wait at once",
        )

    def refused_before(self, credential: SecretStr) -> datetime | None:
        """Return when an earlier run was refused, if a short while ago; a moment to come is that of a wrong clock."""
        refused = self.store.refused_at(credential)
        return refused if refused and timedelta() <= self.clock() - refused < REFUSED_FOR else None

    def login(self, name: str) -> SecretStr:
        """Return what a directory knows us by, whole, so that a corrected one counts as another."""
        source = next(source for source in self.config.sources if source.name == name)
        return SecretStr("\0".join((*source.uri, source.bind_dn, source.bind_pw.get_secret_value())))

    @property
    def key(self) -> SecretStr:
        """What mailcow knows us by, whole."""
        return SecretStr(f"{self.config.mailcow_url}\0{self.config.mailcow_api_key.get_secret_value()}")

    def tell_trust(self) -> None:
        """Say that this run takes any certificate, unless the config says so and that was told."""
        if not self.request.verify and self.config.mailcow_verify is not False:
            self.result.findings += (Finding(Code.NOT_VERIFIED, "--do-not-verify", NOT_VERIFIED),)

    def take_over_ancestor(self) -> None:
        """Read the ancestor's database once, if one lies beside the config."""
        path = self.ancestor_file
        if not path.exists():
            return
        if not self.store.has_ancestor:
            self.store.take_over(read_ancestor(path), self.config.sources[0].name)
        self.result.findings += (
            Finding(
                Code.ANCESTOR_STATE,
                str(path),
                "mailcow-ldap-sync's database was read, its mailboxes are managed; delete it, it holds password hashes",
            ),
        )

    @property
    def ancestor_file(self) -> Path:
        """Where the ancestor's database would be."""
        folder = self.config.state_file.parent if self.loaded.path is None else self.loaded.path.parent
        return folder / ANCESTOR_FILE

    def tell_differences(self, memory: Memory) -> None:
        """Say once how we differ from an ancestor: until a run has come so far as to remember its directory."""
        if memory.sources:
            return
        self.result.remarks += self.loaded.hints
        if self.ancestor_file.exists() or is_ancestors(self.loaded):
            self.result.remarks.append(ANCESTOR_DIFFERENCES)

    def read_directories(self) -> dict[str, Answers]:
        """Read each directory; one that can't be read doesn't keep the others from being followed."""
        found: dict[str, Answers] = {}
        for source in self.config.sources:
            try:
                found[source.name] = self.read_directory(source)
            except EndedEarlyError as end:
                self.leave_out(source, end)
        self.result.findings += tuple(
            Finding(
                Code.DIRECTORY_NOT_READ, name, f"{end.what}: {end.sentence.rstrip('.')}; its people stay as they are"
            )
            for name, end in self.left_out.items()
        )
        return found

    def leave_out(self, source: Source, end: EndedEarlyError) -> None:
        """Go on without a directory; raises what ends the run where there is no other."""
        self.left_out[source.name] = end
        if len(self.left_out) == len(self.config.sources):
            raise gravest(self.left_out) from None

    def read_directory(self, source: Source) -> Answers:
        """Read the users of a directory, its groups, and its entries that only forward."""
        if end := self.refused_lately(
            "LDAP", self.login(source.name)
        ):  # before this run or, for another directory, in it
            raise end
        try:
            return directory.read(source, filter_override=self.request.override_filter)
        except directory.Refused as error:
            self.remember_refusal(self.login(source.name))
            raise EndedEarlyError(ExitCode.REFUSED, "LDAP refused", str(error)) from None
        except directory.Unreachable as error:
            raise EndedEarlyError(ExitCode.TRY_LATER, "LDAP unreachable", str(error)) from None
        except directory.BadFilter as error:
            raise EndedEarlyError(ExitCode.CONFIG, "LDAP filter", str(error)) from None

    @contextmanager
    def connected(self) -> Iterator[Mailcow]:
        """Give a client of mailcow; what keeps it from answering ends the run."""
        try:
            with Mailcow.connect(self.config, verify=None if self.request.verify else False) as client:
                yield client
        except mailcow.Refused as error:
            self.remember_refusal(self.key)
            raise EndedEarlyError(ExitCode.REFUSED, "mailcow refused", str(error)) from None
        except mailcow.TRY_LATER as error:
            raise EndedEarlyError(ExitCode.TRY_LATER, "mailcow unreachable", str(error)) from None

    def gather(self, client: Mailcow, answers: Mapping[str, Answers]) -> Case:
        """Put together what the plan follows from: the directories, mailcow, and what we remember."""
        return gather(
            client,
            self.config,
            self.store.memory(),
            answers,
            options=self.request.options,
            override_filter=self.request.override_filter,
            now=self.clock(),
        )

    def carry_out(self, client: Mailcow, case: Case) -> None:
        """Write, remember each outcome once mailcow has confirmed it, and read back the stamps of passwords."""
        plan = self.result.plan
        self.store.settle(case.begun.done, self.clock(), self.number)
        renames = [change for change in plan.changes if isinstance(change, RenameChange)]
        now, later = split_notes(plan.notes, renames)
        self.store.note(now, plan.sources, plan.bystanders)
        applied = self.write(client, plan)
        if applied.done(renames):
            self.store.note(later, {})
        if any(writes_password(outcome.change) for outcome in applied.outcomes):
            self.store.saw_passwords(read_stamps(client, applied.outcomes))

    def write(self, client: Mailcow, plan: Plan) -> Applied:
        """Make the changes of a plan, and remember each outcome; trouble with mailcow is raised after that."""
        with self.screen.progress(len(plan.changes)) as progress:
            applied = apply(
                plan.changes,
                client,
                connections=self.config.mailcow_connections,
                intend=lambda changes: self.store.intend(changes, self.clock()),
                record=self.record,
                progress=progress,
            )
        if applied.trouble:
            raise applied.trouble
        return applied

    def record(self, outcome: Outcome) -> None:
        """Remember how a change ended."""
        outcome = replace(outcome, detail=self.loaded.hide(outcome.detail))
        self.result.outcomes.append(outcome)  # first: it happened, even where it can't be written down
        self.store.record(self.number, outcome, self.clock())
        log.info("%s: %s", outcome.change.name, "done" if outcome.done else outcome.detail)

    def without_secrets(self, finding: Finding) -> Finding:
        """Return a finding in which no server says our passwords back to us."""
        hide = self.loaded.hide
        return replace(finding, where=hide(finding.where), sentence=hide(finding.sentence))

    def remember_refusal(self, credential: SecretStr) -> None:
        """Remember that a server refused us; a dry run leaves no trace."""
        self.refused[credential] = self.clock()
        if not self.request.dry_run:
            self.store.record_refusal(credential, self.clock())

    def due(self, *, complete: bool) -> Due:
        """Tell what of all there is to say is news; `complete` once nothing more can come."""
        end = [(self.result.what, "", self.result.error)]
        return due(
            notices_of(self.result) if self.is_planned else end,
            self.store.notices(),
            self.clock(),
            complete=complete and not self.result.scoped,
        )

    def finish(self) -> Due:
        """Remember what was said and how the run ended; return what of it is news."""
        notices = self.due(complete=not self.result.error and self.result.plan.whole)
        if not self.request.dry_run:
            self.store.save_notices(notices.remember)
        self.close()
        return notices

    def close(self) -> None:
        """Remember how the run ended; a dry run leaves no trace."""
        if not self.request.dry_run:
            self.store.finish_run(
                self.number,
                self.clock(),
                self.result.exit_code,
                {"error": self.result.error, "changes": len(self.result.outcomes)},
                history=timedelta(days=self.config.history_days),
            )


def run(loaded: Loaded, request: Request, screen: Screen, clock: Callable[[], datetime]) -> tuple[Result, Due]:
    """Do one run and return its result, and what of it is news.

    `clock` returns the present time with a zone. Raises StateError where the state file can't be used; nothing was
    written then, or the run stopped at the change that couldn't be recorded.
    """
    result = Result(
        dry_run=request.dry_run,
        findings=loaded.findings,
        accept=frozenset(loaded.config.accept),
        scoped=request.options.scoped,
    )
    with begun(loaded, request, screen, clock, result) as this:
        with told_early_end(result, loaded):
            this.sync()
        return result, this.finish()


def release(
    loaded: Loaded, request: Request, address: Address, screen: Screen, clock: Callable[[], datetime]
) -> Result:
    """Release a mailbox or an alias and return what came of it; the directory isn't asked.

    Raises StateError as `run` does.
    """
    result = Result(dry_run=request.dry_run, scoped=True)
    with begun(loaded, request, screen, clock, result, mode="release") as this:
        with told_early_end(result, loaded):
            this.release(address)
        this.close()
    return result


@contextmanager
def begun(
    loaded: Loaded, request: Request, screen: Screen, clock: Callable[[], datetime], result: Result, *, mode: str = ""
) -> Iterator[Run]:
    """Give a run that no other overlaps, on record unless it is dry."""
    with opened(loaded.config, clock(), dry_run=request.dry_run) as store:
        number = 0 if request.dry_run else store.begin_run(clock(), mode or mode_of(request))
        yield Run(loaded, request, store, screen, clock, result, number)


@contextmanager
def told_early_end(result: Result, loaded: Loaded) -> Iterator[None]:
    """Note in the result why a run ended early, if it did."""
    try:
        yield
    except EndedEarlyError as error:
        result.error, result.exit_code, result.what = loaded.hide(error.sentence), error.exit_code, error.what


def gravest(ends: Mapping[str, EndedEarlyError]) -> EndedEarlyError:
    """Return what ends a run in which no directory could be read, for each by name the reason."""
    worst = max(ends.values(), key=lambda end: end.exit_code)
    if len(ends) == 1:
        return worst
    return EndedEarlyError(
        worst.exit_code, worst.what, "; ".join(f"{name}: {end.sentence}" for name, end in ends.items())
    )


def look_at(client: Mailcow, address: Address) -> Existing | ExistingAlias | None:
    """Return what mailcow has at one address, a mailbox or an alias; None for nothing, or half of a mailbox."""
    mailbox = mailcow.read_mailbox(client, address) if address.local else None
    if isinstance(mailbox, Existing):
        return mailbox
    return mailcow.read_aliases(client, [address.domain]).get(address)


@contextmanager
def opened(config: Config, now: datetime, *, dry_run: bool) -> Iterator[State]:
    """Open the state file: locked and written by a run, only read by a dry run."""
    if dry_run:
        with State.open(config.state_file, read_only=True) as store:
            yield store
    else:
        with lock(config.state_file, now), State.open(config.state_file) as store:
            yield store


def split_notes(notes: Iterable[Note], renames: Iterable[RenameChange]) -> tuple[list[Note], list[Note]]:
    """Return what can be remembered at once, and what is about addresses that are renamed first."""
    renamed = {address for change in renames for address in (change.former, change.address)}
    notes = tuple(notes)
    return [one for one in notes if one.address not in renamed], [one for one in notes if one.address in renamed]


def is_ancestors(loaded: Loaded) -> bool:
    """Tell whether a config is one that mailcow-ldap-sync wrote: JSON, with no key that it didn't know."""
    return (
        loaded.path is not None
        and loaded.path.suffix == ".json"
        and loaded.config.model_fields_set <= {"ldap", "mailcow_host", "mailcow_api_key"}
    )


def mode_of(request: Request) -> str:
    """Name what kind of run this is, for the history."""
    return "reassert" if request.options.reassert else "changes"
