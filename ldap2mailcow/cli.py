"""The commands and their options. The only module that prints or exits: what is printed is `report`'s."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Self

import click
from click.core import ParameterSource

from ldap2mailcow.config import ConfigError, Loaded, Mistake, NoConfig, load_config, write_first_config
from ldap2mailcow.files import OddFile, open_file
from ldap2mailcow.model import Address, AddressError, escaped, escaped_lines, normal_domain
from ldap2mailcow.plan import REMOVING, Guarded, Options
from ldap2mailcow.process import settle
from ldap2mailcow.report import (
    EVERYTHING,
    Due,
    ExitCode,
    Reader,
    Result,
    Verbosity,
    render_answer,
    render_end,
    render_plan,
)
from ldap2mailcow.state import LockedError, StateError
from ldap2mailcow.streams import Stream, take_over
from ldap2mailcow.sync import Request, release, run

log = logging.getLogger(__name__)

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


def _approvals(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[Guarded, int], ...]:
    return tuple(map(_approval, values))


def _approval(value: str) -> tuple[Guarded, int]:
    match = re.fullmatch(rf"({'|'.join(Guarded)}):([0-9]{{1,9}})", value)
    if match is None:
        kinds = ", ".join(Guarded)
        raise click.BadParameter(f"{value!r} is not KIND:N, such as {Guarded.DISABLE}:12; the kinds are {kinds}")
    return Guarded(match[1]), int(match[2])


def _approved(approvals: Iterable[tuple[Guarded, int]], removals: int | None) -> dict[str, int]:
    """Return how many changes of each kind are let through: of what is said of a kind, the largest number."""
    of_removals = () if removals is None else ((kind, removals) for kind in REMOVING)
    approved: dict[str, int] = {}
    for kind, number in (*approvals, *of_removals):
        approved[kind] = max(number, approved.get(kind, 0))
    return approved


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
        settle()
        take_over()
        return super().__call__(*args, **options)


_EXIT_CODES = "; ".join(f"{code.value} {code.meaning}" for code in sorted(ExitCode))


@click.group(
    cls=_Command,
    help=f"""Make mailcow hold what the LDAP directory says: one run, for cron. Without a COMMAND, that is.

    Exit codes: {_EXIT_CODES}.
    """,
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
    "--approve",
    "approvals",
    multiple=True,
    callback=_approvals,
    metavar="KIND:N",
    help="Let up to N changes of one kind through that limits or a changed search would withhold, and none of another "
    f"kind; may be given several times. The report says what to type. Kinds: {', '.join(Guarded)}.",
)
@click.option(
    "--force-removals",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"The same for each kind that takes something away: {', '.join(REMOVING)}.",
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
    approvals: tuple[tuple[Guarded, int], ...],
    force_removals: int | None,
    output: str,
    verbose: int,
    quiet: bool,
) -> None:
    """Do one run, where no other command is named."""
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
                approved=_approved(approvals, force_removals),
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
        formatter = _log_to_stderr(screen.reader.verbosity)
        loaded = load_config(config_path, environ=os.environ, cwd=Path.cwd(), script_dir=SCRIPT_FOLDER)
        screen.reader = replace(screen.reader, hide=loaded.hide)
        formatter.hide = loaded.hide
        if not screen.dry_run:
            _log_to_file(loaded)
        yield loaded
    except NoConfig as error:
        screen.fail(ExitCode.CONFIG, _first_run(error, config_path, screen.dry_run))
    except ConfigError as error:
        screen.fail(ExitCode.CONFIG, str(error))
    except LockedError as error:
        screen.fail(ExitCode.TRY_LATER, str(error), quietly=not (screen.was_asked or error.is_news))
    except StateError as error:
        screen.fail(ExitCode.UNEXPECTED, escaped(str(error)))
    except Exception as error:  # noqa: BLE001 - whatever it is, cron's mail gets one sentence and the exit code is 1
        for line in _trace(error):
            log.debug("%s", line)
        sentence = f"unexpected error: {type(error).__name__}; run again with -vv and report what it says"
        screen.fail(ExitCode.UNEXPECTED, sentence)


@dataclass
class Screen:
    """Prints what `report` makes of a run: stdout has the result, stderr the talk."""

    reader: Reader
    dry_run: bool
    was_asked: bool = False
    """Whether a user waits for an answer; else cron may have started it."""
    was_told: bool = False
    """Whether the plan had lines."""
    result: Result | None = None
    """What the run has found out and done, once there is a plan."""

    @classmethod
    def of(cls, output: str, verbose: int, *, quiet: bool, dry_run: bool, was_asked: bool = False) -> Self:
        """Make one from the options that every command has."""
        if verbose and quiet:
            raise click.UsageError("-v and -q contradict each other")
        verbosity = Verbosity.QUIET if quiet else Verbosity(min(verbose, Verbosity.DEBUG))
        return cls(Reader(verbosity, output == "json", was_asked or sys.stdout.isatty()), dry_run, was_asked)

    def say(self, lines: Iterable[str]) -> None:
        """Print lines to stdout."""
        for line in lines:
            click.echo(line)

    def plan(self, result: Result, notices: Due) -> None:
        """Show what is going to happen, and what there is to say about it."""
        self.result = result
        lines = render_plan(result, notices, self.reader)
        self.was_told = bool(lines)
        self.say(lines)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[], None]]:
        """Draw a bar on a terminal while many changes are made."""
        if total < PROGRESS_FROM or not sys.stderr.isatty() or not self.reader.is_normal:
            yield lambda: None
            return
        with click.progressbar(length=total, label="writing to mailcow", file=sys.stderr) as bar:
            yield lambda: bar.update(1)

    def end(self, result: Result, notices: Due) -> None:
        """Show how the run ended."""
        self.say(render_end(result, notices, self.reader, was_told=self.was_told))

    def answer(self, result: Result, done: str) -> None:
        """Show what became of what a user asked for: `done` says it of an outcome that is."""
        self.say(render_answer(result, done, self.reader))

    def fail(self, exit_code: ExitCode, sentence: str, *, quietly: bool = False) -> NoReturn:
        """Show why there was no run at all or not all of it, and end the process; `quietly` in the log alone."""
        if self.reader.as_json:
            result = self.result or Result(self.dry_run)
            result.error, result.exit_code = sentence, exit_code
            self.end(result, EVERYTHING)
        elif quietly:
            log.info("%s", sentence)
        else:
            click.echo(self.reader.hide(escaped_lines(sentence)), err=True)
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


class _OneLine(logging.Formatter):
    """Writes a record as one line, whatever is in it: a value from LDAP or mailcow can't make another one.

    `hide` takes the secrets of the config out of it, once there is a config.
    """

    def __init__(self, line: str, hide: Callable[[str], str] = str) -> None:
        super().__init__(line)
        self.hide = hide

    def format(self, record: logging.LogRecord) -> str:
        return escaped(self.hide(super().format(record)))


_LEVELS = {Verbosity.VERBOSE: logging.INFO, Verbosity.DEBUG: logging.DEBUG}


def _log_to_stderr(verbosity: Verbosity) -> _OneLine:
    level = _LEVELS.get(verbosity, logging.WARNING)
    formatter = _OneLine("%(levelname)s %(message)s")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.setLevel(level)
    package = logging.getLogger("ldap2mailcow")
    package.handlers = [handler]
    package.setLevel(level)
    package.propagate = False
    return formatter


def _log_to_file(loaded: Loaded) -> None:
    """Append to the log file, if there is one, whatever -v says; logrotate moves it away between runs."""
    path = loaded.config.log_file
    if path is None:
        return
    try:
        descriptor = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, is_ours=True)
    except OddFile as error:
        raise ConfigError([Mistake("log_file", str(error))], loaded.path) from None
    except OSError as error:
        sentence = f"{path} can't be written: {error.strerror}; correct the path, or the rights"
        raise ConfigError([Mistake("log_file", sentence)], loaded.path) from None
    handler = logging.StreamHandler(Stream(io.FileIO(descriptor, "w"), "utf-8", f"the log file {path}"))
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s", loaded.hide))
    package = logging.getLogger("ldap2mailcow")
    package.addHandler(handler)
    package.setLevel(min(package.level, logging.INFO))


def _trace(error: BaseException) -> list[str]:
    """Return where an error came from: files and lines only, since values could be secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
