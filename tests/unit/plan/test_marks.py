"""Which words are ours, and which are another installation's."""

from __future__ import annotations

import pytest

from ldap2mailcow.plan.marks import Marks, installation

DEFAULT, BERLIN, PLAIN = Marks("ldap-sync"), Marks("ldap-sync-berlin"), Marks("paris")


@pytest.mark.parametrize(
    ("marks", "tags"),
    [
        (DEFAULT, ("ldap-sync",)),
        (BERLIN, ("ldap-sync-berlin",)),
        (Marks("LDAP-Sync.b"), ("LDAP-Sync.b",)),
        (Marks("ldap-sync_b"), ("ldap-sync_b",)),
        (PLAIN, ("paris", "ldap-sync:paris")),
        (Marks("ldap-syncer"), ("ldap-syncer", "ldap-sync:ldap-syncer")),
    ],
)
def test_a_mark_that_does_not_show_what_it_is_has_a_signature_beside_it(marks: Marks, tags: tuple[str, ...]) -> None:
    assert marks.tags == tags


@pytest.mark.parametrize("marks", [DEFAULT, BERLIN, PLAIN])
def test_what_an_installation_writes_is_its_own(marks: Marks) -> None:
    written = {*marks.tags, marks.disabled, marks.released}
    assert marks.foreign(written) == ()
    assert not any(map(marks.is_foreign, [marks.mark, marks.disabled, marks.released, marks.renamed]))


@pytest.mark.parametrize("own", [DEFAULT, BERLIN, PLAIN, Marks("Paris"), Marks("ldap-syncer")])
@pytest.mark.parametrize("other", [DEFAULT, BERLIN, PLAIN, Marks("ldap-sync-b"), Marks("berlin"), Marks("paris.x")])
def test_installations_know_one_another_by_whatever_each_of_them_writes(own: Marks, other: Marks) -> None:
    """A mailbox has all tags of an installation; of those that only say a state, each tells by itself."""
    if own is other:
        return
    assert own.foreign({*other.tags}) != ()
    assert own.foreign({other.disabled}) == (other.disabled,)
    assert own.foreign({other.released}) == (other.released,)
    assert not own.claims({*other.tags, other.disabled, other.released})
    comments = [other.mark, other.disabled, other.released, other.renamed]
    assert all(map(own.is_foreign, comments))
    assert {installation(word) for word in (*other.tags, other.disabled, other.released, other.renamed)} == {other.mark}


@pytest.mark.parametrize(
    ("tag", "foreign"),
    [
        ("staff", False),
        ("ldap", False),
        ("ldap-synced", False),
        ("my-ldap-sync", False),
        ("staff: berlin", False),
        ("two words:disabled", False),
        ("staff:renamed", False),
        ("ldap-sync-berlin", True),
        ("LDAP-SYNC", True),
        ("ldap-sync:a\nb", True),
        ("Berlin:Disabled", True),
        ("berlin:released", True),
    ],
)
def test_tags_that_may_be_somebody_else_s_are_told_by_their_form(tag: str, foreign: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert DEFAULT.foreign({tag, "ldap-sync"}) == ((tag,) if foreign else ())


@pytest.mark.parametrize(
    ("comment", "foreign"),
    [
        ("", False),
        ("  ", False),
        ("for the press", False),
        ("Büro", False),
        ("x" * 51, False),
        ("press", True),
        (" press ", True),
        ("press:renamed", True),
        ("press:other", False),
        ("ldap-sync made this", True),
        ("LDAP-SYNC", True),
        (" ldap-sync", True),
    ],
)
def test_a_comment_that_reads_like_a_mark_is_taken_for_one(comment: str, foreign: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert DEFAULT.is_foreign(comment) is foreign


def test_what_a_mailbox_lacks_is_told_as_mailcow_tells_tags_apart() -> None:
    """'Unique per mailbox, case-insensitive; the first stays' (docs/mailcow-api.md section 17 e): it can't be added."""
    assert PLAIN.missing([]) == ("paris", "ldap-sync:paris")
    assert PLAIN.missing(["Paris", "staff"]) == ("ldap-sync:paris",)


def test_the_signature_alone_makes_a_mailbox_ours() -> None:
    assert PLAIN.claims({"ldap-sync:paris"})
    assert not PLAIN.claims({"paris:disabled"})
