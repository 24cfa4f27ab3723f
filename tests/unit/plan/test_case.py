"""Whose a mailbox or an alias is, and what is left alone: protected, released, another installation's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import (
    Address,
    Cause,
    Code,
    EntryId,
    ExistingAlias,
    Kind,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    Role,
    Rule,
    SourceMemory,
    Subject,
)
from ldap2mailcow.plan import Guarded, Options

from .builders import (
    ALIAS_DOMAIN,
    ANN,
    BOB,
    CAT,
    DISABLED_TAG,
    INFO,
    MARK,
    OUTSIDE,
    TEAM,
    Scene,
    alias,
    alias_config,
    alias_row,
    codes,
    existing,
    forward,
    kinds,
    listing,
    make_config,
    of_aliases,
    only_alias,
    quiet,
    row,
    settled,
    wanted,
    wish,
)

RELEASED, BERLIN, RENAMED = "ldap-sync:released", "ldap-sync-berlin", "ldap-sync:renamed"
OF_ANN = wish(INFO, ANN)
LDAP = {"uri": "ldaps://ldap.example.org", "user_search_base": "dc=x"}
TWO = make_config(ldap=[{"name": "default", **LDAP, "domains": [ANN.domain]}, {"name": "branch", **LDAP}])

OTHERS = [
    pytest.param((RELEASED,), Rule.WAS_RELEASED, id="released"),
    pytest.param((MARK, RELEASED), Rule.WAS_RELEASED, id="half released"),
    pytest.param((BERLIN,), Rule.OTHER_INSTALLATION, id="another's"),
    pytest.param((f"{BERLIN}:disabled",), Rule.OTHER_INSTALLATION, id="disabled by another"),
    pytest.param(("paris", "ldap-sync:paris"), Rule.OTHER_INSTALLATION, id="signed by another"),
    pytest.param((MARK, BERLIN), Rule.OTHER_INSTALLATION, id="both"),
]
CODES = {Rule.WAS_RELEASED: Code.RELEASED, Rule.OTHER_INSTALLATION: Code.OTHER_INSTALLATION}


# mailboxes


@pytest.mark.parametrize("policy", ["overwrite", "keep_password", "refuse"])
@pytest.mark.parametrize(("tags", "rule"), OTHERS)
@pytest.mark.parametrize("rows", [(), (row(ANN, disabled=Cause.STATUS),)], ids=["lost", "known"])
def test_a_mailbox_that_is_left_alone_is_neither_adopted_nor_changed(
    tags: tuple[str, ...], rule: Rule, rows: tuple[Remembered, ...], policy: str
) -> None:
    plan = Scene(
        wants=[wanted(ANN, name="Annie", active=1, quota=500)],
        has=[existing(ANN, tags=tags, active=0)],
        rows=rows,
        config=make_config(adopt_mailboxes=policy),
    ).plan()
    assert (plan.changes, plan.managed, plan.rules[Subject.MAILBOX, ANN]) == ((), 0, rule)
    assert [(one.code, one.where) for one in plan.findings] == [(CODES[rule], ANN)]


@pytest.mark.parametrize(("tags", "rule"), OTHERS)
def test_it_is_not_disabled_where_its_entry_is_gone(tags: tuple[str, ...], rule: Rule) -> None:
    plan = quiet([ANN, BOB], has=[existing(ANN, tags=tags), existing(BOB)], wants=[wanted(BOB)]).plan()
    assert (plan.changes, plan.pending, plan.findings) == ((), (), ())
    assert (plan.unmanaged, plan.managed, rule in CODES) == ((ANN,), 1, True)


@pytest.mark.parametrize(
    ("tags", "is_forgotten"),
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
def test_what_is_not_ours_any_more_is_forgotten(tags: tuple[str, ...], is_forgotten: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    plan = quiet([ANN], has=[existing(ANN, tags=tags)]).plan()
    assert (Note(ANN, None) in plan.notes) is is_forgotten


def test_what_is_forgotten_is_remembered_by_no_rule() -> None:
    """And what is gone from mailcow is no other's because of that."""
    there, rows = [alias(INFO, ANN, mark=BERLIN)], [alias_row(OF_ANN), alias_row(listing(TEAM, ANN))]
    has = [existing(ANN, tags=(BERLIN,))]
    case = quiet([ANN], has=has, rows=[row(ANN), row(BOB)], aliases=there, alias_rows=rows).case()
    assert case.forgotten == (Note(ANN, None), Note(INFO, None, Subject.ALIAS))
    assert ([*case.rows], [*case.alias_rows]) == ([BOB], [TEAM])


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ((MARK, BERLIN), "our mark and that of another installation, ldap-sync-berlin,"),
        (("paris", "ldap-sync:paris"), "the mark of another installation, paris, and"),
        (("paris", "ldap-sync:paris"), "delete the tag ldap-sync:paris in mailcow"),
        ((RELEASED,), "delete the tag ldap-sync:released in mailcow to have it managed again"),
    ],
)
def test_the_finding_names_the_mark_and_the_tag_to_delete(tags: tuple[str, ...], said: str) -> None:
    (finding,) = quiet([ANN], has=[existing(ANN, tags=tags)]).plan().findings
    assert said in finding.sentence


def test_without_the_tag_a_released_mailbox_is_one_to_adopt() -> None:
    plan = quiet([ANN], has=[existing(ANN, tags=())], rows=[]).plan()
    assert [(one.kind, one.addresses) for one in plan.withheld] == [(Guarded.ADOPT, (ANN,))]


def test_the_protection_of_the_config_is_told_first() -> None:
    plan = quiet([ANN], has=[existing(ANN, tags=(RELEASED,))], config=make_config(protected=[ANN])).plan()
    assert codes(plan) == [Code.PROTECTED]


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
def test_it_is_told_by_its_address_for_the_user_s_other_addresses_are_followed(
    more: dict[str, Any], code: Code
) -> None:
    plan = settled([ANN], [OF_ANN], aliases=[], alias_rows=[], **more).plan()
    assert [(one.code, one.where) for one in plan.findings] == [(code, ANN)]
    assert kinds(plan.changes) == [(Kind.CREATE, INFO)]


def test_what_is_wanted_as_a_mailbox_and_as_an_alias_is_told_once() -> None:
    plan = settled([ANN, BOB], [wish(ANN, BOB)], aliases=[], alias_rows=[], config=alias_config(protected=[ANN])).plan()
    assert [(one.code, one.where) for one in plan.findings if one.where == ANN] == [(Code.PROTECTED, ANN)]


@pytest.mark.parametrize("tag", [RELEASED, BERLIN])
def test_its_user_is_on_lists_and_has_further_addresses(tag: str) -> None:
    has = [existing(ANN, tags=(tag,)), existing(BOB)]
    at = settled([ANN, BOB], [listing(TEAM, ANN, BOB), OF_ANN], has=has)
    assert at.plan().changes == ()
    new = of_aliases(replace(at, aliases=(), alias_rows=()).plan().changes)
    assert {change.address: change.writes["goto"] for change in new} == {TEAM: f"{ANN},{BOB}", INFO: ANN}


@pytest.mark.parametrize("tag", [RELEASED, BERLIN])
def test_its_user_gets_no_rights_and_loses_none(tag: str) -> None:
    at = settled(
        [ANN, BOB],
        wants=[wanted(ANN, senders=[BOB]), wanted(BOB)],
        has=[existing(ANN, tags=(tag,)), existing(BOB)],
        rows=[row(ANN, senders=frozenset({CAT})), row(BOB)],
        config=alias_config(mapping={"send_as": "mailSendAs"}),
    )
    assert at.plan().changes == ()


@pytest.mark.parametrize(
    ("settings", "senders", "told"),
    [
        ({}, [], []),
        ({"removed_users": {"action": "disable"}}, [], [Code.OTHER_INSTALLATION]),
        ({}, [BOB], [Code.OTHER_INSTALLATION]),
    ],
)
def test_where_mailboxes_come_from_elsewhere_it_is_told_only_where_it_hinders(
    settings: dict[str, Any], senders: list[Address], told: list[Code]
) -> None:
    plan = settled(
        [ANN],
        [OF_ANN],
        wants=[wanted(ANN, senders=senders)],
        has=[existing(ANN, tags=(BERLIN,))],
        rows=(),
        config=alias_config(create_mailboxes=False, **settings),
    ).plan()
    assert (plan.changes, codes(plan)) == ((), told)


# aliases


def found(there: ExistingAlias, policy: str = "overwrite", *, known: bool = False) -> Scene:
    """Return a scene with a further address of Ann, which mailcow has."""
    return settled(
        [ANN],
        [OF_ANN],
        aliases=[there],
        alias_rows=[alias_row(OF_ANN)] if known else [],
        config=alias_config(adopt_aliases=policy),
    )


@pytest.mark.parametrize("policy", ["overwrite", "same_goto", "refuse"])
@pytest.mark.parametrize(("comment", "code"), [(RELEASED, Code.RELEASED), (BERLIN, Code.OTHER_INSTALLATION)])
@pytest.mark.parametrize("known", [False, True])
def test_an_alias_that_is_left_alone_is_neither_adopted_nor_changed(
    comment: str,
    code: Code,
    policy: str,
    known: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    plan = found(alias(INFO, ANN, mark=comment, active=0), policy, known=known).plan()
    assert (plan.changes, plan.managed_aliases) == ((), 0)
    assert [(one.code, one.where) for one in plan.findings] == [(code, INFO)]
    assert (Note(INFO, None, Subject.ALIAS) in plan.notes) is known


@pytest.mark.parametrize("comment", ["press", "paris:disabled", "for the press"])
@pytest.mark.parametrize(
    ("policy", "changes", "told"),
    [("same_goto", [(Kind.ADOPT, INFO)], []), ("refuse", [], [Code.ALIAS_NOT_OURS])],
)
def test_an_alias_with_a_comment_that_was_made_by_hand_is_simply_not_ours(
    comment: str, policy: str, changes: list[tuple[Kind, Address]], told: list[Code]
) -> None:
    plan = found(alias(INFO, ANN, mark=comment), policy).plan()
    assert (kinds(plan.changes), codes(plan)) == (changes, told)
    unasked = settled([ANN], [], aliases=[alias(INFO, ANN, mark=comment)], alias_rows=[]).plan()
    assert (unasked.changes, unasked.findings, unasked.unmanaged_aliases) == ((), (), (INFO,))


def test_the_finding_quotes_the_comment_and_says_to_clear_it() -> None:
    (finding,) = found(alias(INFO, ANN, mark=BERLIN)).plan().findings
    assert '"ldap-sync-berlin"' in finding.sentence
    assert "clear that comment in mailcow" in finding.sentence


@pytest.mark.parametrize("comment", [RELEASED, BERLIN])
def test_an_alias_that_is_left_alone_stays_where_no_entry_asks_for_it(comment: str) -> None:
    there = [alias(INFO, ANN, BOB, mark=comment)]
    plan = settled([ANN], [], aliases=there, alias_rows=[alias_row(OF_ANN)]).plan()
    assert (plan.changes, plan.findings, plan.unmanaged_aliases) == ((), (), (INFO,))


def test_without_the_comment_a_released_alias_is_managed_again() -> None:
    assert only_alias(found(alias(INFO, ANN, mark=""), "same_goto").plan().changes).kind is Kind.ADOPT


@pytest.mark.parametrize(
    ("there", "config", "goto"),
    [
        pytest.param([alias(INFO, BOB, mark=BERLIN)], alias_config(), f"{ANN},{INFO}", id="another's, active"),
        pytest.param([alias(INFO, BOB, mark=BERLIN, active=0)], alias_config(), ANN, id="another's, inactive"),
        pytest.param([], alias_config(protected=[INFO]), ANN, id="protected, and not there"),
    ],
)
def test_mail_goes_by_an_alias_that_is_left_alone_only_where_that_takes_mail(
    there: list[ExistingAlias], config: Config, goto: str
) -> None:
    wishes = [forward(INFO, BOB), listing(TEAM, ANN, INFO)]
    plan = settled([ANN, BOB], wishes, aliases=there, alias_rows=[], config=config).plan()
    assert only_alias(plan.changes).writes["goto"] == goto


LEFT = f"Mailbox was renamed from {INFO} to {ANN}"
"""The comment of an alias as mailcow makes it where it renames a mailbox."""


@pytest.mark.parametrize(
    ("there", "known", "is_ours"),
    [
        pytest.param(alias(INFO, ANN), None, True, id="by its mark"),
        pytest.param(alias(INFO, ANN, mark=DISABLED_TAG), None, True, id="by the mark of what we disabled"),
        pytest.param(alias(INFO, ANN, mark=""), None, False, id="by hand"),
        pytest.param(alias(INFO, ANN, mark=""), alias_row(OF_ANN), True, id="by the state file"),
        pytest.param(alias(INFO, ANN, mark=""), alias_row(OF_ANN, number=7), False, id="another one"),
        pytest.param(alias(INFO, ANN, mark=LEFT), None, False, id="left by a rename by hand"),
        pytest.param(
            alias(INFO, ANN, mark=LEFT), alias_row(OF_ANN, role=Role.FORMER, number=None), True, id="left by ours"
        ),
        pytest.param(alias(INFO, ANN, mark=LEFT), alias_row(OF_ANN, number=None), False, id="of another role"),
        pytest.param(
            alias(INFO, ANN, mark=LEFT), alias_row(OF_ANN, role=Role.FORMER, number=7), False, id="left by another"
        ),
        pytest.param(
            alias(INFO, ANN, mark=""), alias_row(OF_ANN, role=Role.FORMER, number=None), False, id="left by no rename"
        ),
    ],
)
def test_an_alias_is_ours_if_the_state_file_or_its_mark_says_so(
    there: ExistingAlias,
    known: RememberedAlias | None,
    is_ours: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    case = Scene(aliases=[there], alias_rows=[known] if known else []).case()
    assert case.is_our_alias(there) is is_ours


@pytest.mark.parametrize(
    ("comment", "role", "is_disabled"),
    [(MARK, None, False), (DISABLED_TAG, None, True), (RENAMED, Role.FORMER, False)],
)
def test_an_alias_that_only_its_mark_makes_ours_has_what_the_mark_says(
    comment: str,
    role: Role | None,
    is_disabled: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    there = alias(INFO, ANN, mark=comment)
    case = Scene(aliases=[there]).case()
    found = RememberedAlias(INFO, "default", "", "", role, Origin.MARK, disabled=is_disabled)
    assert (case.alias_row(there), case.disabled_alias(there)) == (found, is_disabled)


@pytest.mark.parametrize(
    ("known", "is_ours"),
    [
        (alias_row(OF_ANN, disabled=True), True),
        (alias_row(OF_ANN, disabled=True, number=7), False),
        (alias_row(OF_ANN), False),
    ],
    ids=["ours", "another one", "by hand"],
)
def test_an_inactive_alias_is_our_doing_if_the_row_about_it_says_so(known: RememberedAlias, is_ours: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    there = alias(INFO, ANN, mark="")
    assert Scene(aliases=[there], alias_rows=[known]).case().disabled_alias(there) is is_ours


# of which directory


@pytest.mark.parametrize(
    ("known", "unclaimed", "not_read", "unknown"),
    [
        pytest.param(row(ANN), False, False, False, id="of one that was read"),
        pytest.param(row(ANN, source="branch"), False, True, False, id="of one that wasn't"),
        pytest.param(row(ANN, source="gone"), False, False, True, id="of none in the config"),
        pytest.param(row(ANN, source="gone", id=None, dn=""), True, False, False, id="by its mark"),
        pytest.param(
            row(ANN, source="gone", id=None, origin=Origin.ANCESTOR), True, False, False, id="by the ancestor"
        ),
        pytest.param(row(ANN, source="gone", id=None), False, False, True, id="by its DN"),
        pytest.param(row(ANN, source="gone", origin=Origin.ANCESTOR), False, False, True, id="by its id"),
        pytest.param(row(ANN, source="branch", id=None, dn=""), True, False, False, id="by its mark, whose mark ever"),
        pytest.param(alias_row(OF_ANN, source="branch"), False, True, False, id="an alias"),
        pytest.param(alias_row(OF_ANN, source="gone", dn=""), False, False, True, id="a list that its members name"),
        pytest.param(alias_row(OF_ANN, source="gone", owner=""), False, False, True, id="an alias by its DN"),
        pytest.param(alias_row(OF_ANN, source="gone", owner="", dn=""), True, False, False, id="an alias by its mark"),
    ],
)
def test_of_which_directory_a_row_is(
    known: Remembered | RememberedAlias,
    unclaimed: bool,  # noqa: FBT001 - pytest gives it by name
    not_read: bool,  # noqa: FBT001 - the same
    unknown: bool,  # noqa: FBT001 - the same
) -> None:
    case = Scene(config=TWO, silent=frozenset({"branch"})).case()
    assert not case.all_answered
    assert (case.is_unclaimed(known), case.not_read(known), case.is_of_unknown(known)) == (unclaimed, not_read, unknown)


def test_an_address_of_an_alias_domain_is_in_the_domain_that_it_stands_for() -> None:
    case = Scene(config=TWO, alias_domains={ALIAS_DOMAIN: ANN.domain}).case()
    first, second = case.config.sources
    twin = Address(f"ann@{ALIAS_DOMAIN}")
    assert (case.home_domain(twin), case.home_domain(OUTSIDE)) == (ANN.domain, OUTSIDE.domain)
    assert [case.looks_at(first, one) for one in (ANN, twin, OUTSIDE)] == [True, True, False]
    assert case.looks_at(second, OUTSIDE)


def test_a_directory_is_named_where_there_are_several() -> None:
    entry = EntryId("branch", "id")
    assert (Scene(config=TWO).case().directory_of(entry), Scene().case().directory_of(entry)) == ("branch", "")


def test_nothing_is_remembered_of_a_new_directory() -> None:
    assert Scene(sources={}).case().source_memory("default") == SourceMemory()


@pytest.mark.parametrize(
    ("mapping", "manages"), [({}, False), ({"aliases": ["proxyAddresses"]}, True), ({"send_as": "mailSendAs"}, True)]
)
def test_the_config_has_to_do_with_aliases_where_rights_are_given_too(
    mapping: dict[str, object],
    manages: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    assert Scene(config=make_config(mapping=mapping)).case().manages_aliases is manages


@pytest.mark.parametrize(
    ("options", "scoped", "in_scope"),
    [
        (Options(), False, [True, True]),
        (Options(only=frozenset({ANN})), True, [True, False]),
        (Options(overridden_filter=True), True, [True, True]),
    ],
)
def test_a_run_looks_at_the_addresses_that_it_is_for(
    options: Options,
    scoped: bool,  # noqa: FBT001 - pytest gives it by name
    in_scope: list[bool],
) -> None:
    case = Scene(options=options).case()
    assert (case.options.scoped, [case.in_scope(one) for one in (ANN, BOB)]) == (scoped, in_scope)
