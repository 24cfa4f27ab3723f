"""Two directories and one mailcow: each is followed, neither takes from the other, one that is down hurts nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.directory_server import Slapd
from tests.directory_server.scripted import Done as Reply
from tests.directory_server.scripted import ScriptedServer, pages
from tests.mailcow_server import Clock, DomainLimits, MailcowServer

from .installation import DOMAIN, Done, Hands, Installation
from .story import SCHEMA, Act, full, group, of_user, user, user_dn

SECOND = "example.net"


@dataclass
class Two:
    """One installation with two directories: `head` runs, `branch` is there for its directory."""

    head: Installation
    branch: Installation

    def block(self, name: str) -> dict[str, Any]:
        """Return what the config says of a directory."""
        return next(block for block in self.head.settings["ldap"] if block["name"] == name)

    def happens(self, *, head: tuple[Act, ...] = (), branch: tuple[Act, ...] = ()) -> None:
        for house, acts in ((self.head, head), (self.branch, branch)):
            for act in acts:
                act(house)

    def run(self, *options: str, minutes: float = 20) -> Done:
        """Run some minutes later, and then once more, which changes nothing."""
        done = self.head.again("--output", "json", *options, minutes=minutes)
        self.head.writes()
        if not options:
            again = self.head.at_clock("--output", "json")
            assert (again.document["changes"], self.head.writes()) == ([], [])
            assert again.code == done.code
        return done

    @property
    def mailboxes(self) -> dict[str, int]:
        """By local part, or address in the second domain: whether a mailbox is active."""
        rows = self.head.mailcow.state.mailboxes.values()
        return {row.username.removesuffix(f"@{DOMAIN}"): row.active for row in rows}

    @property
    def aliases(self) -> dict[str, str]:
        """By local part: where an alias goes."""
        rows = self.head.mailcow.state.aliases.values()
        found = {row.address: row.goto for row in rows if row.address != row.goto}
        return {address.removesuffix(f"@{DOMAIN}"): goto.replace(f"@{DOMAIN}", "") for address, goto in found.items()}


@pytest.fixture(scope="module")
def directories() -> Iterator[tuple[Slapd, Slapd]]:
    with Slapd(schema=SCHEMA) as head, Slapd(schema=SCHEMA, suffix="dc=branch,dc=org") as branch:
        yield head, branch


@pytest.fixture
def two(tmp_path: Path, directories: tuple[Slapd, Slapd]) -> Iterator[Two]:
    head, branch = directories
    limits = [DomainLimits(DOMAIN), DomainLimits(SECOND)]
    with MailcowServer(limits, clock=Clock("2026-11-21 11:00:00")) as mailcow:
        houses = []
        hands = Hands()
        for place, slapd in (("head", head), ("branch", branch)):
            (tmp_path / place).mkdir()
            houses.append(Installation(tmp_path / place, slapd, mailcow, hands))
        found = Two(*houses)
        found.head.settings["ldap"] = [
            {
                **house.settings["ldap"],
                "name": name,
                "user_mapping": {"active": "mailActive", "aliases": ["mailAlias"], "send_as": "mailSendAs"},
                "group_search_base": house.slapd.groups_dn,
                "group_search_filter": "(objectClass=mailGroup)",
                "group_mapping": {"member": ["member", "rfc822MailMember"]},
            }
            for name, house in (("head", found.head), ("branch", found.branch))
        ]
        found.head.write_config()
        yield found
    for slapd in directories:
        slapd.stop()
        slapd.start()
        slapd.clear()


PEOPLE = ("ann", "bob", "cat", "dan")


@pytest.fixture
def settled(two: Two) -> Two:
    """ann and bob are in one, cat and dan in the other, and the state file knows them."""
    two.happens(head=(user("ann"), user("bob")), branch=(user("cat"), user("dan")))
    assert two.run().code == 0
    assert two.mailboxes == dict.fromkeys(PEOPLE, 1)
    return two


def gone(house: Installation, *names: str) -> None:
    """Take people out of a directory."""
    for name in names:
        house.slapd.delete(user_dn(house, name))


def findings(done: Done, *, of: str = "") -> list[tuple[str, str]]:
    """Return code and directory of all findings above info, or where those of a code are."""
    found = [one for one in done.document["findings"] if one["level"] != "info"]
    return [(one["code"], one.get("directory", "")) for one in found if of in ("", one["code"])]


def changes(done: Done) -> list[tuple[str, str]]:
    """Return what happened to whom."""
    return [(one["kind"], one["address"].removesuffix(f"@{DOMAIN}")) for one in done.document["changes"]]


# both up


def test_both_are_followed(settled: Two) -> None:
    sources = settled.head.rows("SELECT address, source FROM mailbox ORDER BY address")
    assert sources == [
        (full(name), place) for name, place in zip(PEOPLE, ("head", "head", "branch", "branch"), strict=True)
    ]
    settled.happens(head=(of_user("ann", cn="Ann", givenName="Ann"),), branch=(of_user("cat", mailActive="FALSE"),))
    done = settled.run()
    assert (done.code, changes(done)) == (0, [("update", "ann"), ("disable", "cat")])


def test_who_is_gone_from_one_is_disabled_after_the_grace_whoever_the_other_has(settled: Two) -> None:
    gone(settled.branch, "dan")
    settled.run()
    done = settled.run(minutes=40)
    assert (done.code, changes(done)) == (0, [("disable", "dan")])
    assert settled.mailboxes == {"ann": 1, "bob": 1, "cat": 1, "dan": 0}


def test_a_list_of_one_has_people_of_the_other_by_address(settled: Two) -> None:
    """Also who is new in the same run; who is disabled leaves it in that run."""
    listing = group("team", objectClass=["nisMailAlias", "mailPerson"], rfc822MailMember=[full("cat"), full("eve")])
    settled.block("head")["group_search_filter"] = "(objectClass=nisMailAlias)"
    settled.head.write_config()
    settled.happens(head=(listing,), branch=(user("eve"),))
    assert settled.run().code == 0
    assert settled.aliases == {"team": "cat,eve"}
    settled.happens(branch=(of_user("cat", mailActive="FALSE"),))
    assert changes(settled.run()) == [("update", "team"), ("disable", "cat")]
    assert settled.aliases == {"team": "eve"}


def test_a_list_of_one_may_be_on_a_list_of_the_other(settled: Two) -> None:
    outer = group("outer", objectClass=["nisMailAlias", "mailPerson"], rfc822MailMember=[full("inner")])
    settled.block("head")["group_search_filter"] = "(objectClass=nisMailAlias)"
    settled.head.write_config()
    settled.happens(head=(outer,), branch=(group("inner", "cat"),))
    assert settled.run().code == 0
    assert settled.aliases == {"outer": "cat", "inner": "cat"}


def test_rights_and_aliases_of_one_stay_where_only_the_other_changes(settled: Two) -> None:
    settled.happens(
        head=(of_user("ann", mailAlias=full("a1")), group("closed", "ann", mailSenderAllowed="FALSE")),
        branch=(of_user("cat", mailAlias=full("c1"), mailSendAs=full("ann")),),
    )
    assert settled.run().code == 0
    rights = {(right.mailbox, right.send_as) for right in settled.head.mailcow.state.sender_acl}
    assert rights == {(full("cat"), full("ann"))}
    settled.happens(head=(of_user("ann", mailAlias=full("a2")),))
    assert changes(settled.run()) == [("create", "a2"), ("remove", "a1")]
    assert {(right.mailbox, right.send_as) for right in settled.head.mailcow.state.sender_acl} == rights
    assert settled.aliases == {"a2": "ann", "c1": "cat", "closed": "ann"}


def test_each_has_domains_of_its_own(two: Two) -> None:
    two.block("head")["domains"], two.block("branch")["domains"] = [DOMAIN], [SECOND]
    two.head.write_config()
    two.happens(
        head=(user("ann"), user("eve", mail=f"eve@{SECOND}")), branch=(user("cat", mail=f"cat@{SECOND}"), user("dan"))
    )
    assert two.run().code == 0
    assert two.mailboxes == {"ann": 1, f"cat@{SECOND}": 1}


def test_where_one_has_no_domains_of_its_own_all_are_read(two: Two) -> None:
    two.block("head")["domains"] = [DOMAIN]
    two.head.write_config()
    two.happens(head=(user("ann"),), branch=(user("cat", mail=f"cat@{SECOND}"),))
    assert two.run().code == 0
    assert two.mailboxes == {"ann": 1, f"cat@{SECOND}": 1}


# one address, two directories


def test_an_address_that_entries_of_both_want_is_nobodys(two: Two) -> None:
    two.happens(head=(user("ann"),), branch=(user("ann"), user("cat")))
    done = two.run()
    assert (done.code, two.mailboxes) == (3, {"cat": 1})
    (finding,) = [one for one in done.document["findings"] if one["code"] == "duplicate_address"]
    assert finding["sentence"] == (
        "uid=ann,ou=people,dc=branch,dc=org of the directory branch and uid=ann,ou=people,dc=example,dc=org of the "
        "directory head want the same address; nobody gets it until one of them has another in the directory"
    )
    assert "directory" not in finding


def test_the_present_holder_keeps_an_address_that_the_other_wants_too(settled: Two) -> None:
    settled.happens(head=(user("cat", cn="Another"),))
    before = settled.head.mailcow.snapshot()
    done = settled.run()
    assert (done.code, changes(done), findings(done)) == (3, [], [("duplicate_address", "")])
    assert settled.head.mailcow.snapshot() == before
    settled.happens(branch=(of_user("cat", cn="Cat", sn="Cat", givenName="Cat"),))
    assert changes(settled.run()) == [("update", "cat")]


def test_an_alias_that_entries_of_both_want_is_nobodys_and_its_holder_keeps_it(settled: Two) -> None:
    settled.happens(head=(of_user("ann", mailAlias=full("info")),), branch=(of_user("cat", mailAlias=full("info")),))
    done = settled.run()
    assert (done.code, settled.aliases, findings(done)) == (3, {}, [("duplicate_address", "")])
    settled.happens(head=(of_user("ann", mailAlias=[]),))
    assert (settled.run().code, settled.aliases) == (0, {"info": "cat"})
    settled.happens(head=(of_user("ann", mailAlias=full("info")),))
    assert (settled.run().code, settled.aliases) == (3, {"info": "cat"})
    settled.happens(branch=(of_user("cat", mailAlias=[]),))
    assert (settled.run().code, settled.aliases) == (0, {"info": "ann"})


def test_a_mailbox_of_one_and_an_alias_of_the_other_at_one_new_address_are_nobodys(settled: Two) -> None:
    settled.happens(head=(user("info"),), branch=(of_user("cat", mailAlias=full("info")),))
    done = settled.run()
    assert (done.code, settled.aliases, "info" in settled.mailboxes) == (3, {}, False)
    assert findings(done) == [("duplicate_address", "")]


# from one to the other


def test_who_moves_to_the_other_directory_keeps_the_mailbox(settled: Two) -> None:
    """And somebody moves the other way at the same time."""
    gone(settled.head, "bob")
    gone(settled.branch, "cat")
    settled.happens(head=(user("cat", cn="Cat"),), branch=(user("bob", cn="Bob"),))
    done = settled.run()
    assert (done.code, settled.mailboxes) == (0, dict.fromkeys(PEOPLE, 1))
    sources = settled.head.rows("SELECT address, source, missed FROM mailbox ORDER BY address")
    assert sources == [
        (full("ann"), "head", 0), (full("bob"), "branch", 0), (full("cat"), "head", 0), (full("dan"), "branch", 0)
    ]  # fmt: skip
    for _ in range(3):
        assert settled.run(minutes=60).code == 0
    assert settled.mailboxes == dict.fromkeys(PEOPLE, 1)


def test_who_has_been_gone_for_too_long_is_somebody_else_in_the_other_directory(settled: Two) -> None:
    gone(settled.branch, "cat")
    settled.run()
    settled.run(minutes=60)
    settled.happens(head=(user("cat", cn="Another"),))
    done = settled.run()
    assert (done.code, findings(done)) == (3, [("address_reused", "head")])
    assert settled.mailboxes["cat"] == 0


# one down


def test_one_that_is_down_at_the_start_does_not_keep_the_other_from_being_followed(two: Two) -> None:
    two.happens(head=(user("ann"),), branch=(user("cat"),))
    two.branch.slapd.stop()
    done = two.run()
    assert (done.code, two.mailboxes) == (4, {"ann": 1})
    assert findings(done) == [("directory_not_read", "")]
    assert not done.document["answer_whole"]
    two.branch.slapd.start()
    assert (two.run().code, two.mailboxes) == (0, {"ann": 1, "cat": 1})


def test_the_people_of_one_that_is_down_are_left_alone_and_the_other_goes_on(settled: Two) -> None:
    two = settled
    two.happens(
        head=(of_user("ann", mailAlias=full("info")),),
        branch=(of_user("cat", mailAlias=[full("c1"), full("c2")], mailSendAs=full("ann")), group("b", "cat", "dan")),
    )
    two.run()
    of_branch = "SELECT * FROM mailbox WHERE source = 'branch'", "SELECT * FROM alias WHERE source = 'branch'"
    before = [two.head.rows(query) for query in of_branch]
    rights = set(two.head.mailcow.state.sender_acl)
    two.branch.slapd.stop()
    gone(two.head, "bob")
    two.happens(head=(user("eve"), of_user("ann", mailAlias=full("help"))))
    seen = []
    for _ in range(4):
        done = two.run(minutes=30)
        assert (done.code, findings(done, of="directory_not_read")) == (4, [("directory_not_read", "")])
        seen += changes(done)
    assert seen == [("create", "eve"), ("create", "help"), ("remove", "info"), ("disable", "bob")]
    assert [two.head.rows(query) for query in of_branch] == before
    assert set(two.head.mailcow.state.sender_acl) == rights
    assert two.mailboxes == {"ann": 1, "bob": 0, "cat": 1, "dan": 1, "eve": 1}
    assert two.aliases == {"help": "ann", "c1": "cat", "c2": "cat", "b": "cat,dan"}
    two.branch.slapd.start()
    done = two.run()
    assert (done.code, changes(done)) == (0, [])


def test_nobody_gets_what_people_of_one_that_is_down_have(settled: Two) -> None:
    """A mailbox, one that somebody has deleted in mailcow, a further address, and a former one."""
    two = settled
    two.happens(branch=(of_user("cat", mailAlias=full("info")), user("old"), user("eve")))
    two.run()
    two.happens(branch=(of_user("old", mail=full("new")),))
    two.run()
    assert two.aliases == {"info": "cat", "old": "new"}
    two.branch.slapd.stop()
    two.head.by_hand("delete/mailbox", [full("eve")])
    two.happens(
        head=(
            user("cat"),
            of_user("ann", mail=full("dan")),
            user("info"),
            user("eve"),
            of_user("bob", mailAlias=[full("info"), full("old")]),
        ),
    )
    for _ in range(3):
        done = two.run(minutes=60)
        assert (done.code, changes(done)) == (4, [])
    assert two.aliases == {"info": "cat", "old": "new"}
    assert two.mailboxes == {"ann": 1, "bob": 1, "cat": 1, "dan": 1, "new": 1}


def test_nobody_is_renamed_onto_a_former_address_of_somebody_in_one_that_is_down(settled: Two) -> None:
    two = settled
    two.happens(branch=(of_user("cat", mail=full("kate")),))
    two.run()
    assert two.aliases == {"cat": "kate"}
    two.branch.slapd.stop()
    two.happens(head=(of_user("ann", mail=full("cat")),))
    done = two.run()
    assert (done.code, changes(done), findings(done, of="renamed")) == (4, [], [("renamed", "head")])
    assert two.aliases == {"cat": "kate"}


def test_with_both_down_the_run_ends_early(settled: Two) -> None:
    before = settled.head.mailcow.snapshot()
    settled.head.slapd.stop()
    settled.branch.slapd.stop()
    done = settled.head.again("--output", "json")
    settled.head.slapd.start()
    settled.branch.slapd.start()
    assert done.code == 75
    assert done.document["error"].startswith("head: ")
    assert "; branch: " in done.document["error"]
    assert settled.head.mailcow.snapshot() == before


@pytest.mark.parametrize(("refused", "down"), [("head", "branch"), ("branch", "head")])
def test_with_one_down_and_one_that_refuses_us_the_run_ends_as_refused(settled: Two, refused: str, down: str) -> None:
    settled.block(refused)["bind_pw"] = "wrong"
    settled.head.write_config()
    (settled.head if down == "head" else settled.branch).slapd.stop()
    assert settled.head.again().code == 77


def test_one_that_refuses_us_is_not_asked_again_for_a_quarter_of_an_hour(settled: Two) -> None:
    two = settled
    password = two.block("branch")["bind_pw"]
    two.block("branch")["bind_pw"] = "wrong"
    two.head.write_config()
    two.happens(head=(user("eve"),))
    binds = two.branch.slapd.log.count(" BIND dn=")
    done = two.head.again("--output", "json", minutes=1)
    assert (done.code, changes(done)) == (4, [("create", "eve")])
    (finding,) = [one for one in done.document["findings"] if one["code"] == "directory_not_read"]
    assert finding["where"] == "branch"
    assert finding["sentence"].startswith("LDAP refused: ")
    for _ in range(3):
        done = two.head.again("--output", "json", minutes=4)
        (finding,) = [one for one in done.document["findings"] if one["code"] == "directory_not_read"]
        assert "nothing is asked again for 15 minutes" in finding["sentence"]
        assert done.code == 4
    two.block("branch")["bind_pw"] = password
    two.head.write_config()
    assert two.run(minutes=1).code == 0
    assert binds <= two.branch.slapd.log.count(" BIND dn=")


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_two_directories_of_one_server_that_refuses_us_are_one_bind(two: Two, options: list[str]) -> None:
    with ScriptedServer(pages([]), bind=Reply(49)) as server:
        for block in two.head.settings["ldap"]:
            block |= {"uri": server.uri, "bind_dn": "cn=reader", "bind_pw": "wrong"}
        two.head.write_config()
        assert (two.head.again(*options).code, server.binds) == (77, 1)


def test_a_filter_that_is_wrong_in_one_does_not_end_the_run(settled: Two) -> None:
    settled.block("branch")["user_search_filter"] = "(mail)"
    settled.head.write_config()
    settled.happens(head=(user("eve"),))
    done = settled.head.again("--output", "json")
    assert (done.code, changes(done)) == (4, [("create", "eve")])
    assert findings(done) == [("directory_not_read", "")]


def test_one_whose_answer_is_not_whole_keeps_its_people_only(settled: Two) -> None:
    settled.block("branch")["canary_dns"] = ["uid=canary,dc=branch,dc=org"]
    settled.head.write_config()
    gone(settled.head, "ann")
    gone(settled.branch, "cat")
    settled.run()
    done = settled.run(minutes=60)
    assert (done.code, changes(done)) == (4, [("disable", "ann")])
    assert findings(done) == [("canary_missing", "branch")]
    assert settled.mailboxes == {"ann": 0, "bob": 1, "cat": 1, "dan": 1}


# guards


def test_a_limit_is_for_all_together(two: Two) -> None:
    names = [f"u{number}" for number in range(10)]
    two.happens(head=tuple(map(user, names[:5])), branch=tuple(map(user, names[5:])))
    two.head.config(limits__removals=4)
    two.run()
    gone(two.head, *names[:3])
    gone(two.branch, *names[5:7])
    two.run()
    done = two.run(minutes=60)
    assert (done.code, changes(done)) == (4, [])
    (withheld,) = done.document["withheld"]
    assert (withheld["count"], withheld["managed"], withheld["limit"]) == (5, 10, 4)
    assert withheld["sentence"] == (
        "5 of 10 managed mailboxes would be disabled, and limits.removals lets 4 through; if that is meant, run once "
        "with --approve disable:5"
    )
    assert {full(name) for name in (*names[:3], *names[5:7])} == set(withheld["addresses"])
    assert len(changes(two.run("--force-removals", "5", minutes=1))) == 5


def test_what_one_is_doubted_for_does_not_count_for_the_other(two: Two) -> None:
    """A changed search of one withholds its removals; the others' are below the limit."""
    names = [f"u{number}" for number in range(10)]
    two.happens(head=tuple(map(user, names[:5])), branch=tuple(map(user, names[5:])))
    two.head.config(limits__removals=2)
    two.run()
    gone(two.head, "u0")
    two.run()
    two.block("branch")["user_search_filter"] = "(&(mail=*)(!(uid=u5))(!(uid=u6)))"
    two.head.write_config()
    done = two.run(minutes=60)
    assert (done.code, changes(done)) == (4, [("disable", "u0")])
    (withheld,) = done.document["withheld"]
    assert (withheld["directory"], withheld["reason"], withheld["count"]) == ("branch", "search_changed", 2)
    assert withheld["sentence"].startswith("branch: 2 of ")


def test_the_last_place_in_a_domain_goes_to_one_of_them(two: Two) -> None:
    two.happens(head=(user("ann"),), branch=(user("cat"),))
    two.head.by_hand("edit/domain", {"items": [DOMAIN], "attr": {"mailboxes": "1"}})
    done = two.run()
    assert (done.code, two.mailboxes) == (3, {"ann": 1})
    assert findings(done) == [("no_room_for_mailbox", "branch")]


# what is lost, and what nobody has


def test_a_lost_state_file_while_one_is_down_makes_nobody_an_orphan(settled: Two) -> None:
    two = settled
    two.happens(branch=(of_user("cat", mailAlias=full("c1")),))
    two.run()
    two.branch.slapd.stop()
    two.head.state_file.unlink()
    before = two.head.mailcow.snapshot()
    for _ in range(4):
        done = two.run(minutes=60)
        assert (done.code, done.document["orphans"], done.document["pending"]) == (4, [], [])
        assert (done.document["orphaned_aliases"], done.document["not_in_directory"]) == ([], [])
    assert two.head.mailcow.snapshot() == before
    two.branch.slapd.start()
    done = two.run(minutes=60)
    assert (done.code, changes(done)) == (0, [])
    assert two.head.mailcow.snapshot() == before
    assert two.head.rows("SELECT count(*) FROM mailbox WHERE source = 'branch' AND missed = 0") == [(2,)]


def test_what_is_ours_and_in_neither_is_an_orphan_once_both_say_so(settled: Two) -> None:
    two = settled
    gone(two.branch, "cat")
    two.head.state_file.unlink()
    two.branch.slapd.stop()
    assert two.run().document["orphans"] == []
    two.branch.slapd.start()
    done = two.head.again("--output", "json")
    assert done.document["orphans"] == [full("cat")]
    two.branch.slapd.stop()
    two.run(minutes=60)
    assert two.mailboxes["cat"] == 1
    two.branch.slapd.start()
    two.run(minutes=60)
    two.head.again("--force-removals", "1")
    assert two.mailboxes == {"ann": 1, "bob": 1, "cat": 0, "dan": 1}


def test_a_mailbox_that_nobody_manages_is_told_once_all_answer(settled: Two) -> None:
    settled.head.make_by_hand(9, "secret-secret")
    assert settled.run().document["not_in_directory"] == [full("user000009")]
    settled.branch.slapd.stop()
    assert settled.run().document["not_in_directory"] == []


def test_the_people_of_a_directory_that_the_config_leaves_out_are_left_alone_and_told(settled: Two) -> None:
    two = settled
    two.block("branch")["enabled"] = False
    two.head.write_config()
    before = two.head.mailcow.snapshot()
    for _ in range(3):
        done = two.run(minutes=60)
        assert (done.code, changes(done), done.document["pending"]) == (0, [], [])
        assert findings(done) == [("directory_unknown", "")]
    assert two.head.mailcow.snapshot() == before
    two.block("branch")["enabled"] = True
    two.head.write_config()
    assert findings(two.run()) == []


def test_a_directory_may_get_another_name(settled: Two) -> None:
    two = settled
    two.block("branch")["name"] = "office"
    two.head.write_config()
    done = two.run()
    assert (done.code, changes(done), findings(done)) == (0, [], [])
    assert two.head.rows("SELECT count(*) FROM mailbox WHERE source = 'office'") == [(2,)]


# renames


def test_people_of_both_are_renamed_in_one_run(settled: Two) -> None:
    two = settled
    two.happens(head=(of_user("ann", mail=full("anna")),), branch=(of_user("cat", mail=full("kate")),))
    done = two.run()
    assert (done.code, changes(done)) == (0, [("rename", "anna"), ("rename", "kate")])
    assert two.aliases == {"ann": "anna", "cat": "kate"}


def test_the_address_that_one_gives_up_is_free_for_somebody_in_the_other_in_the_next_run(settled: Two) -> None:
    two = settled
    two.happens(head=(of_user("ann", mail=full("anna")),), branch=(user("ann"),))
    two.head.again()
    assert two.run().code == 0
    assert two.mailboxes == {**dict.fromkeys(("anna", "ann", "bob", "cat", "dan"), 1)}
    sources = two.head.rows("SELECT source FROM mailbox WHERE address IN ('ann@example.org', 'anna@example.org')")
    assert sorted(sources) == [("branch",), ("head",)]


# options


def test_only_looks_for_the_address_in_both(settled: Two) -> None:
    two = settled
    two.happens(head=(user("eve"),), branch=(user("fay"), user("gus")))
    done = two.run("--only", full("fay"))
    assert (done.code, changes(done), findings(done)) == (0, [("create", "fay")], [])
    done = two.run("--only", full("nobody"))
    (finding,) = done.document["findings"]
    assert finding["sentence"] == (
        f"--only names {full('nobody')}, which no entry of branch or head has; correct it, or the filter"
    )


def test_an_overridden_filter_that_finds_somebody_in_one_is_enough(settled: Two) -> None:
    settled.happens(branch=(user("fay"),))
    done = settled.run("--override-filter", "(uid=fay)")
    assert (done.code, changes(done), findings(done)) == (0, [("create", "fay")], [])
    assert findings(settled.run("--override-filter", "(uid=nobody)"), of="no_users") != []


def test_the_text_names_the_directory(two: Two) -> None:
    two.happens(
        head=(user("ann"), user("eve", mail="no address")), branch=(user("cat", mail=[full("cat"), full("c2")]),)
    )
    done = two.head.at_clock()
    assert f"bad_address  {user_dn(two.head, 'eve')} of head: " in done.out
    assert f"several_mails  {user_dn(two.branch, 'cat')} of branch: " in done.out
    assert two.head.again(minutes=5).out == ""
    dry = two.head.again("--dry-run")
    assert dry.code == 3
