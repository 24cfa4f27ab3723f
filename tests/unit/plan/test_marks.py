"""Which words are ours, and which are another installation's: those that begin with `ldap-sync`."""

from __future__ import annotations

import pytest

from ldap2mailcow.plan.marks import Marks, installation, lacking

DEFAULT, BERLIN, PLAIN = Marks("ldap-sync"), Marks("ldap-sync-berlin"), Marks("paris")
OTHERS = (DEFAULT, BERLIN, PLAIN, Marks("ldap-sync-b"), Marks("berlin"), Marks("paris.x"))


@pytest.mark.parametrize(
    ("mark", "tags"),
    [
        ("ldap-sync", ("ldap-sync",)),
        ("ldap-sync-berlin", ("ldap-sync-berlin",)),
        ("LDAP-Sync.b", ("LDAP-Sync.b",)),
        ("ldap-sync_b", ("ldap-sync_b",)),
        ("paris", ("paris", "ldap-sync:paris")),
        ("ldap-syncer", ("ldap-syncer", "ldap-sync:ldap-syncer")),
    ],
)
def test_a_mark_that_does_not_show_what_it_is_has_a_signature_beside_it(mark: str, tags: tuple[str, ...]) -> None:
    assert Marks(mark).tags == tags


@pytest.mark.parametrize("marks", [DEFAULT, BERLIN, PLAIN])
def test_what_an_installation_writes_is_its_own(marks: Marks) -> None:
    assert marks.foreign({*marks.tags, marks.disabled, marks.released}) == ()
    assert not any(map(marks.is_foreign, [*marks.of_aliases, marks.released]))
    assert marks.claims(marks.tags[-1:])
    assert not marks.claims({marks.disabled, marks.released})


@pytest.mark.parametrize("own", [DEFAULT, BERLIN, PLAIN, Marks("Paris"), Marks("ldap-syncer")])
@pytest.mark.parametrize("other", OTHERS)
def test_installations_know_one_another_by_the_tags_that_all_their_mailboxes_have(own: Marks, other: Marks) -> None:
    if own is other:
        return
    words = (*other.tags, other.disabled, other.released)
    assert own.foreign(other.tags) == other.tags[-1:]
    assert not own.claims(words)
    assert {installation(word) for word in words} == {other.mark}


@pytest.mark.parametrize(
    ("word", "foreign"),
    [
        ("", False),
        ("  ", False),
        ("press", False),
        (" press ", False),
        ("press:renamed", False),
        ("berlin:released", False),
        ("for the press", False),
        ("ldap", False),
        ("ldap-synced", False),
        ("my-ldap-sync", False),
        ("ldap-sync made this", False),
        ("ldap-sync-berlin", True),
        ("ldap-sync.berlin", True),
        ("ldap-sync_berlin", True),
        ("LDAP-SYNC", True),
        (" ldap-sync", True),
        ("ldap-sync:a\nb", True),
        ("ldap-sync:berlin:disabled", True),
    ],
)
def test_a_word_is_another_installation_s_if_it_begins_as_marks_do(word: str, foreign: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """A comment that was written by hand, of one word too, is simply not ours."""
    assert DEFAULT.is_foreign(word) is foreign
    assert DEFAULT.foreign({word, "ldap-sync"}) == (word,) * foreign


def test_what_a_mailbox_lacks_is_told_as_mailcow_tells_tags_apart() -> None:
    """'Unique per mailbox, case-insensitive; the first stays' (docs/mailcow-api.md section 17 e): it can't be added."""
    assert lacking(PLAIN.tags, []) == {"paris", "ldap-sync:paris"}
    assert lacking(PLAIN.tags, ["Paris", "staff"]) == {"ldap-sync:paris"}
