"""A mailcow and a state file without anybody, to live through what a directory says at first and later."""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ldap2mailcow import directory, run
from ldap2mailcow.config import Config, Loaded
from ldap2mailcow.plan import Options
from ldap2mailcow.report import Due, Result
from tests.mailcow_server import AliasDomain, DomainLimits, MailcowServer, State

from .delivery import BOUNCE, Tables, targets
from .directories import ADDRESSES, NET, ORG, PEOPLE, SUFFIX, TWIN, Directory
from .plain_reading import Reading
from .world import Box, Row, World

MARK = "ldap-sync"
MANY = 1000
MINUTES = (0, 31, 62)
"""When the runs are: the graces are half an hour and two answers."""
OF_INTEREST = (*ADDRESSES, *(f"{name}@{domain}" for name in (*PEOPLE, "zoe", "all", "old") for domain in (ORG, TWIN)))


class Silent:
    """A screen that nobody looks at."""

    def plan(self, result: Result, notices: Due) -> None:
        pass

    @contextmanager
    def progress(self, _total: int) -> Iterator[Callable[[], None]]:
        yield lambda: None


@dataclass
class House:
    """One mailcow and one state file; what the directory says is given to each run."""

    mailcow: MailcowServer
    folder: Path
    now: datetime = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    config: Config = field(init=False)

    def __post_init__(self) -> None:
        self.config = Config.model_validate(
            {
                "ldap": {
                    "uri": "ldap://127.0.0.1",
                    "user_search_base": f"ou=people,{SUFFIX}",
                    "user_mapping": {
                        "active": "mailActive",
                        "aliases": ["mailAlias"],
                        "group_addresses": "mailList",
                        "forward_to": "mailForward",
                        "send_as": "mailSendAs",
                    },
                    "group_search_base": f"ou=groups,{SUFFIX}",
                    "group_mapping": {
                        "aliases": ["mailAlias"],
                        "send_as": "mailSendAs",
                        "sender_allowed": "mailSenderAllowed",
                        "catch_all": "mailCatchAll",
                    },
                    "alias_search_base": f"ou=forwards,{SUFFIX}",
                },
                "mailcow_host": self.mailcow.url,
                "mailcow_api_key": self.mailcow.api_key,
                "update_only_on_change_by_ldap": True,
                "adopt_mailboxes": "keep_password",
                "limits": {"removals": str(MANY)},
                "state_file": str(self.folder / "state.sqlite3"),
            },
        )

    def sync(self, told: Directory) -> Result:
        """Do one run."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(directory, "read", lambda *_args, **_options: told.answers())
            request = run.Request(Options(force_removals=MANY))
            result, _ = run.run(Loaded(self.config, None), request, Silent(), lambda: self.now)
        assert not result.error
        assert not [f"{one.change.name}: {one.detail}" for one in result.failed]
        assert result.exit_code in (0, 3), [one.sentence for one in result.plan.withheld]
        return result

    def by_hand(self, path: str, body: Mapping[str, object]) -> None:
        """Do something in mailcow as its administrator would; what is refused isn't done."""
        with closing(http.client.HTTPConnection(self.mailcow.url.removeprefix("http://"))) as connection:
            headers = {"X-API-Key": self.mailcow.api_key, "Content-Type": "application/json"}
            connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
            connection.getresponse().read()

    def world(self) -> World:
        """Return what mailcow has, as if nobody but its administrator had made it."""
        state = self.mailcow.state
        return World(
            {address: Box("", row.active) for address, row in state.mailboxes.items()},
            {row.address: Row("", targets(row)) for row in state.aliases.values() if not row.is_self_row},
        )

    def writes(self) -> list[str]:
        """Return what was written since the last look."""
        written = [f"{one.path} {one.body}" for one in self.mailcow.log.writes()]
        self.mailcow.log.clear()
        return written


@contextmanager
def house(server: MailcowServer) -> Iterator[House]:
    """Give a mailcow without anybody, and no state file."""
    state = State(server.clock)
    state.add_domain(DomainLimits(ORG))
    state.add_domain(DomainLimits(NET))
    state.alias_domains[TWIN] = AliasDomain(TWIN, ORG, 1, server.clock.now())
    server.state = state
    server.log.clear()
    with tempfile.TemporaryDirectory() as folder:
        yield House(server, Path(folder))


@dataclass(frozen=True)
class HandMade:
    """What an administrator made in mailcow before."""

    mailboxes: tuple[tuple[str, int], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()

    def make(self, house: House) -> None:
        for address, active in self.mailboxes:
            local, _, domain = address.partition("@")
            named = {"local_part": local, "domain": domain, "name": "By Hand", "quota": "100", "active": active}
            house.by_hand("add/mailbox", {**named, "password": "secret1", "password2": "secret1"})
        for address, goto in self.aliases:
            house.by_hand("add/alias", {"address": address, "goto": goto, "active": 1, "sender_allowed": 1})


def live_through(server: MailcowServer, made: HandMade, told: Sequence[Directory]) -> None:
    """Run for each state of a directory, and see each time that mail goes where the directory says.

    Each state comes to its end within the graces; a further run at the same time writes nothing.
    """
    with house(server) as place:
        made.make(place)
        place.writes()
        world = place.world()
        gone: frozenset[str] = frozenset()
        for number, said in enumerate(told):
            reading = Reading(said, world, gone_for_long=gone)
            world = reading.after()
            for minutes in MINUTES if number else (0,):
                place.now += timedelta(minutes=minutes)
                place.sync(said)
            check(place, world, reading)
            place.writes()
            place.sync(said)
            written = place.writes()
            assert not written, f"a second run writes: {written}"
            gone = frozenset(box.owner for box in world.boxes.values() if box.owner) - reading.ids


def check(place: House, world: World, reading: Reading) -> None:
    """Compare what mailcow does with what it should do."""
    found, wanted = Tables.of(place.mailcow.state), world.tables()
    addresses = {*OF_INTEREST, *reading.claimants, *reading.candidates, *world.boxes, *world.rows}
    served = [address for address in reading.served.values() if address in found.boxes]
    assert untouched(place.mailcow.state, world) == world
    wrong = differences(found.deliveries(addresses), wanted.deliveries(addresses))
    assert not wrong, f"who gets mail, and who should: {wrong}"
    dead = dead_ends(place.mailcow.state)
    assert not dead, f"aliases that lead nowhere: {dead}"
    wrong = differences(*({box: tables.send_as.get(box) for box in served} for tables in (found, wanted)))
    assert not wrong, f"whom users may send as, and should: {wrong}"


def untouched(state: State, world: World) -> World:
    """Return the world with what somebody made by hand, and the directory doesn't have, as mailcow has it now."""
    boxes = {
        address: replace(box, active=state.mailboxes[address].active) if not box.owner else box
        for address, box in world.boxes.items()
    }
    now = {row.address: row for row in state.aliases.values()}
    rows = {
        address: replace(row, goto=targets(now[address]), active=bool(now[address].active)) if not row.owner else row
        for address, row in world.rows.items()
    }
    return replace(world, boxes=boxes, rows=rows)


def differences(
    found: Mapping[str, Collection[str] | None], wanted: Mapping[str, Collection[str] | None]
) -> dict[str, tuple[list[str], list[str]]]:
    """Return what differs: what is, and what should be."""
    pairs = {key: (sorted(found.get(key) or ()), sorted(wanted.get(key) or ())) for key in {*found, *wanted}}
    return {key: (is_, should) for key, (is_, should) in sorted(pairs.items()) if is_ != should}


def dead_ends(state: State) -> dict[str, list[str]]:
    """Return the aliases of ours by which some mail is lost, and how."""
    tables = Tables.of(state)
    ours = {row.address for row in state.aliases.values() if row.private_comment == MARK} & tables.gotos.keys()
    tables = tables.with_living(tables.gotos.keys() - ours)
    ends = {address: sorted(tables.ends(address)) for address in sorted(ours)}
    return {address: found for address, found in ends.items() if not found or any(BOUNCE in end for end in found)}
