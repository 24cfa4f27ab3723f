"""`make bench`: what lists cost, with a real slapd and a stand-in for mailcow that answers at once."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.directory_server import Slapd, group, ldif, person
from tests.mailcow_server import DomainLimits, MailcowServer

from .command import HEADER, Cost, run, write_config

DOMAIN = "example.org"
LEAVES, MIDDLES, TOPS = 100, 90, 10
IN_A_LEAF = 9
"""People in each of the lists that hold people; the others hold ten lists each."""
SIZES = (9, 90, 900)
GUESTS = "(&(mail=*)(!(title=guest)))"
CONFIG = """\
ldap:
  uri: {ldap}
  bind_dn: {bind_dn}
  bind_pw: {bind_pw}
  user_search_base: {people}
  user_search_filter: {filter}
  user_mapping: {{quota: MailQuota, active: mailActive, aliases: [mailAlias]}}
  group_search_base: {groups}
mailcow_host: {mailcow}
mailcow_api_key: {api_key}
update_only_on_change_by_ldap: true
"""

Entry = tuple[str, dict[str, list[bytes]]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.aliases", description=__doc__)
    parser.add_argument("--users", type=int, default=2_000, metavar="N", help="people with two aliases each (2000)")
    users = parser.parse_args().users
    lists = LEAVES + MIDDLES + TOPS
    print(
        f"{users:,} users with 2 aliases each, {lists} lists within lists of up to {LEAVES * IN_A_LEAF} members; "
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
    )
    _measure(users)
    _count_searches()


def _measure(users: int) -> None:
    """Print what runs take."""
    with Slapd() as slapd, _mailcow(users) as mailcow, tempfile.TemporaryDirectory(prefix="bench-") as name:
        slapd.load(ldif([*map(_with_aliases, range(users)), *_lists()]))
        folder, one_list = Path(name), _list_dn(0)
        write_config(folder, _config(slapd, mailcow))
        members = [_dn(number) for number in _in_leaf(0)]
        scenes: tuple[tuple[str, Callable[[], None]], ...] = (
            ("first run, all are new", lambda: None),
            ("second run, no change", lambda: None),
            ("one member more", lambda: slapd.modify(one_list, {"member": [*members, _dn(users - 1)]})),
            ("one member less", lambda: slapd.modify(one_list, {"member": members})),
        )
        print(HEADER)
        for title, happen in scenes:
            happen()
            cost, searches = _counted(slapd, folder, mailcow)
            print(f"{title:<24}{cost.figures}, {searches} LDAP searches")


def _count_searches() -> None:
    """Print how many searches a run takes, by the number of members in a list."""
    print("\nLDAP searches of one run, by the number of members of one list")
    print(f"{'':<34}" + "".join(f"{size:>6}" for size in SIZES))
    for title, is_guest in (("members who are users", False), ("members who are in no other answer", True)):
        counts = [_searches_for(size, is_guest=is_guest) for size in SIZES]
        print(f"{title:<34}" + "".join(f"{count:>6}" for count in counts))


def _searches_for(size: int, *, is_guest: bool) -> int:
    with Slapd() as slapd, _mailcow(size) as mailcow, tempfile.TemporaryDirectory(prefix="bench-") as name:
        people = [_with_aliases(number) for number in range(size + 1)]
        if is_guest:
            people[1:] = [(dn, {**known, "title": [b"guest"]}) for dn, known in people[1:]]
        slapd.load(ldif([*people, group("everybody", map(_dn, range(1, size + 1)))]))
        write_config(Path(name), _config(slapd, mailcow))
        return _counted(slapd, Path(name), mailcow, "--dry-run")[1]


def _counted(slapd: Slapd, folder: Path, mailcow: MailcowServer, *options: str) -> tuple[Cost, int]:
    """Run the command once; return what it took, and how many searches slapd saw."""
    before = slapd.log.count(" SRCH base=")
    cost = run(folder, mailcow, options)
    return cost, slapd.log.count(" SRCH base=") - before


def _mailcow(users: int) -> MailcowServer:
    limits = DomainLimits(DOMAIN, mailboxes=users + 1, aliases=2 * users + 1_000, quota=(users + 1) * 4_096)
    return MailcowServer([limits])


def _config(slapd: Slapd, mailcow: MailcowServer) -> str:
    return CONFIG.format(
        ldap=slapd.uri,
        bind_dn=slapd.reader_dn,
        bind_pw=slapd.reader_password,
        people=slapd.people_dn,
        filter=GUESTS,
        groups=slapd.groups_dn,
        mailcow=mailcow.url,
        api_key=mailcow.api_key,
    )


def _with_aliases(number: int) -> Entry:
    dn, known = person(number)
    aliases = [f"{letter}{number:06}@{DOMAIN}".encode() for letter in "ab"]
    return dn, {**{name: list(values) for name, values in known.items()}, "mailAlias": aliases}


def _lists() -> Iterator[Entry]:
    """Give all lists: each top has every leaf in it once, and the last one has all the other tops."""
    for leaf in range(LEAVES):
        yield _list(leaf, [_dn(number) for number in _in_leaf(leaf)])
    for middle in range(MIDDLES):
        turn, part = divmod(middle, 10)
        yield _list(LEAVES + middle, [_list_dn((part * 10 + place + turn) % LEAVES) for place in range(10)])
    for top in range(TOPS - 1):
        yield _list(LEAVES + MIDDLES + top, [_list_dn(LEAVES + top * 10 + place) for place in range(10)])
    others = range(LEAVES + MIDDLES, LEAVES + MIDDLES + TOPS - 1)
    yield _list(LEAVES + MIDDLES + TOPS - 1, [_list_dn(number) for number in others])


def _list(number: int, members: list[str]) -> Entry:
    dn, known = group(f"list{number:03}", members)
    return dn, {name: list(values) for name, values in known.items()}


def _list_dn(number: int) -> str:
    return group(f"list{number:03}")[0]


def _in_leaf(leaf: int) -> range:
    return range(leaf * IN_A_LEAF, (leaf + 1) * IN_A_LEAF)


def _dn(number: int) -> str:
    return person(number)[0]


if __name__ == "__main__":
    main()
