"""Whatever happens to people, mailboxes, clocks and the state file in any order: who is let in, what is deleted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.model import Address, Kind
from ldap2mailcow.plan import Case, Guarded, Options, Plan, make_plan
from ldap2mailcow.plan.grace import BELIEVED

from .builders import MARK, NOW, Scene, existing, make_config, people, quiet, row, wanted
from .simulated import simulate

EVERYBODY = people(4)
ACTIONS = ("keep", "disable", "disallow_login", "delete")
DELETE_AFTER = timedelta(days=10)
CONFIGS = {
    action: make_config(removed_users={"action": action, "delete_after": "10d"}, mapping={"active": "mailActive"})
    for action in ACTIONS
}
SOMEBODY = st.sampled_from(EVERYBODY)
PASSING = st.tuples(
    st.just("time"), st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=6), BELIEVED])
)
STEPS = st.one_of(
    PASSING,
    PASSING,
    PASSING,
    st.tuples(st.just("leaves"), SOMEBODY),
    st.tuples(st.just("is back"), SOMEBODY),
    st.tuples(st.just("by hand"), SOMEBODY, st.sampled_from([0, 1, 2])),
    st.tuples(st.just("config"), st.sampled_from(ACTIONS)),
    st.tuples(st.just("time"), st.sampled_from([timedelta(days=9_999), timedelta(days=-9_999)])),
    st.just(("state lost",)),
    st.tuples(st.just("run half way"), st.integers(0, 3)),
)


@dataclass
class World:
    """A directory, a mailcow, and what each mailbox has been through."""

    view: Case
    there: set[Address] = field(default_factory=lambda: set(EVERYBODY))
    looked: datetime = NOW
    out: dict[Address, timedelta] = field(default_factory=dict)
    """How long a mailbox has been seen inactive with its entry gone, and `delete` wanted."""
    touched: set[Address] = field(default_factory=set)
    """Whose status somebody has set by hand, or can't be told from that any more."""
    by_hand: dict[Address, int] = field(default_factory=dict)
    """What somebody has set by hand while the person was in the directory, and is so since."""

    def active(self, address: Address) -> int | None:
        """Return the status of a mailbox, None where there is none."""
        box = self.view.actual.mailboxes.get(address)
        return int(box.attributes["active"]) if box else None

    def set_by_hand(self, address: Address, active: int) -> None:
        box = self.view.actual.mailboxes.get(address)
        if box:
            box = replace(box, attributes={**box.attributes, "active": active})
            actual = replace(self.view.actual, mailboxes={**self.view.actual.mailboxes, address: box})
            self.view = replace(self.view, actual=actual)
            self.touched.add(address)
            self.by_hand.pop(address, None)
            if address in self.there and active != 1 and self.is_plain(address):
                self.by_hand[address] = active

    def is_plain(self, address: Address) -> bool:
        """Tell whether nothing of ours is left at a mailbox."""
        known = self.view.memory.mailboxes.get(address)
        return known is not None and not known.disabled and self.view.actual.mailboxes[address].tags == {MARK}

    def plan(self) -> Plan:
        desired = quiet(sorted(self.there), wants=[wanted(one, active=1) for one in sorted(self.there)]).case().desired
        self.view = replace(self.view, desired=desired)
        for address in EVERYBODY:
            self.count(address)
        self.looked = self.view.now
        return make_plan(self.view)

    def count(self, address: Address) -> None:
        deletes = self.view.config.removed_users.action == "delete"
        if address in self.there or self.active(address) != 0 or not deletes:
            self.out.pop(address, None)
        elif address in self.out:
            self.out[address] += min(max(self.view.now - self.looked, timedelta()), BELIEVED)
        else:
            self.out[address] = timedelta()

    def run(self, only: int | None = None) -> None:
        """Run, and see what must hold; `only` so many changes are carried out before the run is killed."""
        plan = self.plan()
        for change in plan.changes:
            if change.kind is Kind.DELETE:
                assert self.out[change.address] >= DELETE_AFTER
        changes = plan.changes if only is None else plan.changes[:only]
        self.view = simulate(replace(plan, changes=changes), self.view)
        for address in EVERYBODY:
            self.count(address)
        for address in self.there:
            if address in self.by_hand:
                assert self.active(address) == self.by_hand[address]
            elif only is None and address not in self.touched:
                assert self.active(address) == 1
        if only is None:
            again = make_plan(self.view)
            assert {change.kind for change in again.changes} <= {Kind.DISABLE, Kind.CREATE}
            gone = {change.address for change in plan.changes if change.kind is Kind.DELETE}
            assert {change.address for change in again.changes if change.kind is Kind.CREATE} <= gone


def begin() -> World:
    scene = Scene(
        wants=[wanted(one, active=1) for one in EVERYBODY],
        has=[existing(one) for one in EVERYBODY],
        rows=[row(one, applied={"name": one.local.title(), "active": 1}) for one in EVERYBODY],
        config=CONFIGS["delete"],
        options=Options(approved=dict.fromkeys(Guarded, 9)),
    )
    world = World(scene.case())
    world.run()
    return world


def happen(world: World, step: tuple[object, ...]) -> None:
    """Let something happen."""
    view = world.view
    match step:
        case ("leaves", Address() as address):
            world.there.discard(address)
            world.by_hand.pop(address, None)
        case ("is back", Address() as address):
            world.there.add(address)
        case ("by hand", Address() as address, int(active)):
            world.set_by_hand(address, active)
        case ("config", str(action)):
            world.view = replace(view, config=CONFIGS[action])
        case ("time", timedelta() as by):
            world.view = replace(view, now=view.now + by)
        case ("state lost",):
            world.view = replace(view, memory=replace(view.memory, mailboxes={}, sources={}))
            world.out.clear()
            world.touched |= {address for address in EVERYBODY if world.active(address) != 1}
            world.by_hand.clear()
        case ("run half way", int(changes)):
            world.run(changes)


@given(st.lists(STEPS, min_size=10, max_size=30))
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
def test_nothing_is_deleted_before_its_time_and_who_is_back_is_let_in_unless_somebody_else_shut_them_out(
    steps: list[tuple[object, ...]],
) -> None:
    world = begin()
    for step in steps:
        happen(world, step)
        world.run()


@given(st.lists(STEPS, min_size=10, max_size=30))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_whoever_stays_away_is_deleted_in_the_end(steps: list[tuple[object, ...]]) -> None:
    world = begin()
    for step in steps:
        happen(world, step)
        world.run()
    world.view = replace(world.view, config=CONFIGS["delete"])
    for _ in range(14):
        world.view = replace(world.view, now=world.view.now + timedelta(days=1))
        world.run()
    assert not [address for address in EVERYBODY if address not in world.there and world.active(address) is not None]
