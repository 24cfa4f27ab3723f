"""What is withheld of aliases and lists, and what a domain has room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ldap2mailcow.model import (
    GOTO,
    Address,
    Code,
    Kind,
    RememberedAlias,
    Role,
    Rule,
    SourceMemory,
    Subject,
    joined,
)
from ldap2mailcow.plan import Guarded, Options, Reason, fingerprint, make_plan
from ldap2mailcow.plan.order import Step, step_of

from .builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    DAN,
    DISABLED_TAG,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    NONE_FOUND,
    NOW,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    existing,
    forward,
    id_of,
    kinds,
    listing,
    make_domain,
    of_aliases,
    only_alias,
    people,
    remembered,
    row,
    settled,
    wanted,
    wish,
)
from .simulated import simulate

LONG_AGO = NOW - timedelta(days=1)
OLD = {"missed": 5, "missing_since": LONG_AGO}
EVERYBODY = people(20)


def address_of(number: int) -> Address:
    return Address(f"x{number:02}@{DOMAIN}")


def losing(total: int, gone: int, **more: object) -> Scene:
    """A scene in which Ann has many aliases, of which her entry lists some no longer."""
    had = [wish(address_of(number), ANN) for number in range(total)]
    fields: dict[str, Any] = {
        "aliases": [alias(one.address, ANN) for one in had],
        "alias_rows": [alias_row(one) for one in had],
        **more,
    }
    return settled([ANN], had[gone:], **fields)


def shrinking(members: int, left: int, **more: object) -> Scene:
    """A scene in which a list of many has fewer members now, and one that is new."""
    before, after = EVERYBODY[:members], EVERYBODY[:left]
    fields: dict[str, Any] = {
        "aliases": [alias(TEAM, *before)],
        "alias_rows": [alias_row(listing(TEAM, *before))],
        **more,
    }
    return settled(EVERYBODY, [listing(TEAM, *after)], **fields)


# how many aliases may go


@pytest.mark.parametrize(
    ("total", "gone", "through"),
    [
        pytest.param(1, 1, True, id="at least one"),
        pytest.param(3, 2, False, id="never more than half"),
        pytest.param(20, 5, True, id="five are more than ten percent"),
        pytest.param(20, 6, False, id="six are more than five"),
        pytest.param(80, 8, True, id="ten percent are more than five"),
    ],
)
def test_removals_of_aliases_are_counted_by_themselves(total: int, gone: int, through: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    plan = losing(total, gone).plan()
    assert len(plan.changes) == gone * through
    assert [(one.kind, one.reason) for one in plan.withheld] == [(Guarded.ALIAS, Reason.OVER_LIMIT)] * (not through)


def test_a_refusal_carries_the_numbers_and_the_word_that_lifts_it() -> None:
    (withheld,) = losing(20, 6).plan().withheld
    assert (withheld.managed, withheld.limit, withheld.name) == (20, 5, "alias over_limit")
    assert withheld.addresses == tuple(map(address_of, range(6)))
    assert withheld.sentence == (
        "6 of 20 managed aliases would be removed, and limits.removals lets 5 through; "
        "if that is meant, run once with --approve alias:6"
    )


@pytest.mark.parametrize(("force", "through"), [(5, 0), (6, 6)])
def test_force_lets_as_many_through_as_it_says(force: int, through: int) -> None:
    assert len(losing(20, 6, options=Options(approved={Guarded.ALIAS: force or 0})).plan().changes) == through


def test_inactive_aliases_are_no_part_of_which_some_may_go() -> None:
    base = losing(20, 5)
    aliases = [
        replace(one, values={**one.values, "active": int(number < 8)}) for number, one in enumerate(base.aliases)
    ]
    (withheld,) = replace(base, aliases=aliases).plan().withheld
    assert (withheld.managed, withheld.limit) == (8, 4)


def test_mailboxes_aliases_and_lists_are_withheld_apart() -> None:
    base = losing(3, 2)
    gone = people(3)
    scene = replace(
        base,
        wants=[*base.wants, wanted(gone[2], active=0)],
        has=[*base.has, *map(existing, gone)],
        rows=[*base.rows, *(row(one, **OLD) for one in gone[:2]), row(gone[2])],
        wishes=[*base.wishes, listing(TEAM, ANN)],
        aliases=[*base.aliases, alias(TEAM, ANN, BOB, CAT, DAN, gone[2])],
        alias_rows=[*base.alias_rows, alias_row(listing(TEAM, ANN, BOB, CAT, DAN, gone[2]))],
    )
    scene = replace(
        scene,
        wants=[*scene.wants, *map(wanted, (BOB, CAT, DAN))],
        has=[*scene.has, *map(existing, (BOB, CAT, DAN))],
        rows=[*scene.rows, *map(row, (BOB, CAT, DAN))],
        config=alias_config(limits={"removals": "1"}),
    )
    plan = scene.plan()
    assert [one.kind for one in plan.withheld] == [Guarded.DISABLE, Guarded.ALIAS, Guarded.LIST]
    assert plan.changes == ()
    assert len({one.name for one in plan.withheld}) == 3


# lists that shrink


@pytest.mark.parametrize(
    ("members", "left", "shrink", "through"),
    [
        pytest.param(1, 0, "50%", True, id="the last one"),
        pytest.param(2, 1, "50%", True, id="half of two"),
        pytest.param(3, 1, "50%", False, id="two of three"),
        pytest.param(4, 2, "50%", True, id="half"),
        pytest.param(4, 1, "50%", False, id="more than half"),
        pytest.param(4, 2, "1", False, id="more than one"),
        pytest.param(4, 3, "1", True, id="one"),
    ],
)
def test_a_list_that_loses_too_many_members_keeps_them_for_now(
    members: int,
    left: int,
    shrink: str,
    through: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = shrinking(members, left, config=alias_config(limits={"list_shrink": shrink}))
    plan = scene.plan()
    assert len(plan.changes) == through
    assert [(one.kind, one.reason) for one in plan.withheld] == [(Guarded.LIST, Reason.OVER_LIMIT)] * (not through)
    after = simulate(plan, scene.case())
    assert kinds(make_plan(after).changes) == []
    assert len(after.actual.aliases[TEAM].goto) == (max(left, 1) if through else members)


def test_members_that_were_added_in_mailcow_by_hand_are_no_loss() -> None:
    scene = shrinking(4, 1, alias_rows=[alias_row(listing(TEAM, EVERYBODY[0]))])
    assert (only_alias(scene.plan().changes).writes, scene.plan().withheld) == ({GOTO: EVERYBODY[0]}, ())


def test_a_withheld_list_is_told_with_its_numbers() -> None:
    (withheld,) = shrinking(4, 1).plan().withheld
    assert withheld.sentence == (
        "1 of 1 managed lists would lose too many of their members at once, and limits.list_shrink doesn't let that "
        "through; if that is meant, run once with --approve list:1"
    )
    assert withheld.addresses == (TEAM,)


def test_a_withheld_list_stays_as_it_is_and_what_it_gains_waits_too() -> None:
    asked = listing(TEAM, EVERYBODY[0], EVERYBODY[9], flags={"sogo_visible": 1})
    scene = replace(shrinking(4, 1), wishes=[asked])
    plan = scene.plan()
    assert (plan.changes, plan.notes, len(plan.withheld)) == ((), (), 1)
    assert plan.rules[Subject.ALIAS, TEAM] is Rule.HELD
    forced = replace(scene, options=Options(approved=dict.fromkeys(Guarded, 1)))
    assert only_alias(forced.plan().changes).writes == {GOTO: joined([EVERYBODY[0], EVERYBODY[9]]), "sogo_visible": 1}


def test_an_inactive_member_leaves_a_withheld_list_and_counts_as_no_loss() -> None:
    has = [existing(one, active=int(number not in (2, 3))) for number, one in enumerate(EVERYBODY)]
    assert only_alias(shrinking(4, 1, has=has).plan().changes).writes == {GOTO: EVERYBODY[0]}
    plan = shrinking(8, 1, has=has).plan()
    assert only_alias(plan.changes).writes == {GOTO: joined([*EVERYBODY[:2], *EVERYBODY[4:8]])}
    assert len(plan.withheld) == 1


def test_an_alias_of_a_user_may_go_to_somebody_else_at_once() -> None:
    scene = settled(EVERYBODY, [wish(INFO, EVERYBODY[9])], aliases=[alias(INFO, *EVERYBODY[:6])])
    assert only_alias(scene.plan().changes).writes == {GOTO: EVERYBODY[9]}


def test_a_withheld_list_that_only_its_mark_makes_ours_is_remembered_with_the_word() -> None:
    scene = shrinking(4, 1, alias_rows=[])
    plan = scene.plan()
    assert (plan.changes, len(plan.withheld)) == ((), 1)
    forced = replace(scene, options=Options(approved=dict.fromkeys(Guarded, 1))).plan()
    assert remembered(forced, TEAM, Subject.ALIAS)["owner"] == id_of(TEAM)


@pytest.mark.parametrize(
    ("mark", "row", "withheld"),
    [
        pytest.param(DISABLED_TAG, {}, 0, id="by us"),
        pytest.param(MARK, {"disabled": True}, 0, id="by us, as the state file says"),
        pytest.param(MARK, {}, 1, id="by hand"),
    ],
)
def test_a_list_that_was_set_inactive_has_nobody_to_lose(mark: str, row: dict[str, object], withheld: int) -> None:
    """It was empty; those whom its goto still names don't get its mail."""
    old, new = EVERYBODY[:4], EVERYBODY[5:7]
    scene = settled(
        EVERYBODY,
        [listing(TEAM, *new)],
        aliases=[alias(TEAM, *old, mark=mark, active=0)],
        alias_rows=[alias_row(listing(TEAM, *old), **row)],
    )
    plan = scene.plan()
    assert len(plan.withheld) == withheld
    assert [(change.kind, change.writes[GOTO]) for change in of_aliases(plan.changes)] == [
        (Kind.ENABLE, joined(new))
    ] * (not withheld)


@pytest.mark.parametrize(
    ("more", "left"),
    [
        pytest.param({}, 3, id="all is known"),
        pytest.param({"answers": {"groups": DOUBTED}}, 4, id="groups in doubt"),
        pytest.param({"options": Options(overridden_filter=True)}, 4, id="--override-filter"),
        pytest.param({"options": Options(only=frozenset({TEAM}))}, 4, id="--only"),
        pytest.param({"answers": {"forwards": DOUBTED}}, 3, id="forwards in doubt"),
    ],
)
def test_an_answer_in_doubt_takes_nobody_from_a_list(more: Mapping[str, Any], left: int) -> None:
    scene = shrinking(4, 3, **more)
    plan = scene.plan()
    assert len(simulate(plan, scene.case()).actual.aliases[TEAM].goto) == left
    assert plan.withheld == ()


def test_an_answer_in_doubt_takes_nobody_from_what_only_forwards() -> None:
    asked = replace(listing(TEAM, ANN), role=Role.FORWARD)
    scene = settled([ANN, BOB], [asked], aliases=[alias(TEAM, ANN, BOB)], answers={"forwards": DOUBTED})
    assert scene.plan().changes == ()


def test_an_answer_in_doubt_takes_nobody_from_what_is_adopted() -> None:
    config = alias_config(adopt_aliases="overwrite")
    scene = shrinking(4, 1, answers={"groups": DOUBTED}, config=config, aliases=[alias(TEAM, *EVERYBODY[:4], mark="")])
    scene = replace(scene, alias_rows=[])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.ADOPT, TEAM)]
    assert len(simulate(plan, scene.case()).actual.aliases[TEAM].goto) == 4


def test_an_answer_in_doubt_still_adds() -> None:
    scene = replace(shrinking(4, 3, answers={"groups": DOUBTED}), wishes=[listing(TEAM, EVERYBODY[9])])
    assert only_alias(scene.plan().changes).writes == {GOTO: joined([*EVERYBODY[:4], EVERYBODY[9]])}


def lists(before: int, now: int, *, number: int = 4, **more: object) -> Scene:
    """A scene of several lists of one size, of which the last ones lost everybody."""
    addresses = [address_of(place) for place in range(number)]
    fields: dict[str, Any] = {
        "aliases": [alias(address, *EVERYBODY[:before]) for address in addresses],
        "alias_rows": [alias_row(listing(address, *EVERYBODY[:before])) for address in addresses],
        **more,
    }
    wishes = [listing(address, *(EVERYBODY[:before] if place < now else ())) for place, address in enumerate(addresses)]
    return settled(EVERYBODY, wishes, **fields)


@pytest.mark.parametrize(
    ("kept", "number", "believed"),
    [
        pytest.param(1, 4, False, id="three of four"),
        pytest.param(2, 4, True, id="two of four"),
        pytest.param(3, 6, True, id="half"),
        pytest.param(0, 2, True, id="two are somebody's edit"),
    ],
)
def test_lists_that_lose_everybody_together_are_doubted(kept: int, number: int, believed: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """The right to read the members is lost more easily than most lists lose everybody."""
    plan = lists(1, kept, number=number).plan()
    assert plan.whole
    assert len(plan.changes) == (number - kept) * believed
    assert [one.kind for one in plan.withheld] == [Guarded.LIST] * (not believed)
    if not believed:
        assert plan.withheld[0].sentence.endswith(
            "3 of 4 lost their addresses or targets at once; if that is meant, run once with --approve list:3",
        )


def test_lists_whose_members_are_not_known_are_not_counted_as_emptied() -> None:
    """Else the owner of a few groups could have all lists wait for a word."""
    odd = [Address(f"odd{number}@{DOMAIN}") for number in range(4)]
    wishes = [listing(TEAM, ANN), *(listing(one, known=False) for one in odd)]
    had = [listing(TEAM, ANN, BOB), *(listing(one, ANN) for one in odd)]
    scene = settled(
        [ANN, BOB],
        wishes,
        aliases=[alias(one.address, *one.goto) for one in had],
        alias_rows=[alias_row(one) for one in had],
    )
    plan = scene.plan()
    assert [one.code for one in plan.findings if one.code is Code.ATTRIBUTE_VANISHED] == []
    assert [change.address for change in of_aliases(plan.changes)] == [TEAM]


def test_whoever_knows_that_the_lists_are_empty_types_their_number() -> None:
    assert len(lists(1, 1, options=Options(approved=dict.fromkeys(Guarded, 3))).plan().changes) == 3
    assert lists(1, 1, options=Options(approved=dict.fromkeys(Guarded, 2))).plan().changes == ()


def test_lists_that_were_emptied_one_by_one_are_not_doubted() -> None:
    scene = lists(1, 4)
    view = scene.case()
    for kept in (3, 2, 1):
        view = replace(view, directories=lists(1, kept).case().directories)
        plan = make_plan(view)
        assert plan.whole
        view = simulate(plan, view)
    assert [one.is_active for _, one in sorted(view.actual.aliases.items())] == [True, False, False, False]


def test_lists_that_only_their_members_name_have_no_attribute_that_could_vanish() -> None:
    scene = lists(1, 1)
    plan = replace(scene, alias_rows=[replace(one, dn="") for one in scene.alias_rows]).plan()
    assert (len(plan.changes), plan.withheld) == (3, ())


@pytest.mark.parametrize("options", [Options(overridden_filter=True), Options(only=frozenset({TEAM}))])
def test_a_run_for_some_people_does_not_say_that_the_others_vanished(options: Options) -> None:
    assert lists(1, 1, options=options).plan().withheld == ()


# changed searches


def changed(scene: Scene, key: str) -> Scene:
    accepted = {**fingerprint(scene.config.sources[0]), key: "something else"}
    return replace(scene, sources={"default": SourceMemory("entryUUID", accepted)})


USERS = ("user_search_base", "user_search_filter", "domains", "user_mapping.id", "user_mapping.mail")
GROUPS = (
    "group_search_base",
    "group_search_filter",
    "group_member_filter",
    "group_mapping.mail",
    "group_mapping.member",
    "group_mapping.aliases",
    "user_mapping.group_addresses",
)
FORWARDS = (
    "alias_search_base",
    "alias_search_filter",
    "alias_mapping.mail",
    "alias_mapping.goto",
    "user_mapping.forward_to",
)


@pytest.mark.parametrize("key", [*USERS, *GROUPS, *FORWARDS, "user_mapping.aliases"])
def test_a_changed_search_is_doubted_for_the_aliases_that_come_from_it(key: str) -> None:
    removed = {
        Role.USER: [*USERS, "user_mapping.aliases"],
        Role.LIST: [*USERS, *GROUPS],
        Role.FORWARD: [*USERS, *FORWARDS],
    }
    for role, keys in removed.items():
        rows = [alias_row(wish(INFO, ANN), owner="gone", role=role)]
        scene = changed(settled([ANN], aliases=[alias(INFO, ANN)], alias_rows=rows), key)
        plan = scene.plan()
        assert plan.changes == ()
        assert [(one.kind, one.reason) for one in plan.withheld] == (
            [(Guarded.ALIAS, Reason.SEARCH_CHANGED)] if key in keys else []
        )
        assert len(plan.pending) == (key not in keys)
        if key in keys:
            assert f"{key} changed since the last accepted run" in plan.withheld[0].sentence
            assert plan.sources["default"].accepted == scene.case().memory.sources["default"].accepted


def test_a_changed_search_of_one_kind_withholds_what_is_of_unknown_kind_too() -> None:
    rows = [alias_row(wish(INFO, ANN), owner="", role=None)]
    plan = changed(settled([ANN], aliases=[alias(INFO, ANN)], alias_rows=rows), "alias_mapping.goto").plan()
    assert [one.reason for one in plan.withheld] == [Reason.SEARCH_CHANGED]


def test_a_changed_search_of_groups_lets_no_list_shrink() -> None:
    scene = changed(shrinking(4, 3), "group_mapping.member")
    plan = scene.plan()
    assert (plan.changes, [one.reason for one in plan.withheld]) == ((), [Reason.SEARCH_CHANGED])
    forced = replace(scene, options=Options(approved=dict.fromkeys(Guarded, 1))).plan()
    assert len(forced.changes) == 1
    assert forced.sources["default"].accepted == fingerprint(scene.config.sources[0])


def test_a_changed_search_of_forwards_is_no_matter_of_lists() -> None:
    assert len(changed(shrinking(4, 3), "alias_mapping.goto").plan().changes) == 1
    (withheld,) = changed(shrinking(4, 1), "alias_mapping.goto").plan().withheld
    assert withheld.reason is Reason.OVER_LIMIT


def test_the_first_search_ever_removes_no_alias() -> None:
    plan = losing(20, 1, sources={}).plan()
    assert (plan.changes, plan.sources["default"].accepted) == ((), None)
    assert "no run was accepted yet" in plan.withheld[0].sentence


def test_a_changed_search_is_accepted_once_nothing_would_go() -> None:
    scene = changed(settled([ANN], [wish(INFO, ANN)]), "user_mapping.aliases")
    assert scene.plan().sources["default"].accepted == fingerprint(scene.config.sources[0])


@pytest.mark.parametrize("answers", [{"groups": DOUBTED}, {"forwards": DOUBTED}])
def test_no_search_is_accepted_while_an_answer_is_in_doubt(answers: Mapping[str, Any]) -> None:
    scene = changed(settled([ANN], [wish(INFO, ANN)], answers=answers), "user_mapping.aliases")
    assert scene.plan().sources["default"].accepted == scene.case().memory.sources["default"].accepted


@pytest.mark.parametrize(
    ("answers", "role"),
    [({"groups": NONE_FOUND}, Role.LIST), ({"forwards": NONE_FOUND}, Role.FORWARD)],
)
def test_a_search_that_finds_nothing_any_more_is_doubted(answers: Mapping[str, Any], role: Role) -> None:
    def scene(kind: Role, force: int | None = None) -> Scene:
        rows = [alias_row(wish(INFO, ANN), owner="gone", role=kind)]
        options = Options(approved={Guarded.ALIAS: force or 0})
        return settled([ANN], aliases=[alias(INFO, ANN)], alias_rows=rows, answers=answers, options=options)

    (withheld,) = scene(role).plan().withheld
    assert withheld.reason is Reason.SEARCH_CHANGED
    assert "the search for them found nothing" in withheld.sentence
    assert scene(Role.USER).plan().withheld == ()
    forced = scene(role, force=1)
    assert kinds(forced.plan().changes) == [(Kind.REMOVE, INFO)]
    assert make_plan(simulate(forced.plan(), forced.case())).changes == ()


@pytest.mark.parametrize(
    ("columns", "there", "doubted"),
    [
        pytest.param({}, True, True, id="a group"),
        pytest.param({}, False, False, id="gone from mailcow"),
        pytest.param({"role": Role.FORWARD}, True, False, id="of another kind"),
        pytest.param({"dn": ""}, True, False, id="a list that only its members name"),
        pytest.param({"owner": id_of(BOB)}, True, False, id="of a user's own attribute"),
    ],
)
def test_a_search_that_never_found_anything_is_not_doubted(
    columns: Mapping[str, object],
    there: bool,  # noqa: FBT001 - pytest gives it by name
    doubted: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    gone = alias_row(listing(INFO, ANN), **{"role": Role.LIST, **OLD, "dn": "", "owner": INFO})
    other = alias_row(listing(TEAM, ANN), **columns)
    aliases = [alias(INFO, ANN), *([alias(TEAM, ANN)] if there else [])]
    scene = settled([ANN, BOB], aliases=aliases, alias_rows=[gone, other], answers={"groups": NONE_FOUND})
    assert (Reason.SEARCH_CHANGED in {one.reason for one in scene.plan().withheld}) is doubted


# places


def test_a_full_domain_lets_removals_go_first() -> None:
    full = settled([ANN], [wish(INFO, ANN)], aliases=[alias(HELP, ANN)], alias_rows=[alias_row(wish(HELP, ANN))])
    scene = replace(full, limits={"max_aliases": 1})
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, HELP), (Kind.CREATE, INFO)]
    assert [step_of(change) for change in plan.changes] == [Step.FREE_ADDRESSES, Step.ALIASES]
    assert make_plan(simulate(plan, scene.case())).changes == ()

    wide = replace(full, limits={"max_aliases": 2}).plan()
    assert kinds(wide.changes) == [(Kind.CREATE, INFO), (Kind.REMOVE, HELP)]
    assert [step_of(change) for change in wide.changes] == [Step.ALIASES, Step.REMOVE_ALIASES]


def test_only_removals_in_the_full_domain_go_first() -> None:
    elsewhere = Address("help@example.com")
    twin = Address(f"help@{ALIAS_DOMAIN}")
    scene = settled(
        [ANN],
        [wish(INFO, ANN)],
        aliases=[alias(elsewhere, ANN), alias(twin, ANN)],
        alias_rows=[alias_row(wish(elsewhere, ANN)), alias_row(wish(twin, ANN)), *unrelated(3)],
        domains=(
            make_domain([existing(ANN)], DOMAIN, aliases=1, max_aliases=1),
            make_domain((), "example.com", aliases=1),
        ),
        alias_domains={ALIAS_DOMAIN: DOMAIN},
        options=Options(approved=dict.fromkeys(Guarded, 2)),
    )
    assert kinds(scene.plan().changes) == [(Kind.REMOVE, twin), (Kind.CREATE, INFO), (Kind.REMOVE, elsewhere)]
    simulate(scene.plan(), scene.case())


def unrelated(number: int) -> list[RememberedAlias]:
    return [alias_row(wish(Address(f"y{place}@elsewhere.test"), ANN)) for place in range(number)]


def test_a_disabled_alias_makes_no_room() -> None:
    scene = settled(
        [ANN],
        [wish(INFO, ANN)],
        aliases=[alias(HELP, ANN)],
        alias_rows=[alias_row(wish(HELP, ANN))],
        limits={"max_aliases": 1},
        config=alias_config(removed_aliases="disable"),
    )
    plan = scene.plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.DISABLE, HELP)], [Code.NO_ROOM_FOR_ALIAS])


def test_withheld_removals_make_no_room() -> None:
    scene = replace(losing(3, 2, limits={"max_aliases": 3}), sources=None)
    scene = replace(scene, wishes=[*scene.wishes, wish(INFO, ANN)])
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.NO_ROOM_FOR_ALIAS])


# the whole


def test_a_plan_counts_aliases() -> None:
    scene = settled([ANN], [wish(INFO, ANN), wish(HELP, ANN)], aliases=[alias(INFO, ANN), alias(TEAM, ANN, mark="")])
    plan = scene.plan()
    assert (plan.managed_aliases, plan.wanted_aliases, plan.unmanaged_aliases) == (1, 2, (TEAM,))


# lists and forwardings that lose their addresses or targets


def dropped(number: int, kept: int, role: Role = Role.LIST, **more: object) -> Scene:
    """A scene in which the entries of some lists or forwardings are there and no longer ask for them."""
    addresses = [address_of(place) for place in range(number)]
    wishes = [listing(address, ANN) if role is Role.LIST else forward(address, ANN) for address in addresses]
    fields: dict[str, Any] = {
        "aliases": [alias(address, ANN) for address in addresses],
        "alias_rows": [alias_row(one) for one in wishes],
        "config": alias_config(limits={"removals": "50%"}),
        **more,
    }
    return settled(EVERYBODY, wishes[:kept], **fields)


@pytest.mark.parametrize("role", [Role.LIST, Role.FORWARD])
@pytest.mark.parametrize(("number", "kept", "believed"), [(4, 1, False), (4, 2, True), (6, 3, True)])
def test_most_lists_or_forwardings_losing_their_addresses_at_once_are_doubted(
    role: Role,
    number: int,
    kept: int,
    believed: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = dropped(number, kept, role)
    plan = scene.plan()
    assert [one.kind for one in plan.withheld] == [Guarded.ALIAS] * (not believed)
    if not believed:
        assert f"{number - kept} of {number} lost their addresses or targets at once" in plan.withheld[0].sentence


def test_forwardings_that_lose_their_targets_at_once_are_doubted() -> None:
    addresses = [address_of(place) for place in range(4)]
    scene = settled(
        [ANN],
        [forward(address) for address in addresses],
        aliases=[alias(address, ANN) for address in addresses],
        alias_rows=[alias_row(forward(address, ANN)) for address in addresses],
    )
    plan = scene.plan()
    assert plan.changes == ()
    assert [one.kind for one in plan.withheld] == [Guarded.LIST]
