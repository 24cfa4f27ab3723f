"""What a release does, and what can't be released."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ldap2mailcow.calls import requests_of
from ldap2mailcow.model import (
    PRIVATE_COMMENT,
    Address,
    AliasChange,
    Change,
    Existing,
    ExistingAlias,
    Kind,
    MailboxChange,
    Remembered,
    RememberedAlias,
    Rule,
)
from ldap2mailcow.plan import NotReleased, release

from .builders import (
    ANN,
    DISABLED_TAG,
    INFO,
    MARK,
    STAMP,
    Scene,
    alias,
    alias_row,
    dn_of,
    existing,
    make_config,
    number_of,
    row,
    wish,
)

RELEASED = "ldap-sync:released"
ALIAS_ROW = alias_row(wish(INFO, ANN))


def released(
    there: Existing | ExistingAlias | None,
    *rows: Remembered | RememberedAlias,
    address: Address = ANN,
    **settings: Any,  # noqa: ANN401 - of the config
) -> Change | NotReleased:
    """Return what is done about an address."""
    boxes = [one for one in rows if isinstance(one, Remembered)]
    aliases = [one for one in rows if isinstance(one, RememberedAlias)]
    memory = Scene(rows=boxes, alias_rows=aliases).case().memory
    return release(there.address if there else address, there, memory, make_config(**settings))


def mailbox_change(found: Change | NotReleased) -> MailboxChange:
    assert isinstance(found, MailboxChange)
    return found


def alias_change(found: Change | NotReleased) -> AliasChange:
    assert isinstance(found, AliasChange)
    return found


def why_not(found: Change | NotReleased) -> tuple[str, bool]:
    assert isinstance(found, NotReleased)
    return found.sentence, found.is_released


@pytest.mark.parametrize(
    ("tags", "rows", "mark", "added", "removed"),
    [
        pytest.param([MARK], [row(ANN)], MARK, [RELEASED], [MARK], id="ours"),
        pytest.param([MARK, DISABLED_TAG], [row(ANN)], MARK, [RELEASED], [MARK, DISABLED_TAG], id="disabled by us"),
        pytest.param([MARK, "staff"], [], MARK, [RELEASED], [MARK], id="by its mark"),
        pytest.param([], [row(ANN)], MARK, [RELEASED], [], id="by the state file"),
        pytest.param([MARK, RELEASED], [row(ANN)], MARK, [], [MARK], id="half done"),
        pytest.param([DISABLED_TAG, RELEASED], [], MARK, [], [DISABLED_TAG], id="half done, forgotten"),
        pytest.param([DISABLED_TAG], [], MARK, [RELEASED], [DISABLED_TAG], id="by the tag of a disabling"),
        pytest.param([RELEASED], [row(ANN)], MARK, [], [], id="done, not forgotten"),
        pytest.param(
            ["paris", "ldap-sync:paris"],
            [],
            "paris",
            ["paris:released", "ldap-sync:paris:released"],
            ["paris", "ldap-sync:paris"],
            id="with a signature",
        ),
    ],
)
def test_a_mailbox_of_ours_is_marked_as_released_and_forgotten(
    tags: Iterable[str], rows: list[Remembered], mark: str, added: list[str], removed: list[str]
) -> None:
    there = existing(ANN, tags=tags, template="abc")
    change = mailbox_change(released(there, *rows, mark=mark))
    assert (change.kind, change.why, change.remember) == (Kind.RELEASE, Rule.RELEASED, None)
    assert (change.dn, change.writes) == (dn_of(ANN) if rows else "", {})
    assert (list(change.add_tags), list(change.remove_tags)) == (added, removed)
    assert (change.attribute_hash, change.passwd_update) == ("abc", STAMP)
    after = existing(ANN, tags=(there.tags | {*added}) - {*removed})
    assert why_not(released(after, mark=mark))[1]


def test_the_released_mark_is_there_before_ours_goes() -> None:
    requests = requests_of(mailbox_change(released(existing(ANN), row(ANN))))
    assert [request.call.endpoint for request in requests] == ["edit/mailbox", "delete/mailbox/tag"]


@pytest.mark.parametrize(("active", "tags", "rebuilds"), [(1, [MARK], 0), (0, [MARK], 1), (0, [MARK, RELEASED], 0)])
def test_the_price_of_an_edit(active: int, tags: list[str], rebuilds: int) -> None:
    assert mailbox_change(released(existing(ANN, tags=tags, active=active))).rebuilds == rebuilds


@pytest.mark.parametrize(
    ("tags", "rows", "is_released", "says"),
    [
        ([], [], False, "not managed from here"),
        (["staff"], [], False, "not managed from here"),
        ([RELEASED], [], True, "was released before"),
        (["ldap-sync-berlin"], [row(ANN)], False, "the mark of another installation, ldap-sync-berlin"),
        ([MARK, "ldap-sync-berlin"], [], False, "our mark and that of another installation"),
    ],
)
def test_other_mailboxes_are_not_touched(
    tags: list[str],
    rows: list[Remembered],
    is_released: bool,  # noqa: FBT001 - pytest gives it by name
    says: str,
) -> None:
    sentence, done = why_not(released(existing(ANN, tags=tags), *rows))
    assert says in sentence
    assert done is is_released


def test_what_is_protected_is_not_touched() -> None:
    assert "take it out of `protected`" in why_not(released(existing(ANN), row(ANN), protected=[ANN]))[0]


def test_where_nothing_is_there_is_nothing_to_do() -> None:
    assert "mailcow has no mailbox and no alias ann@example.org" in why_not(released(None, row(ANN)))[0]


@pytest.mark.parametrize(
    ("comment", "rows", "writes"),
    [
        pytest.param(MARK, [ALIAS_ROW], {PRIVATE_COMMENT: RELEASED}, id="ours"),
        pytest.param(MARK, [], {PRIVATE_COMMENT: RELEASED}, id="by its mark"),
        pytest.param(DISABLED_TAG, [], {PRIVATE_COMMENT: RELEASED}, id="disabled by us"),
        pytest.param("ldap-sync:renamed", [], {PRIVATE_COMMENT: RELEASED}, id="a former address"),
        pytest.param("", [ALIAS_ROW], {PRIVATE_COMMENT: RELEASED}, id="by the state file"),
        pytest.param(RELEASED, [ALIAS_ROW], {}, id="done, not forgotten"),
    ],
)
def test_an_alias_of_ours_is_marked_as_released_and_forgotten(
    comment: str, rows: list[RememberedAlias], writes: dict[str, str]
) -> None:
    change = alias_change(released(alias(INFO, ANN, mark=comment), *rows))
    assert (change.kind, change.why, change.remember) == (Kind.RELEASE, Rule.RELEASED, None)
    assert (change.writes, change.number) == (writes, number_of(INFO))
    assert change.dn == (dn_of(ANN) if rows else "")
    assert [request.call.endpoint for request in requests_of(change)] == ["edit/alias"] * bool(writes)


@pytest.mark.parametrize(
    ("comment", "rows", "is_released", "says"),
    [
        ("", [], False, "not managed from here"),
        ("for the press", [], False, "not managed from here"),
        ("", [alias_row(wish(INFO, ANN), number=7)], False, "not managed from here"),
        (RELEASED, [], True, "was released before"),
        ("press", [], False, "not managed from here"),
        ("ldap-sync-berlin", [ALIAS_ROW], False, "is the mark of another installation"),
        ("press", [ALIAS_ROW], False, 'a private comment of its own, "press"'),
    ],
)
def test_other_aliases_are_not_touched(
    comment: str,
    rows: list[RememberedAlias],
    is_released: bool,  # noqa: FBT001 - pytest gives it by name
    says: str,
) -> None:
    sentence, done = why_not(released(alias(INFO, ANN, mark=comment), *rows))
    assert says in sentence
    assert done is is_released
