"""What holds for the aliases of every directory, mailcow and state file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.config import Config
from ldap2mailcow.model import (
    GOTO,
    PRIVATE_COMMENT,
    Address,
    Alias,
    AliasChange,
    Change,
    Code,
    ExistingAlias,
    Kind,
    Note,
    RememberedAlias,
    Role,
    SourceMemory,
    Subject,
    Why,
    split,
)
from ldap2mailcow.plan import Options, Plan, Reason, View, fingerprint, phases

from .builders import (
    ALIAS_DOMAIN,
    CUT_SHORT,
    DISABLED_TAG,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    NONE_FOUND,
    NOW,
    OUTSIDE,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    existing,
    id_of,
    make_plan,
    of_aliases,
    of_mailboxes,
    people,
    row,
    wanted,
    wish,
)
from .simulated import planned, simulate

EVERYBODY = people(5)
OF_ENTRIES = (Role.USER, Role.LIST, Role.FORWARD)
"""The kinds of aliases that entries ask for."""
NOBODY_THERE = Address(f"nobody@{DOMAIN}")
TWINS = Address(f"info@{ALIAS_DOMAIN}"), Address(f"{EVERYBODY[0].local}@{ALIAS_DOMAIN}")
LEFT_ALONE = ["ldap-sync:released", "ldap-sync-berlin", "berlin:disabled", "theirs"]
"""Comments of aliases that nobody touches."""
ADDRESSES = (INFO, TEAM, HELP, *TWINS, EVERYBODY[4], EVERYBODY[3])
TARGETS = (*EVERYBODY, *EVERYBODY, OUTSIDE, TEAM, NOBODY_THERE)
SENDERS = (INFO, TEAM, f"@{DOMAIN}", "*", EVERYBODY[0], EVERYBODY[1])
FLAGS = st.sampled_from([0, 1])
LONG_AGO: dict[str, Any] = {"missing_since": NOW - timedelta(days=9), "missed": 9}

NUMBERS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"number": None}, {"number": 7}])
MISSES: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, LONG_AGO])
STATUS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {}, {"active": 0}, {"active": 1}])

thorough = settings(max_examples=200, deadline=None, derandomize=True, database=None)

CONFIGS = [
    alias_config(
        mapping={"send_as": "mailSendAs"},
        adopt_aliases=adopt,
        removed_aliases=policy,
        removed_users={"action": action},
        create_mailboxes=creates,
        limits={"list_members": longest, "removals": removals, "list_shrink": shrink},
        protected=protected,
    )
    for adopt, policy, action, creates, (longest, removals, shrink), protected in product(
        ["same_goto", "overwrite", "refuse"],
        ["delete", "disable", "keep"],
        ["disable", "keep"],
        [True, True, False],
        [(1000, "5, 10%", "50%"), (2, "50%", "1")],
        [[], [], [TEAM]],
    )
]

options = st.builds(
    Options,
    only=st.sampled_from([frozenset(), frozenset(), frozenset(), frozenset({EVERYBODY[0], INFO})]),
    overridden_filter=st.sampled_from([False, False, False, True]),
    force_removals=st.sampled_from([None, None, None, 0, 9]),
)

some_targets = st.frozensets(st.sampled_from(TARGETS), max_size=4)


@st.composite
def wishes(draw: st.DrawFn, address: Address) -> Alias:
    """What the directory may ask for at an address."""
    role = draw(st.sampled_from(OF_ENTRIES))
    goto = draw(some_targets) - {address}
    if role is Role.USER:
        goto = frozenset({draw(st.sampled_from([one for one in EVERYBODY if one != address]))})
    flags = draw(
        st.fixed_dictionaries({"sogo_visible": FLAGS}, optional={"internal": FLAGS, "sender_allowed": FLAGS}),
    )
    comment = draw(st.sampled_from([None, None, "Team", ""]))
    owner = id_of(min(goto)) if role is Role.USER else f"entry-{address}"
    return wish(address, *goto, role=role, owner=owner, flags=flags, comment=comment)


@st.composite
def existing_aliases(draw: st.DrawFn, address: Address) -> ExistingAlias:
    """What mailcow may have at an address."""
    goto = draw(some_targets) | draw(st.sampled_from([frozenset({address}), frozenset(), frozenset(), frozenset()]))
    return alias(
        address,
        *(goto if goto - {address} else {OUTSIDE}),
        mark=draw(st.sampled_from(["", "", MARK, MARK, MARK, DISABLED_TAG, "their own", *LEFT_ALONE])),
        active=draw(st.sampled_from([0, 1, 1])),
        internal=draw(FLAGS),
        sender_allowed=draw(FLAGS),
        sogo_visible=draw(FLAGS),
        public_comment=draw(st.sampled_from(["", "Team"])),
    )


@st.composite
def alias_rows(draw: st.DrawFn, address: Address) -> RememberedAlias:
    """What the state file may remember of an address."""
    return alias_row(
        draw(wishes(address)),
        owner=draw(st.sampled_from([*map(id_of, EVERYBODY), f"entry-{address}", "gone", ""])),
        role=draw(st.sampled_from([*OF_ENTRIES, None])),
        disabled=draw(st.booleans()),
        **draw(NUMBERS),
        **draw(MISSES),
    )


def searches(config: Config) -> st.SearchStrategy[dict[str, SourceMemory]]:
    """What may be remembered of the directory: nothing, this search, another search of groups."""
    own = fingerprint(config.sources[0])
    known = {"default": SourceMemory("entryUUID", own)}
    other = {"default": SourceMemory("entryUUID", {**own, "group_search_base": "ou=others"})}
    return st.sampled_from([known, known, known, other, {}])


@st.composite
def views(draw: st.DrawFn) -> View:
    """Return any view with aliases; there is room for mailboxes, but perhaps not for aliases."""
    config = draw(st.sampled_from(CONFIGS))
    some = st.lists(st.sampled_from(EVERYBODY), unique=True)
    several = st.lists(st.sampled_from(ADDRESSES), unique=True)
    boxes = draw(some)
    there = [draw(existing_aliases(address)) for address in draw(several) if address not in boxes]
    senders = st.frozensets(st.sampled_from(SENDERS), max_size=3)
    wants = draw(some)
    rights = {address: draw(senders) for address in wants}
    foreign = {address: draw(st.sampled_from([frozenset(), frozenset({"boss@elsewhere.test"})])) for address in wants}
    answers = draw(st.sampled_from([{}, {}, {"groups": DOUBTED}, {"forwards": DOUBTED}, {"groups": NONE_FOUND}]))
    asked = [draw(wishes(address)) for address in draw(several)]
    return Scene(
        wants=[wanted(address, **draw(STATUS)) for address in wants],
        has=[
            existing(
                address,
                tags=draw(st.sampled_from([(MARK,), (MARK,), (), ("ldap-sync:released",), (MARK, "ldap-sync-berlin")])),
                active=draw(st.sampled_from([0, 1, 1, 1, 2])),
                senders=draw(senders),
            )
            for address in boxes
        ],
        rows=[row(address, senders=draw(senders), **draw(MISSES)) for address in draw(some)],
        config=config,
        options=draw(options),
        sources=draw(searches(config)),
        doubts=draw(st.sampled_from([(), (), (), (CUT_SHORT,)])),
        answers=answers,
        wishes=[one for one in asked if one.role is not Role.LIST or answers.get("groups") is not NONE_FOUND],
        aliases=there,
        alias_rows=[draw(alias_rows(address)) for address in draw(several)],
        alias_domains={ALIAS_DOMAIN: DOMAIN},
        limits={"max_aliases": len(there) + draw(st.integers(0, 4))},
        wished={
            "senders": {address: found for address, found in rights.items() if found},
            "foreign_senders": {address: found for address, found in foreign.items() if found},
            "unreadable": draw(st.sampled_from([frozenset(), frozenset(), frozenset({id_of(EVERYBODY[0])})])),
        },
    ).view()


def is_ours(view: View, found: ExistingAlias) -> bool:
    if found.values[PRIVATE_COMMENT] in LEFT_ALONE:
        return False
    known = view.memory.aliases.get(found.address)
    marked = found.values[PRIVATE_COMMENT] in (MARK, DISABLED_TAG)
    return marked or (known is not None and known.number in (None, found.number))


def removals(plan: Plan) -> list[AliasChange]:
    """Return the changes of aliases that nobody asks for any more."""
    return [change for change in of_aliases(plan.changes) if change.why in {Why.NOT_WANTED, Why.MISSING}]


@given(views())
@thorough
def test_an_alias_that_is_not_ours_is_touched_by_adoption_only(view: View) -> None:
    plan, _ = planned(view)
    for change in of_aliases(plan.changes):
        found = view.actual.aliases.get(change.address)
        if found and not is_ours(view, found):
            assert change.kind is Kind.ADOPT
            assert view.config.adopt_aliases != "refuse"
            assert change.address in view.wishes.aliases
            assert found.values[PRIVATE_COMMENT] not in LEFT_ALONE
        assert change.address not in view.config.protected
        assert (found is None) is (change.kind is Kind.CREATE)
        assert change.number == (found.number if found else None)
    for address in plan.unmanaged_aliases:
        touched: list[Change | Note] = [*plan.changes, *(note for note in plan.notes if note.remember is not None)]
        assert (address, Subject.ALIAS) not in {(one.address, one.subject) for one in touched}


@given(views())
@thorough
def test_a_run_for_some_addresses_touches_these_and_the_further_ones_of_their_users(view: View) -> None:
    plan, _ = planned(view)
    only = view.options.only
    theirs = {one.address for one in view.wishes.aliases.values() if one.role is Role.USER and only & {*one.goto}}
    if only:
        assert {change.address for change in plan.changes} <= only | theirs
    if view.options.scoped:
        assert Kind.REMOVE not in {change.kind for change in plan.changes}


@given(views())
@thorough
def test_what_is_left_alone_is_told_once_by_its_address(view: View) -> None:
    plan, _ = planned(view)
    codes = {Code.PROTECTED, Code.RELEASED, Code.OTHER_INSTALLATION, Code.ALIAS_NOT_OURS}
    told = [one.where for one in plan.findings if one.code in codes]
    assert len(set(told)) == len(told)
    assert {change.address for change in plan.changes}.isdisjoint(told)


@given(views())
@thorough
def test_mailcow_refuses_nothing_of_a_plan(view: View) -> None:
    plan, read = planned(view)
    simulate(plan, read)


@given(views())
@thorough
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(view: View) -> None:
    plan, read = planned(view)
    again, _ = planned(simulate(plan, read))
    if any(one.reason is Reason.OVER_LIMIT for one in plan.withheld):
        return  # of more that is ours, more may go
    if view.answers.groups and view.answers.groups.entries:  # else it matters whether there still are lists of ours
        assert again.changes == ()


@given(views())
@thorough
def test_only_what_is_ours_and_surely_gone_is_removed(view: View) -> None:
    plan, _ = planned(view)
    groups, forwards = view.answers.groups, view.answers.forwards
    assert groups
    assert forwards
    for change in removals(plan):
        known = view.memory.aliases.get(change.address)
        role = known.role if known else None
        assert is_ours(view, view.actual.aliases[change.address])
        assert change.address not in view.wishes.aliases
        assert not view.options.scoped
        assert not view.answers.users.doubts
        assert not groups.doubts or role in (Role.USER, Role.FORWARD)
        assert not forwards.doubts or role in (Role.USER, Role.LIST)
        assert known is None or known.owner not in view.wishes.unreadable
        assert change.kind is Kind.DISABLE or view.config.removed_aliases == "delete" or change.is_first
    allowed = view.config.limits.removals.allows(
        sum(found.is_active and is_ours(view, found) for found in view.actual.aliases.values()),
    )
    assert len(removals(plan)) <= max(allowed, view.options.force_removals or 0)


@given(views())
@thorough
def test_an_answer_that_is_not_whole_takes_nobody_from_a_list(view: View) -> None:
    plan, read = planned(view)
    after = simulate(plan, read).actual
    doubted = view.options.scoped or view.answers.users.doubts
    for change in of_aliases(plan.changes):
        found, asked = view.actual.aliases.get(change.address), view.wishes.aliases.get(change.address)
        if doubted and found and asked and is_ours(view, found) and GOTO in change.writes:
            active = {one for one in found.goto if one in after.mailboxes and after.mailboxes[one].attributes["active"]}
            assert active <= split(str(change.writes[GOTO]))


@given(views())
@thorough
def test_no_alias_that_is_wanted_goes_to_somebody_who_cannot_be_reached(view: View) -> None:
    plan, read = planned(view)
    after = simulate(plan, read)
    refused = {finding.code for finding in plan.findings}
    withheld = {address for one in plan.withheld for address in one.addresses}
    for address, found in after.actual.aliases.items():
        asked = view.wishes.aliases.get(address)
        if (
            not asked
            or address in withheld
            or not found.is_active
            or not is_ours(after, found)
            or address in view.config.protected
        ):
            continue
        if view.options.only or Code.ALIAS_IS_MAILBOX in refused:
            continue
        for target in found.goto:
            box = after.actual.mailboxes.get(target)
            assert box is None or box.attributes["active"] != 0
            assert target != NOBODY_THERE


@given(views())
@thorough
def test_a_lost_state_file_loses_nothing_that_is_marked(view: View) -> None:
    lost = replace(view, memory=replace(view.memory, aliases={}, sources={}))
    plan, read = planned(lost)
    after = simulate(plan, read)
    forced = view.options.force_removals
    for address, found in view.actual.aliases.items():
        if found.values[PRIVATE_COMMENT] in (MARK, DISABLED_TAG):
            assert (Code.ALIAS_NOT_OURS, address) not in {(one.code, one.where) for one in plan.findings}
            assert forced or address in after.actual.aliases
            assert address not in plan.unmanaged_aliases


@given(views())
@thorough
def test_every_change_is_in_one_batch_with_others_that_are_alike(view: View) -> None:
    plan, _ = planned(view)
    assert len({change.name for change in plan.changes}) == len(plan.changes)
    batches = [batch for phase in phases(plan.changes) for batch in phase.batches]
    assert sorted(map(id, plan.changes)) == sorted(id(change) for batch in batches for change in batch.changes)
    for batch in batches:
        for call in batch.calls:
            numbers = [str(change.number) for change in batch.changes if isinstance(change, AliasChange)]
            assert len(call.items) == len(batch.changes)
            assert not call.called or list(call.items) == numbers


@given(views())
@thorough
def test_rights_go_to_active_mailboxes_of_ours_only(view: View) -> None:
    plan, read = planned(view)
    after = simulate(plan, read)
    for change in of_mailboxes(plan.changes):
        if change.kind is Kind.GRANT:
            assert change.address in after.memory.mailboxes
            assert change.address not in view.config.protected
            assert after.actual.mailboxes[change.address].tags.isdisjoint(["ldap-sync:released", "ldap-sync-berlin"])
            assert after.actual.mailboxes[change.address].attributes["active"] != 0


@given(views())
@thorough
def test_rows_that_somebody_made_by_hand_stay(view: View) -> None:
    plan, read = planned(view)
    after = simulate(plan, read).actual
    for change in of_mailboxes(plan.changes):
        if change.kind is Kind.GRANT and change.senders is not None and "*" not in change.senders:
            known = view.memory.mailboxes.get(change.address)
            box = view.actual.mailboxes.get(change.address)
            by_hand = (box.senders or frozenset() if box else frozenset()) - (known.senders if known else frozenset())
            there = {one for one in by_hand if one.startswith("@") or one in {*after.mailboxes, *after.aliases}}
            assert there <= set(change.senders)


@given(views())
@thorough
def test_a_plan_is_the_same_each_time(view: View) -> None:
    assert make_plan(view) == make_plan(view)
