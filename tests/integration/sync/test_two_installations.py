"""Two installations with marks of their own on one mailcow: neither ever touches what carries the other's mark."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from ldap2mailcow.plan import Guarded
from tests.directory_server import Slapd
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import DOMAIN, Done, Hands, Installation, attributes_of
from .story import SCHEMA, alias_at, full, group, group_dn, members, of_user, user, user_dn

PEOPLE = ("b1", "b2", "b3", "x1", "x2", "x3", "x4", "p1", "p2", "p3")
"""Berlin has b and x in its directory, Paris has p and x."""
LISTS = ("b-list", "x-list", "x-team", "p-list")
ADDRESSES = ("info", "sales", "help", "press")
"""What people of both may want as further addresses."""
Rows = dict[str, dict[str, Any]]
EVENTS = 90


@dataclass
class Two:
    """Two installations, each with its part of one directory, which overlap."""

    berlin: Installation
    paris: Installation
    random: random.Random
    gone: dict[str, tuple[str, dict[str, list[bytes]]]] = field(default_factory=dict)

    @property
    def both(self) -> tuple[Installation, Installation]:
        return self.berlin, self.paris

    def other(self, house: Installation) -> Installation:
        return self.paris if house is self.berlin else self.berlin

    def here(self) -> list[str]:
        return [name for name in PEOPLE if name not in self.gone]


MARKS = [("ldap-sync", "ldap-sync-paris"), ("berlin", "paris"), ("ldap-sync", "paris"), ("ldap-sync.b", "ldap-sync_p")]
EVERY_WORD = [part for kind in Guarded for part in ("--approve", f"{kind}:99")]
POLICIES = [("overwrite", "overwrite"), ("keep_password", "same_goto"), ("overwrite", "same_goto")]


@pytest.fixture(scope="module")
def directory() -> Iterator[Slapd]:
    with Slapd(schema=SCHEMA) as slapd:
        yield slapd


@pytest.fixture
def two(tmp_path: Path, directory: Slapd) -> Iterator[Callable[..., Two]]:
    directory.clear()
    with MailcowServer([DomainLimits(DOMAIN)], clock=Clock("2026-11-21 11:00:00")) as mailcow:

        def make(marks: tuple[str, str], policies: tuple[str, str], seed: int) -> Two:
            hands, houses = Hands(), []
            for place, mark in zip("bp", marks, strict=True):
                (tmp_path / place).mkdir()
                house = Installation(tmp_path / place, directory, mailcow, hands)
                house.config(
                    mark=mark,
                    adopt_mailboxes=policies[0],
                    adopt_aliases=policies[1],
                    ldap__user_search_filter=f"(&(objectClass=mailPerson)(|(uid={place}*)(uid=x*)))",
                    ldap__user_mapping={"active": "mailActive", "aliases": ["mailAlias"]},
                    ldap__group_search_base=directory.groups_dn,
                    ldap__group_search_filter=f"(&(objectClass=mailGroup)(|(cn={place}-*)(cn=x-*)))",
                )
                houses.append(house)
            return Two(houses[0], houses[1], random.Random(seed))  # noqa: S311 - the same story on every run

        yield make


def things(house: Installation, *, of: Installation) -> Rows:
    """Return the mailboxes and aliases of mailcow that carry an installation's mark, whole."""
    mark = of.settings["mark"]
    tags = {mark, f"ldap-sync:{mark}", f"{mark}:disabled", f"{mark}:released"}
    comments = {mark, f"{mark}:disabled", f"{mark}:released", f"{mark}:renamed"}
    found = cast("dict[str, dict[str, dict[str, Any]]]", house.mailcow.snapshot())
    boxes = {name: row for name, row in found["mailboxes"].items() if not tags.isdisjoint(row["tags"])}
    aliases = {number: row for number, row in found["aliases"].items() if row["private_comment"] in comments}
    return {**boxes, **aliases}


def owned(house: Installation) -> set[str]:
    """Return what an installation remembers as its own; an alias without a number is so by its mark alone."""
    if not house.state_file.exists():
        return set()
    rows = house.rows("SELECT address FROM mailbox UNION ALL SELECT address FROM alias WHERE number > 0")
    return {address for (address,) in rows}


def run(two: Two, house: Installation, *options: str) -> Done:
    """Let one installation run, and see that it leaves alone what carries the other's mark."""
    house.writes()
    theirs = things(house, of=two.other(house))
    done = house.again(*options, minutes=two.random.choice([1, 20, 40]))
    assert done.code in (0, 3, 4), done.said
    after = things(house, of=two.other(house))
    for write in house.writes():
        if write.path == "edit/rename-mbox":
            follow(theirs, after, **attributes_of(write))
    assert after == theirs
    return done


def follow(before: Rows, after: Rows, *, old_local_part: str, new_local_part: str, domain: str, **_: object) -> None:
    """Let aliases follow that go to a renamed mailbox alone: mailcow does so by itself, whosever they are."""
    for name, row in before.items():
        if row.get("goto") == f"{old_local_part}@{domain}":
            row |= {"goto": f"{new_local_part}@{domain}", "modified": after[name]["modified"]}


# what happens


def runs(two: Two) -> None:
    options = two.random.choice(
        [[], [], ["--reassert"], ["--force-removals", "99"], ["--reassert", "--force-removals", "99"], EVERY_WORD]
    )
    run(two, two.random.choice(two.both), *options)


def loses_state(two: Two) -> None:
    for path in two.random.choice(two.both).folder.glob("mailcow_ldap_sync.sqlite3*"):
        path.unlink()


def somebody_changes(two: Two) -> None:
    name, chosen = two.random.choice(two.here()), two.random
    attributes: Mapping[str, str | list[str]] = chosen.choice(
        [
            {"givenName": chosen.choice(["Ann", "Ben", "Cat"])},
            {"mailActive": chosen.choice(["TRUE", "TRUE", "FALSE"])},
            {"mailAlias": list(map(full, chosen.sample(ADDRESSES, chosen.randrange(3))))},
        ]
    )
    of_user(name, **attributes)(two.berlin)


def somebody_is_renamed(two: Two) -> None:
    name = two.random.choice(two.here())
    of_user(name, mail=full(two.random.choice([name, f"{name}-new", f"{name}-newer"])))(two.berlin)


def somebody_leaves(two: Two) -> None:
    here = two.here()
    if len(here) > 6:
        name = two.random.choice(here)
        dn = user_dn(two.berlin, name)
        (two.gone[name],) = two.berlin.slapd.admin.search_s(dn, 0, attrlist=["*", "entryUUID"])
        two.berlin.slapd.delete(dn)


def somebody_is_back(two: Two) -> None:
    if two.gone:
        two.berlin.restore(*two.gone.pop(min(two.gone)))


def a_list_changes(two: Two) -> None:
    members(two.random.choice(LISTS), *two.random.sample(two.here(), two.random.randrange(4)))(two.berlin)


def a_mailbox_is_edited_by_hand(two: Two) -> None:
    boxes = sorted(two.berlin.mailcow.state.mailboxes)
    if boxes:
        attr: dict[str, object] = two.random.choice([{"name": "By Hand"}, {"active": 0}, {"active": 1}])
        two.berlin.by_hand("edit/mailbox", {"items": [two.random.choice(boxes)], "attr": attr})


def an_alias_is_edited_by_hand(two: Two) -> None:
    rows = [row for row in two.berlin.mailcow.state.aliases.values() if not row.is_self_row]
    if rows:
        attr: dict[str, object] = two.random.choice(
            [{"goto": full("x1")}, {"active": 0}, {"active": 1}, {"private_comment": ""}]
        )
        two.berlin.by_hand("edit/alias", {"items": [two.random.choice(rows).id], "attr": attr})


def something_is_made_by_hand(two: Two) -> None:
    state, name = two.berlin.mailcow.state, two.random.choice([*PEOPLE, *LISTS, *ADDRESSES])
    if state.mailbox(full(name)) is None and state.alias_at(full(name)) is None:
        body = {"address": full(name), "goto": full("b1"), "active": "1", "sender_allowed": "1"}
        if name in PEOPLE:
            password = {"password": "secret secret", "password2": "secret secret"}
            body = {"local_part": name, "domain": DOMAIN, "name": name, "quota": "100", "active": "1", **password}
        two.berlin.by_hand("add/mailbox" if name in PEOPLE else "add/alias", body)


def something_is_released(two: Two) -> None:
    house = two.random.choice(two.both)
    if mine := sorted(owned(house)):
        theirs = things(house, of=two.other(house))
        done = house.at_clock("release", two.random.choice(mine))
        assert done.code in (0, 3), done.said
        assert things(house, of=two.other(house)) == theirs


HAPPENINGS: list[Callable[[Two], None]] = [
    *[runs] * 8,
    loses_state,
    *[somebody_changes] * 5,
    *[somebody_is_renamed] * 6,
    somebody_leaves,
    somebody_is_back,
    *[a_list_changes] * 2,
    a_mailbox_is_edited_by_hand,
    *[an_alias_is_edited_by_hand] * 2,
    something_is_made_by_hand,
    something_is_released,
]


@pytest.mark.parametrize(("seed", "marks"), list(enumerate(MARKS)), ids=list(map("-and-".join, MARKS)))
def test_whatever_happens_neither_touches_what_is_the_other_s(
    two: Callable[..., Two], marks: tuple[str, str], seed: int
) -> None:
    mailboxes, aliases = POLICIES[seed % 3]
    is_known_on_aliases = all(mark.startswith("ldap-sync") for mark in marks)
    story = two(marks, (mailboxes, aliases if is_known_on_aliases else "refuse"), seed)
    for name in PEOPLE:
        user(name)(story.berlin)
    for name in LISTS:
        group(name, "x1", "x2", "b1" if name != "p-list" else "p1")(story.berlin)
    for _ in range(EVENTS):
        story.random.choice(HAPPENINGS)(story)

    for name in sorted(story.gone):
        story.berlin.restore(*story.gone.pop(name))
    for _ in range(6):  # a chain of renames goes one link a run
        for house in story.both:
            run(story, house, *EVERY_WORD)
    story.berlin.writes()
    for house in story.both:
        before = house.mailcow.snapshot()
        house.again(minutes=1)
        assert house.writes() == []
        assert house.mailcow.snapshot() == before
    assert owned(story.berlin).isdisjoint(owned(story.paris))
    for house in story.both:
        carried = things(house, of=house)
        assert carried.keys().isdisjoint(things(house, of=story.other(house)))
        assert owned(house) <= {
            cast("dict[str, str]", row).get("username") or cast("dict[str, str]", row)["address"]
            for row in carried.values()
        }


@pytest.mark.parametrize("policies", POLICIES, ids="-".join)
def test_whoever_came_first_keeps_it_and_the_other_says_so(two: Callable[..., Two], policies: tuple[str, str]) -> None:
    story = two(("ldap-sync-berlin", "ldap-sync-paris"), policies, 0)
    for name in ("b1", "x1", "p1"):
        user(name)(story.berlin)
    of_user("x1", mailAlias=full("info"))(story.berlin)
    group("x-list", "x1", "b1")(story.berlin)
    assert run(story, story.berlin).code == 0
    second = story.paris.again("--output", "json", minutes=1)
    assert second.code == 3
    errors = {(one["code"], one["where"]) for one in second.document["findings"] if one["level"] == "error"}
    places = (full("info"), full("x-list"), full("x1"))
    assert errors == {("other_installation", place) for place in places}
    assert [change["address"] for change in second.document["changes"]] == [full("p1")]
    assert alias_at(story.paris, "x-list").private_comment == "ldap-sync-berlin"
    story.berlin.writes()
    for _ in range(2):
        for house in story.both:
            assert house.again(minutes=1).out == ""
    assert story.berlin.writes() == []


def test_what_one_lets_go_of_the_other_takes_once_its_mark_is_gone(two: Callable[..., Two]) -> None:
    story = two(("ldap-sync", "paris"), ("keep_password", "same_goto"), 0)
    user("x1")(story.berlin)
    run(story, story.berlin)
    assert story.berlin.at_clock("release", full("x1")).code == 0
    assert "other_installation" in run(story, story.paris).out
    story.berlin.by_hand(f"delete/mailbox/tag/{full('x1')}", ["ldap-sync:released"])
    assert f"adopt     {full('x1')}" in run(story, story.paris, "--approve", "adopt:1").out
    assert "other_installation" in run(story, story.berlin, "-v").out
    assert (owned(story.berlin), owned(story.paris)) == (set(), {full("x1")})


def test_an_installation_whose_tag_another_s_took_the_place_of_forgets_the_mailbox(two: Callable[..., Two]) -> None:
    story = two(("ldap-sync", "ldap-sync-paris"), ("keep_password", "same_goto"), 0)
    user("x1")(story.berlin)
    group("x-list", "x1")(story.berlin)
    run(story, story.berlin)
    run(story, story.berlin)  # reads the number of the alias
    story.berlin.by_hand(f"delete/mailbox/tag/{full('x1')}", ["ldap-sync"])
    number = alias_at(story.berlin, "x-list").id
    story.berlin.by_hand("edit/alias", {"items": [number], "attr": {"private_comment": ""}})
    run(story, story.paris)
    assert owned(story.paris) == {full("x1"), full("x-list")}
    assert owned(story.berlin) == {full("x1"), full("x-list")}
    of_user("x1", mailActive="FALSE")(story.berlin)
    run(story, story.berlin, "--reassert", "--force-removals", "99")
    assert owned(story.berlin) == set()
    story.berlin.slapd.delete(user_dn(story.berlin, "x1"))
    story.berlin.slapd.delete(group_dn(story.berlin, "x-list"))
    for _ in range(3):
        run(story, story.berlin, "--force-removals", "99")
    assert alias_at(story.berlin, "x-list").private_comment == "ldap-sync-paris"


def test_both_marks_on_a_mailbox_are_told_by_both_and_nobody_touches_it(two: Callable[..., Two]) -> None:
    story = two(("ldap-sync", "paris"), ("overwrite", "same_goto"), 0)
    user("x1")(story.berlin)
    run(story, story.berlin)
    story.berlin.by_hand("edit/mailbox", {"items": [full("x1")], "attr": {"tags": ["paris", "ldap-sync:paris"]}})
    of_user("x1", mailActive="FALSE")(story.berlin)
    story.berlin.writes()
    for house in story.both:
        assert "our mark and that of another installation" in run(story, house, "-v", "--reassert").out
    assert story.berlin.writes() == []
    story.berlin.by_hand(f"delete/mailbox/tag/{full('x1')}", ["paris", "ldap-sync:paris"])
    assert f"disable   {full('x1')}" in run(story, story.berlin).out
