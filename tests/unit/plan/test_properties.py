"""What holds for every directory, mailcow and state file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from ldap2mailcow.calls import phases
from ldap2mailcow.config import Config
from ldap2mailcow.desired import EntryId, User
from ldap2mailcow.model import (
    ATTRIBUTES,
    GOTO,
    PRIVATE_COMMENT,
    Address,
    AliasChange,
    Answer,
    Cause,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    RenameChange,
    Role,
    Rule,
    SourceMemory,
    Subject,
    split,
)
from ldap2mailcow.plan import Case, Guarded, Options, Plan, Reason, fingerprint, make_plan

from .builders import (
    ALIAS_DOMAIN,
    CANARY,
    CUT_SHORT,
    DISABLED_TAG,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    LATER_STAMP,
    MARK,
    NOW,
    OUTSIDE,
    PASSWORD,
    STAMP,
    TEAM,
    Scene,
    Wish,
    alias,
    alias_config,
    alias_row,
    dn_of,
    existing,
    id_of,
    of_aliases,
    of_mailboxes,
    people,
    row,
    seal,
    wanted,
    wish,
)
from .simulated import planned, simulate

EVERYBODY = people(6)
NOBODY_THERE = Address(f"nobody@{DOMAIN}")
TWINS = Address(f"info@{ALIAS_DOMAIN}"), Address(f"{EVERYBODY[0].local}@{ALIAS_DOMAIN}")
ADDRESSES = (INFO, TEAM, HELP, *TWINS, EVERYBODY[5], EVERYBODY[4])
"""Where aliases may be; some of them may be mailboxes too."""
TARGETS = (*EVERYBODY, *EVERYBODY, OUTSIDE, TEAM, NOBODY_THERE)
SENDERS = (INFO, TEAM, f"@{DOMAIN}", "*", EVERYBODY[0], EVERYBODY[1])
PASSWORDS = (PASSWORD, "{CRYPT}$6$salt$second")
OTHERS_TAGS = [("ldap-sync:released",), ("ldap-sync-berlin", "ldap-sync-berlin:disabled"), (MARK, "ldap-sync:berlin")]
OTHERS_MARKS = ["ldap-sync:released", "ldap-sync-berlin", "their own", ""]
"""What is at mailboxes and aliases that aren't ours, or not for us to touch."""
FORMER_MARK = "ldap-sync:renamed"
QUOTAS, FLAGS = st.sampled_from([0, 50, 100, 200]), st.sampled_from([0, 1])
SOME = st.lists(st.sampled_from(EVERYBODY), unique=True)
SEVERAL = st.lists(st.sampled_from(ADDRESSES), unique=True)
_T = TypeVar("_T")

thorough = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def likely(usual: _T, *others: _T, times: int = 3) -> st.SearchStrategy[_T]:
    """Return a strategy for what is mostly as usual."""
    return st.sampled_from([usual] * times + list(others))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """What an administrator may set."""
    authsource = draw(likely(None, "mailcow", "ldap"))
    return alias_config(
        mapping={
            "quota": "mailQuota",
            "active": "mailActive",
            "tls_enforce_in": "mailTls",
            "send_as": "mailSendAs",
            **({"authsource": authsource} if authsource else {}),
        },
        password_drift=draw(likely("overwrite", "report")),
        missing_password=draw(likely("skip", "random")),
        adopt_mailboxes=draw(st.sampled_from(["overwrite", "keep_password", "refuse"])),
        adopt_aliases=draw(st.sampled_from(["same_goto", "overwrite", "refuse"])),
        protected=draw(likely([], [EVERYBODY[0], TEAM])),
        removed_users={
            "action": draw(st.sampled_from(["disable", "keep", "disallow_login", "delete", "delete"])),
            "missing_runs": 3,
            "delete_after": "10d",
        },
        removed_aliases=draw(st.sampled_from(["delete", "disable", "keep"])),
        renames=draw(likely("rename", "hold")),
        create_mailboxes=draw(st.sampled_from([True, True, True, False])),
        limits={
            "removals": draw(st.sampled_from(["5, 10%", "1", "50%"])),
            "renames": draw(st.sampled_from([9, 1])),
            "adoptions": draw(st.sampled_from([0, 1, 9])),
            "list_members": draw(likely(1000, 2)),
            "list_shrink": draw(likely("50%", "1")),
        },
    )


@st.composite
def users(draw: st.DrawFn, address: Address, usual: Address) -> User:
    """What the directory may want for an address: of its `usual` entry, or of another."""
    attributes: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["One", "Two"]),
                "quota": QUOTAS,
                "active": FLAGS,
                "tls_enforce_in": FLAGS,
            },
        ),
    )
    entry = draw(likely(usual, *EVERYBODY[:3], Address("new@example.org")))
    user = wanted(
        address,
        id=id_of(entry),
        dn=dn_of(entry) + draw(likely("", ",ou=moved")),
        password=draw(st.sampled_from([*PASSWORDS, None])),
        addresses=draw(likely((address,), (), (address, EVERYBODY[0]), times=6)),
        senders=draw(st.frozensets(st.sampled_from([EVERYBODY[0], EVERYBODY[1], TEAM]), max_size=2)),
        unreadable=draw(likely((), ("active",), ("senders",), times=6)),
    )
    present = {"mail"} | attributes.keys() - {"name"} | ({"password"} if user.password else set())
    return replace(user, attributes=attributes, present=frozenset(present))


@st.composite
def mailboxes(draw: st.DrawFn, address: Address) -> Existing:
    """What mailcow may have at an address."""
    return existing(
        address,
        tags=draw(likely((MARK,), (), (MARK, DISABLED_TAG), ("staff",), *OTHERS_TAGS)),
        stamp=draw(st.sampled_from([STAMP, LATER_STAMP])),
        template=draw(likely("", "abc")),
        senders=draw(st.frozensets(st.sampled_from(SENDERS), max_size=3)),
        name=draw(st.sampled_from(["One", "Two"])),
        quota=draw(QUOTAS),
        active=draw(st.sampled_from([0, 1, 1, 1, 2])),
        authsource=draw(likely("mailcow", "ldap")),
        tls_enforce_in=draw(FLAGS),
    )


@st.composite
def rows(draw: st.DrawFn, address: Address) -> Remembered:
    """What the state file may remember of a mailbox."""
    since = draw(st.sampled_from([None, NOW - timedelta(minutes=10), NOW - timedelta(days=2)]))
    retired = draw(st.sampled_from([None, None, NOW - timedelta(days=1), NOW - timedelta(days=11)]))
    return row(
        address,
        id=draw(likely(id_of(address), None, id_of(EVERYBODY[0]), times=6)),
        origin=draw(st.sampled_from(Origin)),
        digest=draw(st.sampled_from([*(seal(SecretStr(password)) for password in PASSWORDS), "lost:digest", None])),
        passwd_update=draw(st.sampled_from([STAMP, LATER_STAMP, None])),
        kept=draw(st.booleans()),
        disabled=draw(st.sampled_from([None, *Cause])),
        was_active=draw(st.sampled_from([1, 1, 2])),
        barred=draw(st.sampled_from([0, 0, 2])),
        missing_since=since,
        missed=draw(st.integers(1, 5)) if since else 0,
        last_missed=draw(st.sampled_from([None, since, NOW, NOW + timedelta(days=1)])) if since else None,
        retired_since=retired if since else None,
        present=draw(st.frozensets(st.sampled_from(["mail", "password", "quota", "active"]))),
        senders=draw(st.frozensets(st.sampled_from(SENDERS), max_size=3)),
        last_seen=draw(st.sampled_from([None, NOW - timedelta(minutes=5), NOW - timedelta(days=9)])),
    )


@st.composite
def wishes(draw: st.DrawFn, address: Address) -> Wish:
    """What the directory may ask for at an address."""
    role = draw(st.sampled_from([Role.USER, Role.LIST, Role.FORWARD]))
    goto = draw(st.frozensets(st.sampled_from(TARGETS), max_size=4)) - {address}
    if role is Role.USER:
        goto = frozenset({draw(st.sampled_from([one for one in EVERYBODY if one != address]))})
    flags = draw(
        st.fixed_dictionaries({"sogo_visible": FLAGS}, optional={"internal": FLAGS, "sender_allowed": FLAGS}),
    )
    comment = draw(st.sampled_from([None, None, "Team", ""]))
    owner = id_of(min(goto)) if role is Role.USER else f"entry-{address}"
    return wish(address, *goto, role=role, owner=owner, flags=flags, comment=comment)


@st.composite
def aliases(draw: st.DrawFn, address: Address) -> ExistingAlias:
    """What mailcow may have of an alias."""
    goto = draw(st.frozensets(st.sampled_from(TARGETS), max_size=4)) - {address}
    return alias(
        address,
        *(goto or {OUTSIDE}),
        mark=draw(likely(MARK, DISABLED_TAG, FORMER_MARK, *OTHERS_MARKS)),
        active=draw(st.sampled_from([0, 1, 1])),
        internal=draw(FLAGS),
        sender_allowed=draw(FLAGS),
        sogo_visible=draw(FLAGS),
        public_comment=draw(st.sampled_from(["", "Team"])),
    )


@st.composite
def alias_rows(draw: st.DrawFn, address: Address) -> RememberedAlias:
    """What the state file may remember of an alias."""
    missing: dict[str, Any] = draw(st.sampled_from([{}, {"missing_since": NOW - timedelta(days=9), "missed": 9}]))
    numbers: dict[str, Any] = draw(likely({}, {"number": None}, {"number": 7}))
    return alias_row(
        draw(wishes(address)),
        owner=draw(st.sampled_from([*map(id_of, EVERYBODY), f"entry-{address}", "gone", ""])),
        role=draw(st.sampled_from([Role.USER, Role.LIST, Role.FORWARD, None])),
        disabled=draw(st.booleans()),
        **numbers,
        **missing,
    )


@st.composite
def searches(draw: st.DrawFn, config: Config) -> dict[str, SourceMemory]:
    """What may be remembered of the directory: this search or another, another id attribute, nothing."""
    own = fingerprint(config.sources[0])
    answered = draw(likely(NOW - timedelta(minutes=5), None, NOW - timedelta(days=30)))
    known = SourceMemory("entryUUID", own, answered)
    others = [
        {"default": replace(known, accepted={**own, "domains": "example.com"})},
        {"default": replace(known, accepted={**own, "group_search_base": "ou=others"})},
        {"default": replace(known, id_attribute="nsUniqueId")},
    ]
    return draw(likely({"default": known}, *others, {}, times=6))


@st.composite
def approvals(draw: st.DrawFn) -> dict[str, int]:
    """What `--approve` may let through."""
    some = draw(likely(frozenset[Guarded](), frozenset(Guarded), frozenset({Guarded.DISABLE, Guarded.RENAME})))
    return {str(kind): draw(st.sampled_from([1, 2, 9])) for kind in sorted(some)}


options = st.builds(
    Options,
    reassert=st.booleans(),
    only=likely(frozenset(), frozenset({*EVERYBODY[:2], INFO})),
    overridden_filter=st.sampled_from([False] * 5 + [True]),
    approved=approvals(),
)


@st.composite
def cases(draw: st.DrawFn, *, tight: bool = False) -> Case:
    """Return any case; `tight`: the domain may be too full for what it has already."""
    config = draw(configs())
    whose = dict(zip(EVERYBODY, draw(likely(EVERYBODY, draw(st.permutations(EVERYBODY)))), strict=True))
    by_entry = {user.id: user for user in [draw(users(address, whose[address])) for address in draw(SOME)]}
    boxes = [draw(mailboxes(address)) for address in draw(SOME)]
    taken = {box.address for box in boxes}
    there = [draw(aliases(address)) for address in draw(SEVERAL) if address not in taken]
    used = sum(int(box.attributes["quota"]) for box in boxes)
    answers: dict[str, Answer] = draw(likely({}, {"groups": DOUBTED}, {"forwards": DOUBTED}))
    return Scene(
        wants=list(by_entry.values()),
        has=boxes,
        rows=[draw(rows(address)) for address in draw(SOME)],
        config=config,
        options=draw(options),
        sources=draw(searches(config)),
        limits={
            "max_mailboxes": draw(st.integers(0, 10)),
            "max_quota": draw(st.integers(0, 800)) if tight else used + draw(st.integers(0, 400)),
            "max_mailbox_quota": draw(st.sampled_from([100, 200])) if tight else 200,
            "default_quota": draw(st.sampled_from([0, 60])),
            "max_aliases": len(there) + draw(st.integers(0, 4)),
        },
        doubts=draw(likely((), (CUT_SHORT,), (CANARY,), times=4)),
        answers=answers,
        wishes=[draw(wishes(address)) for address in draw(SEVERAL)],
        aliases=there,
        alias_rows=[draw(alias_rows(address)) for address in draw(SEVERAL)],
        alias_domains={ALIAS_DOMAIN: DOMAIN},
        actual={"provider": draw(likely("mailcow", "ldap"))},
        bystanders={
            EntryId("default", id_of(address)): NOW - timedelta(days=draw(st.sampled_from([1, 30])))
            for address in draw(st.lists(st.sampled_from(EVERYBODY[:3]), unique=True, max_size=2))
        },
    ).case()


def ids_of(changes: Iterable[Change], *some: Kind) -> list[Address]:
    """Return the mailboxes that are changed in one of some ways."""
    return [change.address for change in of_mailboxes(changes) if change.kind in some]


def deleted(changes: Iterable[Change]) -> list[Address]:
    """Return the mailboxes that some changes delete."""
    return [change.address for change in changes if (change.kind, change.subject) == (Kind.DELETE, Subject.MAILBOX)]


def removed(plan: Plan) -> list[AliasChange]:
    """Return the changes of aliases that no entry asks for any more."""
    return [change for change in of_aliases(plan.changes) if change.why in {Rule.NOT_WANTED, Rule.MISSING}]


@given(cases())
@thorough
def test_mailcow_refuses_nothing_of_a_plan_and_it_leaves_nothing_to_do(case: Case) -> None:
    """Apart from what waited for its turn: links of a chain of renames, deletions, what a limit let through in part."""
    plan, read = planned(case)
    again, _ = planned(simulate(plan, read))
    follows = (
        plan.withheld
        or plan.pending
        or any(isinstance(change, RenameChange) for change in plan.changes)
        or deleted(plan.changes)
        or removed(plan)
    )
    left = [change for change in again.changes if change.kind is not Kind.REASSERT]
    assert follows or left == []
    assert case.options.reassert or len(left) == len(again.changes)


@given(cases())
@thorough
def test_runs_come_to_an_end(case: Case) -> None:
    """Whatever waits for its turn: at the same time of day, no plan is made over and over again."""
    for _ in range(9):
        plan, read = planned(case)
        if not [change for change in plan.changes if change.kind is not Kind.REASSERT]:
            return
        case = simulate(plan, read)
    raise AssertionError(plan.changes)


@given(cases())
@thorough
def test_what_is_not_ours_is_touched_by_adoption_only(case: Case) -> None:
    plan = make_plan(case)
    for change in of_mailboxes(plan.changes):
        found = case.actual.mailboxes.get(change.address)
        if found and not case.is_ours(found) and change.address not in {one.address for one in of_renames(plan)}:
            assert change.kind in {Kind.ADOPT, Kind.GRANT}
            assert case.config.adopt_mailboxes != "refuse"
    for one in of_aliases(plan.changes):
        there = case.actual.aliases.get(one.address)
        if there and not case.is_our_alias(there):
            assert one.kind is Kind.ADOPT
            assert case.config.adopt_aliases != "refuse"
            assert one.number == there.number


def of_renames(plan: Plan) -> list[RenameChange]:
    """Return the renames of a plan."""
    return [change for change in plan.changes if isinstance(change, RenameChange)]


@given(cases())
@thorough
def test_what_is_protected_released_or_another_installation_s_is_never_touched(case: Case) -> None:
    plan = make_plan(case)
    changed = {(change.subject, change.address) for change in plan.changes}
    changed |= {(Subject.MAILBOX, change.former) for change in of_renames(plan)}
    boxes, tags = case.actual.mailboxes.values(), {tag for tags in OTHERS_TAGS for tag in tags} - {MARK}
    others = [box.address for box in boxes if tags & box.tags]
    theirs = [one.address for one in case.actual.aliases.values() if one.values[PRIVATE_COMMENT] in OTHERS_MARKS[:2]]
    left = {(Subject.MAILBOX, address) for address in (*others, *case.config.protected)}
    left |= {(Subject.ALIAS, address) for address in (*theirs, *case.config.protected)}
    assert changed.isdisjoint(left)


@given(cases(tight=True))
@thorough
def test_a_domain_never_gets_fuller_than_it_may_be_or_was(case: Case) -> None:
    plan, read = planned(case)
    before, after = case.actual.domains[DOMAIN], simulate(plan, read).actual.domains[DOMAIN]
    assert after.mailboxes <= max(before.mailboxes, before.max_mailboxes)
    assert after.used_quota <= max(before.used_quota, before.max_quota)
    assert after.aliases <= max(before.aliases, before.max_aliases)


@given(cases())
@thorough
def test_no_more_is_taken_away_than_allowed_or_approved(case: Case) -> None:
    """A disabling that the directory orders is a removal too; one that only completes what had begun isn't."""
    plan = make_plan(case)
    limits = case.config.limits
    ours = [box for box in case.actual.mailboxes.values() if case.is_ours(box)]
    active = sum(box.attributes["active"] != 0 for box in ours)
    received = {box.address for box in ours if box.attributes["active"] == 1}
    gone = [one for one in ids_of(plan.changes, Kind.DISABLE, Kind.SWITCH) if one in received]
    assert len(gone) <= max(limits.removals.allows(active), case.options.approved.get(Guarded.DISABLE, 0))
    assert len(deleted(plan.changes)) <= max(limits.removals.allows(len(ours)), case.options.approved.get("delete", 0))
    renamed = max(limits.renames.allows(len(ours)), case.options.approved.get(Guarded.RENAME, 0))
    assert len(of_renames(plan)) <= renamed
    aliases = sum(one.is_active and case.is_our_alias(one) for one in case.actual.aliases.values())
    assert len(removed(plan)) <= max(limits.removals.allows(aliases), case.options.approved.get(Guarded.ALIAS, 0))


@given(cases())
@thorough
def test_a_doubtful_or_narrowed_answer_removes_nothing(case: Case) -> None:
    plan = make_plan(case)
    users, groups, forwards = (getattr(case.directories[0].answers, name) for name in ("users", "groups", "forwards"))
    if users.doubts or case.options.scoped:
        absent = {Rule.MISSING, Rule.EXPIRED}
        assert not [change for change in plan.changes if change.why in absent]
        assert not deleted(plan.changes)
        assert not removed(plan)
    for change in removed(plan):
        known = case.memory.aliases.get(change.address)
        role = known.role if known else None
        assert not groups.doubts or role in (Role.USER, Role.FORWARD)
        assert not forwards.doubts or role in (Role.USER, Role.LIST)


@given(cases())
@thorough
def test_a_scoped_run_touches_what_belongs_to_the_named_only(case: Case) -> None:
    plan = make_plan(case)
    if not case.options.only:
        return
    named = {user.id for user in case.asked.users if case.options.only & {*user.addresses, *user.aliases}}
    rows = case.memory.mailboxes.values()
    theirs = {row.address for row in rows if EntryId(row.source, row.id or "") in named}
    theirs |= {address for user in case.asked.users if user.id in named for address in (*user.addresses, *user.aliases)}
    for change in plan.changes:
        addresses = {change.address, *([change.former] if isinstance(change, RenameChange) else [])}
        known = case.memory.aliases.get(change.address)
        assert addresses & (case.options.only | theirs) or (known and known.owner in {one.id for one in named})


@given(cases())
@thorough
def test_every_change_is_in_one_batch_and_its_calls_are_for_no_other(case: Case) -> None:
    plan = make_plan(case)
    assert len({change.name for change in plan.changes}) == len(plan.changes)
    batches = [batch for phase in phases(plan.changes) for batch in phase.batches]
    assert sorted(map(id, plan.changes)) == sorted(id(change) for batch in batches for change in batch.changes)


@given(cases())
@thorough
def test_a_mailbox_is_deleted_only_where_everything_speaks_for_it(case: Case) -> None:
    plan = make_plan(case)
    for address in deleted(plan.changes):
        known, box = case.memory.mailboxes[address], case.actual.mailboxes[address]
        assert case.config.removed_users.action == "delete"
        assert known.origin is Origin.CREATED
        assert known.retired_since
        assert case.now - known.retired_since >= timedelta(days=10)
        assert box.attributes["active"] == 0
        assert EntryId(known.source, known.id or "") not in case.users


@given(cases())
@thorough
def test_no_entry_gets_the_mailbox_of_another(case: Case) -> None:
    """An entry that has a mailbox, or that was there beside the one before, takes none over."""
    plan, rows = make_plan(case), case.memory.mailboxes
    having = {EntryId(row.source, row.id) for row in rows.values() if row.id}
    moved = {change.address for change in of_renames(plan)}
    told: list[Note | Change] = [*plan.notes, *plan.changes]
    for one in told:
        known, patch = rows.get(one.address), one.remember or {}
        if one.subject is not Subject.MAILBOX or not (known and known.id and patch.get("id")) or one.address in moved:
            continue
        old, new = EntryId(known.source, known.id), EntryId(str(patch.get("source", known.source)), str(patch["id"]))
        if old != new:
            assert new not in having
            assert old not in case.users
            assert new not in case.memory.bystanders or (
                known.last_seen and case.memory.bystanders[new] > known.last_seen
            )
    for change in of_renames(plan):
        assert change.former in rows
        assert change.address not in case.actual.mailboxes


@given(cases())
@thorough
def test_no_password_is_written_while_another_provider_checks_it(case: Case) -> None:
    plan = make_plan(case)
    for change in of_mailboxes(plan.changes):
        box = case.actual.mailboxes.get(change.address)
        there = box.attributes["authsource"] if box else "mailcow"
        assert not change.password or change.writes.get("authsource", there) == "mailcow"


@given(cases())
@thorough
def test_only_what_the_directory_manages_is_written(case: Case) -> None:
    allowed = ATTRIBUTES.keys()
    for change in of_mailboxes(make_plan(case).changes):
        assert change.writes.keys() <= allowed


@given(cases())
@thorough
def test_no_secret_is_in_the_text_of_a_plan(case: Case) -> None:
    told = repr(make_plan(case))
    assert all(password not in told for password in PASSWORDS)


@given(cases())
@thorough
def test_an_answer_that_is_not_whole_takes_no_active_user_from_a_list(case: Case) -> None:
    plan, read = planned(case)
    after = simulate(plan, read).actual
    renamed = {change.former: change.address for change in of_renames(plan)}
    if not (case.options.scoped or case.directories[0].answers.users.doubts):
        return
    for change in of_aliases(plan.changes):
        found, known = case.actual.aliases.get(change.address), case.memory.aliases.get(change.address)
        if found and GOTO in change.writes and case.is_our_alias(found) and known and known.role is Role.LIST:
            before = {renamed.get(one, one) for one in found.goto}
            active = {one for one in before if one in after.mailboxes and after.mailboxes[one].attributes["active"]}
            assert active <= split(str(change.writes[GOTO]))


@given(cases())
@thorough
def test_a_lost_state_file_loses_nothing_that_is_marked(case: Case) -> None:
    lost = replace(case, memory=replace(case.memory, mailboxes={}, aliases={}, sources={}, bystanders={}))
    plan = make_plan(lost)
    assert not deleted(plan.changes)
    assert not removed(plan)
    if not case.options.approved:
        assert not [change for change in plan.changes if change.why is Rule.MISSING]


@given(cases())
@thorough
def test_rights_go_to_mailboxes_of_ours_only_and_rows_made_by_hand_stay(case: Case) -> None:
    plan, read = planned(case)
    after = simulate(plan, read)
    for change in of_mailboxes(plan.changes):
        if change.kind is not Kind.GRANT or change.senders is None:
            continue
        assert change.address in after.memory.mailboxes
        known = case.memory.mailboxes.get(change.address)
        box = case.actual.mailboxes.get(change.address)
        by_hand = (box.senders or frozenset() if box else frozenset()) - (known.senders if known else frozenset())
        names = {*after.actual.mailboxes, *after.actual.aliases}
        there = {one for one in by_hand if one.startswith("@") or one in names}
        assert "*" in change.senders or there <= set(change.senders)


@given(cases())
@thorough
def test_what_is_held_stays_as_it_is(case: Case) -> None:
    """And is told once, with what lets it through."""
    plan = make_plan(case)
    changed = {(change.subject, change.address, change.kind) for change in plan.changes}
    for one in plan.withheld:
        assert one.addresses
        for address in one.addresses:
            if one.kind is Guarded.DELETE:
                assert (Subject.MAILBOX, address, Kind.DELETE) not in changed
            if one.kind is Guarded.DISABLE:
                assert (Subject.MAILBOX, address, Kind.DISABLE) not in changed
            if one.kind is Guarded.ADOPT:
                assert (Subject.MAILBOX, address, Kind.ADOPT) not in changed
        if one.reason is Reason.OVER_LIMIT:
            assert f"--approve {one.kind}:" in one.sentence


@given(cases())
@thorough
def test_a_plan_is_the_same_each_time(case: Case) -> None:
    assert make_plan(case) == make_plan(case)
