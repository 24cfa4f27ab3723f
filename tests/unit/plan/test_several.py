"""Plans of several directories: what one does, the others heed; and all of them as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ldap2mailcow.plan.several.rounds import ROUNDS

from ldap2mailcow.model import GOTO, Address, Code, Finding, Kind, MailboxChange, RenameChange, Rule, joined
from ldap2mailcow.plan import Guarded, Options, Plan, Reason, Withheld, merged, renamed_all

from .branches import BRANCH, HEAD, Branches, config_of, doubting, finding_nobody
from .builders import (
    ANN,
    BOB,
    CAT,
    DAN,
    HELP,
    INFO,
    NOW,
    TEAM,
    alias,
    alias_row,
    codes,
    dn_of,
    existing,
    forward,
    id_of,
    kinds,
    listing,
    of_aliases,
    people,
    row,
    wanted,
    wish,
)

GONE = {"missing_since": NOW - timedelta(days=1), "missed": 9, "last_missed": NOW}
NEW = Address("new@example.org")


def both(**more: Any) -> Branches:  # noqa: ANN401 - any field
    """Return two directories: one has ann and the other bob."""
    fields: dict[str, Any] = {
        "head": [wanted(ANN)],
        "branch": [wanted(BOB)],
        "rows": [row(ANN, source=HEAD), row(BOB, source=BRANCH)],
        "shared": {"has": [existing(ANN), existing(BOB)]},
    }
    return Branches(**{**fields, **more})


def there(*aliases: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - aliases
    return {"has": [existing(ANN), existing(BOB)], "aliases": aliases, **more}


def alias_rows(*, head: Any = (), branch: Any = ()) -> list[Any]:  # noqa: ANN401 - wishes
    return [replace(alias_row(one), source=name) for name, wishes in ((HEAD, head), (BRANCH, branch)) for one in wishes]


def goto(plan: Plan) -> dict[Address, object]:
    """Return where aliases go after a plan."""
    return {change.address: change.writes.get(GOTO) for change in of_aliases(plan.changes)}


# who can be reached


def test_a_list_reaches_whoever_is_new_in_the_other_directory() -> None:
    listed = listing(TEAM, ANN, CAT)
    plan = both(head_wishes=[listed], branch=[wanted(BOB), wanted(CAT)]).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, CAT), (Kind.CREATE, TEAM)]
    assert goto(plan) == {TEAM: joined([ANN, CAT])}
    assert of_aliases(plan.changes)[0].rebuilds == 0
    assert plan.findings == ()


def test_a_list_loses_whoever_is_disabled_in_the_other_directory() -> None:
    listed = listing(TEAM, ANN, BOB)
    scene = both(
        head_wishes=[listed],
        alias_rows=alias_rows(head=[listed]),
        shared=there(alias(TEAM, ANN, BOB)),
        branch=[wanted(BOB, active=0)],
    )
    plan = scene.plan()
    assert goto(plan) == {TEAM: str(ANN)}
    assert kinds(plan.changes) == [(Kind.UPDATE, TEAM), (Kind.DISABLE, BOB)]


def test_a_list_keeps_whoever_is_only_withheld_in_the_other_directory() -> None:
    listed = listing(TEAM, ANN, BOB)
    scene = both(
        head_wishes=[listed],
        alias_rows=alias_rows(head=[listed]),
        shared=there(alias(TEAM, ANN, BOB)),
        branch=[wanted(BOB, active=0), wanted(CAT, active=0), wanted(DAN, active=0)],
        rows=[row(ANN, source=HEAD), *(row(one, source=BRANCH) for one in (BOB, CAT, DAN))],
        config=config_of(HEAD, BRANCH, limits={"removals": 1}),
    )
    has = [existing(one) for one in (ANN, BOB, CAT, DAN)]
    plan = replace(scene, shared={**scene.shared, "has": has}).plan()
    assert (plan.changes, len(plan.withheld)) == ((), 1)


@pytest.mark.parametrize("who", [HEAD, BRANCH])
def test_a_list_of_one_reaches_a_new_list_of_the_other(who: str) -> None:
    outer, inner = listing(TEAM, HELP), listing(HELP, BOB)
    wishes = {"head_wishes": [outer], "branch_wishes": [inner]}
    plan = both(**(wishes if who == HEAD else {"head_wishes": [inner], "branch_wishes": [outer]})).plan()
    assert goto(plan) == {TEAM: str(HELP), HELP: str(BOB)}


def test_a_list_does_not_go_to_one_of_the_other_that_leads_to_nobody_or_is_removed() -> None:
    outer, inner = listing(TEAM, ANN, HELP), listing(HELP, OUT)
    plan = both(head_wishes=[outer], branch_wishes=[inner]).plan()
    assert goto(plan) == {TEAM: str(ANN)}
    old = replace(alias_row(wish(HELP, BOB)), source=BRANCH)
    removed = both(head_wishes=[outer], alias_rows=[old], shared=there(alias(HELP, BOB))).plan()
    assert goto(removed) == {TEAM: str(ANN), HELP: None}


OUT = Address("nobody@example.org")


def test_who_is_inactive_in_the_other_is_not_reached_where_mailboxes_come_from_elsewhere() -> None:
    listed = listing(TEAM, ANN, BOB)
    config = config_of(HEAD, BRANCH, create_mailboxes=False)
    plan = both(head_wishes=[listed], branch=[wanted(BOB, active=0)], config=config).plan()
    assert goto(plan) == {TEAM: str(ANN)}


def test_an_alias_that_the_other_wants_is_nobody_else_s_to_prune() -> None:
    """Its own plan decides who is on it."""
    theirs = listing(TEAM, ANN, BOB)
    scene = both(
        branch_wishes=[theirs],
        alias_rows=alias_rows(head=[theirs]),
        shared=there(alias(TEAM, ANN, BOB)),
        head=[wanted(ANN, active=0)],
    )
    names = [change.name for change in scene.plan().changes]
    assert len(names) == len(set(names))
    assert f"update alias {TEAM}" in names


# mailboxes and aliases of both at one address


def test_a_new_mailbox_and_a_new_alias_at_one_address_are_nobodys() -> None:
    plan = both(head=[wanted(ANN), wanted(INFO)], branch_wishes=[wish(INFO, BOB)]).plan()
    assert plan.changes == ()
    (finding,) = plan.findings
    assert (finding.code, finding.where, finding.directory) == (Code.DUPLICATE_ADDRESS, INFO, BRANCH)


def test_an_alias_that_is_there_keeps_its_address_from_a_mailbox_of_the_other() -> None:
    theirs = wish(INFO, BOB)
    scene = both(
        head=[wanted(ANN), wanted(INFO)],
        branch_wishes=[theirs],
        alias_rows=alias_rows(branch=[theirs]),
        shared=there(alias(INFO, BOB)),
    )
    plan = scene.plan()
    assert plan.changes == ()
    (finding,) = plan.findings
    assert (finding.code, finding.directory) == (Code.ADDRESS_IS_ALIAS, HEAD)
    assert f"{dn_of(BOB)} keeps it until" in finding.sentence


def test_an_address_contested_as_an_alias_is_no_mailbox() -> None:
    plan = both(
        head=[wanted(ANN), wanted(CAT)],
        head_wishes=[wish(INFO, ANN), forward(INFO, ANN)],
        branch_wishes=[wish(INFO, BOB)],
        branch=[wanted(BOB), wanted(INFO)],
    ).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, CAT)]
    assert sorted(codes(plan)) == [Code.DUPLICATE_ADDRESS, Code.DUPLICATE_ADDRESS]


# room and limits


def test_the_last_place_goes_to_the_first() -> None:
    limits = {"max_mailboxes": 3}
    shared = {"has": [existing(ANN), existing(BOB)], "limits": limits}
    plan = both(head=[wanted(ANN), wanted(CAT)], branch=[wanted(BOB), wanted(DAN)], shared=shared).plan()
    assert kinds(plan.changes) == [(Kind.CREATE, CAT)]
    assert [(finding.code, finding.directory) for finding in plan.findings] == [(Code.NO_ROOM_FOR_MAILBOX, BRANCH)]


@pytest.mark.parametrize(("quota", "made"), [(400, True), (401, False)])
def test_quota_is_counted_for_both(quota: int, made: bool) -> None:  # noqa: FBT001 - pytest's
    shared = {"has": [existing(ANN), existing(BOB)], "limits": {"max_quota": 1000}}
    wants = {"head": [wanted(ANN), wanted(CAT, quota=400)], "branch": [wanted(BOB), wanted(DAN, quota=quota)]}
    assert ((Kind.CREATE, DAN) in kinds(both(**wants, shared=shared).plan().changes)) is made


def test_what_one_frees_is_free_for_the_other_in_the_next_run() -> None:
    """mailcow removes aliases after it makes them; and quota that is given back may not come back."""
    shared = {**there(alias(INFO, ANN)), "limits": {"max_aliases": 1, "max_quota": 200}}
    scene = both(
        head=[wanted(ANN, quota=50)],
        branch=[wanted(BOB, quota=150)],
        branch_wishes=[wish(HELP, BOB)],
        alias_rows=alias_rows(head=[wish(INFO, ANN)]),
        shared=shared,
    )
    plan = scene.plan()
    assert kinds(plan.changes) == [(Kind.UPDATE, ANN), (Kind.REMOVE, INFO)]
    assert sorted(codes(plan)) == [Code.NO_ROOM_FOR_ALIAS, Code.NO_ROOM_FOR_QUOTA]


def crowd(head: int, branch: int, *, limit: int = 4, **more: Any) -> Branches:  # noqa: ANN401 - any field
    """Return ten people in each, of whom some have been gone for long from the one and from the other."""
    everybody = people(20)
    sources = [HEAD] * 10 + [BRANCH] * 10
    away = {*everybody[:head], *everybody[10 : 10 + branch]}
    fields: dict[str, Any] = {
        "head": [wanted(one) for one in everybody[:10] if one not in away],
        "branch": [wanted(one) for one in everybody[10:] if one not in away],
        "rows": [
            row(one, source=source, **(GONE if one in away else {}))
            for one, source in zip(everybody, sources, strict=True)
        ],
        "shared": {"has": [existing(one) for one in everybody]},
        "config": config_of(HEAD, BRANCH, limits={"removals": limit}),
    }
    return Branches(**{**fields, **more})


@pytest.mark.parametrize(("head", "branch", "done"), [(2, 2, True), (3, 2, False), (0, 5, False), (4, 0, True)])
def test_a_limit_is_for_both_together(head: int, branch: int, done: bool) -> None:  # noqa: FBT001 - pytest's
    plan = crowd(head, branch).plan()
    assert len(plan.changes) == (head + branch) * done
    if not done:
        (withheld,) = plan.withheld
        assert (len(withheld.addresses), withheld.managed, withheld.limit, withheld.directory) == (5, 20, 4, "")
        assert withheld.sentence.startswith("5 of 20 managed mailboxes would be disabled")
        assert withheld.sentence.endswith("--force-removals 5")


def test_a_share_is_one_of_all_together() -> None:
    scene = crowd(3, 0, config=config_of(HEAD, BRANCH, limits={"removals": "15%"}))
    assert len(scene.plan().changes) == 3
    assert len(replace(scene, answered=(HEAD,)).plan().withheld) == 1


@pytest.mark.parametrize(("force", "done"), [(4, 0), (5, 5)])
def test_a_word_is_for_all_together(force: int, done: int) -> None:
    scene = crowd(3, 2)
    shared = {**scene.shared, "options": Options(force_removals=force)}
    assert len(replace(scene, shared=shared).plan().changes) == done


def test_what_a_doubt_withholds_does_not_count_for_the_other() -> None:
    plan = crowd(3, 4, accepted=(HEAD,)).plan()
    assert len(plan.changes) == 3
    (withheld,) = plan.withheld
    assert (withheld.reason, withheld.directory, len(withheld.addresses)) == (Reason.SEARCH_CHANGED, BRANCH, 4)
    assert withheld.name == "mailboxes search_changed branch"
    assert withheld.sentence.startswith(f"{BRANCH}: 4 of 20 managed mailboxes would be disabled")
    assert withheld.sentence.endswith("--force-removals 7")


def test_one_that_is_not_whole_has_no_removals_and_the_other_has() -> None:
    plan = crowd(3, 4, change={BRANCH: doubting}).plan()
    assert (len(plan.changes), plan.whole) == (3, False)
    assert [(finding.code, finding.directory) for finding in plan.findings] == [(Code.ANSWER_CUT_SHORT, BRANCH)]


def renaming(head: int, branch: int) -> Branches:
    """Return as many people with another address in each, and ten who stay as they are."""
    everybody, others = people(head + branch), people(30)[20:]
    boxes = [wanted(Address(f"x-{one}"), id=id_of(one), dn=dn_of(one), name=one.local.title()) for one in everybody]
    return Branches(
        head=[*boxes[:head], *map(wanted, others)],
        branch=boxes[head:],
        rows=[row(one, source=BRANCH if one in everybody[head:] else HEAD) for one in (*everybody, *others)],
        shared={"has": [existing(one) for one in (*everybody, *others)]},
        config=config_of(HEAD, BRANCH, limits={"renames": 4}),
    )


@pytest.mark.parametrize(("head", "branch", "done"), [(2, 2, 4), (3, 2, 0)])
def test_a_limit_of_renames_is_for_both_together(head: int, branch: int, done: int) -> None:
    plan = renaming(head, branch).plan()
    renames = [change for change in plan.changes if isinstance(change, RenameChange)]
    assert len(renames) == done
    assert [(one.kind, len(one.changes)) for one in plan.withheld] == ([] if done else [(Guarded.RENAME, 5)])
    assert [change.turn for change in renames] == list(range(done))


# renames


def test_the_views_after_renames_are_of_one_mailcow() -> None:
    head, branch = renamed_all(renaming(1, 1).views())
    assert head.actual == branch.actual
    assert head.memory == branch.memory
    assert set(head.actual.mailboxes) - set(people(30)[20:]) == {f"x-{one}" for one in people(2)}
    assert set(head.actual.aliases) == set(people(2))


def test_an_address_that_is_given_up_is_free_for_somebody_in_the_other() -> None:
    mine = wanted(NEW, id=id_of(ANN), dn=dn_of(ANN), name="Ann")
    plan = both(head=[mine], branch=[wanted(BOB), wanted(ANN, id="another", dn="uid=another")]).plan()
    assert kinds(plan.changes) == [(Kind.RENAME, NEW), (Kind.CREATE, ANN)]


# rights


def with_rights(**more: Any) -> Branches:  # noqa: ANN401 - any field
    """Return bob, who may send as ann by a row of his own, in the branch."""
    mapping = {"send_as": "mailSendAs"}
    base = config_of(HEAD, BRANCH)
    ldap = tuple(
        one.model_copy(update={"user_mapping": one.user_mapping.model_copy(update=mapping)}) for one in base.ldap
    )
    fields: dict[str, Any] = {
        "rows": [row(ANN, source=HEAD), row(BOB, source=BRANCH, senders=frozenset({str(ANN)}))],
        "config": base.model_copy(update={"ldap": ldap}),
        "change": {
            BRANCH: lambda view: replace(view, wishes=replace(view.wishes, senders={BOB: frozenset({str(ANN)})}))
        },
        "shared": there(senders={BOB: frozenset({str(ANN)})}),
    }
    return both(**{**fields, **more})


@pytest.mark.parametrize("answered", [(HEAD, BRANCH), (HEAD,), (BRANCH,)])
def test_rights_in_the_other_directory_stay(answered: tuple[str, ...]) -> None:
    plan = with_rights(answered=answered).plan()
    assert (plan.changes, plan.withheld) == ((), ())


def test_a_row_that_an_edit_of_the_others_alias_drops_is_written_again() -> None:
    """`edit/alias` of one that is closed drops its targets' rows for it."""
    closed = listing(TEAM, ANN, BOB, flags={"sender_allowed": 0, "sogo_visible": 0})
    scene = with_rights(
        head_wishes=[closed],
        alias_rows=alias_rows(head=[replace(closed, goto=(BOB,))]),
        rows=[row(ANN, source=HEAD), row(BOB, source=BRANCH, senders=frozenset({str(TEAM)}))],
        change={BRANCH: lambda view: replace(view, wishes=replace(view.wishes, senders={BOB: frozenset({str(TEAM)})}))},
        shared=there(alias(TEAM, BOB, sender_allowed=0), senders={ANN: frozenset(), BOB: frozenset({str(TEAM)})}),
    )
    assert kinds(scene.plan().changes) == [(Kind.UPDATE, TEAM), (Kind.GRANT, BOB)]


# options


def test_only_finds_an_address_in_either() -> None:
    def plan(address: Address) -> Plan:
        scene = both(branch=[wanted(BOB), wanted(CAT)])
        return replace(scene, shared={**scene.shared, "options": Options(only=frozenset({address}))}).plan()

    assert kinds(plan(CAT).changes) == [(Kind.CREATE, CAT)]
    assert plan(CAT).findings == ()
    (finding,) = plan(OUT).findings
    assert (finding.code, finding.directory) == (Code.NOT_IN_DIRECTORY, "")
    assert finding.sentence == f"--only names {OUT}, which no entry of branch or head has; correct it, or the filter"


@pytest.mark.parametrize(("nobody", "told"), [((HEAD,), []), ((HEAD, BRANCH), [Code.NO_USERS] * 2)])
def test_an_overridden_filter_that_finds_somebody_somewhere_is_enough(nobody: Any, told: Any) -> None:  # noqa: ANN401
    shared = there(options=Options(overridden_filter=True))
    scene = both(head=[], change=dict.fromkeys(nobody, finding_nobody), shared=shared)
    assert codes(scene.plan()) == told
    assert scene.plan().changes == ()


def test_a_search_that_finds_nobody_is_told_though_the_other_finds_somebody() -> None:
    assert codes(both(change={HEAD: finding_nobody}).plan()) == [Code.NO_USERS]


# what an earlier run left behind


def test_what_an_earlier_run_left_is_put_right_once() -> None:
    settled = type(both().views()[0].settled)
    again = RenameChange(Kind.RENAME, ANN, Rule.UNFINISHED, former=ANN, active=0)
    views = [replace(view, settled=settled((), (again,), frozenset({CAT}))) for view in both().settled()]
    plan = merged(dict(zip((HEAD, BRANCH), make_plans(views), strict=True)), of=2)
    assert kinds(plan.changes) == [(Kind.RENAME, ANN), (Kind.DELETE, CAT)]


# all plans as one


def test_the_plan_of_one_directory_is_as_it_is() -> None:
    plan = Plan(findings=(Finding(Code.NO_MAIL, "x", "y"),))
    assert merged({HEAD: plan}, of=1) is plan


def test_the_plan_of_one_of_two_is_not_whole() -> None:
    plan = merged({HEAD: Plan(findings=(Finding(Code.NO_MAIL, "x", "y"),))}, of=2)
    assert not plan.whole
    assert plan.findings == (Finding(Code.NO_MAIL, "x", "y", HEAD),)


def test_what_both_say_is_said_once() -> None:
    same, mine = Finding(Code.HALF_DELETED, "mailcow", "one"), Finding(Code.NO_MAIL, "x", "y")
    plan = merged({HEAD: Plan(findings=(same, mine, mine)), BRANCH: Plan(findings=(mine, same))}, of=2)
    assert plan.findings == (same, mine)
    assert merged({HEAD: Plan(findings=(mine,)), BRANCH: Plan()}, of=2).findings[0].place == "x of head"


def test_numbers_are_added_and_lists_put_together() -> None:
    first = Plan(managed=1, wanted=2, managed_aliases=3, wanted_aliases=4, unmanaged=(BOB,), orphans=(DAN,))
    first = replace(first, unread=frozenset({ANN}))
    second = Plan(managed=10, wanted=20, managed_aliases=30, wanted_aliases=40, unmanaged=(ANN, BOB), orphans=(CAT,))
    plan = merged({HEAD: first, BRANCH: second}, of=2)
    assert (plan.managed, plan.wanted, plan.managed_aliases, plan.wanted_aliases) == (11, 22, 33, 44)
    assert (plan.unmanaged, plan.orphans, plan.unread) == ((ANN, BOB), (CAT, DAN), frozenset({ANN}))
    assert plan.whole
    assert not merged({HEAD: first, BRANCH: replace(second, whole=False)}, of=2).whole


def test_changes_of_both_are_in_one_order() -> None:
    off = MailboxChange(Kind.DISABLE, ANN, Rule.MISSING, writes={"active": 0})
    new = MailboxChange(Kind.CREATE, BOB, Rule.NEW)
    assert merged({HEAD: Plan(changes=(off,)), BRANCH: Plan(changes=(new,))}, of=2).changes == (new, off)


def test_what_is_over_a_limit_is_withheld_together_and_all_else_by_directory() -> None:
    off = [MailboxChange(Kind.DISABLE, one, Rule.MISSING) for one in (ANN, BOB)]
    over = [Withheld(Reason.OVER_LIMIT, (one,), 2, 1, "2 of 2") for one in off]
    doubt = Withheld(Reason.NOT_WHOLE, (off[0],), 2, 1, "1 of 2")
    plan = merged({HEAD: Plan(withheld=(over[0], doubt)), BRANCH: Plan(withheld=(over[1],))}, of=2)
    assert plan.withheld == (
        replace(doubt, directory=HEAD, sentence="head: 1 of 2"),
        replace(over[0], changes=tuple(off)),
    )


def chain(length: int) -> Branches:
    """Return lists that go to one another, in turns of one directory and the other; the last one leads to nobody."""
    links = [Address(f"list{number:02}@example.org") for number in range(length)]
    lists = [listing(one, after) for one, after in zip(links, [*links[1:], OUT], strict=True)]
    return both(head_wishes=lists[::2], branch_wishes=lists[1::2])


def test_plans_are_made_until_none_has_anything_new_to_heed() -> None:
    plan = chain(4).plan()
    assert plan.changes == ()
    assert set(codes(plan)) == {Code.MEMBER_UNREACHABLE, Code.LIST_EMPTY}


def test_there_is_an_end_to_it() -> None:
    assert 0 < len(chain(3 * ROUNDS).plan().changes) < 3 * ROUNDS
