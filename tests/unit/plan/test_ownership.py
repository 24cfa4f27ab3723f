"""What nobody touches: released, another installation's; and what is forgotten of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.model import Address, Cause, Code, ExistingAlias, Kind, Note, Subject
from ldap2mailcow.plan import make_plan

from .builders import (
    ANN,
    BOB,
    CAT,
    DISABLED_TAG,
    DOMAIN,
    INFO,
    MARK,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    existing,
    kinds,
    listing,
    make_config,
    only,
    only_alias,
    quiet,
    row,
    settled,
    wanted,
    wish,
)
from .simulated import simulate

RELEASED, BERLIN = "ldap-sync:released", "ldap-sync-berlin"
OF_ANN = wish(INFO, ANN)
OTHERS = [
    pytest.param((RELEASED,), Code.RELEASED, id="released"),
    pytest.param((MARK, RELEASED), Code.RELEASED, id="half released"),
    pytest.param((BERLIN,), Code.OTHER_INSTALLATION, id="another's"),
    pytest.param((f"{BERLIN}:disabled",), Code.OTHER_INSTALLATION, id="disabled by another"),
    pytest.param(("paris", "ldap-sync:paris"), Code.OTHER_INSTALLATION, id="signed by another"),
    pytest.param((MARK, BERLIN), Code.OTHER_INSTALLATION, id="both"),
]


@pytest.mark.parametrize("policy", ["overwrite", "keep_password", "refuse"])
@pytest.mark.parametrize(("tags", "code"), OTHERS)
@pytest.mark.parametrize("rows", [(), (row(ANN, disabled=Cause.STATUS),)], ids=["lost", "known"])
def test_such_a_mailbox_is_neither_adopted_nor_changed(
    tags: tuple[str, ...], code: Code, rows: tuple[object, ...], policy: str
) -> None:
    scene = Scene(
        wants=[wanted(ANN, name="Annie", active=1, quota=500)],
        has=[existing(ANN, tags=tags, active=0)],
        rows=rows,  # type: ignore[arg-type]
        config=make_config(adopt_mailboxes=policy),
    )
    plan = scene.plan()
    assert plan.changes == ()
    assert [(one.code, one.where) for one in plan.findings] == [(code, ANN)]
    assert plan.managed == 0
    assert make_plan(simulate(plan, scene.case())).notes == ()


@pytest.mark.parametrize(("tags", "code"), OTHERS)
def test_such_a_mailbox_is_not_disabled_whoever_is_gone(tags: tuple[str, ...], code: Code) -> None:
    scene = quiet([ANN, BOB], has=[existing(ANN, tags=tags), existing(BOB)], wants=[wanted(BOB)])
    plan = scene.plan()
    assert (plan.changes, plan.pending, plan.findings) == ((), (), ())
    assert plan.unmanaged == (ANN,)
    assert plan.managed == 1
    assert code


@pytest.mark.parametrize(
    ("tags", "forgotten"),
    [
        ((RELEASED,), True),
        ((MARK, RELEASED), True),
        ((BERLIN,), True),
        ((BERLIN, DISABLED_TAG), True),
        ((MARK, BERLIN), False),
        ((MARK,), False),
        ((), False),
    ],
)
def test_what_is_not_ours_any_more_is_forgotten(tags: tuple[str, ...], forgotten: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    plan = quiet([ANN], has=[existing(ANN, tags=tags)]).plan()
    assert (Note(ANN, None) in plan.notes) is forgotten


def test_both_marks_are_told_and_the_row_stays() -> None:
    plan = quiet([ANN], has=[existing(ANN, tags=(MARK, BERLIN))]).plan()
    (finding,) = plan.findings
    assert "our mark and that of another installation, ldap-sync-berlin," in finding.sentence
    assert plan.notes == ()


def test_the_finding_names_the_mark_and_the_tags_to_delete() -> None:
    tags = ("paris", "ldap-sync:paris", "paris:disabled")
    (finding,) = quiet([ANN], has=[existing(ANN, tags=tags)]).plan().findings
    assert "the mark of another installation, paris," in finding.sentence
    assert "delete the tag ldap-sync:paris, paris:disabled in" in finding.sentence


def test_without_the_tag_a_released_mailbox_is_managed_again() -> None:
    scene = quiet([ANN], has=[existing(ANN, tags=(RELEASED,))])
    view = simulate(scene.plan(), scene.case())
    cleared = {ANN: existing(ANN, tags=())}
    plan = make_plan(replace(view, actual=replace(view.actual, mailboxes=cleared)))
    assert kinds(plan.changes) == [(Kind.ADOPT, ANN)]


def test_the_protection_of_the_config_is_told_first() -> None:
    scene = quiet([ANN], has=[existing(ANN, tags=(RELEASED,))], config=make_config(protected=[ANN]))
    assert codes(scene.plan()) == [Code.PROTECTED]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"config": alias_config(protected=[ANN])}, Code.PROTECTED),
        ({"has": [existing(ANN, tags=(RELEASED,))]}, Code.RELEASED),
        ({"has": [existing(ANN, tags=(BERLIN,))]}, Code.OTHER_INSTALLATION),
        (
            {"has": [existing(ANN, tags=())], "rows": [], "config": alias_config(adopt_mailboxes="refuse")},
            Code.ADOPTION_REFUSED,
        ),
    ],
)
def test_it_is_told_by_its_address_for_its_user_s_other_addresses_are_followed(
    more: dict[str, Any], code: Code
) -> None:
    plan = settled([ANN], [OF_ANN], aliases=[], alias_rows=[], **more).plan()
    assert [(one.code, one.where) for one in plan.findings] == [(code, ANN)]
    assert kinds(plan.changes) == [(Kind.CREATE, INFO)]


def test_what_is_wanted_as_a_mailbox_and_as_an_alias_is_told_once() -> None:
    plan = settled([ANN, BOB], [wish(ANN, BOB)], aliases=[], alias_rows=[], config=alias_config(protected=[ANN])).plan()
    assert [(one.code, one.where) for one in plan.findings] == [(Code.PROTECTED, ANN)]


@pytest.mark.parametrize("tag", [RELEASED, BERLIN])
def test_its_person_stays_on_lists_and_keeps_further_addresses(tag: str) -> None:
    wishes = [listing(TEAM, ANN, BOB), OF_ANN]
    scene = settled([ANN, BOB], wishes, has=[existing(ANN, tags=(tag,)), existing(BOB)])
    assert scene.plan().changes == ()
    new = replace(scene, aliases=(), alias_rows=()).plan()
    assert {change.address: change.writes["goto"] for change in new.changes} == {  # type: ignore[attr-defined]
        TEAM: f"{ANN},{BOB}",
        INFO: ANN,
    }


@pytest.mark.parametrize("tag", [RELEASED, BERLIN])
def test_its_user_gets_no_rights_and_loses_none(tag: str) -> None:
    scene = settled(
        [ANN, BOB],
        [],
        has=[existing(ANN, tags=(tag,)), existing(BOB)],
        rows=[row(ANN, senders=frozenset({BOB})), row(BOB)],
        config=alias_config(mapping={"send_as": "mailSendAs"}),
        wished={"senders": {ANN: frozenset({CAT, TEAM})}},
    )
    assert scene.plan().changes == ()
    assert scene.plan().unread == frozenset()


@pytest.mark.parametrize(
    ("config", "wished", "told"),
    [
        ({}, {}, []),
        ({"removed_users": {"action": "disable"}}, {}, [Code.OTHER_INSTALLATION]),
        ({}, {"senders": {ANN: frozenset({BOB})}}, [Code.OTHER_INSTALLATION]),
        ({}, {"foreign_senders": {ANN: frozenset({BOB})}}, [Code.OTHER_INSTALLATION]),
    ],
)
def test_where_mailboxes_come_from_another_installation_it_is_told_only_where_it_hinders(
    config: dict[str, Any], wished: dict[str, object], told: list[Code]
) -> None:
    scene = settled(
        [ANN],
        [OF_ANN],
        has=[existing(ANN, tags=(BERLIN,))],
        rows=(),
        config=alias_config(create_mailboxes=False, **config),
        wished=wished,
    )
    plan = scene.plan()
    assert (plan.changes, codes(plan)) == ((), told)


# marks of our own


PARIS = make_config(mark="paris")


def test_a_new_mailbox_gets_the_signature_too() -> None:
    plan = Scene(wants=[wanted(ANN, active=0)], config=PARIS).plan()
    assert only(plan.changes).add_tags == ("paris", "ldap-sync:paris", "paris:disabled")


@pytest.mark.parametrize(
    ("tags", "added"),
    [
        ((), ("paris", "ldap-sync:paris")),
        (("paris",), ("ldap-sync:paris",)),
        (("ldap-sync:paris",), ("paris",)),
        (("Paris", "ldap-sync:paris"), ()),
    ],
)
def test_a_mailbox_of_ours_gets_the_tags_that_it_lacks(tags: tuple[str, ...], added: tuple[str, ...]) -> None:
    scene = quiet([ANN], has=[existing(ANN, tags=tags)], config=PARIS)
    assert [change.add_tags for change in scene.plan().changes] == [added] * bool(added)  # type: ignore[attr-defined]
    assert make_plan(simulate(scene.plan(), scene.case())).changes == ()


def test_a_lost_state_file_is_made_good_by_the_signature() -> None:
    scene = Scene(wants=[wanted(ANN)], has=[existing(ANN, tags=("ldap-sync:paris",))], config=PARIS)
    assert only(scene.plan().changes).kind is Kind.UPDATE


# aliases


def found(existing_alias: ExistingAlias, policy: str = "overwrite", *, known: bool = False) -> Scene:
    """Return a scene with somebody's further address, which mailcow has."""
    return settled(
        [ANN],
        [OF_ANN],
        aliases=[existing_alias],
        alias_rows=[alias_row(OF_ANN)] if known else [],
        config=alias_config(adopt_aliases=policy),
    )


@pytest.mark.parametrize("policy", ["overwrite", "same_goto", "refuse"])
@pytest.mark.parametrize(
    ("comment", "code"),
    [
        (RELEASED, Code.RELEASED),
        (BERLIN, Code.OTHER_INSTALLATION),
        ("paris:disabled", Code.OTHER_INSTALLATION),
        ("press", Code.OTHER_INSTALLATION),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_such_an_alias_is_neither_adopted_nor_changed(
    comment: str,
    code: Code,
    policy: str,
    known: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = found(alias(INFO, ANN, mark=comment, active=0), policy, known=known)
    plan = scene.plan()
    assert plan.changes == ()
    assert [(one.code, one.where) for one in plan.findings] == [(code, INFO)]
    assert (Note(INFO, None, Subject.ALIAS) in plan.notes) is known
    assert plan.managed_aliases == 0
    assert make_plan(simulate(plan, scene.case())).notes == ()


def test_the_finding_quotes_the_comment_and_says_to_clear_it() -> None:
    (finding,) = found(alias(INFO, ANN, mark="press")).plan().findings
    assert '"press"' in finding.sentence
    assert "clear that comment in mailcow" in finding.sentence


@pytest.mark.parametrize("comment", [RELEASED, BERLIN])
def test_such_an_alias_stays_when_nobody_asks_for_it(comment: str) -> None:
    scene = settled([ANN], [], aliases=[alias(INFO, ANN, BOB, mark=comment)], alias_rows=[alias_row(OF_ANN)])
    plan = scene.plan()
    assert (plan.changes, plan.findings, plan.unmanaged_aliases) == ((), (), (INFO,))


def test_without_the_comment_a_released_alias_is_managed_again() -> None:
    scene = found(alias(INFO, ANN, mark=RELEASED), "same_goto", known=True)
    view = simulate(scene.plan(), scene.case())
    cleared = {INFO: alias(INFO, ANN, mark="")}
    plan = make_plan(replace(view, actual=replace(view.actual, aliases=cleared)))
    assert only_alias(plan.changes).kind is Kind.ADOPT


@pytest.mark.parametrize(
    ("there", "reached"),
    [
        pytest.param([alias(INFO, ANN, mark=BERLIN)], True, id="active"),
        pytest.param([alias(INFO, ANN, mark=BERLIN, active=0)], False, id="inactive"),
    ],
)
def test_mail_goes_by_an_alias_of_another_installation_only_where_that_is_active(
    there: list[ExistingAlias],
    reached: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    scene = settled([ANN], [OF_ANN, listing(TEAM, ANN, INFO)], aliases=there, alias_rows=[])
    change = only_alias(scene.plan().changes)
    assert change.writes["goto"] == (f"{ANN},{INFO}" if reached else ANN)


def test_nothing_goes_to_a_protected_address_that_is_not_there() -> None:
    scene = settled([ANN], [OF_ANN, listing(TEAM, ANN, INFO)], aliases=[], alias_rows=[])
    plan = replace(scene, config=alias_config(protected=[INFO])).plan()
    assert only_alias(plan.changes).writes["goto"] == ANN


def test_a_mailbox_where_another_installation_has_an_alias_is_not_made() -> None:
    new = Address(f"new@{DOMAIN}")
    plan = settled([ANN], [], wants=[wanted(ANN), wanted(new)], aliases=[alias(new, ANN, mark=BERLIN)]).plan()
    (finding,) = plan.findings
    assert finding.code is Code.ADDRESS_IS_ALIAS
    assert "the mark of another installation" in finding.sentence
    assert "delete that alias" not in finding.sentence


def test_a_mailbox_where_a_released_alias_is_is_not_made() -> None:
    new = Address(f"new@{DOMAIN}")
    plan = settled([ANN], [], wants=[wanted(ANN), wanted(new)], aliases=[alias(new, ANN, mark=RELEASED)]).plan()
    (finding,) = plan.findings
    assert (finding.code, plan.changes) == (Code.ADDRESS_IS_ALIAS, ())
    assert "delete that alias" in finding.sentence
