"""Who gets an address that entries ask for, where an alias is meant or in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.desired import EntryId, Forward, Group
from ldap2mailcow.model import GOTO, Address, Cause, Code, Kind, Role, SourceMemory, Subject
from ldap2mailcow.plan import Guarded, Options, Reason, make_plan

from .builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    DAN,
    DOMAIN,
    DOUBTED,
    HELP,
    INFO,
    TEAM,
    Scene,
    Wish,
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
    remembered,
    remembered_source,
    row,
    settled,
    wanted,
    wish,
)
from .simulated import simulate

TWIN = Address(f"{ANN.local}@{ALIAS_DOMAIN}")
AT_ALIAS_DOMAIN = Address(f"info@{ALIAS_DOMAIN}")
HAS_ALIAS_DOMAIN: dict[str, Any] = {"alias_domains": {ALIAS_DOMAIN: DOMAIN}}
NOT_HOSTED = "example.net"


def new(*wishes: Wish, **more: object) -> Scene:
    """A scene in which aliases are wanted that mailcow doesn't have."""
    return settled([ANN, BOB, CAT], wishes, **{"aliases": [], "alias_rows": [], **more})


def test_the_aliases_of_users_who_all_have_other_ids_wait_with_the_mailboxes() -> None:
    """That is told once, for all of them."""
    everybody = [ANN, BOB, CAT]
    old = wish(INFO, ANN)
    scene = settled(everybody, [wish(INFO, ANN, owner="new-ann")], alias_rows=[alias_row(old)])
    plan = replace(scene, wants=[wanted(one, id=f"new-{one.local}") for one in everybody]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.IDS_REPLACED])


def told(scene: Scene) -> list[tuple[Code, str]]:
    return [(one.code, one.where) for one in scene.plan().findings]


# a mailbox goes before an alias


def test_an_alias_at_the_address_of_a_mailbox_is_told() -> None:
    plan = new(wish(BOB, ANN)).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ALIAS_IS_MAILBOX])
    assert f"{BOB} can't be an alias, for it is a mailbox" in plan.findings[0].sentence


@pytest.mark.parametrize("there", [True, False])
def test_an_alias_in_an_alias_domain_gives_way_to_the_mailbox_of_its_name(there: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """Also to one that is made in the same run: mailcow would deliver no mail for it."""
    more = {} if there else {"has": [existing(BOB), existing(CAT)]}
    plan = new(wish(TWIN, BOB), wish(AT_ALIAS_DOMAIN, BOB), **more, **HAS_ALIAS_DOMAIN).plan()
    assert [change.address for change in of_aliases(plan.changes)] == [AT_ALIAS_DOMAIN]
    assert codes(plan) == [Code.ALIAS_IS_MAILBOX]
    assert f"{TWIN} can't be an alias, for {ANN} is a mailbox" in plan.findings[0].sentence


def test_where_mailboxes_come_from_elsewhere_only_those_that_are_there_are_in_the_way() -> None:
    config = alias_config(create_mailboxes=False)
    scene = new(wish(TWIN, BOB), wish(DAN, BOB), has=[existing(BOB)], config=config, **HAS_ALIAS_DOMAIN)
    plan = replace(scene, wants=[*scene.wants, wanted(DAN)]).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, TWIN), (Kind.CREATE, DAN)]


def test_an_alias_may_be_in_a_domain_and_in_its_alias_domain() -> None:
    scene = new(wish(AT_ALIAS_DOMAIN, BOB), wish(INFO, BOB), **HAS_ALIAS_DOMAIN)
    assert len(scene.plan().changes) == 2
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


def test_the_own_address_and_its_twin_are_no_further_addresses() -> None:
    scene = new(wish(TWIN, ANN), wish(ANN, ANN), **HAS_ALIAS_DOMAIN)
    assert (scene.plan().changes, told(scene)) == ((), [])


def test_until_the_mailbox_is_renamed_neither_address_is_a_further_one() -> None:
    moved = wanted(INFO, id=id_of(ANN), dn=dn_of(ANN), name="Ann", aliases=[ANN, TWIN, HELP])
    config = alias_config(renames="hold")
    plan = new(wants=[moved], config=config, **HAS_ALIAS_DOMAIN).plan()
    assert [(one.kind, one.address, one.writes[GOTO]) for one in of_aliases(plan.changes)] == [(Kind.CREATE, HELP, ANN)]


def test_an_alias_that_is_there_keeps_its_address_from_a_new_mailbox() -> None:
    scene = settled([ANN, BOB], [wish(DAN, ANN)])
    plan = replace(scene, wants=[*scene.wants, wanted(DAN)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_IS_ALIAS])
    assert f"{dn_of(ANN)} keeps it" in plan.findings[0].sentence


# two that ask for the same


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        pytest.param(wish(DAN, ANN), dn_of(ANN), id="a further address"),
        pytest.param(listing(DAN, ANN, dn=""), "a list that only its members name", id="a list"),
        pytest.param(forward(DAN, ANN, owner="id-forward", dn="cn=forward"), "cn=forward", id="a forward"),
    ],
)
def test_an_address_that_is_newly_wanted_as_mailbox_and_alias_goes_to_neither(asked: Wish, name: str) -> None:
    scene = new(asked)
    plan = replace(scene, wants=[*scene.wants, wanted(DAN)]).plan()
    assert plan.changes == ()
    assert [(one.code, one.where) for one in plan.findings] == [(Code.DUPLICATE_ADDRESS, DAN)]
    assert all(one in plan.findings[0].sentence for one in (dn_of(DAN), name, "nobody gets it"))


@pytest.mark.parametrize("other", [wish(INFO, BOB), listing(INFO, BOB), forward(INFO, BOB)])
def test_an_alias_that_two_entries_want_goes_to_neither(other: Wish) -> None:
    plan = new(wish(INFO, ANN), other).plan()
    assert (plan.changes, [(one.code, one.where) for one in plan.findings]) == ((), [(Code.DUPLICATE_ADDRESS, INFO)])


@pytest.mark.parametrize("holder", [wish(INFO, ANN), listing(INFO, BOB)])
def test_an_alias_that_two_entries_want_stays_with_its_holder(holder: Wish) -> None:
    scene = settled([ANN, BOB], [wish(INFO, ANN), listing(INFO, BOB)], aliases=[alias(INFO, *holder.goto)])
    plan = replace(scene, alias_rows=[alias_row(holder)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DUPLICATE_ADDRESS])
    assert f"{holder.dn} keeps it" in plan.findings[0].sentence


def test_an_alias_of_a_third_that_two_entries_want_stays_as_it_is() -> None:
    scene = settled([ANN, BOB, CAT], [wish(INFO, ANN), wish(INFO, BOB)], aliases=[alias(INFO, CAT)])
    plan = replace(scene, alias_rows=[alias_row(wish(INFO, CAT), owner="gone")]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DUPLICATE_ADDRESS])


def test_an_alias_passes_from_an_entry_that_no_longer_wants_it() -> None:
    scene = settled([ANN, BOB], [wish(INFO, BOB)], aliases=[alias(INFO, ANN)], alias_rows=[alias_row(wish(INFO, ANN))])
    plan = scene.plan()
    assert [(one.kind, one.writes) for one in of_aliases(plan.changes)] == [(Kind.UPDATE, {GOTO: BOB})]
    assert remembered(plan, INFO, Subject.ALIAS)["owner"] == id_of(BOB)


SEARCHES: list[dict[str, SourceMemory]] = [
    {},
    {"default": remembered_source(alias_config().sources[0], accepted={"user_mapping.aliases": "other"})},
]
"""No search was accepted yet; another one was. A run that removes nothing accepts the present one."""


@pytest.mark.parametrize("sources", SEARCHES, ids=["no search was accepted", "the search changed"])
@pytest.mark.parametrize(
    ("goto", "active", "box"),
    [(ANN, 0, 0), (BOB, 1, 0), (BOB, 1, 1)],
    ids=["it is inactive already", "its mailbox takes no mail", "it takes mail"],
)
def test_the_alias_of_an_entry_that_is_gone_passes_to_another_in_one_run(
    sources: dict[str, SourceMemory], goto: Address, active: int, box: int
) -> None:
    """It would pass in the second run, whose search is accepted: until then it would be told to wait for nothing."""
    scene = settled(
        [ANN, BOB],
        [wish(INFO, ANN)],
        has=[existing(ANN, active=active), existing(BOB, active=box)],
        rows=[row(ANN, disabled=None if active else Cause.STATUS), row(BOB, id="gone")],
        wants=[wanted(ANN, active=active)],
        aliases=[alias(INFO, goto, active=active)],
        alias_rows=[alias_row(wish(INFO, goto), owner="gone", disabled=not active)],
        sources=sources,
    )
    case, plan = scene.case(), scene.plan()
    assert remembered(plan, INFO, Subject.ALIAS)["owner"] == id_of(ANN)
    assert Code.ADDRESS_REUSED not in codes(plan)
    assert of_aliases(make_plan(simulate(plan, case)).changes) == []


@pytest.mark.parametrize("sources", SEARCHES, ids=["no search was accepted", "the search changed"])
def test_what_a_list_would_lose_by_passing_to_another_entry_waits_for_a_word_while_its_search_is_in_doubt(
    sources: dict[str, SourceMemory],
) -> None:
    scene = settled(
        [ANN, BOB, CAT],
        [wish(TEAM, CAT)],
        aliases=[alias(TEAM, ANN, BOB)],
        alias_rows=[alias_row(listing(TEAM, ANN, BOB), owner="gone")],
        sources=sources,
    )
    plan = scene.plan()
    assert of_aliases(plan.changes) == []
    assert [(one.kind, one.reason) for one in plan.withheld] == [(Guarded.LIST, Reason.SEARCH_CHANGED)]
    assert of_aliases(make_plan(simulate(plan, scene.case())).changes) == []


@pytest.mark.parametrize(
    "more",
    [{"answers": {"groups": DOUBTED}}, {"options": Options(overridden_filter=True)}],
    ids=["groups in doubt", "--override-filter"],
)
def test_a_list_whose_group_is_not_seen_is_no_other_entry_s(more: dict[str, Any]) -> None:
    team = listing(TEAM, ANN, BOB)
    scene = settled([ANN, BOB, CAT], [wish(TEAM, CAT)], aliases=[alias(TEAM, ANN, BOB)], alias_rows=[alias_row(team)])
    plan = replace(scene, **more).plan()
    assert (plan.changes, Code.ADDRESS_REUSED in codes(plan)) == ((), True)


# rule 11: former addresses

FORMER = alias_row(wish(INFO, ANN, role=Role.FORMER, owner=id_of(ANN), dn=dn_of(ANN)))


def test_a_further_address_never_takes_the_former_address_of_another_user() -> None:
    scene = settled([ANN, BOB], aliases=[alias(INFO, ANN, mark="ldap-sync:renamed")], alias_rows=[FORMER])
    plan = replace(scene, wishes=[wish(INFO, BOB)]).plan()
    assert (plan.changes, [(one.code, one.where) for one in plan.findings]) == (
        (),
        [(Code.FORMER_ADDRESS, dn_of(BOB))],
    )
    assert dn_of(ANN) in plan.findings[0].sentence


def test_a_former_address_becomes_a_further_one_of_the_same_user() -> None:
    scene = settled([ANN], aliases=[alias(INFO, ANN, mark="ldap-sync:renamed")], alias_rows=[FORMER])
    plan = replace(scene, wishes=[wish(INFO, ANN)]).plan()
    assert remembered(plan, INFO, Subject.ALIAS)["role"] is Role.USER


# entries that can't be read as what they ask for


def test_of_several_values_of_mail_an_alias_at_one_stays_while_nobody_can_tell() -> None:
    scene = settled([ANN], aliases=[alias(INFO, ANN)], alias_rows=[alias_row(wish(INFO, ANN))])
    plan = replace(scene, wants=[wanted(ANN, addresses=[INFO, ANN])]).plan()
    assert (plan.changes, plan.notes, codes(plan)) == ((), (), [Code.SEVERAL_MAILS])
    assert f"{ANN} stays" in plan.findings[0].sentence


def test_an_alias_that_is_none_of_several_values_of_mail_goes() -> None:
    scene = settled([ANN], aliases=[alias(INFO, ANN)], alias_rows=[alias_row(wish(INFO, ANN))])
    plan = replace(scene, wants=[wanted(ANN, addresses=[HELP, ANN])]).plan()
    assert kinds(plan.changes) == [(Kind.REMOVE, INFO)]


@pytest.mark.parametrize(
    "addresses",
    [(), (BOB, CAT), (Address(f"ann@{NOT_HOSTED}"),)],
    ids=["none", "several, none of them held", "not hosted"],
)
def test_a_user_without_an_address_to_use_asks_for_nothing_and_keeps_what_there_is(
    addresses: tuple[Address, ...],
) -> None:
    scene = settled([], aliases=[alias(INFO, CAT)], alias_rows=[alias_row(wish(INFO, ANN))], has=[existing(CAT)])
    lost = wanted(ANN, addresses=addresses, aliases=[HELP])
    plan = replace(scene, wants=[lost, wanted(CAT)], rows=[row(CAT)]).plan()
    assert of_aliases(plan.changes) == []


def group(*addresses: Address, **more: object) -> Group:
    return Group(EntryId("default", "id-team"), "cn=team", addresses, **{"members": frozenset({ANN}), **more})  # type: ignore[arg-type]


TEAM_ROW = alias_row(listing(TEAM, ANN))


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(group(is_clear=False), id="no usable address"),
        pytest.param(group(INFO, HELP), id="several, none of them held"),
        pytest.param(group(Address(f"team@{NOT_HOSTED}")), id="not hosted"),
        pytest.param(group(INFO, catches_all=None), id="what it catches can't be read"),
    ],
)
def test_a_group_that_can_not_be_read_keeps_what_there_is(asked: Group) -> None:
    scene = settled([ANN], aliases=[alias(TEAM, ANN)], alias_rows=[TEAM_ROW], groups=[asked])
    assert [one for one in of_aliases(scene.plan().changes) if one.address == TEAM] == []


def test_of_several_addresses_of_a_group_the_one_that_it_has_stays() -> None:
    scene = settled([ANN], aliases=[alias(TEAM, ANN)], alias_rows=[TEAM_ROW], groups=[group(INFO, TEAM)])
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.SEVERAL_MAILS])
    assert f"{TEAM} stays" in plan.findings[0].sentence
    assert "group_mapping.aliases" in plan.findings[0].sentence


def test_a_group_has_its_address_its_further_ones_and_the_rest_of_its_domain() -> None:
    asked = group(TEAM, further=frozenset({INFO}), catches_all=True)
    plan = new(groups=[asked]).plan()
    assert [one.address for one in of_aliases(plan.changes)] == [f"@{DOMAIN}", INFO, TEAM]
    assert {one.writes[GOTO] for one in of_aliases(plan.changes)} == {ANN}


def test_a_group_without_an_address_catches_nothing() -> None:
    assert new(groups=[group(further=frozenset({INFO}), catches_all=True)]).plan().changes == ()


def test_an_entry_that_only_forwards_and_can_not_be_read_keeps_what_there_is() -> None:
    scene = settled([ANN], [forward(TEAM, is_clear=False)], aliases=[alias(TEAM, ANN)])
    assert scene.plan().changes == ()


def test_a_user_with_a_mailbox_can_not_forward_by_another_entry_too() -> None:
    scene = new(forward(ANN, BOB, owner=id_of(ANN), dn=dn_of(ANN)))
    assert (scene.plan().changes, told(scene)) == ((), [(Code.FORWARD_BESIDE_MAILBOX, dn_of(ANN))])


# domains


def test_a_domain_that_mailcow_does_not_have_is_told_once() -> None:
    far = [Address(f"{name}@{NOT_HOSTED}") for name in ("a", "b", "c")]
    scene = new(wish(far[0], ANN), wish(far[1], ANN), wish(far[2], BOB), wish(INFO, ANN))
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, INFO)]
    assert told(scene) == [(Code.DOMAIN_NOT_HOSTED, NOT_HOSTED)]
    assert f"3 addresses, {far[0]} of {dn_of(ANN)} among them" in plan.findings[0].sentence
    assert f"for {far[2]} of {dn_of(BOB)};" in new(wish(far[2], BOB)).plan().findings[0].sentence


def test_a_domain_that_is_not_in_the_config_is_told_as_that() -> None:
    config = alias_config(source={"domains": [DOMAIN]})
    scene = new(wish(Address(f"a@{NOT_HOSTED}"), ANN), wish(AT_ALIAS_DOMAIN, ANN), config=config, **HAS_ALIAS_DOMAIN)
    assert kinds(scene.plan().changes) == [(Kind.CREATE, AT_ALIAS_DOMAIN)]  # it counts as the domain it stands for
    assert told(scene) == [(Code.DOMAIN_NOT_OURS, NOT_HOSTED)]


def test_a_first_address_that_is_not_hosted_leaves_the_others_of_a_list() -> None:
    scene = new(groups=[group(Address(f"team@{NOT_HOSTED}"), further=frozenset({INFO}))])
    assert kinds(scene.plan().changes) == [(Kind.CREATE, INFO)]
    assert told(scene) == [(Code.DOMAIN_NOT_HOSTED, NOT_HOSTED)]


# how many


def many(count: int, beginning: str = "a") -> list[Address]:
    return [Address(f"{beginning}{number:03}@{DOMAIN}") for number in range(count)]


def asking(addresses: list[Address], **more: object) -> Scene:
    """A scene in which Ann asks for some further addresses, and Bob for one."""
    return new(*(wish(one, ANN) for one in addresses), wish(TEAM, BOB), **more)


def test_one_entry_gets_only_so_many_aliases() -> None:
    """People write such attributes themselves, and a domain has few places."""
    scene = asking(many(60))
    plan = scene.plan()
    assert [change.address for change in of_aliases(plan.changes)] == [*many(50), TEAM]
    assert told(scene) == [(Code.TOO_MANY_ALIASES, dn_of(ANN))]
    assert make_plan(simulate(plan, scene.case())).changes == ()


def test_those_that_it_has_stay_and_others_come_up_to_the_limit() -> None:
    """An address that sorts before them takes none away."""
    had = many(49, "x")
    scene = asking(
        [*many(9), *had],
        aliases=[alias(one, ANN) for one in had],
        alias_rows=[alias_row(wish(one, ANN)) for one in had],
    )
    assert kinds(scene.plan().changes) == [(Kind.CREATE, many(1)[0]), (Kind.CREATE, TEAM)]


def test_a_limit_that_is_lowered_takes_none_away() -> None:
    had = many(9)
    config = alias_config(limits={"entry_aliases": 3})
    scene = settled([ANN], [wish(one, ANN) for one in had], config=config)
    assert (scene.plan().changes, told(scene)) == ((), [(Code.TOO_MANY_ALIASES, dn_of(ANN))])


def test_addresses_that_can_not_be_had_here_count_for_nothing() -> None:
    elsewhere = [Address(f"a@{number:03}.test") for number in range(200)]
    scene = asking([*elsewhere, INFO])
    assert [change.address for change in of_aliases(scene.plan().changes)] == [INFO, TEAM]
    assert [code for code, _ in told(scene)] == [Code.DOMAIN_NOT_HOSTED] * 10


def test_a_list_keeps_its_first_address_over_the_limit() -> None:
    group = Group(EntryId("default", "g"), "cn=g", (TEAM,), frozenset(many(60)), members=frozenset({ANN}))
    scene = new(asked={"groups": (group,)})
    assert [change.address for change in of_aliases(scene.plan().changes)] == [*many(50), TEAM]
    assert told(scene) == [(Code.TOO_MANY_ALIASES, "cn=g")]


def test_an_entry_that_only_forwards_has_the_same_limit() -> None:
    one = Forward(EntryId("default", "f"), "cn=f", frozenset(many(60)), frozenset({ANN}), {})
    scene = new(asked={"forwards": (one,)})
    assert [change.address for change in of_aliases(scene.plan().changes)] == many(50)
    assert told(scene) == [(Code.TOO_MANY_ALIASES, "cn=f")]


def test_where_places_are_scarce_nobody_takes_those_of_others() -> None:
    """They went in the order of the alphabet, and one user's aliases took them all."""
    scene = asking(many(40), limits={"max_aliases": 20})
    plan = scene.plan()
    assert [change.address for change in of_aliases(plan.changes)] == [*many(19), TEAM]
    assert codes(plan) == [Code.NO_ROOM_FOR_ALIAS] * 21


def test_who_has_aliases_already_gets_a_place_after_those_who_have_none() -> None:
    had = many(3)
    scene = settled(
        [ANN, BOB],
        [*(wish(one, ANN) for one in many(4)), wish(TEAM, BOB)],
        aliases=[alias(one, ANN) for one in had],
        alias_rows=[alias_row(wish(one, ANN)) for one in had],
        limits={"max_aliases": 4},
    )
    assert kinds(scene.plan().changes) == [(Kind.CREATE, TEAM)]
