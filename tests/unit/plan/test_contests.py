"""Between directories: whose a row is, and who gets what entries of both want."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ldap2mailcow.model import Address, Cause, Code, Kind, Note, Origin, Remembered, RememberedAlias, Role, Subject
from ldap2mailcow.plan import Case, Guarded, Options, Others, holders, settle_mailboxes

from .branches import BRANCH, HEAD, Branches, config_of, doubting
from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    DOUBTED,
    INFO,
    NOW,
    TEAM,
    alias,
    alias_row,
    codes,
    existing,
    forward,
    id_of,
    kinds,
    listing,
    people,
    remembered,
    row,
    wanted,
    wish,
)

TWO = (
    "uid=ann,ou=people,dc=example,dc=org of the directory branch and uid=ann,ou=people,dc=example,dc=org of the "
    "directory head want the same address; "
)


def both(**more: Any) -> Branches:  # noqa: ANN401 - any field
    """Return two directories, of which one has ann, whom mailcow and the state file have too, and the other bob."""
    fields: dict[str, Any] = {
        "head": [wanted(ANN)],
        "branch": [wanted(BOB)],
        "rows": [row(ANN, source=HEAD), row(BOB, source=BRANCH)],
        "shared": {"has": [existing(ANN), existing(BOB)]},
    }
    return Branches(**{**fields, **more})


def others_ann() -> Mailbox:
    return wanted(ANN, id="another", password=None)


def wants(scene: Branches) -> list[set[str]]:
    """Return which mailboxes each wants once that is settled."""
    return [set(view.desired.mailboxes) for view in scene.settled()]


def aliases(scene: Branches) -> list[set[str]]:
    """Return which aliases each wants once that is settled."""
    return [set(view.wishes.aliases) for view in scene.settled()]


# mailboxes that both want


def test_nothing_is_to_do_where_each_wants_its_own() -> None:
    plan = both().plan()
    assert (plan.changes, plan.findings, plan.notes, plan.withheld) == ((), (), (), ())
    assert (plan.whole, plan.managed, plan.wanted, plan.unmanaged) == (True, 2, 2, ())


def test_a_new_address_that_both_want_is_nobodys() -> None:
    scene = Branches(head=[wanted(ANN)], branch=[others_ann(), wanted(BOB)])
    assert wants(scene) == [set(), {BOB}]
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.CREATE, BOB)]
    (finding,) = plan.findings
    assert (finding.code, finding.where, finding.directory) == (Code.DUPLICATE_ADDRESS, ANN, "")
    assert finding.sentence == f"{TWO}nobody gets it until one of them has another in the directory"


@pytest.mark.parametrize("holder", [HEAD, BRANCH])
def test_the_present_holder_keeps_it(holder: str) -> None:
    mine = id_of(ANN) if holder == HEAD else "another"
    scene = both(branch=[others_ann(), wanted(BOB)], rows=[row(ANN, source=holder, id=mine), row(BOB, source=BRANCH)])
    assert wants(scene) == ([{ANN}, {BOB}] if holder == HEAD else [set(), {ANN, BOB}])
    assert f"of the directory {holder} keeps it" in scene.plan().findings[0].sentence


def test_a_holder_without_an_id_is_known_by_the_dn() -> None:
    rows = [row(ANN, source=BRANCH, id=None, dn="UID=ann,ou=people,dc=example,dc=ORG")]
    assert wants(both(branch=[others_ann()], rows=rows)) == [set(), {ANN}]


def test_an_id_counts_within_its_own_directory_only() -> None:
    assert wants(both(branch=[others_ann()], rows=[row(ANN, source=HEAD, id="another")])) == [set(), set()]
    assert wants(both(branch=[others_ann()], rows=[row(ANN, source=BRANCH)])) == [set(), set()]


def test_several_entries_of_one_and_one_of_the_other() -> None:
    def contest(view: Case) -> Case:
        desired = replace(view.desired, mailboxes={}, contested=frozenset({ANN}))
        return replace(view, desired=desired)

    scene = both(branch=[others_ann()], change={BRANCH: contest})
    assert wants(scene) == [{ANN}, set()]
    assert "several entries of the directory branch and uid=ann" in scene.plan().findings[0].sentence


def test_who_only_forwards_has_an_address_too() -> None:
    def forwards(view: Case) -> Case:
        one = Forwarder("another", "uid=forwarder", ANN)
        return replace(view, desired=replace(view.desired, forwarders={ANN: one}))

    scene = both(branch=[], rows=[], change={BRANCH: forwards})
    assert wants(scene) == [set(), set()]
    assert [set(view.desired.forwarders) for view in scene.settled()] == [set(), set()]
    theirs = replace(alias_row(forward(ANN, BOB)), owner="another", source=BRANCH)
    found = replace(scene, alias_rows=[theirs]).settled()
    assert [set(view.desired.forwarders) for view in found] == [set(), {ANN}]


def test_who_loses_an_address_is_not_held_at_the_old_one() -> None:
    """The address is in the other directory: they aren't on their way to it."""
    rows = [row(BOB, source=HEAD, id="another"), row(ANN, source=BRANCH)]
    shared = {"has": [existing(ANN), existing(BOB)], "desired": {"held": {ANN: BOB}, "renaming": {BOB: ANN}}}
    (head, _) = settle_mailboxes(Branches([others_ann()], [wanted(ANN)], rows=rows, shared=shared).views())
    assert (head.desired.held, head.desired.renaming) == ({}, {})


def test_what_nobody_gets_is_no_alias_either() -> None:
    plan = both(
        head=[wanted(ANN), wanted(CAT)], branch=[wanted(BOB), others_cat()], head_wishes=[wish(CAT, ANN)]
    ).plan()
    assert plan.changes == ()
    assert codes(plan) == [Code.DUPLICATE_ADDRESS, Code.DUPLICATE_ADDRESS]
    assert "it wants cat@example.org as an alias and several others want it as their own" in plan.findings[1].sentence


def others_cat() -> Mailbox:
    return wanted(CAT, id="another", dn="uid=another")


# aliases that both want


def with_aliases(**more: Any) -> Branches:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {"head_wishes": [wish(INFO, ANN)], "branch_wishes": [wish(INFO, BOB)]}
    return both(**{**fields, **more})


def test_a_new_alias_that_both_want_is_nobodys() -> None:
    scene = with_aliases()
    assert aliases(scene) == [set(), set()]
    plan = scene.plan()
    assert plan.changes == ()
    (finding,) = plan.findings
    assert (finding.code, finding.where, finding.directory) == (Code.DUPLICATE_ADDRESS, INFO, "")


@pytest.mark.parametrize(("holder", "owner"), [(HEAD, ANN), (BRANCH, BOB)])
def test_the_present_holder_keeps_an_alias(holder: str, owner: Any) -> None:  # noqa: ANN401 - an address
    rows = [replace(alias_row(wish(INFO, owner)), source=holder)]
    scene = with_aliases(alias_rows=rows)
    assert aliases(scene) == [{INFO} if holder == HEAD else set(), {INFO} if holder == BRANCH else set()]


def test_an_alias_that_both_want_and_nobody_has_stays_as_it_is() -> None:
    """As after a lost state file: it isn't known whose it was."""
    shared = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(INFO, ANN)]}
    plan = with_aliases(shared=shared).plan()
    assert (plan.changes, plan.pending, plan.notes) == ((), (), ())


def test_a_list_that_only_its_members_name_is_called_one() -> None:
    nameless = replace(listing(TEAM, ANN), dn="")
    plan = with_aliases(head_wishes=[nameless], branch_wishes=[listing(TEAM, BOB)]).plan()
    assert plan.findings[0].sentence.startswith("a list of the directory head and uid=team,")


# aliases that are another's


OF_BOB = replace(alias_row(wish(INFO, BOB)), source=BRANCH)
THERE = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(INFO, BOB)]}


def test_an_alias_that_the_other_gave_up_changes_hands() -> None:
    plan = with_aliases(branch_wishes=[], alias_rows=[OF_BOB], shared=THERE).plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, INFO)]
    assert plan.findings == ()


def _no_groups(view: Case) -> Case:
    return replace(view, answers=replace(view.answers, groups=DOUBTED))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"answered": (HEAD,)}, id="down"),
        pytest.param({"change": {BRANCH: doubting}}, id="not whole"),
        pytest.param({"change": {BRANCH: _no_groups}}, id="groups not whole"),
        pytest.param({"accepted": (HEAD,)}, id="search changed"),
        pytest.param({"alias_rows": [replace(OF_BOB, source="gone")]}, id="not configured"),
    ],
)
def test_an_alias_that_may_still_be_the_others_is_left_to_it(more: dict[str, Any]) -> None:
    plan = with_aliases(**{"branch_wishes": [], "alias_rows": [OF_BOB], "shared": THERE, **more}).plans()[HEAD]
    assert plan.changes == ()
    (finding,) = (finding for finding in plan.findings if finding.code is Code.ADDRESS_REUSED)
    assert finding.where == "uid=ann,ou=people,dc=example,dc=org"
    assert finding.sentence.startswith(
        f"it wants {INFO} as an alias, which uid=bob,ou=people,dc=example,dc=org has in the directory "
    )


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(replace(OF_BOB, source=HEAD), id="another entry of its own"),
        pytest.param(replace(OF_BOB, owner="", dn=""), id="nobody's"),
        pytest.param(replace(OF_BOB, source="gone", owner=id_of(ANN)), id="its own, under another name"),
    ],
)
def test_an_alias_that_is_no_others_may_be_had(theirs: Any) -> None:  # noqa: ANN401 - a row
    assert aliases(with_aliases(branch_wishes=[], alias_rows=[theirs], answered=(HEAD,))) == [{INFO}]


def test_a_list_without_an_entry_may_not_take_what_is_the_others() -> None:
    nameless = replace(listing(INFO, ANN), dn="")
    nobody = replace(OF_BOB, dn="", role=Role.LIST)
    plan = with_aliases(
        head_wishes=[nameless], branch_wishes=[], alias_rows=[nobody], shared=THERE, answered=(HEAD,)
    ).plan()
    (finding,) = plan.findings
    assert (finding.where, finding.directory) == (INFO, HEAD)
    assert "which a list has in the directory branch" in finding.sentence


# who moved from one to the other


def moved(since: timedelta | None = None, **more: Any) -> Branches:  # noqa: ANN401 - any field
    """Return two directories in the moment when bob has moved from the branch to the head."""
    missed = {} if since is None else {"missing_since": NOW - since, "missed": 1, "last_missed": NOW - since}
    fields: dict[str, Any] = {
        "head": [wanted(ANN), wanted(BOB, id="new", dn="uid=new")],
        "branch": [wanted(CAT)],
        "rows": [row(ANN, source=HEAD), row(BOB, source=BRANCH, **missed), row(CAT, source=BRANCH)],
        "shared": {"has": [existing(ANN), existing(BOB), existing(CAT)]},
    }
    return Branches(**{**fields, **more})


@pytest.mark.parametrize("since", [None, timedelta(minutes=29)])
def test_who_just_moved_keeps_the_mailbox(since: timedelta | None) -> None:
    plans = moved(since).plans()
    assert [plan.changes for plan in plans.values()] == [(), ()]
    assert [plan.findings for plan in plans.values()] == [(), ()]
    known = remembered(plans[HEAD], BOB)
    assert {key: known[key] for key in ("source", "id", "dn", "missed")} == {
        "source": HEAD,
        "id": "new",
        "dn": "uid=new",
        "missed": 0,
    }
    assert plans[BRANCH].notes == ()


def test_who_moved_is_enabled_again() -> None:
    shared = {"has": [existing(ANN), existing(BOB, active=0), existing(CAT)]}
    rows = [row(ANN, source=HEAD), row(BOB, source=BRANCH, disabled=Cause.MISSING), row(CAT, source=BRANCH)]
    assert kinds(moved(shared=shared, rows=rows).plan().changes) == [(Kind.ENABLE, BOB)]


def test_who_has_been_gone_for_longer_is_somebody_else() -> None:
    scene = moved(timedelta(hours=2))
    plans = scene.plans()
    assert codes(plans[HEAD]) == [Code.ADDRESS_REUSED]
    assert kinds(plans[BRANCH].changes) == [(Kind.DISABLE, BOB)]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"answered": (HEAD,)}, id="down"),
        pytest.param({"change": {BRANCH: doubting}}, id="not whole"),
        pytest.param({"accepted": (HEAD,)}, id="search changed"),
        pytest.param({"shared": {**moved().shared, "options": Options(overridden_filter=True)}}, id="filtered"),
    ],
)
def test_nobody_takes_over_from_a_directory_that_may_still_have_them(more: dict[str, Any]) -> None:
    plans = moved(**more).plans()
    assert codes(plans[HEAD])[-1:] == [Code.ADDRESS_REUSED]
    assert BOB not in {change.address for change in plans[HEAD].changes}


@pytest.mark.parametrize(("dn", "handed"), [("uid=cat,ou=people,dc=example,dc=org", False), ("uid=gone", True)])
def test_somebody_without_an_id_is_there_by_the_dn(dn: str, handed: bool) -> None:  # noqa: FBT001 - pytest's
    rows = [row(ANN, source=HEAD), row(BOB, source=BRANCH, id=None, dn=dn), row(CAT, source=BRANCH)]
    (head, _) = settle_mailboxes(moved(rows=rows).views())
    assert (head.memory.mailboxes[BOB].source == HEAD) is handed


def test_an_id_of_the_former_directory_says_nothing_in_the_new_one() -> None:
    mine = [wanted(ANN), wanted(BOB, id="new", dn="uid=new"), wanted(DAN, id=id_of(BOB))]
    assert kinds(moved(head=mine).plan().changes) == [(Kind.CREATE, DAN)]


def test_who_was_made_anew_in_the_same_directory_is_no_mover() -> None:
    (head, _) = settle_mailboxes(moved(head=[wanted(ANN, id="anew")]).views())
    assert head.memory.mailboxes[ANN].id == id_of(ANN)


# rows of a directory of another name, and of none


def named(old: Remembered, **more: Any) -> Branches:  # noqa: ANN401 - any field
    return both(branch=[wanted(BOB), wanted(CAT)], rows=[row(ANN, source=HEAD), old], **more)


@pytest.mark.parametrize(
    "old",
    [
        pytest.param(row(BOB, source="old"), id="id and address"),
        pytest.param(row(BOB, source="old", dn="uid=elsewhere"), id="moved"),
        pytest.param(row(BOB, source="old", id=None), id="dn and address"),
        pytest.param(row(BOB, source=HEAD, id=None, origin=Origin.ANCESTOR), id="the ancestor's"),
    ],
)
def test_a_row_of_a_directory_of_another_name_is_the_one_s_that_has_its_entry(old: Remembered) -> None:
    head, branch = settle_mailboxes(named(old).views())
    assert head.memory.mailboxes[BOB].source == BRANCH
    assert (head.notes, branch.notes) == ((), (Note(BOB, {"source": BRANCH}),))


def test_who_is_known_by_id_and_dn_is_renamed_although_the_directory_has_another_name() -> None:
    old = row(BOB, source="old")
    scene = both(branch=[wanted(DAN, id=id_of(BOB), dn=old.dn, name="Bob")], rows=[row(ANN, source=HEAD), old])
    assert kinds(scene.plan().changes) == [(Kind.RENAME, DAN)]


@pytest.mark.parametrize(
    "old",
    [
        pytest.param(row(DAN, source="old", id=id_of(BOB)), id="the same id at another address"),
        pytest.param(row(BOB, source="old", id="other"), id="another id at the same address"),
        pytest.param(row(DAN, source="old"), id="nobody's"),
    ],
)
def test_other_rows_of_another_name_are_left_alone_and_told(old: Remembered) -> None:
    shared = {"has": [existing(ANN), existing(old.address)]}
    scene = replace(named(old, shared=shared), branch=[wanted(BOB)])
    plan = scene.plan()
    assert old.address not in {change.address for change in plan.changes}
    assert [finding.where for finding in plan.findings if finding.code is Code.DIRECTORY_UNKNOWN] == ["old"]
    assert plan.pending == ()


def test_what_is_remembered_of_an_unknown_directory_is_counted() -> None:
    shared = {"has": [existing(ANN), existing(BOB), existing(CAT)], "aliases": [alias(INFO, CAT), alias(TEAM, CAT)]}
    rows = [row(ANN, source=HEAD), row(BOB, source=BRANCH), row(CAT, source="old"), row(DAN, source="old")]
    old = [replace(alias_row(wish(one, CAT)), source="old") for one in (INFO, TEAM)]
    scene = both(rows=rows, alias_rows=old, shared=shared)
    (finding,) = scene.plan().findings
    assert finding.sentence.startswith("3 mailboxes and aliases are of the directory old, which the config doesn't ")
    assert finding.directory == ""
    only = replace(scene, shared={**shared, "options": Options(only=frozenset({ANN}))})
    assert only.plan().findings == ()


# what is ours and nobody's


def lost(*there: Any, **more: Any) -> Branches:  # noqa: ANN401 - anything
    """Return two directories with nothing in the state file about some of what is there."""
    aliases = [alias(INFO, ANN)]
    return both(shared={"has": [existing(ANN), existing(BOB), *there], "aliases": aliases}, **more)


def test_what_no_directory_has_is_an_orphan_of_one_of_them() -> None:
    plans = lost(existing(CAT)).plans()
    assert [(plan.orphans, plan.orphaned_aliases) for plan in plans.values()] == [((CAT,), (INFO,)), ((), ())]
    assert [(plan.managed, plan.managed_aliases) for plan in plans.values()] == [(2, 1), (1, 0)]
    assert [[pending.address for pending in plan.pending] for plan in plans.values()] == [[INFO, CAT], []]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"answered": (HEAD,)}, id="branch down"),
        pytest.param({"answered": (BRANCH,)}, id="head down"),
        pytest.param({"change": {BRANCH: doubting}}, id="branch not whole"),
        pytest.param({"change": {HEAD: doubting}}, id="head not whole"),
    ],
)
def test_it_is_none_as_long_as_one_of_them_may_have_it(more: dict[str, Any]) -> None:
    plan = lost(existing(CAT), **more).plan()
    assert (plan.orphans, plan.orphaned_aliases, plan.pending) == ((), (), ())
    assert (plan.unmanaged, plan.unmanaged_aliases) == ((), ())
    missed = row(CAT, source=HEAD, id=None, dn="", origin=Origin.MARK, missed=5)
    again = lost(existing(CAT), **{**more, "rows": [*both().rows, missed]}).plan()
    assert (again.orphans, again.pending, again.changes) == ((), (), ())


def test_it_is_the_first_s_that_looks_at_its_domain() -> None:
    blocks = config_of(HEAD, BRANCH)
    elsewhere = blocks.ldap[0].model_copy(update={"domains": ("example.net",)})
    config = blocks.model_copy(update={"ldap": (elsewhere, blocks.ldap[1])})
    plans = lost(existing(CAT), config=config, head=[]).plans()
    assert [plan.orphans for plan in plans.values()] == [(), (CAT,)]


@pytest.mark.parametrize("source", [HEAD, BRANCH])
def test_outside_its_domains_a_directory_takes_nothing_away(source: str) -> None:
    """What isn't looked at there may be anybody's, whatever was so before."""
    blocks = config_of(HEAD, BRANCH)
    elsewhere = blocks.ldap[0].model_copy(update={"domains": ("example.net",)})
    config = blocks.model_copy(update={"ldap": (elsewhere, blocks.ldap[1])})
    rows = [row(BOB, source=BRANCH), row(CAT, source=source)]
    old = [replace(alias_row(wish(INFO, CAT)), source=source)]
    plan = lost(existing(CAT), config=config, head=[], rows=rows, alias_rows=old).plan()
    gone = {pending.address for pending in plan.pending}
    assert (CAT in gone, INFO in gone) == ((True, True) if source == BRANCH else (False, False))


def test_an_address_that_an_entry_of_the_other_carries_is_not_orphaned() -> None:
    def carries(view: Case) -> Case:
        return replace(view, desired=replace(view.desired, addresses=view.desired.addresses | {CAT}))

    assert lost(existing(CAT), change={BRANCH: carries}).plan().orphans == ()


def test_the_ancestors_rows_are_nobodys_until_an_entry_is_found() -> None:
    old = row(CAT, source=HEAD, id=None, origin=Origin.ANCESTOR)
    rows = [*both().rows, old]
    assert lost(existing(CAT), rows=rows).plan().orphans == (CAT,)
    assert lost(existing(CAT), rows=rows, answered=(HEAD,)).plan().orphans == ()


@pytest.mark.parametrize(
    ("more", "free"),
    [
        pytest.param({}, True, id="nobody has that entry"),
        pytest.param({"answered": (BRANCH,)}, False, id="down"),
        pytest.param({"change": {HEAD: doubting}}, False, id="not whole"),
        pytest.param({"head": [wanted(CAT)], "branch": [wanted(DAN, dn="UID=Old")]}, False, id="another address"),
    ],
)
def test_an_address_of_the_ancestors_is_free_once_no_directory_has_its_entry(more: dict[str, Any], free: bool) -> None:  # noqa: FBT001
    old = row(CAT, source=HEAD, id=None, dn="uid=old", origin=Origin.ANCESTOR)
    plans = lost(existing(CAT), **{"branch": [wanted(BOB), wanted(CAT)], "rows": [*both().rows, old], **more}).plans()
    assert any(Code.ADDRESS_REUSED in codes(plan) for plan in plans.values()) is not free


def test_what_somebody_made_by_hand_is_told_once_and_in_domains_of_ours() -> None:
    made = existing(CAT, tags=())
    assert lost(made).plan().unmanaged == (CAT,)
    assert lost(made, branch=[wanted(BOB), wanted(CAT)]).plan().unmanaged == ()


def test_an_alias_that_somebody_made_by_hand_is_told_unless_an_entry_wants_it() -> None:
    shared = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(INFO, ANN, mark=""), alias(TEAM, BOB, mark="")]}
    plan = both(shared=shared, branch_wishes=[wish(INFO, BOB)]).plan()
    assert plan.unmanaged_aliases == (TEAM,)


def test_a_directory_that_is_down_keeps_what_it_has() -> None:
    """Mailboxes, aliases and rows that mailcow doesn't have, whatever the other wants."""
    scene = both(
        head=[wanted(ANN), wanted(CAT), wanted(DAN, id=id_of(ANN), dn="uid=ann")],
        rows=[row(ANN, source=HEAD), row(BOB, source=BRANCH), row(CAT, source=BRANCH)],
        alias_rows=[OF_BOB, replace(alias_row(wish(TEAM, BOB)), source=BRANCH)],
        shared=THERE,
        answered=(HEAD,),
    )
    plan = scene.plan()
    assert not {BOB, CAT, INFO, TEAM} & {change.address for change in plan.changes}
    assert not {BOB, CAT, INFO, TEAM} & {note.address for note in plan.notes}
    (finding,) = (finding for finding in plan.findings if finding.code is Code.ADDRESS_REUSED)
    assert finding.sentence == (
        f"it wants {CAT}, which uid=cat,ou=people,dc=example,dc=org has in the directory branch, and that can't be "
        "read now; it has to wait until it can"
    )


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param({"rows": [row(ANN, source=HEAD), row(DAN, source=BRANCH)]}, id="mailbox"),
        pytest.param({"alias_rows": [replace(alias_row(wish(DAN, BOB)), source=BRANCH)]}, id="alias"),
    ],
)
def test_nobody_is_renamed_onto_what_a_silent_one_has(theirs: dict[str, Any]) -> None:
    """Although mailcow has it no more: its owner may know why."""
    mine = wanted(DAN, id=id_of(ANN), dn="uid=ann,ou=people,dc=example,dc=org")
    plan = both(head=[mine], answered=(HEAD,), **theirs).plan()
    assert plan.changes == ()
    assert codes(plan) == [Code.RENAMED]
    assert "and that can't be read now" in plan.findings[0].sentence


FORMER_OF_BOB = replace(alias_row(wish(DAN, BOB, role=Role.FORMER)), source=BRANCH, owner=id_of(BOB))


@pytest.mark.parametrize(
    ("rows", "answered", "renamed"),
    [
        pytest.param([FORMER_OF_BOB], (HEAD, BRANCH), True, id="as within one directory"),
        pytest.param([FORMER_OF_BOB], (HEAD,), False, id="down"),
        pytest.param([], (HEAD, BRANCH), True, id="the state file is lost"),
        pytest.param([], (HEAD,), False, id="lost, and down"),
    ],
)
def test_a_former_address_gives_way_to_a_rename_unless_its_directory_is_silent(
    rows: list[RememberedAlias],
    answered: tuple[str, ...],
    renamed: bool,  # noqa: FBT001 - pytest's
) -> None:
    mine = wanted(DAN, id=id_of(ANN), dn="uid=ann,ou=people,dc=example,dc=org", name="Ann")
    shared = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(DAN, BOB, mark="ldap-sync:renamed")]}
    plan = both(head=[mine], answered=answered, alias_rows=rows, shared=shared).plan()
    assert kinds(plan.changes) == [(Kind.RENAME, DAN)] * renamed


def test_a_former_address_gives_way_to_a_mailbox_of_the_other() -> None:
    former = replace(alias_row(wish(CAT, ANN, role=Role.FORMER)), source=HEAD, owner=id_of(ANN))
    shared = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(CAT, ANN, mark="ldap-sync:renamed")]}
    scene = both(branch=[wanted(BOB), wanted(CAT)], alias_rows=[former], shared=shared)
    assert kinds(scene.plan().changes) == [(Kind.REMOVE, CAT), (Kind.CREATE, CAT)]
    assert kinds(replace(scene, branch=[wanted(BOB)]).plan().changes) == []
    kept = replace(scene, config=config_of(HEAD, BRANCH, removed_aliases="keep"))
    assert kinds(kept.plan().changes) == [(Kind.REMOVE, CAT), (Kind.CREATE, CAT)]
    without_password = replace(kept, branch=[wanted(BOB), wanted(CAT, password=None)])
    assert kinds(without_password.plan().changes) == []
    other_order = replace(kept, branch=[wanted(BOB)], head=[wanted(ANN), wanted(CAT)])
    former_of_bob = replace(former, source=BRANCH, owner=id_of(BOB))
    assert kinds(replace(other_order, alias_rows=[former_of_bob]).plan().changes) == [
        (Kind.REMOVE, CAT),
        (Kind.CREATE, CAT),
    ]


def test_what_the_other_waits_for_may_be_withheld() -> None:
    """Then it isn't free, and the mailbox isn't made."""
    gone = [wish(person, ANN) for person in people(6)]
    shared = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(one.address, ANN) for one in gone]}
    rows = [replace(alias_row(one), source=HEAD) for one in gone]
    scene = both(branch=[wanted(BOB), wanted(people(1)[0])], alias_rows=rows, shared=shared)
    plan = scene.plan()
    assert (plan.changes, [len(one.changes) for one in plan.withheld]) == ((), [6])
    forced = replace(scene, shared={**shared, "options": Options(approved=dict.fromkeys(Guarded, 6))}).plan()
    assert kinds(forced.changes)[:2] == [(Kind.REMOVE, people(1)[0]), (Kind.CREATE, people(1)[0])]


def test_a_row_of_the_other_whose_mailbox_is_gone_is_free_where_the_other_says_so() -> None:
    rows = [*both().rows, row(CAT, source=BRANCH)]
    plan = both(head=[wanted(ANN), wanted(CAT)], rows=rows).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, CAT)]


FORGET = Note(TEAM, None, Subject.ALIAS)


@pytest.mark.parametrize(("answered", "notes"), [((HEAD, BRANCH), [FORGET]), ((HEAD,), [])])
def test_a_row_of_an_alias_that_is_gone_is_forgotten_by_its_own_directory(answered: Any, notes: Any) -> None:  # noqa: ANN401
    rows = [replace(alias_row(wish(TEAM, BOB)), source=BRANCH)]
    plans = both(alias_rows=rows, answered=answered).plans()
    assert [note for plan in plans.values() for note in plan.notes if note.address == TEAM] == notes


@pytest.mark.parametrize(("source", "doubted"), [(HEAD, True), (BRANCH, False)])
def test_doubts_are_about_ones_own_lists(source: str, doubted: bool) -> None:  # noqa: FBT001 - pytest's
    """Three of four lists lost their addresses: if they are one directory's, that may be a lost right to read."""
    lists = [listing(Address(f"list{number}@example.org"), ANN) for number in range(4)]
    rows = [replace(alias_row(one), source=source if number else HEAD) for number, one in enumerate(lists)]
    shared = {"has": [existing(ANN), existing(BOB)], "aliases": [alias(one.address, ANN) for one in lists]}
    overdue = [replace(one, missed=9, missing_since=NOW - timedelta(days=1), last_missed=NOW) for one in rows]
    plan = both(alias_rows=overdue, shared=shared).plans()[HEAD]
    assert [one.sentence for one in plan.withheld if "lost their addresses" in one.sentence] != [] or not doubted
    assert (kinds(plan.changes) == [(Kind.REMOVE, lists[0].address)]) is not doubted


def test_one_directory_alone_sees_no_others() -> None:
    (view,) = replace(both(), config=config_of(HEAD), answered=(HEAD,)).settled()
    assert view.others == Others()


def test_the_addresses_that_a_directory_s_entries_hold() -> None:
    """By id, without one by DN: its own, and what may be its own under another name; those before these."""
    rows = [
        row(ANN, source=HEAD, id="1", disabled=Cause.MISSING),
        row(BOB, source=HEAD, id="1"),
        row(CAT, source=BRANCH, id="1"),
        row(DAN, source="old", id="1"),
        row(INFO, source="old", id="2"),
        row(TEAM, source=BRANCH, id=None, dn="UID=team", origin=Origin.ANCESTOR),
    ]
    (view, _) = both(rows=rows).views()
    assert holders(view.memory, view.source, view.config) == {"1": BOB, "2": INFO, "uid=team": TEAM}
