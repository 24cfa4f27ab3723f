"""What holds for every directory, mailcow and state file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from ldap2mailcow.config import Config
from ldap2mailcow.config.schema import Limit
from ldap2mailcow.model import (
    ATTRIBUTES,
    Address,
    AliasChange,
    Cause,
    Change,
    Code,
    Existing,
    ExistingAlias,
    Kind,
    Mailbox,
    Origin,
    Remembered,
    RenameChange,
    SourceMemory,
    Value,
)
from ldap2mailcow.plan import Options, Plan, Reason, View, What, fingerprint, phases, renamed, without_lost
from ldap2mailcow.plan.renames import temporary

from .builders import (
    CANARY,
    CUT_SHORT,
    DISABLED_TAG,
    LATER_STAMP,
    MARK,
    NOW,
    PASSWORD,
    STAMP,
    Scene,
    alias,
    dn_of,
    existing,
    id_of,
    make_config,
    make_plan,
    of_mailboxes,
    patch_of,
    people,
    row,
    seal,
    wanted,
)
from .simulated import send_all, simulate

EVERYBODY = people(7)
PASSWORDS = (PASSWORD, "{CRYPT}$6$salt$second")
MAPPING = {"quota": "mailQuota", "active": "mailActive", "tls_enforce_in": "mailTls"}
AUTHSOURCES = (None, "mailcow", "ldap")
"""Who checks the passwords of a source; None: the config doesn't say, so nothing is moved."""
LEFT_ALONE = [("ldap-sync:released",), ("ldap-sync-berlin", "ldap-sync-berlin:disabled"), (MARK, "ldap-sync:berlin")]
"""Tags of mailboxes that nobody touches."""
RENAMED_MARK = "ldap-sync:renamed"
QUOTAS = st.sampled_from([0, 50, 100, 200])
FLAGS = st.sampled_from([0, 1])

thorough = settings(max_examples=120, deadline=None, derandomize=True, database=None)


@st.composite
def moves(draw: st.DrawFn) -> dict[Address, Address]:
    """Whose entry has which address now: by address, the one that it had; circles and chains of all lengths."""
    some = draw(st.sampled_from([(), (), EVERYBODY[:2], EVERYBODY[:4], EVERYBODY]))
    return {address: address for address in EVERYBODY} | dict(zip(some, draw(st.permutations(some)), strict=True))


@st.composite
def mailboxes(draw: st.DrawFn, address: Address, authsource: str | None, usual: Address) -> Mailbox:
    """What the directory may want for an address: of its `usual` entry, or of another."""
    attributes: dict[str, Value] = draw(
        st.fixed_dictionaries(
            {"authsource": st.just(authsource)} if authsource else {},
            optional={
                "name": st.sampled_from(["One", "Two"]),
                "quota": QUOTAS,
                "active": FLAGS,
                "tls_enforce_in": FLAGS,
            },
        ),
    )
    password = draw(st.sampled_from([*PASSWORDS, None])) if authsource != "ldap" else None
    entry = draw(st.sampled_from([usual, usual, usual, *EVERYBODY[:3], Address("new@example.org")]))
    moved = draw(st.sampled_from(["", "", ",ou=moved"]))
    mailbox = wanted(address, id=id_of(entry), dn=dn_of(entry) + moved, password=password)
    present = {"mail"} | attributes.keys() - {"authsource", "name"} | ({"password"} if password else set())
    return replace(mailbox, attributes=attributes, present=frozenset(present))


@st.composite
def existing_mailboxes(draw: st.DrawFn, address: Address) -> Existing:
    """What mailcow may have at an address."""
    return existing(
        address,
        tags=draw(st.sampled_from([(), (MARK,), (MARK, DISABLED_TAG), ("staff",), *LEFT_ALONE])),
        stamp=draw(st.sampled_from([STAMP, LATER_STAMP])),
        template=draw(st.sampled_from(["", "abc"])),
        name=draw(st.sampled_from(["One", "Two"])),
        quota=draw(QUOTAS),
        active=draw(st.sampled_from([0, 1, 1, 1, 2])),
        authsource=draw(st.sampled_from(["mailcow", "mailcow", "ldap"])),
        tls_enforce_in=draw(FLAGS),
    )


@st.composite
def rows(draw: st.DrawFn, address: Address, entry_id: str) -> Remembered:
    """What the state file may remember of an address, of which an entry has the mailbox."""
    since = draw(st.sampled_from([None, NOW - timedelta(minutes=10), NOW - timedelta(days=2)]))
    retired = draw(st.sampled_from([None, None, NOW - timedelta(days=1), NOW - timedelta(days=11)]))
    return row(
        address,
        id=draw(st.sampled_from([entry_id, entry_id, None])),
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
    )


CONFIGS = [
    make_config(
        mapping={**MAPPING, **({"authsource": authsource} if authsource else {})},
        password_drift=drift,
        missing_password=missing,
        adopt_mailboxes=adopt,
        protected=protected,
        removed_users={"action": action, "missing_runs": 3, "delete_after": "10d"},
        limits={"removals": limit},
    )
    for authsource, drift, missing, adopt, protected, action, limit in product(
        AUTHSOURCES,
        ["overwrite", "report"],
        ["skip", "random"],
        ["overwrite", "keep_password", "refuse"],
        [[], [EVERYBODY[0]]],
        ["disable", "keep", "disallow_login", "delete", "delete"],
        ["5, 10%", "1", "50%"],
    )
]

options = st.builds(
    Options,
    reassert=st.booleans(),
    only=st.sampled_from([frozenset(), frozenset(), frozenset(EVERYBODY[:2])]),
    overridden_filter=st.sampled_from([False, False, True]),
    force_removals=st.sampled_from([None, None, 0, 2, 9]),
)


def searches(config: Config) -> st.SearchStrategy[dict[str, SourceMemory]]:
    """What may be remembered of the directory: nothing, this search, another search, another id attribute."""
    own = fingerprint(config.sources[0])
    return st.sampled_from(
        [
            {},
            {"default": SourceMemory("entryUUID", own)},
            {"default": SourceMemory("entryUUID", own)},
            {"default": SourceMemory("entryUUID", {**own, "domains": "example.com"})},
        ],
    )


def unique(found: Iterable[Mailbox]) -> list[Mailbox]:
    """Return the mailboxes of entries that want one only, as a directory has them."""
    return list({mailbox.id: mailbox for mailbox in found}.values())


@st.composite
def unreadable(draw: st.DrawFn, wants: list[Mailbox]) -> dict[str, object]:
    """Return what is desired where some more entries are there that ask for no mailbox, some of them inactive."""
    readable = {mailbox.id: mailbox.present for mailbox in wants}
    others = {id_of(address) for address in draw(st.lists(st.sampled_from(EVERYBODY), max_size=4))} - readable.keys()
    asleep = {entry_id for entry_id in sorted(others) if draw(st.booleans())}
    return {
        "ids": frozenset(readable) | others,
        "present": readable | dict.fromkeys(sorted(others), frozenset({"password"})),
        "inactive": asleep | {mailbox.id for mailbox in wants if mailbox.attributes.get("active") == 0},
    }


@st.composite
def some_aliases(draw: st.DrawFn, taken: list[Address]) -> list[ExistingAlias]:
    """What mailcow may have of aliases: a stranger's, former addresses of ours."""
    theirs, former = alias(EVERYBODY[5], EVERYBODY[6], mark=""), alias(EVERYBODY[3], EVERYBODY[0], mark=RENAMED_MARK)
    found = draw(st.sampled_from([[], [theirs], [former], [theirs, former]]))
    return [one for one in found if one.address not in taken]


@st.composite
def views(draw: st.DrawFn, *, tight: bool = True) -> View:
    """Return any view; `tight`: the domain may be too full for what it has already."""
    renames, limit = draw(st.sampled_from(["rename", "rename", "hold"])), draw(st.sampled_from([9, 1]))
    config = draw(st.sampled_from(CONFIGS)).model_copy(update={"renames": renames})
    config = config.model_copy(update={"limits": config.limits.model_copy(update={"renames": Limit(count=limit)})})
    some = st.lists(st.sampled_from(EVERYBODY), unique=True)
    halfway = st.sampled_from(
        [[], [], [], [temporary(EVERYBODY[0])], [temporary(EVERYBODY[0]), temporary(EVERYBODY[1])]]
    )
    has = [draw(existing_mailboxes(address)) for address in (*draw(some), *draw(halfway))]
    used = sum(int(mailbox.attributes["quota"]) for mailbox in has)
    limits = {
        "max_mailboxes": draw(st.integers(0, 10)),
        "max_quota": draw(st.integers(0, 800)) if tight else used + draw(st.integers(0, 400)),
        "max_mailbox_quota": draw(st.sampled_from([100, 200])) if tight else 200,
        "default_quota": draw(st.sampled_from([0, 60])),
        "max_aliases": draw(st.sampled_from([1000, 1000, 1, 2])),
    }
    mapping = config.sources[0].user_mapping
    authsource = mapping.authsource if "authsource" in mapping.model_fields_set else None
    whose = draw(moves())
    wants = unique(draw(mailboxes(address, authsource, whose[address])) for address in draw(some))
    return Scene(
        wants=wants,
        has=has,
        desired=draw(unreadable(wants)),
        rows=[draw(rows(address, id_of(address))) for address in draw(some)]
        + [draw(rows(address, draw(st.sampled_from(list(map(id_of, EVERYBODY)))))) for address in draw(halfway)],
        config=config,
        options=draw(options),
        sources=draw(searches(config)),
        limits=limits,
        doubts=draw(st.sampled_from([(), (), (CUT_SHORT,), (CANARY,)])),
        actual={"provider": draw(st.sampled_from(["mailcow", "ldap"]))},
        aliases=draw(some_aliases([box.address for box in has])),
    ).view()


INACTIVE_BY_HAND = Scene(
    wants=[wanted(EVERYBODY[0])],
    has=[existing(EVERYBODY[0], active=0)],
    aliases=[alias(EVERYBODY[3], EVERYBODY[0], mark=RENAMED_MARK)],
    options=Options(only=frozenset(EVERYBODY[:2])),
)
"""A run for a user who can't be reached, and who had another address before."""

MOVED_TO_A_PROTECTED_ADDRESS = Scene(
    wants=[wanted(EVERYBODY[0], id=id_of(EVERYBODY[1]), dn=dn_of(EVERYBODY[1]))],
    has=[existing(EVERYBODY[1])],
    rows=[row(EVERYBODY[0]), row(EVERYBODY[1])],
    aliases=[alias(EVERYBODY[3], EVERYBODY[0], mark=RENAMED_MARK)],
    config=make_config(protected=[EVERYBODY[0]]),
)
"""A user whose new address is protected, and may not be taken from the alias at a former address."""


def is_ours(view: View, address: Address) -> bool:
    found = view.actual.mailboxes.get(address)
    return address in view.memory.mailboxes or (found is not None and MARK in found.tags)


def disables(changes: Iterable[Change]) -> list[Address]:
    """Return whose mailboxes are disabled; an alias at a former address goes with whom it goes to."""
    return [change.address for change in of_mailboxes(changes) if change.kind is Kind.DISABLE]


def removals(changes: Iterable[Change]) -> list[Address]:
    """Return who can't receive, or log in as before, after some changes."""
    return [change.address for change in of_mailboxes(changes) if change.kind in {Kind.DISABLE, Kind.SWITCH}]


def deletions(changes: Iterable[Change]) -> set[Address]:
    """Return whose mailboxes some changes delete."""
    return {change.address for change in changes if change.kind is Kind.DELETE}


def speaking(view: View) -> set[Address]:
    """Return the addresses whose entry is there to tell a status, whatever else can be read of it."""
    rows = view.memory.mailboxes.values()
    return set(view.desired.mailboxes) | {row.address for row in rows if row.id in view.desired.ids}


def may_follow(first: Plan, second: Plan) -> set[Address]:
    """Return who may be disabled or moved on a second run at the same time, though the first was carried out whole.

    Whose grace counts runs, this being one more; and whom a percentage of more mailboxes lets through.
    """
    following = {waiting.address for waiting in first.pending}
    for withheld in first.withheld:
        if withheld.reason is Reason.OVER_LIMIT and second.whole:
            following |= {change.address for change in withheld.changes}
    return following


@given(views(tight=False))
@thorough
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(view: View) -> None:
    first = make_plan(view)
    second = make_plan(simulate(first, view))
    left = [change for change in second.changes if change.kind is not Kind.REASSERT]
    if not deletions(first.changes):  # which make room for somebody else
        assert {change.kind for change in left} <= {Kind.DISABLE, Kind.SWITCH, Kind.DELETE}
    assert {*removals(left), *deletions(left)} <= may_follow(first, second)
    assert view.options.reassert or len(left) == len(second.changes)


@given(views(tight=False))
@thorough
def test_what_is_withheld_for_doubt_stays_withheld(view: View) -> None:
    first = make_plan(view)
    for withheld in first.withheld:
        if withheld.reason is not Reason.OVER_LIMIT:
            again = make_plan(simulate(first, view))
            (other,) = [other for other in again.withheld if other.what is withheld.what]
            assert other.reason is withheld.reason
            assert set(withheld.addresses) <= set(other.addresses)
            assert again.source.accepted == view.memory.sources.get("default", SourceMemory()).accepted


@given(views())
@thorough
def test_mailcow_refuses_nothing_of_a_plan(view: View) -> None:
    """Sent in its own order, one after the other; what doesn't fit is a finding instead."""
    plan = make_plan(view)
    if view.options.force_removals is None and view.actual.domains["example.org"].max_quota >= _used(view):
        after = send_all(plan.changes, view.actual)
        assert after.domains["example.org"].used_quota <= after.domains["example.org"].max_quota


def _used(view: View) -> int:
    return view.actual.domains["example.org"].used_quota


@given(views())
@thorough
def test_a_domain_never_gets_fuller_than_it_may_be_or_was(view: View) -> None:
    domain = view.actual.domains["example.org"]
    mailboxes, quota = domain.mailboxes, domain.used_quota
    for phase in phases(make_plan(view).changes):
        for change in of_mailboxes(change for batch in phase.batches for change in batch.changes):
            before = view.actual.mailboxes.get(change.address)
            mailboxes += (change.kind is Kind.CREATE) - (change.kind is Kind.DELETE)
            if "quota" in change.writes:
                quota += int(change.writes["quota"]) - (int(before.attributes["quota"]) if before else 0)
        assert mailboxes <= max(domain.max_mailboxes, domain.mailboxes)
        assert quota <= max(domain.max_quota, domain.used_quota)


@given(views())
@thorough
def test_what_is_not_ours_is_never_touched_but_by_adoption(view: View) -> None:
    plan = make_plan(view)
    adopted = {change.address for change in plan.changes if change.kind is Kind.ADOPT}
    for change in plan.changes:
        if change.address in view.actual.mailboxes and not is_ours(view, change.address):
            assert change.address in adopted
            assert change.address in view.desired.mailboxes
    for address in plan.unmanaged:
        assert not [change for change in plan.changes if change.address == address]
        assert not [note for note in plan.notes if note.address == address and note.remember is not None]


@given(views())
@thorough
def test_what_was_released_or_is_another_installation_s_is_never_touched(view: View) -> None:
    plan = make_plan(view)
    left = {address for address, box in view.actual.mailboxes.items() if box.tags in map(frozenset, LEFT_ALONE)}
    assert left.isdisjoint(change.address for change in plan.changes)
    told = {finding.where for finding in plan.findings if finding.code in (Code.RELEASED, Code.OTHER_INSTALLATION)}
    looked_at = (one for one in view.desired.mailboxes if one in view.options.only or not view.options.only)
    assert told == {one for one in looked_at if one in left and one not in view.config.protected}


@given(views())
@thorough
def test_only_who_is_wanted_or_missing_is_in_a_plan(view: View) -> None:
    for change in make_plan(view).changes:
        assert change.address in view.desired.mailboxes or change.kind in {Kind.DISABLE, Kind.DELETE}
        assert change.address not in view.config.protected


@given(views())
@thorough
def test_no_more_mailboxes_are_disabled_or_moved_than_allowed_or_forced(view: View) -> None:
    plan = make_plan(view)
    adopted = {change.address for change in plan.changes if change.kind is Kind.ADOPT}
    active = sum(
        mailbox.attributes["active"] != 0 and (is_ours(view, address) or address in adopted)
        for address, mailbox in view.actual.mailboxes.items()
    )
    allowed = view.config.limits.removals.allows(active)
    assert len(removals(plan.changes)) <= max(allowed, view.options.force_removals or 0)


@given(views())
@thorough
def test_a_doubtful_answer_disables_nobody(view: View) -> None:
    """A run for some people only follows their status all the same: it isn't told by who is missing."""
    plan = make_plan(view)
    if not plan.whole:
        missing = set(disables(plan.changes)) - speaking(view)
        assert not missing
        assert view.options.scoped or not removals(plan.changes)
        assert plan.source.accepted == view.memory.sources.get("default", SourceMemory()).accepted


@given(views())
@example(INACTIVE_BY_HAND.view())
@thorough
def test_a_scoped_run_knows_nothing_about_anybody_else(view: View) -> None:
    """A user's former addresses belong to the user whom `--only` names."""
    plan = make_plan(view)
    if view.options.scoped:
        assert set(disables(plan.changes)) <= speaking(view)
        assert {change.kind for change in plan.changes}.isdisjoint({Kind.REMOVE, Kind.DELETE})
        assert not plan.pending
        assert plan.source.accepted == view.memory.sources.get("default", SourceMemory()).accepted
    if view.options.only:
        theirs = {one for one, found in view.actual.aliases.items() if found.goto <= view.options.only}
        for change in plan.changes:
            former = {change.former} if isinstance(change, RenameChange) else set()
            assert not (view.options.only | theirs).isdisjoint({change.address} | former)


@given(views())
@thorough
def test_no_mailbox_is_changed_twice_within_a_step(view: View) -> None:
    for phase in phases(make_plan(view).changes):
        addresses = [change.address for batch in phase.batches for change in batch.changes]
        assert len(addresses) == len(set(addresses))


@given(views())
@thorough
def test_every_change_is_in_exactly_one_batch_and_its_calls_are_for_nobody_else(view: View) -> None:
    plan = make_plan(view)
    batches = [batch for phase in phases(plan.changes) for batch in phase.batches]
    assert sorted(map(id, plan.changes)) == sorted(id(change) for batch in batches for change in batch.changes)
    for batch in batches:
        about: set[tuple[str, ...]] = {tuple(change.address for change in batch.changes)}
        for change in batch.changes:
            if isinstance(change, RenameChange):
                about |= {(change.former,), ("0",), (str(change.gives_way),)}
            elif isinstance(change, AliasChange):
                about.add((str(change.number),))
        assert {call.items for call in batch.calls} <= about
        assert batch.calls
        assert len(batch.changes) <= 10


@given(views())
@thorough
def test_active_becomes_what_it_was_only_where_we_had_changed_it(view: View) -> None:
    bars = view.config.removed_users.action == "disallow_login"
    for change in of_mailboxes(make_plan(view).changes):
        if change.kind is Kind.ENABLE:
            found, known = view.actual.mailboxes[change.address], view.memory.mailboxes.get(change.address)
            before, told = found.attributes["active"], view.desired.mailboxes[change.address].attributes.get("active")
            if known and known.disabled:
                assert before == known.barred
                assert told == 1 or (told is None and known.disabled is Cause.MISSING)
            else:
                assert DISABLED_TAG in found.tags
                assert before == 0 or (before == 2 and bars)
                assert told == 1 or (told is None and before == 2)
            assert change.writes == {"active": known.was_active if known and before == 0 else 1}
        elif change.kind is not Kind.CREATE:
            assert change.writes.get("active") in (None, 0, 2)


@given(views())
@thorough
def test_a_login_alone_ends_only_for_who_is_missing_and_was_active(view: View) -> None:
    for change in of_mailboxes(make_plan(view).changes):
        if change.kind is Kind.DISABLE and change.writes["active"] == 2:
            assert view.config.removed_users.action == "disallow_login"
            assert view.actual.mailboxes[change.address].attributes["active"] == 1
            assert change.address not in speaking(view)
        elif change.kind is Kind.DISABLE and view.config.removed_users.action == "disallow_login":
            assert change.address in speaking(view)


@given(views())
@thorough
def test_a_mailbox_is_deleted_only_where_everything_speaks_for_it(view: View) -> None:
    plan = make_plan(view)
    deleted = {change.address for change in plan.changes if change.kind is Kind.DELETE}
    for address in deleted:
        known = view.memory.mailboxes[address]
        assert view.config.removed_users.action == "delete"
        assert not view.options.scoped
        assert not view.answers.users.doubts
        assert view.actual.mailboxes[address].attributes["active"] == 0
        assert address not in view.config.protected
        assert known.id not in view.desired.ids
        assert known.missed >= 2
        assert known.retired_since == NOW - timedelta(days=11)
    changed = [change.address for change in plan.changes if change.address in deleted]
    assert len(changed) == len(deleted)
    ours = sum(is_ours(view, address) for address in view.actual.mailboxes)
    assert len(deleted) <= max(view.config.limits.removals.allows(ours), view.options.force_removals or 0)


@given(views())
@thorough
def test_no_password_is_written_while_another_provider_checks_it(view: View) -> None:
    for change in of_mailboxes(make_plan(view).changes):
        if change.password is not None:
            found = view.actual.mailboxes.get(change.address)
            checks = found.attributes["authsource"] if found else "mailcow"
            assert change.writes.get("authsource", checks) == "mailcow"
            assert change.kind is Kind.SWITCH or checks == "mailcow"


@given(views())
@thorough
def test_a_login_moves_only_where_the_config_says_so(view: View) -> None:
    managed = "authsource" in view.source.user_mapping.model_fields_set
    for change in of_mailboxes(make_plan(view).changes):
        assert change.kind is Kind.CREATE or ("authsource" in change.writes) is (change.kind is Kind.SWITCH)
        assert managed or change.kind is not Kind.SWITCH


@given(views())
@thorough
def test_a_kept_password_is_written_only_once_the_directory_s_is_another(view: View) -> None:
    if view.config.adopt_mailboxes == "keep_password":
        for change in of_mailboxes(make_plan(view).changes):
            known = view.memory.mailboxes.get(change.address)
            if change.address in view.actual.mailboxes and known and known.digest and known.kept and change.password:
                assert view.memory.is_comparable(known.digest)
                assert known.digest != seal(change.password)
                assert patch_of(change)["kept"] is False


@given(views())
@thorough
def test_only_what_the_directory_manages_is_written(view: View) -> None:
    for change in of_mailboxes(make_plan(view).changes):
        if change.kind not in {Kind.CREATE, Kind.ENABLE, Kind.DISABLE, Kind.DELETE}:
            desired = view.desired.mailboxes[change.address]
            assert {key: desired.attributes[key] for key in change.writes} == change.writes
            assert change.writes.keys() <= ATTRIBUTES.keys() - {"active"}
            assert change.password in (None, desired.password)


@given(views())
@thorough
def test_no_secret_is_in_the_text_of_a_plan(view: View) -> None:
    plan = make_plan(view)
    shown = repr(plan) + repr(phases(plan.changes))
    assert not [password for password in PASSWORDS if password in shown]


@given(views())
@example(MOVED_TO_A_PROTECTED_ADDRESS.view())
@thorough
def test_a_finding_that_keeps_somebody_away_has_no_change_beside_it(view: View) -> None:
    """Told by its address, it is left as it is; told by the entry, its mailbox is, and its aliases follow."""
    plan = make_plan(view)
    touched = {change.address for change in plan.changes} | {change.former for change in renames_of(plan)}
    followed = {
        change.dn for change in plan.changes if not isinstance(change, AliasChange) and change.kind is not Kind.DISABLE
    }
    for finding in plan.findings:
        if finding.code in {Code.PROTECTED, Code.RELEASED, Code.OTHER_INSTALLATION, Code.ADOPTION_REFUSED}:
            assert finding.where in {*view.desired.mailboxes, *view.actual.aliases}
            assert finding.where not in touched
        if finding.code in {Code.RENAMED, Code.ADDRESS_LOST, Code.ADDRESS_IS_ALIAS}:
            assert finding.where not in followed


# renames


def renames_of(plan: Plan) -> list[RenameChange]:
    return [change for change in plan.changes if isinstance(change, RenameChange)]


def whereabouts(plan: Plan, view: View) -> dict[Address, Address]:
    """Return where every mailbox is after the renames of a plan, by where it was before."""
    now = {address: address for address in view.actual.mailboxes}
    for change in renames_of(plan):
        (before,) = [before for before, address in now.items() if address == change.former]
        now[before] = change.address
    return now


@given(views())
@thorough
def test_a_mailbox_never_moves_onto_an_address_that_somebody_has_at_that_moment(view: View) -> None:
    taken = {*view.actual.mailboxes, *view.actual.aliases}
    for change in renames_of(make_plan(view)):
        gives_way = {change.address} if change.gives_way is not None else set()
        assert change.former in taken
        assert change.address not in taken - gives_way
        taken = (taken - {change.former}) | {change.address, *([change.former] if change.left else [])}


@given(views())
@thorough
def test_nobody_s_mailbox_ends_at_the_address_of_somebody_else(view: View) -> None:
    plan, known = make_plan(view), without_lost(view).memory.mailboxes
    for before, after in whereabouts(plan, view).items():
        if before == after:
            continue
        person, owner = view.desired.mailboxes[after], known.get(before)
        if owner is None:
            assert before == temporary(after)
        elif owner.id is None:
            assert owner.dn.lower() == person.dn.lower()
        else:
            assert owner.id == person.id or before == temporary(after)
        assert is_ours(view, before)


@given(views())
@thorough
def test_nobody_is_left_between_two_addresses_by_a_run_that_began_it(view: View) -> None:
    ends = whereabouts(make_plan(view), view)
    assert not [after for before, after in ends.items() if before != after and after not in view.desired.mailboxes]


@given(views())
@thorough
def test_who_is_held_stays_as_it_is(view: View) -> None:
    after = renamed(without_lost(view))
    held = after.desired.held
    assert held.keys() == after.renames.held.keys()
    for address, former in held.items():
        assert after.actual.mailboxes[former] == view.actual.mailboxes[former]
        assert after.actual.mailboxes.get(address) == view.actual.mailboxes.get(address)
        assert after.actual.aliases.get(address) == view.actual.aliases.get(address)
    plan = make_plan(view)
    touched = {change.address for change in plan.changes if change.kind not in {Kind.DISABLE, Kind.DELETE}}
    assert touched.isdisjoint({former for former in held.values() if former not in view.desired.mailboxes})
    assert not {*held, *held.values()} & {one for change in renames_of(plan) for one in (change.former, change.address)}


@given(views())
@thorough
def test_no_more_mailboxes_are_renamed_than_allowed_or_forced(view: View) -> None:
    """Whoever is between two addresses, and whom they wait for, doesn't count."""
    ends = {before: after for before, after in whereabouts(make_plan(view), view).items() if before != after}
    halfway = any(before == temporary(after) for before, after in ends.items())
    ours = sum(is_ours(view, address) for address in view.actual.mailboxes)
    allowed = max(view.config.limits.renames.allows(ours), view.options.force_removals or 0)
    assert halfway or len(ends) <= allowed


@given(views())
@thorough
def test_what_a_rename_waits_for_is_told(view: View) -> None:
    plan, after = make_plan(view), renamed(without_lost(view))
    withheld = {one for kept in plan.withheld if kept.what is What.RENAMES for one in kept.addresses}
    told = {finding.where for finding in plan.findings}
    for address in after.desired.held:
        is_looked_at = not view.options.only or address in view.options.only
        assert address in withheld or told & {address, view.desired.mailboxes[address].dn} or not is_looked_at
