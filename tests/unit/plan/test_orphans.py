"""What is ours and nobody asks for: counted as far as it is known, whatever becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.model import Address, Role
from ldap2mailcow.plan import Options

from .builders import (
    ANN,
    BOB,
    CAT,
    CUT_SHORT,
    DISABLED_TAG,
    DOUBTED,
    HELP,
    INFO,
    MARK,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    existing,
    id_of,
    listing,
    quiet,
    row,
    settled,
    wanted,
    wish,
)

OF_ANN = wish(INFO, ANN)


@pytest.mark.parametrize(
    ("more", "orphans"),
    [
        pytest.param({}, (BOB,), id="known"),
        pytest.param({"rows": [row(ANN)]}, (BOB,), id="by its mark"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=[], active=0)]}, (BOB,), id="by the state file"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=[MARK, DISABLED_TAG])]}, (BOB,), id="disabled"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=["ldap-sync:released"])]}, (), id="released"),
        pytest.param({"has": [existing(ANN), existing(BOB, tags=["ldap-sync-berlin"])]}, (), id="another's"),
        pytest.param({"has": [existing(ANN), existing(CAT, tags=[])]}, (), id="somebody else's"),
        pytest.param({"doubts": (CUT_SHORT,)}, (), id="not known"),
        pytest.param({"options": Options(only=frozenset({ANN}))}, (), id="not looked at"),
        pytest.param({"config": alias_config(create_mailboxes=False)}, (), id="from elsewhere"),
    ],
)
def test_mailboxes_whose_entry_is_gone(more: dict[str, Any], orphans: tuple[Address, ...]) -> None:
    assert quiet([ANN, BOB], **{"wants": [wanted(ANN)], **more}).plan().orphans == orphans


def orphaned(role: Role | None = Role.USER, **more: object) -> Scene:
    """Return a scene with an alias of ours that nobody asks for."""
    fields: dict[str, Any] = {"aliases": [alias(INFO, ANN)], "alias_rows": [alias_row(OF_ANN, role=role)], **more}
    return settled([ANN], [], **fields)


@pytest.mark.parametrize(
    ("scene", "orphans"),
    [
        pytest.param(orphaned(), (INFO,), id="known"),
        pytest.param(orphaned(alias_rows=[]), (INFO,), id="by its mark"),
        pytest.param(orphaned(config=alias_config(removed_aliases="keep")), (INFO,), id="kept"),
        pytest.param(orphaned(Role.LIST, config=alias_config(source={"group_search_base": ""})), (INFO,), id="off"),
        pytest.param(orphaned(alias_rows=[alias_row(OF_ANN, owner="gone")]), (INFO,), id="in its grace"),
        pytest.param(orphaned(aliases=[alias(INFO, ANN, mark="")], alias_rows=[]), (), id="somebody else's"),
        pytest.param(orphaned(config=alias_config(protected=[INFO])), (), id="protected"),
        pytest.param(orphaned(wished={"unreadable": frozenset({id_of(ANN)})}), (), id="of an unreadable entry"),
        pytest.param(orphaned(doubts=(CUT_SHORT,)), (), id="not known"),
        pytest.param(orphaned(Role.LIST, answers={"groups": DOUBTED}), (), id="not known of lists"),
        pytest.param(orphaned(options=Options(overridden_filter=True)), (), id="not looked at"),
    ],
)
def test_aliases_that_nobody_asks_for(scene: Scene, orphans: tuple[Address, ...]) -> None:
    assert scene.plan().orphaned_aliases == orphans


def test_those_of_another_directory_are_its_own_matter() -> None:
    scene = orphaned(alias_rows=[alias_row(OF_ANN, source="other")])
    other = scene.config.sources[0].model_copy(update={"name": "other"})
    config = scene.config.model_copy(update={"ldap": (*scene.config.ldap, other)})
    assert replace(scene, config=config).plan().orphaned_aliases == ()


def test_what_is_asked_for_is_none() -> None:
    plan = settled([ANN], [OF_ANN, listing(TEAM, ANN), wish(HELP, ANN)]).plan()
    assert (plan.orphans, plan.orphaned_aliases, plan.managed_aliases) == ((), (), 3)
