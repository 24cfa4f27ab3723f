"""Where mail goes after a run: whom a value of the directory means, and what takes mail."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.desired import EntryId, Forward, Group
from ldap2mailcow.model import GOTO, Address, Code, Kind, Role, joined
from ldap2mailcow.plan import make_plan
from tests.unit.plan.builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    DAN,
    DISABLED_TAG,
    DOMAIN,
    HELP,
    INFO,
    MARK,
    OUTSIDE,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    dn_of,
    existing,
    forward,
    id_of,
    kinds,
    listing,
    of_aliases,
    row,
    settled,
    wanted,
    wish,
)

SALES, STAFF = (Address(f"{name}@{DOMAIN}") for name in ("sales", "staff"))
STRANGERS = [Address(f"{name}@elsewhere.test") for name in ("a", "b", "c", "d", "e")]
HAS_ALIAS_DOMAIN = {"alias_domains": {ALIAS_DOMAIN: DOMAIN}}


def at_alias_domain(address: Address) -> Address:
    return Address(f"{address.local}@{ALIAS_DOMAIN}")


def entry(name: str) -> EntryId:
    return EntryId("default", name)


def group(address: Address | None, *members: Address | EntryId, name: str = "", **more: Any) -> Group:  # noqa: ANN401
    """Return a group; one without an address is only nested in others."""
    name = name or (address.local if address else "")
    addresses = (address,) if address else ()
    return Group(entry(name), f"cn={name}", addresses, members=frozenset(members), **more)


def forwarding(address: Address, *goto: Address | EntryId, **more: object) -> Scene:
    """Return a scene in which Dan's mail goes elsewhere, and Dan has no mailbox."""
    of = Forward(entry(id_of(DAN)), dn_of(DAN), frozenset({address}), frozenset(goto), {}, is_user=True)
    user = wanted(DAN, addresses=[address], forward=of, aliases=[HELP, at_alias_domain(DAN)])
    users = [wanted(ANN), wanted(BOB), wanted(CAT), user]
    return settled([ANN, BOB, CAT], wants=users, **{**HAS_ALIAS_DOMAIN, **more})


def gotos(scene: Scene) -> dict[Address, str]:
    """Return where the aliases go that a plan makes or changes."""
    return {one.address: str(one.writes[GOTO]) for one in of_aliases(scene.plan().changes) if GOTO in one.writes}


# what takes mail


@pytest.mark.parametrize(
    ("member", "is_reached"),
    [
        pytest.param(ANN, True, id="a mailbox"),
        pytest.param(BOB, False, id="a mailbox that becomes inactive"),
        pytest.param(CAT, True, id="a mailbox that becomes active"),
        pytest.param(DAN, True, id="a mailbox that is made"),
        pytest.param(Address(f"nobody@{DOMAIN}"), False, id="an address that is nowhere"),
        pytest.param(OUTSIDE, True, id="outside"),
        pytest.param(STAFF, True, id="a hand-made alias"),
        pytest.param(SALES, False, id="an alias that was set inactive by hand"),
        pytest.param(INFO, False, id="an alias that goes"),
        pytest.param(at_alias_domain(STAFF), False, id="the twin of an alias"),
        pytest.param(Address(f"nobody@{ALIAS_DOMAIN}"), False, id="the twin of nothing"),
    ],
)
def test_a_list_holds_what_takes_mail_after_the_run(member: Address, is_reached: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    scene = settled(
        [ANN, BOB, CAT],
        [listing(TEAM, member, OUTSIDE)],
        wants=[wanted(ANN), wanted(BOB, active=0), wanted(CAT, active=1), wanted(DAN)],
        has=[existing(ANN), existing(BOB), existing(CAT, active=0, tags=(MARK, DISABLED_TAG))],
        aliases=[alias(STAFF, ANN, mark=""), alias(SALES, ANN, active=0), alias(INFO, ANN)],
        alias_rows=[alias_row(wish(INFO, ANN))],
        **HAS_ALIAS_DOMAIN,
    )
    assert gotos(scene)[TEAM] == joined({OUTSIDE, *[member] * is_reached})


@pytest.mark.parametrize("active", [True, False])
def test_the_twin_of_a_mailbox_from_elsewhere_is_as_active_as_that(active: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """A mailbox that no entry has is not known by its twin, and mailcow delivers to it all the same."""
    has = [existing(ANN), existing(BOB, tags=(), active=int(active))]
    scene = settled([ANN], [listing(TEAM, ANN, at_alias_domain(BOB))], has=has, aliases=[], **HAS_ALIAS_DOMAIN)
    assert gotos(scene)[TEAM] == joined({ANN, *[at_alias_domain(BOB)] * active})


def test_aliases_that_lead_only_to_each_other_take_no_mail() -> None:
    scene = settled(
        [], [forward(INFO, HELP), forward(HELP, INFO), forward(TEAM, HELP)], wants=[wanted(ANN)], aliases=[]
    )
    assert of_aliases(scene.plan().changes) == []


# whom a member means


@pytest.mark.parametrize(
    ("member", "means"),
    [
        pytest.param(entry(id_of(BOB)), {BOB}, id="an entry"),
        pytest.param(entry("gone"), set(), id="an entry that is not there"),
        pytest.param(BOB, {BOB}, id="a mailbox"),
        pytest.param(at_alias_domain(BOB), {BOB}, id="its twin"),
        pytest.param(INFO, {CAT}, id="a further address"),
        pytest.param(at_alias_domain(INFO), {CAT}, id="the twin of one"),
        pytest.param(at_alias_domain(HELP), {BOB}, id="an alias of its own in an alias domain"),
        pytest.param(SALES, {OUTSIDE}, id="a list"),
        pytest.param(at_alias_domain(SALES), {OUTSIDE}, id="the twin of a list"),
        pytest.param(entry("sales"), {OUTSIDE}, id="a group"),
        pytest.param(STAFF, {STAFF}, id="a forward"),
        pytest.param(entry(id_of(STAFF)), {STAFF}, id="an entry that only forwards"),
        pytest.param(TEAM, set(), id="the list itself"),
    ],
)
def test_a_member_is_reached_where_it_takes_mail(member: Address | EntryId, means: set[Address]) -> None:
    scene = settled(
        [ANN, BOB, CAT],
        [wish(INFO, CAT), wish(at_alias_domain(HELP), BOB), wish(HELP, ANN), forward(STAFF, OUTSIDE)],
        aliases=[],
        groups=[group(TEAM, ANN, member), group(SALES, OUTSIDE)],
        **HAS_ALIAS_DOMAIN,
    )
    assert gotos(scene)[TEAM] == joined({ANN, *means})


def test_a_member_whose_mailbox_is_not_renamed_yet_is_reached_where_it_is() -> None:
    """By the new address, by the old one and by the entry."""
    moved = wanted(INFO, id=id_of(BOB), dn=dn_of(BOB), name=None)
    groups = [group(TEAM, INFO), group(SALES, BOB), group(STAFF, entry(id_of(BOB)))]
    config = alias_config(renames="hold")
    scene = settled([ANN, BOB], wants=[wanted(ANN), moved], groups=groups, config=config)
    assert gotos(scene) == dict.fromkeys((TEAM, SALES, STAFF), BOB)


def test_of_two_who_exchange_addresses_each_is_reached_at_the_own_mailbox() -> None:
    """An address means the user who has it in the directory."""
    exchanged = [
        wanted(BOB, id=id_of(ANN), dn=dn_of(ANN), name=None),
        wanted(ANN, id=id_of(BOB), dn=dn_of(BOB), name=None),
    ]
    groups = [group(TEAM, BOB), group(SALES, at_alias_domain(BOB)), group(STAFF, entry(id_of(ANN)))]
    scene = settled([ANN, BOB], wants=exchanged, groups=groups, **HAS_ALIAS_DOMAIN)
    assert gotos(scene) == dict.fromkeys((TEAM, SALES, STAFF), ANN)


def test_a_member_by_a_former_address_is_reached_at_the_present_one() -> None:
    former = wish(INFO, BOB, role=Role.FORMER, owner=id_of(BOB), dn=dn_of(BOB), flags={})
    for rows in ([alias_row(former)], []):  # the state file, or the comment in mailcow, tells whose it is
        there = [alias(INFO, BOB, mark="ldap-sync:renamed")]
        scene = settled([ANN, BOB], aliases=there, alias_rows=rows, groups=[group(TEAM, INFO)])
        assert gotos(scene) == {TEAM: BOB}


def test_an_address_that_goes_to_no_entry_leads_nowhere() -> None:
    """Two users ask for it, and a mailbox that was made by hand has it."""
    both = [wanted(ANN), wanted(DAN, id="one", dn="uid=one"), wanted(DAN, id="two", dn="uid=two")]
    scene = settled([ANN], wants=both, has=[existing(ANN), existing(DAN, tags=())], groups=[group(TEAM, ANN, DAN)])
    assert gotos(scene) == {TEAM: ANN}


def test_a_user_whose_new_mailbox_in_another_domain_waits_is_reached_at_the_old_one() -> None:
    moved = wanted(Address("bob@example.net"), id=id_of(BOB), dn=dn_of(BOB), password=None)
    scene = settled([ANN, BOB], wants=[wanted(ANN), moved], groups=[group(TEAM, ANN, entry(id_of(BOB)))])
    assert gotos(scene) == {TEAM: joined([ANN, BOB])}


# groups in groups


def test_groups_in_groups_are_flattened_also_those_without_an_address() -> None:
    groups = [group(TEAM, ANN, entry("nested")), group(None, BOB, entry("sales"), name="nested"), group(SALES, CAT)]
    scene = settled([ANN, BOB, CAT], groups=groups)
    assert gotos(scene) == {TEAM: joined([ANN, BOB, CAT]), SALES: CAT}


def test_a_loop_is_cut_and_told_once() -> None:
    circle = [group(SALES, ANN, entry("team")), group(TEAM, BOB, STAFF), group(STAFF, CAT, SALES)]
    scene = settled([ANN, BOB, CAT], groups=[*circle, group(INFO, INFO, ANN)])
    plan = scene.plan()
    assert gotos(scene) == {**dict.fromkeys((SALES, TEAM, STAFF), joined([ANN, BOB, CAT])), INFO: ANN}
    assert [(one.code, one.where) for one in plan.findings] == [(Code.LIST_LOOP, "cn=sales")]
    assert "cn=sales -> cn=team -> cn=staff -> cn=sales;" in plan.findings[0].sentence


def test_no_own_address_of_a_list_comes_back_by_a_nested_group() -> None:
    scene = settled([ANN], groups=[group(TEAM, SALES), group(SALES, ANN, HELP)], aliases=[alias(HELP, ANN, mark="")])
    own = settled([ANN], groups=[group(TEAM, SALES, further=frozenset({HELP})), group(SALES, ANN, HELP)])
    assert (gotos(scene)[TEAM], gotos(own)[TEAM]) == (joined([ANN, HELP]), ANN)


# addresses that mailcow doesn't host


def test_foreign_members_are_left_out_where_the_config_says_so_and_told_once() -> None:
    config = alias_config(external_goto={"groups": "refuse"})
    groups = [group(TEAM, ANN, SALES), group(SALES, BOB, at_alias_domain(ANN), *STRANGERS)]
    scene = settled([ANN, BOB], groups=groups, config=config, **HAS_ALIAS_DOMAIN)
    plan = scene.plan()
    assert gotos(scene) == dict.fromkeys((TEAM, SALES), joined([ANN, BOB]))
    assert [(one.code, one.where) for one in plan.findings] == [(Code.FOREIGN_GOTO, "cn=sales")]
    assert "a@elsewhere.test, b@elsewhere.test, c@elsewhere.test and 2 more" in plan.findings[0].sentence


@pytest.mark.parametrize("allowed", [True, False])
def test_a_user_forwards_to_foreign_addresses_only_where_the_config_allows_it(allowed: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    config = alias_config(external_goto={"users": "allow" if allowed else "refuse"})
    scene = forwarding(DAN, OUTSIDE, ANN, config=config)
    goto = joined({ANN, *[OUTSIDE] * allowed})
    assert gotos(scene) == dict.fromkeys((DAN, HELP, at_alias_domain(DAN)), goto)
    assert codes(scene.plan()) == [Code.FOREIGN_GOTO] * (not allowed)


# entries that forward


@pytest.mark.parametrize(
    ("target", "goto"),
    [
        pytest.param(ANN, ANN, id="a mailbox"),
        pytest.param(entry(id_of(ANN)), ANN, id="an entry"),
        pytest.param(INFO, CAT, id="a further address"),
        pytest.param(at_alias_domain(INFO), CAT, id="the twin of one"),
        pytest.param(TEAM, joined([ANN, BOB]), id="a list"),
        pytest.param(at_alias_domain(TEAM), joined([ANN, BOB]), id="the twin of a list"),
    ],
)
def test_mail_is_forwarded_to_what_the_target_means(target: Address | EntryId, goto: str) -> None:
    assert gotos(forwarding(DAN, target, wishes=[wish(INFO, CAT), listing(TEAM, ANN, BOB)]))[DAN] == goto


@pytest.mark.parametrize("target", [DAN, at_alias_domain(DAN), entry("gone")])
def test_a_user_who_forwards_to_nothing_has_no_alias_that_takes_mail(target: Address | EntryId) -> None:
    assert gotos(forwarding(DAN, target)) == {}


def test_a_mailbox_that_is_there_forwards_nothing_and_is_told() -> None:
    scene = forwarding(DAN, ANN, has=[*map(existing, (ANN, BOB, CAT, DAN))], rows=[*map(row, (ANN, BOB, CAT, DAN))])
    plan = scene.plan()
    assert (gotos(scene), codes(plan)) == ({HELP: DAN}, [Code.FORWARD_BESIDE_MAILBOX])
    assert "sieve" in plan.findings[0].sentence


def test_an_address_that_can_not_be_used_forwards_nothing() -> None:
    scene = forwarding(Address("dan@example.net"), ANN)
    assert (gotos(scene), codes(scene.plan())) == ({}, [Code.DOMAIN_NOT_HOSTED])


def test_users_who_forward_to_each_other_have_nothing_that_takes_mail() -> None:
    def user(address: Address, to: Address) -> Any:  # noqa: ANN401
        of = Forward(entry(id_of(address)), dn_of(address), frozenset({address}), frozenset({to}), {}, is_user=True)
        return wanted(address, forward=of)

    scene = settled([ANN], wants=[wanted(ANN), user(BOB, CAT), user(CAT, BOB)])
    assert of_aliases(scene.plan().changes) == []


def test_an_entry_that_only_forwards_is_an_alias_for_each_of_its_addresses() -> None:
    both = Forward(entry("press"), "cn=press", frozenset({INFO, HELP}), frozenset({ANN, INFO}), {})
    scene = settled([ANN], forwards=[both], groups=[group(TEAM, entry("press"))])
    assert gotos(scene) == {HELP: ANN, INFO: ANN, TEAM: HELP}


@pytest.mark.parametrize("targets", [(), (INFO,)], ids=["none", "itself"])
def test_an_entry_that_forwards_to_nothing_takes_no_mail_any_more(targets: tuple[Address, ...]) -> None:
    """What it went to before must not get its mail for ever."""
    scene = settled(
        [ANN], [forward(INFO, *targets)], aliases=[alias(INFO, ANN)], alias_rows=[alias_row(forward(INFO, ANN))]
    )
    plan = scene.plan()
    assert (kinds(plan.changes), codes(plan)) == ([(Kind.DISABLE, INFO)], [Code.MEMBER_UNREACHABLE])


# the whole


def test_the_order_of_entries_is_all_one() -> None:
    wishes = [wish(INFO, ANN), listing(TEAM, ANN, INFO), forward(HELP, TEAM)]
    one = settled([ANN, BOB], wishes, aliases=[])
    other = settled([BOB, ANN], wishes[::-1], aliases=[])
    assert make_plan(one.case()) == make_plan(other.case())
