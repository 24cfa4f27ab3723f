"""What mailcow says of itself: whether it can rename, and whether mail can be moved."""

from __future__ import annotations

import pytest

from ldap2mailcow.mailcow import Unreadable, can_rename, mail_store_trouble

from .scripted import by_path, mailcow


def said_of(answer: object) -> str:
    with mailcow(by_path({"get/status/containers": answer})) as (_, client):
        return mail_store_trouble(client)


def test_mail_can_be_moved_while_dovecot_runs() -> None:
    assert said_of({"dovecot-mailcow": {"state": "running"}}) == ""


@pytest.mark.parametrize("state", ["exited", "restarting", "paused"])
def test_mail_can_not_be_moved_while_dovecot_is_down(state: str) -> None:
    sentence = said_of({"dovecot-mailcow": {"state": state}})
    assert f"dovecot-mailcow is {state}, and without it mailcow would leave the mail behind; start it" in sentence


@pytest.mark.parametrize("answer", [{}, [], {"dovecot-mailcow": "x"}, {"dovecot-mailcow": {"state": ""}}])
def test_a_container_that_nothing_is_known_of_is_not_there(answer: object) -> None:
    assert "dovecot-mailcow isn't there" in said_of(answer)


def test_mail_can_not_be_moved_while_mailcow_sees_no_containers() -> None:
    assert "mailcow can't see its containers" in said_of(None)


def test_an_answer_of_another_form_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        said_of(["x"])


@pytest.mark.parametrize(
    ("version", "can"),
    [
        ("2024-08a", False),
        ("2023-12", False),
        ("2024-11", True),
        ("2025-01b", True),
        ("2026-07a", True),
        ("nightly", True),
    ],
)
def test_mailboxes_can_be_renamed_since_2024_11(version: str, *, can: bool) -> None:
    with mailcow(by_path({"get/status/version": {"version": version}})) as (_, client):
        assert can_rename(client) is can
