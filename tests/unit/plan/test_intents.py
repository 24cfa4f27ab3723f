"""Intents: what an earlier run began is recorded where mailcow did it, put right where it is half done, or dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ldap2mailcow.model import (
    Actual,
    AliasChange,
    Cause,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    MailboxChange,
    Memory,
    Note,
    Origin,
    Remembered,
    RememberedAlias,
    RenameChange,
    Role,
    Rule,
    Subject,
)
from ldap2mailcow.plan import deletions_begun, needs_intent, remembered, settle

from .builders import (
    ANN,
    BOB,
    CAT,
    DISABLED_TAG,
    INFO,
    MARK,
    TEAM,
    Scene,
    alias,
    alias_row,
    existing,
    make_domain,
    row,
    wish,
)

RENAME = RenameChange(
    Kind.RENAME,
    BOB,
    Rule.RENAMED,
    "uid=ann",
    former=ANN,
    notes=(
        Note(
            ANN,
            {
                "source": "default",
                "owner": "id-ann",
                "dn": "uid=ann",
                "role": Role.FORMER,
                "origin": Origin.CREATED,
                "number": None,
                "applied": {"goto": BOB},
            },
            Subject.ALIAS,
        ),
        Note(CAT, {"senders": frozenset({BOB})}),
    ),
)
DELETION = MailboxChange(
    Kind.DELETE, ANN, Rule.EXPIRED, "uid=ann", remember=None, notes=(Note(INFO, None, Subject.ALIAS),)
)
SILENCE = AliasChange(
    Kind.DISABLE, INFO, Rule.NO_TARGET, remember={"disabled": True, "number": 7}, writes={"active": 0}, number=7
)
BIRTH = MailboxChange(Kind.CREATE, ANN, Rule.NEW, "uid=ann", add_tags=(MARK,), remember={"origin": Origin.CREATED})
BARRING = MailboxChange(
    Kind.DISABLE,
    ANN,
    Rule.MISSING,
    add_tags=(DISABLED_TAG,),
    remember={"disabled": Cause.MISSING, "was_active": 1, "barred": 2},
)


def memory(*intents: Change, rows: Iterable[Remembered] = (), aliases: Iterable[RememberedAlias] = ()) -> Memory:
    of_nothing = Scene().case().memory
    return replace(
        of_nothing,
        mailboxes={one.address: one for one in rows},
        aliases={one.address: one for one in aliases},
        intents=intents,
    )


def mailcow(*there: Existing | ExistingAlias) -> Actual:
    boxes = {one.address: one for one in there if isinstance(one, Existing)}
    aliases = {one.address: one for one in there if isinstance(one, ExistingAlias)}
    return replace(Scene().case().actual, mailboxes=boxes, aliases=aliases)


@pytest.mark.parametrize(
    ("change", "needs"),
    [
        (RENAME, True),
        (DELETION, True),
        (SILENCE, True),
        (BIRTH, True),
        (BARRING, True),
        (replace(BIRTH, kind=Kind.ADOPT), False),
        (replace(BARRING, kind=Kind.ENABLE), False),
        (replace(BARRING, kind=Kind.UPDATE), False),
        (replace(SILENCE, kind=Kind.UPDATE), False),
        (replace(SILENCE, kind=Kind.REMOVE), False),
    ],
)
def test_what_mailcow_alone_would_not_tell_afterwards_needs_an_intent(change: Change, needs: bool) -> None:  # noqa: FBT001
    assert needs_intent(change) is needs


# whether it was done


ASIDE = alias(INFO, BOB, number=7, active=0)
DONE: dict[str, tuple[Change, list[Existing | ExistingAlias], bool]] = {
    "renamed": (RENAME, [existing(BOB)], True),
    "not renamed": (RENAME, [existing(ANN)], False),
    "both are there": (RENAME, [existing(ANN), existing(BOB)], False),
    "neither is there": (RENAME, [], False),
    "deleted": (DELETION, [existing(BOB)], True),
    "not deleted": (DELETION, [existing(ANN)], False),
    "set inactive": (SILENCE, [ASIDE], True),
    "still active": (SILENCE, [alias(INFO, BOB, number=7)], False),
    "another alias": (SILENCE, [alias(INFO, BOB, number=8, active=0)], False),
    "no alias any more": (SILENCE, [], False),
    "made": (BIRTH, [existing(ANN, tags=[MARK, "more"])], True),
    "not made": (BIRTH, [existing(BOB)], False),
    "made by somebody else": (BIRTH, [existing(ANN, tags=())], False),
    "barred": (BARRING, [existing(ANN, active=2, tags=[MARK, DISABLED_TAG])], True),
    "disabled where it was barred": (
        replace(BARRING, add_tags=(), remember={"disabled": Cause.STATUS, "was_active": 1, "barred": 0}),
        [existing(ANN, active=0, tags=[MARK, DISABLED_TAG])],
        True,
    ),
    "not barred": (BARRING, [existing(ANN, tags=[MARK, DISABLED_TAG])], False),
    "barred by somebody else": (BARRING, [existing(ANN, active=2)], False),
    "set inactive by somebody else": (BARRING, [existing(ANN, active=0, tags=[MARK, DISABLED_TAG])], False),
    "nobody to bar": (BARRING, [], False),
}


@pytest.mark.parametrize(("change", "there", "done"), DONE.values(), ids=DONE)
def test_mailcow_tells_whether_it_was_done(
    change: Change,
    there: list[Existing | ExistingAlias],
    done: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    before, actual = memory(change, rows=[row(ANN), row(CAT)], aliases=[alias_row(wish(INFO, BOB))]), mailcow(*there)
    after, found = settle(before, actual)
    assert found.done == ((change,) if done else ())
    assert after == (remembered(before, change) if done else before)


def test_nothing_begun_is_nothing_to_settle() -> None:
    before, actual = memory(rows=[row(ANN)]), mailcow(existing(ANN))
    after, found = settle(before, actual)
    assert (after, found.done, found.halves) == (before, (), frozenset())


def test_a_mailbox_of_which_half_is_left_is_not_deleted() -> None:
    before = memory(DELETION, rows=[row(ANN)])
    after, found = settle(before, mailcow(), [ANN])
    assert (after, found.done, found.halves) == (before, (), frozenset({ANN}))


def test_a_mailbox_of_a_domain_that_is_not_looked_at_any_more_may_well_be_there() -> None:
    elsewhere = replace(mailcow(), domains={"example.com": make_domain([], "example.com")})
    before = memory(DELETION, rows=[row(ANN)])
    assert deletions_begun(before, elsewhere) == frozenset()
    after, found = settle(before, elsewhere)
    assert (after, found.done) == (before, ())


def test_deletions_that_were_begun_and_are_not_listed_may_be_half_done() -> None:
    begun = memory(DELETION, replace(DELETION, address=BOB), RENAME)
    assert deletions_begun(begun, mailcow(existing(BOB))) == {ANN}


def test_several_are_settled_in_their_order() -> None:
    """A swap of which all but the last was recorded, and a rename before it that failed."""
    earlier = replace(RENAME, former=CAT, address=ANN, notes=())
    later = replace(RENAME, notes=())
    after, found = settle(memory(earlier, later, rows=[row(CAT)]), mailcow(existing(BOB)))
    assert found.done == (later,)
    assert after.mailboxes.keys() == {CAT}


@pytest.mark.parametrize(
    ("change", "there"),
    [
        (replace(RENAME, notes=RENAME.notes[1:]), [existing(BOB)]),
        (replace(RENAME, notes=(Note(INFO, {"applied": {"goto": BOB}}, Subject.ALIAS),)), [existing(BOB)]),
        (SILENCE, [ASIDE]),
    ],
)
def test_what_was_released_meanwhile_is_not_remembered_again(
    change: Change, there: list[Existing | ExistingAlias]
) -> None:
    after, found = settle(memory(change), mailcow(*there))
    assert found.done == (replace(change, notes=(), remember={}),)
    assert (after.mailboxes, after.aliases) == ({}, {})


def test_what_one_note_makes_the_next_one_may_change() -> None:
    again = Note(ANN, {"role": Role.USER}, Subject.ALIAS)
    change = replace(RENAME, notes=(RENAME.notes[0], again))
    after, found = settle(memory(change, rows=[row(ANN)]), mailcow(existing(BOB)))
    assert found.done == (change,)
    assert after.aliases[ANN].role is Role.USER


# what is remembered once it is done


def test_a_rename_moves_the_row_and_remembers_its_notes() -> None:
    after = remembered(memory(rows=[row(ANN, kept=True), row(CAT, senders=frozenset({ANN}))]), RENAME)
    assert after.mailboxes[BOB] == replace(row(ANN, kept=True), address=BOB)
    assert ANN not in after.mailboxes
    assert after.mailboxes[CAT].senders == {BOB}
    assert after.aliases[ANN] == RememberedAlias(
        ANN, "default", "id-ann", "uid=ann", Role.FORMER, Origin.CREATED, applied={"goto": BOB}
    )


def test_what_was_known_of_the_new_address_gives_way() -> None:
    after = remembered(memory(rows=[row(ANN), row(BOB, kept=True)]), replace(RENAME, notes=()))
    assert after.mailboxes[BOB].id == "id-ann"


def test_without_a_row_there_is_none_to_move() -> None:
    after = remembered(memory(rows=[row(BOB)]), replace(RENAME, notes=()))
    assert after.mailboxes == {BOB: row(BOB)}


def test_a_deletion_forgets_the_mailbox_and_the_aliases_that_went_with_it() -> None:
    before = memory(rows=[row(ANN), row(BOB)], aliases=[alias_row(wish(INFO, ANN)), alias_row(wish(TEAM, BOB))])
    after = remembered(before, DELETION)
    assert (list(after.mailboxes), list(after.aliases)) == ([BOB], [TEAM])
    assert remembered(after, DELETION) == after


def test_an_alias_that_was_set_inactive_is_known_as_our_doing() -> None:
    before = memory(aliases=[alias_row(wish(INFO, BOB))])
    found = remembered(before, SILENCE).aliases[INFO]
    assert (found.disabled, found.number, found.owner) == (True, 7, "id-bob")


def test_a_patch_makes_a_row_where_there_is_none_and_an_empty_one_does_not() -> None:
    known: dict[str, Any] = {"source": "default", "id": "id-ann", "dn": "uid=ann", "origin": Origin.CREATED}
    created = MailboxChange(Kind.CREATE, ANN, Rule.NEW, remember=known)
    assert remembered(memory(), created).mailboxes == {ANN: Remembered(ANN, **known)}
    assert remembered(memory(), replace(created, remember={})).mailboxes == {}
