"""The commands: their options and exit codes. The only module that prints or exits."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Self

import click
from click.core import ParameterSource

from ldap2mailcow.config import ConfigError, Loaded, Mistake, NoConfig, load_config, write_first_config
from ldap2mailcow.model import Address, AddressError, Level, escaped, escaped_lines, normal_domain
from ldap2mailcow.plan import Options
from ldap2mailcow.report import (
    FAILED,
    WITHHELD,
    Due,
    Result,
    change_lines,
    cost_lines,
    document,
    failure_lines,
    finding_lines,
    gone_lines,
    orphan_lines,
    pending_lines,
    summary_line,
    unmanaged_lines,
    withheld_lines,
)
from ldap2mailcow.run import CONFIG, TRY_LATER, UNEXPECTED, Request, release, run
from ldap2mailcow.state import LockedError, StateError
from ldap2mailcow.streams import Stream, take_over

log = logging.getLogger(__name__)

QUIET, NORMAL, VERBOSE = -1, 0, 1

SCRIPT_FOLDER = Path(sys.argv[0]).resolve().parent
"""Where the command lies that crontab calls; a config may lie beside it."""

PROGRESS_FROM = 20
"""Fewer changes than this are over before a bar is worth drawing."""


def _addresses(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> frozenset[Address]:
    try:
        return frozenset(Address.parse(value) for value in values)
    except AddressError as error:
        raise click.BadParameter(f"one of them {error}") from None


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> Address:
    """Read one address; `@domain` is that of a catch-all."""
    try:
        return Address(f"@{normal_domain(value[1:])}") if value.startswith("@") else Address.parse(value)
    except AddressError as error:
        raise click.BadParameter(f"it {error}") from None


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    if wanted:
        click.echo(f"mailcow-ldap-sync, version {_version_here()}")
        context.exit()


def _version_here() -> str:
    """Return the version that is installed, or that of the checkout which the command runs from."""
    import tomllib  # noqa: PLC0415 - only whoever asks pays for these
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    checkout = Path(__file__).parents[1] / "pyproject.toml"
    if checkout.exists():
        return str(tomllib.loads(checkout.read_text(encoding="utf-8"))["project"]["version"])
    try:
        return version("mailcow-ldap-sync")
    except PackageNotFoundError:
        return "unknown"


_config = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The config, YAML or JSON. Default: config.yaml, config.yml or config.json here, beside the script, or in "
    "/etc/mailcow-ldap-sync/.",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what a run would do, and write nothing anywhere.")
_do_not_verify = click.option("--do-not-verify", is_flag=True, help="Don't verify mailcow's certificate.")
_output = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What stdout has."
)
_verbose = click.option("-v", "--verbose", count=True, help="Say more; -vv for debugging.")
_quiet = click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")


class _Command(click.Group):
    """The command as a process calls it: with streams of its own."""

    def __call__(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - click's
        take_over()
        return super().__call__(*args, **options)


@click.group(
    cls=_Command,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@_config
@_dry_run
@click.option(
    "--update-only-on-change-by-ldap/--reassert",
    "only_on_change",
    default=None,
    help="Write a mailbox only where LDAP changed or mailcow visibly differs / write every managed password on every "
    "run. Default: what the config says.",
)
@click.option(
    "--only",
    multiple=True,
    callback=_addresses,
    metavar="ADDRESS",
    help="Look at this mailbox only; may be given several times. Nobody else is touched.",
)
@click.option("--override-filter", metavar="FILTER", help="Search users with this filter. Nobody is removed then.")
@_do_not_verify
@click.option(
    "--force-removals",
    type=click.IntRange(min=0),
    metavar="N",
    help="Let up to N removals of each kind through that limits or a changed search would withhold.",
)
@_output
@_verbose
@_quiet
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
@click.pass_context
def main(  # noqa: PLR0913 - one for each option
    context: click.Context,
    *,
    config_path: Path | None,
    dry_run: bool,
    only_on_change: bool | None,
    only: frozenset[Address],
    override_filter: str | None,
    do_not_verify: bool,
    force_removals: int | None,
    output: str,
    verbose: int,
    quiet: bool,
) -> None:
    """Make mailcow hold what the LDAP directory says: one run, for cron. Without a COMMAND, that is.

    Exit codes: 0 mailcow is as LDAP wants it; 1 unexpected error; 2 wrong command line; 3 some changes failed, or
    findings of level error; 4 removals were withheld; 75 try later; 77 LDAP or mailcow refused us; 78 the config is
    wrong.
    """
    if context.invoked_subcommand is not None:
        _hand_on(context, context.invoked_subcommand)
        return
    screen = Screen.of(output, verbose, quiet=quiet, dry_run=dry_run)
    with _ending(screen, config_path) as loaded:
        request = Request(
            options=Options(
                reassert=not (
                    loaded.config.update_only_on_change_by_ldap if only_on_change is None else only_on_change
                ),
                only=only,
                overridden_filter=override_filter is not None,
                force_removals=force_removals,
            ),
            dry_run=dry_run,
            override_filter=override_filter,
            verify=not do_not_verify,
        )
        result, notices = run(loaded, request, screen, _now)
        screen.end(result, notices)
        sys.exit(result.exit_code)


@main.command("release")
@click.argument("address", callback=_address)
@_config
@_dry_run
@_do_not_verify
@_output
@_verbose
@_quiet
def release_command(
    *,
    address: Address,
    config_path: Path | None,
    dry_run: bool,
    do_not_verify: bool,
    output: str,
    verbose: int,
    quiet: bool,
) -> None:
    """Let go of a mailbox or an alias.

    It stays in mailcow as it is, marked as released: no run adopts or touches it again, with a lost state file neither,
    until somebody takes that mark away in mailcow.

    Exit codes: 0 it is released; 3 it can't be, and why; the others are those of a run.
    """
    screen = Screen.of(output, verbose, quiet=quiet, dry_run=dry_run, was_asked=True)
    with _ending(screen, config_path) as loaded:
        request = Request(dry_run=dry_run, verify=not do_not_verify)
        result = release(loaded, request, address, screen, _now)
        screen.answer(result, f"{address} is released and stays in mailcow as it is")
        sys.exit(result.exit_code)


def _hand_on(context: click.Context, name: str) -> None:
    """Give a command the options that stand before its name; those that it doesn't have are an error."""
    taken = {parameter.name for parameter in main.commands[name].params}
    given = {
        parameter.name: parameter
        for parameter in main.params
        if parameter.name and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }
    for wrong in sorted(given.keys() - taken):
        raise click.UsageError(f"{given[wrong].opts[0]} is for a run; {name} doesn't have it")
    context.default_map = {name: {option: context.params[option] for option in given}}


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _ending(screen: Screen, config_path: Path | None) -> Iterator[Loaded]:
    """Give the config, and end the process with a sentence and an exit code whatever goes wrong with it."""
    try:
        _log_to_stderr(screen.verbosity)
        loaded = load_config(config_path, environ=os.environ, cwd=Path.cwd(), script_dir=SCRIPT_FOLDER)
        if not screen.dry_run:
            _log_to_file(loaded.config.log_file, loaded.path)
        yield loaded
    except NoConfig as error:
        screen.fail(CONFIG, _first_run(error, config_path, screen.dry_run))
    except ConfigError as error:
        screen.fail(CONFIG, str(error))
    except LockedError:
        screen.fail(TRY_LATER, "another run holds the lock of the state file", quietly=not screen.was_asked)
    except StateError as error:
        screen.fail(UNEXPECTED, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, cron's mail gets one sentence and the exit code is 1
        log.debug("%s", _trace(error))
        screen.fail(UNEXPECTED, f"unexpected error: {type(error).__name__}; run again with -vv and report what it says")


@dataclass
class Screen:
    """stdout: the plan before the writes, the summary after them; or one JSON document at the end."""

    as_json: bool
    verbosity: int
    dry_run: bool
    was_asked: bool = False
    """Whether somebody waits for an answer, and not cron for news."""
    said_something: bool = False
    result: Result | None = None
    """What the run has found out and done, once there is a plan."""

    @classmethod
    def of(cls, output: str, verbose: int, *, quiet: bool, dry_run: bool, was_asked: bool = False) -> Self:
        """Make one from the options that every command has."""
        if verbose and quiet:
            raise click.UsageError("-v and -q contradict each other")
        return cls(output == "json", QUIET if quiet else verbose, dry_run, was_asked)

    @property
    def shows_all(self) -> bool:
        """Whether old news is shown too: to whoever looks, which cron's mail is not."""
        return self.was_asked or self.verbosity >= VERBOSE or self.dry_run or sys.stdout.isatty()

    def say(self, lines: Iterable[str]) -> None:
        """Print lines of the text report."""
        for line in lines:
            self.said_something = True
            if not self.as_json:
                click.echo(line)

    def plan(self, result: Result, notices: Due) -> None:
        """Show what is going to happen, and what there is to say about it."""
        self.result = result
        plan = result.plan
        findings = [
            finding
            for finding in result.open_findings
            if (finding.level is not Level.INFO or self.verbosity >= VERBOSE)
            and (self.verbosity > QUIET or finding.level is Level.ERROR)
            and (self.shows_all or notices.is_news(finding.code, finding.place))
        ]
        withheld = [one for one in plan.withheld if self.shows_all or notices.is_news(WITHHELD, one.name)]
        if self.verbosity > QUIET:
            self.say(result.remarks)
            self.say(
                change_lines(
                    change for change in plan.changes if self.shows_all or notices.is_unsaid(FAILED, change.name)
                ),
            )
        self.say(withheld_lines(withheld))
        if self.dry_run or self.verbosity >= VERBOSE:
            self.say(pending_lines(plan.pending))
        if self.verbosity >= VERBOSE:
            self.say(orphan_lines(result))
            self.say(unmanaged_lines(result))
        self.say(finding_lines(findings, everything=self.verbosity >= VERBOSE))
        if self.verbosity > QUIET and (self.dry_run or self.said_something):
            self.say(cost_lines(result))

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[], None]]:
        """Draw a bar on a terminal while many changes are made."""
        if total < PROGRESS_FROM or not sys.stderr.isatty() or self.verbosity < NORMAL:
            yield lambda: None
            return
        with click.progressbar(length=total, label="writing to mailcow", file=sys.stderr) as bar:
            yield lambda: bar.update(1)

    def end(self, result: Result, notices: Due) -> None:
        """Show how the run ended."""
        if self.as_json:
            click.echo(document(result))
            return
        self.say(
            failure_lines(
                outcome for outcome in result.failed if self.shows_all or notices.is_news(FAILED, outcome.change.name)
            ),
        )
        if self.verbosity > QUIET:
            self.say(gone_lines(notices.gone))
        if result.error and (self.shows_all or notices.is_news(result.what, "")):
            self.say([f"{result.what}: {escaped(result.error)}"])
        if self.verbosity > QUIET and not result.error and (self.said_something or self.shows_summary):
            self.say([summary_line(result)])

    def answer(self, result: Result, done: str) -> None:
        """Show what became of what somebody asked for: `done` says it of an outcome that is."""
        if self.as_json:
            click.echo(document(result))
            return
        self.say(failure_lines(result.failed))
        if result.error:
            self.say([f"{result.what}: {escaped(result.error)}"])
        if self.verbosity > QUIET:
            self.say(map(escaped, result.remarks))
            self.say([escaped(done)] * any(outcome.done for outcome in result.outcomes))

    @property
    def shows_summary(self) -> bool:
        """Whether a run that changed nothing says so."""
        return self.dry_run or self.verbosity >= VERBOSE

    def fail(self, exit_code: int, sentence: str, *, quietly: bool = False) -> NoReturn:
        """Show why there was no run at all or not all of it, and end the process; `quietly` in the log alone."""
        if self.as_json:
            result = self.result or Result(self.dry_run)
            result.error, result.exit_code = sentence, exit_code
            click.echo(document(result))
        elif quietly:
            log.info("%s", sentence)
        else:
            click.echo(escaped_lines(sentence), err=True)
        sys.exit(exit_code)


def _first_run(missing: NoConfig, asked_for: Path | None, dry_run: bool) -> str:  # noqa: FBT001 - an option
    """Write the config that isn't there yet, unless the run is dry, and return what to do with it."""
    path = asked_for or Path.cwd() / "config.yaml"
    looked = "Looked for:\n" + "\n".join(f"  {place}" for place in missing.looked)
    if dry_run:
        return f"There is no config; a run without --dry-run writes {path} to be filled in.\n{looked}"
    try:
        write_first_config(path)
    except ConfigError as error:
        return str(error)
    needed = ", ".join(missing.missing)
    return f"There was no config, so {path} was written; fill in at least {needed}, then try --dry-run.\n{looked}"


class _EscapingFormatter(logging.Formatter):
    """Writes log lines in which values from LDAP or mailcow can't play tricks on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped_lines(super().format(record))


def _log_to_stderr(verbosity: int) -> None:
    level = {VERBOSE: logging.INFO}.get(verbosity, logging.DEBUG if verbosity > VERBOSE else logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_EscapingFormatter("%(levelname)s %(message)s"))
    handler.setLevel(level)
    package = logging.getLogger("ldap2mailcow")
    package.handlers = [handler]
    package.setLevel(level)
    package.propagate = False


def _log_to_file(path: Path | None, config: Path | None) -> None:
    """Append to the log file, if there is one, whatever -v says; logrotate moves it away between runs."""
    if path is None:
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        sentence = f"{path} can't be written: {error.strerror}; correct the path, or the rights"
        raise ConfigError([Mistake("log_file", sentence)], config) from None
    handler = logging.StreamHandler(Stream(io.FileIO(descriptor, "w"), "utf-8", f"the log file {path}"))
    handler.setFormatter(_EscapingFormatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("ldap2mailcow")
    package.addHandler(handler)
    package.setLevel(min(package.level, logging.INFO))


def _trace(error: BaseException) -> str:
    """Return where an error came from: files and lines only, since values could be secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
