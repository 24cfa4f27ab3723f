"""The machine: directory, administrator, disasters and runs, in any order."""

from __future__ import annotations

import http.client
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import stamina
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ldap2mailcow.model import Address
from ldap2mailcow.plan import REMOVING, Guarded, Options
from ldap2mailcow.sync import Request
from tests.faults.world import folder_in_memory
from tests.mailcow_server import DomainLimits, FaultKind, MailcowServer, State

from .installation import Installation, Ran
from .mail import Mail
from .people import ALIASES, LIST_MAILS, LISTS, MAILS, NET, ORG, PEOPLE, Directory, Told, Trust
from .promises import Judge, left_to_do, planned
from .settling import Settled
from .troubles import Down, Fault, Kill, Moment, Short, Trouble

MANY = 1000
WAITS = (0, 1, 5, 31, 31, 62, 24 * 60, 31 * 24 * 60, -90)
"""Minutes that may pass: within a grace, beyond it, a month; and the clock is set back."""
FAULTS = (
    FaultKind.EMPTY_BODY,
    FaultKind.EMPTY_BODY_AFTER,
    FaultKind.HTTP_500,
    FaultKind.HTTP_502,
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.DEADLOCK,
    FaultKind.LOCK_WAIT,
    FaultKind.HALF_DELETED,
)

people = st.sampled_from(PEOPLE)
mails = st.sampled_from(MAILS)
some_aliases = st.lists(st.sampled_from(ALIASES), max_size=2, unique=True).map(tuple)
some_people = st.lists(people, max_size=4, unique=True).map(tuple)
waits = st.sampled_from(WAITS)
kills = st.builds(Kill, st.sampled_from(list(Moment)), st.integers(1, 9))
faults = st.builds(Fault, st.sampled_from(FAULTS), st.integers(1, 5), st.booleans())
downs = st.builds(Down, st.sampled_from(["exited", "missing", "restarting"]))
troubles = kills | kills | faults | st.just(Short()) | downs
words = st.dictionaries(st.sampled_from(list(Guarded)), st.sampled_from([1, 2, 3, MANY]), min_size=1, max_size=3)
doubts = st.sampled_from([trust for trust in Trust if trust is not Trust.WHOLE])


class Model(RuleBasedStateMachine):
    """One mailcow, one installation, and whatever may come."""

    server: MailcowServer
    counted: Counter[str]
    """The stories, and the runs of the command in them that were no dry ones."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        folder = self.closing.enter_context(folder_in_memory())
        self.closing.enter_context(stamina.set_testing(True, attempts=3, cap=True))
        self.server.clock.set("2026-11-21 11:00:00")
        state = State(self.server.clock)
        state.add_domain(DomainLimits(ORG))
        state.add_domain(DomainLimits(NET))
        self.server.state = state
        self.server.log.clear()
        self.now = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
        self.house = Installation(self.server, folder)
        self.mail = Mail(state, self.claims, (self.house.mark,))

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.settle()
        finally:
            self.closing.close()

    def claims(self, address: str) -> str:
        """Return the mark of the installation whose state file has a mailbox of an address."""
        return self.house.mark if address in self.house.rows() else ""

    @property
    def directory(self) -> Directory:
        """The truth."""
        return self.house.directory

    @initialize(
        names=st.lists(people, max_size=5, unique=True), lists=some_people, has_run=st.sampled_from([True, True, False])
    )
    def begin(self, names: list[str], lists: tuple[str, ...], *, has_run: bool) -> None:
        """Most stories begin where some people have been served for a while."""
        self.counted["stories"] += 1
        self.some_come_with_their_usual_addresses(names)
        if lists:
            self.a_list_is_there(LISTS[0], f"{LISTS[0]}@{ORG}", lists)
        if has_run:
            self.run(self.tell(), Request())

    # the directory

    @rule(name=people, mail=mails, aliases=some_aliases, active=st.booleans())
    def somebody_comes(self, name: str, mail: str, aliases: tuple[str, ...], *, active: bool) -> None:
        if name not in self.directory.people:
            person = self.directory.person(name, mail)
            self.directory.people[name] = replace(person, aliases=aliases, active=active)

    @rule(names=st.lists(people, min_size=1, unique=True))
    def some_come_with_their_usual_addresses(self, names: list[str]) -> None:
        for name in names:
            if name not in self.directory.people:
                self.directory.people[name] = self.directory.person(name, f"{name}@{ORG}")

    @rule(name=people)
    def somebody_leaves(self, name: str) -> None:
        if name in self.directory.people:
            self.directory.left[name] = self.directory.people.pop(name)

    @rule(names=some_people)
    def many_leave(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.somebody_leaves(name)

    @rule(name=people)
    def somebody_is_back(self, name: str) -> None:
        if name in self.directory.left and name not in self.directory.people:
            self.directory.people[name] = self.directory.left.pop(name)

    @rule(name=people, same_password=st.booleans())
    def an_entry_is_made_anew(self, name: str, *, same_password: bool) -> None:
        if name in self.directory.people:
            self.directory.new_id(name)
            if not same_password:
                self.directory.new_password(name)

    @rule(name=people, mail=mails)
    def an_address_changes(self, name: str, mail: str) -> None:
        if name in self.directory.people:
            self.directory.change(name, mail=mail)

    @rule(name=people, active=st.booleans())
    def a_status_changes(self, name: str, *, active: bool) -> None:
        if name in self.directory.people:
            self.directory.change(name, active=active)

    @rule(name=people, aliases=some_aliases)
    def aliases_change(self, name: str, aliases: tuple[str, ...]) -> None:
        if name in self.directory.people:
            self.directory.change(name, aliases=aliases)

    @rule(name=people)
    def a_password_changes(self, name: str) -> None:
        if name in self.directory.people:
            self.directory.new_password(name)

    @rule(names=st.lists(people, min_size=2, max_size=3, unique=True))
    def addresses_go_round(self, names: list[str]) -> None:
        """Two swap their addresses, or three."""
        there = [name for name in names if name in self.directory.people]
        mails = [self.directory.people[name].mail for name in there]
        for name, mail in zip(there, mails[1:] + mails[:1], strict=True):
            self.directory.change(name, mail=mail)

    @rule(names=st.lists(people, min_size=2, max_size=3, unique=True), mail=mails)
    def addresses_move_on(self, names: list[str], mail: str) -> None:
        """Each takes the address of the next, and the last a new one."""
        there = [name for name in names if name in self.directory.people]
        mails = [self.directory.people[name].mail for name in there]
        for name, new in zip(there, [*mails[1:], mail], strict=False):
            self.directory.change(name, mail=new)

    @rule(unit=st.sampled_from(["people", "staff"]))
    def a_unit_moves(self, unit: str) -> None:
        for name in self.directory.people:
            self.directory.change(name, unit=unit)

    @rule()
    def another_server_has_all_with_new_ids(self) -> None:
        for name in list(self.directory.people):
            self.directory.new_id(name)

    @rule(name=st.sampled_from(LISTS), mail=st.sampled_from(LIST_MAILS), members=some_people)
    def a_list_is_there(self, name: str, mail: str, members: tuple[str, ...]) -> None:
        self.directory.set_list(name, mail, members)

    @rule(name=st.sampled_from(LISTS))
    def a_list_goes(self, name: str) -> None:
        self.directory.lists.pop(name, None)

    # the administrator

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        with self.mail.changed_by_hand():
            yield
        self.server.log.clear()

    def call(self, path: str, body: object) -> None:
        """Do something in mailcow as its web interface would; what is refused isn't done."""
        with closing(http.client.HTTPConnection(self.server.url.removeprefix("http://"))) as connection:
            headers = {"X-API-Key": self.server.api_key, "Content-Type": "application/json"}
            connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
            connection.getresponse().read()

    def edit(self, address: str, values: Mapping[str, object]) -> None:
        self.call("edit/mailbox", {"items": [address], "attr": values})

    @rule(address=mails, active=st.sampled_from([0, 1, 2]))
    def administrator_sets_a_status(self, address: str, active: int) -> None:
        with self.by_hand():
            self.edit(address, {"active": active})

    @rule(address=mails)
    def administrator_sets_a_password(self, address: str) -> None:
        password = f"by hand {next(self.directory.numbers)}"
        with self.by_hand():
            self.edit(address, {"password": password, "password2": password})

    @rule(address=mails, active=st.sampled_from([1, 1, 2, 0]))
    def administrator_makes_a_mailbox(self, address: str, active: int) -> None:
        local, _, domain = address.partition("@")
        password = f"by hand {next(self.directory.numbers)}"
        values = {"local_part": local, "domain": domain, "name": "By Hand", "quota": "100", "active": active}
        with self.by_hand():
            self.call("add/mailbox", {**values, "password": password, "password2": password})

    @rule(address=mails)
    def administrator_deletes_a_mailbox(self, address: str) -> None:
        with self.by_hand():
            self.call("delete/mailbox", [address])

    @rule(address=mails, new=st.sampled_from(["ann", "ben", "info", "other"]))
    def administrator_renames_a_mailbox(self, address: str, new: str) -> None:
        local, _, domain = address.partition("@")
        with self.by_hand():
            names = {"domain": domain, "old_local_part": local, "new_local_part": new, "create_alias": 0}
            self.call("edit/rename-mbox", {"items": [""], "attr": names})

    @rule(address=mails, is_marked=st.booleans(), is_disabled=st.booleans())
    def administrator_sets_our_tags(self, address: str, *, is_marked: bool, is_disabled: bool) -> None:
        mark = self.house.mark
        tags = {mark: is_marked, f"{mark}:disabled": is_disabled, f"{mark}:released": False}
        with self.by_hand():
            self.call(f"delete/mailbox/tag/{address}", [tag for tag, there in tags.items() if not there])
            self.edit(address, {"tags": [tag for tag, there in tags.items() if there]})

    @rule(address=st.sampled_from([*ALIASES, *LIST_MAILS]), goto=mails | st.just("x@elsewhere.example"))
    def administrator_makes_an_alias(self, address: str, goto: str) -> None:
        with self.by_hand():
            self.call("add/alias", {"address": address, "goto": goto, "active": 1, "sender_allowed": 1})

    @rule(address=st.sampled_from([*ALIASES, *LIST_MAILS]), goto=mails | st.just("x@elsewhere.example"))
    def administrator_changes_where_an_alias_goes(self, address: str, goto: str) -> None:
        row = self.server.state.alias_at(address)
        if row and not row.is_self_row:
            with self.by_hand():
                self.call("edit/alias", {"items": [row.id], "attr": {"goto": goto}})

    @rule(address=st.sampled_from([*ALIASES, *LIST_MAILS]))
    def administrator_deletes_an_alias(self, address: str) -> None:
        row = self.server.state.alias_at(address)
        if row and not row.is_self_row:
            with self.by_hand():
                self.call("delete/alias", [row.id])

    # the config

    @rule(
        action=st.sampled_from(["keep", "disable", "disallow_login", "delete", "delete"]),
        after=st.sampled_from(["1h", "1d", "30d"]),
    )
    def config_says_what_becomes_of_who_is_gone(self, action: str, after: str) -> None:
        self.house.settings["removed_users"] = {"action": action, "delete_after": after}

    @rule(renames=st.sampled_from(["rename", "rename", "hold"]))
    def config_says_whether_mailboxes_are_renamed(self, renames: str) -> None:
        self.house.settings["renames"] = renames

    @rule(policy=st.sampled_from(["overwrite", "keep_password", "refuse"]))
    def config_says_how_mailboxes_are_adopted(self, policy: str) -> None:
        self.house.settings["adopt_mailboxes"] = policy

    @rule(staff_only=st.booleans())
    def config_says_who_is_searched_for(self, *, staff_only: bool) -> None:
        self.house.settings["filter"] = staff_only

    # disasters

    @rule()
    def the_state_file_is_lost(self) -> None:
        self.house.lose_state()
        self.mail.forget(self.house.mark)

    @rule()
    def the_key_is_lost(self) -> None:
        self.house.lose_key()

    # time and runs

    @rule(address=mails)
    def administrator_releases_a_mailbox(self, address: str) -> None:
        """With our own command; nobody may touch it afterwards."""
        store = self.mail.at(address)
        if store is not None:
            with self.by_hand():
                result = self.house.release(Address(address), self.now)
            assert store.mark == "" or result.error, f"{address} is released and still {store.mark}'s"

    @rule(minutes=waits)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(minutes=waits, look_first=st.booleans())
    def a_run(self, minutes: int, *, look_first: bool) -> None:
        self.now += timedelta(minutes=minutes)
        self.run(self.tell(), Request(), look_first=look_first)

    @rule(times=st.integers(2, 6))
    def cron_runs_each_week(self, times: int) -> None:
        for _ in range(times):
            self.now += timedelta(days=7)
            self.run(self.tell(), Request())

    @rule(names=st.lists(people, min_size=4, unique=True), action=st.sampled_from(["disable", "delete"]))
    def nearly_all_leave_at_once(self, names: list[str], action: str) -> None:
        """And it is looked for twice whether they are there; with or without somebody's word."""
        self.config_says_what_becomes_of_who_is_gone(action, "1d")
        self.many_leave(tuple(names))
        self.cron_runs_for_a_while(2)

    @rule(times=st.integers(2, 3))
    def cron_runs_for_a_while(self, times: int) -> None:
        for _ in range(times):
            self.now += timedelta(minutes=31)
            self.run(self.tell(), Request())

    @rule(trouble=troubles, minutes=waits)
    def a_run_in_trouble(self, trouble: Trouble, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.run(self.tell(), Request(), trouble)

    @rule(trust=doubts, unseen=st.lists(st.sampled_from([*PEOPLE, *LISTS]), max_size=6), minutes=waits)
    def a_run_that_sees_only_a_part(self, trust: Trust, unseen: list[str], minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        if self.can_be_noticed(trust):
            self.run(self.tell(trust, unseen), Request(), look_first=True)

    @rule(trouble=troubles, forced=st.sampled_from([1, 3, MANY]))
    def a_forced_run_in_trouble(self, trouble: Trouble, forced: int) -> None:
        self.run(self.tell(), Request(Options(approved=dict.fromkeys(REMOVING, forced))), trouble)

    @rule(minutes=waits, forced=st.sampled_from([1, 2, 3, MANY]))
    def a_forced_run(self, minutes: int, forced: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.run(self.tell(), Request(Options(approved=dict.fromkeys(REMOVING, forced))), look_first=True)

    @rule(minutes=waits, approved=words)
    def an_approved_run(self, minutes: int, approved: dict[str, int]) -> None:
        self.now += timedelta(minutes=minutes)
        self.run(self.tell(), Request(Options(approved=approved)), look_first=True)

    @rule()
    def a_run_that_writes_all_passwords(self) -> None:
        self.run(self.tell(), Request(Options(reassert=True)))

    @rule(only=mails)
    def a_run_for_one_address(self, only: str) -> None:
        self.run(self.tell(), Request(Options(only=frozenset({Address(only)}))), look_first=True)

    @rule(names=st.lists(people, min_size=1, max_size=3, unique=True))
    def a_run_with_another_filter(self, names: list[str]) -> None:
        told = self.tell()
        told = replace(told, people=tuple(one for one in told.people if one.name in names))
        if told.people:
            self.run(told, Request(Options(overridden_filter=True), override_filter="(uid=*)"))

    def tell(self, trust: Trust = Trust.WHOLE, unseen: list[str] | None = None) -> Told:
        return self.directory.tell(trust, unseen or [], staff_only=self.house.staff_only)

    def can_be_noticed(self, trust: Trust) -> bool:
        """Tell whether a run can know by what it remembers that a right to read is lost: three people at least."""
        if trust not in {Trust.NO_MAILS, Trust.NO_STATUS, Trust.NO_PASSWORDS, Trust.NO_IDS}:
            return True
        rows = set(self.house.rows().values())
        return self.house.has_ids and len(rows & self.tell().ids) >= 3

    def run(self, told: Told, request: Request, trouble: Trouble = None, *, look_first: bool = False) -> Ran:
        """Do a run, hold it to its promises, and see that a second one would do nothing."""
        ahead = self.look(told, request) if look_first else None
        ran = self.house.run(told, request, self.now, trouble)
        self.counted["runs"] += 1
        Judge(ran, self.mail).judge()
        if ahead is not None and trouble is None:
            assert planned(ran) == planned(ahead), "a dry run foretells something else"
        if ran.is_complete:
            again = self.look(told, request)
            left = left_to_do(again, ran)
            assert not left, f"a second run at the same time would {left}"
        if trouble is None:
            assert ran.result is not None
            assert ran.is_complete, f"{ran.result.error}; {[one.detail for one in ran.result.failed]}"
        return ran

    def look(self, told: Told, request: Request) -> Ran:
        """Do a dry run, and see that it writes nothing anywhere."""
        files = self.house.files()
        self.server.log.clear()
        ran = self.house.run(told, replace(request, dry_run=True), self.now)
        assert ran.result is not None
        assert not self.server.log.writes(), "a dry run writes to mailcow"
        assert self.house.files() == files, "a dry run writes files"
        return ran

    # the end

    def settle(self) -> None:
        """Let peace come: no faults, whole answers, time enough, every word given; and see that all is well."""
        self.house.settings = {}
        for minutes in (0, 31, 62, *[1] * len(PEOPLE)):  # a chain of renames goes one link a run
            self.now += timedelta(minutes=minutes)
            ran = self.run(self.tell(), Request(Options(approved=dict.fromkeys(Guarded, MANY))))
            for name in self.directory.people if minutes == 0 else ():
                self.directory.new_password(name)  # a change that no run has missed, whatever was lost before
        Settled(ran, self.mail).check()
