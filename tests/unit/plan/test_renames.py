"""Renames: a mailbox follows its person's address within the domain, or stays as it is, and a sentence says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import (
    GOTO,
    PRIVATE_COMMENT,
    Address,
    Code,
    FieldChange,
    Kind,
    Note,
    Origin,
    RememberedAlias,
    RenameChange,
    Role,
    Rule,
    SourceMemory,
    Subject,
    Value,
)
from ldap2mailcow.plan import Case, Guarded, Options, Plan, Reason, fingerprint
from ldap2mailcow.plan.renames import TEMPORARY, temporary

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    NOW,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    dn_of,
    existing,
    forward,
    id_of,
    kinds,
    listing,
    make_config,
    make_domain,
    make_plan,
    name_of,
    number_of,
    only_alias,
    people,
    row,
    wanted,
    wish,
)
from .simulated import simulate

CROWD = (ANN, BOB, CAT, DAN, *people(10))
"""Enough people for five renames in one run."""
NEW, NEWER = Address(f"new@{DOMAIN}"), Address(f"newer@{DOMAIN}")
OLD = Address(f"old@{DOMAIN}")
RENAMED_MARK = "ldap-sync:renamed"


def moved(moves: Mapping[Address, Address], **more: object) -> Scene:
    """Return a scene in which all agree, but for the addresses of some people in the directory."""
    fields: dict[str, Any] = {
        "wants": [
            wanted(moves.get(one, one), id=id_of(one), dn=dn_of(one), name=name_of(one), present=row(one).present)
            for one in CROWD
        ],
        "has": [existing(one) for one in CROWD],
        "rows": [row(one) for one in CROWD],
    }
    return Scene(**{**fields, **more})


def instead(*others: Any, of: Any = existing) -> list[Any]:  # noqa: ANN401 - mailboxes or rows
    """Return everybody's mailbox or row, some of them replaced or added."""
    return list({one.address: one for one in (*map(of, CROWD), *others)}.values())


def without(*gone: Address, of: Any = existing) -> list[Any]:  # noqa: ANN401 - mailboxes or rows
    """Return the mailboxes or rows of all but some."""
    return [of(one) for one in CROWD if one not in gone]


def renames_of(scene: Scene) -> Renames:
    return renamed(scene.case()).renames


def steps(plan: Plan) -> list[tuple[Address, Address]]:
    """Return the renames of a plan, old and new address each, in order."""
    return [(one.former, one.address) for one in plan.changes if isinstance(one, RenameChange)]


def settles(scene: Scene | Case) -> Case:
    """Check that a plan, carried out, leaves nothing to do; return what there is then."""
    view = scene.case() if isinstance(scene, Scene) else scene
    after = simulate(make_plan(view), view)
    again = make_plan(after)
    assert again.changes == ()
    assert again.findings == ()
    return after


# one


def test_a_mailbox_gets_the_new_address_and_leaves_an_alias_at_the_old_one() -> None:
    scene = moved({ANN: NEW})
    left: dict[str, Value] = {
        "goto": NEW,
        "active": 1,
        "internal": 0,
        "sender_allowed": 1,
        "sogo_visible": 0,
        "public_comment": "",
        "private_comment": RENAMED_MARK,
    }
    known = {
        "source": "default",
        "owner": id_of(ANN),
        "dn": dn_of(ANN),
        "role": Role.FORMER,
        "origin": Origin.CREATED,
        "number": None,
        "applied": {"goto": NEW},
        "disabled": False,
        "missing_since": None,
        "missed": 0,
        "last_missed": None,
    }
    change = RenameChange(
        Kind.RENAME,
        NEW,
        Rule.RENAMED,
        dn_of(ANN),
        fields=(FieldChange("address", ANN, NEW),),
        former=ANN,
        left=left,
        notes=(Note(ANN, known, Subject.ALIAS),),
    )
    assert renames_of(scene).changes == (change,)
    assert scene.plan().findings == ()
    settles(scene)


def test_nothing_is_renamed_where_all_have_their_address() -> None:
    assert renames_of(moved({})) == Renames()


def test_what_else_changed_is_done_at_the_new_address() -> None:
    scene = moved({ANN: NEW}, wants=[wanted(NEW, id=id_of(ANN), dn=dn_of(ANN), name="Ann Other")])
    plan = replace(scene, has=[existing(ANN), existing(BOB)], rows=[row(ANN), row(BOB)]).plan()
    assert kinds(plan.changes) == [(Kind.RENAME, NEW), (Kind.UPDATE, NEW)]


def test_who_has_no_id_yet_is_known_by_the_dn() -> None:
    scene = moved({ANN: NEW}, rows=instead(row(ANN, id=None), of=row))
    assert steps(scene.plan()) == [(ANN, NEW)]
    assert settles(scene).memory.mailboxes[NEW].id == id_of(ANN)


def test_a_row_of_another_directory_renames_nothing() -> None:
    config = Config.model_validate(
        {
            **make_config().model_dump(include={"mailcow_host"}),
            "mailcow_api_key": "key-of-the-api",
            "ldap": [
                {"name": name, "uri": "ldaps://ldap.example.org", "user_search_base": "ou=people,dc=example,dc=org"}
                for name in ("default", "other")
            ],
        }
    )
    theirs = instead(row(ANN, source="other"), of=row)
    scene = moved({ANN: NEW}, config=config, rows=theirs)
    assert kinds(scene.plan().changes) == [(Kind.CREATE, NEW)]


def test_in_another_domain_there_is_a_new_mailbox() -> None:
    there = Address("ann@example.com")
    domains = (make_domain([existing(one) for one in CROWD]), make_domain([], "example.com"))
    scene = moved({ANN: there}, domains=domains)
    assert kinds(scene.plan().changes) == [(Kind.CREATE, there)]
    assert renames_of(scene) == Renames(moving={there: ANN})


def test_who_has_a_mailbox_in_the_other_domain_already_moves_no_more() -> None:
    there = Address("ann@example.com")
    domains = (make_domain([existing(one) for one in CROWD]), make_domain([existing(there)], "example.com"))
    scene = moved({ANN: there}, domains=domains, has=instead(existing(there)))
    assert renames_of(scene) == Renames()
    known = replace(scene, rows=instead(row(there, id=id_of(ANN), dn=dn_of(ANN)), of=row))
    assert renames_of(known) == Renames()


def test_nobody_moves_away_from_a_mailbox_that_is_gone() -> None:
    domains = (make_domain([existing(one) for one in CROWD]), make_domain([], "example.com"))
    scene = moved({ANN: Address("ann@example.com")}, domains=domains, has=without(ANN))
    assert renames_of(scene) == Renames()


@pytest.mark.parametrize(("active", "rebuilds"), [(0, 3), (1, 0), (2, 1)])
def test_the_status_stays_what_it_is(active: int, rebuilds: int) -> None:
    scene = moved({ANN: NEW}, has=instead(existing(ANN, active=active, template="abc")))
    (change,) = renames_of(scene).changes
    assert (change.active, change.rebuilds, change.attribute_hash) == (active, rebuilds, "abc")
    assert settles(scene).actual.mailboxes[NEW].attributes["active"] == active


# held


ALIASES = alias_config()
TAKEN = {"domains": (make_domain([existing(one) for one in CROWD], aliases=3, max_aliases=3),)}
CROWDED = {"domains": (make_domain([existing(one) for one in CROWD], max_quota=1),)}

HELD: dict[str, tuple[dict[str, Any], str]] = {
    "renames hold": ({"config": make_config(renames="hold")}, "the config says renames: hold"),
    "mailboxes from elsewhere": ({"config": make_config(create_mailboxes=False)}, "mailboxes come from elsewhere"),
    "the old address is protected": ({"config": make_config(protected=[ANN])}, f"{ANN} is protected"),
    "another installation's, too": (
        {"has": instead(existing(ANN, tags=[MARK, "ldap-sync-berlin"]))},
        f"{ANN} carries our mark and that of another installation",
    ),
    "a mailbox of somebody": (
        {"has": instead(existing(NEW)), "rows": instead(row(NEW, id="gone", dn="uid=eve"), of=row)},
        f"{NEW} is a mailbox of uid=eve already",
    ),
    "a mailbox of nobody known": ({"has": instead(existing(NEW, tags=()))}, f"{NEW} is a mailbox already"),
    "an alias of a stranger": (
        {"config": ALIASES, "aliases": [alias(NEW, ANN, mark="")]},
        f"{NEW} is an alias that somebody made in mailcow; delete it there",
    ),
    "another alias than ours was": (
        {"config": ALIASES, "aliases": [alias(NEW, ANN, mark="")], "alias_rows": [alias_row(wish(NEW, ANN), number=1)]},
        f"{NEW} is an alias that somebody made in mailcow",
    ),
    "a released alias": (
        {"config": ALIASES, "aliases": [alias(NEW, ANN, mark="ldap-sync:released")]},
        f"{NEW} was released and is left alone",
    ),
    "an alias of somebody else": (
        {
            "config": ALIASES,
            "aliases": [alias(NEW, BOB)],
            "alias_rows": [alias_row(wish(NEW, BOB))],
            "wishes": [wish(NEW, BOB)],
        },
        f"{NEW} is an alias of {dn_of(BOB)}; take it away there",
    ),
    "an alias of nobody known": (
        {"config": ALIASES, "aliases": [alias(NEW, BOB)], "wishes": [listing(NEW, BOB, dn="")]},
        f"{NEW} is an alias of a list; take it away there",
    ),
    "a list with nobody else on it": (
        {
            "config": ALIASES,
            "aliases": [alias(NEW, ANN)],
            "alias_rows": [alias_row(listing(NEW, ANN))],
            "wishes": [listing(NEW, ANN)],
        },
        f"{NEW} is an alias of {dn_of(NEW)}; take it away there",
    ),
    "a forwarding to nobody else": (
        {
            "config": ALIASES,
            "aliases": [alias(NEW, ANN)],
            "alias_rows": [alias_row(forward(NEW, ANN))],
            "wishes": [forward(NEW, ANN)],
        },
        f"{NEW} is an alias of {dn_of(NEW)}; take it away there",
    ),
    "inactive, and the quota forbids every edit": (
        {**CROWDED, "has": instead(existing(ANN, active=0))},
        f"mailcow refuses every change of {ANN}",
    ),
    "no place for an alias": (TAKEN, f"its old address could not stay: {ANN} is not made: {DOMAIN} has all of its 3"),
}


@pytest.mark.parametrize(("more", "reason"), HELD.values(), ids=HELD)
def test_a_mailbox_that_can_not_be_renamed_stays_as_it_is(more: dict[str, Any], reason: str) -> None:
    scene = moved({ANN: NEW}, **more)
    view = scene.case()
    after = renamed(view)
    assert (after.actual, after.memory, after.renames.changes) == (view.actual, view.memory, ())
    assert (after.desired.held, after.desired.renaming) == ({NEW: ANN}, {ANN: NEW})
    plan = scene.plan()
    assert [change for change in plan.changes if change.address in (ANN, NEW)] == []
    (told,) = [finding for finding in plan.findings if finding.code is Code.RENAMED]
    assert told.where == dn_of(ANN)
    assert told.sentence.startswith(f"its address changed from {ANN} to {NEW}, and neither is touched: {reason}")


def test_a_mailcow_that_is_too_old_renames_nobody() -> None:
    view = replace(moved({ANN: NEW}).case(), can_rename=False)
    (told,) = make_plan(view).findings
    assert (told.code, make_plan(view).changes) == (Code.RENAMED, ())
    assert "this mailcow is older than 2024-11" in told.sentence


def test_a_new_address_that_is_protected_is_told_as_such() -> None:
    scene = moved({ANN: NEW}, config=make_config(protected=[NEW]))
    assert renames_of(scene).changes == ()
    plan = scene.plan()
    assert (plan.changes, [(one.code, one.where) for one in plan.findings]) == ((), [(Code.PROTECTED, NEW)])


def test_what_is_active_needs_no_edit_and_so_no_quota() -> None:
    assert steps(moved({ANN: NEW}, **CROWDED).plan()) == [(ANN, NEW)]


def test_a_quota_that_fits_lets_an_inactive_one_be_renamed() -> None:
    assert steps(moved({ANN: NEW}, has=instead(existing(ANN, active=0))).plan()) == [(ANN, NEW)]


def test_who_can_not_be_renamed_takes_no_place_for_an_alias() -> None:
    """The first waits for a mailbox that isn't renamed: the place is the second one's."""
    one_left = (make_domain([existing(one) for one in CROWD], aliases=2, max_aliases=3),)
    scene = moved({BOB: ANN, ANN: HELP, CAT: NEW}, domains=one_left, has=instead(existing(HELP, tags=())))
    assert steps(scene.plan()) == [(CAT, NEW)]
    settled_view = simulate(scene.plan(), scene.case())
    assert make_plan(settled_view).changes == ()


def test_an_old_address_that_somebody_who_is_held_wants_needs_a_place_too() -> None:
    """Bob would get it, but is held: so it stays as an alias, and for that there is no place."""
    scene = moved({ANN: NEW, BOB: ANN}, **TAKEN, has=instead(existing(BOB, tags=[MARK, "ldap-sync-berlin"])))
    held = renames_of(scene).held
    assert held.keys() == {ANN, NEW}
    assert "its old address could not stay" in held[NEW]


def test_an_old_address_that_somebody_new_gets_needs_no_place() -> None:
    everybody = [*moved({ANN: NEW}).wants, wanted(ANN, id="another", dn="uid=another", name="Another")]
    scene = moved({ANN: NEW}, **TAKEN, wants=everybody)
    assert kinds(scene.plan().changes) == [(Kind.RENAME, NEW), (Kind.CREATE, ANN)]
    settles(scene)


# what gives way


def test_an_alias_of_the_same_person_gives_way() -> None:
    scene = moved(
        {ANN: NEW},
        config=ALIASES,
        aliases=[alias(NEW, ANN)],
        alias_rows=[alias_row(wish(NEW, ANN))],
    )
    (change,) = renames_of(scene).changes
    assert change.gives_way == number_of(NEW)
    assert change.notes[0] == Note(NEW, None, Subject.ALIAS)
    after = settles(scene)
    assert NEW not in after.memory.aliases
    assert after.actual.domains[DOMAIN].aliases == 1


def test_so_it_does_where_only_the_mark_makes_it_ours() -> None:
    scene = moved({ANN: NEW}, config=ALIASES, aliases=[alias(NEW, ANN)])
    assert [one.gives_way for one in renames_of(scene).changes] == [number_of(NEW)]
    settles(scene)


@pytest.mark.parametrize("known", [True, False], ids=["remembered", "by its mark"])
def test_a_former_address_of_somebody_else_gives_way(known: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    former = wish(NEW, BOB, role=Role.FORMER, owner=id_of(BOB), dn=dn_of(BOB), flags={})
    scene = moved(
        {ANN: NEW},
        config=ALIASES,
        aliases=[alias(NEW, BOB, mark=RENAMED_MARK)],
        alias_rows=[alias_row(former)] * known,
    )
    assert [one.gives_way for one in renames_of(scene).changes] == [number_of(NEW)]
    settles(scene)


def test_the_place_of_an_alias_that_gives_way_is_enough_for_the_old_address() -> None:
    scene = moved({ANN: NEW}, **TAKEN, config=ALIASES, aliases=[alias(NEW, ANN)])
    assert steps(scene.plan()) == [(ANN, NEW)]


def test_a_former_address_that_comes_back_is_the_first_one_again() -> None:
    former = wish(NEW, ANN, role=Role.FORMER, owner=id_of(ANN), dn=dn_of(ANN), flags={})
    scene = moved(
        {ANN: NEW}, config=ALIASES, aliases=[alias(NEW, ANN, mark=RENAMED_MARK)], alias_rows=[alias_row(former)]
    )
    after = settles(scene)
    assert after.actual.aliases.keys() == {ANN}
    assert after.actual.aliases[ANN].values[PRIVATE_COMMENT] == RENAMED_MARK


# --only


@pytest.mark.parametrize("only", [ANN, NEW])
def test_a_run_for_some_addresses_renames_who_has_or_gets_one(only: Address) -> None:
    scene = moved({ANN: NEW, BOB: NEWER}, options=Options(only=frozenset({only})))
    assert steps(scene.plan()) == [(ANN, NEW)]
    assert scene.plan().findings == ()


def test_a_run_for_others_leaves_renames_alone_and_says_nothing_of_them() -> None:
    scene = moved({ANN: NEW}, options=Options(only=frozenset({CAT})))
    assert renames_of(scene).held == {NEW: ""}
    assert (scene.plan().changes, scene.plan().findings) == ((), ())


# several


def test_people_move_up_one_after_the_other() -> None:
    scene = moved({ANN: BOB, BOB: CAT, CAT: NEW})
    plan = scene.plan()
    assert steps(plan) == [(CAT, NEW), (BOB, CAT), (ANN, BOB)]
    assert [one.turn for one in renames_of(scene).changes] == [0, 1, 2]
    assert [one.left is not None for one in renames_of(scene).changes] == [False, False, True]
    settles(scene)


def test_who_waits_for_somebody_who_is_held_is_held_too() -> None:
    scene = moved({ANN: BOB, BOB: CAT, CAT: NEW}, has=instead(existing(NEW, tags=())))
    plan = scene.plan()
    assert steps(plan) == []
    waits = "is a mailbox until that one is renamed, which can't be done now"
    assert [finding.sentence.partition(": ")[2] for finding in plan.findings] == [
        f"{BOB} {waits}",
        f"{CAT} {waits}",
        f"{NEW} is a mailbox already; rename or delete that one in mailcow, or give one another address",
    ]


def test_two_people_swap_by_a_temporary_name() -> None:
    scene = moved({ANN: BOB, BOB: ANN})
    by = temporary(ANN)
    assert steps(scene.plan()) == [(BOB, by), (ANN, BOB), (by, ANN)]
    changes = renames_of(scene).changes
    assert [(one.dn, one.left, one.turn) for one in changes] == [
        (dn_of(BOB), None, 0),
        (dn_of(ANN), None, 1),
        (dn_of(BOB), None, 2),
    ]
    after = settles(scene)
    assert (after.memory.mailboxes[ANN].id, after.memory.mailboxes[BOB].id) == (id_of(BOB), id_of(ANN))
    assert not [one for one in after.actual.mailboxes if one.local.startswith(TEMPORARY)]


def test_three_people_change_round_by_one_temporary_name() -> None:
    scene = moved({ANN: BOB, BOB: CAT, CAT: ANN})
    by = temporary(ANN)
    assert steps(scene.plan()) == [(CAT, by), (BOB, CAT), (ANN, BOB), (by, ANN)]
    settles(scene)


def test_two_circles_and_a_chain() -> None:
    first, second, *_ = people(2)
    everybody = moved({ANN: BOB, BOB: ANN, first: second, second: first, CAT: NEW})
    scene = replace(everybody, options=Options(approved=dict.fromkeys(Guarded, 5)))
    plan = scene.plan()
    assert steps(plan)[0] == (CAT, NEW)
    assert len(steps(plan)) == 7
    settles(scene)


def test_a_circle_with_one_who_is_held_stands_still() -> None:
    scene = moved({ANN: BOB, BOB: CAT, CAT: ANN}, config=make_config(protected=[CAT]))
    assert steps(scene.plan()) == []
    assert renames_of(scene).held.keys() == {ANN, BOB, CAT}


def test_an_old_address_that_somebody_gets_who_is_held_stays_as_an_alias() -> None:
    """Mail to it reaches whom it reached: nobody has taken it over."""
    scene = moved({ANN: NEW, BOB: ANN}, has=instead(existing(BOB, tags=[MARK, "ldap-sync-berlin"])))
    (change,) = renames_of(scene).changes
    assert (change.former, change.left is not None) == (ANN, True)
    after = simulate(scene.plan(), scene.case())
    assert after.actual.aliases[ANN].goto == {NEW}
    assert make_plan(after).changes == ()


# temporary names


def test_a_temporary_name_tells_the_new_one() -> None:
    assert temporary(ANN) == f"ldap-sync-renaming.ann@{DOMAIN}"


def test_a_long_local_part_has_a_temporary_name_of_64_characters_at_most() -> None:
    fits, long = (Address(f"{'x' * length}@{DOMAIN}") for length in (45, 46))
    assert len(temporary(fits).local) == 64
    assert temporary(fits).local.endswith("x" * 45)
    assert len(temporary(long).local) <= 64
    assert temporary(long).local.startswith(TEMPORARY)
    assert temporary(long) != temporary(Address(f"{'x' * 47}@{DOMAIN}"))


BETWEEN = temporary(ANN)


@pytest.mark.parametrize("known", [True, False], ids=["with a row", "by its name alone"])
def test_a_swap_that_stopped_halfway_is_finished(known: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """Bob's mailbox has the temporary name, Ann's has Bob's address already."""
    rows = [row(BETWEEN, id=id_of(BOB), dn=dn_of(BOB), applied={"name": "Bob"})] * known
    scene = moved(
        {ANN: BOB, BOB: ANN},
        has=[*without(ANN, BOB), existing(BETWEEN, name="Bob"), existing(BOB, name="Ann")],
        rows=[
            *without(ANN, BOB, of=row),
            *rows,
            row(BOB, id=id_of(ANN), dn=dn_of(ANN), applied={"name": "Ann"}),
        ],
    )
    (change,) = renames_of(scene).changes
    assert (change.former, change.address, change.left) == (BETWEEN, ANN, None)
    after = settles(scene)
    assert after.actual.mailboxes[ANN].attributes["name"] == "Bob"


def test_whoever_a_half_finished_swap_waits_for_is_renamed_whatever_the_limit_says() -> None:
    """Bob's mailbox has the temporary name and waits for Ann, who waits for Cat; Dan has nothing to do with it."""
    scene = moved(
        {BOB: ANN, ANN: CAT, CAT: NEW, DAN: NEWER, CROWD[4]: OLD},
        has=[*without(BOB), existing(BETWEEN, name="Bob")],
        rows=[*without(BOB, of=row), row(BETWEEN, id=id_of(BOB), dn=dn_of(BOB), applied={"name": "Bob"})],
        config=make_config(limits={"renames": 1}),
    )
    plan = scene.plan()
    assert steps(plan) == [(CAT, NEW), (ANN, CAT), (BETWEEN, ANN)]
    (withheld,) = plan.withheld
    assert set(withheld.addresses) == {NEWER, OLD}


def test_a_temporary_name_that_is_not_ours_is_nobody_s() -> None:
    wants = [wanted(ANN)]
    scene = Scene(wants=wants, has=[existing(BETWEEN, tags=())])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, ANN)]


def test_who_has_a_mailbox_already_does_not_get_that_at_the_temporary_name() -> None:
    scene = moved({}, has=instead(existing(BETWEEN)))
    assert renames_of(scene) == Renames()
    unknown = moved({}, has=instead(existing(BETWEEN)), rows=without(ANN, of=row))
    assert renames_of(unknown) == Renames()


@pytest.mark.parametrize("more", [{"has": instead(existing(BETWEEN))}, {"aliases": [alias(BETWEEN, CAT)]}])
def test_nobody_goes_by_a_temporary_name_that_is_taken(more: dict[str, Any]) -> None:
    """Nothing says whose that mailbox is, so nobody gets near it."""
    scene = moved({ANN: BOB, BOB: ANN}, **more)
    held = renames_of(scene).held
    assert held[ANN].startswith(f"{BETWEEN} is needed for a moment and is taken")
    assert held.keys() == {ANN, BOB}


def test_a_temporary_name_that_becomes_free_in_time_is_used() -> None:
    """Dan's mailbox has stopped there on its way to Ann's address; now Dan is to be called new."""
    scene = moved(
        {ANN: BOB, BOB: ANN, DAN: NEW},
        has=[*without(DAN), existing(BETWEEN, name="Dan")],
        rows=[*without(DAN, of=row), row(BETWEEN, id=id_of(DAN), dn=dn_of(DAN), applied={"name": "Dan"})],
    )
    assert steps(scene.plan()) == [(BETWEEN, NEW), (BOB, BETWEEN), (ANN, BOB), (BETWEEN, ANN)]
    stuck = replace(scene, has=[*without(DAN), existing(BETWEEN, name="Dan"), existing(NEW, tags=())])
    assert steps(stuck.plan()) == []


# the limit


def five(**more: object) -> Scene:
    return moved({one: Address(f"new-{one}") for one in CROWD[4:10]}, **more)


def test_more_renames_than_the_limit_wait_for_a_word() -> None:
    plan = five().plan()
    assert (plan.changes, plan.findings) == ((), ())
    (withheld,) = plan.withheld
    assert (withheld.kind, withheld.reason, withheld.limit, withheld.managed) == (
        Guarded.RENAME,
        Reason.OVER_LIMIT,
        5,
        len(CROWD),
    )
    assert withheld.sentence == (
        "6 of 14 managed mailboxes would be renamed, and limits.renames lets 5 through; if that is meant, run once "
        "with --force-removals 6"
    )
    first = withheld.addresses[0]
    assert isinstance(first, RenameChange)
    assert (first.kind, first.why, first.dn, first.former) == (Kind.RENAME, Rule.RENAMED, dn_of(CROWD[4]), CROWD[4])


def test_only_the_mailboxes_that_are_ours_are_counted() -> None:
    strangers = [existing(Address(f"x{number}@{DOMAIN}"), tags=()) for number in range(40)]
    scene = moved({ANN: NEW, BOB: NEWER}, has=[existing(ANN), existing(BOB), *strangers], rows=[row(ANN), row(BOB)])
    (withheld,) = renames_of(scene).withheld
    assert (withheld.managed, withheld.limit) == (2, 1)


def test_a_word_lets_more_renames_through() -> None:
    assert len(steps(five(options=Options(approved=dict.fromkeys(Guarded, 6))).plan())) == 6
    assert steps(five(options=Options(approved=dict.fromkeys(Guarded, 5))).plan()) == []


@pytest.mark.parametrize("key", ["user_mapping.mail", "user_mapping.id"])
def test_renames_after_another_mapping_wait_for_a_word(key: str) -> None:
    config = make_config()
    accepted = {**fingerprint(config.sources[0]), key: "other"}
    scene = moved({ANN: NEW}, sources={"default": SourceMemory("entryUUID", accepted)})
    (withheld,) = scene.plan().withheld
    assert withheld.reason is Reason.SEARCH_CHANGED
    assert f"{key} changed since the last accepted run" in withheld.sentence
    assert steps(replace(scene, options=Options(approved=dict.fromkeys(Guarded, 1))).plan()) == [(ANN, NEW)]


def test_another_base_renames_nobody_wrongly_and_needs_no_word() -> None:
    accepted = {**fingerprint(make_config().sources[0]), "user_search_base": "ou=other"}
    scene = moved({ANN: NEW}, sources={"default": SourceMemory("entryUUID", accepted)})
    assert steps(scene.plan()) == [(ANN, NEW)]


def test_before_any_run_was_accepted_there_is_no_mapping_to_differ_from() -> None:
    assert steps(moved({ANN: NEW}, sources={}).plan()) == [(ANN, NEW)]


# what moves with it


def test_the_row_moves_and_all_else_in_it_stays() -> None:
    known = row(ANN, senders=frozenset({INFO}), was_active=2, kept=True)
    after = renamed(moved({ANN: NEW}, rows=instead(known, of=row)).case())
    assert after.memory.mailboxes[NEW] == replace(known, address=NEW)
    assert ANN not in after.memory.mailboxes


def test_without_a_row_none_is_made() -> None:
    """The mailbox was on its way, and only its name tells whose it is."""
    after = renamed(Scene(wants=[wanted(ANN)], has=[existing(BETWEEN)]).case())
    assert (after.renames.changes[0].address, after.memory.mailboxes) == (ANN, {})


def test_mailboxes_move_and_domains_count_the_aliases_that_stay() -> None:
    view = moved({ANN: NEW, BOB: ANN}).case()
    after = renamed(view)
    assert after.actual.mailboxes.keys() == (view.actual.mailboxes.keys() | {NEW}) - {BOB}
    assert after.actual.mailboxes[NEW] == replace(view.actual.mailboxes[ANN], address=NEW)
    assert after.actual.mailboxes[ANN] == replace(view.actual.mailboxes[BOB], address=ANN)
    assert after.actual.aliases.keys() == {BOB}
    assert after.actual.domains[DOMAIN].aliases == 1
    assert after.actual.domains[DOMAIN].mailboxes == len(CROWD)


def test_aliases_that_go_to_the_mailbox_alone_follow_and_so_do_their_rows() -> None:
    wishes = [wish(INFO, ANN), listing(TEAM, ANN, BOB)]
    old = alias_row(wish(HELP, BOB), applied={GOTO: BOB})
    view = moved(
        {ANN: NEW},
        config=ALIASES,
        aliases=[*(alias(one.address, *one.goto) for one in wishes), alias(HELP, ANN, mark="their own")],
        alias_rows=[*map(alias_row, wishes), old],
    ).case()
    after = renamed(view)
    gotos = {address: one.values[GOTO] for address, one in after.actual.aliases.items()}
    assert gotos == {INFO: NEW, TEAM: f"{ANN},{BOB}", HELP: NEW, ANN: NEW}
    followed = {"goto": NEW, "sogo_visible": 0}
    assert after.memory.aliases[INFO].applied == followed
    on_the_list = after.memory.aliases[TEAM].applied
    assert on_the_list[GOTO] == f"{BOB},{NEW}"
    assert after.memory.aliases[HELP] == old  # of another alias than the one that is there
    notes = after.renames.changes[0].notes
    assert [note for note in notes if note.address != ANN] == [
        Note(INFO, {"applied": followed}, Subject.ALIAS),
        Note(TEAM, {"applied": on_the_list}, Subject.ALIAS),
    ]
    assert after.renames.meant == {TEAM: {BOB, NEW}}
    known = after.memory.aliases[ANN]
    expected = RememberedAlias(
        ANN, "default", id_of(ANN), dn_of(ANN), Role.FORMER, Origin.CREATED, applied={"goto": NEW}
    )
    assert known == expected


def on_a_list(moves: Mapping[Address, Address], *members: Address, **more: object) -> Scene:
    """Return a scene in which people who are on a list of ours get other addresses; no other wish comes with it."""
    fields: dict[str, Any] = {
        "config": ALIASES,
        "aliases": [alias(TEAM, *members)],
        "alias_rows": [alias_row(listing(TEAM, *members))],
    }
    return moved(moves, **{**fields, **more})


def targets(view: Case, address: Address = TEAM) -> frozenset[Address]:
    return view.actual.aliases[address].goto


def test_who_is_renamed_is_not_lost_to_a_list() -> None:
    """Else a firm that renames everybody would have to force the lists too."""
    scene = on_a_list({ANN: NEW, BOB: NEWER}, ANN, BOB, wishes=[listing(TEAM, NEW, NEWER)])
    assert scene.plan().withheld == ()
    assert targets(settles(scene)) == {NEW, NEWER}


def test_where_lists_are_not_known_everybody_on_them_stays_by_the_new_name() -> None:
    """Their old address may be somebody else's from now on."""
    for wishes in ([], [listing(TEAM, CAT)]):
        scene = on_a_list({ANN: BOB, BOB: ANN}, ANN, CAT, wishes=wishes, answers={"groups": DOUBTED})
        plan = scene.plan()
        assert [change.why for change in plan.changes if change.address == TEAM] == [Rule.RENAMED]
        after = simulate(plan, scene.case())
        assert targets(after) == {BOB, CAT}
        assert make_plan(after).changes == ()


def test_a_list_that_may_not_shrink_keeps_its_members_by_their_new_names() -> None:
    members = (ANN, CAT, DAN)
    scene = on_a_list({ANN: BOB, BOB: ANN}, *members, wishes=[listing(TEAM, CAT)])
    plan = scene.plan()
    assert [one.kind for one in plan.withheld] == [Guarded.LIST]
    after = simulate(plan, scene.case())
    assert targets(after) == {BOB, CAT, DAN}
    assert [one.kind for one in make_plan(after).withheld] == [Guarded.LIST]


def test_a_run_that_was_killed_before_it_came_to_the_lists_is_gone_on_with() -> None:
    """The renames are in the state file with what became of the lists; the lists themselves have the old names."""
    scene = on_a_list({ANN: BOB, BOB: ANN, DAN: NEW}, ANN, DAN, wishes=[listing(TEAM, BOB, NEW)])
    plan = scene.plan()
    renames = tuple(change for change in plan.changes if isinstance(change, RenameChange))
    killed = simulate(replace(plan, changes=renames), scene.case())
    assert targets(killed) == {ANN, DAN}
    rest = make_plan(killed)
    assert rest.withheld == ()
    assert targets(simulate(rest, killed)) == {BOB, NEW}


def test_members_by_hand_are_not_taken_for_those_who_were_renamed() -> None:
    scene = on_a_list({}, ANN, aliases=[alias(TEAM, ANN, BOB, CAT)], wishes=[listing(TEAM, ANN)])
    assert [one.kind for one in scene.plan().withheld] == [Guarded.LIST]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="all is known"),
        pytest.param({"wishes": []}, id="the list is gone, and its grace isn't over"),
        pytest.param({"wishes": [], "doubts": (CUT_SHORT,)}, id="the list isn't known"),
        pytest.param({"wishes": [listing(TEAM, CAT)], "options": Options(only=frozenset({ANN}))}, id="nobody asked"),
        pytest.param(
            {
                "wishes": [],
                "wished": {"unreadable": frozenset({id_of(TEAM)})},
                "options": Options(overridden_filter=True),
            },
            id="a list that can't be read, and others",
        ),
    ],
)
def test_what_is_written_to_a_list_does_not_go_to_who_has_the_old_address_now(more: dict[str, Any]) -> None:
    """Ann and Bob swap their addresses, and Bob isn't on it."""
    there = {"aliases": [alias(TEAM, ANN, CAT)], "alias_rows": [alias_row(listing(TEAM, ANN, CAT))]}
    scene = moved({ANN: BOB, BOB: ANN}, **{"wishes": [listing(TEAM, BOB, CAT)], "config": ALIASES, **there, **more})
    change = only_alias([change for change in scene.plan().changes if change.address == TEAM])
    assert (change.kind, change.why) == (Kind.UPDATE, Rule.RENAMED)
    assert change.writes == {GOTO: f"{BOB},{CAT}"}


def test_a_run_for_one_address_takes_nobody_else_off_the_lists_of_those_whom_it_renames() -> None:
    there = {"aliases": [alias(TEAM, ANN, OLD)], "alias_rows": [alias_row(listing(TEAM, ANN, OLD))]}
    scene = moved({ANN: NEW}, config=ALIASES, options=Options(only=frozenset({ANN})), **there)
    change = only_alias([change for change in scene.plan().changes if change.address == TEAM])
    assert change.writes == {GOTO: f"{NEW},{OLD}"}


@pytest.mark.parametrize("doubts", [(), (CUT_SHORT,)])
def test_a_list_that_names_a_mailbox_which_is_gone_does_not_mean_who_gets_that_address(doubts: tuple[Any, ...]) -> None:
    """Somebody deleted or renamed it by hand."""
    there = {"aliases": [alias(TEAM, NEW, CAT)], "alias_rows": [alias_row(listing(TEAM, NEW, CAT))]}
    scene = moved({ANN: NEW}, config=ALIASES, wishes=[listing(TEAM, CAT)], doubts=doubts, **there)
    change = only_alias([change for change in scene.plan().changes if change.address == TEAM])
    assert change.writes == {GOTO: CAT}


@pytest.mark.parametrize(("of", "means"), [(BOB, f"{BOB},{CAT}"), (ANN, f"{CAT},{NEW}")])
def test_a_list_that_names_a_former_address_means_whose_it_was(of: Address, means: str) -> None:
    former = alias_row(wish(NEW, of, role=Role.FORMER), owner=id_of(of))
    scene = moved(
        {ANN: NEW},
        config=ALIASES,
        aliases=[alias(NEW, of, mark=RENAMED_MARK), alias(TEAM, NEW, CAT)],
        alias_rows=[former, alias_row(listing(TEAM, NEW, CAT))],
        doubts=(CUT_SHORT,),
    )
    assert renamed(scene.case()).renames.meant.get(TEAM, alias(TEAM, NEW, CAT).goto) == set(means.split(","))


def test_a_list_that_is_not_known_keeps_somebody_whose_address_another_is_to_have() -> None:
    """Bob is gone, his mailbox isn't; and Ann shall have his address, which she can't."""
    scene = on_a_list({ANN: BOB}, BOB, CAT, wishes=[], answers={"groups": DOUBTED})
    gone = replace(scene, wants=[one for one in scene.wants if one.id != id_of(BOB)])
    assert gone.plan().changes == ()
    known = replace(gone, answers={})
    assert only_alias(known.plan().changes).writes == {GOTO: CAT}


def test_a_list_of_somebody_else_is_left_as_it_is() -> None:
    scene = on_a_list({ANN: NEW}, aliases=[alias(TEAM, ANN, BOB, mark="their own")], alias_rows=[])
    assert targets(settles(scene)) == {ANN, BOB}


def test_rights_that_name_the_old_address_follow() -> None:
    view = moved(
        {ANN: NEW},
        rows=instead(
            row(ANN, senders=frozenset({INFO})),
            row(BOB, senders=frozenset({ANN, INFO})),
            row(CAT, senders=frozenset({INFO})),
            of=row,
        ),
        senders={ANN: frozenset({INFO}), BOB: frozenset({ANN, "*"}), DAN: None},
    ).case()
    after = renamed(view)
    assert after.senders == {NEW: frozenset({INFO}), BOB: frozenset({NEW, "*"}), DAN: None}
    assert after.memory.mailboxes[BOB].senders == {NEW, INFO}
    (change,) = after.renames.changes
    assert [note for note in change.notes if note.subject is Subject.MAILBOX] == [
        Note(BOB, {"senders": frozenset({NEW, INFO})})
    ]


def test_rights_for_an_alias_that_gives_way_are_gone_with_it() -> None:
    view = moved(
        {ANN: NEW},
        config=ALIASES,
        aliases=[alias(NEW, ANN)],
        rows=instead(row(BOB, senders=frozenset({NEW})), of=row),
        senders={BOB: frozenset({NEW, ANN})},
    ).case()
    after = renamed(view)
    assert after.senders[BOB] == frozenset({NEW})  # what was the right for the mailbox
    assert after.memory.mailboxes[BOB].senders == frozenset()


def test_rows_that_are_read_later_are_translated_likewise() -> None:
    renames = renames_of(moved({ANN: BOB, BOB: ANN}))
    assert renames.senders_after(frozenset({ANN, CAT})) == frozenset({BOB, CAT})
    assert renames.senders_after(frozenset({BOB})) == frozenset({ANN})
    assert renames.senders_after(None) is None
    assert Renames().senders_after(frozenset({ANN})) == frozenset({ANN})


def test_what_a_mailbox_was_called_before_is_known_through_a_swap() -> None:
    renames = renames_of(moved({ANN: BOB, BOB: ANN, CAT: NEW}))
    assert [renames.before(one) for one in (ANN, BOB, NEW, DAN)] == [BOB, ANN, CAT, DAN]


def test_a_former_address_means_its_person() -> None:
    after = renamed(moved({ANN: NEW}).case())
    assert after.desired.former == {ANN: NEW}
    assert after.desired.home(ANN) == NEW


# what is left behind, changed in the same run


def test_what_the_directory_wants_at_the_old_address_is_done_with_the_rename() -> None:
    """Its alias has no number before that."""
    scene = moved({ANN: NEW}, config=ALIASES, wishes=[wish(ANN, NEW, owner=id_of(ANN), flags={"sogo_visible": 1})])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.RENAME, NEW)]
    (change,) = plan.changes
    assert isinstance(change, RenameChange)
    assert change.left is not None
    assert (change.left["sogo_visible"], change.left[PRIVATE_COMMENT]) == (1, MARK)
    last = change.notes[-1]
    assert last.remember is not None
    assert (last.address, last.remember["role"], last.remember["number"]) == (ANN, Role.USER, None)
    settles(scene)


def test_an_inactive_mailbox_leaves_an_inactive_alias() -> None:
    scene = moved({ANN: NEW}, config=ALIASES, has=instead(existing(ANN, active=0)))
    (change,) = scene.plan().changes
    assert isinstance(change, RenameChange)
    assert change.left is not None
    assert (change.left["active"], change.left[PRIVATE_COMMENT]) == (0, "ldap-sync:disabled")
    assert change.rebuilds > 2
    settles(scene)


def test_a_plan_at_another_time_says_the_same() -> None:
    scene = moved({ANN: BOB, BOB: ANN, CAT: NEW})
    assert replace(scene, now=NOW.replace(year=2030)).plan().changes == scene.plan().changes
