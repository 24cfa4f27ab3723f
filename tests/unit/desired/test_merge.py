"""Several directories as one."""

from __future__ import annotations

from dataclasses import fields

from ldap2mailcow.desired import Asked, EntryId, Forward, Group, User, merged
from ldap2mailcow.model import Address, Code, Finding

ANN = Address("ann@example.org")


def asked(source: str) -> Asked:
    """Return what a directory asks for, with something of every kind."""
    one = EntryId(source, "1")
    return Asked(
        users=(User(one, f"uid=ann,o={source}", (ANN,)),),
        groups=(Group(one, f"cn=staff,o={source}"),),
        forwards=(Forward(one, f"cn=info,o={source}", frozenset({ANN}), frozenset(), {}),),
        any_senders=frozenset({one}),
        dns=frozenset({f"uid=ann,o={source}"}),
        without_id=(f"uid=bob,o={source}",),
        findings=(Finding(Code.NO_MAIL, f"uid=bob,o={source}", "it has no mail"),),
    )


def test_nothing_of_any_directory_is_lost_and_the_order_stays() -> None:
    both = merged(asked(name) for name in ("head", "branch"))
    for field in fields(Asked):
        head, branch = (getattr(asked(name), field.name) for name in ("head", "branch"))
        assert head
        both_have = head & branch if isinstance(head, bool) else head | branch if isinstance(head, frozenset) else None
        assert getattr(both, field.name) == (head + branch if both_have is None else both_have), field.name


def test_what_one_directory_does_not_know_is_not_known() -> None:
    assert not merged([Asked(), Asked(any_senders_known=False)]).any_senders_known


def test_none_asks_for_nothing() -> None:
    assert merged([]) == Asked()
