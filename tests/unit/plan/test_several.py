"""Several directories: one plan over all of them, by the rules of one; what one of them can't tell is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.desired import User
from ldap2mailcow.model import GOTO, Address, Code, Kind, Origin, Remembered, Rule, Subject
from ldap2mailcow.plan import Guarded, Reason

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DAN,
    INFO,
    NOW,
    TEAM,
    Scene,
    alias,
    alias_row,
    codes,
    dn_of,
    existing,
    kinds,
    listing,
    make_config,
    people,
    remembered,
    row,
    wanted,
    wish,
)
from .simulated import planned, simulate

HERE, THERE = "here", "there"
LONG = {"missing_since": NOW - timedelta(days=2), "missed": 9, "last_missed": NOW - timedelta(minutes=5)}
"""A grace that is over for long."""


def two(**settings: object) -> Config:
    """Return a config with two directories."""
    ldap = [
        {
            "name": name,
            "uri": f"ldaps://{name}.example.org",
            "user_search_base": f"ou={name},dc=example,dc=org",
            "group_search_base": f"ou=groups,ou={name},dc=example,dc=org",
            "user_mapping": {"aliases": ["mailAlias"]},
        }
        for name in (HERE, THERE)
    ]
    return make_config(ldap=ldap, **settings)  # type: ignore[arg-type]


def here(address: Address, **more: object) -> User:
    """Return a user of the first directory."""
    return wanted(address, source=HERE, **more)  # type: ignore[arg-type]


def there(address: Address, **more: object) -> User:
    """Return a user of the second directory."""
    return wanted(address, source=THERE, dn=f"uid={address.local},ou=there", **more)  # type: ignore[arg-type]


def of(user: User, **columns: object) -> Remembered:
    """Return the row of a user after a quiet run."""
    return row(user.addresses[0], **{"source": user.id.source, "id": user.id.id, "dn": user.dn, **columns})


def agreed(*users: User, **more: object) -> Scene:
    """A scene in which all users have their mailboxes."""
    fields: dict[str, object] = {
        "wants": users,
        "has": [existing(user.addresses[0]) for user in users],
        "rows": [of(user) for user in users],
        "config": two(),
    }
    return Scene(**{**fields, **more})  # type: ignore[arg-type]


def test_two_directories_that_agree_need_nothing() -> None:
    plan = agreed(here(ANN), there(BOB)).plan()
    assert (plan.changes, plan.notes, plan.findings, plan.whole) == ((), (), (), True)


def test_each_gets_its_own_mailboxes() -> None:
    scene = agreed(here(ANN), there(BOB), has=[], rows=[])
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, ANN), (Kind.CREATE, BOB)]
    assert (remembered(plan, ANN)["source"], remembered(plan, BOB)["source"]) == (HERE, THERE)
    assert planned(simulate(plan, scene.case()))[0].changes == ()


@pytest.mark.parametrize("silent", [True, False])
def test_the_row_of_an_alias_that_is_gone_stays_while_its_directory_cannot_be_read(*, silent: bool) -> None:
    """It tells whose the address is, until its entry can be asked again."""
    lost = alias_row(wish(INFO, BOB, source=THERE))
    plan = agreed(here(ANN), there(BOB), alias_rows=[lost], silent=frozenset({THERE} if silent else ())).plan()
    assert [one.address for one in plan.notes if one.subject is Subject.ALIAS] == [INFO] * (not silent)


def test_an_id_is_one_of_its_directory_only() -> None:
    plan = agreed(here(ANN, id="7"), there(BOB, id="7")).plan()
    assert (plan.changes, plan.notes) == ((), ())


# addresses that both ask for


def test_an_address_that_both_ask_for_goes_to_neither() -> None:
    plan = Scene(wants=[here(ANN), there(ANN)], config=two()).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DUPLICATE_ADDRESS])
    assert f"of the directory {HERE}" in plan.findings[0].sentence


def test_the_holder_of_an_address_keeps_it() -> None:
    plan = agreed(here(ANN), wants=[here(ANN), there(ANN)]).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.DUPLICATE_ADDRESS])
    assert f"{dn_of(ANN)} keeps it" in plan.findings[0].sentence


@pytest.mark.parametrize("held", [True, False])
def test_an_alias_and_a_mailbox_of_two_directories_are_one_contest(held: bool) -> None:  # noqa: FBT001
    asked = wish(INFO, ANN, source=HERE)
    aliases = [alias(INFO, ANN)] if held else []
    scene = agreed(
        here(ANN),
        wants=[here(ANN), there(INFO)],
        wishes=[asked],
        aliases=aliases,
        alias_rows=[alias_row(asked)] if held else [],
    )
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_IS_ALIAS if held else Code.DUPLICATE_ADDRESS])


# a directory that can't be read, or not whole


def test_the_users_of_a_directory_that_is_down_are_left_alone() -> None:
    gone = of(there(BOB), **LONG)
    scene = agreed(here(ANN), there(BOB), rows=[of(here(ANN)), gone], silent=frozenset({THERE}))
    plan = scene.plan()
    assert (plan.changes, plan.notes, plan.whole) == ((), (), False)
    assert plan.rules[Subject.MAILBOX, BOB] is Rule.NOT_READ


def test_nobody_gets_an_address_of_a_directory_that_is_down() -> None:
    scene = agreed(there(BOB), wants=[here(BOB)], silent=frozenset({THERE}))
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED])
    assert "can't be read now" in plan.findings[0].sentence


def test_the_others_go_on() -> None:
    scene = agreed(here(ANN), there(BOB), wants=[here(ANN, name="New")], silent=frozenset({THERE}))
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, ANN)]


@pytest.mark.parametrize(("whole", "rule"), [(True, Rule.MISSING), (False, Rule.NOT_READ)])
def test_what_only_a_mark_makes_ours_is_gone_once_all_directories_say_so(whole: bool, rule: Rule) -> None:  # noqa: FBT001
    marked = Remembered(CAT, source=HERE, id=None, dn="", origin=Origin.MARK, **LONG)  # type: ignore[arg-type]
    scene = agreed(here(ANN), there(BOB), silent=frozenset() if whole else frozenset({THERE}))
    scene = replace(scene, has=[*scene.has, existing(CAT)], rows=[*scene.rows, marked])
    plan = scene.plan()
    assert plan.rules[Subject.MAILBOX, CAT] is rule
    assert kinds(plan.changes) == ([(Kind.DISABLE, CAT)] if whole else [])


def test_a_doubt_about_all_answers_disables_nobody() -> None:
    scene = agreed(
        here(ANN), there(BOB), wants=[here(ANN)], rows=[of(here(ANN)), of(there(BOB), **LONG)], doubts=(CUT_SHORT,)
    )
    plan = scene.plan()
    assert (plan.changes, plan.rules[Subject.MAILBOX, BOB]) == ((), Rule.NOT_WHOLE)
    assert {finding.directory for finding in plan.findings} <= {HERE, THERE, ""}


# users who move from one to the other


def test_a_user_who_moves_to_the_other_directory_keeps_the_mailbox() -> None:
    plan = agreed(here(ANN), there(BOB), wants=[there(BOB), there(ANN)]).plan()
    assert plan.changes == ()
    assert (remembered(plan, ANN)["source"], plan.rules[Subject.MAILBOX, ANN]) == (THERE, Rule.TAKEN_OVER)


def test_but_not_one_who_was_in_both() -> None:
    known = {there(ANN).id: NOW - timedelta(days=1)}
    plan = agreed(here(ANN), there(BOB), wants=[there(BOB), there(ANN, name="Other")], bystanders=known).plan()
    assert (plan.changes, codes(plan)) == ((), [Code.ADDRESS_REUSED])


# together


def test_one_limit_is_for_all_directories_together() -> None:
    gone = [*(here(one) for one in people(4)), *(there(Address(f"x{one}")) for one in people(4))]
    stay = [here(Address(f"stay{one}")) for one in people(12)]
    scene = agreed(*gone, *stay, wants=stay, rows=[*(of(one, **LONG) for one in gone), *map(of, stay)])
    (withheld,) = scene.plan().withheld
    assert (withheld.kind, withheld.reason, len(withheld.addresses)) == (Guarded.DISABLE, Reason.OVER_LIMIT, 8)


def test_a_list_holds_members_of_the_other_directory_by_their_addresses() -> None:
    asked = listing(TEAM, ANN, BOB, source=HERE)
    plan = agreed(here(ANN), there(BOB), wishes=[asked]).plan()
    (change,) = plan.changes
    assert change.writes[GOTO] == f"{ANN},{BOB}"  # type: ignore[attr-defined]


def test_a_finding_about_an_entry_names_its_directory() -> None:
    plan = agreed(
        here(ANN), there(BOB), wants=[here(ANN), there(BOB, addresses=(BOB, DAN)), there(CAT, password=None)]
    ).plan()
    assert {(one.code, one.directory) for one in plan.findings} == {
        (Code.SEVERAL_MAILS, THERE),
        (Code.NO_PASSWORD, THERE),
    }
