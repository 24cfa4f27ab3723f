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
        assert getattr(both, field.name) == (head | branch if isinstance(head, frozenset) else head + branch), (
            field.name
        )


def test_none_asks_for_nothing() -> None:
    assert merged([]) == Asked()
