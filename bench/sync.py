"""`make bench`: what a run costs, with a real slapd and the stand-in for mailcow, at once and at mailcow's own pace."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.directory_server import Slapd, ldif, person
from tests.mailcow_server import DomainLimits, Fault, Faults, MailcowServer

from .command import HEADER, Cost, run, write_config

FIRST, QUIET = "first run, all are new", "second run, no change"
DOMAIN = "example.org"
CONFIG = """\
ldap:
  uri: {ldap}
  bind_dn: {bind_dn}
  bind_pw: {bind_pw}
  user_search_base: {base}
  user_mapping: {{quota: MailQuota, active: mailActive}}
mailcow_host: {mailcow}
mailcow_api_key: {api_key}
update_only_on_change_by_ldap: true
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that a real mailcow takes, as docs/mailcow-api.md section 14 has them for one number of mailboxes."""

    mailboxes: int
    domains: float
    """get/domain/all."""
    listed: float
    """get/mailbox/reduced, for each mailbox in the list."""
    aliases: float
    """get/alias/all, for each alias in the list: as many as there are mailboxes."""
    single: float
    """get/mailbox/{address}, and what else is as small."""
    add: float
    """One add/mailbox with a hash, while 2 connections send them."""
    edit: float
    """One edit/mailbox of one mailbox, the same."""

    @property
    def ancestor(self) -> float:
        """One GET and one POST for a mailbox, one after the other, in seconds."""
        return self.single + {1_000: 0.034, 10_000: 0.180}[self.mailboxes]


PACES = (
    Pace(1_000, domains=0.013, listed=0.779 / 1_000, aliases=0.607 / 1_000, single=0.0062, add=1 / 64, edit=1 / 49),
    Pace(10_000, domains=0.099, listed=9.550 / 10_000, aliases=6.230 / 10_000, single=0.012, add=1 / 11, edit=1 / 8.9),
)


class Paced(Faults):
    """The stand-in's knobs, with each call taking as long as a real mailcow was measured to take."""

    def __init__(self, pace: Pace, count: Callable[[], int]) -> None:
        super().__init__()
        self._pace, self._count = pace, count

    def strike(self, path: str, items: Iterable[str], *, is_write: bool) -> Fault | None:
        """Take the time of the call; writes wait for each other here, as they do in mailcow's database."""
        time.sleep(self._seconds(path, is_write=is_write))
        return super().strike(path, items, is_write=is_write)

    def _seconds(self, path: str, *, is_write: bool) -> float:
        if is_write:
            return self._pace.add if path.startswith("add/") else self._pace.edit
        if path.startswith("get/domain/"):
            return self._pace.domains
        for lists, each in (("get/mailbox/reduced", self._pace.listed), ("get/alias/all", self._pace.aliases)):
            if path.startswith(lists):
                return each * self._count()
        return self._pace.single


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000, metavar="N", help="entries in the directory (1000)")
    users = parser.parse_args().users
    pace = min(PACES, key=lambda one: abs(one.mailboxes - users))
    print(f"{users:,} users in a real slapd, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    with Slapd() as slapd:
        slapd.load(ldif(person(number) for number in range(users)))
        print("\nmailcow's stand-in answers at once: what the command itself takes")
        _measure(slapd, users, None)
        print(
            f"\nmailcow's stand-in takes its time: what the real API was measured to take with {pace.mailboxes:,} "
            "mailboxes\nand as many aliases on 2 cores (docs/mailcow-api.md section 14)"
        )
        costs = _measure(slapd, users, pace)
    _compare(users, pace, costs)


def _measure(slapd: Slapd, users: int, pace: Pace | None) -> dict[str, Cost]:
    limits = DomainLimits(DOMAIN, mailboxes=users + 1, aliases=users + 1, quota=(users + 1) * 4_096)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, MailcowServer([limits]) as mailcow:
        if pace:
            mailcow.faults = Paced(pace, lambda: len(mailcow.state.mailboxes))
        folder = Path(name)
        write_config(folder, _config(slapd, mailcow))
        print(HEADER)
        scenes: tuple[tuple[str, tuple[str, ...], Callable[[], None]], ...] = (
            (FIRST, (), lambda: None),
            (QUIET, (), lambda: None),
            ("one name changed", (), lambda: slapd.modify(person(0)[0], {"sn": f"Renamed {time.monotonic_ns()}"})),
            ("one new colleague", (), lambda: slapd.add(*person(users))),
            ("--reassert", ("--reassert",), lambda: slapd.delete(person(users)[0])),
        )
        costs = {}
        for title, options, happen in scenes:
            happen()
            costs[title] = run(folder, mailcow, options)
            print(f"{title:<24}{costs[title].figures}")
    return costs


def _config(slapd: Slapd, mailcow: MailcowServer) -> str:
    return CONFIG.format(
        ldap=slapd.uri,
        bind_dn=slapd.reader_dn,
        bind_pw=slapd.reader_password,
        base=slapd.people_dn,
        mailcow=mailcow.url,
        api_key=mailcow.api_key,
    )


def _compare(users: int, pace: Pace, costs: dict[str, Cost]) -> None:
    """Print what mailcow-ldap-sync, which asks for and writes every mailbox in every run, would take."""
    quiet, every = costs[QUIET], 2 * users
    seconds = users * pace.ancestor
    print(
        "\na run without changes, beside one GET and one POST for each mailbox (mailcow-ldap-sync; computed, not run)"
    )
    print(f"{'requests':<24}{quiet.reads + quiet.writes:>10,} instead of {every:,}")
    print(f"{'of them writes':<24}{quiet.writes:>10,} instead of {users:,}")
    print(f"{'seconds':<24}{quiet.whole:>10.1f} instead of {seconds:,.1f}, {seconds / quiet.whole:,.0f} times as many")


if __name__ == "__main__":
    main()
