"""Where people are while their address changes: in the mailbox that they have, whatever it will be or was called."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.desired import Desired
from ldap2mailcow.model import Address

from .builders import LISTS, ask, dn_of, entry, goto_of, group, make_config, wish

ANN, BOB, CAT, OLD, NEW, TEAM = (Address(f"{name}@example.org") for name in ("ann", "bob", "cat", "old", "new", "team"))
CONFIG: Any = make_config(
    {"send_as": "mailSendAs", "aliases": ["mailAlias"], "group_addresses": "mailGroup"},
    {**LISTS, "group_mapping": {"send_as": "mailSendAs"}},
)
BY_ADDRESS: Any = make_config({}, {**LISTS, "group_mapping": {"member": "mailMember"}})
SWAPPED: dict[str, Any] = {"mailboxes": {"id-ann": ANN, "id-bob": BOB}, "has_mailbox": [ANN, BOB, CAT]}
"""Ann has the mailbox ann@, Bob bob@; what a directory says besides is that each has the other's address now."""


def people_of_a_swap(**more: dict[str, Any]) -> tuple[Any, ...]:
    return (
        entry("ann", mail=BOB, **more.get("ann", {})),
        entry("bob", mail=ANN, **more.get("bob", {})),
        entry("cat", **more.get("cat", {})),
    )


# who has what


def test_whose_mailbox_has_another_address_is_held_there_until_it_is_renamed() -> None:
    people = wish(entry("ann", mail=NEW), entry("bob"), holders={"ann": ANN, "bob": BOB}, has_mailbox=[ANN, BOB])
    assert (people.held, people.renaming) == ({NEW: ANN}, {ANN: NEW})


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"holders": {}, "has_mailbox": [ANN]}, id="nobody known"),
        pytest.param({"holders": {"ann": ANN}, "has_mailbox": []}, id="a mailbox that is gone"),
        pytest.param({"holders": {"ann": NEW}, "has_mailbox": [NEW]}, id="a mailbox that has the address"),
    ],
)
def test_nobody_else_is_held(more: dict[str, Any]) -> None:
    people = wish(entry("ann", mail=NEW), **more)
    assert (people.held, people.renaming) == ({}, {})


def test_who_has_no_id_yet_is_held_by_the_dn() -> None:
    people = wish(entry("ann", mail=NEW), by_dn={dn_of("ann"): ANN}, has_mailbox=[ANN])
    assert people.held == {NEW: ANN}


PEOPLE = Desired(
    {},
    frozenset(),
    frozenset(),
    held={NEW: ANN, BOB: CAT},
    renaming={ANN: NEW, CAT: BOB},
    former={OLD: CAT, NEW: TEAM},
)


@pytest.mark.parametrize(
    ("address", "home"),
    [
        pytest.param(NEW, ANN, id="what it will be called, before what another was called"),
        pytest.param(OLD, CAT, id="what it was called"),
        pytest.param(ANN, ANN, id="what it is called"),
        pytest.param(TEAM, TEAM, id="anything else"),
    ],
)
def test_an_address_means_whoever_it_belongs_to(address: Address, home: Address) -> None:
    assert PEOPLE.home(address) == home


@pytest.mark.parametrize(("address", "has"), [(ANN, True), (CAT, True), (NEW, False), (TEAM, False)])
def test_a_mailbox_that_still_has_its_old_name_is_one(address: Address, has: bool) -> None:  # noqa: FBT001
    assert PEOPLE.has_mailbox(address) is has


def test_a_mailbox_of_the_directory_is_one() -> None:
    assert wish(entry("ann")).has_mailbox(ANN)


# two who can't swap their addresses yet


def test_members_are_reached_at_the_mailboxes_they_have() -> None:
    wishes = ask(*people_of_a_swap(), groups=[group("team", member=[dn_of("ann")])], config=CONFIG, **SWAPPED)
    assert goto_of(wishes) == {TEAM: (ANN,)}


@pytest.mark.parametrize(("named", "reached"), [(ANN, BOB), (BOB, ANN), ("ann@alias.example", BOB)])
def test_a_member_by_address_is_whose_address_it_is_in_the_directory(named: str, reached: Address) -> None:
    wishes = ask(*people_of_a_swap(), groups=[group("team", mailMember=named)], config=BY_ADDRESS, **SWAPPED)
    assert goto_of(wishes) == {TEAM: (reached,)}


def test_whoever_names_a_list_is_on_it_with_the_mailbox_they_have() -> None:
    more: dict[str, Any] = {"ann": {"mailGroup": TEAM}}
    wishes = ask(*people_of_a_swap(**more), groups=[group("team")], config=CONFIG, **SWAPPED)
    assert goto_of(wishes) == {TEAM: (ANN,)}


def test_further_addresses_lead_to_the_mailbox_that_their_owner_has() -> None:
    more: dict[str, Any] = {"ann": {"mailAlias": "a@example.org"}, "bob": {"mailAlias": "b@example.org"}}
    wishes = ask(*people_of_a_swap(**more), config=CONFIG, **SWAPPED)
    assert goto_of(wishes) == {"a@example.org": (ANN,), "b@example.org": (BOB,)}


@pytest.mark.parametrize("own", [ANN, NEW, "new@alias.example", "ann@alias.example"])
def test_what_a_mailbox_is_or_will_be_called_is_no_further_address(own: str) -> None:
    found = entry("ann", mail=NEW, mailAlias=[own, "a@example.org"])
    wishes = ask(found, config=CONFIG, mailboxes={"id-ann": ANN}, has_mailbox=[ANN])
    assert goto_of(wishes) == {"a@example.org": (ANN,)}


@pytest.mark.parametrize("named", [dn_of("ann"), BOB, "bob@alias.example"])
def test_a_right_is_for_the_mailbox_that_somebody_has(named: str) -> None:
    more: dict[str, Any] = {"cat": {"mailSendAs": named}}
    wishes = ask(*people_of_a_swap(**more), config=CONFIG, **SWAPPED)
    assert wishes.senders == {CAT: {ANN}}


def test_rights_of_a_person_go_to_the_mailbox_that_they_have() -> None:
    more: dict[str, Any] = {"ann": {"mailSendAs": CAT}, "bob": {"mailSendAs": dn_of("ann")}}
    wishes = ask(*people_of_a_swap(**more), config=CONFIG, anyone=(dn_of("cat"),), **SWAPPED)
    assert wishes.senders == {ANN: {CAT}, BOB: {ANN}, CAT: {"*"}}


def test_who_may_send_as_anyone_does_so_from_the_mailbox_that_they_have() -> None:
    wishes = ask(*people_of_a_swap(), config=CONFIG, anyone=(dn_of("ann"),), **SWAPPED)
    assert wishes.senders == {ANN: {"*"}}


def test_rights_of_a_group_go_to_the_mailboxes_of_its_members() -> None:
    lists = [group("team", mail=None, member=[dn_of("ann")], mailSendAs=CAT)]
    wishes = ask(*people_of_a_swap(), groups=lists, config=CONFIG, **SWAPPED)
    assert wishes.senders == {ANN: {CAT}}


# somebody without a mailbox, whose address is still the mailbox of one who is held there

OCCUPIED: dict[str, Any] = {"mailboxes": {"id-bob": BOB}, "has_mailbox": [ANN, BOB]}
"""Ann's mailbox is none of ours; she and Bob swap, and he stays at bob@ for now."""


def test_nothing_that_is_meant_for_somebody_goes_to_one_who_is_held_at_their_address() -> None:
    more: dict[str, Any] = {
        "ann": {"mailAlias": "a@example.org", "mailGroup": TEAM, "mailSendAs": CAT},
        "bob": {"mailAlias": "b@example.org"},
        "cat": {"mailSendAs": dn_of("ann")},
    }
    lists = [group("team", member=[dn_of("ann"), dn_of("cat")])]
    wishes = ask(*people_of_a_swap(**more), groups=lists, config=CONFIG, anyone=(dn_of("ann"),), **OCCUPIED)
    assert goto_of(wishes) == {"b@example.org": (BOB,), TEAM: (CAT,)}
    assert wishes.senders == {}
    assert wishes.unreadable == {"id-ann"}


# former addresses


FORMER = {OLD: ANN}


@pytest.mark.parametrize("named", [OLD, "old@alias.example"])
def test_a_member_by_a_former_address_is_reached(named: str) -> None:
    wishes = ask(entry("ann"), groups=[group("team", mailMember=named)], config=BY_ADDRESS, former=FORMER)
    assert goto_of(wishes) == {TEAM: (ANN,)}


def test_a_right_for_a_former_address_is_one_for_the_mailbox() -> None:
    wishes = ask(entry("ann"), entry("cat", mailSendAs=OLD), config=CONFIG, former=FORMER)
    assert wishes.senders == {CAT: {ANN}}


def test_a_former_address_that_somebody_has_now_means_them() -> None:
    """It is a list, or a further address of somebody else: then it means that."""
    wishes = ask(
        entry("ann"),
        entry("bob", mailAlias=OLD),
        entry("cat", mailSendAs=OLD),
        groups=[group("team", mail=None)],
        config=CONFIG,
        former=FORMER,
    )
    assert wishes.senders == {CAT: {OLD}}
    lists = [group("team", mailMember=OLD), group("old", mailMember=CAT)]
    members = ask(entry("ann"), entry("cat"), groups=lists, config=BY_ADDRESS, former=FORMER)
    assert goto_of(members) == {TEAM: (CAT,), OLD: (CAT,)}


def test_a_former_address_of_one_s_own_is_a_further_one_if_the_entry_says_so() -> None:
    wishes = ask(entry("ann", mailAlias=OLD), config=CONFIG, former=FORMER)
    assert goto_of(wishes) == {OLD: (ANN,)}
